//! The oracle of reading and verifying proofs.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use zkvm_machine::{Discard, Input, Limits, SegmentLimits, load};
use zkvm_prover::{
    Cpu, Keys, Options, Parameters, Proof, READ_BYTES_FIXED, READ_BYTES_PER_BYTE, Security, prove,
    verify,
};
use zkvm_testkit::asm::{Assembler, Reg, base};
use zkvm_testkit::elf::ElfBuilder;

use crate::allocation::measure;
use crate::{Violation, claim};

/// What became of bytes that should be a proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofOutcome {
    /// They are no proof file.
    NotRead,
    /// They are a proof file that does not verify.
    Rejected,
    /// They verify.
    Accepted,
}

/// An honest proof of two segments, and the keys to verify it.
#[derive(Debug)]
pub struct HonestProof {
    /// The keys.
    pub keys: Keys,
    /// The proof's bytes.
    pub bytes: Vec<u8>,
}

/// Bytes of the checksum at the end of a proof file.
const CHECKSUM_BYTES: usize = 8;

/// The exit code of the honest proof.
const EXIT_CODE: u32 = 42;

/// The honest proof that inputs are edits of; made once.
///
/// Few queries: the oracle is about what is read and checked, not about its strength.
pub fn honest_proof() -> &'static HonestProof {
    static HONEST: OnceLock<HonestProof> = OnceLock::new();
    HONEST.get_or_init(|| {
        let mut code = Assembler::new(0x2000);
        let (counter, a0, a1, a2, a7) = (Reg::x(5), Reg::x(10), Reg::x(11), Reg::x(12), Reg::x(17));
        code.emit(base::addi(counter, Reg::ZERO, 1000));
        let top = code.label();
        code.bind(top);
        code.emit(base::addi(counter, counter, -1));
        code.branch(base::bne, counter, Reg::ZERO, top);
        code.emit(base::addi(a0, Reg::ZERO, 3));
        code.emit(base::lui(a1, 1));
        code.emit(base::addi(a2, Reg::ZERO, 11));
        code.emit(base::addi(a7, Reg::ZERO, 64));
        code.emit(base::ecall());
        code.emit(base::addi(a0, Reg::ZERO, EXIT_CODE as i32));
        code.emit(base::addi(a7, Reg::ZERO, 93));
        code.emit(base::ecall());
        let elf = ElfBuilder::new(0x2000)
            .rodata(0x1000, b"hello, zkvm!".to_vec())
            .text(0x2000, code.finish().bytes)
            .build();
        let program = load(&elf).expect("the program loads");
        let parameters = Parameters {
            queries: 3,
            query_grinding_bits: 0,
            ..Parameters::STANDARD
        };
        let security = Security {
            parameters,
            bits: 0,
        };
        let keys = Keys::new(&program, security).expect("the program is small");
        let options = Options {
            limits: Limits::STANDARD,
            segment_limits: SegmentLimits {
                cycles_max: 1024,
                ..SegmentLimits::STANDARD
            },
            exit_code: EXIT_CODE,
        };
        let (input, mut console) = (Input::default(), Discard);
        let proved = prove(&keys, &Cpu, &input, &options, &mut console, &mut |_| {
            ControlFlow::Continue(())
        });
        let (proof, _) = proved.expect("it is provable");
        assert_eq!(proof.segments.len(), 2, "the proof is of two segments");
        let bytes = proof.to_bytes().expect("it has an encoding");
        HonestProof { keys, bytes }
    })
}

/// Most host memory that reading and verifying `length_bytes` may take at the highest, beyond the
/// keys: the proof, read (numbers take up to four times their bytes) and encoded again to be
/// compared; what is opened, copied for the commitment scheme; and a fixed part for the verifier's
/// own tables.
///
/// Reading alone has a lower limit: [`reading_bytes_max`].
#[must_use]
pub fn proof_bytes_max(length_bytes: usize) -> u64 {
    32 * length_bytes as u64 + (4 << 20)
}

/// Most host memory that reading `length_bytes` may take at the highest, as `Proof::from_bytes` says.
#[must_use]
pub fn reading_bytes_max(length_bytes: usize) -> u64 {
    (READ_BYTES_PER_BYTE * length_bytes + READ_BYTES_FIXED) as u64
}

/// Claims that reading `bytes` and verifying what is read never panics, takes no more memory than
/// their length allows, and accepts nothing but the honest proof.
///
/// # Errors
/// [`Violation`] names the claim that fails.
pub fn check_proof(bytes: &[u8]) -> Result<ProofOutcome, Violation> {
    let honest = honest_proof();
    // The keys are committed to when first needed, which is not the proof's doing.
    static WARM: OnceLock<()> = OnceLock::new();
    WARM.get_or_init(|| {
        let proof = Proof::from_bytes(&honest.bytes).expect("the honest proof is read");
        let verified = verify(&honest.keys, EXIT_CODE, &proof);
        let verified = verified.expect("the honest proof verifies");
        assert_eq!(verified.journal, b"hello, zkvm");
    });
    let mut reading = 0;
    let (outcome, peak) = measure(|| {
        let proof;
        (proof, reading) = measure(|| Proof::from_bytes(bytes));
        match proof {
            Err(_) => ProofOutcome::NotRead,
            Ok(proof) => match verify(&honest.keys, EXIT_CODE, &proof) {
                Err(_) => ProofOutcome::Rejected,
                Ok(_) => ProofOutcome::Accepted,
            },
        }
    });
    let most = reading_bytes_max(bytes.len());
    claim!(
        reading <= most,
        "reading took {reading} bytes, the limit is {most}"
    );
    let most = proof_bytes_max(bytes.len());
    claim!(peak <= most, "it took {peak} bytes, the limit is {most}");
    claim!(
        (outcome == ProofOutcome::Accepted) == (bytes == honest.bytes),
        "other bytes than the honest proof's were {outcome:?}"
    );
    Ok(outcome)
}

