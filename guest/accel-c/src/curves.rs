//! The curves with pairings: BN254 (EIP-196, EIP-197) and BLS12-381 (EIP-2537).

use alloc::vec::Vec;

use revm_precompile::bls12_381::{G1Point, G2Point};
use revm_precompile::{Crypto, DefaultCrypto};

use crate::Status;
use crate::pointers::{array, arrays, bytes, write_if};

/// Bytes of BN254's points of either group.
const BN254_G1_BYTES: usize = 64;
const BN254_G2_BYTES: usize = 128;
/// Bytes of a point of each group.
const BN254_PAIR_BYTES: usize = BN254_G1_BYTES + BN254_G2_BYTES;

/// Bytes of BLS12-381's coordinates, points and scalars.
const FP_BYTES: usize = 48;
const G1_BYTES: usize = 2 * FP_BYTES;
const G2_BYTES: usize = 4 * FP_BYTES;
const SCALAR_BYTES: usize = 32;

/// The sum of two points of BN254's G1.
///
/// # Safety
/// The points must be valid for reads of 64 bytes, `result` for writes of 64.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bn254_g1_add(p1: *const u8, p2: *const u8, result: *mut u8) -> Status {
    // SAFETY: the caller vouches for the first point.
    let first = unsafe { array::<BN254_G1_BYTES>(p1) };
    // SAFETY: the caller vouches for the second point.
    let second = unsafe { array::<BN254_G1_BYTES>(p2) };
    // SAFETY: the caller vouches for the result.
    unsafe { write_if(result, DefaultCrypto.bn254_g1_add(first, second)) }
}

/// A multiple of a point of BN254's G1.
///
/// # Safety
/// The point must be valid for reads of 64 bytes, the scalar of 32, `result` for writes of 64.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bn254_g1_mul(
    point: *const u8,
    scalar: *const u8,
    result: *mut u8,
) -> Status {
    // SAFETY: the caller vouches for the point.
    let point = unsafe { array::<BN254_G1_BYTES>(point) };
    // SAFETY: the caller vouches for the scalar.
    let scalar = unsafe { array::<SCALAR_BYTES>(scalar) };
    // SAFETY: the caller vouches for the result.
    unsafe { write_if(result, DefaultCrypto.bn254_g1_mul(point, scalar)) }
}

/// Whether the product of the pairings of BN254's points is 1.
///
/// # Safety
/// `input` must be valid for reads of `input_len` bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bn254_pairing(input: *const u8, input_len: usize) -> Status {
    // SAFETY: the caller vouches for the points.
    let input = unsafe { bytes(input, input_len) };
    let (pairs, []) = input.as_chunks::<BN254_PAIR_BYTES>() else {
        return Status::Error;
    };
    let pairs: Vec<(&[u8], &[u8])> = pairs
        .iter()
        .map(|pair| pair.split_at(BN254_G1_BYTES))
        .collect();
    match DefaultCrypto.bn254_pairing_check(&pairs) {
        Ok(is_one) => Status::of_check(is_one),
        Err(_) => Status::Error,
    }
}

fn coordinates<const N: usize>(point: &[u8]) -> [[u8; FP_BYTES]; N] {
    let (coordinates, _) = point.as_chunks::<FP_BYTES>();
    core::array::from_fn(|index| coordinates[index])
}

fn g1(point: &[u8]) -> G1Point {
    coordinates::<2>(point).into()
}

fn g2(point: &[u8]) -> G2Point {
    coordinates::<4>(point).into()
}

fn scalar(bytes: &[u8]) -> [u8; SCALAR_BYTES] {
    *bytes.last_chunk().expect("a pair ends with a scalar")
}

/// The sum of two points of BLS12-381's G1.
///
/// # Safety
/// The points must be valid for reads of 96 bytes, `result` for writes of 96.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bls12_g1_add(p1: *const u8, p2: *const u8, result: *mut u8) -> Status {
    // SAFETY: the caller vouches for the first point.
    let first = g1(unsafe { array::<G1_BYTES>(p1) });
    // SAFETY: the caller vouches for the second point.
    let second = g1(unsafe { array::<G1_BYTES>(p2) });
    // SAFETY: the caller vouches for the result.
    unsafe { write_if(result, DefaultCrypto.bls12_381_g1_add(first, second)) }
}

