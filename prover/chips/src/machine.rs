//! The chips as one machine: the registry, the witness of a segment, the messages of the verifier.

use std::collections::BTreeMap;

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use zkvm_air::{Bus, Columns, Description, Expr, F};
use zkvm_isa::record::{
    CLOCKS_PER_CYCLE, Records, RegisterRecord, SUBSTEP_MEMORY, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2,
};
use zkvm_isa::syscall::{FD_JOURNAL, REG_A0, REG_A1, REG_A2, REG_A7, REG_SP, WRITE};
use zkvm_isa::{Chip, layout};
use zkvm_machine::{Permissions, Program, Segment};

use crate::chain::Link;
use crate::common::{MIN_HEIGHT, SPACE_REGISTER, limbs};
use crate::look_ups::LookUps;
use crate::program::ProgramRow;
use crate::{
    add_sub, bitwise, bitwise_table, branch, chain, div_rem, image, journal, jump, less_than, load,
    memory, misaligned, mul, program, range_table, region, shift, store, system, upper_immediate,
};

/// Registers in memory messages: `x0` to `x31`, the reservation, journal bytes, hint bytes.
pub const REGISTERS: usize = 35;

/// Every clock of a segment is below this.
const CLOCK_MAX: u32 = 1 << 28;

/// Most instructions of a program, as many as a table has rows.
const INSTRUCTIONS_MAX: usize = 1 << 22;

/// A chip of the machine, with its preprocessed rows if it has any.
#[derive(Clone, Debug)]
pub struct MachineChip {
    /// The chip.
    pub description: Description,
    /// Its preprocessed cells, row after row, a power of two rows; empty if it has none.
    pub preprocessed: Vec<F>,
}

/// What a register holds when a segment ends, and when it was last accessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RegisterEnd {
    /// The value.
    pub value: u64,
    /// The clock, 0 if it was not accessed.
    pub clock: u32,
}

/// What is claimed of a whole execution in one segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The exit code.
    pub exit_code: u32,
    /// The journal.
    pub journal: Vec<u8>,
    /// What closes the argument: how the registers and the memory chain end. Nothing is learned
    /// from it, and nothing rests on it: a wrong one does not balance.
    pub ends: Ends,
}

/// How a segment's registers and memory chain end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ends {
    /// The registers.
    pub registers: [RegisterEnd; REGISTERS],
    /// Index of the last word of the memory chain.
    pub last_word: u32,
}

/// The traces of a segment, and how it ends.
#[derive(Clone, Debug)]
pub struct Witness {
    /// Per chip of [`machine`]: cells row after row, a power of two rows; `None` if the segment
    /// does not use the chip.
    pub traces: Vec<Option<Vec<F>>>,
    /// Registers and memory chain at the end.
    pub ends: Ends,
}

/// A message that the verifier adds: bus, elements, multiplicity.
pub type Message = (Bus, Vec<F>, F);

/// Why there is no witness of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprovable {
    /// What cannot be proved yet.
    pub what: String,
}

impl Ends {
    /// Whether these are ends in their one encoding: clocks that a segment can have, indices of
    /// words.
    #[must_use]
    pub fn is_canonical(&self) -> bool {
        let clocks = self.registers.iter().all(|end| end.clock < CLOCK_MAX);
        clocks && self.last_word < chain::WORDS_MAX
    }
}

/// The chips, in the order of the registry, for `program`.
///
/// # Errors
/// [`Unprovable`] if the program has no instruction at all, or more than a table holds.
pub fn machine(program: &Program) -> Result<Vec<MachineChip>, Unprovable> {
    let count = program
        .text()
        .iter()
        .filter(|i| i.opcode().chip().is_some())
        .count();
    if count == 0 || count > INSTRUCTIONS_MAX {
        let what = format!("a program of {count} instructions");
        return Err(Unprovable { what });
    }
    let rows = program::program_rows(program);
    let words = image::words(program);
    Ok(vec![
        fixed(program::NAME, program::eval, program::rows(&rows)),
        fixed(region::NAME, region::eval, region::rows(program)),
        fixed(image::NAME, image::eval, image::rows(&words)),
        fixed(range_table::NAME, range_table::eval, range_table::values()),
        fixed(
            bitwise_table::NAME,
            bitwise_table::eval,
            bitwise_table::pairs(),
        ),
        plain(memory::NAME, memory::eval),
        plain(system::NAME, system::eval),
        plain(journal::NAME, journal::eval),
        plain(add_sub::NAME, add_sub::eval),
        plain(bitwise::NAME, bitwise::eval),
        plain(upper_immediate::NAME, upper_immediate::eval),
        plain(less_than::NAME, less_than::eval),
        plain(shift::NAME, shift::eval),
        plain(mul::NAME, mul::eval),
        plain(div_rem::NAME, div_rem::eval),
        plain(branch::NAME, branch::eval),
        plain(jump::NAME, jump::eval),
        plain(load::NAME, load::eval),
        plain(store::NAME, store::eval),
        plain(misaligned::NAME, misaligned::eval),
    ])
}

