//! Programs whose instructions all have chips.

use zkvm_isa::Chip;
use zkvm_machine::{Program, load};
use zkvm_testkit::edge::{EdgeProgram, alu_program, alu_vectors, edge_programs};
use zkvm_testkit::generate::{Generated, Options, generate};

/// Loads an ELF file that must be a program.
#[must_use]
#[track_caller]
pub fn program(elf: &[u8]) -> Program {
    load(elf).unwrap_or_else(|error| panic!("the file must load: {error}"))
}

/// The generated program of `seed`, without atomics: even seeds with compressed instructions, odd
/// ones without; every tenth with a larger scratch area.
#[must_use]
pub fn generated(seed: u64) -> Generated {
    let options = Options {
        compressed: seed.is_multiple_of(2),
        atomics: false,
        scratch_bytes_log2: 12 + u32::from(seed.is_multiple_of(10)),
        ..Options::default()
    };
    generate(seed, &options)
}

/// The kit's edge programs and the one of all arithmetic vectors.
#[must_use]
pub fn edges() -> Vec<EdgeProgram> {
    let mut edges = edge_programs();
    edges.push(alu_program("all vectors", &alu_vectors()));
    edges
}

/// Whether the program holds an atomic instruction.
#[must_use]
pub fn has_atomics(program: &Program) -> bool {
    let mut chips = program.text().iter().map(|code| code.opcode().chip());
    chips.any(|chip| chip == Some(Chip::Atomic))
}
