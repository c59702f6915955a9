//! `mul`, `mulh`, `mulhsu`, `mulhu` and `mulw`.
//!
//! # Relation
//!
//! ```text
//! mul:      rd = a · b  mod 2^64
//! mulh:     rd = bits 64 to 127 of a · b, both signed
//! mulhsu:   the same, a signed and b unsigned
//! mulhu:    the same, both unsigned
//! mulw:     rd = a · b  mod 2^32, bit 31 copied into bits 32 to 63
//! ```
//! with `a` the value of `rs1` and `b` that of `rs2`. Source: RISC-V unprivileged specification
//! 20240411, section 13.1.
//!
//! Every row holds the whole product mod 2^128, limb by limb. With `A`, `B` the 16-bit limbs and
//! `x`, `y` the bytes of the operands, and `s`, `t` their signs where the operation has any:
//!
//! ```text
//! Σ x[i] · y[j] · 2^(8·(i + j - 2m)), i + j = 2m or 2m + 1
//!     - s · B[m - 4] - t · A[m - 4] + carry[m - 1]  =  limb[m] + 2^16 · carry[m]
//! ```
//! An operand whose sign is set counts 2^64 less, so the other one comes off the upper half. The
//! last carry is then 0 or -1: -1 if the product is negative, and if both signs are set, since the
//! product, positive, is 2^128 more than what is added up.
//!
//! # Why the equations hold over the integers
//!
//! A sum of products is at most `255^2 · (7 + 8 · 256) < 2^27`. Each carry cell plus its offset is
//! looked up to be below 2^16, so the sum of them is no larger than `7 · 2^16` and its look-up,
//! eightfold, proves each below 2^13. So both sides of every equation are smaller than 2^30 in
//! absolute value, and equal over the integers. With the carry look-ups alone they would not be:
//! `limb + 1` and `carry + 2^15 - 2^8` is the same number mod p. Honest carries pass: the largest
//! sum, that of `2^64 - 1` by itself, is 8162.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rd`, `writes`, `rs1`, `rs2` | the instruction's | program table | name other operands |
//! | `rs1`, `rs2`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `rs1_low`, `rs2_low` | bytes, and the limb's rest is 256 times one | table of bytes; the top bytes by the bitwise table | split a limb into fractions |
//! | `rs1_negative`, `rs2_negative` | top bit if the operation has a sign there, else 0 | bitwise table | choose the signs |
//! | `low`, `high` | 16-bit limbs | range table; `low[1]` by `word_sign` | hide a carry in an oversized limb |
//! | `carry` | at least -2 and small | range table, `carry_sum` | let an equation wrap mod p |
//! | `borrow` | boolean | `borrow_is_boolean` | absorb any difference in the last limb |
//! | `low`, `high` against operands | | `product[*]` | claim any product |
//! | `word_sign` | bit 31 of the product | `word_sign_is_boolean`, `word_sign` look-up | extend with the wrong sign |
//! | `result` | a half of the product, or the word extended | `result[*]` | write any value |
//!
//! `low[1]` has no look-up of its own. By its equation it is an integer smaller than 2^30 in
//! absolute value, so twice it cannot wrap, and `word_sign` shows that what is left of it without
//! the sign is at least 0 and below 2^15.

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::bitwise_table::AND;
use crate::common::{
    Access, Byte, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_limbs,
    eval_read, eval_write, fill_fetch, fill_registers, limbs,
};

