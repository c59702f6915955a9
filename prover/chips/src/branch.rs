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
//! How the values are compared is said in [`crate::comparison`].
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rs1_number`, `rs2_number`, `target` | the instruction's | program table | name other operands, branch elsewhere |
//! | `rs1`, `rs2` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `comparison` | the order of `rs1` and `rs2` | see [`crate::comparison`] | take the wrong way |
//! | `next` | the address to go on at | `next` | go on anywhere |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{RegisterRecord, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::common::{
    Access, Fetch, Place, ProgramFields, eval_bytes, eval_fetch, eval_flags, eval_read, fill_fetch,
    fill_registers,
};
use crate::comparison::{Comparison, eval_comparison, fill_comparison};

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
        /// The order of `rs1` and `rs2`.
        comparison: [group Comparison],
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
    let is_signed = &row.is_blt + &row.is_bge;
    let values = [&row.rs1.previous, &row.rs2.previous];
    let decided = eval_comparison(builder, [&is_real, &is_signed], values, &row.comparison);

    let (less, stays) = (&row.comparison.less, &row.fetch.next_half_pc);
    let is_taken = &row.is_beq * decided.not()
        + &row.is_bne * decided
        + (&row.is_blt + &row.is_bltu) * less
        + (&row.is_bge + &row.is_bgeu) * less.not();
    builder.assert_eq("next", &row.next, stays + is_taken * (&row.target - stays));
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &RegisterRecord, program: &ProgramRow) -> Branch<F> {
    let opcode = program.opcode;
    let is_signed = matches!(opcode, Opcode::Blt | Opcode::Bge);
    let (a, b) = (record.rs1_value, record.rs2_value);
    let comparison = fill_comparison(is_signed, a, b);
    let differ = a != b;
    let is_taken = if matches!(opcode, Opcode::Beq | Opcode::Bne) {
        differ == (opcode == Opcode::Bne)
    } else {
        (comparison.less == F::ONE) == matches!(opcode, Opcode::Blt | Opcode::Bltu)
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
        comparison,
        next,
    }
}

#[cfg(test)]
mod tests {
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::base::{BRANCHES, BranchOp};
    use zkvm_testkit::asm::{Reg, base};
    use zkvm_testkit::edge::EDGE_VALUES;
    use zkvm_testkit::edge::reference::is_taken;

    use super::*;
    use crate::comparison::forgeries::Comparing;
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

    fn equal_is_not_different(chip: &Chip) {
        lie!(chip, "gap", branch(base::bne, 5, 5), |row| {
            (row.comparison.decides[0], row.next) = (F::ONE, TAKEN);
            row.comparison.gap = F::NEG_ONE;
        });
        lie!(
            chip,
            "equal_above[2]",
            branch(base::beq, 1 << 32, 0),
            |row| {
                (row.comparison.decides[2], row.next) = (F::ZERO, TAKEN);
            }
        );
    }

    fn the_order_is_the_values(chip: &Chip) {
        let comparing = Comparing {
            chip,
            honest: |is_signed, a, b| branch(if is_signed { base::blt } else { base::bltu }, a, b),
            comparison: |row: &mut Branch<F>| &mut row.comparison,
            finish: |row| row.next = STAYS + row.comparison.less * (TAKEN - STAYS),
        };
        comparing.assert_no_forgery_passes();
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
        equal_is_not_different(&chip);
        the_order_is_the_values(&chip);
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
        assert_eq!(chip().sweep(&rows), ["comparison.gap".to_owned()].into());
    }
}
