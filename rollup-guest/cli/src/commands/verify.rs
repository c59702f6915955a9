//! `zkvm rollup verify`: check a proof, and say what it proves.

use std::path::Path;
use std::time::Instant;

use alloy_primitives::{B256, hex};
use serde_json::json;
use zkvm_rollup_node::work::{Kind, WorkInput};
use zkvm_rollup_stf::claim::BlockClaim;
use zkvm_rollup_stf::rollup::parts_hash;
use zkvm_sdk::{Code, Demand, Program, Proof};
use zkvm_terminal::failure::Failure;
use zkvm_terminal::output::Output;
use zkvm_terminal::proof_file;

use crate::args::VerifyArgs;
use crate::claims::{self, Claim};
use crate::{failures, files, guests};

pub(crate) fn run(args: &VerifyArgs, output: &Output) -> Result<(), Failure> {
    let (proof, _) = proof_file::read(&args.proof)?;
    let started = Instant::now();
    let verifier = Verifier::new(Demand {
        exit_code: 0,
        level: args.level.into(),
    })?;
    let (kind, journal) = verifier.verify(&proof)?;
    let seconds = started.elapsed().as_secs_f64();
    output.say(format_args!(
        "verified in {seconds:.3} s, the program's keys included: guest {kind}"
    ));
    let claim = claim(args, kind, &journal)?;
    check_parts(args, &verifier, kind, &journal, output)?;
    check(args, claim.as_ref())?;
    let (human, mut answer) = match &claim {
        Some(claim) => (claim.human(), claim.answer()),
        None => {
            output.say("the proof has a digest only: --out or --input tells the fields");
            let digest = Some(digest(&journal));
            let parts_hash = (kind == Kind::Range).then(|| composed(&journal));
            let answer = json!({
                "kind": kind.to_string(),
                "claim": null,
                "digest": digest,
                "parts_hash": parts_hash,
                "journal": hex::encode(&journal),
            });
            (claims::hashes(digest, parts_hash), answer)
        }
    };
    answer["program_id"] = json!(proof.program_id().to_string());
    answer["level"] = json!(proof.level().map(|level| level.to_string()));
    answer["hash"] = json!(proof.header().hash.name());
    answer["parts"] = json!(args.parts.len());
    answer["seconds"] = json!(seconds);
    output.answer(&human, &answer)
}

/// What is demanded of proofs, and the guests that they may be of.
struct Verifier {
    demand: Demand,
    /// Loaded once, so that the keys of each are made once for all proofs.
    guests: Vec<(Kind, Program)>,
}

impl Verifier {
    fn new(demand: Demand) -> Result<Self, Failure> {
        let load = |kind| Ok::<_, Failure>((kind, guests::program(kind)?));
        let guests = Kind::ALL.into_iter().map(load);
        let guests = guests.collect::<Result<_, _>>()?;
        Ok(Verifier { demand, guests })
    }

    /// Verifies that a proof holds, of whichever guest it says it is.
    fn verify(&self, proof: &Proof) -> Result<(Kind, Vec<u8>), Failure> {
        let got = proof.program_id();
        let Some((kind, program)) = self.guests.iter().find(|(_, it)| it.id() == got) else {
            let ids = self.guests.iter();
            let ids = ids.map(|(kind, program)| format!("{kind} is {}", program.id()));
            let ids = ids.collect::<Vec<_>>().join(", ");
            let cause =
                format!("the proof is of program {got}, which is none of the guests: {ids}");
            return Err(failures::rejected(Code(405), cause));
        };
        let journal = program.verify_as(proof, &self.demand)?;
        Ok((*kind, journal.bytes().to_vec()))
    }
}

/// The digests that the proofs of a composition's parts have, which all hold.
///
/// A part that is a composition itself takes the place of its own parts, which come before it:
/// without them, it would say nothing.
fn parts(args: &VerifyArgs, verifier: &Verifier) -> Result<Vec<B256>, Failure> {
    let mut digests = Vec::new();
    for path in &args.parts {
        let verified = proof_file::read(path).and_then(|(proof, _)| verifier.verify(&proof));
        let (kind, journal) = verified.map_err(|failure| failures::of_file(failure, path))?;
        let refused = |reason| failures::of_file(failures::rejected(Code(620), reason), path);
        match kind {
            Kind::Block => return Err(refused("a block of Ethereum is no part of anything")),
            Kind::Batch => {}
            Kind::Range => {
                let own = composed(&journal);
                let mut firsts = (0..digests.len()).rev();
                let Some(first) =
                    firsts.find(|first| parts_hash(digests.split_at(*first).1) == own)
                else {
                    let reason = "a part is a composition, and its own parts are not before it";
                    return Err(refused(reason));
                };
                digests.truncate(first);
            }
        }
        digests.push(digest(&journal));
    }
    Ok(digests)
}

/// The digest of what is claimed, by the journal of a batch or a composition.
fn digest(journal: &[u8]) -> B256 {
    let hash = journal.last_chunk::<32>().copied();
    B256::new(hash.unwrap_or_default())
}

/// The hash of what a composition is made of, by its journal.
fn composed(journal: &[u8]) -> B256 {
    let hash = journal.first_chunk::<32>().copied();
    B256::new(hash.unwrap_or_default())
}

/// What is proved; `None` if there is nothing but a digest.
fn claim(args: &VerifyArgs, kind: Kind, journal: &[u8]) -> Result<Option<Claim>, Failure> {
    let own_parts = match kind {
        Kind::Range => Some(composed(journal)),
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

/// A composition is worth what its parts are: alone, it is no proof of anything.
fn check_parts(
    args: &VerifyArgs,
    verifier: &Verifier,
    kind: Kind,
    journal: &[u8],
    output: &Output,
) -> Result<(), Failure> {
    let refused = |cause: String| Err(failures::rejected(Code(620), cause));
    match (kind, args.parts.is_empty()) {
        (Kind::Block | Kind::Batch, true) => return Ok(()),
        (Kind::Block | Kind::Batch, false) => {
            return refused(format!("a proof of {kind} has no parts"));
        }
        (Kind::Range, true) => {
            return refused("no proofs of the composition's parts are given".to_owned());
        }
        (Kind::Range, false) => {}
    }
    let digests = parts(args, verifier)?;
    let (own, given) = (composed(journal), parts_hash(&digests));
    if given != own {
        let count = digests.len();
        let plural = if count == 1 { "part" } else { "parts" };
        return refused(format!(
            "the proof composes parts of the hash {own}, the {count} {plural} given have {given}"
        ));
    }
    let count = args.parts.len();
    let plural = if count == 1 { "proof" } else { "proofs" };
    output.say(format_args!("verified {count} {plural} of its parts"));
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
