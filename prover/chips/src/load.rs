//! `lb`, `lh`, `lw`, `ld`, `lbu`, `lhu`, `lwu` at naturally aligned addresses.
//!
//! # Relation
//!
//! ```text
//! rd = the bytes at rs1 + imm mod 2^64, sign-extended (lb, lh, lw) or zero-extended
//! ```
//! where the address is a multiple of the width, so that the bytes lie in one 8-byte word. Source:
//! RISC-V unprivileged specification 20240411, sections 2.6 and 4.3.
//!
//! # The address
//!
//! Only words of mapped regions are ever on the memory bus, and they lie from
//! [`layout::IMAGE_START`] on and below [`layout::INPUT_END_MAX`]. With an immediate in -2048..2048
//! no base of 2^32 or more leads there, not even around 2^64, so the upper limbs of the base are
//! constants: zero. The rest is a sum of integers too small to wrap in the field:
//!
//! ```text
//! eighth = word_index - 2^13 · (base[1] - imm_sign)
//! 8 · eighth + offset = base[0] + imm_low
//! ```
//! `offset` is three bits and `eighth` is range-checked, so both equations hold between integers,
//! and together they say `8 · word_index + offset = base + imm`. Carries between the limbs do not
//! appear: `eighth` may exceed 2^13 by what a carry would bring. A negative address, or one above
//! the mapped ones, gives an index that no row of the memory tables has.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `rd_number`, `writes`, `rs1_number`, `imm_*` | the instruction's | program table | name other operands |
//! | `base`, `word`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `word_index` | the address divided by 8 | `address`, `word_index` look-up | load from elsewhere; an index with a fraction |
//! | `offset` | three bits, 0 below the width | `offset[*]` | load other bytes, across the word's end |
//! | `is_read_only` | boolean | `read_only_is_boolean` | load a register as memory |
//! | `byte`, `rest` | bytes of the limb that a byte or a sign is taken from | `first_limb`, `signed_limb`, `byte` and `rest` look-ups | shift the bytes' border |
//! | `result` | the loaded bytes, 16-bit limbs | `first_limb`, `loaded_byte`, `second_limb`, `upper_limb[*]` | load any value |
//! | `sign` | top bit of `byte` in `lb`, `lh`, `lw`, else 0 | `byte` look-up | extend with the wrong sign |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::{MemoryRecord, SUBSTEP_MEMORY, SUBSTEP_RD, SUBSTEP_RS1};
use zkvm_isa::{Opcode, layout};

use crate::ProgramRow;
use crate::bitwise_table::AND;
use crate::common::{
    Access, Byte, Fetch, Place, ProgramFields, SPACE_WRITABLE, eval_bytes, eval_fetch, eval_flags,
    eval_read, eval_write, fill_access, fill_fetch, fill_registers, limbs, limbs_u16,
};

columns! {
    /// Read of the register that an address is relative to. The upper limbs of its value are zero:
    /// no other base leads to a mapped address.
    pub(crate) struct Base {
        /// The lower limbs of the value; checked when it was written.
        limbs: [cells 2],
        /// Clock of the previous access.
        previous_clock: [cell],
        /// As in [`Access`].
        gap_high: [cell],
    }
}