/// The honest proof with edits, and a checksum that fits.
///
/// Each edit is six bytes: place (3), kind, value, length. Kinds: flip bits, set, insert, delete,
/// copy from elsewhere, write a run of equal bytes, swap two runs, cut off the end.
#[must_use]
pub fn edited(edits: &[u8]) -> Vec<u8> {
    let honest = &honest_proof().bytes;
    let mut bytes = honest[..honest.len() - CHECKSUM_BYTES].to_vec();
    for edit in edits.chunks_exact(6) {
        let [a, b, c, kind, value, length] = [edit[0], edit[1], edit[2], edit[3], edit[4], edit[5]];
        if bytes.is_empty() {
            break;
        }
        let place = u32::from_le_bytes([a, b, c, 0]) as usize % bytes.len();
        let length = (usize::from(length) + 1).min(bytes.len() - place);
        let other = (place + 251 * (usize::from(value) + 1)) % bytes.len();
        match kind % 8 {
            0 => bytes[place] ^= value.max(1),
            1 => bytes[place] = value,
            2 => bytes.insert(place, value),
            3 => drop(bytes.drain(place..place + length)),
            4 => {
                let length = length.min(bytes.len() - other);
                bytes.copy_within(other..other + length, place);
            }
            5 => bytes[place..place + length].fill(value),
            6 => {
                for offset in 0..length.min(bytes.len() - other) {
                    bytes.swap(place + offset, other + offset);
                }
            }
            _ => bytes.truncate(place + 1),
        }
    }
    sealed(bytes)
}

/// Proof files made of short lists, about `length_bytes` long, with a name for each: what takes the
/// most memory for its length. All but the lists is the honest proof's.
///
/// An empty list is one byte, and a `Vec` of 24 in memory; what holds several lists is more.
#[must_use]
pub fn hostile_proofs(length_bytes: usize) -> Vec<(&'static str, Vec<u8>)> {
    /// A change to the proof that adds a number of elements.
    type Fill = fn(&mut Proof, usize);
    /// With its name, and the bytes of an element.
    const FILLS: [(&str, usize, Fill); 8] = [
        ("queries", 1, |proof, count| {
            proof.segments[0].tables.pcs.input_openings[0].opened_values = vec![Vec::new(); count];
        }),
        ("rows", 1, |proof, count| {
            proof.segments[0].tables.pcs.input_openings[0].opened_values =
                vec![vec![Vec::new(); count]];
        }),
        ("queries of a row", 2, |proof, count| {
            proof.segments[0].tables.pcs.input_openings[0].opened_values =
                vec![vec![Vec::new()]; count];
        }),
        ("siblings", 1, |proof, count| {
            let steps = &mut proof.segments[0].tables.pcs.commit_phase_openings;
            steps[0].sibling_values = vec![Vec::new(); count];
        }),
        ("openings", 6, |proof, count| {
            let tables = &mut proof.segments[0].tables;
            let mut empty = tables.openings[0].clone();
            for list in [
                &mut empty.main,
                &mut empty.preprocessed,
                &mut empty.fractions,
                &mut empty.running,
                &mut empty.running_next,
                &mut empty.quotient,
            ] {
                list.clear();
            }
            tables.openings = vec![empty; count];
        }),
        ("heights", 1, |proof, count| {
            proof.segments[0].tables.heights_log2 = vec![None; count];
        }),
        ("journal", 1, |proof, count| proof.journal = vec![7; count]),
        // Few enough to be read.
        ("siblings beside a journal", 5, |proof, count| {
            let steps = &mut proof.segments[0].tables.pcs.commit_phase_openings;
            steps[0].sibling_values = vec![Vec::new(); count];
            proof.journal = vec![7; 4 * count];
        }),
    ];
    let honest = Proof::from_bytes(&honest_proof().bytes).expect("the honest proof is read");
    let made = FILLS.iter().map(|(name, element_bytes, fill)| {
        let mut proof = honest.clone();
        fill(&mut proof, length_bytes / element_bytes);
        (*name, proof.to_bytes().expect("it has an encoding"))
    });
    made.collect()
}

/// Adds the checksum of a proof file.
#[must_use]
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = blake3::hash(&bytes);
    bytes.extend_from_slice(&sum.as_bytes()[..CHECKSUM_BYTES]);
    bytes
}
