//! The machine and the emulator agree: generated programs, hand-picked edges, faults; and the
//! decoder agrees with the kit's tables of compressed instructions.

use zkvm_e2e::{oracle, program, run};
use zkvm_machine::isa::{self, Length, Opcode};
use zkvm_machine::{Exit, FaultKind, Input};
use zkvm_testkit::edge::{
    EdgeProgram, alu_program, alu_vectors, compressed_hints, compressed_pairs, compressed_reserved,
    edge_programs, fault_programs,
};
use zkvm_testkit::generate::{Options, generate};
use zkvm_testkit::qemu::End;

const SEEDS: u64 = 300;

/// What the program of a seed may contain: half of them everything.
fn options(seed: u64) -> Options {
    let standard = Options {
        scratch_bytes_log2: 12 + (seed / 4 % 3) as u32,
        ..Options::default()
    };
    match seed % 4 {
        0 | 1 => standard,
        2 => Options {
            compressed: false,
            ..standard
        },
        _ => Options {
            atomics: false,
            ..standard
        },
    }
}

#[test]
fn generated_programs_do_the_same_here_and_under_the_emulator() {
    let Some(oracle) = oracle::find() else {
        return;
    };
    for seed in 0..SEEDS {
        let generated = generate(seed, &options(seed));
        let ours = run(&program(&generated.elf), &Input::default());
        let theirs = oracle.run(&generated.elf).expect("the emulator starts");
        assert_eq!(
            theirs.end,
            End::Exit(generated.exit_code as i32),
            "seed {seed}"
        );
        assert_eq!(ours.code(), generated.exit_code, "seed {seed}");
        assert_eq!(
            ours.stdout.len() as u64,
            generated.stdout_bytes,
            "seed {seed}"
        );
        assert!(
            ours.stdout == theirs.stdout,
            "seed {seed}: printed bytes differ"
        );
        assert_eq!(ours.execution.journal, theirs.journal, "seed {seed}");
        assert_eq!(ours.execution.journal.len(), 8, "seed {seed}");
    }
}

#[track_caller]
fn check_edge(edge: &EdgeProgram) {
    let name = &edge.name;
    let ours = run(&program(&edge.elf), &Input::default());
    assert_eq!(ours.code(), 0, "{name}");
    let words = ours.stdout.chunks_exact(8);
    let got = words.map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    for (index, (got, want)) in got.zip(&edge.expected).enumerate() {
        assert_eq!(got, *want, "{name}: record {index}");
    }
    assert_eq!(ours.stdout.len(), 8 * edge.expected.len(), "{name}");
    assert_eq!(ours.execution.journal, edge.expected_journal(), "{name}");
    if let Some(oracle) = oracle::find() {
        let theirs = oracle.run(&edge.elf).expect("the emulator starts");
        assert_eq!(theirs.end, End::Exit(0), "{name}");
        assert!(ours.stdout == theirs.stdout, "{name}: printed bytes differ");
        assert!(
            ours.stderr == theirs.stderr,
            "{name}: printed errors differ"
        );
        assert_eq!(ours.execution.journal, theirs.journal, "{name}");
    }
}

#[test]
fn edge_programs_compute_what_the_reference_says() {
    let programs = edge_programs();
    assert!(programs.len() > 50, "{} programs", programs.len());
    programs.iter().for_each(check_edge);
}

#[test]
fn every_arithmetic_vector_in_one_program_computes_what_the_reference_says() {
    check_edge(&alu_program("all vectors", &alu_vectors()));
}

#[test]
fn fault_programs_fault_at_their_pc_here_and_under_the_emulator() {
    let oracle = oracle::find();
    for guest in fault_programs() {
        let name = &guest.name;
        let ours = run(&program(&guest.elf), &Input::default());
        let Exit::Faulted(fault) = &ours.execution.exit else {
            panic!("{name}: ended with {}", ours.execution.exit);
        };
        assert_eq!(fault.pc, guest.fault_pc, "{name}");
        assert_eq!(ours.execution.pc, guest.fault_pc, "{name}");
        assert_eq!(fault.cycle, ours.execution.cycles, "{name}");
        let signal = match fault.kind {
            FaultKind::Breakpoint => 5,
            FaultKind::IllegalInstruction { .. } => 4,
            FaultKind::FetchOutsideText
            | FaultKind::Unmapped { .. }
            | FaultKind::ReadOnly { .. } => 11,
            FaultKind::FetchMisaligned
            | FaultKind::MisalignedAtomic { .. }
            | FaultKind::UnknownSystemCall { .. }
            | FaultKind::UnknownDescriptor { .. }
            | FaultKind::TransferTooLong { .. }
            | FaultKind::TransferMisaligned { .. }
            | FaultKind::Operand { .. }
            | FaultKind::JournalRagged { .. } => panic!("{name}: {}", fault.kind),
        };
        assert_eq!(signal, guest.signal, "{name}: {}", fault.kind);
        if let Some(oracle) = &oracle {
            let theirs = oracle.run(&guest.elf).expect("the emulator starts");
            assert_eq!(theirs.end, End::Signal(guest.signal), "{name}");
        }
    }
}

#[test]
fn compressed_instructions_expand_to_the_instructions_they_stand_for() {
    let pairs = compressed_pairs();
    assert!(pairs.len() > 20_000, "{} pairs", pairs.len());
    for pair in pairs {
        let name = pair.name;
        let short = isa::expand(pair.halfword);
        let long = isa::decode(pair.word);
        assert_eq!(
            short,
            isa::decode(u32::from(pair.halfword) | 0xa5a5 << 16),
            "{name}"
        );
        let (short, long) = (short.instruction, long.instruction);
        let context = format!("{name} {:#06x}: {short} and {long}", pair.halfword);
        assert_eq!(
            (short.length(), long.length()),
            (Length::Two, Length::Four),
            "{context}"
        );
        let parts = |i: isa::Instruction| (i.opcode(), i.rd(), i.rs1(), i.rs2(), i.imm());
        assert_eq!(parts(short), parts(long), "{context}");
    }
}

/// A hint runs and changes nothing: it writes `x0`, or it writes back what it read.
#[test]
fn compressed_hints_are_legal_and_change_no_register() {
    for halfword in compressed_hints() {
        let instruction = isa::expand(halfword).instruction;
        assert_ne!(instruction.opcode(), Opcode::Illegal, "{halfword:#06x}");
        let shifts = [Opcode::Slli, Opcode::Srli, Opcode::Srai, Opcode::Addi];
        let is_neutral = shifts.contains(&instruction.opcode()) && instruction.imm() == 0;
        let keeps = is_neutral && instruction.rd() == instruction.rs1();
        assert!(
            instruction.rd() == 0 || keeps,
            "{halfword:#06x}: {instruction}"
        );
    }
}

#[test]
fn compressed_reserved_encodings_are_illegal() {
    for halfword in compressed_reserved() {
        let decoded = isa::expand(halfword);
        assert_eq!(
            decoded.instruction.opcode(),
            Opcode::Illegal,
            "{halfword:#06x}"
        );
        assert_eq!(
            decoded.instruction.imm(),
            i32::from(halfword),
            "{halfword:#06x}"
        );
        assert_eq!(decoded.unsupported, None, "{halfword:#06x}");
    }
}
