//! Segments of generated programs: boundaries chain, rows add up, records satisfy an offline
//! memory check, and a replay of a segment alone gives the same records.

use std::collections::BTreeMap;

use zkvm_e2e::records::{Part, check, parts};
use zkvm_e2e::{code, program, run, run_within};
use zkvm_machine::isa::record::{AtomicRecord, ChipRows, WordAccess};
use zkvm_machine::isa::syscall::{FD_HINT, FD_JOURNAL, READ, WRITE};
use zkvm_machine::isa::{Chip, layout};
use zkvm_machine::{
    Discard, ExecuteError, Execution, Exit, Input, LimitError, Limits, Program, Recording,
    ReplayError, SegmentLimits, execute_segments, replay,
};
use zkvm_testkit::asm::base::{addi, bne, ld, lr_d, sc_d, sc_w, sd};
use zkvm_testkit::asm::{Assembler, Order, Reg};
use zkvm_testkit::edge::fault_programs;
use zkvm_testkit::generate::{Options, generate};

/// The least limit on rows and words that [`SegmentLimits::check`] accepts.
const LEAST: u32 = (1 << 13) + 3;

/// The least limit on instructions that it accepts.
const LEAST_CYCLES: u32 = SegmentLimits::CYCLES_MAX_LEAST;

const WIDE: SegmentLimits = SegmentLimits::STANDARD;

/// Limits of which one is as tight as it may be.
const TIGHT: [SegmentLimits; 4] = [
    SegmentLimits {
        cycles_max: LEAST_CYCLES,
        ..WIDE
    },
    SegmentLimits {
        rows_max: LEAST + 10,
        ..WIDE
    },
    SegmentLimits {
        boundary_words_max: LEAST + 99,
        ..WIDE
    },
    SegmentLimits {
        rows_max: LEAST,
        cycles_max: 1500,
        boundary_words_max: LEAST + 30,
        ..SegmentLimits::STANDARD
    },
];

/// Checks everything a segmented execution promises against the plain one.
#[track_caller]
fn check_all(program: &Program, input: &Input, limits: &SegmentLimits) -> Vec<Part> {
    let plain = run(program, input).execution;
    let (execution, parts) = parts(program, input, &Limits::STANDARD, limits);
    assert_eq!(execution, plain, "cutting does not change the execution");
    check_chain(program, input, &execution, &parts);
    check_rows(limits, &execution, &parts);
    for part in &parts {
        check(program, part);
        let again = replay(program, &part.segment);
        let again = again.unwrap_or_else(|error| panic!("the segment must replay: {error}"));
        assert!(
            again == part.records,
            "segment {} replays",
            part.segment.number
        );
    }
    parts
}

/// The word at an index before the first instruction, from the program and the input.
fn first_value(program: &Program, input: &Input, word_index: u32) -> u64 {
    let start = u64::from(word_index) * 8;
    let region = (input.bytes.len() as u64).to_le_bytes();
    let pieces = program
        .images()
        .iter()
        .map(|image| (image.address, image.data.as_slice()))
        .chain([
            (layout::INPUT_START, region.as_slice()),
            (layout::INPUT_BYTES_START, input.bytes.as_slice()),
        ]);
    let mut bytes = [0; 8];
    for (address, data) in pieces {
        for (byte, at) in bytes.iter_mut().zip(start..) {
            let offset = at.checked_sub(u64::from(address));
            if let Some(value) = offset.and_then(|offset| data.get(offset as usize)) {
                *byte = *value;
            }
        }
    }
    u64::from_le_bytes(bytes)
}

