//! `lr` and `sc`, on words (`.w`) and double words (`.d`).
//!
//! # Relation
//!
//! ```text
//! lr            rd = the word or double word at rs1, sign-extended; reservation = rs1 + 1
//! sc, stores    reservation was rs1 + 1: the word or double word at rs1 = rs2, rd = 0
//! sc, fails     it was not: rd = 1, and rs1 may be anything
//! either sc     reservation = 0
//! ```
//! mod 2^64, where `rs1` is a multiple of the width wherever memory is accessed. Source: RISC-V
//! unprivileged specification 20240411, section 14.2, and the machine's own choice of which `sc`
//! fails. The reservation is a hidden register that nothing else accesses.
//!
//! # The reservation
//!
//! It begins with 0, and only these rows write it: 0, or an address plus 1. That address is a
//! multiple of 4 and leads to a mapped word, so it lies below 2^32 and adding 1 carries into no
//! other limb: the limbs are `[rs1[0] + 1, rs1[1], 0, 0]`.
//!
//! The other way round, the address that is reserved is the reservation less 1, limb by limb, or
//! 2^64 - 1 if the reservation is 0, as the machine has it:
//!
//! ```text
//! reserved = [reservation[0] - 1 + 2^16 · none, reservation[1] + (2^16 - 1) · none, ...]
//! ```
//! with `none` 1 if the reservation's lowest limb is 0. All are limbs below 2^16, so that they are
//! those of `rs1` in the field only if they are. An `sc` that stores shows that each is; one that
//! fails shows a combination of the differences that is 1. An `sc` at 2^64 - 1 without reservation
//! can do neither: it would have to store, and cannot, as in the machine.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `is_lr`, `is_stored`, `is_failed` | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `is_stored` against `is_failed` | | `is_reserved[*]`, `is_not_reserved` | store, or not, at will |
//! | `is_double` | boolean | `is_double_is_boolean`, program table | reach another opcode by a fraction of the distance |
//! | `rd_number`, `writes`, `rs1_number`, `rs2_number` | the instruction's | program table | name other operands |
//! | `writes` in padding | 0 | `padding_writes_nothing` | write a register without an instruction |
//! | `rs1`, `rs2`, `word`, `rd`, `reservation` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | upper limbs of `rs1` where memory is accessed | 0 | `address[2]`, `address[3]` | name an address 2^32 higher |
//! | `word_index` | the address divided by 8 | `address`, `word_index` look-up | go elsewhere; an index with a fraction |
//! | `upper` | bit 2 of the address in word forms, else 0 | `upper`, `address` | take the other half, misalign |
//! | `is_read_only` | boolean, 0 but in `lr` | `is_read_only` | store to constants; load a register as memory |
//! | `after` | limbs of the word and of `rs2` | `after[*]` | store another value, or in `lr` |
//! | `sign` | bit 31 of what `lr.w` loads, else 0 | `sign`, `sign_bit` look-up | extend with the wrong sign |
//! | `result` | the loaded limbs, or `is_failed` | `result[*]` | return anything |
//! | `reservation_after` | `rs1` + 1 in `lr`, else 0 | `reservation_after[*]` | keep or forge a reservation |
//! | `is_held` | whether the reservation is not 0 | `held_if_any`, `any_if_held` | let an `sc` at 2^64 - 1 fail |
//! | `reservation_inverse` | | `held_if_any` | (nothing: it only serves `is_held`) |
//! | `differs` | | `is_not_reserved` | (nothing: any that serve will do) |

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{
    AtomicRecord, SUBSTEP_MEMORY, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2, WordAccess,
};

use crate::ProgramRow;
use crate::atomic::{DOUBLE, Width};
use crate::common::{
    Access, Byte, Fetch, Place, ProgramFields, REGISTER_RESERVATION, SPACE_READ_ONLY,
    SPACE_WRITABLE, eval_bytes, eval_fetch, eval_flags, eval_read, eval_write, fill_access,
    fill_fetch, fill_registers, limbs, no_access,
};

