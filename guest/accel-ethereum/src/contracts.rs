//! The backend of `revm`'s precompiled contracts.

use alloc::vec::Vec;

use revm_precompile::{Crypto, DefaultCrypto, PrecompileHalt, install_crypto};
use zkvm_accel::modular::pow_mod;
use zkvm_accel::secp256k1::recover;
use zkvm_accel::sha256::sha256;

use crate::{Precompiles, address_of, halves};

/// Bytes of the longest numbers that the machine's precompile takes.
const SHORT_BYTES: usize = 32;

pub(crate) fn install() {
    assert!(install_crypto(Precompiles), "revm has a backend already");
}

impl Crypto for Precompiles {
    fn sha256(&self, input: &[u8]) -> [u8; 32] {
        sha256(input)
    }

    fn secp256k1_ecrecover(
        &self,
        sig: &[u8; 64],
        recid: u8,
        msg: &[u8; 32],
    ) -> Result<[u8; 32], PrecompileHalt> {
        let [r, s] = halves(sig);
        let key = recover(msg, r, s, recid).ok_or(PrecompileHalt::Secp256k1RecoverFailed)?;
        let mut padded = [0; 32];
        padded[12..].copy_from_slice(&address_of(&key));
        Ok(padded)
    }

    fn modexp(&self, base: &[u8], exp: &[u8], modulus: &[u8]) -> Result<Vec<u8>, PrecompileHalt> {
        let operands = [base, exp, modulus];
        if operands.iter().any(|number| number.len() > SHORT_BYTES) {
            return DefaultCrypto.modexp(base, exp, modulus);
        }
        let [base, exponent, short_modulus] = operands.map(limbs);
        let power = pow_mod(&base, &exponent, &short_modulus).unwrap_or([0; 4]);
        let bytes: Vec<u8> = power
            .iter()
            .rev()
            .flat_map(|limb| limb.to_be_bytes())
            .collect();
        // The power is below the modulus, so the bytes before are 0.
        Ok(bytes[SHORT_BYTES - modulus.len()..].to_vec())
    }
}

/// The limbs of a number of up to 32 bytes, the least significant first.
fn limbs(number: &[u8]) -> [u64; 4] {
    let mut padded = [0; SHORT_BYTES];
    padded[SHORT_BYTES - number.len()..].copy_from_slice(number);
    let (words, _) = padded.as_chunks::<8>();
    core::array::from_fn(|index| u64::from_be_bytes(words[3 - index]))
}
