//! F: what a batch is, and where it leads.
//!
//! The rules are checked in this order, and the first that is broken is the verdict: the batch as a
//! whole (decoding, link, forced items); then, block by block, signature, leader and time; then,
//! block by block again, gas limit, transactions, order and execution; then the gas of proving;
//! then the mode.

use alloc::format;
use alloc::vec::Vec;

use alloy_consensus::{Block, Header};
use alloy_primitives::{Address, B256, U256, keccak256};
use alloy_rlp::{Decodable, RlpDecodable, RlpEncodable};
use serde::{Deserialize, Serialize};

use super::batch::{Batch, chain_input, signing_hash};
use super::blocks::{Derived, Proposal, Surroundings, derive, is_gas_limit, slot_of};
use super::config::{Config, Mode};
use super::out::{Out, Verdict};
use super::outbox::{Withdrawal, withdrawals_root};
use super::queue::{ItemKind, QueueItem};
use super::sequencers::SequencerSet;
use crate::Failure;
use crate::block::Transaction;
use crate::state::WitnessState;
use crate::witness::{Ancestors, Hashed, Source, Witness, WitnessError};

/// The attempt in blocks that no leader has made.
const NO_ATTEMPT: u8 = u8::MAX;

/// What L1 has in its storage about a batch. All of it is in the output, so L1 checks it.
#[derive(Clone, Debug, PartialEq, Eq, RlpEncodable, RlpDecodable)]
pub struct L1View {
    /// Position of the batch.
    pub batch_index: u64,
    /// Hash of the batch before it.
    pub parent_batch_hash: B256,
    /// Hash over all inputs before it.
    pub chain_input: B256,
    /// Index of the first forced item that it has to execute.
    pub forced_from: u64,
    /// Hash of the queue before that item.
    pub forced_pre: B256,
    /// Index after the last forced item that it has to execute.
    pub forced_to: u64,
    /// Hash of the queue up to there.
    pub forced_post: B256,
    /// Hash of the epoch's sequencers; it has the epoch in it.
    pub set_hash: B256,
    /// The epoch's seed.
    pub seed: B256,
    /// Number of the L1 block that the batch is bound to.
    pub l1_anchor: u64,
    /// Hash of that block.
    pub l1_anchor_hash: B256,
    /// Time of that block.
    pub l1_anchor_time: u64,
    /// Time of the L1 block with the batch.
    pub l1_time: u64,
    /// The epoch of the leader's last fault, plus one; zero if there is none.
    pub leader_fault_epoch: u64,
}

/// All that F is a function of, but for the state before.
#[derive(Clone, Debug)]
pub struct Input<'a> {
    /// The rules.
    pub config: Config,
    /// What L1 knows.
    pub view: L1View,
    /// The epoch's sequencers.
    pub set: SequencerSet,
    /// The forced items.
    pub items: Vec<QueueItem<'a>>,
    /// The batch as posted.
    pub batch: &'a [u8],
    /// Who is paid for the proof.
    pub prover: Address,
}

/// What the guest `rollup-batch` reads: [`Input`] with the witness, as bytes that can be borrowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BatchInput<'a> {
    /// RLP of [`Config`].
    pub config: &'a [u8],
    /// RLP of [`L1View`].
    pub view: &'a [u8],
    /// The epoch's sequencers.
    pub set: SequencerSet,
    /// The forced items.
    #[serde(borrow)]
    pub items: Vec<QueueItem<'a>>,
    /// The batch as posted.
    pub batch: &'a [u8],
    /// Who is paid for the proof.
    pub prover: [u8; 20],
    /// The past.
    #[serde(borrow)]
    pub witness: Witness<'a>,
}

impl BatchInput<'_> {
    /// Evaluates F.
    ///
    /// # Errors
    /// As [`transition`]; also if the constants or the view do not decode.
    pub fn out(&self) -> Result<Out, Failure> {
        self.out_from(&Hashed::new(&self.witness))
    }

    /// The same with the witness's nodes and codes as `source` has them.
    ///
    /// # Errors
    /// As [`BatchInput::out`].
    pub fn out_from<S: Source>(&self, source: &S) -> Result<Out, Failure> {
        let input = Input {
            config: decode(self.config)?,
            view: decode(self.view)?,
            set: self.set.clone(),
            items: self.items.clone(),
            batch: self.batch,
            prover: self.prover.into(),
        };
        let ancestors = Ancestors::new(&self.witness.headers)?;
        Ok(transition(&input, &ancestors, source)?.out)
    }
}

