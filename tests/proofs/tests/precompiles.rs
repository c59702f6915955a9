//! Precompiles: their calls balance, are proved and verified, and leave what they should.

use zkvm_isa::Precompile;
use zkvm_machine::SegmentLimits;
use zkvm_proofs_tests::keys::TraceKeys;
use zkvm_proofs_tests::programs::{PrecompileCall, precompiles};
use zkvm_proofs_tests::whole::{SHORT, Whole, hints};
use zkvm_testkit::rng::Rng;
use zkvm_verifier::{Blake3Config, Config, Poseidon2Config};

/// A call on random operands; that one has no result never happens.
fn random_call(rng: &mut Rng, precompile: Precompile) -> PrecompileCall {
    let words = (0..precompile.words()).map(|_| rng.next_u64()).collect();
    PrecompileCall { precompile, words }
}

/// Twenty calls of each of `precompiles` on random operands, and those on equal words that have a
/// result.
fn calls(seed: u64, precompiles: &[Precompile]) -> Vec<PrecompileCall> {
    let mut rng = Rng::new(seed);
    let mut calls = Vec::new();
    for precompile in precompiles {
        calls.extend((0..20).map(|_| random_call(&mut rng, *precompile)));
        let edges = [0, 1, u64::MAX].map(|word| PrecompileCall {
            precompile: *precompile,
            words: vec![word; precompile.words()],
        });
        calls.extend(edges.into_iter().filter(|call| call.result().is_some()));
    }
    calls
}

/// Checks every row and bus of an execution of `calls`, and what they leave.
#[track_caller]
fn balanced(calls: &[PrecompileCall], limits: &SegmentLimits) -> Whole {
    let whole = Whole::cut(precompiles(calls), &hints(), limits);
    let whole = whole.unwrap_or_else(|error| panic!("{}", error.what));
    let report = whole.report();
    assert!(report.failures.is_empty(), "{report}");
    let results = calls.iter().map(|call| call.result().expect("it has one"));
    let left: Vec<u8> = results.flatten().flat_map(u64::to_le_bytes).collect();
    assert_eq!(whole.journal, left);
    whole
}

#[track_caller]
fn proved<C: Config>(whole: &Whole) {
    let keys = TraceKeys::<C>::new(&whole.program);
    let proof = keys.prove(whole);
    let verified = keys.verify(whole.exit_code, &proof);
    assert!(verified.is_ok(), "{:?}", verified.err());
}

#[test]
fn twenty_calls_of_each_are_proved() {
    let whole = balanced(&calls(1, &Precompile::ALL), &SegmentLimits::STANDARD);
    assert_eq!(whole.segments.len(), 1);
    proved::<Blake3Config>(&whole);
}

#[test]
fn calls_in_many_segments_are_proved_with_poseidon2() {
    let limits = SegmentLimits {
        cycles_max: SegmentLimits::CYCLES_MAX_LEAST,
        ..SHORT
    };
    let all: Vec<_> = (0..2)
        .flat_map(|seed| calls(seed, &Precompile::ALL))
        .collect();
    let whole = balanced(&all, &limits);
    assert!(whole.segments.len() > 1, "{}", whole.segments.len());
    proved::<Poseidon2Config>(&whole);
}
