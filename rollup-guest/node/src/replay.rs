//! Replays a chain of blocks from a whole state, as a node that keeps everything would.

use std::collections::BTreeMap;

use alloy_consensus::{Block, Header};
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Decodable;
use zkvm_rollup_stf::Failure;
use zkvm_rollup_stf::block::{Transaction, validate};
use zkvm_rollup_stf::chain::ChainConfig;
use zkvm_rollup_stf::claim::BlockInput;
use zkvm_rollup_stf::witness::{ANCESTORS_MAX, Ancestors, Witness};

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
    /// Copies a witness.
    #[must_use]
    pub fn new(chain: ChainConfig, block: Bytes, witness: &Witness<'_>) -> Self {
        let copy = |strings: &[&[u8]]| {
            strings
                .iter()
                .map(|it| Bytes::copy_from_slice(it))
                .collect()
        };
        OwnedInput {
            chain,
            block,
            nodes: copy(&witness.nodes),
            codes: copy(&witness.codes),
            headers: copy(&witness.headers),
        }
    }

    /// The input as the guest reads it.
    #[must_use]
    pub fn borrow(&self) -> BlockInput<'_> {
        fn slices(strings: &[Bytes]) -> Vec<&[u8]> {
            strings.iter().map(|bytes| &bytes[..]).collect()
        }
        BlockInput {
            chain: self.chain.clone(),
            block: &self.block,
            witness: Witness {
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
        let mut headers = self.headers_before(block);
        let slices: Vec<&[u8]> = headers.iter().map(|header| &header[..]).collect();
        let ancestors = Ancestors::new(&slices)?;
        let recorder = Recorder::new(&self.store);
        let mut valid = validate(&self.config, &ancestors, block, &recorder)?;
        headers.truncate(valid.state.headers_used());
        let (hash, header) = (valid.hash, valid.header.clone());
        // The witness first: what comes next reads all nodes again.
        let witness = recorder.witness(&headers);
        let input = OwnedInput::new(self.config.clone(), block.clone(), &witness);
        let additions = Additions::of(&mut valid);
        drop(valid);
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

    /// A block's input with all that is known about the chain as its witness.
    #[must_use]
    pub fn input(&self, block: &Bytes) -> OwnedInput {
        let headers = self.headers_before(block);
        let witness = self.store.witness(&headers);
        OwnedInput::new(self.config.clone(), block.clone(), &witness)
    }

    /// Headers from a block's parent on, or else from the last block.
    fn headers_before(&self, block: &Bytes) -> Vec<Bytes> {
        let parent = Block::<Transaction>::decode(&mut &block[..]).map(|it| it.header.parent_hash);
        let parent = parent.ok().filter(|hash| self.headers.contains_key(hash));
        let mut headers = Vec::new();
        let mut next = parent.unwrap_or(self.tip_hash);
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
