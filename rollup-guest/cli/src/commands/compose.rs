//! `zkvm rollup compose`: batches to a range.

use serde_json::json;
use zkvm_rollup_node::work::{Work, WorkInput};
use zkvm_rollup_stf::rollup::{Claim as OfBatch, RangeInput};
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::{Output, check_folder};

use crate::args::ComposeArgs;
use crate::claims::Claim;
use crate::{failures, files};

pub(crate) fn run(args: &ComposeArgs, output: &Output) -> Result<(), Failure> {
    check_folder(&args.output)?;
    let mut outs = Vec::new();
    for path in &args.files {
        let work = files::work(path)?;
        let input = work
            .decode()
            .map_err(|error| failures::work(path, &error))?;
        let other = || failures::kind(path, "a whole batch", work.kind());
        let WorkInput::Batch(batch) = input else {
            return Err(other());
        };
        let claim = batch.claim().map_err(|error| failures::no_claim(&error))?;
        let OfBatch::Batch(out) = claim else {
            return Err(other());
        };
        outs.push(out.to_bytes());
    }
    let range = RangeInput::Batches {
        outs: outs.iter().map(Vec::as_slice).collect(),
        prover: args.prover.into_array(),
    };
    let claim = Claim::of(&WorkInput::Range(range.clone()))?;
    let work = Work::range(&range).map_err(|error| failures::work(&args.output, &error))?;
    files::write_work(&args.output, &work)?;
    let mut answer = claim.answer();
    answer["path"] = json!(args.output.display().to_string());
    output.answer(&claim.human(), &answer)
}
