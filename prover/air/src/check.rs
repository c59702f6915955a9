//! Checks traces against their descriptions and says everything that is wrong.

use alloc::collections::BTreeMap;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use p3_field::{Field, PrimeField32};

use crate::{Bus, Description, F, Row, Scope};

/// A chip's trace: rows of main cells and, if it has any, of preprocessed cells.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    /// The chip.
    pub description: &'a Description,
    /// `height × description.columns.len()` cells, row after row.
    pub main: &'a [F],
    /// `height × description.preprocessed.len()` cells, row after row.
    pub preprocessed: &'a [F],
    /// The public values.
    pub public: &'a [F],
}

impl<'a> Table<'a> {
    /// Number of rows.
    #[must_use]
    pub fn height(&self) -> usize {
        let (width, cells) = match self.description.columns.len() {
            0 => (self.description.preprocessed.len(), self.preprocessed.len()),
            width => (width, self.main.len()),
        };
        cells.checked_div(width).unwrap_or(0)
    }

    fn row(&self, index: usize) -> Row<'a, F> {
        Row {
            main: row_of(self.main, self.description.columns.len(), index),
            preprocessed: row_of(
                self.preprocessed,
                self.description.preprocessed.len(),
                index,
            ),
            public: self.public,
        }
    }
}

/// A message whose sends and receives do not cancel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Balance {
    /// The bus.
    pub bus: Bus,
    /// The message.
    pub message: Vec<F>,
    /// Sends less receives.
    pub excess: F,
    /// The interactions that took part, as `chip.name`, each once.
    pub interactions: Vec<String>,
}

/// Something that is wrong with the traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// A constraint is not zero in a row.
    Constraint {
        /// The chip.
        chip: String,
        /// The constraint.
        name: String,
        /// The row.
        row: usize,
    },
    /// A bus does not balance.
    Bus(Balance),
}

/// Everything that is wrong, up to [`Report::FAILURES_MAX`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The failures, constraints first.
    pub failures: Vec<Failure>,
}

impl Report {
    /// Most failures kept.
    pub const FAILURES_MAX: usize = 1000;

    /// Whether the constraint or interaction `name` of `chip` is among the failures. A failure of
    /// a bus counts for every interaction that took part in the message.
    #[must_use]
    pub fn names(&self, chip: &str, name: &str) -> bool {
        self.failures.iter().any(|failure| match failure {
            Failure::Constraint {
                chip: c, name: n, ..
            } => c == chip && n == name,
            Failure::Bus(balance) => balance.interactions.iter().any(|interaction| {
                interaction.strip_prefix(chip) == Some(&alloc::format!(".{name}"))
            }),
        })
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            match failure {
                Failure::Constraint { chip, name, row } => {
                    writeln!(f, "{chip} row {row}: constraint {name}")?;
                }
                Failure::Bus(balance) => {
                    let excess = balance.excess.as_canonical_u32();
                    writeln!(
                        f,
                        "bus {:?}: {:?} by {excess}",
                        balance.bus, balance.message
                    )?;
                    writeln!(f, "  from {}", balance.interactions.join(", "))?;
                }
            }
        }
        Ok(())
    }
}

