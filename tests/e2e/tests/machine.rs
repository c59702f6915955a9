//! Hand-written programs: what each system call does, each fault, each limit, memory at its edges.

use zkvm_e2e::code::{
    A3, A4, A5, DATA, DATA_BYTES, RODATA, RODATA_BYTES, TEXT, call, commit, data, elf, halt,
    program,
};
use zkvm_e2e::{Run, run, run_within};
use zkvm_machine::isa::syscall::{
    FD_HINT, FD_JOURNAL, FD_STDERR, FD_STDOUT, HALT_STANDARD, PANIC, READ, SPAN_BEGIN, SPAN_END,
    TEXT_BYTES_MAX, TRANSFER_BYTES_MAX, WRITE,
};
use zkvm_machine::isa::{Chip, Opcode, Unsupported, layout};
use zkvm_machine::{Access, ExecuteError, Exit, FaultKind, Input, Limits, Program, execute, load};
use zkvm_testkit::asm::base::{
    ATOMICS, UNIMP_WORD, addi, ebreak, ecall, jal, jalr, ld, lr_d, lr_w, lw, sb, sc_d, sc_w, sd,
    sh, sw,
};
use zkvm_testkit::asm::compressed::{c_addi, c_ebreak, c_nop};
use zkvm_testkit::asm::{Assembler, Order, Reg};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder, PF_R, PF_W, Segment};

const PAGE: u64 = layout::PAGE_BYTES as u64;
const HEAP_END: u64 = layout::HEAP_END as u64;
const STACK_START: u64 = layout::STACK_START as u64;
const STACK_END: u64 = layout::STACK_END as u64;
const INPUT: u64 = layout::INPUT_START as u64;
const INPUT_BYTES: u64 = layout::INPUT_BYTES_START as u64;

fn run_code(emit: impl FnOnce(&mut Assembler)) -> Run {
    run(&program(emit), &Input::default())
}

/// The fault of a program; checks what every fault has in common.
#[track_caller]
fn fault_of(emit: impl FnOnce(&mut Assembler)) -> (FaultKind, Run) {
    let run = run_code(emit);
    let Exit::Faulted(fault) = run.execution.exit else {
        panic!("the program must fault, not: {}", run.execution.exit);
    };
    assert_eq!(fault.pc, run.execution.pc);
    assert_eq!(fault.cycle, run.execution.cycles);
    assert_eq!(fault.stack_pointer, run.execution.registers[2]);
    let executed: u64 = run.execution.cost.opcodes.iter().sum();
    assert_eq!(
        executed, fault.cycle,
        "the faulting instruction is not executed"
    );
    (fault.kind, run)
}

#[track_caller]
fn assert_fault(expected: FaultKind, emit: impl FnOnce(&mut Assembler)) -> Run {
    let (kind, run) = fault_of(emit);
    assert_eq!(kind, expected);
    run
}

/// The journal of a program that halts with code 0.
#[track_caller]
fn journal_of(emit: impl FnOnce(&mut Assembler)) -> Vec<u8> {
    let run = run_code(|asm| {
        emit(asm);
        halt(asm, 0);
    });
    assert_eq!(run.code(), 0);
    run.execution.journal
}

/// Halts that say how and with what: number and code.
#[test]
fn both_halts_stop_with_the_low_half_of_a0() {
    for (number, argument, code) in [
        (93, 0, 0),
        (HALT_STANDARD, 0, 0),
        (93, 7, 7),
        (HALT_STANDARD, 1 << 32 | 5, 5),
        (93, u64::MAX, u32::MAX),
    ] {
        let run = run_code(|asm| call(asm, number, &[argument]));
        assert_eq!(run.code(), code);
        let executed = run.execution.cost.executions(Opcode::Ecall);
        assert_eq!(executed, 1, "the halt counts as executed");
        let opcodes: u64 = run.execution.cost.opcodes.iter().sum();
        assert_eq!(run.execution.cycles, opcodes);
        assert_eq!(run.execution.cost.rows.total(), opcodes);
    }
}

#[test]
fn registers_at_entry_are_zero_but_for_the_stack_pointer() {
    let registers = journal_of(|asm| {
        asm.emit(sd(Reg::T0, Reg::SP, -64));
        asm.li(Reg::T0, DATA);
        for number in (0..32).filter(|number| *number != 5) {
            asm.emit(sd(Reg::x(number), Reg::T0, 8 * i32::from(number)));
        }
        asm.emit(ld(Reg::T1, Reg::SP, -64));
        asm.emit(sd(Reg::T1, Reg::T0, 8 * 5));
        commit(asm, DATA, 256);
    });
    let words = registers.chunks(8);
    let words = words.map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    let mut expected = vec![0; 32];
    expected[2] = u64::from(layout::STACK_POINTER_AT_ENTRY);
    assert_eq!(words.collect::<Vec<_>>(), expected);
}

#[test]
fn the_words_above_the_stack_pointer_at_entry_are_zero_and_writable() {
    let top = journal_of(|asm| {
        asm.emit(addi(Reg::T0, Reg::ZERO, 9));
        asm.emit(sd(Reg::T0, Reg::SP, 56));
        commit(asm, u64::from(layout::STACK_POINTER_AT_ENTRY), 64);
    });
    assert_eq!(top[..56], [0; 56]);
    assert_eq!(top[56..], 9u64.to_le_bytes());
}

