//! The verifier.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use p3_commit::{CommitmentOpening, MatrixOpening, Pcs, PointOpening, PolynomialSpace};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing};
use thiserror::Error;
use zkvm_air::F;

use crate::key::{HEIGHT_LOG2_MAX, HEIGHT_LOG2_MIN, TableKey};
use crate::logup::{Challenges, DIMENSION, for_each_pair, pairs};
use crate::{
    Challenge, Config, Domain, PublicMessage, TableOpening, TablesProof, Transcript, VerifyingKey,
};

/// Why a proof is rejected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum VerifyError {
    /// The proof speaks of another number of chips than the key.
    #[error("the proof has {got} {what}, the key asks for {expected}")]
    Count {
        /// What was counted.
        what: &'static str,
        /// As the key has it.
        expected: usize,
        /// As the proof has it.
        got: usize,
    },
    /// A height is not allowed.
    #[error("chip {chip}: height {got:?} is not allowed")]
    Height {
        /// The chip.
        chip: String,
        /// The logarithm in the proof, or nothing where the chip must be present.
        got: Option<u8>,
    },
    /// The messages of all chips together could wrap around the field.
    #[error("the tables have {rows} interactions in all, more than the field can count")]
    TooManyInteractions {
        /// Rows times interactions.
        rows: u64,
    },
    /// An opening has a wrong number of values.
    #[error("chip {chip}: {what} has {got} values, the key asks for {expected}")]
    Width {
        /// The chip.
        chip: String,
        /// Which part.
        what: &'static str,
        /// As the key has it.
        expected: usize,
        /// As the proof has it.
        got: usize,
    },
    /// The grinding before the LogUp challenges is wrong.
    #[error("the grinding witness is wrong")]
    Grinding,
    /// The out-of-domain point fell into a domain; happens to nobody honest.
    #[error("the out-of-domain point lies in a domain")]
    PointInDomain,
    /// The openings do not belong to the commitments.
    #[error("the openings are not proved: {reason}")]
    Opening {
        /// What the commitment scheme said.
        reason: String,
    },
    /// Constraints and quotient do not agree.
    #[error("chip {chip}: the constraints do not hold")]
    Constraints {
        /// The chip.
        chip: String,
    },
    /// What is sent is not what is received.
    #[error("the buses do not balance")]
    Balance,
    /// A public message hits a fingerprint of zero; happens to nobody honest.
    #[error("a public message has fingerprint zero")]
    Fingerprint,
}

/// A chip that is present, with its place in the proof.
struct Present<'a> {
    table: &'a TableKey,
    domain: Domain,
    sum: Challenge,
    opening: &'a TableOpening,
}

/// Verifies that tables as `proof` describes them satisfy `key` and balance with `public`.
///
/// `context` is whatever else the proof must be bound to; it is absorbed, not interpreted.
///
/// # Errors
/// [`VerifyError`] says what does not fit. Panics: never.
pub fn verify<C: Config>(
    config: &C,
    key: &VerifyingKey<C>,
    context: &[F],
    public: &[PublicMessage],
    proof: &TablesProof<C>,
) -> Result<(), VerifyError> {
    let tables = check_shape(config, key, public, proof)?;
    let mut transcript = Transcript::begin(config, key, context, public, &proof.heights_log2);
    let bits = config.parameters().logup_grinding_bits;
    // Without grinding the witness is not absorbed: it must not be a free field of the proof.
    let is_free = bits == 0 && !proof.logup_grinding.is_zero();
    if is_free || !transcript.check_logup(&proof.main, bits, proof.logup_grinding) {
        return Err(VerifyError::Grinding);
    }
    let challenges = transcript.logup_challenges();
    let alpha = transcript.constraint_challenge(&proof.logup, &proof.sums);
    let zeta = transcript.out_of_domain_point(&proof.quotient);
    check_balance(public, &challenges, &proof.sums)?;
    for table in &tables {
        check_constraints(table, &challenges, alpha, zeta)?;
    }
    check_openings(config, key, proof, &tables, zeta, &mut transcript)
}

