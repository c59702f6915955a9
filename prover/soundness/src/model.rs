//! The formulas. With `k` rows of the tallest table, `n` points of its codeword, `rho = k / n`, `F`
//! the field of challenges and `L` the length of a list of candidates, the errors are
//!
//! | term | error |
//! |---|---|
//! | LogUp | `L · N · (W + 2) / F`, `N` fractions of messages with `W` elements |
//! | global LogUp | `L^segments · N · (W + 2) / F` |
//! | constraints | `L · C / F`, `C` constraints |
//! | out of domain | `L · max(d·(k + c - 1) + k - 1, (q + 1)·k + c - 1) / F`, degree `d`, `c` points, `q` quotient chunks |
//! | batching | `(openings - 1) · E / F` |
//! | folding | `arity · E / F` |
//! | queries | `A^queries` |
//!
//! and by regime
//!
//! | | unique decoding | list decoding at multiplicity `m` |
//! |---|---|---|
//! | `L` | 1 | `(m + 1/2) / sqrt(rho)` |
//! | agreement `A` | `(1 + (k + c) / n) / 2` | `(1 + 1/(2m)) · sqrt(rho)` |
//! | exceptional challenges `E` | `n` (2020/654, over curves) | `8 n (m + 1/2)^3 / (3 (k - 1) / n)` (2026/2056 theorem 5.12) |
//!
//! LogUp: `N·(W + 1)` for a root of the cleared sum in `(alpha, beta)`, `N` for a fingerprint that
//! is zero.
//!
//! Shorter tables. A codeword of a shorter table, as a function of a power of the point, is a word
//! of the tall table's length and rate, and folding makes all of them agree with low-degree
//! polynomials on *one* set: so there is one list of candidates for all tables together, not a
//! product. Unique decoding with an agreement above `A` needs at most two points for each column:
//! above 3/4 of a short table's `n_j` points is at least `3/4 n_j + 1`, and two polynomials with so
//! much agreement coincide at `n_j / 2 + 2` points or more, more than their degree. (The same
//! count holds at any rate.) For batching, the sum over the heights of columns times points is at
//! most all columns times `n`.

use crate::{Bits, Parameters, Regime, Shape};

/// The greatest multiplicity that is tried in the list-decoding regime. Beyond it a query gains
/// less than a thousandth of a bit; `p3-security` stops there too.
pub const MULTIPLICITY_MAX: u16 = 1000;

/// The least multiplicity that theorem 5.12 of 2026/2056 holds for.
const MULTIPLICITY_MIN: u16 = 3;

/// The formulas in one regime; numbers have been checked.
pub(crate) struct Model<'a> {
    pub(crate) parameters: &'a Parameters,
    pub(crate) shape: &'a Shape,
    pub(crate) regime: Regime,
}

/// The multiplicities at which the list-decoding regime exists for `shape`: those for which the
/// agreement is above `sqrt((k + c) / n)` for the shortest table too.
pub(crate) fn multiplicities(shape: &Shape) -> impl Iterator<Item = u16> {
    let rows = power_of_two(u32::from(shape.height_log2_min));
    let points = u64::from(shape.points_max);
    (MULTIPLICITY_MIN..=MULTIPLICITY_MAX).take_while(move |multiplicity| {
        let m = u64::from(*multiplicity);
        // (1 + 1/(2m))^2 > (k + c) / k, multiplied out.
        let left = m.saturating_mul(4).saturating_add(1).saturating_mul(rows);
        let right = m.saturating_mul(m).saturating_mul(4).saturating_mul(points);
        left > right
    })
}

