//! The keys of a program: the machine's chips with the program's tables committed.

use p3_field::PrimeField32;
use p3_matrix::dense::RowMajorMatrix;
use thiserror::Error;
use zkvm_air::F;
use zkvm_chips::{MachineChip, machine};
use zkvm_isa::Chip;
use zkvm_isa::record::CLOCKS_PER_CYCLE;
use zkvm_machine::{Program, ProgramId};
use zkvm_stark::{ProvingKey, Setup, setup};
use zkvm_verifier::{Blake3Config, Config, HEIGHT_LOG2_MAX, KeyError, Parameters};

// The order of memory accesses needs clocks that stay far below the characteristic: every executed
// instruction is a row of one chip, and every chip has a greatest height.
const _: () = {
    let rows = (Chip::COUNT as u64) << HEIGHT_LOG2_MAX;
    assert!(rows * (CLOCKS_PER_CYCLE as u64) < (F::ORDER_U32 - (1 << 24)) as u64);
};

/// The keys of one program, for proving and for verifying.
#[derive(Debug)]
pub struct Keys {
    pub(crate) config: Blake3Config,
    pub(crate) chips: Vec<MachineChip>,
    pub(crate) proving: ProvingKey<Blake3Config>,
    pub(crate) program: Program,
}

/// Why a program has no keys.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum KeysError {
    /// One of the program's tables is too tall.
    #[error("the table `{chip}` would have {rows} rows, the limit is 2^{HEIGHT_LOG2_MAX}")]
    TooLarge {
        /// The chip.
        chip: String,
        /// Its rows.
        rows: usize,
    },
    /// It has no instruction, or too many.
    #[error("{what} cannot be proved")]
    Unprovable {
        /// What it has.
        what: String,
    },
    /// The chips do not fit together: a bug.
    #[error(transparent)]
    Key(#[from] KeyError),
}

impl Keys {
    /// Makes the keys of `program` with `parameters`.
    ///
    /// Cost: commits to the program's tables, about a second for 2^16 rows.
    ///
    /// # Errors
    /// [`KeysError`] if the program is too large.
    pub fn new(program: &Program, parameters: Parameters) -> Result<Keys, KeysError> {
        let config = Blake3Config::new(parameters);
        let chips = machine(program).map_err(|unprovable| KeysError::Unprovable {
            what: unprovable.what,
        })?;
        let mut tables = Vec::with_capacity(chips.len());
        for MachineChip {
            description,
            preprocessed,
        } in &chips
        {
            let width = description.preprocessed.len();
            let rows = preprocessed.len().checked_div(width).unwrap_or(0);
            if rows > 1 << HEIGHT_LOG2_MAX {
                return Err(KeysError::TooLarge {
                    chip: description.name.clone(),
                    rows,
                });
            }
            tables.push(Setup {
                description: description.clone(),
                preprocessed: (width > 0).then(|| RowMajorMatrix::new(preprocessed.clone(), width)),
            });
        }
        let proving = setup(&config, tables)?;
        Ok(Keys {
            config,
            chips,
            proving,
            program: program.clone(),
        })
    }

    /// The identity of the program.
    #[must_use]
    pub fn program_id(&self) -> ProgramId {
        self.program.id()
    }

    /// The parameters.
    #[must_use]
    pub fn parameters(&self) -> &Parameters {
        self.config.parameters()
    }

    /// A hash of chips, parameters and the program's tables.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        self.proving.verifying.digest()
    }
}
