//! The generator: a chain that goes on batch by batch.

use std::collections::BTreeSet;

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, Bytes};
use zkvm_rollup_stf::chain::Fork;
use zkvm_rollup_stf::rollup::{Config, L1View, OrderingPolicy, Sequencer, Verdict};

use super::body::User;
use super::evaluate::Evaluation;
use super::l1::{L1, Queued};
use super::leader::Meant;
use super::report::{Intention, report};
use super::rng::Rng;
use super::schedule::{Before, Schedule};
use super::violation::Violation;
use super::wallet::Wallet;
use super::{GenerateError, Generated, Options, Scale, genesis};
use crate::batch::OwnedBatchInput;
use crate::store::{Accounts, Store};

/// Accounts that send transactions.
const USERS: u64 = 4;
/// Headers that are kept: more than contracts ask for.
const HEADERS_MAX: usize = 8;

/// A chain of batches. Its state is that after the last one.
#[derive(Clone, Debug)]
pub struct Generator {
    pub(super) config: Config,
    pub(super) scale: Scale,
    pub(super) rng: Rng,
    pub(super) l1: L1,
    pub(super) users: Vec<User>,
    pub(super) stranger: Wallet,
    /// Contracts that users have made.
    pub(super) made: BTreeSet<Address>,
    pub(super) store: Store,
    pub(super) genesis: Genesis,
    pub(super) tip: Tip,
}

/// How a chain begins.
#[derive(Clone, Debug)]
pub struct Genesis {
    /// The first block's header; there is nothing in the block.
    pub header: Header,
    /// The state after it.
    pub accounts: Accounts,
}

/// What the next batch builds on.
#[derive(Clone, Debug)]
pub(super) struct Tip {
    pub(super) header: Header,
    /// The block's slot, none for the first block.
    pub(super) slot: Option<u64>,
    /// Encoded headers, the newest first.
    headers: Vec<Bytes>,
    batch_index: u64,
    batch_hash: B256,
    chain_input: B256,
    forced_to: u64,
    forced_hash: B256,
    anchor: u64,
    l1_time: u64,
    /// The epoch and its sequencers' hash but for the epoch.
    pub(super) epoch: u64,
    pub(super) sequencers: Vec<Sequencer>,
}

impl Generator {
    /// The chain of a seed, with a fork and an order that it chooses.
    ///
    /// # Errors
    /// None but bugs.
    pub fn new(seed: u64) -> Result<Self, GenerateError> {
        Generator::with(
            seed,
            Options {
                fork: None,
                ordering: None,
                scale: Scale::Usual,
            },
        )
    }

    /// A chain whose batches are cheap to prove, and which has every verdict.
    ///
    /// # Errors
    /// None but bugs.
    pub fn small(seed: u64) -> Result<Self, GenerateError> {
        Generator::with(
            seed,
            Options {
                fork: Some(Fork::Cancun),
                ordering: Some(OrderingPolicy::Priority),
                scale: Scale::Small,
            },
        )
    }

    /// The chain of a seed and options.
    ///
    /// # Errors
    /// [`GenerateError::Fork`].
    pub fn with(seed: u64, options: Options) -> Result<Self, GenerateError> {
        let mut rng = Rng::new(seed, "chain");
        let fork = rng.pick(&[Fork::Cancun, Fork::Prague]);
        let ordering = rng.pick(&[OrderingPolicy::Free, OrderingPolicy::Priority]);
        let fork = options.fork.unwrap_or(fork);
        let ordering = options.ordering.unwrap_or(ordering);
        if fork < Fork::Cancun {
            return Err(GenerateError::Fork { fork });
        }
        let config = genesis::config(fork, ordering);
        let mut l1 = L1::new(seed, options.scale, config.chain_id);
        let users: Vec<User> = (0..USERS)
            .map(|index| User {
                wallet: Wallet::derive(seed, "user", index),
                nonce: 0,
            })
            .collect();
        let rich = users.iter().map(|user| &user.wallet).chain(l1.forcers());
        let accounts = genesis::accounts(options.scale, fork, rich);
        let mut store = Store::default();
        store.insert_code(genesis::delegation_code());
        let state_root = store.insert_state(&accounts)?;
        let header = genesis::header(fork, state_root);
        let tip = Tip {
            headers: vec![alloy_rlp::encode(&header).into()],
            header: header.clone(),
            slot: None,
            batch_index: 0,
            batch_hash: B256::ZERO,
            chain_input: B256::ZERO,
            forced_to: 0,
            forced_hash: B256::ZERO,
            anchor: l1.block_at(config.genesis_time),
            l1_time: config.genesis_time,
            epoch: 0,
            sequencers: l1.set(0).sequencers,
        };
        Ok(Generator {
            config,
            scale: options.scale,
            rng,
            l1,
            users,
            stranger: Wallet::derive(seed, "stranger", 0),
            made: BTreeSet::new(),
            store,
            genesis: Genesis { header, accounts },
            tip,
        })
    }

