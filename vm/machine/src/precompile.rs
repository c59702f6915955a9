//! What precompiles compute, on the values of their operands' words; the table of them is
//! [`zkvm_isa::precompile`].

use k256::elliptic_curve::hazmat::FieldArithmetic;
use keccak::Keccak;
use ruint::Uint;
use thiserror::Error;
use zkvm_isa::Precompile;

/// An element of the field that secp256k1 is over.
type FieldElement = <k256::Secp256k1 as FieldArithmetic>::FieldElement;

/// Why a precompile has no result.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum OperandError {
    /// An address that the call has no use for is not 0.
    #[error("an argument that it does not use is not 0")]
    UnusedArgument,
    /// A number modulo 0.
    #[error("the modulus is 0")]
    ModulusZero,
    /// A coordinate that is not below the field's prime.
    #[error("a coordinate is not below the field's prime")]
    CoordinateNotReduced,
    /// The points to add have equal `x`: they are equal or opposite.
    #[error("the points have equal x; double the point, or take the point at infinity")]
    EqualX,
    /// The point to double has `y = 0`.
    #[error("the point has y = 0")]
    ZeroY,
}

/// Computes `call` on `words`, its operands' one after the other, and leaves the result where the
/// first operand was.
///
/// # Errors
/// [`OperandError`] if there is no result; then nothing is changed.
pub fn compute(
    call: Precompile,
    words: &mut [u64; Precompile::WORDS_MAX],
) -> Result<(), OperandError> {
    match call {
        Precompile::KeccakF => Keccak::new().with_f1600(|permute| permute(words)),
        Precompile::Sha256Compress => sha256_compress(words),
        Precompile::MultiplyMod => {
            let [x, y, modulus] = [0, 4, 8].map(|first| Uint::from_limbs(four(words, first)));
            if modulus == Uint::<256, 4>::ZERO {
                return Err(OperandError::ModulusZero);
            }
            words[..4].copy_from_slice(x.mul_mod(y, modulus).as_limbs());
        }
        Precompile::Secp256k1Add => {
            let [x1, y1, x2, y2] = coordinates([0, 4, 8, 12].map(|first| four(words, first)))?;
            let slope = (x2 - x1).invert().into_option();
            let slope = slope.ok_or(OperandError::EqualX)? * (y2 - y1);
            secp256k1_third([x1, y1], x2, &slope, words);
        }
        Precompile::Secp256k1Double => {
            let [x, y] = coordinates([0, 4].map(|first| four(words, first)))?;
            let slope = y.double().invert().into_option();
            let slope =
                slope.ok_or(OperandError::ZeroY)? * (x.square() * FieldElement::from(3_u64));
            secp256k1_third([x, y], x, &slope, words);
        }
    }
    Ok(())
}

fn four(words: &[u64], first: usize) -> [u64; 4] {
    std::array::from_fn(|index| words[first + index])
}

fn sha256_compress(words: &mut [u64]) {
    let half = |index: usize| (words[index / 2] >> (32 * (index % 2))) as u32;
    let mut state: [u32; 8] = std::array::from_fn(half);
    let mut block = [0; 64];
    for (bytes, word) in block.chunks_exact_mut(8).zip(&words[4..12]) {
        bytes.copy_from_slice(&word.to_le_bytes());
    }
    sha2::block_api::compress256(&mut state, &[block]);
    for (word, halves) in words.iter_mut().zip(state.chunks_exact(2)) {
        *word = u64::from(halves[0]) | u64::from(halves[1]) << 32;
    }
}

fn coordinates<const N: usize>(numbers: [[u64; 4]; N]) -> Result<[FieldElement; N], OperandError> {
    let mut coordinates = [FieldElement::ZERO; N];
    for (coordinate, number) in coordinates.iter_mut().zip(numbers) {
        let bytes = Uint::<256, 4>::from_limbs(number).to_be_bytes::<32>();
        let element = FieldElement::from_bytes(&bytes.into()).into_option();
        *coordinate = element.ok_or(OperandError::CoordinateNotReduced)?;
    }
    Ok(coordinates)
}

/// The third point of the line through `(x1, y1)` and one at `x2` with this slope, reflected.
fn secp256k1_third(
    [x1, y1]: [FieldElement; 2],
    x2: FieldElement,
    slope: &FieldElement,
    words: &mut [u64],
) {
    let x3 = (slope.square() - x1 - x2).normalize();
    let y3 = (*slope * (x1 - x3) - y1).normalize();
    for (words, coordinate) in words.chunks_exact_mut(4).zip([x3, y3]) {
        let number = Uint::<256, 4>::from_be_bytes::<32>(coordinate.to_bytes().into());
        words.copy_from_slice(number.as_limbs());
    }
}
