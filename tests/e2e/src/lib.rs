//! What the end-to-end tests share: running programs, writing small ones, building guests, and
//! checking records.
//!
//! | module | what it gives |
//! |---|---|
//! | [`code`] | hand-written programs with system calls |
//! | [`guests`] | guest packages, built once per run of the tests |
//! | [`oracle`] | programs under the emulator, and what they must have in common with the machine |
//! | [`records`] | an offline check of a segment's records against an independent reference |
//! | [`reference`] | what the precompiles compute, straight from the standards |

pub mod code;
pub mod guests;
pub mod oracle;
pub mod records;
pub mod reference;

use zkvm_machine::{Console, Execution, Exit, Input, Limits, Program, Stream, execute, load};

/// What a program did and what it printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What it did.
    pub execution: Execution,
    /// What it printed to its standard output.
    pub stdout: Vec<u8>,
    /// What it printed to its standard error.
    pub stderr: Vec<u8>,
}

/// Keeps both streams apart.
#[derive(Default)]
struct Streams {
    stdout: Vec<u8>,
    stderr: Vec<u8>,
}

impl Console for Streams {
    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        match stream {
            Stream::Output => self.stdout.extend_from_slice(bytes),
            Stream::Error => self.stderr.extend_from_slice(bytes),
        }
    }
}

impl Run {
    /// The exit code of a guest that halted. Panics if it ended otherwise.
    #[must_use]
    #[track_caller]
    pub fn code(&self) -> u32 {
        let Exit::Halted { code, .. } = self.execution.exit else {
            panic!("the guest did not halt: {}", self.execution.exit);
        };
        code
    }
}

/// Loads an ELF file that must be a program.
#[must_use]
#[track_caller]
pub fn program(elf: &[u8]) -> Program {
    match load(elf) {
        Ok(program) => program,
        Err(error) => panic!("the file must load: {error}"),
    }
}

/// Executes a program within these limits.
#[must_use]
#[track_caller]
pub fn run_within(program: &Program, input: &Input, limits: &Limits) -> Run {
    let mut console = Streams::default();
    let execution = execute(program, input, limits, &mut console);
    let execution = execution.unwrap_or_else(|error| panic!("the execution must begin: {error}"));
    Run {
        execution,
        stdout: console.stdout,
        stderr: console.stderr,
    }
}

/// Executes a program within the standard limits.
#[must_use]
#[track_caller]
pub fn run(program: &Program, input: &Input) -> Run {
    run_within(program, input, &Limits::STANDARD)
}

/// The bytes that hexadecimal digits spell. Panics on anything else.
#[must_use]
pub fn hex(digits: &str) -> Vec<u8> {
    assert_eq!(digits.len() % 2, 0, "two digits are a byte");
    let byte = |at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hexadecimal digits");
    (0..digits.len()).step_by(2).map(byte).collect()
}
