//! Builds guest programs with the stock stable toolchain: no custom target, no container.
//!
//! In the `main` of a host crate's build script:
//!
//! ```no_run
//! zkvm_build::build_script("guest");
//! ```
//!
//! and then in the host crate, for a guest binary called `fibonacci`:
//!
//! ```ignore
//! const ELF: &[u8] = include_bytes!(env!("ZKVM_GUEST_FIBONACCI"));
//! ```
//!
//! A guest whose path dependencies lie inside its workspace, as `zkvm new` makes them, builds to the
//! same program wherever its folder is: paths are remapped, flags from the surrounding build are not
//! passed on, and debug information (not part of a program's identity) holds line tables only. Cargo
//! names path dependencies outside the workspace by their place, which can reorder the code.

#![forbid(unsafe_code)]

mod cargo;
mod target;

use std::path::{Path, PathBuf};

use thiserror::Error;

/// The target that guests are built for.
pub const TARGET: &str = "riscv64imac-unknown-none-elf";

/// What to build, and where the results go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuildOptions {
    /// The guest's folder, or its `Cargo.toml`.
    pub guest: PathBuf,
    /// Build only this binary.
    pub bin: Option<String>,
    /// Where cargo keeps its results; `None` for the guest's own `target` folder.
    pub target_dir: Option<PathBuf>,
    /// Cargo features to enable.
    pub features: Vec<String>,
    /// Fail rather than change `Cargo.lock`.
    pub is_locked: bool,
    /// Show warnings and errors only, not cargo's progress.
    pub is_quiet: bool,
    /// Install the target by `rustup` if it is missing.
    pub may_install_target: bool,
}

impl BuildOptions {
    /// Builds every binary of the guest at `guest`, installing the target if need be.
    pub fn new(guest: impl Into<PathBuf>) -> Self {
        BuildOptions {
            guest: guest.into(),
            bin: None,
            target_dir: None,
            features: Vec::new(),
            is_locked: false,
            is_quiet: false,
            may_install_target: true,
        }
    }
}

/// One built guest binary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// Name of the binary.
    pub name: String,
    /// The ELF file.
    pub path: PathBuf,
}

/// What a build did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// The binaries, by name.
    pub guests: Vec<Guest>,
    /// The files and folders of this machine that they were built from: of every local package the
    /// manifest and the sources, not what was built.
    pub sources: Vec<PathBuf>,
    /// Whether the target had to be installed first.
    pub installed_target: bool,
}

/// Why a guest could not be built. Each variant's text says what to do next.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum BuildError {
    /// The folder has no package.
    #[error("{} has no Cargo.toml; name a guest's folder, or make one with `zkvm new`", path.display())]
    NoManifest {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// A tool could not be started.
    #[error("cannot run `{tool}`: {reason}; install Rust from https://rustup.rs")]
    NoTool {
        /// The program.
        tool: String,
        /// What the system said.
        reason: String,
    },
    /// The target is missing and could not be installed.
    #[error(
        "the Rust target {TARGET} is not installed{tried}; run `rustup target add {TARGET}`, or \
         install your distribution's package of it"
    )]
    NoTarget {
        /// What was tried, beginning with a separator; empty if nothing was.
        tried: String,
    },
    /// The compiler refused the guest; it has said why on standard error.
    #[error(
        "the guest does not build (cargo exit status {status}); see the compiler's messages above"
    )]
    Compile {
        /// How cargo ended.
        status: String,
    },
    /// The package has no binary, or not the one asked for.
    #[error("{} builds no binary{wanted}; it has: {available}", manifest.display())]
    NoBinary {
        /// The package.
        manifest: PathBuf,
        /// The name that was asked for, quoted; empty if none.
        wanted: String,
        /// The names there are.
        available: String,
    },
    /// A file could not be read or written.
    #[error("cannot {action} {}: {reason}", path.display())]
    File {
        /// What was tried.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
}

/// Builds the guest that `options` describe. Compiler messages go to standard error.
///
/// # Errors
/// [`BuildError`] says what is missing or wrong and what to do about it.
pub fn build(options: &BuildOptions) -> Result<Build, BuildError> {
    let manifest = find_manifest(&options.guest)?;
    let folder = manifest.parent().unwrap_or(Path::new("."));
    let installed_target = target::ensure(folder, options.may_install_target)?;
    let built = cargo::build(&manifest, options)?;
    Ok(Build {
        guests: built.guests,
        sources: built.sources,
        installed_target,
    })
}

/// Where the libraries of [`TARGET`] are, for the toolchain that serves `folder`; `None` if the
/// target is not installed.
///
/// # Errors
/// [`BuildError::NoTool`] if there is no compiler.
pub fn target_libraries(folder: &Path) -> Result<Option<PathBuf>, BuildError> {
    target::libraries(folder)
}

/// Builds the guest in folder `guest` (relative to the package) from a build script.
///
/// For each binary it sets `ZKVM_GUEST_<NAME>` (upper case, `-` as `_`) to the path of the ELF
/// file, for `include_bytes!(env!(…))`, and it asks cargo to run again when the guest changes, or
/// a package beside it that it depends on.
///
/// # Panics
/// With the error's text if the build fails: that is how a build script reports.
pub fn build_script(guest: impl AsRef<Path>) {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let package = variable("CARGO_MANIFEST_DIR").unwrap_or_default();
    let options = BuildOptions {
        // The surrounding cargo holds the lock of its own target folder.
        target_dir: variable("OUT_DIR").map(|out| out.join("zkvm-guest")),
        ..BuildOptions::new(package.join(guest))
    };
    let built = build(&options).unwrap_or_else(|error| panic!("{error}"));
    let mut lines: Vec<String> = built
        .sources
        .iter()
        .map(|path| format!("cargo::rerun-if-changed={}", path.display()))
        .collect();
    for guest in built.guests {
        let name = guest.name.to_uppercase().replace('-', "_");
        lines.push(format!(
            "cargo::rustc-env=ZKVM_GUEST_{name}={}",
            guest.path.display()
        ));
    }
    for line in lines {
        emit(&line);
    }
}

/// Speaks to cargo, which reads a build script's standard output.
#[expect(
    clippy::print_stdout,
    reason = "standard output is cargo's protocol here"
)]
fn emit(line: &str) {
    println!("{line}");
}

fn find_manifest(guest: &Path) -> Result<PathBuf, BuildError> {
    let manifest = if guest.file_name().is_some_and(|name| name == "Cargo.toml") {
        guest.to_owned()
    } else {
        guest.join("Cargo.toml")
    };
    if !manifest.is_file() {
        return Err(BuildError::NoManifest {
            path: guest.to_owned(),
        });
    }
    manifest.canonicalize().map_err(|error| BuildError::File {
        action: "open",
        path: manifest,
        reason: error.to_string(),
    })
}
