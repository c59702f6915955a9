//! Nodes and codes by hash, built from whole states, and recordings of which of them are used.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::TrieAccount;
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use serde::Deserialize;
use zkvm_rollup_stf::block::ValidBlock;
use zkvm_rollup_stf::state::WitnessState;
use zkvm_rollup_stf::trie::{Nodes, Trie, TrieError};
use zkvm_rollup_stf::witness::{Source, Witness};

/// An account with all it has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Account {
    /// Number of transactions sent.
    pub nonce: U256,
    /// Wei.
    pub balance: U256,
    /// Code, empty for none.
    pub code: Bytes,
    /// Slots; those that are zero are as if they were not there.
    pub storage: BTreeMap<U256, U256>,
}

/// A whole state.
pub type Accounts = BTreeMap<Address, Account>;

/// Nodes and codes by hash, of any number of states.
#[derive(Clone, Debug, Default)]
pub struct Store {
    nodes: BTreeMap<B256, Vec<u8>>,
    codes: BTreeMap<B256, Bytes>,
}

impl Nodes for Store {
    fn node(&self, hash: &B256) -> Option<&[u8]> {
        self.nodes.get(hash).map(Vec::as_slice)
    }
}

impl Source for Store {
    fn code(&self, hash: &B256) -> Option<&[u8]> {
        self.codes.get(hash).map(|code| &code[..])
    }
}

/// No nodes: a trie that is built from nothing reads none.
struct Nothing;

impl Nodes for Nothing {
    fn node(&self, _: &B256) -> Option<&[u8]> {
        None
    }
}

impl Store {
    /// Adds a whole state; returns its root.
    ///
    /// # Errors
    /// [`TrieError`], which cannot happen: no trie is read.
    pub fn insert_state(&mut self, accounts: &Accounts) -> Result<B256, TrieError> {
        let mut state = Trie::empty();
        for (address, account) in accounts {
            let mut storage = Trie::empty();
            for (slot, value) in account.storage.iter().filter(|(_, value)| !value.is_zero()) {
                let key = keccak256(slot.to_be_bytes::<32>());
                storage.insert(key.as_slice(), alloy_rlp::encode(value), &Nothing)?;
            }
            let leaf = TrieAccount {
                nonce: account.nonce.saturating_to(),
                balance: account.balance,
                storage_root: storage.root(),
                code_hash: keccak256(&account.code),
            };
            self.insert_trie(&mut storage);
            self.insert_code(account.code.clone());
            state.insert(
                keccak256(address).as_slice(),
                alloy_rlp::encode(leaf),
                &Nothing,
            )?;
        }
        self.insert_trie(&mut state);
        Ok(state.root())
    }

    /// What a witness has.
    #[must_use]
    pub fn from_witness(witness: &Witness<'_>) -> Self {
        let mut store = Store::default();
        for node in &witness.nodes {
            let _ = store.nodes.insert(keccak256(node), node.to_vec());
        }
        for code in &witness.codes {
            store.insert_code(Bytes::copy_from_slice(code));
        }
        store
    }

    /// Adds what has been taken from a block.
    pub fn extend(&mut self, additions: Additions) {
        self.nodes.extend(additions.nodes);
        for code in additions.codes {
            self.insert_code(code);
        }
    }

    /// Adds a node; returns its hash.
    pub fn insert_node(&mut self, encoding: Vec<u8>) -> B256 {
        let hash = keccak256(&encoding);
        self.nodes.insert(hash, encoding);
        hash
    }

    /// Adds a code.
    pub fn insert_code(&mut self, code: Bytes) {
        self.codes.insert(keccak256(&code), code);
    }

    /// All of it as a witness.
    pub fn witness<'a>(&'a self, headers: &'a [Bytes]) -> Witness<'a> {
        Witness {
            nodes: self.nodes.values().map(Vec::as_slice).collect(),
            codes: self.codes.values().map(|code| &code[..]).collect(),
            headers: headers.iter().map(|header| &header[..]).collect(),
        }
    }

    fn insert_trie(&mut self, trie: &mut Trie<'_>) {
        trie.for_each_node(|hash, encoding| {
            self.nodes.insert(hash, encoding);
        });
    }
}

/// What blocks have added to the past, free of what it was read from.
#[derive(Clone, Debug, Default)]
pub struct Additions {
    nodes: Vec<(B256, Vec<u8>)>,
    codes: Vec<Bytes>,
}

impl Additions {
    /// Takes them from a block.
    pub fn of<S: Source>(block: &mut ValidBlock<'_, S>) -> Self {
        let mut nodes = Vec::new();
        block
            .state
            .for_each_node(|hash, encoding| nodes.push((hash, encoding)));
        let contracts = block.executed.bundle.contracts.values();
        Additions {
            nodes,
            codes: contracts.map(|code| code.original_bytes()).collect(),
        }
    }

    /// Takes the nodes of a state, and the codes that the blocks before it have made.
    pub fn of_state<S: Source>(state: &mut WitnessState<'_, S>) -> Self {
        let (mut nodes, mut codes) = (Vec::new(), Vec::new());
        state.for_each_node(|hash, encoding| nodes.push((hash, encoding)));
        state.for_each_new_code(|code| codes.push(code));
        Additions { nodes, codes }
    }
}

/// A source that keeps what it was asked for: the smallest witness of what was done with it.
#[derive(Debug)]
pub struct Recorder<'a, S> {
    source: &'a S,
    nodes: RefCell<BTreeSet<B256>>,
    codes: RefCell<BTreeSet<B256>>,
}

impl<'a, S: Source> Recorder<'a, S> {
    /// Records what is asked of `source`.
    pub fn new(source: &'a S) -> Self {
        Recorder {
            source,
            nodes: RefCell::default(),
            codes: RefCell::default(),
        }
    }

    /// What was used, with these headers.
    pub fn witness(&self, headers: &'a [Bytes]) -> Witness<'a> {
        let (nodes, codes) = (self.nodes.borrow(), self.codes.borrow());
        Witness {
            nodes: nodes
                .iter()
                .filter_map(|hash| self.source.node(hash))
                .collect(),
            codes: codes
                .iter()
                .filter_map(|hash| self.source.code(hash))
                .collect(),
            headers: headers.iter().map(|header| &header[..]).collect(),
        }
    }
}

impl<S: Source> Nodes for Recorder<'_, S> {
    fn node(&self, hash: &B256) -> Option<&[u8]> {
        self.nodes.borrow_mut().insert(*hash);
        self.source.node(hash)
    }
}

impl<S: Source> Source for Recorder<'_, S> {
    fn code(&self, hash: &B256) -> Option<&[u8]> {
        self.codes.borrow_mut().insert(*hash);
        self.source.code(hash)
    }
}
