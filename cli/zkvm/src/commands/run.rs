//! `zkvm run`: execute a guest.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zkvm_sdk::isa::syscall::EXIT_CODE_PANIC;
use zkvm_sdk::isa::{Chip, Precompile};
use zkvm_sdk::{Client, Code, Cost, Execution, Exit, GuestPanic, Limits, Program, Software};

use crate::args::{JournalFormat, RunArgs};
use crate::console::Terminal;
use crate::escape;
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped, hex};
use crate::outcome::failure_of;
use crate::output::{Output, STRONG, write_file};
use crate::{guest, input};

pub(crate) fn run(
    args: &RunArgs,
    mut limits: Limits,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let (_, program) = guest::load(&args.program, output)?;
    let input = input::read(&args.input)?;
    if let Some(cycles_max) = args.max_cycles {
        limits.cycles_max = cycles_max;
    }
    let client = Client::builder().limits(limits).build()?;
    let started = Instant::now();
    let mut console = Terminal::stderr(!output.is_loud());
    let (execution, software) = client.execute_sampled(&program, &input, &mut console)?;
    let elapsed = started.elapsed();

    let failure = failure_of(&execution, &client, &program, &input, output)?;
    let failed = failure.as_ref();
    write_journal(args, &program, &execution, failed, &software, output)?;
    say_cost(&execution, elapsed, output);
    say_software(&software, output);
    match failure {
        None => Ok(ExitCode::Ok),
        // In JSON the answer already holds the failure.
        Some(failure) if output.is_human() => Ok(output.failure(&failure)),
        Some(failure) => Ok(failure.exit),
    }
}

/// The journal, if there is something to say about it: an execution that faulted or reached a limit
/// proves nothing, and what it had written by then is no result.
fn journal_of(execution: &Execution) -> Option<&[u8]> {
    match execution.exit {
        Exit::Halted { .. } => Some(execution.journal.bytes()),
        Exit::Faulted(_) | Exit::CycleLimit | Exit::MemoryLimit | Exit::JournalLimit => None,
    }
}

fn write_journal(
    args: &RunArgs,
    program: &Program,
    execution: &Execution,
    failure: Option<&Failure>,
    software: &[Software],
    output: &Output,
) -> Result<(), Failure> {
    let journal = journal_of(execution);
    if let (Some(path), Some(journal)) = (&args.output, journal) {
        write_file(path, journal)?;
    }
    if !output.is_human() {
        let answer = json!({
            "program_id": program.id().to_string(),
            "journal": journal.map(hex),
            "exit": exit_json(&execution.exit),
            "cycles": execution.cycles,
            "cost": cost_json(&execution.cost),
            "spans": spans_json(execution),
            "software": software_json(software),
            "error": failure.map(Failure::json),
        });
        return output.answer("", &answer);
    }
    let Some(journal) = journal else {
        return Ok(());
    };
    match (args.journal, &args.output) {
        (JournalFormat::Hex, None) if journal.is_empty() => Ok(()),
        (JournalFormat::Hex, None) => output.bytes(format!("{}\n", hex(journal)).as_bytes()),
        (JournalFormat::Raw, None) => output.bytes(journal),
        (JournalFormat::None, _) | (_, Some(_)) => Ok(()),
    }
}

fn say_cost(execution: &Execution, elapsed: Duration, output: &Output) {
    if !output.is_human() {
        return;
    }
    if let Some(journal) = journal_of(execution) {
        let integer = execution
            .journal
            .decode::<u64>()
            .ok()
            .filter(|_| !journal.is_empty());
        let decoded = integer.map_or(String::new(), |value| format!(", as an integer {value}"));
        output.say(format_args!("journal  {} bytes{decoded}", journal.len()));
    } else {
        output.say("journal  none: what did not halt cannot be proved");
    }
    let mhz = execution.cycles as f64 / elapsed.as_secs_f64() / 1e6;
    output.say(format_args!(
        "cycles   {} in {:.3} s ({mhz:.0} MHz)",
        grouped(execution.cycles),
        elapsed.as_secs_f64()
    ));
    output.say(format_args!(
        "memory   {}",
        bytes(execution.cost.memory_bytes)
    ));
    let rows = Chip::ALL
        .into_iter()
        .filter(|chip| execution.cost.rows.of(*chip) > 0)
        .map(|chip| format!("{} {}", chip.name(), grouped(execution.cost.rows.of(chip))))
        .collect::<Vec<_>>();
    output.say(format_args!("rows     {}", rows.join(" · ")));
    for span in &execution.spans {
        let (entered, cycles) = (grouped(span.entered), grouped(span.cycles));
        output.say(format_args!(
            "span     {}: {cycles} cycles, {entered}×",
            escape::line(&span.path.join("/"))
        ));
    }
}

