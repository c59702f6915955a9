//! `zkvm rollup prove`: prove a block or a batch.

use std::time::Instant;

use serde_json::json;
use zkvm_sdk::Discard;
use zkvm_terminal::failure::Failure;
use zkvm_terminal::flags::ShowProgress;
use zkvm_terminal::number::{bytes, grouped};
use zkvm_terminal::output::{Output, check_folder, write_file};
use zkvm_terminal::progress::Reporter;
use zkvm_terminal::proving::{client, foretell};

use crate::args::ProveArgs;
use crate::claims::Claim;
use crate::commands::exec;
use crate::{failures, files, guests};

pub(crate) fn run(
    args: &ProveArgs,
    max_memory: Option<u64>,
    progress: ShowProgress,
    output: &Output,
) -> Result<(), Failure> {
    check_folder(&args.output)?;
    let path = &args.work.file;
    let client = client(&args.proving, max_memory)?;
    let work = files::work(path)?;
    let input = work
        .decode()
        .map_err(|error| failures::work(path, &error))?;
    exec::say(&input, output);
    // What the guest would only panic about is told here with its reason.
    let claim = Claim::of(&input)?;
    let program = guests::program(work.kind())?;
    let input = guests::input_to_prove(work.input());
    let (cost, execution) = foretell(&client, &program, &input, 0, output)?;
    if execution.journal.bytes() != claim.journal() {
        return Err(failures::differs());
    }
    let plural = if cost.segments == 1 { "" } else { "s" };
    output.say(format_args!(
        "proving  {} cycles in {} segment{plural}, at level {} with {}; about {:.0} CPU s",
        grouped(execution.cycles),
        cost.segments,
        client.level(),
        client.hash().name(),
        cost.seconds.total(),
    ));
    let started = Instant::now();
    let reporter = Reporter::start(progress, &cost, output);
    let note = &mut |at| reporter.note(at);
    let proof = client.prove_with(&program, &input, 0, &mut Discard, note);
    drop(reporter);
    let proof = proof?;
    let seconds = started.elapsed().as_secs_f64();
    let file = proof.to_bytes()?;
    write_file(&args.output, &file)?;
    output.say(format_args!(
        "proved   in {seconds:.3} s, {} in {}",
        bytes(file.len() as u64),
        args.output.display()
    ));
    let mut answer = claim.answer();
    answer["path"] = json!(args.output.display().to_string());
    answer["program_id"] = json!(program.id().to_string());
    answer["cycles"] = json!(execution.cycles);
    answer["segments"] = json!(proof.segments());
    answer["level"] = json!(client.level().to_string());
    answer["hash"] = json!(client.hash().name());
    answer["seconds"] = json!(seconds);
    answer["proof_bytes"] = json!(file.len());
    output.answer(&claim.human(), &answer)
}
