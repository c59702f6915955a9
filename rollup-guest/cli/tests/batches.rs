//! Batches: chains made up by a seed, batches cut into blocks, batches composed to ranges.

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use common::world::World;
use common::{Ran, batch, folder, names, rollup};
use serde_json::Value;
use zkvm_rollup_node::generate::{Feature, Generator};
use zkvm_rollup_node::work::Work;
use zkvm_rollup_stf::chain::{ChainConfig, Fork};
use zkvm_rollup_stf::claim::BlockInput;
use zkvm_rollup_stf::rollup::Verdict;
use zkvm_rollup_stf::witness::Witness;

/// All files of a folder.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let read = |name: String| (name.clone(), fs::read(folder.join(name)).unwrap());
    names(folder).into_iter().map(read).collect()
}

/// Makes a chain with one batch of each verdict; returns the answer's list.
fn one_of_each(folder: &Path) -> Vec<Value> {
    let made = rollup(folder, &["make-chain", "-o", "chain", "--format", "json"]);
    made.json()["batches"].as_array().unwrap().clone()
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap()
}

/// A work file of a batch of two blocks that is made by hand.
fn work_of(world: &World) -> Work {
    batch::work_of(world, &world.post(world.usual()), 7)
}

/// A work file that is not of a batch.
fn ethereum_block() -> Vec<u8> {
    let input = BlockInput {
        chain: ChainConfig::always(1, Fork::Prague),
        block: b"a block",
        witness: Witness {
            nodes: Vec::new(),
            codes: Vec::new(),
            headers: Vec::new(),
        },
    };
    Work::block(&input).unwrap().to_bytes()
}

#[test]
fn a_seed_gives_the_same_files_and_another_one_others() {
    let folder = folder();
    let make = |seed: &str, batches: &[&str], output: &str| {
        let arguments = ["make-chain", "--seed", seed, "-o", output];
        let ran = rollup(folder.path(), &[&arguments, batches].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stderr.contains("for tests only"), "{}", ran.stderr);
        let made = files(&folder.path().join(output));
        assert_eq!(ran.stdout.lines().count(), made.len());
        made
    };
    for batches in [&[][..], &["--batches", "5"]] {
        let first = make("11", batches, "first");
        let count = if batches.is_empty() { 12 } else { 5 };
        assert_eq!(first.len(), count);
        assert_eq!(first, make("11", batches, "again"));
        let other = make("12", batches, "other");
        assert!(first.keys().eq(other.keys()));
        assert_ne!(first, other);
        for output in ["first", "again", "other"] {
            fs::remove_dir_all(folder.path().join(output)).unwrap();
        }
    }
    // A longer chain begins as a shorter one.
    let short = make("13", &["--batches", "2"], "short");
    let long = make("13", &["--batches", "4"], "long");
    assert!(short.iter().all(|(name, bytes)| long[name] == *bytes));
}

#[test]
fn a_chain_has_one_batch_of_each_verdict_and_exec_finds_it() {
    let folder = folder();
    let made = one_of_each(folder.path());
    let verdicts = made.iter().map(|batch| text(batch, "verdict"));
    assert!(verdicts.eq(Verdict::ALL.map(Verdict::name)));
    let mut before = Value::Null;
    for batch in &made {
        let ran = rollup(folder.path(), &["exec", text(batch, "path")]);
        let line = format!("\nverdict            {}\n", text(batch, "verdict"));
        assert!(ran.stdout.contains(&line), "{}", ran.stdout);
        let ran = rollup(
            folder.path(),
            &["exec", text(batch, "path"), "--format", "json"],
        );
        let executed = ran.json();
        assert_eq!(executed["kind"], "rollup-batch");
        assert_eq!(executed["claim"]["verdict"], batch["verdict"]);
        assert_eq!(executed["digest"], batch["digest"]);
        let journal = format!("0x{}", text(&executed, "journal"));
        assert_eq!(journal, text(batch, "digest"));
        // Each builds on the one before it.
        if !before.is_null() {
            assert_eq!(executed["claim"]["pre_block_hash"], before);
        }
        before = executed["claim"]["post_block_hash"].clone();
    }
}

#[test]
fn no_batches_and_numbers_that_are_none_are_wrong_usage() {
    let folder = folder();
    for arguments in [
        &["--batches", "0"][..],
        &["--batches", "70000"],
        &["--batches", "-1"],
        &["--seed", "one"],
    ] {
        let arguments = [&["make-chain", "-o", "out"][..], arguments].concat();
        let ran = rollup(folder.path(), &arguments);
        assert_eq!(ran.code, 2, "{}", ran.stderr);
    }
    let nowhere = rollup(folder.path(), &["make-chain"]);
    assert_eq!(nowhere.code, 2, "{}", nowhere.stderr);
    assert_eq!(names(folder.path()), [""; 0]);
}

