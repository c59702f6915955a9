//! A batch cut into its blocks: for each the input of `rollup-batch` with the smallest witness, and
//! for all the input of `rollup-range`.

use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable;
use thiserror::Error;
use zkvm_rollup_stf::Failure;
use zkvm_rollup_stf::rollup::{
    BatchInput, BlockRange, BlocksOut, BlocksTransition, Claim, Config, Input, L1View, RangeInput,
    Verdict, execute_blocks,
};
use zkvm_rollup_stf::witness::{ANCESTORS_MAX, Ancestors, WitnessError};

use crate::store::{Additions, Recorder, Store};
use crate::work::{Work, WorkError};

/// Some blocks of a batch.
#[derive(Clone, Debug)]
pub struct Part {
    /// The input of `rollup-batch`.
    pub work: Work,
    /// What it says.
    pub out: BlocksOut,
    /// The leaves of the blocks' withdrawals.
    pub leaves: Vec<B256>,
}

/// Why a batch cannot be cut.
#[derive(Debug, Error)]
pub enum SplitError {
    /// It is refused before its blocks are executed.
    #[error("the batch is refused before it is executed: {}", verdict.name())]
    Refused {
        /// Why.
        verdict: Verdict,
    },
    /// It cannot be executed.
    #[error(transparent)]
    Failure(#[from] Failure),
    /// A part has no encoding.
    #[error(transparent)]
    Work(#[from] WorkError),
}

/// Cuts a batch into its blocks. A block that cannot be executed is the last.
///
/// # Errors
/// [`SplitError`] if the batch is refused as a whole, or its witness does not serve.
pub fn split(batch: &BatchInput<'_>) -> Result<Vec<Part>, SplitError> {
    let input = Input {
        config: decode::<Config>(batch.config)?,
        view: decode::<L1View>(batch.view)?,
        set: batch.set.clone(),
        items: batch.items.clone(),
        batch: batch.batch,
        prover: batch.prover.into(),
    };
    // Without its blocks having been executed, the witness is not theirs.
    if let Claim::Batch(out) = batch.claim()?
        && !is_executed(out.verdict)
    {
        let verdict = out.verdict;
        return Err(SplitError::Refused { verdict });
    }
    let mut store = Store::from_witness(&batch.witness);
    let headers = batch.witness.headers.iter();
    let mut headers: Vec<Bytes> = headers.map(|it| Bytes::copy_from_slice(it)).collect();
    let mut parts: Vec<Part> = Vec::new();
    let mut first = 0;
    loop {
        let end = first + 1;
        let range = BlockRange { first, end };
        let slices: Vec<&[u8]> = headers.iter().map(|it| &it[..]).collect();
        let ancestors = Ancestors::new(&slices).map_err(Failure::from)?;
        let recorder = Recorder::new(&store);
        let BlocksTransition {
            out,
            blocks,
            withdrawals,
            mut state,
        } = execute_blocks(&input, range, &ancestors, &recorder)?;
        // The block itself is a header more by now. What a refused block has read is not known.
        let used = if out.verdict == Verdict::Ok {
            state.headers_used().saturating_sub(1).max(1)
        } else {
            headers.len()
        };
        let used = headers.get(..used).unwrap_or(&headers);
        let part = BatchInput {
            items: if first == 0 {
                batch.items.clone()
            } else {
                Vec::new()
            },
            blocks: Some(range),
            witness: recorder.witness(used),
            ..batch.clone()
        };
        parts.push(Part {
            work: Work::batch(&part)?,
            out,
            leaves: withdrawals.iter().map(|it| it.leaf).collect(),
        });
        if out.verdict != Verdict::Ok || end >= out.block_count {
            return Ok(parts);
        }
        first = end;
        let additions = Additions::of_state(&mut state);
        drop(state);
        store.extend(additions);
        for block in blocks {
            headers.insert(0, alloy_rlp::encode(&block.header).into());
        }
        headers.truncate(ANCESTORS_MAX);
    }
}

const fn is_executed(verdict: Verdict) -> bool {
    match verdict {
        Verdict::Ok
        | Verdict::Order
        | Verdict::Transaction
        | Verdict::Gas
        | Verdict::ZkGas
        | Verdict::Mode => true,
        Verdict::Decode
        | Verdict::Link
        | Verdict::Leader
        | Verdict::Signature
        | Verdict::Time
        | Verdict::Forced => false,
    }
}

/// The input of `rollup-range` that composes a batch from its parts.
///
/// # Errors
/// [`WorkError`] if it has no encoding.
pub fn compose(batch: &BatchInput<'_>, parts: &[Part]) -> Result<Work, WorkError> {
    let words: Vec<Vec<u8>> = parts.iter().map(|part| part.out.to_bytes()).collect();
    let leaves = parts.iter().map(|part| part.leaves.iter().map(|it| it.0));
    let parts = words.iter().zip(leaves);
    Work::range(&RangeInput::Blocks {
        config: batch.config,
        view: batch.view,
        set: batch.set.clone(),
        parts: parts
            .map(|(words, leaves)| (&words[..], leaves.collect()))
            .collect(),
        prover: batch.prover,
    })
}

fn decode<T: Decodable>(bytes: &[u8]) -> Result<T, Failure> {
    let decoded = alloy_rlp::decode_exact(bytes);
    decoded.map_err(|reason| WitnessError::Beside { reason }.into())
}
