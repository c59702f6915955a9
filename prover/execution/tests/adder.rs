//! The thinnest program, proved and verified; and everything about its proof that can be changed.

use std::ops::ControlFlow;

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use zkvm_air::F;
use zkvm_isa::record::Part;
use zkvm_machine::SegmentLimits;
use zkvm_machine::{Discard, Exit, Input, Limits, Program, load};
use zkvm_prover::{
    Blake3Config, Config, Cpu, DecodeError, Header, JOURNAL_BYTES_MAX, Keys, KeysError, Options,
    Parameters, Phase, Poseidon2Config, Proof, ProveError, Reference, Security, VerifyError, prove,
    report, verify,
};
use zkvm_statement::ExecutionKeys;
use zkvm_testkit::asm::{Assembler, Reg, base};
use zkvm_testkit::elf::ElfBuilder;
use zkvm_verifier::{KeyError, VerifyingKey};

const TEXT: u64 = 0x2000;
const DATA: u64 = 0x1000;

/// Adds 30 and `other`, writes 11 bytes of constants to the journal, and halts with the sum.
fn adder(other: i32) -> Program {
    let mut code = Assembler::new(TEXT);
    let (a0, a1, a2, a7) = (Reg::x(10), Reg::x(11), Reg::x(12), Reg::x(17));
    code.emit(base::addi(Reg::x(5), Reg::ZERO, 30));
    code.emit(base::addi(Reg::x(6), Reg::ZERO, other));
    code.emit(base::add(Reg::x(7), Reg::x(5), Reg::x(6)));
    code.emit(base::addi(a0, Reg::ZERO, 3));
    code.emit(base::addi(a1, Reg::ZERO, 2047));
    code.emit(base::add(a1, a1, a1));
    code.emit(base::addi(a1, a1, 2));
    code.emit(base::addi(a2, Reg::ZERO, 11));
    code.emit(base::addi(a7, Reg::ZERO, 64));
    code.emit(base::ecall());
    code.emit(base::subw(a0, Reg::x(7), Reg::ZERO));
    code.emit(base::addi(a7, Reg::ZERO, 93));
    code.emit(base::ecall());
    let elf = ElfBuilder::new(TEXT)
        .rodata(DATA, b"hello, zkvm!".to_vec())
        .text(TEXT, code.finish().bytes)
        .build();
    load(&elf).expect("the adder loads")
}

/// Few queries: these tests are about what is proved, not about its strength.
fn weak() -> Security {
    let parameters = Parameters {
        queries: 8,
        query_grinding_bits: 0,
        ..Parameters::STANDARD
    };
    Security {
        parameters,
        bits: 0,
    }
}

fn keys(program: &Program, security: Security) -> Keys {
    Keys::new(program, security).expect("the program is small")
}

fn options(exit_code: u32) -> Options {
    Options {
        limits: Limits::STANDARD,
        segment_limits: SegmentLimits::STANDARD,
        exit_code,
    }
}

fn prove_it<C: Config>(keys: &Keys<C>, exit_code: u32) -> Result<Proof<C>, ProveError> {
    let (input, options) = (Input::default(), options(exit_code));
    let proved = prove(keys, &Cpu, &input, &options, &mut Discard, &mut |_| {
        ControlFlow::Continue(())
    });
    proved.map(|(proof, _)| proof)
}

/// The bytes of a proof, without the checksum.
fn unsealed<C: Config>(proof: &Proof<C>) -> Vec<u8> {
    let mut bytes = proof.to_bytes().expect("it has an encoding");
    bytes.truncate(bytes.len() - 8);
    bytes
}

/// Adds a checksum.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = blake3::hash(&bytes);
    bytes.extend_from_slice(&sum.as_bytes()[..8]);
    bytes
}

/// Proves the sum, and verifies what the proof's bytes hold.
fn proves_and_travels<C: Config>(security: Security) -> Proof<C> {
    let keys = Keys::<C>::new(&adder(12), security).expect("the program is small");
    let proof = prove_it(&keys, 42).expect("it is provable");
    let bytes = proof.to_bytes().expect("it has an encoding");
    let again = Proof::from_bytes(&bytes).expect("it is a proof");
    let verified = verify(&keys, 42, &again).expect("it holds");
    assert_eq!(verified.journal, b"hello, zkvm");
    assert_eq!(verified.exit_code, 42);
    let bits = report(&keys, &again).expect("its security is known").bits();
    assert!(bits.floor() >= security.bits);
    again
}

#[test]
fn a_sum_is_proved_and_verified_at_every_level_that_a_hash_has() {
    let _ = proves_and_travels::<Blake3Config>(Security::STANDARD);
    let _ = proves_and_travels::<Blake3Config>(Security::HIGH);
    let _ = proves_and_travels::<Poseidon2Config>(Security::STANDARD);
}

