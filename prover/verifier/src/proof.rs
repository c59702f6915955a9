//! A proof, as it travels.

use alloc::vec::Vec;
use core::fmt;

use serde::{Deserialize, Serialize};
use zkvm_air::F;

use crate::{Challenge, Commitment, Config, PcsProof};

/// The values of one table's columns at the out-of-domain point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableOpening {
    /// Main columns.
    pub main: Vec<Challenge>,
    /// Preprocessed columns, if the chip has any.
    pub preprocessed: Vec<Challenge>,
    /// LogUp fractions: five base columns for each pair of interactions but the last; see
    /// [`crate::logup::fractions`].
    pub fractions: Vec<Challenge>,
    /// LogUp running sums: five base columns for the segment's buses, five more if the chip speaks
    /// on buses of the execution.
    pub running: Vec<Challenge>,
    /// The running sums one row on.
    pub running_next: Vec<Challenge>,
    /// The two chunks of the quotient, five base columns each.
    pub quotient: Vec<Challenge>,
}

/// A proof about tables; see [`crate::verify`].
#[derive(Clone, Serialize, Deserialize)]
#[serde(bound = "")]
pub struct TablesProof<C: Config> {
    /// Per chip of the key: the logarithm of its height, or nothing if it is absent.
    pub heights_log2: Vec<Option<u8>>,
    /// Commitment to the traces of the chips of [`zkvm_air::Round::Boundary`]; absent if none of
    /// them is present.
    pub boundary: Option<Commitment<C>>,
    /// Commitment to the other chips' traces.
    pub main: Commitment<C>,
    /// Commitment to fractions and running sums.
    pub logup: Commitment<C>,
    /// Commitment to the quotients' chunks.
    pub quotient: Commitment<C>,
    /// Witness of the grinding before the LogUp challenges.
    pub logup_grinding: F,
    /// Per present chip: the sum of its LogUp fractions on the segment's buses.
    pub sums: Vec<Challenge>,
    /// Per present chip that speaks on buses of the execution: the sum of those fractions.
    pub sums_between: Vec<Challenge>,
    /// Per present chip: its columns at the out-of-domain point.
    pub openings: Vec<TableOpening>,
    /// Proof of the openings.
    pub pcs: PcsProof<C>,
}

impl<C: Config> fmt::Debug for TablesProof<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TablesProof")
            .field("heights_log2", &self.heights_log2)
            .field("sums", &self.sums)
            .finish_non_exhaustive()
    }
}
