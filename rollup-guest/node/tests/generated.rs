//! Generated chains: the same by a seed, of every verdict, and the guest's output is F's.

mod common;

use std::collections::{BTreeMap, BTreeSet};

use alloy_consensus::{Block, BlockBody};
use alloy_primitives::{Address, B256, b256, keccak256};
use common::guests::run;
use zkvm_machine::Program;
use zkvm_rollup_node::batch::OwnedBatchInput;
use zkvm_rollup_node::generate::{
    Feature, GenerateError, Generated, Generator, Options, Scale, Violation, one_of_each,
};
use zkvm_rollup_node::replay::Chain;
use zkvm_rollup_stf::block::Transaction;
use zkvm_rollup_stf::chain::Fork;
use zkvm_rollup_stf::rollup::{Claim, Mode, OrderingPolicy, Out, Verdict};

/// Chains that the guest executes, and batches in each.
const CHAINS: u64 = 20;
const BATCHES: usize = 25;

/// The first so many batches of a seed.
fn batches(seed: u64, count: usize) -> Vec<Generated> {
    let mut generator = Generator::new(seed).unwrap();
    (0..count)
        .map(|_| {
            generator
                .next_batch()
                .unwrap_or_else(|error| panic!("seed {seed}: {error}"))
        })
        .collect()
}

/// What the guest would read, and what F is, of all batches.
fn hash(batches: &[Generated]) -> B256 {
    let bytes = batches.iter().flat_map(|it| {
        let input = postcard::to_allocvec(&it.input.borrow()).unwrap();
        [input, it.out.to_bytes()].concat()
    });
    keccak256(bytes.collect::<Vec<u8>>())
}

#[test]
fn a_seed_gives_the_same_bytes_everywhere() {
    let first = batches(0, 30);
    assert_eq!(first, batches(0, 30));
    assert_eq!(
        hash(&first),
        b256!("0x87b899600404700671ec9210356c53779e13846988575e77c19a96cd0afffc44")
    );
    assert_ne!(hash(&first), hash(&batches(1, 30)));
}

#[test]
fn every_verdict_can_be_asked_for_by_any_seed() {
    let mut orders = BTreeSet::new();
    for seed in (0..8).chain([u64::MAX]) {
        let mut generator = Generator::new(seed).unwrap();
        let is_free = generator.config().ordering() == Some(OrderingPolicy::Free);
        let _ = orders.insert((is_free, generator.config().fork));
        for verdict in Verdict::ALL {
            let batch = generator.next_with(verdict);
            if is_free && verdict == Verdict::Order {
                assert_eq!(batch, Err(GenerateError::Unreachable { verdict }));
                continue;
            }
            let batch = batch.unwrap();
            assert_eq!(batch.out.verdict, verdict, "seed {seed}");
            assert_eq!(batch.violation.is_none(), verdict == Verdict::Ok);
        }
    }
    assert_eq!(orders.len(), 4, "both orders, of both forks");
}

#[test]
fn later_forks_will_do() {
    for fork in [Fork::Osaka, Fork::Bpo1, Fork::Bpo2] {
        let options = Options {
            fork: Some(fork),
            ordering: Some(OrderingPolicy::Priority),
            scale: Scale::Usual,
        };
        let mut generator = Generator::with(3, options).unwrap();
        for verdict in Verdict::ALL {
            assert_eq!(generator.next_with(verdict).unwrap().out.verdict, verdict);
        }
    }
    let options = Options {
        fork: Some(Fork::Shanghai),
        ordering: None,
        scale: Scale::Usual,
    };
    let error = Generator::with(3, options).unwrap_err();
    assert!(matches!(error, GenerateError::Fork { .. }));
}

#[test]
fn every_violation_comes_up() {
    let mut counts: BTreeMap<Violation, usize> = BTreeMap::new();
    for seed in 0..200 {
        if counts.len() == Violation::ALL.len() {
            break;
        }
        let mut generator = Generator::new(seed).unwrap();
        let verdicts: Vec<Verdict> = generator.verdicts().collect();
        // Some are possible only after a batch that is accepted.
        for verdict in verdicts.into_iter().flat_map(|it| [Verdict::Ok, it]) {
            let batch = generator.next_with(verdict);
            let batch = batch.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            if let Some(violation) = batch.violation {
                *counts.entry(violation).or_default() += 1;
            }
        }
    }
    for (violation, ..) in Violation::ALL {
        assert!(counts.contains_key(&violation), "{violation:?}");
    }
    eprintln!("{counts:?}");
}

