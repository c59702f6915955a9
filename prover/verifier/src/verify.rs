//! The verifier.

use alloc::string::{String, ToString};
use alloc::vec;
use alloc::vec::Vec;

use p3_commit::{CommitmentOpening, MatrixOpening, Pcs, PointOpening, PolynomialSpace};
use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing};
use thiserror::Error;
use zkvm_air::{F, Round, Row, Scope};

use crate::key::{HEIGHT_LOG2_MAX, HEIGHT_LOG2_MIN, TableKey};
use crate::logup::{
    Challenges, DIMENSION, SCOPES, for_each_pair, fractions, pairs_in, speaks_between,
};
use crate::{
    Challenge, Config, Domain, PublicMessage, Statement, TableOpening, TablesProof, Transcript,
    VerifyingKey,
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
    /// The boundary commitment is there and no boundary table is, or the reverse.
    #[error("the boundary commitment and the boundary tables do not go together")]
    Boundary,
    /// No table of the main round is present.
    #[error("no table of the main round is present")]
    NoMain,
    /// A public message is on a bus of another scope; the caller's mistake.
    #[error("a public message is on a bus of another scope")]
    Scope,
    /// A public message hits a fingerprint of zero; happens to nobody honest.
    #[error("a public message has fingerprint zero")]
    Fingerprint,
}

/// A chip that is present, with its place in the proof.
struct Present<'a> {
    table: &'a TableKey,
    domain: Domain,
    /// On the segment's buses and, if the chip speaks there, between segments.
    sums: [Option<Challenge>; 2],
    opening: &'a TableOpening,
}

/// Verifies that tables as `proof` describes them satisfy `key`, and balance with the statement's
/// messages on the segment's buses. Returns the sum of their fractions on the execution's buses:
/// over all proofs of the execution and its public messages ([`messages_sum`]) these must add up
/// to zero.
///
/// # Errors
/// [`VerifyError`] says what does not fit. Panics: never.
pub fn verify<C: Config>(
    config: &C,
    key: &VerifyingKey<C>,
    statement: &Statement<'_>,
    proof: &TablesProof<C>,
) -> Result<Challenge, VerifyError> {
    let tables = check_shape(config, key, statement, proof)?;
    let boundary = proof.boundary.as_ref();
    let mut transcript = Transcript::begin(config, key, statement, &proof.heights_log2, boundary);
    let bits = config.parameters().logup_grinding_bits;
    // Without grinding the witness is not absorbed: it must not be a free field of the proof.
    let is_free = bits == 0 && !proof.logup_grinding.is_zero();
    if is_free || !transcript.check_logup(&proof.main, bits, proof.logup_grinding) {
        return Err(VerifyError::Grinding);
    }
    let challenges = [transcript.logup_challenges(), statement.shared.challenges];
    let sums = [proof.sums.as_slice(), &proof.sums_between];
    let alpha = transcript.constraint_challenge(&proof.logup, sums);
    let zeta = transcript.out_of_domain_point(&proof.quotient);
    let public = messages_sum(Scope::Segment, statement.messages, &challenges[0])?;
    let total = proof.sums.iter().copied().sum::<Challenge>() + public;
    if !total.is_zero() {
        return Err(VerifyError::Balance);
    }
    for table in &tables {
        check_constraints(table, statement.public, &challenges, alpha, zeta)?;
    }
    check_openings(config, key, proof, &tables, zeta, &mut transcript)?;
    Ok(proof.sums_between.iter().copied().sum())
}

/// The sum of the fractions of public messages, all on buses of `scope`.
///
/// # Errors
/// [`VerifyError`] if a message is on another bus or too long, or if its fingerprint is zero.
pub fn messages_sum(
    scope: Scope,
    messages: &[PublicMessage],
    challenges: &Challenges,
) -> Result<Challenge, VerifyError> {
    let mut total = Challenge::ZERO;
    for message in messages {
        if message.bus.scope() != scope {
            return Err(VerifyError::Scope);
        }
        check_count(
            "values of a public message",
            message.bus.width(),
            message.values.len(),
        )?;
        let fingerprint = challenges.fingerprint(message.bus, &message.values);
        let inverse = fingerprint.try_inverse().ok_or(VerifyError::Fingerprint)?;
        total += inverse * message.multiplicity;
    }
    Ok(total)
}

