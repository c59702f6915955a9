//! The state before a block as the EVM reads it, and the root after it.

use alloc::vec::Vec;
use core::fmt;

use alloy_consensus::constants::KECCAK_EMPTY;
use alloy_consensus::{Header, TrieAccount};
use alloy_primitives::map::{AddressMap, B256Map, HashMap, hash_map};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_rlp::Decodable;
use alloy_trie::EMPTY_ROOT_HASH;
use revm::Database;
use revm::bytecode::Bytecode;
use revm::database::{BundleAccount, BundleState};
use revm::database_interface::DBErrorMarker;
use revm::state::AccountInfo;

use crate::trie::{Trie, TrieError};
use crate::witness::{Ancestors, Source, WitnessError};

/// An account that has been looked at, whether it exists or not.
#[derive(Debug)]
struct Opened<'w> {
    /// Hash of the address.
    key: B256,
    account: Option<TrieAccount>,
    storage: Trie<'w>,
    /// Hashes of the slots that have been looked at: a hash costs more than the map.
    slot_keys: HashMap<U256, B256>,
}

impl Opened<'_> {
    fn slot_key(&mut self, slot: U256) -> B256 {
        *self
            .slot_keys
            .entry(slot)
            .or_insert_with(|| keccak256(slot.to_be_bytes::<32>()))
    }
}

/// The state that a witness describes.
///
/// The first thing that the witness lacks is kept: the EVM may report it as anything, or even go
/// on.
pub struct WitnessState<'w, S> {
    source: &'w S,
    ancestors: Ancestors,
    accounts: Trie<'w>,
    opened: AddressMap<Opened<'w>>,
    /// Codes that blocks have made.
    new_codes: B256Map<Bytecode>,
    /// How many headers, from the parent on, must be there for the hashes that were asked for.
    headers_used: usize,
    fault: Option<WitnessError>,
}

impl<S> fmt::Debug for WitnessState<'_, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WitnessState")
            .field("opened", &self.opened.len())
            .field("fault", &self.fault)
            .finish_non_exhaustive()
    }
}

impl<'w, S: Source> WitnessState<'w, S> {
    /// The state after the parent block.
    pub fn new(ancestors: Ancestors, source: &'w S) -> Self {
        WitnessState {
            source,
            accounts: Trie::new(ancestors.parent().state_root),
            ancestors,
            new_codes: B256Map::default(),
            opened: AddressMap::default(),
            headers_used: 1,
            fault: None,
        }
    }

