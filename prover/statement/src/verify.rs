//! The verifier of executions.

use alloc::vec::Vec;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use thiserror::Error;
use zkvm_air::{F, Scope};
use zkvm_isa::layout::{HEAP_END, WORDS_MAX};
use zkvm_isa::record::Part;
use zkvm_soundness::{Term, Unsupported};
use zkvm_verifier::logup::Challenges;
use zkvm_verifier::{
    Challenge, Config, ExecutionTranscript, KeyError, PublicMessage, Shared, Statement,
    TablesProof, VerifyingKey, messages_sum,
};

use crate::messages::{SegmentEnd, between_messages, context, segment_messages};
use crate::proof::{Header, Proof, SegmentProof};
use crate::security::{Security, report};

/// Longest journal of a proof, in bytes. Verifying takes about sixteen times its length in memory,
/// so a limit comes before any work.
pub const JOURNAL_BYTES_MAX: usize = 1 << 24;

/// Most segments of a proof: their numbers are range-checked by 16 bits.
pub const SEGMENTS_MAX: usize = 1 << 16;

/// Most proofs of further words; the guest's memory needs fewer.
pub const WORDS_PARTS_MAX: usize = 1 << 12;

/// Clocks in a segment are below this.
const CLOCK_MAX: u32 = 1 << 28;

/// The messages between segments must be fewer than the characteristic.
const BETWEEN_MAX: u64 = 1 << 30;

/// What the verifier knows of a program beforehand.
pub trait ExecutionKeys<C: Config> {
    /// The configuration.
    fn config(&self) -> &C;

    /// The identity of the program.
    fn program_id(&self) -> [u8; 32];

    /// The address of its first instruction.
    fn entry(&self) -> u32;

    /// The security that proofs must have.
    fn security(&self) -> Security;

    /// A hash of the machine's chips.
    fn machine(&self) -> [u8; 32];

    /// The verifying key of a part.
    ///
    /// # Errors
    /// [`KeyError`] if there is none: a bug.
    fn key(&self, part: Part) -> Result<&VerifyingKey<C>, KeyError>;
}

/// What a valid proof says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// The journal.
    pub journal: Vec<u8>,
    /// The exit code.
    pub exit_code: u32,
}

/// Why a proof is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The proof was made with another machine or other parameters than the caller's keys.
    #[error(
        "the proof was made with another machine or other parameters: {got}; not with {expected}"
    )]
    Header {
        /// The caller's.
        expected: Header,
        /// The proof's.
        got: Header,
    },
    /// The proof is of another program.
    #[error("the proof is of program {}, not of {}", Hex(got), Hex(expected))]
    Program {
        /// The caller's program.
        expected: [u8; 32],
        /// The proof's.
        got: [u8; 32],
    },
    /// The guest halted with another exit code than the caller expects.
    #[error("the proof is of exit code {got}, not {expected}")]
    ExitCode {
        /// What the caller expects.
        expected: u32,
        /// What the proof says.
        got: u32,
    },
    /// The journal is longer than [`JOURNAL_BYTES_MAX`].
    #[error("the journal has {got} bytes, the limit is {JOURNAL_BYTES_MAX}")]
    JournalTooLong {
        /// Its length.
        got: usize,
    },
    /// There is no segment, or there are too many parts.
    #[error("the proof has {segments} segments and {words} parts of words")]
    Parts {
        /// Its segments.
        segments: usize,
        /// Its parts of words.
        words: usize,
    },
    /// A number is not in its one encoding.
    #[error("the proof holds a number that is not encoded as proofs encode it")]
    NotCanonical,
    /// The segments do not follow one another.
    #[error("segment {number} does not end where a segment can end")]
    Continuity {
        /// The segment.
        number: usize,
    },
    /// The proof has fewer bits of security than the caller demands.
    #[error("the proof has {got} bits of security, {demanded} are demanded; the least is: {}", binding.source.name())]
    Security {
        /// What the caller demands.
        demanded: u32,
        /// What it has.
        got: u32,
        /// The term that has the fewest.
        binding: Term,
    },
    /// The proof's shape is beyond the model of its security.
    #[error("the security of such a proof is not known: {0}")]
    Unsupported(#[from] Unsupported),
    /// The grinding before the shared challenges is wrong.
    #[error("the grinding witness is wrong")]
    Grinding,
    /// The memory that segments hand over could wrap around the field.
    #[error("the segments hand over {messages} values, more than the field can count")]
    TooManyMessages {
        /// How many.
        messages: u64,
    },
    /// The proof of a segment does not hold.
    #[error("segment {number}: {error}")]
    Segment {
        /// The segment.
        number: usize,
        /// Why.
        error: zkvm_verifier::VerifyError,
    },
    /// The proof of further words does not hold.
    #[error("part {number} of the words: {error}")]
    Words {
        /// The part.
        number: usize,
        /// Why.
        error: zkvm_verifier::VerifyError,
    },
    /// What segments hand over is not what others take.
    #[error("the segments do not hand over what others take")]
    Between,
    /// A public message between segments does not fit; happens to nobody honest.
    #[error("between segments: {0}")]
    BetweenMessages(zkvm_verifier::VerifyError),
    /// A key could not be made: a bug.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// Bytes in hexadecimal.
struct Hex<'a>(&'a [u8]);

