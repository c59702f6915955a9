//! The constants of a rollup's rules.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::{RlpDecodable, RlpEncodable};

use crate::chain::{ChainConfig, Fork};
use crate::header::{GAS_LIMIT_MAX, GAS_LIMIT_MIN};

/// Version of the formats and rules.
pub(super) const VERSION: u64 = 1;

/// The constants, which every signature and every output is bound to by their hash.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Config {
    /// 1.
    pub version: u64,
    /// The chain id that transactions are signed for.
    pub chain_id: u64,
    /// The EVM's rules: a position in [`Fork::ALL`].
    pub fork: u8,
    /// Seconds since 1970 at which slot 0 begins.
    pub genesis_time: u64,
    /// Slots in an epoch.
    pub epoch_slots: u64,
    /// Seconds in a slot.
    pub slot_seconds: u64,
    /// Seconds after which the next backup leader may take a slot.
    pub backup_delay: u64,
    /// Most seconds that a block may be behind the L1 block that its batch names.
    pub max_drift: u64,
    /// Most blocks in a batch.
    pub max_blocks_per_batch: u64,
    /// Most bytes in a batch.
    pub max_batch_bytes: u64,
    /// Most gas in a block.
    pub block_gas_limit: u64,
    /// Most gas of proving in a batch.
    pub zk_gas_limit: u64,
    /// [`OrderingPolicy`].
    pub ordering_policy: u8,
    /// Withdrawals of more wei than this in a batch require a proof.
    pub z_value_threshold: U256,
    /// Value at risk above `kappa_num / kappa_den` of the leader's stake requires a proof.
    pub kappa_num: u64,
    /// See `kappa_num`.
    pub kappa_den: u64,
    /// Epochs after a fault in which all batches of a leader require a proof.
    pub probation_epochs: u64,
    /// A transaction whose access list names this address requires a proof.
    pub z_opt_in_address: Address,
    /// The contract whose logs are withdrawals.
    pub outbox_address: Address,
    /// Who gets the fees: 0, the leader.
    pub fee_recipient_policy: u8,
    /// Least stake of a sequencer.
    pub min_stake: u128,
    /// Greatest stake of a sequencer.
    pub max_stake: u128,
}

/// In which order a block's own transactions have to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OrderingPolicy {
    /// As the leader likes.
    Free,
    /// By what they pay.
    Priority,
}

/// How a batch is settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Mode {
    /// Optimistically, unless someone objects.
    Optimistic = 0,
    /// By a proof.
    Zk = 1,
}

impl Mode {
    /// All modes, in the order of their numbers.
    pub const ALL: [Self; 2] = [Mode::Optimistic, Mode::Zk];

    /// The name, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Mode::Optimistic => "optimistic",
            Mode::Zk => "zk",
        }
    }
}

impl Config {
    /// The hash of the constants' RLP.
    #[must_use]
    pub fn hash(&self) -> B256 {
        keccak256(alloy_rlp::encode(self))
    }

    /// What separates this rollup's hashes from those of any other.
    #[must_use]
    pub fn domain(&self) -> B256 {
        let mut bytes = Vec::with_capacity(5 + 32 + 32);
        bytes.extend_from_slice(b"HSTF1");
        bytes.extend_from_slice(&U256::from(self.chain_id).to_be_bytes::<32>());
        bytes.extend_from_slice(self.hash().as_slice());
        keccak256(bytes)
    }

    /// The rules of Ethereum's blocks; `None` if the fork or another choice is unknown.
    #[must_use]
    pub fn chain(&self) -> Option<ChainConfig> {
        let fork = *Fork::ALL.get(usize::from(self.fork))?;
        // Deposits and the anchor have their places in headers since Cancun.
        let is_known = self.version == VERSION
            && fork >= Fork::Cancun
            && self.ordering().is_some()
            && self.fee_recipient_policy == 0
            && (GAS_LIMIT_MIN..=GAS_LIMIT_MAX).contains(&self.block_gas_limit)
            && self.epoch_slots > 0
            && self.kappa_den > 0;
        // Deposits to a beacon chain are not a thing of rollups: no contract is at the zero
        // address.
        is_known.then(|| ChainConfig {
            deposit_contract: [0; 20],
            ..ChainConfig::always(self.chain_id, fork)
        })
    }

    /// The ordering policy; `None` if it is unknown.
    #[must_use]
    pub const fn ordering(&self) -> Option<OrderingPolicy> {
        match self.ordering_policy {
            0 => Some(OrderingPolicy::Free),
            1 => Some(OrderingPolicy::Priority),
            _ => None,
        }
    }

    /// Least gas limit of a block: no leader takes away the room of forced transactions.
    #[must_use]
    pub const fn gas_limit_min(&self) -> u64 {
        self.block_gas_limit / 2
    }

    /// Most gas that a batch's forced transactions may name together. It fits every block, and what
    /// is forced takes no more to prove than what a leader may add.
    #[must_use]
    pub fn forced_gas_limit(&self) -> u64 {
        self.gas_limit_min().min(self.zk_gas_limit)
    }

    /// The earliest time of a block in this slot by its `attempt`-th leader.
    #[must_use]
    pub const fn earliest(&self, slot: u64, attempt: u8) -> u64 {
        let slot_time = slot.saturating_mul(self.slot_seconds);
        // A widening that `From` cannot do in a constant function.
        let delay = self.backup_delay.saturating_mul(attempt as u64);
        self.genesis_time
            .saturating_add(slot_time)
            .saturating_add(delay)
    }
}
