//! The rollup's F: every verdict, and that whatever is posted leads to a valid Ethereum block.

mod common;

use alloy_consensus::{Block, BlockBody, Header, SignableTransaction, TxEip1559};
use alloy_eips::Encodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, keccak256};
use k256::ecdsa::SigningKey;
use zkvm_rollup_node::replay::Chain;
use zkvm_rollup_node::store::{Account, Accounts, Recorder, Store};
use zkvm_rollup_stf::Failure;
use zkvm_rollup_stf::block::Transaction;
use zkvm_rollup_stf::rollup::{
    Batch, BatchInput, Config, Input, L1View, Mode, Out, QueueItem, Sequencer, SequencerSet,
    SignedBlock, Verdict, chain_input, signing_hash, transition, withdrawals_root,
};
use zkvm_rollup_stf::witness::{Ancestors, Hashed, WitnessError};

const OUTBOX: Address = address!("00000000000000000000000000000000000000bb");
const OPT_IN: Address = address!("00000000000000000000000000000000000000cc");
const RECEIVER: Address = address!("00000000000000000000000000000000000000dd");
const GENESIS_TIME: u64 = 1_000_000;
const EPOCH: u64 = 2;
const SLOT: u64 = EPOCH * 64 + 5;
const GAS_LIMIT: u64 = 20_000_000;
const ETHER: u64 = 1_000_000_000_000_000_000;

fn key(byte: u8) -> SigningKey {
    SigningKey::from_slice(&[byte; 32]).unwrap()
}

fn address_of(key: &SigningKey) -> Address {
    Address::from_public_key(key.verifying_key())
}

fn sign(key: &SigningKey, hash: B256) -> Signature {
    key.sign_prehash_recoverable(hash.as_slice())
        .unwrap()
        .into()
}

/// A payment of 1 gwei per gas above the base fee, unless changed.
fn payment(nonce: u64, value: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: 7,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(RECEIVER),
        value: U256::from(value),
        access_list: AccessList::default(),
        input: Bytes::new(),
    }
}

fn signed(transaction: TxEip1559, key: &SigningKey) -> Transaction {
    let signature = sign(key, transaction.signature_hash());
    transaction.into_signed(signature).into()
}

fn raw(transaction: TxEip1559, key: &SigningKey) -> Bytes {
    signed(transaction, key).encoded_2718().into()
}

/// A rollup at its first batch.
struct World {
    config: Config,
    view: L1View,
    set: SequencerSet,
    items: Vec<(u8, Vec<u8>)>,
    accounts: Accounts,
    genesis: Header,
    store: Store,
}

