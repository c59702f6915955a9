//! `zkvm verify`: check a proof against a program.

use std::fs::File;
use std::io::Read;
use std::time::Instant;

use serde_json::json;
use zkvm_sdk::{Code, Demand, Proof};

use crate::args::{ProgramArgs, VerifyArgs};
use crate::failure::{ExitCode, Failure};
use crate::guest;
use crate::number::hex;
use crate::output::Output;

/// Longest proof file that is read, in bytes.
const PROOF_BYTES_MAX: u64 = 1 << 30;

pub(crate) fn run(args: &VerifyArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let failed = |error: &std::io::Error| Failure::file(&args.proof, error);
    let mut bytes = Vec::new();
    let file = File::open(&args.proof).map_err(|error| failed(&error))?;
    file.take(PROOF_BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    if bytes.len() as u64 > PROOF_BYTES_MAX {
        let cause = format!("{} is longer than any proof", args.proof.display());
        return Err(Failure::new(ExitCode::Input, Code(407), cause));
    }
    let proof = Proof::from_bytes(&bytes)?;
    let program = ProgramArgs {
        program: args.program.clone(),
        build: args.build.clone(),
    };
    let (_, program) = guest::load(&program, output)?;
    let started = Instant::now();
    let exit_code = args.expect_exit.unwrap_or(0);
    let demand = Demand {
        exit_code,
        ..Demand::default()
    };
    let journal = program.verify_as(&proof, &demand)?;
    let seconds = started.elapsed().as_secs_f64();
    output.say(format_args!(
        "verified in {seconds:.3} s, the program's keys included"
    ));
    let journal = hex(journal.bytes());
    let answer = json!({
        "program_id": program.id().to_string(),
        "exit_code": exit_code,
        "journal": journal,
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
