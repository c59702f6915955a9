//! `lui` and `auipc`.
//!
//! # Relation
//!
//! ```text
//! lui:    rd = imm
//! auipc:  rd = pc + imm  mod 2^64
//! ```
//! Both results are known when the program is loaded: they stand in the program table, and the row
//! copies them. Source: RISC-V unprivileged specification 20240411, sections 2.4 and 4.2.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rd_number`, `writes` | the instruction's | program table | write elsewhere |
//! | `result` | the instruction's, 16-bit limbs | program table | write any value |
//! | `rd` access | | memory bus, see [`crate::common`] | leave the old value in place |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD};

use crate::ProgramRow;
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_write,
    fill_fetch, fill_registers,
};

columns! {
    /// One constant written.
    pub(crate) struct UpperImmediate {
        /// 1 for `lui`.
        is_lui: [cell],
        /// 1 for `auipc`.
        is_auipc: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the destination register; from the program table.
        rd_number: [cell],
        /// Whether it is written; from the program table.
        writes: [cell],
        /// Write of `rd`.
        rd: [group Access],
        /// The value written; from the program table, which holds 16-bit limbs.
        result: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "upper_immediate";

pub(crate) fn eval(builder: &mut Builder, row: &UpperImmediate<Expr>, _: &()) {
    let flags = [("is_lui", &row.is_lui), ("is_auipc", &row.is_auipc)];
    let is_real = eval_flags(builder, &flags);
    let operation = &row.is_lui * (Opcode::Lui as u32) + &row.is_auipc * (Opcode::Auipc as u32);
    let fields = ProgramFields {
        operation,
        rd: row.rd_number.clone(),
        writes: row.writes.clone(),
        rs1: Expr::from(0),
        rs2: Expr::from(0),
        imm: row.result.clone(),
        target: Expr::from(0),
    };
    let next = row.fetch.next_half_pc.clone();
    eval_fetch(builder, &is_real, &row.fetch, fields, next);
    // In padding the program table says nothing.
    builder.assert_zero_when("padding_writes_nothing", &is_real.not(), row.writes.clone());
    let rd_gap = eval_write(
        builder,
        "rd",
        &row.writes,
        &Place::register(&row.rd_number),
        &row.rd,
        &row.result,
        &(&row.fetch.clock + SUBSTEP_RD),
    );
    eval_bytes(builder, &is_real, [rd_gap]);
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> UpperImmediate<F> {
    let [_, _, rd] = fill_registers(record, program);
    UpperImmediate {
        is_lui: F::from_bool(program.opcode == Opcode::Lui),
        is_auipc: F::from_bool(program.opcode == Opcode::Auipc),
        fetch: fill_fetch(record.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rd,
        result: program.imm.map(F::from_u16),
    }
}

#[cfg(test)]
mod tests {
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::{Reg, base};

    use super::*;
    use crate::common::limbs;
    use crate::testing::{ChipTest, PC, lie, register_record};

    type Honest = (RegisterRecord, ProgramRow);

    type Chip = ChipTest<RegisterRecord, UpperImmediate<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn lui(imm20: u32) -> Honest {
        register_record(base::lui(Reg::x(5), imm20).word(), 0, 0)
    }

    fn auipc(imm20: u32) -> Honest {
        register_record(base::auipc(Reg::x(5), imm20).word(), 0, 0)
    }

    fn zero() -> UpperImmediate<F> {
        UpperImmediate::take(&mut std::iter::repeat(F::ZERO))
    }

    #[test]
    fn edge_vectors_hold_and_write_the_reference_result() {
        chip().check_alu_vectors(&["lui"]);
    }

    #[test]
    fn auipc_writes_its_address_plus_the_immediate() {
        let chip = chip();
        for imm20 in [
            0, 1, 0x7_ffff, 0x8_0000, 0xb_fffe, 0xf_ffed, 0xf_ffee, 0xf_ffff,
        ] {
            let (record, program) = auipc(imm20);
            let row = || chip.row(&record, &program);
            assert!(chip.catches(row(), &program).is_empty(), "{imm20:x}");
            let expected = i64::from(PC) + i64::from((imm20 << 12) as i32);
            let written = chip.message(row(), "rd.after").expect("it writes x5");
            assert_eq!(written[2..6], limbs(expected.cast_unsigned()), "{imm20:x}");
        }
    }

    fn nothing_is_written_to_x0(chip: &Chip) {
        let honest = register_record(base::lui(Reg::x(0), 5).word(), 0, 0);
        let row = || chip.row(&honest.0, &honest.1);
        assert!(chip.catches(row(), &honest.1).is_empty());
        assert_eq!(chip.message(row(), "rd.after"), None);
        lie!(chip, "program", honest, |row| {
            row.writes = F::ONE;
            row.rd = chip.row(&lui(5).0, &lui(5).1).rd;
        });
    }

    fn operation_and_result_are_the_programs(chip: &Chip) {
        lie!(chip, "program", lui(5), |row| row.result[1] += F::ONE);
        lie!(chip, "program", auipc(5), |row| row.result[3] += F::ONE);
        lie!(chip, "program", lui(5), |row| row.rd_number += F::ONE);
        lie!(chip, "program", lui(5), |row| {
            (row.is_lui, row.is_auipc) = (F::ZERO, F::ONE);
        });
        // The numbers of the two operations add up to that of the second. The write does not
        // count here: it may not take place twice.
        let to_x0 = register_record(base::auipc(Reg::x(0), 5).word(), 0, 0);
        lie!(chip, "at_most_one_operation", to_x0, |row| row.is_lui =
            F::ONE);
        // Rows that look like padding to the buses.
        lie!(chip, "is_lui_is_boolean", lui(5), |row| {
            *row = zero();
            (row.is_lui, row.is_auipc) = (F::NEG_ONE, F::ONE);
        });
        lie!(chip, "is_auipc_is_boolean", lui(5), |row| {
            *row = zero();
            (row.is_lui, row.is_auipc) = (F::ONE, F::NEG_ONE);
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = lui(5);
        chip.assert_lies_in_the_past(&honest, ("rd", SUBSTEP_RD), |row| {
            [&mut row.rd.previous_clock, &mut row.rd.gap_high]
        });
    }

    fn padding_writes_nothing(chip: &Chip) {
        lie!(chip, "padding_writes_nothing", lui(5), |row| {
            // The order of clocks holds: from 0 to 3.
            *row = zero();
            row.writes = F::ONE;
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        nothing_is_written_to_x0(&chip);
        operation_and_result_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        assert_eq!(chip().sweep(&[lui(5), auipc(0xf_ffff)]), [].into());
    }
}
