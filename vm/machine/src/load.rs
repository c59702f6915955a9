//! From the bytes of an ELF file to a [`Program`], or to an error that names what is wrong where.
//!
//! The image comes from the program headers alone, as the Ethereum zkVM standard "ELF loading and
//! validation" asks; section headers give only symbols, for people. Beyond the header checks:
//! segments do not overlap, are never writable and executable, stay inside the image range, and no
//! 8-byte word holds both read-only and writable bytes.

use elf::abi;
use elf::endian::AnyEndian;
use elf::file::{Class, FileHeader, parse_ident};
use elf::segment::{ProgramHeader, SegmentTable};
use elf::symbol::SymbolTable;
use thiserror::Error;
use zkvm_isa::{Instruction, Opcode, Unsupported, layout};

use crate::program::{Image, Permissions, Program, Symbol};

/// Longest ELF file, in bytes.
pub const ELF_BYTES_MAX: usize = 1 << 29;

/// Most program headers.
pub const PROGRAM_HEADERS_MAX: usize = 256;

/// Widest span from the first to the last executable byte. The decoded table takes four bytes of
/// host memory for each byte of it.
pub const TEXT_SPAN_BYTES_MAX: u32 = 1 << 25;

/// Most symbols kept; the rest are dropped.
pub const SYMBOLS_MAX: usize = 1 << 20;

/// Longest symbol name kept, in bytes; longer ones are cut.
pub const SYMBOL_NAME_LENGTH_MAX: usize = 1 << 10;

/// Most bytes of symbol names kept, all together (names may share bytes in the file); the symbols
/// after them are dropped.
pub const SYMBOL_NAME_BYTES_MAX: usize = 1 << 26;

