//! A proof, and its bytes.

use serde::{Deserialize, Serialize};
use thiserror::Error;
use zkvm_chips::{Ends, REGISTERS, RegisterEnd};
use zkvm_machine::ProgramId;
use zkvm_verifier::{Blake3Config, TablesProof};

/// A proof that a program was executed.
#[derive(Clone, Debug)]
pub struct Proof {
    /// The program the prover says it is of; the verifier compares it with its own.
    pub program_id: ProgramId,
    /// The exit code.
    pub exit_code: u32,
    /// The journal.
    pub journal: Vec<u8>,
    pub(crate) ends: Ends,
    pub(crate) tables: TablesProof<Blake3Config>,
}

/// Bytes that are no proof.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// They do not begin as proof files do.
    #[error("this is no proof file")]
    Magic,
    /// Another format.
    #[error("the proof file has format {got}, this program reads format {expected}")]
    Version {
        /// What this program reads.
        expected: u16,
        /// What the file says.
        got: u16,
    },
    /// The body cannot be read, or is not the one encoding of what it says.
    #[error("the proof file is damaged: {reason}")]
    Body {
        /// What the decoder met.
        reason: String,
    },
}

/// A byte above 127, so that text-mode transfers damage it; name; line ends; end of file.
const MAGIC: &[u8; 9] = b"\x8fZKVM\r\n\x1a\n";
/// The format of the bytes after the magic.
const VERSION: u16 = 1;

/// What the file holds after magic and version.
#[derive(Serialize, Deserialize)]
struct Body {
    program_id: [u8; 32],
    exit_code: u32,
    journal: Vec<u8>,
    registers: Vec<(u64, u32)>,
    last_word: u32,
    tables: TablesProof<Blake3Config>,
}

impl Proof {
    /// The proof as bytes: magic, version, postcard encoding.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let body = Body {
            program_id: self.program_id.0,
            exit_code: self.exit_code,
            journal: self.journal.clone(),
            registers: self
                .ends
                .registers
                .iter()
                .map(|end| (end.value, end.clock))
                .collect(),
            last_word: self.ends.last_word,
            tables: self.tables.clone(),
        };
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        // Only types without an encoding fail, and there are none in a body.
        let body = postcard::to_allocvec(&body).unwrap_or_else(|error| panic!("a proof: {error}"));
        bytes.extend_from_slice(&body);
        bytes
    }

    /// Reads a proof. The encoding must be the one that [`Self::to_bytes`] gives.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let rest = bytes.strip_prefix(MAGIC).ok_or(DecodeError::Magic)?;
        let (version, body) = rest.split_first_chunk().ok_or(DecodeError::Magic)?;
        let got = u16::from_le_bytes(*version);
        if got != VERSION {
            return Err(DecodeError::Version {
                expected: VERSION,
                got,
            });
        }
        let damaged = |reason: String| DecodeError::Body { reason };
        let body: Body = postcard::from_bytes(body).map_err(|error| damaged(error.to_string()))?;
        let mut ends = Ends {
            registers: [RegisterEnd::default(); REGISTERS],
            last_word: body.last_word,
        };
        if body.registers.len() != ends.registers.len() {
            return Err(damaged(format!("{} registers", body.registers.len())));
        }
        for (end, (value, clock)) in ends.registers.iter_mut().zip(body.registers) {
            (end.value, end.clock) = (value, clock);
        }
        let proof = Proof {
            program_id: ProgramId(body.program_id),
            exit_code: body.exit_code,
            journal: body.journal,
            ends,
            tables: body.tables,
        };
        if proof.to_bytes() != bytes {
            return Err(damaged("it is not encoded as proofs are".to_owned()));
        }
        Ok(proof)
    }
}
