//! Stateless validation of one Ethereum block.
//!
//! ```text
//!   block bytes ─ decode ─▶ header rules ─▶ body roots ─▶ execution ─▶ gas, receipts, requests ─▶ state root
//!                            (parent)                     (witness)                               (witness)
//! ```
//!
//! Nothing in the header is believed: each field is bound by a rule, computed from the body, or
//! computed by the execution, except those that the proposer is free to choose.

use alloc::borrow::Cow;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;

use alloy_consensus::transaction::{Recovered, SignerRecoverable};
use alloy_consensus::{
    Block, Eip658Value, EthereumTxEnvelope, Header, Receipt, ReceiptEnvelope, TxEip4844, TxReceipt,
    TxType, proofs,
};
use alloy_eips::eip4895::Withdrawal;
use alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7685::Requests;
use alloy_evm::block::{BlockExecutionError, BlockExecutionResult, BlockExecutor};
use alloy_evm::eth::receipt_builder::{ReceiptBuilder, ReceiptBuilderCtx};
use alloy_evm::eth::{EthBlockExecutionCtx, EthBlockExecutor};
use alloy_evm::{EthEvmFactory, Evm, EvmEnv, EvmFactory};
use alloy_primitives::{B256, Bloom, keccak256};
use alloy_rlp::{Decodable, Encodable};
use revm::Database;
use revm::database::states::bundle_state::BundleRetention;
use revm::database::{BundleState, State};

use crate::chain::{ChainConfig, Fork};
use crate::header::check_header;
use crate::invalid::{Failure, Field, InvalidBlock};
use crate::part::Part;
use crate::state::WitnessState;
use crate::witness::{Ancestors, Source};

/// A transaction as blocks have it: blob transactions without their blobs.
pub type Transaction = EthereumTxEnvelope<TxEip4844>;

/// Most bytes of a block since Osaka (EIP-7934): 10 MiB, less 2 MiB for the consensus layer.
pub const BLOCK_BYTES_MAX: usize = (10 - 2) << 20;

/// A block that keeps all rules.
#[derive(Debug)]
pub struct ValidBlock<'w, S> {
    /// The block's hash.
    pub hash: B256,
    /// Its header.
    pub header: Header,
    /// The root of the state before it.
    pub pre_state_root: B256,
    /// What executing it has given.
    pub executed: Executed,
    /// The state, with the block applied to its tries.
    pub state: WitnessState<'w, S>,
}

/// What the execution of a block's body gives.
#[derive(Debug)]
pub struct Executed {
    /// One receipt for each transaction.
    pub receipts: Vec<ReceiptEnvelope>,
    /// Gas of all transactions.
    pub gas_used: u64,
    /// Gas of all blobs.
    pub blob_gas_used: u64,
    /// Requests to the consensus layer (EIP-7685).
    pub requests: Requests,
    /// What has changed in the state.
    pub bundle: BundleState,
}

/// Validates a block on top of `ancestors`, with the state that `source` knows of.
///
/// # Errors
/// [`Failure::Invalid`] if the block breaks a rule, [`Failure::Witness`] if that cannot be told.
pub fn validate<'w, S: Source>(
    chain: &ChainConfig,
    ancestors: &Ancestors,
    block: &[u8],
    source: &'w S,
) -> Result<ValidBlock<'w, S>, Failure> {
    validate_on(chain, block, WitnessState::new(ancestors.clone(), source))
}

/// Validates a block on top of a state's parent; [`WitnessState::advance`] goes on from there.
///
/// # Errors
/// As [`validate`].
pub fn validate_on<'w, S: Source>(
    chain: &ChainConfig,
    block: &[u8],
    state: WitnessState<'w, S>,
) -> Result<ValidBlock<'w, S>, Failure> {
    let pre_state_root = state.parent().state_root;
    let source = state.source();
    let block = source.within(Part::Decoding, || decode(chain, block))?;
    check_header(chain, state.parent(), state.parent_hash(), &block.header)?;
    check_body(chain, &block)?;

    let withdrawals = block.body.withdrawals.as_ref().map(|list| list.as_slice());
    let body = Transactions {
        list: &block.body.transactions,
        source,
    };
    let (executed, (), mut state) = execute(chain, &block.header, withdrawals, body, state)?;
    source.within(Part::Header, || {
        check_executed(chain, &block.header, &executed)
    })?;

    let state_root = source.within(Part::StateRoot, || state.apply(&executed.bundle))?;
    Field::StateRoot.expect_hash(state_root, block.header.state_root)?;
    Ok(ValidBlock {
        // Decoding is strict, so this is the hash of the bytes too.
        hash: keccak256(alloy_rlp::encode(&block.header)),
        header: block.header,
        pre_state_root,
        executed,
        state,
    })
}

