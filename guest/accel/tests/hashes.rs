//! The hashes against other implementations, at every alignment and cut.

use sha2::Digest;
use zkvm_accel::{keccak, sha256};

/// Bytes that differ from their neighbours.
fn bytes(len: usize) -> Vec<u8> {
    (0..len).map(|at| (at ^ (at >> 8)) as u8 ^ 0x5A).collect()
}

fn expected(message: &[u8]) -> [[u8; 32]; 2] {
    let keccak = sha3::Keccak256::digest(message).into();
    [keccak, sha2::Sha256::digest(message).into()]
}

/// Both hashes of a message that comes in parts which end at `cuts`.
fn in_parts(message: &[u8], cuts: &[usize]) -> [[u8; 32]; 2] {
    let mut keccak = keccak::Keccak256::new();
    let mut sha256 = sha256::Sha256::new();
    let mut start = 0;
    for end in cuts.iter().copied().chain([message.len()]) {
        keccak.update(&message[start..end]);
        sha256.update(&message[start..end]);
        start = end;
    }
    [keccak.finalize(), sha256.finalize()]
}

#[test]
fn digests_of_all_short_messages_are_those_of_other_implementations() {
    let all = bytes(600);
    for len in 0..=560 {
        let offset = len % 9;
        let message = &all[offset..offset + len];
        let digests = [keccak::keccak256(message), sha256::sha256(message)];
        assert_eq!(digests, expected(message), "{len} bytes at offset {offset}");
    }
}

#[test]
fn a_message_may_come_in_any_parts() {
    let all = bytes(300);
    let expected = expected(&all);
    for first in 0..=300 {
        for step in [0, 1, 3, 7, 8, 63, 64, 65, 135, 136, 137] {
            let second = (first + step).min(300);
            let digests = in_parts(&all, &[first, second]);
            assert_eq!(digests, expected, "cut at {first} and {second}");
        }
    }
    let every: Vec<usize> = (1..300).collect();
    assert_eq!(in_parts(&all, &every), expected);
}
