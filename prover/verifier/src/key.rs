//! What a verifier knows beforehand: the chips and the commitment to their preprocessed columns.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use p3_blake3::Blake3;
use p3_field::PrimeField32;
use p3_symmetric::CryptographicHasher;
use thiserror::Error;
use zkvm_air::{Description, Operand, Operation, Round, Scope, Tape};

use crate::logup::pairs_in;
use crate::{Commitment, Config, FOLD_ARITY_LOG2_MAX, Parameters};

/// The greatest logarithm of a table's height.
pub const HEIGHT_LOG2_MAX: u8 = 22;

/// The least logarithm of a table's height.
pub const HEIGHT_LOG2_MIN: u8 = 2;

/// A chip as the verifier knows it.
#[derive(Clone, Debug)]
pub struct TableKey {
    /// Its columns, constraints and interactions.
    pub description: Description,
    /// For a chip with preprocessed columns, the logarithm of its fixed height. Such a chip is
    /// present in every proof.
    pub preprocessed_height_log2: Option<u8>,
}

/// The chips, in the order of the registry, and the commitment to their preprocessed columns.
#[derive(Clone)]
pub struct VerifyingKey<C: Config> {
    pub(crate) tables: Vec<TableKey>,
    pub(crate) preprocessed: Commitment<C>,
    pub(crate) digest: [u8; 32],
}

impl<C: Config> fmt::Debug for VerifyingKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tables = self.tables.iter().map(|table| &table.description.name);
        f.debug_struct("VerifyingKey")
            .field("digest", &self.digest)
            .finish_non_exhaustive()?;
        f.debug_list().entries(tables).finish()
    }
}

/// A key that no proof could be checked against.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// A chip has preprocessed columns and no height for them, or the reverse.
    #[error("chip {chip}: preprocessed columns and a fixed height go together")]
    Preprocessed {
        /// The chip.
        chip: String,
    },
    /// A fixed height is out of bounds.
    #[error("chip {chip}: height 2^{height_log2} is not from 2^2 to 2^{HEIGHT_LOG2_MAX}")]
    Height {
        /// The chip.
        chip: String,
        /// Its height.
        height_log2: u8,
    },
    /// A chip has no main columns, or no interactions on the segment's buses, so that it could not
    /// take part.
    #[error("chip {chip} has no main column or no interaction on the segment's buses")]
    Empty {
        /// The chip.
        chip: String,
    },
    /// The commitment scheme failed.
    #[error("the commitment scheme failed: {reason}")]
    Commitment {
        /// What it said.
        reason: String,
    },
    /// No chip has preprocessed columns.
    #[error("no chip has preprocessed columns")]
    NoPreprocessed,
}

impl<C: Config> VerifyingKey<C> {
    /// Makes a key of `tables` and the commitment to their preprocessed columns.
    ///
    /// # Errors
    /// [`KeyError`] names the chip that does not fit.
    pub fn new(
        parameters: &Parameters,
        tables: Vec<TableKey>,
        preprocessed: Commitment<C>,
        preprocessed_digest: &[u8],
    ) -> Result<Self, KeyError> {
        for table in &tables {
            let chip = || table.description.name.clone();
            let has_columns = !table.description.preprocessed.is_empty();
            if has_columns != table.preprocessed_height_log2.is_some() {
                return Err(KeyError::Preprocessed { chip: chip() });
            }
            if let Some(height_log2) = table.preprocessed_height_log2
                && !(HEIGHT_LOG2_MIN..=HEIGHT_LOG2_MAX).contains(&height_log2)
            {
                return Err(KeyError::Height {
                    chip: chip(),
                    height_log2,
                });
            }
            let pairs = pairs_in(&table.description, Scope::Segment);
            if table.description.columns.is_empty() || pairs == 0 {
                return Err(KeyError::Empty { chip: chip() });
            }
        }
        if tables
            .iter()
            .all(|table| table.preprocessed_height_log2.is_none())
        {
            return Err(KeyError::NoPreprocessed);
        }
        let digest = digest::<C>(parameters, &tables, preprocessed_digest);
        Ok(VerifyingKey {
            tables,
            preprocessed,
            digest,
        })
    }

