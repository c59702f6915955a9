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
//! note      a7 = panic or a span's        a0 = 0
//! ```
//! The number of journal bytes written so far is a register of its own, read and written by every
//! journal call. Reading hints is not proved yet: such a call has no row.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation` | mix calls |
//! | flags against `a7`, `a0` | | `number[*]`, `descriptor[*]` | halt at a print |
//! | `result` | `a2`, 0, or for halt anything | `result_is_length[*]`, `result_is_zero[*]` | return anything |
//! | `length_top` | boolean | `length_top_is_boolean`, `length[*]` | write more than 2^16 bytes |
//! | `moves`, `length_inverse` | 1 where bytes move | `moves_in_journal_writes`, `moves_if_any`, `any_if_moves` | drop a write |
//! | `word_low` | `a1` / 8 | `aligned`, range look-up | read other words |
//! | `position`, `position_after` | below 2^30 | `position_after`, range look-ups | move offsets |
//! | `position_eighth` | | `position_is_whole`, range look-up | write after a ragged end |

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{CLOCKS_PER_CYCLE, SUBSTEP_MEMORY, SUBSTEP_RD, SUBSTEP_RS1, SystemRecord};
use zkvm_isa::syscall::{
    FD_JOURNAL, FD_STDERR, FD_STDOUT, HALT, HALT_STANDARD, PANIC, REG_A0, REG_A1, REG_A2, REG_A7,
    SPAN_BEGIN, SPAN_END, WRITE,
};

use crate::ProgramRow;
use crate::common::{
    Access, Byte, Fetch, Place, REGISTER_JOURNAL, eval_bytes, eval_read, eval_write, fill_access,
    fill_fetch, limbs, limbs_u16, no_access,
};
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
        /// 1 for a panic report.
        is_panic: [cell],
        /// 1 for the beginning of a span.
        is_span_begin: [cell],
        /// 1 for the end of a span.
        is_span_end: [cell],
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
        /// The value of `a0` after; limbs of registers or zero.
        result: [cells 4],
        /// 1 in a journal write of 2^16 bytes.
        length_top: [cell],
        /// 1 in a journal write of at least one byte.
        moves: [cell],
        /// The inverse of the length, 0 if it is 0.
        length_inverse: [cell],
        /// In a write that moves, the low limb of `a1` divided by 8; range-checked.
        word_low: [cell],
        /// Access to the number of journal bytes, in journal writes.
        position: [group Access],
        /// Its limbs after; range-checked, the upper one also times 4.
        position_after: [cells 2],
        /// In a write that moves, the low limb of the position divided by 8; range-checked.
        position_eighth: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "system";

/// The calls of a row's flags: number, and descriptor where there is one.
const CALLS: [(u64, Option<u64>); 8] = [
    (HALT, None),
    (HALT_STANDARD, None),
    (WRITE, Some(FD_STDOUT)),
    (WRITE, Some(FD_STDERR)),
    (WRITE, Some(FD_JOURNAL)),
    (PANIC, None),
    (SPAN_BEGIN, None),
    (SPAN_END, None),
];