/// What has been seen in a number of chains.
#[derive(Default)]
struct Tally {
    cycles: BTreeMap<Verdict, Vec<u64>>,
    features: BTreeMap<Feature, usize>,
}

impl Tally {
    fn extend(&mut self, other: Tally) {
        for (verdict, cycles) in other.cycles {
            self.cycles.entry(verdict).or_default().extend(cycles);
        }
        for (feature, count) in other.features {
            *self.features.entry(feature).or_default() += count;
        }
    }

    fn print(&mut self) {
        eprintln!("verdict      count   cycles: min   median      max");
        for (verdict, cycles) in &mut self.cycles {
            cycles.sort_unstable();
            let (min, max) = (cycles[0], cycles[cycles.len() - 1]);
            let (count, median) = (cycles.len(), cycles[cycles.len() / 2]);
            let name = format!("{verdict:?}");
            eprintln!("{name:12} {count:5} {min:13} {median:8} {max:8}");
        }
        for (feature, count) in &self.features {
            eprintln!("{count:4} batches: {feature}");
        }
    }
}

/// Consecutive outputs fit each other.
fn check_link(before: &Out, after: &Out) {
    assert_eq!(after.domain, before.domain);
    assert_eq!(after.batch_index, before.batch_index + 1);
    assert_eq!(after.first_block, before.last_block + 1);
    assert_eq!(after.parent_batch_hash, before.batch_hash);
    assert_eq!(after.pre_block_hash, before.post_block_hash);
    assert_eq!(after.pre_state_root, before.post_state_root);
    assert_eq!(after.chain_input_pre, before.chain_input_post);
    assert_eq!(after.forced_pre, before.forced_post);
    assert_eq!(after.forced_from, before.forced_to);
    assert!(after.l1_anchor >= before.l1_anchor);
    assert!(after.l1_time >= before.l1_time);
}

/// What a verdict says about an output.
fn check_out(out: &Out) {
    let is_refused = !matches!(out.verdict, Verdict::Ok | Verdict::Mode);
    if is_refused {
        assert_eq!(out.chain_input_post, out.chain_input_pre);
        assert_eq!(out.first_block, out.last_block);
        assert_eq!(out.required_mode, Mode::Zk);
    } else {
        assert_ne!(out.chain_input_post, out.chain_input_pre);
    }
    let is_led = out.leader != Address::ZERO;
    match out.verdict {
        Verdict::Decode | Verdict::Link => assert!(!is_led),
        // Of the whole, or of a block.
        Verdict::Signature | Verdict::Leader => {}
        Verdict::Ok
        | Verdict::Time
        | Verdict::Forced
        | Verdict::Order
        | Verdict::Transaction
        | Verdict::Gas
        | Verdict::ZkGas
        | Verdict::Mode => assert!(is_led),
    }
    assert!(is_led || out.leader_fault_epoch == 0);
}

/// Executes the guest with every batch of a chain, and validates its blocks as Ethereum's.
fn check_chain(program: &Program, seed: u64) -> Tally {
    let mut generator = Generator::new(seed).unwrap();
    let genesis = generator.genesis().clone();
    let first: Block<Transaction> = Block {
        header: genesis.header,
        body: BlockBody {
            withdrawals: Some(Default::default()),
            ..BlockBody::default()
        },
    };
    let rules = generator.config().chain().unwrap();
    let mut chain = Chain::new(rules, &alloy_rlp::encode(first), &genesis.accounts).unwrap();
    let mut tally = Tally::default();
    let mut before: Option<Out> = None;
    for _ in 0..BATCHES {
        let batch = generator.next_batch();
        let batch = batch.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        let about = format!("seed {seed}: {}", batch.description);
        let out = batch.out;
        assert_eq!(
            batch.input.borrow().claim(),
            Ok(Claim::Batch(out)),
            "{about}"
        );
        let execution = run(program, &batch.input.borrow());
        assert!(execution.exit.is_success(), "{about}: {}", execution.exit);
        assert_eq!(execution.journal, out.digest().as_slice(), "{about}");

        check_out(&out);
        if let Some(before) = before {
            check_link(&before, &out);
        }
        before = Some(out);
        for block in &batch.blocks {
            let added = chain.add(block);
            let _ = added.unwrap_or_else(|error| panic!("{about}: {error}"));
        }
        assert_eq!(chain.tip_hash(), out.post_block_hash, "{about}");

        let cycles = tally.cycles.entry(out.verdict).or_default();
        cycles.push(execution.cycles);
        if seed == 0 {
            eprintln!("{}", batch.description);
        }
        for feature in batch.features {
            *tally.features.entry(feature).or_default() += 1;
        }
    }
    tally
}

