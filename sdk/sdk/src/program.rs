//! A guest program: its ELF file, loaded.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zkvm_inspect::{Report, Symbolizer};
use zkvm_machine::{ELF_BYTES_MAX, ProgramId, load};

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
        let machine = load(&elf)?;
        Ok(Program { elf, machine })
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
