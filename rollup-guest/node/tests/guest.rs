//! The guest `ethereum-block` in the machine's executor: what it claims, and what it costs.

mod common;

use common::guests::run;
use zkvm_machine::load;
use zkvm_rollup_node::fixture::{blockchain, raiko};
use zkvm_rollup_node::replay::Chain;
use zkvm_rollup_stf::claim::{BlockClaim, BlockInput, claim};

#[test]
fn the_guest_claims_what_native_validation_claims() {
    let Some(folder) = common::ethereum() else {
        return;
    };
    let program = load(zkvm_rollup_programs::ETHEREUM_BLOCK).unwrap();

    let imported = raiko::read(&folder.join("raiko/data/ethereum-20612842.json")).unwrap();
    let input = BlockInput {
        chain: imported.chain.clone(),
        block: &imported.block,
        witness: imported.store.witness(&imported.headers),
    };
    let execution = run(&program, &input);
    assert!(execution.exit.is_success(), "{}", execution.exit);
    let got = BlockClaim::from_bytes(&execution.journal).unwrap();
    assert_eq!(got, claim(&input).unwrap());
    eprintln!("mainnet block 20612842: {} cycles", execution.cycles);

    let path = folder.join("eest-v5.4.0/blockchain_tests/prague/eip7251_consolidations");
    let path = path.join("test_eip_7251.json");
    let tests = blockchain::read(&path).unwrap();
    let (name, test) = tests.iter().next().unwrap();
    let mut chain = Chain::new(test.chain().unwrap(), &test.genesis_rlp, &test.pre).unwrap();
    let added = chain.add(&test.blocks[0].rlp).unwrap();
    let input = added.input.borrow();
    let execution = run(&program, &input);
    let got = BlockClaim::from_bytes(&execution.journal).unwrap();
    assert_eq!(got.post_state_root, added.state_root);
    eprintln!("{name}: {} cycles", execution.cycles);

    // A block that is not valid, and a witness that lacks a node: no claim.
    let mut changed = added.input.clone();
    let mut block = changed.block.to_vec();
    block[100] ^= 1;
    changed.block = block.into();
    let mut incomplete = added.input.clone();
    let _ = incomplete.nodes.pop();
    for input in [changed, incomplete] {
        let execution = run(&program, &input.borrow());
        assert!(execution.journal.is_empty());
        assert!(!execution.exit.is_success());
        eprintln!("refused: {}", execution.exit);
    }
}
