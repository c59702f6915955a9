//! The public output of an execution.

use serde::Deserialize;

use crate::Error;

/// The bytes a guest committed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal(Vec<u8>);

impl Journal {
    /// A journal of these bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Journal(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// Decodes the whole journal as one value. A guest that committed several values is decoded
    /// as a tuple of them.
    ///
    /// # Errors
    /// [`Error::Decode`] if the bytes are no such value, or if bytes are left over.
    pub fn decode<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Error> {
        let error = |reason: String| Error::Decode {
            type_name: std::any::type_name::<T>(),
            length_bytes: self.0.len(),
            reason,
        };
        let (value, rest) =
            postcard::take_from_bytes(&self.0).map_err(|cause| error(cause.to_string()))?;
        if !rest.is_empty() {
            return Err(error(format!("{} bytes are left over", rest.len())));
        }
        Ok(value)
    }
}
