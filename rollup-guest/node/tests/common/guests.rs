//! Runs of the guest programs.

use serde::Serialize;
use zkvm_machine::{Capture, Execution, Input, Limits, Program, execute};

/// Runs a guest with one value as its input.
pub(crate) fn run(program: &Program, input: &impl Serialize) -> Execution {
    let input = Input::from_bytes(postcard::to_allocvec(input).unwrap());
    let mut console = Capture::default();
    execute(program, &input, &Limits::STANDARD, &mut console).unwrap()
}
