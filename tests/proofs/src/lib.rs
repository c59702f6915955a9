//! What the proving tests share: whole executions with their traces, and programs to execute.
//!
//! | module | what it gives |
//! |---|---|
//! | [`whole`] | an execution in one segment or several, its traces and its claims |
//! | [`forge`] | changes to traces, and whether anything notices them |
//! | [`inject`] | faults of the executor, filled as if they were none |
//! | [`keys`] | proofs of given traces, honest or not |
//! | [`programs`] | generated programs, those of the test kit, a tour of every chip |

pub mod forge;
pub mod inject;
pub mod keys;
pub mod programs;
pub mod whole;

use zkvm_statement::Security;
use zkvm_verifier::Parameters;

/// Few queries: most tests are about what is proved, not about its strength.
pub const WEAK: Parameters = Parameters {
    queries: 8,
    query_grinding_bits: 0,
    ..Parameters::STANDARD
};

/// [`WEAK`], and a verifier who demands no bits.
#[must_use]
pub const fn weak() -> Security {
    Security {
        parameters: WEAK,
        bits: 0,
    }
}
