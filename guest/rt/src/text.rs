//! Text formatted without allocation, for messages that must work when the heap does not.

use core::fmt;

/// Longest message that the runtime formats, in bytes; the rest is cut off.
pub(crate) const MESSAGE_BYTES_MAX: usize = 1024;

const _: () = assert!(MESSAGE_BYTES_MAX as u64 <= zkvm_isa::syscall::TEXT_BYTES_MAX);

/// A string of at most `N` bytes; text beyond that is cut off between two characters.
pub(crate) struct TextBuffer<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> TextBuffer<N> {
    pub(crate) const fn new() -> Self {
        Self {
            bytes: [0; N],
            len: 0,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        // SAFETY: only `push` writes, and it copies whole characters of a `str`.
        unsafe { str::from_utf8_unchecked(&self.bytes[..self.len]) }
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }

    /// Appends as much of `text` as fits and returns the rest.
    pub(crate) fn push<'a>(&mut self, text: &'a str) -> &'a str {
        let (fits, rest) = text.split_at(text.floor_char_boundary(N - self.len));
        self.bytes[self.len..self.len + fits.len()].copy_from_slice(fits.as_bytes());
        self.len += fits.len();
        rest
    }
}

/// Fails on text that does not fit, which stops the formatting early.
impl<const N: usize> fmt::Write for TextBuffer<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.push(text).is_empty() {
            Ok(())
        } else {
            Err(fmt::Error)
        }
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Write;

    use super::TextBuffer;

    #[test]
    fn long_text_is_cut_between_characters() {
        let mut text = TextBuffer::<6>::new();
        assert!(text.write_str("abcd").is_ok());
        assert!(text.write_str("éf").is_err());
        assert_eq!(text.as_str(), "abcdé");
        text.clear();
        assert_eq!(text.push("abcdeéf"), "éf");
        assert_eq!(text.as_str(), "abcde");
    }
}
