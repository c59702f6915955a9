//! ECDSA over secp256k1 (SEC 1, section 4.1).
//!
//! Both functions take any `s`: of the two signatures that differ in its sign, both are valid.
//! Ethereum's transactions (EIP-2) and Bitcoin's refuse the one whose `s` is above half of the
//! group's order; so must their callers, while Ethereum's precompile `ecrecover` takes both.

use super::field::{inverse_scalar, is_valid_scalar, negated_scalar, product_of_scalars, reduced};
use super::{ORDER, Point, multiply_add};
use crate::modular::sum;
use crate::words::from_be_bytes;

/// Whether `r` and `s` are a signature of the message with this hash under this public key.
///
/// All numbers are bytes, the most significant first; the key is `x` and then `y`. A key that is no
/// point, or an `r` or `s` that is 0 or not below the group's order, is no valid signature.
#[must_use]
pub fn verify(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32], public_key: &[u8; 64]) -> bool {
    is_valid(hash, r, s, public_key).unwrap_or(false)
}

fn is_valid(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32], public_key: &[u8; 64]) -> Option<bool> {
    let [r, s] = [from_be_bytes(r), from_be_bytes(s)];
    if !is_valid_scalar(&r) || !is_valid_scalar(&s) {
        return None;
    }
    let public_key = Point::from_bytes(public_key)?;
    let hash = reduced(&from_be_bytes(hash));
    let inverse = inverse_scalar(&s);
    let generator_scalar = product_of_scalars(&hash, &inverse);
    let scalar = product_of_scalars(&r, &inverse);
    let point = multiply_add(&generator_scalar, &scalar, &public_key);
    let (x, _) = point.x_and_y()?;
    // The field's prime is above the group's order, and below twice that.
    Some(reduced(x) == r)
}

/// The public key under which `r` and `s` are a signature of the message with this hash: `x` and
/// then `y`.
///
/// The recovery id says which: its lowest bit is whether the `y` of the signature's point is odd, the
/// next whether its `x` is `r` plus the group's order. Ethereum's `v` is 27 or 28 more, or says it
/// otherwise, and is never more than 1 here.
///
/// None if there is no such key: `r` or `s` is 0 or not below the group's order, the recovery id is
/// above 3, there is no point at that `x`, or the key would be the identity.
#[must_use]
pub fn recover(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32], recovery_id: u8) -> Option<[u8; 64]> {
    let [r, s] = [from_be_bytes(r), from_be_bytes(s)];
    if !is_valid_scalar(&r) || !is_valid_scalar(&s) || recovery_id > 3 {
        return None;
    }
    let (x, is_carried) = if recovery_id & 2 == 0 {
        (r, false)
    } else {
        sum(&r, &ORDER)
    };
    if is_carried {
        return None;
    }
    let point = Point::from_x(&x, recovery_id & 1 != 0)?;
    let hash = reduced(&from_be_bytes(hash));
    let inverse = inverse_scalar(&r);
    let generator_scalar = negated_scalar(&product_of_scalars(&hash, &inverse));
    let scalar = product_of_scalars(&s, &inverse);
    multiply_add(&generator_scalar, &scalar, &point).to_bytes()
}
