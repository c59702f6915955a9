//! Runs of the guest programs.

use serde::Serialize;
use zkvm_machine::{Capture, Execution, Input, Limits, Program, execute};

/// Runs a guest with one value as its input.
pub(crate) fn run(program: &Program, input: &impl Serialize) -> Execution {
    run_bytes(program, postcard::to_allocvec(input).unwrap())
}

/// Runs a guest with these bytes as its input.
pub(crate) fn run_bytes(program: &Program, input: Vec<u8>) -> Execution {
    let input = Input::from_bytes(input);
    let mut console = Capture::default();
    execute(program, &input, &Limits::STANDARD, &mut console).unwrap()
}
