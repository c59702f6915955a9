//! Random programs that run for a bounded time and print everything they computed.
//!
//! ```text
//! 0x01_0000  text    stubs and leaf functions | entry: load registers | body | report | leaf
//!                    functions
//! 0x08_0000  rodata  the first values of the registers
//! 0x10_0000  data    scratch area, 64 bytes of slack, room for the registers, the digest
//! ```
//!
//! **Registers.** `gp` holds the scratch area's start + 2048, so that every 12-bit offset stays
//! inside; `sp` points into the same area (the value it has at entry is never used); the loop
//! counters `x4`, `x9` and `x28` are ordinary registers while no loop uses them. Every register is
//! stored at the end.
//!
//! **Every program ends.** Branches and jumps go forward, with these exceptions. A loop counts a
//! register down from at most 5, nothing in its body may write that register, and loops nest two
//! deep. A call goes to a leaf function, which only has straight-line code and returns through a
//! register it does not write. A stub out of line is straight-line code that comes back to the
//! instruction after the one jump that leads to it.
//!
//! **Every program is the same on every RV64 machine**: addresses are fixed, atomics are aligned,
//! a store-conditional either follows its load-reserved at once or has none, and no value comes
//! from the stack pointer at entry.

mod control;
mod items;

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use zkvm_isa::syscall::{FD_STDOUT, WRITE};

use crate::asm::base::{ecall, ld, sd};
use crate::asm::{Assembler, Encoded, Label, Reg};
use crate::edge::EDGE_VALUES;
use crate::elf::{EF_RISCV_RVC, ElfBuilder, PF_R, PF_W, Segment};
use crate::fragments::{self, Range};
use crate::rng::Rng;

const TEXT: u64 = 0x1_0000;
const TABLE: u64 = 0x8_0000;
const DATA: u64 = 0x10_0000;
/// Bytes past the scratch area that an offset may reach.
const SLACK_BYTES: u64 = 64;
const REGISTER_BYTES: u64 = 32 * 8;
/// Bytes of the scratch area that start with random values; the rest is zero.
const FILLED_BYTES: usize = 4096;
/// Items that fit between the text's start and the table, at about 40 bytes each.
const ITEMS_MAX: u32 = 10_000;
/// Registers that count loops; leaf functions and stubs do not write them.
const COUNTERS: [Reg; 3] = [Reg::x(4), Reg::x(9), Reg::x(28)];

/// What a random program may contain.
#[derive(Clone, Debug)]
pub struct Options {
    /// How many items the body has, at most 10 000; an item is about ten instructions.
    pub items: RangeInclusive<u32>,
    /// Whether to use two-byte instructions.
    pub compressed: bool,
    /// Whether to use the A extension.
    pub atomics: bool,
    /// Base-2 logarithm of the scratch area's size in bytes, 12 to 22.
    pub scratch_bytes_log2: u32,
}

impl Default for Options {
    /// RV64IMAC, 200 to 400 items, 4 KiB of scratch memory.
    fn default() -> Self {
        Self {
            items: 200..=400,
            compressed: true,
            atomics: true,
            scratch_bytes_log2: 12,
        }
    }
}

/// A random program and what is known about its run.
#[derive(Clone, Debug)]
pub struct Generated {
    /// The seed that names it.
    pub seed: u64,
    /// The ELF file, with function symbols.
    pub elf: Vec<u8>,
    /// Length of its code.
    pub text_bytes: u64,
    /// How often each mnemonic occurs in the code (some of it does not run).
    pub instructions_used: BTreeMap<&'static str, u32>,
    /// How many four-byte instructions lie at addresses that are 2 modulo 4.
    pub straddling: u32,
    /// The code it exits with, 0 to 100.
    pub exit_code: u32,
    /// How many bytes it prints in all; the last [`Self::dump_bytes`] are the dump.
    pub stdout_bytes: u64,
    /// Length of the dump: scratch area, slack, registers `x0` to `x31`. The journal is the
    /// [`fn@crate::digest`] of the dump.
    pub dump_bytes: u64,
}

/// A leaf function.
#[derive(Clone, Copy, Debug)]
struct Leaf {
    entry: Label,
    link: Reg,
}

/// Straight-line code out of line, and where it goes back to.
#[derive(Clone, Copy, Debug)]
struct Stub {
    entry: Label,
    back: Label,
}

/// Where the parts of a finished program begin.
struct Program {
    seed: u64,
    entry: u64,
    body: u64,
    epilogue: u64,
    last_leaves: u64,
    exit_code: u32,
}

/// A program under construction.
struct Generator {
    rng: Rng,
    asm: Assembler,
    options: Options,
    /// Registers that may not be written now, one bit each.
    locked: u32,
    leaves: Vec<Leaf>,
    /// Stubs before the entry that no jump uses yet.
    stubs_behind: Vec<Stub>,
    /// Stubs that are to be emitted, and the first branch that waits for one of them.
    stubs_ahead: Vec<Stub>,
    first_waiting: Option<u64>,
    printed_bytes: u64,
}

/// Makes the program that `seed` names; the same seed and options give the same bytes.
pub fn generate(seed: u64, options: &Options) -> Generated {
    let items_max = *options.items.end();
    assert!(
        items_max <= ITEMS_MAX,
        "{items_max} items are more than {ITEMS_MAX}"
    );
    assert!(
        (12..=22).contains(&options.scratch_bytes_log2),
        "the scratch area is 4 KiB to 4 MiB"
    );
    let generator = Generator {
        rng: Rng::new(seed),
        asm: Assembler::new(TEXT),
        options: options.clone(),
        locked: 0,
        leaves: Vec::new(),
        stubs_behind: Vec::new(),
        stubs_ahead: Vec::new(),
        first_waiting: None,
        printed_bytes: 0,
    };
    generator.program(seed)
}

