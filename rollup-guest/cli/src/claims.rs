//! What is claimed about blocks and batches: computed natively, printed, compared.

use std::fmt::Write as _;

use alloy_primitives::{B256, hex, keccak256};
use serde_json::{Value, json};
use zkvm_rollup_node::out::{self, Fields};
use zkvm_rollup_node::rules;
use zkvm_rollup_node::work::{Kind, WorkInput};
use zkvm_rollup_stf::claim::{BlockClaim, claim};
use zkvm_rollup_stf::rollup::{BlocksOut, Claim as OfBatch, Out, RangeOut, Whole};
use zkvm_terminal::failure::Failure;

use crate::failures;

/// The field that may have a name besides.
const CHAIN_HASH: &str = "chain_hash";

/// Widest name of a field, and a space.
const NAME_WIDTH: usize = 18;

/// What a guest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Claim {
    kind: Kind,
    fields: &'static Fields,
    words: Vec<u8>,
    /// Of a composition: what it is made of.
    parts_hash: Option<B256>,
}

impl Claim {
    /// Validates, evaluates or composes an input, natively.
    pub(crate) fn of(input: &WorkInput<'_>) -> Result<Self, Failure> {
        match input {
            WorkInput::Block(block) => {
                let claim = claim(block).map_err(|error| failures::no_claim(&error))?;
                Ok(Claim::block(&claim))
            }
            WorkInput::Batch(batch) => {
                let claim = batch.claim().map_err(|error| failures::no_claim(&error))?;
                Ok(match claim {
                    OfBatch::Batch(out) => Claim::new(Kind::Batch, &Out::FIELDS, out.to_bytes()),
                    OfBatch::Blocks(out) => {
                        Claim::new(Kind::Batch, &BlocksOut::FIELDS, out.to_bytes())
                    }
                })
            }
            WorkInput::Range(range) => {
                let composition = range.compose().map_err(|error| failures::apart(&error))?;
                let claim = match composition.whole {
                    Whole::Batch(out) => Claim::new(Kind::Range, &Out::FIELDS, out.to_bytes()),
                    Whole::Range(out) => Claim::new(Kind::Range, &RangeOut::FIELDS, out.to_bytes()),
                };
                Ok(Claim {
                    parts_hash: Some(composition.parts_hash),
                    ..claim
                })
            }
        }
    }

    /// Of `ethereum-block`.
    pub(crate) fn block(claim: &BlockClaim) -> Self {
        Claim::new(Kind::Block, &BlockClaim::FIELDS, claim.to_bytes())
    }

    fn new(kind: Kind, fields: &'static Fields, words: Vec<u8>) -> Self {
        Claim {
            kind,
            fields,
            words,
            parts_hash: None,
        }
    }

    /// Reads the fields of what a guest of this kind says, or an answer with them.
    pub(crate) fn from_json(kind: Kind, json: &Value) -> Result<Self, String> {
        let json = json.get("claim").unwrap_or(json);
        let fields: &'static Fields = match kind {
            Kind::Block => &BlockClaim::FIELDS,
            Kind::Batch if json.get("block_count").is_some() => &BlocksOut::FIELDS,
            Kind::Range if json.get("outs_hash").is_some() => &RangeOut::FIELDS,
            Kind::Batch | Kind::Range => &Out::FIELDS,
        };
        Ok(Claim::new(kind, fields, out::from_json(fields, json)?))
    }

    /// A composition of these parts.
    pub(crate) fn with_parts(self, parts_hash: Option<B256>) -> Self {
        Claim { parts_hash, ..self }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// What the guest commits.
    pub(crate) fn journal(&self) -> Vec<u8> {
        match (self.digest(), self.parts_hash) {
            (None, _) => self.words.clone(),
            (Some(digest), None) => digest.to_vec(),
            (Some(digest), Some(parts_hash)) => [parts_hash, digest].concat(),
        }
    }

    /// The hash of the words, where the guest commits that in their place.
    fn digest(&self) -> Option<B256> {
        match self.kind {
            Kind::Block => None,
            Kind::Batch | Kind::Range => Some(keccak256(&self.words)),
        }
    }

    fn hash(&self, field: &str) -> Option<B256> {
        let at = self.fields.iter().position(|(name, _)| *name == field)?;
        let (words, _) = self.words.as_chunks::<32>();
        words.get(at).map(|word| B256::new(*word))
    }

    /// Hash of the chain's rules; a batch's are in its domain.
    pub(crate) fn chain_hash(&self) -> Option<B256> {
        self.hash(CHAIN_HASH)
    }

    /// Root of the state before.
    pub(crate) fn pre_state_root(&self) -> Option<B256> {
        self.hash("pre_state_root")
    }

    /// Hash of the last block.
    pub(crate) fn block_hash(&self) -> Option<B256> {
        self.hash("block_hash")
            .or_else(|| self.hash("post_block_hash"))
    }

    /// Root of the state after it.
    pub(crate) fn post_state_root(&self) -> Option<B256> {
        self.hash("post_state_root")
    }

    /// The fields, one a line.
    pub(crate) fn human(&self) -> String {
        let mut human = String::new();
        for (name, value) in out::list(self.fields, &self.words) {
            let _ = write!(human, "{name:<NAME_WIDTH$} {value}");
            let hash = (name == CHAIN_HASH).then(|| self.chain_hash()).flatten();
            let _ = match hash.and_then(rules::name_of) {
                Some(chain) => writeln!(human, "  {chain}"),
                None => writeln!(human),
            };
        }
        human.push_str(&hashes(self.digest(), self.parts_hash));
        human
    }

    /// The fields, for programs.
    pub(crate) fn json(&self) -> Value {
        out::to_json(self.fields, &self.words)
    }

    /// All there is to say about it in JSON, as `exec`, `prove` and `verify` begin their answers.
    pub(crate) fn answer(&self) -> Value {
        json!({
            "kind": self.kind.to_string(),
            "claim": self.json(),
            "digest": self.digest(),
            "parts_hash": self.parts_hash,
            "journal": hex::encode(self.journal()),
        })
    }
}

/// The hashes that a journal has in the place of fields, one a line.
pub(crate) fn hashes(digest: Option<B256>, parts_hash: Option<B256>) -> String {
    let mut human = String::new();
    for (name, hash) in [("digest", digest), ("parts_hash", parts_hash)] {
        if let Some(hash) = hash {
            let _ = writeln!(human, "{name:<NAME_WIDTH$} {hash}");
        }
    }
    human
}
