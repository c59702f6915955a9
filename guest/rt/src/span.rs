//! Named spans: parts of a run whose cycles the host counts apart.
//!
//! Spans cost two system calls each and are not part of what is proved.

use crate::sys;

/// An open span, closed when dropped. Spans nest: the last opened must be the first dropped.
///
/// ```
/// # zkvm_guest::host::run(b"", b"", || {
/// let setup = zkvm_guest::Span::open("setup");
/// let squares: u64 = (0..10u64).map(|i| i * i).sum();
/// drop(setup);
/// # assert_eq!(squares, 285);
/// # });
/// ```
#[must_use = "a span ends when it is dropped"]
#[derive(Debug)]
pub struct Span(());

impl Span {
    /// Opens a span inside the innermost open one.
    pub fn open(name: &str) -> Self {
        sys::span_begin(name);
        Self(())
    }
}

impl Drop for Span {
    fn drop(&mut self) {
        sys::span_end();
    }
}

/// Runs `body` inside a span and returns what it returns.
pub fn span<R>(name: &str, body: impl FnOnce() -> R) -> R {
    let _span = Span::open(name);
    body()
}

#[cfg(test)]
mod tests {
    use crate::{host, span};

    #[test]
    fn spans_nest_and_pass_the_value_through() {
        let run = host::run(b"", b"", || span("outer", || span("inner", || 3)));
        assert_eq!(run.exit_code, 3);
        assert_eq!(run.spans, ["outer", "outer/inner"]);
    }
}