/// Checks every count and length in the proof against the key.
fn check_shape<'a, C: Config>(
    config: &C,
    key: &'a VerifyingKey<C>,
    statement: &Statement<'_>,
    proof: &'a TablesProof<C>,
) -> Result<Vec<Present<'a>>, VerifyError> {
    check_count("public values", key.public(), statement.public.len())?;
    check_count("heights", key.tables.len(), proof.heights_log2.len())?;
    let present = proof.heights_log2.iter().flatten().count();
    check_count("sums", present, proof.sums.len())?;
    check_count("openings", present, proof.openings.len())?;
    let mut openings = proof.openings.iter().zip(&proof.sums);
    let mut tables = Vec::with_capacity(present);
    let mut between = proof.sums_between.iter();
    let mut interactions = statement.messages.len() as u64;
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
        let mut sums = [Some(*sum), None];
        if speaks_between(&table.description) {
            sums[1] = Some(*between.next().ok_or(VerifyError::Boundary)?);
        }
        let rows = 1_u64 << height_log2;
        interactions += rows * table.description.interactions.len() as u64;
        let domain = config.pcs().natural_domain_for_degree(1 << height_log2);
        tables.push(Present {
            table,
            domain,
            sums,
            opening,
        });
    }
    let of_round = |round: Round| {
        let is_of = |table: &&Present<'_>| table.table.description.round == round;
        tables.iter().any(|table| is_of(&table))
    };
    if between.next().is_some() || of_round(Round::Boundary) != proof.boundary.is_some() {
        return Err(VerifyError::Boundary);
    }
    if !of_round(Round::Main) {
        return Err(VerifyError::NoMain);
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
    let running = DIMENSION * (1 + usize::from(speaks_between(description)));
    let parts = [
        ("main", description.columns.len(), opening.main.len()),
        (
            "preprocessed",
            description.preprocessed.len(),
            opening.preprocessed.len(),
        ),
        (
            "fractions",
            DIMENSION * fractions(description),
            opening.fractions.len(),
        ),
        ("running", running, opening.running.len()),
        ("running_next", running, opening.running_next.len()),
        ("quotient", CHUNKS * DIMENSION, opening.quotient.len()),
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

/// Checks at `zeta` that the combined constraints are the vanishing polynomial times the quotient.
fn check_constraints(
    table: &Present<'_>,
    public: &[F],
    challenges: &[Challenges; 2],
    alpha: Challenge,
    zeta: Challenge,
) -> Result<(), VerifyError> {
    let Present {
        table: key,
        domain,
        sums,
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
    let row = Row {
        main: opening.main.as_slice(),
        preprocessed: &opening.preprocessed,
        public,
    };
    description
        .constraint_tape
        .run(row, &mut registers, &mut add);
    let mut values = Vec::with_capacity(description.interaction_tape.outputs);
    let push = |value: Challenge| values.push(value);
    description.interaction_tape.run(row, &mut registers, push);
    let height_inverse = F::from_u64(domain.size() as u64).inverse();
    // The widths were checked: there is a fraction for every pair but the last, and a running sum
    // for every sum.
    let mut fractions = opening.fractions.chunks(DIMENSION).map(join);
    let mut running = opening.running.chunks(DIMENSION).map(join);
    let mut running_next = opening.running_next.chunks(DIMENSION).map(join);
    let next =
        |columns: &mut dyn Iterator<Item = Challenge>| columns.next().unwrap_or(Challenge::ZERO);
    for ((scope, challenges), sum) in SCOPES.into_iter().zip(challenges).zip(sums) {
        let Some(sum) = *sum else { continue };
        // What the running sum grows by is the sum of all fractions, less an even share of `sum`.
        let step = next(&mut running_next) - next(&mut running);
        let mut rest = step + sum * height_inverse;
        let mut pairs_left = pairs_in(description, scope);
        for_each_pair(
            description,
            scope,
            challenges,
            &values,
            |(m_a, a), second| {
                pairs_left = pairs_left.saturating_sub(1);
                let fraction = if pairs_left > 0 {
                    next(&mut fractions)
                } else {
                    rest
                };
                rest -= fraction;
                add(match second {
                    Some((m_b, b)) => fraction * a * b - m_a * b - m_b * a,
                    None => fraction * a - m_a,
                });
            },
        );
    }

    let quotient_domain = quotient_domain(domain);
    let quotient = join_quotient(
        &quotient_domain.split_domains(CHUNKS),
        &opening.quotient,
        zeta,
    )
    .ok_or(VerifyError::PointInDomain)?;
    if combined != quotient * vanishing {
        return Err(VerifyError::Constraints {
            chip: description.name.clone(),
        });
    }
    Ok(())
}

/// Chunks of a quotient: constraints have degree 3, less the vanishing polynomial's 1.
const CHUNKS: usize = 2;

const _: () = assert!(CHUNKS as u32 + 1 == zkvm_air::MAX_DEGREE);

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
fn join_quotient(domains: &[Domain], chunks: &[Challenge], zeta: Challenge) -> Option<Challenge> {
    let mut total = Challenge::ZERO;
    for (index, chunk) in chunks.chunks(DIMENSION).enumerate() {
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
    let mut boundary = Vec::new();
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
        let round = match table.description.round {
            Round::Boundary => &mut boundary,
            Round::Main => &mut main,
        };
        round.push(at(*domain, vec![(zeta, &opening.main)]));
        let next = domain.next_point(zeta).ok_or(VerifyError::PointInDomain)?;
        if !opening.fractions.is_empty() {
            logup.push(at(*domain, vec![(zeta, &opening.fractions)]));
        }
        logup.push(at(
            *domain,
            vec![(zeta, &opening.running), (next, &opening.running_next)],
        ));
        quotient.push(at(*domain, vec![(zeta, &opening.quotient)]));
    }
    let rounds = [
        (Some(key.preprocessed.clone()), preprocessed),
        (proof.boundary.clone(), boundary),
        (Some(proof.main.clone()), main),
        (Some(proof.logup.clone()), logup),
        (Some(proof.quotient.clone()), quotient),
    ];
    let rounds = rounds
        .into_iter()
        .filter_map(|(commitment, matrices)| {
            Some(CommitmentOpening {
                commitment: commitment?,
                matrices,
            })
        })
        .collect();
    config
        .pcs()
        .verify(rounds, &proof.pcs, transcript.challenger())
        .map_err(|error| VerifyError::Opening {
            reason: alloc::format!("{error:?}").to_string(),
        })
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use p3_field::PrimeCharacteristicRing;
    use p3_field::coset::TwoAdicMultiplicativeCoset;
    use zkvm_air::{Bus, Description, Expr, F, Round, columns};

    use super::{CHUNKS, Present, VerifyError, check_constraints};
    use crate::logup::{Challenges, DIMENSION};
    use crate::{Challenge, TableKey, TableOpening};

    columns! {
        /// One cell.
        struct Cell {
            /// The cell.
            cell: [cell],
        }
    }

    /// Nobody can choose the point; a point that is in a domain must be refused all the same, as
    /// there the vanishing polynomial makes any quotient right.
    #[test]
    fn a_point_in_the_domain_is_refused() {
        let description = Description::new::<Cell<Expr>, ()>("cell", Round::Main, |b, row, _| {
            b.assert_zero("zero", row.cell.clone());
            b.send("sent", Bus::Range16, &row.cell, vec![row.cell.clone()]);
        });
        let table = TableKey {
            description: description.expect("it is well formed"),
            preprocessed_height_log2: None,
        };
        let opening = TableOpening {
            main: vec![Challenge::ZERO],
            preprocessed: Vec::new(),
            fractions: Vec::new(),
            running: vec![Challenge::ZERO; DIMENSION],
            running_next: vec![Challenge::ZERO; DIMENSION],
            quotient: vec![Challenge::ZERO; CHUNKS * DIMENSION],
        };
        let domain = TwoAdicMultiplicativeCoset::new(F::ONE, 2).expect("it is small");
        let present = Present {
            table: &table,
            domain,
            sums: [Some(Challenge::ZERO), None],
            opening: &opening,
        };
        let challenges = [Challenges::new(Challenge::ONE, Challenge::TWO); 2];
        let at = |zeta| check_constraints(&present, &[], &challenges, Challenge::TWO, zeta);
        for point in domain.iter() {
            assert_eq!(at(point.into()), Err(VerifyError::PointInDomain));
        }
        assert_eq!(at(Challenge::TWO), Ok(()));
    }
}