/// Checks every count and length in the proof against the key.
fn check_shape<'a, C: Config>(
    config: &C,
    key: &'a VerifyingKey<C>,
    public: &[PublicMessage],
    proof: &'a TablesProof<C>,
) -> Result<Vec<Present<'a>>, VerifyError> {
    check_count("heights", key.tables.len(), proof.heights_log2.len())?;
    let present = proof.heights_log2.iter().flatten().count();
    check_count("sums", present, proof.sums.len())?;
    check_count("openings", present, proof.openings.len())?;
    let mut openings = proof.openings.iter().zip(&proof.sums);
    let mut tables = Vec::with_capacity(present);
    let mut interactions = public.len() as u64;
    for (table, height_log2) in key.tables.iter().zip(&proof.heights_log2) {
        let wrong = || VerifyError::Height {
            chip: table.description.name.clone(),
            got: *height_log2,
        };
        if table.preprocessed_height_log2.is_some()
            && *height_log2 != table.preprocessed_height_log2
        {
            return Err(wrong());
        }
        let Some(height_log2) = *height_log2 else {
            continue;
        };
        if !(HEIGHT_LOG2_MIN..=HEIGHT_LOG2_MAX).contains(&height_log2) {
            return Err(wrong());
        }
        let Some((opening, sum)) = openings.next() else {
            return Err(wrong());
        };
        check_opening_widths(table, opening)?;
        let rows = 1_u64 << height_log2;
        interactions += rows * table.description.interactions.len() as u64;
        let domain = config.pcs().natural_domain_for_degree(1 << height_log2);
        tables.push(Present {
            table,
            domain,
            sum: *sum,
            opening,
        });
    }
    // Multiplicities are at most 1 in size except in look-up tables, whose own counts are free;
    // the number of messages on one bus must not reach the characteristic.
    if interactions >= 1 << 30 {
        return Err(VerifyError::TooManyInteractions { rows: interactions });
    }
    Ok(tables)
}

fn check_count(what: &'static str, expected: usize, got: usize) -> Result<(), VerifyError> {
    if expected == got {
        Ok(())
    } else {
        Err(VerifyError::Count {
            what,
            expected,
            got,
        })
    }
}

fn check_opening_widths(table: &TableKey, opening: &TableOpening) -> Result<(), VerifyError> {
    let description = &table.description;
    let parts = [
        ("main", description.columns.len(), opening.main.len()),
        (
            "preprocessed",
            description.preprocessed.len(),
            opening.preprocessed.len(),
        ),
        (
            "fractions",
            DIMENSION * pairs(description),
            opening.fractions.len(),
        ),
        ("running", DIMENSION, opening.running.len()),
        ("running_next", DIMENSION, opening.running_next.len()),
        ("quotient", DIMENSION, opening.quotient[0].len()),
        ("quotient", DIMENSION, opening.quotient[1].len()),
    ];
    for (what, expected, got) in parts {
        if expected != got {
            let chip = description.name.clone();
            return Err(VerifyError::Width {
                chip,
                what,
                expected,
                got,
            });
        }
    }
    Ok(())
}

/// Checks that the chips' sums and the public messages add up to zero.
fn check_balance(
    public: &[PublicMessage],
    challenges: &Challenges,
    sums: &[Challenge],
) -> Result<(), VerifyError> {
    let mut total: Challenge = sums.iter().copied().sum();
    for message in public {
        if message.values.len() != message.bus.width() {
            let (expected, got) = (message.bus.width(), message.values.len());
            return Err(VerifyError::Count {
                what: "values of a public message",
                expected,
                got,
            });
        }
        let fingerprint = challenges.fingerprint(message.bus, &message.values);
        let inverse = fingerprint.try_inverse().ok_or(VerifyError::Fingerprint)?;
        total += inverse * message.multiplicity;
    }
    if total.is_zero() {
        Ok(())
    } else {
        Err(VerifyError::Balance)
    }
}

/// Checks at `zeta` that the combined constraints are the vanishing polynomial times the quotient.
fn check_constraints(
    table: &Present<'_>,
    challenges: &Challenges,
    alpha: Challenge,
    zeta: Challenge,
) -> Result<(), VerifyError> {
    let Present {
        table: key,
        domain,
        sum,
        opening,
    } = table;
    let description = &key.description;
    let vanishing = domain.vanishing_poly_at_point(zeta);
    if vanishing.is_zero() {
        return Err(VerifyError::PointInDomain);
    }
    let mut combined = Challenge::ZERO;
    let mut add = |constraint: Challenge| combined = combined * alpha + constraint;
    let mut registers = Vec::new();
    description.constraint_tape.run(
        &opening.main,
        &opening.preprocessed,
        &mut registers,
        &mut add,
    );
    let mut values = Vec::with_capacity(description.interaction_tape.outputs);
    let push = |value: Challenge| values.push(value);
    description
        .interaction_tape
        .run(&opening.main, &opening.preprocessed, &mut registers, push);
    let fractions: Vec<Challenge> = opening.fractions.chunks(DIMENSION).map(join).collect();
    let mut rest = fractions.iter();
    for_each_pair(description, challenges, &values, |(m_a, a), second| {
        // The widths were checked: there is a fraction for every pair.
        let fraction = rest.next().copied().unwrap_or(Challenge::ZERO);
        add(match second {
            Some((m_b, b)) => fraction * a * b - m_a * b - m_b * a,
            None => fraction * a - m_a,
        });
    });
    let height = F::from_u64(domain.size() as u64);
    let step = fractions.iter().copied().sum::<Challenge>() - *sum * height.inverse();
    add(join(&opening.running_next) - join(&opening.running) - step);

    let quotient_domain = quotient_domain(domain);
    let quotient = join_quotient(&quotient_domain.split_domains(2), &opening.quotient, zeta)
        .ok_or(VerifyError::PointInDomain)?;
    if combined != quotient * vanishing {
        return Err(VerifyError::Constraints {
            chip: description.name.clone(),
        });
    }
    Ok(())
}

