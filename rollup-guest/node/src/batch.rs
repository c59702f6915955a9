//! What the guest `rollup-batch` reads, with bytes of its own.

use alloy_primitives::{Address, Bytes};
use zkvm_rollup_stf::rollup::{BatchInput, BlockRange, QueueItem, SequencerSet};
use zkvm_rollup_stf::witness::Witness;

/// A [`BatchInput`] that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedBatchInput {
    /// RLP of the rules, a [`zkvm_rollup_stf::rollup::Config`].
    pub config: Bytes,
    /// RLP of what L1 knows, a [`zkvm_rollup_stf::rollup::L1View`].
    pub view: Bytes,
    /// The epoch's sequencers.
    pub set: SequencerSet,
    /// The forced items.
    pub items: Vec<OwnedItem>,
    /// The batch as posted.
    pub batch: Bytes,
    /// Who is paid for the proof.
    pub prover: Address,
    /// The blocks that are proven; `None` for the whole batch.
    pub blocks: Option<BlockRange>,
    /// Trie nodes.
    pub nodes: Vec<Bytes>,
    /// Codes.
    pub codes: Vec<Bytes>,
    /// Encoded headers, the parent first.
    pub headers: Vec<Bytes>,
}

/// A [`QueueItem`] that owns its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnedItem {
    /// What it is: 0 a transaction, 1 a deposit.
    pub kind: u8,
    /// Number of the L1 block that queued it.
    pub l1_block: u64,
    /// Time of that block.
    pub l1_time: u64,
    /// The transaction or the deposit.
    pub payload: Bytes,
}

impl OwnedItem {
    /// The item as F reads it.
    #[must_use]
    pub fn borrow(&self) -> QueueItem<'_> {
        QueueItem {
            kind: self.kind,
            l1_block: self.l1_block,
            l1_time: self.l1_time,
            payload: &self.payload,
        }
    }
}

impl OwnedBatchInput {
    /// The input as the guest reads it.
    #[must_use]
    pub fn borrow(&self) -> BatchInput<'_> {
        fn slices(strings: &[Bytes]) -> Vec<&[u8]> {
            strings.iter().map(|bytes| &bytes[..]).collect()
        }
        BatchInput {
            config: &self.config,
            view: &self.view,
            set: self.set.clone(),
            items: self.items.iter().map(OwnedItem::borrow).collect(),
            batch: &self.batch,
            prover: self.prover.into_array(),
            blocks: self.blocks,
            witness: Witness {
                nodes: slices(&self.nodes),
                codes: slices(&self.codes),
                headers: slices(&self.headers),
            },
        }
    }
}
