//! ECDSA over secp256r1, which is P-256 (SEC 2, section 2.4.2), as RIP-7212 and EIP-7951 verify it.
//!
//! The machine has no points of this curve; its modular products make the field. Points are in
//! Jacobian coordinates, where `(x, y, z)` stands for `(x / z², y / z³)`, so that nothing is divided.

use crate::modular::{difference, inverse_mod, is_less, is_zero, product, sum, sum_mod};
use crate::words::from_be_bytes;

/// The field's prime.
const PRIME: [u64; 4] = [
    0xffff_ffff_ffff_ffff,
    0x0000_0000_ffff_ffff,
    0x0000_0000_0000_0000,
    0xffff_ffff_0000_0001,
];

/// The group's order.
const ORDER: [u64; 4] = [
    0xf3b9_cac2_fc63_2551,
    0xbce6_faad_a717_9e84,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_0000_0000,
];

/// The curve is `y² = x³ - 3 x + B`.
const B: [u64; 4] = [
    0x3bce_3c3e_27d2_604b,
    0x651d_06b0_cc53_b0f6,
    0xb3eb_bd55_7698_86bc,
    0x5ac6_35d8_aa3a_93e7,
];

/// The generator's `x`.
const GENERATOR_X: [u64; 4] = [
    0xf4a1_3945_d898_c296,
    0x7703_7d81_2deb_33a0,
    0xf8bc_e6e5_63a4_40f2,
    0x6b17_d1f2_e12c_4247,
];

/// The generator's `y`.
const GENERATOR_Y: [u64; 4] = [
    0xcbb6_4068_37bf_51f5,
    0x2bce_3357_6b31_5ece,
    0x8ee7_eb4a_7c0f_9e16,
    0x4fe3_42e2_fe1a_7f9b,
];

/// Bits of a scalar that one sum takes in.
const WINDOW_BITS: usize = 4;

/// Windows of a word.
const WINDOWS: usize = 64 / WINDOW_BITS;

/// Whether `r` and `s` are a signature of the message with this hash under this public key, with any
/// `s`.
///
/// All numbers are bytes, the most significant first; the key is `x` and then `y`. A key that is no
/// point, or an `r` or `s` that is 0 or not below the group's order, is no valid signature.
#[must_use]
pub fn verify(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32], public_key: &[u8; 64]) -> bool {
    is_valid(hash, r, s, public_key).unwrap_or(false)
}

fn is_valid(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32], public_key: &[u8; 64]) -> Option<bool> {
    let [r, s] = [r, s].map(from_be_bytes);
    if [r, s].iter().any(|it| is_zero(it) || !is_less(it, &ORDER)) {
        return None;
    }
    let key = Point::from_bytes(public_key)?;
    let inverse = inverse_mod(&s, &ORDER)?;
    let generator_scalar = product(&from_be_bytes(hash), &inverse, &ORDER);
    let scalar = product(&r, &inverse, &ORDER);
    let point = multiply_add(&generator_scalar, &scalar, &key);
    if is_zero(&point.z) {
        return None;
    }
    // The point's x is r, or r and the order: the field's prime is above that, and below twice that.
    let square = multiply(&point.z, &point.z);
    if multiply(&r, &square) == point.x {
        return Some(true);
    }
    let (other, is_carried) = sum(&r, &ORDER);
    Some(!is_carried && is_less(&other, &PRIME) && multiply(&other, &square) == point.x)
}

/// A point in Jacobian coordinates; the identity if `z` is 0.
#[derive(Clone, Copy)]
struct Point {
    x: [u64; 4],
    y: [u64; 4],
    z: [u64; 4],
}

impl Point {
    const IDENTITY: Point = Point {
        x: [1, 0, 0, 0],
        y: [1, 0, 0, 0],
        z: [0; 4],
    };

    const GENERATOR: Point = Point {
        x: GENERATOR_X,
        y: GENERATOR_Y,
        z: [1, 0, 0, 0],
    };

    /// The point with these coordinates; none if they are not below the prime, or not of the curve.
    fn from_bytes(bytes: &[u8; 64]) -> Option<Point> {
        let (halves, _) = bytes.as_chunks::<32>();
        let [x, y] = [from_be_bytes(&halves[0]), from_be_bytes(&halves[1])];
        if !is_less(&x, &PRIME) || !is_less(&y, &PRIME) {
            return None;
        }
        let cube = multiply(&multiply(&x, &x), &x);
        let right = add(&subtract(&cube, &times(3, &x)), &B);
        let z = [1, 0, 0, 0];
        (multiply(&y, &y) == right).then_some(Point { x, y, z })
    }

