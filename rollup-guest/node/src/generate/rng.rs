//! Random numbers: Keccak-256 in counter mode, the same on every platform.

use alloy_primitives::{Address, B256, keccak256};

/// A stream of random numbers.
#[derive(Clone, Debug)]
pub(super) struct Rng {
    key: B256,
    counter: u64,
}

/// What a seed and a label stand for.
pub(super) fn hash_of(seed: u64, label: &str, index: u64) -> B256 {
    let (seed, index) = (seed.to_be_bytes(), index.to_be_bytes());
    keccak256([b"zkvm make-chain", &seed[..], &index, label.as_bytes()].concat())
}

impl Rng {
    /// The stream of a seed and a label.
    pub(super) fn new(seed: u64, label: &str) -> Self {
        Rng {
            key: hash_of(seed, label, 0),
            counter: 0,
        }
    }

    /// 32 bytes.
    pub(super) fn word(&mut self) -> B256 {
        self.counter += 1;
        keccak256([self.key.as_slice(), &self.counter.to_be_bytes()].concat())
    }

    /// A number below `end`; zero if there is none. The bias is below 2^-64.
    pub(super) fn below(&mut self, end: u64) -> u64 {
        let word = self.word();
        let wide = word
            .0
            .first_chunk()
            .map_or(0, |it| u128::from_be_bytes(*it));
        let rest = wide.checked_rem(u128::from(end)).unwrap_or(0);
        u64::try_from(rest).unwrap_or(0)
    }

    /// True once in `count` times.
    pub(super) fn one_in(&mut self, count: u64) -> bool {
        self.below(count) == 0
    }

    /// A position in a list of `count`, which is not empty.
    pub(super) fn index(&mut self, count: usize) -> usize {
        let end = u64::try_from(count).unwrap_or(u64::MAX);
        usize::try_from(self.below(end)).unwrap_or(0)
    }

    /// One of a list that is not empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    /// An address that nobody has a key for.
    pub(super) fn address(&mut self) -> Address {
        Address::from_word(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::Rng;

    #[test]
    fn streams_differ_by_seed_and_label() {
        let first = |seed, label| Rng::new(seed, label).word();
        assert_eq!(first(1, "a"), first(1, "a"));
        assert_ne!(first(1, "a"), first(2, "a"));
        assert_ne!(first(1, "a"), first(1, "b"));
        let mut rng = Rng::new(1, "a");
        assert_ne!(rng.word(), rng.word());
    }

    #[test]
    fn numbers_are_below_their_end() {
        let mut rng = Rng::new(3, "numbers");
        let mut counts = [0u32; 5];
        for _ in 0..1_000 {
            counts[rng.index(5)] += 1;
        }
        assert!(counts.iter().all(|count| (150..250).contains(count)));
        assert_eq!(rng.below(0), 0);
    }
}
