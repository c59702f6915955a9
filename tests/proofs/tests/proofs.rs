//! Generated programs, proved and verified; their journals are the executor's and the emulator's.

use std::time::Instant;

use zkvm_machine::{Discard, Input, Limits, SegmentLimits};
use zkvm_proofs_tests::programs::{program, small};
use zkvm_proofs_tests::weak;
use zkvm_prover::{
    Blake3Config, Config, Cpu, Keys, Options, Poseidon2Config, Proof, Security, prove, verify,
};
use zkvm_testkit::qemu::{self, End, Qemu};

/// The emulator; where there is none, says so.
fn oracle() -> Option<Qemu> {
    let found = qemu::find();
    if found.is_none() {
        eprintln!("{}", qemu::notice());
    }
    found
}

/// Proves the program of `seed` and verifies what the proof's bytes hold.
#[track_caller]
fn proves<C: Config>(seed: u64, security: Security, oracle: Option<&Qemu>) {
    let generated = small(seed);
    let exit_code = generated.exit_code;
    let keys = Keys::<C>::new(&program(&generated.elf), security).expect("the program is small");
    let options = Options {
        limits: Limits::STANDARD,
        segment_limits: SegmentLimits::STANDARD,
        exit_code,
    };
    let input = Input::default();
    let proved = prove(&keys, &Cpu, &input, &options, &mut Discard, &mut |_| {
        std::ops::ControlFlow::Continue(())
    });
    let (proof, execution) = proved.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let bytes = proof.to_bytes().expect("it has an encoding");
    let proof = Proof::from_bytes(&bytes).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let verified = verify(&keys, exit_code, &proof);
    let verified = verified.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    assert_eq!(verified.exit_code, exit_code, "seed {seed}");
    assert_eq!(verified.journal, execution.journal, "seed {seed}");
    assert_eq!(verified.journal.len(), 8, "seed {seed}");
    let other = (exit_code + 1) % 101;
    assert!(verify(&keys, other, &proof).is_err(), "seed {seed}");
    if let Some(oracle) = oracle {
        let theirs = oracle.run(&generated.elf).expect("the emulator starts");
        assert_eq!(theirs.end, End::Exit(exit_code as i32), "seed {seed}");
        assert_eq!(verified.journal, theirs.journal, "seed {seed}");
    }
}

/// A hundred programs with one hash.
fn a_hundred<C: Config>() {
    let oracle = oracle();
    let started = Instant::now();
    for seed in 0..100 {
        proves::<C>(seed, weak(), oracle.as_ref());
    }
    eprintln!(
        "100 programs proved and verified with {} in {:?}",
        C::HASH.name(),
        started.elapsed()
    );
}

#[test]
fn a_hundred_generated_programs_are_proved_with_blake3_and_the_journals_of_executor_and_emulator() {
    a_hundred::<Blake3Config>();
}

#[test]
fn a_hundred_generated_programs_are_proved_with_poseidon2_and_the_journals_of_executor_and_emulator()
 {
    a_hundred::<Poseidon2Config>();
}

#[test]
fn a_generated_program_is_proved_at_every_level_that_a_hash_has() {
    let oracle = oracle();
    proves::<Blake3Config>(20, Security::STANDARD, oracle.as_ref());
    proves::<Blake3Config>(20, Security::HIGH, oracle.as_ref());
    proves::<Poseidon2Config>(20, Security::STANDARD, oracle.as_ref());
}
