//! Cutting an execution into segments, and what proving gets of each.
//!
//! A [`Segment`] is enough to run its part again anywhere: the hart at its start, the words of
//! memory it touches with their values, and the hints it reads. Its boundary table is also what
//! the memory argument between segments is about: for every touched word, the value and the
//! segment it came from, and the value it leaves. Segments are cut by counted rows per chip.
//!
//! ```text
//!   execute_segments ──▶ Segment 0, Segment 1, …      (boundary tables; records if wanted)
//!   replay(Segment)  ──▶ Records                      (the same records, from the segment alone)
//! ```

use std::ops::ControlFlow;

use thiserror::Error;
use zkvm_isa::layout::WORD_BYTES;
use zkvm_isa::record::{
    AtomicRecord, CLOCKS_PER_CYCLE, ChipRows, MemoryRecord, MisalignedRecord, REGISTER_CHIPS,
    Records, RegisterRecord, SUBSTEP_MEMORY, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2, SystemRecord,
    TransferRecord, WordAccess,
};
use zkvm_isa::syscall::{FD_HINT, FD_JOURNAL, READ, REG_A0, REG_A1, REG_A2, REG_A7, WRITE};
use zkvm_isa::{Chip, Format, Opcode, Precompile};

use crate::execute::{Console, Discard, ExecuteError, Execution};
use crate::hart::{Hart, HartState, Stop};
use crate::input::Input;
use crate::limits::{Limits, SegmentLimits};
use crate::memory::Memory;
use crate::program::Program;
use crate::recorder::{Counter, Operands, Recorder, Touch, Transfer};
use crate::system::System;

/// The machine between two segments, less its memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// `x0` to `x31`.
    pub registers: [u64; 32],
    /// Address of the next instruction; of the halting one at the end of the last segment.
    pub pc: u64,
    /// 0, or the reserved address plus one.
    pub reservation: u64,
    /// Instructions executed since the program's entry.
    pub cycle: u64,
    /// Bytes of journal written.
    pub journal_bytes: u64,
    /// Bytes of hints read.
    pub hint_bytes: u64,
}

/// A word of memory that a segment touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundaryWord {
    /// Its address divided by 8.
    pub word_index: u32,
    /// 0 if no earlier segment touched it, else 1 + the number of the last that did.
    pub segment_in: u32,
    /// Its value when the segment begins.
    pub value_in: u64,
    /// Its value when the segment ends.
    pub value_out: u64,
    /// Clock of its last access in the segment.
    pub clock_out: u32,
}

/// A register that a segment accesses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BoundaryRegister {
    /// Its number: `x0` to `x31`, or a hidden one ([`REGISTER_RESERVATION`] and after).
    pub number: u8,
    /// 0 if no earlier segment accessed it, else 1 + the number of the last that did.
    pub segment_in: u32,
    /// Its value when the segment begins.
    pub value_in: u64,
    /// Its value when the segment ends.
    pub value_out: u64,
    /// Clock of its last access in the segment.
    pub clock_out: u32,
}

/// Registers of the proof: `x0` to `x31` and the hidden ones.
pub const REGISTERS: usize = 35;
/// Number of the hidden register that holds the reservation.
pub const REGISTER_RESERVATION: u8 = 32;
/// Number of the hidden register that holds the bytes of journal written.
pub const REGISTER_JOURNAL: u8 = 33;
/// Number of the hidden register that holds the bytes of hints read.
pub const REGISTER_HINTS: u8 = 34;

/// A part of an execution that is proved on its own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Its number, from 0.
    pub number: u32,
    /// The machine before its first instruction.
    pub start: Checkpoint,
    /// The machine after its last instruction.
    pub end: Checkpoint,
    /// Whether its last instruction is the halt.
    pub halts: bool,
    /// Rows per chip.
    pub rows: ChipRows,
    /// The words it touches, by ascending address.
    pub boundary: Vec<BoundaryWord>,
    /// The registers it accesses, by ascending number.
    pub boundary_registers: Vec<BoundaryRegister>,
    /// The hints it reads.
    pub hints: Vec<u8>,
}

impl Checkpoint {
    /// The value of register `number`, hidden or not; 0 if there is none.
    #[must_use]
    pub fn register(&self, number: u8) -> u64 {
        match number {
            REGISTER_RESERVATION => self.reservation,
            REGISTER_JOURNAL => self.journal_bytes,
            REGISTER_HINTS => self.hint_bytes,
            _ => self
                .registers
                .get(usize::from(number))
                .copied()
                .unwrap_or(0),
        }
    }
}

