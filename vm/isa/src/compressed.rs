//! Expansion of two-byte instructions to the full instructions they stand for.
//!
//! Reserved encodings are illegal. Hint encodings (`c.addi` with immediate 0 and the like) expand
//! to the operation they spell, which changes nothing.
//!
//! Source: RISC-V unprivileged specification 20240411, chapter 28 ("C" extension), tables 28.1 to
//! 28.8 for RV64.

use crate::{Decoded, Instruction, Length, Opcode, Unsupported};

/// Expands the two-byte instruction `half`, whose low two bits must not both be set (if they are,
/// the result is illegal).
#[must_use]
pub fn expand(half: u16) -> Decoded {
    let c = Fields(u32::from(half));
    let unsupported = match (c.0 & 3, c.bits(13, 3)) {
        (0 | 2, 1 | 5) => Some(Unsupported::Float),
        _ => None,
    };
    let instruction = match c.0 & 3 {
        0 => quadrant_0(c),
        1 => quadrant_1(c),
        2 => quadrant_2(c),
        _ => None,
    };
    Decoded {
        instruction: instruction.unwrap_or(Instruction::illegal(c.0, Length::Two)),
        unsupported,
    }
}

/// The half-word, with access to its bit fields.
#[derive(Clone, Copy)]
struct Fields(u32);

impl Fields {
    const fn bits(self, low: u32, count: u32) -> u32 {
        (self.0 >> low) & ((1 << count) - 1)
    }

    /// Full-range register in bits 11:7.
    const fn rd(self) -> u8 {
        self.bits(7, 5) as u8
    }

    /// Full-range register in bits 6:2.
    const fn rs2(self) -> u8 {
        self.bits(2, 5) as u8
    }

    /// Register x8..x15 in bits 9:7.
    const fn rs1_prime(self) -> u8 {
        8 + self.bits(7, 3) as u8
    }

    /// Register x8..x15 in bits 4:2.
    const fn rs2_prime(self) -> u8 {
        8 + self.bits(2, 3) as u8
    }

    /// Six-bit signed immediate in bits 12 and 6:2.
    const fn imm6(self) -> i32 {
        sign_extend(self.bits(12, 1) << 5 | self.bits(2, 5), 6)
    }

    /// Six-bit unsigned shift amount in bits 12 and 6:2.
    const fn shamt(self) -> i32 {
        (self.bits(12, 1) << 5 | self.bits(2, 5)).cast_signed()
    }
}

const fn sign_extend(value: u32, bits: u32) -> i32 {
    (value << (32 - bits)).cast_signed() >> (32 - bits)
}

const fn two(opcode: Opcode, rd: u8, rs1: u8, rs2: u8, imm: i32) -> Option<Instruction> {
    Some(Instruction::new(opcode, rd, rs1, rs2, imm, Length::Two))
}

/// Register-relative loads and stores, and the address of a stack slot.
fn quadrant_0(c: Fields) -> Option<Instruction> {
    let (base, other) = (c.rs1_prime(), c.rs2_prime());
    let offset_w = (c.bits(6, 1) << 2 | c.bits(10, 3) << 3 | c.bits(5, 1) << 6).cast_signed();
    let offset_d = (c.bits(10, 3) << 3 | c.bits(5, 2) << 6).cast_signed();
    match c.bits(13, 3) {
        0 => {
            let imm =
                c.bits(6, 1) << 2 | c.bits(5, 1) << 3 | c.bits(11, 2) << 4 | c.bits(7, 4) << 6;
            if imm == 0 {
                None
            } else {
                two(Opcode::Addi, other, 2, 0, imm.cast_signed())
            }
        }
        2 => two(Opcode::Lw, other, base, 0, offset_w),
        3 => two(Opcode::Ld, other, base, 0, offset_d),
        6 => two(Opcode::Sw, 0, base, other, offset_w),
        7 => two(Opcode::Sd, 0, base, other, offset_d),
        _ => None,
    }
}

/// Immediates, arithmetic on x8..x15, jumps and branches.
fn quadrant_1(c: Fields) -> Option<Instruction> {
    let rd = c.rd();
    match c.bits(13, 3) {
        0 => two(Opcode::Addi, rd, rd, 0, c.imm6()),
        1 if rd == 0 => None,
        1 => two(Opcode::Addiw, rd, rd, 0, c.imm6()),
        2 => two(Opcode::Addi, rd, 0, 0, c.imm6()),
        3 if rd == 2 => {
            let imm = c.bits(6, 1) << 4
                | c.bits(2, 1) << 5
                | c.bits(5, 1) << 6
                | c.bits(3, 2) << 7
                | c.bits(12, 1) << 9;
            if imm == 0 {
                None
            } else {
                two(Opcode::Addi, 2, 2, 0, sign_extend(imm, 10))
            }
        }
        3 if c.imm6() == 0 => None,
        3 => two(Opcode::Lui, rd, 0, 0, c.imm6() << 12),
        4 => arithmetic_prime(c),
        5 => two(Opcode::Jal, 0, 0, 0, jump_offset(c)),
        6 => two(Opcode::Beq, 0, c.rs1_prime(), 0, branch_offset(c)),
        _ => two(Opcode::Bne, 0, c.rs1_prime(), 0, branch_offset(c)),
    }
}