/// Checks every constraint in every row of one proof's `tables`, and that every bus of
/// [`Scope::Segment`] balances over all of them together with `public`, the messages that the
/// verifier adds with their multiplicities.
#[must_use]
pub fn check(tables: &[Table<'_>], public: &[(Bus, Vec<F>, F)]) -> Report {
    let mut failures = Vec::new();
    for table in tables {
        check_constraints(table, &mut failures);
    }
    check_buses(Scope::Segment, tables, public, &mut failures);
    Report { failures }
}

/// Checks that every bus of [`Scope::Execution`] balances over the `tables` of all proofs of an
/// execution together with `public`.
#[must_use]
pub fn check_between(tables: &[Table<'_>], public: &[(Bus, Vec<F>, F)]) -> Report {
    let mut failures = Vec::new();
    check_buses(Scope::Execution, tables, public, &mut failures);
    Report { failures }
}

fn check_constraints(table: &Table<'_>, failures: &mut Vec<Failure>) {
    let chip = table.description;
    let mut registers = Vec::new();
    for index in 0..table.height() {
        let mut constraints = chip.constraints.iter();
        chip.constraint_tape
            .run(table.row(index), &mut registers, |value: F| {
                let constraint = constraints.next();
                if !value.is_zero() && failures.len() < Report::FAILURES_MAX {
                    failures.push(Failure::Constraint {
                        chip: chip.name.clone(),
                        name: constraint.map_or(String::new(), |c| c.name.clone()),
                        row: index,
                    });
                }
            });
    }
}

fn check_buses(
    scope: Scope,
    tables: &[Table<'_>],
    public: &[(Bus, Vec<F>, F)],
    failures: &mut Vec<Failure>,
) {
    let mut sums: BTreeMap<(Bus, Vec<u32>), (F, Vec<String>)> = BTreeMap::new();
    let mut add = |bus: Bus, message: &[F], multiplicity: F, name: &dyn Fn() -> String| {
        if multiplicity.is_zero() || bus.scope() != scope {
            return;
        }
        let key = (
            bus,
            message.iter().map(PrimeField32::as_canonical_u32).collect(),
        );
        let (sum, names) = sums.entry(key).or_default();
        *sum += multiplicity;
        let name = name();
        if !names.contains(&name) {
            names.push(name);
        }
    };
    for (bus, message, multiplicity) in public {
        add(*bus, message, *multiplicity, &|| String::from("public"));
    }
    let mut registers = Vec::new();
    let mut values = Vec::new();
    for table in tables {
        let chip = table.description;
        for index in 0..table.height() {
            values.clear();
            chip.interaction_tape
                .run(table.row(index), &mut registers, |v: F| values.push(v));
            let mut rest = values.as_slice();
            for interaction in &chip.interactions {
                let (own, others) = rest.split_at(1 + interaction.values.len());
                rest = others;
                add(interaction.bus, &own[1..], own[0], &|| {
                    alloc::format!("{}.{}", chip.name, interaction.name)
                });
            }
        }
    }
    for ((bus, message), (excess, interactions)) in sums {
        if !excess.is_zero() && failures.len() < Report::FAILURES_MAX {
            let message = message.into_iter().map(F::new).collect();
            failures.push(Failure::Bus(Balance {
                bus,
                message,
                excess,
                interactions,
            }));
        }
    }
}

fn row_of(cells: &[F], width: usize, row: usize) -> &[F] {
    &cells[row * width..(row + 1) * width]
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{DescriptionError, Expr, Round};

    crate::columns! {
        /// A toy: sends `a`, receives `b`, wants `a · flag = a`.
        struct Toy {
            /// Sent.
            a: [cell],
            /// Received.
            b: [cells 1],
            /// Boolean.
            flag: [cell],
        }
    }

    fn toy() -> Description {
        Description::new::<Toy<Expr>, ()>("toy", Round::Main, |builder, row, _| {
            builder.assert_bool("flag_is_boolean", &row.flag);
            builder.assert_zero_when("a_only_with_flag", &row.flag.not(), row.a.clone());
            builder.send("a", Bus::Range16, &row.flag, vec![row.a.clone()]);
            builder.receive("b", Bus::Range16, &row.flag, vec![row.b[0].clone()]);
        })
        .expect("the toy is well formed")
    }

    #[test]
    fn failures_are_named_with_their_row() {
        let chip = toy();
        assert_eq!(chip.columns, ["a", "b[0]", "flag"]);
        let run = |cells: &[u32]| {
            let main: Vec<F> = cells.iter().copied().map(F::new).collect();
            check(
                &[Table {
                    description: &chip,
                    main: &main,
                    preprocessed: &[],
                    public: &[],
                }],
                &[],
            )
        };
        assert_eq!(run(&[5, 6, 1, 6, 5, 1, 0, 9, 0]).failures, []);
        let report = run(&[5, 6, 1, 6, 5, 1, 3, 9, 0]);
        assert!(report.names("toy", "a_only_with_flag") && report.failures.len() == 1);
        let report = run(&[5, 7, 1, 6, 5, 1, 0, 0, 0]);
        assert!(
            report.names("toy", "b") && report.names("toy", "a"),
            "{report}"
        );
        assert!(run(&[0, 0, 2]).names("toy", "flag_is_boolean"));
    }

    #[test]
    fn degrees_and_names_are_checked() {
        let error = Description::new::<Toy<Expr>, ()>("toy", Round::Main, |builder, row, _| {
            builder.assert_zero("quartic", &row.a * &row.a * &row.a * &row.a);
        });
        let quartic = DescriptionError::ConstraintDegree {
            name: "quartic".into(),
            degree: 4,
        };
        assert_eq!(error.err(), Some(quartic));
        let error = Description::new::<Toy<Expr>, ()>("toy", Round::Main, |builder, row, _| {
            builder.assert_bool("same", &row.a);
            builder.assert_bool("same", &row.flag);
        });
        assert_eq!(
            error.err(),
            Some(DescriptionError::DuplicateName {
                name: "same".into()
            })
        );
        let error = Description::new::<Toy<Expr>, ()>("toy", Round::Main, |builder, row, _| {
            builder.send("square", Bus::Range16, &row.flag, vec![&row.a * &row.a]);
        });
        assert_eq!(
            error.err(),
            Some(DescriptionError::InteractionDegree {
                name: "square".into()
            })
        );
    }

    #[test]
    #[should_panic(expected = "messages on Bytes have a fixed width")]
    fn a_message_has_the_width_of_its_bus() {
        let _ = Description::new::<Toy<Expr>, ()>("toy", Round::Main, |builder, row, _| {
            builder.send("narrow", Bus::Bytes, &row.flag, vec![row.a.clone()]);
        });
    }
}
