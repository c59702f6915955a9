//! The command as a script meets it, and inputs for it.

#![allow(clippy::allow_attributes, reason = "see below")]
#![allow(
    dead_code,
    reason = "each test binary uses what it needs of this module"
)]

pub(crate) mod batch;
#[path = "../../../node/tests/common/world.rs"]
pub(crate) mod world;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// What the command left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The answer as JSON: one document, and nothing else.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.code, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the exit code, and that an error of this number is reported with a next step and
    /// nothing is answered.
    #[track_caller]
    pub(crate) fn assert_error(&self, code: i32, number: u16) {
        assert_eq!(self.code, code, "{}", self.stderr);
        let heading = format!("error[ZK{number:04}]: ");
        assert!(self.stderr.contains(&heading), "{}", self.stderr);
        assert!(self.stderr.contains("next: "), "{}", self.stderr);
        assert_eq!(self.stdout, "");
    }

    /// The same where answers are JSON, and so errors too.
    #[track_caller]
    pub(crate) fn assert_error_json(&self, code: i32, number: u16) {
        assert_eq!(self.code, code, "{}", self.stderr);
        let field = format!("\"code\": \"ZK{number:04}\"");
        assert!(self.stderr.contains(&field), "{}", self.stderr);
        assert_eq!(self.stdout, "");
    }
}

pub(crate) fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

/// Names of all that is in a folder, sorted.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// Runs the command in a folder.
pub(crate) fn rollup(folder: &Path, arguments: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_zkvm-rollup"))
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null())
        .args(arguments)
        .output()
        .unwrap();
    Ran {
        code: output.status.code().unwrap(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A file of Ethereum's fixtures: in `ZKVM_FIXTURES`, or beside the repository. `None`, with a
/// notice, if it is not there.
pub(crate) fn fixture(name: &str) -> Option<String> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/fixtures");
    let folder = std::env::var_os("ZKVM_FIXTURES").map_or(beside, PathBuf::from);
    let path = folder.join("ethereum").join(name);
    if let Ok(path) = path.canonicalize() {
        return Some(path.to_str().unwrap().to_owned());
    }
    eprintln!(
        "skipped: there is no {} (set ZKVM_FIXTURES)",
        path.display()
    );
    None
}

/// The cheapest block with a transfer.
pub(crate) const TRANSFER: &str =
    "ethereum-tests/BlockchainTests/ValidBlocks/bcValidBlockTest/SimpleTx.json";
