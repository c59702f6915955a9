//! Batches executed block by block.

use alloy_consensus::{Header, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, TxKind};
use zkvm_rollup_node::store::{Additions, Recorder, Store};
use zkvm_rollup_stf::rollup::{
    BatchInput, BlockRange, BlocksOut, BlocksTransition, FoldError, Out, execute_blocks,
    fold_blocks, transition,
};
use zkvm_rollup_stf::witness::{Ancestors, Witness};

use super::world::{OUTBOX, RECEIVER, SLOT, World, key, payment, raw};

pub(crate) const PROVER: Address = Address::repeat_byte(0xee);

/// A block of a batch by itself.
pub(crate) struct Part {
    pub(crate) out: BlocksOut,
    pub(crate) leaves: Vec<B256>,
    pub(crate) header: Option<Header>,
    /// The smallest witness.
    pub(crate) nodes: Vec<Vec<u8>>,
    pub(crate) codes: Vec<Vec<u8>>,
}

/// A world, a batch, and what is known before each of its blocks.
pub(crate) struct Parts {
    pub(crate) world: World,
    pub(crate) batch: Vec<u8>,
    /// Headers, the newest first.
    pub(crate) headers: Vec<Bytes>,
    /// All states so far.
    pub(crate) store: Store,
}

impl Parts {
    pub(crate) fn new(world: World, batch: Vec<u8>) -> Self {
        let headers = vec![alloy_rlp::encode(&world.genesis).into()];
        let store = world.store.clone();
        Parts {
            world,
            batch,
            headers,
            store,
        }
    }

    /// Executes blocks on top of what is known, and remembers what they lead to.
    pub(crate) fn run(&mut self, first: u64, end: u64) -> Part {
        let headers: Vec<&[u8]> = self.headers.iter().map(|it| &it[..]).collect();
        let ancestors = Ancestors::new(&headers).unwrap();
        let recorder = Recorder::new(&self.store);
        let input = self.world.input(&self.batch);
        let range = BlockRange { first, end };
        let done = execute_blocks(&input, range, &ancestors, &recorder);
        let BlocksTransition {
            out,
            blocks,
            withdrawals,
            mut state,
        } = done.unwrap();
        let witness = recorder.witness(&self.headers);
        let copy = |strings: &[&[u8]]| strings.iter().map(|it| it.to_vec()).collect();
        let part = Part {
            out,
            leaves: withdrawals.iter().map(|it| it.leaf).collect(),
            header: blocks.last().map(|block| block.header.clone()),
            nodes: copy(&witness.nodes),
            codes: copy(&witness.codes),
        };
        let additions = Additions::of_state(&mut state);
        drop(state);
        self.store.extend(additions);
        for block in blocks {
            let header = alloy_rlp::encode(&block.header).into();
            self.headers.insert(0, header);
        }
        part
    }

    /// What the guest reads to execute a block by itself, as postcard; and the block.
    pub(crate) fn guest_input(&mut self, index: u64) -> (Vec<u8>, Part) {
        let headers = self.headers.clone();
        let part = self.run(index, index + 1);
        let world = &self.world;
        let (config, view) = (
            alloy_rlp::encode(&world.config),
            alloy_rlp::encode(&world.view),
        );
        let items = if index == 0 {
            world.items()
        } else {
            Vec::new()
        };
        let range = BlockRange {
            first: index,
            end: index + 1,
        };
        let input = BatchInput {
            config: &config,
            view: &view,
            set: world.set.clone(),
            items,
            batch: &self.batch,
            prover: PROVER.into_array(),
            blocks: Some(range),
            witness: Witness {
                nodes: part.nodes.iter().map(Vec::as_slice).collect(),
                codes: part.codes.iter().map(Vec::as_slice).collect(),
                headers: vec![&headers[0]],
            },
        };
        (postcard::to_allocvec(&input).unwrap(), part)
    }

    pub(crate) fn whole(&self) -> Out {
        let header = alloy_rlp::encode(&self.world.genesis);
        let ancestors = Ancestors::new(&[&header]).unwrap();
        let input = self.world.input(&self.batch);
        let done = transition(&input, &ancestors, &self.world.store).unwrap();
        done.out
    }

    pub(crate) fn fold(&self, parts: &[(BlocksOut, Vec<B256>)]) -> Result<Out, FoldError> {
        let world = &self.world;
        fold_blocks(&world.config, &world.view, &world.set, parts, PROVER)
    }
}

pub(crate) fn withdrawal(nonce: u64, value: u64, byte: u8) -> Bytes {
    let to = TxKind::Call(OUTBOX);
    raw(
        TxEip1559 {
            to,
            ..payment(nonce, value)
        },
        &key(byte),
    )
}

/// Four blocks: forced items, payments, withdrawals, nothing.
pub(crate) fn four_blocks(mut world: World) -> Parts {
    world.force(0, raw(payment(0, 1_000), &key(12)).to_vec());
    world.force(1, [RECEIVER.as_slice(), &7u64.to_be_bytes()].concat());
    let slots: Vec<u64> = std::iter::successors(Some(SLOT), |slot| Some(world.next_slot(*slot)))
        .take(4)
        .collect();
    let batch = world.batch(vec![
        world.block(slots[0], vec![withdrawal(0, 3, 11), withdrawal(1, 4, 11)]),
        world.block(slots[1], vec![raw(payment(2, 100), &key(11))]),
        world.block(
            slots[2],
            vec![withdrawal(3, 5, 11), raw(payment(1, 9), &key(12))],
        ),
        world.block(slots[3], Vec::new()),
    ]);
    let bytes = world.post(batch);
    Parts::new(world, bytes)
}

pub(crate) fn all(parts: &mut Parts) -> Vec<(BlocksOut, Vec<B256>)> {
    let each = (0..4).map(|index| {
        let part = parts.run(index, index + 1);
        (part.out, part.leaves)
    });
    each.collect()
}
