//! Reads a batch with its witness, evaluates the rollup's state transition for it or for some of its
//! blocks, and commits the digest of the public output.
//!
//! A batch that breaks a rule has a verdict in the output. Only a bad witness makes the guest
//! panic.

#![no_std]
#![no_main]

use rollup_spans::Spanned;
use zkvm_rollup_stf::rollup::BatchInput;

zkvm_guest::entry!(main);

fn main() {
    rollup_map_seed::draw();
    zkvm_accel_ethereum::install();
    let input: BatchInput<'static> = zkvm_guest::span("input", zkvm_guest::read);
    match input.claim_from(&Spanned::new(&input.witness)) {
        Ok(claim) => zkvm_guest::commit_bytes(claim.digest().as_slice()),
        Err(error) => panic!("no output: {error}"),
    }
}
