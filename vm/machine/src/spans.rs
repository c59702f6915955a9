//! The named spans that a guest opens and closes, and the cycles between.
//!
//! They are a tree: a span is its name below the span that was open when it was entered. A guest
//! may open as many as it likes, so what is kept is bounded: names, depth and the number of spans,
//! and the work of a call, which is one look-up.

use std::collections::BTreeMap;

use crate::cost::Span;

/// Most distinct spans kept; entering further ones is not recorded.
const SPANS_MAX: usize = 4096;
/// Deepest nesting of spans kept.
const SPAN_DEPTH_MAX: usize = 64;

/// Index of a span in the order of first entry.
type Node = usize;

/// A span of the tree.
#[derive(Debug)]
struct Entry {
    /// The span around it; `None` for an outermost one.
    parent: Option<Node>,
    entered: u64,
    cycles: u64,
}

/// A span that was opened and not yet closed.
#[derive(Debug)]
struct Open {
    /// Which, if it is recorded.
    node: Option<Node>,
    /// The cycle of entry.
    begin: u64,
}

/// All spans of an execution, and those that are open.
#[derive(Debug, Default)]
pub(crate) struct Spans {
    entries: Vec<Entry>,
    /// Where each name below each parent is in `entries`.
    nodes: BTreeMap<(Option<Node>, String), Node>,
    open: Vec<Open>,
    /// Spans opened beyond [`SPAN_DEPTH_MAX`].
    unrecorded_depth: u64,
}

impl Spans {
    /// Opens `name` below the innermost open span. Cost: logarithmic in the number of spans.
    pub(crate) fn begin(&mut self, name: String, cycle: u64) {
        if self.open.len() >= SPAN_DEPTH_MAX {
            self.unrecorded_depth += 1;
            return;
        }
        let node = match self.open.last() {
            None => self.node(None, name),
            Some(Open { node: None, .. }) => None,
            Some(Open { node: parent, .. }) => self.node(*parent, name),
        };
        if let Some(node) = node {
            self.entries[node].entered += 1;
        }
        self.open.push(Open { node, begin: cycle });
    }

    /// The span `name` below `parent`, made if there is room for it.
    fn node(&mut self, parent: Option<Node>, name: String) -> Option<Node> {
        let key = (parent, name);
        if let Some(node) = self.nodes.get(&key) {
            return Some(*node);
        }
        let node = self.entries.len();
        if node >= SPANS_MAX {
            return None;
        }
        self.nodes.insert(key, node);
        self.entries.push(Entry {
            parent,
            entered: 0,
            cycles: 0,
        });
        Some(node)
    }

    /// Closes the innermost span; a guest that closes more than it opened changes nothing.
    pub(crate) fn end(&mut self, cycle: u64) {
        if self.unrecorded_depth > 0 {
            self.unrecorded_depth -= 1;
            return;
        }
        let closed = self.open.pop();
        if let Some(Open {
            node: Some(node),
            begin,
        }) = closed
        {
            self.entries[node].cycles += cycle - begin;
        }
    }

    /// Closes every open span, inside which the guest stopped, and gives all with their paths.
    pub(crate) fn finish(mut self, cycle: u64) -> Vec<Span> {
        self.unrecorded_depth = 0;
        while !self.open.is_empty() {
            self.end(cycle);
        }
        let mut names = vec![String::new(); self.entries.len()];
        for ((_, name), node) in self.nodes {
            names[node] = name;
        }
        let mut spans: Vec<Span> = Vec::with_capacity(self.entries.len());
        // A span is entered after the one around it, so its parent's path is there already.
        for (entry, name) in self.entries.into_iter().zip(names) {
            let mut path = entry
                .parent
                .map_or(Vec::new(), |parent| spans[parent].path.clone());
            path.push(name);
            spans.push(Span {
                path,
                entered: entry.entered,
                cycles: entry.cycles,
            });
        }
        spans
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_of_the_same_name_are_told_apart_by_what_is_around_them() {
        let mut spans = Spans::default();
        spans.end(0);
        for (name, cycle) in [("a", 1), ("b", 2), ("a", 4)] {
            spans.begin(name.to_owned(), cycle);
        }
        spans.end(7);
        spans.end(9);
        spans.begin("a".to_owned(), 10);
        let spans = spans.finish(20);
        let paths: Vec<_> = spans
            .iter()
            .map(|span| (span.path.join("/"), span.entered, span.cycles))
            .collect();
        let expected = [("a", 1, 19), ("a/b", 1, 7), ("a/b/a", 1, 3), ("a/a", 1, 10)];
        assert_eq!(paths, expected.map(|(path, n, c)| (path.to_owned(), n, c)));
    }

    #[test]
    fn spans_beyond_the_caps_are_not_recorded_and_close_in_order() {
        let mut spans = Spans::default();
        for depth in 0..SPAN_DEPTH_MAX + 3 {
            spans.begin(depth.to_string(), 0);
        }
        for _ in 0..SPAN_DEPTH_MAX + 3 {
            spans.end(1);
        }
        for number in 0..2 * SPANS_MAX {
            spans.begin(format!("n{number}"), 0);
            // Below a span that may not be recorded: it must not become an outermost one.
            spans.begin("0".to_owned(), 0);
            spans.end(1);
            spans.end(1);
        }
        let spans = spans.finish(2);
        assert_eq!(spans.len(), SPANS_MAX);
        let deepest = spans.iter().map(|span| span.path.len()).max();
        assert_eq!(deepest, Some(SPAN_DEPTH_MAX));
        assert_eq!((spans[0].entered, spans[0].cycles), (1, 1));
    }

    #[test]
    fn a_span_call_costs_no_more_when_there_are_many_spans() {
        let started = std::time::Instant::now();
        let mut spans = Spans::default();
        for number in 0..200_000 {
            spans.begin(format!("{:0128}", number % 5000), 0);
            spans.end(1);
        }
        assert_eq!(spans.finish(2).len(), SPANS_MAX);
        // Eight hundred million comparisons of names if each call looked at every span.
        assert!(started.elapsed().as_secs() < 10);
    }
}
