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
//! | `input` | what F is a function of, and what the guest reads |
//! | `rules` | what can be told without executing, and the mode |
//! | `blocks` | one block: derived, executed |
//! | `block_range` | some blocks of a batch |
//! | `transition` | F: the whole batch, or the block in its place |
//! | `fold` | composition: blocks to a batch, batches to a range |
//! | `dispute` | what refutes a claim |
//! | `out` | the public outputs |

mod batch;
mod block_range;
mod blocks;
mod config;
mod dispute;
mod fold;
mod input;
mod order;
mod out;
mod outbox;
mod queue;
mod rules;
mod sequencers;
mod transition;

pub use batch::{Batch, BatchBlock, SignedBlock, chain_input, signing_hash};
pub use block_range::{BlocksTransition, execute_blocks};
pub use config::{Config, Mode, OrderingPolicy};
pub use dispute::{BatchClaim, Refutation};
pub use fold::{Composition, FoldError, RangeInput, Whole, fold_batches, fold_blocks, parts_hash};
pub use input::{BatchInput, BlockRange, Claim, Input, L1View};
pub use out::{BlocksOut, Out, RangeOut, Verdict};
pub use outbox::{Withdrawal, withdrawals_root};
pub use queue::{ItemKind, QueueItem};
pub use sequencers::{SEQUENCERS_MAX, Sequencer, SequencerSet};
pub use transition::{Transition, transition};
