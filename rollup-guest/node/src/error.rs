//! What can be wrong with a file that is imported.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a file cannot be imported.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The file cannot be read.
    #[error("cannot read {}: {reason}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: std::io::Error,
    },
    /// The file is not JSON of the expected form.
    #[error("{} is not of the expected form: {reason}", path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// What the parser found.
        reason: serde_json::Error,
    },
    /// The file's parts do not fit each other, or are of a kind that is not supported.
    #[error("{}: {reason}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl ImportError {
    pub(crate) fn content(path: &Path, reason: impl ToString) -> Self {
        ImportError::Content {
            path: path.to_owned(),
            reason: reason.to_string(),
        }
    }
}

/// Reads a JSON file.
pub(crate) fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ImportError> {
    parse_json(path, &read_file(path)?)
}

/// Reads a file.
pub(crate) fn read_file(path: &Path) -> Result<Vec<u8>, ImportError> {
    std::fs::read(path).map_err(|reason| ImportError::Read {
        path: path.to_owned(),
        reason,
    })
}

/// Parses the bytes of a JSON file.
pub(crate) fn parse_json<T: serde::de::DeserializeOwned>(
    path: &Path,
    bytes: &[u8],
) -> Result<T, ImportError> {
    serde_json::from_slice(bytes).map_err(|reason| ImportError::Json {
        path: path.to_owned(),
        reason,
    })
}
