//! Proves that a program was executed, halted with an exit code and wrote a journal.
//!
//! ```text
//!  Program ──keys──▶ Keys
//!      │
//!   execute ─▶ Segment …  ─▶ boundary tables, committed ─▶ shared challenges
//!   execute ─▶ Segment and records ─▶ fill ─▶ prove ─▶ SegmentProof …  ─▶ Proof
//! ```
//!
//! The execution is run twice: once for the boundary tables of all segments, which must be committed
//! to before the shared challenges can be drawn, and once to fill and prove segment by segment. So
//! memory is bounded by one segment, however long the execution is.
//!
//! What a proof says and how it is verified is [`zkvm_statement`]'s; the verifier's side takes the
//! keys from the caller, never from the proof.

#![forbid(unsafe_code)]

mod cost;
mod keys;
mod memory;
mod prove;

pub use cost::{ChipCost, Cost, Rates, Seconds, cost};
pub use keys::{Keys, KeysError};
pub use memory::{MEMORY_BYTES_LEAST, memory_bytes, segment_limits};
pub use prove::{OnProgress, Options, Phase, Progress, ProveError, prove};
pub use zkvm_soundness::{Level, Report};
pub use zkvm_stark::{Backend, Cpu, Reference};
pub use zkvm_statement::{
    DecodeError, FORMAT, Header, JOURNAL_BYTES_MAX, MAGIC, Proof, READ_BYTES_FIXED,
    READ_BYTES_PER_BYTE, Security, SegmentProof, Verified, VerifyError, report, verify,
};
pub use zkvm_verifier::{Blake3Config, Config, Hash, Parameters, Poseidon2Config};
