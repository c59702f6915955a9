//! The fast backend: all threads, a vector of rows at a time.

use std::ops::Range;

use p3_field::{
    BasedVectorSpace, Field, PackedFieldExtension, PackedValue, PrimeCharacteristicRing,
    batch_multiplicative_inverse,
};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_maybe_rayon::prelude::*;
use zkvm_air::{F, Row, Scope};
use zkvm_verifier::logup::{DIMENSION, SCOPES, fractions, pairs, pairs_in};
use zkvm_verifier::{Challenge, Config};

use crate::backend::{Backend, LogupInputs, LogupTrace, Opened, QuotientInputs, Requests};
use crate::fingerprints::{Fingerprints, LANES, Packed, PackedChallenge};
use crate::open::open;
use crate::reference::{Reference, inverse_vanishing, running_sums, shares};

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
        let fingerprints = Fingerprints::new(inputs.description, inputs.challenges);
        let rows_per_task = (LANES * VECTORS_PER_TASK).min(height);
        let width = fractions(inputs.description) * DIMENSION;
        let mut columns = F::zero_vec(height * width);
        let mut row_sums = SCOPES.map(|scope| {
            let is_used = pairs_in(inputs.description, scope) > 0;
            Challenge::zero_vec(if is_used { height } else { 0 })
        });
        let [segment, execution] = &mut row_sums;
        let mut tasks: Vec<Task<'_>> = (0..height)
            .step_by(rows_per_task)
            .map(|first| Task {
                rows: first..first + rows_per_task,
                ..Task::default()
            })
            .collect();
        // A chip may have no column of fractions, or no sums between segments.
        let mut cells = columns.chunks_mut((rows_per_task * width).max(1));
        let mut segment = segment.chunks_mut(rows_per_task);
        let mut execution = execution.chunks_mut(rows_per_task);
        for task in &mut tasks {
            task.cells = cells.next().unwrap_or_default();
            task.sums = [&mut segment, &mut execution].map(|sums| sums.next().unwrap_or_default());
        }
        let is_filled = tasks
            .into_par_iter()
            .map_init(Scratch::default, |scratch, task| {
                fill_fractions(inputs, &fingerprints, scratch, task)
            })
            .all(|is_filled| is_filled);
        is_filled.then(|| running_sums(inputs, columns, row_sums))
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
        let stored = stored.as_flattened();
        let mut cells = F::zero_vec(size * DIMENSION);
        cells
            .par_chunks_mut(DIMENSION)
            .enumerate()
            .for_each(|(index, cells)| {
                let at = reverse_bits(index, bits);
                let value = stored[at];
                cells.copy_from_slice(value.as_basis_coefficients_slice());
            });
        RowMajorMatrix::new(cells, DIMENSION)
    }

    fn open<C: Config>(
        &self,
        config: &C,
        requests: Requests<'_, C>,
        challenger: &mut C::Challenger,
    ) -> Result<Opened<C>, String> {
        open(config, requests, challenger).map_err(|error| error.to_string())
    }
}

fn reverse_bits(index: usize, bits: u32) -> usize {
    index.reverse_bits() >> (usize::BITS - bits)
}

/// Buffers that a task keeps from one vector of rows to the next.
#[derive(Default)]
struct Scratch {
    main: Vec<Packed>,
    preprocessed: Vec<Packed>,
    registers: Vec<Packed>,
    values: Vec<Packed>,
    fingerprints: Vec<PackedChallenge>,
    numerators: Vec<PackedChallenge>,
    denominators: Vec<PackedChallenge>,
    products: Vec<PackedChallenge>,
}

/// The cells of column after column in the rows `slices`, one row per lane.
fn pack_columns(slices: &[&[F]; LANES], packed: &mut Vec<Packed>) {
    packed.clear();
    let width = slices[0].len();
    // Whole blocks of columns need no check of bounds for each cell.
    let blocks = slices.map(|slice| slice.as_chunks::<BLOCK>().0);
    for block in 0..width / BLOCK {
        let rows = blocks.map(|blocks| &blocks[block]);
        packed.extend((0..BLOCK).map(|column| Packed::from_fn(|lane| rows[lane][column])));
    }
    let rest = width / BLOCK * BLOCK..width;
    packed.extend(rest.map(|column| Packed::from_fn(|lane| slices[lane][column])));
}

/// Columns that are spread over lanes together.
const BLOCK: usize = 16;

/// Rows whose fractions are to be filled: their cells, and their sums by scope.
#[derive(Default)]
struct Task<'a> {
    rows: Range<usize>,
    cells: &'a mut [F],
    sums: [&'a mut [Challenge]; 2],
}

