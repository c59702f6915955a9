//! Addition and doubling of points of secp256k1: one row per call of a precompile.
//!
//! # Relation
//!
//! Modulo `p = 2^256 - 2^32 - 977`, with `(x1, y1)` at `a0`, which `(x3, y3)` replaces, and, in an
//! addition, `(x2, y2)` at `a1`:
//!
//! ```text
//! addition:  s · (x2 - x1) = y2 - y1     x3 = s² - x1 - x2
//! doubling:  s · 2 · y1 = 3 · x1²        x3 = s² - x1 - x1
//! both:      y3 = s · (x1 - x3) - y1
//! ```
//! Source: SEC 1, section 2.2.1. Nothing asks whether the points are on the curve. All coordinates are
//! below `p`. In an addition `x1` and `x2` differ, in a doubling `y1` is not 0: the slope `s` is
//! unique mod `p`, and the row with it. Where they do not, there is no row.
//!
//! # Why the equations hold over the integers
//!
//! Each is an [`Identity`] of one side less the other less a quotient times `p`. The digits of `s`
//! are bytes less 128: products with it are half as large, and each residue mod `p` still has a
//! representative, of at most `0x8080…80 < 0.502 · 2^256` in absolute value. In numbers:
//!
//! | equation | bits | positions at most | honest carries | sides differ by at most |
//! |---|---|---|---|---|
//! | slope | 8 | `32 · 128 · 765 + 3 · 32 · 255^2` | -36765 to 12404 | 16776853 |
//! | `x3` | 16 | `257 · 32 · 128^2` | -3021 to 3033 | 2127936588 |
//! | `y3` | 16 | `257 · 32 · 128 · 255` | -5075 to 5073 | 2108589138 |
//!
//! The positions are those of products; there are up to four limbs besides, and up to `978 · 2^16` of
//! multiples of `p`, which take few digits: `p` is `2^256 - 2^32 - 977`. In the slope's equation the
//! top of the quotient takes `2^8 · 255 + 2^16 · 250` off the last position, more than the products
//! are. All are below the order of the field, 2130706433. Two bytes to a position would not be in the
//! slope's.
//!
//! The quotient of the slope's equation lies between `-4.01 · 2^256`, where a doubling takes `3 · x1²`
//! off, and `2^256`: 32 bytes and a top digit from -5 to 250. The quotients of the others lie between
//! `-0.502 · 2^256` and as much, or -3 and `2^254`. They are 15 limbs and a top limb that no look-up
//! bounds: the last position has nothing else but a product of two digits and a carry, less than 2^16
//! together, so that its equation says which integer the top limb is.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, precompile bus | run the other operation |
//! | `clock`, `words` | | precompile bus, from [`crate::system`]; `no_second_in_doubling` | compute elsewhere, at other times |
//! | stamps | | memory bus, see [`crate::operand`] | invent points |
//! | `x1`, `y1`, `x2` | bytes | table of bytes, two to a limb of the memory bus | split a limb into fractions |
//! | `y2` | 16-bit limbs | memory bus | |
//! | `x3` | bytes | table of bytes | put other limbs into memory |
//! | `y3` | 16-bit limbs | range table | the same |
//! | `slope` | bytes, less 128 | table of bytes | let an equation wrap |
//! | quotients | digits | table of bytes, range table; the top ones by their equation | absorb any difference |
//! | carries | small | range table, `*.carry_sum[*]` | let an equation wrap |
//! | all of them | | `slope[*]`, `x3[*]`, `y3[*]` | claim any point |
//! | `reduced` | | see [`eval_reduced`] | leave `x3 + p`, compute where there is a fault |
//! | `apart` | 0 only if the slope is free | `apart` | choose the slope |
//! | `apart_inverse` | | `apart_is_not_0` | the same |
//! | `x2`, `y2` in a doubling | any | nobody: nothing has them | |

use std::array::from_fn;

use num_bigint::{BigInt, Sign};
use p3_field::{Field, PrimeCharacteristicRing};
use ruint::Uint;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Precompile;
use zkvm_isa::precompile::Operand;
use zkvm_isa::record::WordAccess;

use crate::common::{Byte, eval_bytes, eval_flags, eval_limbs};
use crate::limbs256::{
    Bounded, Identity, Term, add_product, carries, cell, limbs_of_bytes, number, pairs, square,
    words,
};
use crate::operand::{Call, Operands, ReadStamp, Stamp, fill_read_stamp, fill_stamp};

columns! {
    /// That a coordinate is below the prime; see [`eval_reduced`].
    pub(crate) struct Reduced {
        /// 1 if it is among the highest below the prime.
        is_near: [cell],
        /// If it is not, the inverse of what shows that.
        inverse: [cell],
    }
}

