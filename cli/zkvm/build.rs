//! Embeds what the command needs to work without a source checkout: the guest runtime and the
//! crate it depends on (for `zkvm new`), and the example guests (for `zkvm bench`).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

const EMBEDDED: [&str; 3] = ["guest/rt", "guest/examples", "vm/isa"];

fn main() -> io::Result<()> {
    let package = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default());
    let root = package.join("../..").canonicalize()?;
    let mut files = Vec::new();
    for folder in EMBEDDED {
        collect(&root.join(folder), &mut files)?;
    }
    files.sort();
    let mut source = String::from("pub(crate) const FILES: &[(&str, &[u8])] = &[\n");
    for file in &files {
        let name = file
            .strip_prefix(&root)
            .unwrap_or(file)
            .display()
            .to_string();
        let _ = writeln!(
            source,
            "    ({name:?}, include_bytes!({:?})),",
            file.display()
        );
    }
    source.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").unwrap_or_default());
    fs::write(out.join("embedded.rs"), source)
}

/// Adds the files below `folder`, without build results.
fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    println!("cargo::rerun-if-changed={}", folder.display());
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                collect(&path, files)?;
            }
        } else {
            files.push(path);
        }
    }
    Ok(())
}