/// Cuts a batch, and checks that the answer's files are all there are; returns the answer.
fn split(folder: &Path, work: &str, output: &str) -> Value {
    let ran = rollup(folder, &["split", work, "-o", output, "--format", "json"]);
    let answer = ran.json();
    let blocks = answer["blocks"].as_array().unwrap();
    let mut paths: Vec<&str> = blocks.iter().map(|it| text(it, "path")).collect();
    paths.extend(answer["whole"].as_str());
    let expected = names(&folder.join(output));
    let expected = expected.iter().map(|name| format!("{output}/{name}"));
    assert!(expected.eq(paths), "{answer}");
    assert_eq!(
        ran.stderr.contains("do not compose"),
        answer["whole"].is_null()
    );
    answer
}

#[test]
fn a_batch_is_cut_into_blocks_that_lead_to_where_it_leads() {
    let folder = folder();
    let run = |arguments: &[&str]| -> Ran { rollup(folder.path(), arguments) };
    let answer = run(&[
        "make-chain",
        "--seed",
        "100",
        "--batches",
        "30",
        "-o",
        "chain",
        "--format",
        "json",
    ]);
    let made = answer.json()["batches"].as_array().unwrap().clone();
    let mut cut = 0;
    for (index, batch) in made.iter().enumerate() {
        let is_accepted = ["ok", "mode"].contains(&text(batch, "verdict"));
        if !is_accepted || batch["blocks"].as_u64().unwrap() < 2 {
            continue;
        }
        let claim = run(&["exec", text(batch, "path"), "--format", "json"]).json();
        let output = format!("blocks-{index}");
        let answer = split(folder.path(), text(batch, "path"), &output);
        assert_eq!(answer["verdict"], batch["verdict"]);
        let blocks = answer["blocks"].as_array().unwrap();
        assert_eq!(batch["blocks"], blocks.len());
        let mut hash = claim["claim"]["pre_block_hash"].clone();
        for (number, block) in blocks.iter().enumerate() {
            let ran = run(&["exec", text(block, "path"), "--format", "json"]);
            let said = format!("of it    block {number}\n");
            assert!(ran.stderr.contains(&said), "{}", ran.stderr);
            let executed = &ran.json()["claim"];
            assert_eq!(executed["verdict"], "ok");
            assert_eq!(executed["pre_block_hash"], hash);
            assert_eq!(executed["post_block_hash"], block["post_block_hash"]);
            hash = executed["post_block_hash"].clone();
        }
        assert_eq!(hash, claim["claim"]["post_block_hash"]);
        let whole = run(&["exec", text(&answer, "whole"), "--format", "json"]);
        let whole = whole.json();
        assert_eq!(whole["kind"], "rollup-range");
        assert_eq!(whole["claim"], claim["claim"]);
        assert_eq!(whole["digest"], claim["digest"]);
        cut += 1;
    }
    assert!(cut > 1, "{cut} batches of several blocks");
}

#[test]
fn a_refused_batch_is_cut_up_to_the_block_that_breaks_a_rule_or_not_at_all() {
    let folder = folder();
    let (mut whole, mut executed, mut refused) = (0, 0, 0);
    for batch in one_of_each(folder.path()) {
        let (path, verdict) = (text(&batch, "path"), text(&batch, "verdict"));
        match verdict {
            "ok" | "mode" => {
                let answer = split(folder.path(), path, verdict);
                assert_eq!(answer["verdict"], verdict);
                assert!(answer["whole"].is_string(), "{answer}");
                whole += 1;
            }
            "order" | "transaction" | "gas" | "zk-gas" => {
                let answer = split(folder.path(), path, verdict);
                assert_eq!(answer["verdict"], verdict);
                assert_eq!(answer["whole"], Value::Null);
                let last = answer["blocks"].as_array().unwrap().last().unwrap();
                assert_eq!(last["verdict"], verdict);
                executed += 1;
            }
            _ => {
                let ran = rollup(folder.path(), &["split", path, "-o", verdict]);
                ran.assert_error(6, 618);
                assert!(ran.stderr.contains(&format!(": {verdict}\n")));
                assert!(!folder.path().join(verdict).exists());
                refused += 1;
            }
        }
    }
    assert_eq!((whole, executed, refused), (2, 4, 6));
}

