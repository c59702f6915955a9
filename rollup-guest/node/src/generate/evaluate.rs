//! F with all that is known, and the smallest witness for the same.

use alloy_consensus::{Block, Header};
use alloy_primitives::{Address, Bytes};
use alloy_rlp::Decodable;
use zkvm_rollup_stf::Failure;
use zkvm_rollup_stf::block::Transaction;
use zkvm_rollup_stf::rollup::{Claim, Input, Out, Transition, transition};
use zkvm_rollup_stf::witness::{Ancestors, Source, WitnessError};

use super::GenerateError;
use crate::batch::{OwnedBatchInput, OwnedItem};
use crate::store::{Recorder, Store};

/// What F is, and what is new after it.
#[derive(Debug)]
pub(super) struct Evaluation {
    pub(super) out: Out,
    pub(super) blocks: Vec<Block<Transaction>>,
    pub(super) has_withdrawals: bool,
    pub(super) skipped: Vec<bool>,
    /// Nonces of the accounts that were asked for.
    pub(super) nonces: Vec<u64>,
    /// The input with the smallest witness.
    pub(super) input: OwnedBatchInput,
    /// Nodes of the state after.
    pub(super) nodes: Vec<Vec<u8>>,
}

/// Evaluates F; `input` has all headers, and of its witness nothing else.
pub(super) fn evaluate(
    mut input: OwnedBatchInput,
    store: &Store,
    accounts: impl Iterator<Item = Address>,
) -> Result<Evaluation, GenerateError> {
    let recorder = Recorder::new(store);
    let Transition {
        out,
        blocks,
        withdrawals,
        skipped,
        mut state,
    } = run(&input, &recorder)?;
    // The witness first: what comes next reads more.
    let copy = |strings: Vec<&[u8]>| {
        strings
            .into_iter()
            .map(Bytes::copy_from_slice)
            .collect::<Vec<Bytes>>()
    };
    let witness = recorder.witness(&[]);
    let (codes, used) = (copy(witness.codes), copy(witness.nodes));
    let mut nonces = Vec::new();
    for address in accounts {
        let account = state.account(address).map_err(Failure::from)?;
        nonces.push(account.map_or(0, |it| it.nonce));
    }
    let mut nodes = Vec::new();
    state.for_each_node(|_, encoding| nodes.push(encoding));
    (input.nodes, input.codes) = (used, codes);
    let input = with_fewest_headers(input, &out)?;
    Ok(Evaluation {
        out,
        blocks,
        has_withdrawals: !withdrawals.is_empty(),
        skipped,
        nonces,
        input,
        nodes,
    })
}

/// The header of the last block that a batch leads to.
pub(super) fn last_header(input: &OwnedBatchInput, store: &Store) -> Result<Header, GenerateError> {
    Ok(run(input, store)?.state.parent().clone())
}

fn run<'w, S: Source>(
    input: &OwnedBatchInput,
    source: &'w S,
) -> Result<Transition<'w, S>, Failure> {
    let headers: Vec<&[u8]> = input.headers.iter().map(|it| &it[..]).collect();
    let ancestors = Ancestors::new(&headers)?;
    let input = Input {
        config: decode(&input.config)?,
        view: decode(&input.view)?,
        set: input.set.clone(),
        items: input.items.iter().map(OwnedItem::borrow).collect(),
        batch: &input.batch,
        prover: input.prover,
    };
    transition(&input, &ancestors, source)
}

fn decode<T: Decodable>(bytes: &[u8]) -> Result<T, WitnessError> {
    alloy_rlp::decode_exact(bytes).map_err(|reason| WitnessError::Beside { reason })
}

/// Leaves out the headers that F does not need. F of a refused batch does not say which those are,
/// so it is asked with one, with two, and so on.
fn with_fewest_headers(
    mut input: OwnedBatchInput,
    expected: &Out,
) -> Result<OwnedBatchInput, GenerateError> {
    let headers = std::mem::take(&mut input.headers);
    let mut outcome = Err(Failure::Witness(WitnessError::NoParent));
    for header in headers {
        input.headers.push(header);
        outcome = input.borrow().claim();
        if !matches!(
            &outcome,
            Err(Failure::Witness(WitnessError::NoHeader { .. }))
        ) {
            break;
        }
    }
    let got = outcome?;
    assert_eq!(
        got,
        Claim::Batch(*expected),
        "the witness is smaller, not another"
    );
    Ok(input)
}
