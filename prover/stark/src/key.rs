//! Making keys: committing to preprocessed columns.

use std::fmt;

use p3_commit::Pcs;
use p3_field::PrimeField32;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::{Description, F};
use zkvm_verifier::{Challenge, Config, KeyError, TableKey, VerifyingKey};

/// A chip and, if it has preprocessed columns, their rows (a power of two of them).
#[derive(Clone, Debug)]
pub struct Setup {
    /// The chip.
    pub description: Description,
    /// Preprocessed rows.
    pub preprocessed: Option<RowMajorMatrix<F>>,
}

/// What a prover keeps besides the verifying key.
pub struct ProvingKey<C: Config> {
    /// The verifying key.
    pub verifying: VerifyingKey<C>,
    /// Preprocessed rows by chip.
    pub(crate) preprocessed: Vec<Option<RowMajorMatrix<F>>>,
    /// The commitment scheme's data for them.
    pub(crate) data: <C::Pcs as Pcs<Challenge, C::Challenger>>::ProverData,
}

impl<C: Config> fmt::Debug for ProvingKey<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProvingKey")
            .field("verifying", &self.verifying)
            .finish_non_exhaustive()
    }
}

/// Commits to the preprocessed columns of `tables` and makes the keys.
///
/// The key's digest covers the columns' contents through a hash of the rows themselves, so that it
/// does not depend on how the commitment encodes.
///
/// # Errors
/// [`KeyError`] names the chip that does not fit.
///
/// # Panics
/// If preprocessed rows are not a power of two in number or not as wide as the chip says.
pub fn setup<C: Config>(config: &C, tables: Vec<Setup>) -> Result<ProvingKey<C>, KeyError> {
    let pcs = config.pcs();
    let mut matrices = Vec::new();
    let mut digest = Vec::new();
    let mut keys = Vec::new();
    let mut preprocessed = Vec::new();
    for table in tables {
        if let Some(rows) = &table.preprocessed {
            assert_eq!(
                rows.width(),
                table.description.preprocessed.len(),
                "preprocessed width"
            );
            assert!(rows.height().is_power_of_two(), "preprocessed height");
            matrices.push((pcs.natural_domain_for_degree(rows.height()), rows.clone()));
            digest.extend(
                rows.values
                    .iter()
                    .flat_map(|cell| cell.as_canonical_u32().to_le_bytes()),
            );
        }
        let height_log2 = table
            .preprocessed
            .as_ref()
            .map(|rows| rows.height().ilog2() as u8);
        keys.push(TableKey {
            description: table.description,
            preprocessed_height_log2: height_log2,
        });
        preprocessed.push(table.preprocessed);
    }
    if matrices.is_empty() {
        return Err(KeyError::NoPreprocessed);
    }
    let committed = pcs.commit(matrices);
    let (commitment, data) = committed.map_err(|error| KeyError::Commitment {
        reason: format!("{error:?}"),
    })?;
    let verifying = VerifyingKey::new(config.parameters(), keys, commitment, &digest)?;
    Ok(ProvingKey {
        verifying,
        preprocessed,
        data,
    })
}
