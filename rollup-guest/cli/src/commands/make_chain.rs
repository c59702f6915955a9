//! `zkvm rollup make-chain`: batches by a seed.

use std::fmt::Write as _;

use serde_json::json;
use zkvm_rollup_node::generate::{GenerateError, Generated, Generator, one_of_each};
use zkvm_rollup_node::work::Work;
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::Output;

use crate::args::MakeChainArgs;
use crate::failures;
use crate::files::Series;

/// How the work files are named.
const NAME: &str = "batch";

pub(crate) fn run(args: &MakeChainArgs, output: &Output) -> Result<(), Failure> {
    let batches = generate(args).map_err(|error| failures::generator(&error))?;
    let works = batches.iter().map(|batch| {
        let work = Work::batch(&batch.input.borrow());
        work.map_err(|error| failures::work(&args.output, &error))
    });
    let works = works.collect::<Result<Vec<_>, _>>()?;
    let series = Series {
        name: NAME,
        works: works.iter().collect(),
        whole: None,
    };
    series.write(&args.output)?;
    let (mut human, mut answers) = (String::new(), Vec::new());
    for (index, batch) in batches.iter().enumerate() {
        let path = args.output.join(Series::name_of(NAME, index));
        let path = path.display().to_string();
        let verdict = batch.out.verdict.name();
        let _ = writeln!(human, "{path}  {verdict}  {}", batch.description);
        answers.push(json!({
            "path": path,
            "verdict": verdict,
            "digest": batch.out.digest(),
            "blocks": batch.blocks.len(),
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
