//! The emulator as oracle of what a program prints, commits and exits with.

use std::io;

use zkvm_machine::isa::layout::INPUT_START;
use zkvm_machine::{Image, Input, Permissions, Program};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder, PF_R, PF_W, PF_X, Segment};
use zkvm_testkit::qemu::{self, Guest, Outcome, Qemu};

/// Heap that a guest gets under the emulator: as much as its runtime ever uses.
const HEAP_BYTES: u64 = 1 << 30;

/// The emulator; where there is none, says so.
#[must_use]
pub fn find() -> Option<Qemu> {
    let found = qemu::find();
    if found.is_none() {
        eprintln!("{}", qemu::notice());
    }
    found
}

/// A file that gives Linux what the machine maps by itself: the image, the input, the heap.
#[must_use]
pub fn elf_for_linux(program: &Program, input: &[u8]) -> Vec<u8> {
    let flags = if program.compressed() {
        EF_RISCV_RVC
    } else {
        0
    };
    let images = program.images().iter().map(segment_of);
    let builder = ElfBuilder::new(u64::from(program.entry())).flags(flags);
    let builder = images.fold(builder, ElfBuilder::segment);
    assert!(u64::from(program.heap_start()) + HEAP_BYTES < u64::from(INPUT_START));
    builder
        .with_input(input, u64::from(program.heap_start()), HEAP_BYTES)
        .build()
}

fn segment_of(image: &Image) -> Segment {
    let mut bytes = image.data.clone();
    if image.permissions != Permissions::ReadWrite {
        // The loader cuts zeros off; the emulator cannot put them back where it may not write.
        bytes.resize(image.size_bytes as usize, 0);
    }
    Segment {
        address: u64::from(image.address),
        bytes,
        memory_bytes: u64::from(image.size_bytes),
        flags: match image.permissions {
            Permissions::ReadOnly => PF_R,
            Permissions::ReadWrite => PF_R | PF_W,
            Permissions::ReadExecute => PF_R | PF_X,
        },
    }
}

/// Runs a program of the machine under the emulator.
///
/// # Errors
/// Those of starting the emulator.
pub fn run(oracle: &Qemu, program: &Program, input: &Input) -> io::Result<Outcome> {
    oracle.run_guest(Guest {
        elf: &elf_for_linux(program, &input.bytes),
        hints: &input.hints,
        timeout: qemu::TIMEOUT,
    })
}
