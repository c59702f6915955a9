//! `make-chain`: batches of a rollup that never was, by a seed.
//!
//! ```text
//!   seed ─▶ L1 (epochs, queue, faults) ─▶ schedule ─▶ draft ─▶ violation ─▶ posted ─▶ F ─┐
//!             ▲                              ▲                                           │
//!             └──────────── faults ──────────┴──────────── state, hashes ────────────────┘
//! ```
//!
//! Each batch builds on what F makes of the one before; where that is refused, on the block in its
//! place. A seed gives the same bytes everywhere and always.
//!
//! All keys are derived from the seed. They are for tests only.
//!
//! | file | what |
//! |---|---|
//! | `chain` | the generator |
//! | `genesis` | constants, accounts and contracts at the beginning |
//! | `l1` | what L1 would do |
//! | `schedule` | who makes a batch, and when |
//! | `leader` | what a leader does |
//! | `body` | transactions |
//! | `draft` | a batch until it is posted |
//! | `evaluate` | F, and the smallest witness |
//! | `feature` | what may happen in a batch |
//! | `violation` | ways to break a rule |
//! | `report` | what happened, in words |
//! | `wallet` | keys |
//! | `precompile` | calls of the EVM's precompiles |
//! | `rng` | random numbers |

mod body;
mod chain;
mod draft;
mod evaluate;
mod feature;
mod genesis;
mod l1;
mod leader;
mod precompile;
mod report;
mod rng;
mod schedule;
mod violation;
mod wallet;

use std::collections::BTreeSet;

use alloy_primitives::{Bytes, TxHash};
use thiserror::Error;
use zkvm_rollup_stf::Failure;
use zkvm_rollup_stf::chain::Fork;
use zkvm_rollup_stf::rollup::{Config, L1View, OrderingPolicy, Out, Verdict};
use zkvm_rollup_stf::trie::TrieError;

pub use chain::{Generator, Genesis};
pub use feature::Feature;
pub use violation::Violation;

use crate::batch::OwnedBatchInput;

/// Wei in an ether.
pub const ETHER: u128 = 1_000_000_000_000_000_000;

/// What a chain is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// The EVM's rules, Cancun or later; by the seed Cancun or Prague if there is none here.
    pub fork: Option<Fork>,
    /// The order of transactions; by the seed if there is none here.
    pub ordering: Option<OrderingPolicy>,
    /// How much is in a batch.
    pub scale: Scale,
}

/// How much is in a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Up to three blocks of up to four transactions, besides forced items.
    Usual,
    /// One block, and at most one or two transactions: what is cheap to prove.
    Small,
}

/// A batch with all that F is a function of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The rules.
    pub config: Config,
    /// What L1 knows.
    pub view: L1View,
    /// What the guest reads, with the smallest witness.
    pub input: OwnedBatchInput,
    /// What F is.
    pub out: Out,
    /// What is wrong with the batch; its verdict is the intended one.
    pub violation: Option<Violation>,
    /// The Ethereum blocks that the batch leads to, encoded.
    pub blocks: Vec<Bytes>,
    /// Of each forced item, whether it was skipped.
    pub skipped: Vec<bool>,
    /// Hashes of the executed transactions.
    pub transactions: Vec<TxHash>,
    /// What has happened.
    pub features: BTreeSet<Feature>,
    /// One line about it.
    pub description: String,
}

/// Why there is no next batch. All but the first are bugs.
#[derive(Clone, Debug, PartialEq, Error)]
pub enum GenerateError {
    /// The chain's order is free, so none is wrong.
    #[error("no batch has the verdict {verdict:?}: the chain's order of transactions is free")]
    Unreachable {
        /// The verdict that was asked for.
        verdict: Verdict,
    },
    /// The fork is older than Cancun.
    #[error("the rollup's rules know no fork {fork:?}")]
    Fork {
        /// The fork that was asked for.
        fork: Fork,
    },
    /// A key does not sign.
    #[error("a key does not sign")]
    Signing,
    /// A slot has no leader.
    #[error("attempt {attempt} in slot {slot} has no leader")]
    Leader {
        /// The slot.
        slot: u64,
        /// Which of its leaders.
        attempt: u8,
    },
    /// The first state cannot be built.
    #[error(transparent)]
    Trie(#[from] TrieError),
    /// F has no value.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// F does not say what is meant.
    #[error("the batch with {violation:?} is meant to be {intended:?}, but is {got:?}")]
    Verdict {
        /// What is wrong with it.
        violation: Option<Violation>,
        /// The verdict that it is meant to have.
        intended: Verdict,
        /// F's.
        got: Verdict,
    },
    /// F skips other forced items than it should.
    #[error("of the forced items, {got:?} were skipped, expected {expected:?}")]
    Skipped {
        /// Whether each is to be skipped.
        expected: Vec<bool>,
        /// Whether it was.
        got: Vec<bool>,
    },
}

/// One cheap batch of each verdict, in their order, on one chain.
///
/// # Errors
/// None but bugs.
pub fn one_of_each(seed: u64) -> Result<Vec<Generated>, GenerateError> {
    let mut generator = Generator::small(seed)?;
    let batches = Verdict::ALL
        .iter()
        .map(|verdict| generator.next_with(*verdict));
    batches.collect()
}
