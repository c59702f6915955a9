//! The loader: every way a file can be refused, and what a program's identity depends on.

use zkvm_e2e::code;
use zkvm_machine::isa::{Unsupported, layout};
use zkvm_machine::{
    ELF_BYTES_MAX, LoadError, PROGRAM_HEADERS_MAX, Permissions, Program, ProgramId,
    SYMBOL_NAME_BYTES_MAX, SYMBOL_NAME_LENGTH_MAX, TEXT_SPAN_BYTES_MAX, load,
};
use zkvm_testkit::asm::Assembler;
use zkvm_testkit::asm::Reg;
use zkvm_testkit::asm::base::{addi, ebreak};
use zkvm_testkit::elf::{
    EF_RISCV_RVC, ElfBuilder, ElfParts, PF_R, PF_W, PF_X, PT_LOAD, ProgramHeader, Segment,
};

const TEXT: u64 = code::TEXT;
const DATA: u64 = code::DATA;
const PT_DYNAMIC: u32 = 2;
const PT_INTERP: u32 = 3;
const PT_NOTE: u32 = 4;
const ET_DYN: u16 = 3;

/// Two instructions and some variables, with sections and a symbol.
fn sample() -> ElfBuilder {
    ElfBuilder::new(TEXT)
        .flags(EF_RISCV_RVC)
        .text(TEXT, [0x13, 0, 0, 0].repeat(4))
        .rodata(code::RODATA, vec![1, 2, 3, 4, 5, 6, 7, 8])
        .data(DATA, vec![9; 24])
        .function("_start", TEXT, 16)
}

/// One instruction and nothing else.
fn sample_of_code() -> ElfBuilder {
    ElfBuilder::new(TEXT).text(TEXT, vec![0x13, 0, 0, 0])
}

fn loaded(builder: &ElfBuilder) -> Program {
    load(&builder.build()).unwrap_or_else(|error| panic!("the file must load: {error}"))
}

/// The error of the sample with changed headers.
#[track_caller]
fn refused(change: impl FnOnce(&mut ElfParts)) -> LoadError {
    let mut parts = sample().parts();
    change(&mut parts);
    refusal(&parts.to_bytes())
}

#[track_caller]
fn refusal(bytes: &[u8]) -> LoadError {
    match load(bytes) {
        Ok(program) => panic!("the file must be refused, not loaded as {}", program.id()),
        Err(error) => error,
    }
}

#[test]
fn the_sample_that_the_other_tests_damage_is_a_program() {
    let program = loaded(&sample());
    assert_eq!(u64::from(program.entry()), TEXT);
    assert!(program.compressed());
    assert_eq!(program.images().len(), 3);
    assert_eq!(program.text().len(), 8);
    assert_eq!(program.symbols().len(), 1);
    assert_eq!(program.heap_start(), DATA as u32 + 0x1000);
}

#[test]
fn files_that_are_no_elf_are_refused() {
    let whole = sample().build();
    let mut files = vec![Vec::new(), b"#!/bin/sh\n".to_vec(), vec![0; 4096]];
    files.extend((1..64).map(|length| whole[..length].to_vec()));
    let mut damaged = whole.clone();
    damaged[0] = 0x7e;
    files.push(damaged);
    for (at, value) in [(4, 0), (4, 3), (5, 0), (5, 3), (6, 0), (6, 2)] {
        let mut damaged = whole.clone();
        damaged[at] = value;
        files.push(damaged);
    }
    for file in files {
        let error = refusal(&file);
        let is_expected = matches!(error, LoadError::NotElf { .. });
        assert!(
            is_expected,
            "{} bytes, {:?}: {error}",
            file.len(),
            file.get(..8)
        );
    }
}

#[test]
fn a_file_that_is_too_long_is_refused_before_it_is_looked_at() {
    // Zero pages that nothing touches cost no memory.
    let size_bytes = ELF_BYTES_MAX + 1;
    assert_eq!(
        refusal(&vec![0; size_bytes]),
        LoadError::TooLong { size_bytes }
    );
}

