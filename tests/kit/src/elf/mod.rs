//! Writes ELF64 files for RISC-V: well-formed ones by default, broken ones on request.
//!
//! ```text
//! 0            file header       64 bytes
//! 64           program headers   56 bytes each, one PT_LOAD per segment
//!              segments          each at a file offset congruent to its address modulo 4096
//!              .symtab .strtab .shstrtab, section headers   when sections are asked for
//! ```
//!
//! [`ElfBuilder::parts`] gives the laid-out headers as plain structs: a test changes any field and
//! calls [`ElfParts::to_bytes`]. Source: System V ABI, "Object Files"; RISC-V ELF psABI.

mod parts;

pub use parts::{ElfParts, FileHeader, ProgramHeader, SectionHeader};

use parts::{FILE_HEADER_BYTES, PROGRAM_HEADER_BYTES, SECTION_HEADER_BYTES};
use zkvm_isa::layout::{INPUT_START, PAGE_BYTES};

/// Segment flag: executable.
pub const PF_X: u32 = 1;
/// Segment flag: writable.
pub const PF_W: u32 = 2;
/// Segment flag: readable.
pub const PF_R: u32 = 4;
/// File flag: the code has compressed instructions.
pub const EF_RISCV_RVC: u32 = 1;
/// Segment type: loaded into memory.
pub const PT_LOAD: u32 = 1;
/// File type: an executable at fixed addresses.
pub const ET_EXEC: u16 = 2;
/// Machine number of RISC-V.
pub const EM_RISCV: u16 = 243;

const SYMBOL_BYTES: u64 = 24;
const SHT_PROGBITS: u32 = 1;
const SHT_SYMTAB: u32 = 2;
const SHT_STRTAB: u32 = 3;
const SHT_NOBITS: u32 = 8;
const STB_GLOBAL_STT_FUNC: u8 = 1 << 4 | 2;

/// A range of memory that the file describes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// First address.
    pub address: u64,
    /// The bytes the file holds for it.
    pub bytes: Vec<u8>,
    /// Its size in memory; what the file does not hold is zero.
    pub memory_bytes: u64,
    /// [`PF_R`], [`PF_W`], [`PF_X`].
    pub flags: u32,
}

/// A function symbol.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its name.
    pub name: String,
    /// Its first address.
    pub address: u64,
    /// Its length in bytes.
    pub size: u64,
}

/// Collects what a file shall hold.
///
/// ```
/// use zkvm_testkit::{asm::{Assembler, Reg, base::*}, elf::ElfBuilder};
/// let mut asm = Assembler::new(0x1_0000);
/// asm.li(Reg::A7, 93);
/// asm.emit(ecall());
/// let file = ElfBuilder::new(0x1_0000).text(0x1_0000, asm.finish().bytes).build();
/// assert_eq!(&file[..4], b"\x7fELF");
/// ```
#[derive(Clone, Debug)]
pub struct ElfBuilder {
    entry: u64,
    flags: u32,
    segments: Vec<Segment>,
    functions: Vec<Function>,
    has_sections: bool,
}

impl ElfBuilder {
    /// A file without segments, entered at `entry`; its flags are 0 (no compressed instructions).
    pub fn new(entry: u64) -> Self {
        Self {
            entry,
            flags: 0,
            segments: Vec::new(),
            functions: Vec::new(),
            has_sections: false,
        }
    }

    /// Sets `e_flags`, such as [`EF_RISCV_RVC`].
    pub fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// Adds any segment.
    pub fn segment(mut self, segment: Segment) -> Self {
        self.segments.push(segment);
        self
    }

    fn filled(self, address: u64, bytes: Vec<u8>, flags: u32) -> Self {
        let memory_bytes = bytes.len() as u64;
        self.segment(Segment {
            address,
            bytes,
            memory_bytes,
            flags,
        })
    }

    /// Adds code, readable and executable.
    pub fn text(self, address: u64, bytes: Vec<u8>) -> Self {
        self.filled(address, bytes, PF_R | PF_X)
    }

    /// Adds constants, readable.
    pub fn rodata(self, address: u64, bytes: Vec<u8>) -> Self {
        self.filled(address, bytes, PF_R)
    }

    /// Adds variables, readable and writable.
    pub fn data(self, address: u64, bytes: Vec<u8>) -> Self {
        self.filled(address, bytes, PF_R | PF_W)
    }

    /// Adds zeroed memory, readable and writable, that takes no room in the file.
    pub fn zeroed(self, address: u64, memory_bytes: u64) -> Self {
        self.segment(Segment {
            address,
            bytes: Vec::new(),
            memory_bytes,
            flags: PF_R | PF_W,
        })
    }

