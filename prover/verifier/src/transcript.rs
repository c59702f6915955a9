//! The transcripts' schedules, the same code for prover and verifier.
//!
//! Of an execution, once, to draw what its proofs share ([`ExecutionTranscript`]):
//!
//! | step | absorbed | drawn |
//! |---|---|---|
//! | 1 | tag, context, public messages between segments, number of proofs | |
//! | 2 | of each proof: key digest, public values, heights and commitment of its boundary tables | |
//! | 3 | grinding witness | [`Shared`]: LogUp challenges of the execution, seed |
//!
//! Of each proof ([`Transcript`]):
//!
//! | step | absorbed | drawn |
//! |---|---|---|
//! | 1 | key digest, context, shared challenges, public values, public messages, heights, preprocessed and boundary commitments | |
//! | 2 | main commitment, grinding witness | LogUp challenges `alpha`, `beta` |
//! | 3 | LogUp commitment, sums | constraint challenge |
//! | 4 | quotient commitment | out-of-domain point `zeta` |
//! | 5 | openings, FRI (by the commitment scheme) | FRI challenges, queries |

use alloc::vec::Vec;
use core::fmt;

use p3_challenger::{CanObserve, FieldChallenger, GrindingChallenger};
use p3_field::{BasedVectorSpace, PrimeCharacteristicRing};
use zkvm_air::{Bus, F, Round};

use crate::logup::Challenges;
use crate::{Challenge, Commitment, Config, VerifyingKey};

/// A message that the verifier itself adds to a bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicMessage {
    /// The bus.
    pub bus: Bus,
    /// The message, without the bus.
    pub values: Vec<F>,
    /// How often it is sent; negative if received.
    pub multiplicity: F,
}

/// What a proof about tables is to show.
#[derive(Clone, Copy, Debug)]
pub struct Statement<'a> {
    /// Whatever else the proof must be bound to; absorbed, not interpreted.
    pub context: &'a [F],
    /// The public values that constraints and messages name.
    pub public: &'a [F],
    /// The messages that the verifier adds, on buses of [`zkvm_air::Scope::Segment`].
    pub messages: &'a [PublicMessage],
    /// What the proofs of the execution share.
    pub shared: &'a Shared,
}

/// The transcript of one proof about tables.
pub struct Transcript<C: Config> {
    challenger: C::Challenger,
}

impl<C: Config> fmt::Debug for Transcript<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transcript").finish_non_exhaustive()
    }
}

impl<C: Config> Transcript<C> {
    /// Begins: absorbs all that is public, and what is committed to already.
    pub fn begin(
        config: &C,
        key: &VerifyingKey<C>,
        statement: &Statement<'_>,
        heights_log2: &[Option<u8>],
        boundary: Option<&Commitment<C>>,
    ) -> Self {
        let Statement {
            context,
            public,
            messages,
            shared,
        } = statement;
        let mut transcript = Transcript {
            challenger: config.challenger(),
        };
        transcript.absorb_bytes(&key.digest);
        transcript.absorb_all(context);
        let beta = shared.challenges.power(0);
        let shared_challenges = [shared.challenges.alpha, beta];
        FieldChallenger::<F>::observe_algebra_slice(&mut transcript.challenger, &shared_challenges);
        transcript.absorb_all(&shared.seed);
        transcript.absorb_all(public);
        transcript.absorb_messages(messages);
        transcript.absorb_heights(heights_log2);
        CanObserve::<Commitment<C>>::observe(&mut transcript.challenger, key.preprocessed.clone());
        transcript.absorb_boundary(boundary);
        transcript
    }

    /// The prover's grinding for [`Self::logup_challenges`]: absorbs the main commitment and finds
    /// a witness. Draw the challenges next, without passing the commitment again.
    pub fn grind_logup(&mut self, main: &Commitment<C>, bits: u8) -> F {
        CanObserve::<Commitment<C>>::observe(&mut self.challenger, main.clone());
        self.challenger.grind(usize::from(bits))
    }

    /// The verifier's side of [`Self::grind_logup`]; false if the witness is wrong.
    #[must_use]
    pub fn check_logup(&mut self, main: &Commitment<C>, bits: u8, witness: F) -> bool {
        CanObserve::<Commitment<C>>::observe(&mut self.challenger, main.clone());
        self.challenger.check_witness(usize::from(bits), witness)
    }

    /// Draws the LogUp challenges.
    pub fn logup_challenges(&mut self) -> Challenges {
        let alpha = self.challenger.sample_algebra_element();
        let beta = self.challenger.sample_algebra_element();
        Challenges::new(alpha, beta)
    }

    /// Absorbs the LogUp commitment and the sums on the segment's and the execution's buses; draws the challenge that combines constraints.
    pub fn constraint_challenge(
        &mut self,
        logup: &Commitment<C>,
        sums: [&[Challenge]; 2],
    ) -> Challenge {
        CanObserve::<Commitment<C>>::observe(&mut self.challenger, logup.clone());
        for sums in sums {
            self.absorb_length(sums.len());
            self.challenger.observe_algebra_slice(sums);
        }
        self.challenger.sample_algebra_element()
    }

