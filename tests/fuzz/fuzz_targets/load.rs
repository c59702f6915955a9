//! Any bytes as an ELF file.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};
use zkvm_corpus_replay::{TEXT_SPAN_FUZZED_BYTES_MAX, check_load, text_span_bytes};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    if text_span_bytes(bytes) > TEXT_SPAN_FUZZED_BYTES_MAX {
        return Corpus::Reject;
    }
    let _ = check_load(bytes).expect("every claim about loading holds");
    Corpus::Keep
});
