//! The Ethereum zkVM standards' C interface to accelerators, declared in
//! `include/zkvm_accelerators.h`.
//!
//! Keccak-256, SHA-256 and everything over secp256k1 are the machine's precompiles, and so is
//! `zkvm_modexp` for numbers of up to 32 bytes. The rest is software, that of `revm-precompile`:
//!
//! | functions | computed by |
//! |---|---|
//! | keccak256, sha256, secp256k1 | `zkvm-accel` |
//! | modexp | `zkvm-accel` up to 32 bytes, else software |
//! | ripemd160, bn254, blake2f, KZG, BLS12-381, secp256r1 | software |
//!
//! A guest in Rust that links C code names the crate once, `use zkvm_accel_c as _;`; without, the
//! functions are not linked.
//!
//! What the standard leaves open: a null pointer is a panic, but for the data of length 0; whatever
//! is wrong with a signature, a key or a KZG proof, their verification says
//! [`Status::VerifyFailure`]; of no pairs a pairing check succeeds and a sum is the identity.

#![no_std]

extern crate alloc;

mod curves;
mod hashes;
mod pointers;
mod signatures;

/// What a function says of its result: `zkvm_status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub enum Status {
    /// There is no result.
    Error = -1,
    /// There is one, or what was to be verified is right.
    Success = 0,
    /// What was to be verified is wrong.
    VerifyFailure = 1,
}

impl Status {
    /// The status of a verification.
    fn of_check(is_right: bool) -> Status {
        if is_right {
            Status::Success
        } else {
            Status::VerifyFailure
        }
    }
}
