//! What can go wrong between here and a node.

use alloy_primitives::B256;
use thiserror::Error;

/// Why a block cannot be imported from a node.
#[derive(Debug, Error)]
pub enum RpcError {
    /// There was no connection, or no whole answer.
    #[error("cannot reach {url}: {reason}")]
    Unreachable {
        /// The node's address, without what may be secret.
        url: String,
        /// What the HTTP client said.
        reason: String,
    },
    /// The answer is too long.
    #[error("the answer to {method} is longer than {max} bytes")]
    TooLong {
        /// The method.
        method: &'static str,
        /// The limit in bytes.
        max: u64,
    },
    /// The server answered, but not as a node.
    #[error("{method}: HTTP status {status}: {text}")]
    Status {
        /// The method.
        method: &'static str,
        /// The status.
        status: u16,
        /// How the answer begins.
        text: String,
    },
    /// The node answered with an error.
    #[error("{method}: the node answers with error {code}: {message}")]
    Refused {
        /// The method.
        method: &'static str,
        /// JSON-RPC's number.
        code: i64,
        /// The node's words.
        message: String,
    },
    /// The node does not have the method.
    #[error("the node has no {method}: {message}")]
    NoMethod {
        /// The method.
        method: &'static str,
        /// The node's words.
        message: String,
    },
    /// There is no such block.
    #[error("the node has no block {block}")]
    NoBlock {
        /// What was asked for.
        block: String,
    },
    /// There is nothing where something has to be.
    #[error("{method}: the node answers with null")]
    Null {
        /// The method.
        method: &'static str,
    },
    /// The answer has another form.
    #[error("{method}: the answer is not of the expected form: {reason}")]
    Form {
        /// The method.
        method: &'static str,
        /// What the parser found.
        reason: String,
    },
    /// The block is not the one that its hash names.
    #[error("block {number} has hash {got}, but the node says {said}")]
    Hash {
        /// Its number.
        number: u64,
        /// The node's.
        said: B256,
        /// The computed one.
        got: B256,
    },
    /// Another block has taken its place between two calls.
    #[error("block {number} was {before} and is {after}: the chain was reorganized")]
    Reorganized {
        /// Its number.
        number: u64,
        /// The hash at first.
        before: B256,
        /// The hash after the witness was fetched.
        after: B256,
    },
    /// The witness has no header of the block's parent.
    #[error("the witness has no header of the parent {parent}")]
    NoParent {
        /// Hash of the parent.
        parent: B256,
    },
    /// The node's chain is not known, or not the one that was named.
    #[error("the node's chain has id {chain_id}, {}", Rules(name))]
    Chain {
        /// The chain's id.
        chain_id: u64,
        /// The rules that were named.
        name: Option<String>,
    },
}

struct Rules<'a>(&'a Option<String>);

impl std::fmt::Display for Rules<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            Some(name) => write!(f, "for which `{name}` names no rules"),
            None => f.write_str("whose rules are not known"),
        }
    }
}
