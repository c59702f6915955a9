//! The words of hints that a guest reads: one row each.
//!
//! # Relation
//!
//! A hint read that gets `n` bytes hands `(clock, word, offset, n)` to its first row. Each row
//! writes one word of writable memory at the read's clock and, if more than 8 bytes are left, hands
//! on `(clock, word + 1, offset + 8, left - 8)`. The last row's bytes past its `left` low ones are
//! zero. Nothing else is said of the bytes: hints are whatever the prover has.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `clock`, `word`, `offset`, `left` | | transfer bus, from [`crate::system`] | write other words, at other times |
//! | `is_more`, `ends_after` | one of them 1 in a real row | `*_is_boolean`, `one_of_all` | stop early |
//! | `left` against them | | `left_in_last_row`, `more_than_8_left` look-up | stop early, write on |
//! | `access` | | memory bus | write what is not there to be written |
//! | `bytes` | bytes | table of bytes | put limbs above 16 bits into memory |
//! | `bytes` past the end | 0 | `past_end[*]` | leave other bytes there than the machine |
//! | `bytes` before it | any | nobody: they are the prover's | |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::{SUBSTEP_MEMORY, TransferRecord};

use crate::common::{Access, Byte, Place, SPACE_WRITABLE, eval_bytes, eval_write, fill_access};

/// In a transfer message, the direction from the hints to memory.
pub(crate) const FROM_HINTS: u32 = 2;

const _: () = assert!(
    FROM_HINTS != crate::journal::TO_JOURNAL,
    "no row of the journal may serve a read, nor one of the hints a write"
);

