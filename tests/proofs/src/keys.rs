//! Proving and verifying given traces, honest or not, with the honest prover's own steps.

use std::fmt;

use p3_field::PrimeField32;
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::F;
use zkvm_isa::record::Part;
use zkvm_machine::Program;
use zkvm_prover::Keys;
use zkvm_stark::{Cpu, Trace, commit_boundary, prove};
use zkvm_statement::{
    ExecutionKeys, Header, Proof, Security, SegmentProof, Verified, VerifyError, between_messages,
    context, verify,
};
use zkvm_verifier::{
    Blake3Config, Commitment, Config, ExecutionTranscript, Shared, Statement, TablesProof,
};

use crate::weak;
use crate::whole::Whole;

/// The keys of a program, as the prover makes them, that prove any traces.
#[derive(Debug)]
pub struct TraceKeys<C: Config = Blake3Config> {
    keys: Keys<C>,
}

/// The commitment to the boundary tables of a proof, and their heights.
pub struct Boundary<C: Config> {
    /// Per chip the logarithm of its height, for the boundary tables.
    pub heights_log2: Vec<Option<u8>>,
    /// The commitment.
    pub commitment: Option<Commitment<C>>,
}

impl<C: Config> fmt::Debug for Boundary<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Boundary")
            .field("heights_log2", &self.heights_log2)
            .finish_non_exhaustive()
    }
}

