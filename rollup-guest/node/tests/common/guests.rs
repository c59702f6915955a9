//! Runs of the guest programs.

use serde::Serialize;
use zkvm_machine::{Capture, Execution, Input, Limits, Program, execute};

/// Runs a guest with one value as its input.
pub(crate) fn run(program: &Program, input: &impl Serialize) -> Execution {
    run_bytes(program, postcard::to_allocvec(input).unwrap())
}

/// Runs a guest with these bytes as its input.
pub(crate) fn run_bytes(program: &Program, input: Vec<u8>) -> Execution {
    run_within(program, &Input::from_bytes(input), &Limits::STANDARD)
}

/// Runs a guest with these bytes as its input, and a number as its hint.
pub(crate) fn run_hinted(program: &Program, input: Vec<u8>, hint: u64) -> Execution {
    let input = Input {
        hints: hint.to_le_bytes().to_vec(),
        ..Input::from_bytes(input)
    };
    run_within(program, &input, &Limits::STANDARD)
}

/// Runs a guest up to a limit.
pub(crate) fn run_within(program: &Program, input: &Input, limits: &Limits) -> Execution {
    let mut console = Capture::default();
    execute(program, input, limits, &mut console).unwrap()
}