impl Segment {
    /// Instructions in it.
    #[must_use]
    pub fn cycles(&self) -> u64 {
        self.end.cycle - self.start.cycle
    }

    /// The clock that the instruction after its last one would have.
    #[must_use]
    pub fn end_clock(&self) -> u32 {
        // Segments have fewer than 2^26 instructions.
        (self.cycles() as u32 + 1) * CLOCKS_PER_CYCLE
    }
}

/// An execution that was cut into segments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SegmentedExecution {
    /// What the program did; equal to what [`crate::execute`] returns.
    pub execution: Execution,
    /// Number of segments handed over.
    pub segments: u32,
}

/// Why a segment could not be run again.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplayError {
    /// It ended in another state than it says.
    #[error(
        "segment {number} replayed to cycle {got_cycle} at pc {got_pc:#x}, recorded {cycle} at {pc:#x}"
    )]
    Diverged {
        /// Number of the segment.
        number: u32,
        /// Recorded last cycle.
        cycle: u64,
        /// Recorded last pc.
        pc: u64,
        /// Replayed last cycle.
        got_cycle: u64,
        /// Replayed last pc.
        got_pc: u64,
    },
    /// Its parts contradict each other, so that it was not run.
    #[error("segment {number} is no segment: {reason}")]
    Malformed {
        /// Number of the segment.
        number: u32,
        /// What is wrong.
        reason: &'static str,
    },
    /// It has other numbers of rows than it says.
    #[error("segment {number} replayed to other numbers of rows")]
    Rows {
        /// Number of the segment.
        number: u32,
    },
    /// It touched other words or registers, or left other values than it says.
    #[error("segment {number} replayed to another boundary table")]
    Boundary {
        /// Number of the segment.
        number: u32,
    },
}

/// Executes `program` like [`crate::execute`] and hands each segment to `sink` as soon as it ends,
/// with the records of every chip if `recording` asks for them. What the sink leaves of the records
/// is cleared and its memory used again; to keep them, take them.
///
/// If the guest faults or reaches a limit, its unfinished last segment is handed over too, without
/// the instruction that stopped it; such an execution cannot be proved.
/// Memory: that of `execute`, 8 bytes for each word of guest memory in use, and one segment with
/// its records; what the sink keeps is its own affair.
///
/// # Errors
/// As [`crate::execute`], and if `segment_limits` cannot work.
pub fn execute_segments(
    program: &Program,
    input: &Input,
    limits: &Limits,
    segment_limits: &SegmentLimits,
    recording: Recording,
    console: &mut dyn Console,
    sink: &mut dyn FnMut(Segment, &mut Records),
) -> Result<SegmentedExecution, ExecuteError> {
    let mut sink = |segment: Segment, records: &mut Records| {
        sink(segment, records);
        ControlFlow::Continue(())
    };
    execute_segments_while(
        program,
        input,
        limits,
        segment_limits,
        recording,
        console,
        &mut sink,
    )
}

/// Like [`execute_segments`], but stops after the segment at which `sink` breaks: if the guest did
/// not end with it, as if that had been the limit of its cycles.
///
/// # Errors
/// As [`execute_segments`].
pub fn execute_segments_while(
    program: &Program,
    input: &Input,
    limits: &Limits,
    segment_limits: &SegmentLimits,
    recording: Recording,
    console: &mut dyn Console,
    sink: Sink<'_>,
) -> Result<SegmentedExecution, ExecuteError> {
    segment_limits.check()?;
    let mut hart = Hart::new(program, input, limits, console)?;
    let (stop, counter, segments) = match recording {
        Recording::Boundaries => run_segments::<false>(&mut hart, limits, segment_limits, sink),
        Recording::Records => run_segments::<true>(&mut hart, limits, segment_limits, sink),
    };
    Ok(SegmentedExecution {
        execution: hart.finish(stop, &counter),
        segments,
    })
}

/// Takes each segment with its records, and breaks if no more are wanted.
pub type Sink<'a> = &'a mut dyn FnMut(Segment, &mut Records) -> ControlFlow<()>;

/// What to keep of each segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recording {
    /// The segment with its boundary table; the records handed over are empty.
    Boundaries,
    /// The records of every chip besides.
    Records,
}

