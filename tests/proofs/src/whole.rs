//! Whole executions in one segment or several, with the traces of every part.
//!
//! ```text
//! Run (segments and records, as the executor gives them) ──▶ Whole (traces, part by part)
//! ```
//! A liar changes the run and has it filled like an honest one, or changes the traces.

use std::sync::Arc;

use zkvm_air::{Bus, F, Failure, Report, Table, check, check_between};
use zkvm_chips::{Machine, MachineChip, MemoryEnds, MemoryTraces, Traces, Unprovable};
use zkvm_isa::record::{Part, Records};
use zkvm_machine::{
    Discard, Execution, Exit, Input, Limits, Program, Recording, Segment, SegmentLimits,
    execute_segments,
};
use zkvm_statement::{SegmentEnd, VerifyError, between_messages, segment_messages};
use zkvm_verifier::PublicMessage;

/// The hints of every execution that is given no others: what a program reads of them is its
/// business.
pub const HINTS: &[u8] = b"hints are whatever the prover has";

/// The shortest segments there are.
pub const SHORT: SegmentLimits = SegmentLimits {
    cycles_max: SegmentLimits::CYCLES_MAX_LEAST,
    ..SegmentLimits::STANDARD
};

/// The least number of rows of a chip, or of words, that a segment or a memory table is given.
pub const ROWS_LEAST: u32 = (1 << 13) + 3;

/// [`HINTS`] and no input.
#[must_use]
pub fn hints() -> Input {
    Input {
        bytes: Vec::new(),
        hints: HINTS.to_vec(),
    }
}

/// An execution as the executor hands it to proving.
#[derive(Clone, Debug)]
pub struct Run {
    /// The program.
    pub program: Program,
    /// The chips of each [`Part`].
    pub machines: Arc<[Machine; 3]>,
    /// The segments with their records.
    pub segments: Vec<(Segment, Records)>,
    /// What the executor says of the whole.
    pub execution: Execution,
    /// Most words of a memory table.
    pub rows_max: usize,
}

impl Run {
    /// Executes `program` and cuts it into segments. Panics if it does not halt.
    ///
    /// # Errors
    /// [`Unprovable`] if there is no machine for the program.
    #[track_caller]
    pub fn new(
        program: Program,
        input: &Input,
        limits: &SegmentLimits,
    ) -> Result<Self, Unprovable> {
        let machine = |part| Machine::new(&program, part);
        let machines = [
            machine(Part::Segment)?,
            machine(Part::Last)?,
            machine(Part::Words)?,
        ];
        let mut segments = Vec::new();
        let segmented = execute_segments(
            &program,
            input,
            &Limits::STANDARD,
            limits,
            Recording::Records,
            &mut Discard,
            &mut |segment, records| segments.push((segment, std::mem::take(records))),
        );
        let segmented = segmented.unwrap_or_else(|error| panic!("it must execute: {error}"));
        let execution = segmented.execution;
        assert!(
            matches!(execution.exit, Exit::Halted { .. }),
            "it must halt: {}",
            execution.exit
        );
        Ok(Run {
            program,
            machines: Arc::new(machines),
            segments,
            execution,
            rows_max: limits.rows_max as usize,
        })
    }

    /// Fills the traces and says what the prover says, as the prover does. The segments need not be
    /// those of the execution: the last one is proved as the last whatever it is.
    ///
    /// # Errors
    /// [`Unprovable`] names what has no chip.
    pub fn fill(&self) -> Result<Whole, Unprovable> {
        let mut ends = MemoryEnds::new();
        self.segments
            .iter()
            .for_each(|(segment, _)| ends.note(segment));
        let [middle, last, words] = self.machines.as_ref();
        let memory = ends.finish(last, self.rows_max)?;
        let mut segments = Vec::with_capacity(self.segments.len());
        for (index, (segment, records)) in self.segments.iter().enumerate() {
            let is_last = index + 1 == self.segments.len();
            let traces = if is_last {
                last.segment_traces(segment, records, Some(memory.in_last()?))?
            } else {
                middle.segment_traces(segment, records, None)?
            };
            let mut journal_end = segment.end.journal_bytes as u32;
            let (mut end_half_pc, mut end_clock) = (0, 0);
            if is_last {
                journal_end = self.execution.journal.len() as u32;
            } else {
                end_half_pc = (segment.end.pc / 2) as u32;
                end_clock = segment.end_clock();
            }
            segments.push(SegmentPart {
                traces,
                number: index as u32,
                end_half_pc,
                end_clock,
                journal_end,
            });
        }
        let mut parts = Vec::with_capacity(memory.parts());
        for part in 0..memory.parts() {
            parts.push(words.words_traces(memory.in_part(part)?.unwrap_or_default()));
        }
        let Exit::Halted { code, .. } = self.execution.exit else {
            panic!("a run halts")
        };
        Ok(Whole {
            program: self.program.clone(),
            machines: Arc::clone(&self.machines),
            segments,
            words: parts,
            exit_code: code,
            journal: self.execution.journal.clone(),
            last_word: memory.last_word,
            execution: self.execution.clone(),
        })
    }

