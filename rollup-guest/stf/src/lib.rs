//! The rollup's state transition, a pure function of its input, and its core, the validation of one
//! Ethereum block.
//!
//! [`block::validate`] checks a block against the consensus rules with nothing but a witness of the
//! state before it, whose root the parent's header has. It neither believes the block nor the
//! witness. A block that breaks a rule is told apart from a witness that lacks something: the first
//! is a result, the second is none.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod block;
pub mod chain;
pub mod claim;
pub mod header;
mod invalid;
pub mod part;
pub mod rollup;
pub mod state;
pub mod trie;
pub mod witness;
mod words;

/// The EVM's form of what a block changes.
pub mod bundle {
    pub use revm::database::states::StorageSlot;
    pub use revm::database::{AccountStatus, BundleAccount, BundleState};
    pub use revm::state::AccountInfo;
}

pub use invalid::{Failure, Field, InvalidBlock};
pub use words::WordKind;
