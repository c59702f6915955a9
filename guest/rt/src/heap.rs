//! The heap: where blocks are, which are free, and how they are found.
//!
//! Every instruction of a guest is proved, so the common case is short. Requests of up to
//! [`SMALL_BYTES_MAX`] bytes are rounded up to a multiple of 16 and served from one free list per
//! size; on a miss they are cut from a *slab*. Allocating or releasing such a block takes about
//! five instructions where the compiler knows the size, and ten otherwise. Small blocks carry no
//! header and are never merged: what a size once held, it keeps.
//!
//! Larger requests, and slabs, are *blocks* with a header, which lie one after the other up to
//! `top`. Free neighbours are merged, and lists by size with a bitmap find a block that fits
//! well in a bounded number of steps. The block before `top` grows and shrinks in place.
//!
//! ```text
//! start           block            block                       top        fresh        end
//!   | size, flags | payload ...... | size | prev | next ... | size |   was used  | never used |
//!     in use                         free, links in the payload
//! ```
//!
//! Memory from `fresh` on has never been used and is still zero, so zeroed requests do not clear
//! it again.
//!
//! Why not a crate: these are instructions per request beyond those of a bump allocator that never
//! frees, counted with callgrind on x86-64. Large blocks come out level, small ones do not.
//!
//! | program | here | `talc` 4 | `rlsf` 0.2 | `dlmalloc` 0.2 | `linked_list_allocator` 0.10 |
//! |---|---|---|---|---|---|
//! | parse and print JSON | 6 | 94 | 88 | 70 | 105 |
//! | fill ordered and hashed maps | 10 | 74 | 68 | 76 | 3900 |
//! | random blocks of 1 to 21 KB | 112 | 99 | 79 | 184 | 463 |

use core::alloc::Layout;
use core::ptr;

/// Largest heap, in bytes.
pub(crate) const HEAP_BYTES_MAX: usize = 1 << 30;

/// Sizes and addresses of blocks are multiples of this, in bytes.
const GRAIN: usize = 16;

/// Largest request that is served from a list of equal blocks, in bytes.
const SMALL_BYTES_MAX: usize = 1024;

/// Sizes of small blocks: the multiples of `GRAIN` up to `SMALL_BYTES_MAX`, and 0 unused.
const CLASSES: usize = SMALL_BYTES_MAX / GRAIN + 1;

/// Bytes taken at a time to cut small blocks from. Only what is cut is ever touched.
const SLAB_BYTES: usize = 1 << 16;

/// Bytes before a payload: size with flags, then the size of the previous block if that is free.
const HEADER_BYTES: usize = 16;

/// Smallest block: the header and the two links of a free block.
const BLOCK_BYTES_MIN: usize = 32;

/// Lists of free blocks: four per doubling of the size, from 32 bytes to 1 GiB.
const BINS: usize = (HEAP_BYTES_MAX.ilog2() as usize - 5) * 4 + 4;

/// Blocks of the bin of the very size that are tried before the next bin, where any block fits.
const TRIES_MAX: usize = 8;

/// In a header: this block is free.
const FREE: usize = 1;

/// In a header: the previous block is free, and its size is in this header.
const PREVIOUS_FREE: usize = 2;

/// An allocator over one range of memory, for one thread.
#[derive(Debug)]
pub(crate) struct Heap {
    /// First free block of each class, or 0. A free small block begins with the next one.
    classes: [usize; CLASSES],
    /// Where the next small block is cut from the slab.
    slab_next: usize,
    slab_end: usize,
    /// From here on the slab is still zero.
    slab_fresh: usize,
    /// First free block of each bin, or 0.
    bins: [usize; BINS],
    /// Which bins are not empty.
    bins_filled: u128,
    /// One past the last block. The block before it is always in use.
    top: usize,
    /// From here on memory has never been used.
    fresh: usize,
    end: usize,
}

const _: () = assert!(BINS <= u128::BITS as usize);

impl Heap {
    /// A heap without memory: every request fails.
    pub(crate) const fn closed() -> Self {
        Self {
            classes: [0; CLASSES],
            slab_next: 0,
            slab_end: 0,
            slab_fresh: 0,
            bins: [0; BINS],
            bins_filled: 0,
            top: 0,
            fresh: 0,
            end: 0,
        }
    }

