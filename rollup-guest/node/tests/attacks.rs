//! Attacks on the rollup's F, and on its parts: each test says what it tries. Those whose names
//! begin with `open` show what still succeeds.

mod common;

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip7702, TxLegacy};
use alloy_eips::Encodable2718;
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::Authorization;
use alloy_primitives::{Address, B256, Bloom, Bytes, Signature, TxKind, U256};
use common::calls::*;
use common::parts::{Parts, withdrawal};
use common::world::*;
use k256::ecdsa::SigningKey;
use zkvm_rollup_node::store::Account;
use zkvm_rollup_stf::block::Transaction;
use zkvm_rollup_stf::rollup::{Batch, FoldError, Verdict};

#[test]
fn a_hash_from_before_the_first_block_is_zero() {
    // BLOCKHASH(98), stored, where the first block is 100 and nobody knows an older header.
    let code = [0x60, 98, 0x40, 0x5f, 0x55, 0];
    let world = world_with(2, &[(CONTRACT, &code)]);
    let own = vec![raw(call(0, 100_000, CONTRACT, Vec::new()), &key(11))];
    assert_eq!(world.verdict(&one_block(&world, own)), Verdict::Ok);
}

#[test]
fn an_inner_node_is_no_leaf() {
    // Two withdrawals, then one. The first two's root as one leaf gives another root of all three.
    let world = World::new();
    let next = world.next_slot(SLOT);
    let batch = world.batch(vec![
        world.block(SLOT, vec![withdrawal(0, 1, 11), withdrawal(1, 2, 11)]),
        world.block(next, vec![withdrawal(2, 3, 11)]),
    ]);
    let bytes = world.post(batch);
    let mut parts = Parts::new(world, bytes);
    let (first, second) = (parts.run(0, 1), parts.run(1, 2));
    let mut each = vec![(first.out, first.leaves), (second.out, second.leaves)];
    assert_eq!(parts.fold(&each), Ok(parts.whole()));
    each[0].1 = vec![first.out.withdrawals_root];
    let index = 0;
    assert_eq!(parts.fold(&each), Err(FoldError::Withdrawals { index }));
}

/// Burns all the gas it is given: JUMPDEST, PUSH0, JUMP.
const BURNER: [u8; 3] = [0x5b, 0x5f, 0x56];

#[test]
fn forced_gas_is_not_the_leaders_fault() {
    // A forced transaction takes all gas that a batch may take to prove.
    let mut world = world_with(2, &[(CONTRACT, &BURNER)]);
    world.config.zk_gas_limit = 9_000_000;
    let burn = call(0, 9_000_000, CONTRACT, Vec::new());
    world.force(0, raw(burn, &key(12)).to_vec());
    let own = vec![raw(payment(0, 1), &key(11))];
    assert_eq!(world.verdict(&one_block(&world, own)), Verdict::Ok);
}

#[test]
fn what_takes_too_much_to_prove_is_not_executed_to_its_end() {
    // The first block takes too much; the second would be refused for another reason.
    let world = world_with(2, &[(CONTRACT, &BURNER)]);
    let next = world.next_slot(SLOT);
    let burn = call(0, 11_000_000, CONTRACT, Vec::new());
    let batch = world.batch(vec![
        world.block(SLOT, vec![raw(burn, &key(11))]),
        world.block(next, vec![Bytes::from_static(b"none")]),
    ]);
    let bytes = world.post(batch);
    assert_eq!(world.verdict(&bytes), Verdict::ZkGas);
    // The block by itself tells, too.
    assert_eq!(
        Parts::new(world, bytes).run(0, 1).out.verdict,
        Verdict::ZkGas
    );
}

#[test]
fn probation_is_the_epochs_after_the_fault() {
    // The leader's fault was in epoch 0; this is epoch 2.
    let mut world = World::new();
    world.view.leader_fault_epoch = 1;
    for (epochs, verdict) in [(2, Verdict::Mode), (1, Verdict::Ok)] {
        world.config.probation_epochs = epochs;
        assert_eq!(world.verdict(&one_block(&world, Vec::new())), verdict);
    }
}

