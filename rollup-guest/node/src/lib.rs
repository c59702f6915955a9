//! The rollup's host tools, as a library: witnesses made and read, fixtures imported and
//! replayed, blocks fetched from nodes, chains generated, files for the guests.
//!
//! Nothing here is trusted: what it makes is checked by `zkvm-rollup-stf`, in a guest or natively.

#![forbid(unsafe_code)]

pub mod batch;
pub mod error;
pub mod fixture;
pub mod generate;
pub mod out;
pub mod replay;
pub mod rpc;
pub mod rules;
pub mod split;
pub mod store;
pub mod summary;
pub mod work;

pub use error::ImportError;