    /// Gives a closed heap the addresses from `start` to `end`, at most [`HEAP_BYTES_MAX`] of them.
    ///
    /// # Safety
    /// The range must be zeroed and writable, its provenance exposed, and used by nothing else.
    pub(crate) unsafe fn open(&mut self, start: usize, end: usize) {
        let start = start.next_multiple_of(GRAIN);
        let end = end.min(start.saturating_add(HEAP_BYTES_MAX)) / GRAIN * GRAIN;
        if start < end {
            (self.top, self.fresh, self.end) = (start, start, end);
        }
    }

    /// Returns a block, or null if there is no room.
    #[inline]
    pub(crate) fn allocate(&mut self, layout: Layout) -> *mut u8 {
        if !is_small(layout) {
            return self.allocate_block(layout);
        }
        let class = class_of(layout.size());
        let block = self.classes[class];
        if block == 0 {
            return self.cut(class);
        }
        // SAFETY: the list holds free small blocks, whose first word is the next one.
        self.classes[class] = unsafe { load(block) };
        pointer(block)
    }

    /// Returns a block of zeros, or null if there is no room.
    #[inline]
    pub(crate) fn allocate_zeroed(&mut self, layout: Layout) -> *mut u8 {
        let fresh = self.fresh;
        let cut = is_small(layout) && self.classes[class_of(layout.size())] == 0;
        let block = self.allocate(layout);
        let fresh = if cut { self.slab_fresh } else { fresh };
        if !block.is_null() {
            // What lies at or above `fresh` has not been written since the machine zeroed it.
            let used = layout.size().min(fresh.saturating_sub(block.addr()));
            // SAFETY: the block was just allocated and has `layout.size()` bytes.
            unsafe { block.write_bytes(0, used) };
        }
        block
    }

    /// Takes a block back.
    ///
    /// # Safety
    /// The block must be live and come from this heap, with this layout.
    #[inline]
    pub(crate) unsafe fn release(&mut self, block: *mut u8, layout: Layout) {
        if is_small(layout) {
            // SAFETY: a small block has this class and belongs to the heap again.
            unsafe { self.push_small(block.addr(), class_of(layout.size())) };
        } else {
            // SAFETY: a block that is not small has a header before it.
            unsafe { self.release_block(block.addr() - HEADER_BYTES) };
        }
    }

    /// Changes a block's size, in place where that is possible; null if there is no room, and the
    /// block is then as it was.
    ///
    /// # Safety
    /// The block must be live and come from this heap, with this layout.
    pub(crate) unsafe fn reallocate(
        &mut self,
        block: *mut u8,
        layout: Layout,
        size: usize,
    ) -> *mut u8 {
        let Ok(new_layout) = Layout::from_size_align(size, layout.align()) else {
            return ptr::null_mut();
        };
        let resized = match (is_small(layout), is_small(new_layout)) {
            (true, true) => {
                let (old, new) = (class_of(layout.size()), class_of(size));
                // SAFETY: the block is live and of class `old`.
                unsafe { self.resize_small(block.addr(), old, new) }
            }
            // SAFETY: the block is live and has a header before it.
            (false, false) => unsafe { self.resize_block(block.addr() - HEADER_BYTES, size) },
            _ => false,
        };
        if resized {
            return block;
        }
        let moved = self.allocate(new_layout);
        if !moved.is_null() {
            // SAFETY: both blocks are live and hold at least the shorter length, and are disjoint.
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
            // SAFETY: the caller vouches for the block.
            unsafe { self.release(block, layout) };
        }
        moved
    }

    /// # Safety
    /// The `class * GRAIN` bytes at `block` must be the heap's and unused.
    #[inline]
    unsafe fn push_small(&mut self, block: usize, class: usize) {
        // SAFETY: a small block has room for a word.
        unsafe { store(block, self.classes[class]) };
        self.classes[class] = block;
    }

    /// Cuts a small block from the slab, and takes a new slab if need be.
    #[inline(never)]
    fn cut(&mut self, class: usize) -> *mut u8 {
        let bytes = class * GRAIN;
        if self.slab_end - self.slab_next < bytes && !self.take_slab(bytes) {
            return ptr::null_mut();
        }
        let block = self.slab_next;
        self.slab_next += bytes;
        pointer(block)
    }

