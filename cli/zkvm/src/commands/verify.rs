//! `zkvm verify`: check a proof against a program.

use std::time::Instant;

use serde_json::json;
use zkvm_sdk::Demand;

use crate::args::{ProgramArgs, VerifyArgs};
use crate::failure::{ExitCode, Failure};
use crate::number::hex;
use crate::output::Output;
use crate::{guest, proof_file};

pub(crate) fn run(args: &VerifyArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let (proof, _) = proof_file::read(&args.proof)?;
    let program = ProgramArgs {
        program: args.program.clone(),
        build: args.build.clone(),
    };
    let (_, program) = guest::load(&program, output)?;
    let started = Instant::now();
    let exit_code = args.expect_exit.unwrap_or(0);
    let demand = Demand {
        exit_code,
        level: args.level.into(),
    };
    let journal = program.verify_as(&proof, &demand)?;
    let seconds = started.elapsed().as_secs_f64();
    output.say(format_args!(
        "verified in {seconds:.3} s, the program's keys included"
    ));
    let level = proof.level().map(|level| level.to_string());
    let journal = hex(journal.bytes());
    let answer = json!({
        "program_id": program.id().to_string(),
        "exit_code": exit_code,
        "journal": journal,
        "level": level,
        "hash": proof.header().hash.name(),
        "seconds": seconds,
    });
    let human = if journal.is_empty() {
        String::new()
    } else {
        format!("{journal}\n")
    };
    output.answer(&human, &answer)?;
    Ok(ExitCode::Ok)
}
