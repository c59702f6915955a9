//! How a chain begins: its constants, accounts and contracts.

use alloy_consensus::Header;
use alloy_consensus::constants::EMPTY_ROOT_HASH;
use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_eips::eip4788::{BEACON_ROOTS_ADDRESS, BEACON_ROOTS_CODE};
use alloy_eips::eip7002::{
    WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS, WITHDRAWAL_REQUEST_PREDEPLOY_CODE,
};
use alloy_eips::eip7251::{
    CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS, CONSOLIDATION_REQUEST_PREDEPLOY_CODE,
};
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, B256, Bytes, U256, address, hex};
use zkvm_rollup_stf::chain::Fork;
use zkvm_rollup_stf::rollup::{Config, OrderingPolicy};

use super::wallet::Wallet;
use super::{ETHER, Scale};
use crate::store::{Account, Accounts};

/// Logs the value that it is sent, with the caller as topic.
pub(super) const OUTBOX: Address = address!("0x00000000000000000000000000000000000b0001");
/// Sends on to the outbox what it is sent.
pub(super) const FORWARDER: Address = address!("0x00000000000000000000000000000000000b0002");
/// Adds one to its slot 0.
pub(super) const COUNTER: Address = address!("0x00000000000000000000000000000000000b0003");
/// Sets the slot that its first word names to its second.
pub(super) const STORE: Address = address!("0x00000000000000000000000000000000000b0004");
/// Keeps the hash of the block that is as many before as its first word says.
pub(super) const HASHES: Address = address!("0x00000000000000000000000000000000000b0005");
/// Reverts.
pub(super) const REVERTER: Address = address!("0x00000000000000000000000000000000000b0006");
/// Uses all the gas that it gets, in one instruction.
pub(super) const BURNER: Address = address!("0x00000000000000000000000000000000000b0007");
/// Named in an access list, it asks for a proof.
pub(super) const OPT_IN: Address = address!("0x00000000000000000000000000000000000b0008");
/// Calls the address in its first word with the rest, and keeps the hash of what that returns.
pub(super) const CALLER: Address = address!("0x00000000000000000000000000000000000b0009");

const COUNTER_CODE: [u8; 8] = hex!("5f546001015f5500");
const CODES: [(Address, &[u8]); 8] = [
    (OUTBOX, &hex!("345f523360205fa100")),
    (
        FORWARDER,
        &hex!("5f5f5f5f347300000000000000000000000000000000000b00015af100"),
    ),
    (COUNTER, &COUNTER_CODE),
    (STORE, &hex!("6020355f355500")),
    (HASHES, &hex!("5f354303405f5500")),
    (REVERTER, &hex!("5f5ffd")),
    (BURNER, &hex!("fe")),
    (
        CALLER,
        &hex!("602036038060205f375f5f825f5f355afa3d5f5f3e3d5f205f355500"),
    ),
];
/// Makes a contract with the counter's code.
pub(super) const COUNTER_INIT: [u8; 16] = hex!("675f546001015f55005f5260086018f3");

/// Makes a contract that is gone after its transaction.
pub(super) const GONE_INIT: [u8; 2] = hex!("33ff");

/// Seconds since 1970 at which slot 0 begins.
pub(super) const GENESIS_TIME: u64 = 1_700_000_400;
/// Where the gas limit begins.
const GAS_LIMIT: u64 = 20_000_000;

/// The constants of a chain.
pub(super) fn config(fork: Fork, ordering: OrderingPolicy) -> Config {
    Config {
        version: 1,
        chain_id: 7_001,
        fork: fork_index(fork),
        genesis_time: GENESIS_TIME,
        // Half a minute, so that a chain of few batches has many.
        epoch_slots: 16,
        slot_seconds: 2,
        backup_delay: 6,
        max_drift: 120,
        max_blocks_per_batch: 6,
        max_batch_bytes: 8 << 10,
        // So near that one block can go beyond it.
        block_gas_limit: GAS_LIMIT + 8_000,
        zk_gas_limit: 3_000_000,
        ordering_policy: match ordering {
            OrderingPolicy::Free => 0,
            OrderingPolicy::Priority => 1,
        },
        z_value_threshold: U256::from(5 * ETHER),
        kappa_num: 1,
        kappa_den: 2,
        probation_epochs: 3,
        z_opt_in_address: OPT_IN,
        outbox_address: OUTBOX,
        fee_recipient_policy: 0,
        min_stake: ETHER,
        max_stake: 100 * ETHER,
    }
}

/// Whether accounts can have the code of others (EIP-7702).
pub(super) fn is_delegating(config: &Config) -> bool {
    config.fork >= fork_index(Fork::Prague)
}

/// The code of accounts that have the counter's (EIP-7702).
pub(super) fn delegation_code() -> Bytes {
    [&hex!("ef0100")[..], COUNTER.as_slice()].concat().into()
}

/// The position of a fork in a configuration.
fn fork_index(fork: Fork) -> u8 {
    let index = Fork::ALL.iter().position(|it| *it == fork);
    index
        .and_then(|it| u8::try_from(it).ok())
        .unwrap_or(u8::MAX)
}

/// The accounts before the first block: rich ones and contracts.
pub(super) fn accounts<'a>(
    scale: Scale,
    fork: Fork,
    rich: impl Iterator<Item = &'a Wallet>,
) -> Accounts {
    let with_code = |code: Bytes| Account {
        code,
        ..Account::default()
    };
    let mut accounts: Accounts = CODES
        .iter()
        .map(|(address, code)| (*address, with_code(Bytes::from_static(code))))
        .collect();
    for wallet in rich {
        let account = Account {
            balance: U256::from(1_000_000 * ETHER),
            ..Account::default()
        };
        accounts.insert(wallet.address, account);
    }
    if scale == Scale::Usual {
        let code = BEACON_ROOTS_CODE.clone();
        accounts.insert(BEACON_ROOTS_ADDRESS, with_code(code));
    }
    if fork >= Fork::Prague {
        for (address, code) in [
            (HISTORY_STORAGE_ADDRESS, &HISTORY_STORAGE_CODE),
            (
                WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
                &WITHDRAWAL_REQUEST_PREDEPLOY_CODE,
            ),
            (
                CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
                &CONSOLIDATION_REQUEST_PREDEPLOY_CODE,
            ),
        ] {
            accounts.insert(address, with_code(code.clone()));
        }
    }
    accounts
}

/// The first header: a block with nothing in it, in no slot.
pub(super) fn header(fork: Fork, state_root: B256) -> Header {
    Header {
        state_root,
        gas_limit: GAS_LIMIT,
        timestamp: GENESIS_TIME,
        base_fee_per_gas: Some(1_000_000_000),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: (fork >= Fork::Prague).then(|| Requests::default().requests_hash()),
        ..Header::default()
    }
}
