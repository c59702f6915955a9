//! Encodings pinned to what the GNU assembler (binutils, `-march=rv64imac_zifencei`) gives for the
//! text beside each; every immediate field has its extremes and patterns that tell its bits apart.

use super::Order::{Acquire, AcquireRelease, Relaxed, Release};
use super::base::{
    add, addi, addiw, addw, amoadd_d, amoadd_w, amoand_d, amoand_w, amomax_d, amomax_w, amomaxu_d,
    amomaxu_w, amomin_d, amomin_w, amominu_d, amominu_w, amoor_d, amoor_w, amoswap_d, amoswap_w,
    amoxor_d, amoxor_w, and, andi, auipc, beq, bge, bgeu, blt, bltu, bne, div, divu, divuw, divw,
    ebreak, ecall, fence, fence_i, fence_tso, jal, jalr, lb, lbu, ld, lh, lhu, lr_d, lr_w, lui, lw,
    lwu, mul, mulh, mulhsu, mulhu, mulw, or, ori, rem, remu, remuw, remw, sb, sc_d, sc_w, sd, sh,
    sll, slli, slliw, sllw, slt, slti, sltiu, sltu, sra, srai, sraiw, sraw, srl, srli, srliw, srlw,
    sub, subw, sw, xor, xori,
};
use super::compressed::{
    c_add, c_addi, c_addi4spn, c_addi16sp, c_addiw, c_addw, c_and, c_andi, c_beqz, c_bnez,
    c_ebreak, c_j, c_jalr, c_jr, c_ld, c_ldsp, c_li, c_lui, c_lw, c_lwsp, c_mv, c_nop, c_or, c_sd,
    c_sdsp, c_slli, c_srai, c_srli, c_sub, c_subw, c_sw, c_swsp, c_xor,
};
use super::{Assembler, Encoded, Reg};

