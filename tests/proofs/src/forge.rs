//! Forged traces: one change to one chip's cells, and what it does to the whole.

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use zkvm_air::mutate::{PUBLIC, messages};
use zkvm_air::{F, Table, check, check_between};
use zkvm_chips::MachineChip;
use zkvm_testkit::rng::Rng;

use crate::whole::Whole;

/// A change to the cells of one chip.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Forgery {
    /// A cell gets another value.
    Cell {
        /// The row.
        row: usize,
        /// The column.
        column: usize,
        /// The value.
        value: F,
    },
    /// Two rows change places.
    Swap {
        /// One row.
        a: usize,
        /// The other.
        b: usize,
    },
    /// A row is written over another.
    Copy {
        /// The row.
        from: usize,
        /// The other.
        to: usize,
    },
    /// A row becomes zero.
    Drop {
        /// The row.
        row: usize,
    },
    /// The chip is left out.
    Absent,
}

/// The values that are put into a cell: 1 more, 1 less, 0, -1, a random one.
pub fn values(cell: F, rng: &mut Rng) -> [F; 5] {
    let random = F::from_u32(rng.below(u64::from(F::ORDER_U32)) as u32);
    [cell + F::ONE, cell - F::ONE, F::ZERO, F::NEG_ONE, random]
}

/// A row's main and preprocessed cells.
pub fn row<'a>(chip: &'a MachineChip, cells: &'a [F], row: usize) -> (&'a [F], &'a [F]) {
    let (width, fixed) = widths(chip);
    let main = &cells[row * width..(row + 1) * width];
    let preprocessed = &chip.preprocessed[row * fixed..(row + 1) * fixed];
    (main, preprocessed)
}

/// Numbers of main and preprocessed columns.
#[must_use]
pub fn widths(chip: &MachineChip) -> (usize, usize) {
    let description = &chip.description;
    (description.columns.len(), description.preprocessed.len())
}

/// Whether an honest row is padding: all its multiplicities are zero whatever else it holds.
///
/// Rows of a look-up table are never padding. Those of the image table are where the fixed columns
/// say so; those of other chips are where all cells are zero. Register rows of the image are real.
#[must_use]
pub fn is_padding(chip: &MachineChip, cells: &[F], index: usize) -> bool {
    let (main, preprocessed) = row(chip, cells, index);
    if chip.description.name == "image" {
        preprocessed[0].is_zero()
    } else {
        preprocessed.is_empty() && main.iter().all(Field::is_zero)
    }
}

/// Applies a forgery to the chip's cells; `None` leaves the chip out.
#[must_use]
pub fn apply(chip: &MachineChip, cells: &[F], forgery: Forgery) -> Option<Vec<F>> {
    let (width, _) = widths(chip);
    let mut cells = cells.to_vec();
    match forgery {
        Forgery::Cell { row, column, value } => cells[row * width + column] = value,
        Forgery::Swap { a, b } => {
            (0..width).for_each(|column| cells.swap(a * width + column, b * width + column));
        }
        Forgery::Copy { from, to } => {
            cells.copy_within(from * width..(from + 1) * width, to * width);
        }
        Forgery::Drop { row } => cells[row * width..(row + 1) * width].fill(F::ZERO),
        Forgery::Absent => return None,
    }
    Some(cells)
}

/// Whether `forged` in place of row `index` of balanced honest traces would go unnoticed.
///
/// The rest of the traces balances with the honest row, so the forged row must satisfy its
/// constraints and say exactly what the honest one says: [`check`] gets it alone, with the honest
/// row's messages taken away.
#[must_use]
pub fn is_unnoticed(chip: &MachineChip, cells: &[F], index: usize, forged: &[F]) -> bool {
    let (main, preprocessed) = row(chip, cells, index);
    let table = Table {
        description: &chip.description,
        main: forged,
        preprocessed,
        // Honest rows hold under any number of a later segment.
        public: &PUBLIC,
    };
    let honest: Vec<_> = messages(&chip.description, main, preprocessed)
        .into_iter()
        .map(|(_, bus, multiplicity, message)| (bus, message, -multiplicity))
        .collect();
    let within = check(&[table], &honest).failures.is_empty();
    within && check_between(&[table], &honest).failures.is_empty()
}

/// The rows of a chip of the proof at `index` that a test looks at: all if they are few, `most`
/// drawn at random else.
pub fn sample(whole: &Whole, [index, chip]: [usize; 2], most: u64, rng: &mut Rng) -> Vec<usize> {
    let (width, _) = widths(&whole.chips(index)[chip]);
    let height = whole.traces(index)[chip].as_ref().map_or(0, Vec::len) / width;
    if height as u64 <= most {
        return (0..height).collect();
    }
    (0..most)
        .map(|_| rng.below(height as u64) as usize)
        .collect()
}

/// A forgery of the proof at `index`, of any chip in it, that changes something.
pub fn draw(whole: &Whole, index: usize, rng: &mut Rng) -> (usize, Forgery) {
    loop {
        let place = rng.below(whole.chips(index).len() as u64) as usize;
        let chip = &whole.chips(index)[place];
        let Some(cells) = &whole.traces(index)[place] else {
            continue;
        };
        let (width, fixed) = widths(chip);
        let height = (cells.len() / width) as u64;
        let mut any = || rng.below(height) as usize;
        let (a, b) = (any(), any());
        let forgery = match rng.below(12) {
            0 => Forgery::Swap { a, b },
            1 => Forgery::Copy { from: a, to: b },
            2 => Forgery::Drop { row: a },
            3 if fixed == 0 => Forgery::Absent,
            // A count of a look-up table that is not zero, or a cell of another chip.
            4 | 5 => {
                let used: Vec<usize> = (0..cells.len())
                    .filter(|at| !cells[*at].is_zero())
                    .collect();
                if used.is_empty() {
                    continue;
                }
                let at = rng.pick(&used);
                let others = values(cells[at], rng);
                let value = rng.pick(&others);
                let (row, column) = (at / width, at % width);
                Forgery::Cell { row, column, value }
            }
            _ => {
                let column = rng.below(width as u64) as usize;
                let others = values(cells[a * width + column], rng);
                let value = rng.pick(&others);
                let row = a;
                Forgery::Cell { row, column, value }
            }
        };
        if apply(chip, cells, forgery).as_ref() == Some(cells) {
            continue;
        }
        return (place, forgery);
    }
}

/// `whole` with a forgery of one chip of the proof at `index`.
#[must_use]
pub fn forged(whole: &Whole, index: usize, place: usize, forgery: Forgery) -> Whole {
    let mut forged = whole.clone();
    if let Some(cells) = &whole.traces(index)[place] {
        let cells = apply(&whole.chips(index)[place], cells, forgery);
        forged.traces_mut(index)[place] = cells;
    }
    forged
}
