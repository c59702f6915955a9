//! Proving and verifying given traces, honest or not.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::F;
use zkvm_chips::Message;
use zkvm_stark::{ProvingKey, Setup, prove, setup};
use zkvm_verifier::{Blake3Config, PublicMessage, VerifyError, verify};

use crate::WEAK;
use crate::whole::Whole;

/// The keys of a program, as the prover makes them, that prove any traces.
#[derive(Debug)]
pub struct TraceKeys {
    config: Blake3Config,
    proving: ProvingKey<Blake3Config>,
    context: Vec<F>,
}

impl TraceKeys {
    /// Makes the keys of an execution's program.
    #[must_use]
    pub fn new(whole: &Whole) -> Self {
        let config = Blake3Config::new(WEAK);
        let tables = whole.chips.iter().map(|chip| {
            let width = chip.description.preprocessed.len();
            let cells = chip.preprocessed.clone();
            Setup {
                description: chip.description.clone(),
                preprocessed: (width > 0).then(|| RowMajorMatrix::new(cells, width)),
            }
        });
        let proving = setup(&config, tables.collect()).expect("the chips fit together");
        let id = whole.program.id();
        TraceKeys {
            config,
            proving,
            context: id.0.iter().map(|byte| F::from_u8(*byte)).collect(),
        }
    }

    /// Proves the traces with these public messages, and verifies the proof with the same.
    ///
    /// # Errors
    /// Why the proof does not hold.
    pub fn prove_and_verify(
        &self,
        whole: &Whole,
        traces: &[Option<Vec<F>>],
        public: Vec<Message>,
    ) -> Result<(), VerifyError> {
        let messages = public.into_iter();
        let public: Vec<_> = messages
            .map(|(bus, values, multiplicity)| PublicMessage {
                bus,
                values,
                multiplicity,
            })
            .collect();
        let matrices = whole.chips.iter().zip(traces).map(|(chip, trace)| {
            let width = chip.description.columns.len();
            let cells = trace.as_ref()?;
            Some(RowMajorMatrix::new(cells.clone(), width))
        });
        let matrices = matrices.collect();
        let proof = prove(
            &self.config,
            &self.proving,
            &self.context,
            &public,
            matrices,
        )
        .unwrap_or_else(|error| panic!("any traces of the right shape give a proof: {error}"));
        let key = &self.proving.verifying;
        verify(&self.config, key, &self.context, &public, &proof)
    }
}
