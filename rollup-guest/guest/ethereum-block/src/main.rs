//! Reads a block with its witness, validates it, and commits the claim: five words of 32 bytes.
//!
//! There is no claim about a block that is not valid: the guest panics and says why.

#![no_std]
#![no_main]

use rollup_spans::Spanned;
use zkvm_rollup_stf::claim::{BlockInput, claim_from};

zkvm_guest::entry!(main);

fn main() {
    rollup_map_seed::draw();
    zkvm_accel_ethereum::install();
    let input: BlockInput<'static> = zkvm_guest::span("input", zkvm_guest::read);
    match claim_from(&input, &Spanned::new(&input.witness)) {
        Ok(claim) => zkvm_guest::commit_bytes(&claim.to_bytes()),
        Err(error) => panic!("no claim: {error}"),
    }
}