/// Why a file is not a program of this machine.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum LoadError {
    /// Longer than [`ELF_BYTES_MAX`].
    #[error("the file has {size_bytes} bytes, the limit is {ELF_BYTES_MAX}")]
    TooLong {
        /// Length of the file.
        size_bytes: usize,
    },
    /// No ELF magic, or a header that cannot be read.
    #[error("not an ELF file: {reason}")]
    NotElf {
        /// What the parser met.
        reason: String,
    },
    /// A 32-bit file.
    #[error("the file is 32-bit (ELFCLASS32), the machine runs 64-bit RISC-V (RV64IMAC)")]
    Not64Bit,
    /// A big-endian file.
    #[error("the file is big-endian, the machine is little-endian")]
    BigEndian,
    /// Another processor's file.
    #[error("the file is for ELF machine {machine}, not RISC-V (243)")]
    NotRiscV {
        /// `e_machine`.
        machine: u16,
    },
    /// Not a static executable.
    #[error("ELF type {elf_type} is not a static executable (ET_EXEC, 2)")]
    NotExecutable {
        /// `e_type`.
        elf_type: u16,
    },
    /// Asks for a dynamic linker or relocation.
    #[error("program header {index} asks for dynamic linking")]
    Dynamic {
        /// Which header.
        index: usize,
    },
    /// Compiled for a calling convention that passes floats in registers, or for RV64E.
    #[error("ELF flags {flags:#x} ask for {what}, the machine has lp64 only")]
    Abi {
        /// `e_flags`.
        flags: u32,
        /// The part that is not supported.
        what: &'static str,
    },
    /// The program header table cannot be read.
    #[error("the program header table at offset {offset} is damaged: {reason}")]
    ProgramHeaders {
        /// `e_phoff`.
        offset: u64,
        /// What is wrong.
        reason: String,
    },
    /// Nothing to load or nothing to execute.
    #[error("the file has no executable segment")]
    NoText,
    /// A segment's bytes are not in the file, or it is smaller in memory than in the file.
    #[error(
        "segment {index} at {address:#x}: {file_bytes} bytes at file offset {offset} \
         ({memory_bytes} in memory) do not fit the file's {file_size_bytes} bytes"
    )]
    SegmentBytes {
        /// Which program header.
        index: usize,
        /// `p_vaddr`.
        address: u64,
        /// `p_offset`.
        offset: u64,
        /// `p_filesz`.
        file_bytes: u64,
        /// `p_memsz`.
        memory_bytes: u64,
        /// Length of the file.
        file_size_bytes: usize,
    },
    /// The segments together have more bytes in the file than the file has.
    #[error(
        "the segments up to number {index} take {total_bytes} bytes of a file of \
         {file_size_bytes}: some share bytes"
    )]
    SharedBytes {
        /// The program header at which it shows.
        index: usize,
        /// Sum of `p_filesz` up to it.
        total_bytes: u64,
        /// Length of the file.
        file_size_bytes: usize,
    },
    /// A segment reaches outside the image range.
    #[error(
        "segment {index} at {address:#x} with {memory_bytes} bytes is outside {:#x}..{:#x}",
        layout::IMAGE_START,
        layout::HEAP_END
    )]
    SegmentRange {
        /// Which program header.
        index: usize,
        /// `p_vaddr`.
        address: u64,
        /// `p_memsz`.
        memory_bytes: u64,
    },
    /// A segment with permissions the machine does not have.
    #[error(
        "segment {index} at {address:#x} is {permissions}; allowed are r, rw and rx, \
         so that code never changes"
    )]
    SegmentPermissions {
        /// Which program header.
        index: usize,
        /// `p_vaddr`.
        address: u64,
        /// The flags as letters.
        permissions: String,
    },
    /// Two segments claim the same byte.
    #[error("segments at {first:#x} and {second:#x} overlap")]
    Overlap {
        /// Address of one.
        first: u32,
        /// Address of the other.
        second: u32,
    },
    /// Two segments with different permissions share an 8-byte word.
    #[error(
        "the 8-byte word at {word:#x} holds both read-only and writable bytes; \
         align the segment at {second:#x} to 8 bytes"
    )]
    SharedWord {
        /// Address of the word.
        word: u32,
        /// Address of the second segment.
        second: u32,
    },
    /// An executable segment starts at an address no instruction can have.
    #[error("executable segment at {address:#x} is not aligned to {alignment} bytes")]
    TextAlignment {
        /// Address of the segment.
        address: u32,
        /// 2 with compressed instructions, else 4.
        alignment: u32,
    },
    /// Executable segments too far apart or too large.
    #[error("executable segments span {span_bytes} bytes, the limit is {TEXT_SPAN_BYTES_MAX}")]
    TextSpan {
        /// From the first executable byte to the last.
        span_bytes: u32,
    },
    /// The entry is not an address of an instruction.
    #[error("entry {entry:#x} is not an aligned address inside an executable segment")]
    Entry {
        /// `e_entry`.
        entry: u64,
    },
    /// A function contains an instruction of an extension the machine lacks.
    #[error("function `{symbol}` at {pc:#x} contains {word:#x}: {extension} is not supported")]
    UnsupportedInstruction {
        /// Address of the instruction.
        pc: u32,
        /// Its encoding.
        word: u32,
        /// The extension.
        extension: Unsupported,
        /// The function's name as stored.
        symbol: String,
    },
}

/// Loads an ELF file.
///
/// Accepts static little-endian ELF64 executables for RV64IM and RV64IMAC with the lp64 calling
/// convention. Cost: linear in the file; host memory about five bytes per byte of code.
///
/// # Errors
/// [`LoadError`] names the first thing that is wrong and where.
pub fn load(bytes: &[u8]) -> Result<Program, LoadError> {
    if bytes.len() > ELF_BYTES_MAX {
        return Err(LoadError::TooLong {
            size_bytes: bytes.len(),
        });
    }
    let header = read_header(bytes)?;
    let compressed = header.e_flags & abi::EF_RISCV_RVC != 0;
    let segments = read_program_headers(bytes, &header)?;
    let (mut images, contents) = place_images(bytes, &segments)?;
    check_images(&images)?;
    check_text(&images, compressed)?;
    let entry = check_entry(header.e_entry, &images, compressed)?;
    // Only now, when every segment has its place: a refused file costs no copies.
    for (image, content) in images.iter_mut().zip(contents) {
        let last = content.iter().rposition(|byte| *byte != 0);
        image.data = content[..last.map_or(0, |last| last + 1)].to_vec();
    }
    let symbols = read_symbols(bytes);
    let program = Program::new(entry, compressed, images, symbols);
    refuse_unsupported(&program)?;
    Ok(program)
}