    /// Adds a function symbol, and with it a symbol table and section headers.
    pub fn function(mut self, name: &str, address: u64, size: u64) -> Self {
        self.functions.push(Function {
            name: name.to_owned(),
            address,
            size,
        });
        self.has_sections = true;
        self
    }

    /// Adds section headers, also without symbols.
    pub fn sections(mut self) -> Self {
        self.has_sections = true;
        self
    }

    /// Adds what the machine maps by itself and an emulator of Linux does not: the input region
    /// (length, eight zero bytes, the bytes) and zeroed memory for the heap.
    pub fn with_input(self, input: &[u8], heap_address: u64, heap_bytes: u64) -> Self {
        let mut region = (input.len() as u64).to_le_bytes().to_vec();
        region.extend_from_slice(&[0; 8]);
        region.extend_from_slice(input);
        self.rodata(u64::from(INPUT_START), region)
            .zeroed(heap_address, heap_bytes)
    }

    /// The finished file.
    pub fn build(&self) -> Vec<u8> {
        self.parts().to_bytes()
    }

    /// The file laid out, its headers open to changes.
    pub fn parts(&self) -> ElfParts {
        let mut end = FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES * self.segments.len() as u64;
        let page = u64::from(PAGE_BYTES);
        let mut program_headers = Vec::new();
        let mut contents = Vec::new();
        for segment in &self.segments {
            let offset = end + (segment.address.wrapping_sub(end) % page);
            let filesz = segment.bytes.len() as u64;
            program_headers.push(ProgramHeader {
                kind: PT_LOAD,
                flags: segment.flags,
                offset,
                vaddr: segment.address,
                paddr: segment.address,
                filesz,
                memsz: segment.memory_bytes,
                align: page,
            });
            if filesz > 0 {
                contents.push((offset, segment.bytes.clone()));
                end = offset + filesz;
            }
        }
        let mut parts = ElfParts {
            header: self.header(program_headers.len()),
            program_headers,
            section_headers: Vec::new(),
            section_headers_at: 0,
            contents,
        };
        if self.has_sections {
            self.add_sections(&mut parts, end);
        }
        parts
    }

    fn header(&self, phnum: usize) -> FileHeader {
        let mut ident = [0; 16];
        ident[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
        FileHeader {
            ident,
            kind: ET_EXEC,
            machine: EM_RISCV,
            version: 1,
            entry: self.entry,
            phoff: FILE_HEADER_BYTES,
            shoff: 0,
            flags: self.flags,
            ehsize: FILE_HEADER_BYTES as u16,
            phentsize: PROGRAM_HEADER_BYTES as u16,
            phnum: u16::try_from(phnum).expect("a test file has few segments"),
            shentsize: SECTION_HEADER_BYTES as u16,
            shnum: 0,
            shstrndx: 0,
        }
    }

    /// Appends one section per segment, the symbol table and both string tables after `end`.
    fn add_sections(&self, parts: &mut ElfParts, mut end: u64) {
        let mut names = StringTable::new();
        let mut headers = vec![SectionHeader::default()];
        for (segment, placed) in self.segments.iter().zip(&parts.program_headers) {
            headers.push(section_of(segment, placed.offset, &mut names));
        }

        let mut strings = StringTable::new();
        let symbols = self.symbols(&mut strings);
        let symtab = headers.len() as u32;
        let count = self.functions.len() as u64 + 1;
        headers.push(SectionHeader {
            name: names.add(".symtab"),
            kind: SHT_SYMTAB,
            size: count * SYMBOL_BYTES,
            link: symtab + 1,
            info: 1,
            align: 8,
            entsize: SYMBOL_BYTES,
            ..SectionHeader::default()
        });
        for name in [".strtab", ".shstrtab"] {
            let name = names.add(name);
            let kind = SHT_STRTAB;
            headers.push(SectionHeader {
                name,
                kind,
                align: 1,
                ..SectionHeader::default()
            });
        }

        let tables = [symbols, strings.bytes, names.bytes];
        for (header, bytes) in headers.iter_mut().skip(symtab as usize).zip(tables) {
            header.offset = end.next_multiple_of(8);
            header.size = bytes.len() as u64;
            end = header.offset + header.size;
            parts.contents.push((header.offset, bytes));
        }
        parts.section_headers_at = end.next_multiple_of(8);
        parts.header.shoff = parts.section_headers_at;
        parts.header.shnum = headers.len() as u16;
        parts.header.shstrndx = headers.len() as u16 - 1;
        parts.section_headers = headers;
    }

    /// The bytes of `.symtab`: the null symbol, then the functions.
    fn symbols(&self, strings: &mut StringTable) -> Vec<u8> {
        let mut bytes = vec![0; SYMBOL_BYTES as usize];
        for function in &self.functions {
            let holds = |s: &Segment| {
                (s.address..s.address.saturating_add(s.memory_bytes)).contains(&function.address)
            };
            let section = self
                .segments
                .iter()
                .position(holds)
                .map_or(0xfff1, |index| index + 1);
            bytes.extend_from_slice(&strings.add(&function.name).to_le_bytes());
            bytes.extend_from_slice(&[STB_GLOBAL_STT_FUNC, 0]);
            bytes.extend_from_slice(&(section as u16).to_le_bytes());
            bytes.extend_from_slice(&function.address.to_le_bytes());
            bytes.extend_from_slice(&function.size.to_le_bytes());
        }
        bytes
    }
}

/// The section that covers a segment; its name follows from the flags.
fn section_of(segment: &Segment, offset: u64, names: &mut StringTable) -> SectionHeader {
    let is_zeroed = segment.bytes.is_empty();
    let name = match (
        segment.flags & PF_X != 0,
        segment.flags & PF_W != 0,
        is_zeroed,
    ) {
        (true, _, _) => ".text",
        (false, true, true) => ".bss",
        (false, true, false) => ".data",
        (false, false, _) => ".rodata",
    };
    let write = u64::from(segment.flags & PF_W != 0);
    let execute = u64::from(segment.flags & PF_X != 0);
    SectionHeader {
        name: names.add(name),
        kind: if is_zeroed { SHT_NOBITS } else { SHT_PROGBITS },
        flags: write | 2 | execute << 2,
        address: segment.address,
        offset,
        size: segment.memory_bytes,
        align: 1,
        ..SectionHeader::default()
    }
}

/// Names ended by zero bytes, found by offset.
struct StringTable {
    bytes: Vec<u8>,
}

impl StringTable {
    fn new() -> Self {
        Self { bytes: vec![0] }
    }