columns! {
    /// One multiplication.
    pub(crate) struct Mul {
        /// 1 for `mul`.
        is_mul: [cell],
        /// 1 for `mulh`.
        is_mulh: [cell],
        /// 1 for `mulhsu`.
        is_mulhsu: [cell],
        /// 1 for `mulhu`.
        is_mulhu: [cell],
        /// 1 for `mulw`.
        is_mulw: [cell],
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
        /// Low byte of each limb of `rs1`; range-checked, as is the high byte.
        rs1_low: [cells 4],
        /// Low byte of each limb of `rs2`; range-checked, as is the high byte.
        rs2_low: [cells 4],
        /// Top bit of `rs1` in `mulh` and `mulhsu`, else 0; from the bitwise table, which also
        /// checks the top byte.
        rs1_negative: [cell],
        /// Top bit of `rs2` in `mulh`, else 0; from the bitwise table, which also checks the top
        /// byte.
        rs2_negative: [cell],
        /// Bits 0 to 63 of the product: 16-bit limbs, range-checked.
        low: [cells 4],
        /// Bits 64 to 127 of the product: 16-bit limbs, range-checked.
        high: [cells 4],
        /// Carry out of each limb of the product but the last; at least -2, range-checked one by
        /// one and together.
        carry: [cells 7],
        /// The carry out of the last limb, negated; boolean.
        borrow: [cell],
        /// Bit 31 of the product; boolean, bound by a range check.
        word_sign: [cell],
        /// The value written: limbs of the product, or the extension of its bit 31.
        result: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "mul";

pub(crate) fn eval(builder: &mut Builder, row: &Mul<Expr>, _: &()) {
    let flags = [
        ("is_mul", &row.is_mul),
        ("is_mulh", &row.is_mulh),
        ("is_mulhsu", &row.is_mulhsu),
        ("is_mulhu", &row.is_mulhu),
        ("is_mulw", &row.is_mulw),
    ];
    let opcodes = [
        Opcode::Mul,
        Opcode::Mulh,
        Opcode::Mulhsu,
        Opcode::Mulhu,
        Opcode::Mulw,
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

    let bytes = eval_product(builder, row, &is_real);
    let gaps = [rs1_gap, rs2_gap, rd_gap].into_iter();
    eval_bytes(builder, &is_real, gaps.chain(bytes));
    eval_result(builder, row, &is_real);
}

/// The bytes and signs of the operands, and the product limb by limb. Returns the bytes but the top
/// ones, which are looked up with their signs.
fn eval_product(builder: &mut Builder, row: &Mul<Expr>, is_real: &Expr) -> Vec<Byte> {
    let (a, b) = (&row.rs1.previous, &row.rs2.previous);
    let (x, y) = (bytes_of(a, &row.rs1_low), bytes_of(b, &row.rs2_low));
    let bytes = [("rs1", &x), ("rs2", &y)].into_iter();
    let bytes = bytes.flat_map(|(operand, bytes)| {
        let bytes = bytes[..7].iter().enumerate();
        bytes.map(move |(index, byte)| Byte::new(&format!("{operand}_byte[{index}]"), byte))
    });
    let bytes = bytes.collect();
    // Masked with 2^7 or 0 by the operation, the top byte leaves its sign; and it is a byte.
    let masked = |byte: &Expr, has_sign: Expr, sign: &Expr| {
        vec![
            Expr::from(AND),
            byte.clone(),
            has_sign * (1_u32 << 7),
            sign * (1_u32 << 7),
        ]
    };
    let rs1_sign = masked(&x[7], &row.is_mulh + &row.is_mulhsu, &row.rs1_negative);
    let rs2_sign = masked(&y[7], row.is_mulh.clone(), &row.rs2_negative);
    builder.send("rs1_sign", Bus::Bitwise, is_real, rs1_sign);
    builder.send("rs2_sign", Bus::Bitwise, is_real, rs2_sign);

    for (index, limb) in row.low.iter().chain(&row.high).enumerate() {
        let mut sum = product_column(&x, &y, index);
        if index >= 4 {
            let (a, b) = (&a[index - 4], &b[index - 4]);
            sum = sum - &row.rs1_negative * b - &row.rs2_negative * a;
        }
        if index > 0 {
            sum = sum + &row.carry[index - 1];
        }
        let carry = row.carry.get(index).map_or(-row.borrow.clone(), Expr::from);
        builder.assert_eq(
            &format!("product[{index}]"),
            sum,
            limb + carry * (1_u32 << 16),
        );
    }
    builder.assert_bool("borrow_is_boolean", &row.borrow);
    for index in [0, 2, 3] {
        let limb = vec![row.low[index].clone()];
        builder.send(&format!("low[{index}]"), Bus::Range16, is_real, limb);
    }
    eval_limbs(builder, "high", is_real, &row.high);
    let carries: Vec<Expr> = row
        .carry
        .iter()
        .zip(CARRY_OFFSETS)
        .map(|(carry, offset)| carry + offset)
        .collect();
    eval_carries(builder, is_real, &carries);
    bytes
}

/// How far below 0 each carry may lie: two operands can come off each of the upper limbs.
const CARRY_OFFSETS: [u32; 7] = [0, 0, 0, 0, 2, 2, 2];

/// Which part of the product is written.
fn eval_result(builder: &mut Builder, row: &Mul<Expr>, is_real: &Expr) {
    let is_high = &row.is_mulh + &row.is_mulhsu + &row.is_mulhu;
    builder.assert_bool("word_sign_is_boolean", &row.word_sign);
    // With the sign in range, twice the rest is below 2^16 only if `word_sign` is bit 15.
    let rest = (&row.low[1] - &row.word_sign * (1_u32 << 15)) * 2;
    builder.send("word_sign", Bus::Range16, is_real, vec![rest]);
    for index in 0..4 {
        let word = match index {
            0 | 1 => row.low[index].clone(),
            _ => &row.word_sign * 0xffff_u32,
        };
        let selected =
            &row.is_mul * &row.low[index] + &is_high * &row.high[index] + &row.is_mulw * word;
        builder.assert_eq(&format!("result[{index}]"), &row.result[index], selected);
    }
}

/// The bytes of limbs whose low bytes are given; the others are the rests divided by 256.
fn bytes_of(limbs: &[Expr; 4], low: &[Expr; 4]) -> [Expr; 8] {
    let scale = Expr::constant(F::new(1 << 8).inverse());
    std::array::from_fn(|index| match index % 2 {
        0 => low[index / 2].clone(),
        _ => (&limbs[index / 2] - &low[index / 2]) * &scale,
    })
}

/// Looks up that carries are below 2^16, and so is eight times their sum: each is below 2^13.
pub(crate) fn eval_carries(builder: &mut Builder, multiplicity: &Expr, carries: &[Expr]) {
    eval_limbs(builder, "carry", multiplicity, carries);
    let sum: Expr = carries.iter().cloned().sum();
    builder.send("carry_sum", Bus::Range16, multiplicity, vec![sum * 8]);
}

/// What a product of two 8-byte numbers adds up at 16-bit limb `column`, 0 to 7, carries aside.
pub(crate) fn product_column(x: &[Expr; 8], y: &[Expr; 8], column: usize) -> Expr {
    let [low, high] = [2 * column, 2 * column + 1]
        .map(|position| -> Expr { byte_pairs(position).map(|(i, j)| &x[i] * &y[j]).sum() });
    low + high * (1_u32 << 8)
}

/// [`product_column`] in numbers.
pub(crate) fn product_column_of(x: u64, y: u64, column: usize) -> i64 {
    let (x, y) = (x.to_le_bytes(), y.to_le_bytes());
    let [low, high] = [2 * column, 2 * column + 1].map(|position| -> i64 {
        byte_pairs(position)
            .map(|(i, j)| i64::from(x[i]) * i64::from(y[j]))
            .sum()
    });
    low + (high << 8)
}

/// The bytes of two 8-byte numbers whose product has the weight `2^(8 · position)`.
fn byte_pairs(position: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..8)
        .filter_map(move |i| Some((i, position.checked_sub(i)?)))
        .filter(|(_, j)| *j < 8)
}

/// The low bytes of a value's limbs.
fn low_bytes(value: u64) -> [F; 4] {
    std::array::from_fn(|index| F::from_u8(value.to_le_bytes()[2 * index]))
}

/// A carry, which may be negative.
pub(crate) fn carry_cell(carry: i64) -> F {
    let size = F::from_u32(carry.unsigned_abs() as u32);
    if carry < 0 { -size } else { size }
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> Mul<F> {
    let opcode = program.opcode;
    let (a, b) = (record.rs1_value, record.rs2_value);
    let a_negative = matches!(opcode, Opcode::Mulh | Opcode::Mulhsu) && a >> 63 == 1;
    let b_negative = opcode == Opcode::Mulh && b >> 63 == 1;
    let off_high =
        if a_negative { u128::from(b) } else { 0 } + if b_negative { u128::from(a) } else { 0 };
    let product = (u128::from(a) * u128::from(b)).wrapping_sub(off_high << 64);
    let (low, high) = (product as u64, (product >> 64) as u64);
    let word_sign = low >> 31 & 1 == 1;
    let result = if opcode == Opcode::Mul {
        low
    } else if opcode == Opcode::Mulw {
        low as i32 as u64
    } else {
        high
    };

    let mut carry_in = 0;
    let carries: [i64; 8] = std::array::from_fn(|index| {
        let mut sum = product_column_of(a, b, index) + carry_in;
        if index >= 4 {
            let limb = |value: u64| (value >> (16 * (index - 4)) & 0xffff) as i64;
            sum -= i64::from(a_negative) * limb(b) + i64::from(b_negative) * limb(a);
        }
        carry_in = sum >> 16;
        carry_in
    });
    let [carry @ .., last] = carries;
    let [rs1, rs2, rd] = fill_registers(record, program);
    let flag = |which: Opcode| F::from_bool(opcode == which);
    Mul {
        is_mul: flag(Opcode::Mul),
        is_mulh: flag(Opcode::Mulh),
        is_mulhsu: flag(Opcode::Mulhsu),
        is_mulhu: flag(Opcode::Mulhu),
        is_mulw: flag(Opcode::Mulw),
        fetch: fill_fetch(record.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        rs1,
        rs2,
        rd,
        rs1_low: low_bytes(a),
        rs2_low: low_bytes(b),
        rs1_negative: F::from_bool(a_negative),
        rs2_negative: F::from_bool(b_negative),
        low: limbs(low),
        high: limbs(high),
        carry: carry.map(carry_cell),
        borrow: carry_cell(-last),
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

    /// An operand all of whose products have room for the forgeries below.
    const WIDE: u64 = 0x40c0_c0c0_c0c0_c0c0;

    type Chip = ChipTest<RegisterRecord, Mul<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn honest(operation: RegisterOp, a: u64, b: u64) -> Honest {
        register_record(operation(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    /// A cell as a number of small absolute value.
    fn number(cell: F) -> i64 {
        let value = i64::from(cell.as_canonical_u32());
        if value > i64::from(F::ORDER_U32 / 2) {
            value - i64::from(F::ORDER_U32)
        } else {
            value
        }
    }

    /// Fills the product again from the row's bytes and signs, and the result from the product.
    /// `divide` splits what a column adds up to into limb and carry.
    fn multiply(row: &mut Mul<F>, divide: impl Fn(usize, i64) -> (i64, i64)) {
        let bytes = |limbs: &[F; 4], low: &[F; 4]| -> [i64; 8] {
            from_fn(|index| match index % 2 {
                0 => number(low[index / 2]),
                _ => number((limbs[index / 2] - low[index / 2]) * F::new(256).inverse()),
            })
        };
        let (x, y) = (
            bytes(&row.rs1.previous, &row.rs1_low),
            bytes(&row.rs2.previous, &row.rs2_low),
        );
        let mut carry_in = 0;
        for index in 0..8 {
            let [low, high] = [2 * index, 2 * index + 1]
                .map(|position| -> i64 { byte_pairs(position).map(|(i, j)| x[i] * y[j]).sum() });
            let mut sum = low + 256 * high + carry_in;
            if index >= 4 {
                sum -= number(row.rs1_negative * row.rs2.previous[index - 4]);
                sum -= number(row.rs2_negative * row.rs1.previous[index - 4]);
            }
            let (limb, carry) = divide(index, sum);
            carry_in = carry;
            match row.carry.get_mut(index) {
                Some(cell) => *cell = carry_cell(carry),
                None => row.borrow = carry_cell(-carry),
            }
            let half = if index < 4 {
                &mut row.low
            } else {
                &mut row.high
            };
            half[index % 4] = carry_cell(limb);
        }
        row.word_sign = F::from_bool(row.low[1].as_canonical_u32() >> 15 & 1 == 1);
        write(row);
    }

    /// Fills the result again from the product.
    fn write(row: &mut Mul<F>) {
        let extension = row.word_sign * F::new(0xffff);
        let word = [row.low[0], row.low[1], extension, extension];
        let is_high = row.is_mulh + row.is_mulhsu + row.is_mulhu;
        row.result = from_fn(|index| {
            row.is_mul * row.low[index] + is_high * row.high[index] + row.is_mulw * word[index]
        });
    }

    fn honestly(_: usize, sum: i64) -> (i64, i64) {
        (sum & 0xffff, sum >> 16)
    }

    #[test]
    fn edge_vectors_hold_and_write_the_reference_result() {
        chip().check_alu_vectors(&["mul", "mulh", "mulhsu", "mulhu", "mulw"]);
    }

    #[test]
    fn random_products_are_those_of_wide_integers() {
        let chip = chip();
        let mut rng = Rng::new(0x6d75_6c21);
        let mut operand = move || match rng.below(4) {
            0 => rng.next_u64() >> rng.below(64),
            1 => (rng.next_u64() >> rng.below(64)).wrapping_neg(),
            2 => rng.pick(&[
                0,
                1,
                u64::MAX,
                1 << 63,
                (1 << 63) - 1,
                0xffff << 48,
                0xff << 56,
            ]),
            _ => rng.next_u64(),
        };
        for _ in 0..300 {
            let (a, b) = (operand(), operand());
            let (unsigned_a, unsigned_b) = (u128::from(a), u128::from(b));
            let (signed_a, signed_b) = (i128::from(a as i64), i128::from(b as i64));
            let cases: [(RegisterOp, u64); 5] = [
                (base::mul, (unsigned_a * unsigned_b) as u64),
                (base::mulh, ((signed_a * signed_b) >> 64) as u64),
                (base::mulhsu, ((signed_a * unsigned_b as i128) >> 64) as u64),
                (base::mulhu, ((unsigned_a * unsigned_b) >> 64) as u64),
                (base::mulw, (unsigned_a * unsigned_b) as i32 as u64),
            ];
            for (operation, expected) in cases {
                let (record, program) = honest(operation, a, b);
                let caught = chip.catches(chip.row(&record, &program), &program);
                assert!(caught.is_empty(), "{a:#x} {b:#x}: {caught:?}");
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
    }

    #[test]
    fn the_largest_carries_pass() {
        let chip = chip();
        let (record, program) = honest(base::mulhu, u64::MAX, u64::MAX);
        let row = chip.row(&record, &program);
        let sum: i64 = row.carry.iter().copied().map(number).sum();
        let offsets: u32 = CARRY_OFFSETS.iter().sum();
        assert_eq!(sum + i64::from(offsets), 8162);
        assert!(chip.catches(row, &program).is_empty());
    }

    fn products_cannot_be_forged(chip: &Chip) {
        for index in 0..8 {
            let operation = if index < 4 { base::mul } else { base::mulhu };
            chip.assert_lie(
                &honest(operation, WIDE, WIDE),
                &[&format!("product[{index}]")],
                |row| {
                    let half = if index < 4 {
                        &mut row.low
                    } else {
                        &mut row.high
                    };
                    half[index % 4] += F::ONE;
                    write(row);
                },
            );
        }
        for index in 0..4 {
            for operation in [base::mul, base::mulhsu, base::mulw] {
                let name = format!("result[{index}]");
                let add_one = |row: &mut Mul<F>| row.result[index] += F::ONE;
                chip.assert_lie(&honest(operation, WIDE, WIDE), &[&name], add_one);
            }
        }
    }

    fn limbs_cannot_hide_a_carry(chip: &Chip) {
        // The last carry is negative, so that it can take one more.
        let negative = honest(base::mulh, WIDE, WIDE.wrapping_neg());
        for index in 0..8 {
            let name = match index {
                // See the module: this one is checked without its sign only.
                1 => "word_sign".to_owned(),
                0..4 => format!("low[{index}]"),
                _ => format!("high[{}]", index - 4),
            };
            chip.assert_lie(&negative, &[&name], |row| {
                multiply(row, |column, sum| match column {
                    _ if column == index => ((sum & 0xffff) - (1 << 16), (sum >> 16) + 1),
                    _ => honestly(column, sum),
                });
            });
        }
    }

    fn the_limb_without_a_look_up_cannot_wrap_in_that_of_its_sign(chip: &Chip) {
        // Twice the limb is an odd number mod p: 1 more than twice what is left of it. Only the
        // factor of 8 in the carries' sum refuses a carry so large, were the others all zero.
        let half = (i64::from(F::ORDER_U32) - 1) / 2;
        lie!(chip, "carry_sum", honest(base::mulw, 5, 7), |row| {
            multiply(row, |column, sum| match column {
                1 => (sum - half, half >> 16),
                _ => honestly(column, sum),
            });
            row.word_sign = F::ZERO;
            write(row);
        });
    }

    fn equations_cannot_wrap(chip: &Chip) {
        let order = i64::from(F::ORDER_U32);
        let all_high = honest(base::mulhu, WIDE << 1, WIDE << 1);
        // One wrap: the carry is below 2^16, the limb is off by one, what follows is nonsense.
        for index in 0..7 {
            chip.assert_lie(&all_high, &["carry_sum"], |row| {
                multiply(row, |column, sum| {
                    honestly(column, if column == index { sum + order } else { sum })
                });
            });
        }
        // Two wraps in opposite directions: the sum of the carries is as it should be.
        for index in 0..7 {
            let other = if index < 6 { index + 1 } else { 5 };
            chip.assert_lie(&all_high, &[&format!("carry[{index}]")], |row| {
                multiply(row, |column, sum| match column {
                    _ if column == index => honestly(column, sum - order),
                    _ if column == other => honestly(column, sum + order),
                    _ => honestly(column, sum),
                });
            });
        }
        lie!(chip, "borrow_is_boolean", all_high, |row| {
            row.high[3] -= F::ONE;
            row.borrow -= F::new(1 << 16).inverse();
            write(row);
        });
    }

    fn bytes_are_those_of_the_operands(chip: &Chip) {
        // 256 more in the low byte and one less in the high byte: the limb is the same. Over
        // single bytes the carries are too.
        let (by_3, of_3) = (honest(base::mul, WIDE, 3), honest(base::mul, 3, WIDE));
        for index in 0..4 {
            let name = |operand: &str, byte: usize| format!("{operand}_byte[{byte}]");
            chip.assert_lie(&by_3, &[&name("rs1", 2 * index)], |row| {
                row.rs1_low[index] += F::new(256);
                multiply(row, honestly);
            });
            chip.assert_lie(&of_3, &[&name("rs2", 2 * index)], |row| {
                row.rs2_low[index] += F::new(256);
                multiply(row, honestly);
            });
            // 1 less in the low byte, a fraction more in the high byte. The top bytes are looked
            // up with their signs.
            let names = match index {
                3 => ["rs1_sign".to_owned(), "rs2_sign".to_owned()],
                _ => ["rs1", "rs2"].map(|operand| name(operand, 2 * index + 1)),
            };
            chip.assert_lie(&by_3, &[&names[0]], |row| row.rs1_low[index] -= F::ONE);
            chip.assert_lie(&of_3, &[&names[1]], |row| row.rs2_low[index] -= F::ONE);
        }
        // The top byte is 256: the look-up that takes its sign refuses it.
        lie!(
            chip,
            "rs1_sign",
            honest(base::mul, 0xffff << 48, 3),
            |row| {
                row.rs1_low[3] = -F::ONE;
                multiply(row, honestly);
            },
            also["rs1_byte[6]"]
        );
    }

    fn signs_are_those_of_the_operation(chip: &Chip) {
        let (minus, plus) = (WIDE.wrapping_neg(), WIDE);
        let negate_rs1 = |row: &mut Mul<F>| {
            row.rs1_negative = F::ONE - row.rs1_negative;
            multiply(row, honestly);
        };
        let negate_rs2 = |row: &mut Mul<F>| {
            row.rs2_negative = F::ONE - row.rs2_negative;
            multiply(row, honestly);
        };
        let cases: [(RegisterOp, u64); 6] = [
            (base::mul, minus),
            (base::mulh, minus),
            (base::mulh, plus),
            (base::mulhsu, minus),
            (base::mulhu, minus),
            (base::mulw, minus),
        ];
        for (operation, value) in cases {
            chip.assert_lie(&honest(operation, value, plus), &["rs1_sign"], negate_rs1);
            chip.assert_lie(&honest(operation, plus, value), &["rs2_sign"], negate_rs2);
        }
        // Half a sign takes half of the other operand off, which even limbs have.
        let (half, even) = (F::TWO.inverse(), 6 << 48);
        lie!(chip, "rs1_sign", honest(base::mulh, 5 << 61, even), |row| {
            (row.rs1_negative, row.high[3], row.borrow) = (half, F::ZERO, F::ZERO);
            write(row);
        });
        lie!(chip, "rs2_sign", honest(base::mulh, even, 5 << 61), |row| {
            (row.rs2_negative, row.high[3], row.borrow) = (half, F::ZERO, F::ZERO);
            write(row);
        });
    }

    fn words_extend_their_true_sign(chip: &Chip) {
        lie!(chip, "word_sign", honest(base::mulw, 1 << 30, 3), |row| {
            row.word_sign = F::ZERO;
            write(row);
        });
        lie!(chip, "word_sign", honest(base::mulw, 1 << 30, 1), |row| {
            row.word_sign = F::ONE;
            write(row);
        });
        lie!(
            chip,
            "word_sign_is_boolean",
            honest(base::mulw, 1 << 30, 1),
            |row| {
                // Half a sign: the doubled rest stays in range.
                row.word_sign = F::TWO.inverse();
                write(row);
            }
        );
    }

    fn operation_is_the_programs(chip: &Chip) {
        lie!(chip, "program", honest(base::mul, 5, 7), |row| {
            (row.is_mul, row.is_mulw) = (F::ZERO, F::ONE);
            write(row);
        });
        lie!(chip, "program", honest(base::mulhu, 5, 7), |row| row
            .rd_number =
            F::new(6));
        let mut to_x0 = honest(base::mul, 0, 0);
        (to_x0.1.rd, to_x0.1.writes) = (0, false);
        lie!(
            chip,
            "at_most_one_operation",
            to_x0,
            |row| row.is_mulw = F::ONE,
            also["program"]
        );
        let flags = [
            ("is_mul", "is_mulh"),
            ("is_mulh", "is_mulhsu"),
            ("is_mulhsu", "is_mulhu"),
            ("is_mulhu", "is_mulw"),
            ("is_mulw", "is_mul"),
        ];
        chip.assert_flags_are_boolean(&honest(base::mul, 5, 7), &flags);
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = honest(base::mul, 5, 7);
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
            honest(base::mul, 5, 7),
            |row| {
                *row = Mul::take(&mut std::iter::repeat(F::ZERO));
                row.writes = F::ONE;
            }
        );
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        products_cannot_be_forged(&chip);
        limbs_cannot_hide_a_carry(&chip);
        the_limb_without_a_look_up_cannot_wrap_in_that_of_its_sign(&chip);
        equations_cannot_wrap(&chip);
        bytes_are_those_of_the_operands(&chip);
        signs_are_those_of_the_operation(&chip);
        words_extend_their_true_sign(&chip);
        operation_is_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        chip.assert_every_name_was_forged(&[(
            "at_most_one_operation",
            "two of the operations' numbers add up to more than any",
        )]);
    }

    #[test]
    fn every_cell_is_noticed() {
        let rows = [
            honest(base::mul, WIDE, 7),
            honest(base::mulh, WIDE.wrapping_neg(), WIDE),
            honest(base::mulhsu, u64::MAX, u64::MAX),
            honest(base::mulhu, u64::MAX, u64::MAX),
            honest(base::mulw, 1 << 31, 1),
        ];
        // No cell is free: every row holds the whole product.
        assert_eq!(chip().sweep(&rows), [].into());
    }
}
