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
//! | `result` | 16-bit limbs | range table | hide a carry in an oversized limb |
//! | `carry` | boolean | `carry[*]_is_boolean` | absorb any difference |
//! | `result` against operands | | `sum[*]` | write any value |
//! | `sign` | bit 31 of the result | `sign_is_boolean`, `sign_bit` look-up | extend with the wrong sign |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_fetch, eval_flags, eval_limbs, eval_read, eval_write,
    fill_fetch, fill_registers, limbs, limbs_u16,
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
        /// Carry out of each limb of the sum; boolean. Word forms leave the upper two 0.
        carry: [cells 4],
        /// Bit 31 of the result in word forms, else 0; boolean, bound by a range check.
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
    eval_read(
        builder,
        "rs1",
        &is_real,
        &place(&row.rs1_number),
        &row.rs1,
        &at(SUBSTEP_RS1),
    );
    eval_read(
        builder,
        "rs2",
        &reads_rs2,
        &place(&row.rs2_number),
        &row.rs2,
        &at(SUBSTEP_RS2),
    );
    let rd = place(&row.rd_number);
    eval_write(
        builder,
        "rd",
        &row.writes,
        &rd,
        &row.rd,
        &row.result,
        &at(SUBSTEP_RD),
    );

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
    let is_double = is_real - &is_word;
    let adds_double = &row.is_add + &row.is_addi;
    let adds_word = &row.is_addw + &row.is_addiw;
    for index in 0..4 {
        let carry = &row.carry[index];
        builder.assert_bool(&format!("carry[{index}]_is_boolean"), carry);
        let (a, b, result) = (
            &row.rs1.previous[index],
            &row.rs2.previous[index],
            &row.result[index],
        );
        let carry_in = if index == 0 {
            Expr::from(0)
        } else {
            row.carry[index - 1].clone()
        };
        let carried = b + carry_in - carry * (1_u32 << 16);
        let added = a + &carried - result;
        let subtracted = result + &carried - a;
        // The upper limbs of word forms are no sum; see `extension[*]`.
        let (adds, subtracts) = if index < 2 {
            (&adds_double + &adds_word, &row.is_sub + &row.is_subw)
        } else {
            (adds_double.clone(), row.is_sub.clone())
        };
        builder.assert_zero(
            &format!("sum[{index}]"),
            adds * added + subtracts * subtracted,
        );
        if index >= 2 {
            let extension = result - &row.sign * 0xffff_u32;
            builder.assert_zero_when(&format!("extension[{index}]"), &is_word, extension);
        }
    }
    eval_limbs(builder, "result", is_real, &row.result);
    builder.assert_bool("sign_is_boolean", &row.sign);
    // With the limb and the sign in range, twice the rest is below 2^16 only if `sign` is bit 15.
    let rest = (&row.result[1] - &row.sign * (1_u32 << 15)) * 2;
    builder.send("sign_bit", Bus::Range16, &is_word, vec![rest]);
    builder.assert_zero_when("no_sign_in_double_forms", &is_double, row.sign.clone());
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
    let (x, y) = (limbs_u16(if subtracts { result } else { a }), limbs_u16(b));
    let mut carry_in = 0;
    let carry = std::array::from_fn(|index| {
        if is_word && index >= 2 {
            return F::ZERO;
        }
        carry_in = (u32::from(x[index]) + u32::from(y[index]) + carry_in) >> 16;
        F::new(carry_in)
    });
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
        carry,
        sign: F::from_bool(is_word && result >> 31 & 1 == 1),
    }
}

#[cfg(test)]
mod tests {
    use p3_field::Field;
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::{Reg, base};

    use super::*;
    use crate::testing::{ChipTest, lie, register_record};

    type Honest = (RegisterRecord, ProgramRow);