#[test]
fn a_proof_of_too_little_security_is_refused() {
    // Weak parameters, and a caller who demands bits all the same.
    let demanding = Security {
        bits: 100,
        ..weak()
    };
    let keys_100 = keys(&adder(12), demanding);
    let proof = prove_it(&keys_100, 42).expect("it is provable");
    assert!(matches!(
        verify(&keys_100, 42, &proof),
        Err(VerifyError::Security {
            demanded: 100,
            got: 3,
            ..
        })
    ));
    // Digests of 8 elements have 123 bits: with Poseidon2 no proof is of the high level.
    let keys_128 = Keys::<Poseidon2Config>::new(&adder(12), Security::HIGH).expect("it is small");
    let proof = prove_it(&keys_128, 42).expect("it is provable");
    assert!(matches!(
        verify(&keys_128, 42, &proof),
        Err(VerifyError::Security {
            demanded: 128,
            got: 123,
            ..
        })
    ));
}

#[test]
fn the_fast_backend_gives_the_bytes_of_the_reference() {
    let keys = keys(&adder(12), weak());
    let (input, options) = (Input::default(), options(42));
    let reference = prove(
        &keys,
        &Reference,
        &input,
        &options,
        &mut Discard,
        &mut |_| ControlFlow::Continue(()),
    );
    let (reference, _) = reference.expect("it is provable");
    let fast = prove_it(&keys, 42).expect("it is provable");
    assert!(reference.to_bytes() == fast.to_bytes());
}

#[test]
fn a_proof_of_other_parameters_or_another_hash_is_named_as_such() {
    let keys_8 = keys(&adder(12), weak());
    let mut proof = prove_it(&keys_8, 42).expect("it is provable");
    let keys_standard = keys(&adder(12), Security::STANDARD);
    let refused = verify(&keys_standard, 42, &proof);
    assert!(matches!(refused, Err(VerifyError::Header { .. })));
    // Under the other's header it does not hold.
    proof.header.parameters = Parameters::STANDARD;
    assert!(verify(&keys_standard, 42, &proof).is_err());
    let bytes = proof.to_bytes().expect("it has an encoding");
    let header = Header::from_bytes(&bytes).expect("it has a header");
    assert_eq!(header.parameters, Parameters::STANDARD);
    let other = Proof::<Poseidon2Config>::from_bytes(&bytes);
    assert!(matches!(other, Err(DecodeError::Hash { .. })));
}

#[test]
fn claims_cannot_be_changed() {
    let keys_12 = keys(&adder(12), weak());
    let proof = prove_it(&keys_12, 42).expect("it is provable");
    verify(&keys_12, 42, &proof).expect("it holds");
    let refused = |proof: &Proof, exit_code| verify(&keys_12, exit_code, proof).is_err();
    assert!(refused(&proof, 0), "the exit code is the caller's");
    let forged = |forge: fn(&mut Proof)| {
        let mut forged = proof.clone();
        forge(&mut forged);
        forged
    };
    assert!(refused(&forged(|proof| proof.exit_code = 43), 43));
    assert!(refused(
        &forged(|proof| proof.journal = b"hello, zkvn".to_vec()),
        42
    ));
    assert!(refused(
        &forged(|proof| proof.journal = b"hello, zkv".to_vec()),
        42
    ));
    assert!(refused(&forged(|proof| proof.journal.push(0)), 42));
    assert!(refused(&forged(|proof| proof.journal.clear()), 42));

    // Refused before any work that grows with it.
    let long = forged(|proof| proof.journal = vec![0; JOURNAL_BYTES_MAX + 1]);
    assert!(matches!(
        verify(&keys_12, 42, &long),
        Err(VerifyError::JournalTooLong { .. })
    ));

    // Another program's proof, under its own name and under ours.
    let keys_13 = keys(&adder(13), weak());
    let mut other = prove_it(&keys_13, 43).expect("it is provable");
    assert!(matches!(
        verify(&keys_12, 43, &other),
        Err(VerifyError::Program { .. })
    ));
    other.program_id = proof.program_id;
    assert!(refused(&other, 43));
}

#[test]
fn what_is_not_provable_is_said() {
    let keys = keys(&adder(12), weak());
    let error = prove_it(&keys, 0).expect_err("it halts with 42");
    assert_eq!(
        error,
        ProveError::ExitCode {
            expected: 0,
            exit: Box::new(Exit::Halted {
                code: 42,
                panic: None
            }),
        }
    );
}

