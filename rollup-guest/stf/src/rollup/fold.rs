//! Composition: outputs of adjacent blocks are the output of their batch, outputs of adjacent batches
//! that of a range. The rule is the same for the host and for the guest `rollup-range`.

use alloc::vec::Vec;

use alloy_primitives::{Address, B256, U256, keccak256};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::blocks::Totals;
use super::config::Config;
use super::input::{L1View, decode};
use super::out::{BlocksOut, Out, RangeOut, Verdict};
use super::outbox::root_of_leaves;
use super::rules;
use super::sequencers::SequencerSet;
use super::transition::Settled;
use crate::witness::WitnessError;

/// What the guest `rollup-range` reads: outputs as their words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RangeInput<'a> {
    /// All blocks of a batch, in their order.
    Blocks {
        /// RLP of [`Config`].
        #[serde(borrow)]
        config: &'a [u8],
        /// RLP of [`L1View`].
        view: &'a [u8],
        /// The epoch's sequencers.
        set: SequencerSet,
        /// [`BlocksOut`]s, each with the leaves of its withdrawals.
        parts: Vec<(&'a [u8], Vec<[u8; 32]>)>,
        /// Who is paid for the proof.
        prover: [u8; 20],
    },
    /// Consecutive batches, in their order.
    Batches {
        /// [`Out`]s.
        outs: Vec<&'a [u8]>,
        /// Who is paid for the proof.
        prover: [u8; 20],
    },
}

/// What outputs compose to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whole {
    /// A batch, from its blocks.
    Batch(Out),
    /// A range of batches.
    Range(RangeOut),
}

/// What the guest `rollup-range` says: if these parts are so, the whole is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Composition {
    /// Hash of the digests of the parts, one after the other.
    pub parts_hash: B256,
    /// What they compose to.
    pub whole: Whole,
}

impl Composition {
    /// What the guest commits: the parts' hash, and the digest of the whole.
    #[must_use]
    pub fn journal(&self) -> Vec<u8> {
        let digest = match &self.whole {
            Whole::Batch(out) => out.digest(),
            Whole::Range(out) => out.digest(),
        };
        [self.parts_hash, digest].concat()
    }
}

/// The hash of the digests of parts, in their order.
#[must_use]
pub fn parts_hash(digests: &[B256]) -> B256 {
    keccak256(digests.concat())
}

/// Why outputs do not compose. Positions are those of the later of two.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FoldError {
    /// There is nothing.
    #[error("there is no output to compose")]
    Empty,
    /// Bytes are no output.
    #[error("output {index} has another length or form")]
    Encoding {
        /// Position.
        index: usize,
    },
    /// An output is not of the same batch, rollup or leader as the first.
    #[error("output {index} has another {field}")]
    Other {
        /// Position.
        index: usize,
        /// The field.
        field: &'static str,
    },
    /// An output does not begin where the one before it ends.
    #[error("output {index} does not begin where the one before it ends: {field}")]
    Apart {
        /// Position.
        index: usize,
        /// The field.
        field: &'static str,
    },
    /// The blocks are not all blocks of the batch.
    #[error("the outputs end at block {end}, the batch at block {count}")]
    Incomplete {
        /// Where they end.
        end: u64,
        /// Where the batch ends.
        count: u64,
    },
    /// The leaves are not those of an output's root.
    #[error("the withdrawals beside output {index} are not those of its root")]
    Withdrawals {
        /// Position.
        index: usize,
    },
    /// The batch is refused: what it leads to takes a proof of the whole.
    #[error("the batch is refused, {verdict:?}: its blocks do not compose to what it leads to")]
    Refused {
        /// Why.
        verdict: Verdict,
    },
    /// Something beside the outputs is not what they were made with.
    #[error(transparent)]
    Beside(#[from] WitnessError),
}

