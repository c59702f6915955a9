//! One block of a batch: its header is derived, its body executed, its roots computed.

use alloc::vec::Vec;

use alloy_consensus::constants::EMPTY_OMMER_ROOT_HASH;
use alloy_consensus::transaction::{Recovered, SignerRecoverable};
use alloy_consensus::{
    Block, BlockBody, Header, ReceiptEnvelope, Transaction as _, TxReceipt, proofs,
};
use alloy_eips::Decodable2718;
use alloy_eips::eip1559::BaseFeeParams;
use alloy_eips::eip4895::Withdrawals;
use alloy_evm::block::{BlockExecutionError, BlockExecutor, BlockValidationError};
use alloy_primitives::{Address, B256, Bloom, Bytes, U256, keccak256};

use super::config::Config;
use super::order::is_by_priority;
use super::out::Verdict;
use super::outbox::Withdrawal;
use super::{ItemKind, OrderingPolicy};
use crate::Failure;
use crate::block::{Body, Executed, Transaction, execute};
use crate::chain::{ChainConfig, Fork};
use crate::header::{GAS_LIMIT_CHANGE_DIVISOR, GAS_LIMIT_MIN};
use crate::part::Part;
use crate::state::WitnessState;
use crate::witness::Source;

/// What a transaction costs to prove besides its gas: a signature, and hashes of its bytes.
const ZK_GAS_PER_TRANSACTION: u64 = 30_000;

/// Length of the extra data: slot, attempt, epoch.
const EXTRA_DATA_BYTES: usize = 8 + 1 + 8;

/// What all blocks of a batch have in common.
#[derive(Clone, Debug)]
pub(super) struct Surroundings<'a> {
    pub(super) config: &'a Config,
    pub(super) chain: &'a ChainConfig,
    pub(super) epoch: u64,
    pub(super) seed: B256,
    pub(super) l1_anchor: u64,
    pub(super) l1_anchor_hash: B256,
}

/// What a block is derived from.
#[derive(Clone, Debug)]
pub(super) struct Proposal<'a> {
    pub(super) slot: u64,
    pub(super) attempt: u8,
    pub(super) timestamp: u64,
    pub(super) gas_limit: u64,
    pub(super) beneficiary: Address,
    /// What the leader's transactions may take to prove.
    pub(super) zk_gas_left: u64,
    /// Forced items, in the batch's first block.
    pub(super) forced: &'a [ItemKind],
    pub(super) transactions: &'a [Bytes],
}

/// What blocks add up to.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Totals {
    /// Wei that successful transactions have transferred.
    pub(super) transferred: U256,
    /// Wei that have been withdrawn.
    pub(super) withdrawn: U256,
    /// Gas of proving.
    pub(super) zk_gas: u64,
    /// Most gas of proving before one of the leader's transactions, with what it names.
    pub(super) zk_gas_peak: u64,
    /// Whether a transaction asks for a proof.
    pub(super) is_opted_in: bool,
}

impl Totals {
    pub(super) fn add(&mut self, other: &Totals) {
        self.transferred = self.transferred.saturating_add(other.transferred);
        self.withdrawn = self.withdrawn.saturating_add(other.withdrawn);
        let peak = self.zk_gas.saturating_add(other.zk_gas_peak);
        self.zk_gas_peak = self.zk_gas_peak.max(peak);
        self.zk_gas = self.zk_gas.saturating_add(other.zk_gas);
        self.is_opted_in |= other.is_opted_in;
    }

    pub(super) fn value_at_risk(&self) -> U256 {
        self.transferred.saturating_add(self.withdrawn)
    }
}

/// What a block has come to.
#[derive(Debug)]
pub(super) struct Derived {
    pub(super) block: Block<Transaction>,
    pub(super) withdrawals: Vec<Withdrawal>,
    /// Of each forced item, whether it has been skipped.
    pub(super) skipped: Vec<bool>,
    pub(super) totals: Totals,
}

/// The slot of a derived block; `None` for the first block of the chain, which has none.
pub(super) fn slot_of(header: &Header) -> Option<u64> {
    let extra: &[u8; EXTRA_DATA_BYTES] = header.extra_data[..].try_into().ok()?;
    extra
        .first_chunk::<8>()
        .map(|slot| u64::from_be_bytes(*slot))
}

/// Whether a gas limit is allowed after the parent's.
pub(super) fn is_gas_limit(config: &Config, parent: &Header, gas_limit: u64) -> bool {
    let change = gas_limit.abs_diff(parent.gas_limit);
    let least = config.gas_limit_min().max(GAS_LIMIT_MIN);
    change < parent.gas_limit / GAS_LIMIT_CHANGE_DIVISOR
        && (least..=config.block_gas_limit).contains(&gas_limit)
}

