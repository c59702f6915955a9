//! What can be told of a batch without executing it.

use alloy_consensus::Header;
use alloy_primitives::{Address, B256, U256};

use super::batch::{Batch, SignedBlock, chain_input, signing_hash};
use super::blocks::{Totals, slot_of};
use super::config::{Config, Mode};
use super::input::{Input, L1View};
use super::out::Verdict;
use super::sequencers::SequencerSet;

/// A batch that follows the one before it, and that its leader has signed.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) batch: Batch,
    pub(super) mode: Mode,
    /// Whoever is drawn for the first block: what is wrong from here on is its fault.
    pub(super) leader: Address,
}

/// Reads a batch and checks it as a whole: decoding, link, signature, leader.
pub(super) fn read(input: &Input<'_>) -> Result<Sealed, Verdict> {
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
    let inputs = chain_inputs(view.chain_input, &batch.blocks);
    let signer = batch
        .signer(batch.signing_hash(config.domain(), inputs))
        .ok_or(Verdict::Signature)?;
    let first = batch.blocks.first().ok_or(Verdict::Decode)?;
    if drawn(input, first) != Some(signer) {
        return Err(Verdict::Leader);
    }
    Ok(Sealed {
        batch,
        mode,
        leader: signer,
    })
}

/// The hash over all inputs up to these blocks.
pub(super) fn chain_inputs(before: B256, blocks: &[SignedBlock]) -> B256 {
    blocks.iter().fold(before, |inputs, block| {
        chain_input(inputs, &block.unsigned())
    })
}

/// Checks the end of forced items, and signatures, leaders and times of consecutive blocks of a
/// batch; `inputs` is the hash over all inputs before them, `parent` the block before them. Returns
/// the hash over all inputs up to the last of them.
pub(super) fn check(
    input: &Input<'_>,
    sealed: &Sealed,
    blocks: &[SignedBlock],
    mut inputs: B256,
    parent: &Header,
) -> Result<B256, Verdict> {
    let (config, view) = (&input.config, &input.view);
    if sealed.batch.forced_to != view.forced_to {
        return Err(Verdict::Forced);
    }
    let domain = config.domain();
    let (mut parent_slot, mut parent_time) = (slot_of(parent), parent.timestamp);
    for block in blocks {
        inputs = chain_input(inputs, &block.unsigned());
        let signer = block
            .signer(signing_hash(domain, inputs))
            .ok_or(Verdict::Signature)?;
        // One leader in a batch: what is at risk is held against one stake.
        if signer != sealed.leader || drawn(input, block) != Some(signer) {
            return Err(Verdict::Leader);
        }
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
    Ok(inputs)
}

/// Whose block this has to be; `None` if its slot is not of the epoch.
fn drawn(input: &Input<'_>, block: &SignedBlock) -> Option<Address> {
    if block.slot.checked_div(input.config.epoch_slots) != Some(input.set.epoch) {
        return None;
    }
    let drawn = input
        .set
        .leader(input.view.seed, block.slot, block.attempt)?;
    Some(drawn.signer.into())
}

/// How a batch has to be settled, whatever its leader declares.
pub(super) fn required_mode(
    config: &Config,
    view: &L1View,
    set: &SequencerSet,
    totals: &Totals,
    leader: Address,
) -> Mode {
    let stake = U256::from(set.stake_of(leader));
    // Saturating on the left only errs towards a proof.
    let at_risk = totals
        .value_at_risk()
        .saturating_mul(U256::from(config.kappa_den));
    let covered = stake.saturating_mul(U256::from(config.kappa_num));
    let fault = view.leader_fault_epoch;
    let probation_end = fault.saturating_add(config.probation_epochs);
    let is_required = totals.is_opted_in
        || totals.withdrawn > config.z_value_threshold
        || at_risk > covered
        || fault > 0 && set.epoch < probation_end;
    if is_required {
        Mode::Zk
    } else {
        Mode::Optimistic
    }
}

/// Of a batch that keeps all other rules.
pub(super) fn mode_verdict(declared: Mode, required: Mode) -> Verdict {
    if required > declared {
        Verdict::Mode
    } else {
        Verdict::Ok
    }
}
