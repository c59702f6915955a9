//! The security that a proof must have, computed from its own shape.

use p3_field::PrimeField32;
use zkvm_air::{F, MAX_DEGREE, Scope};
use zkvm_isa::record::Part;
use zkvm_soundness::{
    BLAKE3_COLLISION_BITS, Level, Parameters as Model, Report, Shape, field_collision_bits,
};
use zkvm_verifier::logup::{DIMENSION, fractions, pairs, pairs_in};
use zkvm_verifier::{Config, FOLD_ARITY_LOG2_MAX, Hash, Parameters, TablesProof, VerifyingKey};

use crate::{ExecutionKeys, Proof, VerifyError};

/// The parameters of proofs, and the bits that a verifier demands of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Security {
    /// The parameters.
    pub parameters: Parameters,
    /// Bits that the report on a proof must reach; 0 for tests, which are about other things.
    pub bits: u32,
}

impl Security {
    /// 100 bits, proven, whatever the length of the execution.
    pub const STANDARD: Security = Security {
        parameters: Parameters::STANDARD,
        bits: Level::Standard.bits(),
    };

    /// 128 bits, proven. With [`Hash::Poseidon2`] no proof has them: its digests are too short.
    pub const HIGH: Security = Security {
        parameters: Parameters::HIGH,
        bits: Level::High.bits(),
    };

    /// The named level.
    #[must_use]
    pub const fn of(level: Level) -> Self {
        match level {
            Level::Standard => Security::STANDARD,
            Level::High => Security::HIGH,
        }
    }
}

/// The bits of security of a proof, term by term, from the parameters and from its own shape.
///
/// # Errors
/// [`VerifyError`] if a key cannot be made, or if the shape is beyond what is modelled.
pub fn report<C: Config>(
    keys: &impl ExecutionKeys<C>,
    proof: &Proof<C>,
) -> Result<Report, VerifyError> {
    let mut shape = Shape {
        height_log2_max: 0,
        height_log2_min: u8::MAX,
        openings: 0,
        points_max: 2,
        constraints: 0,
        constraint_degree_max: u8::try_from(MAX_DEGREE).unwrap_or(u8::MAX),
        interactions: 0,
        message_elements_max: 0,
        global_interactions: 2,
        global_message_elements_max: 0,
        segments: u32::try_from(proof.segments.len() + proof.words.len()).unwrap_or(u32::MAX),
    };
    let last = proof.segments.len().saturating_sub(1);
    for (index, segment) in proof.segments.iter().enumerate() {
        let part = if index == last {
            Part::Last
        } else {
            Part::Segment
        };
        // Of public messages there are fewer than bytes of journal, and a few.
        widen(
            &mut shape,
            keys.key(part)?,
            &segment.tables,
            proof.journal.len() as u64 + 8,
        );
    }
    for tables in &proof.words {
        widen(&mut shape, keys.key(Part::Words)?, tables, 0);
    }
    let model = model(C::HASH, keys.config().parameters());
    Ok(Report::new(&model, &shape)?)
}

/// Widens `shape` so that it covers `tables` too.
fn widen<C: Config>(
    shape: &mut Shape,
    key: &VerifyingKey<C>,
    tables: &TablesProof<C>,
    messages: u64,
) {
    let (mut openings, mut interactions) = (0_u64, messages);
    for (table, height_log2) in key.tables().iter().zip(&tables.heights_log2) {
        let Some(height_log2) = *height_log2 else {
            continue;
        };
        let description = &table.description;
        // Bounds come before shifts; the verifier refuses such a height.
        let rows = 1_u64 << height_log2.min(40);
        shape.height_log2_max = shape.height_log2_max.max(height_log2);
        shape.height_log2_min = shape.height_log2_min.min(height_log2);
        let between = description
            .interactions
            .iter()
            .filter(|interaction| interaction.bus.scope() == Scope::Execution);
        let global = between.clone().count() as u64;
        shape.global_interactions = shape
            .global_interactions
            .saturating_add(rows.saturating_mul(global));
        let all = description.interactions.len() as u64;
        interactions = interactions.saturating_add(rows.saturating_mul(all - global));
        let elements = |bus: zkvm_air::Bus| u16::try_from(bus.width()).unwrap_or(u16::MAX);
        for interaction in &description.interactions {
            let greatest = match interaction.bus.scope() {
                Scope::Segment => &mut shape.message_elements_max,
                Scope::Execution => &mut shape.global_message_elements_max,
            };
            *greatest = (*greatest).max(elements(interaction.bus));
        }
        let scopes = 1 + u64::from(pairs_in(description, Scope::Execution) > 0);
        let columns = description.columns.len() + description.preprocessed.len();
        let extension = fractions(description) as u64 + 2 * scopes + 2;
        openings += columns as u64 + DIMENSION as u64 * extension;
        let constraints = description.constraints.len() + pairs(description);
        shape.constraints = shape.constraints.max(constraints as u64);
    }
    shape.openings = shape.openings.max(openings);
    shape.interactions = shape.interactions.max(interactions);
}

fn model(hash: Hash, parameters: &Parameters) -> Model {
    let Parameters {
        blowup_log2,
        queries,
        query_grinding_bits,
        batch_grinding_bits,
        logup_grinding_bits,
    } = *parameters;
    Model {
        characteristic: F::ORDER_U32,
        challenge_degree: u8::try_from(DIMENSION).unwrap_or(0),
        blowup_log2,
        queries,
        fold_arity_log2_max: u8::try_from(FOLD_ARITY_LOG2_MAX).unwrap_or(u8::MAX),
        query_grinding_bits,
        batch_grinding_bits,
        commit_grinding_bits: 0,
        logup_grinding_bits,
        global_grinding_bits: logup_grinding_bits,
        collision_bits: match hash {
            Hash::Blake3 => BLAKE3_COLLISION_BITS,
            Hash::Poseidon2 => field_collision_bits(F::ORDER_U32, 8),
        },
    }
}
