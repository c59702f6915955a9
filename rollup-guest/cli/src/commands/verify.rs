//! `zkvm rollup verify`: check a proof, and say what it proves.

use std::path::Path;
use std::time::Instant;

use alloy_primitives::{B256, hex};
use serde_json::json;
use zkvm_rollup_node::out::OutFields;
use zkvm_rollup_node::work::{Kind, WorkInput};
use zkvm_rollup_stf::claim::BlockClaim;
use zkvm_sdk::{Code, Demand, Program, Proof};
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::Output;
use zkvm_terminal::proof_file;

use crate::args::VerifyArgs;
use crate::claims::Claim;
use crate::{failures, files, guests};

pub(crate) fn run(args: &VerifyArgs, output: &Output) -> Result<(), Failure> {
    let (proof, _) = proof_file::read(&args.proof)?;
    let (kind, program) = guest_of(&proof)?;
    let started = Instant::now();
    let demand = Demand {
        exit_code: 0,
        level: args.level.into(),
    };
    let journal = program.verify_as(&proof, &demand)?;
    let seconds = started.elapsed().as_secs_f64();
    output.say(format_args!(
        "verified in {seconds:.3} s, the program's keys included: guest {kind}"
    ));
    let claim = claim(args, kind, journal.bytes())?;
    check(args, claim.as_ref())?;
    let (human, mut answer) = match &claim {
        Some(claim) => (claim.human(), claim.answer()),
        None => {
            output.say("a batch's proof has the digest only: --out or --input tells the fields");
            let digest = hex::encode_prefixed(journal.bytes());
            let answer = json!({
                "kind": kind.to_string(),
                "claim": null,
                "journal": hex::encode(journal.bytes()),
            });
            (format!("{:<18} {digest}\n", "digest"), answer)
        }
    };
    answer["program_id"] = json!(program.id().to_string());
    answer["level"] = json!(proof.level().map(|level| level.to_string()));
    answer["hash"] = json!(proof.header().hash.name());
    answer["seconds"] = json!(seconds);
    output.answer(&human, &answer)
}

/// The guest that a proof says it is of.
fn guest_of(proof: &Proof) -> Result<(Kind, Program), Failure> {
    let mut ids = Vec::new();
    for kind in [Kind::Block, Kind::Batch] {
        let program = guests::program(kind)?;
        if program.id() == proof.program_id() {
            return Ok((kind, program));
        }
        ids.push(format!("{kind} is {}", program.id()));
    }
    let got = proof.program_id();
    let ids = ids.join(", ");
    let cause = format!("the proof is of program {got}, which is none of the guests: {ids}");
    Err(failures::rejected(Code(405), cause))
}

/// What is proved; `None` if there is nothing but a digest.
fn claim(args: &VerifyArgs, kind: Kind, journal: &[u8]) -> Result<Option<Claim>, Failure> {
    let given = match (&args.out, &args.input) {
        (Some(path), _) => Some(Claim::Batch(Box::new(read_out(path)?))),
        (None, Some(path)) => Some(read_claim(path)?),
        (None, None) => None,
    };
    let proved = match kind {
        Kind::Block => {
            let claim = BlockClaim::from_bytes(journal);
            let reason = "the journal is no claim about a block";
            Some(Claim::Block(
                claim.ok_or_else(|| failures::rejected(Code(404), reason))?,
            ))
        }
        Kind::Batch => None,
    };
    if let Some(given) = &given
        && given.journal() != journal
    {
        let cause = format!(
            "the proof's journal is {}, that of what was given {}",
            hex::encode_prefixed(journal),
            hex::encode_prefixed(given.journal())
        );
        return Err(failures::rejected(Code(614), cause));
    }
    Ok(proved.or(given))
}

fn read_out(path: &Path) -> Result<zkvm_rollup_stf::rollup::Out, Failure> {
    let failed =
        |reason: String| failures::input(Code(613), format_args!("{}: {reason}", path.display()));
    let mut json: serde_json::Value =
        serde_json::from_slice(&files::read(path)?).map_err(|error| failed(error.to_string()))?;
    // An answer of `exec`, `prove` or `verify`, or the output alone.
    if let Some(claim) = json.get_mut("claim") {
        json = claim.take();
    }
    let fields: OutFields =
        serde_json::from_value(json).map_err(|error| failed(error.to_string()))?;
    fields
        .out()
        .ok_or_else(|| failed("it has an unknown verdict or mode".to_owned()))
}

fn read_claim(path: &Path) -> Result<Claim, Failure> {
    let work = files::work(path)?;
    let input: WorkInput<'_> = work
        .decode()
        .map_err(|error| failures::work(path, &error))?;
    Claim::of(&input)
}

/// What is demanded besides that the proof holds.
fn check(args: &VerifyArgs, claim: Option<&Claim>) -> Result<(), Failure> {
    let demands: [(&str, Option<B256>, Option<B256>); 4] = [
        ("chain hash", args.chain, claim.and_then(Claim::chain_hash)),
        (
            "pre state root",
            args.pre_state_root,
            claim.map(Claim::pre_state_root),
        ),
        ("block hash", args.block_hash, claim.map(Claim::block_hash)),
        (
            "post state root",
            args.post_state_root,
            claim.map(Claim::post_state_root),
        ),
    ];
    for (name, demanded, got) in demands {
        match (demanded, got) {
            (Some(demanded), Some(got)) if demanded != got => {
                let cause = format!("the proof's {name} is {got}, demanded is {demanded}");
                return Err(failures::rejected(Code(614), cause));
            }
            (Some(_), None) => {
                let cause = format!("a batch's proof does not tell the {name}");
                return Err(failures::rejected(Code(615), cause));
            }
            (Some(_), Some(_)) | (None, _) => {}
        }
    }
    Ok(())
}
