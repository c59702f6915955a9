//! Opening commitments, fast: the same proof as [`p3_fri::TwoAdicFriPcs`]'s, with less work.
//!
//! With `p_j` the opened columns of one height in the order of commitments, `z_j` their points and
//! `y_j` their values, FRI is run on `Σ alpha^j · (y_j - p_j(x)) / (z_j - x)` (ethSTARK, eprint
//! 2021/582, section 5.4). Columns that share a point are combined before the one division, over all
//! commitments, and the inverses of `z - x` come from the norm:
//!
//! ```text
//! 1 / (z - x) = Π_{i=1..4} (z^(p^i) - x) / N(z - x),      N(z - x) in the base field
//! ```
//! two polynomials in `x` with known coefficients, a vector of points at a time.

use std::collections::BTreeMap;
use std::ops::Range;

use p3_commit::{Mmcs, OpenedValues, OpeningRequest};
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::{
    BasedVectorSpace, Field, PackedFieldExtension, PackedFieldPow2, PackedValue,
    PrimeCharacteristicRing, PrimeField32, batch_multiplicative_inverse,
};
use p3_fri::{FriProverError, PcsProverTranscript, PcsShape, TwoAdicFriFoldingForMmcs, prover};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_matrix::interpolation::{Interpolate, compute_adjusted_weights};
use p3_maybe_rayon::prelude::*;
use p3_util::reverse_slice_index_bits;
use zkvm_air::F;
use zkvm_verifier::logup::DIMENSION;
use zkvm_verifier::{Challenge, Config, PcsProof};

use crate::fingerprints::{LANES, Packed, PackedChallenge};

/// Vectors of points that a thread works on at a time.
const VECTORS_PER_TASK: usize = 64;

type Data<C> = <<C as Config>::Mmcs as Mmcs<F>>::ProverData<RowMajorMatrix<F>>;
type Requests<'a, C> = Vec<OpeningRequest<'a, Data<C>, Challenge>>;
type Opened<C> = (OpenedValues<Challenge>, PcsProof<C>);

