//! The rollup's F: every verdict, and that whatever is posted leads to a valid Ethereum block.

mod common;

use alloy_consensus::TxEip1559;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7002::WITHDRAWAL_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7251::CONSOLIDATION_REQUEST_PREDEPLOY_ADDRESS;
use alloy_eips::eip7685::Requests;
use alloy_primitives::{B256, Bytes, TxKind, U256, keccak256};
use common::world::*;
use k256::ecdsa::SigningKey;
use zkvm_rollup_node::store::Account;
use zkvm_rollup_stf::Failure;
use zkvm_rollup_stf::rollup::{
    Batch, BatchInput, Claim, Config, Input, Mode, Out, QueueItem, SignedBlock, Verdict,
    chain_input, signing_hash, transition,
};
use zkvm_rollup_stf::witness::{Ancestors, WitnessError};

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
    let post = |block: SignedBlock| world.seal(world.batch(vec![block]));
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
    // Two transactions of 21,000 gas, and one that names 100,000; 30,000 for each besides.
    world.config.zk_gas_limit = 2 * 51_000 + 130_000;
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
            blocks: None,
            witness: world.store.witness(&headers),
        };
        assert_eq!(input.claim(), Ok(Claim::Batch(expected)));
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
        |config: &mut Config| config.block_gas_limit = 4_999,
        |config: &mut Config| config.block_gas_limit = 1 << 63,
    ] {
        let mut input = world.input(&bytes);
        change(&mut input.config);
        assert_eq!(refuse(input), WitnessError::Config);
    }
}
