//! Numbers as people write and read them.

/// Parses `4096`, `64K`, `256M`, `1G` (powers of 1024), with `_` between digits if wanted.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let error = || format!("`{text}` is not a size such as 4096, 256M or 1G");
    let (digits, shift) = match text.char_indices().last() {
        Some((index, 'k' | 'K')) => (&text[..index], 10),
        Some((index, 'm' | 'M')) => (&text[..index], 20),
        Some((index, 'g' | 'G')) => (&text[..index], 30),
        _ => (text, 0),
    };
    let count = parse_count(digits).map_err(|_| error())?;
    count.checked_mul(1 << shift).ok_or_else(error)
}

/// Parses a count, with `_` between digits if wanted.
pub fn parse_count(text: &str) -> Result<u64, String> {
    let digits = text.replace('_', "");
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let error = || format!("`{text}` is not a number below 2^64");
    if is_number {
        digits.parse().map_err(|_| error())
    } else {
        Err(error())
    }
}

/// `1234567` as `1_234_567`.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('_');
        }
        text.push(digit);
    }
    text
}

/// A number of bytes in the unit that shows three or four digits.
pub fn bytes(count: u64) -> String {
    let units = ["B", "KiB", "MiB", "GiB"];
    let mut value = count as f64;
    let mut unit = 0;
    while value >= 1024.0 && unit + 1 < units.len() {
        value /= 1024.0;
        unit += 1;
    }
    if unit == 0 {
        format!("{count} B")
    } else {
        format!("{value:.1} {}", units[unit])
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes
        .iter()
        .fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The bytes that hexadecimal digits spell.
pub fn parse_hex(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let digit = |byte: u8| char::from(byte).to_digit(16);
    digits
        .chunks(2)
        .map(|pair| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_counts_parse_and_refuse() {
        assert_eq!(parse_size("4096"), Ok(4096));
        assert_eq!(parse_size("3G"), Ok(3 << 30));
        assert_eq!(parse_size("1_024k"), Ok(1 << 20));
        for text in [
            "",
            "G",
            "-1",
            "1.5G",
            "99999999999999999999",
            "17179869184G",
            "é",
        ] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(grouped(1), "1");
        assert_eq!(grouped(1_234_567), "1_234_567");
        assert_eq!(bytes(1536), "1.5 KiB");
    }

    #[test]
    fn hexadecimal_round_trips() {
        assert_eq!(
            parse_hex(&hex(&[0, 1, 0xab, 0xff])),
            Some(vec![0, 1, 0xab, 0xff])
        );
        assert_eq!(parse_hex("abc"), None);
        assert_eq!(parse_hex("zz"), None);
    }
}
