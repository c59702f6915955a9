//! What sequencers post and sign.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, Bytes, Signature, U256, keccak256};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};

use super::config::{Config, Mode, VERSION};

/// Most bytes that a block's proposer may add.
const EXTRA_BYTES_MAX: usize = 32;

/// A sequence of blocks by one leader, who signs each of them and the whole.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct Batch {
    /// 1.
    pub version: u64,
    /// The chain's id.
    pub chain_id: u64,
    /// Position among all batches.
    pub batch_index: u64,
    /// Hash of the batch before it.
    pub parent_batch_hash: B256,
    /// [`Mode`].
    pub mode: u8,
    /// Number of the L1 block that the batch is bound to.
    pub l1_anchor: u64,
    /// End of the forced items that the batch has to execute.
    pub forced_to: u64,
    /// The blocks.
    pub blocks: Vec<SignedBlock>,
    /// The signature: parity of `y`.
    pub y_parity: u8,
    /// The signature: `r`.
    pub r: U256,
    /// The signature: `s`, in the lower half.
    pub s: U256,
}

/// What of a batch is signed besides its blocks.
#[derive(RlpEncodable)]
struct Envelope {
    version: u64,
    chain_id: u64,
    batch_index: u64,
    parent_batch_hash: B256,
    mode: u8,
    l1_anchor: u64,
    forced_to: u64,
}

/// A block as posted: what cannot be derived, with the leader's signature.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct SignedBlock {
    /// The slot.
    pub slot: u64,
    /// Which of the slot's leaders: 0, or a backup.
    pub attempt: u8,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// The gas limit.
    pub gas_limit: u64,
    /// What the leader likes.
    pub extra: Bytes,
    /// Transactions (EIP-2718).
    pub transactions: Vec<Bytes>,
    /// The signature: parity of `y`.
    pub y_parity: u8,
    /// The signature: `r`.
    pub r: U256,
    /// The signature: `s`, in the lower half.
    pub s: U256,
}

/// What of a block is signed.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable)]
pub struct BatchBlock {
    /// The slot.
    pub slot: u64,
    /// Which of the slot's leaders.
    pub attempt: u8,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// The gas limit.
    pub gas_limit: u64,
    /// What the leader likes.
    pub extra: Bytes,
    /// Transactions (EIP-2718).
    pub transactions: Vec<Bytes>,
}

impl Batch {
    /// Decodes posted bytes; `None` if they are not a batch within the limits.
    #[must_use]
    pub fn decode_posted(config: &Config, bytes: &[u8]) -> Option<Self> {
        if !is_within(bytes.len(), config.max_batch_bytes) {
            return None;
        }
        let mut rest = bytes;
        let batch = Batch::decode(&mut rest).ok()?;
        let is_canonical = rest.is_empty() && alloy_rlp::encode(&batch) == bytes;
        let is_known = batch.version == VERSION && batch.mode().is_some();
        let is_sized =
            !batch.blocks.is_empty() && is_within(batch.blocks.len(), config.max_blocks_per_batch);
        let are_short = batch
            .blocks
            .iter()
            .all(|block| block.extra.len() <= EXTRA_BYTES_MAX);
        (is_canonical && is_known && is_sized && are_short).then_some(batch)
    }

    /// What the leader signs of the whole, after all its blocks: without it, who posts the blocks
    /// would choose how they are settled, and which of them.
    #[must_use]
    pub fn signing_hash(&self, domain: B256, chain_input: B256) -> B256 {
        let envelope = Envelope {
            version: self.version,
            chain_id: self.chain_id,
            batch_index: self.batch_index,
            parent_batch_hash: self.parent_batch_hash,
            mode: self.mode,
            l1_anchor: self.l1_anchor,
            forced_to: self.forced_to,
        };
        let envelope_hash = keccak256(alloy_rlp::encode(envelope));
        let mut bytes = Vec::with_capacity(5 + 32 + 32);
        bytes.extend_from_slice(b"batch");
        bytes.extend_from_slice(envelope_hash.as_slice());
        bytes.extend_from_slice(chain_input.as_slice());
        signing_hash(domain, keccak256(bytes))
    }

    /// Who has signed the whole; `None` if the signature is none, or not the canonical one.
    #[must_use]
    pub fn signer(&self, hash: B256) -> Option<Address> {
        recover(self.y_parity, self.r, self.s, hash)
    }

    /// How the leader wants the batch to be settled; `None` if that is unknown.
    #[must_use]
    pub const fn mode(&self) -> Option<Mode> {
        match self.mode {
            0 => Some(Mode::Optimistic),
            1 => Some(Mode::Zk),
            _ => None,
        }
    }
}

fn is_within(count: usize, max: u64) -> bool {
    u64::try_from(count).is_ok_and(|count| count <= max)
}

impl SignedBlock {
    /// The block without its signature.
    #[must_use]
    pub fn unsigned(&self) -> BatchBlock {
        BatchBlock {
            slot: self.slot,
            attempt: self.attempt,
            timestamp: self.timestamp,
            gas_limit: self.gas_limit,
            extra: self.extra.clone(),
            transactions: self.transactions.clone(),
        }
    }

    /// Who has signed `hash`; `None` if the signature is none, or not the canonical one.
    #[must_use]
    pub fn signer(&self, hash: B256) -> Option<Address> {
        recover(self.y_parity, self.r, self.s, hash)
    }
}

fn recover(y_parity: u8, r: U256, s: U256, hash: B256) -> Option<Address> {
    if y_parity > 1 {
        return None;
    }
    let signature = Signature::new(r, s, y_parity == 1);
    // This refuses an `s` in the upper half, too.
    alloy_consensus::crypto::secp256k1::recover_signer(&signature, hash).ok()
}

/// The hash over all inputs of the chain up to and with this block.
#[must_use]
pub fn chain_input(before: B256, block: &BatchBlock) -> B256 {
    let block_hash = keccak256(alloy_rlp::encode(block));
    keccak256([before, block_hash].concat())
}

/// What a leader signs of a block.
#[must_use]
pub fn signing_hash(domain: B256, chain_input: B256) -> B256 {
    let mut bytes = Vec::with_capacity(2 + 32 + 32);
    bytes.extend_from_slice(&[0x19, 0x01]);
    bytes.extend_from_slice(domain.as_slice());
    bytes.extend_from_slice(chain_input.as_slice());
    keccak256(bytes)
}
