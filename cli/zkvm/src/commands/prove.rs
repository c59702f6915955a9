//! `zkvm prove`: execute a guest and prove it.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use zkvm_sdk::{Client, Code, Discard, Exit, Limits};

use crate::args::ProveArgs;
use crate::commands::run;
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped, hex};
use crate::output::{Output, write_file};
use crate::{guest, input};

pub(crate) fn run(
    args: &ProveArgs,
    limits: Limits,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    check_folder(&args.output)?;
    let (_, program) = guest::load(&args.program, output)?;
    let input = input::read(&args.input)?;
    let client = Client::builder().limits(limits);
    let client = match std::env::var("ZKVM_MEM") {
        Ok(m) => client.memory_bytes(m.parse().unwrap()),
        Err(_) => client,
    }
    .build()?;
    let expected = args.expect_exit.unwrap_or(0);

    // Executing is cheap next to proving: a guest that fails is reported as `run` reports it.
    let execution = client.execute(&program, &input)?;
    let is_expected = matches!(execution.exit, Exit::Halted { code, .. } if code == expected);
    if !is_expected
        && let Some(failure) = run::failure_of(&execution, &client, &program, &input, output)?
    {
        return Err(failure);
    }
    output.say(format_args!(
        "proving  {} cycles",
        grouped(execution.cycles)
    ));
    let started = Instant::now();
    let proof = client.prove_with(&program, &input, expected, &mut Discard, &mut |p| {
        eprintln!("{p:?}")
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let file = proof.to_bytes()?;
    write_file(&args.output, &file)?;
    output.say(format_args!(
        "proved   in {seconds:.3} s, {}",
        bytes(file.len() as u64)
    ));
    let path = args.output.display().to_string();
    let answer = json!({
        "path": path,
        "program_id": program.id().to_string(),
        "exit_code": expected,
        "journal": hex(execution.journal.bytes()),
        "cycles": execution.cycles,
        "seconds": seconds,
        "proof_bytes": file.len(),
    });
    output.answer(&format!("{path}\n"), &answer)?;
    Ok(ExitCode::Ok)
}

/// Refuses a place no file can be written to before anything is proved for it.
fn check_folder(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let cause = format!("{} is not a folder", folder.display());
            Err(Failure::new(ExitCode::Input, Code(201), cause))
        }
        _ => Ok(()),
    }
}
