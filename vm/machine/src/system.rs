//! The effects of system calls; the table of them is [`zkvm_isa::syscall`].

use std::fmt;

use zkvm_isa::record::SystemRecord;
use zkvm_isa::syscall::{
    FD_HINT, FD_JOURNAL, FD_STDERR, FD_STDOUT, HALT, HALT_STANDARD, PANIC, READ, REG_A0, REG_A7,
    SPAN_BEGIN, SPAN_END, SPAN_NAME_BYTES_MAX, TEXT_BYTES_MAX, TRANSFER_BYTES_MAX, WRITE,
};
use zkvm_isa::{Chip, Precompile, layout::WORD_BYTES};

use crate::execute::{Console, GuestPanic, Stream};
use crate::fault::{Access, FaultKind};
use crate::hart::Stop;
use crate::memory::{AccessError, Memory};
use crate::precompile::{self, OperandError};
use crate::recorder::{Recorder, Touch, Transfer};
use crate::spans::Spans;

const WORD: u64 = WORD_BYTES as u64;

/// What a call does to the run.
pub(crate) enum SystemOutcome {
    Continue,
    Stop(Stop),
}

/// The world outside the hart: journal, hints, console, and what is kept for people.
pub(crate) struct System<'a> {
    pub(crate) journal: Vec<u8>,
    pub(crate) journal_bytes_max: u64,
    /// Journal bytes written before `journal` begins.
    journal_before: u64,
    hints: &'a [u8],
    pub(crate) hints_read: usize,
    /// Hint bytes read before `hints` begins.
    hints_before: u64,
    console: &'a mut dyn Console,
    pub(crate) panic: Option<GuestPanic>,
    pub(crate) spans: Spans,
}

impl fmt::Debug for System<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("System")
            .field("journal_bytes", &self.journal.len())
            .finish_non_exhaustive()
    }
}