/// No block takes too much to prove, but all of them together do.
#[test]
fn blocks_that_are_too_much_together_are_not_said_to_compose() {
    let folder = folder();
    let mut world = World::new();
    // Two transactions of 21,000 gas, then one that names 100,000, each with 30,000 besides.
    let most = 2 * 51_000 + 130_000;
    for (limit, verdict) in [(most, "ok"), (most - 1, "zk-gas")] {
        world.config.zk_gas_limit = limit;
        fs::write(folder.path().join("two.work"), work_of(&world).to_bytes()).unwrap();
        let answer = split(folder.path(), "two.work", verdict);
        assert_eq!(answer["verdict"], verdict);
        assert_eq!(answer["whole"].is_null(), verdict != "ok");
        let blocks = answer["blocks"].as_array().unwrap();
        let verdicts = blocks.iter().map(|it| text(it, "verdict"));
        assert!(verdicts.eq(["ok", "ok"]), "{answer}");
    }
}

#[test]
fn consecutive_batches_compose_to_a_range() {
    let folder = folder();
    let run = |arguments: &[&str]| -> Ran { rollup(folder.path(), arguments) };
    let made = one_of_each(folder.path());
    let path = |index: usize| text(&made[index], "path");
    let prover = "0x7777777777777777777777777777777777777777";
    let composed = run(&[
        "compose",
        path(0),
        path(1),
        path(2),
        "-o",
        "range.work",
        "--prover",
        prover,
        "--format",
        "json",
    ])
    .json();
    assert_eq!(composed["path"], "range.work");
    let executed = run(&["exec", "range.work", "--format", "json"]).json();
    for field in ["kind", "claim", "digest", "parts_hash", "journal"] {
        assert_eq!(executed[field], composed[field]);
    }
    let claim = |index: usize| run(&["exec", path(index), "--format", "json"]).json();
    let (first, last, range) = (claim(0), claim(2), &executed["claim"]);
    assert_eq!(
        (&range["first_batch"], &range["last_batch"]),
        (&0.into(), &2.into())
    );
    for field in ["domain", "pre_block_hash", "pre_state_root", "first_block"] {
        assert_eq!(range[field], first["claim"][field], "{field}");
    }
    for field in [
        "batch_hash",
        "post_block_hash",
        "post_state_root",
        "last_block",
    ] {
        assert_eq!(range[field], last["claim"][field], "{field}");
    }
    assert_eq!(range["outs_hash"], executed["parts_hash"]);
    assert_eq!(range["prover"], prover);
    let human = run(&["exec", "range.work"]);
    assert!(human.stderr.contains("outputs  3\n"), "{}", human.stderr);
    assert!(
        human.stdout.contains("\nlast_batch         2\n"),
        "{}",
        human.stdout
    );

    // One alone is a range of one.
    let one = run(&["compose", path(4), "-o", "one.work", "--format", "json"]).json();
    assert_eq!(
        (&one["claim"]["first_batch"], &one["claim"]["last_batch"]),
        (&4.into(), &4.into())
    );
}

#[test]
fn batches_that_do_not_follow_each_other_are_named() {
    let folder = folder();
    let made = one_of_each(folder.path());
    let other = ["make-chain", "--seed", "5", "-q", "-o", "other"];
    assert_eq!(rollup(folder.path(), &other).code, 0);
    let path = |index: usize| text(&made[index], "path");
    let cases: [(&[&str], usize, &str); 4] = [
        (&[path(0), path(2)], 1, "batch_index"),
        (&[path(0), path(1), path(0)], 2, "batch_index"),
        (&[path(0), path(0)], 1, "batch_index"),
        // Both are small, by the same rules on the same first block; but the batches differ.
        (&[path(0), "other/batch-1.work"], 1, ""),
    ];
    for (files, position, field) in cases {
        let arguments = [&["compose"], files, &["-o", "range.work"]].concat();
        let ran = rollup(folder.path(), &arguments);
        ran.assert_error(6, 617);
        let said = format!("output {position} ");
        assert!(ran.stderr.contains(&said), "{}", ran.stderr);
        assert!(ran.stderr.contains(field), "{}", ran.stderr);
        let named = format!("in {}\n", files[position]);
        assert!(ran.stderr.contains(&named), "{}", ran.stderr);
    }
    assert_eq!(names(folder.path()), ["chain", "other"]);
    let nothing = rollup(folder.path(), &["compose", "-o", "range.work"]);
    assert_eq!(nothing.code, 2, "{}", nothing.stderr);
}

