//! From `--input` and `--hints` to what the guest reads.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde_json::Value;
use zkvm_sdk::isa::layout::INPUT_BYTES_MAX;
use zkvm_sdk::{Code, Input};

use crate::args::InputFlags;
use crate::failure::{ExitCode, Failure};
use crate::number::parse_hex;

/// Reads everything the flags name, in order.
pub(crate) fn read(flags: &InputFlags) -> Result<Input, Failure> {
    let mut input = Input::new();
    for argument in &flags.input {
        input = input.write_bytes(&argument_bytes(argument)?);
    }
    if let Some(source) = &flags.hints {
        input = input.hint_bytes(&read_source(source)?);
    }
    Ok(input)
}

fn argument_bytes(argument: &str) -> Result<Vec<u8>, Failure> {
    if argument == "-" {
        return read_source(argument);
    }
    if let Some(path) = argument.strip_prefix('@') {
        return read_source(path);
    }
    if let Some(digits) = argument.strip_prefix("0x") {
        return parse_hex(digits).ok_or_else(|| {
            refused(format!(
                "`{argument}` is not an even number of hexadecimal digits"
            ))
        });
    }
    if let Ok(value) = serde_json::from_str::<Value>(argument) {
        check_integers(argument)?;
        let mut bytes = Vec::new();
        encode(&value, &mut bytes)?;
        return Ok(bytes);
    }
    if !Path::new(argument).exists() {
        return Err(refused(format!(
            "`{argument}` is neither a value nor a file"
        )));
    }
    read_source(argument)
}

fn refused(cause: String) -> Failure {
    Failure::new(ExitCode::Input, Code(206), cause)
}

/// Reads a file, or standard input for `-`. One that is longer than the input region is refused.
fn read_source(source: &str) -> Result<Vec<u8>, Failure> {
    let failed = |error: &std::io::Error| Failure::file(Path::new(source), error);
    if source == "-" {
        return read_whole(std::io::stdin().lock(), "standard input", INPUT_BYTES_MAX);
    }
    let file = File::open(source).map_err(|error| failed(&error))?;
    read_whole(file, source, INPUT_BYTES_MAX)
}

fn read_whole(stream: impl Read, name: &str, bytes_max: u32) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // One byte more than allowed shows that there is more.
    let read = stream
        .take(u64::from(bytes_max) + 1)
        .read_to_end(&mut bytes);
    read.map_err(|error| Failure::file(Path::new(name), &error))?;
    if bytes.len() as u64 > u64::from(bytes_max) {
        let cause = format!("{name} has more than {bytes_max} bytes");
        return Err(Failure::new(ExitCode::Input, Code(204), cause));
    }
    Ok(bytes)
}

/// Refuses integers of a JSON text that no 64-bit type holds, which the parser would take as
/// floats. A number is a float only if it is written with a point or an exponent.
fn check_integers(text: &str) -> Result<(), Failure> {
    // The text is JSON: outside of strings, a digit or a minus begins a number.
    let mut rest = text;
    while let Some(at) = rest.find(|c: char| c == '"' || c == '-' || c.is_ascii_digit()) {
        rest = &rest[at..];
        if rest.starts_with('"') {
            rest = after_string(rest);
            continue;
        }
        let is_number = |c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.' | 'e' | 'E');
        let end = rest.find(|c: char| !is_number(c)).unwrap_or(rest.len());
        let (number, after) = rest.split_at(end);
        let is_float = number.contains(['.', 'e', 'E']);
        // `-0` is parsed as a float, although it is no way to write one.
        let is_integer = number.parse::<u64>().is_ok() || number.parse::<i64>().is_ok();
        if !is_float && (!is_integer || number == "-0") {
            return Err(refused(format!("the integer {number} is out of range")));
        }
        rest = after;
    }
    Ok(())
}

/// What follows the JSON string at the beginning of `text`.
fn after_string(text: &str) -> &str {
    let mut is_escaped = false;
    let end = text[1..].find(|c: char| {
        let ends = c == '"' && !is_escaped;
        is_escaped = c == '\\' && !is_escaped;
        ends
    });
    end.map_or("", |end| &text[1 + end + 1..])
}

