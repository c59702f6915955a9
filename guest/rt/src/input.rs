//! The input: one stream of private bytes that the host chose before the run.
//!
//! The machine maps the input into memory, so reading copies nothing: slices and strings borrow
//! from it for `'static`. [`read`] decodes values in the [postcard](postcard) format, one after
//! the other; [`read_bytes`] and [`read_remaining`] take raw bytes at the same position.
//!
//! A `Vec<u8>` is decoded byte by byte; read large byte strings as `&'static [u8]` instead.

use core::any::type_name;
use core::fmt;

use serde::Deserialize;
#[cfg(any(test, all(target_arch = "riscv64", target_os = "none")))]
use zkvm_isa::layout::INPUT_BYTES_MAX;

use crate::sys;

/// Why [`try_read`] could not decode a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadError {
    /// The Rust type that was asked for.
    pub type_name: &'static str,
    /// Where in the input the value was expected to start, in bytes.
    pub offset: usize,
    /// Length of the whole input, in bytes.
    pub input_bytes: usize,
    /// What the decoder found.
    pub cause: postcard::Error,
}

impl fmt::Display for ReadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            type_name,
            offset,
            input_bytes,
            cause,
        } = self;
        write!(
            f,
            "cannot read a `{type_name}` at byte {offset} of the {input_bytes}-byte input: "
        )?;
        match cause {
            postcard::Error::DeserializeUnexpectedEnd => f.write_str("the input ends too early")?,
            cause => write!(f, "{cause}")?,
        }
        f.write_str("; the host must write the types that the guest reads, in the same order")
    }
}

impl core::error::Error for ReadError {}

/// The whole input, whatever has been read of it.
pub fn input() -> &'static [u8] {
    sys::input()
}

/// The input's length as the machine's length word gives it.
///
/// Panics if the input region cannot hold that much. Our machine never says so; without the check,
/// one that did would make a slice over whatever lies behind.
#[cfg(any(test, all(target_arch = "riscv64", target_os = "none")))]
pub(crate) fn checked_len(word: u64) -> usize {
    assert!(
        word <= u64::from(INPUT_BYTES_MAX),
        "the input's length word says more than the input region holds"
    );
    word as usize
}

/// Reads the next value.
///
/// Panics if the input does not continue with an encoded `T`; see [`try_read`].
#[track_caller]
pub fn read<T: Deserialize<'static>>() -> T {
    match try_read() {
        Ok(value) => value,
        Err(error) => refuse(&error),
    }
}

/// Reads the next value.
///
/// Errors: the input does not continue with an encoded `T`. Nothing is consumed then.
pub fn try_read<T: Deserialize<'static>>() -> Result<T, ReadError> {
    let (value, offset) = decode_at(input(), sys::input_offset())?;
    sys::set_input_offset(offset);
    Ok(value)
}

/// Reads the next `len` bytes as they are, without copying.
///
/// Panics if fewer are left.
#[track_caller]
pub fn read_bytes(len: usize) -> &'static [u8] {
    let offset = sys::input_offset();
    let rest = &input()[offset..];
    let Some(bytes) = rest.get(..len) else {
        panic!(
            "cannot read {len} bytes at byte {offset} of the input: only {} left",
            rest.len()
        );
    };
    sys::set_input_offset(offset + len);
    bytes
}

/// Reads all the bytes that are left, without copying.
pub fn read_remaining() -> &'static [u8] {
    let rest = &input()[sys::input_offset()..];
    sys::set_input_offset(input().len());
    rest
}

/// How many bytes of the input have not been read yet.
pub fn remaining_bytes() -> usize {
    input().len() - sys::input_offset()
}

