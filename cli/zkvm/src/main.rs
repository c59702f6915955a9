//! The `zkvm` command.
//!
//! Standard output carries the answer only; everything else goes to standard error. Exit codes
//! are listed in [`failure::ExitCode`].

#![forbid(unsafe_code)]

mod args;
mod commands;
mod console;
mod embedded;
mod guest;
mod input;
mod phases;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;

use clap::Parser;
pub(crate) use zkvm_terminal::{
    codes, escape, failure, interrupt, number, outcome, output, process, progress, proof_file,
    proving,
};

use crate::args::{Args, Command};
use crate::failure::{ExitCode, Failure};
use crate::output::Output;

fn main() {
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are answers, not usage errors; clap knows which stream is theirs.
            let code = if error.use_stderr() {
                ExitCode::Usage
            } else {
                ExitCode::Ok
            };
            let _ = error.print();
            exit(code.number());
        }
    };
    args.color.apply();
    interrupt::install();
    let mut output = Output::new(args.format, args.verbosity());
    let code = match catch_unwind(AssertUnwindSafe(|| dispatch(args, &mut output))) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => output.failure(&failure),
        Err(_) => output.failure(&Failure::bug()),
    };
    exit(code.number());
}

fn dispatch(args: Args, output: &mut Output) -> Result<ExitCode, Failure> {
    let limits = args.limits();
    let max_memory = args.max_memory;
    match args.command {
        Command::New(args) => commands::new::run(&args, output),
        Command::Build(args) => commands::build::run(&args, output),
        Command::Run(args) => commands::run::run(&args, limits, output),
        Command::Prove(prove) => commands::prove::run(&prove, max_memory, args.progress, output),
        Command::Verify(args) => commands::verify::run(&args, output),
        Command::Id(args) => commands::id::run(&args, output),
        Command::Inspect(args) => commands::inspect::run(&args, output),
        Command::Cost(args) => commands::cost::run(&args, max_memory, output),
        Command::Bench(args) => commands::bench::run(&args, max_memory, output),
        Command::Rollup(ref rollup) => commands::rollup::run(&args, rollup),
        Command::Doctor => commands::doctor::run(output),
        Command::Explain(args) => commands::explain::run(&args, output),
        Command::Completions(args) => commands::completions::run(&args, output),
    }
}
