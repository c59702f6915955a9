//! An offline check of a segment's records: memory argument and meaning of every instruction.
//!
//! The checker walks the rows by clock. For each register, each word and the reservation it knows
//! the last value and the clock of the last access, so that it can tell whether the value and the
//! clock that a record claims are those of the access before. What an instruction writes is not in
//! its record: the checker computes it from the operands by the kit's reference, which is written
//! from the manual and shares nothing with the interpreter.

use std::collections::BTreeMap;

use zkvm_machine::isa::record::{
    AtomicRecord, CLOCKS_PER_CYCLE, MisalignedRecord, RegisterRecord, SUBSTEP_MEMORY, SUBSTEP_RD,
    SUBSTEP_RS1, SUBSTEP_RS2, SystemRecord, TransferRecord, WordAccess,
};
use zkvm_machine::isa::syscall::{HALT, HALT_STANDARD, REG_A0, REG_A1, REG_A2, REG_A7};
use zkvm_machine::isa::{Chip, Format, Instruction};
use zkvm_machine::{
    Discard, Execution, Input, Limits, Program, Recording, Records, Segment, SegmentLimits,
    execute_segments,
};
use zkvm_testkit::edge::reference::{
    atomic_result, is_taken, loaded, register_form, register_result,
};

/// A segment with its records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The segment.
    pub segment: Segment,
    /// Its records.
    pub records: Records,
}

/// Executes a program cut into segments and keeps all of them.
#[must_use]
#[track_caller]
pub fn parts(
    program: &Program,
    input: &Input,
    limits: &Limits,
    segment_limits: &SegmentLimits,
) -> (Execution, Vec<Part>) {
    let mut parts = Vec::new();
    let mut keep = |segment, records: &mut Records| {
        let records = std::mem::take(records);
        parts.push(Part { segment, records });
    };
    let mut console = Discard;
    let segmented = execute_segments(
        program,
        input,
        limits,
        segment_limits,
        Recording::Records,
        &mut console,
        &mut keep,
    );
    let segmented = segmented.unwrap_or_else(|error| panic!("the execution must begin: {error}"));
    assert_eq!(segmented.segments as usize, parts.len());
    (segmented.execution, parts)
}

/// Any row that is an executed instruction.
#[derive(Clone, Copy, Debug)]
enum Row<'a> {
    Register(&'a RegisterRecord),
    Memory(&'a RegisterRecord, &'a WordAccess),
    Misaligned(&'a MisalignedRecord),
    Atomic(&'a AtomicRecord),
    System(&'a SystemRecord),
}

impl Row<'_> {
    fn clock_and_index(&self) -> (u32, u32) {
        match self {
            Row::Register(record) | Row::Memory(record, _) => (record.clock, record.text_index),
            Row::Misaligned(record) => (record.registers.clock, record.registers.text_index),
            Row::Atomic(record) => (record.registers.clock, record.registers.text_index),
            Row::System(record) => (record.clock, record.text_index),
        }
    }
}

/// Every instruction row with the chip it was filed under, by clock.
fn rows(records: &Records) -> Vec<(Chip, Row<'_>)> {
    let mut rows = Vec::new();
    for (chip, list) in Chip::ALL.into_iter().zip(&records.registers) {
        rows.extend(list.iter().map(|record| (chip, Row::Register(record))));
    }
    for (chip, list) in [(Chip::Load, &records.loads), (Chip::Store, &records.stores)] {
        let list = list.iter();
        rows.extend(list.map(|record| (chip, Row::Memory(&record.registers, &record.word))));
    }
    let misaligned = records.misaligned.iter();
    rows.extend(misaligned.map(|record| (Chip::Misaligned, Row::Misaligned(record))));
    let atomics = records.atomics.iter();
    rows.extend(atomics.map(|record| (Chip::Atomic, Row::Atomic(record))));
    let system = records.system.iter();
    rows.extend(system.map(|record| (Chip::System, Row::System(record))));
    rows.sort_by_key(|(_, row)| row.clock_and_index().0);
    rows
}

/// The last value of a register, a word or the reservation, and the clock of its last access.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    value: u64,
    clock: u32,
}

impl Cell {
    fn at_start(value: u64) -> Self {
        Cell { value, clock: 0 }
    }

    /// An access that claims this value and clock before, and leaves `after` at `now`.
    #[track_caller]
    fn access(&mut self, claimed: Cell, after: u64, now: u32, what: &str) {
        assert_eq!(claimed, *self, "{what}: the access before clock {now}");
        assert!(claimed.clock < now, "{what}: clocks increase");
        *self = Cell {
            value: after,
            clock: now,
        };
    }
}

/// The machine as the records tell it.
struct Checker<'a> {
    program: &'a Program,
    registers: [Cell; 32],
    words: BTreeMap<u32, Cell>,
    reservation: Cell,
    pc: u64,
    journal_bytes: u64,
    hint_bytes: u64,
    /// Transfers that no system call has taken yet.
    journal: std::slice::Iter<'a, TransferRecord>,
    hints: std::slice::Iter<'a, TransferRecord>,
}

