//! CPU seconds by phase, from the prover's spans.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cpu_time::ProcessTime;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Metadata, Subscriber};

/// The phase of what happens outside of all spans.
const OUTSIDE: &str = "other";

/// Charges the process's CPU time, all threads together, to the innermost span of the prover that the
/// thread of this subscriber is in.
#[derive(Clone, Debug, Default)]
pub(crate) struct Phases(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    /// The name of span `id - 1`.
    names: Vec<&'static str>,
    stack: Vec<&'static str>,
    seconds: BTreeMap<&'static str, f64>,
    since: ProcessTime,
}

impl Default for Inner {
    fn default() -> Self {
        Inner {
            names: Vec::new(),
            stack: Vec::new(),
            seconds: BTreeMap::new(),
            since: ProcessTime::now(),
        }
    }
}

impl Inner {
    /// Charges what passed to the phase that ends, or is interrupted.
    fn charge(&mut self) {
        let phase = self.stack.last().copied().unwrap_or(OUTSIDE);
        *self.seconds.entry(phase).or_default() += self.since.elapsed().as_secs_f64();
        self.since = ProcessTime::now();
    }
}

impl Phases {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Seconds by phase until now.
    pub(crate) fn seconds(&self) -> BTreeMap<&'static str, f64> {
        let mut inner = self.inner();
        inner.charge();
        inner.seconds.clone()
    }
}

impl Subscriber for Phases {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_span() && metadata.target().starts_with("zkvm_")
    }

    fn new_span(&self, span: &Attributes<'_>) -> Id {
        let mut inner = self.inner();
        inner.names.push(span.metadata().name());
        Id::from_u64(inner.names.len() as u64)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, _: &Event<'_>) {}

    fn enter(&self, span: &Id) {
        let mut inner = self.inner();
        inner.charge();
        let index = span.into_u64() as usize - 1;
        let name = inner.names.get(index).copied().unwrap_or(OUTSIDE);
        inner.stack.push(name);
    }

    fn exit(&self, _: &Id) {
        let mut inner = self.inner();
        inner.charge();
        inner.stack.pop();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_charged_to_the_innermost_span() {
        let phases = Phases::default();
        tracing::subscriber::with_default(phases.clone(), || {
            let _outer = tracing::info_span!(target: "zkvm_test", "outer").entered();
            let _inner = tracing::info_span!(target: "zkvm_test", "inner").entered();
            let _foreign = tracing::info_span!(target: "foreign", "foreign").entered();
        });
        let names: Vec<&str> = phases.seconds().into_keys().collect();
        assert_eq!(names, ["inner", OUTSIDE, "outer"]);
    }
}
