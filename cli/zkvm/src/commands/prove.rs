//! `zkvm prove`: execute a guest and prove it.

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use zkvm_sdk::{Client, Code, Discard, Execution, Exit, Input, Program, ProvingCost};

use crate::args::{ProveArgs, ShowProgress};
use crate::commands::run;
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped, hex};
use crate::output::{Output, write_file};
use crate::progress::Reporter;
use crate::{guest, input, proving};

pub(crate) fn run(
    args: &ProveArgs,
    max_memory: Option<u64>,
    progress: ShowProgress,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    check_folder(&args.output)?;
    let client = proving::client(&args.proving, max_memory)?;
    let (_, program) = guest::load(&args.program, output)?;
    let input = input::read(&args.input)?;
    let expected = args.expect_exit.unwrap_or(0);
    let (cost, execution) = foretell(&client, &program, &input, expected, output)?;
    output.say(format_args!(
        "proving  {} cycles in {} {}, at level {} with {}",
        grouped(execution.cycles),
        cost.segments,
        if cost.segments == 1 {
            "segment"
        } else {
            "segments"
        },
        client.level(),
        client.hash().name()
    ));
    let started = Instant::now();
    let reporter = Reporter::start(progress, &cost, output);
    let note = &mut |at| reporter.note(at);
    let proof = client.prove_with(&program, &input, expected, &mut Discard, note);
    drop(reporter);
    let proof = proof?;
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
        "segments": proof.segments(),
        "level": client.level().to_string(),
        "hash": client.hash().name(),
        "seconds": seconds,
        "proof_bytes": file.len(),
    });
    output.answer(&format!("{path}\n"), &answer)?;
    Ok(ExitCode::Ok)
}

/// Executes `program` and foretells what proving takes: cheap next to proving. A guest that fails is
/// reported as `run` reports it.
pub(crate) fn foretell(
    client: &Client,
    program: &Program,
    input: &Input,
    expected: u32,
    output: &Output,
) -> Result<(ProvingCost, Execution), Failure> {
    let (cost, execution) = client.cost(program, input, &mut Discard)?;
    let is_expected = matches!(execution.exit, Exit::Halted { code, .. } if code == expected);
    if is_expected {
        return Ok((cost, execution));
    }
    if let Some(failure) = run::failure_of(&execution, client, program, input, output)? {
        return Err(failure);
    }
    let cause = format!("the guest halted with exit code 0, not {expected}");
    Err(Failure::new(ExitCode::GuestExit, Code(403), cause))
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
