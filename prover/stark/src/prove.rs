//! The prover: commit to boundary and main traces, to LogUp columns, to quotients; open.

use p3_commit::{OpeningRequest, Pcs, PolynomialSpace, UnivariateStarkPcs};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use thiserror::Error;
use tracing::info_span;
use zkvm_air::{Description, F, Round};
use zkvm_verifier::logup::fractions;
use zkvm_verifier::{
    Challenge, Commitment, Config, Domain, HEIGHT_LOG2_MAX, HEIGHT_LOG2_MIN, Statement, TableKey,
    TableOpening, TablesProof, Transcript,
};

use crate::Trace;
use crate::backend::{Backend, LogupInputs, QuotientInputs};
use crate::extend::Extender;
use crate::key::ProvingKey;

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
    description: &'a Description,
    trace: Trace,
    preprocessed: Option<&'a RowMajorMatrix<F>>,
    domain: Domain,
}

/// Commits to the traces of the chips of [`Round::Boundary`]; `None` if none is there. [`prove`]
/// makes the same commitment again, so nothing else need be kept.
///
/// # Errors
/// [`ProveError`] if a trace does not fit its chip.
pub fn commit_boundary<C: Config>(
    config: &C,
    key: &ProvingKey<C>,
    traces: Vec<Option<Trace>>,
) -> Result<Option<Commitment<C>>, ProveError> {
    check_count(key, &traces)?;
    let extender = Extender::default();
    let mut extended = Vec::new();
    for (table, trace) in key.verifying.tables().iter().zip(traces) {
        if let Some(trace) = trace
            && table.description.round == Round::Boundary
        {
            check_shape(table, Some(&trace))?;
            let domain = config.pcs().natural_domain_for_degree(trace.height());
            let blowup_log2 = config.parameters().blowup_log2;
            extended.push(extender.extend(&domain, trace, blowup_log2));
        }
    }
    if extended.is_empty() {
        return Ok(None);
    }
    let (commitment, _) = commit::<C>(config.pcs(), extended)?;
    Ok(Some(commitment))
}

