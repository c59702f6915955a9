//! Which rules hold when: a chain's id and the times of its forks.
//!
//! Chains that have merged only: Paris is in force from the first block on.

use alloc::vec::Vec;

use alloy_eips::eip6110::MAINNET_DEPOSIT_CONTRACT_ADDRESS;
use alloy_eips::eip7840::BlobParams;
use alloy_evm::eth::spec::EthExecutorSpec;
use alloy_hardforks::ethereum::mainnet;
use alloy_hardforks::{EthereumHardfork, EthereumHardforks, ForkCondition};
use alloy_primitives::{Address, B256, keccak256};
use alloy_rlp::{Encodable, RlpEncodable};
use serde::{Deserialize, Serialize};

/// A fork whose rules are implemented, oldest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub enum Fork {
    /// The Merge.
    Paris,
    /// Withdrawals.
    Shanghai,
    /// Blobs, the beacon root.
    Cancun,
    /// Delegations, requests, block hashes in state.
    Prague,
    /// Limits on transactions and blocks.
    Osaka,
    /// More blobs.
    Bpo1,
    /// Still more blobs.
    Bpo2,
}

impl Fork {
    /// Every fork, oldest first.
    pub const ALL: [Fork; 7] = [
        Fork::Paris,
        Fork::Shanghai,
        Fork::Cancun,
        Fork::Prague,
        Fork::Osaka,
        Fork::Bpo1,
        Fork::Bpo2,
    ];

    /// Limits and price of blobs, `None` before there were any.
    #[must_use]
    pub const fn blob_params(self) -> Option<BlobParams> {
        match self {
            Fork::Paris | Fork::Shanghai => None,
            Fork::Cancun => Some(BlobParams::cancun()),
            Fork::Prague => Some(BlobParams::prague()),
            Fork::Osaka => Some(BlobParams::osaka()),
            Fork::Bpo1 => Some(BlobParams::bpo1()),
            Fork::Bpo2 => Some(BlobParams::bpo2()),
        }
    }
}

/// A fork and when it comes into force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Activation {
    /// The fork.
    pub fork: Fork,
    /// Seconds since 1970, of the first block that it holds for.
    pub timestamp: u64,
}

/// A chain's rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainConfig {
    /// The chain id that transactions are signed for.
    pub chain_id: u64,
    /// Where deposits to the beacon chain are made (EIP-6110).
    pub deposit_contract: [u8; 20],
    /// Forks after Paris. A fork that is not listed is in force from when a later one is.
    pub activations: Vec<Activation>,
}

impl ChainConfig {
    /// Ethereum mainnet.
    #[must_use]
    pub fn mainnet() -> Self {
        let at = |fork, timestamp| Activation { fork, timestamp };
        ChainConfig {
            activations: alloc::vec![
                at(Fork::Shanghai, mainnet::MAINNET_SHANGHAI_TIMESTAMP),
                at(Fork::Cancun, mainnet::MAINNET_CANCUN_TIMESTAMP),
                at(Fork::Prague, mainnet::MAINNET_PRAGUE_TIMESTAMP),
                at(Fork::Osaka, mainnet::MAINNET_OSAKA_TIMESTAMP),
                at(Fork::Bpo1, mainnet::MAINNET_BPO1_TIMESTAMP),
                at(Fork::Bpo2, mainnet::MAINNET_BPO2_TIMESTAMP),
            ],
            ..ChainConfig::always(1, Fork::Paris)
        }
    }

    /// A chain with the rules of one fork from its first block on.
    #[must_use]
    pub fn always(chain_id: u64, fork: Fork) -> Self {
        ChainConfig {
            chain_id,
            deposit_contract: MAINNET_DEPOSIT_CONTRACT_ADDRESS.into_array(),
            activations: alloc::vec![Activation { fork, timestamp: 0 }],
        }
    }

    /// The newest fork in force at a time.
    #[must_use]
    pub fn fork_at(&self, timestamp: u64) -> Fork {
        let active = self
            .activations
            .iter()
            .filter(|it| it.timestamp <= timestamp);
        active.map(|it| it.fork).max().unwrap_or(Fork::Paris)
    }

