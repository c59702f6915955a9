//! `slt`, `sltu` and their immediate forms.
//!
//! # Relation
//!
//! ```text
//! slt, slti:      rd = 1 if rs1 < b as signed values, else 0
//! sltu, sltiu:    rd = 1 if rs1 < b as unsigned values, else 0
//! ```
//! with `b` the value of `rs2` or the immediate, sign-extended in both forms. Source: RISC-V
//! unprivileged specification 20240411, section 2.4.
//!
//! How the values are compared is said in [`crate::comparison`].
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `is_register`, `is_immediate` | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | read without an instruction |
//! | `is_signed` | boolean, 0 in padding | `is_signed_is_boolean`, `padding_is_not_signed`, program table | run another operation |
//! | `rd`, `writes`, `rs1`, `rs2`, `imm*` | the instruction's | program table | name other operands |
//! | `rs1`, `rs2`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `rs2.previous` in immediate forms | the immediate | `immediate_operand[*]` | compare with something else |
//! | `comparison` | the order of `rs1` and `b` | see [`crate::comparison`] | write any value |
//!
//! The result needs no range check: its lowest limb is boolean, the others are constants.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_read, eval_write,
    fill_fetch, fill_registers, limbs,
};
use crate::comparison::{Comparison, eval_comparison, fill_comparison};

