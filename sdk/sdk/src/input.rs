//! What a guest is given.

use std::borrow::Cow;

use serde::Serialize;

use crate::Error;

/// The private input of an execution, built value by value in the order the guest reads them.
///
/// ```
/// # fn main() -> Result<(), zkvm_sdk::Error> {
/// use zkvm_sdk::Input;
/// let input = Input::new().write(&21u64)?.write("name")?.write_bytes(&[1, 2, 3]);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    machine: zkvm_machine::Input,
}

impl Input {
    /// An empty input.
    #[must_use]
    pub fn new() -> Self {
        Input::default()
    }

    /// Appends a value, encoded with postcard: the guest's `read` returns it.
    ///
    /// # Errors
    /// [`Error::Encode`] if the value's type cannot be encoded.
    pub fn write<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, Error> {
        self.machine.bytes.extend_from_slice(&encode(value)?);
        Ok(self)
    }

    /// Appends bytes as they are, without a length.
    #[must_use]
    pub fn write_bytes(mut self, bytes: &[u8]) -> Self {
        self.machine.bytes.extend_from_slice(bytes);
        self
    }

    /// Appends a value to the hint stream, as the guest's `read_hint` expects it: the length of
    /// its postcard encoding as a little-endian `u64`, then the encoding.
    ///
    /// # Errors
    /// [`Error::Encode`] if the value's type cannot be encoded.
    pub fn hint<T: Serialize + ?Sized>(mut self, value: &T) -> Result<Self, Error> {
        let bytes = encode(value)?;
        self.machine
            .hints
            .extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.machine.hints.extend_from_slice(&bytes);
        Ok(self)
    }

    /// Appends bytes as they are to the hint stream, for the guest's `hint_bytes`.
    #[must_use]
    pub fn hint_bytes(mut self, bytes: &[u8]) -> Self {
        self.machine.hints.extend_from_slice(bytes);
        self
    }

    /// The input as the machine takes it.
    #[must_use]
    pub fn machine(&self) -> &zkvm_machine::Input {
        &self.machine
    }
}

fn encode<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, Error> {
    postcard::to_allocvec(value).map_err(|error| Error::Encode {
        type_name: std::any::type_name::<T>(),
        reason: error.to_string(),
    })
}

/// Lets functions take an input by value or by reference.
impl From<Input> for Cow<'_, Input> {
    fn from(input: Input) -> Self {
        Cow::Owned(input)
    }
}

impl<'a> From<&'a Input> for Cow<'a, Input> {
    fn from(input: &'a Input) -> Self {
        Cow::Borrowed(input)
    }
}
