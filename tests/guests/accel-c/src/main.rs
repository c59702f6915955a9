//! Reads calls until the input ends and commits the status of each and what it wrote.
//!
//! A call is the number of a function of `zkvm_accelerators.h` in the order below, its arguments as
//! byte strings, and the length of its output. Committed are the status, one byte, and the output.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec;

use zkvm_accel_c as _;
use zkvm_guest::{commit_bytes, read, remaining_bytes};

zkvm_guest::entry!(main);

type Bytes = *const u8;

// As a C compiler would read the header.
unsafe extern "C" {
    fn zkvm_keccak256(data: Bytes, len: usize, output: *mut u8);
    fn zkvm_sha256(data: Bytes, len: usize, output: *mut u8);
    fn zkvm_ripemd160(data: Bytes, len: usize, output: *mut u8);
    fn zkvm_secp256k1_verify(msg: Bytes, sig: Bytes, pubkey: Bytes) -> i32;
    fn zkvm_secp256k1_ecrecover(msg: Bytes, sig: Bytes, recid: u8, output: *mut u8) -> i32;
    fn zkvm_secp256r1_verify(msg: Bytes, sig: Bytes, pubkey: Bytes) -> i32;
    fn zkvm_modexp(
        base: Bytes,
        base_len: usize,
        exp: Bytes,
        exp_len: usize,
        modulus: Bytes,
        mod_len: usize,
        output: *mut u8,
    ) -> i32;
    fn zkvm_blake2f(rounds: u32, h: Bytes, m: Bytes, t: Bytes, f: u8, output: *mut u8) -> i32;
    fn zkvm_bn254_g1_add(p1: Bytes, p2: Bytes, result: *mut u8) -> i32;
    fn zkvm_bn254_g1_mul(point: Bytes, scalar: Bytes, result: *mut u8) -> i32;
    fn zkvm_bn254_pairing(input: Bytes, input_len: usize) -> i32;
    fn zkvm_kzg_point_eval(commitment: Bytes, z: Bytes, y: Bytes, proof: Bytes) -> i32;
    fn zkvm_bls12_g1_add(p1: Bytes, p2: Bytes, result: *mut u8) -> i32;
    fn zkvm_bls12_g1_msm(pairs: Bytes, num_pairs: usize, result: *mut u8) -> i32;
    fn zkvm_bls12_g2_add(p1: Bytes, p2: Bytes, result: *mut u8) -> i32;
    fn zkvm_bls12_g2_msm(pairs: Bytes, num_pairs: usize, result: *mut u8) -> i32;
    fn zkvm_bls12_pairing(pairs: Bytes, num_pairs: usize) -> i32;
    fn zkvm_bls12_map_fp_to_g1(field_element: Bytes, result: *mut u8) -> i32;
    fn zkvm_bls12_map_fp2_to_g2(field_element: Bytes, result: *mut u8) -> i32;
}

fn main() {
    while remaining_bytes() > 0 {
        let function: u8 = read();
        let arguments: [&'static [u8]; 4] = [read(), read(), read(), read()];
        let mut output = vec![0; usize::from(read::<u16>())];
        // SAFETY: the host gives each function what its header asks for.
        let status = unsafe { call(function, arguments, output.as_mut_ptr()) };
        commit_bytes(&status.to_le_bytes()[..1]);
        commit_bytes(&output);
    }
}

/// # Safety
/// The arguments and the output must be as the function's header asks for.
unsafe fn call(function: u8, [a, b, c, d]: [&'static [u8]; 4], to: *mut u8) -> i32 {
    let [p, q, r, s] = [a, b, c, d].map(<[u8]>::as_ptr);
    let byte = |bytes: &[u8]| bytes.first().copied().unwrap_or(0);
    // SAFETY: the caller vouches for the arguments.
    unsafe {
        match function {
            0 => {
                zkvm_keccak256(p, a.len(), to);
                0
            }
            1 => {
                zkvm_sha256(p, a.len(), to);
                0
            }
            2 => {
                zkvm_ripemd160(p, a.len(), to);
                0
            }
            3 => zkvm_secp256k1_verify(p, q, r),
            4 => zkvm_secp256k1_ecrecover(p, q, byte(c), to),
            5 => zkvm_secp256r1_verify(p, q, r),
            6 => zkvm_modexp(p, a.len(), q, b.len(), r, c.len(), to),
            7 => zkvm_blake2f(u32::from(byte(d)) & 0x7F, p, q, r, byte(d) >> 7, to),
            8 => zkvm_bn254_g1_add(p, q, to),
            9 => zkvm_bn254_g1_mul(p, q, to),
            10 => zkvm_bn254_pairing(p, a.len()),
            11 => zkvm_kzg_point_eval(p, q, r, s),
            12 => zkvm_bls12_g1_add(p, q, to),
            13 => zkvm_bls12_g1_msm(p, a.len() / 128, to),
            14 => zkvm_bls12_g2_add(p, q, to),
            15 => zkvm_bls12_g2_msm(p, a.len() / 224, to),
            16 => zkvm_bls12_pairing(p, a.len() / 288),
            17 => zkvm_bls12_map_fp_to_g1(p, to),
            18 => zkvm_bls12_map_fp2_to_g2(p, to),
            _ => panic!("no function has the number {function}"),
        }
    }
}
