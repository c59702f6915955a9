//! Multiplication modulo any number: one row per call of the precompile.
//!
//! # Relation
//!
//! ```text
//! x · y  =  q · m + r,   r < m
//! ```
//! with 256-bit numbers `x` at `a0`, which `r` replaces, `y` at `a1` and the modulus `m` at `a2`. `x`
//! and `y` need not be below `m`, so that `q` has up to 512 bits. `m = 0` has no row: nothing is
//! below it.
//!
//! # Why the equation holds over the integers
//!
//! It is an [`Identity`] in bytes, two to a position: 32 equations and 31 carries. Everything below
//! 2^512 is in them; the products of bytes of `q` and `m` that lie above must be 0, and add up to at
//! most `496 · 255^2 < 2^25`, so that one constraint says so for all of them.
//!
//! A position has at most 32 products of bytes of either sign at its low byte and at its high one:
//! at most `257 · 32 · 255^2 < 2^29`, and a limb of `r`. So honest carries lie between -8160 and 8159.
//! Their look-ups show that they are not below their lowest; those of 11 groups show of each that it
//! is not too high. With that, the sides of no equation differ by more than `2105606144 < p`: by
//! `257 · 32 · 255^2` and `2^16 · 24000` at most in the middle, where positions are large, and by
//! `2^16 · 31108` at the ends, where they are small.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `clock`, `words` | | precompile bus, from [`crate::system`] | compute elsewhere, at other times |
//! | stamps | | memory bus, see [`crate::operand`] | invent operands |
//! | `x`, `y`, `modulus` | bytes | table of bytes, two to a limb of the memory bus | split a limb into fractions |
//! | `quotient` | bytes | table of bytes | any `r`, with a fraction of `m` |
//! | `result` | 16-bit limbs | range table | put other limbs into memory |
//! | `carry` | small | range table, `carry_sum[*]` | let an equation wrap mod p |
//! | all of them | | `product[*]`, `quotient_ends` | claim any product |
//! | `differs` | one of them 1 in a real row | `differs[*]_is_boolean`, `one_limb_differs` | compare no limb |
//! | `differs` against limbs | limbs above are equal | `equal_above[*]` | compare a lower limb |
//! | `difference` | less 1, of the limbs that differ | `difference`, `below_modulus` look-up | leave `r + m` |

use std::array::from_fn;

use num_bigint::BigUint;
use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Precompile;
use zkvm_isa::precompile::Operand;
use zkvm_isa::record::WordAccess;

use crate::common::{Byte, eval_bytes, eval_limbs};
use crate::limbs256::{
    Bounded, Identity, Term, add_product, carries, cell, limbs_of_bytes, number, pairs, words,
};
use crate::operand::{Call, Operands, ReadStamp, Stamp, fill_read_stamp, fill_stamp};

