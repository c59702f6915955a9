//! Small programs for the tests beside the code.

use zkvm_isa::syscall::HALT;
use zkvm_testkit::asm::base::ecall;
use zkvm_testkit::asm::{Assembler, Reg};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder};

use crate::{Discard, Execution, Input, Limits, Program, execute, load};

/// First address of the code.
pub(crate) const TEXT: u64 = 0x1_0000;
/// First address of a page of variables: bytes 0, 1, 2, …
pub(crate) const DATA: u64 = 0x3_0000;

/// A program with this code.
pub(crate) fn program(emit: impl FnOnce(&mut Assembler)) -> Program {
    let mut asm = Assembler::new(TEXT);
    emit(&mut asm);
    let elf = ElfBuilder::new(TEXT)
        .flags(EF_RISCV_RVC)
        .text(TEXT, asm.finish().bytes)
        .data(DATA, (0..4096_u32).map(|byte| byte as u8).collect());
    load(&elf.build()).expect("a hand-written program loads")
}

/// Runs a program on these hints.
pub(crate) fn run(program: &Program, hints: &[u8]) -> Execution {
    let input = hinted(hints);
    execute(program, &input, &Limits::STANDARD, &mut Discard).expect("the run begins")
}

/// An input of hints only.
pub(crate) fn hinted(hints: &[u8]) -> Input {
    Input {
        bytes: Vec::new(),
        hints: hints.to_vec(),
    }
}

/// Calls the machine: `a0`, `a1`, … get the arguments, `a7` the number.
pub(crate) fn call(asm: &mut Assembler, number: u64, arguments: &[u64]) {
    for (register, value) in (10..).map(Reg::x).zip(arguments) {
        asm.li(register, *value);
    }
    asm.li(Reg::A7, number);
    asm.emit(ecall());
}

/// Halts with this code.
pub(crate) fn halt(asm: &mut Assembler, code: u64) {
    call(asm, HALT, &[code]);
}