columns! {
    /// One load.
    pub(crate) struct Load {
        /// 1 for `lb`.
        is_lb: [cell],
        /// 1 for `lh`.
        is_lh: [cell],
        /// 1 for `lw`.
        is_lw: [cell],
        /// 1 for `ld`.
        is_ld: [cell],
        /// 1 for `lbu`.
        is_lbu: [cell],
        /// 1 for `lhu`.
        is_lhu: [cell],
        /// 1 for `lwu`.
        is_lwu: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the destination register; from the program table.
        rd_number: [cell],
        /// Whether it is written; from the program table.
        writes: [cell],
        /// Number of the base register; from the program table.
        rs1_number: [cell],
        /// Lowest limb of the immediate; from the program table.
        imm_low: [cell],
        /// 1 if the immediate is negative, else 0: its other limbs are this times 2^16 - 1; from
        /// the program table.
        imm_sign: [cell],
        /// Read of the base register.
        base: [group Base],
        /// Read of the word.
        word: [group Access],
        /// Write of `rd`.
        rd: [group Access],
        /// The word's address divided by 8; bound to the address by a constraint and a range check.
        word_index: [cell],
        /// The bits of the first byte's place in the word; boolean, 0 where the width leaves none.
        offset: [cells 3],
        /// 1 if the word refuses stores; boolean. The memory bus knows which.
        is_read_only: [cell],
        /// The value written: limbs and bytes of the word, or made of the sign.
        result: [cells 4],
        /// The sign of the loaded value in `lb`, `lh` and `lw`, else 0; from the bitwise table.
        sign: [cell],
        /// In byte forms the byte loaded, in `lh` and `lw` the upper byte of the last limb loaded;
        /// checked by the bitwise table.
        byte: [cell],
        /// The other byte of that limb; range-checked.
        rest: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "load";

pub(crate) fn eval(builder: &mut Builder, row: &Load<Expr>, _: &()) {
    let flags = [
        ("is_lb", &row.is_lb),
        ("is_lh", &row.is_lh),
        ("is_lw", &row.is_lw),
        ("is_ld", &row.is_ld),
        ("is_lbu", &row.is_lbu),
        ("is_lhu", &row.is_lhu),
        ("is_lwu", &row.is_lwu),
    ];
    let opcodes = [
        Opcode::Lb,
        Opcode::Lh,
        Opcode::Lw,
        Opcode::Ld,
        Opcode::Lbu,
        Opcode::Lhu,
        Opcode::Lwu,
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
        rs2: Expr::from(0),
        imm: immediate(&row.imm_low, &row.imm_sign),
        target: Expr::from(0),
    };
    let next = row.fetch.next_half_pc.clone();
    eval_fetch(builder, &is_real, &row.fetch, fields, next);

    // In padding the program table says nothing.
    builder.assert_zero_when("padding_writes_nothing", &is_real.not(), row.writes.clone());
    let clock = &row.fetch.clock;
    let base_gap = eval_base(
        builder,
        &is_real,
        &row.rs1_number,
        &row.base,
        &(clock + SUBSTEP_RS1),
    );
    eval_address(
        builder,
        &is_real,
        &row.base,
        [&row.imm_low, &row.imm_sign],
        &row.word_index,
        &Expr::join(&row.offset, 1),
    );
    let is_byte = &row.is_lb + &row.is_lbu;
    let is_double = &row.is_ld;
    let is_word = &row.is_lw + &row.is_lwu;
    let narrower = [
        is_byte.clone(),
        &is_byte + &row.is_lh + &row.is_lhu,
        &is_real - is_double,
    ];
    eval_offset(builder, &row.offset, &narrower);

    builder.assert_bool("read_only_is_boolean", &row.is_read_only);
    let place = Place {
        space: &row.is_read_only + SPACE_WRITABLE,
        address: row.word_index.clone(),
    };
    let word_gap = eval_read(
        builder,
        "word",
        &is_real,
        &place,
        &row.word,
        &(clock + SUBSTEP_MEMORY),
    );
    let rd_gap = eval_write(
        builder,
        "rd",
        &row.writes,
        &Place::register(&row.rd_number),
        &row.rd,
        &row.result,
        &(clock + SUBSTEP_RD),
    );
    let rest = Byte::new("rest", &row.rest);
    eval_bytes(builder, &is_real, [base_gap, word_gap, rd_gap, rest]);
    eval_result(builder, row, &is_real, [&is_byte, &is_word]);
}

/// Takes the result out of the word and extends it.
fn eval_result(
    builder: &mut Builder,
    row: &Load<Expr>,
    is_real: &Expr,
    [is_byte, is_word]: [&Expr; 2],
) {
    let [first, second, third, fourth] = &row.result;
    let (byte, rest) = (&row.byte, &row.rest);
    let word = &row.word.previous;
    let extension = &row.sign * 0xffff_u32;
    // In byte forms the limb is the two bytes, in the order of their addresses.
    let (lower, upper) = (byte + rest * 256, rest + byte * 256);
    let bytes = &lower + &row.offset[0] * (&upper - &lower);
    builder.assert_eq(
        "first_limb",
        select_limb(word, &row.offset),
        is_byte.not() * first + is_byte * bytes,
    );
    // Their first limb is the byte with the upper half of its extension.
    let loaded = byte + &row.sign * 0xff00_u32;
    builder.assert_zero_when("loaded_byte", is_byte, first - loaded);
    let is_wide = is_word + &row.is_ld;
    let loaded = &word[1] + &row.offset[2] * (&word[3] - &word[1]);
    builder.assert_eq(
        "second_limb",
        second,
        &is_wide * loaded + is_wide.not() * &extension,
    );
    for (index, limb) in [(2, third), (3, fourth)] {
        builder.assert_eq(
            &format!("upper_limb[{index}]"),
            limb,
            &row.is_ld * &word[index] + &extension,
        );
    }

    let is_signed = &row.is_lb + &row.is_lh + &row.is_lw;
    builder.assert_zero(
        "signed_limb",
        &row.is_lh * (first - &upper) + &row.is_lw * (second - &upper),
    );
    // The conjunction of the byte with 128 is 128 times its sign, with 0 it is 0.
    let message = vec![
        Expr::from(AND),
        byte.clone(),
        is_signed * 128,
        &row.sign * 128,
    ];
    builder.send("byte", Bus::Bitwise, is_real, message);
}

// No base of 2^32 or more leads to a mapped address, around 2^64 or otherwise.
const _: () = assert!(layout::IMAGE_START >= 2048 && layout::INPUT_END_MAX <= u32::MAX - 2048);

/// The limbs of an immediate of 12 bits, of which `sign` is the sign.
pub(crate) fn immediate(low: &Expr, sign: &Expr) -> [Expr; 4] {
    let extension = sign * 0xffff_u32;
    [low.clone(), extension.clone(), extension.clone(), extension]
}

/// Reads the base register, whose value is below 2^32, at `clock`; as [`eval_write`].
pub(crate) fn eval_base(
    builder: &mut Builder,
    multiplicity: &Expr,
    number: &Expr,
    base: &Base<Expr>,
    clock: &Expr,
) -> Byte {
    let [low, high] = base.limbs.clone();
    let access = Access {
        previous: [low, high, Expr::from(0), Expr::from(0)],
        previous_clock: base.previous_clock.clone(),
        gap_high: base.gap_high.clone(),
    };
    eval_read(
        builder,
        "base",
        multiplicity,
        &Place::register(number),
        &access,
        clock,
    )
}

/// Binds word and offset, which the caller keeps below 8, to the address `base + immediate`. The
/// module's documentation says why this is enough.
pub(crate) fn eval_address(
    builder: &mut Builder,
    is_real: &Expr,
    base: &Base<Expr>,
    [imm_low, imm_sign]: [&Expr; 2],
    word_index: &Expr,
    offset: &Expr,
) {
    let eighth = word_index - (&base.limbs[1] - imm_sign) * (1_u32 << 13);
    builder.assert_eq("address", &eighth * 8 + offset, &base.limbs[0] + imm_low);
    builder.send("word_index", Bus::Range16, is_real, vec![eighth]);
}

/// Asserts that bit `i` of the offset is 0, or boolean where `narrower[i]`, which says whether the
/// access has at most `2^i` bytes, is 1.
pub(crate) fn eval_offset(builder: &mut Builder, offset: &[Expr; 3], narrower: &[Expr; 3]) {
    for (index, (bit, narrower)) in offset.iter().zip(narrower).enumerate() {
        builder.assert_zero(&format!("offset[{index}]"), bit * (narrower - bit));
    }
}

/// The limb in which the byte at `offset` lies.
pub(crate) fn select_limb(word: &[Expr; 4], offset: &[Expr; 3]) -> Expr {
    let [first, second, third, fourth] = word;
    let lower = first + &offset[1] * (second - first);
    let upper = third + &offset[1] * (fourth - third);
    &lower + &offset[2] * (upper - &lower)
}

/// The cells of a read of a base register.
pub(crate) fn fill_base(access: Access<F>) -> Base<F> {
    let [low, high, ..] = access.previous;
    Base {
        limbs: [low, high],
        previous_clock: access.previous_clock,
        gap_high: access.gap_high,
    }
}

/// The place of the byte at `address` in its word.
pub(crate) fn offset_of(address: u64) -> u32 {
    (address % u64::from(layout::WORD_BYTES)) as u32
}

/// The three bits of an offset.
pub(crate) fn fill_offset(offset: u32) -> [F; 3] {
    std::array::from_fn(|bit| F::from_bool(offset >> bit & 1 == 1))
}

/// The value of an instruction's 12-bit immediate.
pub(crate) fn immediate_value(program: &ProgramRow) -> u64 {
    program
        .imm
        .iter()
        .rev()
        .fold(0, |value, limb| value << 16 | u64::from(*limb))
}

/// Fills the row of `record`, whose instruction is `program` and whose word refuses stores if
/// `is_read_only`.
pub(crate) fn fill(record: &MemoryRecord, program: &ProgramRow, is_read_only: bool) -> Load<F> {
    let opcode = program.opcode;
    let MemoryRecord { registers, word } = record;
    let address = registers.rs1_value.wrapping_add(immediate_value(program));
    let offset = offset_of(address);
    let is_one_of = |opcodes: &[Opcode]| opcodes.contains(&opcode);
    let bytes = if is_one_of(&[Opcode::Lb, Opcode::Lbu]) {
        1
    } else if is_one_of(&[Opcode::Lh, Opcode::Lhu]) {
        2
    } else if is_one_of(&[Opcode::Lw, Opcode::Lwu]) {
        4
    } else {
        8
    };
    let is_signed = is_one_of(&[Opcode::Lb, Opcode::Lh, Opcode::Lw]);
    let unused = 64 - 8 * bytes;
    let loaded = word.previous >> (8 * offset) << unused;
    let result = if is_signed {
        (loaded.cast_signed() >> unused).cast_unsigned()
    } else {
        loaded >> unused
    };
    let limb = limbs_u16(word.previous)[offset as usize / 2];
    let [low, high] = limb.to_le_bytes();
    let [.., low_of_second, high_of_second] = (result as u32).to_le_bytes();
    let (byte, rest) = match (bytes, offset % 2) {
        (1, 0) => (low, high),
        (1, _) => (high, low),
        (2, _) if is_signed => (high, low),
        (4, _) if is_signed => (high_of_second, low_of_second),
        _ => (0, 0),
    };
    let [base, _, rd] = fill_registers(registers, program);
    let flag = |which: Opcode| F::from_bool(opcode == which);
    Load {
        is_lb: flag(Opcode::Lb),
        is_lh: flag(Opcode::Lh),
        is_lw: flag(Opcode::Lw),
        is_ld: flag(Opcode::Ld),
        is_lbu: flag(Opcode::Lbu),
        is_lhu: flag(Opcode::Lhu),
        is_lwu: flag(Opcode::Lwu),
        fetch: fill_fetch(registers.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        imm_low: F::from_u16(program.imm[0]),
        imm_sign: F::from_bool(program.imm[1] != 0),
        base: fill_base(base),
        word: fill_access(word.previous, word.clock, registers.clock + SUBSTEP_MEMORY),
        rd,
        word_index: F::new(word.word_index),
        offset: fill_offset(offset),
        is_read_only: F::from_bool(is_read_only),
        result: limbs(result),
        sign: F::from_bool(is_signed && result >> 63 == 1),
        byte: F::from_u8(byte),
        rest: F::from_u8(rest),
    }
}

#[cfg(test)]
mod tests {
    use p3_field::{Field, PrimeField32};
    use zkvm_air::Columns as _;
    use zkvm_isa::record::WordAccess;
    use zkvm_testkit::asm::base::{LOADS, MemoryOp};
    use zkvm_testkit::asm::{Reg, base};
    use zkvm_testkit::edge::EDGE_VALUES;
    use zkvm_testkit::edge::reference::loaded;

    use super::*;
    use crate::common::SPACE_READ_ONLY;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    type Honest = (MemoryRecord, ProgramRow);

    /// The word's bytes all differ, and the upper bit of each tells its place.
    const WORD: u64 = 0x91_22_b3_44_d5_66_f7_08;
    /// A word whose bytes are all the same.
    const EQUAL: u64 = 0x5555_5555_5555_5555;
    const ADDRESS: u64 = 0x8123_4560;

    type Chip = ChipTest<MemoryRecord, Load<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |record, program| fill(record, program, false))
    }

    fn honest(code: u32, [base, address]: [u64; 2], previous: u64) -> Honest {
        let (registers, program) = register_record(code, base, 0);
        let word = WordAccess {
            previous,
            word_index: (address / 8) as u32,
            clock: CLOCK - 77,
        };
        (MemoryRecord { registers, word }, program)
    }

    /// A load of `word` at an offset.
    fn load(op: MemoryOp, offset: u64, word: u64) -> Honest {
        let code = op(Reg::x(5), Reg::x(6), -4).word();
        honest(code, [ADDRESS + offset + 4, ADDRESS + offset], word)
    }

    fn zero() -> Load<F> {
        Load::take(&mut std::iter::repeat(F::ZERO))
    }

    #[test]
    fn every_width_and_offset_loads_the_reference_result() {
        let chip = chip();
        for &(op, bytes) in LOADS {
            for offset in (0..8).step_by(bytes as usize) {
                for &word in EDGE_VALUES.iter().chain(&[WORD, !WORD]) {
                    let (record, program) = load(op, offset, word);
                    let row = || chip.row(&record, &program);
                    let caught = chip.catches(row(), &program);
                    let name = op(Reg::x(5), Reg::x(6), 0).name;
                    assert!(caught.is_empty(), "{name} {offset} {word:x}: {caught:?}");
                    let expected = loaded(name, &word.to_le_bytes()[offset as usize..]);
                    let written = chip.message(row(), "rd.after").expect("it writes x5");
                    assert_eq!(written[2..6], limbs(expected), "{name} {offset} {word:x}");
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
            0xefff_f800,
            0xf000_0000,
        ] {
            for imm in [0, 1, 7, 8, 2047, -1, -8, -2047, -2048] {
                let address = base + i64::from(imm);
                if address >= i64::from(layout::INPUT_END_MAX) {
                    continue;
                }
                let code = base::lbu(Reg::x(5), Reg::x(6), imm).word();
                let [base, address] = [base, address].map(i64::cast_unsigned);
                let (record, program) = honest(code, [base, address], WORD);
                let row = || chip.row(&record, &program);
                let caught = chip.catches(row(), &program);
                assert!(caught.is_empty(), "{base:x} {imm}: {caught:?}");
                let read = chip.message(row(), "word.before").expect("it reads a word");
                let place = [SPACE_WRITABLE, (address / 8) as u32].map(F::new);
                assert_eq!(read[..2], place, "{base:x} {imm}");
                let byte = WORD.to_le_bytes()[address as usize % 8];
                let written = chip.message(row(), "rd.after").expect("it writes x5");
                assert_eq!(written[2..6], limbs(u64::from(byte)), "{base:x} {imm}");
            }
        }
    }

    fn read_only_words_lie_in_their_own_space(chip: &Chip) {
        let read_only = ChipTest::new(NAME, eval, |record, program| fill(record, program, true));
        let (record, program) = load(base::ld, 0, WORD);
        let row = || read_only.row(&record, &program);
        assert!(read_only.catches(row(), &program).is_empty());
        for name in ["word.before", "word.after"] {
            let message = read_only.message(row(), name).expect("it reads a word");
            assert_eq!(message[0], F::new(SPACE_READ_ONLY));
        }
        // Neither space: -1 would be that of the registers.
        lie!(
            chip,
            "read_only_is_boolean",
            load(base::ld, 0, WORD),
            |row| row.is_read_only = F::NEG_ONE
        );
    }

    fn nothing_is_written_to_x0(chip: &Chip) {
        let code = base::lb(Reg::x(0), Reg::x(6), 0).word();
        let (record, program) = honest(code, [ADDRESS, ADDRESS], WORD);
        let row = || chip.row(&record, &program);
        assert!(chip.catches(row(), &program).is_empty());
        assert_eq!(chip.message(row(), "rd.after"), None);
        lie!(chip, "program", (record, program), |row| {
            row.writes = F::ONE;
            row.rd.gap_high = F::new(21);
        });
    }

    fn the_address_cannot_be_forged(chip: &Chip) {
        lie!(chip, "address", load(base::ld, 0, WORD), |row| row
            .word_index +=
            F::ONE);
        lie!(chip, "address", load(base::lbu, 6, EQUAL), |row| row
            .offset[2] =
            F::ZERO);
        // A byte further, in a word whose index has a fraction.
        lie!(chip, "word_index", load(base::lbu, 0, EQUAL), |row| {
            row.offset[0] = F::ONE;
            row.word_index -= F::new(8).inverse();
        });
        // 2^13 · 8 is the unit of the base's upper limb: as many words lower.
        lie!(chip, "address", load(base::ld, 0, WORD), |row| row
            .word_index -=
            F::new(1 << 13));
        // The field wraps at an eighth of its characteristic.
        lie!(chip, "word_index", load(base::lbu, 0, EQUAL), |row| {
            row.offset[0] = F::ONE;
            let eighth = F::new((F::ORDER_U32 - 1) / 8);
            assert_eq!(eighth * F::new(8), F::NEG_ONE);
            row.word_index += eighth;
        });
        lie!(chip, "program", load(base::ld, 0, WORD), |row| {
            row.imm_low += F::new(8);
            row.word_index += F::ONE;
        });
        lie!(chip, "program", load(base::ld, 0, WORD), |row| {
            row.imm_sign = F::ZERO;
            row.word_index += F::new(1 << 13);
        });
    }

    fn addresses_are_aligned(chip: &Chip) {
        // A base that is not the register's moves the address.
        lie!(chip, "offset[0]", load(base::lh, 0, EQUAL), |row| {
            row.base.limbs[0] += F::ONE;
            row.offset[0] = F::ONE;
        });
        lie!(chip, "offset[1]", load(base::lw, 0, EQUAL), |row| {
            row.base.limbs[0] += F::TWO;
            row.offset[1] = F::ONE;
        });
        lie!(chip, "offset[2]", load(base::ld, 0, EQUAL), |row| {
            row.base.limbs[0] += F::new(4);
            row.offset[2] = F::ONE;
        });
        // Bits that are none.
        lie!(chip, "offset[0]", load(base::lbu, 4, 0), |row| {
            (row.offset[0], row.offset[2]) = (F::new(4), F::ZERO);
        });
        lie!(chip, "offset[1]", load(base::lbu, 4, EQUAL), |row| {
            (row.offset[1], row.offset[2]) = (F::TWO, F::ZERO);
        });
        lie!(chip, "offset[2]", load(base::lbu, 2, EQUAL), |row| {
            (row.offset[1], row.offset[2]) = (F::ZERO, F::TWO.inverse());
        });
    }

    fn the_loaded_bytes_cannot_be_forged(chip: &Chip) {
        lie!(chip, "first_limb", load(base::lwu, 4, WORD), |row| row
            .result[0] +=
            F::ONE);
        lie!(chip, "loaded_byte", load(base::lbu, 2, WORD), |row| row
            .result[0] +=
            F::ONE);
        lie!(chip, "first_limb", load(base::lbu, 2, WORD), |row| {
            row.result[0] += F::ONE;
            row.byte += F::ONE;
        });
        lie!(chip, "second_limb", load(base::lwu, 4, WORD), |row| row
            .result[1] +=
            F::ONE);
        lie!(chip, "second_limb", load(base::lhu, 4, WORD), |row| row
            .result[1] +=
            F::ONE);
        lie!(chip, "upper_limb[2]", load(base::ld, 0, WORD), |row| row
            .result[2] +=
            F::ONE);
        lie!(chip, "upper_limb[3]", load(base::lbu, 0, WORD), |row| row
            .result[3] =
            F::ONE);
        // The border between the bytes of a limb moves.
        let add = |row: &mut Load<F>, byte: F, rest: F| {
            row.result[0] += byte;
            row.byte += byte;
            row.rest += rest;
        };
        let part = F::new(256).inverse();
        lie!(chip, "byte", load(base::lbu, 0, WORD), |row| {
            add(row, F::new(256), F::NEG_ONE);
        });
        lie!(chip, "rest", load(base::lbu, 0, WORD), |row| {
            add(row, F::ONE, -part);
        });
        lie!(chip, "rest", load(base::lbu, 1, WORD), |row| {
            add(row, F::NEG_ONE, F::new(256));
        });
        lie!(chip, "byte", load(base::lbu, 1, WORD), |row| {
            add(row, -part, F::ONE);
        });
    }

    fn the_sign_is_the_true_one(chip: &Chip) {
        lie!(chip, "byte", load(base::lb, 1, WORD), |row| {
            row.sign = F::ZERO;
            row.result = limbs(0xf7);
        });
        lie!(chip, "byte", load(base::lh, 0, WORD), |row| {
            row.sign = F::ZERO;
            row.result = limbs(0xf708);
        });
        lie!(chip, "byte", load(base::lw, 0, WORD), |row| {
            row.sign = F::ZERO;
            row.result = limbs(0xd566_f708);
        });
        // Another byte has another sign.
        lie!(chip, "signed_limb", load(base::lw, 0, WORD), |row| {
            row.sign = F::ZERO;
            row.byte -= F::new(1 << 7);
            row.result = limbs(0xd566_f708);
        });
        lie!(chip, "rest", load(base::lh, 0, WORD), |row| {
            row.sign = F::ZERO;
            row.byte -= F::new(1 << 7);
            row.rest += F::new(1 << 15);
            row.result = limbs(0xf708);
        });
        // A sign in an unsigned form; half a sign.
        lie!(chip, "byte", load(base::lhu, 0, WORD), |row| {
            row.sign = F::ONE;
            row.result = limbs(0xffff_ffff_ffff_f708);
        });
        lie!(chip, "byte", load(base::lh, 2, 0x7fff_0000), |row| {
            row.sign = F::TWO.inverse();
            for limb in &mut row.result[1..] {
                *limb = F::new(0xffff) * F::TWO.inverse();
            }
        });
    }

    fn operation_and_operands_are_the_programs(chip: &Chip) {
        lie!(chip, "program", load(base::lh, 0, 5), |row| {
            (row.is_lh, row.is_lhu) = (F::ZERO, F::ONE);
        });
        lie!(chip, "program", load(base::ld, 0, 5), |row| row
            .rs1_number +=
            F::ONE);
        lie!(chip, "program", load(base::ld, 0, 5), |row| row
            .rd_number +=
            F::ONE);
        // The numbers of `lbu` and `lhu` add up to that of `srai`.
        let lbu = base::lbu(Reg::ZERO, Reg::x(6), 5).word();
        let srai = base::srai(Reg::ZERO, Reg::x(6), 5).word();
        let lbu = honest(lbu, [ADDRESS, ADDRESS + 5].map(|address| address + 3), WORD);
        let (_, srai) = register_record(srai, 0, 0);
        chip.assert_lie_about(&srai, &lbu, &["at_most_one_operation"], |row| {
            row.is_lhu = F::ONE;
        });
        // Rows that look like padding to the buses: each flag is -1 beside one of 1.
        let forge = |name: &str, set: fn(&mut Load<F>)| {
            chip.assert_lie(&load(base::ld, 0, WORD), &[name], |row| {
                *row = zero();
                set(row);
            });
        };
        forge("is_lb_is_boolean", |row| {
            (row.is_lb, row.is_lbu) = (F::NEG_ONE, F::ONE)
        });
        forge("is_lh_is_boolean", |row| {
            (row.is_lh, row.is_lhu) = (F::NEG_ONE, F::ONE)
        });
        forge("is_lw_is_boolean", |row| {
            (row.is_lw, row.is_ld) = (F::NEG_ONE, F::ONE)
        });
        forge("is_ld_is_boolean", |row| {
            (row.is_ld, row.is_lw) = (F::NEG_ONE, F::ONE)
        });
        forge("is_lbu_is_boolean", |row| {
            (row.is_lbu, row.is_lb) = (F::NEG_ONE, F::ONE)
        });
        forge("is_lhu_is_boolean", |row| {
            (row.is_lhu, row.is_ld) = (F::NEG_ONE, F::ONE)
        });
        forge("is_lwu_is_boolean", |row| {
            (row.is_lwu, row.is_ld) = (F::NEG_ONE, F::ONE)
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let honest = load(base::ld, 0, WORD);
        chip.assert_lies_in_the_past(&honest, ("base", SUBSTEP_RS1), |row| {
            [&mut row.base.previous_clock, &mut row.base.gap_high]
        });
        chip.assert_lies_in_the_past(&honest, ("word", SUBSTEP_MEMORY), |row| {
            [&mut row.word.previous_clock, &mut row.word.gap_high]
        });
        chip.assert_lies_in_the_past(&honest, ("rd", SUBSTEP_RD), |row| {
            [&mut row.rd.previous_clock, &mut row.rd.gap_high]
        });
    }

    fn padding_writes_nothing(chip: &Chip) {
        lie!(
            chip,
            "padding_writes_nothing",
            load(base::ld, 0, WORD),
            |row| {
                // The order of clocks holds: from 0 to 3.
                *row = zero();
                row.writes = F::ONE;
            }
        );
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        read_only_words_lie_in_their_own_space(&chip);
        nothing_is_written_to_x0(&chip);
        the_address_cannot_be_forged(&chip);
        addresses_are_aligned(&chip);
        the_loaded_bytes_cannot_be_forged(&chip);
        the_sign_is_the_true_one(&chip);
        operation_and_operands_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = [
            load(base::lb, 7, WORD),
            load(base::lbu, 2, WORD),
            load(base::lh, 2, WORD),
            load(base::lhu, 6, WORD),
            load(base::lw, 0, WORD),
            load(base::lwu, 4, WORD),
            load(base::ld, 0, WORD),
        ];
        // Unsigned halves and words and doubles take no limb apart.
        let free = ["byte", "rest"];
        assert_eq!(chip().sweep(&rows), free.map(str::to_owned).into());
    }
}
