//! What the machine executes: one table of RV64IMAC instructions with their decoder, the system
//! calls, the memory layout, and the records that execution hands to proving.
//!
//! This crate does no input or output, knows no fields and allocates only for record lists. It is
//! trusted: a wrong decode proves a wrong program.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod compressed;
mod decode;
mod instruction;
pub mod layout;
mod opcode;
pub mod precompile;
pub mod record;
pub mod syscall;

pub use compressed::expand;
pub use decode::{Decoded, Unsupported, classify_unsupported, decode, encode};
pub use instruction::{Instruction, Length};
pub use opcode::{Chip, Format, Opcode};
pub use precompile::Precompile;

/// The ABI names of the integer registers, `x0` to `x31`.
pub const REGISTER_NAMES: [&str; 32] = [
    "zero", "ra", "sp", "gp", "tp", "t0", "t1", "t2", "s0", "s1", "a0", "a1", "a2", "a3", "a4",
    "a5", "a6", "a7", "s2", "s3", "s4", "s5", "s6", "s7", "s8", "s9", "s10", "s11", "t3", "t4",
    "t5", "t6",
];
