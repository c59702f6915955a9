//! The words that a guest appends to its journal: one row each.
//!
//! # Relation
//!
//! A journal write of `n` bytes hands `(clock, word, offset, n)` to its first row. Each row reads
//! one word at the write's clock, puts it on the journal bus with its offset, and, if more than 8
//! bytes are left, hands on `(clock, word + 1, offset + 8, left - 8)`. The last row puts only its
//! `left` low bytes, the others as zero.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `clock`, `word`, `offset`, `left` | | transfer bus, from [`crate::system`] | write other bytes |
//! | `is_more`, `ends_after` | one of them 1 in a real row | `*_is_boolean`, `one_of_all` | stop early |
//! | `left` against them | | `left_in_last_row`, `more_than_8_left` look-up | stop early, go on too long |
//! | `access` | | memory bus | invent the word |
//! | `is_read_only` | boolean | `is_read_only_is_boolean` | read from another space |
//! | `bytes` | bytes of the word | table of bytes, `limb[*]` | put other bytes |
//! | `shown` | bytes before the end | `shown[*]` | show what is not written, or hide what is |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::{SUBSTEP_MEMORY, TransferRecord};

use crate::common::{
    Access, Byte, Place, SPACE_READ_ONLY, SPACE_WRITABLE, eval_bytes, eval_read, fill_access, limbs,
};

/// In a transfer message, the direction from memory to the journal.
pub(crate) const TO_JOURNAL: u32 = 1;

