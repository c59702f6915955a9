//! What a block's execution reads of the past, and how it is checked.
//!
//! A witness is a set of byte strings that nobody vouches for: trie nodes and codes are found by
//! their hash, headers by the chain of parent hashes. So a witness can be incomplete, which aborts,
//! but it cannot lie. What nobody asks for is not looked at.

use alloc::vec::Vec;

use alloy_consensus::Header;
use alloy_primitives::map::B256Map;
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::Decodable;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::part::Part;
use crate::trie::{Nodes, TrieError};

/// Most headers that `BLOCKHASH` can ask for, the parent among them.
pub const ANCESTORS_MAX: usize = 256;

/// A witness as it travels. Byte strings borrow from the input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Witness<'a> {
    /// Encoded nodes of the state's trie and of the accounts' tries, in any order.
    #[serde(borrow)]
    pub nodes: Vec<&'a [u8]>,
    /// Codes of contracts, in any order.
    #[serde(borrow)]
    pub codes: Vec<&'a [u8]>,
    /// Encoded headers, the parent first, then its parent, and so on.
    #[serde(borrow)]
    pub headers: Vec<&'a [u8]>,
}

/// Why a witness does not serve. It says nothing about the block.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum WitnessError {
    /// There is no header at all.
    #[error("the witness has no parent header")]
    NoParent,
    /// There are more headers than `BLOCKHASH` can ask for.
    #[error("the witness has {count} headers, at most {ANCESTORS_MAX} are of use")]
    HeaderCount {
        /// How many.
        count: usize,
    },
    /// A header is not a canonical header.
    #[error("header {index} of the witness does not decode: {reason}")]
    HeaderEncoding {
        /// Position in the witness.
        index: usize,
        /// What the decoder found.
        reason: alloy_rlp::Error,
    },
    /// A header is not the parent of the one before it.
    #[error("header {index} of the witness is {got}, but the one before it names {expected}")]
    HeaderChain {
        /// Position in the witness.
        index: usize,
        /// The hash that the header before it names as its parent's.
        expected: B256,
        /// The header's hash.
        got: B256,
    },
    /// `BLOCKHASH` asked for a header that is not there.
    #[error("the witness has no header of block {number}, whose hash is asked for")]
    NoHeader {
        /// Number of the block.
        number: u64,
    },
    /// The way to an account is not there.
    #[error("account {address}: {cause}")]
    Account {
        /// The account.
        address: Address,
        /// Which node, and what is wrong.
        cause: TrieError,
    },
    /// An account's leaf is not an account.
    #[error("account {address} does not decode: {reason}")]
    AccountEncoding {
        /// The account.
        address: Address,
        /// What the decoder found.
        reason: alloy_rlp::Error,
    },
    /// The way to a slot is not there.
    #[error("slot {slot:#x} of account {address}: {cause}")]
    Slot {
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
        /// Which node, and what is wrong.
        cause: TrieError,
    },
    /// A slot's leaf is not a word.
    #[error("slot {slot:#x} of account {address} does not decode: {reason}")]
    SlotEncoding {
        /// The account.
        address: Address,
        /// The slot.
        slot: U256,
        /// What the decoder found.
        reason: alloy_rlp::Error,
    },
    /// The rollup's constants are not those of known rules.
    #[error("the configuration is of another version, or names an unknown fork or policy")]
    Config,
    /// The rollup's constants, or L1's view, do not decode.
    #[error("the configuration or the view of L1 does not decode: {reason}")]
    Beside {
        /// What the decoder found.
        reason: alloy_rlp::Error,
    },
    /// The sequencers are not those of L1.
    #[error("the sequencers' hash is {got:?}, expected {expected}")]
    SequencerSet {
        /// L1's.
        expected: B256,
        /// The computed one, none if there are too many.
        got: Option<B256>,
    },
    /// The forced items are not those of L1.
    #[error("the forced items lead to {got}, expected {expected}, or they are not as many")]
    Queue {
        /// L1's.
        expected: B256,
        /// The computed one.
        got: B256,
    },
    /// Blocks are asked for that the batch has not.
    #[error("blocks {first} to {end} are asked for, but the batch has {count}")]
    Blocks {
        /// Position of the first.
        first: u64,
        /// Position after the last.
        end: u64,
        /// How many there are.
        count: usize,
    },
    /// A code is not there.
    #[error("the witness has no code {hash}{}", Of(owner))]
    Code {
        /// The code's hash.
        hash: B256,
        /// An account that has it, if one has been read.
        owner: Option<Address>,
    },
}

