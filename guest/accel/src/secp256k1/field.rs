//! What points need of the field, and signatures of the scalars, beyond products.

use super::{FIELD_PRIME, ORDER};
use crate::call;
use crate::modular::{Step, difference, is_less, is_zero, odd_powers, product, sum_mod};
use crate::words::{store_u64, swap};

const SEVEN: [u64; 4] = [7, 0, 0, 0];

/// Whether `y² = x³ + 7`, for coordinates below the prime.
pub(super) fn is_on_curve(x: &[u64; 4], y: &[u64; 4]) -> bool {
    product(y, y, &FIELD_PRIME) == cube_and_seven(x)
}

/// `-y`, for `y` below the prime and not 0.
#[inline]
pub(super) fn opposite(y: &[u64; 4]) -> [u64; 4] {
    difference(&FIELD_PRIME, y)
}

/// The `y` of a point at `x`, even or odd as asked for; none if there is no such point.
pub(super) fn y_at(x: &[u64; 4], is_odd: bool) -> Option<[u64; 4]> {
    let square = cube_and_seven(x);
    let root = root_candidate(&square);
    if product(&root, &root, &FIELD_PRIME) != square {
        return None;
    }
    // No point has y = 0: -7 is not a cube.
    let is_root_odd = root[0] & 1 != 0;
    Some(if is_root_odd == is_odd {
        root
    } else {
        opposite(&root)
    })
}

/// `x³ + 7`.
fn cube_and_seven(x: &[u64; 4]) -> [u64; 4] {
    let mut cube = product(x, x, &FIELD_PRIME);
    call::multiply_mod(&mut cube, x, &FIELD_PRIME);
    sum_mod(&cube, &SEVEN, &FIELD_PRIME)
}

/// The square root of a square: its power `(p + 1) / 4`, as p is 3 modulo 4.
///
/// The exponent in binary is 223 ones, a zero, 22 ones, four zeros, two ones, two zeros. A power
/// with `a + b` ones as exponent is one with `a`, squared `b` times, times one with `b`. The names
/// say how many ones.
fn root_candidate(square: &[u64; 4]) -> [u64; 4] {
    let ones_2 = then::<1>(square, square);
    let ones_3 = then::<1>(&ones_2, square);
    let ones_6 = then::<3>(&ones_3, &ones_3);
    let ones_9 = then::<3>(&ones_6, &ones_3);
    let ones_11 = then::<2>(&ones_9, &ones_2);
    let ones_22 = then::<11>(&ones_11, &ones_11);
    let ones_44 = then::<22>(&ones_22, &ones_22);
    let ones_88 = then::<44>(&ones_44, &ones_44);
    let ones_176 = then::<88>(&ones_88, &ones_88);
    let ones_220 = then::<44>(&ones_176, &ones_44);
    let ones_223 = then::<3>(&ones_220, &ones_3);
    let power = then::<23>(&ones_223, &ones_22);
    let mut power = then::<6>(&power, &ones_2);
    call::square_mod(&mut power, &FIELD_PRIME, 2);
    power
}

/// `power` squared so many times, times `factor`.
#[inline(always)]
fn then<const SQUARINGS: usize>(power: &[u64; 4], factor: &[u64; 4]) -> [u64; 4] {
    let mut power = *power;
    call::square_mod(&mut power, &FIELD_PRIME, SQUARINGS);
    call::multiply_mod(&mut power, factor, &FIELD_PRIME);
    power
}

/// A scalar modulo the group's order; any number of 256 bits is below twice that.
pub(super) fn reduced(scalar: &[u64; 4]) -> [u64; 4] {
    if is_less(scalar, &ORDER) {
        *scalar
    } else {
        difference(scalar, &ORDER)
    }
}

/// `-scalar` modulo the group's order, for a scalar below it.
pub(super) fn negated_scalar(scalar: &[u64; 4]) -> [u64; 4] {
    if is_zero(scalar) {
        *scalar
    } else {
        difference(&ORDER, scalar)
    }
}

/// Whether a scalar may be half of a signature: it is neither 0 nor as large as the group's order.
pub(super) fn is_valid_scalar(scalar: &[u64; 4]) -> bool {
    !is_zero(scalar) && is_less(scalar, &ORDER)
}

/// The inverse of a scalar that is not 0, modulo the group's order: its power `n - 2`.
pub(super) fn inverse_scalar(scalar: &[u64; 4]) -> [u64; 4] {
    const STEPS: usize = 57;
    static EXPONENT: (u8, [Step; STEPS]) = Step::all(&difference(&ORDER, &[2, 0, 0, 0]));
    let odd_powers = odd_powers(scalar, &ORDER);
    let mut power = odd_powers[usize::from(EXPONENT.0)];
    for step in &EXPONENT.1 {
        step.take(&mut power, &odd_powers, &ORDER);
    }
    power
}

pub(super) fn product_of_scalars(x: &[u64; 4], y: &[u64; 4]) -> [u64; 4] {
    product(x, y, &ORDER)
}

/// Writes a number as 32 bytes, the most significant first.
#[inline]
pub(super) fn write_bytes(number: &[u64; 4], bytes: &mut [u8; 32]) {
    let [lowest, first, second, third] = number.map(swap);
    let to = bytes.as_mut_ptr();
    // SAFETY: there are 32 bytes.
    unsafe { store_u64::<0>(to, third) };
    // SAFETY: there are 32 bytes.
    unsafe { store_u64::<8>(to, second) };
    // SAFETY: there are 32 bytes.
    unsafe { store_u64::<16>(to, first) };
    // SAFETY: there are 32 bytes.
    unsafe { store_u64::<24>(to, lowest) };
}
