//! Forged rows: which of a row's own checks catch them.
//!
//! A forgery in one row can be caught by a constraint, by a look-up into a fixed table, or, if it
//! changes a message on another bus, by whoever is on the other side. For a forgery that a row
//! must catch itself, [`catches`] names the constraints and look-ups that do.

use alloc::collections::BTreeSet;
use alloc::string::String;
use alloc::vec::Vec;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};

use crate::{Bus, Description, F, Row};

/// Says whether a look-up message is in its table; `None` if the bus is no look-up.
pub type Tables<'a> = &'a dyn Fn(Bus, &[F]) -> Option<bool>;

/// The public values that rows are forged under: the one there is, a segment's number.
pub const PUBLIC: [F; 1] = [F::new(5)];

/// The names of the constraints that are not zero in the row, and of the look-ups that are not in
/// their tables, in order.
#[must_use]
pub fn catches(
    chip: &Description,
    main: &[F],
    preprocessed: &[F],
    tables: Tables<'_>,
) -> Vec<String> {
    let mut names = Vec::new();
    let mut constraints = chip.constraints.iter();
    let row = Row {
        main,
        preprocessed,
        public: &PUBLIC,
    };
    chip.constraint_tape.run(row, &mut Vec::new(), |value: F| {
        let constraint = constraints
            .next()
            .expect("the tape has one output per constraint");
        if !value.is_zero() {
            names.push(constraint.name.clone());
        }
    });
    for (name, bus, multiplicity, message) in messages(chip, main, preprocessed) {
        if !multiplicity.is_zero() && tables(bus, &message) == Some(false) {
            names.push(name);
        }
    }
    names
}

/// The row's messages: name, bus, multiplicity, elements.
#[must_use]
pub fn messages(
    chip: &Description,
    main: &[F],
    preprocessed: &[F],
) -> Vec<(String, Bus, F, Vec<F>)> {
    let mut values = Vec::new();
    let row = Row {
        main,
        preprocessed,
        public: &PUBLIC,
    };
    chip.interaction_tape
        .run(row, &mut Vec::new(), |value: F| values.push(value));
    let mut values = values.into_iter();
    let mut next = || {
        values
            .next()
            .expect("the tape has every multiplicity and element")
    };
    chip.interactions
        .iter()
        .map(|interaction| {
            let multiplicity = next();
            let message = interaction.values.iter().map(|_| next()).collect();
            (
                interaction.name.clone(),
                interaction.bus,
                multiplicity,
                message,
            )
        })
        .collect()
}

/// Perturbs every cell of every row and returns the names of the columns in which some
/// perturbation goes unnoticed: no constraint and no look-up catches it, and no message to others
/// changes. A look-up that is still true is no such message: the table does not mind.
///
/// `rows` are honest, each with its preprocessed cells. The result must be compared with an exact
/// list of cells that are free by design.
#[must_use]
pub fn sweep(
    chip: &Description,
    rows: &[(Vec<F>, Vec<F>)],
    tables: Tables<'_>,
) -> BTreeSet<String> {
    let mut unnoticed = BTreeSet::new();
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    for (main, preprocessed) in rows {
        let honest = sent(chip, main, preprocessed, tables);
        for (column, name) in chip.columns.iter().enumerate() {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let random = F::new((state >> 33) as u32 % F::ORDER_U32);
            let cell = main[column];
            for value in [cell + F::ONE, cell - F::ONE, F::ZERO, -F::ONE, random] {
                if value == cell {
                    continue;
                }
                let mut forged = main.clone();
                forged[column] = value;
                if catches(chip, &forged, preprocessed, tables).is_empty()
                    && sent(chip, &forged, preprocessed, tables) == honest
                {
                    let _ = unnoticed.insert(name.clone());
                }
            }
        }
    }
    unnoticed
}

/// The messages that count, as others see them; look-ups aside.
fn sent(
    chip: &Description,
    main: &[F],
    preprocessed: &[F],
    tables: Tables<'_>,
) -> Vec<(Bus, F, Vec<F>)> {
    messages(chip, main, preprocessed)
        .into_iter()
        .filter(|(_, bus, multiplicity, message)| {
            !multiplicity.is_zero() && tables(*bus, message).is_none()
        })
        .map(|(_, bus, multiplicity, message)| (bus, multiplicity, message))
        .collect()
}
