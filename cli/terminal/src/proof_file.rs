//! Reading proof files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zkvm_sdk::{Code, Proof};

use crate::failure::{ExitCode, Failure};

/// Longest proof file that is read, in bytes.
const PROOF_BYTES_MAX: u64 = 1 << 30;

/// A proof, and the length of its file.
pub fn read(path: &Path) -> Result<(Proof, u64), Failure> {
    let failed = |error: &std::io::Error| Failure::file(path, error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(PROOF_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    let length = bytes.len() as u64;
    if length > PROOF_BYTES_MAX {
        let cause = format!("{} is longer than any proof", path.display());
        return Err(Failure::new(ExitCode::Input, Code(407), cause));
    }
    Ok((Proof::from_bytes(&bytes)?, length))
}

/// Whether the file begins as proof files do.
pub fn is_proof(path: &Path) -> bool {
    let mut start = [0; Proof::MAGIC.len()];
    let read = File::open(path).and_then(|mut file| file.read_exact(&mut start));
    read.is_ok() && start == *Proof::MAGIC
}