columns! {
    /// One comparison.
    pub(crate) struct LessThan {
        /// 1 for `slt` and `sltu`.
        is_register: [cell],
        /// 1 for `slti` and `sltiu`.
        is_immediate: [cell],
        /// 1 for `slt` and `slti`.
        is_signed: [cell],
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
        /// The order of `rs1` and the other operand; `less` is the lowest limb of the value written,
        /// the others are 0.
        comparison: [group Comparison],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "less_than";

const _: () = assert!(
    Opcode::Slt as u32 + 1 == Opcode::Sltu as u32
        && Opcode::Slti as u32 + 1 == Opcode::Sltiu as u32,
    "the opcodes are linear in the flags"
);

pub(crate) fn eval(builder: &mut Builder, row: &LessThan<Expr>, _: &()) {
    let flags = [
        ("is_register", &row.is_register),
        ("is_immediate", &row.is_immediate),
    ];
    let is_real = eval_flags(builder, &flags);
    builder.assert_bool("is_signed_is_boolean", &row.is_signed);
    builder.assert_zero_when(
        "padding_is_not_signed",
        &is_real.not(),
        row.is_signed.clone(),
    );
    let fields = ProgramFields {
        operation: &row.is_register * (Opcode::Sltu as u32)
            + &row.is_immediate * (Opcode::Sltiu as u32)
            - &row.is_signed,
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
    let zero = || Expr::from(0);
    let result = [row.comparison.less.clone(), zero(), zero(), zero()];
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
    let values = [&row.rs1.previous, &row.rs2.previous];
    eval_comparison(builder, [&is_real, &row.is_signed], values, &row.comparison);
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> LessThan<F> {
    let opcode = program.opcode;
    let is_immediate = matches!(opcode, Opcode::Slti | Opcode::Sltiu);
    let is_signed = matches!(opcode, Opcode::Slt | Opcode::Slti);
    let imm = program
        .imm
        .iter()
        .rev()
        .fold(0, |value, limb| value << 16 | u64::from(*limb));
    let (a, b) = (
        record.rs1_value,
        if is_immediate { imm } else { record.rs2_value },
    );
    let [rs1, mut rs2, rd] = fill_registers(record, program);
    if is_immediate {
        rs2.previous = limbs(imm);
    }
    LessThan {
        is_register: F::from_bool(!is_immediate),
        is_immediate: F::from_bool(is_immediate),
        is_signed: F::from_bool(is_signed),
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
        comparison: fill_comparison(is_signed, a, b),
    }
}

#[cfg(test)]
mod tests {
    use p3_field::PrimeField32;
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::{Reg, base};
    use zkvm_testkit::edge::reference::register_result;

    use super::*;
    use crate::comparison::forgeries::Comparing;
    use crate::testing::{ChipTest, lie, register_record};

    type Honest = (RegisterRecord, ProgramRow);

    type Chip = ChipTest<RegisterRecord, LessThan<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn slt(a: u64, b: u64) -> Honest {
        register_record(base::slt(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn sltu(a: u64, b: u64) -> Honest {
        register_record(base::sltu(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn slti(a: u64, imm: i32) -> Honest {
        register_record(base::slti(Reg::x(5), Reg::x(6), imm).word(), a, 0)
    }

    fn sltiu(a: u64, imm: i32) -> Honest {
        register_record(base::sltiu(Reg::x(5), Reg::x(6), imm).word(), a, 0)
    }

    fn padding() -> LessThan<F> {
        LessThan::take(&mut std::iter::repeat(F::ZERO))
    }

    /// Compares what the row's operands are now.
    fn compare(row: &mut LessThan<F>) {
        let value = |limbs: &[F; 4]| {
            let limbs = limbs.iter().rev();
            limbs.fold(0, |value, limb| {
                value << 16 | u64::from(limb.as_canonical_u32())
            })
        };
        let is_signed = row.is_signed == F::ONE;
        let (a, b) = (value(&row.rs1.previous), value(&row.rs2.previous));
        row.comparison = fill_comparison(is_signed, a, b);
    }

    #[test]
    fn edge_vectors_hold_and_write_the_reference_result() {
        chip().check_alu_vectors(&["slt", "sltu", "slti", "sltiu"]);
    }

    #[test]
    fn every_limb_decides_and_every_sign_counts() {
        // Next to each other in one limb, the lower limbs in the other order; all equal.
        let chip = chip();
        let mut pairs = vec![];
        for value in [0, 1, 0x7fff, 0x8000, 0xfffe, 0xffff_u64] {
            for other in [0, 1, value ^ 1, 0x7fff, 0x8000, 0xffff] {
                for position in [0, 16, 32, 48] {
                    for above in [0, u64::MAX, 1 << 63, u64::MAX >> 1] {
                        let below = (1_u64 << position) - 1;
                        let above = above & !(below << 16 | 0xffff);
                        let a = above | value << position;
                        let b = above | other << position;
                        pairs.extend([(a | below, b), (a, b | below), (a, b), (a, !b)]);
                    }
                }
            }
        }
        for (a, b) in pairs {
            for ((record, program), name) in [(slt(a, b), "slt"), (sltu(a, b), "sltu")] {
                let caught = chip.catches(chip.row(&record, &program), &program);
                assert!(caught.is_empty(), "{name} {a:x} {b:x}: {caught:?}");
                let row = chip.row(&record, &program);
                let expected = F::from_u64(register_result(name, a, b));
                assert_eq!(row.comparison.less, expected, "{name} {a:x} {b:x}");
            }
        }
    }

    fn the_order_is_the_values(chip: &Chip) {
        let comparing = Comparing {
            chip,
            honest: |is_signed, a, b| if is_signed { slt(a, b) } else { sltu(a, b) },
            comparison: |row: &mut LessThan<F>| &mut row.comparison,
            finish: |_| {},
        };
        comparing.assert_no_forgery_passes();
    }

    fn operands_and_operation_are_the_programs(chip: &Chip) {
        lie!(chip, "immediate_operand[0]", slti(9, 7), |row| {
            row.rs2.previous[0] = F::new(10);
            compare(row);
        });
        lie!(chip, "immediate_operand[1]", slti(9, 7), |row| {
            row.rs2.previous[1] = F::ONE;
            compare(row);
        });
        lie!(chip, "immediate_operand[2]", sltiu(9, 7), |row| {
            row.rs2.previous[2] = F::ONE;
            compare(row);
        });
        lie!(chip, "immediate_operand[3]", sltiu(9, 7), |row| {
            row.rs2.previous[3] = F::ONE;
            compare(row);
        });
        lie!(chip, "program", slti(9, 7), |row| {
            row.imm_low = F::new(10);
            row.rs2.previous[0] = F::new(10);
            compare(row);
        });
        // The unsigned form of a signed instruction.
        lie!(chip, "program", slt(u64::MAX, 0), |row| {
            row.is_signed = F::ZERO;
            compare(row);
        });
        // The register form of an immediate one: it reads x0 instead of the immediate.
        let read_x0 = |row: &mut LessThan<F>| {
            (row.is_register, row.is_immediate) = (F::ONE, F::ZERO);
            row.rs2.previous = [F::ZERO; 4];
            row.rs2.previous_clock = row.fetch.clock;
            compare(row);
        };
        lie!(chip, "program", sltiu(5, 7), |row| read_x0(row));
        // Signed often enough to make up for the difference of their numbers.
        lie!(chip, "is_signed_is_boolean", sltiu(5, 7), |row| {
            row.is_signed = F::new(Opcode::Sltu as u32 - Opcode::Sltiu as u32);
            read_x0(row);
        });
    }

    fn one_form_at_a_time(chip: &Chip) {
        // A sum of 0 says that the row is padding, and still rs2 would be read: -1 or 1 times.
        lie!(chip, "is_register_is_boolean", sltu(0, 0), |row| {
            *row = padding();
            (row.is_register, row.is_immediate) = (F::NEG_ONE, F::ONE);
        });
        lie!(chip, "is_immediate_is_boolean", sltu(0, 0), |row| {
            *row = padding();
            (row.is_register, row.is_immediate) = (F::ONE, F::NEG_ONE);
        });
        // The numbers of `sltu` and `sltiu` add up to that of `rem`.
        let [sltu, rem] = [base::sltu, base::rem]
            .map(|op| register_record(op(Reg::ZERO, Reg::x(6), Reg::x(7)).word(), 5, 0));
        chip.assert_lie_about(&rem.1, &sltu, &["at_most_one_operation"], |row| {
            row.is_immediate = F::ONE;
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = slt(5, 7);
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
        // The clocks are in order: only the constraint keeps the row from speaking.
        lie!(chip, "padding_writes_nothing", slt(5, 7), |row| {
            *row = padding();
            row.writes = F::ONE;
        });
        // It would look up the signs of zeros.
        lie!(chip, "padding_is_not_signed", slt(5, 7), |row| {
            *row = padding();
            row.is_signed = F::ONE;
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        the_order_is_the_values(&chip);
        operands_and_operation_are_the_programs(&chip);
        one_form_at_a_time(&chip);
        accesses_lie_in_the_past(&chip);
        padding_says_nothing(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = [
            slt(5, 7),
            slt(7, 7),
            slt(u64::MAX, 1 << 63),
            sltu(5 << 16, 7 << 16),
            sltu(9 << 32, 7 << 32),
            sltiu(5, -7),
            slti(5, -7),
        ];
        // In immediate forms nothing is read through rs2; between equal values there is no gap.
        let free = ["rs2.previous_clock", "rs2.gap_high", "comparison.gap"];
        let unnoticed = chip().sweep(&rows);
        assert_eq!(unnoticed, free.map(str::to_owned).into());
    }
}