    /// What a claim about a block names the rules by: the Keccak-256 of their RLP.
    #[must_use]
    pub fn hash(&self) -> B256 {
        #[derive(RlpEncodable)]
        struct Rules {
            chain_id: u64,
            deposit_contract: Address,
            activations: Vec<Rule>,
        }
        #[derive(RlpEncodable)]
        struct Rule {
            fork: u8,
            timestamp: u64,
        }
        let rule = |it: &Activation| Rule {
            fork: index(it.fork),
            timestamp: it.timestamp,
        };
        let rules = Rules {
            chain_id: self.chain_id,
            deposit_contract: self.deposit_contract.into(),
            activations: self.activations.iter().map(rule).collect(),
        };
        let mut bytes = Vec::with_capacity(rules.length());
        rules.encode(&mut bytes);
        keccak256(bytes)
    }

    /// When a fork comes into force: with the first that is it or a later one.
    fn activation(&self, fork: Fork) -> Option<u64> {
        let active = self.activations.iter().filter(|it| it.fork >= fork);
        active.map(|it| it.timestamp).min()
    }
}

const fn index(fork: Fork) -> u8 {
    match fork {
        Fork::Paris => 0,
        Fork::Shanghai => 1,
        Fork::Cancun => 2,
        Fork::Prague => 3,
        Fork::Osaka => 4,
        Fork::Bpo1 => 5,
        Fork::Bpo2 => 6,
    }
}

/// The forks with rules of their own, by the names that the EVM's libraries have for them.
const RULE_FORKS: [(EthereumHardfork, Fork); 4] = [
    (EthereumHardfork::Shanghai, Fork::Shanghai),
    (EthereumHardfork::Cancun, Fork::Cancun),
    (EthereumHardfork::Prague, Fork::Prague),
    (EthereumHardfork::Osaka, Fork::Osaka),
];

impl EthereumHardforks for ChainConfig {
    fn ethereum_fork_activation(&self, fork: EthereumHardfork) -> ForkCondition {
        // That one changed mainnet's state in 2016 and is no rule.
        if fork <= EthereumHardfork::Paris && fork != EthereumHardfork::Dao {
            return ForkCondition::Block(0);
        }
        let ours = RULE_FORKS.iter().find(|(theirs, _)| *theirs == fork);
        let timestamp = ours.and_then(|(_, ours)| self.activation(*ours));
        timestamp.map_or(ForkCondition::Never, ForkCondition::Timestamp)
    }
}

impl EthExecutorSpec for ChainConfig {
    fn deposit_contract_address(&self) -> Option<Address> {
        Some(self.deposit_contract.into())
    }
}

#[cfg(test)]
mod tests {
    use super::{Activation, ChainConfig, Fork};

    #[test]
    fn forks_come_into_force_at_their_time() {
        let chain = ChainConfig::mainnet();
        assert_eq!(chain.fork_at(0), Fork::Paris);
        assert_eq!(chain.fork_at(1_710_338_134), Fork::Shanghai);
        assert_eq!(chain.fork_at(1_710_338_135), Fork::Cancun);
        assert_eq!(chain.fork_at(u64::MAX), Fork::Bpo2);
    }

    #[test]
    fn every_rule_is_in_the_hash() {
        let chain = ChainConfig::mainnet();
        let mut hashes = alloc::vec![chain.hash()];
        hashes.push(
            ChainConfig {
                chain_id: 2,
                ..chain.clone()
            }
            .hash(),
        );
        hashes.push(
            ChainConfig {
                deposit_contract: [0; 20],
                ..chain.clone()
            }
            .hash(),
        );
        hashes.push(
            ChainConfig {
                activations: alloc::vec![],
                ..chain.clone()
            }
            .hash(),
        );
        for fork in Fork::ALL {
            hashes.push(ChainConfig::always(1, fork).hash());
        }
        let later = alloc::vec![Activation {
            fork: Fork::Osaka,
            timestamp: 1
        }];
        hashes.push(
            ChainConfig {
                activations: later,
                ..chain
            }
            .hash(),
        );
        let count = hashes.len();
        hashes.sort_unstable();
        hashes.dedup();
        assert_eq!(hashes.len(), count);
    }
}
