//! Programs whose instructions all have chips.

use zkvm_isa::Chip;
use zkvm_isa::syscall::{
    FD_JOURNAL, FD_STDERR, FD_STDOUT, HALT_STANDARD, PANIC, SPAN_BEGIN, SPAN_END, WRITE,
};
use zkvm_machine::{Program, load};
use zkvm_testkit::asm::{Assembler, Reg, base};
use zkvm_testkit::edge::{EdgeProgram, alu_program, alu_vectors, edge_programs};
use zkvm_testkit::elf::ElfBuilder;
use zkvm_testkit::generate::{Generated, Options, generate};

/// Loads an ELF file that must be a program.
#[must_use]
#[track_caller]
pub fn program(elf: &[u8]) -> Program {
    load(elf).unwrap_or_else(|error| panic!("the file must load: {error}"))
}

/// The generated program of `seed`, without atomics: even seeds with compressed instructions, odd
/// ones without; every tenth with a larger scratch area.
#[must_use]
pub fn generated(seed: u64) -> Generated {
    let options = Options {
        scratch_bytes_log2: 12 + u32::from(seed.is_multiple_of(10)),
        ..options(seed)
    };
    generate(seed, &options)
}

/// Like [`generated`], with a tenth of the items and the smallest scratch area.
#[must_use]
pub fn small(seed: u64) -> Generated {
    let options = Options {
        items: 20..=40,
        ..options(seed)
    };
    generate(seed, &options)
}

fn options(seed: u64) -> Options {
    Options {
        compressed: seed.is_multiple_of(2),
        atomics: false,
        ..Options::default()
    }
}

/// The kit's edge programs and the one of all arithmetic vectors.
#[must_use]
pub fn edges() -> Vec<EdgeProgram> {
    let mut edges = edge_programs();
    edges.push(alu_program("all vectors", &alu_vectors()));
    edges
}

/// Whether the program holds an atomic instruction.
#[must_use]
pub fn has_atomics(program: &Program) -> bool {
    let mut chips = program.text().iter().map(|code| code.opcode().chip());
    chips.any(|chip| chip == Some(Chip::Atomic))
}

const TEXT: u64 = 0x1_0000;
const RODATA: u64 = 0x2_0000;
const DATA: u64 = 0x3_0000;

/// A short program that uses every chip, and every system call but hints.
#[must_use]
pub fn tour() -> Program {
    let mut asm = Assembler::new(TEXT);
    registers(&mut asm);
    jumps(&mut asm);
    memory(&mut asm);
    let call = |asm: &mut Assembler, number: u64, arguments: [u64; 3]| {
        for (register, value) in [Reg::A0, Reg::A1, Reg::A2].into_iter().zip(arguments) {
            asm.li(register, value);
        }
        asm.li(Reg::A7, number);
        asm.emit(base::ecall());
    };
    call(&mut asm, WRITE, [FD_STDOUT, RODATA, 3]);
    call(&mut asm, WRITE, [FD_STDERR, RODATA, 0]);
    call(&mut asm, SPAN_BEGIN, [RODATA, 2, 0]);
    call(&mut asm, WRITE, [FD_JOURNAL, RODATA, 16]);
    call(&mut asm, WRITE, [FD_JOURNAL, RODATA, 0]);
    call(&mut asm, SPAN_END, [0; 3]);
    call(&mut asm, PANIC, [RODATA, 2, RODATA]);
    call(&mut asm, WRITE, [FD_JOURNAL, DATA, 11]);
    call(&mut asm, HALT_STANDARD, [0x1_0003, 0, 0]);
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, asm.finish().bytes)
        .rodata(RODATA, (1..=40).collect())
        .data(DATA, (100..=140).collect())
        .zeroed(DATA + 0x1000, 0x100)
        .build();
    program(&elf)
}

/// Every operation on registers, on two pairs of operands, and into `x0`.
fn registers(asm: &mut Assembler) {
    let [a, b] = [6, 7].map(Reg::x);
    for (rd, values) in [
        (Reg::T0, [0x8000_0001_7fff_fffb, 0xffff_ffff_ffff_fff3]),
        (Reg::T0, [1 << 20, 19]),
        (Reg::ZERO, [1 << 20, 19]),
    ] {
        asm.emit(base::lui(rd, 0xf_edcb));
        asm.emit(base::auipc(rd, 0x12));
        asm.li(a, values[0]);
        asm.li(b, values[1]);
        for code in [
            base::add(rd, a, b),
            base::sub(rd, a, b),
            base::addw(rd, a, b),
            base::subw(rd, a, b),
            base::addi(rd, a, -7),
            base::addiw(rd, a, 9),
            base::and(rd, a, b),
            base::or(rd, a, b),
            base::xor(rd, a, b),
            base::xori(rd, a, 0x5a),
            base::slt(rd, a, b),
            base::sltu(rd, a, b),
            base::slti(rd, a, -3),
            base::sltiu(rd, a, 3),
            base::sll(rd, a, b),
            base::srl(rd, a, b),
            base::sra(rd, a, b),
            base::sllw(rd, a, b),
            base::srlw(rd, a, b),
            base::sraw(rd, a, b),
            base::slli(rd, a, 33),
            base::sraiw(rd, a, 5),
            base::mul(rd, a, b),
            base::mulh(rd, a, b),
            base::mulhu(rd, a, b),
            base::mulhsu(rd, a, b),
            base::mulw(rd, a, b),
            base::div(rd, a, b),
            base::divu(rd, a, b),
            base::rem(rd, a, b),
            base::remu(rd, a, b),
            base::divw(rd, a, b),
            base::remuw(rd, a, b),
            base::div(rd, a, Reg::ZERO),
        ] {
            asm.emit(code);
        }
    }
}

/// Every branch, taken and not, and every kind of jump.
fn jumps(asm: &mut Assembler) {
    let [a, b, link] = [6, 7, 1].map(Reg::x);
    for op in [
        base::beq,
        base::bne,
        base::blt,
        base::bge,
        base::bltu,
        base::bgeu,
    ] {
        for [rs1, rs2] in [[a, b], [b, a], [a, a]] {
            let next = asm.label();
            asm.branch(op, rs1, rs2, next);
            asm.bind(next);
        }
    }
    let (out, back) = (asm.label(), asm.label());
    asm.jump(link, out);
    asm.jump(Reg::ZERO, back);
    asm.bind(out);
    asm.emit(base::jalr(Reg::ZERO, link, 0));
    asm.bind(back);
}

/// Every load and store, aligned and not, within a word and across words, of every kind of memory.
fn memory(asm: &mut Assembler) {
    let [value, at] = [5, 6].map(Reg::x);
    let loads = [
        base::lb,
        base::lbu,
        base::lh,
        base::lhu,
        base::lw,
        base::lwu,
        base::ld,
    ];
    for place in [RODATA, DATA, DATA + 0x1000] {
        for offset in [0, 3, 5, 7] {
            asm.li(at, place + offset);
            loads.iter().for_each(|load| asm.emit(load(value, at, 8)));
            if place != RODATA {
                asm.li(value, 0x8182_8384_8586_8788);
                for store in [base::sb, base::sh, base::sw, base::sd] {
                    asm.emit(store(value, at, 16));
                }
            }
        }
    }
    asm.emit(base::sd(value, Reg::SP, -16));
    // Loads that write no register.
    asm.emit(base::ld(Reg::ZERO, Reg::SP, -16));
    asm.emit(base::lw(Reg::ZERO, Reg::SP, -15));
}
