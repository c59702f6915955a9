//! The oracles can fail: each refuses an outcome that is wrong in one place.

use zkvm_corpus_replay::{
    Cut, CutPlan, Violation, check_cut, check_execution, check_run, check_segments, cut,
};
use zkvm_isa::Chip;
use zkvm_machine::{
    Discard, Execution, Input, Limits, Program, Recording, SegmentLimits, execute, load,
};
use zkvm_testkit::asm::base::{addi, bne, ecall, ld, sd};
use zkvm_testkit::asm::{Assembler, Reg};
use zkvm_testkit::elf::ElfBuilder;

const TEXT: u64 = 0x1_0000;
const DATA: u64 = 0x2_0000;
const LIMITS: Limits = Limits {
    cycles_max: 10_000,
    memory_bytes_max: 1 << 16,
    journal_bytes_max: 64,
};
const SEGMENT_LIMITS: SegmentLimits = SegmentLimits {
    rows_max: 1 << 14,
    cycles_max: SegmentLimits::CYCLES_MAX_LEAST,
    boundary_words_max: 1 << 14,
    ..SegmentLimits::STANDARD
};
const PLAN: CutPlan = CutPlan {
    parts: 5,
    words: 32,
};

/// What an oracle's complaint must mention, and the change that provokes it.
type Change = (&'static str, fn(&mut Cut));

/// A guest that counts in memory to 1200 and commits the count.
fn counting_program() -> Program {
    let mut asm = Assembler::new(TEXT);
    let [at, count, end] = [8, 9, 18].map(Reg::x);
    asm.li(at, DATA);
    asm.li(end, 1200);
    let again = asm.label();
    asm.bind(again);
    asm.emit(ld(count, at, 0));
    asm.emit(addi(count, count, 1));
    asm.emit(sd(count, at, 0));
    asm.branch(bne, count, end, again);
    asm.li(Reg::A0, 3);
    asm.emit(addi(Reg::A1, at, 0));
    asm.li(Reg::A2, 8);
    asm.li(Reg::A7, 64);
    asm.emit(ecall());
    asm.li(Reg::A0, 0);
    asm.li(Reg::A7, 93);
    asm.emit(ecall());
    let file = ElfBuilder::new(TEXT)
        .text(TEXT, asm.finish().bytes)
        .data(DATA, vec![0; 8])
        .build();
    load(&file).expect("the guest loads")
}

fn run(program: &Program) -> Execution {
    execute(program, &Input::default(), &LIMITS, &mut Discard).expect("the guest runs")
}

fn cut_up(program: &Program) -> Cut {
    cut(
        program,
        &Input::default(),
        &LIMITS,
        &SEGMENT_LIMITS,
        Recording::Records,
    )
    .expect("the guest is cut")
}

/// The oracle's complaint mentions `word`, so that it fails for the reason that was planted.
#[track_caller]
fn assert_refused<T: std::fmt::Debug>(result: Result<T, Violation>, word: &str) {
    match result {
        Ok(value) => panic!("accepted: {value:?}"),
        Err(violation) => assert!(violation.0.contains(word), "`{word}` not in: {violation}"),
    }
}

#[test]
fn a_right_outcome_is_accepted() {
    let program = counting_program();
    let input = Input::default();
    check_run(&program, &input, &LIMITS, PLAN).expect("nothing is wrong");
    check_cut(&program, &input, &SEGMENT_LIMITS, &cut_up(&program)).expect("nothing is wrong");
}

#[test]
fn a_limit_below_what_was_used_is_seen() {
    let execution = run(&counting_program());
    let cycles = Limits {
        cycles_max: execution.cycles - 1,
        ..LIMITS
    };
    assert_refused(check_execution(&execution, &cycles), "cycles");
    let memory = Limits {
        memory_bytes_max: execution.cost.memory_bytes - 1,
        ..LIMITS
    };
    assert_refused(check_execution(&execution, &memory), "memory bytes");
    let journal = Limits {
        journal_bytes_max: 7,
        ..LIMITS
    };
    assert_refused(check_execution(&execution, &journal), "journal bytes");
}

#[test]
fn counts_that_do_not_add_up_are_seen() {
    let right = run(&counting_program());
    let mut rows = right.clone();
    rows.cost.rows.add(Chip::Mul, 1);
    assert_refused(check_execution(&rows, &LIMITS), "rows of instructions");
    let mut opcodes = right.clone();
    opcodes.cost.opcodes[0] += 1;
    assert_refused(check_execution(&opcodes, &LIMITS), "executions of opcodes");
    let mut zero = right;
    zero.registers[0] = 1;
    assert_refused(check_execution(&zero, &LIMITS), "x0");
}

#[test]
fn another_execution_than_the_segments_have_is_seen() {
    let program = counting_program();
    let mut execution = run(&program);
    execution.journal[0] ^= 1;
    let checked = check_segments(&program, &Input::default(), &LIMITS, &execution, PLAN);
    assert_refused(checked, "another");
}

#[test]
fn segments_that_do_not_join_are_seen() {
    let program = counting_program();
    let right = cut_up(&program);
    assert!(right.segments.len() > 3, "the guest is to be cut");
    let changes: [Change; 8] = [
        ("misnumbered", |cut| cut.segments[1].0.number = 7),
        ("do not join", |cut| drop(cut.segments.remove(1))),
        ("do not join", |cut| cut.segments[1].0.end.registers[9] ^= 1),
        ("does not come from", |cut| {
            cut.segments[1].0.boundary[0].value_out ^= 1
        }),
        ("does not come from", |cut| {
            cut.segments[2].0.boundary[0].segment_in = 0
        }),
        ("rows and records", |cut| {
            cut.segments[1].1.loads.truncate(0)
        }),
        ("disagrees about the halt", |cut| {
            if let Some((segment, _)) = cut.segments.last_mut() {
                segment.halts = false;
            }
        }),
        ("at clock", |cut| {
            cut.segments[1].1.stores[0].word.clock = 1000
        }),
    ];
    for (word, change) in changes {
        let mut wrong = right.clone();
        change(&mut wrong);
        let checked = check_cut(&program, &Input::default(), &SEGMENT_LIMITS, &wrong);
        assert_refused(checked, word);
    }
    let smaller = SegmentLimits {
        cycles_max: SegmentLimits::CYCLES_MAX_LEAST - 1,
        ..SEGMENT_LIMITS
    };
    let checked = check_cut(&program, &Input::default(), &smaller, &right);
    assert_refused(checked, "1024 cycles");
}
