//! One decoded instruction in eight bytes.

use core::fmt;

use crate::{Format, Opcode, REGISTER_NAMES};

/// How many bytes an instruction takes in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Length {
    /// A compressed instruction.
    Two,
    /// A full instruction.
    Four,
}

impl Length {
    /// The length in bytes.
    #[must_use]
    pub const fn bytes(self) -> u32 {
        match self {
            Length::Two => 2,
            Length::Four => 4,
        }
    }
}

/// Set in the stored `rs2` byte of a four-byte instruction.
const FOUR_BYTES: u8 = 0x80;

/// A decoded instruction: opcode, operands, length. Operands that the opcode's format lacks are
/// zero, so equal instructions are equal bytes.
///
/// Eight bytes, because the interpreter fetches one for every cycle: the length hides in the top
/// bit of the `rs2` byte.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Instruction {
    opcode: Opcode,
    rd: u8,
    rs1: u8,
    rs2_and_length: u8,
    imm: i32,
}

const _: () = assert!(size_of::<Instruction>() == 8);

impl Instruction {
    /// Assembles an instruction. Register numbers are taken modulo 32; operands that the opcode's
    /// format lacks become zero.
    #[must_use]
    pub const fn new(opcode: Opcode, rd: u8, rs1: u8, rs2: u8, imm: i32, length: Length) -> Self {
        let format = opcode.format();
        let has_imm = !matches!(format, Format::R | Format::Amo | Format::LoadReserved);
        let rs2 = if format.reads_rs2() { rs2 & 31 } else { 0 };
        let flag = match length {
            Length::Two => 0,
            Length::Four => FOUR_BYTES,
        };
        Instruction {
            opcode,
            rd: if format.writes_rd() { rd & 31 } else { 0 },
            rs1: if format.reads_rs1() { rs1 & 31 } else { 0 },
            rs2_and_length: rs2 | flag,
            imm: if has_imm { imm } else { 0 },
        }
    }

    /// A word or half-word that is no instruction here; executing it faults. `word` is kept for
    /// the fault's report.
    #[must_use]
    pub const fn illegal(word: u32, length: Length) -> Self {
        Instruction::new(Opcode::Illegal, 0, 0, 0, word.cast_signed(), length)
    }

    /// The operation.
    #[inline(always)]
    #[must_use]
    pub const fn opcode(self) -> Opcode {
        self.opcode
    }

    /// Destination register, 0 to 31; 0 when the format has none.
    #[inline(always)]
    #[must_use]
    pub const fn rd(self) -> u8 {
        self.rd & 31
    }

    /// First source register, 0 to 31; 0 when the format has none.
    #[inline(always)]
    #[must_use]
    pub const fn rs1(self) -> u8 {
        self.rs1 & 31
    }

    /// Second source register, 0 to 31; 0 when the format has none.
    #[inline(always)]
    #[must_use]
    pub const fn rs2(self) -> u8 {
        self.rs2_and_length & 31
    }

    /// The immediate, sign-extended; for [`Opcode::Illegal`] the offending bits; else 0.
    #[inline(always)]
    #[must_use]
    pub const fn imm(self) -> i32 {
        self.imm
    }

    /// How many bytes it takes in memory.
    #[inline(always)]
    #[must_use]
    pub const fn length(self) -> Length {
        if self.rs2_and_length & FOUR_BYTES == 0 {
            Length::Two
        } else {
            Length::Four
        }
    }

    /// Its length in half-words, 1 or 2: how far the next instruction's table index lies.
    #[inline(always)]
    #[must_use]
    pub const fn halfwords(self) -> usize {
        1 + (self.rs2_and_length >> 7) as usize
    }
}

impl fmt::Debug for Instruction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self} ({} bytes)", self.length().bytes())
    }
}

impl fmt::Display for Instruction {
    /// Writes assembly with relative branch and jump targets, for example `beq a0, a1, .+16`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |register: u8| REGISTER_NAMES[usize::from(register)];
        let (rd, rs1, rs2) = (name(self.rd()), name(self.rs1()), name(self.rs2()));
        let (op, imm) = (self.opcode.mnemonic(), self.imm);
        let is_load = matches!(self.opcode.chip(), Some(crate::Chip::Load));
        match self.opcode.format() {
            Format::R => write!(f, "{op} {rd}, {rs1}, {rs2}"),
            Format::I if is_load || self.opcode == Opcode::Jalr => {
                write!(f, "{op} {rd}, {imm}({rs1})")
            }
            Format::I | Format::Shift64 | Format::Shift32 => write!(f, "{op} {rd}, {rs1}, {imm}"),
            Format::S => write!(f, "{op} {rs2}, {imm}({rs1})"),
            Format::B => write!(f, "{op} {rs1}, {rs2}, .{imm:+}"),
            Format::U => write!(f, "{op} {rd}, {:#x}", imm.cast_unsigned() >> 12),
            Format::J => write!(f, "{op} {rd}, .{imm:+}"),
            Format::Amo => write!(f, "{op} {rd}, {rs2}, ({rs1})"),
            Format::LoadReserved => write!(f, "{op} {rd}, ({rs1})"),
            Format::System if self.opcode == Opcode::Illegal => {
                write!(f, "{op} {:#x}", imm.cast_unsigned())
            }
            Format::System => write!(f, "{op}"),
        }
    }
}
