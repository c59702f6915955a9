//! Proving on a thread of its own.

use std::any::Any;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use zkvm_machine::Discard;
use zkvm_prover::Progress;

use crate::{Client, Error, Input, Program, Proof};

/// A proof in the making; [`Client::start`] begins one.
///
/// Dropping it does not stop it: [`Job::cancel`] does.
#[derive(Debug)]
pub struct Job {
    shared: Arc<Shared>,
    thread: JoinHandle<Result<Proof, Error>>,
}

/// What the thread and its job both see.
#[derive(Debug, Default)]
struct Shared {
    progress: Mutex<Option<Progress>>,
    is_cancelled: AtomicBool,
}

impl Shared {
    /// Notes how far proving is, and breaks if it was cancelled.
    fn note(&self, at: Progress) -> ControlFlow<()> {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        *progress = Some(at);
        if self.is_cancelled.load(Ordering::Relaxed) {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    }
}

impl Job {
    pub(crate) fn start(client: Client, program: Program, input: Input, exit_code: u32) -> Self {
        let shared = Arc::new(Shared::default());
        let noted = Arc::clone(&shared);
        let thread = thread::spawn(move || {
            let note = &mut |at| noted.note(at);
            client.prove_with(&program, input, exit_code, &mut Discard, note)
        });
        Job { shared, thread }
    }

    /// How far it is; `None` before the first segment was executed.
    #[must_use]
    pub fn progress(&self) -> Option<Progress> {
        let progress = self.shared.progress.lock();
        *progress.unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether [`Job::wait`] would return at once.
    #[must_use]
    pub fn is_finished(&self) -> bool {
        self.thread.is_finished()
    }

    /// Asks it to stop, which it does at the next border between segments. [`Job::wait`] then
    /// returns [`crate::ProveError::Cancelled`], or the proof if it was finished before.
    pub fn cancel(&self) {
        self.shared.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Waits for the proof.
    ///
    /// # Errors
    /// As [`Client::prove`]; [`Error::Job`] if the thread panicked.
    pub fn wait(self) -> Result<Proof, Error> {
        self.thread.join().unwrap_or_else(|panic| {
            let reason = message(panic.as_ref());
            Err(Error::Job { reason })
        })
    }
}

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    let text = text.or_else(|| panic.downcast_ref::<String>().cloned());
    text.unwrap_or_else(|| "no message".to_owned())
}
