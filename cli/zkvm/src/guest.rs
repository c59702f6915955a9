//! From what a person names to a loaded program: an ELF file, or a guest's folder to build.

use std::path::{Path, PathBuf};

use zkvm_build::{Build, BuildError, BuildOptions, Guest};
use zkvm_sdk::{Code, Program};

use crate::args::{BuildFlags, ProgramArgs};
use crate::failure::{ExitCode, Failure};
use crate::output::Output;

/// Builds the guest in `folder`.
pub(crate) fn build(folder: &Path, flags: &BuildFlags, output: &Output) -> Result<Build, Failure> {
    output.say(format_args!("building {}", folder.display()));
    let built = zkvm_build::build(&BuildOptions {
        bin: flags.bin.clone(),
        features: flags.features.clone(),
        is_locked: flags.locked,
        is_quiet: !output.is_loud(),
        may_install_target: !flags.no_install,
        ..BuildOptions::new(folder)
    })
    .map_err(build_failure)?;
    if built.installed_target {
        output.say(format_args!(
            "installed the Rust target {}",
            zkvm_build::TARGET
        ));
    }
    Ok(built)
}

/// Loads the program that `args` name, building it first if they name a folder.
pub(crate) fn load(args: &ProgramArgs, output: &Output) -> Result<(PathBuf, Program), Failure> {
    let path = if args.program.is_file() && !is_manifest(&args.program) {
        args.program.clone()
    } else {
        if !args.program.exists() {
            let cause = format!("{} does not exist", args.program.display());
            return Err(Failure::new(ExitCode::Input, Code(201), cause));
        }
        only(build(&args.program, &args.build, output)?.guests)?.path
    };
    let program = Program::from_file(&path)?;
    Ok((path, program))
}

fn is_manifest(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name == "Cargo.toml")
}

fn only(mut guests: Vec<Guest>) -> Result<Guest, Failure> {
    match guests.pop() {
        Some(guest) if guests.is_empty() => Ok(guest),
        last => {
            let names: Vec<String> = guests
                .into_iter()
                .chain(last)
                .map(|guest| guest.name)
                .collect();
            let cause = format!("the guest has several binaries: {}", names.join(", "));
            Err(Failure::new(ExitCode::Usage, Code(506), cause))
        }
    }
}

/// A build that failed, as people meet it.
pub(crate) fn build_failure(error: BuildError) -> Failure {
    let (exit, code) = match error {
        BuildError::NoManifest { .. } => (ExitCode::Input, 501),
        BuildError::NoTool { .. } => (ExitCode::Build, 502),
        BuildError::NoTarget { .. } => (ExitCode::Build, 503),
        BuildError::Compile { .. } => (ExitCode::Build, 504),
        BuildError::NoBinary { .. } => (ExitCode::Build, 505),
        BuildError::File { .. } => (ExitCode::Build, 201),
    };
    Failure::new(exit, Code(code), error.to_string())
}
