//! The fast backend: all threads, a vector of rows at a time.

use p3_field::{
    BasedVectorSpace, ExtensionField, Field, PackedFieldExtension, PackedValue,
    PrimeCharacteristicRing, batch_multiplicative_inverse,
};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_maybe_rayon::prelude::*;
use zkvm_air::{Description, F, Row, Scope};
use zkvm_verifier::Challenge;
use zkvm_verifier::logup::{Challenges, DIMENSION, MESSAGE_MAX, SCOPES, pairs, pairs_in};

use crate::backend::{Backend, LogupInputs, LogupTrace, QuotientInputs};
use crate::reference::{Reference, inverse_vanishing, running_sums, shares};

type Packed = <F as Field>::Packing;
type PackedChallenge = <Challenge as ExtensionField<F>>::ExtensionPacking;

/// Rows in a vector.
const LANES: usize = Packed::WIDTH;

/// Vectors of rows that one inversion serves.
const VECTORS_PER_TASK: usize = 16;

/// All threads, vectors of rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Cpu;

impl Backend for Cpu {
    fn logup(&self, inputs: &LogupInputs<'_>) -> Option<LogupTrace> {
        let height = inputs.main.height();
        if height < LANES {
            return Reference.logup(inputs);
        }
        let width = pairs(inputs.description) * DIMENSION;
        let packed = inputs.challenges.each_ref().map(PackedChallenges::new);
        let rows_per_task = (LANES * VECTORS_PER_TASK).min(height);
        let mut fractions = F::zero_vec(height * width);
        let mut row_sums = SCOPES.map(|scope| {
            let is_used = pairs_in(inputs.description, scope) > 0;
            Challenge::zero_vec(if is_used { height } else { 0 })
        });
        let [segment, execution] = &mut row_sums;
        let tasks = fractions
            .par_chunks_mut(rows_per_task * width)
            .zip(segment.par_chunks_mut(rows_per_task))
            .enumerate();
        let is_filled = if execution.is_empty() {
            tasks
                .map_init(Scratch::default, |scratch, (task, (cells, segment))| {
                    let first = task * rows_per_task;
                    fill_fractions(inputs, &packed, scratch, first, cells, [segment, &mut []])
                })
                .all(|is_filled| is_filled)
        } else {
            tasks
                .zip(execution.par_chunks_mut(rows_per_task))
                .map_init(
                    Scratch::default,
                    |scratch, ((task, (cells, segment)), execution)| {
                        let first = task * rows_per_task;
                        let sums = [segment, execution];
                        fill_fractions(inputs, &packed, scratch, first, cells, sums)
                    },
                )
                .all(|is_filled| is_filled)
        };
        is_filled.then(|| running_sums(inputs, fractions, row_sums))
    }

    fn quotient<M: Matrix<F>>(&self, inputs: &QuotientInputs<'_, M>) -> RowMajorMatrix<F> {
        let size = 2 * inputs.domain.size();
        if size < 2 * LANES {
            return Reference.quotient(inputs);
        }
        let bits = size.ilog2();
        let inverse_vanishing = inverse_vanishing(&inputs.domain);
        let constants = QuotientConstants::new(inputs);
        // Row `j` of storage is row `rev(j)` of the domain. Rows are taken as they are stored, so
        // that neighbours are read together; the first half holds the domain's even rows.
        let stored: Vec<[Challenge; LANES]> = (0..size / LANES)
            .into_par_iter()
            .map_init(Scratch::default, |scratch, vector| {
                let rows: [usize; LANES] =
                    std::array::from_fn(|lane| reverse_bits(vector * LANES + lane, bits));
                let combined = constants.combine(inputs, scratch, &rows, size);
                let scale = inverse_vanishing[rows[0] % 2];
                std::array::from_fn(|lane| {
                    PackedFieldExtension::<F, Challenge>::extract(&combined, lane) * scale
                })
            })
            .collect();
        let mut cells = F::zero_vec(size * DIMENSION);
        cells
            .par_chunks_mut(DIMENSION)
            .enumerate()
            .for_each(|(index, cells)| {
                let at = reverse_bits(index, bits);
                let value = stored[at / LANES][at % LANES];
                cells.copy_from_slice(value.as_basis_coefficients_slice());
            });
        RowMajorMatrix::new(cells, DIMENSION)
    }
}

fn reverse_bits(index: usize, bits: u32) -> usize {
    index.reverse_bits() >> (usize::BITS - bits)
}

/// Challenges, spread over the lanes.
struct PackedChallenges {
    alpha: Challenge,
    powers: [PackedChallenge; MESSAGE_MAX],
}

impl PackedChallenges {
    fn new(challenges: &Challenges) -> Self {
        PackedChallenges {
            alpha: challenges.alpha,
            powers: challenges.powers.map(PackedChallenge::from),
        }
    }