columns! {
    /// A word of the journal.
    pub(crate) struct Journal {
        /// 1 if words follow in this write.
        is_more: [cell],
        /// 1 at index `i` if the write ends after `i + 1` bytes of this word.
        ends_after: [cells 8],
        /// Clock of the write; from the transfer bus.
        clock: [cell],
        /// Index of the word; from the transfer bus.
        word: [cell],
        /// Byte offset of the word in the journal; from the transfer bus.
        offset: [cell],
        /// Bytes still to write, this word's included; from the transfer bus.
        left: [cell],
        /// Whether the word is read-only.
        is_read_only: [cell],
        /// Read of the word.
        access: [group Access],
        /// Its bytes, low first; range-checked.
        bytes: [cells 8],
        /// Its limbs with the bytes past the end as zero.
        shown: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "journal";

pub(crate) fn eval(builder: &mut Builder, row: &Journal<Expr>, _: &()) {
    builder.assert_bool("is_more_is_boolean", &row.is_more);
    for (index, flag) in row.ends_after.iter().enumerate() {
        builder.assert_bool(&format!("ends_after[{index}]_is_boolean"), flag);
    }
    let is_last: Expr = row.ends_after.iter().cloned().sum();
    let is_real = &row.is_more + &is_last;
    builder.assert_bool("one_of_all", &is_real);

    let transfer = |word: Expr, offset: Expr, left: Expr| {
        vec![
            row.clock.clone(),
            word,
            offset,
            left,
            Expr::from(TO_JOURNAL),
        ]
    };
    let (word, offset, left) = (&row.word, &row.offset, &row.left);
    let this = transfer(word.clone(), offset.clone(), left.clone());
    builder.receive("transfer", Bus::Transfer, &is_real, this);
    let next = transfer(word + 1, offset + 8, left - 8);
    builder.send("next_transfer", Bus::Transfer, &row.is_more, next);
    let ends: Expr = (1_u32..)
        .zip(&row.ends_after)
        .map(|(bytes, flag)| flag * bytes)
        .sum();
    builder.assert_zero_when("left_in_last_row", &is_last, left - &ends);
    // No write is longer than 2^16 bytes.
    builder.send(
        "more_than_8_left",
        Bus::Range16,
        &row.is_more,
        vec![left - 9],
    );

    builder.assert_bool("is_read_only_is_boolean", &row.is_read_only);
    let space = Expr::from(SPACE_WRITABLE) + &row.is_read_only * (SPACE_READ_ONLY - SPACE_WRITABLE);
    let place = Place {
        space,
        address: word.clone(),
    };
    let clock = &row.clock + SUBSTEP_MEMORY;
    let gap = eval_read(builder, "access", &is_real, &place, &row.access, &clock);

    let bytes = row.bytes.iter().enumerate();
    let bytes = bytes.map(|(index, byte)| Byte::new(&format!("byte[{index}]"), byte));
    eval_bytes(builder, &is_real, bytes.chain([gap]));
    // Byte `i` is shown if words follow or the write ends after `i` or a later byte.
    let is_shown =
        |index: usize| &row.is_more + row.ends_after[index..].iter().cloned().sum::<Expr>();
    for limb in 0..4 {
        let (low, high) = (&row.bytes[2 * limb], &row.bytes[2 * limb + 1]);
        let whole = low + high * (1_u32 << 8);
        builder.assert_zero(&format!("limb[{limb}]"), &row.access.previous[limb] - whole);
        let shown = low * is_shown(2 * limb) + high * is_shown(2 * limb + 1) * (1_u32 << 8);
        builder.assert_zero(&format!("shown[{limb}]"), &row.shown[limb] - shown);
    }
    let mut message = vec![offset.clone(), &row.is_more * 8 + ends];
    message.extend(row.shown.iter().cloned());
    builder.send("journal", Bus::Journal, &is_real, message);
}

/// Fills the row of `record`, in a write with `left` bytes still to go at this word.
pub(crate) fn fill(record: &TransferRecord, left: u32, is_read_only: bool) -> Journal<F> {
    let bytes = record.value.to_le_bytes();
    let kept = u64::MAX >> (64 - 8 * record.bytes.min(8));
    let is_more = left > 8;
    Journal {
        is_more: F::from_bool(is_more),
        ends_after: std::array::from_fn(|index| F::from_bool(!is_more && index as u32 + 1 == left)),
        clock: F::from_u32(record.clock),
        word: F::from_u32(record.word.word_index),
        offset: F::from_u64(record.offset),
        left: F::from_u32(left),
        is_read_only: F::from_bool(is_read_only),
        access: fill_access(
            record.word.previous,
            record.word.clock,
            record.clock + SUBSTEP_MEMORY,
        ),
        bytes: bytes.map(F::from_u8),
        shown: limbs(record.value & kept),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::Field;
    use zkvm_air::Columns;
    use zkvm_isa::record::WordAccess;

    use super::*;
    use crate::ProgramRow;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    /// A word of a write: the record, the bytes left at it, whether it is read-only.
    type Word = (TransferRecord, u32, bool);

    type Chip = ChipTest<Word, Journal<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |word, _| fill(&word.0, word.1, word.2))
    }

    /// The word with `left` bytes to go. The chip looks nothing up in the program table; the row
    /// of some instruction stands in.
    fn word(left: u32, is_read_only: bool) -> (Word, ProgramRow) {
        let value = 0x8877_6655_4433_2211;
        let record = TransferRecord {
            clock: CLOCK,
            bytes: left.min(8),
            offset: 40,
            word: WordAccess {
                previous: value,
                word_index: 0x0200_0000,
                clock: CLOCK - 9,
            },
            value,
        };
        let (_, program) = register_record(0x0073_02b3, 0, 0);
        ((record, left, is_read_only), program)
    }

    #[test]
    fn words_are_shown_up_to_the_end_of_the_write() {
        let chip = chip();
        for left in (1..=20).chain([0xffff, 0x1_0000]) {
            for is_read_only in [false, true] {
                let (record, program) = word(left, is_read_only);
                let caught = chip.catches(chip.row(&record, &program), &program);
                assert!(caught.is_empty(), "{left}: {caught:?}");
                let shown = chip.message(chip.row(&record, &program), "journal");
                let kept = u64::MAX >> (64 - 8 * left.min(8));
                let mut expected = vec![F::from_u32(40), F::from_u32(left.min(8))];
                expected.extend(limbs(0x8877_6655_4433_2211 & kept));
                assert_eq!(shown, Some(expected), "{left}");
                let next = chip.message(chip.row(&record, &program), "next_transfer");
                assert_eq!(next.is_some(), left > 8, "{left}");
            }
        }
    }

    fn writes_end_where_they_end(chip: &Chip) {
        // Stops early, goes on too long.
        lie!(chip, "left_in_last_row", word(20, false), |row| {
            (row.is_more, row.ends_after[7]) = (F::ZERO, F::ONE);
        });
        lie!(chip, "more_than_8_left", word(8, false), |row| {
            (row.is_more, row.ends_after[7]) = (F::ONE, F::ZERO);
        });
        // 15 bytes are left: it ends twice, after 7 and after 8 bytes.
        let shown = |row: &mut Journal<F>, times: u32, top_times: u32| {
            for limb in 0..4 {
                let [low, high] = [row.bytes[2 * limb], row.bytes[2 * limb + 1]];
                let high_times = if limb == 3 { top_times } else { times };
                row.shown[limb] = low * F::from_u32(times) + high * F::from_u32(256 * high_times);
            }
        };
        lie!(chip, "one_of_all", word(15, false), |row| {
            row.is_more = F::ZERO;
            (row.ends_after[6], row.ends_after[7]) = (F::ONE, F::ONE);
            shown(row, 2, 1);
        });
        // And goes on -1 times.
        lie!(chip, "is_more_is_boolean", word(15, false), |row| {
            row.is_more = F::NEG_ONE;
            (row.ends_after[6], row.ends_after[7]) = (F::ONE, F::ONE);
            shown(row, 1, 0);
        });
        // Rows that look like padding to the buses, and still show something.
        for index in 0..8 {
            let name = format!("ends_after[{index}]_is_boolean");
            chip.assert_lie(&word(8, false), &[&name], |row| {
                *row = Journal::take(&mut std::iter::repeat(F::ZERO));
                row.ends_after[index] = F::NEG_ONE;
                row.ends_after[(index + 1) % 8] = F::ONE;
            });
        }
    }

    fn what_is_shown_is_what_was_there(chip: &Chip) {
        for limb in 0..4 {
            chip.assert_lie(&word(20, false), &[&format!("shown[{limb}]")], |row| {
                row.shown[limb] += F::ONE;
            });
            chip.assert_lie(&word(20, false), &[&format!("limb[{limb}]")], |row| {
                row.bytes[2 * limb] += F::ONE;
                row.shown[limb] += F::ONE;
            });
            // The same limb by another border between its bytes, at the end of a write.
            chip.assert_lie(
                &word(2 * limb as u32 + 1, false),
                &[&format!("byte[{}]", 2 * limb)],
                |row| {
                    row.bytes[2 * limb] += F::from_u32(256);
                    row.bytes[2 * limb + 1] -= F::ONE;
                    row.shown[limb] += F::from_u32(256);
                },
            );
            chip.assert_lie(
                &word(20, false),
                &[&format!("byte[{}]", 2 * limb + 1)],
                |row| {
                    let part = F::from_u32(256).inverse();
                    row.bytes[2 * limb] -= F::ONE;
                    row.bytes[2 * limb + 1] += part;
                },
            );
        }
    }

    fn words_are_of_memory_and_of_the_past(chip: &Chip) {
        lie!(chip, "is_read_only_is_boolean", word(20, false), |row| {
            // Space 0: a register as a word.
            row.is_read_only = F::NEG_ONE;
        });
        chip.assert_lies_in_the_past(&word(20, false), ("access", SUBSTEP_MEMORY), |row| {
            [&mut row.access.previous_clock, &mut row.access.gap_high]
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        writes_end_where_they_end(&chip);
        what_is_shown_is_what_was_there(&chip);
        words_are_of_memory_and_of_the_past(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        let rows = [word(20, false), word(8, true), word(3, false)];
        assert_eq!(chip().sweep(&rows), BTreeSet::new());
        assert_eq!(Journal::<F>::WIDTH, chip().description.columns.len());
    }
}
