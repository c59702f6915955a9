//! Reading and writing work files.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use zkvm_rollup_node::work::{BYTES_MAX, Work};
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::write_file;

use crate::failures;

/// Reads a file, no further than work files are long.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &std::io::Error| Failure::file(path, error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// Reads a work file.
pub(crate) fn work(path: &Path) -> Result<Work, Failure> {
    Work::from_bytes(&read(path)?).map_err(|error| failures::work(path, &error))
}

/// Writes a work file.
pub(crate) fn write_work(path: &Path, work: &Work) -> Result<(), Failure> {
    write_file(path, &work.to_bytes())
}

/// Creates a folder if it is not there.
pub(crate) fn create_folder(path: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(path).map_err(|error| Failure::file(path, &error))
}
