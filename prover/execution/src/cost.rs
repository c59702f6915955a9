//! What proving an execution takes, foretold from the shapes of its segments: nothing is proved.
//!
//! The execution is run once, cut as the prover would cut it. Heights, widths and interactions of all
//! tables follow exactly, and from them
//!
//! - the size of the proof: openings, rows and Merkle paths of all queries (whose overlaps are
//!   reckoned by their expectation), within a few per cent;
//! - the peak of memory and the seconds, by rates that were measured (see [`Rates`]): an estimate.

use std::collections::BTreeMap;

use zkvm_air::{Description, Round};
use zkvm_chips::{Machine, MachineChip, MemoryEnds};
use zkvm_isa::record::{ChipRows, Part};
use zkvm_isa::{Chip, Opcode};
use zkvm_machine::{Console, Execution, Input, Recording, execute_segments};
use zkvm_statement::ExecutionKeys;
use zkvm_verifier::logup::{DIMENSION, fractions, speaks_between};
use zkvm_verifier::{Config, FOLD_ARITY_LOG2_MAX, Hash, Parameters};

use crate::memory::row_bytes;
use crate::{Keys, Options, ProveError};

/// What one chip adds, over all proofs of an execution.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChipCost {
    /// Rows that are used.
    pub rows: u64,
    /// Rows of its tables: powers of two.
    pub rows_padded: u64,
    /// Main cells of its tables.
    pub main_cells: u64,
    /// LogUp cells of its tables: fractions and running sums.
    pub logup_cells: u64,
    /// Interactions of its tables: rows times interactions.
    pub interactions: u64,
}

impl ChipCost {
    fn add(&mut self, other: &ChipCost) {
        self.rows += other.rows;
        self.rows_padded += other.rows_padded;
        self.main_cells += other.main_cells;
        self.logup_cells += other.logup_cells;
        self.interactions += other.interactions;
    }
}

/// CPU seconds by what the prover does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Seconds {
    /// Executing twice.
    pub execute: f64,
    /// Filling traces.
    pub fill: f64,
    /// Committing to everything: preprocessed columns, traces, LogUp columns, quotients.
    pub commit: f64,
    /// Computing LogUp columns.
    pub logup: f64,
    /// Computing quotients.
    pub quotient: f64,
    /// Opening, and grinding.
    pub open: f64,
}

impl Seconds {
    /// All together.
    #[must_use]
    pub fn total(&self) -> f64 {
        self.execute + self.fill + self.commit + self.logup + self.quotient + self.open
    }
}

/// What proving an execution would take.
#[derive(Clone, Debug, PartialEq)]
pub struct Cost {
    /// Instructions.
    pub cycles: u64,
    /// Segments.
    pub segments: u32,
    /// Proofs of further words of memory.
    pub words_parts: u32,
    /// By chip, in the order of the registry; chips that are not used are left out.
    pub chips: Vec<(String, ChipCost)>,
    /// All chips together.
    pub total: ChipCost,
    /// The peak of memory, in bytes: an estimate.
    pub memory_bytes: u64,
    /// The size of the proof file, in bytes: within a few per cent.
    pub proof_bytes: u64,
    /// CPU seconds: an estimate for processors like the one that [`Rates`] name.
    pub seconds: Seconds,
}

/// What was measured of this prover: CPU nanoseconds per unit.
///
/// Measured by `zkvm bench --prove` in release builds on an AMD EPYC (Zen 4); `docs/bench/prover.md` has the
/// runs. Those without AVX-512 are of an earlier prover, some only scaled from it, and foretell too much; of
/// Poseidon2 with AVX-512 only committing was measured. Change them when the prover gets faster: the same command
/// compares what they foretell with what it takes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rates {
    /// Per instruction, both runs together.
    pub execute: f64,
    /// Per main cell.
    pub fill: f64,
    /// Per row besides.
    pub fill_row: f64,
    /// Per committed cell.
    pub commit: f64,
    /// Per interaction.
    pub logup: f64,
    /// Per interaction.
    pub quotient: f64,
    /// Per row and operation of a chip's constraints besides.
    pub quotient_operation: f64,
    /// Per opened cell.
    pub open: f64,
    /// Per row besides.
    pub open_row: f64,
    /// Per proof of a segment: grinding, opening of rows.
    pub proof: f64,
    /// The processor class, for people.
    pub processor: &'static str,
}

