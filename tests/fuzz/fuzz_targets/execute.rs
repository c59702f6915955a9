//! Any bytes as a guest with its input and its limits.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zkvm_corpus_replay::check_execute;

fuzz_target!(|bytes: &[u8]| {
    check_execute(bytes).expect("every claim about executing holds");
});
