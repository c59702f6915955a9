//! What can go wrong on the host's side, each with a stable code.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;
use zkvm_machine::{ExecuteError, LoadError};
use zkvm_prover::{DecodeError, KeysError, ProveError, VerifyError};

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
    /// The program is too large to prove.
    #[error(transparent)]
    Keys(#[from] KeysError),
    /// There is no proof.
    #[error(transparent)]
    Prove(#[from] ProveError),
    /// The proof does not prove what the caller asks.
    #[error("proof rejected: {0}")]
    Rejected(#[from] VerifyError),
    /// The bytes are no proof file of this version.
    #[error(transparent)]
    ProofFile(#[from] DecodeError),
    /// The thread that proved panicked: a bug.
    #[error("the thread that proved panicked: {reason}")]
    Job {
        /// The panic's message.
        reason: String,
    },
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
            Error::Keys(_) => Code(401),
            Error::Prove(error) => prove_code(error),
            Error::Rejected(VerifyError::Program { .. }) => Code(405),
            Error::Rejected(VerifyError::ExitCode { .. }) => Code(406),
            Error::Rejected(VerifyError::Header { .. }) => Code(408),
            Error::Rejected(VerifyError::Security { .. } | VerifyError::Unsupported(_)) => {
                Code(409)
            }
            Error::Rejected(VerifyError::Key(_)) | Error::Job { .. } => Code(900),
            Error::Rejected(
                VerifyError::NotCanonical
                | VerifyError::JournalTooLong { .. }
                | VerifyError::Parts { .. }
                | VerifyError::Continuity { .. }
                | VerifyError::Grinding
                | VerifyError::TooManyMessages { .. }
                | VerifyError::Segment { .. }
                | VerifyError::Words { .. }
                | VerifyError::Between
                | VerifyError::BetweenMessages(_),
            ) => Code(404),
            Error::ProofFile(DecodeError::Version { .. } | DecodeError::Hash { .. }) => Code(408),
            Error::ProofFile(
                DecodeError::Magic | DecodeError::Checksum | DecodeError::Body { .. },
            ) => Code(407),
        }
    }
}

fn prove_code(error: &ProveError) -> Code {
    Code(match error {
        ProveError::Execute(ExecuteError::InputTooLong { .. }) => 204,
        ProveError::Execute(ExecuteError::MemoryLimit { .. }) => 302,
        ProveError::Execute(ExecuteError::SegmentLimits(_)) => 205,
        ProveError::NotHalted { .. } | ProveError::ExitCode { .. } => 403,
        ProveError::Unprovable { .. } => 402,
        ProveError::Cancelled => 410,
        ProveError::Diverged { .. } | ProveError::Key(_) | ProveError::Prove(_) => 900,
    })
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
