//! Runs and proves zkVM guests from a host program.
//!
//! ```no_run
//! # fn main() -> Result<(), zkvm_sdk::Error> {
//! use zkvm_sdk::{Client, Input, Program};
//!
//! let program = Program::from_file("target/riscv64imac-unknown-none-elf/release/fibonacci")?;
//! let client = Client::auto()?;
//! let run = client.execute(&program, Input::new().write(&21u64)?)?;
//! let n: u64 = run.journal.decode()?;
//! assert_eq!(n, 10946);
//! let proof = client.prove(&program, Input::new().write(&21u64)?)?;
//! let n: u64 = program.verify(&proof)?.decode()?;
//! # Ok(())
//! # }
//! ```
//!
//! This crate is wiring: loading and executing live in `zkvm-machine`, symbolizing in
//! `zkvm-inspect`, proving in `zkvm-prover`, verifying in `zkvm-statement`.

#![forbid(unsafe_code)]

mod client;
mod error;
mod input;
mod job;
mod journal;
mod memory;
mod program;
mod proof;

pub use client::{Client, ClientBuilder, Execution};
pub use error::{Code, Error};
pub use input::Input;
pub use job::Job;
pub use journal::Journal;
pub use program::{Demand, Program};
pub use proof::Proof;
pub use zkvm_inspect::{Frame, FunctionSamples, Samples, Software};
pub use zkvm_machine::{
    Capture, Console, Cost, Discard, ELF_BYTES_MAX, Exit, Fault, FaultKind, GuestPanic, Limits,
    Permissions, ProgramId, Recording, Records, Segment, SegmentLimits, Span, Stream, isa,
};
pub use zkvm_prover::{
    ChipCost, Cost as ProvingCost, Hash, Header, Level, MEMORY_BYTES_LEAST, OnProgress, Parameters,
    Phase, Progress, ProveError, Rates, Report, Seconds, Security, VerifyError,
};
