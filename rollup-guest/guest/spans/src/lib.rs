//! Spans around the parts of a validation: what each costs is told by the executor. They are not
//! part of what is proved.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

use alloc::string::String;
use core::fmt::Write as _;

use alloy_primitives::B256;
use zkvm_guest::span;
use zkvm_rollup_stf::part::Part;
use zkvm_rollup_stf::trie::Nodes;
use zkvm_rollup_stf::witness::{Hashed, Source, Witness};

/// Enough for a name with a number, so that its memory is asked for once.
const NAME_BYTES: usize = 32;

/// A witness, with a span around each part of what is done with it.
#[derive(Debug)]
pub struct Spanned<'a>(Hashed<'a>);

impl<'a> Spanned<'a> {
    /// Hashes everything once.
    #[must_use]
    pub fn new(witness: &Witness<'a>) -> Self {
        Spanned(span("witness", || Hashed::new(witness)))
    }
}

impl Nodes for Spanned<'_> {
    fn node(&self, hash: &B256) -> Option<&[u8]> {
        self.0.node(hash)
    }
}

impl Source for Spanned<'_> {
    fn code(&self, hash: &B256) -> Option<&[u8]> {
        self.0.code(hash)
    }

    fn within<T>(&self, part: Part, run: impl FnOnce() -> T) -> T {
        match part {
            Part::Decoding => span("decoding", run),
            Part::Header => span("header", run),
            Part::StateRoot => span("state root", run),
            // Only these have to be formatted.
            part @ (Part::Block(_) | Part::Transaction(_)) => {
                let mut name = String::with_capacity(NAME_BYTES);
                let _ = write!(name, "{part}");
                span(&name, run)
            }
        }
    }
}
