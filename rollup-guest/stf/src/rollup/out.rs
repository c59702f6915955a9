//! The public output.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256, keccak256};

use super::config::Mode;

/// What a batch is found to be: the first rule that it breaks.
///
/// What is below [`Verdict::Mode`] and not [`Verdict::Ok`] refuses the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Verdict {
    /// It keeps all rules.
    Ok = 0,
    /// It is not a batch.
    Decode = 1,
    /// It does not follow the batch before, or is of another chain or L1 block.
    Link = 2,
    /// A block is not signed by its leader, or a second leader signed.
    Leader = 3,
    /// A block's signature is none.
    Signature = 4,
    /// A block's slot or time is out of bounds.
    Time = 5,
    /// It does not go to the end of the forced items.
    Forced = 6,
    /// A block's transactions are not in order.
    Order = 7,
    /// A transaction cannot be executed.
    Transaction = 8,
    /// A gas limit is out of bounds or exceeded.
    Gas = 9,
    /// Proving it would take too much.
    ZkGas = 10,
    /// It has to be proven, and was not declared so. Its state stands, its leader is slashed.
    Mode = 11,
}

/// What F says, for L1 to hash and compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(
    missing_docs,
    reason = "the fields are explained where L1 and F have them"
)]
pub struct Out {
    pub domain: B256,
    pub batch_index: u64,
    pub first_block: u64,
    pub last_block: u64,
    pub batch_hash: B256,
    pub parent_batch_hash: B256,
    pub pre_block_hash: B256,
    pub pre_state_root: B256,
    pub post_block_hash: B256,
    pub post_state_root: B256,
    pub withdrawals_root: B256,
    pub chain_input_pre: B256,
    pub chain_input_post: B256,
    pub forced_pre: B256,
    pub forced_post: B256,
    pub forced_from: u64,
    pub forced_to: u64,
    pub set_hash: B256,
    pub seed: B256,
    pub l1_anchor: u64,
    pub l1_anchor_hash: B256,
    pub l1_anchor_time: u64,
    pub l1_time: u64,
    pub leader_fault_epoch: u64,
    pub verdict: Verdict,
    pub required_mode: Mode,
    pub value_at_risk: U256,
    pub leader: Address,
    pub prover: Address,
}

impl Out {
    /// Number of words.
    pub const WORDS: usize = 29;

    /// The fields by their order, as `abi.encode` has them: 32 bytes each.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let number = |value: u64| B256::from(U256::from(value));
        let words: [B256; Self::WORDS] = [
            self.domain,
            number(self.batch_index),
            number(self.first_block),
            number(self.last_block),
            self.batch_hash,
            self.parent_batch_hash,
            self.pre_block_hash,
            self.pre_state_root,
            self.post_block_hash,
            self.post_state_root,
            self.withdrawals_root,
            self.chain_input_pre,
            self.chain_input_post,
            self.forced_pre,
            self.forced_post,
            number(self.forced_from),
            number(self.forced_to),
            self.set_hash,
            self.seed,
            number(self.l1_anchor),
            self.l1_anchor_hash,
            number(self.l1_anchor_time),
            number(self.l1_time),
            number(self.leader_fault_epoch),
            number(self.verdict.into()),
            number(self.required_mode.into()),
            B256::from(self.value_at_risk),
            self.leader.into_word(),
            self.prover.into_word(),
        ];
        words.concat()
    }

    /// What the guest commits.
    #[must_use]
    pub fn digest(&self) -> B256 {
        keccak256(self.to_bytes())
    }
}

impl From<Verdict> for u64 {
    fn from(verdict: Verdict) -> u64 {
        match verdict {
            Verdict::Ok => 0,
            Verdict::Decode => 1,
            Verdict::Link => 2,
            Verdict::Leader => 3,
            Verdict::Signature => 4,
            Verdict::Time => 5,
            Verdict::Forced => 6,
            Verdict::Order => 7,
            Verdict::Transaction => 8,
            Verdict::Gas => 9,
            Verdict::ZkGas => 10,
            Verdict::Mode => 11,
        }
    }
}

impl From<Mode> for u64 {
    fn from(mode: Mode) -> u64 {
        match mode {
            Mode::Optimistic => 0,
            Mode::Zk => 1,
        }
    }
}
