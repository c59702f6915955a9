//! Multiples of points: `generator_scalar · G + scalar · P` at once.
//!
//! `P`'s scalar is split in two of half the length by the curve's endomorphism
//! (Gallant, Lambert, Vanstone, CRYPTO 2001), `λ · (x, y) = (β · x, y)`; the generator's is cut in two,
//! because `2^128 · G` is a constant. Then four sums share 132 doublings:
//!
//! ```text
//! P's halves           33 windows of 4 bits, tables of 15 multiples, made for each P
//! the generator's      16 windows of 8 bits, tables of 255 multiples, constants
//! ```

use core::mem::MaybeUninit;
use core::ptr;

use super::field::reduced;
use super::point::Sum;
use super::{FIELD_PRIME, Point};
use crate::call;
use crate::modular::is_zero;

/// Bits of `P`'s windows.
const WINDOW_BITS: usize = 4;
/// Bits of the generator's windows.
const GENERATOR_WINDOW_BITS: usize = 8;
/// Moves the window that is lowest in a limb to its top.
const FIRST_SHIFT: usize = 64 - WINDOW_BITS;
/// Points of a table of `P`'s: all windows but 0.
const MULTIPLES: usize = 15;
/// Points of a table of the generator's: all windows but 0.
const GENERATOR_MULTIPLES: usize = 255;

/// What the endomorphism multiplies `x` by: a cube root of 1.
const BETA: [u64; 4] = [
    0xc139_6c28_7195_01ee,
    0x9cf0_4975_12f5_8995,
    0x6e64_479e_ac34_34e9,
    0x7ae9_6a2b_657c_0710,
];

/// The multiples 1 to 255 of the generator, and those of `2^128` times the generator.
static GENERATOR_TABLES: [[[u64; 8]; GENERATOR_MULTIPLES]; 2] =
    words_of(include_bytes!("generator.bin"));

/// Bytes of both tables.
const TABLES_BYTES: usize = 2 * GENERATOR_MULTIPLES * 64;

const fn words_of(bytes: &[u8; TABLES_BYTES]) -> [[[u64; 8]; GENERATOR_MULTIPLES]; 2] {
    let mut tables = [[[0; 8]; GENERATOR_MULTIPLES]; 2];
    let (words, _) = bytes.as_chunks::<8>();
    let mut index = 0;
    while index < words.len() {
        let (point, word) = (index / 8, index % 8);
        tables[point / GENERATOR_MULTIPLES][point % GENERATOR_MULTIPLES][word] =
            u64::from_le_bytes(words[index]);
        index += 1;
    }
    tables
}

impl Point {
    /// The multiple of the point by a scalar, any number of 256 bits.
    #[must_use]
    pub fn multiply(&self, scalar: &[u64; 4]) -> Point {
        multiply_add(&[0; 4], scalar, self)
    }
}

/// The multiple of the generator by a scalar, any number of 256 bits.
#[must_use]
pub fn multiply_generator(scalar: &[u64; 4]) -> Point {
    let scalar = reduced(scalar);
    let mut coordinates = [0; 8];
    let mut sum = Sum {
        coordinates: &mut coordinates,
        is_identity: true,
    };
    for limb in [1, 0] {
        let (mut first, mut second) = (scalar[limb], scalar[limb + 2]);
        for _ in 0..8 {
            sum.double::<8>();
            add_generator_multiples(&mut sum, &mut first, &mut second);
        }
    }
    sum.point()
}