columns! {
    /// One addition or doubling.
    pub(crate) struct Secp256k1 {
        /// 1 for an addition.
        is_add: [cell],
        /// 1 for a doubling.
        is_double: [cell],
        /// Clock of the call; from the precompile bus.
        clock: [cell],
        /// Indices of the first words at `a0` and, in an addition, at `a1`; from the precompile bus.
        words: [cells 2],
        /// The first point before: bytes, low first, range-checked.
        x1: [cells 32],
        /// The same.
        y1: [cells 32],
        /// The second point, 0 in a doubling: bytes, range-checked.
        x2: [cells 32],
        /// The same: 16-bit limbs, from memory.
        y2: [cells 16],
        /// Slope of the line: bytes less 128, range-checked.
        slope: [cells 32],
        /// The first point after: bytes, range-checked.
        x3: [cells 32],
        /// The same: 16-bit limbs, range-checked.
        y3: [cells 16],
        /// By how many times the prime the slope's equation is off: bytes and a digit from -5 to
        /// 250, range-checked.
        slope_quotient: [cells 33],
        /// The same of the equation of `x3`: 16-bit limbs, range-checked, and a signed one.
        x3_quotient: [cells 16],
        /// The same of the equation of `y3`.
        y3_quotient: [cells 16],
        /// Carry out of every position of the slope's equation but the last; range-checked.
        slope_carry: [cells 62],
        /// The same of the equation of `x3`.
        x3_carry: [cells 31],
        /// The same of the equation of `y3`.
        y3_carry: [cells 31],
        /// That `x1`, `y1`, `x2`, `y2`, `x3`, `y3` are below the prime.
        reduced: [groups Reduced 6],
        /// Sum of the squares of differences of bytes of `x1` and `x2`; in a doubling sum of bytes
        /// of `y1`.
        apart: [cell],
        /// Its inverse.
        apart_inverse: [cell],
        /// When the words of the first point were accessed before.
        first_stamps: [groups Stamp 8],
        /// When those of the second point were.
        second_stamps: [groups ReadStamp 8],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "secp256k1";

/// The operands: the first point, which is the same of both calls, and the second.
const OPERANDS: [Operand; 2] = [
    Precompile::Secp256k1Add.operands()[0],
    Precompile::Secp256k1Add.operands()[1],
];

const _: () = {
    let double = Precompile::Secp256k1Double.operands()[0];
    assert!(OPERANDS[0].words == double.words && OPERANDS[0].substep == double.substep);
};

/// The prime, negated, as digits at 2^8: their positions and values.
const MINUS_PRIME_BYTES: [(usize, i64); 4] = [(0, 209), (1, 3), (4, 1), (32, -1)];
/// The same at 2^16.
const MINUS_PRIME_LIMBS: [(usize, i64); 3] = [(0, 977), (2, 1), (16, -1)];

/// The lowest top digit of the quotient in the slope's equation; the lowest of the others in theirs.
const LOWEST_TOP: i64 = -5;
const LOWEST_TOP_LIMB: i64 = -(1 << 16);

/// How much less than bytes the digits of the slope are.
const SLOPE_OFFSET: i64 = 128;

pub(crate) fn eval(builder: &mut Builder, row: &Secp256k1<Expr>, _: &()) {
    let flags = [("is_add", &row.is_add), ("is_double", &row.is_double)];
    let is_real = eval_flags(builder, &flags);
    let number = &row.is_add * (Precompile::Secp256k1Add as u32)
        + &row.is_double * (Precompile::Secp256k1Double as u32);
    let [first, second] = &row.words;
    builder.assert_zero_when("no_second_in_doubling", &row.is_double, second.clone());
    let call = Call {
        precompile: &number,
        clock: &row.clock,
        words: [first, second, &Expr::from(0)],
    };
    call.receive(builder, &is_real);

    let [x1, y1, x2, x3] =
        [&row.x1, &row.y1, &row.x2, &row.x3].map(|bytes| limbs_of_bytes::<16>(bytes));
    let mut bytes = eval_points(builder, row, &is_real, [&x1, &y1, &x2, &x3]);
    let slope = row
        .slope
        .each_ref()
        .map(|digit| digit + SLOPE_OFFSET as u32);
    let mut quotient = row.slope_quotient.clone();
    quotient[32] = &quotient[32] - Expr::constant(cell(LOWEST_TOP));
    for (name, cells) in [
        ("x1", &row.x1[..]),
        ("y1", &row.y1),
        ("x2", &row.x2),
        ("x3", &row.x3),
        ("slope", &slope),
        ("slope_quotient", &quotient),
    ] {
        let cells = cells.iter().enumerate();
        bytes.extend(cells.map(|(index, byte)| Byte::new(&format!("{name}_byte[{index}]"), byte)));
    }
    eval_bytes(builder, &is_real, bytes);
    eval_limbs(builder, "y3_limb", &is_real, &row.y3);
    eval_limbs(builder, "x3_quotient", &is_real, &row.x3_quotient[..15]);
    eval_limbs(builder, "y3_quotient", &is_real, &row.y3_quotient[..15]);

    let numbers = bounded(row);
    for (equation, carries) in [
        (Equation::Slope, &row.slope_carry[..]),
        (Equation::X3, &row.x3_carry),
        (Equation::Y3, &row.y3_carry),
    ] {
        let identity = equation.identity(&numbers);
        if let Some(top) = equation.top_limb(&numbers) {
            identity.assert_last_is_bounded(top);
        }
        identity.eval(builder, equation.name(), &is_real, carries);
    }

    let is_add = &row.is_add;
    let coordinates: [(&str, &Expr, &[Expr; 16]); 6] = [
        ("x1", &is_real, &x1),
        ("y1", &is_real, &y1),
        ("x2", is_add, &x2),
        ("y2", is_add, &row.y2),
        ("x3", &is_real, &x3),
        ("y3", &is_real, &row.y3),
    ];
    for ((name, is_used, limbs), reduced) in coordinates.into_iter().zip(&row.reduced) {
        builder.scope(name, |builder| {
            eval_reduced(builder, is_used, limbs, reduced)
        });
    }

    eval_apart(builder, row, &is_real);
}

/// Asserts that the points to add have different `x`, the point to double has a `y` that is not 0.
fn eval_apart(builder: &mut Builder, row: &Secp256k1<Expr>, is_real: &Expr) {
    // Integers below 2^21: 0 mod p only if they are 0.
    let differences = row.x1.iter().zip(&row.x2).map(|(a, b)| a - b);
    let squares: Expr = differences
        .map(|difference| &difference * &difference)
        .sum();
    let y1: Expr = row.y1.iter().cloned().sum();
    builder.assert_eq(
        "apart",
        &row.apart,
        &row.is_add * squares + &row.is_double * y1,
    );
    builder.assert_eq(
        "apart_is_not_0",
        &row.apart * &row.apart_inverse,
        is_real.clone(),
    );
}

/// The accesses to the words of the points; returns bytes still to be looked up.
fn eval_points(
    builder: &mut Builder,
    row: &Secp256k1<Expr>,
    is_real: &Expr,
    [x1, y1, x2, x3]: [&[Expr; 16]; 4],
) -> Vec<Byte> {
    let point = |x: &[Expr; 16], y: &[Expr; 16]| -> [[Expr; 4]; 8] {
        let limbs: Vec<Expr> = x.iter().chain(y).cloned().collect();
        words(&limbs)
    };
    let first = Operands {
        is_real,
        clock: &row.clock,
        first: &row.words[0],
        operand: OPERANDS[0],
    };
    let second = Operands {
        is_real: &row.is_add,
        clock: &row.clock,
        first: &row.words[1],
        operand: OPERANDS[1],
    };
    let (before, after) = (point(x1, y1), point(x3, &row.y3));
    let stamps = &row.first_stamps;
    let mut bytes = first.replace(builder, "first_stamps", stamps, &before, &after);
    let (stamps, other) = (&row.second_stamps, point(x2, &row.y2));
    bytes.extend(second.read(builder, "second_stamps", stamps, &other));
    bytes
}

/// Asserts that a coordinate of these limbs is below the prime, in rows where `is_used` is 1.
///
/// Let `n` be what it lacks to `2^256 - 1`, limb by limb: below the prime means that `n` is at least
/// `2^32 + 977`. With `high = n[2] + 2 · (n[3] + … + n[15])`, that is to say
///
/// ```text
/// high ≥ 2,   or   high = 1 and n[1] ≥ 1,   or   high = 1 and n[0] ≥ 977
/// ```
/// since `high = 1` means that `n[2]` is 1 and those above are 0. The first two together say that
/// `high · (high - 1 + n[1])` is not 0: `high` is not, and then both terms of the sum are at least 0.
/// All of them are integers below 2^21, so the product is 0 mod p only if it is 0: it has an inverse.
/// The last one is `is_near`, and looks `n[0] - 977` up.
fn eval_reduced(
    builder: &mut Builder,
    is_used: &Expr,
    limbs: &[Expr; 16],
    reduced: &Reduced<Expr>,
) {
    let lacks = limbs.each_ref().map(|limb| Expr::from(0xffff) - limb);
    let above: Expr = lacks[3..].iter().cloned().sum();
    let high = &lacks[2] + above * 2;
    let Reduced { is_near, inverse } = reduced;
    builder.assert_bool("is_near_is_boolean", is_near);
    let far = &high * (&high - 1 + &lacks[1]) * inverse;
    builder.assert_eq("is_far", far, is_used - is_near);
    builder.assert_zero_when("is_near", is_near, high - 1);
    let low = vec![&lacks[0] - 977];
    builder.send("is_below", Bus::Range16, is_near, low);
}

/// The numbers of a row, digit by digit: bytes, but limbs of 16 bits of what [`Equation::X3`] and
/// [`Equation::Y3`] only have alone.
struct Numbers<T> {
    is_add: T,
    is_double: T,
    x1: Vec<T>,
    y1: Vec<T>,
    x2: Vec<T>,
    y2: Vec<T>,
    slope: Vec<T>,
    x3: Vec<T>,
    y3: Vec<T>,
    slope_quotient: Vec<T>,
    x3_quotient: Vec<T>,
    y3_quotient: Vec<T>,
}

/// The numbers of a row with the ranges that its look-ups enforce.
fn bounded(row: &Secp256k1<Expr>) -> Numbers<Bounded> {
    let within = |cells: &[Expr], low: i64, count: i64| -> Vec<Bounded> {
        let cells = cells.iter();
        cells
            .map(|cell| Bounded::new(cell, low..low + count))
            .collect()
    };
    let bytes = |cells: &[Expr]| within(cells, 0, 1 << 8);
    let limbs = |cells: &[Expr]| within(cells, 0, 1 << 16);
    let quotient = |cells: &[Expr; 16]| {
        let mut digits = limbs(&cells[..15]);
        digits.extend(within(&cells[15..], LOWEST_TOP_LIMB, 1 << 17));
        digits
    };
    let mut slope_quotient = bytes(&row.slope_quotient[..32]);
    slope_quotient.extend(within(&row.slope_quotient[32..], LOWEST_TOP, 1 << 8));
    Numbers {
        is_add: Bounded::new(&row.is_add, 0..2),
        is_double: Bounded::new(&row.is_double, 0..2),
        x1: bytes(&row.x1),
        y1: bytes(&row.y1),
        x2: bytes(&row.x2),
        y2: limbs(&row.y2),
        slope: within(&row.slope, -SLOPE_OFFSET, 1 << 8),
        x3: bytes(&row.x3),
        y3: limbs(&row.y3),
        slope_quotient,
        x3_quotient: quotient(&row.x3_quotient),
        y3_quotient: quotient(&row.y3_quotient),
    }
}

/// The numbers of a filled row.
fn numbers(row: &Secp256k1<F>) -> Numbers<i64> {
    let numbers = |cells: &[F]| cells.iter().copied().map(number).collect();
    Numbers {
        is_add: number(row.is_add),
        is_double: number(row.is_double),
        x1: numbers(&row.x1),
        y1: numbers(&row.y1),
        x2: numbers(&row.x2),
        y2: numbers(&row.y2),
        slope: numbers(&row.slope),
        x3: numbers(&row.x3),
        y3: numbers(&row.y3),
        slope_quotient: numbers(&row.slope_quotient),
        x3_quotient: numbers(&row.x3_quotient),
        y3_quotient: numbers(&row.y3_quotient),
    }
}

impl<T: Term> Numbers<T> {
    /// `s · (x2 - x1) - (y2 - y1)`, or `s · 2 · y1 - 3 · x1²`.
    fn slope_products(&self) -> Vec<T> {
        let (is_add, is_double) = (&self.is_add, &self.is_double);
        let doubles = is_double.clone() * T::from(2);
        let digits = self.x1.iter().zip(&self.x2).zip(&self.y1);
        let denominator: Vec<T> = digits
            .map(|((x1, x2), y1)| {
                is_add.clone() * (x2.clone() - x1.clone()) + doubles.clone() * y1.clone()
            })
            .collect();
        let mut sums = vec![T::from(0); 63];
        add_product(&mut sums, &self.slope, &denominator);
        let triples = is_double.clone() * T::from(3);
        for (sum, square) in sums.iter_mut().zip(square(&self.x1)) {
            *sum = sum.clone() - triples.clone() * square;
        }
        for (index, (y1, y2)) in pairs(&self.y1).into_iter().zip(&self.y2).enumerate() {
            let sum = &mut sums[2 * index];
            *sum = sum.clone() + is_add.clone() * (y1 - y2.clone());
        }
        sums
    }

    /// `s² - x1 - x2 - x3`; `x1` for `x2` in a doubling.
    fn x3_products(&self) -> Vec<T> {
        let mut sums = pairs(&square(&self.slope));
        let [x1, x2, x3] = [&self.x1, &self.x2, &self.x3].map(|bytes| pairs(bytes));
        for (sum, ((x1, x2), x3)) in sums.iter_mut().zip(x1.into_iter().zip(x2).zip(x3)) {
            let other = self.is_add.clone() * x2 + self.is_double.clone() * x1.clone();
            *sum = sum.clone() - x1 - other - x3;
        }
        sums
    }

    /// `s · (x1 - x3) - y1 - y3`.
    fn y3_products(&self) -> Vec<T> {
        let digits = self.x1.iter().zip(&self.x3);
        let step: Vec<T> = digits.map(|(x1, x3)| x1.clone() - x3.clone()).collect();
        let mut sums = vec![T::from(0); 63];
        add_product(&mut sums, &self.slope, &step);
        let mut sums = pairs(&sums);
        for (sum, (y1, y3)) in sums
            .iter_mut()
            .zip(pairs(&self.y1).into_iter().zip(&self.y3))
        {
            *sum = sum.clone() - y1 - y3.clone();
        }
        sums
    }
}

/// The equations of a row.
#[derive(Clone, Copy, Debug)]
enum Equation {
    /// What the slope is.
    Slope,
    /// What `x3` is.
    X3,
    /// What `y3` is.
    Y3,
}

impl Equation {
    const ALL: [Equation; 3] = [Equation::Slope, Equation::X3, Equation::Y3];

    fn name(self) -> &'static str {
        match self {
            Equation::Slope => "slope",
            Equation::X3 => "x3",
            Equation::Y3 => "y3",
        }
    }

    /// Bits of a position.
    fn bits(self) -> u32 {
        match self {
            Equation::Slope => 8,
            Equation::X3 | Equation::Y3 => 16,
        }
    }

    /// One side less the other.
    fn products<T: Term>(self, numbers: &Numbers<T>) -> Vec<T> {
        match self {
            Equation::Slope => numbers.slope_products(),
            Equation::X3 => numbers.x3_products(),
            Equation::Y3 => numbers.y3_products(),
        }
    }

    fn quotient<T>(self, numbers: &Numbers<T>) -> &[T] {
        match self {
            Equation::Slope => &numbers.slope_quotient,
            Equation::X3 => &numbers.x3_quotient,
            Equation::Y3 => &numbers.y3_quotient,
        }
    }

    /// The prime, negated: digits and their positions.
    fn minus_prime(self) -> &'static [(usize, i64)] {
        match self {
            Equation::Slope => &MINUS_PRIME_BYTES,
            Equation::X3 | Equation::Y3 => &MINUS_PRIME_LIMBS,
        }
    }

    /// Takes the quotient's multiple of the prime off. What would come after the last position is
    /// added to it: it is the carry that it would have.
    fn take_primes<T: Term>(self, mut sums: Vec<T>, quotient: &[T]) -> Vec<T> {
        let last = sums.len() - 1;
        for (index, quotient) in quotient.iter().enumerate() {
            for (position, digit) in self.minus_prime() {
                let position = index + position;
                let after = position.saturating_sub(last) as u32;
                let sum = &mut sums[position.min(last)];
                let digit = T::from(digit << (self.bits() * after));
                *sum = sum.clone() + quotient.clone() * digit;
            }
        }
        sums
    }

    fn positions<T: Term>(self, numbers: &Numbers<T>) -> Vec<T> {
        self.take_primes(self.products(numbers), self.quotient(numbers))
    }

    fn identity(self, numbers: &Numbers<Bounded>) -> Identity {
        Identity {
            bits: self.bits(),
            positions: self.positions(numbers),
        }
    }

    /// The top limb of the quotient if only the last position bounds it.
    fn top_limb(self, numbers: &Numbers<Bounded>) -> Option<&Bounded> {
        match self {
            Equation::Slope => None,
            Equation::X3 | Equation::Y3 => self.quotient(numbers).last(),
        }
    }

    /// The cells of the quotient, and of the carries.
    fn cells(self, row: &mut Secp256k1<F>) -> (&mut [F], &mut [F]) {
        match self {
            Equation::Slope => (&mut row.slope_quotient, &mut row.slope_carry),
            Equation::X3 => (&mut row.x3_quotient, &mut row.x3_carry),
            Equation::Y3 => (&mut row.y3_quotient, &mut row.y3_carry),
        }
    }

    /// The lowest top digit of the quotient.
    fn lowest_top(self) -> i64 {
        match self {
            Equation::Slope => LOWEST_TOP,
            Equation::X3 | Equation::Y3 => LOWEST_TOP_LIMB,
        }
    }

    /// Fills in quotient and carries. The positions are off by `excess` at one of them: by 0.
    fn fill(self, row: &mut Secp256k1<F>, (position, excess): (usize, i64)) {
        let bits = self.bits();
        let mut products = self.products(&numbers(row));
        products[position] -= excess;
        let quotient = value(&products, bits) / prime();
        let (cells, _) = self.cells(row);
        let digits = signed_digits(&quotient, bits, cells.len(), self.lowest_top());
        let carries = carries(&self.take_primes(products, &digits), bits);
        let (quotient_cells, carry_cells) = self.cells(row);
        let quotient = quotient_cells.iter_mut().zip(digits);
        let carry = carry_cells.iter_mut().zip(carries);
        quotient
            .chain(carry)
            .for_each(|(to, digit)| *to = cell(digit));
    }
}

