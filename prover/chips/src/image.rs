//! The initial registers, and the program's initial memory: one row for each 8-byte word that is
//! not zero.
//!
//! # Relation
//!
//! The register or word begins with the machine's or program's value, before the first segment, and
//! ends with whatever was last written to it. They are fixed by the verifier's key, so each of them
//! is there, whether the guest touches it or not, and [`crate::memory`] cannot give a word another
//! beginning (see [`crate::chain`]).
//!
//! # Why each cell is pinned
//!
//! Place and value: preprocessed. The link: see [`crate::chain`]; registers are in no chain, and no
//! other table speaks of their space. The last value and segment: the bus between segments; only
//! what the last segment leaves is left to receive.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Expr, F, columns};
use zkvm_isa::layout::{STACK_POINTER_AT_ENTRY, WORD_BYTES};
use zkvm_isa::syscall::REG_SP;
use zkvm_machine::{Permissions, Program, REGISTERS};

use crate::chain::{Link, eval_line, eval_link};
use crate::common::{MIN_HEIGHT, Place, SPACE_READ_ONLY, SPACE_REGISTER, SPACE_WRITABLE, limbs};

columns! {
    /// How a register or image word is touched.
    pub(crate) struct ImageUse {
        /// Its place in the chain and its end.
        link: [group Link],
    }
}

columns! {
    /// A register or image word.
    pub(crate) struct ImageWord {
        /// 1 for a register or word, 0 for padding.
        is_real: [cell],
        /// 1 for a word, which is in the chain.
        is_linked: [cell],
        /// The space it lives in.
        space: [cell],
        /// Number of the register, index of the word.
        address: [cell],
        /// Its initial value, as 16-bit limbs.
        value: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "image";

pub(crate) fn eval(builder: &mut Builder, row: &ImageUse<Expr>, image: &ImageWord<Expr>) {
    let place = Place {
        space: image.space.clone(),
        address: image.address.clone(),
    };
    eval_link(builder, &image.is_linked, &place, &row.link);
    eval_line(builder, &image.is_real, &place, &row.link, &image.value);
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

/// The value of a register, hidden or not, before the first instruction.
pub(crate) fn initial_register(number: usize) -> u64 {
    if number == usize::from(REG_SP) {
        u64::from(STACK_POINTER_AT_ENTRY)
    } else {
        0
    }
}

/// The preprocessed rows: all registers, then `words`.
pub(crate) fn rows(words: &[(u32, u64, u32)]) -> Vec<ImageWord<F>> {
    let height = (REGISTERS + words.len())
        .next_power_of_two()
        .max(MIN_HEIGHT);
    let registers = (0..REGISTERS).map(|number| ImageWord {
        is_real: F::ONE,
        is_linked: F::ZERO,
        space: F::from_u32(SPACE_REGISTER),
        address: F::from_usize(number),
        value: limbs(initial_register(number)),
    });
    let words = words.iter().map(|(index, value, space)| ImageWord {
        is_real: F::ONE,
        is_linked: F::ONE,
        space: F::from_u32(*space),
        address: F::from_u32(*index),
        value: limbs(*value),
    });
    let padding = std::iter::repeat_with(|| ImageWord {
        is_real: F::ZERO,
        is_linked: F::ZERO,
        space: F::ZERO,
        address: F::ZERO,
        value: [F::ZERO; 4],
    });
    registers.chain(words).chain(padding).take(height).collect()
}

#[cfg(test)]
mod tests {
    use zkvm_air::Round;

    use super::*;
    use crate::chain::fill_link;
    use crate::testing::{ChipTest, register_record};

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let word = 0x1_1200;
        // After the registers.
        let fixed = rows(&[(word, 5, SPACE_WRITABLE)]).swap_remove(REGISTERS);
        let chip: ChipTest<u32, ImageUse<F>> = ChipTest::described(
            NAME,
            Round::Boundary,
            eval,
            |word, _| ImageUse {
                link: fill_link(0x800, *word, 77, 4),
            },
            fixed,
        );
        // The chip looks nothing up in the program table; the row of some instruction stands in.
        let (_, program) = register_record(0x0073_02b3, 0, 0);
        chip.assert_chain_ascends(&(word, program), word, |row| &mut row.link);
        chip.assert_every_name_was_forged(&[]);
    }
}
