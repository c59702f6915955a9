//! Who may propose when: drawn by stake, from a seed that L1 recorded two epochs before.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256, keccak256};
use serde::{Deserialize, Serialize};

/// Most sequencers in a set.
pub const SEQUENCERS_MAX: usize = 128;

/// A sequencer and its stake.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequencer {
    /// Who signs.
    pub signer: [u8; 20],
    /// Wei at stake.
    pub stake: u128,
}

/// The sequencers of an epoch, in the order of the L1 contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequencerSet {
    /// The epoch.
    pub epoch: u64,
    /// The sequencers.
    pub sequencers: Vec<Sequencer>,
}

impl SequencerSet {
    /// `H(abi.encodePacked(uint64 epoch, uint16 n, (address signer, uint128 stake)…))`; `None` if
    /// there are too many.
    #[must_use]
    pub fn hash(&self) -> Option<B256> {
        if self.sequencers.len() > SEQUENCERS_MAX {
            return None;
        }
        let count = u16::try_from(self.sequencers.len()).ok()?;
        let mut bytes = Vec::with_capacity(10 + 36 * self.sequencers.len());
        bytes.extend_from_slice(&self.epoch.to_be_bytes());
        bytes.extend_from_slice(&count.to_be_bytes());
        for sequencer in &self.sequencers {
            bytes.extend_from_slice(&sequencer.signer);
            bytes.extend_from_slice(&sequencer.stake.to_be_bytes());
        }
        Some(keccak256(bytes))
    }

    /// The leader of a slot, or its `attempt`-th backup: `t = r · total / 2^128` picks the first
    /// whose sum of stakes is above it. `None` if nobody has a stake, or all together `2^128` or
    /// more.
    #[must_use]
    pub fn leader(&self, seed: B256, slot: u64, attempt: u8) -> Option<Sequencer> {
        let mut bytes = Vec::with_capacity(32 + 8 + 1);
        bytes.extend_from_slice(seed.as_slice());
        bytes.extend_from_slice(&slot.to_be_bytes());
        bytes.push(attempt);
        let random: U256 = U256::from_be_bytes(keccak256(bytes).0) >> 128usize;
        let mut stakes = self.sequencers.iter().map(|it| it.stake);
        let total = stakes.try_fold(0u128, u128::checked_add)?;
        // Both factors are below 2^128, so nothing is lost.
        let target = random.wrapping_mul(U256::from(total)) >> 128usize;
        let mut sum = U256::ZERO;
        self.sequencers.iter().copied().find(|sequencer| {
            sum = sum.saturating_add(U256::from(sequencer.stake));
            sum > target
        })
    }

    /// The stake of a signer; zero if it is not in the set.
    #[must_use]
    pub fn stake_of(&self, signer: Address) -> u128 {
        let found = self.sequencers.iter().find(|it| it.signer == signer.0);
        found.map_or(0, |sequencer| sequencer.stake)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use alloy_primitives::B256;

    use super::{SEQUENCERS_MAX, Sequencer, SequencerSet};

    fn set(stakes: &[u128]) -> SequencerSet {
        let sequencers = (1u8..)
            .zip(stakes)
            .map(|(byte, stake)| Sequencer {
                signer: [byte; 20],
                stake: *stake,
            })
            .collect();
        SequencerSet {
            epoch: 3,
            sequencers,
        }
    }

    #[test]
    fn slots_are_shared_by_stake() {
        let set = set(&[1 << 70, 0, 3 << 70]);
        let mut counts = [0u32; 3];
        for slot in 0..4_000 {
            let leader = set.leader(B256::repeat_byte(9), slot, 0).unwrap();
            counts[usize::from(leader.signer[0]) - 1] += 1;
        }
        assert_eq!(counts[1], 0);
        assert!((900..1100).contains(&counts[0]), "{counts:?}");
    }

    #[test]
    fn backups_are_drawn_anew() {
        let set = set(&[5; 10]);
        let leaders: Vec<_> = (0..=255)
            .map(|attempt| set.leader(B256::ZERO, 1, attempt).unwrap().signer)
            .collect();
        for sequencer in &set.sequencers {
            assert!(leaders.contains(&sequencer.signer));
        }
    }

    #[test]
    fn extreme_stakes_have_a_leader_and_none_have_none() {
        let full = set(&[u128::MAX / 128; SEQUENCERS_MAX]);
        assert!((0..100).all(|slot| full.leader(B256::ZERO, slot, 0).is_some()));
        assert_eq!(set(&[u128::MAX, 1]).leader(B256::ZERO, 0, 0), None);
        assert_eq!(set(&[]).leader(B256::ZERO, 0, 0), None);
        assert_eq!(set(&[0, 0]).leader(B256::ZERO, 0, 0), None);
    }

    #[test]
    fn hash_has_epoch_order_and_stakes() {
        let base = set(&[1, 2]);
        let mut hashes = vec![base.hash().unwrap(), set(&[2, 1]).hash().unwrap()];
        hashes.push(set(&[1, 2, 0]).hash().unwrap());
        hashes.push(
            SequencerSet {
                epoch: 4,
                ..base.clone()
            }
            .hash()
            .unwrap(),
        );
        let mut swapped = base;
        swapped.sequencers.reverse();
        hashes.push(swapped.hash().unwrap());
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), 5);
        assert_eq!(set(&[1; SEQUENCERS_MAX + 1]).hash(), None);
    }
}
