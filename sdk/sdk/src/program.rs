//! A guest program: its ELF file, loaded.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use zkvm_inspect::{Report, Symbolizer};
use zkvm_machine::{ELF_BYTES_MAX, ProgramId, load};
use zkvm_prover::{Keys, Parameters, verify};

use crate::{Error, Journal, Proof};

/// A loaded guest program.
#[derive(Clone, Debug)]
pub struct Program {
    elf: Vec<u8>,
    machine: zkvm_machine::Program,
    /// The keys at the standard level, made when first needed.
    keys: Arc<OnceLock<Keys>>,
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
            keys: Arc::default(),
        })
    }

    /// The keys for proving and verifying at the standard level (100 bits). The first call commits
    /// to the program's tables; later ones return the same keys.
    ///
    /// # Errors
    /// [`Error::Keys`] if the program is too large to prove.
    pub fn keys(&self) -> Result<&Keys, Error> {
        if let Some(keys) = self.keys.get() {
            return Ok(keys);
        }
        let keys = Keys::new(&self.machine, Parameters::STANDARD)?;
        Ok(self.keys.get_or_init(|| keys))
    }

    /// Verifies that `proof` proves an execution of this program that halted with exit code 0, and
    /// returns its journal.
    ///
    /// # Errors
    /// [`Error::Rejected`] if it does not.
    pub fn verify(&self, proof: &Proof) -> Result<Journal, Error> {
        self.verify_exit(proof, 0)
    }

    /// Verifies that `proof` proves an execution of this program that halted with `exit_code`, and
    /// returns its journal.
    ///
    /// # Errors
    /// [`Error::Rejected`] if it does not.
    pub fn verify_exit(&self, proof: &Proof, exit_code: u32) -> Result<Journal, Error> {
        let verified = verify(self.keys()?, exit_code, &proof.0)?;
        Ok(Journal::new(verified.journal))
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
    pub fn report(&self) -> Report {
        Report::new(&self.machine)
    }
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
