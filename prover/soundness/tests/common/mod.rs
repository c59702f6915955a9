//! The system's field and a segment as large as they come.

use zkvm_soundness::{BLAKE3_COLLISION_BITS, Parameters, Shape};

pub(crate) const CHARACTERISTIC: u32 = (1 << 31) - (1 << 24) + 1;

pub(crate) const DEGREE: u8 = 5;

/// Blow-up 2, folding by 8, no grinding at all.
pub(crate) const BARE: Parameters = Parameters {
    characteristic: CHARACTERISTIC,
    challenge_degree: DEGREE,
    blowup_log2: 1,
    queries: 193,
    fold_arity_log2_max: 3,
    query_grinding_bits: 0,
    batch_grinding_bits: 0,
    commit_grinding_bits: 0,
    logup_grinding_bits: 0,
    global_grinding_bits: 0,
    collision_bits: BLAKE3_COLLISION_BITS,
};

/// The standard level by unique decoding.
pub(crate) const STANDARD: Parameters = Parameters {
    query_grinding_bits: 20,
    ..BARE
};

/// The high level by unique decoding.
pub(crate) const HIGH: Parameters = Parameters {
    queries: 261,
    query_grinding_bits: 20,
    batch_grinding_bits: 10,
    logup_grinding_bits: 10,
    global_grinding_bits: 7,
    ..BARE
};

/// The largest segment, of a proof of many.
pub(crate) const LARGEST: Shape = Shape {
    height_log2_max: 22,
    height_log2_min: 2,
    openings: 9000,
    points_max: 2,
    constraints: 3000,
    constraint_degree_max: 3,
    interactions: 1 << 30,
    message_elements_max: 102,
    global_interactions: 1 << 30,
    global_message_elements_max: 12,
    segments: 256,
};

/// The largest segment without precompiles, alone, with tables of at least 2^10 rows.
pub(crate) const ALONE: Shape = Shape {
    height_log2_min: 10,
    openings: 2500,
    constraints: 1000,
    message_elements_max: 12,
    global_interactions: 0,
    segments: 1,
    ..LARGEST
};
