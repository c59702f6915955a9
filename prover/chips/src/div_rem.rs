//! `div`, `divu`, `rem`, `remu` and their word forms.
//!
//! # Relation
//!
//! ```text
//! a = q · b + r,  |r| < |b|,  r = 0 or of the sign of a
//! b = 0:        q = -1, in unsigned forms 2^64 - 1 or 2^32 - 1;  r = a
//! div, divu:    rd = q  mod 2^64
//! rem, remu:    rd = r  mod 2^64
//! word forms:   a and b are the low words of rs1 and rs2, rd = q or r mod 2^32, bit 31 copied
//!               into bits 32 to 63
//! ```
//! with `a` the value of `rs1` and `b` that of `rs2`, signed or unsigned as the operation says.
//! The quotient of -2^63 by -1 is 2^63, which mod 2^64 is the -2^63 that the specification asks
//! for. Source: RISC-V unprivileged specification 20240411, section 13.2.
//!
//! A signed number is held as its sign `s`, 1 if it is negative, and as limbs `m` of its two's
//! complement, with every bit flipped if it is negative. Then its absolute value is `m + s`: no
//! carries. With the two parts of each number so named, every row shows, over the integers,
//!
//! ```text
//! (quotient + quotient_negative) · (divisor + divisor_negative)
//!     + remainder + remainder_negative  =  dividend + dividend_negative
//! ```
//! The product of bytes goes as in [`crate::mul`]. It must stay below 2^64: the upper half is a
//! sum of products of bytes, and zero only if each of them is. And
//!
//! ```text
//! divisor + divisor_negative  =  remainder + remainder_negative + 1 + distance
//! ```
//! mod 2^64, with 2^64 to carry if and only if `divisor_is_zero` is 1. So a divisor of zero cannot
//! do without that flag, and another divisor cannot have it.
//!
//! # Why there is one answer
//!
//! The dividend and its sign, the divisor and its sign are functions of the operands. If the
//! divisor is zero, the first equation makes the remainder's absolute value that of the dividend;
//! the quotient's limbs are all ones, or none if it is negative: written, it is all ones in both
//! cases, and its sign is the dividend's. If the divisor is not zero, the two equations determine
//! the absolute values of quotient and remainder. Each of the two is negative only if the operands'
//! signs say so; if they say so and it is not negative, it is zero; and no `m` is a negative zero.
//!
//! # Why the equations hold over the integers
//!
//! A column of the product is below 2^27 and the rest of it below 2^18. Each carry is at least -1,
//! since the dividend's limb and sign are at most 2^16 together, and one more than the carry is
//! looked up to be below 2^13, one by one and in their eightfold sum, as in [`crate::mul`]. So both
//! sides of `product[*]` are below 2^30 in absolute value. Honest carries pass: those out of the
//! lower three limbs are together below 2^12. In `product_high` 28 products of bytes are below
//! 2^21. In `remainder_smaller[*]` the carries are linear in the cells and 0, 1 or 2: two limbs at
//! their largest, the 1, the remainder's sign.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rd`, `writes`, `rs1`, `rs2` | the instruction's | program table | name other operands |
//! | `rs1`, `rs2`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `dividend_top`, `divisor_top` | top limb of a signed operand, else 0 | constraints of these names | take the sign from elsewhere |
//! | `dividend_negative`, `divisor_negative` | top bit of these limbs | `*_is_boolean`, `*_sign` look-ups | choose the signs |
//! | `divisor` | bytes | table of bytes | split a limb into fractions |
//! | `divisor` against `rs2` | | `divisor[*]` | divide by something else |
//! | `divisor_is_zero` | 1 if and only if it is | `divisor_is_zero*`, `remainder_smaller[3]` | leave the remainder unbounded, the quotient free |
//! | `quotient` | bytes | table of bytes | let the product wrap |
//! | `quotient` if the divisor is zero | all ones as written | `quotient_by_zero[*]` | write any quotient |
//! | `quotient_negative`, `remainder_negative` | boolean | `*_is_boolean` | absorb a difference |
//! | the same, against the operands' signs | | `quotient_sign`, `remainder_sign` | write -1 for 1, keep a remainder of 1 |
//! | the same, unless the number is zero | | `quotient_sign_unless_zero`, `remainder_sign_unless_zero` | write it without its sign |
//! | `remainder` | 16-bit limbs | range table | make it negative |
//! | `distance` | 16-bit limbs | range table | make the remainder as large as the divisor |
//! | `carry` | at least -1 and small | range table, `carry_sum` | let an equation wrap mod p |
//! | quotient and remainder against operands | | `product[*]`, `product_high` | claim any quotient |
//! | remainder against divisor | | `remainder_smaller[*]` | a smaller quotient, a larger remainder |
//! | `word_sign` | bit 31 of the result | `word_sign_is_boolean`, `word_sign` look-up | extend with the wrong sign |
//! | `result` | the number with its sign | `result[*]` | write any value |

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::common::{
    Access, Byte, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_limbs,
    eval_read, eval_write, fill_fetch, fill_registers, limbs, limbs_u16,
};
use crate::mul::{carry_cell, eval_carries, product_column, product_column_of};

