//! Hand-written programs: where their parts lie and how they call the machine.
//!
//! ```text
//! 0x1_0000  text     what the closure emits
//! 0x2_0000  rodata   64 bytes: 0, 1, 2, …
//! 0x3_0000  data     two pages: bytes that differ from their neighbours
//! ```

use zkvm_machine::isa::syscall::{FD_JOURNAL, HALT, WRITE};
use zkvm_machine::{Program, load};
use zkvm_testkit::asm::base::ecall;
use zkvm_testkit::asm::{Assembler, Reg};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder};

/// First address of the code.
pub const TEXT: u64 = 0x1_0000;
/// First address of the constants.
pub const RODATA: u64 = 0x2_0000;
/// Length of the constants.
pub const RODATA_BYTES: u64 = 64;
/// First address of the variables.
pub const DATA: u64 = 0x3_0000;
/// Length of the variables.
pub const DATA_BYTES: u64 = 0x2000;
/// Register `a3`.
pub const A3: Reg = Reg::x(13);
/// Register `a4`.
pub const A4: Reg = Reg::x(14);
/// Register `a5`.
pub const A5: Reg = Reg::x(15);

/// The variables as they are at entry.
#[must_use]
pub fn data() -> Vec<u8> {
    (0..DATA_BYTES).map(|at| (at ^ at >> 8) as u8).collect()
}

/// A file with this code, the constants and the variables; compressed instructions are allowed.
#[must_use]
pub fn elf(emit: impl FnOnce(&mut Assembler)) -> ElfBuilder {
    let mut asm = Assembler::new(TEXT);
    emit(&mut asm);
    ElfBuilder::new(TEXT)
        .flags(EF_RISCV_RVC)
        .text(TEXT, asm.finish().bytes)
        .rodata(RODATA, (0..RODATA_BYTES as u8).collect())
        .data(DATA, data())
}

/// The program of [`fn@elf`].
#[must_use]
#[track_caller]
pub fn program(emit: impl FnOnce(&mut Assembler)) -> Program {
    match load(&elf(emit).build()) {
        Ok(program) => program,
        Err(error) => panic!("a hand-written program must load: {error}"),
    }
}

/// Calls the machine: `a0`, `a1`, … get the arguments, `a7` the number.
pub fn call(asm: &mut Assembler, number: u64, arguments: &[u64]) {
    assert!(arguments.len() <= 6, "a call has at most six arguments");
    for (register, value) in (10..).map(Reg::x).zip(arguments) {
        asm.li(register, *value);
    }
    asm.li(Reg::A7, number);
    asm.emit(ecall());
}

/// Halts with this code.
pub fn halt(asm: &mut Assembler, code: u64) {
    call(asm, HALT, &[code]);
}

/// Appends memory to the journal.
pub fn commit(asm: &mut Assembler, address: u64, len_bytes: u64) {
    call(asm, WRITE, &[FD_JOURNAL, address, len_bytes]);
}
