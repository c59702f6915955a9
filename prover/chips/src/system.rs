//! `ecall`: the system calls whose numbers and effects are [`zkvm_isa::syscall`].
//!
//! # Relation
//!
//! `a7`, `a0`, `a1` and `a2` are read, `a0` is written:
//!
//! ```text
//! halt      a7 = 93 or 0                  the exit code is the low 32 bits of a0; nothing follows
//! print     a7 = 64, a0 = 1 or 2          a0 = a2
//! journal   a7 = 64, a0 = 3               a0 = a2; words move by the journal chip
//! hint      a7 = 63, a0 = 4               a0 = n, at most a2; words move by the hint chip
//! note      a7 = panic or a span's        a0 = 0
//! precompile a7 = its number              a0 = 0; its chip does the rest
//! ```
//! The number of journal bytes written so far is a register of its own, read and written by every
//! journal call; so is the number of hint bytes read. A journal call and a hint call *transfer* `a0`
//! bytes (after the call), 2^16 at most; a transfer *moves* if that is not 0. How many hints are
//! left is the prover's business, so `n` is any number up to `a2`, also after a read that got less
//! than it asked for: a guest must not take a short read for the end of all hints.
//!
//! A precompile's three arguments are addresses of words, each a multiple of 8 below 2^32; the call
//! hands its clock and the words' indices to the precompile's chip, which has 0 for those that it does
//! not use.
//!
//! No position reaches 2^30: an execution that reads or writes as many bytes has no proof.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation` | mix calls |
//! | flags against `a7`, `a0` | | `number[*]`, `descriptor[*]` | halt at a print |
//! | `result` | `a2`, 0, in a halt `a0`, in a hint read 0 to `a2` | `result_is_*[*]`; `read_*`, range look-ups | return anything |
//! | `length_top` | boolean | `length_top_is_boolean`, `length[*]` | transfer more than 2^16 bytes |
//! | `moves`, `length_inverse` | 1 where bytes move | `moves_in_transfers`, `moves_if_any`, `any_if_moves` | drop a write |
//! | `word_low` | `a1` / 8 | `aligned`, range look-up | transfer other words |
//! | `operand_low` | `a0` / 8, `a2` / 8 in a precompile | `operand_aligned[*]`, range look-ups | work on other words |
//! | upper limbs of addresses of operands | 0 | `operand[*][2]`, `operand[*][3]` | name an address 2^32 higher |
//! | upper limbs of `a1` where bytes move | 0 | `address[2]`, `address[3]` | name an address 2^32 higher |
//! | `position`, `position_after` | below 2^30 | `position_after`, range look-ups | move offsets |
//! | `position_eighth` | | `position_is_whole`, range look-up | write to the journal after a ragged end |

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::{CLOCKS_PER_CYCLE, SUBSTEP_MEMORY, SUBSTEP_RD, SUBSTEP_RS1, SystemRecord};
use zkvm_isa::syscall::{
    FD_HINT, FD_JOURNAL, FD_STDERR, FD_STDOUT, HALT, HALT_STANDARD, PANIC, PRECOMPILE_BASE, READ,
    REG_A0, REG_A1, REG_A2, REG_A7, SPAN_BEGIN, SPAN_END, WRITE,
};
use zkvm_isa::{Opcode, Precompile};

use crate::ProgramRow;
use crate::common::{
    Access, Byte, Fetch, Place, REGISTER_HINT, REGISTER_JOURNAL, eval_bytes, eval_read, eval_write,
    fill_access, fill_fetch, limbs, limbs_u16, no_access,
};
use crate::hint::FROM_HINTS;
use crate::journal::TO_JOURNAL;

