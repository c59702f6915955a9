//! What a leader does: it makes blocks, declares a mode, posts, and at times breaks a rule.

use std::collections::BTreeSet;

use alloy_consensus::Header;
use alloy_eips::eip1559::BaseFeeParams;
use alloy_primitives::{Address, U256};
use zkvm_rollup_stf::header::GAS_LIMIT_CHANGE_DIVISOR;
use zkvm_rollup_stf::rollup::{Batch, L1View, Mode, OrderingPolicy, SignedBlock, Verdict};

use super::body::{Author, Sent, User, Wish, encode, sort_by_priority};
use super::chain::Generator;
use super::draft::{Draft, Place, mix_hash};
use super::evaluate::{Evaluation, evaluate, last_header};
use super::rng::Rng;
use super::schedule::Schedule;
use super::violation::Violation;
use super::{Feature, GenerateError, Scale, genesis};
use crate::batch::OwnedBatchInput;

/// Most bytes that a block's leader may add.
const EXTRA_BYTES_MAX: usize = 32;

/// What a batch is to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Meant<'a> {
    pub(super) verdict: Verdict,
    pub(super) violation: Option<Violation>,
    pub(super) schedule: &'a Schedule,
    pub(super) view: &'a L1View,
    /// The input without the batch, with all headers.
    pub(super) input: &'a OwnedBatchInput,
}

/// A batch's own part, as the leader meant it.
#[derive(Debug)]
pub(super) struct Honest {
    pub(super) batch: Batch,
    /// The users before each block.
    pub(super) users: Vec<Vec<User>>,
    /// Contracts that it makes.
    pub(super) new: Vec<Address>,
    /// What its transactions do.
    pub(super) features: BTreeSet<Feature>,
}

impl Generator {
    /// One of the possible violations with a verdict, in small batches the cheapest; none for
    /// [`Verdict::Ok`].
    pub(super) fn choose(
        &mut self,
        verdict: Verdict,
        schedule: &Schedule,
        has_items: bool,
    ) -> Option<Violation> {
        let place = Place {
            config: &self.config,
            tip: &self.tip,
            l1: &self.l1,
            schedule,
        };
        let possible: Vec<Violation> = Violation::with(verdict)
            .filter(|it| place.is_possible(*it, has_items))
            .collect();
        match self.scale {
            Scale::Usual if possible.is_empty() => None,
            Scale::Usual => Some(self.rng.pick(&possible)),
            Scale::Small => possible.first().copied(),
        }
    }

    /// Makes the blocks one after the other, as an honest leader would.
    pub(super) fn compose(&mut self, meant: &Meant<'_>) -> Result<Honest, GenerateError> {
        let Meant {
            violation,
            schedule,
            view,
            ..
        } = *meant;
        let stake = schedule.set.stake_of(schedule.leader);
        let wish = violation.and_then(|it| it.wish(&self.config, stake));
        let is_sorted = self.config.ordering() == Some(OrderingPolicy::Priority);
        let mut gas_limit = self.tip.header.gas_limit;
        let mut rng = self.rng.clone();
        let mut author = Author {
            chain_id: self.config.chain_id,
            is_delegating: genesis::is_delegating(&self.config),
            rng: &mut rng,
            users: self.users.clone(),
            made: &self.made,
            new: Vec::new(),
            features: BTreeSet::new(),
        };
        let mut batch = Batch {
            version: 1,
            chain_id: self.config.chain_id,
            batch_index: view.batch_index,
            parent_batch_hash: view.parent_batch_hash,
            mode: 0,
            l1_anchor: view.l1_anchor,
            forced_to: view.forced_to,
            blocks: Vec::new(),
            y_parity: 0,
            r: U256::ZERO,
            s: U256::ZERO,
        };
        let mut users = Vec::new();
        for (index, turn) in schedule.turns.iter().enumerate() {
            let is_last = index + 1 == schedule.turns.len();
            users.push(author.users.clone());
            let mut sent = self.sent(&mut author, wish.filter(|_| is_last), violation)?;
            if is_sorted && sent.len() > 1 {
                let before = self.header_before(&batch, meant)?;
                let base_fee = before.next_block_base_fee(BaseFeeParams::ethereum());
                let mix_hash = mix_hash(schedule.seed, turn.slot);
                sort_by_priority(&mut sent, base_fee.unwrap_or(0), mix_hash);
            }
            if self.scale == Scale::Usual && author.rng.one_in(4) {
                gas_limit = self.other_gas_limit(author.rng, gas_limit);
            }
            let extra = author.rng.word()[..author.rng.index(EXTRA_BYTES_MAX + 1)].to_vec();
            batch.blocks.push(SignedBlock {
                slot: turn.slot,
                attempt: turn.attempt,
                timestamp: turn.timestamp,
                gas_limit,
                extra: extra.into(),
                transactions: encode(&sent),
                y_parity: 0,
                r: U256::ZERO,
                s: U256::ZERO,
            });
        }
        let Author { new, features, .. } = author;
        self.rng = rng;
        Ok(Honest {
            batch,
            users,
            new,
            features,
        })
    }

