//! Filling the traces of a segment: one row per record, all chips, then the counts of look-ups.

use p3_field::PrimeCharacteristicRing;
use p3_maybe_rayon::prelude::*;
use zkvm_air::{Columns, F};
use zkvm_isa::record::{Records, RegisterRecord, TransferRecord, WordAccess};
use zkvm_isa::{Chip, Precompile};
use zkvm_machine::Segment;

use crate::common::{MIN_HEIGHT, REGISTER_HINT, REGISTER_JOURNAL};
use crate::ends::MemoryTraces;
use crate::machine::{Facts, Machine, Unprovable};
use crate::program::ProgramRow;
use crate::{
    add_sub, atomic, bitwise, boundary, branch, div_rem, hint, image, journal, jump, keccak,
    keccak_round, less_than, load, look_ups, memory, misaligned, mul, multiply_mod, reservation,
    secp256k1, sha256, sha256_round, shift, store, system, upper_immediate,
};

/// Per chip of a [`Machine`]: cells row after row, a power of two rows; `None` if it is not used.
pub type Traces = Vec<Option<Vec<F>>>;

/// A call of a precompile: its clock and its words.
type Call<'a> = (u32, &'a [WordAccess]);

/// Rows that a thread fills at a time.
const ROWS_PER_TASK: usize = 1 << 10;

impl Machine {
    /// The traces of the tables that are committed to before the challenges of the execution are
    /// drawn; the others are `None`.
    #[must_use]
    pub fn boundary_traces(
        &self,
        segment: Option<&Segment>,
        memory: Option<MemoryTraces>,
    ) -> Traces {
        let mut traces = vec![None; self.chips.len()];
        if let Some(segment) = segment {
            let rows: Vec<_> = boundary::rows(segment, |word| self.facts.space_of(word)).collect();
            self.set(&mut traces, boundary::NAME, Some(cells_of(rows)));
        }
        if let Some(MemoryTraces { image, words }) = memory {
            self.set(&mut traces, image::NAME, image);
            self.set(&mut traces, memory::NAME, words);
        }
        traces
    }

    /// All traces of a segment of which `records` are the records. `memory` belongs to the last.
    ///
    /// # Errors
    /// [`Unprovable`] names what has no chip.
    pub fn segment_traces(
        &self,
        segment: &Segment,
        records: &Records,
        memory: Option<MemoryTraces>,
    ) -> Result<Traces, Unprovable> {
        let mut traces = self.boundary_traces(Some(segment), memory);
        let facts = &self.facts;
        let mut set = |name: &str, trace: Option<Vec<F>>| self.set(&mut traces, name, trace);
        let registers = |chip: Chip| &records.registers[chip as usize];
        let of = |chip: Chip| RegisterRows {
            facts,
            records: registers(chip),
        };
        set(add_sub::NAME, of(Chip::AddSub).fill(add_sub::fill)?);
        set(bitwise::NAME, of(Chip::Bitwise).fill(bitwise::fill)?);
        set(less_than::NAME, of(Chip::LessThan).fill(less_than::fill)?);
        set(shift::NAME, of(Chip::Shift).fill(shift::fill)?);
        set(mul::NAME, of(Chip::Mul).fill(mul::fill)?);
        set(div_rem::NAME, of(Chip::DivRem).fill(div_rem::fill)?);
        set(branch::NAME, of(Chip::Branch).fill(branch::fill)?);
        set(jump::NAME, of(Chip::Jump).fill(jump::fill)?);
        let upper_immediate = of(Chip::UpperImmediate).fill(upper_immediate::fill)?;
        set(upper_immediate::NAME, upper_immediate);
        let loads = fill(&records.loads, |record| {
            let is_read_only = facts.is_read_only(record.word.word_index);
            let program = facts.row(record.registers.text_index)?;
            Ok(load::fill(record, program, is_read_only))
        });
        set(load::NAME, loads?);
        let stores = fill(&records.stores, |record| {
            let program = facts.row(record.registers.text_index)?;
            Ok(store::fill(record, program))
        });
        set(store::NAME, stores?);
        let misaligned = fill(&records.misaligned, |record| {
            let words = [record.low, record.high].map(|word| word.word_index);
            // A word 0 is never mapped: it says that the access stays inside `low`.
            let is_read_only = words.map(|word| word != 0 && facts.is_read_only(word));
            let program = facts.row(record.registers.text_index)?;
            Ok(misaligned::fill(record, program, is_read_only))
        });
        set(misaligned::NAME, misaligned?);
        let system = fill(&records.system, |record| {
            let program = facts.row(record.text_index)?;
            system::fill(record, program).ok_or_else(|| Unprovable {
                what: format!(
                    "the system call {:#x} at position {}",
                    record.arguments[0], record.position
                ),
            })
        });
        set(system::NAME, system?);
        let words = transfers(records, REGISTER_JOURNAL, &records.journal)?;
        let journal = fill(&words, |(record, left)| {
            let is_read_only = facts.is_read_only(record.word.word_index);
            Ok(journal::fill(record, *left, is_read_only))
        });
        set(journal::NAME, journal?);
        let words = transfers(records, REGISTER_HINT, &records.hints)?;
        let hints = fill(&words, |(record, left)| Ok(hint::fill(record, *left)));
        set(hint::NAME, hints?);
        let (mut atomics, mut reservations) = (Vec::new(), Vec::new());
        for record in &records.atomics {
            let program = facts.row(record.registers.text_index)?;
            let is_reservation = reservation::has(program.opcode);
            let list = if is_reservation {
                &mut reservations
            } else {
                &mut atomics
            };
            list.push((record, program));
        }
        let atomics = fill(&atomics, |(record, program)| {
            Ok(atomic::fill(record, program))
        });
        set(atomic::NAME, atomics?);
        let reservations = fill(&reservations, |(record, program)| {
            let word = record.word.word_index;
            // A word 0 is never mapped: it says that no word is accessed.
            let is_read_only = word != 0 && facts.is_read_only(word);
            Ok(reservation::fill(record, program, is_read_only))
        });
        set(reservation::NAME, reservations?);
        self.set_precompiles(&mut traces, records)?;
        self.complete(&mut traces, &[F::from_u32(segment.number)]);
        Ok(traces)
    }

