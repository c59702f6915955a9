//! The guest programs.

use zkvm_rollup_node::work::Kind;
use zkvm_rollup_programs::{ETHEREUM_BLOCK, ROLLUP_BATCH, ROLLUP_RANGE};
use zkvm_sdk::{Error, Program};

/// The guest that reads work of a kind.
pub(crate) fn program(kind: Kind) -> Result<Program, Error> {
    Program::from_elf(match kind {
        Kind::Block => ETHEREUM_BLOCK,
        Kind::Batch => ROLLUP_BATCH,
        Kind::Range => ROLLUP_RANGE,
    })
}
