//! What a segment takes over from earlier ones, and what it leaves: one row for each register and
//! memory word that it accesses.
//!
//! # Relation
//!
//! ```text
//! between segments:    receives (place, value in, segment in), sends (place, value out, this segment)
//! inside the segment:  sends (place, value in, clock 0), receives (place, value out, last clock)
//! ```
//! Segments count from 1 in these messages; 0 stands for the initial memory ([`crate::image`],
//! [`crate::memory`]), which also receives what the last segment leaves. The value in comes from an
//! earlier segment than this one. So each place has one line of messages through the segments, from
//! its beginning, which is one, to its end; and a segment has one row for it at most, since a second
//! one would have to receive what the first sends.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `is_real` | boolean | `is_real_is_boolean` | pass a value on twice |
//! | `space`, `address`, `value_in` | | bus between segments | begin with any value |
//! | `segment_in` | before this segment | the same, `earlier` look-up | take over what comes later |
//! | `value_out`, `last_clock` | | memory bus; only the last access's message is left | leave another value |

use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_machine::Segment;

use crate::common::{SPACE_REGISTER, limbs};

columns! {
    /// A register or word.
    pub(crate) struct Boundary {
        /// 1 in real rows.
        is_real: [cell],
        /// The space it lives in.
        space: [cell],
        /// Number of the register, index of the word.
        address: [cell],
        /// Its value when the segment begins, as 16-bit limbs; checked when it was written.
        value_in: [cells 4],
        /// 1 + the segment that left it, 0 for the initial memory.
        segment_in: [cell],
        /// Its value when the segment ends; checked when it was written.
        value_out: [cells 4],
        /// Clock of its last access.
        last_clock: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "boundary";

pub(crate) fn eval(builder: &mut Builder, row: &Boundary<Expr>, _: &()) {
    let is_real = &row.is_real;
    // The segment's number, from 0.
    let segment = Expr::public(0);
    builder.assert_bool("is_real_is_boolean", is_real);
    let message = |value: &[Expr; 4], last: Expr| {
        let mut message = vec![row.space.clone(), row.address.clone()];
        message.extend(value.iter().cloned());
        message.push(last);
        message
    };
    let taken = message(&row.value_in, row.segment_in.clone());
    builder.receive("taken_over", Bus::Boundary, is_real, taken);
    let left = message(&row.value_out, &segment + 1);
    builder.send("left", Bus::Boundary, is_real, left);
    // Segments are fewer than 2^16; so the difference does not wrap.
    let earlier = vec![&segment - &row.segment_in];
    builder.send("earlier", Bus::Range16, is_real, earlier);

    let first = message(&row.value_in, Expr::from(0));
    builder.send("initial", Bus::Memory, is_real, first);
    let last = message(&row.value_out, row.last_clock.clone());
    builder.receive("last", Bus::Memory, is_real, last);
}

/// The rows of a segment: its registers, then its words, whose spaces `space_of` tells.
pub(crate) fn rows(
    segment: &Segment,
    space_of: impl Fn(u32) -> u32,
) -> impl Iterator<Item = Boundary<F>> {
    let row =
        |space: u32, address: u32, [value_in, value_out]: [u64; 2], segment_in, clock| Boundary {
            is_real: F::new(1),
            space: F::new(space),
            address: F::new(address),
            value_in: limbs(value_in),
            segment_in: F::new(segment_in),
            value_out: limbs(value_out),
            last_clock: F::new(clock),
        };
    let registers = segment.boundary_registers.iter().map(move |register| {
        let values = [register.value_in, register.value_out];
        let number = u32::from(register.number);
        let (segment_in, clock) = (register.segment_in, register.clock_out);
        row(SPACE_REGISTER, number, values, segment_in, clock)
    });
    let words = segment.boundary.iter().map(move |word| {
        let values = [word.value_in, word.value_out];
        let space = space_of(word.word_index);
        row(
            space,
            word.word_index,
            values,
            word.segment_in,
            word.clock_out,
        )
    });
    registers.chain(words)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::PrimeCharacteristicRing;
    use zkvm_air::Round;

    use super::*;
    use crate::ProgramRow;
    use crate::common::SPACE_WRITABLE;
    use crate::testing::{ChipTest, lie, register_record};

    /// A word's index and the segment it was left by; the tests' segment is number 5.
    type Word = (u32, u32);

    fn chip() -> ChipTest<Word, Boundary<F>> {
        ChipTest::in_round(NAME, Round::Boundary, eval, |(word, segment_in), _| {
            Boundary {
                is_real: F::ONE,
                space: F::new(SPACE_WRITABLE),
                address: F::new(*word),
                value_in: limbs(0x1111_2222_3333_4444),
                segment_in: F::new(*segment_in),
                value_out: limbs(0x5555_6666_7777_8888),
                last_clock: F::new(4002),
            }
        })
    }

    fn word(segment_in: u32) -> (Word, ProgramRow) {
        let (_, program) = register_record(0x0073_02b3, 0, 0);
        ((0x1200, segment_in), program)
    }

    #[test]
    fn values_come_from_earlier_segments() {
        let chip = chip();
        for segment_in in [0, 1, 5] {
            let (record, program) = word(segment_in);
            let row = chip.row(&record, &program);
            assert!(chip.catches(row, &program).is_empty(), "{segment_in}");
        }
        // What this very segment leaves, or a later one; or nothing that a segment can leave.
        lie!(chip, "earlier", word(3), |row| row.segment_in = F::new(6));
        lie!(chip, "earlier", word(3), |row| row.segment_in = F::new(70));
        lie!(chip, "earlier", word(3), |row| row.segment_in =
            -F::new(1 << 16));
        lie!(chip, "is_real_is_boolean", word(3), |row| row.is_real =
            F::TWO);
    }

    #[test]
    fn every_cell_is_noticed() {
        let chip = chip();
        assert_eq!(chip.sweep_real(&[word(0), word(5)]), BTreeSet::new());
        // A row of padding that speaks is a row like any other: what it takes over and leaves must
        // be there on the buses.
        assert_eq!(chip.speaking_padding(), ["is_real".to_owned()].into());
    }
}