    fn fingerprint(&self, bus: zkvm_air::Bus, values: &[Packed]) -> PackedChallenge {
        let start = PackedChallenge::from(self.alpha + F::from_u8(bus as u8));
        values
            .iter()
            .zip(&self.powers)
            .fold(start, |sum, (value, power)| sum + *power * *value)
    }
}

/// Buffers that a task keeps from one vector of rows to the next.
#[derive(Default)]
struct Scratch {
    main: Vec<Packed>,
    preprocessed: Vec<Packed>,
    registers: Vec<Packed>,
    values: Vec<Packed>,
    numerators: Vec<PackedChallenge>,
    denominators: Vec<PackedChallenge>,
    products: Vec<PackedChallenge>,
}

/// Hands the `(multiplicity, fingerprint)` pairs of `scope` in a vector of rows to `sink`.
fn for_each_packed_pair(
    description: &Description,
    scope: Scope,
    challenges: &PackedChallenges,
    values: &[Packed],
    mut sink: impl FnMut((Packed, PackedChallenge), Option<(Packed, PackedChallenge)>),
) {
    let mut rest = values;
    let mut first: Option<(Packed, PackedChallenge)> = None;
    for interaction in &description.interactions {
        let (own, others) = rest.split_at(1 + interaction.values.len());
        rest = others;
        if interaction.bus.scope() != scope {
            continue;
        }
        let fraction = (own[0], challenges.fingerprint(interaction.bus, &own[1..]));
        match first.take() {
            None => first = Some(fraction),
            Some(first) => sink(first, Some(fraction)),
        }
    }
    if let Some(first) = first {
        sink(first, None);
    }
}

/// The cells of column after column in the rows `slices`, one row per lane.
fn pack_columns(slices: &[&[F]; LANES], packed: &mut Vec<Packed>) {
    packed.clear();
    let width = slices[0].len();
    packed.extend((0..width).map(|column| Packed::from_fn(|lane| slices[lane][column])));
}

/// Fills the fractions of the rows from `first` and their sums per row. False if a fingerprint is
/// zero.
fn fill_fractions(
    inputs: &LogupInputs<'_>,
    challenges: &[PackedChallenges; 2],
    scratch: &mut Scratch,
    first: usize,
    cells: &mut [F],
    mut sums: [&mut [Challenge]; 2],
) -> bool {
    let description = inputs.description;
    let width = pairs(description) * DIMENSION;
    let rows = cells.len() / width;
    scratch.numerators.clear();
    scratch.denominators.clear();
    for vector in (first..first + rows).step_by(LANES) {
        pack_rows(inputs.main, vector, &mut scratch.main);
        match inputs.preprocessed {
            Some(rows) => pack_rows(rows, vector, &mut scratch.preprocessed),
            None => scratch.preprocessed.clear(),
        }
        let row = Row {
            main: scratch.main.as_slice(),
            preprocessed: &scratch.preprocessed,
            public: inputs.public,
        };
        let values = &mut scratch.values;
        values.clear();
        description
            .interaction_tape
            .run(row, &mut scratch.registers, |value| values.push(value));
        for (scope, challenges) in SCOPES.into_iter().zip(challenges) {
            let (numerators, denominators) = (&mut scratch.numerators, &mut scratch.denominators);
            for_each_packed_pair(
                description,
                scope,
                challenges,
                values,
                |(m_a, a), second| match second {
                    Some((m_b, b)) => {
                        numerators.push(b * m_a + a * m_b);
                        denominators.push(a * b);
                    }
                    None => {
                        numerators.push(PackedChallenge::from(m_a));
                        denominators.push(a);
                    }
                },
            );
        }
    }
    if !divide(scratch) {
        return false;
    }
    let per_row = pairs(description);
    let segment_pairs = pairs_in(description, Scope::Segment);
    for (vector, fractions) in scratch.numerators.chunks(per_row).enumerate() {
        let cells = &mut cells[vector * LANES * width..(vector + 1) * LANES * width];
        for (pair, fraction) in fractions.iter().enumerate() {
            let coefficients: &[Packed] = fraction.as_basis_coefficients_slice();
            for (index, lanes) in coefficients.iter().enumerate() {
                for (lane, cell) in lanes.as_slice().iter().enumerate() {
                    cells[lane * width + pair * DIMENSION + index] = *cell;
                }
            }
        }
        let (segment, execution) = fractions.split_at(segment_pairs);
        for (fractions, sums) in [segment, execution].into_iter().zip(&mut sums) {
            if !fractions.is_empty() {
                let total: PackedChallenge = fractions.iter().copied().sum();
                let sums = &mut sums[vector * LANES..(vector + 1) * LANES];
                PackedFieldExtension::<F, Challenge>::to_ext_slice(&total, sums);
            }
        }
    }
    true
}

/// The cells of `LANES` rows of a matrix from `first`, one row per lane.
fn pack_rows(matrix: &RowMajorMatrix<F>, first: usize, packed: &mut Vec<Packed>) {
    let width = matrix.width();
    let slices = std::array::from_fn(|lane| {
        &matrix.values[(first + lane) * width..(first + lane + 1) * width]
    });
    pack_columns(&slices, packed);
}