    /// The chips.
    #[must_use]
    pub fn tables(&self) -> &[TableKey] {
        &self.tables
    }

    /// Number of public values that proofs under this key have: what its chips name.
    #[must_use]
    pub fn public(&self) -> usize {
        let chips = self.tables.iter();
        chips
            .map(|table| table.description.public)
            .max()
            .unwrap_or(0)
    }

    /// A hash of everything in the key: hash function, parameters, every constraint and
    /// interaction, and the preprocessed columns.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.digest
    }
}

/// A hash of chips alone: their columns, constraints and interactions, whatever program and
/// parameters they serve.
pub fn chips_digest<'a>(chips: impl Iterator<Item = &'a Description>) -> [u8; 32] {
    let mut bytes = Vec::new();
    for description in chips {
        chip(&mut bytes, description);
    }
    Blake3.hash_slice(&bytes)
}

fn text(bytes: &mut Vec<u8>, text: &str) {
    number(bytes, text.len() as u64);
    bytes.extend_from_slice(text.as_bytes());
}

fn chip(bytes: &mut Vec<u8>, description: &Description) {
    text(bytes, &description.name);
    number(bytes, u64::from(description.round == Round::Boundary));
    number(bytes, description.columns.len() as u64);
    number(bytes, description.preprocessed.len() as u64);
    number(bytes, description.constraints.len() as u64);
    tape(bytes, &description.constraint_tape);
    number(bytes, description.interactions.len() as u64);
    for interaction in &description.interactions {
        number(bytes, interaction.bus as u64);
        number(bytes, interaction.values.len() as u64);
    }
    tape(bytes, &description.interaction_tape);
}

/// Hashes the key. The constraints themselves are in it, compiled, not only their number.
fn digest<C: Config>(
    parameters: &Parameters,
    tables: &[TableKey],
    preprocessed_digest: &[u8],
) -> [u8; 32] {
    let mut bytes = Vec::new();
    text(&mut bytes, "zkvm verifying key v2");
    text(&mut bytes, C::HASH.name());
    let Parameters {
        blowup_log2,
        queries,
        query_grinding_bits,
        batch_grinding_bits,
        logup_grinding_bits,
    } = *parameters;
    for value in [
        u64::from(blowup_log2),
        u64::from(queries),
        u64::from(query_grinding_bits),
        u64::from(batch_grinding_bits),
        u64::from(logup_grinding_bits),
        FOLD_ARITY_LOG2_MAX as u64,
        tables.len() as u64,
    ] {
        number(&mut bytes, value);
    }
    for TableKey {
        description,
        preprocessed_height_log2,
    } in tables
    {
        chip(&mut bytes, description);
        number(
            &mut bytes,
            preprocessed_height_log2.map_or(0, |height| 1 + u64::from(height)),
        );
    }
    number(&mut bytes, preprocessed_digest.len() as u64);
    bytes.extend_from_slice(preprocessed_digest);
    Blake3.hash_slice(&bytes)
}

fn number(bytes: &mut Vec<u8>, value: u64) {
    bytes.extend_from_slice(&value.to_le_bytes());
}

fn tape(bytes: &mut Vec<u8>, tape: &Tape) {
    number(bytes, tape.constants.len() as u64);
    for constant in &tape.constants {
        number(bytes, u64::from(constant.as_canonical_u32()));
    }
    number(bytes, tape.operations.len() as u64);
    for step in &tape.operations {
        let (kind, to, a, b) = match *step {
            Operation::Add(to, a, b) => (0, to, a, b),
            Operation::Sub(to, a, b) => (1, to, a, b),
            Operation::Mul(to, a, b) => (2, to, a, b),
            Operation::Output(a) => (3, 0, a, a),
        };
        number(bytes, kind);
        number(bytes, u64::from(to));
        for operand in [a, b] {
            let (kind, index) = match operand {
                Operand::Main(index) => (0, index),
                Operand::Preprocessed(index) => (1, index),
                Operand::Constant(index) => (2, index),
                Operand::Register(index) => (3, index),
                Operand::Public(index) => (4, index),
            };
            number(bytes, kind << 16 | u64::from(index));
        }
    }
}
