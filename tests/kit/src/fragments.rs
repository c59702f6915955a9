//! Pieces of guest code that the test programs share: system calls, the digest, the epilogue.

use zkvm_isa::syscall::{FD_JOURNAL, FD_STDOUT, HALT, TRANSFER_BYTES_MAX, WRITE};

use crate::asm::base::{add, addi, bne, ecall, ld, mul, sd, srli, xor};
use crate::asm::{Assembler, Reg};

const DIGEST_START: u64 = 0x243f_6a88_85a3_08d3;
const DIGEST_FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
const DIGEST_TERM: u64 = 0x1319_8a2e_0370_7345;

/// The digest that a test program commits to its journal.
///
/// Over the little-endian words of `bytes`: `h = (h xor w) · F + T`, then `h = h xor (h >> 32)`.
/// Each step is a bijection of `h`, so two dumps that differ in one word have different digests.
pub fn digest(bytes: &[u8]) -> u64 {
    assert_eq!(bytes.len() % 8, 0, "the digest is over whole words");
    bytes.chunks_exact(8).fold(DIGEST_START, |hash, word| {
        let word = word
            .iter()
            .rev()
            .fold(0, |value, &byte| value << 8 | u64::from(byte));
        let hash = (hash ^ word)
            .wrapping_mul(DIGEST_FACTOR)
            .wrapping_add(DIGEST_TERM);
        hash ^ (hash >> 32)
    })
}

/// A range of guest memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Range {
    pub(crate) address: u64,
    pub(crate) len_bytes: u64,
}

/// Writes a range to a descriptor, in transfers that the machine accepts.
pub(crate) fn write(asm: &mut Assembler, descriptor: u64, range: Range) {
    let mut at = range.address;
    let end = range.address + range.len_bytes;
    asm.li(Reg::A7, WRITE);
    while at < end {
        let len = (end - at).min(TRANSFER_BYTES_MAX);
        asm.li(Reg::A0, descriptor);
        asm.li(Reg::A1, at);
        asm.li(Reg::A2, len);
        asm.emit(ecall());
        at += len;
    }
}

/// Prints a range, commits its digest (stored at `slot`, 8-aligned) and exits.
///
/// Ends: the digest loop runs once per word of the range, which is not empty.
pub(crate) fn report(asm: &mut Assembler, range: Range, slot: u64, exit_code: u32) {
    assert!(range.len_bytes > 0 && range.len_bytes.is_multiple_of(8) && slot.is_multiple_of(8));
    write(asm, FD_STDOUT, range);
    let [hash, factor, term, at, end, word] = [5, 6, 7, 28, 29, 30].map(Reg::x);
    asm.li(hash, DIGEST_START);
    asm.li(factor, DIGEST_FACTOR);
    asm.li(term, DIGEST_TERM);
    asm.li(at, range.address);
    asm.li(end, range.address + range.len_bytes);
    let top = asm.label();
    asm.bind(top);
    asm.emit(ld(word, at, 0));
    asm.emit(xor(hash, hash, word));
    asm.emit(mul(hash, hash, factor));
    asm.emit(add(hash, hash, term));
    asm.emit(srli(word, hash, 32));
    asm.emit(xor(hash, hash, word));
    asm.emit(addi(at, at, 8));
    asm.branch(bne, at, end, top);
    asm.li(at, slot);
    asm.emit(sd(hash, at, 0));
    write(
        asm,
        FD_JOURNAL,
        Range {
            address: slot,
            len_bytes: 8,
        },
    );
    asm.li(Reg::A0, u64::from(exit_code));
    asm.li(Reg::A7, HALT);
    asm.emit(ecall());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digest_of_one_word_follows_the_formula() {
        let hash = (DIGEST_START ^ 5)
            .wrapping_mul(DIGEST_FACTOR)
            .wrapping_add(DIGEST_TERM);
        assert_eq!(digest(&[5, 0, 0, 0, 0, 0, 0, 0]), hash ^ (hash >> 32));
        assert_ne!(digest(&[0; 8]), digest(&[0; 16]));
    }
}
