//! The guest programs, and what they are given.

use std::hash::{BuildHasher as _, RandomState};

use zkvm_rollup_node::work::Kind;
use zkvm_rollup_programs::{ETHEREUM_BLOCK, ROLLUP_BATCH, ROLLUP_RANGE};
use zkvm_sdk::{Error, Input, Program};

/// The guest that reads work of a kind.
pub(crate) fn program(kind: Kind) -> Result<Program, Error> {
    Program::from_elf(match kind {
        Kind::Block => ETHEREUM_BLOCK,
        Kind::Batch => ROLLUP_BATCH,
        Kind::Range => ROLLUP_RANGE,
    })
}

/// What the guest reads, and a hint that seeds its maps as nobody could foresee who posted the data:
/// by the keys that the operating system gives to `RandomState`. No output depends on it.
pub(crate) fn input_to_prove(work: &[u8]) -> Input {
    hinted(work, RandomState::new().hash_one(()))
}

/// What the guest reads, with the same hint every time, so that its cycles are the same.
pub(crate) fn input_to_simulate(work: &[u8]) -> Input {
    hinted(work, 0)
}

fn hinted(work: &[u8], hint: u64) -> Input {
    let input = Input::new().write_bytes(work);
    input.hint_bytes(&hint.to_le_bytes())
}
