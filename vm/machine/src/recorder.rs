//! What the interpreter tells about each instruction, and who listens.
//!
//! The interpreter is one loop, compiled once per recorder: [`Counter`] for plain execution, the
//! segment tracer for proving, the call stack for backtraces.

use zkvm_isa::record::{AtomicRecord, ChipRows, SystemRecord};
use zkvm_isa::{Chip, Instruction, Opcode, Precompile};

use crate::memory::Memory;

/// The registers an instruction names, before it executes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Operands {
    /// Index of the instruction in the decoded table.
    pub(crate) text_index: usize,
    pub(crate) instruction: Instruction,
    pub(crate) rs1_value: u64,
    pub(crate) rs2_value: u64,
    pub(crate) rd_previous: u64,
}

/// A memory word an instruction touches, before it does.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Touch {
    pub(crate) slot: usize,
    pub(crate) address: u64,
}

/// Words moved by one system call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Transfer {
    pub(crate) chip: Chip,
    /// Byte offset of this word in the journal or hint stream.
    pub(crate) offset: u64,
    /// Bytes of the word that count.
    pub(crate) bytes: u32,
    pub(crate) touch: Touch,
    /// The word's value after.
    pub(crate) value: u64,
}

/// Listens to the interpreter. Every hook is called before the effect it describes, in the order
/// of the hart's actions; the defaults do nothing.
pub(crate) trait Recorder {
    /// An instruction is about to execute.
    fn instruction(&mut self, operands: &Operands);
    /// It is a naturally aligned load or store, inside one word.
    fn aligned(&mut self, _memory: &Memory, _operands: &Operands, _touch: Touch) {}
    /// It is a misaligned load or store: it touches `low` and perhaps `high`.
    fn misaligned(&mut self, memory: &Memory, operands: &Operands, low: Touch, high: Option<Touch>);
    /// It is an atomic; `touch` is `None` for a store-conditional that fails. The record's
    /// reservation is filled in, registers, word and clocks are not.
    fn atomic(&mut self, _: &Memory, _: &Operands, _: Option<Touch>, _: AtomicRecord) {}
    /// It is an `ecall`, and `record` holds its arguments and result; clocks are not filled in.
    fn system(&mut self, _record: SystemRecord) {}
    /// The `ecall` moves a word.
    fn transfer(&mut self, _memory: &Memory, _transfer: Transfer) {}
    /// The `ecall` is one of a precompile, whose operands' words are these.
    fn precompile(&mut self, _memory: &Memory, _call: Precompile, _words: &[Touch]) {}
    /// It is a jump that links `link_address` into `link_register`.
    fn jump(&mut self, _operands: &Operands, _link_address: u64, _target: u64) {}
    /// Whether the interpreter must stop before the next instruction.
    fn is_full(&self) -> bool {
        false
    }
}

/// Counts executions per opcode, misaligned accesses, transferred words and precompiles.
#[derive(Clone, Debug)]
pub(crate) struct Counter {
    pub(crate) opcodes: [u64; Opcode::COUNT],
    pub(crate) misaligned: u64,
    pub(crate) misaligned_loads: u64,
    /// Rows that system calls add to the chips of transfers and precompiles.
    pub(crate) called: ChipRows,
}

impl Counter {
    pub(crate) fn new() -> Self {
        Counter {
            opcodes: [0; Opcode::COUNT],
            misaligned: 0,
            misaligned_loads: 0,
            called: ChipRows::default(),
        }
    }

    /// Rows per chip.
    pub(crate) fn rows(&self) -> ChipRows {
        let mut rows = self.called;
        for opcode in Opcode::ALL {
            if let Some(chip) = opcode.chip() {
                rows.add(chip, self.opcodes[opcode as usize]);
            }
        }
        rows.0[Chip::Misaligned as usize] = self.misaligned;
        rows.0[Chip::Load as usize] -= self.misaligned_loads;
        rows.0[Chip::Store as usize] -= self.misaligned - self.misaligned_loads;
        rows
    }
}

impl Recorder for Counter {
    #[inline(always)]
    fn instruction(&mut self, operands: &Operands) {
        self.opcodes[operands.instruction.opcode() as usize] += 1;
    }

    #[cold]
    fn misaligned(&mut self, _: &Memory, operands: &Operands, _: Touch, _: Option<Touch>) {
        self.misaligned += 1;
        let is_load = operands.instruction.opcode().chip() == Some(Chip::Load);
        self.misaligned_loads += u64::from(is_load);
    }

    fn transfer(&mut self, _: &Memory, transfer: Transfer) {
        self.called.add(transfer.chip, 1);
    }

    fn precompile(&mut self, _: &Memory, call: Precompile, _: &[Touch]) {
        for (chip, rows) in call.rows() {
            self.called.add(*chip, *rows);
        }
    }
}
