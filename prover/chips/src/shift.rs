//! `sll`, `srl`, `sra`, their immediate forms and the word forms of all of them.
//!
//! # Relation
//!
//! ```text
//! sll, slli:    rd = rs1 · 2^n mod 2^64
//! srl, srli:    rd = floor(rs1 / 2^n), unsigned
//! sra, srai:    rd = floor(rs1 / 2^n), signed
//! word forms:   the same on the lower 32 bits, bit 31 of the result copied into bits 32 to 63
//! ```
//! with `n` the lowest 6 bits (word forms: 5 bits) of `rs2` or of the immediate. Source: RISC-V
//! unprivileged specification 20240411, sections 2.4 and 4.2.
//!
//! # How
//!
//! `n = 16 · limbs + bits`. Each limb of `rs1` is split in two parts: a lower part of `split` bits
//! and the upper part above it, `limb = lower + 2^split · upper`. A shift to the right splits at
//! `bits`, one to the left at `16 - bits`; either way a limb of the result is the upper part of
//! one limb with the lower part of the next one above it:
//!
//! ```text
//! 2^split · result[i] = (limb - lower)[k] + 2^16 · lower[k + 1]
//!     with k = i + limbs to the right, k = i - limbs - 1 to the left
//! ```
//! Below the operand there are zeros; above it, zeros or copies of its sign. The lower part is the
//! limb's conjunction with `2^split - 1`, looked up byte by byte, so that both parts are exact.
//! Range checks of the parts and of `2^split · upper` would not pin them: a 16-bit value times 2^15
//! or 2^16 can pass the field's characteristic.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation` | mix operations |
//! | `is_immediate` | boolean, 0 in padding | `is_immediate_is_boolean`, `padding_is_not_immediate` | read without an instruction |
//! | `opcode` | the instruction's | `opcode_is_the_flags`, program table | run another operation |
//! | `rd`, `writes`, `rs1`, `rs2`, `imm` | the instruction's | program table | name other operands |
//! | `rs1`, `rs2`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `rs2.previous[0]` in immediate forms | the immediate | `immediate_operand` | shift by something else |
//! | `limb_shift` | at most one 1, in word forms not the last two | `limb_shift[*]_is_boolean`, `one_limb_shift`, `word_limb_shift` | add up several shifts |
//! | `split_bits` | boolean | `split_bits[*]_is_boolean` | split at a fraction |
//! | `amount_rest` | 16 bits | range table | shift by any amount |
//! | amount against the operand | | `amount` | shift by any amount |
//! | `power` | `2^(split_bits[0] + 2 · split_bits[1]) - 1` | `power` | split elsewhere |
//! | `mask_low`, `mask_high` | bytes of `2^split - 1` | `mask`, `mask_high` | split elsewhere |
//! | `limb_low` | low bytes of `rs1`'s limbs | bitwise table, with the high bytes, `(limb - low) / 2^8` | use a fraction as byte |
//! | `lower_low`, `lower_high` | bytes of the lower parts | bitwise table | move bits elsewhere |
//! | `sign` | top bit of `signed_limb` | `sign_is_boolean`, `sign` look-up | fill or extend with the wrong sign |
//! | `signed_limb` | the limb with the sign, if the operation has one | `signed_limb` | fill or extend with the wrong sign |
//! | `lower_fill` | `2^split - 1` if copies of a 1 come in, else 0 | `lower_fill` | fill with other bits |
//! | `result` | 16-bit limbs | `shifted[*]`, `extension[*]`: made of whole parts | write any value |
//!
//! The result's limbs need no range check: `2^split` is not 0, so that `shifted[*]` has one
//! solution, and with true parts that is a 16-bit limb. The bytes are checked by the bitwise table.
//! Bits 63 of `rs1`, 31 of `rs1` and 31 of the result share one range check: no operation needs two
//! of them, since in `sraw` the last two are equal.

use std::cmp::Ordering;

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::bitwise_table::AND;
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_read, eval_write,
    fill_fetch, fill_registers, limbs, limbs_u16,
};

