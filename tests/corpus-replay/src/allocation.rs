//! Counts the host memory that a thread has allocated.
//!
//! The counts are per thread, so that tests in parallel do not see each other; what is measured
//! must not allocate on other threads. While a block is reallocated both the old and the new one
//! count, as the system allocator may hold both. Zeroed blocks count in full, although the system
//! backs them with memory only where they are touched.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::Once;

/// The system allocator, counted.
#[derive(Clone, Copy, Debug)]
pub struct Counted;

#[global_allocator]
static COUNTED: Counted = Counted;

thread_local! {
    /// Bytes this thread allocated and did not free; negative if it freed others' blocks.
    static LIVE_BYTES: Cell<i64> = const { Cell::new(0) };
    /// The most that `LIVE_BYTES` was since the innermost measurement began.
    static PEAK_BYTES: Cell<i64> = const { Cell::new(0) };
}

/// Runs `work` and returns its result and how far its allocations went above what was there
/// before, at the highest, in bytes.
pub fn measure<T>(work: impl FnOnce() -> T) -> (T, u64) {
    map_large_blocks();
    let start = LIVE_BYTES.get();
    let outer_peak = PEAK_BYTES.replace(start);
    let result = work();
    let peak = PEAK_BYTES.get();
    PEAK_BYTES.set(peak.max(outer_peak));
    (result, peak.saturating_sub(start).cast_unsigned())
}

/// Makes the system map every large block anew, so that zeroed ones cost only what is touched.
///
/// By default glibc learns from the first freed page table (4 MiB, mostly untouched) to take the
/// next ones from its heap and to clear them: ten times the cost of a small guest's run.
fn map_large_blocks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        #[cfg(all(target_os = "linux", target_env = "gnu"))]
        {
            /// Source: `M_MMAP_THRESHOLD` of glibc's `malloc.h`.
            const M_MMAP_THRESHOLD: i32 = -3;
            // SAFETY: the signature is that of glibc's `malloc.h`.
            unsafe extern "C" {
                safe fn mallopt(parameter: i32, value: i32) -> i32;
            }
            // Under a sanitizer's allocator it has no effect: then runs are only slower.
            let _ = mallopt(M_MMAP_THRESHOLD, 1 << 17);
        }
    });
}

fn grow(size_bytes: usize) {
    // The cells have no destructor, so they outlive every block; an error is impossible.
    let _ = LIVE_BYTES.try_with(|live| {
        live.set(live.get().wrapping_add(size_bytes as i64));
        PEAK_BYTES.set(PEAK_BYTES.get().max(live.get()));
    });
}

fn shrink(size_bytes: usize) {
    let _ = LIVE_BYTES.try_with(|live| live.set(live.get().wrapping_sub(size_bytes as i64)));
}

// SAFETY: every method forwards to `System` with its arguments unchanged; counting does not
// allocate, since the cells are initialised at compile time.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller keeps `GlobalAlloc::alloc`'s contract, which is `System`'s.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: as for `alloc`.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        shrink(layout.size());
        // SAFETY: the caller got `block` from this allocator, which is `System`, with `layout`.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size_bytes: usize) -> *mut u8 {
        grow(size_bytes);
        shrink(layout.size());
        // SAFETY: as for `dealloc`; the caller checked `size_bytes`.
        unsafe { System.realloc(block, layout, size_bytes) }
    }
}

#[cfg(test)]
mod tests {
    use std::hint::black_box;

    use super::*;

    #[test]
    fn the_peak_counts_what_was_freed_again_and_nothing_from_before() {
        let before = black_box(vec![1_u8; 50_000]);
        let ((), peak) = measure(|| {
            drop(black_box(vec![0_u8; 10_000]));
            drop(black_box(vec![1_u8; 30_000]));
        });
        drop(before);
        assert_eq!(peak, 30_000);
    }

    #[test]
    fn an_inner_measurement_leaves_the_outer_one_right() {
        let (inner, outer) = measure(|| {
            drop(black_box(vec![1_u8; 30_000]));
            measure(|| drop(black_box(vec![1_u8; 10_000]))).1
        });
        assert_eq!((inner, outer), (10_000, 30_000));
    }
}
