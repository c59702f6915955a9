//! The prover: execute, fill, prove.

use p3_matrix::dense::RowMajorMatrix;
use thiserror::Error;
use zkvm_chips::{Claim, Message, public_messages, witness};
use zkvm_machine::{
    Console, ExecuteError, Execution, Exit, Input, Limits, Recording, SegmentLimits,
    execute_segments,
};
use zkvm_verifier::PublicMessage;

use crate::keys::Keys;
use crate::proof::Proof;
use crate::verify::{JOURNAL_BYTES_MAX, context};

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
    #[error("the guest halted with exit code {got}, not {expected}")]
    ExitCode {
        /// What the caller expects.
        expected: u32,
        /// What the guest gave.
        got: u32,
    },
    /// The execution uses something that cannot be proved yet.
    #[error("this cannot be proved yet: {what}")]
    Unprovable {
        /// What it is.
        what: String,
    },
    /// The prover failed: a bug.
    #[error(transparent)]
    Prove(#[from] zkvm_stark::ProveError),
}

/// Executes the program of `keys` on `input` and proves that it halted with `exit_code`.
///
/// # Errors
/// [`ProveError`] says why there is no proof.
pub fn prove(
    keys: &Keys,
    input: &Input,
    limits: &Limits,
    exit_code: u32,
    console: &mut dyn Console,
) -> Result<(Proof, Execution), ProveError> {
    let segment_limits = SegmentLimits::STANDARD;
    let mut witnesses = Vec::new();
    let segmented = execute_segments(
        &keys.program,
        input,
        limits,
        &segment_limits,
        Recording::Records,
        console,
        &mut |segment, records| {
            // The first says enough of an execution that is too long to prove.
            if segment.number == 0 {
                witnesses.push(witness(&keys.program, &keys.chips, &segment, records));
            }
        },
    )?;
    let execution = segmented.execution;
    let Exit::Halted { code: got, .. } = execution.exit else {
        return Err(ProveError::NotHalted {
            exit: Box::new(execution.exit),
        });
    };
    if got != exit_code {
        return Err(ProveError::ExitCode {
            expected: exit_code,
            got,
        });
    }
    if execution.journal.len() > JOURNAL_BYTES_MAX {
        let what = format!("a journal of {} bytes", execution.journal.len());
        return Err(ProveError::Unprovable { what });
    }
    let witness = witnesses
        .pop()
        .unwrap_or_else(|| panic!("every execution has a first segment"))
        .map_err(|unprovable| ProveError::Unprovable {
            what: unprovable.what,
        })?;
    let claim = Claim {
        exit_code,
        journal: execution.journal.clone(),
        ends: witness.ends,
    };
    let traces = witness
        .traces
        .into_iter()
        .zip(&keys.chips)
        .map(|(trace, chip)| {
            trace.map(|cells| RowMajorMatrix::new(cells, chip.description.columns.len()))
        });
    let tables = zkvm_stark::prove(
        &keys.config,
        &keys.proving,
        &context(keys.program_id()),
        &public(public_messages(&keys.program, &claim)),
        traces.collect(),
    )?;
    let proof = Proof {
        program_id: keys.program_id(),
        exit_code,
        journal: claim.journal,
        ends: claim.ends,
        tables,
    };
    Ok((proof, execution))
}

/// The chips' messages as the argument takes them.
pub(crate) fn public(messages: Vec<Message>) -> Vec<PublicMessage> {
    messages
        .into_iter()
        .map(|(bus, values, multiplicity)| PublicMessage {
            bus,
            values,
            multiplicity,
        })
        .collect()
}
