//! A chip as data: names, constraints, interactions, and their compiled form.

use alloc::collections::BTreeSet;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use crate::{Builder, Bus, Columns, Expr, Interaction, Scope, Tape};

/// The highest degree of a constraint, and of multiplicity plus message of an interaction plus 1:
/// what a quotient of two chunks at blow-up 2 can hold.
pub const MAX_DEGREE: u32 = 3;

/// A polynomial that is zero in every row, with its name.
#[derive(Clone, Debug)]
pub struct Constraint {
    /// Unique within the chip.
    pub name: String,
    /// The polynomial.
    pub expr: Expr,
}

/// A description that cannot be proved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DescriptionError {
    /// Two constraints or two interactions share a name.
    DuplicateName {
        /// The name.
        name: String,
    },
    /// A constraint's degree exceeds [`MAX_DEGREE`].
    ConstraintDegree {
        /// Name of the constraint.
        name: String,
        /// Its degree.
        degree: u32,
    },
    /// A chip of [`Round::Main`] speaks on a bus of [`Scope::Execution`], whose challenge is drawn
    /// before its columns are committed to.
    Round {
        /// Name of the interaction.
        name: String,
    },
    /// An interaction's message is not linear, or its multiplicity is of a degree above 2.
    InteractionDegree {
        /// Name of the interaction.
        name: String,
    },
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DescriptionError::DuplicateName { name } => write!(f, "the name {name} is used twice"),
            DescriptionError::ConstraintDegree { name, degree } => {
                write!(
                    f,
                    "constraint {name} has degree {degree}, the limit is {MAX_DEGREE}"
                )
            }
            DescriptionError::Round { name } => {
                write!(
                    f,
                    "interaction {name} is on a bus between segments, \
                     but the chip is committed to too late"
                )
            }
            DescriptionError::InteractionDegree { name } => {
                write!(
                    f,
                    "interaction {name} has a message or multiplicity of too high a degree"
                )
            }
        }
    }
}

impl core::error::Error for DescriptionError {}

/// When a chip's main columns are committed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Round {
    /// Before the challenge of the execution is drawn: the chip may speak on buses of
    /// [`Scope::Execution`].
    Boundary,
    /// After it.
    Main,
}

/// A chip, described.
#[derive(Clone, Debug)]
pub struct Description {
    /// The chip's name.
    pub name: String,
    /// When its main columns are committed to.
    pub round: Round,
    /// Number of public values its expressions name: one more than the greatest index.
    pub public: usize,
    /// Names of the main columns, in order.
    pub columns: Vec<String>,
    /// Names of the preprocessed columns, in order.
    pub preprocessed: Vec<String>,
    /// The constraints.
    pub constraints: Vec<Constraint>,
    /// The interactions.
    pub interactions: Vec<Interaction>,
    /// Computes every constraint, in order.
    pub constraint_tape: Tape,
    /// Computes, for every interaction in order, multiplicity and then each message element.
    pub interaction_tape: Tape,
}

impl Description {
    /// Describes the chip `name` with main columns `M` and preprocessed columns `P` by running
    /// `eval` on symbolic rows.
    ///
    /// # Errors
    /// [`DescriptionError`] if a degree is too high, a name is used twice, or a chip of
    /// [`Round::Main`] speaks on a bus of the whole execution.
    pub fn new<M: Columns<Expr>, P: Columns<Expr>>(
        name: &str,
        round: Round,
        eval: impl FnOnce(&mut Builder, &M, &P),
    ) -> Result<Self, DescriptionError> {
        let mut builder = Builder::default();
        let main = M::take(&mut (0..).map(Expr::main));
        let preprocessed = P::take(&mut (0..).map(Expr::preprocessed));
        eval(&mut builder, &main, &preprocessed);
        let Builder {
            constraints,
            interactions,
            ..
        } = builder;
        check_names(&constraints, &interactions)?;
        check_degrees(&constraints, &interactions)?;
        check_round(round, &interactions)?;
        let (mut columns, mut preprocessed) = (Vec::new(), Vec::new());
        M::names("", &mut columns);
        P::names("", &mut preprocessed);
        let constraint_tape = Tape::new(constraints.iter().map(|constraint| &constraint.expr));
        let interaction_tape = Tape::new(interactions.iter().flat_map(|interaction| {
            core::iter::once(&interaction.multiplicity).chain(&interaction.values)
        }));
        let public = constraint_tape.public().max(interaction_tape.public());
        Ok(Description {
            name: name.to_string(),
            round,
            public,
            columns,
            preprocessed,
            constraints,
            interactions,
            constraint_tape,
            interaction_tape,
        })
    }
}

impl Description {
    /// Computes multiplicity and message of the interactions on buses that `keep` keeps, in order.
    pub fn interaction_tape_of(&self, keep: impl Fn(Bus) -> bool) -> Tape {
        let kept = self.interactions.iter().filter(|kept| keep(kept.bus));
        Tape::new(kept.flat_map(|interaction| {
            core::iter::once(&interaction.multiplicity).chain(&interaction.values)
        }))
    }
}

fn check_round(round: Round, interactions: &[Interaction]) -> Result<(), DescriptionError> {
    let too_late = interactions
        .iter()
        .find(|interaction| round == Round::Main && interaction.bus.scope() == Scope::Execution);
    match too_late {
        Some(interaction) => Err(DescriptionError::Round {
            name: interaction.name.clone(),
        }),
        None => Ok(()),
    }
}

fn check_names(
    constraints: &[Constraint],
    interactions: &[Interaction],
) -> Result<(), DescriptionError> {
    let mut seen = BTreeSet::new();
    let names = constraints.iter().map(|constraint| &constraint.name);
    for name in names.chain(interactions.iter().map(|interaction| &interaction.name)) {
        if !seen.insert(name) {
            return Err(DescriptionError::DuplicateName { name: name.clone() });
        }
    }
    Ok(())
}

fn check_degrees(
    constraints: &[Constraint],
    interactions: &[Interaction],
) -> Result<(), DescriptionError> {
    for constraint in constraints {
        let degree = constraint.expr.degree();
        if degree > MAX_DEGREE {
            let name = constraint.name.clone();
            return Err(DescriptionError::ConstraintDegree { name, degree });
        }
    }
    for interaction in interactions {
        // In a pair, one side's multiplicity meets the other's message.
        let linear = interaction.values.iter().all(|value| value.degree() <= 1);
        if !linear || interaction.multiplicity.degree() + 1 > MAX_DEGREE {
            let name = interaction.name.clone();
            return Err(DescriptionError::InteractionDegree { name });
        }
    }
    Ok(())
}
