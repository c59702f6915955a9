//! Reads tasks until the input ends and commits the result of each, in software; `precompiles` does
//! the same by the machine's precompiles, and has the table of tasks.

#![no_std]
#![no_main]

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use k256::elliptic_curve::sec1::ToSec1Point;
use sha2::Sha256;
use sha3::{Digest, Keccak256};
use zkvm_guest::{commit_bytes, read, read_bytes, remaining_bytes};

zkvm_guest::entry!(main);

fn main() {
    while remaining_bytes() > 0 {
        match read::<u8>() {
            0 => commit_bytes(&Keccak256::digest(read::<&[u8]>())),
            1 => commit_bytes(&Sha256::digest(read::<&[u8]>())),
            2 => {
                let [hash, r, s] = [array(), array(), array()];
                let key = recover(hash, r, s, read());
                commit_bytes(&key.unwrap_or([0; 64]));
            }
            3 => {
                let [hash, r, s] = [array(), array(), array()];
                let is_valid = verify(hash, r, s, array());
                commit_bytes(&[u8::from(is_valid.is_some())]);
            }
            task => panic!("no task has the number {task}"),
        }
    }
}

fn array<const N: usize>() -> &'static [u8; N] {
    read_bytes(N)
        .try_into()
        .expect("as many bytes as were asked for")
}

/// `k256` refuses a high `s`, so the signature with the other sign takes its place, with the point
/// on the other side.
fn low(r: &[u8; 32], s: &[u8; 32]) -> Option<(Signature, bool)> {
    let signature = Signature::from_scalars(*r, *s).ok()?;
    let low = signature.normalize_s();
    Some((low, low != signature))
}

fn recover(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32], id: u8) -> Option<[u8; 64]> {
    let (signature, is_flipped) = low(r, s)?;
    let id = RecoveryId::from_byte(id ^ u8::from(is_flipped))?;
    let key = VerifyingKey::recover_from_prehash(hash, &signature, id).ok()?;
    let point = key.as_affine().to_sec1_point(false);
    point.as_bytes().get(1..)?.try_into().ok()
}

fn verify(hash: &[u8; 32], r: &[u8; 32], s: &[u8; 32], key: &[u8; 64]) -> Option<()> {
    let (signature, _) = low(r, s)?;
    let mut point = [4; 65];
    point[1..].copy_from_slice(key);
    let key = VerifyingKey::from_sec1_bytes(&point).ok()?;
    key.verify_prehash(hash, &signature).ok()
}
