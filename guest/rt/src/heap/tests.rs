use alloc::vec;
use alloc::vec::Vec;
use core::alloc::Layout;

use super::{
    BLOCK_BYTES_MIN, FREE, GRAIN, HEADER_BYTES, HEAP_BYTES_MAX, Heap, PREVIOUS_FREE,
    SMALL_BYTES_MAX, bin_of, block_bytes, load,
};

/// A heap over memory of its own, with what a test expects to find in it.
struct Arena {
    heap: Heap,
    start: usize,
    live: Vec<(*mut u8, Layout, u8)>,
    _memory: Vec<u128>,
}

impl Arena {
    fn new(bytes: usize) -> Self {
        let mut memory = vec![0u128; bytes / 16];
        let start = memory.as_mut_ptr().expose_provenance();
        let mut heap = Heap::closed();
        // SAFETY: the memory is zeroed and belongs to the heap as long as it lives.
        unsafe { heap.open(start, start + bytes) };
        Self {
            heap,
            start,
            live: Vec::new(),
            _memory: memory,
        }
    }

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    fn accept(&mut self, block: *mut u8, layout: Layout, mark: u8) {
        assert!(block.addr().is_multiple_of(layout.align()), "{layout:?}");
        assert!(self.start <= block.addr() && block.addr() + layout.size() <= self.heap.end);
        for &(other, other_layout, _) in &self.live {
            let apart = block.addr() + layout.size() <= other.addr()
                || other.addr() + other_layout.size() <= block.addr();
            assert!(
                apart,
                "{block:?} {layout:?} overlaps {other:?} {other_layout:?}"
            );
        }
        // SAFETY: the heap just handed these bytes out.
        unsafe { block.write_bytes(mark, layout.size()) };
        self.live.push((block, layout, mark));
    }

    fn allocate(&mut self, layout: Layout, mark: u8) -> bool {
        let block = self.heap.allocate(layout);
        if !block.is_null() {
            self.accept(block, layout, mark);
        }
        !block.is_null()
    }

    fn allocate_zeroed(&mut self, layout: Layout, mark: u8) -> bool {
        let block = self.heap.allocate_zeroed(layout);
        if !block.is_null() {
            check(block, layout.size(), 0);
            self.accept(block, layout, mark);
        }
        !block.is_null()
    }

    fn release(&mut self, index: usize) {
        let (block, layout, mark) = self.live.swap_remove(index);
        check(block, layout.size(), mark);
        // SAFETY: the block is live.
        unsafe { self.heap.release(block, layout) };
    }

    fn reallocate(&mut self, index: usize, size: usize, mark: u8) -> bool {
        let (block, layout, old_mark) = self.live.swap_remove(index);
        // SAFETY: the block is live.
        let moved = unsafe { self.heap.reallocate(block, layout, size) };
        if moved.is_null() {
            self.live.push((block, layout, old_mark));
            return false;
        }
        check(moved, layout.size().min(size), old_mark);
        self.accept(moved, Self::layout(size, layout.align()), mark);
        true
    }

