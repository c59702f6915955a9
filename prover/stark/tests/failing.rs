//! A commitment scheme that fails: FRI's own never does, and panics at what it cannot commit to.

use p3_commit::{CommitmentOpening, OpenedValues, OpeningRequest, Pcs, UnivariateStarkPcs};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::{Bus, Description, Expr, F, Round, columns};
use zkvm_stark::{ProveError, ProvingKey, Setup, commit_boundary, setup};
use zkvm_verifier::{Blake3Config, Challenge, Config, Domain, Hash, KeyError, Parameters};

type Challenger = <Blake3Config as Config>::Challenger;
type Fri = <Blake3Config as Config>::Pcs;
type Committed<P> = (
    <P as Pcs<Challenge, Challenger>>::Commitment,
    <P as Pcs<Challenge, Challenger>>::ProverData,
);

/// Commits to matrices of up to so many rows, as `fri` does; of more it fails.
#[derive(Clone)]
struct Failing {
    fri: Fri,
    rows_max: usize,
}

/// What it says.
#[derive(Debug)]
struct TooTall;

impl Pcs<Challenge, Challenger> for Failing {
    type Domain = Domain;
    type Commitment = <Fri as Pcs<Challenge, Challenger>>::Commitment;
    type ProverData = <Fri as Pcs<Challenge, Challenger>>::ProverData;
    type Proof = <Fri as Pcs<Challenge, Challenger>>::Proof;
    type Error = <Fri as Pcs<Challenge, Challenger>>::Error;
    type ProverError = TooTall;

    fn natural_domain_for_degree(&self, degree: usize) -> Domain {
        Pcs::<Challenge, Challenger>::natural_domain_for_degree(&self.fri, degree)
    }

    fn commit(
        &self,
        evaluations: impl IntoIterator<Item = (Domain, RowMajorMatrix<F>)>,
    ) -> Result<Committed<Self>, TooTall> {
        let evaluations: Vec<_> = evaluations.into_iter().collect();
        if evaluations
            .iter()
            .any(|(_, rows)| rows.height() > self.rows_max)
        {
            return Err(TooTall);
        }
        Pcs::<Challenge, Challenger>::commit(&self.fri, evaluations).map_err(|_| TooTall)
    }

    fn open(
        &self,
        requests: Vec<OpeningRequest<'_, Self::ProverData, Challenge>>,
        challenger: &mut Challenger,
    ) -> Result<(OpenedValues<Challenge>, Self::Proof), TooTall> {
        self.fri.open(requests, challenger).map_err(|_| TooTall)
    }

    fn verify(
        &self,
        commitments: Vec<CommitmentOpening<Challenge, Self::Commitment, Domain>>,
        proof: &Self::Proof,
        challenger: &mut Challenger,
    ) -> Result<(), Self::Error> {
        self.fri.verify(commitments, proof, challenger)
    }
}

impl UnivariateStarkPcs<Challenge, Challenger> for Failing {
    type EvaluationsOnDomain<'a> =
        <Fri as UnivariateStarkPcs<Challenge, Challenger>>::EvaluationsOnDomain<'a>;

    const ZK: bool = false;

    fn log_max_trace_height(&self) -> usize {
        UnivariateStarkPcs::<Challenge, Challenger>::log_max_trace_height(&self.fri)
    }

    fn log_min_trace_height(&self) -> usize {
        UnivariateStarkPcs::<Challenge, Challenger>::log_min_trace_height(&self.fri)
    }

    fn get_quotient_ldes(
        &self,
        evaluations: impl IntoIterator<Item = (Domain, RowMajorMatrix<F>)>,
        chunks: usize,
    ) -> Result<Vec<RowMajorMatrix<F>>, TooTall> {
        let fri = &self.fri;
        UnivariateStarkPcs::<Challenge, Challenger>::get_quotient_ldes(fri, evaluations, chunks)
            .map_err(|_| TooTall)
    }

    fn commit_ldes(&self, ldes: Vec<RowMajorMatrix<F>>) -> Result<Committed<Self>, TooTall> {
        // They are twice as tall.
        if ldes.iter().any(|rows| rows.height() > 2 * self.rows_max) {
            return Err(TooTall);
        }
        UnivariateStarkPcs::<Challenge, Challenger>::commit_ldes(&self.fri, ldes)
            .map_err(|_| TooTall)
    }

    fn get_evaluations_on_domain<'a>(
        &self,
        data: &'a Self::ProverData,
        index: usize,
        domain: Domain,
    ) -> Self::EvaluationsOnDomain<'a> {
        let fri = &self.fri;
        UnivariateStarkPcs::<Challenge, Challenger>::get_evaluations_on_domain(
            fri, data, index, domain,
        )
    }
}

/// BLAKE3, but for the scheme.
#[derive(Clone)]
struct FailingConfig {
    blake3: Blake3Config,
    pcs: Failing,
}

impl std::fmt::Debug for FailingConfig {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FailingConfig").finish_non_exhaustive()
    }
}

impl FailingConfig {
    fn up_to(rows_max: usize) -> Self {
        let mut config = FailingConfig::new(Parameters::STANDARD);
        config.pcs.rows_max = rows_max;
        config
    }
}

impl Config for FailingConfig {
    type Challenger = Challenger;
    type Mmcs = <Blake3Config as Config>::Mmcs;
    type Pcs = Failing;

    fn new(parameters: Parameters) -> Self {
        let blake3 = Blake3Config::new(parameters);
        let pcs = Failing {
            fri: blake3.pcs().clone(),
            rows_max: usize::MAX,
        };
        FailingConfig { blake3, pcs }
    }

    fn pcs(&self) -> &Failing {
        &self.pcs
    }

    fn mmcs(&self) -> &Self::Mmcs {
        self.blake3.mmcs()
    }

    fn challenger(&self) -> Challenger {
        self.blake3.challenger()
    }

    fn parameters(&self) -> &Parameters {
        self.blake3.parameters()
    }

    const HASH: Hash = Hash::Blake3;
}

columns! {
    /// How often each number is looked up.
    struct Count {
        /// The count.
        count: [cell],
    }
}

columns! {
    /// A number.
    struct Number {
        /// The number.
        number: [cell],
    }
}

const ROWS: usize = 16;

fn key(config: &FailingConfig) -> Result<ProvingKey<FailingConfig>, KeyError> {
    let round = Round::Boundary;
    let numbers =
        Description::new::<Count<Expr>, Number<Expr>>("numbers", round, |builder, row, number| {
            let number = vec![number.number.clone()];
            builder.receive("number", Bus::Range16, &row.count, number);
        });
    let rows = (0..ROWS as u32).map(F::new).collect();
    let tables = vec![Setup {
        description: numbers.expect("it is well formed"),
        preprocessed: Some(RowMajorMatrix::new(rows, 1)),
    }];
    setup(config, tables)
}

#[test]
fn what_the_commitment_scheme_says_comes_back() {
    let (able, failing) = (FailingConfig::up_to(ROWS), FailingConfig::up_to(ROWS - 1));
    let reason = "TooTall".to_owned();
    let refused = KeyError::Commitment {
        reason: reason.clone(),
    };
    assert_eq!(key(&failing).err(), Some(refused));
    let key = key(&able).expect("it has a key");
    let traces = || vec![Some(RowMajorMatrix::new(vec![F::new(0); ROWS], 1))];
    assert!(commit_boundary(&able, &key, traces()).is_ok());
    let refused = commit_boundary(&failing, &key, traces()).err();
    assert_eq!(refused, Some(ProveError::Commitment { reason }));
}