/// Decodes the value at `offset`; returns it with the offset of what follows.
fn decode_at<T: Deserialize<'static>>(
    input: &'static [u8],
    offset: usize,
) -> Result<(T, usize), ReadError> {
    match postcard::take_from_bytes(&input[offset..]) {
        Ok((value, rest)) => Ok((value, input.len() - rest.len())),
        Err(cause) => {
            let (type_name, input_bytes) = (type_name::<T>(), input.len());
            Err(ReadError {
                type_name,
                offset,
                input_bytes,
                cause,
            })
        }
    }
}

#[cold]
#[inline(never)]
#[track_caller]
fn refuse(error: &ReadError) -> ! {
    panic!("{error}")
}

#[cfg(test)]
mod tests {
    use alloc::string::{String, ToString};
    use alloc::vec::Vec;

    use super::{
        INPUT_BYTES_MAX, ReadError, checked_len, decode_at, input, read, read_bytes,
        read_remaining, remaining_bytes, try_read,
    };
    use crate::host;

    #[test]
    fn a_length_word_beyond_the_input_region_is_refused() {
        let most = u64::from(INPUT_BYTES_MAX);
        assert_eq!(checked_len(most), most as usize);
        for word in [most + 1, 1 << 32, u64::MAX] {
            let outcome = std::panic::catch_unwind(|| checked_len(word));
            assert!(outcome.is_err(), "{word}");
        }
    }

    #[test]
    fn values_are_read_in_order_and_borrow_from_the_input() {
        let mut bytes = postcard::to_allocvec(&(300u64, "key", [1u8, 2, 3].as_slice())).unwrap();
        bytes.extend(b"raw bytes");
        host::run(&bytes, b"", || {
            assert_eq!(read::<u64>(), 300);
            let text: &'static str = read();
            let slice: &'static [u8] = read();
            assert_eq!((text, slice), ("key", [1, 2, 3].as_slice()));
            assert!(input().as_ptr_range().contains(&text.as_ptr()));
            assert!(input().as_ptr_range().contains(&slice.as_ptr()));
            assert_eq!(read_bytes(4), b"raw ");
            assert_eq!(remaining_bytes(), 5);
            assert_eq!(read_remaining(), b"bytes");
            assert_eq!(read_remaining(), b"");
            assert_eq!(remaining_bytes(), 0);
        })
        .unwrap_success();
    }

    #[test]
    fn failed_read_consumes_nothing_and_says_what_was_expected() {
        let run = host::run(&[1, 5, b'a'], b"", || {
            assert_eq!(read::<u8>(), 1);
            let error = try_read::<String>().unwrap_err();
            assert_eq!(
                error,
                ReadError {
                    type_name: "alloc::string::String",
                    offset: 1,
                    input_bytes: 3,
                    cause: postcard::Error::DeserializeUnexpectedEnd,
                }
            );
            assert_eq!(read_bytes(1), [5]);
            read::<bool>();
        });
        assert_eq!(run.exit_code, 101);
        assert_eq!(
            run.panic.unwrap(),
            "cannot read a `bool` at byte 2 of the 3-byte input: Found a bool that wasn't 0 or 1; \
             the host must write the types that the guest reads, in the same order"
        );
    }

    #[test]
    fn message_for_a_short_input_says_so() {
        let error = decode_at::<u64>(&[], 0).unwrap_err();
        assert!(
            error
                .to_string()
                .contains("0-byte input: the input ends too early; the host")
        );
    }

    #[test]
    fn raw_read_past_the_end_panics() {
        let run = host::run(b"abc", b"", || {
            read_bytes(usize::MAX);
        });
        assert!(
            run.panic
                .unwrap()
                .ends_with("at byte 0 of the input: only 3 left")
        );
    }

    #[test]
    fn absurd_length_in_the_input_does_not_allocate() {
        let mut bytes = Vec::from([0xFF; 9]);
        bytes.push(1);
        host::run(&bytes, b"", || {
            assert!(try_read::<Vec<u64>>().is_err());
            assert!(try_read::<&'static [u8]>().is_err());
        })
        .unwrap_success();
    }
}