impl World {
    fn new() -> Self {
        let config = Config {
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
            z_value_threshold: U256::from(5 * ETHER),
            kappa_num: 1,
            kappa_den: 2,
            probation_epochs: 3,
            z_opt_in_address: OPT_IN,
            outbox_address: OUTBOX,
            fee_recipient_policy: 0,
            min_stake: 1,
            max_stake: u128::MAX,
        };
        let sequencers = (1..=4).map(|byte| Sequencer {
            signer: address_of(&key(byte)).into_array(),
            stake: 40 * u128::from(ETHER),
        });
        let set = SequencerSet {
            epoch: EPOCH,
            sequencers: sequencers.collect(),
        };
        let rich = || Account {
            balance: U256::from(10 * ETHER),
            ..Account::default()
        };
        // It logs the value that it is sent: CALLVALUE, MSTORE at 0, LOG1 of 32 bytes.
        let code = Bytes::from_static(&[0x34, 0x5f, 0x52, 0x60, 1, 0x60, 32, 0x5f, 0xa1, 0]);
        let accounts = Accounts::from([
            (address_of(&key(11)), rich()),
            (address_of(&key(12)), rich()),
            (
                OUTBOX,
                Account {
                    code,
                    ..Account::default()
                },
            ),
        ]);
        let mut store = Store::default();
        let state_root = store.insert_state(&accounts).unwrap();
        let genesis = Header {
            state_root,
            number: 100,
            gas_limit: GAS_LIMIT,
            timestamp: GENESIS_TIME,
            base_fee_per_gas: Some(1_000_000_000),
            withdrawals_root: Some(alloy_consensus::EMPTY_ROOT_HASH),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::ZERO),
            ..Header::default()
        };
        let slot_time = GENESIS_TIME + 2 * SLOT;
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
            l1_anchor_time: slot_time,
            l1_time: slot_time + 100,
            leader_fault_epoch: 0,
        };
        World {
            config,
            view,
            set,
            items: Vec::new(),
            accounts,
            genesis,
            store,
        }
    }

    fn leader(&self, slot: u64, attempt: u8) -> SigningKey {
        let drawn = self.set.leader(self.view.seed, slot, attempt).unwrap();
        (1..=4)
            .map(key)
            .find(|key| address_of(key).0 == drawn.signer)
            .unwrap()
    }

    /// A slot after [`SLOT`] with the same leader.
    fn next_slot(&self, after: u64) -> u64 {
        let leader = address_of(&self.leader(SLOT, 0));
        (after + 1..)
            .find(|slot| address_of(&self.leader(*slot, 0)) == leader)
            .unwrap()
    }

    fn force(&mut self, kind: u8, payload: Vec<u8>) {
        self.items.push((kind, payload));
        self.view.forced_to += 1;
        let queue = self.items();
        let hash = queue
            .iter()
            .fold(self.view.forced_pre, |before, item| item.hash_after(before));
        self.view.forced_post = hash;
    }

    fn items(&self) -> Vec<QueueItem<'_>> {
        let items = self.items.iter();
        items
            .map(|(kind, payload)| QueueItem {
                kind: *kind,
                l1_block: 1,
                l1_time: 2,
                payload,
            })
            .collect()
    }

    fn block(&self, slot: u64, transactions: Vec<Bytes>) -> SignedBlock {
        SignedBlock {
            slot,
            attempt: 0,
            timestamp: GENESIS_TIME + 2 * slot,
            gas_limit: GAS_LIMIT,
            extra: Bytes::from_static(b"extra"),
            transactions,
            y_parity: 0,
            r: U256::ZERO,
            s: U256::ZERO,
        }
    }

    fn batch(&self, blocks: Vec<SignedBlock>) -> Batch {
        Batch {
            version: 1,
            chain_id: 7,
            batch_index: self.view.batch_index,
            parent_batch_hash: self.view.parent_batch_hash,
            mode: 0,
            l1_anchor: self.view.l1_anchor,
            forced_to: self.view.forced_to,
            blocks,
        }
    }

    /// Two blocks, three payments.
    fn usual(&self) -> Batch {
        let first = vec![
            raw(payment(0, 100), &key(11)),
            raw(payment(0, 200), &key(12)),
        ];
        let second = vec![raw(payment(1, 300), &key(11))];
        let next = self.next_slot(SLOT);
        self.batch(vec![self.block(SLOT, first), self.block(next, second)])
    }

    /// Signs every block by its leader and encodes the batch.
    fn post(&self, mut batch: Batch) -> Vec<u8> {
        let mut inputs = self.view.chain_input;
        for block in &mut batch.blocks {
            inputs = chain_input(inputs, &block.unsigned());
            let leader = self.leader(block.slot, block.attempt);
            let signature = sign(&leader, signing_hash(self.config.domain(), inputs));
            (block.r, block.s) = (signature.r(), signature.s());
            block.y_parity = signature.v().into();
        }
        alloy_rlp::encode(&batch)
    }

    fn input<'a>(&'a self, batch: &'a [u8]) -> Input<'a> {
        Input {
            config: self.config.clone(),
            view: self.view.clone(),
            set: self.set.clone(),
            items: self.items(),
            batch,
            prover: Address::repeat_byte(0xee),
        }
    }

    /// Evaluates F twice, with all there is and with the smallest witness; then has every block
    /// validated as an Ethereum block.
    fn run(&self, batch: &[u8]) -> Outcome {
        let header: Bytes = alloy_rlp::encode(&self.genesis).into();
        let headers = [header];
        let ancestors = Ancestors::new(&[&headers[0]]).unwrap();
        let recorder = Recorder::new(&self.store);
        let input = self.input(batch);
        let transition_full = transition(&input, &ancestors, &recorder).unwrap();
        let witness = recorder.witness(&headers);
        let hashed = Hashed::new(&witness);
        let small = transition(&input, &ancestors, &hashed).unwrap();
        assert_eq!(small.out, transition_full.out);

        let genesis: Block<Transaction> = Block {
            header: self.genesis.clone(),
            body: BlockBody {
                withdrawals: Some(Default::default()),
                ..BlockBody::default()
            },
        };
        let rules = self.config.chain().unwrap();
        let mut chain = Chain::new(rules, &alloy_rlp::encode(genesis), &self.accounts).unwrap();
        for block in &small.blocks {
            let added = chain.add(&alloy_rlp::encode(block).into());
            added.unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(chain.tip_hash(), small.out.post_block_hash);
        assert_eq!(chain.state_root(), small.out.post_state_root);
        assert_eq!(
            small.out.withdrawals_root,
            withdrawals_root(&small.withdrawals)
        );
        let mut state = small.state;
        Outcome {
            // Where nothing pays it, the smallest witness does not have it.
            received: state
                .account(RECEIVER)
                .ok()
                .flatten()
                .map_or(U256::ZERO, |it| it.balance),
            out: small.out,
            blocks: small.blocks,
            skipped: small.skipped,
        }
    }

    fn verdict(&self, batch: &[u8]) -> Verdict {
        let outcome = self.run(batch);
        if outcome.out.verdict != Verdict::Ok && outcome.out.verdict != Verdict::Mode {
            assert_eq!(outcome.blocks.len(), 1);
            assert_eq!(outcome.blocks[0].header.beneficiary, Address::ZERO);
            assert_eq!(outcome.out.chain_input_post, self.view.chain_input);
            assert_eq!(outcome.out.required_mode, Mode::Zk);
        }
        outcome.out.verdict
    }
}

