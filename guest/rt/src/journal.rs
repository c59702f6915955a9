//! The journal: the public output, a stream of bytes in the order of the commits.
//!
//! Bytes are collected in a buffer and handed to the machine when it is full and when the guest
//! ends, because every system call costs a fixed number of cycles. A panic does not hand over what
//! is still buffered.

use core::any::type_name;

use postcard::ser_flavors::Flavor;
use serde::Serialize;
use zkvm_isa::layout::WORD_BYTES;
use zkvm_isa::syscall::TRANSFER_BYTES_MAX;

use crate::sys;

const BUFFER_BYTES: usize = 4096;
const TRANSFER_MAX: usize = TRANSFER_BYTES_MAX as usize;
const WORD: usize = WORD_BYTES as usize;

// Every write but the last must be whole words.
const _: () = assert!(BUFFER_BYTES.is_multiple_of(WORD) && BUFFER_BYTES <= TRANSFER_MAX);
const _: () = assert!(TRANSFER_MAX.is_multiple_of(WORD));

/// Appends a value to the journal, in the [postcard](postcard) format.
///
/// Arrays and vectors of bytes are encoded byte by byte; [`commit_bytes`] is cheaper for them.
///
/// Panics if the value's `Serialize` implementation fails.
#[track_caller]
pub fn commit<T: Serialize + ?Sized>(value: &T) {
    if let Err(error) = postcard::serialize_with_flavor(value, ToJournal) {
        panic!("cannot commit a `{}`: {error}", type_name::<T>());
    }
}

/// Appends bytes to the journal as they are, without a length.
pub fn commit_bytes(bytes: &[u8]) {
    sys::with_journal(|journal| journal.extend(bytes));
}

/// Hands the buffered bytes to the machine; nothing may be committed after it.
pub(crate) fn flush() {
    sys::with_journal(Journal::flush);
}

/// Journal bytes that the machine has not been given yet.
#[repr(C, align(8))]
pub(crate) struct Journal {
    buffer: [u8; BUFFER_BYTES],
    /// Always below `BUFFER_BYTES`: a full buffer is flushed at once.
    len: usize,
}

impl Journal {
    pub(crate) const fn new() -> Self {
        Self {
            buffer: [0; BUFFER_BYTES],
            len: 0,
        }
    }

    #[inline]
    fn push(&mut self, byte: u8) {
        self.buffer[self.len] = byte;
        self.len += 1;
        if self.len == BUFFER_BYTES {
            self.flush();
        }
    }

    #[inline]
    fn extend(&mut self, bytes: &[u8]) {
        if bytes.len() < BUFFER_BYTES - self.len {
            self.buffer[self.len..self.len + bytes.len()].copy_from_slice(bytes);
            self.len += bytes.len();
        } else {
            self.extend_through(bytes);
        }
    }

    /// Appends bytes that fill the buffer at least once.
    #[cold]
    #[inline(never)]
    fn extend_through(&mut self, bytes: &[u8]) {
        let (head, mut rest) = bytes.split_at(BUFFER_BYTES - self.len);
        self.buffer[self.len..].copy_from_slice(head);
        self.len = BUFFER_BYTES;
        self.flush();
        // The rest goes out from where it lies if the machine accepts that, else by the buffer.
        while rest.len() >= BUFFER_BYTES && rest.as_ptr().addr().is_multiple_of(WORD) {
            let (out, after) = rest.split_at((rest.len() / WORD * WORD).min(TRANSFER_MAX));
            sys::write_journal(out);
            rest = after;
        }
        while rest.len() >= BUFFER_BYTES {
            let (out, after) = rest.split_at(BUFFER_BYTES);
            self.buffer.copy_from_slice(out);
            sys::write_journal(&self.buffer);
            rest = after;
        }
        self.buffer[..rest.len()].copy_from_slice(rest);
        self.len = rest.len();
    }

    fn flush(&mut self) {
        if self.len > 0 {
            sys::write_journal(&self.buffer[..self.len]);
            self.len = 0;
        }
    }
}

/// Lets postcard write into the journal without a buffer of its own.
///
/// It borrows the journal for one piece at a time, so a `Serialize` implementation that itself
/// commits does no harm.
struct ToJournal;

impl Flavor for ToJournal {
    type Output = ();

    #[inline]
    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        sys::with_journal(|journal| journal.push(byte));
        Ok(())
    }

    #[inline]
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        commit_bytes(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::{BUFFER_BYTES, TRANSFER_MAX};
    use crate::{commit, commit_bytes, host};

    #[test]
    fn values_and_bytes_are_appended_in_order() {
        let run = host::run(b"", b"", || {
            commit(&300u64);
            commit("ab");
            commit_bytes(b"raw");
            commit_bytes(b"");
            commit(&[7u8; 2]);
        });
        assert_eq!(run.journal, b"\xAC\x02\x02abraw\x07\x07");
    }

    /// `host::run` refuses a transfer that the machine would refuse.
    #[test]
    fn any_split_of_the_journal_keeps_the_machine_s_rules() {
        let bytes: Vec<u8> = (0..3 * TRANSFER_MAX + 77)
            .map(|i| (i % 251) as u8)
            .collect();
        let lens = [
            0,
            1,
            7,
            8,
            BUFFER_BYTES - 1,
            BUFFER_BYTES,
            BUFFER_BYTES + 1,
            2 * TRANSFER_MAX + 9,
        ];
        for first in lens {
            for second in lens {
                let end = (first + second).min(bytes.len());
                let run = host::run(b"", b"", || {
                    commit_bytes(&bytes[..first]);
                    commit_bytes(&bytes[first..end]);
                    bytes[end..].iter().for_each(commit);
                });
                assert_eq!(run.exit_code, 0);
                assert!(
                    run.journal == bytes,
                    "commits of {first} and {second} bytes"
                );
            }
        }
    }

    #[test]
    fn value_that_cannot_be_serialized_panics() {
        struct Refuses;
        impl serde::Serialize for Refuses {
            fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("no"))
            }
        }
        let run = host::run(b"", b"", || commit(&Refuses));
        let message = run.panic.unwrap();
        assert!(message.starts_with("cannot commit a `"), "{message}");
        assert!(message.contains("Refuses`: "), "{message}");
    }
}
