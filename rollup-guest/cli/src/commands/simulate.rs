//! `zkvm rollup simulate`: what a block or a batch costs, by transaction, phase and function.

use std::fmt::Write as _;

use serde_json::{Value, json};
use zkvm_rollup_node::summary::{TransactionSummary, batch_transactions, transactions};
use zkvm_rollup_node::work::WorkInput;
use zkvm_sdk::isa::Chip;
use zkvm_sdk::{Discard, Execution, FunctionSamples, ProvingCost, Rates, Span};
use zkvm_terminal::escape;
use zkvm_terminal::failure::Failure;
use zkvm_terminal::number::{bytes, grouped};
use zkvm_terminal::output::Output;
use zkvm_terminal::proving::{client, foretell};

use crate::args::SimulateArgs;
use crate::claims::Claim;
use crate::commands::exec;
use crate::{failures, files, guests};

/// The chips with one row for each call of a precompile.
const PRECOMPILES: [(Chip, &str); 4] = [
    (Chip::Keccak, "keccak-f"),
    (Chip::Sha256, "sha-256 compression"),
    (Chip::MultiplyMod, "modular product"),
    (Chip::Secp256k1, "secp256k1 sum or double"),
];

/// What there is to say.
struct Simulation {
    execution: Execution,
    cost: ProvingCost,
    functions: Vec<FunctionSamples>,
    /// Of a block or a batch.
    transactions: Vec<TransactionSummary>,
}

pub(crate) fn run(
    args: &SimulateArgs,
    max_memory: Option<u64>,
    output: &Output,
) -> Result<(), Failure> {
    let path = &args.work.file;
    let client = client(&args.proving, max_memory)?;
    let work = files::work(path)?;
    let input = work
        .decode()
        .map_err(|error| failures::work(path, &error))?;
    exec::say(&input, output);
    // What the guest would only panic about is told here with its reason.
    let claim = Claim::of(&input)?;
    let transactions = match &input {
        WorkInput::Block(block) => transactions(block),
        WorkInput::Batch(batch) => batch_transactions(batch),
        WorkInput::Range(_) => Ok(Vec::new()),
    };
    let transactions = transactions.map_err(|error| failures::no_claim(&error))?;
    let program = guests::program(work.kind())?;
    let input = guests::input_to_simulate(work.input());
    let (cost, execution) = foretell(&client, &program, &input, 0, output)?;
    if execution.journal.bytes() != claim.journal() {
        return Err(failures::differs());
    }
    let (_, samples) = client.execute_with_samples(&program, &input, &mut Discard)?;
    let simulation = Simulation {
        functions: samples.functions(&program.symbolizer(), args.functions),
        execution,
        cost,
        transactions,
    };
    let rates = Rates::of(client.hash());
    output.answer(&simulation.human(&rates), &simulation.json(&rates))
}

impl Simulation {
    fn human(&self, rates: &Rates) -> String {
        let (execution, cost) = (&self.execution, &self.cost);
        let mut human = String::new();
        let _ = writeln!(human, "cycles    {}", grouped(execution.cycles));
        let _ = writeln!(human, "segments  {}", cost.segments);
        let _ = writeln!(human, "proof     {}", bytes(cost.proof_bytes));
        let _ = writeln!(human, "memory    {}  (estimate)", bytes(cost.memory_bytes));
        let _ = writeln!(
            human,
            "time      {:.1} CPU s  (estimate for {})",
            cost.seconds.total(),
            rates.processor
        );
        let _ = writeln!(human, "\n{:<42} {:>12} {:>6}", "part", "cycles", "");
        for span in &execution.spans {
            let _ = writeln!(human, "{}", self.span_line(span));
        }
        let _ = writeln!(human, "\n{:<42} {:>12}", "precompile", "calls");
        for (chip, name) in PRECOMPILES {
            let calls = execution.cost.rows.of(chip);
            let _ = writeln!(human, "{name:<42} {:>12}", grouped(calls));
        }
        let _ = writeln!(human, "\n{:<6} function (sampled)", "share");
        for part in &self.functions {
            let name = escape::line(&part.function);
            let _ = writeln!(human, "{:>5.1}% {name}", 100.0 * part.share());
        }
        human
    }

    /// A span with its share, indented as it is nested; a transaction with its hash, and its gas if
    /// that is known.
    fn span_line(&self, span: &Span) -> String {
        let name = span.path.last().map_or("", String::as_str);
        let mut name = format!("{:1$}{name}", "", 2 * (span.path.len().saturating_sub(1)));
        if span.entered > 1 {
            let _ = write!(name, " ({}×)", grouped(span.entered));
        }
        let share = 100.0 * span.cycles as f64 / self.execution.cycles.max(1) as f64;
        let name = escape::line(&name);
        let mut line = format!("{name:<42} {:>12} {share:>5.1}%", grouped(span.cycles));
        if let Some(transaction) = self.transaction(span) {
            if let Some(gas) = transaction.gas_used {
                let _ = write!(line, "  {:>10} gas", grouped(gas));
            }
            let _ = write!(line, "  {}", transaction.hash);
        }
        line
    }

    /// The transaction that a span is about.
    fn transaction(&self, span: &Span) -> Option<&TransactionSummary> {
        let [.., block, transaction] = &span.path[..] else {
            return None;
        };
        let block: u64 = block.strip_prefix("block ")?.parse().ok()?;
        let index: usize = transaction.strip_prefix("transaction ")?.parse().ok()?;
        let mut all = self.transactions.iter();
        all.find(|it| (it.block, it.index) == (block, index))
    }

    fn json(&self, rates: &Rates) -> Value {
        let (execution, cost) = (&self.execution, &self.cost);
        let spans = execution.spans.iter().map(|span| {
            let transaction = self.transaction(span);
            json!({
                "path": span.path,
                "entered": span.entered,
                "cycles": span.cycles,
                "gas_used": transaction.and_then(|it| it.gas_used),
                "transaction_hash": transaction.map(|it| it.hash),
            })
        });
        let precompiles = PRECOMPILES
            .into_iter()
            .map(|(chip, name)| (name.to_owned(), json!(execution.cost.rows.of(chip))));
        let functions = self
            .functions
            .iter()
            .map(|part| json!({ "function": part.function, "share": part.share() }));
        json!({
            "cycles": execution.cycles,
            "segments": cost.segments,
            "proof_bytes": cost.proof_bytes,
            "memory_bytes": cost.memory_bytes,
            "cpu_seconds": cost.seconds.total(),
            "estimated_for": rates.processor,
            "spans": Value::Array(spans.collect()),
            "precompiles": Value::Object(precompiles.collect()),
            "functions": Value::Array(functions.collect()),
        })
    }
}
