//! Any words as instructions.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zkvm_corpus_replay::check_decode;

fuzz_target!(|bytes: &[u8]| {
    let (words, _) = bytes.as_chunks();
    for word in words {
        check_decode(u32::from_le_bytes(*word)).expect("every claim about decoding holds");
    }
});
