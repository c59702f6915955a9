//! What a proof of an execution says, its bytes, and its verifier.
//!
//! The statement: the program of the caller's keys was executed from its initial memory on some
//! input, halted with an exit code, and wrote a journal. A proof of it is one proof about tables per
//! segment ([`zkvm_verifier`]), and further ones if the memory tables are too tall for the last:
//!
//! ```text
//!  segment 0 ── segment 1 ── … ── last segment     words …
//!      └────────────┴───── boundary tables ──┴───────┘   committed to first
//!                            │
//!                  shared challenges and seed            drawn once
//! ```
//!
//! The verifier draws the shared challenges from the boundary commitments, verifies every proof with
//! them, and checks that the pc and the journal run on from segment to segment, that only the last
//! one halts, and that what the boundary tables say to each other balances.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod decode;
mod messages;
mod proof;
mod security;
mod verify;

pub use messages::{SegmentEnd, between_messages, context, segment_messages};
pub use proof::{
    DecodeError, FORMAT, Header, MAGIC, Proof, READ_BYTES_FIXED, READ_BYTES_PER_BYTE, SegmentProof,
};
pub use security::{Security, report};
pub use verify::{
    ExecutionKeys, JOURNAL_BYTES_MAX, SEGMENTS_MAX, Verified, VerifyError, WORDS_PARTS_MAX, verify,
};
