//! A batch until it is posted: honest first, then perhaps spoilt.

use alloy_eips::Encodable2718;
use alloy_primitives::{B256, Bytes, U256, uint};
use zkvm_rollup_stf::header::GAS_LIMIT_CHANGE_DIVISOR;
use zkvm_rollup_stf::rollup::{
    Batch, Config, L1View, OrderingPolicy, SignedBlock, chain_input, signing_hash,
};

use super::GenerateError;
use super::body::{Sent, User, Wish, encode, sort_by_priority};
use super::chain::Tip;
use super::genesis::is_delegating;
use super::l1::{L1, is_on_probation};
use super::rng::Rng;
use super::schedule::Schedule;
use super::violation::Violation;
use super::wallet::{Order, Wallet, blob_transaction};

/// The number of points of secp256k1.
const GROUP_ORDER: U256 =
    uint!(0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141_U256);

/// What a batch depends on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) config: &'a Config,
    pub(super) tip: &'a Tip,
    pub(super) l1: &'a L1,
    pub(super) schedule: &'a Schedule,
}

/// A batch before it is posted.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    pub(super) place: Place<'a>,
    pub(super) view: &'a L1View,
    pub(super) batch: Batch,
    /// The users before each block.
    pub(super) users: Vec<Vec<User>>,
    /// A key that is no sequencer's.
    pub(super) stranger: &'a Wallet,
}

impl Violation {
    /// What the batch's transactions have to do for it.
    pub(super) fn wish(self, config: &Config, stake: u128) -> Option<Wish> {
        let covered = U256::from(stake) * U256::from(config.kappa_num);
        let covered = covered / U256::from(config.kappa_den);
        let one = U256::from(1);
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "few are about what is executed"
        )]
        match self {
            Violation::Burn => Some(Wish::Burn(config.zk_gas_limit)),
            Violation::OptIn => Some(Wish::OptIn),
            Violation::Withdrawal => Some(Wish::Withdrawal(config.z_value_threshold + one)),
            Violation::AtRisk => Some(Wish::Payment(covered + one)),
            _ => None,
        }
    }
}

impl Place<'_> {
    /// Whether a batch can break a rule in this way.
    pub(super) fn is_possible(&self, violation: Violation, has_items: bool) -> bool {
        let config = self.config;
        let gas_limit = self.tip.header.gas_limit;
        #[expect(clippy::wildcard_enum_match_arm, reason = "most are always possible")]
        match violation {
            Violation::ForcedLess => has_items,
            Violation::OldSlot => self.old_attempt().is_some(),
            Violation::GasLimitMax => {
                config.block_gas_limit + 1 - gas_limit < gas_limit / GAS_LIMIT_CHANGE_DIVISOR
            }
            Violation::Probation => {
                let fault = self.l1.fault(self.schedule.leader);
                is_on_probation(config, fault, self.schedule.set.epoch)
            }
            Violation::LaterType => !is_delegating(config),
            Violation::TipOrder | Violation::TieOrder | Violation::SenderOrder => {
                config.ordering() == Some(OrderingPolicy::Priority)
            }
            _ => true,
        }
    }

    /// With which attempt the leader could have taken the parent's slot.
    fn old_attempt(&self) -> Option<u8> {
        let slot = self.tip.slot?;
        let set = &self.schedule.set;
        let is_epoch = slot / self.config.epoch_slots == set.epoch;
        let mut attempts = (0..8u8).filter(|_| is_epoch);
        attempts.find(|attempt| {
            let leader = self.l1.leader(set, slot, *attempt);
            leader.is_ok_and(|it| it.address == self.schedule.leader)
        })
    }
}

