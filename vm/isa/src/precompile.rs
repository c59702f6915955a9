//! Precompiles: system calls that do what would take a guest thousands of instructions.
//!
//! A call's arguments `a0`, `a1` and `a2` are addresses: multiples of 8 below 2^32, and 0 where the
//! call has no use for one. Its [`Operand`]s are whole 8-byte words at these addresses; the one at `a0`
//! is read and replaced, the others are read. Operands may overlap: every word is read before the
//! first is written. Numbers are little-endian over all bytes of their words.

use crate::Chip;
use crate::record::{SUBSTEP_MEMORY, SUBSTEP_RS1, SUBSTEP_RS2};
use crate::syscall::PRECOMPILE_BASE;

/// A system call that a chip of its own proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Precompile {
    /// keccak-f\[1600\] (FIPS 202, section 3.3) on the 25 lanes at `a0`; lane `x + 5y` is word
    /// `x + 5y`.
    KeccakF = 1,
    /// SHA-256's compression (FIPS 180-4, section 6.2.2) of the 64 bytes at `a1` into the eight
    /// 32-bit words at `a0`, little-endian each, as a `[u32; 8]` lies in memory.
    Sha256Compress = 2,
    /// `a0 = a0 · a1 mod a2`, 256 bits each. A modulus of 0 is a fault.
    MultiplyMod = 3,
    /// `a0 = a0 + a1` on secp256k1 (SEC 2, section 2.4.1): affine points, `x` then `y`, 256 bits
    /// each, by the formula of addition, on the curve or not. A coordinate that is not below the
    /// field's prime is a fault, and so are equal `x`.
    Secp256k1Add = 4,
    /// `a0 = 2 · a0` on secp256k1, by the formula of doubling. A coordinate that is not below the
    /// field's prime is a fault, and so is `y = 0`.
    Secp256k1Double = 5,
}

/// What a call does with the words at one of its addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operand {
    /// Number of 8-byte words.
    pub words: u32,
    /// When they are accessed, within the instruction's clocks.
    pub substep: u32,
    /// Whether they are written as well as read.
    pub is_written: bool,
}

/// The operand at `a0`: read and written.
const fn at_a0(words: u32) -> Operand {
    Operand {
        words,
        substep: SUBSTEP_MEMORY,
        is_written: true,
    }
}

const fn at_a1(words: u32) -> Operand {
    Operand {
        words,
        substep: SUBSTEP_RS1,
        is_written: false,
    }
}

const fn at_a2(words: u32) -> Operand {
    Operand {
        words,
        substep: SUBSTEP_RS2,
        is_written: false,
    }
}

impl Precompile {
    /// Number of precompiles.
    pub const COUNT: usize = 5;

    /// Most words of all operands of a call together.
    pub const WORDS_MAX: usize = 25;

    /// Every precompile, in the order of their discriminants.
    pub const ALL: [Precompile; Precompile::COUNT] = [
        Precompile::KeccakF,
        Precompile::Sha256Compress,
        Precompile::MultiplyMod,
        Precompile::Secp256k1Add,
        Precompile::Secp256k1Double,
    ];

    /// Its index in [`Self::ALL`].
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize - 1
    }

    /// The number of its system call.
    #[must_use]
    pub const fn number(self) -> u64 {
        PRECOMPILE_BASE + self as u64
    }

    /// The precompile whose system call has `number`.
    #[must_use]
    pub fn of_number(number: u64) -> Option<Precompile> {
        Precompile::ALL
            .into_iter()
            .find(|call| call.number() == number)
    }

    /// Its name in tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Precompile::KeccakF => "keccak_f",
            Precompile::Sha256Compress => "sha256_compress",
            Precompile::MultiplyMod => "multiply_mod",
            Precompile::Secp256k1Add => "secp256k1_add",
            Precompile::Secp256k1Double => "secp256k1_double",
        }
    }

    /// Its operands, from `a0` on.
    #[must_use]
    pub const fn operands(self) -> &'static [Operand] {
        match self {
            Precompile::KeccakF => &const { [at_a0(25)] },
            Precompile::Sha256Compress => &const { [at_a0(4), at_a1(8)] },
            Precompile::MultiplyMod => &const { [at_a0(4), at_a1(4), at_a2(4)] },
            Precompile::Secp256k1Add => &const { [at_a0(8), at_a1(8)] },
            Precompile::Secp256k1Double => &const { [at_a0(8)] },
        }
    }

    /// Words of all its operands together.
    #[must_use]
    pub const fn words(self) -> usize {
        let operands = self.operands();
        let (mut words, mut index) = (0, 0);
        while index < operands.len() {
            words += operands[index].words as usize;
            index += 1;
        }
        words
    }

    /// The rows that a call is, by chip.
    #[must_use]
    pub const fn rows(self) -> &'static [(Chip, u64)] {
        match self {
            Precompile::KeccakF => &[(Chip::Keccak, 1), (Chip::KeccakRound, 24)],
            Precompile::Sha256Compress => &[(Chip::Sha256, 1), (Chip::Sha256Round, 64)],
            Precompile::MultiplyMod => &[(Chip::MultiplyMod, 1)],
            Precompile::Secp256k1Add | Precompile::Secp256k1Double => &[(Chip::Secp256k1, 1)],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lead_back_to_their_precompiles() {
        for (index, call) in Precompile::ALL.into_iter().enumerate() {
            assert_eq!(call.index(), index);
            assert_eq!(Precompile::of_number(call.number()), Some(call));
            assert!(call.words() <= Precompile::WORDS_MAX);
        }
        assert_eq!(Precompile::of_number(PRECOMPILE_BASE), None);
    }
}