    /// Replaces the slab by one with at least `bytes_min` bytes; false if there is no room.
    #[cold]
    #[inline(never)]
    fn take_slab(&mut self, bytes_min: usize) -> bool {
        let fresh = self.fresh;
        let slab = self.find_block(SLAB_BYTES + HEADER_BYTES);
        let Some(block) = slab.or_else(|| self.find_block(bytes_min + HEADER_BYTES)) else {
            return false;
        };
        let rest = self.slab_end - self.slab_next;
        if rest > 0 {
            // SAFETY: the rest of the old slab is unused, and less than the block asked for.
            unsafe { self.push_small(self.slab_next, rest / GRAIN) };
        }
        self.slab_next = block + HEADER_BYTES;
        // SAFETY: `block` is a block in use.
        self.slab_end = block + unsafe { block_bytes(block) };
        self.slab_fresh = if self.slab_next < fresh {
            self.slab_end
        } else {
            self.slab_next
        };
        true
    }

    /// Grows a small block if it was the last one cut; shrinks it by releasing its end.
    ///
    /// # Safety
    /// The block must be live and of class `old`.
    unsafe fn resize_small(&mut self, block: usize, old: usize, new: usize) -> bool {
        let (old_end, new_end) = (block + old * GRAIN, block + new * GRAIN);
        if new < old {
            // SAFETY: the caller gives these bytes up.
            unsafe { self.push_small(new_end, old - new) };
            true
        } else if new == old {
            true
        } else if old_end == self.slab_next && new_end <= self.slab_end {
            self.slab_next = new_end;
            true
        } else {
            false
        }
    }

    /// Serves a request that is large or aligned to more than a grain.
    #[inline(never)]
    fn allocate_block(&mut self, layout: Layout) -> *mut u8 {
        let Some(bytes) = bytes_for(layout.size()) else {
            return ptr::null_mut();
        };
        // With room for a free block before the aligned payload.
        let slack = if layout.align() > GRAIN {
            layout.align() + BLOCK_BYTES_MIN
        } else {
            0
        };
        let Some(found) = bytes
            .checked_add(slack)
            .and_then(|sum| self.find_block(sum))
        else {
            return ptr::null_mut();
        };
        let mut block = found;
        if slack > 0 {
            let mut payload = (found + HEADER_BYTES).next_multiple_of(layout.align());
            if payload != found + HEADER_BYTES && payload - HEADER_BYTES - found < BLOCK_BYTES_MIN {
                payload += layout.align();
            }
            block = payload - HEADER_BYTES;
            if block != found {
                // SAFETY: the block in use is long enough for a free one before `block`.
                unsafe { self.split_front(found, block) };
            }
            // SAFETY: the block is in use and has at least `bytes`.
            unsafe { self.trim(block, bytes) };
        }
        pointer(block + HEADER_BYTES)
    }

    /// Takes a block of at least `bytes`, cut to size, from the bins or from the top.
    fn find_block(&mut self, bytes: usize) -> Option<usize> {
        if bytes > HEAP_BYTES_MAX {
            return None;
        }
        if let Some(block) = self.find_binned(bytes) {
            // SAFETY: the block is free and in its bin.
            unsafe { self.unlink(block) };
            // SAFETY: the block is free.
            let size = unsafe { block_bytes(block) };
            // SAFETY: a free block is never the last one, and the header before it is its own.
            unsafe { self.mark_used(block, size) };
            // SAFETY: the block is in use and has at least `bytes`.
            unsafe { self.trim(block, bytes) };
            return Some(block);
        }
        if bytes > self.end - self.top {
            return None;
        }
        let block = self.top;
        self.raise_top(block + bytes);
        // SAFETY: the memory was above the top, and the block before the top is in use.
        unsafe { store(block, bytes) };
        Some(block)
    }

    /// The address of a free block of at least `bytes`.
    fn find_binned(&self, bytes: usize) -> Option<usize> {
        if self.bins_filled == 0 {
            return None;
        }
        let bin = bin_of(bytes);
        let mut block = self.bins[bin];
        for _ in 0..TRIES_MAX {
            if block == 0 {
                break;
            }
            // SAFETY: bins hold free blocks.
            if unsafe { block_bytes(block) } >= bytes {
                return Some(block);
            }
            // SAFETY: bins hold free blocks.
            block = unsafe { load(block + HEADER_BYTES) };
        }
        let larger = self.bins_filled & (u128::MAX << bin << 1);
        (larger != 0).then(|| self.bins[larger.trailing_zeros() as usize])
    }

