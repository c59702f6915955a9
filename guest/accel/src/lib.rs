//! Hashes, modular arithmetic and secp256k1 for guests, by the machine's precompiles.
//!
//! | module | what it gives | precompile |
//! |---|---|---|
//! | [`keccak`] | Keccak-256, at once or in parts | keccak_f |
//! | [`sha256`] | SHA-256, at once or in parts | sha256_compress |
//! | [`modular`] | products, powers and inverses of 256-bit numbers | multiply_mod |
//! | [`secp256r1`] | ECDSA verification over P-256 | multiply_mod |
//! | [`secp256k1`] | points, ECDSA verification, Ethereum's public-key recovery | secp256k1_add, secp256k1_double, multiply_mod |
//!
//! The functions compute what other implementations do; only the cost differs. A call of a
//! precompile is one instruction and some rows of a chip of its own, where software takes thousands
//! of instructions.
//!
//! # Where they run
//!
//! | built for | the calls |
//! |---|---|
//! | the machine, `riscv64imac-unknown-none-elf` | are precompiles; a machine that lacks one is a panic |
//! | the same, with the feature `software` | are precompiles; where one is lacking, as under `qemu-riscv64`, the guest computes in software |
//! | anything else, as in tests on the host | are software |
//!
//! Nothing here runs in constant time: inside the machine nobody watches, and on the host it must
//! not be given secrets.
//!
//! # In place of other crates
//!
//! - `sha2` and `sha3`: the feature `digest` gives [`sha256::Sha256`] and [`keccak::Keccak256`]
//!   the traits of the `digest` crate, version 0.11, so that only a `use` changes:
//!   `use zkvm_accel::sha256::Sha256;`.
//! - `tiny-keccak` and others without traits: [`keccak::keccak256`].
//! - `k256::ecdsa`: [`secp256k1::verify`] and [`secp256k1::recover`].
//! - `alloy-primitives`: the feature `native-keccak`, together with that crate's of the same name,
//!   makes its `keccak256` call this one.
//! - `alloy-consensus` and `revm`: the crate `zkvm-accel-ethereum`.

#![no_std]

#[cfg(test)]
extern crate std;

mod call;
#[cfg(feature = "digest")]
mod digest;
pub mod keccak;
pub mod modular;
#[cfg(feature = "native-keccak")]
mod native;
pub mod secp256k1;
pub mod secp256r1;
pub mod sha256;
#[cfg(any(
    feature = "software",
    not(all(target_arch = "riscv64", target_os = "none"))
))]
mod software;
mod words;