columns! {
    /// One shift.
    pub(crate) struct Shift {
        /// 1 for `sll` and `slli`.
        is_sll: [cell],
        /// 1 for `srl` and `srli`.
        is_srl: [cell],
        /// 1 for `sra` and `srai`.
        is_sra: [cell],
        /// 1 for `sllw` and `slliw`.
        is_sllw: [cell],
        /// 1 for `srlw` and `srliw`.
        is_srlw: [cell],
        /// 1 for `sraw` and `sraiw`.
        is_sraw: [cell],
        /// 1 in immediate forms.
        is_immediate: [cell],
        /// The opcode's number; from the program table, bound to the cells above.
        opcode: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the destination register; from the program table.
        rd_number: [cell],
        /// Whether it is written; from the program table.
        writes: [cell],
        /// Number of the first source register; from the program table.
        rs1_number: [cell],
        /// Number of the second source register, 0 in immediate forms; from the program table.
        rs2_number: [cell],
        /// The immediate, below 2^6; 0 in register forms; from the program table.
        imm: [cell],
        /// Read of `rs1`.
        rs1: [group Access],
        /// Read of `rs2`; in immediate forms `previous[0]` is the immediate and nothing is read.
        rs2: [group Access],
        /// Write of `rd`.
        rd: [group Access],
        /// The value written: 16-bit limbs, made of parts that the bitwise table proves.
        result: [cells 4],
        /// Whether the shift is by 1, 2, 3 whole limbs and some bits; boolean, at most one of them.
        limb_shift: [cells 3],
        /// Bits of where limbs are split: of `split` to the right, of `split - 1` to the left;
        /// boolean.
        split_bits: [cells 4],
        /// The second operand's lowest limb without the bits that count; range-checked.
        amount_rest: [cell],
        /// `2^s - 1` for the number `s` of the lower two split bits; bound by a constraint.
        power: [cell],
        /// Low byte of `2^split - 1`; bound by a constraint.
        mask_low: [cell],
        /// High byte of `2^split - 1`; bound by a constraint.
        mask_high: [cell],
        /// Low byte of each limb of `rs1`; checked by the bitwise table, as is the high byte.
        limb_low: [cells 4],
        /// Low byte of each limb's lower part; from the bitwise table.
        lower_low: [cells 4],
        /// High byte of each limb's lower part; from the bitwise table.
        lower_high: [cells 4],
        /// Lower part of the limb that a shift to the right brings in from above the operand; bound
        /// by a constraint.
        lower_fill: [cell],
        /// Top bit of `signed_limb`; boolean, bound by a range check.
        sign: [cell],
        /// The top limb of `rs1` in `sra` and `sraw`, of the lower word of the result in `sllw` and
        /// `srlw`, else 0.
        signed_limb: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "shift";

/// Opcodes by operation, in the order of the flags: in register form, in immediate form.
const OPCODES: [[Opcode; 2]; 6] = [
    [Opcode::Sll, Opcode::Slli],
    [Opcode::Srl, Opcode::Srli],
    [Opcode::Sra, Opcode::Srai],
    [Opcode::Sllw, Opcode::Slliw],
    [Opcode::Srlw, Opcode::Srliw],
    [Opcode::Sraw, Opcode::Sraiw],
];

pub(crate) fn eval(builder: &mut Builder, row: &Shift<Expr>, _: &()) {
    let flags = [
        ("is_sll", &row.is_sll),
        ("is_srl", &row.is_srl),
        ("is_sra", &row.is_sra),
        ("is_sllw", &row.is_sllw),
        ("is_srlw", &row.is_srlw),
        ("is_sraw", &row.is_sraw),
    ];
    let is_real = eval_flags(builder, &flags);
    let is_immediate = &row.is_immediate;
    builder.assert_bool("is_immediate_is_boolean", is_immediate);
    let no_read = is_immediate.clone();
    builder.assert_zero_when("padding_is_not_immediate", &is_real.not(), no_read);
    let opcode_in_form = |form: usize| -> Expr {
        flags
            .iter()
            .zip(OPCODES)
            .map(|((_, flag), opcodes)| *flag * (opcodes[form] as u32))
            .sum()
    };
    let opcode = is_immediate.not() * opcode_in_form(0) + is_immediate * opcode_in_form(1);
    builder.assert_eq("opcode_is_the_flags", &row.opcode, opcode);
    let zero = || Expr::from(0);
    let fields = ProgramFields {
        operation: row.opcode.clone(),
        rd: row.rd_number.clone(),
        writes: row.writes.clone(),
        rs1: row.rs1_number.clone(),
        rs2: row.rs2_number.clone(),
        imm: [row.imm.clone(), zero(), zero(), zero()],
        target: zero(),
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
    let reads_rs2 = &is_real - is_immediate;
    let place = Place::register;
    let at = |substep: u32| clock + substep;
    let rs1_gap = eval_read(
        builder,
        "rs1",
        &is_real,
        &place(&row.rs1_number),
        &row.rs1,
        &at(SUBSTEP_RS1),
    );
    let rs2_gap = eval_read(
        builder,
        "rs2",
        &reads_rs2,
        &place(&row.rs2_number),
        &row.rs2,
        &at(SUBSTEP_RS2),
    );
    let rd = place(&row.rd_number);
    let rd_gap = eval_write(
        builder,
        "rd",
        &row.writes,
        &rd,
        &row.rd,
        &row.result,
        &at(SUBSTEP_RD),
    );

    eval_bytes(builder, &is_real, [rs1_gap, rs2_gap, rd_gap]);

    let operand = &row.rs2.previous[0] - &row.imm;
    builder.assert_zero_when("immediate_operand", is_immediate, operand);
    eval_amount(builder, row, &is_real);
    eval_parts(builder, row, &is_real);
    eval_result(builder, row, &is_real);
}

fn is_left(row: &Shift<Expr>) -> Expr {
    &row.is_sll + &row.is_sllw
}

fn is_word(row: &Shift<Expr>) -> Expr {
    &row.is_sllw + &row.is_srlw + &row.is_sraw
}

/// `2^split - 1`.
fn mask(row: &Shift<Expr>) -> Expr {
    &row.mask_low + &row.mask_high * (1_u32 << 8)
}

/// Whether the shift is by 0, 1, 2, 3 whole limbs.
fn limb_shifts(row: &Shift<Expr>, is_real: &Expr) -> [Expr; 4] {
    let [one, two, three] = row.limb_shift.clone();
    [is_real - &one - &two - &three, one, two, three]
}

/// The amount, and the mask of the lower parts.
fn eval_amount(builder: &mut Builder, row: &Shift<Expr>, is_real: &Expr) {
    for (index, flag) in (1..).zip(&row.limb_shift) {
        builder.assert_bool(&format!("limb_shift[{index}]_is_boolean"), flag);
    }
    let [none, one, two, three] = limb_shifts(row, is_real);
    builder.assert_bool("one_limb_shift", &none);
    builder.assert_zero_when("word_limb_shift", &is_word(row), &two + &three);
    for (index, bit) in row.split_bits.iter().enumerate() {
        builder.assert_bool(&format!("split_bits[{index}]_is_boolean"), bit);
    }

    // To the left, 16 - bits = split and split - 1 has the split bits: bits is their complement.
    let split = Expr::join(&row.split_bits, 1);
    let bits = &split + is_left(row) * (Expr::from(15) - &split * 2);
    let amount = bits + (one + two * 2 + three * 3) * 16;
    let unit = Expr::from(64) - is_word(row) * 32;
    let operand = &row.rs2.previous[0];
    // Both sides are below the characteristic, and the amount is below the unit.
    builder.assert_eq("amount", operand, amount + unit * &row.amount_rest);
    builder.send(
        "amount_rest",
        Bus::Range16,
        is_real,
        vec![row.amount_rest.clone()],
    );

    let [bit_0, bit_1, bit_2, bit_3] = &row.split_bits;
    // (1 + bit_0) · (1 + 3 · bit_1) - 1
    builder.assert_eq("power", &row.power, bit_0 + bit_1 * 3 + bit_0 * bit_1 * 3);
    // 2^split without the power 2^8 of bit_3; the mask's bytes are this less 1 and 0 without bit_3,
    // 255 and this less 1 with it.
    let small = &row.mask_low + &row.mask_high - bit_3 * 255 + 1;
    let power = (&row.power + 1) * (bit_2 * 15 + 1) * (is_left(row) + 1);
    builder.assert_eq("mask", &small, power);
    builder.assert_eq("mask_high", &row.mask_high, bit_3 * (small - 1));
}

/// The lower parts of the operand's limbs, and of what lies above the operand.
fn eval_parts(builder: &mut Builder, row: &Shift<Expr>, is_real: &Expr) {
    // If `low` and `(limb - low) / 2^8` are bytes, they are the limb's: limbs are below 2^16.
    let unit = Expr::constant(F::new(1 << 8).inverse());
    for (index, limb) in row.rs1.previous.iter().enumerate() {
        let limb_low = &row.limb_low[index];
        let low = vec![
            Expr::from(AND),
            limb_low.clone(),
            row.mask_low.clone(),
            row.lower_low[index].clone(),
        ];
        let high = vec![
            Expr::from(AND),
            (limb - limb_low) * &unit,
            row.mask_high.clone(),
            row.lower_high[index].clone(),
        ];
        builder.send(&format!("low[{index}]"), Bus::Bitwise, is_real, low);
        builder.send(&format!("high[{index}]"), Bus::Bitwise, is_real, high);
    }

    builder.assert_bool("sign_is_boolean", &row.sign);
    let signed_limb = &row.is_sra * &row.rs1.previous[3]
        + &row.is_sraw * &row.rs1.previous[1]
        + (&row.is_sllw + &row.is_srlw) * &row.result[1];
    builder.assert_eq("signed_limb", &row.signed_limb, signed_limb);
    // With the limb and the sign in range, twice the rest is below 2^16 only if `sign` is bit 15.
    let rest = (&row.signed_limb - &row.sign * (1_u32 << 15)) * 2;
    builder.send("sign", Bus::Range16, is_real, vec![rest]);
    let lower_fill = (&row.is_sra + &row.is_sraw) * &row.sign * mask(row);
    builder.assert_eq("lower_fill", &row.lower_fill, lower_fill);
}

/// The result, put together from the parts.
fn eval_result(builder: &mut Builder, row: &Shift<Expr>, is_real: &Expr) {
    let lower: [Expr; 4] =
        std::array::from_fn(|index| &row.lower_low[index] + &row.lower_high[index] * (1_u32 << 8));
    // 2^split times the upper part.
    let upper: [Expr; 4] = std::array::from_fn(|index| &row.rs1.previous[index] - &lower[index]);
    let above = |lower: &Expr| lower * (1_u32 << 16);
    // 2^split times the limb of the result at `index`, where the shift is by `limbs` whole limbs.
    let left = |index: usize, limbs: usize| match index.checked_sub(limbs) {
        None => Expr::from(0),
        Some(0) => above(&lower[0]),
        Some(from) => &upper[from - 1] + above(&lower[from]),
    };
    // The same for operands with the top limb `top`, times the operations' flags.
    let right = |index: usize, limbs: usize, top: usize, logical: &Expr, arithmetic: &Expr| {
        let (from, either) = (index + limbs, logical + arithmetic);
        match from.cmp(&top) {
            Ordering::Less => either * (&upper[from] + above(&lower[from + 1])),
            Ordering::Equal => either * (&upper[from] + above(&row.lower_fill)),
            // 2^split · sign is `lower_fill` and once more the sign.
            Ordering::Greater => {
                (either * &row.lower_fill + arithmetic * &row.sign) * ((1_u32 << 16) - 1)
            }
        }
    };
    let right_double =
        |index: usize, limbs: usize| right(index, limbs, 3, &row.is_srl, &row.is_sra);
    let right_word =
        |index: usize, limbs: usize| right(index, limbs, 1, &row.is_srlw, &row.is_sraw);

    let shifts = limb_shifts(row, is_real);
    let sum_over_shifts = |term: &dyn Fn(usize) -> Expr| -> Expr {
        shifts
            .iter()
            .enumerate()
            .map(|(limbs, shift)| shift * term(limbs))
            .sum()
    };
    let (is_left, is_word) = (is_left(row), is_word(row));
    for index in 0..2 {
        let shifted = sum_over_shifts(&|limbs| {
            let double = &is_left * left(index, limbs) + right_double(index, limbs);
            // Word forms shift by at most one whole limb.
            if limbs < 2 {
                double + right_word(index, limbs)
            } else {
                double
            }
        });
        let result = &row.result[index] * (mask(row) + 1);
        builder.assert_eq(&format!("shifted[{index}]"), result, shifted);
    }
    for index in 2..4 {
        let shifted =
            sum_over_shifts(&|limbs| &row.is_sll * left(index, limbs) + right_double(index, limbs));
        let result = &row.result[index];
        let double = (is_real - &is_word) * result * (mask(row) + 1);
        builder.assert_eq(&format!("shifted[{index}]"), double, shifted);
        let extension = result - &row.sign * ((1_u32 << 16) - 1);
        builder.assert_zero_when(&format!("extension[{index}]"), &is_word, extension);
    }
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> Shift<F> {
    let opcode = program.opcode;
    let is = |which: Opcode| {
        OPCODES
            .iter()
            .any(|forms| forms[0] == which && forms.contains(&opcode))
    };
    let is_immediate = OPCODES.iter().any(|forms| forms[1] == opcode);
    let is_left = is(Opcode::Sll) || is(Opcode::Sllw);
    let is_arithmetic = is(Opcode::Sra) || is(Opcode::Sraw);
    let is_word = is(Opcode::Sllw) || is(Opcode::Srlw) || is(Opcode::Sraw);
    let imm = program.imm[0];
    let a = record.rs1_value;
    let operand = if is_immediate {
        imm
    } else {
        record.rs2_value as u16
    };
    let unit = if is_word { 32 } else { 64 };
    let amount = operand % unit;
    let result = match (is_word, is_left, is_arithmetic) {
        (false, true, _) => a << amount,
        (false, false, false) => a >> amount,
        (false, false, true) => (a.cast_signed() >> amount).cast_unsigned(),
        (true, true, _) => (a << amount) as i32 as u64,
        (true, false, false) => (a as u32 >> amount) as i32 as u64,
        (true, false, true) => (a as i32 >> amount) as u64,
    };
    let (limb_shift, bits) = (amount / 16, amount % 16);
    let split_bits = if is_left { 15 - bits } else { bits };
    let mask = ((1_u32 << split_bits << u32::from(is_left)) - 1) as u16;
    let lower = limbs_u16(a).map(|limb| limb & mask);
    let signed_limb = match (is_word, is_arithmetic) {
        (false, false) => 0,
        (false, true) => limbs_u16(a)[3],
        (true, false) => limbs_u16(result)[1],
        (true, true) => limbs_u16(a)[1],
    };
    let sign = signed_limb >> 15 == 1;
    let [rs1, mut rs2, rd] = fill_registers(record, program);
    if is_immediate {
        rs2.previous = limbs(u64::from(imm));
    }
    let low = |limb: u16| F::from_u16(limb & 0xff);
    let high = |limb: u16| F::from_u16(limb >> 8);
    Shift {
        is_sll: F::from_bool(is(Opcode::Sll)),
        is_srl: F::from_bool(is(Opcode::Srl)),
        is_sra: F::from_bool(is(Opcode::Sra)),
        is_sllw: F::from_bool(is(Opcode::Sllw)),
        is_srlw: F::from_bool(is(Opcode::Srlw)),
        is_sraw: F::from_bool(is(Opcode::Sraw)),
        is_immediate: F::from_bool(is_immediate),
        opcode: F::new(opcode as u32),
        fetch: fill_fetch(record.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        imm: F::from_u16(imm),
        rs1,
        rs2,
        rd,
        result: limbs(result),
        limb_shift: [1, 2, 3].map(|limbs| F::from_bool(limb_shift == limbs)),
        split_bits: [0, 1, 2, 3].map(|bit| F::from_bool(split_bits >> bit & 1 == 1)),
        amount_rest: F::from_u16(operand / unit),
        power: F::new((1 << (split_bits & 3)) - 1),
        mask_low: low(mask),
        mask_high: high(mask),
        limb_low: limbs_u16(a).map(low),
        lower_low: lower.map(low),
        lower_high: lower.map(high),
        lower_fill: F::from_u16(if is_arithmetic && sign { mask } else { 0 }),
        sign: F::from_bool(sign),
        signed_limb: F::from_u16(signed_limb),
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeField32;
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::base::{self, RegisterOp, ShiftOp};
    use zkvm_testkit::asm::{Order, Reg};
    use zkvm_testkit::edge::reference::register_result;

    use super::*;
    use crate::testing::{ChipTest, lie, register_record};

    type Honest = (RegisterRecord, ProgramRow);

    type Chip = ChipTest<RegisterRecord, Shift<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn register_form(op: RegisterOp, a: u64, b: u64) -> Honest {
        register_record(op(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn immediate_form(op: ShiftOp, a: u64, amount: u32) -> Honest {
        register_record(op(Reg::x(5), Reg::x(6), amount).word(), a, 0)
    }

    fn sll(a: u64, b: u64) -> Honest {
        register_form(base::sll, a, b)
    }

    fn srl(a: u64, b: u64) -> Honest {
        register_form(base::srl, a, b)
    }

    fn sra(a: u64, b: u64) -> Honest {
        register_form(base::sra, a, b)
    }

    fn sllw(a: u64, b: u64) -> Honest {
        register_form(base::sllw, a, b)
    }

    fn srlw(a: u64, b: u64) -> Honest {
        register_form(base::srlw, a, b)
    }

    fn sraw(a: u64, b: u64) -> Honest {
        register_form(base::sraw, a, b)
    }

    fn padding() -> Shift<F> {
        Shift::take(&mut std::iter::repeat(F::ZERO))
    }

    const A: u64 = 0x9123_4567_89ab_cdef;

    /// Completes a forgery of flags, amount or split bits: mask, parts and result follow.
    fn settle(row: &mut Shift<F>) {
        let is_left = row.is_sll + row.is_sllw;
        let [bit_0, bit_1, bit_2, bit_3] = row.split_bits;
        row.power = (F::ONE + bit_0) * (F::ONE + bit_1 * F::new(3)) - F::ONE;
        let power =
            (row.power + F::ONE) * (F::ONE + bit_2 * F::new(15)) * (F::ONE + is_left) - F::ONE;
        row.mask_high = bit_3 * power;
        row.mask_low = power + bit_3 * F::new(255) - row.mask_high;
        settle_parts(row);
    }

    /// Completes a forgery of the mask or the sign: parts and result follow.
    fn settle_parts(row: &mut Shift<F>) {
        let and = |a: F, b: F| F::new(a.as_canonical_u32() & b.as_canonical_u32());
        for index in 0..4 {
            let low = row.limb_low[index];
            let high = (row.rs1.previous[index] - low) / F::new(1 << 8);
            row.lower_low[index] = and(low, row.mask_low);
            row.lower_high[index] = and(high, row.mask_high);
        }
        let mask = row.mask_low + row.mask_high * F::new(1 << 8);
        row.lower_fill = (row.is_sra + row.is_sraw) * row.sign * mask;
        settle_result(row);
    }

    /// Completes a forgery of parts: the result follows, limb by limb as written above.
    fn settle_result(row: &mut Shift<F>) {
        let power = row.mask_low + row.mask_high * F::new(1 << 8) + F::ONE;
        let is_real =
            row.is_sll + row.is_srl + row.is_sra + row.is_sllw + row.is_srlw + row.is_sraw;
        let is_word = row.is_sllw + row.is_srlw + row.is_sraw;
        let [one, two, three] = row.limb_shift;
        let shifts = [is_real - one - two - three, one, two, three];
        let lower = |index: usize| row.lower_low[index] + row.lower_high[index] * F::new(1 << 8);
        let upper = |index: usize| row.rs1.previous[index] - lower(index);
        let unit = F::new(1 << 16);
        let left = |at: usize| match at {
            0..4 => F::ZERO,
            4 => lower(0) * unit,
            _ => upper(at - 5) + lower(at - 4) * unit,
        };
        let right = |at: usize, top: usize, is_arithmetic: F| match at.cmp(&top) {
            Ordering::Less => upper(at) + lower(at + 1) * unit,
            Ordering::Equal => upper(at) + row.lower_fill * unit,
            Ordering::Greater => (row.lower_fill + is_arithmetic * row.sign) * (unit - F::ONE),
        };
        let shifted = |index: usize, limbs: usize| {
            let is_left = row.is_sll + if index < 2 { row.is_sllw } else { F::ZERO };
            let double = is_left * left(index + 4 - limbs)
                + row.is_srl * right(index + limbs, 3, F::ZERO)
                + row.is_sra * right(index + limbs, 3, F::ONE);
            let word = row.is_srlw * right(index + limbs, 1, F::ZERO)
                + row.is_sraw * right(index + limbs, 1, F::ONE);
            double
                + if index < 2 && limbs < 2 {
                    word
                } else {
                    F::ZERO
                }
        };
        let result: [F; 4] = std::array::from_fn(|index| {
            let sum: F = (0..4)
                .map(|limbs| shifts[limbs] * shifted(index, limbs))
                .sum();
            if index >= 2 && is_word == F::ONE {
                row.sign * F::new(0xffff)
            } else {
                sum / power
            }
        });
        row.result = result;
        row.signed_limb = row.is_sra * row.rs1.previous[3]
            + row.is_sraw * row.rs1.previous[1]
            + (row.is_sllw + row.is_srlw) * row.result[1];
    }

    #[test]
    fn edge_vectors_hold_and_write_the_reference_result() {
        chip().check_alu_vectors(&[
            "sll", "srl", "sra", "slli", "srli", "srai", "sllw", "srlw", "sraw", "slliw", "srliw",
            "sraiw",
        ]);
    }

    #[test]
    fn every_amount_holds_and_writes_the_reference_result() {
        let chip = chip();
        let forms: [(&str, RegisterOp, ShiftOp); 6] = [
            ("sll", base::sll, base::slli),
            ("srl", base::srl, base::srli),
            ("sra", base::sra, base::srai),
            ("sllw", base::sllw, base::slliw),
            ("srlw", base::srlw, base::srliw),
            ("sraw", base::sraw, base::sraiw),
        ];
        let values = [
            0,
            1,
            u64::MAX,
            1 << 63,
            u64::MAX >> 1,
            1 << 31,
            0x7fff_ffff,
            0xffff_ffff_7fff_ffff,
            A,
            !A,
            0x8000_8000_8000_8000,
            0x7fff_7fff_7fff_7fff,
            0x00ff_ff00_ff00_00ff,
            0x0001_ffff_0000_8001,
        ];
        let check = |name: &str, (record, program): &Honest, expected: u64| {
            let caught = chip.catches(chip.row(record, program), program);
            assert!(caught.is_empty(), "{name} {record:x?}: {caught:?}");
            let row = chip.row(record, program);
            assert_eq!(row.result, limbs(expected), "{name} {record:x?}");
        };
        for (name, register, immediate) in forms {
            let limit = if name.ends_with('w') { 32 } else { 64 };
            for a in values {
                for amount in 0..=64 {
                    let expected = register_result(name, a, amount);
                    // What lies above the amount does not count.
                    for b in [amount, amount | !0x7f, amount ^ 0xa5c0, amount ^ 0xffc0] {
                        check(name, &register_form(register, a, b), expected);
                    }
                    if amount < limit {
                        let honest = immediate_form(immediate, a, amount as u32);
                        check(name, &honest, expected);
                    }
                }
            }
        }
    }

    fn results_cannot_be_forged(chip: &Chip) {
        lie!(chip, "shifted[0]", sll(A, 21), |row| row.result[0] +=
            F::ONE);
        lie!(chip, "shifted[1]", srl(A, 21), |row| row.result[1] -=
            F::ONE);
        lie!(chip, "shifted[2]", sra(A, 37), |row| row.result[2] +=
            F::ONE);
        lie!(chip, "shifted[3]", sll(A, 3), |row| row.result[3] -=
            F::new(1 << 16));
        lie!(chip, "extension[2]", sraw(A, 3), |row| row.result[2] =
            F::ZERO);
        lie!(chip, "extension[3]", sllw(A, 3), |row| row.result[3] =
            F::ONE);
    }

    fn parts_are_the_limbs(chip: &Chip) {
        lie!(chip, "low[0]", sll(A, 5), |row| {
            row.lower_low[0] += F::ONE;
            settle_result(row);
        });
        lie!(chip, "low[1]", srl(A, 5), |row| {
            row.lower_low[1] -= F::ONE;
            settle_result(row);
        });
        lie!(chip, "low[2]", sra(A, 12), |row| {
            row.lower_low[2] = F::ZERO;
            settle_result(row);
        });
        lie!(chip, "low[3]", sll(A, 12), |row| {
            row.lower_low[3] = F::ZERO;
            settle_result(row);
        });
        lie!(chip, "high[0]", sll(A, 5), |row| {
            row.lower_high[0] += F::ONE;
            settle_result(row);
        });
        lie!(chip, "high[1]", srl(A, 5), |row| {
            row.lower_high[1] += F::ONE;
            settle_result(row);
        });
        lie!(chip, "high[2]", sra(A, 12), |row| {
            row.lower_high[2] = F::ZERO;
            settle_result(row);
        });
        lie!(chip, "high[3]", sll(A, 2), |row| {
            row.lower_high[3] = F::ZERO;
            settle_result(row);
        });
        // One more in the low byte, a fraction less in the high one.
        lie!(chip, "high[0]", sll(0, 12), |row| {
            row.limb_low[0] += F::ONE;
            row.lower_low[0] += F::ONE;
            settle_result(row);
        });
        // 2^8 more in the low byte, one less in the high one.
        lie!(chip, "low[0]", sll(0x100, 1), |row| {
            row.limb_low[0] += F::new(1 << 8);
            row.lower_high[0] -= F::ONE;
            settle_result(row);
        });
    }

    fn the_amount_is_the_operands(chip: &Chip) {
        lie!(chip, "amount", srl(A, 5), |row| row.amount_rest += F::ONE);
        lie!(chip, "amount", srl(A, 5), |row| {
            row.split_bits[0] = F::ZERO;
            settle(row);
        });
        lie!(chip, "amount", sraw(A, 21), |row| {
            row.limb_shift[0] = F::ZERO;
            settle(row);
        });
        // A fraction for the rest makes up for any amount.
        lie!(chip, "amount_rest", srl(A, 5), |row| {
            row.split_bits = [F::ZERO; 4];
            row.amount_rest = F::new(5) / F::new(64);
            settle(row);
        });
        lie!(
            chip,
            "immediate_operand",
            immediate_form(base::srai, A, 5),
            |row| {
                row.rs2.previous[0] = F::new(4);
                row.split_bits[0] = F::ZERO;
                settle(row);
            }
        );
        // The other limbs of the sum make up for a negative one.
        lie!(chip, "limb_shift[1]_is_boolean", srl(A, 64), |row| {
            row.amount_rest = F::ZERO;
            row.limb_shift = [F::NEG_ONE, F::ONE, F::ONE];
            settle(row);
        });
        lie!(chip, "limb_shift[2]_is_boolean", srl(A, 32), |row| {
            row.limb_shift = [F::ONE, F::NEG_ONE, F::ONE];
            settle(row);
        });
        lie!(chip, "limb_shift[3]_is_boolean", srl(A, 0), |row| {
            row.limb_shift = [F::ONE, F::ONE, F::NEG_ONE];
            settle(row);
        });
        lie!(chip, "one_limb_shift", sll(A, 48), |row| {
            row.limb_shift = [F::ONE, F::ONE, F::ZERO];
            settle(row);
        });
        // By 32 instead of by 0: nothing is left of the word.
        lie!(chip, "word_limb_shift", srlw(A, 32), |row| {
            row.amount_rest = F::ZERO;
            row.limb_shift = [F::ZERO, F::ONE, F::ZERO];
            row.sign = F::ZERO;
            settle(row);
        });
    }

    fn the_split_is_the_amounts(chip: &Chip) {
        // Twice a bit is the next one in the amount, but not in the power, which is 3, 7, 31.
        lie!(chip, "split_bits[0]_is_boolean", srl(A, 2), |row| {
            row.split_bits = [F::TWO, F::ZERO, F::ZERO, F::ZERO];
            settle(row);
        });
        lie!(chip, "split_bits[1]_is_boolean", srl(A, 4), |row| {
            row.split_bits = [F::ZERO, F::TWO, F::ZERO, F::ZERO];
            settle(row);
        });
        lie!(chip, "split_bits[2]_is_boolean", srl(A, 8), |row| {
            row.split_bits = [F::ZERO, F::ZERO, F::TWO, F::ZERO];
            settle(row);
        });
        // The high byte of the mask is 1. The operand is no integer then; that such a register
        // cannot be is another chip's business.
        lie!(chip, "split_bits[3]_is_boolean", srl(A, 2), |row| {
            row.split_bits = [F::ZERO, F::ONE, F::ZERO, F::new(3).inverse()];
            row.rs2.previous[0] += F::new(8) / F::new(3);
            settle(row);
        });
        lie!(chip, "power", srl(A, 0), |row| {
            row.power = F::ONE;
            row.mask_low = F::ONE;
            settle_parts(row);
        });
        lie!(chip, "mask", srl(A, 0), |row| {
            row.mask_low = F::ONE;
            settle_parts(row);
        });
        lie!(chip, "mask_high", srl(A, 5), |row| {
            row.mask_low -= F::ONE;
            row.mask_high += F::ONE;
            settle_parts(row);
        });
    }

    fn signs_are_true(chip: &Chip) {
        for honest in [sra(A, 5), sraw(A, 21), sllw(A, 0)] {
            lie!(chip, "sign", honest, |row| {
                row.sign = F::ZERO;
                settle(row);
            });
        }
        lie!(chip, "sign", srlw(A, 1), |row| {
            row.sign = F::ONE;
            settle(row);
        });
        // Half a sign: twice the rest is 0.
        lie!(chip, "sign_is_boolean", sra(0x4000 << 48, 5), |row| {
            row.sign = F::TWO.inverse();
            settle(row);
        });
        lie!(chip, "signed_limb", sra(5, 5), |row| {
            row.sign = F::ONE;
            settle(row);
            row.signed_limb = F::new(1 << 15);
        });
        lie!(chip, "lower_fill", sra(A, 5), |row| {
            row.lower_fill = F::ZERO;
            settle_result(row);
        });
        lie!(chip, "lower_fill", srl(A, 5), |row| {
            row.lower_fill = row.mask_low;
            settle_result(row);
        });
    }

    fn the_operation_is_the_programs(chip: &Chip) {
        lie!(chip, "program", srl(A, 5), |row| {
            (row.is_srl, row.is_sra) = (F::ZERO, F::ONE);
            row.opcode = F::new(Opcode::Sra as u32);
            row.sign = F::ONE;
            settle(row);
        });
        lie!(chip, "program", immediate_form(base::srli, A, 5), |row| {
            row.imm = F::new(4);
            row.rs2.previous[0] = F::new(4);
            row.split_bits[0] = F::ZERO;
            settle(row);
        });
        lie!(chip, "opcode_is_the_flags", srl(A, 5), |row| {
            (row.is_srl, row.is_sra) = (F::ZERO, F::ONE);
            row.sign = F::ONE;
            settle(row);
        });
        // It would shift by the immediate 0.
        lie!(chip, "opcode_is_the_flags", srl(A, 5), |row| {
            row.is_immediate = F::ONE;
            row.rs2.previous[0] = F::ZERO;
            row.split_bits = [F::ZERO; 4];
            settle(row);
        });
        // 2 · slliw - sllw = srl: the word shifted left by the immediate 0.
        lie!(chip, "is_immediate_is_boolean", srl(A, 5), |row| {
            (row.is_srl, row.is_sllw) = (F::ZERO, F::ONE);
            row.is_immediate = F::TWO;
            row.rs2.previous[0] = F::ZERO;
            row.split_bits = [F::ONE; 4];
            row.sign = F::ONE;
            settle(row);
        });
    }

    fn operations_do_not_mix(chip: &Chip) {
        // Three operations, one of them negative, are one in sum, and so are their numbers. On a
        // zero all parts are 0, whatever the mixture does with them. Where the instruction is
        // an immediate one and the mixture is not, the amount is that of x0.
        let (plus, minus) = (F::ONE, F::NEG_ONE);
        lie!(
            chip,
            "is_sll_is_boolean",
            immediate_form(base::srliw, 0, 5),
            |row| {
                // sllw + srl - sll
                (row.is_sllw, row.is_srl, row.is_sll) = (plus, plus, minus);
                row.is_srlw = F::ZERO;
                settle(row);
            }
        );
        let at_x0 = |row: &mut Shift<F>| {
            row.is_immediate = F::ZERO;
            row.rs2.previous[0] = F::ZERO;
            row.rs2.previous_clock = row.fetch.clock;
        };
        // Twice to the left: bits + 2 · (15 - 2 · bits) is 0 for 10.
        let ten = [F::ZERO, F::ONE, F::ZERO, F::ONE];
        lie!(
            chip,
            "is_srl_is_boolean",
            immediate_form(base::srliw, 0, 5),
            |row| {
                // sll + sllw - srl
                (row.is_sll, row.is_sllw, row.is_srl) = (plus, plus, minus);
                row.is_srlw = F::ZERO;
                row.split_bits = ten;
                at_x0(row);
                settle(row);
            }
        );
        lie!(
            chip,
            "is_sra_is_boolean",
            immediate_form(base::slliw, 0, 5),
            |row| {
                // sll + sllw - sra
                (row.is_sll, row.is_sllw, row.is_sra) = (plus, plus, minus);
                row.split_bits = ten;
                at_x0(row);
                settle(row);
            }
        );
        lie!(
            chip,
            "is_sllw_is_boolean",
            immediate_form(base::srli, 0, 5),
            |row| {
                // sll + srlw - sllw
                (row.is_sll, row.is_srlw, row.is_sllw) = (plus, plus, minus);
                row.is_srl = F::ZERO;
                settle(row);
            }
        );
        lie!(chip, "is_srlw_is_boolean", sra(0, 5), |row| {
            // srl + sraw - srlw
            (row.is_srl, row.is_sraw, row.is_srlw) = (plus, plus, minus);
            row.is_sra = F::ZERO;
            settle(row);
        });
        lie!(chip, "is_sraw_is_boolean", srl(0, 5), |row| {
            // sra + srlw - sraw
            (row.is_sra, row.is_srlw, row.is_sraw) = (plus, plus, minus);
            row.is_srl = F::ZERO;
            settle(row);
        });
        // The numbers of `srl` and `sra` add up to that of `amominu.w`.
        let srl = register_record(base::srl(Reg::ZERO, Reg::x(6), Reg::x(7)).word(), 0, 16);
        let amominu = base::amominu_w(Reg::ZERO, Reg::x(7), Reg::x(6), Order::Relaxed);
        let (_, amominu) = register_record(amominu.word(), 0, 0);
        chip.assert_lie_about(&amominu, &srl, &["at_most_one_operation"], |row| {
            row.is_sra = F::ONE;
            row.opcode += F::new(Opcode::Sra as u32);
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = sll(A, 5);
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

    fn padding_says_nothing(chip: &Chip) {
        // The clocks are in order: only the constraints keep the rows from speaking.
        lie!(chip, "padding_writes_nothing", sll(A, 5), |row| {
            *row = padding();
            row.writes = F::ONE;
        });
        // Less an immediate, rs2 would be read -1 times.
        lie!(chip, "padding_is_not_immediate", sll(A, 5), |row| {
            *row = padding();
            row.is_immediate = F::ONE;
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        results_cannot_be_forged(&chip);
        parts_are_the_limbs(&chip);
        the_amount_is_the_operands(&chip);
        the_split_is_the_amounts(&chip);
        signs_are_true(&chip);
        the_operation_is_the_programs(&chip);
        operations_do_not_mix(&chip);
        accesses_lie_in_the_past(&chip);
        padding_says_nothing(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = [
            sll(A, 5),
            sll(A, 61),
            srl(A, 5),
            srl(A, 60),
            sra(A, 5),
            sra(!A, 40),
            sllw(A, 5),
            srlw(A, 21),
            sraw(A, 7),
            immediate_form(base::slli, A, 17),
            immediate_form(base::sraiw, A, 17),
        ];
        // In immediate forms nothing is read through rs2, and only its lowest limb counts.
        let free = [
            "rs2.previous[1]",
            "rs2.previous[2]",
            "rs2.previous[3]",
            "rs2.previous_clock",
            "rs2.gap_high",
        ];
        let unnoticed = chip().sweep(&rows);
        assert_eq!(unnoticed, free.map(str::to_owned).into());
    }
}
