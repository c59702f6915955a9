//! What a caller allows an execution to use.

use thiserror::Error;
use zkvm_isa::{Chip, layout, syscall};

/// Limits of an execution. Reaching one ends it with an [`crate::Exit`] that says which.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Most instructions to execute.
    pub cycles_max: u64,
    /// Most guest memory, in bytes: pages of the image, the input and everything touched.
    pub memory_bytes_max: u64,
    /// Longest journal, in bytes.
    pub journal_bytes_max: u64,
}

impl Limits {
    /// Ten thousand million cycles, 1.5 GiB of guest memory, 16 MiB of journal. A guest that fills
    /// the runtime's heap (1 GiB) ends by its own out-of-memory panic, not by this limit.
    pub const STANDARD: Limits = Limits {
        cycles_max: 10_000_000_000,
        memory_bytes_max: 3 << 29,
        journal_bytes_max: 1 << 24,
    };
}

/// Limits of one segment. A segment ends before the first instruction that could exceed one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentLimits {
    /// Most rows of any one chip.
    pub rows_max: u32,
    /// Most instructions.
    pub cycles_max: u32,
    /// Most distinct 8-byte words of memory touched.
    pub boundary_words_max: u32,
    /// Most memory that proving the segment may take, as far as it grows with the segment: the sum
    /// over chips of [`Self::row_bytes`] times the chip's rows, rounded up to a power of two, where
    /// they are more than [`Self::rows_free`]; the same for [`Self::word_bytes`].
    pub bytes_max: u64,
    /// Bytes that proving takes per row of each chip.
    pub row_bytes: [u32; Chip::COUNT],
    /// Bytes that proving takes per word touched.
    pub word_bytes: u32,
}

/// Limits that cannot work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum LimitError {
    /// One system call may need more rows than a segment is allowed, or there would be too many
    /// segments.
    #[error("segment limit `{name}` is {got}, it must be at least {least}")]
    SegmentTooSmall {
        /// Which limit.
        name: &'static str,
        /// Its value.
        got: u32,
        /// The least value that works.
        least: u32,
    },
    /// The segment's clock would overflow.
    #[error("segment limit `cycles_max` is {got}, it must be at most {most}")]
    SegmentTooLong {
        /// Its value.
        got: u32,
        /// The greatest value that works.
        most: u32,
    },
}

impl SegmentLimits {
    /// 2^20 rows of any chip, 2^21 instructions, 2^19 words; no limit of memory.
    pub const STANDARD: SegmentLimits = SegmentLimits {
        rows_max: 1 << 20,
        cycles_max: 1 << 21,
        boundary_words_max: 1 << 19,
        bytes_max: u64::MAX,
        row_bytes: [0; Chip::COUNT],
        word_bytes: 0,
    };

    /// Words, and rows of a chip of instructions, that do not count against [`Self::bytes_max`]: more
    /// than one instruction needs, so that every segment gets somewhere.
    pub const ROWS_FREE: u64 = 1 << 14;

    /// The same for chips of precompiles, whose rows are wide.
    const PRECOMPILE_ROWS_FREE: u64 = 1 << 6;

    /// Rows of `chip` that do not count against [`Self::bytes_max`].
    #[must_use]
    pub const fn rows_free(chip: Chip) -> u64 {
        if chip.is_of_precompile() {
            Self::PRECOMPILE_ROWS_FREE
        } else {
            Self::ROWS_FREE
        }
    }

    /// Words the largest single instruction can touch: a whole transfer, or two of an access.
    pub(crate) const INSTRUCTION_WORDS_MAX: u32 =
        (syscall::TRANSFER_BYTES_MAX as u32) / layout::WORD_BYTES + 2;

    /// Most instructions of a segment: its clock stays below 2^28.
    pub const CYCLES_MAX: u32 = (1 << 26) - 1;

    /// Least `cycles_max` allowed: it keeps the number of segments, of 32 bits, from overflowing
    /// before 2^42 cycles, and what each segment costs in proportion.
    pub const CYCLES_MAX_LEAST: u32 = 1 << 10;

    /// Checks that a single instruction always fits, that segments are not too many, and that the
    /// clock cannot overflow.
    ///
    /// # Errors
    /// [`LimitError`] names the limit and the bound it breaks.
    pub fn check(&self) -> Result<(), LimitError> {
        let least = Self::INSTRUCTION_WORDS_MAX + 1;
        for (name, got, least) in [
            ("rows_max", self.rows_max, least),
            ("boundary_words_max", self.boundary_words_max, least),
            ("cycles_max", self.cycles_max, Self::CYCLES_MAX_LEAST),
        ] {
            if got < least {
                return Err(LimitError::SegmentTooSmall { name, got, least });
            }
        }
        if self.cycles_max > Self::CYCLES_MAX {
            let (got, most) = (self.cycles_max, Self::CYCLES_MAX);
            return Err(LimitError::SegmentTooLong { got, most });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn segments_of_too_few_cycles_are_refused() {
        let cut = |cycles_max| {
            let standard = SegmentLimits::STANDARD;
            SegmentLimits {
                cycles_max,
                ..standard
            }
        };
        assert_eq!(cut(SegmentLimits::CYCLES_MAX_LEAST).check(), Ok(()));
        for got in [0, 1, SegmentLimits::CYCLES_MAX_LEAST - 1] {
            let expected = LimitError::SegmentTooSmall {
                name: "cycles_max",
                got,
                least: SegmentLimits::CYCLES_MAX_LEAST,
            };
            assert_eq!(cut(got).check(), Err(expected));
        }
    }
}
