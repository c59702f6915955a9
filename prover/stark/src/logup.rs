//! The columns that the LogUp argument adds; see [`zkvm_verifier::logup`].

use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, batch_multiplicative_inverse};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_maybe_rayon::prelude::*;
use zkvm_air::{Description, F};
use zkvm_verifier::Challenge;
use zkvm_verifier::logup::{Challenges, DIMENSION, for_each_pair, pairs};

use crate::Trace;

/// A chip's LogUp columns, flattened to the base field.
pub(crate) struct LogupTrace {
    /// One challenge-field column per pair of interactions.
    pub(crate) fractions: RowMajorMatrix<F>,
    /// The running sum, beginning at 0.
    pub(crate) running: RowMajorMatrix<F>,
    /// The sum over all rows.
    pub(crate) sum: Challenge,
}

/// Rows worked on at a time, so that one inversion serves many.
const ROWS_PER_TASK: usize = 1 << 10;

/// Computes the LogUp columns of `main`. `None` if a fingerprint is zero, which a fresh proof with
/// other challenges would not meet again.
pub(crate) fn logup_trace(
    description: &Description,
    main: &Trace,
    preprocessed: Option<&RowMajorMatrix<F>>,
    challenges: &Challenges,
) -> Option<LogupTrace> {
    let height = main.height();
    let count = pairs(description);
    let mut fractions = vec![F::ZERO; height * count * DIMENSION];
    let parts: Vec<Option<Vec<Challenge>>> = fractions
        .par_chunks_mut(ROWS_PER_TASK * count * DIMENSION)
        .enumerate()
        .map(|(task, cells)| {
            let first = task * ROWS_PER_TASK;
            let rows = first..(first + ROWS_PER_TASK).min(height);
            fill_rows(description, main, preprocessed, challenges, rows, cells)
        })
        .collect();
    let mut running = Vec::with_capacity(height * DIMENSION);
    let mut row_sums = Vec::with_capacity(height);
    for part in parts {
        row_sums.extend(part?);
    }
    let sum: Challenge = row_sums.iter().copied().sum();
    let height_inverse = F::from_usize(height).inverse();
    let share = sum * height_inverse;
    let mut phi = Challenge::ZERO;
    for row_sum in row_sums {
        running.extend_from_slice(phi.as_basis_coefficients_slice());
        phi += row_sum - share;
    }
    Some(LogupTrace {
        fractions: RowMajorMatrix::new(fractions, count * DIMENSION),
        running: RowMajorMatrix::new(running, DIMENSION),
        sum,
    })
}

/// Fills `cells` with the fractions of `rows` and returns each row's sum.
fn fill_rows(
    description: &Description,
    main: &Trace,
    preprocessed: Option<&RowMajorMatrix<F>>,
    challenges: &Challenges,
    rows: std::ops::Range<usize>,
    cells: &mut [F],
) -> Option<Vec<Challenge>> {
    let mut registers = Vec::new();
    let mut values = Vec::with_capacity(description.interaction_tape.outputs);
    let mut numerators = Vec::new();
    let mut denominators = Vec::new();
    for row in rows {
        let main = main.row_slice(row)?;
        let preprocessed = match preprocessed {
            Some(rows) => &*rows.row_slice(row)?,
            None => &[],
        };
        values.clear();
        let tape = &description.interaction_tape;
        tape.run(&main, preprocessed, &mut registers, |value: F| {
            values.push(value)
        });
        for_each_pair(
            description,
            challenges,
            &values,
            |(m_a, a), second| match second {
                Some((m_b, b)) => {
                    numerators.push(b * m_a + a * m_b);
                    denominators.push(a * b);
                }
                None => {
                    numerators.push(Challenge::from(m_a));
                    denominators.push(a);
                }
            },
        );
    }
    if denominators.iter().any(|denominator| denominator.is_zero()) {
        return None;
    }
    let inverses = batch_multiplicative_inverse(&denominators);
    let fractions: Vec<Challenge> = numerators
        .iter()
        .zip(inverses)
        .map(|(numerator, inverse)| *numerator * inverse)
        .collect();
    for (cell, fraction) in cells.chunks_mut(DIMENSION).zip(&fractions) {
        cell.copy_from_slice(fraction.as_basis_coefficients_slice());
    }
    let count = pairs(description);
    Some(
        fractions
            .chunks(count)
            .map(|row| row.iter().copied().sum())
            .collect(),
    )
}