#[test]
fn a_gas_limit_that_ethereum_has_not_is_no_rule() {
    // F would derive blocks that no Ethereum node accepts (EIP-1985), or none.
    let mut world = World::new();
    for (limit, is_known) in [
        (4_999, false),
        (5_000, true),
        ((1 << 63) - 1, true),
        (1 << 63, false),
        (u64::MAX, false),
    ] {
        world.config.block_gas_limit = limit;
        assert_eq!(world.config.chain().is_some(), is_known, "{limit}");
    }
}

#[test]
fn who_posts_a_batch_changes_nothing_of_it() {
    // A leader declares a proof, as it has to. Its signed blocks are posted by another first, as
    // if they needed none, with other forced items, or with the last block left out.
    let world = World::new();
    let item = AccessListItem {
        address: OPT_IN,
        storage_keys: Vec::new(),
    };
    let opt_in = TxEip1559 {
        access_list: AccessList(vec![item]),
        ..payment(0, 1)
    };
    let next = world.next_slot(SLOT);
    let mut batch = world.batch(vec![
        world.block(SLOT, vec![raw(opt_in, &key(11))]),
        world.block(next, Vec::new()),
    ]);
    batch.mode = 1;
    let bytes = world.post(batch);
    assert_eq!(world.verdict(&bytes), Verdict::Ok);
    let changes: [fn(&mut Batch); 4] = [
        |batch| batch.mode = 0,
        |batch| batch.forced_to += 1,
        |batch| drop(batch.blocks.pop()),
        |batch| batch.blocks.swap(0, 1),
    ];
    for change in changes {
        let mut reposted: Batch = alloy_rlp::decode_exact(&bytes).unwrap();
        change(&mut reposted);
        let out = world.run(&alloy_rlp::encode(&reposted)).out;
        assert_eq!(out.verdict, Verdict::Leader);
        assert_eq!(out.leader, Address::ZERO);
        // And not by another sequencer's signature.
        let leader = address_of(&world.leader(SLOT, 0));
        let other = (1..=4).map(key).find(|key| address_of(key) != leader);
        let out = world.run(&world.seal_by(reposted, &other.unwrap())).out;
        assert_eq!((out.verdict, out.leader), (Verdict::Leader, Address::ZERO));
    }
}

#[test]
fn leaders_are_blamed_for_what_they_signed() {
    let world = World::new();
    let leader = address_of(&world.leader(SLOT, 0));
    type Change = fn(&mut Batch);
    let changes: [(Change, Verdict, bool); 5] = [
        (|batch| batch.forced_to += 1, Verdict::Forced, true),
        (|batch| batch.blocks[0].timestamp -= 1, Verdict::Time, true),
        (
            |batch| batch.blocks[0].gas_limit += 1 << 20,
            Verdict::Gas,
            true,
        ),
        (|batch| batch.batch_index += 1, Verdict::Link, false),
        (|batch| batch.version += 1, Verdict::Decode, false),
    ];
    for (change, verdict, is_blamed) in changes {
        let mut batch = world.usual();
        change(&mut batch);
        let out = world.run(&world.post(batch)).out;
        assert_eq!(out.verdict, verdict);
        assert_eq!(out.leader, if is_blamed { leader } else { Address::ZERO });
    }
    // A block's signature that is none, in a batch that is signed.
    let bytes = world.post(world.usual());
    let mut batch: Batch = alloy_rlp::decode_exact(&bytes).unwrap();
    batch.blocks[1].r = U256::ZERO;
    let out = world.run(&world.seal(batch)).out;
    assert_eq!((out.verdict, out.leader), (Verdict::Signature, leader));
}

