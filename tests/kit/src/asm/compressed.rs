//! The two-byte integer instructions of RV64C.
//!
//! Immediates are given as the value they have in the assembler (bytes for loads and jumps) and
//! are checked against the field; encodings that the manual reserves or calls hints are refused
//! (tests that want one write the halfword out). `place` reads like the manual's `imm[5:3]`
//! headings: source bits, then where they go.

use super::{Encoded, Reg, assert_scaled, assert_signed, place};

/// Encoder of an operation on two registers, the first of which is also the destination.
pub type PairOp = fn(Reg, Reg) -> Encoded;
/// Encoder of a load or store with an unsigned scaled offset: register, base, offset.
pub type MemoryOp = fn(Reg, Reg, u32) -> Encoded;
/// Encoder of a load or store relative to the stack pointer.
pub type StackOp = fn(Reg, u32) -> Encoded;
/// Encoder of a branch on one register against zero.
pub type ZeroBranchOp = fn(Reg, i32) -> Encoded;

/// Operations on two registers of `x8..=x15`.
pub const PAIR_OPS: &[PairOp] = &[c_sub, c_xor, c_or, c_and, c_subw, c_addw];
/// Loads and stores through a register, with their width in bytes.
pub const MEMORY_OPS: &[(MemoryOp, u32)] = &[(c_lw, 4), (c_ld, 8), (c_sw, 4), (c_sd, 8)];
/// Loads relative to the stack pointer, with their width in bytes.
pub const STACK_LOADS: &[(StackOp, u32)] = &[(c_lwsp, 4), (c_ldsp, 8)];
/// Stores relative to the stack pointer, with their width in bytes.
pub const STACK_STORES: &[(StackOp, u32)] = &[(c_swsp, 4), (c_sdsp, 8)];
/// Branches against zero.
pub const ZERO_BRANCHES: &[ZeroBranchOp] = &[c_beqz, c_bnez];

fn assert_not_zero(name: &str, register: Reg) {
    assert_ne!(register, Reg::ZERO, "{name}: x0 has another meaning here");
}

/// Shape CI: `funct3 imm[5] rd imm[4:0] op`.
fn ci(name: &'static str, funct3: u32, rd: Reg, imm: i32, op: u32) -> Encoded {
    assert_not_zero(name, rd);
    assert_signed(name, imm, 6);
    let imm = place(imm as u32, 5, 5, 12) | place(imm as u32, 4, 0, 2);
    Encoded::short(name, funct3 << 13 | imm | rd.field() << 7 | op)
}

/// `c.addi4spn rd', sp, imm`; a positive multiple of 4 below 1024
pub fn c_addi4spn(rd: Reg, imm: u32) -> Encoded {
    assert_scaled("c.addi4spn", imm, 4, 1024);
    assert_ne!(imm, 0, "c.addi4spn: zero is reserved");
    let high = place(imm, 5, 4, 11) | place(imm, 9, 6, 7);
    let low = place(imm, 2, 2, 6) | place(imm, 3, 3, 5);
    Encoded::short("c.addi4spn", high | low | rd.compressed_field() << 2)
}

fn cl(name: &'static str, funct3: u32, [register, base]: [Reg; 2], offset: u32) -> Encoded {
    let registers = base.compressed_field() << 7 | register.compressed_field() << 2;
    Encoded::short(name, funct3 << 13 | registers | offset)
}

fn word_offset(name: &str, offset: u32) -> u32 {
    assert_scaled(name, offset, 4, 128);
    place(offset, 5, 3, 10) | place(offset, 2, 2, 6) | place(offset, 6, 6, 5)
}

fn double_offset(name: &str, offset: u32) -> u32 {
    assert_scaled(name, offset, 8, 256);
    place(offset, 5, 3, 10) | place(offset, 7, 6, 5)
}

/// `c.lw rd', offset(rs1')`
pub fn c_lw(rd: Reg, rs1: Reg, offset: u32) -> Encoded {
    cl("c.lw", 2, [rd, rs1], word_offset("c.lw", offset))
}

/// `c.ld rd', offset(rs1')`
pub fn c_ld(rd: Reg, rs1: Reg, offset: u32) -> Encoded {
    cl("c.ld", 3, [rd, rs1], double_offset("c.ld", offset))
}

/// `c.sw rs2', offset(rs1')`
pub fn c_sw(rs2: Reg, rs1: Reg, offset: u32) -> Encoded {
    cl("c.sw", 6, [rs2, rs1], word_offset("c.sw", offset))
}

/// `c.sd rs2', offset(rs1')`
pub fn c_sd(rs2: Reg, rs1: Reg, offset: u32) -> Encoded {
    cl("c.sd", 7, [rs2, rs1], double_offset("c.sd", offset))
}

/// `c.nop`
pub fn c_nop() -> Encoded {
    Encoded::short("c.nop", 1)
}

