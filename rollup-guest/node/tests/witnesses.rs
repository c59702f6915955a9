//! Witnesses: incomplete ones are refused by name, and what is superfluous does no harm.

mod common;

use std::collections::BTreeMap;

use alloy_consensus::Block;
use alloy_primitives::{Bytes, KECCAK256_EMPTY, U256, keccak256};
use alloy_rlp::Decodable;
use zkvm_rollup_node::fixture::blockchain::{self, AccessedAccount, TestBlock};
use zkvm_rollup_node::replay::{Chain, OwnedInput};
use zkvm_rollup_node::store::Recorder;
use zkvm_rollup_stf::Failure;
use zkvm_rollup_stf::block::Transaction;
use zkvm_rollup_stf::bundle::{
    AccountInfo, AccountStatus, BundleAccount, BundleState, StorageSlot,
};
use zkvm_rollup_stf::chain::{ChainConfig, Fork};
use zkvm_rollup_stf::claim::claim;
use zkvm_rollup_stf::state::WitnessState;
use zkvm_rollup_stf::trie::TrieError;
use zkvm_rollup_stf::witness::{Ancestors, Hashed, WitnessError};

/// The smallest witnesses of blocks whose execution reads many kinds of things.
fn inputs(folders: &[&str]) -> Vec<(String, OwnedInput)> {
    let Some(root) = common::ethereum() else {
        return Vec::new();
    };
    let mut inputs = Vec::new();
    let tests = root.join("eest-v5.4.0/blockchain_tests");
    for path in folders
        .iter()
        .flat_map(|folder| common::json_files(&tests.join(folder)))
    {
        for (name, test) in blockchain::read(&path).unwrap() {
            let Some(config) = test.chain() else {
                continue;
            };
            let mut chain = Chain::new(config, &test.genesis_rlp, &test.pre).unwrap();
            for block in &test.blocks {
                if let Ok(added) = chain.add(&block.rlp) {
                    inputs.push((name.clone(), added.input));
                }
            }
        }
    }
    inputs
}

fn without(strings: &[Bytes], index: usize) -> Vec<Bytes> {
    let mut fewer = strings.to_vec();
    fewer.remove(index);
    fewer
}

#[test]
fn each_node_and_code_and_header_of_a_witness_is_needed() {
    let mut removed = 0;
    for (name, input) in inputs(&["prague/eip7702_set_code_tx", "cancun/eip6780_selfdestruct"]) {
        let whole = claim(&input.borrow()).unwrap();
        for index in 0..input.nodes.len() {
            let hash = keccak256(&input.nodes[index]);
            let nodes = without(&input.nodes, index);
            let got = claim(
                &OwnedInput {
                    nodes,
                    ..input.clone()
                }
                .borrow(),
            );
            let Err(Failure::Witness(
                WitnessError::Account { cause, .. } | WitnessError::Slot { cause, .. },
            )) = got
            else {
                panic!("{name}: node {hash}: {got:?}");
            };
            assert_eq!(cause, TrieError::Missing { hash }, "{name}");
            removed += 1;
        }
        for index in 0..input.codes.len() {
            let expected = keccak256(&input.codes[index]);
            let codes = without(&input.codes, index);
            let got = claim(
                &OwnedInput {
                    codes,
                    ..input.clone()
                }
                .borrow(),
            );
            let Err(Failure::Witness(WitnessError::Code {
                hash,
                owner: Some(_),
            })) = got
            else {
                panic!("{name}: code {expected}: {got:?}");
            };
            assert_eq!(hash, expected, "{name}");
            removed += 1;
        }
        let got = claim(
            &OwnedInput {
                headers: Vec::new(),
                ..input.clone()
            }
            .borrow(),
        );
        assert_eq!(got, Err(WitnessError::NoParent.into()), "{name}");

        let mut more = input.clone();
        more.nodes.push(Bytes::from_static(&[0xc2, 0x20, 0x01]));
        more.nodes.push(Bytes::from_static(b"no node at all"));
        more.nodes.reverse();
        more.codes.push(Bytes::from_static(&[0x5b]));
        more.codes.reverse();
        assert_eq!(claim(&more.borrow()), Ok(whole), "{name}");
    }
    eprintln!("{removed} nodes and codes removed, each missed by name");
    assert!(removed > 1000 || common::ethereum().is_none());
}

