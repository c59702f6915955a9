//! The *proven* security of a proof, in bits, term by term, from live parameters and a proof's shape.
//!
//! No conjecture: the terms hold in the unique-decoding regime or in the list-decoding regime up to
//! the Johnson bound, whichever is better ([`Regime`]). The model is that of `p3-security`, its
//! formulas written out in integers ([`Bits`]), so that a verifier without floating point gets the
//! same answer everywhere; tests hold every term against `p3-security`'s own floating-point one.
//!
//! # What the bits say
//!
//! Every term bounds the error of one *round* of the protocol: the probability that one challenge,
//! drawn once, turns a state that no prover can rescue into one that some prover can. Grinding
//! before a challenge adds its bits to the term of that challenge and to no other. [`Report::bits`]
//! is the **minimum** over the terms, not a union bound: this is round-by-round soundness
//! (eprint 2024/1553 section 2), as `p3-security` composes it.
//!
//! The assumption: the transcript's hash is a random oracle. Each of a cheating prover's `T`
//! evaluations draws one challenge of one round, so it succeeds with probability at most about
//! `T / 2^bits` (eprint 2023/1071). The interactive protocol, with one draw for each round, would add
//! the terms up instead and lose at most `log2(rounds)` bits. The hash's collisions are a cap:
//! `2^collision_bits` evaluations find one and bind nothing any more.
//!
//! # Many segments
//!
//! A proof of `n` segments is one tree of transcripts: the global challenge at the root, one branch
//! for each segment. If the statement is false, then after the root at least one branch is beyond
//! rescue, and all branches must be accepted. One evaluation of the hash extends one branch, so the
//! bound `T / 2^bits` already counts all of them: **nothing is subtracted for `n`**. Two terms do
//! see `n`:
//!
//! - the global LogUp argument has one draw for the fractions of all segments together;
//! - in the list-decoding regime each segment's boundary commitment leaves a list of candidates
//!   when the global challenge is drawn, and a prover picks one of each: the lists multiply, and
//!   the term loses `n · log2(list)` bits. Unique decoding has no such loss. More than a few
//!   segments are therefore proved in the unique-decoding regime only.
//!
//! # Where this is stricter than `p3-security`
//!
//! - LogUp challenges are drawn while the commitment leaves a list open: the list-decoding regime
//!   charges the list, as for constraints.
//! - A shorter table that joins a fold raises the degree of the fold's curve by one: a fold of arity
//!   `a` is charged `a`, not `a - 1`.
//! - List decoding is claimed only as far as the *shortest* table allows ([`Shape::height_log2_min`]).
//! - The field's size is not rounded up to whole bits.
//!
//! Sources: ethSTARK (eprint 2021/582), proximity gaps (2020/654), LogUp (2022/1530), round-by-round
//! soundness of FRI (2024/1553), the Johnson regime (2025/2055, 2026/2056).

#![no_std]
#![forbid(unsafe_code)]
#![deny(
    missing_docs,
    clippy::as_conversions,
    clippy::arithmetic_side_effects,
    clippy::float_arithmetic,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used
)]

extern crate alloc;

mod bits;
mod level;
mod model;
mod parameters;
mod report;

pub use bits::Bits;
pub use level::{Level, Shortfall, meets};
pub use model::MULTIPLICITY_MAX;
pub use parameters::{
    BLAKE3_COLLISION_BITS, GRINDING_BITS_MAX, Parameters, Shape, Unsupported, field_collision_bits,
};
pub use report::{Regime, Report, Source, Term};
