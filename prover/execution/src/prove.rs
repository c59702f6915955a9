//! The prover: execute, commit to boundaries, execute again, fill, prove.

use std::ops::ControlFlow;

use p3_matrix::dense::RowMajorMatrix;
use thiserror::Error;
use tracing::info_span;
use zkvm_chips::{Machine, MemoryEnds, MemoryTables, MemoryTraces, Traces, Unprovable};
use zkvm_isa::record::Part;
use zkvm_machine::{
    Console, Discard, ExecuteError, Execution, Exit, Input, Limits, Recording, Segment,
    SegmentLimits, execute_segments_while,
};
use zkvm_stark::{Backend, Trace, commit_boundary};
use zkvm_statement::{
    ExecutionKeys, Header, JOURNAL_BYTES_MAX, Proof, SEGMENTS_MAX, SegmentEnd, SegmentProof,
    WORDS_PARTS_MAX, between_messages, context, segment_messages,
};
use zkvm_verifier::{
    Commitment, Config, ExecutionTranscript, KeyError, Shared, Statement, TablesProof,
};

use crate::keys::Keys;

/// Why there is no proof.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProveError {
    /// The execution could not begin.
    #[error(transparent)]
    Execute(#[from] ExecuteError),
    /// The guest did not halt: it faulted or reached a limit. Nothing of it can be proved.
    #[error("the guest did not halt: {exit}")]
    NotHalted {
        /// How it ended.
        exit: Box<Exit>,
    },
    /// The guest halted with another exit code than the caller expects.
    #[error("expected exit code {expected}, but the guest {exit}")]
    ExitCode {
        /// What the caller expects.
        expected: u32,
        /// How it halted, with the panic that it reported.
        exit: Box<Exit>,
    },
    /// The execution is beyond what a proof can be of.
    #[error("this cannot be proved: {what}")]
    Unprovable {
        /// What it is.
        what: String,
    },
    /// The second run of the execution differs from the first: a bug.
    #[error("segment {segment} of the second run differs from the first")]
    Diverged {
        /// The segment.
        segment: u32,
    },
    /// The caller's progress function asked to stop.
    #[error("proving was cancelled")]
    Cancelled,
    /// A key could not be made: a bug.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The prover failed: a bug.
    #[error(transparent)]
    Prove(#[from] zkvm_stark::ProveError),
}

impl From<Unprovable> for ProveError {
    fn from(Unprovable { what }: Unprovable) -> Self {
        ProveError::Unprovable { what }
    }
}

/// How to prove.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Limits of the execution.
    pub limits: Limits,
    /// Limits of each segment: they decide how much memory proving takes.
    pub segment_limits: SegmentLimits,
    /// The exit code that the execution must end with.
    pub exit_code: u32,
}

/// What the prover is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The first run: executing, and committing to boundaries.
    Execute,
    /// The second run: proving segments.
    Prove,
    /// Proving further words of memory.
    Words,
}

/// How far the prover is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it is at.
    pub phase: Phase,
    /// Segments, or parts of words, done in this phase.
    pub done: u32,
    /// How many there are; 0 while nobody knows.
    pub of: u32,
    /// Instructions executed or proved in this phase.
    pub cycles: u64,
    /// Instructions of the execution; 0 while nobody knows.
    pub cycles_total: u64,
}

/// Told how far the prover is; proving stops with [`ProveError::Cancelled`] at the next border between
/// segments if it breaks.
pub type OnProgress<'a> = &'a mut dyn FnMut(Progress) -> ControlFlow<()>;

fn tell(progress: OnProgress<'_>, at: Progress) -> Result<(), ProveError> {
    match progress(at) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(ProveError::Cancelled),
    }
}

/// What is kept of a segment from the first run.
struct Boundary<C: Config> {
    part: Part,
    heights_log2: Vec<Option<u8>>,
    commitment: Option<Commitment<C>>,
    end_half_pc: u32,
    end_clock: u32,
    journal_end: usize,
}

