//! The chips: tables whose rows prove one executed instruction, one memory word, one look-up each.
//!
//! A chip is one file, always in this order: the relation, why each cell is pinned, columns,
//! constraints and interactions (`eval`), filling a row from a record (`fill`), tests. What chips
//! share lies in `common`, `comparison`, `chain`, `load` and `mul`. No cryptography here, and nothing
//! of how constraints are proved. [`machine`] puts the chips together.
//!
//! A rule of the tests: every constraint, every look-up and each of the bytes that share one is the
//! only thing that catches some forged row; what never can be is listed with the reason.

#![forbid(unsafe_code)]

mod add_sub;
mod bitwise;
mod bitwise_table;
mod branch;
mod chain;
mod common;
mod comparison;
mod div_rem;
mod image;
mod journal;
mod jump;
mod less_than;
mod load;
mod look_ups;
mod machine;
mod memory;
mod misaligned;
mod mul;
mod program;
mod range_table;
mod region;
mod shift;
mod store;
mod system;
#[cfg(test)]
mod testing;
mod upper_immediate;

pub use machine::{
    Claim, Ends, MachineChip, Message, REGISTERS, RegisterEnd, Unprovable, Witness, count_look_ups,
    machine, public_messages, witness,
};
pub use program::ProgramRow;
