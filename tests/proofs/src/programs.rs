//! Programs to be proved.

use zkvm_isa::Precompile;
use zkvm_isa::layout::{INPUT_BYTES_START, INPUT_START};
use zkvm_isa::syscall::{
    FD_HINT, FD_JOURNAL, FD_STDERR, FD_STDOUT, HALT, HALT_STANDARD, PANIC, READ, SPAN_BEGIN,
    SPAN_END, WRITE,
};
use zkvm_machine::precompile::compute;
use zkvm_machine::{Input, Program, load};
use zkvm_testkit::asm::{Assembler, Order, Reg, base};
use zkvm_testkit::edge::{EdgeProgram, alu_program, alu_vectors, edge_programs};
use zkvm_testkit::elf::ElfBuilder;
use zkvm_testkit::generate::{Generated, Options, generate};
use zkvm_testkit::rng::Rng;

/// Loads an ELF file that must be a program.
#[must_use]
#[track_caller]
pub fn program(elf: &[u8]) -> Program {
    load(elf).unwrap_or_else(|error| panic!("the file must load: {error}"))
}

/// The generated program of `seed`: even seeds with compressed instructions, odd ones without;
/// every tenth with a larger scratch area.
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

const TEXT: u64 = 0x1_0000;
const RODATA: u64 = 0x2_0000;
const DATA: u64 = 0x3_0000;

fn call(asm: &mut Assembler, number: u64, arguments: [u64; 3]) {
    for (register, value) in [Reg::A0, Reg::A1, Reg::A2].into_iter().zip(arguments) {
        asm.li(register, value);
    }
    asm.li(Reg::A7, number);
    asm.emit(base::ecall());
}

/// A program that reads hints in parts of these lengths into places of their own, then journals
/// each place and what the call returned.
#[must_use]
pub fn hint_reader(lengths: &[u64]) -> Program {
    let mut asm = Assembler::new(TEXT);
    let place = |index: usize| DATA + 0x2_0000 * index as u64;
    for (index, length) in lengths.iter().enumerate() {
        // What was there before is written over, up to the end of the last word.
        asm.li(Reg::T0, u64::MAX);
        asm.li(Reg::T1, place(index));
        for offset in [0, 8, 16, 24, 32] {
            asm.emit(base::sd(Reg::T0, Reg::T1, offset + 8));
        }
        call(&mut asm, READ, [FD_HINT, place(index) + 8, *length]);
        asm.li(Reg::T1, place(index));
        asm.emit(base::sd(Reg::A0, Reg::T1, 0));
    }
    for index in 0..lengths.len() {
        call(&mut asm, WRITE, [FD_JOURNAL, place(index), 48]);
    }
    call(&mut asm, HALT_STANDARD, [0; 3]);
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, asm.finish().bytes)
        .zeroed(DATA, 0x10_0000)
        .build();
    program(&elf)
}

/// A call of a precompile: the values of all its operands' words, one after the other.
#[derive(Clone, Debug)]
pub struct PrecompileCall {
    /// Which.
    pub precompile: Precompile,
    /// The words.
    pub words: Vec<u64>,
}

impl PrecompileCall {
    /// What it leaves at its first operand, if it has a result.
    #[must_use]
    pub fn result(&self) -> Option<Vec<u64>> {
        let mut words = [0; Precompile::WORDS_MAX];
        words[..self.words.len()].copy_from_slice(&self.words);
        compute(self.precompile, &mut words).ok()?;
        Some(words[..self.precompile.operands()[0].words as usize].to_vec())
    }
}

