//! The two streams: answers on standard output, everything else on standard error.

use std::fmt::Display;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};
use zkvm_sdk::Code;

use crate::escape;
use crate::failure::{ExitCode, Failure};
use crate::flags::{Format, Verbosity};
use crate::interrupt;

/// Where a command writes.
#[derive(Debug)]
pub struct Output {
    format: Format,
    verbosity: Verbosity,
}

impl Output {
    /// Answers in a format, as loud as `verbosity` says.
    #[must_use]
    pub fn new(format: Format, verbosity: Verbosity) -> Self {
        Output { format, verbosity }
    }

    /// Whether a person reads the answers.
    #[must_use]
    pub fn is_human(&self) -> bool {
        self.format == Format::Human
    }

    /// Whether more is said than what went wrong.
    #[must_use]
    pub fn is_loud(&self) -> bool {
        self.verbosity > Verbosity::Quiet
    }

    /// Whether all is said.
    #[must_use]
    pub fn is_verbose(&self) -> bool {
        self.verbosity == Verbosity::Verbose
    }

    /// Writes the answer: `human` for people, `json` otherwise.
    ///
    /// # Errors
    /// [`Failure`] if standard output takes it not.
    pub fn answer(&self, human: &str, json: &Value) -> Result<(), Failure> {
        let text = match self.format {
            Format::Human => human.to_owned(),
            Format::Json => escape::json(&format!("{json:#}\n")),
            Format::Ndjson => escape::json(&format!("{json}\n")),
        };
        self.bytes(text.as_bytes())
    }

    /// `text` with its styles, or without them where standard output does not show styles.
    #[must_use]
    pub fn styled(&self, text: &str) -> String {
        let choice = anstream::AutoStream::choice(&std::io::stdout());
        if choice == anstream::ColorChoice::Never {
            return anstream::adapter::strip_str(text).to_string();
        }
        text.to_owned()
    }

    /// Writes bytes to standard output. A reader that went away is success.
    ///
    /// # Errors
    /// As [`Output::answer`].
    pub fn bytes(&self, bytes: &[u8]) -> Result<(), Failure> {
        let mut stream = std::io::stdout().lock();
        match stream.write_all(bytes).and_then(|()| stream.flush()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => {
                Err(Failure::file(Path::new("standard output"), &error))
            }
            _ => Ok(()),
        }
    }

    /// Says something on standard error, unless it is to be quiet.
    pub fn say(&self, text: impl Display) {
        if self.is_loud() {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    /// Reports a failure on standard error, in JSON if answers are, and returns its exit code.
    pub fn failure(&self, failure: &Failure) -> ExitCode {
        if self.is_human() {
            let _ = write!(anstream::stderr(), "{}", failure.text());
        } else {
            let json = json!({ "error": failure.json() });
            let text = if self.format == Format::Json {
                format!("{json:#}")
            } else {
                json.to_string()
            };
            let _ = writeln!(std::io::stderr(), "{}", escape::json(&text));
        }
        failure.exit
    }
}

/// The style of error headings.
pub const ERROR: Style = AnsiColor::Red.on_default().bold();
/// The style of names and locations.
pub const STRONG: Style = Style::new().bold();
/// The style of asides.
pub const DIM: Style = Style::new().dimmed();
/// The style of what is right.
pub const GOOD: Style = AnsiColor::Green.on_default().bold();

/// Most symbolic links followed one after the other; Linux follows as many.
const LINKS_MAX: usize = 40;

/// Refuses a place no file can be written to before anything is made for it.
///
/// # Errors
/// [`Failure`] if its folder is none.
pub fn check_folder(path: &Path) -> Result<(), Failure> {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() && !folder.is_dir() => {
            let cause = format!("{} is not a folder", folder.display());
            Err(Failure::new(ExitCode::Input, Code(201), cause))
        }
        _ => Ok(()),
    }
}

/// Writes `bytes` to `path`. A regular file is there whole or not at all.
///
/// Symbolic links are followed: the file they lead to is replaced, not the link. A file that is
/// replaced keeps its permissions, a new one gets those that the process gives new files. What is
/// no regular file, such as a pipe or `/dev/stdout`, is written to.
///
/// # Errors
/// [`Failure`] if it cannot be written.
pub fn write_file(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    try_write_file(path, bytes).map_err(|error| Failure::file(path, &error))
}

fn try_write_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let existing = match fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if existing.is_some() {
        // Refuses what may not be written, which replacing would not.
        let mut file = OpenOptions::new().write(true).open(path)?;
        if existing
            .as_ref()
            .is_some_and(|metadata| !metadata.is_file())
        {
            return file.write_all(bytes);
        }
    }
    replace(&target(path)?, bytes, existing.as_ref())
}

