//! The thinnest program, proved and verified; and everything about its proof that can be changed.

use zkvm_machine::{Discard, Input, Limits, Program, load};
use zkvm_prover::{
    DecodeError, JOURNAL_BYTES_MAX, Keys, KeysError, Proof, ProveError, VerifyError, prove, verify,
};
use zkvm_testkit::asm::{Assembler, Reg, base};
use zkvm_testkit::elf::ElfBuilder;
use zkvm_verifier::Parameters;

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
fn weak() -> Parameters {
    Parameters {
        queries: 8,
        query_grinding_bits: 0,
        ..Parameters::STANDARD
    }
}

fn keys(program: &Program, parameters: Parameters) -> Keys {
    Keys::new(program, parameters).expect("the program is small")
}

fn prove_it(keys: &Keys, exit_code: u32) -> Result<Proof, ProveError> {
    let input = Input::default();
    prove(keys, &input, &Limits::STANDARD, exit_code, &mut Discard).map(|(proof, _)| proof)
}

#[test]
fn a_sum_is_proved_and_verified_at_the_standard_level() {
    let keys = keys(&adder(12), Parameters::STANDARD);
    let proof = prove_it(&keys, 42).expect("it is provable");
    let bytes = proof.to_bytes();
    let again = Proof::from_bytes(&bytes).expect("it is a proof");
    let verified = verify(&keys, 42, &again).expect("it holds");
    assert_eq!(verified.journal, b"hello, zkvm");
    assert_eq!(verified.exit_code, 42);
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
            got: 42
        }
    );
}

#[test]
fn a_proof_has_one_encoding() {
    // Clocks and word indices above the characteristic name the same field elements; the grinding
    // witness is free where nothing is ground. None of them may be changed.
    let keys = keys(&adder(12), weak());
    let proof = prove_it(&keys, 42).expect("it is provable");
    let bytes = proof.to_bytes();
    // Every byte, all in turn, in strides: what still decodes must not verify.
    for at in (11..bytes.len()).step_by(97).chain(11..600) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 0x40;
        if let Ok(proof) = Proof::from_bytes(&damaged) {
            assert!(verify(&keys, 42, &proof).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_program_without_an_instruction_has_no_keys() {
    let elf = ElfBuilder::new(TEXT).text(TEXT, vec![0; 16]).build();
    let program = load(&elf).expect("it loads");
    assert!(matches!(
        Keys::new(&program, weak()),
        Err(KeysError::Unprovable { .. })
    ));
}

#[test]
fn damaged_bytes_are_refused_without_panic() {
    let keys = keys(&adder(12), weak());
    let bytes = prove_it(&keys, 42).expect("it is provable").to_bytes();
    assert_eq!(
        Proof::from_bytes(&bytes[1..]).err(),
        Some(DecodeError::Magic)
    );
    let mut version = bytes.clone();
    version[9] = 9;
    let expected = DecodeError::Version {
        expected: 1,
        got: 9,
    };
    assert_eq!(Proof::from_bytes(&version).err(), Some(expected));
    let mut longer = bytes.clone();
    longer.push(0);
    assert!(Proof::from_bytes(&longer).is_err(), "trailing bytes");
    assert!(
        Proof::from_bytes(&bytes[..bytes.len() - 1]).is_err(),
        "truncated"
    );

    // One changed bit at 400 places: refused by the decoder or by the verifier.
    for step in 0..400 {
        let mut damaged = bytes.clone();
        let at = 11 + step * (bytes.len() - 11) / 400;
        damaged[at] ^= 1 << (step % 8);
        if let Ok(proof) = Proof::from_bytes(&damaged) {
            assert!(verify(&keys, 42, &proof).is_err(), "byte {at}");
        }
    }
}
