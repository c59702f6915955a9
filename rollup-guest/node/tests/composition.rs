//! Proofs of parts: each block of a batch from the state before it, and what they compose to.

mod common;

use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use common::parts::{PROVER, Parts, all, four_blocks, withdrawal};
use common::world::*;
use zkvm_machine::load;
use zkvm_rollup_stf::rollup::{
    BatchClaim, BlockRange, BlocksOut, Composition, FoldError, Out, RangeInput, RangeOut,
    Refutation, SignedBlock, Verdict, Whole, execute_blocks, fold_batches, fold_blocks,
};
use zkvm_rollup_stf::witness::Ancestors;

type Change<'a, T> = &'a dyn Fn(&mut T);

#[test]
fn blocks_compose_to_their_batch() {
    let mut parts = four_blocks(World::new());
    let each = all(&mut parts);
    let whole = parts.whole();
    assert_eq!(whole.verdict, Verdict::Ok);
    assert_eq!(
        whole.value_at_risk,
        U256::from(2 * (3 + 4 + 5) + 1_000 + 109)
    );
    assert_eq!(parts.fold(&each), Ok(whole));
    // However it is cut.
    let mut parts = four_blocks(World::new());
    let [left, right] = [parts.run(0, 3), parts.run(3, 4)];
    let halves = [(left.out, left.leaves), (right.out, right.leaves)];
    assert_eq!(parts.fold(&halves), Ok(whole));
    let mut parts = four_blocks(World::new());
    let one = parts.run(0, 4);
    assert_eq!(parts.fold(&[(one.out, one.leaves)]), Ok(whole));
}

#[test]
fn what_is_of_the_whole_batch_is_told_of_the_sum() {
    // Each block withdraws less than the threshold, together they withdraw more.
    let mut world = World::new();
    world.config.z_value_threshold = U256::from(11);
    let mut parts = four_blocks(world);
    let each = all(&mut parts);
    let whole = parts.whole();
    assert_eq!(whole.verdict, Verdict::Mode);
    assert_eq!(parts.fold(&each), Ok(whole));
    // Five transactions of 21,000 gas and more, and a forced one.
    let mut world = World::new();
    world.config.zk_gas_limit = 5 * 51_000;
    let mut parts = four_blocks(world);
    let each = all(&mut parts);
    let verdict = Verdict::ZkGas;
    assert_eq!(parts.whole().verdict, verdict);
    assert_eq!(parts.fold(&each), Err(FoldError::Refused { verdict }));
}

