//! Some blocks of a batch, executed from the state before them: with a proof of one block, a wrong
//! claim about it is refuted, and proofs of all blocks compose to one of the batch.

use alloc::vec::Vec;

use alloy_consensus::Block;
use alloy_primitives::{Address, B256, U256, keccak256};

use super::batch::SignedBlock;
use super::blocks::{Proposal, Surroundings, Totals, derive, is_gas_limit};
use super::config::Mode;
use super::input::{BlockRange, Input};
use super::out::{BlocksOut, Verdict};
use super::outbox::{Withdrawal, withdrawals_root};
use super::queue::ItemKind;
use super::rules;
use crate::Failure;
use crate::block::Transaction;
use crate::chain::ChainConfig;
use crate::state::WitnessState;
use crate::witness::{Ancestors, Source, WitnessError};

/// Blocks that have been executed, and the state after them.
#[derive(Debug)]
pub(super) struct Run<'w, S> {
    pub(super) blocks: Vec<Block<Transaction>>,
    pub(super) withdrawals: Vec<Withdrawal>,
    pub(super) skipped: Vec<bool>,
    pub(super) totals: Totals,
    pub(super) state: WitnessState<'w, S>,
}

impl<'w, S> Run<'w, S> {
    fn begin(state: WitnessState<'w, S>) -> Self {
        Run {
            blocks: Vec::new(),
            withdrawals: Vec::new(),
            skipped: Vec::new(),
            totals: Totals::default(),
            state,
        }
    }
}

/// Executes blocks, the first of which begins with the forced items.
pub(super) fn execute<'w, S: Source>(
    around: &Surroundings<'_>,
    items: &[ItemKind],
    blocks: &[SignedBlock],
    leader: Address,
    state: WitnessState<'w, S>,
) -> Result<Result<Run<'w, S>, Verdict>, Failure> {
    let mut run = Run::begin(state);
    for (index, block) in blocks.iter().enumerate() {
        if !is_gas_limit(around.config, run.state.parent(), block.gas_limit) {
            return Ok(Err(Verdict::Gas));
        }
        let proposal = Proposal {
            slot: block.slot,
            attempt: block.attempt,
            timestamp: block.timestamp,
            gas_limit: block.gas_limit,
            beneficiary: leader,
            zk_gas_left: around.config.zk_gas_limit.saturating_sub(run.totals.zk_gas),
            forced: if index == 0 { items } else { &[] },
            transactions: &block.transactions,
        };
        let derived;
        (derived, run.state) = match derive(around, &proposal, run.state)? {
            Ok(next) => next,
            Err(verdict) => return Ok(Err(verdict)),
        };
        run.blocks.push(derived.block);
        run.withdrawals.extend(derived.withdrawals);
        run.skipped.extend(derived.skipped);
        run.totals.add(&derived.totals);
    }
    Ok(Ok(run))
}

/// Where some blocks of a batch lead.
#[derive(Debug)]
pub struct BlocksTransition<'w, S> {
    /// The public output.
    pub out: BlocksOut,
    /// The blocks; none if they are refused.
    pub blocks: Vec<Block<Transaction>>,
    /// Withdrawals to L1.
    pub withdrawals: Vec<Withdrawal>,
    /// The state after the last block.
    pub state: WitnessState<'w, S>,
}

