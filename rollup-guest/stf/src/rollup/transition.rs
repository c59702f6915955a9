//! F: what a batch is, and where it leads.
//!
//! The rules are checked in this order, and the first that is broken is the verdict: the batch as a
//! whole (decoding, link, signature, leader, forced items); then, block by block, signature, leader
//! and time; then, block by block again, gas limit, decoding of transactions, order, and of each
//! transaction gas, gas of proving and execution; then the mode.

use alloc::format;
use alloc::vec::Vec;

use alloy_consensus::Block;
use alloy_primitives::{Address, B256, U256, keccak256};

use super::block_range::{Run, execute};
use super::blocks::{Proposal, Surroundings, derive, slot_of};
use super::config::{Config, Mode};
use super::input::{Input, L1View};
use super::out::{Out, Verdict};
use super::outbox::{Withdrawal, withdrawals_root};
use super::queue::ItemKind;
use super::rules;
use crate::Failure;
use crate::block::Transaction;
use crate::state::WitnessState;
use crate::witness::{Ancestors, Source, WitnessError};

/// The attempt in blocks that no leader has made.
const NO_ATTEMPT: u8 = u8::MAX;

/// Where a batch leads.
#[derive(Debug)]
pub struct Transition<'w, S> {
    /// The public output.
    pub out: Out,
    /// The blocks, the batch's own or the one in its place.
    pub blocks: Vec<Block<Transaction>>,
    /// Withdrawals to L1.
    pub withdrawals: Vec<Withdrawal>,
    /// Of each forced item, whether it was skipped.
    pub skipped: Vec<bool>,
    /// The state after the last block.
    pub state: WitnessState<'w, S>,
}

/// Evaluates F.
///
/// # Errors
/// [`Failure::Witness`] if what is beside the batch is not what L1 has hashed, or the state's
/// witness lacks something. Never for what the batch is.
pub fn transition<'w, S: Source>(
    input: &Input<'_>,
    ancestors: &Ancestors,
    source: &'w S,
) -> Result<Transition<'w, S>, Failure> {
    let (config, view) = (&input.config, &input.view);
    let chain = config.chain().ok_or(WitnessError::Config)?;
    input.check_set()?;
    let forced = input.read_items()?;
    let around = input.surroundings(&chain);
    let parent = ancestors.parent();
    let begin = || WitnessState::new(ancestors.clone(), source);

    let sealed = rules::read(input);
    let leader = sealed.as_ref().map_or(Address::ZERO, |it| it.leader);
    let kept = match &sealed {
        Ok(sealed) => {
            let blocks = &sealed.batch.blocks;
            match rules::check(input, sealed, blocks, view.chain_input, parent) {
                Ok(inputs) => execute(&around, &forced.items, blocks, leader, begin())?
                    .map(|run| (run, inputs, sealed.mode)),
                Err(verdict) => Err(verdict),
            }
        }
        Err(verdict) => Err(*verdict),
    };
    let (verdict, required_mode, chain_input_post, run) = match kept {
        Ok((run, inputs, declared)) => {
            let required = rules::required_mode(config, view, &input.set, &run.totals, leader);
            let verdict = rules::mode_verdict(declared, required);
            (verdict, required, inputs, run)
        }
        // Nothing of a refused batch is an input. The proof that refuses it is what settles it.
        Err(verdict) => {
            let run = fall_back(&around, &forced.items, view, begin())?;
            (verdict, Mode::Zk, view.chain_input, run)
        }
    };
    let settled = Settled {
        batch_hash: keccak256(input.batch),
        first_block: parent.number.saturating_add(1),
        last_block: run.state.parent().number,
        pre_block_hash: ancestors.parent_hash(),
        pre_state_root: parent.state_root,
        post_block_hash: run.state.parent_hash(),
        post_state_root: run.state.parent().state_root,
        withdrawals_root: withdrawals_root(&run.withdrawals),
        chain_input_post,
        forced_to: forced.to,
        forced_post: forced.post,
        verdict,
        required_mode,
        value_at_risk: run.totals.value_at_risk(),
        leader,
        prover: input.prover,
    };
    Ok(Transition {
        out: settled.out(config, view),
        blocks: run.blocks,
        withdrawals: run.withdrawals,
        skipped: run.skipped,
        state: run.state,
    })
}

/// What [`Out`] has beside the constants and L1's view.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settled {
    pub(super) batch_hash: B256,
    pub(super) first_block: u64,
    pub(super) last_block: u64,
    pub(super) pre_block_hash: B256,
    pub(super) pre_state_root: B256,
    pub(super) post_block_hash: B256,
    pub(super) post_state_root: B256,
    pub(super) withdrawals_root: B256,
    pub(super) chain_input_post: B256,
    pub(super) forced_to: u64,
    pub(super) forced_post: B256,
    pub(super) verdict: Verdict,
    pub(super) required_mode: Mode,
    pub(super) value_at_risk: U256,
    pub(super) leader: Address,
    pub(super) prover: Address,
}

impl Settled {
    pub(super) fn out(self, config: &Config, view: &L1View) -> Out {
        Out {
            domain: config.domain(),
            batch_index: view.batch_index,
            first_block: self.first_block,
            last_block: self.last_block,
            batch_hash: self.batch_hash,
            parent_batch_hash: view.parent_batch_hash,
            pre_block_hash: self.pre_block_hash,
            pre_state_root: self.pre_state_root,
            post_block_hash: self.post_block_hash,
            post_state_root: self.post_state_root,
            withdrawals_root: self.withdrawals_root,
            chain_input_pre: view.chain_input,
            chain_input_post: self.chain_input_post,
            forced_pre: view.forced_pre,
            forced_post: self.forced_post,
            forced_from: view.forced_from,
            forced_to: self.forced_to,
            set_hash: view.set_hash,
            seed: view.seed,
            l1_anchor: view.l1_anchor,
            l1_anchor_hash: view.l1_anchor_hash,
            l1_anchor_time: view.l1_anchor_time,
            l1_time: view.l1_time,
            leader_fault_epoch: view.leader_fault_epoch,
            verdict: self.verdict,
            required_mode: self.required_mode,
            value_at_risk: self.value_at_risk,
            leader: self.leader,
            prover: self.prover,
        }
    }
}

/// The block in the place of a refused batch: forced items alone, in the parent's slot, by nobody.
fn fall_back<'w, S: Source>(
    around: &Surroundings<'_>,
    items: &[ItemKind],
    view: &L1View,
    state: WitnessState<'w, S>,
) -> Result<Run<'w, S>, Failure> {
    let parent = state.parent();
    let proposal = Proposal {
        slot: slot_of(parent).unwrap_or(0),
        attempt: NO_ATTEMPT,
        timestamp: view.l1_time.max(parent.timestamp.saturating_add(1)),
        gas_limit: parent.gas_limit,
        beneficiary: Address::ZERO,
        zk_gas_left: 0,
        forced: items,
        transactions: &[],
    };
    match derive(around, &proposal, state)? {
        Ok((derived, state)) => Ok(Run {
            blocks: Vec::from([derived.block]),
            withdrawals: derived.withdrawals,
            skipped: derived.skipped,
            totals: derived.totals,
            state,
        }),
        // Only a block's own transactions can be refused, and there are none.
        Err(verdict) => Err(Failure::Evm {
            reason: format!("a block of forced items: {verdict:?}"),
        }),
    }
}