/// Divides every numerator by its denominator, in place, with one inversion (Montgomery's trick).
/// False if a denominator is zero.
fn divide(scratch: &mut Scratch) -> bool {
    let Scratch {
        numerators,
        denominators,
        products,
        ..
    } = scratch;
    products.clear();
    let mut product = PackedChallenge::ONE;
    for denominator in denominators.iter() {
        products.push(product);
        product *= *denominator;
    }
    let mut lanes = [Challenge::ZERO; LANES];
    PackedFieldExtension::<F, Challenge>::to_ext_slice(&product, &mut lanes);
    if lanes.iter().any(|lane| lane.is_zero()) {
        return false;
    }
    let inverses = batch_multiplicative_inverse(&lanes);
    let mut inverse =
        <PackedChallenge as PackedFieldExtension<F, Challenge>>::from_ext_slice(&inverses);
    let columns = numerators
        .iter_mut()
        .zip(denominators.iter())
        .zip(products.iter());
    for ((numerator, denominator), product) in columns.rev() {
        *numerator *= inverse * *product;
        inverse *= *denominator;
    }
    true
}

/// Challenges of a quotient, spread over the lanes.
struct QuotientConstants {
    alpha: PackedChallenge,
    challenges: [PackedChallenges; 2],
    shares: [Option<PackedChallenge>; 2],
}

impl QuotientConstants {
    fn new<M>(inputs: &QuotientInputs<'_, M>) -> Self {
        QuotientConstants {
            alpha: inputs.alpha.into(),
            challenges: inputs.challenges.each_ref().map(PackedChallenges::new),
            shares: shares(inputs).map(|share| Some(PackedChallenge::from(share?))),
        }
    }

    /// The combined constraints in `rows` of the quotient domain, one per lane.
    fn combine<M: Matrix<F>>(
        &self,
        inputs: &QuotientInputs<'_, M>,
        scratch: &mut Scratch,
        rows: &[usize; LANES],
        size: usize,
    ) -> PackedChallenge {
        let description = inputs.description;
        gather(inputs.main, rows, &mut scratch.main);
        match inputs.preprocessed {
            Some(matrix) => gather(matrix, rows, &mut scratch.preprocessed),
            None => scratch.preprocessed.clear(),
        }
        let row = Row {
            main: scratch.main.as_slice(),
            preprocessed: &scratch.preprocessed,
            public: inputs.public,
        };
        let mut combined = PackedChallenge::ZERO;
        description
            .constraint_tape
            .run(row, &mut scratch.registers, |value: Packed| {
                combined = combined * self.alpha + value;
            });
        let values = &mut scratch.values;
        values.clear();
        description
            .interaction_tape
            .run(row, &mut scratch.registers, |value| values.push(value));
        // The quotient domain is twice as dense as the trace's: the next row is two on.
        let next_rows = rows.map(|row| (row + 2) % size);
        gather(inputs.fractions, rows, &mut scratch.main);
        let mut fractions = scratch.main.chunks(DIMENSION).map(join);
        gather(inputs.running, rows, &mut scratch.preprocessed);
        gather(inputs.running, &next_rows, &mut scratch.registers);
        let steps = scratch
            .registers
            .chunks(DIMENSION)
            .zip(scratch.preprocessed.chunks(DIMENSION));
        let mut steps = steps.map(|(next, this)| join(next) - join(this));
        let parts = SCOPES.into_iter().zip(&self.challenges).zip(&self.shares);
        for ((scope, challenges), share) in parts {
            let Some(share) = *share else { continue };
            let mut total = PackedChallenge::ZERO;
            for_each_packed_pair(
                description,
                scope,
                challenges,
                values,
                |(m_a, a), second| {
                    let fraction = fractions.next().unwrap_or(PackedChallenge::ZERO);
                    total += fraction;
                    let constraint = match second {
                        Some((m_b, b)) => fraction * a * b - b * m_a - a * m_b,
                        None => fraction * a - m_a,
                    };
                    combined = combined * self.alpha + constraint;
                },
            );
            let step = steps.next().unwrap_or(PackedChallenge::ZERO);
            combined = combined * self.alpha + (step - (total - share));
        }
        combined
    }
}

/// The cells of `rows` of a matrix, one row per lane.
fn gather<M: Matrix<F>>(matrix: &M, rows: &[usize; LANES], packed: &mut Vec<Packed>) {
    let slices = rows.map(|row| {
        matrix
            .row_slice(row)
            .expect("the rows are those of the quotient domain")
    });
    let slices = std::array::from_fn(|lane| &*slices[lane]);
    pack_columns(&slices, packed);
}

/// The challenge-field value of its base-field cells.
fn join(cells: &[Packed]) -> PackedChallenge {
    PackedChallenge::from_basis_coefficients_fn(|index| cells[index])
}
