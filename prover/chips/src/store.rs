//! `sb`, `sh`, `sw`, `sd` at naturally aligned addresses.
//!
//! # Relation
//!
//! ```text
//! the bytes at rs1 + imm mod 2^64 = the lowest bytes of rs2
//! ```
//! where the address is a multiple of the width, so that the bytes lie in one 8-byte word; the
//! word's other bytes stay. Source: RISC-V unprivileged specification 20240411, sections 2.6 and
//! 4.3. How the address becomes a word and an offset is said in [`crate::load`].
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rs1_number`, `rs2_number`, `imm_*` | the instruction's | program table | name other operands |
//! | `base`, `rs2`, `word` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `word_index` | the address divided by 8 | `address`, `word_index` look-up | store elsewhere; an index with a fraction |
//! | `offset` | three bits, 0 below the width | `offset[*]` | store to other bytes, across the word's end |
//! | `limb_bytes` | the bytes of the limb stored to | `limb_bytes`, `limb_bytes[*]` look-ups | change the byte that stays |
//! | `stored_byte` | the lowest byte of `rs2` | `stored_byte` and `dropped_byte` look-ups | store another byte; leave limbs above 16 bits |
//! | `limb` | `rs2`'s lowest limb; in `sb` the bytes that stay and come | `limb` | store another value |
//! | `after` | the word's limbs, `limb` and those of `rs2`: 16 bits each | `after[*]` | change other limbs, store another value |

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{MemoryRecord, SUBSTEP_MEMORY, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::common::{
    Access, Byte, Fetch, Place, ProgramFields, SPACE_WRITABLE, eval_bytes, eval_fetch, eval_flags,
    eval_read, eval_write, fill_access, fill_fetch, fill_registers, limbs, limbs_u16,
};
use crate::load::{
    Base, eval_address, eval_base, eval_offset, fill_base, fill_offset, immediate, immediate_value,
    offset_of, select_limb,
};

columns! {
    /// One store.
    pub(crate) struct Store {
        /// 1 for `sb`.
        is_sb: [cell],
        /// 1 for `sh`.
        is_sh: [cell],
        /// 1 for `sw`.
        is_sw: [cell],
        /// 1 for `sd`.
        is_sd: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the base register; from the program table.
        rs1_number: [cell],
        /// Number of the register stored; from the program table.
        rs2_number: [cell],
        /// Lowest limb of the immediate; from the program table.
        imm_low: [cell],
        /// 1 if the immediate is negative, else 0: its other limbs are this times 2^16 - 1; from
        /// the program table.
        imm_sign: [cell],
        /// Read of the base register.
        base: [group Base],
        /// Read of `rs2`.
        rs2: [group Access],
        /// Write of the word.
        word: [group Access],
        /// The word's address divided by 8; bound to the address by a constraint and a range check.
        word_index: [cell],
        /// The bits of the first byte's place in the word; boolean, 0 where the width leaves none.
        offset: [cells 3],
        /// Low and high byte of the word's limb in which the first byte lies, before the store;
        /// range-checked, their sum by a constraint.
        limb_bytes: [cells 2],
        /// The lowest byte of `rs2`; range-checked, as is the byte above it.
        stored_byte: [cell],
        /// That limb after the store; 16 bits because its bytes or `rs2`'s limb are.
        limb: [cell],
        /// The word after: limbs that stay, `limb`, limbs of `rs2`.
        after: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "store";

pub(crate) fn eval(builder: &mut Builder, row: &Store<Expr>, _: &()) {
    let flags = [
        ("is_sb", &row.is_sb),
        ("is_sh", &row.is_sh),
        ("is_sw", &row.is_sw),
        ("is_sd", &row.is_sd),
    ];
    let opcodes = [Opcode::Sb, Opcode::Sh, Opcode::Sw, Opcode::Sd];
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
        imm: immediate(&row.imm_low, &row.imm_sign),
        target: Expr::from(0),
    };
    let next = row.fetch.next_half_pc.clone();
    eval_fetch(builder, &is_real, &row.fetch, fields, next);

    let clock = &row.fetch.clock;
    let base_gap = eval_base(
        builder,
        &is_real,
        &row.rs1_number,
        &row.base,
        &(clock + SUBSTEP_RS1),
    );
    let rs2_gap = eval_read(
        builder,
        "rs2",
        &is_real,
        &Place::register(&row.rs2_number),
        &row.rs2,
        &(clock + SUBSTEP_RS2),
    );
    eval_address(
        builder,
        &is_real,
        &row.base,
        [&row.imm_low, &row.imm_sign],
        &row.word_index,
        &Expr::join(&row.offset, 1),
    );
    let narrower = [
        row.is_sb.clone(),
        &row.is_sb + &row.is_sh,
        &is_real - &row.is_sd,
    ];
    eval_offset(builder, &row.offset, &narrower);
    let word = Place {
        space: Expr::from(SPACE_WRITABLE),
        address: row.word_index.clone(),
    };
    let word_gap = eval_write(
        builder,
        "word",
        &is_real,
        &word,
        &row.word,
        &row.after,
        &(clock + SUBSTEP_MEMORY),
    );
    let bytes = eval_limb(builder, row);
    let gaps = [base_gap, rs2_gap, word_gap].into_iter();
    eval_bytes(builder, &is_real, gaps.chain(bytes));
    eval_after(builder, row);
}

/// The limb in which the first byte lies, after the store. Returns the bytes that it is made of in
/// `sb`, and the one that `rs2` leaves.
fn eval_limb(builder: &mut Builder, row: &Store<Expr>) -> [Byte; 4] {
    let [low, high] = &row.limb_bytes;
    builder.assert_eq(
        "limb_bytes",
        select_limb(&row.word.previous, &row.offset),
        low + high * 256,
    );
    let stored = &row.stored_byte;
    let below = stored + high * 256;
    let above = low + stored * 256;
    let bytes = &below + &row.offset[0] * (above - &below);
    builder.assert_eq(
        "limb",
        &row.limb,
        &row.is_sb * bytes + row.is_sb.not() * &row.rs2.previous[0],
    );
    let dropped = (&row.rs2.previous[0] - stored) * Expr::constant(F::new(256).inverse());
    [
        Byte::new("limb_bytes[0]", low),
        Byte::new("limb_bytes[1]", high),
        Byte::new("stored_byte", stored),
        Byte::new("dropped_byte", dropped),
    ]
}

/// The word after the store. Offsets are aligned: the first byte of `sw` lies in limb 0 or 2, that
/// of `sd` in limb 0.
fn eval_after(builder: &mut Builder, row: &Store<Expr>) {
    let [_, odd, upper] = &row.offset;
    let is_first = [
        odd.not() * upper.not(),
        odd * upper.not(),
        odd.not() * upper,
        odd * upper,
    ];
    let [_, second, third, fourth] = &row.rs2.previous;
    for (index, is_first) in is_first.into_iter().enumerate() {
        let before = &row.word.previous[index];
        let change = match index {
            0 => Expr::from(0),
            1 => (&row.is_sw + &row.is_sd) * upper.not() * (second - before),
            2 => &row.is_sd * (third - before),
            _ => &row.is_sw * upper * (second - before) + &row.is_sd * (fourth - before),
        };
        builder.assert_eq(
            &format!("after[{index}]"),
            &row.after[index],
            before + is_first * (&row.limb - before) + change,
        );
    }
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &MemoryRecord, program: &ProgramRow) -> Store<F> {
    let opcode = program.opcode;
    let MemoryRecord { registers, word } = record;
    let address = registers.rs1_value.wrapping_add(immediate_value(program));
    let offset = offset_of(address);
    let value = registers.rs2_value;
    let is_one_of = |opcodes: &[Opcode]| opcodes.contains(&opcode);
    let bytes = if is_one_of(&[Opcode::Sb]) {
        1
    } else if is_one_of(&[Opcode::Sh]) {
        2
    } else if is_one_of(&[Opcode::Sw]) {
        4
    } else {
        8
    };
    let mask = u64::MAX >> (64 - 8 * bytes) << (8 * offset);
    let after = word.previous & !mask | value << (8 * offset) & mask;
    let limb_index = offset as usize / 2;
    let [low, high] = limbs_u16(word.previous)[limb_index].to_le_bytes();
    let [stored, ..] = value.to_le_bytes();
    let [base, rs2, _] = fill_registers(registers, program);
    let flag = |which: Opcode| F::from_bool(opcode == which);
    Store {
        is_sb: flag(Opcode::Sb),
        is_sh: flag(Opcode::Sh),
        is_sw: flag(Opcode::Sw),
        is_sd: flag(Opcode::Sd),
        fetch: fill_fetch(registers.clock, program),
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        imm_low: F::from_u16(program.imm[0]),
        imm_sign: F::from_bool(program.imm[1] != 0),
        base: fill_base(base),
        rs2,
        word: fill_access(word.previous, word.clock, registers.clock + SUBSTEP_MEMORY),
        word_index: F::new(word.word_index),
        offset: fill_offset(offset),
        limb_bytes: [low, high].map(F::from_u8),
        stored_byte: F::from_u8(stored),
        limb: F::from_u16(limbs_u16(after)[limb_index]),
        after: limbs(after),
    }
}

#[cfg(test)]
mod tests {
    use zkvm_air::Columns as _;
    use zkvm_isa::layout;
    use zkvm_isa::record::WordAccess;
    use zkvm_testkit::asm::base::{MemoryOp, STORES};
    use zkvm_testkit::asm::{Reg, base};
    use zkvm_testkit::edge::EDGE_VALUES;

    use super::*;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    type Honest = (MemoryRecord, ProgramRow);

    /// The word's bytes all differ, and the upper digit of each tells its place.
    const WORD: u64 = 0x91_22_b3_44_d5_66_f7_08;
    /// A word whose bytes are all the same.
    const EQUAL: u64 = 0x5555_5555_5555_5555;
    /// What is stored.
    const VALUE: u64 = 0x0123_4567_89ab_cdef;
    const ADDRESS: u64 = 0x8123_4560;

    type Chip = ChipTest<MemoryRecord, Store<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn honest(code: u32, [base, address]: [u64; 2], value: u64, previous: u64) -> Honest {
        let (registers, program) = register_record(code, base, value);
        let word = WordAccess {
            previous,
            word_index: (address / 8) as u32,
            clock: CLOCK - 77,
        };
        (MemoryRecord { registers, word }, program)
    }

    /// A store to `word` at an offset.
    fn store(op: MemoryOp, offset: u64, value: u64, word: u64) -> Honest {
        let code = op(Reg::x(7), Reg::x(6), -4).word();
        honest(code, [ADDRESS + offset + 4, ADDRESS + offset], value, word)
    }

    fn zero() -> Store<F> {
        Store::take(&mut std::iter::repeat(F::ZERO))
    }

    #[test]
    fn every_width_and_offset_leaves_the_reference_word() {
        let chip = chip();
        for &(op, bytes) in STORES {
            let width = bytes as usize;
            for offset in (0..8).step_by(width) {
                for &word in EDGE_VALUES.iter().chain(&[WORD, !WORD]) {
                    for &value in EDGE_VALUES {
                        let (record, program) = store(op, offset as u64, value, word);
                        let row = || chip.row(&record, &program);
                        let caught = chip.catches(row(), &program);
                        let name = op(Reg::x(7), Reg::x(6), 0).name;
                        assert!(
                            caught.is_empty(),
                            "{name} {offset} {value:x} to {word:x}: {caught:?}"
                        );
                        let mut expected = word.to_le_bytes();
                        expected[offset..offset + width]
                            .copy_from_slice(&value.to_le_bytes()[..width]);
                        let written = chip.message(row(), "word.after").expect("it writes");
                        let expected = limbs(u64::from_le_bytes(expected));
                        assert_eq!(
                            written[2..6],
                            expected,
                            "{name} {offset} {value:x} to {word:x}"
                        );
                        assert_eq!(written[0], F::new(SPACE_WRITABLE));
                    }
                }
            }
        }
    }

    #[test]
    fn addresses_carry_and_borrow() {
        let chip = chip();
        for base in [
            0x1800,
            0x1_0000,
            0xffff,
            0x7fff_fff8,
            0xbfff_ffff,
            0xcfff_f800,
            0xd000_0000,
        ] {
            for imm in [0, 1, 7, 8, 2047, -1, -8, -2047, -2048] {
                let address = base + i64::from(imm);
                if address >= i64::from(layout::STACK_END) {
                    continue;
                }
                let code = base::sb(Reg::x(7), Reg::x(6), imm).word();
                let [base, address] = [base, address].map(i64::cast_unsigned);
                let (record, program) = honest(code, [base, address], VALUE, WORD);
                let row = || chip.row(&record, &program);
                let caught = chip.catches(row(), &program);
                assert!(caught.is_empty(), "{base:x} {imm}: {caught:?}");
                let written = chip.message(row(), "word.after").expect("it writes");
                assert_eq!(written[1], F::new((address / 8) as u32), "{base:x} {imm}");
                let mut expected = WORD.to_le_bytes();
                expected[address as usize % 8] = VALUE as u8;
                let expected = limbs(u64::from_le_bytes(expected));
                assert_eq!(written[2..6], expected, "{base:x} {imm}");
            }
        }
    }

    fn the_address_cannot_be_forged(chip: &Chip) {
        let sd = store(base::sd, 0, VALUE, WORD);
        lie!(chip, "address", sd, |row| row.word_index += F::ONE);
        lie!(chip, "program", sd, |row| {
            row.imm_low += F::new(8);
            row.word_index += F::ONE;
        });
        lie!(chip, "program", sd, |row| {
            row.imm_sign = F::ZERO;
            row.word_index += F::new(1 << 13);
        });
        // Half a word further.
        lie!(
            chip,
            "word_index",
            store(base::sw, 0, VALUE, EQUAL),
            |row| {
                row.offset[2] = F::ONE;
                row.word_index -= F::TWO.inverse();
                row.after.swap(0, 2);
                row.after.swap(1, 3);
            }
        );
    }

    fn addresses_are_aligned(chip: &Chip) {
        // A base that is not the register's moves the address.
        lie!(chip, "offset[0]", store(base::sh, 0, VALUE, WORD), |row| {
            row.base.limbs[0] += F::ONE;
            row.offset[0] = F::ONE;
        });
        lie!(chip, "offset[1]", store(base::sw, 0, EQUAL, EQUAL), |row| {
            row.base.limbs[0] += F::TWO;
            row.offset[1] = F::ONE;
        });
        lie!(chip, "offset[2]", store(base::sd, 0, EQUAL, EQUAL), |row| {
            row.base.limbs[0] += F::new(4);
            row.offset[2] = F::ONE;
        });
        // Bits that are none.
        lie!(chip, "offset[0]", store(base::sb, 4, EQUAL, EQUAL), |row| {
            (row.offset[0], row.offset[2]) = (F::new(4), F::ZERO);
        });
        lie!(chip, "offset[1]", store(base::sb, 4, EQUAL, EQUAL), |row| {
            (row.offset[1], row.offset[2]) = (F::TWO, F::ZERO);
        });
        lie!(chip, "offset[2]", store(base::sb, 2, EQUAL, EQUAL), |row| {
            (row.offset[1], row.offset[2]) = (F::ZERO, F::TWO.inverse());
        });
    }

    fn the_word_after_cannot_be_forged(chip: &Chip) {
        lie!(chip, "after[0]", store(base::sb, 7, VALUE, WORD), |row| {
            row.after[0] += F::ONE
        });
        lie!(chip, "after[1]", store(base::sw, 0, VALUE, WORD), |row| {
            row.after[1] += F::ONE
        });
        lie!(chip, "after[2]", store(base::sh, 4, VALUE, WORD), |row| {
            row.after[2] += F::ONE
        });
        lie!(chip, "after[3]", store(base::sd, 0, VALUE, WORD), |row| {
            row.after[3] += F::ONE
        });
        lie!(chip, "limb", store(base::sh, 0, VALUE, WORD), |row| {
            row.limb += F::ONE;
            row.after[0] += F::ONE;
        });
        lie!(chip, "limb", store(base::sb, 0, VALUE, WORD), |row| {
            row.limb += F::new(256);
            row.after[0] += F::new(256);
        });
        lie!(chip, "limb_bytes", store(base::sb, 0, VALUE, WORD), |row| {
            // The byte that stays becomes another.
            row.limb_bytes[1] -= F::ONE;
            row.limb -= F::new(256);
            row.after[0] -= F::new(256);
        });
    }

    fn bytes_are_bytes(chip: &Chip) {
        lie!(
            chip,
            "limb_bytes[0]",
            store(base::sb, 0, VALUE, WORD),
            |row| {
                // The border between the bytes moves.
                row.limb_bytes[0] += F::new(256);
                row.limb_bytes[1] -= F::ONE;
                row.limb -= F::new(256);
                row.after[0] -= F::new(256);
            }
        );
        lie!(
            chip,
            "limb_bytes[1]",
            store(base::sb, 1, VALUE, WORD),
            |row| {
                row.limb_bytes[0] -= F::ONE;
                row.limb_bytes[1] += F::new(256).inverse();
                row.limb -= F::ONE;
                row.after[0] -= F::ONE;
            }
        );
        lie!(
            chip,
            "dropped_byte",
            store(base::sb, 0, VALUE, WORD),
            |row| {
                row.stored_byte += F::ONE;
                row.limb += F::ONE;
                row.after[0] += F::ONE;
            }
        );
        // A limb of more than 16 bits.
        lie!(
            chip,
            "stored_byte",
            store(base::sb, 1, VALUE, WORD),
            |row| {
                row.stored_byte += F::new(256);
                row.limb += F::new(1 << 16);
                row.after[0] += F::new(1 << 16);
            }
        );
    }

    fn operation_and_operands_are_the_programs(chip: &Chip) {
        lie!(chip, "program", store(base::sh, 0, 0, WORD), |row| {
            (row.is_sh, row.is_sw) = (F::ZERO, F::ONE);
            row.after[1] = F::ZERO;
        });
        lie!(chip, "program", store(base::sd, 0, 0, WORD), |row| row
            .rs1_number +=
            F::ONE);
        lie!(chip, "program", store(base::sd, 0, 0, WORD), |row| row
            .rs2_number +=
            F::ONE);
        // The numbers of `sb` and `sh` add up to that of `xor`.
        let sb = base::sb(Reg::x(7), Reg::x(6), 0).word();
        let xor = base::xor(Reg::ZERO, Reg::x(6), Reg::x(7)).word();
        let sb = honest(sb, [ADDRESS, ADDRESS], VALUE, WORD);
        let (_, xor) = register_record(xor, 0, 0);
        chip.assert_lie_about(&xor, &sb, &["at_most_one_operation"], |row| {
            row.is_sh = F::ONE;
        });
        // Rows that look like padding to the buses: each flag is -1 beside one of 1.
        let forge = |name: &str, set: fn(&mut Store<F>)| {
            chip.assert_lie(&store(base::sd, 0, VALUE, WORD), &[name], |row| {
                *row = zero();
                set(row);
            });
        };
        // XOR of zeros is zero, whatever the sign of the look-up.
        forge("is_sb_is_boolean", |row| {
            (row.is_sb, row.is_sd) = (F::NEG_ONE, F::ONE)
        });
        forge("is_sh_is_boolean", |row| {
            (row.is_sh, row.is_sd) = (F::NEG_ONE, F::ONE)
        });
        forge("is_sw_is_boolean", |row| {
            (row.is_sw, row.is_sd) = (F::NEG_ONE, F::ONE)
        });
        forge("is_sd_is_boolean", |row| {
            (row.is_sd, row.is_sw) = (F::NEG_ONE, F::ONE)
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = store(base::sd, 0, VALUE, WORD);
        chip.assert_lies_in_the_past(&honest, ("base", SUBSTEP_RS1), |row| {
            [&mut row.base.previous_clock, &mut row.base.gap_high]
        });
        chip.assert_lies_in_the_past(&honest, ("rs2", SUBSTEP_RS2), |row| {
            [&mut row.rs2.previous_clock, &mut row.rs2.gap_high]
        });
        chip.assert_lies_in_the_past(&honest, ("word", SUBSTEP_MEMORY), |row| {
            [&mut row.word.previous_clock, &mut row.word.gap_high]
        });
    }

    #[test]
    fn padding_says_nothing() {
        let chip = chip();
        let (record, program) = store(base::sd, 0, VALUE, WORD);
        for name in [
            "state",
            "program",
            "base.before",
            "rs2.after",
            "word.before",
            "word.after",
        ] {
            let mut row = chip.row(&record, &program);
            assert!(chip.message(chip.row(&record, &program), name).is_some());
            row.is_sd = F::ZERO;
            assert_eq!(chip.message(row, name), None, "{name}");
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        the_address_cannot_be_forged(&chip);
        addresses_are_aligned(&chip);
        the_word_after_cannot_be_forged(&chip);
        bytes_are_bytes(&chip);
        operation_and_operands_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        let rows = [
            store(base::sb, 7, VALUE, WORD),
            store(base::sb, 2, VALUE, WORD),
            store(base::sh, 2, VALUE, WORD),
            store(base::sw, 4, VALUE, WORD),
            store(base::sd, 0, VALUE, WORD),
        ];
        assert_eq!(chip().sweep(&rows), [].into());
    }
}