/// Warns of hashes and curves that run in software though a precompile does the same.
pub(crate) fn say_software(software: &[Software], output: &Output) {
    if !output.is_human() {
        return;
    }
    for part in software {
        output.say(format_args!(
            "{STRONG}warning[{}]{STRONG:#}: {:.0} % of the cycles compute what the precompile {} does, \
             most of them in {}: {}",
            Code(318),
            100.0 * part.share(),
            part.precompile.name(),
            escape::line(&part.function),
            remedy(part.precompile),
        ));
    }
}

/// What to use instead.
fn remedy(precompile: Precompile) -> &'static str {
    match precompile {
        Precompile::KeccakF => "use zkvm_accel::keccak, or alloy-primitives with `native-keccak`",
        Precompile::Sha256Compress => "use zkvm_accel::sha256",
        Precompile::MultiplyMod => "use zkvm_accel::modular",
        Precompile::Secp256k1Add | Precompile::Secp256k1Double => "use zkvm_accel::secp256k1",
    }
}

/// The same as JSON.
pub(crate) fn software_json(software: &[Software]) -> Value {
    let parts = software.iter().map(|part| {
        json!({
            "function": part.function,
            "precompile": part.precompile.name(),
            "share": part.share(),
        })
    });
    Value::Array(parts.collect())
}

fn exit_json(exit: &Exit) -> Value {
    match exit {
        Exit::Halted {
            code: code @ EXIT_CODE_PANIC,
            panic: Some(panic),
        } => json!({
            "kind": "panicked",
            "code": code,
            "message": panic.message,
            "panic": panic_json(panic),
        }),
        Exit::Halted { code, panic } => json!({
            "kind": "halted",
            "code": code,
            "message": panic.as_ref().map(|panic| &panic.message),
            "panic": null,
        }),
        Exit::Faulted(fault) => json!({
            "kind": "faulted",
            "fault": fault.kind.to_string(),
            "pc": fault.pc,
            "cycle": fault.cycle,
        }),
        Exit::CycleLimit => json!({ "kind": "cycle_limit" }),
        Exit::MemoryLimit => json!({ "kind": "memory_limit" }),
        Exit::JournalLimit => json!({ "kind": "journal_limit" }),
    }
}

fn panic_json(panic: &GuestPanic) -> Value {
    json!({
        "message": panic.message,
        "file": panic.file,
        "line": panic.line,
        "column": panic.column,
        "cycle": panic.cycle,
    })
}

fn cost_json(cost: &Cost) -> Value {
    let rows: serde_json::Map<String, Value> = Chip::ALL
        .into_iter()
        .map(|chip| (chip.name().to_owned(), json!(cost.rows.of(chip))))
        .collect();
    json!({ "rows": rows, "misaligned": cost.misaligned, "memory_bytes": cost.memory_bytes })
}

fn spans_json(execution: &Execution) -> Value {
    let spans = execution
        .spans
        .iter()
        .map(|span| json!({ "path": span.path, "entered": span.entered, "cycles": span.cycles }));
    Value::Array(spans.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn halted(code: u32) -> Exit {
        Exit::Halted {
            code,
            panic: Some(GuestPanic {
                message: "no".to_owned(),
                file: "main.rs".to_owned(),
                line: 1,
                column: 2,
                cycle: 3,
            }),
        }
    }

    #[test]
    fn an_error_that_main_returned_is_no_panic() {
        let failed = exit_json(&halted(1));
        assert_eq!(failed["kind"], "halted");
        assert_eq!(
            (&failed["message"], &failed["panic"]),
            (&json!("no"), &Value::Null)
        );
        let panicked = exit_json(&halted(EXIT_CODE_PANIC));
        assert_eq!(panicked["kind"], "panicked");
        assert_eq!(panicked["panic"]["file"], "main.rs");
    }
}