impl Generator {
    /// Emits the whole program.
    fn program(mut self, seed: u64) -> Generated {
        for _ in 0..4 {
            let leaf = self.new_leaf();
            self.leaves.push(leaf);
        }
        self.emit_stubs_behind();
        self.emit_leaf(0);
        self.emit_leaf(1);

        let entry = self.asm.here();
        self.load_registers();
        let body = self.asm.here();
        let (low, high) = (*self.options.items.start(), *self.options.items.end());
        for _ in 0..self.rng.between(i64::from(low), i64::from(high)) {
            self.top_item();
        }
        self.emit_stubs_ahead();

        for stub in std::mem::take(&mut self.stubs_behind) {
            self.asm.bind(stub.back);
        }
        let epilogue = self.asm.here();
        let exit_code = self.rng.below(101) as u32;
        self.store_registers();
        let dump_bytes = self.dump_bytes();
        let dump = Range {
            address: DATA,
            len_bytes: dump_bytes,
        };
        fragments::report(&mut self.asm, dump, DATA + dump_bytes, exit_code);
        let last_leaves = self.asm.here();
        self.emit_leaf(2);
        self.emit_leaf(3);

        self.pack(Program {
            seed,
            entry,
            body,
            epilogue,
            last_leaves,
            exit_code,
        })
    }

    /// Makes the file of the finished code, the table and the data.
    fn pack(mut self, program: Program) -> Generated {
        let Program {
            seed,
            entry,
            body,
            epilogue,
            last_leaves,
            exit_code,
        } = program;
        let dump_bytes = self.dump_bytes();
        let data = Segment {
            address: DATA,
            bytes: self.random_bytes(FILLED_BYTES),
            memory_bytes: dump_bytes + 8,
            flags: PF_R | PF_W,
        };
        let table = self.first_values();
        let Self {
            asm,
            options,
            printed_bytes,
            ..
        } = self;
        let code = asm.finish();
        let text_bytes = code.bytes.len() as u64;
        assert!(
            TEXT + text_bytes <= TABLE,
            "the code must end below the table"
        );
        let elf = ElfBuilder::new(entry)
            .flags(if options.compressed { EF_RISCV_RVC } else { 0 })
            .text(TEXT, code.bytes)
            .rodata(TABLE, table)
            .segment(data)
            .function("stubs_and_leaves", TEXT, entry - TEXT)
            .function("_start", entry, body - entry)
            .function("body", body, epilogue - body)
            .function("report", epilogue, last_leaves - epilogue)
            .function("leaves", last_leaves, TEXT + text_bytes - last_leaves)
            .build();
        Generated {
            seed,
            elf,
            text_bytes,
            instructions_used: code.used,
            straddling: code.straddling,
            exit_code,
            stdout_bytes: printed_bytes + dump_bytes,
            dump_bytes,
        }
    }

    fn scratch_bytes(&self) -> u64 {
        1 << self.options.scratch_bytes_log2
    }

    fn dump_bytes(&self) -> u64 {
        self.scratch_bytes() + SLACK_BYTES + REGISTER_BYTES
    }

    fn random_bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8))
            .flat_map(|_| self.rng.next_u64().to_le_bytes())
            .take(count)
            .collect()
    }

    /// A value that is likely to be an edge of something.
    fn value(&mut self) -> u64 {
        match self.rng.below(4) {
            0 => self.rng.next_u64(),
            1 => self.rng.next_u64() >> self.rng.below(64),
            _ => self.rng.pick(EDGE_VALUES),
        }
    }

    /// The table that the registers are loaded from.
    fn first_values(&mut self) -> Vec<u8> {
        (0..32).flat_map(|_| self.value().to_le_bytes()).collect()
    }

    /// Loads every register but `gp` and `sp` from the table, and points those two at the scratch
    /// area. One program in four has an `sp` that is not aligned.
    fn load_registers(&mut self) {
        let table = Reg::x(31);
        self.asm.li(table, TABLE);
        for number in 1..32 {
            self.asm
                .emit(ld(Reg::x(number), table, 8 * i32::from(number)));
        }
        self.asm.li(Reg::GP, DATA + 2048);
        let stray = if self.rng.one_in(4) {
            self.rng.below(16)
        } else {
            0
        };
        self.asm.li(Reg::SP, DATA + 1024 + stray);
    }

    /// Stores every register behind the scratch area; `gp` is the base and is stored as such.
    fn store_registers(&mut self) {
        self.asm
            .li(Reg::GP, DATA + self.scratch_bytes() + SLACK_BYTES);
        for number in 0..32 {
            self.asm
                .emit(sd(Reg::x(number), Reg::GP, 8 * i32::from(number)));
        }
    }

    /// Prints a few bytes of the scratch area; only outside branches and loops, so that the
    /// number of printed bytes is known.
    fn print(&mut self) {
        let len = self.rng.below(65);
        let at = DATA + self.rng.below(1024);
        for (register, value) in [(Reg::A0, FD_STDOUT), (Reg::A1, at), (Reg::A2, len)] {
            self.asm.li(register, value);
        }
        self.asm.li(Reg::A7, WRITE);
        self.emit(ecall());
        self.printed_bytes += len;
    }

    fn emit(&mut self, instruction: Encoded) {
        self.asm.emit(instruction);
    }
}

#[cfg(test)]
mod tests;
