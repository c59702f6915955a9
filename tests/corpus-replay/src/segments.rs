//! The oracle of segments: they join up, hold what they say, and replay to the same records.

use std::collections::BTreeMap;

use zkvm_isa::layout::{self, WORD_BYTES};
use zkvm_isa::record::{Records, RegisterRecord, WordAccess};
use zkvm_isa::syscall;
use zkvm_machine::{
    Execution, Exit, Input, Limits, Program, Recording, Segment, SegmentLimits, SegmentedExecution,
    execute_segments, replay,
};

use crate::allocation::measure;
use crate::run::{Digest, people_bytes_max};
use crate::{Violation, claim};

/// Rows and boundary words of the smallest legal segment: one whole transfer, the two words of
/// an access, and one instruction.
const ROWS_MIN: u32 = syscall::TRANSFER_BYTES_MAX as u32 / WORD_BYTES + 3;

/// Segments of one run that are replayed, at most; each takes a new page table of 4 MiB.
const REPLAYS_MAX: usize = 64;

/// How to cut a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CutPlan {
    /// About how many segments of equal cycles, if they may be that short.
    pub parts: u64,
    /// Words that a segment touches before it ends; 1 is the smallest legal segment.
    pub words: u32,
}

impl CutPlan {
    fn limits(self, cycles: u64) -> SegmentLimits {
        let least = u64::from(SegmentLimits::CYCLES_MAX_LEAST);
        let cycles_max = cycles.div_ceil(self.parts.max(1)).clamp(least, 1 << 20);
        SegmentLimits {
            rows_max: ROWS_MIN,
            cycles_max: cycles_max as u32,
            boundary_words_max: ROWS_MIN - 1 + self.words.max(1),
            ..SegmentLimits::STANDARD
        }
    }
}

/// An execution cut into segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// What the program did.
    pub execution: Execution,
    /// The segments with their records.
    pub segments: Vec<(Segment, Records)>,
}

/// Cuts the run that gave `execution` into segments of few rows and checks them.
///
/// # Errors
/// [`Violation`] names the claim that fails.
pub fn check_segments(
    program: &Program,
    input: &Input,
    limits: &Limits,
    execution: &Execution,
    plan: CutPlan,
) -> Result<(), Violation> {
    let segment_limits = plan.limits(execution.cycles);
    let is_legal = |limits: SegmentLimits| limits.check().is_ok();
    let smaller = SegmentLimits {
        rows_max: ROWS_MIN - 1,
        ..segment_limits
    };
    claim!(
        is_legal(segment_limits) && !is_legal(smaller),
        "{ROWS_MIN} rows are not the smallest segment"
    );
    let (with_records, peak_bytes) =
        measure(|| cut(program, input, limits, &segment_limits, Recording::Records));
    let with_records = with_records?;
    let most_bytes = cut_bytes_max(limits, execution);
    claim!(
        peak_bytes <= most_bytes,
        "cutting took {peak_bytes} bytes of host memory, the limit is {most_bytes}"
    );
    claim!(
        with_records.execution == *execution,
        "cut, the execution is another"
    );
    check_cut(program, input, &segment_limits, &with_records)?;
    let without = cut(
        program,
        input,
        limits,
        &segment_limits,
        Recording::Boundaries,
    )?;
    claim!(
        without.execution == *execution,
        "cut without records it is another"
    );
    let is_same = without.segments.len() == with_records.segments.len()
        && without
            .segments
            .iter()
            .zip(&with_records.segments)
            .all(|((a, none), (b, _))| a == b && *none == Records::default());
    claim!(is_same, "records change the segments");
    let segments = &with_records.segments;
    let step = segments.len().div_ceil(REPLAYS_MAX).max(1);
    // From the end, so that the last one is among them.
    for (segment, records) in segments.iter().rev().step_by(step) {
        check_replay(program, limits, segment, records)?;
    }
    Ok(())
}

/// Cuts a run into segments and keeps them with their records.
///
/// # Errors
/// [`Violation`] if the run is refused or the number of segments is wrong.
pub fn cut(
    program: &Program,
    input: &Input,
    limits: &Limits,
    segment_limits: &SegmentLimits,
    recording: Recording,
) -> Result<Cut, Violation> {
    let mut segments = Vec::new();
    let mut console = Digest::new();
    let mut sink = |segment: Segment, records: &mut Records| {
        segments.push((segment, std::mem::take(records)));
    };
    let SegmentedExecution {
        execution,
        segments: count,
    } = execute_segments(
        program,
        input,
        limits,
        segment_limits,
        recording,
        &mut console,
        &mut sink,
    )
    .map_err(|error| Violation(format!("refused to cut: {error}")))?;
    claim!(
        count as usize == segments.len(),
        "{} segments handed over, {count} counted",
        segments.len()
    );
    Ok(Cut {
        execution,
        segments,
    })
}

