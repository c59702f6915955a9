//! What C passes, as references.

use core::slice;

use crate::Status;

/// The array at a pointer.
///
/// # Safety
/// The array must be valid for reads for as long as the reference is used.
#[track_caller]
pub(crate) unsafe fn array<'a, const N: usize>(at: *const u8) -> &'a [u8; N] {
    // SAFETY: the caller vouches for the array; bytes need no alignment.
    let array = unsafe { at.cast::<[u8; N]>().as_ref() };
    array.expect("the pointer is not null")
}

/// The bytes at a pointer; none if there are none, whatever the pointer.
///
/// # Safety
/// The bytes must be valid for reads for as long as the reference is used.
#[track_caller]
pub(crate) unsafe fn bytes<'a>(at: *const u8, len: usize) -> &'a [u8] {
    if len == 0 {
        return &[];
    }
    assert!(!at.is_null(), "the pointer is not null");
    // SAFETY: the caller vouches for the bytes.
    unsafe { slice::from_raw_parts(at, len) }
}

/// The `count` arrays at a pointer.
///
/// # Safety
/// The arrays must be valid for reads for as long as the reference is used.
#[track_caller]
pub(crate) unsafe fn arrays<'a, const N: usize>(at: *const u8, count: usize) -> &'a [[u8; N]] {
    let len = count.checked_mul(N).expect("the pairs fit the memory");
    // SAFETY: the caller vouches for the arrays.
    let bytes = unsafe { bytes(at, len) };
    bytes.as_chunks().0
}

/// Writes a result.
///
/// # Safety
/// `to` must be valid for writes of the array.
#[track_caller]
pub(crate) unsafe fn write<const N: usize>(to: *mut u8, result: &[u8; N]) {
    assert!(!to.is_null(), "the pointer is not null");
    // SAFETY: the caller vouches for the array; bytes need no alignment.
    unsafe { to.cast::<[u8; N]>().write(*result) };
}

/// Writes a result, if there is one.
///
/// # Safety
/// `to` must be valid for writes of the array.
#[track_caller]
pub(crate) unsafe fn write_if<const N: usize, E>(
    to: *mut u8,
    result: Result<[u8; N], E>,
) -> Status {
    match result {
        Ok(result) => {
            // SAFETY: the caller vouches for the array.
            unsafe { write(to, &result) };
            Status::Success
        }
        Err(_) => Status::Error,
    }
}
