//! `zkvm rollup split`: a batch in blocks.

use std::fmt::Write as _;

use serde_json::json;
use zkvm_rollup_node::split;
use zkvm_rollup_node::work::WorkInput;
use zkvm_rollup_stf::rollup::Verdict;
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::Output;

use crate::args::SplitArgs;
use crate::{failures, files};

pub(crate) fn run(args: &SplitArgs, output: &Output) -> Result<(), Failure> {
    let path = &args.work.file;
    let work = files::work(path)?;
    let input = work
        .decode()
        .map_err(|error| failures::work(path, &error))?;
    let whole = match &input {
        WorkInput::Batch(batch) => Some(batch).filter(|batch| batch.blocks.is_none()),
        WorkInput::Block(_) | WorkInput::Range(_) => None,
    };
    let batch = whole.ok_or_else(|| failures::kind(path, "a whole batch", work.kind()))?;
    let parts = split::split(batch).map_err(|error| failures::split(&error))?;
    files::create_folder(&args.output)?;
    let (mut human, mut answers) = (String::new(), Vec::new());
    for (index, part) in parts.iter().enumerate() {
        let path = args.output.join(format!("block-{index}.work"));
        files::write_work(&path, &part.work)?;
        let (verdict, hash) = (part.out.verdict.name(), part.out.post_block_hash);
        let path = path.display().to_string();
        let _ = writeln!(human, "{path}  {verdict}  {hash}");
        answers.push(json!({ "path": path, "verdict": verdict, "post_block_hash": hash }));
    }
    let is_refused = parts.iter().any(|part| part.out.verdict != Verdict::Ok);
    let mut whole_path = None;
    if is_refused {
        output.say("the last block breaks a rule, so these do not compose to the batch");
    } else {
        let path = args.output.join("whole.work");
        let whole = split::compose(batch, &parts).map_err(|error| failures::work(&path, &error))?;
        files::write_work(&path, &whole)?;
        let path = path.display().to_string();
        let _ = writeln!(human, "{path}  composes them");
        whole_path = Some(path);
    }
    output.answer(&human, &json!({ "blocks": answers, "whole": whole_path }))
}
