//! Fields, hashes and the commitment scheme, as one parameter.

use alloc::vec::Vec;
use core::fmt::Debug;

use p3_blake3::Blake3;
use p3_challenger::{
    CanObserve, DuplexChallenger, FieldChallenger, GrindingChallenger, HashChallenger,
    SerializingChallenger32,
};
use p3_commit::{ExtensionMmcs, Mmcs, Pcs, UnivariateStarkPcs};
use p3_dft::Radix2DFTSmallBatch;
use p3_field::Field;
use p3_field::coset::TwoAdicMultiplicativeCoset;
use p3_field::extension::QuinticTrinomialExtensionField;
use p3_fri::{BatchMultiOpening, FriParameters, FriProof, TwoAdicFriPcs};
use p3_koala_bear::{
    Poseidon2KoalaBear, default_koalabear_poseidon2_16, default_koalabear_poseidon2_24,
};
use p3_matrix::dense::RowMajorMatrix;
use p3_merkle_tree::MerkleTreeMmcs;
use p3_symmetric::{
    CompressionFunctionFromHasher, PaddingFreeSponge, SerializingHasher, TruncatedPermutation,
};
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

/// The hash of Merkle trees and transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Hash {
    /// BLAKE3, digests of 256 bits.
    Blake3,
    /// Poseidon2 over KoalaBear, digests of 8 elements.
    Poseidon2,
}

impl Hash {
    /// Its name, for the transcript and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Hash::Blake3 => "blake3",
            Hash::Poseidon2 => "poseidon2",
        }
    }

    /// Bits of a digest: twice those of collision resistance.
    #[must_use]
    pub const fn digest_bits(self) -> u32 {
        match self {
            Hash::Blake3 => 256,
            // 8 elements of 30.99 bits.
            Hash::Poseidon2 => 247,
        }
    }
}

/// Numbers that decide soundness and cost. Part of every proof's transcript.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameters {
    /// Logarithm of the blow-up of committed codewords.
    pub blowup_log2: u8,
    /// Number of FRI queries.
    pub queries: u16,
    /// Bits of grinding before the queries are drawn.
    pub query_grinding_bits: u8,
    /// Bits of grinding before the challenge that combines all openings is drawn.
    pub batch_grinding_bits: u8,
    /// Bits of grinding before LogUp challenges are drawn.
    pub logup_grinding_bits: u8,
}

impl Parameters {
    /// 100 bits in the unique-decoding regime: at rate 1/2 a query of a codeword at distance 1/4
    /// passes with probability 3/4, so 203 queries give 84.2 bits, and grinding 16 more. (193 queries
    /// with 20 bits are as good and 5 % shorter, but grinding them takes half a second per segment.)
    pub const STANDARD: Parameters = Parameters {
        blowup_log2: 1,
        queries: 203,
        query_grinding_bits: 16,
        batch_grinding_bits: 0,
        logup_grinding_bits: 0,
    };

    /// 128 bits in the same regime: 270 queries give 112.1; the wide rounds are ground too.
    pub const HIGH: Parameters = Parameters {
        blowup_log2: 1,
        queries: 270,
        query_grinding_bits: 16,
        batch_grinding_bits: 10,
        logup_grinding_bits: 10,
    };
}

/// The hash and everything that follows from it.
pub trait Config: Clone + Debug {
    /// The transcript's sponge.
    type Challenger: FieldChallenger<F>
        + GrindingChallenger<Witness = F>
        + CanObserve<Commitment<Self>>
        + Clone;
    /// The Merkle trees over base-field matrices.
    type Mmcs: Mmcs<F, Commitment: PartialEq, MultiProof: Sync, Error: Sync>;
    /// The commitment scheme: FRI over those trees.
    type Pcs: UnivariateStarkPcs<Challenge, Self::Challenger, Domain = Domain>
        + Pcs<
            Challenge,
            Self::Challenger,
            Commitment = <Self::Mmcs as Mmcs<F>>::Commitment,
            ProverData = <Self::Mmcs as Mmcs<F>>::ProverData<RowMajorMatrix<F>>,
            Proof = FriProof<
                Challenge,
                ExtensionMmcs<F, Challenge, Self::Mmcs>,
                F,
                Vec<BatchMultiOpening<F, Self::Mmcs>>,
            >,
        >;

    /// The configuration with `parameters`.
    fn new(parameters: Parameters) -> Self;

    /// The commitment scheme with its parameters.
    fn pcs(&self) -> &Self::Pcs;

    /// The Merkle trees.
    fn mmcs(&self) -> &Self::Mmcs;

    /// FRI's parameters, over the same trees.
    fn fri(&self) -> FriParameters<ExtensionMmcs<F, Challenge, Self::Mmcs>> {
        fri(self.parameters(), ExtensionMmcs::new(self.mmcs().clone()))
    }

    /// A fresh sponge.
    fn challenger(&self) -> Self::Challenger;

