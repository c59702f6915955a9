//! Guest memory: pages of 8-byte words, allocated when first touched.
//!
//! A page table with one entry per 4 KiB page of the 32-bit space leads to a flat list of words.
//! The table's flags answer the common case; everything else (first touch, mixed pages, faults)
//! takes the slow path, which consults the list of mapped regions.
//!
//! Regions are the image segments widened to pages, the heap, the stack and the input. Where two
//! segments meet in a page the boundary is the second one's first word.

use zkvm_isa::layout::{self, PAGE_BYTES, WORD_BYTES};

use crate::fault::Access;
use crate::program::{Permissions, Program};

/// Why an access failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessError {
    /// Nothing is mapped there.
    Unmapped { access: Access, address: u64 },
    /// The word refuses stores.
    ReadOnly { address: u64 },
    /// One more page would exceed the limit.
    Limit,
}

/// A mapped address range, of whole words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Region {
    /// First address.
    pub start: u64,
    /// One past the last address; may be 2^32.
    pub end: u64,
    /// Whether the guest may store there.
    pub writable: bool,
}

/// Every byte of the page may be loaded without further checks.
const LOADABLE: u32 = 1;
/// Every byte of the page may be stored to without further checks.
const STORABLE: u32 = 2;
/// Bits below the frame number in a page table entry.
const FLAG_BITS: u32 = 2;

const WORDS_PER_PAGE: usize = (PAGE_BYTES / WORD_BYTES) as usize;
const PAGES: usize = 1 << 20;

// Addresses and half-word indices of 64 bits are cast to `usize` here and in the hart; a narrower
// one would make two addresses one.
const _: () = assert!(usize::BITS >= 64);

/// The guest's memory. A *slot* is an index into the list of words.
#[derive(Debug)]
pub(crate) struct Memory {
    /// Per page: flags and frame number; 0 if the page was never touched.
    table: Vec<u32>,
    words: Vec<u64>,
    regions: Vec<Region>,
    pages_max: usize,
}

impl Memory {
    /// Memory as it is before the first instruction.
    ///
    /// # Errors
    /// [`AccessError::Limit`] if image and input alone need more than `memory_bytes_max`.
    pub(crate) fn new(
        program: &Program,
        input: &[u8],
        memory_bytes_max: u64,
    ) -> Result<Memory, AccessError> {
        let mut memory = Memory::empty(program, input.len() as u32, memory_bytes_max);
        for image in program.images() {
            memory.fill(image.address, &image.data)?;
        }
        memory.fill(layout::INPUT_START, &(input.len() as u64).to_le_bytes())?;
        memory.fill(layout::INPUT_BYTES_START, input)?;
        Ok(memory)
    }

    /// Memory with the right regions and nothing in it.
    pub(crate) fn empty(program: &Program, input_bytes: u32, memory_bytes_max: u64) -> Memory {
        let pages_max = memory_bytes_max / u64::from(PAGE_BYTES);
        Memory {
            table: vec![0; PAGES],
            words: Vec::new(),
            regions: regions(program, input_bytes),
            pages_max: usize::try_from(pages_max).unwrap_or(PAGES).min(PAGES),
        }
    }

    /// Bytes of guest memory in use: whole pages.
    pub(crate) fn bytes(&self) -> u64 {
        self.words.len() as u64 * u64::from(WORD_BYTES)
    }

    /// Number of slots; slots are handed out in order of first touch.
    #[inline(always)]
    pub(crate) fn slots(&self) -> usize {
        self.words.len()
    }

    /// The word in `slot`.
    #[inline(always)]
    pub(crate) fn word(&self, slot: usize) -> u64 {
        self.words[slot]
    }

    /// Replaces the word in `slot`.
    #[inline(always)]
    pub(crate) fn set_word(&mut self, slot: usize, value: u64) {
        self.words[slot] = value;
    }

    /// The slot of the word that holds `address`, for loading.
    #[inline(always)]
    pub(crate) fn load_slot(&mut self, address: u64) -> Result<usize, AccessError> {
        match self.table.get((address / u64::from(PAGE_BYTES)) as usize) {
            Some(entry) if entry & LOADABLE != 0 => Ok(slot_in(*entry, address)),
            _ => self.slow_slot(address, Access::Load),
        }
    }

    /// The slot of the word that holds `address`, for storing.
    #[inline(always)]
    pub(crate) fn store_slot(&mut self, address: u64) -> Result<usize, AccessError> {
        match self.table.get((address / u64::from(PAGE_BYTES)) as usize) {
            Some(entry) if entry & STORABLE != 0 => Ok(slot_in(*entry, address)),
            _ => self.slow_slot(address, Access::Store),
        }
    }