type Eval<M, P> = fn(&mut zkvm_air::Builder, &M, &P);

/// A chip without preprocessed columns.
fn plain<M: Columns<Expr>>(name: &str, eval: Eval<M, ()>) -> MachineChip {
    MachineChip {
        description: describe(name, eval),
        preprocessed: Vec::new(),
    }
}

/// A chip with preprocessed rows.
fn fixed<M: Columns<Expr>, S: Columns<Expr>, P: Columns<F>>(
    name: &str,
    eval: Eval<M, S>,
    rows: impl IntoIterator<Item = P>,
) -> MachineChip {
    let mut preprocessed = Vec::new();
    rows.into_iter()
        .for_each(|row| row.give(&mut |cell| preprocessed.push(cell)));
    MachineChip {
        description: describe(name, eval),
        preprocessed,
    }
}

fn describe<M: Columns<Expr>, P: Columns<Expr>>(name: &str, eval: Eval<M, P>) -> Description {
    // The registry's chips are fixed; a test describes them all.
    Description::new(name, eval).unwrap_or_else(|error| panic!("chip {name}: {error}"))
}

/// The verifier's messages for a whole execution in one segment.
///
/// The state begins at the entry and must end in the one halt with this exit code; the registers
/// begin as the machine sets them; the memory chain has its ends; the journal is received.
#[must_use]
pub fn public_messages(program: &Program, claim: &Claim) -> Vec<Message> {
    let entry = vec![
        F::from_u32(program.entry() / 2),
        F::from_u32(CLOCKS_PER_CYCLE),
    ];
    let mut messages = vec![
        (Bus::State, entry, F::ONE),
        (Bus::Chain, vec![F::from_u32(chain::START)], F::ONE),
        (
            Bus::Chain,
            vec![F::from_u32(claim.ends.last_word)],
            F::NEG_ONE,
        ),
    ];
    let [low, high, ..] = limbs(u64::from(claim.exit_code));
    messages.push((Bus::Halt, vec![low, high], F::NEG_ONE));
    for (number, end) in claim.ends.registers.iter().enumerate() {
        let initial = if number == usize::from(REG_SP) {
            layout::STACK_POINTER_AT_ENTRY
        } else {
            0
        };
        let message = |value: u64, clock: u32| {
            let mut message = vec![F::from_u32(SPACE_REGISTER), F::from_usize(number)];
            message.extend(limbs(value));
            message.push(F::from_u32(clock));
            message
        };
        messages.push((Bus::Memory, message(u64::from(initial), 0), F::ONE));
        messages.push((Bus::Memory, message(end.value, end.clock), F::NEG_ONE));
    }
    let words = journal::messages(&claim.journal);
    messages.extend(words.map(|message| (Bus::Journal, message, F::NEG_ONE)));
    messages
}

