//! Counting look-ups: what the tables' multiplicities must be for the buses to balance.

use std::collections::BTreeMap;

use p3_field::{Field, PackedValue, PrimeCharacteristicRing, PrimeField32};
use p3_maybe_rayon::prelude::*;
use zkvm_air::{Bus, Description, F, Row, Tape};

use crate::bitwise_table::{AND, OR, XOR};
use crate::fill::Traces;
use crate::machine::{Machine, MachineChip};
use crate::{bitwise_table, program, range_table, region};

type Packed = <F as Field>::Packing;

/// Rows in a vector.
const LANES: usize = Packed::WIDTH;

/// Rows that a thread counts at a time.
const ROWS_PER_TASK: usize = 1 << 14;

/// Sets the counts of the look-up tables to what all other rows look up. Filling does; a test that
/// forges rows does again, so that only what is in no table stays out of balance.
pub fn count_look_ups(machine: &Machine, traces: &mut Traces, public: &[F]) {
    let first_half_pc = machine.facts.first_half_pc;
    let new = || LookUps::new(first_half_pc, machine.facts.rows.len());
    let mut counts = new();
    for (chip, trace) in machine.chips.iter().zip(traces.iter()) {
        let looks_up = LookUpTape::new(&chip.description);
        if looks_up.buses.is_empty() {
            continue;
        }
        let (width, fixed_width) = (
            chip.description.columns.len(),
            chip.description.preprocessed.len(),
        );
        let Some(cells) = trace else { continue };
        let chunks = cells.par_chunks(ROWS_PER_TASK * width).enumerate();
        let parts: Vec<LookUps> = chunks
            .fold_chunks(8, new, |mut counts, (task, main)| {
                let rows = main.len() / width;
                let first = task * ROWS_PER_TASK * fixed_width;
                let fixed = &chip.preprocessed[first..first + rows * fixed_width];
                looks_up.count(&mut counts, [main, fixed], [width, fixed_width], public);
                counts
            })
            .collect();
        parts.iter().for_each(|part| counts.add(part));
    }
    let rows =
        |name: &str| -> Option<&MachineChip> { machine.index(name).map(|i| &machine.chips[i]) };
    let mut set = |name: &str, cells: Vec<F>| {
        if let Some(index) = machine.index(name) {
            traces[index] = Some(cells);
        }
    };
    set(range_table::NAME, cells(&counts.range_16));
    let [and, or, xor] = &counts.bitwise;
    let pairs = and.iter().zip(or).zip(xor).zip(&counts.bytes);
    let bitwise =
        pairs.flat_map(|(((and, or), xor), bytes)| [*and, *or, *xor, *bytes].map(F::from_u32));
    set(bitwise_table::NAME, bitwise.collect());
    // What several rows hold is counted in its first.
    if let Some(table) = rows(program::NAME) {
        let width = table.description.preprocessed.len();
        let half_pcs = table.preprocessed.chunks(width).map(|row| row[0]);
        let take = |half_pc: F| {
            let index = half_pc.as_canonical_u32().wrapping_sub(first_half_pc);
            let count = counts.program.get_mut(index as usize);
            F::from_u32(count.map_or(0, std::mem::take))
        };
        set(program::NAME, half_pcs.map(take).collect());
    }
    if let Some(table) = rows(region::NAME) {
        let width = table.description.preprocessed.len();
        let messages = table.preprocessed.chunks(width).map(canonical);
        let take = |message: Vec<u32>| counts.region.remove(&message).unwrap_or(0);
        set(region::NAME, messages.map(take).map(F::from_u32).collect());
    }
}

fn canonical(message: &[F]) -> Vec<u32> {
    message.iter().map(PrimeField32::as_canonical_u32).collect()
}

fn cells(counts: &[u32]) -> Vec<F> {
    counts.iter().map(|count| F::from_u32(*count)).collect()
}

/// Whether messages on the bus are look-ups in a table of fixed rows.
fn is_look_up(bus: Bus) -> bool {
    match bus {
        Bus::Range16 | Bus::Bytes | Bus::Bitwise | Bus::Program | Bus::Region => true,
        Bus::State
        | Bus::Memory
        | Bus::Chain
        | Bus::Transfer
        | Bus::Journal
        | Bus::Halt
        | Bus::Boundary
        | Bus::Precompile
        | Bus::Keccak
        | Bus::Sha256 => false,
    }
}

/// Computes what a chip's rows look up.
struct LookUpTape {
    tape: Tape,
    buses: Vec<Bus>,
}