fn run_segments<const RECORDS: bool>(
    hart: &mut Hart<'_>,
    limits: &Limits,
    segment_limits: &SegmentLimits,
    sink: Sink<'_>,
) -> (Stop, Counter, u32) {
    let mut tracer = Tracer::<RECORDS>::new(segment_limits);
    loop {
        let start = checkpoint(hart);
        let first_hint = hart.system.hints_read;
        let segment_end = hart
            .cycles
            .saturating_add(u64::from(segment_limits.cycles_max));
        let stop = hart.run(&mut tracer, limits.cycles_max.min(segment_end));
        let hints = hart.system.hints_since(first_hint).to_vec();
        let end = checkpoint(hart);
        let halts = matches!(stop, Stop::Halt { .. });
        let continues =
            stop == Stop::Full || stop == Stop::CycleLimit && hart.cycles < limits.cycles_max;
        let segment = tracer.finish(&hart.memory, start, end, halts, hints);
        let wanted = sink(segment, &mut tracer.records);
        tracer.records.clear();
        if !continues || wanted.is_break() {
            return (stop, tracer.counter, tracer.segment);
        }
    }
}

fn checkpoint(hart: &Hart<'_>) -> Checkpoint {
    Checkpoint {
        registers: hart.state.registers,
        pc: hart.state.pc,
        reservation: hart.state.reservation,
        cycle: hart.cycles,
        journal_bytes: hart.system.journal_written(),
        hint_bytes: hart.system.hints_consumed(),
    }
}

/// Runs `segment` again and returns its records: those that [`execute_segments`] hands over.
///
/// The segment may come from anywhere: whatever it says, the work is bounded by its own size and
/// by [`SegmentLimits::CYCLES_MAX`].
///
/// # Errors
/// [`ReplayError`] if the segment does not belong to the program or was altered.
pub fn replay(program: &Program, segment: &Segment) -> Result<Records, ReplayError> {
    let number = segment.number;
    check_form(segment).map_err(|reason| ReplayError::Malformed { number, reason })?;
    let mut console = Discard;
    let mut memory = Memory::empty(program, zkvm_isa::layout::INPUT_BYTES_MAX, u64::MAX);
    for word in &segment.boundary {
        let address = u64::from(word.word_index) * u64::from(WORD_BYTES);
        memory
            .fill_word(address, word.value_in)
            .map_err(|_| ReplayError::Boundary { number })?;
    }
    let mut system = System::new(&segment.hints, segment.end.journal_bytes, &mut console);
    system.resume(segment.start.journal_bytes, segment.start.hint_bytes);
    let state = HartState {
        registers: segment.start.registers,
        pc: segment.start.pc,
        reservation: segment.start.reservation,
    };
    let mut hart = Hart {
        program,
        state,
        memory,
        system,
        cycles: segment.start.cycle,
    };
    let mut tracer = Tracer::<true>::new(&SegmentLimits {
        rows_max: u32::MAX,
        cycles_max: SegmentLimits::CYCLES_MAX,
        boundary_words_max: u32::MAX,
        ..SegmentLimits::STANDARD
    });
    tracer.segment = number;
    let stop = hart.run(&mut tracer, segment.end.cycle);
    let end = checkpoint(&hart);
    let halts = matches!(stop, Stop::Halt { .. });
    if end != segment.end || halts != segment.halts {
        return Err(ReplayError::Diverged {
            number,
            cycle: segment.end.cycle,
            pc: segment.end.pc,
            got_cycle: end.cycle,
            got_pc: end.pc,
        });
    }
    let again = tracer.finish(
        &hart.memory,
        segment.start.clone(),
        end,
        halts,
        segment.hints.clone(),
    );
    let same_words = again.boundary.len() == segment.boundary.len()
        && again.boundary.iter().zip(&segment.boundary).all(|(a, b)| {
            (a.word_index, a.value_in, a.value_out, a.clock_out)
                == (b.word_index, b.value_in, b.value_out, b.clock_out)
        });
    let registers = again.boundary_registers.iter();
    let same_registers = again.boundary_registers.len() == segment.boundary_registers.len()
        && registers.zip(&segment.boundary_registers).all(|(a, b)| {
            (a.number, a.value_in, a.value_out, a.clock_out)
                == (b.number, b.value_in, b.value_out, b.clock_out)
        });
    if !same_words || !same_registers {
        return Err(ReplayError::Boundary { number });
    }
    if again.rows != segment.rows {
        return Err(ReplayError::Rows { number });
    }
    Ok(tracer.records)
}

