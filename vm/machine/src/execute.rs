//! Executing a program from its entry to its end, counting what it costs.

use std::fmt;

use thiserror::Error;
use zkvm_isa::layout;
use zkvm_isa::syscall::EXIT_CODE_PANIC;

use crate::cost::{Cost, Span};
use crate::fault::Fault;
use crate::hart::{Hart, HartState, Stop};
use crate::input::Input;
use crate::limits::{LimitError, Limits};
use crate::memory::Memory;
use crate::program::Program;
use crate::recorder::Counter;
use crate::system::System;

/// Which of its two output streams a guest prints to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Descriptor 1.
    Output,
    /// Descriptor 2.
    Error,
}

/// Receives what a guest prints, as it prints it.
pub trait Console {
    /// Takes the bytes of one print call.
    fn write(&mut self, stream: Stream, bytes: &[u8]);
}

/// Drops what a guest prints.
#[derive(Clone, Copy, Debug, Default)]
pub struct Discard;

impl Console for Discard {
    fn write(&mut self, _: Stream, _: &[u8]) {}
}

/// Keeps what a guest prints, both streams together, up to [`Capture::BYTES_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Capture {
    /// The bytes.
    pub bytes: Vec<u8>,
    /// Whether more was printed than kept.
    pub is_cut: bool,
}

impl Capture {
    /// Most bytes kept.
    pub const BYTES_MAX: usize = 1 << 24;
}

impl Console for Capture {
    fn write(&mut self, _: Stream, bytes: &[u8]) {
        let kept = bytes.len().min(Self::BYTES_MAX - self.bytes.len());
        self.bytes.extend_from_slice(&bytes[..kept]);
        self.is_cut |= kept < bytes.len();
    }
}

/// A panic that a guest's runtime reported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GuestPanic {
    /// The message.
    pub message: String,
    /// Source file.
    pub file: String,
    /// Line in it, from 1.
    pub line: u32,
    /// Column in it, from 1.
    pub column: u32,
    /// Instructions executed before the report.
    pub cycle: u64,
}

/// How an execution ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Exit {
    /// The guest halted with this code; 0 is success. If it reported a panic before, with that;
    /// by the runtime's convention it panicked if the code is
    /// [`EXIT_CODE_PANIC`](zkvm_isa::syscall::EXIT_CODE_PANIC), and else said why it failed.
    Halted {
        /// The exit code.
        code: u32,
        /// The panic it reported, if any.
        panic: Option<GuestPanic>,
    },
    /// The guest did what the machine does not do.
    Faulted(Fault),
    /// It reached [`Limits::cycles_max`].
    CycleLimit,
    /// It reached [`Limits::memory_bytes_max`].
    MemoryLimit,
    /// It reached [`Limits::journal_bytes_max`].
    JournalLimit,
}

impl Exit {
    /// Whether the guest halted with code 0.
    #[must_use]
    pub fn is_success(&self) -> bool {
        matches!(self, Exit::Halted { code: 0, .. })
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Exit::Halted { code: 0, .. } => f.write_str("halted with exit code 0"),
            Exit::Halted { code, panic: None } => write!(f, "halted with exit code {code}"),
            Exit::Halted {
                code,
                panic: Some(panic),
            } => {
                let what = if *code == EXIT_CODE_PANIC {
                    "panicked and halted"
                } else {
                    "failed"
                };
                write!(f, "{what} with exit code {code}: {}", panic.message)
            }
            Exit::Faulted(fault) => fault.kind.fmt(f),
            Exit::CycleLimit => f.write_str("cycle limit reached"),
            Exit::MemoryLimit => f.write_str("memory limit reached"),
            Exit::JournalLimit => f.write_str("journal limit reached"),
        }
    }
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The public output.
    pub journal: Vec<u8>,
    /// How it ended.
    pub exit: Exit,
    /// Instructions executed.
    pub cycles: u64,
    /// Address of the instruction that ended it, or of the next one at a limit.
    pub pc: u64,
    /// The integer registers at the end.
    pub registers: [u64; 32],
    /// What it cost.
    pub cost: Cost,
    /// The spans it entered, in order of first entry.
    pub spans: Vec<Span>,
}

/// Why an execution could not begin.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ExecuteError {
    /// The input does not fit its region.
    #[error("the input has {got} bytes, the limit is {}", layout::INPUT_BYTES_MAX)]
    InputTooLong {
        /// Its length.
        got: usize,
    },
    /// Image and input alone exceed the memory limit.
    #[error("the program's image and input do not fit the memory limit of {limit_bytes} bytes")]
    MemoryLimit {
        /// The limit.
        limit_bytes: u64,
    },
    /// The segment limits cannot work.
    #[error(transparent)]
    SegmentLimits(#[from] LimitError),
}