struct Outcome {
    out: Out,
    blocks: Vec<Block<Transaction>>,
    skipped: Vec<bool>,
    received: U256,
}

#[test]
fn a_batch_leads_to_ethereum_blocks() {
    let world = World::new();
    let batch = world.usual();
    let bytes = world.post(batch.clone());
    let Outcome {
        out,
        blocks,
        received,
        ..
    } = world.run(&bytes);
    assert_eq!(out.verdict, Verdict::Ok);
    assert_eq!(out.required_mode, Mode::Optimistic);
    assert_eq!(received, U256::from(600));
    assert_eq!(out.value_at_risk, U256::from(600));
    assert_eq!((out.first_block, out.last_block), (101, 102));
    assert_eq!(out.leader, address_of(&world.leader(SLOT, 0)));
    assert_eq!(out.batch_hash, keccak256(&bytes));
    assert_eq!(out.pre_block_hash, world.genesis.hash_slow());
    let inputs = batch.blocks.iter().map(SignedBlock::unsigned);
    let inputs = inputs.fold(world.view.chain_input, |before, block| {
        chain_input(before, &block)
    });
    assert_eq!(out.chain_input_post, inputs);

    let header = &blocks[0].header;
    assert_eq!(header.beneficiary, out.leader);
    assert_eq!(
        header.mix_hash,
        keccak256([world.view.seed.as_slice(), &SLOT.to_be_bytes()].concat())
    );
    let extra = [&SLOT.to_be_bytes()[..], &[0], &EPOCH.to_be_bytes()].concat();
    assert_eq!(header.extra_data[..], extra[..]);
    assert_eq!(out.to_bytes().len(), 32 * Out::WORDS);
    assert_eq!(out.digest(), keccak256(out.to_bytes()));
}

