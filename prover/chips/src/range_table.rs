//! The table of 16-bit values.
//!
//! Preprocessed: the values; main: how often each is looked up. The multiplicities are free:
//! whatever they are, only values in the table can balance a look-up.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};

columns! {
    /// How often a row is looked up; shared by the look-up tables.
    pub(crate) struct Count {
        /// The number of look-ups; free.
        count: [cell],
    }
}

columns! {
    /// A value in range.
    pub(crate) struct Value {
        /// The value.
        value: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "range16_table";

pub(crate) fn eval(builder: &mut Builder, row: &Count<Expr>, value: &Value<Expr>) {
    builder.receive("value", Bus::Range16, &row.count, vec![value.value.clone()]);
}

/// The preprocessed rows.
pub(crate) fn values() -> impl Iterator<Item = Value<F>> {
    (0..1_u32 << 16).map(|value| Value {
        value: F::from_u32(value),
    })
}