/// Checks a segment's records from its start to its end. Panics at the first that is wrong.
pub fn check(program: &Program, part: &Part) {
    let Part { segment, records } = part;
    let mut checker = Checker {
        program,
        registers: segment.start.registers.map(Cell::at_start),
        words: BTreeMap::new(),
        reservation: Cell::at_start(segment.start.reservation),
        pc: segment.start.pc,
        journal_bytes: segment.start.journal_bytes,
        hint_bytes: segment.start.hint_bytes,
        journal: records.journal.iter(),
        hints: records.hints.iter(),
    };
    for word in &segment.boundary {
        let before = checker
            .words
            .insert(word.word_index, Cell::at_start(word.value_in));
        assert_eq!(before, None, "a word is in the boundary table once");
    }
    assert!(
        segment.boundary.is_sorted_by_key(|word| word.word_index),
        "the boundary table is sorted"
    );
    let rows = rows(records);
    assert_eq!(rows.len() as u64, segment.cycles(), "one row per cycle");
    for (number, (chip, row)) in rows.iter().enumerate() {
        let (clock, text_index) = row.clock_and_index();
        assert_eq!(
            clock,
            CLOCKS_PER_CYCLE * (number as u32 + 1),
            "row {number}"
        );
        let is_halt_allowed = segment.halts && number + 1 == rows.len();
        checker.row(*chip, *row, clock, text_index, is_halt_allowed);
    }
    checker.finish(segment);
}

