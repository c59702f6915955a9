//! Proves that a program was executed, halted with an exit code and wrote a journal.
//!
//! ```text
//!  Program ──keys──▶ Keys          execute ─▶ fill ─▶ prove ─▶ Proof ──verify──▶ Journal, exit code
//! ```
//!
//! The verifier's side takes the program (or the keys made of it) from the caller, never from the
//! proof. Executions of one segment only, and only of instructions that have chips; see
//! [`ProveError::Unprovable`].

#![forbid(unsafe_code)]

mod keys;
mod proof;
mod prove;
mod verify;

pub use keys::{Keys, KeysError};
pub use proof::{DecodeError, Proof};
pub use prove::{ProveError, prove};
pub use verify::{JOURNAL_BYTES_MAX, Verified, VerifyError, verify};
pub use zkvm_verifier::Parameters;
