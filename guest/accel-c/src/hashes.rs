//! Hashes and modular powers.

use revm_precompile::{Crypto, DefaultCrypto};
use zkvm_accel::modular::pow_mod;

use crate::Status;
use crate::pointers::{array, bytes, write};

/// Bytes of the longest numbers that the machine's precompile takes.
const SHORT_BYTES: usize = 32;

/// Keccak-256 of `len` bytes.
///
/// # Safety
/// `data` must be valid for reads of `len` bytes, `output` for writes of 32.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_keccak256(data: *const u8, len: usize, output: *mut u8) {
    // SAFETY: the caller vouches for the data.
    let digest = zkvm_accel::keccak::keccak256(unsafe { bytes(data, len) });
    // SAFETY: the caller vouches for the output.
    unsafe { write(output, &digest) };
}

/// SHA-256 of `len` bytes.
///
/// # Safety
/// `data` must be valid for reads of `len` bytes, `output` for writes of 32.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_sha256(data: *const u8, len: usize, output: *mut u8) {
    // SAFETY: the caller vouches for the data.
    let digest = zkvm_accel::sha256::sha256(unsafe { bytes(data, len) });
    // SAFETY: the caller vouches for the output.
    unsafe { write(output, &digest) };
}

/// RIPEMD-160 of `len` bytes.
///
/// # Safety
/// `data` must be valid for reads of `len` bytes, `output` for writes of 20.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_ripemd160(data: *const u8, len: usize, output: *mut u8) {
    // SAFETY: the caller vouches for the data.
    let padded = DefaultCrypto.ripemd160(unsafe { bytes(data, len) });
    let digest = padded.last_chunk::<20>().expect("a digest is 20 bytes");
    // SAFETY: the caller vouches for the output.
    unsafe { write(output, digest) };
}

/// The compression of BLAKE2b (EIP-152).
///
/// # Safety
/// The arrays must be valid: 64, 128 and 16 bytes for reads, 64 for writes.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_blake2f(
    rounds: u32,
    h: *const u8,
    m: *const u8,
    t: *const u8,
    f: u8,
    output: *mut u8,
) -> Status {
    if f > 1 {
        return Status::Error;
    }
    // SAFETY: the caller vouches for the state.
    let mut state: [u64; 8] = words(unsafe { array::<64>(h) });
    // SAFETY: the caller vouches for the block.
    let block: [u64; 16] = words(unsafe { array::<128>(m) });
    // SAFETY: the caller vouches for the offsets.
    let offsets: [u64; 2] = words(unsafe { array::<16>(t) });
    DefaultCrypto.blake2_compress(rounds, &mut state, &block, &offsets, f != 0);
    let mut result = [0; 64];
    for (bytes, word) in result.as_chunks_mut::<8>().0.iter_mut().zip(state) {
        *bytes = word.to_le_bytes();
    }
    // SAFETY: the caller vouches for the output.
    unsafe { write(output, &result) };
    Status::Success
}

fn words<const N: usize>(bytes: &[u8]) -> [u64; N] {
    let (words, _) = bytes.as_chunks::<8>();
    core::array::from_fn(|index| u64::from_le_bytes(words[index]))
}

/// A power modulo a number, all of any length, most significant byte first. Modulo 0 it is 0.
///
/// # Safety
/// The numbers must be valid for reads of as many bytes as is said, `output` for writes of `mod_len`.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_modexp(
    base: *const u8,
    base_len: usize,
    exp: *const u8,
    exp_len: usize,
    modulus: *const u8,
    mod_len: usize,
    output: *mut u8,
) -> Status {
    // SAFETY: the caller vouches for the base.
    let base = unsafe { bytes(base, base_len) };
    // SAFETY: the caller vouches for the exponent.
    let exponent = unsafe { bytes(exp, exp_len) };
    // SAFETY: the caller vouches for the modulus.
    let modulus = unsafe { bytes(modulus, mod_len) };
    let mut short = [0; SHORT_BYTES];
    let long;
    let power: &[u8] = if [base, exponent, modulus]
        .iter()
        .all(|number| number.len() <= SHORT_BYTES)
    {
        let power = pow_mod(&limbs(base), &limbs(exponent), &limbs(modulus));
        let limbs = power.unwrap_or([0; 4]);
        for (bytes, limb) in short.as_rchunks_mut::<8>().1.iter_mut().rev().zip(limbs) {
            *bytes = limb.to_be_bytes();
        }
        &short
    } else {
        let Ok(power) = DefaultCrypto.modexp(base, exponent, modulus) else {
            return Status::Error;
        };
        long = power;
        &long
    };
    // The power is below the modulus: bytes before its last `mod_len` are 0, and so are missing ones.
    let power = &power[power.len().saturating_sub(mod_len)..];
    assert!(!output.is_null() || mod_len == 0, "the pointer is not null");
    let zeros = mod_len - power.len();
    // SAFETY: the caller vouches for `mod_len` bytes.
    unsafe { output.write_bytes(0, zeros) };
    // SAFETY: `zeros` is at most `mod_len`.
    let rest = unsafe { output.add(zeros) };
    // SAFETY: the caller vouches for `mod_len` bytes, and the power is apart from them.
    unsafe { rest.copy_from_nonoverlapping(power.as_ptr(), power.len()) };
    Status::Success
}

/// The limbs of a number of up to 32 bytes, the least significant first.
fn limbs(number: &[u8]) -> [u64; 4] {
    let mut padded = [0; SHORT_BYTES];
    padded[SHORT_BYTES - number.len()..].copy_from_slice(number);
    let (words, _) = padded.as_chunks::<8>();
    core::array::from_fn(|index| u64::from_be_bytes(words[3 - index]))
}
