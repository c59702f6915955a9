//! Extending tables: their columns as polynomials, evaluated where they are committed to.
//!
//! [`p3_fri::TwoAdicFriPcs`] extends all matrices of a commitment from copies of them that are there at
//! once, and copies what comes out once more. Here one table is extended after the other and put in
//! order where it lies; the values are the same. (A few columns at a time, in the processor's cache,
//! need less memory still, but half as much time again.)

use p3_dft::{Radix2DFTSmallBatch, TwoAdicSubgroupDft};
use p3_field::Field;
use p3_matrix::dense::RowMajorMatrix;
use p3_matrix::util::reverse_matrix_index_bits;
use zkvm_air::F;
use zkvm_verifier::Domain;

/// Extends tables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extender {
    dft: Radix2DFTSmallBatch<F>,
}

impl Extender {
    /// The columns of `table`, given on `domain`, on the coset of the field's generator that is
    /// `2^blowup_log2` times as large; row `rev(j)` is the coset's element `j`.
    pub(crate) fn extend(
        &self,
        domain: &Domain,
        table: RowMajorMatrix<F>,
        blowup_log2: u8,
    ) -> RowMajorMatrix<F> {
        let shift = F::GENERATOR / domain.shift();
        let blowup = usize::from(blowup_log2);
        let mut extended = self.dft.coset_lde_batch(table, blowup, shift);
        reverse_matrix_index_bits(&mut extended);
        extended
    }
}
