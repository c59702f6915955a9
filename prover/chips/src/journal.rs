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
//! | `bytes` | bytes of the word | range table, `limb[*]` | put other bytes |
//! | `shown` | bytes before the end | `shown[*]` | show what is not written, or hide what is |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::{SUBSTEP_MEMORY, TransferRecord};

use crate::common::{
    Access, Place, SPACE_READ_ONLY, SPACE_WRITABLE, eval_read, fill_access, limbs,
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
    eval_read(builder, "access", &is_real, &place, &row.access, &clock);

    for (index, byte) in row.bytes.iter().enumerate() {
        builder.send(
            &format!("byte[{index}]"),
            Bus::Range8,
            &is_real,
            vec![byte.clone()],
        );
    }
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

/// The journal's words as the verifier receives them: offset, bytes, limbs.
pub(crate) fn messages(journal: &[u8]) -> impl Iterator<Item = Vec<F>> + '_ {
    journal.chunks(8).enumerate().map(|(index, part)| {
        let mut word = [0; 8];
        word[..part.len()].copy_from_slice(part);
        let mut message = vec![F::from_usize(8 * index), F::from_usize(part.len())];
        message.extend(limbs(u64::from_le_bytes(word)));
        message
    })
}
