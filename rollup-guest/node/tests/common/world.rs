//! A rollup at its first batch, made by hand.

use alloy_consensus::{Block, BlockBody, Header, SignableTransaction, TxEip1559};
use alloy_eips::Encodable2718;
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256, address, keccak256};
use k256::ecdsa::SigningKey;
use zkvm_rollup_node::replay::Chain;
use zkvm_rollup_node::store::{Account, Accounts, Recorder, Store};
use zkvm_rollup_stf::block::Transaction;
use zkvm_rollup_stf::rollup::{
    Batch, Config, Input, L1View, Mode, Out, QueueItem, Sequencer, SequencerSet, SignedBlock,
    Verdict, chain_input, signing_hash, transition, withdrawals_root,
};
use zkvm_rollup_stf::witness::{Ancestors, Hashed};

pub(crate) const OUTBOX: Address = address!("00000000000000000000000000000000000000bb");
pub(crate) const OPT_IN: Address = address!("00000000000000000000000000000000000000cc");
pub(crate) const RECEIVER: Address = address!("00000000000000000000000000000000000000dd");
pub(crate) const GENESIS_TIME: u64 = 1_000_000;
pub(crate) const EPOCH: u64 = 2;
pub(crate) const SLOT: u64 = EPOCH * 64 + 5;
pub(crate) const GAS_LIMIT: u64 = 20_000_000;
pub(crate) const ETHER: u64 = 1_000_000_000_000_000_000;

pub(crate) fn key(byte: u8) -> SigningKey {
    SigningKey::from_slice(&[byte; 32]).unwrap()
}

pub(crate) fn address_of(key: &SigningKey) -> Address {
    Address::from_public_key(key.verifying_key())
}

pub(crate) fn sign(key: &SigningKey, hash: B256) -> Signature {
    key.sign_prehash_recoverable(hash.as_slice())
        .unwrap()
        .into()
}

/// A payment of 1 gwei per gas above the base fee, unless changed.
pub(crate) fn payment(nonce: u64, value: u64) -> TxEip1559 {
    TxEip1559 {
        chain_id: 7,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
        to: TxKind::Call(RECEIVER),
        value: U256::from(value),
        access_list: AccessList::default(),
        input: Bytes::new(),
    }
}

pub(crate) fn signed(transaction: TxEip1559, key: &SigningKey) -> Transaction {
    let signature = sign(key, transaction.signature_hash());
    transaction.into_signed(signature).into()
}

pub(crate) fn raw(transaction: TxEip1559, key: &SigningKey) -> Bytes {
    signed(transaction, key).encoded_2718().into()
}

/// A rollup at its first batch.
pub(crate) struct World {
    pub(crate) config: Config,
    pub(crate) view: L1View,
    pub(crate) set: SequencerSet,
    pub(crate) items: Vec<(u8, Vec<u8>)>,
    pub(crate) accounts: Accounts,
    pub(crate) genesis: Header,
    pub(crate) store: Store,
}