#[test]
fn outputs_that_are_not_the_batch_do_not_compose() {
    let mut parts = four_blocks(World::new());
    let good = all(&mut parts);
    let refused = |change: Change<'_, Vec<(BlocksOut, Vec<B256>)>>| {
        let mut changed = good.clone();
        change(&mut changed);
        parts.fold(&changed).unwrap_err()
    };
    let apart = |index, field| FoldError::Apart { index, field };
    let other = |index, field| FoldError::Other { index, field };
    assert_eq!(refused(&|it| it.clear()), FoldError::Empty);
    assert_eq!(refused(&|it| drop(it.remove(0))), apart(0, "first"));
    assert_eq!(refused(&|it| drop(it.remove(2))), apart(2, "first"));
    assert_eq!(refused(&|it| it.swap(1, 2)), apart(1, "first"));
    let last = refused(&|it| drop(it.pop()));
    assert_eq!(last, FoldError::Incomplete { end: 3, count: 4 });
    let twice = refused(&|it| it.push(it[3].clone()));
    assert_eq!(twice, apart(4, "first"));
    let hash = B256::repeat_byte(1);
    assert_eq!(refused(&|it| it[0].0.domain = hash), other(0, "domain"));
    assert_eq!(refused(&|it| it[1].0.domain = hash), other(1, "domain"));
    assert_eq!(
        refused(&|it| it[0].0.view_hash = hash),
        other(0, "view_hash")
    );
    assert_eq!(
        refused(&|it| it[3].0.view_hash = hash),
        other(3, "view_hash")
    );
    assert_eq!(
        refused(&|it| it[3].0.batch_hash = hash),
        other(3, "batch_hash")
    );
    assert_eq!(refused(&|it| it[3].0.leader = PROVER), other(3, "leader"));
    for index in 1..4 {
        let pre: [(Change<'_, BlocksOut>, _); 4] = [
            (&|it| it.pre_block_hash = hash, "post_block_hash"),
            (&|it| it.pre_state_root = hash, "post_state_root"),
            (&|it| it.chain_input_pre = hash, "chain_input_post"),
            (&|it| it.pre_block += 1, "post_block"),
        ];
        for (change, field) in pre {
            assert_eq!(refused(&|it| change(&mut it[index].0)), apart(index, field));
        }
    }
    let wrong = |index| FoldError::Withdrawals { index };
    assert_eq!(refused(&|it| it[0].1.swap(0, 1)), wrong(0));
    assert_eq!(refused(&|it| it[1].1.push(hash)), wrong(1));
    assert_eq!(refused(&|it| it[1].1.push(B256::ZERO)), wrong(1));
    assert_eq!(refused(&|it| it[0].0.withdrawal_count += 1), wrong(0));
    assert_eq!(refused(&|it| it[2].1.truncate(0)), wrong(2));
    let verdict = Verdict::Time;
    let refusal = refused(&|it| it[2].0.verdict = verdict);
    assert_eq!(refusal, FoldError::Refused { verdict });
    let mut config = parts.world.config.clone();
    config.kappa_num += 1;
    let (view, set) = (&parts.world.view, &parts.world.set);
    let error = fold_blocks(&config, view, set, &good, PROVER).unwrap_err();
    assert_eq!(error, other(0, "domain"));
    let mut richer = set.clone();
    richer.sequencers[0].stake += 1;
    let error = fold_blocks(&parts.world.config, view, &richer, &good, PROVER).unwrap_err();
    assert_eq!(error, other(0, "set_hash"));
}

#[test]
fn three_leaves_and_a_zero_are_not_four() {
    let mut world = World::new();
    let second = world.next_slot(SLOT);
    let own = (0..3).map(|nonce| withdrawal(nonce, 1, 11)).collect();
    let batch = world.batch(vec![
        world.block(SLOT, own),
        world.block(second, vec![withdrawal(3, 1, 11)]),
    ]);
    world.config.z_value_threshold = U256::MAX;
    let bytes = world.post(batch);
    let mut parts = Parts::new(world, bytes);
    let (first, second) = (parts.run(0, 1), parts.run(1, 2));
    let mut each = vec![(first.out, first.leaves), (second.out, second.leaves)];
    assert_eq!(parts.fold(&each), Ok(parts.whole()));
    each[0].1.push(B256::ZERO);
    let index = 0;
    assert_eq!(parts.fold(&each), Err(FoldError::Withdrawals { index }));
}

#[test]
fn a_block_that_breaks_a_rule_is_told_by_itself() {
    type Change = fn(&mut SignedBlock);
    let changes: [(Change, Verdict); 4] = [
        (|block| block.timestamp -= 1, Verdict::Time),
        (|block| block.gas_limit += GAS_LIMIT / 1024, Verdict::Gas),
        (
            |block| block.transactions.push(Bytes::from_static(b"none")),
            Verdict::Transaction,
        ),
        (|block| block.attempt = 1, Verdict::Leader),
    ];
    for (change, verdict) in changes {
        let world = World::new();
        let next = world.next_slot(SLOT);
        let own = vec![raw(payment(0, 100), &key(11))];
        let mut batch = world.batch(vec![world.block(SLOT, own), world.block(next, Vec::new())]);
        change(&mut batch.blocks[1]);
        let bytes = world.post(batch);
        let mut parts = Parts::new(world, bytes);
        let (good, bad) = (parts.run(0, 1), parts.run(1, 2));
        // A backup may be drawn who is the leader; then it is too early.
        if verdict != Verdict::Leader || bad.out.verdict != Verdict::Time {
            assert_eq!(bad.out.verdict, verdict);
        }
        assert_eq!(good.out.verdict, Verdict::Ok);
        assert_eq!(bad.out.pre_block_hash, good.out.post_block_hash);
        assert_eq!(bad.out.post_block_hash, bad.out.pre_block_hash);
        assert_eq!(bad.out.post_state_root, bad.out.pre_state_root);
        assert_eq!(bad.out.chain_input_post, bad.out.chain_input_pre);
        assert!(bad.header.is_none());
        assert_eq!(parts.whole().verdict, bad.out.verdict);
    }
    // As a whole, with any block.
    let mut parts = four_blocks(World::new());
    parts.batch.push(0);
    let part = parts.run(2, 3);
    assert_eq!(part.out.verdict, Verdict::Decode);
    assert_eq!((part.out.block_count, part.out.leader), (0, Address::ZERO));
}

