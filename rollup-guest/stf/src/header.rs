//! The rules of a header: all that can be told from it, its parent and its block's body.

use alloy_consensus::Header;
use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_eips::eip1559::BaseFeeParams;
use alloy_eips::eip4844::DATA_GAS_PER_BLOB;
use alloy_primitives::B256;

use crate::chain::{ChainConfig, Fork};
use crate::invalid::{Field, InvalidBlock};

/// Bytes of extra data (yellow paper, section 4.4.4).
pub const EXTRA_DATA_BYTES_MAX: usize = 32;
/// Least gas limit (yellow paper, equation 47).
pub const GAS_LIMIT_MIN: u64 = 5_000;
/// Greatest gas limit (EIP-1985).
pub const GAS_LIMIT_MAX: u64 = (1 << 63) - 1;
/// The gas limit changes by less than this fraction of the parent's.
pub const GAS_LIMIT_CHANGE_DIVISOR: u64 = 1_024;

/// Checks a header against its parent.
///
/// # Errors
/// The first rule that it breaks.
pub fn check_header(
    chain: &ChainConfig,
    parent: &Header,
    parent_hash: B256,
    header: &Header,
) -> Result<(), InvalidBlock> {
    let fork = chain.fork_at(header.timestamp);
    Field::ParentHash.expect_hash(parent_hash, header.parent_hash)?;
    Field::Number.expect(parent.number.saturating_add(1), header.number)?;
    if header.timestamp <= parent.timestamp {
        return Err(InvalidBlock::Timestamp {
            parent: parent.timestamp,
            got: header.timestamp,
        });
    }
    check_merged(header)?;
    if header.extra_data.len() > EXTRA_DATA_BYTES_MAX {
        return Err(InvalidBlock::ExtraData {
            len_bytes: header.extra_data.len(),
        });
    }
    check_gas(parent, header)?;
    check_presence(fork, header)?;
    check_blob_gas(fork, parent, header)
}

/// What proof of work had and blocks after the Merge have no more (EIP-3675).
fn check_merged(header: &Header) -> Result<(), InvalidBlock> {
    if !header.difficulty.is_zero() {
        return Err(InvalidBlock::NotZero {
            field: Field::Difficulty,
        });
    }
    if !header.nonce.is_zero() {
        return Err(InvalidBlock::NotZero {
            field: Field::Nonce,
        });
    }
    Field::OmmersHash.expect_hash(EMPTY_OMMER_ROOT_HASH, header.ommers_hash)
}

fn check_gas(parent: &Header, header: &Header) -> Result<(), InvalidBlock> {
    let change = header.gas_limit.abs_diff(parent.gas_limit);
    let is_near = change < parent.gas_limit / GAS_LIMIT_CHANGE_DIVISOR;
    if !is_near || !(GAS_LIMIT_MIN..=GAS_LIMIT_MAX).contains(&header.gas_limit) {
        return Err(InvalidBlock::GasLimit {
            parent: parent.gas_limit,
            got: header.gas_limit,
        });
    }
    if header.gas_used > header.gas_limit {
        return Err(InvalidBlock::GasUsed {
            limit: header.gas_limit,
            got: header.gas_used,
        });
    }
    // London is older than the Merge, so the parent has a base fee.
    let Some(expected) = parent.next_block_base_fee(BaseFeeParams::ethereum()) else {
        return Err(InvalidBlock::Presence {
            field: Field::BaseFee,
            is_expected: false,
        });
    };
    let Some(got) = header.base_fee_per_gas else {
        return Err(InvalidBlock::Presence {
            field: Field::BaseFee,
            is_expected: true,
        });
    };
    Field::BaseFee.expect(expected, got)
}

/// A header has exactly the fields of its fork.
fn check_presence(fork: Fork, header: &Header) -> Result<(), InvalidBlock> {
    let fields = [
        (
            Field::WithdrawalsRoot,
            header.withdrawals_root.is_some(),
            Some(Fork::Shanghai),
        ),
        (
            Field::BlobGasUsed,
            header.blob_gas_used.is_some(),
            Some(Fork::Cancun),
        ),
        (
            Field::ExcessBlobGas,
            header.excess_blob_gas.is_some(),
            Some(Fork::Cancun),
        ),
        (
            Field::BeaconRoot,
            header.parent_beacon_block_root.is_some(),
            Some(Fork::Cancun),
        ),
        (
            Field::RequestsHash,
            header.requests_hash.is_some(),
            Some(Fork::Prague),
        ),
        // No fork here has these yet.
        (
            Field::AccessListHash,
            header.block_access_list_hash.is_some(),
            None,
        ),
        (Field::SlotNumber, header.slot_number.is_some(), None),
    ];
    for (field, is_present, since) in fields {
        let is_expected = since.is_some_and(|since| fork >= since);
        if is_present != is_expected {
            return Err(InvalidBlock::Presence { field, is_expected });
        }
    }
    Ok(())
}

/// EIP-4844, EIP-7691, EIP-7918.
fn check_blob_gas(fork: Fork, parent: &Header, header: &Header) -> Result<(), InvalidBlock> {
    let (Some(params), Some(used), Some(excess)) = (
        fork.blob_params(),
        header.blob_gas_used,
        header.excess_blob_gas,
    ) else {
        return Ok(());
    };
    let max = params.max_blob_gas_per_block();
    if used > max || !used.is_multiple_of(DATA_GAS_PER_BLOB) {
        return Err(InvalidBlock::BlobGas { max, got: used });
    }
    let expected = params.next_block_excess_blob_gas_osaka(
        parent.excess_blob_gas.unwrap_or(0),
        parent.blob_gas_used.unwrap_or(0),
        parent.base_fee_per_gas.unwrap_or(0),
    );
    Field::ExcessBlobGas.expect(expected, excess)
}
