//! Who runs the big loops.
//!
//! A backend computes a chip's LogUp columns and its quotient; it never sees the transcript.
//! [`Reference`] is the definition: straight loops over rows, one thread, scalars. Every other
//! backend gives the same cells, so proofs are equal byte for byte.

use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::{Description, F};
use zkvm_verifier::logup::Challenges;
use zkvm_verifier::{Challenge, Domain};

use crate::Trace;

/// A chip's LogUp columns, flattened to the base field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogupTrace {
    /// One challenge-field column per pair of interactions but the last: the segment's, then the
    /// execution's; nothing if there are none.
    pub fractions: Option<RowMajorMatrix<F>>,
    /// The running sums, beginning at 0: the segment's and, if the chip has any, the execution's.
    pub running: RowMajorMatrix<F>,
    /// The sums over all rows, in the same order.
    pub sums: [Option<Challenge>; 2],
}

/// What a chip's LogUp columns are computed from.
#[derive(Clone, Copy, Debug)]
pub struct LogupInputs<'a> {
    /// The chip.
    pub description: &'a Description,
    /// Its trace.
    pub main: &'a Trace,
    /// Its preprocessed rows, if it has any.
    pub preprocessed: Option<&'a RowMajorMatrix<F>>,
    /// The public values.
    pub public: &'a [F],
    /// The challenges of the segment's buses and of the execution's.
    pub challenges: &'a [Challenges; 2],
}

/// What the quotient of one chip is computed from: matrices on the quotient domain, in its order.
#[derive(Debug)]
pub struct QuotientInputs<'a, M> {
    /// The chip.
    pub description: &'a Description,
    /// The trace domain.
    pub domain: Domain,
    /// Main columns.
    pub main: &'a M,
    /// Preprocessed columns, if the chip has any.
    pub preprocessed: Option<&'a M>,
    /// LogUp fractions, if the chip has columns of them.
    pub fractions: Option<&'a M>,
    /// LogUp running sums.
    pub running: &'a M,
    /// The public values.
    pub public: &'a [F],
    /// The sums of the LogUp fractions.
    pub sums: [Option<Challenge>; 2],
    /// The challenges of the segment's buses and of the execution's.
    pub challenges: &'a [Challenges; 2],
    /// The challenge that combines constraints.
    pub alpha: Challenge,
}

/// Runs the big loops of proving.
pub trait Backend {
    /// Computes a chip's LogUp columns. `None` if a fingerprint is zero, which a fresh proof with
    /// other challenges would not meet again.
    fn logup(&self, inputs: &LogupInputs<'_>) -> Option<LogupTrace>;

    /// Evaluates the quotient on the domain of twice the trace's height: all constraints combined,
    /// divided by the vanishing polynomial.
    ///
    /// The constraints and their order are those of the verifier: the chip's own; then, for the
    /// segment's buses and for the execution's, one per pair of interactions.
    /// Shapes: the result is `2 · height` rows of five base-field cells.
    fn quotient<M: Matrix<F>>(&self, inputs: &QuotientInputs<'_, M>) -> RowMajorMatrix<F>;
}
