//! Blocks and batches really proved, and proofs that are refused.

mod common;

use std::fs;
use std::path::Path;
use std::time::Instant;

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

/// The smallest accepted batch of two blocks in some chains.
fn two_blocks(folder: &Path) -> String {
    let mut found = Vec::new();
    for seed in 0..12 {
        let (seed, output) = (format!("--seed={seed}"), format!("chain-{seed}"));
        let arguments = ["make-chain", &seed, "--batches", "30", "-o", &output];
        let made = rollup(folder, &[&arguments[..], &["--format", "json"]].concat()).json();
        for batch in made["batches"].as_array().unwrap() {
            if batch["verdict"] == "ok" && batch["blocks"] == 2 {
                let path = batch["path"].as_str().unwrap().to_owned();
                let bytes = fs::metadata(folder.join(&path)).unwrap().len();
                found.push((bytes, path));
            }
        }
    }
    found.into_iter().min().unwrap().1
}

#[test]
fn batches_are_proved_and_composed_and_compared_with_their_outputs() {
    let folder = folder();
    let run = |arguments: &[&str]| -> Ran { rollup(folder.path(), arguments) };
    prove_one(&run, folder.path());
    let two = two_blocks(folder.path());
    prove_blocks(&run, &two);
    let out = run(&["exec", &two, "--format", "json"]);
    fs::write(folder.path().join("two.json"), &out.stdout).unwrap();
    verify_blocks(&run, &out.json());
    verify_range(&run, &out.json());
}

/// A batch that is refused, proved by itself; leaves `batch.proof` and `out.json`.
fn prove_one(run: &dyn Fn(&[&str]) -> Ran, folder: &Path) {
    for prover in [1, 2] {
        let path = folder.join(format!("batch-{prover}.work"));
        fs::write(path, batch::work(prover).to_bytes()).unwrap();
    }
    let executed = run(&["exec", "batch-1.work", "--format", "json"]);
    assert_eq!(executed.json()["claim"]["verdict"], "decode");
    fs::write(folder.join("out.json"), &executed.stdout).unwrap();
    let other = run(&["exec", "batch-2.work", "--format", "json"]);
    fs::write(folder.join("other.json"), &other.stdout).unwrap();

    let proved = prove(run, "batch-1.work", "batch.proof");
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
    // Its rules are in its domain, so there are none to demand.
    let rules = [
        "verify",
        "batch.proof",
        "--out",
        "out.json",
        "--chain",
        OTHER,
    ];
    run(&rules).assert_error(5, 615);
    let refused = run(&["verify", "batch.proof", "--parts", "batch.proof"]);
    refused.assert_error(5, 620);
    assert!(refused.stderr.contains("rollup-batch has no parts"));
}

/// Proves, and returns the answer.
fn prove(run: &dyn Fn(&[&str]) -> Ran, work: &str, proof: &str) -> Value {
    let started = Instant::now();
    let answer = run(&["prove", work, "-o", proof, "--format", "json"]).json();
    let seconds = started.elapsed().as_secs_f64();
    eprintln!(
        "{} cycles of {work} proved in {seconds:.1} s",
        answer["cycles"]
    );
    answer
}

/// Proves each block of a batch, what composes them, and a range of this batch alone.
fn prove_blocks(run: &dyn Fn(&[&str]) -> Ran, two: &str) {
    assert_eq!(run(&["split", two, "-o", "."]).code, 0);
    assert_eq!(run(&["compose", two, "-o", "range.work"]).code, 0);
    let works = [
        ("block-0.work", "b0"),
        ("block-1.work", "b1"),
        ("whole.work", "whole"),
        ("range.work", "range"),
    ];
    for (work, proof) in works {
        let _ = prove(run, work, proof);
    }
}

/// Verifies a proof with parts and demands.
fn verify(run: &dyn Fn(&[&str]) -> Ran, proof: &str, parts: &[&str], more: &[&str]) -> Ran {
    let parts = match parts {
        [] => Vec::new(),
        parts => [&["--parts"], parts].concat(),
    };
    run(&[&["verify", proof, "--format", "json"], more, &parts[..]].concat())
}

/// A block by itself, and the batch by its blocks, as if the batch itself had been proved.
fn verify_blocks(run: &dyn Fn(&[&str]) -> Ran, out: &Value) {
    let block = verify(run, "b0", &[], &["--input", "block-0.work"]).json();
    assert_eq!(block["kind"], "rollup-batch");
    assert_eq!(block["parts"], 0);
    assert_eq!(block["claim"]["post_block"], out["claim"]["first_block"]);
    for other in ["block-1.work", "whole.work"] {
        verify(run, "b0", &[], &["--input", other]).assert_error_json(5, 614);
    }

    let all = ["b0", "b1"];
    for source in [["--input", "whole.work"], ["--out", "two.json"]] {
        let whole = verify(run, "whole", &all, &source).json();
        assert_eq!(whole["claim"], out["claim"]);
        assert_eq!(whole["parts"], 2);
    }
    let digest_only = verify(run, "whole", &all, &[]).json();
    assert_eq!(digest_only["claim"], Value::Null);
    assert_eq!(digest_only["digest"], out["digest"]);
    for source in [["--out", "out.json"], ["--input", "range.work"]] {
        verify(run, "whole", &all, &source).assert_error_json(5, 614);
    }
    let refused: [&[&str]; 5] = [
        &[],
        &["b1", "b0"],
        &["b0"],
        &["b0", "batch.proof"],
        // Itself says nothing of its parts.
        &["whole"],
    ];
    for parts in refused {
        verify(run, "whole", parts, &["--out", "two.json"]).assert_error_json(5, 620);
    }
    verify(run, "whole", &["absent"], &[]).assert_error_json(6, 201);
    let no_proof = verify(run, "whole", &["block-1.work"], &[]);
    no_proof.assert_error_json(6, 407);
    assert!(
        no_proof.stderr.contains("in block-1.work"),
        "{}",
        no_proof.stderr
    );
}

/// A range whose part is a composition, which proves nothing without its own parts.
fn verify_range(run: &dyn Fn(&[&str]) -> Ran, out: &Value) {
    let source = ["--input", "range.work"];
    let range = verify(run, "range", &["b0", "b1", "whole"], &source).json();
    assert_eq!(
        range["claim"]["post_block_hash"],
        out["claim"]["post_block_hash"]
    );
    verify(run, "range", &["b0", "b1"], &source).assert_error_json(5, 620);
    let human = run(&["verify", "range", "--parts", "whole"]);
    human.assert_error(5, 620);
    let said = "its own parts are not before it\n  in whole\n";
    assert!(human.stderr.contains(said), "{}", human.stderr);
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
