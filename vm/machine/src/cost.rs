//! What an execution cost, in the units that proving pays for.

use zkvm_isa::Opcode;
use zkvm_isa::record::ChipRows;

/// Cost of an execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cost {
    /// Rows per chip. Each executed instruction is one row of one chip; journal and hint words
    /// are a row each besides.
    pub rows: ChipRows,
    /// Executions per opcode, indexed by the opcode's number.
    pub opcodes: [u64; Opcode::COUNT],
    /// Loads and stores that were not naturally aligned.
    pub misaligned: u64,
    /// Guest memory in use at the end, in bytes: whole pages.
    pub memory_bytes: u64,
}

impl Cost {
    /// Executions of `opcode`.
    #[must_use]
    pub fn executions(&self, opcode: Opcode) -> u64 {
        self.opcodes[opcode as usize]
    }
}

/// Cycles spent inside a named span, over all the times it was entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Span {
    /// Names from the outermost span to this one.
    pub path: Vec<String>,
    /// Times entered.
    pub entered: u64,
    /// Cycles between entry and exit, inner spans included.
    pub cycles: u64,
}
