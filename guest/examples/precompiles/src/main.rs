//! Reads tasks until the input ends and commits the result of each, by the machine's precompiles;
//! `software` does the same without.
//!
//! | task | then | committed |
//! |---|---|---|
//! | `0u8` | a byte string | its Keccak-256, 32 bytes |
//! | `1u8` | a byte string | its SHA-256, 32 bytes |
//! | `2u8` | hash, `r`, `s` (32 bytes each, without lengths), recovery id (`u8`) | the public key that signed, 64 bytes; zeros if there is none |
//! | `3u8` | hash, `r`, `s` (32 bytes each), public key (64 bytes) | 1 if the signature is valid, else 0, one byte |

#![no_std]
#![no_main]

use zkvm_accel::keccak::keccak256;
use zkvm_accel::secp256k1::{recover, verify};
use zkvm_accel::sha256::sha256;
use zkvm_guest::{commit_bytes, read, read_bytes, remaining_bytes};

zkvm_guest::entry!(main);

fn main() {
    while remaining_bytes() > 0 {
        match read::<u8>() {
            0 => commit_bytes(&keccak256(read())),
            1 => commit_bytes(&sha256(read())),
            2 => {
                let [hash, r, s] = [array(), array(), array()];
                let key = recover(hash, r, s, read());
                commit_bytes(&key.unwrap_or([0; 64]));
            }
            3 => {
                let [hash, r, s] = [array(), array(), array()];
                let is_valid = verify(hash, r, s, array());
                commit_bytes(&[u8::from(is_valid)]);
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
