//! How much memory proving takes, and segments that fit a limit.

use zkvm_air::Description;
use zkvm_isa::Chip;
use zkvm_isa::record::Part;
use zkvm_machine::SegmentLimits;
use zkvm_verifier::Config;
use zkvm_verifier::logup::{DIMENSION, fractions, speaks_between};

use crate::Keys;

/// The least memory that proving is given: tables of fixed height and the smallest segments.
pub const MEMORY_BYTES_LEAST: u64 = 1 << 30;

/// What does not grow with a segment: the process, look-up tables with all that is committed to of
/// them, the guest's memory up to what segments touch, opening buffers.
const FIXED_BYTES: u64 = 650 << 20;

/// Bytes that proving takes per row of a chip at the worst moment, when openings are proved: each
/// column of the trace twice (as filled, and while it is extended) and, blown up twice, once;
/// LogUp columns and quotients blown up; the combination of the openings.
pub(crate) fn row_bytes(description: &Description) -> u32 {
    let running = 1 + usize::from(speaks_between(description));
    let logup = DIMENSION * (fractions(description) + running);
    let cells = 3 * description.columns.len() + 2 * logup + 4 * DIMENSION + OPENING_CELLS;
    4 * cells as u32
}

/// Challenge-field vectors of an opening, in cells per row of a chip: inverse denominators, the
/// reduced opening and its foldings have twice the height, and chips of one height share them.
const OPENING_CELLS: usize = 2 * 2 * 5;

/// Segment limits for proving in about `memory_bytes` of memory in all.
#[must_use]
pub fn segment_limits<C: Config>(keys: &Keys<C>, memory_bytes: u64) -> SegmentLimits {
    let machine = keys.chips(Part::Segment);
    let of = |name: &str| {
        let chip = machine
            .chips
            .iter()
            .find(|chip| chip.description.name == name);
        chip.map_or(0, |chip| row_bytes(&chip.description))
    };
    let most = memory_bytes.max(MEMORY_BYTES_LEAST);
    SegmentLimits {
        bytes_max: most - FIXED_BYTES,
        // The record of the row is kept until it is filled.
        row_bytes: Chip::ALL.map(|chip| of(chip.name()) + 64),
        // A word in the boundary table, perhaps again in the memory tables of the last segment.
        word_bytes: 2 * of("boundary"),
        ..SegmentLimits::STANDARD
    }
}

/// The memory that proving takes by default on a machine with `available_bytes`: three quarters of
/// it, and no more than 8 GB, beyond which segments do not get longer.
#[must_use]
pub fn memory_bytes(available_bytes: u64) -> u64 {
    (available_bytes / 4 * 3).clamp(MEMORY_BYTES_LEAST, 8_000_000_000)
}
