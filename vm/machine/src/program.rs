//! A loaded program and its identity.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;
use zkvm_isa::{Instruction, Length, layout};

use crate::memory::{Region, program_regions};

/// What a guest may do with an image segment. Nothing is both writable and executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permissions {
    /// Load only.
    ReadOnly,
    /// Load and store.
    ReadWrite,
    /// Load and execute.
    ReadExecute,
}

/// One loaded ELF segment: `data` at `address`, then zeros up to `size_bytes`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// Address of the first byte.
    pub address: u32,
    /// Bytes in memory; at least `data.len()`.
    pub size_bytes: u32,
    /// Initial bytes, without trailing zeros.
    pub data: Vec<u8>,
    /// What the guest may do with it.
    pub permissions: Permissions,
}

impl Image {
    /// One past the last address.
    #[must_use]
    pub fn end(&self) -> u32 {
        // The loader bounds every segment below `layout::HEAP_END`.
        self.address + self.size_bytes
    }
}

/// A named address range of the program, from the ELF's symbol table. Not part of the identity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Symbol {
    /// First address.
    pub address: u32,
    /// Size in bytes; 0 if the table does not say.
    pub size_bytes: u32,
    /// Name as stored: mangled.
    pub name: String,
    /// Whether it names code.
    pub is_function: bool,
}

/// The identity of a program: a hash of its decoded program table, initial memory and entry.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ProgramId(pub [u8; 32]);

impl fmt::Display for ProgramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ProgramId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProgramId({self})")
    }
}

/// A text that is not a program id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a program id is 64 hexadecimal digits, got {length_bytes} bytes or other characters")]
pub struct ProgramIdError {
    /// Length of the refused text.
    pub length_bytes: usize,
}

impl FromStr for ProgramId {
    type Err = ProgramIdError;

    fn from_str(text: &str) -> Result<Self, ProgramIdError> {
        let error = ProgramIdError {
            length_bytes: text.len(),
        };
        if text.len() != 64 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(error);
        }
        let mut id = [0; 32];
        for (index, byte) in id.iter_mut().enumerate() {
            let digits = text.get(2 * index..2 * index + 2).ok_or(error)?;
            *byte = u8::from_str_radix(digits, 16).map_err(|_| error)?;
        }
        Ok(ProgramId(id))
    }
}

/// A loaded program: decoded instructions, initial memory, entry, symbols, identity.
///
/// Made by [`crate::load`] only, which checks everything the rest of the crate relies on.
#[derive(Clone, Debug)]
pub struct Program {
    entry: u32,
    compressed: bool,
    text_start: u32,
    text: Vec<Instruction>,
    images: Vec<Image>,
    symbols: Vec<Symbol>,
    id: ProgramId,
}

impl Program {
    /// Assembles a program from checked parts, decoding the executable images.
    ///
    /// `images` must be sorted by address, disjoint and below [`layout::HEAP_END`]; the loader
    /// checks. Shapes: the decoded table has one entry per half-word from the lowest executable
    /// address to the highest.
    pub(crate) fn new(
        entry: u32,
        compressed: bool,
        images: Vec<Image>,
        symbols: Vec<Symbol>,
    ) -> Program {
        let executable = || {
            images
                .iter()
                .filter(|i| i.permissions == Permissions::ReadExecute)
        };
        let text_start = executable()
            .map(|image| image.address)
            .min()
            .unwrap_or(entry);
        let text_end = executable().map(Image::end).max().unwrap_or(entry);
        let halfwords = (text_end - text_start).div_ceil(2) as usize;
        let mut text = vec![Instruction::illegal(0, Length::Two); halfwords];
        for image in executable() {
            let first = ((image.address - text_start) / 2) as usize;
            decode_image(image, compressed, &mut text[first..]);
        }
        let id = hash_program(entry, compressed, &images, text_start, &text);
        Program {
            entry,
            compressed,
            text_start,
            text,
            images,
            symbols,
            id,
        }
    }

    /// Address of the first instruction.
    #[must_use]
    pub fn entry(&self) -> u32 {
        self.entry
    }

    /// Whether compressed instructions are allowed; without them code is 4-byte aligned.
    #[must_use]
    pub fn compressed(&self) -> bool {
        self.compressed
    }

    /// Address of the decoded table's first entry.
    #[must_use]
    pub fn text_start(&self) -> u32 {
        self.text_start
    }

    /// The decoded table: entry `i` is the instruction at `text_start + 2·i`, so consecutive
    /// entries overlap when instructions are four bytes long.
    #[must_use]
    pub fn text(&self) -> &[Instruction] {
        &self.text
    }

    /// The image segments, sorted by address, disjoint.
    #[must_use]
    pub fn images(&self) -> &[Image] {
        &self.images
    }

    /// The ELF's symbols, sorted by address.
    #[must_use]
    pub fn symbols(&self) -> &[Symbol] {
        &self.symbols
    }

