//! The traits of the `digest` crate, version 0.11.

use digest::common::BlockSizeUser;
use digest::typenum::{U32, U64, U136};
use digest::{FixedOutput, FixedOutputReset, HashMarker, Output, OutputSizeUser, Reset, Update};

use crate::keccak::Keccak256;
use crate::sha256::Sha256;

macro_rules! implement {
    ($hash:ident, $block:ty) => {
        impl HashMarker for $hash {}

        impl BlockSizeUser for $hash {
            type BlockSize = $block;
        }

        impl OutputSizeUser for $hash {
            type OutputSize = U32;
        }

        impl Update for $hash {
            fn update(&mut self, bytes: &[u8]) {
                $hash::update(self, bytes);
            }
        }

        impl FixedOutput for $hash {
            fn finalize_into(self, output: &mut Output<$hash>) {
                output.copy_from_slice(&self.finalize());
            }
        }

        impl Reset for $hash {
            fn reset(&mut self) {
                *self = $hash::new();
            }
        }

        impl FixedOutputReset for $hash {
            fn finalize_into_reset(&mut self, output: &mut Output<$hash>) {
                core::mem::take(self).finalize_into(output);
            }
        }
    };
}

implement!(Keccak256, U136);
implement!(Sha256, U64);
