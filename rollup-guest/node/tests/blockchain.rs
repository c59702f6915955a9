//! Blockchain tests of execution-spec-tests and ethereum/tests: verdicts, roots, and witnesses.
//!
//! Every valid block is validated twice: with all that is known about the chain, and with the
//! smallest witness that this has shown to be needed. Every invalid block has to be refused as such,
//! for a reason of the expected kind, and never for want of a witness. The guest `ethereum-block` is
//! executed with every block, and has to claim, or refuse, the same.

mod common;

use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::path::Path;

use alloy_consensus::Block;
use alloy_rlp::Decodable;
use common::guests;
use zkvm_machine::{Execution, Program, load};
use zkvm_rollup_node::fixture::blockchain::{self, BlockchainTest};
use zkvm_rollup_node::replay::{Chain, OwnedInput};
use zkvm_rollup_node::store::Store;
use zkvm_rollup_stf::block::{Transaction, validate_on};
use zkvm_rollup_stf::claim::claim;
use zkvm_rollup_stf::state::WitnessState;
use zkvm_rollup_stf::witness::Ancestors;
use zkvm_rollup_stf::{Failure, Field, InvalidBlock};

/// What a folder of tests has come to.
#[derive(Default)]
struct Tally {
    guest: OnceCell<Program>,
    cycles: Vec<u64>,
    passed: BTreeMap<String, usize>,
    skipped: BTreeMap<String, usize>,
    valid_blocks: usize,
    refused_blocks: usize,
}

impl Tally {
    fn execute(&mut self, input: &OwnedInput) -> Execution {
        let load = || load(zkvm_rollup_programs::ETHEREUM_BLOCK).unwrap();
        let execution = guests::run(self.guest.get_or_init(load), &input.borrow());
        self.cycles.push(execution.cycles);
        execution
    }
}

#[test]
fn execution_spec_tests_pass() {
    let tally = run("eest-v5.4.0/blockchain_tests");
    let passed: usize = tally.passed.values().sum();
    // Paris to Osaka with their transitions; the rest is proof of work.
    if common::ethereum().is_some() {
        assert_eq!(passed, 233);
    }
}

#[test]
fn ethereum_tests_pass() {
    let tally = run("ethereum-tests/BlockchainTests");
    let passed: usize = tally.passed.values().sum();
    if common::ethereum().is_some() {
        assert_eq!(passed, 197);
    }
}

fn run(folder: &str) -> Tally {
    let mut tally = Tally::default();
    let Some(root) = common::ethereum() else {
        return tally;
    };
    for path in common::json_files(&root.join(folder)) {
        let tests = blockchain::read(&path).unwrap();
        let file = path.strip_prefix(&root).unwrap_or(&path);
        for (name, test) in &tests {
            run_test(file, name, test, &mut tally);
        }
    }
    eprintln!(
        "{folder}: {} valid blocks, {} refused, natively and by the guest",
        tally.valid_blocks, tally.refused_blocks
    );
    let cycles = &mut tally.cycles;
    cycles.sort_unstable();
    if let [least, .., most] = cycles[..] {
        let (median, sum) = (cycles[cycles.len() / 2], cycles.iter().sum::<u64>());
        eprintln!("  cycles: {least} to {most}, median {median}, {sum} in all");
    }
    for (network, count) in &tally.passed {
        eprintln!("  {count:4} passed: {network}");
    }
    for (reason, count) in &tally.skipped {
        eprintln!("  {count:4} skipped: {reason}");
    }
    tally
}

