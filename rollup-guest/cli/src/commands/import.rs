//! `zkvm rollup import`: a block with its witness, from a node or a fixture, into a work file.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;
use zkvm_rollup_node::fixture::{Case, Fixture};
use zkvm_rollup_node::replay::OwnedInput;
use zkvm_rollup_node::rpc::{Client, Wanted, import};
use zkvm_rollup_node::summary::Summary;
use zkvm_rollup_node::work::{Work, WorkInput};
use zkvm_sdk::Code;
use zkvm_terminal::escape;
use zkvm_terminal::failure::Failure;
use zkvm_terminal::number::bytes;
use zkvm_terminal::output::{Output, write_file};

use crate::args::ImportArgs;
use crate::claims::Claim;
use crate::commands::exec;
use crate::failures;

/// Most blocks that are listed.
const LISTED_MAX: usize = 100;

pub(crate) fn run(args: &ImportArgs, output: &Output) -> Result<(), Failure> {
    let (input, must_be_valid) = match (&args.source.fixture, &args.source.rpc) {
        (Some(path), _) => (from_fixture(path, args)?, false),
        (None, Some(url)) => (from_node(url, args)?, true),
        (None, None) => {
            return Err(failures::input(
                Code(607),
                "neither a fixture nor a node is named",
            ));
        }
    };
    let borrowed = WorkInput::Block(input.borrow());
    exec::say(&borrowed, output);
    let claim = match Claim::of(&borrowed) {
        Ok(claim) => Some(claim),
        Err(failure) if must_be_valid => return Err(failure),
        Err(failure) => {
            output.say(format_args!("there will be no claim: {}", failure.cause));
            None
        }
    };
    let path = args.output.clone().unwrap_or_else(|| name(&input));
    let work = Work::block(&input.borrow()).map_err(|error| failures::work(&path, &error))?;
    let file = work.to_bytes();
    write_file(&path, &file)?;
    output.say(format_args!("written  {}", bytes(file.len() as u64)));
    let path = path.display().to_string();
    let answer = json!({
        "path": path,
        "kind": work.kind().to_string(),
        "bytes": file.len(),
        "claim": claim.map(|claim| claim.json()),
    });
    output.answer(&format!("{path}\n"), &answer)
}

fn name(input: &OwnedInput) -> PathBuf {
    match Summary::of(&input.block) {
        Some(summary) => format!("block-{}.work", summary.number).into(),
        None => "block.work".into(),
    }
}

fn from_node(url: &str, args: &ImportArgs) -> Result<OwnedInput, Failure> {
    let wanted = match args.block.as_deref() {
        Some("latest") => Wanted::Latest,
        Some(text) => match text.parse() {
            Ok(number) => Wanted::Number(number),
            Err(_) => {
                let cause = format!("`{text}` is neither a block's number nor `latest`");
                return Err(failures::input(Code(607), cause));
            }
        },
        None => return Err(failures::input(Code(607), "no block is named")),
    };
    let client = Client::new(url, Duration::from_secs(args.timeout));
    import(&client, wanted, args.chain.as_deref()).map_err(|error| failures::rpc(&error))
}

fn from_fixture(path: &Path, args: &ImportArgs) -> Result<OwnedInput, Failure> {
    let fixture = Fixture::read(path).map_err(|error| failures::fixture(&error))?;
    let position = match &args.block {
        None => None,
        Some(text) => Some(text.parse::<usize>().map_err(|_| {
            failures::input(
                Code(607),
                format_args!("`{text}` is no position of a block"),
            )
        })?),
    };
    let cases = fixture.cases();
    let mut chosen: Vec<&Case> = cases.iter().collect();
    if let Some(wanted) = &args.case {
        let is_exact = chosen.iter().any(|case| case.name == *wanted);
        chosen.retain(|case| {
            case.name == *wanted || !is_exact && case.name.contains(wanted.as_str())
        });
    }
    if let Some(position) = position {
        chosen.retain(|case| case.position == position);
    }
    match chosen.as_slice() {
        [case] => fixture
            .input(case)
            .map_err(|reason| failures::input(Code(606), reason)),
        [] => Err(with_list(
            "no block of the fixture is meant",
            &cases.iter().collect::<Vec<_>>(),
        )),
        several => Err(with_list(
            &format!("{} blocks of the fixture are meant", several.len()),
            several,
        )),
    }
}

/// The failure to choose one block, with those there are.
fn with_list(cause: &str, cases: &[&Case]) -> Failure {
    let mut failure = failures::input(Code(607), cause);
    let mut last = None;
    for case in cases.iter().take(LISTED_MAX) {
        if last != Some(&case.name) && !case.name.is_empty() {
            failure
                .details
                .push(format!("--case {}", escape::line(&case.name)));
            last = Some(&case.name);
        }
        let mut line = format!("  --block {}", case.position);
        if let Some(summary) = &case.block {
            let _ = write!(line, ": {}", exec::line(summary));
        }
        if let Some(exception) = &case.exception {
            let _ = write!(line, ", refused: {}", escape::line(exception));
        }
        failure.details.push(line);
    }
    if cases.len() > LISTED_MAX {
        failure
            .details
            .push(format!("… and {} more", cases.len() - LISTED_MAX));
    }
    failure
}
