//! Executing programs.

use std::borrow::Cow;

use zkvm_inspect::Frame;
use zkvm_machine::{
    Capture, Console, Cost, Discard, Exit, Limits, Recording, Records, Segment, SegmentLimits,
    Span, backtrace, execute, execute_segments,
};

use crate::{Error, Input, Journal, Program, Proof};

/// Executes programs, within limits.
#[derive(Clone, Debug)]
pub struct Client {
    limits: Limits,
}

/// Sets up a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    limits: Limits,
}

impl ClientBuilder {
    /// Sets the limits of executions.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    /// None today; a client that proves on a device may not find it.
    pub fn build(self) -> Result<Client, Error> {
        Ok(Client {
            limits: self.limits,
        })
    }
}

/// What a program did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The public output.
    pub journal: Journal,
    /// How it ended. Check it: a guest that failed is an execution too.
    pub exit: Exit,
    /// Instructions executed.
    pub cycles: u64,
    /// What it cost.
    pub cost: Cost,
    /// The spans it entered.
    pub spans: Vec<Span>,
    /// What it printed, up to [`Capture::BYTES_MAX`]; empty if a console was given.
    pub printed: Vec<u8>,
    machine: zkvm_machine::Execution,
}

impl Execution {
    fn new(mut machine: zkvm_machine::Execution, printed: Vec<u8>) -> Self {
        Execution {
            journal: Journal::new(std::mem::take(&mut machine.journal)),
            exit: machine.exit.clone(),
            cycles: machine.cycles,
            cost: machine.cost.clone(),
            spans: std::mem::take(&mut machine.spans),
            printed,
            machine,
        }
    }

    /// Address of the instruction that ended it.
    #[must_use]
    pub fn pc(&self) -> u64 {
        self.machine.pc
    }

    /// The integer registers at the end.
    #[must_use]
    pub fn registers(&self) -> &[u64; 32] {
        &self.machine.registers
    }
}

impl Client {
    /// A client with standard limits.
    ///
    /// # Errors
    /// As [`ClientBuilder::build`].
    pub fn auto() -> Result<Self, Error> {
        Client::builder().build()
    }

    /// Sets up a client.
    #[must_use]
    pub fn builder() -> ClientBuilder {
        ClientBuilder {
            limits: Limits::STANDARD,
        }
    }

    /// The limits of executions.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Executes `program` and keeps what it prints. A guest that fails is an `Ok` whose
    /// [`Execution::exit`] says how.
    ///
    /// # Errors
    /// [`Error::Execute`] if the input does not fit.
    pub fn execute<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
    ) -> Result<Execution, Error> {
        let mut capture = Capture::default();
        let mut execution = self.execute_with(program, input, &mut capture)?;
        execution.printed = capture.bytes;
        Ok(execution)
    }

    /// Executes `program` and hands what it prints to `console` as it prints it.
    ///
    /// # Errors
    /// [`Error::Execute`] if the input does not fit.
    pub fn execute_with<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
        console: &mut dyn Console,
    ) -> Result<Execution, Error> {
        let input = input.into();
        let execution = execute(program.machine(), input.machine(), &self.limits, console)?;
        Ok(Execution::new(execution, Vec::new()))
    }

    /// Executes `program` cut into segments and hands each to `sink`, with its records if
    /// `recording` asks for them.
    ///
    /// # Errors
    /// [`Error::Execute`] if the input does not fit or the segment limits cannot work.
    pub fn execute_segments<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
        segment_limits: &SegmentLimits,
        recording: Recording,
        sink: &mut dyn FnMut(Segment, &mut Records),
    ) -> Result<Execution, Error> {
        let input = input.into();
        let segmented = execute_segments(
            program.machine(),
            input.machine(),
            &self.limits,
            segment_limits,
            recording,
            &mut Discard,
            sink,
        )?;
        Ok(Execution::new(segmented.execution, Vec::new()))
    }

    /// Executes `program` and proves that it halted with exit code 0.
    ///
    /// # Errors
    /// [`Error::Prove`] if it did not, or if its execution cannot be proved yet.
    pub fn prove<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
    ) -> Result<Proof, Error> {
        self.prove_exit(program, input, 0)
    }

    /// Executes `program` and proves that it halted with `exit_code`.
    ///
    /// # Errors
    /// [`Error::Prove`] if it did not, or if its execution cannot be proved yet.
    pub fn prove_exit<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
        exit_code: u32,
    ) -> Result<Proof, Error> {
        let input = input.into();
        let keys = program.keys()?;
        let (limits, input) = (&self.limits, input.machine());
        let (proof, _) = zkvm_prover::prove(keys, input, limits, exit_code, &mut Discard)?;
        Ok(Proof(proof))
    }

    /// The calls that led to where `execution` of `program` on `input` ended, innermost first,
    /// at most `frames_max`. Runs the program again.
    ///
    /// # Errors
    /// As [`Client::execute`].
    pub fn backtrace<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
        execution: &Execution,
        frames_max: usize,
    ) -> Result<Vec<Frame>, Error> {
        let input = input.into();
        let addresses = backtrace(
            program.machine(),
            input.machine(),
            &self.limits,
            &execution.machine,
        )?;
        let symbolizer = program.symbolizer();
        let mut frames: Vec<Frame> = addresses
            .into_iter()
            .take(frames_max)
            .flat_map(|address| symbolizer.frames(address))
            .collect();
        frames.truncate(frames_max);
        Ok(frames)
    }
}
