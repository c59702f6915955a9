//! Arithmetic modulo a number of up to 256 bits. Numbers are four 64-bit limbs, the least
//! significant first; they need not be below the modulus, results are.

use crate::call;

/// Bits of a limb.
const LIMB_BITS: u32 = 64;

/// Bits of exponent that one multiplication takes in: a window begins and ends with a 1.
const WINDOW_BITS: u32 = 4;

/// Odd powers below a window's greatest value.
const ODD_POWERS: usize = 1 << (WINDOW_BITS - 1);

/// Exponents up to this length are not worth a table of odd powers.
const SHORT_BITS: u32 = 24;

pub(crate) const ONE: [u64; 4] = [1, 0, 0, 0];

/// `x · y` modulo `modulus`; none if that is 0.
#[must_use]
pub fn multiply_mod(x: &[u64; 4], y: &[u64; 4], modulus: &[u64; 4]) -> Option<[u64; 4]> {
    if is_zero(modulus) {
        return None;
    }
    Some(product(x, y, modulus))
}

/// `base` to the power `exponent`, modulo `modulus`; none if that is 0. The power 0 of anything is 1.
///
/// Cost: one multiplication for every bit of the exponent and about one more for every five.
#[must_use]
pub fn pow_mod(base: &[u64; 4], exponent: &[u64; 4], modulus: &[u64; 4]) -> Option<[u64; 4]> {
    if is_zero(modulus) {
        return None;
    }
    // A single bit is a window too; the product reduces base and 1.
    let bits = bit_length(exponent);
    if bits == 0 {
        return Some(product(&ONE, &ONE, modulus));
    }
    let base = product(base, &ONE, modulus);
    if bits <= SHORT_BITS {
        return Some(power(&[base], exponent, modulus));
    }
    Some(power(&odd_powers(&base, modulus), exponent, modulus))
}

/// The number whose product with `x` is 1 modulo an odd `prime`; none if `x` is a multiple of it.
///
/// A modulus that is not prime is allowed: what is found is an inverse or none, but none may be
/// found though there is one.
///
/// Cost: that of [`pow_mod`].
#[must_use]
pub fn inverse_mod(x: &[u64; 4], prime: &[u64; 4]) -> Option<[u64; 4]> {
    if !is_less(&[2, 0, 0, 0], prime) {
        return None;
    }
    let inverse = pow_mod(x, &difference(prime, &[2, 0, 0, 0]), prime)?;
    (product(x, &inverse, prime) == ONE).then_some(inverse)
}

/// `x · y` modulo a number that is not 0.
#[inline(always)]
pub(crate) fn product(x: &[u64; 4], y: &[u64; 4], modulus: &[u64; 4]) -> [u64; 4] {
    let mut product = *x;
    call::multiply_mod(&mut product, y, modulus);
    product
}

/// `x` squared `count` times, modulo a number that is not 0.
#[inline(always)]
pub(crate) fn squared(x: &[u64; 4], count: u32, modulus: &[u64; 4]) -> [u64; 4] {
    let mut square = *x;
    for _ in 0..count {
        call::square_mod(&mut square, modulus);
    }
    square
}

#[inline]
pub(crate) fn is_zero(x: &[u64; 4]) -> bool {
    x[0] | x[1] | x[2] | x[3] == 0
}

#[inline]
pub(crate) fn is_less(x: &[u64; 4], y: &[u64; 4]) -> bool {
    for index in (0..4).rev() {
        if x[index] != y[index] {
            return x[index] < y[index];
        }
    }
    false
}

/// `x + y` modulo 2^256, and whether that is less than the sum.
#[inline]
pub(crate) fn sum(x: &[u64; 4], y: &[u64; 4]) -> ([u64; 4], bool) {
    let (mut sum, mut is_carried) = ([0; 4], false);
    for index in 0..4 {
        let (limb, first) = x[index].overflowing_add(y[index]);
        let (limb, second) = limb.overflowing_add(u64::from(is_carried));
        (sum[index], is_carried) = (limb, first | second);
    }
    (sum, is_carried)
}

/// `x - y`, for `y` not above `x`.
#[inline]
pub(crate) fn difference(x: &[u64; 4], y: &[u64; 4]) -> [u64; 4] {
    let (mut difference, mut is_borrowed) = ([0; 4], false);
    for index in 0..4 {
        let (limb, first) = x[index].overflowing_sub(y[index]);
        let (limb, second) = limb.overflowing_sub(u64::from(is_borrowed));
        (difference[index], is_borrowed) = (limb, first | second);
    }
    difference
}

fn bit_length(x: &[u64; 4]) -> u32 {
    for index in (0..4).rev() {
        if x[index] != 0 {
            return LIMB_BITS * (index as u32 + 1) - x[index].leading_zeros();
        }
    }
    0
}

#[inline]
fn bit(x: &[u64; 4], index: u32) -> bool {
    (x[(index / LIMB_BITS) as usize] >> (index % LIMB_BITS)) & 1 != 0
}

/// `base^1`, `base^3`, `base^5`, …
fn odd_powers(base: &[u64; 4], modulus: &[u64; 4]) -> [[u64; 4]; ODD_POWERS] {
    let square = squared(base, 1, modulus);
    let mut powers = [*base; ODD_POWERS];
    for index in 1..ODD_POWERS {
        powers[index] = product(&powers[index - 1], &square, modulus);
    }
    powers
}

/// The power for an exponent that is not 0, by windows as wide as the given odd powers allow.
fn power(odd_powers: &[[u64; 4]], exponent: &[u64; 4], modulus: &[u64; 4]) -> [u64; 4] {
    let window_bits = if odd_powers.len() == 1 {
        1
    } else {
        WINDOW_BITS
    };
    let mut result = None;
    let mut rest = bit_length(exponent);
    while rest > 0 {
        if !bit(exponent, rest - 1) {
            if let Some(result) = &mut result {
                call::square_mod(result, modulus);
            }
            rest -= 1;
            continue;
        }
        let mut low = rest.saturating_sub(window_bits);
        while !bit(exponent, low) {
            low += 1;
        }
        let window = (low..rest).rev().fold(0, |value, index| {
            2 * value + usize::from(bit(exponent, index))
        });
        let odd_power = &odd_powers[window / 2];
        result = Some(match result {
            None => *odd_power,
            Some(result) => {
                let mut result = squared(&result, rest - low, modulus);
                call::multiply_mod(&mut result, odd_power, modulus);
                result
            }
        });
        rest = low;
    }
    result.unwrap_or(ONE)
}
