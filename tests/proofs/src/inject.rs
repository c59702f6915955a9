//! Faults in what the executor says: an execution that is not the program's, filled and proved as if
//! it were.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most faults change a record in one way or another, few in their own"
)]

use zkvm_air::F;
use zkvm_isa::record::{RegisterRecord, WordAccess};
use zkvm_isa::{Chip, Precompile};
use zkvm_testkit::rng::Rng;

use crate::forge::{draw, forged};
use crate::whole::{Run, Whole};

/// Where a fault was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// An instruction is skipped.
    Skipped,
    /// An instruction is executed twice.
    Repeated,
    /// Another instruction is executed in its place.
    Instruction,
    /// A register has another value.
    Register,
    /// A word of memory has another value, or is another word.
    Word,
    /// A clock is another.
    Clock,
    /// A system call has other arguments, another result or position.
    Call,
    /// A word of journal or hints is another.
    Transfer,
    /// A precompile's call is skipped, repeated or another's, works on other words or at another
    /// clock, or leaves another result.
    Precompile,
    /// A round of a hash is dropped, repeated, or in another call.
    Round,
    /// A row of the boundary table is another.
    Boundary,
    /// A segment is dropped, repeated, or in another place.
    Order,
    /// The segment ends elsewhere.
    End,
    /// Exit code, journal or last word are others.
    Claim,
    /// A cell, row or table of the traces is another: multiplicities among them.
    Trace,
}

impl Fault {
    /// Every kind that has a place in any execution.
    pub const ALL: [Fault; 13] = [
        Fault::Skipped,
        Fault::Repeated,
        Fault::Instruction,
        Fault::Register,
        Fault::Word,
        Fault::Clock,
        Fault::Call,
        Fault::Transfer,
        Fault::Boundary,
        Fault::Order,
        Fault::End,
        Fault::Claim,
        Fault::Trace,
    ];

    /// The others, of executions with precompiles.
    pub const OF_PRECOMPILES: [Fault; 2] = [Fault::Precompile, Fault::Round];
}

/// A faulty execution.
#[derive(Clone, Debug)]
pub struct Injected {
    /// What it became.
    pub whole: Whole,
    /// The one proof whose traces changed; `None` if several did.
    pub only: Option<usize>,
}

/// Puts a fault of this kind into the execution. `None` if there is no place for it, or if what it
/// gives cannot be filled: then no prover gets as far as a proof.
pub fn inject(run: &Run, honest: &Whole, fault: Fault, rng: &mut Rng) -> Option<Injected> {
    match fault {
        Fault::End => end(honest, rng),
        Fault::Claim => claim(honest, rng),
        Fault::Round => round(honest, rng),
        Fault::Precompile => {
            let mut run = run.clone();
            let index = rng.below(run.segments.len() as u64) as usize;
            let is_alone = precompile(&mut run, index, rng)?;
            Some(Injected {
                whole: fill(&run)?,
                only: is_alone.then_some(index),
            })
        }
        Fault::Trace => {
            let index = rng.below(honest.proofs() as u64) as usize;
            let (place, forgery) = draw(honest, index, rng);
            Some(Injected {
                whole: forged(honest, index, place, forgery),
                only: Some(index),
            })
        }
        Fault::Order => {
            let mut run = run.clone();
            order(&mut run, rng)?;
            Some(Injected {
                whole: fill(&run)?,
                only: None,
            })
        }
        _ => {
            let mut run = run.clone();
            let index = rng.below(run.segments.len() as u64) as usize;
            record(&mut run, index, fault, rng)?;
            let whole = fill(&run)?;
            // What memory tables receive follows from what segments leave.
            let is_last = index + 1 == whole.segments.len();
            let is_alone = is_last || fault != Fault::Boundary;
            Some(Injected {
                whole,
                only: is_alone.then_some(index),
            })
        }
    }
}

/// Fills what may be no execution; filling may panic on it.
fn fill(run: &Run) -> Option<Whole> {
    let filled = std::panic::catch_unwind(|| run.fill().ok());
    filled.ok().flatten()
}