/// Opens the requested commitments and proves the openings.
pub(crate) fn open<C: Config>(
    config: &C,
    requests: Requests<'_, C>,
    challenger: &mut C::Challenger,
) -> Result<Opened<C>, FriProverError> {
    let (mmcs, fri) = (config.mmcs(), config.fri());
    let matrices: Vec<Vec<&RowMajorMatrix<F>>> = requests
        .iter()
        .map(|request| mmcs.get_matrices(request.prover_data))
        .collect();
    let heights = matrices.iter().flatten().map(|matrix| matrix.height());
    let height_max = heights.max().unwrap_or(1);
    let coset = coset(height_max);
    let opened_at = |request: usize, matrix: usize| &requests[request].points[matrix];

    // The inverses of each point less every x, for the tallest matrix that is opened there.
    let mut tallest: Vec<(Challenge, usize)> = Vec::new();
    for (request, matrices) in matrices.iter().enumerate() {
        for (index, matrix) in matrices.iter().enumerate() {
            for point in opened_at(request, index) {
                match tallest.iter_mut().find(|(known, _)| known == point) {
                    Some((_, height)) => *height = (*height).max(matrix.height()),
                    None => tallest.push((*point, matrix.height())),
                }
            }
        }
    }
    let inverses: Vec<Inverses> = tallest
        .iter()
        .map(|(point, height)| Inverses::new(*point, &coset[..*height], fri.log_blowup))
        .collect();
    let inverses_at = |point: &Challenge| {
        let known = inverses.iter().find(|inverses| inverses.point == *point);
        known.expect("every opened point is known")
    };

    let values: OpenedValues<Challenge> = matrices
        .iter()
        .enumerate()
        .map(|(request, matrices)| {
            let of_matrix = |(index, matrix): (usize, &&RowMajorMatrix<F>)| {
                let height = matrix.height() >> fri.log_blowup;
                let (low_coset, _) = matrix.split_rows(height);
                let points = opened_at(request, index).iter();
                let at = |point: &Challenge| {
                    let weights = &inverses_at(point).weights[..height];
                    low_coset.interpolate_coset_with_precomputation(F::GENERATOR, *point, weights)
                };
                points.map(at).collect()
            };
            matrices.iter().enumerate().map(of_matrix).collect()
        })
        .collect();

    let shape = PcsShape::from_opened_values(&fri, &values);
    let mut transcript = PcsProverTranscript::<C::Challenger, F, Challenge>::new(challenger, shape);
    transcript.claimed_openings(&values);
    let (alpha, witness) = transcript.batch_phase();

    // By height, and there by point: what is combined.
    let mut heights: BTreeMap<usize, Height<'_>> = BTreeMap::new();
    for (request, (matrices, values)) in matrices.iter().zip(&values).enumerate() {
        for (index, (matrix, values)) in matrices.iter().zip(values).enumerate() {
            let height = heights.entry(matrix.height()).or_insert_with(|| Height {
                power: Challenge::ONE,
                points: Vec::new(),
            });
            for (point, values) in opened_at(request, index).iter().zip(values) {
                height.add(alpha, matrix, *point, values);
            }
        }
    }
    let reduced: Vec<Vec<Challenge>> = heights
        .into_iter()
        .rev()
        .map(|(height, combined)| combined.reduce(height, &inverses_at))
        .collect();
    let folding: TwoAdicFriFoldingForMmcs<F, C::Mmcs> =
        p3_fri::TwoAdicFriFolding(std::marker::PhantomData);
    let proof: Result<PcsProof<C>, FriProverError> = transcript.delegate(|challenger| {
        prover::prove_fri(
            &folding,
            &fri,
            reduced,
            challenger,
            height_max.ilog2() as usize,
            &requests,
            mmcs,
            witness.unwrap_or(F::ZERO),
        )
    });
    match proof {
        Ok(proof) => {
            transcript.finish();
            Ok((values, proof))
        }
        Err(error) => {
            transcript.abort();
            Err(error)
        }
    }
}

/// The points on which codewords of `height` values are evaluated, in the order in which they are
/// stored; the first ones are those of shorter codewords.
fn coset(height: usize) -> Vec<F> {
    let coset = TwoAdicMultiplicativeCoset::new(F::GENERATOR, height.ilog2() as usize)
        .expect("heights are within the field's two-adicity");
    let mut points: Vec<F> = coset.iter().collect();
    reverse_slice_index_bits(&mut points);
    points
}

/// `1 / (z - x)` for a point `z` and all `x` of a coset.
struct Inverses {
    point: Challenge,
    /// One per lane; the last lanes are zero if the coset is smaller than a vector.
    inverses: Vec<PackedChallenge>,
    /// `1 / (z - x) - 1 / z` for the first of them: barycentric weights.
    weights: Vec<Challenge>,
}