    /// The memory tables that the prover would put into the last segment's proof.
    ///
    /// # Errors
    /// [`Unprovable`] if a word lies in no region.
    pub fn memory(&self) -> Result<MemoryTraces, Unprovable> {
        let mut ends = MemoryEnds::new();
        self.segments
            .iter()
            .for_each(|(segment, _)| ends.note(segment));
        ends.finish(&self.machines[Part::Last as usize], self.rows_max)?
            .in_last()
    }
}

/// The traces of a segment and what the proof says of it.
#[derive(Clone, Debug)]
pub struct SegmentPart {
    /// Per chip its cells, row after row; `None` if the segment does not use it.
    pub traces: Traces,
    /// Its number, the one public value, as the prover has it; the verifier counts by itself.
    pub number: u32,
    /// Half of the address of the next segment's first instruction; 0 for the last.
    pub end_half_pc: u32,
    /// The clock that it would have; 0 for the last.
    pub end_clock: u32,
    /// Bytes of journal written when the segment ends.
    pub journal_end: u32,
}

/// An execution and everything that is claimed and known of it: what a prover makes a proof of, all
/// of it free to be forged.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The program.
    pub program: Program,
    /// The chips of each [`Part`].
    pub machines: Arc<[Machine; 3]>,
    /// The segments.
    pub segments: Vec<SegmentPart>,
    /// Further words of memory.
    pub words: Vec<Traces>,
    /// The exit code that is claimed.
    pub exit_code: u32,
    /// The journal that is claimed.
    pub journal: Vec<u8>,
    /// The last word of the memory chain.
    pub last_word: u32,
    /// What the executor says.
    pub execution: Execution,
}

impl Whole {
    /// Executes `program` with [`HINTS`] and no input in one segment, and fills its traces. Panics
    /// if it does not halt in it.
    ///
    /// # Errors
    /// [`Unprovable`] names what has no chip.
    #[track_caller]
    pub fn new(program: Program) -> Result<Self, Unprovable> {
        let whole = Whole::cut(program, &hints(), &SegmentLimits::STANDARD)?;
        assert_eq!(whole.segments.len(), 1, "the execution must fit a segment");
        Ok(whole)
    }

    /// Executes `program` in segments within `limits`, and fills their traces.
    ///
    /// # Errors
    /// [`Unprovable`] names what has no chip.
    #[track_caller]
    pub fn cut(
        program: Program,
        input: &Input,
        limits: &SegmentLimits,
    ) -> Result<Self, Unprovable> {
        Run::new(program, input, limits)?.fill()
    }

    /// Number of proofs: segments, then further words.
    #[must_use]
    pub fn proofs(&self) -> usize {
        self.segments.len() + self.words.len()
    }

    /// Which part the proof at `index` is, by its place.
    #[must_use]
    pub fn part(&self, index: usize) -> Part {
        match self.segments.len().checked_sub(index + 1) {
            Some(0) => Part::Last,
            Some(_) => Part::Segment,
            None => Part::Words,
        }
    }

    /// Its chips.
    #[must_use]
    pub fn machine(&self, index: usize) -> &Machine {
        &self.machines[self.part(index) as usize]
    }

    /// Its chips, in the registry's order.
    #[must_use]
    pub fn chips(&self, index: usize) -> &[MachineChip] {
        &self.machine(index).chips
    }

    /// Its traces.
    #[must_use]
    pub fn traces(&self, index: usize) -> &Traces {
        match index.checked_sub(self.segments.len()) {
            None => &self.segments[index].traces,
            Some(index) => &self.words[index],
        }
    }

    /// Its traces, to be forged.
    pub fn traces_mut(&mut self, index: usize) -> &mut Traces {
        match index.checked_sub(self.segments.len()) {
            None => &mut self.segments[index].traces,
            Some(index) => &mut self.words[index],
        }
    }

