//! The oracle of the executor: limits hold, costs add up, the same run twice is the same run.

use zkvm_isa::{Chip, Opcode, layout, syscall};
use zkvm_machine::{
    Console, ExecuteError, Execution, FRAMES_MAX, Input, Limits, Program, Stream, backtrace,
    execute, load,
};

use crate::allocation::measure;
use crate::guest::Guest;
use crate::segments::{CutPlan, check_segments};
use crate::{Violation, claim};

/// What came of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Run {
    /// The guest ran and everything held.
    Executed(Execution),
    /// The caller's limits refused it before it ran.
    Refused(ExecuteError),
}

/// A console that keeps a digest (FNV-1a) and no memory, so that it does not count as host memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Digest {
    hash: u64,
    len_bytes: u64,
}

impl Digest {
    pub(crate) fn new() -> Self {
        Digest {
            hash: 0xcbf2_9ce4_8422_2325,
            len_bytes: 0,
        }
    }
}

impl Console for Digest {
    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        self.len_bytes += bytes.len() as u64;
        for byte in bytes.iter().chain(&[stream as u8]) {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// Checks the program that `bytes` stand for: see [`Guest`] and [`check_run`].
///
/// # Errors
/// [`Violation`] names the claim that fails.
pub fn check_execute(bytes: &[u8]) -> Result<Run, Violation> {
    let guest = Guest::from_bytes(bytes);
    let program = match load(&guest.elf) {
        Ok(program) => program,
        Err(error) => {
            let is_refused = matches!(
                error,
                zkvm_machine::LoadError::UnsupportedInstruction { .. }
            );
            claim!(is_refused, "the guest does not load: {error}");
            // Without its symbols the instruction is met by executing it.
            let guest = Guest::without_symbols(bytes);
            load(&guest.elf).map_err(|error| Violation(format!("does not load: {error}")))?
        }
    };
    let limits = guest.limits(&program);
    check_run(&program, &guest.input, &limits, guest.plan)
}

/// Executes `program` twice, and cut by `plan`, and takes a backtrace.
///
/// # Errors
/// [`Violation`] names the claim that fails.
pub fn check_run(
    program: &Program,
    input: &Input,
    limits: &Limits,
    plan: CutPlan,
) -> Result<Run, Violation> {
    let mut printed = Digest::new();
    let (execution, peak_bytes) = measure(|| execute(program, input, limits, &mut printed));
    let mut printed_again = Digest::new();
    let again = execute(program, input, limits, &mut printed_again);
    claim!(execution == again, "two runs differ");
    claim!(printed == printed_again, "two runs print different texts");
    let most_bytes = run_bytes_max(limits);
    claim!(
        peak_bytes <= most_bytes,
        "the run took {peak_bytes} bytes of host memory, the limit is {most_bytes}"
    );
    let execution = match execution {
        Ok(execution) => execution,
        Err(error) => {
            let is_honest = error
                == ExecuteError::MemoryLimit {
                    limit_bytes: limits.memory_bytes_max,
                };
            claim!(is_honest, "refused to run: {error}");
            return Ok(Run::Refused(error));
        }
    };
    check_execution(&execution, limits)?;
    check_segments(program, input, limits, &execution, plan)?;
    check_backtrace(program, input, limits, &execution)?;
    Ok(Run::Executed(execution))
}

/// Most host memory that an execution within `limits` may take at its peak.
///
/// Guest memory and journal are lists that double when they grow, and while one grows the old and
/// the new one are there: three times their limits. The page table takes 4 MiB. Prints, messages
/// and spans come on top.
#[must_use]
pub fn run_bytes_max(limits: &Limits) -> u64 {
    let kept = limits
        .memory_bytes_max
        .saturating_add(limits.journal_bytes_max);
    kept.saturating_mul(3)
        .saturating_add((4 << 20) + people_bytes_max(limits.cycles_max))
}

/// Most host memory for what is for people: 1 MiB for one print of 64 KiB and the panic; and for
/// each span that `cycles` can open the names around it, each a `String` whose bytes that are no
/// UTF-8 were replaced by three. A span takes a call and a new name: four instructions.
pub(crate) fn people_bytes_max(cycles: u64) -> u64 {
    /// Spans and depth that the machine keeps; private there.
    const SPANS_MAX: u64 = 4096;
    const SPAN_DEPTH_MAX: u64 = 64;
    const NAME_BYTES_MAX: u64 = 3 * syscall::SPAN_NAME_BYTES_MAX + size_of::<String>() as u64;
    (1 << 20) + SPANS_MAX.min(cycles / 4) * SPAN_DEPTH_MAX * NAME_BYTES_MAX
}

/// The limits hold and the counts add up.
///
/// # Errors
/// [`Violation`] names the claim that fails.
pub fn check_execution(execution: &Execution, limits: &Limits) -> Result<(), Violation> {
    let cost = &execution.cost;
    for (name, got, most) in [
        ("cycles", execution.cycles, limits.cycles_max),
        ("memory bytes", cost.memory_bytes, limits.memory_bytes_max),
        (
            "journal bytes",
            execution.journal.len() as u64,
            limits.journal_bytes_max,
        ),
    ] {
        claim!(got <= most, "{got} {name}, the limit is {most}");
    }
    let pages_are_whole = cost
        .memory_bytes
        .is_multiple_of(u64::from(layout::PAGE_BYTES));
    claim!(pages_are_whole, "{} memory bytes", cost.memory_bytes);
    let transfers = cost.rows.of(Chip::Journal) + cost.rows.of(Chip::Hint);
    let instructions = cost.rows.total().wrapping_sub(transfers);
    claim!(
        instructions == execution.cycles,
        "{instructions} rows of instructions, {} cycles",
        execution.cycles
    );
    let executions: u64 = cost.opcodes.iter().sum();
    claim!(
        executions == execution.cycles,
        "{executions} executions of opcodes, {} cycles",
        execution.cycles
    );
    for opcode in [Opcode::Illegal, Opcode::Ebreak] {
        claim!(cost.executions(opcode) == 0, "{opcode:?} executed");
    }
    let misaligned = cost.rows.of(Chip::Misaligned);
    claim!(
        misaligned == cost.misaligned,
        "misaligned accesses miscounted"
    );
    claim!(
        execution.registers[0] == 0,
        "x0 is {:#x}",
        execution.registers[0]
    );
    claim!(
        execution.journal.len() as u64 <= 8 * cost.rows.of(Chip::Journal),
        "the journal has fewer rows than words"
    );
    for span in &execution.spans {
        claim!(
            span.entered > 0 && span.cycles <= execution.cycles * span.path.len() as u64,
            "span {:?} was entered {} times for {} cycles",
            span.path,
            span.entered,
            span.cycles
        );
    }
    claim!(
        !execution.exit.to_string().is_empty(),
        "the exit prints as nothing"
    );
    Ok(())
}

/// A backtrace can be taken of every outcome; it begins at the last instruction.
fn check_backtrace(
    program: &Program,
    input: &Input,
    limits: &Limits,
    execution: &Execution,
) -> Result<(), Violation> {
    let frames = backtrace(program, input, limits, execution)
        .map_err(|error| Violation(format!("no backtrace: {error}")))?;
    claim!(
        frames.first() == Some(&execution.pc),
        "the backtrace begins elsewhere"
    );
    claim!(frames.len() <= FRAMES_MAX + 1, "{} frames", frames.len());
    for pc in &frames {
        let _ = program.symbol_at(*pc);
    }
    Ok(())
}