/// Fills every chip's trace for `segment`, which must be a whole execution.
///
/// # Errors
/// [`Unprovable`] names what has no chip yet.
pub fn witness(
    program: &Program,
    chips: &[MachineChip],
    segment: &Segment,
    records: &Records,
) -> Result<Witness, Unprovable> {
    refuse(segment, records)?;
    let mut filler = Filler::new(program);
    filler.system(records)?;
    filler.journal(records)?;
    filler.registers(records)?;
    filler.loads_and_stores(records)?;
    let last_word = filler.memory(segment)?;
    let Filler {
        rows,
        mut registers,
        ..
    } = filler;
    for (end, value) in registers.iter_mut().zip(segment.end.registers) {
        end.value = value;
    }
    let mut traces: Vec<Option<Vec<F>>> = chips
        .iter()
        .map(|chip| {
            rows.get(chip.description.name.as_str())
                .map(|rows| padded(rows, chip))
        })
        .collect();
    for (trace, chip) in traces.iter_mut().zip(chips) {
        // Tables of fixed height are in every proof, used or not.
        let height = chip.preprocessed.len() / chip.description.preprocessed.len().max(1);
        if height > 0 && trace.is_none() {
            *trace = Some(F::zero_vec(height * chip.description.columns.len()));
        }
    }
    count_look_ups(chips, &mut traces);
    Ok(Witness {
        traces,
        ends: Ends {
            registers,
            last_word,
        },
    })
}

/// Pads `rows` with zero rows to the chip's height: fixed, or the next power of two.
fn padded(rows: &[F], chip: &MachineChip) -> Vec<F> {
    let width = chip.description.columns.len();
    let fixed = chip.preprocessed.len() / chip.description.preprocessed.len().max(1);
    let height = if fixed > 0 {
        fixed
    } else {
        (rows.len() / width).next_power_of_two().max(MIN_HEIGHT)
    };
    let mut cells = rows.to_vec();
    cells.resize(height * width, F::ZERO);
    cells
}

/// The chips whose rows have no prover yet.
fn refuse(segment: &Segment, records: &Records) -> Result<(), Unprovable> {
    let unprovable = |what: String| Err(Unprovable { what });
    if !segment.halts || segment.number != 0 {
        return unprovable("an execution of more than one segment".to_owned());
    }
    let rows = records.rows();
    for chip in Chip::ALL {
        let is_proved = !matches!(chip, Chip::Atomic | Chip::Hint);
        if rows.of(chip) > 0 && !is_proved {
            return unprovable(format!("instructions of the chip `{}`", chip.name()));
        }
    }
    Ok(())
}

/// Gathers rows by chip, and follows what ends where.
struct Filler<'a> {
    program: &'a Program,
    rows: BTreeMap<&'static str, Vec<F>>,
    registers: [RegisterEnd; REGISTERS],
    /// Per word: the clock of its last access.
    word_clocks: BTreeMap<u32, u32>,
}

impl<'a> Filler<'a> {
    fn new(program: &'a Program) -> Self {
        let mut registers = [RegisterEnd::default(); REGISTERS];
        registers[usize::from(REG_SP)].value = u64::from(layout::STACK_POINTER_AT_ENTRY);
        Filler {
            program,
            rows: BTreeMap::new(),
            registers,
            word_clocks: BTreeMap::new(),
        }
    }

    fn push(&mut self, name: &'static str, row: impl Columns<F>) {
        let cells = self.rows.entry(name).or_default();
        row.give(&mut |cell| cells.push(cell));
    }

    fn program_row(&self, text_index: u32) -> Result<ProgramRow, Unprovable> {
        let pc = self.program.text_start() + 2 * text_index;
        let instruction = self.program.instruction_at(u64::from(pc));
        instruction
            .and_then(|instruction| ProgramRow::new(pc, instruction))
            .ok_or(Unprovable {
                what: format!("a record of an instruction at {pc:#x}, where there is none"),
            })
    }

    /// Whether the word is read-only, and so in the other space.
    fn is_read_only(&self, word: u32) -> bool {
        let address = word * layout::WORD_BYTES;
        let is_image = self.program.images().iter().any(|image| {
            image.permissions != Permissions::ReadWrite
                && address + layout::WORD_BYTES > image.address
                && address < image.end()
        });
        let writable = self.program.regions().iter().any(|region| {
            region.writable && (region.start..region.end).contains(&u64::from(address))
        });
        is_image || !writable
    }

    /// Notes an access to a register at `clock`.
    fn note_register(&mut self, number: u8, clock: u32) {
        let last = &mut self.registers[usize::from(number)].clock;
        *last = (*last).max(clock);
    }

