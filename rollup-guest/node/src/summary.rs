//! What a block says about itself.

use alloy_consensus::Block;
use alloy_primitives::B256;
use alloy_rlp::Decodable;
use zkvm_rollup_stf::block::{Transaction, validate};
use zkvm_rollup_stf::claim::BlockInput;
use zkvm_rollup_stf::witness::{Ancestors, Hashed};
use zkvm_rollup_stf::{Failure, InvalidBlock};

/// What a block's header and body say, unchecked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its number.
    pub number: u64,
    /// Seconds since 1970.
    pub timestamp: u64,
    /// How many transactions it has.
    pub transactions: usize,
    /// Gas of all of them.
    pub gas_used: u64,
}

impl Summary {
    /// Reads a block's encoding; `None` if it does not decode.
    #[must_use]
    pub fn of(mut block: &[u8]) -> Option<Self> {
        let block = Block::<Transaction>::decode(&mut block).ok()?;
        Some(Summary {
            number: block.header.number,
            timestamp: block.header.timestamp,
            transactions: block.body.transactions.len(),
            gas_used: block.header.gas_used,
        })
    }
}

/// A transaction and what it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TransactionSummary {
    /// Its hash.
    pub hash: B256,
    /// Gas that it uses.
    pub gas_used: u64,
}

/// Validates a block and says what its transactions use.
///
/// # Errors
/// [`Failure`] if it is not valid, or that cannot be told.
pub fn transactions(input: &BlockInput<'_>) -> Result<Vec<TransactionSummary>, Failure> {
    let ancestors = Ancestors::new(&input.witness.headers)?;
    let source = Hashed::new(&input.witness);
    let valid = validate(&input.chain, &ancestors, input.block, &source)?;
    let block = Block::<Transaction>::decode(&mut &*input.block)
        .map_err(|reason| InvalidBlock::Encoding { reason })?;
    let mut before = 0;
    let pairs = block.body.transactions.iter().zip(&valid.executed.receipts);
    Ok(pairs
        .map(|(transaction, receipt)| {
            let after = receipt.cumulative_gas_used();
            let gas_used = after.saturating_sub(before);
            before = after;
            TransactionSummary {
                hash: *transaction.hash(),
                gas_used,
            }
        })
        .collect())
}
