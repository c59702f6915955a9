//! The backend of `revm`'s precompiled contracts.

use alloc::vec;
use alloc::vec::Vec;

use revm_precompile::{Crypto, DefaultCrypto, PrecompileHalt, install_crypto};
use zkvm_accel::modular::pow_mod_bytes;
use zkvm_accel::secp256k1::recover;
use zkvm_accel::secp256r1;
use zkvm_accel::sha256::sha256;

use crate::even::Factors;
use crate::{Precompiles, address_of, halves};

/// Bytes of the longest modulus that the machine's precompile takes.
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
        let zeros = modulus.iter().take_while(|byte| **byte == 0).count();
        let short_modulus = &modulus[zeros..];
        if short_modulus.len() > SHORT_BYTES {
            let factors = Factors::of(short_modulus);
            if !factors.is_proper() {
                return DefaultCrypto.modexp(base, exp, modulus);
            }
            let [odd, power_of_two] = factors.to_bytes();
            let by_odd = self.modexp(base, exp, &odd)?;
            let by_power = self.modexp(base, exp, &power_of_two)?;
            return Ok(resized(&factors.join(&by_odd, &by_power), modulus.len()));
        }
        // The power 0 is what EIP-198 says of a modulus 0.
        let power = pow_mod_bytes(base, exp, &limbs(short_modulus)).unwrap_or([0; 4]);
        let digits = power.map(u64::to_be_bytes);
        let [lowest, first, second, third] = digits;
        Ok(resized(
            &[third, second, first, lowest].concat(),
            modulus.len(),
        ))
    }

    fn secp256r1_verify_signature(&self, msg: &[u8; 32], sig: &[u8; 64], pk: &[u8; 64]) -> bool {
        let [r, s] = halves(sig);
        secp256r1::verify(msg, r, s, pk)
    }
}

/// The limbs of a number of up to 32 bytes, the least significant first.
fn limbs(number: &[u8]) -> [u64; 4] {
    let mut padded = [0; SHORT_BYTES];
    padded[SHORT_BYTES - number.len()..].copy_from_slice(number);
    let (words, _) = padded.as_chunks::<8>();
    core::array::from_fn(|index| u64::from_be_bytes(words[3 - index]))
}

/// A number's bytes, the most significant first, in another length that it fits in.
fn resized(number: &[u8], len: usize) -> Vec<u8> {
    let mut resized = vec![0; len];
    for (to, from) in resized.iter_mut().rev().zip(number.iter().rev()) {
        *to = *from;
    }
    resized
}