/// Registers, pc, cycle, journal and hints pass from segment to segment, and so do words.
#[track_caller]
fn check_chain(program: &Program, input: &Input, execution: &Execution, parts: &[Part]) {
    let mut words = BTreeMap::<u32, (u32, u64)>::new();
    let first = &parts[0].segment.start;
    let mut registers = [0; 32];
    registers[2] = u64::from(layout::STACK_POINTER_AT_ENTRY);
    assert_eq!(
        (first.pc, first.registers),
        (u64::from(program.entry()), registers)
    );
    assert_eq!((first.cycle, first.reservation), (0, 0));
    assert_eq!((first.journal_bytes, first.hint_bytes), (0, 0));
    for pair in parts.windows(2) {
        assert_eq!(pair[0].segment.end, pair[1].segment.start);
        assert!(!pair[0].segment.halts);
        assert!(pair[0].segment.cycles() > 0, "a segment makes progress");
    }
    for (number, Part { segment, .. }) in parts.iter().enumerate() {
        assert_eq!(segment.number as usize, number);
        for word in &segment.boundary {
            let mark = (segment.number + 1, word.value_out);
            let (segment_in, value_in) = match words.insert(word.word_index, mark) {
                Some(before) => before,
                None => (0, first_value(program, input, word.word_index)),
            };
            let claimed = (word.segment_in, word.value_in);
            assert_eq!(
                claimed,
                (segment_in, value_in),
                "word {:#x}",
                word.word_index
            );
        }
        let hints = segment.start.hint_bytes as usize..segment.end.hint_bytes as usize;
        assert_eq!(segment.hints, input.hints[hints]);
    }
    let last = &parts[parts.len() - 1].segment;
    assert_eq!(last.halts, matches!(execution.exit, Exit::Halted { .. }));
    assert_eq!(
        (last.end.cycle, last.end.pc),
        (execution.cycles, execution.pc)
    );
    assert_eq!(last.end.registers, execution.registers);
    assert_eq!(last.end.journal_bytes, execution.journal.len() as u64);
}

#[track_caller]
fn check_rows(limits: &SegmentLimits, execution: &Execution, parts: &[Part]) {
    let mut sum = ChipRows::default();
    for Part { segment, records } in parts {
        assert_eq!(records.rows(), segment.rows);
        assert!(segment.cycles() <= u64::from(limits.cycles_max));
        assert!(segment.boundary.len() <= limits.boundary_words_max as usize);
        for chip in Chip::ALL {
            let rows = segment.rows.of(chip);
            assert!(rows <= u64::from(limits.rows_max), "{chip:?}: {rows} rows");
            sum.add(chip, rows);
        }
    }
    assert_eq!(sum, execution.cost.rows);
}

#[test]
fn generated_programs_cut_by_any_limit_pass_the_offline_memory_check() {
    for seed in 1000..1030 {
        let log2 = if seed % 3 == 0 { 17 } else { 12 };
        let options = Options {
            scratch_bytes_log2: log2,
            compressed: seed % 5 != 0,
            ..Options::default()
        };
        eprintln!("seed {seed}, {options:?}");
        let program = program(&generate(seed, &options).elf);
        let limits = &TIGHT[seed as usize % TIGHT.len()];
        let parts = check_all(&program, &Input::default(), limits);
        let rows = parts.iter().fold([0; Chip::COUNT], |mut sum, part| {
            sum.iter_mut()
                .zip(part.segment.rows.0)
                .for_each(|(sum, rows)| *sum += rows);
            sum
        });
        let is_tight_elsewhere =
            limits.cycles_max < WIDE.cycles_max || limits.boundary_words_max < LEAST + 100;
        let is_cut =
            is_tight_elsewhere || rows.iter().any(|rows| *rows >= u64::from(limits.rows_max));
        assert_eq!(
            parts.len() > 1,
            is_cut,
            "seed {seed}: {} segments",
            parts.len()
        );
    }
}

