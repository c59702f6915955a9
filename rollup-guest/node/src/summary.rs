//! What blocks and batches say about themselves.

use alloy_consensus::Block;
use alloy_primitives::{B256, keccak256};
use alloy_rlp::Decodable;
use zkvm_rollup_stf::block::{Transaction, validate};
use zkvm_rollup_stf::claim::BlockInput;
use zkvm_rollup_stf::rollup::{Batch, BatchInput};
use zkvm_rollup_stf::witness::{Ancestors, Hashed};
use zkvm_rollup_stf::{Failure, InvalidBlock};

/// The kind of a queue's items that are transactions.
const FORCED_TRANSACTION: u8 = 0;

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
    /// The number of its block.
    pub block: u64,
    /// Its position in the block; of a rollup's block, forced items are counted before it.
    pub index: usize,
    /// Its hash.
    pub hash: B256,
    /// Gas that it uses; not known of a batch's.
    pub gas_used: Option<u64>,
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
    Ok((pairs.enumerate())
        .map(|(index, (transaction, receipt))| {
            let after = receipt.cumulative_gas_used();
            let gas_used = after.saturating_sub(before);
            before = after;
            TransactionSummary {
                block: block.header.number,
                index,
                hash: *transaction.hash(),
                gas_used: Some(gas_used),
            }
        })
        .collect())
}

/// The transactions of a batch or of some of its blocks, whether or not they can be executed: of its
/// first block the forced ones, and of each block its own.
///
/// # Errors
/// [`Failure::Witness`] if the witness has no header of the block before.
pub fn batch_transactions(input: &BatchInput<'_>) -> Result<Vec<TransactionSummary>, Failure> {
    let ancestors = Ancestors::new(&input.witness.headers)?;
    let number = ancestors.parent().number.saturating_add(1);
    let first = input.blocks.map_or(0, |range| range.first);
    let mut transactions = Vec::new();
    let mut add = |block, index, bytes: &[u8]| {
        transactions.push(TransactionSummary {
            block,
            index,
            hash: keccak256(bytes),
            gas_used: None,
        });
    };
    let items = if first == 0 { &input.items[..] } else { &[] };
    for (index, item) in items.iter().enumerate() {
        if item.kind == FORCED_TRANSACTION {
            add(number, index, item.payload);
        }
    }
    // What is no batch has forced items only.
    let Ok(batch) = Batch::decode(&mut &*input.batch) else {
        return Ok(transactions);
    };
    let blocks = (0..).zip(&batch.blocks).skip_while(|(at, _)| *at < first);
    for ((at, block), number) in blocks.zip(number..) {
        let forced = if at == 0 { items.len() } else { 0 };
        for (index, bytes) in (forced..).zip(&block.transactions) {
            add(number, index, bytes);
        }
    }
    Ok(transactions)
}