#[test]
fn every_fork_since_cancun_will_do() {
    for fork in 2..=6 {
        let mut world = World::new();
        world.config.fork = fork;
        // Since Prague, blocks end with calls to two contracts. These ask for nothing.
        for address in [
            WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS,
            CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS,
        ] {
            let code = Bytes::from_static(&[0]);
            world.accounts.insert(
                address,
                Account {
                    code,
                    ..Account::default()
                },
            );
        }
        world.genesis.state_root = world.store.insert_state(&world.accounts).unwrap();
        world.genesis.requests_hash = (fork >= 3).then(|| Requests::default().requests_hash());
        let outcome = world.run(&world.post(world.usual()));
        assert_eq!(outcome.out.verdict, Verdict::Ok, "{fork}");
        assert_eq!(world.verdict(b"nothing"), Verdict::Decode, "{fork}");
    }
}

#[test]
fn code_and_slots_of_one_block_are_there_in_the_next() {
    let world = World::new();
    // What it makes adds one to slot 0 at each call.
    let runtime = [0x5f, 0x54, 0x60, 1, 0x01, 0x5f, 0x55, 0x00];
    let init = [
        &[0x67][..],
        &runtime,
        &[0x5f, 0x52, 0x60, 8, 0x60, 24, 0xf3],
    ]
    .concat();
    let made = address_of(&key(11)).create(0);
    let create = TxEip1559 {
        to: TxKind::Create,
        input: init.into(),
        ..payment(0, 0)
    };
    let call = |nonce| {
        raw(
            TxEip1559 {
                to: TxKind::Call(made),
                ..payment(nonce, 0)
            },
            &key(11),
        )
    };
    let second = world.next_slot(SLOT);
    let third = world.next_slot(second);
    let batch = world.batch(vec![
        world.block(SLOT, vec![raw(create, &key(11))]),
        world.block(second, vec![call(1)]),
        world.block(third, vec![call(2), call(3)]),
    ]);
    let outcome = world.run(&world.post(batch));
    assert_eq!(outcome.out.verdict, Verdict::Ok);
    assert_eq!(outcome.blocks.len(), 3);
    let last = outcome.blocks[2].header.clone();
    // A first write to a slot costs more than a second one.
    assert!(outcome.blocks[1].header.gas_used * 2 > last.gas_used);
}

#[test]
fn a_deposit_of_nothing_makes_no_account() {
    let world = World::new();
    let without = world.run(b"nothing").out;
    let mut world = World::new();
    world.force(1, [address_of(&key(13)).as_slice(), &[0; 8]].concat());
    let with = world.run(b"nothing").out;
    assert_eq!(with.post_state_root, without.post_state_root);
    assert_ne!(with.post_block_hash, without.post_block_hash);
}

#[test]
fn a_backup_leader_may_take_a_slot_after_its_delay() {
    let world = World::new();
    let mut block = world.block(SLOT, Vec::new());
    block.attempt = 2;
    assert_eq!(
        world.verdict(&world.post(world.batch(vec![block.clone()]))),
        Verdict::Time
    );
    block.timestamp += 12;
    assert_eq!(
        world.verdict(&world.post(world.batch(vec![block]))),
        Verdict::Ok
    );
}

/// A batch that is changed before it is signed.
fn changed(change: impl Fn(&mut Batch)) -> Verdict {
    let world = World::new();
    let mut batch = world.usual();
    change(&mut batch);
    world.verdict(&world.post(batch))
}

#[test]
fn what_is_no_batch_is_refused() {
    let world = World::new();
    let good = world.post(world.usual());
    for bytes in [
        &[][..],
        &[0xc0],
        b"anything",
        &good[1..],
        &[&good[..], &[0]].concat(),
    ] {
        assert_eq!(world.verdict(bytes), Verdict::Decode);
    }
    assert_eq!(changed(|batch| batch.version = 2), Verdict::Decode);
    assert_eq!(changed(|batch| batch.mode = 2), Verdict::Decode);
    assert_eq!(changed(|batch| batch.blocks.clear()), Verdict::Decode);
    assert_eq!(
        changed(|batch| batch.blocks[1].extra = vec![0; 33].into()),
        Verdict::Decode
    );
    let mut world = World::new();
    world.config.max_blocks_per_batch = 1;
    assert_eq!(world.verdict(&world.post(world.usual())), Verdict::Decode);
    world.config.max_blocks_per_batch = 2;
    world.config.max_batch_bytes = u64::try_from(good.len()).unwrap() - 1;
    assert_eq!(world.verdict(&world.post(world.usual())), Verdict::Decode);
}

