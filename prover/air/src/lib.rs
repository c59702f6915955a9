//! How a chip is described: columns with names, constraints with names, interactions on buses.
//!
//! A chip's constraints are written once, over symbolic [`Expr`]s, and compiled to a [`Tape`]: a
//! flat list of field operations. Everything else works on that one description: the checker here
//! (base field, one row at a time), the prover (packed field), the verifier (extension field, one
//! point), the printed tables. So there is no second version of a constraint that could differ.
//!
//! Chips are row-local: a constraint sees one row. Rows meet on buses only, by the LogUp argument
//! (eprint 2022/1530): over the tables of a bus's scope, what is sent equals what is received.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod builder;
mod bus;
mod check;
mod columns;
mod description;
mod expr;
pub mod mutate;
mod tape;

pub use builder::Builder;
pub use bus::{Bus, Interaction, Scope};
pub use check::{Balance, Failure, Report, Table, check, check_between};
pub use columns::{Columns, macro_support};
pub use description::{Constraint, Description, DescriptionError, MAX_DEGREE, Round};
pub use expr::Expr;
pub use tape::{Operand, Operation, Row, Tape};

/// The base field of every trace: KoalaBear, `2^31 - 2^24 + 1`.
pub type F = p3_koala_bear::KoalaBear;
