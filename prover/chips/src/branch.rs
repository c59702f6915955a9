//! `beq`, `bne`, `blt`, `bge`, `bltu`, `bgeu`.
//!
//! # Relation
//!
//! ```text
//! go on at pc + imm if rs1 = rs2 (beq), rs1 ≠ rs2 (bne), rs1 < rs2 (blt, bltu), rs1 ≥ rs2 (bge, bgeu)
//! else at the next instruction
//! ```
//! `blt` and `bge` compare signed values, `bltu` and `bgeu` unsigned ones. Source: RISC-V
//! unprivileged specification 20240411, sections 2.5 and 4.2.
//!
//! # The comparison
//!
//! If the signs of a signed comparison differ, the negative value is the lesser one. Otherwise, and
//! among unsigned values, `decides` marks at most one limb; limbs above the marked one are equal,
//! and all are if none is marked. In the marked limb the values differ by at least 1, and their
//! order there is their order: the difference with the sign that `less` claims, less 1, is `gap`, a
//! 16-bit value.
//!
//! That the signs are the operands' takes two look-ups, as does their order by limbs. Call a sign's
//! *rest* twice the highest limb without the sign, which is below 2^16 only if the sign is bit 15.
//! If the signs differ, `gap` is the rest of `rs1`, as no limb decides, and `sign_rest` that of
//! `rs2`. If they are both 0, `sign_rest` is that of the greater value, and if they are both 1, that
//! of the lesser one: the other value's highest limb lies on the same side of it as it should, or
//! is equal to it.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rs1_number`, `rs2_number`, `target` | the instruction's | program table | name other operands, branch elsewhere |
//! | `rs1`, `rs2` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `signs` | bits 63 in signed comparisons, else 0 | `signs[*]_is_boolean`, `gap` and `sign_rest` look-ups | turn the order round |
//! | `sign_rest` | see above | `sign_rest_is_an_operands` | show the rest of something else |
//! | `decides` | boolean, at most one 1 | `decides[*]_is_boolean`, `at_most_one_decides` | add differences up |
//! | `decides` against operands | | `equal_above[*]` | decide by a lower limb, call different values equal |
//! | `gap` | the difference less 1 or the rest of `rs1`, 16 bits | `gap_is_difference`, `gap` look-up | call equal values different, turn the order round |
//! | `less` | boolean, 0 if all limbs are equal | `less_is_boolean`, `less_is_the_sign`, `gap_is_difference` | take the wrong way |
//! | `next` | the address to go on at | `next` | go on anywhere |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_read, fill_fetch,
    fill_registers, limbs_u16,
};

