//! Faults in what the executor says: an execution that is not the program's, filled and proved as if
//! it were.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "most faults change a record in one way or another, few in their own"
)]

use zkvm_air::F;
use zkvm_isa::record::{RegisterRecord, WordAccess};
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
    /// Every kind.
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