/// The domain of twice the size, disjoint from the trace's, on which quotients are evaluated.
fn quotient_domain(domain: &Domain) -> Domain {
    // Heights were checked: twice the size is within the field's two-adicity.
    domain.create_disjoint_domain(2 * domain.size())
}

/// The value of a challenge-field column from the values of its base-field columns.
fn join(columns: &[Challenge]) -> Challenge {
    columns
        .iter()
        .enumerate()
        .filter_map(|(index, value)| {
            let basis = <Challenge as BasedVectorSpace<F>>::ith_basis_element(index)?;
            Some(basis * *value)
        })
        .sum()
}

/// The value of the quotient at `zeta` from its chunks on `domains`.
fn join_quotient(
    domains: &[Domain],
    chunks: &[Vec<Challenge>; 2],
    zeta: Challenge,
) -> Option<Challenge> {
    let mut total = Challenge::ZERO;
    for (index, chunk) in chunks.iter().enumerate() {
        let mut weight = Challenge::ONE;
        for (other_index, other) in domains.iter().enumerate() {
            if other_index != index {
                let own = Challenge::from(domains.get(index)?.first_point());
                let scale = other.vanishing_poly_at_point(own).try_inverse()?;
                weight *= other.vanishing_poly_at_point(zeta) * scale;
            }
        }
        total += weight * join(chunk);
    }
    Some(total)
}

/// Has the commitment scheme check that the openings belong to the commitments.
fn check_openings<C: Config>(
    config: &C,
    key: &VerifyingKey<C>,
    proof: &TablesProof<C>,
    tables: &[Present<'_>],
    zeta: Challenge,
    transcript: &mut Transcript<C>,
) -> Result<(), VerifyError> {
    let at = |domain: Domain, points: Vec<(Challenge, &Vec<Challenge>)>| MatrixOpening {
        domain,
        points: points
            .into_iter()
            .map(|(point, values)| PointOpening {
                point,
                values: values.clone(),
            })
            .collect(),
    };
    let mut preprocessed = Vec::new();
    let mut main = Vec::new();
    let mut logup = Vec::new();
    let mut quotient = Vec::new();
    for Present {
        table,
        domain,
        opening,
        ..
    } in tables
    {
        if table.preprocessed_height_log2.is_some() {
            preprocessed.push(at(*domain, vec![(zeta, &opening.preprocessed)]));
        }
        main.push(at(*domain, vec![(zeta, &opening.main)]));
        let next = domain.next_point(zeta).ok_or(VerifyError::PointInDomain)?;
        logup.push(at(*domain, vec![(zeta, &opening.fractions)]));
        logup.push(at(
            *domain,
            vec![(zeta, &opening.running), (next, &opening.running_next)],
        ));
        for (chunk, values) in quotient_domain(domain)
            .split_domains(2)
            .iter()
            .zip(&opening.quotient)
        {
            quotient.push(at(*chunk, vec![(zeta, values)]));
        }
    }
    let rounds = [
        (key.preprocessed.clone(), preprocessed),
        (proof.main.clone(), main),
        (proof.logup.clone(), logup),
        (proof.quotient.clone(), quotient),
    ]
    .map(|(commitment, matrices)| CommitmentOpening {
        commitment,
        matrices,
    });
    config
        .pcs()
        .verify(rounds.into(), &proof.pcs, transcript.challenger())
        .map_err(|error| VerifyError::Opening {
            reason: alloc::format!("{error:?}").to_string(),
        })
}
