//! Text from a guest or a file, made safe for a terminal.
//!
//! Control characters move the cursor, change colours and titles, or type into the shell; Unicode's
//! bidirectional controls make a line read as what it is not. None of them is written as it is.

use std::borrow::Cow;

/// Whether a terminal does something else than to show the character.
fn is_unsafe(character: char) -> bool {
    // C0, DEL and C1; then marks, embeddings, overrides and isolates of the bidirectional
    // algorithm, and the separators of lines and paragraphs.
    character.is_control()
        || matches!(
            character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
        )
}

/// The text with an escape for every character that is not shown, newlines included: one line.
pub fn line(text: &str) -> Cow<'_, str> {
    escape(text, is_unsafe)
}

/// The bytes as text of several lines: newlines and tabs stay, all else is as in [`line`], and
/// bytes that are no UTF-8 are shown as numbers.
pub fn lines(bytes: &[u8]) -> String {
    let is_escaped = |character| !matches!(character, '\n' | '\t') && is_unsafe(character);
    let mut text = String::new();
    for chunk in bytes.utf8_chunks() {
        text.push_str(&escape(chunk.valid(), is_escaped));
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// A JSON document with JSON's own escapes where [`line`] has one; its newlines are layout. The
/// document means the same.
pub fn json(document: &str) -> String {
    let mut text = String::with_capacity(document.len());
    for character in document.chars() {
        if character != '\n' && is_unsafe(character) {
            // All of them are below 2^16: one unit of UTF-16.
            text.push_str(&format!("\\u{:04x}", u32::from(character)));
        } else {
            text.push(character);
        }
    }
    text
}

fn escape(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if is_escaped(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A title, a colour, C1's control sequence introducer, DEL, a return and two overrides.
    const HOSTILE: &str = "\u{1b}]0;x\u{7}\u{9b}31m\u{7f}\r\n\t\u{202e}é\u{2066}";

    #[test]
    fn nothing_a_terminal_obeys_is_left_in_a_line() {
        let safe = line(HOSTILE);
        let expected = "\\u{1b}]0;x\\u{7}\\u{9b}31m\\u{7f}\\r\\n\\t\\u{202e}é\\u{2066}";
        assert_eq!(safe, expected);
        assert!(!safe.chars().any(is_unsafe));
        assert!(matches!(line("plain — text\\"), Cow::Borrowed(_)));
    }

    #[test]
    fn printed_text_keeps_its_newlines_and_tabs_only() {
        let mut bytes = HOSTILE.as_bytes().to_vec();
        bytes.extend(b"\xff\xc3");
        let safe = lines(&bytes);
        assert!(safe.contains("\\r\n\t\\u{202e}é") && safe.ends_with("\\xff\\xc3"));
        assert!(
            !safe
                .chars()
                .any(|c| !matches!(c, '\n' | '\t') && is_unsafe(c))
        );
    }

    #[test]
    fn an_escaped_document_means_the_same() {
        let value = serde_json::json!({ HOSTILE: [HOSTILE, 1] });
        for document in [format!("{value:#}"), value.to_string()] {
            let safe = json(&document);
            assert!(!safe.chars().any(|c| c != '\n' && is_unsafe(c)), "{safe}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(&safe).ok(),
                Some(value.clone())
            );
        }
    }
}