/// `c.addi rd, imm`; not zero
pub fn c_addi(rd: Reg, imm: i32) -> Encoded {
    assert_ne!(imm, 0, "c.addi: zero is a hint");
    ci("c.addi", 0, rd, imm, 1)
}

/// `c.addiw rd, imm`
pub fn c_addiw(rd: Reg, imm: i32) -> Encoded {
    ci("c.addiw", 1, rd, imm, 1)
}

/// `c.li rd, imm`
pub fn c_li(rd: Reg, imm: i32) -> Encoded {
    ci("c.li", 2, rd, imm, 1)
}

/// `c.addi16sp sp, imm`; a multiple of 16 from -512 to 496, not zero
pub fn c_addi16sp(imm: i32) -> Encoded {
    assert_signed("c.addi16sp", imm, 10);
    assert!(
        imm != 0 && imm % 16 == 0,
        "c.addi16sp: {imm} is zero or no multiple of 16"
    );
    let imm = imm as u32;
    let high = place(imm, 9, 9, 12) | place(imm, 4, 4, 6) | place(imm, 6, 6, 5);
    let low = place(imm, 8, 7, 3) | place(imm, 5, 5, 2);
    Encoded::short(
        "c.addi16sp",
        3 << 13 | Reg::SP.field() << 7 | high | low | 1,
    )
}

/// `c.lui rd, imm`; bits 17 to 12 of the constant as a signed number, not zero
pub fn c_lui(rd: Reg, imm: i32) -> Encoded {
    assert_ne!(imm, 0, "c.lui: zero is reserved");
    assert_ne!(rd, Reg::SP, "c.lui: with sp this is c.addi16sp");
    ci("c.lui", 3, rd, imm, 1)
}

fn shift_right(name: &'static str, kind: u32, rd: Reg, shamt: u32) -> Encoded {
    assert!((1..64).contains(&shamt), "{name}: shift by {shamt}");
    let shamt = place(shamt, 5, 5, 12) | place(shamt, 4, 0, 2);
    Encoded::short(
        name,
        4 << 13 | kind << 10 | rd.compressed_field() << 7 | shamt | 1,
    )
}

/// `c.srli rd', shamt`; 1 to 63
pub fn c_srli(rd: Reg, shamt: u32) -> Encoded {
    shift_right("c.srli", 0, rd, shamt)
}

/// `c.srai rd', shamt`; 1 to 63
pub fn c_srai(rd: Reg, shamt: u32) -> Encoded {
    shift_right("c.srai", 1, rd, shamt)
}

/// `c.andi rd', imm`
pub fn c_andi(rd: Reg, imm: i32) -> Encoded {
    assert_signed("c.andi", imm, 6);
    let imm = place(imm as u32, 5, 5, 12) | place(imm as u32, 4, 0, 2);
    Encoded::short(
        "c.andi",
        4 << 13 | 2 << 10 | rd.compressed_field() << 7 | imm | 1,
    )
}

/// Shape CA: `funct6 rd' funct2 rs2' 01`.
fn ca(name: &'static str, [funct6, funct2]: [u32; 2], rd: Reg, rs2: Reg) -> Encoded {
    let registers = rd.compressed_field() << 7 | rs2.compressed_field() << 2;
    Encoded::short(name, funct6 << 10 | funct2 << 5 | registers | 1)
}

/// `c.sub rd', rs2'`
pub fn c_sub(rd: Reg, rs2: Reg) -> Encoded {
    ca("c.sub", [0b100_011, 0], rd, rs2)
}

/// `c.xor rd', rs2'`
pub fn c_xor(rd: Reg, rs2: Reg) -> Encoded {
    ca("c.xor", [0b100_011, 1], rd, rs2)
}

/// `c.or rd', rs2'`
pub fn c_or(rd: Reg, rs2: Reg) -> Encoded {
    ca("c.or", [0b100_011, 2], rd, rs2)
}

/// `c.and rd', rs2'`
pub fn c_and(rd: Reg, rs2: Reg) -> Encoded {
    ca("c.and", [0b100_011, 3], rd, rs2)
}

/// `c.subw rd', rs2'`
pub fn c_subw(rd: Reg, rs2: Reg) -> Encoded {
    ca("c.subw", [0b100_111, 0], rd, rs2)
}

/// `c.addw rd', rs2'`
pub fn c_addw(rd: Reg, rs2: Reg) -> Encoded {
    ca("c.addw", [0b100_111, 1], rd, rs2)
}

/// `c.j pc + offset`
pub fn c_j(offset: i32) -> Encoded {
    assert_signed("c.j", offset, 12);
    assert_eq!(offset & 1, 0, "c.j: the offset {offset} is odd");
    let imm = offset as u32;
    let high = place(imm, 11, 11, 12) | place(imm, 4, 4, 11) | place(imm, 9, 8, 9);
    let middle = place(imm, 10, 10, 8) | place(imm, 6, 6, 7) | place(imm, 7, 7, 6);
    let low = place(imm, 3, 1, 3) | place(imm, 5, 5, 2);
    Encoded::short("c.j", 5 << 13 | high | middle | low | 1)
}

