//! A batch that is none, after the first block of a rollup.

use alloy_consensus::{EMPTY_ROOT_HASH, Header};
use alloy_primitives::{Address, B256, U256, keccak256};
use zkvm_rollup_node::store::{Account, Accounts, Store};
use zkvm_rollup_node::work::Work;
use zkvm_rollup_stf::rollup::{BatchInput, Config, L1View, SequencerSet};

const GENESIS_TIME: u64 = 1_000_000;

fn config() -> Config {
    Config {
        version: 1,
        chain_id: 7,
        fork: 2,
        genesis_time: GENESIS_TIME,
        epoch_slots: 64,
        slot_seconds: 2,
        backup_delay: 6,
        max_drift: 600,
        max_blocks_per_batch: 256,
        max_batch_bytes: 128 << 10,
        block_gas_limit: 30_000_000,
        zk_gas_limit: 10_000_000,
        ordering_policy: 0,
        z_value_threshold: U256::ZERO,
        kappa_num: 1,
        kappa_den: 2,
        probation_epochs: 3,
        z_opt_in_address: Address::repeat_byte(1),
        outbox_address: Address::repeat_byte(2),
        fee_recipient_policy: 0,
        min_stake: 1,
        max_stake: u128::MAX,
    }
}

/// A work file. The batch does not decode, so a block without transactions comes in its place.
pub(crate) fn work(prover: u8) -> Work {
    let account = Account {
        balance: U256::from(1),
        ..Account::default()
    };
    let mut store = Store::default();
    let accounts = Accounts::from([(Address::repeat_byte(3), account)]);
    let genesis = Header {
        state_root: store.insert_state(&accounts).unwrap(),
        gas_limit: 20_000_000,
        timestamp: GENESIS_TIME,
        base_fee_per_gas: Some(1_000_000_000),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        ..Header::default()
    };
    let set = SequencerSet {
        epoch: 0,
        sequencers: Vec::new(),
    };
    let view = L1View {
        batch_index: 17,
        parent_batch_hash: keccak256("parent batch"),
        chain_input: keccak256("inputs"),
        forced_from: 30,
        forced_pre: keccak256("queue"),
        forced_to: 30,
        forced_post: keccak256("queue"),
        set_hash: set.hash().unwrap(),
        seed: keccak256("seed"),
        l1_anchor: 555,
        l1_anchor_hash: keccak256("anchor"),
        l1_anchor_time: GENESIS_TIME,
        l1_time: GENESIS_TIME + 100,
        leader_fault_epoch: 0,
    };
    let headers = [alloy_rlp::encode(&genesis).into()];
    let input = BatchInput {
        config: &alloy_rlp::encode(config()),
        view: &alloy_rlp::encode(view),
        set,
        items: Vec::new(),
        batch: b"no batch",
        prover: [prover; 20],
        blocks: None,
        witness: store.witness(&headers),
    };
    Work::batch(&input).unwrap()
}
