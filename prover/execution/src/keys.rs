//! The keys of a program: the machine's chips with the program's tables committed.

use std::sync::OnceLock;

use p3_field::PrimeField32;
use p3_matrix::dense::RowMajorMatrix;
use thiserror::Error;
use zkvm_air::F;
use zkvm_chips::{Machine, MachineChip, Unprovable};
use zkvm_isa::Chip;
use zkvm_isa::record::{CLOCKS_PER_CYCLE, Part};
use zkvm_machine::{Program, ProgramId};
use zkvm_stark::{ProvingKey, Setup, setup};
use zkvm_statement::{ExecutionKeys, Security};
use zkvm_verifier::{Blake3Config, Config, HEIGHT_LOG2_MAX, KeyError, VerifyingKey, chips_digest};

// The order of memory accesses needs clocks that stay far below the characteristic: every executed
// instruction is a row of one chip, and every chip has a greatest height.
const _: () = {
    let rows = (Chip::COUNT as u64) << HEIGHT_LOG2_MAX;
    assert!(rows * (CLOCKS_PER_CYCLE as u64) < (F::ORDER_U32 - (1 << 24)) as u64);
};

/// The keys of one program, for proving and for verifying, with one hash.
#[derive(Debug)]
pub struct Keys<C: Config = Blake3Config> {
    config: C,
    security: Security,
    program: Program,
    machine_digest: [u8; 32],
    /// By [`Part`]; committed to when first needed.
    parts: [PartKeys<C>; 3],
}

/// The chips of a part, and its key once it is needed.
#[derive(Debug)]
struct PartKeys<C: Config> {
    machine: Machine,
    proving: OnceLock<ProvingKey<C>>,
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

impl From<Unprovable> for KeysError {
    fn from(Unprovable { what }: Unprovable) -> Self {
        KeysError::Unprovable { what }
    }
}

impl<C: Config> Keys<C> {
    /// Makes the keys of `program` for proofs of this security. The tables of each [`Part`] are
    /// committed to when first needed, which takes about a second for a program of 2^16
    /// instructions.
    ///
    /// # Errors
    /// [`KeysError`] if the program is too large.
    pub fn new(program: &Program, security: Security) -> Result<Self, KeysError> {
        let config = C::new(security.parameters);
        let part = |part: Part| -> Result<PartKeys<C>, KeysError> {
            let machine = Machine::new(program, part)?;
            for chip in &machine.chips {
                let rows = chip.fixed_height().unwrap_or(0);
                if rows > 1 << HEIGHT_LOG2_MAX {
                    let chip = chip.description.name.clone();
                    return Err(KeysError::TooLarge { chip, rows });
                }
            }
            Ok(PartKeys {
                machine,
                proving: OnceLock::new(),
            })
        };
        let parts = [part(Part::Segment)?, part(Part::Last)?, part(Part::Words)?];
        let chips = parts.iter().flat_map(|part| &part.machine.chips);
        let machine_digest = chips_digest(chips.map(|chip| &chip.description));
        Ok(Keys {
            config,
            security,
            program: program.clone(),
            machine_digest,
            parts,
        })
    }

    /// The identity of the program.
    #[must_use]
    pub fn program_id(&self) -> ProgramId {
        self.program.id()
    }

    /// The program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// The chips of a part.
    #[must_use]
    pub fn chips(&self, part: Part) -> &Machine {
        &self.parts[part as usize].machine
    }

    /// The proving key of a part.
    ///
    /// # Errors
    /// [`KeyError`] if the chips do not fit together: a bug.
    pub fn proving(&self, part: Part) -> Result<&ProvingKey<C>, KeyError> {
        let PartKeys { machine, proving } = &self.parts[part as usize];
        if let Some(key) = proving.get() {
            return Ok(key);
        }
        let tables = machine.chips.iter().map(|chip| {
            let MachineChip {
                description,
                preprocessed,
            } = chip;
            let width = description.preprocessed.len();
            Setup {
                description: description.clone(),
                preprocessed: (width > 0).then(|| RowMajorMatrix::new(preprocessed.clone(), width)),
            }
        });
        let key = setup(&self.config, tables.collect())?;
        Ok(proving.get_or_init(|| key))
    }
}

impl<C: Config> ExecutionKeys<C> for Keys<C> {
    fn config(&self) -> &C {
        &self.config
    }

    fn program_id(&self) -> [u8; 32] {
        self.program.id().0
    }

    fn entry(&self) -> u32 {
        self.program.entry()
    }

    fn security(&self) -> Security {
        self.security
    }

    fn machine(&self) -> [u8; 32] {
        self.machine_digest
    }

    fn key(&self, part: Part) -> Result<&VerifyingKey<C>, KeyError> {
        Ok(&self.proving(part)?.verifying)
    }
}