/// ` of account …`, or nothing.
struct Of<'a>(&'a Option<Address>);

impl core::fmt::Display for Of<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self.0 {
            Some(address) => write!(f, " of account {address}"),
            None => Ok(()),
        }
    }
}

/// Where execution finds nodes and codes.
pub trait Source: Nodes {
    /// The code with this hash. Whoever implements this answers for the hash.
    fn code(&self, hash: &B256) -> Option<&[u8]>;

    /// Runs a part of the validation. Whoever wants to know what it costs measures around `run`.
    fn within<T>(&self, _part: Part, run: impl FnOnce() -> T) -> T {
        run()
    }
}

/// The nodes and codes of a witness by their hashes, which are computed here.
#[derive(Clone, Debug, Default)]
pub struct Hashed<'a> {
    nodes: B256Map<&'a [u8]>,
    codes: B256Map<&'a [u8]>,
}

impl<'a> Hashed<'a> {
    /// Hashes everything once.
    #[must_use]
    pub fn new(witness: &Witness<'a>) -> Self {
        let by_hash = |strings: &[&'a [u8]]| {
            strings
                .iter()
                .map(|bytes| (keccak256(bytes), *bytes))
                .collect()
        };
        Hashed {
            nodes: by_hash(&witness.nodes),
            codes: by_hash(&witness.codes),
        }
    }
}

impl Nodes for Hashed<'_> {
    fn node(&self, hash: &B256) -> Option<&[u8]> {
        self.nodes.get(hash).copied()
    }
}

impl Source for Hashed<'_> {
    fn code(&self, hash: &B256) -> Option<&[u8]> {
        self.codes.get(hash).copied()
    }
}

/// The parent and the blocks before it, linked by their hashes.
#[derive(Clone, Debug)]
pub struct Ancestors {
    parent: Header,
    /// Hashes of the parent, its parent, and so on: all the headers there are, and one more, which
    /// the last header names.
    hashes: Vec<B256>,
}

impl Ancestors {
    /// Reads headers, the parent first, and checks that each is the parent of the one before.
    ///
    /// # Errors
    /// [`WitnessError`] if there are none or too many, or one is malformed or out of place.
    pub fn new(headers: &[&[u8]]) -> Result<Self, WitnessError> {
        if headers.len() > ANCESTORS_MAX {
            return Err(WitnessError::HeaderCount {
                count: headers.len(),
            });
        }
        let (&first, older) = headers.split_first().ok_or(WitnessError::NoParent)?;
        let parent = decode_header(first, 0)?;
        let mut hashes = Vec::with_capacity(headers.len() + 1);
        hashes.push(keccak256(first));
        let mut expected = parent.parent_hash;
        for (index, &bytes) in (1..).zip(older) {
            let got = keccak256(bytes);
            if got != expected {
                return Err(WitnessError::HeaderChain {
                    index,
                    expected,
                    got,
                });
            }
            hashes.push(got);
            expected = decode_header(bytes, index)?.parent_hash;
        }
        hashes.push(expected);
        Ok(Ancestors { parent, hashes })
    }

    /// The parent.
    #[must_use]
    pub const fn parent(&self) -> &Header {
        &self.parent
    }

    /// The parent's hash.
    #[must_use]
    pub fn parent_hash(&self) -> B256 {
        self.hashes.first().copied().unwrap_or_default()
    }

    /// Makes a child of the parent the next parent.
    pub(crate) fn push(&mut self, child: Header) {
        self.hashes.insert(0, child.hash_slow());
        self.hashes.truncate(ANCESTORS_MAX + 1);
        self.parent = child;
    }

    /// The hash of the block with this number, the parent or one before it, and how many headers
    /// it takes to know it. It is zero before the chain's first block, which names no parent.
    ///
    /// # Errors
    /// [`WitnessError::NoHeader`] if the headers do not reach so far.
    pub fn block_hash(&self, number: u64) -> Result<(B256, usize), WitnessError> {
        let depth = self
            .parent
            .number
            .checked_sub(number)
            .and_then(|d| usize::try_from(d).ok());
        let depth = depth.ok_or(WitnessError::NoHeader { number })?;
        match (self.hashes.get(depth), self.hashes.last()) {
            (Some(hash), _) => Ok((*hash, depth)),
            // Nothing hashes to zero, so there is no header to wait for.
            (None, Some(&B256::ZERO)) => Ok((B256::ZERO, self.hashes.len().saturating_sub(1))),
            (None, _) => Err(WitnessError::NoHeader { number }),
        }
    }
}

