//! How the fingerprints of a chip's messages are computed with few multiplications.
//!
//! A fingerprint is `alpha + bus + Σ beta^i · v_i`. Constant elements are added up once for all rows.
//! And many messages differ little from an earlier one of the same row: an access sends the message
//! it receives with another clock. Such a fingerprint is the earlier one plus the differences.

use p3_field::{ExtensionField, Field, PackedValue, PrimeCharacteristicRing};
use zkvm_air::{Description, F, Operand, Scope};
use zkvm_verifier::Challenge;
use zkvm_verifier::logup::{Challenges, SCOPES};

pub(crate) type Packed = <F as Field>::Packing;
pub(crate) type PackedChallenge = <Challenge as ExtensionField<F>>::ExtensionPacking;

/// Rows in a vector.
pub(crate) const LANES: usize = Packed::WIDTH;

/// An element of a message that is not the same in every row.
#[derive(Clone, Copy, Debug)]
struct Term {
    power: PackedChallenge,
    /// Output of the interaction tape that is added.
    plus: Option<usize>,
    /// Output that is taken away: the element of the earlier message.
    minus: Option<usize>,
}

/// How one fingerprint is computed.
#[derive(Clone, Debug)]
struct Plan {
    /// Index of the earlier interaction whose fingerprint this one begins with.
    base: Option<usize>,
    constant: PackedChallenge,
    terms: Vec<Term>,
    /// Output of the interaction tape that is the multiplicity.
    multiplicity: usize,
}

/// How all fingerprints of a chip are computed.
#[derive(Clone, Debug)]
pub(crate) struct Fingerprints {
    plans: Vec<Plan>,
    /// Indices of the interactions in pairs, for the segment's buses and the execution's.
    pairs: [Vec<(usize, Option<usize>)>; 2],
}

impl Fingerprints {
    pub(crate) fn new(description: &Description, challenges: &[Challenges; 2]) -> Self {
        let tape = &description.interaction_tape;
        let constant_of = |output: usize| match tape.sources.get(output) {
            Some(Operand::Constant(index)) => tape.constants.get(usize::from(*index)).copied(),
            _ => None,
        };
        let mut plans: Vec<Plan> = Vec::with_capacity(description.interactions.len());
        let mut firsts = Vec::with_capacity(description.interactions.len());
        let mut next_output = 0;
        for interaction in &description.interactions {
            let multiplicity = next_output;
            let first = multiplicity + 1;
            next_output = first + interaction.values.len();
            let [segment, execution] = challenges;
            let challenges = match interaction.bus.scope() {
                Scope::Segment => segment,
                Scope::Execution => execution,
            };
            let plan_from = |base: Option<usize>| {
                let mut constant = match base {
                    Some(_) => Challenge::ZERO,
                    None => challenges.bus(interaction.bus),
                };
                let mut terms = Vec::new();
                for index in 0..interaction.values.len() {
                    let (plus, power) = (first + index, challenges.power(index));
                    let minus = base.map(|base: usize| firsts[base] + index);
                    if minus.is_some_and(|minus| tape.sources[minus] == tape.sources[plus]) {
                        continue;
                    }
                    let added = constant_of(plus);
                    let taken = minus.map(constant_of);
                    constant += power * added.unwrap_or(F::ZERO);
                    constant -= power * taken.flatten().unwrap_or(F::ZERO);
                    let term = Term {
                        power: power.into(),
                        plus: added.is_none().then_some(plus),
                        minus: minus.filter(|_| taken == Some(None)),
                    };
                    if term.plus.is_some() || term.minus.is_some() {
                        terms.push(term);
                    }
                }
                Plan {
                    base,
                    constant: constant.into(),
                    terms,
                    multiplicity,
                }
            };
            let earlier = description.interactions.iter().take(plans.len());
            let of_bus = earlier
                .enumerate()
                .filter(|(_, other)| other.bus == interaction.bus)
                .map(|(index, _)| Some(index));
            let candidates = std::iter::once(None).chain(of_bus).map(plan_from);
            let best = candidates.min_by_key(|plan| plan.terms.len());
            plans.extend(best);
            firsts.push(first);
        }
        let pairs = SCOPES.map(|scope| {
            let interactions = description.interactions.iter().enumerate();
            let indices: Vec<usize> = interactions
                .filter(|(_, interaction)| interaction.bus.scope() == scope)
                .map(|(index, _)| index)
                .collect();
            let pairs = indices.chunks(2);
            pairs.map(|pair| (pair[0], pair.get(1).copied())).collect()
        });
        Fingerprints { plans, pairs }
    }

    /// Computes all fingerprints of a vector of rows, in the order of the interactions, from the
    /// outputs of the chip's interaction tape.
    pub(crate) fn compute(&self, outputs: &[Packed], fingerprints: &mut Vec<PackedChallenge>) {
        fingerprints.clear();
        for plan in &self.plans {
            let mut fingerprint = plan.constant;
            if let Some(base) = plan.base {
                fingerprint += fingerprints[base];
            }
            for term in &plan.terms {
                let value = match (term.plus, term.minus) {
                    (Some(plus), Some(minus)) => outputs[plus] - outputs[minus],
                    (Some(plus), None) => outputs[plus],
                    (None, Some(minus)) => -outputs[minus],
                    (None, None) => continue,
                };
                fingerprint += term.power * value;
            }
            fingerprints.push(fingerprint);
        }
    }

    /// The pairs of interactions of the segment's buses, and of the execution's.
    pub(crate) fn pairs(&self) -> [&[(usize, Option<usize>)]; 2] {
        let [segment, execution] = &self.pairs;
        [segment, execution]
    }

    /// The multiplicity of interaction `index`.
    pub(crate) fn multiplicity(&self, index: usize, outputs: &[Packed]) -> Packed {
        outputs[self.plans[index].multiplicity]
    }
}