columns! {
    /// One system call.
    pub(crate) struct System {
        /// 1 for a halt by number 93.
        is_halt: [cell],
        /// 1 for a halt by number 0.
        is_halt_standard: [cell],
        /// 1 for a print to descriptor 1.
        is_print: [cell],
        /// 1 for a print to descriptor 2.
        is_print_error: [cell],
        /// 1 for a write to the journal.
        is_journal: [cell],
        /// 1 for a read of hints.
        is_hint: [cell],
        /// 1 for a panic report.
        is_panic: [cell],
        /// 1 for the beginning of a span.
        is_span_begin: [cell],
        /// 1 for the end of a span.
        is_span_end: [cell],
        /// 1 for a precompile.
        is_precompile: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Read of `a7`.
        a7: [group Access],
        /// Read of `a0`.
        a0: [group Access],
        /// Read of `a1`.
        a1: [group Access],
        /// Read of `a2`.
        a2: [group Access],
        /// The value of `a0` after; limbs of registers or zero, in a hint read range-checked.
        result: [cells 4],
        /// 1 in a transfer that asks for 2^16 bytes.
        length_top: [cell],
        /// 1 in a transfer of at least one byte.
        moves: [cell],
        /// The inverse of the number of bytes transferred, 0 if it is 0.
        length_inverse: [cell],
        /// In a transfer and a precompile, the low limb of `a1` divided by 8; range-checked.
        word_low: [cell],
        /// In a precompile, the low limbs of `a0` and of `a2` divided by 8; range-checked.
        operand_low: [cells 2],
        /// Access to the number of journal bytes or of hint bytes, in transfers.
        position: [group Access],
        /// Its limbs after; range-checked, the upper one also times 4.
        position_after: [cells 2],
        /// In a journal write that moves, the low limb of the position divided by 8; range-checked.
        position_eighth: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "system";

/// The calls of a row's flags: number, and descriptor where there is one. A precompile's number has
/// in its low limb which it is.
const CALLS: [(u64, Option<u64>); 10] = [
    (HALT, None),
    (HALT_STANDARD, None),
    (WRITE, Some(FD_STDOUT)),
    (WRITE, Some(FD_STDERR)),
    (WRITE, Some(FD_JOURNAL)),
    (READ, Some(FD_HINT)),
    (PANIC, None),
    (SPAN_BEGIN, None),
    (SPAN_END, None),
    (PRECOMPILE_BASE, None),
];

impl<T> System<T> {
    fn flags(&self) -> [(&'static str, &T); 10] {
        [
            ("is_halt", &self.is_halt),
            ("is_halt_standard", &self.is_halt_standard),
            ("is_print", &self.is_print),
            ("is_print_error", &self.is_print_error),
            ("is_journal", &self.is_journal),
            ("is_hint", &self.is_hint),
            ("is_panic", &self.is_panic),
            ("is_span_begin", &self.is_span_begin),
            ("is_span_end", &self.is_span_end),
            ("is_precompile", &self.is_precompile),
        ]
    }
}

pub(crate) fn eval(builder: &mut Builder, row: &System<Expr>, _: &()) {
    let flags = row.flags();
    let is_real = crate::common::eval_flags(builder, &flags);
    let halts = &row.is_halt + &row.is_halt_standard;
    eval_state(builder, row, &is_real, &halts);
    eval_numbers(builder, row, &is_real);

    let clock = &row.fetch.clock + SUBSTEP_RS1;
    let register = |number: u8| Place::register(&Expr::from(u32::from(number)));
    let reads = [
        ("a7", REG_A7, &row.a7),
        ("a0", REG_A0, &row.a0),
        ("a1", REG_A1, &row.a1),
        ("a2", REG_A2, &row.a2),
    ];
    let gaps = reads.map(|(name, number, access)| {
        eval_read(builder, name, &is_real, &register(number), access, &clock)
    });
    // The write of a0 follows its read in this row: what was there before is known.
    builder.scope("result", |builder| {
        let message = |value: &[Expr; 4], clock: Expr| {
            let mut message = vec![Expr::from(0), Expr::from(u32::from(REG_A0))];
            message.extend(value.iter().cloned());
            message.push(clock);
            message
        };
        let later = &row.fetch.clock + SUBSTEP_RD;
        let before = message(&row.a0.previous, clock.clone());
        builder.receive("before", Bus::Memory, &is_real, before);
        builder.send("after", Bus::Memory, &is_real, message(&row.result, later));
    });
    let returns_length = &row.is_print + &row.is_print_error + &row.is_journal;
    let returns_zero = &row.is_panic + &row.is_span_begin + &row.is_span_end + &row.is_precompile;
    for index in 0..4 {
        let (result, a0, a2) = (
            &row.result[index],
            &row.a0.previous[index],
            &row.a2.previous[index],
        );
        let name = format!("result_is_length[{index}]");
        builder.assert_zero_when(&name, &returns_length, result - a2);
        builder.assert_zero_when(
            &format!("result_is_zero[{index}]"),
            &returns_zero,
            result.clone(),
        );
        builder.assert_zero_when(&format!("result_is_code[{index}]"), &halts, result - a0);
    }
    let position_gap = eval_transfer(builder, row);
    eval_precompile(builder, row);
    eval_bytes(builder, &is_real, gaps.into_iter().chain([position_gap]));
}

/// The instruction's place in the program, what follows it, and the halt.
fn eval_state(builder: &mut Builder, row: &System<Expr>, is_real: &Expr, halts: &Expr) {
    let Fetch {
        clock,
        half_pc,
        next_half_pc,
    } = &row.fetch;
    let goes_on = is_real - halts;
    builder.receive(
        "state",
        Bus::State,
        is_real,
        vec![half_pc.clone(), clock.clone()],
    );
    let later = clock + CLOCKS_PER_CYCLE;
    builder.send(
        "next_state",
        Bus::State,
        &goes_on,
        vec![next_half_pc.clone(), later],
    );
    let mut message = vec![Expr::from(0); 12];
    message[0] = half_pc.clone();
    message[1] = Expr::from(Opcode::Ecall as u32);
    message[10] = next_half_pc.clone();
    builder.send("program", Bus::Program, is_real, message);
    let code = vec![row.a0.previous[0].clone(), row.a0.previous[1].clone()];
    builder.send("halt", Bus::Halt, halts, code);
}

/// Binds the flags to the call's number and descriptor.
fn eval_numbers(builder: &mut Builder, row: &System<Expr>, is_real: &Expr) {
    let flags = row.flags();
    for index in 0..4 {
        let limb = |value: u64| u32::from(limbs_u16(value)[index]);
        let number: Expr = flags
            .iter()
            .zip(CALLS)
            .map(|((_, flag), (number, _))| *flag * limb(number))
            .sum();
        let wrong = &row.a7.previous[index] - number;
        // Which precompile it is, the bus of precompiles tells.
        let is_fixed = if index == 0 {
            is_real - &row.is_precompile
        } else {
            is_real.clone()
        };
        builder.assert_zero_when(&format!("number[{index}]"), &is_fixed, wrong);
        let with_descriptor = || {
            flags
                .iter()
                .zip(CALLS)
                .filter_map(|((_, flag), (_, fd))| Some((*flag, fd?)))
        };
        let has_descriptor: Expr = with_descriptor().map(|(flag, _)| flag.clone()).sum();
        let descriptor: Expr = with_descriptor().map(|(flag, fd)| flag * limb(fd)).sum();
        let wrong = &row.a0.previous[index] - descriptor;
        builder.assert_zero_when(&format!("descriptor[{index}]"), &has_descriptor, wrong);
    }
}

/// A journal write or a hint read: its length, its words, its position.
fn eval_transfer(builder: &mut Builder, row: &System<Expr>) -> Byte {
    let transfers = &(&row.is_journal + &row.is_hint);
    eval_length(builder, row, transfers);
    // In a journal write the result is the length asked for.
    let length = &row.result[0] + &row.result[1] * (1_u32 << 16);
    // In a transfer these leave `moves` 0 if the length is 0, and 1 else.
    builder.assert_zero_when("moves_in_transfers", &transfers.not(), row.moves.clone());
    builder.assert_zero(
        "any_if_moves",
        &row.moves * (&length * &row.length_inverse - 1),
    );
    builder.assert_zero("moves_if_any", transfers * row.moves.not() * &length);

    let [address_low, address_high, address_2, address_3] = &row.a1.previous;
    let is_address = &(transfers + &row.is_precompile);
    builder.assert_zero("aligned", is_address * (&row.word_low * 8 - address_low));
    let word_low = row.word_low.clone();
    builder.send("word_low", Bus::Range16, is_address, vec![word_low]);
    let is_of_words = &(&row.moves + &row.is_precompile);
    builder.assert_zero_when("address[2]", is_of_words, address_2.clone());
    builder.assert_zero_when("address[3]", is_of_words, address_3.clone());

    let (offset, gap) = eval_position(builder, row, transfers, &length);
    let message = vec![
        row.fetch.clock.clone(),
        &row.word_low + address_high * (1_u32 << 13),
        offset,
        length,
        &row.is_journal * TO_JOURNAL + &row.is_hint * FROM_HINTS,
    ];
    builder.send("transfer", Bus::Transfer, &row.moves, message);
    gap
}

/// A precompile: its operands' addresses, handed to its chip.
fn eval_precompile(builder: &mut Builder, row: &System<Expr>) {
    let is_precompile = &row.is_precompile;
    let operands = [("a0", &row.a0), ("a2", &row.a2)];
    for ((name, access), word_low) in operands.into_iter().zip(&row.operand_low) {
        let [address_low, _, address_2, address_3] = &access.previous;
        builder.scope(&format!("operand_{name}"), |builder| {
            let wrong = word_low * 8 - address_low;
            builder.assert_zero_when("aligned", is_precompile, wrong);
            builder.send(
                "word_low",
                Bus::Range16,
                is_precompile,
                vec![word_low.clone()],
            );
            builder.assert_zero_when("address[2]", is_precompile, address_2.clone());
            builder.assert_zero_when("address[3]", is_precompile, address_3.clone());
        });
    }
    let word = |low: &Expr, access: &Access<Expr>| low + &access.previous[1] * (1_u32 << 13);
    let [low_0, low_2] = &row.operand_low;
    let message = vec![
        row.fetch.clock.clone(),
        &row.a7.previous[0] - u32::from(limbs_u16(PRECOMPILE_BASE)[0]),
        word(low_0, &row.a0),
        word(&row.word_low, &row.a1),
        word(low_2, &row.a2),
    ];
    builder.send("precompile", Bus::Precompile, is_precompile, message);
}

/// The length asked for, and in a hint read the one that is got.
fn eval_length(builder: &mut Builder, row: &System<Expr>, transfers: &Expr) {
    let [asked_low, asked_high, asked_2, asked_3] = &row.a2.previous;
    let top = &row.length_top;
    builder.assert_bool("length_top_is_boolean", top);
    builder.assert_zero_when("length[1]", transfers, asked_high - top);
    builder.assert_zero_when("length[2]", transfers, asked_2.clone());
    builder.assert_zero_when("length[3]", transfers, asked_3.clone());
    // At most 2^16 bytes: with the top bit there is nothing below it.
    builder.assert_zero_when("length[0]", top, asked_low.clone());
    builder.assert_zero_when("no_length_elsewhere", &transfers.not(), top.clone());

    // What is read: 2^16 bytes if as many are asked for, or less than 2^16 and not more than asked.
    let is_hint = &row.is_hint;
    let [low, high, result_2, result_3] = &row.result;
    builder.assert_zero("read_top_is_boolean", is_hint * high * high.not());
    builder.assert_zero("read_top_if_asked", is_hint * high * top.not());
    builder.assert_zero("read_top_is_all", is_hint * high * low);
    builder.assert_zero_when("read[2]", is_hint, result_2.clone());
    builder.assert_zero_when("read[3]", is_hint, result_3.clone());
    builder.send("read_low", Bus::Range16, is_hint, vec![low.clone()]);
    let unread = asked_low + top * 0xffff_u32 - low;
    builder.send("unread", Bus::Range16, is_hint, vec![unread]);
}

/// The position, which goes on by `length`; returns what it was, as one number, and the byte of its
/// access.
fn eval_position(
    builder: &mut Builder,
    row: &System<Expr>,
    transfers: &Expr,
    length: &Expr,
) -> (Expr, Byte) {
    let place =
        Place::register(&(&row.is_journal * REGISTER_JOURNAL + &row.is_hint * REGISTER_HINT));
    let [low, high, zero_2, zero_3] = &row.position.previous;
    let [after_low, after_high] = &row.position_after;
    let zero = || Expr::from(0);
    let after = [after_low.clone(), after_high.clone(), zero(), zero()];
    let clock = &row.fetch.clock + SUBSTEP_MEMORY;
    let position = &row.position;
    let gap = eval_write(
        builder, "position", transfers, &place, position, &after, &clock,
    );
    builder.assert_zero_when("position[2]", transfers, zero_2.clone());
    builder.assert_zero_when("position[3]", transfers, zero_3.clone());
    let offset = low + high * (1_u32 << 16);
    let offset_after = after_low + after_high * (1_u32 << 16);
    builder.assert_zero(
        "position_after",
        transfers * (offset_after - &offset - length),
    );
    // Below 2^30 it cannot wrap.
    for (name, limb) in [
        ("after_low", after_low.clone()),
        ("after_high", after_high.clone()),
        ("after_high_times_4", after_high * 4),
    ] {
        builder.send(name, Bus::Range16, transfers, vec![limb]);
    }
    // A journal write after a ragged end would be a fault; hints go on anywhere.
    let is_whole = &row.is_journal * &row.moves;
    let eighth = &row.position_eighth;
    builder.assert_zero_when("position_is_whole", &is_whole, eighth * 8 - low);
    builder.send(
        "position_eighth",
        Bus::Range16,
        &is_whole,
        vec![eighth.clone()],
    );
    (offset, gap)
}

/// No position reaches this.
const POSITION_MAX: u64 = 1 << 30;

/// Which position a call goes on from: the hidden register's number.
pub(crate) fn position_register(record: &SystemRecord) -> Option<u32> {
    match (record.arguments[0], record.arguments[1]) {
        (WRITE, FD_JOURNAL) => Some(REGISTER_JOURNAL),
        (READ, FD_HINT) => Some(REGISTER_HINT),
        _ => None,
    }
}

/// Fills the row of `record`; `None` if there is no such call, or its position is too far on.
pub(crate) fn fill(record: &SystemRecord, program: &ProgramRow) -> Option<System<F>> {
    let [number, a0, a1, a2] = record.arguments;
    let precompile = Precompile::of_number(number).is_some();
    let call = if precompile {
        CALLS.len() - 1
    } else {
        CALLS.iter().position(|(n, descriptor)| {
            *n == number && descriptor.is_none_or(|descriptor| descriptor == a0)
        })?
    };
    let flag = |index: usize| F::from_bool(call == index);
    let register = position_register(record);
    let transfers = register.is_some();
    let access = |index: usize| {
        let (value, clock) = (record.arguments[index], record.argument_clocks[index]);
        fill_access(value, clock, record.clock + SUBSTEP_RS1)
    };
    let length = if transfers { record.result } else { 0 };
    let moves = length > 0;
    let before = record.position;
    if before + length >= POSITION_MAX {
        return None;
    }
    let after = limbs_u16(before + length);
    let clock = record.clock + SUBSTEP_MEMORY;
    let when = |condition: bool, value: F| if condition { value } else { F::ZERO };
    let eighth = |address: u64| F::from_u16(limbs_u16(address)[0] / 8);
    let is_whole = moves && register == Some(REGISTER_JOURNAL);
    Some(System {
        is_halt: flag(0),
        is_halt_standard: flag(1),
        is_print: flag(2),
        is_print_error: flag(3),
        is_journal: flag(4),
        is_hint: flag(5),
        is_panic: flag(6),
        is_span_begin: flag(7),
        is_span_end: flag(8),
        is_precompile: flag(9),
        fetch: fill_fetch(record.clock, program),
        a7: access(0),
        a0: access(1),
        a1: access(2),
        a2: access(3),
        result: limbs(record.result),
        length_top: F::from_bool(transfers && record.arguments[3] == 1 << 16),
        moves: F::from_bool(moves),
        length_inverse: F::from_u64(length).try_inverse().unwrap_or(F::ZERO),
        word_low: when(transfers || precompile, eighth(a1)),
        operand_low: [a0, a2].map(|address| when(precompile, eighth(address))),
        position: if transfers {
            fill_access(before, record.position_clock, clock)
        } else {
            no_access()
        },
        position_after: [
            when(transfers, F::from_u16(after[0])),
            when(transfers, F::from_u16(after[1])),
        ],
        position_eighth: when(is_whole, F::from_u16(limbs_u16(before)[0] / 8)),
    })
}

#[cfg(test)]
mod tests {
    use zkvm_air::Columns as _;

    use super::*;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    type Call = SystemRecord;

    const ECALL: u32 = 0x0000_0073;

    type Chip = ChipTest<Call, System<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |record, program| {
            fill(record, program).expect("the chip proves these calls")
        })
    }

    fn call(number: u64, arguments: [u64; 3], result: u64, position: u64) -> (Call, ProgramRow) {
        let [a0, a1, a2] = arguments;
        let record = SystemRecord {
            clock: CLOCK,
            text_index: 17,
            arguments: [number, a0, a1, a2],
            argument_clocks: [8, CLOCK - 1, 12, 16],
            result,
            position,
            position_clock: 20,
        };
        let (_, program) = register_record(ECALL, 0, 0);
        (record, program)
    }

    fn journal(length: u64, position: u64) -> (Call, ProgramRow) {
        call(WRITE, [FD_JOURNAL, 0x2_0018, length], length, position)
    }

    /// A read of hints that asks for `asked` bytes and gets `length`.
    fn read(asked: u64, length: u64, position: u64) -> (Call, ProgramRow) {
        call(READ, [FD_HINT, 0x2_0018, asked], length, position)
    }

    /// Makes the transfer one of `low + 2^16 · high` bytes, with all that follows from it.
    fn get(row: &mut System<F>, low: F, high: F) {
        use p3_field::PrimeField32;
        (row.result[0], row.result[1]) = (low, high);
        let number = |low: F, high: F| low + high * F::from_u32(1 << 16);
        let length = number(low, high);
        row.moves = F::from_bool(length != F::ZERO);
        row.length_inverse = length.try_inverse().unwrap_or(F::ZERO);
        let [before_low, before_high, ..] = row.position.previous;
        let after = (number(before_low, before_high) + length).as_canonical_u32();
        row.position_after = [after & 0xffff, after >> 16].map(F::from_u32);
    }

    fn precompile() -> (Call, ProgramRow) {
        let addresses = [0x1_0010, 0x2_0018, 0xffff_0020];
        call(Precompile::MultiplyMod.number(), addresses, 0, 0)
    }

    fn halt() -> (Call, ProgramRow) {
        call(HALT, [7, 0, 0], 7, 0)
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        calls_are_what_the_registers_say(&chip);
        journal_writes_move_every_byte_and_no_other(&chip);
        the_position_goes_on_by_the_length_from_whole_words(&chip);
        hint_reads_get_any_number_of_bytes_up_to_what_they_ask(&chip);
        hint_reads_move_every_byte_to_its_place(&chip);
        precompiles_get_whole_words_of_the_address_space(&chip);
        accesses_lie_in_the_past(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn honest_calls_hold() {
        let chip = chip();
        let calls = [
            halt(),
            call(HALT_STANDARD, [u64::MAX, 1, 2], u64::MAX, 0),
            call(WRITE, [FD_STDOUT, 5, u64::MAX], u64::MAX, 0),
            call(WRITE, [FD_STDERR, 0, 0], 0, 0),
            journal(0, 3),
            journal(11, 0x3_fff8),
            journal(1 << 16, 8),
            read(0, 0, 3),
            read(11, 0, 0),
            read(11, 4, 3),
            read(11, 11, 0x3_fff9),
            read(1 << 16, 0, 1),
            read(1 << 16, 0xffff, 1),
            read(1 << 16, 1 << 16, 2),
            read(0xffff, 0xffff, (1 << 30) - (1 << 16)),
            // No word moves: any multiple of 8 will do.
            call(READ, [FD_HINT, u64::MAX - 7, 100], 0, 9),
            call(PANIC, [1, 2, 3], 0, 0),
            call(SPAN_BEGIN, [u64::MAX; 3], 0, 0),
            call(SPAN_END, [0; 3], 0, 0),
            precompile(),
            call(Precompile::ALL[0].number(), [0xffff_fff8, 0, 0], 0, 0),
        ];
        for (record, program) in &calls {
            let caught = chip.catches(chip.row(record, program), program);
            assert!(caught.is_empty(), "{record:?}: {caught:?}");
            let row = || chip.row(record, program);
            let halts = matches!(record.arguments[0], HALT | HALT_STANDARD);
            assert_eq!(chip.message(row(), "halt").is_some(), halts);
            assert_eq!(chip.message(row(), "next_state").is_some(), !halts);
        }
    }

    fn calls_are_what_the_registers_say(chip: &Chip) {
        for limb in 0..4 {
            chip.assert_lie(&halt(), &[&format!("number[{limb}]")], |row| {
                row.a7.previous[limb] += F::ONE;
            });
            chip.assert_lie(&journal(11, 0), &[&format!("descriptor[{limb}]")], |row| {
                row.a0.previous[limb] += F::ONE;
            });
            let print = call(WRITE, [FD_STDOUT, 5, 9], 9, 0);
            chip.assert_lie(&print, &[&format!("result_is_length[{limb}]")], |row| {
                row.result[limb] += F::ONE;
            });
            let note = call(SPAN_END, [9, 9, 9], 0, 0);
            chip.assert_lie(&note, &[&format!("result_is_zero[{limb}]")], |row| {
                row.result[limb] = F::ONE;
            });
            chip.assert_lie(&halt(), &[&format!("result_is_code[{limb}]")], |row| {
                row.result[limb] += F::ONE;
            });
        }
        lie!(chip, "program", halt(), |row| row.fetch.next_half_pc +=
            F::ONE);
        // It halts twice: 0 and 93 are 93.
        lie!(chip, "at_most_one_operation", halt(), |row| row
            .is_halt_standard =
            F::ONE);
        let flags = [
            ("is_halt", "is_halt_standard"),
            ("is_halt_standard", "is_halt"),
            ("is_print", "is_print_error"),
            ("is_print_error", "is_print"),
            ("is_journal", "is_hint"),
            ("is_hint", "is_journal"),
            ("is_panic", "is_span_begin"),
            ("is_span_begin", "is_span_end"),
            ("is_span_end", "is_panic"),
        ];
        chip.assert_flags_are_boolean(&halt(), &flags);
        // A call to a precompile, taken back.
        lie!(chip, "is_precompile_is_boolean", halt(), |row| {
            *row = System::take(&mut std::iter::repeat(F::ZERO));
            (row.is_precompile, row.is_panic) = (F::NEG_ONE, F::ONE);
            row.a7.previous[0] =
                F::from_u64(PANIC & 0xffff) - F::from_u64(PRECOMPILE_BASE & 0xffff);
        });
    }

    fn journal_writes_move_every_byte_and_no_other(chip: &Chip) {
        lie!(chip, "moves_if_any", journal(11, 0), |row| row.moves =
            F::ZERO);
        lie!(chip, "any_if_moves", journal(0, 8), |row| {
            row.moves = F::ONE;
            row.position_eighth = F::ONE;
        });
        lie!(chip, "any_if_moves", journal(11, 0), |row| row
            .length_inverse +=
            F::ONE);
        // A print that goes to the journal.
        let print = call(WRITE, [FD_STDOUT, 0x2_0018, 11], 11, 0);
        lie!(chip, "moves_in_transfers", print, |row| {
            row.moves = F::ONE;
            row.length_inverse = F::from_u32(11).inverse();
        });
        // In a transfer of any length `moves` can be 0 and 1 only.
        for (some, none) in [
            (journal(11, 8), journal(0, 8)),
            (read(11, 4, 8), read(11, 0, 8)),
        ] {
            lie!(chip, "moves_if_any", some, |row| row.moves = F::TWO);
            lie!(chip, "any_if_moves", none, |row| {
                row.moves = F::TWO;
                row.position_eighth = F::ONE;
            });
        }
        lie!(chip, "length_top_is_boolean", journal(1 << 16, 8), |row| {
            // 2^17 bytes.
            row.length_top = F::TWO;
            row.a2.previous[1] = F::TWO;
            get(row, F::ZERO, F::TWO);
        });
        lie!(chip, "length[0]", journal(1 << 16, 8), |row| {
            // 2^16 + 1 bytes.
            row.a2.previous[0] = F::ONE;
            row.result[0] = F::ONE;
            row.length_inverse = F::from_u32((1 << 16) + 1).inverse();
            row.position_after[0] += F::ONE;
        });
        lie!(chip, "length[1]", journal(11, 0), |row| {
            row.a2.previous[1] = F::ONE;
            get(row, F::from_u32(11), F::ONE);
        });
        lie!(chip, "length[2]", journal(11, 0), |row| {
            row.a2.previous[2] = F::ONE;
            row.result[2] = F::ONE;
        });
        lie!(chip, "length[3]", journal(11, 0), |row| {
            row.a2.previous[3] = F::ONE;
            row.result[3] = F::ONE;
        });
        lie!(chip, "no_length_elsewhere", halt(), |row| row.length_top =
            F::ONE);
        lie!(chip, "aligned", journal(11, 0), |row| row.word_low +=
            F::ONE);
        lie!(chip, "word_low", journal(11, 0), |row| {
            // An address that is no multiple of 8, divided in the field.
            row.a1.previous[0] += F::ONE;
            row.word_low = row.a1.previous[0] * F::from_u32(8).inverse();
        });
        lie!(chip, "address[2]", journal(11, 0), |row| row.a1.previous
            [2] = F::ONE);
        lie!(chip, "address[3]", journal(11, 0), |row| row.a1.previous
            [3] = F::ONE);
    }

    fn the_position_goes_on_by_the_length_from_whole_words(chip: &Chip) {
        lie!(chip, "position_after", journal(11, 8), |row| row
            .position_after[0] +=
            F::ONE);
        lie!(chip, "position_is_whole", journal(11, 8), |row| row
            .position_eighth +=
            F::ONE);
        lie!(chip, "position_eighth", journal(11, 8), |row| {
            row.position.previous[0] += F::ONE;
            row.position_after[0] += F::ONE;
            row.position_eighth = F::from_u32(9) * F::from_u32(8).inverse();
        });
        lie!(chip, "position[2]", journal(11, 8), |row| row
            .position
            .previous[2] =
            F::ONE);
        lie!(chip, "position[3]", journal(11, 8), |row| row
            .position
            .previous[3] =
            F::ONE);
        lie!(chip, "after_low", journal(11, 1 << 16), |row| {
            row.position_after[0] += F::from_u32(1 << 16);
            row.position_after[1] -= F::ONE;
        });
        // A quarter of 2^16 is 2^14.
        lie!(chip, "after_high", journal(1 << 14, 8), |row| {
            row.position_after = [F::from_u32(8), F::from_u32(4).inverse()];
        });
        lie!(chip, "after_high_times_4", journal(11, 0), |row| {
            row.position.previous[1] = F::from_u32(1 << 14);
            row.position_after[1] = F::from_u32(1 << 14);
        });
    }

    fn hint_reads_get_any_number_of_bytes_up_to_what_they_ask(chip: &Chip) {
        let (program, honest) = (read(11, 4, 3).1, read(11, 4, 3).0);
        for low in 0..20 {
            let mut row = chip.row(&honest, &program);
            get(&mut row, F::from_u32(low), F::ZERO);
            let caught = chip.catches(row, &program);
            let expected = (low > 11).then(|| "unread".to_owned());
            assert_eq!(caught, expected.into_iter().collect(), "{low}");
        }
        // One more than it asks for.
        lie!(chip, "unread", read(11, 4, 3), |row| get(
            row,
            F::from_u32(12),
            F::ZERO
        ));
        // A number below zero.
        lie!(chip, "read_low", read(11, 4, 8), |row| get(
            row,
            -F::TWO,
            F::ZERO
        ));
        lie!(chip, "read_top_if_asked", read(11, 4, 3), |row| get(
            row,
            F::ZERO,
            F::ONE
        ));
        lie!(chip, "read_top_is_boolean", read(1 << 16, 4, 3), |row| get(
            row,
            F::ZERO,
            F::TWO
        ));
        lie!(chip, "read_top_is_all", read(1 << 16, 4, 3), |row| get(
            row,
            F::ONE,
            F::ONE
        ));
        lie!(chip, "read[2]", read(11, 4, 3), |row| row.result[2] =
            F::ONE);
        lie!(chip, "read[3]", read(11, 4, 3), |row| row.result[3] =
            F::ONE);
        // More than 2^16 bytes are asked for.
        lie!(chip, "length[0]", read(1 << 16, 4, 3), |row| row
            .a2
            .previous[0] =
            F::ONE);
        for limb in 1..4 {
            chip.assert_lie(&read(11, 4, 3), &[&format!("length[{limb}]")], |row| {
                row.a2.previous[limb] = F::ONE;
            });
        }
        lie!(
            chip,
            "length_top_is_boolean",
            read(0, 0, 3),
            |row| {
                // 2^17 bytes, and as many are got.
                row.a2.previous[1] = F::TWO;
                row.length_top = F::TWO;
                get(row, F::ZERO, F::TWO);
            },
            also["read_top_is_boolean", "read_top_if_asked", "unread"]
        );
    }

    fn hint_reads_move_every_byte_to_its_place(chip: &Chip) {
        lie!(chip, "moves_if_any", read(11, 4, 3), |row| row.moves =
            F::ZERO);
        lie!(chip, "any_if_moves", read(11, 0, 3), |row| row.moves =
            F::ONE);
        lie!(chip, "aligned", read(11, 0, 3), |row| row.word_low +=
            F::ONE);
        lie!(chip, "word_low", read(11, 0, 3), |row| {
            row.a1.previous[0] += F::ONE;
            row.word_low = row.a1.previous[0] * F::from_u32(8).inverse();
        });
        for limb in 2..4 {
            chip.assert_lie(&read(11, 4, 3), &[&format!("address[{limb}]")], |row| {
                row.a1.previous[limb] = F::ONE;
            });
            chip.assert_lie(&read(11, 4, 3), &[&format!("position[{limb}]")], |row| {
                row.position.previous[limb] = F::ONE;
            });
        }
        lie!(chip, "position_after", read(11, 4, 3), |row| row
            .position_after[0] +=
            F::ONE);
        lie!(chip, "after_high_times_4", read(11, 4, 3), |row| {
            row.position.previous[1] = F::from_u32(1 << 14);
            row.position_after[1] = F::from_u32(1 << 14);
        });
        // The numbers of a journal write are not those of a hint read, whatever they move.
        lie!(
            chip,
            "number[0]",
            read(8, 8, 8),
            |row| {
                (row.is_hint, row.is_journal) = (F::ZERO, F::ONE);
                row.position_eighth = F::ONE;
            },
            also["descriptor[0]"]
        );
        for limb in 0..4 {
            chip.assert_lie(&read(11, 4, 3), &[&format!("number[{limb}]")], |row| {
                row.a7.previous[limb] += F::ONE;
            });
            chip.assert_lie(&read(11, 4, 3), &[&format!("descriptor[{limb}]")], |row| {
                row.a0.previous[limb] += F::ONE;
            });
        }
    }

    fn precompiles_get_whole_words_of_the_address_space(chip: &Chip) {
        type Cells = fn(&mut System<F>) -> (&mut Access<F>, &mut F);
        let operands: [(&str, Cells); 3] = [
            ("operand_a0.", |row| (&mut row.a0, &mut row.operand_low[0])),
            ("", |row| (&mut row.a1, &mut row.word_low)),
            ("operand_a2.", |row| (&mut row.a2, &mut row.operand_low[1])),
        ];
        let honest = precompile();
        for (prefix, cells) in operands {
            chip.assert_lie(&honest, &[&format!("{prefix}aligned")], |row| {
                *cells(row).1 += F::ONE;
            });
            chip.assert_lie(&honest, &[&format!("{prefix}word_low")], |row| {
                let (access, word_low) = cells(row);
                access.previous[0] += F::ONE;
                *word_low = access.previous[0] * F::from_u32(8).inverse();
            });
            for limb in 2..4 {
                let name = format!("{prefix}address[{limb}]");
                chip.assert_lie(&honest, &[&name], |row| {
                    cells(row).0.previous[limb] = F::ONE;
                });
            }
        }
        for limb in 0..4 {
            chip.assert_lie(&honest, &[&format!("result_is_zero[{limb}]")], |row| {
                row.result[limb] = F::ONE;
            });
        }
        for limb in 1..4 {
            chip.assert_lie(&honest, &[&format!("number[{limb}]")], |row| {
                row.a7.previous[limb] += F::ONE;
            });
        }
    }

    #[test]
    fn precompiles_are_handed_on() {
        let chip = chip();
        for precompile in Precompile::ALL {
            let addresses = [0x1_0010, 0xffff_fff8, 0];
            let (record, program) = call(precompile.number(), addresses, 0, 0);
            let caught = chip.catches(chip.row(&record, &program), &program);
            assert!(caught.is_empty(), "{caught:?}");
            let message = chip.message(chip.row(&record, &program), "precompile");
            let expected = [CLOCK, precompile as u32, 0x2002, 0x1fff_ffff, 0];
            assert_eq!(message, Some(expected.map(F::from_u32).to_vec()));
            let moves = chip.message(chip.row(&record, &program), "transfer");
            assert_eq!(moves, None);
        }
        let (record, program) = journal(8, 8);
        let message = chip.message(chip.row(&record, &program), "precompile");
        assert_eq!(message, None);
    }

    #[test]
    fn the_directions_never_meet() {
        let chip = chip();
        for ((record, program), direction, register) in [
            (journal(8, 8), TO_JOURNAL, REGISTER_JOURNAL),
            (read(9, 8, 8), FROM_HINTS, REGISTER_HINT),
        ] {
            let row = || chip.row(&record, &program);
            let words = [CLOCK, 0x2_0018 / 8, 8, 8, direction].map(F::from_u32);
            assert_eq!(chip.message(row(), "transfer"), Some(words.to_vec()));
            let position = chip.message(row(), "position.after").expect("it goes on");
            assert_eq!(position[..2], [0, register].map(F::from_u32));
            assert_eq!(position[2..6], limbs(16));
        }
        let note = call(SPAN_END, [0; 3], 0, 0);
        let silent = chip.row(&note.0, &note.1);
        assert_eq!(chip.message(silent, "transfer"), None);
    }

    #[test]
    fn positions_that_would_reach_2_to_the_30_have_no_row() {
        let (record, program) = read(11, 11, (1 << 30) - 11);
        assert!(fill(&record, &program).is_none());
        let (record, program) = read(11, 10, (1 << 30) - 11);
        assert!(fill(&record, &program).is_some());
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let named = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let operands = ["operand_low[0]", "operand_low[1]"];
        let transfers = [journal(11, 8), journal(1 << 16, 8)];
        assert_eq!(chip().sweep(&transfers), named(&operands));
        // Hints go on from anywhere.
        let reads = [read(11, 4, 3), read(1 << 16, 1 << 16, 2)];
        assert_eq!(
            chip().sweep(&reads),
            named(&[&operands[..], &["position_eighth"]].concat())
        );
        // Nothing moves: no length to invert.
        let none = [journal(0, 3), read(11, 0, 3)];
        let free = ["length_inverse", "position_eighth"];
        assert_eq!(chip().sweep(&none), named(&[&operands[..], &free].concat()));
        let others = [
            halt(),
            call(WRITE, [FD_STDOUT, 5, 9], 9, 0),
            call(SPAN_END, [9; 3], 0, 0),
        ];
        let free = [
            "length_inverse",
            "word_low",
            "position.previous[0]",
            "position.previous[1]",
            "position.previous[2]",
            "position.previous[3]",
            "position.previous_clock",
            "position.gap_high",
            "position_after[0]",
            "position_after[1]",
            "position_eighth",
        ];
        let with_operands = [&operands[..], &free].concat();
        assert_eq!(chip().sweep(&others), named(&with_operands));
        let free: Vec<&str> = free
            .into_iter()
            .filter(|name| *name != "word_low")
            .collect();
        assert_eq!(chip().sweep(&[precompile()]), named(&free));
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        type Cells = fn(&mut System<F>) -> &mut Access<F>;
        let accesses: [(&str, Cells, u32); 5] = [
            ("a7", |row| &mut row.a7, SUBSTEP_RS1),
            ("a0", |row| &mut row.a0, SUBSTEP_RS1),
            ("a1", |row| &mut row.a1, SUBSTEP_RS1),
            ("a2", |row| &mut row.a2, SUBSTEP_RS1),
            ("position", |row| &mut row.position, SUBSTEP_MEMORY),
        ];
        for (name, access, substep) in accesses {
            for honest in [read(11, 4, 3), journal(11, 8)] {
                chip.assert_lies_in_the_past(&honest, (name, substep), |row| {
                    let access = access(row);
                    [&mut access.previous_clock, &mut access.gap_high]
                });
            }
        }
    }
}
