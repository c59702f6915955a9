//! Terms, and their table.

use alloc::vec::Vec;
use core::fmt;

use crate::model::{Model, multiplicities};
use crate::parameters::check;
use crate::{Bits, Parameters, Shape, Unsupported};

/// How far a committed word may be from a codeword in the proof of soundness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Regime {
    /// Up to half the distance: a commitment stands for one codeword.
    UniqueDecoding,
    /// Up to the Johnson bound, less a margin: a commitment stands for a short list.
    ListDecoding {
        /// The multiplicity `m` of the interpolation: the margin is `sqrt(rho) / (2m)`.
        multiplicity: u16,
    },
}

impl fmt::Display for Regime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Regime::UniqueDecoding => f.write_str("unique decoding"),
            Regime::ListDecoding { multiplicity } => {
                write!(f, "list decoding at multiplicity {multiplicity}")
            }
        }
    }
}

/// Where a proof of a false statement could slip through.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// The LogUp challenges of a segment.
    LogUp,
    /// The LogUp challenges that all segments share.
    GlobalLogUp,
    /// The challenge that combines constraints (ALI).
    Constraints,
    /// The out-of-domain point (DEEP).
    OutOfDomain,
    /// The challenge that batches openings for FRI.
    Batching,
    /// A folding challenge of FRI's commit phase.
    Folding,
    /// FRI's queries.
    Queries,
    /// A collision of the hash.
    Collisions,
}

impl Source {
    /// Its name in tables and messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Source::LogUp => "LogUp",
            Source::GlobalLogUp => "global LogUp",
            Source::Constraints => "constraint composition",
            Source::OutOfDomain => "out-of-domain point",
            Source::Batching => "FRI batching",
            Source::Folding => "FRI folding",
            Source::Queries => "FRI queries",
            Source::Collisions => "hash collisions",
        }
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// One term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Term {
    /// What it bounds.
    pub source: Source,
    /// Bits without grinding.
    pub bits_before: Bits,
    /// Bits of grinding before this challenge.
    pub grinding_bits: u8,
}

impl Term {
    /// Bits with grinding.
    #[must_use]
    pub fn bits(&self) -> Bits {
        let grinding = Bits::whole(u32::from(self.grinding_bits));
        self.bits_before.plus(grinding)
    }
}

/// All terms in one regime. [`Display`](fmt::Display) prints them as a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    regime: Regime,
    terms: Vec<Term>,
    binding: Term,
}

impl Report {
    /// The report in the better regime. Each regime alone is a proof, so the better one counts; on a
    /// tie it is unique decoding.
    ///
    /// Cost: some thousand logarithms, one pass for each multiplicity; a caller to whom that matters
    /// takes [`Self::unique_decoding`].
    ///
    /// # Errors
    /// [`Unsupported`] names a number out of bounds. Panics: never.
    pub fn new(parameters: &Parameters, shape: &Shape) -> Result<Self, Unsupported> {
        let unique = Self::unique_decoding(parameters, shape)?;
        let list = Self::list_decoding(parameters, shape)?;
        Ok(match list {
            Some(list) if list.bits() > unique.bits() => list,
            Some(_) | None => unique,
        })
    }

    /// The report in the unique-decoding regime.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn unique_decoding(parameters: &Parameters, shape: &Shape) -> Result<Self, Unsupported> {
        check(parameters, shape)?;
        Ok(Self::in_regime(parameters, shape, Regime::UniqueDecoding))
    }

    /// The report in the list-decoding regime at the multiplicity that gives the most bits, if a
    /// shape has any: with a table of 4 rows there is none.
    ///
    /// # Errors
    /// As for [`Self::new`].
    pub fn list_decoding(
        parameters: &Parameters,
        shape: &Shape,
    ) -> Result<Option<Self>, Unsupported> {
        check(parameters, shape)?;
        Ok(multiplicities(shape)
            .map(|multiplicity| {
                Self::in_regime(parameters, shape, Regime::ListDecoding { multiplicity })
            })
            .max_by_key(Report::bits))
    }

    fn in_regime(parameters: &Parameters, shape: &Shape, regime: Regime) -> Self {
        let model = Model {
            parameters,
            shape,
            regime,
        };
        let term = |source, bits_before, grinding_bits| Term {
            source,
            bits_before,
            grinding_bits,
        };
        let collisions = term(
            Source::Collisions,
            Bits::whole(u32::from(parameters.collision_bits)),
            0,
        );
        let mut terms = Vec::with_capacity(8);
        terms.push(term(
            Source::LogUp,
            model.logup(),
            parameters.logup_grinding_bits,
        ));
        terms.extend(
            model
                .global_logup()
                .map(|bits| term(Source::GlobalLogUp, bits, parameters.global_grinding_bits)),
        );
        terms.extend([
            term(Source::Constraints, model.composition(), 0),
            term(Source::OutOfDomain, model.out_of_domain(), 0),
            term(
                Source::Batching,
                model.batching(),
                parameters.batch_grinding_bits,
            ),
            term(
                Source::Folding,
                model.folding(),
                parameters.commit_grinding_bits,
            ),
            term(
                Source::Queries,
                model.queries(),
                parameters.query_grinding_bits,
            ),
            collisions,
        ]);
        let binding = terms.iter().copied().min_by_key(Term::bits);
        Report {
            regime,
            binding: binding.unwrap_or(collisions),
            terms,
        }
    }

    /// The bits of the whole: the least of the terms.
    ///
    /// A prover that evaluates the hash `T` times proves a false statement with probability at most
    /// about `T / 2^bits`; see the crate's documentation for the assumption.
    #[must_use]
    pub fn bits(&self) -> Bits {
        self.binding.bits()
    }

    /// The term with the fewest bits, the first of them on a tie.
    #[must_use]
    pub fn binding(&self) -> Term {
        self.binding
    }

    /// The regime in which the terms hold.
    #[must_use]
    pub fn regime(&self) -> Regime {
        self.regime
    }

    /// The terms, in the order of the protocol; [`Source::GlobalLogUp`] only if there is one.
    #[must_use]
    pub fn terms(&self) -> &[Term] {
        &self.terms
    }

    /// The term of `source`.
    #[must_use]
    pub fn term(&self, source: Source) -> Option<Term> {
        self.terms
            .iter()
            .copied()
            .find(|term| term.source == source)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "term                      before  grinding    bits")?;
        for term in &self.terms {
            let Term {
                source,
                bits_before,
                grinding_bits,
            } = term;
            let bits = term.bits();
            writeln!(
                f,
                "{source:<24} {bits_before:>7}  {grinding_bits:>8} {bits:>7}"
            )?;
        }
        write!(
            f,
            "{} bits by {}, in {}",
            self.bits(),
            self.binding.source,
            self.regime
        )
    }
}
