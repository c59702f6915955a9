//! `zkvm rollup exec`: native validation.

use std::time::Instant;

use serde_json::json;
use zkvm_rollup_node::summary::Summary;
use zkvm_rollup_node::work::WorkInput;
use zkvm_rollup_stf::rollup::{BlockRange, RangeInput};
use zkvm_terminal::failure::Failure;
use zkvm_terminal::number::{bytes, grouped};
use zkvm_terminal::output::Output;

use crate::args::WorkArgs;
use crate::claims::Claim;
use crate::{failures, files};

pub(crate) fn run(args: &WorkArgs, output: &Output) -> Result<(), Failure> {
    let work = files::work(&args.file)?;
    let input = work
        .decode()
        .map_err(|error| failures::work(&args.file, &error))?;
    say(&input, output);
    let started = Instant::now();
    let claim = Claim::of(&input)?;
    let seconds = started.elapsed().as_secs_f64();
    output.say(format_args!(
        "{:<8} in {seconds:.3} s, natively",
        match input {
            WorkInput::Block(_) => "valid",
            WorkInput::Batch(_) => "verdict",
            WorkInput::Range(_) => "composed",
        }
    ));
    let mut answer = claim.answer();
    answer["block"] = block_json(&input);
    answer["seconds"] = json!(seconds);
    output.answer(&claim.human(), &answer)
}

/// Says what an input consists of.
pub(crate) fn say(input: &WorkInput<'_>, output: &Output) {
    let witness = match input {
        WorkInput::Block(block) => {
            if let Some(summary) = Summary::of(block.block) {
                output.say(format_args!("block    {}", line(&summary)));
            }
            &block.witness
        }
        WorkInput::Batch(batch) => {
            output.say(format_args!(
                "batch    {}, {} forced items",
                bytes(batch.batch.len() as u64),
                batch.items.len()
            ));
            if let Some(BlockRange { first, end }) = batch.blocks {
                let last = end.saturating_sub(1);
                output.say(match first == last {
                    true => format!("of it    block {first}"),
                    false => format!("of it    blocks {first} to {last}"),
                });
            }
            &batch.witness
        }
        WorkInput::Range(range) => {
            let count = match range {
                RangeInput::Blocks { parts, .. } => parts.len(),
                RangeInput::Batches { outs, .. } => outs.len(),
            };
            output.say(format_args!("outputs  {count}"));
            return;
        }
    };
    output.say(format_args!(
        "witness  {} nodes, {} codes, {} headers",
        witness.nodes.len(),
        witness.codes.len(),
        witness.headers.len()
    ));
}

/// A block in a line.
pub(crate) fn line(summary: &Summary) -> String {
    let count = summary.transactions;
    let plural = if count == 1 { "" } else { "s" };
    format!(
        "number {}, {count} transaction{plural}, {} gas",
        summary.number,
        grouped(summary.gas_used)
    )
}

/// What a block says about itself, `null` for a batch.
fn block_json(input: &WorkInput<'_>) -> serde_json::Value {
    let WorkInput::Block(block) = input else {
        return serde_json::Value::Null;
    };
    Summary::of(block.block).map_or(serde_json::Value::Null, |summary| {
        json!({
            "number": summary.number,
            "timestamp": summary.timestamp,
            "transactions": summary.transactions,
            "gas_used": summary.gas_used,
        })
    })
}
