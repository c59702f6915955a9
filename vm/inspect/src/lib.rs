//! What people want to see of a program: source frames for addresses, and statistics of its code.
//!
//! Nothing here is trusted: debug information is read as far as it can be, and missing or damaged
//! information gives less to show, never an error or a panic that matters.

#![forbid(unsafe_code)]

mod frames;
mod report;
mod software;

pub use frames::{Frame, Symbolizer};
pub use report::{Report, disassemble};
pub use software::{FunctionSamples, Samples, Software};
