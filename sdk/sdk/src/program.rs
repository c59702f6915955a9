//! A guest program: its ELF file, loaded.

use std::path::Path;

use zkvm_inspect::{Report, Symbolizer};
use zkvm_machine::{ProgramId, load};

use crate::Error;

/// A loaded guest program.
#[derive(Clone, Debug)]
pub struct Program {
    elf: Vec<u8>,
    machine: zkvm_machine::Program,
}

impl Program {
    /// Loads the bytes of an ELF file.
    ///
    /// # Errors
    /// [`Error::Load`] names what the machine does not accept and where.
    pub fn from_elf(elf: &[u8]) -> Result<Self, Error> {
        Ok(Program {
            elf: elf.to_vec(),
            machine: load(elf)?,
        })
    }

    /// Reads and loads an ELF file.
    ///
    /// # Errors
    /// [`Error::File`] if it cannot be read, [`Error::Load`] if it is no guest.
    pub fn from_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let elf = std::fs::read(path).map_err(|error| Error::File {
            path: path.to_owned(),
            reason: error.to_string(),
        })?;
        Program::from_elf(&elf)
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
