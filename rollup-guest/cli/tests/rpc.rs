//! Blocks imported from a node.

mod common;
#[path = "../../node/tests/common/server.rs"]
mod server;

use std::fs;
use std::path::Path;

use common::{Ran, TRANSFER, fixture, folder, rollup};
use serde_json::json;
use server::{Shape, error, node, result, serve, witness_json};
use zkvm_rollup_node::fixture::Fixture;
use zkvm_rollup_node::replay::OwnedInput;
use zkvm_rollup_node::work::Work;

/// The block with a transfer, on a chain of its own by the rules of Cancun.
fn transfer() -> Option<OwnedInput> {
    let fixture = Fixture::read(Path::new(&fixture(TRANSFER)?)).unwrap();
    Some(fixture.input(&fixture.cases()[0]).unwrap())
}

fn import(folder: &Path, url: &str, rules: &str) -> Ran {
    let arguments = ["import", "--rpc", url, "--block", "1", "--chain", rules];
    rollup(folder, &arguments)
}

#[test]
fn a_block_from_a_node_is_that_of_the_fixture() {
    let Some(input) = transfer() else {
        return;
    };
    for shape in [Shape::Reth, Shape::Geth] {
        let url = serve(node(&input, shape));
        let folder = folder();
        let ran = import(folder.path(), &url, "cancun");
        assert_eq!(ran.stdout, "block-1.work\n", "{}", ran.stderr);
        let bytes = fs::read(folder.path().join("block-1.work")).unwrap();
        let expected = Work::block(&input.borrow()).unwrap();
        assert_eq!(Work::from_bytes(&bytes).unwrap().kind(), expected.kind());
        let executed = rollup(folder.path(), &["exec", "block-1.work", "--format", "json"]);
        assert_eq!(executed.json()["block"]["gas_used"], 21_000);
    }
}

#[test]
fn what_a_node_lacks_is_said_and_no_file_is_written() {
    let Some(input) = transfer() else {
        return;
    };
    let folder = folder();
    let whole = node(&input, Shape::Reth);
    let without = |answer: (u16, String)| {
        let mut usual = node(&input, Shape::Reth);
        serve(move |method, params| match method {
            "debug_executionWitness" => answer.clone(),
            _ => usual(method, params),
        })
    };
    let missing = without(error(-32601, "the method does not exist"));
    let ran = import(folder.path(), &missing, "cancun");
    ran.assert_error(6, 610);
    assert!(ran.stderr.contains("reth"), "{}", ran.stderr);

    let mut witness = witness_json(&input, Shape::Reth);
    witness["codes"] = json!([]);
    let incomplete = without(result(witness));
    import(folder.path(), &incomplete, "cancun").assert_error(6, 604);

    // By other rules, the header has fields that it must not have.
    let url = serve(whole);
    import(folder.path(), &url, "paris").assert_error(6, 603);
    import(folder.path(), &url, "frontier").assert_error(6, 616);
    let later = [
        "import",
        "--rpc",
        url.as_str(),
        "--block",
        "2",
        "--chain",
        "cancun",
    ];
    rollup(folder.path(), &later).assert_error(6, 611);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
