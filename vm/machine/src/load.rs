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
use thiserror::Error;
use zkvm_isa::{Unsupported, layout};

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
    let mut images = Vec::new();
    for (index, segment) in read_program_headers(bytes, &header)?
        .into_iter()
        .enumerate()
    {
        if matches!(segment.p_type, abi::PT_DYNAMIC | abi::PT_INTERP) {
            return Err(LoadError::Dynamic { index });
        }
        if segment.p_type == abi::PT_LOAD && segment.p_memsz > 0 {
            images.push(read_image(bytes, index, &segment)?);
        }
    }
    images.sort_by_key(|image: &Image| image.address);
    check_images(&images)?;
    check_text(&images, compressed)?;
    let entry = check_entry(header.e_entry, &images, compressed)?;
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

fn read_image(bytes: &[u8], index: usize, segment: &ProgramHeader) -> Result<Image, LoadError> {
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
    let data = usize::try_from(segment.p_offset)
        .ok()
        .zip(usize::try_from(segment.p_filesz).ok())
        .and_then(|(start, length)| bytes.get(start..start.checked_add(length)?))
        .filter(|data| data.len() as u64 <= memory_bytes)
        .ok_or(LoadError::SegmentBytes {
            index,
            address,
            offset: segment.p_offset,
            file_bytes: segment.p_filesz,
            memory_bytes,
            file_size_bytes: bytes.len(),
        })?;
    let used = data
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    Ok(Image {
        address: address as u32,
        size_bytes: memory_bytes as u32,
        data: data[..used].to_vec(),
        permissions,
    })
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
    let Ok(file) = elf::ElfBytes::<AnyEndian>::minimal_parse(bytes) else {
        return Vec::new();
    };
    let Ok(Some((table, names))) = file.symbol_table() else {
        return Vec::new();
    };
    let mut symbols: Vec<Symbol> = table
        .iter()
        .take(SYMBOLS_MAX)
        .filter(|symbol| matches!(symbol.st_symtype(), abi::STT_FUNC | abi::STT_OBJECT))
        .filter(|symbol| !symbol.is_undefined())
        .filter_map(|symbol| {
            Some(Symbol {
                address: u32::try_from(symbol.st_value).ok()?,
                size_bytes: u32::try_from(symbol.st_size).ok()?,
                name: names.get(symbol.st_name as usize).ok()?.to_owned(),
                is_function: symbol.st_symtype() == abi::STT_FUNC,
            })
        })
        .collect();
    symbols.sort_by(|a, b| (a.address, &a.name).cmp(&(b.address, &b.name)));
    symbols
}

/// Walks the functions that the symbol table names and refuses instructions of known extensions
/// the machine lacks. Without symbols the same instructions fault when they are executed.
fn refuse_unsupported(program: &Program) -> Result<(), LoadError> {
    for symbol in program.symbols().iter().filter(|symbol| symbol.is_function) {
        let end = u64::from(symbol.address) + u64::from(symbol.size_bytes);
        let mut pc = u64::from(symbol.address);
        while pc < end
            && let Some(instruction) = program.instruction_at(pc)
        {
            let word = instruction.imm().cast_unsigned();
            if instruction.opcode() == zkvm_isa::Opcode::Illegal
                && let Some(extension) = zkvm_isa::decode(word).unsupported
            {
                return Err(LoadError::UnsupportedInstruction {
                    pc: pc as u32,
                    word,
                    extension,
                    symbol: symbol.name.clone(),
                });
            }
            pc += u64::from(instruction.length().bytes());
        }
    }
    Ok(())
}
