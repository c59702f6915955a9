//! Levels of security.

use core::fmt;

use thiserror::Error;

use crate::{Bits, Report, Term};

/// A level that a verifier asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// 100 bits.
    Standard,
    /// 128 bits.
    High,
}

impl Level {
    /// The bits it stands for.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Level::Standard => 100,
            Level::High => 128,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Standard => "standard",
            Level::High => "high",
        })
    }
}

/// A proof is not as secure as asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "{} has {} bits of proven security, level {level} asks for {}",
    .term.source,
    .term.bits(),
    .level.bits()
)]
pub struct Shortfall {
    /// The level that was asked for.
    pub level: Level,
    /// The term with the fewest bits.
    pub term: Term,
}

/// Whether every term of `report` has the bits of `level`.
///
/// # Errors
/// [`Shortfall`] names the weakest term.
pub fn meets(report: &Report, level: Level) -> Result<(), Shortfall> {
    if report.bits() >= Bits::whole(level.bits()) {
        return Ok(());
    }
    Err(Shortfall {
        level,
        term: report.binding(),
    })
}