#[test]
fn a_batch_out_of_its_place_is_refused() {
    assert_eq!(changed(|batch| batch.chain_id = 8), Verdict::Link);
    assert_eq!(changed(|batch| batch.batch_index += 1), Verdict::Link);
    assert_eq!(
        changed(|batch| batch.parent_batch_hash = B256::ZERO),
        Verdict::Link
    );
    assert_eq!(changed(|batch| batch.l1_anchor += 1), Verdict::Link);
}

#[test]
fn only_the_leader_may_sign() {
    let world = World::new();
    let hash = |block: &SignedBlock| {
        signing_hash(
            world.config.domain(),
            chain_input(world.view.chain_input, &block.unsigned()),
        )
    };
    let post = |block: SignedBlock| alloy_rlp::encode(world.batch(vec![block]));
    let resigned = |key: &SigningKey| {
        let mut block = world.block(SLOT, Vec::new());
        let signature = sign(key, hash(&block));
        (block.r, block.s) = (signature.r(), signature.s());
        block.y_parity = signature.v().into();
        block
    };
    let good = resigned(&world.leader(SLOT, 0));
    assert_eq!(world.verdict(&post(good.clone())), Verdict::Ok);
    let leader = address_of(&world.leader(SLOT, 0));
    let other = (1..=4)
        .map(key)
        .find(|key| address_of(key) != leader)
        .unwrap();
    assert_eq!(world.verdict(&post(resigned(&other))), Verdict::Leader);
    // The same signature with the other `s`.
    let order = U256::from_be_bytes(alloy_primitives::hex!(
        "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
    ));
    let high = SignedBlock {
        s: order - good.s,
        y_parity: 1 - good.y_parity,
        ..good.clone()
    };
    assert_eq!(world.verdict(&post(high)), Verdict::Signature);
    let parity = SignedBlock {
        y_parity: 2,
        ..good.clone()
    };
    assert_eq!(world.verdict(&post(parity)), Verdict::Signature);
    let zero = SignedBlock {
        r: U256::ZERO,
        ..good.clone()
    };
    assert_eq!(world.verdict(&post(zero)), Verdict::Signature);
    // What is signed cannot be changed.
    let block = SignedBlock {
        extra: Bytes::from_static(b"other"),
        ..good
    };
    assert!(matches!(
        world.verdict(&post(block)),
        Verdict::Leader | Verdict::Signature
    ));
}

#[test]
fn one_leader_makes_a_batch() {
    let world = World::new();
    let leader = address_of(&world.leader(SLOT, 0));
    let other = (SLOT..)
        .find(|slot| address_of(&world.leader(*slot, 0)) != leader)
        .unwrap();
    let blocks = vec![
        world.block(SLOT, Vec::new()),
        world.block(other, Vec::new()),
    ];
    assert_eq!(
        world.verdict(&world.post(world.batch(blocks))),
        Verdict::Leader
    );
    // And of one epoch.
    let later = world.block((EPOCH + 1) * 64, Vec::new());
    assert_eq!(
        world.verdict(&world.post(world.batch(vec![later]))),
        Verdict::Leader
    );
}

#[test]
fn slots_and_times_are_bounded() {
    assert_eq!(
        changed(|batch| batch.blocks[0].timestamp -= 1),
        Verdict::Time
    );
    assert_eq!(
        changed(|batch| batch.blocks[0].timestamp += 101),
        Verdict::Time
    );
    assert_eq!(
        changed(|batch| batch.blocks[1] = batch.blocks[0].clone()),
        Verdict::Time
    );
    let mut world = World::new();
    world.view.l1_anchor_time += 601;
    world.view.l1_time += 601;
    assert_eq!(world.verdict(&world.post(world.usual())), Verdict::Time);
    world.view.l1_anchor_time -= 1;
    assert_eq!(world.verdict(&world.post(world.usual())), Verdict::Ok);
}