/// Executes the program of `keys` on `input` and proves that it halted with the exit code that
/// `options` name.
///
/// # Errors
/// [`ProveError`] says why there is no proof.
pub fn prove<C: Config>(
    keys: &Keys<C>,
    backend: &impl Backend,
    input: &Input,
    options: &Options,
    console: &mut dyn Console,
    progress: OnProgress<'_>,
) -> Result<(Proof<C>, Execution), ProveError> {
    let last = keys.chips(Part::Last);
    let (execution, boundaries, ends) = first_run(keys, input, options, console, progress)?;
    let memory = ends.finish(last, options.segment_limits.rows_max as usize)?;
    let boundaries = complete(keys, boundaries, &memory)?;
    let (shared, grinding) = share(keys, options, &execution, &boundaries, &memory);
    let run = Run {
        keys,
        backend,
        input,
        options,
        shared: &shared,
        execution: &execution,
        boundaries: &boundaries,
        memory: &memory,
    };
    let segments = run.second_run(progress)?;
    let words = run.words(progress)?;
    let proof = Proof {
        header: Header {
            hash: C::HASH,
            parameters: *keys.config().parameters(),
            machine: keys.machine(),
        },
        program_id: keys.program_id().0,
        exit_code: options.exit_code,
        journal: execution.journal.clone(),
        last_word: memory.last_word,
        grinding,
        segments,
        words,
    };
    Ok((proof, execution))
}