impl Rates {
    /// The rates of proofs with `hash`.
    #[must_use]
    pub const fn of(hash: Hash) -> Self {
        // The field's arithmetic is chosen when this is built: with AVX-512 sixteen lanes, or one.
        let blake3 = if cfg!(target_feature = "avx512f") {
            Rates {
                execute: 93.0,
                fill: 1.7,
                fill_row: 140.0,
                commit: 23.0,
                logup: 25.0,
                quotient: 42.0,
                quotient_operation: 1.2,
                open: 4.0,
                open_row: 490.0,
                proof: 0.1e9,
                processor: PROCESSOR,
            }
        } else {
            Rates {
                execute: 210.0,
                fill: 2.2,
                fill_row: 180.0,
                commit: 51.0,
                logup: 134.0,
                quotient: 250.0,
                quotient_operation: 7.6,
                open: 11.0,
                open_row: 1300.0,
                proof: 0.1e9,
                processor: PROCESSOR,
            }
        };
        match hash {
            Hash::Blake3 => blake3,
            Hash::Poseidon2 => Rates {
                commit: 385.0,
                // Grinding 16 bits; its luck varies.
                proof: 0.3e9,
                ..blake3
            },
        }
    }
}

/// The processor class of [`Rates`].
const PROCESSOR: &str = if cfg!(target_feature = "avx512f") {
    "AMD EPYC (Zen 4), AVX-512"
} else {
    "AMD EPYC (Zen 4), no native flags"
};

/// Memory of the process before anything is proved, in bytes.
const PROCESS_BYTES: u64 = 24 << 20;

/// Bytes of digests per row of the tallest table, in the trees that are there at the worst moment.
const DIGESTS_BYTES: u64 = 300;

/// What the keys of both parts take, and what the allocator keeps from one segment to the next, in
/// executions of several segments: measured, not derived.
const SEVERAL_BYTES: u64 = 80 << 20;

/// Bytes per word of memory that the execution touches, in the prover's own tables of them.
const WORD_BYTES: u64 = 200;

/// Foretells what proving the program of `keys` on `input` takes. The guest may end as it likes:
/// [`Execution::exit`] says how, and of one that did not halt the cost is of no proof.
///
/// # Errors
/// [`ProveError`] if the execution cannot begin, or touches memory that is not mapped.
pub fn cost<C: Config>(
    keys: &Keys<C>,
    input: &Input,
    options: &Options,
    console: &mut dyn Console,
) -> Result<(Cost, Execution), ProveError> {
    let mut ends = MemoryEnds::new();
    let mut segments: Vec<(ChipRows, u64)> = Vec::new();
    let segmented = execute_segments(
        keys.program(),
        input,
        &options.limits,
        &options.segment_limits,
        Recording::Boundaries,
        console,
        &mut |segment, _| {
            ends.note(&segment);
            let boundary = segment.boundary.len() + segment.boundary_registers.len();
            segments.push((segment.rows, boundary as u64));
        },
    )?;
    let execution = segmented.execution;
    let memory = ends.finish(
        keys.chips(Part::Last),
        options.segment_limits.rows_max as usize,
    )?;
    let words = |cells: Option<Vec<zkvm_air::F>>, machine: &Machine| {
        let width = machine.chips.iter().find(|chip| is(chip, "memory"));
        let width = width.map_or(1, |chip| chip.description.columns.len());
        (cells.map_or(0, |cells| cells.len()) / width) as u64
    };
    let mut reckoning = Reckoning::new(keys);
    let last = segments.len().saturating_sub(1);
    for (index, (rows, boundary)) in segments.iter().enumerate() {
        let part = if index == last {
            Part::Last
        } else {
            Part::Segment
        };
        let mut of = Rows::default();
        of.instructions(rows, &execution);
        of.0.insert("boundary", *boundary);
        if part == Part::Last {
            let in_last = memory.in_last()?.words;
            of.0.insert("memory", words(in_last, keys.chips(part)));
        }
        reckoning.add(part, &of);
    }
    for part in 0..memory.parts() {
        let machine = keys.chips(Part::Words);
        let count = words(memory.in_part(part)?, machine);
        reckoning.add(Part::Words, &Rows([("memory", count)].into()));
    }
    let cost = reckoning.finish(&execution, segments.len() as u32, memory.parts() as u32);
    Ok((cost, execution))
}