/// A program that makes the calls and journals what each leaves. What they read only lies in
/// constants and in writable memory by turns.
#[must_use]
pub fn precompiles(calls: &[PrecompileCall]) -> Program {
    let mut asm = Assembler::new(TEXT);
    let (mut constants, mut data) = (Vec::new(), Vec::new());
    let mut results = Vec::new();
    for (number, made) in calls.iter().enumerate() {
        let mut words = made.words.as_slice();
        let mut addresses = [0; 3];
        for (operand, address) in made.precompile.operands().iter().zip(&mut addresses) {
            let (own, rest) = words.split_at(operand.words as usize);
            words = rest;
            let is_constant = !operand.is_written && number % 2 == 0;
            let (start, place) = if is_constant {
                (RODATA, &mut constants)
            } else {
                (DATA, &mut data)
            };
            *address = start + place.len() as u64;
            place.extend(own.iter().flat_map(|word| word.to_le_bytes()));
        }
        call(&mut asm, made.precompile.number(), addresses);
        let bytes = u64::from(made.precompile.operands()[0].words) * 8;
        results.push((addresses[0], bytes));
    }
    for (address, bytes) in results {
        call(&mut asm, WRITE, [FD_JOURNAL, address, bytes]);
    }
    call(&mut asm, HALT_STANDARD, [0; 3]);
    assert!(RODATA + constants.len() as u64 <= DATA);
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, asm.finish().bytes)
        .rodata(RODATA, constants)
        .data(DATA, data)
        .build();
    program(&elf)
}

/// Words that [`caller`] reads and journals.
pub const CALLER_WORDS: usize = 64;

/// The address of the first of these words.
pub const CALLER_MEMORY: u64 = DATA + 0x100;

/// A program that makes eight system calls at most, `a7` and three arguments of which it reads from
/// hints, as it does memory for them to work on; then it journals that memory. So everything about
/// the calls is up to the prover, and one program stands for all of them.
#[must_use]
pub fn caller(calls: usize) -> Program {
    assert!(calls <= 8, "the memory follows");
    let mut asm = Assembler::new(TEXT);
    let bytes = 8 * CALLER_WORDS as u64;
    call(&mut asm, READ, [FD_HINT, DATA, 0x100 + bytes]);
    for number in 0..calls {
        asm.li(Reg::T0, DATA + 32 * number as u64);
        for (register, offset) in [(Reg::A7, 0), (Reg::A0, 8), (Reg::A1, 16), (Reg::A2, 24)] {
            asm.emit(base::ld(register, Reg::T0, offset));
        }
        asm.emit(base::ecall());
    }
    call(&mut asm, WRITE, [FD_JOURNAL, CALLER_MEMORY, bytes]);
    call(&mut asm, HALT_STANDARD, [0; 3]);
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, asm.finish().bytes)
        .zeroed(DATA, 0x1000)
        .build();
    program(&elf)
}

/// The hints of [`caller`]: `a7`, `a0`, `a1` and `a2` of each call, and the memory, zero where
/// there is nothing.
#[must_use]
pub fn caller_input(calls: &[[u64; 4]], memory: &[u64]) -> Input {
    let mut words = calls.concat();
    assert!(words.len() <= 32 && memory.len() <= CALLER_WORDS);
    words.resize(32, 0);
    words.extend_from_slice(memory);
    words.resize(32 + CALLER_WORDS, 0);
    Input {
        bytes: Vec::new(),
        hints: words.into_iter().flat_map(u64::to_le_bytes).collect(),
    }
}

