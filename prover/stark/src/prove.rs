//! The prover: commit to traces, to LogUp columns, to quotients; open.

use p3_commit::{OpeningRequest, Pcs, PolynomialSpace, UnivariateStarkPcs};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use thiserror::Error;
use zkvm_air::F;
use zkvm_verifier::{
    Challenge, Config, Domain, HEIGHT_LOG2_MAX, PublicMessage, TableOpening, TablesProof,
    Transcript,
};

use crate::Trace;
use crate::key::ProvingKey;
use crate::logup::{LogupTrace, logup_trace};
use crate::quotient::{QuotientInputs, quotient_values};

/// Why no proof could be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ProveError {
    /// There is not one (present or absent) trace per chip.
    #[error("{got} traces were given for {expected} chips")]
    Count {
        /// Chips of the key.
        expected: usize,
        /// Traces given.
        got: usize,
    },
    /// A trace does not fit its chip.
    #[error("chip {chip}: a trace of {height} rows and {width} columns does not fit")]
    Shape {
        /// The chip.
        chip: String,
        /// Rows of the trace; 0 if a chip that must be present is absent.
        height: usize,
        /// Columns of the trace.
        width: usize,
    },
    /// A fingerprint was zero; happens with probability below 2^-100.
    #[error("chip {chip}: a LogUp fingerprint is zero")]
    Fingerprint {
        /// The chip.
        chip: String,
    },
    /// The commitment scheme failed.
    #[error("the commitment scheme failed: {reason}")]
    Commitment {
        /// What it said.
        reason: String,
    },
}

/// A chip that takes part, with its trace.
struct Present<'a> {
    /// Its place in the key.
    index: usize,
    trace: Trace,
    preprocessed: Option<&'a RowMajorMatrix<F>>,
    domain: Domain,
}

/// Proves that `traces` (one per chip of the key, absent chips `None`) satisfy the key and balance
/// with `public`.
///
/// `context` is bound to the proof and given to the verifier again. Traces that do not satisfy
/// their constraints give a proof that does not verify; [`zkvm_air::check`] says what is wrong.
/// Memory: about 20 bytes per main cell.
///
/// # Errors
/// [`ProveError`] if a trace does not fit its chip.
pub fn prove<C: Config>(
    config: &C,
    key: &ProvingKey<C>,
    context: &[F],
    public: &[PublicMessage],
    traces: Vec<Option<Trace>>,
) -> Result<TablesProof<C>, ProveError> {
    let pcs = config.pcs();
    let (tables, heights_log2) = check_shapes(config, key, traces)?;
    let descriptions: Vec<_> = tables
        .iter()
        .map(|table| &key.verifying.tables()[table.index].description)
        .collect();
    let mut transcript = Transcript::begin(config, &key.verifying, context, public, &heights_log2);

    let (main, main_data) = commit::<C>(
        pcs,
        tables
            .iter()
            .map(|table| (table.domain, table.trace.clone())),
    )?;
    let logup_grinding = transcript.grind_logup(&main, config.parameters().logup_grinding_bits);
    let challenges = transcript.logup_challenges();

    let mut columns = Vec::with_capacity(tables.len());
    for (table, description) in tables.iter().zip(&descriptions) {
        let chip = || description.name.clone();
        let trace = logup_trace(description, &table.trace, table.preprocessed, &challenges);
        columns.push(trace.ok_or_else(|| ProveError::Fingerprint { chip: chip() })?);
    }
    let sums: Vec<Challenge> = columns.iter().map(|columns| columns.sum).collect();
    let matrices = tables.iter().zip(columns).flat_map(|(table, columns)| {
        let LogupTrace {
            fractions, running, ..
        } = columns;
        [(table.domain, fractions), (table.domain, running)]
    });
    let (logup, logup_data) = commit::<C>(pcs, matrices)?;
    let alpha = transcript.constraint_challenge(&logup, &sums);

    let mut chunks = Vec::with_capacity(2 * tables.len());
    let mut preprocessed_seen = 0;
    for (index, (table, description)) in tables.iter().zip(&descriptions).enumerate() {
        let domain = table.domain.create_disjoint_domain(2 * table.domain.size());
        let on = |data, matrix| pcs.get_evaluations_on_domain(data, matrix, domain);
        let preprocessed = table.preprocessed.map(|_| {
            preprocessed_seen += 1;
            on(&key.data, preprocessed_seen - 1)
        });
        let values = quotient_values(&QuotientInputs {
            description,
            domain: table.domain,
            main: &on(&main_data, index),
            preprocessed: preprocessed.as_ref(),
            fractions: &on(&logup_data, 2 * index),
            running: &on(&logup_data, 2 * index + 1),
            sum: sums[index],
            challenges: &challenges,
            alpha,
        });
        chunks.extend(
            domain
                .split_domains(2)
                .into_iter()
                .zip(domain.split_evals(2, values)),
        );
    }
    let ldes = pcs
        .get_quotient_ldes(chunks, 2)
        .map_err(|error| failed(&error))?;
    let (quotient, quotient_data) = pcs.commit_ldes(ldes).map_err(|error| failed(&error))?;
    let zeta = transcript.out_of_domain_point(&quotient);

    let request = |prover_data, points| OpeningRequest {
        prover_data,
        points,
    };
    let at_zeta = |count: usize| vec![vec![zeta]; count];
    let logup_points = tables
        .iter()
        .flat_map(|table| {
            let next = table.domain.next_point(zeta).unwrap_or(zeta);
            [vec![zeta], vec![zeta, next]]
        })
        .collect();
    let requests = vec![
        request(&key.data, at_zeta(preprocessed_seen)),
        request(&main_data, at_zeta(tables.len())),
        request(&logup_data, logup_points),
        request(&quotient_data, at_zeta(2 * tables.len())),
    ];
    let (values, proof) = pcs
        .open(requests, transcript.challenger())
        .map_err(|error| failed(&error))?;
    let openings = collect_openings(&tables, values);
    Ok(TablesProof {
        heights_log2,
        main,
        logup,
        quotient,
        logup_grinding,
        sums,
        openings,
        pcs: proof,
    })
}

