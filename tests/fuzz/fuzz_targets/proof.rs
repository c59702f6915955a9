//! Edits of an honest proof, and any bytes as a proof file.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zkvm_corpus_replay::{check_proof, edited};

fuzz_target!(|bytes: &[u8]| {
    let bytes = match bytes.split_first() {
        Some((0, raw)) => raw.to_vec(),
        Some((_, edits)) => edited(edits),
        None => Vec::new(),
    };
    let _ = check_proof(&bytes).expect("every claim about proofs holds");
});