/// Below the least there is no room for one system call, or there would be too many segments;
/// above the greatest a segment's clock would overflow. Such limits are refused before anything
/// is executed.
#[test]
fn segment_limits_that_cannot_work_are_refused() {
    let program = code::program(|asm| code::halt(asm, 0));
    let outcome = |limits: &SegmentLimits| {
        let mut segments = 0;
        let outcome = execute_segments(
            &program,
            &Input::default(),
            &Limits::STANDARD,
            limits,
            Recording::Records,
            &mut Discard,
            &mut |_, _| segments += 1,
        );
        assert_eq!(segments, u32::from(outcome.is_ok()));
        outcome.map(|outcome| outcome.segments)
    };
    type Set = fn(&mut SegmentLimits, u32);
    let lower_bounds: [(&str, u32, Set); 3] = [
        ("rows_max", LEAST, |limits, value| limits.rows_max = value),
        ("boundary_words_max", LEAST, |limits, value| {
            limits.boundary_words_max = value
        }),
        ("cycles_max", LEAST_CYCLES, |limits, value| {
            limits.cycles_max = value
        }),
    ];
    for (name, least, set) in lower_bounds {
        let mut limits = WIDE;
        set(&mut limits, least);
        assert_eq!(outcome(&limits), Ok(1), "{name}: {least}");
        for got in [0, 1, 997, least - 1] {
            set(&mut limits, got);
            let expected = LimitError::SegmentTooSmall { name, got, least };
            assert_eq!(limits.check(), Err(expected));
            assert_eq!(outcome(&limits), Err(ExecuteError::SegmentLimits(expected)));
        }
    }
    let most = SegmentLimits::CYCLES_MAX;
    for got in [most + 1, u32::MAX] {
        let limits = SegmentLimits {
            cycles_max: got,
            ..WIDE
        };
        let expected = LimitError::SegmentTooLong { got, most };
        assert_eq!(limits.check(), Err(expected));
        assert_eq!(outcome(&limits), Err(ExecuteError::SegmentLimits(expected)));
    }
}

/// A long program in the shortest segments, so that boundaries lie at many different instructions.
#[test]
fn the_shortest_segments_hold_exactly_their_limit_of_instructions() {
    let options = Options {
        items: 9000..=9000,
        ..Options::default()
    };
    let program = program(&generate(7, &options).elf);
    let parts = check_all(&program, &Input::default(), &TIGHT[0]);
    assert!(parts.len() > 30, "{} segments", parts.len());
    let (last, full) = parts.split_last().expect("there are segments");
    for part in full {
        assert_eq!(part.segment.cycles(), u64::from(LEAST_CYCLES));
    }
    assert!((1..=u64::from(LEAST_CYCLES)).contains(&last.segment.cycles()));
    assert!(last.segment.halts);
}

/// A store-conditional that fails looks at no address, in its record too.
#[test]
fn failing_store_conditionals_at_any_address_pass_the_offline_memory_check() {
    let program = code::program(|asm| {
        for address in [0, 3, code::DATA + 2, code::RODATA, 1 << 32, u64::MAX] {
            asm.li(Reg::T0, code::DATA);
            asm.emit(lr_d(Reg::T1, Reg::T0, Order::Relaxed));
            asm.li(Reg::T0, address);
            asm.emit(sc_w(Reg::T1, Reg::T2, Reg::T0, Order::Relaxed));
            asm.li(Reg::T0, code::DATA + 4);
            asm.emit(sc_d(Reg::T1, Reg::T2, Reg::T0, Order::Relaxed));
        }
        code::halt(asm, 0);
    });
    let parts = check_all(&program, &Input::default(), &WIDE);
    let failing = |record: &&AtomicRecord| record.word == WordAccess::default();
    let atomics = &parts[0].records.atomics;
    assert_eq!(atomics.len(), 18);
    assert_eq!(atomics.iter().filter(failing).count(), 12);
}

/// Reads hints, commits them, and touches much memory between.
fn transfers(asm: &mut Assembler) {
    let (at, end, value) = (Reg::T0, Reg::T1, Reg::T2);
    let buffer = 0x40_0000;
    for round in 0..4 {
        code::call(asm, READ, &[FD_HINT, buffer, 1 << 16]);
        asm.li(at, buffer);
        asm.li(end, buffer + 800);
        let top = asm.label();
        asm.bind(top);
        asm.emit(ld(value, at, 0));
        asm.emit(addi(value, value, 1 + round));
        asm.emit(sd(value, at, 2040));
        asm.emit(addi(at, at, 8));
        asm.branch(bne, at, end, top);
        code::call(asm, WRITE, &[FD_JOURNAL, buffer + 8, 1 << 16]);
    }
    code::call(asm, READ, &[FD_HINT, buffer + 16, 21]);
    code::call(asm, READ, &[FD_HINT, buffer + 64, 21]);
    code::call(asm, WRITE, &[FD_JOURNAL, buffer + 16, 13]);
    code::halt(asm, 3);
}

