//! The program's initial memory: one row for each 8-byte word that is not zero.
//!
//! # Relation
//!
//! The word begins with the program's value, at clock 0, and ends with whatever was last written
//! to it. Words are fixed by the verifier's key, so each of them is there, whether the guest
//! touches it or not, and [`crate::memory`] cannot give it another beginning (see [`crate::chain`]).
//!
//! # Why each cell is pinned
//!
//! Index, space and value: preprocessed. The link: see [`crate::chain`]. The last value and clock:
//! the memory bus; only the message of the last access is left to receive.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Expr, F, columns};
use zkvm_isa::layout::WORD_BYTES;
use zkvm_machine::{Permissions, Program};

use crate::chain::{Link, eval_link};
use crate::common::{MIN_HEIGHT, Place, SPACE_READ_ONLY, SPACE_WRITABLE, limbs};

columns! {
    /// How an image word is touched.
    pub(crate) struct ImageUse {
        /// Its place in the chain and its end.
        link: [group Link],
    }
}

columns! {
    /// An image word.
    pub(crate) struct ImageWord {
        /// 1 for a word, 0 for padding.
        is_real: [cell],
        /// The space it lives in.
        space: [cell],
        /// Its index.
        word: [cell],
        /// Its initial value, as 16-bit limbs.
        value: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "image";

pub(crate) fn eval(builder: &mut Builder, row: &ImageUse<Expr>, image: &ImageWord<Expr>) {
    let place = Place {
        space: image.space.clone(),
        address: image.word.clone(),
    };
    eval_link(builder, &image.is_real, &place, &row.link, &image.value);
}

/// The words of the program's image that are not zero: index, value, space; by ascending index.
pub(crate) fn words(program: &Program) -> Vec<(u32, u64, u32)> {
    let mut words: Vec<(u32, u64, u32)> = Vec::new();
    for image in program.images() {
        let writable = image.permissions == Permissions::ReadWrite;
        let space = if writable {
            SPACE_WRITABLE
        } else {
            SPACE_READ_ONLY
        };
        for (offset, byte) in image
            .data
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte != 0)
        {
            let address = image.address + offset as u32;
            let value = u64::from(*byte) << (8 * (address % WORD_BYTES));
            match words.last_mut() {
                // Two images of the same space may share a word.
                Some((index, word, _)) if *index == address / WORD_BYTES => *word |= value,
                _ => words.push((address / WORD_BYTES, value, space)),
            }
        }
    }
    words
}

/// The preprocessed rows of `words`.
pub(crate) fn rows(words: &[(u32, u64, u32)]) -> Vec<ImageWord<F>> {
    let height = words.len().next_power_of_two().max(MIN_HEIGHT);
    let padding = (0, 0, 0);
    (0..height)
        .map(|row| {
            let (index, value, space) = *words.get(row).unwrap_or(&padding);
            ImageWord {
                is_real: F::from_bool(row < words.len()),
                space: F::from_u32(space),
                word: F::from_u32(index),
                value: limbs(value),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chain::fill_link;
    use crate::testing::{ChipTest, register_record};

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let word = 0x1_1200;
        let fixed = rows(&[(word, 5, SPACE_WRITABLE)]).swap_remove(0);
        let chip: ChipTest<u32, ImageUse<F>> = ChipTest::with_fixed(
            NAME,
            eval,
            |word, _| ImageUse {
                link: fill_link(0x800, *word, 77, 400),
            },
            fixed,
        );
        // The chip looks nothing up in the program table; the row of some instruction stands in.
        let (_, program) = register_record(0x0073_02b3, 0, 0);
        chip.assert_chain_ascends(&(word, program), word, |row| &mut row.link);
        chip.assert_every_name_was_forged(&[]);
    }
}
