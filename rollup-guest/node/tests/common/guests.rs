//! The guest programs, built below the target folder, and runs of them.

use std::path::Path;
use std::sync::OnceLock;

use serde::Serialize;
use zkvm_build::{BuildOptions, Guest, build};
use zkvm_machine::{Capture, Execution, Input, Limits, Program, execute, load};

/// The guest of this name.
pub(crate) fn program(name: &str) -> Program {
    static BUILT: OnceLock<Vec<Guest>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../guest");
        let built = build(&BuildOptions {
            target_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests")),
            is_locked: true,
            is_quiet: true,
            ..BuildOptions::new(folder)
        });
        built.unwrap_or_else(|error| panic!("{error}")).guests
    });
    let guest = built.iter().find(|guest| guest.name == name).unwrap();
    load(&std::fs::read(&guest.path).unwrap()).unwrap()
}

/// Runs a guest with one value as its input.
pub(crate) fn run(program: &Program, input: &impl Serialize) -> Execution {
    let input = Input::from_bytes(postcard::to_allocvec(input).unwrap());
    let mut console = Capture::default();
    execute(program, &input, &Limits::STANDARD, &mut console).unwrap()
}