/// Derives and executes a block on top of the state's parent, and goes on to the state after it.
///
/// # Errors
/// [`Failure`] as from the execution of any block. A refusal is no error.
pub(super) fn derive<'w, S: Source>(
    around: &Surroundings<'_>,
    proposal: &Proposal<'_>,
    state: WitnessState<'w, S>,
) -> Result<Result<(Derived, WitnessState<'w, S>), Verdict>, Failure> {
    let mut header = open(around, proposal, state.parent(), state.parent_hash());
    let source = state.source();
    let Some(own) = source.within(Part::Decoding, || decode(proposal.transactions)) else {
        return Ok(Err(Verdict::Transaction));
    };
    let base_fee = header.base_fee_per_gas.unwrap_or(0);
    if around.config.ordering() == Some(OrderingPolicy::Priority)
        && !is_by_priority(&own, base_fee, header.mix_hash)
    {
        return Ok(Err(Verdict::Order));
    }
    let deposits = proposal.forced.iter().filter_map(|item| match item {
        ItemKind::Deposit(deposit) => Some(*deposit),
        ItemKind::Transaction(_) | ItemKind::Neither => None,
    });
    let deposits = Withdrawals::new(deposits.collect());
    let body = RollupBody {
        forced: proposal.forced,
        own,
        gas_limit: proposal.gas_limit,
        zk_gas_left: proposal.zk_gas_left,
        source,
    };
    let (executed, ran, mut state) = execute(around.chain, &header, Some(&deposits), body, state)?;
    let ran = match ran {
        Ok(ran) => ran,
        Err(verdict) => return Ok(Err(verdict)),
    };
    header.withdrawals_root = Some(proofs::calculate_withdrawals_root(&deposits));
    header.state_root = source.within(Part::StateRoot, || state.apply(&executed.bundle))?;
    source.within(Part::Header, || {
        close(around.chain, &mut header, &ran.included, &executed);
    });
    state.advance(header.clone());

    let withdrawals = Withdrawal::of_receipts(&executed.receipts, around.config.outbox_address);
    let withdrawn = withdrawals.iter().map(|it| it.value);
    let mut transactions = ran.included.iter();
    let totals = Totals {
        transferred: ran.transferred,
        withdrawn: withdrawn.fold(U256::ZERO, |sum, value| sum.saturating_add(value)),
        zk_gas: ran.zk_gas,
        zk_gas_peak: ran.zk_gas_peak,
        is_opted_in: transactions.any(|it| names(it, around.config.z_opt_in_address)),
    };
    let derived = Derived {
        withdrawals,
        skipped: ran.skipped,
        totals,
        block: Block {
            header,
            body: BlockBody {
                transactions: ran.included,
                ommers: Vec::new(),
                withdrawals: Some(deposits),
            },
        },
    };
    Ok(Ok((derived, state)))
}

/// The header as it is before the execution.
fn open(
    around: &Surroundings<'_>,
    proposal: &Proposal<'_>,
    parent: &Header,
    parent_hash: B256,
) -> Header {
    let fork = around.chain.fork_at(proposal.timestamp);
    let slot = proposal.slot.to_be_bytes();
    let mut extra_data = Vec::with_capacity(EXTRA_DATA_BYTES);
    extra_data.extend_from_slice(&slot);
    extra_data.push(proposal.attempt);
    extra_data.extend_from_slice(&around.epoch.to_be_bytes());
    let mut anchor = Vec::with_capacity(6 + 8 + 32);
    anchor.extend_from_slice(b"anchor");
    anchor.extend_from_slice(&around.l1_anchor.to_be_bytes());
    anchor.extend_from_slice(around.l1_anchor_hash.as_slice());
    Header {
        parent_hash,
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        beneficiary: proposal.beneficiary,
        number: parent.number.saturating_add(1),
        gas_limit: proposal.gas_limit,
        timestamp: proposal.timestamp,
        extra_data: extra_data.into(),
        mix_hash: keccak256([around.seed.as_slice(), &slot].concat()),
        base_fee_per_gas: parent.next_block_base_fee(BaseFeeParams::ethereum()),
        blob_gas_used: Some(0),
        excess_blob_gas: fork.blob_params().map(|params| {
            params.next_block_excess_blob_gas_osaka(
                parent.excess_blob_gas.unwrap_or(0),
                parent.blob_gas_used.unwrap_or(0),
                parent.base_fee_per_gas.unwrap_or(0),
            )
        }),
        parent_beacon_block_root: Some(keccak256(anchor)),
        ..Header::default()
    }
}

/// The header's fields that the execution gives, but for the state's root.
fn close(
    chain: &ChainConfig,
    header: &mut Header,
    transactions: &[Transaction],
    executed: &Executed,
) {
    header.transactions_root = proofs::calculate_transaction_root(transactions);
    header.receipts_root = proofs::calculate_receipt_root(&executed.receipts);
    header.logs_bloom = executed
        .receipts
        .iter()
        .fold(Bloom::ZERO, |all, receipt| all | receipt.bloom());
    header.gas_used = executed.gas_used;
    header.requests_hash = (chain.fork_at(header.timestamp) >= Fork::Prague)
        .then(|| executed.requests.requests_hash());
}