#[test]
fn forced_items_come_first_whatever_is_posted() {
    let mut world = World::new();
    world.force(0, raw(payment(0, 1_000), &key(11)).to_vec());
    let deposit = [address_of(&key(13)).as_slice(), &7u64.to_be_bytes()].concat();
    world.force(1, deposit);
    world.force(0, b"no transaction".to_vec());
    // Its sender has nothing.
    world.force(0, raw(payment(0, 1), &key(14)).to_vec());
    world.force(9, b"of no kind".to_vec());
    world.force(1, b"no deposit".to_vec());
    let skipped = vec![false, false, true, true, true, true];

    let own = vec![raw(payment(1, 20), &key(11))];
    let batch = world.batch(vec![world.block(SLOT, own)]);
    let outcome = world.run(&world.post(batch.clone()));
    assert_eq!(outcome.out.verdict, Verdict::Ok);
    assert_eq!(outcome.received, U256::from(1_020));
    assert_eq!(outcome.skipped, skipped);
    assert_eq!(outcome.blocks[0].body.transactions.len(), 2);
    let deposits = outcome.blocks[0].body.withdrawals.as_ref().unwrap();
    assert_eq!((deposits[0].index, deposits[0].amount), (31, 7));

    for bytes in [
        world.post(Batch {
            forced_to: 35,
            ..batch
        }),
        b"nothing".to_vec(),
    ] {
        let outcome = world.run(&bytes);
        assert!(matches!(
            outcome.out.verdict,
            Verdict::Forced | Verdict::Decode
        ));
        assert_eq!(outcome.received, U256::from(1_000));
        assert_eq!(outcome.skipped, skipped);
        assert_eq!(outcome.blocks[0].header.extra_data[8], 255);
    }
}

#[test]
fn a_batch_that_leaves_out_forced_items_is_refused() {
    let mut world = World::new();
    let batch = world.usual();
    world.force(0, raw(payment(0, 1_000), &key(11)).to_vec());
    assert_eq!(world.verdict(&world.post(batch)), Verdict::Forced);
}

#[test]
fn priority_is_one_order() {
    let mut world = World::new();
    world.config.ordering_policy = 1;
    let tip = |nonce, gwei: u128, byte| {
        let fee = gwei * 1_000_000_000;
        raw(
            TxEip1559 {
                max_priority_fee_per_gas: fee,
                ..payment(nonce, 1)
            },
            &key(byte),
        )
    };
    let verdict = |transactions: Vec<Bytes>| {
        let block = world.block(SLOT, transactions);
        world.verdict(&world.post(world.batch(vec![block])))
    };
    assert_eq!(verdict(vec![tip(0, 3, 11), tip(0, 2, 12)]), Verdict::Ok);
    assert_eq!(verdict(vec![tip(0, 2, 12), tip(0, 3, 11)]), Verdict::Order);
    // A sender's second transaction has no higher priority than its first.
    assert_eq!(
        verdict(vec![tip(0, 2, 11), tip(1, 9, 11), tip(0, 1, 12)]),
        Verdict::Ok
    );
    assert_eq!(
        verdict(vec![tip(0, 2, 11), tip(1, 9, 11), tip(0, 3, 12)]),
        Verdict::Order
    );
    // Of equal ones, one order is right.
    let pair = [tip(0, 5, 11), tip(0, 5, 12)];
    let verdicts = [
        verdict(pair.to_vec()),
        verdict(pair.iter().rev().cloned().collect()),
    ];
    assert!(verdicts.contains(&Verdict::Ok) && verdicts.contains(&Verdict::Order));
}

#[test]
fn transactions_that_cannot_be_executed_are_refused() {
    let verdict = |transaction: Bytes| {
        changed(|batch| batch.blocks[1].transactions = vec![transaction.clone()])
    };
    assert_eq!(verdict(Bytes::from_static(b"none")), Verdict::Transaction);
    assert_eq!(verdict(raw(payment(5, 1), &key(11))), Verdict::Transaction);
    assert_eq!(verdict(raw(payment(0, 1), &key(15))), Verdict::Transaction);
    assert_eq!(
        verdict(raw(
            TxEip1559 {
                chain_id: 8,
                ..payment(1, 1)
            },
            &key(11)
        )),
        Verdict::Transaction
    );
    assert_eq!(
        verdict(raw(
            TxEip1559 {
                gas_limit: 20_999,
                ..payment(1, 1)
            },
            &key(11)
        )),
        Verdict::Transaction
    );
    assert_eq!(verdict(raw(payment(1, 1), &key(11))), Verdict::Ok);
}

