//! Writes inputs that showed bugs: `cargo run -p zkvm-corpus-replay --example bugs`.
//!
//! While a bug is open its input lies in `tests/fuzz/known`, apart from the corpora, because an
//! oracle refuses it. When it is fixed the replay test says so: the input then moves to the
//! corpus, as a regression, here and on disk.

use std::fs;
use std::io;
use std::path::Path;

use zkvm_corpus_replay::GuestSource;
use zkvm_isa::syscall;
use zkvm_testkit::asm::base::{addi, bne, ecall, sd};
use zkvm_testkit::asm::{Assembler, Reg};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder};

fn main() -> io::Result<()> {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    for (name, bytes) in [
        ("corpus/load/symbol-names-multiply", symbol_names_multiply()),
        ("corpus/load/functions-overlap", functions_overlap()),
        (
            "corpus/load/segments-share-file-bytes",
            segments_share_file_bytes(),
        ),
        ("corpus/execute/span-paths-multiply", span_paths_multiply()),
        (
            "corpus/execute/replayed-prints-allocate",
            replayed_prints_allocate(),
        ),
    ] {
        let path = fuzz.join(name);
        fs::create_dir_all(path.parent().unwrap_or(&fuzz))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

const TEXT: u64 = 0x1_0000;
const NOP: [u8; 4] = [0x13, 0, 0, 0];
const SYMBOL_BYTES: usize = 24;

/// Every symbol has the same long name, and the loader kept a copy for each.
fn symbol_names_multiply() -> Vec<u8> {
    let text = TEXT + 64 + 56;
    let mut elf = ElfBuilder::new(text).text(text, NOP.to_vec());
    elf = elf.function(&"n".repeat(4000), text, 4);
    for _ in 0..160 {
        elf = elf.function("n", text, 4);
    }
    let mut parts = elf.parts();
    let (_, symbols) = &mut parts.contents[1];
    for symbol in symbols.chunks_exact_mut(SYMBOL_BYTES).skip(1) {
        symbol[..4].copy_from_slice(&1_u32.to_le_bytes());
    }
    parts.to_bytes()
}

/// Every symbol is a function over the whole text, and the loader walked the text for each.
fn functions_overlap() -> Vec<u8> {
    const TEXT_BYTES: u64 = 1 << 18;
    let text = TEXT + 64 + 56;
    let mut elf = ElfBuilder::new(text).text(text, NOP.to_vec());
    for _ in 0..500 {
        elf = elf.function("f", text, TEXT_BYTES);
    }
    let mut parts = elf.parts();
    parts.program_headers[0].memsz = TEXT_BYTES;
    parts.to_bytes()
}

/// Every segment is the same bytes of the file, and the loader kept a copy for each.
fn segments_share_file_bytes() -> Vec<u8> {
    const SEGMENTS: u64 = 64;
    let text = TEXT + 64 + 56 * SEGMENTS;
    let bytes = NOP.repeat(1500);
    let mut elf = ElfBuilder::new(text).flags(EF_RISCV_RVC).text(text, bytes);
    for number in 1..SEGMENTS {
        elf = elf.zeroed(0x10_0000 * (1 + number), 6000);
    }
    let mut parts = elf.parts();
    let first = parts.program_headers[0].clone();
    for header in &mut parts.program_headers {
        (header.offset, header.filesz) = (first.offset, first.filesz);
    }
    parts.to_bytes()
}

fn guest(text: Assembler) -> Vec<u8> {
    GuestSource {
        header: [0b1_0001, 0, 64, 0, 0],
        text: text.finish().bytes,
        ..GuestSource::default()
    }
    .to_bytes()
}

fn begin_span(asm: &mut Assembler, name: Reg, len_bytes: Reg) {
    asm.li(Reg::A7, syscall::SPAN_BEGIN);
    asm.emit(addi(Reg::A0, name, 0));
    asm.emit(addi(Reg::A1, len_bytes, 0));
    asm.emit(ecall());
}

/// Spans as deep as the machine records, with the longest names; then many that differ innermost.
/// Each kept the names of all around it: host memory grew by 256 KiB with each.
fn span_paths_multiply() -> Vec<u8> {
    const DEPTH: u64 = 63;
    const INNERMOST: u64 = 127;
    let mut asm = Assembler::new(TEXT);
    let [name, len, left] = [8, 9, 18].map(Reg::x);
    asm.li(name, 0x10_0000);
    asm.li(len, syscall::TEXT_BYTES_MAX);
    asm.li(left, DEPTH);
    let deeper = asm.label();
    asm.bind(deeper);
    begin_span(&mut asm, name, len);
    asm.emit(addi(left, left, -1));
    asm.branch(bne, left, Reg::ZERO, deeper);
    asm.li(left, INNERMOST);
    let again = asm.label();
    asm.bind(again);
    asm.emit(sd(left, name, 0));
    begin_span(&mut asm, name, len);
    asm.li(Reg::A7, syscall::SPAN_END);
    asm.emit(ecall());
    asm.emit(addi(left, left, -1));
    asm.branch(bne, left, Reg::ZERO, again);
    guest(asm)
}

/// Prints memory that the memory limit does not allow: the run printed nothing of it, the replay,
/// which has no limit, allocated all of it.
fn replayed_prints_allocate() -> Vec<u8> {
    const PRINTS: u64 = 400;
    let mut asm = Assembler::new(TEXT);
    let [at, len, left] = [8, 9, 18].map(Reg::x);
    asm.li(at, 0x1000_0000);
    asm.li(len, syscall::TRANSFER_BYTES_MAX);
    asm.li(left, PRINTS);
    asm.li(Reg::A7, syscall::WRITE);
    let again = asm.label();
    asm.bind(again);
    asm.li(Reg::A0, syscall::FD_STDOUT);
    asm.emit(addi(Reg::A1, at, 0));
    asm.emit(addi(Reg::A2, len, 0));
    asm.emit(ecall());
    asm.emit(zkvm_testkit::asm::base::add(at, at, len));
    asm.emit(addi(left, left, -1));
    asm.branch(bne, left, Reg::ZERO, again);
    guest(asm)
}
