//! Reads outputs of adjacent blocks or batches, composes them, and commits two words: the hash of
//! the parts' digests, and the digest of the whole.
//!
//! The parts are not verified here: whoever accepts this proof has accepted theirs.

#![no_std]
#![no_main]

use zkvm_rollup_stf::rollup::RangeInput;

zkvm_guest::entry!(main);

fn main() {
    rollup_map_seed::draw();
    zkvm_accel_ethereum::install();
    let input: RangeInput<'static> = zkvm_guest::read();
    match input.compose() {
        Ok(composition) => zkvm_guest::commit_bytes(&composition.journal()),
        Err(error) => panic!("no composition: {error}"),
    }
}
