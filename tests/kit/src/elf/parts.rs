//! The headers of an ELF64 file as plain structs, and how they are written.

/// Size of the file header.
pub(super) const FILE_HEADER_BYTES: u64 = 64;
/// Size of a program header.
pub(super) const PROGRAM_HEADER_BYTES: u64 = 56;
/// Size of a section header.
pub(super) const SECTION_HEADER_BYTES: u64 = 64;

/// The file header, every field of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// `\x7fELF`, class 2, little-endian 1, version 1, OS ABI 0, padding.
    pub ident: [u8; 16],
    /// `e_type`.
    pub kind: u16,
    /// `e_machine`.
    pub machine: u16,
    /// `e_version`.
    pub version: u32,
    /// `e_entry`.
    pub entry: u64,
    /// `e_phoff`.
    pub phoff: u64,
    /// `e_shoff`.
    pub shoff: u64,
    /// `e_flags`.
    pub flags: u32,
    /// `e_ehsize`.
    pub ehsize: u16,
    /// `e_phentsize`.
    pub phentsize: u16,
    /// `e_phnum`.
    pub phnum: u16,
    /// `e_shentsize`.
    pub shentsize: u16,
    /// `e_shnum`.
    pub shnum: u16,
    /// `e_shstrndx`.
    pub shstrndx: u16,
}

/// A program header, every field of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramHeader {
    /// `p_type`.
    pub kind: u32,
    /// `p_flags`.
    pub flags: u32,
    /// `p_offset`.
    pub offset: u64,
    /// `p_vaddr`.
    pub vaddr: u64,
    /// `p_paddr`.
    pub paddr: u64,
    /// `p_filesz`.
    pub filesz: u64,
    /// `p_memsz`.
    pub memsz: u64,
    /// `p_align`.
    pub align: u64,
}

/// A section header, every field of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SectionHeader {
    /// `sh_name`, an offset into `.shstrtab`.
    pub name: u32,
    /// `sh_type`.
    pub kind: u32,
    /// `sh_flags`.
    pub flags: u64,
    /// `sh_addr`.
    pub address: u64,
    /// `sh_offset`.
    pub offset: u64,
    /// `sh_size`.
    pub size: u64,
    /// `sh_link`.
    pub link: u32,
    /// `sh_info`.
    pub info: u32,
    /// `sh_addralign`.
    pub align: u64,
    /// `sh_entsize`.
    pub entsize: u64,
}

/// A laid-out file whose headers may be changed before it is written.
///
/// The headers are written where they were laid out, whatever their fields say.
#[derive(Clone, Debug)]
pub struct ElfParts {
    /// The file header, written at offset 0.
    pub header: FileHeader,
    /// The program headers, written at offset 64.
    pub program_headers: Vec<ProgramHeader>,
    /// The section headers, written at [`Self::section_headers_at`].
    pub section_headers: Vec<SectionHeader>,
    /// Where the section headers are written.
    pub section_headers_at: u64,
    /// Everything else: file offsets and the bytes there.
    pub contents: Vec<(u64, Vec<u8>)>,
}

impl ElfParts {
    /// Writes the file.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut file = Vec::new();
        put(&mut file, 0, &self.header.to_bytes());
        for (index, header) in self.program_headers.iter().enumerate() {
            let at = FILE_HEADER_BYTES + PROGRAM_HEADER_BYTES * index as u64;
            put(&mut file, at, &header.to_bytes());
        }
        for (at, bytes) in &self.contents {
            put(&mut file, *at, bytes);
        }
        for (index, header) in self.section_headers.iter().enumerate() {
            let at = self.section_headers_at + SECTION_HEADER_BYTES * index as u64;
            put(&mut file, at, &header.to_bytes());
        }
        file
    }
}

/// Writes `bytes` at offset `at`, growing the file with zeros.
fn put(file: &mut Vec<u8>, at: u64, bytes: &[u8]) {
    let at = at as usize;
    let end = at + bytes.len();
    file.resize(file.len().max(end), 0);
    file[at..end].copy_from_slice(bytes);
}

impl FileHeader {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.ident.to_vec();
        bytes.extend_from_slice(&self.kind.to_le_bytes());
        bytes.extend_from_slice(&self.machine.to_le_bytes());
        bytes.extend_from_slice(&self.version.to_le_bytes());
        for word in [self.entry, self.phoff, self.shoff] {
            bytes.extend_from_slice(&word.to_le_bytes());
        }
        bytes.extend_from_slice(&self.flags.to_le_bytes());
        let (program, section) = ([self.phentsize, self.phnum], [self.shentsize, self.shnum]);
        for half in [
            [self.ehsize].as_slice(),
            &program,
            &section,
            &[self.shstrndx],
        ]
        .concat()
        {
            bytes.extend_from_slice(&half.to_le_bytes());
        }
        bytes
    }
}

impl ProgramHeader {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.kind.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.flags.to_le_bytes());
        let words = [
            self.offset,
            self.vaddr,
            self.paddr,
            self.filesz,
            self.memsz,
            self.align,
        ];
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes
    }
}

impl SectionHeader {
    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.name.to_le_bytes().to_vec();
        bytes.extend_from_slice(&self.kind.to_le_bytes());
        let words = [self.flags, self.address, self.offset, self.size];
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        bytes.extend_from_slice(&self.link.to_le_bytes());
        bytes.extend_from_slice(&self.info.to_le_bytes());
        bytes.extend(
            [self.align, self.entsize]
                .iter()
                .flat_map(|word| word.to_le_bytes()),
        );
        bytes
    }
}
