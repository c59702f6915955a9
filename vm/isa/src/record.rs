//! What execution hands to proving: one compact record per row, and the counts of rows.
//!
//! Clocks are local to a segment. Instruction `i` of a segment (from 0) has clock `4·(i + 1)`; its
//! accesses happen at `clock + `[`SUBSTEP_RS1`] and so on, so that the accesses of one instruction
//! to one location are ordered. Clock 0 means "not yet accessed in this segment": the value came
//! across the segment's boundary.

use alloc::vec::Vec;

use crate::{Chip, Precompile};

/// Clocks per instruction.
pub const CLOCKS_PER_CYCLE: u32 = 4;
/// Offset of the read of `rs1` (of every register an `ecall` reads).
pub const SUBSTEP_RS1: u32 = 0;
/// Offset of the read of `rs2`.
pub const SUBSTEP_RS2: u32 = 1;
/// Offset of accesses to memory, to the reservation and to the positions in journal and hints.
pub const SUBSTEP_MEMORY: u32 = 2;
/// Offset of the write of `rd` (of `a0` by an `ecall`).
pub const SUBSTEP_RD: u32 = 3;

/// Which proof about tables: an execution has one per segment, and further ones if its memory tables
/// are too tall for the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Part {
    /// A segment but the last: its instructions, and its boundary.
    Segment,
    /// The last segment: the same, and the initial registers and memory.
    Last,
    /// Further words of the initial memory.
    Words,
}

impl Part {
    /// Every part.
    pub const ALL: [Part; 3] = [Part::Segment, Part::Last, Part::Words];
}

/// Rows per chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ChipRows(pub [u64; Chip::COUNT]);

impl ChipRows {
    /// Rows of `chip`.
    #[must_use]
    pub const fn of(&self, chip: Chip) -> u64 {
        self.0[chip as usize]
    }

    /// Adds `rows` to `chip`.
    #[inline(always)]
    pub const fn add(&mut self, chip: Chip, rows: u64) {
        self.0[chip as usize] += rows;
    }

    /// Rows of all chips together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// One executed instruction that touches registers only: 48 bytes.
///
/// Operand fields that the opcode's format lacks hold the value and clock of nothing: zero. A write
/// to `x0` is no access: then `rd`'s fields are zero too. A read of `x0` is one.
/// The result is not stored; filling the row computes it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct RegisterRecord {
    /// Value of `rs1`.
    pub rs1_value: u64,
    /// Value of `rs2`.
    pub rs2_value: u64,
    /// Value of `rd` before the instruction.
    pub rd_previous: u64,
    /// Clock of the instruction.
    pub clock: u32,
    /// Index into the program table: `(pc - text start) / 2`.
    pub text_index: u32,
    /// Clock of the previous access to `rs1`.
    pub rs1_clock: u32,
    /// Clock of the previous access to `rs2`.
    pub rs2_clock: u32,
    /// Clock of the previous access to `rd`.
    pub rd_clock: u32,
    /// Keeps the size a multiple of 8 with a defined value.
    pub reserved: u32,
}

/// One access to an 8-byte word of memory: its index, its value before, when it was last touched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct WordAccess {
    /// The word's value before the instruction.
    pub previous: u64,
    /// The word's address divided by 8.
    pub word_index: u32,
    /// Clock of the previous access to the word.
    pub clock: u32,
}

/// A load or store inside one aligned word: 64 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct MemoryRecord {
    /// The registers.
    pub registers: RegisterRecord,
    /// The word.
    pub word: WordAccess,
}

/// A load or store whose address is not a multiple of its width.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct MisalignedRecord {
    /// The registers.
    pub registers: RegisterRecord,
    /// The word that holds the first byte.
    pub low: WordAccess,
    /// The next word; all zero when the access stays inside `low`.
    pub high: WordAccess,
}

/// An atomic instruction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct AtomicRecord {
    /// The registers.
    pub registers: RegisterRecord,
    /// The word; all zero for a store-conditional that fails, which looks at no address: `rs1` may
    /// then be anything.
    pub word: WordAccess,
    /// The reservation before: 0 for none, else the reserved address + 1.
    pub reservation: u64,
    /// Clock of the previous access to the reservation, which only `lr` and `sc` access.
    pub reservation_clock: u32,
}

