//! Vectors of the arithmetic instructions, and programs about which registers they name.

use super::recorder::{DATA, EdgeProgram, Recorder};
use super::reference::{register_form, register_result};
use super::{EDGE_VALUES, compressed_hints};
use crate::asm::base::{
    IMMEDIATE_OPS, LOADS, REGISTER_OPS, SHIFT_OPS, addi, auipc, ecall, jal, jalr, lui,
};
use crate::asm::compressed::c_nop;
use crate::asm::{Encoded, Reg};

const RD: Reg = Reg::x(5);
const RS1: Reg = Reg::x(6);
const RS2: Reg = Reg::x(7);

/// Immediates at which something changes.
const EDGE_IMMEDIATES: &[i32] = &[
    0, 1, 2, 7, 8, 31, 32, 63, 64, 255, 1023, 1024, 2046, 2047, -1, -2, -64, -1024, -2047, -2048,
];

/// One instruction on fixed registers, its operands and its result.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AluVector {
    /// The mnemonic.
    pub name: &'static str,
    /// The encoding, with `rd` = `x5`, `rs1` = `x6` and, where there is one, `rs2` = `x7`.
    pub word: u32,
    /// The value of `x6`.
    pub rs1_value: u64,
    /// The value of `x7`, which an instruction with an immediate does not read.
    pub rs2_value: u64,
    /// The value of `x5` afterwards.
    pub expected: u64,
}

fn vector(code: Encoded, [rs1_value, rs2_value]: [u64; 2], expected: u64) -> AluVector {
    AluVector {
        name: code.name,
        word: code.word(),
        rs1_value,
        rs2_value,
        expected,
    }
}

/// Every pair of [`EDGE_VALUES`] for every instruction on two registers; every edge value with
/// every edge immediate, or with every shift amount that matters, for those on one; `lui` with
/// immediates of both signs. `auipc` depends on where it lies: see the program of that name.
pub fn alu_vectors() -> Vec<AluVector> {
    let mut vectors = Vec::new();
    for op in REGISTER_OPS {
        let code = op(RD, RS1, RS2);
        for &a in EDGE_VALUES {
            let pairs = EDGE_VALUES
                .iter()
                .map(|&b| ([a, b], register_result(code.name, a, b)));
            vectors.extend(pairs.map(|(values, expected)| vector(code, values, expected)));
        }
    }
    for op in IMMEDIATE_OPS {
        for &imm in EDGE_IMMEDIATES {
            let code = op(RD, RS1, imm);
            vectors.extend(immediate_vectors(code, i64::from(imm) as u64));
        }
    }
    for (index, op) in SHIFT_OPS.iter().enumerate() {
        let limit = if index < 3 { 64 } else { 32 };
        for shamt in [0, 1, 2, 7, 8, 15, 16, 30, 31, 32, 33, 47, 62, 63] {
            if shamt < limit {
                vectors.extend(immediate_vectors(op(RD, RS1, shamt), u64::from(shamt)));
            }
        }
    }
    let upper = (0..20).flat_map(|bit| [1 << bit, 0xfffff ^ 1 << bit, (1 << bit) - 1]);
    for imm20 in upper.chain([0xfffff]) {
        let expected = i64::from((imm20 << 12) as i32) as u64;
        vectors.push(vector(lui(RD, imm20), [0, 0], expected));
    }
    vectors
}

/// An instruction with an immediate on every edge value of its register.
fn immediate_vectors(code: Encoded, imm: u64) -> impl Iterator<Item = AluVector> {
    let form = register_form(code.name);
    let result = move |value| vector(code, [value, !imm], register_result(form, value, imm));
    EDGE_VALUES.iter().map(move |&value| result(value))
}

/// A guest that runs vectors one after the other and prints their results.
pub fn alu_program(name: &str, vectors: &[AluVector]) -> EdgeProgram {
    let mut recorder = Recorder::new();
    for vector in vectors {
        recorder.asm.li(RS1, vector.rs1_value);
        recorder.asm.li(RS2, vector.rs2_value);
        recorder.asm.word(vector.word);
        recorder.record(RD, vector.expected);
    }
    recorder.finish(name)
}

/// One program per arithmetic instruction, then those about registers.
pub(super) fn programs() -> Vec<EdgeProgram> {
    let vectors = alu_vectors();
    let by_name = vectors.chunk_by(|a, b| a.name == b.name);
    let mut programs: Vec<_> = by_name
        .map(|vectors| alu_program(vectors[0].name, vectors))
        .collect();
    programs.extend([
        repeated_registers(),
        writes_to_x0(),
        program_counter(),
        hints(),
        system_calls(),
    ]);
    programs
}

