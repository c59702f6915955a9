//! `jal` and `jalr`.
//!
//! # Relation
//!
//! ```text
//! jal:   rd = address of the next instruction; go on at pc + imm
//! jalr:  rd = address of the next instruction; go on at rs1 + imm mod 2^64 with bit 0 cleared
//! ```
//! Source: RISC-V unprivileged specification 20240411, section 2.5.
//!
//! # The address of `jalr`
//!
//! Instructions lie from [`layout::IMAGE_START`] on and below [`layout::HEAP_END`]. With an
//! immediate in -2048..2048 no base of 2^32 or more leads there, not even around 2^64, so the upper
//! limbs of the base are constants: zero (see [`crate::load`]). The rest is
//!
//! ```text
//! half = next - 2^15 · (base[1] - imm_sign)
//! 2 · half + bit = base[0] + imm_low
//! ```
//! `half` is range-checked and `bit` is boolean, so the second equation holds between integers:
//! `bit` is bit 0 of the sum, and `2 · (half + 2^15 · (base[1] - imm_sign)) + bit = base + imm`.
//! `next` is that sum's half only modulo the field's characteristic, which addresses near 2^32
//! exceed: without a bound they would come down to code. The bound is on the high limb:
//! `base[1] - imm_sign < 0xc000` keeps the half below `2^15 · 0xc001`, and so its own residue. What
//! that leaves beyond [`layout::HEAP_END`], and negative halves, are the numbers of no row of the
//! program table.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rd_number`, `writes`, `rs1_number`, `imm`, `link`, `target` | the instruction's | program table | name other operands |
//! | `base`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `next` | half the address | `jal_target`, `jalr_target`, `half` and `high` look-ups | jump anywhere; around the field |
//! | `bit` | bit 0 of the sum | `bit_is_boolean`, `half` look-up | jump to another address than the sum |

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1};
use zkvm_isa::{Opcode, layout};

use crate::ProgramRow;
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_write,
    fill_fetch, fill_registers,
};
use crate::load::{Base, eval_base, fill_base};

