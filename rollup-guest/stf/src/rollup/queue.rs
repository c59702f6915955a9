//! Forced items: what L1 has queued and no leader may leave out.

use alloc::vec::Vec;

use alloy_consensus::Transaction as _;
use alloy_eips::Decodable2718;
use alloy_eips::eip4895::Withdrawal;
use alloy_primitives::{Address, B256, keccak256};
use serde::{Deserialize, Serialize};

use crate::block::Transaction;

/// Bytes of a deposit's payload: the address, and the amount in gwei.
const DEPOSIT_BYTES: usize = 20 + 8;

/// Most forced items that a batch executes.
const FORCED_ITEMS_MAX: usize = 256;

/// An item of the queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueItem<'a> {
    /// [`ItemKind`] as L1 has it.
    pub kind: u8,
    /// Number of the L1 block that queued it.
    pub l1_block: u64,
    /// Time of that block.
    pub l1_time: u64,
    /// A transaction (EIP-2718), or a deposit.
    pub payload: &'a [u8],
}

/// What an item turns out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A transaction, not yet known to be payable.
    Transaction(Transaction),
    /// A deposit: it becomes a withdrawal from L1's point of view (EIP-4895).
    Deposit(Withdrawal),
    /// Bytes that are neither; the item is skipped.
    Neither,
}

impl QueueItem<'_> {
    /// `q_i = H(q_{i-1} || uint8 kind || uint64 l1Block || uint64 l1Time || H(payload))`.
    #[must_use]
    pub fn hash_after(&self, before: B256) -> B256 {
        let mut bytes = Vec::with_capacity(32 + 1 + 8 + 8 + 32);
        bytes.extend_from_slice(before.as_slice());
        bytes.push(self.kind);
        bytes.extend_from_slice(&self.l1_block.to_be_bytes());
        bytes.extend_from_slice(&self.l1_time.to_be_bytes());
        bytes.extend_from_slice(keccak256(self.payload).as_slice());
        keccak256(bytes)
    }

    /// Reads the payload; `index` is the item's position in the whole queue.
    #[must_use]
    pub fn read(&self, index: u64) -> ItemKind {
        match self.kind {
            0 => Transaction::decode_2718_exact(self.payload)
                .map_or(ItemKind::Neither, ItemKind::Transaction),
            1 => deposit(self.payload, index).map_or(ItemKind::Neither, ItemKind::Deposit),
            _ => ItemKind::Neither,
        }
    }
}

/// The forced items that a batch executes: as many as have room together. The others stay queued.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Forced {
    pub(super) items: Vec<ItemKind>,
    /// Index after the last one.
    pub(super) to: u64,
    /// Hash of the queue up to there.
    pub(super) post: B256,
}

impl Forced {
    /// Of queued items, the first that name no more than `gas_limit` together. A transaction that
    /// names more by itself never has room, and is no transaction.
    pub(super) fn new(queued: &[QueueItem<'_>], from: u64, pre: B256, gas_limit: u64) -> Self {
        let mut forced = Forced {
            items: Vec::new(),
            to: from,
            post: pre,
        };
        let mut gas = 0u64;
        for item in queued.iter().take(FORCED_ITEMS_MAX) {
            let mut read = item.read(forced.to);
            if let ItemKind::Transaction(transaction) = &read {
                let named = transaction.gas_limit();
                if named > gas_limit {
                    read = ItemKind::Neither;
                } else if gas.saturating_add(named) > gas_limit {
                    break;
                } else {
                    gas = gas.saturating_add(named);
                }
            }
            forced.items.push(read);
            forced.to = forced.to.saturating_add(1);
            forced.post = item.hash_after(forced.post);
        }
        forced
    }
}

fn deposit(payload: &[u8], index: u64) -> Option<Withdrawal> {
    let payload: &[u8; DEPOSIT_BYTES] = payload.try_into().ok()?;
    let (address, amount) = payload.split_first_chunk::<20>()?;
    let amount = u64::from_be_bytes(amount.try_into().ok()?);
    Some(Withdrawal {
        index,
        validator_index: 0,
        address: Address::new(*address),
        amount,
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::{ItemKind, QueueItem};

    #[test]
    fn every_part_of_an_item_is_in_the_hash() {
        let item = QueueItem {
            kind: 1,
            l1_block: 2,
            l1_time: 3,
            payload: b"payload",
        };
        let hash = item.hash_after(B256::ZERO);
        let others = [
            QueueItem {
                kind: 0,
                ..item.clone()
            }
            .hash_after(B256::ZERO),
            QueueItem {
                l1_block: 3,
                ..item.clone()
            }
            .hash_after(B256::ZERO),
            QueueItem {
                l1_time: 2,
                ..item.clone()
            }
            .hash_after(B256::ZERO),
            QueueItem {
                payload: b"other",
                ..item.clone()
            }
            .hash_after(B256::ZERO),
            item.hash_after(hash),
        ];
        assert!(others.iter().all(|other| *other != hash));
    }

    #[test]
    fn deposits_have_one_form() {
        let mut payload = [7u8; 28];
        payload[20..].copy_from_slice(&9u64.to_be_bytes());
        let item = |kind, payload| QueueItem {
            kind,
            l1_block: 0,
            l1_time: 0,
            payload,
        };
        let ItemKind::Deposit(deposit) = item(1, &payload).read(5) else {
            panic!("not a deposit");
        };
        assert_eq!((deposit.index, deposit.amount), (5, 9));
        assert_eq!(deposit.address.0, [7; 20]);
        for bad in [
            item(1, &payload[1..]),
            item(2, &payload),
            item(0, &payload),
            item(0, b""),
        ] {
            assert_eq!(bad.read(5), ItemKind::Neither);
        }
    }
}