#[test]
fn the_guest_gives_the_digest_of_every_batch() {
    let program = zkvm_machine::load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let begin = std::time::Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |it| it.get() as u64);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let program = &program;
        let workers: Vec<_> = (0..threads)
            .map(|worker| {
                scope.spawn(move || {
                    let mut tally = Tally::default();
                    for seed in (0..CHAINS).filter(|seed| seed % threads == worker) {
                        tally.extend(check_chain(program, seed));
                    }
                    tally
                })
            })
            .collect();
        for worker in workers {
            tally.extend(worker.join().unwrap());
        }
    });
    tally.print();
    eprintln!("{:?} on {threads} threads", begin.elapsed());
    for verdict in Verdict::ALL {
        assert!(tally.cycles.contains_key(&verdict), "{verdict:?}");
    }
    for feature in Feature::ALL {
        assert!(tally.features.contains_key(&feature), "{feature:?}");
    }
}

#[test]
fn small_batches_are_cheap() {
    let program = zkvm_machine::load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    for seed in [0, 1, u64::MAX] {
        let batches = one_of_each(seed).unwrap();
        assert_eq!(batches.len(), Verdict::ALL.len());
        for (batch, verdict) in batches.iter().zip(Verdict::ALL) {
            assert_eq!(batch.out.verdict, verdict);
            let execution = run(&program, &batch.input.borrow());
            assert_eq!(execution.journal, batch.out.digest().as_slice());
            eprintln!("{verdict:?}: {} cycles", execution.cycles);
            assert!(execution.cycles < 500_000, "{verdict:?}");
        }
    }
}

/// Inputs that each lack one thing, with what has to be in the message.
fn incomplete(input: &OwnedBatchInput) -> Vec<(OwnedBatchInput, &'static str, String)> {
    let mut inputs = Vec::new();
    for index in 0..input.nodes.len() {
        let mut without = input.clone();
        let node = without.nodes.remove(index);
        let message = format!("trie node {} is missing", keccak256(node));
        inputs.push((without, "node", message));
    }
    for index in 0..input.codes.len() {
        let mut without = input.clone();
        let code = without.codes.remove(index);
        inputs.push((without, "code", format!("no code {}", keccak256(code))));
    }
    for index in 0..input.headers.len() {
        let mut without = input.clone();
        let header = without.headers.remove(index);
        let left = without.headers.len();
        let message = match index {
            0 if left == 0 => "the witness has no parent header".to_owned(),
            // Then the one before it seems to be the parent, whose state is not there.
            0 => {
                let parent: alloy_consensus::Header =
                    alloy_rlp::decode_exact(&without.headers[0]).unwrap();
                format!("trie node {} is missing", parent.state_root)
            }
            _ if index == left => "the witness has no header of block".to_owned(),
            _ => format!("the one before it names {}", keccak256(header)),
        };
        inputs.push((without, "header", message));
    }
    inputs
}

#[test]
fn without_any_part_of_the_witness_there_is_no_output() {
    let program = zkvm_machine::load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut verdicts = BTreeSet::new();
    for seed in 0..4 {
        let mut chosen = batches(seed, 30);
        // Few, but with headers before the parent's.
        chosen.sort_by_key(|batch| std::cmp::Reverse(batch.input.headers.len()));
        for batch in chosen.iter().take(6) {
            let _ = verdicts.insert(batch.out.verdict);
            let mut guest_runs = BTreeSet::new();
            for (input, kind, message) in incomplete(&batch.input) {
                let error = input.borrow().claim().unwrap_err().to_string();
                assert!(
                    error.contains(&message),
                    "{kind}: {error:?}, not {message:?}"
                );
                *counts.entry(kind).or_default() += 1;
                // One of each kind in the guest.
                if guest_runs.insert(kind) {
                    let execution = run(&program, &input.borrow());
                    assert!(!execution.exit.is_success() && execution.journal.is_empty());
                    let exit = execution.exit.to_string();
                    assert!(exit.contains(&message), "{kind}: {exit:?}, not {message:?}");
                }
            }
        }
    }
    eprintln!("{counts:?} left out, of batches with {verdicts:?}");
}
