//! Generated batches cut into their blocks, each with the smallest witness of its own.

mod common;

use common::guests::run_bytes;
use zkvm_rollup_node::generate::Generator;
use zkvm_rollup_node::split::{SplitError, compose, split};
use zkvm_rollup_node::work::{Kind, WorkInput};
use zkvm_rollup_stf::rollup::{Claim, FoldError, Verdict, Whole};

#[test]
fn batches_are_what_their_blocks_compose_to() {
    let batch_guest = zkvm_machine::load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let range_guest = zkvm_machine::load(zkvm_rollup_programs::ROLLUP_RANGE).unwrap();
    let (mut composed, mut blocks, mut refused) = (0, 0, 0);
    for seed in 100..108 {
        let mut generator = Generator::new(seed).unwrap();
        for number in 0..20 {
            let batch = generator.next_batch().unwrap();
            let about = format!("seed {seed}: {}", batch.description);
            let input = batch.input.borrow();
            let verdict = batch.out.verdict;
            let parts = match split(&input) {
                Ok(parts) => parts,
                Err(SplitError::Refused { verdict: got }) => {
                    assert_eq!(got, verdict, "{about}");
                    refused += 1;
                    continue;
                }
                Err(error) => panic!("{about}: {error}"),
            };
            for part in &parts {
                assert_eq!(part.work.kind(), Kind::Batch);
                let WorkInput::Batch(input) = part.work.decode().unwrap() else {
                    panic!("{about}");
                };
                assert_eq!(input.claim(), Ok(Claim::Blocks(part.out)), "{about}");
                blocks += 1;
            }
            if parts.last().is_some_and(|it| it.out.verdict != Verdict::Ok) {
                assert!(verdict.is_refusal(), "{about}");
                refused += 1;
                continue;
            }
            let work = compose(&input, &parts).unwrap();
            let WorkInput::Range(range) = work.decode().unwrap() else {
                panic!("{about}");
            };
            match range.compose() {
                Ok(composition) => {
                    assert_eq!(composition.whole, Whole::Batch(batch.out), "{about}");
                    composed += 1;
                    // A few by the guests, whose executions take longer.
                    if number < 2 {
                        for part in &parts {
                            let execution = run_bytes(&batch_guest, part.work.input().to_vec());
                            assert_eq!(execution.journal, part.out.digest().as_slice());
                        }
                        let execution = run_bytes(&range_guest, work.input().to_vec());
                        assert_eq!(execution.journal, composition.journal(), "{about}");
                    }
                }
                Err(FoldError::Refused { verdict: got }) => {
                    assert_eq!((got, verdict), (Verdict::ZkGas, Verdict::ZkGas), "{about}");
                    refused += 1;
                }
                Err(error) => panic!("{about}: {error}"),
            }
        }
    }
    eprintln!("{composed} batches from their blocks, {refused} refused, {blocks} blocks");
    assert!(composed > 50 && refused > 20 && blocks > composed + 50);
}
