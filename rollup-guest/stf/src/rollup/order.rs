//! Whether a block's own transactions are in the order of the policy.
//!
//! By priority: what a transaction pays above the base fee, but never more than its sender's
//! transaction before it, because it cannot come before that. Equal priorities are in the order of
//! `H(mixHash || txHash)`, and again not before their sender's. So there is one order for a set of
//! transactions, and it can be checked from one to the next. First come, first served cannot be
//! checked and is not offered.

use alloc::vec::Vec;
use core::cmp::Reverse;

use alloy_consensus::Transaction as _;
use alloy_primitives::map::AddressMap;
use alloy_primitives::{Address, B256, keccak256};

use crate::block::Transaction;

/// Position in the order: ascending.
type Rank = (Reverse<u128>, B256);

/// Whether transactions, with their senders, are in the order of their priority.
pub(super) fn is_by_priority(
    transactions: &[(Address, Transaction)],
    base_fee: u64,
    mix_hash: B256,
) -> bool {
    let mut of_sender: AddressMap<Rank> = AddressMap::default();
    let mut ranks: Vec<Rank> = Vec::with_capacity(transactions.len());
    for (sender, transaction) in transactions {
        let tip = transaction.effective_tip_per_gas(base_fee).unwrap_or(0);
        let own = (
            Reverse(tip),
            keccak256([mix_hash, *transaction.tx_hash()].concat()),
        );
        let rank = of_sender.get(sender).map_or(own, |before| own.max(*before));
        let _ = of_sender.insert(*sender, rank);
        ranks.push(rank);
    }
    ranks.is_sorted()
}