/// Most host memory that cutting a run, all segments and records kept, may take at its peak.
///
/// As for the plain run; besides, of guest memory in use: a stamp per word, and 56 bytes for each
/// word a segment touches, so 8 bytes per byte with one segment's growth; per cycle at most 128
/// bytes of records and two boundary words, per transferred word 48 and one. Lists double.
fn cut_bytes_max(limits: &Limits, execution: &Execution) -> u64 {
    let cycles = execution.cycles;
    let transfers = execution.cost.rows.total() - cycles;
    let fixed = (4 << 20) + people_bytes_max(limits.cycles_max);
    fixed
        + 3 * limits.journal_bytes_max
        + 16 * limits.memory_bytes_max
        + 3 * (240 * (cycles + 1) + 104 * transfers)
}

/// Most host memory that replaying a segment may take: as for cutting, of one segment alone. Its
/// guest memory is the pages of the words the segment touches, whatever it prints.
fn replay_bytes_max(limits: &Limits, segment: &Segment) -> u64 {
    let touched = segment.boundary.len() as u64 * u64::from(layout::PAGE_BYTES);
    let rows = segment.rows.total();
    (4 << 20)
        + people_bytes_max(segment.cycles())
        + 8 * touched.min(limits.memory_bytes_max)
        + 3 * 264 * (rows + 1)
}

/// Checks what segments claim of themselves and of each other.
///
/// # Errors
/// [`Violation`] names the claim that fails.
pub fn check_cut(
    program: &Program,
    input: &Input,
    segment_limits: &SegmentLimits,
    cut: &Cut,
) -> Result<(), Violation> {
    let execution = &cut.execution;
    let mut touched: BTreeMap<u32, (u32, u64)> = BTreeMap::new();
    let mut rows = zkvm_isa::record::ChipRows::default();
    let mut hints = Vec::new();
    let last = cut.segments.len().wrapping_sub(1);
    for (number, (segment, records)) in cut.segments.iter().enumerate() {
        claim!(
            segment.number as usize == number,
            "segment {} misnumbered",
            segment.number
        );
        check_size(segment, segment_limits)?;
        claim!(
            records.rows() == segment.rows,
            "segment {number}: rows and records differ"
        );
        check_clocks(segment, records)?;
        if let Some((next, _)) = cut.segments.get(number + 1) {
            claim!(
                segment.end == next.start,
                "segments {number} and {} do not join",
                number + 1
            );
            claim!(
                !segment.halts && segment.cycles() > 0,
                "segment {number} ends early"
            );
        }
        claim!(
            segment
                .boundary
                .is_sorted_by(|a, b| a.word_index < b.word_index),
            "segment {number}: the boundary table is not sorted"
        );
        for word in &segment.boundary {
            let initial = || (0, initial_word(program, input, word.word_index));
            let expected = touched
                .get(&word.word_index)
                .copied()
                .unwrap_or_else(initial);
            claim!(
                (word.segment_in, word.value_in) == expected,
                "segment {number}: {word:?} does not come from {expected:?}"
            );
            touched.insert(word.word_index, (segment.number + 1, word.value_out));
        }
        for (sum, count) in rows.0.iter_mut().zip(segment.rows.0) {
            *sum += count;
        }
        hints.extend_from_slice(&segment.hints);
    }
    claim!(
        rows == execution.cost.rows,
        "the segments' rows are not the execution's"
    );
    claim!(
        input.hints.starts_with(&hints),
        "the segments' hints are not the input's"
    );
    let (Some((first, _)), Some((final_segment, _))) =
        (cut.segments.first(), cut.segments.get(last))
    else {
        return Err(Violation("an execution without segments".to_owned()));
    };
    let at_entry = first.start.cycle == 0
        && first.start.pc == u64::from(program.entry())
        && first.start.reservation == 0
        && first.start.journal_bytes == 0
        && first.start.hint_bytes == 0;
    claim!(at_entry, "the first segment starts at {:?}", first.start);
    let end = &final_segment.end;
    claim!(
        (end.cycle, end.pc, end.registers) == (execution.cycles, execution.pc, execution.registers)
            && end.journal_bytes == execution.journal.len() as u64
            && end.hint_bytes == hints.len() as u64,
        "the last segment ends at {end:?}"
    );
    let halted = matches!(execution.exit, Exit::Halted { .. });
    claim!(
        final_segment.halts == halted,
        "the last segment disagrees about the halt"
    );
    Ok(())
}