fn end(honest: &Whole, rng: &mut Rng) -> Option<Injected> {
    let mut whole = honest.clone();
    let borders = whole.segments.len() as u64 - 1;
    if borders == 0 {
        return None;
    }
    let index = rng.below(borders) as usize;
    let segment = &mut whole.segments[index];
    match rng.below(3) {
        0 => segment.end_half_pc ^= 1 << rng.below(12),
        1 => segment.end_clock ^= 1 << rng.below(14),
        _ => {
            let end = i64::from(segment.journal_end) + 8 * rng.pick(&[-1, 1]);
            segment.journal_end = u32::try_from(end).ok()?;
        }
    }
    let ends: Vec<u32> = whole.segments.iter().map(|s| s.journal_end).collect();
    let is_form = ends.is_sorted() && *ends.last()? as usize == whole.journal.len();
    // Both the segment and the next one are told otherwise; the first notices.
    is_form.then_some(Injected {
        whole,
        only: Some(index),
    })
}

fn claim(honest: &Whole, rng: &mut Rng) -> Option<Injected> {
    let mut whole = honest.clone();
    match rng.below(3) {
        0 => whole.exit_code ^= 1 << rng.below(32),
        1 if !whole.journal.is_empty() => {
            let at = rng.below(whole.journal.len() as u64) as usize;
            whole.journal[at] ^= 1 << rng.below(8);
        }
        _ => whole.last_word ^= 1 << rng.below(16),
    }
    Some(Injected { whole, only: None })
}

/// A fault in a call of a precompile. Says whether it is in this segment's proof alone, and not in
/// what is claimed.
fn precompile(run: &mut Run, index: usize, rng: &mut Rng) -> Option<bool> {
    let (segment, records) = &mut run.segments[index];
    let made = Precompile::ALL.into_iter();
    let made = made.filter(|call| !records.precompiles[call.index()].clocks.is_empty());
    let made: Vec<Precompile> = made.collect();
    if made.is_empty() {
        return None;
    }
    let which = rng.pick(&made);
    let calls = &mut records.precompiles[which.index()];
    let at = rng.below(calls.clocks.len() as u64) as usize;
    let words = at * which.words()..(at + 1) * which.words();
    let any = words.start + rng.below(which.words() as u64) as usize;
    match rng.below(7) {
        0 => {
            let _ = calls.clocks.remove(at);
            calls.words.drain(words);
        }
        1 => {
            calls.clocks.push(calls.clocks[at]);
            calls.words.extend_from_within(words);
        }
        2 => word(&mut calls.words[any], Fault::Word, rng),
        3 => word(&mut calls.words[any], Fault::Clock, rng),
        4 => calls.clocks[at] = calls.clocks[at].wrapping_add_signed(rng.pick(&[-4, 4, 8, 1])),
        5 => {
            // Another precompile's chip does it, if its operands are as many words.
            let others = Precompile::ALL.into_iter();
            let others = others.filter(|other| *other != which && other.words() == which.words());
            let others: Vec<Precompile> = others.collect();
            if others.is_empty() {
                return None;
            }
            let clock = calls.clocks.remove(at);
            let words: Vec<WordAccess> = calls.words.drain(words).collect();
            let others = &mut records.precompiles[rng.pick(&others).index()];
            others.clocks.push(clock);
            others.words.extend(words);
        }
        _ => {
            // Another result, wherever it is journaled.
            let written = which.operands()[0].words as u64;
            let (index, clock) = {
                let word = &calls.words[words.start + rng.below(written) as usize];
                (word.word_index, calls.clocks[at])
            };
            let bit = 1_u64 << rng.below(64);
            let boundary = segment.boundary.iter_mut();
            let mut boundary = boundary.filter(|word| word.word_index == index);
            boundary.next()?.value_out ^= bit;
            let shown = records.journal.iter_mut();
            for record in shown.filter(|r| r.word.word_index == index && r.clock > clock) {
                record.word.previous ^= bit;
                record.value ^= bit;
                let journal = run.execution.journal.get_mut(record.offset as usize..)?;
                let bytes = journal.iter_mut().zip(record.value.to_le_bytes());
                let bytes = bytes.take(record.bytes as usize);
                bytes.for_each(|(byte, value)| *byte = value);
            }
            return Some(false);
        }
    }
    Some(true)
}

