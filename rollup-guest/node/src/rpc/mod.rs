//! Blocks with their witnesses, from a node's JSON-RPC.
//!
//! ```text
//!   eth_chainId ─▶ eth_getBlockByNumber ─▶ debug_executionWitness ─▶ eth_getBlockByNumber
//!   which rules?    the block               its witness               is it still the same block?
//! ```
//!
//! Nothing of it is believed: hashes are computed here, the rest by the validation.

mod answers;
mod client;
mod error;

pub use client::{ANSWER_BYTES_MAX, Client};
pub use error::RpcError;

use alloy_primitives::U64;
use serde_json::json;
use zkvm_rollup_stf::chain::ChainConfig;

use crate::replay::OwnedInput;
use crate::rules;
use answers::{BlockAnswer, PlaceAnswer, WitnessAnswer};

const CHAIN_ID: &str = "eth_chainId";
const BLOCK: &str = "eth_getBlockByNumber";
const WITNESS: &str = "debug_executionWitness";

/// Which block is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The newest.
    Latest,
    /// By its number.
    Number(u64),
}

impl Wanted {
    fn parameter(self) -> String {
        match self {
            Wanted::Latest => "latest".to_owned(),
            Wanted::Number(number) => hex(number),
        }
    }
}

/// A number as Ethereum's JSON-RPC has it.
fn hex(number: u64) -> String {
    format!("{number:#x}")
}

/// Fetches a block and its witness, with the rules that [`rules::named`] has for `name`, or else the
/// node's public chain.
///
/// # Errors
/// [`RpcError`] if the node does not answer, or its answers do not fit each other.
pub fn import(client: &Client, wanted: Wanted, name: Option<&str>) -> Result<OwnedInput, RpcError> {
    let chain = chain(client, name)?;
    let parameter = wanted.parameter();
    let block: Option<BlockAnswer> = client.call(BLOCK, &json!([parameter, true]))?;
    let block = block.ok_or(RpcError::NoBlock { block: parameter })?;
    let (number, parent, before) = (block.header.number, block.header.parent_hash, block.hash);
    if let Wanted::Number(wanted) = wanted
        && wanted != number
    {
        let reason = format!("it is block {number}, asked for was {wanted}");
        return Err(RpcError::Form {
            method: BLOCK,
            reason,
        });
    }
    let block = block.encode()?;
    let witness: Option<WitnessAnswer> = client.call(WITNESS, &json!([hex(number)]))?;
    let witness = witness.ok_or(RpcError::Null { method: WITNESS })?;
    let place: Option<PlaceAnswer> = client.call(BLOCK, &json!([hex(number), false]))?;
    let place = place.ok_or_else(|| RpcError::NoBlock { block: hex(number) })?;
    if place.hash != before {
        return Err(RpcError::Reorganized {
            number,
            before,
            after: place.hash,
        });
    }
    let parts = witness.parts(parent)?;
    Ok(OwnedInput {
        chain,
        block,
        nodes: parts.nodes,
        codes: parts.codes,
        headers: parts.headers,
    })
}

fn chain(client: &Client, name: Option<&str>) -> Result<ChainConfig, RpcError> {
    let chain_id: Option<U64> = client.call(CHAIN_ID, &json!([]))?;
    let chain_id = chain_id.ok_or(RpcError::Null { method: CHAIN_ID })?.to();
    let chain = match name {
        Some(name) => rules::named(name, chain_id),
        None => rules::public(chain_id).map(|(_, chain)| chain),
    };
    chain.ok_or_else(|| RpcError::Chain {
        chain_id,
        name: name.map(str::to_owned),
    })
}