    /// The word that holds `address`, or `None` where nothing is mapped: what a load would see,
    /// without the page that a load of untouched memory takes.
    pub(crate) fn peek(&self, address: u64) -> Option<u64> {
        match self.table.get((address / u64::from(PAGE_BYTES)) as usize) {
            Some(0) => self.region(address).map(|_| 0),
            Some(entry) => Some(self.words[slot_in(*entry, address)]),
            None => None,
        }
    }

    /// The region that holds `address`.
    fn region(&self, address: u64) -> Option<&Region> {
        let after = self
            .regions
            .partition_point(|region| region.start <= address);
        self.regions[..after]
            .last()
            .filter(|region| address < region.end)
    }

    #[cold]
    #[inline(never)]
    fn slow_slot(&mut self, address: u64, access: Access) -> Result<usize, AccessError> {
        let Some(region) = self.region(address) else {
            return Err(AccessError::Unmapped { access, address });
        };
        if access == Access::Store && !region.writable {
            return Err(AccessError::ReadOnly { address });
        }
        let page = (address / u64::from(PAGE_BYTES)) as usize;
        if self.table[page] == 0 {
            self.table[page] = self.allocate(page)?;
        }
        Ok(slot_in(self.table[page], address))
    }

    /// Adds a zero frame for `page`, which lies inside regions, and returns its table entry.
    fn allocate(&mut self, page: usize) -> Result<u32, AccessError> {
        let frame = self.words.len() / WORDS_PER_PAGE;
        if frame >= self.pages_max {
            return Err(AccessError::Limit);
        }
        self.words.resize(self.words.len() + WORDS_PER_PAGE, 0);
        let start = page as u64 * u64::from(PAGE_BYTES);
        let end = start + u64::from(PAGE_BYTES);
        let all_writable = self
            .regions
            .iter()
            .filter(|region| region.start < end && start < region.end)
            .all(|region| region.writable);
        let storable = if all_writable { STORABLE } else { 0 };
        Ok((frame as u32) << FLAG_BITS | storable | LOADABLE)
    }

    /// Writes initial bytes, whatever the region's permissions.
    fn fill(&mut self, address: u32, bytes: &[u8]) -> Result<(), AccessError> {
        for (offset, byte) in bytes.iter().enumerate() {
            if *byte != 0 {
                let address = u64::from(address) + offset as u64;
                let slot = self.load_slot(address)?;
                let shift = 8 * (address % u64::from(WORD_BYTES));
                self.words[slot] |= u64::from(*byte) << shift;
            }
        }
        Ok(())
    }

    /// Writes one whole initial word, whatever the region's permissions.
    pub(crate) fn fill_word(&mut self, address: u64, value: u64) -> Result<(), AccessError> {
        let slot = self.load_slot(address)?;
        self.words[slot] = value;
        Ok(())
    }
}

#[inline(always)]
fn slot_in(entry: u32, address: u64) -> usize {
    let word_in_page = (address / u64::from(WORD_BYTES)) as usize % WORDS_PER_PAGE;
    (entry >> FLAG_BITS) as usize * WORDS_PER_PAGE + word_in_page
}

/// The mapped regions, sorted and disjoint. Every page is wholly covered or not at all.
fn regions(program: &Program, input_bytes: u32) -> Vec<Region> {
    let mut regions = program_regions(program);
    let end = u64::from(layout::INPUT_BYTES_START) + u64::from(input_bytes);
    regions.push(Region {
        start: u64::from(layout::INPUT_START),
        end: end.next_multiple_of(u64::from(PAGE_BYTES)),
        writable: false,
    });
    regions
}

/// The mapped regions but the input's, sorted and disjoint.
pub(crate) fn program_regions(program: &Program) -> Vec<Region> {
    let page = u64::from(PAGE_BYTES);
    let mut regions: Vec<Region> = Vec::new();
    for image in program.images() {
        let writable = image.permissions == Permissions::ReadWrite;
        let (first, end) = (u64::from(image.address), u64::from(image.end()));
        let mut start = first - first % page;
        if let Some(previous) = regions.last_mut()
            && previous.end > start
        {
            // Both touch this page: the boundary is this image's first word, or, where a word is
            // shared (then both have the same permission to store), the next one.
            start = first - first % u64::from(WORD_BYTES);
            previous.end = start;
        }
        regions.push(Region {
            start,
            end: end.next_multiple_of(page),
            writable,
        });
    }
    let mut add = |start: u32, end: u64, writable| {
        let start = u64::from(start);
        if start < end {
            regions.push(Region {
                start,
                end,
                writable,
            });
        }
    };
    add(program.heap_start(), u64::from(layout::HEAP_END), true);
    add(layout::STACK_START, u64::from(layout::STACK_END), true);
    regions
}
