//! Withdrawals to L1: the outbox contract's logs, as leaves of a binary tree.

use alloc::vec::Vec;

use alloy_consensus::{ReceiptEnvelope, TxReceipt};
use alloy_primitives::{Address, B256, Log, U256, keccak256};

/// Before a leaf's bytes, so that no inner node is a leaf.
const LEAF: u8 = 0;
/// Before an inner node's children.
const NODE: u8 = 1;

/// A log of the outbox.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Withdrawal {
    /// `H(0 || topics… || data)`.
    pub leaf: B256,
    /// Wei: the first word of the data, zero if there is none. The contract holds as much.
    pub value: U256,
}

impl Withdrawal {
    fn new(log: &Log) -> Self {
        let mut bytes = Vec::with_capacity(1 + 32 * log.topics().len() + log.data.data.len());
        bytes.push(LEAF);
        for topic in log.topics() {
            bytes.extend_from_slice(topic.as_slice());
        }
        bytes.extend_from_slice(&log.data.data);
        let value = log
            .data
            .data
            .first_chunk::<32>()
            .map_or(U256::ZERO, |it| U256::from_be_bytes(*it));
        Withdrawal {
            leaf: keccak256(bytes),
            value,
        }
    }

    /// The withdrawals in a block's receipts.
    pub(super) fn of_receipts(receipts: &[ReceiptEnvelope], outbox: Address) -> Vec<Self> {
        let logs = receipts.iter().flat_map(TxReceipt::logs);
        logs.filter(|log| log.address == outbox)
            .map(Withdrawal::new)
            .collect()
    }
}

/// The root over withdrawals in their order: leaves are filled up with zeros to a power of two;
/// zero if there are none.
#[must_use]
pub fn withdrawals_root(withdrawals: &[Withdrawal]) -> B256 {
    root_of_leaves(withdrawals.iter().map(|it| it.leaf).collect())
}

/// [`withdrawals_root`] of leaves. There is one list of leaves for a root and their number.
pub(super) fn root_of_leaves(mut layer: Vec<B256>) -> B256 {
    if layer.is_empty() {
        return B256::ZERO;
    }
    layer.resize(layer.len().next_power_of_two(), B256::ZERO);
    while layer.len() > 1 {
        let (pairs, _) = layer.as_chunks::<2>();
        layer = pairs
            .iter()
            .map(|[left, right]| node(*left, *right))
            .collect();
    }
    layer.first().copied().unwrap_or_default()
}

fn node(left: B256, right: B256) -> B256 {
    let mut bytes = [NODE; 65];
    bytes[1..33].copy_from_slice(left.as_slice());
    bytes[33..].copy_from_slice(right.as_slice());
    keccak256(bytes)
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use alloy_primitives::{B256, Bytes, Log, U256, address};

    use super::{Withdrawal, node, withdrawals_root};

    fn withdrawal(value: u64, data_bytes: usize) -> Withdrawal {
        let mut data = U256::from(value).to_be_bytes::<32>().to_vec();
        data.truncate(data_bytes);
        let outbox = address!("00000000000000000000000000000000000000ff");
        let topics = Vec::from([B256::repeat_byte(1), B256::repeat_byte(2)]);
        Withdrawal::new(&Log::new_unchecked(outbox, topics, Bytes::from(data)))
    }

    #[test]
    fn value_is_the_first_word() {
        assert_eq!(withdrawal(5, 32).value, U256::from(5));
        assert_eq!(withdrawal(5, 31).value, U256::ZERO);
        assert_ne!(withdrawal(5, 32).leaf, withdrawal(6, 32).leaf);
    }

    #[test]
    fn root_is_that_of_the_padded_tree() {
        let leaves: Vec<Withdrawal> = (0..3).map(|value| withdrawal(value, 32)).collect();
        assert_eq!(withdrawals_root(&[]), B256::ZERO);
        assert_eq!(withdrawals_root(&leaves[..1]), leaves[0].leaf);
        let left = node(leaves[0].leaf, leaves[1].leaf);
        let right = node(leaves[2].leaf, B256::ZERO);
        assert_eq!(withdrawals_root(&leaves), node(left, right));
    }
}