impl Draft<'_> {
    /// Spoils what is signed.
    pub(super) fn spoil(
        &mut self,
        violation: Violation,
        rng: &mut Rng,
    ) -> Result<(), GenerateError> {
        let Place { config, tip, .. } = self.place;
        let last = self.batch.blocks.len() - 1;
        let gas_limit = tip.header.gas_limit;
        let blocks = &mut self.batch.blocks;
        #[expect(clippy::wildcard_enum_match_arm, reason = "the others come later")]
        match violation {
            Violation::Version => self.batch.version += 1,
            Violation::UnknownMode => self.batch.mode = 2,
            Violation::NoBlocks => blocks.clear(),
            Violation::LongExtra => blocks[last].extra = Bytes::from_static(&[7; 33]),
            Violation::ManyBlocks => {
                let next = blocks[last].clone();
                while u64::try_from(blocks.len()).is_ok_and(|it| it <= config.max_blocks_per_batch)
                {
                    blocks.push(next.clone());
                }
            }
            Violation::ManyBytes => {
                let len = usize::try_from(config.max_batch_bytes).unwrap_or(0);
                blocks[last].transactions.push(vec![7; len].into());
            }
            Violation::ChainId => self.batch.chain_id += 1,
            Violation::Index => self.batch.batch_index += 1,
            Violation::Parent => self.batch.parent_batch_hash = rng.word(),
            Violation::Anchor => self.batch.l1_anchor += 1,
            Violation::TwoLeaders => self.add_leader()?,
            Violation::OtherEpoch => {
                blocks[last].slot = (self.place.schedule.set.epoch + 1) * config.epoch_slots;
            }
            Violation::Early => {
                let earliest = config.earliest(blocks[0].slot, blocks[0].attempt);
                blocks[0].timestamp = earliest - 1;
            }
            Violation::Late => blocks[last].timestamp = self.view.l1_time + 1,
            Violation::SlotTwice => {
                let mut next = blocks[last].clone();
                next.timestamp += 1;
                next.transactions.clear();
                blocks.push(next);
            }
            Violation::OldSlot => {
                blocks[0].slot = tip.slot.unwrap_or(0);
                let attempt = self.place.old_attempt().unwrap_or(0);
                self.batch.blocks[0].attempt = attempt;
            }
            Violation::ForcedMore => self.batch.forced_to += 1 + rng.below(3),
            Violation::ForcedLess => self.batch.forced_to -= 1,
            Violation::GasLimitUp => {
                blocks[0].gas_limit = gas_limit + gas_limit / GAS_LIMIT_CHANGE_DIVISOR
            }
            Violation::GasLimitDown => {
                blocks[0].gas_limit = gas_limit - gas_limit / GAS_LIMIT_CHANGE_DIVISOR
            }
            Violation::GasLimitMax => blocks[0].gas_limit = config.block_gas_limit + 1,
            Violation::TipOrder | Violation::TieOrder | Violation::SenderOrder => {
                let transactions = self.disorder(violation, rng)?;
                self.batch.blocks[0].transactions = transactions;
            }
            _ => {
                if let Some(bytes) = self.bad_transaction(violation, last, rng)? {
                    self.batch.blocks[last].transactions = vec![bytes];
                }
            }
        }
        Ok(())
    }

    /// Adds a block of another leader, in the slot that schedules leave free.
    fn add_leader(&mut self) -> Result<(), GenerateError> {
        let schedule = self.place.schedule;
        let slot = (schedule.set.epoch + 1) * self.place.config.epoch_slots - 1;
        for attempt in 0..=u8::MAX {
            let other = self.place.l1.leader(&schedule.set, slot, attempt)?;
            if other.address != schedule.leader {
                self.batch.blocks.push(SignedBlock {
                    timestamp: self.place.config.earliest(slot, attempt),
                    transactions: Vec::new(),
                    slot,
                    attempt,
                    ..self.batch.blocks[0].clone()
                });
                return Ok(());
            }
        }
        Err(GenerateError::Leader { slot, attempt: 0 })
    }

    /// Transactions that can be executed, but not in this order.
    fn disorder(&self, violation: Violation, rng: &mut Rng) -> Result<Vec<Bytes>, GenerateError> {
        let users = &self.users[0];
        let first = rng.index(users.len());
        let second = (first + 1) % users.len();
        let send = |user: usize, later: u64, tip: u128| {
            let User { wallet, nonce } = &users[user];
            let to = wallet.address;
            let mut order =
                Order::payment(self.place.config.chain_id, nonce + later, to, U256::ZERO);
            order.tip = tip;
            Ok::<Sent, GenerateError>(Sent {
                sender: wallet.address,
                transaction: wallet.transaction(order)?,
            })
        };
        let sent = if violation == Violation::TieOrder {
            let mut sent = [send(first, 0, 4)?, send(second, 0, 4)?];
            let (seed, slot) = (self.view.seed, self.batch.blocks[0].slot);
            sort_by_priority(&mut sent, 0, mix_hash(seed, slot));
            sent.reverse();
            sent.to_vec()
        } else if violation == Violation::SenderOrder {
            vec![send(first, 0, 2)?, send(first, 1, 9)?, send(second, 0, 3)?]
        } else {
            vec![send(first, 0, 2)?, send(second, 0, 5)?]
        };
        Ok(encode(&sent))
    }

    /// A transaction that cannot be executed; `None` if the violation is of another kind.
    fn bad_transaction(
        &self,
        violation: Violation,
        block: usize,
        rng: &mut Rng,
    ) -> Result<Option<Bytes>, GenerateError> {
        let users = &self.users[block];
        let User { wallet, nonce } = &users[rng.index(users.len())];
        let to = rng.address();
        let mut order = Order::payment(self.place.config.chain_id, *nonce, to, U256::ZERO);
        let mut sender = wallet;
        #[expect(
            clippy::wildcard_enum_match_arm,
            reason = "the others are not about one"
        )]
        match violation {
            Violation::NoTransaction => return Ok(Some(rng.word()[..9].to_vec().into())),
            Violation::Nonce => order.nonce += 1 + rng.below(5),
            Violation::Balance => {
                sender = self.place.l1.pauper();
                order.nonce = 0;
            }
            Violation::TransactionChain => order.chain_id += 1,
            Violation::IntrinsicGas => order.gas_limit = 20_999,
            Violation::Fee => order.fee_max = 1,
            Violation::TransactionGas => {
                order.gas_limit = self.batch.blocks[block].gas_limit + 1;
            }
            Violation::LaterType => {
                let delegation = wallet.delegation(order, users[0].wallet.address, &[])?;
                return Ok(Some(delegation.encoded_2718().into()));
            }
            Violation::Blob => {
                let blob = blob_transaction(order.chain_id, order.nonce, to);
                return Ok(Some(wallet.signed(blob)?.encoded_2718().into()));
            }
            _ => return Ok(None),
        }
        Ok(Some(sender.transaction(order)?.encoded_2718().into()))
    }

    /// Signs and encodes the batch, with what a violation does to that.
    pub(super) fn post(
        &mut self,
        violation: Option<Violation>,
        rng: &mut Rng,
    ) -> Result<Bytes, GenerateError> {
        self.sign(violation)?;
        let mut bytes = alloy_rlp::encode(&self.batch);
        match violation {
            Some(Violation::NoBytes) => bytes.clear(),
            Some(Violation::Noise) => bytes = rng.word().to_vec(),
            Some(Violation::Truncated) => {
                let kept = bytes.len() - 1 - rng.index(20);
                bytes.truncate(kept);
            }
            Some(Violation::Trailing) => bytes.push(0),
            _ => {}
        }
        Ok(bytes.into())
    }

    fn sign(&mut self, violation: Option<Violation>) -> Result<(), GenerateError> {
        let set = &self.place.schedule.set;
        let (domain, mut inputs) = (self.place.config.domain(), self.view.chain_input);
        let last = self.batch.blocks.len().saturating_sub(1);
        for (index, block) in self.batch.blocks.iter_mut().enumerate() {
            inputs = chain_input(inputs, &block.unsigned());
            let signer = match violation {
                Some(Violation::OtherSequencer) if index == last => {
                    self.place.l1.other(set, self.place.schedule.leader)?
                }
                Some(Violation::NoSequencer) if index == last => self.stranger,
                _ => self.place.l1.leader(set, block.slot, block.attempt)?,
            };
            let signature = signer.sign(signing_hash(domain, inputs))?;
            (block.r, block.s) = (signature.r(), signature.s());
            block.y_parity = signature.v().into();
        }
        let Some(block) = self.batch.blocks.last_mut() else {
            return Ok(());
        };
        match violation {
            Some(Violation::Resealed) => block.timestamp += 1,
            Some(Violation::Parity) => block.y_parity = 2,
            Some(Violation::ZeroR) => block.r = U256::ZERO,
            Some(Violation::LargeR) => block.r = GROUP_ORDER,
            Some(Violation::HighS) => {
                (block.s, block.y_parity) = (GROUP_ORDER - block.s, 1 - block.y_parity);
            }
            _ => {}
        }
        self.seal(violation)
    }

    /// Signs the whole, by the batch's leader.
    fn seal(&mut self, violation: Option<Violation>) -> Result<(), GenerateError> {
        let Place {
            config,
            l1,
            schedule,
            ..
        } = self.place;
        let blocks = self.batch.blocks.iter();
        let inputs = blocks.fold(self.view.chain_input, |inputs, block| {
            chain_input(inputs, &block.unsigned())
        });
        let signer = match violation {
            Some(Violation::OtherSeal) => l1.other(&schedule.set, schedule.leader)?,
            _ => l1.wallet(schedule.leader)?,
        };
        let batch = &mut self.batch;
        let signature = signer.sign(batch.signing_hash(config.domain(), inputs))?;
        (batch.r, batch.s) = (signature.r(), signature.s());
        batch.y_parity = signature.v().into();
        match violation {
            Some(Violation::SealParity) => batch.y_parity = 2,
            Some(Violation::Reposted) => batch.mode = 1 - batch.mode,
            _ => {}
        }
        Ok(())
    }
}

/// What orders equal tips in a slot, and is its block's `mixHash`.
pub(super) fn mix_hash(seed: B256, slot: u64) -> B256 {
    alloy_primitives::keccak256([seed.as_slice(), &slot.to_be_bytes()].concat())
}
