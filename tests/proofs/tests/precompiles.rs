//! Precompiles: their calls balance, are proved and verified, and leave what they should.

use zkvm_isa::Precompile;
use zkvm_machine::SegmentLimits;
use zkvm_proofs_tests::keys::TraceKeys;
use zkvm_proofs_tests::programs::{PrecompileCall, precompiles};
use zkvm_proofs_tests::whole::{SHORT, Whole, hints};
use zkvm_testkit::rng::Rng;
use zkvm_verifier::{Blake3Config, Config, Poseidon2Config};

fn random_words(rng: &mut Rng, count: usize) -> Vec<u64> {
    (0..count).map(|_| rng.next_u64()).collect()
}

/// A call on random operands, or on some that have a result if not all have.
fn random_call(rng: &mut Rng, precompile: Precompile) -> PrecompileCall {
    let words = random_words(rng, precompile.words());
    PrecompileCall { precompile, words }
}

/// What the calls leave, as the journal has it.
fn journal(calls: &[PrecompileCall]) -> Vec<u8> {
    let words = calls.iter().flat_map(PrecompileCall::result);
    words.flat_map(u64::to_le_bytes).collect()
}

#[track_caller]
fn balanced(calls: &[PrecompileCall], limits: &SegmentLimits) -> Whole {
    let whole = Whole::cut(precompiles(calls), &hints(), limits);
    let whole = whole.unwrap_or_else(|error| panic!("{}", error.what));
    let report = whole.report();
    assert!(report.failures.is_empty(), "{report}");
    assert_eq!(whole.journal, journal(calls));
    whole
}

#[track_caller]
fn proved<C: Config>(calls: &[PrecompileCall], limits: &SegmentLimits) {
    let whole = balanced(calls, limits);
    let keys = TraceKeys::<C>::new(&whole.program);
    let proof = keys.prove(&whole);
    let verified = keys.verify(whole.exit_code, &proof);
    assert!(verified.is_ok(), "{:?}", verified.err());
}

#[test]
fn twenty_permutations_of_keccak_are_proved() {
    let mut rng = Rng::new(0x6b);
    let calls: Vec<_> = (0..20)
        .map(|_| random_call(&mut rng, Precompile::KeccakF))
        .collect();
    proved::<Blake3Config>(&calls, &SegmentLimits::STANDARD);
}