fn read_header(bytes: &[u8]) -> Result<FileHeader<AnyEndian>, LoadError> {
    let not_elf = |error: elf::ParseError| LoadError::NotElf {
        reason: error.to_string(),
    };
    let ident_bytes = bytes.get(..abi::EI_NIDENT).ok_or(LoadError::NotElf {
        reason: format!("the file has {} bytes only", bytes.len()),
    })?;
    let ident = parse_ident::<AnyEndian>(ident_bytes).map_err(not_elf)?;
    if ident.1 == Class::ELF32 {
        return Err(LoadError::Not64Bit);
    }
    if ident.0 == AnyEndian::Big {
        return Err(LoadError::BigEndian);
    }
    let tail = bytes.get(abi::EI_NIDENT..64).ok_or(LoadError::NotElf {
        reason: format!(
            "the file ends inside the header, after {} bytes",
            bytes.len()
        ),
    })?;
    let header = FileHeader::parse_tail(ident, tail).map_err(not_elf)?;
    if header.version != u32::from(abi::EV_CURRENT) {
        return Err(LoadError::NotElf {
            reason: format!("version {}, not {}", header.version, abi::EV_CURRENT),
        });
    }
    if header.e_machine != abi::EM_RISCV {
        return Err(LoadError::NotRiscV {
            machine: header.e_machine,
        });
    }
    if header.e_type != abi::ET_EXEC {
        return Err(LoadError::NotExecutable {
            elf_type: header.e_type,
        });
    }
    let flags = header.e_flags;
    if flags & abi::EF_RISCV_FLOAT_ABI_MASK != 0 {
        return Err(LoadError::Abi {
            flags,
            what: "a floating-point calling convention",
        });
    }
    if flags & abi::EF_RISCV_RVE != 0 {
        return Err(LoadError::Abi {
            flags,
            what: "the embedded base (RV64E)",
        });
    }
    Ok(header)
}

/// Size of one ELF64 program header, in bytes.
const PROGRAM_HEADER_BYTES: usize = 56;

fn read_program_headers(
    bytes: &[u8],
    header: &FileHeader<AnyEndian>,
) -> Result<Vec<ProgramHeader>, LoadError> {
    let offset = header.e_phoff;
    let damaged = |reason: String| LoadError::ProgramHeaders { offset, reason };
    let count = usize::from(header.e_phnum);
    if count > PROGRAM_HEADERS_MAX {
        return Err(damaged(format!(
            "{count} headers, the limit is {PROGRAM_HEADERS_MAX}"
        )));
    }
    if count > 0 && usize::from(header.e_phentsize) != PROGRAM_HEADER_BYTES {
        return Err(damaged(format!(
            "entries of {} bytes, not 56",
            header.e_phentsize
        )));
    }
    let table = usize::try_from(offset)
        .ok()
        .and_then(|start| Some(start..start.checked_add(count * PROGRAM_HEADER_BYTES)?))
        .and_then(|range| bytes.get(range))
        .ok_or_else(|| damaged(format!("{count} headers do not fit the file")))?;
    Ok(SegmentTable::new(AnyEndian::Little, Class::ELF64, table)
        .iter()
        .collect())
}