    /// Its public values, as the prover has them.
    #[must_use]
    pub fn public(&self, index: usize) -> Vec<F> {
        let segment = self.segments.get(index);
        segment
            .map(|segment| F::new(segment.number))
            .into_iter()
            .collect()
    }

    /// What the verifier adds to it.
    #[must_use]
    pub fn messages(&self, index: usize) -> Vec<PublicMessage> {
        let Some(segment) = self.segments.get(index) else {
            return Vec::new();
        };
        let before = index.checked_sub(1).map(|before| &self.segments[before]);
        let (half_pc, offset) = match before {
            Some(before) => (before.end_half_pc, before.journal_end as usize),
            None => (self.program.entry() / 2, 0),
        };
        let end = match self.part(index) {
            Part::Last | Part::Words => SegmentEnd::Halt {
                exit_code: self.exit_code,
            },
            Part::Segment => SegmentEnd::Continues {
                half_pc: segment.end_half_pc,
                clock: segment.end_clock,
            },
        };
        let journal = self.journal.get(offset..segment.journal_end as usize);
        segment_messages(half_pc, end, offset, journal.unwrap_or_default())
    }

    /// The tables of the chips that the proof at `index` uses, under these public values.
    #[must_use]
    pub fn tables<'a>(&'a self, index: usize, public: &'a [F]) -> Vec<Table<'a>> {
        let present = self.chips(index).iter().zip(self.traces(index));
        present
            .filter_map(|(chip, trace)| {
                Some(Table {
                    description: &chip.description,
                    main: trace.as_ref()?,
                    preprocessed: &chip.preprocessed,
                    public,
                })
            })
            .collect()
    }

    /// Checks every row of the proof at `index` and its own buses, under the number that the
    /// verifier counts.
    #[must_use]
    pub fn report_of(&self, index: usize) -> Report {
        let public = self.counted(index);
        check(&self.tables(index, &public), &plain(&self.messages(index)))
    }

    /// Checks the buses between the proofs.
    #[must_use]
    pub fn report_between(&self) -> Report {
        let public: Vec<Vec<F>> = (0..self.proofs())
            .map(|index| self.counted(index))
            .collect();
        let tables = public.iter().enumerate();
        let tables: Vec<Table<'_>> = tables
            .flat_map(|(index, public)| self.tables(index, public))
            .collect();
        check_between(&tables, &plain(&between_messages(self.last_word)))
    }

    /// Checks everything.
    #[must_use]
    pub fn report(&self) -> Report {
        let parts = (0..self.proofs()).map(|index| self.report_of(index));
        let reports = parts.chain([self.report_between()]);
        Report {
            failures: reports.flat_map(|report| report.failures).collect(),
        }
    }

    /// The rejection that the verifier must give of the proof of these traces, if any: the first
    /// proof that does not hold (its balance comes before its constraints), then what is between.
    /// Not for ends and journals that the verifier refuses by their form.
    #[must_use]
    pub fn rejection(&self) -> Option<VerifyError> {
        for index in 0..self.proofs() {
            if let Some(error) = rejection_of(&self.report_of(index)) {
                return Some(match index.checked_sub(self.segments.len()) {
                    None => VerifyError::Segment {
                        number: index,
                        error,
                    },
                    Some(number) => VerifyError::Words { number, error },
                });
            }
        }
        let between = self.report_between();
        (!between.failures.is_empty()).then_some(VerifyError::Between)
    }

    /// Counts the look-ups of the proof at `index` again, after a change of its traces.
    pub fn count_look_ups(&mut self, index: usize) {
        let public = self.counted(index);
        let machines = Arc::clone(&self.machines);
        let machine = &machines[self.part(index) as usize];
        zkvm_chips::count_look_ups(machine, self.traces_mut(index), &public);
    }

    /// The public values as the verifier counts them.
    fn counted(&self, index: usize) -> Vec<F> {
        if index < self.segments.len() {
            vec![F::new(index as u32)]
        } else {
            Vec::new()
        }
    }

    /// The cell of chip `chip` of the proof at `index`, in `row` of the column of this name.
    #[track_caller]
    pub fn cell(&mut self, index: usize, chip: &str, row: usize, column: &str) -> &mut F {
        let (place, width, column) = {
            let chips = self.chips(index);
            let place = chips.iter().position(|c| c.description.name == chip);
            let place = place.unwrap_or_else(|| panic!("there is no chip {chip}"));
            let columns = &chips[place].description.columns;
            let at = columns.iter().position(|name| name == column);
            let at = at.unwrap_or_else(|| panic!("{chip} has no column {column}"));
            (place, columns.len(), at)
        };
        let trace = self.traces_mut(index)[place].as_mut();
        let trace = trace.unwrap_or_else(|| panic!("{chip} is not used"));
        &mut trace[row * width + column]
    }

