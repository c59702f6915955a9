//! What the precompiles compute, straight from the standards and on numbers of any size: slow, and
//! independent of every library that the machine and the guests compute with.

use num_bigint::BigUint;

/// Bytes of a number of 256 bits.
const NUMBER_BYTES: usize = 32;

/// keccak-f\[1600\] (FIPS 202, section 3.3).
#[must_use]
pub fn keccak_f(state: [u64; 25]) -> [u64; 25] {
    let mut state = state;
    // The constants' bits are those of a shift register (section 3.2.5).
    let mut register = 1_u8;
    for _ in 0..24 {
        state = keccak_round(state);
        for log2 in 0..7 {
            if register & 1 != 0 {
                state[0] ^= 1 << ((1 << log2) - 1);
            }
            register = (register << 1) ^ if register & 0x80 == 0 { 0 } else { 0x71 };
        }
    }
    state
}

/// A round but for its constant: theta, rho and pi, chi.
fn keccak_round(state: [u64; 25]) -> [u64; 25] {
    let column = |x: usize| (0..5).fold(0, |sum, y| sum ^ state[x % 5 + 5 * y]);
    let theta = |lane: usize| state[lane] ^ column(lane + 4) ^ column(lane + 1).rotate_left(1);
    let mut moved = [0; 25];
    moved[0] = theta(0);
    let (mut x, mut y) = (1, 0);
    for step in 0..24_u32 {
        let lane = theta(x + 5 * y);
        (x, y) = (y, (2 * x + 3 * y) % 5);
        moved[x + 5 * y] = lane.rotate_left((step + 1) * (step + 2) / 2 % 64);
    }
    std::array::from_fn(|lane| {
        let (x, row) = (lane % 5, lane - lane % 5);
        moved[lane] ^ (!moved[row + (x + 1) % 5] & moved[row + (x + 2) % 5])
    })
}

/// SHA-256's compression (FIPS 180-4, section 6.2.2).
#[must_use]
pub fn sha256_compress(state: [u32; 8], block: &[u8; 64]) -> [u32; 8] {
    let (words, _) = block.as_chunks::<4>();
    let mut schedule: Vec<u32> = words.iter().map(|word| u32::from_be_bytes(*word)).collect();
    for t in 16..64 {
        let [before_15, before_2] = [schedule[t - 15], schedule[t - 2]];
        let sigma_0 = before_15.rotate_right(7) ^ before_15.rotate_right(18) ^ (before_15 >> 3);
        let sigma_1 = before_2.rotate_right(17) ^ before_2.rotate_right(19) ^ (before_2 >> 10);
        let sum = sigma_1.wrapping_add(schedule[t - 7]).wrapping_add(sigma_0);
        schedule.push(sum.wrapping_add(schedule[t - 16]));
    }
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = state;
    for (word, constant) in schedule.into_iter().zip(sha256_constants()) {
        let sum_1 = e.rotate_right(6) ^ e.rotate_right(11) ^ e.rotate_right(25);
        let choice = (e & f) ^ (!e & g);
        let first = [sum_1, choice, constant, word];
        let first = first.into_iter().fold(h, u32::wrapping_add);
        let sum_0 = a.rotate_right(2) ^ a.rotate_right(13) ^ a.rotate_right(22);
        let majority = (a & b) ^ (a & c) ^ (b & c);
        let second = sum_0.wrapping_add(majority);
        (h, g, f, e) = (g, f, e, d.wrapping_add(first));
        (d, c, b, a) = (c, b, a, first.wrapping_add(second));
    }
    let after = [a, b, c, d, e, f, g, h];
    std::array::from_fn(|index| state[index].wrapping_add(after[index]))
}

/// The first 32 bits of the fractional parts of the cube roots of the first 64 primes
/// (section 4.2.2).
fn sha256_constants() -> impl Iterator<Item = u32> {
    let is_prime = |n: &u64| (2..*n).all(|factor| !n.is_multiple_of(factor));
    let primes = (2_u64..).filter(is_prime).take(64);
    primes.map(|prime| {
        let root = (BigUint::from(prime) << 96_u8).cbrt();
        root.iter_u32_digits().next().unwrap_or(0)
    })
}

/// A number of 256 bits from its bytes, the least significant first.
#[must_use]
pub fn number(bytes: &[u8]) -> BigUint {
    BigUint::from_bytes_le(bytes)
}

/// The bytes of a number of 256 bits, the least significant first.
#[must_use]
pub fn bytes(number: &BigUint) -> [u8; NUMBER_BYTES] {
    let mut bytes = [0; NUMBER_BYTES];
    let all = number.to_bytes_le();
    bytes[..all.len()].copy_from_slice(&all);
    bytes
}

/// A point of secp256k1; `None` is the identity.
pub type Point = Option<[BigUint; 2]>;

/// The prime of secp256k1's field: `2^256 - 2^32 - 977`.
#[must_use]
pub fn field_prime() -> BigUint {
    (BigUint::from(1_u8) << 256_u16) - (1_u64 << 32) - 977_u16
}

/// The sum of two points, whichever they are.
#[must_use]
pub fn add(p: &Point, q: &Point) -> Point {
    let prime = field_prime();
    let (Some([x1, y1]), Some([x2, y2])) = (p, q) else {
        return p.clone().or_else(|| q.clone());
    };
    let slope = if x1 != x2 {
        quotient(&(&prime + y2 - y1), &(&prime + x2 - x1))
    } else if y1 == y2 {
        quotient(&(x1 * x1 * 3_u8), &(y1 * 2_u8))
    } else {
        return None;
    };
    let x3 = (&slope * &slope + &prime + &prime - x1 - x2) % &prime;
    let y3 = (slope * (&prime + x1 - &x3) + &prime - y1) % &prime;
    Some([x3, y3])
}

/// `x / y` in the field.
fn quotient(x: &BigUint, y: &BigUint) -> BigUint {
    let prime = field_prime();
    let inverse = (y % &prime).modinv(&prime);
    x * inverse.expect("only 0 has no inverse") % prime
}