impl<'a> System<'a> {
    pub(crate) fn new(
        hints: &'a [u8],
        journal_bytes_max: u64,
        console: &'a mut dyn Console,
    ) -> System<'a> {
        System {
            journal: Vec::new(),
            journal_bytes_max,
            journal_before: 0,
            hints,
            hints_read: 0,
            hints_before: 0,
            console,
            panic: None,
            spans: Spans::default(),
        }
    }

    /// Executes the call that `registers` describe, made at table entry `text_index` after
    /// `cycles` instructions.
    #[inline(never)]
    pub(crate) fn call<R: Recorder>(
        &mut self,
        registers: &mut [u64; 32],
        memory: &mut Memory,
        recorder: &mut R,
        text_index: usize,
        cycles: u64,
    ) -> SystemOutcome {
        let first = usize::from(REG_A0);
        let arguments: [u64; 6] = std::array::from_fn(|index| registers[first + index]);
        let number = registers[usize::from(REG_A7)];
        let [a0, a1, a2, ..] = arguments;
        let position = match (number, a0) {
            (WRITE, FD_JOURNAL) => self.journal_written(),
            (READ, FD_HINT) => self.hints_consumed(),
            _ => 0,
        };
        let result = match number {
            HALT | HALT_STANDARD => Ok(a0),
            WRITE if a0 == FD_STDOUT || a0 == FD_STDERR => {
                self.print(memory, a0, a1, a2);
                Ok(a2)
            }
            WRITE if a0 == FD_JOURNAL => self.write_journal(memory, recorder, a1, a2),
            READ if a0 == FD_HINT => self.read_hint(memory, recorder, a1, a2),
            WRITE | READ => Err(Stop::Fault(FaultKind::UnknownDescriptor { descriptor: a0 })),
            PANIC => {
                self.note_panic(memory, arguments, cycles);
                Ok(0)
            }
            SPAN_BEGIN => {
                let name = text(memory, a0, a1, SPAN_NAME_BYTES_MAX);
                self.spans.begin(name, cycles);
                Ok(0)
            }
            SPAN_END => {
                self.spans.end(cycles);
                Ok(0)
            }
            _ => match Precompile::of_number(number) {
                Some(call) => precompile(memory, recorder, call, [a0, a1, a2]).map(|()| 0),
                None => Err(Stop::Fault(FaultKind::UnknownSystemCall { number })),
            },
        };
        let result = match result {
            Ok(result) => result,
            Err(stop) => return SystemOutcome::Stop(stop),
        };
        recorder.system(SystemRecord {
            text_index: text_index as u32,
            arguments: [number, a0, a1, a2],
            result,
            position,
            ..SystemRecord::default()
        });
        registers[first] = result;
        if matches!(number, HALT | HALT_STANDARD) {
            return SystemOutcome::Stop(Stop::Halt { code: a0 as u32 });
        }
        SystemOutcome::Continue
    }

    fn print(&mut self, memory: &Memory, descriptor: u64, address: u64, length: u64) {
        let stream = if descriptor == FD_STDERR {
            Stream::Error
        } else {
            Stream::Output
        };
        let bytes = readable(memory, address, length.min(TRANSFER_BYTES_MAX));
        self.console.write(stream, &bytes);
    }

    fn write_journal<R: Recorder>(
        &mut self,
        memory: &mut Memory,
        recorder: &mut R,
        address: u64,
        length: u64,
    ) -> Result<u64, Stop> {
        check_transfer(address, length)?;
        let offset = self.journal_written();
        if !offset.is_multiple_of(WORD) && length > 0 {
            return Err(Stop::Fault(FaultKind::JournalRagged { length: offset }));
        }
        if offset.saturating_add(length) > self.journal_bytes_max {
            return Err(Stop::JournalLimit);
        }
        check_words(address, length, |address| memory.load_slot(address))?;
        for done in (0..length).step_by(WORD as usize) {
            let address = address + done;
            let slot = memory.load_slot(address)?;
            let value = memory.word(slot);
            let bytes = (length - done).min(WORD) as u32;
            let touch = Touch { slot, address };
            let chip = Chip::Journal;
            recorder.transfer(
                memory,
                Transfer {
                    chip,
                    offset: offset + done,
                    bytes,
                    touch,
                    value,
                },
            );
            self.journal
                .extend_from_slice(&value.to_le_bytes()[..bytes as usize]);
        }
        Ok(length)
    }

    fn read_hint<R: Recorder>(
        &mut self,
        memory: &mut Memory,
        recorder: &mut R,
        address: u64,
        length: u64,
    ) -> Result<u64, Stop> {
        check_transfer(address, length)?;
        let offset = self.hints_consumed();
        let rest = &self.hints[self.hints_read..];
        let length = (rest.len() as u64).min(length);
        check_words(address, length, |address| memory.store_slot(address))?;
        for (index, part) in rest[..length as usize].chunks(WORD as usize).enumerate() {
            let done = index as u64 * WORD;
            let address = address + done;
            let slot = memory.store_slot(address)?;
            let mut word = [0; WORD as usize];
            word[..part.len()].copy_from_slice(part);
            let value = u64::from_le_bytes(word);
            let (chip, touch, bytes) = (Chip::Hint, Touch { slot, address }, part.len() as u32);
            recorder.transfer(
                memory,
                Transfer {
                    chip,
                    offset: offset + done,
                    bytes,
                    touch,
                    value,
                },
            );
            memory.set_word(slot, value);
        }
        self.hints_read += length as usize;
        Ok(length)
    }

    fn note_panic(&mut self, memory: &Memory, arguments: [u64; 6], cycle: u64) {
        let [message, message_bytes, file, file_bytes, line, column] = arguments;
        self.panic = Some(GuestPanic {
            message: text(memory, message, message_bytes, TEXT_BYTES_MAX),
            file: text(memory, file, file_bytes, TEXT_BYTES_MAX),
            line: line as u32,
            column: column as u32,
            cycle,
        });
    }

    /// Continues in the middle of an execution: `hints` begins at the stream's byte
    /// `hint_bytes`, and `journal_bytes` of journal lie behind.
    pub(crate) fn resume(&mut self, journal_bytes: u64, hint_bytes: u64) {
        self.journal_before = journal_bytes;
        self.hints_before = hint_bytes;
    }

    /// Bytes of journal written since the program's entry.
    pub(crate) fn journal_written(&self) -> u64 {
        self.journal_before + self.journal.len() as u64
    }

    /// Bytes of hints read since the program's entry.
    pub(crate) fn hints_consumed(&self) -> u64 {
        self.hints_before + self.hints_read as u64
    }

    /// The hints from the read position `first` to now.
    pub(crate) fn hints_since(&self, first: usize) -> &[u8] {
        &self.hints[first..self.hints_read]
    }
}

