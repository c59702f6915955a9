//! `and`, `or`, `xor` and their immediate forms.
//!
//! # Relation
//!
//! ```text
//! and, andi:    rd = rs1 & b
//! or, ori:      rd = rs1 | b
//! xor, xori:    rd = rs1 ^ b
//! ```
//! with `b` the value of `rs2` or the immediate. Source: RISC-V unprivileged specification
//! 20240411, section 2.4.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `is_register`, `is_immediate` | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation` | read without an instruction |
//! | `operation` | 0, 1 or 2 | bitwise table | mix operations |
//! | `opcode` | the instruction's | `opcode_is_the_operations`, program table | run another operation |
//! | `rd`, `writes`, `rs1`, `rs2`, `imm*` | the instruction's | program table | name other operands |
//! | `rs1`, `rs2`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `rs2.previous` in immediate forms | the immediate | `immediate_operand[*]` | combine with something else |
//! | `a_low`, `b_low` | bytes | bitwise table | split a limb in other ways |
//! | the operands' high bytes, `(limb - low) / 2^8` | bytes | bitwise table | use a fraction as `low` |
//! | `result_low`, `result_high` | the operation on the bytes | bitwise table | write any value |
//!
//! The result's limbs need no range check of their own: they are made of bytes of the table.

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::bitwise_table::{AND, OR, XOR};
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_read, eval_write,
    fill_fetch, fill_registers, limbs, limbs_u16,
};

