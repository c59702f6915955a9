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

/// Reads a file, or standard input for `-`, no further than the input region's size.
fn read_source(source: &str) -> Result<Vec<u8>, Failure> {
    let failed = |error: &std::io::Error| Failure::file(Path::new(source), error);
    let limit = u64::from(INPUT_BYTES_MAX) + 1;
    let mut bytes = Vec::new();
    let read = if source == "-" {
        std::io::stdin().lock().take(limit).read_to_end(&mut bytes)
    } else {
        let file = File::open(source).map_err(|error| failed(&error))?;
        file.take(limit).read_to_end(&mut bytes)
    };
    read.map_err(|error| failed(&error))?;
    Ok(bytes)
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
    fn what_is_neither_value_nor_file_is_refused() {
        for argument in ["no-such-file", "0xabc", "@no-such-file"] {
            assert_eq!(
                argument_bytes(argument).map_err(|f| f.exit),
                Err(ExitCode::Input)
            );
        }
    }
}