impl World {
    pub(crate) fn new() -> Self {
        let config = Config {
            version: 1,
            chain_id: 7,
            fork: 2,
            genesis_time: GENESIS_TIME,
            epoch_slots: 64,
            slot_seconds: 2,
            backup_delay: 6,
            max_drift: 600,
            max_blocks_per_batch: 256,
            max_batch_bytes: 128 << 10,
            block_gas_limit: 30_000_000,
            zk_gas_limit: 10_000_000,
            ordering_policy: 0,
            z_value_threshold: U256::from(5 * ETHER),
            kappa_num: 1,
            kappa_den: 2,
            probation_epochs: 3,
            z_opt_in_address: OPT_IN,
            outbox_address: OUTBOX,
            fee_recipient_policy: 0,
            min_stake: 1,
            max_stake: u128::MAX,
        };
        let sequencers = (1..=4).map(|byte| Sequencer {
            signer: address_of(&key(byte)).into_array(),
            stake: 40 * u128::from(ETHER),
        });
        let set = SequencerSet {
            epoch: EPOCH,
            sequencers: sequencers.collect(),
        };
        let rich = || Account {
            balance: U256::from(10 * ETHER),
            ..Account::default()
        };
        // It logs the value that it is sent: CALLVALUE, MSTORE at 0, LOG1 of 32 bytes.
        let code = Bytes::from_static(&[0x34, 0x5f, 0x52, 0x60, 1, 0x60, 32, 0x5f, 0xa1, 0]);
        let accounts = Accounts::from([
            (address_of(&key(11)), rich()),
            (address_of(&key(12)), rich()),
            (
                OUTBOX,
                Account {
                    code,
                    ..Account::default()
                },
            ),
        ]);
        let mut store = Store::default();
        let state_root = store.insert_state(&accounts).unwrap();
        let genesis = Header {
            state_root,
            number: 100,
            gas_limit: GAS_LIMIT,
            timestamp: GENESIS_TIME,
            base_fee_per_gas: Some(1_000_000_000),
            withdrawals_root: Some(alloy_consensus::EMPTY_ROOT_HASH),
            blob_gas_used: Some(0),
            excess_blob_gas: Some(0),
            parent_beacon_block_root: Some(B256::ZERO),
            ..Header::default()
        };
        let slot_time = GENESIS_TIME + 2 * SLOT;
        let view = L1View {
            batch_index: 17,
            parent_batch_hash: keccak256("parent batch"),
            chain_input: keccak256("inputs"),
            forced_from: 30,
            forced_pre: keccak256("queue"),
            forced_to: 30,
            forced_post: keccak256("queue"),
            set_hash: set.hash().unwrap(),
            seed: keccak256("seed"),
            l1_anchor: 555,
            l1_anchor_hash: keccak256("anchor"),
            l1_anchor_time: slot_time,
            l1_time: slot_time + 100,
            leader_fault_epoch: 0,
        };
        World {
            config,
            view,
            set,
            items: Vec::new(),
            accounts,
            genesis,
            store,
        }
    }

    pub(crate) fn leader(&self, slot: u64, attempt: u8) -> SigningKey {
        let drawn = self.set.leader(self.view.seed, slot, attempt).unwrap();
        (1..=4)
            .map(key)
            .find(|key| address_of(key).0 == drawn.signer)
            .unwrap()
    }

    /// A slot after [`SLOT`] with the same leader.
    pub(crate) fn next_slot(&self, after: u64) -> u64 {
        let leader = address_of(&self.leader(SLOT, 0));
        (after + 1..)
            .find(|slot| address_of(&self.leader(*slot, 0)) == leader)
            .unwrap()
    }

    pub(crate) fn force(&mut self, kind: u8, payload: Vec<u8>) {
        self.items.push((kind, payload));
        self.view.forced_to += 1;
        let queue = self.items();
        let hash = queue
            .iter()
            .fold(self.view.forced_pre, |before, item| item.hash_after(before));
        self.view.forced_post = hash;
    }

