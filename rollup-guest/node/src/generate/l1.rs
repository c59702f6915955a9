//! What L1 would do: blocks with hashes and times, sequencers that come and go, seeds of epochs,
//! a queue, and faults.

use std::collections::{BTreeMap, VecDeque};

use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256};
use zkvm_rollup_stf::rollup::{Config, Sequencer, SequencerSet};

use super::genesis::{COUNTER, GENESIS_TIME, OPT_IN, OUTBOX, REVERTER};
use super::rng::{Rng, hash_of};
use super::wallet::{Order, Wallet, blob_transaction};
use super::{ETHER, Feature, GenerateError, Scale};
use crate::batch::OwnedItem;

/// Seconds from one L1 block to the next.
const BLOCK_SECONDS: u64 = 12;
/// Number of the L1 block at the rollup's genesis.
const FIRST_BLOCK: u64 = 20_000_000;
/// Keys that may be sequencers.
const SEQUENCERS: u64 = 8;
/// Fewest and most sequencers in a set.
const SET_MIN: usize = 3;
const SET_MAX: usize = 7;
/// Keys whose transactions are all forced.
const FORCERS: u64 = 2;

/// A forced item, and what is to come of it.
#[derive(Clone, Debug)]
pub(super) struct Queued {
    pub(super) item: OwnedItem,
    pub(super) feature: Feature,
}

impl Queued {
    /// Whether the item has to be skipped.
    pub(super) fn is_skipped(&self) -> bool {
        matches!(
            self.feature,
            Feature::ForcedUndecodable | Feature::ForcedUnpayable
        )
    }
}

/// The simulated L1.
#[derive(Clone, Debug)]
pub(super) struct L1 {
    seed: u64,
    rng: Rng,
    scale: Scale,
    chain_id: u64,
    sequencers: Vec<Wallet>,
    /// Positions in `sequencers`, with stakes.
    registered: Vec<(usize, u128)>,
    /// The epoch that `registered` holds for.
    epoch: u64,
    faults: BTreeMap<Address, u64>,
    forcers: Vec<(Wallet, u64)>,
    pauper: Wallet,
    /// What has been queued and not been executed.
    queue: VecDeque<Queued>,
    /// The newest L1 block that has queued something.
    queued_block: u64,
}

impl L1 {
    pub(super) fn new(seed: u64, scale: Scale, chain_id: u64) -> Self {
        let mut rng = Rng::new(seed, "l1");
        let derive = |label, count| (0..count).map(move |index| Wallet::derive(seed, label, index));
        let sequencers: Vec<Wallet> = derive("sequencer", SEQUENCERS).collect();
        let count = match scale {
            Scale::Usual => SET_MIN + rng.index(3),
            Scale::Small => SET_MIN,
        };
        let registered = (0..count).map(|index| (index, stake(&mut rng))).collect();
        L1 {
            seed,
            rng,
            scale,
            chain_id,
            sequencers,
            registered,
            epoch: 0,
            faults: BTreeMap::new(),
            forcers: derive("forcer", FORCERS).map(|it| (it, 0)).collect(),
            pauper: Wallet::derive(seed, "pauper", 0),
            queue: VecDeque::new(),
            queued_block: FIRST_BLOCK,
        }
    }

    /// Who has to have a balance.
    pub(super) fn forcers(&self) -> impl Iterator<Item = &Wallet> {
        self.forcers.iter().map(|(wallet, _)| wallet)
    }

    /// Who has none.
    pub(super) const fn pauper(&self) -> &Wallet {
        &self.pauper
    }

    /// The sequencers of an epoch, which is none before the last that was asked for. In each epoch
    /// one may come, go, or have another stake.
    pub(super) fn set(&mut self, epoch: u64) -> SequencerSet {
        while self.epoch < epoch {
            self.epoch += 1;
            if self.scale == Scale::Usual {
                self.change_set();
            }
        }
        let sequencers = self.registered.iter().map(|(index, stake)| Sequencer {
            signer: self.sequencers[*index].address.into_array(),
            stake: *stake,
        });
        SequencerSet {
            epoch,
            sequencers: sequencers.collect(),
        }
    }

