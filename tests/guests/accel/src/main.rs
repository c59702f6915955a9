//! Reads tasks until the input ends and commits the result of each.
//!
//! All operands are bytes without lengths, but for those that say otherwise. Numbers and states are
//! little-endian; a point is `x` and `y`, big-endian, and zeros for the identity.
//!
//! | task | operands | committed |
//! |---|---|---|
//! | `0u8` | a state of keccak, 200 bytes | the state after the permutation |
//! | `1u8` | a state of SHA-256, 32 bytes, and a block, 64 bytes | the state after the block |
//! | `2u8` | `x`, `y` and a modulus | `x · y`; 32 bytes of 255 if there is none |
//! | `3u8` | a base, an exponent and a modulus | the power; 32 bytes of 255 if there is none |
//! | `4u8` | `x` and a prime | the inverse; 32 bytes of 255 if there is none |
//! | `5u8` | two points | the sum |
//! | `6u8` | a point | the double |
//! | `7u8` | two scalars, a point | the first's multiple of the generator and the second's of the point |
//! | `8u8` | 64 bytes | whether they are a point, one byte |
//! | `9u8` | lengths of parts and the parts, each a byte string | Keccak-256 and SHA-256, taken in parts and through `digest`'s traits: four digests |

#![no_std]
#![no_main]

use sha2::Digest;
use zkvm_accel::keccak::{Keccak256, keccak_f};
use zkvm_accel::modular::{inverse_mod, multiply_mod, pow_mod};
use zkvm_accel::secp256k1::{Point, multiply_add};
use zkvm_accel::sha256::{Sha256, State, compress};
use zkvm_guest::{commit_bytes, read, read_bytes, remaining_bytes};

zkvm_guest::entry!(main);

fn main() {
    while remaining_bytes() > 0 {
        match read::<u8>() {
            0 => {
                let mut state = core::array::from_fn(|_| u64::from_le_bytes(*array()));
                keccak_f(&mut state);
                commit_words(&state);
            }
            1 => {
                let mut state = State(core::array::from_fn(|_| u32::from_le_bytes(*array())));
                compress(&mut state, array());
                for word in state.0 {
                    commit_bytes(&word.to_le_bytes());
                }
            }
            2 => commit_number(multiply_mod(&number(), &number(), &number())),
            3 => commit_number(pow_mod(&number(), &number(), &number())),
            4 => commit_number(inverse_mod(&number(), &number())),
            5 => commit_point(&point().add(&point())),
            6 => commit_point(&point().double()),
            7 => commit_point(&multiply_add(&number(), &number(), &point())),
            8 => commit_bytes(&[u8::from(Point::from_bytes(array()).is_some())]),
            9 => in_parts(read(), read()),
            task => panic!("no task has the number {task}"),
        }
    }
}

fn in_parts(lengths: &[u8], message: &[u8]) {
    let mut keccak = Keccak256::new();
    let mut sha256 = Sha256::new();
    let mut rest = message;
    for length in lengths {
        let (part, after) = rest.split_at(usize::from(*length));
        keccak.update(part);
        sha256.update(part);
        rest = after;
    }
    assert!(rest.is_empty(), "the parts are the message");
    commit_bytes(&keccak.finalize());
    commit_bytes(&sha256.finalize());
    commit_bytes(&<Keccak256 as Digest>::digest(message));
    commit_bytes(&<Sha256 as Digest>::digest(message));
}

fn array<const N: usize>() -> &'static [u8; N] {
    read_bytes(N)
        .try_into()
        .expect("as many bytes as were asked for")
}

fn number() -> [u64; 4] {
    core::array::from_fn(|_| u64::from_le_bytes(*array()))
}

fn point() -> Point {
    let bytes = array();
    if *bytes == [0; 64] {
        return Point::IDENTITY;
    }
    Point::from_bytes(bytes).expect("the host gives points of the curve")
}

fn commit_words(words: &[u64]) {
    for word in words {
        commit_bytes(&word.to_le_bytes());
    }
}

fn commit_number(number: Option<[u64; 4]>) {
    commit_words(&number.unwrap_or([u64::MAX; 4]));
}

fn commit_point(point: &Point) {
    commit_bytes(&point.to_bytes().unwrap_or([0; 64]));
}
