//! How the commands speak: answers on standard output, everything else on standard error, failures
//! with a stable code, a cause and a next step.

#![forbid(unsafe_code)]

pub mod codes;
pub mod escape;
pub mod failure;
pub mod flags;
pub mod interrupt;
pub mod number;
pub mod outcome;
pub mod output;
pub mod process;
pub mod progress;
pub mod proof_file;
pub mod proving;
