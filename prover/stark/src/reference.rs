//! The reference backend: the definition, row by row.

use p3_commit::{Pcs, PolynomialSpace};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, TwoAdicField};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::{F, Row};
use zkvm_verifier::logup::{DIMENSION, SCOPES, for_each_pair, fractions, pairs_in};
use zkvm_verifier::{Challenge, Config, Domain};

use crate::backend::{Backend, LogupInputs, LogupTrace, Opened, QuotientInputs, Requests};

/// Straight loops over rows, one thread, scalars.
#[derive(Clone, Copy, Debug, Default)]
pub struct Reference;

impl Backend for Reference {
    fn logup(&self, inputs: &LogupInputs<'_>) -> Option<LogupTrace> {
        let height = inputs.main.height();
        let mut columns = Vec::with_capacity(height * fractions(inputs.description) * DIMENSION);
        let mut row_sums: [Vec<Challenge>; 2] = Default::default();
        let mut registers = Vec::new();
        let mut values = Vec::new();
        for index in 0..height {
            let main = inputs.main.row_slice(index)?;
            let preprocessed = match inputs.preprocessed {
                Some(rows) => &*rows.row_slice(index)?,
                None => &[],
            };
            let row = Row {
                main: &main,
                preprocessed,
                public: inputs.public,
            };
            values.clear();
            let tape = &inputs.description.interaction_tape;
            tape.run(row, &mut registers, |value: F| values.push(value));
            for ((scope, challenges), sums) in
                SCOPES.into_iter().zip(inputs.challenges).zip(&mut row_sums)
            {
                let mut sum = Some(Challenge::ZERO);
                let mut pairs_left = pairs_in(inputs.description, scope);
                let sink = |(m_a, a): (F, Challenge), second: Option<(F, Challenge)>| {
                    let (m_b, b) = second.unwrap_or((F::ZERO, Challenge::ONE));
                    let fraction = (a * b).try_inverse().map(|i| (b * m_a + a * m_b) * i);
                    // The last pair's is no column.
                    pairs_left -= 1;
                    if let Some(fraction) = fraction
                        && pairs_left > 0
                    {
                        columns.extend_from_slice(fraction.as_basis_coefficients_slice());
                    }
                    sum = sum.zip(fraction).map(|(sum, fraction)| sum + fraction);
                };
                for_each_pair(inputs.description, scope, challenges, &values, sink);
                sums.push(sum?);
            }
        }
        Some(running_sums(inputs, columns, row_sums))
    }

    fn quotient<M: Matrix<F>>(&self, inputs: &QuotientInputs<'_, M>) -> RowMajorMatrix<F> {
        let size = 2 * inputs.domain.size();
        let inverse_vanishing = inverse_vanishing(&inputs.domain);
        let shares = shares(inputs);
        let mut cells = Vec::with_capacity(size * DIMENSION);
        for index in 0..size {
            let value = combine(inputs, &shares, index, size) * inverse_vanishing[index % 2];
            cells.extend_from_slice(value.as_basis_coefficients_slice());
        }
        RowMajorMatrix::new(cells, DIMENSION)
    }

    fn open<C: Config>(
        &self,
        config: &C,
        requests: Requests<'_, C>,
        challenger: &mut C::Challenger,
    ) -> Result<Opened<C>, String> {
        let opened = config.pcs().open(requests, challenger);
        opened.map_err(|error| format!("{error:?}"))
    }
}

