//! Extending tables: their columns as polynomials, evaluated where they are committed to.
//!
//! [`p3_fri::TwoAdicFriPcs`] extends all matrices of a commitment at once, from copies of them, and
//! copies what comes out. For tables of a thousand columns that is most of the prover's memory, and a
//! transform over whole rows goes through all of it many times. Here a few columns are transformed at
//! a time, in the processor's cache; the values are the same.

use p3_dft::{Radix2DFTSmallBatch, TwoAdicSubgroupDft};
use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_maybe_rayon::prelude::*;
use zkvm_air::F;
use zkvm_verifier::Domain;

/// Columns that are transformed together.
const COLUMNS: usize = 16;

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
        table: &RowMajorMatrix<F>,
        blowup_log2: u8,
    ) -> RowMajorMatrix<F> {
        let shift = F::GENERATOR / domain.shift();
        let (height, width) = (table.height(), table.width());
        let extended_height = height << blowup_log2;
        let bits = extended_height.ilog2();
        let mut cells = F::zero_vec(extended_height * width);
        for first in (0..width).step_by(COLUMNS) {
            let count = COLUMNS.min(width - first);
            let mut columns = F::zero_vec(height * count);
            columns
                .par_chunks_mut(count)
                .zip(table.values.par_chunks(width))
                .for_each(|(part, row)| part.copy_from_slice(&row[first..first + count]));
            let columns = RowMajorMatrix::new(columns, count);
            let blowup = usize::from(blowup_log2);
            let extended = self.dft.coset_lde_batch(columns, blowup, shift);
            cells
                .par_chunks_mut(width)
                .enumerate()
                .for_each(|(index, row)| {
                    let from = (index.reverse_bits() >> (usize::BITS - bits)) * count;
                    let part = &extended.values[from..from + count];
                    row[first..first + count].copy_from_slice(part);
                });
        }
        RowMajorMatrix::new(cells, width)
    }
}

#[cfg(test)]
mod tests {
    use p3_matrix::bitrev::BitReversibleMatrix;

    use super::*;

    #[test]
    fn a_table_is_extended_as_the_commitment_scheme_does() {
        let extender = Extender::default();
        for (height, width) in [(4_usize, 1), (8, 15), (64, 16), (512, 17), (32, 100)] {
            let cells = (0..height * width).map(|cell| F::from_usize(cell * cell + 7));
            let table = RowMajorMatrix::new(cells.collect(), width);
            let dft = Radix2DFTSmallBatch::<F>::default();
            for shift in [F::ONE, F::TWO] {
                let domain = Domain::new(shift, height.ilog2() as usize);
                let domain = domain.expect("a small power of two");
                let expected = dft.coset_lde_batch(table.clone(), 1, F::GENERATOR / shift);
                let expected = expected.bit_reverse_rows().to_row_major_matrix();
                let extended = extender.extend(&domain, &table, 1);
                assert_eq!(extended, expected, "{height} x {width}");
            }
        }
    }
}
