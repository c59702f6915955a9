//! What refutes a claim about a batch: the rule of the L1 contract, for hosts to know before they
//! prove.

use alloc::vec::Vec;

use alloy_primitives::B256;

use super::out::{BlocksOut, Verdict};

/// What is claimed of a batch that has not been proven: it keeps all rules, and leads to these
/// blocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BatchClaim {
    /// The rollup's domain.
    pub domain: B256,
    /// Hash of L1's view.
    pub view_hash: B256,
    /// Hash of the batch as posted.
    pub batch_hash: B256,
    /// Hash of the block before the batch.
    pub pre_block_hash: B256,
    /// Hashes of the batch's blocks.
    pub block_hashes: Vec<B256>,
}

/// Why a claim is wrong. It says that of the claim only: a claim may be wrong before these blocks,
/// and the batch keep all rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refutation {
    /// After what is claimed, a block breaks a rule.
    Refused(Verdict),
    /// The batch has another number of blocks.
    BlockCount(u64),
    /// Blocks lead to another one.
    Block {
        /// Position after the last of them.
        end: u64,
        /// The hash of the last of them.
        is: B256,
    },
}

impl BatchClaim {
    /// Whether a proven output refutes the claim. Outputs that begin elsewhere than the claim says
    /// refute nothing, nor do those of another batch.
    #[must_use]
    pub fn refuted_by(&self, out: &BlocksOut) -> Option<Refutation> {
        let position = |index: u64| usize::try_from(index).ok();
        let before = match out.first.checked_sub(1) {
            None => Some(self.pre_block_hash),
            Some(index) => position(index).and_then(|index| self.block_hashes.get(index).copied()),
        };
        let is_about_it = out.domain == self.domain
            && out.view_hash == self.view_hash
            && out.batch_hash == self.batch_hash
            && before == Some(out.pre_block_hash);
        if !is_about_it {
            return None;
        }
        if out.verdict != Verdict::Ok {
            return Some(Refutation::Refused(out.verdict));
        }
        if u64::try_from(self.block_hashes.len()) != Ok(out.block_count) {
            return Some(Refutation::BlockCount(out.block_count));
        }
        let claimed = position(out.end)?.checked_sub(1)?;
        let is_same = self.block_hashes.get(claimed) == Some(&out.post_block_hash);
        (!is_same).then_some(Refutation::Block {
            end: out.end,
            is: out.post_block_hash,
        })
    }
}
