//! What F is a function of.

use alloc::vec::Vec;
use core::ops::Range;

use alloy_primitives::{Address, B256, keccak256};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};
use serde::{Deserialize, Serialize};

use super::block_range::execute_blocks;
use super::blocks::Surroundings;
use super::config::Config;
use super::out::{BlocksOut, Out};
use super::queue::{Forced, QueueItem};
use super::sequencers::SequencerSet;
use super::transition::transition;
use crate::Failure;
use crate::chain::ChainConfig;
use crate::witness::{Ancestors, Hashed, Source, Witness, WitnessError};

/// What L1 has in its storage about a batch. All of it is in the output, so L1 checks it.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct L1View {
    /// Position of the batch.
    pub batch_index: u64,
    /// Hash of the batch before it.
    pub parent_batch_hash: B256,
    /// Hash over all inputs before it.
    pub chain_input: B256,
    /// Index of the first forced item that it has to execute.
    pub forced_from: u64,
    /// Hash of the queue before that item.
    pub forced_pre: B256,
    /// Index after the last forced item that it has to execute.
    pub forced_to: u64,
    /// Hash of the queue up to there.
    pub forced_post: B256,
    /// Hash of the epoch's sequencers; it has the epoch in it.
    pub set_hash: B256,
    /// The epoch's seed.
    pub seed: B256,
    /// Number of the L1 block that the batch is bound to.
    pub l1_anchor: u64,
    /// Hash of that block.
    pub l1_anchor_hash: B256,
    /// Time of that block.
    pub l1_anchor_time: u64,
    /// Time of the L1 block with the batch.
    pub l1_time: u64,
    /// The epoch of the leader's last fault, plus one; zero if there is none.
    pub leader_fault_epoch: u64,
}

impl L1View {
    /// The hash of the view's RLP.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256(alloy_rlp::encode(self))
    }
}

/// Consecutive blocks of a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockRange {
    /// Position of the first block.
    pub first: u64,
    /// Position after the last block.
    pub end: u64,
}

impl BlockRange {
    /// As positions; `None` if there is none.
    pub(super) fn indices(self) -> Option<Range<usize>> {
        let (first, end) = (self.first.try_into().ok()?, self.end.try_into().ok()?);
        (first < end).then_some(first..end)
    }
}

/// All that F is a function of, but for the state before.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The rules.
    pub config: Config,
    /// What L1 knows.
    pub view: L1View,
    /// The epoch's sequencers.
    pub set: SequencerSet,
    /// The forced items.
    pub items: Vec<QueueItem<'a>>,
    /// The batch as posted.
    pub batch: &'a [u8],
    /// Who is paid for the proof.
    pub prover: Address,
}

/// What the guest `rollup-batch` reads: [`Input`] with the witness, as bytes that can be borrowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchInput<'a> {
    /// RLP of [`Config`].
    pub config: &'a [u8],
    /// RLP of [`L1View`].
    pub view: &'a [u8],
    /// The epoch's sequencers.
    pub set: SequencerSet,
    /// The forced items.
    #[serde(borrow)]
    pub items: Vec<QueueItem<'a>>,
    /// The batch as posted.
    pub batch: &'a [u8],
    /// Who is paid for the proof.
    pub prover: [u8; 20],
    /// The blocks that are proven; `None` for the whole batch.
    pub blocks: Option<BlockRange>,
    /// The past: of the batch, or of the first of the blocks.
    #[serde(borrow)]
    pub witness: Witness<'a>,
}

/// What the guest `rollup-batch` commits the digest of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Claim {
    /// Of the whole batch.
    Batch(Out),
    /// Of some of its blocks.
    Blocks(BlocksOut),
}

impl Claim {
    /// What the guest commits.
    #[must_use]
    pub fn digest(&self) -> B256 {
        match self {
            Claim::Batch(out) => out.digest(),
            Claim::Blocks(out) => out.digest(),
        }
    }
}

impl BatchInput<'_> {
    /// Evaluates F, or its part for some of the batch's blocks.
    ///
    /// # Errors
    /// As [`transition`] and [`execute_blocks`]; also if the constants or the view do not decode.
    pub fn claim(&self) -> Result<Claim, Failure> {
        self.claim_from(&Hashed::new(&self.witness))
    }

    /// The same with the witness's nodes and codes as `source` has them.
    ///
    /// # Errors
    /// As [`BatchInput::claim`].
    pub fn claim_from<S: Source>(&self, source: &S) -> Result<Claim, Failure> {
        let input = Input {
            config: decode(self.config)?,
            view: decode(self.view)?,
            set: self.set.clone(),
            items: self.items.clone(),
            batch: self.batch,
            prover: self.prover.into(),
        };
        let ancestors = Ancestors::new(&self.witness.headers)?;
        match self.blocks {
            None => Ok(Claim::Batch(transition(&input, &ancestors, source)?.out)),
            Some(range) => {
                execute_blocks(&input, range, &ancestors, source).map(|it| Claim::Blocks(it.out))
            }
        }
    }
}

pub(super) fn decode<T: Decodable>(bytes: &[u8]) -> Result<T, WitnessError> {
    alloy_rlp::decode_exact(bytes).map_err(|reason| WitnessError::Beside { reason })
}

impl Input<'_> {
    /// The sequencers are those that L1 has hashed.
    pub(super) fn check_set(&self) -> Result<(), WitnessError> {
        let got = self.set.hash();
        if got == Some(self.view.set_hash) {
            return Ok(());
        }
        Err(WitnessError::SequencerSet {
            expected: self.view.set_hash,
            got,
        })
    }

    /// The forced items that the batch executes, of those that L1 has hashed.
    pub(super) fn read_items(&self) -> Result<Forced, WitnessError> {
        let view = &self.view;
        let count = view.forced_to.checked_sub(view.forced_from);
        let got = self
            .items
            .iter()
            .fold(view.forced_pre, |before, item| item.hash_after(before));
        let is_complete = count.is_some_and(|count| u64::try_from(self.items.len()) == Ok(count));
        if !is_complete || got != view.forced_post {
            return Err(WitnessError::Queue {
                expected: view.forced_post,
                got,
            });
        }
        Ok(Forced::new(
            &self.items,
            view.forced_from,
            view.forced_pre,
            self.config.forced_gas_limit(),
        ))
    }

    /// What all blocks of the batch have in common.
    pub(super) fn surroundings<'a>(&'a self, chain: &'a ChainConfig) -> Surroundings<'a> {
        Surroundings {
            config: &self.config,
            chain,
            epoch: self.set.epoch,
            seed: self.view.seed,
            l1_anchor: self.view.l1_anchor,
            l1_anchor_hash: self.view.l1_anchor_hash,
        }
    }
}