#[test]
fn only_whole_batches_are_cut_and_composed() {
    let folder = folder();
    let run = |arguments: &[&str]| -> Ran { rollup(folder.path(), arguments) };
    let made = one_of_each(folder.path());
    let batch = text(&made[0], "path");
    let _ = split(folder.path(), batch, "blocks");
    fs::write(folder.path().join("block.work"), ethereum_block()).unwrap();
    for (file, what) in [
        ("block.work", "a block of Ethereum"),
        ("blocks/block-0.work", "some blocks of a batch"),
        ("blocks/whole.work", "a composition"),
    ] {
        for ran in [
            run(&["split", file, "-o", "out"]),
            run(&["compose", file, "-o", "out"]),
            run(&["compose", batch, file, "-o", "out"]),
        ] {
            ran.assert_error(6, 619);
            let said = format!("{file} is work of {what}");
            assert!(ran.stderr.contains(&said), "{}", ran.stderr);
        }
    }
    assert_eq!(names(folder.path()), ["block.work", "blocks", "chain"]);
}

#[test]
fn damaged_and_incomplete_files_are_refused_and_nothing_is_written() {
    let folder = folder();
    let run = |arguments: &[&str]| -> Ran { rollup(folder.path(), arguments) };
    let world = World::new();
    let whole = work_of(&world).to_bytes();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    let write = |name: &str, bytes: &[u8]| fs::write(folder.path().join(name), bytes).unwrap();
    write("changed", &changed);
    write("cut", &whole[..whole.len() / 2]);
    write("text", b"no work");
    for name in ["changed", "cut", "text"] {
        run(&["split", name, "-o", "out"]).assert_error(6, 602);
        run(&["compose", name, "-o", "out"]).assert_error(6, 602);
    }
    run(&["split", "absent", "-o", "out"]).assert_error(6, 201);
    run(&["compose", "absent", "-o", "out"]).assert_error(6, 201);

    let mut poor = World::new();
    poor.store = Default::default();
    write("poor", &work_of(&poor).to_bytes());
    run(&["split", "poor", "-o", "out"]).assert_error(6, 604);
    let ran = run(&["compose", "poor", "-o", "out"]);
    ran.assert_error(6, 604);
    assert!(ran.stderr.contains("in poor\n"), "{}", ran.stderr);
    assert_eq!(names(folder.path()), ["changed", "cut", "poor", "text"]);
}

#[test]
fn a_folder_gets_all_files_or_none() {
    let folder = folder();
    let at = |name: &str| folder.path().join(name);
    let run = |arguments: &[&str]| -> Ran { rollup(folder.path(), arguments) };
    fs::write(at("two.work"), work_of(&World::new()).to_bytes()).unwrap();
    let make = |output| run(&["make-chain", "--batches", "3", "-o", output]);
    let cut = |output| run(&["split", "two.work", "-o", output]);

    // A file in the folder's place, or a place where there can be no folder.
    for output in ["two.work", "two.work/below", "/proc/nowhere"] {
        for ran in [make(output), cut(output)] {
            ran.assert_error(6, 201);
            assert!(ran.stderr.contains(output), "{}", ran.stderr);
        }
    }
    let ran = run(&["compose", "two.work", "-o", "no/folder/range.work"]);
    ran.assert_error(6, 201);
    assert!(
        ran.stderr.contains("no/folder is not a folder"),
        "{}",
        ran.stderr
    );

    // Something that no file can replace.
    fs::create_dir_all(at("taken/block-1.work")).unwrap();
    fs::create_dir_all(at("taken/batch-2.work")).unwrap();
    make("taken").assert_error(6, 201);
    cut("taken").assert_error(6, 201);
    assert_eq!(names(&at("taken")), ["batch-2.work", "block-1.work"]);

    // Folders that are there are used, and files of the same names replaced.
    fs::create_dir(at("used")).unwrap();
    fs::write(at("used/notes"), "mine").unwrap();
    fs::write(at("used/batch-1.work"), "old").unwrap();
    assert_eq!(make("used").code, 0);
    assert_eq!(make("used").code, 0);
    assert_eq!(make("deep/down").code, 0);
    assert_eq!(cut("used").code, 0);
    let expected = [
        "batch-0.work",
        "batch-1.work",
        "batch-2.work",
        "block-0.work",
        "block-1.work",
        "notes",
        "whole.work",
    ];
    assert_eq!(names(&at("used")), expected);
    let read = |name| fs::read(at(name)).unwrap();
    assert_eq!(read("used/batch-1.work"), read("deep/down/batch-1.work"));

    // Files of a longer series, or of a batch that composed, would stay and be taken for its own.
    for (stale, command) in [
        ("batch-7.work", "make-chain"),
        ("block-2.work", "split"),
        ("block-07.work", "split"),
    ] {
        fs::create_dir(at("stale")).unwrap();
        fs::write(at("stale").join(stale), "old").unwrap();
        let ran = if command == "split" {
            cut("stale")
        } else {
            make("stale")
        };
        ran.assert_error(6, 621);
        assert!(ran.stderr.contains(stale), "{}", ran.stderr);
        assert_eq!(names(&at("stale")), [stale]);
        fs::remove_dir_all(at("stale")).unwrap();
    }
    let mut world = World::new();
    world.config.zk_gas_limit = 1;
    fs::write(at("refused.work"), work_of(&world).to_bytes()).unwrap();
    let before = files(&at("used"));
    let ran = run(&["split", "refused.work", "-o", "used"]);
    ran.assert_error(6, 621);
    assert_eq!(files(&at("used")), before);
}

