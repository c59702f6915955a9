//! Runs cargo for a guest and finds what it built.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::{BuildError, BuildOptions, Guest, TARGET};

/// The guests' linker script; the runtime explains the layout.
const LINKER_SCRIPT: &str = include_str!("../../../guest/rt/link.ld");

/// Variables of a surrounding cargo or shell that would change the guest or confuse its build.
const DROPPED_VARIABLES: [&str; 10] = [
    "RUSTFLAGS",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_INCREMENTAL",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
    "RUSTC_BOOTSTRAP",
    "RUSTC_FORCE_INCREMENTAL",
    "RUSTC_LINKER",
    "RUSTC_WRAPPER",
    "RUSTC_WORKSPACE_WRAPPER",
];

/// How the names of further such variables begin: each of cargo's configuration keys has one.
const DROPPED_PREFIXES: [&str; 5] = [
    "CARGO_BUILD_",
    "CARGO_PROFILE_",
    "CARGO_RESOLVER_",
    "CARGO_TARGET_",
    "CARGO_UNSTABLE_",
];

/// What cargo made of a guest.
pub(crate) struct Built {
    /// The binaries, by name.
    pub(crate) guests: Vec<Guest>,
    /// The files and folders of this machine that they were built from.
    pub(crate) sources: Vec<PathBuf>,
}

/// Builds the package of `manifest`.
pub(crate) fn build(manifest: &Path, options: &BuildOptions) -> Result<Built, BuildError> {
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let metadata = metadata(manifest, options)?;
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
    drop_variables(&mut command);
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
            return Err(no_binary(manifest, Some(bin), &metadata));
        }
        return Err(BuildError::Compile { status });
    }
    let guests = binaries(&output.stdout);
    if guests.is_empty() {
        return Err(no_binary(manifest, options.bin.as_deref(), &metadata));
    }
    Ok(Built {
        guests,
        sources: sources(&metadata),
    })
}

/// Takes from `command` every variable that would change the guest.
fn drop_variables(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_dropped) {
            command.env_remove(name);
        }
    }
}

fn is_dropped(name: &str) -> bool {
    let mut prefixes = DROPPED_PREFIXES.iter();
    DROPPED_VARIABLES.contains(&name) || prefixes.any(|prefix| name.starts_with(prefix))
}

/// The packages that are folders on this machine: those without a source.
fn local_packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    let packages = metadata["packages"].as_array().into_iter().flatten();
    packages.filter(|package| package["source"].is_null())
}

/// What the guest is built from, as far as it lies on this machine: of each local package its
/// manifest, its `src` folder and the files outside it that are built; and the workspace's manifest
/// and lock file. Only what exists: cargo takes a file that is missing as one that changed.
fn sources(metadata: &Value) -> Vec<PathBuf> {
    let mut sources: Vec<PathBuf> = Vec::new();
    if let Some(root) = metadata["workspace_root"].as_str() {
        sources.extend(["Cargo.toml", "Cargo.lock"].map(|name| Path::new(root).join(name)));
    }
    for package in local_packages(metadata) {
        let Some(manifest) = package["manifest_path"].as_str().map(PathBuf::from) else {
            continue;
        };
        let folder = manifest.with_file_name("src");
        let targets = package["targets"].as_array().into_iter().flatten();
        let others = targets
            .filter(|target| {
                !matches!(
                    target["kind"][0].as_str(),
                    Some("test" | "bench" | "example")
                )
            })
            .filter_map(|target| target["src_path"].as_str().map(PathBuf::from))
            .filter(|path| !path.starts_with(&folder));
        sources.extend(others);
        sources.extend([manifest, folder]);
    }
    sources.retain(|path| path.exists());
    sources.sort();
    sources.dedup();
    sources
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
    for package in local_packages(metadata) {
        if let (Some(manifest), Some(name)) =
            (package["manifest_path"].as_str(), package["name"].as_str())
        {
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

fn no_binary(manifest: &Path, wanted: Option<&str>, metadata: &Value) -> BuildError {
    let available = binary_names(metadata, manifest);
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

fn metadata(manifest: &Path, options: &BuildOptions) -> Result<Value, BuildError> {
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
    command.arg(manifest);
    command.args(options.is_locked.then_some("--locked"));
    if !options.features.is_empty() {
        command.arg("--features").arg(options.features.join(","));
    }
    drop_variables(&mut command);
    command.stdin(Stdio::null());
    let output = command.output().map_err(|error| BuildError::NoTool {
        tool: cargo,
        reason: error.to_string(),
    })?;
    if !output.status.success() && !options.features.is_empty() {
        // The build says what is wrong with them.
        let features = Vec::new();
        return metadata(
            manifest,
            &BuildOptions {
                features,
                ..options.clone()
            },
        );
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_that_change_the_guest_are_dropped_and_those_that_find_it_are_kept() {
        for name in [
            "RUSTFLAGS",
            "CARGO_ENCODED_RUSTFLAGS",
            "CARGO_PROFILE_RELEASE_OPT_LEVEL",
            "CARGO_PROFILE_RELEASE_BUILD_OVERRIDE_DEBUG",
            "CARGO_BUILD_RUSTFLAGS",
            "CARGO_BUILD_RUSTC_WRAPPER",
            "CARGO_TARGET_DIR",
            "CARGO_TARGET_RISCV64IMAC_UNKNOWN_NONE_ELF_LINKER",
            "CARGO_UNSTABLE_BUILD_STD",
            "RUSTC_WRAPPER",
            "RUSTC_WORKSPACE_WRAPPER",
        ] {
            assert!(is_dropped(name), "{name}");
        }
        for name in [
            "PATH",
            "HOME",
            "CARGO",
            "CARGO_HOME",
            "CARGO_NET_OFFLINE",
            "CARGO_HTTP_PROXY",
            "RUSTUP_TOOLCHAIN",
        ] {
            assert!(!is_dropped(name), "{name}");
        }
    }

    #[test]
    fn sources_are_those_of_every_local_package_and_not_what_is_built() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let root = folder.path();
        let write = |name: &str, text: &str| {
            let path = root.join(name);
            let made = std::fs::create_dir_all(path.parent().unwrap_or(root));
            made.and_then(|()| std::fs::write(path, text))
                .expect("a file can be written");
        };
        let package = |name: &str, rest: &str| {
            format!("[package]\nname = \"{name}\"\nedition = \"2024\"\n{rest}")
        };
        let depends = "[dependencies]\nbeside = { path = \"../beside\" }\n[workspace]\n";
        write("guest/Cargo.toml", &package("guest", depends));
        write("guest/src/main.rs", "fn main() {}");
        write("guest/build.rs", "fn main() {}");
        write("guest/tests/all.rs", "");
        write("guest/target/old", "");
        write(
            "beside/Cargo.toml",
            &package("beside", "[lib]\npath = \"beside.rs\"\n"),
        );
        write("beside/beside.rs", "");
        let options = BuildOptions::new(root);
        let metadata = metadata(&root.join("guest/Cargo.toml"), &options).expect("it resolves");
        let names: Vec<_> = sources(&metadata)
            .iter()
            .filter_map(|path| Some(path.strip_prefix(root).ok()?.display().to_string()))
            .collect();
        let expected = [
            "beside/Cargo.toml",
            "beside/beside.rs",
            "guest/Cargo.lock",
            "guest/Cargo.toml",
            "guest/build.rs",
            "guest/src",
        ];
        assert_eq!(names, expected);
    }
}
