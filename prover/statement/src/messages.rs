//! The messages that the verifier adds, and what everything is bound to.

use alloc::vec;
use alloc::vec::Vec;

use p3_blake3::Blake3;
use p3_field::PrimeCharacteristicRing;
use p3_symmetric::CryptographicHasher;
use zkvm_air::{Bus, F};
use zkvm_isa::layout::WORDS_START;
use zkvm_isa::record::CLOCKS_PER_CYCLE;
use zkvm_verifier::PublicMessage;

/// How a segment ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SegmentEnd {
    /// With the halt.
    Halt {
        /// The exit code.
        exit_code: u32,
    },
    /// Before an instruction of the next segment.
    Continues {
        /// Half of that instruction's address.
        half_pc: u32,
        /// The clock that instruction would have in this segment.
        clock: u32,
    },
}

/// The verifier's messages for one segment: the state begins at `half_pc` and ends as `end` says;
/// `journal` is what the segment appends at byte `offset`.
#[must_use]
pub fn segment_messages(
    half_pc: u32,
    end: SegmentEnd,
    offset: usize,
    journal: &[u8],
) -> Vec<PublicMessage> {
    let message = |bus, values, multiplicity| PublicMessage {
        bus,
        values,
        multiplicity,
    };
    let start = vec![F::from_u32(half_pc), F::from_u32(CLOCKS_PER_CYCLE)];
    let mut messages = vec![message(Bus::State, start, F::ONE)];
    messages.push(match end {
        SegmentEnd::Halt { exit_code } => {
            let [low, high, ..] = limbs(u64::from(exit_code));
            message(Bus::Halt, vec![low, high], F::NEG_ONE)
        }
        SegmentEnd::Continues { half_pc, clock } => {
            let next = vec![F::from_u32(half_pc), F::from_u32(clock)];
            message(Bus::State, next, F::NEG_ONE)
        }
    });
    let words = journal.chunks(8).zip((offset..).step_by(8));
    messages.extend(words.map(|(part, offset)| {
        let mut word = [0; 8];
        for (byte, of_word) in part.iter().zip(&mut word) {
            *of_word = *byte;
        }
        let mut values = vec![F::from_usize(offset), F::from_usize(part.len())];
        values.extend(limbs(u64::from_le_bytes(word)));
        message(Bus::Journal, values, F::NEG_ONE)
    }));
    messages
}

/// The verifier's messages between segments: the ends of the chain of memory words.
#[must_use]
pub fn between_messages(last_word: u32) -> Vec<PublicMessage> {
    [(WORDS_START, F::ONE), (last_word, F::NEG_ONE)]
        .map(|(word, multiplicity)| PublicMessage {
            bus: Bus::Chain,
            values: vec![F::from_u32(word)],
            multiplicity,
        })
        .into()
}

/// What every proof of the execution is bound to, besides keys and messages: the program, the exit
/// code, the journal, and how many proofs are of segments.
#[must_use]
pub fn context(program_id: &[u8; 32], exit_code: u32, journal: &[u8], segments: usize) -> Vec<F> {
    let [low, high, ..] = limbs(u64::from(exit_code));
    let journal_digest: [u8; 32] = Blake3.hash_slice(journal);
    let bytes = program_id.iter().chain(&journal_digest);
    let mut context: Vec<F> = bytes.map(|byte| F::from_u8(*byte)).collect();
    context.extend([low, high, F::from_usize(segments)]);
    context
}

/// A 64-bit value as 16-bit limbs, low first.
fn limbs(value: u64) -> [F; 4] {
    core::array::from_fn(|index| F::from_u64((value >> (16 * index)) & 0xffff))
}
