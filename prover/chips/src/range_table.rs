//! The tables of 16-bit and of 8-bit values.
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

/// The name of the chip of 16-bit values.
pub(crate) const NAME_16: &str = "range16_table";
/// The name of the chip of 8-bit values.
pub(crate) const NAME_8: &str = "range8_table";

pub(crate) fn eval_16(builder: &mut Builder, row: &Count<Expr>, value: &Value<Expr>) {
    builder.receive("value", Bus::Range16, &row.count, vec![value.value.clone()]);
}

pub(crate) fn eval_8(builder: &mut Builder, row: &Count<Expr>, value: &Value<Expr>) {
    builder.receive("value", Bus::Range8, &row.count, vec![value.value.clone()]);
}

/// The preprocessed rows of the table of values below `2^bits`.
pub(crate) fn values(bits: u32) -> impl Iterator<Item = Value<F>> {
    (0..1_u32 << bits).map(|value| Value {
        value: F::from_u32(value),
    })
}
