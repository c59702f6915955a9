//! The operands of precompiles: consecutive words of memory, read or replaced by one call.
//!
//! # Why the shared cells are pinned
//!
//! - [`Stamp`]: as the cells of the same names of [`crate::common::Access`].
//! - [`ReadStamp::is_read_only`]: boolean; with the wrong space there is no such word.
//! - Values before: memory messages. They are sums of cells whose range whoever wrote the word has
//!   checked; that the cells are in theirs is up to the chip.
//! - Values after: the chip answers for their limbs being below 2^16.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Expr, F, columns};
use zkvm_isa::precompile::Operand;
use zkvm_isa::record::WordAccess;

use crate::common::{
    Access, Byte, Place, SPACE_READ_ONLY, SPACE_WRITABLE, eval_read, eval_write, fill_access,
};

columns! {
    /// When a word was accessed before.
    pub(crate) struct Stamp {
        /// Clock of the previous access.
        previous_clock: [cell],
        /// The gap since without its low 16 bits; a byte, as is what it leaves.
        gap_high: [cell],
    }
}

columns! {
    /// When a word that is only read was accessed before, and whether it may be written at all.
    pub(crate) struct ReadStamp {
        /// 1 if the word lives in the space that refuses stores.
        is_read_only: [cell],
        /// When.
        stamp: [group Stamp],
    }
}

/// Where an operand lies, in a call at `clock` whose rows have `is_real` 1.
pub(crate) struct Operands<'a> {
    pub(crate) is_real: &'a Expr,
    /// Clock of the call.
    pub(crate) clock: &'a Expr,
    /// Index of the operand's first word.
    pub(crate) first: &'a Expr,
    pub(crate) operand: Operand,
}

impl Operands<'_> {
    fn word(&self, index: usize, space: Expr) -> Place {
        Place {
            space,
            address: self.first + index as u32,
        }
    }

    fn access(values: &[Expr; 4], stamp: &Stamp<Expr>) -> Access<Expr> {
        Access {
            previous: values.clone(),
            previous_clock: stamp.previous_clock.clone(),
            gap_high: stamp.gap_high.clone(),
        }
    }

    /// Replaces the words' values `before` by those `after`; the bytes are for
    /// [`crate::common::eval_bytes`].
    pub(crate) fn replace(
        &self,
        builder: &mut Builder,
        name: &str,
        stamps: &[Stamp<Expr>],
        before: &[[Expr; 4]],
        after: &[[Expr; 4]],
    ) -> Vec<Byte> {
        assert!(self.operand.is_written);
        assert_eq!(stamps.len(), self.operand.words as usize);
        let clock = self.clock + self.operand.substep;
        let words = stamps.iter().zip(before).zip(after).enumerate();
        words
            .map(|(index, ((stamp, before), after))| {
                let place = self.word(index, Expr::from(SPACE_WRITABLE));
                let access = Self::access(before, stamp);
                let name = format!("{name}[{index}]");
                eval_write(builder, &name, self.is_real, &place, &access, after, &clock)
            })
            .collect()
    }

    /// Reads the words' `values`; the bytes are for [`crate::common::eval_bytes`].
    pub(crate) fn read(
        &self,
        builder: &mut Builder,
        name: &str,
        stamps: &[ReadStamp<Expr>],
        values: &[[Expr; 4]],
    ) -> Vec<Byte> {
        assert!(!self.operand.is_written);
        assert_eq!(stamps.len(), self.operand.words as usize);
        let clock = self.clock + self.operand.substep;
        let words = stamps.iter().zip(values).enumerate();
        words
            .map(|(index, (stamp, value))| {
                let name = format!("{name}[{index}]");
                let is_read_only = &stamp.is_read_only;
                builder.assert_bool(&format!("{name}.is_read_only_is_boolean"), is_read_only);
                let space = is_read_only * (SPACE_READ_ONLY - SPACE_WRITABLE) + SPACE_WRITABLE;
                let place = self.word(index, space);
                let access = Self::access(value, &stamp.stamp);
                let name = format!("{name}.stamp");
                eval_read(builder, &name, self.is_real, &place, &access, &clock)
            })
            .collect()
    }
}

/// The cells of an access to `word` in a call at `clock`.
pub(crate) fn fill_stamp(word: &WordAccess, clock: u32, operand: Operand) -> Stamp<F> {
    let access = fill_access(word.previous, word.clock, clock + operand.substep);
    Stamp {
        previous_clock: access.previous_clock,
        gap_high: access.gap_high,
    }
}

/// The same of an access that only reads.
pub(crate) fn fill_read_stamp(
    word: &WordAccess,
    clock: u32,
    operand: Operand,
    is_read_only: bool,
) -> ReadStamp<F> {
    ReadStamp {
        is_read_only: F::from_bool(is_read_only),
        stamp: fill_stamp(word, clock, operand),
    }
}