    fn add(&mut self, name: &str) -> u32 {
        let offset = self.bytes.len() as u32;
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.push(0);
        offset
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> ElfBuilder {
        ElfBuilder::new(0x1_0000)
            .flags(EF_RISCV_RVC)
            .text(0x1_0000, vec![1, 2, 3, 4])
            .data(0x2_0010, vec![5, 6])
            .function("start", 0x1_0000, 4)
            .with_input(b"hello", 0x3_0000, 0x1000)
    }

    #[test]
    fn every_header_has_the_size_the_format_gives_it() {
        let parts = sample().parts();
        assert_eq!(parts.header.to_bytes().len() as u64, FILE_HEADER_BYTES);
        assert_eq!(
            parts.program_headers[0].to_bytes().len() as u64,
            PROGRAM_HEADER_BYTES
        );
        assert_eq!(
            parts.section_headers[0].to_bytes().len() as u64,
            SECTION_HEADER_BYTES
        );
    }

    #[test]
    fn segments_lie_where_the_headers_say() {
        let parts = sample().parts();
        let file = parts.to_bytes();
        assert_eq!(parts.program_headers.len(), 4);
        for (header, segment) in parts.program_headers.iter().zip(&sample().segments) {
            assert_eq!(header.offset % 4096, header.vaddr % 4096);
            let at = header.offset as usize;
            let end = at + header.filesz as usize;
            assert_eq!(segment.bytes.is_empty(), header.filesz == 0);
            assert!(segment.bytes.is_empty() || file[at..end] == segment.bytes);
        }
        let input = &sample().segments[2];
        assert_eq!((input.address, input.flags), (0xd000_0000, PF_R));
        assert_eq!(
            &input.bytes[..16],
            [5, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]
        );
        assert_eq!(&input.bytes[16..], b"hello");
    }

    #[test]
    fn a_changed_header_field_reaches_the_file_and_nothing_else_moves() {
        let mut parts = sample().parts();
        let before = parts.to_bytes();
        parts.header.phoff = u64::MAX;
        parts.program_headers[1].memsz = 1 << 40;
        let after = parts.to_bytes();
        let changed: Vec<usize> = (0..before.len())
            .filter(|&i| before[i] != after[i])
            .collect();
        assert_eq!(before.len(), after.len());
        let second = 64 + 56;
        assert!(
            changed
                .iter()
                .all(|&i| (32..40).contains(&i) || (second..second + 56).contains(&i))
        );
    }
}
