//! An assembler for RV64IMAC, written from the instruction manual's encoding tables.
//!
//! It shares no code with the machine's decoder, so each checks the other. [`base`] has the
//! four-byte instructions, [`compressed`] the two-byte ones, [`Assembler`] lays them out and
//! resolves labels. An operand out of range is a mistake in a test and panics.
//!
//! Source: The RISC-V Instruction Set Manual, Volume I, version 20240411, chapters "RV32/64G
//! Instruction Set Listings" and "C Extension".

mod assembler;
pub mod base;
pub mod compressed;

pub use assembler::{Assembled, Assembler, Label};

/// A register number, `x0` to `x31`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reg(u8);

impl Reg {
    /// `x0`, always zero.
    pub const ZERO: Reg = Reg(0);
    /// `x1`, the usual link register.
    pub const RA: Reg = Reg(1);
    /// `x2`, the stack pointer.
    pub const SP: Reg = Reg(2);
    /// `x3`, the global pointer.
    pub const GP: Reg = Reg(3);
    /// `x4`, the thread pointer.
    pub const TP: Reg = Reg(4);
    /// `x5`.
    pub const T0: Reg = Reg(5);
    /// `x6`.
    pub const T1: Reg = Reg(6);
    /// `x7`.
    pub const T2: Reg = Reg(7);
    /// `x10`, first argument and result.
    pub const A0: Reg = Reg(10);
    /// `x11`.
    pub const A1: Reg = Reg(11);
    /// `x12`.
    pub const A2: Reg = Reg(12);
    /// `x17`, the number of a system call.
    pub const A7: Reg = Reg(17);

    /// Register `x<number>`.
    pub const fn x(number: u8) -> Reg {
        assert!(number < 32, "there are 32 registers");
        Reg(number)
    }

    /// The register's number.
    pub const fn number(self) -> u8 {
        self.0
    }

    /// Whether the three-bit register fields of compressed instructions can name it (`x8..=x15`).
    pub const fn is_compressed(self) -> bool {
        self.0 >= 8 && self.0 < 16
    }

    /// The five-bit field.
    const fn field(self) -> u32 {
        self.0 as u32
    }

    /// The three-bit field of compressed instructions.
    fn compressed_field(self) -> u32 {
        assert!(
            self.is_compressed(),
            "a three-bit field names x8 to x15, not x{}",
            self.0
        );
        u32::from(self.0) - 8
    }
}

/// The ordering bits of an atomic instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    /// Neither bit.
    Relaxed,
    /// `.rl`, bit 25.
    Release,
    /// `.aq`, bit 26.
    Acquire,
    /// `.aqrl`, both bits.
    AcquireRelease,
}

impl Order {
    /// Every ordering.
    pub const ALL: [Order; 4] = [
        Order::Relaxed,
        Order::Release,
        Order::Acquire,
        Order::AcquireRelease,
    ];

    /// The two-bit field `aq rl`.
    fn field(self) -> u32 {
        match self {
            Order::Relaxed => 0,
            Order::Release => 1,
            Order::Acquire => 2,
            Order::AcquireRelease => 3,
        }
    }
}

/// One encoded instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The mnemonic without operands and without ordering suffix, such as `c.addi` or `lr.w`.
    pub name: &'static str,
    /// The encoding; a compressed one is in the low 16 bits.
    pub bits: u32,
    /// 2 or 4.
    pub len_bytes: u8,
}

impl Encoded {
    /// A four-byte instruction.
    fn long(name: &'static str, bits: u32) -> Self {
        assert_eq!(bits & 3, 3, "a four-byte instruction ends in 0b11");
        Self {
            name,
            bits,
            len_bytes: 4,
        }
    }

    /// A two-byte instruction.
    fn short(name: &'static str, bits: u32) -> Self {
        assert!(
            bits < 1 << 16 && bits & 3 != 3,
            "a two-byte instruction does not end in 0b11"
        );
        Self {
            name,
            bits,
            len_bytes: 2,
        }
    }

    /// The encoding of a four-byte instruction.
    pub fn word(self) -> u32 {
        assert_eq!(self.len_bytes, 4, "{} is compressed", self.name);
        self.bits
    }

    /// The encoding of a two-byte instruction.
    pub fn halfword(self) -> u16 {
        assert_eq!(self.len_bytes, 2, "{} is not compressed", self.name);
        self.bits as u16
    }
}

/// Bits `high..=low` of `value`, moved so that `low` lands at bit `at`.
fn place(value: u32, high: u32, low: u32, at: u32) -> u32 {
    let width = high - low + 1;
    ((value >> low) & ((1 << width) - 1)) << at
}

/// Checks that `value` is a signed number of `bits` bits.
fn assert_signed(name: &str, value: i32, bits: u32) {
    let half = 1_i64 << (bits - 1);
    let fits = (-half..half).contains(&i64::from(value));
    assert!(fits, "{name}: {value} does not fit in {bits} signed bits");
}

/// Checks that `value` is a multiple of `scale` below `limit`.
fn assert_scaled(name: &str, value: u32, scale: u32, limit: u32) {
    assert!(
        value < limit && value.is_multiple_of(scale),
        "{name}: {value} is not a multiple of {scale} below {limit}"
    );
}

#[cfg(test)]
mod tests;