impl LookUpTape {
    fn new(chip: &Description) -> Self {
        let buses = chip.interactions.iter().map(|interaction| interaction.bus);
        LookUpTape {
            tape: chip.interaction_tape_of(is_look_up),
            buses: buses.filter(|bus| is_look_up(*bus)).collect(),
        }
    }

    /// Counts the look-ups of rows with these main and preprocessed cells.
    fn count(
        &self,
        counts: &mut LookUps,
        [main, fixed]: [&[F]; 2],
        [width, fixed_width]: [usize; 2],
        public: &[F],
    ) {
        let rows = main.len() / width;
        let (mut registers, mut values) = (Vec::new(), Vec::new());
        let (mut packed_main, mut packed_fixed) = (Vec::new(), Vec::new());
        for first in (0..rows).step_by(LANES) {
            // Beyond the last row the lanes repeat it; they are not counted.
            let lanes = LANES.min(rows - first);
            let pack = |cells: &[F], width: usize, packed: &mut Vec<Packed>| {
                packed.clear();
                packed.extend((0..width).map(|column| {
                    Packed::from_fn(|lane| cells[(first + lane.min(lanes - 1)) * width + column])
                }));
            };
            pack(main, width, &mut packed_main);
            pack(fixed, fixed_width, &mut packed_fixed);
            let row = Row {
                main: packed_main.as_slice(),
                preprocessed: &packed_fixed,
                public,
            };
            values.clear();
            self.tape
                .run(row, &mut registers, |value: Packed| values.push(value));
            let mut rest = values.as_slice();
            for bus in &self.buses {
                let (own, others) = rest.split_at(1 + bus.width());
                rest = others;
                for lane in 0..lanes {
                    if own[0].as_slice()[lane].is_one() {
                        counts.look_up(*bus, |index| own[1 + index].as_slice()[lane]);
                    }
                }
            }
        }
    }
}

/// How often each entry of each table is looked up.
#[derive(Clone, Debug)]
struct LookUps {
    range_16: Vec<u32>,
    /// By operation, then by the pair of bytes.
    bitwise: [Vec<u32>; 3],
    /// By the pair of bytes.
    bytes: Vec<u32>,
    first_half_pc: u32,
    /// By half pc, from the first.
    program: Vec<u32>,
    /// By the whole message.
    region: BTreeMap<Vec<u32>, u32>,
}

impl LookUps {
    fn new(first_half_pc: u32, half_words: usize) -> Self {
        LookUps {
            range_16: vec![0; 1 << 16],
            bitwise: std::array::from_fn(|_| vec![0; 1 << 16]),
            bytes: vec![0; 1 << 16],
            first_half_pc,
            program: vec![0; half_words],
            region: BTreeMap::new(),
        }
    }

    /// Counts one look-up. What is in no table is not counted: such a trace cannot balance.
    fn look_up(&mut self, bus: Bus, element: impl Fn(usize) -> F) {
        let value = |index: usize| element(index).as_canonical_u32();
        match bus {
            Bus::Range16 => increment(&mut self.range_16, value(0)),
            Bus::Bytes => {
                if let [a @ 0..256, b @ 0..256] = [value(0), value(1)] {
                    increment(&mut self.bytes, a << 8 | b);
                }
            }
            Bus::Bitwise => {
                if let [AND | OR | XOR, a @ 0..256, b @ 0..256] = [value(0), value(1), value(2)] {
                    increment(&mut self.bitwise[value(0) as usize], a << 8 | b);
                }
            }
            Bus::Program => {
                let index = value(0).wrapping_sub(self.first_half_pc);
                increment(&mut self.program, index);
            }
            Bus::Region => {
                let message = (0..bus.width()).map(value).collect();
                *self.region.entry(message).or_default() += 1;
            }
            Bus::State
            | Bus::Memory
            | Bus::Chain
            | Bus::Transfer
            | Bus::Journal
            | Bus::Halt
            | Bus::Boundary
            | Bus::Precompile
            | Bus::Keccak
            | Bus::Sha256 => {}
        }
    }

    /// Adds what others counted.
    fn add(&mut self, other: &LookUps) {
        let pairs = [
            (&mut self.range_16, &other.range_16),
            (&mut self.bytes, &other.bytes),
            (&mut self.program, &other.program),
        ];
        let bitwise = self.bitwise.iter_mut().zip(&other.bitwise);
        for (counts, others) in pairs.into_iter().chain(bitwise) {
            for (count, other) in counts.iter_mut().zip(others) {
                *count += other;
            }
        }
        for (message, count) in &other.region {
            *self.region.entry(message.clone()).or_default() += count;
        }
    }
}

fn increment(counts: &mut [u32], index: u32) {
    if let Some(count) = counts.get_mut(index as usize) {
        *count += 1;
    }
}
