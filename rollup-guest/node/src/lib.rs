//! The rollup's host tools, as a library: witnesses made and read, fixtures imported and
//! replayed, blocks fetched from nodes, files for the guests.
//!
//! Nothing here is trusted: what it makes is checked by `zkvm-rollup-stf`, in a guest or natively.

#![forbid(unsafe_code)]

pub mod error;
pub mod fixture;
pub mod out;
pub mod replay;
pub mod rpc;
pub mod rules;
pub mod store;
pub mod summary;
pub mod work;

pub use error::ImportError;
