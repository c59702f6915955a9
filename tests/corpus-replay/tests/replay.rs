//! Replays the fuzzers' corpora and mutates them, without libFuzzer.
//!
//! A new finding goes to `tests/fuzz/corpus/<target>` under the name of its bug; while the bug is
//! open, to `tests/fuzz/known/<target>`, where this test wants it to fail.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use zkvm_corpus_replay::{
    Run, TEXT_SPAN_FUZZED_BYTES_MAX, Violation, check_decode, check_execute, check_load,
    text_span_bytes,
};
use zkvm_machine::Exit;
use zkvm_testkit::rng::Rng;

/// Mutated inputs of each oracle.
const MUTATIONS: u32 = 20_000;
/// When mutating stops although not all is done: the tests run on slow machines too.
const MUTATING_TIME_MAX: Duration = Duration::from_secs(10);
/// How long one input may take before it counts as a hang; most take less than a millisecond.
const INPUT_TIME_MAX: Duration = Duration::from_secs(10);
/// Files and bytes of one corpus.
const CORPUS_FILES_MAX: usize = 250;
const CORPUS_BYTES_MAX: usize = 1 << 20;
const MUTANT_BYTES_MAX: usize = 1 << 14;

/// An oracle, and in a word what came of an input.
type Oracle = fn(&[u8]) -> Result<&'static str, Violation>;

fn load(bytes: &[u8]) -> Result<&'static str, Violation> {
    Ok(match check_load(bytes)? {
        Err(_) => "no program",
        Ok(run) => outcome(&run),
    })
}

fn execute(bytes: &[u8]) -> Result<&'static str, Violation> {
    check_execute(bytes).map(|run| outcome(&run))
}

fn decode(bytes: &[u8]) -> Result<&'static str, Violation> {
    let (words, _) = bytes.as_chunks();
    for word in words {
        check_decode(u32::from_le_bytes(*word))?;
    }
    Ok("decoded")
}

fn outcome(run: &Run) -> &'static str {
    match run {
        Run::Refused(_) => "refused",
        Run::Executed(execution) => match execution.exit {
            Exit::Halted { .. } => "halted",
            Exit::Faulted(_) => "faulted",
            Exit::CycleLimit => "cycle limit",
            Exit::MemoryLimit => "memory limit",
            Exit::JournalLimit => "journal limit",
        },
    }
}

/// The files of a folder of `tests/fuzz`, by name.
fn files(folder: &str) -> Vec<(String, Vec<u8>)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz");
    let folder = root.join(folder);
    let mut paths: Vec<PathBuf> = fs::read_dir(&folder)
        .map(|entries| {
            entries
                .filter_map(|entry| Some(entry.ok()?.path()))
                .collect()
        })
        .unwrap_or_default();
    paths.sort();
    let read = |path: &PathBuf| {
        let name = path.display().to_string();
        let bytes = fs::read(path).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, bytes)
    };
    paths.iter().map(read).collect()
}

fn replay(target: &str, oracle: Oracle) {
    let corpus = files(&format!("corpus/{target}"));
    let total: usize = corpus.iter().map(|(_, bytes)| bytes.len()).sum();
    assert!(!corpus.is_empty(), "the corpus of {target} is missing");
    assert!(corpus.len() <= CORPUS_FILES_MAX, "{} files", corpus.len());
    assert!(total <= CORPUS_BYTES_MAX, "{total} bytes");
    for (name, bytes) in corpus {
        let started = Instant::now();
        if let Err(violation) = oracle(&bytes) {
            panic!("{name}: {violation}");
        }
        let elapsed = started.elapsed();
        assert!(elapsed <= INPUT_TIME_MAX, "{name} took {elapsed:?}");
    }
}

#[test]
fn the_load_corpus_replays() {
    replay("load", load);
}

#[test]
fn the_execute_corpus_replays() {
    replay("execute", execute);
}

#[test]
fn the_decode_corpus_replays() {
    replay("decode", decode);
}

/// A known bug that no longer shows: move its input to the corpus.
#[test]
fn known_bugs_still_show() {
    for (target, oracle) in [("load", load as Oracle), ("execute", execute)] {
        for (name, bytes) in files(&format!("known/{target}")) {
            match oracle(&bytes) {
                Ok(_) => panic!("{name} passes: move it to tests/fuzz/corpus/{target}"),
                Err(violation) => eprintln!("{name}: {violation}"),
            }
        }
    }
}