/// Appends the postcard encoding of a JSON value, as the help of `--input` describes it.
fn encode(value: &Value, bytes: &mut Vec<u8>) -> Result<(), Failure> {
    let mut push = |encoded: postcard::Result<Vec<u8>>| {
        encoded
            .map(|encoded| bytes.extend_from_slice(&encoded))
            .map_err(|error| refused(format!("cannot encode {value}: {error}")))
    };
    match value {
        Value::Null => Ok(()),
        Value::Bool(value) => push(postcard::to_allocvec(value)),
        Value::String(value) => push(postcard::to_allocvec(value)),
        Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
            (Some(value), _, _) => push(postcard::to_allocvec(&value)),
            (_, Some(value), _) => push(postcard::to_allocvec(&value)),
            (_, _, Some(value)) => push(postcard::to_allocvec(&value)),
            _ => Err(refused(format!("{number} is out of range"))),
        },
        Value::Array(values) => {
            push(postcard::to_allocvec(&values.len()))?;
            values.iter().try_for_each(|value| encode(value, bytes))
        }
        Value::Object(fields) => fields.values().try_for_each(|value| encode(value, bytes)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(argument: &str) -> Vec<u8> {
        argument_bytes(argument).expect("a value")
    }

    #[test]
    fn values_encode_as_the_guest_reads_them() {
        assert_eq!(encoded("21"), [21]);
        assert_eq!(encoded("300"), [0xac, 2]);
        assert_eq!(encoded("-1"), [1]);
        assert_eq!(encoded("true"), [1]);
        assert_eq!(encoded("\"ab\""), [2, b'a', b'b']);
        assert_eq!(encoded("[1,300]"), [2, 1, 0xac, 2]);
        assert_eq!(encoded("{\"z\":1,\"a\":\"x\"}"), [1, 1, b'x']);
        assert_eq!(encoded("0x00ff"), [0, 255]);
    }

    #[test]
    fn integers_beyond_64_bits_are_refused_and_floats_are_written_as_such() {
        for (argument, expected) in [
            (
                "18446744073709551615",
                vec![255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            ),
            (
                "-9223372036854775808",
                vec![255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
            ),
            ("1.0", 1.0_f64.to_le_bytes().to_vec()),
            ("1e3", 1000.0_f64.to_le_bytes().to_vec()),
            ("-0.0", (-0.0_f64).to_le_bytes().to_vec()),
            (
                "\"99999999999999999999\"",
                [&[20][..], &[b'9'; 20]].concat(),
            ),
            (r#""\\\"-0\"""#, vec![5, b'\\', b'"', b'-', b'0', b'"']),
        ] {
            assert_eq!(encoded(argument), expected, "{argument}");
        }
        for argument in [
            "18446744073709551616",
            "-9223372036854775809",
            "-0",
            "[1,99999999999999999999]",
            "{\"a\":\"\\\"\",\"b\":[-99999999999999999999]}",
        ] {
            let refused = argument_bytes(argument).map_err(|failure| failure.code);
            assert_eq!(refused, Err(Code(206)), "{argument}");
        }
    }

    #[test]
    fn a_source_that_is_too_long_is_refused_and_not_cut() {
        let whole = read_whole(&[7; 100][..], "whole", 100).map_err(|failure| failure.exit);
        assert_eq!(whole, Ok(vec![7; 100]));
        let refused = read_whole(&[7; 101][..], "hints", 100).map_err(|f| (f.exit, f.code));
        assert_eq!(refused, Err((ExitCode::Input, Code(204))));
    }

    #[test]
    fn what_is_neither_value_nor_file_is_refused() {
        for argument in ["no-such-file", "0xabc", "@no-such-file"] {
            assert_eq!(
                argument_bytes(argument).map_err(|f| f.exit),
                Err(ExitCode::Input)
            );
        }
    }
}