#[test]
fn gas_is_bounded() {
    let much = TxEip1559 {
        gas_limit: GAS_LIMIT + 1,
        ..payment(1, 1)
    };
    let much = raw(
        TxEip1559 {
            max_fee_per_gas: 2_000_000_000,
            ..much
        },
        &key(11),
    );
    assert_eq!(
        changed(|batch| batch.blocks[1].transactions = vec![much.clone()]),
        Verdict::Gas
    );
    assert_eq!(
        changed(|batch| batch.blocks[1].gas_limit += GAS_LIMIT / 1024),
        Verdict::Gas
    );
    assert_eq!(
        changed(|batch| batch.blocks[1].gas_limit += GAS_LIMIT / 1024 - 1),
        Verdict::Ok
    );
    let mut world = World::new();
    world.config.block_gas_limit = GAS_LIMIT - 1;
    assert_eq!(world.verdict(&world.post(world.usual())), Verdict::Gas);
    world.config.block_gas_limit = GAS_LIMIT;
    // Three transactions of 21,000 gas.
    world.config.zk_gas_limit = 3 * 51_000;
    assert_eq!(world.verdict(&world.post(world.usual())), Verdict::Ok);
    world.config.zk_gas_limit -= 1;
    assert_eq!(world.verdict(&world.post(world.usual())), Verdict::ZkGas);
}

/// The verdict of the world's batch of one block, declared optimistic and declared to be proven.
fn verdicts(world: &World, transactions: Vec<Bytes>) -> (Verdict, Verdict) {
    let batch = world.batch(vec![world.block(SLOT, transactions)]);
    let zk = Batch {
        mode: 1,
        ..batch.clone()
    };
    let [optimistic, zk] = [batch, zk].map(|batch| world.run(&world.post(batch)).out);
    assert_eq!(optimistic.required_mode, zk.required_mode);
    assert_eq!(optimistic.post_block_hash, zk.post_block_hash);
    (optimistic.verdict, zk.verdict)
}

#[test]
fn what_requires_a_proof_must_be_declared_so() {
    let required = (Verdict::Mode, Verdict::Ok);
    let free = (Verdict::Ok, Verdict::Ok);
    let mut world = World::new();
    let item = |address| AccessListItem {
        address,
        storage_keys: Vec::new(),
    };
    let list = |address| AccessList(vec![item(address)]);
    let opt_in = |address| {
        raw(
            TxEip1559 {
                access_list: list(address),
                ..payment(0, 1)
            },
            &key(11),
        )
    };
    assert_eq!(verdicts(&world, vec![opt_in(OPT_IN)]), required);
    assert_eq!(verdicts(&world, vec![opt_in(OUTBOX)]), free);

    let withdrawal = |value: u64| {
        raw(
            TxEip1559 {
                to: TxKind::Call(OUTBOX),
                ..payment(0, value)
            },
            &key(11),
        )
    };
    assert_eq!(verdicts(&world, vec![withdrawal(5 * ETHER)]), free);
    assert_eq!(verdicts(&world, vec![withdrawal(5 * ETHER + 1)]), required);

    // A fortieth of the leader's 40 ether covers one.
    world.config.kappa_den = 40;
    assert_eq!(
        verdicts(&world, vec![raw(payment(0, ETHER), &key(11))]),
        free
    );
    assert_eq!(
        verdicts(&world, vec![raw(payment(0, ETHER + 1), &key(11))]),
        required
    );
    world.config.kappa_den = 2;

    for (fault, expected) in [(0, free), (1, required), (EPOCH + 1, required)] {
        world.view.leader_fault_epoch = fault;
        assert_eq!(verdicts(&world, Vec::new()), expected, "{fault}");
    }
    world.config.probation_epochs = 1;
    world.view.leader_fault_epoch = 1;
    assert_eq!(verdicts(&world, Vec::new()), free);
}

