//! Ctrl-C: no partial file is left, and the exit code is 130.

use std::process;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::failure::ExitCode;

/// Held while a file is being written.
static WRITING: Mutex<()> = Mutex::new(());

/// Makes an interrupt end the process once no file is half written.
pub fn install() {
    // Without a handler the process ends all the same, by the signal.
    let _ = ctrlc::set_handler(|| {
        let _writing = hold();
        process::exit(ExitCode::Interrupted.number());
    });
}

/// Puts an interrupt off while the guard lives.
pub fn hold() -> MutexGuard<'static, ()> {
    WRITING.lock().unwrap_or_else(PoisonError::into_inner)
}
