//! Writes the corpora's seeds: `cargo run -p zkvm-corpus-replay --example seeds`.
//!
//! Seeds come from the test kit and are the same on every run; their names begin with `seed-`.
//! What a fuzzer added keeps libFuzzer's name, a hash; what a bug left is named after the bug.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use zkvm_corpus_replay::GuestSource;
use zkvm_isa::Opcode;
use zkvm_testkit::asm::base::{addi, ecall, sd};
use zkvm_testkit::asm::{Assembler, Reg};
use zkvm_testkit::edge::{compressed_hints, compressed_pairs, compressed_reserved, fault_programs};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder, ElfParts, PF_R, PF_W, PF_X, Segment};
use zkvm_testkit::generate::{Options, generate};
use zkvm_testkit::rng::Rng;

fn main() -> io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/corpus");
    write_all(&corpus.join("load"), load_seeds())?;
    write_all(&corpus.join("execute"), execute_seeds())?;
    write_all(&corpus.join("decode"), decode_seeds())
}

type Seeds = Vec<(String, Vec<u8>)>;

/// A change to a laid-out file, with its name.
type Change = (&'static str, fn(&mut ElfParts));

fn write_all(folder: &Path, seeds: Seeds) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    for (name, bytes) in seeds {
        let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "-");
        let path: PathBuf = folder.join(format!("seed-{name}"));
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// Address of the text of a file with `segments` segments, such that no padding precedes it.
const fn text_address(segments: u64) -> u64 {
    0x1_0000 + 64 + 56 * segments
}

/// A guest that stores to its data, prints, and halts.
fn small_text(address: u64, data: u64) -> Vec<u8> {
    let mut asm = Assembler::new(address);
    asm.li(Reg::T0, data);
    asm.emit(sd(Reg::SP, Reg::T0, 0));
    asm.li(Reg::A0, 1);
    asm.emit(addi(Reg::A1, Reg::T0, 0));
    asm.li(Reg::A2, 8);
    asm.li(Reg::A7, 64);
    asm.emit(ecall());
    asm.li(Reg::A7, 93);
    asm.emit(ecall());
    asm.finish().bytes
}

/// Text, data that follows it in the next word, and zeroed memory.
fn sound() -> ElfBuilder {
    let text = text_address(3);
    let data = text + small_text(text, text + 64).len().next_multiple_of(8) as u64;
    ElfBuilder::new(text)
        .flags(EF_RISCV_RVC)
        .text(text, small_text(text, data))
        .data(data, vec![7; 24])
        .zeroed(data + 0x1000, 0x1800)
}

fn load_seeds() -> Seeds {
    let mut seeds: Seeds = Vec::new();
    let mut add = |name: &str, bytes: Vec<u8>| seeds.push((name.to_owned(), bytes));
    let text = text_address(3);
    add("sound", sound().build());
    add(
        "symbols",
        sound()
            .function("one", text, 12)
            .function("two", text + 12, 0)
            .build(),
    );
    add("sections", sound().sections().build());
    add(
        "rodata",
        sound().rodata(0x8_0000 + 0x200, vec![3; 40]).build(),
    );
    add("uncompressed", sound().flags(0).build());
    add("float abi", sound().flags(4).build());
    add("embedded", sound().flags(8).build());
    add("empty", Vec::new());
    add("magic", b"\x7fELF".to_vec());
    add("header", sound().build()[..64].to_vec());
    add("no segments", ElfBuilder::new(text).build());
    add("writable code", flagged(PF_R | PF_W | PF_X).build());
    add("code that cannot be read", flagged(PF_X).build());
    add("overlap", sound().data(text + 4, vec![1; 8]).build());
    add(
        "shared word",
        sound()
            .data(text - 8, vec![1; 6])
            .data(text - 2, vec![1; 2])
            .build(),
    );
    add("last bytes", sound().zeroed(0xbfff_f000, 0x1000).build());
    add("past the end", sound().zeroed(0xbfff_f000, 0x1001).build());
    add(
        "entry outside",
        ElfBuilder::new(8).text(text_address(1), vec![1; 8]).build(),
    );
    add("float code", illegal_function(0x0005_3507));
    add("vector code", illegal_function(0x0205_7007));
    let changes: [Change; 14] = [
        ("elf32", |parts| parts.header.ident[4] = 1),
        ("big endian", |parts| parts.header.ident[5] = 2),
        ("other machine", |parts| parts.header.machine = 62),
        ("shared object", |parts| parts.header.kind = 3),
        ("table far away", |parts| parts.header.phoff = u64::MAX - 8),
        ("many headers", |parts| parts.header.phnum = u16::MAX),
        ("short headers", |parts| parts.header.phentsize = 32),
        ("dynamic", |parts| parts.program_headers[1].kind = 2),
        ("interpreter", |parts| parts.program_headers[1].kind = 3),
        ("offset wraps", |parts| {
            parts.program_headers[0].offset = u64::MAX
        }),
        ("huge memory", |parts| {
            parts.program_headers[1].memsz = u64::MAX
        }),
        ("file above memory", |parts| {
            parts.program_headers[1].memsz = 1
        }),
        ("sections far away", |parts| {
            parts.header.shoff = u64::MAX - 4
        }),
        ("names out of range", |parts| {
            parts.section_headers[4].link = 99
        }),
    ];
    for (name, change) in changes {
        let mut parts = sound().function("one", text, 12).parts();
        change(&mut parts);
        add(name, parts.to_bytes());
    }
    for program in fault_programs().into_iter().step_by(7) {
        add(&program.name, repack(&program.elf));
    }
    seeds
}

fn flagged(flags: u32) -> ElfBuilder {
    sound().segment(Segment {
        address: 0x9_0000 + 0x200,
        bytes: vec![0x13, 0, 0, 0],
        memory_bytes: 4,
        flags,
    })
}

fn illegal_function(word: u32) -> Vec<u8> {
    let text = text_address(1);
    ElfBuilder::new(text)
        .flags(EF_RISCV_RVC)
        .text(text, word.to_le_bytes().to_vec())
        .function("refused", text, 4)
        .build()
}

/// The text of a file of the kit in a file without padding: seeds are to be small.
fn repack(elf: &[u8]) -> Vec<u8> {
    let text = text_address(1);
    ElfBuilder::new(text)
        .flags(EF_RISCV_RVC)
        .text(text, first_segment(elf))
        .build()
}

/// The bytes of the first program header's segment, in a file the kit wrote.
fn first_segment(elf: &[u8]) -> Vec<u8> {
    let field = |at: usize| -> usize {
        let bytes: [u8; 8] = std::array::from_fn(|index| elf[64 + at + index]);
        u64::from_le_bytes(bytes) as usize
    };
    let (offset, size) = (field(8), field(32));
    elf[offset..offset + size].to_vec()
}

fn execute_seeds() -> Seeds {
    let mut seeds: Seeds = Vec::new();
    let mut rng = Rng::new(1);
    let base = GuestSource {
        header: [0b1_0001, 0, 16, 5, 0],
        registers: std::array::from_fn(|index| index as u8),
        input: b"input".to_vec(),
        hints: (0..64).collect(),
        data: (0..32).collect(),
        text: Vec::new(),
    };
    let mut add = |name: String, source: GuestSource| seeds.push((name, source.to_bytes()));
    for compressed in [false, true] {
        let options = Options {
            items: 20..=30,
            compressed,
            ..Options::default()
        };
        for seed in 0..4 {
            let mut text = first_segment(&generate(seed, &options).elf);
            text.truncate(1200);
            let mut source = GuestSource {
                text,
                ..base.clone()
            };
            source.header[0] &= !u8::from(!compressed);
            add(format!("generated {seed} compressed {compressed}"), source);
        }
    }
    for program in fault_programs().into_iter().step_by(9) {
        let source = GuestSource {
            text: first_segment(&program.elf),
            ..base.clone()
        };
        add(program.name, source);
    }
    // Every opcode and system call once, from random registers, in each shape.
    for shape in 0..16 {
        let opcodes = (0..Opcode::ALL.len() as u8).chain(Opcode::ALL.len() as u8..=103);
        let mut text = Vec::new();
        for op in opcodes {
            let mut instruction: [u8; 6] = rng.next_u64().to_le_bytes()[..6]
                .try_into()
                .expect("six bytes of eight are six bytes");
            instruction[0] = (op + rng.below(2) as u8 * shape) % 104;
            instruction[5] %= 4;
            text.extend_from_slice(&instruction);
        }
        let mut source = GuestSource {
            text,
            registers: std::array::from_fn(|_| rng.next_u64() as u8),
            ..base.clone()
        };
        source.header[0] = 0b1_0010 | shape & 1 | (shape & 6) << 1;
        source.header[4] = shape / 4;
        source.header[3] = shape * 17;
        source.header[2] = [0, 1, 4, 64][usize::from(shape % 4)];
        add(format!("instructions {shape}"), source);
    }
    add("empty".to_owned(), GuestSource::default());
    seeds
}

fn decode_seeds() -> Seeds {
    let mut rng = Rng::new(2);
    let mut seeds: Seeds = Opcode::ALL
        .into_iter()
        .filter_map(|opcode| {
            let (bits, mask) = opcode.encoding()?;
            let words = [0, u32::MAX, rng.next_u64() as u32].map(|word| bits | word & !mask);
            let bytes = words.into_iter().flat_map(u32::to_le_bytes).collect();
            Some((opcode.mnemonic().to_owned(), bytes))
        })
        .collect();
    let halves = |halves: Vec<u16>| -> Vec<u8> {
        let words = halves.into_iter().map(u32::from);
        words.flat_map(u32::to_le_bytes).collect()
    };
    let pairs = compressed_pairs()
        .iter()
        .step_by(61)
        .map(|pair| pair.halfword)
        .collect();
    seeds.push(("compressed".to_owned(), halves(pairs)));
    seeds.push(("compressed hints".to_owned(), halves(compressed_hints())));
    seeds.push((
        "compressed reserved".to_owned(),
        halves(compressed_reserved()),
    ));
    let known = [
        0x0005_3507_u32,
        0x02a5_7553,
        0x0205_7007,
        0xc000_2573,
        0x3020_0073,
        0xc000_1073,
        0x1f,
        0x0ff0_000f,
        0x8330_000f,
        0x0100_000f,
        0x100f,
        0xffff_ffff,
    ];
    let bytes = known.into_iter().flat_map(u32::to_le_bytes).collect();
    seeds.push(("unsupported".to_owned(), bytes));
    seeds
}