/// The segments to load as images without data, sorted by address, and the bytes of each.
///
/// Checks each header by itself, and that no more is loaded than the file has: so what is copied
/// later is bounded by the file.
fn place_images<'a>(
    bytes: &'a [u8],
    segments: &[ProgramHeader],
) -> Result<(Vec<Image>, Vec<&'a [u8]>), LoadError> {
    let file_size_bytes = bytes.len();
    let mut total_bytes: u64 = 0;
    let mut placed = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        if matches!(segment.p_type, abi::PT_DYNAMIC | abi::PT_INTERP) {
            return Err(LoadError::Dynamic { index });
        }
        let is_empty = segment.p_memsz == 0 && segment.p_filesz == 0;
        if segment.p_type != abi::PT_LOAD || is_empty {
            continue;
        }
        placed.push(place_image(bytes, index, segment)?);
        total_bytes = total_bytes.saturating_add(segment.p_filesz);
        if total_bytes > file_size_bytes as u64 {
            return Err(LoadError::SharedBytes {
                index,
                total_bytes,
                file_size_bytes,
            });
        }
    }
    placed.sort_by_key(|(image, _)| image.address);
    Ok(placed.into_iter().unzip())
}

/// The image that one program header describes, without its data, and its bytes in the file.
fn place_image<'a>(
    bytes: &'a [u8],
    index: usize,
    segment: &ProgramHeader,
) -> Result<(Image, &'a [u8]), LoadError> {
    let address = segment.p_vaddr;
    let memory_bytes = segment.p_memsz;
    let end = address.checked_add(memory_bytes);
    let in_range = address >= u64::from(layout::IMAGE_START)
        && end.is_some_and(|end| end <= u64::from(layout::HEAP_END));
    if !in_range {
        return Err(LoadError::SegmentRange {
            index,
            address,
            memory_bytes,
        });
    }
    let permissions =
        read_permissions(segment.p_flags).ok_or_else(|| LoadError::SegmentPermissions {
            index,
            address,
            permissions: letters(segment.p_flags),
        })?;
    let content = file_bytes(bytes, segment)
        .filter(|content| content.len() as u64 <= memory_bytes)
        .ok_or(LoadError::SegmentBytes {
            index,
            address,
            offset: segment.p_offset,
            file_bytes: segment.p_filesz,
            memory_bytes,
            file_size_bytes: bytes.len(),
        })?;
    let image = Image {
        address: address as u32,
        size_bytes: memory_bytes as u32,
        data: Vec::new(),
        permissions,
    };
    Ok((image, content))
}

/// A segment's bytes in the file; a segment without any may have any offset.
fn file_bytes<'a>(bytes: &'a [u8], segment: &ProgramHeader) -> Option<&'a [u8]> {
    if segment.p_filesz == 0 {
        return Some(&[]);
    }
    let start = usize::try_from(segment.p_offset).ok()?;
    let length = usize::try_from(segment.p_filesz).ok()?;
    bytes.get(start..start.checked_add(length)?)
}

fn read_permissions(flags: u32) -> Option<Permissions> {
    match flags & (abi::PF_R | abi::PF_W | abi::PF_X) {
        abi::PF_R => Some(Permissions::ReadOnly),
        flags if flags == abi::PF_R | abi::PF_W => Some(Permissions::ReadWrite),
        flags if flags == abi::PF_R | abi::PF_X => Some(Permissions::ReadExecute),
        _ => None,
    }
}

fn letters(flags: u32) -> String {
    let letters: String = [(abi::PF_R, 'r'), (abi::PF_W, 'w'), (abi::PF_X, 'x')]
        .into_iter()
        .filter(|(bit, _)| flags & bit != 0)
        .map(|(_, letter)| letter)
        .collect();
    if letters.is_empty() {
        "without any permission".to_owned()
    } else {
        letters
    }
}

/// Checks sorted `images` for overlaps and for words shared by read-only and writable bytes.
fn check_images(images: &[Image]) -> Result<(), LoadError> {
    for pair in images.windows(2) {
        let [first, second] = pair else { continue };
        if first.end() > second.address {
            return Err(LoadError::Overlap {
                first: first.address,
                second: second.address,
            });
        }
        let writable = |image: &Image| image.permissions == Permissions::ReadWrite;
        let word = second.address - second.address % layout::WORD_BYTES;
        if first.end() > word && writable(first) != writable(second) {
            return Err(LoadError::SharedWord {
                word,
                second: second.address,
            });
        }
    }
    Ok(())
}