    /// Walks all blocks: sizes, flags and bins must agree, and free blocks have no free neighbour.
    fn check_blocks(&self) {
        let (mut block, mut previous_free, mut free_blocks) = (self.start, 0, 0);
        while block < self.heap.top {
            // SAFETY: the walk goes from header to header.
            let header = unsafe { load(block) };
            // SAFETY: as above.
            let size = unsafe { block_bytes(block) };
            assert!(size >= BLOCK_BYTES_MIN && size.is_multiple_of(GRAIN));
            assert_eq!(header & PREVIOUS_FREE != 0, previous_free > 0);
            if previous_free > 0 {
                // SAFETY: the second word of a header.
                assert_eq!(unsafe { load(block + 8) }, previous_free);
                assert_eq!(header & FREE, 0, "free blocks must be merged");
            }
            previous_free = if header & FREE != 0 { size } else { 0 };
            free_blocks += usize::from(previous_free > 0);
            block += size;
        }
        assert_eq!(block, self.heap.top);
        assert_eq!(
            previous_free, 0,
            "a free block at the top must be merged with it"
        );
        let mut binned = 0;
        for (bin, &first) in self.heap.bins.iter().enumerate() {
            assert_eq!(first != 0, self.heap.bins_filled >> bin & 1 == 1);
            let mut block = first;
            while block != 0 {
                binned += 1;
                // SAFETY: bins hold free blocks.
                let header = unsafe { load(block) };
                // SAFETY: the first link of a free block.
                let next = unsafe { load(block + HEADER_BYTES) };
                assert_eq!((header & FREE, bin_of(header & !3)), (FREE, bin));
                block = next;
            }
        }
        assert_eq!(binned, free_blocks);
    }
}

fn check(block: *mut u8, len: usize, mark: u8) {
    // SAFETY: the block is live and has `len` initialized bytes.
    let bytes = unsafe { core::slice::from_raw_parts(block, len) };
    assert!(
        bytes.iter().all(|&byte| byte == mark),
        "a live block was overwritten"
    );
}

/// SplitMix64: enough for choosing operations.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: u64) -> usize {
        (self.next() % bound) as usize
    }

    /// Sizes of every magnitude up to `2^log2_max`.
    fn size(&mut self, log2_max: u64) -> usize {
        let log2 = 1 + self.next() % log2_max;
        1 + self.below(1 << log2)
    }
}

#[test]
fn random_operations_keep_blocks_apart_and_intact() {
    let rounds = if cfg!(miri) { 300 } else { 20_000 };
    for seed in 0..6 {
        // The smaller arenas run out of memory all the time.
        let bytes = [1 << 14, 1 << 17, 1 << 22][seed as usize % 3];
        let (mut random, mut arena) = (Random(seed), Arena::new(bytes));
        let mut refused = 0;
        for round in 0..rounds {
            let mark = random.next() as u8;
            let align = if random.below(8) == 0 {
                1 << random.below(13)
            } else {
                8
            };
            let (size, count) = (random.size(18), arena.live.len() as u64);
            let grow = if round / 2000 % 2 == 0 { 5 } else { 3 };
            let done = match random.below(8) {
                op if count == 0 || op < grow / 2 => {
                    arena.allocate(Arena::layout(size, align), mark)
                }
                op if op < grow => arena.allocate_zeroed(Arena::layout(size, align), mark),
                5 => arena.reallocate(random.below(count), size, mark),
                _ => {
                    arena.release(random.below(count));
                    true
                }
            };
            refused += usize::from(!done);
            if round % 64 == 0 {
                arena.check_blocks();
            }
        }
        assert!(
            bytes > 1 << 17 || refused > 0,
            "seed {seed} must meet exhaustion"
        );
        while !arena.live.is_empty() {
            arena.release(0);
        }
        arena.check_blocks();
    }
}

#[test]
fn released_large_blocks_are_merged_and_given_back_to_the_top() {
    let mut arena = Arena::new(1 << 20);
    let layout = Arena::layout(100_000, 8);
    for order in [[0, 0, 0, 0], [3, 2, 1, 0], [1, 1, 0, 0]] {
        for mark in 0..4 {
            assert!(arena.allocate(layout, mark));
        }
        arena.check_blocks();
        for index in order {
            arena.release(index);
            arena.check_blocks();
        }
        assert_eq!(arena.heap.top, arena.start);
    }
    assert!(
        arena.allocate(Arena::layout((1 << 20) - HEADER_BYTES, 16), 1),
        "the whole heap"
    );
}

