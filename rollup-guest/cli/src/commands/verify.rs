//! `zkvm rollup verify`: check a proof, and say what it proves.

use std::path::Path;
use std::time::Instant;

use alloy_primitives::{B256, hex};
use serde_json::json;
use zkvm_rollup_node::work::{Kind, WorkInput};
use zkvm_rollup_stf::claim::BlockClaim;
use zkvm_rollup_stf::rollup::parts_hash;
use zkvm_sdk::{Code, Demand, ProgramId, Proof};
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::Output;
use zkvm_terminal::proof_file;

use crate::args::VerifyArgs;
use crate::claims::Claim;
use crate::{failures, files, guests};

pub(crate) fn run(args: &VerifyArgs, output: &Output) -> Result<(), Failure> {
    let (proof, _) = proof_file::read(&args.proof)?;
    let started = Instant::now();
    let demand = Demand {
        exit_code: 0,
        level: args.level.into(),
    };
    let (kind, program_id, journal) = verify(&proof, &demand)?;
    let seconds = started.elapsed().as_secs_f64();
    output.say(format_args!(
        "verified in {seconds:.3} s, the program's keys included: guest {kind}"
    ));
    let claim = claim(args, kind, &journal)?;
    check_parts(args, &demand, kind, &journal, output)?;
    check(args, claim.as_ref())?;
    let (human, mut answer) = match &claim {
        Some(claim) => (claim.human(), claim.answer()),
        None => {
            output.say("the proof has a digest only: --out or --input tells the fields");
            let digest = hex::encode_prefixed(&journal);
            let answer = json!({
                "kind": kind.to_string(),
                "claim": null,
                "journal": hex::encode(&journal),
            });
            (format!("{:<18} {digest}\n", "digest"), answer)
        }
    };
    answer["program_id"] = json!(program_id.to_string());
    answer["level"] = json!(proof.level().map(|level| level.to_string()));
    answer["hash"] = json!(proof.header().hash.name());
    answer["seconds"] = json!(seconds);
    output.answer(&human, &answer)
}

/// Verifies that a proof holds, of whichever guest it says it is.
fn verify(proof: &Proof, demand: &Demand) -> Result<(Kind, ProgramId, Vec<u8>), Failure> {
    let mut ids = Vec::new();
    for kind in Kind::ALL {
        let program = guests::program(kind)?;
        if program.id() == proof.program_id() {
            let journal = program.verify_as(proof, demand)?;
            return Ok((kind, program.id(), journal.bytes().to_vec()));
        }
        ids.push(format!("{kind} is {}", program.id()));
    }
    let got = proof.program_id();
    let ids = ids.join(", ");
    let cause = format!("the proof is of program {got}, which is none of the guests: {ids}");
    Err(failures::rejected(Code(405), cause))
}

/// The hash of the digests that the proofs of a composition's parts have, which all hold.
fn parts(args: &VerifyArgs, demand: &Demand) -> Result<Option<B256>, Failure> {
    if args.parts.is_empty() {
        return Ok(None);
    }
    let mut digests = Vec::new();
    for path in &args.parts {
        let (proof, _) = proof_file::read(path)?;
        let (_, _, journal) = verify(&proof, demand)?;
        // A batch's digest alone, or that of a composition with its parts before.
        let digest = journal.last_chunk::<32>().copied().unwrap_or_default();
        digests.push(B256::new(digest));
    }
    Ok(Some(parts_hash(&digests)))
}

/// What is proved; `None` if there is nothing but a digest.
fn claim(args: &VerifyArgs, kind: Kind, journal: &[u8]) -> Result<Option<Claim>, Failure> {
    let own_parts = match kind {
        Kind::Range => journal.first_chunk::<32>().copied().map(B256::new),
        Kind::Block | Kind::Batch => None,
    };
    let given = match (&args.out, &args.input) {
        (Some(path), _) => Some(read_out(path, kind)?.with_parts(own_parts)),
        (None, Some(path)) => Some(read_claim(path)?),
        (None, None) => None,
    };
    let proved = match kind {
        Kind::Block => {
            let claim = BlockClaim::from_bytes(journal);
            let reason = "the journal is no claim about a block";
            let claim = claim.ok_or_else(|| failures::rejected(Code(404), reason))?;
            Some(Claim::block(&claim))
        }
        Kind::Batch | Kind::Range => None,
    };
    if let Some(given) = &given
        && (given.kind() != kind || given.journal() != journal)
    {
        let cause = format!(
            "the proof is of {kind} with the journal {}, what was given of {} with {}",
            hex::encode_prefixed(journal),
            given.kind(),
            hex::encode_prefixed(given.journal())
        );
        return Err(failures::rejected(Code(614), cause));
    }
    Ok(proved.or(given))
}

fn read_out(path: &Path, kind: Kind) -> Result<Claim, Failure> {
    let failed =
        |reason: String| failures::input(Code(613), format_args!("{}: {reason}", path.display()));
    let json = serde_json::from_slice(&files::read(path)?);
    let json: serde_json::Value = json.map_err(|error| failed(error.to_string()))?;
    Claim::from_json(kind, &json).map_err(failed)
}

fn read_claim(path: &Path) -> Result<Claim, Failure> {
    let work = files::work(path)?;
    let input: WorkInput<'_> = work
        .decode()
        .map_err(|error| failures::work(path, &error))?;
    Claim::of(&input)
}

/// A composition is worth what its parts are.
fn check_parts(
    args: &VerifyArgs,
    demand: &Demand,
    kind: Kind,
    journal: &[u8],
    output: &Output,
) -> Result<(), Failure> {
    if kind != Kind::Range {
        let has_parts = !args.parts.is_empty();
        let cause = format!("a proof of {kind} has no parts");
        return match has_parts {
            true => Err(failures::rejected(Code(614), cause)),
            false => Ok(()),
        };
    }
    let own = journal.first_chunk::<32>().copied().map(B256::new);
    match parts(args, demand)? {
        None => output.say("a composition holds if its parts do: --parts verifies their proofs"),
        Some(hash) if Some(hash) == own => {
            output.say(format_args!("verified {} parts of it", args.parts.len()));
        }
        Some(hash) => {
            let own = own.unwrap_or_default();
            let cause = format!("the proof composes the parts {own}, those given are {hash}");
            return Err(failures::rejected(Code(614), cause));
        }
    }
    Ok(())
}

/// What is demanded besides that the proof holds.
fn check(args: &VerifyArgs, claim: Option<&Claim>) -> Result<(), Failure> {
    let demands: [(&str, Option<B256>, Option<B256>); 4] = [
        ("chain hash", args.chain, claim.and_then(Claim::chain_hash)),
        (
            "pre state root",
            args.pre_state_root,
            claim.and_then(Claim::pre_state_root),
        ),
        (
            "block hash",
            args.block_hash,
            claim.and_then(Claim::block_hash),
        ),
        (
            "post state root",
            args.post_state_root,
            claim.and_then(Claim::post_state_root),
        ),
    ];
    for (name, demanded, got) in demands {
        match (demanded, got) {
            (Some(demanded), Some(got)) if demanded != got => {
                let cause = format!("the proof's {name} is {got}, demanded is {demanded}");
                return Err(failures::rejected(Code(614), cause));
            }
            (Some(_), None) => {
                let cause = format!("the proof does not tell the {name}");
                return Err(failures::rejected(Code(615), cause));
            }
            (Some(_), Some(_)) | (None, _) => {}
        }
    }
    Ok(())
}