fn check_text(images: &[Image], compressed: bool) -> Result<(), LoadError> {
    let alignment = if compressed { 2 } else { 4 };
    let text: Vec<_> = images
        .iter()
        .filter(|image| image.permissions == Permissions::ReadExecute)
        .collect();
    let (Some(first), Some(last)) = (text.first(), text.last()) else {
        return Err(LoadError::NoText);
    };
    if let Some(image) = text
        .iter()
        .find(|image| !image.address.is_multiple_of(alignment))
    {
        return Err(LoadError::TextAlignment {
            address: image.address,
            alignment,
        });
    }
    let span_bytes = last.end() - first.address;
    if span_bytes > TEXT_SPAN_BYTES_MAX {
        return Err(LoadError::TextSpan { span_bytes });
    }
    Ok(())
}

fn check_entry(entry: u64, images: &[Image], compressed: bool) -> Result<u32, LoadError> {
    let alignment = if compressed { 2 } else { 4 };
    let inside = |image: &&Image| {
        image.permissions == Permissions::ReadExecute
            && (u64::from(image.address)..u64::from(image.end())).contains(&entry)
    };
    match images.iter().find(inside) {
        Some(_) if entry.is_multiple_of(alignment) => Ok(entry as u32),
        _ => Err(LoadError::Entry { entry }),
    }
}

/// Reads the symbol table as far as it can be read; a damaged one gives no symbols.
fn read_symbols(bytes: &[u8]) -> Vec<Symbol> {
    let Some((table, names)) = find_symbols(bytes) else {
        return Vec::new();
    };
    let mut symbols = Vec::new();
    let mut name_bytes = 0;
    for symbol in table.iter().take(SYMBOLS_MAX) {
        let kind = symbol.st_symtype();
        if !matches!(kind, abi::STT_FUNC | abi::STT_OBJECT) || symbol.is_undefined() {
            continue;
        }
        let (Ok(address), Ok(size_bytes), Some(name)) = (
            u32::try_from(symbol.st_value),
            u32::try_from(symbol.st_size),
            read_name(names, symbol.st_name),
        ) else {
            continue;
        };
        name_bytes += name.len();
        if name_bytes > SYMBOL_NAME_BYTES_MAX {
            break;
        }
        symbols.push(Symbol {
            address,
            size_bytes,
            name: name.to_owned(),
            is_function: kind == abi::STT_FUNC,
        });
    }
    symbols.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    symbols
}

/// The symbol table and the bytes of its names.
fn find_symbols(bytes: &[u8]) -> Option<(SymbolTable<'_, AnyEndian>, &[u8])> {
    let file = elf::ElfBytes::<AnyEndian>::minimal_parse(bytes).ok()?;
    let sections = file.section_headers()?;
    let mut all = sections.iter();
    let symbols = all.find(|section| section.sh_type == abi::SHT_SYMTAB)?;
    let names = sections.get(usize::try_from(symbols.sh_link).ok()?).ok()?;
    let (names, _) = file.section_data(&names).ok()?;
    let (symbols, _) = file.section_data(&symbols).ok()?;
    let table = SymbolTable::new(AnyEndian::Little, Class::ELF64, symbols);
    Some((table, names))
}