impl<C: Config> TraceKeys<C> {
    /// Makes the keys of a program, for proofs of few queries.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let keys = Keys::new(program, weak());
        let keys = keys.unwrap_or_else(|error| panic!("the program is small: {error}"));
        TraceKeys { keys }
    }

    /// The keys.
    #[must_use]
    pub fn keys(&self) -> &Keys<C> {
        &self.keys
    }

    /// Commits to the boundary tables of the proof at `index`.
    #[must_use]
    pub fn boundary(&self, whole: &Whole, index: usize) -> Boundary<C> {
        let is_boundary =
            |place: usize| whole.chips(index)[place].description.round == zkvm_air::Round::Boundary;
        let traces: Vec<_> = matrices(whole, index)
            .into_iter()
            .enumerate()
            .map(|(place, trace)| trace.filter(|_| is_boundary(place)))
            .collect();
        let heights = traces.iter().map(|trace| {
            let height = trace.as_ref().map(Matrix::height)?;
            Some(height.ilog2() as u8)
        });
        let heights_log2 = heights.collect();
        let commitment = commit_boundary(self.keys.config(), self.proving(whole, index), traces);
        Boundary {
            heights_log2,
            commitment: commitment.unwrap_or_else(|error| panic!("the shapes fit: {error}")),
        }
    }

    /// Draws what the proofs share, from these boundaries.
    pub fn share(&self, whole: &Whole, boundaries: &[Boundary<C>]) -> (Shared, F) {
        let config = self.keys.config();
        let id = self.keys.program_id().0;
        let context = context(&id, whole.exit_code, &whole.journal, whole.segments.len());
        let messages = between_messages(whole.last_word);
        let mut transcript =
            ExecutionTranscript::begin(config, &context, &messages, boundaries.len());
        for (index, boundary) in boundaries.iter().enumerate() {
            let key = &self.proving(whole, index).verifying;
            let commitment = boundary.commitment.as_ref();
            let public = whole.public(index);
            transcript.proof(key, &public, &boundary.heights_log2, commitment);
        }
        let grinding = transcript.grind(config.parameters().logup_grinding_bits);
        (transcript.draw(), grinding)
    }

    /// Proves the tables at `index`.
    #[must_use]
    pub fn tables(&self, whole: &Whole, index: usize, shared: &Shared) -> TablesProof<C> {
        let statement = Statement {
            context: &[F::new(index as u32)],
            public: &whole.public(index),
            messages: &whole.messages(index),
            shared,
        };
        let key = self.proving(whole, index);
        prove(
            self.keys.config(),
            &Cpu,
            key,
            &statement,
            matrices(whole, index),
        )
        .unwrap_or_else(|error| panic!("any traces of the right shape give a proof: {error}"))
    }

    /// Puts proofs of the tables together.
    #[must_use]
    pub fn put_together(
        &self,
        whole: &Whole,
        grinding: F,
        mut tables: Vec<TablesProof<C>>,
    ) -> Proof<C> {
        let words = tables.split_off(whole.segments.len());
        let segments = whole.segments.iter().zip(tables);
        Proof {
            header: Header {
                hash: C::HASH,
                parameters: *self.keys.config().parameters(),
                machine: ExecutionKeys::machine(&self.keys),
            },
            program_id: self.keys.program_id().0,
            exit_code: whole.exit_code,
            journal: whole.journal.clone(),
            last_word: whole.last_word,
            grinding,
            segments: segments
                .map(|(segment, tables)| SegmentProof {
                    end_half_pc: segment.end_half_pc,
                    end_clock: segment.end_clock,
                    journal_end: segment.journal_end,
                    tables,
                })
                .collect(),
            words,
        }
    }

    /// What the proofs of `whole` share, as the honest prover gets it.
    pub fn shared(&self, whole: &Whole) -> (Shared, F) {
        let boundaries: Vec<_> = (0..whole.proofs())
            .map(|index| self.boundary(whole, index))
            .collect();
        self.share(whole, &boundaries)
    }

    /// The proof that the honest prover makes of these traces.
    #[must_use]
    pub fn prove(&self, whole: &Whole) -> Proof<C> {
        let (shared, grinding) = self.shared(whole);
        let tables = (0..whole.proofs()).map(|index| self.tables(whole, index, &shared));
        self.put_together(whole, grinding, tables.collect())
    }

    /// Verifies a proof under these keys.
    ///
    /// # Errors
    /// Why it does not hold.
    pub fn verify(&self, exit_code: u32, proof: &Proof<C>) -> Result<Verified, VerifyError> {
        verify(&self.keys, exit_code, proof)
    }

    /// Proves the traces and verifies the proof.
    ///
    /// # Errors
    /// Why the proof does not hold.
    pub fn prove_and_verify(&self, whole: &Whole) -> Result<Verified, VerifyError> {
        self.verify(whole.exit_code, &self.prove(whole))
    }

    /// Like [`Self::prove_and_verify`], but proves no more than the verifier looks at: the proofs
    /// up to `first_bad`, the first that does not hold. In place of later ones it puts something of
    /// `honest` under their own boundary commitments and heights: these decide what is shared.
    ///
    /// # Errors
    /// Why the proof does not hold.
    pub fn prove_up_to(
        &self,
        whole: &Whole,
        first_bad: usize,
        honest: &Proof<C>,
    ) -> Result<Verified, VerifyError> {
        self.prove_after(whole, &[], first_bad, honest)
    }

    /// The same, if `known` are the first proofs already.
    ///
    /// # Errors
    /// Why the proof does not hold.
    pub fn prove_after(
        &self,
        whole: &Whole,
        known: &[&TablesProof<C>],
        first_bad: usize,
        honest: &Proof<C>,
    ) -> Result<Verified, VerifyError> {
        let boundaries: Vec<_> = (0..whole.proofs())
            .map(|index| self.boundary(whole, index))
            .collect();
        let (shared, grinding) = self.share(whole, &boundaries);
        let mut tables = Vec::with_capacity(whole.proofs());
        let filler = &honest.segments[0].tables;
        for (index, boundary) in boundaries.into_iter().enumerate() {
            tables.push(if let Some(known) = known.get(index) {
                (*known).clone()
            } else if index <= first_bad {
                self.tables(whole, index, &shared)
            } else {
                let mut filler = filler.clone();
                filler.heights_log2 = heights(whole, index);
                filler.boundary = boundary.commitment;
                filler
            });
        }
        self.verify(whole.exit_code, &self.put_together(whole, grinding, tables))
    }

    fn proving(&self, whole: &Whole, index: usize) -> &zkvm_stark::ProvingKey<C> {
        let key = self.keys.proving(whole.part(index));
        key.unwrap_or_else(|error| panic!("the chips fit together: {error}"))
    }

    /// The verifying key of a part, as the verifier gets it.
    #[must_use]
    pub fn verifying(&self, part: Part) -> &zkvm_verifier::VerifyingKey<C> {
        let key = ExecutionKeys::key(&self.keys, part);
        key.unwrap_or_else(|error| panic!("the chips fit together: {error}"))
    }

    /// The security that these keys demand.
    #[must_use]
    pub fn security(&self) -> Security {
        ExecutionKeys::security(&self.keys)
    }
}

/// The traces at `index` as matrices.
#[must_use]
pub fn matrices(whole: &Whole, index: usize) -> Vec<Option<Trace>> {
    let traces = whole.chips(index).iter().zip(whole.traces(index));
    traces
        .map(|(chip, trace)| {
            let width = chip.description.columns.len();
            Some(RowMajorMatrix::new(trace.clone()?, width))
        })
        .collect()
}

/// The logarithms of the heights of the traces at `index`.
#[must_use]
pub fn heights(whole: &Whole, index: usize) -> Vec<Option<u8>> {
    let matrices = matrices(whole, index).into_iter();
    matrices
        .map(|trace| Some(trace?.height().ilog2() as u8))
        .collect()
}

/// A field element as a number.
#[must_use]
pub fn number(cell: F) -> u32 {
    cell.as_canonical_u32()
}
