//! Keccak-256: the hash of Ethereum, which pads as the original Keccak does and not as SHA-3.

use core::fmt;

use crate::call;
use crate::words::{WORD, bytes_of_four, load_u64, xor_bytes};

/// Bytes that a permutation takes in.
const RATE_BYTES: usize = 136;

/// The bit that ends the message.
const PADDING_FIRST: u64 = 1;

/// The bit that ends the block.
const PADDING_LAST: u64 = 1 << 63;

/// keccak-f\[1600\] (FIPS 202, section 3.3); lane `x + 5y` is word `x + 5y`.
#[inline]
pub fn keccak_f(state: &mut [u64; 25]) {
    call::keccak_f(state);
}

/// The Keccak-256 of these bytes.
///
/// Cost: 17 words a permutation, four instructions a word, at any alignment.
#[must_use]
pub fn keccak256(bytes: &[u8]) -> [u8; 32] {
    bytes_of_four(keccak256_words(bytes))
}

/// The Keccak-256 of these bytes, as words.
#[inline(always)]
pub(crate) fn keccak256_words(bytes: &[u8]) -> [u64; 4] {
    let mut state = [0; 25];
    let rest = absorb_blocks(&mut state, bytes);
    let offset = xor_bytes(&mut state, 0, rest);
    pad(&mut state, offset);
    digest_of(&state)
}

/// Keccak-256 of bytes that come in parts.
#[derive(Clone)]
pub struct Keccak256 {
    state: [u64; 25],
    /// Bytes of the current block that the state has taken in: below `RATE_BYTES`.
    offset: usize,
}

impl Keccak256 {
    /// Nothing has come yet.
    #[must_use]
    pub const fn new() -> Keccak256 {
        let (state, offset) = ([0; 25], 0);
        Keccak256 { state, offset }
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let mut bytes = bytes;
        if self.offset > 0 {
            let room = RATE_BYTES - self.offset;
            if bytes.len() < room {
                self.offset = xor_bytes(&mut self.state, self.offset, bytes);
                return;
            }
            let (head, tail) = bytes.split_at(room);
            let _ = xor_bytes(&mut self.state, self.offset, head);
            call::keccak_f(&mut self.state);
            bytes = tail;
        }
        let rest = absorb_blocks(&mut self.state, bytes);
        self.offset = xor_bytes(&mut self.state, 0, rest);
    }

    /// The digest of all bytes.
    #[must_use]
    pub fn finalize(mut self) -> [u8; 32] {
        pad(&mut self.state, self.offset);
        bytes_of_four(digest_of(&self.state))
    }
}

impl Default for Keccak256 {
    fn default() -> Keccak256 {
        Keccak256::new()
    }
}

impl fmt::Debug for Keccak256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keccak256").finish_non_exhaustive()
    }
}

/// XORs the words of a block at these indices into the state, without a loop.
macro_rules! xor_words {
    ($state:ident, $block:ident, $($index:literal)*) => {
        $(
            // SAFETY: a block is 17 words.
            $state[$index] ^= unsafe { load_u64::<{ WORD * $index }>($block.as_ptr()) };
        )*
    };
}

/// Takes in all whole blocks and gives back the bytes after them.
#[inline(always)]
fn absorb_blocks<'a>(state: &mut [u64; 25], bytes: &'a [u8]) -> &'a [u8] {
    let mut rest = bytes;
    while let Some((block, after)) = rest.split_first_chunk::<RATE_BYTES>() {
        xor_words!(state, block, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16);
        call::keccak_f(state);
        rest = after;
    }
    rest
}

/// Ends the message `offset` bytes into the block.
#[inline(always)]
fn pad(state: &mut [u64; 25], offset: usize) {
    state[offset / WORD] ^= PADDING_FIRST << (8 * (offset % WORD));
    state[RATE_BYTES / WORD - 1] ^= PADDING_LAST;
    call::keccak_f(state);
}

fn digest_of(state: &[u64; 25]) -> [u64; 4] {
    [state[0], state[1], state[2], state[3]]
}
