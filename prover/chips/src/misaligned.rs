//! `lh`, `lw`, `ld`, `lhu`, `lwu`, `sh`, `sw`, `sd` at any address.
//!
//! # Relation
//!
//! ```text
//! loads:   rd = the bytes at rs1 + imm mod 2^64, sign-extended (lh, lw) or zero-extended
//! stores:  the bytes at rs1 + imm mod 2^64 = the lowest bytes of rs2
//! ```
//! whether the bytes lie in one 8-byte word or in two. Naturally aligned accesses belong to
//! [`crate::load`] and [`crate::store`], which are cheaper; here they would be just as true, so
//! nothing excludes them. Source: RISC-V unprivileged specification 20240411, sections 2.6 and 4.3;
//! that such accesses succeed is the profiles' extension Zicclsm. How the address becomes a word
//! and an offset is said in [`crate::load`].
//!
//! # The window
//!
//! The limbs of both words, one after the other, are eight; five of them, from the one in which the
//! first byte lies, are the window. `place` says where it begins, `odd` whether the access begins at
//! its second byte. `window` is the window after the access: bytes of the value, of the first
//! limb's lower byte and of the last limb's bytes, or what was there before. Loads leave both words
//! as they are, and then the same equations say which bytes are loaded:
//!
//! ```text
//! even:  value[0] value[1] | value[2] value[3] | … | last[0] last[1]
//! odd:   first[0] value[0] | value[1] value[2] | … | value[n-1] last[1]
//! ```
//! with `first` and `last` the bytes before the access of the window's limb 0 and limb `n / 2`, for
//! `n` bytes. The last line's limb may lie in the upper word although the access does not; then
//! that word is not accessed, and nothing of it is loaded or stored.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `*_number`, `writes`, `imm_*` | the instruction's | program table | name other operands |
//! | `base`, `register`, `low`, `high` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `register.previous` in stores | the value | `stored[*]` | store another value |
//! | `word_index` | the address divided by 8 | `address`, `word_index` look-up | access another word; an index with a fraction |
//! | `place`, `odd` | boolean, exactly one place | `place[*]_is_boolean`, `odd_is_boolean` | access other bytes |
//! | `crosses` | whether the last byte lies in the upper word | `crosses` | invent that word |
//! | `is_read_only` | boolean, 0 in stores | `is_read_only[*]_is_boolean` | access registers as memory, store to constants |
//! | `value` | bytes | `value[*]` look-ups | move the bytes' borders |
//! | `value` above the width in loads | the sign | `extension[*]` | load any upper bytes |
//! | `first`, `last` | bytes of the word before | `first_limb`, `last_limb`, `first[*]` and `last[*]` look-ups | change the bytes that stay |
//! | `window` | see above; bytes or limbs of memory | `window[*]` | load or store other bytes |
//! | `after` | the window and limbs that stay | `after[*]` | change other limbs |
//! | `after` in loads | the words before | `unchanged[*]` | change memory by a load, and so load any value |
//! | `sign`, `rest` | the sign in `lh` and `lw`, else 0 | `sign_is_boolean`, `sign_bit`, `rest` look-up | extend with the wrong sign |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{
    MisalignedRecord, SUBSTEP_MEMORY, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2, WordAccess,
};

use crate::ProgramRow;
use crate::common::{
    Access, Byte, Fetch, Place, ProgramFields, SPACE_WRITABLE, eval_bytes, eval_fetch, eval_flags,
    eval_write, fill_access, fill_fetch, fill_registers, limbs_u16, no_access,
};
use crate::load::{
    Base, eval_address, eval_base, fill_base, immediate, immediate_value, offset_of,
};

