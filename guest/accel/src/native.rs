//! The symbol that `alloy-primitives` with the feature `native-keccak` links to.

use core::slice;

use crate::keccak::keccak256_words;
use crate::words::store_four;

/// Writes the Keccak-256 of `len` bytes.
///
/// # Safety
/// `bytes` must be valid for reads of `len` bytes, or `len` 0; `output` for writes of 32 bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn native_keccak256(bytes: *const u8, len: usize, output: *mut u8) {
    let bytes = if len == 0 {
        &[]
    } else {
        // SAFETY: the caller vouches for the bytes.
        unsafe { slice::from_raw_parts(bytes, len) }
    };
    // SAFETY: the caller vouches for the output.
    unsafe { store_four(output, keccak256_words(bytes)) };
}