/// Strict: a header that is re-encoded is the same bytes, so its hash is its bytes' hash.
fn decode_header(bytes: &[u8], index: usize) -> Result<Header, WitnessError> {
    let fail = |reason| WitnessError::HeaderEncoding { index, reason };
    let mut rest = bytes;
    let header = Header::decode(&mut rest).map_err(fail)?;
    if !rest.is_empty() {
        return Err(fail(alloy_rlp::Error::UnexpectedLength));
    }
    if alloy_rlp::encode(&header) != bytes {
        return Err(fail(alloy_rlp::Error::Custom("not canonical")));
    }
    Ok(header)
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;
    use alloc::vec::Vec;

    use alloy_consensus::Header;
    use alloy_primitives::keccak256;

    use super::{ANCESTORS_MAX, Ancestors, WitnessError};

    /// Encoded headers of a chain, the newest first; the newest is block `count + 6`.
    fn headers(count: usize) -> Vec<Vec<u8>> {
        let mut headers: Vec<Vec<u8>> = Vec::new();
        for number in (7..).take(count) {
            let parent_hash = headers.last().map_or(keccak256("older"), keccak256);
            headers.push(alloy_rlp::encode(Header {
                parent_hash,
                number,
                ..Header::default()
            }));
        }
        headers.reverse();
        headers
    }

    fn ancestors(headers: &[Vec<u8>]) -> Result<Ancestors, WitnessError> {
        let slices: Vec<&[u8]> = headers.iter().map(Vec::as_slice).collect();
        Ancestors::new(&slices)
    }

    #[test]
    fn hashes_reach_one_block_further_than_headers() {
        let headers = headers(3);
        let ancestors = ancestors(&headers).unwrap();
        assert_eq!(ancestors.parent().number, 9);
        assert_eq!(ancestors.parent_hash(), keccak256(&headers[0]));
        for (depth, header) in headers.iter().enumerate() {
            let number = 9 - depth as u64;
            assert_eq!(ancestors.block_hash(number), Ok((keccak256(header), depth)));
        }
        assert_eq!(ancestors.block_hash(6), Ok((keccak256("older"), 3)));
        for number in [0, 5, 10, u64::MAX] {
            assert_eq!(
                ancestors.block_hash(number),
                Err(WitnessError::NoHeader { number })
            );
        }
    }

    #[test]
    fn headers_that_are_no_chain_are_refused() {
        assert_eq!(ancestors(&[]).unwrap_err(), WitnessError::NoParent);
        let mut gap = headers(4);
        let (removed, next) = (keccak256(&gap[2]), keccak256(&gap[3]));
        let _ = gap.remove(2);
        let error = WitnessError::HeaderChain {
            index: 2,
            expected: removed,
            got: next,
        };
        assert_eq!(ancestors(&gap).unwrap_err(), error);
        let mut swapped = headers(4);
        swapped.swap(1, 2);
        assert!(matches!(
            ancestors(&swapped).unwrap_err(),
            WitnessError::HeaderChain { index: 1, .. }
        ));
        let count = ANCESTORS_MAX + 1;
        assert_eq!(
            ancestors(&headers(count)).unwrap_err(),
            WitnessError::HeaderCount { count }
        );
        assert!(ancestors(&headers(ANCESTORS_MAX)).is_ok());
    }

    #[test]
    fn headers_that_do_not_decode_are_refused() {
        let mut long = headers(1);
        long[0].push(0);
        let mut short = headers(1);
        let _ = short[0].pop();
        for headers in [
            long,
            short,
            alloc::vec![Vec::new()],
            alloc::vec![alloc::vec![0xc0]],
        ] {
            let error = ancestors(&headers).unwrap_err();
            assert!(
                matches!(error, WitnessError::HeaderEncoding { index: 0, .. }),
                "{error}"
            );
            assert!(
                error
                    .to_string()
                    .starts_with("header 0 of the witness does not decode: ")
            );
        }
    }
}