    /// A gas limit that is allowed after another, at times the farthest.
    fn other_gas_limit(&self, rng: &mut Rng, before: u64) -> u64 {
        let change_max = before / GAS_LIMIT_CHANGE_DIVISOR - 1;
        let change = if rng.one_in(4) {
            change_max
        } else {
            rng.below(change_max)
        };
        if rng.one_in(2) {
            (before - change).max(self.config.gas_limit_min())
        } else {
            (before + change).min(self.config.block_gas_limit)
        }
    }

    /// A block's transactions.
    fn sent(
        &self,
        author: &mut Author<'_>,
        wish: Option<Wish>,
        violation: Option<Violation>,
    ) -> Result<Vec<Sent>, GenerateError> {
        let mut sent = match self.scale {
            Scale::Usual => {
                let count = author.rng.below(4);
                author.any(count)?
            }
            Scale::Small if violation.is_none() => vec![author.fulfil(Wish::Payment(U256::ONE))?],
            Scale::Small => Vec::new(),
        };
        if let Some(wish) = wish {
            sent.push(author.fulfil(wish)?);
        }
        Ok(sent)
    }

    /// The header of the last block so far.
    fn header_before(&self, batch: &Batch, meant: &Meant<'_>) -> Result<Header, GenerateError> {
        if batch.blocks.is_empty() {
            return Ok(self.tip.header.clone());
        }
        let mut draft = self.draft(meant, batch.clone(), Vec::new());
        let mut input = meant.input.clone();
        input.batch = draft.post(None, &mut self.rng.clone())?;
        last_header(&input, &self.store)
    }

    fn draft<'a>(&'a self, meant: &Meant<'a>, batch: Batch, users: Vec<Vec<User>>) -> Draft<'a> {
        Draft {
            place: Place {
                config: &self.config,
                tip: &self.tip,
                l1: &self.l1,
                schedule: meant.schedule,
            },
            view: meant.view,
            batch,
            users,
            stranger: &self.stranger,
        }
    }

    /// Spoils, declares, posts and evaluates the batch.
    pub(super) fn settle(
        &mut self,
        meant: &Meant<'_>,
        honest: Honest,
    ) -> Result<Evaluation, GenerateError> {
        let Meant {
            verdict,
            violation,
            input,
            ..
        } = *meant;
        let mut rng = self.rng.clone();
        let mut draft = self.draft(meant, honest.batch, honest.users);
        let is_voluntary = verdict != Verdict::Mode && rng.one_in(4);
        draft.batch.mode = u8::from(is_voluntary);
        if let Some(violation) = violation {
            draft.spoil(violation, &mut rng)?;
        }
        let accounts: Vec<Address> = self.users.iter().map(|it| it.wallet.address).collect();
        let mut posted = input.clone();
        posted.batch = draft.post(violation, &mut rng)?;
        let mut evaluation = evaluate(posted, &self.store, accounts.iter().copied())?;
        let out = &evaluation.out;
        if verdict == Verdict::Ok && out.verdict == Verdict::Mode {
            draft.batch.mode = u8::from(out.required_mode == Mode::Zk);
            let mut posted = input.clone();
            posted.batch = draft.post(violation, &mut rng)?;
            evaluation = evaluate(posted, &self.store, accounts.into_iter())?;
        }
        self.rng = rng;
        Ok(evaluation)
    }
}
