//! Whole executions: every row of every chip, every bus.

use p3_field::PrimeField32;
use zkvm_air::{Bus, F, Failure, Table, check};
use zkvm_chips::{Claim, MachineChip, count_look_ups, machine, public_messages, witness};
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
    let chips = machine(&program).expect("it has instructions");
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
    let chips = machine(&program).expect("it has instructions");
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

/// Cells by chip, row and column name.
struct Forger<'a> {
    chips: &'a [MachineChip],
    traces: Vec<Option<Vec<F>>>,
}

impl Forger<'_> {
    fn cell(&mut self, chip: &str, row: usize, column: &str) -> &mut F {
        let index = self.chips.iter().position(|c| c.description.name == chip);
        let index = index.expect("the chip exists");
        let columns = &self.chips[index].description.columns;
        let column = columns
            .iter()
            .position(|name| name == column)
            .expect("the column exists");
        let trace = self.traces[index].as_mut().expect("the chip is used");
        &mut trace[row * columns.len() + column]
    }

    fn set(&mut self, chip: &str, row: usize, column: &str, value: u32) {
        *self.cell(chip, row, column) = F::new(value);
    }
}

/// A forgery that was accepted once: when distances were only below 2^30, two of them could add up
/// to the characteristic. A phantom word far above the stack passed for one of it, from there the
/// chain stepped over the characteristic, went round again, and began the stack's word anew: a load
/// after a store read the zero that was there before.
#[test]
fn the_memory_chain_cannot_go_round() {
    let mut code = Assembler::new(TEXT);
    let (sp, a0, a7) = (Reg::x(2), Reg::x(10), Reg::x(17));
    code.emit(base::addi(Reg::x(5), Reg::ZERO, 1));
    code.emit(base::sd(Reg::x(5), sp, 0));
    code.emit(base::ld(a0, sp, 0));
    code.emit(base::addi(a7, Reg::ZERO, 93));
    code.emit(base::ecall());
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, code.finish().bytes)
        .build();
    let program = load(&elf).expect("it loads");
    let chips = machine(&program).expect("it has instructions");
    let (_, mut claim, traces) = run(&program, &chips);
    assert_eq!(claim.exit_code, 1, "it halts with what it stored");

    let mut forger = Forger {
        chips: &chips,
        traces,
    };
    let clock = forger.cell("load", 0, "fetch.clock").as_canonical_u32();
    let store = forger.cell("store", 0, "fetch.clock").as_canonical_u32();
    forger.set("load", 0, "word.previous[0]", 0);
    forger.set("load", 0, "word.previous_clock", 0);
    forger.set("load", 0, "word.gap_low", clock + 1);
    forger.set("load", 0, "result[0]", 0);
    forger.set("system", 0, "a0.previous[0]", 0);
    forger.set("system", 0, "result[0]", 0);
    claim.exit_code = 0;
    claim.ends.registers[10].value = 0;
    forger.set("memory", 0, "link.last_clock", store + 2);

    let word = forger.cell("memory", 0, "word").as_canonical_u32();
    let [first, last] = ["region.first", "region.last"]
        .map(|column| forger.cell("memory", 0, column).as_canonical_u32());
    let columns = chips.iter().find(|chip| chip.description.name == "memory");
    let columns = columns
        .expect("there is memory")
        .description
        .columns
        .clone();
    for row in 1..3 {
        for column in &columns {
            let cell = forger.cell("memory", 0, column).as_canonical_u32();
            forger.set("memory", row, column, cell);
        }
    }
    let difference = |a: u32, b: u32| (F::new(a) - F::new(b)).as_canonical_u32();
    let phantom = first + (1 << 30) - 1;
    for (row, index, before, clock) in [(1, phantom, word, 0), (2, word, phantom, clock + 2)] {
        forger.set("memory", row, "word", index);
        let distance = difference(index, before + 1);
        for (low, high, value) in [
            ("above_low", "above_high", difference(index, first)),
            ("below_low", "below_high", difference(last, index)),
            ("link.distance_low", "link.distance_high", distance),
        ] {
            forger.set("memory", row, low, value & 0xffff);
            forger.set("memory", row, high, value >> 16);
        }
        forger.set("memory", row, "link.before", before);
        forger.set("memory", row, "link.last_value[0]", 0);
        forger.set("memory", row, "link.last_clock", clock);
    }
    let mut traces = forger.traces;
    count_look_ups(&chips, &mut traces);
    let report = check(&tables(&chips, &traces), &public_messages(&program, &claim));
    for name in [
        "above.high_times_8",
        "below.high_times_8",
        "distance_high_times_8",
    ] {
        assert!(
            report.names("memory", name),
            "{name} must catch it:\n{report}"
        );
    }
    let others = report
        .failures
        .iter()
        .filter(|failure| !is_of_range_16(failure))
        .count();
    assert_eq!(others, 0, "nothing else catches it:\n{report}");
}

fn is_of_range_16(failure: &Failure) -> bool {
    matches!(failure, Failure::Bus(balance) if balance.bus == Bus::Range16)
}