fn arithmetic_prime(c: Fields) -> Option<Instruction> {
    let (rd, rs2) = (c.rs1_prime(), c.rs2_prime());
    match c.bits(10, 2) {
        0 => two(Opcode::Srli, rd, rd, 0, c.shamt()),
        1 => two(Opcode::Srai, rd, rd, 0, c.shamt()),
        2 => two(Opcode::Andi, rd, rd, 0, c.imm6()),
        _ => {
            let opcode = match (c.bits(12, 1), c.bits(5, 2)) {
                (0, 0) => Opcode::Sub,
                (0, 1) => Opcode::Xor,
                (0, 2) => Opcode::Or,
                (0, _) => Opcode::And,
                (_, 0) => Opcode::Subw,
                (_, 1) => Opcode::Addw,
                _ => return None,
            };
            two(opcode, rd, rd, rs2, 0)
        }
    }
}

const fn jump_offset(c: Fields) -> i32 {
    let imm = c.bits(3, 3) << 1
        | c.bits(11, 1) << 4
        | c.bits(2, 1) << 5
        | c.bits(7, 1) << 6
        | c.bits(6, 1) << 7
        | c.bits(9, 2) << 8
        | c.bits(8, 1) << 10
        | c.bits(12, 1) << 11;
    sign_extend(imm, 12)
}

const fn branch_offset(c: Fields) -> i32 {
    let imm = c.bits(3, 2) << 1
        | c.bits(10, 2) << 3
        | c.bits(2, 1) << 5
        | c.bits(5, 2) << 6
        | c.bits(12, 1) << 8;
    sign_extend(imm, 9)
}

/// Stack-relative loads and stores, moves, indirect jumps.
fn quadrant_2(c: Fields) -> Option<Instruction> {
    let (rd, rs2) = (c.rd(), c.rs2());
    match c.bits(13, 3) {
        0 => two(Opcode::Slli, rd, rd, 0, c.shamt()),
        2 | 3 if rd == 0 => None,
        2 => {
            let offset = c.bits(4, 3) << 2 | c.bits(12, 1) << 5 | c.bits(2, 2) << 6;
            two(Opcode::Lw, rd, 2, 0, offset.cast_signed())
        }
        3 => {
            let offset = c.bits(5, 2) << 3 | c.bits(12, 1) << 5 | c.bits(2, 3) << 6;
            two(Opcode::Ld, rd, 2, 0, offset.cast_signed())
        }
        4 => match (c.bits(12, 1), rd, rs2) {
            (0, 0, 0) => None,
            (0, _, 0) => two(Opcode::Jalr, 0, rd, 0, 0),
            (0, _, _) => two(Opcode::Add, rd, 0, rs2, 0),
            (_, 0, 0) => two(Opcode::Ebreak, 0, 0, 0, 0),
            (_, _, 0) => two(Opcode::Jalr, 1, rd, 0, 0),
            _ => two(Opcode::Add, rd, rd, rs2, 0),
        },
        6 => {
            let offset = c.bits(9, 4) << 2 | c.bits(7, 2) << 6;
            two(Opcode::Sw, 0, 2, rs2, offset.cast_signed())
        }
        7 => {
            let offset = c.bits(10, 3) << 3 | c.bits(7, 3) << 6;
            two(Opcode::Sd, 0, 2, rs2, offset.cast_signed())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use std::string::ToString;

    use super::*;

    #[test]
    fn expansions_match_the_assembler() {
        // Half-words and texts as GNU objdump prints them.
        let cases = [
            (0x1141, "addi sp, sp, -16"),
            (0x7139, "addi sp, sp, -64"),
            (0xe406, "sd ra, 8(sp)"),
            (0x60a2, "ld ra, 8(sp)"),
            (0x4505, "addi a0, zero, 1"),
            (0x8082, "jalr zero, 0(ra)"),
            (0x9002, "ebreak"),
            (0x852e, "add a0, zero, a1"),
            (0x952e, "add a0, a0, a1"),
            (0x9d0d, "subw a0, a0, a1"),
            (0x9d2d, "addw a0, a0, a1"),
            (0x0001, "addi zero, zero, 0"),
            (0x0028, "addi a0, sp, 8"),
            (0xbfd5, "jal zero, .-12"),
            (0xc119, "beq a0, zero, .+6"),
            (0x6505, "lui a0, 0x1"),
            (0x757d, "lui a0, 0xfffff"),
            (0x1502, "slli a0, a0, 32"),
            (0x9101, "srli a0, a0, 32"),
            (0x411c, "lw a5, 0(a0)"),
            (0x2505, "addiw a0, a0, 1"),
        ];
        for (half, text) in cases {
            let decoded = expand(half);
            assert_eq!(decoded.instruction.to_string(), text, "{half:#x}");
            assert_eq!(decoded.instruction.length(), Length::Two);
        }
    }

    #[test]
    fn reserved_encodings_are_illegal() {
        // All zero; addi4spn 0; addi16sp 0; lui 0; addiw x0; lwsp x0; ldsp x0; jr x0; 0x9c41 rows.
        for half in [
            0x0000, 0x0004, 0x6101, 0x6501, 0x2005, 0x4002, 0x6002, 0x8002, 0x9c41, 0x9c61,
        ] {
            assert_eq!(
                expand(half).instruction.opcode(),
                Opcode::Illegal,
                "{half:#x}"
            );
        }
    }
}