/// Checks what running `segment` again relies on; the error says what does not hold.
fn check_form(segment: &Segment) -> Result<(), &'static str> {
    let Segment { start, end, .. } = segment;
    let check = |holds: bool, reason| if holds { Ok(()) } else { Err(reason) };
    check(
        segment.number < u32::MAX,
        "its number is the greatest there is",
    )?;
    check(start.registers[0] == 0, "x0 is not zero")?;
    check(start.pc.is_multiple_of(2), "the pc is odd")?;
    let cycles = end.cycle.checked_sub(start.cycle);
    let is_bounded = cycles.is_some_and(|cycles| cycles <= u64::from(SegmentLimits::CYCLES_MAX));
    check(is_bounded, "its cycles are out of range")?;
    // Of a segment's journal writes only the last may end inside a word, and each word is a row.
    let journal_bytes = end.journal_bytes.checked_sub(start.journal_bytes);
    let journal_words = journal_bytes.map(|bytes| bytes.div_ceil(u64::from(WORD_BYTES)));
    check(
        journal_words == Some(segment.rows.of(Chip::Journal)),
        "its journal has another length than its rows",
    )?;
    let hint_bytes = end.hint_bytes.checked_sub(start.hint_bytes);
    check(
        hint_bytes == Some(segment.hints.len() as u64),
        "its hints have another length than it reads",
    )
}

/// Follows clocks, boundary words and rows of the current segment; keeps records if `RECORDS`.
struct Tracer<const RECORDS: bool> {
    /// Most rows of chips that grow by one row an instruction; of those that grow by system calls.
    rows_max: u64,
    called_rows_max: u64,
    words_max: usize,
    /// What proving takes, and may take.
    bytes: Bytes,
    /// Number of the current segment.
    segment: u32,
    /// Clock of the current instruction.
    clock: u32,
    is_full: bool,
    /// Clocks of the last accesses to registers in the current segment, 0 if there was none.
    register_clocks: [u32; REGISTERS],
    /// Per register: 1 + the segment before the current one that accessed it last, 0 if none did.
    register_segments: [u32; REGISTERS],
    /// Per slot: `(1 + segment of the last touch) << 32 | clock of it`; 0 if never touched.
    stamps: Vec<u64>,
    /// Words first touched in this segment, with their slots.
    touched: Vec<(BoundaryWord, usize)>,
    counter: Counter,
    /// Rows when the segment began.
    rows: ChipRows,
    records: Records,
}

/// Which registers an opcode's format reads and writes, as a table the hot path can index.
#[derive(Clone, Copy)]
struct Uses {
    rs1: bool,
    rs2: bool,
    rd: bool,
    chip: u8,
}

const USES: [Uses; Opcode::COUNT] = {
    let mut uses = [Uses {
        rs1: false,
        rs2: false,
        rd: false,
        chip: u8::MAX,
    }; Opcode::COUNT];
    let mut index = 0;
    while index < Opcode::ALL.len() {
        let opcode = Opcode::ALL[index];
        let format: Format = opcode.format();
        let chip = match opcode.chip() {
            Some(chip) => chip as u8,
            None => u8::MAX,
        };
        uses[index] = Uses {
            rs1: format.reads_rs1(),
            rs2: format.reads_rs2(),
            rd: format.writes_rd(),
            chip,
        };
        index += 1;
    }
    uses
};

/// What proving the current segment takes, by chip and, last, for the words touched.
struct Bytes {
    /// What a row takes.
    rows: [u32; Bytes::COUNT],
    /// Rows that are paid for: powers of two.
    capacities: [u64; Bytes::COUNT],
    /// Rows that cost nothing.
    free: [u64; Bytes::COUNT],
    used: u64,
    most: u64,
}

impl Bytes {
    /// Index of the words.
    const WORDS: usize = Chip::COUNT;
    const COUNT: usize = Chip::COUNT + 1;

