//! `zkvm completions`: a completion script for a shell.

use clap::CommandFactory;

use crate::args::{Args, CompletionsArgs};
use crate::failure::{ExitCode, Failure};
use crate::output::Output;

pub(crate) fn run(args: &CompletionsArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Args::command(), "zkvm", &mut script);
    output.bytes(&script)?;
    Ok(ExitCode::Ok)
}
