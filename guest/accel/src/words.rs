//! Words at any address, in one instruction each.
//!
//! The machine loads and stores misaligned words, but the compiler's target does not say so: what
//! Rust makes of `read_unaligned` is a load for every byte.

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
use core::arch::asm;
use core::mem::MaybeUninit;

/// Bytes of a word.
pub(crate) const WORD: usize = 8;

/// Defines a load: its name, its type, the instruction.
macro_rules! load {
    ($name:ident, $type:ty, $instruction:literal) => {
        /// The little-endian number `OFFSET` bytes after `from`.
        ///
        /// # Safety
        /// Its bytes must be valid for reads.
        #[inline(always)]
        pub(crate) unsafe fn $name<const OFFSET: usize>(from: *const u8) -> u64 {
            #[cfg(all(target_arch = "riscv64", target_os = "none"))]
            {
                let value;
                // SAFETY: the instruction reads bytes for which the caller vouches.
                unsafe {
                    asm!(
                        concat!($instruction, " {value}, {offset}({from})"),
                        value = lateout(reg) value,
                        from = in(reg) from,
                        offset = const OFFSET,
                        options(nostack, pure, readonly, preserves_flags),
                    );
                }
                value
            }
            #[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
            {
                // SAFETY: the caller vouches for the bytes.
                let from = unsafe { from.add(OFFSET) };
                // SAFETY: the caller vouches for the bytes.
                u64::from(<$type>::from_le(unsafe {
                    from.cast::<$type>().read_unaligned()
                }))
            }
        }
    };
}

load!(load_u64, u64, "ld");
load!(load_u32, u32, "lwu");
load!(load_u16, u16, "lhu");

/// Stores a little-endian number `OFFSET` bytes after `to`.
///
/// # Safety
/// Its eight bytes must be valid for writes.
#[inline(always)]
pub(crate) unsafe fn store_u64<const OFFSET: usize>(to: *mut u8, value: u64) {
    #[cfg(all(target_arch = "riscv64", target_os = "none"))]
    // SAFETY: the instruction writes bytes for which the caller vouches.
    unsafe {
        asm!(
            "sd {value}, {offset}({to})",
            value = in(reg) value,
            to = in(reg) to,
            offset = const OFFSET,
            options(nostack, preserves_flags),
        );
    }
    #[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
    {
        // SAFETY: the caller vouches for the bytes.
        let to = unsafe { to.add(OFFSET) };
        // SAFETY: the caller vouches for the bytes.
        unsafe { to.cast::<u64>().write_unaligned(value.to_le()) };
    }
}

/// The little-endian number of these bytes, fewer than eight.
#[inline(always)]
pub(crate) fn load_few(bytes: &[u8]) -> u64 {
    debug_assert!(bytes.len() < 8);
    let (mut rest, mut bits, mut value) = (bytes, 0, 0);
    if let Some((four, after)) = rest.split_first_chunk::<4>() {
        // SAFETY: there are four bytes.
        value = unsafe { load_u32::<0>(four.as_ptr()) };
        (rest, bits) = (after, 32);
    }
    if let Some((two, after)) = rest.split_first_chunk::<2>() {
        // SAFETY: there are two bytes.
        value |= unsafe { load_u16::<0>(two.as_ptr()) } << bits;
        (rest, bits) = (after, bits + 16);
    }
    if let Some(byte) = rest.first() {
        value |= u64::from(*byte) << bits;
    }
    value
}

/// XORs bytes into words, from byte `offset` on; gives the offset after them.
///
/// Panics if the words end before.
#[inline(always)]
pub(crate) fn xor_bytes(words: &mut [u64], offset: usize, bytes: &[u8]) -> usize {
    assert!(offset + bytes.len() <= WORD * words.len());
    let (mut offset, mut rest) = (offset, bytes);
    if !offset.is_multiple_of(WORD) {
        let (head, tail) = rest.split_at(rest.len().min(WORD - offset % WORD));
        words[offset / WORD] ^= load_few(head) << (8 * (offset % WORD));
        (offset, rest) = (offset + head.len(), tail);
    }
    for word in &mut words[offset / WORD..] {
        let Some((eight, tail)) = rest.split_first_chunk::<WORD>() else {
            *word ^= load_few(rest);
            break;
        };
        // SAFETY: there are eight bytes.
        *word ^= unsafe { load_u64::<0>(eight.as_ptr()) };
        (offset, rest) = (offset + WORD, tail);
    }
    offset + rest.len()
}

/// Writes four words.
///
/// # Safety
/// `to` must be valid for writes of 32 bytes.
#[inline(always)]
pub(crate) unsafe fn store_four(to: *mut u8, words: [u64; 4]) {
    // SAFETY: the caller vouches for the first eight bytes.
    unsafe { store_u64::<0>(to, words[0]) };
    // SAFETY: the caller vouches for these eight bytes.
    unsafe { store_u64::<8>(to, words[1]) };
    // SAFETY: the caller vouches for these eight bytes.
    unsafe { store_u64::<16>(to, words[2]) };
    // SAFETY: the caller vouches for the last eight bytes.
    unsafe { store_u64::<24>(to, words[3]) };
}

/// The 32 bytes of four words.
#[inline(always)]
pub(crate) fn bytes_of_four(words: [u64; 4]) -> [u8; 32] {
    let mut bytes = MaybeUninit::<[u8; 32]>::uninit();
    // SAFETY: there is room for 32 bytes.
    unsafe { store_four(bytes.as_mut_ptr().cast(), words) };
    // SAFETY: all bytes were written.
    unsafe { bytes.assume_init() }
}

/// Reverses the bytes of each half of a word. The target has no instruction for it; this takes two
/// steps for both halves at once.
#[inline(always)]
pub(crate) fn swap_halves(word: u64) -> u64 {
    const BYTES: u64 = 0x00FF_00FF_00FF_00FF;
    const PAIRS: u64 = 0x0000_FFFF_0000_FFFF;
    let swapped = ((word & BYTES) << 8) | ((word >> 8) & BYTES);
    let swapped = opaque(swapped);
    ((swapped & PAIRS) << 16) | ((swapped >> 16) & PAIRS)
}

/// Keeps the compiler from seeing that the steps around it reverse bytes: it would take its own.
#[inline(always)]
fn opaque(word: u64) -> u64 {
    #[cfg(all(target_arch = "riscv64", target_os = "none"))]
    {
        let mut word = word;
        // SAFETY: there are no instructions.
        unsafe { asm!("/* {word} */", word = inout(reg) word, options(nostack, pure, nomem)) };
        word
    }
    #[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
    word
}

/// Reverses the bytes of a word; what the compiler makes of `swap_bytes` takes twice as long.
#[inline(always)]
pub(crate) fn swap(word: u64) -> u64 {
    let swapped = swap_halves(word);
    swapped.rotate_left(32)
}

/// The four words of a number of 32 bytes, the most significant first.
#[inline]
pub(crate) fn from_be_bytes(bytes: &[u8; 32]) -> [u64; 4] {
    let from = bytes.as_ptr();
    // SAFETY: there are 32 bytes.
    let third = unsafe { load_u64::<0>(from) };
    // SAFETY: there are 32 bytes.
    let second = unsafe { load_u64::<8>(from) };
    // SAFETY: there are 32 bytes.
    let first = unsafe { load_u64::<16>(from) };
    // SAFETY: there are 32 bytes.
    let lowest = unsafe { load_u64::<24>(from) };
    [lowest, first, second, third].map(swap)
}