#[test]
fn whatever_is_posted_has_a_verdict() {
    let mut world = World::new();
    world.force(0, raw(payment(0, 1_000), &key(11)).to_vec());
    let own = vec![
        raw(payment(1, 100), &key(11)),
        raw(payment(0, 200), &key(12)),
    ];
    let good = world.post(world.batch(vec![world.block(SLOT, own)]));
    assert_eq!(world.verdict(&good), Verdict::Ok);
    let mut counts = std::collections::BTreeMap::<Verdict, usize>::new();
    for position in 0..good.len() {
        let mut bytes = good.clone();
        bytes[position] ^= 1 << (position % 8);
        let outcome = world.run(&bytes);
        assert!(outcome.out.verdict != Verdict::Ok, "byte {position}");
        assert_eq!(outcome.received, U256::from(1_000), "byte {position}");
        *counts.entry(outcome.out.verdict).or_default() += 1;
    }
    for len in 0..good.len() {
        assert_eq!(world.run(&good[..len]).out.verdict, Verdict::Decode);
    }
    eprintln!("{counts:?}");
}

#[test]
fn the_guest_gives_the_digest_of_the_output() {
    let program = zkvm_machine::load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let mut world = World::new();
    world.force(0, raw(payment(0, 1_000), &key(12)).to_vec());
    let header: Bytes = alloy_rlp::encode(&world.genesis).into();
    let headers = [header];
    let own = vec![raw(payment(0, 100), &key(11))];
    let good = world.post(world.batch(vec![world.block(SLOT, own)]));
    for bytes in [good.clone(), good[1..].to_vec()] {
        let expected = world.run(&bytes).out;
        let (config, view) = (
            alloy_rlp::encode(&world.config),
            alloy_rlp::encode(&world.view),
        );
        let mut input = BatchInput {
            config: &config,
            view: &view,
            set: world.set.clone(),
            items: world.items(),
            batch: &bytes,
            prover: expected.prover.into_array(),
            witness: world.store.witness(&headers),
        };
        assert_eq!(input.out(), Ok(expected));
        let execution = common::guests::run(&program, &input);
        assert!(execution.exit.is_success(), "{}", execution.exit);
        assert_eq!(execution.journal, expected.digest().as_slice());
        eprintln!("{:?}: {} cycles", expected.verdict, execution.cycles);
        input.witness.nodes.clear();
        let execution = common::guests::run(&program, &input);
        assert!(!execution.exit.is_success() && execution.journal.is_empty());
    }
}

#[test]
fn what_l1_has_not_hashed_is_no_input() {
    let world = World::new();
    let bytes = world.post(world.usual());
    let header = alloy_rlp::encode(&world.genesis);
    let ancestors = Ancestors::new(&[&header]).unwrap();
    let refuse = |input: Input<'_>| match transition(&input, &ancestors, &world.store) {
        Err(Failure::Witness(error)) => error,
        other => panic!("{other:?}"),
    };
    let mut input = world.input(&bytes);
    input.set.sequencers[0].stake += 1;
    assert!(matches!(refuse(input), WitnessError::SequencerSet { .. }));
    let item = QueueItem {
        kind: 0,
        l1_block: 0,
        l1_time: 0,
        payload: b"",
    };
    let mut input = world.input(&bytes);
    input.items.push(item.clone());
    assert!(matches!(refuse(input), WitnessError::Queue { .. }));
    let mut input = world.input(&bytes);
    input.view.forced_to += 1;
    assert!(matches!(refuse(input), WitnessError::Queue { .. }));
    for change in [
        |config: &mut Config| config.version = 2,
        |config: &mut Config| config.fork = 0,
        |config: &mut Config| config.fork = 200,
        |config: &mut Config| config.ordering_policy = 2,
        |config: &mut Config| config.epoch_slots = 0,
        |config: &mut Config| config.kappa_den = 0,
    ] {
        let mut input = world.input(&bytes);
        change(&mut input.config);
        assert_eq!(refuse(input), WitnessError::Config);
    }
}
