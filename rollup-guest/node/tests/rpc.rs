//! Blocks imported from a node that replays answers, and everything that can go wrong with it.

mod common;

use std::io::Read;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use alloy_primitives::{B256, b256};
use common::server::{Shape, block_json, error, node, result, serve, witness_json};
use serde_json::{Value, json};
use zkvm_rollup_node::fixture::Fixture;
use zkvm_rollup_node::replay::OwnedInput;
use zkvm_rollup_node::rpc::{Client, RpcError, Wanted, import};
use zkvm_rollup_stf::claim::claim;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A hash that nothing has.
fn other_hash() -> B256 {
    B256::repeat_byte(0x77)
}

fn client(url: &str) -> Client {
    Client::new(url, TIMEOUT)
}

/// Mainnet block 20612842.
fn mainnet() -> Option<OwnedInput> {
    let path = common::ethereum()?.join("raiko/data/ethereum-20612842.json");
    let fixture = Fixture::read(&path).unwrap();
    Some(fixture.input(&fixture.cases()[0]).unwrap())
}

/// Blocks of a chain of execution-spec-tests, each with the name of its fork.
fn chain() -> Vec<(String, OwnedInput)> {
    let Some(folder) = common::ethereum() else {
        return Vec::new();
    };
    let folder = folder.join("eest-v5.4.0/blockchain_tests/cancun/eip1153_tstore");
    let mut inputs = Vec::new();
    for path in common::json_files(&folder) {
        let fixture = Fixture::read(&path).unwrap();
        let Fixture::Chains(chains) = &fixture else {
            panic!("{} holds chains", path.display());
        };
        for case in fixture.cases() {
            let network = chains[&case.name].network.to_lowercase();
            let is_simple = zkvm_rollup_node::rules::fork(&network).is_some();
            if is_simple && case.exception.is_none() {
                inputs.push((network, fixture.input(&case).unwrap()));
            }
        }
    }
    inputs
}

#[test]
fn a_mainnet_block_comes_from_a_node_in_both_shapes() {
    let Some(input) = mainnet() else {
        return;
    };
    let expected = claim(&input.borrow()).unwrap();
    assert_eq!(
        expected.post_state_root,
        b256!("a4464a2f95c187d0b202115b59f4dee5bac0f1762c7f7604630f976d7bb71d06")
    );
    for shape in [Shape::Reth, Shape::Geth] {
        let url = serve(node(&input, shape));
        for (wanted, name) in [
            (Wanted::Number(20_612_842), Some("mainnet")),
            (Wanted::Latest, None),
        ] {
            let got = import(&client(&url), wanted, name).unwrap();
            assert_eq!(got.block, input.block, "{shape:?}");
            assert_eq!(got.headers, input.headers, "{shape:?}");
            assert_eq!(claim(&got.borrow()), Ok(expected), "{shape:?}");
        }
    }
}

#[test]
fn blocks_of_a_chain_of_its_own_come_with_the_rules_that_are_named() {
    let mut count = 0;
    for (network, input) in chain().iter().step_by(7) {
        let expected = claim(&input.borrow()).unwrap();
        for shape in [Shape::Reth, Shape::Geth] {
            let url = serve(node(input, shape));
            let got = import(&client(&url), Wanted::Latest, Some(network)).unwrap();
            assert_eq!(claim(&got.borrow()), Ok(expected), "{network} {shape:?}");
            count += 1;
        }
    }
    eprintln!("{count} blocks imported");
    assert!(count > 0 || common::ethereum().is_none());
}

#[test]
fn nodes_and_codes_by_their_hashes_are_understood() {
    let Some(input) = mainnet() else {
        return;
    };
    let by_hash = |strings: &[alloy_primitives::Bytes]| -> Value {
        let pairs = strings.iter().map(|bytes| {
            let hash = alloy_primitives::keccak256(bytes).to_string();
            (hash, json!(bytes))
        });
        Value::Object(pairs.collect())
    };
    let mut witness = witness_json(&input, Shape::Reth);
    witness["state"] = by_hash(&input.nodes);
    witness["codes"] = by_hash(&input.codes);
    let url = with(&input, "debug_executionWitness", move |_| {
        result(witness.clone())
    });
    let got = import(&client(&url), Wanted::Latest, None).unwrap();
    assert_eq!(claim(&got.borrow()), claim(&input.borrow()));
}