#[test]
fn a_changed_byte_never_gives_the_claim_of_another_block() {
    let inputs = inputs(&[
        "prague/eip7251_consolidations",
        "cancun/eip4788_beacon_root",
    ]);
    let mut outcomes: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, input) in inputs.iter().step_by(3) {
        let whole = claim(&input.borrow()).unwrap();
        for position in 0..input.block.len() {
            let mut block = input.block.to_vec();
            block[position] ^= 1 << (position % 8);
            let got = claim(
                &OwnedInput {
                    block: block.into(),
                    ..input.clone()
                }
                .borrow(),
            );
            let outcome = match got {
                // The proposer is free to choose the random word and the extra data.
                Ok(other) => {
                    assert_ne!(other.block_hash, whole.block_hash, "{name}");
                    assert_eq!(other.parent_hash, whole.parent_hash, "{name}");
                    assert_eq!(other.post_state_root, whole.post_state_root, "{name}");
                    "another valid block"
                }
                Err(Failure::Invalid(_)) => "invalid",
                Err(Failure::Witness(_)) => "outside of the witness",
                Err(Failure::Evm { reason }) => panic!("{name}: byte {position}: {reason}"),
            };
            *outcomes.entry(outcome).or_default() += 1;
        }
    }
    eprintln!("{outcomes:?}");
}

/// What a stateless validator of the fixtures has to answer: the 33rd byte.
fn is_valid(block: &TestBlock) -> bool {
    block
        .stateless_output_bytes
        .as_ref()
        .is_some_and(|output| output.get(32) == Some(&1))
}

/// Those are blocks of Amsterdam, whose EVM is not here. But their access lists say what is read
/// and written, so what a witness has to have can be tested without executing.
#[test]
fn zkevm_witnesses_lead_to_the_state_roots() {
    let Some(root) = common::ethereum() else {
        return;
    };
    let (mut accepted, mut refused, mut exact) = (0, 0, 0);
    for path in common::json_files(&root.join("eest-zkevm-v0.3.3")) {
        for (name, test) in blockchain::read(&path).unwrap() {
            assert_eq!(test.network, "Amsterdam", "{name}");
            for block in &test.blocks {
                let what = path.file_stem().unwrap_or_default().to_string_lossy();
                if what.starts_with("validation_codes_missing") {
                    eprintln!("skipped: {what}: about codes, which access lists do not tell");
                    continue;
                }
                let outcome = replay_access_list(block);
                match outcome {
                    Ok(used) => {
                        assert!(is_valid(block), "{name}: accepted");
                        accepted += 1;
                        let given = block
                            .execution_witness
                            .as_ref()
                            .map_or(0, |it| it.state.len());
                        exact += usize::from(used == given);
                        if used != given {
                            eprintln!("{what}: {used} nodes of {given} are of use");
                        }
                    }
                    Err(error) => {
                        assert!(!is_valid(block), "{name}: {error}");
                        eprintln!("refused as expected: {what}: {error}");
                        refused += 1;
                    }
                }
            }
        }
    }
    eprintln!("{accepted} accepted, {exact} of them with no node too many; {refused} refused");
    assert_eq!((accepted, refused), (42, 2));
}