    /// Makes a free block a used one.
    ///
    /// # Safety
    /// The block must be free, out of its bin, and of `size` bytes.
    unsafe fn mark_used(&mut self, block: usize, size: usize) {
        // SAFETY: two free blocks are never neighbours, so the previous one is in use.
        unsafe { store(block, size) };
        // SAFETY: a free block is never the last one, so a header follows.
        let next = unsafe { load(block + size) };
        // SAFETY: as above.
        unsafe { store(block + size, next & !PREVIOUS_FREE) };
    }

    /// Splits a used block: what lies before `block` is released.
    ///
    /// # Safety
    /// `found` must be in use and reach beyond `block` by a header, `block` be at least the
    /// smallest block's size away.
    unsafe fn split_front(&mut self, found: usize, block: usize) {
        // SAFETY: the header of a block in use.
        let header = unsafe { load(found) };
        // SAFETY: inside the block in use.
        unsafe { store(block, (header & !PREVIOUS_FREE) - (block - found)) };
        // SAFETY: the header of a block in use.
        unsafe { store(found, (header & PREVIOUS_FREE) | (block - found)) };
        // SAFETY: the front is now a used block of its own.
        unsafe { self.release_block(found) };
    }

    /// Releases the end of a used block beyond `bytes`, if that is enough for a block.
    ///
    /// # Safety
    /// The block must be in use and have at least `bytes`, a multiple of the grain.
    unsafe fn trim(&mut self, block: usize, bytes: usize) {
        // SAFETY: the header of a block in use.
        let header = unsafe { load(block) };
        let size = header & !(FREE | PREVIOUS_FREE);
        if size - bytes >= BLOCK_BYTES_MIN {
            // SAFETY: the header of a block in use.
            unsafe { store(block, bytes | (header & PREVIOUS_FREE)) };
            // SAFETY: inside the block in use; the block before the new one is in use.
            unsafe { store(block + bytes, size - bytes) };
            // SAFETY: the end is now a used block of its own.
            unsafe { self.release_block(block + bytes) };
        }
    }

    /// Makes a used block free: merges it with free neighbours and bins it, or lowers the top.
    ///
    /// # Safety
    /// The block must be in use, and nobody may use it again.
    unsafe fn release_block(&mut self, block: usize) {
        // SAFETY: the header of a block in use.
        let header = unsafe { load(block) };
        let (mut start, mut size) = (block, header & !(FREE | PREVIOUS_FREE));
        if header & PREVIOUS_FREE != 0 {
            // SAFETY: after a free block the header's second word is that block's size.
            let previous = unsafe { load(block + 8) };
            (start, size) = (block - previous, size + previous);
            // SAFETY: the previous block is free and in its bin.
            unsafe { self.unlink(start) };
        }
        if start + size == self.top {
            self.top = start;
            return;
        }
        // SAFETY: below the top a header follows.
        let mut next = unsafe { load(start + size) };
        if next & FREE != 0 {
            // SAFETY: the next block is free and in its bin.
            unsafe { self.unlink(start + size) };
            size += next & !(FREE | PREVIOUS_FREE);
            // SAFETY: a free block is never the last one, so a header follows.
            next = unsafe { load(start + size) };
        }
        // SAFETY: the header of the next block, which learns that a free one precedes it.
        unsafe { store(start + size, next | PREVIOUS_FREE) };
        // SAFETY: as above.
        unsafe { store(start + size + 8, size) };
        // SAFETY: the header of the merged block, whose own predecessor is in use.
        unsafe { store(start, size | FREE) };
        // SAFETY: the block is free and in no bin.
        unsafe { self.link(start, size) };
    }

