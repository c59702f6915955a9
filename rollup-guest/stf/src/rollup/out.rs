//! The public output.

use alloy_primitives::{Address, B256, U256};

use super::config::Mode;
use crate::words::{Word, WordKind, words};

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

words! {
    /// What F says of a batch, for L1 to hash and compare. All that F was given is in it, so that L1
    /// checks what it has not said itself.
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
}

words! {
    /// What F says of some blocks of a batch, from the state before the first of them.
    ///
    /// It does not say that the blocks before it keep the rules. If it is refused, no block is
    /// executed: what is after is what is before.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct BlocksOut {
        /// The rollup's domain.
        pub domain: B256,
        /// Hash of L1's view.
        pub view_hash: B256,
        /// Hash of the batch as posted.
        pub batch_hash: B256,
        /// Number of blocks in the batch; zero if it is refused as a whole.
        pub block_count: u64,
        /// How the batch is declared.
        pub declared_mode: Mode,
        /// Position in the batch of the first of these blocks.
        pub first: u64,
        /// Position in the batch after the last of these blocks.
        pub end: u64,
        /// Who leads the batch; zero if it is refused.
        pub leader: Address,
        /// Number of the block before.
        pub pre_block: u64,
        /// Hash of the block before.
        pub pre_block_hash: B256,
        /// Root of the state before.
        pub pre_state_root: B256,
        /// Hash over all inputs before.
        pub chain_input_pre: B256,
        /// Number of the last block.
        pub post_block: u64,
        /// Hash of the last block.
        pub post_block_hash: B256,
        /// Root of the state after it.
        pub post_state_root: B256,
        /// Hash over all inputs up to it.
        pub chain_input_post: B256,
        /// With the batch's first block: index after the last forced item that it executes. Zero
        /// without it.
        pub forced_to: u64,
        /// Hash of the queue up to there.
        pub forced_post: B256,
        /// Root of their withdrawals.
        pub withdrawals_root: B256,
        /// Number of their withdrawals: without it, a root has more than one list of leaves.
        pub withdrawal_count: u64,
        /// Wei that they withdraw.
        pub withdrawn: U256,
        /// Wei that their successful transactions transfer.
        pub transferred: U256,
        /// Their gas of proving.
        pub zk_gas: u64,
        /// Most gas of proving before one of the leader's transactions, with what it names.
        pub zk_gas_peak: u64,
        /// Whether one of their transactions asks for a proof.
        pub is_opted_in: bool,
        /// The first rule that they break; [`Verdict::Mode`] is of whole batches.
        pub verdict: Verdict,
        /// Who is paid for the proof.
        pub prover: Address,
    }
}

words! {
    /// What consecutive batches come to.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct RangeOut {
        /// The rollup's domain.
        pub domain: B256,
        /// Hash of the digests of all [`Out`]s, one after the other.
        pub outs_hash: B256,
        /// Position of the first batch.
        pub first_batch: u64,
        /// Position of the last batch.
        pub last_batch: u64,
        /// Number of the first block.
        pub first_block: u64,
        /// Number of the last block.
        pub last_block: u64,
        /// Hash of the batch before the first.
        pub parent_batch_hash: B256,
        /// Hash of the last batch.
        pub batch_hash: B256,
        /// Hash of the block before.
        pub pre_block_hash: B256,
        /// Root of the state before.
        pub pre_state_root: B256,
        /// Hash of the last block.
        pub post_block_hash: B256,
        /// Root of the state after it.
        pub post_state_root: B256,
        /// Hash over all inputs before.
        pub chain_input_pre: B256,
        /// Hash over all inputs up to the last batch's.
        pub chain_input_post: B256,
        /// Hash of the queue before the first forced item.
        pub forced_pre: B256,
        /// Hash of the queue up to the last forced item.
        pub forced_post: B256,
        /// Index of the first forced item.
        pub forced_from: u64,
        /// Index after the last forced item.
        pub forced_to: u64,
        /// The greatest verdict.
        pub verdict: Verdict,
        /// By a proof, if one batch requires it.
        pub required_mode: Mode,
        /// Wei.
        pub value_at_risk: U256,
        /// Who is paid for the proof of the composition.
        pub prover: Address,
    }
}

impl Verdict {
    /// All verdicts, in the order of their numbers.
    pub const ALL: [Self; 12] = [
        Verdict::Ok,
        Verdict::Decode,
        Verdict::Link,
        Verdict::Leader,
        Verdict::Signature,
        Verdict::Time,
        Verdict::Forced,
        Verdict::Order,
        Verdict::Transaction,
        Verdict::Gas,
        Verdict::ZkGas,
        Verdict::Mode,
    ];

    /// The name, in small letters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Verdict::Ok => "ok",
            Verdict::Decode => "decode",
            Verdict::Link => "link",
            Verdict::Leader => "leader",
            Verdict::Signature => "signature",
            Verdict::Time => "time",
            Verdict::Forced => "forced",
            Verdict::Order => "order",
            Verdict::Transaction => "transaction",
            Verdict::Gas => "gas",
            Verdict::ZkGas => "zk-gas",
            Verdict::Mode => "mode",
        }
    }

    /// Whether the batch has no effect but its forced items.
    #[must_use]
    pub const fn is_refusal(self) -> bool {
        !matches!(self, Verdict::Ok | Verdict::Mode)
    }
}

impl Word for Verdict {
    const KIND: WordKind = WordKind::Verdict;

    fn to_word(&self) -> B256 {
        u64::from(*self).to_word()
    }

    fn from_word(word: B256) -> Option<Self> {
        let index = usize::try_from(u64::from_word(word)?).ok()?;
        Verdict::ALL.get(index).copied()
    }
}

impl Word for Mode {
    const KIND: WordKind = WordKind::Mode;

    fn to_word(&self) -> B256 {
        u64::from(*self).to_word()
    }

    fn from_word(word: B256) -> Option<Self> {
        let index = usize::try_from(u64::from_word(word)?).ok()?;
        Mode::ALL.get(index).copied()
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