columns! {
    /// A word of hints.
    pub(crate) struct Hint {
        /// 1 if words follow in this read.
        is_more: [cell],
        /// 1 at index `i` if the read ends after `i + 1` bytes of this word.
        ends_after: [cells 8],
        /// Clock of the read; from the transfer bus.
        clock: [cell],
        /// Index of the word; from the transfer bus.
        word: [cell],
        /// Byte offset of the word in the hints; from the transfer bus.
        offset: [cell],
        /// Bytes still to read, this word's included; from the transfer bus.
        left: [cell],
        /// Write of the word.
        access: [group Access],
        /// The bytes written, low first; range-checked, 0 past the end.
        bytes: [cells 8],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "hint";

pub(crate) fn eval(builder: &mut Builder, row: &Hint<Expr>, _: &()) {
    builder.assert_bool("is_more_is_boolean", &row.is_more);
    for (index, flag) in row.ends_after.iter().enumerate() {
        builder.assert_bool(&format!("ends_after[{index}]_is_boolean"), flag);
    }
    let is_last: Expr = row.ends_after.iter().cloned().sum();
    let is_real = &row.is_more + &is_last;
    builder.assert_bool("one_of_all", &is_real);

    let (word, offset, left) = (&row.word, &row.offset, &row.left);
    let transfer = |word: Expr, offset: Expr, left: Expr| {
        let direction = Expr::from(FROM_HINTS);
        vec![row.clock.clone(), word, offset, left, direction]
    };
    let this = transfer(word.clone(), offset.clone(), left.clone());
    builder.receive("transfer", Bus::Transfer, &is_real, this);
    let next = transfer(word + 1, offset + 8, left - 8);
    builder.send("next_transfer", Bus::Transfer, &row.is_more, next);
    let ends: Expr = (1_u32..)
        .zip(&row.ends_after)
        .map(|(bytes, flag)| flag * bytes)
        .sum();
    builder.assert_zero_when("left_in_last_row", &is_last, left - &ends);
    // No read is longer than 2^16 bytes.
    let more = vec![left - 9];
    builder.send("more_than_8_left", Bus::Range16, &row.is_more, more);

    // Byte `i` is a hint if words follow or the read ends after `i` or a later byte.
    for index in 1..8 {
        let is_hint = &row.is_more + row.ends_after[index..].iter().cloned().sum::<Expr>();
        let name = format!("past_end[{index}]");
        builder.assert_zero_when(&name, &is_hint.not(), row.bytes[index].clone());
    }
    let value = std::array::from_fn(|limb| Expr::join(&row.bytes[2 * limb..2 * limb + 2], 8));
    let place = Place {
        space: Expr::from(SPACE_WRITABLE),
        address: word.clone(),
    };
    let (access, clock) = (&row.access, &row.clock + SUBSTEP_MEMORY);
    let gap = eval_write(builder, "access", &is_real, &place, access, &value, &clock);
    let bytes = row.bytes.iter().enumerate();
    let bytes = bytes.map(|(index, byte)| Byte::new(&format!("byte[{index}]"), byte));
    eval_bytes(builder, &is_real, bytes.chain([gap]));
}

/// Fills the row of `record`, in a read with `left` bytes still to go at this word.
pub(crate) fn fill(record: &TransferRecord, left: u32) -> Hint<F> {
    let is_more = left > 8;
    let clock = record.clock + SUBSTEP_MEMORY;
    Hint {
        is_more: F::from_bool(is_more),
        ends_after: std::array::from_fn(|index| F::from_bool(!is_more && index as u32 + 1 == left)),
        clock: F::from_u32(record.clock),
        word: F::from_u32(record.word.word_index),
        offset: F::from_u64(record.offset),
        left: F::from_u32(left),
        access: fill_access(record.word.previous, record.word.clock, clock),
        bytes: record.value.to_le_bytes().map(F::from_u8),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::Field;
    use zkvm_air::Columns as _;
    use zkvm_isa::record::WordAccess;

    use super::*;
    use crate::ProgramRow;
    use crate::common::limbs;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    /// A word of a read: the record and the bytes left at it.
    type Word = (TransferRecord, u32);

    const VALUE: u64 = 0x8877_6655_4433_2211;

    type Chip = ChipTest<Word, Hint<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |(record, left), _| fill(record, *left))
    }

    /// The word with `left` bytes to go. The chip looks nothing up in the program table; the row
    /// of some instruction stands in.
    fn word(left: u32) -> (Word, ProgramRow) {
        let record = TransferRecord {
            clock: CLOCK,
            bytes: left.min(8),
            offset: 43,
            word: WordAccess {
                previous: 0x0123_4567_89ab_cdef,
                word_index: 0x0200_0000,
                clock: CLOCK - 9,
            },
            value: VALUE & u64::MAX >> (64 - 8 * left.min(8)),
        };
        let (_, program) = register_record(0x0073_02b3, 0, 0);
        ((record, left), program)
    }

    #[test]
    fn words_are_written_and_zero_past_the_end_of_the_read() {
        let chip = chip();
        for left in (1..=20).chain([0xffff, 0x1_0000]) {
            let (record, program) = word(left);
            let row = || chip.row(&record, &program);
            let caught = chip.catches(row(), &program);
            assert!(caught.is_empty(), "{left}: {caught:?}");
            let written = chip.message(row(), "access.after").expect("it writes");
            assert_eq!(written[0], F::from_u32(SPACE_WRITABLE));
            let kept = u64::MAX >> (64 - 8 * left.min(8));
            assert_eq!(written[2..6], limbs(VALUE & kept), "{left}");
            let next = chip.message(row(), "next_transfer");
            let expected = [CLOCK, 0x0200_0001, 51, left.wrapping_sub(8), FROM_HINTS];
            let expected = (left > 8).then(|| expected.map(F::from_u32).to_vec());
            assert_eq!(next, expected, "{left}");
        }
    }

    #[test]
    fn any_bytes_are_hints() {
        let chip = chip();
        for value in [0, 1, VALUE, u64::MAX] {
            let ((record, left), program) = word(9);
            let record = (TransferRecord { value, ..record }, left);
            let caught = chip.catches(chip.row(&record, &program), &program);
            assert!(caught.is_empty(), "{value:x}: {caught:?}");
        }
    }

    fn reads_end_where_they_end(chip: &Chip) {
        // Stops early, goes on too long.
        lie!(chip, "left_in_last_row", word(20), |row| {
            (row.is_more, row.ends_after[7]) = (F::ZERO, F::ONE);
        });
        lie!(chip, "more_than_8_left", word(8), |row| {
            (row.is_more, row.ends_after[7]) = (F::ONE, F::ZERO);
        });
        // 15 bytes are left: it ends twice, after 7 and after 8 bytes.
        lie!(chip, "one_of_all", word(15), |row| {
            row.is_more = F::ZERO;
            (row.ends_after[6], row.ends_after[7]) = (F::ONE, F::ONE);
            row.bytes = [F::ZERO; 8];
        });
        // And goes on -1 times.
        lie!(chip, "is_more_is_boolean", word(15), |row| {
            row.is_more = F::NEG_ONE;
            (row.ends_after[6], row.ends_after[7]) = (F::ONE, F::ONE);
            row.bytes[7] = F::ZERO;
        });
        // Rows that look like padding to the buses, and still leave bytes.
        for index in 0..8 {
            let name = format!("ends_after[{index}]_is_boolean");
            chip.assert_lie(&word(8), &[&name], |row| {
                *row = Hint::take(&mut std::iter::repeat(F::ZERO));
                row.ends_after[index] = F::NEG_ONE;
                row.ends_after[(index + 1) % 8] = F::ONE;
            });
        }
    }

    fn bytes_are_bytes_and_zero_past_the_end(chip: &Chip) {
        for index in 0..8 {
            chip.assert_lie(&word(20), &[&format!("byte[{index}]")], |row| {
                row.bytes[index] = F::from_u32(256);
            });
            chip.assert_lie(&word(20), &[&format!("byte[{index}]")], |row| {
                row.bytes[index] = F::TWO.inverse();
            });
            if index > 0 {
                let name = format!("past_end[{index}]");
                chip.assert_lie(&word(index as u32), &[&name], |row| {
                    row.bytes[index] = F::ONE;
                });
            }
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        reads_end_where_they_end(&chip);
        bytes_are_bytes_and_zero_past_the_end(&chip);
        chip.assert_lies_in_the_past(&word(20), ("access", SUBSTEP_MEMORY), |row| {
            [&mut row.access.previous_clock, &mut row.access.gap_high]
        });
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        // What the bytes are shows in what is written.
        let rows = [word(20), word(8), word(3)];
        assert_eq!(chip().sweep(&rows), BTreeSet::new());
    }
}
