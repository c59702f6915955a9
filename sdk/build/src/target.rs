//! Makes sure that the compiler has the guests' target.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::{BuildError, TARGET};

/// Installs the target if `folder`'s toolchain lacks it; returns whether it had to.
///
/// `folder` matters because a `rust-toolchain.toml` there may select another toolchain.
pub(crate) fn ensure(folder: &Path, may_install: bool) -> Result<bool, BuildError> {
    if libraries(folder)?.is_some() {
        return Ok(false);
    }
    if !may_install {
        return Err(BuildError::NoTarget {
            tried: String::new(),
        });
    }
    let mut rustup = Command::new("rustup");
    rustup.args(["target", "add", TARGET]).current_dir(folder);
    rustup.stdin(Stdio::null()).stdout(Stdio::null());
    let tried = match rustup.output() {
        Ok(output) if output.status.success() && libraries(folder)?.is_some() => return Ok(true),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            let last = said
                .lines()
                .rev()
                .find(|line| !line.trim().is_empty())
                .unwrap_or("");
            format!(" (tried `rustup target add`: {})", last.trim())
        }
        Err(error) => format!(" (tried `rustup target add`: {error})"),
    };
    Err(BuildError::NoTarget { tried })
}

/// The target's library folder in the toolchain that serves `folder`, if it has something in it.
pub(crate) fn libraries(folder: &Path) -> Result<Option<PathBuf>, BuildError> {
    let rustc = std::env::var("RUSTC").unwrap_or_else(|_| "rustc".to_owned());
    let mut command = Command::new(&rustc);
    command
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(folder);
    let output = command.output().map_err(|error| BuildError::NoTool {
        tool: rustc,
        reason: error.to_string(),
    })?;
    if !output.status.success() {
        return Ok(None);
    }
    let path = PathBuf::from(String::from_utf8_lossy(&output.stdout).trim());
    let has_entries = std::fs::read_dir(&path).is_ok_and(|mut entries| entries.next().is_some());
    Ok(Some(path).filter(|_| has_entries))
}