fn is(chip: &MachineChip, name: &str) -> bool {
    chip.description.name == name
}

/// Rows in use by chip, of one proof.
#[derive(Default)]
struct Rows(BTreeMap<&'static str, u64>);

impl Rows {
    /// The rows of instructions, of journal and hints. Segments count `lr` and `sc` with the other
    /// atomics; they are split as in the whole execution.
    fn instructions(&mut self, rows: &ChipRows, execution: &Execution) {
        for chip in Chip::ALL {
            self.0.insert(chip.name(), rows.of(chip));
        }
        let reserving = [Opcode::LrW, Opcode::LrD, Opcode::ScW, Opcode::ScD];
        let reserving = reserving.map(|opcode| execution.cost.executions(opcode));
        let reserving: u64 = reserving.iter().sum();
        let all = execution.cost.rows.of(Chip::Atomic).max(1);
        let atomics = rows.of(Chip::Atomic);
        let reservations = atomics.saturating_mul(reserving) / all;
        self.0.insert("reservation", reservations);
        self.0.insert("atomic", atomics - reservations);
    }
}

/// A table of one proof.
struct Table<'a> {
    description: &'a Description,
    has_preprocessed: bool,
    height: u64,
}

impl Table<'_> {
    fn logup_width(&self) -> u64 {
        let running = 1 + usize::from(speaks_between(self.description));
        (DIMENSION * (fractions(self.description) + running)) as u64
    }

    fn cost(&self, rows: u64) -> ChipCost {
        ChipCost {
            rows,
            rows_padded: self.height,
            main_cells: self.height * self.description.columns.len() as u64,
            logup_cells: self.height * self.logup_width(),
            interactions: self.height * self.description.interactions.len() as u64,
        }
    }
}

/// Adds up proof after proof.
struct Reckoning<'a, C: Config> {
    keys: &'a Keys<C>,
    rates: Rates,
    chips: Vec<(String, ChipCost)>,
    seconds: Seconds,
    tables_bytes_max: u64,
    proof_bytes: f64,
    parts: Vec<Part>,
    /// Words of memory that the execution touches.
    words: u64,
}

/// Cells per row of the quotient's two chunks.
const QUOTIENT_CELLS: u64 = 2 * DIMENSION as u64;

impl<'a, C: Config> Reckoning<'a, C> {
    fn new(keys: &'a Keys<C>) -> Self {
        Reckoning {
            keys,
            rates: Rates::of(C::HASH),
            chips: Vec::new(),
            seconds: Seconds::default(),
            tables_bytes_max: 0,
            proof_bytes: 0.0,
            parts: Vec::new(),
            words: 0,
        }
    }