/// The sum of multiples of points of BLS12-381's G1.
///
/// # Safety
/// The pairs must be valid for reads of 128 bytes each, `result` for writes of 96.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bls12_g1_msm(
    pairs: *const u8,
    num_pairs: usize,
    result: *mut u8,
) -> Status {
    // SAFETY: the caller vouches for the pairs.
    let pairs = unsafe { arrays::<{ G1_BYTES + SCALAR_BYTES }>(pairs, num_pairs) };
    let mut pairs = pairs.iter().map(|pair| Ok((g1(pair), scalar(pair))));
    // SAFETY: the caller vouches for the result.
    unsafe { write_if(result, DefaultCrypto.bls12_381_g1_msm(&mut pairs)) }
}

/// The sum of two points of BLS12-381's G2.
///
/// # Safety
/// The points must be valid for reads of 192 bytes, `result` for writes of 192.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bls12_g2_add(p1: *const u8, p2: *const u8, result: *mut u8) -> Status {
    // SAFETY: the caller vouches for the first point.
    let first = g2(unsafe { array::<G2_BYTES>(p1) });
    // SAFETY: the caller vouches for the second point.
    let second = g2(unsafe { array::<G2_BYTES>(p2) });
    // SAFETY: the caller vouches for the result.
    unsafe { write_if(result, DefaultCrypto.bls12_381_g2_add(first, second)) }
}

/// The sum of multiples of points of BLS12-381's G2.
///
/// # Safety
/// The pairs must be valid for reads of 224 bytes each, `result` for writes of 192.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bls12_g2_msm(
    pairs: *const u8,
    num_pairs: usize,
    result: *mut u8,
) -> Status {
    // SAFETY: the caller vouches for the pairs.
    let pairs = unsafe { arrays::<{ G2_BYTES + SCALAR_BYTES }>(pairs, num_pairs) };
    let mut pairs = pairs.iter().map(|pair| Ok((g2(pair), scalar(pair))));
    // SAFETY: the caller vouches for the result.
    unsafe { write_if(result, DefaultCrypto.bls12_381_g2_msm(&mut pairs)) }
}

/// Whether the product of the pairings of BLS12-381's points is 1.
///
/// # Safety
/// The pairs must be valid for reads of 288 bytes each.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bls12_pairing(pairs: *const u8, num_pairs: usize) -> Status {
    // SAFETY: the caller vouches for the pairs.
    let pairs = unsafe { arrays::<{ G1_BYTES + G2_BYTES }>(pairs, num_pairs) };
    let pairs: Vec<(G1Point, G2Point)> = pairs
        .iter()
        .map(|pair| (g1(pair), g2(&pair[G1_BYTES..])))
        .collect();
    match DefaultCrypto.bls12_381_pairing_check(&pairs) {
        Ok(is_one) => Status::of_check(is_one),
        Err(_) => Status::Error,
    }
}

/// The point of BLS12-381's G1 that a field element maps to.
///
/// # Safety
/// The element must be valid for reads of 48 bytes, `result` for writes of 96.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bls12_map_fp_to_g1(field_element: *const u8, result: *mut u8) -> Status {
    // SAFETY: the caller vouches for the element.
    let element = unsafe { array(field_element) };
    // SAFETY: the caller vouches for the result.
    unsafe { write_if(result, DefaultCrypto.bls12_381_fp_to_g1(element)) }
}

/// The point of BLS12-381's G2 that an element of the quadratic extension maps to.
///
/// # Safety
/// The element must be valid for reads of 96 bytes, `result` for writes of 192.
#[unsafe(no_mangle)]
unsafe extern "C" fn zkvm_bls12_map_fp2_to_g2(field_element: *const u8, result: *mut u8) -> Status {
    // SAFETY: the caller vouches for the element.
    let element = coordinates::<2>(unsafe { array::<{ 2 * FP_BYTES }>(field_element) });
    // SAFETY: the caller vouches for the result.
    unsafe { write_if(result, DefaultCrypto.bls12_381_fp2_to_g2(element.into())) }
}