#[test]
fn the_input_lies_at_the_documented_address_with_its_length_before_it() {
    let program = program(|asm| {
        commit(asm, INPUT, 16);
        commit(asm, INPUT_BYTES, 24);
        halt(asm, 0);
    });
    let bytes: Vec<u8> = (1..=21).collect();
    let run = run(&program, &Input::from_bytes(bytes.clone()));
    let mut expected = 21u64.to_le_bytes().to_vec();
    expected.extend([0; 8]);
    expected.extend(&bytes);
    // What follows the input in its page reads as zero.
    expected.extend([0; 3]);
    assert_eq!(run.execution.journal, expected);
}

#[test]
fn an_empty_input_has_length_zero_and_one_readable_page() {
    let journal = journal_of(|asm| commit(asm, INPUT, PAGE));
    assert_eq!(journal, [0; 4096]);
    let kind = FaultKind::Unmapped {
        access: Access::Load,
        address: INPUT + PAGE,
    };
    assert_fault(kind, |asm| commit(asm, INPUT + PAGE, 8));
}

#[test]
fn the_input_ends_with_its_last_page() {
    let program = program(|asm| {
        asm.li(Reg::T0, INPUT + PAGE);
        asm.emit(ld(Reg::T1, Reg::T0, 0));
        halt(asm, 1);
    });
    let fits = (PAGE - 16) as usize;
    for (length, ends) in [(fits, false), (fits + 1, true)] {
        let run = run(&program, &Input::from_bytes(vec![1; length]));
        assert_eq!(
            run.execution.exit.to_string().contains("exit code 1"),
            ends,
            "{length}"
        );
    }
}

#[test]
fn printing_goes_to_its_stream_and_returns_the_length() {
    let run = run_code(|asm| {
        call(asm, WRITE, &[FD_STDOUT, RODATA + 1, 5]);
        asm.emit(addi(A3, Reg::A0, 0));
        call(asm, WRITE, &[FD_STDERR, RODATA + 8, 3]);
        asm.emit(addi(A4, Reg::A0, 0));
        call(asm, WRITE, &[FD_STDOUT, RODATA, 1]);
        halt(asm, 0);
    });
    assert_eq!(
        (run.stdout.as_slice(), run.stderr.as_slice()),
        (&[1, 2, 3, 4, 5, 0][..], &[8, 9, 10][..])
    );
    assert_eq!(run.execution.registers[13..15], [5, 3]);
    assert!(run.execution.journal.is_empty());
    assert_eq!(run.execution.cost.rows.of(Chip::Journal), 0);
}

#[test]
fn printing_from_a_bad_pointer_shows_what_is_mapped_and_never_faults() {
    for (address, length, shown) in [
        (0, 100, 0),
        (u64::MAX, 8, 0),
        (u64::MAX - 3, u64::MAX, 0),
        (1 << 32, 8, 0),
        (HEAP_END - 5, 100, 5),
        (STACK_END - 64, 1 << 20, 64 + 4096),
        (RODATA, u64::MAX, PAGE),
        (0x100_0000, u64::MAX, TRANSFER_BYTES_MAX),
    ] {
        let run = run_code(|asm| {
            call(asm, WRITE, &[FD_STDOUT, address, length]);
            asm.emit(addi(A5, Reg::A0, 0));
            halt(asm, 0);
        });
        let context = format!("{length} bytes at {address:#x}");
        assert_eq!(run.code(), 0, "{context}");
        assert_eq!(run.stdout.len() as u64, shown, "{context}");
        assert_eq!(run.execution.registers[15], length, "{context}");
    }
}

#[test]
fn the_journal_is_the_concatenation_of_its_writes() {
    let journal = journal_of(|asm| {
        commit(asm, RODATA + 8, 16);
        asm.emit(addi(A3, Reg::A0, 0));
        commit(asm, RODATA, 0);
        commit(asm, DATA, 13);
        commit(asm, DATA, 0);
    });
    let expected: Vec<u8> = (8..24).chain(0..13).collect();
    assert_eq!(journal, expected);
    let run = run_code(|asm| {
        commit(asm, RODATA, 13);
        asm.emit(addi(A3, Reg::A0, 0));
        halt(asm, 0);
    });
    assert_eq!(run.execution.registers[13], 13);
    assert_eq!(
        run.execution.cost.rows.of(Chip::Journal),
        2,
        "a row for each word"
    );
}

#[test]
fn the_longest_journal_write_is_accepted_and_one_byte_more_is_a_fault() {
    let journal = journal_of(|asm| commit(asm, 0x100_0000, TRANSFER_BYTES_MAX));
    assert_eq!(journal.len() as u64, TRANSFER_BYTES_MAX);
    for length in [TRANSFER_BYTES_MAX + 1, 1 << 32, u64::MAX] {
        let run = assert_fault(FaultKind::TransferTooLong { length }, |asm| {
            commit(asm, 0x100_0000, length);
        });
        assert!(run.execution.journal.is_empty());
        assert_fault(FaultKind::TransferTooLong { length }, |asm| {
            call(asm, READ, &[FD_HINT, 0x100_0000, length]);
        });
    }
}

#[test]
fn a_misaligned_transfer_is_a_fault() {
    for offset in 1..8 {
        let address = DATA + offset;
        let kind = FaultKind::TransferMisaligned { address };
        assert_fault(kind, |asm| commit(asm, address, 8));
        assert_fault(kind, |asm| call(asm, READ, &[FD_HINT, address, 8]));
    }
}

#[test]
fn only_the_last_journal_write_may_be_ragged() {
    for length in [1, 7, 9, 15] {
        let run = assert_fault(FaultKind::JournalRagged { length }, |asm| {
            commit(asm, RODATA, length);
            commit(asm, RODATA, 0);
            commit(asm, RODATA, 8);
        });
        assert_eq!(run.execution.journal.len() as u64, length);
    }
}