#[test]
fn a_forced_transaction_without_room_stays_queued() {
    // One that burns all that may be forced comes before it in the queue.
    let mut world = world_with(2, &[(CONTRACT, &BURNER)]);
    let burn = call(0, world.config.forced_gas_limit(), CONTRACT, Vec::new());
    world.force(0, raw(burn, &key(12)).to_vec());
    let after_first = world.view.forced_post;
    world.force(0, raw(payment(0, 7), &key(11)).to_vec());
    world.force(1, [RECEIVER.as_slice(), &7u64.to_be_bytes()].concat());
    for bytes in [one_block(&world, Vec::new()), b"nothing".to_vec()] {
        let outcome = world.run(&bytes);
        assert_eq!(outcome.skipped, [false]);
        assert_eq!(outcome.received, U256::ZERO);
        let out = outcome.out;
        assert_eq!((out.forced_from, out.forced_to), (30, 31));
        assert_eq!(out.forced_post, after_first);
    }
    // The next batch begins with it.
    let mut world = World::new();
    world.view.forced_from = 31;
    world.view.forced_to = 31;
    (world.view.forced_pre, world.view.forced_post) = (after_first, after_first);
    world.force(0, raw(payment(0, 7), &key(11)).to_vec());
    let outcome = world.run(&one_block(&world, Vec::new()));
    assert_eq!((outcome.out.forced_to, outcome.skipped), (32, vec![false]));
    assert_eq!(outcome.received, U256::from(7));
}

#[test]
fn what_names_more_gas_than_can_be_forced_is_no_obstacle() {
    let mut world = world_with(2, &[(CONTRACT, &BURNER)]);
    let much = world.config.forced_gas_limit() + 1;
    let burn = call(0, much, CONTRACT, Vec::new());
    world.force(0, raw(burn, &key(12)).to_vec());
    world.force(0, raw(payment(0, 7), &key(11)).to_vec());
    let outcome = world.run(&one_block(&world, Vec::new()));
    assert_eq!(outcome.skipped, [true, false]);
    assert_eq!(outcome.received, U256::from(7));
    assert_eq!(outcome.out.forced_to, world.view.forced_to);
}

#[test]
fn no_leader_takes_away_the_room_of_what_is_forced() {
    let mut world = World::new();
    // The parent is at the least gas limit.
    world.config.block_gas_limit = 2 * GAS_LIMIT;
    assert_eq!(world.verdict(&one_block(&world, Vec::new())), Verdict::Ok);
    let mut block = world.block(SLOT, Vec::new());
    block.gas_limit -= 1;
    let bytes = world.post(world.batch(vec![block]));
    assert_eq!(world.verdict(&bytes), Verdict::Gas);
}

#[test]
fn more_items_than_a_batch_executes_stay_queued() {
    let mut world = World::new();
    for gwei in 0..300u64 {
        world.force(1, [RECEIVER.as_slice(), &gwei.to_be_bytes()].concat());
    }
    let outcome = world.run(b"nothing");
    assert_eq!(outcome.skipped.len(), 256);
    assert_eq!(outcome.out.forced_to, 30 + 256);
}

#[test]
fn open_refused_batches_lead_ahead_of_l1() {
    // After a refused batch, another of the same L1 block has no time that it may have.
    let mut world = World::new();
    world.genesis.timestamp = world.view.l1_time;
    let mut batch = world.usual();
    batch.blocks.truncate(1);
    for time in [world.view.l1_time, world.view.l1_time + 1] {
        batch.blocks[0].timestamp = time;
        let outcome = world.run(&world.post(batch.clone()));
        assert_eq!(outcome.out.verdict, Verdict::Time);
        assert_eq!(outcome.blocks[0].header.timestamp, world.view.l1_time + 1);
    }
}