/// Replaces the operand at the first of `addresses` by what `call` makes of all of them.
fn precompile<R: Recorder>(
    memory: &mut Memory,
    recorder: &mut R,
    call: Precompile,
    addresses: [u64; 3],
) -> Result<(), Stop> {
    let fault = |error| {
        Stop::Fault(FaultKind::Operand {
            precompile: call,
            error,
        })
    };
    for address in addresses {
        check_aligned(address)?;
        if u32::try_from(address).is_err() {
            let access = Access::Load;
            return Err(Stop::Fault(FaultKind::Unmapped { access, address }));
        }
    }
    let unused = &addresses[call.operands().len()..];
    if unused.iter().any(|address| *address != 0) {
        return Err(fault(OperandError::UnusedArgument));
    }
    let mut touches = [Touch::default(); Precompile::WORDS_MAX];
    let places = addresses.iter().zip(call.operands());
    let places = places.flat_map(|(first, operand)| {
        (0..u64::from(operand.words)).map(move |index| (first + index * WORD, operand))
    });
    for (touch, (address, operand)) in touches.iter_mut().zip(places) {
        let slot = if operand.is_written {
            memory.store_slot(address)?
        } else {
            memory.load_slot(address)?
        };
        *touch = Touch { slot, address };
    }
    let touches = &touches[..call.words()];
    let mut words = [0; Precompile::WORDS_MAX];
    for (word, touch) in words.iter_mut().zip(touches) {
        *word = memory.word(touch.slot);
    }
    precompile::compute(call, &mut words).map_err(fault)?;
    recorder.precompile(memory, call, touches);
    let written = call.operands()[0].words as usize;
    for (word, touch) in words[..written].iter().zip(touches) {
        memory.set_word(touch.slot, *word);
    }
    Ok(())
}

/// The checks of a transfer that do not depend on memory.
fn check_transfer(address: u64, length: u64) -> Result<(), Stop> {
    if length > TRANSFER_BYTES_MAX {
        return Err(Stop::Fault(FaultKind::TransferTooLong { length }));
    }
    check_aligned(address)
}

fn check_aligned(address: u64) -> Result<(), Stop> {
    if !address.is_multiple_of(WORD) {
        return Err(Stop::Fault(FaultKind::TransferMisaligned { address }));
    }
    Ok(())
}

/// Checks every word of a transfer by `slot`, before the first one moves: a call that faults is
/// not executed, not even in part. Of no words any address passes.
fn check_words(
    address: u64,
    length: u64,
    mut slot: impl FnMut(u64) -> Result<usize, AccessError>,
) -> Result<(), Stop> {
    for done in (0..length).step_by(WORD as usize) {
        // An address near 2^64 is refused at the first word, so that the sum cannot overflow.
        slot(address + done)?;
    }
    Ok(())
}

/// The bytes at `address`, up to the first that is not mapped.
fn readable(memory: &Memory, address: u64, length: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut next = Some(address);
    while let Some(at) = next
        && (bytes.len() as u64) < length
        && let Some(word) = memory.peek(at)
    {
        let word = &word.to_le_bytes()[(at % WORD) as usize..];
        let wanted = (length - bytes.len() as u64).min(word.len() as u64);
        bytes.extend_from_slice(&word[..wanted as usize]);
        next = at.checked_add(wanted);
    }
    bytes
}

/// The text at `address`, at most `bytes_max` bytes long; what is no UTF-8 is replaced.
fn text(memory: &Memory, address: u64, length: u64, bytes_max: u64) -> String {
    let bytes = readable(memory, address, length.min(bytes_max));
    let mut text = String::from_utf8_lossy(&bytes).into_owned();
    // A replacement is longer than what it replaces.
    text.truncate(text.floor_char_boundary(bytes_max as usize));
    text
}

#[cfg(test)]
mod tests {
    use zkvm_isa::Chip;
    use zkvm_isa::layout::{HEAP_END, PAGE_BYTES};

    use super::*;
    use crate::testing::{DATA, call, halt, hinted, program, run};
    use crate::{Capture, Exit, Limits, execute};

    const END: u64 = HEAP_END as u64;
    const FAR: u64 = 0x1000_0000;

    fn fault(emit: impl FnOnce(&mut zkvm_testkit::asm::Assembler)) -> (FaultKind, [u64; 2]) {
        let execution = run(&program(emit), &[1; 100]);
        let Exit::Faulted(fault) = execution.exit else {
            panic!("the program must fault, not: {}", execution.exit);
        };
        let rows = [Chip::Journal, Chip::Hint].map(|chip| execution.cost.rows.of(chip));
        assert!(execution.journal.is_empty());
        (fault.kind, rows)
    }