    fn change_set(&mut self) {
        let idle: Vec<usize> = (0..self.sequencers.len())
            .filter(|index| self.registered.iter().all(|(it, _)| it != index))
            .collect();
        let count = self.registered.len();
        match self.rng.below(5) {
            0 if count < SET_MAX => {
                let index = self.rng.pick(&idle);
                let stake = stake(&mut self.rng);
                self.registered.push((index, stake));
            }
            1 if count > SET_MIN => {
                let position = self.rng.index(count);
                let _ = self.registered.remove(position);
            }
            2 => {
                let position = self.rng.index(count);
                self.registered[position].1 = stake(&mut self.rng);
            }
            _ => {}
        }
    }

    /// An epoch's seed.
    pub(super) fn seed(&self, epoch: u64) -> B256 {
        hash_of(self.seed, "epoch", epoch)
    }

    /// Who may take a slot of the set's epoch.
    pub(super) fn leader(
        &self,
        set: &SequencerSet,
        slot: u64,
        attempt: u8,
    ) -> Result<&Wallet, GenerateError> {
        let drawn = set.leader(self.seed(set.epoch), slot, attempt);
        let found = self
            .sequencers
            .iter()
            .find(|wallet| drawn.is_some_and(|drawn| drawn.signer == wallet.address.0));
        found.ok_or(GenerateError::Leader { slot, attempt })
    }

    /// The keys of a sequencer.
    pub(super) fn wallet(&self, address: Address) -> Result<&Wallet, GenerateError> {
        let found = self.sequencers.iter().find(|it| it.address == address);
        found.ok_or(GenerateError::Leader {
            slot: 0,
            attempt: 0,
        })
    }

    /// A sequencer of the set that is not `leader`.
    pub(super) fn other(
        &self,
        set: &SequencerSet,
        leader: Address,
    ) -> Result<&Wallet, GenerateError> {
        let is_other =
            |wallet: &&Wallet| wallet.address != leader && set.stake_of(wallet.address) > 0;
        let found = self.sequencers.iter().find(is_other);
        found.ok_or(GenerateError::Leader {
            slot: 0,
            attempt: 0,
        })
    }

    /// The number of the newest block at a time.
    pub(super) const fn block_at(&self, time: u64) -> u64 {
        FIRST_BLOCK + time.saturating_sub(GENESIS_TIME) / BLOCK_SECONDS
    }

    /// The time of a block.
    pub(super) const fn time_of(&self, block: u64) -> u64 {
        GENESIS_TIME + block.saturating_sub(FIRST_BLOCK) * BLOCK_SECONDS
    }

    /// The hash of a block.
    pub(super) fn hash_of(&self, block: u64) -> B256 {
        hash_of(self.seed, "l1 block", block)
    }

    /// Notes that a leader has been found at fault in an epoch.
    pub(super) fn blame(&mut self, leader: Address, epoch: u64) {
        let _ = self.faults.insert(leader, epoch + 1);
    }

    /// The epoch of a leader's last fault, plus one; zero if there is none.
    pub(super) fn fault(&self, leader: Address) -> u64 {
        self.faults.get(&leader).copied().unwrap_or(0)
    }

    /// Queues up to three items, up to and with an L1 block.
    pub(super) fn enqueue(&mut self, until: u64) -> Result<(), GenerateError> {
        if self.scale == Scale::Small || self.rng.one_in(2) {
            return Ok(());
        }
        for _ in 0..=self.rng.below(3) {
            let (kind, payload, feature) = self.payload()?;
            let span = until.saturating_sub(self.queued_block);
            self.queued_block += self.rng.below(span + 1);
            self.queue.push_back(Queued {
                item: OwnedItem {
                    kind,
                    l1_block: self.queued_block,
                    l1_time: self.time_of(self.queued_block),
                    payload,
                },
                feature,
            });
        }
        Ok(())
    }