/// Proves that `traces` (one per chip of the key, absent chips `None`) satisfy the key and balance
/// with the statement's messages on the segment's buses.
///
/// Traces that do not satisfy their constraints give a proof that does not verify;
/// [`zkvm_air::check`] says what is wrong. Memory: about 20 bytes per main cell.
///
/// # Errors
/// [`ProveError`] if a trace does not fit its chip.
pub fn prove<C: Config>(
    config: &C,
    backend: &impl Backend,
    key: &ProvingKey<C>,
    statement: &Statement<'_>,
    traces: Vec<Option<Trace>>,
) -> Result<TablesProof<C>, ProveError> {
    let pcs = config.pcs();
    let (mut tables, heights_log2) = check_shapes(config, key, traces)?;
    let extender = Extender::default();
    let blowup_log2 = config.parameters().blowup_log2;
    let extend =
        |domain: &Domain, table: RowMajorMatrix<F>| extender.extend(domain, table, blowup_log2);
    let extended_of = |round: Round| -> Vec<_> {
        let of_round = tables
            .iter()
            .filter(|table| table.description.round == round);
        of_round
            .map(|table| extender.extend_kept(&table.domain, &table.trace, blowup_log2))
            .collect()
    };
    let span = info_span!("commit_main").entered();
    let extended = extended_of(Round::Boundary);
    let (boundary, boundary_data) = if extended.is_empty() {
        (None, None)
    } else {
        Some(commit::<C>(pcs, extended)?).unzip()
    };
    let mut transcript = Transcript::begin(
        config,
        &key.verifying,
        statement,
        &heights_log2,
        boundary.as_ref(),
    );
    let (main, main_data) = commit::<C>(pcs, extended_of(Round::Main))?;
    drop(span);
    let logup_grinding = transcript.grind_logup(&main, config.parameters().logup_grinding_bits);
    let challenges = [transcript.logup_challenges(), statement.shared.challenges];

    let span = info_span!("logup").entered();
    let mut sums = Vec::with_capacity(tables.len());
    let mut matrices = Vec::with_capacity(2 * tables.len());
    for table in &mut tables {
        let columns = backend.logup(&LogupInputs {
            description: table.description,
            main: &table.trace,
            preprocessed: table.preprocessed,
            public: statement.public,
            challenges: &challenges,
        });
        let columns = columns.ok_or_else(|| ProveError::Fingerprint {
            chip: table.description.name.clone(),
        })?;
        sums.push(columns.sums);
        // From here on only what was committed to is needed.
        table.trace.values = Vec::new();
        let both = columns.fractions.into_iter().chain([columns.running]);
        matrices.extend(both.map(|matrix| (table.domain, matrix)));
    }
    drop(span);
    let span = info_span!("commit_logup").entered();
    let extended = matrices
        .into_iter()
        .map(|(domain, columns)| extend(&domain, columns))
        .collect();
    let (logup, logup_data) = commit::<C>(pcs, extended)?;
    drop(span);
    let sums_of =
        |scope: usize| -> Vec<Challenge> { sums.iter().filter_map(|sums| sums[scope]).collect() };
    let (segment_sums, sums_between) = (sums_of(0), sums_of(1));
    let alpha = transcript.constraint_challenge(&logup, [&segment_sums, &sums_between]);

    let span = info_span!("quotient").entered();
    let mut chunks = Vec::with_capacity(2 * tables.len());
    let (mut preprocessed_seen, mut main_seen, mut boundary_seen) = (0, 0, 0);
    let mut logup_seen = 0;
    let take = |seen: &mut usize| std::mem::replace(seen, *seen + 1);
    for (index, table) in tables.iter().enumerate() {
        let domain = table.domain.create_disjoint_domain(2 * table.domain.size());
        let on = |data, matrix| pcs.get_evaluations_on_domain(data, matrix, domain);
        let preprocessed = table
            .preprocessed
            .map(|_| on(&key.data, take(&mut preprocessed_seen)));
        let main = match (table.description.round, &boundary_data) {
            (Round::Boundary, Some(data)) => on(data, take(&mut boundary_seen)),
            (Round::Boundary, None) | (Round::Main, _) => on(&main_data, take(&mut main_seen)),
        };
        let fractions =
            (fractions(table.description) > 0).then(|| on(&logup_data, take(&mut logup_seen)));
        let values = backend.quotient(&QuotientInputs {
            description: table.description,
            domain: table.domain,
            main: &main,
            preprocessed: preprocessed.as_ref(),
            fractions: fractions.as_ref(),
            running: &on(&logup_data, take(&mut logup_seen)),
            public: statement.public,
            sums: sums[index],
            challenges: &challenges,
            alpha,
        });
        let parts = domain.split_domains(2).into_iter();
        chunks.extend(parts.zip(domain.split_evals(2, values)));
    }
    drop(span);
    let span = info_span!("commit_quotient").entered();
    let extended: Vec<_> = chunks
        .into_iter()
        .map(|(domain, chunk)| extend(&domain, chunk))
        .collect();
    let extended = extended.chunks(2).map(side_by_side).collect();
    let (quotient, quotient_data) = commit::<C>(pcs, extended)?;
    drop(span);
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
            let fractions = (fractions(table.description) > 0).then(|| vec![zeta]);
            fractions.into_iter().chain([vec![zeta, next]])
        })
        .collect();
    let mut requests = vec![request(&key.data, at_zeta(preprocessed_seen))];
    if let Some(data) = &boundary_data {
        requests.push(request(data, at_zeta(boundary_seen)));
    }
    requests.extend([
        request(&main_data, at_zeta(main_seen)),
        request(&logup_data, logup_points),
        request(&quotient_data, at_zeta(tables.len())),
    ]);
    let span = info_span!("open").entered();
    let (mut values, proof) = backend
        .open(config, requests, transcript.challenger())
        .map_err(|reason| ProveError::Commitment { reason })?;
    drop(span);
    if boundary_data.is_none() {
        values.insert(1, Vec::new());
    }
    Ok(TablesProof {
        heights_log2,
        boundary,
        main,
        logup,
        quotient,
        logup_grinding,
        sums: segment_sums,
        sums_between,
        openings: collect_openings(&tables, values),
        pcs: proof,
    })
}

