//! The two streams: answers on standard output, everything else on standard error.

use std::fmt::Display;
use std::io::{ErrorKind, Write};
use std::path::Path;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use crate::args::{Format, Verbosity};
use crate::failure::{ExitCode, Failure};

/// Where a command writes.
#[derive(Debug)]
pub(crate) struct Output {
    format: Format,
    verbosity: Verbosity,
}

impl Output {
    pub(crate) fn new(format: Format, verbosity: Verbosity) -> Self {
        Output { format, verbosity }
    }

    pub(crate) fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    pub(crate) fn is_loud(&self) -> bool {
        self.verbosity > Verbosity::Quiet
    }

    pub(crate) fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Writes the answer: `human` for people, `json` otherwise.
    pub(crate) fn answer(&self, human: &str, json: &Value) -> Result<(), Failure> {
        let text = match self.format {
            Format::Human => human.to_owned(),
            Format::Json => format!("{json:#}\n"),
            Format::Ndjson => format!("{json}\n"),
        };
        self.bytes(text.as_bytes())
    }

    /// `text` with its styles, or without them where standard output does not show styles.
    pub(crate) fn styled(&self, text: &str) -> String {
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        if choice == anstream::ColorChoice::Never {
            return anstream::adapter::strip_str(text).to_string();
        }
        text.to_owned()
    }

    /// Writes bytes to standard output. A reader that went away is success.
    pub(crate) fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stream = std::io::stdout().lock();
        match stream.write_all(bytes).and_then(|()| stream.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::file(Path::new("standard output"), &error))
            }
            _ => Ok(()),
        }
    }

    /// Says something on standard error, unless it is to be quiet.
    pub(crate) fn say(&self, text: impl Display) {
        if self.is_loud() {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// Reports a failure on standard error, in JSON if answers are, and returns its exit code.
    pub(crate) fn failure(&self, failure: &Failure) -> ExitCode {
        if self.is_human() {
            let _ = write!(anstream::stderr(), "{}", failure.text());
        } else {
            let json = json!({ "error": failure.json() });
            let text = if self.format == Format::Json {
                format!("{json:#}")
            } else {
                json.to_string()
            };
            let _ = writeln!(std::io::stderr(), "{text}");
        }
        failure.exit
    }
}

/// The style of error headings.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The style of names and locations.
pub(crate) const STRONG: Style = Style::new().bold();
/// The style of asides.
pub(crate) const DIM: Style = Style::new().dimmed();
/// The style of what is right.
pub(crate) const GOOD: Style = AnsiColor::Green.on_default().bold();

/// Writes `bytes` to `path` so that the file is there whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let failed = |error: &std::io::Error| Failure::file(path, error);
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let mut file = tempfile::NamedTempFile::new_in(folder.unwrap_or(Path::new(".")))
        .map_err(|error| failed(&error))?;
    file.write_all(bytes).map_err(|error| failed(&error))?;
    file.as_file().sync_all().map_err(|error| failed(&error))?;
    file.persist(path).map_err(|error| failed(&error.error))?;
    Ok(())
}
