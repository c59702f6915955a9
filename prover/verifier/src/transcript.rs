//! The transcript's schedule, the same code for prover and verifier.
//!
//! | step | absorbed | drawn |
//! |---|---|---|
//! | 1 | key digest, context, public messages, heights, preprocessed commitment | |
//! | 2 | main commitment, grinding witness | LogUp challenges `alpha`, `beta` |
//! | 3 | LogUp commitment, sums | constraint challenge |
//! | 4 | quotient commitment | out-of-domain point `zeta` |
//! | 5 | openings, FRI (by the commitment scheme) | FRI challenges, queries |

use alloc::vec::Vec;

use p3_challenger::{CanObserve, FieldChallenger, GrindingChallenger};
use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Bus, F};

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

/// The transcript of one proof about tables.
#[derive(Debug)]
pub struct Transcript<C: Config> {
    challenger: C::Challenger,
}

impl<C: Config> Transcript<C> {
    /// Begins: absorbs all that is public.
    pub fn begin(
        config: &C,
        key: &VerifyingKey<C>,
        context: &[F],
        public: &[PublicMessage],
        heights_log2: &[Option<u8>],
    ) -> Self {
        let mut transcript = Transcript {
            challenger: config.challenger(),
        };
        for byte in key.digest {
            transcript.absorb(F::from_u8(byte));
        }
        transcript.absorb_length(context.len());
        context.iter().for_each(|value| transcript.absorb(*value));
        transcript.absorb_length(public.len());
        for message in public {
            transcript.absorb(F::from_u8(message.bus as u8));
            transcript.absorb_length(message.values.len());
            message
                .values
                .iter()
                .for_each(|value| transcript.absorb(*value));
            transcript.absorb(message.multiplicity);
        }
        transcript.absorb_length(heights_log2.len());
        for height in heights_log2 {
            transcript.absorb(height.map_or(F::ZERO, |height| F::from_u8(height) + F::ONE));
        }
        CanObserve::<Commitment<C>>::observe(&mut transcript.challenger, key.preprocessed.clone());
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

    /// Absorbs the LogUp commitment and sums; draws the challenge that combines constraints.
    pub fn constraint_challenge(&mut self, logup: &Commitment<C>, sums: &[Challenge]) -> Challenge {
        CanObserve::<Commitment<C>>::observe(&mut self.challenger, logup.clone());
        self.absorb_length(sums.len());
        self.challenger.observe_algebra_slice(sums);
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

    /// Absorbs a length in two limbs, so that no length wraps.
    fn absorb_length(&mut self, length: usize) {
        self.absorb(F::from_u16(length as u16));
        self.absorb(F::from_u32((length >> 16) as u32 & 0x00ff_ffff));
    }
}