fn decode(chain: &ChainConfig, bytes: &[u8]) -> Result<Block<Transaction>, InvalidBlock> {
    let mut rest = bytes;
    let block = Block::<Transaction>::decode(&mut rest)
        .map_err(|reason| InvalidBlock::Encoding { reason })?;
    if !rest.is_empty() {
        return Err(InvalidBlock::Encoding {
            reason: alloy_rlp::Error::UnexpectedLength,
        });
    }
    // One reading of the bytes, and one encoding of what is read.
    let mut canonical = Vec::with_capacity(bytes.len());
    block.encode(&mut canonical);
    if canonical != bytes {
        return Err(InvalidBlock::Encoding {
            reason: alloy_rlp::Error::Custom("not canonical"),
        });
    }
    let fork = chain.fork_at(block.header.timestamp);
    if fork >= Fork::Osaka && bytes.len() > BLOCK_BYTES_MAX {
        return Err(InvalidBlock::Size {
            max: BLOCK_BYTES_MAX,
            len_bytes: bytes.len(),
        });
    }
    Ok(block)
}

/// What the header says about the body.
fn check_body(chain: &ChainConfig, block: &Block<Transaction>) -> Result<(), InvalidBlock> {
    let (header, body) = (&block.header, &block.body);
    if !body.ommers.is_empty() {
        return Err(InvalidBlock::Ommers {
            count: body.ommers.len(),
        });
    }
    let root = proofs::calculate_transaction_root(&body.transactions);
    Field::TransactionsRoot.expect_hash(root, header.transactions_root)?;
    let is_expected = chain.fork_at(header.timestamp) >= Fork::Shanghai;
    if body.withdrawals.is_some() != is_expected {
        return Err(InvalidBlock::Withdrawals { is_expected });
    }
    if let (Some(withdrawals), Some(root)) = (&body.withdrawals, header.withdrawals_root) {
        let expected = proofs::calculate_withdrawals_root(withdrawals);
        Field::WithdrawalsRoot.expect_hash(expected, root)?;
    }
    Ok(())
}

/// What the header says about the execution, but for the state.
fn check_executed(
    chain: &ChainConfig,
    header: &Header,
    executed: &Executed,
) -> Result<(), InvalidBlock> {
    Field::GasUsed.expect(executed.gas_used, header.gas_used)?;
    let receipts_root = proofs::calculate_receipt_root(&executed.receipts);
    Field::ReceiptsRoot.expect_hash(receipts_root, header.receipts_root)?;
    let bloom = executed
        .receipts
        .iter()
        .fold(Bloom::ZERO, |all, receipt| all | receipt.bloom());
    if bloom != header.logs_bloom {
        return Err(InvalidBlock::LogsBloom);
    }
    let fork = chain.fork_at(header.timestamp);
    if let (true, Some(got)) = (fork >= Fork::Cancun, header.blob_gas_used) {
        Field::BlobGasUsed.expect(executed.blob_gas_used, got)?;
    }
    if let (true, Some(got)) = (fork >= Fork::Prague, header.requests_hash) {
        Field::RequestsHash.expect_hash(executed.requests.requests_hash(), got)?;
    }
    Ok(())
}

/// What is executed between the system calls at a block's beginning and its end.
pub(crate) trait Body {
    /// What it finds out.
    type Output;

    /// Executes it.
    fn execute<E>(self, executor: &mut E) -> Result<Self::Output, Failure>
    where
        E: BlockExecutor<Transaction = Transaction, Receipt = ReceiptEnvelope>;
}

/// All of them have to be valid.
struct Transactions<'a, S> {
    list: &'a [Transaction],
    source: &'a S,
}

impl<S: Source> Body for Transactions<'_, S> {
    type Output = ();

    fn execute<E>(self, executor: &mut E) -> Result<(), Failure>
    where
        E: BlockExecutor<Transaction = Transaction, Receipt = ReceiptEnvelope>,
    {
        for (index, transaction) in self.list.iter().enumerate() {
            self.source.within(Part::Transaction(index), || {
                let signer = transaction
                    .recover_signer()
                    .map_err(|_| InvalidBlock::Signature { index })?;
                let recovered = Recovered::new_unchecked(transaction, signer);
                executor
                    .execute_transaction(&recovered)
                    .map_err(|error| fail(error, Some(index)))
            })?;
        }
        Ok(())
    }
}