impl<'a> Hart<'a> {
    /// A hart at the entry of `program`.
    pub(crate) fn new(
        program: &'a Program,
        input: &'a Input,
        limits: &Limits,
        console: &'a mut dyn Console,
    ) -> Result<Hart<'a>, ExecuteError> {
        if input.bytes.len() > layout::INPUT_BYTES_MAX as usize {
            return Err(ExecuteError::InputTooLong {
                got: input.bytes.len(),
            });
        }
        let limit_bytes = limits.memory_bytes_max;
        let memory = Memory::new(program, &input.bytes, limit_bytes)
            .map_err(|_| ExecuteError::MemoryLimit { limit_bytes })?;
        Ok(Hart {
            program,
            state: HartState::at_entry(program),
            memory,
            system: System::new(&input.hints, limits.journal_bytes_max, console),
            cycles: 0,
        })
    }

    /// The outcome of a run that ended with `stop`.
    pub(crate) fn finish(mut self, stop: Stop, counter: &Counter) -> Execution {
        let spans = std::mem::take(&mut self.system.spans).finish(self.cycles);
        let panic = self.system.panic.take();
        let exit = match stop {
            Stop::Halt { code } => Exit::Halted { code, panic },
            Stop::Fault(kind) => Exit::Faulted(Fault {
                kind,
                pc: self.state.pc,
                cycle: self.cycles,
                stack_pointer: self.state.registers[2],
            }),
            Stop::MemoryLimit => Exit::MemoryLimit,
            Stop::JournalLimit => Exit::JournalLimit,
            Stop::CycleLimit | Stop::Full => Exit::CycleLimit,
        };
        let mut opcodes = counter.opcodes;
        let mut rows = counter.rows();
        let uncounted = !matches!(stop, Stop::Halt { .. } | Stop::CycleLimit | Stop::Full);
        if uncounted && let Some(instruction) = self.program.instruction_at(self.state.pc) {
            // The instruction that stopped the run was announced but not executed.
            opcodes[instruction.opcode() as usize] -= 1;
            if let Some(chip) = instruction.opcode().chip() {
                rows.0[chip as usize] -= 1;
            }
        }
        Execution {
            journal: std::mem::take(&mut self.system.journal),
            exit,
            cycles: self.cycles,
            pc: self.state.pc,
            registers: self.state.registers,
            cost: Cost {
                rows,
                opcodes,
                misaligned: counter.misaligned,
                memory_bytes: self.memory.bytes(),
            },
            spans,
        }
    }
}

/// Executes `program` on `input` until it halts, faults or reaches a limit.
///
/// Every outcome of the guest is an [`Execution`]; errors are about what the caller gave.
/// Memory: the guest's pages, 4 MiB for the page table, and the journal.
/// Determinism: the same arguments give the same result on every host.
///
/// # Errors
/// [`ExecuteError`] if the input is too long or does not fit the memory limit.
pub fn execute(
    program: &Program,
    input: &Input,
    limits: &Limits,
    console: &mut dyn Console,
) -> Result<Execution, ExecuteError> {
    let mut hart = Hart::new(program, input, limits, console)?;
    let mut counter = Counter::new();
    let stop = hart.run(&mut counter, limits.cycles_max);
    Ok(hart.finish(stop, &counter))
}

/// Cycles from one sample of the pc to the next: a prime, so that no loop keeps step.
pub const SAMPLE_CYCLES: u64 = 4093;

/// Executes like [`execute`] and hands the pc to `sample` every [`SAMPLE_CYCLES`] cycles.
///
/// # Errors
/// As [`execute`].
pub fn execute_sampled(
    program: &Program,
    input: &Input,
    limits: &Limits,
    console: &mut dyn Console,
    sample: &mut dyn FnMut(u64),
) -> Result<Execution, ExecuteError> {
    let mut hart = Hart::new(program, input, limits, console)?;
    let mut counter = Counter::new();
    loop {
        let next = hart.cycles.saturating_add(SAMPLE_CYCLES);
        let stop = hart.run(&mut counter, limits.cycles_max.min(next));
        let continues = stop == Stop::CycleLimit && hart.cycles < limits.cycles_max;
        if !continues {
            return Ok(hart.finish(stop, &counter));
        }
        sample(hart.state.pc);
    }
}