/// Fills fractions and their sums per row. False if a fingerprint is zero.
fn fill_fractions(
    inputs: &LogupInputs<'_>,
    fingerprints: &Fingerprints,
    scratch: &mut Scratch,
    task: Task<'_>,
) -> bool {
    let Task {
        rows,
        cells,
        mut sums,
    } = task;
    let description = inputs.description;
    let width = fractions(description) * DIMENSION;
    scratch.numerators.clear();
    scratch.denominators.clear();
    for vector in rows.step_by(LANES) {
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
        fingerprints.compute(values, &mut scratch.fingerprints);
        let computed = &scratch.fingerprints;
        for (first, second) in fingerprints.pairs().into_iter().flatten() {
            let (m_a, a) = (fingerprints.multiplicity(*first, values), computed[*first]);
            match *second {
                Some(second) => {
                    let (m_b, b) = (fingerprints.multiplicity(second, values), computed[second]);
                    scratch.numerators.push(b * m_a + a * m_b);
                    scratch.denominators.push(a * b);
                }
                None => {
                    scratch.numerators.push(PackedChallenge::from(m_a));
                    scratch.denominators.push(a);
                }
            }
        }
    }
    if !divide(scratch) {
        return false;
    }
    let per_row = pairs(description);
    let segment_pairs = pairs_in(description, Scope::Segment);
    for (vector, fractions) in scratch.numerators.chunks(per_row).enumerate() {
        let (segment, execution) = fractions.split_at(segment_pairs);
        // The last pair of each scope has no column.
        let columns = [segment, execution].map(|of| &of[..of.len().saturating_sub(1)]);
        let cells = &mut cells[vector * LANES * width..(vector + 1) * LANES * width];
        for (column, fraction) in columns.into_iter().flatten().enumerate() {
            let coefficients: &[Packed] = fraction.as_basis_coefficients_slice();
            for (index, lanes) in coefficients.iter().enumerate() {
                for (lane, cell) in lanes.as_slice().iter().enumerate() {
                    cells[lane * width + column * DIMENSION + index] = *cell;
                }
            }
        }
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

/// Constraints that are combined at a time.
const COMBINED: usize = 8;

/// What a quotient's rows have in common, spread over the lanes.
struct QuotientConstants {
    /// Powers of the challenge that combines constraints, the last constraint's first.
    alpha: PackedChallenge,
    /// For each of the chip's own constraints the coefficients of its power, in order; zeros after.
    powers: Vec<[[F; DIMENSION]; COMBINED]>,
    fingerprints: Fingerprints,
    shares: [Option<PackedChallenge>; 2],
}

impl QuotientConstants {
    fn new<M>(inputs: &QuotientInputs<'_, M>) -> Self {
        let description = inputs.description;
        let own = description.constraints.len();
        let all = own + pairs(description);
        let mut powers: Vec<Challenge> = inputs.alpha.powers().take(all).collect();
        // Constraints are combined as by Horner's rule: the first has the highest power.
        powers.reverse();
        powers.truncate(own);
        let powers = powers.chunks(COMBINED).map(|powers| {
            std::array::from_fn(|index| {
                let power = powers.get(index).copied().unwrap_or(Challenge::ZERO);
                std::array::from_fn(|k| power.as_basis_coefficients_slice()[k])
            })
        });
        let powers = powers.collect();
        QuotientConstants {
            alpha: inputs.alpha.into(),
            powers,
            fingerprints: Fingerprints::new(description, inputs.challenges),
            shares: shares(inputs).map(|share| Some(PackedChallenge::from(share?))),
        }
    }

    /// The chip's own constraints on the cells in `scratch`, combined. Base-field values times the
    /// coefficients of powers: a fifth of what products of challenges cost, and fewer reductions.
    fn combine_own<M>(
        &self,
        inputs: &QuotientInputs<'_, M>,
        scratch: &mut Scratch,
    ) -> PackedChallenge {
        let row = Row {
            main: scratch.main.as_slice(),
            preprocessed: &scratch.preprocessed,
            public: inputs.public,
        };
        let values = &mut scratch.values;
        values.clear();
        inputs
            .description
            .constraint_tape
            .run(row, &mut scratch.registers, |value| values.push(value));
        values.resize(values.len().next_multiple_of(COMBINED), Packed::ZERO);
        let mut coefficients = [Packed::ZERO; DIMENSION];
        let (blocks, _) = values.as_chunks::<COMBINED>();
        for (values, powers) in blocks.iter().zip(&self.powers) {
            for (k, coefficient) in coefficients.iter_mut().enumerate() {
                let powers = powers.map(|power| Packed::from(power[k]));
                *coefficient += Packed::dot_product(values, &powers);
            }
        }
        PackedChallenge::from_basis_coefficients_fn(|k| coefficients[k])
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
        let own = self.combine_own(inputs, scratch);
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
        self.fingerprints.compute(values, &mut scratch.fingerprints);
        let computed = &scratch.fingerprints;
        // The quotient domain is twice as dense as the trace's: the next row is two on.
        let next_rows = rows.map(|row| (row + 2) % size);
        match inputs.fractions {
            Some(matrix) => gather(matrix, rows, &mut scratch.main),
            None => scratch.main.clear(),
        }
        let mut fractions = scratch.main.chunks(DIMENSION).map(join);
        gather(inputs.running, rows, &mut scratch.preprocessed);
        gather(inputs.running, &next_rows, &mut scratch.registers);
        let this = scratch.preprocessed.chunks(DIMENSION);
        let steps = scratch.registers.chunks(DIMENSION).zip(this);
        let mut steps = steps.map(|(next, this)| join(next) - join(this));
        let mut combined = PackedChallenge::ZERO;
        for (pairs, share) in self.fingerprints.pairs().into_iter().zip(&self.shares) {
            let Some(share) = *share else { continue };
            // What the running sum grows by, and an even share, are all the fractions.
            let mut rest = steps.next().unwrap_or(PackedChallenge::ZERO) + share;
            for (index, (first, second)) in pairs.iter().enumerate() {
                let fraction = if index + 1 < pairs.len() {
                    fractions.next().unwrap_or(PackedChallenge::ZERO)
                } else {
                    rest
                };
                rest -= fraction;
                let a = computed[*first];
                let first = fraction * a - self.fingerprints.multiplicity(*first, values);
                let constraint = match *second {
                    Some(second) => {
                        let m_b = self.fingerprints.multiplicity(second, values);
                        first * computed[second] - a * m_b
                    }
                    None => first,
                };
                combined = combined * self.alpha + constraint;
            }
        }
        combined + own
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
