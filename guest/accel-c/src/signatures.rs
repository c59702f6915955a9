//! Signatures and the proof of an evaluation.

use revm_precompile::{Crypto, DefaultCrypto};
use zkvm_accel::secp256k1::{recover, verify};

use crate::Status;
use crate::pointers::{array, write_if};

/// `r` and `s` of a signature.
fn halves(signature: &[u8; 64]) -> [&[u8; 32]; 2] {
    let (halves, _) = signature.as_chunks::<32>();
    [&halves[0], &halves[1]]
}

/// Whether a signature over secp256k1 is valid, with any `s`.
///
/// # Safety
/// The arrays must be valid for reads: 32, 64 and 64 bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_secp256k1_verify(
    msg: *const u8,
    sig: *const u8,
    pubkey: *const u8,
) -> Status {
    // SAFETY: the caller vouches for the signature.
    let [r, s] = halves(unsafe { array(sig) });
    // SAFETY: the caller vouches for the hash.
    let hash = unsafe { array(msg) };
    // SAFETY: the caller vouches for the key.
    Status::of_check(verify(hash, r, s, unsafe { array(pubkey) }))
}

/// The public key of a signature over secp256k1, with any `s`.
///
/// # Safety
/// The arrays must be valid: 32 and 64 bytes for reads, 64 for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_secp256k1_ecrecover(
    msg: *const u8,
    sig: *const u8,
    recid: u8,
    output: *mut u8,
) -> Status {
    // SAFETY: the caller vouches for the signature.
    let [r, s] = halves(unsafe { array(sig) });
    // SAFETY: the caller vouches for the hash.
    let key = recover(unsafe { array(msg) }, r, s, recid);
    // SAFETY: the caller vouches for the output.
    unsafe { write_if(output, key.ok_or(())) }
}

/// Whether a signature over secp256r1 (P-256) is valid.
///
/// # Safety
/// The arrays must be valid for reads: 32, 64 and 64 bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_secp256r1_verify(
    msg: *const u8,
    sig: *const u8,
    pubkey: *const u8,
) -> Status {
    // SAFETY: the caller vouches for the hash.
    let hash = unsafe { array(msg) };
    // SAFETY: the caller vouches for the signature.
    let signature = unsafe { array(sig) };
    // SAFETY: the caller vouches for the key.
    let key = unsafe { array(pubkey) };
    Status::of_check(DefaultCrypto.secp256r1_verify_signature(hash, signature, key))
}

/// Whether a polynomial with this commitment has the value `y` at `z` (EIP-4844).
///
/// # Safety
/// The arrays must be valid for reads: 48, 32, 32 and 48 bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_kzg_point_eval(
    commitment: *const u8,
    z: *const u8,
    y: *const u8,
    proof: *const u8,
) -> Status {
    // SAFETY: the caller vouches for the commitment.
    let commitment = unsafe { array(commitment) };
    // SAFETY: the caller vouches for the place.
    let z = unsafe { array(z) };
    // SAFETY: the caller vouches for the value.
    let y = unsafe { array(y) };
    // SAFETY: the caller vouches for the proof.
    let proof = unsafe { array(proof) };
    let outcome = DefaultCrypto.verify_kzg_proof(z, y, commitment, proof);
    Status::of_check(outcome.is_ok())
}
