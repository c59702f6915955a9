//! The test kit: everything the tests of the machine and of its proofs share.
//!
//! | module | what it gives |
//! |---|---|
//! | [`asm`] | an assembler for RV64IMAC that is independent of the machine's decoder |
//! | [`elf`] | ELF files, well-formed or broken on purpose |
//! | [`qemu`] | runs of an ELF file under `qemu-riscv64`, the oracle |
//! | [`mod@generate`] | random programs that exercise every instruction and print what they did |
//! | [`edge`] | hand-picked operands with results from an independent reference |
//! | [`rng`] | the seeded generator behind the random programs |
//!
//! A test program tells its story three ways, the same on the machine and under the emulator: it
//! prints its results, commits their [`digest`] to the journal and exits with a code.

pub mod asm;
pub mod edge;
pub mod elf;
mod fragments;
pub mod generate;
pub mod qemu;
pub mod rng;

pub use fragments::digest;
