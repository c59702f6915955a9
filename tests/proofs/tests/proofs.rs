//! Generated programs, proved and verified; their journals are the executor's and the emulator's.

use zkvm_machine::{Discard, Input, Limits};
use zkvm_proofs_tests::WEAK;
use zkvm_proofs_tests::programs::{program, small};
use zkvm_prover::{Keys, Parameters, Proof, prove, verify};
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
fn proves(seed: u64, parameters: Parameters, oracle: Option<&Qemu>) {
    let generated = small(seed);
    let exit_code = generated.exit_code;
    let keys = Keys::new(&program(&generated.elf), parameters).expect("the program is small");
    let input = Input::default();
    let proved = prove(&keys, &input, &Limits::STANDARD, exit_code, &mut Discard);
    let (proof, execution) = proved.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    let bytes = proof.to_bytes();
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

#[test]
fn twenty_generated_programs_are_proved_with_the_journals_of_executor_and_emulator() {
    let oracle = oracle();
    (0..20).for_each(|seed| proves(seed, WEAK, oracle.as_ref()));
}

#[test]
fn a_generated_program_is_proved_at_the_standard_level() {
    proves(20, Parameters::STANDARD, oracle().as_ref());
}
