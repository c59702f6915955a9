//! The backend of `alloy-consensus`.

use alloc::sync::Arc;

use alloy_consensus::crypto::{CryptoProvider, RecoveryError, install_default_provider};
use alloy_primitives::Address;
use zkvm_accel::secp256k1::{recover, verify};

use crate::{Precompiles, address_of, halves};

/// The byte before an uncompressed public key (SEC 1, section 2.3.3).
const UNCOMPRESSED: u8 = 4;

pub(crate) fn install() {
    let outcome = install_default_provider(Arc::new(Precompiles));
    assert!(outcome.is_ok(), "alloy-consensus has a backend already");
}

impl CryptoProvider for Precompiles {
    fn recover_signer_unchecked(
        &self,
        sig: &[u8; 65],
        msg: &[u8; 32],
    ) -> Result<Address, RecoveryError> {
        let [signature @ .., recovery_id] = sig;
        let [r, s] = halves(signature);
        let key = recover(msg, r, s, *recovery_id).ok_or_else(RecoveryError::new)?;
        Ok(Address::new(address_of(&key)))
    }

    fn verify_and_compute_signer_unchecked(
        &self,
        pubkey: &[u8; 65],
        sig: &[u8; 64],
        msg: &[u8; 32],
    ) -> Result<Address, RecoveryError> {
        let [form, key @ ..] = pubkey;
        let [r, s] = halves(sig);
        if *form != UNCOMPRESSED || !verify(msg, r, s, key) {
            return Err(RecoveryError::new());
        }
        Ok(Address::new(address_of(key)))
    }
}
