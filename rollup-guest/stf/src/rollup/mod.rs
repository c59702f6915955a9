//! The hybrid rollup's state transition: a total function of what has been posted.
//!
//! ```text
//!   F(config, L1 view, state before, batch bytes) ─▶ verdict, state after
//! ```
//!
//! Bad data is a verdict, never a panic and never an error, so one proof is a validity proof, a
//! fault proof, and what replaces a wrong claim. Only a bad witness is an error: then there is no
//! proof. A batch that is refused leads to a block of its own, which holds the forced items alone;
//! so the chain always goes on.
//!
//! Blocks are Ethereum blocks: a standard validator accepts each of them. The rollup's rules are
//! around it.
//!
//! | file | what |
//! |---|---|
//! | `config` | the rules' constants, their hash, the domain |
//! | `batch` | what is posted, strictly decoded, and what sequencers sign |
//! | `sequencers` | the set of an epoch and its leaders |
//! | `queue` | forced transactions and deposits |
//! | `order` | the order of transactions |
//! | `outbox` | withdrawals to L1 |
//! | `out` | the public output |
//! | `transition` | F |

mod batch;
mod blocks;
mod config;
mod order;
mod out;
mod outbox;
mod queue;
mod sequencers;
mod transition;

pub use batch::{Batch, BatchBlock, SignedBlock, chain_input, signing_hash};
pub use config::{Config, Mode, OrderingPolicy};
pub use out::{Out, Verdict};
pub use outbox::{Withdrawal, withdrawals_root};
pub use queue::{ItemKind, QueueItem};
pub use sequencers::{SEQUENCERS_MAX, Sequencer, SequencerSet};
pub use transition::{BatchInput, Input, L1View, Transition, transition};