    /// The program's identity.
    #[must_use]
    pub fn id(&self) -> ProgramId {
        self.id
    }

    /// First address of the heap: the page after the image.
    #[must_use]
    pub fn heap_start(&self) -> u32 {
        let image_end = self.images.last().map_or(layout::IMAGE_START, Image::end);
        image_end.next_multiple_of(layout::PAGE_BYTES)
    }

    /// The mapped regions but the input's, sorted and disjoint: images widened to pages, heap,
    /// stack.
    #[must_use]
    pub fn regions(&self) -> Vec<Region> {
        program_regions(self)
    }

    /// The symbol that covers `address`: the nearest function at or before it whose size reaches
    /// it, or whose size is not known.
    #[must_use]
    pub fn symbol_at(&self, address: u64) -> Option<&Symbol> {
        let after = self
            .symbols
            .partition_point(|symbol| u64::from(symbol.address) <= address);
        self.symbols[..after].iter().rev().take(64).find(|symbol| {
            let end = u64::from(symbol.address) + u64::from(symbol.size_bytes);
            symbol.is_function && (address < end || symbol.size_bytes == 0)
        })
    }

    /// The instruction at `pc`, if `pc` is a half-word of the decoded table.
    #[must_use]
    pub fn instruction_at(&self, pc: u64) -> Option<Instruction> {
        let offset = pc.checked_sub(u64::from(self.text_start))?;
        if offset % 2 != 0 {
            return None;
        }
        self.text.get(usize::try_from(offset / 2).ok()?).copied()
    }
}

/// Decodes every half-word of `image` into `table`, whose first entry is the image's address.
///
/// An instruction that would reach past the image is illegal. Without compressed instructions,
/// two-byte encodings and addresses that are not multiples of 4 are illegal.
fn decode_image(image: &Image, compressed: bool, table: &mut [Instruction]) {
    let byte = |offset: usize| image.data.get(offset).copied().unwrap_or(0);
    let half = |offset: usize| u16::from_le_bytes([byte(offset), byte(offset + 1)]);
    let size = image.size_bytes as usize;
    for offset in (0..size).step_by(2) {
        let low = half(offset);
        let is_full = low & 3 == 3;
        let word = u32::from(low) | u32::from(half(offset + 2)) << 16;
        let length = if is_full { Length::Four } else { Length::Two };
        let in_bounds = offset + length.bytes() as usize <= size;
        let aligned = compressed || (image.address as usize + offset).is_multiple_of(4);
        let allowed = in_bounds && aligned && (compressed || is_full);
        table[offset / 2] = if allowed {
            zkvm_isa::decode(word).instruction
        } else {
            Instruction::illegal(if is_full { word } else { u32::from(low) }, length)
        };
    }
}

/// Hashes what defines a program: BLAKE3 over a canonical, length-prefixed encoding.
///
/// Little-endian fields in order: domain tag; entry; compressed flag; image count; per image
/// address, size, permissions, data length, data without trailing zeros; table start and length;
/// per table entry opcode, rd, rs1, rs2, length, immediate.
fn hash_program(
    entry: u32,
    compressed: bool,
    images: &[Image],
    text_start: u32,
    text: &[Instruction],
) -> ProgramId {
    let mut hasher = blake3::Hasher::new_derive_key("zkvm 2026-11 program id v1");
    let mut bytes = Vec::with_capacity(4096);
    bytes.extend_from_slice(&entry.to_le_bytes());
    bytes.push(u8::from(compressed));
    bytes.extend_from_slice(&(images.len() as u64).to_le_bytes());
    for image in images {
        bytes.extend_from_slice(&image.address.to_le_bytes());
        bytes.extend_from_slice(&image.size_bytes.to_le_bytes());
        bytes.push(match image.permissions {
            Permissions::ReadOnly => 0,
            Permissions::ReadWrite => 1,
            Permissions::ReadExecute => 2,
        });
        bytes.extend_from_slice(&(image.data.len() as u64).to_le_bytes());
        hasher.update(&bytes);
        hasher.update(&image.data);
        bytes.clear();
    }
    bytes.extend_from_slice(&text_start.to_le_bytes());
    bytes.extend_from_slice(&(text.len() as u64).to_le_bytes());
    for entries in text.chunks(256) {
        for entry in entries {
            let length = entry.length().bytes() as u8;
            bytes.extend([
                entry.opcode() as u8,
                entry.rd(),
                entry.rs1(),
                entry.rs2(),
                length,
            ]);
            bytes.extend_from_slice(&entry.imm().to_le_bytes());
        }
        hasher.update(&bytes);
        bytes.clear();
    }
    hasher.update(&bytes);
    ProgramId(*hasher.finalize().as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn program_ids_parse_what_they_print() {
        let id = ProgramId(std::array::from_fn(|i| (i * 37) as u8));
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "12", &"g".repeat(64), &"0".repeat(63), &"é".repeat(32)] {
            assert!(text.parse::<ProgramId>().is_err(), "{text}");
        }
    }
}
