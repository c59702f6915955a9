//! The other words of memory that a guest touches: zero at the beginning, or input.
//!
//! # Relation
//!
//! The word lies in a mapped region of the program, lives in that region's space, begins with zero
//! (or, in the input's region, with any value), and ends with whatever was last written to it.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `is_real` | boolean | `is_real_is_boolean` | initialise a word many times |
//! | `region` | a region | region table | map any address, store to constants |
//! | `word` | inside the region | `above_first`, `below_last`, range look-ups | leave the region |
//! | `link` | | see [`crate::chain`] | initialise a word twice |
//! | `initial` | 0, or 16-bit limbs in the input | `zero_outside_input[*]`, range look-ups | begin with any memory |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};

use crate::chain::{Link, eval_line, eval_link};
use crate::common::{Place, eval_limbs};
use crate::region::{MappedRegion, RegionRow};

columns! {
    /// A word.
    pub(crate) struct Memory {
        /// 1 in real rows.
        is_real: [cell],
        /// 1 in the input's region; from the region table. Never 1 in padding.
        is_input: [cell],
        /// The word's index.
        word: [cell],
        /// The region it lies in; from the region table. Its `is_input` is the one above.
        region: [group RegionRow],
        /// Low 16 bits of the distance from the region's first word; range-checked.
        above_low: [cell],
        /// The rest of it, below 2^13; range-checked as it is and times 8.
        above_high: [cell],
        /// Low 16 bits of the distance to the region's last word; range-checked.
        below_low: [cell],
        /// The rest of it, below 2^13; range-checked as it is and times 8.
        below_high: [cell],
        /// The initial value.
        initial: [cells 4],
        /// Its place in the chain and its end.
        link: [group Link],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "memory";

pub(crate) fn eval(builder: &mut Builder, row: &Memory<Expr>, _: &()) {
    let is_real = &row.is_real;
    builder.assert_bool("is_real_is_boolean", is_real);
    builder.assert_zero_when("no_input_in_padding", &is_real.not(), row.is_input.clone());
    builder.assert_eq(
        "region_is_input",
        row.region.is_input.clone(),
        row.is_input.clone(),
    );
    let RegionRow {
        first,
        last,
        space,
        is_input,
    } = &row.region;
    let message = vec![first.clone(), last.clone(), space.clone(), is_input.clone()];
    builder.send("region", Bus::Region, is_real, message);

    let above = &row.above_low + &row.above_high * (1_u32 << 16);
    let below = &row.below_low + &row.below_high * (1_u32 << 16);
    builder.assert_zero_when("above_first", is_real, &row.word - first - above);
    builder.assert_zero_when("below_last", is_real, last - &row.word - below);
    for (name, low, high) in [
        ("above", &row.above_low, &row.above_high),
        ("below", &row.below_low, &row.below_high),
    ] {
        builder.scope(name, |builder| {
            builder.send("low", Bus::Range16, is_real, vec![low.clone()]);
            builder.send("high", Bus::Range16, is_real, vec![high.clone()]);
            builder.send("high_times_8", Bus::Range16, is_real, vec![high * 8]);
        });
    }
    for (index, limb) in row.initial.iter().enumerate() {
        let name = format!("zero_outside_input[{index}]");
        builder.assert_zero_when(&name, &row.is_input.not(), limb.clone());
    }
    eval_limbs(builder, "initial_limb", &row.is_input, &row.initial);
    let place = Place {
        space: space.clone(),
        address: row.word.clone(),
    };
    eval_link(builder, is_real, &place, &row.link);
    eval_line(builder, is_real, &place, &row.link, &row.initial);
}

/// Fills the row of `word` in `region`, whose initial value is `initial`.
pub(crate) fn fill(word: u32, region: &MappedRegion, initial: u64, link: Link<F>) -> Memory<F> {
    let (above, below) = (word - region.first, region.last - word);
    Memory {
        is_real: F::ONE,
        is_input: F::from_bool(region.is_input),
        word: F::from_u32(word),
        region: RegionRow {
            first: F::from_u32(region.first),
            last: F::from_u32(region.last),
            space: F::from_u32(region.space),
            is_input: F::from_bool(region.is_input),
        },
        above_low: F::from_u16(above as u16),
        above_high: F::from_u32(above >> 16),
        below_low: F::from_u16(below as u16),
        below_high: F::from_u32(below >> 16),
        initial: crate::common::limbs(initial),
        link,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::Field;
    use zkvm_air::Round;

    use super::*;
    use crate::ProgramRow;
    use crate::chain::fill_link;
    use crate::common::SPACE_WRITABLE;
    use crate::testing::{ChipTest, lie, register_record};

    /// A word: its index, its region, its initial value, the word before it in the chain.
    type Word = (u32, MappedRegion, u64, u32);

    type Chip = ChipTest<Word, Memory<F>>;

    fn chip() -> Chip {
        let mut chip = ChipTest::in_round(
            NAME,
            Round::Boundary,
            eval,
            |(word, region, initial, before), _| {
                fill(*word, region, *initial, fill_link(*before, *word, 77, 4))
            },
        );
        let cells = [false, true].map(|is_input| {
            let MappedRegion {
                first, last, space, ..
            } = region(is_input);
            [first, last, space, u32::from(is_input)].map(F::from_u32)
        });
        chip.regions = cells.map(Vec::from).into();
        chip
    }

    fn region(is_input: bool) -> MappedRegion {
        MappedRegion {
            first: 0x1_1000,
            last: 0x2_2fff,
            space: SPACE_WRITABLE,
            is_input,
        }
    }

    /// A word of a region from 0x1_1000 to 0x2_2fff. The chip looks nothing up in the program table;
    /// the row of some instruction stands in.
    fn word(is_input: bool) -> (Word, ProgramRow) {
        let initial = if is_input { 0x8877_6655_4433_2211 } else { 0 };
        let (_, program) = register_record(0x0073_02b3, 0, 0);
        ((0x1_1200, region(is_input), initial, 0x800), program)
    }

    /// Splits a distance as the columns hold it.
    fn split(distance: F) -> [F; 2] {
        use p3_field::PrimeField32;
        let value = distance.as_canonical_u32();
        [F::from_u32(value & 0xffff), F::from_u32(value >> 16)]
    }

    /// Moves the row to another word: the distances follow, as they must.
    fn move_to(row: &mut Memory<F>, word: F) {
        row.word = word;
        [row.above_low, row.above_high] = split(word - row.region.first);
        [row.below_low, row.below_high] = split(row.region.last - word);
        [row.link.distance_low, row.link.distance_high] = split(word - row.link.before - F::ONE);
    }

    fn words_lie_in_their_region(chip: &Chip) {
        lie!(chip, "region", word(false), |row| row.region.space = F::TWO);
        lie!(chip, "above_first", word(false), |row| row.above_low +=
            F::ONE);
        lie!(chip, "below_last", word(false), |row| row.below_low +=
            F::ONE);
        let [below, above] = [F::from_u32(0x1_0fff), F::from_u32(0x2_3000)];
        // One below the first, one above the last: the distance wraps to nearly p.
        lie!(chip, "above.high_times_8", word(false), |row| move_to(
            row, below
        ));
        lie!(chip, "below.high_times_8", word(false), |row| move_to(
            row, above
        ));
        // The lower part of a distance of -1 is -1.
        lie!(chip, "above.low", word(false), |row| {
            move_to(row, below);
            (row.above_low, row.above_high) = (F::NEG_ONE, F::ZERO);
        });
        lie!(chip, "below.low", word(false), |row| {
            move_to(row, above);
            (row.below_low, row.below_high) = (F::NEG_ONE, F::ZERO);
        });
        // An eighth is in range, taken eightfold: of 2^16 it is 2^13.
        let (eighth, far) = (F::from_u32(8).inverse(), F::from_u32(1 << 13));
        lie!(chip, "above.high", word(false), |row| {
            move_to(row, row.region.first + far);
            (row.above_low, row.above_high) = (F::ZERO, eighth);
        });
        lie!(chip, "below.high", word(false), |row| {
            move_to(row, row.region.last - far);
            (row.below_low, row.below_high) = (F::ZERO, eighth);
        });
    }

    fn words_begin_with_zero_but_in_the_input(chip: &Chip) {
        for limb in 0..4 {
            chip.assert_lie(
                &word(false),
                &[&format!("zero_outside_input[{limb}]")],
                |row| {
                    row.initial[limb] = F::ONE;
                },
            );
            chip.assert_lie(&word(true), &[&format!("initial_limb[{limb}]")], |row| {
                row.initial[limb] = F::from_u32(1 << 16);
            });
        }
        lie!(chip, "region_is_input", word(true), |row| row
            .region
            .is_input =
            F::ZERO);
        lie!(chip, "no_input_in_padding", word(true), |row| row.is_real =
            F::ZERO);
        lie!(chip, "is_real_is_boolean", word(false), |row| row.is_real =
            F::TWO);
        // A region knows whether it is the input's: the flag needs no check of its own.
        lie!(chip, "region", word(true), |row| {
            (row.is_input, row.region.is_input) = (F::TWO, F::TWO);
            row.initial = [F::ZERO; 4];
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        words_lie_in_their_region(&chip);
        words_begin_with_zero_but_in_the_input(&chip);
        let honest = word(false);
        chip.assert_chain_ascends(&honest, honest.0.0, |row| &mut row.link);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        assert_eq!(chip().sweep(&[word(false), word(true)]), BTreeSet::new());
    }
}
