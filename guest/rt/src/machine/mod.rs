//! The machine itself: entry point, system calls, global state, allocator and panic handler.

#[cfg(feature = "copy")]
mod copy;
mod global;
mod panic;
mod start;

use core::arch::asm;
use core::cell::{Cell, UnsafeCell};
use core::ptr;
use core::slice;

use zkvm_isa::layout::{INPUT_BYTES_START, INPUT_START};
use zkvm_isa::syscall::{
    FD_HINT, FD_JOURNAL, FD_STDERR, FD_STDOUT, HALT, PANIC, READ, SPAN_BEGIN, SPAN_END, WRITE,
};

use crate::journal::Journal;
use crate::print::Stream;

/// State of a program that has one thread and no interrupts.
struct Single<T>(T);

// SAFETY: the machine has one hart and takes no interrupts, so nothing is ever shared.
unsafe impl<T> Sync for Single<T> {}

static JOURNAL: Single<UnsafeCell<Journal>> = Single(UnsafeCell::new(Journal::new()));
static INPUT_OFFSET: Single<Cell<usize>> = Single(Cell::new(0));

pub(crate) fn input() -> &'static [u8] {
    let len = ptr::with_exposed_provenance::<u64>(INPUT_START as usize);
    // SAFETY: the machine maps the input's length here, aligned and never written.
    let len = crate::input::checked_len(unsafe { *len });
    let start = ptr::with_exposed_provenance::<u8>(INPUT_BYTES_START as usize);
    // SAFETY: the machine maps `len` bytes from here on, which nothing ever writes.
    unsafe { slice::from_raw_parts(start, len) }
}

pub(crate) fn input_offset() -> usize {
    INPUT_OFFSET.0.get()
}

pub(crate) fn set_input_offset(offset: usize) {
    INPUT_OFFSET.0.set(offset);
}

/// Lends out the journal. `body` must not call code from outside this crate: it could come back.
pub(crate) fn with_journal<R>(body: impl FnOnce(&mut Journal) -> R) -> R {
    // SAFETY: there is one thread, and no `body` reaches this function again, so no other
    // reference is alive.
    body(unsafe { &mut *JOURNAL.0.get() })
}

pub(crate) fn write_journal(bytes: &[u8]) {
    write(FD_JOURNAL, bytes);
}

/// Copies the next hint bytes; the rest of the last word becomes zero. Returns how many there were.
///
/// # Safety
/// `destination` must be valid for writes of `len` bytes rounded up to a multiple of 8.
pub(crate) unsafe fn read_hint(destination: *mut u8, len: usize) -> usize {
    // SAFETY: the machine writes only to the range that the caller vouches for.
    unsafe {
        call(
            READ,
            [FD_HINT as usize, destination.expose_provenance(), len],
        )
    }
}

pub(crate) fn print(stream: Stream, text: &str) {
    match stream {
        Stream::Out => write(FD_STDOUT, text.as_bytes()),
        Stream::Err => write(FD_STDERR, text.as_bytes()),
    }
}

/// Tells the host why the guest is about to halt.
pub(crate) fn report_panic(message: &str, file: &str, line: u32, column: u32) {
    // SAFETY: the call reads the two strings and changes nothing but `a0`.
    unsafe {
        asm!(
            "ecall",
            in("a7") PANIC,
            inlateout("a0") message.as_ptr() => _,
            in("a1") message.len(),
            in("a2") file.as_ptr(),
            in("a3") file.len(),
            in("a4") line as usize,
            in("a5") column as usize,
            options(nostack, readonly),
        );
    }
}

pub(crate) fn span_begin(name: &str) {
    // SAFETY: the call reads the name and changes no memory.
    unsafe {
        call(
            SPAN_BEGIN,
            [name.as_ptr().expose_provenance(), name.len(), 0],
        )
    };
}

pub(crate) fn span_end() {
    // SAFETY: the call touches no memory.
    unsafe { call(SPAN_END, [0; 3]) };
}

pub(crate) fn halt(code: u32) -> ! {
    // SAFETY: the machine stops here.
    unsafe { asm!("ecall", in("a7") HALT, in("a0") code as usize, options(noreturn, nostack)) }
}

fn write(descriptor: u64, bytes: &[u8]) {
    let arguments = [
        descriptor as usize,
        bytes.as_ptr().expose_provenance(),
        bytes.len(),
    ];
    // SAFETY: the call reads the bytes and changes no memory.
    unsafe { call(WRITE, arguments) };
}

/// Makes a system call of up to three arguments.
///
/// # Safety
/// Memory that the call reads or writes must be valid for that.
#[inline]
unsafe fn call(number: u64, [a0, a1, a2]: [usize; 3]) -> usize {
    let result;
    // SAFETY: a call changes `a0` and the memory that the caller vouches for, nothing else.
    unsafe {
        asm!(
            "ecall",
            in("a7") number,
            inlateout("a0") a0 => result,
            in("a1") a1,
            in("a2") a2,
            options(nostack),
        );
    }
    result
}
