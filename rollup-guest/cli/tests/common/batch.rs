//! Work files of batches that are made by hand.

use zkvm_rollup_node::work::Work;
use zkvm_rollup_stf::rollup::BatchInput;

use super::world::World;

/// A work file of posted bytes after the first block of a rollup.
pub(crate) fn work_of(world: &World, batch: &[u8], prover: u8) -> Work {
    let headers = [alloy_rlp::encode(&world.genesis).into()];
    let input = BatchInput {
        config: &alloy_rlp::encode(&world.config),
        view: &alloy_rlp::encode(&world.view),
        set: world.set.clone(),
        items: world.items(),
        batch,
        prover: [prover; 20],
        blocks: None,
        witness: world.store.witness(&headers),
    };
    Work::batch(&input).unwrap()
}

/// A work file. The batch does not decode, so a block without transactions comes in its place.
pub(crate) fn work(prover: u8) -> Work {
    work_of(&World::new(), b"no batch", prover)
}
