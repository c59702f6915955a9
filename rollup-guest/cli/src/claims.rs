//! What is claimed about a block or a batch: computed natively, printed, compared.

use std::fmt::Write as _;

use alloy_primitives::{B256, hex};
use serde_json::{Value, json};
use zkvm_rollup_node::out::OutFields;
use zkvm_rollup_node::rules;
use zkvm_rollup_node::work::{Kind, WorkInput};
use zkvm_rollup_stf::claim::{BlockClaim, claim};
use zkvm_rollup_stf::rollup::Out;
use zkvm_terminal::failure::Failure;

use crate::failures;

/// The field that may have a name besides.
const CHAIN_HASH: &str = "chain_hash";

/// What a guest says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// `ethereum-block`.
    Block(BlockClaim),
    /// `rollup-batch`.
    Batch(Box<Out>),
}

impl Claim {
    /// Validates or evaluates an input, natively.
    pub(crate) fn of(input: &WorkInput<'_>) -> Result<Self, Failure> {
        let claimed = match input {
            WorkInput::Block(block) => claim(block).map(Claim::Block),
            WorkInput::Batch(batch) => batch.out().map(|out| Claim::Batch(Box::new(out))),
        };
        claimed.map_err(|error| failures::no_claim(&error))
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Claim::Block(_) => Kind::Block,
            Claim::Batch(_) => Kind::Batch,
        }
    }

    /// What the guest commits.
    pub(crate) fn journal(&self) -> Vec<u8> {
        match self {
            Claim::Block(claim) => claim.to_bytes(),
            Claim::Batch(out) => out.digest().to_vec(),
        }
    }

    /// Hash of the chain's rules; a batch's are in its domain.
    pub(crate) fn chain_hash(&self) -> Option<B256> {
        match self {
            Claim::Block(claim) => Some(claim.chain_hash),
            Claim::Batch(_) => None,
        }
    }

    /// Root of the state before.
    pub(crate) fn pre_state_root(&self) -> B256 {
        match self {
            Claim::Block(claim) => claim.pre_state_root,
            Claim::Batch(out) => out.pre_state_root,
        }
    }

    /// Hash of the last block.
    pub(crate) fn block_hash(&self) -> B256 {
        match self {
            Claim::Block(claim) => claim.block_hash,
            Claim::Batch(out) => out.post_block_hash,
        }
    }

    /// Root of the state after it.
    pub(crate) fn post_state_root(&self) -> B256 {
        match self {
            Claim::Block(claim) => claim.post_state_root,
            Claim::Batch(out) => out.post_state_root,
        }
    }

    /// The fields, one a line.
    pub(crate) fn human(&self) -> String {
        let mut human = String::new();
        match self {
            Claim::Block(claim) => {
                for (name, hash) in fields(claim) {
                    let _ = write!(human, "{name:<17} {hash}");
                    let chain = (name == CHAIN_HASH).then(|| rules::name_of(hash)).flatten();
                    let _ = match chain {
                        Some(chain) => writeln!(human, "  {chain}"),
                        None => writeln!(human),
                    };
                }
            }
            Claim::Batch(out) => {
                for (name, value) in OutFields::from(**out).list() {
                    let _ = writeln!(human, "{name:<18} {value}");
                }
                let _ = writeln!(human, "{:<18} {}", "digest", out.digest());
            }
        }
        human
    }

    /// The same for programs.
    pub(crate) fn json(&self) -> Value {
        match self {
            Claim::Block(claim) => Value::Object(
                fields(claim)
                    .into_iter()
                    .map(|(name, hash)| (name.to_owned(), json!(hash)))
                    .collect(),
            ),
            Claim::Batch(out) => json!(OutFields::from(**out)),
        }
    }

    /// All there is to say about it in JSON, as `exec`, `prove` and `verify` begin their answers.
    pub(crate) fn answer(&self) -> Value {
        json!({
            "kind": self.kind().to_string(),
            "claim": self.json(),
            "journal": hex::encode(self.journal()),
        })
    }
}

fn fields(claim: &BlockClaim) -> [(&'static str, B256); 5] {
    [
        (CHAIN_HASH, claim.chain_hash),
        ("parent_hash", claim.parent_hash),
        ("block_hash", claim.block_hash),
        ("pre_state_root", claim.pre_state_root),
        ("post_state_root", claim.post_state_root),
    ]
}
