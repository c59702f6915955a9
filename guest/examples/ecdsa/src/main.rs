//! Reads a message, a public key and a signature, and commits whether the signature is valid.
//!
//! All three are byte strings: the key is in SEC1 form, the signature is `r` and `s` of 32 bytes
//! each over the message's SHA-256. A malformed key or signature is an invalid one, and so is a
//! signature with a high `s`, as Bitcoin and Ethereum have it.

#![no_std]
#![no_main]

use k256::ecdsa::signature::Verifier;
use k256::ecdsa::{Signature, VerifyingKey};

zkvm_guest::entry!(main);

fn main() {
    let message: &'static [u8] = zkvm_guest::read();
    let public_key: &'static [u8] = zkvm_guest::read();
    let signature: &'static [u8] = zkvm_guest::read();
    zkvm_guest::commit(&verify(message, public_key, signature).is_ok());
}

fn verify(
    message: &[u8],
    public_key: &[u8],
    signature: &[u8],
) -> k256::ecdsa::signature::Result<()> {
    let key = VerifyingKey::from_sec1_bytes(public_key)?;
    key.verify(message, &Signature::from_slice(signature)?)
}