type ProverData<C> = <<C as Config>::Pcs as Pcs<Challenge, <C as Config>::Challenger>>::ProverData;

fn commit<C: Config>(
    pcs: &C::Pcs,
    matrices: impl IntoIterator<Item = (Domain, RowMajorMatrix<F>)>,
) -> Result<(zkvm_verifier::Commitment<C>, ProverData<C>), ProveError> {
    pcs.commit(matrices).map_err(|error| failed(&error))
}

fn failed(error: &impl std::fmt::Debug) -> ProveError {
    ProveError::Commitment {
        reason: format!("{error:?}"),
    }
}

fn check_shapes<'a, C: Config>(
    config: &C,
    key: &'a ProvingKey<C>,
    traces: Vec<Option<Trace>>,
) -> Result<(Vec<Present<'a>>, Vec<Option<u8>>), ProveError> {
    let keys = key.verifying.tables();
    if keys.len() != traces.len() {
        return Err(ProveError::Count {
            expected: keys.len(),
            got: traces.len(),
        });
    }
    let mut tables = Vec::new();
    let mut heights_log2 = Vec::new();
    for (index, (table, trace)) in keys.iter().zip(traces).enumerate() {
        let (height, width) = trace.as_ref().map_or((0, 0), |t| (t.height(), t.width()));
        let fixed = table
            .preprocessed_height_log2
            .map(|height_log2| 1_usize << height_log2);
        let fits = match fixed {
            Some(fixed) => height == fixed,
            None => trace.is_none() || height.is_power_of_two() && height <= 1 << HEIGHT_LOG2_MAX,
        };
        if !fits || trace.is_some() && width != table.description.columns.len() {
            let chip = table.description.name.clone();
            return Err(ProveError::Shape {
                chip,
                height,
                width,
            });
        }
        heights_log2.push(trace.as_ref().map(|_| height.ilog2() as u8));
        if let Some(trace) = trace {
            let domain = config.pcs().natural_domain_for_degree(height);
            let preprocessed = key.preprocessed[index].as_ref();
            tables.push(Present {
                index,
                trace,
                preprocessed,
                domain,
            });
        }
    }
    Ok((tables, heights_log2))
}

/// Sorts the opened values, which come by commitment, into the chips'.
fn collect_openings(
    tables: &[Present<'_>],
    values: Vec<Vec<Vec<Vec<Challenge>>>>,
) -> Vec<TableOpening> {
    let mut rounds = values.into_iter().map(Vec::into_iter);
    let mut round = || rounds.next().expect("there are four commitments");
    let (mut preprocessed, mut main, mut logup, mut quotient) =
        (round(), round(), round(), round());
    let take = |round: &mut std::vec::IntoIter<Vec<Vec<Challenge>>>| {
        round.next().expect("every matrix was opened").into_iter()
    };
    let first = |mut points: std::vec::IntoIter<Vec<Challenge>>| {
        points.next().expect("every matrix was opened at zeta")
    };
    tables
        .iter()
        .map(|table| {
            let has_preprocessed = table.preprocessed.is_some();
            let preprocessed = if has_preprocessed {
                first(take(&mut preprocessed))
            } else {
                Vec::new()
            };
            let main = first(take(&mut main));
            let fractions = first(take(&mut logup));
            let mut running = take(&mut logup);
            TableOpening {
                main,
                preprocessed,
                fractions,
                running: running.next().expect("opened at zeta"),
                running_next: running.next().expect("opened at the next point"),
                quotient: [first(take(&mut quotient)), first(take(&mut quotient))],
            }
        })
        .collect()
}