    /// Formulas "dbl-2001-b" of the Explicit-Formulas Database for Jacobian coordinates with `a = -3`.
    /// The identity stays it. No point has `y = 0`: the order is odd.
    fn double(&self) -> Point {
        let delta = multiply(&self.z, &self.z);
        let gamma = multiply(&self.y, &self.y);
        let beta = multiply(&self.x, &gamma);
        let alpha = multiply(&subtract(&self.x, &delta), &add(&self.x, &delta));
        let alpha = times(3, &alpha);
        let four_beta = times(4, &beta);
        let x = multiply(&alpha, &alpha);
        let x = subtract(&x, &add(&four_beta, &four_beta));
        let z = times(2, &multiply(&self.y, &self.z));
        let y = multiply(&alpha, &subtract(&four_beta, &x));
        let y = subtract(&y, &times(8, &multiply(&gamma, &gamma)));
        Point { x, y, z }
    }

    /// Formulas "add-1998-cmo-2" of the Explicit-Formulas Database, which are for points that are
    /// not the identity and differ in `x`. All others are cases of their own.
    fn add(&self, other: &Point) -> Point {
        if is_zero(&self.z) {
            return *other;
        }
        if is_zero(&other.z) {
            return *self;
        }
        let [square, other_square] = [&self.z, &other.z].map(|z| multiply(z, z));
        let u = multiply(&self.x, &other_square);
        let other_u = multiply(&other.x, &square);
        let s = multiply(&self.y, &multiply(&other.z, &other_square));
        let other_s = multiply(&other.y, &multiply(&self.z, &square));
        if u == other_u {
            return if s == other_s {
                self.double()
            } else {
                Point::IDENTITY
            };
        }
        let h = subtract(&other_u, &u);
        let slope = subtract(&other_s, &s);
        let h_square = multiply(&h, &h);
        let h_cube = multiply(&h_square, &h);
        let v = multiply(&u, &h_square);
        let x = subtract(&multiply(&slope, &slope), &h_cube);
        let x = subtract(&x, &add(&v, &v));
        let y = multiply(&slope, &subtract(&v, &x));
        let y = subtract(&y, &multiply(&s, &h_cube));
        let z = multiply(&multiply(&self.z, &other.z), &h);
        Point { x, y, z }
    }

    /// The multiples from 0 on.
    fn multiples(&self) -> [Point; 1 << WINDOW_BITS] {
        let mut multiples = [Point::IDENTITY; 1 << WINDOW_BITS];
        multiples[1] = *self;
        for index in 2..multiples.len() {
            multiples[index] = if index % 2 == 0 {
                multiples[index / 2].double()
            } else {
                multiples[index - 1].add(self)
            };
        }
        multiples
    }
}

/// The generator times the first scalar, and `point` times the second.
fn multiply_add(generator_scalar: &[u64; 4], scalar: &[u64; 4], point: &Point) -> Point {
    let terms = [
        (generator_scalar, Point::GENERATOR.multiples()),
        (scalar, point.multiples()),
    ];
    let mut total = Point::IDENTITY;
    for window in (0..4 * WINDOWS).rev() {
        for _ in 0..WINDOW_BITS {
            total = total.double();
        }
        for (scalar, multiples) in &terms {
            let shift = WINDOW_BITS * (window % WINDOWS);
            let index = (scalar[window / WINDOWS] >> shift) as usize % multiples.len();
            total = total.add(&multiples[index]);
        }
    }
    total
}

#[inline(always)]
fn multiply(x: &[u64; 4], y: &[u64; 4]) -> [u64; 4] {
    product(x, y, &PRIME)
}

/// `factor · x`: a product is fewer instructions than a sum.
#[inline(always)]
fn times(factor: u64, x: &[u64; 4]) -> [u64; 4] {
    multiply(x, &[factor, 0, 0, 0])
}

#[inline]
fn add(x: &[u64; 4], y: &[u64; 4]) -> [u64; 4] {
    sum_mod(x, y, &PRIME)
}

/// `x - y`, for numbers below the prime.
#[inline]
fn subtract(x: &[u64; 4], y: &[u64; 4]) -> [u64; 4] {
    let result = difference(x, y);
    if is_less(x, y) {
        sum(&result, &PRIME).0
    } else {
        result
    }
}
