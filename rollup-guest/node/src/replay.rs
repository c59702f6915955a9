//! Replays a chain of blocks from a whole state, as a node that keeps everything would.

use std::collections::BTreeMap;

use alloy_consensus::{Block, Header};
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Decodable;
use zkvm_rollup_stf::Failure;
use zkvm_rollup_stf::block::{Transaction, validate};
use zkvm_rollup_stf::chain::ChainConfig;
use zkvm_rollup_stf::claim::BlockInput;
use zkvm_rollup_stf::witness::{ANCESTORS_MAX, Ancestors};

use crate::store::{Accounts, Additions, Recorder, Store};

/// A chain of valid blocks, with all that is known about its states.
#[derive(Clone, Debug)]
pub struct Chain {
    /// Its rules.
    pub config: ChainConfig,
    /// Everything that any of its states has.
    pub store: Store,
    headers: BTreeMap<B256, Bytes>,
    /// The valid block with the highest number, the first of those.
    tip: Header,
    tip_hash: B256,
}

/// A block that has been added to a chain.
#[derive(Clone, Debug)]
pub struct Added {
    /// Its hash.
    pub hash: B256,
    /// Root of the state after it.
    pub state_root: B256,
    /// The block's own input, with the smallest witness.
    pub input: OwnedInput,
}

/// What validation has made of a valid block.
struct Validated {
    hash: B256,
    header: Header,
    additions: Additions,
}

/// A [`BlockInput`] that owns its bytes.
#[derive(Clone, Debug)]
pub struct OwnedInput {
    /// The rules.
    pub chain: ChainConfig,
    /// The block's encoding.
    pub block: Bytes,
    /// Trie nodes.
    pub nodes: Vec<Bytes>,
    /// Codes.
    pub codes: Vec<Bytes>,
    /// Encoded headers, the parent first.
    pub headers: Vec<Bytes>,
}

impl OwnedInput {
    /// The input as the guest reads it.
    #[must_use]
    pub fn borrow(&self) -> BlockInput<'_> {
        fn slices(strings: &[Bytes]) -> Vec<&[u8]> {
            strings.iter().map(|bytes| &bytes[..]).collect()
        }
        BlockInput {
            chain: self.chain.clone(),
            block: &self.block,
            witness: zkvm_rollup_stf::witness::Witness {
                nodes: slices(&self.nodes),
                codes: slices(&self.codes),
                headers: slices(&self.headers),
            },
        }
    }
}

/// Why a chain cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum GenesisError {
    /// The first block does not decode.
    #[error("the first block does not decode: {0}")]
    Encoding(#[from] alloy_rlp::Error),
    /// The state is not that of the first block.
    #[error("the state's root is {got}, but the first block has {expected}")]
    Root {
        /// The first block's.
        expected: B256,
        /// The computed one.
        got: B256,
    },
    /// A state cannot be built.
    #[error(transparent)]
    Trie(#[from] zkvm_rollup_stf::trie::TrieError),
}

impl Chain {
    /// Begins a chain with a block and the state after it.
    ///
    /// # Errors
    /// [`GenesisError`] if they do not belong together.
    pub fn new(
        config: ChainConfig,
        genesis: &[u8],
        accounts: &Accounts,
    ) -> Result<Self, GenesisError> {
        let tip = Block::<Transaction>::decode(&mut &*genesis)?.header;
        let mut store = Store::default();
        let got = store.insert_state(accounts)?;
        if got != tip.state_root {
            return Err(GenesisError::Root {
                expected: tip.state_root,
                got,
            });
        }
        let bytes: Bytes = alloy_rlp::encode(&tip).into();
        let tip_hash = keccak256(&bytes);
        Ok(Chain {
            config,
            store,
            headers: BTreeMap::from([(tip_hash, bytes)]),
            tip,
            tip_hash,
        })
    }

    /// Hash of the last block.
    #[must_use]
    pub const fn tip_hash(&self) -> B256 {
        self.tip_hash
    }

    /// Root of the state after the last block.
    #[must_use]
    pub const fn state_root(&self) -> B256 {
        self.tip.state_root
    }

    /// Validates a block on top of the block that it names as its parent, or else of the last one,
    /// and adds it.
    ///
    /// # Errors
    /// [`Failure`] if it is not valid; then nothing is added.
    pub fn add(&mut self, block: &Bytes) -> Result<Added, Failure> {
        let (input, outcome) = self.attempt(block)?;
        let Validated {
            hash,
            header,
            additions,
        } = outcome?;
        self.store.extend(additions);
        self.headers.insert(hash, alloy_rlp::encode(&header).into());
        let state_root = header.state_root;
        if header.number > self.tip.number {
            (self.tip, self.tip_hash) = (header, hash);
        }
        Ok(Added {
            hash,
            state_root,
            input,
        })
    }

    /// The input of a block, valid or not, with what its validation has read.
    ///
    /// # Errors
    /// [`Failure::Witness`] if the chain's own headers do not serve.
    pub fn input(&self, block: &Bytes) -> Result<OwnedInput, Failure> {
        Ok(self.attempt(block)?.0)
    }

    fn attempt(&self, block: &Bytes) -> Result<(OwnedInput, Result<Validated, Failure>), Failure> {
        let parent = Block::<Transaction>::decode(&mut &block[..]).map(|it| it.header.parent_hash);
        let parent = parent.ok().filter(|hash| self.headers.contains_key(hash));
        let mut headers = self.headers_from(parent.unwrap_or(self.tip_hash));
        let slices: Vec<&[u8]> = headers.iter().map(|header| &header[..]).collect();
        let ancestors = Ancestors::new(&slices)?;
        let recorder = Recorder::new(&self.store);
        let mut outcome = validate(&self.config, &ancestors, block, &recorder);
        if let Ok(valid) = &outcome {
            headers.truncate(valid.state.headers_used());
        }
        // The witness first: what comes next reads all nodes again.
        let witness = recorder.witness(&headers);
        let copy = |strings: &[&[u8]]| {
            strings
                .iter()
                .map(|it| Bytes::copy_from_slice(it))
                .collect()
        };
        let input = OwnedInput {
            chain: self.config.clone(),
            block: block.clone(),
            nodes: copy(&witness.nodes),
            codes: copy(&witness.codes),
            headers: copy(&witness.headers),
        };
        let validated = outcome.as_mut().map(|valid| Validated {
            hash: valid.hash,
            header: valid.header.clone(),
            additions: Additions::of(valid),
        });
        Ok((input, validated.map_err(|failure| failure.clone())))
    }

    fn headers_from(&self, hash: B256) -> Vec<Bytes> {
        let mut headers = Vec::new();
        let mut next = hash;
        while let Some(bytes) = self.headers.get(&next) {
            headers.push(bytes.clone());
            let parent = Header::decode(&mut &bytes[..]).map(|header| header.parent_hash);
            let (Ok(parent), true) = (parent, headers.len() < ANCESTORS_MAX) else {
                break;
            };
            next = parent;
        }
        headers
    }
}
