//! What a guest is given: one byte string, mapped in its address space, and a stream of hints.

/// The private side of an execution. Neither part is seen by a verifier.
///
/// The input is one byte string; typed values are consecutive postcard encodings in it (the SDK
/// writes them). Hints are bytes the guest asks for by a system call, in order; a guest must check
/// what it makes of them, as of the input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// The input, mapped read-only at [`zkvm_isa::layout::INPUT_BYTES_START`].
    pub bytes: Vec<u8>,
    /// The hint stream.
    pub hints: Vec<u8>,
}

impl Input {
    /// An input of `bytes` without hints.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Input {
            bytes: bytes.into(),
            hints: Vec::new(),
        }
    }
}
