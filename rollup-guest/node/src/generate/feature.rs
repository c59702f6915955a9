//! What may happen in a batch.

use std::fmt;

/// Something that has happened in a batch. What a refused batch would have done is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Feature {
    /// More than one block.
    Blocks,
    /// A slot was left free.
    MissedSlot,
    /// A backup leader took a slot.
    Backup,
    /// The epoch is another than that of the batch before.
    Epoch,
    /// The sequencers or their stakes are others than in the batch before.
    Set,
    /// The leader's last fault requires a proof.
    Probation,
    /// A transaction that only pays.
    Payment,
    /// A contract is called.
    Call,
    /// A contract is made.
    Creation,
    /// A contract is called that a user has made.
    CreatedCall,
    /// A precompile is called.
    Precompile,
    /// A contract is made that is gone after its transaction.
    Gone,
    /// An account gets a contract's code (EIP-7702).
    Delegation,
    /// A transaction reverts.
    Reverted,
    /// A block's hash is asked for.
    BlockHash,
    /// The witness has headers before the parent's.
    Ancestors,
    /// The leader's transaction asks for a proof.
    OptIn,
    /// Something is withdrawn.
    Withdrawal,
    /// A proof is declared.
    ModeZk,
    /// No proof is declared.
    ModeOptimistic,
    /// A proof is required.
    RequiredZk,
    /// A proof is declared and not required.
    Voluntary,
    /// The gas limit changes.
    GasLimit,
    /// A deposit.
    Deposit,
    /// A forced transaction is executed.
    ForcedPaid,
    /// A forced item does not decode.
    ForcedUndecodable,
    /// A forced transaction cannot be executed: its nonce, its balance, or a blob.
    ForcedUnpayable,
    /// Forced items are left for a later batch.
    Waiting,
    /// A refused batch's forced items are executed.
    ForcedRefused,
}

impl Feature {
    /// All of them.
    pub const ALL: [Feature; 29] = [
        Feature::Blocks,
        Feature::MissedSlot,
        Feature::Backup,
        Feature::Epoch,
        Feature::Set,
        Feature::Probation,
        Feature::Payment,
        Feature::Call,
        Feature::Creation,
        Feature::CreatedCall,
        Feature::Precompile,
        Feature::Gone,
        Feature::Delegation,
        Feature::Reverted,
        Feature::BlockHash,
        Feature::Ancestors,
        Feature::OptIn,
        Feature::Withdrawal,
        Feature::ModeZk,
        Feature::ModeOptimistic,
        Feature::RequiredZk,
        Feature::Voluntary,
        Feature::GasLimit,
        Feature::Deposit,
        Feature::ForcedPaid,
        Feature::ForcedUndecodable,
        Feature::ForcedUnpayable,
        Feature::Waiting,
        Feature::ForcedRefused,
    ];

    const fn words(self) -> &'static str {
        match self {
            Feature::Blocks => "several blocks",
            Feature::MissedSlot => "missed slots",
            Feature::Backup => "a backup leader",
            Feature::Epoch => "a new epoch",
            Feature::Set => "other sequencers",
            Feature::Probation => "on probation",
            Feature::Payment => "payments",
            Feature::Call => "calls",
            Feature::Creation => "a contract made",
            Feature::CreatedCall => "a call of a user's contract",
            Feature::Precompile => "precompiles",
            Feature::Gone => "a contract made and gone",
            Feature::Delegation => "a delegation",
            Feature::Reverted => "a revert",
            Feature::BlockHash => "block hashes",
            Feature::Ancestors => "older headers",
            Feature::OptIn => "an opt-in",
            Feature::Withdrawal => "withdrawals",
            Feature::ModeZk => "declared to be proven",
            Feature::ModeOptimistic => "declared optimistic",
            Feature::RequiredZk => "a proof is required",
            Feature::Voluntary => "no proof is required",
            Feature::GasLimit => "another gas limit",
            Feature::Deposit => "deposits",
            Feature::ForcedPaid => "forced transactions",
            Feature::ForcedUndecodable => "forced bytes that are nothing",
            Feature::ForcedUnpayable => "forced transactions that fail",
            Feature::Waiting => "a queue is left",
            Feature::ForcedRefused => "forced items stand",
        }
    }
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}
