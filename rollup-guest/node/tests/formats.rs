//! ethereum/tests for tries, RLP and transactions.

mod common;

use std::path::{Path, PathBuf};

use alloy_consensus::transaction::SignerRecoverable;
use alloy_eips::Decodable2718;
use alloy_primitives::{B256, U256, hex, keccak256};
use alloy_rlp::{Decodable, Encodable};
use serde_json::Value;
use zkvm_rollup_node::store::Store;
use zkvm_rollup_stf::block::Transaction;
use zkvm_rollup_stf::trie::Trie;

fn cases(path: &Path) -> Vec<(String, Value)> {
    let bytes = std::fs::read(path).unwrap();
    let Value::Object(cases) = serde_json::from_slice(&bytes).unwrap() else {
        panic!("{} is not an object", path.display());
    };
    cases.into_iter().collect()
}

fn folder(name: &str) -> Option<PathBuf> {
    common::ethereum().map(|root| root.join("ethereum-tests").join(name))
}

/// Text, or bytes if it begins with `0x`.
fn bytes_of(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str()?;
    Some(match text.strip_prefix("0x") {
        Some(digits) => hex::decode(digits).unwrap(),
        None => text.as_bytes().to_vec(),
    })
}

#[test]
fn trie_tests_pass() {
    let Some(folder) = folder("TrieTests") else {
        return;
    };
    let nothing = Store::default();
    let mut passed = 0;
    for path in common::json_files(&folder) {
        let file = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if file == "trietestnextprev" {
            eprintln!("skipped: {file}: it is about iteration, which the trie has not");
            continue;
        }
        let is_secure = file.to_lowercase().contains("secure");
        for (name, case) in cases(&path) {
            let entries: Vec<(Vec<u8>, Option<Vec<u8>>)> = match &case["in"] {
                Value::Object(entries) => entries
                    .iter()
                    .map(|(key, value)| {
                        (
                            bytes_of(&Value::from(key.as_str())).unwrap(),
                            bytes_of(value),
                        )
                    })
                    .collect(),
                Value::Array(entries) => entries
                    .iter()
                    .map(|entry| (bytes_of(&entry[0]).unwrap(), bytes_of(&entry[1])))
                    .collect(),
                other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => {
                    panic!("{file} {name}: {other}")
                }
            };
            let expected: B256 = case["root"].as_str().unwrap().parse().unwrap();
            let mut trie = Trie::empty();
            for (key, value) in entries {
                let key = if is_secure {
                    keccak256(&key).to_vec()
                } else {
                    key
                };
                match value {
                    Some(value) => trie.insert(&key, value, &nothing).unwrap(),
                    None => {
                        trie.remove(&key, &nothing).unwrap();
                    }
                }
            }
            assert_eq!(trie.root(), expected, "{file} {name}");
            passed += 1;
        }
    }
    eprintln!("{passed} trie tests passed");
    assert_eq!(passed, 25);
}

/// An RLP value of any form.
#[derive(Debug, PartialEq, Eq)]
enum Item {
    String(Vec<u8>),
    List(Vec<Item>),
}

impl Item {
    fn of(value: &Value) -> Self {
        match value {
            Value::Array(items) => Item::List(items.iter().map(Item::of).collect()),
            Value::Number(number) => Item::String(trimmed(U256::from(number.as_u64().unwrap()))),
            Value::String(text) => match text.strip_prefix('#') {
                // One of the numbers has 257 bits.
                Some(digits) => Item::String(match digits.parse::<U256>() {
                    Ok(number) => trimmed(number),
                    Err(_) => [&[1][..], &[0; 32]].concat(),
                }),
                None => Item::String(text.as_bytes().to_vec()),
            },
            other @ (Value::Null | Value::Bool(_) | Value::Object(_)) => panic!("{other}"),
        }
    }
}

fn trimmed(number: U256) -> Vec<u8> {
    number.to_be_bytes_trimmed_vec()
}

impl Encodable for Item {
    fn encode(&self, out: &mut dyn alloy_rlp::BufMut) {
        match self {
            Item::String(bytes) => bytes.as_slice().encode(out),
            Item::List(items) => alloy_rlp::encode_list::<Item, Item>(items, out),
        }
    }
}

impl Decodable for Item {
    fn decode(bytes: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let header = alloy_rlp::Header::decode(bytes)?;
        let (mut payload, rest) = bytes.split_at(header.payload_length);
        *bytes = rest;
        if !header.list {
            return Ok(Item::String(payload.to_vec()));
        }
        let mut items = Vec::new();
        while !payload.is_empty() {
            items.push(Item::decode(&mut payload)?);
        }
        Ok(Item::List(items))
    }
}

#[test]
fn rlp_tests_pass() {
    let Some(folder) = folder("RLPTests") else {
        return;
    };
    let (mut encoded, mut decoded, mut refused) = (0, 0, 0);
    for path in common::json_files(&folder) {
        for (name, case) in cases(&path) {
            let digits = case["out"].as_str().unwrap();
            let bytes = hex::decode(digits).unwrap();
            let mut rest = &bytes[..];
            let got = Item::decode(&mut rest).ok().filter(|_| rest.is_empty());
            match case["in"].as_str() {
                Some("INVALID") => {
                    assert_eq!(got, None, "{name}");
                    refused += 1;
                }
                Some("VALID") => {
                    assert_eq!(alloy_rlp::encode(got.unwrap()), bytes, "{name}");
                    decoded += 1;
                }
                _ => {
                    let item = Item::of(&case["in"]);
                    assert_eq!(alloy_rlp::encode(&item), bytes, "{name}");
                    assert_eq!(got, Some(item), "{name}");
                    encoded += 1;
                }
            }
        }
    }
    eprintln!("RLP: {encoded} encoded and decoded, {decoded} decoded, {refused} refused");
    assert!(encoded > 20 && decoded > 0 && refused > 20);
}

/// All of these are refused in Cancun: by their encoding, their signature, or the rules of fees.
#[test]
fn transaction_tests_pass() {
    let Some(folder) = folder("TransactionTests") else {
        return;
    };
    let mut passed = 0;
    for path in common::json_files(&folder) {
        for (name, case) in cases(&path) {
            let expected = case["result"]["Cancun"]["exception"].as_str().unwrap();
            let bytes = hex::decode(case["txbytes"].as_str().unwrap()).unwrap();
            let transaction = Transaction::decode_2718_exact(&bytes);
            let is_refused = match transaction {
                Err(_) => true,
                Ok(transaction) => transaction.recover_signer().is_err(),
            };
            assert!(is_refused, "{name}: expected {expected}");
            passed += 1;
        }
    }
    eprintln!("{passed} transaction tests passed");
    assert_eq!(passed, 5);
}
