//! How an execution of a guest ended, as people meet it.

use serde_json::{Value, json};
use zkvm_sdk::isa::syscall::EXIT_CODE_PANIC;
use zkvm_sdk::{Client, Code, Execution, Exit, Fault, FaultKind, Frame, Input, Program};

use crate::escape;
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped};
use crate::output::{DIM, Output, STRONG};

/// Most frames of a backtrace that are shown without `-v`.
const FRAMES_SHOWN: usize = 12;
/// Most frames that are looked up at all.
const FRAMES_MAX: usize = 256;

/// The failure that `execution` ended with, with its frames; `None` if it succeeded.
///
/// # Errors
/// If the calls that led there cannot be found.
pub fn failure_of(
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