    /// Adds a proof with these rows.
    fn add(&mut self, part: Part, rows: &Rows) {
        let machine = self.keys.chips(part);
        self.words += rows.0.get("memory").copied().unwrap_or(0);
        let mut tables = Vec::new();
        let mut total = ChipCost::default();
        let (mut table_bytes, mut tallest, mut operations) = (0, 0, 0);
        for chip in &machine.chips {
            let name = chip.description.name.as_str();
            let (rows, height) = match chip.fixed_height() {
                Some(height) => (height as u64, height as u64),
                None => match rows.0.get(name) {
                    None | Some(0) => continue,
                    Some(rows) => (*rows, rows.next_power_of_two().max(4)),
                },
            };
            let table = Table {
                description: &chip.description,
                has_preprocessed: chip.fixed_height().is_some(),
                height,
            };
            let cost = table.cost(rows);
            table_bytes += height * u64::from(row_bytes(&chip.description));
            tallest = tallest.max(height);
            operations += height * chip.description.constraint_tape.operations.len() as u64;
            total.add(&cost);
            match self.chips.iter_mut().find(|(known, _)| known == name) {
                Some((_, sum)) => sum.add(&cost),
                None => self.chips.push((name.to_owned(), cost)),
            }
            tables.push(table);
        }
        let preprocessed: u64 = machine
            .chips
            .iter()
            .map(|chip| chip.preprocessed.len() as u64)
            .sum();
        let committed = total.main_cells + total.logup_cells + QUOTIENT_CELLS * total.rows_padded;
        let mut keys = 0;
        if !self.parts.contains(&part) {
            self.parts.push(part);
            keys = preprocessed;
        }
        let nanoseconds = |units: u64, rate: f64| units as f64 * rate / 1e9;
        let rates = self.rates;
        let seconds = &mut self.seconds;
        let rows = total.rows_padded;
        seconds.fill += nanoseconds(total.main_cells, rates.fill);
        seconds.fill += nanoseconds(rows, rates.fill_row);
        seconds.commit += nanoseconds(committed + keys, rates.commit);
        seconds.logup += nanoseconds(total.interactions, rates.logup);
        seconds.quotient += nanoseconds(total.interactions, rates.quotient);
        seconds.quotient += nanoseconds(operations, rates.quotient_operation);
        seconds.open += nanoseconds(committed + preprocessed, rates.open);
        seconds.open += nanoseconds(rows, rates.open_row);
        seconds.open += rates.proof / 1e9;
        let proof_bytes_max = table_bytes + tallest * DIGESTS_BYTES;
        self.tables_bytes_max = self.tables_bytes_max.max(proof_bytes_max);
        self.proof_bytes += proof_bytes::<C>(self.keys.config().parameters(), &tables);
    }

    fn finish(mut self, execution: &Execution, segments: u32, words_parts: u32) -> Cost {
        self.seconds.execute = execution.cycles as f64 * self.rates.execute / 1e9;
        let mut total = ChipCost::default();
        self.chips.iter().for_each(|(_, cost)| total.add(cost));
        // Magic, version, header, program id, checksum, and numbers of each segment.
        let frame = 150.0 + 12.0 * f64::from(segments);
        let several = if segments > 1 { SEVERAL_BYTES } else { 0 };
        let proof_bytes = self.proof_bytes + frame + execution.journal.len() as f64;
        Cost {
            cycles: execution.cycles,
            segments,
            words_parts,
            chips: self.chips,
            total,
            memory_bytes: PROCESS_BYTES
                + several
                + execution.cost.memory_bytes
                + self.words * WORD_BYTES
                + self.tables_bytes_max,
            proof_bytes: proof_bytes as u64,
            seconds: self.seconds,
        }
    }
}

/// Length of a field element's encoding.
const ELEMENT_BYTES: f64 = 4.0;