/// Without the two fields of Amsterdam's header, and by the rules before it, those blocks are not
/// valid. But which codes they run is the same, and a code that is missing comes before any rule.
#[test]
fn zkevm_witnesses_have_the_codes_that_are_run() {
    let Some(root) = common::ethereum() else {
        return;
    };
    let (mut counts, mut others) = ([0; 2], 0);
    for path in common::json_files(&root.join("eest-zkevm-v0.3.3")) {
        let what = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !what.contains("_codes_") {
            others += 1;
            continue;
        }
        for (name, test) in blockchain::read(&path).unwrap() {
            for block in &test.blocks {
                let mut stripped = Block::<Transaction>::decode(&mut &block.rlp[..]).unwrap();
                stripped.header.block_access_list_hash = None;
                stripped.header.slot_number = None;
                let bytes: Bytes = alloy_rlp::encode(&stripped).into();
                let witness = block.execution_witness.as_ref().unwrap();
                let input = witness.input(ChainConfig::always(1, Fork::Bpo2), bytes);
                let is_missing = match claim(&input.borrow()) {
                    Err(Failure::Witness(WitnessError::Code { .. })) => true,
                    Ok(_) | Err(Failure::Invalid(_)) => false,
                    Err(other) => panic!("{name}: {other}"),
                };
                assert_eq!(is_missing, !is_valid(block), "{name}");
                counts[usize::from(is_missing)] += 1;
            }
        }
    }
    eprintln!("{} have all codes, {} lack one", counts[0], counts[1]);
    eprintln!("{others} files skipped: not about codes, and their blocks are of Amsterdam's rules");
    assert_eq!(counts, [19, 2]);
}

/// Reads and writes what a block does; returns how many nodes that has taken.
fn replay_access_list(block: &TestBlock) -> Result<usize, WitnessError> {
    let header = Block::<Transaction>::decode(&mut &block.rlp[..])
        .unwrap()
        .header;
    let witness = block.execution_witness.as_ref().unwrap();
    let input = witness.input(ChainConfig::always(1, Fork::Osaka), block.rlp.clone());
    let witness = input.borrow().witness;
    let source = Hashed::new(&witness);
    let ancestors = Ancestors::new(&witness.headers)?;
    assert_eq!(ancestors.parent_hash(), header.parent_hash);
    let recorder = Recorder::new(&source);
    let mut state = WitnessState::new(ancestors, &recorder);
    let mut bundle = BundleState::default();
    for accessed in block.block_access_list.as_ref().unwrap() {
        let account = replay_account(accessed, &mut state)?;
        let _ = bundle.state.insert(accessed.address, account);
    }
    let root = state.apply(&bundle)?;
    assert_eq!(root, header.state_root);
    Ok(recorder.witness(&[]).nodes.len())
}

fn replay_account(
    accessed: &AccessedAccount,
    state: &mut WitnessState<'_, Recorder<'_, Hashed<'_>>>,
) -> Result<BundleAccount, WitnessError> {
    let address = accessed.address;
    let original = state.account(address)?.map(|account| AccountInfo {
        nonce: account.nonce,
        balance: account.balance,
        code_hash: account.code_hash,
        ..AccountInfo::default()
    });
    let mut account = BundleAccount::new(
        original.clone(),
        None,
        Default::default(),
        AccountStatus::Changed,
    );
    for slot in &accessed.storage_reads {
        let _ = state.slot(address, *slot)?;
    }
    for changes in &accessed.storage_changes {
        let before = state.slot(address, changes.slot)?;
        let after = changes
            .slot_changes
            .last()
            .map_or(before, |change| change.post_value);
        let values = StorageSlot::new_changed(before, after);
        let _ = account.storage.insert(changes.slot, values);
    }
    let mut info = original.unwrap_or_default();
    if let Some(change) = accessed.balance_changes.last() {
        info.balance = change.post_balance;
    }
    if let Some(change) = accessed.nonce_changes.last() {
        info.nonce = change.post_nonce.saturating_to();
    }
    if let Some(change) = accessed.code_changes.last() {
        info.code_hash = keccak256(&change.new_code);
    }
    let is_empty =
        info.nonce == 0 && info.balance == U256::ZERO && info.code_hash == KECCAK256_EMPTY;
    account.info = (!is_empty).then_some(info);
    Ok(account)
}