/// Executes `body` in the environment that a header names.
///
/// # Errors
/// [`Failure`]: what the witness lacks comes before what the EVM says, which may be its
/// consequence.
pub(crate) fn execute<'w, S: Source, B: Body>(
    chain: &ChainConfig,
    header: &Header,
    withdrawals: Option<&[Withdrawal]>,
    body: B,
    state: WitnessState<'w, S>,
) -> Result<(Executed, B::Output, WitnessState<'w, S>), Failure> {
    let source = state.source();
    let mut state = State::builder()
        .with_database(state)
        .with_bundle_update()
        .build();
    let outcome = source.within(Part::Block(header.number), || {
        run(chain, header, withdrawals, body, &mut state)
    });
    if let Some(fault) = state.database.fault() {
        return Err(fault.clone().into());
    }
    let (result, output) = outcome?;
    state.merge_transitions(BundleRetention::PlainState);
    let executed = Executed {
        receipts: result.receipts,
        gas_used: result.gas_used,
        blob_gas_used: result.blob_gas_used,
        requests: result.requests,
        bundle: state.take_bundle(),
    };
    Ok((executed, output, state.database))
}

fn run<S: Source, B: Body>(
    chain: &ChainConfig,
    header: &Header,
    withdrawals: Option<&[Withdrawal]>,
    body: B,
    state: &mut State<WitnessState<'_, S>>,
) -> Result<(BlockExecutionResult<ReceiptEnvelope>, B::Output), Failure> {
    let blob_params = chain.fork_at(header.timestamp).blob_params();
    let env = EvmEnv::for_eth_block(header, chain, chain.chain_id, blob_params);
    let evm = EthEvmFactory::default().create_evm(state, env);
    let context = EthBlockExecutionCtx {
        parent_hash: header.parent_hash,
        parent_beacon_block_root: header.parent_beacon_block_root,
        ommers: &[],
        withdrawals: withdrawals.map(Cow::Borrowed),
        extra_data: header.extra_data.clone(),
        tx_count_hint: None,
        slot_number: header.slot_number,
    };
    let mut executor = EthBlockExecutor::new(evm, context, chain, Receipts);
    executor
        .apply_pre_execution_changes()
        .map_err(|error| fail(error, None))?;
    let output = body.execute(&mut executor)?;
    if chain.fork_at(header.timestamp) >= Fork::Prague {
        check_predeploys(executor.evm_mut().db_mut())?;
    }
    let (evm, result) = executor.finish().map_err(|error| fail(error, None))?;
    let _ = evm.finish();
    Ok((result, output))
}

/// Without the contracts that collect requests, no block is valid (EIP-7002, EIP-7251); a call to
/// an account without code would succeed.
fn check_predeploys<S: Source>(state: &mut State<WitnessState<'_, S>>) -> Result<(), InvalidBlock> {
    for address in [
        WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
        CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
    ] {
        let account = state.basic(address);
        let account = account.map_err(|error| InvalidBlock::SystemCall {
            reason: error.to_string(),
        })?;
        if account.is_none_or(|account| account.is_empty_code_hash()) {
            let reason = format!("the contract at {address} has no code");
            return Err(InvalidBlock::SystemCall { reason });
        }
    }
    Ok(())
}

/// A validation error is the block's fault; of a transaction, or of what surrounds them.
pub(crate) fn fail(error: BlockExecutionError, transaction: Option<usize>) -> Failure {
    match (error, transaction) {
        (BlockExecutionError::Internal(error), _) => Failure::Evm {
            reason: error.to_string(),
        },
        (BlockExecutionError::Validation(error), Some(index)) => InvalidBlock::Transaction {
            index,
            reason: error.to_string(),
        }
        .into(),
        (BlockExecutionError::Validation(error), None) => InvalidBlock::SystemCall {
            reason: error.to_string(),
        }
        .into(),
    }
}

/// Makes receipts of [`Transaction`]s.
#[derive(Clone, Copy, Debug)]
struct Receipts;

impl ReceiptBuilder for Receipts {
    type Transaction = Transaction;
    type Receipt = ReceiptEnvelope;

    fn build_receipt<E: Evm>(&self, context: ReceiptBuilderCtx<'_, TxType, E>) -> ReceiptEnvelope {
        let receipt = Receipt {
            status: Eip658Value::Eip658(context.result.is_success()),
            cumulative_gas_used: context.cumulative_gas_used,
            logs: context.result.into_logs(),
        };
        let receipt = receipt.with_bloom();
        match context.tx_type {
            TxType::Legacy => ReceiptEnvelope::Legacy(receipt),
            TxType::Eip2930 => ReceiptEnvelope::Eip2930(receipt),
            TxType::Eip1559 => ReceiptEnvelope::Eip1559(receipt),
            TxType::Eip4844 => ReceiptEnvelope::Eip4844(receipt),
            TxType::Eip7702 => ReceiptEnvelope::Eip7702(receipt),
        }
    }
}