    /// The traces of precompiles.
    fn set_precompiles(&self, traces: &mut Traces, records: &Records) -> Result<(), Unprovable> {
        let calls = |call: Precompile| -> Vec<Call<'_>> {
            records.precompiles[call.index()].of(call).collect()
        };
        let is_read_only = |words: &[WordAccess]| -> Vec<bool> {
            let words = words.iter().map(|word| word.word_index);
            words.map(|word| self.facts.is_read_only(word)).collect()
        };
        let mut set = |name: &str, trace: Option<Vec<F>>| self.set(traces, name, trace);

        let permutations = calls(Precompile::KeccakF);
        let rows = fill(&permutations, |(clock, words)| {
            Ok(keccak::fill(*clock, words))
        });
        set(keccak::NAME, rows?);
        let rounds = permutations.iter().flat_map(|(clock, words)| {
            keccak_round::rounds(words).map(move |(round, state)| (*clock, round, state))
        });
        let rounds: Vec<_> = rounds.collect();
        let rows = fill(&rounds, |(clock, round, state)| {
            Ok(keccak_round::fill(*clock, *round, state))
        });
        set(keccak_round::NAME, rows?);

        let compressions = calls(Precompile::Sha256Compress);
        let rows = fill(&compressions, |(clock, words)| {
            Ok(sha256::fill(*clock, words, &is_read_only(&words[4..])))
        });
        set(sha256::NAME, rows?);
        let rounds = compressions.iter().flat_map(|(clock, words)| {
            sha256_round::rounds(words).map(move |(t, state, window)| (*clock, t, state, window))
        });
        let rounds: Vec<_> = rounds.collect();
        let rows = fill(&rounds, |(clock, t, state, window)| {
            Ok(sha256_round::fill(*clock, *t, state, window))
        });
        set(sha256_round::NAME, rows?);

        let products = fill(&calls(Precompile::MultiplyMod), |(clock, words)| {
            Ok(multiply_mod::fill(
                *clock,
                words,
                &is_read_only(&words[4..]),
            ))
        });
        set(multiply_mod::NAME, products?);