#[test]
fn a_leader_is_drawn_for_the_batch() {
    // Blocks of two leaders, each signed by its own: the second is refused by itself.
    let world = World::new();
    let leader = address_of(&world.leader(SLOT, 0));
    let other = (SLOT..)
        .find(|slot| address_of(&world.leader(*slot, 0)) != leader)
        .unwrap();
    let blocks = [SLOT, other].map(|slot| world.block(slot, Vec::new()));
    let bytes = world.post(world.batch(blocks.to_vec()));
    let mut parts = Parts::new(world, bytes);
    assert_eq!(parts.run(0, 1).out.verdict, Verdict::Ok);
    assert_eq!(parts.run(1, 2).out.verdict, Verdict::Leader);
}

#[test]
fn a_claim_is_refuted_by_what_it_says_itself() {
    let mut parts = four_blocks(World::new());
    let outs: Vec<BlocksOut> = all(&mut parts).into_iter().map(|(out, _)| out).collect();
    let right = BatchClaim {
        domain: outs[0].domain,
        view_hash: outs[0].view_hash,
        batch_hash: outs[0].batch_hash,
        pre_block_hash: outs[0].pre_block_hash,
        block_hashes: outs.iter().map(|out| out.post_block_hash).collect(),
    };
    let by = |claim: &BatchClaim| -> Vec<Option<Refutation>> {
        outs.iter().map(|out| claim.refuted_by(out)).collect()
    };
    assert_eq!(by(&right), [None; 4]);
    let hash = B256::repeat_byte(1);
    for index in 0..4 {
        let mut wrong = right.clone();
        wrong.block_hashes[index] = hash;
        let mut expected = [None; 4];
        expected[index] = Some(Refutation::Block {
            end: outs[index].end,
            is: outs[index].post_block_hash,
        });
        // What comes after it begins elsewhere.
        assert_eq!(by(&wrong), expected);
    }
    let mut short = right.clone();
    let _ = short.block_hashes.pop();
    assert_eq!(by(&short)[0], Some(Refutation::BlockCount(4)));
    let mut long = right.clone();
    long.block_hashes.push(hash);
    assert_eq!(by(&long), [Some(Refutation::BlockCount(4)); 4]);
    // What is said of another batch says nothing.
    let others: [Change<'_, BatchClaim>; 4] = [
        &|claim| claim.domain = hash,
        &|claim| claim.view_hash = hash,
        &|claim| claim.batch_hash = hash,
        &|claim| claim.pre_block_hash = hash,
    ];
    for change in others {
        let mut other = right.clone();
        other.block_hashes[0] = hash;
        change(&mut other);
        assert_eq!(other.refuted_by(&outs[0]), None);
    }
    let mut bad = outs[1];
    bad.verdict = Verdict::Gas;
    let refusal = Refutation::Refused(Verdict::Gas);
    assert_eq!(right.refuted_by(&bad), Some(refusal));
}