/// The number that positions add up to.
fn value(positions: &[i64], bits: u32) -> BigInt {
    let mut carry = 0;
    let mut bytes = Vec::with_capacity(positions.len() * 2);
    for position in positions {
        let sum = position + carry;
        carry = sum >> bits;
        let digit = sum.to_le_bytes();
        bytes.extend(digit.iter().take(bits as usize / 8));
    }
    let upper = BigInt::from(carry) << (bits as usize * positions.len());
    BigInt::from_bytes_le(Sign::Plus, &bytes) + upper
}

/// The digits of a number at 2 to the `bits`, low first, `count` of them; the top one may be
/// negative, but not below `lowest_top`.
fn signed_digits(number: &BigInt, bits: u32, count: usize, lowest_top: i64) -> Vec<i64> {
    let offset = BigInt::from(-lowest_top) << (bits as usize * (count - 1));
    let bytes = (number + offset).to_bytes_le().1;
    let size = bits as usize / 8;
    let digit = |index: usize| {
        let bytes = bytes.iter().skip(index * size);
        // What lies above the top digit is the top digit's.
        let taken = if index + 1 == count { size + 1 } else { size };
        let bytes = bytes.take(taken).zip(0..);
        bytes
            .map(|(byte, at)| i64::from(*byte) << (8 * at))
            .sum::<i64>()
    };
    let mut digits: Vec<i64> = (0..count).map(digit).collect();
    if let Some(top) = digits.last_mut() {
        *top += lowest_top;
    }
    digits
}

