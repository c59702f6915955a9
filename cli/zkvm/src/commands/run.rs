//! `zkvm run`: execute a guest.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use zkvm_sdk::isa::syscall::EXIT_CODE_PANIC;
use zkvm_sdk::isa::{Chip, Precompile};
use zkvm_sdk::{
    Client, Code, Cost, Execution, Exit, Fault, FaultKind, Frame, GuestPanic, Input, Limits,
    Program, Software,
};

use crate::args::{JournalFormat, RunArgs};
use crate::console::Terminal;
use crate::escape;
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped, hex};
use crate::output::{DIM, Output, STRONG, write_file};
use crate::{guest, input};

/// Most frames of a backtrace that are shown without `-v`.
const FRAMES_SHOWN: usize = 12;
/// Most frames that are looked up at all.
const FRAMES_MAX: usize = 256;

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

/// The failure that `execution` ended with, with its frames; `None` if it succeeded.
pub(crate) fn failure_of(
    execution: &Execution,
    client: &Client,
    program: &Program,
    input: &Input,
    output: &Output,
) -> Result<Option<Failure>, Failure> {
    let (exit, code, cause) = match &execution.exit {
        Exit::Halted { code: 0, .. } => return Ok(None),
        Exit::Halted { code, panic: None } => (
            ExitCode::GuestExit,
            310,
            format!("the guest halted with exit code {code}"),
        ),
        Exit::Halted {
            code: EXIT_CODE_PANIC,
            panic: Some(panic),
        } => (
            ExitCode::GuestFault,
            311,
            format!("the guest panicked: {}", escape::line(&panic.message)),
        ),
        // The runtime reports an error that `main` returned in the same way.
        Exit::Halted {
            code,
            panic: Some(panic),
        } => (
            ExitCode::GuestExit,
            310,
            format!(
                "the guest failed: {} (exit code {code})",
                escape::line(&panic.message)
            ),
        ),
        Exit::Faulted(fault) => (ExitCode::GuestFault, fault_code(fault), fault_cause(fault)),
        Exit::CycleLimit => {
            let limit = grouped(client.limits().cycles_max);
            (
                ExitCode::Limit,
                301,
                format!("the guest reached the limit of {limit} cycles"),
            )
        }
        Exit::MemoryLimit => {
            let limit = bytes(client.limits().memory_bytes_max);
            (
                ExitCode::Limit,
                302,
                format!("the guest reached the memory limit of {limit}"),
            )
        }
        Exit::JournalLimit => {
            let limit = bytes(client.limits().journal_bytes_max);
            (
                ExitCode::Limit,
                303,
                format!("the guest reached the journal limit of {limit}"),
            )
        }
    };
    let mut failure = Failure::new(exit, Code(code), cause);
    let mut cycle = execution.cycles;
    if let Exit::Halted {
        panic: Some(panic), ..
    } = &execution.exit
    {
        cycle = panic.cycle;
        let file = escape::line(&panic.file);
        let place = format!("{file}:{}:{}", panic.line, panic.column);
        failure
            .details
            .push(format!("{DIM}-->{DIM:#} {STRONG}{place}{STRONG:#}"));
    }
    failure.details.push(format!(
        "at cycle {}, pc {:#x}",
        grouped(cycle),
        execution.pc()
    ));
    let frames = client.backtrace(program, input, execution, FRAMES_MAX)?;
    failure
        .details
        .extend(frame_lines(&frames, output.is_verbose()));
    *failure.facts = json!({
        "cycle": cycle,
        "pc": execution.pc(),
        "frames": frames.iter().map(frame_json).collect::<Vec<_>>(),
    });
    if !output.is_human() {
        // Plain text for programs.
        for line in &mut failure.details {
            *line = anstream::adapter::strip_str(line).to_string();
        }
    }
    Ok(Some(failure))
}