    fn new(limits: &SegmentLimits) -> Self {
        let mut rows = [limits.word_bytes; Bytes::COUNT];
        rows[..Chip::COUNT].copy_from_slice(&limits.row_bytes);
        let mut free = [SegmentLimits::ROWS_FREE; Bytes::COUNT];
        for (free, chip) in free.iter_mut().zip(Chip::ALL) {
            *free = SegmentLimits::rows_free(chip);
        }
        let mut bytes = Bytes {
            rows,
            capacities: [0; Bytes::COUNT],
            free,
            used: 0,
            most: limits.bytes_max,
        };
        bytes.begin();
        bytes
    }

    /// Begins a segment.
    fn begin(&mut self) {
        self.capacities = self.free;
        self.used = 0;
    }

    /// Pays for twice the rows; true if that is too much.
    #[cold]
    fn double(&mut self, index: usize) -> bool {
        let capacity = &mut self.capacities[index];
        // The first time, the free rows are paid for too.
        let is_first = *capacity == self.free[index];
        let rows = *capacity * if is_first { 2 } else { 1 };
        *capacity *= 2;
        self.used = self.used.saturating_add(rows * u64::from(self.rows[index]));
        self.used > self.most
    }
}

impl<const RECORDS: bool> Tracer<RECORDS> {
    fn new(limits: &SegmentLimits) -> Self {
        let reserve = SegmentLimits::INSTRUCTION_WORDS_MAX;
        Tracer {
            rows_max: u64::from(limits.rows_max),
            called_rows_max: u64::from(limits.rows_max - reserve),
            words_max: (limits.boundary_words_max - reserve) as usize,
            bytes: Bytes::new(limits),
            segment: 0,
            clock: 0,
            is_full: false,
            register_clocks: [0; REGISTERS],
            register_segments: [0; REGISTERS],
            stamps: Vec::new(),
            touched: Vec::new(),
            counter: Counter::new(),
            rows: ChipRows::default(),
            records: Records::default(),
        }
    }

    /// Ends the current segment and begins the next; its records stay for the caller to take.
    fn finish(
        &mut self,
        memory: &Memory,
        start: Checkpoint,
        end: Checkpoint,
        halts: bool,
        hints: Vec<u8>,
    ) -> Segment {
        let mut boundary: Vec<BoundaryWord> = self
            .touched
            .drain(..)
            .map(|(word, slot)| BoundaryWord {
                value_out: memory.word(slot),
                clock_out: self.stamps[slot] as u32,
                ..word
            })
            .collect();
        boundary.sort_unstable_by_key(|word| word.word_index);
        let rows = std::mem::take(&mut self.rows);
        let number = self.segment;
        let mut boundary_registers = Vec::new();
        let registers = (0..)
            .zip(&self.register_clocks)
            .zip(&mut self.register_segments);
        for ((register, clock), segment_in) in registers {
            if *clock > 0 {
                boundary_registers.push(BoundaryRegister {
                    number: register,
                    segment_in: std::mem::replace(segment_in, number + 1),
                    value_in: start.register(register),
                    value_out: end.register(register),
                    clock_out: *clock,
                });
            }
        }
        self.segment += 1;
        self.clock = 0;
        self.is_full = false;
        self.register_clocks = [0; REGISTERS];
        self.bytes.begin();
        Segment {
            number,
            start,
            end,
            halts,
            rows,
            boundary,
            boundary_registers,
            hints,
        }
    }

    #[inline(always)]
    fn add_row(&mut self, chip: Chip) {
        let rows = &mut self.rows.0[chip as usize];
        *rows += 1;
        self.is_full |= *rows >= self.rows_max;
        if *rows >= self.bytes.capacities[chip as usize] {
            self.is_full |= self.bytes.double(chip as usize);
        }
    }

    /// Adds the rows of a system call to a chip.
    fn add_rows(&mut self, chip: Chip, rows: u64) {
        let used = &mut self.rows.0[chip as usize];
        *used += rows;
        self.is_full |= *used >= self.called_rows_max;
        while *used >= self.bytes.capacities[chip as usize] {
            self.is_full |= self.bytes.double(chip as usize);
        }
    }

    /// Stamps the word and returns its access.
    #[inline(always)]
    fn touch(&mut self, memory: &Memory, touch: Touch) -> WordAccess {
        self.touch_at(memory, touch, SUBSTEP_MEMORY)
    }