columns! {
    /// One conditional branch.
    pub(crate) struct Branch {
        /// 1 for `beq`.
        is_beq: [cell],
        /// 1 for `bne`.
        is_bne: [cell],
        /// 1 for `blt`.
        is_blt: [cell],
        /// 1 for `bge`.
        is_bge: [cell],
        /// 1 for `bltu`.
        is_bltu: [cell],
        /// 1 for `bgeu`.
        is_bgeu: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the first source register; from the program table.
        rs1_number: [cell],
        /// Number of the second source register; from the program table.
        rs2_number: [cell],
        /// Half the address it branches to; from the program table.
        target: [cell],
        /// Read of `rs1`.
        rs1: [group Access],
        /// Read of `rs2`.
        rs2: [group Access],
        /// Bits 63 of the operands in signed comparisons, else 0; boolean, bound by range checks.
        signs: [cells 2],
        /// 1 for the highest limb that differs, if any does and the signs do not; boolean.
        decides: [cells 4],
        /// 1 if `rs1` is less than `rs2`; boolean, bound by `gap` or the signs.
        less: [cell],
        /// How much more than 1 the values differ by in the deciding limb; if the signs differ,
        /// twice the highest limb of `rs1` without its sign. Range-checked.
        gap: [cell],
        /// Twice the highest limb of `rs1` or `rs2` without its sign; range-checked in signed
        /// comparisons.
        sign_rest: [cell],
        /// Half the address at which execution goes on.
        next: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "branch";

pub(crate) fn eval(builder: &mut Builder, row: &Branch<Expr>, _: &()) {
    let flags = [
        ("is_beq", &row.is_beq),
        ("is_bne", &row.is_bne),
        ("is_blt", &row.is_blt),
        ("is_bge", &row.is_bge),
        ("is_bltu", &row.is_bltu),
        ("is_bgeu", &row.is_bgeu),
    ];
    let opcodes = [
        Opcode::Beq,
        Opcode::Bne,
        Opcode::Blt,
        Opcode::Bge,
        Opcode::Bltu,
        Opcode::Bgeu,
    ];
    let is_real = eval_flags(builder, &flags);
    let operation = flags
        .iter()
        .zip(opcodes)
        .map(|((_, flag), opcode)| *flag * (opcode as u32))
        .sum();
    let fields = ProgramFields {
        operation,
        rd: Expr::from(0),
        writes: Expr::from(0),
        rs1: row.rs1_number.clone(),
        rs2: row.rs2_number.clone(),
        imm: std::array::from_fn(|_| Expr::from(0)),
        target: row.target.clone(),
    };
    eval_fetch(builder, &is_real, &row.fetch, fields, row.next.clone());

    let clock = &row.fetch.clock;
    let reads = [
        ("rs1", &row.rs1_number, &row.rs1, SUBSTEP_RS1),
        ("rs2", &row.rs2_number, &row.rs2, SUBSTEP_RS2),
    ];
    let gaps = reads.map(|(name, number, access, substep)| {
        eval_read(
            builder,
            name,
            &is_real,
            &Place::register(number),
            access,
            &(clock + substep),
        )
    });
    eval_bytes(builder, &is_real, gaps);
    let decided = eval_comparison(builder, row, &is_real);

    let (less, stays) = (&row.less, &row.fetch.next_half_pc);
    let is_taken = &row.is_beq * decided.not()
        + &row.is_bne * decided
        + (&row.is_blt + &row.is_bltu) * less
        + (&row.is_bge + &row.is_bgeu) * less.not();
    builder.assert_eq("next", &row.next, stays + is_taken * (&row.target - stays));
}

/// Binds `decides`, `less` and what they rest on to the operands; returns whether a limb decides,
/// which among unsigned values is whether they differ.
fn eval_comparison(builder: &mut Builder, row: &Branch<Expr>, is_real: &Expr) -> Expr {
    let is_signed = &row.is_blt + &row.is_bge;
    let [sign_1, sign_2] = &row.signs;
    for (index, sign) in row.signs.iter().enumerate() {
        let name = format!("signs[{index}]_is_boolean");
        builder.assert_zero(&name, sign * (&is_signed - sign));
    }
    let less = &row.less;
    let signs_differ = sign_1 + sign_2 - sign_1 * sign_2 * 2;
    builder.assert_zero_when("less_is_the_sign", &(sign_1 - sign_2), less - sign_1);

    let mut decided = Expr::from(0);
    let mut difference = Expr::from(0);
    for index in (0..4).rev() {
        let decides = &row.decides[index];
        builder.assert_bool(&format!("decides[{index}]_is_boolean"), decides);
        decided = decided + decides;
        let apart = &row.rs2.previous[index] - &row.rs1.previous[index];
        let name = format!("equal_above[{index}]");
        builder.assert_zero_when(&name, &(decided.not() - &signs_differ), apart.clone());
        difference = difference + decides * apart;
    }
    builder.assert_bool("at_most_one_decides", &decided);
    builder.assert_zero("less_is_boolean", less * (&decided + &signs_differ - less));

    // Twice a highest limb without its sign. It is even and less than 2^17 in amount: between 0 and
    // 2^16 only if the sign is bit 15.
    let rest = |limb: &Expr, sign: &Expr| limb * 2 - sign * (1_u32 << 16);
    let (limb_1, limb_2) = (&row.rs1.previous[3], &row.rs2.previous[3]);
    let rest_1 = rest(limb_1, sign_1);
    // The difference is less than 2^16 in amount, so that it and the gap are equal as integers. If
    // the signs differed and a limb decided, it would be equal, and twice its rest would be -1.
    let direction = less * 2 - 1;
    builder.assert_zero(
        "gap_is_difference",
        direction * difference - &decided * (&row.gap + 1) + signs_differ * (&row.gap - &rest_1),
    );
    builder.send("gap", Bus::Range16, is_real, vec![row.gap.clone()]);
    // That of `rs2` where exactly one of `less` and its sign is 1: always if the signs differ, of
    // the greater value if both are 0, of the lesser one if both are 1.
    let is_2 = less + sign_2 - less * sign_2 * 2;
    builder.assert_eq(
        "sign_rest_is_an_operands",
        &row.sign_rest,
        &rest_1 + is_2 * (rest(limb_2, sign_2) - &rest_1),
    );
    let sign_rest = vec![row.sign_rest.clone()];
    builder.send("sign_rest", Bus::Range16, &is_signed, sign_rest);
    decided
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> Branch<F> {
    let opcode = program.opcode;
    let is_signed = matches!(opcode, Opcode::Blt | Opcode::Bge);
    let (a, b) = (record.rs1_value, record.rs2_value);
    let signs = [a, b].map(|value| is_signed && value >> 63 == 1);
    let signs_differ = signs[0] != signs[1];
    let decides = (0..4)
        .rev()
        .find(|&index| !signs_differ && limbs_u16(a)[index] != limbs_u16(b)[index]);
    let [rest_1, rest_2] = [(a, signs[0]), (b, signs[1])].map(|(value, sign)| {
        let limb = limbs_u16(value)[3];
        2 * u32::from(limb) - (u32::from(sign) << 16)
    });
    let (less, gap) = match decides {
        _ if signs_differ => (signs[0], rest_1),
        None => (false, 0),
        Some(index) => {
            let (a, b) = (limbs_u16(a)[index], limbs_u16(b)[index]);
            (a < b, u32::from(a.abs_diff(b)) - 1)
        }
    };
    let differ = a != b;
    let is_taken = if matches!(opcode, Opcode::Beq | Opcode::Bne) {
        differ == (opcode == Opcode::Bne)
    } else {
        less == matches!(opcode, Opcode::Blt | Opcode::Bltu)
    };
    let [rs1, rs2, _] = fill_registers(record, program);
    let flag = |which: Opcode| F::from_bool(opcode == which);
    let fetch = fill_fetch(record.clock, program);
    let next = if is_taken {
        program.target
    } else {
        fetch.next_half_pc
    };
    Branch {
        is_beq: flag(Opcode::Beq),
        is_bne: flag(Opcode::Bne),
        is_blt: flag(Opcode::Blt),
        is_bge: flag(Opcode::Bge),
        is_bltu: flag(Opcode::Bltu),
        is_bgeu: flag(Opcode::Bgeu),
        fetch,
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        target: program.target,
        rs1,
        rs2,
        signs: signs.map(F::from_bool),
        decides: std::array::from_fn(|index| F::from_bool(decides == Some(index))),
        less: F::from_bool(less),
        gap: F::new(gap),
        sign_rest: F::new(if less == signs[1] { rest_1 } else { rest_2 }),
        next,
    }
}

#[cfg(test)]
mod tests {
    use p3_field::Field;
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::base::{BRANCHES, BranchOp};
    use zkvm_testkit::asm::{Reg, base};
    use zkvm_testkit::edge::EDGE_VALUES;
    use zkvm_testkit::edge::reference::is_taken;

    use super::*;
    use crate::testing::{ChipTest, PC, lie, register_record};

    type Honest = (RegisterRecord, ProgramRow);

    const OFFSET: i32 = -0x124;
    const TAKEN: F = F::new((PC - 0x124) / 2);
    const STAYS: F = F::new((PC + 4) / 2);

    type Chip = ChipTest<RegisterRecord, Branch<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn branch(op: BranchOp, a: u64, b: u64) -> Honest {
        register_record(op(Reg::x(6), Reg::x(7), OFFSET).word(), a, b)
    }

    fn zero() -> Branch<F> {
        Branch::take(&mut std::iter::repeat(F::ZERO))
    }

    /// Fills what follows from the signs, the deciding limb and `less`.
    fn settle(row: &mut Branch<F>, less: F, decides: Option<usize>) {
        let rest = |limb: F, sign: F| limb.double() - sign * F::new(1 << 16);
        let [sign_1, sign_2] = row.signs;
        let rest_1 = rest(row.rs1.previous[3], sign_1);
        let rest_2 = rest(row.rs2.previous[3], sign_2);
        let is_2 = less + sign_2 - (less * sign_2).double();
        row.sign_rest = rest_1 + is_2 * (rest_2 - rest_1);
        row.less = less;
        row.decides = [0, 1, 2, 3].map(|index| F::from_bool(decides == Some(index)));
        row.gap = match decides {
            None => rest_1,
            Some(index) => {
                let apart = row.rs2.previous[index] - row.rs1.previous[index];
                (less.double() - F::ONE) * apart - F::ONE
            }
        };
        let is_taken =
            (row.is_blt + row.is_bltu) * less + (row.is_bge + row.is_bgeu) * (F::ONE - less);
        row.next = STAYS + is_taken * (TAKEN - STAYS);
    }

    #[test]
    fn every_pair_of_edge_values_takes_the_reference_way() {
        let chip = chip();
        let limbs =
            (0..4).flat_map(|index| [1, 2, 0x7fff, 0x8000, 0xffff].map(|v| v << (16 * index)));
        let values: Vec<u64> = EDGE_VALUES.iter().copied().chain(limbs).collect();
        for op in BRANCHES {
            let name = op(Reg::x(6), Reg::x(7), 0).name;
            for &a in &values {
                for &b in &values {
                    let (record, program) = branch(*op, a, b);
                    let row = || chip.row(&record, &program);
                    let caught = chip.catches(row(), &program);
                    assert!(caught.is_empty(), "{name} {a:x} {b:x}: {caught:?}");
                    let next = chip.message(row(), "next_state").expect("it goes on");
                    let expected = if is_taken(name, a, b) { TAKEN } else { STAYS };
                    assert_eq!(next[0], expected, "{name} {a:x} {b:x}");
                }
            }
        }
    }

    #[test]
    fn no_claim_of_signs_and_limbs_turns_an_order_round() {
        let chip = chip();
        let limbs = [0, 1, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xffff_u64];
        let values = limbs.iter().flat_map(|high| {
            let low = [0, 1, 0xffff];
            low.map(|low| high << 48 | low)
        });
        let values: Vec<u64> = values.collect();
        let signs = [[0, 0], [0, 1], [1, 0], [1, 1]].map(|signs| signs.map(F::new));
        let decides = [None, Some(0), Some(1), Some(2), Some(3)];
        for op in [base::blt, base::bge, base::bltu, base::bgeu] {
            let name = op(Reg::x(6), Reg::x(7), 0).name;
            for (&a, &b) in values
                .iter()
                .flat_map(|a| values.iter().map(move |b| (a, b)))
            {
                let (record, program) = branch(op, a, b);
                for (signs, decides) in signs.iter().flat_map(|s| decides.map(move |d| (s, d))) {
                    for less in [F::ZERO, F::ONE] {
                        let mut row = chip.row(&record, &program);
                        row.signs = *signs;
                        settle(&mut row, less, decides);
                        let is_true = (row.next == TAKEN) == is_taken(name, a, b);
                        let caught = chip.catches(row, &program);
                        assert!(
                            is_true || !caught.is_empty(),
                            "{name} {a:x} {b:x} {signs:?} {decides:?}"
                        );
                    }
                }
            }
        }
    }

    fn the_way_is_the_comparisons(chip: &Chip) {
        lie!(chip, "next", branch(base::beq, 5, 5), |row| row.next =
            STAYS);
        lie!(chip, "next", branch(base::blt, 5, 5), |row| row.next =
            TAKEN);
        lie!(chip, "next", branch(base::bgeu, 5, 5), |row| row.next +=
            F::ONE);
        lie!(chip, "program", branch(base::bne, 5, 6), |row| {
            row.target += F::ONE;
            row.next += F::ONE;
        });
        lie!(chip, "program", branch(base::bne, 5, 5), |row| {
            row.fetch.next_half_pc += F::ONE;
            row.next += F::ONE;
        });
    }

    fn equal_values_do_not_differ(chip: &Chip) {
        // A difference of 0 is a gap of -1, whichever way.
        lie!(chip, "gap", branch(base::bne, 5, 5), |row| {
            (row.decides[0], row.gap, row.next) = (F::ONE, F::NEG_ONE, TAKEN);
        });
        lie!(chip, "gap", branch(base::bltu, 5, 5), |row| {
            (row.decides[0], row.gap) = (F::ONE, F::NEG_ONE);
            (row.less, row.next) = (F::ONE, TAKEN);
        });
        lie!(chip, "gap_is_difference", branch(base::bne, 5, 5), |row| {
            (row.decides[0], row.next) = (F::ONE, TAKEN);
        });
        // Equal and yet less.
        lie!(chip, "less_is_boolean", branch(base::bltu, 5, 5), |row| {
            (row.less, row.next) = (F::ONE, TAKEN);
        });
    }

    fn different_values_are_not_equal(chip: &Chip) {
        let forge = |name: &str, a: u64| {
            chip.assert_lie(&branch(base::beq, a, 0), &[name], |row| {
                row.decides = [F::ZERO; 4];
                row.next = TAKEN;
            });
        };
        forge("equal_above[0]", 1);
        forge("equal_above[1]", 1 << 16);
        forge("equal_above[2]", 1 << 32);
        forge("equal_above[3]", 1 << 48);
    }

    fn lower_limbs_do_not_decide(chip: &Chip) {
        // 2^16 < 1, by their lowest limbs; and so on.
        let forge = |name: &str, index: usize| {
            let (a, b) = (1 << (16 * (index + 1)), 1 << (16 * index));
            chip.assert_lie(&branch(base::bltu, a, b), &[name], |row| {
                settle(row, F::ONE, Some(index));
            });
        };
        forge("equal_above[1]", 0);
        forge("equal_above[2]", 1);
        forge("equal_above[3]", 2);
    }

    fn the_order_cannot_be_turned_round(chip: &Chip) {
        lie!(chip, "gap_is_difference", branch(base::bltu, 7, 5), |row| {
            (row.less, row.next) = (F::ONE, TAKEN);
        });
        lie!(chip, "gap", branch(base::bltu, 7, 5), |row| {
            (row.less, row.next) = (F::ONE, TAKEN);
            row.gap = -F::new(3);
        });
        // Half less: its direction is 0, and so must be the gap and 1.
        lie!(
            chip,
            "less_is_boolean",
            branch(base::bltu, 7, 5),
            |row| {
                row.less = F::TWO.inverse();
                row.gap = F::NEG_ONE;
                row.next = (TAKEN + STAYS) * F::TWO.inverse();
            },
            also["gap"]
        );
        // Twice less: thrice the difference.
        lie!(chip, "less_is_boolean", branch(base::bltu, 5, 7), |row| {
            row.less = F::TWO;
            row.gap = F::new(5);
            row.next = TAKEN + TAKEN - STAYS;
        });
    }

    fn one_limb_decides_at_most(chip: &Chip) {
        // The second limbs differ by 2, which two limbs share.
        lie!(
            chip,
            "at_most_one_decides",
            branch(base::bgeu, 0x3_0000, 0x1_0000),
            |row| {
                (row.decides[0], row.gap) = (F::ONE, F::ZERO);
            }
        );
        // 2^17 + 1 < 2^16 + 4: twice the lowest limbs' difference outweighs that of the second,
        // which a mark of -1 turns round; that mark does not excuse the difference either.
        lie!(chip, "decides[0]_is_boolean", branch(base::bltu, 0x2_0001, 0x1_0004), |row| {
            row.decides[0] = F::TWO;
            row.decides[1] = F::NEG_ONE;
            (row.less, row.gap, row.next) = (F::ONE, F::new(6), TAKEN);
        }, also ["decides[1]_is_boolean", "equal_above[1]"]);
        // Marks that cancel.
        let forge = |name: &str, index: usize| {
            chip.assert_lie(&branch(base::beq, 5, 5), &[name], |row| {
                row.decides[index] = F::NEG_ONE;
                row.decides[(index + 1) % 4] = F::ONE;
            });
        };
        forge("decides[0]_is_boolean", 0);
        forge("decides[1]_is_boolean", 1);
        forge("decides[2]_is_boolean", 2);
        forge("decides[3]_is_boolean", 3);
    }

    fn signs_are_the_operands(chip: &Chip) {
        let (yes, no) = (F::ONE, F::ZERO);
        let at_top = |a: u64, b: u64| (a << 48, b << 48);
        let forge = |(a, b): (u64, u64), name: &str, signs: [F; 2], less: F, decides| {
            for op in [base::blt, base::bge] {
                chip.assert_lie(&branch(op, a, b), &[name], |row| {
                    row.signs = signs;
                    settle(row, less, decides);
                });
            }
        };
        let (negative, positive) = (0xffff, 1);
        // Signs left out: the negative one is the greater one, as among unsigned values.
        let values = at_top(negative, positive);
        forge(values, "sign_rest", [no, no], no, Some(3));
        // A sign for both: the same.
        forge(values, "sign_rest", [yes, yes], no, Some(3));
        let values = at_top(positive, negative);
        forge(values, "sign_rest", [no, no], yes, Some(3));
        forge(values, "sign_rest", [yes, yes], yes, Some(3));
        // The signs of the other operand.
        chip.assert_lie(
            &branch(base::blt, 1 << 48, u64::MAX),
            &["gap", "sign_rest"],
            |row| {
                row.signs = [yes, no];
                settle(row, yes, None);
            },
        );
        // Two signs for one, at either operand, of either sign.
        let values = at_top(2, 1);
        forge(values, "gap", [yes, no], yes, None);
        let values = at_top(1, 2);
        forge(values, "sign_rest", [no, yes], no, None);
        let values = at_top(0x8002, 0x8001);
        forge(values, "sign_rest", [yes, no], yes, None);
        let values = at_top(0x8001, 0x8002);
        forge(values, "gap", [no, yes], no, None);
        // Signs that differ and an order that is not theirs.
        forge(
            at_top(negative, positive),
            "less_is_the_sign",
            [yes, no],
            no,
            None,
        );
        // The rest of something else.
        lie!(
            chip,
            "sign_rest_is_an_operands",
            branch(base::blt, u64::MAX, 1 << 63),
            |row| {
                row.signs = [no, no];
                settle(row, no, Some(3));
                row.sign_rest = F::ZERO;
            }
        );
        // A limb that decides although the signs do.
        lie!(
            chip,
            "gap_is_difference",
            branch(base::blt, 0xffff, u64::MAX),
            |row| {
                row.decides[0] = F::ONE;
            }
        );
        // A sign among unsigned values.
        lie!(
            chip,
            "signs[0]_is_boolean",
            branch(base::bltu, u64::MAX, 1),
            |row| {
                row.signs = [yes, no];
                settle(row, yes, None);
            }
        );
        lie!(
            chip,
            "signs[1]_is_boolean",
            branch(base::bgeu, 1, u64::MAX),
            |row| {
                row.signs = [no, yes];
                settle(row, no, None);
            }
        );
    }

    fn operation_and_operands_are_the_programs(chip: &Chip) {
        lie!(chip, "program", branch(base::blt, 1, 2), |row| {
            (row.is_blt, row.is_bge) = (F::ZERO, F::ONE);
            row.next = STAYS;
        });
        lie!(chip, "program", branch(base::blt, 1, 2), |row| row
            .rs1_number +=
            F::ONE);
        lie!(chip, "program", branch(base::blt, 1, 2), |row| row
            .rs2_number +=
            F::ONE);
        // The numbers of `beq` and `bne` add up to that of `bgeu`, and one of them always branches.
        lie!(
            chip,
            "at_most_one_operation",
            branch(base::bgeu, 1, 2),
            |row| {
                row.is_bgeu = F::ZERO;
                (row.is_beq, row.is_bne) = (F::ONE, F::ONE);
                row.next = TAKEN;
            }
        );
        // Rows that look like padding to the buses: each flag is -1 beside one of 1.
        let forge = |name: &str, set: fn(&mut Branch<F>)| {
            chip.assert_lie(&branch(base::blt, 1, 2), &[name], |row| {
                *row = zero();
                set(row);
            });
        };
        forge("is_beq_is_boolean", |row| {
            (row.is_beq, row.is_bne) = (F::NEG_ONE, F::ONE)
        });
        forge("is_bne_is_boolean", |row| {
            (row.is_bne, row.is_beq) = (F::NEG_ONE, F::ONE)
        });
        forge("is_blt_is_boolean", |row| {
            (row.is_blt, row.is_bne) = (F::NEG_ONE, F::ONE)
        });
        forge("is_bge_is_boolean", |row| {
            (row.is_bge, row.is_bne) = (F::NEG_ONE, F::ONE)
        });
        forge("is_bltu_is_boolean", |row| {
            (row.is_bltu, row.is_bne) = (F::NEG_ONE, F::ONE)
        });
        forge("is_bgeu_is_boolean", |row| {
            (row.is_bgeu, row.is_bne) = (F::NEG_ONE, F::ONE)
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = branch(base::beq, 5, 7);
        chip.assert_lies_in_the_past(&honest, ("rs1", SUBSTEP_RS1), |row| {
            [&mut row.rs1.previous_clock, &mut row.rs1.gap_high]
        });
        chip.assert_lies_in_the_past(&honest, ("rs2", SUBSTEP_RS2), |row| {
            [&mut row.rs2.previous_clock, &mut row.rs2.gap_high]
        });
    }

    #[test]
    fn padding_says_nothing() {
        let chip = chip();
        let (record, program) = branch(base::blt, 1, 2);
        for name in [
            "state",
            "next_state",
            "program",
            "rs1.before",
            "rs1.after",
            "rs2.before",
        ] {
            let mut row = chip.row(&record, &program);
            assert!(chip.message(chip.row(&record, &program), name).is_some());
            row.is_blt = F::ZERO;
            assert_eq!(chip.message(row, name), None, "{name}");
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        the_way_is_the_comparisons(&chip);
        equal_values_do_not_differ(&chip);
        different_values_are_not_equal(&chip);
        lower_limbs_do_not_decide(&chip);
        the_order_cannot_be_turned_round(&chip);
        one_limb_decides_at_most(&chip);
        signs_are_the_operands(&chip);
        operation_and_operands_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = [
            branch(base::beq, 5, 7),
            branch(base::beq, 5, 5),
            branch(base::bne, 7, 5),
            branch(base::blt, u64::MAX, 1),
            branch(base::bge, u64::MAX, u64::MAX - 1),
            branch(base::bltu, 1 << 40, 1 << 41),
            branch(base::bgeu, 1 << 63, 1),
        ];
        // Between equal values there is no gap.
        assert_eq!(chip().sweep(&rows), ["gap".to_owned()].into());
    }
}
