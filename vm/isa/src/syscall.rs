//! The system calls: one table of numbers, registers, effects and errors.
//!
//! A guest calls with `ecall`; the number is in `a7`, arguments in `a0..a5`, the result in `a0`.
//! Every other register keeps its value. Numbers below 2^16 are Linux's own for calls that mean
//! the same there, so a guest also runs under a user-mode Linux emulator; numbers from
//! [`VENDOR_BASE`] up are ours, and Linux answers them with `-ENOSYS` and no effect.
//!
//! | call | `a7` | arguments | effect | `a0` after |
//! |---|---|---|---|---|
//! | [`HALT`] | 93 or 0 | `a0` code | stops; the exit code is the low 32 bits of `a0` | – |
//! | [`WRITE`] | 64 | `a0` = 1 or 2, `a1` pointer, `a2` length | prints; no effect on the statement | length |
//! | [`WRITE`] | 64 | `a0` = [`FD_JOURNAL`], `a1` pointer, `a2` length | appends to the journal | length |
//! | [`READ`] | 63 | `a0` = [`FD_HINT`], `a1` pointer, `a2` length | writes the next hint bytes to memory | bytes read |
//! | [`PANIC`] | `0x5A00_0001` | `a0`, `a1` message; `a2`, `a3` file; `a4` line; `a5` column | records why the guest is about to halt | 0 |
//! | [`SPAN_BEGIN`] | `0x5A00_0002` | `a0`, `a1` name | opens a named span for the cycle count | 0 |
//! | [`SPAN_END`] | `0x5A00_0003` | – | closes the innermost span | 0 |
//! | a [`Precompile`] | `0x5A00_0101` and after | `a0`, `a1`, `a2` addresses | replaces the words at `a0` | 0 |
//!
//! The input needs no call: it is mapped at [`crate::layout::INPUT_START`].
//!
//! Faults (the machine stops, nothing can be proved): an unknown number; an unknown descriptor;
//! and, for the journal and for hints, in this order:
//!
//! 1. `a2` above [`TRANSFER_BYTES_MAX`];
//! 2. `a1` not a multiple of 8, also when no word is to move;
//! 3. a journal write with `a2` above 0 after one whose length was not a multiple of 8 (so only the
//!    last may be ragged);
//! 4. a word to move that is not mapped (none is from 2^32 up) or, for hints, not writable.
//!
//! The words to move are those that hold the bytes `a1..a1 + a2` for the journal, and
//! `a1..a1 + n` for hints, where `n` bytes are the least of `a2` and what is left of the stream.
//! If there are none (`a2` is 0, or no hints are left), `a1` may be any multiple of 8, mapped or
//! not. Every word is checked before the first moves: a call that faults has no effect.
//! [`READ`] writes whole words: bytes of the last word past the bytes read are set to zero. How many
//! bytes are left is private and not proved: to a guest any [`READ`] may come up short, and a later
//! one not.
//!
//! Precompiles are [`crate::precompile`]'s; theirs are, in this order: `a0`, `a1` or `a2` not a
//! multiple of 8, or from 2^32 up; not 0 where the call does not use it; a word that is not mapped or,
//! at `a0`, not writable; operands that have no result. Here too a call that faults has no effect.
//!
//! Printing, [`PANIC`] and the spans are for people and no part of the statement: they never fault,
//! show nothing where memory is not mapped, take no guest memory, and cut texts at
//! [`TRANSFER_BYTES_MAX`] (printing), [`SPAN_NAME_BYTES_MAX`] (names of spans) or
//! [`TEXT_BYTES_MAX`] (the rest).
//!
//! [`Precompile`]: crate::Precompile

/// Numbers from here up are this machine's own.
pub const VENDOR_BASE: u64 = 0x5A00_0000;

/// Stop with the exit code in `a0`; Linux's `exit`.
pub const HALT: u64 = 93;

/// Stop with the exit code in `a0`; the number of the Ethereum zkVM termination standard.
pub const HALT_STANDARD: u64 = 0;

/// Print or append to the journal; Linux's `write`.
pub const WRITE: u64 = 64;

/// Read hint bytes; Linux's `read`.
pub const READ: u64 = 63;

/// Say that the guest panicked, before it halts.
pub const PANIC: u64 = VENDOR_BASE + 1;

/// Open a named span.
pub const SPAN_BEGIN: u64 = VENDOR_BASE + 2;

/// Close the innermost span.
pub const SPAN_END: u64 = VENDOR_BASE + 3;

/// The number of a [`Precompile`] is its discriminant more than this.
///
/// [`Precompile`]: crate::Precompile
pub const PRECOMPILE_BASE: u64 = VENDOR_BASE + 0x100;

/// Descriptor of printed output (shown on the host's standard error unless captured).
pub const FD_STDOUT: u64 = 1;

/// Descriptor of printed errors.
pub const FD_STDERR: u64 = 2;

/// Descriptor of the journal, the public output.
pub const FD_JOURNAL: u64 = 3;

/// Descriptor of the hint stream: private bytes beside the input, consumed in order.
pub const FD_HINT: u64 = 4;

/// Longest transfer of one [`READ`] or [`WRITE`], in bytes; longer data takes several calls.
pub const TRANSFER_BYTES_MAX: u64 = 1 << 16;

/// Longest panic message or file name that the machine keeps, in bytes.
pub const TEXT_BYTES_MAX: u64 = 4096;

/// Longest span name that the machine keeps, in bytes.
pub const SPAN_NAME_BYTES_MAX: u64 = 128;

/// The exit code of a guest whose runtime caught a Rust panic.
pub const EXIT_CODE_PANIC: u32 = 101;

/// Register number of `a0`.
pub const REG_A0: u8 = 10;
/// Register number of `a1`.
pub const REG_A1: u8 = 11;
/// Register number of `a2`.
pub const REG_A2: u8 = 12;
/// Register number of `a7`.
pub const REG_A7: u8 = 17;
/// Register number of the stack pointer.
pub const REG_SP: u8 = 2;