#[test]
fn logs_of_a_delegate_are_no_withdrawals() {
    let world = world_with(4, &[]);
    let authorization = Authorization {
        chain_id: U256::from(7),
        address: OUTBOX,
        nonce: 0,
    };
    let signature = sign(&key(12), authorization.signature_hash());
    let delegate = TxEip7702 {
        to: address_of(&key(12)),
        authorization_list: vec![authorization.into_signed(signature)],
        ..delegation()
    };
    let own = vec![sign_any(delegate, &key(11))];
    let outcome = world.run(&one_block(&world, own));
    assert_eq!(outcome.out.verdict, Verdict::Ok);
    assert_ne!(outcome.blocks[0].header.logs_bloom, Bloom::ZERO);
    assert_eq!(outcome.out.withdrawals_root, B256::ZERO);
    // What is sent counts as what any transaction carries.
    assert_eq!(outcome.out.value_at_risk, U256::from(1));
}

#[test]
fn a_deposit_to_the_richest_account_is_no_failure() {
    let mut world = World::new();
    let rich = Account {
        balance: U256::MAX,
        ..Account::default()
    };
    world.accounts.insert(RECEIVER, rich);
    renew(&mut world);
    for _ in 0..2 {
        let deposit = [RECEIVER.as_slice(), &u64::MAX.to_be_bytes()].concat();
        world.force(1, deposit);
    }
    assert_eq!(world.run(b"nothing").received, U256::MAX);
    // A payment to it fails, and the block does not.
    let own = vec![raw(payment(0, 1), &key(11))];
    let outcome = world.run(&one_block(&world, own));
    assert_eq!(outcome.out.verdict, Verdict::Ok);
    assert_eq!(outcome.out.value_at_risk, U256::ZERO);
}

#[test]
fn what_a_block_destroys_is_gone_in_the_next() {
    // Made, filled and destroyed by one transaction, then made again at the same address.
    let inner: &[u8] = &[0x60, 1, 0x5f, 0x55, 0x33, 0xff];
    let mut factory = vec![0x65];
    factory.extend_from_slice(inner);
    // MSTORE, then CREATE2 with salt 0.
    factory.extend_from_slice(&[0x5f, 0x52, 0x5f, 0x60, 6, 0x60, 26, 0x5f, 0xf5, 0]);
    let world = world_with(2, &[(CONTRACT, &factory)]);
    let make = |nonce| raw(call(nonce, 300_000, CONTRACT, Vec::new()), &key(11));
    let second = world.next_slot(SLOT);
    let third = world.next_slot(second);
    let batch = world.batch(vec![
        world.block(SLOT, vec![make(0), make(1)]),
        world.block(second, vec![make(2)]),
        world.block(third, vec![make(3)]),
    ]);
    let outcome = world.run(&world.post(batch));
    assert_eq!(outcome.out.verdict, Verdict::Ok);
    let used = |index: usize| outcome.blocks[index].header.gas_used;
    assert_eq!(used(0), 2 * used(1));
    assert_eq!(used(1), used(2));
}

fn sign_any<T: SignableTransaction<Signature>>(transaction: T, key: &SigningKey) -> Bytes
where
    Transaction: From<alloy_consensus::Signed<T>>,
{
    let signature = sign(key, transaction.signature_hash());
    let signed: Transaction = transaction.into_signed(signature).into();
    signed.encoded_2718().into()
}