columns! {
    /// One conjunction, disjunction or exclusive disjunction.
    pub(crate) struct Bitwise {
        /// 1 for `and`, `or`, `xor`.
        is_register: [cell],
        /// 1 for `andi`, `ori`, `xori`.
        is_immediate: [cell],
        /// The operation's number in the bitwise table: 0 and, 1 or, 2 exclusive or.
        operation: [cell],
        /// The opcode's number; from the program table, bound to the three cells above.
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
        /// Lowest limb of the immediate, 0 in register forms; from the program table.
        imm_low: [cell],
        /// Its other limbs, all equal: 0 or 2^16 - 1; from the program table.
        imm_sign: [cell],
        /// Read of `rs1`.
        rs1: [group Access],
        /// Read of `rs2`; in immediate forms `previous` is the immediate and nothing is read.
        rs2: [group Access],
        /// Write of `rd`.
        rd: [group Access],
        /// Low byte of each limb of `rs1`; checked by the bitwise table, as is the high byte.
        a_low: [cells 4],
        /// Low byte of each limb of the other operand; checked by the bitwise table likewise.
        b_low: [cells 4],
        /// Low byte of each limb of the result; from the bitwise table.
        result_low: [cells 4],
        /// High byte of each limb of the result; from the bitwise table.
        result_high: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "bitwise";

/// Opcodes by number of the operation: in register form, in immediate form.
const OPCODES: [[Opcode; 2]; 3] = [
    [Opcode::And, Opcode::Andi],
    [Opcode::Or, Opcode::Ori],
    [Opcode::Xor, Opcode::Xori],
];
const _: () = assert!(AND == 0 && OR == 1 && XOR == 2);

pub(crate) fn eval(builder: &mut Builder, row: &Bitwise<Expr>, _: &()) {
    let flags = [
        ("is_register", &row.is_register),
        ("is_immediate", &row.is_immediate),
    ];
    let is_real = eval_flags(builder, &flags);
    eval_opcode(builder, row);
    let fields = ProgramFields {
        operation: row.opcode.clone(),
        rd: row.rd_number.clone(),
        writes: row.writes.clone(),
        rs1: row.rs1_number.clone(),
        rs2: row.rs2_number.clone(),
        imm: [
            row.imm_low.clone(),
            row.imm_sign.clone(),
            row.imm_sign.clone(),
            row.imm_sign.clone(),
        ],
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
        &row.is_register,
        &place(&row.rs2_number),
        &row.rs2,
        &at(SUBSTEP_RS2),
    );
    let result = std::array::from_fn(|index| {
        &row.result_low[index] + &row.result_high[index] * (1_u32 << 8)
    });
    let rd = place(&row.rd_number);
    let rd_gap = eval_write(
        builder,
        "rd",
        &row.writes,
        &rd,
        &row.rd,
        &result,
        &at(SUBSTEP_RD),
    );

    eval_bytes(builder, &is_real, [rs1_gap, rs2_gap, rd_gap]);

    let imm = [&row.imm_low, &row.imm_sign, &row.imm_sign, &row.imm_sign];
    for (index, (limb, imm)) in row.rs2.previous.iter().zip(imm).enumerate() {
        let name = format!("immediate_operand[{index}]");
        builder.assert_zero_when(&name, &row.is_immediate, limb - imm);
    }
    eval_operation(builder, row, &is_real);
}

/// Binds the opcode to the operation, which the look-ups of the bytes prove to be 0, 1 or 2.
fn eval_opcode(builder: &mut Builder, row: &Bitwise<Expr>) {
    let number = &row.operation;
    // Polynomials that are 1 at one of the three numbers and 0 at the others.
    let is_or = number * (Expr::from(2) - number);
    let is_xor = number * (number - 1) * Expr::constant(F::TWO.inverse());
    let is_and = Expr::from(1) - &is_or - &is_xor;
    let opcode_in_form = |form: usize| -> Expr {
        [&is_and, &is_or, &is_xor]
            .into_iter()
            .zip(OPCODES)
            .map(|(is_it, opcodes)| is_it * (opcodes[form] as u32))
            .sum()
    };
    let opcode = &row.is_register * opcode_in_form(0) + &row.is_immediate * opcode_in_form(1);
    builder.assert_eq("opcode_is_the_operations", &row.opcode, opcode);
}

/// Looks up the operation on each pair of bytes.
fn eval_operation(builder: &mut Builder, row: &Bitwise<Expr>, is_real: &Expr) {
    // If `low` and `(limb - low) / 2^8` are bytes, they are the limb's: limbs are below 2^16.
    let unit = Expr::constant(F::new(1 << 8).inverse());
    let high = |limb: &Expr, low: &Expr| (limb - low) * &unit;
    for index in 0..4 {
        let (a, b) = (&row.rs1.previous[index], &row.rs2.previous[index]);
        let (a_low, b_low) = (&row.a_low[index], &row.b_low[index]);
        let low = vec![
            row.operation.clone(),
            a_low.clone(),
            b_low.clone(),
            row.result_low[index].clone(),
        ];
        let high = vec![
            row.operation.clone(),
            high(a, a_low),
            high(b, b_low),
            row.result_high[index].clone(),
        ];
        builder.send(&format!("low[{index}]"), Bus::Bitwise, is_real, low);
        builder.send(&format!("high[{index}]"), Bus::Bitwise, is_real, high);
    }
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> Bitwise<F> {
    let opcode = program.opcode;
    let operation = OPCODES
        .iter()
        .position(|forms| forms.contains(&opcode))
        .expect("only instructions with these opcodes have a row in this chip");
    let is_immediate = opcode == OPCODES[operation][1];
    let imm = program
        .imm
        .iter()
        .rev()
        .fold(0, |value, limb| value << 16 | u64::from(*limb));
    let (a, b) = (
        record.rs1_value,
        if is_immediate { imm } else { record.rs2_value },
    );
    let result = [a & b, a | b, a ^ b][operation];
    let [rs1, mut rs2, rd] = fill_registers(record, program);
    if is_immediate {
        rs2.previous = limbs(imm);
    }
    let low = |value: u64| limbs_u16(value).map(|limb| F::from_u16(limb & 0xff));
    Bitwise {
        is_register: F::from_bool(!is_immediate),
        is_immediate: F::from_bool(is_immediate),
        operation: F::from_usize(operation),
        opcode: F::new(opcode as u32),
        fetch: fill_fetch(record.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        imm_low: F::from_u16(program.imm[0]),
        imm_sign: F::from_u16(program.imm[1]),
        rs1,
        rs2,
        rd,
        a_low: low(a),
        b_low: low(b),
        result_low: low(result),
        result_high: low(result >> 8),
    }
}

#[cfg(test)]
mod tests {
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::{Reg, base};

    use super::*;
    use crate::testing::{ChipTest, lie, register_record};

    type Honest = (RegisterRecord, ProgramRow);

    type Chip = ChipTest<RegisterRecord, Bitwise<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn and(a: u64, b: u64) -> Honest {
        register_record(base::and(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn or(a: u64, b: u64) -> Honest {
        register_record(base::or(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn xor(a: u64, b: u64) -> Honest {
        register_record(base::xor(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn ori(a: u64, imm: i32) -> Honest {
        register_record(base::ori(Reg::x(5), Reg::x(6), imm).word(), a, 0)
    }

    fn padding() -> Bitwise<F> {
        Bitwise::take(&mut std::iter::repeat(F::ZERO))
    }

    const A: u64 = 0x0123_4567_89ab_cdef;
    const B: u64 = 0xff00_1234_8001_7ffe;

    #[test]
    fn edge_vectors_hold_and_write_the_reference_result() {
        chip().check_alu_vectors(&["and", "or", "xor", "andi", "ori", "xori"]);
    }

    fn results_cannot_be_forged(chip: &Chip) {
        lie!(chip, "low[0]", and(A, B), |row| row.result_low[0] += F::ONE);
        lie!(chip, "low[1]", or(A, B), |row| row.result_low[1] -= F::ONE);
        lie!(chip, "low[2]", xor(A, B), |row| row.result_low[2] = F::ZERO);
        lie!(chip, "low[3]", ori(A, -7), |row| row.result_low[3] =
            F::ZERO);
        lie!(chip, "high[0]", and(A, B), |row| row.result_high[0] +=
            F::ONE);
        lie!(chip, "high[1]", or(A, B), |row| row.result_high[1] -=
            F::ONE);
        lie!(chip, "high[2]", xor(A, B), |row| row.result_high[2] =
            F::ZERO);
        lie!(chip, "high[3]", ori(A, -7), |row| row.result_high[3] =
            F::ZERO);
    }

    fn limbs_split_into_bytes_in_one_way(chip: &Chip) {
        // One more in the low byte, a fraction less in the high one, whichever operand it is.
        lie!(chip, "high[0]", or(0, 0), |row| {
            row.a_low[0] += F::ONE;
            row.result_low[0] += F::ONE;
        });
        lie!(chip, "high[3]", or(0, 0), |row| {
            row.b_low[3] += F::ONE;
            row.result_low[3] += F::ONE;
        });
        // 2^8 more in the low byte, one less in the high one.
        lie!(chip, "low[1]", or(1 << 24, 0), |row| {
            row.a_low[1] += F::new(1 << 8);
            row.result_low[1] += F::new(1 << 8);
            row.result_high[1] -= F::ONE;
        });
        lie!(chip, "low[2]", xor(0, 1 << 40), |row| {
            row.b_low[2] += F::new(1 << 8);
            row.result_low[2] += F::new(1 << 8);
            row.result_high[2] -= F::ONE;
        });
    }

    fn operands_and_operation_are_the_programs(chip: &Chip) {
        lie!(chip, "immediate_operand[0]", ori(0, 0x10), |row| {
            row.rs2.previous[0] += F::ONE;
            row.b_low[0] += F::ONE;
            row.result_low[0] += F::ONE;
        });
        lie!(chip, "immediate_operand[1]", ori(0, 0x10), |row| {
            row.rs2.previous[1] += F::ONE;
            row.b_low[1] += F::ONE;
            row.result_low[1] += F::ONE;
        });
        lie!(chip, "immediate_operand[2]", ori(0, 0x10), |row| {
            row.rs2.previous[2] += F::ONE;
            row.b_low[2] += F::ONE;
            row.result_low[2] += F::ONE;
        });
        lie!(chip, "immediate_operand[3]", ori(0, 0x10), |row| {
            row.rs2.previous[3] += F::ONE;
            row.b_low[3] += F::ONE;
            row.result_low[3] += F::ONE;
        });
        lie!(chip, "program", ori(0, 0x10), |row| {
            row.imm_low += F::ONE;
            row.rs2.previous[0] += F::ONE;
            row.b_low[0] += F::ONE;
            row.result_low[0] += F::ONE;
        });
        // On zeros all operations agree.
        lie!(chip, "opcode_is_the_operations", and(0, 0), |row| {
            row.operation = F::new(XOR);
        });
        lie!(chip, "program", and(0, 0), |row| {
            row.operation = F::new(XOR);
            row.opcode = F::new(Opcode::Xor as u32);
        });
        // The immediate form of an instruction that reads a register.
        lie!(chip, "opcode_is_the_operations", and(0, 0), |row| {
            (row.is_register, row.is_immediate) = (F::ZERO, F::ONE);
        });
        // At any number, `opcode_is_the_operations` holds for some opcode; the table knows three.
        lie!(
            chip,
            "low[0]",
            and(0, 0),
            |row| {
                row.operation = F::new(3);
                // The quadratic through 39, 38 and 35, at 3.
                row.opcode = F::new(30);
            },
            also[
                "low[1]", "low[2]", "low[3]", "high[0]", "high[1]", "high[2]", "high[3]", "program"
            ]
        );
    }

    fn one_form_at_a_time(chip: &Chip) {
        // A sum of 0 says that the row is padding, and still rs2 would be read: -1 or 1 times.
        lie!(chip, "is_register_is_boolean", and(0, 0), |row| {
            *row = padding();
            (row.is_register, row.is_immediate) = (F::NEG_ONE, F::ONE);
            row.opcode = F::new(Opcode::Andi as u32) - F::new(Opcode::And as u32);
        });
        lie!(chip, "is_immediate_is_boolean", and(0, 0), |row| {
            *row = padding();
            (row.is_register, row.is_immediate) = (F::ONE, F::NEG_ONE);
            row.opcode = F::new(Opcode::And as u32) - F::new(Opcode::Andi as u32);
        });
        // The numbers of `or` and `ori` add up to that of `remuw`.
        let [or, remuw] = [base::or, base::remuw]
            .map(|op| register_record(op(Reg::ZERO, Reg::x(6), Reg::x(7)).word(), 5, 0));
        chip.assert_lie_about(&remuw.1, &or, &["at_most_one_operation"], |row| {
            row.is_immediate = F::ONE;
            row.opcode = F::new(Opcode::Remuw as u32);
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = and(A, B);
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
        // The clocks are in order: only the constraint keeps the row from speaking.
        lie!(chip, "padding_writes_nothing", and(A, B), |row| {
            *row = padding();
            row.writes = F::ONE;
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        results_cannot_be_forged(&chip);
        limbs_split_into_bytes_in_one_way(&chip);
        operands_and_operation_are_the_programs(&chip);
        one_form_at_a_time(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = [and(A, B), or(A, B), xor(A, B), ori(A, -7)];
        // In immediate forms nothing is read through rs2.
        let free = ["rs2.previous_clock", "rs2.gap_high"];
        let unnoticed = chip().sweep(&rows);
        assert_eq!(unnoticed, free.map(str::to_owned).into());
    }
}
