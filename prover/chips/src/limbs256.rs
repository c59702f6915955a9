//! Identities between numbers of 256 bits, checked over the integers.
//!
//! # Relation
//!
//! Numbers are polynomials in their digits at 2^8 or 2^16. An identity says that a sum of their
//! products is 0. Added up position by position, with `b` the bits of a position:
//!
//! ```text
//! position[k] + carry[k - 1]  =  2^b · carry[k]      for all but the last
//! position[n] + carry[n - 1]  =  0
//! ```
//! Times `2^(b·k)` and added up, the carries cancel: the sum of the positions is 0. That holds over
//! the integers if every equation does, of which a constraint says it modulo the field's order `p`
//! only.
//!
//! # Why the equations hold over the integers
//!
//! A [`Bounded`] is an expression together with the range of the integer it stands for, from ranges
//! of its cells that the chip has checked. With them, from the first position to the last:
//!
//! - If `carry[k - 1]` is at least `low[k - 1]` and at most `high[k - 1]`, an honest `carry[k]` lies
//!   between `low[k]` and `high[k]`, the bounds of `position[k] + carry[k - 1]` over `2^b`.
//! - The look-up of `carry[k] - low[k]` shows `low[k] ≤ carry[k] < low[k] + 2^16`.
//! - If that is too much for the equations, the carry is in a group: the look-up of the sum of
//!   `high[j] - carry[j]` over the group shows that it is at least 0. None of its terms is more than
//!   `high[j] - low[j]`; so none is less than minus the others' sum of that, and `carry[k]` is at most
//!   `low[k]` plus the sum of `high[j] - low[j]` over the whole group.
//! - [`Identity::eval`] asserts of each equation that with these ranges its sides differ by less than
//!   `p`. Then they differ by 0. The chips say by how much at most.

use std::array::from_fn;
use std::ops::{Add, Mul, Range, Sub};

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use zkvm_air::{Builder, Bus, Expr, F};

/// The field's order.
pub(crate) const ORDER: i64 = F::ORDER_U32 as i64;

/// How far a look-up of 16 bits reaches.
const REACH: i64 = (1 << 16) - 1;

/// What stands for an integer: the integer itself, or an expression that a row has for it.
pub(crate) trait Term:
    Clone + From<i64> + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self>
{
}

impl Term for i64 {}

/// An expression that stands for an integer between `low` and `high`.
#[derive(Clone, Debug)]
pub(crate) struct Bounded {
    pub(crate) expr: Expr,
    pub(crate) low: i64,
    pub(crate) high: i64,
}

impl Term for Bounded {}

impl From<i64> for Bounded {
    fn from(value: i64) -> Self {
        Bounded {
            expr: Expr::constant(cell(value)),
            low: value,
            high: value,
        }
    }
}

impl Add for Bounded {
    type Output = Bounded;
    fn add(self, other: Bounded) -> Bounded {
        Bounded {
            expr: self.expr + other.expr,
            low: self.low + other.low,
            high: self.high + other.high,
        }
    }
}

impl Sub for Bounded {
    type Output = Bounded;
    fn sub(self, other: Bounded) -> Bounded {
        Bounded {
            expr: self.expr - other.expr,
            low: self.low - other.high,
            high: self.high - other.low,
        }
    }
}

impl Mul for Bounded {
    type Output = Bounded;
    fn mul(self, other: Bounded) -> Bounded {
        let ends = [
            self.low * other.low,
            self.low * other.high,
            self.high * other.low,
            self.high * other.high,
        ];
        Bounded {
            expr: self.expr * other.expr,
            low: ends.into_iter().fold(i64::MAX, i64::min),
            high: ends.into_iter().fold(i64::MIN, i64::max),
        }
    }
}

impl Bounded {
    /// `expr`, whose integer lies in `range`.
    pub(crate) fn new(expr: &Expr, range: Range<i64>) -> Self {
        Bounded {
            expr: expr.clone(),
            low: range.start,
            high: range.end - 1,
        }
    }
}

/// An integer in the field.
pub(crate) fn cell(value: i64) -> F {
    F::from_i64(value)
}

/// The integer of least absolute value that `cell` is congruent to.
pub(crate) fn number(cell: F) -> i64 {
    let value = i64::from(cell.as_canonical_u32());
    if value > ORDER / 2 {
        value - ORDER
    } else {
        value
    }
}

/// Adds the product of two numbers to `sums`, digit by digit; digits past its end are left out.
pub(crate) fn add_product<T: Term>(sums: &mut [T], a: &[T], b: &[T]) {
    for (i, a) in a.iter().enumerate() {
        for (sum, b) in sums.iter_mut().skip(i).zip(b) {
            *sum = sum.clone() + a.clone() * b.clone();
        }
    }
}

