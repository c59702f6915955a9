//! What users do: the transactions of blocks, in the order of the policy.

use alloy_consensus::Transaction as _;
use alloy_eips::Encodable2718;
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, keccak256};
use core::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use zkvm_rollup_stf::block::Transaction;

use super::genesis::{
    BURNER, CALLER, COUNTER, COUNTER_INIT, FORWARDER, GONE_INIT, HASHES, OPT_IN, OUTBOX, REVERTER,
    STORE,
};
use super::precompile::precompile_call;
use super::rng::Rng;
use super::wallet::{Form, Order, Wallet};
use super::{Feature, GenerateError};

/// Most wei of an ordinary payment.
const PAYMENT_MAX: u64 = 10_000_000_000_000_000;
/// Farthest block whose hash is asked for.
const DEPTH_MAX: u64 = 6;

/// How often transactions are of which form.
const FORMS: [Form; 4] = [
    Form::DynamicFee,
    Form::DynamicFee,
    Form::Legacy,
    Form::AccessList,
];

/// A user with the nonce of its next transaction.
#[derive(Clone, Debug)]
pub(super) struct User {
    pub(super) wallet: Wallet,
    pub(super) nonce: u64,
}

/// A transaction with its sender.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) sender: Address,
    pub(super) transaction: Transaction,
}

/// What a batch has to have, besides what chance gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// A transaction that asks for a proof.
    OptIn,
    /// A withdrawal of so many wei.
    Withdrawal(U256),
    /// A payment of so many wei.
    Payment(U256),
    /// A transaction that uses so much gas.
    Burn(u64),
}

/// Makes the transactions of one batch.
#[derive(Debug)]
pub(super) struct Author<'a> {
    pub(super) chain_id: u64,
    /// Whether accounts can have the code of others.
    pub(super) is_delegating: bool,
    pub(super) rng: &'a mut Rng,
    pub(super) users: Vec<User>,
    /// Contracts that users have made.
    pub(super) made: &'a BTreeSet<Address>,
    /// Contracts that this batch makes.
    pub(super) new: Vec<Address>,
    pub(super) features: BTreeSet<Feature>,
}

