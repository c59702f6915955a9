//! A block of mainnet, validated with nothing but its witness.

mod common;

use alloy_primitives::b256;
use zkvm_rollup_node::fixture::raiko;
use zkvm_rollup_stf::block::validate;
use zkvm_rollup_stf::claim::{BlockInput, claim};
use zkvm_rollup_stf::witness::{Ancestors, Hashed};

#[test]
fn mainnet_block_20612842_leads_to_its_state_root() {
    let Some(folder) = common::ethereum() else {
        return;
    };
    let imported = raiko::read(&folder.join("raiko/data/ethereum-20612842.json")).unwrap();
    let witness = imported.store.witness(&imported.headers);
    eprintln!(
        "{} nodes, {} codes, {} headers",
        witness.nodes.len(),
        witness.codes.len(),
        witness.headers.len()
    );
    let ancestors = Ancestors::new(&witness.headers).unwrap();
    let source = Hashed::new(&witness);
    let valid = validate(&imported.chain, &ancestors, &imported.block, &source).unwrap();
    assert_eq!(valid.header.number, 20_612_842);
    assert_eq!(valid.executed.receipts.len(), 32);
    assert_eq!(valid.executed.gas_used, 1_318_761);

    let input = BlockInput {
        chain: imported.chain.clone(),
        block: &imported.block,
        witness,
    };
    let claim = claim(&input).unwrap();
    assert_eq!(
        claim.pre_state_root,
        b256!("ab3524387853e55d4b599df0adf0998c6bbd1e84b01e45303b23bba1d0dfc218")
    );
    assert_eq!(
        claim.post_state_root,
        b256!("a4464a2f95c187d0b202115b59f4dee5bac0f1762c7f7604630f976d7bb71d06")
    );
    assert_eq!(claim.block_hash, valid.hash);
}