/// The square of a number, digit by digit, with each product of two of its digits computed once.
pub(crate) fn square<T: Term>(a: &[T]) -> Vec<T> {
    let mut sums = vec![T::from(0); 2 * a.len() - 1];
    for (i, digit) in a.iter().enumerate() {
        sums[2 * i] = sums[2 * i].clone() + digit.clone() * digit.clone();
        let double = digit.clone() * T::from(2);
        for (j, other) in a.iter().enumerate().skip(i + 1) {
            sums[i + j] = sums[i + j].clone() + double.clone() * other.clone();
        }
    }
    sums
}

/// Digits at 2^8 taken two at a time: digits at 2^16.
pub(crate) fn pairs<T: Term>(bytes: &[T]) -> Vec<T> {
    bytes
        .chunks(2)
        .map(|pair| match pair {
            [low, high, ..] => low.clone() + high.clone() * T::from(1 << 8),
            single => single.iter().fold(T::from(0), |sum, low| sum + low.clone()),
        })
        .collect()
}

/// The words that limbs of 16 bits are.
pub(crate) fn words<const WORDS: usize>(limbs: &[Expr]) -> [[Expr; 4]; WORDS] {
    from_fn(|word| from_fn(|limb| limbs[4 * word + limb].clone()))
}

/// The limbs of 16 bits that bytes are.
pub(crate) fn limbs_of_bytes<const LIMBS: usize>(bytes: &[Expr]) -> [Expr; LIMBS] {
    from_fn(|limb| &bytes[2 * limb] + &bytes[2 * limb + 1] * (1_u32 << 8))
}

/// The carries of positions of `bits` bits whose sum is 0.
pub(crate) fn carries(positions: &[i64], bits: u32) -> Vec<i64> {
    let mut carry = 0;
    let all_but_last = positions.iter().take(positions.len() - 1);
    all_but_last
        .map(|position| {
            carry = (position + carry) >> bits;
            carry
        })
        .collect()
}

/// Positions of an identity: their sum, each times 2 to the `bits` times its index, is 0.
#[derive(Clone, Debug)]
pub(crate) struct Identity {
    /// Bits of a position.
    pub(crate) bits: u32,
    /// The positions, lowest first.
    pub(crate) positions: Vec<Bounded>,
}

impl Identity {
    /// Between what each honest carry lies.
    pub(crate) fn ranges(&self) -> Vec<(i64, i64)> {
        let (mut low, mut high) = (0, 0);
        let all_but_last = self.positions.iter().take(self.positions.len() - 1);
        all_but_last
            .map(|position| {
                low = (position.low + low) >> self.bits;
                high = (position.high + high) >> self.bits;
                (low, high)
            })
            .collect()
    }

    /// How far above its lowest each carry may lie before its equation can wrap.
    fn rooms(&self, ranges: &[(i64, i64)]) -> Vec<i64> {
        let befores = std::iter::once(0).chain(ranges.iter().map(|(low, _)| *low));
        let equations = self.positions.iter().zip(befores).zip(ranges);
        equations
            .map(|((position, before), (low, _))| {
                ((ORDER - 1 + position.low + before) >> self.bits) - low
            })
            .collect()
    }

    /// The carries that one look-up each does not bound well enough, by groups that share a second
    /// one. The widest ranges come first, each in the first group that has room.
    pub(crate) fn groups(&self) -> Vec<Vec<usize>> {
        let ranges = self.ranges();
        let rooms = self.rooms(&ranges);
        let width = |index: usize| ranges[index].1 - ranges[index].0;
        let mut order: Vec<usize> = (0..ranges.len())
            .filter(|index| rooms[*index] < REACH)
            .collect();
        order.sort_by_key(|index| (-width(*index), *index));
        let mut groups: Vec<Vec<usize>> = Vec::new();
        for index in order {
            let fits = |group: &&mut Vec<usize>| {
                let members = || group.iter().copied().chain([index]);
                let widths: i64 = members().map(width).sum();
                widths <= REACH && members().all(|member| widths <= rooms[member])
            };
            match groups.iter_mut().find(fits) {
                Some(group) => group.push(index),
                None => groups.push(vec![index]),
            }
        }
        groups
    }

