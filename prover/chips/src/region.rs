//! The table of the program's mapped regions.
//!
//! Preprocessed: first and last word of each region, the space its words live in, whether it is
//! the input; main: how often it is looked up. Rows beyond the regions repeat the first one, so
//! that no row of padding can be mistaken for a region.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::layout::{INPUT_END_MAX, INPUT_START, WORD_BYTES};
use zkvm_machine::{Program, Region};

use crate::common::{MIN_HEIGHT, SPACE_READ_ONLY, SPACE_WRITABLE};
use crate::range_table::Count;

columns! {
    /// A region.
    pub(crate) struct RegionRow {
        /// Index of its first word.
        first: [cell],
        /// Index of its last word.
        last: [cell],
        /// The space of its words.
        space: [cell],
        /// 1 for the input, whose initial words are whatever the prover has.
        is_input: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "region_table";

pub(crate) fn eval(builder: &mut Builder, row: &Count<Expr>, region: &RegionRow<Expr>) {
    let RegionRow {
        first,
        last,
        space,
        is_input,
    } = region;
    let message = vec![first.clone(), last.clone(), space.clone(), is_input.clone()];
    builder.receive("region", Bus::Region, &row.count, message);
}

/// A region as the memory chip looks it up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct MappedRegion {
    pub(crate) first: u32,
    pub(crate) last: u32,
    pub(crate) space: u32,
    pub(crate) is_input: bool,
}

/// The regions of `program`: its own, and the whole of the input's range.
pub(crate) fn regions(program: &Program) -> Vec<MappedRegion> {
    let own = program.regions().into_iter().map(
        |Region {
             start,
             end,
             writable,
         }| MappedRegion {
            first: (start / u64::from(WORD_BYTES)) as u32,
            last: (end / u64::from(WORD_BYTES) - 1) as u32,
            space: if writable {
                SPACE_WRITABLE
            } else {
                SPACE_READ_ONLY
            },
            is_input: false,
        },
    );
    // The length, a word of zeros, the bytes. The length and what lies past it are the prover's
    // choice; see `zkvm_isa::layout`.
    let first = INPUT_START / WORD_BYTES;
    let input = |first: u32, last: u32, is_input: bool| MappedRegion {
        first,
        last,
        space: SPACE_READ_ONLY,
        is_input,
    };
    own.chain([
        input(first, first, true),
        input(first + 1, first + 1, false),
        input(first + 2, INPUT_END_MAX / WORD_BYTES - 1, true),
    ])
    .collect()
}

/// The preprocessed rows.
pub(crate) fn rows(program: &Program) -> Vec<RegionRow<F>> {
    let regions = regions(program);
    let height = regions.len().next_power_of_two().max(MIN_HEIGHT);
    (0..height)
        .map(|index| {
            let region = regions.get(index).unwrap_or(&regions[0]);
            RegionRow {
                first: F::from_u32(region.first),
                last: F::from_u32(region.last),
                space: F::from_u32(region.space),
                is_input: F::from_bool(region.is_input),
            }
        })
        .collect()
}