fn decode<T: Decodable>(bytes: &[u8]) -> Result<T, WitnessError> {
    alloy_rlp::decode_exact(bytes).map_err(|reason| WitnessError::Beside { reason })
}

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
    check_beside(input)?;
    let items: Vec<ItemKind> = (view.forced_from..)
        .zip(&input.items)
        .map(|(index, item)| item.read(index))
        .collect();
    let around = Surroundings {
        config,
        chain: &chain,
        epoch: input.set.epoch,
        seed: view.seed,
        l1_anchor: view.l1_anchor,
        l1_anchor_hash: view.l1_anchor_hash,
    };
    let parent = ancestors.parent();
    let begin = || WitnessState::new(ancestors.clone(), source);

    let judged = judge(input, parent);
    let executed = match &judged {
        Ok(signed) => execute(&around, &items, signed, begin())?,
        Err(verdict) => Err(*verdict),
    };
    let (refusal, run) = match executed {
        Ok(run) => (None, run),
        Err(verdict) => (Some(verdict), fall_back(&around, &items, view, begin())?),
    };
    let Run { totals, state } = run;
    let leader = judged
        .as_ref()
        .map_or(Address::ZERO, |signed| signed.leader);
    let (verdict, required_mode, chain_input_post) = match (refusal, &judged) {
        (None, Ok(signed)) => {
            let required = required_mode(input, &totals, leader);
            let verdict = if required > signed.mode {
                Verdict::Mode
            } else {
                Verdict::Ok
            };
            (verdict, required, signed.chain_input)
        }
        // Nothing of a refused batch is an input. The proof that refuses it is what settles it.
        (Some(verdict), _) => (verdict, Mode::Zk, view.chain_input),
        (None, Err(verdict)) => (*verdict, Mode::Zk, view.chain_input),
    };
    let (first, last) = (totals.blocks.first(), totals.blocks.last());
    let number = |block: Option<&Block<Transaction>>| block.map_or(0, |it| it.header.number);
    let out = Out {
        domain: config.domain(),
        batch_index: view.batch_index,
        first_block: number(first),
        last_block: number(last),
        batch_hash: keccak256(input.batch),
        parent_batch_hash: view.parent_batch_hash,
        pre_block_hash: ancestors.parent_hash(),
        pre_state_root: parent.state_root,
        post_block_hash: state.parent_hash(),
        post_state_root: state.parent().state_root,
        withdrawals_root: withdrawals_root(&totals.withdrawals),
        chain_input_pre: view.chain_input,
        chain_input_post,
        forced_pre: view.forced_pre,
        forced_post: view.forced_post,
        forced_from: view.forced_from,
        forced_to: view.forced_to,
        set_hash: view.set_hash,
        seed: view.seed,
        l1_anchor: view.l1_anchor,
        l1_anchor_hash: view.l1_anchor_hash,
        l1_anchor_time: view.l1_anchor_time,
        l1_time: view.l1_time,
        leader_fault_epoch: view.leader_fault_epoch,
        verdict,
        required_mode,
        value_at_risk: totals.value_at_risk(),
        leader,
        prover: input.prover,
    };
    Ok(Transition {
        out,
        blocks: totals.blocks,
        withdrawals: totals.withdrawals,
        skipped: totals.skipped,
        state,
    })
}

/// The sequencers and the forced items are those that L1 has hashed.
fn check_beside(input: &Input<'_>) -> Result<(), WitnessError> {
    let view = &input.view;
    let got = input.set.hash();
    if got != Some(view.set_hash) {
        return Err(WitnessError::SequencerSet {
            expected: view.set_hash,
            got,
        });
    }
    let count = view.forced_to.checked_sub(view.forced_from);
    let got = input
        .items
        .iter()
        .fold(view.forced_pre, |before, item| item.hash_after(before));
    let is_complete = count.is_some_and(|count| u64::try_from(input.items.len()) == Ok(count));
    if !is_complete || got != view.forced_post {
        return Err(WitnessError::Queue {
            expected: view.forced_post,
            got,
        });
    }
    Ok(())
}

/// A batch that keeps the rules that can be told without executing it.
struct Signed {
    batch: Batch,
    leader: Address,
    mode: Mode,
    /// Over all inputs up to the batch's last block.
    chain_input: B256,
}

