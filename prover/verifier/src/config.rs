//! Fields, hashes and the commitment scheme, as one parameter.

use core::fmt::Debug;

use p3_blake3::Blake3;
use p3_challenger::{
    CanObserve, FieldChallenger, GrindingChallenger, HashChallenger, SerializingChallenger32,
};
use p3_commit::{ExtensionMmcs, Pcs, UnivariateStarkPcs};
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::extension::QuinticTrinomialExtensionField;
use p3_fri::{FriParameters, TwoAdicFriPcs};
use p3_merkle_tree::MerkleTreeMmcs;
use p3_monty_31::dft::RecursiveDft;
use p3_symmetric::{CompressionFunctionFromHasher, SerializingHasher};
use serde::{Deserialize, Serialize};
use zkvm_air::F;

/// The field of challenges: degree 5 over the base field, about 155 bits.
pub type Challenge = QuinticTrinomialExtensionField<F>;

/// A trace or quotient domain.
pub type Domain = TwoAdicMultiplicativeCoset<F>;

/// A commitment to a batch of matrices.
pub type Commitment<C> =
    <<C as Config>::Pcs as Pcs<Challenge, <C as Config>::Challenger>>::Commitment;

/// The opening proof of the commitment scheme.
pub type PcsProof<C> = <<C as Config>::Pcs as Pcs<Challenge, <C as Config>::Challenger>>::Proof;

/// Numbers that decide soundness and cost. Part of every proof's transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Logarithm of the blow-up of committed codewords.
    pub blowup_log2: u8,
    /// Number of FRI queries.
    pub queries: u16,
    /// Bits of grinding before the queries are drawn.
    pub query_grinding_bits: u8,
    /// Bits of grinding before the LogUp challenges are drawn.
    pub logup_grinding_bits: u8,
}

impl Parameters {
    /// 100 bits in the unique-decoding regime: at rate 1/2 a query of a codeword at distance 1/4
    /// passes with probability 3/4, so 193 queries give 80.1 bits, and grinding 20 more.
    pub const STANDARD: Parameters = Parameters {
        blowup_log2: 1,
        queries: 193,
        query_grinding_bits: 20,
        logup_grinding_bits: 0,
    };
}

/// The hash and everything that follows from it.
pub trait Config: Clone + Debug {
    /// The transcript's sponge.
    type Challenger: FieldChallenger<F>
        + GrindingChallenger<Witness = F>
        + CanObserve<Commitment<Self>>
        + Clone;
    /// The commitment scheme.
    type Pcs: UnivariateStarkPcs<Challenge, Self::Challenger, Domain = Domain>;

    /// The commitment scheme with its parameters.
    fn pcs(&self) -> &Self::Pcs;

    /// A fresh sponge.
    fn challenger(&self) -> Self::Challenger;

    /// The parameters.
    fn parameters(&self) -> &Parameters;

    /// Which hash, for the transcript and for people.
    const HASH: &'static str;
}

type ByteHash = Blake3;
type FieldHash = SerializingHasher<ByteHash>;
type Compress = CompressionFunctionFromHasher<ByteHash, 2, 32>;
type ValueMmcs = MerkleTreeMmcs<F, u8, FieldHash, Compress, 2, 32>;
type ChallengeMmcs = ExtensionMmcs<F, Challenge, ValueMmcs>;
type Blake3Challenger = SerializingChallenger32<F, HashChallenger<u8, ByteHash, 32>>;
type Blake3Pcs = TwoAdicFriPcs<F, RecursiveDft<F>, ValueMmcs, ChallengeMmcs>;

/// BLAKE3 for Merkle trees and transcript: the fastest on a processor.
#[derive(Clone)]
pub struct Blake3Config {
    pcs: Blake3Pcs,
    parameters: Parameters,
}

impl Debug for Blake3Config {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Blake3Config")
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

impl Blake3Config {
    /// The configuration with `parameters`.
    #[must_use]
    pub fn new(parameters: Parameters) -> Self {
        let mmcs = ValueMmcs::new(FieldHash::new(Blake3), Compress::new(Blake3), 0);
        let fri = FriParameters {
            log_blowup: usize::from(parameters.blowup_log2),
            log_final_poly_len: 0,
            max_log_arity: 3,
            num_queries: usize::from(parameters.queries),
            batch_proof_of_work_bits: 0,
            commit_proof_of_work_bits: 0,
            query_proof_of_work_bits: usize::from(parameters.query_grinding_bits),
            mmcs: ChallengeMmcs::new(mmcs.clone()),
        };
        let pcs = TwoAdicFriPcs::new(RecursiveDft::default(), mmcs, fri);
        Blake3Config { pcs, parameters }
    }
}

impl Config for Blake3Config {
    type Challenger = Blake3Challenger;
    type Pcs = Blake3Pcs;

    fn pcs(&self) -> &Blake3Pcs {
        &self.pcs
    }

    fn challenger(&self) -> Blake3Challenger {
        Blake3Challenger::from_hasher(alloc::vec::Vec::new(), Blake3)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    const HASH: &'static str = "blake3";
}
