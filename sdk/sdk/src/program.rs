//! A guest program: its ELF file, loaded.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use zkvm_inspect::{Report as CodeReport, Symbolizer};
use zkvm_machine::{ELF_BYTES_MAX, ProgramId, load};
use zkvm_prover::{
    Blake3Config, Config, Keys, Level, Poseidon2Config, Report, Security, VerifyError, report,
    verify,
};

use crate::proof::AnyProof;
use crate::{Error, Journal, Proof};

/// A loaded guest program.
#[derive(Clone, Debug)]
pub struct Program {
    elf: Vec<u8>,
    machine: zkvm_machine::Program,
    /// The keys by hash, and by level, made when first needed.
    blake3: Arc<[OnceLock<Keys<Blake3Config>>; 2]>,
    poseidon2: Arc<[OnceLock<Keys<Poseidon2Config>>; 2]>,
}

/// What a verifier demands of a proof, besides that it is of the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Demand {
    /// The exit code.
    pub exit_code: u32,
    /// The least level of security.
    pub level: Level,
}

impl Default for Demand {
    /// Exit code 0, the standard level.
    fn default() -> Self {
        Demand {
            exit_code: 0,
            level: Level::Standard,
        }
    }
}

impl Program {
    /// Loads the bytes of an ELF file.
    ///
    /// # Errors
    /// [`Error::Load`] names what the machine does not accept and where.
    pub fn from_elf(elf: &[u8]) -> Result<Self, Error> {
        Program::new(elf.to_vec())
    }

    /// Reads and loads an ELF file, no further than [`ELF_BYTES_MAX`].
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Load`] if it is no guest.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let failed = |error: std::io::Error| Error::File {
            path: path.to_owned(),
            reason: error.to_string(),
        };
        let mut elf = Vec::new();
        // One byte more than allowed, so that the loader sees that the file is too long.
        let limit = ELF_BYTES_MAX as u64 + 1;
        let file = File::open(path).map_err(failed)?;
        file.take(limit).read_to_end(&mut elf).map_err(failed)?;
        Program::new(elf)
    }

    fn new(elf: Vec<u8>) -> Result<Self, Error> {
        let machine = load(&elf)?;
        Ok(Program {
            elf,
            machine,
            blake3: Arc::default(),
            poseidon2: Arc::default(),
        })
    }

    /// The keys for proving and verifying with BLAKE3 at `level`. The first call prepares them;
    /// later ones return the same keys.
    ///
    /// # Errors
    /// [`Error::Keys`] if the program is too large to prove.
    pub fn keys(&self, level: Level) -> Result<&Keys<Blake3Config>, Error> {
        prepared(&self.blake3, &self.machine, level)
    }

    /// The same with Poseidon2.
    ///
    /// # Errors
    /// As [`Self::keys`].
    pub fn keys_poseidon2(&self, level: Level) -> Result<&Keys<Poseidon2Config>, Error> {
        prepared(&self.poseidon2, &self.machine, level)
    }

    /// Verifies that `proof` proves an execution of this program that halted with exit code 0, at
    /// the standard level or above, and returns its journal.
    ///
    /// # Errors
    /// [`Error::Rejected`] if it does not.
    pub fn verify(&self, proof: &Proof) -> Result<Journal, Error> {
        self.verify_as(proof, &Demand::default())
    }

    /// Verifies that `proof` proves an execution of this program as demanded, and returns its
    /// journal.
    ///
    /// # Errors
    /// [`Error::Rejected`] if it does not.
    pub fn verify_as(&self, proof: &Proof, demand: &Demand) -> Result<Journal, Error> {
        // A proof of a higher level is as good; of no level, it is checked against the demanded one
        // and refused for its parameters.
        let demanded = demand.level.bits();
        if proof.level().is_some_and(|level| level < demand.level) {
            let report = self.security(proof)?;
            if report.bits().floor() < demanded {
                return Err(Error::Rejected(VerifyError::Security {
                    demanded,
                    got: report.bits().floor(),
                    binding: report.binding(),
                }));
            }
        }
        let level = match (proof.level(), demand.level) {
            (Some(level), _) => level,
            (None, demanded) => demanded,
        };
        let exit_code = demand.exit_code;
        let verified = match &proof.0 {
            AnyProof::Blake3(proof) => verify(self.keys(level)?, exit_code, proof)?,
            AnyProof::Poseidon2(proof) => verify(self.keys_poseidon2(level)?, exit_code, proof)?,
        };
        Ok(Journal::new(verified.journal))
    }

    /// The bits of security of a proof of this program, term by term. It says nothing of whether
    /// the proof holds.
    ///
    /// # Errors
    /// [`Error::Rejected`] if the proof is of another shape than proofs of this program have.
    pub fn security(&self, proof: &Proof) -> Result<Report, Error> {
        let level = proof.level().unwrap_or(Level::Standard);
        Ok(match &proof.0 {
            AnyProof::Blake3(proof) => report(self.keys(level)?, proof)?,
            AnyProof::Poseidon2(proof) => report(self.keys_poseidon2(level)?, proof)?,
        })
    }

    /// The program's identity, which a verifier is given.
    #[must_use]
    pub fn id(&self) -> ProgramId {
        self.machine.id()
    }

    /// The program as the machine sees it.
    #[must_use]
    pub fn machine(&self) -> &zkvm_machine::Program {
        &self.machine
    }

    /// Looks up functions and lines; reads the debug information anew at each call.
    #[must_use]
    pub fn symbolizer(&self) -> Symbolizer<'_> {
        Symbolizer::new(&self.elf, &self.machine)
    }

    /// What the program's code consists of.
    #[must_use]
    pub fn report(&self) -> CodeReport {
        CodeReport::new(&self.machine)
    }
}

/// The keys of `level` in `keys`, made if they are not there yet.
fn prepared<'a, C: Config>(
    keys: &'a [OnceLock<Keys<C>>; 2],
    program: &zkvm_machine::Program,
    level: Level,
) -> Result<&'a Keys<C>, Error> {
    let [standard, high] = keys;
    let of_level = match level {
        Level::Standard => standard,
        Level::High => high,
    };
    if let Some(keys) = of_level.get() {
        return Ok(keys);
    }
    let keys = Keys::new(program, Security::of(level))?;
    Ok(of_level.get_or_init(|| keys))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file without an end: reading it whole would take all memory there is.
    #[cfg(unix)]
    #[test]
    fn a_file_is_read_no_further_than_the_loader_allows() {
        let size_bytes = ELF_BYTES_MAX + 1;
        let refused = Program::from_file("/dev/zero").err();
        let expected = Error::Load(zkvm_machine::LoadError::TooLong { size_bytes });
        assert_eq!(refused, Some(expected));
    }
}
