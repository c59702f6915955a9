//! Proofs, as a host sees them.

use zkvm_machine::ProgramId;
use zkvm_prover::{Blake3Config, Hash, Header, Level, Poseidon2Config, Security};

use crate::Error;

/// A proof that a program was executed; [`crate::Program::verify`] checks it.
#[derive(Clone, Debug)]
pub struct Proof(pub(crate) AnyProof);

/// A proof with one of the hashes.
#[derive(Clone, Debug)]
pub(crate) enum AnyProof {
    Blake3(Box<zkvm_prover::Proof<Blake3Config>>),
    Poseidon2(Box<zkvm_prover::Proof<Poseidon2Config>>),
}

/// Runs `$body` with `$proof` bound to the proof, whatever its hash.
macro_rules! with_proof {
    ($any:expr, $proof:ident => $body:expr) => {
        match $any {
            AnyProof::Blake3($proof) => $body,
            AnyProof::Poseidon2($proof) => $body,
        }
    };
}

impl Proof {
    /// How proof files begin.
    pub const MAGIC: &[u8; 9] = zkvm_prover::MAGIC;

    /// The format of proof files that this version writes and reads.
    pub const FORMAT: u16 = zkvm_prover::FORMAT;

    /// The proof as the bytes of a proof file.
    ///
    /// # Errors
    /// [`Error::ProofFile`] if it has no encoding: a bug.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Error> {
        Ok(with_proof!(&self.0, proof => proof.to_bytes())?)
    }

    /// Reads the bytes of a proof file. Reading is not verifying.
    ///
    /// # Errors
    /// [`Error::ProofFile`] says what is wrong with them.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let header = Header::from_bytes(bytes)?;
        Ok(Proof(match header.hash {
            Hash::Blake3 => AnyProof::Blake3(Box::new(zkvm_prover::Proof::from_bytes(bytes)?)),
            Hash::Poseidon2 => {
                AnyProof::Poseidon2(Box::new(zkvm_prover::Proof::from_bytes(bytes)?))
            }
        }))
    }

    /// How the proof was made.
    #[must_use]
    pub fn header(&self) -> Header {
        with_proof!(&self.0, proof => proof.header)
    }

    /// The level whose parameters the proof was made with; `None` if they are of no level.
    #[must_use]
    pub fn level(&self) -> Option<Level> {
        let parameters = self.header().parameters;
        let levels = [Level::Standard, Level::High].into_iter();
        levels
            .into_iter()
            .find(|level| Security::of(*level).parameters == parameters)
    }

    /// The program that the proof says it is of; not to be trusted before it is verified.
    #[must_use]
    pub fn program_id(&self) -> ProgramId {
        ProgramId(with_proof!(&self.0, proof => proof.program_id))
    }

    /// The exit code that the proof says; not to be trusted before it is verified.
    #[must_use]
    pub fn exit_code(&self) -> u32 {
        with_proof!(&self.0, proof => proof.exit_code)
    }

    /// The journal that the proof says; not to be trusted before it is verified.
    #[must_use]
    pub fn journal_claimed(&self) -> &[u8] {
        with_proof!(&self.0, proof => &proof.journal)
    }

    /// Number of segments.
    #[must_use]
    pub fn segments(&self) -> usize {
        with_proof!(&self.0, proof => proof.segments.len())
    }

    /// Number of proofs of further words of memory.
    #[must_use]
    pub fn words_parts(&self) -> usize {
        with_proof!(&self.0, proof => proof.words.len())
    }
}
