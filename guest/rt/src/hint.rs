//! Hints: private bytes beside the input, consumed in order.
//!
//! **Hints are unconstrained.** The proof does not bind them to anything: whoever makes the proof
//! chooses them freely, and may choose them while the guest runs. A guest must check what it
//! reads here, as in a square root that is verified by squaring. A hint that is only used, and not
//! checked, is a hole through which anything can be proved.

use alloc::vec::Vec;
use core::any::type_name;
use core::ptr;

use serde::de::DeserializeOwned;
use zkvm_isa::layout::WORD_BYTES;
use zkvm_isa::syscall::TRANSFER_BYTES_MAX;

use crate::sys;

const TRANSFER_MAX: usize = TRANSFER_BYTES_MAX as usize;
const WORD: usize = WORD_BYTES as usize;

const _: () = assert!(TRANSFER_MAX.is_multiple_of(WORD));

/// Reads the next `len` bytes of the hint stream. They are unconstrained: check them.
///
/// Panics if the stream ends before.
#[track_caller]
pub fn hint_bytes(len: usize) -> Vec<u8> {
    // The machine writes whole words, so there must be room for the last one.
    let room = len
        .checked_next_multiple_of(WORD)
        .expect("a hint's length fits the memory");
    let mut bytes = Vec::<u8>::with_capacity(room);
    let start = bytes.as_mut_ptr();
    let mut done = 0;
    while done < len {
        let transfer = (len - done).min(TRANSFER_MAX);
        // SAFETY: `done` is below `len`, which is within the vector's capacity.
        let destination = unsafe { start.add(done) };
        // SAFETY: the capacity has room for `transfer` bytes at `done`, rounded up to whole words.
        let got = unsafe { sys::read_hint(destination, transfer) };
        done += transfer;
        assert!(
            got == transfer,
            "the hint stream ended before the {len} bytes asked for"
        );
    }
    // SAFETY: the loop above initialized the first `len` bytes.
    unsafe { bytes.set_len(len) };
    bytes
}

/// Reads the next value of the hint stream. It is unconstrained: check it.
///
/// In the stream a value is its length in bytes, as a little-endian `u64`, and then its encoding
/// in the [postcard](postcard) format.
///
/// Panics if the stream ends before, or if the bytes are not exactly one encoded `T`.
#[track_caller]
pub fn read_hint<T: DeserializeOwned>() -> T {
    let mut len = [0; 8];
    len.copy_from_slice(&hint_bytes(8));
    let len = u64::from_le_bytes(len);
    let Ok(len) = usize::try_from(len) else {
        panic!("a hint claims a length of {len} bytes");
    };
    match postcard::take_from_bytes(&hint_bytes(len)) {
        Ok((value, [])) => value,
        Ok((_, rest)) => {
            panic!(
                "a hint has {} bytes after its `{}`",
                rest.len(),
                type_name::<T>()
            )
        }
        Err(error) => panic!("cannot decode a hint as a `{}`: {error}", type_name::<T>()),
    }
}

/// Reads the next eight bytes of the hint stream as a little-endian number, or `None` if fewer are
/// left. Both are unconstrained: whoever makes the proof may as well give no hint.
#[must_use]
pub fn hint_word() -> Option<u64> {
    let mut word = 0u64;
    // SAFETY: the word has room for its own bytes.
    let got = unsafe { sys::read_hint(ptr::from_mut(&mut word).cast(), WORD) };
    (got == WORD).then_some(u64::from_le(word))
}

#[cfg(test)]
mod tests {
    use alloc::string::String;
    use alloc::vec::Vec;

    use super::{TRANSFER_MAX, hint_bytes, hint_word, read_hint};
    use crate::host;

    fn framed(encoding: &[u8]) -> Vec<u8> {
        let mut hint = Vec::from((encoding.len() as u64).to_le_bytes());
        hint.extend(encoding);
        hint
    }

    #[test]
    fn long_hints_take_several_transfers() {
        let hints: Vec<u8> = (0..2 * TRANSFER_MAX + 13)
            .map(|i| (i % 251) as u8)
            .collect();
        host::run(b"", &hints, || {
            assert_eq!(hint_bytes(0), []);
            assert_eq!(hint_bytes(5), hints[..5]);
            assert!(hint_bytes(hints.len() - 5) == hints[5..]);
        })
        .unwrap_success();
    }

    #[test]
    fn typed_hints_are_framed() {
        let mut hints = framed(&[0xAC, 0x02]);
        hints.extend(framed(b"\x02hi"));
        host::run(b"", &hints, || {
            assert_eq!(read_hint::<u64>(), 300);
            assert_eq!(read_hint::<String>(), "hi");
        })
        .unwrap_success();
    }

    #[test]
    fn a_word_may_be_missing() {
        let mut hints = Vec::from(7u64.to_le_bytes());
        hints.extend([1; 7]);
        host::run(b"", &hints, || {
            assert_eq!(hint_word(), Some(7));
            assert_eq!(hint_word(), None);
            assert_eq!(hint_word(), None);
        })
        .unwrap_success();
    }

    #[test]
    fn short_or_malformed_hints_panic() {
        let run = host::run(b"", b"abc", || {
            hint_bytes(4);
        });
        assert_eq!(
            run.panic.unwrap(),
            "the hint stream ended before the 4 bytes asked for"
        );
        let run = host::run(b"", &framed(&[1, 2]), || {
            read_hint::<u8>();
        });
        assert_eq!(run.panic.unwrap(), "a hint has 1 bytes after its `u8`");
        let run = host::run(b"", &framed(&[2]), || {
            read_hint::<bool>();
        });
        assert!(
            run.panic
                .unwrap()
                .starts_with("cannot decode a hint as a `bool`: ")
        );
    }
}