    fn chip() -> ChipTest<RegisterRecord, AddSub<F>> {
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

    #[test]
    fn sums_cannot_be_forged() {
        let chip = chip();
        lie!(chip, "sum[0]", add(5, 7), |row| row.result[0] += F::ONE);
        lie!(chip, "sum[1]", sub(5, 7), |row| row.result[1] -= F::ONE);
        lie!(chip, "sum[2]", add(5, 7), |row| row.result[2] += F::ONE);
        lie!(chip, "sum[3]", sub(5, 7), |row| row.result[3] -= F::ONE);
        lie!(chip, "result[3]", add(5, 7), |row| {
            row.result[3] -= F::new(1 << 16);
            row.carry[3] = F::ONE;
        });
    }

    #[test]
    fn carries_cannot_be_fractions() {
        // result[i] is one too small, and the carry makes up for it with 2^-16; below the top limb
        // the fraction goes on into the next carries.
        let chip = chip();
        let unit = F::new(1 << 16).inverse();
        lie!(chip, "carry[3]_is_boolean", add(5 << 48, 7), |row| {
            row.result[3] -= F::ONE;
            row.carry[3] += unit;
        });
        lie!(
            chip,
            "carry[2]_is_boolean",
            add(5 << 32, 7),
            |row| {
                row.result[2] -= F::ONE;
                row.carry[2] += unit;
                row.carry[3] += unit * unit;
            },
            also["carry[3]_is_boolean"]
        );
        lie!(chip, "carry[1]_is_boolean", addw(5 << 16, 7), |row| {
            row.result[1] -= F::ONE;
            row.carry[1] += unit;
        });
        lie!(
            chip,
            "carry[0]_is_boolean",
            addw(5, 7),
            |row| {
                row.result[0] -= F::ONE;
                row.carry[0] += unit;
                row.carry[1] += unit * unit;
            },
            also["carry[1]_is_boolean"]
        );
    }

    #[test]
    fn word_forms_extend_the_true_sign() {
        let chip = chip();
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
        lie!(chip, "no_sign_in_double_forms", add(5, 7), |row| row.sign =
            F::ONE);
    }

    #[test]
    fn operands_and_operation_are_the_programs() {
        let chip = chip();
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
        lie!(
            chip,
            "at_most_one_operation",
            add(5, 0),
            |row| row.is_sub = F::ONE,
            also["padding_writes_nothing", "program"]
        );
        lie!(chip, "is_add_is_boolean", add(0, 0), |row| {
            // 1 = 2 - 1: a mixture whose number is, here, not even that of another operation.
            row.is_add = F::TWO;
            row.is_sub = F::NEG_ONE;
        }, also ["is_sub_is_boolean", "program"]);
    }

    #[test]
    fn accesses_lie_in_the_past() {
        let chip = chip();
        lie!(chip, "rs1.order", add(5, 7), |row| row.rs1.gap_low +=
            F::ONE);
        lie!(chip, "rs2.order", add(5, 7), |row| row.rs2.gap_high -=
            F::ONE);
        lie!(chip, "rd.order", add(5, 7), |row| row.rd.previous_clock +=
            F::ONE);
        lie!(chip, "rs1.gap_low", add(5, 7), |row| {
            // An access in the future.
            row.rs1.previous_clock = row.fetch.clock + F::ONE;
            row.rs1.gap_low = -F::TWO;
        });
        lie!(chip, "rs1.gap_high", add(5, 7), |row| {
            row.rs1.previous_clock = row.fetch.clock + F::new(1 << 16);
            row.rs1.gap_low = F::new(0xffff);
            row.rs1.gap_high = -F::TWO;
        });
    }

    #[test]
    fn limbs_and_gaps_are_in_range() {
        let chip = chip();
        for index in 0..3 {
            chip.assert_lie(&add(5, 7), &[&format!("result[{index}]")], |row| {
                row.result[index] -= F::new(1 << 16);
                row.carry[index] = F::ONE;
                row.result[index + 1] += F::ONE;
            });
        }
        lie!(chip, "rs2.gap_low", add(5, 7), |row| {
            row.rs2.previous_clock = row.fetch.clock + F::TWO;
            row.rs2.gap_low = -F::TWO;
            row.rs2.gap_high = F::ZERO;
        });
        lie!(chip, "rs2.gap_high", add(5, 7), |row| {
            row.rs2.previous_clock = row.fetch.clock + F::new(1 << 16) + F::ONE;
            row.rs2.gap_low = F::new(0xffff);
            row.rs2.gap_high = -F::TWO;
        });
        lie!(chip, "rd.gap_low", add(5, 7), |row| {
            row.rd.previous_clock = row.fetch.clock + F::new(4);
            row.rd.gap_low = -F::TWO;
            row.rd.gap_high = F::ZERO;
        });
        lie!(chip, "rd.gap_high", add(5, 7), |row| {
            row.rd.previous_clock = row.fetch.clock + F::new(1 << 16) + F::new(3);
            row.rd.gap_low = F::new(0xffff);
            row.rd.gap_high = -F::TWO;
        });
    }

    #[test]
    fn flags_do_not_mix() {
        // Two halves of flags that add up to one, or 2 - 1: only the flags' own checks and the
        // operation's number stand against it.
        let chip = chip();
        type Flag = fn(&mut AddSub<F>) -> &mut F;
        let pairs: [(&str, Flag); 5] = [
            ("is_addi", |row| &mut row.is_addi),
            ("is_sub", |row| &mut row.is_sub),
            ("is_addw", |row| &mut row.is_addw),
            ("is_addiw", |row| &mut row.is_addiw),
            ("is_subw", |row| &mut row.is_subw),
        ];
        for (name, flag) in pairs {
            let mut row = chip.row(&add(0, 0).0, &add(0, 0).1);
            row.is_add = F::TWO;
            *flag(&mut row) = F::NEG_ONE;
            let caught = chip.catches(row, &add(0, 0).1);
            let own = format!("{name}_is_boolean");
            assert!(
                caught.contains(&own) && caught.contains("is_add_is_boolean"),
                "{caught:?}"
            );
        }
    }

    #[test]
    fn padding_writes_nothing() {
        let chip = chip();
        let honest = add(5, 7);
        let mut row = AddSub::take(&mut std::iter::repeat(F::ZERO));
        row.writes = F::ONE;
        // It could only speak of the write; the order of clocks does not hold either.
        let caught = chip.catches(row, &honest.1);
        assert!(caught.contains("padding_writes_nothing"), "{caught:?}");
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = [add(5, 7), sub(5, 7), addw(1 << 31, 0), addi(5, -7)];
        let free = [
            "rs2.previous_clock",
            "rs2.gap_low",
            "rs2.gap_high",
            "carry[2]",
            "carry[3]",
        ];
        let unnoticed = chip().sweep(&rows);
        // In immediate forms nothing is read through rs2; word forms leave the upper carries.
        assert_eq!(unnoticed, free.map(str::to_owned).into());
    }
}