/// The prime that the field is modulo.
fn prime() -> BigInt {
    (BigInt::from(1) << 256) - (BigInt::from(1_u64 << 32) + 977)
}

/// The residue of a number modulo the prime.
fn reduce(number: &BigInt) -> BigInt {
    let prime = prime();
    ((number % &prime) + &prime) % &prime
}

/// Digits at 2 to the `bits` of a number that is not negative.
fn digits<const N: usize>(number: &BigInt, bits: u32) -> [F; N] {
    let digits = signed_digits(number, bits, N, 0);
    from_fn(|index| cell(digits[index]))
}

/// Fills in the slope, a residue modulo the prime.
fn fill_slope(row: &mut Secp256k1<F>, slope: &BigInt) {
    // From 128 in every digit on, the digits of what is left are those of the slope.
    let offset = BigInt::from_bytes_le(Sign::Plus, &[SLOPE_OFFSET as u8; 32]);
    let mut shifted = slope + offset;
    if shifted.bits() > 256 {
        shifted -= prime();
    }
    row.slope = digits::<32>(&shifted, 8).map(|digit| digit - cell(SLOPE_OFFSET));
}

/// The slope of a row's line, the points being at least as different as they must.
fn slope_of(is_double: bool, [x1, y1, x2, y2]: &[BigInt; 4]) -> BigInt {
    let (numerator, denominator) = if is_double {
        (x1 * x1 * 3, y1 * 2)
    } else {
        (y2 - y1, x2 - x1)
    };
    reduce(&(numerator * inverse(&reduce(&denominator))))
}

/// The inverse modulo the prime of a number below it; 0 if there is none. By `ruint`: `num-bigint`
/// takes a hundred times as long, more than the rest of the row.
fn inverse(number: &BigInt) -> BigInt {
    let [number, prime] = [number, &prime()].map(|number| {
        let mut digits = number.iter_u64_digits();
        Uint::<256, 4>::from_limbs(from_fn(|_| digits.next().unwrap_or(0)))
    });
    let inverse = number.inv_mod(prime).unwrap_or_default();
    BigInt::from_bytes_le(Sign::Plus, &inverse.to_le_bytes::<32>())
}

/// Fills in the third point.
fn fill_point(row: &mut Secp256k1<F>, x3: &BigInt, y3: &BigInt) {
    (row.x3, row.y3) = (digits(x3, 8), digits(y3, 16));
}

/// The limbs of a row's coordinates, in the order of [`Secp256k1::reduced`].
fn coordinates_of_row(row: &Secp256k1<F>) -> [[F; 16]; 6] {
    let limbs = |bytes: &[F; 32]| -> [F; 16] {
        from_fn(|k| bytes[2 * k] + bytes[2 * k + 1] * F::new(1 << 8))
    };
    let [x1, y1, x2, x3] = [&row.x1, &row.y1, &row.x2, &row.x3].map(limbs);
    [x1, y1, x2, row.y2, x3, row.y3]
}

/// Fills in that the coordinates are below the prime, and that the slope is not free.
fn fill_differences(row: &mut Secp256k1<F>) {
    let uses = [F::ONE, F::ONE, row.is_add, row.is_add, F::ONE, F::ONE];
    let coordinates = coordinates_of_row(row);
    row.reduced = from_fn(|index| fill_reduced(uses[index], &coordinates[index]));
    let pairs = row.x1.iter().zip(&row.x2);
    let squares: F = pairs.map(|(a, b)| (*a - *b).square()).sum();
    let y1: F = row.y1.iter().copied().sum();
    row.apart = row.is_add * squares + row.is_double * y1;
    row.apart_inverse = row.apart.try_inverse().unwrap_or_default();
}

/// The cells that show that a coordinate is below the prime.
fn fill_reduced(is_used: F, limbs: &[F; 16]) -> Reduced<F> {
    let lacks = limbs.map(|limb| F::new(0xffff) - limb);
    let high = lacks[2] + lacks[3..].iter().copied().sum::<F>().double();
    let far = high * (high - F::ONE + lacks[1]);
    let is_used = is_used == F::ONE;
    match far.try_inverse() {
        Some(inverse) if is_used => Reduced {
            is_near: F::ZERO,
            inverse,
        },
        _ => Reduced {
            is_near: F::from_bool(is_used),
            inverse: F::ZERO,
        },
    }
}

