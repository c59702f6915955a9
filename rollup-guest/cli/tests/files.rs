//! Work files and fixtures: what is imported, chosen, damaged, or lacks something.

mod common;

use std::fs;
use std::path::Path;

use alloy_consensus::Block;
use alloy_primitives::keccak256;
use alloy_rlp::Decodable;
use common::{Ran, TRANSFER, fixture, folder, rollup};
use zkvm_rollup_node::fixture::Fixture;
use zkvm_rollup_node::replay::OwnedInput;
use zkvm_rollup_node::work::Work;
use zkvm_rollup_stf::block::Transaction;

/// The block with a transfer.
fn transfer() -> Option<OwnedInput> {
    let fixture = Fixture::read(Path::new(&fixture(TRANSFER)?)).unwrap();
    Some(fixture.input(&fixture.cases()[0]).unwrap())
}

/// Checks that `exec`, `simulate` and `prove` refuse an input for the same reason, and that no proof
/// is written.
fn assert_no_claim(input: &OwnedInput, number: u16, reason: &str) {
    let folder = folder();
    let work = Work::block(&input.borrow()).unwrap();
    fs::write(folder.path().join("work"), work.to_bytes()).unwrap();
    for arguments in [
        &["exec", "work"][..],
        &["simulate", "work"],
        &["prove", "work", "-o", "proof"],
    ] {
        let ran = rollup(folder.path(), arguments);
        ran.assert_error(6, number);
        assert!(ran.stderr.contains(reason), "{reason}: {}", ran.stderr);
    }
    let names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    assert_eq!(names.len(), 1, "{names:?}");
}

#[test]
fn a_missing_node_or_code_is_named_and_nothing_is_proved() {
    let Some(input) = transfer() else {
        return;
    };
    for index in 0..input.nodes.len() {
        let mut changed = input.clone();
        let node = changed.nodes.remove(index);
        assert_no_claim(&changed, 604, &keccak256(node).to_string());
    }
    let mut changed = input.clone();
    let code = changed.codes.remove(0);
    assert_no_claim(&changed, 604, &keccak256(code).to_string());
    let mut changed = input;
    changed.headers.clear();
    assert_no_claim(&changed, 604, "no parent header");
}

#[test]
fn a_block_that_breaks_a_rule_is_told_which_and_nothing_is_proved() {
    let Some(mut input) = transfer() else {
        return;
    };
    let mut block = Block::<Transaction>::decode(&mut &input.block[..]).unwrap();
    block.header.gas_used -= 1;
    input.block = alloy_rlp::encode(&block).into();
    assert_no_claim(&input, 603, "gas used is 20999, expected 21000");
}

#[test]
fn a_tampered_work_file_is_refused_wherever_it_is_read() {
    let Some(input) = transfer() else {
        return;
    };
    let folder = folder();
    let whole = Work::block(&input.borrow()).unwrap().to_bytes();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    let mut future = whole.clone();
    future[8] = 9;
    let files: [(&str, &[u8], &str); 5] = [
        ("changed", &changed, "damaged"),
        ("cut", &whole[..whole.len() - 1], "damaged"),
        ("future", &future, "version 9"),
        ("text", b"{}", "begin"),
        ("empty", b"", "begin"),
    ];
    for (name, bytes, reason) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
        for arguments in [&["exec", name][..], &["prove", name, "-o", "proof"]] {
            let ran = rollup(folder.path(), arguments);
            ran.assert_error(6, 602);
            assert!(ran.stderr.contains(reason), "{}", ran.stderr);
        }
    }
    rollup(folder.path(), &["exec", "absent"]).assert_error(6, 201);
    assert!(!folder.path().join("proof").exists());
    let nowhere = ["prove", "changed", "-o", "no/folder/proof"];
    rollup(folder.path(), &nowhere).assert_error(6, 201);
}

fn import(folder: &Path, arguments: &[&str]) -> Ran {
    rollup(folder, &[&["import"], arguments].concat())
}