impl Inverses {
    fn new(point: Challenge, coset: &[F], blowup_log2: usize) -> Self {
        let conjugates = conjugates(point);
        // Π (z_i - x) over the other conjugates, and over all: the norm. By powers of x.
        let others = product(&conjugates[1..]);
        let norm: Vec<F> = product(&conjugates)
            .into_iter()
            .map(|coefficient| coefficient.as_basis_coefficients_slice()[0])
            .collect();
        let mut inverses = PackedChallenge::zero_vec(coset.len().div_ceil(LANES));
        inverses
            .par_chunks_mut(VECTORS_PER_TASK)
            .zip(coset.par_chunks(VECTORS_PER_TASK * LANES))
            .for_each(|(inverses, points)| {
                let norms: Vec<F> = points.iter().map(|x| horner(&norm, *x)).collect();
                let norms = batch_multiplicative_inverse(&norms);
                let vectors = points.chunks(LANES).zip(norms.chunks(LANES));
                for (inverse, (points, norms)) in inverses.iter_mut().zip(vectors) {
                    let of = |cells: &[F]| {
                        Packed::from_fn(|lane| cells.get(lane).copied().unwrap_or(F::ZERO))
                    };
                    let (x, norm) = (of(points), of(norms));
                    let highest_first = others.iter().rev();
                    let value = highest_first.fold(PackedChallenge::ZERO, |sum, c| sum * x + *c);
                    *inverse = value * norm;
                }
            });
        let height = coset.len() >> blowup_log2;
        let lanes = |vector: &PackedChallenge| {
            let mut lanes = [Challenge::ZERO; LANES];
            PackedFieldExtension::<F, Challenge>::to_ext_slice(vector, &mut lanes);
            lanes
        };
        let first: Vec<Challenge> = inverses.iter().flat_map(lanes).take(height).collect();
        Inverses {
            point,
            inverses,
            weights: compute_adjusted_weights(point, &first),
        }
    }
}

/// A point and its images under the Frobenius map, `z^p` and so on.
fn conjugates(point: Challenge) -> [Challenge; DIMENSION] {
    let mut conjugate = point;
    std::array::from_fn(|_| {
        let this = conjugate;
        conjugate = conjugate.exp_u64(u64::from(F::ORDER_U32));
        this
    })
}

/// The coefficients of `Π (root - x)`, by powers of `x`.
fn product(roots: &[Challenge]) -> Vec<Challenge> {
    let mut coefficients = vec![Challenge::ONE];
    for root in roots {
        let mut next = vec![Challenge::ZERO; coefficients.len() + 1];
        for (index, coefficient) in coefficients.iter().enumerate() {
            next[index] += *coefficient * *root;
            next[index + 1] -= *coefficient;
        }
        coefficients = next;
    }
    coefficients
}

/// The polynomial with these coefficients, by powers, at `x`.
fn horner<V: PrimeCharacteristicRing + Copy>(coefficients: &[V], x: V) -> V {
    let highest_first = coefficients.iter().rev();
    highest_first.fold(V::ZERO, |sum, coefficient| sum * x + *coefficient)
}

/// What is combined of the matrices of one height.
struct Height<'a> {
    /// The power of alpha for the next column.
    power: Challenge,
    points: Vec<AtPoint<'a>>,
}

/// The matrices that are opened at one point, with the power of alpha of every column.
struct AtPoint<'a> {
    point: Challenge,
    matrices: Vec<&'a RowMajorMatrix<F>>,
    powers: Vec<Challenge>,
    /// `Σ alpha^j · y_j`.
    constant: Challenge,
}

impl<'a> Height<'a> {
    fn add(
        &mut self,
        alpha: Challenge,
        matrix: &'a RowMajorMatrix<F>,
        point: Challenge,
        values: &[Challenge],
    ) {
        let known = self.points.iter().position(|known| known.point == point);
        let index = known.unwrap_or_else(|| {
            self.points.push(AtPoint {
                point,
                matrices: Vec::new(),
                powers: Vec::new(),
                constant: Challenge::ZERO,
            });
            self.points.len() - 1
        });
        let at = &mut self.points[index];
        at.matrices.push(matrix);
        for value in values {
            at.powers.push(self.power);
            at.constant += self.power * *value;
            self.power *= alpha;
        }
    }

