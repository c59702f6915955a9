//! `zkvm new`: a guest that builds and runs, with its runtime beside it.

use std::fs;
use std::path::Path;

use serde_json::json;
use zkvm_sdk::Code;

use crate::args::NewArgs;
use crate::embedded;
use crate::failure::{ExitCode, Failure};
use crate::output::Output;

const MANIFEST: &str = include_str!("../../template/Cargo.toml.in");
const MAIN: &str = include_str!("../../template/src/main.rs.in");
const IGNORE: &str = include_str!("../../template/gitignore.in");

/// Where the runtime goes inside the guest, with its folders as in the source tree, so that its
/// manifests' relative paths hold.
const RUNTIME_FOLDER: &str = "zkvm";
const RUNTIME: [&str; 2] = ["guest/rt/", "vm/isa/"];

/// Crates of every guest, which one of the same name would shadow or collide with.
const CRATES: [&str; 7] = [
    "alloc",
    "core",
    "proc_macro",
    "std",
    "test",
    "zkvm_guest",
    "zkvm_isa",
];

/// Folders that cargo makes where it puts binaries.
const FOLDERS: [&str; 4] = ["build", "deps", "examples", "incremental"];

/// Keywords of Rust, also those of other editions and those that are only reserved: cargo refuses
/// them as names. Source: The Rust Reference, "Keywords".
const KEYWORDS: [&str; 51] = [
    "abstract", "as", "async", "await", "become", "box", "break", "const", "continue", "crate",
    "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if", "impl",
    "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv", "pub", "ref",
    "return", "self", "static", "struct", "super", "trait", "true", "try", "type", "typeof",
    "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
];

pub(crate) fn run(args: &NewArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let name = package_name(&args.path)?;
    refuse_existing(&args.path)?;
    // Whole or not at all: build the folder aside, then move it into place.
    let parent = match args.path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|error| Failure::file(parent, &error))?;
    let aside = tempfile::Builder::new()
        .prefix(".zkvm-new-")
        .tempdir_in(parent)
        .map_err(|error| Failure::file(parent, &error))?;
    let folder = aside.path().join(&name);
    embedded::write_out(&folder.join(RUNTIME_FOLDER), &RUNTIME)?;
    let manifest = MANIFEST.replace("@NAME@", &name);
    embedded::write_below(&folder, "Cargo.toml", manifest.as_bytes())?;
    embedded::write_below(&folder, "src/main.rs", MAIN.as_bytes())?;
    embedded::write_below(&folder, ".gitignore", IGNORE.as_bytes())?;
    if args.path.is_dir() {
        fs::remove_dir(&args.path).map_err(|error| Failure::file(&args.path, &error))?;
    }
    fs::rename(&folder, &args.path).map_err(|error| Failure::file(&args.path, &error))?;
    let path = args.path.display().to_string();
    output.answer(&format!("{path}\n"), &json!({ "path": path, "name": name }))?;
    output.say(format_args!(
        "made the guest `{name}`; next: cd {path} && zkvm run --input 21"
    ));
    Ok(ExitCode::Ok)
}

/// The folder's name, if cargo takes it as a package name.
fn package_name(path: &Path) -> Result<String, Failure> {
    let name = path
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or("");
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic());
    let is_valid = starts_well
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    // Crate names have `_` for `-`, and some file systems have one letter for both cases.
    let crate_name = name.replace('-', "_").to_lowercase();
    let is_taken = [&CRATES[..], &FOLDERS, &KEYWORDS]
        .iter()
        .any(|names| names.contains(&crate_name.as_str()));
    if is_valid && !is_taken {
        return Ok(name.to_owned());
    }
    let cause = format!("`{name}` is not a name for a guest");
    Err(Failure::new(ExitCode::Usage, Code(507), cause))
}

fn refuse_existing(path: &Path) -> Result<(), Failure> {
    let is_empty_folder =
        path.is_dir() && fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if is_empty_folder || !path.exists() {
        return Ok(());
    }
    let cause = format!("{} exists already", path.display());
    Err(Failure::new(ExitCode::Input, Code(508), cause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_cannot_build_are_refused() {
        for name in [
            "build",
            "deps",
            "examples",
            "incremental",
            "zkvm-isa",
            "zkvm_isa",
            "zkvm-guest",
            "Zkvm-Guest",
            "proc-macro",
            "fn",
            "self",
            "Self",
            "gen",
            "1st",
            "é",
            "",
        ] {
            let refused = package_name(Path::new(name)).map_err(|failure| failure.code);
            assert_eq!(refused, Err(Code(507)), "{name}");
        }
        for name in ["a", "my-guest", "builder", "Fibonacci_2", "r"] {
            let taken = package_name(Path::new("some/folder").join(name).as_path());
            assert_eq!(taken.ok().as_deref(), Some(name));
        }
    }
}
