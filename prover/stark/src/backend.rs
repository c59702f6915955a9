//! Who runs the big loops.
//!
//! A backend computes a chip's LogUp columns and its quotient, and opens commitments, which the
//! commitment scheme does with a transcript of its own. [`Reference`](crate::Reference) is the
//! definition: straight loops over rows, one thread, scalars, and the scheme's own opening. Every
//! other backend gives the same cells, so proofs are equal byte for byte, as far as grinding finds the
//! same witnesses: on several threads it takes any.

use p3_commit::{OpenedValues, OpeningRequest, Pcs};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::{Description, F};
use zkvm_verifier::logup::Challenges;
use zkvm_verifier::{Challenge, Config, Domain, PcsProof};

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

    /// Opens commitments at the points that `requests` name, and proves the openings. The challenger
    /// goes on as the commitment scheme's own opening leaves it.
    ///
    /// # Errors
    /// What the commitment scheme says.
    fn open<C: Config>(
        &self,
        config: &C,
        requests: Requests<'_, C>,
        challenger: &mut C::Challenger,
    ) -> Result<Opened<C>, String>;
}

/// What is to be opened: per commitment its data, and the points for each of its matrices.
pub type Requests<'a, C> = Vec<
    OpeningRequest<
        'a,
        <<C as Config>::Pcs as Pcs<Challenge, <C as Config>::Challenger>>::ProverData,
        Challenge,
    >,
>;

/// Opened values by commitment, matrix and point, and their proof.
pub type Opened<C> = (OpenedValues<Challenge>, PcsProof<C>);
