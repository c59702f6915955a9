//! What must hold for every input, however broken: the oracles behind the fuzz targets.
//!
//! | oracle | input | claims |
//! |---|---|---|
//! | [`check_load`] | a file | loading never panics; a program keeps its invariants; it executes |
//! | [`check_execute`] | a [`Guest`] in bytes | limits hold, costs add up, segments replay |
//! | [`check_decode`] | a word | decoding, encoding and expanding agree |
//! | [`check_proof`] | a proof file | reading and verifying take bounded memory; only the honest proof verifies |
//!
//! An oracle returns [`Violation`] for a claim that fails and lets panics pass: both are findings.
//! The same oracles run under libFuzzer (`tests/fuzz`) and, without it, in this crate's tests.
//! Host memory is counted by [`allocation`], whose allocator every user of this crate gets.

pub mod allocation;
mod decode;
mod guest;
mod load;
mod proof;
mod run;
mod segments;

use std::error::Error;
use std::fmt;

pub use decode::check_decode;
pub use guest::{Guest, GuestSource, SYSTEM_CALLS};
pub use load::{TEXT_SPAN_FUZZED_BYTES_MAX, check_load, load_bytes_max, text_span_bytes};
pub use proof::{
    HonestProof, ProofOutcome, check_proof, edited, honest_proof, hostile_proofs, proof_bytes_max,
    reading_bytes_max, sealed,
};
pub use run::{Run, check_execute, check_execution, check_run, run_bytes_max};
pub use segments::{Cut, CutPlan, check_cut, check_segments, cut};

/// A claim that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation(pub String);

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for Violation {}

/// Returns a [`Violation`] with the formatted message if the claim does not hold.
macro_rules! claim {
    ($holds:expr, $($message:tt)+) => {
        if !$holds {
            return Err($crate::Violation(format!($($message)+)));
        }
    };
}
pub(crate) use claim;