impl Model<'_> {
    /// The LogUp argument within a segment.
    pub(crate) fn logup(&self) -> Bits {
        let Shape {
            interactions,
            message_elements_max,
            ..
        } = *self.shape;
        self.fingerprint(interactions, message_elements_max)
            .minus(self.candidates())
    }

    /// The LogUp argument between segments: each of them leaves a list of its own.
    pub(crate) fn global_logup(&self) -> Option<Bits> {
        let Shape {
            global_interactions,
            global_message_elements_max,
            segments,
            ..
        } = *self.shape;
        (global_interactions > 0).then(|| {
            self.fingerprint(global_interactions, global_message_elements_max)
                .minus(self.candidates().times(u64::from(segments)))
        })
    }

    /// The combination of a table's constraints.
    pub(crate) fn composition(&self) -> Bits {
        self.field()
            .minus(Bits::log2_ceil(self.shape.constraints))
            .minus(self.candidates())
    }

    /// The point out of the domain.
    pub(crate) fn out_of_domain(&self) -> Bits {
        let rows = self.rows();
        let degree = u64::from(self.shape.constraint_degree_max);
        let more = u64::from(self.shape.points_max).saturating_sub(1);
        // As the prover splits it: a power of two, for degree 3 two chunks.
        let chunks = degree.max(2).saturating_sub(1).next_power_of_two();
        let by_degree = rows
            .saturating_add(more)
            .saturating_mul(degree)
            .saturating_add(rows.saturating_sub(1));
        let by_chunks = rows
            .saturating_mul(chunks.saturating_add(1))
            .saturating_add(more);
        self.field()
            .minus(Bits::log2_ceil(by_degree.max(by_chunks)))
            .minus(self.candidates())
    }

    /// The combination of all openings into one codeword of each height.
    pub(crate) fn batching(&self) -> Bits {
        let curve_degree = self.shape.openings.saturating_sub(1);
        self.field()
            .minus(self.exceptional())
            .minus(Bits::log2_ceil(curve_degree))
    }

    /// The worst folding round, the first.
    pub(crate) fn folding(&self) -> Bits {
        let arity_log2 = Bits::whole(u32::from(self.parameters.fold_arity_log2_max));
        self.field().minus(self.exceptional()).minus(arity_log2)
    }

    /// All queries.
    pub(crate) fn queries(&self) -> Bits {
        let one = match self.regime {
            Regime::UniqueDecoding => {
                let points = self.points();
                let agreeing = points
                    .saturating_add(self.rows())
                    .saturating_add(u64::from(self.shape.points_max));
                Bits::log2_floor(points)
                    .plus(Bits::whole(1))
                    .minus(Bits::log2_ceil(agreeing))
            }
            Regime::ListDecoding { multiplicity } => {
                let twice = u64::from(multiplicity).saturating_mul(2);
                Bits::halves(u32::from(self.parameters.blowup_log2))
                    .plus(Bits::log2_floor(twice))
                    .minus(Bits::log2_ceil(twice.saturating_add(1)))
            }
        };
        one.times(u64::from(self.parameters.queries))
    }

    fn fingerprint(&self, interactions: u64, elements: u16) -> Bits {
        let ways = u64::from(elements).max(1).saturating_add(2);
        self.field()
            .minus(Bits::log2_ceil(interactions))
            .minus(Bits::log2_ceil(ways))
    }

    /// Logarithm of the number of challenges that make far words close, for a curve of degree one.
    fn exceptional(&self) -> Bits {
        let points_log2 = Bits::whole(self.points_log2());
        match self.regime {
            Regime::UniqueDecoding => points_log2,
            Regime::ListDecoding { multiplicity } => {
                // 8 n (m + 1/2)^3 / (3 (k - 1) / n) = n^2 (2m + 1)^3 / (3 (k - 1))
                let odd = u64::from(multiplicity).saturating_mul(2).saturating_add(1);
                let divisor = self.rows().saturating_sub(1).saturating_mul(3);
                points_log2
                    .times(2)
                    .plus(Bits::log2_ceil(odd).times(3))
                    .minus(Bits::log2_floor(divisor))
            }
        }
    }

    /// Logarithm of the number of candidates that a commitment leaves open.
    fn candidates(&self) -> Bits {
        match self.regime {
            Regime::UniqueDecoding => Bits::ZERO,
            Regime::ListDecoding { multiplicity } => {
                let odd = u64::from(multiplicity).saturating_mul(2).saturating_add(1);
                Bits::log2_ceil(odd)
                    .minus(Bits::whole(1))
                    .plus(Bits::halves(u32::from(self.parameters.blowup_log2)))
            }
        }
    }

    /// Logarithm of the size of the challenges' field.
    fn field(&self) -> Bits {
        Bits::log2_floor(u64::from(self.parameters.characteristic))
            .times(u64::from(self.parameters.challenge_degree))
    }

    fn rows(&self) -> u64 {
        power_of_two(u32::from(self.shape.height_log2_max))
    }

    fn points(&self) -> u64 {
        power_of_two(self.points_log2())
    }

    fn points_log2(&self) -> u32 {
        u32::from(self.shape.height_log2_max).saturating_add(u32::from(self.parameters.blowup_log2))
    }
}

/// Exponents were checked: at most 40.
fn power_of_two(exponent: u32) -> u64 {
    1_u64.checked_shl(exponent).unwrap_or(u64::MAX)
}