impl core::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One of the proofs, with what it must show.
struct Claim<'a, C: Config> {
    key: &'a VerifyingKey<C>,
    public: Vec<F>,
    messages: Vec<PublicMessage>,
    tables: &'a TablesProof<C>,
}

/// Verifies that `proof` proves an execution of the program of `keys` that halted with `exit_code`.
///
/// # Errors
/// [`VerifyError`] says what does not hold. Panics: never.
pub fn verify<C: Config>(
    keys: &impl ExecutionKeys<C>,
    exit_code: u32,
    proof: &Proof<C>,
) -> Result<Verified, VerifyError> {
    check_form(keys, exit_code, proof)?;
    check_security(keys, proof)?;
    let claims = claims(keys, proof)?;
    let shared = shared(keys, proof, &claims)?;
    let mut between = public_between(proof.last_word, &shared.challenges)?;
    for (index, claim) in claims.iter().enumerate() {
        let statement = Statement {
            context: &[F::from_usize(index)],
            public: &claim.public,
            messages: &claim.messages,
            shared: &shared,
        };
        let sum = zkvm_verifier::verify(keys.config(), claim.key, &statement, claim.tables);
        between += sum.map_err(|error| match index.checked_sub(proof.segments.len()) {
            None => VerifyError::Segment {
                number: index,
                error,
            },
            Some(number) => VerifyError::Words { number, error },
        })?;
    }
    if !between.is_zero() {
        return Err(VerifyError::Between);
    }
    Ok(Verified {
        journal: proof.journal.clone(),
        exit_code,
    })
}

/// The sum of the verifier's own messages between segments.
fn public_between(last_word: u32, challenges: &Challenges) -> Result<Challenge, VerifyError> {
    let messages = between_messages(last_word);
    messages_sum(Scope::Execution, &messages, challenges).map_err(VerifyError::BetweenMessages)
}

/// Checks what the proof says of itself against the caller's, and every bound.
fn check_form<C: Config>(
    keys: &impl ExecutionKeys<C>,
    exit_code: u32,
    proof: &Proof<C>,
) -> Result<(), VerifyError> {
    let expected = Header {
        hash: C::HASH,
        parameters: *keys.config().parameters(),
        machine: keys.machine(),
    };
    if proof.header != expected {
        let got = proof.header;
        return Err(VerifyError::Header { expected, got });
    }
    let expected = keys.program_id();
    if proof.program_id != expected {
        let got = proof.program_id;
        return Err(VerifyError::Program { expected, got });
    }
    if proof.exit_code != exit_code {
        return Err(VerifyError::ExitCode {
            expected: exit_code,
            got: proof.exit_code,
        });
    }
    let got = proof.journal.len();
    if got > JOURNAL_BYTES_MAX {
        return Err(VerifyError::JournalTooLong { got });
    }
    let (segments, words) = (proof.segments.len(), proof.words.len());
    if segments == 0 || segments > SEGMENTS_MAX || words > WORDS_PARTS_MAX {
        return Err(VerifyError::Parts { segments, words });
    }
    if proof.last_word >= WORDS_MAX {
        return Err(VerifyError::NotCanonical);
    }
    let mut journal_start = 0;
    for (number, segment) in proof.segments.iter().enumerate() {
        let SegmentProof {
            end_half_pc,
            end_clock,
            journal_end,
            ..
        } = *segment;
        let is_last = number + 1 == segments;
        let ends = if is_last {
            (end_half_pc, end_clock) == (0, 0) && journal_end as usize == got
        } else {
            // Addresses of instructions are below the heap's end, twice their halves.
            end_half_pc < HEAP_END / 2 && end_clock < CLOCK_MAX
        };
        let journal = journal_start..=got;
        let is_whole = journal_end.is_multiple_of(8) || journal_end as usize == got;
        if !ends || !journal.contains(&(journal_end as usize)) || !is_whole {
            return Err(VerifyError::Continuity { number });
        }
        journal_start = journal_end as usize;
    }
    Ok(())
}

fn check_security<C: Config>(
    keys: &impl ExecutionKeys<C>,
    proof: &Proof<C>,
) -> Result<(), VerifyError> {
    let demanded = keys.security().bits;
    let report = report(keys, proof)?;
    let got = report.bits().floor();
    if got < demanded {
        return Err(VerifyError::Security {
            demanded,
            got,
            binding: report.binding(),
        });
    }
    Ok(())
}