    /// The same at another of the instruction's clocks.
    #[inline(always)]
    fn touch_at(&mut self, memory: &Memory, touch: Touch, substep: u32) -> WordAccess {
        if touch.slot >= self.stamps.len() {
            self.stamps.resize(memory.slots(), 0);
        }
        let word_index = (touch.address / u64::from(WORD_BYTES)) as u32;
        let previous = memory.word(touch.slot);
        let stamp = self.stamps[touch.slot];
        let clock = if (stamp >> 32) as u32 == self.segment + 1 {
            stamp as u32
        } else {
            self.first_touch(touch.slot, word_index, previous, (stamp >> 32) as u32);
            0
        };
        let now = self.clock + substep;
        self.stamps[touch.slot] = u64::from(self.segment + 1) << 32 | u64::from(now);
        WordAccess {
            previous,
            word_index,
            clock,
        }
    }

    #[inline(never)]
    fn first_touch(&mut self, slot: usize, word_index: u32, value_in: u64, segment_in: u32) {
        let word = BoundaryWord {
            word_index,
            segment_in,
            value_in,
            value_out: 0,
            clock_out: 0,
        };
        self.touched.push((word, slot));
        self.is_full |= self.touched.len() >= self.words_max;
        if self.touched.len() as u64 >= self.bytes.capacities[Bytes::WORDS] {
            self.is_full |= self.bytes.double(Bytes::WORDS);
        }
    }

    /// Stamps the registers of the instruction and returns their record.
    #[inline(always)]
    fn registers(&mut self, operands: &Operands, uses: Uses) -> RegisterRecord {
        let instruction = operands.instruction;
        let mut record = RegisterRecord {
            clock: self.clock,
            text_index: operands.text_index as u32,
            ..RegisterRecord::default()
        };
        if uses.rs1 {
            record.rs1_value = operands.rs1_value;
            record.rs1_clock = self.touch_register(instruction.rs1(), SUBSTEP_RS1);
        }
        if uses.rs2 {
            record.rs2_value = operands.rs2_value;
            record.rs2_clock = self.touch_register(instruction.rs2(), SUBSTEP_RS2);
        }
        if uses.rd && instruction.rd() != 0 {
            record.rd_previous = operands.rd_previous;
            record.rd_clock = self.touch_register(instruction.rd(), SUBSTEP_RD);
        }
        record
    }

    #[inline(always)]
    fn touch_register(&mut self, register: u8, substep: u32) -> u32 {
        let clock = &mut self.register_clocks[usize::from(register) % REGISTERS];
        std::mem::replace(clock, self.clock + substep)
    }
}

impl<const RECORDS: bool> Recorder for Tracer<RECORDS> {
    #[inline(always)]
    fn instruction(&mut self, operands: &Operands) {
        self.counter.instruction(operands);
        self.clock += CLOCKS_PER_CYCLE;
        let uses = USES[operands.instruction.opcode() as usize];
        let chip = usize::from(uses.chip);
        if chip < REGISTER_CHIPS {
            self.add_row(Chip::ALL[chip]);
            let record = self.registers(operands, uses);
            if RECORDS {
                self.records.registers[chip].push(record);
            }
        }
    }

    #[inline(always)]
    fn aligned(&mut self, memory: &Memory, operands: &Operands, touch: Touch) {
        let uses = USES[operands.instruction.opcode() as usize];
        let is_load = uses.rd;
        self.add_row(if is_load { Chip::Load } else { Chip::Store });
        let word = self.touch(memory, touch);
        let record = MemoryRecord {
            registers: self.registers(operands, uses),
            word,
        };
        if RECORDS {
            if is_load {
                self.records.loads.push(record);
            } else {
                self.records.stores.push(record);
            }
        }
    }

    fn misaligned(
        &mut self,
        memory: &Memory,
        operands: &Operands,
        low: Touch,
        high: Option<Touch>,
    ) {
        self.counter.misaligned(memory, operands, low, high);
        self.add_row(Chip::Misaligned);
        let low = self.touch(memory, low);
        let high = high.map_or(WordAccess::default(), |high| self.touch(memory, high));
        let uses = USES[operands.instruction.opcode() as usize];
        let registers = self.registers(operands, uses);
        if RECORDS {
            self.records.misaligned.push(MisalignedRecord {
                registers,
                low,
                high,
            });
        }
    }

