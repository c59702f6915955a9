//! Proves that tables satisfy their chips' constraints and balance on the buses.
//!
//! The counterpart of `zkvm-verifier`, whose transcript, LogUp layout and proof types it uses. It
//! knows nothing of RISC-V and draws no challenge but from the shared transcript.

#![forbid(unsafe_code)]

mod backend;
mod cpu;
mod extend;
mod fingerprints;
mod key;
mod open;
mod prove;
mod reference;

pub use backend::{Backend, LogupInputs, LogupTrace, Opened, QuotientInputs, Requests};
pub use cpu::Cpu;
pub use key::{ProvingKey, Setup, setup};
pub use prove::{ProveError, commit_boundary, prove};
pub use reference::Reference;

use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::F;

/// A chip's main trace: `height` rows, a power of two, of as many cells as the chip has columns.
pub type Trace = RowMajorMatrix<F>;
