//! Bytes as guests: any byte string stands for a program, its input and its limits.
//!
//! ```text
//!  0  shape    bit 0 compressed, 1 text by instructions, 2 data before text in one page,
//!              3 a function symbol over the text, 4 halts at the end of its text
//!  1  cycles   index into CYCLES_MAX          5  input bytes
//!  2  pages    above what the image takes     6  hint words
//!  3  plan     how to cut it: parts and words  7  data words
//!  4  journal  index into JOURNAL_BYTES_MAX   8  seeds of x1 to x31, one byte each
//! 39  input, hints, data, then the text; what is missing reads as zero
//! ```
//!
//! A seed names a value of [`VALUES`] and is added a multiple of 8 of at most 56. The text is
//! taken as it is, or, with bit 1, as instructions of six bytes: opcode, rd, rs1, rs2, and an
//! immediate of two bytes. Opcodes past the last one are two-byte instructions (the immediate's
//! bits) and system calls ([`SYSTEM_CALLS`] by `rd`, descriptor set, `a1` from `rs1`, length from
//! the immediate), so that mutations stay legal.

use zkvm_isa::{Format, Instruction, Length, Opcode, encode, layout, syscall};
use zkvm_machine::{Input, Limits, Program};
use zkvm_testkit::asm::{
    Assembler, Reg,
    base::{addi, ecall, ld},
};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder};

use crate::load::image_bytes;
use crate::segments::CutPlan;

const LOW: u64 = 0x1_0000;
const HIGH: u64 = 0x2_0000;
const SHAPE_COMPRESSED: u8 = 1;
const SHAPE_INSTRUCTIONS: u8 = 2;
const SHAPE_ONE_PAGE: u8 = 4;
const SHAPE_SYMBOL: u8 = 8;
const SHAPE_HALTS: u8 = 16;

const CYCLES_MAX: [u64; 8] = [5000, 5000, 5000, 5000, 1000, 100, 1, 0];
const JOURNAL_BYTES_MAX: [u64; 4] = [1 << 16, 4096, 12, 0];
const WORDS: [u32; 4] = [256, 32, 4, 1];
const PAGES_MAX: u64 = 64;
const TEXT_BYTES_MAX: usize = 4096;
/// Bytes of an instruction when the text is given by instructions.
const INSTRUCTION_BYTES: usize = 6;
const REGISTERS: usize = 31;
/// Where the variable parts begin.
const HEADER_BYTES: usize = 8 + REGISTERS;

/// System calls that an instruction of the text can stand for: number, and `a0` if it is fixed.
pub const SYSTEM_CALLS: [(u64, Option<u64>); 10] = [
    (syscall::WRITE, Some(syscall::FD_JOURNAL)),
    (syscall::READ, Some(syscall::FD_HINT)),
    (syscall::WRITE, Some(syscall::FD_STDOUT)),
    (syscall::WRITE, Some(syscall::FD_STDERR)),
    (syscall::WRITE, None),
    (syscall::READ, None),
    (syscall::PANIC, None),
    (syscall::SPAN_BEGIN, None),
    (syscall::SPAN_END, None),
    (syscall::HALT, None),
];

/// What registers begin with.
const VALUES: [u64; 32] = [
    0,
    1,
    8,
    64,
    u64::MAX,
    1 << 63,
    0x7fff_ffff,
    0xffff_ffff_8000_0000,
    LOW,
    LOW + 0x0ffc,
    HIGH,
    HIGH + 0x0ff8,
    0x4_0000,
    0x1000_0000,
    layout::HEAP_END as u64 - 8,
    layout::STACK_START as u64,
    layout::STACK_END as u64 - 4,
    layout::STACK_POINTER_AT_ENTRY as u64,
    layout::INPUT_START as u64,
    layout::INPUT_BYTES_START as u64,
    layout::INPUT_END_MAX as u64,
    u64::MAX - 63,
    (1 << 32) - 8,
    syscall::WRITE,
    syscall::READ,
    syscall::HALT,
    syscall::FD_JOURNAL,
    syscall::FD_HINT,
    syscall::SPAN_BEGIN,
    syscall::PANIC,
    syscall::TRANSFER_BYTES_MAX,
    0x1234_5678_9abc_def0,
];

