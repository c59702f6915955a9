//! The panic handler: report the message, halt with exit code 101.

use core::fmt::Write;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicBool, Ordering};

use zkvm_isa::syscall::EXIT_CODE_PANIC;

use super::{halt, report_panic};
use crate::text::{MESSAGE_BYTES_MAX, TextBuffer};

/// Set once the handler runs: formatting the message may itself panic.
static PANICKING: AtomicBool = AtomicBool::new(false);

/// Halts without writing out the journal and without touching the heap, which may be exhausted.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let (file, line, column) = info
        .location()
        .map_or(("", 0, 0), |at| (at.file(), at.line(), at.column()));
    // A load and a store, because an atomic swap would say nothing more with one thread.
    if PANICKING.load(Ordering::Relaxed) {
        report_panic(
            "a panic message panicked while it was formatted",
            file,
            line,
            column,
        );
        halt(EXIT_CODE_PANIC);
    }
    PANICKING.store(true, Ordering::Relaxed);
    let mut message = TextBuffer::<MESSAGE_BYTES_MAX>::new();
    // The buffer refuses what does not fit; the start of the message is still shown.
    let _ = write!(message, "{}", info.message());
    report_panic(message.as_str(), file, line, column);
    halt(EXIT_CODE_PANIC)
}