columns! {
    /// One multiplication.
    pub(crate) struct MultiplyMod {
        /// Clock of the call; from the precompile bus.
        clock: [cell],
        /// Indices of the first words of `x`, `y` and the modulus; from the precompile bus.
        words: [cells 3],
        /// One factor, low byte first; range-checked.
        x: [cells 32],
        /// The other; range-checked.
        y: [cells 32],
        /// The modulus; range-checked.
        modulus: [cells 32],
        /// The product over the modulus; range-checked bytes.
        quotient: [cells 64],
        /// What is left: 16-bit limbs, range-checked.
        result: [cells 16],
        /// Carry out of every position but the last; range-checked.
        carry: [cells 31],
        /// 1 at the highest limb in which result and modulus differ.
        differs: [cells 16],
        /// By how much more than 1 the modulus is greater there; range-checked.
        difference: [cell],
        /// When the words of `x` were accessed before.
        x_stamps: [groups Stamp 4],
        /// When those of `y` were.
        y_stamps: [groups ReadStamp 4],
        /// When those of the modulus were.
        modulus_stamps: [groups ReadStamp 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "multiply_mod";

const CALL: Precompile = Precompile::MultiplyMod;

/// The operands: `x`, `y`, modulus.
const OPERANDS: [Operand; 3] = [CALL.operands()[0], CALL.operands()[1], CALL.operands()[2]];

pub(crate) fn eval(builder: &mut Builder, row: &MultiplyMod<Expr>, _: &()) {
    let is_real: Expr = row.differs.iter().cloned().sum();
    let [x_word, y_word, modulus_word] = &row.words;
    let call = Call {
        precompile: &Expr::from(CALL as u32),
        clock: &row.clock,
        words: [x_word, y_word, modulus_word],
    };
    call.receive(builder, &is_real);

    let [x, y, modulus] = [&row.x, &row.y, &row.modulus].map(|bytes| limbs_of_bytes::<16>(bytes));
    let at = |first, operand| Operands {
        is_real: &is_real,
        clock: &row.clock,
        first,
        operand,
    };
    let [x_at, y_at, modulus_at] = [
        at(x_word, OPERANDS[0]),
        at(y_word, OPERANDS[1]),
        at(modulus_word, OPERANDS[2]),
    ];
    let (before, after) = (words::<4>(&x), words::<4>(&row.result));
    let (y, divisor) = (words::<4>(&y), words::<4>(&modulus));
    let mut bytes = x_at.replace(builder, "x_stamps", &row.x_stamps, &before, &after);
    bytes.extend(y_at.read(builder, "y_stamps", &row.y_stamps, &y));
    let stamps = &row.modulus_stamps;
    bytes.extend(modulus_at.read(builder, "modulus_stamps", stamps, &divisor));
    for (name, cells) in [
        ("x", &row.x[..]),
        ("y", &row.y),
        ("modulus", &row.modulus),
        ("quotient", &row.quotient),
    ] {
        let cells = cells.iter().enumerate();
        bytes.extend(cells.map(|(index, byte)| Byte::new(&format!("{name}[{index}]"), byte)));
    }
    eval_bytes(builder, &is_real, bytes);
    eval_limbs(builder, "result", &is_real, &row.result);

    identity(row).eval(builder, "product", &is_real, &row.carry);
    let above = row.quotient.iter().enumerate().flat_map(|(i, quotient)| {
        let modulus = row.modulus.iter().skip(QUOTIENT_BYTES - i);
        modulus.map(move |modulus| quotient * modulus)
    });
    builder.assert_zero("quotient_ends", above.sum());
    eval_below(builder, row, &modulus, &is_real);
}

/// Bytes of the quotient, and of the product.
const QUOTIENT_BYTES: usize = 64;

/// That the result is less than the modulus, whose limbs are given: the highest limb in which they
/// differ is.
fn eval_below(
    builder: &mut Builder,
    row: &MultiplyMod<Expr>,
    modulus: &[Expr; 16],
    is_real: &Expr,
) {
    let mut below = Expr::from(0);
    let mut difference = Expr::from(0);
    let limbs = row.differs.iter().zip(modulus).zip(&row.result);
    for (index, ((differs, modulus), result)) in limbs.enumerate() {
        builder.assert_bool(&format!("differs[{index}]_is_boolean"), differs);
        if index > 0 {
            let name = format!("equal_above[{index}]");
            builder.assert_zero_when(&name, &below, modulus - result);
        }
        below = below + differs;
        difference = difference + differs * (modulus - result - 1);
    }
    builder.assert_bool("one_limb_differs", is_real);
    builder.assert_eq("difference", &row.difference, difference);
    let difference = vec![row.difference.clone()];
    builder.send("below_modulus", Bus::Range16, is_real, difference);
}

/// The numbers of a row, digit by digit.
struct Numbers<T> {
    x: Vec<T>,
    y: Vec<T>,
    modulus: Vec<T>,
    quotient: Vec<T>,
    result: Vec<T>,
}

impl<T: Term> Numbers<T> {
    /// `x · y - quotient · modulus - result`, limb by limb, without what is above 2^512.
    fn positions(&self) -> Vec<T> {
        let mut sums = vec![T::from(0); QUOTIENT_BYTES];
        let mut less = sums.clone();
        add_product(&mut sums, &self.x, &self.y);
        add_product(&mut less, &self.quotient, &self.modulus);
        let sums: Vec<T> = sums.into_iter().zip(less).map(|(a, b)| a - b).collect();
        let mut positions = pairs(&sums);
        for (position, limb) in positions.iter_mut().zip(&self.result) {
            *position = position.clone() - limb.clone();
        }
        positions
    }
}

/// The equation of a row.
fn identity(row: &MultiplyMod<Expr>) -> Identity {
    let within = |cells: &[Expr], bound: i64| -> Vec<Bounded> {
        let cells = cells.iter();
        cells.map(|cell| Bounded::new(cell, 0..bound)).collect()
    };
    let numbers = Numbers {
        x: within(&row.x, 1 << 8),
        y: within(&row.y, 1 << 8),
        modulus: within(&row.modulus, 1 << 8),
        quotient: within(&row.quotient, 1 << 8),
        result: within(&row.result, 1 << 16),
    };
    Identity {
        bits: 16,
        positions: numbers.positions(),
    }
}

/// The positions of a row that is filled but for its carries.
fn positions(row: &MultiplyMod<F>) -> Vec<i64> {
    let numbers = |cells: &[F]| cells.iter().copied().map(number).collect();
    let numbers = Numbers {
        x: numbers(&row.x),
        y: numbers(&row.y),
        modulus: numbers(&row.modulus),
        quotient: numbers(&row.quotient),
        result: numbers(&row.result),
    };
    numbers.positions()
}

/// Fills in result and quotient, and where the result is below the modulus.
fn fill_result(row: &mut MultiplyMod<F>, quotient: &BigUint, result: &BigUint) {
    row.quotient = digits(quotient.to_bytes_le());
    row.result = digits(limbs(result));
    let modulus: [F; 16] = from_fn(|k| row.modulus[2 * k] + row.modulus[2 * k + 1] * F::new(256));
    if let Some(index) = (0..16).rev().find(|k| modulus[*k] != row.result[*k]) {
        row.differs[index] = F::ONE;
        row.difference = modulus[index] - row.result[index] - F::ONE;
    }
}

/// Fills in the carries.
fn fill_carries(row: &mut MultiplyMod<F>, positions: &[i64]) {
    row.carry = digits(carries(positions, 16));
}

/// Digits, low first, and zeros.
fn digits<const N: usize, D: Into<i64> + Copy>(digits: Vec<D>) -> [F; N] {
    from_fn(|index| {
        digits
            .get(index)
            .map_or(F::ZERO, |digit| cell((*digit).into()))
    })
}

/// A number as 16-bit limbs, low first, without zeros at the end.
fn limbs(number: &BigUint) -> Vec<u16> {
    let bytes = number.to_bytes_le();
    let pairs = bytes.chunks(2);
    pairs
        .map(|pair| u16::from_le_bytes([pair[0], pair.get(1).copied().unwrap_or(0)]))
        .collect()
}

/// The bytes of words, low first.
fn bytes_of(words: &[WordAccess]) -> Vec<u8> {
    let words = words.iter();
    words.flat_map(|word| word.previous.to_le_bytes()).collect()
}

/// Fills the row of a call at `clock` that accesses `words`: four each of `x`, `y` and the modulus.
/// The last eight are read only, and lie where `is_read_only` says.
pub(crate) fn fill(clock: u32, words: &[WordAccess], is_read_only: &[bool]) -> MultiplyMod<F> {
    let numbers: [Vec<u8>; 3] = from_fn(|index| bytes_of(&words[4 * index..4 * index + 4]));
    let [x, y, modulus] = numbers
        .each_ref()
        .map(|bytes| BigUint::from_bytes_le(bytes));
    let product = x * y;
    let (quotient, result) = (&product / &modulus, &product % &modulus);
    let [x, y, modulus] = numbers.map(digits);
    let reads = |operand: usize| -> [ReadStamp<F>; 4] {
        from_fn(|index| {
            let (word, is_read_only) = (
                &words[4 * operand + index],
                is_read_only[4 * operand + index - 4],
            );
            fill_read_stamp(word, clock, OPERANDS[operand], is_read_only)
        })
    };
    let mut row = MultiplyMod {
        clock: F::new(clock),
        words: from_fn(|operand| F::new(words[4 * operand].word_index)),
        x,
        y,
        modulus,
        quotient: [F::ZERO; 64],
        result: [F::ZERO; 16],
        carry: [F::ZERO; 31],
        differs: [F::ZERO; 16],
        difference: F::ZERO,
        x_stamps: from_fn(|index| fill_stamp(&words[index], clock, OPERANDS[0])),
        y_stamps: reads(1),
        modulus_stamps: reads(2),
    };
    fill_result(&mut row, &quotient, &result);
    let positions = positions(&row);
    fill_carries(&mut row, &positions);
    row
}

#[cfg(test)]
mod tests {
    use num_bigint::{BigInt, Sign};
    use p3_field::Field;
    use zkvm_air::Columns as _;
    use zkvm_isa::record::{SUBSTEP_MEMORY, SUBSTEP_RS1, SUBSTEP_RS2};
    use zkvm_testkit::rng::Rng;

    use super::*;
    use crate::ProgramRow;
    use crate::limbs256::ORDER;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    /// The words of a call, and which of those that are only read are read-only.
    type Call = (Vec<WordAccess>, Vec<bool>);

    type Chip = ChipTest<Call, MultiplyMod<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |(words, is_read_only), _| {
            fill(CLOCK, words, is_read_only)
        })
    }

    fn power(exponent: u32) -> BigUint {
        BigUint::from(1_u32) << exponent
    }

    fn big(value: u64) -> BigUint {
        BigUint::from(value)
    }

    fn words_of(number: &BigUint) -> [u64; 4] {
        let digits = number.to_u64_digits();
        assert!(digits.len() <= 4, "a number has 256 bits");
        from_fn(|index| digits.get(index).copied().unwrap_or(0))
    }

    /// A call. The chip looks nothing up in the program table; the row of some instruction stands
    /// in.
    fn call(x: &BigUint, y: &BigUint, modulus: &BigUint) -> (Call, ProgramRow) {
        let numbers = [x, y, modulus].into_iter().enumerate();
        let words = numbers.flat_map(|(operand, number)| {
            let first = 0x0200_0000 + 0x1_0000 * operand as u32;
            (0..)
                .zip(words_of(number))
                .map(move |(index, previous)| WordAccess {
                    previous,
                    word_index: first + index,
                    clock: CLOCK - 4 * (index + 1),
                })
        });
        let is_read_only = (0..8).map(|index| index >= 4).collect();
        (
            (words.collect(), is_read_only),
            register_record(0x0073_02b3, 0, 0).1,
        )
    }

    /// Some number with no byte 0.
    fn wide(seed: u64, top: u64) -> BigUint {
        let mut rng = Rng::new(seed);
        let words = (0..3).map(|_| rng.next_u64() | 0x0101_0101_0101_0101);
        let words: Vec<u64> = words.collect();
        (0..)
            .zip(words)
            .fold(big(top) << 192, |sum, (index, word)| {
                sum + (big(word) << (64 * index))
            })
    }

    fn multiplies(chip: &Chip, x: &BigUint, y: &BigUint, modulus: &BigUint) {
        let (call, program) = call(x, y, modulus);
        let row = || chip.row(&call, &program);
        let caught = chip.catches(row(), &program);
        assert!(
            caught.is_empty(),
            "{x:x} · {y:x} mod {modulus:x}: {caught:?}"
        );
        let expected = words_of(&((x * y) % modulus));
        for (index, (word, expected)) in (0_u32..).zip(expected).enumerate() {
            let written = chip.message(row(), &format!("x_stamps[{index}].after"));
            let written = written.expect("it writes");
            assert_eq!(written[1], F::new(0x0200_0000 + word));
            let limbs = crate::common::limbs(expected);
            assert_eq!(written[2..6], limbs, "{x:x} · {y:x} mod {modulus:x}");
            assert_eq!(written[6], F::new(CLOCK + SUBSTEP_MEMORY));
        }
    }

    fn secp256k1_prime() -> BigUint {
        power(256) - power(32) - big(977)
    }

    fn secp256k1_order() -> BigUint {
        let hex = b"fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
        BigUint::parse_bytes(hex, 16).expect("it is a number")
    }

    #[test]
    fn edge_products_hold() {
        let chip = chip();
        let (one, largest) = (big(1), power(256) - big(1));
        let (prime, order) = (secp256k1_prime(), secp256k1_order());
        let numbers = [
            big(0),
            one.clone(),
            big(2),
            big(0xffff),
            power(128) - &one,
            power(255),
            &prime - &one,
            prime.clone(),
            &order - &one,
            order.clone(),
            largest.clone(),
        ];
        let moduli = [
            one.clone(),
            big(2),
            big(3),
            big(255),
            big(0x1_0000),
            power(128) + &one,
            power(248),
            power(255),
            prime,
            order,
            &largest - &one,
            largest,
        ];
        for x in &numbers {
            for y in &numbers {
                for modulus in &moduli {
                    multiplies(&chip, x, y, modulus);
                }
            }
        }
    }

    #[test]
    fn random_products_hold() {
        let chip = chip();
        let mut rng = Rng::new(0x6d6f_6421);
        let mut number = move || {
            let words = (0..4).map(|_| match rng.below(4) {
                0 => rng.pick(&[0, u64::MAX, 1, 0xff00_00ff_0000_ffff]),
                _ => rng.next_u64(),
            });
            let number = words.fold(big(0), |sum, word| (sum << 64) + big(word));
            number >> (rng.below(3) * rng.below(255))
        };
        for _ in 0..1000 {
            let (x, y, modulus) = (number(), number(), number());
            if modulus != big(0) {
                multiplies(&chip, &x, &y, &modulus);
                multiplies(&chip, &x, &(&modulus - big(1)), &modulus);
            }
        }
    }

    #[test]
    fn the_call_is_the_precompiles() {
        let (record, program) = call(&big(5), &big(6), &big(7));
        let chip = chip();
        let message = chip.message(chip.row(&record, &program), "call");
        let expected = [CLOCK, 3, 0x0200_0000, 0x0201_0000, 0x0202_0000];
        assert_eq!(message, Some(expected.map(F::new).to_vec()));
    }

    #[test]
    fn padding_is_silent() {
        let chip = chip();
        let (_, program) = call(&big(5), &big(6), &big(7));
        let padding = || MultiplyMod::take(&mut std::iter::repeat(F::ZERO));
        assert!(chip.catches(padding(), &program).is_empty());
        for interaction in &chip.description.interactions {
            assert_eq!(chip.message(padding(), &interaction.name), None);
        }
    }

    /// Fills the row again so that its equations say that the product is `product`, but for the one
    /// of `position`: `product` is `x · y` less `excess` at that position.
    fn refill(row: &mut MultiplyMod<F>, product: &BigInt, (position, excess): (usize, i64)) {
        let modulus = row.modulus.map(|byte| number(byte) as u8);
        let modulus = BigUint::from_bytes_le(&modulus);
        let product = product.to_biguint().expect("what is left is positive");
        row.differs = [F::ZERO; 16];
        fill_result(row, &(&product / &modulus), &(&product % &modulus));
        let mut positions = positions(row);
        positions[position] -= excess;
        fill_carries(row, &positions);
    }

    /// Fills the carries again.
    fn carry(row: &mut MultiplyMod<F>) {
        let positions = positions(row);
        fill_carries(row, &positions);
    }

    /// A row of `x · y mod modulus` with `excess` too much at one position.
    fn off_by(
        chip: &Chip,
        name: &str,
        [x, y, modulus]: [&BigUint; 3],
        (position, excess): (usize, i64),
    ) {
        let less = BigInt::from(excess) << (16 * position);
        let product = BigInt::from_biguint(Sign::Plus, x * y) - less;
        chip.assert_lie(&call(x, y, modulus), &[name], |row| {
            refill(row, &product, (position, excess));
        });
    }

    #[test]
    fn carries_are_as_bounded_as_the_module_says() {
        let row = MultiplyMod::take(&mut (0..).map(Expr::main));
        let identity = identity(&row);
        let ranges = identity.ranges();
        let lowest = ranges.iter().map(|(low, _)| *low).min();
        let highest = ranges.iter().map(|(_, high)| *high).max();
        assert_eq!((lowest, highest), (Some(-8160), Some(8159)));
        assert_eq!(identity.groups().len(), 11);
        let highest = identity.enforced().into_iter().map(|(_, high)| high);
        assert_eq!(highest.max(), Some(31_108));
        assert_eq!(identity.largest_difference(), 2_105_606_144);
    }

    fn products_cannot_be_forged(chip: &Chip) {
        let (x, y, modulus) = (wide(1, 1 << 63), wide(2, 1 << 63), wide(3, 3 << 62));
        for position in 0..32 {
            let name = format!("product[{position}]");
            off_by(chip, &name, [&x, &y, &modulus], (position, 1));
        }
        // With a modulus of one byte, nothing else meets the quotient's last byte.
        let top = call(&x, &y, &power(248));
        lie!(chip, "quotient_ends", top, |row| row.quotient[63] = F::ONE);
        lie!(chip, "quotient_ends", top, |row| row.quotient[33] = F::ONE);
    }

    fn equations_cannot_wrap(chip: &Chip) {
        let (x, y, modulus) = (wide(1, 1 << 63), wide(2, 1 << 63), wide(3, 3 << 62));
        let (large_x, large_y) = (wide(4, u64::MAX), wide(5, u64::MAX));
        let row = MultiplyMod::take(&mut (0..).map(Expr::main));
        let groups = identity(&row).groups();
        for position in 0..31 {
            // A carry that is too low by 2^15 - 2^8, and one that is too high by as much.
            let name = format!("product.carry[{position}]");
            let numbers = [&large_x, &large_y, &modulus];
            off_by(chip, &name, numbers, (position, ORDER));
            let group = groups.iter().position(|group| group.contains(&position));
            let name = format!("product.carry_sum[{}]", group.expect("all are grouped"));
            off_by(chip, &name, [&x, &y, &modulus], (position, -ORDER));
        }
    }

    fn bytes_are_bytes(chip: &Chip) {
        // Products by 3 have a term for each byte, so that what moves from the low byte of a limb to
        // the high one changes nothing.
        let three = big(3);
        let number = wide(6, 0x3f1f_1f1f_1f1f_1f1f);
        let by_3 = call(&number, &three, &wide(3, 3 << 62));
        let of_3 = call(&three, &number, &wide(3, 3 << 62));
        let three_times = call(&(&number * &three + big(5)), &big(1), &number);
        let large = wide(4, u64::MAX);
        let thirds = call(&large, &large, &three);
        type Cells = fn(&mut MultiplyMod<F>) -> &mut [F];
        let cases: [(&str, &(Call, ProgramRow), Cells); 4] = [
            ("x", &by_3, |row| &mut row.x),
            ("y", &of_3, |row| &mut row.y),
            ("modulus", &three_times, |row| &mut row.modulus),
            ("quotient", &thirds, |row| &mut row.quotient),
        ];
        for (name, honest, cells) in cases {
            let count = if name == "quotient" { 64 } else { 32 };
            for low in (0..count).step_by(2) {
                chip.assert_lie(honest, &[&format!("{name}[{low}]")], |row| {
                    cells(row)[low] += F::new(256);
                    cells(row)[low + 1] -= F::ONE;
                });
                chip.assert_lie(honest, &[&format!("{name}[{}]", low + 1)], |row| {
                    cells(row)[low] -= F::ONE;
                    cells(row)[low + 1] += F::new(256).inverse();
                });
            }
        }
    }

    fn results_are_limbs(chip: &Chip) {
        let (x, y, modulus) = (wide(1, 1 << 63), wide(2, 1 << 63), wide(3, 3 << 62));
        let honest = call(&x, &y, &modulus);
        for index in 0..15 {
            chip.assert_lie(&honest, &[&format!("result[{index}]")], |row| {
                assert_eq!(row.differs[15], F::ONE);
                row.result[index] += F::new(1 << 16);
                row.result[index + 1] -= F::ONE;
                if index == 14 {
                    row.difference += F::ONE;
                }
                carry(row);
            });
        }
        // What is left is negative: less by one modulus.
        let (small, modulus) = (big(7), wide(3, 0x1234 << 48));
        lie!(chip, "result[15]", call(&small, &small, &modulus), |row| {
            let less = power(256) + big(49) - &modulus;
            fill_result(row, &big(1), &less);
            row.result[15] -= F::new(1 << 16);
            row.differs = from_fn(|index| F::from_bool(index == 15));
            row.difference = F::new(0x1233) - row.result[15];
            carry(row);
        });
    }

    fn results_are_below_the_modulus(chip: &Chip) {
        let (x, y, modulus) = (wide(1, 1 << 63), wide(2, 1 << 63), wide(3, 1 << 62));
        let honest = call(&x, &y, &modulus);
        let (quotient, result) = (&x * &y / &modulus, &x * &y % &modulus);
        let not_reduced = |row: &mut MultiplyMod<F>| {
            row.differs = [F::ZERO; 16];
            fill_result(row, &(&quotient - big(1)), &(&result + &modulus));
            carry(row);
        };
        lie!(chip, "below_modulus", honest, |row| not_reduced(row));
        lie!(chip, "difference", honest, |row| {
            not_reduced(row);
            row.difference = F::ZERO;
        });
        // Two limbs are compared, and the call counts twice.
        lie!(
            chip,
            "one_limb_differs",
            call(&big(5), &big(6), &big(7)),
            |row| {
                row.differs[1] = F::ONE;
                row.difference -= F::ONE;
            }
        );
        // The result is the modulus itself: no limb differs.
        lie!(
            chip,
            "below_modulus",
            call(&modulus, &big(1), &modulus),
            |row| {
                fill_result(row, &big(0), &modulus);
                row.differs = from_fn(|index| F::from_bool(index == 0));
                row.difference = F::NEG_ONE;
                carry(row);
            }
        );
        // It is greater than the modulus in one limb, and less by 1 in the lowest.
        let modulus = wide(3, 0x1fff_1fff_1fff_1fff);
        for index in 1..16_usize {
            let more = power(16 * index as u32) - big(1);
            let product = &modulus * big(5) + &more;
            let name = format!("equal_above[{index}]");
            chip.assert_lie(&call(&product, &big(1), &modulus), &[&name], |row| {
                fill_result(row, &big(4), &(&modulus + &more));
                row.differs = from_fn(|index| F::from_bool(index == 0));
                row.difference = F::ZERO;
                carry(row);
            });
        }
        let flags: [String; 16] = from_fn(|index| format!("differs[{index}]"));
        for index in 0..16 {
            let pair = (flags[index].as_str(), flags[(index + 1) % 16].as_str());
            chip.assert_lie(&honest, &[&format!("{}_is_boolean", pair.0)], |row| {
                let columns = &chip.description.columns;
                let cells = columns.iter().map(|column| match column {
                    _ if column == pair.0 => F::NEG_ONE,
                    _ if column == pair.1 => F::ONE,
                    _ => F::ZERO,
                });
                *row = MultiplyMod::take(&mut cells.collect::<Vec<F>>().into_iter());
            });
        }
    }

    fn words_are_accessed_in_the_past(chip: &Chip) {
        let honest = call(&big(5), &big(6), &big(7));
        for index in 0..4 {
            let name = format!("x_stamps[{index}]");
            chip.assert_lies_in_the_past(&honest, (&name, SUBSTEP_MEMORY), |row| {
                let stamp = &mut row.x_stamps[index];
                [&mut stamp.previous_clock, &mut stamp.gap_high]
            });
            type Stamps = fn(&mut MultiplyMod<F>) -> &mut [ReadStamp<F>; 4];
            let reads: [(&str, u32, Stamps); 2] = [
                ("y_stamps", SUBSTEP_RS1, |row| &mut row.y_stamps),
                ("modulus_stamps", SUBSTEP_RS2, |row| &mut row.modulus_stamps),
            ];
            for (name, substep, stamps) in reads {
                let stamp = format!("{name}[{index}].stamp");
                chip.assert_lies_in_the_past(&honest, (&stamp, substep), |row| {
                    let stamp = &mut stamps(row)[index].stamp;
                    [&mut stamp.previous_clock, &mut stamp.gap_high]
                });
                let name = format!("{name}[{index}].is_read_only_is_boolean");
                chip.assert_lie(&honest, &[&name], |row| {
                    stamps(row)[index].is_read_only = F::TWO;
                });
            }
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        products_cannot_be_forged(&chip);
        equations_cannot_wrap(&chip);
        bytes_are_bytes(&chip);
        results_are_limbs(&chip);
        results_are_below_the_modulus(&chip);
        words_are_accessed_in_the_past(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        let (x, y, modulus) = (wide(1, 1 << 63), wide(2, 1 << 63), wide(3, 3 << 62));
        let rows = [
            call(&x, &y, &modulus),
            call(&x, &y, &big(3)),
            call(&big(0), &y, &big(1)),
        ];
        assert_eq!(chip().sweep(&rows), [].into());
    }
}
