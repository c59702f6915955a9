//! Executing programs.

use std::borrow::Cow;
use std::ops::ControlFlow;

use zkvm_inspect::{Frame, Samples, Software};
use zkvm_machine::{
    Capture, Console, Cost, Discard, Exit, Limits, Recording, Records, Segment, SegmentLimits,
    Span, backtrace, execute, execute_sampled, execute_segments,
};

use zkvm_prover::{Config, Cpu, Hash, Keys, Level, OnProgress, Options, segment_limits};

use crate::job::Job;
use crate::proof::AnyProof;
use crate::{Error, Input, Journal, Program, Proof, memory};

/// Executes programs, within limits, and proves executions.
#[derive(Clone, Debug)]
pub struct Client {
    limits: Limits,
    hash: Hash,
    level: Level,
    memory_bytes: u64,
}

/// Sets up a [`Client`].
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    limits: Limits,
    hash: Hash,
    level: Level,
    memory_bytes: Option<u64>,
}

impl ClientBuilder {
    /// Sets the limits of executions.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Sets the hash of proofs; [`Hash::Blake3`] if it is not set.
    #[must_use]
    pub fn hash(mut self, hash: Hash) -> Self {
        self.hash = hash;
        self
    }

    /// Sets the level of security of proofs; [`Level::Standard`] if it is not set.
    #[must_use]
    pub fn level(mut self, level: Level) -> Self {
        self.level = level;
        self
    }

    /// Sets how much memory proving may take, in bytes: executions are cut into segments that fit.
    /// If it is not set, most of what the machine has free, and no more than 8 GB.
    #[must_use]
    pub fn memory_bytes(mut self, memory_bytes: u64) -> Self {
        self.memory_bytes = Some(memory_bytes);
        self
    }

    /// Makes the client.
    ///
    /// # Errors
    /// None today; a client that proves on a device may not find it.
    pub fn build(self) -> Result<Client, Error> {
        let memory_bytes = self.memory_bytes.unwrap_or_else(|| {
            zkvm_prover::memory_bytes(memory::available_bytes().unwrap_or(u64::MAX))
        });
        Ok(Client {
            limits: self.limits,
            hash: self.hash,
            level: self.level,
            memory_bytes,
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
            hash: Hash::Blake3,
            level: Level::Standard,
            memory_bytes: None,
        }
    }

    /// The hash of proofs.
    #[must_use]
    pub fn hash(&self) -> Hash {
        self.hash
    }

    /// The level of security of proofs.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The memory that proving may take, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> u64 {
        self.memory_bytes
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

    /// Executes `program` like [`Client::execute_with`], and says what it computes by instructions
    /// though a precompile does the same: each hash or curve that takes a tenth of all cycles or more.
    /// That is found by sampling, and by the names in the program's debug information.
    ///
    /// # Errors
    /// [`Error::Execute`] if the input does not fit.
    pub fn execute_sampled<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
        console: &mut dyn Console,
    ) -> Result<(Execution, Vec<Software>), Error> {
        let (execution, samples) = self.execute_with_samples(program, input, console)?;
        let software = if execution.cycles < SOFTWARE_CYCLES_LEAST {
            Vec::new()
        } else {
            samples.software(&program.symbolizer(), SOFTWARE_PARTS)
        };
        Ok((execution, software))
    }

