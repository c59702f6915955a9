//! Where a guest's printed text goes: standard error, as it is printed.

use std::borrow::Cow;
use std::io::{IsTerminal, Stderr, Write};

use zkvm_sdk::{Console, Stream};

use crate::escape;

/// Most bytes shown of one run.
const SHOWN_BYTES_MAX: usize = 1 << 24;

/// How printed text is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Nothing,
    /// The bytes as they are: for a file or a pipe.
    Raw,
    /// Characters, newlines and tabs; everything else as an escape: for a terminal.
    Escaped,
}

/// Shows what the guest prints, up to a limit.
#[derive(Debug)]
pub(crate) struct Terminal<W> {
    stream: W,
    shown: Shown,
    left_bytes: usize,
    is_cut: bool,
}

impl Terminal<Stderr> {
    /// Standard error, unless it is to be quiet.
    pub(crate) fn stderr(is_quiet: bool) -> Self {
        let stream = std::io::stderr();
        let shown = match (is_quiet, stream.is_terminal()) {
            (true, _) => Shown::Nothing,
            (false, true) => Shown::Escaped,
            (false, false) => Shown::Raw,
        };
        Terminal::new(stream, shown)
    }
}

impl<W: Write> Terminal<W> {
    fn new(stream: W, shown: Shown) -> Self {
        Terminal {
            stream,
            shown,
            left_bytes: SHOWN_BYTES_MAX,
            is_cut: false,
        }
    }
}

impl<W: Write> Console for Terminal<W> {
    /// Two prints are shown apart: a character whose bytes are in both is shown as its bytes.
    fn write(&mut self, _: Stream, bytes: &[u8]) {
        if self.is_cut || self.shown == Shown::Nothing {
            return;
        }
        let shown = match self.shown {
            Shown::Escaped => Cow::Owned(escape::lines(bytes).into_bytes()),
            Shown::Raw | Shown::Nothing => Cow::Borrowed(bytes),
        };
        let kept = shown.len().min(self.left_bytes);
        self.left_bytes -= kept;
        let _ = self.stream.write_all(&shown[..kept]);
        if kept < shown.len() {
            self.is_cut = true;
            let limit = crate::number::bytes(SHOWN_BYTES_MAX as u64);
            let notice = format!("\nzkvm: the guest printed more than {limit}; no more is shown\n");
            let _ = self.stream.write_all(notice.as_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_escapes_and_a_pipe_the_bytes() {
        let printed = b"a\x1b[2J\xff\tb\n";
        for (shown, expected) in [
            (Shown::Nothing, &b""[..]),
            (Shown::Raw, printed),
            (Shown::Escaped, b"a\\u{1b}[2J\\xff\tb\n"),
        ] {
            let mut terminal = Terminal::new(Vec::new(), shown);
            terminal.write(Stream::Output, printed);
            assert_eq!(terminal.stream, expected, "{shown:?}");
        }
    }

    #[test]
    fn what_is_shown_is_bounded_and_the_cut_is_said_once() {
        for shown in [Shown::Raw, Shown::Escaped] {
            let mut terminal = Terminal::new(Vec::new(), shown);
            for _ in 0..300 {
                terminal.write(Stream::Output, &[b'x'; 1 << 16]);
            }
            let text = String::from_utf8(terminal.stream).expect("it is text");
            let rest = text.trim_start_matches('x');
            assert_eq!(text.len() - rest.len(), SHOWN_BYTES_MAX);
            assert_eq!(rest.lines().filter(|line| !line.is_empty()).count(), 1);
            assert!(rest.contains("16.0 MiB") && rest.ends_with('\n'), "{rest}");
        }
    }
}
