//! secp256k1 (SEC 2, section 2.4.1): points, their multiples, ECDSA.
//!
//! ```text
//! y² = x³ + 7 over the field of p = 2^256 - 2^32 - 977; the group's order n is a prime
//! ```

mod ecdsa;
mod field;
mod multiply;
mod point;

pub use ecdsa::{recover, verify};
pub use multiply::{multiply_add, multiply_generator};
pub use point::Point;

/// The prime that coordinates are taken modulo.
pub const FIELD_PRIME: [u64; 4] = [
    0xffff_fffe_ffff_fc2f,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
    0xffff_ffff_ffff_ffff,
];

/// The number of points, the identity included: a prime.
pub const ORDER: [u64; 4] = [
    0xbfd2_5e8c_d036_4141,
    0xbaae_dce6_af48_a03b,
    0xffff_ffff_ffff_fffe,
    0xffff_ffff_ffff_ffff,
];
