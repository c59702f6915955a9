//! Proving on a thread of its own: it can be waited for, watched and cancelled.

use zkvm_sdk::{Client, Code, Error, Input, Phase, Program, ProveError};
use zkvm_testkit::asm::{Assembler, Reg, base};
use zkvm_testkit::elf::ElfBuilder;

/// Halts with code 0.
fn program() -> Program {
    let mut code = Assembler::new(0x2000);
    code.emit(base::addi(Reg::A0, Reg::ZERO, 0));
    code.emit(base::addi(Reg::A7, Reg::ZERO, 93));
    code.emit(base::ecall());
    let elf = ElfBuilder::new(0x2000).text(0x2000, code.finish().bytes);
    Program::from_elf(&elf.build()).expect("it loads")
}

#[test]
fn a_job_gives_the_proof() {
    let program = program();
    let client = Client::auto().expect("there is nothing to fail");
    let job = client.start(&program, Input::new());
    while !job.is_finished() {
        std::thread::yield_now();
    }
    let progress = job.progress().expect("it ran");
    assert_eq!(
        (progress.phase, progress.done, progress.of),
        (Phase::Prove, 1, 1)
    );
    let proof = job.wait().expect("it halts with code 0");
    let journal = program.verify(&proof).expect("the proof holds");
    assert!(journal.bytes().is_empty());
}

#[test]
fn a_cancelled_job_gives_no_proof() {
    let client = Client::auto().expect("there is nothing to fail");
    let job = client.start(&program(), Input::new());
    job.cancel();
    let error = job.wait().expect_err("it was cancelled");
    assert_eq!(error, Error::Prove(ProveError::Cancelled));
    assert_eq!(error.code(), Code(410));
}
