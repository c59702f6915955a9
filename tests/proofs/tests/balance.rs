//! Honest executions satisfy every constraint of every row, and every bus balances.

use std::collections::BTreeSet;

use p3_field::PrimeCharacteristicRing;
use zkvm_air::F;
use zkvm_machine::Program;
use zkvm_proofs_tests::programs::{edges, generated, has_atomics, program};
use zkvm_proofs_tests::whole::Whole;

/// Checks the honest traces of `program`.
#[track_caller]
fn balanced(name: &str, program: Program) -> Whole {
    let whole = Whole::new(program).unwrap_or_else(|error| panic!("{name}: {}", error.what));
    let report = whole.report();
    assert!(report.failures.is_empty(), "{name}:\n{report}");
    whole
}

/// Checks the generated programs of `seeds`; together they must use every chip.
#[track_caller]
fn generated_balance(seeds: impl Iterator<Item = u64>) {
    let mut unused: Option<BTreeSet<String>> = None;
    for seed in seeds {
        let generated = generated(seed);
        let whole = balanced(&format!("seed {seed}"), program(&generated.elf));
        assert_eq!(whole.claim.exit_code, generated.exit_code, "seed {seed}");
        assert_eq!(whole.claim.journal.len(), 8, "seed {seed}");
        let unused = unused.get_or_insert_with(|| {
            let names = whole.chips.iter().map(|chip| chip.description.name.clone());
            names.collect()
        });
        for (chip, trace) in whole.chips.iter().zip(&whole.traces) {
            let mut cells = trace.iter().flatten();
            if cells.any(|cell| *cell != F::ZERO) {
                let _ = unused.remove(&chip.description.name);
            }
        }
    }
    assert_eq!(unused, Some(BTreeSet::new()), "no program uses these chips");
}

#[test]
fn fifty_generated_programs_with_compressed_instructions_balance_and_use_every_chip() {
    generated_balance((0..100).step_by(2));
}

#[test]
fn fifty_generated_programs_without_compressed_instructions_balance_and_use_every_chip() {
    generated_balance((1..100).step_by(2));
}

#[test]
fn edge_programs_balance_but_for_atomics_which_are_refused() {
    let (mut balance, mut refused) = (0, 0);
    for edge in edges() {
        let program = program(&edge.elf);
        if has_atomics(&program) {
            let error = Whole::new(program).err();
            let what = error.map(|unprovable| unprovable.what);
            let expected = Some("instructions of the chip `atomic`".to_owned());
            assert_eq!(what, expected, "{}", edge.name);
            refused += 1;
        } else {
            let whole = balanced(&edge.name, program);
            assert_eq!(whole.claim.exit_code, 0, "{}", edge.name);
            assert_eq!(
                whole.claim.journal,
                edge.expected_journal(),
                "{}",
                edge.name
            );
            balance += 1;
        }
    }
    assert!(
        balance > 50 && refused > 5,
        "{balance} balance, {refused} are refused"
    );
}
