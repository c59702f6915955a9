//! Honest executions satisfy every constraint of every row, and every bus balances.

use std::collections::BTreeSet;

use p3_field::PrimeCharacteristicRing;
use zkvm_air::F;
use zkvm_isa::Chip;
use zkvm_machine::{Input, Program, SegmentLimits};
use zkvm_proofs_tests::programs::{edges, generated, hint_reader, program, tour};
use zkvm_proofs_tests::whole::{HINTS, ROWS_LEAST, SHORT, Whole, hints};

/// Checks the honest traces of `program`.
#[track_caller]
fn balanced(name: &str, program: Program) -> Whole {
    let whole = Whole::new(program).unwrap_or_else(|error| panic!("{name}: {}", error.what));
    let report = whole.report();
    assert!(report.failures.is_empty(), "{name}:\n{report}");
    whole
}

/// The chips that an execution does not use, but for those of precompiles.
fn unused(whole: &Whole) -> BTreeSet<String> {
    let last = whole.segments.len() - 1;
    let of_precompiles = Chip::ALL
        .into_iter()
        .filter(|chip| chip.is_of_precompile())
        .map(Chip::name);
    let of_precompiles: BTreeSet<&str> = of_precompiles.collect();
    let chips = whole.chips(last).iter().zip(whole.traces(last));
    let chips = chips.filter(|(chip, _)| !of_precompiles.contains(&*chip.description.name));
    let unused = chips.filter(|(_, trace)| trace.iter().flatten().all(|cell| *cell == F::ZERO));
    unused
        .map(|(chip, _)| chip.description.name.clone())
        .collect()
}

/// Checks the generated programs of `seeds`; together they must use every chip but that of hints.
#[track_caller]
fn generated_balance(seeds: impl Iterator<Item = u64>) {
    let mut missing: Option<BTreeSet<String>> = None;
    for seed in seeds {
        let generated = generated(seed);
        let whole = balanced(&format!("seed {seed}"), program(&generated.elf));
        assert_eq!(whole.exit_code, generated.exit_code, "seed {seed}");
        assert_eq!(whole.journal.len(), 8, "seed {seed}");
        let unused = unused(&whole);
        missing = Some(match missing {
            Some(missing) => missing.intersection(&unused).cloned().collect(),
            None => unused,
        });
    }
    let expected = Some(["hint".to_owned()].into());
    assert_eq!(missing, expected, "no program uses these chips");
}

#[test]
fn fifty_generated_programs_with_compressed_instructions_balance() {
    generated_balance((0..100).step_by(2));
}

#[test]
fn fifty_generated_programs_without_compressed_instructions_balance() {
    generated_balance((1..100).step_by(2));
}

#[test]
fn edge_programs_balance() {
    let mut count = 0;
    for edge in edges() {
        let whole = balanced(&edge.name, program(&edge.elf));
        assert_eq!(whole.exit_code, 0, "{}", edge.name);
        assert_eq!(whole.journal, edge.expected_journal(), "{}", edge.name);
        count += 1;
    }
    assert!(count > 70, "{count} balance");
}

#[test]
fn the_tour_balances_and_uses_every_chip() {
    let whole = balanced("tour", tour());
    assert_eq!(unused(&whole), BTreeSet::new());
}

#[test]
fn programs_that_read_hints_balance() {
    let lengths: [&[u64]; 5] = [
        &[0, 1, 7, 8, 9, 3, 2, 100],
        &[16, 1, 1 << 16, 1 << 16],
        &[1 << 16],
        &[33, 5, 0],
        &[34],
    ];
    for lengths in lengths {
        let whole = balanced(&format!("{lengths:?}"), hint_reader(lengths));
        let mut left = HINTS;
        for (place, length) in whole.journal.chunks(48).zip(lengths) {
            let count = left.len().min(*length as usize);
            let (read, rest) = left.split_at(count);
            left = rest;
            let mut expected = [0xff; 48];
            expected[..8].copy_from_slice(&(count as u64).to_le_bytes());
            expected[8..8 + count.next_multiple_of(8)].fill(0);
            expected[8..8 + count].copy_from_slice(read);
            assert_eq!(place, expected, "{lengths:?}");
        }
        assert_eq!(whole.journal.len(), 48 * lengths.len());
    }
}

/// Checks the honest traces of `program` in segments within `limits`.
#[track_caller]
fn balanced_cut(name: &str, program: Program, limits: &SegmentLimits) -> Whole {
    let whole = Whole::cut(program, &hints(), limits);
    let whole = whole.unwrap_or_else(|error| panic!("{name}: {}", error.what));
    let report = whole.report();
    assert!(report.failures.is_empty(), "{name}:\n{report}");
    whole
}

#[test]
fn generated_programs_in_many_segments_balance() {
    let (mut segments, mut words) = (0, 0);
    for seed in 0..12 {
        let generated = generated(seed);
        let limits = SegmentLimits {
            rows_max: if seed % 3 == 0 { ROWS_LEAST } else { 1 << 20 },
            cycles_max: SHORT.cycles_max + 100 * (seed as u32 % 4),
            ..SHORT
        };
        let whole = balanced_cut(&format!("seed {seed}"), program(&generated.elf), &limits);
        assert_eq!(whole.exit_code, generated.exit_code, "seed {seed}");
        segments += whole.segments.len();
        words += whole.words.len();
    }
    eprintln!("{segments} segments, {words} parts of words");
    assert!(segments > 24, "{segments} segments");
}

#[test]
fn programs_that_never_journal_or_read_hints_balance() {
    let whole = Whole::cut(tour(), &Input::default(), &SHORT);
    let whole = whole.unwrap_or_else(|error| panic!("{}", error.what));
    let report = whole.report();
    assert!(report.failures.is_empty(), "{report}");
}
