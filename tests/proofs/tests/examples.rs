//! Every example guest, built from source, executed, proved and verified; with few queries, for
//! these tests are about what is proved, not about its strength.

use std::time::Instant;

use zkvm_e2e::{guests, hex};
use zkvm_machine::{Discard, Exit, Limits, SegmentLimits, execute};
use zkvm_proofs_tests::programs::program;
use zkvm_proofs_tests::weak;
use zkvm_prover::{
    Blake3Config, Config, Cpu, Keys, Options, Poseidon2Config, Proof, prove, verify,
};
use zkvm_sdk::Input;

/// An input of values that serde can encode.
macro_rules! input {
    ($($value:expr),*) => {
        Input::new()$(.write(&$value).expect("the value has an encoding"))*
    };
}

const DOCUMENT: &str =
    r#"{"users":[{"name":"Ada","age":36,"score":1.5},{"name":"Grace \u00e9"}],"ok":true}"#;

/// A message, a key and its signature.
fn ecdsa_input() -> Input {
    let key = hex("03f1b167828c8033fa8400bbfb6f6551e1f0aee4fbcd1d7da45b68bb50cf271459");
    let signature = hex(
        "7711848c1f1a3a9836e1465d33d3c92a4445ce6aa18422c1cdaa22173444ff89\
         3224ce6d225219d235654ef1fbe0f252a7657717c3106e84779520e30d56540d",
    );
    input!(b"hello from the zkVM".to_vec(), key, signature)
}

/// The examples but the longest: name, input, exit code.
fn examples() -> Vec<(&'static str, Input, u32)> {
    vec![
        ("fibonacci", input!(21u64), 0),
        ("sha256-chain", input!(1u64), 0),
        ("keccak-chain", input!(1u64), 0),
        ("json-query", input!(DOCUMENT, "users.0.name"), 0),
        ("types", input!(0u64), 0),
        ("panic", input!(0u64), 101),
        ("panic", input!(10u64), 7),
        ("panic", input!(99u64), 0),
    ]
}

/// Executes, proves and verifies an example; the journal must be the executor's.
#[track_caller]
fn proves<C: Config>(name: &str, input: &Input, expected: u32, segment_limits: SegmentLimits) {
    let started = Instant::now();
    let program = program(&guests::elf(name, env!("CARGO_TARGET_TMPDIR")));
    let input = input.machine();
    let plain = execute(&program, input, &Limits::STANDARD, &mut Discard).expect("it executes");
    let Exit::Halted { code, .. } = plain.exit else {
        panic!("{name} ends with {}", plain.exit)
    };
    assert_eq!(code, expected, "{name}");
    let keys = Keys::<C>::new(&program, weak()).expect("it is small");
    let options = Options {
        limits: Limits::STANDARD,
        segment_limits,
        exit_code: code,
    };
    let proved = prove(&keys, &Cpu, input, &options, &mut Discard, &mut |_| {
        std::ops::ControlFlow::Continue(())
    });
    let (proof, _) = proved.unwrap_or_else(|error| panic!("{name}: {error}"));
    let bytes = proof.to_bytes().expect("it has an encoding");
    let proof = Proof::<C>::from_bytes(&bytes).expect("it is a proof");
    let verified = verify(&keys, code, &proof);
    let verified = verified.unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(verified.journal, plain.journal, "{name}");
    eprintln!(
        "{name} with {}: {} cycles, {} segments, {} bytes, {:?}",
        C::HASH.name(),
        plain.cycles,
        proof.segments.len(),
        bytes.len(),
        started.elapsed()
    );
}

#[test]
fn examples_are_proved_with_blake3() {
    for (name, input, code) in examples() {
        proves::<Blake3Config>(name, &input, code, SegmentLimits::STANDARD);
    }
}

#[test]
fn examples_are_proved_with_poseidon2() {
    for (name, input, code) in examples() {
        proves::<Poseidon2Config>(name, &input, code, SegmentLimits::STANDARD);
    }
}

/// More than a million instructions.
fn ecdsa_is_proved<C: Config>() {
    proves::<C>("ecdsa", &ecdsa_input(), 0, SegmentLimits::STANDARD);
}

#[test]
fn ecdsa_is_proved_with_blake3() {
    ecdsa_is_proved::<Blake3Config>();
}

#[test]
fn ecdsa_is_proved_with_poseidon2() {
    ecdsa_is_proved::<Poseidon2Config>();
}
