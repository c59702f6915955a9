//! The rollup's guest programs as ELF files. They are built with this crate, so what proves and what
//! verifies agree on their ids.

#![no_std]
#![forbid(unsafe_code)]

/// Validates an Ethereum block: reads `zkvm_rollup_stf::claim::BlockInput`.
pub const ETHEREUM_BLOCK: &[u8] = include_bytes!(env!("ZKVM_GUEST_ETHEREUM_BLOCK"));

/// Evaluates the rollup's state transition: reads `zkvm_rollup_stf::rollup::BatchInput`.
pub const ROLLUP_BATCH: &[u8] = include_bytes!(env!("ZKVM_GUEST_ROLLUP_BATCH"));

/// Composes outputs of blocks or batches: reads `zkvm_rollup_stf::rollup::RangeInput`.
pub const ROLLUP_RANGE: &[u8] = include_bytes!(env!("ZKVM_GUEST_ROLLUP_RANGE"));
