//! Decoding and encoding of four-byte instructions, and naming what is not supported.
//!
//! `fence`, `fence.tso`, `pause` and `fence.i` decode to `addi x0, x0, 0`: one hart and unchanging
//! code leave them nothing to order.
//!
//! Source: RISC-V unprivileged specification 20240411, chapters 2, 4, 13, 14 and 35.

use core::fmt;

use crate::{Format, Instruction, Length, Opcode, expand};

/// What a position in executable memory decodes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decoded {
    /// The instruction, [`Opcode::Illegal`] if it is none of this machine's.
    pub instruction: Instruction,
    /// For an illegal one, which known extension it belongs to, if any.
    pub unsupported: Option<Unsupported>,
}

/// Known RISC-V extensions that the machine leaves out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unsupported {
    /// F, D, Q and their compressed forms.
    Float,
    /// V.
    Vector,
    /// Zicsr: control and status registers.
    Csr,
    /// Privileged instructions such as `mret` and `wfi`.
    Privileged,
    /// A longer encoding than 32 bits.
    Long,
}

impl fmt::Display for Unsupported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unsupported::Float => "floating point (F/D)",
            Unsupported::Vector => "vector (V)",
            Unsupported::Csr => "control and status registers (Zicsr)",
            Unsupported::Privileged => "privileged instructions",
            Unsupported::Long => "encodings longer than 32 bits",
        })
    }
}

/// `unimp` of LLVM and GNU as: a write to a read-only CSR, which always traps.
const UNIMP: u32 = 0xc000_1073;

/// Decodes the instruction whose first four bytes are `word`; if its low two bits are not both
/// set it is a compressed one and only the low half counts.
#[must_use]
pub fn decode(word: u32) -> Decoded {
    if word & 3 != 3 {
        return expand(word as u16);
    }
    let instruction = decode_full(word);
    let unsupported = match instruction.opcode() {
        Opcode::Illegal => classify_unsupported(word),
        _ => None,
    };
    Decoded {
        instruction,
        unsupported,
    }
}

fn decode_full(word: u32) -> Instruction {
    let Some(opcode) = find_opcode(word) else {
        return if word & 0x7f == 0x0f && funct3(word) <= 1 {
            Instruction::new(Opcode::Addi, 0, 0, 0, 0, Length::Four)
        } else {
            Instruction::illegal(word, Length::Four)
        };
    };
    let rd = field(word, 7, 5) as u8;
    let rs1 = field(word, 15, 5) as u8;
    let rs2 = field(word, 20, 5) as u8;
    Instruction::new(
        opcode,
        rd,
        rs1,
        rs2,
        immediate(opcode.format(), word),
        Length::Four,
    )
}

fn find_opcode(word: u32) -> Option<Opcode> {
    Opcode::ALL.into_iter().find(|opcode| {
        let (bits, mask) = OPCODE_ENCODINGS[*opcode as usize];
        word & mask == bits
    })
}

/// The encodings in a flat array: decoding scans it once per half-word of text.
const OPCODE_ENCODINGS: [(u32, u32); Opcode::COUNT - 1] = {
    let mut encodings = [(0, 0); Opcode::COUNT - 1];
    let mut index = 0;
    while index < encodings.len() {
        if let Some(encoding) = Opcode::ALL[index].encoding() {
            encodings[index] = encoding;
        }
        index += 1;
    }
    encodings
};

fn field(word: u32, low: u32, bits: u32) -> u32 {
    (word >> low) & ((1 << bits) - 1)
}

fn funct3(word: u32) -> u32 {
    field(word, 12, 3)
}

/// The sign-extended immediate of `word` in `format`; 0 if the format has none.
fn immediate(format: Format, word: u32) -> i32 {
    let signed = word.cast_signed();
    match format {
        Format::R | Format::Amo | Format::LoadReserved | Format::System => 0,
        Format::I => signed >> 20,
        Format::Shift64 => field(word, 20, 6).cast_signed(),
        Format::Shift32 => field(word, 20, 5).cast_signed(),
        Format::S => (signed >> 25 << 5) | field(word, 7, 5).cast_signed(),
        Format::B => {
            let low = field(word, 8, 4) << 1 | field(word, 25, 6) << 5 | field(word, 7, 1) << 11;
            (signed >> 31 << 12) | low.cast_signed()
        }
        Format::U => (word & 0xffff_f000).cast_signed(),
        Format::J => {
            let low = field(word, 21, 10) << 1 | field(word, 20, 1) << 11 | (word & 0xff000);
            (signed >> 31 << 20) | low.cast_signed()
        }
    }
}

/// Encodes `instruction` as four bytes; `None` for [`Opcode::Illegal`]. The immediate must fit its
/// format (it does for every decoded instruction of four bytes).
#[must_use]
pub fn encode(instruction: Instruction) -> Option<u32> {
    let (bits, _) = instruction.opcode().encoding()?;
    let imm = instruction.imm().cast_unsigned();
    let rd = u32::from(instruction.rd()) << 7;
    let rs1 = u32::from(instruction.rs1()) << 15;
    let rs2 = u32::from(instruction.rs2()) << 20;
    let imm_bits = match instruction.opcode().format() {
        Format::R | Format::Amo | Format::LoadReserved | Format::System => 0,
        Format::I => imm << 20,
        Format::Shift64 | Format::Shift32 => field(imm, 0, 6) << 20,
        Format::S => field(imm, 5, 7) << 25 | field(imm, 0, 5) << 7,
        Format::B => {
            field(imm, 12, 1) << 31
                | field(imm, 5, 6) << 25
                | field(imm, 1, 4) << 8
                | field(imm, 11, 1) << 7
        }
        Format::U => imm & 0xffff_f000,
        Format::J => {
            field(imm, 20, 1) << 31
                | field(imm, 1, 10) << 21
                | field(imm, 11, 1) << 20
                | (imm & 0xff000)
        }
    };
    Some(bits | rd | rs1 | rs2 | imm_bits)
}

