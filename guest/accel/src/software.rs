//! What the precompiles compute, in software.

use k256::elliptic_curve::hazmat::FieldArithmetic;
use ruint::Uint;

use crate::sha256::State;

/// An element of the field that secp256k1 is over.
type Element = <k256::Secp256k1 as FieldArithmetic>::FieldElement;

pub(crate) fn keccak_f(state: &mut [u64; 25]) {
    keccak::Keccak::new().with_f1600(|permute| permute(state));
}

pub(crate) fn sha256_compress(state: &mut State, block: &[u64; 8]) {
    let mut bytes = [0; 64];
    for (bytes, word) in bytes.chunks_exact_mut(8).zip(block) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    sha2::block_api::compress256(&mut state.0, &[bytes]);
}

pub(crate) fn multiply_mod(x: &mut [u64; 4], y: &[u64; 4], modulus: &[u64; 4]) {
    let [first, second, modulus] = [*x, *y, *modulus].map(Uint::<256, 4>::from_limbs);
    *x = first.mul_mod(second, modulus).into_limbs();
}

pub(crate) fn secp256k1_add(p: &mut [u64; 8], q: &[u64; 8]) {
    let ([x1, y1], [x2, y2]) = (elements(p), elements(q));
    let slope = (y2 - y1) * inverse(x2 - x1);
    *p = third(x1, y1, x2, slope);
}

pub(crate) fn secp256k1_double(p: &mut [u64; 8]) {
    let [x, y] = elements(p);
    let square = x.square();
    let slope = (square.double() + square) * inverse(y.double());
    *p = third(x, y, x, slope);
}

fn elements(point: &[u64; 8]) -> [Element; 2] {
    [&point[..4], &point[4..]].map(|limbs| {
        let bytes = Uint::<256, 4>::from_limbs_slice(limbs).to_be_bytes::<32>();
        let element = Element::from_bytes(&bytes.into()).into_option();
        element.expect("a coordinate is below the field's prime")
    })
}

fn inverse(element: Element) -> Element {
    let inverse = element.normalize().invert().into_option();
    inverse.expect("points to add differ in x, and a point to double has a y")
}

/// The third point of the line with this slope through `(x1, y1)` and a point at `x2`, reflected.
fn third(x1: Element, y1: Element, x2: Element, slope: Element) -> [u64; 8] {
    let x3 = (slope.square() - x1 - x2).normalize();
    let y3 = (slope * (x1 - x3) - y1).normalize();
    let mut words = [0; 8];
    for (words, element) in words.chunks_exact_mut(4).zip([x3, y3]) {
        let limbs = Uint::<256, 4>::from_be_bytes::<32>(element.to_bytes().into()).into_limbs();
        words.copy_from_slice(&limbs);
    }
    words
}
