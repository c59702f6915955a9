//! The reference agrees with the oracle, and the lists are as broad as they claim.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::qemu::{self, End};

fn check(oracle: &qemu::Qemu, program: &EdgeProgram) {
    let name = &program.name;
    let outcome = oracle
        .run(&program.elf)
        .expect("temporary files and a shell are available");
    assert_eq!(outcome.end, End::Exit(0), "{name}");
    let words = outcome.stdout.chunks_exact(8);
    let got = words.map(|word| u64::from_le_bytes(word.try_into().expect("eight bytes")));
    for (index, (got, want)) in got.zip(&program.expected).enumerate() {
        assert_eq!(got, *want, "{name}: record {index}");
    }
    assert_eq!(outcome.stdout.len(), program.expected.len() * 8, "{name}");
    assert_eq!(outcome.journal, program.expected_journal(), "{name}");
}

#[test]
fn every_arithmetic_instruction_has_at_least_thirty_vectors() {
    let mut counts = BTreeMap::<&str, usize>::new();
    for vector in alu_vectors() {
        *counts.entry(vector.name).or_default() += 1;
    }
    assert_eq!(counts.len(), 28 + 7 + 6 + 1);
    assert!(counts.values().all(|&count| count >= 30), "{counts:?}");
}

#[test]
fn all_vectors_in_one_program_agree_with_the_oracle() {
    let Some(oracle) = qemu::find() else {
        return eprintln!("{}", qemu::notice());
    };
    check(&oracle, &alu_program("all vectors", &alu_vectors()));
}

#[test]
fn every_edge_program_agrees_with_the_oracle() {
    let Some(oracle) = qemu::find() else {
        return eprintln!("{}", qemu::notice());
    };
    for program in edge_programs() {
        check(&oracle, &program);
    }
}

#[test]
fn every_fault_program_faults_under_the_oracle() {
    let Some(oracle) = qemu::find() else {
        return eprintln!("{}", qemu::notice());
    };
    for program in fault_programs() {
        let outcome = oracle
            .run(&program.elf)
            .expect("temporary files and a shell are available");
        assert_eq!(outcome.end, End::Signal(program.signal), "{}", program.name);
    }
}

#[test]
fn programs_and_pairs_are_named_once() {
    let names: Vec<String> = edge_programs()
        .into_iter()
        .map(|program| program.name)
        .collect();
    assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    let halfwords: Vec<u16> = compressed_pairs()
        .iter()
        .map(|pair| pair.halfword)
        .collect();
    assert_eq!(
        halfwords.iter().collect::<BTreeSet<_>>().len(),
        halfwords.len()
    );
}

/// The integer instructions, hints and reserved encodings fill their rows of the opcode map: with
/// the floating-point rows and the reserved row they are all 49152 two-byte encodings.
#[test]
fn compressed_space_is_divided_completely() {
    let mut seen = BTreeSet::new();
    seen.extend(compressed_pairs().iter().map(|pair| pair.halfword));
    let lists = [compressed_hints(), compressed_reserved()];
    let listed: usize = lists.iter().map(Vec::len).sum::<usize>() + seen.len();
    seen.extend(lists.into_iter().flatten());
    assert_eq!(seen.len(), listed, "no halfword is in two lists");
    let is_other = |halfword: u16| {
        matches!(
            (halfword & 3, halfword >> 13),
            (3, _) | (0, 1 | 4 | 5) | (2, 1 | 5)
        )
    };
    let is_missing = |half: &u16| !is_other(*half) && !seen.contains(half);
    let missing: Vec<u16> = (0..=u16::MAX).filter(is_missing).collect();
    assert_eq!(missing, Vec::<u16>::new());
}