/// Where `path` leads: the end of its symbolic links, which need not exist.
fn target(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::read_link(&path) {
            // A relative one is relative to the folder of the link.
            Ok(next) => path = path.parent().unwrap_or(Path::new("")).join(next),
            Err(_) => return Ok(path),
        }
    }
    Err(io::Error::other("too many symbolic links"))
}

/// Writes a file beside `path`, then moves it there.
fn replace(path: &Path, bytes: &[u8], existing: Option<&Metadata>) -> io::Result<()> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty());
    let _writing = interrupt::hold();
    let mut file = new_file_in(folder.unwrap_or(Path::new(".")))?;
    file.write_all(bytes)?;
    if let Some(existing) = existing {
        file.as_file().set_permissions(existing.permissions())?;
    }
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// A file with the permissions of any new file; temporary ones are the owner's alone otherwise.
fn new_file_in(folder: &Path) -> io::Result<tempfile::NamedTempFile<File>> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // The process's umask takes its bits from these.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::{FileTypeExt, PermissionsExt, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path)
            .expect("it is there")
            .permissions()
            .mode()
            & 0o777
    }

    fn write(path: &Path, bytes: &[u8]) {
        assert!(write_file(path, bytes).is_ok(), "{}", path.display());
        assert_eq!(fs::read(path).expect("it can be read"), bytes);
    }

    #[test]
    fn a_new_file_has_the_permissions_of_any_new_file() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [new, usual] = ["new", "usual"].map(|name| folder.path().join(name));
        write(&new, b"journal");
        fs::write(&usual, b"").expect("it can be written");
        assert_eq!(mode(&new), mode(&usual));
    }

    #[test]
    fn a_replaced_file_keeps_its_permissions() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("kept");
        for bits in [0o600, 0o640, 0o755] {
            fs::write(&path, b"something longer").expect("it can be written");
            let permissions = fs::Permissions::from_mode(bits);
            fs::set_permissions(&path, permissions).expect("it is ours");
            write(&path, b"journal");
            assert_eq!(mode(&path), bits);
        }
    }

    #[test]
    fn links_are_followed_and_stay_links() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("inner")).expect("a folder can be made");
        fs::write(at("inner/there"), b"old").expect("it can be written");
        for (target, link) in [
            ("inner/there", "to-file"),
            ("to-file", "to-link"),
            ("inner/new", "to-nothing"),
        ] {
            symlink(target, at(link)).expect("a link can be made");
        }
        for (link, target) in [("to-link", "inner/there"), ("to-nothing", "inner/new")] {
            write(&at(link), link.as_bytes());
            assert!(at(link).is_symlink());
            assert_eq!(fs::read(at(target)).expect("it is there"), link.as_bytes());
        }
        symlink("round", at("round")).expect("a link can be made");
        assert!(write_file(&at("round"), b"").is_err());
    }

    #[test]
    fn what_is_no_regular_file_is_written_to_and_stays() {
        assert!(write_file(Path::new("/dev/null"), b"journal").is_ok());
        let metadata = fs::metadata("/dev/null").expect("it is still there");
        assert!(metadata.file_type().is_char_device());
        let folder = tempfile::tempdir().expect("a temporary folder");
        assert!(write_file(folder.path(), b"").is_err());
    }
}