columns! {
    /// One jump.
    pub(crate) struct Jump {
        /// 1 for `jal`.
        is_jal: [cell],
        /// 1 for `jalr`.
        is_jalr: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the destination register; from the program table.
        rd_number: [cell],
        /// Whether it is written; from the program table.
        writes: [cell],
        /// Number of the base register, 0 in `jal`; from the program table.
        rs1_number: [cell],
        /// In `jalr` the lowest limb of the immediate and its other limbs (all equal: 0 or 2^16 - 1),
        /// in `jal` 0; from the program table.
        imm: [cells 2],
        /// The lower limbs of the link, the address of the next instruction, whose upper limbs are
        /// zero; from the program table.
        link: [cells 2],
        /// Half the address that `jal` jumps to, 0 in `jalr`; from the program table.
        target: [cell],
        /// Read of the base register; in `jal` nothing is read.
        base: [group Base],
        /// Write of `rd`.
        rd: [group Access],
        /// Half the address at which execution goes on.
        next: [cell],
        /// Bit 0 of the sum in `jalr`; boolean.
        bit: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "jump";

/// One past the highest upper limb of an address of code.
const HIGH_LIMB_END: u32 = layout::HEAP_END >> 16;

pub(crate) fn eval(builder: &mut Builder, row: &Jump<Expr>, _: &()) {
    let flags = [("is_jal", &row.is_jal), ("is_jalr", &row.is_jalr)];
    let is_real = eval_flags(builder, &flags);
    let operation = &row.is_jal * (Opcode::Jal as u32) + &row.is_jalr * (Opcode::Jalr as u32);
    let ([imm_low, imm_sign], [low, high]) = (row.imm.clone(), row.link.clone());
    let fields = ProgramFields {
        operation,
        rd: row.rd_number.clone(),
        writes: row.writes.clone(),
        rs1: row.rs1_number.clone(),
        rs2: Expr::from(0),
        imm: [imm_low, imm_sign, low.clone(), high.clone()],
        target: row.target.clone(),
    };
    eval_fetch(builder, &is_real, &row.fetch, fields, row.next.clone());

    // In padding the program table says nothing.
    builder.assert_zero_when("padding_writes_nothing", &is_real.not(), row.writes.clone());
    let clock = &row.fetch.clock;
    let base_gap = eval_base(
        builder,
        &row.is_jalr,
        &row.rs1_number,
        &row.base,
        &(clock + SUBSTEP_RS1),
    );
    let rd_gap = eval_write(
        builder,
        "rd",
        &row.writes,
        &Place::register(&row.rd_number),
        &row.rd,
        &[low, high, Expr::from(0), Expr::from(0)],
        &(clock + SUBSTEP_RD),
    );
    eval_bytes(builder, &is_real, [base_gap, rd_gap]);
    eval_next(builder, row);
}

/// Where execution goes on; the module's documentation says why this is enough.
fn eval_next(builder: &mut Builder, row: &Jump<Expr>) {
    builder.assert_zero_when("jal_target", &row.is_jal, &row.next - &row.target);

    let imm_sign = &row.imm[1] * Expr::constant(F::new(0xffff).inverse());
    let high = &row.base.limbs[1] - imm_sign;
    let half = &row.next - &high * (1_u32 << 15);
    let sum = &row.base.limbs[0] + &row.imm[0];
    builder.assert_bool("bit_is_boolean", &row.bit);
    builder.assert_zero_when("jalr_target", &row.is_jalr, &half * 2 + &row.bit - sum);
    builder.send("half", Bus::Range16, &row.is_jalr, vec![half]);
    let above_bound = high + ((1 << 16) - HIGH_LIMB_END);
    builder.send("high", Bus::Range16, &row.is_jalr, vec![above_bound]);
}

const _: () = assert!(
    layout::HEAP_END.trailing_zeros() >= 16,
    "the bound on the high limb is the bound on the address"
);

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> Jump<F> {
    let is_jalr = program.opcode == Opcode::Jalr;
    let [imm0, imm1, link0, link1] = program.imm;
    let offset = u64::from(imm0) + u64::from(imm1) * 0x1_0001_0001_0000;
    let sum = record.rs1_value.wrapping_add(offset);
    let [base, _, rd] = fill_registers(record, program);
    Jump {
        is_jal: F::from_bool(!is_jalr),
        is_jalr: F::from_bool(is_jalr),
        fetch: fill_fetch(record.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        imm: [imm0, imm1].map(F::from_u16),
        link: [link0, link1].map(F::from_u16),
        target: program.target,
        base: fill_base(base),
        rd,
        next: if is_jalr {
            F::from_u64(sum / 2)
        } else {
            program.target
        },
        bit: F::from_bool(is_jalr && sum % 2 == 1),
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

    type Chip = ChipTest<RegisterRecord, Jump<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn jal(offset: i32) -> Honest {
        register_record(base::jal(Reg::x(5), offset).word(), 0, 0)
    }

    fn jalr(base: u64, offset: i32) -> Honest {
        register_record(base::jalr(Reg::x(5), Reg::x(6), offset).word(), base, 0)
    }

    fn zero() -> Jump<F> {
        Jump::take(&mut std::iter::repeat(F::ZERO))
    }

    /// Asserts that the row holds, links and goes on at `target`.
    fn check((record, program): &Honest, target: u64) {
        let chip = chip();
        let row = || chip.row(record, program);
        let caught = chip.catches(row(), program);
        assert!(caught.is_empty(), "to {target:x}: {caught:?}");
        let next = chip.message(row(), "next_state").expect("it goes on");
        let clock = F::new(record.clock + 4);
        assert_eq!(next, [F::from_u64(target / 2), clock], "to {target:x}");
        let written = chip.message(row(), "rd.after").expect("it writes x5");
        assert_eq!(written[2..6], limbs(u64::from(PC) + 4), "to {target:x}");
    }

    #[test]
    fn jal_goes_to_the_programs_target() {
        for offset in [0, 2, 4, -4, 0x7ffe, 0xf_fffe, -0x1_2344] {
            let target = i64::from(PC) + i64::from(offset);
            check(&jal(offset), target.cast_unsigned());
        }
    }

    #[test]
    fn jalr_adds_carries_borrows_and_clears_bit_0() {
        for base in [
            0x1800,
            0x1_0000,
            0x1_ffff,
            0x7fff_fff8,
            0xa000_8001,
            0xbfff_f7fe,
            0xc000_0000,
        ] {
            for offset in [0, 1, 2, 3, 2046, 2047, -1, -2, -3, -2047, -2048] {
                let target = (base + i64::from(offset)).cast_unsigned() & !1;
                if target < u64::from(layout::HEAP_END) {
                    check(&jalr(base.cast_unsigned(), offset), target);
                }
            }
        }
    }

    #[test]
    fn addresses_that_are_no_codes_do_not_come_down_to_code() {
        // The sum less twice the field's characteristic is PC.
        let chip = chip();
        let base = u64::from(PC) + 2 * 0x7f00_0001;
        let (record, program) = jalr(base, 0);
        let row = chip.row(&record, &program);
        assert_eq!(row.next, F::new(PC / 2));
        assert_eq!(chip.catches(row, &program), ["high".to_owned()].into());
        // Above the bound and below the characteristic: no row of the program table has it.
        let (record, program) = jalr(0xc001_0000, 0);
        let row = chip.row(&record, &program);
        assert_eq!(chip.catches(row, &program), ["high".to_owned()].into());
        // Negative sums.
        let (record, program) = jalr(0, -2);
        let mut row = chip.row(&record, &program);
        row.next = F::NEG_ONE;
        assert!(chip.catches(row, &program).is_empty());
    }

    fn nothing_is_written_to_x0(chip: &Chip) {
        for code in [base::jal(Reg::x(0), 8), base::jalr(Reg::x(0), Reg::x(6), 8)] {
            let honest = register_record(code.word(), 0x4_0000, 0);
            let row = || chip.row(&honest.0, &honest.1);
            assert!(chip.catches(row(), &honest.1).is_empty());
            assert_eq!(chip.message(row(), "rd.after"), None);
            lie!(chip, "program", honest, |row| {
                row.writes = F::ONE;
                row.rd = chip.row(&jal(8).0, &jal(8).1).rd;
            });
        }
    }

    fn targets_cannot_be_forged(chip: &Chip) {
        lie!(chip, "jal_target", jal(8), |row| row.next += F::ONE);
        lie!(chip, "program", jal(8), |row| {
            row.next += F::ONE;
            row.target += F::ONE;
        });
        lie!(chip, "jalr_target", jalr(0x4_0000, 8), |row| row.next +=
            F::ONE);
        lie!(chip, "jalr_target", jalr(0x4_0001, 8), |row| row.bit =
            F::ZERO);
        // Bit 0 is 2: one instruction lower.
        lie!(chip, "bit_is_boolean", jalr(0x4_0000, 8), |row| {
            row.next -= F::ONE;
            row.bit = F::TWO;
        });
        // Bit 0 of an even sum is 1: the half has a fraction.
        lie!(chip, "half", jalr(0x4_0000, 8), |row| {
            row.next -= F::TWO.inverse();
            row.bit = F::ONE;
        });
        lie!(chip, "high", jalr(0xbfff_fff0, 8), |row| {
            row.base.limbs[1] += F::ONE;
            row.next += F::new(1 << 15);
        });
        lie!(chip, "program", jalr(0x4_0000, 8), |row| {
            row.imm[0] += F::TWO;
            row.next += F::ONE;
        });
        lie!(chip, "program", jalr(0x4_0000, -8), |row| {
            row.imm[1] = F::ZERO;
            row.next += F::new(1 << 15);
        });
    }

    fn links_cannot_be_forged(chip: &Chip) {
        for honest in [jal(8), jalr(0x4_0000, 8)] {
            lie!(chip, "program", honest, |row| row.link[0] += F::ONE);
            lie!(chip, "program", honest, |row| row.link[1] += F::ONE);
        }
    }

    fn operation_and_operands_are_the_programs(chip: &Chip) {
        lie!(chip, "program", jalr(0x4_0000, 8), |row| row.rd_number +=
            F::ONE);
        lie!(chip, "program", jalr(0x4_0000, 8), |row| row.rs1_number +=
            F::ONE);
        lie!(chip, "program", jalr(0x4_0000, 8), |row| {
            (row.is_jal, row.is_jalr) = (F::ONE, F::ZERO);
            row.target = row.next;
        });
        // The numbers of the two operations add up to that of `bne`.
        let target = PC - 0x124;
        let jalr = base::jalr(Reg::ZERO, Reg::x(6), 0).word();
        let bne = base::bne(Reg::x(6), Reg::ZERO, -0x124).word();
        let jalr = register_record(jalr, u64::from(target), 0);
        let (_, bne) = register_record(bne, 0, 0);
        chip.assert_lie_about(&bne, &jalr, &["at_most_one_operation"], |row| {
            row.is_jal = F::ONE;
            row.target = row.next;
            row.link = [F::ZERO; 2];
        });
        // Rows that look like padding to the buses, but for the reads and look-ups of `jalr`: at a
        // clock that an access of clock 0 can precede.
        lie!(chip, "is_jal_is_boolean", jal(8), |row| {
            *row = zero();
            (row.is_jal, row.is_jalr) = (F::NEG_ONE, F::ONE);
            row.fetch.clock = F::ONE;
        });
        lie!(chip, "is_jalr_is_boolean", jal(8), |row| {
            *row = zero();
            (row.is_jal, row.is_jalr) = (F::ONE, F::NEG_ONE);
            row.fetch.clock = F::ONE;
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = jalr(0x4_0000, 8);
        chip.assert_lies_in_the_past(&honest, ("base", SUBSTEP_RS1), |row| {
            [&mut row.base.previous_clock, &mut row.base.gap_high]
        });
        chip.assert_lies_in_the_past(&honest, ("rd", SUBSTEP_RD), |row| {
            [&mut row.rd.previous_clock, &mut row.rd.gap_high]
        });
    }

    fn padding_writes_nothing(chip: &Chip) {
        lie!(chip, "padding_writes_nothing", jal(8), |row| {
            // The order of clocks holds: from 0 to 3.
            *row = zero();
            row.writes = F::ONE;
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        nothing_is_written_to_x0(&chip);
        targets_cannot_be_forged(&chip);
        links_cannot_be_forged(&chip);
        operation_and_operands_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let free = [
            "base.limbs[0]",
            "base.limbs[1]",
            "base.previous_clock",
            "base.gap_high",
            "bit",
        ];
        let unnoticed = chip().sweep(&[jal(8), jalr(0x4_0001, -8)]);
        // In `jal` nothing is read and added: all but the bit's range is free.
        assert_eq!(unnoticed, free.map(str::to_owned).into());
    }
}
