//! Powers by a modulus that is even, in software.
//!
//! What revm has for them inverts the modulus' odd part bit by bit: for `3 · 2^k` that takes hundreds
//! of times as many cycles as EIP-2565 foresees. Here it is inverted by Newton's iteration, each of
//! which doubles the number of words that are right. Numbers are words, the least significant first.

use alloc::vec;
use alloc::vec::Vec;

/// Bits of a word.
const WORD_BITS: usize = 64;

/// Bytes of a word.
const WORD_BYTES: usize = WORD_BITS / 8;

/// A modulus as the product of a power of two and an odd number.
#[derive(Debug)]
pub(crate) struct Factors {
    twos: usize,
    odd: Vec<u64>,
}

impl Factors {
    /// Of a number that is not 0, most significant byte first.
    pub(crate) fn of(modulus: &[u8]) -> Self {
        let words = words(modulus);
        let zeros = words.iter().take_while(|word| **word == 0).count();
        let bits = words[zeros].trailing_zeros();
        let mut odd = words[zeros..].to_vec();
        for index in 0..odd.len() {
            let above = odd.get(index + 1).copied().unwrap_or(0);
            // A shift by all bits of a word is two.
            odd[index] = (odd[index] >> bits) | (above << 1 << (63 - bits));
        }
        Factors {
            twos: WORD_BITS * zeros + bits as usize,
            odd,
        }
    }

    /// Whether there are two factors, neither of them 1.
    pub(crate) fn is_proper(&self) -> bool {
        self.twos != 0 && (self.odd[0] != 1 || self.odd[1..].iter().any(|word| *word != 0))
    }

    /// The odd factor and the power of two, most significant byte first.
    pub(crate) fn to_bytes(&self) -> [Vec<u8>; 2] {
        let mut power = vec![0; self.twos / WORD_BITS + 1];
        power[self.twos / WORD_BITS] = 1 << (self.twos % WORD_BITS);
        [bytes(&self.odd), bytes(&power)]
    }

    /// The number below the modulus with these remainders (the Chinese remainder theorem): that by
    /// the odd factor, plus the factor times what is missing to the other remainder, divided by it.
    pub(crate) fn join(&self, by_odd: &[u8], by_power: &[u8]) -> Vec<u8> {
        let len = self.twos.div_ceil(WORD_BITS);
        let [mut joined, by_power] = [by_odd, by_power].map(words);
        let missing = difference(&by_power, &joined, len);
        let mut quotient = product(&missing, &inverse(&self.odd, len), len);
        if let (Some(last), bits @ 1..) = (quotient.last_mut(), self.twos % WORD_BITS) {
            *last &= (1 << bits) - 1;
        }
        let multiple = product(&self.odd, &quotient, self.odd.len() + len);
        joined.resize(multiple.len(), 0);
        let mut is_carried = false;
        for (word, other) in joined.iter_mut().zip(multiple) {
            (*word, is_carried) = carrying_add(*word, other, is_carried);
        }
        bytes(&joined)
    }
}

/// The number whose product with an odd one is 1 modulo `2^(64 · len)`.
fn inverse(odd: &[u64], len: usize) -> Vec<u64> {
    // Right in 5 bits, then in 10, 20, 40, 80.
    let first = odd[0];
    let mut word = first.wrapping_mul(3) ^ 2;
    for _ in 0..4 {
        word = word.wrapping_mul(2u64.wrapping_sub(first.wrapping_mul(word)));
    }
    let mut inverse = vec![word];
    while inverse.len() < len {
        let doubled = len.min(2 * inverse.len());
        let factor = difference(&[2], &product(odd, &inverse, doubled), doubled);
        inverse = product(&inverse, &factor, doubled);
    }
    inverse
}

/// `x · y` modulo `2^(64 · len)`.
fn product(x: &[u64], y: &[u64], len: usize) -> Vec<u64> {
    let mut product = vec![0u64; len];
    for (index, factor) in x.iter().take(len).enumerate() {
        let mut carry = 0;
        let mut rest = product[index..].iter_mut();
        for (other, word) in y.iter().zip(rest.by_ref()) {
            let sum = u128::from(*factor) * u128::from(*other);
            let sum = sum + u128::from(*word) + u128::from(carry);
            (*word, carry) = (sum as u64, (sum >> WORD_BITS) as u64);
        }
        // Nothing has been added there yet.
        if let Some(word) = rest.next() {
            *word = carry;
        }
    }
    product
}

/// `x - y` modulo `2^(64 · len)`.
fn difference(x: &[u64], y: &[u64], len: usize) -> Vec<u64> {
    let word = |words: &[u64], index: usize| words.get(index).copied().unwrap_or(0);
    let mut is_borrowed = false;
    (0..len)
        .map(|index| {
            let (word, first) = word(x, index).overflowing_sub(word(y, index));
            let (word, second) = word.overflowing_sub(u64::from(is_borrowed));
            is_borrowed = first | second;
            word
        })
        .collect()
}

fn carrying_add(x: u64, y: u64, is_carried: bool) -> (u64, bool) {
    let (word, first) = x.overflowing_add(y);
    let (word, second) = word.overflowing_add(u64::from(is_carried));
    (word, first | second)
}

/// The words of a number, the most significant byte first.
fn words(bytes: &[u8]) -> Vec<u64> {
    let (head, whole) = bytes.as_rchunks::<WORD_BYTES>();
    let mut words: Vec<u64> = whole
        .iter()
        .rev()
        .map(|it| u64::from_be_bytes(*it))
        .collect();
    words.push(
        head.iter()
            .fold(0, |word, byte| (word << 8) | u64::from(*byte)),
    );
    words
}

/// The bytes of a number, the most significant first, with any zeros before it.
fn bytes(words: &[u64]) -> Vec<u8> {
    words
        .iter()
        .rev()
        .flat_map(|word| word.to_be_bytes())
        .collect()
}
