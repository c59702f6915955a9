//! Guest code on the host: a stand-in for the machine, so that guests can be tested.
//!
//! [`run`] gives a closure an input and hints of its own and returns what it committed. Outside of
//! it the input and the hints are empty and the journal goes nowhere. Runs on several threads do
//! not meet. Only the machine itself counts cycles and bounds memory.
//!
//! ```
//! let run = zkvm_guest::host::run(&[21], b"", || {
//!     let n: u64 = zkvm_guest::read();
//!     zkvm_guest::commit(&(2 * n));
//! });
//! assert_eq!((run.exit_code, run.journal), (0, vec![42]));
//! ```

use std::any::Any;
use std::boxed::Box;
use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::string::{String, ToString};
use std::vec::Vec;
use std::{slice, thread_local};

use zkvm_isa::syscall::{EXIT_CODE_PANIC, TRANSFER_BYTES_MAX};

use crate::journal::Journal;
use crate::print::Stream;
use crate::{Termination, exit};

/// What a run on the host left behind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostRun {
    /// The exit code: 101 after a panic.
    pub exit_code: u32,
    /// The journal. After a panic it lacks what was still buffered, as on the machine.
    pub journal: Vec<u8>,
    /// What was printed to standard output.
    pub stdout: String,
    /// What was printed to standard error.
    pub stderr: String,
    /// The message of a panic, or of the error that `main` returned.
    pub panic: Option<String>,
    /// Paths of the spans that were opened, in order, as in `outer/inner`.
    pub spans: Vec<String>,
}

impl HostRun {
    /// Returns the journal of a run that succeeded.
    ///
    /// Panics if the exit code is not 0.
    #[track_caller]
    pub fn unwrap_success(self) -> Vec<u8> {
        let message = self.panic.as_deref().unwrap_or("no message");
        assert!(
            self.exit_code == 0,
            "the guest exited with code {}: {message}",
            self.exit_code
        );
        self.journal
    }
}

thread_local! {
    static INPUT: Cell<&'static [u8]> = const { Cell::new(&[]) };
    static INPUT_OFFSET: Cell<usize> = const { Cell::new(0) };
    static HINTS: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static JOURNAL: RefCell<Journal> = const { RefCell::new(Journal::new()) };
    static OPEN_SPANS: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    static RUN: RefCell<HostRun> = RefCell::default();
}

/// The payload of the unwinding that stands for a halt.
struct Halt(u32);

/// Runs `main` as the machine would, with this input and these hints.
///
/// The input is leaked, because guests may keep references into it for ever.
pub fn run<T: Termination>(input: &[u8], hints: &[u8], main: impl FnOnce() -> T) -> HostRun {
    INPUT.set(Box::leak(Box::from(input)));
    INPUT_OFFSET.set(0);
    HINTS.set(hints.to_vec());
    JOURNAL.set(Journal::new());
    OPEN_SPANS.take();
    RUN.take();
    let body = AssertUnwindSafe(|| exit(main().exit_code().cast_unsigned()));
    let Err(payload) = catch_unwind(body);
    let mut run = RUN.take();
    run.exit_code = match payload.downcast::<Halt>() {
        Ok(halt) => halt.0,
        Err(payload) => {
            run.panic = Some(panic_message(&*payload));
            EXIT_CODE_PANIC
        }
    };
    run
}

fn panic_message(payload: &dyn Any) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let string = payload.downcast_ref::<String>().map(String::as_str);
    text.or(string)
        .unwrap_or("a payload that is not a string")
        .to_string()
}

pub(crate) fn input() -> &'static [u8] {
    INPUT.get()
}

pub(crate) fn input_offset() -> usize {
    INPUT_OFFSET.get()
}

pub(crate) fn set_input_offset(offset: usize) {
    INPUT_OFFSET.set(offset);
}

pub(crate) fn with_journal<R>(body: impl FnOnce(&mut Journal) -> R) -> R {
    JOURNAL.with_borrow_mut(body)
}

/// Appends to the journal, holding the guest to the machine's rules for it.
pub(crate) fn write_journal(bytes: &[u8]) {
    assert!(
        bytes.as_ptr().addr().is_multiple_of(8),
        "a journal buffer must be aligned"
    );
    assert!(
        bytes.len() as u64 <= TRANSFER_BYTES_MAX,
        "a journal transfer must not be too long"
    );
    RUN.with_borrow_mut(|run| {
        assert!(
            run.journal.len().is_multiple_of(8),
            "only the last transfer may be ragged"
        );
        run.journal.extend(bytes);
    });
}

/// Copies the next hint bytes; the rest of the last word becomes zero. Returns how many there were.
///
/// # Safety
/// `destination` must be valid for writes of `len` bytes rounded up to a multiple of 8.
pub(crate) unsafe fn read_hint(destination: *mut u8, len: usize) -> usize {
    assert!(
        len as u64 <= TRANSFER_BYTES_MAX,
        "a hint transfer must not be too long"
    );
    HINTS.with_borrow_mut(|hints| {
        let got = len.min(hints.len());
        let room = got.next_multiple_of(8);
        // SAFETY: the caller vouches for these bytes, which become initialized here.
        unsafe { destination.write_bytes(0, room) };
        // SAFETY: the caller vouches for these bytes, and they are initialized.
        let bytes = unsafe { slice::from_raw_parts_mut(destination, room) };
        for (byte, hint) in bytes.iter_mut().zip(hints.drain(..got)) {
            *byte = hint;
        }
        got
    })
}

pub(crate) fn print(stream: Stream, text: &str) {
    RUN.with_borrow_mut(|run| match stream {
        Stream::Out => run.stdout.push_str(text),
        Stream::Err => run.stderr.push_str(text),
    });
}

pub(crate) fn report_panic(message: &str, _file: &str, _line: u32, _column: u32) {
    RUN.with_borrow_mut(|run| run.panic = Some(message.to_string()));
}

pub(crate) fn span_begin(name: &str) {
    OPEN_SPANS.with_borrow_mut(|open| {
        open.push(name.to_string());
        RUN.with_borrow_mut(|run| run.spans.push(open.join("/")));
    });
}

pub(crate) fn span_end() {
    OPEN_SPANS.with_borrow_mut(|open| {
        open.pop();
    });
}

pub(crate) fn halt(code: u32) -> ! {
    resume_unwind(Box::new(Halt(code)))
}
