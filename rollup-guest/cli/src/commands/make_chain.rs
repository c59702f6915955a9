//! `zkvm rollup make-chain`: batches by a seed.

use std::fmt::Write as _;

use serde_json::json;
use zkvm_rollup_node::generate::{GenerateError, Generated, Generator, one_of_each};
use zkvm_rollup_node::work::Work;
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::Output;

use crate::args::MakeChainArgs;
use crate::{failures, files};

pub(crate) fn run(args: &MakeChainArgs, output: &Output) -> Result<(), Failure> {
    let batches = generate(args).map_err(|error| failures::generator(&error))?;
    files::create_folder(&args.output)?;
    let (mut human, mut answers) = (String::new(), Vec::new());
    for (index, batch) in batches.iter().enumerate() {
        let path = args.output.join(format!("batch-{index}.work"));
        let work =
            Work::batch(&batch.input.borrow()).map_err(|error| failures::work(&path, &error))?;
        files::write_work(&path, &work)?;
        let path = path.display().to_string();
        let _ = writeln!(human, "{path}  {}", batch.description);
        answers.push(json!({
            "path": path,
            "verdict": batch.out.verdict.name(),
            "digest": batch.out.digest(),
            "description": batch.description,
        }));
    }
    output.say("all keys of these batches are derived from the seed: they are for tests only");
    output.answer(&human, &json!({ "seed": args.seed, "batches": answers }))
}

fn generate(args: &MakeChainArgs) -> Result<Vec<Generated>, GenerateError> {
    let Some(count) = args.batches else {
        return one_of_each(args.seed);
    };
    let mut generator = Generator::new(args.seed)?;
    (0..count).map(|_| generator.next_batch()).collect()
}