/// `generator_scalar · G + scalar · point`, for any two numbers of 256 bits.
///
/// Cost: about 235 rows of the curve's chip and 15 modular products.
#[must_use]
pub fn multiply_add(generator_scalar: &[u64; 4], scalar: &[u64; 4], point: &Point) -> Point {
    let scalar = reduced(scalar);
    let Some(point) = point.coordinates() else {
        return multiply_generator(generator_scalar);
    };
    if is_zero(&scalar) {
        return multiply_generator(generator_scalar);
    }
    let generator_scalar = reduced(generator_scalar);
    let [low, high] = split(&scalar);
    let mut rooms = [[MaybeUninit::uninit(); MULTIPLES]; 2];
    let [multiples, images] = &mut rooms;
    let multiples = multiples_of(point, multiples);
    let images = images_of(multiples, images);
    let mut coordinates = [0; 8];
    let mut sum = Sum {
        coordinates: &mut coordinates,
        is_identity: true,
    };
    // The first window is the one whose place is above 128 bits.
    let (mut first, mut second) = (low[2] << FIRST_SHIFT, high[2] << FIRST_SHIFT);
    add_multiple(&mut sum, multiples, &mut first);
    add_multiple(&mut sum, images, &mut second);
    for limb in [1, 0] {
        let (mut first, mut second) = (low[limb], high[limb]);
        let (mut third, mut fourth) = (generator_scalar[limb], generator_scalar[limb + 2]);
        for _ in 0..8 {
            for _ in 0..2 {
                sum.double::<WINDOW_BITS>();
                add_multiple(&mut sum, multiples, &mut first);
                add_multiple(&mut sum, images, &mut second);
            }
            add_generator_multiples(&mut sum, &mut third, &mut fourth);
        }
    }
    sum.point()
}

/// Takes the window at the limb's top off it, and adds its multiple.
#[inline(always)]
fn add_multiple(sum: &mut Sum<'_>, multiples: &Table, limb: &mut u64) {
    let digit = (*limb >> (64 - WINDOW_BITS)) as usize;
    *limb <<= WINDOW_BITS;
    if digit != 0 {
        sum.add(&multiples[digit - 1]);
    }
}

/// Takes the windows at the tops of limbs of the generator's scalar off them, and adds their
/// multiples.
#[inline(always)]
fn add_generator_multiples(sum: &mut Sum<'_>, low: &mut u64, high: &mut u64) {
    for (table, limb) in GENERATOR_TABLES.iter().zip([low, high]) {
        let digit = (*limb >> (64 - GENERATOR_WINDOW_BITS)) as usize;
        *limb <<= GENERATOR_WINDOW_BITS;
        if digit != 0 {
            sum.add(&table[digit - 1]);
        }
    }
}

/// Multiples of a point.
type Table = [[u64; 8]; MULTIPLES];

/// A table that is not written yet: its points are made where they stay.
type Room = [MaybeUninit<[u64; 8]>; MULTIPLES];

/// The multiples 1 to 15. Points that are not the identity have the group's order, a large prime,
/// so no sum here is of equal or opposite points.
#[inline(always)]
fn multiples_of<'a>(point: &[u64; 8], room: &'a mut Room) -> &'a Table {
    let mut previous = point;
    for (index, place) in room.iter_mut().enumerate() {
        let multiple = place.write(*previous);
        match index {
            0 => {}
            1 => call::secp256k1_double(multiple, 1),
            _ => call::secp256k1_add(multiple, point),
        }
        previous = multiple;
    }
    // SAFETY: every point was written.
    unsafe { &*ptr::from_ref(room).cast::<Table>() }
}

/// The endomorphism's images.
#[inline(always)]
fn images_of<'a>(multiples: &Table, room: &'a mut Room) -> &'a Table {
    for (point, place) in multiples.iter().zip(room.iter_mut()) {
        let (coordinates, _) = place.write(*point).as_chunks_mut::<4>();
        call::multiply_mod(&mut coordinates[0], &BETA, &FIELD_PRIME);
    }
    // SAFETY: every point was written.
    unsafe { &*ptr::from_ref(room).cast::<Table>() }
}