/// Executes some blocks of a batch, of which the first ancestor is before the first.
///
/// # Errors
/// [`Failure::Witness`] as from [`super::transition`]; also if the batch has not these blocks. Forced
/// items are only looked at if its first block is among them.
pub fn execute_blocks<'w, S: Source>(
    input: &Input<'_>,
    range: BlockRange,
    ancestors: &Ancestors,
    source: &'w S,
) -> Result<BlocksTransition<'w, S>, Failure> {
    let chain = input.config.chain().ok_or(WitnessError::Config)?;
    input.check_set()?;
    let parent = ancestors.parent();
    let (number, state_root) = (parent.number, parent.state_root);
    let block_hash = ancestors.parent_hash();
    // Where nothing is executed.
    let mut out = BlocksOut {
        domain: input.config.domain(),
        view_hash: input.view.hash(),
        batch_hash: keccak256(input.batch),
        block_count: 0,
        declared_mode: Mode::Optimistic,
        first: range.first,
        end: range.end,
        leader: Address::ZERO,
        pre_block: number,
        pre_block_hash: block_hash,
        pre_state_root: state_root,
        chain_input_pre: input.view.chain_input,
        post_block: number,
        post_block_hash: block_hash,
        post_state_root: state_root,
        chain_input_post: input.view.chain_input,
        forced_to: 0,
        forced_post: B256::ZERO,
        withdrawals_root: B256::ZERO,
        withdrawal_count: 0,
        withdrawn: U256::ZERO,
        transferred: U256::ZERO,
        zk_gas: 0,
        zk_gas_peak: 0,
        is_opted_in: false,
        verdict: Verdict::Ok,
        prover: input.prover,
    };
    let begin = || WitnessState::new(ancestors.clone(), source);
    let run = match run_blocks(input, &chain, range, &mut out, begin())? {
        Ok(run) => run,
        Err(verdict) => {
            out.verdict = verdict;
            Run::begin(begin())
        }
    };
    Ok(BlocksTransition {
        out,
        blocks: run.blocks,
        withdrawals: run.withdrawals,
        state: run.state,
    })
}

/// Executes blocks and fills in what there is of their output.
fn run_blocks<'w, S: Source>(
    input: &Input<'_>,
    chain: &ChainConfig,
    range: BlockRange,
    out: &mut BlocksOut,
    state: WitnessState<'w, S>,
) -> Result<Result<Run<'w, S>, Verdict>, Failure> {
    let mut items = Vec::new();
    if range.first == 0 {
        let forced = input.read_items()?;
        (items, out.forced_to, out.forced_post) = (forced.items, forced.to, forced.post);
    }
    let sealed = match rules::read(input) {
        Ok(sealed) => sealed,
        Err(verdict) => return Ok(Err(verdict)),
    };
    let batch = &sealed.batch;
    let count = batch.blocks.len();
    let indices = range
        .indices()
        .filter(|it| it.end <= count)
        .ok_or(WitnessError::Blocks {
            first: range.first,
            end: range.end,
            count,
        })?;
    let (before, blocks) = batch.blocks.split_at(indices.start);
    let blocks = blocks.get(..indices.len()).unwrap_or_default();
    out.block_count = u64::try_from(count).unwrap_or(u64::MAX);
    out.declared_mode = sealed.mode;
    out.leader = sealed.leader;
    out.chain_input_pre = rules::chain_inputs(input.view.chain_input, before);
    out.chain_input_post = out.chain_input_pre;
    let inputs = out.chain_input_pre;
    let inputs = match rules::check(input, &sealed, blocks, inputs, state.parent()) {
        Ok(inputs) => inputs,
        Err(verdict) => return Ok(Err(verdict)),
    };
    let around = input.surroundings(chain);
    let run = match execute(&around, &items, blocks, sealed.leader, state)? {
        Ok(run) => run,
        Err(verdict) => return Ok(Err(verdict)),
    };
    out.post_block = run.state.parent().number;
    out.post_block_hash = run.state.parent_hash();
    out.post_state_root = run.state.parent().state_root;
    out.chain_input_post = inputs;
    out.withdrawals_root = withdrawals_root(&run.withdrawals);
    out.withdrawal_count = u64::try_from(run.withdrawals.len()).unwrap_or(u64::MAX);
    out.withdrawn = run.totals.withdrawn;
    out.transferred = run.totals.transferred;
    out.zk_gas = run.totals.zk_gas;
    out.zk_gas_peak = run.totals.zk_gas_peak;
    out.is_opted_in = run.totals.is_opted_in;
    Ok(Ok(run))
}
