//! Makes `alloy` and `revm` use the machine's precompiles, without a fork of either.
//!
//! ```ignore
//! fn main() {
//!     zkvm_accel_ethereum::install();
//!     // …
//! }
//! ```
//!
//! | what | how | since when |
//! |---|---|---|
//! | `alloy_primitives::keccak256` | feature `native-keccak` of that crate, which links to a symbol that this crate's feature `alloy` defines | always |
//! | signers of transactions in `alloy-consensus` | its `crypto-backend` | [`install`] |
//! | the contracts `ecrecover`, `sha256`, `p256verify` and `modexp` by a modulus of up to 32 bytes in `revm` | `revm::precompile::install_crypto` | [`install`] |
//!
//! Powers by a longer modulus are software: revm's, but for the Chinese remainder theorem that an even
//! one takes.
//!
//! `alloy-primitives` must have neither `sha3-keccak` nor `tiny-keccak` enabled, which go before
//! `native-keccak`. Its incremental `Keccak256` stays software in any case.
//!
//! The features `alloy` and `revm` choose; both are on unless default features are off. The versions
//! of both are pinned: another version of theirs has a backend of its own, which nothing installs.

#![no_std]

extern crate alloc;

#[cfg(feature = "alloy")]
mod signers;

#[cfg(feature = "revm")]
mod contracts;
#[cfg(feature = "revm")]
mod even;

/// The backend that computes by the machine's precompiles.
#[derive(Clone, Copy, Debug)]
pub struct Precompiles;

/// Makes the backends of all enabled features this one.
///
/// # Panics
/// If one has been installed or used before.
pub fn install() {
    #[cfg(feature = "alloy")]
    signers::install();
    #[cfg(feature = "revm")]
    contracts::install();
}

/// Ethereum's address of a public key: the last 20 bytes of its Keccak-256.
#[cfg(any(feature = "alloy", feature = "revm"))]
fn address_of(public_key: &[u8; 64]) -> [u8; 20] {
    let hash = zkvm_accel::keccak::keccak256(public_key);
    *hash.last_chunk().expect("a hash is 32 bytes")
}

/// `r` and `s` of a signature.
#[cfg(any(feature = "alloy", feature = "revm"))]
fn halves(signature: &[u8; 64]) -> [&[u8; 32]; 2] {
    let (halves, _) = signature.as_chunks::<32>();
    [&halves[0], &halves[1]]
}