/// What each of the proofs must show: the segments', then those of further words.
fn claims<'a, C: Config>(
    keys: &'a impl ExecutionKeys<C>,
    proof: &'a Proof<C>,
) -> Result<Vec<Claim<'a, C>>, VerifyError> {
    let mut claims = Vec::with_capacity(proof.segments.len() + proof.words.len());
    let mut half_pc = keys.entry() / 2;
    let mut offset = 0;
    let mut messages_between = 2;
    for (number, segment) in proof.segments.iter().enumerate() {
        let is_last = number + 1 == proof.segments.len();
        let (part, end) = if is_last {
            let exit_code = proof.exit_code;
            (Part::Last, SegmentEnd::Halt { exit_code })
        } else {
            let (half_pc, clock) = (segment.end_half_pc, segment.end_clock);
            (Part::Segment, SegmentEnd::Continues { half_pc, clock })
        };
        let journal_end = segment.journal_end as usize;
        let journal = proof.journal.get(offset..journal_end);
        let journal = journal.ok_or(VerifyError::Continuity { number })?;
        let claim = Claim {
            key: keys.key(part)?,
            public: [F::from_usize(number)].into(),
            messages: segment_messages(half_pc, end, offset, journal),
            tables: &segment.tables,
        };
        messages_between += between(claim.key, claim.tables);
        claims.push(claim);
        (half_pc, offset) = (segment.end_half_pc, journal_end);
    }
    for tables in &proof.words {
        let claim = Claim {
            key: keys.key(Part::Words)?,
            public: Vec::new(),
            messages: Vec::new(),
            tables,
        };
        messages_between += between(claim.key, claim.tables);
        claims.push(claim);
    }
    if messages_between >= BETWEEN_MAX {
        let messages = messages_between;
        return Err(VerifyError::TooManyMessages { messages });
    }
    Ok(claims)
}

/// The messages between segments of a proof's tables, rows times interactions.
fn between<C: Config>(key: &VerifyingKey<C>, tables: &TablesProof<C>) -> u64 {
    let tables = key.tables().iter().zip(&tables.heights_log2);
    let messages = tables.filter_map(|(table, height_log2)| {
        let interactions = table.description.interactions.iter();
        let between = interactions
            .filter(|interaction| interaction.bus.scope() == Scope::Execution)
            .count() as u64;
        // A height out of bounds is refused with its table; here it only must not overflow.
        let rows = 1_u64 << (*height_log2)?.min(32);
        Some(rows.saturating_mul(between))
    });
    messages.fold(0, u64::saturating_add)
}

/// Draws what the proofs share from all that is committed to before.
fn shared<C: Config>(
    keys: &impl ExecutionKeys<C>,
    proof: &Proof<C>,
    claims: &[Claim<'_, C>],
) -> Result<Shared, VerifyError> {
    let config = keys.config();
    let segments = proof.segments.len();
    let context = context(&proof.program_id, proof.exit_code, &proof.journal, segments);
    let messages = between_messages(proof.last_word);
    let mut transcript = ExecutionTranscript::begin(config, &context, &messages, claims.len());
    for claim in claims {
        let TablesProof {
            heights_log2,
            boundary,
            ..
        } = claim.tables;
        transcript.proof(claim.key, &claim.public, heights_log2, boundary.as_ref());
    }
    let bits = config.parameters().logup_grinding_bits;
    if !transcript.check(bits, proof.grinding) {
        return Err(VerifyError::Grinding);
    }
    Ok(transcript.draw())
}

const _: () = assert!(HEAP_END / 2 < F::ORDER_U32);

#[cfg(test)]
mod tests {
    use p3_field::PrimeCharacteristicRing;
    use zkvm_air::Bus;
    use zkvm_isa::layout::WORDS_START;
    use zkvm_verifier::Challenge;
    use zkvm_verifier::logup::Challenges;

    use super::{VerifyError, public_between};

    /// Nobody can choose the challenges, and one in 2^155 hits; a message of fingerprint zero must
    /// be refused all the same, as its fraction could be anything.
    #[test]
    fn a_message_between_segments_of_fingerprint_zero_is_refused() {
        let (last, beta) = (77, Challenge::TWO);
        let chain = Challenge::from_u8(Bus::Chain as u8);
        let at = |word| public_between(last, &Challenges::new(-chain - beta * word, beta));
        let refused = VerifyError::BetweenMessages(zkvm_verifier::VerifyError::Fingerprint);
        for word in [WORDS_START, last].map(Challenge::from_u32) {
            assert_eq!(at(word), Err(refused.clone()));
        }
        assert!(at(Challenge::from_u32(last - 1)).is_ok());
    }
}
