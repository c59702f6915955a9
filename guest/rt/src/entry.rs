//! How a guest starts and ends.
//!
//! `_start` calls the C symbol `main`, which [`entry!`](crate::entry) defines from a Rust
//! function; a guest in C defines it itself. What `main` returns is the exit code.

use core::fmt::{Debug, Write};
use core::panic::Location;

use crate::text::{MESSAGE_BYTES_MAX, TextBuffer};
use crate::{journal, sys};

/// Makes a function the guest's `main`.
///
/// The function takes nothing and returns anything that implements [`Termination`].
///
/// ```no_run
/// # #![no_main]
/// zkvm_guest::entry!(main);
///
/// fn main() -> Result<(), &'static str> {
///     let n: u64 = zkvm_guest::read();
///     let root = n.isqrt();
///     if root * root != n {
///         return Err("the input is not a square");
///     }
///     zkvm_guest::commit(&root);
///     Ok(())
/// }
/// ```
#[macro_export]
macro_rules! entry {
    ($main:path) => {
        const _: () = {
            #[unsafe(export_name = "main")]
            extern "C" fn zkvm_guest_main() -> i32 {
                $crate::Termination::exit_code($main())
            }
        };
    };
}

/// What a guest's main function may return.
pub trait Termination {
    /// The exit code that the value stands for.
    #[track_caller]
    fn exit_code(self) -> i32;
}

impl Termination for () {
    fn exit_code(self) -> i32 {
        0
    }
}

impl Termination for i32 {
    fn exit_code(self) -> i32 {
        self
    }
}

/// An error is reported to the host as a panic message is, and the exit code is 1. Unlike a panic,
/// it keeps the journal.
impl<T: Termination, E: Debug> Termination for Result<T, E> {
    #[track_caller]
    fn exit_code(self) -> i32 {
        match self {
            Ok(value) => value.exit_code(),
            Err(error) => {
                let mut message = TextBuffer::<MESSAGE_BYTES_MAX>::new();
                // The buffer refuses what does not fit; the start of the message is still shown.
                let _ = write!(message, "main returned an error: {error:?}");
                let at = Location::caller();
                sys::report_panic(message.as_str(), at.file(), at.line(), at.column());
                1
            }
        }
    }
}

/// Writes out the journal and halts with `code`.
pub fn exit(code: u32) -> ! {
    journal::flush();
    sys::halt(code)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use crate::{commit, exit, host};

    #[test]
    fn what_main_returns_is_the_exit_code() {
        assert_eq!(host::run(b"", b"", || ()).exit_code, 0);
        assert_eq!(host::run(b"", b"", || -2).exit_code, 0xFFFF_FFFE);
        assert_eq!(host::run(b"", b"", || Ok::<i32, String>(5)).exit_code, 5);
    }

    #[test]
    fn error_from_main_is_reported_and_keeps_the_journal() {
        let run = host::run(b"", b"", || {
            commit(&1u8);
            Err::<(), _>("no such key")
        });
        assert_eq!((run.exit_code, run.journal.as_slice()), (1, [1].as_slice()));
        assert_eq!(
            run.panic.as_deref(),
            Some("main returned an error: \"no such key\"")
        );
    }

    #[test]
    fn exit_keeps_the_journal() {
        let run = host::run(b"", b"", || -> () {
            commit(&1u8);
            exit(7)
        });
        assert_eq!((run.exit_code, run.journal.as_slice()), (7, [1].as_slice()));
        assert_eq!(run.panic, None);
    }

    #[test]
    fn panic_loses_the_buffered_journal() {
        let run = host::run(b"", b"", || -> () {
            commit(&1u8);
            panic!("on purpose");
        });
        assert_eq!(
            (run.exit_code, run.journal.as_slice()),
            (101, [].as_slice())
        );
        assert_eq!(run.panic.as_deref(), Some("on purpose"));
    }
}
