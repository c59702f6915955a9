//! The chips: tables whose rows prove one executed instruction, one memory word, one look-up each.
//!
//! A chip is one file, always in this order: the relation, why each cell is pinned, columns,
//! constraints and interactions (`eval`), filling a row from a record (`fill`), tests. What chips
//! share lies in `common`, `comparison`, `chain`, `limbs256`, `load`, `mul` and `operand`. No
//! cryptography here, and nothing of how constraints are proved. [`Machine`] puts the chips together: its registry in `machine.rs`,
//! filling their traces in `fill.rs` and `ends.rs`.
//!
//! A rule of the tests: every constraint, every look-up and each of the bytes that share one is the
//! only thing that catches some forged row; what never can be is listed with the reason.

#![forbid(unsafe_code)]

mod add_sub;
mod atomic;
mod bitwise;
mod bitwise_table;
mod boundary;
mod branch;
mod chain;
mod common;
mod comparison;
mod div_rem;
mod ends;
mod fill;
mod hint;
mod image;
mod journal;
mod jump;
mod keccak;
mod keccak_round;
mod less_than;
mod limbs256;
mod load;
mod look_ups;
mod machine;
mod memory;
mod misaligned;
mod mul;
mod multiply_mod;
mod operand;
mod program;
mod range_table;
mod region;
mod reservation;
mod secp256k1;
mod sha256;
mod sha256_round;
mod shift;
mod store;
mod system;
#[cfg(test)]
mod testing;
mod upper_immediate;

pub use ends::{MemoryEnds, MemoryTables, MemoryTraces};
pub use fill::Traces;
pub use look_ups::count_look_ups;
pub use machine::{Machine, MachineChip, Unprovable};
pub use program::ProgramRow;