/// The combined constraints in one row of the quotient domain.
pub(crate) fn combine<M: Matrix<F>>(
    inputs: &QuotientInputs<'_, M>,
    shares: &[Option<Challenge>; 2],
    index: usize,
    size: usize,
) -> Challenge {
    let cells =
        |matrix: &M, index: usize| -> Vec<F> { matrix.row(index).into_iter().flatten().collect() };
    let main = cells(inputs.main, index);
    let preprocessed = inputs.preprocessed.map(|rows| cells(rows, index));
    let row = Row {
        main: main.as_slice(),
        preprocessed: preprocessed.as_deref().unwrap_or_default(),
        public: inputs.public,
    };
    let mut combined = Challenge::ZERO;
    let mut add = |constraint: Challenge| combined = combined * inputs.alpha + constraint;
    let mut registers = Vec::new();
    let description = inputs.description;
    description
        .constraint_tape
        .run(row, &mut registers, |value: F| add(value.into()));
    let mut values = Vec::with_capacity(description.interaction_tape.outputs);
    let push = |value: F| values.push(value);
    description.interaction_tape.run(row, &mut registers, push);
    let columns = |matrix: &M, index: usize| -> Vec<Challenge> {
        let cells = cells(matrix, index);
        let join = |cells: &[F]| Challenge::from_basis_coefficients_fn(|index| cells[index]);
        cells.chunks(DIMENSION).map(join).collect()
    };
    let fractions = inputs.fractions.map(|matrix| columns(matrix, index));
    let running = columns(inputs.running, index);
    // The quotient domain is twice as dense as the trace's: the next row is two on.
    let running_next = columns(inputs.running, (index + 2) % size);
    let mut fractions = fractions.iter().flatten().copied();
    let steps = running_next.iter().zip(&running);
    let mut steps = steps.map(|(next, this)| *next - *this);
    for ((scope, challenges), share) in SCOPES.into_iter().zip(inputs.challenges).zip(shares) {
        let Some(share) = *share else { continue };
        let mut rest = steps.next().unwrap_or(Challenge::ZERO) + share;
        let mut pairs_left = pairs_in(description, scope);
        for_each_pair(
            description,
            scope,
            challenges,
            &values,
            |(m_a, a), second| {
                pairs_left -= 1;
                let fraction = if pairs_left > 0 {
                    fractions.next().unwrap_or(Challenge::ZERO)
                } else {
                    rest
                };
                rest -= fraction;
                add(match second {
                    Some((m_b, b)) => fraction * a * b - b * m_a - a * m_b,
                    None => fraction * a - m_a,
                });
            },
        );
    }
    combined
}

/// Each sum divided by the height.
pub(crate) fn shares<M>(inputs: &QuotientInputs<'_, M>) -> [Option<Challenge>; 2] {
    let height_inverse = F::from_usize(inputs.domain.size()).inverse();
    inputs.sums.map(|sum| Some(sum? * height_inverse))
}

/// `1 / Z_H` on the quotient domain: it takes two values, in turn.
pub(crate) fn inverse_vanishing(domain: &Domain) -> [F; 2] {
    let quotient_domain = domain.create_disjoint_domain(2 * domain.size());
    let first = quotient_domain.first_point();
    let generator = F::two_adic_generator(domain.size().ilog2() as usize + 1);
    [first, first * generator].map(|x| domain.vanishing_poly_at_point(x).inverse())
}

/// Completes a LogUp trace from its fractions and each row's sums of them.
pub(crate) fn running_sums(
    inputs: &LogupInputs<'_>,
    columns: Vec<F>,
    row_sums: [Vec<Challenge>; 2],
) -> LogupTrace {
    let height = inputs.main.height();
    let height_inverse = F::from_usize(height).inverse();
    let mut sums = [None; 2];
    for ((scope, row_sums), sum) in SCOPES.into_iter().zip(&row_sums).zip(&mut sums) {
        if pairs_in(inputs.description, scope) > 0 {
            *sum = Some(row_sums.iter().copied().sum::<Challenge>());
        }
    }
    let width = DIMENSION * sums.iter().flatten().count();
    let mut running = F::zero_vec(height * width);
    let mut column = 0;
    for (sum, row_sums) in sums.iter().zip(&row_sums) {
        let Some(sum) = *sum else { continue };
        let share = sum * height_inverse;
        let mut phi = Challenge::ZERO;
        for (row, row_sum) in running.chunks_mut(width).zip(row_sums) {
            row[column..column + DIMENSION].copy_from_slice(phi.as_basis_coefficients_slice());
            phi += *row_sum - share;
        }
        column += DIMENSION;
    }
    let fractions = fractions(inputs.description) * DIMENSION;
    LogupTrace {
        fractions: (fractions > 0).then(|| RowMajorMatrix::new(columns, fractions)),
        running: RowMajorMatrix::new(running, width),
        sums,
    }
}