#[test]
fn transfers_of_hints_and_journal_pass_the_offline_memory_check() {
    let program = code::program(transfers);
    let hints = (0..(4 << 16) + 30_u32).map(|at| (at.wrapping_mul(7) ^ (at >> 8)) as u8);
    let input = Input {
        bytes: Vec::new(),
        hints: hints.collect(),
    };
    for limits in TIGHT.iter().chain([&WIDE]) {
        let parts = check_all(&program, &input, limits);
        let (journal, hints) = parts.iter().fold((0, 0), |(journal, hints), part| {
            (
                journal + part.records.journal.len(),
                hints + part.records.hints.len(),
            )
        });
        assert_eq!((journal, hints), (4 * 8192 + 2, 4 * 8192 + 3 + 2));
        assert_eq!(parts.len() > 1, limits != &WIDE);
    }
}

#[test]
fn recording_boundaries_only_gives_the_same_segments_without_records() {
    let program = program(&generate(5, &Options::default()).elf);
    let input = Input::default();
    let (_, parts) = parts(&program, &input, &Limits::STANDARD, &TIGHT[0]);
    let mut segments = Vec::new();
    let recording = Recording::Boundaries;
    let limits = Limits::STANDARD;
    let mut sink = |segment, records: &mut zkvm_machine::Records| {
        assert_eq!(records.rows().total(), 0);
        segments.push(segment);
    };
    let outcome = execute_segments(
        &program,
        &input,
        &limits,
        &TIGHT[0],
        recording,
        &mut Discard,
        &mut sink,
    );
    assert!(outcome.is_ok());
    let expected: Vec<_> = parts.into_iter().map(|part| part.segment).collect();
    assert!(expected.len() > 1);
    assert!(segments == expected);
}

#[test]
fn an_altered_segment_does_not_replay() {
    let program = program(&generate(5, &Options::default()).elf);
    let (_, parts) = parts(&program, &Input::default(), &Limits::STANDARD, &TIGHT[0]);
    let segment = &parts[1].segment;
    assert!(replay(&program, segment).is_ok());
    let mut altered = segment.clone();
    altered.end.registers[5] ^= 1;
    let diverged = replay(&program, &altered);
    assert!(
        matches!(diverged, Err(ReplayError::Diverged { number: 1, .. })),
        "{diverged:?}"
    );
    let mut altered = segment.clone();
    altered.boundary[0].value_out ^= 1;
    assert_eq!(
        replay(&program, &altered),
        Err(ReplayError::Boundary { number: 1 })
    );
    let mut altered = segment.clone();
    let extra = altered.boundary[0];
    altered.boundary.insert(
        0,
        zkvm_machine::BoundaryWord {
            word_index: layout::STACK_START / 8,
            ..extra
        },
    );
    assert_eq!(
        replay(&program, &altered),
        Err(ReplayError::Boundary { number: 1 })
    );
}

#[test]
fn the_cycle_limit_cuts_a_segmented_execution_where_it_cuts_a_plain_one() {
    let program = program(&generate(9, &Options::default()).elf);
    let input = Input::default();
    let cycles = run(&program, &input).execution.cycles;
    let least = u64::from(LEAST_CYCLES);
    assert!(cycles > least + 2);
    for cycles_max in [0, 1, least - 1, least, least + 1, cycles - 1, cycles] {
        let limits = Limits {
            cycles_max,
            ..Limits::STANDARD
        };
        let plain = run_within(&program, &input, &limits).execution;
        let (execution, parts) = parts(&program, &input, &limits, &TIGHT[0]);
        assert_eq!(execution, plain, "{cycles_max} cycles");
        assert_eq!(execution.cycles, cycles_max);
        check_rows(&TIGHT[0], &execution, &parts);
        let last = &parts[parts.len() - 1];
        assert_eq!(last.segment.halts, cycles_max == cycles);
        parts.iter().for_each(|part| check(&program, part));
    }
}