/// Operands that are the same register, in every combination.
fn repeated_registers() -> EdgeProgram {
    let mut recorder = Recorder::new();
    let (a, b) = (0x8000_0001_7fff_fffb, 0xffff_ffff_ffff_fff3);
    for op in REGISTER_OPS {
        let shapes = [
            [RS1, RS1, RS2],
            [RS2, RS1, RS2],
            [RD, RS1, RS1],
            [RS1, RS1, RS1],
        ];
        for [rd, rs1, rs2] in shapes {
            recorder.asm.li(RS1, a);
            recorder.asm.li(RS2, b);
            let code = op(rd, rs1, rs2);
            recorder.emit(code);
            let second = if rs2 == RS2 { b } else { a };
            recorder.record(rd, register_result(code.name, a, second));
        }
    }
    for op in IMMEDIATE_OPS {
        recorder.asm.li(RS1, a);
        let code = op(RS1, RS1, -7);
        recorder.emit(code);
        let minus_7 = 7_u64.wrapping_neg();
        recorder.record(RS1, register_result(register_form(code.name), a, minus_7));
    }
    recorder.finish("repeated registers")
}

/// Every kind of instruction with `rd` = `x0`, which stays zero.
fn writes_to_x0() -> EdgeProgram {
    let mut recorder = Recorder::new();
    recorder.asm.li(RS1, DATA);
    let mut codes: Vec<Encoded> = REGISTER_OPS
        .iter()
        .map(|op| op(Reg::ZERO, RS1, RS1))
        .collect();
    codes.extend(IMMEDIATE_OPS.iter().map(|op| op(Reg::ZERO, RS1, 1)));
    codes.extend(SHIFT_OPS.iter().map(|op| op(Reg::ZERO, RS1, 1)));
    codes.extend(LOADS.iter().map(|(op, _)| op(Reg::ZERO, RS1, 0)));
    codes.extend([lui(Reg::ZERO, 1), auipc(Reg::ZERO, 1), jal(Reg::ZERO, 4)]);
    for code in codes {
        recorder.emit(code);
        recorder.record(Reg::ZERO, 0);
    }
    let after = recorder.asm.label();
    recorder.asm.far_jump(Reg::ZERO, RS1, after, 0);
    recorder.asm.bind(after);
    recorder.record(Reg::ZERO, 0);
    recorder.emit(addi(RD, Reg::ZERO, 3));
    recorder.record(RD, 3);
    recorder.finish("writes to x0")
}

/// `auipc` with edge immediates, and links, at addresses that are 0 and 2 modulo 4.
fn program_counter() -> EdgeProgram {
    let mut recorder = Recorder::new();
    for imm20 in [0, 1, 2, 0x7ffff, 0x80000, 0xffffe, 0xfffff, 0x55555] {
        for _ in 0..2 {
            let pc = recorder.asm.here();
            recorder.emit(auipc(RD, imm20));
            recorder.record(RD, pc.wrapping_add(i64::from((imm20 << 12) as i32) as u64));
            recorder.emit(c_nop());
        }
    }
    for _ in 0..2 {
        let pc = recorder.asm.here();
        recorder.emit(jal(RD, 4));
        recorder.record(RD, pc + 4);
        let pc = recorder.asm.here();
        recorder.emit(auipc(RS1, 0));
        recorder.emit(jalr(RD, RS1, 8));
        recorder.record(RD, pc + 8);
        recorder.emit(c_nop());
    }
    recorder.finish("program counter")
}

/// Two-byte hints change no register.
fn hints() -> EdgeProgram {
    let mut recorder = Recorder::new();
    for number in 1..31 {
        recorder.asm.li(Reg::x(number), value_of(number));
    }
    for halfword in compressed_hints() {
        recorder.asm.halfword(halfword);
    }
    for number in 0..31 {
        recorder.record(Reg::x(number), value_of(number));
    }
    recorder.finish("hints")
}

/// A value that tells a register from the others.
fn value_of(number: u8) -> u64 {
    0x8101_0101_0101_0101_u64.wrapping_mul(u64::from(number))
}

/// A system call changes `a0` and no other register.
fn system_calls() -> EdgeProgram {
    let mut recorder = Recorder::new();
    for len in [0, 1, 7, 8, 9] {
        for number in (1..31).filter(|&number| ![10, 11, 12, 17].contains(&number)) {
            recorder.asm.li(Reg::x(number), value_of(number));
        }
        let arguments = [(Reg::A0, 2), (Reg::A1, DATA + 3), (Reg::A2, len)];
        for (register, value) in arguments.into_iter().chain([(Reg::A7, 64)]) {
            recorder.asm.li(register, value);
        }
        recorder.emit(ecall());
        for number in 1..31 {
            let expected = match number {
                10 | 12 => len,
                11 => DATA + 3,
                17 => 64,
                _ => value_of(number),
            };
            recorder.record(Reg::x(number), expected);
        }
    }
    recorder.finish("system calls")
}