        let additions = calls(Precompile::Secp256k1Add).into_iter();
        let doublings = calls(Precompile::Secp256k1Double).into_iter();
        let points: Vec<_> = additions
            .map(|call| (false, call))
            .chain(doublings.map(|call| (true, call)))
            .collect();
        let points = fill(&points, |(is_double, (clock, words))| {
            let is_read_only = is_read_only(&words[8..]);
            Ok(secp256k1::fill(*clock, *is_double, words, &is_read_only))
        });
        set(secp256k1::NAME, points?);
        Ok(())
    }

    /// All traces of a part that has words only.
    #[must_use]
    pub fn words_traces(&self, words: Vec<F>) -> Traces {
        let memory = MemoryTraces {
            image: None,
            words: Some(words),
        };
        let mut traces = self.boundary_traces(None, Some(memory));
        self.complete(&mut traces, &[]);
        traces
    }

    /// Adds the tables of fixed height, with the counts of what all other rows look up.
    fn complete(&self, traces: &mut Traces, public: &[F]) {
        for (trace, chip) in traces.iter_mut().zip(&self.chips) {
            if let Some(height) = chip.fixed_height()
                && trace.is_none()
            {
                *trace = Some(F::zero_vec(height * chip.description.columns.len()));
            }
        }
        look_ups::count_look_ups(self, traces, public);
    }

    fn set(&self, traces: &mut Traces, name: &str, trace: Option<Vec<F>>) {
        if let Some(index) = self.index(name) {
            traces[index] = trace;
        }
    }
}

/// The words that calls with their position in `register` move, each with how many bytes of its call
/// are left at it.
fn transfers<'a>(
    records: &Records,
    register: u32,
    words: &'a [TransferRecord],
) -> Result<Vec<(&'a TransferRecord, u32)>, Unprovable> {
    let mut calls = records.system.iter().filter_map(|record| {
        let is_of_list = system::position_register(record) == Some(register);
        is_of_list.then_some((record.clock, record.result as u32))
    });
    let mut call = (0, 0);
    let mut rows = Vec::with_capacity(words.len());
    for record in words {
        while call.0 != record.clock {
            call = calls.next().ok_or_else(|| Unprovable {
                what: "words to move without a call".to_owned(),
            })?;
        }
        rows.push((record, call.1));
        call.1 = call.1.saturating_sub(8);
    }
    Ok(rows)
}

/// The records of a chip of instructions that touch registers only.
struct RegisterRows<'a> {
    facts: &'a Facts,
    records: &'a [RegisterRecord],
}

impl RegisterRows<'_> {
    fn fill<C: Columns<F>>(
        &self,
        fill_row: fn(&RegisterRecord, &ProgramRow) -> C,
    ) -> Result<Option<Vec<F>>, Unprovable> {
        fill(self.records, |record| {
            Ok(fill_row(record, self.facts.row(record.text_index)?))
        })
    }
}

/// The cells of `rows`, and zero rows up to a power of two.
pub(crate) fn cells_of<C: Columns<F>>(rows: Vec<C>) -> Vec<F> {
    let height = rows.len().next_power_of_two().max(MIN_HEIGHT);
    let mut cells = Vec::with_capacity(height * C::WIDTH);
    rows.into_iter()
        .for_each(|row| row.give(&mut |cell| cells.push(cell)));
    cells.resize(height * C::WIDTH, F::ZERO);
    cells
}

/// Fills one row per record, and zero rows up to a power of two; nothing if there is no record.
pub(crate) fn fill<R: Sync, C: Columns<F>>(
    records: &[R],
    fill_row: impl Fn(&R) -> Result<C, Unprovable> + Sync,
) -> Result<Option<Vec<F>>, Unprovable> {
    if records.is_empty() {
        return Ok(None);
    }
    let height = records.len().next_power_of_two().max(MIN_HEIGHT);
    let mut cells = F::zero_vec(height * C::WIDTH);
    cells
        .par_chunks_mut(ROWS_PER_TASK * C::WIDTH)
        .zip(records.par_chunks(ROWS_PER_TASK))
        .try_for_each(|(cells, records)| {
            let mut cells = cells.iter_mut();
            for record in records {
                fill_row(record)?.give(&mut |value| {
                    if let Some(cell) = cells.next() {
                        *cell = value;
                    }
                });
            }
            Ok(())
        })?;
    Ok(Some(cells))
}
