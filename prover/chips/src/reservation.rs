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
    Access, Fetch, Place, ProgramFields, REGISTER_RESERVATION, SPACE_READ_ONLY, SPACE_WRITABLE,
    eval_fetch, eval_flags, eval_read, eval_write, fill_access, fill_fetch, fill_registers, limbs,
    no_access,
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
    eval_read(
        builder,
        "rs1",
        &is_real,
        &rs1,
        &row.rs1,
        &(clock + SUBSTEP_RS1),
    );
    let rs2 = Place::register(&row.rs2_number);
    eval_read(
        builder,
        "rs2",
        &is_sc,
        &rs2,
        &row.rs2,
        &(clock + SUBSTEP_RS2),
    );
    eval_word(builder, row, &is_real);
    eval_reservation(builder, row, &is_real);
    eval_result(builder, row);
    eval_write(
        builder,
        "rd",
        &row.writes,
        &Place::register(&row.rd_number),
        &row.rd,
        &row.result,
        &(clock + SUBSTEP_RD),
    );
}

/// The word, unless the row fails: its address, and what it holds after.
fn eval_word(builder: &mut Builder, row: &Reservation<Expr>, is_real: &Expr) {
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
    eval_write(
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
}

/// The reservation: what becomes of it, and whether `rs1` is the address reserved.
fn eval_reservation(builder: &mut Builder, row: &Reservation<Expr>, is_real: &Expr) {
    let [after_low, after_high] = &row.reservation_after;
    let [low, high, ..] = &row.rs1.previous;
    builder.assert_eq("reservation_after[0]", after_low, &row.is_lr * (low + 1));
    builder.assert_eq("reservation_after[1]", after_high, &row.is_lr * high);
    let zero = || Expr::from(0);
    let after = [after_low.clone(), after_high.clone(), zero(), zero()];
    let place = Place::register(&Expr::from(REGISTER_RESERVATION));
    let clock = &row.fetch.clock + SUBSTEP_MEMORY;
    let access = &row.reservation;
    eval_write(
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
