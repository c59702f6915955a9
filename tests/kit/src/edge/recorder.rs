//! Guests that record doublewords and print them at the end.
//!
//! ```text
//! 0x01_0000  text      the code; x31 points at the next free result
//! 0x40_0000  data      a copy of the memory that the builder follows, two pages
//! 0x50_0000  results   one doubleword per record, then the digest
//! ```

use crate::asm::base::{addi, ld, sd};
use crate::asm::{Assembler, Encoded, Reg};
use crate::elf::{EF_RISCV_RVC, ElfBuilder};
use crate::fragments::{self, Range};

const TEXT: u64 = 0x1_0000;
pub(super) const DATA: u64 = 0x40_0000;
pub(super) const DATA_BYTES: u64 = 0x2000;
const RESULTS: u64 = 0x50_0000;
/// The next free result.
const CURSOR: Reg = Reg::x(31);

/// A guest and the doublewords it must print.
///
/// It prints [`Self::expected`] as little-endian bytes, commits their [`fn@crate::digest`] to the
/// journal and exits with 0.
#[derive(Clone, Debug)]
pub struct EdgeProgram {
    /// What it tests: a mnemonic, or a subject.
    pub name: String,
    /// The ELF file.
    pub elf: Vec<u8>,
    /// The doublewords, in the order in which the guest computed them.
    pub expected: Vec<u64>,
}

impl EdgeProgram {
    /// What it prints.
    pub fn expected_stdout(&self) -> Vec<u8> {
        self.expected
            .iter()
            .flat_map(|value| value.to_le_bytes())
            .collect()
    }

    /// What it commits.
    pub fn expected_journal(&self) -> [u8; 8] {
        crate::digest(&self.expected_stdout()).to_le_bytes()
    }
}

/// A guest under construction, with the memory it will have and the results it will record.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) asm: Assembler,
    /// The data segment as the guest's stores leave it.
    pub(super) memory: Vec<u8>,
    first_memory: Vec<u8>,
    expected: Vec<u64>,
}

impl Recorder {
    /// Starts with a data segment in which neighbouring bytes differ and both signs occur.
    pub(super) fn new() -> Self {
        let byte = |index: u64| (index.wrapping_mul(0x9d) ^ index >> 3 ^ 0xa5) as u8;
        let memory: Vec<u8> = (0..DATA_BYTES).map(byte).collect();
        let mut asm = Assembler::new(TEXT);
        asm.li(CURSOR, RESULTS);
        Self {
            asm,
            first_memory: memory.clone(),
            memory,
            expected: Vec::new(),
        }
    }

    pub(super) fn emit(&mut self, instruction: Encoded) {
        self.asm.emit(instruction);
    }

    /// Records a register, which must hold `expected` then.
    pub(super) fn record(&mut self, register: Reg, expected: u64) {
        self.emit(sd(register, CURSOR, 0));
        self.emit(addi(CURSOR, CURSOR, 8));
        self.expected.push(expected);
    }

    /// The eight bytes of the followed memory at a data address.
    pub(super) fn doubleword_at(&self, address: u64) -> u64 {
        let at = (address - DATA) as usize;
        u64::from_le_bytes(
            self.memory[at..at + 8]
                .try_into()
                .expect("the slice has eight bytes"),
        )
    }

    /// Records the doublewords of an aligned range of data; `x29` and `x30` are lost.
    pub(super) fn record_memory(&mut self, address: u64, doublewords: u64) {
        let (base, value) = (Reg::x(29), Reg::x(30));
        self.asm.li(base, address);
        for index in 0..doublewords {
            self.emit(ld(value, base, 8 * index as i32));
            self.record(value, self.doubleword_at(address + 8 * index));
        }
    }

    /// Follows a store of the low `width` bytes of `value`.
    pub(super) fn follow_store(&mut self, address: u64, width: u32, value: u64) {
        let at = (address - DATA) as usize;
        let width = width as usize;
        self.memory[at..at + width].copy_from_slice(&value.to_le_bytes()[..width]);
    }

    pub(super) fn finish(mut self, name: &str) -> EdgeProgram {
        let len_bytes = 8 * self.expected.len() as u64;
        let results = Range {
            address: RESULTS,
            len_bytes,
        };
        fragments::report(&mut self.asm, results, RESULTS + len_bytes, 0);
        let text = self.asm.finish().bytes;
        assert!(
            TEXT + text.len() as u64 <= DATA,
            "the code must end below the data"
        );
        let elf = ElfBuilder::new(TEXT)
            .flags(EF_RISCV_RVC)
            .text(TEXT, text)
            .data(DATA, self.first_memory)
            .zeroed(RESULTS, len_bytes + 8)
            .build();
        EdgeProgram {
            name: name.to_owned(),
            elf,
            expected: self.expected,
        }
    }
}
