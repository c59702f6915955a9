//! Reads a JSON document and a path, and commits the value found there as a string.
//!
//! The path is a list of object keys and array indices with dots between them, as in
//! `users.0.name`. A string is committed as it is, any other value as JSON. The document stays
//! private: the proof shows that its owner knows one with this value at this path.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::ToString;

use serde_json::Value;

zkvm_guest::entry!(main);

fn main() {
    let document: &'static str = zkvm_guest::read();
    let path: &'static str = zkvm_guest::read();
    let document: Value = zkvm_guest::span("parse", || {
        serde_json::from_str(document)
            .unwrap_or_else(|error| panic!("the document is not JSON: {error}"))
    });
    match find(&document, path) {
        Value::String(text) => zkvm_guest::commit(text),
        value => zkvm_guest::commit(&value.to_string()),
    }
}

fn find<'a>(document: &'a Value, path: &str) -> &'a Value {
    let mut value = document;
    for key in path.split('.') {
        let found = match value {
            Value::Object(members) => members.get(key),
            Value::Array(items) => key.parse::<usize>().ok().and_then(|index| items.get(index)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
        };
        value = found.unwrap_or_else(|| {
            panic!(
                "no value at `{key}` of the path `{path}`: found {}",
                describe(value)
            )
        });
    }
    value
}

/// What a panic may say about a private value: its kind and size.
fn describe(value: &Value) -> alloc::string::String {
    match value {
        Value::Object(members) => alloc::format!("an object of {} members", members.len()),
        Value::Array(items) => alloc::format!("an array of {} items", items.len()),
        Value::Null => "null".to_string(),
        Value::Bool(_) => "a boolean".to_string(),
        Value::Number(_) => "a number".to_string(),
        Value::String(_) => "a string".to_string(),
    }
}
