//! The runtime of a guest: a program that runs inside the zkVM and whose execution is proved.
//!
//! A guest is an ordinary `no_std` Rust binary for `riscv64imac-unknown-none-elf`. This crate
//! brings what such a binary lacks: the entry point, a heap, a panic handler, and functions to
//! read the input and to commit to the journal, which is the public output.
//!
//! ```no_run
//! #![no_std]
//! #![no_main]
//! # extern crate std;
//!
//! zkvm_guest::entry!(main);
//!
//! fn main() {
//!     let n: u64 = zkvm_guest::read();
//!     let (mut a, mut b) = (0u64, 1u64);
//!     for _ in 0..n {
//!         (a, b) = (b, a.wrapping_add(b));
//!     }
//!     zkvm_guest::commit(&a);
//! }
//! ```
//!
//! `cargo build --release --target riscv64imac-unknown-none-elf` builds it without any flags. The
//! crate's `link.ld` is an alternative to the linker's default layout, not a requirement.
//!
//! # What is proved
//!
//! A proof says: this program, on *some* input and *some* hints, wrote this journal and halted
//! with this exit code. The input and the hints are private. The proof says nothing about printed
//! text, spans or panic messages.
//!
//! # How a guest ends
//!
//! | the guest | journal | exit code |
//! |---|---|---|
//! | returns from `main` | written in full | 0, or what [`Termination`] makes of the value |
//! | calls [`exit`] | written in full | the given code |
//! | panics, or runs out of memory | what was still buffered is lost | 101 |
//! | faults: unmapped access, stack overflow, illegal instruction | – | none: nothing to prove |
//!
//! # On the host
//!
//! Built for any other target, the same functions work on the input that [`host::run`] is given,
//! so guest code can be tested with plain `cargo test`.

#![no_std]

extern crate alloc;
#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
extern crate std;

mod cstd;
mod entry;
#[cfg_attr(
    not(any(test, all(target_arch = "riscv64", target_os = "none"))),
    expect(
        dead_code,
        reason = "the host has its own allocator; there only the tests use the heap"
    )
)]
mod heap;
mod hint;
mod input;
mod journal;
mod print;
mod span;
mod text;

#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
pub mod host;
#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
use host as sys;

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod machine;
#[cfg(all(target_arch = "riscv64", target_os = "none"))]
use machine as sys;

pub use entry::{Termination, exit};
pub use hint::{hint_bytes, hint_word, read_hint};
pub use input::{ReadError, input, read, read_bytes, read_remaining, remaining_bytes, try_read};
pub use journal::{commit, commit_bytes};
#[doc(hidden)]
pub use print::{Stream, print_fmt};
pub use span::{Span, span};

pub use postcard;
pub use serde;
