//! Two-byte instructions with the four-byte instructions they stand for.
//!
//! Source: The RISC-V Instruction Set Manual, Volume I, version 20240411, chapter "C Extension",
//! whose text gives each expansion, and its tables of reserved encodings and hints.

use crate::asm::base::{
    add, addi, addiw, addw, and, andi, beq, bne, ebreak, jal, jalr, ld, lui, lw, or, sd, slli,
    srai, srli, sub, subw, sw, xor,
};
use crate::asm::compressed::{
    c_add, c_addi, c_addi4spn, c_addi16sp, c_addiw, c_addw, c_and, c_andi, c_beqz, c_bnez,
    c_ebreak, c_j, c_jalr, c_jr, c_ld, c_ldsp, c_li, c_lui, c_lw, c_lwsp, c_mv, c_nop, c_or, c_sd,
    c_sdsp, c_slli, c_srai, c_srli, c_sub, c_subw, c_sw, c_swsp, c_xor,
};
use crate::asm::{Encoded, Reg};

/// A two-byte instruction and what it must behave as, but for its length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompressedPair {
    /// The mnemonic of the two-byte instruction.
    pub name: &'static str,
    /// Its encoding.
    pub halfword: u16,
    /// The encoding of the four-byte instruction. For `c.jalr` the link is still 2 bytes on.
    pub word: u32,
}

fn pair(short: Encoded, long: Encoded) -> CompressedPair {
    CompressedPair {
        name: short.name,
        halfword: short.halfword(),
        word: long.word(),
    }
}

fn registers(from: u8, to: u8) -> impl Iterator<Item = Reg> + Clone {
    (from..=to).map(Reg::x)
}

fn short_pairs() -> impl Iterator<Item = (Reg, Reg)> {
    registers(8, 15).flat_map(|a| registers(8, 15).map(move |b| (a, b)))
}

/// Every encoding of RV64C's integer instructions that is neither reserved nor a hint.
pub fn compressed_pairs() -> Vec<CompressedPair> {
    let mut pairs = vec![
        pair(c_nop(), addi(Reg::ZERO, Reg::ZERO, 0)),
        pair(c_ebreak(), ebreak()),
    ];
    add_memory(&mut pairs);
    add_immediates(&mut pairs);
    add_register_operations(&mut pairs);
    add_jumps(&mut pairs);
    pairs
}

fn add_memory(pairs: &mut Vec<CompressedPair>) {
    for (register, base) in short_pairs() {
        for slot in 0..32 {
            let (word, double) = (4 * slot, 8 * slot);
            let (word_i, double_i) = (word as i32, double as i32);
            pairs.extend([
                pair(c_lw(register, base, word), lw(register, base, word_i)),
                pair(c_ld(register, base, double), ld(register, base, double_i)),
                pair(c_sw(register, base, word), sw(register, base, word_i)),
                pair(c_sd(register, base, double), sd(register, base, double_i)),
            ]);
        }
    }
    for register in registers(0, 31) {
        for slot in 0..64 {
            let (word, double) = (4 * slot, 8 * slot);
            let (word_i, double_i) = (word as i32, double as i32);
            pairs.push(pair(c_swsp(register, word), sw(register, Reg::SP, word_i)));
            pairs.push(pair(
                c_sdsp(register, double),
                sd(register, Reg::SP, double_i),
            ));
            if register != Reg::ZERO {
                pairs.push(pair(c_lwsp(register, word), lw(register, Reg::SP, word_i)));
                pairs.push(pair(
                    c_ldsp(register, double),
                    ld(register, Reg::SP, double_i),
                ));
            }
        }
    }
}

fn add_immediates(pairs: &mut Vec<CompressedPair>) {
    for rd in registers(8, 15) {
        let wide = (4..1024).step_by(4);
        pairs.extend(wide.map(|imm| pair(c_addi4spn(rd, imm), addi(rd, Reg::SP, imm as i32))));
        pairs.extend((-32..32).map(|imm| pair(c_andi(rd, imm), andi(rd, rd, imm))));
        for shamt in 1..64 {
            pairs.push(pair(c_srli(rd, shamt), srli(rd, rd, shamt)));
            pairs.push(pair(c_srai(rd, shamt), srai(rd, rd, shamt)));
        }
    }
    for imm in (-512..512).step_by(16).filter(|&imm| imm != 0) {
        pairs.push(pair(c_addi16sp(imm), addi(Reg::SP, Reg::SP, imm)));
    }
    for rd in registers(1, 31) {
        pairs.extend((1..64).map(|shamt| pair(c_slli(rd, shamt), slli(rd, rd, shamt))));
        for imm in -32..32 {
            pairs.push(pair(c_addiw(rd, imm), addiw(rd, rd, imm)));
            pairs.push(pair(c_li(rd, imm), addi(rd, Reg::ZERO, imm)));
            if imm != 0 {
                pairs.push(pair(c_addi(rd, imm), addi(rd, rd, imm)));
            }
            if imm != 0 && rd != Reg::SP {
                pairs.push(pair(c_lui(rd, imm), lui(rd, imm as u32 & 0xfffff)));
            }
        }
    }
}