columns! {
    /// One load-reserved or store-conditional.
    pub(crate) struct Reservation {
        /// 1 for a load-reserved.
        is_lr: [cell],
        /// 1 for a store-conditional that stores.
        is_stored: [cell],
        /// 1 for a store-conditional that fails.
        is_failed: [cell],
        /// 1 for double words, 0 for words.
        is_double: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the destination register; from the program table.
        rd_number: [cell],
        /// Whether it is written; from the program table.
        writes: [cell],
        /// Number of the register that holds the address; from the program table.
        rs1_number: [cell],
        /// Number of the register to store, 0 for `lr`; from the program table.
        rs2_number: [cell],
        /// Read of the address.
        rs1: [group Access],
        /// Read of `rs2`, in store-conditionals.
        rs2: [group Access],
        /// Access to the 8-byte word, unless the row fails.
        word: [group Access],
        /// Write of `rd`.
        rd: [group Access],
        /// Access to the reservation.
        reservation: [group Access],
        /// The lower limbs of the reservation after, the others are 0: those of `rs1`, with 1 added.
        reservation_after: [cells 2],
        /// Whether there is a reservation: boolean, because it is the product of the lowest limb
        /// and the next cell, and 1 if that limb is not 0.
        is_held: [cell],
        /// The inverse of the reservation's lowest limb.
        reservation_inverse: [cell],
        /// In a row that fails, by what to multiply the differences between `rs1` and the reserved
        /// address so that they add up to 1.
        differs: [cells 4],
        /// The address divided by 8; bound to it by a constraint and a range check.
        word_index: [cell],
        /// 1 for the upper half of the 8-byte word, else 0; boolean, 0 in double forms.
        upper: [cell],
        /// 1 if the word refuses stores; boolean, 0 but in `lr`. The memory bus knows which.
        is_read_only: [cell],
        /// The 8-byte word after: limbs of it and of `rs2`.
        after: [cells 4],
        /// Sign of what `lr.w` loads, else 0; boolean, bound by a range check.
        sign: [cell],
        /// The value of `rd`: limbs of the word, of the sign, or 0 or 1.
        result: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "reservation";

/// Whether rows of this chip are of `opcode`; else they are of [`crate::atomic`].
pub(crate) fn has(opcode: Opcode) -> bool {
    matches!(
        opcode,
        Opcode::LrW | Opcode::LrD | Opcode::ScW | Opcode::ScD
    )
}

pub(crate) fn eval(builder: &mut Builder, row: &Reservation<Expr>, _: &()) {
    let flags = [
        ("is_lr", &row.is_lr),
        ("is_stored", &row.is_stored),
        ("is_failed", &row.is_failed),
    ];
    let is_real = eval_flags(builder, &flags);
    builder.assert_bool("is_double_is_boolean", &row.is_double);
    let is_sc = &row.is_stored + &row.is_failed;
    let zero = || Expr::from(0);
    let fields = ProgramFields {
        operation: &row.is_lr * (Opcode::LrW as u32)
            + &is_sc * (Opcode::ScW as u32)
            + &row.is_double * DOUBLE,
        rd: row.rd_number.clone(),
        writes: row.writes.clone(),
        rs1: row.rs1_number.clone(),
        rs2: row.rs2_number.clone(),
        imm: [zero(), zero(), zero(), zero()],
        target: zero(),
    };
    let next = row.fetch.next_half_pc.clone();
    eval_fetch(builder, &is_real, &row.fetch, fields, next);
    // In padding the program table says nothing.
    builder.assert_zero_when("padding_writes_nothing", &is_real.not(), row.writes.clone());

    let clock = &row.fetch.clock;
    let rs1 = Place::register(&row.rs1_number);
    let rs1_gap = eval_read(
        builder,
        "rs1",
        &is_real,
        &rs1,
        &row.rs1,
        &(clock + SUBSTEP_RS1),
    );
    let rs2 = Place::register(&row.rs2_number);
    let rs2_gap = eval_read(
        builder,
        "rs2",
        &is_sc,
        &rs2,
        &row.rs2,
        &(clock + SUBSTEP_RS2),
    );
    let word_gap = eval_word(builder, row, &is_real);
    let reservation_gap = eval_reservation(builder, row, &is_real);
    eval_result(builder, row);
    let rd_gap = eval_write(
        builder,
        "rd",
        &row.writes,
        &Place::register(&row.rd_number),
        &row.rd,
        &row.result,
        &(clock + SUBSTEP_RD),
    );
    let gaps = [rs1_gap, rs2_gap, word_gap, reservation_gap, rd_gap];
    eval_bytes(builder, &is_real, gaps);
}

/// The word, unless the row fails: its address, and what it holds after.
fn eval_word(builder: &mut Builder, row: &Reservation<Expr>, is_real: &Expr) -> Byte {
    let accesses = &row.is_lr + &row.is_stored;
    let [low, high, address_2, address_3] = &row.rs1.previous;
    // As in the chip `load`: both equations hold between integers.
    let eighth = &row.word_index - high * (1_u32 << 13);
    let address = &eighth * 8 + &row.upper * 4;
    builder.assert_zero_when("address", &accesses, address - low);
    builder.assert_zero_when("address[2]", &accesses, address_2.clone());
    builder.assert_zero_when("address[3]", &accesses, address_3.clone());
    builder.send("word_index", Bus::Range16, &accesses, vec![eighth]);
    // Boolean in word forms, 0 in double forms.
    let is_word = is_real - &row.is_double;
    builder.assert_zero("upper", &row.upper * (is_word - &row.upper));

    // Boolean in `lr`, else 0.
    let read_only = &row.is_read_only;
    builder.assert_zero("is_read_only", read_only * (&row.is_lr - read_only));
    let word = Place {
        space: Expr::from(SPACE_WRITABLE) + read_only * (SPACE_READ_ONLY - SPACE_WRITABLE),
        address: row.word_index.clone(),
    };
    let clock = &row.fetch.clock + SUBSTEP_MEMORY;
    let gap = eval_write(
        builder, "word", &accesses, &word, &row.word, &row.after, &clock,
    );
    let (stored, is_lower) = (&row.rs2.previous, row.upper.not());
    for (index, after) in row.after.iter().enumerate() {
        let before = &row.word.previous[index];
        // In double forms `upper` is 0.
        let change = if index < 2 {
            &is_lower * (&stored[index] - before)
        } else {
            &row.upper * (&stored[index - 2] - before) + &row.is_double * (&stored[index] - before)
        };
        let value = before + &row.is_stored * change;
        builder.assert_eq(&format!("after[{index}]"), after, value);
    }
    gap
}

/// The reservation: what becomes of it, and whether `rs1` is the address reserved.
fn eval_reservation(builder: &mut Builder, row: &Reservation<Expr>, is_real: &Expr) -> Byte {
    let [after_low, after_high] = &row.reservation_after;
    let [low, high, ..] = &row.rs1.previous;
    builder.assert_eq("reservation_after[0]", after_low, &row.is_lr * (low + 1));
    builder.assert_eq("reservation_after[1]", after_high, &row.is_lr * high);
    let zero = || Expr::from(0);
    let after = [after_low.clone(), after_high.clone(), zero(), zero()];
    let place = Place::register(&Expr::from(REGISTER_RESERVATION));
    let clock = &row.fetch.clock + SUBSTEP_MEMORY;
    let access = &row.reservation;
    let gap = eval_write(
        builder,
        "reservation",
        is_real,
        &place,
        access,
        &after,
        &clock,
    );

    let lowest = &access.previous[0];
    builder.assert_zero_when("held_if_any", &row.is_held.not(), lowest.clone());
    let product = lowest * &row.reservation_inverse;
    builder.assert_eq("any_if_held", &row.is_held, product);
    let none = row.is_held.not();
    let mut total = Expr::from(0);
    for (index, limb) in access.previous.iter().enumerate() {
        let reserved = if index == 0 {
            limb - 1 + &none * (1_u32 << 16)
        } else {
            limb + &none * 0xffff_u32
        };
        let difference = &row.rs1.previous[index] - reserved;
        let name = format!("is_reserved[{index}]");
        builder.assert_zero_when(&name, &row.is_stored, difference.clone());
        total = total + &row.differs[index] * difference;
    }
    builder.assert_zero_when("is_not_reserved", &row.is_failed, total - 1);
    gap
}

/// The value of `rd`.
fn eval_result(builder: &mut Builder, row: &Reservation<Expr>) {
    let word = &row.word.previous;
    let is_lr_word = &row.is_lr * row.is_double.not();
    for (index, result) in row.result.iter().enumerate() {
        let value = match index {
            0 | 1 => {
                let loaded = &word[index] + &row.upper * (&word[index + 2] - &word[index]);
                &row.is_lr * loaded
            }
            _ => &row.is_lr * &row.is_double * &word[index] + &row.sign * 0xffff_u32,
        };
        let value = if index == 0 {
            value + &row.is_failed
        } else {
            value
        };
        builder.assert_eq(&format!("result[{index}]"), result, value);
    }
    // Boolean in `lr.w`, else 0.
    builder.assert_zero("sign", &row.sign * (&is_lr_word - &row.sign));
    // With the limb in range, twice the rest is below 2^16 only if `sign` is bit 15.
    let rest = (&row.result[1] - &row.sign * (1_u32 << 15)) * 2;
    builder.send("sign_bit", Bus::Range16, &is_lr_word, vec![rest]);
}

/// What the reservation is after `record`, whose opcode is `opcode`.
pub(crate) fn reservation_after(record: &AtomicRecord, opcode: Opcode) -> u64 {
    if matches!(opcode, Opcode::LrW | Opcode::LrD) {
        record.registers.rs1_value.wrapping_add(1)
    } else {
        0
    }
}

/// Fills the row of `record`, whose instruction is `program` and whose word refuses stores if
/// `is_read_only`.
pub(crate) fn fill(
    record: &AtomicRecord,
    program: &ProgramRow,
    is_read_only: bool,
) -> Reservation<F> {
    let AtomicRecord {
        registers,
        word,
        reservation,
        reservation_clock,
    } = record;
    let opcode = program.opcode;
    let address = registers.rs1_value;
    let is_lr = matches!(opcode, Opcode::LrW | Opcode::LrD);
    // A row that fails accesses no word; word 0 is never mapped.
    let is_failed = !is_lr && *word == WordAccess::default();
    let is_stored = !is_lr && !is_failed;
    let width = Width::new(opcode, address);
    let clock = registers.clock + SUBSTEP_MEMORY;
    let after = if is_stored {
        width.replace(word.previous, registers.rs2_value)
    } else {
        word.previous
    };
    let result = if is_lr {
        width.extend(word.previous >> width.shift)
    } else {
        u64::from(is_failed)
    };
    let after_reservation = limbs(reservation_after(record, opcode));
    let lowest = limbs(*reservation)[0];
    let (rs1, reserved) = (limbs(address), limbs(reservation.wrapping_sub(1)));
    let mut differs = [F::ZERO; 4];
    if is_failed && let Some(index) = (0..4).find(|index| rs1[*index] != reserved[*index]) {
        differs[index] = (rs1[index] - reserved[index]).inverse();
    }
    let [rs1, rs2, rd] = fill_registers(registers, program);
    Reservation {
        is_lr: F::from_bool(is_lr),
        is_stored: F::from_bool(is_stored),
        is_failed: F::from_bool(is_failed),
        is_double: F::from_bool(width.is_double),
        fetch: fill_fetch(registers.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        rs1,
        rs2,
        word: if is_failed {
            no_access()
        } else {
            fill_access(word.previous, word.clock, clock)
        },
        rd,
        reservation: fill_access(*reservation, *reservation_clock, clock),
        reservation_after: [after_reservation[0], after_reservation[1]],
        is_held: F::from_bool(lowest != F::ZERO),
        reservation_inverse: lowest.try_inverse().unwrap_or(F::ZERO),
        differs,
        word_index: F::new(word.word_index),
        upper: F::from_bool(!is_failed && width.shift > 0),
        is_read_only: F::from_bool(is_read_only),
        after: limbs(after),
        sign: F::from_bool(is_lr && !width.is_double && result >> 63 == 1),
        result: limbs(result),
    }
}

#[cfg(test)]
mod tests {
    use zkvm_air::Columns as _;
    use zkvm_testkit::asm::base::AtomicOp;
    use zkvm_testkit::asm::{Encoded, Order, Reg, base};
    use zkvm_testkit::edge::EDGE_VALUES;
    use zkvm_testkit::edge::reference::loaded;

    use super::*;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    /// An instruction: its record, and whether its word refuses stores.
    type Case = (AtomicRecord, bool);
    type Honest = (Case, ProgramRow);

    /// The word's bytes all differ, and the upper digit of each tells its place.
    const WORD: u64 = 0x91_22_b3_44_d5_66_f7_08;
    /// A word whose bytes are all the same.
    const EQUAL: u64 = 0x5555_5555_5555_5555;
    /// What is stored.
    const VALUE: u64 = 0x0123_4567_89ab_cdef;
    const ADDRESS: u64 = 0x8123_4560;

    type Chip = ChipTest<Case, Reservation<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |(record, is_read_only), program| {
            fill(record, program, *is_read_only)
        })
    }

    fn honest(code: Encoded, address: u64, stored: u64, reservation: u64) -> Honest {
        let (registers, program) = register_record(code.word(), address, stored);
        let record = AtomicRecord {
            registers,
            word: WordAccess::default(),
            reservation,
            reservation_clock: CLOCK - 90,
        };
        ((record, false), program)
    }

    fn at_word(mut honest: Honest, word: u64) -> Honest {
        let record = &mut honest.0.0;
        record.word = WordAccess {
            previous: word,
            word_index: (record.registers.rs1_value / 8) as u32,
            clock: CLOCK - 77,
        };
        honest
    }

    type LoadOp = fn(Reg, Reg, Order) -> Encoded;

    /// A load-reserved of `word` at an offset, with another reservation before.
    fn lr(op: LoadOp, offset: u64, word: u64) -> Honest {
        let code = op(Reg::x(5), Reg::x(6), Order::Relaxed);
        at_word(honest(code, ADDRESS + offset, 0, 0x4_5671), word)
    }

    /// A store-conditional to an offset in `word` that stores `value`.
    fn stored(op: AtomicOp, offset: u64, word: u64, value: u64) -> Honest {
        let code = op(Reg::x(5), Reg::x(7), Reg::x(6), Order::Relaxed);
        let address = ADDRESS + offset;
        at_word(honest(code, address, value, address + 1), word)
    }

    /// A store-conditional that fails.
    fn failed(op: AtomicOp, address: u64, reservation: u64) -> Honest {
        let code = op(Reg::x(5), Reg::x(7), Reg::x(6), Order::Relaxed);
        honest(code, address, VALUE, reservation)
    }

    fn zero() -> Reservation<F> {
        Reservation::take(&mut std::iter::repeat(F::ZERO))
    }

    /// Makes the reservation before another one.
    fn hold(row: &mut Reservation<F>, reservation: u64) {
        row.reservation.previous = limbs(reservation);
        let lowest = row.reservation.previous[0];
        row.is_held = F::from_bool(lowest != F::ZERO);
        row.reservation_inverse = lowest.try_inverse().unwrap_or(F::ZERO);
    }

    /// The addresses at which something changes, and those of them that can be reserved.
    const ADDRESSES: &[u64] = &[
        0,
        3,
        4,
        0x1000,
        0xfffc,
        0xffff,
        0x1_0000,
        0x8123_4560,
        0x8123_4564,
        0xefff_fffc,
        0xffff_ffff,
        0x1_0000_0000,
        0x1_8123_4560,
        0x8123_4560_8123_4560,
        0xffff_ffff_ffff_0000,
        0xffff_ffff_ffff_fffe,
        0xffff_ffff_ffff_ffff,
    ];

    fn can_be_reserved(address: u64) -> bool {
        (0x1000..0xf000_0000).contains(&address) && address.is_multiple_of(4)
    }

    #[test]
    fn loads_are_the_references_and_reserve_their_address() {
        let chip = chip();
        for (op, name, bytes) in [(base::lr_w as LoadOp, "lw", 4), (base::lr_d, "ld", 8)] {
            for offset in (0..8).step_by(bytes) {
                for &word in EDGE_VALUES.iter().chain(&[WORD, !WORD]) {
                    for is_read_only in [false, true] {
                        let ((record, _), program) = lr(op, offset as u64, word);
                        let row = || chip.row(&(record, is_read_only), &program);
                        let caught = chip.catches(row(), &program);
                        assert!(caught.is_empty(), "{name} {offset} {word:x}: {caught:?}");
                        let expected = loaded(name, &word.to_le_bytes()[offset..]);
                        let written = chip.message(row(), "rd.after").expect("it writes x5");
                        assert_eq!(written[2..6], limbs(expected), "{name} {offset} {word:x}");
                        let after = chip.message(row(), "word.after").expect("it loads");
                        let space = if is_read_only {
                            SPACE_READ_ONLY
                        } else {
                            SPACE_WRITABLE
                        };
                        assert_eq!(after[0], F::new(space));
                        assert_eq!(after[2..6], limbs(word));
                        let reserved = chip.message(row(), "reservation.after");
                        let reserved = reserved.expect("it reserves");
                        assert_eq!(reserved[..2], [0, 32].map(F::new));
                        assert_eq!(reserved[2..6], limbs(ADDRESS + offset as u64 + 1));
                        assert_eq!(chip.message(row(), "rs2.before"), None);
                    }
                }
            }
        }
    }

    #[test]
    fn addresses_are_reserved_up_to_the_last() {
        let chip = chip();
        for &address in ADDRESSES
            .iter()
            .filter(|address| can_be_reserved(**address))
        {
            let code = base::lr_w(Reg::x(5), Reg::x(6), Order::Relaxed);
            let (case, program) = at_word(honest(code, address, 0, 0), WORD);
            let row = || chip.row(&case, &program);
            let caught = chip.catches(row(), &program);
            assert!(caught.is_empty(), "{address:x}: {caught:?}");
            let reserved = chip.message(row(), "reservation.after");
            assert_eq!(reserved.expect("it reserves")[2..6], limbs(address + 1));
        }
    }

    #[test]
    fn stores_leave_the_reference_word_and_no_reservation() {
        let chip = chip();
        for (op, bytes) in [(base::sc_w as AtomicOp, 4), (base::sc_d, 8)] {
            for offset in (0..8).step_by(bytes) {
                for &value in EDGE_VALUES {
                    let (case, program) = stored(op, offset as u64, WORD, value);
                    let row = || chip.row(&case, &program);
                    let caught = chip.catches(row(), &program);
                    assert!(caught.is_empty(), "{bytes} {offset} {value:x}: {caught:?}");
                    let mut expected = WORD.to_le_bytes();
                    expected[offset..offset + bytes].copy_from_slice(&value.to_le_bytes()[..bytes]);
                    let after = chip.message(row(), "word.after").expect("it stores");
                    assert_eq!(after[0], F::new(SPACE_WRITABLE));
                    assert_eq!(after[2..6], limbs(u64::from_le_bytes(expected)));
                    let written = chip.message(row(), "rd.after").expect("it writes x5");
                    assert_eq!(written[2..6], limbs(0));
                    let reserved = chip.message(row(), "reservation.after");
                    assert_eq!(reserved.expect("it clears")[2..6], limbs(0));
                }
            }
        }
    }

    #[test]
    fn those_that_fail_look_at_no_address_and_cannot_pretend_to_store() {
        let chip = chip();
        let held = ADDRESSES
            .iter()
            .filter(|address| can_be_reserved(**address));
        let reservations: Vec<u64> = held.map(|address| address + 1).chain([0]).collect();
        for &address in ADDRESSES {
            for &reservation in &reservations {
                let fails = reservation != address.wrapping_add(1);
                let what = format!("{address:x} {reservation:x}");
                let (case, program) = failed(base::sc_w, address, reservation);
                let row = || chip.row(&case, &program);
                let caught = chip.catches(row(), &program);
                // The fill takes the record's word; where the machine does not fail, it is caught.
                if !fails {
                    assert_eq!(caught, ["is_not_reserved".to_owned()].into(), "{what}");
                    continue;
                }
                assert!(caught.is_empty(), "{what}: {caught:?}");
                assert_eq!(chip.message(row(), "word.before"), None);
                let written = chip.message(row(), "rd.after").expect("it writes x5");
                assert_eq!(written[2..6], limbs(1));
                let reserved = chip.message(row(), "reservation.after");
                assert_eq!(reserved.expect("it clears")[2..6], limbs(0));
                // As a store it would show an address that is not the one reserved.
                let (case, program) = at_word((case, program), WORD);
                let caught = chip.catches(chip.row(&case, &program), &program);
                let of_limb = |name: &String| name.starts_with("is_reserved");
                assert!(caught.iter().any(of_limb), "{what}: {caught:?}");
            }
        }
    }

    fn storing_and_failing_are_no_choice(chip: &Chip) {
        for limb in 0..4 {
            let name = format!("is_reserved[{limb}]");
            chip.assert_lie(&stored(base::sc_d, 0, WORD, VALUE), &[&name], |row| {
                row.reservation.previous[limb] += F::ONE;
                row.reservation_inverse = row.reservation.previous[0].inverse();
            });
        }
        // The same number in other limbs.
        lie!(
            chip,
            "is_reserved[0]",
            stored(base::sc_d, 0, WORD, VALUE),
            |row| {
                row.reservation.previous[0] += F::new(1 << 16);
                row.reservation.previous[1] -= F::ONE;
                row.reservation_inverse = row.reservation.previous[0].inverse();
            },
            also["is_reserved[1]"]
        );
        // Fails at the address reserved.
        for factor in [0, 1, 0xffff_u32] {
            lie!(
                chip,
                "is_not_reserved",
                stored(base::sc_d, 0, WORD, VALUE),
                |row| {
                    (row.is_stored, row.is_failed) = (F::ZERO, F::ONE);
                    row.after = row.word.previous;
                    row.result[0] = F::ONE;
                    row.differs = [F::new(factor); 4];
                }
            );
        }
        // The same, as if there were no reservation.
        lie!(
            chip,
            "held_if_any",
            stored(base::sc_d, 0, WORD, VALUE),
            |row| {
                (row.is_stored, row.is_failed) = (F::ZERO, F::ONE);
                row.after = row.word.previous;
                row.result[0] = F::ONE;
                (row.is_held, row.reservation_inverse) = (F::ZERO, F::ZERO);
                row.differs[0] = -F::new(1 << 16).inverse();
            }
        );
        // At 2^64 - 1 without reservation, where the machine would store, and faults.
        let near_the_end = failed(base::sc_d, u64::MAX - 1, 0);
        lie!(chip, "is_not_reserved", near_the_end, |row| row
            .rs1
            .previous[0] =
            F::new(0xffff));
        lie!(chip, "any_if_held", near_the_end, |row| {
            row.rs1.previous[0] = F::new(0xffff);
            row.is_held = F::ONE;
            row.differs = [F::new(1 << 16).inverse(), F::ZERO, F::ZERO, F::ZERO];
        });
        lie!(
            chip,
            "is_not_reserved",
            failed(base::sc_w, ADDRESS, 0x4_5671),
            |row| row.differs[0] += F::ONE
        );
    }

    fn the_reservation_after_is_the_address_or_none(chip: &Chip) {
        for limb in 0..2 {
            let name = format!("reservation_after[{limb}]");
            for honest in [
                lr(base::lr_w, 4, WORD),
                stored(base::sc_w, 4, WORD, VALUE),
                failed(base::sc_w, ADDRESS, 0),
            ] {
                chip.assert_lie(&honest, &[&name], |row| {
                    row.reservation_after[limb] += F::ONE;
                });
            }
        }
        // What was reserved before does not matter to a load.
        let (case, program) = lr(base::lr_w, 4, WORD);
        let mut row = chip.row(&case, &program);
        hold(&mut row, 0);
        assert!(chip.catches(row, &program).is_empty());
    }

    fn the_address_cannot_be_forged(chip: &Chip) {
        lie!(chip, "address", lr(base::lr_d, 0, EQUAL), |row| row
            .word_index +=
            F::ONE);
        lie!(
            chip,
            "address",
            stored(base::sc_w, 0, EQUAL, EQUAL),
            |row| row.upper = F::ONE
        );
        lie!(chip, "address[2]", lr(base::lr_d, 0, WORD), |row| row
            .rs1
            .previous[2] =
            F::ONE);
        lie!(chip, "address[3]", lr(base::lr_d, 0, WORD), |row| row
            .rs1
            .previous[3] =
            F::ONE);
        lie!(
            chip,
            "address[2]",
            stored(base::sc_d, 0, WORD, VALUE),
            |row| row.rs1.previous[2] = F::ONE,
            also["is_reserved[2]"]
        );
        // Half a word further.
        lie!(chip, "word_index", lr(base::lr_w, 0, EQUAL), |row| {
            row.upper = F::ONE;
            row.word_index -= F::TWO.inverse();
        });
        // The upper half of the word before.
        lie!(chip, "upper", lr(base::lr_w, 0, EQUAL), |row| {
            row.upper = F::TWO;
            row.word_index -= F::ONE;
        });
        // A double word across two words.
        lie!(chip, "upper", lr(base::lr_d, 0, EQUAL), |row| {
            row.upper = F::ONE;
            row.rs1.previous[0] += F::new(4);
            row.reservation_after[0] += F::new(4);
        });
        lie!(chip, "upper", stored(base::sc_d, 0, EQUAL, EQUAL), |row| {
            row.upper = F::ONE;
            row.rs1.previous[0] += F::new(4);
            hold(row, ADDRESS + 5);
        });
        // No multiple of 4.
        lie!(chip, "word_index", lr(base::lr_w, 0, EQUAL), |row| {
            row.rs1.previous[0] += F::TWO;
            row.reservation_after[0] += F::TWO;
            row.word_index += F::new(4).inverse();
        });
        // Neither space of words: -1 would be that of the registers.
        lie!(chip, "is_read_only", lr(base::lr_d, 0, WORD), |row| row
            .is_read_only =
            F::NEG_ONE);
        lie!(
            chip,
            "is_read_only",
            stored(base::sc_d, 0, WORD, VALUE),
            |row| row.is_read_only = F::ONE
        );
    }

    fn what_is_stored_and_returned_cannot_be_forged(chip: &Chip) {
        for limb in 0..4 {
            for honest in [
                lr(base::lr_w, 4, WORD),
                stored(base::sc_d, 0, WORD, VALUE),
                stored(base::sc_w, 0, WORD, VALUE),
                stored(base::sc_w, 4, WORD, VALUE),
            ] {
                chip.assert_lie(&honest, &[&format!("after[{limb}]")], |row| {
                    row.after[limb] += F::ONE;
                });
            }
            for honest in [
                lr(base::lr_d, 0, WORD),
                stored(base::sc_d, 0, WORD, VALUE),
                failed(base::sc_w, ADDRESS, 0),
            ] {
                chip.assert_lie(&honest, &[&format!("result[{limb}]")], |row| {
                    row.result[limb] += F::ONE;
                });
            }
        }
        let extend = |row: &mut Reservation<F>, sign: F| {
            row.sign = sign;
            row.result[2] = sign * F::new(0xffff);
            row.result[3] = sign * F::new(0xffff);
        };
        lie!(chip, "sign_bit", lr(base::lr_w, 0, WORD), |row| extend(
            row,
            F::ZERO
        ));
        lie!(chip, "sign_bit", lr(base::lr_w, 0, 5), |row| extend(
            row,
            F::ONE
        ));
        lie!(chip, "sign", lr(base::lr_w, 0, EQUAL), |row| extend(
            row,
            F::TWO.inverse()
        ));
        lie!(chip, "sign", lr(base::lr_d, 0, 5), |row| extend(
            row,
            F::ONE
        ));
        lie!(chip, "sign", stored(base::sc_w, 0, WORD, 5), |row| extend(
            row,
            F::ONE
        ));
    }

    fn operation_and_operands_are_the_programs(chip: &Chip) {
        lie!(chip, "program", lr(base::lr_w, 0, 5), |row| row.is_double =
            F::ONE);
        lie!(chip, "program", stored(base::sc_d, 0, 5, VALUE), |row| {
            row.rd_number += F::ONE
        });
        lie!(chip, "program", stored(base::sc_d, 0, 5, VALUE), |row| {
            row.rs1_number += F::ONE
        });
        lie!(chip, "program", stored(base::sc_d, 0, 5, VALUE), |row| {
            row.rs2_number += F::ONE
        });
        // A store-conditional as a load-reserved, by a fraction of what a double form is above.
        lie!(
            chip,
            "is_double_is_boolean",
            stored(base::sc_w, 0, 0, 0),
            |row| {
                (row.is_stored, row.is_lr) = (F::ZERO, F::ONE);
                row.is_double = F::new(DOUBLE).inverse();
                let [low, high, ..] = row.rs1.previous;
                row.reservation_after = [low + F::ONE, high];
            }
        );
        let code = base::lr_w(Reg::x(0), Reg::x(6), Order::Relaxed);
        let to_x0 = at_word(honest(code, ADDRESS, 0, 0), 5);
        assert_eq!(chip.message(chip.row(&to_x0.0, &to_x0.1), "rd.after"), None);
        lie!(
            chip,
            "at_most_one_operation",
            to_x0,
            |row| {
                row.is_failed = F::ONE;
                row.result[0] += F::ONE;
                row.differs[0] = (row.rs1.previous[0] - F::new(0xffff)).inverse();
                // The order of clocks holds: from 0 to that of rs2.
                row.rs2.gap_high = F::new(CLOCK >> 16);
            },
            also["program"]
        );
        lie!(chip, "program", to_x0, |row| {
            row.writes = F::ONE;
            row.rd.gap_high = F::new(21);
        });
        // Rows that look like padding to the buses: one flag is -1 beside one of 1. Without a
        // reservation, 2^64 - 1 counts as reserved.
        let all = [F::new(0xffff); 4];
        lie!(chip, "is_lr_is_boolean", lr(base::lr_w, 0, 5), |row| {
            *row = zero();
            (row.is_lr, row.is_stored) = (F::NEG_ONE, F::ONE);
            row.rs1.previous = all;
            row.reservation_after = [-F::new(1 << 16), -F::new(0xffff)];
        });
        lie!(chip, "is_stored_is_boolean", lr(base::lr_w, 0, 5), |row| {
            *row = zero();
            (row.is_stored, row.is_lr) = (F::NEG_ONE, F::ONE);
            row.rs1.previous = all;
            row.reservation_after = [F::new(1 << 16), F::new(0xffff)];
        });
        lie!(chip, "is_failed_is_boolean", lr(base::lr_w, 0, 5), |row| {
            *row = zero();
            (row.is_failed, row.is_lr) = (F::NEG_ONE, F::ONE);
            row.differs[0] = -F::new(0xffff).inverse();
            row.result[0] = F::NEG_ONE;
            row.reservation_after[0] = F::ONE;
        });
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        type Cells = fn(&mut Reservation<F>) -> &mut Access<F>;
        let accesses: [(&str, Cells, u32); 5] = [
            ("rs1", |row| &mut row.rs1, SUBSTEP_RS1),
            ("rs2", |row| &mut row.rs2, SUBSTEP_RS2),
            ("word", |row| &mut row.word, SUBSTEP_MEMORY),
            ("reservation", |row| &mut row.reservation, SUBSTEP_MEMORY),
            ("rd", |row| &mut row.rd, SUBSTEP_RD),
        ];
        let honest = stored(base::sc_d, 0, WORD, VALUE);
        for (name, access, substep) in accesses {
            chip.assert_lies_in_the_past(&honest, (name, substep), |row| {
                let access = access(row);
                [&mut access.previous_clock, &mut access.gap_high]
            });
        }
    }

    fn padding_writes_nothing(chip: &Chip) {
        lie!(
            chip,
            "padding_writes_nothing",
            lr(base::lr_w, 0, 5),
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
        storing_and_failing_are_no_choice(&chip);
        the_reservation_after_is_the_address_or_none(&chip);
        the_address_cannot_be_forged(&chip);
        what_is_stored_and_returned_cannot_be_forged(&chip);
        operation_and_operands_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        let never_alone = [(
            "at_most_one_operation",
            "the numbers of two operations add up to that of no opcode, so `program` catches it too",
        )];
        chip.assert_every_name_was_forged(&never_alone);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows = |are_loads: bool, fail: bool| -> Vec<Honest> {
            match (are_loads, fail) {
                (true, _) => vec![lr(base::lr_w, 4, WORD), lr(base::lr_d, 0, WORD)],
                (false, false) => vec![
                    stored(base::sc_w, 4, WORD, VALUE),
                    stored(base::sc_d, 0, WORD, VALUE),
                ],
                (false, true) => vec![
                    failed(base::sc_w, ADDRESS, 0x4_5671),
                    failed(base::sc_d, ADDRESS + 3, 0),
                    failed(base::sc_d, u64::MAX, 0x4_5671),
                    failed(base::sc_d, ADDRESS, 0x8123_5671),
                    failed(base::sc_d, ADDRESS, 0x4561),
                ],
            }
        };
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        // What is multiplied by a difference that is none.
        let differs = ["differs[0]", "differs[1]", "differs[2]", "differs[3]"];
        assert_eq!(chip().sweep(&rows(false, false)), named(&differs));
        // Nothing is read through rs2.
        let mut free = vec![
            "rs2.previous[0]",
            "rs2.previous[1]",
            "rs2.previous[2]",
            "rs2.previous[3]",
            "rs2.previous_clock",
            "rs2.gap_high",
        ];
        free.extend(differs);
        assert_eq!(chip().sweep(&rows(true, false)), named(&free));
        // No word is accessed; where nothing is reserved, there is no inverse.
        let free = [
            "word.previous_clock",
            "word.gap_high",
            "word_index",
            "upper",
            "reservation_inverse",
            "differs[0]",
            "differs[1]",
            "differs[2]",
            "differs[3]",
        ];
        assert_eq!(chip().sweep(&rows(false, true)), named(&free));
    }
}