#[test]
fn a_proof_has_one_encoding() {
    // Clocks and word indices above the characteristic name the same field elements; the grinding
    // witness is free where nothing is ground. None of them may be changed.
    let keys = keys(&adder(12), weak());
    let proof = prove_it(&keys, 42).expect("it is provable");
    let bytes = unsealed(&proof);
    // Every byte, all in turn, in strides: what still decodes must not verify.
    for at in (11..bytes.len()).step_by(97).chain(11..600) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        if let Ok(proof) = Proof::<Blake3Config>::from_bytes(&sealed(damaged)) {
            assert!(verify(&keys, 42, &proof).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_program_without_an_instruction_has_no_keys() {
    let elf = ElfBuilder::new(TEXT).text(TEXT, vec![0; 16]).build();
    let program = load(&elf).expect("it loads");
    assert!(matches!(
        Keys::<Blake3Config>::new(&program, weak()),
        Err(KeysError::Unprovable { .. })
    ));
}

/// The guest never ends, and no limit stops it in a time that anybody has.
#[test]
fn cancelling_the_first_run_does_not_wait_for_the_guest() {
    let mut code = Assembler::new(TEXT);
    code.emit(base::jal(Reg::ZERO, 0));
    let elf = ElfBuilder::new(TEXT).text(TEXT, code.finish().bytes);
    let program = load(&elf.build()).expect("it loads");
    let options = Options {
        limits: Limits {
            cycles_max: u64::MAX,
            ..Limits::STANDARD
        },
        ..options(0)
    };
    let mut told = Vec::new();
    let proved = prove(
        &keys(&program, weak()),
        &Cpu,
        &Input::default(),
        &options,
        &mut Discard,
        &mut |at| {
            told.push((at.phase, at.done));
            if at.done == 2 {
                return ControlFlow::Break(());
            }
            ControlFlow::Continue(())
        },
    );
    assert_eq!(proved.err(), Some(ProveError::Cancelled));
    assert_eq!(told, [(Phase::Execute, 1), (Phase::Execute, 2)]);
}

/// Keys of which those of one part cannot be made.
struct Lacking<'a> {
    keys: &'a Keys,
    part: Part,
}

impl ExecutionKeys<Blake3Config> for Lacking<'_> {
    fn config(&self) -> &Blake3Config {
        self.keys.config()
    }

    fn program_id(&self) -> [u8; 32] {
        ExecutionKeys::program_id(self.keys)
    }

    fn entry(&self) -> u32 {
        self.keys.entry()
    }

    fn security(&self) -> Security {
        self.keys.security()
    }

    fn machine(&self) -> [u8; 32] {
        self.keys.machine()
    }

    fn key(&self, part: Part) -> Result<&VerifyingKey<Blake3Config>, KeyError> {
        if part == self.part {
            return Err(KeyError::NoPreprocessed);
        }
        self.keys.key(part)
    }
}

#[test]
fn a_key_that_cannot_be_made_is_said() {
    let keys = keys(&adder(12), weak());
    let proof = prove_it(&keys, 42).expect("it is provable");
    let lacking = |part| Lacking { keys: &keys, part };
    // A proof of one segment asks for the keys of the last one only.
    assert!(verify(&lacking(Part::Segment), 42, &proof).is_ok());
    let refused = verify(&lacking(Part::Last), 42, &proof);
    assert_eq!(refused, Err(VerifyError::Key(KeyError::NoPreprocessed)));
}

#[test]
fn damaged_bytes_are_refused_without_panic() {
    let keys = keys(&adder(12), weak());
    let proof = prove_it(&keys, 42).expect("it is provable");
    let bytes = proof.to_bytes().expect("it has an encoding");
    let refusal = |bytes: &[u8]| Proof::<Blake3Config>::from_bytes(bytes).err();
    assert_eq!(refusal(&bytes[1..]), Some(DecodeError::Magic));
    let mut version = bytes.clone();
    version[9] = 9;
    let expected = DecodeError::Version {
        expected: 2,
        got: 9,
    };
    assert_eq!(refusal(&version), Some(expected));
    let mut changed = bytes.clone();
    changed[100] ^= 1;
    assert_eq!(refusal(&changed), Some(DecodeError::Checksum));
    let bytes = unsealed(&proof);
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(refusal(&sealed(longer)).is_some(), "trailing bytes");
    let shorter = bytes[..bytes.len() - 1].to_vec();
    assert!(refusal(&sealed(shorter)).is_some(), "truncated");

    // One changed bit at 400 places: refused by the decoder or by the verifier.
    for step in 0..400 {
        let mut damaged = bytes.clone();
        let at = 11 + step * (bytes.len() - 11) / 400;
        damaged[at] ^= 1 << (step % 8);
        if let Ok(proof) = Proof::<Blake3Config>::from_bytes(&sealed(damaged)) {
            assert!(verify(&keys, 42, &proof).is_err(), "byte {at}");
        }
    }
}

/// The representative of a field element plus the characteristic fits 32 bits too.
#[test]
fn field_elements_above_the_characteristic_are_not_read() {
    let keys = keys(&adder(12), weak());
    let proof = prove_it(&keys, 42).expect("it is provable");
    let bytes = unsealed(&proof);
    let mut other = proof.clone();
    other.grinding = F::ONE;
    let others = unsealed(&other);
    assert_eq!(bytes.len(), others.len());
    let mut differing = (0..bytes.len()).filter(|at| bytes[*at] != others[*at]);
    let first = differing.next().expect("they differ");
    // Its four bytes, in the form that elements are computed with.
    assert_eq!(bytes[first..first + 4], [0; 4]);
    assert_eq!(differing.next_back(), Some(first + 3));
    let mut above = bytes.clone();
    above[first..first + 4].copy_from_slice(&F::ORDER_U32.to_le_bytes());
    let refused = Proof::<Blake3Config>::from_bytes(&sealed(above)).err();
    assert!(
        matches!(refused, Some(DecodeError::Body { .. })),
        "{refused:?}"
    );
    assert!(Proof::<Blake3Config>::from_bytes(&sealed(others)).is_ok());
}