/// Expected bytes of the proof of `tables`.
fn proof_bytes<C: Config>(parameters: &Parameters, tables: &[Table<'_>]) -> f64 {
    let digest_bytes = match C::HASH {
        Hash::Blake3 => 32.0,
        Hash::Poseidon2 => 8.0 * ELEMENT_BYTES,
    };
    let queries = f64::from(parameters.queries);
    let blowup_log2 = u32::from(parameters.blowup_log2);
    let openings: u64 = tables
        .iter()
        .map(|table| {
            let next = table.logup_width() - (DIMENSION * fractions(table.description)) as u64;
            let columns = table.description.columns.len() + table.description.preprocessed.len();
            columns as u64 + table.logup_width() + next + QUOTIENT_CELLS
        })
        .sum();
    let sums: usize = tables
        .iter()
        .map(|table| 1 + usize::from(speaks_between(table.description)))
        .sum();
    // Lengths of vectors: of every opening and of every opened row.
    let mut bytes = 6.0 * digest_bytes + 8.0 * tables.len() as f64;
    bytes += (openings as f64 + sums as f64) * DIMENSION as f64 * ELEMENT_BYTES;

    let is_of = |round: Round| move |table: &&Table<'_>| table.description.round == round;
    let widths =
        |width: fn(&Table<'_>) -> u64| move |table: &Table<'_>| (table.height, width(table));
    let main = widths(|table| table.description.columns.len() as u64);
    let has_preprocessed = |table: &&Table<'_>| table.has_preprocessed;
    let batches: [Vec<(u64, u64)>; 5] = [
        tables
            .iter()
            .filter(has_preprocessed)
            .map(|table| (table.height, table.description.preprocessed.len() as u64))
            .collect(),
        tables
            .iter()
            .filter(is_of(Round::Boundary))
            .map(main)
            .collect(),
        tables.iter().filter(is_of(Round::Main)).map(main).collect(),
        tables
            .iter()
            .map(widths(|table| table.logup_width()))
            .collect(),
        tables.iter().map(widths(|_| QUOTIENT_CELLS)).collect(),
    ];
    for batch in &batches {
        let Some(tallest) = batch.iter().map(|(height, _)| *height).max() else {
            continue;
        };
        let width: u64 = batch.iter().map(|(_, width)| *width).sum();
        bytes += queries * (width as f64 * ELEMENT_BYTES + 1.5 * batch.len() as f64);
        bytes += digest_bytes * path_digests(tallest.ilog2() + blowup_log2, queries);
    }
    let mut heights: Vec<u32> = tables
        .iter()
        .map(|table| table.height.ilog2() + blowup_log2)
        .collect();
    heights.sort_unstable_by(|a, b| b.cmp(a));
    heights.dedup();
    for (height_log2, arity_log2) in folds(&heights, blowup_log2) {
        let siblings = f64::from((1_u32 << arity_log2) - 1);
        bytes += digest_bytes + ELEMENT_BYTES + 4.0;
        bytes += queries * (siblings * DIMENSION as f64 * ELEMENT_BYTES + 1.0);
        bytes += digest_bytes * path_digests(height_log2 - arity_log2, queries);
    }
    bytes
}

/// Expected digests of the paths of random queries in a tree of `2^height_log2` leaves: at each
/// level the nodes without a query under them whose siblings have one.
fn path_digests(height_log2: u32, queries: f64) -> f64 {
    (1..=height_log2)
        .map(|level| {
            let nodes = 2_f64.powi(level as i32);
            let none_under = |count: f64| (1.0 - count / nodes).max(0.0).powf(queries);
            nodes * (none_under(1.0) - none_under(2.0))
        })
        .sum()
}

/// The folds of FRI: logarithms of the height before each, and of its arity. A fold goes no further
/// than to the next height at which codewords join.
fn folds(heights_log2: &[u32], last_log2: u32) -> Vec<(u32, u32)> {
    let mut folds = Vec::new();
    let Some(mut height_log2) = heights_log2.first().copied() else {
        return folds;
    };
    while height_log2 > last_log2 {
        let joining = heights_log2
            .iter()
            .filter(|joining| **joining < height_log2);
        let next = joining.max().copied().unwrap_or(last_log2).max(last_log2);
        let arity_log2 = (height_log2 - next).min(FOLD_ARITY_LOG2_MAX as u32);
        folds.push((height_log2, arity_log2));
        height_log2 -= arity_log2;
    }
    folds
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_stop_where_codewords_join() {
        assert_eq!(folds(&[10], 2), [(10, 3), (7, 3), (4, 2)]);
        assert_eq!(folds(&[10, 6], 2), [(10, 3), (7, 1), (6, 3), (3, 1)]);
        assert_eq!(folds(&[], 1), []);
    }

    #[test]
    fn paths_of_one_query_are_whole_and_of_many_overlap() {
        assert!((path_digests(10, 1.0) - 10.0).abs() < 1e-9);
        let many = path_digests(10, 200.0);
        assert!(many > 0.0 && many < 200.0 * 10.0 / 3.0, "{many}");
    }
}