    /// Notes the accesses of an instruction to the registers it names.
    fn note_operands(&mut self, row: &ProgramRow, clock: u32) {
        let format = row.opcode.format();
        if format.reads_rs1() {
            self.note_register(row.rs1, clock + SUBSTEP_RS1);
        }
        if format.reads_rs2() {
            self.note_register(row.rs2, clock + SUBSTEP_RS2);
        }
        if row.writes {
            self.note_register(row.rd, clock + SUBSTEP_RD);
        }
    }

    /// Notes an access to a word at `clock`.
    fn note_word(&mut self, word: u32, clock: u32) {
        let last = self.word_clocks.entry(word).or_default();
        *last = (*last).max(clock);
    }

    fn system(&mut self, records: &Records) -> Result<(), Unprovable> {
        let mut position = (0, 0);
        for record in &records.system {
            let program = self.program_row(record.text_index)?;
            let row = system::fill(record, &program, position).ok_or(Unprovable {
                what: format!("the system call {:#x}", record.arguments[0]),
            })?;
            self.push(system::NAME, row);
            for register in [REG_A7, REG_A1, REG_A2] {
                self.note_register(register, record.clock + SUBSTEP_RS1);
            }
            self.note_register(REG_A0, record.clock + SUBSTEP_RD);
            let [number, descriptor, _, length] = record.arguments;
            if number == WRITE && descriptor == FD_JOURNAL {
                position = (position.0 + length, record.clock + SUBSTEP_MEMORY);
            }
        }
        let (value, clock) = position;
        self.registers[crate::common::REGISTER_JOURNAL as usize] = RegisterEnd { value, clock };
        Ok(())
    }

    fn journal(&mut self, records: &Records) -> Result<(), Unprovable> {
        let mut lengths = records
            .system
            .iter()
            .filter(|record| record.arguments[0] == WRITE && record.arguments[1] == FD_JOURNAL)
            .map(|record| (record.clock, record.arguments[3]));
        let mut call = (0, 0);
        for record in &records.journal {
            while call.0 != record.clock {
                call = lengths.next().ok_or(Unprovable {
                    what: "journal words without a write".to_owned(),
                })?;
            }
            let is_read_only = self.is_read_only(record.word.word_index);
            self.push(
                journal::NAME,
                journal::fill(record, call.1 as u32, is_read_only),
            );
            call.1 = call.1.saturating_sub(8);
            self.note_word(record.word.word_index, record.clock + SUBSTEP_MEMORY);
        }
        Ok(())
    }

    /// The chips of instructions that touch registers only.
    fn registers(&mut self, records: &Records) -> Result<(), Unprovable> {
        self.register_chip(records, Chip::AddSub, add_sub::NAME, add_sub::fill)?;
        self.register_chip(records, Chip::Bitwise, bitwise::NAME, bitwise::fill)?;
        self.register_chip(records, Chip::LessThan, less_than::NAME, less_than::fill)?;
        self.register_chip(records, Chip::Shift, shift::NAME, shift::fill)?;
        self.register_chip(records, Chip::DivRem, div_rem::NAME, div_rem::fill)?;
        self.register_chip(records, Chip::Branch, branch::NAME, branch::fill)?;
        self.register_chip(records, Chip::Jump, jump::NAME, jump::fill)?;
        self.register_chip(records, Chip::Mul, mul::NAME, mul::fill)?;
        let (name, fill) = (upper_immediate::NAME, upper_immediate::fill);
        self.register_chip(records, Chip::UpperImmediate, name, fill)
    }

    fn register_chip<C: Columns<F>>(
        &mut self,
        records: &Records,
        chip: Chip,
        name: &'static str,
        fill: fn(&RegisterRecord, &ProgramRow) -> C,
    ) -> Result<(), Unprovable> {
        for record in &records.registers[chip as usize] {
            let program = self.program_row(record.text_index)?;
            self.push(name, fill(record, &program));
            self.note_operands(&program, record.clock);
        }
        Ok(())
    }