    /// `Σ alpha^j · (y_j - p_j(x)) / (z_j - x)` for all `x`.
    fn reduce<'i>(
        &self,
        height: usize,
        inverses_at: &impl Fn(&Challenge) -> &'i Inverses,
    ) -> Vec<Challenge> {
        let points: Vec<_> = self
            .points
            .iter()
            .map(|at| (at, at.packed_powers(), &inverses_at(&at.point).inverses))
            .collect();
        let groups = points.iter().map(|(_, powers, _)| powers.len()).max();
        let mut reduced = Challenge::zero_vec(height);
        reduced.par_chunks_mut(LANES).enumerate().for_each_init(
            || F::zero_vec(groups.unwrap_or(0) * LANES),
            |row, (vector, reduced)| {
                let first = vector * LANES;
                let mut total = PackedChallenge::ZERO;
                for (at, powers, inverses) in &points {
                    let combined = at.combine(powers, first..first + reduced.len(), row);
                    let difference = PackedChallenge::from(at.constant) - combined;
                    total += difference * inverses[vector];
                }
                for (lane, reduced) in reduced.iter_mut().enumerate() {
                    *reduced = PackedFieldExtension::<F, Challenge>::extract(&total, lane);
                }
            },
        );
        reduced
    }
}

impl AtPoint<'_> {
    /// The powers, one column per lane; zero beyond the last column.
    fn packed_powers(&self) -> Vec<PackedChallenge> {
        let packed = |powers: &[Challenge]| {
            PackedFieldExtension::<F, Challenge>::from_ext_fn(|lane| {
                powers.get(lane).copied().unwrap_or(Challenge::ZERO)
            })
        };
        self.powers.chunks(LANES).map(packed).collect()
    }

    /// `Σ alpha^j · p_j(x)` at the points `indices`, one per lane; `row` is scratch space.
    fn combine(
        &self,
        powers: &[PackedChallenge],
        indices: Range<usize>,
        row: &mut [F],
    ) -> PackedChallenge {
        let mut sums = [[Packed::ZERO; LANES]; DIMENSION];
        for (lane, index) in indices.enumerate() {
            // The rows of all matrices side by side, so that few lanes are idle.
            let mut column = 0;
            for matrix in &self.matrices {
                let width = matrix.width;
                let own = &matrix.values[index * width..(index + 1) * width];
                row[column..column + width].copy_from_slice(own);
                column += width;
            }
            for (power, cells) in powers.iter().zip(Packed::pack_slice(row)) {
                let coefficients: &[Packed] = power.as_basis_coefficients_slice();
                for (sums, coefficient) in sums.iter_mut().zip(coefficients) {
                    sums[lane] += *coefficient * *cells;
                }
            }
        }
        let sums = sums.map(add_up);
        PackedChallenge::from_basis_coefficients_fn(|index| sums[index])
    }
}

/// The sum of each vector's lanes, that of vector `i` in lane `i`.
fn add_up(mut vectors: [Packed; LANES]) -> Packed {
    let (mut count, mut block) = (LANES, 1);
    while count > 1 {
        for index in 0..count / 2 {
            let (a, b) = vectors[2 * index].interleave(vectors[2 * index + 1], block);
            vectors[index] = a + b;
        }
        count /= 2;
        block *= 2;
    }
    vectors[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inverses_are_inverses() {
        let point = Challenge::from_basis_coefficients_fn(|index| F::from_usize(7 * index + 3));
        for height in [2, 8, 16, 4096] {
            let coset = coset(height);
            let inverses = Inverses::new(point, &coset, 1);
            for (points, vector) in coset.chunks(LANES).zip(&inverses.inverses) {
                for (lane, x) in points.iter().enumerate() {
                    let inverse: Challenge =
                        PackedFieldExtension::<F, Challenge>::extract(vector, lane);
                    assert_eq!((point - *x) * inverse, Challenge::ONE);
                }
            }
            assert_eq!(inverses.weights.len(), height / 2);
        }
    }

    #[test]
    fn lanes_add_up() {
        let vectors = std::array::from_fn(|vector| {
            Packed::from_fn(|lane| F::from_usize(1000 * vector + lane))
        });
        let sums = add_up(vectors);
        for (vector, sum) in sums.as_slice().iter().enumerate() {
            let lanes = LANES * (LANES - 1) / 2;
            assert_eq!(*sum, F::from_usize(1000 * vector * LANES + lanes));
        }
    }
}