    /// The items that a batch with this anchor executes: all that are due, perhaps more.
    pub(super) fn dequeue(&mut self, anchor: u64) -> Vec<Queued> {
        let is_eager = self.rng.one_in(3);
        let due = self
            .queue
            .iter()
            .take_while(|it| it.item.l1_block <= anchor);
        let count = if is_eager {
            self.queue.len()
        } else {
            due.count()
        };
        self.queue.drain(..count).collect()
    }

    /// Puts items back to the front of the queue.
    pub(super) fn requeue(&mut self, items: Vec<Queued>) {
        for item in items.into_iter().rev() {
            self.queue.push_front(item);
        }
    }

    /// Whether something is left in the queue.
    pub(super) fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    fn payload(&mut self) -> Result<(u8, Bytes, Feature), GenerateError> {
        let chosen = self.rng.below(12);
        Ok(match chosen {
            0..=4 => {
                let receiver = self.rng.address();
                let gwei = if chosen == 0 {
                    0
                } else {
                    self.rng.below(1 << 40)
                };
                let payload = [receiver.as_slice(), &gwei.to_be_bytes()].concat();
                (1, payload.into(), Feature::Deposit)
            }
            5 => {
                let payload = self.rng.word()[..19].to_vec();
                let kind = self.rng.pick(&[0, 1, 2, u8::MAX]);
                (kind, payload.into(), Feature::ForcedUndecodable)
            }
            6 => {
                let (value, to) = (U256::from(1), self.rng.address());
                let order = Order::payment(self.chain_id, 0, to, value);
                let bytes = self.pauper.transaction(order)?.encoded_2718();
                (0, bytes.into(), Feature::ForcedUnpayable)
            }
            7 if self.rng.one_in(2) => {
                let (wallet, nonce) = &self.forcers[self.rng.index(self.forcers.len())];
                let blob = blob_transaction(self.chain_id, *nonce, wallet.address);
                let bytes = wallet.signed(blob)?.encoded_2718();
                (0, bytes.into(), Feature::ForcedUnpayable)
            }
            7 => {
                let (wallet, nonce) = &self.forcers[self.rng.index(self.forcers.len())];
                let to = wallet.address;
                let order = Order::payment(self.chain_id, nonce + 9, to, U256::ZERO);
                let bytes = wallet.transaction(order)?.encoded_2718();
                (0, bytes.into(), Feature::ForcedUnpayable)
            }
            _ => self.paid()?,
        })
    }

    /// A transaction that can be executed, whenever that is.
    fn paid(&mut self) -> Result<(u8, Bytes, Feature), GenerateError> {
        let position = self.rng.index(self.forcers.len());
        let value = U256::from(self.rng.below(1_000) * 1_000);
        let to = self.rng.address();
        let (wallet, nonce) = &mut self.forcers[position];
        let mut order = Order::payment(self.chain_id, *nonce, to, value);
        *nonce += 1;
        match self.rng.below(8) {
            0 => order.named.push(OPT_IN),
            1 => (order.to, order.value) = (TxKind::Call(COUNTER), U256::ZERO),
            2 => order.to = TxKind::Call(REVERTER),
            3 => order.to = TxKind::Call(OUTBOX),
            _ => order.tip = u128::from(self.rng.below(5)),
        }
        let bytes = wallet.transaction(order)?.encoded_2718();
        Ok((0, bytes.into(), Feature::ForcedPaid))
    }
}

/// A stake of 8 to 100 ether.
fn stake(rng: &mut Rng) -> u128 {
    u128::from(8 + rng.below(93)) * ETHER
}

/// Whether a leader's fault is so young that its batches have to be proven.
pub(super) const fn is_on_probation(config: &Config, fault: u64, epoch: u64) -> bool {
    fault > 0 && epoch < fault + config.probation_epochs
}