#[test]
fn files_for_other_machines_are_refused() {
    assert_eq!(
        refused(|parts| parts.header.ident[4] = 1),
        LoadError::Not64Bit
    );
    assert_eq!(
        refused(|parts| parts.header.ident[5] = 2),
        LoadError::BigEndian
    );
    for machine in [0, 62, 183, 244] {
        let error = refused(|parts| parts.header.machine = machine);
        assert_eq!(error, LoadError::NotRiscV { machine });
    }
    for (flags, what) in [
        (2, "a floating-point calling convention"),
        (4 | 1, "a floating-point calling convention"),
        (6, "a floating-point calling convention"),
        (8 | 1, "the embedded base (RV64E)"),
    ] {
        let error = refused(|parts| parts.header.flags = flags);
        assert_eq!(error, LoadError::Abi { flags, what });
    }
}

#[test]
fn files_that_are_no_static_executables_are_refused() {
    for elf_type in [0, 1, ET_DYN, 4] {
        let error = refused(|parts| parts.header.kind = elf_type);
        assert_eq!(error, LoadError::NotExecutable { elf_type });
    }
    for (kind, index) in [(PT_DYNAMIC, 1), (PT_INTERP, 2)] {
        let error = refused(|parts| parts.program_headers[index].kind = kind);
        assert_eq!(error, LoadError::Dynamic { index });
    }
}