    /// Whether chip `chip` has a column of this name.
    #[must_use]
    pub fn has_column(&self, index: usize, chip: &str, column: &str) -> bool {
        let mut chips = self.chips(index).iter();
        let chip = chips.find(|c| c.description.name == chip);
        chip.is_some_and(|chip| chip.description.columns.iter().any(|name| name == column))
    }

    /// The cells of a row, by the place of chip `chip`.
    fn row_range(&self, index: usize, chip: &str, row: usize) -> (usize, std::ops::Range<usize>) {
        let chips = self.chips(index);
        let place = chips.iter().position(|c| c.description.name == chip);
        let place = place.unwrap_or_else(|| panic!("there is no chip {chip}"));
        let width = chips[place].description.columns.len();
        (place, row * width..(row + 1) * width)
    }

    /// A row's cells.
    #[must_use]
    #[track_caller]
    pub fn row(&self, index: usize, chip: &str, row: usize) -> Vec<F> {
        let (place, range) = self.row_range(index, chip, row);
        self.traces(index)[place]
            .as_ref()
            .map_or(Vec::new(), |cells| cells[range].to_vec())
    }

    /// Makes a row zero.
    pub fn drop_row(&mut self, index: usize, chip: &str, row: usize) {
        let (place, range) = self.row_range(index, chip, row);
        if let Some(cells) = &mut self.traces_mut(index)[place] {
            cells[range].fill(F::new(0));
        }
    }

    /// Adds a row in the place of padding, or in a trace of twice the height. Gives its number.
    pub fn add_row(&mut self, index: usize, chip: &str, cells: &[F]) -> usize {
        let (place, range) = self.row_range(index, chip, 0);
        let width = range.len();
        assert_eq!(cells.len(), width, "a row of {chip}");
        let trace = self.traces_mut(index)[place].get_or_insert_with(|| vec![F::new(0); 4 * width]);
        let is_free = |row: &[F]| row.iter().all(|cell| *cell == F::new(0));
        let row = trace.chunks(width).position(is_free).unwrap_or_else(|| {
            let height = trace.len() / width;
            trace.resize(2 * trace.len(), F::new(0));
            height
        });
        trace[row * width..(row + 1) * width].copy_from_slice(cells);
        row
    }

    /// The rows of chip `chip` of the proof at `index` in which `is_wanted` holds of the cells of
    /// these columns.
    #[track_caller]
    pub fn rows(
        &self,
        index: usize,
        chip: &str,
        columns: &[&str],
        is_wanted: impl Fn(&[F]) -> bool,
    ) -> Vec<usize> {
        let (place, range) = self.row_range(index, chip, 0);
        let width = range.len();
        let names = &self.chips(index)[place].description.columns;
        let columns: Vec<usize> = columns
            .iter()
            .map(|column| {
                let at = names.iter().position(|name| name == column);
                at.unwrap_or_else(|| panic!("{chip} has no column {column}"))
            })
            .collect();
        let cells = self.traces(index)[place].as_deref().unwrap_or_default();
        let rows = cells.chunks(width).enumerate();
        let wanted = rows.filter(|(_, row)| {
            let cells: Vec<F> = columns.iter().map(|column| row[*column]).collect();
            is_wanted(&cells)
        });
        wanted.map(|(row, _)| row).collect()
    }
}

/// The rejection that a report makes the verifier of one proof give.
#[must_use]
pub fn rejection_of(report: &Report) -> Option<zkvm_verifier::VerifyError> {
    let mut chip = None;
    for failure in &report.failures {
        match failure {
            Failure::Bus(_) => return Some(zkvm_verifier::VerifyError::Balance),
            Failure::Constraint { chip: c, .. } => chip = chip.or(Some(c.clone())),
        }
    }
    chip.map(|chip| zkvm_verifier::VerifyError::Constraints { chip })
}

/// The verifier's messages as the checker wants them.
#[must_use]
pub fn plain(messages: &[PublicMessage]) -> Vec<(Bus, Vec<F>, F)> {
    let messages = messages.iter();
    messages
        .map(|message| (message.bus, message.values.clone(), message.multiplicity))
        .collect()
}