/// A program with its input and its limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guest {
    /// The file.
    pub elf: Vec<u8>,
    /// What it is given.
    pub input: Input,
    /// How to cut it into segments.
    pub plan: CutPlan,
    cycles_max: u64,
    pages_above_image: u64,
    journal_bytes_max: u64,
}

/// The parts of the byte string that stands for a guest; what seeds of the corpus are written as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GuestSource {
    /// Shape, cycles, pages, plan, journal: the first five bytes.
    pub header: [u8; 5],
    /// Seeds of `x1` to `x31`.
    pub registers: [u8; REGISTERS],
    /// The input, at most 255 bytes.
    pub input: Vec<u8>,
    /// The hints, a multiple of 8 bytes, at most 2040.
    pub hints: Vec<u8>,
    /// The data, a multiple of 8 bytes, at most 2040.
    pub data: Vec<u8>,
    /// The text.
    pub text: Vec<u8>,
}

impl GuestSource {
    /// Splits a byte string.
    fn read(bytes: &[u8]) -> GuestSource {
        let byte = |index: usize| bytes.get(index).copied().unwrap_or(0);
        let mut rest = bytes.get(HEADER_BYTES..).unwrap_or(&[]);
        let mut take = |len_bytes: usize| -> Vec<u8> {
            let (taken, after) = rest.split_at(len_bytes.min(rest.len()));
            rest = after;
            taken.to_vec()
        };
        let input = take(usize::from(byte(5)));
        let hints = take(8 * usize::from(byte(6)));
        let data = take(8 * usize::from(byte(7)));
        let text = take(TEXT_BYTES_MAX);
        GuestSource {
            header: std::array::from_fn(byte),
            registers: std::array::from_fn(|index| byte(8 + index)),
            input,
            hints,
            data,
            text,
        }
    }

    /// The byte string. Panics if a part is longer than its count can say.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let count = |len: usize| u8::try_from(len).expect("the count of a part fits a byte");
        assert!(self.hints.len().is_multiple_of(8) && self.data.len().is_multiple_of(8));
        let mut bytes = self.header.to_vec();
        bytes.push(count(self.input.len()));
        bytes.push(count(self.hints.len() / 8));
        bytes.push(count(self.data.len() / 8));
        bytes.extend_from_slice(&self.registers);
        for part in [&self.input, &self.hints, &self.data, &self.text] {
            bytes.extend_from_slice(part);
        }
        bytes
    }

    fn has(&self, shape: u8) -> bool {
        self.header[0] & shape != 0
    }

    /// The ELF file: data that begins with the registers' values, and text that loads them first.
    fn build(&self) -> Vec<u8> {
        let mut data: Vec<u8> = self
            .registers
            .iter()
            .flat_map(|seed| {
                let value = VALUES[usize::from(seed & 31)];
                value.wrapping_add(8 * u64::from(seed >> 5)).to_le_bytes()
            })
            .collect();
        data.extend_from_slice(&self.data);
        let (data_address, text_address) = if self.has(SHAPE_ONE_PAGE) {
            (LOW, LOW + (data.len() as u64).next_multiple_of(8))
        } else {
            (HIGH, LOW)
        };
        let text = self.assemble(data_address, text_address);
        let flags = if self.has(SHAPE_COMPRESSED) {
            EF_RISCV_RVC
        } else {
            0
        };
        let text_bytes = text.len() as u64;
        let elf = ElfBuilder::new(text_address)
            .flags(flags)
            .text(text_address, text)
            .data(data_address, data);
        if self.has(SHAPE_SYMBOL) {
            elf.function("guest", text_address, text_bytes).build()
        } else {
            elf.build()
        }
    }

    fn assemble(&self, data_address: u64, text_address: u64) -> Vec<u8> {
        let mut asm = Assembler::new(text_address);
        let base = Reg::x(31);
        asm.li(base, data_address);
        for (index, register) in (1..=31).enumerate() {
            asm.emit(ld(Reg::x(register), base, 8 * index as i32));
        }
        if self.has(SHAPE_INSTRUCTIONS) {
            for bytes in self.text.chunks_exact(INSTRUCTION_BYTES) {
                self.assemble_one(&mut asm, bytes);
            }
        } else {
            for half in self.text.chunks_exact(2) {
                asm.halfword(u16::from_le_bytes([half[0], half[1]]));
            }
        }
        if self.has(SHAPE_HALTS) {
            if !self.has(SHAPE_COMPRESSED) {
                asm.align(4);
            }
            asm.li(Reg::A7, syscall::HALT);
            asm.emit(ecall());
        }
        asm.finish().bytes
    }

    fn assemble_one(&self, asm: &mut Assembler, bytes: &[u8]) {
        let [op, rd, rs1, rs2, low, high] = bytes else {
            unreachable!("chunks of six bytes have six bytes");
        };
        let imm = i16::from_le_bytes([*low, *high]);
        let Some(opcode) = Opcode::ALL.get(usize::from(*op)) else {
            if op % 2 == 0 && self.has(SHAPE_COMPRESSED) {
                asm.halfword(imm.cast_unsigned());
            } else {
                call(asm, *rd, *rs1, imm);
            }
            return;
        };
        let scale = if self.has(SHAPE_COMPRESSED) { 2 } else { 4 };
        let imm = match opcode.format() {
            // Short distances, so that most jumps stay inside a small text.
            Format::B | Format::J => scale * i32::from(imm as i8),
            Format::U => i32::from(imm) << 12,
            Format::R
            | Format::I
            | Format::Shift64
            | Format::Shift32
            | Format::S
            | Format::Amo
            | Format::LoadReserved
            | Format::System => i32::from(imm),
        };
        let instruction = Instruction::new(*opcode, *rd, *rs1, *rs2, imm, Length::Four);
        asm.word(encode(instruction).expect("listed opcodes encode"));
    }
}

