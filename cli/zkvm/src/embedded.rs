//! The files that travel inside the command, and writing them out.

use std::fs;
use std::path::Path;

use crate::failure::Failure;

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// Writes the embedded files whose paths begin with one of `prefixes` below `folder`.
pub(crate) fn write_out(folder: &Path, prefixes: &[&str]) -> Result<(), Failure> {
    for (name, bytes) in FILES {
        if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
            write_below(folder, name, bytes)?;
        }
    }
    Ok(())
}

/// Writes one file below `folder`, making the folders between.
pub(crate) fn write_below(folder: &Path, name: &str, bytes: &[u8]) -> Result<(), Failure> {
    let path = folder.join(name);
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(|error| Failure::file(parent, &error))?;
    }
    fs::write(&path, bytes).map_err(|error| Failure::file(&path, &error))
}