/// A short program that uses every chip but those of precompiles, and every other system call.
#[must_use]
pub fn tour() -> Program {
    let mut asm = Assembler::new(TEXT);
    registers(&mut asm);
    jumps(&mut asm);
    memory(&mut asm);
    atomics(&mut asm);
    call(&mut asm, WRITE, [FD_STDOUT, RODATA, 3]);
    call(&mut asm, WRITE, [FD_STDERR, RODATA, 0]);
    call(&mut asm, SPAN_BEGIN, [RODATA, 2, 0]);
    call(&mut asm, WRITE, [FD_JOURNAL, RODATA, 16]);
    call(&mut asm, WRITE, [FD_JOURNAL, RODATA, 0]);
    call(&mut asm, SPAN_END, [0; 3]);
    call(&mut asm, PANIC, [RODATA, 2, RODATA]);
    call(&mut asm, READ, [FD_HINT, DATA + 0x1080, 11]);
    call(&mut asm, READ, [FD_HINT, 0, 0]);
    call(&mut asm, READ, [FD_HINT, DATA + 0x10a0, 1 << 16]);
    call(&mut asm, READ, [FD_HINT, DATA + 0x1080, 9]);
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

/// Every atomic operation on both halves of a word and into `x0`, and reservations that hold and
/// that do not.
fn atomics(asm: &mut Assembler) {
    let [rd, lower, upper, a, b] = [5, 6, 7, 28, 29].map(Reg::x);
    let order = Order::Relaxed;
    asm.li(lower, DATA + 0x1040);
    asm.li(upper, DATA + 0x1044);
    asm.li(a, 0x8182_8384_8586_8788);
    asm.li(b, 0x0102_0304_0506_0708);
    for (op, width) in base::ATOMICS {
        let other = if *width == 4 { upper } else { lower };
        asm.emit(op(rd, a, lower, order));
        asm.emit(op(rd, b, other, order));
        asm.emit(op(Reg::ZERO, b, lower, order));
    }
    let (at, value, other) = (lower, a, b);
    for (load, store, offset) in [
        (
            base::lr_w as fn(_, _, _) -> _,
            base::sc_w as fn(_, _, _, _) -> _,
            4,
        ),
        (base::lr_d, base::sc_d, 0),
    ] {
        // Constants can be reserved, though not stored to.
        asm.li(other, RODATA + 8 + offset);
        asm.emit(load(rd, other, order));
        asm.li(at, DATA + 0x1040 + offset);
        asm.emit(store(rd, value, at, order));
        asm.emit(store(rd, value, at, order));
        asm.emit(load(Reg::ZERO, at, order));
        asm.emit(store(rd, value, at, order));
        asm.emit(load(rd, at, order));
        // One that fails looks at no address.
        asm.li(other, 0xffff_ffff_ffff_fff9);
        asm.emit(store(Reg::ZERO, value, other, order));
        asm.emit(store(rd, value, Reg::ZERO, order));
    }
}

/// A program of about 45 instructions a round: it reads a hint and the input, reserves a word,
/// loads and stores at addresses that are no multiples of the width, stores to the reserved word,
/// and journals it. At the end it reads three bytes of hints and journals five.
///
/// It is the same on every RV64 machine, if there are 8 bytes of input and `8 · rounds + 3` of
/// hints.
#[must_use]
pub fn walker(rounds: u64) -> Program {
    let mut asm = Assembler::new(TEXT);
    let [a, b, c, counter, data, sum] = [5, 6, 7, 8, 9, 18].map(Reg::x);
    asm.li(counter, rounds);
    asm.li(data, DATA);
    asm.li(sum, 1);
    let top = asm.label();
    asm.bind(top);
    call(&mut asm, READ, [FD_HINT, DATA + 0x80, 8]);
    asm.emit(base::ld(a, data, 0x80));
    asm.emit(base::lr_d(b, data, Order::Relaxed));
    asm.li(c, u64::from(INPUT_START));
    asm.emit(base::ld(b, c, 0));
    asm.emit(base::ld(c, c, (INPUT_BYTES_START - INPUT_START) as i32));
    asm.emit(base::add(sum, sum, a));
    asm.emit(base::xor(sum, sum, b));
    asm.emit(base::add(sum, sum, c));
    asm.emit(base::mul(sum, sum, sum));
    asm.emit(base::sd(sum, data, 0x103));
    asm.emit(base::lw(a, data, 0x105));
    asm.emit(base::lhu(b, data, 0x107));
    asm.emit(base::sh(a, data, 0x10f));
    asm.emit(base::add(sum, sum, b));
    asm.emit(base::ori(sum, sum, 5));
    asm.emit(base::andi(a, counter, 15));
    asm.emit(base::slli(a, a, 3));
    asm.emit(base::add(a, a, data));
    asm.emit(base::sd(sum, a, 0x200));
    asm.emit(base::sc_d(b, sum, data, Order::Relaxed));
    asm.emit(base::add(sum, sum, b));
    call(&mut asm, WRITE, [FD_JOURNAL, DATA, 8]);
    asm.emit(base::addi(counter, counter, -1));
    let out = asm.label();
    asm.branch(base::beq, counter, Reg::ZERO, out);
    asm.jump(Reg::ZERO, top);
    asm.bind(out);
    call(&mut asm, READ, [FD_HINT, DATA + 0x400, 3]);
    call(&mut asm, WRITE, [FD_JOURNAL, DATA + 0x400, 5]);
    asm.emit(base::andi(Reg::A0, sum, 63));
    asm.li(Reg::A7, HALT);
    asm.emit(base::ecall());
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, asm.finish().bytes)
        .data(DATA, (1..=16).collect())
        .zeroed(DATA + 0x80, 0x1000)
        .build();
    program(&elf)
}