/// An `ecall`: it reads `a7`, `a0`, `a1` and `a2` and writes `a0`.
///
/// A journal write and a hint read (of any length, also 0) read and write a position besides: the
/// number of bytes written, or read, since the program's entry. The proof keeps both as hidden
/// registers: 33 for the journal and 34 for the hints, after the reservation, which is 32.
/// The call leaves `position + result` there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct SystemRecord {
    /// Clock of the instruction.
    pub clock: u32,
    /// Index into the program table.
    pub text_index: u32,
    /// Values of `a7`, `a0`, `a1`, `a2`.
    pub arguments: [u64; 4],
    /// Clocks of the previous accesses to `a7`, `a0`, `a1`, `a2`.
    pub argument_clocks: [u32; 4],
    /// Value of `a0` after.
    pub result: u64,
    /// The position before; 0 for a call that has none.
    pub position: u64,
    /// Clock of the previous access to the position, at [`SUBSTEP_MEMORY`] of the previous call of
    /// the same kind in this segment; 0 if there was none, and for a call that has no position.
    pub position_clock: u32,
}

/// One word that a journal write read from memory, or that a hint read wrote to it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct TransferRecord {
    /// Clock of the `ecall`.
    pub clock: u32,
    /// Bytes of the word that count, 1 to 8.
    pub bytes: u32,
    /// Byte offset of the word in the journal or in the hint stream.
    pub offset: u64,
    /// The access.
    pub word: WordAccess,
    /// The word's value after; equal to the value before for the journal.
    pub value: u64,
}

/// The calls of one precompile, in execution order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecompileCalls {
    /// Clock of each call's `ecall`.
    pub clocks: Vec<u32>,
    /// The words that each call accesses, [`Precompile::words`] for each, by operand.
    pub words: Vec<WordAccess>,
}

impl PrecompileCalls {
    /// The calls of `precompile`: clock and words of each.
    pub fn of(&self, precompile: Precompile) -> impl Iterator<Item = (u32, &[WordAccess])> {
        let words = self.words.chunks_exact(precompile.words());
        self.clocks.iter().copied().zip(words)
    }

    /// Empties the lists and keeps their memory.
    pub fn clear(&mut self) {
        self.clocks.clear();
        self.words.clear();
    }
}

/// Number of chips whose rows are [`RegisterRecord`]s: the first ones of [`Chip::ALL`].
pub const REGISTER_CHIPS: usize = Chip::UpperImmediate as usize + 1;

/// The records of one segment, by chip, in execution order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// Rows of the chips from [`Chip::AddSub`] to [`Chip::UpperImmediate`].
    pub registers: [Vec<RegisterRecord>; REGISTER_CHIPS],
    /// Rows of [`Chip::Load`].
    pub loads: Vec<MemoryRecord>,
    /// Rows of [`Chip::Store`].
    pub stores: Vec<MemoryRecord>,
    /// Rows of [`Chip::Misaligned`].
    pub misaligned: Vec<MisalignedRecord>,
    /// Rows of [`Chip::Atomic`].
    pub atomics: Vec<AtomicRecord>,
    /// Rows of [`Chip::System`].
    pub system: Vec<SystemRecord>,
    /// Rows of [`Chip::Journal`].
    pub journal: Vec<TransferRecord>,
    /// Rows of [`Chip::Hint`].
    pub hints: Vec<TransferRecord>,
    /// The calls of each of [`Precompile::ALL`].
    pub precompiles: [PrecompileCalls; Precompile::COUNT],
}

impl Records {
    /// Empties every list and keeps its memory.
    pub fn clear(&mut self) {
        self.registers.iter_mut().for_each(Vec::clear);
        self.loads.clear();
        self.stores.clear();
        self.misaligned.clear();
        self.atomics.clear();
        self.system.clear();
        self.journal.clear();
        self.hints.clear();
        self.precompiles.iter_mut().for_each(PrecompileCalls::clear);
    }

    /// Counts the rows of every chip.
    #[must_use]
    pub fn rows(&self) -> ChipRows {
        let mut rows = ChipRows::default();
        for (count, records) in rows.0.iter_mut().zip(&self.registers) {
            *count = records.len() as u64;
        }
        rows.add(Chip::Load, self.loads.len() as u64);
        rows.add(Chip::Store, self.stores.len() as u64);
        rows.add(Chip::Misaligned, self.misaligned.len() as u64);
        rows.add(Chip::Atomic, self.atomics.len() as u64);
        rows.add(Chip::System, self.system.len() as u64);
        rows.add(Chip::Journal, self.journal.len() as u64);
        rows.add(Chip::Hint, self.hints.len() as u64);
        for (precompile, calls) in Precompile::ALL.into_iter().zip(&self.precompiles) {
            for (chip, each) in precompile.rows() {
                rows.add(*chip, each * calls.clocks.len() as u64);
            }
        }
        rows
    }
}