    /// Where it reads.
    pub(crate) fn source(&self) -> &'w S {
        self.source
    }

    /// What the witness lacked so far.
    #[must_use]
    pub const fn fault(&self) -> Option<&WitnessError> {
        self.fault.as_ref()
    }

    /// How many of the headers, from the parent on, have been of use.
    #[must_use]
    pub const fn headers_used(&self) -> usize {
        self.headers_used
    }

    /// An account as it was before the block.
    ///
    /// # Errors
    /// [`WitnessError`] if the witness cannot tell.
    pub fn account(&mut self, address: Address) -> Result<Option<TrieAccount>, WitnessError> {
        Ok(self.open(address)?.account)
    }

    /// A slot as it was before the block; zero if there is none.
    ///
    /// # Errors
    /// [`WitnessError`] if the witness cannot tell.
    pub fn slot(&mut self, address: Address, slot: U256) -> Result<U256, WitnessError> {
        let source = self.source;
        let opened = self.open(address)?;
        let key = opened.slot_key(slot);
        let value = opened
            .storage
            .get(key.as_slice(), source)
            .map_err(|cause| WitnessError::Slot {
                address,
                slot,
                cause,
            })?;
        let Some(mut value) = value else {
            return Ok(U256::ZERO);
        };
        decode_all(&mut value).map_err(|reason| WitnessError::SlotEncoding {
            address,
            slot,
            reason,
        })
    }

    fn open(&mut self, address: Address) -> Result<&mut Opened<'w>, WitnessError> {
        let vacant = match self.opened.entry(address) {
            hash_map::Entry::Occupied(occupied) => return Ok(occupied.into_mut()),
            hash_map::Entry::Vacant(vacant) => vacant,
        };
        let key = keccak256(address);
        let leaf = self
            .accounts
            .get(key.as_slice(), self.source)
            .map_err(|cause| WitnessError::Account { address, cause })?;
        let account: Option<TrieAccount> = match leaf {
            None => None,
            Some(mut leaf) => Some(
                decode_all(&mut leaf)
                    .map_err(|reason| WitnessError::AccountEncoding { address, reason })?,
            ),
        };
        let root = account.map_or(EMPTY_ROOT_HASH, |account| account.storage_root);
        Ok(vacant.insert(Opened {
            key,
            account,
            storage: Trie::new(root),
            slot_keys: HashMap::default(),
        }))
    }

    fn code(&self, hash: B256) -> Result<Bytecode, WitnessError> {
        if hash == KECCAK_EMPTY {
            return Ok(Bytecode::default());
        }
        if let Some(code) = self.new_codes.get(&hash) {
            return Ok(code.clone());
        }
        let Some(code) = self.source.code(&hash) else {
            let has_it = |opened: &Opened<'_>| {
                opened
                    .account
                    .is_some_and(|account| account.code_hash == hash)
            };
            // The smallest, because a map has no order to rely on.
            let owner = self.opened.iter().filter(|(_, opened)| has_it(opened));
            let owner = owner.map(|(address, _)| *address).min();
            return Err(WitnessError::Code { hash, owner });
        };
        let code = Bytes::copy_from_slice(code);
        // Code that begins like a delegation and is none can be older than EIP-3541.
        Ok(Bytecode::new_raw_checked(code.clone()).unwrap_or_else(|_| Bytecode::new_legacy(code)))
    }

    /// Applies what a block has changed, for the root after it and for the next block; returns the
    /// root.
    ///
    /// Within a trie, inserts come before removals: see [`crate::trie`].
    ///
    /// # Errors
    /// [`WitnessError`] if the witness lacks a node that a change needs.
    pub fn apply(&mut self, bundle: &BundleState) -> Result<B256, WitnessError> {
        let mut changed = Vec::with_capacity(bundle.state.len());
        for (address, account) in &bundle.state {
            changed.push((self.open(*address)?.key, *address, account));
        }
        // Maps have no order, and the nodes that are needed must not depend on chance.
        changed.sort_unstable_by_key(|(key, ..)| *key);
        for (key, address, account) in &changed {
            if let Some(info) = &account.info {
                let storage_root = self.apply_storage(*address, account)?;
                let leaf = TrieAccount {
                    nonce: info.nonce,
                    balance: info.balance,
                    storage_root,
                    code_hash: info.code_hash,
                };
                self.accounts
                    .insert(key.as_slice(), alloy_rlp::encode(leaf), self.source)
                    .map_err(|cause| WitnessError::Account {
                        address: *address,
                        cause,
                    })?;
                self.open(*address)?.account = Some(leaf);
            }
        }
        for (key, address, account) in &changed {
            if account.info.is_none() {
                let _ = self
                    .accounts
                    .remove(key.as_slice(), self.source)
                    .map_err(|cause| WitnessError::Account {
                        address: *address,
                        cause,
                    })?;
                let opened = self.open(*address)?;
                (opened.account, opened.storage) = (None, Trie::empty());
            }
        }
        let contracts = bundle.contracts.iter();
        self.new_codes
            .extend(contracts.map(|(hash, code)| (*hash, code.clone())));
        Ok(self.accounts.root())
    }

    fn apply_storage(
        &mut self,
        address: Address,
        account: &BundleAccount,
    ) -> Result<B256, WitnessError> {
        let source = self.source;
        let opened = self.open(address)?;
        if account.was_destroyed() {
            opened.storage = Trie::empty();
        }
        let mut changed: Vec<(B256, U256, U256)> = Vec::with_capacity(account.storage.len());
        for (slot, values) in &account.storage {
            let value = values.present_value;
            if value != values.previous_or_original_value || account.was_destroyed() {
                changed.push((opened.slot_key(*slot), *slot, value));
            }
        }
        changed.sort_unstable_by_key(|(key, ..)| *key);
        let fail = |slot, cause: TrieError| WitnessError::Slot {
            address,
            slot,
            cause,
        };
        for (key, slot, value) in changed.iter().filter(|(.., value)| !value.is_zero()) {
            opened
                .storage
                .insert(key.as_slice(), alloy_rlp::encode(value), source)
                .map_err(|cause| fail(*slot, cause))?;
        }
        for (key, slot, _) in changed.iter().filter(|(.., value)| value.is_zero()) {
            let _ = opened
                .storage
                .remove(key.as_slice(), source)
                .map_err(|cause| fail(*slot, cause))?;
        }
        Ok(opened.storage.root())
    }

    /// The block that this is the state after.
    #[must_use]
    pub const fn parent(&self) -> &Header {
        self.ancestors.parent()
    }

    /// Its hash.
    #[must_use]
    pub fn parent_hash(&self) -> B256 {
        self.ancestors.parent_hash()
    }

    /// Goes on to the state after the block that has been applied, the next one's parent.
    pub fn advance(&mut self, parent: Header) {
        self.ancestors.push(parent);
        self.headers_used += 1;
    }

    /// Hands every node that has been read or is new to `sink`, of all tries.
    pub fn for_each_node(&mut self, mut sink: impl FnMut(B256, Vec<u8>)) {
        self.accounts.for_each_node(&mut sink);
        for opened in self.opened.values_mut() {
            opened.storage.for_each_node(&mut sink);
        }
    }

    /// Hands every code that blocks have made to `sink`.
    pub fn for_each_new_code(&self, mut sink: impl FnMut(Bytes)) {
        for code in self.new_codes.values() {
            sink(code.original_bytes());
        }
    }

    /// Keeps the first fault.
    fn note<T>(&mut self, outcome: Result<T, WitnessError>) -> Result<T, WitnessError> {
        if let (Err(fault), None) = (&outcome, &self.fault) {
            self.fault = Some(fault.clone());
        }
        outcome
    }
}

