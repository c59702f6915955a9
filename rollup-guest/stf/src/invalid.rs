//! Why a block is not valid.

use alloc::string::String;
use core::fmt;

use alloy_primitives::B256;
use thiserror::Error;

use crate::witness::WitnessError;

/// A field of a header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "their names are the fields' names")]
pub enum Field {
    ParentHash,
    OmmersHash,
    StateRoot,
    TransactionsRoot,
    ReceiptsRoot,
    LogsBloom,
    Difficulty,
    Number,
    GasUsed,
    Nonce,
    BaseFee,
    WithdrawalsRoot,
    BlobGasUsed,
    ExcessBlobGas,
    BeaconRoot,
    RequestsHash,
    AccessListHash,
    SlotNumber,
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Field::ParentHash => "parent hash",
            Field::OmmersHash => "ommers hash",
            Field::StateRoot => "state root",
            Field::TransactionsRoot => "transactions root",
            Field::ReceiptsRoot => "receipts root",
            Field::LogsBloom => "logs bloom",
            Field::Difficulty => "difficulty",
            Field::Number => "number",
            Field::GasUsed => "gas used",
            Field::Nonce => "nonce",
            Field::BaseFee => "base fee",
            Field::WithdrawalsRoot => "withdrawals root",
            Field::BlobGasUsed => "blob gas used",
            Field::ExcessBlobGas => "excess blob gas",
            Field::BeaconRoot => "parent beacon block root",
            Field::RequestsHash => "requests hash",
            Field::AccessListHash => "block access list hash",
            Field::SlotNumber => "slot number",
        })
    }
}

impl Field {
    pub(crate) fn expect(self, expected: u64, got: u64) -> Result<(), InvalidBlock> {
        if expected == got {
            return Ok(());
        }
        Err(InvalidBlock::Number {
            field: self,
            expected,
            got,
        })
    }

    pub(crate) fn expect_hash(self, expected: B256, got: B256) -> Result<(), InvalidBlock> {
        if expected == got {
            return Ok(());
        }
        Err(InvalidBlock::Hash {
            field: self,
            expected,
            got,
        })
    }
}

/// The rule that a block breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InvalidBlock {
    /// The bytes are not a block.
    #[error("the block does not decode: {reason}")]
    Encoding {
        /// What the decoder found.
        reason: alloy_rlp::Error,
    },
    /// The block is too large (EIP-7934).
    #[error("the block has {len_bytes} bytes, at most {max} are allowed")]
    Size {
        /// The limit in bytes.
        max: usize,
        /// Length of the block in bytes.
        len_bytes: usize,
    },
    /// The header has a hash that is not the computed one.
    #[error("{field} is {got}, expected {expected}")]
    Hash {
        /// The field.
        field: Field,
        /// What it has to be.
        expected: B256,
        /// What the header has.
        got: B256,
    },
    /// The header has a number that is not the computed one.
    #[error("{field} is {got}, expected {expected}")]
    Number {
        /// The field.
        field: Field,
        /// What it has to be.
        expected: u64,
        /// What the header has.
        got: u64,
    },
    /// The header's bloom filter is not that of the receipts.
    #[error("logs bloom is not that of the receipts")]
    LogsBloom,
    /// A field is missing, or there though its fork is not in force.
    #[error("{field} is {}", if *is_expected { "missing" } else { "not of this fork" })]
    Presence {
        /// The field.
        field: Field,
        /// Whether it has to be there.
        is_expected: bool,
    },
    /// A field that has to be zero is not.
    #[error("{field} is not zero")]
    NotZero {
        /// The field.
        field: Field,
    },
    /// The timestamp is not after the parent's.
    #[error("timestamp is {got}, not after the parent's {parent}")]
    Timestamp {
        /// The parent's.
        parent: u64,
        /// The header's.
        got: u64,
    },
    /// The extra data is too long.
    #[error("extra data has {len_bytes} bytes, at most 32 are allowed")]
    ExtraData {
        /// Its length in bytes.
        len_bytes: usize,
    },
    /// The gas limit is too far from the parent's, or out of bounds.
    #[error("gas limit is {got}, out of bounds after the parent's {parent}")]
    GasLimit {
        /// The parent's.
        parent: u64,
        /// The header's.
        got: u64,
    },
    /// The header says that more gas is used than there is.
    #[error("gas used is {got}, above the gas limit {limit}")]
    GasUsed {
        /// The gas limit.
        limit: u64,
        /// What the header has.
        got: u64,
    },
    /// The blobs' gas is above the fork's limit, or not that of whole blobs.
    #[error("blob gas used is {got}, not whole blobs of at most {max}")]
    BlobGas {
        /// The fork's limit.
        max: u64,
        /// What the header has.
        got: u64,
    },
    /// There are ommers.
    #[error("the block has {count} ommers, none are allowed")]
    Ommers {
        /// How many.
        count: usize,
    },
    /// The body lacks withdrawals, or has them before Shanghai.
    #[error("withdrawals are {}", if *is_expected { "missing" } else { "not of this fork" })]
    Withdrawals {
        /// Whether they have to be there.
        is_expected: bool,
    },
    /// A transaction's signature is no signature.
    #[error("transaction {index}: its signer cannot be recovered")]
    Signature {
        /// Position in the block.
        index: usize,
    },
    /// A transaction cannot be part of this block.
    #[error("transaction {index}: {reason}")]
    Transaction {
        /// Position in the block.
        index: usize,
        /// The EVM's words.
        reason: String,
    },
    /// What a block does before and after its transactions fails.
    #[error("system call: {reason}")]
    SystemCall {
        /// The EVM's words.
        reason: String,
    },
}

/// Why there is no valid block: which is a statement about the block only if it is [`Invalid`].
///
/// [`Invalid`]: Failure::Invalid
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The block breaks a rule.
    #[error(transparent)]
    Invalid(#[from] InvalidBlock),
    /// The witness does not tell enough.
    #[error(transparent)]
    Witness(#[from] WitnessError),
    /// The EVM gave up for a reason that is neither the block's nor the witness's.
    #[error("the EVM failed: {reason}")]
    Evm {
        /// The EVM's words.
        reason: String,
    },
}
