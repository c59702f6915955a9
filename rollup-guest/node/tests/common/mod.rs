//! Where fixtures are, and files in them.

#![allow(clippy::allow_attributes, reason = "see below")]
#![allow(
    dead_code,
    reason = "each test binary uses what it needs of this module"
)]

pub(crate) mod calls;
pub(crate) mod guests;
pub(crate) mod parts;
pub(crate) mod server;
pub(crate) mod world;

use std::path::{Path, PathBuf};

/// The folder of Ethereum's fixtures: in `ZKVM_FIXTURES`, or beside the repository. `None`, with a
/// notice, if it is not there.
pub(crate) fn ethereum() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let folder = std::env::var_os("ZKVM_FIXTURES")
        .map_or(beside, PathBuf::from)
        .join("ethereum");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!(
        "skipped: there is no {} (set ZKVM_FIXTURES)",
        folder.display()
    );
    None
}

/// All JSON files below a folder, sorted; none, with a notice, if it is not there.
pub(crate) fn json_files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else {
            eprintln!("skipped: there is no {}", folder.display());
            continue;
        };
        for entry in entries.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path
                .extension()
                .is_some_and(|extension| extension == "json")
            {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}
