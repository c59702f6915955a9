//! What security depends on: parameters of the system, and the shape of a proof.

use core::ops::RangeInclusive;

use thiserror::Error;

use crate::Bits;

/// The collision resistance of BLAKE3's 256-bit digest.
pub const BLAKE3_COLLISION_BITS: u16 = 128;

/// The most bits of grinding at one place.
///
/// A grinding witness is one element of a 31-bit field: with more bits there may be none.
pub const GRINDING_BITS_MAX: u8 = 30;

/// The collision resistance of a digest of `elements` uniform elements of a field: half its length,
/// rounded down. For KoalaBear 8 elements give 123 bits, 9 give 139.
#[must_use]
pub const fn field_collision_bits(characteristic: u32, elements: u8) -> u16 {
    // Widening; `From` is not available in constants.
    #[expect(clippy::as_conversions, reason = "widening in a constant function")]
    let (characteristic, elements) = (characteristic as u64, elements as u64);
    let half = Bits::log2_floor(characteristic).times(elements).raw() / 2;
    let whole = half >> p3_security::fixed::FRACTIONAL_BITS;
    // At most 32 · 255 / 2.
    #[expect(
        clippy::as_conversions,
        clippy::cast_possible_truncation,
        reason = "at most 4080"
    )]
    let whole = whole as u16;
    whole
}

/// Numbers of the proof system that decide soundness: all of them from the running configuration.
///
/// The length of FRI's final polynomial is not among them: it decides how many folding rounds there
/// are, not how bad the worst one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The characteristic of the field of the traces.
    pub characteristic: u32,
    /// The degree of the challenges' field over it.
    pub challenge_degree: u8,
    /// Logarithm of the blow-up of committed codewords.
    pub blowup_log2: u8,
    /// Number of FRI queries.
    pub queries: u16,
    /// Logarithm of FRI's greatest folding arity.
    pub fold_arity_log2_max: u8,
    /// Bits of grinding before the queries are drawn.
    pub query_grinding_bits: u8,
    /// Bits of grinding before the challenge that batches openings.
    pub batch_grinding_bits: u8,
    /// Bits of grinding before each folding challenge.
    pub commit_grinding_bits: u8,
    /// Bits of grinding before a segment's LogUp challenges.
    pub logup_grinding_bits: u8,
    /// Bits of grinding before the LogUp challenges that all segments share.
    pub global_grinding_bits: u8,
    /// Collision resistance of the hash, of the Merkle trees and of the transcript: see
    /// [`BLAKE3_COLLISION_BITS`] and [`field_collision_bits`].
    pub collision_bits: u16,
}

/// The shape of a proof, of one segment and of the argument between segments.
///
/// No term gets better with a larger shape: a shape that bounds every segment (greatest numbers,
/// least [`height_log2_min`](Self::height_log2_min)) gives a bound for the whole proof.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// Logarithm of the tallest table's rows.
    pub height_log2_max: u8,
    /// Logarithm of the shortest table's rows. Only list decoding depends on it: the rate of a short
    /// table, with its opened points counted in, is noticeably above that of a tall one.
    pub height_log2_min: u8,
    /// Pairs of a column and a point at which it is opened, over all tables: what FRI batches.
    /// An extension-field column counts as its base-field columns.
    pub openings: u64,
    /// The most points at which a column is opened.
    pub points_max: u8,
    /// Constraints that one power series combines, those of LogUp included: the most of any table.
    /// All tables share one challenge, but each has a quotient of its own, so a proof of a false
    /// statement needs luck in one given table, and the largest counts, not the sum.
    pub constraints: u64,
    /// The greatest degree of a constraint, in columns.
    pub constraint_degree_max: u8,
    /// Fractions of the LogUp argument: rows times interactions, over all tables, and the public
    /// messages.
    pub interactions: u64,
    /// The most elements of a message, which is the greatest power of `beta` in a fingerprint.
    pub message_elements_max: u16,
    /// Fractions of the LogUp argument between segments, over all segments; 0 if there is none.
    pub global_interactions: u64,
    /// The most elements of a message between segments.
    pub global_message_elements_max: u16,
    /// Segments of the proof.
    pub segments: u32,
}

/// Numbers for which no security is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("{what} is {got}; security is computed for {least} to {most}")]
pub struct Unsupported {
    /// Which number.
    pub what: &'static str,
    /// Its value.
    pub got: u64,
    /// The least value that is supported.
    pub least: u64,
    /// The greatest value that is supported.
    pub most: u64,
}

/// Refuses numbers with which the protocol does not exist or the formulas do not hold.
///
/// Heights stop where 64-bit products would overflow; more than two points for a column would need
/// another argument for short tables in the unique-decoding regime.
pub(crate) fn check(parameters: &Parameters, shape: &Shape) -> Result<(), Unsupported> {
    let of = parameters;
    within("the characteristic", of.characteristic, 3..=u32::MAX)?;
    within("the challenges' degree", of.challenge_degree, 1..=64)?;
    within("the blow-up's logarithm", of.blowup_log2, 1..=8)?;
    within("the number of queries", of.queries, 1..=u16::MAX)?;
    let arity_log2 = of.fold_arity_log2_max;
    within("the folding arity's logarithm", arity_log2, 1..=8)?;
    let grinding = 0..=GRINDING_BITS_MAX;
    for (what, bits) in [
        ("the grinding before queries", of.query_grinding_bits),
        ("the grinding before batching", of.batch_grinding_bits),
        ("the grinding before folding", of.commit_grinding_bits),
        ("the grinding before LogUp", of.logup_grinding_bits),
        ("the grinding before global LogUp", of.global_grinding_bits),
    ] {
        within(what, bits, grinding.clone())?;
    }
    let of = shape;
    let (least, most) = (of.height_log2_min, of.height_log2_max);
    within("the greatest height's logarithm", most, 1..=32)?;
    within("the least height's logarithm", least, 1..=most)?;
    within("the number of openings", of.openings, 2..=1 << 32)?;
    within("the points of a column", of.points_max, 1..=2)?;
    within("the number of constraints", of.constraints, 1..=1 << 32)?;
    let degree = of.constraint_degree_max;
    within("the constraints' degree", degree, 1..=64)?;
    within("the number of interactions", of.interactions, 1..=1 << 48)?;
    let elements = of.message_elements_max;
    within("the elements of a message", elements, 1..=1 << 15)?;
    let global = of.global_interactions;
    within("the number of global interactions", global, 0..=1 << 48)?;
    let elements = of.global_message_elements_max;
    within("the elements of a global message", elements, 0..=1 << 15)?;
    within("the number of segments", of.segments, 1..=u32::MAX)
}

fn within<N: Copy + Into<u64>>(
    what: &'static str,
    got: N,
    range: RangeInclusive<N>,
) -> Result<(), Unsupported> {
    let (least, most) = (*range.start(), *range.end());
    let (got, least, most) = (got.into(), least.into(), most.into());
    if (least..=most).contains(&got) {
        Ok(())
    } else {
        Err(Unsupported {
            what,
            got,
            least,
            most,
        })
    }
}
