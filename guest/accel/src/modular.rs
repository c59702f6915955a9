//! Arithmetic modulo a number of up to 256 bits. Numbers are four 64-bit limbs, the least
//! significant first; they need not be below the modulus, results are.

use crate::call;
use crate::words::from_be_bytes;

/// Bits of a limb.
const LIMB_BITS: u32 = 64;

/// Bits of exponent that one multiplication takes in: a window begins and ends with a 1.
const WINDOW_BITS: u32 = 4;

/// Odd powers below a window's greatest value.
pub(crate) const ODD_POWERS: usize = 1 << (WINDOW_BITS - 1);

/// Exponents up to this length are not worth a table of odd powers.
const SHORT_BITS: u32 = 24;

/// Bytes of a number of 256 bits.
const NUMBER_BYTES: usize = 32;

pub(crate) const ONE: [u64; 4] = [1, 0, 0, 0];

const TWO_TO_128: [u64; 4] = [0, 0, 1, 0];

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

/// [`pow_mod`] of numbers of any length, as bytes, the most significant first.
///
/// Cost: two multiplications for every 32 bytes of the base, and for every byte of an exponent of
/// more than 32 bytes 8 squarings and up to 2 multiplications. Leading zeros cost next to nothing.
#[must_use]
pub fn pow_mod_bytes(base: &[u8], exponent: &[u8], modulus: &[u64; 4]) -> Option<[u64; 4]> {
    if is_zero(modulus) {
        return None;
    }
    let base = reduced(base, modulus);
    let exponent = without_leading_zeros(exponent);
    if exponent.len() <= NUMBER_BYTES {
        return pow_mod(&base, &from_bytes(exponent), modulus);
    }
    // Windows of a fixed width: every half of a byte is one.
    let mut powers = [ONE; 1 << WINDOW_BITS];
    for index in 1..powers.len() {
        powers[index] = product(&powers[index - 1], &base, modulus);
    }
    let mut power = ONE;
    for byte in exponent {
        for window in [byte >> WINDOW_BITS, byte & 0xF] {
            call::square_mod(&mut power, modulus, WINDOW_BITS as usize);
            if window != 0 {
                call::multiply_mod(&mut power, &powers[usize::from(window)], modulus);
            }
        }
    }
    Some(power)
}

/// A number of any length modulo one that is not 0: digit by digit in base 2^256.
fn reduced(bytes: &[u8], modulus: &[u64; 4]) -> [u64; 4] {
    let bytes = without_leading_zeros(bytes);
    let (head, digits) = bytes.as_rchunks::<NUMBER_BYTES>();
    let mut remainder = product(&from_bytes(head), &ONE, modulus);
    let radix = product(&TWO_TO_128, &TWO_TO_128, modulus);
    for digit in digits {
        let high = product(&remainder, &radix, modulus);
        let low = product(&from_bytes(digit), &ONE, modulus);
        remainder = sum_mod(&high, &low, modulus);
    }
    remainder
}

/// `x + y` modulo `modulus`, for numbers below it.
#[inline]
pub(crate) fn sum_mod(x: &[u64; 4], y: &[u64; 4], modulus: &[u64; 4]) -> [u64; 4] {
    let (sum, is_carried) = sum(x, y);
    if is_carried || !is_less(&sum, modulus) {
        difference(&sum, modulus)
    } else {
        sum
    }
}

/// A number of up to 32 bytes, the most significant first.
fn from_bytes(bytes: &[u8]) -> [u64; 4] {
    let mut padded = [0; NUMBER_BYTES];
    padded[NUMBER_BYTES - bytes.len()..].copy_from_slice(bytes);
    from_be_bytes(&padded)
}

fn without_leading_zeros(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| *byte != 0);
    &bytes[start.unwrap_or(bytes.len())..]
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