    /// The chain's rules.
    #[must_use]
    pub const fn config(&self) -> &Config {
        &self.config
    }

    /// How the chain begins.
    #[must_use]
    pub const fn genesis(&self) -> &Genesis {
        &self.genesis
    }

    /// The verdicts that batches of this chain can have: all, or all but [`Verdict::Order`].
    pub fn verdicts(&self) -> impl Iterator<Item = Verdict> {
        let is_free = self.config.ordering() == Some(OrderingPolicy::Free);
        let verdicts = Verdict::ALL.into_iter();
        verdicts.filter(move |verdict| !(is_free && *verdict == Verdict::Order))
    }

    /// The next batch: every second is as it should be, the others have any other verdict.
    ///
    /// # Errors
    /// None but bugs.
    pub fn next_batch(&mut self) -> Result<Generated, GenerateError> {
        let verdicts: Vec<Verdict> = self.verdicts().skip(1).collect();
        let verdict = if self.rng.one_in(2) {
            Verdict::Ok
        } else {
            self.rng.pick(&verdicts)
        };
        self.next_with(verdict)
    }

    /// The next batch, with a verdict.
    ///
    /// # Errors
    /// [`GenerateError::Unreachable`] if the chain has no such batches.
    pub fn next_with(&mut self, verdict: Verdict) -> Result<Generated, GenerateError> {
        if self.verdicts().all(|it| it != verdict) {
            return Err(GenerateError::Unreachable { verdict });
        }
        let before = Before {
            config: &self.config,
            scale: self.scale,
            timestamp: self.tip.header.timestamp,
            anchor: self.tip.anchor,
            l1_time: self.tip.l1_time,
        };
        let mut schedule = before.next(&mut self.rng, &mut self.l1)?;
        let newest = self.l1.block_at(schedule.l1_time).saturating_sub(1);
        self.l1.enqueue(newest)?;
        let mut queued = self.l1.dequeue(schedule.anchor);
        let violation = self.choose(verdict, &schedule, !queued.is_empty());
        if violation == Some(Violation::Stale) {
            schedule.delay(&self.config, &self.l1);
            queued.extend(self.l1.dequeue(schedule.anchor));
        }
        let view = self.view(violation, &schedule, &queued);
        let input = self.input(&schedule, &view, &queued);
        let meant = Meant {
            verdict,
            violation,
            schedule: &schedule,
            view: &view,
            input: &input,
        };
        let honest = self.compose(&meant)?;
        let made = honest.new.clone();
        let own = honest.features.clone();
        let evaluation = self.settle(&meant, honest)?;
        let out = &evaluation.out;
        if out.verdict != verdict {
            return Err(GenerateError::Verdict {
                violation,
                intended: verdict,
                got: out.verdict,
            });
        }
        // What has no room in this batch is the next one's.
        let executed = out.forced_to.saturating_sub(out.forced_from);
        let executed = usize::try_from(executed).unwrap_or(usize::MAX);
        let left = queued.split_off(executed.min(queued.len()));
        self.l1.requeue(left);
        let expected: Vec<bool> = queued.iter().map(Queued::is_skipped).collect();
        if evaluation.skipped != expected {
            return Err(GenerateError::Skipped {
                expected,
                got: evaluation.skipped,
            });
        }
        let intention = Intention {
            config: &self.config,
            view: &view,
            tip: &self.tip,
            schedule: &schedule,
            queued: &queued,
            is_waiting: self.l1.is_waiting(),
            violation,
            own,
        };
        let generated = report(&intention, &evaluation);
        if matches!(verdict, Verdict::Ok | Verdict::Mode) {
            self.made.extend(made);
        }
        self.advance(&schedule, evaluation);
        Ok(generated)
    }