/// A fault in the rounds of a hash.
fn round(honest: &Whole, rng: &mut Rng) -> Option<Injected> {
    let index = rng.below(honest.segments.len() as u64) as usize;
    let chips = [Chip::KeccakRound, Chip::Sha256Round].map(Chip::name);
    let used = |name: &&str| {
        let mut chips = honest.chips(index).iter();
        let place = chips.position(|chip| chip.description.name == **name);
        place.is_some_and(|place| honest.traces(index)[place].is_some())
    };
    let chips: Vec<&str> = chips.into_iter().filter(used).collect();
    if chips.is_empty() {
        return None;
    }
    let chip = rng.pick(&chips);
    let rows = honest.rows(index, chip, &["clock"], |cells| cells[0] != F::new(0));
    let row = rng.pick(&rows);
    let mut whole = honest.clone();
    match rng.below(3) {
        0 => whole.drop_row(index, chip, row),
        1 => {
            let again = honest.row(index, chip, row);
            whole.add_row(index, chip, &again);
        }
        _ => {
            let clock = *whole.cell(index, chip, rng.pick(&rows), "clock");
            let cell = whole.cell(index, chip, row, "clock");
            if *cell == clock {
                return None;
            }
            *cell = clock;
        }
    }
    Some(Injected {
        whole,
        only: Some(index),
    })
}

fn order(run: &mut Run, rng: &mut Rng) -> Option<()> {
    let count = run.segments.len() as u64;
    if count < 2 {
        return None;
    }
    let (a, b) = (rng.below(count) as usize, rng.below(count) as usize);
    match rng.below(3) {
        0 => drop(run.segments.remove(a)),
        1 => {
            let again = run.segments[a].clone();
            run.segments.insert(b, again);
        }
        _ if a != b => run.segments.swap(a, b),
        _ => return None,
    }
    for (number, (segment, _)) in (0..).zip(&mut run.segments) {
        segment.number = number;
    }
    // The journal must have the form of one.
    let ends = run.segments.iter().map(|(s, _)| s.end.journal_bytes);
    let ends: Vec<u64> = ends.collect();
    (ends.is_sorted()
        && ends
            .last()
            .is_some_and(|last| *last <= run.execution.journal.len() as u64))
    .then_some(())
}

/// Drops, repeats or changes an element of the list.
fn edit<T: Clone>(
    list: &mut Vec<T>,
    fault: Fault,
    rng: &mut Rng,
    mut change: impl FnMut(&mut T, &mut Rng),
) -> Option<()> {
    if list.is_empty() {
        return None;
    }
    let at = rng.below(list.len() as u64) as usize;
    match fault {
        Fault::Skipped => drop(list.remove(at)),
        Fault::Repeated => {
            let again = list[at].clone();
            list.insert(at, again);
        }
        _ => change(&mut list[at], rng),
    }
    Some(())
}

fn register(record: &mut RegisterRecord, fault: Fault, texts: u64, rng: &mut Rng) {
    let bit = 1_u64 << rng.below(64);
    match fault {
        Fault::Instruction => record.text_index = rng.below(texts) as u32,
        Fault::Clock => {
            let clock = match rng.below(4) {
                0 => &mut record.clock,
                1 => &mut record.rs1_clock,
                2 => &mut record.rs2_clock,
                _ => &mut record.rd_clock,
            };
            *clock = clock.wrapping_add_signed(rng.pick(&[-4, 4, 8, 1]));
        }
        _ => match rng.below(3) {
            0 => record.rs1_value ^= bit,
            1 => record.rs2_value ^= bit,
            _ => record.rd_previous ^= bit,
        },
    }
}

fn word(access: &mut WordAccess, fault: Fault, rng: &mut Rng) {
    match fault {
        Fault::Clock => access.clock = access.clock.wrapping_add_signed(rng.pick(&[-4, 4, 1])),
        _ if rng.one_in(3) => access.word_index ^= 1 << rng.below(4),
        _ => access.previous ^= 1 << rng.below(64),
    }
}

