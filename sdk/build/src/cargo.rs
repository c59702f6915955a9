//! Runs cargo for a guest and finds what it built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{BuildError, BuildOptions, Guest, TARGET};

/// The guests' linker script; the runtime explains the layout.
const LINKER_SCRIPT: &str = include_str!("../../../guest/rt/link.ld");

/// Variables of a surrounding cargo or shell that would change the guest or confuse its build.
const DROPPED_VARIABLES: [&str; 9] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_BUILD_RUSTFLAGS",
    "CARGO_BUILD_TARGET",
    "CARGO_TARGET_DIR",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
    "RUSTC_WORKSPACE_WRAPPER",
    "CARGO_TARGET_RISCV64IMAC_UNKNOWN_NONE_ELF_RUSTFLAGS",
];

/// Builds the package of `manifest` and returns its binaries, by name.
pub(crate) fn build(manifest: &Path, options: &BuildOptions) -> Result<Vec<Guest>, BuildError> {
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let metadata = metadata(manifest, options.is_locked)?;
    let target_dir = match &options.target_dir {
        Some(path) => path.clone(),
        None => PathBuf::from(metadata["target_directory"].as_str().unwrap_or("target")),
    };
    let script = write_linker_script(&target_dir)?;
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(&cargo);
    command.args(["build", "--release", "--target", TARGET]);
    command.args(["--message-format", "json-render-diagnostics"]);
    command
        .arg("--manifest-path")
        .arg(manifest)
        .arg("--target-dir")
        .arg(&target_dir);
    if options.is_locked {
        command.arg("--locked");
    }
    if options.is_quiet {
        command.arg("--quiet");
    }
    if !options.features.is_empty() {
        command.arg("--features").arg(options.features.join(","));
    }
    if let Some(bin) = &options.bin {
        command.arg("--bin").arg(bin);
    }
    // A surrounding `cargo run` or `cargo test` names its own toolchain and package in many
    // variables; the guest's build must see none of them.
    for variable in DROPPED_VARIABLES {
        command.env_remove(variable);
    }
    command.env(
        "CARGO_ENCODED_RUSTFLAGS",
        rust_flags(&script, &metadata).join("\u{1f}"),
    );
    command.env("CARGO_PROFILE_RELEASE_DEBUG", "line-tables-only");
    command
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit());
    let output = command.output().map_err(|error| BuildError::NoTool {
        tool: cargo,
        reason: error.to_string(),
    })?;
    if !output.status.success() {
        let status = output
            .status
            .code()
            .map_or("none".to_owned(), |code| code.to_string());
        if let Some(bin) = &options.bin
            && output.stdout.is_empty()
        {
            return Err(no_binary(manifest, Some(bin)));
        }
        return Err(BuildError::Compile { status });
    }
    let guests = binaries(&output.stdout);
    if guests.is_empty() {
        return Err(no_binary(manifest, options.bin.as_deref()));
    }
    Ok(guests)
}

/// Compiler flags: our layout, no atomic instructions (one hart needs none), and no path of this
/// machine in what is compiled, so that a guest has one identity wherever it is built.
fn rust_flags(script: &Path, metadata: &Value) -> Vec<String> {
    let mut flags = vec![
        format!("-Clink-arg=-T{}", script.display()),
        "-Cpasses=lower-atomic".to_owned(),
    ];
    let mut remaps: Vec<(PathBuf, String)> = Vec::new();
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    if let Some(home) = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))) {
        remaps.push((home, "/cargo".to_owned()));
    }
    // Packages without a source are folders on this machine.
    for package in metadata["packages"].as_array().into_iter().flatten() {
        if let (Value::Null, Some(manifest), Some(name)) = (
            &package["source"],
            package["manifest_path"].as_str(),
            package["name"].as_str(),
        ) {
            let folder = Path::new(manifest).parent().unwrap_or(Path::new("/"));
            remaps.push((folder.to_owned(), format!("/{name}")));
        }
    }
    if let Some(root) = metadata["workspace_root"].as_str() {
        remaps.retain(|(folder, _)| !folder.starts_with(root));
        remaps.push((PathBuf::from(root), ".".to_owned()));
    }
    // Of several prefixes that match, the compiler takes the last.
    remaps.sort_by_key(|(folder, _)| folder.as_os_str().len());
    flags.extend(
        remaps
            .iter()
            .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display())),
    );
    flags
}

/// Writes the linker script below the target folder, unless it is there already.
fn write_linker_script(target_dir: &Path) -> Result<PathBuf, BuildError> {
    let folder = target_dir.join("zkvm");
    let path = folder.join("link.ld");
    let is_current = std::fs::read_to_string(&path).is_ok_and(|text| text == LINKER_SCRIPT);
    if !is_current {
        let failed = |error: std::io::Error| BuildError::File {
            action: "write",
            path: path.clone(),
            reason: error.to_string(),
        };
        std::fs::create_dir_all(&folder).map_err(failed)?;
        std::fs::write(&path, LINKER_SCRIPT).map_err(failed)?;
    }
    Ok(path)
}

/// The executables among cargo's JSON messages.
fn binaries(messages: &[u8]) -> Vec<Guest> {
    let mut guests: Vec<Guest> = String::from_utf8_lossy(messages)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| {
            let path = PathBuf::from(message["executable"].as_str()?);
            Some(Guest {
                name: message["target"]["name"].as_str()?.to_owned(),
                path,
            })
        })
        .collect();
    guests.sort_by(|a, b| a.name.cmp(&b.name));
    guests
}

fn no_binary(manifest: &Path, wanted: Option<&str>) -> BuildError {
    let available = binary_names(&metadata(manifest, false).unwrap_or_default(), manifest);
    BuildError::NoBinary {
        manifest: manifest.to_owned(),
        wanted: wanted.map_or(String::new(), |name| format!(" called `{name}`")),
        available: if available.is_empty() {
            "none".to_owned()
        } else {
            available.join(", ")
        },
    }
}

/// The binaries of the package of `manifest`.
fn binary_names(metadata: &Value, manifest: &Path) -> Vec<String> {
    let packages = metadata["packages"].as_array().cloned().unwrap_or_default();
    packages
        .iter()
        .filter(|package| package["manifest_path"].as_str() == manifest.to_str())
        .flat_map(|package| package["targets"].as_array().cloned().unwrap_or_default())
        .filter(|target| target["kind"][0] == "bin")
        .filter_map(|target| Some(target["name"].as_str()?.to_owned()))
        .collect()
}

fn metadata(manifest: &Path, is_locked: bool) -> Result<Value, BuildError> {
    let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
    let mut command = Command::new(&cargo);
    command.args([
        "metadata",
        "--format-version",
        "1",
        "--filter-platform",
        TARGET,
        "--manifest-path",
    ]);
    command.arg(manifest).args(is_locked.then_some("--locked"));
    command.stdin(Stdio::null()).env_remove("CARGO_TARGET_DIR");
    let output = command.output().map_err(|error| BuildError::NoTool {
        tool: cargo,
        reason: error.to_string(),
    })?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        return Err(BuildError::File {
            action: "read",
            path: manifest.to_owned(),
            reason: said,
        });
    }
    serde_json::from_slice(&output.stdout).map_err(|error| BuildError::File {
        action: "read",
        path: manifest.to_owned(),
        reason: error.to_string(),
    })
}