/// A node that answers one method otherwise; the answer is given the number of the call.
fn with(
    input: &OwnedInput,
    changed: &'static str,
    mut answer: impl FnMut(usize) -> (u16, String) + Send + 'static,
) -> String {
    let mut usual = node(input, Shape::Reth);
    let mut calls = 0;
    serve(move |method, params| {
        if method != changed {
            return usual(method, params);
        }
        calls += 1;
        answer(calls)
    })
}

fn refused(url: &str) -> RpcError {
    import(&client(url), Wanted::Number(20_612_842), None).unwrap_err()
}

#[test]
fn a_node_that_is_not_there_or_does_not_answer_is_said_so() {
    let unused = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/secret", unused.local_addr().unwrap());
    drop(unused);
    let error = refused(&url);
    assert!(matches!(error, RpcError::Unreachable { .. }), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");

    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let holder = thread::spawn(move || {
        let (mut stream, _) = silent.accept().unwrap();
        // Until the client gives up.
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let client = Client::new(&url, Duration::from_millis(200));
    let error = import(&client, Wanted::Latest, None).unwrap_err();
    assert!(matches!(error, RpcError::Unreachable { .. }), "{error}");
    drop(client);
    holder.join().unwrap();

    let error = refused("no address/secret");
    assert!(matches!(error, RpcError::Unreachable { .. }), "{error}");
    assert!(!error.to_string().contains("secret"), "{error}");
}

#[test]
fn what_is_no_answer_of_a_node_is_told_with_its_status() {
    let url = serve(|_, _| (502, "<html>bad gateway</html>".to_owned()));
    let error = refused(&url);
    let RpcError::Status { status, text, .. } = &error else {
        panic!("{error}");
    };
    assert_eq!((*status, text.as_str()), (502, "<html>bad gateway</html>"));

    // An error of JSON-RPC comes before the status.
    let url = serve(|_, _| (403, error_body(-32000, "key is unknown")));
    let error = refused(&url);
    assert!(
        matches!(error, RpcError::Refused { code: -32000, .. }),
        "{error}"
    );

    let url = serve(|_, _| (200, "no JSON".to_owned()));
    let error = refused(&url);
    assert!(matches!(error, RpcError::Form { .. }), "{error}");

    let url = serve(|_, _| (302, String::new()));
    let error = refused(&url);
    assert!(!matches!(error, RpcError::Form { .. }), "{error}");
}

fn error_body(code: i64, message: &str) -> String {
    error(code, message).1
}

#[test]
fn an_answer_without_end_is_cut() {
    let Some(input) = mainnet() else {
        return;
    };
    let url = serve(node(&input, Shape::Reth));
    let short = client(&url).answer_bytes_max(100_000);
    let error = import(&short, Wanted::Latest, None).unwrap_err();
    let RpcError::TooLong { method, max } = error else {
        panic!("{error}");
    };
    assert_eq!((method, max), ("debug_executionWitness", 100_000));
}

#[test]
fn what_a_node_refuses_is_told_in_its_words() {
    let Some(input) = mainnet() else {
        return;
    };
    let method = "debug_executionWitness";
    let missing = "the method debug_executionWitness does not exist/is not available";
    let refusal = error(-32601, missing);
    let url = with(&input, method, move |_| refusal.clone());
    let error_got = refused(&url);
    let RpcError::NoMethod { message, .. } = &error_got else {
        panic!("{error_got}");
    };
    assert_eq!(message, missing);

    let refusal = error(-32000, "required historical state unavailable");
    let url = with(&input, method, move |_| refusal.clone());
    let error_got = refused(&url);
    assert!(
        matches!(&error_got, RpcError::Refused { code: -32000, message, .. }
            if message == "required historical state unavailable"),
        "{error_got}"
    );

    let url = with(&input, method, |_| result(Value::Null));
    let error_got = refused(&url);
    assert!(matches!(error_got, RpcError::Null { method } if method == "debug_executionWitness"));

    let url = with(&input, method, |_| result(json!({ "state": 7 })));
    let error_got = refused(&url);
    assert!(matches!(error_got, RpcError::Form { .. }), "{error_got}");
}

#[test]
fn a_block_that_is_not_there_or_not_itself_is_refused() {
    let Some(input) = mainnet() else {
        return;
    };
    let url = serve(node(&input, Shape::Reth));
    let error = import(&client(&url), Wanted::Number(7), None).unwrap_err();
    assert!(
        matches!(&error, RpcError::NoBlock { block } if block == "0x7"),
        "{error}"
    );

    let method = "eth_getBlockByNumber";
    let mut block = block_json(&input);
    block["hash"] = json!(other_hash());
    let url = with(&input, method, move |_| result(block.clone()));
    let error = refused(&url);
    let RpcError::Hash { number, said, .. } = error else {
        panic!("{error}");
    };
    assert_eq!((number, said), (20_612_842, other_hash()));

    // One field otherwise, the hash as it was.
    let mut block = block_json(&input);
    block["gasUsed"] = json!("0x1");
    let url = with(&input, method, move |_| result(block.clone()));
    assert!(matches!(refused(&url), RpcError::Hash { .. }));

    // Another block than was asked for.
    let block = block_json(&input);
    let url = with(&input, method, move |_| result(block.clone()));
    let error = import(&client(&url), Wanted::Number(20_612_841), None).unwrap_err();
    assert!(matches!(error, RpcError::Form { .. }), "{error}");
}

#[test]
fn a_chain_that_is_reorganized_between_two_calls_is_noticed() {
    let Some(input) = mainnet() else {
        return;
    };
    let (first, mut second) = (block_json(&input), block_json(&input));
    second["hash"] = json!(other_hash());
    let url = with(&input, "eth_getBlockByNumber", move |call| {
        result(if call == 1 { &first } else { &second }.clone())
    });
    let error = refused(&url);
    let RpcError::Reorganized { after, .. } = error else {
        panic!("{error}");
    };
    assert_eq!(after, other_hash());

    let block = block_json(&input);
    let url = with(&input, "eth_getBlockByNumber", move |call| {
        result(if call == 1 {
            block.clone()
        } else {
            Value::Null
        })
    });
    assert!(matches!(refused(&url), RpcError::NoBlock { .. }));
}

#[test]
fn a_witness_without_the_parent_is_refused() {
    let Some(input) = mainnet() else {
        return;
    };
    let mut witness = witness_json(&input, Shape::Reth);
    witness["headers"] = json!(["0x1234"]);
    let url = with(&input, "debug_executionWitness", move |_| {
        result(witness.clone())
    });
    let error = refused(&url);
    assert!(matches!(error, RpcError::NoParent { .. }), "{error}");
}

#[test]
fn a_chain_whose_rules_are_not_known_is_refused() {
    let Some(input) = mainnet() else {
        return;
    };
    for (id, name) in [
        ("0x7", None),
        ("0x7", Some("mainnet")),
        ("0x1", Some("sepolia")),
    ] {
        let url = with(&input, "eth_chainId", move |_| result(json!(id)));
        let error = import(&client(&url), Wanted::Latest, name).unwrap_err();
        assert!(matches!(error, RpcError::Chain { .. }), "{error}");
    }
    let url = with(&input, "eth_chainId", |_| result(json!("one")));
    let error = import(&client(&url), Wanted::Latest, None).unwrap_err();
    assert!(matches!(error, RpcError::Form { .. }), "{error}");
}
