//! A proof, and its bytes.

use alloc::borrow::ToOwned;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use p3_blake3::Blake3;
use p3_symmetric::CryptographicHasher;
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zkvm_air::F;
use zkvm_verifier::{Blake3Config, Config, Hash, Parameters, TablesProof};

use crate::decode;

/// How the proof was made; a verifier with other ways cannot check it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The hash.
    pub hash: Hash,
    /// The parameters.
    pub parameters: Parameters,
    /// A hash of the machine's chips.
    pub machine: [u8; 32],
}

impl fmt::Display for Header {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parameters {
            blowup_log2,
            queries,
            query_grinding_bits,
            batch_grinding_bits,
            logup_grinding_bits,
        } = self.parameters;
        write!(
            f,
            "{}, blow-up 2^{blowup_log2}, {queries} queries, grinding \
             {logup_grinding_bits}/{batch_grinding_bits}/{query_grinding_bits} bits, machine ",
            self.hash.name()
        )?;
        let mut machine = self.machine.iter().take(4);
        machine.try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The proof of one segment.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct SegmentProof<C: Config> {
    /// Half of the address of the next segment's first instruction; 0 for the last segment.
    pub end_half_pc: u32,
    /// The clock that it would have in this segment; 0 for the last segment.
    pub end_clock: u32,
    /// Bytes of journal written when the segment ends.
    pub journal_end: u32,
    /// The proof about its tables.
    pub tables: TablesProof<C>,
}

/// A proof that a program was executed.
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct Proof<C: Config = Blake3Config> {
    /// How it was made.
    pub header: Header,
    /// The program the prover says it is of; the verifier compares it with its own.
    pub program_id: [u8; 32],
    /// The exit code.
    pub exit_code: u32,
    /// The journal.
    pub journal: Vec<u8>,
    /// Index of the last word of the memory chain. Nothing is learned from it, and nothing rests on
    /// it: a wrong one does not balance.
    pub last_word: u32,
    /// Witness of the grinding before the shared challenges.
    pub grinding: F,
    /// The segments, in order.
    pub segments: Vec<SegmentProof<C>>,
    /// Further words of memory.
    pub words: Vec<TablesProof<C>>,
}

impl<C: Config> fmt::Debug for SegmentProof<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SegmentProof")
            .field("tables", &self.tables)
            .finish_non_exhaustive()
    }
}

impl<C: Config> fmt::Debug for Proof<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof")
            .field("header", &self.header)
            .field("exit_code", &self.exit_code)
            .field("segments", &self.segments.len())
            .field("words", &self.words.len())
            .finish_non_exhaustive()
    }
}

/// Bytes that are no proof.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// They do not begin as proof files do.
    #[error("this is no proof file")]
    Magic,
    /// Another format.
    #[error("the proof file has format {got}, this program reads format {expected}")]
    Version {
        /// What this program reads.
        expected: u16,
        /// What the file says.
        got: u16,
    },
    /// The checksum is wrong.
    #[error("the proof file is damaged: its checksum is wrong")]
    Checksum,
    /// It was made with another hash than the caller reads.
    #[error("the proof was made with the hash {got}, not {expected}", expected = expected.name(), got = got.name())]
    Hash {
        /// The hash the caller reads.
        expected: Hash,
        /// The file's.
        got: Hash,
    },
    /// The body cannot be read, or is not the one encoding of what it says.
    #[error("the proof file is damaged: {reason}")]
    Body {
        /// What the decoder met.
        reason: String,
    },
}

/// How proof files begin: a byte above 127, so that text-mode transfers damage it; name; line ends;
/// end of file.
pub const MAGIC: &[u8; 9] = b"\x8fZKVM\r\n\x1a\n";
/// The format of the bytes after the magic, which this program writes and reads.
pub const FORMAT: u16 = 2;
/// Memory that [`Proof::from_bytes`] takes at most for each byte it is given, in bytes. While a list
/// grows there are the old one and one of twice its capacity.
pub const READ_BYTES_PER_BYTE: usize = 3 * decode::MEMORY_PER_BYTE;
/// Memory that [`Proof::from_bytes`] takes besides, at most: one list of a length that does not come
/// true, and messages.
pub const READ_BYTES_FIXED: usize = (1 << 20) + (1 << 12);
/// Bytes of the checksum at the end: the first of the BLAKE3 hash of all before it.
const CHECKSUM_BYTES: usize = 8;

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let digest: [u8; 32] = Blake3.hash_slice(bytes);
    core::array::from_fn(|index| digest.get(index).copied().unwrap_or(0))
}

impl Header {
    /// Reads how the proof in `bytes` was made, and checks format and checksum.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let (header, _) = postcard::take_from_bytes(body(bytes)?).map_err(damaged)?;
        Ok(header)
    }
}

/// What lies between the format and the checksum.
fn body(bytes: &[u8]) -> Result<&[u8], DecodeError> {
    let rest = bytes.strip_prefix(MAGIC).ok_or(DecodeError::Magic)?;
    let (version, rest) = rest.split_first_chunk().ok_or(DecodeError::Magic)?;
    let (expected, got) = (FORMAT, u16::from_le_bytes(*version));
    if got != expected {
        return Err(DecodeError::Version { expected, got });
    }
    let (body, sum) = rest
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or(DecodeError::Checksum)?;
    let (all, _) = bytes
        .split_last_chunk::<CHECKSUM_BYTES>()
        .ok_or(DecodeError::Checksum)?;
    if checksum(all) != *sum {
        return Err(DecodeError::Checksum);
    }
    Ok(body)
}

fn damaged(error: impl ToString) -> DecodeError {
    DecodeError::Body {
        reason: error.to_string(),
    }
}

impl<C: Config> Proof<C> {
    /// The proof as bytes: magic, format, postcard encoding, checksum.
    ///
    /// # Errors
    /// None for a proof: only types without an encoding fail.
    pub fn to_bytes(&self) -> Result<Vec<u8>, DecodeError> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&FORMAT.to_le_bytes());
        let mut bytes = postcard::to_extend(self, bytes).map_err(damaged)?;
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        Ok(bytes)
    }

    /// Reads a proof. The encoding must be the one that [`Self::to_bytes`] gives.
    ///
    /// Memory: at most [`READ_BYTES_PER_BYTE`] times the length of `bytes` and [`READ_BYTES_FIXED`],
    /// whatever they are; what is read takes at most two thirds of that. A caller that reads from
    /// anywhere bounds the length first.
    ///
    /// # Errors
    /// [`DecodeError`] says what is wrong.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, DecodeError> {
        let got = Header::from_bytes(bytes)?.hash;
        if got != C::HASH {
            let expected = C::HASH;
            return Err(DecodeError::Hash { expected, got });
        }
        let proof: Self = decode::from_bytes(body(bytes)?).map_err(damaged)?;
        if proof.to_bytes()? != bytes {
            let reason = "it is not encoded as proofs are".to_owned();
            return Err(DecodeError::Body { reason });
        }
        Ok(proof)
    }
}