/// Transactions of all types with fields at their bounds.
fn extreme_transactions() -> Vec<Bytes> {
    let sender = key(11);
    let mut all = Vec::new();
    let list = |count: usize| {
        let keys = vec![B256::repeat_byte(0xff); 3];
        let item = AccessListItem {
            address: OUTBOX,
            storage_keys: keys,
        };
        AccessList(vec![item; count])
    };
    for nonce in [0, u64::MAX] {
        for gas_limit in [0, 21_000, (1 << 24) + 1, GAS_LIMIT, u64::MAX] {
            for fee in [0, 1_000_000_000, u128::MAX] {
                for value in [U256::ZERO, U256::from(10 * ETHER), U256::MAX] {
                    let to = TxKind::Call(RECEIVER);
                    all.push(sign_any(
                        TxEip1559 {
                            nonce,
                            gas_limit,
                            max_fee_per_gas: fee,
                            max_priority_fee_per_gas: fee,
                            value,
                            ..payment(0, 0)
                        },
                        &sender,
                    ));
                    all.push(sign_any(
                        TxLegacy {
                            chain_id: None,
                            nonce,
                            gas_price: fee,
                            gas_limit,
                            to,
                            value,
                            input: Bytes::new(),
                        },
                        &sender,
                    ));
                    all.push(sign_any(
                        TxEip2930 {
                            chain_id: 7,
                            nonce,
                            gas_price: fee,
                            gas_limit,
                            to: TxKind::Create,
                            value,
                            access_list: list(3),
                            input: vec![0x5f; 49_153].into(),
                        },
                        &sender,
                    ));
                }
            }
        }
    }
    all
}

fn delegation() -> TxEip7702 {
    TxEip7702 {
        chain_id: 7,
        nonce: 0,
        gas_limit: 500_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1,
        to: RECEIVER,
        value: U256::from(1),
        access_list: AccessList::default(),
        authorization_list: Vec::new(),
        input: Bytes::new(),
    }
}

/// Transactions with lists of authorizations: none, of odd signatures, for odd targets and chains.
fn delegations() -> Vec<Bytes> {
    let authorize = |chain_id: u64, nonce: u64, address: Address, byte: u8| {
        let authorization = Authorization {
            chain_id: U256::from(chain_id),
            address,
            nonce,
        };
        let signature = sign(&key(byte), authorization.signature_hash());
        authorization.into_signed(signature)
    };
    let base = |authorization_list| TxEip7702 {
        authorization_list,
        ..delegation()
    };
    let odd = |y_parity: u8, r: U256, s: U256| {
        let inner = Authorization {
            chain_id: U256::ZERO,
            address: CONTRACT,
            nonce: 0,
        };
        alloy_eips::eip7702::SignedAuthorization::new_unchecked(inner, y_parity, r, s)
    };
    let own = address_of(&key(11));
    [
        vec![],
        vec![authorize(0, 1, own, 11)],
        vec![
            authorize(7, 1, OUTBOX, 11),
            authorize(7, 2, Address::ZERO, 11),
        ],
        vec![
            authorize(7, 0, OUTBOX, 12),
            authorize(7, u64::MAX, OUTBOX, 13),
        ],
        vec![authorize(7, 0, Address::with_last_byte(1), 12)],
        vec![authorize(8, 0, OUTBOX, 12), authorize(0, 0, CONTRACT, 14)],
        vec![
            odd(0, U256::ZERO, U256::ZERO),
            odd(255, U256::MAX, U256::MAX),
            odd(1, U256::from(1), U256::from(1)),
            odd(2, U256::from(5), U256::MAX >> 1),
        ],
    ]
    .map(|list| sign_any(base(list), &key(11)))
    .to_vec()
}

#[test]
fn no_transaction_stops_f() {
    for fork in [2, 4] {
        let world = world_with(fork, &[(CONTRACT, &BURNER)]);
        let mut transactions = extreme_transactions();
        transactions.extend(delegations());
        // As the leader's own: a verdict each.
        let mut counts = std::collections::BTreeMap::<Verdict, usize>::new();
        for transaction in &transactions {
            let bytes = one_block(&world, vec![transaction.clone()]);
            *counts.entry(world.verdict(&bytes)).or_default() += 1;
        }
        // As forced items, all in one block.
        let mut world = world;
        for transaction in transactions {
            world.force(0, transaction.to_vec());
        }
        let outcome = world.run(b"nothing");
        let done = outcome.skipped.iter().filter(|is_skipped| !**is_skipped);
        eprintln!("fork {fork}: {counts:?}, forced: {}", done.count());
    }
}

