//! The global allocator: [`Heap`] between the image and the stack guard.

use core::alloc::{GlobalAlloc, Layout};
use core::arch::global_asm;
use core::cell::UnsafeCell;

use zkvm_isa::layout::HEAP_END;

use super::Single;
use crate::heap::{HEAP_BYTES_MAX, Heap};

// Weak symbols, as 64-bit words so that an undefined one is simply 0: `link.ld` defines
// `_heap_start` and `_heap_end`; without it lld defines `_end`, one past the image.
global_asm!(
    ".pushsection .rodata.zkvm_heap_bounds, \"a\", @progbits",
    ".balign 8",
    ".weak _heap_start",
    ".weak _heap_end",
    ".weak _end",
    ".globl zkvm_heap_bounds",
    ".type zkvm_heap_bounds, @object",
    "zkvm_heap_bounds:",
    ".dword _heap_start",
    ".dword _heap_end",
    ".dword _end",
    ".size zkvm_heap_bounds, . - zkvm_heap_bounds",
    ".popsection",
);

unsafe extern "C" {
    safe static zkvm_heap_bounds: [usize; 3];
}

#[global_allocator]
static HEAP: Single<UnsafeCell<Heap>> = Single(UnsafeCell::new(Heap::closed()));

/// Gives the allocator its memory. Without a known image end there is no heap: allocation fails.
pub(super) fn open_heap() {
    let [heap_start, heap_end, image_end] = zkvm_heap_bounds;
    let (start, end) = if heap_start != 0 {
        (heap_start, heap_end)
    } else if image_end != 0 {
        (
            image_end,
            (HEAP_END as usize).min(image_end + HEAP_BYTES_MAX),
        )
    } else {
        return;
    };
    // SAFETY: nothing has been allocated yet, and there is one thread.
    let heap = unsafe { &mut *HEAP.0.get() };
    // SAFETY: the machine maps the memory from the image's end to `HEAP_END` zeroed and writable,
    // and nothing but the heap uses it.
    unsafe { heap.open(start, end) };
}

impl Single<UnsafeCell<Heap>> {
    /// # Safety
    /// The returned reference must be gone before the next call.
    #[inline]
    #[expect(
        clippy::mut_from_ref,
        reason = "there is one thread, and callers keep it short"
    )]
    unsafe fn heap(&self) -> &mut Heap {
        // SAFETY: the caller keeps at most one reference alive.
        unsafe { &mut *self.0.get() }
    }
}

// SAFETY: `Heap` hands out disjoint blocks of the asked size and alignment and never unwinds.
unsafe impl GlobalAlloc for Single<UnsafeCell<Heap>> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the heap calls nothing outside itself.
        unsafe { self.heap() }.allocate(layout)
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the heap calls nothing outside itself.
        unsafe { self.heap() }.allocate_zeroed(layout)
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the heap calls nothing outside itself.
        let heap = unsafe { self.heap() };
        // SAFETY: the caller passes a live block of this allocator and its layout.
        unsafe { heap.release(block, layout) }
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the heap calls nothing outside itself.
        let heap = unsafe { self.heap() };
        // SAFETY: the caller passes a live block of this allocator and its layout.
        unsafe { heap.reallocate(block, layout, size) }
    }
}