/// The name at `offset` of a string table, cut at [`SYMBOL_NAME_LENGTH_MAX`]: neither its length
/// nor the work of finding its end depends on the file. `None` if it is no UTF-8.
fn read_name(names: &[u8], offset: u32) -> Option<&str> {
    let rest = names.get(usize::try_from(offset).ok()?..)?;
    let window = &rest[..rest.len().min(SYMBOL_NAME_LENGTH_MAX)];
    match window.iter().position(|byte| *byte == 0) {
        Some(end) => std::str::from_utf8(&window[..end]).ok(),
        None if window.len() == SYMBOL_NAME_LENGTH_MAX => match std::str::from_utf8(window) {
            Ok(name) => Some(name),
            // The cut may lie inside a character.
            Err(error) if error.error_len().is_none() => {
                std::str::from_utf8(&window[..error.valid_up_to()]).ok()
            }
            Err(_) => None,
        },
        None => None,
    }
}

/// Walks the functions that the symbol table names and refuses instructions of known extensions
/// the machine lacks. Without symbols the same instructions fault when they are executed.
///
/// Functions that reach furthest come first, so that a walk that meets an earlier one can stop:
/// each instruction is looked at once, however many symbols a hostile file lays over it.
fn refuse_unsupported(program: &Program) -> Result<(), LoadError> {
    let end_of = |symbol: &Symbol| u64::from(symbol.address) + u64::from(symbol.size_bytes);
    let is_function = |symbol: &&Symbol| symbol.is_function;
    let mut functions: Vec<&Symbol> = program.symbols().iter().filter(is_function).collect();
    functions.sort_by_key(|symbol| std::cmp::Reverse(end_of(symbol)));
    // One bit for each entry of the decoded table.
    let mut walked = vec![0_u64; program.text().len().div_ceil(64)];
    let mut first: Option<LoadError> = None;
    let mut first_pc = u64::MAX;
    for symbol in functions {
        let mut pc = u64::from(symbol.address);
        while pc < end_of(symbol)
            && let Some(instruction) = program.instruction_at(pc)
        {
            let index = (pc - u64::from(program.text_start())) / 2;
            let (bits, bit) = (&mut walked[(index / 64) as usize], 1 << (index % 64));
            if *bits & bit != 0 {
                break;
            }
            *bits |= bit;
            if let Some((word, extension)) = unsupported(instruction)
                && pc < first_pc
            {
                first_pc = pc;
                first = Some(LoadError::UnsupportedInstruction {
                    pc: pc as u32,
                    word,
                    extension,
                    symbol: symbol.name.clone(),
                });
            }
            pc += u64::from(instruction.length().bytes());
        }
    }
    first.map_or(Ok(()), Err)
}

/// The word of an instruction of a known extension the machine lacks, and the extension.
fn unsupported(instruction: Instruction) -> Option<(u32, Unsupported)> {
    let word = instruction.imm().cast_unsigned();
    let is_illegal = instruction.opcode() == Opcode::Illegal;
    let extension = is_illegal.then(|| zkvm_isa::decode(word).unsupported)?;
    extension.map(|extension| (word, extension))
}

#[cfg(test)]
mod tests {
    use zkvm_testkit::elf::{ElfBuilder, ElfParts, PF_R, PF_X, Segment};

    use super::*;

    const TEXT: u64 = 0x1_0000;
    const DATA: u64 = 0x100_0000;
    const NOP: [u8; 4] = [0x13, 0, 0, 0];
    const SYMBOL_BYTES: usize = 24;

    /// The error of a file of code and variables with changed headers.
    fn refused(change: impl FnOnce(&mut ElfParts)) -> Option<LoadError> {
        let elf = ElfBuilder::new(TEXT).text(TEXT, NOP.repeat(4));
        let mut parts = elf.data(DATA, vec![9; 24]).parts();
        change(&mut parts);
        load(&parts.to_bytes()).err()
    }

    /// A file of `count` symbols that all have the first one's name.
    fn with_shared_name(name: &str, count: usize) -> Vec<u8> {
        let elf = ElfBuilder::new(TEXT).text(TEXT, NOP.to_vec());
        let first = elf.function(name, TEXT, 4);
        let mut parts = (1..count)
            .fold(first, |elf, _| elf.function("n", TEXT, 4))
            .parts();
        let (_, symbols) = &mut parts.contents[1];
        for symbol in symbols.chunks_exact_mut(SYMBOL_BYTES).skip(1) {
            symbol[..4].copy_from_slice(&1_u32.to_le_bytes());
        }
        parts.to_bytes()
    }