    fn atomic(
        &mut self,
        memory: &Memory,
        operands: &Operands,
        touch: Option<Touch>,
        mut record: AtomicRecord,
    ) {
        self.add_row(Chip::Atomic);
        record.word = touch.map_or(WordAccess::default(), |touch| self.touch(memory, touch));
        let opcode = operands.instruction.opcode();
        record.registers = self.registers(operands, USES[opcode as usize]);
        if matches!(
            opcode,
            Opcode::LrW | Opcode::LrD | Opcode::ScW | Opcode::ScD
        ) {
            record.reservation_clock = self.touch_register(REGISTER_RESERVATION, SUBSTEP_MEMORY);
        }
        if RECORDS {
            self.records.atomics.push(record);
        }
    }

    fn system(&mut self, mut record: SystemRecord) {
        self.add_row(Chip::System);
        record.clock = self.clock;
        record.argument_clocks = [REG_A7, REG_A0, REG_A1, REG_A2]
            .map(|register| self.touch_register(register, SUBSTEP_RS1));
        // The write of a0 follows its read at this clock.
        let _ = self.touch_register(REG_A0, SUBSTEP_RD);
        let [number, descriptor, ..] = record.arguments;
        record.position_clock = match (number, descriptor) {
            (WRITE, FD_JOURNAL) => self.touch_register(REGISTER_JOURNAL, SUBSTEP_MEMORY),
            (READ, FD_HINT) => self.touch_register(REGISTER_HINTS, SUBSTEP_MEMORY),
            _ => 0,
        };
        if RECORDS {
            self.records.system.push(record);
        }
    }

    fn transfer(&mut self, memory: &Memory, transfer: Transfer) {
        self.counter.transfer(memory, transfer);
        let chip = transfer.chip;
        self.add_rows(chip, 1);
        let word = self.touch(memory, transfer.touch);
        if RECORDS {
            let record = TransferRecord {
                clock: self.clock,
                bytes: transfer.bytes,
                offset: transfer.offset,
                word,
                value: transfer.value,
            };
            if chip == Chip::Journal {
                self.records.journal.push(record);
            } else {
                self.records.hints.push(record);
            }
        }
    }

    fn precompile(&mut self, memory: &Memory, call: Precompile, touches: &[Touch]) {
        self.counter.precompile(memory, call, touches);
        for (chip, rows) in call.rows() {
            self.add_rows(*chip, *rows);
        }
        let mut words = [WordAccess::default(); Precompile::WORDS_MAX];
        // In the order of their clocks: reads come before writes.
        for substep in [SUBSTEP_RS1, SUBSTEP_RS2, SUBSTEP_MEMORY] {
            let mut first = 0;
            for operand in call.operands() {
                let range = first..first + operand.words as usize;
                first = range.end;
                if operand.substep == substep {
                    for index in range {
                        words[index] = self.touch_at(memory, touches[index], substep);
                    }
                }
            }
        }
        if RECORDS {
            let calls = &mut self.records.precompiles[call.index()];
            calls.clocks.push(self.clock);
            calls.words.extend_from_slice(&words[..call.words()]);
        }
    }

    #[inline(always)]
    fn is_full(&self) -> bool {
        self.is_full
    }
}

#[cfg(test)]
mod tests {
    use zkvm_testkit::asm::base::{addi, bne, lr_d};
    use zkvm_testkit::asm::{Order, Reg};

    use super::*;
    use crate::execute::Exit;
    use crate::testing::{DATA, call, halt, hinted, program};

    /// A program of several short segments with journal writes and hint reads in each.
    fn sample() -> (Program, Vec<(Segment, Records)>) {
        let program = program(|asm| {
            asm.li(Reg::x(18), 300);
            let top = asm.label();
            asm.bind(top);
            call(asm, WRITE, &[FD_JOURNAL, DATA, 16]);
            call(asm, READ, &[FD_HINT, DATA + 64, 11]);
            call(asm, WRITE, &[FD_JOURNAL, 0, 0]);
            call(asm, WRITE, &[1, DATA, 16]);
            asm.li(Reg::T0, DATA);
            asm.emit(lr_d(Reg::T1, Reg::T0, Order::Relaxed));
            asm.emit(addi(Reg::x(18), Reg::x(18), -1));
            asm.branch(bne, Reg::x(18), Reg::ZERO, top);
            halt(asm, 0);
        });
        let limits = SegmentLimits {
            cycles_max: SegmentLimits::CYCLES_MAX_LEAST,
            ..SegmentLimits::STANDARD
        };
        let mut parts = Vec::new();
        let mut sink = |segment, records: &mut Records| {
            parts.push((segment, std::mem::take(records)));
        };
        let (input, recording) = (hinted(&[7; 2000]), Recording::Records);
        let (standard, mut console) = (Limits::STANDARD, Discard);
        let outcome = execute_segments(
            &program,
            &input,
            &standard,
            &limits,
            recording,
            &mut console,
            &mut sink,
        );
        assert!(outcome.is_ok_and(|outcome| outcome.execution.exit.is_success()));
        assert!(parts.len() > 3);
        (program, parts)
    }

