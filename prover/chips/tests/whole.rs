//! Whole executions: every row of every chip, every bus.

use zkvm_air::{F, Table, check};
use zkvm_chips::{Claim, MachineChip, machine, public_messages, witness};
use zkvm_machine::{
    Discard, Execution, Exit, Input, Limits, Program, Recording, SegmentLimits, execute_segments,
    load,
};
use zkvm_testkit::asm::{Assembler, Reg, base};
use zkvm_testkit::elf::ElfBuilder;

const TEXT: u64 = 0x2000;
const DATA: u64 = 0x1000;

/// Adds 30 and 12, writes 11 bytes of constants to the journal, and halts with the sum.
fn adder() -> Program {
    let mut code = Assembler::new(TEXT);
    let (a0, a1, a2, a7) = (Reg::x(10), Reg::x(11), Reg::x(12), Reg::x(17));
    code.emit(base::addi(Reg::x(5), Reg::ZERO, 30));
    code.emit(base::addi(Reg::x(6), Reg::ZERO, 12));
    code.emit(base::add(Reg::x(7), Reg::x(5), Reg::x(6)));
    code.emit(base::addi(a0, Reg::ZERO, 3));
    code.emit(base::addi(a1, Reg::ZERO, 2047));
    code.emit(base::add(a1, a1, a1));
    code.emit(base::addi(a1, a1, 2));
    code.emit(base::addi(a2, Reg::ZERO, 11));
    code.emit(base::addi(a7, Reg::ZERO, 64));
    code.emit(base::ecall());
    code.emit(base::subw(a0, Reg::x(7), Reg::ZERO));
    code.emit(base::addi(a7, Reg::ZERO, 93));
    code.emit(base::ecall());
    let elf = ElfBuilder::new(TEXT)
        .rodata(DATA, b"hello, zkvm!".to_vec())
        .text(TEXT, code.finish().bytes)
        .build();
    load(&elf).expect("the adder loads")
}

/// Executes the program in one segment and fills its traces.
fn run(program: &Program, chips: &[MachineChip]) -> (Execution, Claim, Vec<Option<Vec<F>>>) {
    let mut traced = None;
    let segmented = execute_segments(
        program,
        &Input::default(),
        &Limits::STANDARD,
        &SegmentLimits::STANDARD,
        Recording::Records,
        &mut Discard,
        &mut |segment, records| traced = Some(witness(program, chips, &segment, records)),
    )
    .expect("it executes");
    let witness = traced.expect("one segment").expect("it is provable");
    let execution = segmented.execution;
    let Exit::Halted {
        code: exit_code, ..
    } = execution.exit
    else {
        panic!("it halts")
    };
    let claim = Claim {
        exit_code,
        journal: execution.journal.clone(),
        ends: witness.ends,
    };
    (execution, claim, witness.traces)
}

fn tables<'a>(chips: &'a [MachineChip], traces: &'a [Option<Vec<F>>]) -> Vec<Table<'a>> {
    chips
        .iter()
        .zip(traces)
        .filter_map(|(chip, trace)| {
            Some(Table {
                description: &chip.description,
                main: trace.as_ref()?,
                preprocessed: &chip.preprocessed,
            })
        })
        .collect()
}

#[test]
fn an_execution_satisfies_every_constraint_and_balances_every_bus() {
    let program = adder();
    let chips = machine(&program);
    let (execution, claim, traces) = run(&program, &chips);
    assert_eq!(execution.journal, b"hello, zkvm");
    assert_eq!(claim.exit_code, 42);
    let public = public_messages(&program, &claim);
    let report = check(&tables(&chips, &traces), &public);
    assert!(report.failures.is_empty(), "{report}");
}

#[test]
fn false_claims_do_not_balance() {
    let program = adder();
    let chips = machine(&program);
    let (_, claim, traces) = run(&program, &chips);
    let is_refused = |claim: &Claim| {
        let public = public_messages(&program, claim);
        !check(&tables(&chips, &traces), &public).failures.is_empty()
    };
    assert!(is_refused(&Claim {
        exit_code: 43,
        ..claim.clone()
    }));
    assert!(is_refused(&Claim {
        journal: b"hello, zkvn".to_vec(),
        ..claim.clone()
    }));
    assert!(is_refused(&Claim {
        journal: b"hello, zkv".to_vec(),
        ..claim.clone()
    }));
    assert!(is_refused(&Claim {
        journal: b"hello, zkvm\0".to_vec(),
        ..claim.clone()
    }));
    assert!(is_refused(&Claim {
        journal: Vec::new(),
        ..claim.clone()
    }));
    let mut ends = claim.ends;
    ends.registers[7].value += 1;
    assert!(is_refused(&Claim {
        ends,
        ..claim.clone()
    }));
    let mut ends = claim.ends;
    ends.last_word += 1;
    assert!(is_refused(&Claim { ends, ..claim }));
}
