//! Whole executions in one segment, with the traces of every chip.

use zkvm_air::{F, Report, Table, check};
use zkvm_chips::{
    Claim, MachineChip, Message, Unprovable, Witness, machine, public_messages, witness,
};
use zkvm_machine::{
    Discard, Execution, Exit, Input, Limits, Program, Recording, SegmentLimits, execute_segments,
};

/// The hints of every execution: what a program reads of them is its business.
pub const HINTS: &[u8] = b"hints are whatever the prover has";

/// An execution and everything that is claimed and known of it.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The program.
    pub program: Program,
    /// The chips for the program.
    pub chips: Vec<MachineChip>,
    /// Per chip its cells, row after row; `None` if the execution does not use it.
    pub traces: Vec<Option<Vec<F>>>,
    /// What is claimed.
    pub claim: Claim,
    /// What the executor says.
    pub execution: Execution,
}

impl Whole {
    /// Executes `program` with [`HINTS`] and no input, and fills its traces. Panics if it does not
    /// halt in its first segment.
    ///
    /// # Errors
    /// [`Unprovable`] names what has no chip.
    #[track_caller]
    pub fn new(program: Program) -> Result<Self, Unprovable> {
        let chips = machine(&program)?;
        let mut witnesses = Vec::new();
        let input = Input {
            bytes: Vec::new(),
            hints: HINTS.to_vec(),
        };
        let segmented = execute_segments(
            &program,
            &input,
            &Limits::STANDARD,
            &SegmentLimits::STANDARD,
            Recording::Records,
            &mut Discard,
            &mut |segment, records| witnesses.push(witness(&program, &chips, &segment, records)),
        );
        let segmented = segmented.unwrap_or_else(|error| panic!("it must execute: {error}"));
        assert_eq!(witnesses.len(), 1, "the execution must fit a segment");
        let witness = witnesses.pop().transpose()?;
        let Witness { traces, ends } = witness.expect("there is one");
        let execution = segmented.execution;
        let Exit::Halted {
            code: exit_code, ..
        } = execution.exit
        else {
            panic!("it must halt: {}", execution.exit)
        };
        let claim = Claim {
            exit_code,
            journal: execution.journal.clone(),
            ends,
        };
        Ok(Whole {
            program,
            chips,
            traces,
            claim,
            execution,
        })
    }

    /// The tables of the chips that are used, with `traces` as their cells.
    pub fn tables<'a>(&'a self, traces: &'a [Option<Vec<F>>]) -> Vec<Table<'a>> {
        let present = self.chips.iter().zip(traces);
        present
            .filter_map(|(chip, trace)| {
                Some(Table {
                    description: &chip.description,
                    main: trace.as_ref()?,
                    preprocessed: &chip.preprocessed,
                })
            })
            .collect()
    }

    /// What the verifier adds for `claim`.
    #[must_use]
    pub fn public(&self, claim: &Claim) -> Vec<Message> {
        public_messages(&self.program, claim)
    }

    /// Checks every row and every bus of the honest traces.
    #[must_use]
    pub fn report(&self) -> Report {
        check(&self.tables(&self.traces), &self.public(&self.claim))
    }
}