/// As on a full disk: files can be no longer than 512 or 1,024 bytes, and the last one is.
#[cfg(unix)]
#[test]
fn a_file_that_cannot_be_written_whole_leaves_nothing_behind() {
    let folder = folder();
    let limited = |arguments: &[&str]| {
        let command = env!("CARGO_BIN_EXE_zkvm-rollup");
        let script = r#"trap "" XFSZ; ulimit -f 1; exec "$0" "$@""#;
        let mut shell = Command::new("sh");
        let _ = shell
            .current_dir(folder.path())
            .args(["-c", script, command]);
        shell.args(arguments).output().unwrap()
    };
    fs::write(
        folder.path().join("two.work"),
        work_of(&World::new()).to_bytes(),
    )
    .unwrap();
    fs::create_dir(folder.path().join("used")).unwrap();
    fs::write(folder.path().join("used/batch-0.work"), "old").unwrap();
    for arguments in [
        &["make-chain", "-o", "new"][..],
        &["make-chain", "-o", "used"],
        &["split", "two.work", "-o", "new"],
        &["compose", "two.work", "-o", "range.work"],
    ] {
        let output = limited(arguments);
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(6), "{stderr}");
        assert!(stderr.contains("error[ZK0201]"), "{stderr}");
        assert_eq!(names(folder.path()), ["two.work", "used"]);
        let used = files(&folder.path().join("used"));
        let old = BTreeMap::from([("batch-0.work".to_owned(), b"old".to_vec())]);
        assert_eq!(used, old);
    }
}

/// The hashes are those of the transactions that are executed, forced ones first.
#[test]
fn simulate_names_the_transactions_of_a_batch() {
    let mut generator = Generator::new(100).unwrap();
    let wanted = [Feature::Blocks, Feature::ForcedPaid];
    let batch = (0..200)
        .map(|_| generator.next_with(Verdict::Ok).unwrap())
        .find(|it| wanted.iter().all(|feature| it.features.contains(feature)))
        .unwrap();
    let folder = folder();
    let work = Work::batch(&batch.input.borrow()).unwrap();
    fs::write(folder.path().join("batch.work"), work.to_bytes()).unwrap();
    let _ = split(folder.path(), "batch.work", "blocks");
    let hashes = |work: &str| -> Vec<String> {
        let ran = rollup(folder.path(), &["simulate", work, "--format", "json"]);
        let spans = ran.json()["spans"].as_array().unwrap().clone();
        let hashes = spans.iter().map(|span| &span["transaction_hash"]);
        hashes
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect()
    };
    let of_whole = hashes("batch.work");
    let executed = batch.transactions.iter().map(ToString::to_string);
    for hash in executed {
        assert_eq!(
            of_whole.iter().filter(|it| **it == hash).count(),
            1,
            "{hash}"
        );
    }
    let of_blocks = (0..batch.blocks.len()).map(|at| hashes(&format!("blocks/block-{at}.work")));
    assert_eq!(of_blocks.collect::<Vec<_>>().concat(), of_whole);

    let ran = rollup(folder.path(), &["simulate", "batch.work"]);
    let lines: Vec<&str> = ran.stdout.lines().collect();
    for hash in of_whole {
        let line = lines.iter().find(|line| line.ends_with(&hash)).unwrap();
        assert!(line.starts_with("  transaction "), "{line}");
    }
}