columns! {
    /// One load or store.
    pub(crate) struct Misaligned {
        /// 1 for `lh`.
        is_lh: [cell],
        /// 1 for `lw`.
        is_lw: [cell],
        /// 1 for `ld`.
        is_ld: [cell],
        /// 1 for `lhu`.
        is_lhu: [cell],
        /// 1 for `lwu`.
        is_lwu: [cell],
        /// 1 for `sh`.
        is_sh: [cell],
        /// 1 for `sw`.
        is_sw: [cell],
        /// 1 for `sd`.
        is_sd: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the destination register, 0 in stores; from the program table.
        rd_number: [cell],
        /// Whether it is written; from the program table.
        writes: [cell],
        /// Number of the base register; from the program table.
        rs1_number: [cell],
        /// Number of the register stored, 0 in loads; from the program table.
        rs2_number: [cell],
        /// Lowest limb of the immediate; from the program table.
        imm_low: [cell],
        /// 1 if the immediate is negative, else 0: its other limbs are this times 2^16 - 1; from
        /// the program table.
        imm_sign: [cell],
        /// Read of the base register.
        base: [group Base],
        /// Write of `rd` in loads, read of `rs2` in stores.
        register: [group Access],
        /// Access to the word in which the first byte lies.
        low: [group Access],
        /// Access to the next word, if the last byte lies there.
        high: [group Access],
        /// The lower word's address divided by 8; bound to the address by a constraint and a range
        /// check.
        word_index: [cell],
        /// Whether the first byte lies in limb 1, 2, 3 of its word; boolean, all 0 for limb 0.
        place: [cells 3],
        /// Whether it is its limb's upper byte; boolean.
        odd: [cell],
        /// Whether the last byte lies in the upper word; boolean, by a constraint.
        crosses: [cell],
        /// Whether each word refuses stores; boolean, 0 in stores. The memory bus knows which.
        is_read_only: [cells 2],
        /// The bytes of the register: loaded and extended, or to be stored; range-checked.
        value: [cells 8],
        /// The bytes before the access of the limb in which the first byte lies; range-checked.
        first: [cells 2],
        /// The bytes before the access of the limb as many limbs later as the width has;
        /// range-checked.
        last: [cells 2],
        /// Five limbs after the access, from that in which the first byte lies: bytes or limbs of
        /// memory.
        window: [cells 5],
        /// Both words after the access: limbs that stay, then the window.
        after: [cells 8],
        /// The sign of the loaded value in `lh` and `lw`, else 0; boolean.
        sign: [cell],
        /// Twice the last byte loaded without its sign in `lh` and `lw`; range-checked.
        rest: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "misaligned";

/// Sums of flags.
struct Forms {
    is_real: Expr,
    is_load: Expr,
    is_store: Expr,
    is_half: Expr,
    is_word: Expr,
    is_double: Expr,
}

pub(crate) fn eval(builder: &mut Builder, row: &Misaligned<Expr>, _: &()) {
    let flags = [
        ("is_lh", &row.is_lh),
        ("is_lw", &row.is_lw),
        ("is_ld", &row.is_ld),
        ("is_lhu", &row.is_lhu),
        ("is_lwu", &row.is_lwu),
        ("is_sh", &row.is_sh),
        ("is_sw", &row.is_sw),
        ("is_sd", &row.is_sd),
    ];
    let opcodes = [
        Opcode::Lh,
        Opcode::Lw,
        Opcode::Ld,
        Opcode::Lhu,
        Opcode::Lwu,
        Opcode::Sh,
        Opcode::Sw,
        Opcode::Sd,
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
        imm: immediate(&row.imm_low, &row.imm_sign),
        target: Expr::from(0),
    };
    let next = row.fetch.next_half_pc.clone();
    eval_fetch(builder, &is_real, &row.fetch, fields, next);
    // In padding the program table says nothing.
    builder.assert_zero_when("padding_writes_nothing", &is_real.not(), row.writes.clone());

    let is_store = &row.is_sh + &row.is_sw + &row.is_sd;
    let forms = Forms {
        is_load: &is_real - &is_store,
        is_real,
        is_store,
        is_half: &row.is_lh + &row.is_lhu + &row.is_sh,
        is_word: &row.is_lw + &row.is_lwu + &row.is_sw,
        is_double: &row.is_ld + &row.is_sd,
    };
    let register_gap = eval_register(builder, row, &forms);
    let (place, base_gap) = eval_place(builder, row, &forms);
    let [low_gap, high_gap] = eval_words(builder, row, &forms);
    eval_window(builder, row, &forms, &place);
    eval_extension(builder, row);

    let gaps = [base_gap, register_gap, low_gap, high_gap].into_iter();
    let bytes: [(&str, &[Expr]); 3] = [
        ("value", &row.value),
        ("first", &row.first),
        ("last", &row.last),
    ];
    let bytes = bytes.into_iter().flat_map(|(name, bytes)| {
        let bytes = bytes.iter().enumerate();
        bytes.map(move |(index, byte)| Byte::new(&format!("{name}[{index}]"), byte))
    });
    // Where it is no sign's, `rest` is free.
    let rest = Byte::new("rest", &row.rest);
    eval_bytes(builder, &forms.is_real, gaps.chain(bytes).chain([rest]));
}

/// The register loaded or stored, and the bytes of its value.
fn eval_register(builder: &mut Builder, row: &Misaligned<Expr>, forms: &Forms) -> Byte {
    let value: [Expr; 4] = std::array::from_fn(|index| {
        let [low, high] = [2 * index, 2 * index + 1].map(|byte| &row.value[byte]);
        low + high * 256
    });
    for (index, (limb, value)) in row.register.previous.iter().zip(&value).enumerate() {
        let name = format!("stored[{index}]");
        builder.assert_zero_when(&name, &forms.is_store, limb - value);
    }
    // One of the numbers is 0, and so is one of the multiplicities.
    let number = &row.rd_number + &row.rs2_number;
    let substep = &forms.is_load * (SUBSTEP_RD - SUBSTEP_RS2) + SUBSTEP_RS2;
    eval_write(
        builder,
        "register",
        &(&row.writes + &forms.is_store),
        &Place::register(&number),
        &row.register,
        &value,
        &(&row.fetch.clock + substep),
    )
}

/// Where the first and the last byte lie; returns the four places, of which one is 1, and the byte
/// of the base's access.
fn eval_place(builder: &mut Builder, row: &Misaligned<Expr>, forms: &Forms) -> ([Expr; 4], Byte) {
    let base_gap = eval_base(
        builder,
        &forms.is_real,
        &row.rs1_number,
        &row.base,
        &(&row.fetch.clock + SUBSTEP_RS1),
    );
    let [second, third, fourth] = row.place.clone();
    let first = &forms.is_real - &second - &third - &fourth;
    eval_address(
        builder,
        &forms.is_real,
        &row.base,
        [&row.imm_low, &row.imm_sign],
        &row.word_index,
        &(&second * 2 + &third * 4 + &fourth * 6 + &row.odd),
    );
    let place = [first, second, third, fourth];
    for (index, place) in place.iter().enumerate() {
        builder.assert_bool(&format!("place[{index}]_is_boolean"), place);
    }
    let odd = &row.odd;
    builder.assert_bool("odd_is_boolean", odd);
    let [first, _, third, fourth] = &place;
    builder.assert_eq(
        "crosses",
        &row.crosses,
        &forms.is_half * (fourth * odd)
            + &forms.is_word * (fourth + third * odd)
            + &forms.is_double * (first * odd + first.not()),
    );
    (place, base_gap)
}

/// The accesses to the words.
fn eval_words(builder: &mut Builder, row: &Misaligned<Expr>, forms: &Forms) -> [Byte; 2] {
    let at = &row.fetch.clock + SUBSTEP_MEMORY;
    let [low, high] =
        [0, 4].map(|from| std::array::from_fn(|index| row.after[from + index].clone()));
    let words = [
        ("low", &forms.is_real, &row.low, low, 0),
        ("high", &row.crosses, &row.high, high, 1),
    ];
    let gaps = words.map(|(name, takes_place, access, after, index)| {
        let is_read_only = &row.is_read_only[index as usize];
        builder.assert_zero(
            &format!("is_read_only[{index}]_is_boolean"),
            is_read_only * (&forms.is_load - is_read_only),
        );
        let place = Place {
            space: is_read_only + SPACE_WRITABLE,
            address: &row.word_index + index,
        };
        eval_write(builder, name, takes_place, &place, access, &after, &at)
    });
    let before = row.low.previous.iter().chain(&row.high.previous);
    for (index, (after, before)) in row.after.iter().zip(before).enumerate() {
        let name = format!("unchanged[{index}]");
        builder.assert_zero_when(&name, &forms.is_load, after - before);
    }
    gaps
}

/// The window: its bytes, and its place in the words.
fn eval_window(builder: &mut Builder, row: &Misaligned<Expr>, forms: &Forms, place: &[Expr; 4]) {
    let before: Vec<&Expr> = row.low.previous.iter().chain(&row.high.previous).collect();
    let old = |index: usize| -> Expr {
        let limbs = before[index..].iter();
        place
            .iter()
            .zip(limbs)
            .map(|(place, limb)| place * *limb)
            .sum()
    };
    let Forms {
        is_half,
        is_word,
        is_double,
        ..
    } = forms;
    let [first, last] = [&row.first, &row.last].map(|[low, high]| low + high * 256);
    builder.assert_eq("first_limb", old(0), first);
    builder.assert_eq(
        "last_limb",
        is_half * old(1) + is_word * old(2) + is_double * old(4),
        last,
    );

    // Limb `index` of the value, or the bytes around its lower border.
    let odd = &row.odd;
    let value = &row.value;
    let choose = |even: Expr, odd_one: Expr| &even + odd * (odd_one - &even);
    let inner = |index: usize| {
        choose(
            &value[2 * index] + &value[2 * index + 1] * 256,
            &value[2 * index - 1] + &value[2 * index] * 256,
        )
    };
    // The limb after those of a value of `bytes` bytes.
    let end =
        |bytes: usize| choose(row.last[0].clone(), value[bytes - 1].clone()) + &row.last[1] * 256;
    let narrow = is_half + is_word;
    let expected = [
        choose(&value[0] + &value[1] * 256, &row.first[0] + &value[0] * 256),
        is_half * end(2) + (is_word + is_double) * inner(1),
        is_half * old(2) + is_word * end(4) + is_double * inner(2),
        &narrow * old(3) + is_double * inner(3),
        &narrow * old(4) + is_double * end(8),
    ];
    for (index, (limb, expected)) in row.window.iter().zip(expected).enumerate() {
        builder.assert_eq(&format!("window[{index}]"), limb, expected);
    }
    for (index, (after, before)) in row.after.iter().zip(before).enumerate() {
        let change: Expr = place
            .iter()
            .enumerate()
            .filter_map(|(start, place)| {
                let limb = row.window.get(index.checked_sub(start)?)?;
                Some(place * (limb - before))
            })
            .sum();
        builder.assert_eq(&format!("after[{index}]"), after, before + change);
    }
}

/// The bytes above the width in loads.
fn eval_extension(builder: &mut Builder, row: &Misaligned<Expr>) {
    let loads_half = &row.is_lh + &row.is_lhu;
    let loads_narrow = &loads_half + &row.is_lw + &row.is_lwu;
    for (index, byte) in row.value.iter().enumerate().skip(2) {
        let is_above = if index < 4 {
            &loads_half
        } else {
            &loads_narrow
        };
        let name = format!("extension[{index}]");
        builder.assert_zero_when(&name, is_above, byte - &row.sign * 255);
    }
    let is_signed = &row.is_lh + &row.is_lw;
    builder.assert_zero("sign_is_boolean", &row.sign * (&is_signed - &row.sign));
    // With byte and sign in range, twice the rest is below 2^8 only if the sign is bit 7.
    let twice = |byte: &Expr| (byte - &row.sign * 128) * 2;
    builder.assert_zero(
        "sign_bit",
        &row.is_lh * (&row.rest - twice(&row.value[1]))
            + &row.is_lw * (&row.rest - twice(&row.value[3])),
    );
}

/// Fills the row of `record`, whose instruction is `program` and whose words refuse stores where
/// `is_read_only` says so.
pub(crate) fn fill(
    record: &MisalignedRecord,
    program: &ProgramRow,
    is_read_only: [bool; 2],
) -> Misaligned<F> {
    let opcode = program.opcode;
    let MisalignedRecord {
        registers,
        low,
        high,
    } = record;
    let address = registers.rs1_value.wrapping_add(immediate_value(program));
    let offset = offset_of(address);
    let is_one_of = |opcodes: &[Opcode]| opcodes.contains(&opcode);
    let bytes = if is_one_of(&[Opcode::Lh, Opcode::Lhu, Opcode::Sh]) {
        2
    } else if is_one_of(&[Opcode::Lw, Opcode::Lwu, Opcode::Sw]) {
        4
    } else {
        8
    };
    let is_store = is_one_of(&[Opcode::Sh, Opcode::Sw, Opcode::Sd]);
    let is_signed = is_one_of(&[Opcode::Lh, Opcode::Lw]);
    let crosses = offset + bytes > 8;

    let before = u128::from(low.previous) | u128::from(high.previous) << 64;
    let unused = 64 - 8 * bytes;
    let loaded = ((before >> (8 * offset)) as u64) << unused;
    let (value, after) = if is_store {
        let value = registers.rs2_value;
        let mask = u128::from(u64::MAX >> unused) << (8 * offset);
        let bits = u128::from(value) << (8 * offset);
        (value, before & !mask | bits & mask)
    } else if is_signed {
        ((loaded.cast_signed() >> unused).cast_unsigned(), before)
    } else {
        (loaded >> unused, before)
    };

    let limbs_of = |words: u128| -> [u16; 8] {
        let [low, high] = [words as u64, (words >> 64) as u64].map(limbs_u16);
        std::array::from_fn(|index| {
            if index < 4 {
                low[index]
            } else {
                high[index - 4]
            }
        })
    };
    let (limbs_before, limbs_after) = (limbs_of(before), limbs_of(after));
    let place = offset as usize / 2;
    let first = limbs_before[place].to_le_bytes();
    let last = limbs_before[place + bytes as usize / 2].to_le_bytes();
    let value = value.to_le_bytes();
    let top = value[bytes as usize - 1];
    let word = |access: &WordAccess| {
        fill_access(
            access.previous,
            access.clock,
            registers.clock + SUBSTEP_MEMORY,
        )
    };
    let [base, rs2, rd] = fill_registers(registers, program);
    let flag = |which: Opcode| F::from_bool(opcode == which);
    Misaligned {
        is_lh: flag(Opcode::Lh),
        is_lw: flag(Opcode::Lw),
        is_ld: flag(Opcode::Ld),
        is_lhu: flag(Opcode::Lhu),
        is_lwu: flag(Opcode::Lwu),
        is_sh: flag(Opcode::Sh),
        is_sw: flag(Opcode::Sw),
        is_sd: flag(Opcode::Sd),
        fetch: fill_fetch(registers.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        imm_low: F::from_u16(program.imm[0]),
        imm_sign: F::from_bool(program.imm[1] != 0),
        base: fill_base(base),
        register: if is_store { rs2 } else { rd },
        low: word(low),
        high: if crosses { word(high) } else { no_access() },
        word_index: F::new(low.word_index),
        place: [1, 2, 3].map(|index| F::from_bool(place == index)),
        odd: F::from_bool(offset % 2 == 1),
        crosses: F::from_bool(crosses),
        is_read_only: is_read_only.map(F::from_bool),
        value: value.map(F::from_u8),
        first: first.map(F::from_u8),
        last: last.map(F::from_u8),
        window: std::array::from_fn(|index| F::from_u16(limbs_after[place + index])),
        after: limbs_after.map(F::from_u16),
        sign: F::from_bool(is_signed && top >> 7 == 1),
        rest: F::from_u8(if is_signed { top << 1 } else { 0 }),
    }
}

#[cfg(test)]
mod tests {
    use p3_field::Field;
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::base::{LOADS, MemoryOp, STORES};
    use zkvm_testkit::asm::{Reg, base};
    use zkvm_testkit::edge::EDGE_VALUES;
    use zkvm_testkit::edge::reference::loaded;

    use super::*;
    use crate::common::{SPACE_READ_ONLY, limbs};
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    type Honest = (MisalignedRecord, ProgramRow);

    /// Words whose bytes all differ.
    const WORDS: [u64; 2] = [0x91_22_b3_44_d5_66_f7_08, 0x19_aa_3b_cc_5d_ee_7f_80];
    /// Words whose bytes are all the same.
    const EQUAL: [u64; 2] = [0x5555_5555_5555_5555; 2];
    /// What is stored.
    const VALUE: u64 = 0x0123_4567_89ab_cdef;
    const ADDRESS: u64 = 0x8123_4560;

    type Chip = ChipTest<MisalignedRecord, Misaligned<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |record, program| {
            fill(record, program, [false; 2])
        })
    }

    /// An access of `op` at an offset from the beginning of two words.
    fn access(op: MemoryOp, offset: u64, value: u64, words: [u64; 2]) -> Honest {
        let code = op(Reg::x(7), Reg::x(6), -4);
        let bytes = LOADS
            .iter()
            .chain(STORES)
            .find(|(other, _)| other(Reg::x(7), Reg::x(6), -4) == code)
            .map(|(_, bytes)| u64::from(*bytes))
            .expect("it is a load or store");
        let (registers, program) = register_record(code.word(), ADDRESS + offset + 4, value);
        let word = |index: u64| WordAccess {
            previous: words[index as usize],
            word_index: (ADDRESS / 8 + index) as u32,
            clock: CLOCK - 77,
        };
        let record = MisalignedRecord {
            registers,
            low: word(0),
            high: if offset + bytes > 8 {
                word(1)
            } else {
                WordAccess::default()
            },
        };
        (record, program)
    }

    fn load(op: MemoryOp, offset: u64, words: [u64; 2]) -> Honest {
        access(op, offset, 0, words)
    }

    fn store(op: MemoryOp, offset: u64, words: [u64; 2]) -> Honest {
        access(op, offset, VALUE, words)
    }

    fn zero() -> Misaligned<F> {
        Misaligned::take(&mut std::iter::repeat(F::ZERO))
    }

    fn bytes_of([low, high]: [u64; 2]) -> Vec<u8> {
        [low.to_le_bytes(), high.to_le_bytes()].concat()
    }

    /// Pairs of words with various signs at various places.
    fn word_pairs() -> impl Iterator<Item = [u64; 2]> {
        let edges = EDGE_VALUES.iter().zip(EDGE_VALUES.iter().rev());
        let edges = edges.map(|(low, high)| [*low, *high]);
        edges.chain([WORDS, WORDS.map(|word| !word), EQUAL])
    }

    #[test]
    fn every_width_and_offset_loads_the_reference_result() {
        let chip = chip();
        for &(op, _) in LOADS.iter().filter(|(_, bytes)| *bytes > 1) {
            let name = op(Reg::x(7), Reg::x(6), 0).name;
            for offset in 0..8 {
                for words in word_pairs() {
                    let (record, program) = load(op, offset, words);
                    let row = || chip.row(&record, &program);
                    let caught = chip.catches(row(), &program);
                    assert!(caught.is_empty(), "{name} {offset} {words:x?}: {caught:?}");
                    let expected = loaded(name, &bytes_of(words)[offset as usize..]);
                    let written = chip.message(row(), "register.after").expect("it writes x7");
                    assert_eq!(written[1], F::new(7));
                    assert_eq!(written[2..6], limbs(expected), "{name} {offset} {words:x?}");
                }
            }
        }
    }

    #[test]
    fn every_width_and_offset_leaves_the_reference_words() {
        let chip = chip();
        for &(op, width) in STORES.iter().filter(|(_, bytes)| *bytes > 1) {
            let name = op(Reg::x(7), Reg::x(6), 0).name;
            for offset in 0..8 {
                for (words, value) in word_pairs().zip(EDGE_VALUES.iter().cycle().skip(7)) {
                    let (record, program) = access(op, offset, *value, words);
                    let row = || chip.row(&record, &program);
                    let caught = chip.catches(row(), &program);
                    assert!(caught.is_empty(), "{name} {offset} {words:x?}: {caught:?}");
                    let mut expected = bytes_of(words);
                    let (from, width) = (offset as usize, width as usize);
                    expected[from..from + width].copy_from_slice(&value.to_le_bytes()[..width]);
                    let mut expected = expected.chunks(8).map(|bytes| {
                        let bytes = bytes.try_into().expect("a chunk has 8 bytes");
                        limbs(u64::from_le_bytes(bytes))
                    });
                    let low = chip.message(row(), "low.after").expect("it writes");
                    assert_eq!(low[1], F::new((ADDRESS / 8) as u32));
                    assert_eq!(Some(&low[2..6]), expected.next().as_ref().map(|l| &l[..]));
                    let high = chip.message(row(), "high.after");
                    assert_eq!(high.is_some(), from + width > 8, "{name} {offset}");
                    if let Some(high) = high {
                        assert_eq!(high[1], F::new((ADDRESS / 8) as u32 + 1));
                        assert_eq!(Some(&high[2..6]), expected.next().as_ref().map(|l| &l[..]));
                    }
                }
            }
        }
    }

    fn read_only_words_lie_in_their_own_space(chip: &Chip) {
        let mixed = ChipTest::new(NAME, eval, |record, program| {
            fill(record, program, [false, true])
        });
        let (record, program) = load(base::ld, 1, WORDS);
        let row = || mixed.row(&record, &program);
        assert!(mixed.catches(row(), &program).is_empty());
        for (name, space) in [
            ("low.before", SPACE_WRITABLE),
            ("high.after", SPACE_READ_ONLY),
        ] {
            let message = mixed.message(row(), name).expect("it reads two words");
            assert_eq!(message[0], F::new(space));
        }
        // Neither space: -1 would be that of the registers. And a store to a constant.
        for (index, name) in ["is_read_only[0]_is_boolean", "is_read_only[1]_is_boolean"]
            .into_iter()
            .enumerate()
        {
            chip.assert_lie(&load(base::ld, 1, WORDS), &[name], |row| {
                row.is_read_only[index] = F::NEG_ONE;
            });
            chip.assert_lie(&store(base::sd, 1, WORDS), &[name], |row| {
                row.is_read_only[index] = F::ONE;
            });
        }
    }

    fn nothing_is_written_to_x0(chip: &Chip) {
        let to_x7 = load(base::lw, 1, WORDS);
        let code = base::lw(Reg::x(0), Reg::x(6), -4).word();
        let (registers, program) = register_record(code, ADDRESS + 5, 0);
        let record = MisalignedRecord {
            registers,
            ..to_x7.0
        };
        let row = || chip.row(&record, &program);
        assert!(chip.catches(row(), &program).is_empty());
        assert_eq!(chip.message(row(), "register.after"), None);
        lie!(chip, "program", (record, program), |row| {
            row.writes = F::ONE;
            row.register = chip.row(&to_x7.0, &to_x7.1).register;
        });
    }

    fn the_address_cannot_be_forged(chip: &Chip) {
        lie!(chip, "address", load(base::ld, 1, WORDS), |row| row
            .word_index +=
            F::ONE);
        // A byte further, in a word whose index has a fraction.
        lie!(chip, "word_index", load(base::lhu, 2, EQUAL), |row| {
            row.odd = F::ONE;
            row.word_index -= F::new(8).inverse();
        });
        lie!(chip, "program", load(base::ld, 1, WORDS), |row| {
            row.imm_low += F::new(8);
            row.word_index += F::ONE;
        });
        lie!(chip, "program", load(base::ld, 1, WORDS), |row| {
            row.imm_sign = F::ZERO;
            row.word_index += F::new(1 << 13);
        });
    }

    fn there_is_one_place(chip: &Chip) {
        // One place -1 times, two others once: a mean of three windows. The base is the forger's to
        // choose, as only the memory bus knows it.
        let forge = |name: &str, places: [i32; 3]| {
            chip.assert_lie(&load(base::ld, 1, EQUAL), &[name], |row| {
                let [second, third, fourth] = places;
                row.place = places.map(F::from_i32);
                row.base.limbs[0] += F::from_i32(2 * second + 4 * third + 6 * fourth);
            });
        };
        forge("place[0]_is_boolean", [1, 1, 0]);
        forge("place[1]_is_boolean", [-1, 1, 1]);
        forge("place[2]_is_boolean", [1, -1, 1]);
        forge("place[3]_is_boolean", [1, 1, -1]);
        lie!(chip, "odd_is_boolean", load(base::ld, 3, EQUAL), |row| {
            row.odd = F::new(3);
            row.base.limbs[0] += F::TWO;
        });
        // The upper word is whatever suits.
        lie!(chip, "crosses", load(base::ld, 3, WORDS), |row| row
            .crosses =
            F::ZERO);
        lie!(chip, "crosses", load(base::lw, 5, WORDS), |row| row
            .crosses =
            F::ZERO);
        lie!(chip, "crosses", load(base::lh, 7, WORDS), |row| row
            .crosses =
            F::ZERO);
    }

    fn stores_change_their_bytes_only(chip: &Chip) {
        for index in 0..8 {
            let name = format!("after[{index}]");
            chip.assert_lie(&store(base::sd, 7, WORDS), &[&name], |row| {
                row.after[index] += F::ONE;
            });
        }
        for index in 0..5 {
            let name = format!("window[{index}]");
            for op in [base::sh, base::sw, base::sd] {
                chip.assert_lie(&store(op, 1, WORDS), &[&name], |row| {
                    row.window[index] += F::ONE;
                    row.after[index] += F::ONE;
                });
            }
        }
        // The bytes that stay become others.
        lie!(chip, "first_limb", store(base::sw, 1, WORDS), |row| {
            row.first[0] += F::ONE;
            row.window[0] += F::ONE;
            row.after[0] += F::ONE;
        });
        lie!(chip, "last_limb", store(base::sw, 1, WORDS), |row| {
            row.last[1] += F::ONE;
            row.window[2] += F::new(256);
            row.after[2] += F::new(256);
        });
        for index in 0..4 {
            let name = format!("stored[{index}]");
            chip.assert_lie(&store(base::sd, 1, WORDS), &[&name], |row| {
                row.register.previous[index] += F::ONE;
            });
        }
    }

    fn loads_change_nothing(chip: &Chip) {
        // A byte of the window and the value is 1, where memory has 0.
        for (offset, place) in [(1, 0), (7, 3)] {
            for index in 0..5 {
                let name = format!("unchanged[{}]", place + index);
                chip.assert_lie(&load(base::ld, offset, [0; 2]), &[&name], |row| {
                    let (byte, unit) = if index < 4 { (2 * index, 256) } else { (7, 1) };
                    row.value[byte] = F::ONE;
                    row.window[index] = F::new(unit);
                    row.after[place + index] = F::new(unit);
                });
            }
        }
    }

    fn bytes_are_bytes(chip: &Chip) {
        // The border between two bytes of the value moves; an even offset does not see it.
        let part = F::new(256).inverse();
        for index in 0..4 {
            let name = |byte: usize| format!("value[{byte}]");
            chip.assert_lie(&store(base::sd, 2, WORDS), &[&name(2 * index)], |row| {
                row.value[2 * index] += F::new(256);
                row.value[2 * index + 1] -= F::ONE;
            });
            chip.assert_lie(&store(base::sd, 2, WORDS), &[&name(2 * index + 1)], |row| {
                row.value[2 * index] -= F::ONE;
                row.value[2 * index + 1] += part;
            });
        }
        lie!(chip, "first[0]", store(base::sw, 1, WORDS), |row| {
            row.first[0] += F::new(256);
            row.first[1] -= F::ONE;
            row.window[0] += F::new(256);
            row.after[0] += F::new(256);
        });
        lie!(chip, "first[1]", store(base::sw, 1, WORDS), |row| {
            row.first[0] -= F::ONE;
            row.first[1] += part;
            row.window[0] -= F::ONE;
            row.after[0] -= F::ONE;
        });
        lie!(chip, "last[1]", store(base::sw, 1, WORDS), |row| {
            row.last[0] -= F::ONE;
            row.last[1] += part;
            row.window[2] += F::ONE;
            row.after[2] += F::ONE;
        });
        lie!(chip, "last[0]", store(base::sw, 1, WORDS), |row| {
            row.last[0] += F::new(256);
            row.last[1] -= F::ONE;
            row.window[2] -= F::new(256);
            row.after[2] -= F::new(256);
        });
    }

    fn loads_are_extended_by_the_true_sign(chip: &Chip) {
        for index in 2..8 {
            let name = format!("extension[{index}]");
            chip.assert_lie(&load(base::lhu, 1, [0; 2]), &[&name], |row| {
                row.value[index] = F::ONE;
            });
        }
        lie!(chip, "extension[4]", load(base::lw, 1, [0; 2]), |row| {
            row.value[4] = F::ONE;
        });
        let extend = |row: &mut Misaligned<F>, from: usize, byte: u8| {
            row.value[from..].fill(F::from_u8(byte));
        };
        lie!(chip, "rest", load(base::lh, 7, WORDS), |row| {
            row.sign = F::ZERO;
            row.rest += F::new(256);
            extend(row, 2, 0);
        });
        lie!(
            chip,
            "rest",
            load(base::lw, 1, [0x80_1234_5600, 0]),
            |row| {
                row.sign = F::ZERO;
                row.rest += F::new(256);
                extend(row, 4, 0);
            }
        );
        lie!(
            chip,
            "sign_bit",
            load(base::lw, 1, [0x80_1234_5600, 0]),
            |row| {
                row.sign = F::ZERO;
                extend(row, 4, 0);
            }
        );
        lie!(chip, "sign_is_boolean", load(base::lhu, 1, WORDS), |row| {
            row.sign = F::ONE;
            extend(row, 2, 255);
        });
    }

    fn operation_and_operands_are_the_programs(chip: &Chip) {
        lie!(chip, "program", load(base::lh, 1, [0; 2]), |row| {
            (row.is_lh, row.is_lhu) = (F::ZERO, F::ONE);
        });
        lie!(chip, "program", load(base::ld, 1, WORDS), |row| row
            .rd_number +=
            F::ONE);
        lie!(chip, "program", load(base::ld, 1, WORDS), |row| row
            .rs1_number +=
            F::ONE);
        lie!(chip, "program", store(base::sd, 1, WORDS), |row| row
            .rs2_number +=
            F::ONE);
        // The numbers of `lh` and `lhu` add up to that of `andi`. Twice in one row there are two
        // places, which see the same in words of zero.
        let andi = base::andi(Reg::ZERO, Reg::x(6), -4).word();
        let (_, andi) = register_record(andi, 0, 0);
        let lh = load(base::lh, 1, [0; 2]);
        chip.assert_lie_about(&andi, &lh, &["at_most_one_operation"], |row| {
            row.is_lhu = F::ONE;
            row.place[0] = F::ONE;
            row.base.limbs[0] += F::TWO;
            (row.rd_number, row.writes) = (F::ZERO, F::ZERO);
        });
        // Rows that look like padding to the buses: each flag is -1 beside one of 1. Where one of
        // them is a store a register is still accessed, at a clock that suits its order.
        let forge = |name: &str, clock: i32, set: fn(&mut Misaligned<F>)| {
            chip.assert_lie(&load(base::ld, 1, WORDS), &[name], |row| {
                *row = zero();
                row.fetch.clock = F::from_i32(clock);
                set(row);
            });
        };
        forge("is_lh_is_boolean", 0, |row| {
            (row.is_lh, row.is_lhu) = (F::NEG_ONE, F::ONE)
        });
        forge("is_lw_is_boolean", 0, |row| {
            (row.is_lw, row.is_lwu) = (F::NEG_ONE, F::ONE)
        });
        forge("is_ld_is_boolean", 2, |row| {
            (row.is_ld, row.is_sd) = (F::NEG_ONE, F::ONE)
        });
        forge("is_lhu_is_boolean", 0, |row| {
            (row.is_lhu, row.is_lh) = (F::NEG_ONE, F::ONE)
        });
        forge("is_lwu_is_boolean", 0, |row| {
            (row.is_lwu, row.is_lw) = (F::NEG_ONE, F::ONE)
        });
        forge("is_sh_is_boolean", -2, |row| {
            (row.is_sh, row.is_lh) = (F::NEG_ONE, F::ONE)
        });
        forge("is_sw_is_boolean", -2, |row| {
            (row.is_sw, row.is_lw) = (F::NEG_ONE, F::ONE)
        });
        forge("is_sd_is_boolean", -2, |row| {
            (row.is_sd, row.is_ld) = (F::NEG_ONE, F::ONE)
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let (ld, sd) = (load(base::ld, 1, WORDS), store(base::sd, 1, WORDS));
        for honest in [&ld, &sd] {
            chip.assert_lies_in_the_past(honest, ("base", SUBSTEP_RS1), |row| {
                [&mut row.base.previous_clock, &mut row.base.gap_high]
            });
            chip.assert_lies_in_the_past(honest, ("low", SUBSTEP_MEMORY), |row| {
                [&mut row.low.previous_clock, &mut row.low.gap_high]
            });
            chip.assert_lies_in_the_past(honest, ("high", SUBSTEP_MEMORY), |row| {
                [&mut row.high.previous_clock, &mut row.high.gap_high]
            });
        }
        for (honest, substep) in [(&ld, SUBSTEP_RD), (&sd, SUBSTEP_RS2)] {
            chip.assert_lies_in_the_past(honest, ("register", substep), |row| {
                [&mut row.register.previous_clock, &mut row.register.gap_high]
            });
        }
    }

    fn padding_writes_nothing(chip: &Chip) {
        lie!(
            chip,
            "padding_writes_nothing",
            load(base::ld, 1, WORDS),
            |row| {
                // The order of clocks holds: from 0 to 1, as no flag says that it is a load.
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
        there_is_one_place(&chip);
        stores_change_their_bytes_only(&chip);
        loads_change_nothing(&chip);
        bytes_are_bytes(&chip);
        loads_are_extended_by_the_true_sign(&chip);
        operation_and_operands_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = [
            load(base::lh, 7, WORDS),
            load(base::lhu, 3, WORDS),
            load(base::lw, 5, WORDS),
            load(base::lwu, 2, WORDS),
            load(base::ld, 3, WORDS),
            store(base::sh, 1, WORDS),
            store(base::sw, 6, WORDS),
            store(base::sd, 4, WORDS),
        ];
        // Without an upper word nothing of it is accessed; only signed loads leave a rest.
        let free = [
            "high.gap_high",
            "high.previous_clock",
            "is_read_only[1]",
            "rest",
        ];
        assert_eq!(chip().sweep(&rows), free.map(str::to_owned).into());
    }
}
