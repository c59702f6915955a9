//! Blocks and batches really proved, and proofs that are refused.

mod common;

use std::fs;

use common::{Ran, TRANSFER, batch, fixture, folder, rollup};
use serde_json::Value;
use zkvm_sdk::{Client, Input, Program};
use zkvm_testkit::asm::base::{addi, ecall};
use zkvm_testkit::asm::{Assembler, Reg};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder};

const OTHER: &str = "0x7777777777777777777777777777777777777777777777777777777777777777";

/// The field of an answer's claim.
fn claimed(answer: &Value, field: &str) -> String {
    answer["claim"][field].as_str().unwrap().to_owned()
}

#[test]
fn a_block_with_a_transfer_is_imported_executed_proved_and_verified() {
    let Some(file) = fixture(TRANSFER) else {
        return;
    };
    let folder = folder();
    let run = |arguments: &[&str]| -> Ran { rollup(folder.path(), arguments) };

    let imported = run(&["import", "--fixture", &file, "--format", "json"]).json();
    assert_eq!(imported["path"], "block-1.work");
    let executed = run(&["exec", "block-1.work", "--format", "json"]).json();
    assert_eq!(executed["claim"], imported["claim"]);
    assert_eq!(executed["block"]["transactions"], 1);
    assert_eq!(executed["block"]["gas_used"], 21_000);

    let simulated = run(&["simulate", "block-1.work", "--format", "json"]).json();
    let spans = simulated["spans"].as_array().unwrap();
    let transaction = spans
        .iter()
        .find(|span| span["path"] == serde_json::json!(["block 1", "transaction 0"]))
        .unwrap();
    assert_eq!(transaction["gas_used"], 21_000);
    assert!(transaction["cycles"].as_u64().unwrap() > 10_000);
    assert!(simulated["precompiles"]["keccak-f"].as_u64().unwrap() > 10);

    let proved = run(&[
        "prove",
        "block-1.work",
        "-o",
        "block.proof",
        "--format",
        "json",
    ])
    .json();
    assert_eq!(proved["claim"], imported["claim"]);
    // Maps are in another order by another hint, which a proof draws at random.
    let [proved_cycles, cycles] = [&proved, &simulated].map(|it| it["cycles"].as_u64().unwrap());
    assert!(proved_cycles.abs_diff(cycles) < cycles / 50);

    let (hash, root) = (
        claimed(&proved, "block_hash"),
        claimed(&proved, "post_state_root"),
    );
    let rules = claimed(&proved, "chain_hash");
    let demands = [
        "--block-hash",
        &hash,
        "--post-state-root",
        &root,
        "--chain",
        &rules,
    ];
    let verified = run(&[&["verify", "block.proof", "--format", "json"][..], &demands].concat());
    assert_eq!(verified.json()["claim"], imported["claim"]);
    let human = run(&["verify", "block.proof", "--input", "block-1.work"]);
    assert_eq!(human.code, 0, "{}", human.stderr);
    assert!(human.stdout.contains(&root), "{}", human.stdout);
    assert!(human.stderr.contains("ethereum-block"), "{}", human.stderr);

    run(&["verify", "block.proof", "--chain", "mainnet"]).assert_error(5, 614);
    let refused = run(&["verify", "block.proof", "--post-state-root", OTHER]);
    refused.assert_error(5, 614);
    assert!(refused.stderr.contains(OTHER));
    run(&["verify", "block.proof", "--level", "high"]).assert_error(5, 409);
    fs::write(folder.path().join("batch.work"), batch::work(1).to_bytes()).unwrap();
    run(&["verify", "block.proof", "--input", "batch.work"]).assert_error(5, 614);

    let mut bytes = fs::read(folder.path().join("block.proof")).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(folder.path().join("block.proof"), bytes).unwrap();
    run(&["verify", "block.proof"]).assert_error(6, 407);
}

#[test]
fn a_batch_is_proved_and_its_output_compared_with_the_digest() {
    let folder = folder();
    let run = |arguments: &[&str]| -> Ran { rollup(folder.path(), arguments) };
    for prover in [1, 2] {
        let path = folder.path().join(format!("batch-{prover}.work"));
        fs::write(path, batch::work(prover).to_bytes()).unwrap();
    }
    let executed = run(&["exec", "batch-1.work", "--format", "json"]);
    assert_eq!(executed.json()["claim"]["verdict"], "decode");
    fs::write(folder.path().join("out.json"), &executed.stdout).unwrap();
    let other = run(&["exec", "batch-2.work", "--format", "json"]);
    fs::write(folder.path().join("other.json"), &other.stdout).unwrap();

    let proved = run(&[
        "prove",
        "batch-1.work",
        "-o",
        "batch.proof",
        "--format",
        "json",
    ])
    .json();
    assert_eq!(proved["claim"], executed.json()["claim"]);

    let digest_only = run(&["verify", "batch.proof", "--format", "json"]).json();
    assert_eq!(digest_only["claim"], Value::Null);
    assert_eq!(digest_only["journal"], proved["journal"]);
    let root = claimed(&proved, "post_state_root");
    for source in [["--out", "out.json"], ["--input", "batch-1.work"]] {
        let demand = ["--post-state-root", &root, "--format", "json"];
        let arguments = [&["verify", "batch.proof"][..], &source, &demand].concat();
        assert_eq!(run(&arguments).json()["claim"], proved["claim"]);
    }
    for source in [["--out", "other.json"], ["--input", "batch-2.work"]] {
        run(&[&["verify", "batch.proof"][..], &source].concat()).assert_error(5, 614);
    }
    // Without the output, the proof says nothing about the root.
    run(&["verify", "batch.proof", "--post-state-root", &root]).assert_error(5, 615);
    run(&["verify", "batch.proof", "--out", "batch-1.work"]).assert_error(6, 613);
}

#[test]
fn a_proof_of_another_guest_is_refused() {
    let mut asm = Assembler::new(0x1_0000);
    asm.emit(addi(Reg::A0, Reg::ZERO, 0));
    asm.emit(addi(Reg::A7, Reg::ZERO, 93));
    asm.emit(ecall());
    let elf = ElfBuilder::new(0x1_0000)
        .flags(EF_RISCV_RVC)
        .text(0x1_0000, asm.finish().bytes);
    let program = Program::from_elf(&elf.build()).unwrap();
    let proof = Client::auto()
        .unwrap()
        .prove(&program, Input::new())
        .unwrap();
    let _ = program.verify(&proof).unwrap();
    let folder = folder();
    fs::write(folder.path().join("other.proof"), proof.to_bytes().unwrap()).unwrap();
    let refused = rollup(folder.path(), &["verify", "other.proof"]);
    refused.assert_error(5, 405);
    assert!(
        refused.stderr.contains("ethereum-block is "),
        "{}",
        refused.stderr
    );
}
