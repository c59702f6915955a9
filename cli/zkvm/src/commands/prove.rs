//! `zkvm prove`: execute a guest and prove it.

use std::time::Instant;

use serde_json::json;
use zkvm_sdk::Discard;

use crate::args::{ProveArgs, ShowProgress};
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped, hex};
use crate::output::{Output, check_folder, write_file};
use crate::progress::Reporter;
use crate::proving::foretell;
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
