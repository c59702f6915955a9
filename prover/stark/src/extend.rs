//! Extending tables: their columns as polynomials, evaluated where they are committed to.
//!
//! [`p3_fri::TwoAdicFriPcs`] extends all matrices of a commitment from copies of them that are there at
//! once, and copies what comes out once more. Here one table is extended after the other and put in
//! order where it lies; the values are the same. Of very wide tables not even one copy is made: some
//! columns are extended at a time. (For narrow ones that takes half as much time again.)

use p3_dft::{Radix2DFTSmallBatch, TwoAdicSubgroupDft};
use p3_field::{Field, PrimeCharacteristicRing};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use p3_matrix::util::reverse_matrix_index_bits;
use p3_maybe_rayon::prelude::*;
use zkvm_air::F;
use zkvm_verifier::Domain;

/// Columns from which on a table is wide.
const WIDE: usize = 1024;

/// Columns of a wide table that are extended together.
const COLUMNS: usize = 64;

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

    /// The same, and leaves the table as it is.
    pub(crate) fn extend_kept(
        &self,
        domain: &Domain,
        table: &RowMajorMatrix<F>,
        blowup_log2: u8,
    ) -> RowMajorMatrix<F> {
        if table.width() >= WIDE {
            self.extend_wide(domain, table, blowup_log2)
        } else {
            self.extend(domain, table.clone(), blowup_log2)
        }
    }

    fn extend_wide(
        &self,
        domain: &Domain,
        table: &RowMajorMatrix<F>,
        blowup_log2: u8,
    ) -> RowMajorMatrix<F> {
        let (height, width) = (table.height(), table.width());
        let mut cells = F::zero_vec((height << blowup_log2) * width);
        for first in (0..width).step_by(COLUMNS) {
            let count = COLUMNS.min(width - first);
            let mut columns = F::zero_vec(height * count);
            columns
                .par_chunks_mut(count)
                .zip(table.values.par_chunks(width))
                .for_each(|(part, row)| part.copy_from_slice(&row[first..first + count]));
            let columns = RowMajorMatrix::new(columns, count);
            let extended = self.extend(domain, columns, blowup_log2);
            cells
                .par_chunks_mut(width)
                .zip(extended.values.par_chunks(count))
                .for_each(|(row, part)| row[first..first + count].copy_from_slice(part));
        }
        RowMajorMatrix::new(cells, width)
    }
}

#[cfg(test)]
mod tests {
    use p3_matrix::bitrev::BitReversibleMatrix;

    use super::*;

    #[test]
    fn tables_are_extended_as_the_commitment_scheme_does() {
        let extender = Extender::default();
        for (height, width) in [
            (4_usize, 1),
            (8, 15),
            (64, 16),
            (32, 100),
            (16, 2 * WIDE + 5),
        ] {
            let cells = (0..height * width).map(|cell| F::from_usize(cell * cell + 7));
            let table = RowMajorMatrix::new(cells.collect(), width);
            let dft = Radix2DFTSmallBatch::<F>::default();
            for shift in [F::ONE, F::TWO] {
                let domain = Domain::new(shift, height.ilog2() as usize);
                let domain = domain.expect("a small power of two");
                let expected = dft.coset_lde_batch(table.clone(), 1, F::GENERATOR / shift);
                let expected = expected.bit_reverse_rows().to_row_major_matrix();
                let kept = extender.extend_kept(&domain, &table, 1);
                assert_eq!(kept, expected, "{height} x {width}");
                let extended = extender.extend(&domain, table.clone(), 1);
                assert_eq!(extended, expected, "{height} x {width}");
            }
        }
    }
}
