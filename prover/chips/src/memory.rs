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

use crate::chain::{Link, eval_link};
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
    builder.assert_bool("is_input_is_boolean", &row.is_input);
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
    eval_link(builder, is_real, &place, &row.link, &row.initial);
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