fn check_size(segment: &Segment, limits: &SegmentLimits) -> Result<(), Violation> {
    let number = segment.number;
    for (name, got, most) in [
        (
            "rows",
            segment.rows.0.into_iter().max().unwrap_or(0),
            limits.rows_max,
        ),
        ("cycles", segment.cycles(), limits.cycles_max),
        (
            "boundary words",
            segment.boundary.len() as u64,
            limits.boundary_words_max,
        ),
    ] {
        claim!(
            got <= u64::from(most),
            "segment {number}: {got} {name}, the limit is {most}"
        );
    }
    Ok(())
}

/// Every access is later than the one before it, and none is later than the segment.
fn check_clocks(segment: &Segment, records: &Records) -> Result<(), Violation> {
    let number = segment.number;
    let last = 4 * segment.cycles();
    let word = |clock: u32, access: &WordAccess| -> Result<(), Violation> {
        claim!(
            access.clock < clock + 2 && u64::from(clock) <= last,
            "segment {number}: {access:?} at clock {clock}"
        );
        Ok(())
    };
    let registers = |record: &RegisterRecord| -> Result<(), Violation> {
        let latest = record.rs1_clock.max(record.rs2_clock).max(record.rd_clock);
        claim!(
            latest < record.clock + 3
                && record.rs1_clock < record.clock
                && record.clock.is_multiple_of(4)
                && u64::from(record.clock) <= last,
            "segment {number}: {record:?}"
        );
        Ok(())
    };
    for record in records.registers.iter().flatten() {
        registers(record)?;
    }
    for record in records.loads.iter().chain(&records.stores) {
        registers(&record.registers)?;
        word(record.registers.clock, &record.word)?;
    }
    for record in &records.misaligned {
        registers(&record.registers)?;
        word(record.registers.clock, &record.low)?;
        word(record.registers.clock, &record.high)?;
    }
    for record in &records.atomics {
        registers(&record.registers)?;
        word(record.registers.clock, &record.word)?;
        let clock = record.registers.clock;
        claim!(
            record.reservation_clock < clock + 2,
            "segment {number}: {record:?}"
        );
    }
    for record in records.journal.iter().chain(&records.hints) {
        word(record.clock, &record.word)?;
        claim!(
            (1..=8).contains(&record.bytes),
            "segment {number}: {record:?}"
        );
    }
    Ok(())
}

/// The segment replays to its records, whatever ended the run: an instruction that faults or meets
/// a limit has no effect, not even in part.
fn check_replay(
    program: &Program,
    limits: &Limits,
    segment: &Segment,
    records: &Records,
) -> Result<(), Violation> {
    let number = segment.number;
    let (again, peak_bytes) = measure(|| replay(program, segment));
    match again {
        Ok(again) => claim!(
            again == *records,
            "segment {number} replays to other records"
        ),
        Err(error) => claim!(false, "segment {number} does not replay: {error}"),
    }
    let most_bytes = replay_bytes_max(limits, segment);
    claim!(
        peak_bytes <= most_bytes,
        "replaying segment {number} took {peak_bytes} bytes of host memory, \
         the limit is {most_bytes}"
    );
    Ok(())
}

/// The word before the first instruction, from the images and the input.
fn initial_word(program: &Program, input: &Input, word_index: u32) -> u64 {
    let byte = |address: u32| -> u8 {
        let within = |start: u32, bytes: &[u8]| -> Option<u8> {
            let offset = address.checked_sub(start)? as usize;
            bytes.get(offset).copied()
        };
        let length = (input.bytes.len() as u64).to_le_bytes();
        let holds = |start: u32, size: u32| address >= start && address - start < size;
        program
            .images()
            .iter()
            .find(|image| holds(image.address, image.size_bytes))
            .map(|image| within(image.address, &image.data).unwrap_or(0))
            .or_else(|| within(layout::INPUT_START, &length))
            .or_else(|| within(layout::INPUT_BYTES_START, &input.bytes))
            .unwrap_or(0)
    };
    let address = word_index * WORD_BYTES;
    u64::from_le_bytes(std::array::from_fn(|offset| byte(address + offset as u32)))
}