fn cb(name: &'static str, funct3: u32, rs1: Reg, offset: i32) -> Encoded {
    assert_signed(name, offset, 9);
    assert_eq!(offset & 1, 0, "{name}: the offset {offset} is odd");
    let imm = offset as u32;
    let high = place(imm, 8, 8, 12) | place(imm, 4, 3, 10);
    let low = place(imm, 7, 6, 5) | place(imm, 2, 1, 3) | place(imm, 5, 5, 2);
    Encoded::short(
        name,
        funct3 << 13 | high | rs1.compressed_field() << 7 | low | 1,
    )
}

/// `c.beqz rs1', pc + offset`
pub fn c_beqz(rs1: Reg, offset: i32) -> Encoded {
    cb("c.beqz", 6, rs1, offset)
}

/// `c.bnez rs1', pc + offset`
pub fn c_bnez(rs1: Reg, offset: i32) -> Encoded {
    cb("c.bnez", 7, rs1, offset)
}

/// `c.slli rd, shamt`; 1 to 63
pub fn c_slli(rd: Reg, shamt: u32) -> Encoded {
    assert_not_zero("c.slli", rd);
    assert!((1..64).contains(&shamt), "c.slli: shift by {shamt}");
    let shamt = place(shamt, 5, 5, 12) | place(shamt, 4, 0, 2);
    Encoded::short("c.slli", shamt | rd.field() << 7 | 2)
}

/// `c.lwsp rd, offset(sp)`
pub fn c_lwsp(rd: Reg, offset: u32) -> Encoded {
    assert_not_zero("c.lwsp", rd);
    assert_scaled("c.lwsp", offset, 4, 256);
    let offset = place(offset, 5, 5, 12) | place(offset, 4, 2, 4) | place(offset, 7, 6, 2);
    Encoded::short("c.lwsp", 2 << 13 | offset | rd.field() << 7 | 2)
}

/// `c.ldsp rd, offset(sp)`
pub fn c_ldsp(rd: Reg, offset: u32) -> Encoded {
    assert_not_zero("c.ldsp", rd);
    assert_scaled("c.ldsp", offset, 8, 512);
    let offset = place(offset, 5, 5, 12) | place(offset, 4, 3, 5) | place(offset, 8, 6, 2);
    Encoded::short("c.ldsp", 3 << 13 | offset | rd.field() << 7 | 2)
}

/// Shape CR: `funct4 rd rs2 10`.
fn cr(name: &'static str, funct4: u32, rd: Reg, rs2: Reg) -> Encoded {
    Encoded::short(name, funct4 << 12 | rd.field() << 7 | rs2.field() << 2 | 2)
}

/// `c.jr rs1`
pub fn c_jr(rs1: Reg) -> Encoded {
    assert_not_zero("c.jr", rs1);
    cr("c.jr", 8, rs1, Reg::ZERO)
}

/// `c.mv rd, rs2`
pub fn c_mv(rd: Reg, rs2: Reg) -> Encoded {
    assert_not_zero("c.mv", rd);
    assert_not_zero("c.mv", rs2);
    cr("c.mv", 8, rd, rs2)
}

/// `c.ebreak`
pub fn c_ebreak() -> Encoded {
    cr("c.ebreak", 9, Reg::ZERO, Reg::ZERO)
}

/// `c.jalr rs1`, which links in `ra`
pub fn c_jalr(rs1: Reg) -> Encoded {
    assert_not_zero("c.jalr", rs1);
    cr("c.jalr", 9, rs1, Reg::ZERO)
}

/// `c.add rd, rs2`
pub fn c_add(rd: Reg, rs2: Reg) -> Encoded {
    assert_not_zero("c.add", rd);
    assert_not_zero("c.add", rs2);
    cr("c.add", 9, rd, rs2)
}

/// `c.swsp rs2, offset(sp)`
pub fn c_swsp(rs2: Reg, offset: u32) -> Encoded {
    assert_scaled("c.swsp", offset, 4, 256);
    let offset = place(offset, 5, 2, 9) | place(offset, 7, 6, 7);
    Encoded::short("c.swsp", 6 << 13 | offset | rs2.field() << 2 | 2)
}

/// `c.sdsp rs2, offset(sp)`
pub fn c_sdsp(rs2: Reg, offset: u32) -> Encoded {
    assert_scaled("c.sdsp", offset, 8, 512);
    let offset = place(offset, 5, 3, 10) | place(offset, 8, 6, 7);
    Encoded::short("c.sdsp", 7 << 13 | offset | rs2.field() << 2 | 2)
}