    pub(crate) fn items(&self) -> Vec<QueueItem<'_>> {
        let items = self.items.iter();
        items
            .map(|(kind, payload)| QueueItem {
                kind: *kind,
                l1_block: 1,
                l1_time: 2,
                payload,
            })
            .collect()
    }

    pub(crate) fn block(&self, slot: u64, transactions: Vec<Bytes>) -> SignedBlock {
        SignedBlock {
            slot,
            attempt: 0,
            timestamp: GENESIS_TIME + 2 * slot,
            gas_limit: GAS_LIMIT,
            extra: Bytes::from_static(b"extra"),
            transactions,
            y_parity: 0,
            r: U256::ZERO,
            s: U256::ZERO,
        }
    }

    pub(crate) fn batch(&self, blocks: Vec<SignedBlock>) -> Batch {
        Batch {
            version: 1,
            chain_id: 7,
            batch_index: self.view.batch_index,
            parent_batch_hash: self.view.parent_batch_hash,
            mode: 0,
            l1_anchor: self.view.l1_anchor,
            forced_to: self.view.forced_to,
            blocks,
            y_parity: 0,
            r: U256::ZERO,
            s: U256::ZERO,
        }
    }

    /// Two blocks, three payments.
    pub(crate) fn usual(&self) -> Batch {
        let first = vec![
            raw(payment(0, 100), &key(11)),
            raw(payment(0, 200), &key(12)),
        ];
        let second = vec![raw(payment(1, 300), &key(11))];
        let next = self.next_slot(SLOT);
        self.batch(vec![self.block(SLOT, first), self.block(next, second)])
    }

    /// Signs every block by its leader, and the batch by the first one's, and encodes it.
    pub(crate) fn post(&self, mut batch: Batch) -> Vec<u8> {
        let mut inputs = self.view.chain_input;
        for block in &mut batch.blocks {
            inputs = chain_input(inputs, &block.unsigned());
            let leader = self.leader(block.slot, block.attempt);
            let signature = sign(&leader, signing_hash(self.config.domain(), inputs));
            (block.r, block.s) = (signature.r(), signature.s());
            block.y_parity = signature.v().into();
        }
        self.seal(batch)
    }

    /// Signs the batch by the first block's leader, and encodes it.
    pub(crate) fn seal(&self, batch: Batch) -> Vec<u8> {
        let Some(first) = batch.blocks.first() else {
            return alloy_rlp::encode(&batch);
        };
        let leader = self.leader(first.slot, first.attempt);
        self.seal_by(batch, &leader)
    }

    /// Signs the batch and encodes it.
    pub(crate) fn seal_by(&self, mut batch: Batch, key: &SigningKey) -> Vec<u8> {
        let blocks = batch.blocks.iter();
        let inputs = blocks.fold(self.view.chain_input, |inputs, block| {
            chain_input(inputs, &block.unsigned())
        });
        let signature = sign(key, batch.signing_hash(self.config.domain(), inputs));
        (batch.r, batch.s) = (signature.r(), signature.s());
        batch.y_parity = signature.v().into();
        alloy_rlp::encode(&batch)
    }

    pub(crate) fn input<'a>(&'a self, batch: &'a [u8]) -> Input<'a> {
        Input {
            config: self.config.clone(),
            view: self.view.clone(),
            set: self.set.clone(),
            items: self.items(),
            batch,
            prover: Address::repeat_byte(0xee),
        }
    }

    /// Evaluates F twice, with all there is and with the smallest witness; then has every block
    /// validated as an Ethereum block.
    pub(crate) fn run(&self, batch: &[u8]) -> Outcome {
        let header: Bytes = alloy_rlp::encode(&self.genesis).into();
        let headers = [header];
        let ancestors = Ancestors::new(&[&headers[0]]).unwrap();
        let recorder = Recorder::new(&self.store);
        let input = self.input(batch);
        let transition_full = transition(&input, &ancestors, &recorder).unwrap();
        let witness = recorder.witness(&headers);
        let hashed = Hashed::new(&witness);
        let small = transition(&input, &ancestors, &hashed).unwrap();
        assert_eq!(small.out, transition_full.out);

        let mut chain = self.chain();
        for block in &small.blocks {
            let added = chain.add(&alloy_rlp::encode(block).into());
            added.unwrap_or_else(|error| panic!("{error}"));
        }
        assert_eq!(chain.tip_hash(), small.out.post_block_hash);
        assert_eq!(chain.state_root(), small.out.post_state_root);
        assert_eq!(
            small.out.withdrawals_root,
            withdrawals_root(&small.withdrawals)
        );
        let mut state = small.state;
        Outcome {
            // Where nothing pays it, the smallest witness does not have it.
            received: state
                .account(RECEIVER)
                .ok()
                .flatten()
                .map_or(U256::ZERO, |it| it.balance),
            out: small.out,
            blocks: small.blocks,
            skipped: small.skipped,
        }
    }

    /// The chain of Ethereum's blocks that begins with the world's.
    pub(crate) fn chain(&self) -> Chain {
        let genesis: Block<Transaction> = Block {
            header: self.genesis.clone(),
            body: BlockBody {
                withdrawals: Some(Default::default()),
                ..BlockBody::default()
            },
        };
        let rules = self.config.chain().unwrap();
        Chain::new(rules, &alloy_rlp::encode(genesis), &self.accounts).unwrap()
    }

    pub(crate) fn verdict(&self, batch: &[u8]) -> Verdict {
        let outcome = self.run(batch);
        if outcome.out.verdict != Verdict::Ok && outcome.out.verdict != Verdict::Mode {
            assert_eq!(outcome.blocks.len(), 1);
            assert_eq!(outcome.blocks[0].header.beneficiary, Address::ZERO);
            assert_eq!(outcome.out.chain_input_post, self.view.chain_input);
            assert_eq!(outcome.out.required_mode, Mode::Zk);
        }
        outcome.out.verdict
    }
}

pub(crate) struct Outcome {
    pub(crate) out: Out,
    pub(crate) blocks: Vec<Block<Transaction>>,
    pub(crate) skipped: Vec<bool>,
    pub(crate) received: U256,
}