    /// Executes `program` like [`Client::execute_with`], and says where the pc was, now and then.
    ///
    /// # Errors
    /// [`Error::Execute`] if the input does not fit.
    pub fn execute_with_samples<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
        console: &mut dyn Console,
    ) -> Result<(Execution, Samples), Error> {
        let input = input.into();
        let mut samples = Samples::default();
        let execution = execute_sampled(
            program.machine(),
            input.machine(),
            &self.limits,
            console,
            &mut |pc| samples.add(pc),
        )?;
        Ok((Execution::new(execution, Vec::new()), samples))
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
        let go_on = &mut |_| ControlFlow::Continue(());
        self.prove_with(program, input, 0, &mut Discard, go_on)
    }

    /// Executes `program` and proves that it halted with `exit_code`. What the guest prints goes to
    /// `console`, how far proving is to `progress`, which may break to cancel.
    ///
    /// # Errors
    /// [`Error::Prove`] if it did not, if its execution cannot be proved, or if it was cancelled.
    pub fn prove_with<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
        exit_code: u32,
        console: &mut dyn Console,
        progress: OnProgress<'_>,
    ) -> Result<Proof, Error> {
        let input = input.into();
        let statement = Statement {
            client: self,
            input: input.machine(),
            exit_code,
        };
        Ok(Proof(match self.hash {
            Hash::Blake3 => {
                let proof = statement.prove(program.keys(self.level)?, console, progress)?;
                AnyProof::Blake3(Box::new(proof))
            }
            Hash::Poseidon2 => {
                let proof =
                    statement.prove(program.keys_poseidon2(self.level)?, console, progress)?;
                AnyProof::Poseidon2(Box::new(proof))
            }
        }))
    }

    /// Begins to prove that `program` halts with exit code 0, on a thread of its own.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), zkvm_sdk::Error> {
    /// use zkvm_sdk::{Client, Input, Program};
    ///
    /// let program = Program::from_file("guest.elf")?;
    /// let job = Client::auto()?.start(&program, Input::new().write(&21u64)?);
    /// if let Some(progress) = job.progress() {
    ///     println!("segment {} of {}", progress.done, progress.of);
    /// }
    /// let proof = job.wait()?; // or `job.cancel()`
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn start(&self, program: &Program, input: Input) -> Job {
        Job::start(self.clone(), program.clone(), input, 0)
    }

    /// Executes `program` and foretells what proving it takes with this client's hash, level and
    /// memory. What the guest prints goes to `console`. The guest may fail:
    /// [`Execution::exit`] says how.
    ///
    /// # Errors
    /// [`Error::Prove`] if the input does not fit.
    pub fn cost<'a>(
        &self,
        program: &Program,
        input: impl Into<Cow<'a, Input>>,
        console: &mut dyn Console,
    ) -> Result<(zkvm_prover::Cost, Execution), Error> {
        let input = input.into();
        let (cost, execution) = match self.hash {
            Hash::Blake3 => {
                let keys = program.keys(self.level)?;
                zkvm_prover::cost(keys, input.machine(), &self.options(keys, 0), console)?
            }
            Hash::Poseidon2 => {
                let keys = program.keys_poseidon2(self.level)?;
                zkvm_prover::cost(keys, input.machine(), &self.options(keys, 0), console)?
            }
        };
        Ok((cost, Execution::new(execution, Vec::new())))
    }

    fn options<C: Config>(&self, keys: &Keys<C>, exit_code: u32) -> Options {
        Options {
            limits: self.limits,
            segment_limits: segment_limits(keys, self.memory_bytes),
            exit_code,
        }
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

/// Fewest cycles of an execution of whose samples anything is said.
const SOFTWARE_CYCLES_LEAST: u64 = 500_000;

/// A hash or curve is worth mentioning from one of so many parts of all cycles.
const SOFTWARE_PARTS: u64 = 10;

/// What is to be proved.
struct Statement<'a> {
    client: &'a Client,
    input: &'a zkvm_machine::Input,
    exit_code: u32,
}

impl Statement<'_> {
    fn prove<C: Config>(
        &self,
        keys: &Keys<C>,
        console: &mut dyn Console,
        progress: OnProgress<'_>,
    ) -> Result<zkvm_prover::Proof<C>, Error> {
        let options = self.client.options(keys, self.exit_code);
        let proved = zkvm_prover::prove(keys, &Cpu, self.input, &options, console, progress);
        let (proof, _) = proved?;
        Ok(proof)
    }
}
