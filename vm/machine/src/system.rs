//! The effects of system calls; the table of them is [`zkvm_isa::syscall`].

use std::fmt;

use zkvm_isa::record::SystemRecord;
use zkvm_isa::syscall::{
    FD_HINT, FD_JOURNAL, FD_STDERR, FD_STDOUT, HALT, HALT_STANDARD, PANIC, READ, REG_A0, REG_A7,
    SPAN_BEGIN, SPAN_END, TEXT_BYTES_MAX, TRANSFER_BYTES_MAX, WRITE,
};
use zkvm_isa::{Chip, layout::WORD_BYTES};

use crate::cost::Span;
use crate::execute::{Console, GuestPanic, Stream};
use crate::fault::FaultKind;
use crate::hart::Stop;
use crate::memory::Memory;
use crate::recorder::{Recorder, Touch, Transfer};

/// Most distinct spans kept; entering further ones is not recorded.
const SPANS_MAX: usize = 4096;
/// Deepest nesting of spans kept.
const SPAN_DEPTH_MAX: usize = 64;

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
    pub(crate) spans: Vec<Span>,
    /// Open spans: index into `spans` if recorded, and the cycle of entry.
    open_spans: Vec<(Option<usize>, u64)>,
    /// Spans opened beyond [`SPAN_DEPTH_MAX`].
    unrecorded_depth: u64,
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
            spans: Vec::new(),
            open_spans: Vec::new(),
            unrecorded_depth: 0,
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
                self.begin_span(text(memory, a0, a1, TEXT_BYTES_MAX), cycles);
                Ok(0)
            }
            SPAN_END => {
                self.end_span(cycles);
                Ok(0)
            }
            _ => Err(Stop::Fault(FaultKind::UnknownSystemCall { number })),
        };
        let result = match result {
            Ok(result) => result,
            Err(stop) => return SystemOutcome::Stop(stop),
        };
        recorder.system(SystemRecord {
            text_index: text_index as u32,
            arguments: [number, a0, a1, a2],
            result,
            ..SystemRecord::default()
        });
        registers[first] = result;
        if matches!(number, HALT | HALT_STANDARD) {
            return SystemOutcome::Stop(Stop::Halt { code: a0 as u32 });
        }
        SystemOutcome::Continue
    }

    fn print(&mut self, memory: &mut Memory, descriptor: u64, address: u64, length: u64) {
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

    fn note_panic(&mut self, memory: &mut Memory, arguments: [u64; 6], cycle: u64) {
        let [message, message_bytes, file, file_bytes, line, column] = arguments;
        self.panic = Some(GuestPanic {
            message: text(memory, message, message_bytes, TEXT_BYTES_MAX),
            file: text(memory, file, file_bytes, TEXT_BYTES_MAX),
            line: line as u32,
            column: column as u32,
            cycle,
        });
    }

    fn begin_span(&mut self, name: String, cycle: u64) {
        if self.open_spans.len() >= SPAN_DEPTH_MAX {
            self.unrecorded_depth += 1;
            return;
        }
        let parent = self.open_spans.last().and_then(|(index, _)| *index);
        let mut path = parent.map_or(Vec::new(), |index| self.spans[index].path.clone());
        path.push(name);
        let mut known = self.spans.iter().position(|span| span.path == path);
        if known.is_none() && self.spans.len() < SPANS_MAX {
            known = Some(self.spans.len());
            self.spans.push(Span {
                path,
                entered: 0,
                cycles: 0,
            });
        }
        if let Some(span) = known.and_then(|index| self.spans.get_mut(index)) {
            span.entered += 1;
        }
        self.open_spans.push((known, cycle));
    }

    /// Closes the innermost span; a guest that closes more than it opened changes nothing.
    fn end_span(&mut self, cycle: u64) {
        if self.unrecorded_depth > 0 {
            self.unrecorded_depth -= 1;
            return;
        }
        if let Some((Some(index), begin)) = self.open_spans.pop() {
            self.spans[index].cycles += cycle - begin;
        }
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

    /// Closes every open span: the guest stopped inside them.
    pub(crate) fn close_spans(&mut self, cycle: u64) {
        self.unrecorded_depth = 0;
        while !self.open_spans.is_empty() {
            self.end_span(cycle);
        }
    }
}

fn check_transfer(address: u64, length: u64) -> Result<(), Stop> {
    if length > TRANSFER_BYTES_MAX {
        return Err(Stop::Fault(FaultKind::TransferTooLong { length }));
    }
    if !address.is_multiple_of(WORD) {
        return Err(Stop::Fault(FaultKind::TransferMisaligned { address }));
    }
    // Beyond the address space an access would fault; here the sum must not overflow either.
    if address.checked_add(TRANSFER_BYTES_MAX).is_none() {
        let access = crate::fault::Access::Load;
        return Err(Stop::Fault(FaultKind::Unmapped { access, address }));
    }
    Ok(())
}

/// The bytes at `address`, up to the first that is not mapped.
fn readable(memory: &mut Memory, address: u64, length: u64) -> Vec<u8> {
    (0..length)
        .map_while(|offset| {
            let address = address.checked_add(offset)?;
            let slot = memory.load_slot(address).ok()?;
            Some((memory.word(slot) >> (8 * (address % WORD))) as u8)
        })
        .collect()
}

fn text(memory: &mut Memory, address: u64, length: u64, bytes_max: u64) -> String {
    String::from_utf8_lossy(&readable(memory, address, length.min(bytes_max))).into_owned()
}
