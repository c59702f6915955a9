//! Failures as people meet them: a stable code, a cause, a next step, an exit code.

use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use zkvm_sdk::{Code, Error};

use crate::codes;
use crate::escape;
use crate::output::{ERROR, STRONG};

/// How the process ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitCode {
    /// All went well.
    Ok,
    /// Our bug.
    Bug,
    /// The command line is wrong.
    Usage,
    /// The guest halted with a code other than 0 and did not panic.
    GuestExit,
    /// The guest panicked or did what the machine does not do.
    GuestFault,
    /// A proof was rejected.
    Rejected,
    /// Input or a file is wrong.
    Input,
    /// A limit was reached.
    Limit,
    /// A proof file of another version, or of other parameters.
    Version,
    /// The guest does not build.
    Build,
    /// It was interrupted.
    Interrupted,
}

/// What shells report of a process that an interrupt ended: 128 and the signal's number.
const INTERRUPTED: i32 = 130;

impl ExitCode {
    /// The exit code.
    #[must_use]
    pub const fn number(self) -> i32 {
        match self {
            ExitCode::Ok => 0,
            ExitCode::Bug => 1,
            ExitCode::Usage => 2,
            ExitCode::GuestExit => 3,
            ExitCode::GuestFault => 4,
            ExitCode::Rejected => 5,
            ExitCode::Input => 6,
            ExitCode::Limit => 7,
            ExitCode::Version => 9,
            ExitCode::Build => 10,
            ExitCode::Interrupted => INTERRUPTED,
        }
    }
}

/// The exit codes as `--help` prints them. 8 belongs to devices and is not used yet.
pub const EXIT_CODES_HELP: &str = "\
Exit codes:
  0    ok
  1    a bug in zkvm
  2    wrong usage
  3    the guest halted with a code other than 0
  4    the guest panicked or faulted
  5    the proof was rejected
  6    something is wrong with the input or a file
  7    a limit was reached (cycles, memory, journal, what can be proved)
  9    the proof is of another version, or of other parameters
  10   the guest does not build
  130  interrupted";

/// Something that ends a command.
#[derive(Clone, Debug)]
pub struct Failure {
    /// How the process ends.
    pub exit: ExitCode,
    /// The stable code.
    pub code: Code,
    /// What happened: one line, without styles.
    pub cause: String,
    /// Lines that show where; may have styles.
    pub details: Vec<String>,
    /// What to do next.
    pub next: String,
    /// Further facts for programs.
    pub facts: Box<Value>,
}

impl Failure {
    /// A failure whose next step is the code's own.
    pub fn new(exit: ExitCode, code: Code, cause: impl Into<String>) -> Self {
        Failure {
            exit,
            code,
            cause: cause.into(),
            details: Vec::new(),
            next: codes::next_step(code).to_owned(),
            facts: Box::default(),
        }
    }

    /// The failure of a command that panicked; the panic's own message is on standard error.
    #[must_use]
    pub fn bug() -> Self {
        Failure::new(ExitCode::Bug, Code(900), "zkvm itself failed")
    }

    /// A file that cannot be read or written.
    #[must_use]
    pub fn file(path: &Path, error: &std::io::Error) -> Self {
        let cause = format!("{}: {error}", path.display());
        Failure::new(ExitCode::Input, Code(201), cause)
    }

    /// The failure as lines for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{ERROR}error[{}]{ERROR:#}: {}\n", self.code, self.cause);
        for line in &self.details {
            let _ = writeln!(text, "  {line}");
        }
        if !self.next.is_empty() {
            let _ = writeln!(text, "  {STRONG}next{STRONG:#}: {}", self.next);
        }
        text
    }

    /// The failure for programs.
    #[must_use]
    pub fn json(&self) -> Value {
        json!({
            "code": self.code.to_string(),
            "cause": self.cause,
            "details": self.details,
            "next": self.next,
            "exit_code": self.exit.number(),
            "facts": self.facts,
        })
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let exit = match error.code() {
            Code(300..=399 | 401..=402) => ExitCode::Limit,
            Code(403) => ExitCode::GuestExit,
            Code(404..=406 | 409) => ExitCode::Rejected,
            Code(408) => ExitCode::Version,
            Code(410) => ExitCode::Interrupted,
            Code(900) => ExitCode::Bug,
            _ => ExitCode::Input,
        };
        // Its text may hold names from a file.
        Failure::new(exit, error.code(), escape::line(&error.to_string()))
    }
}
