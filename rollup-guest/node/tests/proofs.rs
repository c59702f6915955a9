//! Proofs of the guests. None of them needs fixtures.

mod common;

use std::time::Instant;

use alloy_primitives::{B256, keccak256};
use common::parts::{PROVER, four_blocks};
use common::world::{SLOT, World, key, payment, raw};
use zkvm_rollup_node::generate::one_of_each;
use zkvm_rollup_stf::claim::BlockClaim;
use zkvm_rollup_stf::rollup::{BatchClaim, Out, RangeInput, Refutation, Verdict, Whole};
use zkvm_sdk::{Client, Input, Program};

/// Proves, verifies, and returns the journal.
fn prove(program: &Program, input: &[u8]) -> Vec<u8> {
    let client = Client::auto().unwrap();
    let input = Input::new().write_bytes(input);
    let proof = client.prove(program, &input).unwrap();
    let proof = zkvm_sdk::Proof::from_bytes(&proof.to_bytes().unwrap()).unwrap();
    program.verify(&proof).unwrap().bytes().to_vec()
}

#[test]
fn a_wrong_claim_at_one_block_is_refuted_by_a_proof_of_that_block() {
    let program = Program::from_elf(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let mut parts = four_blocks(World::new());
    let (inputs, each): (Vec<_>, Vec<_>) = (0..4).map(|index| parts.guest_input(index)).unzip();
    let outs = || each.iter().map(|part| part.out);
    let mut claim = BatchClaim {
        domain: each[0].out.domain,
        view_hash: each[0].out.view_hash,
        batch_hash: each[0].out.batch_hash,
        pre_block_hash: each[0].out.pre_block_hash,
        block_hashes: outs().map(|out| out.post_block_hash).collect(),
    };
    let right = claim.clone();
    claim.block_hashes[1] = B256::repeat_byte(1);

    // One block is proven, nothing else of the batch.
    let journal = prove(&program, &inputs[1]);
    assert_eq!(journal, each[1].out.digest().as_slice());
    let (end, is) = (2, each[1].out.post_block_hash);
    let refutation = Refutation::Block { end, is };
    assert_eq!(claim.refuted_by(&each[1].out), Some(refutation));
    assert_eq!(right.refuted_by(&each[1].out), None);

    // The claim's own output is another, whose digest nobody has proven.
    let mut wrong = each[1].out;
    wrong.post_block_hash = claim.block_hashes[1];
    assert_ne!(journal, wrong.digest().as_slice());

    // The whole from its parts: had all four been proven, this is the batch.
    let range = Program::from_elf(zkvm_rollup_programs::ROLLUP_RANGE).unwrap();
    let words: Vec<Vec<u8>> = outs().map(|out| out.to_bytes()).collect();
    let leaves = each.iter().map(|part| part.leaves.iter().map(|it| it.0));
    let (config, view) = (
        alloy_rlp::encode(&parts.world.config),
        alloy_rlp::encode(&parts.world.view),
    );
    let input = RangeInput::Blocks {
        config: &config,
        view: &view,
        set: parts.world.set.clone(),
        parts: words
            .iter()
            .zip(leaves)
            .map(|(words, leaves)| (&words[..], leaves.collect()))
            .collect(),
        prover: PROVER.into_array(),
    };
    let composition = input.compose().unwrap();
    let whole: Out = parts.whole();
    assert_eq!(composition.whole, Whole::Batch(whole));
    let journal = prove(&range, &postcard::to_allocvec(&input).unwrap());
    assert_eq!(journal, composition.journal());
}

#[test]
fn a_batch_of_each_verdict_is_proved() {
    let program = Program::from_elf(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let batches = one_of_each(7).unwrap();
    assert!(batches.iter().map(|it| it.out.verdict).eq(Verdict::ALL));
    for batch in batches {
        let begin = Instant::now();
        let input = postcard::to_allocvec(&batch.input.borrow()).unwrap();
        let journal = prove(&program, &input);
        assert_eq!(journal, batch.out.digest().as_slice());
        eprintln!("{:.1?}: {}", begin.elapsed(), batch.description);
    }
}

#[test]
fn a_block_with_one_transfer_is_proved_and_nothing_without_its_witness() {
    let world = World::new();
    let own = vec![raw(payment(0, 100), &key(11))];
    let batch = world.post(world.batch(vec![world.block(SLOT, own)]));
    let outcome = world.run(&batch);
    let mut chain = world.chain();
    let block = alloy_rlp::encode(&outcome.blocks[0]);
    let added = chain.add(&block.into()).unwrap();
    let program = Program::from_elf(zkvm_rollup_programs::ETHEREUM_BLOCK).unwrap();
    let begin = Instant::now();
    let input = postcard::to_allocvec(&added.input.borrow()).unwrap();
    let claim = BlockClaim::from_bytes(&prove(&program, &input)).unwrap();
    assert_eq!(claim.block_hash, added.hash);
    assert_eq!(claim.post_state_root, added.state_root);
    assert_eq!(claim.pre_state_root, world.genesis.state_root);
    eprintln!("{:.1?}", begin.elapsed());

    let client = Client::auto().unwrap();
    for index in 0..added.input.nodes.len() {
        let mut without = added.input.clone();
        let hash = keccak256(without.nodes.remove(index));
        let input = Input::new().write(&without.borrow()).unwrap();
        let error = client.prove(&program, &input).unwrap_err().to_string();
        assert!(
            error.contains(&format!("trie node {hash} is missing")),
            "{error}"
        );
    }
}
