//! SHA-256 (FIPS 180-4).

use core::fmt;
use core::ptr;

use crate::call;
use crate::words::{WORD, bytes_of_four, load_u64, swap_halves, xor_bytes};

/// Bytes that a compression takes in.
pub const BLOCK_BYTES: usize = 64;

/// Words of a block.
const BLOCK_WORDS: usize = BLOCK_BYTES / WORD;

/// The byte that ends the message.
const PADDING: u64 = 0x80;

/// The eight words between two compressions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct State(pub [u32; 8]);

impl State {
    /// The state before the first block (FIPS 180-4, section 5.3.3).
    pub const INITIAL: State = State([
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ]);

    /// The state's words from the most significant byte on: a digest, if all is padded.
    fn digest(&self) -> [u8; 32] {
        let pair = |at: usize| u64::from(self.0[at]) | (u64::from(self.0[at + 1]) << 32);
        bytes_of_four([0, 2, 4, 6].map(|at| swap_halves(pair(at))))
    }
}

/// Takes a block into the state (FIPS 180-4, section 6.2.2). A block at a multiple of 8 is used
/// where it is, any other is copied.
#[inline]
pub fn compress(state: &mut State, block: &[u8; BLOCK_BYTES]) {
    if block.as_ptr().addr().is_multiple_of(WORD) {
        // SAFETY: the block is as long as these words, and aligned as they must be.
        let words = unsafe { &*ptr::from_ref(block).cast::<[u64; BLOCK_WORDS]>() };
        call::sha256_compress(state, words);
    } else {
        call::sha256_compress(state, &copied(block));
    }
}

/// The SHA-256 of these bytes.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut state = State::INITIAL;
    let rest = compress_blocks(&mut state, bytes);
    let mut block = [0; BLOCK_WORDS];
    let offset = xor_bytes(&mut block, 0, rest);
    pad(&mut state, &mut block, offset, bytes.len() as u64);
    state.digest()
}

/// SHA-256 of bytes that come in parts.
#[derive(Clone)]
pub struct Sha256 {
    state: State,
    /// The block that is not whole yet; zeros after the bytes that have come.
    block: [u64; BLOCK_WORDS],
    /// All bytes that have come.
    len: u64,
}

impl Sha256 {
    /// Nothing has come yet.
    #[must_use]
    pub const fn new() -> Sha256 {
        Sha256 {
            state: State::INITIAL,
            block: [0; BLOCK_WORDS],
            len: 0,
        }
    }

    /// Appends bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        let offset = self.offset();
        self.len += bytes.len() as u64;
        let mut bytes = bytes;
        if offset > 0 {
            let room = BLOCK_BYTES - offset;
            if bytes.len() < room {
                let _ = xor_bytes(&mut self.block, offset, bytes);
                return;
            }
            let (head, tail) = bytes.split_at(room);
            let _ = xor_bytes(&mut self.block, offset, head);
            call::sha256_compress(&mut self.state, &self.block);
            self.block = [0; BLOCK_WORDS];
            bytes = tail;
        }
        let rest = compress_blocks(&mut self.state, bytes);
        let _ = xor_bytes(&mut self.block, 0, rest);
    }

    /// The digest of all bytes.
    #[must_use]
    pub fn finalize(mut self) -> [u8; 32] {
        let offset = self.offset();
        pad(&mut self.state, &mut self.block, offset, self.len);
        self.state.digest()
    }

    /// Bytes of the block that is not whole yet.
    fn offset(&self) -> usize {
        (self.len % BLOCK_BYTES as u64) as usize
    }
}

impl Default for Sha256 {
    fn default() -> Sha256 {
        Sha256::new()
    }
}

impl fmt::Debug for Sha256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sha256")
            .field("len", &self.len)
            .finish_non_exhaustive()
    }
}

/// Takes in all whole blocks and gives back the bytes after them.
#[inline(always)]
fn compress_blocks<'a>(state: &mut State, bytes: &'a [u8]) -> &'a [u8] {
    let (blocks, rest) = bytes.as_chunks::<BLOCK_BYTES>();
    if bytes.as_ptr().addr().is_multiple_of(WORD) {
        for block in blocks {
            // SAFETY: a block is as long as these words, and all are aligned as the first one is.
            let words = unsafe { &*ptr::from_ref(block).cast::<[u64; BLOCK_WORDS]>() };
            call::sha256_compress(state, words);
        }
    } else {
        for block in blocks {
            call::sha256_compress(state, &copied(block));
        }
    }
    rest
}

/// Ends a message of `len` bytes, `offset` bytes into the block. After those the block is zero.
#[inline(always)]
fn pad(state: &mut State, block: &mut [u64; BLOCK_WORDS], offset: usize, len: u64) {
    block[offset / WORD] ^= PADDING << (8 * (offset % WORD));
    if offset >= BLOCK_BYTES - WORD {
        call::sha256_compress(state, block);
        *block = [0; BLOCK_WORDS];
    }
    block[BLOCK_WORDS - 1] = (8 * len).swap_bytes();
    call::sha256_compress(state, block);
}

/// The words of a block at any address.
#[inline(always)]
fn copied(block: &[u8; BLOCK_BYTES]) -> [u64; BLOCK_WORDS] {
    macro_rules! words {
        ($($index:literal)*) => {
            [$(
                // SAFETY: a block is eight words.
                unsafe { load_u64::<{ WORD * $index }>(block.as_ptr()) }
            ),*]
        };
    }
    words!(0 1 2 3 4 5 6 7)
}