/// Fills the row of a call at `clock` that accesses `words`: eight of the first point and, in an
/// addition, eight of the second, which are read only and lie where `is_read_only` says.
pub(crate) fn fill(
    clock: u32,
    is_double: bool,
    words: &[WordAccess],
    is_read_only: &[bool],
) -> Secp256k1<F> {
    let zero = WordAccess::default();
    let word = |index: usize| words.get(index).unwrap_or(&zero);
    let coordinates: [BigInt; 4] = from_fn(|coordinate| {
        let words = (0..4).map(|index| word(4 * coordinate + index).previous);
        let bytes: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
        BigInt::from_bytes_le(Sign::Plus, &bytes)
    });
    let [x1, y1, x2, y2] = &coordinates;
    let second = |index: usize| -> ReadStamp<F> {
        match words.get(8 + index) {
            Some(word) => fill_read_stamp(word, clock, OPERANDS[1], is_read_only[index]),
            None => ReadStamp {
                is_read_only: F::ZERO,
                stamp: Stamp {
                    previous_clock: F::ZERO,
                    gap_high: F::ZERO,
                },
            },
        }
    };
    let mut row = Secp256k1 {
        is_add: F::from_bool(!is_double),
        is_double: F::from_bool(is_double),
        clock: F::new(clock),
        words: [word(0), word(8)].map(|word| F::new(word.word_index)),
        x1: digits(x1, 8),
        y1: digits(y1, 8),
        x2: digits(x2, 8),
        y2: digits(y2, 16),
        slope: [F::ZERO; 32],
        x3: [F::ZERO; 32],
        y3: [F::ZERO; 16],
        slope_quotient: [F::ZERO; 33],
        x3_quotient: [F::ZERO; 16],
        y3_quotient: [F::ZERO; 16],
        slope_carry: [F::ZERO; 62],
        x3_carry: [F::ZERO; 31],
        y3_carry: [F::ZERO; 31],
        reduced: from_fn(|_| fill_reduced(F::ZERO, &[F::ZERO; 16])),
        apart: F::ZERO,
        apart_inverse: F::ZERO,
        first_stamps: from_fn(|index| fill_stamp(word(index), clock, OPERANDS[0])),
        second_stamps: from_fn(second),
    };
    let slope = slope_of(is_double, &coordinates);
    let x3 = reduce(&(&slope * &slope - x1 - if is_double { x1 } else { x2 }));
    let y3 = reduce(&(&slope * (x1 - &x3) - y1));
    fill_slope(&mut row, &slope);
    fill_point(&mut row, &x3, &y3);
    Equation::ALL
        .into_iter()
        .for_each(|equation| equation.fill(&mut row, (0, 0)));
    fill_differences(&mut row);
    row
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use k256::elliptic_curve::hazmat::FieldArithmetic;
    use k256::elliptic_curve::point::AffineCoordinates;
    use k256::{ProjectivePoint, Scalar};
    use zkvm_air::Columns as _;
    use zkvm_isa::record::{SUBSTEP_MEMORY, SUBSTEP_RS1};
    use zkvm_testkit::rng::Rng;

    use super::*;
    use crate::ProgramRow;
    use crate::limbs256::ORDER;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    /// Whether it is a doubling, its words, and which of those that are only read are read-only.
    type Call = (bool, Vec<WordAccess>, Vec<bool>);

    type Chip = ChipTest<Call, Secp256k1<F>>;
    type Honest = (Call, ProgramRow);
    type Coordinates = [BigInt; 4];

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |(is_double, words, is_read_only), _| {
            fill(CLOCK, *is_double, words, is_read_only)
        })
    }

    fn big(value: i64) -> BigInt {
        BigInt::from(value)
    }

    fn power(exponent: u32) -> BigInt {
        BigInt::from(1) << exponent
    }

    fn words_of(number: &BigInt) -> [u64; 4] {
        let digits = number.to_u64_digits().1;
        assert!(
            digits.len() <= 4 && *number >= big(0),
            "a number of 256 bits"
        );
        from_fn(|index| digits.get(index).copied().unwrap_or(0))
    }

    /// A call. The chip looks nothing up in the program table; the row of some instruction stands
    /// in.
    fn call(is_double: bool, coordinates: &Coordinates) -> Honest {
        let count = if is_double { 2 } else { 4 };
        let values = coordinates[..count].iter().flat_map(words_of);
        let words = values.zip(0_u32..).map(|(previous, index)| WordAccess {
            previous,
            word_index: 0x0200_0000 + 0x1_0000 * (index / 8) + index % 8,
            clock: CLOCK - 4 * (index + 1),
        });
        let is_read_only = (0..count * 4 - 8).map(|index| index % 3 == 0).collect();
        let call = (is_double, words.collect(), is_read_only);
        (call, register_record(0x0073_02b3, 0, 0).1)
    }

    fn add(coordinates: &Coordinates) -> Honest {
        call(false, coordinates)
    }

    fn double(coordinates: &Coordinates) -> Honest {
        call(true, coordinates)
    }

    fn random(rng: &mut Rng) -> BigInt {
        let words = (0..4).map(|_| rng.next_u64());
        reduce(&words.fold(big(0), |sum, word| (sum << 64) + word))
    }

    /// Coordinates of random points, on the curve or not.
    fn randoms(seed: u64) -> Coordinates {
        let mut rng = Rng::new(seed);
        from_fn(|_| random(&mut rng))
    }

    /// The points of an addition with this slope, and `x1`, `y1`, `x3`; `None` if `x2` is `x1`.
    fn with_slope(slope: &BigInt, [x1, y1, x3]: [&BigInt; 3]) -> Option<Coordinates> {
        let x2 = reduce(&(slope * slope - x1 - x3));
        let y2 = reduce(&(slope * (&x2 - x1) + y1));
        (x2 != *x1).then(|| [x1.clone(), y1.clone(), x2, y2])
    }

    type FieldElement = <k256::Secp256k1 as FieldArithmetic>::FieldElement;

    fn element(number: &BigInt) -> FieldElement {
        let mut bytes = [0; 32];
        for (byte, from) in bytes.iter_mut().rev().zip(number.to_bytes_le().1) {
            *byte = from;
        }
        let element = FieldElement::from_bytes(&bytes.into());
        element.expect("it is below the prime")
    }

    /// The third point, by another crate's field.
    fn third(is_double: bool, coordinates: &Coordinates) -> [BigInt; 2] {
        let [x1, y1, x2, y2] = coordinates.each_ref().map(element);
        let (slope, x2) = if is_double {
            let inverse = y1.double().invert().expect("y is not 0");
            (x1.square() * FieldElement::from(3_u64) * inverse, x1)
        } else {
            let inverse = (x2 - x1).invert().expect("the points differ");
            ((y2 - y1) * inverse, x2)
        };
        let x3 = (slope.square() - x1 - x2).normalize();
        let y3 = (slope * (x1 - x3) - y1).normalize();
        [x3, y3].map(|element| BigInt::from_bytes_be(Sign::Plus, &element.to_bytes()))
    }

    fn computes(chip: &Chip, is_double: bool, coordinates: &Coordinates) {
        computes_to(chip, is_double, coordinates, &third(is_double, coordinates));
    }

    fn computes_to(chip: &Chip, is_double: bool, from: &Coordinates, to: &[BigInt; 2]) {
        let (record, program) = call(is_double, from);
        let row = chip.row(&record, &program);
        let words = to.iter().flat_map(words_of);
        let cells = crate::testing::cells(row);
        let row = || Secp256k1::take(&mut cells.iter().copied());
        let caught = chip.catches(row(), &program);
        assert!(caught.is_empty(), "{from:x?}: {caught:?}");
        for (index, word) in (0_u32..).zip(words) {
            let written = chip.message(row(), &format!("first_stamps[{index}].after"));
            let written = written.expect("it writes");
            assert_eq!(written[1], F::new(0x0200_0000 + index));
            assert_eq!(written[2..6], crate::common::limbs(word), "{from:x?}");
            assert_eq!(written[6], F::new(CLOCK + SUBSTEP_MEMORY));
            let read = chip.message(row(), &format!("second_stamps[{index}].stamp.after"));
            assert_eq!(read.is_some(), !is_double);
        }
    }

    fn coordinates_of(point: ProjectivePoint) -> [BigInt; 2] {
        let point = point.to_affine();
        [point.x(), point.y()].map(|bytes| BigInt::from_bytes_be(Sign::Plus, &bytes))
    }

    #[test]
    fn points_of_the_curve_add_up_and_double() {
        let chip = chip();
        let generator = ProjectivePoint::GENERATOR;
        let mut rng = Rng::new(0x7365_6370);
        let mut point = || generator * Scalar::from(rng.next_u64()) * Scalar::from(rng.next_u64());
        let random = (0..150).map(|_| (point(), point()));
        let pairs = [
            (generator, generator.double()),
            (generator.double(), generator),
        ];
        for (first, second) in pairs.into_iter().chain(random) {
            let ([x1, y1], [x2, y2]) = (coordinates_of(first), coordinates_of(second));
            let coordinates = [x1, y1, x2, y2];
            computes_to(&chip, false, &coordinates, &coordinates_of(first + second));
            computes_to(&chip, true, &coordinates, &coordinates_of(first.double()));
        }
    }

    #[test]
    fn coordinates_at_the_edges_and_off_the_curve_compute() {
        let chip = chip();
        let edges = [
            big(0),
            big(1),
            big(0xffff),
            power(255),
            prime() - 1,
            prime() - 2,
            prime() - power(16),
            prime() - power(17),
            prime() - power(32),
            power(256) - power(33) - 1,
        ];
        let mut rng = Rng::new(0x6f66_6621);
        for x1 in &edges {
            for other in &edges {
                let [y1, y2] = [random(&mut rng), random(&mut rng)];
                for [y1, y2] in [[other, x1], [&y1, other], [other, &y2]] {
                    let coordinates = [x1.clone(), y1.clone(), other.clone(), y2.clone()];
                    if x1 != other {
                        computes(&chip, false, &coordinates);
                    }
                    if *y1 != big(0) {
                        computes(&chip, true, &coordinates);
                    }
                }
            }
        }
        for _ in 0..200 {
            let coordinates = from_fn(|_| random(&mut rng));
            computes(&chip, false, &coordinates);
            computes(&chip, true, &coordinates);
        }
    }

    /// The residues whose representatives are the highest and the lowest.
    fn extreme_slopes() -> [BigInt; 2] {
        let highest = BigInt::from_bytes_le(Sign::Plus, &[0x7f; 32]);
        [highest.clone(), highest + 1]
    }

    #[test]
    fn the_largest_quotients_pass() {
        let chip = chip();
        let edges = [big(0), big(1), power(255), prime() - 2, prime() - 1];
        let [highest, lowest] = extreme_slopes();
        for slope in [highest.clone(), lowest.clone(), big(0), big(1), prime() - 1] {
            for x1 in &edges {
                for y1 in &edges {
                    for x3 in &edges {
                        if let Some(coordinates) = with_slope(&slope, [x1, y1, x3]) {
                            computes(&chip, false, &coordinates);
                        }
                    }
                }
            }
        }
        // Doublings with the steepest slopes and large coordinates reach both ends.
        let mut tops = BTreeSet::new();
        for step in 1..1000 {
            for (slope, x1) in [
                (&highest - step, big(step)),
                (&lowest + step, prime() - step),
            ] {
                let y1 = reduce(&(&x1 * &x1 * 3 * inverse(&reduce(&(slope * 2)))));
                let coordinates = [x1, y1, big(0), big(0)];
                let (record, program) = double(&coordinates);
                let row = chip.row(&record, &program);
                let top = number(row.slope_quotient[32]);
                if tops.insert(top) || top == LOWEST_TOP {
                    computes(&chip, true, &coordinates);
                }
            }
        }
        assert_eq!(tops, [LOWEST_TOP, -4, 0].into());
    }

    #[test]
    fn calls_are_the_precompiles() {
        let chip = chip();
        for (is_double, number, second) in [(false, 4, 0x0201_0000), (true, 5, 0)] {
            let (record, program) = call(is_double, &randoms(1));
            let message = chip.message(chip.row(&record, &program), "call");
            let expected = [CLOCK, number, 0x0200_0000, second, 0];
            assert_eq!(message, Some(expected.map(F::new).to_vec()));
        }
    }

    #[test]
    fn padding_is_silent() {
        let chip = chip();
        let (_, program) = add(&randoms(1));
        let padding = || Secp256k1::take(&mut std::iter::repeat(F::ZERO));
        assert!(chip.catches(padding(), &program).is_empty());
        for interaction in &chip.description.interactions {
            assert_eq!(chip.message(padding(), &interaction.name), None);
        }
    }

    fn identities() -> [Identity; 3] {
        let row = Secp256k1::take(&mut (0..).map(Expr::main));
        let numbers = bounded(&row);
        Equation::ALL.map(|equation| equation.identity(&numbers))
    }

    #[test]
    fn equations_are_as_bounded_as_the_module_says() {
        let expected = [
            ((-36_765, 12_404), 16_776_853, 0),
            ((-3021, 3033), 2_127_936_588, 3),
            ((-5075, 5073), 2_108_589_138, 5),
        ];
        for (identity, (range, difference, groups)) in identities().iter().zip(expected) {
            let (low, high): (Vec<i64>, Vec<i64>) = identity.ranges().into_iter().unzip();
            assert_eq!(
                (low.iter().min(), high.iter().max()),
                (Some(&range.0), Some(&range.1))
            );
            assert_eq!(identity.largest_difference(), difference);
            assert_eq!(identity.groups().len(), groups);
        }
    }

    /// Fills the third point of a row again, for a slope, and all that follows; the equations are
    /// off by `excess` at a position of one of them.
    fn refill(
        row: &mut Secp256k1<F>,
        slope: &BigInt,
        (off, position, excess): (Equation, usize, i64),
    ) {
        let numbers = numbers(row);
        let of_bytes = |bytes: &[i64]| value(bytes, 8);
        let [x1, y1, x2] = [&numbers.x1, &numbers.y1, &numbers.x2].map(|bytes| of_bytes(bytes));
        let (is_add, is_double) = (numbers.is_add, numbers.is_double);
        let less = |equation: Equation| {
            let is_off = equation.name() == off.name();
            let less = BigInt::from(excess) << (equation.bits() as usize * position);
            if is_off { less } else { big(0) }
        };
        let others = x2 * is_add + &x1 * is_double;
        let x3 = reduce(&(slope * slope - &x1 - others - less(Equation::X3)));
        let y3 = reduce(&(slope * (&x1 - &x3) - y1 - less(Equation::Y3)));
        fill_slope(row, slope);
        fill_point(row, &x3, &y3);
        for equation in Equation::ALL {
            let is_off = equation.name() == off.name();
            equation.fill(row, if is_off { (position, excess) } else { (0, 0) });
        }
        fill_differences(row);
    }

    /// What is not off anywhere.
    const NOWHERE: (Equation, usize, i64) = (Equation::Slope, 0, 0);

    /// The slope of the row's line, whose equation is off by `less`.
    fn slope_off_by(is_double: bool, [x1, y1, x2, y2]: &Coordinates, less: &BigInt) -> BigInt {
        let (numerator, denominator) = if is_double {
            (x1 * x1 * 3, y1 * 2)
        } else {
            (y2 - y1, x2 - x1)
        };
        reduce(&((numerator + less) * inverse(&reduce(&denominator))))
    }

    /// Forges a row that has `excess` too much at a position of an equation.
    fn off_by(
        chip: &Chip,
        name: &str,
        (is_double, coordinates): (bool, &Coordinates),
        off: (Equation, usize, i64),
    ) {
        let (equation, position, excess) = off;
        let less = match equation {
            Equation::Slope => BigInt::from(excess) << (8 * position),
            Equation::X3 | Equation::Y3 => big(0),
        };
        let slope = slope_off_by(is_double, coordinates, &less);
        chip.assert_lie(&call(is_double, coordinates), &[name], |row| {
            refill(row, &slope, off);
        });
    }

    fn equations_hold(chip: &Chip) {
        for is_double in [false, true] {
            for (equation, identity) in Equation::ALL.into_iter().zip(identities()) {
                for position in 0..identity.positions.len() {
                    let name = format!("{}[{position}]", equation.name());
                    let off = (equation, position, 1);
                    off_by(chip, &name, (is_double, &randoms(2)), off);
                }
            }
        }
    }

    fn equations_cannot_wrap(chip: &Chip) {
        let coordinates = randoms(3);
        for position in 0..62 {
            let name = format!("slope.carry[{position}]");
            let off = (Equation::Slope, position, -ORDER);
            off_by(chip, &name, (true, &coordinates), off);
        }
        // In the last equation it is the quotient's top digit that grows.
        let off = (Equation::Slope, 62, -ORDER);
        off_by(chip, "slope_quotient_byte[32]", (true, &coordinates), off);
        let [_, x3, y3] = identities();
        for (equation, identity) in [(Equation::X3, x3), (Equation::Y3, y3)] {
            let (scope, groups) = (equation.name(), identity.groups());
            for position in 0..31 {
                // A carry that is too low by 2^15 - 2^8, and one that is too high by as much.
                let name = format!("{scope}.carry[{position}]");
                let off = (equation, position, ORDER);
                off_by(chip, &name, (false, &coordinates), off);
                let group = groups.iter().position(|group| group.contains(&position));
                let name = format!("{scope}.carry_sum[{}]", group.expect("all are grouped"));
                let off = (equation, position, -ORDER);
                off_by(chip, &name, (false, &coordinates), off);
            }
        }
    }

    type Cells = fn(&mut Secp256k1<F>) -> &mut [F];

    /// Fills the carries of a row again, and what is known of its coordinates.
    fn carry(row: &mut Secp256k1<F>) {
        for equation in Equation::ALL {
            let positions = equation.positions(&numbers(row));
            let carries = carries(&positions, equation.bits());
            let (_, cells) = equation.cells(row);
            cells
                .iter_mut()
                .zip(carries)
                .for_each(|(to, carry)| *to = cell(carry));
        }
        fill_differences(row);
    }

    fn digits_are_in_range(chip: &Chip) {
        // What the highest digits are multiplied with is positive, and so are the last carries.
        let [low, _, x1, y1] = randoms(4);
        let slope = (low >> 8) + power(252);
        let [x1, x3] = [(x1 >> 2) + power(255), &y1 >> 2];
        let honest = with_slope(&slope, [&x1, &y1, &x3]);
        let honest = add(&honest.expect("the points differ"));
        // One more of the next digit than there is room for in this one.
        let cases: [(&str, Cells, usize, i64); 8] = [
            ("x1_byte", |row| &mut row.x1, 31, 1 << 8),
            ("y1_byte", |row| &mut row.y1, 31, 1 << 8),
            ("x2_byte", |row| &mut row.x2, 31, 1 << 8),
            ("x3_byte", |row| &mut row.x3, 31, 1 << 8),
            ("slope_byte", |row| &mut row.slope, 31, 1 << 8),
            (
                "slope_quotient_byte",
                |row| &mut row.slope_quotient,
                32,
                1 << 8,
            ),
            ("x3_quotient", |row| &mut row.x3_quotient, 15, 1 << 16),
            ("y3_quotient", |row| &mut row.y3_quotient, 15, 1 << 16),
        ];
        for (name, cells, count, base) in cases {
            for index in 0..count {
                chip.assert_lie(&honest, &[&format!("{name}[{index}]")], |row| {
                    let cells = cells(row);
                    let next = &mut cells[index + 1];
                    let one = if *next == F::ZERO { -1 } else { 1 };
                    *next -= cell(one);
                    cells[index] += cell(base * one);
                    carry(row);
                });
            }
        }
        for index in 0..15 {
            chip.assert_lie(&honest, &[&format!("y3_limb[{index}]")], |row| {
                row.y3[index] += F::new(1 << 16);
                row.y3[index + 1] -= F::ONE;
                carry(row);
            });
        }
        // The prime comes on top.
        let more = |digits: &[i64], bits: u32| value(digits, bits) + prime();
        lie!(chip, "y3_limb[15]", honest, |row| {
            row.y3 = digits(&more(&numbers(row).y3, 16), 16);
            Equation::Y3.fill(row, (0, 0));
            fill_differences(row);
        });
        lie!(chip, "slope_byte[31]", honest, |row| {
            let slope = numbers(row).slope;
            let shifted: Vec<i64> = slope.iter().map(|digit| digit + SLOPE_OFFSET).collect();
            let slope = digits::<32>(&more(&shifted, 8), 8);
            row.slope = slope.map(|digit| digit - cell(SLOPE_OFFSET));
            Equation::ALL
                .iter()
                .for_each(|equation| equation.fill(row, (0, 0)));
        });
        // With a slope of 0, bytes only matter as parts of limbs: one less of the low byte is a
        // fraction of the high one.
        let flat = with_slope(&big(0), [&randoms(5)[0], &randoms(5)[1], &randoms(5)[2]]);
        let flat = add(&flat.expect("the points differ"));
        for (name, cells, ..) in &cases[..4] {
            for low in (0..32).step_by(2) {
                chip.assert_lie(&flat, &[&format!("{name}[{}]", low + 1)], |row| {
                    cells(row)[low] -= F::ONE;
                    cells(row)[low + 1] += F::new(256).inverse();
                    fill_differences(row);
                });
            }
        }
    }

    /// Coordinates of an addition, and of its third point, one of which is `value`.
    fn with_coordinate(index: usize, value: &BigInt) -> Coordinates {
        let [slope, x1, y1, x2] = randoms(6);
        let through = |x1: &BigInt, y1: &BigInt, x2: &BigInt| {
            let y2 = reduce(&(&slope * (x2 - x1) + y1));
            [x1.clone(), y1.clone(), x2.clone(), y2]
        };
        match index {
            0 => through(value, &y1, &x2),
            1 => through(&x1, value, &x2),
            2 => through(&x1, &y1, value),
            3 => through(&x1, &reduce(&(value - &slope * (&x2 - &x1))), &x2),
            4 => with_slope(&slope, [&x1, &y1, value]).expect("the points differ"),
            _ => {
                let x3 = reduce(&(&slope * &slope - &x1 - &x2));
                through(&x1, &reduce(&(&slope * (&x1 - x3) - value)), &x2)
            }
        }
    }

    /// Adds the prime to a coordinate of a row.
    fn add_prime(row: &mut Secp256k1<F>, index: usize) {
        let now = numbers(row);
        let digits_now = [&now.x1, &now.y1, &now.x2, &now.y2, &now.x3, &now.y3][index];
        let bits = if digits_now.len() == 16 { 16 } else { 8 };
        let more = value(digits_now, bits) + prime();
        match index {
            0 => row.x1 = digits(&more, 8),
            1 => row.y1 = digits(&more, 8),
            2 => row.x2 = digits(&more, 8),
            3 => row.y2 = digits(&more, 16),
            4 => row.x3 = digits(&more, 8),
            _ => row.y3 = digits(&more, 16),
        }
        Equation::ALL
            .iter()
            .for_each(|equation| equation.fill(row, (0, 0)));
        fill_differences(row);
    }

    fn coordinates_are_below_the_prime(chip: &Chip) {
        for (index, name) in ["x1", "y1", "x2", "y2", "x3", "y3"].into_iter().enumerate() {
            let named = |check: &str| format!("{name}.{check}");
            // The prime itself, and the highest of all numbers of 256 bits.
            let honest = add(&with_coordinate(index, &big(0)));
            chip.assert_lie(&honest, &[&named("is_below")], |row| add_prime(row, index));
            chip.assert_lie(&honest, &[&named("is_far")], |row| {
                add_prime(row, index);
                row.reduced[index].is_near = F::ZERO;
            });
            let highest = add(&with_coordinate(index, &(power(32) + 976)));
            let both = [&*named("is_below"), &named("is_near")];
            chip.assert_lie(&highest, &both, |row| add_prime(row, index));
            // It lacks 1000 to be the highest, or 5 · 2^16 and 1000.
            for lacks in [big(1000), power(16) * 5 + 1000] {
                let high = add(&with_coordinate(index, &(power(32) + 976 - lacks)));
                chip.assert_lie(&high, &[&named("is_near")], |row| add_prime(row, index));
            }
            // Near in two ways, so that it can be near twice, and far -1 times.
            let near = power(256) - 1 - (power(32) + power(16) * 3 + 1000);
            let near = add(&with_coordinate(index, &near));
            chip.assert_lie(&near, &[&named("is_near_is_boolean")], |row| {
                row.reduced[index].is_near = F::TWO;
                row.reduced[index].inverse = -row.reduced[index].inverse;
            });
        }
    }

    fn slopes_are_not_free(chip: &Chip) {
        let [slope, x1, y1, _] = randoms(7);
        // Equal points: any line goes through both.
        let honest = add(&randoms(8));
        let equal = |row: &mut Secp256k1<F>| {
            (row.x1, row.x2) = (digits(&x1, 8), digits(&x1, 8));
            (row.y1, row.y2) = (digits(&y1, 8), digits(&y1, 16));
            refill(row, &slope, NOWHERE);
        };
        lie!(chip, "apart_is_not_0", honest, |row| equal(row));
        lie!(chip, "apart", honest, |row| {
            equal(row);
            (row.apart, row.apart_inverse) = (F::ONE, F::ONE);
        });
        // Opposite points have no line.
        let opposite = |row: &mut Secp256k1<F>| {
            equal(row);
            row.y2 = digits(&(prime() - &y1), 16);
            Equation::Slope.fill(row, (0, 0));
        };
        let (record, program) = &honest;
        let mut row = chip.row(record, program);
        opposite(&mut row);
        assert!(chip.catches(row, program).contains("apart_is_not_0"));
        // A tangent at (0, 0) would have any slope.
        let zero = |row: &mut Secp256k1<F>| {
            (row.x1, row.y1) = ([F::ZERO; 32], [F::ZERO; 32]);
            refill(row, &slope, NOWHERE);
        };
        let honest = double(&randoms(8));
        lie!(chip, "apart_is_not_0", honest, |row| zero(row));
        lie!(chip, "apart", honest, |row| {
            zero(row);
            (row.apart, row.apart_inverse) = (F::ONE, F::ONE);
        });
    }

    /// Fills a row with other flags, such that only they are wrong.
    fn flag(row: &mut Secp256k1<F>, is_add: i64, is_double: i64) {
        let coordinates = randoms(9);
        let [x1, y1, x2, y2] = &coordinates;
        (row.is_add, row.is_double) = (cell(is_add), cell(is_double));
        (row.x2, row.y2) = (digits(x2, 8), digits(y2, 16));
        let denominator = (x2 - x1) * is_add + y1 * (2 * is_double);
        let numerator = (y2 - y1) * is_add + x1 * x1 * (3 * is_double);
        let slope = reduce(&(numerator * inverse(&reduce(&denominator))));
        refill(row, &slope, NOWHERE);
        let is_real = row.is_add + row.is_double;
        row.apart_inverse = is_real * row.apart.inverse();
        let uses = [is_real, is_real, row.is_add, row.is_add, is_real, is_real];
        let coordinates = coordinates_of_row(row);
        row.reduced = from_fn(|index| {
            let reduced = fill_reduced(F::ONE, &coordinates[index]);
            Reduced {
                inverse: reduced.inverse * uses[index],
                ..reduced
            }
        });
    }

    fn operations_are_one(chip: &Chip) {
        let honest = add(&randoms(9));
        // The second point lies at word 0 then, as in a doubling.
        let both = |row: &mut Secp256k1<F>, add, double| {
            flag(row, add, double);
            row.words[1] = F::ZERO;
        };
        lie!(chip, "at_most_one_operation", honest, |row| both(row, 1, 1));
        lie!(chip, "is_add_is_boolean", honest, |row| both(row, -1, 1));
        lie!(chip, "is_double_is_boolean", honest, |row| both(row, 1, -1));
    }

    fn words_are_accessed_in_the_past(chip: &Chip) {
        let honest = add(&randoms(10));
        for index in 0..8 {
            let name = format!("first_stamps[{index}]");
            chip.assert_lies_in_the_past(&honest, (&name, SUBSTEP_MEMORY), |row| {
                let stamp = &mut row.first_stamps[index];
                [&mut stamp.previous_clock, &mut stamp.gap_high]
            });
            let name = format!("second_stamps[{index}]");
            let stamp = format!("{name}.stamp");
            chip.assert_lies_in_the_past(&honest, (&stamp, SUBSTEP_RS1), |row| {
                let stamp = &mut row.second_stamps[index].stamp;
                [&mut stamp.previous_clock, &mut stamp.gap_high]
            });
            let name = format!("{name}.is_read_only_is_boolean");
            chip.assert_lie(&honest, &[&name], |row| {
                row.second_stamps[index].is_read_only = F::TWO;
            });
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        equations_hold(&chip);
        equations_cannot_wrap(&chip);
        digits_are_in_range(&chip);
        coordinates_are_below_the_prime(&chip);
        slopes_are_not_free(&chip);
        operations_are_one(&chip);
        lie!(chip, "no_second_in_doubling", double(&randoms(13)), |row| {
            row.words[1] = F::ONE;
        });
        words_are_accessed_in_the_past(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_of_an_addition_is_noticed() {
        let rows = [add(&randoms(11)), add(&randoms(12))];
        assert_eq!(chip().sweep(&rows), [].into());
        // Where a coordinate is as high as can be, nothing has an inverse.
        let near = add(&with_coordinate(0, &(prime() - 1)));
        let free = ["reduced[0].inverse".to_owned()];
        assert_eq!(chip().sweep(&[near]), free.into());
    }

    #[test]
    fn every_cell_of_a_doubling_but_the_second_point_is_noticed() {
        let free = (0..32).map(|index| format!("x2[{index}]"));
        let free = free.chain((0..16).map(|index| format!("y2[{index}]")));
        let stamps = (0..8).flat_map(|index| {
            let cells = ["is_read_only", "stamp.previous_clock", "stamp.gap_high"];
            cells.map(|cell| format!("second_stamps[{index}].{cell}"))
        });
        let free: BTreeSet<String> = free.chain(stamps).collect();
        assert_eq!(chip().sweep(&[double(&randoms(13))]), free);
    }
}