fn run_test(file: &Path, name: &str, test: &BlockchainTest, tally: &mut Tally) {
    let Some(config) = test.chain() else {
        let reason = format!(
            "{}: rules of {} are not implemented",
            file.display(),
            test.network
        );
        *tally.skipped.entry(reason).or_default() += 1;
        return;
    };
    let at = format!("{} {name}", file.display());
    let mut chain = Chain::new(config, &test.genesis_rlp, &test.pre)
        .unwrap_or_else(|error| panic!("{at}: {error}"));
    for (index, block) in test.blocks.iter().enumerate() {
        let outcome = chain.add(&block.rlp);
        match (outcome, &block.expect_exception) {
            (Ok(added), None) => {
                let claim = claim(&added.input.borrow())
                    .unwrap_or_else(|error| panic!("{at}: block {index} again: {error}"));
                assert_eq!(claim.block_hash, added.hash, "{at}: block {index}");
                assert_eq!(
                    claim.post_state_root, added.state_root,
                    "{at}: block {index}"
                );
                let execution = tally.execute(&added.input);
                let exit = &execution.exit;
                assert!(exit.is_success(), "{at}: block {index}: {exit}");
                assert_eq!(execution.journal, claim.to_bytes(), "{at}: block {index}");
                tally.valid_blocks += 1;
            }
            (Err(Failure::Invalid(got)), Some(expected)) => {
                let is_of_kind = expected.split('|').any(|kind| matches(kind, &got));
                assert!(
                    is_of_kind,
                    "{at}: block {index}: {got}, expected {expected}"
                );
                let execution = tally.execute(&chain.input(&block.rlp));
                let exit = execution.exit.to_string();
                assert!(execution.journal.is_empty(), "{at}: block {index}");
                assert!(
                    exit.contains(&got.to_string()),
                    "{at}: block {index}: {exit}"
                );
                tally.refused_blocks += 1;
            }
            (Ok(_), Some(expected)) => panic!("{at}: block {index} is valid, expected {expected}"),
            (Err(error), expected) => panic!("{at}: block {index}: {error}, expected {expected:?}"),
        }
    }
    assert_eq!(chain.tip_hash(), test.lastblockhash, "{at}");
    run_on(&at, test, &chain);
    if let Some(post_state) = &test.post_state {
        let root = Store::default().insert_state(post_state).unwrap();
        assert_eq!(chain.state_root(), root, "{at}");
    }
    *tally.passed.entry(test.network.clone()).or_default() += 1;
}

/// All valid blocks in a row on one state, as a batch of a rollup is executed.
fn run_on(at: &str, test: &BlockchainTest, chain: &Chain) {
    let genesis = Block::<Transaction>::decode(&mut &test.genesis_rlp[..]).unwrap();
    let header = alloy_rlp::encode(&genesis.header);
    let ancestors = Ancestors::new(&[&header]).unwrap();
    let mut state = WitnessState::new(ancestors, &chain.store);
    let blocks = test.blocks.iter();
    for block in blocks.filter(|block| block.expect_exception.is_none()) {
        let valid = validate_on(&chain.config, &block.rlp, state)
            .unwrap_or_else(|error| panic!("{at}: in a row: {error}"));
        state = valid.state;
        state.advance(valid.header);
    }
    assert_eq!(state.parent_hash(), test.lastblockhash, "{at}");
}

/// Whether a refusal is for the reason that a test expects.
fn matches(expected: &str, got: &InvalidBlock) -> bool {
    let is_field = |wanted: Field| {
        matches!(
            got,
            InvalidBlock::Hash { field, .. }
                | InvalidBlock::Number { field, .. }
                | InvalidBlock::Presence { field, .. } if *field == wanted
        )
    };
    match expected {
        "BlockException.INVALID_BASEFEE_PER_GAS" => is_field(Field::BaseFee),
        "BlockException.INVALID_TRANSACTIONS_ROOT" => is_field(Field::TransactionsRoot),
        "BlockException.INVALID_RECEIPTS_ROOT" => is_field(Field::ReceiptsRoot),
        "BlockException.INVALID_BLOCK_NUMBER" => is_field(Field::Number),
        "BlockException.INVALID_GAS_USED" => is_field(Field::GasUsed),
        "BlockException.INVALID_GASLIMIT" => matches!(got, InvalidBlock::GasLimit { .. }),
        "BlockException.IMPORT_IMPOSSIBLE_UNCLES_OVER_PARIS" => {
            is_field(Field::OmmersHash) || matches!(got, InvalidBlock::Ommers { .. })
        }
        "BlockException.SYSTEM_CONTRACT_EMPTY" => matches!(got, InvalidBlock::SystemCall { .. }),
        "BlockException.RLP_STRUCTURES_ENCODING" => matches!(got, InvalidBlock::Encoding { .. }),
        "TransactionException.TYPE_3_TX_MAX_BLOB_GAS_ALLOWANCE_EXCEEDED" => {
            matches!(
                got,
                InvalidBlock::BlobGas { .. } | InvalidBlock::Transaction { .. }
            )
        }
        other => {
            // In ethereum/tests, the header is that of a block without the refused transaction.
            other.starts_with("TransactionException.")
                && (matches!(got, InvalidBlock::Transaction { .. })
                    || is_field(Field::TransactionsRoot))
        }
    }
}
