//! What a batch was about, for people and for tests.

use std::collections::BTreeSet;

use alloy_primitives::TxHash;
use alloy_rlp::Decodable;
use zkvm_rollup_stf::rollup::{Batch, Config, L1View, Mode, Verdict};

use super::chain::Tip;
use super::evaluate::Evaluation;
use super::l1::{Queued, is_on_probation};
use super::schedule::Schedule;
use super::violation::Violation;
use super::{Feature, Generated};

/// What was meant with a batch.
#[derive(Debug)]
pub(super) struct Intention<'a> {
    pub(super) config: &'a Config,
    pub(super) view: &'a L1View,
    pub(super) tip: &'a Tip,
    pub(super) schedule: &'a Schedule,
    pub(super) queued: &'a [Queued],
    /// Whether L1's queue has more.
    pub(super) is_waiting: bool,
    pub(super) violation: Option<Violation>,
    /// What the leader's transactions do if they are executed.
    pub(super) own: BTreeSet<Feature>,
}

/// Puts together what is known about a batch.
pub(super) fn report(intention: &Intention<'_>, evaluation: &Evaluation) -> Generated {
    let features = features(intention, evaluation);
    let blocks = evaluation.blocks.iter();
    let transactions = blocks.clone().flat_map(|block| &block.body.transactions);
    let transactions: Vec<TxHash> = transactions.map(|it| *it.tx_hash()).collect();
    Generated {
        config: intention.config.clone(),
        view: intention.view.clone(),
        input: evaluation.input.clone(),
        out: evaluation.out,
        violation: intention.violation,
        blocks: blocks
            .map(|block| alloy_rlp::encode(block).into())
            .collect(),
        skipped: evaluation.skipped.clone(),
        description: describe(intention, evaluation, transactions.len(), &features),
        transactions,
        features,
    }
}

fn features(intention: &Intention<'_>, evaluation: &Evaluation) -> BTreeSet<Feature> {
    let Intention { schedule, tip, .. } = intention;
    let out = &evaluation.out;
    let turns = &schedule.turns;
    let epoch = schedule.set.epoch;
    let is_refused = !matches!(out.verdict, Verdict::Ok | Verdict::Mode);
    let is_declared = out.verdict == Verdict::Ok && declares_zk(&evaluation.input.batch);
    let is_required = !is_refused && out.required_mode == Mode::Zk;
    let is_gas_limit_changed =
        (evaluation.blocks.iter()).any(|block| block.header.gas_limit != tip.header.gas_limit);
    let fault = out.leader_fault_epoch;
    let of_all = [
        (Feature::Epoch, epoch != tip.epoch),
        (Feature::Set, schedule.set.sequencers != tip.sequencers),
        (Feature::Ancestors, evaluation.input.headers.len() > 1),
        (Feature::Waiting, intention.is_waiting),
        (
            Feature::ForcedRefused,
            is_refused && evaluation.skipped.contains(&false),
        ),
        (Feature::Withdrawal, evaluation.has_withdrawals),
        (Feature::RequiredZk, is_required),
        (Feature::GasLimit, is_gas_limit_changed),
    ];
    let of_accepted = [
        (Feature::Blocks, turns.len() > 1),
        (Feature::MissedSlot, schedule.is_slot_missed),
        (Feature::Backup, turns.iter().any(|turn| turn.attempt > 0)),
        (
            Feature::Probation,
            is_on_probation(intention.config, fault, epoch),
        ),
        (Feature::ModeZk, is_declared),
        (Feature::ModeOptimistic, !is_declared),
        (Feature::Voluntary, is_declared && !is_required),
    ];
    let queued = intention.queued.iter().map(|it| (it.feature, true));
    let own = intention.own.iter().map(|it| (*it, true));
    let of_accepted = of_accepted.into_iter().chain(own);
    let all = of_all.into_iter().chain(queued);
    all.chain(of_accepted.filter(|_| !is_refused))
        .filter(|(_, is_so)| *is_so)
        .map(|(feature, _)| feature)
        .collect()
}

/// Whether a batch that decodes declares a proof.
fn declares_zk(batch: &[u8]) -> bool {
    let batch = Batch::decode(&mut &*batch);
    batch.is_ok_and(|batch| batch.mode() == Some(Mode::Zk))
}

fn describe(
    intention: &Intention<'_>,
    evaluation: &Evaluation,
    transactions: usize,
    features: &BTreeSet<Feature>,
) -> String {
    let (out, schedule) = (&evaluation.out, intention.schedule);
    let turns = schedule.turns.iter().map(|turn| match turn.attempt {
        0 => turn.slot.to_string(),
        attempt => format!("{} as backup {attempt}", turn.slot),
    });
    let slots = turns.collect::<Vec<_>>().join(", ");
    let outcome = match (out.verdict, intention.violation) {
        (Verdict::Ok, _) | (_, None) => "accepted".to_owned(),
        (Verdict::Mode, Some(violation)) => {
            format!("accepted against its mode: {}", violation.description())
        }
        (verdict, Some(violation)) => {
            let name = format!("{verdict:?}").to_uppercase();
            format!("refused, {name}: {}", violation.description())
        }
    };
    let skipped = evaluation.skipped.iter().filter(|it| **it).count();
    let items = evaluation.skipped.len();
    let words: String = features.iter().map(|it| format!("; {it}")).collect();
    format!(
        "batch {} (epoch {}, slots {slots}, leader {}): {outcome}; transactions: {transactions}, \
         forced items: {items}, skipped: {skipped}{}",
        out.batch_index, schedule.set.epoch, schedule.leader, words,
    )
}