    /// Asserts the identity under `name`; its look-ups are those of rows where `is_real` is 1.
    pub(crate) fn eval(&self, builder: &mut Builder, name: &str, is_real: &Expr, carries: &[Expr]) {
        let (ranges, groups) = (self.ranges(), self.groups());
        assert_eq!(carries.len(), ranges.len(), "{name}: a carry per position");
        let difference = self.largest_difference();
        assert!(difference < ORDER, "{name} wraps at {difference}");
        let base = 1_u32 << self.bits;
        for (index, position) in self.positions.iter().enumerate() {
            let before = index.checked_sub(1).map(|index| carries[index].clone());
            let sum = &position.expr + before.unwrap_or(Expr::from(0));
            let after = carries.get(index).map(|carry| carry * base);
            let after = after.unwrap_or(Expr::from(0));
            builder.assert_eq(&format!("{name}[{index}]"), sum, after);
        }
        builder.scope(name, |builder| {
            for (index, (carry, (low, _))) in carries.iter().zip(&ranges).enumerate() {
                let above = vec![carry - Expr::constant(cell(*low))];
                builder.send(&format!("carry[{index}]"), Bus::Range16, is_real, above);
            }
            for (index, group) in groups.iter().enumerate() {
                let high: i64 = group.iter().map(|member| ranges[*member].1).sum();
                let sum: Expr = group.iter().map(|member| carries[*member].clone()).sum();
                let below = vec![Expr::constant(cell(high)) - sum];
                builder.send(&format!("carry_sum[{index}]"), Bus::Range16, is_real, below);
            }
        });
    }

    /// Between what the look-ups leave each carry.
    pub(crate) fn enforced(&self) -> Vec<(i64, i64)> {
        let ranges = self.ranges();
        let mut enforced: Vec<(i64, i64)> =
            ranges.iter().map(|(low, _)| (*low, low + REACH)).collect();
        for group in self.groups() {
            let widths: i64 = group.iter().map(|k| ranges[*k].1 - ranges[*k].0).sum();
            assert!(widths <= REACH, "honest carries of a group pass");
            for member in group {
                enforced[member].1 = ranges[member].0 + widths;
            }
        }
        for ((_, high), (_, enforced)) in ranges.iter().zip(&enforced) {
            assert!(high <= enforced, "honest carries pass");
        }
        enforced
    }

    /// The most by which the sides of an equation can differ.
    pub(crate) fn largest_difference(&self) -> i64 {
        let enforced = self.enforced();
        let afters = enforced.iter().copied().chain([(0, 0)]);
        let befores = std::iter::once((0, 0)).chain(enforced.iter().copied());
        let equations = self.positions.iter().zip(befores).zip(afters);
        let differences = equations.map(|((position, before), after)| {
            let lowest = position.low + before.0 - (after.1 << self.bits);
            let highest = position.high + before.1 - (after.0 << self.bits);
            highest.max(-lowest)
        });
        differences.max().unwrap_or(0)
    }

    /// Asserts that `last`, a cell that the last position has times -1 and that no look-up bounds,
    /// has the range it is said to have: its equation says which integer it is.
    pub(crate) fn assert_last_is_bounded(&self, last: &Bounded) {
        let carry = self.enforced().last().copied().unwrap_or((0, 0));
        let position = self.positions.last().cloned().unwrap_or(Bounded::from(0));
        let low = position.low + last.high + carry.0;
        let high = position.high + last.low + carry.1;
        assert!(low >= last.low && high <= last.high, "from {low} to {high}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An identity of two positions of `count` products of bytes each.
    fn identity(count: i64) -> Identity {
        let products = |cell| {
            let bytes = Bounded::new(&Expr::main(cell), -255..256) * Bounded::from(255);
            bytes * Bounded::from(count)
        };
        let pair = pairs(&[products(0), products(1)]);
        Identity {
            bits: 16,
            positions: [pair.clone(), pair].concat(),
        }
    }

    fn eval(identity: &Identity) {
        let mut builder = Builder::default();
        identity.eval(&mut builder, "sum", &Expr::from(1), &[Expr::main(2)]);
    }

    #[test]
    fn an_equation_may_come_close_to_the_order() {
        let identity = identity(63);
        eval(&identity);
        let difference = identity.largest_difference();
        assert!(difference > ORDER / 100 * 95, "{difference}");
    }

    #[test]
    #[should_panic(expected = "sum wraps at")]
    fn an_equation_that_can_wrap_is_refused() {
        eval(&identity(64));
    }

    #[test]
    #[should_panic(expected = "from")]
    fn a_cell_with_less_range_than_its_equation_leaves_is_refused() {
        let cell = Bounded::new(&Expr::main(3), 0..255 * 255);
        let rest = Bounded::new(&Expr::main(4), 0..255 * 255 + 1);
        let positions = vec![rest - cell.clone()];
        Identity {
            bits: 16,
            positions,
        }
        .assert_last_is_bounded(&cell);
    }

    #[test]
    fn products_and_squares_are_those_of_numbers() {
        let (a, b) = ([3, 0, 250], [255, 7, 1]);
        let value = |digits: &[i64]| -> i64 {
            let digits = digits.iter().rev();
            digits.fold(0, |sum, digit| sum * 256 + digit)
        };
        let mut product = [0; 5];
        add_product(&mut product, &a, &b);
        assert_eq!(value(&product), value(&a) * value(&b));
        assert_eq!(value(&square(&a)), value(&a) * value(&a));
        let limbs = pairs(&product);
        assert_eq!(limbs[2], product[4]);
        assert_eq!(limbs[0], product[0] + 256 * product[1]);
    }
}