impl Checker<'_> {
    fn row(&mut self, chip: Chip, row: Row<'_>, clock: u32, text_index: u32, is_last: bool) {
        let pc = u64::from(self.program.text_start()) + 2 * u64::from(text_index);
        assert_eq!(
            pc, self.pc,
            "the row at clock {clock} is the next instruction"
        );
        let instruction = self.program.instruction_at(pc);
        let instruction = instruction.unwrap_or_else(|| panic!("no instruction at {pc:#x}"));
        let expected = instruction.opcode().chip();
        let is_memory = matches!(expected, Some(Chip::Load | Chip::Store));
        let is_filed_well = expected == Some(chip) || is_memory && chip == Chip::Misaligned;
        assert!(
            is_filed_well,
            "{instruction} at {pc:#x} is filed under {chip:?}"
        );
        match row {
            Row::Register(record) => self.register(instruction, record),
            Row::Memory(record, word) => {
                let high = WordAccess::default();
                self.memory(instruction, record, [*word, high], Alignment::Natural);
            }
            Row::Misaligned(record) => {
                let words = [record.low, record.high];
                self.memory(instruction, &record.registers, words, Alignment::Broken);
            }
            Row::Atomic(record) => self.atomic(instruction, record),
            Row::System(record) => self.system(record, is_last),
        }
    }

    /// The reads of `rs1` and `rs2`; fields that the format lacks must be zero.
    fn read_sources(&mut self, instruction: Instruction, record: &RegisterRecord) {
        let format = instruction.opcode().format();
        let now = record.clock;
        for (is_read, register, value, clock, substep) in [
            (
                format.reads_rs1(),
                instruction.rs1(),
                record.rs1_value,
                record.rs1_clock,
                SUBSTEP_RS1,
            ),
            (
                format.reads_rs2(),
                instruction.rs2(),
                record.rs2_value,
                record.rs2_clock,
                SUBSTEP_RS2,
            ),
        ] {
            let claimed = Cell { value, clock };
            if is_read {
                let what = format!("{instruction} reads x{register}");
                let cell = &mut self.registers[usize::from(register)];
                cell.access(claimed, value, now + substep, &what);
            } else {
                assert_eq!(
                    claimed,
                    Cell::at_start(0),
                    "{instruction} has no such operand"
                );
            }
        }
    }

    /// The write of `rd`, and the step to the next instruction.
    fn write_and_step(
        &mut self,
        instruction: Instruction,
        record: &RegisterRecord,
        result: u64,
        next: u64,
    ) {
        let claimed = Cell {
            value: record.rd_previous,
            clock: record.rd_clock,
        };
        let register = instruction.rd();
        // A format without a destination reads as `rd` 0, and a write to x0 is no access.
        if register == 0 {
            assert_eq!(claimed, Cell::at_start(0), "{instruction} writes nothing");
        } else {
            let what = format!("{instruction} writes x{register}");
            let cell = &mut self.registers[usize::from(register)];
            cell.access(claimed, result, record.clock + SUBSTEP_RD, &what);
        }
        assert_eq!(record.reserved, 0);
        self.pc = next;
    }

    fn access_word(&mut self, word: &WordAccess, after: u64, clock: u32) {
        let claimed = Cell {
            value: word.previous,
            clock: word.clock,
        };
        let index = word.word_index;
        let what = format!("word {index:#x}");
        let cell = self.words.get_mut(&index);
        let cell = cell.unwrap_or_else(|| panic!("{what} is not in the boundary table"));
        cell.access(claimed, after, clock + SUBSTEP_MEMORY, &what);
    }

    fn register(&mut self, instruction: Instruction, record: &RegisterRecord) {
        self.read_sources(instruction, record);
        let (pc, imm) = (self.pc, i64::from(instruction.imm()) as u64);
        let (a, b) = (record.rs1_value, record.rs2_value);
        let after = pc + u64::from(instruction.length().bytes());
        let target = pc.wrapping_add(imm);
        let opcode = instruction.opcode();
        let name = opcode.mnemonic();
        let (result, next) = match opcode.format() {
            Format::U if name == "lui" => (imm, after),
            Format::U => (target, after),
            Format::J => (after, target),
            Format::I if name == "jalr" => (after, a.wrapping_add(imm) & !1),
            Format::B if is_taken(name, a, b) => (0, target),
            Format::B => (0, after),
            Format::R => (register_result(name, a, b), after),
            Format::I | Format::Shift64 | Format::Shift32 => {
                (register_result(register_form(name), a, imm), after)
            }
            Format::S | Format::Amo | Format::LoadReserved | Format::System => {
                panic!("{instruction} is no register instruction")
            }
        };
        self.write_and_step(instruction, record, result, next);
    }

    fn memory(
        &mut self,
        instruction: Instruction,
        record: &RegisterRecord,
        words: [WordAccess; 2],
        alignment: Alignment,
    ) {
        self.read_sources(instruction, record);
        let name = instruction.opcode().mnemonic();
        let width = width_of(name);
        let address = record
            .rs1_value
            .wrapping_add(i64::from(instruction.imm()) as u64);
        let is_natural = address.is_multiple_of(width as u64);
        assert_eq!(
            is_natural,
            alignment == Alignment::Natural,
            "{name} at {address:#x}"
        );
        let offset = (address % 8) as usize;
        let [low, high] = words;
        assert_eq!(
            u64::from(low.word_index),
            address / 8,
            "{name} at {address:#x}"
        );
        let mut bytes = [low.previous.to_le_bytes(), high.previous.to_le_bytes()].concat();
        let is_store = instruction.opcode().format() == Format::S;
        let result = if is_store {
            0
        } else {
            loaded(name, &bytes[offset..])
        };
        if is_store {
            let value = record.rs2_value.to_le_bytes();
            bytes[offset..offset + width].copy_from_slice(&value[..width]);
        }
        self.access_word(&low, word_at(&bytes, 0), record.clock);
        if offset + width > 8 {
            assert_eq!(
                high.word_index,
                low.word_index + 1,
                "{name} at {address:#x}"
            );
            self.access_word(&high, word_at(&bytes, 8), record.clock);
        } else {
            assert_eq!(high, WordAccess::default(), "{name} at {address:#x}");
        }
        let next = self.pc + u64::from(instruction.length().bytes());
        self.write_and_step(instruction, record, result, next);
    }

    fn atomic(&mut self, instruction: Instruction, record: &AtomicRecord) {
        let registers = &record.registers;
        self.read_sources(instruction, registers);
        let name = instruction.opcode().mnemonic();
        let width = if name.ends_with(".w") { 4 } else { 8 };
        let load = if width == 4 { "lw" } else { "ld" };
        let address = registers.rs1_value;
        let claimed = Cell {
            value: record.reservation,
            clock: record.reservation_clock,
        };
        let now = registers.clock + SUBSTEP_MEMORY;
        let reserved = address.wrapping_add(1);
        let next = self.pc + u64::from(instruction.length().bytes());
        if name.starts_with("sc.") && record.reservation != reserved {
            // Its address may be anything.
            self.reservation.access(claimed, 0, now, "reservation");
            assert_eq!(
                record.word,
                WordAccess::default(),
                "a failing {name} touches nothing"
            );
            self.write_and_step(instruction, registers, 1, next);
            return;
        }
        assert!(
            address.is_multiple_of(width as u64),
            "{name} at {address:#x}"
        );
        let offset = (address % 8) as usize;
        let mut bytes = record.word.previous.to_le_bytes();
        let old = loaded(load, &bytes[offset..]);
        let mut put = |value: u64| {
            bytes[offset..offset + width].copy_from_slice(&value.to_le_bytes()[..width]);
        };
        let result = match name.split_once('.') {
            Some(("lr", _)) => {
                self.reservation
                    .access(claimed, reserved, now, "reservation");
                old
            }
            Some(("sc", _)) => {
                self.reservation.access(claimed, 0, now, "reservation");
                put(registers.rs2_value);
                0
            }
            _ => {
                assert_eq!(
                    claimed,
                    Cell::at_start(0),
                    "{name} does not see the reservation"
                );
                put(atomic_result(name, old, registers.rs2_value));
                old
            }
        };
        assert_eq!(u64::from(record.word.word_index), address / 8, "{name}");
        self.access_word(&record.word, u64::from_le_bytes(bytes), registers.clock);
        self.write_and_step(instruction, registers, result, next);
    }

    fn system(&mut self, record: &SystemRecord, is_last: bool) {
        let reads = [REG_A7, REG_A0, REG_A1, REG_A2];
        let claims = record.arguments.iter().zip(&record.argument_clocks);
        for (register, (&value, &clock)) in reads.into_iter().zip(claims) {
            let cell = &mut self.registers[usize::from(register)];
            let what = format!("ecall reads x{register}");
            let claimed = Cell { value, clock };
            cell.access(claimed, value, record.clock + SUBSTEP_RS1, &what);
        }
        self.take_transfers(record.clock);
        let a0 = &mut self.registers[usize::from(REG_A0)];
        let claimed = Cell {
            value: record.arguments[1],
            clock: record.clock + SUBSTEP_RS1,
        };
        a0.access(
            claimed,
            record.result,
            record.clock + SUBSTEP_RD,
            "ecall writes a0",
        );
        if matches!(record.arguments[0], HALT | HALT_STANDARD) {
            assert!(is_last, "only the last row halts");
            assert_eq!(record.result, record.arguments[1]);
        } else {
            assert!(!is_last, "a segment that halts ends with the halt");
            self.pc += 4;
        }
    }

    /// Checks the words that the call at `clock` moved.
    fn take_transfers(&mut self, clock: u32) {
        while let Some(record) = self.journal.clone().next().filter(|r| r.clock == clock) {
            let _ = self.journal.next();
            assert_eq!(
                record.value, record.word.previous,
                "the journal changes no memory"
            );
            assert_eq!(record.offset, self.journal_bytes);
            assert!((1..=8).contains(&record.bytes));
            self.journal_bytes += u64::from(record.bytes);
            self.access_word(&record.word, record.value, clock);
        }
        while let Some(record) = self.hints.clone().next().filter(|r| r.clock == clock) {
            let _ = self.hints.next();
            assert_eq!(record.offset, self.hint_bytes);
            assert!((1..=8).contains(&record.bytes));
            let padding = 64 - 8 * record.bytes;
            let kept = record.value << padding >> padding;
            assert_eq!(record.value, kept, "the rest of the last word is zero");
            self.hint_bytes += u64::from(record.bytes);
            self.access_word(&record.word, record.value, clock);
        }
    }

    fn finish(self, segment: &Segment) {
        assert_eq!(
            self.journal.len() + self.hints.len(),
            0,
            "every transfer has its call"
        );
        let end = &segment.end;
        assert_eq!(self.registers.map(|cell| cell.value), end.registers);
        assert_eq!(self.reservation.value, end.reservation);
        assert_eq!(self.pc, end.pc);
        assert_eq!(self.journal_bytes, end.journal_bytes);
        assert_eq!(self.hint_bytes, end.hint_bytes);
        for word in &segment.boundary {
            let cell = self.words[&word.word_index];
            assert_eq!(cell.value, word.value_out, "word {:#x}", word.word_index);
            assert_ne!(cell.clock, 0, "word {:#x} is touched", word.word_index);
        }
    }
}

/// Whether an access is naturally aligned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alignment {
    Natural,
    Broken,
}

/// Bytes that a load or store moves.
fn width_of(name: &str) -> usize {
    match name.as_bytes()[1] {
        b'b' => 1,
        b'h' => 2,
        b'w' => 4,
        b'd' => 8,
        _ => panic!("{name} is not a load or store"),
    }
}

fn word_at(bytes: &[u8], at: usize) -> u64 {
    let word = bytes[at..at + 8].try_into();
    u64::from_le_bytes(word.expect("eight bytes"))
}
