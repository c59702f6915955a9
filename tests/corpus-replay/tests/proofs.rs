//! Reading and verifying proofs: always an answer, never a panic, never more memory than the length
//! of the input allows, nothing accepted but the honest proof.

use zkvm_corpus_replay::{ProofOutcome, check_proof, edited, honest_proof, hostile_proofs, sealed};
use zkvm_testkit::rng::Rng;

#[track_caller]
fn outcome(bytes: &[u8], what: &str) -> ProofOutcome {
    check_proof(bytes).unwrap_or_else(|violation| panic!("{what}: {violation}"))
}

#[test]
fn the_honest_proof_is_accepted_and_its_every_prefix_is_not() {
    let honest = &honest_proof().bytes;
    assert_eq!(outcome(honest, "honest"), ProofOutcome::Accepted);
    assert_eq!(outcome(&edited(&[]), "no edit"), ProofOutcome::Accepted);
    for length in (0..honest.len() - 8).step_by(honest.len() / 150) {
        let prefix = sealed(honest[..length].to_vec());
        let got = outcome(&prefix, &format!("{length} bytes"));
        assert_eq!(got, ProofOutcome::NotRead, "{length} bytes");
    }
}

#[test]
fn two_thousand_edited_proofs_are_refused() {
    let seed = 11;
    eprintln!("seed {seed}");
    let mut rng = Rng::new(seed);
    let (mut not_read, mut rejected) = (0, 0);
    for step in 0..2000 {
        // One edit mostly, so that most of the proof stays as it was.
        let edits = 1 + usize::from(step % 4 == 0) * rng.below(4) as usize;
        let edits: Vec<u8> = (0..6 * edits).map(|_| rng.below(256) as u8).collect();
        let bytes = edited(&edits);
        if bytes == honest_proof().bytes {
            continue;
        }
        match outcome(
            &bytes,
            &format!("seed {seed}, step {step}, edits {edits:?}"),
        ) {
            ProofOutcome::NotRead => not_read += 1,
            ProofOutcome::Rejected => rejected += 1,
            ProofOutcome::Accepted => panic!("step {step} is accepted"),
        }
    }
    eprintln!("{not_read} not read, {rejected} rejected");
    assert!(not_read > 300 && rejected > 300, "{not_read} {rejected}");
}

#[test]
fn random_bytes_behind_a_good_beginning_are_refused() {
    let mut rng = Rng::new(12);
    let honest = &honest_proof().bytes;
    for length in 0..400 {
        // As much of the honest proof as holds magic, format and header; then anything, with long
        // lengths among it.
        let mut bytes = honest[..11 + length % 60].to_vec();
        bytes.extend((0..length).map(|_| match rng.below(3) {
            0 => 0xff,
            1 => 0x7f,
            _ => rng.below(256) as u8,
        }));
        let got = outcome(&sealed(bytes), &format!("{length} random bytes"));
        assert_eq!(got, ProofOutcome::NotRead);
    }
}

/// Found: reading lists of empty lists took up to 72 times the length of the bytes.
#[test]
fn bytes_made_of_empty_lists_take_no_more_memory_than_others() {
    // A list's first reservation is of 1 MiB: 43 690 lists of 24 bytes. Just above a power of two
    // times as many, the list has just moved into one of twice the capacity.
    let lengths = [20_000, 43_691, 174_765, 5 * 174_765, 1 << 20, 43_691 << 6];
    let mut rejected = Vec::new();
    for length in lengths {
        for (name, bytes) in hostile_proofs(length) {
            let what = format!("{length} bytes of {name}");
            match outcome(&bytes, &what) {
                ProofOutcome::NotRead => {}
                ProofOutcome::Rejected => rejected.push((length, name)),
                ProofOutcome::Accepted => panic!("{what} are accepted"),
            }
        }
    }
    // What an honest proof could take, however it is made, is read.
    for length in lengths {
        for name in ["heights", "journal", "siblings beside a journal"] {
            assert!(rejected.contains(&(length, name)), "{length} of {name}");
        }
    }
    assert_eq!(rejected.len(), 3 * lengths.len(), "{rejected:?}");
}