fn fault_code(fault: &Fault) -> u16 {
    match fault.kind {
        FaultKind::Unmapped { .. } if fault.is_stack_overflow() => 312,
        FaultKind::IllegalInstruction { .. } => 313,
        FaultKind::Unmapped { .. }
        | FaultKind::ReadOnly { .. }
        | FaultKind::MisalignedAtomic { .. } => 314,
        FaultKind::FetchOutsideText | FaultKind::FetchMisaligned => 315,
        FaultKind::Breakpoint => 316,
        FaultKind::UnknownSystemCall { .. }
        | FaultKind::UnknownDescriptor { .. }
        | FaultKind::TransferTooLong { .. }
        | FaultKind::TransferMisaligned { .. }
        | FaultKind::Operand { .. }
        | FaultKind::JournalRagged { .. } => 317,
    }
}

fn fault_cause(fault: &Fault) -> String {
    if fault.is_stack_overflow() {
        return format!("the guest's stack overflowed: {}", fault.kind);
    }
    format!("the guest faulted: {}", fault.kind)
}

/// Whether the frame is of Rust's libraries or of the guest runtime, not of the guest.
fn is_library(frame: &Frame) -> bool {
    let Some(file) = frame.file.as_deref() else {
        return true;
    };
    file.starts_with("/rustc/")
        || file.starts_with("/cargo/")
        || file.contains("guest/rt/src/")
        || file.starts_with("/zkvm-guest/")
}

/// The frames as lines. Unless everything is wanted, the library frames between a failure and the
/// guest's own code are left out, and repeated frames are shown once.
fn frame_lines(frames: &[Frame], is_verbose: bool) -> Vec<String> {
    if is_verbose {
        return frames
            .iter()
            .enumerate()
            .map(|(n, frame)| frame_line(n, frame, 1))
            .collect();
    }
    let own = frames
        .iter()
        .position(|frame| !is_library(frame))
        .unwrap_or(0);
    let mut groups: Vec<(usize, &Frame, usize)> = Vec::new();
    for (number, frame) in frames.iter().enumerate().skip(own) {
        match groups.last_mut() {
            Some((_, last, count)) if is_same_place(last, frame) => *count += 1,
            _ => groups.push((number, frame, 1)),
        }
    }
    let mut lines: Vec<String> = groups
        .iter()
        .take(FRAMES_SHOWN)
        .map(|(number, frame, count)| frame_line(*number, frame, *count))
        .collect();
    if groups.len() > FRAMES_SHOWN || own > 0 {
        lines.push(format!(
            "{DIM}… -v shows all {} frames{DIM:#}",
            frames.len()
        ));
    }
    lines
}

fn is_same_place(a: &Frame, b: &Frame) -> bool {
    (&a.function, &a.file, a.line, a.is_inlined) == (&b.function, &b.file, b.line, b.is_inlined)
}

fn frame_line(number: usize, frame: &Frame, count: usize) -> String {
    let function = escape::line(frame.function.as_deref().unwrap_or("?"));
    let file = frame.file.as_deref().map(escape::line);
    let inlined = if frame.is_inlined { " (inlined)" } else { "" };
    let place = match (file, frame.line) {
        (Some(file), Some(line)) => format!("{file}:{line}"),
        (Some(file), None) => file.into_owned(),
        (None, _) => format!("{:#x}", frame.address),
    };
    let repeated = if count > 1 {
        format!(" ({count} times)")
    } else {
        String::new()
    };
    format!("{number:>3}: {function}{inlined} {DIM}at{DIM:#} {place}{repeated}")
}

fn frame_json(frame: &Frame) -> Value {
    json!({
        "address": frame.address,
        "function": frame.function,
        "file": frame.file,
        "line": frame.line,
        "column": frame.column,
        "inlined": frame.is_inlined,
    })
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

    #[test]
    fn names_from_debug_information_are_escaped() {
        let frame = Frame {
            address: 0x10,
            function: Some("f\u{1b}[2J".to_owned()),
            file: Some("a\n\u{202e}.rs".to_owned()),
            line: Some(7),
            column: None,
            is_inlined: false,
        };
        let line = anstream::adapter::strip_str(&frame_line(0, &frame, 1)).to_string();
        assert_eq!(line, "  0: f\\u{1b}[2J at a\\n\\u{202e}.rs:7");
    }
}