/// Executes, and commits to the boundary of every segment but the last, whose memory tables are not
/// known before the end.
fn first_run<C: Config>(
    keys: &Keys<C>,
    input: &Input,
    options: &Options,
    console: &mut dyn Console,
    progress: OnProgress<'_>,
) -> Result<(Execution, Vec<Pending<C>>, MemoryEnds), ProveError> {
    let mut ends = MemoryEnds::new();
    let mut boundaries = Vec::new();
    let mut failure = None;
    let mut sink = |segment: Segment| -> Result<(), ProveError> {
        ends.note(&segment);
        let at = Progress {
            phase: Phase::Execute,
            done: segment.number + 1,
            of: 0,
            cycles: segment.end.cycle,
            cycles_total: 0,
        };
        tell(progress, at)?;
        boundaries.push(if segment.halts {
            Pending::Last(Box::new(segment))
        } else {
            let _span = info_span!("boundaries").entered();
            Pending::Committed(commit_segment(keys, &segment, None)?)
        });
        Ok(())
    };
    let span = info_span!("execute").entered();
    let segmented = execute_segments_while(
        keys.program(),
        input,
        &options.limits,
        &options.segment_limits,
        Recording::Boundaries,
        console,
        &mut |segment, _| {
            if failure.is_none() {
                failure = sink(segment).err();
            }
            // After any other failure the guest's end is waited for: how it ended comes first.
            if failure == Some(ProveError::Cancelled) {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        },
    )?;
    drop(span);
    if failure == Some(ProveError::Cancelled) {
        return Err(ProveError::Cancelled);
    }
    let execution = segmented.execution;
    let Exit::Halted { code: got, .. } = execution.exit else {
        let exit = Box::new(execution.exit);
        return Err(ProveError::NotHalted { exit });
    };
    let expected = options.exit_code;
    if got != expected {
        let exit = Box::new(execution.exit);
        return Err(ProveError::ExitCode { expected, exit });
    }
    if let Some(failure) = failure {
        return Err(failure);
    }
    let unprovable = |what: String| Err(ProveError::Unprovable { what });
    if execution.journal.len() > JOURNAL_BYTES_MAX {
        return unprovable(format!("a journal of {} bytes", execution.journal.len()));
    }
    if boundaries.len() > SEGMENTS_MAX {
        return unprovable(format!("an execution of {} segments", boundaries.len()));
    }
    Ok((execution, boundaries, ends))
}

/// A segment's boundary after the first run.
enum Pending<C: Config> {
    Committed(Boundary<C>),
    /// The last segment waits for the memory tables.
    Last(Box<Segment>),
}

/// Commits to the last segment's boundary and to further words.
fn complete<C: Config>(
    keys: &Keys<C>,
    pending: Vec<Pending<C>>,
    memory: &MemoryTables<'_>,
) -> Result<Vec<Boundary<C>>, ProveError> {
    let _span = info_span!("boundaries").entered();
    let mut boundaries = Vec::with_capacity(pending.len() + memory.parts());
    for pending in pending {
        boundaries.push(match pending {
            Pending::Committed(boundary) => boundary,
            Pending::Last(segment) => commit_segment(keys, &segment, Some(memory.in_last()?))?,
        });
    }
    if memory.parts() > WORDS_PARTS_MAX {
        let what = format!("{} parts of words", memory.parts());
        return Err(ProveError::Unprovable { what });
    }
    for part in 0..memory.parts() {
        let memory = MemoryTraces {
            image: None,
            words: memory.in_part(part)?,
        };
        let traces = keys.chips(Part::Words).boundary_traces(None, Some(memory));
        boundaries.push(commit(keys, Part::Words, traces)?);
    }
    Ok(boundaries)
}

fn commit_segment<C: Config>(
    keys: &Keys<C>,
    segment: &Segment,
    memory: Option<MemoryTraces>,
) -> Result<Boundary<C>, ProveError> {
    let part = if segment.halts {
        Part::Last
    } else {
        Part::Segment
    };
    let traces = keys.chips(part).boundary_traces(Some(segment), memory);
    let mut boundary = commit(keys, part, traces)?;
    boundary.journal_end = segment.end.journal_bytes as usize;
    if !segment.halts {
        boundary.end_half_pc = (segment.end.pc / 2) as u32;
        boundary.end_clock = segment.end_clock();
    }
    Ok(boundary)
}

fn commit<C: Config>(
    keys: &Keys<C>,
    part: Part,
    traces: Traces,
) -> Result<Boundary<C>, ProveError> {
    let traces = matrices(keys.chips(part), traces);
    let heights_log2 = traces.iter().map(|trace| {
        let height = trace.as_ref().map(p3_matrix::Matrix::height)?;
        Some(height.ilog2() as u8)
    });
    Ok(Boundary {
        part,
        heights_log2: heights_log2.collect(),
        commitment: commit_boundary(keys.config(), keys.proving(part)?, traces)?,
        end_half_pc: 0,
        end_clock: 0,
        journal_end: 0,
    })
}

/// The traces as matrices.
fn matrices(machine: &Machine, traces: Traces) -> Vec<Option<Trace>> {
    let traces = traces.into_iter().zip(&machine.chips);
    traces
        .map(|(trace, chip)| Some(RowMajorMatrix::new(trace?, chip.description.columns.len())))
        .collect()
}

/// Draws what the proofs share.
fn share<C: Config>(
    keys: &Keys<C>,
    options: &Options,
    execution: &Execution,
    boundaries: &[Boundary<C>],
    memory: &MemoryTables<'_>,
) -> (Shared, zkvm_air::F) {
    let segments = boundaries.len() - memory.parts();
    let id = keys.program_id().0;
    let context = context(&id, options.exit_code, &execution.journal, segments);
    let messages = between_messages(memory.last_word);
    let config = keys.config();
    let mut transcript = ExecutionTranscript::begin(config, &context, &messages, boundaries.len());
    for (number, boundary) in (0..).zip(boundaries) {
        let public = public(boundary.part, number);
        // The keys were made for the commitments already.
        if let Ok(key) = keys.key(boundary.part) {
            let commitment = boundary.commitment.as_ref();
            transcript.proof(key, &public, &boundary.heights_log2, commitment);
        }
    }
    let grinding = transcript.grind(config.parameters().logup_grinding_bits);
    (transcript.draw(), grinding)
}

/// The public values of a proof: a segment's number.
fn public(part: Part, number: u32) -> Vec<zkvm_air::F> {
    match part {
        Part::Segment | Part::Last => vec![zkvm_air::F::new(number)],
        Part::Words => Vec::new(),
    }
}

/// The second run of an execution, with all that is known after the first.
struct Run<'a, C: Config, B> {
    keys: &'a Keys<C>,
    backend: &'a B,
    input: &'a Input,
    options: &'a Options,
    shared: &'a Shared,
    execution: &'a Execution,
    boundaries: &'a [Boundary<C>],
    memory: &'a MemoryTables<'a>,
}

