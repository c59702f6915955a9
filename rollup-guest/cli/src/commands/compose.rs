//! `zkvm rollup compose`: batches to a range.

use std::path::Path;

use serde_json::json;
use zkvm_rollup_node::work::{Work, WorkInput};
use zkvm_rollup_stf::rollup::{Claim as OfBatch, FoldError, RangeInput};
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::{Output, check_folder};

use crate::args::ComposeArgs;
use crate::claims::Claim;
use crate::{failures, files};

pub(crate) fn run(args: &ComposeArgs, output: &Output) -> Result<(), Failure> {
    check_folder(&args.output)?;
    let outs = args.files.iter().map(|path| out(path));
    let outs = outs.collect::<Result<Vec<_>, _>>()?;
    let range = RangeInput::Batches {
        outs: outs.iter().map(Vec::as_slice).collect(),
        prover: args.prover.into_array(),
    };
    if let Err(error) = range.compose() {
        let failure = failures::apart(&error);
        return Err(match position(&error).and_then(|at| args.files.get(at)) {
            Some(path) => failures::of_file(failure, path),
            None => failure,
        });
    }
    let claim = Claim::of(&WorkInput::Range(range.clone()))?;
    let work = Work::range(&range).map_err(|error| failures::work(&args.output, &error))?;
    files::write_work(&args.output, &work)?;
    let mut answer = claim.answer();
    answer["path"] = json!(args.output.display().to_string());
    output.answer(&claim.human(), &answer)
}

/// The output of the batch in a work file.
fn out(path: &Path) -> Result<Vec<u8>, Failure> {
    let work = files::work(path)?;
    let input = work
        .decode()
        .map_err(|error| failures::work(path, &error))?;
    let batch = failures::whole_batch(path, &input)?;
    let claim = batch.claim();
    match claim.map_err(|error| failures::of_file(failures::no_claim(&error), path))? {
        OfBatch::Batch(out) => Ok(out.to_bytes()),
        OfBatch::Blocks(_) => Err(Failure::bug()),
    }
}

/// Which output does not compose with those before it.
const fn position(error: &FoldError) -> Option<usize> {
    match error {
        FoldError::Encoding { index }
        | FoldError::Other { index, .. }
        | FoldError::Apart { index, .. }
        | FoldError::Withdrawals { index } => Some(*index),
        FoldError::Empty
        | FoldError::Incomplete { .. }
        | FoldError::Refused { .. }
        | FoldError::Beside(_) => None,
    }
}
