//! Reads tasks until the input ends and has alloy and revm do each.
//!
//! | task | then | committed |
//! |---|---|---|
//! | `0u8` | a byte string | its Keccak-256 by `alloy-primitives` |
//! | `1u8` | a transaction (EIP-2718) as a byte string | its signer by `alloy-consensus`, 20 bytes |
//! | `2u8` | a transaction as a byte string, a public key of 65 bytes | its signer, given the key |
//! | `3u8` | a byte string | what revm's `ecrecover` makes of it |
//! | `4u8` | a byte string | what revm's `sha256` makes of it |
//! | `5u8` | a byte string | what revm's `modexp` makes of it |
//!
//! Of a transaction that nobody signed the signer is zeros.

#![no_std]
#![no_main]

use alloy_consensus::TxEnvelope;
use alloy_consensus::crypto::secp256k1::verify_and_compute_signer;
use alloy_consensus::transaction::SignerRecoverable;
use alloy_eips::Decodable2718;
use alloy_primitives::{Address, keccak256};
use revm_precompile::{hash, modexp, secp256k1};
use zkvm_guest::{commit_bytes, read, read_bytes, remaining_bytes};

zkvm_guest::entry!(main);

/// Gas that is enough for everything here.
const GAS: u64 = 1 << 40;

fn main() {
    zkvm_accel_ethereum::install();
    while remaining_bytes() > 0 {
        match read::<u8>() {
            0 => commit_bytes(keccak256(read::<&[u8]>()).as_slice()),
            1 => commit_signer(transaction().recover_signer().ok()),
            2 => {
                let transaction = transaction();
                let key = read_bytes(65).try_into().expect("65 bytes");
                let hash = transaction.signature_hash();
                let signer = verify_and_compute_signer(key, transaction.signature(), hash);
                commit_signer(signer.ok());
            }
            3 => commit_output(secp256k1::ec_recover_run(read(), GAS)),
            4 => commit_output(hash::sha256_run(read(), GAS)),
            5 => commit_output(modexp::berlin_run(read(), GAS)),
            task => panic!("no task has the number {task}"),
        }
    }
}

fn transaction() -> TxEnvelope {
    let mut bytes = read::<&[u8]>();
    TxEnvelope::decode_2718(&mut bytes).expect("the host gives transactions")
}

fn commit_signer(signer: Option<Address>) {
    commit_bytes(signer.unwrap_or_default().as_slice());
}

fn commit_output(result: revm_precompile::EthPrecompileResult) {
    commit_bytes(&result.expect("the gas is enough").bytes);
}
