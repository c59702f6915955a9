//! What can go wrong on the host's side, each with a stable code.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;
use zkvm_machine::{ExecuteError, LoadError};

/// A stable error code, for example `ZK0103`; `zkvm explain` tells more about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Code(pub u16);

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ZK{:04}", self.0)
    }
}

/// What can go wrong on the host's side. What goes wrong in the guest is an
/// [`crate::Exit`] instead.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Error {
    /// A file could not be read or written.
    #[error("{}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is no guest program.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// A value could not be encoded for the guest.
    #[error("cannot encode a value of type {type_name}: {reason}")]
    Encode {
        /// The value's type.
        type_name: &'static str,
        /// What the encoder said.
        reason: String,
    },
    /// The journal is not what the host expects.
    #[error("the journal's {length_bytes} bytes are no {type_name}: {reason}")]
    Decode {
        /// The type asked for.
        type_name: &'static str,
        /// Length of the journal.
        length_bytes: usize,
        /// What the decoder said.
        reason: String,
    },
    /// The execution could not begin.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
}

impl Error {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> Code {
        match self {
            Error::File { .. } => Code(201),
            Error::Load(error) => load_code(error),
            Error::Encode { .. } => Code(202),
            Error::Decode { .. } => Code(203),
            Error::Execute(ExecuteError::InputTooLong { .. }) => Code(204),
            Error::Execute(ExecuteError::MemoryLimit { .. }) => Code(302),
            Error::Execute(ExecuteError::SegmentLimits(_)) => Code(205),
        }
    }
}

fn load_code(error: &LoadError) -> Code {
    Code(match error {
        LoadError::TooLong { .. } | LoadError::TextSpan { .. } => 102,
        LoadError::NotElf { .. } | LoadError::ProgramHeaders { .. } => 101,
        LoadError::Not64Bit
        | LoadError::BigEndian
        | LoadError::NotRiscV { .. }
        | LoadError::Abi { .. } => 103,
        LoadError::NotExecutable { .. } | LoadError::Dynamic { .. } => 104,
        LoadError::NoText | LoadError::Entry { .. } | LoadError::TextAlignment { .. } => 105,
        LoadError::SegmentBytes { .. }
        | LoadError::SharedBytes { .. }
        | LoadError::SegmentRange { .. }
        | LoadError::Overlap { .. }
        | LoadError::SharedWord { .. } => 106,
        LoadError::SegmentPermissions { .. } => 107,
        LoadError::UnsupportedInstruction { .. } => 108,
    })
}