#[test]
fn other_kinds_of_program_headers_are_ignored() {
    let mut parts = sample().parts();
    parts.program_headers[2].kind = PT_NOTE;
    parts.program_headers[2].vaddr = u64::MAX;
    let program = load(&parts.to_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(program.images().len(), 2);
}

#[test]
fn damaged_program_header_tables_are_refused() {
    let file_bytes = sample().build().len() as u64;
    let too_many = PROGRAM_HEADERS_MAX as u16 + 1;
    type Change = Box<dyn Fn(&mut ElfParts)>;
    let changes: [(u64, Change); 8] = [
        (64, Box::new(move |parts| parts.header.phnum = too_many)),
        (64, Box::new(|parts| parts.header.phnum = u16::MAX)),
        (64, Box::new(|parts| parts.header.phentsize = 55)),
        (64, Box::new(|parts| parts.header.phentsize = 0)),
        (
            file_bytes - 167,
            Box::new(move |parts| parts.header.phoff = file_bytes - 167),
        ),
        (
            file_bytes,
            Box::new(move |parts| parts.header.phoff = file_bytes),
        ),
        (u64::MAX, Box::new(|parts| parts.header.phoff = u64::MAX)),
        (
            u64::MAX - 167,
            Box::new(|parts| parts.header.phoff = u64::MAX - 167),
        ),
    ];
    for (number, (at, change)) in changes.iter().enumerate() {
        let error = refused(change);
        let is_expected =
            matches!(&error, LoadError::ProgramHeaders { offset, .. } if offset == at);
        assert!(is_expected, "change {number}: {error}");
    }
}

#[test]
fn as_many_program_headers_as_allowed_are_read() {
    let page = u64::from(layout::PAGE_BYTES);
    let count = PROGRAM_HEADERS_MAX as u64 - 1;
    let many = (0..count).fold(
        ElfBuilder::new(TEXT).text(TEXT, vec![0x13, 0, 0, 0]),
        |builder, index| builder.data(DATA + index * page, vec![1; 8]),
    );
    assert_eq!(loaded(&many).images().len(), PROGRAM_HEADERS_MAX);
    let error = refusal(&many.data(DATA + count * page, vec![1; 8]).build());
    assert!(matches!(error, LoadError::ProgramHeaders { .. }), "{error}");
}

#[test]
fn a_file_without_code_is_refused() {
    assert_eq!(refused(|parts| parts.header.phnum = 0), LoadError::NoText);
    let without = |change: fn(&mut ProgramHeader)| refused(|p| change(&mut p.program_headers[0]));
    assert_eq!(without(|header| header.flags = PF_R), LoadError::NoText);
    assert_eq!(without(|header| header.kind = PT_NOTE), LoadError::NoText);
    let nothing = without(|header| (header.memsz, header.filesz) = (0, 0));
    assert_eq!(nothing, LoadError::NoText);
}

#[test]
fn segments_whose_bytes_are_not_in_the_file_are_refused() {
    let file_size_bytes = sample().build().len();
    let size = file_size_bytes as u64;
    for (offset, file_bytes, memory_bytes) in [
        (size, 24, 24),
        (size - 23, 24, 24),
        (u64::MAX, 24, 24),
        (u64::MAX - 23, 24, 24),
        (0, size + 1, 1 << 20),
        (0, u64::MAX, 24),
        (0, 25, 24),
    ] {
        let error = refused(|parts| {
            let header = &mut parts.program_headers[2];
            header.offset = offset;
            header.filesz = file_bytes;
            header.memsz = memory_bytes;
        });
        let expected = LoadError::SegmentBytes {
            index: 2,
            address: DATA,
            offset,
            file_bytes,
            memory_bytes,
            file_size_bytes,
        };
        assert_eq!(error, expected);
    }
}

#[test]
fn a_segment_without_bytes_in_the_file_may_have_any_offset() {
    let size = sample().build().len() as u64;
    for offset in [0, size, size + 1, u64::MAX] {
        let mut parts = sample().parts();
        parts.program_headers[2].offset = offset;
        parts.program_headers[2].filesz = 0;
        let program = load(&parts.to_bytes()).unwrap_or_else(|error| panic!("{error}"));
        let image = &program.images()[2];
        assert_eq!((image.address, image.size_bytes), (DATA as u32, 24));
        assert!(
            image.data.is_empty(),
            "offset {offset}: all its bytes are 0"
        );
    }
}

/// What a file makes the loader copy is bounded by its length: the segments together have no more
/// bytes than it.
#[test]
fn segments_that_share_bytes_of_the_file_are_refused() {
    let file_size_bytes = sample().build().len();
    let size = file_size_bytes as u64;
    let first = u64::from(layout::PAGE_BYTES);
    // The other two have 16 and 8 bytes.
    let widened = |filesz: u64| {
        move |parts: &mut ElfParts| {
            let header = &mut parts.program_headers[2];
            (header.offset, header.filesz, header.memsz) = (0, filesz, size);
        }
    };
    let mut parts = sample().parts();
    widened(size - 24)(&mut parts);
    assert!(load(&parts.to_bytes()).is_ok(), "as many as the file has");
    for shared in [1, 23, 24] {
        let error = refused(widened(size - 24 + shared));
        let expected = LoadError::SharedBytes {
            index: 2,
            total_bytes: size + shared,
            file_size_bytes,
        };
        assert_eq!(error, expected);
    }
    // The header at which the sum is too much is named, whatever the addresses.
    let error = refused(|parts| {
        let header = &mut parts.program_headers[0];
        (header.offset, header.filesz, header.memsz) = (0, size, size);
    });
    let expected = LoadError::SharedBytes {
        index: 1,
        total_bytes: size + 8,
        file_size_bytes,
    };
    assert_eq!(error, expected);
    // Headers of other kinds load nothing.
    let mut parts = sample().parts();
    let header = &mut parts.program_headers[2];
    (header.kind, header.offset, header.filesz) = (PT_NOTE, 0, size);
    assert!(load(&parts.to_bytes()).is_ok());
    // A small file cannot fill the memory by naming its bytes again and again.
    let most = PROGRAM_HEADERS_MAX as u64;
    let pages = vec![1; 4 * first as usize];
    let mut parts = (1..most)
        .fold(sample_of_code(), |builder, index| {
            let bytes = if index == 1 { pages.clone() } else { vec![1] };
            builder.data(DATA + index * 8 * first, bytes)
        })
        .parts();
    let whole = parts.program_headers[1].clone();
    for header in &mut parts.program_headers[2..] {
        (header.offset, header.filesz) = (whole.offset, whole.filesz);
        header.memsz = whole.memsz;
    }
    let error = refusal(&parts.to_bytes());
    assert!(matches!(error, LoadError::SharedBytes { .. }), "{error}");
}

#[test]
fn a_truncated_file_is_refused_wherever_it_is_cut_in_its_segments() {
    let parts = sample().parts();
    let whole = parts.to_bytes();
    let end = |header: &ProgramHeader| header.offset + header.filesz;
    let needed = parts.program_headers.iter().map(end).max().unwrap_or(0);
    assert!(
        load(&whole[..needed as usize]).is_ok(),
        "what follows is for people"
    );
    for length in [64, 65, 231, 232, 4096, 4100, needed as usize - 1] {
        let error = refusal(&whole[..length]);
        let is_expected = matches!(
            error,
            LoadError::SegmentBytes { .. } | LoadError::ProgramHeaders { .. }
        );
        assert!(is_expected, "{length} bytes: {error}");
    }
}

#[test]
fn segments_outside_the_image_range_are_refused() {
    let end = u64::from(layout::HEAP_END);
    for (address, memory_bytes) in [
        (0, 24),
        (0xfff, 24),
        (0xff8, 8),
        (end - 23, 24),
        (end, 24),
        (u64::from(layout::STACK_START), 24),
        (u64::from(layout::INPUT_START), 24),
        (1 << 32, 24),
        (1 << 32 | DATA, 24),
        (u64::MAX - 23, 24),
        (u64::MAX, 24),
        (DATA, u64::MAX),
        (DATA, u64::MAX - DATA + 1),
        (DATA, end),
    ] {
        let error = refused(|parts| {
            parts.program_headers[2].vaddr = address;
            parts.program_headers[2].memsz = memory_bytes;
        });
        let expected = LoadError::SegmentRange {
            index: 2,
            address,
            memory_bytes,
        };
        assert_eq!(error, expected);
    }
    for address in [0x1000, end - 24] {
        let mut parts = sample().parts();
        parts.program_headers[2].vaddr = address;
        assert!(load(&parts.to_bytes()).is_ok(), "{address:#x}");
    }
}

#[test]
fn permissions_the_machine_does_not_have_are_refused() {
    for (flags, permissions) in [
        (0, "without any permission"),
        (PF_W, "w"),
        (PF_X, "x"),
        (PF_W | PF_X, "wx"),
        (PF_R | PF_W | PF_X, "rwx"),
    ] {
        let error = refused(|parts| parts.program_headers[1].flags = flags);
        let expected = LoadError::SegmentPermissions {
            index: 1,
            address: code::RODATA,
            permissions: permissions.to_owned(),
        };
        assert_eq!(error, expected);
    }
    // Bits of the operating system and of the processor are none of ours.
    let mut parts = sample().parts();
    parts.program_headers[1].flags |= 0xfff0_0000;
    let program = load(&parts.to_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(program.images()[1].permissions, Permissions::ReadOnly);
}

#[test]
fn overlapping_segments_are_refused_in_any_order() {
    for (order, address) in [([1, 2], DATA - 7), ([2, 1], DATA + 23), ([2, 1], DATA)] {
        let error = refused(|parts| {
            parts.program_headers[1].vaddr = address;
            let [first, second] = order.map(|index| parts.program_headers[index].clone());
            parts.program_headers[1..].clone_from_slice(&[first, second]);
        });
        let expected = LoadError::Overlap {
            first: address.min(DATA) as u32,
            second: address.max(DATA) as u32,
        };
        assert_eq!(error, expected, "{address:#x}");
    }
}

#[test]
fn a_word_that_is_both_read_only_and_writable_is_refused() {
    let at = |address: u64, bytes: usize, writable: u64| {
        ElfBuilder::new(TEXT)
            .flags(EF_RISCV_RVC)
            .text(TEXT, vec![0x13, 0, 0, 0])
            .rodata(address, vec![1; bytes])
            .data(writable, vec![2; 8])
            .build()
    };
    let error = refusal(&at(DATA - 16, 12, DATA - 4));
    let expected = LoadError::SharedWord {
        word: DATA as u32 - 8,
        second: DATA as u32 - 4,
    };
    assert_eq!(error, expected);
    let error = refusal(&at(DATA + 9, 4, DATA + 1));
    let expected = LoadError::SharedWord {
        word: DATA as u32 + 8,
        second: DATA as u32 + 9,
    };
    assert_eq!(error, expected);
    assert!(load(&at(DATA - 16, 16, DATA)).is_ok());
    assert!(load(&at(DATA - 16, 8, DATA - 4)).is_ok());
    assert!(load(&at(DATA + 8, 4, DATA)).is_ok());
}

/// Code and constants may share a word: neither is ever written.
#[test]
fn a_word_of_code_and_constants_is_accepted() {
    let builder = ElfBuilder::new(TEXT)
        .text(TEXT, vec![0x13, 0, 0, 0])
        .rodata(TEXT + 4, vec![1, 2, 3, 4]);
    assert_eq!(loaded(&builder).images().len(), 2);
}

#[test]
fn code_that_is_misaligned_or_too_wide_is_refused() {
    let text_at = |address: u64, flags: u32| {
        ElfBuilder::new(address)
            .flags(flags)
            .text(address, vec![0x13, 0, 0, 0])
    };
    for (address, flags, alignment) in [(TEXT + 1, 1, 2), (TEXT + 2, 0, 4), (TEXT + 3, 0, 4)] {
        let error = refusal(&text_at(address, flags).build());
        let address = address as u32;
        assert_eq!(error, LoadError::TextAlignment { address, alignment });
    }
    assert!(load(&text_at(TEXT + 2, 1).build()).is_ok());
    let span = u64::from(TEXT_SPAN_BYTES_MAX);
    let two = |second| text_at(TEXT, 0).text(second, vec![0x13, 0, 0, 0]).build();
    assert!(load(&two(TEXT + span - 4)).is_ok());
    let span_bytes = TEXT_SPAN_BYTES_MAX + 4;
    assert_eq!(
        refusal(&two(TEXT + span)),
        LoadError::TextSpan { span_bytes }
    );
}

#[test]
fn an_entry_that_is_no_instruction_is_refused() {
    for entry in [
        0,
        TEXT - 2,
        TEXT + 1,
        TEXT + 16,
        DATA,
        1 << 32 | TEXT,
        u64::MAX,
    ] {
        let error = refused(|parts| parts.header.entry = entry);
        assert_eq!(error, LoadError::Entry { entry });
    }
    let entry = TEXT + 2;
    let error = refused(|parts| {
        parts.header.flags = 0;
        parts.header.entry = entry;
    });
    assert_eq!(error, LoadError::Entry { entry });
    let mut parts = sample().parts();
    parts.header.entry = entry;
    assert!(load(&parts.to_bytes()).is_ok());
}

/// A function of three instructions, of which the middle one is `word`.
fn with_word(word: u32) -> ElfBuilder {
    let mut asm = Assembler::new(TEXT);
    asm.emit(addi(Reg::T0, Reg::T0, 1));
    asm.word(word);
    asm.emit(ebreak());
    ElfBuilder::new(TEXT).text(TEXT, asm.finish().bytes)
}

#[test]
fn a_function_with_an_unsupported_instruction_is_refused_by_name() {
    let fadd_d = 0x02c5_f553;
    let csrr = 0xc000_2573;
    for (word, extension) in [
        (fadd_d, Unsupported::Float),
        (csrr, Unsupported::Csr),
        (0x3020_0073, Unsupported::Privileged),
        (0x0205_f057, Unsupported::Vector),
    ] {
        let error = refusal(&with_word(word).function("_ZN4core3sum", TEXT, 12).build());
        let pc = TEXT as u32 + 4;
        let symbol = "_ZN4core3sum".to_owned();
        let expected = LoadError::UnsupportedInstruction {
            pc,
            word,
            extension,
            symbol,
        };
        assert_eq!(error, expected);
        let said = error.to_string();
        for part in ["_ZN4core3sum", "0x10004", &format!("{word:#x}")] {
            assert!(said.contains(part), "{said}");
        }
        // Where no function covers it, it may be data.
        assert!(load(&with_word(word).build()).is_ok());
        assert!(load(&with_word(word).function("short", TEXT, 4).build()).is_ok());
    }
    // Words that mean nothing, and the traps of compilers, are no reason to refuse.
    for word in [0, 0xc000_1073, 0xfe00_0033] {
        assert!(load(&with_word(word).function("f", TEXT, 12).build()).is_ok());
    }
}

/// Of several such instructions the first by address is named, wherever the symbols are.
#[test]
fn the_first_unsupported_instruction_is_named_with_its_function() {
    let csrr = 0xc000_2573;
    let mut asm = Assembler::new(TEXT);
    for _ in 0..4 {
        asm.word(csrr);
        asm.emit(ebreak());
    }
    let builder = ElfBuilder::new(TEXT).text(TEXT, asm.finish().bytes);
    let builder = builder.function("last", TEXT + 24, 8);
    let builder = builder.function("first", TEXT + 8, 8);
    let error = refusal(&builder.build());
    let expected = LoadError::UnsupportedInstruction {
        pc: TEXT as u32 + 8,
        word: csrr,
        extension: Unsupported::Csr,
        symbol: "first".to_owned(),
    };
    assert_eq!(error, expected);
    // A function inside another is walked although the other starts at another half-word.
    let mut asm = Assembler::new(TEXT);
    asm.emit(addi(Reg::T0, Reg::T0, 1));
    asm.halfword(0x0013);
    asm.word(csrr);
    asm.emit(ebreak());
    let builder = ElfBuilder::new(TEXT)
        .flags(EF_RISCV_RVC)
        .text(TEXT, asm.finish().bytes)
        .function("outer", TEXT, 14);
    assert!(load(&builder.build()).is_ok());
    let error = refusal(&builder.function("inner", TEXT + 6, 4).build());
    assert!(error.to_string().contains("inner"), "{error}");
}

/// Three thousand functions, each as long as code may be: the walk must not visit each of them in
/// full, which takes minutes.
#[test]
fn symbols_that_overlap_do_not_make_loading_slow() {
    let span = u64::from(TEXT_SPAN_BYTES_MAX);
    let widest = ElfBuilder::new(TEXT).flags(EF_RISCV_RVC).segment(Segment {
        address: TEXT,
        bytes: vec![1, 0],
        memory_bytes: span,
        flags: PF_R | PF_X,
    });
    let many = (0..3000).fold(widest, |builder, index| {
        builder.function("f", TEXT + 2 * index, span)
    });
    assert_eq!(loaded(&many).symbols().len(), 3000);
}

/// Symbols that share one name of a mebibyte in the file: each keeps its first bytes, until all
/// that is kept has its greatest length.
#[test]
fn names_that_overlap_in_the_file_do_not_take_memory_without_end() {
    let most = SYMBOL_NAME_BYTES_MAX / SYMBOL_NAME_LENGTH_MAX;
    let count = most + 600;
    let first = sample().function(&"n".repeat(1 << 20), TEXT, 16);
    let many = (1..count).fold(first, |builder, _| builder.function("f", TEXT, 16));
    let mut parts = many.parts();
    let symbols = &mut parts.contents[3].1;
    assert_eq!(symbols.len(), 24 * (2 + count));
    let name = symbols[2 * 24..2 * 24 + 4].to_vec();
    for symbol in symbols[3 * 24..].chunks_mut(24) {
        symbol[..4].copy_from_slice(&name);
    }
    let program = load(&parts.to_bytes()).unwrap_or_else(|error| panic!("{error}"));
    assert_eq!(program.id(), loaded(&sample()).id());
    let lengths: Vec<_> = program.symbols().iter().map(|s| s.name.len()).collect();
    // The sample's own symbol comes first in the table; with it one name less fits.
    let own = "_start".len();
    let cut = |length: &&usize| **length == SYMBOL_NAME_LENGTH_MAX;
    assert_eq!(lengths.iter().filter(cut).count(), most - 1);
    assert_eq!(
        lengths.iter().sum::<usize>(),
        (most - 1) * SYMBOL_NAME_LENGTH_MAX + own
    );
}

#[test]
fn names_of_symbols_are_cut_at_their_greatest_length() {
    for (length, kept) in [
        (1, 1),
        (SYMBOL_NAME_LENGTH_MAX - 1, SYMBOL_NAME_LENGTH_MAX - 1),
        (SYMBOL_NAME_LENGTH_MAX, SYMBOL_NAME_LENGTH_MAX),
        (SYMBOL_NAME_LENGTH_MAX + 1, SYMBOL_NAME_LENGTH_MAX),
        (1 << 20, SYMBOL_NAME_LENGTH_MAX),
    ] {
        let program = loaded(&sample_of_code().function(&"n".repeat(length), TEXT, 4));
        let names: Vec<_> = program.symbols().iter().map(|s| s.name.as_str()).collect();
        assert_eq!(names, ["n".repeat(kept)], "{length} bytes in the file");
    }
}

/// Every pair of flipped bytes may be refused or loaded, but never panic.
#[test]
fn damaged_headers_never_panic() {
    let whole = sample().build();
    let headers = 64 + 3 * 56;
    for at in 0..headers {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] = value;
            damaged[(at * 7 + 3) % headers] ^= value;
            if let Err(error) = load(&damaged) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

#[test]
fn the_identity_of_a_fixed_file_is_pinned() {
    let pinned = "d8c4f358e6827511e1149521f8e92b58c7102489762bb0f0075b69d719bbf8c7";
    assert_eq!(loaded(&sample()).id().to_string(), pinned);
}

fn id(builder: &ElfBuilder) -> ProgramId {
    loaded(builder).id()
}

#[test]
fn symbols_sections_and_other_headers_are_no_part_of_the_identity() {
    let bare = || {
        ElfBuilder::new(TEXT)
            .flags(EF_RISCV_RVC)
            .text(TEXT, [0x13, 0, 0, 0].repeat(4))
            .rodata(code::RODATA, vec![1, 2, 3, 4, 5, 6, 7, 8])
            .data(DATA, vec![9; 24])
    };
    let expected = id(&sample());
    assert_eq!(id(&bare()), expected);
    assert_eq!(id(&bare().sections()), expected);
    assert_eq!(id(&bare().function("other", TEXT + 4, 8)), expected);

    let mut file = sample().build();
    // Debug information is bytes that no program header names.
    file.extend_from_slice(b"line tables");
    assert_eq!(load(&file).map(|program| program.id()), Ok(expected));

    let mut parts = sample().parts();
    parts.header.shoff = u64::MAX;
    parts.header.ident[7] = 3;
    for header in &mut parts.program_headers {
        header.paddr = 77;
        header.align = 1;
    }
    assert_eq!(
        load(&parts.to_bytes()).map(|program| program.id()),
        Ok(expected)
    );
}

#[test]
fn the_order_of_program_headers_is_no_part_of_the_identity() {
    let expected = id(&sample());
    for order in [[0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut parts = sample().parts();
        let headers = parts.program_headers.clone();
        parts.program_headers = order.map(|index| headers[index].clone()).to_vec();
        assert_eq!(
            load(&parts.to_bytes()).map(|program| program.id()),
            Ok(expected)
        );
    }
}

#[test]
fn trailing_zeros_in_the_file_or_not_are_the_same_program() {
    let split = |stored: usize| {
        let mut bytes = vec![9; 24];
        bytes.resize(24 + stored, 0);
        ElfBuilder::new(TEXT)
            .flags(EF_RISCV_RVC)
            .text(TEXT, [0x13, 0, 0, 0].repeat(4))
            .segment(Segment {
                address: DATA,
                bytes,
                memory_bytes: 1000,
                flags: PF_R | PF_W,
            })
    };
    let expected = id(&split(0));
    for stored in [1, 7, 8, 500, 976] {
        assert_eq!(id(&split(stored)), expected, "{stored} zeros");
    }
}

#[test]
fn every_byte_and_field_that_matters_changes_the_identity() {
    let mut ids = vec![id(&sample())];
    let changed = |change: &dyn Fn(&mut ElfParts)| {
        let mut parts = sample().parts();
        change(&mut parts);
        let program = load(&parts.to_bytes());
        program
            .unwrap_or_else(|error| panic!("it must load: {error}"))
            .id()
    };
    for (segment, length) in [(0, 16), (1, 8), (2, 24)] {
        for at in 0..length {
            ids.push(changed(&|parts| parts.contents[segment].1[at] ^= 0x80));
        }
    }
    ids.extend([
        changed(&|parts| parts.header.entry += 4),
        changed(&|parts| parts.header.flags = 0),
        changed(&|parts| parts.program_headers[1].flags = PF_R | PF_W),
        changed(&|parts| parts.program_headers[1].flags = PF_R | PF_X),
        changed(&|parts| parts.program_headers[2].flags = PF_R),
        changed(&|parts| parts.program_headers[1].vaddr += 8),
        changed(&|parts| parts.program_headers[2].vaddr += 1),
        changed(&|parts| parts.program_headers[2].memsz += 1),
        changed(&|parts| parts.program_headers[2].filesz -= 1),
        changed(&|parts| parts.program_headers[2].kind = PT_NOTE),
    ]);
    let count = ids.len();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), count, "every change gives another identity");
    assert_eq!(PT_LOAD, 1);
}

/// An order tag of `fence` has no meaning here, but the bytes are part of the image all the same.
#[test]
fn bytes_that_decode_alike_are_still_different_programs() {
    let fence_i = 0x0000_100f;
    let nop = 0x0000_0013;
    assert_eq!(
        loaded(&with_word(fence_i)).text()[2],
        loaded(&with_word(nop)).text()[2]
    );
    assert_ne!(id(&with_word(fence_i)), id(&with_word(nop)));
}
