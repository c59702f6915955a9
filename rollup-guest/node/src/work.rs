//! Work files: what a guest reads, with a head that says which guest it is for.
//!
//! ```text
//!   magic, 8 bytes │ version, u16 │ kind, u8 │ Keccak-256 of the rest, 32 bytes │ the guest's input
//! ```
//!
//! Numbers are little-endian. The hash tells a damaged file from one that lacks something; it
//! protects from nobody.

use std::fmt;

use alloy_primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};
use thiserror::Error;
use zkvm_rollup_stf::claim::BlockInput;
use zkvm_rollup_stf::rollup::{BatchInput, RangeInput};

/// How work files begin: no text does, and transfers that change line ends damage it.
pub const MAGIC: &[u8; 8] = b"\x8fZKW\r\n\x1a\n";

/// The version of work files that is written and read.
pub const VERSION: u16 = 1;

/// Length of what comes before the guest's input.
const HEAD_BYTES: usize = MAGIC.len() + 2 + 1 + 32;

/// Longest work file in bytes; the input region of the machine is as long.
pub const BYTES_MAX: u64 = 1 << 29;

/// Which guest an input is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Kind {
    /// `ethereum-block`.
    Block = 1,
    /// `rollup-batch`.
    Batch = 2,
    /// `rollup-range`.
    Range = 3,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Kind::Block, Kind::Batch, Kind::Range];

    const fn number(self) -> u8 {
        match self {
            Kind::Block => 1,
            Kind::Batch => 2,
            Kind::Range => 3,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Kind::Block => "ethereum-block",
            Kind::Batch => "rollup-batch",
            Kind::Range => "rollup-range",
        })
    }
}

/// An input for one of the guests, in the form that the guest reads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Work {
    kind: Kind,
    input: Vec<u8>,
}

/// An input, decoded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WorkInput<'a> {
    /// For `ethereum-block`.
    Block(BlockInput<'a>),
    /// For `rollup-batch`.
    Batch(BatchInput<'a>),
    /// For `rollup-range`.
    Range(RangeInput<'a>),
}

/// Why bytes are no work file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WorkError {
    /// They do not begin as one.
    #[error("it does not begin as work files do")]
    Magic,
    /// They are of another version.
    #[error("it is of version {got}, this one reads version {VERSION}")]
    Version {
        /// The version.
        got: u16,
    },
    /// They are for no guest that is known.
    #[error("it is of kind {got}, for which there is no guest")]
    Kind {
        /// The kind.
        got: u8,
    },
    /// They end in the head, or are not those that were written.
    #[error("it is damaged: its hash is another than it says")]
    Damaged,
    /// There are too many.
    #[error("it is longer than {BYTES_MAX} bytes")]
    TooLong,
    /// What follows the head is no input of its kind.
    #[error("its input is none of {kind}: {reason}")]
    Input {
        /// The kind.
        kind: Kind,
        /// What the decoder found.
        reason: String,
    },
}

impl Work {
    /// A block to validate.
    ///
    /// # Errors
    /// [`WorkError::Input`] if it has no encoding, [`WorkError::TooLong`] if that is too long.
    pub fn block(input: &BlockInput<'_>) -> Result<Self, WorkError> {
        Work::new(Kind::Block, input)
    }

    /// A batch to evaluate.
    ///
    /// # Errors
    /// As [`Work::block`].
    pub fn batch(input: &BatchInput<'_>) -> Result<Self, WorkError> {
        Work::new(Kind::Batch, input)
    }

    /// Outputs to compose.
    ///
    /// # Errors
    /// As [`Work::block`].
    pub fn range(input: &RangeInput<'_>) -> Result<Self, WorkError> {
        Work::new(Kind::Range, input)
    }

    fn new(kind: Kind, input: &impl Serialize) -> Result<Self, WorkError> {
        let input = postcard::to_allocvec(input).map_err(|reason| WorkError::Input {
            kind,
            reason: reason.to_string(),
        })?;
        check_length(HEAD_BYTES + input.len())?;
        Ok(Work { kind, input })
    }

    /// Which guest it is for.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// What the guest reads.
    #[must_use]
    pub fn input(&self) -> &[u8] {
        &self.input
    }

    /// The file's bytes.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD_BYTES + self.input.len());
        bytes.extend_from_slice(MAGIC);
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.push(self.kind.number());
        bytes.extend_from_slice(keccak256(&self.input).as_slice());
        bytes.extend_from_slice(&self.input);
        bytes
    }

    /// Reads a file's bytes.
    ///
    /// # Errors
    /// [`WorkError`] if they are none.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, WorkError> {
        check_length(bytes.len())?;
        let rest = bytes.strip_prefix(MAGIC).ok_or(WorkError::Magic)?;
        let (version, rest) = rest.split_first_chunk().ok_or(WorkError::Damaged)?;
        let got = u16::from_le_bytes(*version);
        if got != VERSION {
            return Err(WorkError::Version { got });
        }
        let (kind, rest) = rest.split_first().ok_or(WorkError::Damaged)?;
        let kind = match kind {
            1 => Kind::Block,
            2 => Kind::Batch,
            3 => Kind::Range,
            got => return Err(WorkError::Kind { got: *got }),
        };
        let (hash, input) = rest.split_first_chunk().ok_or(WorkError::Damaged)?;
        if keccak256(input) != B256::new(*hash) {
            return Err(WorkError::Damaged);
        }
        let work = Work {
            kind,
            input: input.to_vec(),
        };
        let _ = work.decode()?;
        Ok(work)
    }

    /// The input as the guest sees it.
    ///
    /// # Errors
    /// [`WorkError::Input`] if it is none of its kind.
    pub fn decode(&self) -> Result<WorkInput<'_>, WorkError> {
        Ok(match self.kind {
            Kind::Block => WorkInput::Block(decode(self.kind, &self.input)?),
            Kind::Batch => WorkInput::Batch(decode(self.kind, &self.input)?),
            Kind::Range => WorkInput::Range(decode(self.kind, &self.input)?),
        })
    }
}