    /// The parameters.
    fn parameters(&self) -> &Parameters;

    /// Which hash.
    const HASH: Hash;
}

/// FRI for `parameters`, over the trees of `mmcs`.
fn fri<M>(parameters: &Parameters, mmcs: M) -> FriParameters<M> {
    FriParameters {
        log_blowup: usize::from(parameters.blowup_log2),
        log_final_poly_len: 0,
        max_log_arity: FOLD_ARITY_LOG2_MAX,
        num_queries: usize::from(parameters.queries),
        batch_proof_of_work_bits: usize::from(parameters.batch_grinding_bits),
        commit_proof_of_work_bits: 0,
        query_proof_of_work_bits: usize::from(parameters.query_grinding_bits),
        mmcs,
    }
}

/// Logarithm of the most values that one FRI round folds into one.
pub const FOLD_ARITY_LOG2_MAX: usize = 3;

type ByteHash = Blake3;
type FieldHash = SerializingHasher<ByteHash>;
type ByteCompress = CompressionFunctionFromHasher<ByteHash, 2, 32>;
type ByteMmcs = MerkleTreeMmcs<F, u8, FieldHash, ByteCompress, 2, 32>;
type Blake3Challenger = SerializingChallenger32<F, HashChallenger<u8, ByteHash, 32>>;
type FriPcs<M> = TwoAdicFriPcs<F, Radix2DFTSmallBatch<F>, M, ExtensionMmcs<F, Challenge, M>>;

/// BLAKE3 for Merkle trees and transcript: the fastest on a processor.
#[derive(Clone)]
pub struct Blake3Config {
    pcs: FriPcs<ByteMmcs>,
    mmcs: ByteMmcs,
    parameters: Parameters,
}

impl Debug for Blake3Config {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Blake3Config")
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

impl Config for Blake3Config {
    type Challenger = Blake3Challenger;
    type Mmcs = ByteMmcs;
    type Pcs = FriPcs<ByteMmcs>;

    fn new(parameters: Parameters) -> Self {
        let mmcs = ByteMmcs::new(FieldHash::new(Blake3), ByteCompress::new(Blake3), 0);
        let fri = fri(&parameters, ExtensionMmcs::new(mmcs.clone()));
        let pcs = TwoAdicFriPcs::new(Radix2DFTSmallBatch::default(), mmcs.clone(), fri);
        Blake3Config {
            pcs,
            mmcs,
            parameters,
        }
    }

    fn pcs(&self) -> &Self::Pcs {
        &self.pcs
    }

    fn mmcs(&self) -> &Self::Mmcs {
        &self.mmcs
    }

    fn challenger(&self) -> Blake3Challenger {
        Blake3Challenger::from_hasher(Vec::new(), Blake3)
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    const HASH: Hash = Hash::Blake3;
}

type Permutation = Poseidon2KoalaBear<16>;
type WidePermutation = Poseidon2KoalaBear<24>;
type Sponge = PaddingFreeSponge<WidePermutation, 24, 16, 8>;
type FieldCompress = TruncatedPermutation<Permutation, 2, 8, 16>;
type FieldMmcs =
    MerkleTreeMmcs<<F as Field>::Packing, <F as Field>::Packing, Sponge, FieldCompress, 2, 8>;

/// Poseidon2 over the base field, with digests of 8 elements: dear on a processor, cheap inside
/// another proof.
///
/// The sponge pads nothing: it hashes rows, whose lengths the key fixes.
#[derive(Clone)]
pub struct Poseidon2Config {
    pcs: FriPcs<FieldMmcs>,
    mmcs: FieldMmcs,
    permutation: Permutation,
    parameters: Parameters,
}

impl Debug for Poseidon2Config {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Poseidon2Config")
            .field("parameters", &self.parameters)
            .finish_non_exhaustive()
    }
}

impl Config for Poseidon2Config {
    type Challenger = DuplexChallenger<F, Permutation, 16, 8>;
    type Mmcs = FieldMmcs;
    type Pcs = FriPcs<FieldMmcs>;

    fn new(parameters: Parameters) -> Self {
        let permutation = default_koalabear_poseidon2_16();
        let sponge = Sponge::new(default_koalabear_poseidon2_24());
        let mmcs = FieldMmcs::new(sponge, FieldCompress::new(permutation.clone()), 0);
        let fri = fri(&parameters, ExtensionMmcs::new(mmcs.clone()));
        let pcs = TwoAdicFriPcs::new(Radix2DFTSmallBatch::default(), mmcs.clone(), fri);
        Poseidon2Config {
            pcs,
            mmcs,
            permutation,
            parameters,
        }
    }

    fn pcs(&self) -> &Self::Pcs {
        &self.pcs
    }

    fn mmcs(&self) -> &Self::Mmcs {
        &self.mmcs
    }

    fn challenger(&self) -> Self::Challenger {
        DuplexChallenger::new(self.permutation.clone())
    }

    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    const HASH: Hash = Hash::Poseidon2;
}