impl Author<'_> {
    /// So many transactions of any kind.
    pub(super) fn any(&mut self, count: u64) -> Result<Vec<Sent>, GenerateError> {
        (0..count).map(|_| self.any_one()).collect()
    }

    /// A transaction that fulfils a wish.
    pub(super) fn fulfil(&mut self, wish: Wish) -> Result<Sent, GenerateError> {
        let user = self.rng.index(self.users.len());
        let mut order = self.payment(user);
        match wish {
            Wish::OptIn => {
                order.named.push(OPT_IN);
                self.note(Feature::OptIn);
            }
            Wish::Withdrawal(value) => {
                (order.to, order.value) = (TxKind::Call(OUTBOX), value);
                self.note(Feature::Withdrawal);
            }
            Wish::Payment(value) => order.value = value,
            Wish::Burn(gas) => {
                (order.to, order.value) = (TxKind::Call(BURNER), U256::ZERO);
                order.gas_limit = gas;
            }
        }
        self.send(user, order)
    }

    fn any_one(&mut self) -> Result<Sent, GenerateError> {
        let user = self.rng.index(self.users.len());
        let mut order = self.payment(user);
        order.tip = self.rng.pick(&[0, 1, 1, 2, 3, 5]);
        order.form = self.rng.pick(&FORMS);
        match self.rng.below(24) {
            0..=4 => self.note(Feature::Payment),
            5 => {
                let friend = self.rng.index(self.users.len());
                order.to = TxKind::Call(self.users[friend].wallet.address);
                self.note(Feature::Payment);
            }
            6..=8 => self.count(&mut order),
            9..=11 => {
                let (slot, value) = (self.rng.below(8), self.rng.below(3));
                self.call(&mut order, STORE, &[slot, value]);
            }
            12..=13 => {
                let depth = 1 + self.rng.below(DEPTH_MAX);
                self.call(&mut order, HASHES, &[depth]);
                self.note(Feature::BlockHash);
            }
            14 => {
                order.to = TxKind::Call(REVERTER);
                self.note(Feature::Reverted);
            }
            15..=16 => {
                order.to = TxKind::Call(self.rng.pick(&[OUTBOX, FORWARDER]));
                self.note(Feature::Withdrawal);
            }
            17 => {
                order.form = self.rng.pick(&[Form::DynamicFee, Form::AccessList]);
                order.named.push(OPT_IN);
                self.note(Feature::OptIn);
            }
            18..=19 => {
                self.call(&mut order, CALLER, &[]);
                order.input = precompile_call(self.rng, &self.users[user].wallet)?;
                self.note(Feature::Precompile);
            }
            20 => {
                order.to = TxKind::Create;
                order.input = Bytes::from_static(&GONE_INIT);
                self.note(Feature::Gone);
            }
            21 if self.is_delegating => return self.delegate(user, order),
            _ => {
                (order.to, order.value) = (TxKind::Create, U256::ZERO);
                order.input = Bytes::from_static(&COUNTER_INIT);
                let user = &self.users[user];
                self.new.push(user.wallet.address.create(user.nonce));
                self.note(Feature::Creation);
            }
        }
        self.send(user, order)
    }

    /// Calls a counter: the first, or one that a user has made.
    fn count(&mut self, order: &mut Order) {
        let made: Vec<Address> = self.made.iter().copied().chain([COUNTER]).collect();
        let counter = self.rng.pick(&made);
        self.call(order, counter, &[]);
        if counter != COUNTER {
            self.note(Feature::CreatedCall);
        }
    }

    /// Gives somebody's account the counter's code, and calls it.
    fn delegate(&mut self, user: usize, mut order: Order) -> Result<Sent, GenerateError> {
        let index = self.rng.below(u64::MAX);
        let somebody = Wallet::derive(index, "delegating", 0);
        let authorization = somebody.authorize(self.chain_id, COUNTER)?;
        order.value = U256::ZERO;
        self.new.push(somebody.address);
        self.note(Feature::Delegation);
        let user = &mut self.users[user];
        user.nonce += 1;
        Ok(Sent {
            sender: user.wallet.address,
            transaction: user
                .wallet
                .delegation(order, somebody.address, &[authorization])?,
        })
    }

    /// A payment to somebody new.
    pub(super) fn payment(&mut self, user: usize) -> Order {
        let value = U256::from(1 + self.rng.below(PAYMENT_MAX));
        let to = self.rng.address();
        Order::payment(self.chain_id, self.users[user].nonce, to, value)
    }

    /// Signs a user's transaction; its next one has the next nonce.
    pub(super) fn send(&mut self, user: usize, order: Order) -> Result<Sent, GenerateError> {
        let user = &mut self.users[user];
        user.nonce += 1;
        Ok(Sent {
            sender: user.wallet.address,
            transaction: user.wallet.transaction(order)?,
        })
    }

    fn call(&mut self, order: &mut Order, contract: Address, words: &[u64]) {
        (order.to, order.value) = (TxKind::Call(contract), U256::ZERO);
        let words: Vec<B256> = words.iter().map(|it| U256::from(*it).into()).collect();
        order.input = words.concat().into();
        self.note(Feature::Call);
    }

    fn note(&mut self, feature: Feature) {
        let _ = self.features.insert(feature);
    }
}

/// Puts transactions in the order of their priority; a sender's own stay in theirs.
pub(super) fn sort_by_priority(sent: &mut [Sent], base_fee: u64, mix_hash: B256) {
    let mut of_sender = BTreeMap::<Address, (Reverse<u128>, B256)>::new();
    let mut ranks = BTreeMap::new();
    for Sent {
        sender,
        transaction,
    } in sent.iter()
    {
        let tip = transaction.effective_tip_per_gas(base_fee).unwrap_or(0);
        let hash = *transaction.tx_hash();
        let own = (Reverse(tip), keccak256([mix_hash, hash].concat()));
        let rank = of_sender.get(sender).map_or(own, |before| own.max(*before));
        let _ = of_sender.insert(*sender, rank);
        let _ = ranks.insert(hash, rank);
    }
    sent.sort_by_key(|it| ranks.get(it.transaction.tx_hash()).copied());
}

/// Transactions as they are posted.
pub(super) fn encode(sent: &[Sent]) -> Vec<Bytes> {
    let encoded = sent.iter().map(|it| it.transaction.encoded_2718().into());
    encoded.collect()
}
