//! `zkvm rollup`: starts `zkvm-rollup`, which has the dependencies that `zkvm` is free of.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use clap::ValueEnum;
use zkvm_sdk::Code;

use crate::args::{Args, Color, Format, RollupArgs, ShowProgress};
use crate::escape;
use crate::failure::{ExitCode, Failure};

/// The command's name, without the system's suffix.
const NAME: &str = "zkvm-rollup";

/// Becomes the other command, or waits for it where a process cannot become another one. Its exit
/// code is this one's.
pub(crate) fn run(args: &Args, rollup: &RollupArgs) -> Result<ExitCode, Failure> {
    let program = beside().unwrap_or_else(|| NAME.into());
    let mut command = Command::new(program);
    command.args(common(args)).args(&rollup.arguments);
    let error = start(&mut command);
    let name = command.get_program().to_string_lossy();
    let cause = format!("cannot start {}: {error}", escape::line(&name));
    let (exit, code) = if error.kind() == io::ErrorKind::NotFound {
        (ExitCode::Input, 601)
    } else {
        (ExitCode::Input, 201)
    };
    Err(Failure::new(exit, Code(code), cause))
}

/// The command in the folder of this one; else it is looked for in PATH.
fn beside() -> Option<PathBuf> {
    let name = format!("{NAME}{}", std::env::consts::EXE_SUFFIX);
    let path = std::env::current_exe().ok()?.with_file_name(name);
    path.is_file().then_some(path)
}

/// The flags that all verbs have, where they do not say what is said without them.
fn common(args: &Args) -> Vec<String> {
    let mut flags = Vec::new();
    let valued = [
        ("--format", value(args.format, Format::Human)),
        ("--color", value(args.color, Color::Auto)),
        ("--progress", value(args.progress, ShowProgress::Auto)),
        ("--max-memory", args.max_memory.map(|size| size.to_string())),
    ];
    for (name, value) in valued {
        if let Some(value) = value {
            flags.extend([name.to_owned(), value]);
        }
    }
    for (name, is_set) in [("--verbose", args.verbose), ("--quiet", args.quiet)] {
        if is_set {
            flags.push(name.to_owned());
        }
    }
    flags
}

/// The name of a flag's value, unless it is the default.
fn value<T: ValueEnum + PartialEq>(value: T, default: T) -> Option<String> {
    let name = value.to_possible_value()?.get_name().to_owned();
    (value != default).then_some(name)
}

#[cfg(unix)]
fn start(command: &mut Command) -> io::Error {
    use std::os::unix::process::CommandExt;
    command.exec()
}

#[cfg(not(unix))]
fn start(command: &mut Command) -> io::Error {
    match command.status() {
        Ok(status) => std::process::exit(status.code().unwrap_or(ExitCode::Bug.number())),
        Err(error) => error,
    }
}
