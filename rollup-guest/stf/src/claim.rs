//! What the guest `ethereum-block` reads, and what it claims.
//!
//! The input is postcard, as everything that guests read: its byte strings are then slices of the
//! input, which the machine maps into memory, so that half a megabyte of witness is not copied. RLP
//! would copy each string into memory of its own.
//!
//! The claim is five words of 32 bytes, which a contract reads as it is.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::Failure;
use crate::block::validate;
use crate::chain::ChainConfig;
use crate::witness::{Ancestors, Hashed, Source, Witness};
use crate::words::words;

/// A block and all that is needed to validate it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockInput<'a> {
    /// The rules.
    pub chain: ChainConfig,
    /// The block's RLP.
    pub block: &'a [u8],
    /// The past.
    #[serde(borrow)]
    pub witness: Witness<'a>,
}

words! {
    /// A valid block: by these rules, this block leads from this state to that.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct BlockClaim {
        /// [`ChainConfig::hash`] of the rules.
        pub chain_hash: B256,
        /// Hash of the parent block.
        pub parent_hash: B256,
        /// Hash of the block.
        pub block_hash: B256,
        /// Root of the state before the block.
        pub pre_state_root: B256,
        /// Root of the state after the block.
        pub post_state_root: B256,
    }
}

/// Validates the block of an input.
///
/// # Errors
/// [`Failure`] if it is not valid, or that cannot be told.
pub fn claim(input: &BlockInput<'_>) -> Result<BlockClaim, Failure> {
    claim_from(input, &Hashed::new(&input.witness))
}

/// The same with the witness's nodes and codes as `source` has them.
///
/// # Errors
/// As [`claim`].
pub fn claim_from<S: Source>(input: &BlockInput<'_>, source: &S) -> Result<BlockClaim, Failure> {
    let ancestors = Ancestors::new(&input.witness.headers)?;
    let valid = validate(&input.chain, &ancestors, input.block, source)?;
    Ok(BlockClaim {
        chain_hash: input.chain.hash(),
        parent_hash: valid.header.parent_hash,
        block_hash: valid.hash,
        pre_state_root: valid.pre_state_root,
        post_state_root: valid.header.state_root,
    })
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::BlockClaim;

    #[test]
    fn claims_survive_their_encoding() {
        let claim = BlockClaim {
            chain_hash: B256::repeat_byte(1),
            parent_hash: B256::repeat_byte(2),
            block_hash: B256::repeat_byte(3),
            pre_state_root: B256::repeat_byte(4),
            post_state_root: B256::repeat_byte(5),
        };
        let bytes = claim.to_bytes();
        assert_eq!(bytes.len(), 32 * BlockClaim::WORDS);
        assert_eq!(BlockClaim::from_bytes(&bytes), Some(claim));
        assert_eq!(BlockClaim::from_bytes(&bytes[1..]), None);
        assert_eq!(
            BlockClaim::from_bytes(&[&bytes[..], &[0; 32]].concat()),
            None
        );
    }
}