#[test]
fn a_transfer_of_memory_that_is_not_there_is_a_fault() {
    for address in [
        0,
        HEAP_END,
        STACK_START - 8,
        STACK_END + (1 << 29),
        1 << 32,
        u64::MAX - 7,
    ] {
        let access = Access::Load;
        assert_fault(FaultKind::Unmapped { access, address }, |asm| {
            commit(asm, address, 8);
        });
    }
    let (access, address) = (Access::Load, HEAP_END);
    assert_fault(FaultKind::Unmapped { access, address }, |asm| {
        commit(asm, HEAP_END - 16, 24);
    });
}

#[test]
fn a_transfer_that_faults_midway_moves_nothing() {
    let first = run_code(|asm| {
        commit(asm, RODATA, 8);
        commit(asm, HEAP_END - 16, 24);
    });
    let kind = FaultKind::Unmapped {
        access: Access::Load,
        address: HEAP_END,
    };
    assert!(matches!(first.execution.exit, Exit::Faulted(fault) if fault.kind == kind));
    assert_eq!(first.execution.journal, [0, 1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(first.execution.cost.rows.of(Chip::Journal), 1);
    let reading = program(|asm| call(asm, READ, &[FD_HINT, HEAP_END - 16, 24]));
    let second = run(&reading, &hinted(&[1; 24]));
    let kind = FaultKind::Unmapped {
        access: Access::Store,
        address: HEAP_END,
    };
    assert!(matches!(second.execution.exit, Exit::Faulted(fault) if fault.kind == kind));
    assert_eq!(second.execution.cost.rows.of(Chip::Hint), 0);
}

fn hinted(hints: &[u8]) -> Input {
    Input {
        bytes: Vec::new(),
        hints: hints.to_vec(),
    }
}

#[test]
fn hints_are_read_in_order_and_zero_fill_their_last_word() {
    let program = program(|asm| {
        call(asm, READ, &[FD_HINT, DATA, 11]);
        asm.emit(addi(A3, Reg::A0, 0));
        call(asm, READ, &[FD_HINT, DATA + 32, 100]);
        asm.emit(addi(A4, Reg::A0, 0));
        call(asm, READ, &[FD_HINT, DATA + 64, 100]);
        asm.emit(addi(A5, Reg::A0, 0));
        commit(asm, DATA, 80);
        halt(asm, 0);
    });
    let hints: Vec<u8> = (100..120).collect();
    let run = run(&program, &hinted(&hints));
    assert_eq!(run.code(), 0);
    assert_eq!(run.execution.registers[13..16], [11, 9, 0]);
    let mut expected = data()[..80].to_vec();
    expected[..16].fill(0);
    expected[..11].copy_from_slice(&hints[..11]);
    expected[32..48].fill(0);
    expected[32..41].copy_from_slice(&hints[11..]);
    assert_eq!(run.execution.journal, expected);
    assert_eq!(run.execution.cost.rows.of(Chip::Hint), 2 + 2);
}

#[test]
fn a_hint_into_memory_that_refuses_stores_is_a_fault() {
    for address in [RODATA, TEXT, INPUT] {
        let program = program(|asm| call(asm, READ, &[FD_HINT, address, 8]));
        let run = run(&program, &hinted(&[1; 8]));
        let Exit::Faulted(fault) = run.execution.exit else {
            panic!("the program must fault, not: {}", run.execution.exit);
        };
        assert_eq!(fault.kind, FaultKind::ReadOnly { address });
    }
}

#[test]
fn an_unknown_system_call_is_a_fault() {
    for number in [
        1,
        57,
        62,
        94,
        0x5a00_0000,
        SPAN_END + 1,
        1 << 32 | 93,
        u64::MAX,
    ] {
        assert_fault(FaultKind::UnknownSystemCall { number }, |asm| {
            call(asm, number, &[]);
        });
    }
}

#[test]
fn an_unknown_descriptor_is_a_fault() {
    for (number, known) in [
        (WRITE, vec![FD_STDOUT, FD_STDERR, FD_JOURNAL]),
        (READ, vec![FD_HINT]),
    ] {
        for descriptor in [0, 1, 2, 3, 4, 5, 1 << 32 | 3, u64::MAX] {
            let emit = |asm: &mut Assembler| call(asm, number, &[descriptor, DATA, 8]);
            if known.contains(&descriptor) {
                let run = run_code(|asm| {
                    emit(asm);
                    halt(asm, 0);
                });
                assert_eq!(run.code(), 0);
            } else {
                assert_fault(FaultKind::UnknownDescriptor { descriptor }, emit);
            }
        }
    }
}

#[test]
fn calls_change_a0_and_no_other_register() {
    for (number, arguments, result) in [
        (WRITE, [FD_STDOUT, RODATA, 5], 5),
        (WRITE, [FD_JOURNAL, RODATA, 8], 8),
        (READ, [FD_HINT, DATA, 8], 0),
        (PANIC, [RODATA, 8, RODATA], 0),
        (SPAN_BEGIN, [RODATA, 8, 3], 0),
        (SPAN_END, [RODATA, 8, 3], 0),
    ] {
        let program = program(|asm| {
            for register in 1..32 {
                asm.li(Reg::x(register), 0x100 + u64::from(register));
            }
            call(asm, number, &arguments);
            asm.emit(ebreak());
        });
        let run = run(&program, &Input::default());
        let mut expected: [u64; 32] = std::array::from_fn(|register| 0x100 + register as u64);
        expected[0] = 0;
        expected[10..13].copy_from_slice(&arguments);
        expected[10] = result;
        expected[17] = number;
        assert_eq!(run.execution.registers, expected, "call {number:#x}");
    }
}

#[test]
fn a_reported_panic_is_part_of_the_exit_when_the_guest_halts() {
    let run = run_code(|asm| {
        let arguments = [RODATA + 0x21, 5, RODATA + 0x31, 3, 77, 1 << 32 | 9];
        call(asm, PANIC, &[RODATA, 1, RODATA, 1, 1, 1]);
        call(asm, PANIC, &arguments);
        halt(asm, 101);
    });
    let Exit::Halted {
        code: 101,
        panic: Some(panic),
    } = run.execution.exit
    else {
        panic!("the guest ended with {}", run.execution.exit);
    };
    assert_eq!(
        (panic.message.as_str(), panic.file.as_str()),
        ("!\"#$%", "123")
    );
    assert_eq!((panic.line, panic.column), (77, 9));
    let halting = 3;
    assert_eq!(
        panic.cycle,
        run.execution.cycles - halting - 1,
        "the last report counts"
    );
}

#[test]
fn texts_are_cut_and_shown_as_far_as_they_are_mapped() {
    let run = run_code(|asm| {
        let (address, length) = (DATA + DATA_BYTES, u64::MAX);
        call(asm, PANIC, &[address, length, HEAP_END - 3, 100, 0, 0]);
        halt(asm, 1);
    });
    let Exit::Halted {
        panic: Some(panic), ..
    } = run.execution.exit
    else {
        panic!("the guest ended with {}", run.execution.exit);
    };
    assert_eq!(panic.message, "\0".repeat(TEXT_BYTES_MAX as usize));
    assert_eq!(panic.file, "\0\0\0");
}

/// A span's cycles begin with its opening call and end before its closing one.
#[test]
fn spans_count_cycles_from_their_opening_call_to_their_closing_call() {
    let begin = |asm: &mut Assembler, name: u8| {
        call(asm, SPAN_BEGIN, &[RODATA + u64::from(name), 1]);
    };
    let run = run_code(|asm| {
        // More ends than beginnings change nothing.
        call(asm, SPAN_END, &[]);
        for _ in 0..3 {
            begin(asm, b'0');
            asm.emit(addi(A3, A3, 1));
            begin(asm, b'1');
            call(asm, SPAN_END, &[]);
            call(asm, SPAN_END, &[]);
        }
        begin(asm, b'2');
        halt(asm, 0);
    });
    // To begin takes 6 instructions, to end 3, to halt 3, each with its call last.
    let inner = 1 + 2;
    let outer = 1 + 1 + 6 + 3 + 2;
    let open = 1 + 3;
    let spans = run.execution.spans.iter();
    let spans: Vec<_> = spans
        .map(|span| (span.path.join("/"), span.entered, span.cycles))
        .collect();
    let expected = [("0", 3, 3 * outer), ("0/1", 3, 3 * inner), ("2", 1, open)];
    assert_eq!(
        spans,
        expected.map(|(path, entered, cycles)| (path.to_owned(), entered, cycles))
    );
}

#[test]
fn stores_to_code_constants_and_input_are_faults() {
    for address in [
        TEXT,
        TEXT + 8,
        RODATA,
        RODATA + RODATA_BYTES - 1,
        INPUT,
        INPUT_BYTES + 8,
    ] {
        let run = assert_fault(FaultKind::ReadOnly { address }, |asm| {
            asm.li(Reg::T0, address);
            asm.emit(sb(Reg::ZERO, Reg::T0, 0));
        });
        assert_eq!(run.execution.cost.executions(Opcode::Sb), 0);
    }
}

#[test]
fn atomics_on_constants_are_faults_but_load_reserved_is_not() {
    let address = RODATA + 8;
    for (index, (op, _)) in ATOMICS.iter().enumerate() {
        let run = assert_fault(FaultKind::ReadOnly { address }, |asm| {
            asm.li(Reg::T0, address);
            asm.emit(op(Reg::T1, Reg::ZERO, Reg::T0, Order::Relaxed));
        });
        assert_eq!(
            run.execution.cost.rows.of(Chip::Atomic),
            0,
            "operation {index}"
        );
    }
    let journal = journal_of(|asm| {
        asm.li(Reg::T0, address);
        asm.emit(lr_d(Reg::T1, Reg::T0, Order::Relaxed));
        asm.li(Reg::T0, DATA);
        asm.emit(sd(Reg::T1, Reg::T0, 0));
        commit(asm, DATA, 8);
    });
    assert_eq!(journal, [8, 9, 10, 11, 12, 13, 14, 15]);
    assert_fault(FaultKind::ReadOnly { address }, |asm| {
        asm.li(Reg::T0, address);
        asm.emit(lr_d(Reg::T1, Reg::T0, Order::Relaxed));
        asm.emit(sc_d(Reg::T1, Reg::ZERO, Reg::T0, Order::Relaxed));
    });
}

/// The edges of what is mapped: the last byte that is, and the first that is not.
#[test]
fn accesses_outside_the_mapped_ranges_are_faults() {
    let heap = (DATA + DATA_BYTES).next_multiple_of(PAGE);
    for (address, text) in [
        (0, "null page"),
        (PAGE - 1, "null page"),
        (PAGE, ""),
        (TEXT - 1, ""),
        (HEAP_END, "stack guard"),
        (STACK_START - 1, "stack guard"),
        (INPUT + PAGE, ""),
        (0xffff_ffff, ""),
        (1 << 32, "32-bit"),
        (1 << 32 | DATA, "32-bit"),
        (1 << 63, "32-bit"),
        (u64::MAX, "32-bit"),
    ] {
        for access in [Access::Load, Access::Store] {
            let kind = FaultKind::Unmapped { access, address };
            let run = assert_fault(kind, |asm| {
                asm.li(Reg::T0, address);
                asm.emit(match access {
                    Access::Load => zkvm_testkit::asm::base::lbu(Reg::T1, Reg::T0, 0),
                    Access::Store => sb(Reg::T1, Reg::T0, 0),
                });
            });
            let said = run.execution.exit.to_string();
            assert!(
                said.contains(text) && said.contains(&format!("{address:#x}")),
                "{said}"
            );
        }
    }
    for address in [heap, HEAP_END - 1, STACK_START, STACK_END - 1, INPUT] {
        let run = run_code(|asm| {
            asm.li(Reg::T0, address);
            asm.emit(zkvm_testkit::asm::base::lbu(Reg::T1, Reg::T0, 0));
            halt(asm, 0);
        });
        assert_eq!(
            (run.code(), run.execution.registers[6]),
            (0, 0),
            "{address:#x}"
        );
    }
}

#[test]
fn an_access_in_the_stack_guard_is_called_a_stack_overflow() {
    for (address, is_overflow) in [
        (STACK_START - 8, true),
        (HEAP_END, true),
        (STACK_END + (1 << 29), false),
        (0, false),
    ] {
        let run = run_code(|asm| {
            asm.li(Reg::SP, address);
            asm.emit(sd(Reg::ZERO, Reg::SP, 0));
        });
        let Exit::Faulted(fault) = run.execution.exit else {
            panic!("the program must fault, not: {}", run.execution.exit);
        };
        assert_eq!(fault.is_stack_overflow(), is_overflow, "{address:#x}");
        assert_eq!(fault.stack_pointer, address);
    }
}

#[test]
fn a_jump_outside_the_code_faults_at_its_target() {
    for target in [
        0,
        TEXT - 2,
        RODATA,
        DATA,
        1 << 32,
        1 << 32 | TEXT,
        1 << 63,
        u64::MAX - 1,
    ] {
        let run = assert_fault(FaultKind::FetchOutsideText, |asm| {
            asm.li(Reg::T0, target);
            asm.emit(jalr(Reg::RA, Reg::T0, 1));
        });
        assert_eq!(run.execution.pc, target);
        let jumps = run.execution.cost.executions(Opcode::Jalr);
        assert_eq!(jumps, 1, "the jump itself is executed");
    }
}

#[test]
fn running_off_the_end_of_the_code_is_a_fault() {
    let run = assert_fault(FaultKind::FetchOutsideText, |asm| {
        asm.emit(addi(Reg::T0, Reg::T0, 1));
    });
    assert_eq!((run.execution.pc, run.execution.cycles), (TEXT + 4, 1));
}

/// A program without compressed instructions.
fn wide(emit: impl FnOnce(&mut Assembler)) -> Program {
    let bytes = elf(emit).flags(0).build();
    load(&bytes).unwrap_or_else(|error| panic!("it must load: {error}"))
}

#[test]
fn without_compressed_instructions_a_jump_to_half_a_word_is_a_fault() {
    let emit = |asm: &mut Assembler| {
        asm.emit(jal(Reg::RA, 6));
        asm.word(0x0001_0001);
        asm.emit(ebreak());
    };
    let kind_of = |program: Program| {
        let run = run(&program, &Input::default());
        let Exit::Faulted(fault) = run.execution.exit else {
            panic!("the program must fault, not: {}", run.execution.exit);
        };
        (fault.kind, fault.pc - TEXT, run.execution.cycles)
    };
    assert_eq!(kind_of(wide(emit)), (FaultKind::FetchMisaligned, 6, 1));
    assert_eq!(kind_of(program(emit)), (FaultKind::Breakpoint, 8, 2));
}

#[test]
fn without_compressed_instructions_two_byte_instructions_are_illegal() {
    for code in [c_nop(), c_addi(Reg::T0, 3), c_ebreak()] {
        let program = wide(|asm| {
            asm.emit(code);
            asm.emit(code);
        });
        let run = run(&program, &Input::default());
        let Exit::Faulted(fault) = run.execution.exit else {
            panic!("the program must fault, not: {}", run.execution.exit);
        };
        let FaultKind::IllegalInstruction { word, unsupported } = fault.kind else {
            panic!("not illegal: {}", fault.kind);
        };
        assert_eq!(
            (word as u16, unsupported),
            (code.halfword(), None),
            "{}",
            code.name
        );
    }
}

#[test]
fn traps_and_unsupported_instructions_fault_where_they_are_executed() {
    let unsupported = |word, extension| FaultKind::IllegalInstruction {
        word,
        unsupported: extension,
    };
    for (word, kind) in [
        (ebreak().word(), FaultKind::Breakpoint),
        (UNIMP_WORD, unsupported(UNIMP_WORD, None)),
        (0, unsupported(0, None)),
        (
            0x02c5_f553,
            unsupported(0x02c5_f553, Some(Unsupported::Float)),
        ),
        (
            0x0005_2507,
            unsupported(0x0005_2507, Some(Unsupported::Float)),
        ),
        (
            0xc020_2573,
            unsupported(0xc020_2573, Some(Unsupported::Csr)),
        ),
        (
            0x3020_0073,
            unsupported(0x3020_0073, Some(Unsupported::Privileged)),
        ),
        (
            0x0205_f057,
            unsupported(0x0205_f057, Some(Unsupported::Vector)),
        ),
        (u32::MAX, unsupported(u32::MAX, Some(Unsupported::Long))),
    ] {
        let run = assert_fault(kind, |asm| {
            asm.emit(addi(Reg::T0, Reg::T0, 1));
            asm.word(word);
        });
        assert_eq!(
            (run.execution.pc, run.execution.cycles),
            (TEXT + 4, 1),
            "{word:#x}"
        );
        // Where it is not executed it does no harm.
        let run = run_code(|asm| {
            asm.emit(jal(Reg::ZERO, 8));
            asm.word(word);
            halt(asm, 0);
        });
        assert_eq!(run.code(), 0, "{word:#x}");
    }
    let c_fld = 0x2108;
    assert_fault(unsupported(c_fld, Some(Unsupported::Float)), |asm| {
        asm.halfword(c_fld as u16);
    });
}

#[test]
fn an_instruction_that_reaches_past_the_code_is_illegal() {
    let run = run_code(|asm| {
        asm.emit(c_nop());
        asm.halfword(0x0013);
    });
    let Exit::Faulted(fault) = run.execution.exit else {
        panic!("the program must fault, not: {}", run.execution.exit);
    };
    let illegal = FaultKind::IllegalInstruction {
        word: 0x0013,
        unsupported: None,
    };
    assert_eq!((fault.kind, fault.pc), (illegal, TEXT + 2));
}

#[test]
fn misaligned_atomics_are_faults() {
    for (op, width) in ATOMICS {
        for offset in 1..*width {
            let address = DATA + u64::from(offset);
            assert_fault(FaultKind::MisalignedAtomic { address }, |asm| {
                asm.li(Reg::T0, address);
                asm.emit(op(Reg::T1, Reg::T2, Reg::T0, Order::Relaxed));
            });
        }
    }
    for (address, op) in [
        (DATA + 2, lr_w as fn(Reg, Reg, Order) -> _),
        (DATA + 4, lr_d),
    ] {
        assert_fault(FaultKind::MisalignedAtomic { address }, |asm| {
            asm.li(Reg::T0, address);
            asm.emit(op(Reg::T1, Reg::T0, Order::Relaxed));
        });
    }
    // A store-conditional asks only when it stores: the address must be reserved.
    let address = DATA + 4;
    assert_fault(FaultKind::MisalignedAtomic { address }, |asm| {
        asm.li(Reg::T0, address);
        asm.emit(lr_w(Reg::T1, Reg::T0, Order::Relaxed));
        asm.emit(sc_d(Reg::T1, Reg::T2, Reg::T0, Order::Relaxed));
    });
    // No load-reserved can reserve what is misaligned for `sc.w`, but this address counts as
    // reserved when nothing is.
    let address = u64::MAX;
    for op in [sc_w as fn(Reg, Reg, Reg, Order) -> _, sc_d] {
        assert_fault(FaultKind::MisalignedAtomic { address }, |asm| {
            asm.li(Reg::T0, address);
            asm.emit(op(Reg::T1, Reg::T2, Reg::T0, Order::Relaxed));
        });
    }
}

/// Whatever is wrong with its address, a store-conditional that fails returns 1, stores nothing
/// and ends the reservation.
#[test]
fn a_store_conditional_that_fails_returns_1_at_any_address() {
    let marked = DATA + 16;
    for address in [
        0,
        3,
        DATA,
        DATA + 2,
        DATA + 4,
        marked + 1,
        RODATA,
        TEXT,
        HEAP_END,
        STACK_START - 8,
        INPUT,
        1 << 32,
        1 << 32 | marked,
        u64::MAX - 7,
        u64::MAX,
    ] {
        for op in [sc_w as fn(Reg, Reg, Reg, Order) -> _, sc_d] {
            let run = run_code(|asm| {
                asm.li(Reg::T0, marked);
                asm.emit(lr_d(A5, Reg::T0, Order::Relaxed));
                asm.li(Reg::T1, address);
                asm.emit(op(A3, Reg::SP, Reg::T1, Order::Relaxed));
                // Now nothing is reserved.
                asm.emit(op(A4, Reg::SP, Reg::T0, Order::Relaxed));
                commit(asm, DATA, 32);
                halt(asm, 0);
            });
            assert_eq!(run.code(), 0);
            let results = [13, 14].map(|register| run.execution.registers[register]);
            assert_eq!(results, [1, 1], "{address:#x}");
            assert_eq!(run.execution.journal, data()[..32], "{address:#x}");
            assert_eq!(run.execution.cost.rows.of(Chip::Atomic), 3);
            if address == u64::MAX {
                continue;
            }
            let run = run_code(|asm| {
                asm.li(Reg::T1, address);
                asm.emit(op(A3, Reg::SP, Reg::T1, Order::Relaxed));
                halt(asm, 0);
            });
            assert_eq!((run.code(), run.execution.registers[13]), (0, 1));
        }
    }
}

/// Loads at every offset to a boundary that lies between two pages of one region.
#[test]
fn misaligned_accesses_are_counted_and_cross_words_and_pages() {
    let middle = DATA + PAGE;
    let bytes = data();
    for width in [2u64, 4, 8] {
        for offset in 0..9 {
            let address = middle - 8 + offset;
            let run = run_code(|asm| {
                asm.li(Reg::T0, address);
                asm.emit(match width {
                    2 => zkvm_testkit::asm::base::lhu(Reg::T1, Reg::T0, 0),
                    4 => zkvm_testkit::asm::base::lwu(Reg::T1, Reg::T0, 0),
                    _ => ld(Reg::T1, Reg::T0, 0),
                });
                asm.emit(match width {
                    2 => sh(Reg::T1, Reg::T0, 1),
                    4 => sw(Reg::T1, Reg::T0, 1),
                    _ => sd(Reg::T1, Reg::T0, 1),
                });
                commit(asm, middle - 8, 32);
                halt(asm, 0);
            });
            let at = (address - DATA) as usize;
            let source = &bytes[at..at + width as usize];
            let mut value = [0; 8];
            value[..source.len()].copy_from_slice(source);
            assert_eq!(run.execution.registers[6], u64::from_le_bytes(value));
            let mut expected = bytes.clone();
            expected[at + 1..at + 1 + source.len()].copy_from_slice(source);
            let start = PAGE as usize - 8;
            assert_eq!(run.execution.journal, expected[start..start + 32]);
            let is_broken = |address: u64| u64::from(!address.is_multiple_of(width));
            let expected = is_broken(address) + is_broken(address + 1);
            let cost = &run.execution.cost;
            assert_eq!(cost.misaligned, expected, "{width} bytes at {address:#x}");
            assert_eq!(cost.rows.of(Chip::Misaligned), expected);
            assert_eq!(cost.rows.of(Chip::Load), 1 - is_broken(address));
            assert_eq!(cost.rows.of(Chip::Store), 1 - is_broken(address + 1));
            assert_eq!(
                cost.rows.total(),
                run.execution.cycles + 4,
                "four journal words"
            );
        }
    }
}

/// A misaligned access that begins inside a region and ends outside is a fault at the first word
/// outside, and stores nothing.
#[test]
fn misaligned_accesses_fault_beyond_the_end_of_a_region() {
    for (end, access) in [
        (HEAP_END, Access::Load),
        (HEAP_END, Access::Store),
        (STACK_END - PAGE, Access::Load),
    ] {
        let is_mapped = end == STACK_END - PAGE;
        let run = run_code(|asm| {
            asm.li(Reg::T0, end - 4);
            asm.emit(match access {
                Access::Load => ld(Reg::T1, Reg::T0, 0),
                Access::Store => sd(Reg::T0, Reg::T0, 0),
            });
            halt(asm, 0);
        });
        if is_mapped {
            assert_eq!(run.code(), 0);
            continue;
        }
        let Exit::Faulted(fault) = run.execution.exit else {
            panic!("the program must fault, not: {}", run.execution.exit);
        };
        let address = end;
        assert_eq!(fault.kind, FaultKind::Unmapped { access, address });
        assert_eq!(run.execution.cost.misaligned, 0);
        assert_eq!(run.execution.cost.rows.total(), run.execution.cycles);
    }
    // The stack ends where the input begins: a load passes, a store does not.
    let cross = |store: bool| {
        run_code(move |asm| {
            asm.li(Reg::T0, STACK_END - 4);
            asm.emit(if store {
                sd(Reg::T0, Reg::T0, 0)
            } else {
                ld(Reg::T1, Reg::T0, 0)
            });
            halt(asm, 0);
        })
    };
    assert_eq!(cross(false).code(), 0);
    let Exit::Faulted(fault) = cross(true).execution.exit else {
        panic!("a store into the input must fault");
    };
    assert_eq!(fault.kind, FaultKind::ReadOnly { address: INPUT });
    let kind = FaultKind::Unmapped {
        access: Access::Load,
        address: PAGE - 2,
    };
    assert_fault(kind, |asm| {
        asm.li(Reg::T0, PAGE - 2);
        asm.emit(lw(Reg::T1, Reg::T0, 0));
    });
    let address = u64::MAX - 2;
    let access = Access::Load;
    assert_fault(FaultKind::Unmapped { access, address }, |asm| {
        asm.li(Reg::T0, address);
        asm.emit(lw(Reg::T1, Reg::T0, 0));
    });
}

/// Text and then data in one page: every word before the boundary refuses stores, every word from
/// it on takes them, and code before it still runs.
#[test]
fn segments_that_share_a_page_are_told_apart_by_word() {
    let boundary = TEXT + 0x400;
    let build = |emit: &dyn Fn(&mut Assembler)| {
        let mut asm = Assembler::new(TEXT);
        emit(&mut asm);
        let text = asm.finish().bytes;
        assert!(text.len() < 0x400 - 16);
        let file = ElfBuilder::new(TEXT)
            .flags(EF_RISCV_RVC)
            .text(TEXT, text)
            .segment(Segment {
                address: boundary,
                bytes: vec![7; 16],
                memory_bytes: 64,
                flags: PF_R | PF_W,
            })
            .build();
        let program = load(&file).unwrap_or_else(|error| panic!("it must load: {error}"));
        run(&program, &Input::default())
    };
    let store_at = |address: u64| {
        build(&move |asm: &mut Assembler| {
            asm.li(Reg::T0, address);
            // The page is there before the store, with whatever flags it has.
            asm.emit(ld(Reg::T1, Reg::T0, 0));
            asm.emit(sd(Reg::SP, Reg::T0, 0));
            asm.emit(ld(Reg::T2, Reg::T0, 0));
            halt(asm, 0);
        })
    };
    for address in [
        boundary,
        boundary + 56,
        boundary + 64,
        TEXT + PAGE - 8,
        TEXT + PAGE,
    ] {
        let run = store_at(address);
        assert_eq!(run.code(), 0, "{address:#x}");
        let stored = run.execution.registers[7];
        assert_eq!(
            stored,
            u64::from(layout::STACK_POINTER_AT_ENTRY),
            "{address:#x}"
        );
    }
    for address in [TEXT, boundary - 16, boundary - 8] {
        let Exit::Faulted(fault) = store_at(address).execution.exit else {
            panic!("a store at {address:#x} must fault");
        };
        assert_eq!(fault.kind, FaultKind::ReadOnly { address });
    }
    // Across the boundary: the first word refuses.
    let address = boundary - 4;
    let Exit::Faulted(fault) = store_at(address).execution.exit else {
        panic!("a store across the boundary must fault");
    };
    assert_eq!(fault.kind, FaultKind::ReadOnly { address });
}

#[test]
fn the_cycle_limit_is_exact() {
    let program = program(|asm| {
        asm.li(Reg::T0, 20);
        let top = asm.label();
        asm.bind(top);
        asm.emit(addi(Reg::T0, Reg::T0, -1));
        asm.branch(zkvm_testkit::asm::base::bne, Reg::T0, Reg::ZERO, top);
        halt(asm, 4);
    });
    let input = Input::default();
    let full = run(&program, &input);
    assert_eq!(full.execution.cycles, 1 + 2 * 20 + 3);
    for cycles_max in 0..=full.execution.cycles + 1 {
        let limits = Limits {
            cycles_max,
            ..Limits::STANDARD
        };
        let run = run_within(&program, &input, &limits);
        if cycles_max >= full.execution.cycles {
            assert_eq!(run, full);
        } else {
            assert_eq!(run.execution.exit, Exit::CycleLimit);
            assert_eq!(run.execution.cycles, cycles_max);
            assert_eq!(run.execution.cost.rows.total(), cycles_max);
        }
    }
}

#[test]
fn the_memory_limit_counts_whole_pages_of_image_input_and_touched_memory() {
    // Pages: text, constants and two of data; then `count` of the heap, one word each.
    let touching = |count: u64| {
        program(move |asm| {
            for page in 0..count {
                asm.li(Reg::T0, 0x100_0000 + page * PAGE);
                asm.emit(ld(Reg::T1, Reg::T0, 0));
            }
            halt(asm, 0);
        })
    };
    let within = |program: &Program, pages| {
        let limits = Limits {
            memory_bytes_max: pages * PAGE,
            ..Limits::STANDARD
        };
        let mut console = zkvm_machine::Discard;
        execute(program, &Input::default(), &limits, &mut console)
    };
    for count in [0, 1, 5] {
        let program = touching(count);
        let execution = within(&program, 4 + count).expect("it fits");
        assert!(execution.exit.is_success(), "{}", execution.exit);
        assert_eq!(execution.cost.memory_bytes, (4 + count) * PAGE);
        if count > 0 {
            let execution = within(&program, 3 + count).expect("it begins");
            assert_eq!(execution.exit, Exit::MemoryLimit);
            let opcodes: u64 = execution.cost.opcodes.iter().sum();
            assert_eq!(
                opcodes, execution.cycles,
                "the load that did not fit is not counted"
            );
        }
    }
    let limit_bytes = 3 * PAGE;
    let refused = within(&touching(0), 3);
    assert_eq!(refused, Err(ExecuteError::MemoryLimit { limit_bytes }));
}

#[test]
fn the_journal_limit_is_exact() {
    let program = program(|asm| {
        commit(asm, DATA, 16);
        commit(asm, DATA, 8);
        halt(asm, 0);
    });
    for (journal_bytes_max, exit, length) in [
        (24, None, 24),
        (23, Some(Exit::JournalLimit), 16),
        (16, Some(Exit::JournalLimit), 16),
        (15, Some(Exit::JournalLimit), 0),
        (0, Some(Exit::JournalLimit), 0),
    ] {
        let limits = Limits {
            journal_bytes_max,
            ..Limits::STANDARD
        };
        let run = run_within(&program, &Input::default(), &limits);
        let expected = exit.unwrap_or(Exit::Halted {
            code: 0,
            panic: None,
        });
        assert_eq!(run.execution.exit, expected, "limit {journal_bytes_max}");
        assert_eq!(
            run.execution.journal.len(),
            length,
            "limit {journal_bytes_max}"
        );
    }
}

#[test]
fn an_input_longer_than_its_region_is_refused() {
    let program = program(|asm| halt(asm, 0));
    let got = layout::INPUT_BYTES_MAX as usize + 1;
    let input = Input::from_bytes(vec![0; got]);
    let limits = Limits::STANDARD;
    let refused = execute(&program, &input, &limits, &mut zkvm_machine::Discard);
    assert_eq!(refused, Err(ExecuteError::InputTooLong { got }));
}

#[test]
fn two_runs_are_equal() {
    let program = program(|asm| {
        call(asm, SPAN_BEGIN, &[RODATA + 0x21, 8]);
        call(asm, READ, &[FD_HINT, DATA, 20]);
        commit(asm, DATA, 24);
        call(asm, WRITE, &[FD_STDOUT, DATA, 20]);
        asm.li(Reg::T0, DATA + 3);
        asm.emit(sd(Reg::T0, Reg::T0, 0));
        asm.emit(ecall());
    });
    let input = Input {
        bytes: vec![1, 2, 3],
        hints: (0..20).collect(),
    };
    let first = run(&program, &input);
    assert_eq!(first, run(&program, &input));
    let again = zkvm_e2e::program(&elf(|asm| halt(asm, 0)).build());
    assert_ne!(first, run(&again, &input));
}