/// Which known but unsupported extension the four-byte `word` belongs to; `None` for `unimp`,
/// which compilers emit for unreachable code, and for words that mean nothing known.
#[must_use]
pub fn classify_unsupported(word: u32) -> Option<Unsupported> {
    if word == UNIMP {
        return None;
    }
    if word & 0x1f == 0x1f {
        return Some(Unsupported::Long);
    }
    match word & 0x7f {
        // LOAD-FP and STORE-FP serve floats (widths 16 to 128 bits) and vectors (the rest).
        0x07 | 0x27 if matches!(funct3(word), 1..=4) => Some(Unsupported::Float),
        0x07 | 0x27 | 0x57 => Some(Unsupported::Vector),
        0x43 | 0x47 | 0x4b | 0x4f | 0x53 => Some(Unsupported::Float),
        0x73 if matches!(funct3(word), 1..=3 | 5..=7) => Some(Unsupported::Csr),
        0x73 if funct3(word) == 0 => Some(Unsupported::Privileged),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic words that visit every opcode: the encodings with pseudo-random operands.
    fn sample_words() -> impl Iterator<Item = (Opcode, u32)> {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        Opcode::ALL.into_iter().flat_map(move |opcode| {
            let (bits, mask) = opcode.encoding().expect("listed opcodes have encodings");
            let words: [u32; 64] = core::array::from_fn(|_| {
                state = state
                    .wrapping_mul(6_364_136_223_846_793_005)
                    .wrapping_add(1);
                bits | ((state >> 32) as u32 & !mask)
            });
            words.into_iter().map(move |word| (opcode, word))
        })
    }

    #[test]
    fn decode_inverts_encode_for_every_opcode() {
        for (opcode, word) in sample_words() {
            let decoded = decode(word).instruction;
            assert_eq!(decoded.opcode(), opcode, "{word:#x}");
            let again = encode(decoded).expect("decoded instructions encode");
            assert_eq!(decode(again).instruction, decoded, "{word:#x}");
            // Only the acquire and release bits of atomics are dropped.
            let kept = match opcode.format() {
                Format::Amo | Format::LoadReserved => !0x0600_0000,
                _ => !0,
            };
            assert_eq!(again, word & kept, "{opcode:?}");
        }
    }

    #[test]
    fn every_two_byte_and_every_opcode_group_decodes_without_panic() {
        for low in 0..=u16::MAX {
            let _ = decode(u32::from(low));
            let _ = decode(u32::from(low) << 16 | 0x7f);
            let _ = decode(u32::from(low) << 7 | 0x73);
        }
    }

    #[test]
    fn immediates_are_sign_extended() {
        let imm = |word| decode(word).instruction.imm();
        assert_eq!(imm(0xfff0_0093), -1); // addi ra, zero, -1
        assert_eq!(imm(0x8000_0093), -2048);
        assert_eq!(imm(0xfe00_0ee3), -4); // beq zero, zero, .-4
        assert_eq!(imm(0xfe11_3c23), -8); // sd ra, -8(sp)
        assert_eq!(imm(0xffff_f06f), -2); // jal zero, .-2
        assert_eq!(imm(0x8000_00b7), i32::MIN); // lui ra, 0x80000
        assert_eq!(imm(0x03f0_9093), 63); // slli ra, ra, 63
    }

    #[test]
    fn unsupported_extensions_are_named() {
        let unsupported = |word| decode(word).unsupported;
        assert_eq!(unsupported(0x0005_3507), Some(Unsupported::Float)); // fld fa0, 0(a0)
        assert_eq!(unsupported(0x02a5_7553), Some(Unsupported::Float)); // fadd.d
        assert_eq!(unsupported(0x0205_7007), Some(Unsupported::Vector)); // vle64.v
        assert_eq!(unsupported(0xc000_2573), Some(Unsupported::Csr)); // rdcycle a0
        assert_eq!(unsupported(0x3020_0073), Some(Unsupported::Privileged)); // mret
        assert_eq!(unsupported(0xc000_1073), None); // unimp
        assert_eq!(unsupported(0x0000_001f), Some(Unsupported::Long));
        assert_eq!(unsupported(0x0000_2108), Some(Unsupported::Float)); // c.fld
        assert_eq!(unsupported(0x0000_0000), None); // c.unimp
    }

    #[test]
    fn fences_are_no_operations() {
        for word in [0x0ff0_000f, 0x8330_000f, 0x0100_000f, 0x0000_100f] {
            let nop = Instruction::new(Opcode::Addi, 0, 0, 0, 0, Length::Four);
            assert_eq!(decode(word).instruction, nop, "{word:#x}");
        }
    }
}
