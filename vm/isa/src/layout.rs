//! The guest's address space: what is mapped, where, and what a guest may do there.
//!
//! ```text
//! 0x0000_0000  null guard     4 KiB; never mapped, so a null dereference is a fault
//! 0x0000_1000  image          the ELF's PT_LOAD segments, wherever they ask to be below HEAP_END
//!   image end  heap           zero-filled, readable and writable, up to HEAP_END
//! 0xC000_0000  stack guard    248 MiB; never mapped, wide enough that no frame steps over it
//! 0xCF80_0000  stack          8 MiB, zero-filled, grows down from STACK_END
//! 0xD000_0000  input          read-only: length in bytes (u64), 8 zero bytes, then the bytes
//! 0xF000_0000  nothing        never mapped, as is everything at and above 2^32
//! ```
//!
//! The input is private, and a proof says nothing of it: the length, too, is whatever the prover
//! wrote there, and so is what lies past it up to `INPUT_END_MAX`, where execution maps zeros to the
//! end of the page and nothing beyond. A guest that reads the input without the runtime must check
//! the length, which is at most `INPUT_BYTES_MAX` in every real execution.
//!
//! Addresses stay below 2^32 so that the index of an 8-byte word is below 2^29 and fits one
//! element of a 31-bit field. Words of read-only segments (code and constants) and of the input
//! refuse stores; a word never belongs to both a read-only and a writable segment.

/// Bytes in a memory word, the unit of the memory argument.
pub const WORD_BYTES: u32 = 8;

/// Bytes in a page, the unit in which memory is allocated and counted against the memory limit.
pub const PAGE_BYTES: u32 = 4096;

/// First address a program image may use; below it lies the null guard.
pub const IMAGE_START: u32 = 0x0000_1000;

/// One past the last address of the image and of the heap that follows it.
pub const HEAP_END: u32 = 0xC000_0000;

/// First address of the stack; the stack guard lies below.
pub const STACK_START: u32 = 0xCF80_0000;

/// One past the last address of the stack.
pub const STACK_END: u32 = 0xD000_0000;

/// The stack pointer at entry. The 64 zero bytes above it read as `argc = 0` and empty `argv`,
/// `envp` and auxiliary vectors to a start routine written for Linux.
pub const STACK_POINTER_AT_ENTRY: u32 = STACK_END - 64;

/// First address of the input region: the input's length in bytes as a little-endian `u64`.
pub const INPUT_START: u32 = 0xD000_0000;

/// Address of the input's first byte (16-byte aligned).
pub const INPUT_BYTES_START: u32 = INPUT_START + 16;

/// One past the last address the input region may reach.
pub const INPUT_END_MAX: u32 = 0xF000_0000;

/// Longest input, in bytes.
pub const INPUT_BYTES_MAX: u32 = INPUT_END_MAX - INPUT_BYTES_START;

/// Every word's index is below this. In a proof, the words that an execution touches form one
/// ascending chain, whose distances are below it too: two of them add up to less than the field's
/// characteristic. With twice the bound they did not, and a chain could go round through it.
pub const WORDS_MAX: u32 = 1 << 29;

/// Where that chain starts, as the index before the first; the null guard lies there.
pub const WORDS_START: u32 = 0;

const _: () = assert!(INPUT_END_MAX / WORD_BYTES <= WORDS_MAX);
const _: () = assert!(STACK_START < STACK_END && STACK_END <= INPUT_START);
const _: () = assert!(HEAP_END < STACK_START, "the stack guard must not be empty");
const _: () = assert!(INPUT_BYTES_START.is_multiple_of(16));
