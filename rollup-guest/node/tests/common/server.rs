//! A node's HTTP interface that answers what a test wants.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use alloy_consensus::{Block, Header};
use alloy_primitives::{Bytes, keccak256};
use alloy_rlp::Decodable;
use serde_json::{Value, json};
use zkvm_rollup_node::replay::OwnedInput;
use zkvm_rollup_stf::block::Transaction;

/// What a node answers to a method with parameters: a status and a body.
type Handler = dyn FnMut(&str, &Value) -> (u16, String) + Send;

/// Serves on a port of this machine as long as the test runs; returns the address.
pub(crate) fn serve(handler: impl FnMut(&str, &Value) -> (u16, String) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handler: Arc<Mutex<Box<Handler>>> = Arc::new(Mutex::new(Box::new(handler)));
    let _ = thread::spawn(move || {
        for stream in listener.incoming() {
            answer(stream.unwrap(), &handler);
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, handler: &Mutex<Box<Handler>>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap() == 0 {
            return;
        }
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let request: Value = serde_json::from_slice(&body).unwrap();
    assert_eq!(request["jsonrpc"], "2.0");
    let method = request["method"].as_str().unwrap();
    let (status, body) = handler.lock().unwrap()(method, &request["params"]);
    let head = format!(
        "HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    // The client may have gone away.
    let _ = stream.write_all(head.as_bytes());
    let _ = stream.write_all(body.as_bytes());
}

/// A result in JSON-RPC's envelope.
pub(crate) fn result(value: Value) -> (u16, String) {
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "result": value });
    (200, answer.to_string())
}

/// An error in JSON-RPC's envelope.
pub(crate) fn error(code: i64, message: &str) -> (u16, String) {
    let error = json!({ "code": code, "message": message });
    let answer = json!({ "jsonrpc": "2.0", "id": 1, "error": error });
    (200, answer.to_string())
}

/// Which node's witnesses.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// Encoded headers, the oldest first, and keys.
    Reth,
    /// Headers as objects, the parent first, no keys.
    Geth,
}

/// A block as nodes answer `eth_getBlockByNumber` with it, with what is not part of the block.
pub(crate) fn block_json(input: &OwnedInput) -> Value {
    let block = Block::<Transaction>::decode(&mut &input.block[..]).unwrap();
    let hash = block.header.hash_slow();
    let mut json = serde_json::to_value(&block.header).unwrap();
    json["hash"] = json!(hash);
    json["size"] = json!(format!("{:#x}", input.block.len()));
    json["totalDifficulty"] = json!("0xc70d815d562d3cfa955");
    json["uncles"] = json!([]);
    if let Some(withdrawals) = &block.body.withdrawals {
        json["withdrawals"] = json!(withdrawals);
    }
    let transactions = block.body.transactions.iter().enumerate();
    let transactions = transactions.map(|(index, transaction)| {
        let mut json = serde_json::to_value(transaction).unwrap();
        json["blockHash"] = json!(hash);
        json["blockNumber"] = json!(format!("{:#x}", block.header.number));
        json["transactionIndex"] = json!(format!("{index:#x}"));
        json["from"] = json!("0x00000000000000000000000000000000000000aa");
        if json["gasPrice"].is_null() {
            json["gasPrice"] = json!("0x1234");
        }
        json
    });
    json["transactions"] = transactions.collect();
    json
}

/// A witness as nodes answer `debug_executionWitness` with it.
pub(crate) fn witness_json(input: &OwnedInput, shape: Shape) -> Value {
    match shape {
        Shape::Reth => {
            let headers: Vec<&Bytes> = input.headers.iter().rev().collect();
            let keys = ["0x00000000000000000000000000000000000000aa"];
            json!({
                "state": input.nodes, "codes": input.codes, "keys": keys, "headers": headers,
            })
        }
        Shape::Geth => {
            let headers = input.headers.iter().map(|bytes| {
                let header = Header::decode(&mut &bytes[..]).unwrap();
                let mut json = serde_json::to_value(&header).unwrap();
                json["hash"] = json!(keccak256(bytes));
                for field in [
                    "baseFeePerGas",
                    "withdrawalsRoot",
                    "blobGasUsed",
                    "excessBlobGas",
                    "parentBeaconBlockRoot",
                    "requestsHash",
                    "slotNumber",
                    "balHash",
                ] {
                    if json.get(field).is_none() {
                        json[field] = Value::Null;
                    }
                }
                json
            });
            json!({
                "headers": headers.collect::<Value>(),
                "codes": input.codes,
                "state": input.nodes,
                "keys": null,
            })
        }
    }
}

/// A node that has one block.
pub(crate) fn node(
    input: &OwnedInput,
    shape: Shape,
) -> impl FnMut(&str, &Value) -> (u16, String) + Send + 'static {
    let chain_id = input.chain.chain_id;
    let (block, witness) = (block_json(input), witness_json(input, shape));
    move |method, params| {
        let is_wanted = params[0] == "latest" || params[0] == block["number"];
        match method {
            "eth_chainId" => result(json!(format!("{chain_id:#x}"))),
            _ if !is_wanted => result(Value::Null),
            "eth_getBlockByNumber" => result(block.clone()),
            "debug_executionWitness" => result(witness.clone()),
            other => error(-32601, &format!("the method {other} does not exist")),
        }
    }
}
