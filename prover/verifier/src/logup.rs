//! The LogUp argument: which columns it adds and what they satisfy.
//!
//! A message `(bus, v_1, …, v_k)` has the fingerprint `alpha + bus + Σ beta^i · v_i`. With
//! multiplicities `m`, a bus balances if `Σ m / fingerprint = 0` over all chips and public
//! messages (eprint 2022/1530; the bus number in front separates the buses). A chip's interactions
//! are taken in pairs `(a, b)`; for each pair but the last a column `h` with
//!
//! ```text
//! h · fingerprint_a · fingerprint_b = m_a · fingerprint_b + m_b · fingerprint_a
//! ```
//! and one running sum `phi` over the `n` rows with `phi(next) = phi + Σ h - S/n`, in all rows,
//! the last one's next being the first: so `S` is the chip's sum, without any boundary constraint.
//! In that sum the last pair's `h` is no column of its own: it is what `phi(next) - phi + S/n` leaves
//! beyond the others, and satisfies the equation above.
//!
//! Interactions on buses of the whole execution ([`Scope::Execution`]) have their own challenges,
//! pairs and running sum, whose `S` is not part of the proof's own balance: the verifier of all
//! segments adds them up.

use p3_field::{Algebra, PrimeCharacteristicRing};
use zkvm_air::{Bus, Description, F, Scope};

use crate::Challenge;

/// Base-field columns of a challenge-field column.
pub const DIMENSION: usize = 5;

/// The most elements of a message.
pub const MESSAGE_MAX: usize = {
    let (mut most, mut index) = (0, 0);
    while index < Bus::ALL.len() {
        let width = Bus::ALL[index].width();
        if width > most {
            most = width;
        }
        index += 1;
    }
    most
};

/// `alpha`, and the powers of `beta` that fingerprints need.
#[derive(Clone, Copy, Debug)]
pub struct Challenges {
    /// The constant of every fingerprint.
    pub alpha: Challenge,
    /// `beta^1` to `beta^MESSAGE_MAX`.
    pub powers: [Challenge; MESSAGE_MAX],
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
        // What has no power would be left out of the fingerprint.
        assert!(values.len() <= MESSAGE_MAX);
        values
            .iter()
            .zip(&self.powers)
            .fold(self.bus(bus), |sum, (value, power)| sum + *power * *value)
    }
}

/// The scopes of a chip's interactions, each with its own challenges, pairs and running sum.
pub const SCOPES: [Scope; 2] = [Scope::Segment, Scope::Execution];

/// Number of a chip's pairs of interactions on buses of `scope`.
#[must_use]
pub fn pairs_in(description: &Description, scope: Scope) -> usize {
    let interactions = description.interactions.iter();
    interactions
        .filter(|interaction| interaction.bus.scope() == scope)
        .count()
        .div_ceil(2)
}

/// Number of pairs of a chip.
#[must_use]
pub fn pairs(description: &Description) -> usize {
    SCOPES
        .map(|scope| pairs_in(description, scope))
        .iter()
        .sum()
}

/// Number of challenge-field columns of a chip's fractions: one per pair but the last of each scope;
/// those of [`Scope::Segment`] come first.
#[must_use]
pub fn fractions(description: &Description) -> usize {
    SCOPES
        .map(|scope| pairs_in(description, scope).saturating_sub(1))
        .iter()
        .sum()
}

/// Whether the chip speaks on buses between segments, and so has a second running sum.
#[must_use]
pub fn speaks_between(description: &Description) -> bool {
    pairs_in(description, Scope::Execution) > 0
}

/// Hands each pair's `(multiplicity, fingerprint)`s of one row to `sink`, for the interactions on
/// buses of `scope`; the last pair may lack its second.
///
/// `values` are the outputs of the chip's interaction tape.
pub fn for_each_pair<V: Copy>(
    description: &Description,
    scope: Scope,
    challenges: &Challenges,
    values: &[V],
    mut sink: impl FnMut((V, Challenge), Option<(V, Challenge)>),
) where
    Challenge: Algebra<V>,
{
    let mut rest = values;
    let mut first: Option<(V, Challenge)> = None;
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