/// `x - y` modulo 2^256.
#[inline]
pub(crate) const fn difference(x: &[u64; 4], y: &[u64; 4]) -> [u64; 4] {
    let (mut difference, mut is_borrowed) = ([0; 4], false);
    let mut index = 0;
    while index < 4 {
        let (limb, first) = x[index].overflowing_sub(y[index]);
        let (limb, second) = limb.overflowing_sub(is_borrowed as u64);
        (difference[index], is_borrowed) = (limb, first | second);
        index += 1;
    }
    difference
}

const fn bit_length(x: &[u64; 4]) -> u32 {
    let mut bits = 4 * LIMB_BITS;
    while bits > 0 && !bit(x, bits - 1) {
        bits -= 1;
    }
    bits
}

#[inline]
const fn bit(x: &[u64; 4], index: u32) -> bool {
    (x[(index / LIMB_BITS) as usize] >> (index % LIMB_BITS)) & 1 != 0
}

/// `base^1`, `base^3`, `base^5`, …
pub(crate) fn odd_powers(base: &[u64; 4], modulus: &[u64; 4]) -> [[u64; 4]; ODD_POWERS] {
    let square = product(base, base, modulus);
    let mut powers = [*base; ODD_POWERS];
    for index in 1..ODD_POWERS {
        powers[index] = product(&powers[index - 1], &square, modulus);
    }
    powers
}

/// What one multiplication takes in of an exponent, from its greatest bit on.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    /// Squarings before it.
    pub(crate) squarings: u8,
    /// Which odd power it multiplies by; [`ODD_POWERS`] if by none.
    pub(crate) odd_power: u8,
}

impl Step {
    /// The step that takes in the bits of `exponent` below `rest`, and the number of bits below it.
    /// Windows are at most `window_bits` wide; the step is no wider than a `u8` can say.
    const fn next(exponent: &[u64; 4], rest: u32, window_bits: u32) -> (Step, u32) {
        let mut high = rest;
        while high > 0 && !bit(exponent, high - 1) {
            high -= 1;
        }
        let mut low = high.saturating_sub(window_bits);
        while low < high && !bit(exponent, low) {
            low += 1;
        }
        let (mut window, mut at) = (0, high);
        while at > low {
            at -= 1;
            window = 2 * window + bit(exponent, at) as u8;
        }
        let odd_power = if high == 0 {
            ODD_POWERS as u8
        } else {
            window / 2
        };
        let squarings = (rest - low) as u8;
        let step = Step {
            squarings,
            odd_power,
        };
        (step, low)
    }

    /// All steps of an exponent, after the first: `COUNT` of them. The first is the odd power.
    pub(crate) const fn all<const COUNT: usize>(exponent: &[u64; 4]) -> (u8, [Step; COUNT]) {
        let (first, mut rest) = Step::next(exponent, bit_length(exponent), WINDOW_BITS);
        let mut steps = [first; COUNT];
        let mut index = 0;
        while rest > 0 {
            (steps[index], rest) = Step::next(exponent, rest, WINDOW_BITS);
            index += 1;
        }
        assert!(
            index == COUNT,
            "an exponent has as many steps as are asked for"
        );
        (first.odd_power, steps)
    }

    /// Takes the step.
    #[inline(always)]
    pub(crate) fn take(self, power: &mut [u64; 4], odd_powers: &[[u64; 4]], modulus: &[u64; 4]) {
        call::square_mod(power, modulus, usize::from(self.squarings));
        if let Some(factor) = odd_powers.get(usize::from(self.odd_power)) {
            call::multiply_mod(power, factor, modulus);
        }
    }
}

/// The power for an exponent that is not 0, by windows as wide as the given odd powers allow.
fn power(odd_powers: &[[u64; 4]], exponent: &[u64; 4], modulus: &[u64; 4]) -> [u64; 4] {
    let window_bits = if odd_powers.len() == 1 {
        1
    } else {
        WINDOW_BITS
    };
    let (first, mut rest) = Step::next(exponent, bit_length(exponent), window_bits);
    let mut power = odd_powers[usize::from(first.odd_power)];
    while rest > 0 {
        let (step, below) = Step::next(exponent, rest, window_bits);
        step.take(&mut power, odd_powers, modulus);
        rest = below;
    }
    power
}