#[test]
fn blocks_that_a_batch_has_not_are_no_input() {
    let parts = four_blocks(World::new());
    let header = alloy_rlp::encode(&parts.world.genesis);
    let ancestors = Ancestors::new(&[&header]).unwrap();
    let input = parts.world.input(&parts.batch);
    for (first, end) in [(0, 5), (4, 5), (1, 1), (2, 1), (u64::MAX, u64::MAX)] {
        let range = BlockRange { first, end };
        let error = execute_blocks(&input, range, &ancestors, &parts.world.store).unwrap_err();
        let text = format!("blocks {first} to {end} are asked for, but the batch has 4");
        assert!(error.to_string().contains(&text), "{error}");
    }
}

#[test]
fn outputs_survive_their_encoding_and_have_lengths_of_their_own() {
    let mut parts = four_blocks(World::new());
    let part = parts.run(0, 4).out;
    let out = parts.whole();
    let range = fold_batches(&[out], PROVER).unwrap();
    assert_eq!(Out::from_bytes(&out.to_bytes()), Some(out));
    assert_eq!(BlocksOut::from_bytes(&part.to_bytes()), Some(part));
    assert_eq!(RangeOut::from_bytes(&range.to_bytes()), Some(range));
    // As docs/spec/rollup.md has them.
    assert_eq!(
        [Out::WORDS, BlocksOut::WORDS, RangeOut::WORDS],
        [29, 27, 22]
    );
    let mut lengths = [Out::WORDS, BlocksOut::WORDS, RangeOut::WORDS];
    lengths.sort_unstable();
    assert!(lengths.windows(2).all(|pair| pair[0] < pair[1]));
    // One form of a word: numbers, verdicts, modes, flags and addresses are small.
    let bytes = part.to_bytes();
    let narrow = (0..BlocksOut::WORDS).filter(|word| {
        let mut changed = bytes.clone();
        changed[32 * word] ^= 0x80;
        BlocksOut::from_bytes(&changed).is_none()
    });
    assert_eq!(narrow.count(), 14);
    assert_eq!(Out::from_bytes(&bytes), None);
}

/// Outputs of three batches that follow each other; only their ends matter here.
fn three_batches() -> Vec<Out> {
    let mut parts = four_blocks(World::new());
    parts.run(0, 4);
    let first = parts.whole();
    let follow = |before: &Out, tag: u8| {
        let hash = |name: &str| keccak256([name.as_bytes(), &[tag]].concat());
        Out {
            batch_index: before.batch_index + 1,
            first_block: before.last_block + 1,
            last_block: before.last_block + 2,
            parent_batch_hash: before.batch_hash,
            batch_hash: hash("batch"),
            pre_block_hash: before.post_block_hash,
            pre_state_root: before.post_state_root,
            post_block_hash: hash("block"),
            post_state_root: hash("state"),
            chain_input_pre: before.chain_input_post,
            chain_input_post: hash("inputs"),
            forced_pre: before.forced_post,
            forced_post: hash("queue"),
            forced_from: before.forced_to,
            forced_to: before.forced_to + 1,
            ..*before
        }
    };
    let mut second = follow(&first, 2);
    second.verdict = Verdict::Gas;
    second.value_at_risk = U256::MAX;
    let third = follow(&second, 3);
    vec![first, second, third]
}