fn judge(input: &Input<'_>, parent: &Header) -> Result<Signed, Verdict> {
    let (config, view) = (&input.config, &input.view);
    let batch = Batch::decode_posted(config, input.batch).ok_or(Verdict::Decode)?;
    let mode = batch.mode().ok_or(Verdict::Decode)?;
    let is_linked = batch.chain_id == config.chain_id
        && batch.batch_index == view.batch_index
        && batch.parent_batch_hash == view.parent_batch_hash
        && batch.l1_anchor == view.l1_anchor;
    if !is_linked {
        return Err(Verdict::Link);
    }
    if batch.forced_to != view.forced_to {
        return Err(Verdict::Forced);
    }
    let domain = config.domain();
    let mut inputs = view.chain_input;
    let mut leader: Option<Address> = None;
    let (mut parent_slot, mut parent_time) = (slot_of(parent), parent.timestamp);
    for block in &batch.blocks {
        inputs = chain_input(inputs, &block.unsigned());
        let signer = block
            .signer(signing_hash(domain, inputs))
            .ok_or(Verdict::Signature)?;
        let is_epoch = block.slot.checked_div(config.epoch_slots) == Some(input.set.epoch);
        let drawn = input.set.leader(view.seed, block.slot, block.attempt);
        let is_leader = is_epoch && drawn.is_some_and(|drawn| drawn.signer == signer.0);
        // One leader in a batch: what is at risk is held against one stake.
        if !is_leader || leader.is_some_and(|first| first != signer) {
            return Err(Verdict::Leader);
        }
        leader = Some(signer);
        let earliest = config
            .earliest(block.slot, block.attempt)
            .max(parent_time.saturating_add(1))
            .max(view.l1_anchor_time.saturating_sub(config.max_drift));
        let is_later = parent_slot.is_none_or(|parent_slot| block.slot > parent_slot);
        if !is_later || !(earliest..=view.l1_time).contains(&block.timestamp) {
            return Err(Verdict::Time);
        }
        (parent_slot, parent_time) = (Some(block.slot), block.timestamp);
    }
    let leader = leader.ok_or(Verdict::Decode)?;
    Ok(Signed {
        batch,
        leader,
        mode,
        chain_input: inputs,
    })
}

/// Blocks that have been executed, and the state after them.
struct Run<'w, S> {
    totals: Totals,
    state: WitnessState<'w, S>,
}

/// What blocks add up to.
#[derive(Debug, Default)]
struct Totals {
    blocks: Vec<Block<Transaction>>,
    withdrawals: Vec<Withdrawal>,
    skipped: Vec<bool>,
    transferred: U256,
    zk_gas: u64,
    is_opted_in: bool,
}

impl Totals {
    fn add(&mut self, derived: Derived) {
        self.blocks.push(derived.block);
        self.withdrawals.extend(derived.withdrawals);
        self.skipped.extend(derived.skipped);
        self.transferred = self.transferred.saturating_add(derived.transferred);
        self.zk_gas = self.zk_gas.saturating_add(derived.zk_gas);
        self.is_opted_in |= derived.is_opted_in;
    }

    fn withdrawn(&self) -> U256 {
        let values = self.withdrawals.iter().map(|withdrawal| withdrawal.value);
        values.fold(U256::ZERO, |sum, value| sum.saturating_add(value))
    }

    fn value_at_risk(&self) -> U256 {
        self.transferred.saturating_add(self.withdrawn())
    }
}

fn execute<'w, S: Source>(
    around: &Surroundings<'_>,
    items: &[ItemKind],
    signed: &Signed,
    mut state: WitnessState<'w, S>,
) -> Result<Result<Run<'w, S>, Verdict>, Failure> {
    let mut totals = Totals::default();
    for (index, block) in signed.batch.blocks.iter().enumerate() {
        if !is_gas_limit(around.config, state.parent(), block.gas_limit) {
            return Ok(Err(Verdict::Gas));
        }
        let proposal = Proposal {
            slot: block.slot,
            attempt: block.attempt,
            timestamp: block.timestamp,
            gas_limit: block.gas_limit,
            beneficiary: signed.leader,
            forced: if index == 0 { items } else { &[] },
            transactions: &block.transactions,
        };
        let derived;
        (derived, state) = match derive(around, &proposal, state)? {
            Ok(next) => next,
            Err(verdict) => return Ok(Err(verdict)),
        };
        totals.add(derived);
    }
    if totals.zk_gas > around.config.zk_gas_limit {
        return Ok(Err(Verdict::ZkGas));
    }
    Ok(Ok(Run { totals, state }))
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
        forced: items,
        transactions: &[],
    };
    let mut totals = Totals::default();
    match derive(around, &proposal, state)? {
        Ok((derived, state)) => {
            totals.add(derived);
            Ok(Run { totals, state })
        }
        // Only a block's own transactions can be refused, and there are none.
        Err(verdict) => Err(Failure::Evm {
            reason: format!("a block of forced items: {verdict:?}"),
        }),
    }
}

/// How a batch has to be settled, whatever its leader declares.
fn required_mode(input: &Input<'_>, totals: &Totals, leader: Address) -> Mode {
    let config = &input.config;
    let stake = U256::from(input.set.stake_of(leader));
    // Saturating on the left only errs towards a proof.
    let at_risk = totals
        .value_at_risk()
        .saturating_mul(U256::from(config.kappa_den));
    let covered = stake.saturating_mul(U256::from(config.kappa_num));
    let fault = input.view.leader_fault_epoch;
    let probation_end = fault.saturating_add(config.probation_epochs);
    let is_required = totals.is_opted_in
        || totals.withdrawn() > config.z_value_threshold
        || at_risk > covered
        || fault > 0 && input.set.epoch < probation_end;
    if is_required {
        Mode::Zk
    } else {
        Mode::Optimistic
    }
}
