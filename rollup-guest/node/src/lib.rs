//! The rollup's host tools, as a library: witnesses made and read, fixtures imported and replayed,
//! chains generated.
//!
//! Nothing here is trusted: what it makes is checked by `zkvm-rollup-stf`, in a guest or natively.

#![forbid(unsafe_code)]

pub mod batch;
pub mod error;
pub mod fixture;
pub mod generate;
pub mod replay;
pub mod store;

pub use error::ImportError;