fn record(run: &mut Run, index: usize, fault: Fault, rng: &mut Rng) -> Option<()> {
    let texts = run.program.text().len() as u64;
    let (segment, records) = &mut run.segments[index];
    match fault {
        Fault::Call => edit(&mut records.system, fault, rng, |call, rng| {
            match rng.below(4) {
                0 => call.arguments[rng.below(4) as usize] ^= 1 << rng.below(6),
                1 => call.result ^= 1 << rng.below(32),
                2 => call.position ^= 8 << rng.below(8),
                _ => {
                    let clock = &mut call.argument_clocks[rng.below(4) as usize];
                    *clock = clock.wrapping_add(4);
                }
            };
        }),
        Fault::Transfer => {
            let list = if rng.one_in(2) {
                &mut records.journal
            } else {
                &mut records.hints
            };
            edit(list, fault, rng, |transfer, rng| match rng.below(4) {
                0 => transfer.value ^= 1 << rng.below(64),
                1 => transfer.offset ^= 8,
                2 => transfer.bytes = 1 + rng.below(8) as u32,
                _ => word(&mut transfer.word, Fault::Word, rng),
            })
        }
        Fault::Boundary => {
            let bit = 1 << rng.below(64);
            if rng.one_in(2) {
                edit(
                    &mut segment.boundary_registers,
                    fault,
                    rng,
                    |row, rng| match rng.below(4) {
                        0 => row.value_in ^= bit,
                        1 => row.value_out ^= bit,
                        2 => row.segment_in ^= 1,
                        _ => row.clock_out += 4,
                    },
                )
            } else {
                edit(&mut segment.boundary, fault, rng, |row, rng| {
                    match rng.below(4) {
                        0 => row.value_in ^= bit,
                        1 => row.value_out ^= bit,
                        2 => row.segment_in ^= 1,
                        _ => row.clock_out += 4,
                    }
                })
            }
        }
        Fault::Word => match rng.below(4) {
            0 => edit(&mut records.loads, fault, rng, |r, rng| {
                word(&mut r.word, fault, rng)
            }),
            1 => edit(&mut records.stores, fault, rng, |r, rng| {
                word(&mut r.word, fault, rng)
            }),
            2 => edit(&mut records.misaligned, fault, rng, |r, rng| {
                word(&mut r.low, fault, rng)
            }),
            _ => edit(&mut records.atomics, fault, rng, |r, rng| {
                word(&mut r.word, fault, rng)
            }),
        },
        _ => {
            let choice = rng.below(8) as usize;
            match choice {
                0 => edit(&mut records.loads, fault, rng, |r, rng| {
                    register(&mut r.registers, fault, texts, rng)
                }),
                1 => edit(&mut records.stores, fault, rng, |r, rng| {
                    register(&mut r.registers, fault, texts, rng)
                }),
                2 => edit(&mut records.misaligned, fault, rng, |r, rng| {
                    register(&mut r.registers, fault, texts, rng)
                }),
                3 => edit(&mut records.atomics, fault, rng, |r, rng| {
                    register(&mut r.registers, fault, texts, rng)
                }),
                _ => {
                    let lists = records.registers.iter_mut();
                    let mut used: Vec<_> = lists.filter(|list| !list.is_empty()).collect();
                    let at = rng.below((used.len() as u64).max(1)) as usize;
                    let list = used.get_mut(at)?;
                    edit(list, fault, rng, |r, rng| register(r, fault, texts, rng))
                }
            }
        }
    }
}

/// Whether a proof's boundary tables are those of `honest`, so that the same is shared.
#[must_use]
pub fn same_boundary(honest: &Whole, other: &Whole) -> bool {
    let boundary = |whole: &Whole| -> Vec<Option<Vec<F>>> {
        (0..whole.proofs())
            .flat_map(|index| {
                let chips = whole.chips(index).iter().zip(whole.traces(index));
                let of_round =
                    chips.filter(|(chip, _)| chip.description.round == zkvm_air::Round::Boundary);
                of_round.map(|(_, trace)| trace.clone()).collect::<Vec<_>>()
            })
            .collect()
    };
    let claims = |whole: &Whole| {
        let Whole {
            exit_code,
            journal,
            last_word,
            ..
        } = whole;
        (
            *exit_code,
            journal.clone(),
            *last_word,
            whole.segments.len(),
        )
    };
    claims(honest) == claims(other) && boundary(honest) == boundary(other)
}
