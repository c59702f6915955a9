//! Printing. Text goes to the host's terminal and is no part of what is proved.

use core::fmt;

use crate::sys;
use crate::text::TextBuffer;

/// Where printed text goes.
#[doc(hidden)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Out,
    /// Standard error.
    Err,
}

/// Text collected so that one system call prints many small pieces.
const PRINT_BUFFER_BYTES: usize = 256;

struct Printer {
    stream: Stream,
    text: TextBuffer<PRINT_BUFFER_BYTES>,
}

impl Printer {
    fn flush(&mut self) {
        if !self.text.as_str().is_empty() {
            sys::print(self.stream, self.text.as_str());
            self.text.clear();
        }
    }
}

impl fmt::Write for Printer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = self.text.push(text);
        while !rest.is_empty() {
            self.flush();
            rest = self.text.push(rest);
        }
        Ok(())
    }
}

/// Prints formatted text; what the printing macros call.
///
/// Panics: never by itself; an error from a `Display` implementation ends the text.
#[doc(hidden)]
pub fn print_fmt(stream: Stream, text: fmt::Arguments<'_>) {
    let mut printer = Printer {
        stream,
        text: TextBuffer::new(),
    };
    let _ = fmt::Write::write_fmt(&mut printer, text);
    printer.flush();
}

/// Prints to the host's standard output.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => {
        $crate::print_fmt($crate::Stream::Out, ::core::format_args!($($text)*))
    };
}

/// Prints a line to the host's standard output.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($($text:tt)*) => { $crate::print!("{}\n", ::core::format_args!($($text)*)) };
}

/// Prints to the host's standard error.
#[macro_export]
macro_rules! eprint {
    ($($text:tt)*) => {
        $crate::print_fmt($crate::Stream::Err, ::core::format_args!($($text)*))
    };
}

/// Prints a line to the host's standard error.
#[macro_export]
macro_rules! eprintln {
    () => { $crate::eprint!("\n") };
    ($($text:tt)*) => { $crate::eprint!("{}\n", ::core::format_args!($($text)*)) };
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use crate::host;

    #[test]
    fn long_and_mixed_text_is_printed_in_order() {
        let long: String = (0..300)
            .map(|i| char::from(b'a' + (i % 26) as u8))
            .collect();
        let run = host::run(b"", b"", || {
            crate::print!("{}-", 1);
            crate::println!("{long}é{long}");
            crate::println!();
            crate::eprintln!("to {}", "stderr");
            crate::eprint!("end");
        });
        assert_eq!(run.stdout, alloc::format!("1-{long}é{long}\n\n"));
        assert_eq!(run.stderr, "to stderr\nend");
    }
}