    #[test]
    fn a_transfer_that_faults_has_no_effect() {
        let unmapped = |access, address| FaultKind::Unmapped { access, address };
        let journal = fault(|asm| call(asm, WRITE, &[FD_JOURNAL, END - 16, 24]));
        assert_eq!(journal, (unmapped(Access::Load, END), [0, 0]));
        let hint = fault(|asm| call(asm, READ, &[FD_HINT, END - 16, 24]));
        assert_eq!(hint, (unmapped(Access::Store, END), [0, 0]));
    }

    #[test]
    fn an_address_is_checked_only_if_a_word_moves() {
        for address in [0, END, 1 << 32, u64::MAX - 7] {
            let program = program(|asm| {
                call(asm, WRITE, &[FD_JOURNAL, address, 0]);
                call(asm, READ, &[FD_HINT, address, 0]);
                call(asm, READ, &[FD_HINT, DATA, 50]);
                // No hints are left.
                call(asm, READ, &[FD_HINT, address, 8]);
                halt(asm, 0);
            });
            let execution = run(&program, &[1; 50]);
            assert!(
                execution.exit.is_success(),
                "{address:#x}: {}",
                execution.exit
            );
        }
        for address in [1 << 32, u64::MAX - 7] {
            let (kind, _) = fault(|asm| call(asm, WRITE, &[FD_JOURNAL, address, 65536]));
            let access = Access::Load;
            assert_eq!(kind, FaultKind::Unmapped { access, address });
            let (kind, _) = fault(|asm| call(asm, READ, &[FD_HINT, address, 65536]));
            let access = Access::Store;
            assert_eq!(kind, FaultKind::Unmapped { access, address });
        }
        for number in [WRITE, READ] {
            let descriptor = if number == WRITE { FD_JOURNAL } else { FD_HINT };
            let (kind, _) = fault(|asm| call(asm, number, &[descriptor, DATA + 4, 0]));
            let address = DATA + 4;
            assert_eq!(kind, FaultKind::TransferMisaligned { address });
        }
    }

    #[test]
    fn texts_for_people_take_no_guest_memory() {
        let texts = program(|asm| {
            for page in 0..8 {
                let at = FAR + 2 * page * u64::from(PAGE_BYTES);
                call(asm, WRITE, &[FD_STDOUT, at, TRANSFER_BYTES_MAX]);
                call(asm, PANIC, &[at, 4096, at, 4096, 1, 1]);
                call(asm, SPAN_BEGIN, &[at, 4096]);
            }
            halt(asm, 0);
        });
        let nothing = program(|asm| halt(asm, 0));
        let mut capture = Capture::default();
        let (input, limits) = (hinted(&[]), Limits::STANDARD);
        let execution = execute(&texts, &input, &limits, &mut capture).expect("it begins");
        assert_eq!(capture.bytes, vec![0; 8 * TRANSFER_BYTES_MAX as usize]);
        let least = run(&nothing, &[]).cost.memory_bytes;
        assert_eq!(execution.cost.memory_bytes, least);
    }

    #[test]
    fn what_is_printed_may_begin_and_end_inside_a_word() {
        let program = program(|asm| {
            call(asm, WRITE, &[FD_STDOUT, DATA + 5, 13]);
            call(asm, WRITE, &[FD_STDERR, DATA + 30, 1]);
            call(asm, WRITE, &[FD_STDOUT, END - 3, 100]);
            call(asm, WRITE, &[FD_STDOUT, u64::MAX, 100]);
            halt(asm, 0);
        });
        let mut capture = Capture::default();
        let limits = Limits::STANDARD;
        let outcome = execute(&program, &hinted(&[]), &limits, &mut capture);
        assert!(outcome.is_ok_and(|execution| execution.exit.is_success()));
        let expected: Vec<u8> = (5..18).chain([30, 0, 0, 0]).collect();
        assert_eq!(capture.bytes, expected);
    }

    #[test]
    fn names_of_spans_are_cut() {
        let program = program(|asm| {
            call(asm, SPAN_BEGIN, &[DATA + 0x80, 4096]);
            halt(asm, 0);
        });
        let spans = run(&program, &[]).spans;
        // Bytes from 0x80 up are no UTF-8; each is replaced by three bytes.
        assert_eq!(spans[0].path, ["\u{fffd}".repeat(128 / 3)]);
    }
}
