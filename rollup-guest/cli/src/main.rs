//! The `zkvm-rollup` command, which `zkvm rollup` starts.
//!
//! It speaks as `zkvm` does: the answer on standard output, everything else on standard error, the
//! same exit codes.

#![forbid(unsafe_code)]

mod args;
mod claims;
mod commands;
mod failures;
mod files;
mod guests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::exit;

use clap::Parser;
use zkvm_terminal::failure::{ExitCode, Failure};
use zkvm_terminal::interrupt;
use zkvm_terminal::output::Output;

use crate::args::{Args, Command};

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
    let output = Output::new(args.format, args.verbosity());
    let code = match catch_unwind(AssertUnwindSafe(|| dispatch(args, &output))) {
        Ok(Ok(())) => ExitCode::Ok,
        Ok(Err(failure)) => output.failure(&failure),
        Err(_) => output.failure(&Failure::bug()),
    };
    exit(code.number());
}

fn dispatch(args: Args, output: &Output) -> Result<(), Failure> {
    let max_memory = args.max_memory;
    match args.command {
        Command::Import(import) => commands::import::run(&import, output),
        Command::Exec(work) => commands::exec::run(&work, output),
        Command::Simulate(simulate) => commands::simulate::run(&simulate, max_memory, output),
        Command::Prove(prove) => commands::prove::run(&prove, max_memory, args.progress, output),
        Command::Verify(verify) => commands::verify::run(&verify, output),
        Command::Split(split) => commands::split::run(&split, output),
        Command::Compose(compose) => commands::compose::run(&compose, output),
        Command::MakeChain(make) => commands::make_chain::run(&make, output),
    }
}