fn add_register_operations(pairs: &mut Vec<CompressedPair>) {
    for (rd, rs2) in short_pairs() {
        pairs.extend([
            pair(c_sub(rd, rs2), sub(rd, rd, rs2)),
            pair(c_xor(rd, rs2), xor(rd, rd, rs2)),
            pair(c_or(rd, rs2), or(rd, rd, rs2)),
            pair(c_and(rd, rs2), and(rd, rd, rs2)),
            pair(c_subw(rd, rs2), subw(rd, rd, rs2)),
            pair(c_addw(rd, rs2), addw(rd, rd, rs2)),
        ]);
    }
    for (rd, rs2) in registers(1, 31).flat_map(|a| registers(1, 31).map(move |b| (a, b))) {
        pairs.push(pair(c_mv(rd, rs2), add(rd, Reg::ZERO, rs2)));
        pairs.push(pair(c_add(rd, rs2), add(rd, rd, rs2)));
    }
}

fn add_jumps(pairs: &mut Vec<CompressedPair>) {
    for rs1 in registers(1, 31) {
        pairs.push(pair(c_jr(rs1), jalr(Reg::ZERO, rs1, 0)));
        pairs.push(pair(c_jalr(rs1), jalr(Reg::RA, rs1, 0)));
    }
    let far = (-2048..2048).step_by(2);
    pairs.extend(far.map(|offset| pair(c_j(offset), jal(Reg::ZERO, offset))));
    for rs1 in registers(8, 15) {
        for offset in (-256..256).step_by(2) {
            pairs.push(pair(c_beqz(rs1, offset), beq(rs1, Reg::ZERO, offset)));
            pairs.push(pair(c_bnez(rs1, offset), bne(rs1, Reg::ZERO, offset)));
        }
    }
}

/// Halfwords that the manual calls hints: they run and change no register.
pub fn compressed_hints() -> Vec<u16> {
    let with_imm = |base: u16, imm: u16| base | (imm >> 5 & 1) << 12 | (imm & 31) << 2;
    let mut hints = Vec::new();
    for imm in 1..64 {
        // c.nop with an immediate; c.li and c.lui to x0; c.slli of x0.
        hints.extend([
            with_imm(0x0001, imm),
            with_imm(0x4001, imm),
            with_imm(0x6001, imm),
        ]);
        hints.push(with_imm(0x0002, imm));
    }
    hints.extend([0x4001, 0x0002]);
    for register in 1..32 {
        // c.addi and c.slli by zero; c.mv and c.add to x0 (c.add x0, x2 to x5 included).
        hints.extend([0x0001 | register << 7, 0x0002 | register << 7]);
        hints.extend([0x8002 | register << 2, 0x9002 | register << 2]);
    }
    for register in 0..8 {
        // c.srli and c.srai by zero.
        hints.extend([0x8001 | register << 7, 0x8401 | register << 7]);
    }
    hints
}

/// Halfwords of the integer instructions' space that the manual reserves, the all-zero one (which
/// is defined to be illegal) first.
pub fn compressed_reserved() -> Vec<u16> {
    let mut reserved = vec![0];
    // c.addi4spn with immediate zero.
    reserved.extend((1..8).map(|register| register << 2));
    for imm in 0..64_u16 {
        // c.addiw, c.lwsp and c.ldsp with destination x0.
        let imm = (imm >> 5) << 12 | (imm & 31) << 2;
        reserved.extend([0x2001 | imm, 0x4002 | imm, 0x6002 | imm]);
    }
    // c.lui (c.addi16sp for x2) with immediate zero.
    reserved.extend((0..32).map(|register| 0x6001 | register << 7));
    // c.jr with x0.
    reserved.push(0x8002);
    for registers in 0..64_u16 {
        // The two free encodings beside c.subw and c.addw.
        let registers = (registers >> 3) << 7 | (registers & 7) << 2;
        reserved.extend([0x9c41 | registers, 0x9c61 | registers]);
    }
    reserved
}