impl RangeInput<'_> {
    /// Composes what there is.
    ///
    /// # Errors
    /// [`FoldError`] if it does not compose.
    pub fn compose(&self) -> Result<Composition, FoldError> {
        match self {
            RangeInput::Blocks {
                config,
                view,
                set,
                parts,
                prover,
            } => {
                let read = |(index, (bytes, leaves)): (usize, &(&[u8], Vec<[u8; 32]>))| {
                    let out = BlocksOut::from_bytes(bytes).ok_or(FoldError::Encoding { index })?;
                    let leaves = leaves.iter().copied().map(B256::new).collect();
                    Ok((out, leaves))
                };
                let parts = parts.iter().enumerate().map(read);
                let parts = parts.collect::<Result<Vec<_>, FoldError>>()?;
                let (config, view) = (decode(config)?, decode(view)?);
                let out = fold_blocks(&config, &view, set, &parts, (*prover).into())?;
                let digests: Vec<B256> = parts.iter().map(|(part, _)| part.digest()).collect();
                Ok(Composition {
                    parts_hash: parts_hash(&digests),
                    whole: Whole::Batch(out),
                })
            }
            RangeInput::Batches { outs, prover } => {
                let read = |(index, bytes): (usize, &&[u8])| {
                    Out::from_bytes(bytes).ok_or(FoldError::Encoding { index })
                };
                let outs = outs.iter().enumerate().map(read);
                let outs = outs.collect::<Result<Vec<_>, FoldError>>()?;
                let range = fold_batches(&outs, (*prover).into())?;
                Ok(Composition {
                    parts_hash: range.outs_hash,
                    whole: Whole::Range(range),
                })
            }
        }
    }
}

/// Composes the outputs of all blocks of a batch, each with the leaves of its withdrawals, to the
/// output that [`super::transition`] has for the batch.
///
/// # Errors
/// [`FoldError`] if they are not all blocks of one batch in their order, or the batch is refused.
pub fn fold_blocks(
    config: &Config,
    view: &L1View,
    set: &SequencerSet,
    parts: &[(BlocksOut, Vec<B256>)],
    prover: Address,
) -> Result<Out, FoldError> {
    let ((first, _), (last, _)) = parts.first().zip(parts.last()).ok_or(FoldError::Empty)?;
    let beside = |is_same: bool, field| match is_same {
        true => Ok(()),
        false => Err(FoldError::Other { index: 0, field }),
    };
    beside(first.domain == config.domain(), "domain")?;
    beside(first.view_hash == view.hash(), "view_hash")?;
    beside(set.hash() == Some(view.set_hash), "set_hash")?;
    let (mut totals, mut leaves) = (Totals::default(), Vec::new());
    let mut end = 0;
    for (index, (part, own)) in parts.iter().enumerate() {
        if part.verdict != Verdict::Ok {
            let verdict = part.verdict;
            return Err(FoldError::Refused { verdict });
        }
        let fields = [
            (part.domain == first.domain, "domain"),
            (part.view_hash == first.view_hash, "view_hash"),
            (part.batch_hash == first.batch_hash, "batch_hash"),
            (part.leader == first.leader, "leader"),
        ];
        if let Some((_, field)) = fields.into_iter().find(|(is_same, _)| !is_same) {
            return Err(FoldError::Other { index, field });
        }
        if part.first != end {
            let field = "first";
            return Err(FoldError::Apart { index, field });
        }
        end = part.end;
        // As many as there are: the root's children would be leaves of the same root.
        let is_complete = u64::try_from(own.len()) == Ok(part.withdrawal_count);
        if !is_complete || root_of_leaves(own.clone()) != part.withdrawals_root {
            return Err(FoldError::Withdrawals { index });
        }
        leaves.extend_from_slice(own);
        totals.add(&Totals {
            transferred: part.transferred,
            withdrawn: part.withdrawn,
            zk_gas: part.zk_gas,
            zk_gas_peak: part.zk_gas_peak,
            is_opted_in: part.is_opted_in,
        });
    }
    for (index, pair) in (1..).zip(parts.windows(2)) {
        let [(before, _), (after, _)] = pair else {
            continue;
        };
        let fields = [
            (
                before.post_block_hash == after.pre_block_hash,
                "post_block_hash",
            ),
            (
                before.post_state_root == after.pre_state_root,
                "post_state_root",
            ),
            (
                before.chain_input_post == after.chain_input_pre,
                "chain_input_post",
            ),
            (before.post_block == after.pre_block, "post_block"),
        ];
        apart(index, &fields)?;
    }
    if end != first.block_count {
        let count = first.block_count;
        return Err(FoldError::Incomplete { end, count });
    }
    if totals.zk_gas_peak > config.zk_gas_limit {
        let verdict = Verdict::ZkGas;
        return Err(FoldError::Refused { verdict });
    }
    let required_mode = rules::required_mode(config, view, set, &totals, first.leader);
    let settled = Settled {
        batch_hash: first.batch_hash,
        first_block: first.pre_block.saturating_add(1),
        last_block: last.post_block,
        pre_block_hash: first.pre_block_hash,
        pre_state_root: first.pre_state_root,
        post_block_hash: last.post_block_hash,
        post_state_root: last.post_state_root,
        withdrawals_root: root_of_leaves(leaves),
        chain_input_post: last.chain_input_post,
        forced_to: first.forced_to,
        forced_post: first.forced_post,
        verdict: rules::mode_verdict(first.declared_mode, required_mode),
        required_mode,
        value_at_risk: totals.value_at_risk(),
        leader: first.leader,
        prover,
    };
    Ok(settled.out(config, view))
}