/// The chunks of one quotient as one matrix: they are codewords on one domain.
fn side_by_side(chunks: &[RowMajorMatrix<F>]) -> RowMajorMatrix<F> {
    let width = chunks.iter().map(|chunk| chunk.width).sum();
    let height = chunks.first().map_or(0, Matrix::height);
    let mut values = Vec::with_capacity(height * width);
    let mut rows: Vec<_> = chunks
        .iter()
        .map(|chunk| chunk.values.chunks(chunk.width))
        .collect();
    for _ in 0..height {
        for rows in &mut rows {
            values.extend_from_slice(rows.next().unwrap_or_default());
        }
    }
    RowMajorMatrix::new(values, width)
}

type ProverData<C> = <<C as Config>::Pcs as Pcs<Challenge, <C as Config>::Challenger>>::ProverData;

/// Commits to extended tables.
fn commit<C: Config>(
    pcs: &C::Pcs,
    extended: Vec<RowMajorMatrix<F>>,
) -> Result<(zkvm_verifier::Commitment<C>, ProverData<C>), ProveError> {
    pcs.commit_ldes(extended).map_err(|error| failed(&error))
}

fn failed(error: &impl std::fmt::Debug) -> ProveError {
    ProveError::Commitment {
        reason: format!("{error:?}"),
    }
}

fn check_count<C: Config>(key: &ProvingKey<C>, traces: &[Option<Trace>]) -> Result<(), ProveError> {
    let (expected, got) = (key.verifying.tables().len(), traces.len());
    if expected == got {
        Ok(())
    } else {
        Err(ProveError::Count { expected, got })
    }
}

/// Checks that a trace, or its absence, fits the chip.
fn check_shape(table: &TableKey, trace: Option<&Trace>) -> Result<(), ProveError> {
    let (height, width) = trace.map_or((0, 0), |t| (t.height(), t.width()));
    let fixed = table
        .preprocessed_height_log2
        .map(|height_log2| 1_usize << height_log2);
    let heights = 1 << HEIGHT_LOG2_MIN..=1 << HEIGHT_LOG2_MAX;
    let fits = match fixed {
        Some(fixed) => height == fixed,
        None => trace.is_none() || height.is_power_of_two() && heights.contains(&height),
    };
    if fits && (trace.is_none() || width == table.description.columns.len()) {
        return Ok(());
    }
    let chip = table.description.name.clone();
    Err(ProveError::Shape {
        chip,
        height,
        width,
    })
}

fn check_shapes<'a, C: Config>(
    config: &C,
    key: &'a ProvingKey<C>,
    traces: Vec<Option<Trace>>,
) -> Result<(Vec<Present<'a>>, Vec<Option<u8>>), ProveError> {
    check_count(key, &traces)?;
    let mut tables = Vec::new();
    let mut heights_log2 = Vec::new();
    let keys = key.verifying.tables().iter().zip(&key.preprocessed);
    for ((table, preprocessed), trace) in keys.zip(traces) {
        check_shape(table, trace.as_ref())?;
        heights_log2.push(trace.as_ref().map(|trace| trace.height().ilog2() as u8));
        if let Some(trace) = trace {
            tables.push(Present {
                description: &table.description,
                domain: config.pcs().natural_domain_for_degree(trace.height()),
                preprocessed: preprocessed.as_ref(),
                trace,
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
    let mut round = || rounds.next().expect("there are five commitments");
    let (mut preprocessed, mut boundary, mut main) = (round(), round(), round());
    let (mut logup, mut quotient) = (round(), round());
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
            let main = match table.description.round {
                Round::Boundary => first(take(&mut boundary)),
                Round::Main => first(take(&mut main)),
            };
            let fractions = if fractions(table.description) > 0 {
                first(take(&mut logup))
            } else {
                Vec::new()
            };
            let mut running = take(&mut logup);
            TableOpening {
                main,
                preprocessed,
                fractions,
                running: running.next().expect("opened at zeta"),
                running_next: running.next().expect("opened at the next point"),
                quotient: first(take(&mut quotient)),
            }
        })
        .collect()
}