/// Decodes a block's own transactions; `None` if one is none. Blobs are for L1.
fn decode(transactions: &[Bytes]) -> Option<Vec<(Address, Transaction)>> {
    let decoded = transactions.iter().map(|bytes| {
        let transaction = Transaction::decode_2718_exact(bytes).ok()?;
        let signer = transaction.recover_signer().ok()?;
        (!transaction.is_eip4844()).then_some((signer, transaction))
    });
    decoded.collect()
}

fn names(transaction: &Transaction, address: Address) -> bool {
    let list = transaction.access_list();
    list.is_some_and(|list| list.iter().any(|item| item.address == address))
}

/// Forced transactions first, of which any may fail, then the leader's, of which none may.
struct RollupBody<'a, S> {
    forced: &'a [ItemKind],
    own: Vec<(Address, Transaction)>,
    gas_limit: u64,
    zk_gas_left: u64,
    source: &'a S,
}

struct Ran {
    included: Vec<Transaction>,
    skipped: Vec<bool>,
    transferred: U256,
    /// Of the leader's transactions: no leader can leave out forced ones, however many.
    zk_gas: u64,
    zk_gas_peak: u64,
}

impl Ran {
    /// Counts the transaction that has just been executed.
    fn include<E>(&mut self, executor: &E, transaction: Transaction)
    where
        E: BlockExecutor<Transaction = Transaction, Receipt = ReceiptEnvelope>,
    {
        if executor.receipts().last().is_some_and(TxReceipt::status) {
            self.transferred = self.transferred.saturating_add(transaction.value());
        }
        self.included.push(transaction);
    }
}

impl<S: Source> Body for RollupBody<'_, S> {
    type Output = Result<Ran, Verdict>;

    fn execute<E>(self, executor: &mut E) -> Result<Self::Output, Failure>
    where
        E: BlockExecutor<Transaction = Transaction, Receipt = ReceiptEnvelope>,
    {
        let skipped = Vec::with_capacity(self.forced.len());
        let mut ran = Ran {
            included: Vec::new(),
            skipped,
            transferred: U256::ZERO,
            zk_gas: 0,
            zk_gas_peak: 0,
        };
        for (index, item) in self.forced.iter().enumerate() {
            let part = Part::Transaction(index);
            let is_done = self.source.within(part, || {
                Ok::<_, Failure>(match item {
                    ItemKind::Deposit(_) => true,
                    ItemKind::Neither => false,
                    ItemKind::Transaction(transaction) if transaction.is_eip4844() => false,
                    ItemKind::Transaction(transaction) => match transaction.recover_signer() {
                        Err(_) => false,
                        Ok(signer) => try_execute(executor, signer, transaction)?.is_ok_and(|()| {
                            ran.include(executor, transaction.clone());
                            true
                        }),
                    },
                })
            })?;
            ran.skipped.push(!is_done);
        }
        for (index, (signer, transaction)) in (self.forced.len()..).zip(self.own) {
            let before = gas_used(executor);
            let named = transaction.gas_limit();
            if named > self.gas_limit.saturating_sub(before) {
                return Ok(Err(Verdict::Gas));
            }
            // By what it names: what is too much to prove must not be executed to be told.
            let zk_gas = ran.zk_gas.saturating_add(ZK_GAS_PER_TRANSACTION);
            let peak = zk_gas.saturating_add(named);
            if peak > self.zk_gas_left {
                return Ok(Err(Verdict::ZkGas));
            }
            let part = Part::Transaction(index);
            let run = || try_execute(executor, signer, &transaction);
            if let Err(verdict) = self.source.within(part, run)? {
                return Ok(Err(verdict));
            }
            ran.include(executor, transaction);
            let used = gas_used(executor).saturating_sub(before);
            ran.zk_gas = zk_gas.saturating_add(used);
            ran.zk_gas_peak = ran.zk_gas_peak.max(peak);
        }
        Ok(Ok(ran))
    }
}

/// Gas of all transactions of a block so far.
fn gas_used<E>(executor: &E) -> u64
where
    E: BlockExecutor<Transaction = Transaction, Receipt = ReceiptEnvelope>,
{
    let last = executor.receipts().last();
    last.map_or(0, TxReceipt::cumulative_gas_used)
}

/// Executes a transaction if it can be executed; what it does if it fails is its sender's affair.
fn try_execute<E>(
    executor: &mut E,
    signer: Address,
    transaction: &Transaction,
) -> Result<Result<(), Verdict>, Failure>
where
    E: BlockExecutor<Transaction = Transaction, Receipt = ReceiptEnvelope>,
{
    let recovered = Recovered::new_unchecked(transaction, signer);
    match executor.execute_transaction(&recovered) {
        Ok(_) => Ok(Ok(())),
        Err(BlockExecutionError::Validation(
            BlockValidationError::TransactionGasLimitMoreThanAvailableBlockGas { .. },
        )) => Ok(Err(Verdict::Gas)),
        Err(BlockExecutionError::Validation(_)) => Ok(Err(Verdict::Transaction)),
        // Also what the witness lacks comes as this; it is told apart after the execution.
        Err(error @ BlockExecutionError::Internal(_)) => Err(crate::block::fail(error, None)),
    }
}
