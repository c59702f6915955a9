//! The verifier of executions.

use p3_field::PrimeCharacteristicRing;
use thiserror::Error;
use zkvm_air::F;
use zkvm_chips::{Claim, public_messages};
use zkvm_machine::ProgramId;

use crate::keys::Keys;
use crate::proof::Proof;
use crate::prove::public;

/// Longest journal of a proof. Verifying takes about sixteen times its length in memory, so a limit
/// comes before any work; it is that of [`zkvm_machine::Limits::STANDARD`].
pub const JOURNAL_BYTES_MAX: usize = 1 << 24;

/// What a valid proof says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The journal.
    pub journal: Vec<u8>,
    /// The exit code.
    pub exit_code: u32,
}

/// Why a proof is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The proof is of another program.
    #[error("the proof is of program {got}, not of {expected}")]
    Program {
        /// The caller's program.
        expected: ProgramId,
        /// The proof's.
        got: ProgramId,
    },
    /// The guest halted with another exit code than the caller expects.
    #[error("the proof is of exit code {got}, not {expected}")]
    ExitCode {
        /// What the caller expects.
        expected: u32,
        /// What the proof says.
        got: u32,
    },
    /// The journal is longer than [`JOURNAL_BYTES_MAX`].
    #[error("the journal has {got} bytes, the limit is {JOURNAL_BYTES_MAX}")]
    JournalTooLong {
        /// Its length.
        got: usize,
    },
    /// A number is not in its one encoding.
    #[error("the proof holds a number that is not encoded as proofs encode it")]
    NotCanonical,
    /// The proof does not hold.
    #[error("the proof does not hold: {0}")]
    Tables(#[from] zkvm_verifier::VerifyError),
}

/// Verifies that `proof` proves an execution of the program of `keys` that halted with `exit_code`.
///
/// # Errors
/// [`VerifyError`] says what does not hold.
pub fn verify(keys: &Keys, exit_code: u32, proof: &Proof) -> Result<Verified, VerifyError> {
    let expected = keys.program_id();
    if proof.program_id != expected {
        return Err(VerifyError::Program {
            expected,
            got: proof.program_id,
        });
    }
    if proof.exit_code != exit_code {
        return Err(VerifyError::ExitCode {
            expected: exit_code,
            got: proof.exit_code,
        });
    }
    if proof.journal.len() > JOURNAL_BYTES_MAX {
        return Err(VerifyError::JournalTooLong {
            got: proof.journal.len(),
        });
    }
    if !proof.ends.is_canonical() {
        return Err(VerifyError::NotCanonical);
    }
    let claim = Claim {
        exit_code,
        journal: proof.journal.clone(),
        ends: proof.ends,
    };
    zkvm_verifier::verify(
        &keys.config,
        &keys.proving.verifying,
        &context(expected),
        &public(public_messages(&keys.program, &claim)),
        &proof.tables,
    )?;
    Ok(Verified {
        journal: claim.journal,
        exit_code,
    })
}

/// What a proof is bound to besides key and public messages.
pub(crate) fn context(program_id: ProgramId) -> Vec<F> {
    program_id.0.iter().map(|byte| F::from_u8(*byte)).collect()
}