#[test]
fn batches_compose_to_a_range() {
    let outs = three_batches();
    let range = fold_batches(&outs, PROVER).unwrap();
    assert_eq!((range.first_batch, range.last_batch), (17, 19));
    assert_eq!((range.first_block, range.last_block), (101, 108));
    assert_eq!(range.pre_state_root, outs[0].pre_state_root);
    assert_eq!(range.post_state_root, outs[2].post_state_root);
    assert_eq!(range.verdict, Verdict::Gas);
    assert_eq!(range.required_mode, outs[1].required_mode);
    assert_eq!(range.value_at_risk, U256::MAX);
    let digests: Vec<B256> = outs.iter().map(Out::digest).collect();
    assert_eq!(range.outs_hash, keccak256(digests.concat()));
    assert_eq!(fold_batches(&[], PROVER), Err(FoldError::Empty));
    let hash = B256::repeat_byte(1);
    let changes: [(Change<'_, Out>, _); 9] = [
        (&|it| it.batch_index += 1, "batch_index"),
        (&|it| it.first_block += 1, "last_block"),
        (&|it| it.parent_batch_hash = hash, "batch_hash"),
        (&|it| it.pre_block_hash = hash, "post_block_hash"),
        (&|it| it.pre_state_root = hash, "post_state_root"),
        (&|it| it.chain_input_pre = hash, "chain_input_post"),
        (&|it| it.forced_pre = hash, "forced_post"),
        (&|it| it.forced_from += 1, "forced_to"),
        (&|it| it.domain = hash, "domain"),
    ];
    for (change, name) in changes {
        for index in [1, 2] {
            let mut changed = outs.clone();
            change(&mut changed[index]);
            match fold_batches(&changed, PROVER) {
                Err(
                    FoldError::Apart { index: at, field } | FoldError::Other { index: at, field },
                ) => {
                    assert_eq!((at, field), (index, name));
                }
                other => panic!("{name}: {other:?}"),
            }
        }
    }
}

#[test]
fn the_guests_do_what_the_host_does() {
    let program = load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let fold = load(zkvm_rollup_programs::ROLLUP_RANGE).unwrap();
    let mut parts = four_blocks(World::new());
    let (config, view) = (
        alloy_rlp::encode(&parts.world.config),
        alloy_rlp::encode(&parts.world.view),
    );
    let mut each = Vec::new();
    for index in 0..4 {
        let (input, part) = parts.guest_input(index);
        let execution = common::guests::run_bytes(&program, input);
        assert!(execution.exit.is_success(), "{}", execution.exit);
        assert_eq!(execution.journal, part.out.digest().as_slice());
        eprintln!("block {index}: {} cycles", execution.cycles);
        each.push((part.out, part.leaves));
    }
    let words: Vec<Vec<u8>> = each.iter().map(|(out, _)| out.to_bytes()).collect();
    let leaves = |leaves: &[B256]| leaves.iter().map(|it| it.0).collect();
    let mut blocks = words.iter().zip(&each);
    let blocks = blocks
        .by_ref()
        .map(|(words, it)| (&words[..], leaves(&it.1)));
    let input = RangeInput::Blocks {
        config: &config,
        view: &view,
        set: parts.world.set.clone(),
        parts: blocks.collect(),
        prover: PROVER.into_array(),
    };
    let digests: Vec<B256> = each.iter().map(|(out, _)| out.digest()).collect();
    let expected = Composition {
        parts_hash: keccak256(digests.concat()),
        whole: Whole::Batch(parts.whole()),
    };
    assert_eq!(input.compose(), Ok(expected));
    let execution = common::guests::run(&fold, &input);
    assert_eq!(execution.journal, expected.journal());
    eprintln!("4 blocks: {} cycles", execution.cycles);

    let outs = three_batches();
    let words: Vec<Vec<u8>> = outs.iter().map(Out::to_bytes).collect();
    let prover = PROVER.into_array();
    let mut slices: Vec<&[u8]> = words.iter().map(Vec::as_slice).collect();
    let input = RangeInput::Batches {
        outs: slices.clone(),
        prover,
    };
    let range = fold_batches(&outs, PROVER).unwrap();
    let expected = [range.outs_hash, range.digest()].concat();
    let execution = common::guests::run(&fold, &input);
    assert_eq!(execution.journal, expected);
    eprintln!("3 batches: {} cycles", execution.cycles);
    slices.swap(0, 1);
    for outs in [slices, Vec::new(), vec![b"no words"]] {
        let input = RangeInput::Batches { outs, prover };
        let execution = common::guests::run(&fold, &input);
        assert!(!execution.exit.is_success() && execution.journal.is_empty());
        eprintln!("refused: {}", execution.exit);
    }
}
