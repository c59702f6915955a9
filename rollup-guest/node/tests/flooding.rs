//! Storage slots that collide in the guest's maps, and the hint that seeds these.

mod common;

use std::collections::BTreeSet;

use alloy_primitives::{U256, hex};
use common::calls::{CONTRACT, call, guest_input, one_block, world_with};
use common::guests::{run_bytes, run_hinted, run_within};
use common::world::{World, key, raw};
use zkvm_machine::{Execution, Input, Limits, Program, load};
use zkvm_rollup_node::generate::one_of_each;
use zkvm_rollup_stf::rollup::Verdict;
use zkvm_sdk::isa::layout::STACK_POINTER_AT_ENTRY;

/// Of the words x, n and m of its input: loads the slots `x | n` down to `x | 1`, then the last m
/// times.
const LOADER: [u8; 39] = hex!(
    "602035 5b805f35175450 6001900380600357"
    "50604035 5b5f356001175450 6001900380601657 00"
);

/// Loads so many slots that begin with `top`, and the last ten times as often.
fn load_slots(top: u64, count: u64) -> (World, Vec<u8>) {
    let world = world_with(2, &[(CONTRACT, &LOADER)]);
    let words = [
        U256::from(top) << 192,
        U256::from(count),
        U256::from(10 * count),
    ];
    let words = words.map(|word| word.to_be_bytes::<32>()).concat();
    let own = raw(call(0, 5_000_000, CONTRACT, words), &key(11));
    let batch = one_block(&world, vec![own]);
    (world, batch)
}

/// The first word of foldhash's global seed, with which a word multiplies to nothing: as
/// `foldhash::seed` makes it of addresses, where the stack is known but for the frames of a few
/// functions. The one that then is in a register is it.
fn first_seed(program: &Program, hint: u64) -> Option<u64> {
    const FACTOR: u64 = 0xbe54_66cf_34e9_0c6c;
    let fold = |x: u64, y: u64| {
        let product = u128::from(x) * u128::from(y);
        (product as u64) ^ ((product >> 64) as u64)
    };
    let address_of = |name: &str| {
        let symbol = program.symbols().iter().find(|it| it.name.contains(name));
        u64::from(symbol.unwrap().address)
    };
    let (function, storage) = (
        address_of("generate_global_seed"),
        address_of("GLOBAL_SEED_STORAGE"),
    );
    let top = u64::from(STACK_POINTER_AT_ENTRY) - 16 * (hint % (1 << 18));
    let seeds: BTreeSet<u64> = (top - (64 << 10)..top)
        .step_by(8)
        .map(|stack| {
            let seed = fold(stack, FACTOR);
            let seed = fold(seed ^ function, FACTOR);
            let seed = fold(seed ^ storage, FACTOR);
            let first = (0..3).fold(seed, |seed, _| fold(seed, FACTOR));
            first | 1 << 63 | 1 << 31 | 1
        })
        .collect();
    let input = Input {
        hints: hint.to_le_bytes().to_vec(),
        ..Input::default()
    };
    (1..2_000).find_map(|cycles_max| {
        let limits = Limits {
            cycles_max,
            ..Limits::STANDARD
        };
        let registers = run_within(program, &input, &limits).registers;
        registers.into_iter().find(|it| seeds.contains(it))
    })
}

#[test]
fn slots_that_collide_by_one_hint_do_not_by_another() {
    let program = load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    const COUNT: u64 = 300;
    for (hint, others) in [(0, [1, 0x0123_4567]), (200_000, [0, 199_999])] {
        let seed = first_seed(&program, hint).unwrap();
        let (world, batch) = load_slots(seed, COUNT);
        let expected = world.run(&batch).out;
        assert_eq!(expected.verdict, Verdict::Ok);
        let run = |hint| {
            let execution = run_hinted(&program, guest_input(&world, &batch), hint);
            assert!(execution.exit.is_success(), "{}", execution.exit);
            assert_eq!(execution.journal, expected.digest().as_slice());
            execution.cycles
        };
        let collided = run(hint);
        for other in others {
            let cycles = run(other);
            eprintln!("{COUNT} slots for hint {hint}: {collided} cycles, by {other} {cycles}");
            assert!(collided > 3 * cycles);
        }
    }
}

#[test]
fn no_output_depends_on_the_hint() {
    let program = load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let mut counts = BTreeSet::new();
    for batch in one_of_each(7).unwrap() {
        let input = postcard::to_allocvec(&batch.input.borrow()).unwrap();
        let check = |execution: &Execution| {
            assert!(execution.exit.is_success(), "{}", execution.exit);
            assert_eq!(execution.journal, batch.out.digest().as_slice());
        };
        // No hint is as good as 0, but for the instructions that find that there is none.
        let without = run_bytes(&program, input.clone());
        check(&without);
        let zero = run_hinted(&program, input.clone(), 0);
        assert!(without.cycles.abs_diff(zero.cycles) < 10);
        counts.extend([1, 0x0002_5a5a, u64::MAX].map(|hint| {
            let execution = run_hinted(&program, input.clone(), hint);
            check(&execution);
            execution.cycles.abs_diff(zero.cycles)
        }));
    }
    // The maps did differ.
    assert!(counts.len() > 1, "{counts:?}");
}