    #[test]
    fn functions_that_overlap_are_walked_once() {
        let text = Segment {
            address: TEXT,
            bytes: NOP.to_vec(),
            memory_bytes: 1 << 22,
            flags: PF_R | PF_X,
        };
        let elf = ElfBuilder::new(TEXT).flags(1).segment(text);
        let elf = (0..20_000).fold(elf, |elf, n| elf.function("f", TEXT + 2 * n, 1 << 22));
        let started = std::time::Instant::now();
        assert!(load(&elf.build()).is_ok());
        // Two thousand million steps, a minute at least, if each function were walked in full.
        assert!(started.elapsed().as_secs() < 10);
    }

    #[test]
    fn the_lowest_unsupported_instruction_is_named_whatever_the_symbols() {
        let fadd_d = 0x02c5_f553_u32.to_le_bytes();
        let code = [NOP, fadd_d, NOP, fadd_d].concat();
        let elf = ElfBuilder::new(TEXT).text(TEXT, code);
        let elf = elf.function("late", TEXT + 8, 8).function("all", TEXT, 12);
        let refused = load(&elf.build()).err();
        let is_lowest = matches!(
            &refused,
            Some(LoadError::UnsupportedInstruction { pc, symbol, .. })
                if u64::from(*pc) == TEXT + 4 && symbol == "all"
        );
        assert!(is_lowest, "{refused:?}");
    }

    #[test]
    fn names_are_cut_between_characters_and_bounded_in_sum() {
        let name = format!("n{}", "é".repeat(1 << 16));
        let count = SYMBOL_NAME_BYTES_MAX / SYMBOL_NAME_LENGTH_MAX + 1000;
        let program = load(&with_shared_name(&name, count)).expect("it loads");
        let kept: usize = program.symbols().iter().map(|s| s.name.len()).sum();
        assert!(kept <= SYMBOL_NAME_BYTES_MAX && program.symbols().len() < count);
        assert_eq!(program.symbols()[0].name.len(), SYMBOL_NAME_LENGTH_MAX - 1);
        let short = load(&with_shared_name("start", 3)).expect("it loads");
        assert!(short.symbols().iter().all(|symbol| symbol.name == "start"));
    }

    #[test]
    fn segments_that_share_file_bytes_are_refused() {
        let error = refused(|parts| {
            let text = parts.program_headers[0].clone();
            let data = &mut parts.program_headers[1];
            (data.offset, data.filesz, data.memsz) = (0, text.offset, text.offset);
        });
        let is_shared = matches!(error, Some(LoadError::SharedBytes { index: 1, .. }));
        assert!(!is_shared, "the sum fits the file: {error:?}");
        let error = refused(|parts| {
            let size = parts.to_bytes().len() as u64;
            let data = &mut parts.program_headers[1];
            (data.offset, data.filesz, data.memsz) = (0, size, size);
        });
        let is_shared = matches!(error, Some(LoadError::SharedBytes { index: 1, .. }));
        assert!(is_shared, "{error:?}");
    }

    #[test]
    fn only_bytes_that_are_there_need_an_offset() {
        let anywhere = refused(|parts| {
            parts.program_headers[1].offset = u64::MAX;
            parts.program_headers[1].filesz = 0;
        });
        assert_eq!(anywhere, None);
        let without_memory = refused(|parts| parts.program_headers[1].memsz = 0);
        let is_refused = matches!(
            without_memory,
            Some(LoadError::SegmentBytes { index: 1, .. })
        );
        assert!(is_refused, "{without_memory:?}");
    }

    #[test]
    fn another_version_of_the_format_is_refused() {
        for version in [0, 2] {
            let error = refused(|parts| parts.header.version = version);
            assert!(matches!(error, Some(LoadError::NotElf { .. })), "{error:?}");
        }
    }
}