columns! {
    /// One division.
    pub(crate) struct DivRem {
        /// 1 for `div`.
        is_div: [cell],
        /// 1 for `divu`.
        is_divu: [cell],
        /// 1 for `rem`.
        is_rem: [cell],
        /// 1 for `remu`.
        is_remu: [cell],
        /// 1 for `divw`.
        is_divw: [cell],
        /// 1 for `divuw`.
        is_divuw: [cell],
        /// 1 for `remw`.
        is_remw: [cell],
        /// 1 for `remuw`.
        is_remuw: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the destination register; from the program table.
        rd_number: [cell],
        /// Whether it is written; from the program table.
        writes: [cell],
        /// Number of the first source register; from the program table.
        rs1_number: [cell],
        /// Number of the second source register; from the program table.
        rs2_number: [cell],
        /// Read of `rs1`.
        rs1: [group Access],
        /// Read of `rs2`.
        rs2: [group Access],
        /// Write of `rd`.
        rd: [group Access],
        /// The limb of `rs1` whose top bit is the dividend's sign; 0 in unsigned forms.
        dividend_top: [cell],
        /// Whether the dividend is negative; boolean, bound by a range check.
        dividend_negative: [cell],
        /// The limb of `rs2` whose top bit is the divisor's sign; 0 in unsigned forms.
        divisor_top: [cell],
        /// Whether the divisor is negative; boolean, bound by a range check.
        divisor_negative: [cell],
        /// Bytes of the divisor, flipped if it is negative; range-checked.
        divisor: [cells 8],
        /// Whether the divisor is zero; boolean.
        divisor_is_zero: [cell],
        /// Bytes of the quotient, flipped if it is negative; range-checked.
        quotient: [cells 8],
        /// Whether the quotient is negative; boolean.
        quotient_negative: [cell],
        /// The remainder, flipped if it is negative: 16-bit limbs, range-checked.
        remainder: [cells 4],
        /// Whether the remainder is negative; boolean.
        remainder_negative: [cell],
        /// Carry out of each limb of quotient times divisor plus remainder less dividend; at least
        /// -1, range-checked one by one and together. There is none out of the last limb.
        carry: [cells 3],
        /// By how much the remainder's absolute value plus 1 stays below the divisor's, mod 2^64:
        /// 16-bit limbs, range-checked.
        distance: [cells 4],
        /// Bit 31 of the result; boolean, bound by a range check.
        word_sign: [cell],
        /// The value written: quotient or remainder, or the extension of its bit 31.
        result: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "div_rem";

pub(crate) fn eval(builder: &mut Builder, row: &DivRem<Expr>, _: &()) {
    let flags = [
        ("is_div", &row.is_div),
        ("is_divu", &row.is_divu),
        ("is_rem", &row.is_rem),
        ("is_remu", &row.is_remu),
        ("is_divw", &row.is_divw),
        ("is_divuw", &row.is_divuw),
        ("is_remw", &row.is_remw),
        ("is_remuw", &row.is_remuw),
    ];
    let opcodes = [
        Opcode::Div,
        Opcode::Divu,
        Opcode::Rem,
        Opcode::Remu,
        Opcode::Divw,
        Opcode::Divuw,
        Opcode::Remw,
        Opcode::Remuw,
    ];
    let is_real = eval_flags(builder, &flags);
    let operation = flags
        .iter()
        .zip(opcodes)
        .map(|((_, flag), opcode)| *flag * (opcode as u32))
        .sum();
    let fields = ProgramFields {
        operation,
        rd: row.rd_number.clone(),
        writes: row.writes.clone(),
        rs1: row.rs1_number.clone(),
        rs2: row.rs2_number.clone(),
        imm: [0; 4].map(Expr::from),
        target: Expr::from(0),
    };
    eval_fetch(
        builder,
        &is_real,
        &row.fetch,
        fields,
        row.fetch.next_half_pc.clone(),
    );

    // In padding the program table says nothing.
    builder.assert_zero_when("padding_writes_nothing", &is_real.not(), row.writes.clone());
    let clock = &row.fetch.clock;
    let place = Place::register;
    let at = |substep: u32| clock + substep;
    let (rs1, rs2, rd) = (
        place(&row.rs1_number),
        place(&row.rs2_number),
        place(&row.rd_number),
    );
    let rs1_gap = eval_read(builder, "rs1", &is_real, &rs1, &row.rs1, &at(SUBSTEP_RS1));
    let rs2_gap = eval_read(builder, "rs2", &is_real, &rs2, &row.rs2, &at(SUBSTEP_RS2));
    let rd_gap = eval_write(
        builder,
        "rd",
        &row.writes,
        &rd,
        &row.rd,
        &row.result,
        &at(SUBSTEP_RD),
    );

    let bytes = [("divisor", &row.divisor), ("quotient", &row.quotient)].into_iter();
    let bytes = bytes.flat_map(|(number, bytes)| {
        let bytes = bytes.iter().enumerate();
        bytes.map(move |(index, byte)| Byte::new(&format!("{number}_byte[{index}]"), byte))
    });
    let gaps = [rs1_gap, rs2_gap, rd_gap].into_iter();
    eval_bytes(builder, &is_real, gaps.chain(bytes));
    eval_operands(builder, row, &is_real);
    eval_division(builder, row, &is_real);
    eval_signs(builder, row);
    eval_result(builder, row, &is_real);
}

/// Whether the row is of a form on 64 bits.
fn is_double(row: &DivRem<Expr>) -> Expr {
    &row.is_div + &row.is_divu + &row.is_rem + &row.is_remu
}

/// Limb `index` of the number in a register, flipped if it is negative; 0 beyond a word.
fn operand_limb(row: &DivRem<Expr>, limbs: &[Expr; 4], negative: &Expr, index: usize) -> Expr {
    let limb = flipped(&limbs[index], negative);
    if index < 2 {
        limb
    } else {
        is_double(row) * limb
    }
}

/// A limb, flipped if `negative`.
fn flipped(limb: &Expr, negative: &Expr) -> Expr {
    limb + negative * (Expr::from(0xffff) - limb * 2)
}

/// A number's limbs from its bytes.
fn joined(bytes: &[Expr; 8]) -> [Expr; 4] {
    std::array::from_fn(|index| Expr::join(&bytes[2 * index..2 * index + 2], 8))
}

/// The signs of the operands, the divisor's bytes, and whether it is zero.
fn eval_operands(builder: &mut Builder, row: &DivRem<Expr>, is_real: &Expr) {
    let signed_double = &row.is_div + &row.is_rem;
    let signed_word = &row.is_divw + &row.is_remw;
    let operands = [
        (
            "dividend",
            &row.rs1,
            &row.dividend_top,
            &row.dividend_negative,
        ),
        ("divisor", &row.rs2, &row.divisor_top, &row.divisor_negative),
    ];
    for (name, access, top, negative) in operands {
        let [_, word_top, _, double_top] = &access.previous;
        let selected = &signed_double * double_top + &signed_word * word_top;
        builder.assert_eq(&format!("{name}_top"), top, selected);
        builder.assert_bool(&format!("{name}_negative_is_boolean"), negative);
        // With the limb and the sign in range, twice the rest is below 2^16 only if `negative` is
        // bit 15; where there is no sign, the limb is 0 and `negative` must be.
        let rest = (top - negative * (1_u32 << 15)) * 2;
        builder.send(&format!("{name}_sign"), Bus::Range16, is_real, vec![rest]);
    }

    let divisor = joined(&row.divisor);
    for (index, limb) in divisor.iter().enumerate() {
        let operand = operand_limb(row, &row.rs2.previous, &row.divisor_negative, index);
        builder.assert_eq(&format!("divisor[{index}]"), limb, operand);
    }
    builder.assert_bool("divisor_is_zero_is_boolean", &row.divisor_is_zero);
    // A sum of limbs and a sign is zero only if all of them are.
    let sum = divisor.into_iter().sum::<Expr>() + &row.divisor_negative;
    builder.assert_zero_when("divisor_is_zero", &row.divisor_is_zero, sum);
}

/// Quotient times divisor plus remainder is the dividend, and the remainder is small enough.
fn eval_division(builder: &mut Builder, row: &DivRem<Expr>, is_real: &Expr) {
    let (divisor, quotient) = (joined(&row.divisor), joined(&row.quotient));
    eval_limbs(builder, "remainder", is_real, &row.remainder);
    eval_limbs(builder, "distance", is_real, &row.distance);

    for (index, limb) in divisor.iter().enumerate() {
        let mut sum = product_column(&row.quotient, &row.divisor, index)
            + &row.quotient_negative * limb
            + &row.divisor_negative * &quotient[index]
            + &row.remainder[index];
        let mut dividend = operand_limb(row, &row.rs1.previous, &row.dividend_negative, index);
        if index == 0 {
            sum = sum + &row.quotient_negative * &row.divisor_negative + &row.remainder_negative;
            dividend = dividend + &row.dividend_negative;
        } else {
            sum = sum + &row.carry[index - 1];
        }
        let carry = row.carry.get(index).map_or(Expr::from(0), Expr::from);
        builder.assert_eq(
            &format!("product[{index}]"),
            sum,
            dividend + carry * (1_u32 << 16),
        );
    }
    let high = (1..8)
        .map(|index| &row.quotient[index] * row.divisor[8 - index..].iter().cloned().sum::<Expr>())
        .sum();
    builder.assert_zero("product_high", high);
    let carries: Vec<Expr> = row.carry.iter().map(|carry| carry + 1).collect();
    eval_carries(builder, is_real, &carries);

    let unit = Expr::constant(F::new(1 << 16).inverse());
    let mut carry = is_real + &row.remainder_negative - &row.divisor_negative;
    for (index, limb) in divisor.iter().enumerate() {
        carry = (carry + &row.remainder[index] + &row.distance[index] - limb) * &unit;
        let wrong = match index {
            3 => &carry - &row.divisor_is_zero,
            _ => &carry * (&carry - 1) * (&carry - 2),
        };
        builder.assert_zero(&format!("remainder_smaller[{index}]"), wrong);
    }
    for (index, limb) in quotient.iter().enumerate() {
        // Flipped if negative it is all ones.
        let missing = limb + &row.quotient_negative * 0xffff_u32 - 0xffff;
        let name = format!("quotient_by_zero[{index}]");
        builder.assert_zero_when(&name, &row.divisor_is_zero, missing);
    }
}

/// The signs of quotient and remainder: what the operands' signs say, unless it is zero.
fn eval_signs(builder: &mut Builder, row: &DivRem<Expr>) {
    let (a, b) = (&row.dividend_negative, &row.divisor_negative);
    let differ = a + b - a * b * 2;
    let quotient: Expr = row.quotient.iter().cloned().sum();
    let remainder: Expr = row.remainder.iter().cloned().sum();
    let results = [
        ("quotient", &row.quotient_negative, differ, quotient),
        ("remainder", &row.remainder_negative, a.clone(), remainder),
    ];
    for (name, negative, expected, sum) in results {
        builder.assert_bool(&format!("{name}_negative_is_boolean"), negative);
        builder.assert_zero(&format!("{name}_sign"), negative * expected.not());
        // A sum of bytes or limbs is zero only if all of them are.
        let name = format!("{name}_sign_unless_zero");
        builder.assert_zero(&name, (expected - negative) * sum);
    }
}

/// What is written.
fn eval_result(builder: &mut Builder, row: &DivRem<Expr>, is_real: &Expr) {
    let (quotient_double, quotient_word) =
        (&row.is_div + &row.is_divu, &row.is_divw + &row.is_divuw);
    let (remainder_double, remainder_word) =
        (&row.is_rem + &row.is_remu, &row.is_remw + &row.is_remuw);
    builder.assert_bool("word_sign_is_boolean", &row.word_sign);
    // The limb is in range, being one of the quotient or the remainder.
    let rest = (&row.result[1] - &row.word_sign * (1_u32 << 15)) * 2;
    builder.send("word_sign", Bus::Range16, is_real, vec![rest]);
    for (index, limb) in joined(&row.quotient).iter().enumerate() {
        let quotient = flipped(limb, &row.quotient_negative);
        let remainder = flipped(&row.remainder[index], &row.remainder_negative);
        let selected = if index < 2 {
            (&quotient_double + &quotient_word) * quotient
                + (&remainder_double + &remainder_word) * remainder
        } else {
            let extension = &row.word_sign * 0xffff_u32;
            &quotient_double * quotient
                + &remainder_double * remainder
                + (&quotient_word + &remainder_word) * extension
        };
        builder.assert_eq(&format!("result[{index}]"), &row.result[index], selected);
    }
}

/// An integer: its sign and its absolute value.
#[derive(Clone, Copy, Debug)]
struct Number {
    negative: bool,
    absolute: u64,
}

impl Number {
    /// The number that `bits` stand for if its sign is `negative`.
    fn new(bits: u64, negative: bool) -> Self {
        Number {
            negative,
            absolute: if negative { bits.wrapping_neg() } else { bits },
        }
    }

    /// What the row holds besides the sign: the two's complement, flipped if it is negative.
    fn flipped(self) -> u64 {
        self.absolute.wrapping_sub(u64::from(self.negative))
    }

    /// The two's complement.
    fn bits(self) -> u64 {
        if self.negative {
            self.absolute.wrapping_neg()
        } else {
            self.absolute
        }
    }
}

/// A division of integers.
#[derive(Clone, Copy, Debug)]
struct Division {
    dividend: Number,
    divisor: Number,
    quotient: Number,
    remainder: Number,
}

impl Division {
    /// Divides as the relation says.
    fn new(dividend: Number, divisor: Number) -> Self {
        let (a, b) = (dividend.absolute, divisor.absolute);
        let (quotient, remainder) = match a.checked_div(b) {
            Some(quotient) => (quotient, a % b),
            None if dividend.negative => (1, a),
            None => (u64::MAX, a),
        };
        Division {
            dividend,
            divisor,
            quotient: Number {
                negative: dividend.negative != divisor.negative && quotient != 0,
                absolute: quotient,
            },
            remainder: Number {
                negative: dividend.negative && remainder != 0,
                absolute: remainder,
            },
        }
    }

    /// The carries of `product[*]`.
    fn carries(&self) -> [i64; 3] {
        let Division {
            dividend,
            divisor,
            quotient,
            remainder,
        } = *self;
        let limb = |number: Number, index: usize| i64::from(limbs_u16(number.flipped())[index]);
        let sign = |number: Number| i64::from(number.negative);
        let mut carry = sign(quotient) * sign(divisor) + sign(remainder) - sign(dividend);
        std::array::from_fn(|index| {
            carry += product_column_of(quotient.flipped(), divisor.flipped(), index)
                + sign(quotient) * limb(divisor, index)
                + sign(divisor) * limb(quotient, index)
                + limb(remainder, index)
                - limb(dividend, index);
            carry >>= 16;
            carry
        })
    }
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> DivRem<F> {
    let opcode = program.opcode;
    let operand = |value: u64| match (is_signed(opcode), is_word(opcode)) {
        (false, false) => Number::new(value, false),
        (false, true) => Number::new(value & 0xffff_ffff, false),
        (true, false) => Number::new(value, value >> 63 == 1),
        (true, true) => Number::new(value as i32 as u64, value >> 31 & 1 == 1),
    };
    let division = Division::new(operand(record.rs1_value), operand(record.rs2_value));
    fill_division(record, program, &division)
}

fn is_signed(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Div | Opcode::Rem | Opcode::Divw | Opcode::Remw
    )
}

fn is_word(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::Divw | Opcode::Divuw | Opcode::Remw | Opcode::Remuw
    )
}

/// Fills the row of `record`, whose instruction is `program` and whose numbers are `division`.
fn fill_division(record: &RegisterRecord, program: &ProgramRow, division: &Division) -> DivRem<F> {
    let opcode = program.opcode;
    let Division {
        dividend,
        divisor,
        quotient,
        remainder,
    } = *division;
    let top = |value: u64| match (is_signed(opcode), is_word(opcode)) {
        (false, _) => F::ZERO,
        (true, false) => limbs(value)[3],
        (true, true) => limbs(value)[1],
    };
    let is_quotient = matches!(
        opcode,
        Opcode::Div | Opcode::Divu | Opcode::Divw | Opcode::Divuw
    );
    let bits = if is_quotient {
        quotient.bits()
    } else {
        remainder.bits()
    };
    let word_sign = bits >> 31 & 1 == 1;
    let result = if is_word(opcode) {
        bits as i32 as u64
    } else {
        bits
    };
    let distance = divisor
        .absolute
        .wrapping_sub(remainder.absolute)
        .wrapping_sub(1);
    let [rs1, rs2, rd] = fill_registers(record, program);
    let flag = |which: Opcode| F::from_bool(opcode == which);
    DivRem {
        is_div: flag(Opcode::Div),
        is_divu: flag(Opcode::Divu),
        is_rem: flag(Opcode::Rem),
        is_remu: flag(Opcode::Remu),
        is_divw: flag(Opcode::Divw),
        is_divuw: flag(Opcode::Divuw),
        is_remw: flag(Opcode::Remw),
        is_remuw: flag(Opcode::Remuw),
        fetch: fill_fetch(record.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        rs1,
        rs2,
        rd,
        dividend_top: top(record.rs1_value),
        dividend_negative: F::from_bool(dividend.negative),
        divisor_top: top(record.rs2_value),
        divisor_negative: F::from_bool(divisor.negative),
        divisor: divisor.flipped().to_le_bytes().map(F::from_u8),
        divisor_is_zero: F::from_bool(divisor.absolute == 0),
        quotient: quotient.flipped().to_le_bytes().map(F::from_u8),
        quotient_negative: F::from_bool(quotient.negative),
        remainder: limbs(remainder.flipped()),
        remainder_negative: F::from_bool(remainder.negative),
        carry: division.carries().map(carry_cell),
        distance: limbs(distance),
        word_sign: F::from_bool(word_sign),
        result: limbs(result),
    }
}

#[cfg(test)]
mod tests {
    use std::array::from_fn;

    use p3_field::PrimeField32;
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::Reg;
    use zkvm_testkit::asm::base::{self, RegisterOp};
    use zkvm_testkit::rng::Rng;

    use super::*;
    use crate::testing::{ChipTest, lie, register_record};

    type Honest = (RegisterRecord, ProgramRow);

    const MINUS_7: u64 = 7_u64.wrapping_neg();

    type Chip = ChipTest<RegisterRecord, DivRem<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn honest(operation: RegisterOp, a: u64, b: u64) -> Honest {
        register_record(operation(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn plus(absolute: u64) -> Number {
        Number {
            negative: false,
            absolute,
        }
    }

    fn minus(absolute: u64) -> Number {
        Number {
            negative: true,
            absolute,
        }
    }

    impl ChipTest<RegisterRecord, DivRem<F>> {
        /// The honest row's cells of numbers are those of `division`, then `forge` changes some:
        /// exactly `names` catch it.
        fn assert_forged(
            &self,
            honest: &Honest,
            names: &[&str],
            division: Division,
            forge: impl FnOnce(&mut DivRem<F>),
        ) {
            self.assert_lie(honest, names, |row| {
                *row = fill_division(&honest.0, &honest.1, &division);
                forge(row);
            });
        }
    }

    /// A division that is claimed, of operands that are true.
    fn claim(a: Number, b: Number, quotient: Number, remainder: Number) -> Division {
        Division {
            dividend: a,
            divisor: b,
            quotient,
            remainder,
        }
    }

    fn nothing(_: &mut DivRem<F>) {}

    #[test]
    fn edge_vectors_hold_and_write_the_reference_result() {
        chip().check_alu_vectors(&[
            "div", "divu", "rem", "remu", "divw", "divuw", "remw", "remuw",
        ]);
    }

    /// Quotient and remainder as the specification's table of special cases has them.
    fn reference(a: i128, b: i128) -> (i128, i128) {
        if b == 0 { (-1, a) } else { (a / b, a % b) }
    }

    #[test]
    fn random_quotients_are_those_of_wide_integers() {
        let chip = chip();
        let mut rng = Rng::new(0x6469_7672);
        let mut operand = move || match rng.below(4) {
            0 => rng.next_u64() >> rng.below(64),
            1 => (rng.next_u64() >> rng.below(64)).wrapping_neg(),
            2 => rng.pick(&[
                0,
                1,
                u64::MAX,
                1 << 63,
                1 << 31,
                0xffff_ffff,
                0xffff_ffff << 31,
            ]),
            _ => rng.next_u64(),
        };
        let doubles: [[RegisterOp; 2]; 2] = [[base::div, base::rem], [base::divu, base::remu]];
        let words: [[RegisterOp; 2]; 2] = [[base::divw, base::remw], [base::divuw, base::remuw]];
        let signed_double = |value: u64| i128::from(value as i64);
        let unsigned_double = |value: u64| i128::from(value);
        let signed_word = |value: u64| i128::from(value as i32);
        let unsigned_word = |value: u64| i128::from(value as u32);
        let check = |operations: [RegisterOp; 2], a: u64, b: u64, expected: [u64; 2]| {
            for (operation, expected) in operations.into_iter().zip(expected) {
                let (record, program) = honest(operation, a, b);
                let caught = chip.catches(chip.row(&record, &program), &program);
                assert!(
                    caught.is_empty(),
                    "{a:#x} {b:#x} {:?}: {caught:?}",
                    program.opcode
                );
                let written = chip.message(chip.row(&record, &program), "rd.after");
                let written = written.expect("x5 is written");
                assert_eq!(
                    written[2..6],
                    limbs(expected),
                    "{a:#x} {b:#x} {:?}",
                    program.opcode
                );
            }
        };
        for _ in 0..300 {
            let (a, b) = (operand(), operand());
            let (q, r) = reference(signed_double(a), signed_double(b));
            check(doubles[0], a, b, [q as u64, r as u64]);
            let (q, r) = reference(unsigned_double(a), unsigned_double(b));
            check(doubles[1], a, b, [q as u64, r as u64]);
            let (q, r) = reference(signed_word(a), signed_word(b));
            check(words[0], a, b, [q as i32 as u64, r as i32 as u64]);
            let (q, r) = reference(unsigned_word(a), unsigned_word(b));
            check(words[1], a, b, [q as i32 as u64, r as i32 as u64]);
        }
    }

    #[test]
    fn special_cases_are_the_specifications() {
        let chip = chip();
        let min = 1 << 63;
        let word_min = (1_u64 << 31).wrapping_neg();
        let cases: [(RegisterOp, u64, u64, u64); 12] = [
            (base::div, min, u64::MAX, min),
            (base::rem, min, u64::MAX, 0),
            (base::divw, 1 << 31, 0xffff_ffff, word_min),
            (base::remw, 1 << 31, 0xffff_ffff, 0),
            (base::div, MINUS_7, 0, u64::MAX),
            (base::divu, 7, 0, u64::MAX),
            (base::divw, 7, 5 << 32, u64::MAX),
            (base::divuw, 7, 5 << 32, u64::MAX),
            (base::rem, MINUS_7, 0, MINUS_7),
            (base::remu, MINUS_7, 0, MINUS_7),
            (base::remw, 1 << 31, 0, word_min),
            (base::remuw, 1 << 31, 0, word_min),
        ];
        for (operation, a, b, expected) in cases {
            let (record, program) = honest(operation, a, b);
            assert!(
                chip.catches(chip.row(&record, &program), &program)
                    .is_empty()
            );
            let written = chip.message(chip.row(&record, &program), "rd.after");
            let written = written.expect("x5 is written");
            assert_eq!(
                written[2..6],
                limbs(expected),
                "{a:#x} {b:#x} {:?}",
                program.opcode
            );
        }
    }

    fn the_product_is_the_dividend(chip: &Chip) {
        // Limbs of the remainder that can grow by 1 and stay below the divisor's.
        let (a, b) = (0x0005_0005_0005_0005, 0x0100_0100_0100_0100);
        for index in 0..4 {
            let remainder = plus(a + (1 << (16 * index)));
            let claimed = claim(plus(a), plus(b), plus(0), remainder);
            let name = format!("product[{index}]");
            chip.assert_forged(&honest(base::remu, a, b), &[&name], claimed, nothing);
        }
        // The quotient one too small and the remainder that goes with it.
        let claimed = claim(plus(7), plus(3), plus(1), plus(4));
        let bottomless = [0xfffe, 0xffff, 0xffff].map(F::new);
        chip.assert_forged(
            &honest(base::divu, 7, 3),
            &["distance[3]"],
            claimed,
            |row| {
                row.distance = [bottomless[0], bottomless[1], bottomless[2], -F::ONE];
            },
        );
        // Beyond 2^64: 2^32 times 2^32.
        let claimed = claim(plus(5), plus(1 << 32), plus(1 << 32), plus(5));
        chip.assert_forged(
            &honest(base::divu, 5, 1 << 32),
            &["product_high"],
            claimed,
            nothing,
        );
        // Beyond 2^64 by the carry of the last limb.
        let (b, quotient) = (0xffff_ffff, 0xff_u64 << 32);
        let a = quotient.wrapping_mul(b);
        let claimed = claim(plus(a), plus(b), plus(quotient), plus(0));
        chip.assert_forged(&honest(base::divu, a, b), &["product[3]"], claimed, nothing);
    }

    fn equations_cannot_wrap(chip: &Chip) {
        let a = 0x8000_8000_8000_8000;
        let honest = honest(base::remu, a, u64::MAX);
        // p = 1 + 2^16 · (2^15 - 2^8): each wrap is one unit less in the remainder's limb and this
        // much in the carry, which the next limb makes up for.
        let carry_of_wrap = 0x7f00;
        let wrapped = |wraps: [i64; 4]| {
            let mut carry_in = 0;
            let remainder: [i64; 4] = from_fn(|index| {
                let limb = 0x8000 - carry_in - wraps[index];
                carry_in = wraps[index] * carry_of_wrap;
                limb
            });
            let absolute = remainder
                .iter()
                .rev()
                .fold(0, |value, limb| value << 16 | *limb as u64);
            let division = claim(plus(a), plus(u64::MAX), plus(0), plus(absolute));
            let carry: [F; 3] = from_fn(|index| carry_cell(wraps[index] * carry_of_wrap));
            (division, move |row: &mut DivRem<F>| row.carry = carry)
        };
        for index in 0..3 {
            // Every carry is below 2^16.
            let (division, forge) = wrapped(from_fn(|column| i64::from(column == index)));
            chip.assert_forged(&honest, &["carry_sum"], division, forge);
            // In opposite directions: the sum of the carries is as it should be.
            let other = if index < 2 { index + 1 } else { 1 };
            let (division, forge) = wrapped(from_fn(|column| match column {
                _ if column == index => -1,
                _ if column == other => 1,
                _ => 0,
            }));
            chip.assert_forged(&honest, &[&format!("carry[{index}]")], division, forge);
        }
    }

    fn the_remainder_is_smaller_than_the_divisor(chip: &Chip) {
        let honest_small = honest(base::remu, 3, 0x0010_0010_0010_0010);
        // A fraction as a carry: it and the next limb's make a multiple of p.
        for index in 0..3 {
            let name = format!("remainder_smaller[{index}]");
            chip.assert_lie(&honest_small, &[&name], |row| {
                row.distance[index] += F::ONE;
                row.distance[index + 1] += F::new(0x7f00);
            });
        }
        lie!(chip, "remainder_smaller[3]", honest_small, |row| row
            .distance[3] +=
            F::ONE);
        // Without limbs in range the distance could be negative, see above for the last one.
        for index in 0..3 {
            chip.assert_lie(&honest_small, &[&format!("distance[{index}]")], |row| {
                row.distance[index] += F::new(1 << 16);
                row.distance[index + 1] -= F::ONE;
            });
        }
        // As could the remainder: 5 = 2 · 3 - 1.
        let claimed = claim(plus(5), plus(3), plus(2), plus(1_u64.wrapping_neg()));
        chip.assert_forged(
            &honest(base::divu, 5, 3),
            &["remainder[3]"],
            claimed,
            |row| {
                row.remainder[3] = -F::ONE;
                row.distance = limbs(3);
            },
        );
        for index in 0..3 {
            let a = 0x0005_0005_0005_0005;
            let honest = honest(base::divu, a, a << 1);
            chip.assert_lie(&honest, &[&format!("remainder[{index}]")], |row| {
                row.remainder[index] += F::new(1 << 16);
                row.remainder[index + 1] -= F::ONE;
                row.carry[index] += F::ONE;
            });
        }
    }

    fn bytes_are_those_of_the_numbers(chip: &Chip) {
        // 256 more in the low byte and one less in the high byte: the limb is the same. Against a
        // number of one byte the carries are too.
        let (a, b) = (0x7fff_ffff_ffff_ffff, 0x0102_0304_0506_0708);
        type Bytes = fn(&mut DivRem<F>) -> &mut [F; 8];
        for index in 0..4 {
            let numbers: [(&str, Honest, Bytes); 2] = [
                ("divisor", honest(base::divu, a, b), |row| &mut row.divisor),
                ("quotient", honest(base::divu, a, 3), |row| {
                    &mut row.quotient
                }),
            ];
            for (name, honest, bytes) in numbers {
                let name = |byte: usize| format!("{name}_byte[{byte}]");
                chip.assert_lie(&honest, &[&name(2 * index)], |row| {
                    bytes(row)[2 * index] += F::new(256);
                    bytes(row)[2 * index + 1] -= F::ONE;
                });
                // 1 less in the low byte, a fraction more in the high byte.
                chip.assert_lie(&honest, &[&name(2 * index + 1)], |row| {
                    bytes(row)[2 * index] -= F::ONE;
                    bytes(row)[2 * index + 1] += F::new(256).inverse();
                });
            }
        }
    }

    fn operands_are_those_of_the_registers(chip: &Chip) {
        let (a, b) = (0x7fff_ffff_ffff_ffff, 0x0102_0304_0506_0708);
        for index in 0..4 {
            let other = b ^ 1 << (16 * index);
            let name = format!("divisor[{index}]");
            let claimed = Division::new(plus(a), plus(other));
            chip.assert_forged(&honest(base::divu, a, b), &[&name], claimed, nothing);
        }
        // Word forms leave the upper halves of the operands out.
        let (a, b) = (5 << 32 | 7, 3 << 32 | 2);
        let claimed = Division::new(plus(7), plus(b));
        chip.assert_forged(
            &honest(base::divuw, a, b),
            &["divisor[2]"],
            claimed,
            nothing,
        );
        let claimed = Division::new(plus(a), plus(2));
        chip.assert_forged(
            &honest(base::remuw, a, b),
            &["product[2]"],
            claimed,
            nothing,
        );
    }

    fn signs_are_those_of_the_operands(chip: &Chip) {
        // The number that the bits of 7 are if it is said to be negative: 7 - 2^64.
        let minus_7 = Number::new(7, true);
        // A sign left out, or one that is not there: of the dividend by 5, of the divisor of 20.
        let cases: [(RegisterOp, u64, Number); 5] = [
            (base::div, MINUS_7, plus(MINUS_7)),
            (base::rem, 7, minus_7),
            (base::divu, MINUS_7, minus(7)),
            (base::remu, 7, minus_7),
            (base::divw, MINUS_7, plus(MINUS_7 & 0xffff_ffff)),
        ];
        for (operation, value, number) in cases {
            let by_5 = Division::new(number, plus(5));
            chip.assert_forged(
                &honest(operation, value, 5),
                &["dividend_sign"],
                by_5,
                nothing,
            );
            let of_20 = Division::new(plus(20), number);
            chip.assert_forged(
                &honest(operation, 20, value),
                &["divisor_sign"],
                of_20,
                nothing,
            );
        }
        // The sign of another limb.
        let by_5 = Division::new(minus_7, plus(5));
        chip.assert_forged(&honest(base::rem, 7, 5), &["dividend_top"], by_5, |row| {
            row.dividend_top = F::new(1 << 15);
        });
        let of_20 = Division::new(plus(20), minus_7);
        chip.assert_forged(&honest(base::remu, 20, 7), &["divisor_top"], of_20, |row| {
            row.divisor_top = F::new(1 << 15);
        });
    }

    fn signs_of_operands_cannot_be_fractions(chip: &Chip) {
        // -2^15 + 2^8 is 2^-16. As a sign it takes half the odd number 2^16 - 1 - 2 · 0x7fff = 1
        // away in each limb, and 0xff are left.
        let (value, sign) = (0x7fff_7fff_7fff_7fff, F::new(1 << 16).inverse());
        let left = 0x00ff_00ff_00ff_00ff;
        let claimed = Division::new(plus(5), plus(left));
        let by_value = honest(base::rem, 5, value);
        chip.assert_forged(
            &by_value,
            &["divisor_negative_is_boolean"],
            claimed,
            |row| {
                row.divisor_negative = sign;
                row.distance = limbs(left - 0x7f00 - 5 - 1);
            },
        );
        // The dividend's makes a remainder; its own sign is not that of the dividend then.
        let of_value = honest(base::rem, value, i64::MAX as u64);
        let claimed = Division::new(plus(left - 0x7f00), plus(i64::MAX as u64));
        chip.assert_forged(
            &of_value,
            &["dividend_negative_is_boolean", "remainder_sign_unless_zero"],
            claimed,
            |row| {
                row.dividend_negative = sign;
                row.carry[0] = F::ONE;
            },
        );
    }

    fn signs_of_results_are_the_only_ones(chip: &Chip) {
        let by_5 = honest(base::div, MINUS_7, 5);
        // Without their signs.
        let claimed = claim(minus(7), plus(5), plus(1), minus(2));
        chip.assert_forged(&by_5, &["quotient_sign_unless_zero"], claimed, nothing);
        let claimed = claim(minus(7), plus(5), minus(1), plus(2));
        let rem_5 = honest(base::rem, MINUS_7, 5);
        chip.assert_forged(&rem_5, &["remainder_sign_unless_zero"], claimed, nothing);
        // With signs that are not theirs: -1 for 1, the only number whose limbs are zero then.
        let claimed = claim(plus(7), plus(5), minus(1), plus(2));
        chip.assert_forged(
            &honest(base::div, 7, 5),
            &["quotient_sign"],
            claimed,
            nothing,
        );
        let claimed = claim(plus(6), plus(5), plus(1), minus(1));
        chip.assert_forged(
            &honest(base::rem, 6, 5),
            &["remainder_sign"],
            claimed,
            nothing,
        );
        // A sign of 3/2 stands for a quotient of 3/2: the remainder of -6 by 4 would be 0.
        let rem_4 = honest(base::rem, 6_u64.wrapping_neg(), 4);
        let claimed = claim(minus(6), plus(4), plus(0), plus(0));
        chip.assert_forged(&rem_4, &["quotient_negative_is_boolean"], claimed, |row| {
            row.quotient_negative = F::new(3) * F::TWO.inverse();
            row.carry = [F::ZERO; 3];
        });
        // A sign of -3 stands for a remainder of -3: the quotient of 7 by 5 would be 2.
        let claimed = claim(minus(7), plus(5), minus(2), plus(0));
        chip.assert_forged(&by_5, &["remainder_negative_is_boolean"], claimed, |row| {
            row.remainder_negative = -F::new(3);
            row.distance = limbs(7);
            row.carry = [F::ZERO; 3];
        });
        // Negative zeros: their limbs would stand for 2^64 - 1, and one more is not zero.
        let by_minus_7 = honest(base::div, 3, MINUS_7);
        let claimed = claim(plus(3), minus(7), minus(0), plus(3));
        chip.assert_forged(&by_minus_7, &["product[3]"], claimed, nothing);
        let without_rest = honest(base::rem, 10_u64.wrapping_neg(), 5);
        let claimed = claim(minus(10), plus(5), minus(2), minus(0));
        let names = ["product[3]", "remainder_smaller[3]"];
        chip.assert_forged(&without_rest, &names, claimed, nothing);
        // Limbs of zero with the sign stand for -1.
        let claimed = claim(plus(3), minus(7), minus(1), plus(3));
        chip.assert_forged(&by_minus_7, &["product[0]"], claimed, nothing);
    }

    fn division_by_zero_has_one_answer(chip: &Chip) {
        for index in 0..4 {
            let quotient = plus(!(1 << (16 * index)));
            let claimed = claim(plus(7), plus(0), quotient, plus(7));
            let name = format!("quotient_by_zero[{index}]");
            chip.assert_forged(&honest(base::divu, 7, 0), &[&name], claimed, nothing);
        }
        // A dividend that is negative may not have the positive quotient of all ones.
        let claimed = claim(minus(7), plus(0), plus(u64::MAX), minus(7));
        let by_zero = honest(base::div, MINUS_7, 0);
        chip.assert_forged(&by_zero, &["quotient_sign_unless_zero"], claimed, nothing);
        // A remainder other than the dividend.
        let claimed = claim(plus(7), plus(0), plus(u64::MAX), plus(8));
        chip.assert_forged(&honest(base::remu, 7, 0), &["product[0]"], claimed, nothing);
        // Zero is said to be another divisor, then a quotient of 5 goes.
        let claimed = claim(plus(7), plus(0), plus(5), plus(7));
        chip.assert_forged(
            &honest(base::divu, 7, 0),
            &["remainder_smaller[3]"],
            claimed,
            |row| {
                row.divisor_is_zero = F::ZERO;
            },
        );
        // 3 is said to be zero: -10 = -1 · 3 - 7 has the quotient that must be.
        let claimed = claim(minus(10), plus(3), minus(1), minus(7));
        let by_3 = honest(base::rem, 10_u64.wrapping_neg(), 3);
        chip.assert_forged(&by_3, &["divisor_is_zero"], claimed, |row| {
            row.divisor_is_zero = F::ONE;
        });
        lie!(
            chip,
            "divisor_is_zero_is_boolean",
            honest(base::divu, 7, 0),
            |row| {
                row.distance[3] -= F::ONE;
                row.divisor_is_zero -= F::new(1 << 16).inverse();
            }
        );
    }

    fn results_are_quotient_or_remainder(chip: &Chip) {
        let operations: [RegisterOp; 4] = [base::div, base::remu, base::divuw, base::remw];
        for operation in operations {
            for index in 0..4 {
                let name = format!("result[{index}]");
                let honest = honest(operation, MINUS_7, 5);
                chip.assert_lie(&honest, &[&name], |row| {
                    row.result[index] = F::new(row.result[index].as_canonical_u32() ^ 1);
                });
            }
        }
    }

    fn words_extend_their_true_sign(chip: &Chip) {
        let extend = |row: &mut DivRem<F>, sign: F| {
            row.word_sign = sign;
            row.result[2] = sign * F::new(0xffff);
            row.result[3] = sign * F::new(0xffff);
        };
        let negative = honest(base::divuw, 1 << 31, 1);
        lie!(chip, "word_sign", negative, |row| extend(row, F::ZERO));
        let positive = honest(base::remuw, 1 << 30, 1 << 31);
        lie!(chip, "word_sign", positive, |row| extend(row, F::ONE));
        // Half a sign: the doubled rest stays in range.
        lie!(chip, "word_sign_is_boolean", positive, |row| extend(
            row,
            F::TWO.inverse()
        ));
    }

    fn operation_is_the_programs(chip: &Chip) {
        lie!(chip, "program", honest(base::divu, 5, 1), |row| {
            (row.is_divu, row.is_remu) = (F::ZERO, F::ONE);
            row.result = limbs(0);
        });
        lie!(chip, "program", honest(base::divu, 5, 1), |row| row
            .rd_number =
            F::new(6));
        let mut to_x0 = honest(base::div, 0, 5);
        (to_x0.1.rd, to_x0.1.writes) = (0, false);
        lie!(
            chip,
            "at_most_one_operation",
            to_x0,
            |row| {
                row.is_rem = F::ONE;
                // The 1 in the inequality is the row's.
                row.distance[0] -= F::ONE;
            },
            also["program"]
        );
        let flags = [
            ("is_div", "is_divu"),
            ("is_divu", "is_rem"),
            ("is_rem", "is_remu"),
            ("is_remu", "is_divw"),
            ("is_divw", "is_divuw"),
            ("is_divuw", "is_remw"),
            ("is_remw", "is_remuw"),
            ("is_remuw", "is_div"),
        ];
        chip.assert_flags_are_boolean(&honest(base::div, 7, 5), &flags);
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = honest(base::div, 7, 5);
        chip.assert_lies_in_the_past(&honest, ("rs1", SUBSTEP_RS1), |row| {
            [&mut row.rs1.previous_clock, &mut row.rs1.gap_high]
        });
        chip.assert_lies_in_the_past(&honest, ("rs2", SUBSTEP_RS2), |row| {
            [&mut row.rs2.previous_clock, &mut row.rs2.gap_high]
        });
        chip.assert_lies_in_the_past(&honest, ("rd", SUBSTEP_RD), |row| {
            [&mut row.rd.previous_clock, &mut row.rd.gap_high]
        });
    }

    fn padding_writes_nothing(chip: &Chip) {
        lie!(
            chip,
            "padding_writes_nothing",
            honest(base::div, 7, 5),
            |row| {
                *row = DivRem::take(&mut std::iter::repeat(F::ZERO));
                row.writes = F::ONE;
            }
        );
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        the_product_is_the_dividend(&chip);
        equations_cannot_wrap(&chip);
        the_remainder_is_smaller_than_the_divisor(&chip);
        bytes_are_those_of_the_numbers(&chip);
        operands_are_those_of_the_registers(&chip);
        signs_are_those_of_the_operands(&chip);
        signs_of_operands_cannot_be_fractions(&chip);
        signs_of_results_are_the_only_ones(&chip);
        division_by_zero_has_one_answer(&chip);
        results_are_quotient_or_remainder(&chip);
        words_extend_their_true_sign(&chip);
        operation_is_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        // A dividend's sign s that is a fraction makes quotient and remainder zero, by their signs'
        // checks. What its look-up leaves is s = k / 2^16 with |k| < 2^17, and `product[*]` are
        // limb + s · (2^16 - 1 - 2 · limb) = carry_in - 2^16 · carry, and s more in limb 0. All k and
        // all carries that pass `carry_sum` were searched, for each form: never are all limbs in range.
        chip.assert_every_name_was_forged(&[
            (
                "at_most_one_operation",
                "two of the operations' numbers add up to more than any",
            ),
            (
                "dividend_negative_is_boolean",
                "a search finds no dividend with such a sign; see above",
            ),
        ]);
    }

    #[test]
    fn every_cell_is_noticed() {
        let large = 0x0123_4567_89ab_cdef;
        let rows = [
            honest(base::div, MINUS_7, 5),
            honest(base::div, 1 << 63, u64::MAX),
            honest(base::div, MINUS_7, 0),
            honest(base::div, 7, 0),
            honest(base::div, 3, MINUS_7),
            honest(base::divu, u64::MAX, large),
            honest(base::rem, large, MINUS_7),
            honest(base::rem, 10_u64.wrapping_neg(), 5),
            honest(base::remu, large, 0),
            honest(base::divw, MINUS_7, 5),
            honest(base::divuw, 1 << 31, 1),
            honest(base::remw, large, MINUS_7),
            honest(base::remuw, large, 0),
        ];
        // No cell is free: every row holds the whole division.
        assert_eq!(chip().sweep(&rows), [].into());
    }
}