    #[test]
    fn a_sink_that_breaks_ends_the_execution_there() {
        let (program, parts) = sample();
        let limits = SegmentLimits {
            cycles_max: SegmentLimits::CYCLES_MAX_LEAST,
            ..SegmentLimits::STANDARD
        };
        let mut taken = Vec::new();
        let outcome = execute_segments_while(
            &program,
            &hinted(&[7; 2000]),
            &Limits::STANDARD,
            &limits,
            Recording::Boundaries,
            &mut Discard,
            &mut |segment, _| {
                taken.push(segment);
                if taken.len() == 2 {
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            },
        );
        let outcome = outcome.expect("it executes");
        assert!(
            taken
                .iter()
                .eq(parts.iter().take(2).map(|(segment, _)| segment))
        );
        assert_eq!(outcome.segments, 2);
        assert_eq!(outcome.execution.exit, Exit::CycleLimit);
        assert_eq!(outcome.execution.cycles, taken[1].end.cycle);
    }

    #[test]
    fn positions_in_journal_and_hints_chain_through_every_segment() {
        let (_, parts) = sample();
        for (segment, records) in &parts {
            let start = &segment.start;
            let mut last = [(start.journal_bytes, 0), (start.hint_bytes, 0)];
            for record in &records.system {
                let place = match (record.arguments[0], record.arguments[1]) {
                    (WRITE, FD_JOURNAL) => &mut last[0],
                    (READ, FD_HINT) => &mut last[1],
                    _ => {
                        assert_eq!((record.position, record.position_clock), (0, 0));
                        continue;
                    }
                };
                assert_eq!((record.position, record.position_clock), *place);
                let after = record.position + record.result;
                *place = (after, record.clock + SUBSTEP_MEMORY);
            }
            let ends = last.map(|(position, _)| position);
            assert_eq!(ends, [segment.end.journal_bytes, segment.end.hint_bytes]);
        }
    }

    #[test]
    fn a_segment_replays_to_its_records() {
        let (program, parts) = sample();
        for (segment, records) in &parts {
            assert!(replay(&program, segment).as_ref() == Ok(records));
        }
    }

    #[test]
    fn a_segment_that_contradicts_itself_is_refused_before_it_runs() {
        let (program, parts) = sample();
        type Forge = fn(&mut Segment);
        let forgeries: [Forge; 11] = [
            |s| s.number = u32::MAX,
            |s| s.start.registers[0] = 1,
            |s| s.start.pc += 1,
            |s| s.end.cycle = s.start.cycle - 1,
            |s| s.end.cycle = s.start.cycle + u64::from(SegmentLimits::CYCLES_MAX) + 1,
            |s| s.end.cycle = u64::MAX,
            |s| s.start.journal_bytes = s.end.journal_bytes + 1,
            |s| s.start.journal_bytes = u64::MAX,
            |s| s.rows.0[Chip::Journal as usize] += 1,
            |s| s.start.hint_bytes = s.end.hint_bytes + 1,
            |s| s.hints.push(7),
        ];
        for (index, forge) in forgeries.into_iter().enumerate() {
            let mut segment = parts[1].0.clone();
            forge(&mut segment);
            let number = segment.number;
            let refused = replay(&program, &segment);
            let is_expected =
                matches!(&refused, Err(ReplayError::Malformed { number: n, .. }) if *n == number);
            assert!(is_expected, "forgery {index}: {:?}", refused.err());
        }
    }

    #[test]
    fn a_segment_with_other_rows_is_refused() {
        let (program, parts) = sample();
        let mut segment = parts[1].0.clone();
        segment.rows.0[Chip::AddSub as usize] += 1;
        let refused = replay(&program, &segment);
        assert_eq!(refused.err(), Some(ReplayError::Rows { number: 1 }));
    }
}
