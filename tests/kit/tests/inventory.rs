//! The inventory of bug classes, `docs/spec/soundness.md`, names tests that exist.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn read(path: &str) -> String {
    let text = fs::read_to_string(root().join(path));
    text.unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// What stands between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// A row of one of the page's tables.
struct Class {
    name: String,
    guard: String,
    tests: String,
}

fn classes() -> Vec<Class> {
    let page = read("docs/spec/soundness.md");
    let rows = page.lines().filter(|line| line.starts_with('|'));
    let rows = rows.filter(|line| !line.starts_with("|---") && !line.starts_with("| class |"));
    let classes = rows.map(|line| {
        let inner = line
            .strip_prefix('|')
            .and_then(|rest| rest.strip_suffix('|'));
        let cells: Vec<_> = inner.unwrap_or(line).split('|').map(str::trim).collect();
        let [name, guard, tests] = cells[..] else {
            panic!("a row has three cells: {line}")
        };
        let [name, guard, tests] = [name, guard, tests].map(str::to_owned);
        Class { name, guard, tests }
    });
    classes.collect()
}

/// Whether `source` has a test of this name that always runs.
fn has_test(source: &str, name: &str) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let head = format!("fn {name}()");
    lines.iter().enumerate().any(|(at, line)| {
        let attributes = lines[..at].iter().rev();
        let mut attributes = attributes.take_while(|line| line.starts_with("#["));
        let mut is_ignored = false;
        let mut is_test = false;
        attributes.by_ref().for_each(|line| {
            is_ignored |= line.starts_with("#[ignore");
            is_test |= *line == "#[test]";
        });
        line.starts_with(&head) && is_test && !is_ignored
    })
}

#[test]
fn every_class_of_bugs_has_a_test_or_a_reason() {
    let classes = classes();
    let mut names = BTreeSet::new();
    let mut tests = BTreeSet::new();
    for Class {
        name,
        guard,
        tests: cell,
    } in &classes
    {
        assert!(names.insert(name), "{name}: twice");
        if let Some(reason) = cell.strip_prefix("does not apply: ") {
            assert!(reason.len() > 10, "{name}: no reason");
            continue;
        }
        let named: Vec<&str> = quoted(cell).collect();
        assert!(!named.is_empty(), "{name}: no test and no reason");
        for test in named {
            let (path, function) = test
                .split_once("::")
                .unwrap_or_else(|| panic!("{name}: {test} is no path::test"));
            let found = has_test(&read(path), function);
            assert!(found, "{name}: {path} has no test {function}");
            let _ = tests.insert(test.to_owned());
        }
        // What keeps it out is a file, if it is a file's.
        let guards = quoted(guard).filter(|guard| guard.contains('/') || guard.ends_with(".lock"));
        for guard in guards {
            assert!(root().join(guard).is_file(), "{name}: no file {guard}");
        }
        assert!(guard.len() > 5, "{name}: what keeps it out?");
    }
    // A table that is not read any more would be a table without failures.
    assert!(classes.len() >= 80, "{} classes", classes.len());
    assert!(tests.len() >= 100, "{} tests", tests.len());
}

/// Some classes are kept out by checks of the proof system's crates. Another version is to be looked
/// at for them before it is written here.
#[test]
fn the_proof_system_below_is_the_reviewed_version() {
    const REVIEWED: &str = "0.9.0-rc.2";
    let lock = read("Cargo.lock");
    let mut found = BTreeSet::new();
    for package in lock.split("[[package]]") {
        let field = |name: &str| {
            let mut lines = package.lines();
            lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "))
        };
        let name = field("name").map(|name| name.trim_matches('"'));
        if let Some(name) = name.filter(|name| name.starts_with("p3-")) {
            let version = field("version").map(|version| version.trim_matches('"'));
            assert_eq!(version, Some(REVIEWED), "{name}");
            let source = field("source").unwrap_or_default();
            assert!(source.contains("registry"), "{name} is of {source}");
            let _ = found.insert(name);
        }
    }
    for name in ["p3-fri", "p3-merkle-tree", "p3-challenger", "p3-symmetric"] {
        assert!(found.contains(name), "no {name}");
    }
}

/// The variants of an enumeration.
fn variants<'a>(source: &'a str, name: &str) -> Vec<&'a str> {
    let lines = source.lines();
    let mut lines = lines.skip_while(|line| !line.starts_with(&format!("pub enum {name} {{")));
    assert!(lines.next().is_some(), "no {name}");
    let lines = lines.take_while(|line| *line != "}");
    let names = lines.filter_map(|line| {
        let line = line.strip_prefix("    ")?;
        let is_variant = line.starts_with(|first: char| first.is_ascii_uppercase());
        is_variant.then(|| line.split([' ', '(', ',']).next().unwrap_or_default())
    });
    names.collect()
}

#[test]
fn every_refusal_of_a_proof_is_named_in_a_test() {
    const TESTS: [&str; 6] = [
        "prover/execution/tests/adder.rs",
        "prover/execution/tests/attack.rs",
        "prover/stark/tests/failing.rs",
        "prover/stark/tests/toy.rs",
        "tests/proofs/tests/injection.rs",
        "tests/proofs/tests/segments_attacks.rs",
    ];
    // The enumerations, by module.
    const REFUSALS: [(&str, &str); 4] = [
        ("prover/verifier/src/verify.rs", "VerifyError"),
        ("prover/verifier/src/key.rs", "KeyError"),
        ("prover/statement/src/verify.rs", "VerifyError"),
        ("prover/statement/src/proof.rs", "DecodeError"),
    ];
    let mut tests: Vec<String> = TESTS.iter().map(|path| read(path)).collect();
    for (path, _) in REFUSALS {
        let source = read(path);
        let own = source.split_once("#[cfg(test)]").map(|(_, tests)| tests);
        tests.extend(own.map(str::to_owned));
    }
    let tests = tests.concat();
    let names: BTreeSet<&str> = tests
        .split(|c: char| !c.is_ascii_alphanumeric() && c != ':')
        .filter_map(|path| path.rsplit_once("Error::").map(|(_, variant)| variant))
        .collect();
    for (path, name) in REFUSALS {
        let source = read(path);
        let variants = variants(&source, name);
        assert!(variants.len() >= 5, "{variants:?}");
        for variant in variants {
            assert!(names.contains(variant), "{path}: {name}::{variant}");
        }
    }
}