    /// Makes a used block fit `size` payload bytes in place; false if it cannot.
    ///
    /// # Safety
    /// The block must be in use.
    unsafe fn resize_block(&mut self, block: usize, size: usize) -> bool {
        let Some(bytes) = bytes_for(size) else {
            return false;
        };
        // SAFETY: the header of a block in use.
        let header = unsafe { load(block) };
        let old = header & !(FREE | PREVIOUS_FREE);
        if bytes > old {
            if block + old == self.top {
                if bytes > self.end - block {
                    return false;
                }
                self.raise_top(block + bytes);
                // SAFETY: the header of a block in use.
                unsafe { store(block, bytes | (header & PREVIOUS_FREE)) };
                return true;
            }
            // SAFETY: below the top a header follows.
            let next = unsafe { load(block + old) };
            let joined = old + (next & !(FREE | PREVIOUS_FREE));
            if next & FREE == 0 || joined < bytes {
                return false;
            }
            // SAFETY: the next block is free and in its bin.
            unsafe { self.unlink(block + old) };
            // SAFETY: the next block is free, out of its bin, and of this size.
            unsafe { self.mark_used(block + old, joined - old) };
            // SAFETY: the header of a block in use, which takes over the next one.
            unsafe { store(block, joined | (header & PREVIOUS_FREE)) };
        }
        // SAFETY: the block is in use and has at least `bytes`.
        unsafe { self.trim(block, bytes) };
        true
    }

    fn raise_top(&mut self, top: usize) {
        self.top = top;
        self.fresh = self.fresh.max(top);
    }

    /// Puts a free block first in its bin.
    ///
    /// # Safety
    /// The block must be free, of `size` bytes, and in no bin.
    unsafe fn link(&mut self, block: usize, size: usize) {
        let bin = bin_of(size);
        let first = self.bins[bin];
        // SAFETY: the first link of a free block.
        unsafe { store(block + 16, first) };
        // SAFETY: the second link of a free block.
        unsafe { store(block + 24, 0) };
        if first != 0 {
            // SAFETY: the second link of a free block.
            unsafe { store(first + 24, block) };
        }
        self.bins[bin] = block;
        self.bins_filled |= 1 << bin;
    }

    /// Takes a free block out of its bin.
    ///
    /// # Safety
    /// The block must be free and in the bin of its size.
    unsafe fn unlink(&mut self, block: usize) {
        // SAFETY: the first link of a free block.
        let next = unsafe { load(block + 16) };
        // SAFETY: the second link of a free block.
        let previous = unsafe { load(block + 24) };
        if next != 0 {
            // SAFETY: the second link of a free block.
            unsafe { store(next + 24, previous) };
        }
        if previous != 0 {
            // SAFETY: the first link of a free block.
            unsafe { store(previous + 16, next) };
            return;
        }
        // SAFETY: the block is free.
        let bin = bin_of(unsafe { block_bytes(block) });
        self.bins[bin] = next;
        if next == 0 {
            self.bins_filled &= !(1 << bin);
        }
    }
}

#[inline]
fn is_small(layout: Layout) -> bool {
    layout.size() <= SMALL_BYTES_MAX && layout.align() <= GRAIN
}

#[inline]
fn class_of(size: usize) -> usize {
    size.div_ceil(GRAIN)
}

/// The bin of blocks of this size: four per doubling.
fn bin_of(bytes: usize) -> usize {
    debug_assert!(bytes >= BLOCK_BYTES_MIN);
    let log2 = bytes.ilog2() as usize;
    (log2 - 5) * 4 + ((bytes >> (log2 - 2)) & 3)
}

/// The size of a block with `size` payload bytes; none if it can never fit.
fn bytes_for(size: usize) -> Option<usize> {
    (size <= HEAP_BYTES_MAX)
        .then(|| (size.next_multiple_of(GRAIN) + HEADER_BYTES).max(BLOCK_BYTES_MIN))
}

/// # Safety
/// There must be a block at this address.
unsafe fn block_bytes(block: usize) -> usize {
    // SAFETY: the first word of a block is its header.
    unsafe { load(block) & !(FREE | PREVIOUS_FREE) }
}

#[inline]
fn pointer(address: usize) -> *mut u8 {
    ptr::with_exposed_provenance_mut(address)
}

/// # Safety
/// The address must be 8-byte aligned and within the heap.
#[inline]
unsafe fn load(address: usize) -> usize {
    // SAFETY: the caller vouches for the address.
    unsafe { ptr::with_exposed_provenance::<usize>(address).read() }
}

/// # Safety
/// The address must be 8-byte aligned, within the heap, and not part of a live payload.
#[inline]
unsafe fn store(address: usize, word: usize) {
    // SAFETY: the caller vouches for the address.
    unsafe { ptr::with_exposed_provenance_mut::<usize>(address).write(word) };
}

#[cfg(test)]
mod tests;
