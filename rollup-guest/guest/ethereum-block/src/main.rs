//! Reads a block with its witness, validates it, and commits the claim: five words of 32 bytes.
//!
//! There is no claim about a block that is not valid: the guest panics and says why.

#![no_std]
#![no_main]

use zkvm_rollup_stf::claim::{BlockInput, claim};

zkvm_guest::entry!(main);

fn main() {
    install_accelerators();
    let input: BlockInput<'static> = zkvm_guest::read();
    match claim(&input) {
        Ok(claim) => zkvm_guest::commit_bytes(&claim.to_bytes()),
        Err(error) => panic!("no claim: {error}"),
    }
}

/// Where hashes and curves that the machine computes by precompiles are put in the place of
/// software.
///
/// Nothing yet. Keccak-256 comes in by linking (`alloy-primitives/native-keccak`), signatures by
/// `alloy_consensus::crypto::install_default_provider`, the EVM's own precompiles by
/// `revm::precompile::install_crypto`.
const fn install_accelerators() {}
