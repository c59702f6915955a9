//! `add`, `addi`, `sub` and their word forms.
//!
//! # Relation
//!
//! ```text
//! add, addi:    rd = rs1 + b  mod 2^64
//! sub:          rd = rs1 - b  mod 2^64, that is rd + b = rs1 mod 2^64
//! word forms:   the same mod 2^32, bit 31 copied into bits 32 to 63
//! ```
//! with `b` the value of `rs2` or the immediate. Source: RISC-V unprivileged specification
//! 20240411, sections 2.4 and 4.2.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rd`, `writes`, `rs1`, `rs2`, `imm*` | the instruction's | program table | name other operands |
//! | `rs1`, `rs2`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `rs2.previous` in immediate forms | the immediate | `immediate_operand[*]` | add something else |
//! | `result` | 16-bit limbs | range table; `result[1]` by `sign_bit` | hide a carry in an oversized limb |
//! | `result` against operands | | `sum[*]` | write any value |
//! | `sign` | bit 31 of the result | `sign_is_boolean`, `sign_bit` look-up | extend with the wrong sign |
//!
//! The carries are linear in the cells, and `sum[*]` says that each is 0 or 1. `result[1]` has no
//! look-up of its own. By `sum[1]` it is two limbs and a carry, less 0 or 2^16: an integer so small
//! that twice it cannot wrap, and `sign_bit` shows that what is left of it without the sign is at
//! least 0 and below 2^15.

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_read, eval_write,
    fill_fetch, fill_registers, limbs,
};