/// The instruction that stops a run is in no segment, not even in part.
#[test]
fn segments_of_a_run_that_faults_hold_what_was_executed() {
    let outside = u64::from(layout::HEAP_END) - 16;
    let mut programs: Vec<(String, Program)> = fault_programs()
        .into_iter()
        .map(|guest| (guest.name, program(&guest.elf)))
        .collect();
    let midway = |number, descriptor| {
        code::program(move |asm: &mut Assembler| {
            code::call(asm, number, &[descriptor, code::DATA, 24]);
            code::call(asm, number, &[descriptor, outside, 24]);
        })
    };
    programs.push(("a journal write".to_owned(), midway(WRITE, FD_JOURNAL)));
    programs.push(("a hint read".to_owned(), midway(READ, FD_HINT)));
    let input = Input {
        bytes: Vec::new(),
        hints: vec![7; 100],
    };
    for (name, program) in programs {
        for limits in [&WIDE, &TIGHT[3]] {
            let parts = check_all(&program, &input, limits);
            let last = &parts[parts.len() - 1].segment;
            assert!(!last.halts, "{name}");
        }
    }
}

#[test]
fn segments_of_a_run_that_reaches_a_limit_hold_what_was_executed() {
    let program = code::program(transfers);
    let input = Input {
        bytes: Vec::new(),
        hints: vec![7; 5 << 16],
    };
    for (memory_bytes_max, journal_bytes_max, exit) in [
        (20 * 4096, u64::MAX, Exit::MemoryLimit),
        (u64::MAX, 3 << 16, Exit::JournalLimit),
    ] {
        let limits = Limits {
            memory_bytes_max,
            journal_bytes_max,
            ..Limits::STANDARD
        };
        let plain = run_within(&program, &input, &limits).execution;
        assert_eq!(plain.exit, exit);
        for segment_limits in TIGHT.iter().chain([&WIDE]) {
            let (execution, parts) = parts(&program, &input, &limits, segment_limits);
            assert_eq!(execution, plain);
            check_chain(&program, &input, &execution, &parts);
            check_rows(segment_limits, &execution, &parts);
            parts.iter().for_each(|part| check(&program, part));
        }
    }
}

/// The checker itself notices what it is there for.
#[test]
fn the_offline_check_refuses_forged_records() {
    let program = program(&generate(5, &Options::default()).elf);
    let (_, parts) = parts(&program, &Input::default(), &Limits::STANDARD, &TIGHT[0]);
    let part = &parts[1];
    check(&program, part);
    type Forge = fn(&mut Part);
    let forgeries: [(&str, Forge); 9] = [
        ("an operand", |p| p.records.registers[0][3].rs1_value ^= 1),
        ("a register's clock", |p| {
            p.records.registers[0][9].rs1_clock += 4
        }),
        ("a previous value", |p| {
            p.records.registers[0][9].rd_previous ^= 1
        }),
        ("a row's clock", |p| p.records.registers[0][9].clock += 4),
        ("a text index", |p| {
            p.records.registers[0][9].text_index += 1
        }),
        ("a loaded word", |p| {
            p.records.loads[0].word.previous ^= 1 << 40
        }),
        ("a word's clock", |p| p.records.loads[0].word.clock += 1),
        ("a boundary value", |p| p.segment.boundary[0].value_out ^= 1),
        ("a missing row", |p| p.records.stores.truncate(1)),
    ];
    for (what, forge) in forgeries {
        let mut forged = part.clone();
        forge(&mut forged);
        let outcome = std::panic::catch_unwind(|| check(&program, &forged));
        assert!(outcome.is_err(), "{what} is forged and not noticed");
    }
}