    /// Absorbs the quotient commitment; draws the out-of-domain point.
    pub fn out_of_domain_point(&mut self, quotient: &Commitment<C>) -> Challenge {
        CanObserve::<Commitment<C>>::observe(&mut self.challenger, quotient.clone());
        self.challenger.sample_algebra_element()
    }

    /// Hands the sponge to the commitment scheme for the openings.
    pub fn challenger(&mut self) -> &mut C::Challenger {
        &mut self.challenger
    }

    fn absorb(&mut self, value: F) {
        self.challenger.observe(value);
    }

    fn absorb_bytes(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.absorb(F::from_u8(*byte)));
    }

    /// Absorbs a length in two limbs, so that no length wraps.
    fn absorb_length(&mut self, length: usize) {
        self.absorb(F::from_u16(length as u16));
        self.absorb(F::from_u32((length >> 16) as u32 & 0x00ff_ffff));
    }

    fn absorb_all(&mut self, values: &[F]) {
        self.absorb_length(values.len());
        values.iter().for_each(|value| self.absorb(*value));
    }

    fn absorb_messages(&mut self, messages: &[PublicMessage]) {
        self.absorb_length(messages.len());
        for message in messages {
            self.absorb(F::from_u8(message.bus as u8));
            self.absorb_all(&message.values);
            self.absorb(message.multiplicity);
        }
    }

    fn absorb_heights(&mut self, heights_log2: &[Option<u8>]) {
        self.absorb_length(heights_log2.len());
        for height in heights_log2 {
            self.absorb(height.map_or(F::ZERO, |height| F::from_u8(height) + F::ONE));
        }
    }

    fn absorb_boundary(&mut self, boundary: Option<&Commitment<C>>) {
        self.absorb(F::from_bool(boundary.is_some()));
        if let Some(boundary) = boundary {
            CanObserve::<Commitment<C>>::observe(&mut self.challenger, boundary.clone());
        }
    }
}

/// What the proofs of an execution share.
#[derive(Clone, Copy, Debug)]
pub struct Shared {
    /// The challenges of buses of [`zkvm_air::Scope::Execution`].
    pub challenges: Challenges,
    /// Binds each proof to all that was absorbed before the challenges were drawn.
    pub seed: [F; SEED_LENGTH],
}

/// Elements of a seed: 8 of 31 bits, as many as of a digest.
const SEED_LENGTH: usize = 8;

/// The transcript of an execution: everything that is fixed before [`Shared`] is drawn.
pub struct ExecutionTranscript<C: Config> {
    transcript: Transcript<C>,
}

impl<C: Config> fmt::Debug for ExecutionTranscript<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ExecutionTranscript")
            .finish_non_exhaustive()
    }
}

impl<C: Config> ExecutionTranscript<C> {
    /// Begins with all that is public of the execution; `proofs` of [`Self::proof`] must follow.
    pub fn begin(config: &C, context: &[F], messages: &[PublicMessage], proofs: usize) -> Self {
        let mut transcript = Transcript {
            challenger: config.challenger(),
        };
        transcript.absorb_bytes(b"zkvm execution v1");
        transcript.absorb_all(context);
        transcript.absorb_messages(messages);
        transcript.absorb_length(proofs);
        ExecutionTranscript { transcript }
    }

    /// Absorbs what is committed to of the next proof: its key, its public values, and its boundary
    /// tables. `heights_log2` are the heights of all of the key's chips; only those of boundary
    /// tables count here, the others are not known yet.
    pub fn proof(
        &mut self,
        key: &VerifyingKey<C>,
        public: &[F],
        heights_log2: &[Option<u8>],
        boundary: Option<&Commitment<C>>,
    ) {
        self.transcript.absorb_bytes(&key.digest);
        self.transcript.absorb_all(public);
        let heights: Vec<Option<u8>> = key
            .tables
            .iter()
            .zip(heights_log2)
            .filter(|(table, _)| table.description.round == Round::Boundary)
            .map(|(_, height)| *height)
            .collect();
        self.transcript.absorb_heights(&heights);
        self.transcript.absorb_boundary(boundary);
    }

    /// The prover's grinding for [`Self::draw`].
    pub fn grind(&mut self, bits: u8) -> F {
        self.transcript.challenger.grind(usize::from(bits))
    }

    /// The verifier's side of [`Self::grind`]; false if the witness is wrong. Without grinding the
    /// witness is not absorbed, and must be zero.
    #[must_use]
    pub fn check(&mut self, bits: u8, witness: F) -> bool {
        let is_free = bits == 0 && witness != F::ZERO;
        !is_free
            && self
                .transcript
                .challenger
                .check_witness(usize::from(bits), witness)
    }

    /// Draws what the proofs share.
    #[must_use]
    pub fn draw(mut self) -> Shared {
        let challenges = self.transcript.logup_challenges();
        let seed: [Challenge; 2] =
            core::array::from_fn(|_| self.transcript.challenger.sample_algebra_element());
        let mut coefficients = seed
            .iter()
            .flat_map(BasedVectorSpace::<F>::as_basis_coefficients_slice);
        Shared {
            challenges,
            seed: core::array::from_fn(|_| coefficients.next().copied().unwrap_or(F::ZERO)),
        }
    }
}