fn check_length(length: usize) -> Result<(), WorkError> {
    match u64::try_from(length) {
        Ok(length) if length <= BYTES_MAX => Ok(()),
        _ => Err(WorkError::TooLong),
    }
}

fn decode<'a, T: Deserialize<'a>>(kind: Kind, bytes: &'a [u8]) -> Result<T, WorkError> {
    let fail = |reason: String| WorkError::Input { kind, reason };
    let (value, rest) = postcard::take_from_bytes(bytes).map_err(|it| fail(it.to_string()))?;
    if !rest.is_empty() {
        return Err(fail(format!("{} bytes are left over", rest.len())));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use zkvm_rollup_stf::chain::{ChainConfig, Fork};
    use zkvm_rollup_stf::claim::BlockInput;
    use zkvm_rollup_stf::witness::Witness;

    use super::{HEAD_BYTES, Kind, Work, WorkError, WorkInput};

    fn input() -> BlockInput<'static> {
        BlockInput {
            chain: ChainConfig::always(1, Fork::Prague),
            block: b"a block",
            witness: Witness {
                nodes: vec![b"one", b"another"],
                codes: vec![b""],
                headers: vec![b"parent"],
            },
        }
    }

    #[test]
    fn work_survives_its_encoding() {
        let work = Work::block(&input()).unwrap();
        let read = Work::from_bytes(&work.to_bytes()).unwrap();
        assert_eq!(read, work);
        assert_eq!(read.kind(), Kind::Block);
        assert_eq!(read.decode(), Ok(WorkInput::Block(input())));
    }

    #[test]
    fn every_changed_byte_and_every_cut_is_refused() {
        let bytes = Work::block(&input()).unwrap().to_bytes();
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 0x20;
            let error = Work::from_bytes(&changed).unwrap_err();
            let expected = match at {
                0..8 => matches!(error, WorkError::Magic),
                8..10 => matches!(error, WorkError::Version { .. }),
                10 => matches!(error, WorkError::Kind { .. }),
                _ => error == WorkError::Damaged,
            };
            assert!(expected, "byte {at}: {error}");
            let cut = Work::from_bytes(&bytes[..at]).unwrap_err();
            assert!(matches!(cut, WorkError::Magic | WorkError::Damaged), "{at}");
        }
    }

    #[test]
    fn inputs_that_are_none_are_refused_whatever_they_claim_to_be() {
        let refused = |kind, input: &[u8]| {
            let bytes = Work {
                kind,
                input: input.to_vec(),
            };
            let error = Work::from_bytes(&bytes.to_bytes()).unwrap_err();
            assert!(matches!(error, WorkError::Input { .. }), "{error}");
        };
        let whole = Work::block(&input()).unwrap().to_bytes();
        let block = &whole[HEAD_BYTES..];
        refused(Kind::Batch, block);
        refused(Kind::Block, &[block, &[0]].concat());
        refused(Kind::Block, &block[..block.len() - 1]);
        refused(Kind::Block, b"");
        // A list of 2^63 strings: nothing is allocated for what is not there.
        let mut long = postcard::to_allocvec(&ChainConfig::always(1, Fork::Prague)).unwrap();
        long.extend_from_slice(&[0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]);
        refused(Kind::Block, &long);
    }

    #[test]
    fn a_version_of_the_future_is_named() {
        let mut bytes = Work::block(&input()).unwrap().to_bytes();
        bytes[8..10].copy_from_slice(&7_u16.to_le_bytes());
        let error = Work::from_bytes(&bytes).unwrap_err();
        assert_eq!(error, WorkError::Version { got: 7 });
        assert!(error.to_string().contains("version 7"));
    }
}
