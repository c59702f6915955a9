//! Keys and what they sign. The keys are derived from the seed, for tests only: whoever knows the
//! seed has them.

use alloy_consensus::{SignableTransaction, TxEip1559, TxEip2930, TxEip4844, TxEip7702, TxLegacy};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_eips::eip7702::{Authorization, SignedAuthorization};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use k256::ecdsa::SigningKey;
use zkvm_rollup_stf::block::Transaction;

use super::GenerateError;
use super::rng::hash_of;

/// Wei in a gwei.
pub(super) const GWEI: u128 = 1_000_000_000;
/// Most wei per gas that transactions offer.
const FEE_MAX: u128 = 100 * GWEI;
/// Wei per gas that transactions without a tip of their own pay besides it.
const GAS_PRICE: u128 = 50 * GWEI;

/// A key with its address.
#[derive(Clone, Debug)]
pub(super) struct Wallet {
    key: SigningKey,
    pub(super) address: Address,
}

/// How a transaction is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Legacy,
    /// EIP-2930.
    AccessList,
    /// EIP-1559.
    DynamicFee,
}

/// A transaction before it is signed.
#[derive(Clone, Debug)]
pub(super) struct Order {
    pub(super) chain_id: u64,
    pub(super) form: Form,
    pub(super) nonce: u64,
    pub(super) to: TxKind,
    pub(super) value: U256,
    pub(super) input: Bytes,
    pub(super) gas_limit: u64,
    /// Gwei per gas above the base fee.
    pub(super) tip: u128,
    /// Most wei per gas.
    pub(super) fee_max: u128,
    /// Addresses in the access list.
    pub(super) named: Vec<Address>,
}

impl Order {
    /// A payment of 1 gwei per gas above the base fee.
    pub(super) fn payment(chain_id: u64, nonce: u64, to: Address, value: U256) -> Self {
        Order {
            chain_id,
            form: Form::DynamicFee,
            nonce,
            to: TxKind::Call(to),
            value,
            input: Bytes::new(),
            gas_limit: 100_000,
            tip: 1,
            fee_max: FEE_MAX,
            named: Vec::new(),
        }
    }
}

impl Wallet {
    /// The key of a seed, a label and an index.
    pub(super) fn derive(seed: u64, label: &str, index: u64) -> Self {
        let mut candidate = hash_of(seed, label, index);
        loop {
            if let Ok(key) = SigningKey::from_slice(candidate.as_slice()) {
                let address = Address::from_public_key(key.verifying_key());
                return Wallet { key, address };
            }
            // Not a scalar, once in 2^128 times.
            candidate = alloy_primitives::keccak256(candidate);
        }
    }

    /// Signs a hash; the same signature each time (RFC 6979), with `s` in the lower half.
    pub(super) fn sign(&self, hash: B256) -> Result<Signature, GenerateError> {
        let signature = self.key.sign_prehash_recoverable(hash.as_slice());
        signature
            .map(Signature::from)
            .map_err(|_| GenerateError::Signing)
    }

    /// Signs a transaction.
    pub(super) fn transaction(&self, order: Order) -> Result<Transaction, GenerateError> {
        let Order {
            chain_id,
            nonce,
            to,
            value,
            input,
            gas_limit,
            ..
        } = order;
        let gas_price = GAS_PRICE + order.tip * GWEI;
        let items = order.named.iter().map(|address| AccessListItem {
            address: *address,
            storage_keys: Vec::new(),
        });
        let access_list = AccessList(items.collect());
        match order.form {
            Form::Legacy => self.signed(TxLegacy {
                chain_id: Some(chain_id),
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                input,
            }),
            Form::AccessList => self.signed(TxEip2930 {
                chain_id,
                nonce,
                gas_price,
                gas_limit,
                to,
                value,
                access_list,
                input,
            }),
            Form::DynamicFee => self.signed(TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas: order.fee_max,
                max_priority_fee_per_gas: order.fee_max.min(order.tip * GWEI),
                to,
                value,
                access_list,
                input,
            }),
        }
    }

    /// Signs a transaction that gives accounts the codes that they agree to (EIP-7702).
    pub(super) fn delegation(
        &self,
        order: Order,
        to: Address,
        authorizations: &[SignedAuthorization],
    ) -> Result<Transaction, GenerateError> {
        self.signed(TxEip7702 {
            chain_id: order.chain_id,
            nonce: order.nonce,
            gas_limit: order.gas_limit,
            max_fee_per_gas: order.fee_max,
            max_priority_fee_per_gas: order.tip * GWEI,
            to,
            value: order.value,
            access_list: AccessList::default(),
            authorization_list: authorizations.to_vec(),
            input: order.input,
        })
    }

    /// Agrees that its account, which has sent nothing, gets the code of `contract`.
    pub(super) fn authorize(
        &self,
        chain_id: u64,
        contract: Address,
    ) -> Result<SignedAuthorization, GenerateError> {
        let authorization = Authorization {
            chain_id: U256::from(chain_id),
            address: contract,
            nonce: 0,
        };
        let signature = self.sign(authorization.signature_hash())?;
        Ok(authorization.into_signed(signature))
    }

    /// Signs a transaction of any type.
    pub(super) fn signed<T>(&self, transaction: T) -> Result<Transaction, GenerateError>
    where
        T: SignableTransaction<Signature>,
        Transaction: From<alloy_consensus::Signed<T>>,
    {
        let signature = self.sign(transaction.signature_hash())?;
        Ok(transaction.into_signed(signature).into())
    }
}

/// A transaction with a blob, which no rollup takes.
pub(super) fn blob_transaction(chain_id: u64, nonce: u64, to: Address) -> TxEip4844 {
    TxEip4844 {
        chain_id,
        nonce,
        gas_limit: 100_000,
        max_fee_per_gas: 10 * GWEI,
        to,
        blob_versioned_hashes: vec![B256::repeat_byte(1)],
        max_fee_per_blob_gas: GWEI,
        ..TxEip4844::default()
    }
}