impl<C: Config, B: Backend> Run<'_, C, B> {
    fn segments(&self) -> usize {
        self.boundaries.len() - self.memory.parts()
    }

    /// Executes again and proves each segment as it ends.
    fn second_run(&self, progress: OnProgress<'_>) -> Result<Vec<SegmentProof<C>>, ProveError> {
        let mut proofs = Vec::with_capacity(self.segments());
        let mut failure = None;
        let mut tell = |done: u32, cycles: u64| {
            let at = Progress {
                phase: Phase::Prove,
                done,
                of: self.segments() as u32,
                cycles,
                cycles_total: self.execution.cycles,
            };
            tell(progress, at)
        };
        tell(0, 0)?;
        let _span = info_span!("execute_again").entered();
        let _ = execute_segments_while(
            self.keys.program(),
            self.input,
            &self.options.limits,
            &self.options.segment_limits,
            Recording::Records,
            &mut Discard,
            &mut |segment, records| {
                // The records are not needed beside the traces.
                let traces = self.traces(&segment, &std::mem::take(records));
                let proof = traces.and_then(|traces| self.segment(&segment, traces));
                let told = proof.and_then(|proof| {
                    proofs.push(proof);
                    tell(segment.number + 1, segment.end.cycle)
                });
                failure = told.err();
                if failure.is_some() {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            },
        )?;
        failure.map_or(Ok(proofs), Err)
    }

    fn traces(
        &self,
        segment: &Segment,
        records: &zkvm_isa::record::Records,
    ) -> Result<Vec<Option<Trace>>, ProveError> {
        let _span = info_span!("fill").entered();
        let (part, memory) = if segment.halts {
            (Part::Last, Some(self.memory.in_last()?))
        } else {
            (Part::Segment, None)
        };
        let machine = self.keys.chips(part);
        let traces = machine.segment_traces(segment, records, memory)?;
        Ok(matrices(machine, traces))
    }

    fn segment(
        &self,
        segment: &Segment,
        traces: Vec<Option<Trace>>,
    ) -> Result<SegmentProof<C>, ProveError> {
        let diverged = ProveError::Diverged {
            segment: segment.number,
        };
        let number = segment.number as usize;
        let boundaries = self.boundaries.get(..self.segments());
        let Some(boundary) = boundaries.and_then(|boundaries| boundaries.get(number)) else {
            return Err(diverged);
        };
        let exit_code = self.options.exit_code;
        let end = match boundary.part {
            Part::Segment | Part::Words => SegmentEnd::Continues {
                half_pc: boundary.end_half_pc,
                clock: boundary.end_clock,
            },
            Part::Last => SegmentEnd::Halt { exit_code },
        };
        let start = number.checked_sub(1).map(|before| &self.boundaries[before]);
        let (half_pc, offset) = match start {
            Some(before) => (before.end_half_pc, before.journal_end),
            None => (self.keys.program().entry() / 2, 0),
        };
        let journal = &self.execution.journal[offset..boundary.journal_end];
        let messages = segment_messages(half_pc, end, offset, journal);
        let tables = self.tables(number, &messages, traces)?;
        if tables.boundary != boundary.commitment {
            return Err(diverged);
        }
        Ok(SegmentProof {
            end_half_pc: boundary.end_half_pc,
            end_clock: boundary.end_clock,
            journal_end: boundary.journal_end as u32,
            tables,
        })
    }

    /// Proves the words that are not in the last segment's proof.
    fn words(&self, progress: OnProgress<'_>) -> Result<Vec<TablesProof<C>>, ProveError> {
        let machine = self.keys.chips(Part::Words);
        let of = self.memory.parts();
        let mut proofs = Vec::with_capacity(of);
        for part in 0..of {
            let words = self.memory.in_part(part)?.unwrap_or_default();
            let traces = matrices(machine, machine.words_traces(words));
            proofs.push(self.tables(self.segments() + part, &[], traces)?);
            let at = Progress {
                phase: Phase::Words,
                done: part as u32 + 1,
                of: of as u32,
                cycles: self.execution.cycles,
                cycles_total: self.execution.cycles,
            };
            tell(progress, at)?;
        }
        Ok(proofs)
    }

    /// Proves the tables of proof `index`.
    fn tables(
        &self,
        index: usize,
        messages: &[zkvm_verifier::PublicMessage],
        traces: Vec<Option<Trace>>,
    ) -> Result<TablesProof<C>, ProveError> {
        let part = self.boundaries[index].part;
        let statement = Statement {
            context: &[zkvm_air::F::new(index as u32)],
            public: &public(part, index as u32),
            messages,
            shared: self.shared,
        };
        let key = self.keys.proving(part)?;
        let config = self.keys.config();
        Ok(zkvm_stark::prove(
            config,
            self.backend,
            key,
            &statement,
            traces,
        )?)
    }
}