impl DBErrorMarker for WitnessError {}

impl<S: Source> Database for WitnessState<'_, S> {
    type Error = WitnessError;

    fn basic(&mut self, address: Address) -> Result<Option<AccountInfo>, WitnessError> {
        let account = self.account(address);
        let account = self.note(account)?;
        Ok(account.map(|account| AccountInfo {
            balance: account.balance,
            nonce: account.nonce,
            code_hash: account.code_hash,
            code: None,
            account_id: None,
        }))
    }

    fn code_by_hash(&mut self, hash: B256) -> Result<Bytecode, WitnessError> {
        let code = self.code(hash);
        self.note(code)
    }

    fn storage(&mut self, address: Address, slot: U256) -> Result<U256, WitnessError> {
        let value = self.slot(address, slot);
        self.note(value)
    }

    fn block_hash(&mut self, number: u64) -> Result<B256, WitnessError> {
        let hash = self.ancestors.block_hash(number);
        let (hash, depth) = self.note(hash)?;
        // Each hash but the parent's is in the header before.
        self.headers_used = self.headers_used.max(depth);
        Ok(hash)
    }
}

fn decode_all<T: Decodable>(bytes: &mut &[u8]) -> alloy_rlp::Result<T> {
    let value = T::decode(bytes)?;
    if !bytes.is_empty() {
        return Err(alloy_rlp::Error::UnexpectedLength);
    }
    Ok(value)
}