    fn view(&self, violation: Option<Violation>, schedule: &Schedule, queued: &[Queued]) -> L1View {
        let tip = &self.tip;
        let hash = |before, it: &Queued| it.item.borrow().hash_after(before);
        let count = u64::try_from(queued.len()).unwrap_or(u64::MAX);
        // Where F finds no leader, L1 looks for nobody's faults.
        let is_led = violation.is_none_or(|it| it.is_led(schedule.turns.len()));
        L1View {
            batch_index: tip.batch_index,
            parent_batch_hash: tip.batch_hash,
            chain_input: tip.chain_input,
            forced_from: tip.forced_to,
            forced_pre: tip.forced_hash,
            forced_to: tip.forced_to + count,
            forced_post: queued.iter().fold(tip.forced_hash, hash),
            set_hash: schedule.set.hash().unwrap_or_default(),
            seed: schedule.seed,
            l1_anchor: schedule.anchor,
            l1_anchor_hash: self.l1.hash_of(schedule.anchor),
            l1_anchor_time: self.l1.time_of(schedule.anchor),
            l1_time: schedule.l1_time,
            leader_fault_epoch: if is_led {
                self.l1.fault(schedule.leader)
            } else {
                0
            },
        }
    }

    /// The input without the batch, with all headers.
    fn input(&mut self, schedule: &Schedule, view: &L1View, queued: &[Queued]) -> OwnedBatchInput {
        OwnedBatchInput {
            config: alloy_rlp::encode(&self.config).into(),
            view: alloy_rlp::encode(view).into(),
            set: schedule.set.clone(),
            items: queued.iter().map(|it| it.item.clone()).collect(),
            batch: Bytes::new(),
            prover: self.rng.address(),
            blocks: None,
            nodes: Vec::new(),
            codes: Vec::new(),
            headers: self.tip.headers.clone(),
        }
    }

    /// Goes on to the state after a batch.
    fn advance(&mut self, schedule: &Schedule, evaluation: Evaluation) {
        let Evaluation {
            out,
            blocks,
            nonces,
            nodes,
            ..
        } = evaluation;
        for encoding in nodes {
            let _ = self.store.insert_node(encoding);
        }
        for (user, nonce) in self.users.iter_mut().zip(nonces) {
            user.nonce = nonce;
        }
        if out.verdict != Verdict::Ok && out.leader != Address::ZERO {
            self.l1.blame(out.leader, schedule.set.epoch);
        }
        let is_refused = !matches!(out.verdict, Verdict::Ok | Verdict::Mode);
        let last = schedule.turns.last().map(|turn| turn.slot);
        let tip = &mut self.tip;
        for block in blocks {
            tip.headers
                .insert(0, alloy_rlp::encode(&block.header).into());
            tip.header = block.header;
        }
        tip.headers.truncate(HEADERS_MAX);
        // The block in a refused batch's place is in its parent's slot, at first in slot 0.
        tip.slot = if is_refused {
            Some(tip.slot.unwrap_or(0))
        } else {
            last
        };
        tip.batch_index += 1;
        tip.batch_hash = out.batch_hash;
        tip.chain_input = out.chain_input_post;
        (tip.forced_to, tip.forced_hash) = (out.forced_to, out.forced_post);
        (tip.anchor, tip.l1_time) = (schedule.anchor, schedule.l1_time);
        tip.epoch = schedule.set.epoch;
        tip.sequencers.clone_from(&schedule.set.sequencers);
    }
}
