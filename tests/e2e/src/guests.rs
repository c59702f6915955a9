//! Guest packages, built below the workspace's own target folder, once per run of the tests.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use zkvm_build::{BuildOptions, build};

/// The repository's root.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// Where the guests of a folder are built, given the folder cargo keeps for tests. Each has one of
/// its own: the flags name the folder, so that two in one would build everything anew in turns.
#[must_use]
pub fn target_dir(temporary: &str, guest: &Path) -> PathBuf {
    let name = guest.file_name().unwrap_or_default();
    Path::new(temporary).join("guests").join(name)
}

/// Builds the binaries of a guest package or workspace and gives their names and files.
///
/// Panics if it does not build.
#[must_use]
#[track_caller]
pub fn build_all(guest: &Path, target_dir: &Path) -> Vec<(String, PathBuf)> {
    let built = build(&BuildOptions {
        target_dir: Some(target_dir.to_owned()),
        is_locked: true,
        is_quiet: true,
        ..BuildOptions::new(guest)
    });
    let built = built.unwrap_or_else(|error| panic!("{}: {error}", guest.display()));
    let named = built.guests.into_iter();
    named.map(|guest| (guest.name, guest.path)).collect()
}

/// The ELF file of an example, or of one of the test guests `accel` and `io`.
///
/// Panics if there is none of that name. `temporary` is `CARGO_TARGET_TMPDIR`.
#[must_use]
#[track_caller]
pub fn elf(name: &str, temporary: &str) -> Vec<u8> {
    static BUILT: OnceLock<Vec<(String, PathBuf)>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        ["guest/examples", "tests/guests/accel", "tests/guests/io"]
            .iter()
            .map(|folder| root().join(folder))
            .flat_map(|folder| build_all(&folder, &target_dir(temporary, &folder)))
            .collect()
    });
    let found = built.iter().find(|(known, _)| known == name);
    let (_, path) = found.unwrap_or_else(|| panic!("no guest is called {name}: {built:?}"));
    fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