#[test]
fn small_blocks_are_reused_in_place() {
    let mut arena = Arena::new(1 << 20);
    for size in [1, 16, 17, 500, SMALL_BYTES_MAX] {
        let layout = Arena::layout(size, 8);
        let first = arena.heap.allocate(layout);
        // SAFETY: the block is live.
        unsafe { arena.heap.release(first, layout) };
        assert_eq!(arena.heap.allocate(layout), first);
    }
}

#[test]
fn last_block_grows_in_place() {
    let mut arena = Arena::new(1 << 20);
    assert!(arena.allocate(Arena::layout(8, 8), 1));
    let small = arena.live[0].0;
    for size in [16, 100, SMALL_BYTES_MAX] {
        assert!(arena.reallocate(0, size, 2));
        assert_eq!(arena.live[0].0, small);
    }
    assert!(arena.allocate(Arena::layout(2000, 8), 3));
    let large = arena.live[1].0;
    for size in [5000, 700_000, 3000, 900_000, 2000] {
        assert!(arena.reallocate(1, size, 4));
        assert_eq!(arena.live[1].0, large);
        arena.check_blocks();
    }
}

#[test]
fn block_grows_into_a_free_neighbour() {
    let mut arena = Arena::new(1 << 20);
    for mark in 0..3 {
        assert!(arena.allocate(Arena::layout(10_000, 8), mark));
    }
    let first = arena.live[0].0;
    arena.release(1);
    assert!(arena.reallocate(0, 15_000, 7));
    assert_eq!(arena.live[1].0, first);
    arena.check_blocks();
}

#[test]
fn memory_that_was_never_used_is_not_cleared_again() {
    let mut arena = Arena::new(1 << 20);
    // A mark above the top, where only a clearing heap would write.
    let top = core::ptr::with_exposed_provenance_mut::<u8>(arena.heap.top + 4096);
    // SAFETY: inside the arena's memory, and not in use.
    unsafe { top.write(9) };
    let layout = Arena::layout(8192, 8);
    let block = arena.heap.allocate_zeroed(layout);
    // SAFETY: inside the live block.
    assert_eq!(unsafe { top.read() }, 9);
    // SAFETY: the block is live.
    unsafe { arena.heap.release(block, layout) };
    assert_eq!(arena.heap.allocate_zeroed(layout), block);
    check(block, layout.size(), 0);
}

#[test]
fn absurd_requests_are_refused() {
    let mut arena = Arena::new(1 << 20);
    for (size, align) in [
        (isize::MAX as usize - 7, 8),
        (isize::MAX as usize / 2, 1 << 61),
        (1, 1 << 62),
        (1, 1 << 30),
        (HEAP_BYTES_MAX, 8),
        (HEAP_BYTES_MAX + 1, 8),
        (1 << 20, 1),
    ] {
        assert!(
            !arena.allocate(Arena::layout(size, align), 0),
            "{size} bytes at {align}"
        );
        assert!(!arena.allocate_zeroed(Arena::layout(size, align), 0));
    }
    assert!(arena.allocate(Arena::layout(2000, 8), 1));
    assert!(!arena.reallocate(0, isize::MAX as usize, 2));
    assert!(!arena.reallocate(0, usize::MAX, 2));
    assert!(!arena.reallocate(0, 1 << 20, 2));
    arena.check_blocks();
    assert_eq!(
        Heap::closed().allocate(Arena::layout(1, 1)),
        core::ptr::null_mut()
    );
    assert_eq!(
        Heap::closed().allocate(Arena::layout(5000, 1)),
        core::ptr::null_mut()
    );
}

#[test]
fn exhaustion_uses_the_last_bytes_for_small_blocks() {
    let mut arena = Arena::new(1 << 17);
    let mut count = 0;
    while arena.allocate(Arena::layout(48, 8), count as u8) {
        count += 1;
    }
    assert!(count * 48 > (1 << 17) * 3 / 5, "only {count} blocks");
    while !arena.live.is_empty() {
        arena.release(0);
    }
    assert!(arena.allocate(Arena::layout(48, 8), 1));
}
