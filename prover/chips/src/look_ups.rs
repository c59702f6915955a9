//! Counting look-ups: what the tables' multiplicities must be for the buses to balance.

use std::collections::BTreeMap;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use zkvm_air::{Bus, Description, F};

use crate::bitwise_table::{AND, OR, XOR};

/// How often each entry of each table is looked up.
#[derive(Debug)]
pub(crate) struct LookUps {
    range_16: Vec<u32>,
    /// By operation, then by the pair of bytes.
    bitwise: [Vec<u32>; 3],
    /// By the pair of bytes.
    bytes: Vec<u32>,
    /// By half pc.
    program: BTreeMap<u32, u32>,
    /// By the whole message.
    region: BTreeMap<Vec<u32>, u32>,
}

impl LookUps {
    pub(crate) fn new() -> Self {
        LookUps {
            range_16: vec![0; 1 << 16],
            bitwise: std::array::from_fn(|_| vec![0; 1 << 16]),
            bytes: vec![0; 1 << 16],
            program: BTreeMap::new(),
            region: BTreeMap::new(),
        }
    }

    /// Counts the look-ups of every row of `main`. What is in no table is not counted: such a
    /// trace cannot balance.
    pub(crate) fn count(&mut self, chip: &Description, main: &[F], preprocessed: &[F]) {
        let (width, fixed_width) = (chip.columns.len(), chip.preprocessed.len());
        let mut registers = Vec::new();
        let mut values = Vec::with_capacity(chip.interaction_tape.outputs);
        for (index, row) in main.chunks(width).enumerate() {
            let fixed = &preprocessed[index * fixed_width..(index + 1) * fixed_width];
            values.clear();
            chip.interaction_tape
                .run(row, fixed, &mut registers, |value: F| values.push(value));
            let mut rest = values.as_slice();
            for interaction in &chip.interactions {
                let (own, others) = rest.split_at(1 + interaction.values.len());
                rest = others;
                if own[0].is_one() {
                    self.add(interaction.bus, &own[1..]);
                }
            }
        }
    }

    fn add(&mut self, bus: Bus, message: &[F]) {
        let value = |index: usize| message[index].as_canonical_u32();
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
            Bus::Program => *self.program.entry(value(0)).or_default() += 1,
            Bus::Region => {
                let message = message.iter().map(PrimeField32::as_canonical_u32).collect();
                *self.region.entry(message).or_default() += 1;
            }
            Bus::State | Bus::Memory | Bus::Chain | Bus::Transfer | Bus::Journal | Bus::Halt => {}
        }
    }

    /// The cells of the table of 16-bit values.
    pub(crate) fn range_16(&self) -> Vec<F> {
        cells(&self.range_16)
    }

    /// The cells of the bitwise table.
    pub(crate) fn bitwise(&self) -> Vec<F> {
        let [and, or, xor] = &self.bitwise;
        let counts = and.iter().zip(or).zip(xor).zip(&self.bytes);
        counts
            .flat_map(|(((and, or), xor), bytes)| [*and, *or, *xor, *bytes].map(F::from_u32))
            .collect()
    }

    /// The cells of the program table, whose rows are at these half pcs. A half pc that several
    /// rows hold is counted in its first.
    pub(crate) fn program(mut self, half_pcs: impl Iterator<Item = u32>) -> (Vec<F>, Self) {
        let take = |half_pc| self.program.remove(&half_pc).unwrap_or(0);
        (half_pcs.map(take).map(F::from_u32).collect(), self)
    }

    /// The cells of the region table, whose rows are these messages; as for the program.
    pub(crate) fn region(mut self, messages: impl Iterator<Item = Vec<u32>>) -> Vec<F> {
        messages
            .map(|m| self.region.remove(&m).unwrap_or(0))
            .map(F::from_u32)
            .collect()
    }
}

fn increment(counts: &mut [u32], index: u32) {
    if let Some(count) = counts.get_mut(index as usize) {
        *count += 1;
    }
}

fn cells(counts: &[u32]) -> Vec<F> {
    counts.iter().map(|count| F::from_u32(*count)).collect()
}