/// Splits a scalar below the group's order: `scalar = low + λ · high`, both below 2^132.
///
/// The pairs `(low, high)` for 0 are a lattice with the short vectors `(a1, -b1)` and `(a2, b2)`,
/// where `b2 = a1` and `a2 = a1 + b1`. By Cramer's rule `(scalar, 0)` has the coordinates
/// `c1 = b2 · scalar / n` and `c2 = b1 · scalar / n`. From the upper halves of the scalar and of
/// `b2 · 2^384 / n`, `c1` is estimated as at most what it is and less than 3 below, `c2` likewise;
/// what the estimates leave is `f1 · (a1, -b1) + f2 · (a2, b2)` with `f1` and `f2` in `[0, 3)`. Three
/// times the first vector less and twice the second more, it has no negative part and is below
/// `5 · a2 < 2^131`.
fn split(scalar: &[u64; 4]) -> [[u64; 3]; 2] {
    const A1: u128 = 0x3086_d221_a7d4_6bcd_e86c_90e4_9284_eb15;
    const B1: u128 = 0xe443_7ed6_010e_8828_6f54_7fa9_0abf_e4c3;
    const RATIO_1: u128 = 0x3086_d221_a7d4_6bcd_e86c_90e4_9284_eb15;
    const RATIO_2: u128 = 0xe443_7ed6_010e_8828_6f54_7fa9_0abf_e4c4;
    let upper = u128::from(scalar[2]) | (u128::from(scalar[3]) << 64);
    let c1 = wide_product(upper, RATIO_1);
    let c2 = wide_product(upper, RATIO_2);
    let c1 = sum_3([c1[2], c1[3], 0], [3, 0, 0]);
    let c2 = difference_3([c2[2], c2[3], 0], [2, 0, 0]);
    // All that follows is modulo 2^192, where a negative `c2` is as good as any.
    let a1_sum = product_3(sum_3(c1, c2), A1);
    let b1_c2 = product_3(c2, B1);
    let low = [scalar[0], scalar[1], scalar[2]];
    let low = difference_3(difference_3(low, a1_sum), b1_c2);
    let high = difference_3(product_3(c1, B1), product_3(c2, A1));
    [low, high]
}

fn halves(x: u128) -> [u64; 2] {
    [x as u64, (x >> 64) as u64]
}

/// All 256 bits of a product.
fn wide_product(x: u128, y: u128) -> [u64; 4] {
    let mut product = [0; 4];
    for (i, x) in halves(x).into_iter().enumerate() {
        let mut carry = 0;
        for (j, y) in halves(y).into_iter().enumerate() {
            let term = u128::from(x) * u128::from(y);
            let term = term + u128::from(product[i + j]) + u128::from(carry);
            [product[i + j], carry] = halves(term);
        }
        product[i + 2] = carry;
    }
    product
}

/// A product modulo 2^192.
fn product_3(x: [u64; 3], y: u128) -> [u64; 3] {
    let low = u128::from(x[0]) | (u128::from(x[1]) << 64);
    let product = wide_product(low, y);
    let third = product[2].wrapping_add(x[2].wrapping_mul(y as u64));
    [product[0], product[1], third]
}

/// A sum modulo 2^192.
fn sum_3(x: [u64; 3], y: [u64; 3]) -> [u64; 3] {
    let (first, is_carried) = x[0].overflowing_add(y[0]);
    let (second, carry_1) = x[1].overflowing_add(y[1]);
    let (second, carry_2) = second.overflowing_add(u64::from(is_carried));
    let third = x[2].wrapping_add(y[2]);
    [
        first,
        second,
        third.wrapping_add(u64::from(carry_1 | carry_2)),
    ]
}

/// A difference modulo 2^192.
fn difference_3(x: [u64; 3], y: [u64; 3]) -> [u64; 3] {
    let (first, is_borrowed) = x[0].overflowing_sub(y[0]);
    let (second, borrow_1) = x[1].overflowing_sub(y[1]);
    let (second, borrow_2) = second.overflowing_sub(u64::from(is_borrowed));
    let third = x[2].wrapping_sub(y[2]);
    [
        first,
        second,
        third.wrapping_sub(u64::from(borrow_1 | borrow_2)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_the_multiples_of_the_generator() {
        let mut base = Point::GENERATOR;
        for table in &GENERATOR_TABLES {
            let mut multiple = Point::IDENTITY;
            for point in table {
                multiple = multiple.add(&base);
                assert_eq!(multiple.coordinates(), Some(point));
            }
            for _ in 0..128 {
                base = base.double();
            }
        }
    }
}