/// The input and hints of [`walker`].
#[must_use]
pub fn walker_input(rounds: u64) -> Input {
    let mut rng = Rng::new(rounds);
    let hints = (0..8 * rounds + 3).map(|_| rng.next_u64() as u8);
    Input {
        bytes: b"an input".to_vec(),
        hints: hints.collect(),
    }
}

/// Instructions of one turn of [`metronome`]: the shortest segments hold a whole number of turns.
pub const METRONOME_TURN: u64 = 8;

/// Turns of [`metronome`] in one of the shortest segments.
pub const METRONOME_TURNS: u64 = 1024 / METRONOME_TURN;

/// A program whose segments, if they are of 1024 instructions, all begin at the same address: what
/// is cut out of it or put into it disturbs nothing but the memory between segments. It counts down
/// from the number of turns, adds up the input's first word, and journals the sum.
#[must_use]
pub fn metronome(segments: u64) -> Program {
    let mut asm = Assembler::new(TEXT);
    let [counter, sum, scratch, place, input, fresh] = [8, 9, 5, 6, 7, 28].map(Reg::x);
    let prologue = |asm: &mut Assembler| {
        asm.li(counter, segments * METRONOME_TURNS);
        asm.li(place, DATA);
        asm.li(input, u64::from(INPUT_BYTES_START));
    };
    let mut measure = Assembler::new(TEXT);
    prologue(&mut measure);
    let length = (measure.here() - TEXT) / 4;
    prologue(&mut asm);
    (length..METRONOME_TURN).for_each(|_| asm.emit(base::addi(sum, Reg::ZERO, 0)));
    let top = asm.label();
    asm.bind(top);
    // The first access of a segment to this register writes it.
    asm.emit(base::addi(fresh, Reg::ZERO, 7));
    asm.emit(base::ld(scratch, input, 0));
    asm.emit(base::ld(sum, place, 0));
    asm.emit(base::add(sum, sum, scratch));
    asm.emit(base::add(sum, sum, fresh));
    asm.emit(base::sd(sum, place, 0));
    asm.emit(base::addi(counter, counter, -1));
    asm.branch(base::bne, counter, Reg::ZERO, top);
    call(&mut asm, WRITE, [FD_JOURNAL, DATA, 8]);
    call(&mut asm, HALT, [0; 3]);
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, asm.finish().bytes)
        .data(DATA, vec![3; 8])
        .build();
    program(&elf)
}

/// A program that stores its counter to each of so many words of zeroed memory, in turn, and
/// journals the last one.
#[must_use]
pub fn toucher(words: u64) -> Program {
    let mut asm = Assembler::new(TEXT);
    let [counter, at] = [8, 9].map(Reg::x);
    asm.li(counter, words);
    asm.li(at, DATA);
    let top = asm.label();
    asm.bind(top);
    asm.emit(base::sd(counter, at, 0));
    asm.emit(base::addi(at, at, 8));
    asm.emit(base::addi(counter, counter, -1));
    asm.branch(base::bne, counter, Reg::ZERO, top);
    call(&mut asm, WRITE, [FD_JOURNAL, DATA + 8 * (words - 1), 8]);
    call(&mut asm, HALT, [0; 3]);
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, asm.finish().bytes)
        .zeroed(DATA, 8 * words)
        .build();
    program(&elf)
}
