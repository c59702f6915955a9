//! Answers of nodes, and what they are turned into.

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::{Block, BlockBody, Header};
use alloy_eips::eip4895::{Withdrawal, Withdrawals};
use alloy_primitives::{B256, Bytes, keccak256};
use alloy_rlp::Decodable;
use serde::Deserialize;
use zkvm_rollup_stf::block::Transaction;
use zkvm_rollup_stf::witness::ANCESTORS_MAX;

use super::error::RpcError;

/// A block with its transactions.
#[derive(Debug, Deserialize)]
pub(super) struct BlockAnswer {
    /// Its hash, as the node says.
    pub(super) hash: B256,
    #[serde(flatten)]
    pub(super) header: Header,
    transactions: Vec<Transaction>,
    withdrawals: Option<Vec<Withdrawal>>,
}

impl BlockAnswer {
    /// The block's encoding.
    ///
    /// # Errors
    /// [`RpcError::Hash`] if the header has another hash than the node says. That the body is the
    /// header's is checked where the block is validated.
    pub(super) fn encode(self) -> Result<Bytes, RpcError> {
        let got = self.header.hash_slow();
        if got != self.hash {
            return Err(RpcError::Hash {
                number: self.header.number,
                said: self.hash,
                got,
            });
        }
        let block = Block {
            header: self.header,
            body: BlockBody {
                transactions: self.transactions,
                ommers: Vec::new(),
                withdrawals: self.withdrawals.map(Withdrawals::new),
            },
        };
        Ok(alloy_rlp::encode(&block).into())
    }
}

/// A block's place in the chain.
#[derive(Debug, Deserialize)]
pub(super) struct PlaceAnswer {
    pub(super) hash: B256,
}

/// What `debug_executionWitness` answers. Nodes differ: headers are encoded or objects, and in any
/// order; older ones have nodes and codes by their hashes.
#[derive(Debug, Deserialize)]
pub(super) struct WitnessAnswer {
    state: Strings,
    codes: Option<Strings>,
    headers: Option<Vec<HeaderAnswer>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Strings {
    List(Vec<Bytes>),
    ByHash(BTreeMap<B256, Bytes>),
}

impl Strings {
    /// Each string once: it may stand there for several accounts.
    fn distinct(self) -> Vec<Bytes> {
        let strings: BTreeSet<Bytes> = match self {
            Strings::List(list) => list.into_iter().collect(),
            Strings::ByHash(map) => map.into_values().collect(),
        };
        strings.into_iter().collect()
    }
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum HeaderAnswer {
    Encoded(Bytes),
    Fields(Box<Header>),
}

/// A witness as guests want it.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) nodes: Vec<Bytes>,
    pub(super) codes: Vec<Bytes>,
    /// The parent first.
    pub(super) headers: Vec<Bytes>,
}

impl WitnessAnswer {
    /// Brings the headers in order, from the block's parent on.
    ///
    /// # Errors
    /// [`RpcError::NoParent`] if that is not there.
    pub(super) fn parts(self, parent: B256) -> Result<Parts, RpcError> {
        let mut by_hash: BTreeMap<B256, Bytes> = BTreeMap::new();
        for header in self.headers.unwrap_or_default() {
            let bytes = match header {
                HeaderAnswer::Encoded(bytes) => bytes,
                HeaderAnswer::Fields(header) => alloy_rlp::encode(*header).into(),
            };
            let _ = by_hash.insert(keccak256(&bytes), bytes);
        }
        let mut headers = Vec::new();
        let mut next = parent;
        while let Some(bytes) = by_hash.remove(&next) {
            let older = Header::decode(&mut &bytes[..]).map(|header| header.parent_hash);
            headers.push(bytes);
            match older {
                Ok(older) if headers.len() < ANCESTORS_MAX => next = older,
                Ok(_) | Err(_) => break,
            }
        }
        if headers.is_empty() {
            return Err(RpcError::NoParent { parent });
        }
        Ok(Parts {
            nodes: self.state.distinct(),
            codes: self.codes.map(Strings::distinct).unwrap_or_default(),
            headers,
        })
    }
}