/// Emits a system call of [`SYSTEM_CALLS`].
fn call(asm: &mut Assembler, which: u8, pointer: u8, len_bytes: i16) {
    let (number, descriptor) = SYSTEM_CALLS[usize::from(which) % SYSTEM_CALLS.len()];
    asm.li(Reg::A7, number);
    asm.emit(addi(Reg::A1, Reg::x(pointer & 31), 0));
    if let Some(descriptor) = descriptor {
        // Prints read their bytes one by one: long ones would take most of the fuzzing time.
        let is_print = descriptor == syscall::FD_STDOUT || descriptor == syscall::FD_STDERR;
        let len_bytes = if is_print {
            len_bytes & 0xff
        } else {
            len_bytes
        };
        asm.li(Reg::A0, descriptor);
        asm.li(Reg::A2, u64::from(len_bytes.cast_unsigned()));
    }
    asm.emit(ecall());
}

impl Guest {
    /// The guest that `bytes` stand for.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Guest {
        Guest::build(GuestSource::read(bytes))
    }

    /// The same without the symbol, for which the loader may refuse its text.
    #[must_use]
    pub fn without_symbols(bytes: &[u8]) -> Guest {
        let mut source = GuestSource::read(bytes);
        source.header[0] &= !SHAPE_SYMBOL;
        Guest::build(source)
    }

    fn build(source: GuestSource) -> Guest {
        let [_, cycles, pages, plan, journal] = source.header;
        Guest {
            elf: source.build(),
            plan: CutPlan {
                parts: 1 + u64::from(plan % 16),
                words: WORDS[usize::from(plan / 16) % WORDS.len()],
            },
            cycles_max: CYCLES_MAX[usize::from(cycles) % CYCLES_MAX.len()],
            pages_above_image: u64::from(pages) % (PAGES_MAX + 1),
            journal_bytes_max: JOURNAL_BYTES_MAX[usize::from(journal) % JOURNAL_BYTES_MAX.len()],
            input: Input {
                bytes: source.input,
                hints: source.hints,
            },
        }
    }

    /// Its limits, with at most 64 pages of guest memory above what `program` takes.
    #[must_use]
    pub fn limits(&self, program: &Program) -> Limits {
        let page = u64::from(layout::PAGE_BYTES);
        Limits {
            cycles_max: self.cycles_max,
            memory_bytes_max: image_bytes(program, &self.input) + self.pages_above_image * page,
            journal_bytes_max: self.journal_bytes_max,
        }
    }
}
