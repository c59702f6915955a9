//! Hand-picked operands for every instruction, with results from an independent reference.
//!
//! * [`alu_vectors`]: single instructions on `x5`, `x6`, `x7` with their operands and result, as
//!   data; [`alu_program`] runs any number of them in one guest.
//! * [`edge_programs`]: small guests for loads, stores, branches, jumps, atomics, writes to `x0`,
//!   repeated registers and system calls, each with the doublewords it must print.
//! * [`fault_programs`]: guests that must not reach their end.
//! * [`compressed_pairs`]: two-byte instructions with the four-byte ones they stand for, and the
//!   halfwords that are hints ([`compressed_hints`]) or reserved ([`compressed_reserved`]).

mod atomic;
mod compressed;
mod control;
mod faults;
mod memory;
mod recorder;
pub mod reference;
mod registers;

pub use compressed::{CompressedPair, compressed_hints, compressed_pairs, compressed_reserved};
pub use faults::{FaultProgram, fault_programs};
pub use recorder::EdgeProgram;
pub use registers::{AluVector, alu_program, alu_vectors};

/// Values at which something changes: signs, widths, carries, shift amounts.
pub const EDGE_VALUES: &[u64] = &[
    0,
    1,
    2,
    31,
    32,
    63,
    64,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x1_0000_0000,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_7fff_ffff,
    0xffff_ffff_8000_0000,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
    0x5555_5555_5555_5555,
    0xaaaa_aaaa_aaaa_aaaa,
    0x0123_4567_89ab_cdef,
];

/// Every program of this module that prints results, vectors of [`alu_vectors`] included (one
/// program per instruction).
pub fn edge_programs() -> Vec<EdgeProgram> {
    let mut programs = registers::programs();
    programs.extend(memory::programs());
    programs.extend(control::programs());
    programs.extend(atomic::programs());
    programs
}

#[cfg(test)]
mod tests;
