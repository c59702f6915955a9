//! Points of the curve.

use super::FIELD_PRIME;
use super::field::{is_on_curve, opposite, write_bytes, y_at};
use crate::call;
use crate::modular::is_less;
use crate::words::from_be_bytes;

/// A point of the curve, the identity included: affine coordinates below the field's prime.
///
/// Sums are complete: every two points have one, whichever they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    /// `x` and then `y`; zeros for the identity, which has none.
    coordinates: [u64; 8],
    is_identity: bool,
}

impl Point {
    /// The neutral element: the point at infinity.
    pub const IDENTITY: Point = Point {
        coordinates: [0; 8],
        is_identity: true,
    };

    /// The point that multiples are usually taken of (SEC 2, section 2.4.1).
    pub const GENERATOR: Point = Point::on_curve([
        0x59f2_815b_16f8_1798,
        0x029b_fcdb_2dce_28d9,
        0x55a0_6295_ce87_0b07,
        0x79be_667e_f9dc_bbac,
        0x9c47_d08f_fb10_d4b8,
        0xfd17_b448_a685_5419,
        0x5da4_fbfc_0e11_08a8,
        0x483a_da77_26a3_c465,
    ]);

    /// The point with these coordinates, least significant limbs first; none if one is not below
    /// the field's prime, or if they are not on the curve.
    #[must_use]
    pub fn from_affine(x: &[u64; 4], y: &[u64; 4]) -> Option<Point> {
        if !is_less(x, &FIELD_PRIME) || !is_less(y, &FIELD_PRIME) || !is_on_curve(x, y) {
            return None;
        }
        Some(Point::on_curve(joined(x, y)))
    }

    /// The point whose coordinates are these bytes, `x` and then `y`, the most significant bytes
    /// first; none if they are no point's. The identity has no such form.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; 64]) -> Option<Point> {
        let (halves, _) = bytes.as_chunks::<32>();
        let [x, y] = [from_be_bytes(&halves[0]), from_be_bytes(&halves[1])];
        Point::from_affine(&x, &y)
    }

    /// The point at `x` whose `y` is odd or even as asked for; none if `x` is not below the field's
    /// prime or there is no point.
    #[must_use]
    pub fn from_x(x: &[u64; 4], is_y_odd: bool) -> Option<Point> {
        if !is_less(x, &FIELD_PRIME) {
            return None;
        }
        let y = y_at(x, is_y_odd)?;
        Some(Point::on_curve(joined(x, &y)))
    }

    /// The point with coordinates that are known to be on the curve and below the prime.
    pub(super) const fn on_curve(coordinates: [u64; 8]) -> Point {
        Point {
            coordinates,
            is_identity: false,
        }
    }

    /// Whether this is the neutral element.
    #[must_use]
    pub const fn is_identity(&self) -> bool {
        self.is_identity
    }

    /// `x` and then `y`, least significant limbs first; none for the identity.
    #[must_use]
    pub const fn coordinates(&self) -> Option<&[u64; 8]> {
        if self.is_identity {
            None
        } else {
            Some(&self.coordinates)
        }
    }

    /// `x` and then `y` as bytes, the most significant first; none for the identity.
    #[must_use]
    pub fn to_bytes(&self) -> Option<[u8; 64]> {
        let (x, y) = self.x_and_y()?;
        let mut bytes = [0; 64];
        let (halves, _) = bytes.as_chunks_mut::<32>();
        write_bytes(x, &mut halves[0]);
        write_bytes(y, &mut halves[1]);
        Some(bytes)
    }

    /// The coordinates apart; none for the identity.
    pub(super) fn x_and_y(&self) -> Option<(&[u64; 4], &[u64; 4])> {
        let (halves, _) = self.coordinates()?.as_chunks::<4>();
        Some((&halves[0], &halves[1]))
    }

    /// The sum of two points.
    #[must_use]
    pub fn add(&self, other: &Point) -> Point {
        if other.is_identity {
            return *self;
        }
        let mut coordinates = self.coordinates;
        let mut sum = Sum {
            coordinates: &mut coordinates,
            is_identity: self.is_identity,
        };
        sum.add(&other.coordinates);
        sum.point()
    }

    /// Twice the point.
    #[must_use]
    pub fn double(&self) -> Point {
        let mut double = *self;
        if !double.is_identity {
            call::secp256k1_double(&mut double.coordinates, 1);
        }
        double
    }

    /// The opposite point.
    #[must_use]
    pub fn negate(&self) -> Point {
        match self.x_and_y() {
            None => Point::IDENTITY,
            Some((x, y)) => Point::on_curve(joined(x, &opposite(y))),
        }
    }
}

/// A sum of points in the making. Its parts are apart, so that the flag can be in a register while
/// the precompiles write the coordinates.
pub(super) struct Sum<'a> {
    /// Of the sum, unless it is the identity.
    pub(super) coordinates: &'a mut [u64; 8],
    pub(super) is_identity: bool,
}

impl Sum<'_> {
    /// Adds a point that is not the identity, given by its coordinates.
    #[inline(always)]
    pub(super) fn add(&mut self, other: &[u64; 8]) {
        if self.is_identity {
            *self.coordinates = *other;
            self.is_identity = false;
        } else if self.coordinates[0] == other[0] && self.coordinates[..4] == other[..4] {
            self.is_identity = is_sum_identity(self.coordinates, other);
        } else {
            call::secp256k1_add(self.coordinates, other);
        }
    }

    /// Doubles `COUNT` times.
    #[inline(always)]
    pub(super) fn double<const COUNT: usize>(&mut self) {
        // No point has y = 0, so no double of another point is the identity.
        if !self.is_identity {
            call::secp256k1_double(self.coordinates, COUNT);
        }
    }

    /// The sum.
    pub(super) fn point(self) -> Point {
        if self.is_identity {
            Point::IDENTITY
        } else {
            Point::on_curve(*self.coordinates)
        }
    }
}

/// Adds points with equal `x`, for which the precompile is not defined: they are equal or opposite.
/// Says whether the sum is the identity.
#[cold]
#[inline(never)]
fn is_sum_identity(point: &mut [u64; 8], other: &[u64; 8]) -> bool {
    let is_equal = point == other;
    if is_equal {
        call::secp256k1_double(point, 1);
    }
    !is_equal
}

#[inline]
fn joined(x: &[u64; 4], y: &[u64; 4]) -> [u64; 8] {
    [x[0], x[1], x[2], x[3], y[0], y[1], y[2], y[3]]
}
