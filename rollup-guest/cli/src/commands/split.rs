//! `zkvm rollup split`: a batch in blocks.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use zkvm_rollup_node::split::{self, Part};
use zkvm_rollup_node::work::{Work, WorkInput};
use zkvm_rollup_stf::rollup::{BatchInput, FoldError, Verdict, Whole};
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::Output;

use crate::args::SplitArgs;
use crate::files::Series;
use crate::{failures, files};

/// How the blocks' work files are named.
const NAME: &str = "block";

/// The name of the work file that composes them.
const WHOLE: &str = "whole.work";

pub(crate) fn run(args: &SplitArgs, output: &Output) -> Result<(), Failure> {
    let path = &args.work.file;
    let work = files::work(path)?;
    let input = work
        .decode()
        .map_err(|error| failures::work(path, &error))?;
    let batch = failures::whole_batch(path, &input)?;
    let parts = split::split(batch).map_err(|error| failures::split(&error))?;
    let (verdict, whole) = compose(path, batch, &parts)?;
    let series = Series {
        name: NAME,
        works: parts.iter().map(|part| &part.work).collect(),
        whole: Some((WHOLE, whole.as_ref())),
    };
    series.write(&args.output)?;
    let (mut human, mut answers) = (String::new(), Vec::new());
    for (index, part) in parts.iter().enumerate() {
        let path = args.output.join(Series::name_of(NAME, index));
        let (verdict, hash) = (part.out.verdict.name(), part.out.post_block_hash);
        let path = path.display().to_string();
        let _ = writeln!(human, "{path}  {verdict}  {hash}");
        answers.push(json!({ "path": path, "verdict": verdict, "post_block_hash": hash }));
    }
    let whole = whole.map(|_| args.output.join(WHOLE).display().to_string());
    match &whole {
        Some(path) => {
            let _ = writeln!(human, "{path}  {}  composes them", verdict.name());
        }
        None => output.say(format_args!(
            "the batch is refused ({}): its blocks do not compose to what it leads to",
            verdict.name()
        )),
    }
    let answer = json!({ "verdict": verdict.name(), "blocks": answers, "whole": whole });
    output.answer(&human, &answer)
}

/// The batch's verdict, and the work file that composes its blocks unless they are refused.
fn compose(
    path: &Path,
    batch: &BatchInput<'_>,
    parts: &[Part],
) -> Result<(Verdict, Option<Work>), Failure> {
    let failed = |error| failures::work(path, &error);
    let work = split::compose(batch, parts).map_err(failed)?;
    let WorkInput::Range(range) = work.decode().map_err(failed)? else {
        return Err(Failure::bug());
    };
    // Each block may keep the rules, and all of them together not.
    let whole = match range.compose() {
        Ok(composition) => composition.whole,
        Err(FoldError::Refused { verdict }) => return Ok((verdict, None)),
        Err(error) => return Err(failures::apart(&error)),
    };
    let verdict = match whole {
        Whole::Batch(out) => out.verdict,
        Whole::Range(out) => out.verdict,
    };
    drop(range);
    Ok((verdict, Some(work)))
}