type Pin = (Encoded, u32, &'static str);

const fn x(number: u8) -> Reg {
    Reg::x(number)
}

fn check(pins: Vec<Pin>) {
    for (encoded, bits, text) in pins {
        assert_eq!(encoded.bits, bits, "{text}: {:#010x}", encoded.bits);
        assert!(
            text.starts_with(encoded.name),
            "{text} is called {}",
            encoded.name
        );
        let is_short = text.starts_with("c.");
        assert_eq!(encoded.len_bytes, if is_short { 2 } else { 4 }, "{text}");
    }
}

#[test]
fn base_encodings_are_the_assemblers() {
    check(vec![
        (add(x(1), x(2), x(3)), 0x0031_00b3, "add x1,x2,x3"),
        (add(x(31), x(16), x(8)), 0x0088_0fb3, "add x31,x16,x8"),
        (sub(x(31), x(16), x(8)), 0x4088_0fb3, "sub x31,x16,x8"),
        (sub(x(5), x(30), x(21)), 0x415f_02b3, "sub x5,x30,x21"),
        (sll(x(5), x(30), x(21)), 0x015f_12b3, "sll x5,x30,x21"),
        (sll(x(1), x(2), x(3)), 0x0031_10b3, "sll x1,x2,x3"),
        (slt(x(1), x(2), x(3)), 0x0031_20b3, "slt x1,x2,x3"),
        (slt(x(31), x(16), x(8)), 0x0088_2fb3, "slt x31,x16,x8"),
        (sltu(x(31), x(16), x(8)), 0x0088_3fb3, "sltu x31,x16,x8"),
        (sltu(x(5), x(30), x(21)), 0x015f_32b3, "sltu x5,x30,x21"),
        (xor(x(5), x(30), x(21)), 0x015f_42b3, "xor x5,x30,x21"),
        (xor(x(1), x(2), x(3)), 0x0031_40b3, "xor x1,x2,x3"),
        (srl(x(1), x(2), x(3)), 0x0031_50b3, "srl x1,x2,x3"),
        (srl(x(31), x(16), x(8)), 0x0088_5fb3, "srl x31,x16,x8"),
        (sra(x(31), x(16), x(8)), 0x4088_5fb3, "sra x31,x16,x8"),
        (sra(x(5), x(30), x(21)), 0x415f_52b3, "sra x5,x30,x21"),
        (or(x(5), x(30), x(21)), 0x015f_62b3, "or x5,x30,x21"),
        (or(x(1), x(2), x(3)), 0x0031_60b3, "or x1,x2,x3"),
        (and(x(1), x(2), x(3)), 0x0031_70b3, "and x1,x2,x3"),
        (and(x(31), x(16), x(8)), 0x0088_7fb3, "and x31,x16,x8"),
        (addw(x(31), x(16), x(8)), 0x0088_0fbb, "addw x31,x16,x8"),
        (addw(x(5), x(30), x(21)), 0x015f_02bb, "addw x5,x30,x21"),
        (subw(x(5), x(30), x(21)), 0x415f_02bb, "subw x5,x30,x21"),
        (subw(x(1), x(2), x(3)), 0x4031_00bb, "subw x1,x2,x3"),
        (sllw(x(1), x(2), x(3)), 0x0031_10bb, "sllw x1,x2,x3"),
        (sllw(x(31), x(16), x(8)), 0x0088_1fbb, "sllw x31,x16,x8"),
        (srlw(x(31), x(16), x(8)), 0x0088_5fbb, "srlw x31,x16,x8"),
        (srlw(x(5), x(30), x(21)), 0x015f_52bb, "srlw x5,x30,x21"),
        (sraw(x(5), x(30), x(21)), 0x415f_52bb, "sraw x5,x30,x21"),
        (sraw(x(1), x(2), x(3)), 0x4031_50bb, "sraw x1,x2,x3"),
        (mul(x(1), x(2), x(3)), 0x0231_00b3, "mul x1,x2,x3"),
        (mul(x(31), x(16), x(8)), 0x0288_0fb3, "mul x31,x16,x8"),
        (mulh(x(31), x(16), x(8)), 0x0288_1fb3, "mulh x31,x16,x8"),
        (mulh(x(5), x(30), x(21)), 0x035f_12b3, "mulh x5,x30,x21"),
        (mulhsu(x(5), x(30), x(21)), 0x035f_22b3, "mulhsu x5,x30,x21"),
        (mulhsu(x(1), x(2), x(3)), 0x0231_20b3, "mulhsu x1,x2,x3"),
        (mulhu(x(1), x(2), x(3)), 0x0231_30b3, "mulhu x1,x2,x3"),
        (mulhu(x(31), x(16), x(8)), 0x0288_3fb3, "mulhu x31,x16,x8"),
        (div(x(31), x(16), x(8)), 0x0288_4fb3, "div x31,x16,x8"),
        (div(x(5), x(30), x(21)), 0x035f_42b3, "div x5,x30,x21"),
        (divu(x(5), x(30), x(21)), 0x035f_52b3, "divu x5,x30,x21"),
        (divu(x(1), x(2), x(3)), 0x0231_50b3, "divu x1,x2,x3"),
        (rem(x(1), x(2), x(3)), 0x0231_60b3, "rem x1,x2,x3"),
        (rem(x(31), x(16), x(8)), 0x0288_6fb3, "rem x31,x16,x8"),
        (remu(x(31), x(16), x(8)), 0x0288_7fb3, "remu x31,x16,x8"),
        (remu(x(5), x(30), x(21)), 0x035f_72b3, "remu x5,x30,x21"),
        (mulw(x(5), x(30), x(21)), 0x035f_02bb, "mulw x5,x30,x21"),
        (mulw(x(1), x(2), x(3)), 0x0231_00bb, "mulw x1,x2,x3"),
        (divw(x(1), x(2), x(3)), 0x0231_40bb, "divw x1,x2,x3"),
        (divw(x(31), x(16), x(8)), 0x0288_4fbb, "divw x31,x16,x8"),
        (divuw(x(31), x(16), x(8)), 0x0288_5fbb, "divuw x31,x16,x8"),
        (divuw(x(5), x(30), x(21)), 0x035f_52bb, "divuw x5,x30,x21"),
        (remw(x(5), x(30), x(21)), 0x035f_62bb, "remw x5,x30,x21"),
        (remw(x(1), x(2), x(3)), 0x0231_60bb, "remw x1,x2,x3"),
        (remuw(x(1), x(2), x(3)), 0x0231_70bb, "remuw x1,x2,x3"),
        (remuw(x(31), x(16), x(8)), 0x0288_7fbb, "remuw x31,x16,x8"),
        (addi(x(1), x(31), -2048), 0x800f_8093, "addi x1,x31,-2048"),
        (addi(x(30), x(2), 2047), 0x7ff1_0f13, "addi x30,x2,2047"),
        (addi(x(9), x(21), -5), 0xffba_8493, "addi x9,x21,-5"),
        (slti(x(1), x(31), -2048), 0x800f_a093, "slti x1,x31,-2048"),
        (slti(x(30), x(2), 2047), 0x7ff1_2f13, "slti x30,x2,2047"),
        (slti(x(9), x(21), -5), 0xffba_a493, "slti x9,x21,-5"),
        (sltiu(x(1), x(31), -2048), 0x800f_b093, "sltiu x1,x31,-2048"),
        (sltiu(x(30), x(2), 2047), 0x7ff1_3f13, "sltiu x30,x2,2047"),
        (sltiu(x(9), x(21), -5), 0xffba_b493, "sltiu x9,x21,-5"),
        (xori(x(1), x(31), -2048), 0x800f_c093, "xori x1,x31,-2048"),
        (xori(x(30), x(2), 2047), 0x7ff1_4f13, "xori x30,x2,2047"),
        (xori(x(9), x(21), -5), 0xffba_c493, "xori x9,x21,-5"),
        (ori(x(1), x(31), -2048), 0x800f_e093, "ori x1,x31,-2048"),
        (ori(x(30), x(2), 2047), 0x7ff1_6f13, "ori x30,x2,2047"),
        (ori(x(9), x(21), -5), 0xffba_e493, "ori x9,x21,-5"),
        (andi(x(1), x(31), -2048), 0x800f_f093, "andi x1,x31,-2048"),
        (andi(x(30), x(2), 2047), 0x7ff1_7f13, "andi x30,x2,2047"),
        (andi(x(9), x(21), -5), 0xffba_f493, "andi x9,x21,-5"),
        (addiw(x(1), x(31), -2048), 0x800f_809b, "addiw x1,x31,-2048"),
        (addiw(x(30), x(2), 2047), 0x7ff1_0f1b, "addiw x30,x2,2047"),
        (addiw(x(9), x(21), -5), 0xffba_849b, "addiw x9,x21,-5"),
        (slli(x(1), x(31), 63), 0x03ff_9093, "slli x1,x31,63"),
        (slli(x(30), x(2), 1), 0x0011_1f13, "slli x30,x2,1"),
        (slli(x(8), x(8), 0), 0x0004_1413, "slli x8,x8,0"),
        (srli(x(1), x(31), 63), 0x03ff_d093, "srli x1,x31,63"),
        (srli(x(30), x(2), 1), 0x0011_5f13, "srli x30,x2,1"),
        (srli(x(8), x(8), 0), 0x0004_5413, "srli x8,x8,0"),
        (srai(x(1), x(31), 63), 0x43ff_d093, "srai x1,x31,63"),
        (srai(x(30), x(2), 1), 0x4011_5f13, "srai x30,x2,1"),
        (srai(x(8), x(8), 0), 0x4004_5413, "srai x8,x8,0"),
        (slliw(x(1), x(31), 31), 0x01ff_909b, "slliw x1,x31,31"),
        (slliw(x(30), x(2), 1), 0x0011_1f1b, "slliw x30,x2,1"),
        (slliw(x(8), x(8), 0), 0x0004_141b, "slliw x8,x8,0"),
        (srliw(x(1), x(31), 31), 0x01ff_d09b, "srliw x1,x31,31"),
        (srliw(x(30), x(2), 1), 0x0011_5f1b, "srliw x30,x2,1"),
        (srliw(x(8), x(8), 0), 0x0004_541b, "srliw x8,x8,0"),
        (sraiw(x(1), x(31), 31), 0x41ff_d09b, "sraiw x1,x31,31"),
        (sraiw(x(30), x(2), 1), 0x4011_5f1b, "sraiw x30,x2,1"),
        (sraiw(x(8), x(8), 0), 0x4004_541b, "sraiw x8,x8,0"),
        (lb(x(1), x(31), -2048), 0x800f_8083, "lb x1,-2048(x31)"),
        (lb(x(30), x(2), 2047), 0x7ff1_0f03, "lb x30,2047(x2)"),
        (lb(x(0), x(9), -27), 0xfe54_8003, "lb x0,-27(x9)"),
        (lh(x(1), x(31), -2048), 0x800f_9083, "lh x1,-2048(x31)"),
        (lh(x(30), x(2), 2047), 0x7ff1_1f03, "lh x30,2047(x2)"),
        (lh(x(0), x(9), -27), 0xfe54_9003, "lh x0,-27(x9)"),
        (lw(x(1), x(31), -2048), 0x800f_a083, "lw x1,-2048(x31)"),
        (lw(x(30), x(2), 2047), 0x7ff1_2f03, "lw x30,2047(x2)"),
        (lw(x(0), x(9), -27), 0xfe54_a003, "lw x0,-27(x9)"),
        (ld(x(1), x(31), -2048), 0x800f_b083, "ld x1,-2048(x31)"),
        (ld(x(30), x(2), 2047), 0x7ff1_3f03, "ld x30,2047(x2)"),
        (ld(x(0), x(9), -27), 0xfe54_b003, "ld x0,-27(x9)"),
        (lbu(x(1), x(31), -2048), 0x800f_c083, "lbu x1,-2048(x31)"),
        (lbu(x(30), x(2), 2047), 0x7ff1_4f03, "lbu x30,2047(x2)"),
        (lbu(x(0), x(9), -27), 0xfe54_c003, "lbu x0,-27(x9)"),
        (lhu(x(1), x(31), -2048), 0x800f_d083, "lhu x1,-2048(x31)"),
        (lhu(x(30), x(2), 2047), 0x7ff1_5f03, "lhu x30,2047(x2)"),
        (lhu(x(0), x(9), -27), 0xfe54_d003, "lhu x0,-27(x9)"),
        (lwu(x(1), x(31), -2048), 0x800f_e083, "lwu x1,-2048(x31)"),
        (lwu(x(30), x(2), 2047), 0x7ff1_6f03, "lwu x30,2047(x2)"),
        (lwu(x(0), x(9), -27), 0xfe54_e003, "lwu x0,-27(x9)"),
        (sb(x(1), x(31), -2048), 0x801f_8023, "sb x1,-2048(x31)"),
        (sb(x(30), x(2), 2047), 0x7fe1_0fa3, "sb x30,2047(x2)"),
        (sb(x(0), x(9), -27), 0xfe04_82a3, "sb x0,-27(x9)"),
        (sh(x(1), x(31), -2048), 0x801f_9023, "sh x1,-2048(x31)"),
        (sh(x(30), x(2), 2047), 0x7fe1_1fa3, "sh x30,2047(x2)"),
        (sh(x(0), x(9), -27), 0xfe04_92a3, "sh x0,-27(x9)"),
        (sw(x(1), x(31), -2048), 0x801f_a023, "sw x1,-2048(x31)"),
        (sw(x(30), x(2), 2047), 0x7fe1_2fa3, "sw x30,2047(x2)"),
        (sw(x(0), x(9), -27), 0xfe04_a2a3, "sw x0,-27(x9)"),
        (sd(x(1), x(31), -2048), 0x801f_b023, "sd x1,-2048(x31)"),
        (sd(x(30), x(2), 2047), 0x7fe1_3fa3, "sd x30,2047(x2)"),
        (sd(x(0), x(9), -27), 0xfe04_b2a3, "sd x0,-27(x9)"),
        (beq(x(1), x(31), -4096), 0x81f0_8063, "beq x1,x31,.-4096"),
        (beq(x(30), x(2), 4094), 0x7e2f_0fe3, "beq x30,x2,.+4094"),
        (beq(x(0), x(9), -2730), 0xd490_0b63, "beq x0,x9,.-2730"),
        (beq(x(9), x(0), 1364), 0x5404_8a63, "beq x9,x0,.+1364"),
        (bne(x(1), x(31), -4096), 0x81f0_9063, "bne x1,x31,.-4096"),
        (bne(x(30), x(2), 4094), 0x7e2f_1fe3, "bne x30,x2,.+4094"),
        (bne(x(0), x(9), -2730), 0xd490_1b63, "bne x0,x9,.-2730"),
        (bne(x(9), x(0), 1364), 0x5404_9a63, "bne x9,x0,.+1364"),
        (blt(x(1), x(31), -4096), 0x81f0_c063, "blt x1,x31,.-4096"),
        (blt(x(30), x(2), 4094), 0x7e2f_4fe3, "blt x30,x2,.+4094"),
        (blt(x(0), x(9), -2730), 0xd490_4b63, "blt x0,x9,.-2730"),
        (blt(x(9), x(0), 1364), 0x5404_ca63, "blt x9,x0,.+1364"),
        (bge(x(1), x(31), -4096), 0x81f0_d063, "bge x1,x31,.-4096"),
        (bge(x(30), x(2), 4094), 0x7e2f_5fe3, "bge x30,x2,.+4094"),
        (bge(x(0), x(9), -2730), 0xd490_5b63, "bge x0,x9,.-2730"),
        (bge(x(9), x(0), 1364), 0x5404_da63, "bge x9,x0,.+1364"),
        (bltu(x(1), x(31), -4096), 0x81f0_e063, "bltu x1,x31,.-4096"),
        (bltu(x(30), x(2), 4094), 0x7e2f_6fe3, "bltu x30,x2,.+4094"),
        (bltu(x(0), x(9), -2730), 0xd490_6b63, "bltu x0,x9,.-2730"),
        (bltu(x(9), x(0), 1364), 0x5404_ea63, "bltu x9,x0,.+1364"),
        (bgeu(x(1), x(31), -4096), 0x81f0_f063, "bgeu x1,x31,.-4096"),
        (bgeu(x(30), x(2), 4094), 0x7e2f_7fe3, "bgeu x30,x2,.+4094"),
        (bgeu(x(0), x(9), -2730), 0xd490_7b63, "bgeu x0,x9,.-2730"),
        (bgeu(x(9), x(0), 1364), 0x5404_fa63, "bgeu x9,x0,.+1364"),
        (lui(x(1), 0xfffff), 0xffff_f0b7, "lui x1,0xfffff"),
        (lui(x(31), 0x80000), 0x8000_0fb7, "lui x31,0x80000"),
        (lui(x(0), 0x12345), 0x1234_5037, "lui x0,0x12345"),
        (lui(x(21), 0x1), 0x0000_1ab7, "lui x21,0x1"),
        (auipc(x(1), 0xfffff), 0xffff_f097, "auipc x1,0xfffff"),
        (auipc(x(31), 0x80000), 0x8000_0f97, "auipc x31,0x80000"),
        (auipc(x(0), 0x12345), 0x1234_5017, "auipc x0,0x12345"),
        (auipc(x(21), 0x1), 0x0000_1a97, "auipc x21,0x1"),
        (jal(x(1), -1048576), 0x8000_00ef, "jal x1,.-1048576"),
        (jal(x(0), 1048574), 0x7fff_f06f, "jal x0,.+1048574"),
        (jal(x(31), -699050), 0xd565_5fef, "jal x31,.-699050"),
        (jal(x(21), 349524), 0x5545_5aef, "jal x21,.+349524"),
        (jal(x(5), 2048), 0x0010_02ef, "jal x5,.+2048"),
        (jal(x(5), -2), 0xffff_f2ef, "jal x5,.-2"),
        (jalr(x(1), x(31), -2048), 0x800f_80e7, "jalr x1,-2048(x31)"),
        (jalr(x(0), x(1), 0), 0x0000_8067, "jalr x0,0(x1)"),
        (jalr(x(21), x(10), 2047), 0x7ff5_0ae7, "jalr x21,2047(x10)"),
        (fence(15, 15), 0x0ff0_000f, "fence iorw,iorw"),
        (fence(1, 8), 0x0180_000f, "fence w,i"),
        (fence(3, 1), 0x0310_000f, "fence rw,w"),
        (fence_tso(), 0x8330_000f, "fence.tso"),
        (fence_i(), 0x0000_100f, "fence.i"),
        (ecall(), 0x0000_0073, "ecall"),
        (ebreak(), 0x0010_0073, "ebreak"),
    ]);
}

#[test]
fn atomic_encodings_are_the_assemblers() {
    check(vec![
        (lr_w(x(1), x(31), Relaxed), 0x100f_a0af, "lr.w x1,(x31)"),
        (lr_w(x(30), x(2), Acquire), 0x1401_2f2f, "lr.w.aq x30,(x2)"),
        (
            sc_w(x(1), x(2), x(31), Release),
            0x1a2f_a0af,
            "sc.w.rl x1,x2,(x31)",
        ),
        (
            sc_w(x(31), x(20), x(3), AcquireRelease),
            0x1f41_afaf,
            "sc.w.aqrl x31,x20,(x3)",
        ),
        (
            amoswap_w(x(1), x(2), x(31), Relaxed),
            0x082f_a0af,
            "amoswap.w x1,x2,(x31)",
        ),
        (
            amoswap_w(x(31), x(20), x(3), Acquire),
            0x0d41_afaf,
            "amoswap.w.aq x31,x20,(x3)",
        ),
        (
            amoadd_w(x(1), x(2), x(31), Release),
            0x022f_a0af,
            "amoadd.w.rl x1,x2,(x31)",
        ),
        (
            amoadd_w(x(31), x(20), x(3), AcquireRelease),
            0x0741_afaf,
            "amoadd.w.aqrl x31,x20,(x3)",
        ),
        (
            amoxor_w(x(1), x(2), x(31), Relaxed),
            0x202f_a0af,
            "amoxor.w x1,x2,(x31)",
        ),
        (
            amoxor_w(x(31), x(20), x(3), Acquire),
            0x2541_afaf,
            "amoxor.w.aq x31,x20,(x3)",
        ),
        (
            amoand_w(x(1), x(2), x(31), Release),
            0x622f_a0af,
            "amoand.w.rl x1,x2,(x31)",
        ),
        (
            amoand_w(x(31), x(20), x(3), AcquireRelease),
            0x6741_afaf,
            "amoand.w.aqrl x31,x20,(x3)",
        ),
        (
            amoor_w(x(1), x(2), x(31), Relaxed),
            0x402f_a0af,
            "amoor.w x1,x2,(x31)",
        ),
        (
            amoor_w(x(31), x(20), x(3), Acquire),
            0x4541_afaf,
            "amoor.w.aq x31,x20,(x3)",
        ),
        (
            amomin_w(x(1), x(2), x(31), Release),
            0x822f_a0af,
            "amomin.w.rl x1,x2,(x31)",
        ),
        (
            amomin_w(x(31), x(20), x(3), AcquireRelease),
            0x8741_afaf,
            "amomin.w.aqrl x31,x20,(x3)",
        ),
        (
            amomax_w(x(1), x(2), x(31), Relaxed),
            0xa02f_a0af,
            "amomax.w x1,x2,(x31)",
        ),
        (
            amomax_w(x(31), x(20), x(3), Acquire),
            0xa541_afaf,
            "amomax.w.aq x31,x20,(x3)",
        ),
        (
            amominu_w(x(1), x(2), x(31), Release),
            0xc22f_a0af,
            "amominu.w.rl x1,x2,(x31)",
        ),
        (
            amominu_w(x(31), x(20), x(3), AcquireRelease),
            0xc741_afaf,
            "amominu.w.aqrl x31,x20,(x3)",
        ),
        (
            amomaxu_w(x(1), x(2), x(31), Relaxed),
            0xe02f_a0af,
            "amomaxu.w x1,x2,(x31)",
        ),
        (
            amomaxu_w(x(31), x(20), x(3), Acquire),
            0xe541_afaf,
            "amomaxu.w.aq x31,x20,(x3)",
        ),
        (lr_d(x(1), x(31), Release), 0x120f_b0af, "lr.d.rl x1,(x31)"),
        (
            lr_d(x(30), x(2), AcquireRelease),
            0x1601_3f2f,
            "lr.d.aqrl x30,(x2)",
        ),
        (
            sc_d(x(1), x(2), x(31), Relaxed),
            0x182f_b0af,
            "sc.d x1,x2,(x31)",
        ),
        (
            sc_d(x(31), x(20), x(3), Acquire),
            0x1d41_bfaf,
            "sc.d.aq x31,x20,(x3)",
        ),
        (
            amoswap_d(x(1), x(2), x(31), Release),
            0x0a2f_b0af,
            "amoswap.d.rl x1,x2,(x31)",
        ),
        (
            amoswap_d(x(31), x(20), x(3), AcquireRelease),
            0x0f41_bfaf,
            "amoswap.d.aqrl x31,x20,(x3)",
        ),
        (
            amoadd_d(x(1), x(2), x(31), Relaxed),
            0x002f_b0af,
            "amoadd.d x1,x2,(x31)",
        ),
        (
            amoadd_d(x(31), x(20), x(3), Acquire),
            0x0541_bfaf,
            "amoadd.d.aq x31,x20,(x3)",
        ),
        (
            amoxor_d(x(1), x(2), x(31), Release),
            0x222f_b0af,
            "amoxor.d.rl x1,x2,(x31)",
        ),
        (
            amoxor_d(x(31), x(20), x(3), AcquireRelease),
            0x2741_bfaf,
            "amoxor.d.aqrl x31,x20,(x3)",
        ),
        (
            amoand_d(x(1), x(2), x(31), Relaxed),
            0x602f_b0af,
            "amoand.d x1,x2,(x31)",
        ),
        (
            amoand_d(x(31), x(20), x(3), Acquire),
            0x6541_bfaf,
            "amoand.d.aq x31,x20,(x3)",
        ),
        (
            amoor_d(x(1), x(2), x(31), Release),
            0x422f_b0af,
            "amoor.d.rl x1,x2,(x31)",
        ),
        (
            amoor_d(x(31), x(20), x(3), AcquireRelease),
            0x4741_bfaf,
            "amoor.d.aqrl x31,x20,(x3)",
        ),
        (
            amomin_d(x(1), x(2), x(31), Relaxed),
            0x802f_b0af,
            "amomin.d x1,x2,(x31)",
        ),
        (
            amomin_d(x(31), x(20), x(3), Acquire),
            0x8541_bfaf,
            "amomin.d.aq x31,x20,(x3)",
        ),
        (
            amomax_d(x(1), x(2), x(31), Release),
            0xa22f_b0af,
            "amomax.d.rl x1,x2,(x31)",
        ),
        (
            amomax_d(x(31), x(20), x(3), AcquireRelease),
            0xa741_bfaf,
            "amomax.d.aqrl x31,x20,(x3)",
        ),
        (
            amominu_d(x(1), x(2), x(31), Relaxed),
            0xc02f_b0af,
            "amominu.d x1,x2,(x31)",
        ),
        (
            amominu_d(x(31), x(20), x(3), Acquire),
            0xc541_bfaf,
            "amominu.d.aq x31,x20,(x3)",
        ),
        (
            amomaxu_d(x(1), x(2), x(31), Release),
            0xe22f_b0af,
            "amomaxu.d.rl x1,x2,(x31)",
        ),
        (
            amomaxu_d(x(31), x(20), x(3), AcquireRelease),
            0xe741_bfaf,
            "amomaxu.d.aqrl x31,x20,(x3)",
        ),
    ]);
}

#[test]
fn compressed_encodings_are_the_assemblers() {
    check(vec![
        (c_addi4spn(x(8), 4), 0x0040, "c.addi4spn x8,sp,4"),
        (c_addi4spn(x(15), 1020), 0x1ffc, "c.addi4spn x15,sp,1020"),
        (c_addi4spn(x(10), 680), 0x1528, "c.addi4spn x10,sp,680"),
        (c_addi4spn(x(11), 340), 0x0acc, "c.addi4spn x11,sp,340"),
        (c_lw(x(8), x(15), 124), 0x5fe0, "c.lw x8,124(x15)"),
        (c_lw(x(15), x(8), 4), 0x405c, "c.lw x15,4(x8)"),
        (c_lw(x(10), x(11), 84), 0x49e8, "c.lw x10,84(x11)"),
        (c_lw(x(12), x(13), 40), 0x5690, "c.lw x12,40(x13)"),
        (c_ld(x(8), x(15), 248), 0x7fe0, "c.ld x8,248(x15)"),
        (c_ld(x(15), x(8), 8), 0x641c, "c.ld x15,8(x8)"),
        (c_ld(x(10), x(11), 168), 0x75c8, "c.ld x10,168(x11)"),
        (c_ld(x(12), x(13), 80), 0x6ab0, "c.ld x12,80(x13)"),
        (c_sw(x(8), x(15), 124), 0xdfe0, "c.sw x8,124(x15)"),
        (c_sw(x(15), x(8), 4), 0xc05c, "c.sw x15,4(x8)"),
        (c_sw(x(10), x(11), 84), 0xc9e8, "c.sw x10,84(x11)"),
        (c_sw(x(12), x(13), 40), 0xd690, "c.sw x12,40(x13)"),
        (c_sd(x(8), x(15), 248), 0xffe0, "c.sd x8,248(x15)"),
        (c_sd(x(15), x(8), 8), 0xe41c, "c.sd x15,8(x8)"),
        (c_sd(x(10), x(11), 168), 0xf5c8, "c.sd x10,168(x11)"),
        (c_sd(x(12), x(13), 80), 0xeab0, "c.sd x12,80(x13)"),
        (c_nop(), 0x0001, "c.nop"),
        (c_ebreak(), 0x9002, "c.ebreak"),
        (c_addi(x(1), -32), 0x1081, "c.addi x1,-32"),
        (c_addiw(x(1), -32), 0x3081, "c.addiw x1,-32"),
        (c_li(x(1), -32), 0x5081, "c.li x1,-32"),
        (c_addi(x(31), 31), 0x0ffd, "c.addi x31,31"),
        (c_addiw(x(31), 31), 0x2ffd, "c.addiw x31,31"),
        (c_li(x(31), 31), 0x4ffd, "c.li x31,31"),
        (c_addi(x(10), -11), 0x1555, "c.addi x10,-11"),
        (c_addiw(x(10), -11), 0x3555, "c.addiw x10,-11"),
        (c_li(x(10), -11), 0x5555, "c.li x10,-11"),
        (c_addi16sp(-512), 0x7101, "c.addi16sp sp,-512"),
        (c_addi16sp(496), 0x617d, "c.addi16sp sp,496"),
        (c_addi16sp(-16), 0x717d, "c.addi16sp sp,-16"),
        (c_addi16sp(16), 0x6141, "c.addi16sp sp,16"),
        (c_addi16sp(-352), 0x710d, "c.addi16sp sp,-352"),
        (c_addi16sp(160), 0x610d, "c.addi16sp sp,160"),
        (c_addi16sp(32), 0x6105, "c.addi16sp sp,32"),
        (c_addi16sp(64), 0x6121, "c.addi16sp sp,64"),
        (c_addi16sp(128), 0x6109, "c.addi16sp sp,128"),
        (c_addi16sp(256), 0x6111, "c.addi16sp sp,256"),
        (c_lui(x(1), -32), 0x7081, "c.lui x1,0xfffe0"),
        (c_lui(x(31), 31), 0x6ffd, "c.lui x31,0x1f"),
        (c_lui(x(10), -11), 0x7555, "c.lui x10,0xffff5"),
        (c_lui(x(3), 1), 0x6185, "c.lui x3,0x1"),
        (c_srli(x(8), 1), 0x8005, "c.srli x8,1"),
        (c_srli(x(15), 63), 0x93fd, "c.srli x15,63"),
        (c_srli(x(10), 42), 0x9129, "c.srli x10,42"),
        (c_srli(x(11), 32), 0x9181, "c.srli x11,32"),
        (c_srai(x(8), 1), 0x8405, "c.srai x8,1"),
        (c_srai(x(15), 63), 0x97fd, "c.srai x15,63"),
        (c_srai(x(10), 42), 0x9529, "c.srai x10,42"),
        (c_srai(x(11), 32), 0x9581, "c.srai x11,32"),
        (c_andi(x(8), -32), 0x9801, "c.andi x8,-32"),
        (c_andi(x(15), 31), 0x8bfd, "c.andi x15,31"),
        (c_andi(x(10), -11), 0x9955, "c.andi x10,-11"),
        (c_sub(x(8), x(15)), 0x8c1d, "c.sub x8,x15"),
        (c_sub(x(15), x(8)), 0x8f81, "c.sub x15,x8"),
        (c_sub(x(10), x(13)), 0x8d15, "c.sub x10,x13"),
        (c_xor(x(8), x(15)), 0x8c3d, "c.xor x8,x15"),
        (c_xor(x(15), x(8)), 0x8fa1, "c.xor x15,x8"),
        (c_xor(x(10), x(13)), 0x8d35, "c.xor x10,x13"),
        (c_or(x(8), x(15)), 0x8c5d, "c.or x8,x15"),
        (c_or(x(15), x(8)), 0x8fc1, "c.or x15,x8"),
        (c_or(x(10), x(13)), 0x8d55, "c.or x10,x13"),
        (c_and(x(8), x(15)), 0x8c7d, "c.and x8,x15"),
        (c_and(x(15), x(8)), 0x8fe1, "c.and x15,x8"),
        (c_and(x(10), x(13)), 0x8d75, "c.and x10,x13"),
        (c_subw(x(8), x(15)), 0x9c1d, "c.subw x8,x15"),
        (c_subw(x(15), x(8)), 0x9f81, "c.subw x15,x8"),
        (c_subw(x(10), x(13)), 0x9d15, "c.subw x10,x13"),
        (c_addw(x(8), x(15)), 0x9c3d, "c.addw x8,x15"),
        (c_addw(x(15), x(8)), 0x9fa1, "c.addw x15,x8"),
        (c_addw(x(10), x(13)), 0x9d35, "c.addw x10,x13"),
        (c_j(-2048), 0xb001, "c.j .-2048"),
        (c_j(2046), 0xaffd, "c.j .+2046"),
        (c_j(-2), 0xbffd, "c.j .-2"),
        (c_j(1364), 0xab91, "c.j .+1364"),
        (c_j(682), 0xa46d, "c.j .+682"),
        (c_j(-1366), 0xb46d, "c.j .-1366"),
        (c_j(2), 0xa009, "c.j .+2"),
        (c_j(16), 0xa801, "c.j .+16"),
        (c_j(32), 0xa005, "c.j .+32"),
        (c_j(64), 0xa081, "c.j .+64"),
        (c_j(128), 0xa041, "c.j .+128"),
        (c_j(256), 0xa201, "c.j .+256"),
        (c_j(512), 0xa401, "c.j .+512"),
        (c_j(1024), 0xa101, "c.j .+1024"),
        (c_beqz(x(8), -256), 0xd001, "c.beqz x8,.-256"),
        (c_beqz(x(15), 254), 0xcffd, "c.beqz x15,.+254"),
        (c_beqz(x(10), 170), 0xc54d, "c.beqz x10,.+170"),
        (c_beqz(x(11), 84), 0xc9b1, "c.beqz x11,.+84"),
        (c_beqz(x(12), -2), 0xde7d, "c.beqz x12,.-2"),
        (c_bnez(x(8), -256), 0xf001, "c.bnez x8,.-256"),
        (c_bnez(x(15), 254), 0xeffd, "c.bnez x15,.+254"),
        (c_bnez(x(10), 170), 0xe54d, "c.bnez x10,.+170"),
        (c_bnez(x(11), 84), 0xe9b1, "c.bnez x11,.+84"),
        (c_bnez(x(12), -2), 0xfe7d, "c.bnez x12,.-2"),
        (c_slli(x(1), 1), 0x0086, "c.slli x1,1"),
        (c_slli(x(31), 63), 0x1ffe, "c.slli x31,63"),
        (c_slli(x(10), 42), 0x152a, "c.slli x10,42"),
        (c_slli(x(2), 32), 0x1102, "c.slli x2,32"),
        (c_lwsp(x(1), 252), 0x50fe, "c.lwsp x1,252(sp)"),
        (c_lwsp(x(31), 4), 0x4f92, "c.lwsp x31,4(sp)"),
        (c_lwsp(x(10), 168), 0x552a, "c.lwsp x10,168(sp)"),
        (c_lwsp(x(2), 84), 0x4156, "c.lwsp x2,84(sp)"),
        (c_ldsp(x(1), 504), 0x70fe, "c.ldsp x1,504(sp)"),
        (c_ldsp(x(31), 8), 0x6fa2, "c.ldsp x31,8(sp)"),
        (c_ldsp(x(10), 336), 0x6556, "c.ldsp x10,336(sp)"),
        (c_ldsp(x(2), 168), 0x712a, "c.ldsp x2,168(sp)"),
        (c_swsp(x(0), 252), 0xdf82, "c.swsp x0,252(sp)"),
        (c_swsp(x(31), 4), 0xc27e, "c.swsp x31,4(sp)"),
        (c_swsp(x(10), 168), 0xd52a, "c.swsp x10,168(sp)"),
        (c_swsp(x(2), 84), 0xca8a, "c.swsp x2,84(sp)"),
        (c_sdsp(x(0), 504), 0xff82, "c.sdsp x0,504(sp)"),
        (c_sdsp(x(31), 8), 0xe47e, "c.sdsp x31,8(sp)"),
        (c_sdsp(x(10), 336), 0xeaaa, "c.sdsp x10,336(sp)"),
        (c_sdsp(x(2), 168), 0xf50a, "c.sdsp x2,168(sp)"),
        (c_jr(x(1)), 0x8082, "c.jr x1"),
        (c_jr(x(31)), 0x8f82, "c.jr x31"),
        (c_jr(x(10)), 0x8502, "c.jr x10"),
        (c_jalr(x(1)), 0x9082, "c.jalr x1"),
        (c_jalr(x(31)), 0x9f82, "c.jalr x31"),
        (c_jalr(x(10)), 0x9502, "c.jalr x10"),
        (c_mv(x(1), x(31)), 0x80fe, "c.mv x1,x31"),
        (c_mv(x(31), x(1)), 0x8f86, "c.mv x31,x1"),
        (c_mv(x(10), x(2)), 0x850a, "c.mv x10,x2"),
        (c_add(x(1), x(31)), 0x90fe, "c.add x1,x31"),
        (c_add(x(31), x(1)), 0x9f86, "c.add x31,x1"),
        (c_add(x(10), x(2)), 0x950a, "c.add x10,x2"),
    ]);
}

/// Follows what `lui`, `addi`, `addiw` and `slli` on one register compute.
fn constant_of(words: &[u32]) -> u64 {
    words.iter().fold(0, |value: u64, &word| {
        let imm = i64::from(word as i32 >> 20) as u64;
        let source = if word >> 15 & 31 == 0 { 0 } else { value };
        match (word & 0x7f, word >> 12 & 7) {
            (0x37, _) => i64::from((word & 0xffff_f000) as i32) as u64,
            (0x13, 0) => source.wrapping_add(imm),
            (0x1b, 0) => i64::from(source.wrapping_add(imm) as i32) as u64,
            (0x13, 1) => source << (imm & 63),
            other => panic!("no constant is made with {other:?}"),
        }
    })
}

#[test]
fn every_constant_can_be_loaded() {
    let mut rng = crate::rng::Rng::new(3);
    let random = (0..20_000)
        .map(|_| rng.next_u64() >> rng.below(64))
        .collect::<Vec<_>>();
    let powers = (0..64).flat_map(|bit| [1 << bit, (1_u64 << bit).wrapping_neg(), (1 << bit) - 1]);
    let edges = powers.flat_map(|power| [power, power ^ 0x800, power ^ 0x7ff]);
    for value in edges.chain(random).flat_map(|value| [value, !value]) {
        let mut asm = Assembler::new(0);
        asm.li(Reg::T0, value);
        let bytes = asm.finish().bytes;
        let words = bytes
            .chunks_exact(4)
            .map(|word| u32::from_le_bytes(word.try_into().expect("the slice has four bytes")));
        let words: Vec<u32> = words.collect();
        assert!(words.len() <= 8, "{value:#x}");
        assert_eq!(constant_of(&words), value, "{value:#x}");
    }
}

#[test]
fn labels_resolve_in_both_directions() {
    let mut asm = Assembler::new(0x1000);
    let (top, end) = (asm.label(), asm.label());
    asm.bind(top);
    asm.branch(beq, x(1), x(2), end);
    asm.short_jump(top);
    asm.la(x(5), end);
    asm.zero_branch(c_bnez, x(8), top);
    asm.bind(end);
    let code = asm.finish();
    assert_eq!(code.address_of(end), 0x1010);
    assert_eq!(code.bytes[..4], beq(x(1), x(2), 16).word().to_le_bytes());
    assert_eq!(code.bytes[4..6], c_j(-4).halfword().to_le_bytes());
    assert_eq!(code.bytes[6..10], auipc(x(5), 0).word().to_le_bytes());
    assert_eq!(
        code.bytes[10..14],
        addi(x(5), x(5), 10).word().to_le_bytes()
    );
    assert_eq!(
        code.bytes[14..16],
        c_bnez(x(8), -14).halfword().to_le_bytes()
    );
    assert_eq!((code.used["auipc"], code.straddling), (1, 2));
}

#[test]
fn operands_out_of_range_are_refused() {
    let refused: [fn() -> Encoded; 10] = [
        || addi(x(1), x(1), 2048),
        || beq(x(1), x(1), 4096),
        || beq(x(1), x(1), 3),
        || jal(x(1), 1 << 20),
        || slliw(x(1), x(1), 32),
        || lui(x(1), 1 << 20),
        || c_lw(x(8), x(7), 0),
        || c_lw(x(8), x(8), 2),
        || c_addi16sp(0),
        || c_lui(Reg::SP, 1),
    ];
    for (index, encode) in refused.into_iter().enumerate() {
        assert!(std::panic::catch_unwind(encode).is_err(), "case {index}");
    }
}
