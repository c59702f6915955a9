//! The machine: loads a RISC-V program and executes it.
//!
//! ```text
//!  ELF bytes ──load──▶ Program ──execute──▶ Execution            what the program did
//!                              ──segments─▶ Segment, Records …   the same, cut up for proving
//! ```
//!
//! Execution is deterministic to the last bit: the same program and input give the same cycles,
//! memory, journal and segments on every host. This crate knows no fields and no provers. Loading
//! and the program id are trusted; execution is not (a wrong execution does not prove).

#![forbid(unsafe_code)]

mod backtrace;
mod cost;
mod execute;
mod fault;
mod hart;
mod input;
mod limits;
mod load;
mod memory;
pub mod precompile;
mod program;
mod recorder;
mod segment;
mod spans;
mod system;
#[cfg(test)]
mod testing;

pub use backtrace::{FRAMES_MAX, backtrace};
pub use cost::{Cost, Span};
pub use execute::{
    Capture, Console, Discard, ExecuteError, Execution, Exit, GuestPanic, SAMPLE_CYCLES, Stream,
    execute, execute_sampled,
};
pub use fault::{Access, Fault, FaultKind};
pub use input::Input;
pub use limits::{LimitError, Limits, SegmentLimits};
pub use load::{
    ELF_BYTES_MAX, LoadError, PROGRAM_HEADERS_MAX, SYMBOL_NAME_BYTES_MAX, SYMBOL_NAME_LENGTH_MAX,
    SYMBOLS_MAX, TEXT_SPAN_BYTES_MAX, load,
};
pub use memory::Region;
pub use program::{Image, Permissions, Program, ProgramId, ProgramIdError, Symbol};
pub use segment::{
    BoundaryRegister, BoundaryWord, Checkpoint, REGISTER_HINTS, REGISTER_JOURNAL,
    REGISTER_RESERVATION, REGISTERS, Recording, ReplayError, Segment, SegmentedExecution, Sink,
    execute_segments, execute_segments_while, replay,
};
pub use zkvm_isa as isa;
pub use zkvm_isa::record::Records;