columns! {
    /// One addition or subtraction.
    pub(crate) struct AddSub {
        /// 1 for `add`.
        is_add: [cell],
        /// 1 for `addi`.
        is_addi: [cell],
        /// 1 for `sub`.
        is_sub: [cell],
        /// 1 for `addw`.
        is_addw: [cell],
        /// 1 for `addiw`.
        is_addiw: [cell],
        /// 1 for `subw`.
        is_subw: [cell],
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
        /// The value written: 16-bit limbs, range-checked.
        result: [cells 4],
        /// Bit 31 of the result; boolean, bound by a range check.
        sign: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "add_sub";

pub(crate) fn eval(builder: &mut Builder, row: &AddSub<Expr>, _: &()) {
    let flags = [
        ("is_add", &row.is_add),
        ("is_addi", &row.is_addi),
        ("is_sub", &row.is_sub),
        ("is_addw", &row.is_addw),
        ("is_addiw", &row.is_addiw),
        ("is_subw", &row.is_subw),
    ];
    let opcodes = [
        Opcode::Add,
        Opcode::Addi,
        Opcode::Sub,
        Opcode::Addw,
        Opcode::Addiw,
        Opcode::Subw,
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
    let is_immediate = &row.is_addi + &row.is_addiw;
    let reads_rs2 = &is_real - &is_immediate;
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

    let imm = [&row.imm_low, &row.imm_sign, &row.imm_sign, &row.imm_sign];
    for (index, (limb, imm)) in row.rs2.previous.iter().zip(imm).enumerate() {
        let name = format!("immediate_operand[{index}]");
        builder.assert_zero_when(&name, &is_immediate, limb - imm);
    }
    eval_sum(builder, row, &is_real);
}

/// The sum limb by limb, and the sign extension of word forms.
fn eval_sum(builder: &mut Builder, row: &AddSub<Expr>, is_real: &Expr) {
    let is_word = &row.is_addw + &row.is_addiw + &row.is_subw;
    let adds_double = &row.is_add + &row.is_addi;
    let adds_word = &row.is_addw + &row.is_addiw;
    let unit = Expr::constant(F::new(1 << 16).inverse());
    let (mut added, mut subtracted) = (Expr::from(0), Expr::from(0));
    for index in 0..4 {
        let (a, b, result) = (
            &row.rs1.previous[index],
            &row.rs2.previous[index],
            &row.result[index],
        );
        // The carries out of this limb, of `a + b = result` and of `result + b = a`.
        added = (added + a + b - result) * &unit;
        subtracted = (subtracted + result + b - a) * &unit;
        // The upper limbs of word forms are no sum; see `extension[*]`.
        let (adds, subtracts) = if index < 2 {
            (&adds_double + &adds_word, &row.is_sub + &row.is_subw)
        } else {
            (adds_double.clone(), row.is_sub.clone())
        };
        builder.assert_zero(
            &format!("sum[{index}]"),
            adds * &added * (&added - 1) + subtracts * &subtracted * (&subtracted - 1),
        );
        if index >= 2 {
            let extension = result - &row.sign * 0xffff_u32;
            builder.assert_zero_when(&format!("extension[{index}]"), &is_word, extension);
        }
    }
    for index in [0, 2, 3] {
        let limb = vec![row.result[index].clone()];
        builder.send(&format!("result[{index}]"), Bus::Range16, is_real, limb);
    }
    builder.assert_bool("sign_is_boolean", &row.sign);
    // With the sign in range, twice the rest is below 2^16 only if `sign` is bit 15.
    let rest = (&row.result[1] - &row.sign * (1_u32 << 15)) * 2;
    builder.send("sign_bit", Bus::Range16, is_real, vec![rest]);
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> AddSub<F> {
    let opcode = program.opcode;
    let is_immediate = matches!(opcode, Opcode::Addi | Opcode::Addiw);
    let is_word = matches!(opcode, Opcode::Addw | Opcode::Addiw | Opcode::Subw);
    let subtracts = matches!(opcode, Opcode::Sub | Opcode::Subw);
    let imm = program
        .imm
        .iter()
        .rev()
        .fold(0, |value, limb| value << 16 | u64::from(*limb));
    let (a, b) = (
        record.rs1_value,
        if is_immediate { imm } else { record.rs2_value },
    );
    let double = if subtracts {
        a.wrapping_sub(b)
    } else {
        a.wrapping_add(b)
    };
    let result = if is_word {
        double as i32 as u64
    } else {
        double
    };
    let [rs1, mut rs2, rd] = fill_registers(record, program);
    if is_immediate {
        rs2.previous = limbs(imm);
    }
    let flag = |which: Opcode| F::from_bool(opcode == which);
    AddSub {
        is_add: flag(Opcode::Add),
        is_addi: flag(Opcode::Addi),
        is_sub: flag(Opcode::Sub),
        is_addw: flag(Opcode::Addw),
        is_addiw: flag(Opcode::Addiw),
        is_subw: flag(Opcode::Subw),
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
        result: limbs(result),
        sign: F::from_bool(result >> 31 & 1 == 1),
    }
}

#[cfg(test)]
mod tests {
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::{Reg, base};

    use super::*;
    use crate::testing::{ChipTest, lie, register_record};

    type Honest = (RegisterRecord, ProgramRow);

    type Chip = ChipTest<RegisterRecord, AddSub<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn add(a: u64, b: u64) -> Honest {
        register_record(base::add(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn addi(a: u64, imm: i32) -> Honest {
        register_record(base::addi(Reg::x(5), Reg::x(6), imm).word(), a, 0)
    }

    fn sub(a: u64, b: u64) -> Honest {
        register_record(base::sub(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    fn addw(a: u64, b: u64) -> Honest {
        register_record(base::addw(Reg::x(5), Reg::x(6), Reg::x(7)).word(), a, b)
    }

    #[test]
    fn edge_vectors_hold_and_write_the_reference_result() {
        chip().check_alu_vectors(&["add", "addi", "sub", "addw", "addiw", "subw"]);
    }

    fn sums_cannot_be_forged(chip: &Chip) {
        // One more in a limb, made up for by a carry that is none: 0x7f00 · 2^16 is -1.
        for index in 0..3 {
            let [add, sub] = [add(5, 7), sub(5, 7)];
            for honest in [add, sub] {
                let sign = if honest.1.opcode == Opcode::Add {
                    F::ONE
                } else {
                    F::NEG_ONE
                };
                chip.assert_lie(&honest, &[&format!("sum[{index}]")], |row| {
                    row.result[index] += sign;
                    row.result[index + 1] += sign * F::new(0x7f00);
                });
            }
        }
        lie!(chip, "sum[3]", add(5, 7), |row| row.result[3] += F::ONE);
        lie!(chip, "sum[3]", sub(5, 7), |row| row.result[3] -= F::ONE);
        lie!(chip, "sum[1]", addw(5, 7), |row| row.result[1] += F::ONE);
    }

    fn limbs_cannot_hide_a_carry(chip: &Chip) {
        for (index, name) in ["result[0]", "sign_bit", "result[2]"].iter().enumerate() {
            chip.assert_lie(&add(5, 7), &[name], |row| {
                row.result[index] -= F::new(1 << 16);
                row.result[index + 1] += F::ONE;
            });
        }
        lie!(chip, "result[3]", add(5, 7), |row| row.result[3] -=
            F::new(1 << 16));
    }

    fn word_forms_extend_the_true_sign(chip: &Chip) {
        let negative = addw(u64::MAX, 0);
        lie!(chip, "extension[2]", negative, |row| row.result[2] =
            F::ZERO);
        lie!(chip, "extension[3]", negative, |row| row.result[3] =
            F::ZERO);
        lie!(chip, "sign_bit", negative, |row| {
            row.sign = F::ZERO;
            row.result[2] = F::ZERO;
            row.result[3] = F::ZERO;
        });
        lie!(chip, "sign_is_boolean", addw(0x7fff_ffff, 0), |row| {
            // Half a sign: the doubled rest stays in range, the extension is 2^16 / 2 - 1/2.
            row.sign = F::TWO.inverse();
            row.result[2] = F::new(0xffff) * F::TWO.inverse();
            row.result[3] = F::new(0xffff) * F::TWO.inverse();
        }, also ["result[2]", "result[3]"]);
        lie!(chip, "sign_bit", add(5, 7), |row| row.sign = F::ONE);
        // Twice the sign: the limb keeps its carry.
        lie!(chip, "sign_is_boolean", add(0xffff_0000, 1 << 16), |row| {
            row.sign = F::TWO;
            row.result[1] = F::new(1 << 16);
            row.result[2] = F::ZERO;
        });
    }

    fn operands_and_operation_are_the_programs(chip: &Chip) {
        lie!(chip, "immediate_operand[0]", addi(5, -7), |row| {
            row.rs2.previous[0] += F::ONE;
            row.result[0] += F::ONE;
        });
        lie!(chip, "immediate_operand[1]", addi(5, 7), |row| {
            row.rs2.previous[1] += F::ONE;
            row.result[1] += F::ONE;
        });
        lie!(chip, "immediate_operand[2]", addi(5, 7), |row| {
            row.rs2.previous[2] += F::ONE;
            row.result[2] += F::ONE;
        });
        lie!(chip, "immediate_operand[3]", addi(5, 7), |row| {
            row.rs2.previous[3] += F::ONE;
            row.result[3] += F::ONE;
        });
        lie!(chip, "program", addi(5, 7), |row| {
            row.imm_low += F::ONE;
            row.rs2.previous[0] += F::ONE;
            row.result[0] += F::ONE;
        });
        lie!(chip, "program", add(5, 0), |row| {
            (row.is_add, row.is_sub) = (F::ZERO, F::ONE);
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = add(5, 7);
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

    fn flags_do_not_mix(chip: &Chip) {
        let flags = [
            ("is_add", "is_addi"),
            ("is_addi", "is_sub"),
            ("is_sub", "is_addw"),
            ("is_addw", "is_addiw"),
            ("is_addiw", "is_subw"),
            ("is_subw", "is_add"),
        ];
        chip.assert_flags_are_boolean(&add(5, 7), &flags);
        // The numbers of `add` and `addi` add up to that of `mul`.
        let [add, mul] = [base::add, base::mul]
            .map(|op| register_record(op(Reg::ZERO, Reg::x(6), Reg::x(7)).word(), 5, 0));
        chip.assert_lie_about(&mul.1, &add, &["at_most_one_operation"], |row| {
            row.is_addi = F::ONE;
        });
    }

    fn padding_writes_nothing(chip: &Chip) {
        lie!(chip, "padding_writes_nothing", add(5, 7), |row| {
            *row = AddSub::take(&mut std::iter::repeat(F::ZERO));
            row.writes = F::ONE;
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        sums_cannot_be_forged(&chip);
        limbs_cannot_hide_a_carry(&chip);
        word_forms_extend_the_true_sign(&chip);
        operands_and_operation_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        flags_do_not_mix(&chip);
        padding_writes_nothing(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = [add(5, 7), sub(5, 7), addw(1 << 31, 0), addi(5, -7)];
        let free = ["rs2.previous_clock", "rs2.gap_high"];
        let unnoticed = chip().sweep(&rows);
        // In immediate forms nothing is read through rs2.
        assert_eq!(unnoticed, free.map(str::to_owned).into());
    }
}
