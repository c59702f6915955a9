//! The LogUp argument: which columns it adds and what they satisfy.
//!
//! A message `(bus, v_1, …, v_k)` has the fingerprint `alpha + bus + Σ beta^i · v_i`. With
//! multiplicities `m`, a bus balances if `Σ m / fingerprint = 0` over all chips and public
//! messages (eprint 2022/1530; the bus number in front separates the buses). A chip's interactions
//! are taken in pairs `(a, b)`; for each pair a column `h` with
//!
//! ```text
//! h · fingerprint_a · fingerprint_b = m_a · fingerprint_b + m_b · fingerprint_a
//! ```
//! and one running sum `phi` over the `n` rows with `phi(next) = phi + Σ h - S/n`, in all rows,
//! the last one's next being the first: so `S` is the chip's sum, without any boundary constraint.

use alloc::vec::Vec;

use p3_field::{Algebra, PrimeCharacteristicRing};
use zkvm_air::{Bus, Description, F};

use crate::Challenge;

/// Base-field columns of a challenge-field column.
pub const DIMENSION: usize = 5;

/// The most elements of a message.
pub const MESSAGE_MAX: usize = 12;

/// `alpha`, and the powers of `beta` that fingerprints need.
#[derive(Clone, Debug)]
pub struct Challenges {
    alpha: Challenge,
    /// `beta^1` to `beta^MESSAGE_MAX`.
    powers: [Challenge; MESSAGE_MAX],
}

impl Challenges {
    /// Prepares the powers.
    #[must_use]
    pub fn new(alpha: Challenge, beta: Challenge) -> Self {
        let mut power = Challenge::ONE;
        let powers = core::array::from_fn(|_| {
            power *= beta;
            power
        });
        Challenges { alpha, powers }
    }

    /// The part of a fingerprint that does not depend on the message's values.
    pub fn bus(&self, bus: Bus) -> Challenge {
        self.alpha + F::from_u8(bus as u8)
    }

    /// The power of `beta` for element `index`.
    pub fn power(&self, index: usize) -> Challenge {
        self.powers[index]
    }

    /// The fingerprint of a message of base-field or challenge-field values.
    pub fn fingerprint<V: Copy>(&self, bus: Bus, values: &[V]) -> Challenge
    where
        Challenge: Algebra<V>,
    {
        values
            .iter()
            .zip(&self.powers)
            .fold(self.bus(bus), |sum, (value, power)| sum + *power * *value)
    }
}

/// Number of pair columns of a chip.
#[must_use]
pub fn pairs(description: &Description) -> usize {
    description.interactions.len().div_ceil(2)
}

/// Hands each pair's `(multiplicity, fingerprint)`s of one row to `sink`; the last pair may lack
/// its second.
///
/// `values` are the outputs of the chip's interaction tape.
pub fn for_each_pair<V: Copy>(
    description: &Description,
    challenges: &Challenges,
    values: &[V],
    mut sink: impl FnMut((V, Challenge), Option<(V, Challenge)>),
) where
    Challenge: Algebra<V>,
{
    let mut rest = values;
    let mut fractions: Vec<(V, Challenge)> = Vec::with_capacity(2);
    for (index, interaction) in description.interactions.iter().enumerate() {
        let (own, others) = rest.split_at(1 + interaction.values.len());
        rest = others;
        fractions.push((own[0], challenges.fingerprint(interaction.bus, &own[1..])));
        let is_last = index + 1 == description.interactions.len();
        if fractions.len() == 2 || is_last {
            sink(fractions[0], fractions.get(1).copied());
            fractions.clear();
        }
    }
}
