//! Proofs, as a host sees them.

use zkvm_machine::ProgramId;

use crate::Error;

/// A proof that a program was executed; [`crate::Program::verify`] checks it.
#[derive(Clone, Debug)]
pub struct Proof(pub(crate) zkvm_prover::Proof);

impl Proof {
    /// The proof as the bytes of a proof file.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0.to_bytes()
    }

    /// Reads the bytes of a proof file. Reading is not verifying.
    ///
    /// # Errors
    /// [`Error::ProofFile`] says what is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        Ok(Proof(zkvm_prover::Proof::from_bytes(bytes)?))
    }

    /// The program that the proof says it is of; not to be trusted before it is verified.
    #[must_use]
    pub fn program_id(&self) -> ProgramId {
        self.0.program_id
    }
}