#[test]
fn of_several_blocks_one_has_to_be_chosen() {
    let name = "ethereum-tests/BlockchainTests/ValidBlocks/bcValidBlockTest/emptyPostTransfer.json";
    let Some(file) = fixture(name) else {
        return;
    };
    let folder = folder();
    let run = |arguments: &[&str]| {
        import(
            folder.path(),
            &[&["--fixture", file.as_str()], arguments].concat(),
        )
    };
    let listed = run(&[]);
    listed.assert_error(6, 607);
    assert!(listed.stderr.contains("--case emptyPostTransfer_Cancun"));
    assert!(listed.stderr.contains("--block 4: number 4, 1 transaction"));
    run(&["--block", "9"]).assert_error(6, 607);
    run(&["--block", "one"]).assert_error(6, 607);
    run(&["--block", "1", "--case", "Prague"]).assert_error(6, 607);

    let chosen = run(&["--block", "3", "--case", "Cancun", "--format", "json"]).json();
    assert_eq!(chosen["path"], "block-3.work");
    let executed = rollup(folder.path(), &["exec", "block-3.work", "--format", "json"]).json();
    assert_eq!(executed["claim"], chosen["claim"]);
}

#[test]
fn blocks_that_have_to_be_refused_are_imported_with_a_warning() {
    let name = "eest-v5.4.0/blockchain_tests/cancun/eip4844_blobs";
    let Some(path) = fixture(name) else {
        return;
    };
    let mut files: Vec<_> = fs::read_dir(path)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_file())
        .collect();
    files.sort();
    let bad = files.iter().find_map(|path| {
        let fixture = Fixture::read(path).unwrap();
        let case = fixture
            .cases()
            .into_iter()
            .find(|case| case.exception.is_some() && fixture.input(case).is_ok())?;
        Some((path, case))
    });
    let (path, case) = bad.unwrap();
    let folder = folder();
    let position = case.position.to_string();
    let ran = import(
        folder.path(),
        &[
            "--fixture",
            path.to_str().unwrap(),
            "--case",
            &case.name,
            "--block",
            &position,
            "-o",
            "bad.work",
        ],
    );
    assert_eq!(
        (ran.code, ran.stdout.as_str()),
        (0, "bad.work\n"),
        "{}",
        ran.stderr
    );
    assert!(
        ran.stderr.contains("there will be no claim: "),
        "{}",
        ran.stderr
    );
    rollup(folder.path(), &["exec", "bad.work"]).assert_error(6, 603);
}

#[test]
fn files_that_are_no_fixtures_are_refused() {
    let folder = folder();
    for (name, bytes) in [
        ("text", &b"no JSON"[..]),
        ("list", b"[]"),
        ("other", br#"{"a":{"b":1}}"#),
        ("raiko", br#"{"parent_state_trie":1}"#),
    ] {
        fs::write(folder.path().join(name), bytes).unwrap();
        import(folder.path(), &["--fixture", name]).assert_error(6, 606);
    }
    fs::write(folder.path().join("none"), "{}").unwrap();
    import(folder.path(), &["--fixture", "none"]).assert_error(6, 607);
    import(folder.path(), &["--fixture", "absent"]).assert_error(6, 201);
    if let Some(file) = fixture("eest-zkevm-v0.3.3") {
        let amsterdam = json_below(Path::new(&file)).unwrap();
        let arguments = ["--fixture", &amsterdam, "--block", "1", "-o", "out"];
        let ran = import(folder.path(), &arguments);
        assert_eq!(ran.code, 6, "{}", ran.stderr);
    }
}

/// The first JSON file below a folder.
fn json_below(folder: &Path) -> Option<String> {
    let mut entries: Vec<_> = fs::read_dir(folder)
        .ok()?
        .flatten()
        .map(|it| it.path())
        .collect();
    entries.sort();
    entries.into_iter().find_map(|path| {
        if path.is_dir() {
            return json_below(&path);
        }
        let is_json = path
            .extension()
            .is_some_and(|extension| extension == "json");
        is_json.then(|| path.to_str().map(str::to_owned))?
    })
}

#[test]
fn the_node_and_its_block_have_to_be_named() {
    let folder = folder();
    for arguments in [
        &[][..],
        &["--block", "1"],
        &["--chain", "mainnet", "--fixture", "a"],
        &["--rpc", "http://localhost", "--fixture", "a"],
    ] {
        let ran = import(folder.path(), arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
    }
    import(folder.path(), &["--rpc", "http://127.0.0.1:9"]).assert_error(6, 607);
    let word = ["--rpc", "http://127.0.0.1:9", "--block", "first"];
    import(folder.path(), &word).assert_error(6, 607);
    // The discard port: nobody listens there.
    let nobody = ["--rpc", "http://127.0.0.1:9", "--block", "1"];
    import(folder.path(), &nobody).assert_error(6, 608);
}