/// Composes the outputs of consecutive batches.
///
/// # Errors
/// [`FoldError`] if they are none, or one does not follow the one before it.
pub fn fold_batches(outs: &[Out], prover: Address) -> Result<RangeOut, FoldError> {
    let (first, last) = outs.first().zip(outs.last()).ok_or(FoldError::Empty)?;
    for (index, pair) in (1..).zip(outs.windows(2)) {
        let [before, after] = pair else {
            continue;
        };
        if before.domain != after.domain {
            let field = "domain";
            return Err(FoldError::Other { index, field });
        }
        let is_next = before.batch_index.checked_add(1) == Some(after.batch_index);
        let is_next_block = before.last_block.checked_add(1) == Some(after.first_block);
        let fields = [
            (is_next, "batch_index"),
            (is_next_block, "last_block"),
            (before.batch_hash == after.parent_batch_hash, "batch_hash"),
            (
                before.post_block_hash == after.pre_block_hash,
                "post_block_hash",
            ),
            (
                before.post_state_root == after.pre_state_root,
                "post_state_root",
            ),
            (
                before.chain_input_post == after.chain_input_pre,
                "chain_input_post",
            ),
            (before.forced_post == after.forced_pre, "forced_post"),
            (before.forced_to == after.forced_from, "forced_to"),
        ];
        apart(index, &fields)?;
    }
    let at_risk = outs.iter().map(|out| out.value_at_risk);
    let digests: Vec<B256> = outs.iter().map(Out::digest).collect();
    Ok(RangeOut {
        domain: first.domain,
        outs_hash: parts_hash(&digests),
        first_batch: first.batch_index,
        last_batch: last.batch_index,
        first_block: first.first_block,
        last_block: last.last_block,
        parent_batch_hash: first.parent_batch_hash,
        batch_hash: last.batch_hash,
        pre_block_hash: first.pre_block_hash,
        pre_state_root: first.pre_state_root,
        post_block_hash: last.post_block_hash,
        post_state_root: last.post_state_root,
        chain_input_pre: first.chain_input_pre,
        chain_input_post: last.chain_input_post,
        forced_pre: first.forced_pre,
        forced_post: last.forced_post,
        forced_from: first.forced_from,
        forced_to: last.forced_to,
        verdict: outs
            .iter()
            .map(|out| out.verdict)
            .fold(first.verdict, Ord::max),
        required_mode: outs
            .iter()
            .map(|out| out.required_mode)
            .fold(first.required_mode, Ord::max),
        value_at_risk: at_risk.fold(U256::ZERO, |sum, value| sum.saturating_add(value)),
        prover,
    })
}

fn apart(index: usize, fields: &[(bool, &'static str)]) -> Result<(), FoldError> {
    match fields.iter().find(|(is_same, _)| !is_same) {
        Some(&(_, field)) => Err(FoldError::Apart { index, field }),
        None => Ok(()),
    }
}
