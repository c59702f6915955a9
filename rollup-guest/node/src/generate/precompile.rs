//! Calls of the EVM's precompiles.

use alloy_primitives::{B256, Bytes, U256};

use super::GenerateError;
use super::rng::Rng;
use super::wallet::Wallet;

/// Rounds of BLAKE2b.
const BLAKE2_ROUNDS: u32 = 12;

/// What the contract that calls others is to be called with: a precompile's address and its input.
pub(super) fn precompile_call(rng: &mut Rng, wallet: &Wallet) -> Result<Bytes, GenerateError> {
    let word = |value: u64| B256::from(U256::from(value));
    // The generator of BN254's first group.
    let point = [word(1), word(2)].concat();
    let address = 1 + rng.below(9);
    let input = match address {
        // The signer of a hash.
        1 => {
            let hash = rng.word();
            let signature = wallet.sign(hash)?;
            let parity = word(27 + u64::from(signature.v()));
            let (r, s) = (B256::from(signature.r()), B256::from(signature.s()));
            [hash, parity, r, s].concat()
        }
        // A power modulo a number of 32 bytes.
        5 => {
            let lengths = [word(32), word(32), word(32)].concat();
            let numbers = [rng.word(), word(rng.below(1 << 20)), rng.word()].concat();
            [lengths, numbers].concat()
        }
        6 => [&point[..], &point].concat(),
        7 => [&point[..], rng.word().as_slice()].concat(),
        // A product of no pairings.
        8 => Vec::new(),
        9 => {
            let mut input = BLAKE2_ROUNDS.to_be_bytes().to_vec();
            input.extend(std::iter::repeat_n(rng.word().0, 6).flatten());
            input.extend([0; 16]);
            input.push(1);
            input
        }
        // Hashes, and what returns its input.
        _ => rng.word().0[..rng.index(33)].repeat(3),
    };
    Ok([word(address).as_slice(), &input].concat().into())
}