    /// Loads and stores, aligned and not.
    fn loads_and_stores(&mut self, records: &Records) -> Result<(), Unprovable> {
        for record in &records.loads {
            let program = self.program_row(record.registers.text_index)?;
            let is_read_only = self.is_read_only(record.word.word_index);
            self.push(load::NAME, load::fill(record, &program, is_read_only));
            self.note_operands(&program, record.registers.clock);
            self.note_word(
                record.word.word_index,
                record.registers.clock + SUBSTEP_MEMORY,
            );
        }
        for record in &records.stores {
            let program = self.program_row(record.registers.text_index)?;
            self.push(store::NAME, store::fill(record, &program));
            self.note_operands(&program, record.registers.clock);
            self.note_word(
                record.word.word_index,
                record.registers.clock + SUBSTEP_MEMORY,
            );
        }
        for record in &records.misaligned {
            let (clock, low, high) = (record.registers.clock, record.low, record.high);
            let program = self.program_row(record.registers.text_index)?;
            let is_read_only = [low, high].map(|word| self.is_read_only(word.word_index));
            // A word 0 is never mapped: it says that the access stays inside `low`.
            let crosses = high.word_index != 0;
            let is_read_only = [is_read_only[0], crosses && is_read_only[1]];
            self.push(
                misaligned::NAME,
                misaligned::fill(record, &program, is_read_only),
            );
            self.note_operands(&program, clock);
            self.note_word(low.word_index, clock + SUBSTEP_MEMORY);
            if crosses {
                self.note_word(high.word_index, clock + SUBSTEP_MEMORY);
            }
        }
        Ok(())
    }

    /// The memory tables: the image's words and the others, in one chain. Returns its last word.
    fn memory(&mut self, segment: &Segment) -> Result<u32, Unprovable> {
        let words: BTreeMap<u32, (u64, u32)> = image::words(self.program)
            .into_iter()
            .map(|(word, value, space)| (word, (value, space)))
            .collect();
        let touched: BTreeMap<u32, (u64, u64)> = segment
            .boundary
            .iter()
            .map(|word| (word.word_index, (word.value_in, word.value_out)))
            .collect();
        let regions = region::regions(self.program);
        let mut all: Vec<u32> = words.keys().chain(touched.keys()).copied().collect();
        all.sort_unstable();
        all.dedup();
        let mut before = chain::START;
        for word in all {
            let initial = words.get(&word).map_or(0, |(value, _)| *value);
            let (first, last) = touched.get(&word).copied().unwrap_or((initial, initial));
            let clock = self.word_clocks.get(&word).copied().unwrap_or(0);
            let link: Link<F> = chain::fill_link(before, word, last, clock);
            before = word;
            if words.contains_key(&word) {
                self.push(image::NAME, image::ImageUse { link });
                continue;
            }
            let region = regions
                .iter()
                .find(|region| (region.first..=region.last).contains(&word))
                .ok_or(Unprovable {
                    what: format!("word {word:#x}, which is not mapped"),
                })?;
            self.push(memory::NAME, memory::fill(word, region, first, link));
        }
        Ok(before)
    }
}

/// Sets the counts of the look-up tables to what all other rows look up. [`witness`] does; a test
/// that forges rows does again, so that only what is in no table stays out of balance.
pub fn count_look_ups(chips: &[MachineChip], traces: &mut [Option<Vec<F>>]) {
    let mut counts = LookUps::new();
    for (chip, trace) in chips.iter().zip(traces.iter()) {
        if let Some(cells) = trace {
            counts.count(&chip.description, cells, &chip.preprocessed);
        }
    }
    let rows = |name: &str| {
        let table = chips.iter().find(|chip| chip.description.name == name);
        table.map_or((&[][..], 1), |chip| {
            (
                chip.preprocessed.as_slice(),
                chip.description.preprocessed.len(),
            )
        })
    };
    let (program, width) = rows(program::NAME);
    let half_pcs = program.chunks(width).map(|row| row[0].as_canonical_u32());
    let (program, counts) = counts.program(half_pcs);
    let (region, width) = rows(region::NAME);
    let messages = region.chunks(width).map(|row| {
        row.iter()
            .map(PrimeField32::as_canonical_u32)
            .collect::<Vec<u32>>()
    });
    let mut set = |name: &str, cells: Vec<F>| {
        for (chip, trace) in chips.iter().zip(traces.iter_mut()) {
            if chip.description.name == name {
                *trace = Some(cells.clone());
            }
        }
    };
    set(program::NAME, program);
    set(range_table::NAME, counts.range_16());
    set(bitwise_table::NAME, counts.bitwise());
    set(region::NAME, counts.region(messages));
}