impl<T> System<T> {
    fn flags(&self) -> [(&'static str, &T); 8] {
        [
            ("is_halt", &self.is_halt),
            ("is_halt_standard", &self.is_halt_standard),
            ("is_print", &self.is_print),
            ("is_print_error", &self.is_print_error),
            ("is_journal", &self.is_journal),
            ("is_panic", &self.is_panic),
            ("is_span_begin", &self.is_span_begin),
            ("is_span_end", &self.is_span_end),
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
    let returns_zero = &row.is_panic + &row.is_span_begin + &row.is_span_end;
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
    let position_gap = eval_journal(builder, row);
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
        builder.assert_zero_when(&format!("number[{index}]"), is_real, wrong);
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

/// A write to the journal: its length, its words, its position.
fn eval_journal(builder: &mut Builder, row: &System<Expr>) -> Byte {
    let is_journal = &row.is_journal;
    let [length_low, length_high, length_2, length_3] = &row.a2.previous;
    builder.assert_bool("length_top_is_boolean", &row.length_top);
    builder.assert_zero_when("length[1]", is_journal, length_high - &row.length_top);
    builder.assert_zero_when("length[2]", is_journal, length_2.clone());
    builder.assert_zero_when("length[3]", is_journal, length_3.clone());
    // At most 2^16 bytes: with the top bit there is nothing below it.
    builder.assert_zero_when("length[0]", &row.length_top, length_low.clone());
    builder.assert_zero_when(
        "no_length_elsewhere",
        &is_journal.not(),
        row.length_top.clone(),
    );
    let length = length_low + &row.length_top * (1_u32 << 16);
    // In a journal write these leave `moves` 0 if the length is 0, and 1 else.
    builder.assert_zero_when(
        "moves_in_journal_writes",
        &is_journal.not(),
        row.moves.clone(),
    );
    builder.assert_zero(
        "any_if_moves",
        &row.moves * (&length * &row.length_inverse - 1),
    );
    builder.assert_zero("moves_if_any", is_journal * row.moves.not() * &length);

    let [address_low, address_high, address_2, address_3] = &row.a1.previous;
    builder.assert_zero("aligned", is_journal * (&row.word_low * 8 - address_low));
    builder.send(
        "word_low",
        Bus::Range16,
        is_journal,
        vec![row.word_low.clone()],
    );
    builder.assert_zero_when("address[2]", &row.moves, address_2.clone());
    builder.assert_zero_when("address[3]", &row.moves, address_3.clone());

    let position = Place::register(&Expr::from(REGISTER_JOURNAL));
    let [low, high, zero_2, zero_3] = &row.position.previous;
    let [after_low, after_high] = &row.position_after;
    let after = [
        after_low.clone(),
        after_high.clone(),
        Expr::from(0),
        Expr::from(0),
    ];
    let clock = &row.fetch.clock + SUBSTEP_MEMORY;
    let gap = eval_write(
        builder,
        "position",
        is_journal,
        &position,
        &row.position,
        &after,
        &clock,
    );
    builder.assert_zero_when("position[2]", is_journal, zero_2.clone());
    builder.assert_zero_when("position[3]", is_journal, zero_3.clone());
    let offset = low + high * (1_u32 << 16);
    let offset_after = after_low + after_high * (1_u32 << 16);
    builder.assert_zero(
        "position_after",
        is_journal * (offset_after - &offset - &length),
    );
    builder.send(
        "after_low",
        Bus::Range16,
        is_journal,
        vec![after_low.clone()],
    );
    builder.send(
        "after_high",
        Bus::Range16,
        is_journal,
        vec![after_high.clone()],
    );
    // Below 2^30 it cannot wrap.
    builder.send(
        "after_high_times_4",
        Bus::Range16,
        is_journal,
        vec![after_high * 4],
    );
    builder.assert_zero(
        "position_is_whole",
        &row.moves * (&row.position_eighth * 8 - low),
    );
    let eighth = row.position_eighth.clone();
    builder.send("position_eighth", Bus::Range16, &row.moves, vec![eighth]);

    let word = &row.word_low + address_high * (1_u32 << 13);
    let message = vec![
        row.fetch.clock.clone(),
        word,
        offset,
        length,
        Expr::from(TO_JOURNAL),
    ];
    builder.send("transfer", Bus::Transfer, &row.moves, message);
    gap
}

/// Fills the row of `record`. `position` is the number of journal bytes before, and the clock of
/// the journal write before this one, 0 if there is none.
pub(crate) fn fill(
    record: &SystemRecord,
    program: &ProgramRow,
    position: (u64, u32),
) -> Option<System<F>> {
    let [number, a0, a1, a2] = record.arguments;
    let call = CALLS.iter().position(|(n, descriptor)| {
        *n == number && descriptor.is_none_or(|descriptor| descriptor == a0)
    })?;
    let flag = |index: usize| F::from_bool(call == index);
    let is_journal = call == 4;
    let access = |index: usize| {
        let (value, clock) = (record.arguments[index], record.argument_clocks[index]);
        fill_access(value, clock, record.clock + SUBSTEP_RS1)
    };
    let moves = is_journal && a2 > 0;
    let (before, previous_clock) = position;
    let after = limbs_u16(before + a2);
    let clock = record.clock + SUBSTEP_MEMORY;
    let when = |condition: bool, value: F| if condition { value } else { F::ZERO };
    Some(System {
        is_halt: flag(0),
        is_halt_standard: flag(1),
        is_print: flag(2),
        is_print_error: flag(3),
        is_journal: flag(4),
        is_panic: flag(5),
        is_span_begin: flag(6),
        is_span_end: flag(7),
        fetch: fill_fetch(record.clock, program),
        a7: access(0),
        a0: access(1),
        a1: access(2),
        a2: access(3),
        result: limbs(record.result),
        length_top: F::from_bool(is_journal && a2 == 1 << 16),
        moves: F::from_bool(moves),
        length_inverse: when(moves, F::from_u64(a2).try_inverse().unwrap_or(F::ZERO)),
        word_low: when(is_journal, F::from_u16((a1 & 0xffff) as u16 / 8)),
        position: if is_journal {
            fill_access(before, previous_clock, clock)
        } else {
            no_access()
        },
        position_after: [
            when(is_journal, F::from_u16(after[0])),
            when(is_journal, F::from_u16(after[1])),
        ],
        position_eighth: when(moves, F::from_u16(limbs_u16(before)[0] / 8)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    /// A call: its record, and the journal's position with its clock.
    type Call = (SystemRecord, (u64, u32));

    const ECALL: u32 = 0x0000_0073;

    type Chip = ChipTest<Call, System<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |(record, position), program| {
            fill(record, program, *position).expect("the chip proves these calls")
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
            ..SystemRecord::default()
        };
        let (_, program) = register_record(ECALL, 0, 0);
        ((record, (position, 20)), program)
    }

    fn journal(length: u64, position: u64) -> (Call, ProgramRow) {
        call(WRITE, [FD_JOURNAL, 0x2_0018, length], length, position)
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
            call(PANIC, [1, 2, 3], 0, 0),
            call(SPAN_BEGIN, [u64::MAX; 3], 0, 0),
            call(SPAN_END, [0; 3], 0, 0),
        ];
        for (record, program) in &calls {
            let caught = chip.catches(chip.row(record, program), program);
            assert!(caught.is_empty(), "{record:?}: {caught:?}");
            let row = || chip.row(record, program);
            let halts = matches!(record.0.arguments[0], HALT | HALT_STANDARD);
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
            ("is_journal", "is_print"),
            ("is_panic", "is_span_begin"),
            ("is_span_begin", "is_span_end"),
            ("is_span_end", "is_panic"),
        ];
        chip.assert_flags_are_boolean(&halt(), &flags);
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
        lie!(chip, "moves_in_journal_writes", print, |row| {
            row.moves = F::ONE;
            row.length_inverse = F::from_u32(11).inverse();
        });
        // In a journal write of any length `moves` can be 0 and 1 only.
        lie!(chip, "moves_if_any", journal(11, 8), |row| row.moves =
            F::TWO);
        lie!(chip, "any_if_moves", journal(0, 8), |row| {
            row.moves = F::TWO;
            row.position_eighth = F::ONE;
        });
        lie!(chip, "length_top_is_boolean", journal(1 << 16, 8), |row| {
            // 2^17 bytes.
            row.length_top = F::TWO;
            (row.a2.previous[1], row.result[1]) = (F::TWO, F::TWO);
            row.length_inverse *= F::TWO.inverse();
            row.position_after[1] += F::ONE;
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
            row.result[1] = F::ONE;
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
        let write = journal(11, 8);
        let at = SUBSTEP_RS1;
        chip.assert_lies_in_the_past(&write, ("a7", at), |row| {
            [&mut row.a7.previous_clock, &mut row.a7.gap_high]
        });
        chip.assert_lies_in_the_past(&write, ("a0", at), |row| {
            [&mut row.a0.previous_clock, &mut row.a0.gap_high]
        });
        chip.assert_lies_in_the_past(&write, ("a1", at), |row| {
            [&mut row.a1.previous_clock, &mut row.a1.gap_high]
        });
        chip.assert_lies_in_the_past(&write, ("a2", at), |row| {
            [&mut row.a2.previous_clock, &mut row.a2.gap_high]
        });
        chip.assert_lies_in_the_past(&write, ("position", SUBSTEP_MEMORY), |row| {
            [&mut row.position.previous_clock, &mut row.position.gap_high]
        });
    }
}