/// Mutates the corpus of `target`; returns how many inputs had which outcome.
fn mutate(target: &str, seed: u64, oracle: Oracle) -> BTreeMap<&'static str, u32> {
    eprintln!("{target}: seed {seed}");
    let corpus = files(&format!("corpus/{target}"));
    let mut mutator = Mutator {
        rng: Rng::new(seed),
        corpus: corpus.into_iter().map(|(_, bytes)| bytes).collect(),
    };
    let mut outcomes = BTreeMap::new();
    let started = Instant::now();
    for number in 0..MUTATIONS {
        if started.elapsed() > MUTATING_TIME_MAX {
            eprintln!("{target}: stopped after {number} inputs, for want of time");
            break;
        }
        let input = mutator.next_input();
        if text_span_bytes(&input) > TEXT_SPAN_FUZZED_BYTES_MAX {
            continue;
        }
        match oracle(&input) {
            Ok(outcome) => *outcomes.entry(outcome).or_default() += 1,
            Err(violation) => panic!("{target}, seed {seed}, input {number}: {violation}"),
        }
    }
    eprintln!("{target}: {outcomes:?} in {:?}", started.elapsed());
    outcomes
}

#[test]
fn mutated_files_load_or_fail_cleanly() {
    let outcomes = mutate("load", 0x10ad, load);
    for outcome in ["no program", "halted", "faulted"] {
        assert!(
            outcomes.contains_key(outcome),
            "{outcomes:?} lacks {outcome}"
        );
    }
}

#[test]
fn mutated_guests_execute_within_their_limits() {
    let outcomes = mutate("execute", 0xe8ec, execute);
    for outcome in [
        "halted",
        "faulted",
        "cycle limit",
        "memory limit",
        "journal limit",
    ] {
        assert!(
            outcomes.contains_key(outcome),
            "{outcomes:?} lacks {outcome}"
        );
    }
}

#[test]
fn mutated_words_decode_consistently() {
    let outcomes = mutate("decode", 0xdec0, decode);
    assert!(outcomes.contains_key("decoded"));
}

#[test]
fn every_half_word_decodes_consistently() {
    for half in 0..=u32::from(u16::MAX) {
        for word in [half, half << 16 | 0x3, half << 16 | 0x73, half << 7 | 0x2f] {
            if let Err(violation) = check_decode(word) {
                panic!("{violation}");
            }
        }
    }
}

/// Makes new inputs from those of a corpus.
struct Mutator {
    rng: Rng,
    corpus: Vec<Vec<u8>>,
}

impl Mutator {
    /// An input of the corpus with one to eight changes.
    fn next_input(&mut self) -> Vec<u8> {
        let mut bytes = self.any().to_vec();
        for _ in 0..=self.rng.below(8) {
            self.change(&mut bytes);
        }
        bytes.truncate(MUTANT_BYTES_MAX);
        bytes
    }

    fn any(&mut self) -> &[u8] {
        let index = self.rng.below(self.corpus.len() as u64) as usize;
        &self.corpus[index]
    }

    /// A range of `len` that is not too long; empty if `len` is 0.
    fn range(&mut self, len: usize) -> std::ops::Range<usize> {
        let start = self.rng.below(len as u64 + 1) as usize;
        let length = self.rng.below(32.min(len - start) as u64 + 1) as usize;
        start..start + length
    }

    fn change(&mut self, bytes: &mut Vec<u8>) {
        let kind = self.rng.below(8);
        let range = self.range(bytes.len());
        match kind {
            0 | 1 if !bytes.is_empty() => {
                let at = self.rng.below(bytes.len() as u64) as usize;
                bytes[at] ^= 1 << self.rng.below(8);
            }
            2 if !bytes.is_empty() => {
                let at = self.rng.below(bytes.len() as u64) as usize;
                bytes[at] = self.rng.next_u64() as u8;
            }
            3 => drop(bytes.drain(range)),
            4 => {
                let copy = bytes[range.clone()].to_vec();
                bytes.splice(range.start..range.start, copy);
            }
            5 => {
                let random = self.rng.next_u64().to_le_bytes();
                bytes.splice(range.start..range.start, random);
            }
            6 => {
                // An integer at which something changes, as wide as the fields of a header.
                let values = zkvm_testkit::edge::EDGE_VALUES;
                let value = self.rng.pick(values).to_le_bytes();
                let width = 1 << self.rng.below(4);
                let at = range.start & !(width - 1);
                for (to, from) in bytes.iter_mut().skip(at).zip(&value[..width]) {
                    *to = *from;
                }
            }
            _ => {
                let other = self.any().to_vec();
                let piece = self.range(other.len());
                bytes.splice(range, other[piece].iter().copied());
            }
        }
    }
}
