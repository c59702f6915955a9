//! The quotient: all constraints of a chip combined, divided by the vanishing polynomial.
//!
//! Evaluated on the coset of twice the trace's height on which the traces are committed. The
//! constraints and their order are those of the verifier: the chip's own, one per pair of
//! interactions, the running sum.

use p3_commit::PolynomialSpace;
use p3_field::{
    BasedVectorSpace, ExtensionField, Field, PackedFieldExtension, PackedValue,
    PrimeCharacteristicRing, TwoAdicField, batch_multiplicative_inverse,
};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_maybe_rayon::prelude::*;
use zkvm_air::{Description, F};
use zkvm_verifier::logup::{Challenges, DIMENSION, MESSAGE_MAX};
use zkvm_verifier::{Challenge, Domain};

type Packed = <F as Field>::Packing;
type PackedChallenge = <Challenge as ExtensionField<F>>::ExtensionPacking;

/// What the quotient of one chip is computed from: matrices on the quotient domain, in its order.
pub(crate) struct QuotientInputs<'a, M> {
    pub(crate) description: &'a Description,
    /// The trace domain.
    pub(crate) domain: Domain,
    pub(crate) main: &'a M,
    pub(crate) preprocessed: Option<&'a M>,
    pub(crate) fractions: &'a M,
    pub(crate) running: &'a M,
    pub(crate) sum: Challenge,
    pub(crate) challenges: &'a Challenges,
    /// The challenge that combines constraints.
    pub(crate) alpha: Challenge,
}

/// Evaluates the quotient on the domain of twice the trace's height.
///
/// Shapes: the result is `2 · height` rows of [`DIMENSION`] base-field cells.
pub(crate) fn quotient_values<M: Matrix<F>>(inputs: &QuotientInputs<'_, M>) -> RowMajorMatrix<F> {
    let size = 2 * inputs.domain.size();
    let lanes = Packed::WIDTH;
    let inverse_vanishing = inverse_vanishing(&inputs.domain);
    let constants = Constants::new(inputs);
    let mut cells = vec![F::ZERO; size * DIMENSION];
    cells
        .par_chunks_mut(lanes * DIMENSION)
        .enumerate()
        .for_each_init(Scratch::default, |scratch, (index, cells)| {
            let first = index * lanes;
            let combined = constants.combine(inputs, scratch, first, size);
            for (lane, cell) in cells.chunks_mut(DIMENSION).enumerate() {
                let value = PackedFieldExtension::<F, Challenge>::extract(&combined, lane)
                    * inverse_vanishing[(first + lane) % 2];
                cell.copy_from_slice(value.as_basis_coefficients_slice());
            }
        });
    RowMajorMatrix::new(cells, DIMENSION)
}

/// `1 / Z_H` on the quotient domain: it takes two values, in turn.
fn inverse_vanishing(domain: &Domain) -> [F; 2] {
    let quotient_domain = domain.create_disjoint_domain(2 * domain.size());
    let first = quotient_domain.first_point();
    let generator = F::two_adic_generator(domain.size().ilog2() as usize + 1);
    let values = [first, first * generator].map(|x| domain.vanishing_poly_at_point(x));
    let inverses = batch_multiplicative_inverse(&values);
    [inverses[0], inverses[1]]
}

/// Challenges, spread over the lanes.
struct Constants {
    alpha: PackedChallenge,
    powers: [PackedChallenge; MESSAGE_MAX],
    /// The sum divided by the height.
    share: PackedChallenge,
}

/// Buffers that a task keeps from one group of rows to the next.
#[derive(Default)]
struct Scratch {
    main: Vec<Packed>,
    preprocessed: Vec<Packed>,
    registers: Vec<Packed>,
    values: Vec<Packed>,
}

impl Constants {
    fn new<M>(inputs: &QuotientInputs<'_, M>) -> Self {
        let height_inverse = F::from_usize(inputs.domain.size()).inverse();
        Constants {
            alpha: inputs.alpha.into(),
            powers: std::array::from_fn(|index| inputs.challenges.power(index).into()),
            share: (inputs.sum * height_inverse).into(),
        }
    }

    /// The combined constraints in the rows from `first`, one per lane.
    fn combine<M: Matrix<F>>(
        &self,
        inputs: &QuotientInputs<'_, M>,
        scratch: &mut Scratch,
        first: usize,
        size: usize,
    ) -> PackedChallenge {
        let Scratch {
            main,
            preprocessed,
            registers,
            values,
        } = scratch;
        let description = inputs.description;
        main.clear();
        main.extend(inputs.main.vertically_packed_row::<Packed>(first));
        preprocessed.clear();
        if let Some(matrix) = inputs.preprocessed {
            preprocessed.extend(matrix.vertically_packed_row::<Packed>(first));
        }
        let mut combined = PackedChallenge::ZERO;
        description
            .constraint_tape
            .run(main, preprocessed, registers, |value: Packed| {
                combined = combined * self.alpha + value;
            });
        values.clear();
        description
            .interaction_tape
            .run(main, preprocessed, registers, |value: Packed| {
                values.push(value)
            });
        let fractions: Vec<Packed> = inputs
            .fractions
            .vertically_packed_row::<Packed>(first)
            .collect();
        let mut total = PackedChallenge::ZERO;
        let mut rest = values.as_slice();
        let mut pending: Option<(Packed, PackedChallenge)> = None;
        let mut fractions = fractions.chunks(DIMENSION).map(join);
        for (index, interaction) in description.interactions.iter().enumerate() {
            let (own, others) = rest.split_at(1 + interaction.values.len());
            rest = others;
            let mut fingerprint = PackedChallenge::from(inputs.challenges.bus(interaction.bus));
            for (value, power) in own[1..].iter().zip(&self.powers) {
                fingerprint += *power * *value;
            }
            let is_last = index + 1 == description.interactions.len();
            let constraint = match pending.take() {
                None if !is_last => {
                    pending = Some((own[0], fingerprint));
                    continue;
                }
                None => {
                    let fraction = fractions.next().unwrap_or(PackedChallenge::ZERO);
                    total += fraction;
                    fraction * fingerprint - own[0]
                }
                Some((m_a, a)) => {
                    let fraction = fractions.next().unwrap_or(PackedChallenge::ZERO);
                    total += fraction;
                    fraction * a * fingerprint - fingerprint * m_a - a * own[0]
                }
            };
            combined = combined * self.alpha + constraint;
        }
        // The quotient domain is twice as dense as the trace's: the next row is two on.
        let running = running_at(inputs.running, first);
        let running_next = running_at(inputs.running, (first + 2) % size);
        combined * self.alpha + (running_next - running - total + self.share)
    }
}

fn running_at<M: Matrix<F>>(running: &M, first: usize) -> PackedChallenge {
    let cells: Vec<Packed> = running.vertically_packed_row::<Packed>(first).collect();
    join(&cells)
}

/// The challenge-field value of its base-field cells.
fn join(cells: &[Packed]) -> PackedChallenge {
    PackedChallenge::from_basis_coefficients_fn(|index| cells[index])
}
