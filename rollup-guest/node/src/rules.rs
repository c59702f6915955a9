//! The rules of public chains, and of chains that have had one fork from their first block on.

use alloy_hardforks::ethereum::{hoodi, sepolia};
use alloy_primitives::{Address, B256, address};
use zkvm_rollup_stf::chain::{Activation, ChainConfig, Fork};

/// Where deposits are made on Sepolia, from its genesis file.
const SEPOLIA_DEPOSITS: Address = address!("7f02c3e3c98b133055b8b348b2ac625669ed295d");

/// Names of forks.
const FORKS: [(&str, Fork); 7] = [
    ("paris", Fork::Paris),
    ("shanghai", Fork::Shanghai),
    ("cancun", Fork::Cancun),
    ("prague", Fork::Prague),
    ("osaka", Fork::Osaka),
    ("bpo1", Fork::Bpo1),
    ("bpo2", Fork::Bpo2),
];

/// The fork with this name, in small letters.
#[must_use]
pub fn fork(name: &str) -> Option<Fork> {
    let found = FORKS.iter().find(|(known, _)| *known == name);
    found.map(|(_, fork)| *fork)
}

/// The rules of the public chain with this id, which is its name besides.
#[must_use]
pub fn public(chain_id: u64) -> Option<(&'static str, ChainConfig)> {
    let at = |fork, timestamp| Activation { fork, timestamp };
    Some(match chain_id {
        1 => ("mainnet", ChainConfig::mainnet()),
        11_155_111 => {
            let activations = vec![
                at(Fork::Shanghai, sepolia::SEPOLIA_SHANGHAI_TIMESTAMP),
                at(Fork::Cancun, sepolia::SEPOLIA_CANCUN_TIMESTAMP),
                at(Fork::Prague, sepolia::SEPOLIA_PRAGUE_TIMESTAMP),
                at(Fork::Osaka, sepolia::SEPOLIA_OSAKA_TIMESTAMP),
                at(Fork::Bpo1, sepolia::SEPOLIA_BPO1_TIMESTAMP),
                at(Fork::Bpo2, sepolia::SEPOLIA_BPO2_TIMESTAMP),
            ];
            let chain = ChainConfig {
                deposit_contract: SEPOLIA_DEPOSITS.into_array(),
                activations,
                ..ChainConfig::always(chain_id, Fork::Paris)
            };
            ("sepolia", chain)
        }
        560_048 => {
            let activations = vec![
                at(Fork::Cancun, 0),
                at(Fork::Prague, hoodi::HOODI_PRAGUE_TIMESTAMP),
                at(Fork::Osaka, hoodi::HOODI_OSAKA_TIMESTAMP),
                at(Fork::Bpo1, hoodi::HOODI_BPO1_TIMESTAMP),
                at(Fork::Bpo2, hoodi::HOODI_BPO2_TIMESTAMP),
            ];
            let chain = ChainConfig {
                activations,
                ..ChainConfig::always(chain_id, Fork::Cancun)
            };
            ("hoodi", chain)
        }
        _ => return None,
    })
}

/// Ids of the public chains.
pub const PUBLIC: [u64; 3] = [1, 11_155_111, 560_048];

/// The public chain with this name.
#[must_use]
pub fn public_named(name: &str) -> Option<ChainConfig> {
    let chains = PUBLIC.into_iter().filter_map(public);
    let mut found = chains.filter(|(known, _)| *known == name);
    found.next().map(|(_, chain)| chain)
}

/// The name of the public chain whose rules have this hash.
#[must_use]
pub fn name_of(chain_hash: B256) -> Option<&'static str> {
    let chains = PUBLIC.into_iter().filter_map(public);
    let mut found = chains.filter(|(_, chain)| chain.hash() == chain_hash);
    found.next().map(|(name, _)| name)
}

/// The rules that `name` means for a chain with this id: a public chain's name, or a fork that is in
/// force from the first block on. `None` if it means nothing, or another chain.
#[must_use]
pub fn named(name: &str, chain_id: u64) -> Option<ChainConfig> {
    if let Some(fork) = fork(name) {
        return Some(ChainConfig::always(chain_id, fork));
    }
    let (known, chain) = public(chain_id)?;
    (known == name).then_some(chain)
}

#[cfg(test)]
mod tests {
    use zkvm_rollup_stf::chain::Fork;

    use super::{FORKS, PUBLIC, name_of, named, public, public_named};

    #[test]
    fn names_mean_the_rules_of_their_chain_only() {
        for id in PUBLIC {
            let (name, chain) = public(id).unwrap();
            assert_eq!(chain.chain_id, id);
            assert_eq!(chain.fork_at(u64::MAX), Fork::Bpo2);
            assert_eq!(name_of(chain.hash()), Some(name));
            assert_eq!(public_named(name).as_ref(), Some(&chain));
            assert_eq!(named(name, id), Some(chain));
            assert_eq!(named(name, 7), None);
        }
        for (name, fork) in FORKS {
            let chain = named(name, 7).unwrap();
            assert_eq!((chain.chain_id, chain.fork_at(0)), (7, fork));
        }
        assert_eq!(FORKS.map(|(_, fork)| fork), Fork::ALL);
        assert_eq!(named("frontier", 1), None);
    }
}