#[test]
fn delegations_are_the_same_in_the_guest() {
    for transaction in delegations() {
        let mut world = world_with(4, &[(CONTRACT, &BURNER)]);
        world.force(0, transaction.to_vec());
        let bytes = one_block(&world, Vec::new());
        let expected = world.run(&bytes).out;
        let execution = in_guest(&world, &bytes);
        assert!(execution.exit.is_success(), "{}", execution.exit);
        assert_eq!(execution.journal, expected.digest().as_slice());
    }
}

#[test]
fn precompiles_answer_alike_in_the_guest() {
    // Numbers at their bounds, of all lengths that contracts take, and short ones. Since Prague
    // there are those of BLS12-381; all gas is charged for bad input, so that has its own block.
    let mut world = world_with(4, &[(CONTRACT, &CALLER)]);
    world.config.zk_gas_limit = u64::MAX;
    let lengths = [0, 1, 31, 64, 96, 128, 160, 192, 213, 256, 288, 384, 512];
    let mut inputs: Vec<(u64, Vec<u8>)> = Vec::new();
    for address in (1..=17).chain([256]) {
        for length in lengths {
            inputs.push((address, vec![0; length]));
            inputs.push((address, vec![0xff; length]));
        }
    }
    inputs.extend([
        (5, power(1, 33)),
        (5, power(32, 32)),
        (5, power(33, 3)),
        (8, PAIRING.to_vec()),
        (9, blake(13)),
        (10, KZG.to_vec()),
    ]);
    world.config.max_batch_bytes = 1 << 20;
    let slots: Vec<u64> = std::iter::successors(Some(SLOT), |slot| Some(world.next_slot(*slot)))
        .take_while(|slot| *slot < SLOT + 50)
        .collect();
    let own: Vec<Bytes> = (0..)
        .zip(&inputs)
        .map(|(nonce, (address, input))| {
            let input = calls(*address, 1, input);
            raw(call(nonce, 300_000, CONTRACT, input), &key(11))
        })
        .collect();
    let each = own.len().div_ceil(slots.len());
    let blocks = slots.iter().zip(own.chunks(each));
    let blocks = blocks.map(|(slot, own)| world.block(*slot, own.to_vec()));
    let bytes = world.post(world.batch(blocks.collect()));
    let expected = world.run(&bytes).out;
    assert_eq!(expected.verdict, Verdict::Ok);
    let execution = in_guest(&world, &bytes);
    assert!(execution.exit.is_success(), "{}", execution.exit);
    assert_eq!(execution.journal, expected.digest().as_slice());
    eprintln!("{} calls: {} cycles", own.len(), execution.cycles);
}

#[test]
fn calls_of_calls_do_not_overflow_the_guests_stack() {
    // A contract that calls itself, with gas for all 1024 levels.
    let code = [0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x30, 0x5a, 0xf1, 0];
    let mut world = world_with(4, &[(CONTRACT, &code)]);
    // Osaka's transactions have less gas.
    world.config.fork = 3;
    world.genesis.gas_limit = 1 << 40;
    world.config.block_gas_limit = 1 << 40;
    world.config.zk_gas_limit = u64::MAX;
    let rich = Account {
        balance: U256::MAX >> 8,
        ..Account::default()
    };
    world.accounts.insert(address_of(&key(11)), rich);
    renew(&mut world);
    let mut block = world.block(
        SLOT,
        vec![raw(call(0, 1 << 39, CONTRACT, Vec::new()), &key(11))],
    );
    block.gas_limit = 1 << 40;
    let bytes = world.post(world.batch(vec![block]));
    let outcome = world.run(&bytes);
    assert_eq!(outcome.out.verdict, Verdict::Ok);
    let execution = in_guest(&world, &bytes);
    assert!(execution.exit.is_success(), "{}", execution.exit);
    assert_eq!(execution.journal, outcome.out.digest().as_slice());
}
