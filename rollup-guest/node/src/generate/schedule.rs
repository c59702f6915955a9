//! Who makes a batch, in which slots, and between which L1 blocks.

use alloy_primitives::{Address, B256};
use zkvm_rollup_stf::rollup::{Config, SequencerSet};

use super::l1::L1;
use super::rng::Rng;
use super::{GenerateError, Scale};

/// Seconds in which a batch that has been made is posted, at most.
const POSTING_SECONDS: u64 = 36;

/// A slot that the batch's leader takes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    pub(super) slot: u64,
    pub(super) attempt: u8,
    pub(super) timestamp: u64,
}

/// The surroundings of a batch.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    pub(super) set: SequencerSet,
    pub(super) seed: B256,
    pub(super) leader: Address,
    /// At least one.
    pub(super) turns: Vec<Turn>,
    pub(super) is_slot_missed: bool,
    pub(super) anchor: u64,
    /// Time of the L1 block with the batch.
    pub(super) l1_time: u64,
}

/// What a schedule follows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before<'a> {
    pub(super) config: &'a Config,
    pub(super) scale: Scale,
    /// The parent block's time.
    pub(super) timestamp: u64,
    /// The anchor of the batch before.
    pub(super) anchor: u64,
    /// Time of the L1 block with the batch before.
    pub(super) l1_time: u64,
}

impl Before<'_> {
    /// The next leader's turns. The last slot of an epoch is left free.
    pub(super) fn next(&self, rng: &mut Rng, l1: &mut L1) -> Result<Schedule, GenerateError> {
        let config = self.config;
        let elapsed = self.timestamp.saturating_sub(config.genesis_time);
        let soonest = elapsed / config.slot_seconds + 1;
        let (count, gap, attempt) = match self.scale {
            Scale::Small => (1, 0, 0),
            Scale::Usual => self.draw(rng),
        };
        let mut slot = soonest + gap;
        if (slot + 2) % config.epoch_slots < 2 {
            slot = slot.next_multiple_of(config.epoch_slots);
        }
        let epoch = slot / config.epoch_slots;
        let end = (epoch + 1) * config.epoch_slots - 1;
        let set = l1.set(epoch);
        let leader = l1.leader(&set, slot, attempt)?.address;
        let first = config.earliest(slot, attempt);
        let mut turns = vec![Turn {
            slot,
            attempt,
            timestamp: first + rng.below(2),
        }];
        let mut time = turns.first().map_or(first, |turn| turn.timestamp);
        for slot in slot + 1..end {
            if turns.len() == count {
                break;
            }
            let may_be_backup = rng.one_in(3);
            let attempts = if may_be_backup { 0..=1 } else { 0..=0 };
            for attempt in attempts {
                if l1.leader(&set, slot, attempt)?.address == leader {
                    time = config.earliest(slot, attempt).max(time + 1);
                    turns.push(Turn {
                        slot,
                        attempt,
                        timestamp: time,
                    });
                    break;
                }
            }
        }
        let last = turns.last().map_or(slot, |turn| turn.slot);
        let taken = u64::try_from(turns.len()).unwrap_or(u64::MAX);
        let posted = time + 1 + rng.below(POSTING_SECONDS);
        let anchor = l1.block_at(first).saturating_sub(rng.below(3));
        Ok(Schedule {
            seed: l1.seed(epoch),
            set,
            leader,
            turns,
            is_slot_missed: last - soonest + 1 > taken,
            anchor: anchor.max(self.anchor),
            l1_time: l1.time_of(l1.block_at(posted) + 1).max(self.l1_time),
        })
    }

    /// How many blocks, after how many slots that nobody takes, by which leader of the first slot.
    fn draw(&self, rng: &mut Rng) -> (usize, u64, u8) {
        let count = rng.pick(&[1, 1, 1, 2, 2, 3]);
        let gap = if rng.one_in(10) {
            // Nobody was there for one or two epochs.
            self.config.epoch_slots * (1 + rng.below(2))
        } else {
            rng.pick(&[0, 0, 1, 3])
        };
        let attempt = rng.pick(&[0, 0, 0, 0, 1, 2]);
        (count, gap, attempt)
    }
}

impl Schedule {
    /// Has the batch posted later than any rule allows: the anchor is too new for its blocks.
    pub(super) fn delay(&mut self, config: &Config, l1: &L1) {
        let last = self.turns.last().map_or(0, |turn| turn.timestamp);
        self.anchor = l1.block_at(last + config.max_drift) + 1;
        self.l1_time = self.l1_time.max(l1.time_of(self.anchor + 1));
    }
}
