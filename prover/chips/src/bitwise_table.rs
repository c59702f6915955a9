//! The table of and, or and exclusive or on bytes, and of bytes.
//!
//! Preprocessed: every pair of bytes with the three results; main: how often each result is looked
//! up, and how often the pair alone. The multiplicities are free: whatever they are, only true
//! results and pairs of bytes can balance a look-up.

#[cfg(test)]
use p3_field::PrimeField32;
use zkvm_air::{Builder, Bus, Expr, F, columns};

/// The operation's number in bitwise messages.
pub(crate) const AND: u32 = 0;
/// The operation's number in bitwise messages.
pub(crate) const OR: u32 = 1;
/// The operation's number in bitwise messages.
pub(crate) const XOR: u32 = 2;

columns! {
    /// How often each result of a pair is looked up.
    pub(crate) struct BitwiseCounts {
        /// Look-ups of the conjunction.
        and: [cell],
        /// Look-ups of the disjunction.
        or: [cell],
        /// Look-ups of the exclusive disjunction.
        xor: [cell],
        /// Look-ups of the pair alone.
        bytes: [cell],
    }
}

columns! {
    /// A pair of bytes and its results.
    pub(crate) struct BitwisePair {
        /// First byte.
        a: [cell],
        /// Second byte.
        b: [cell],
        /// `a and b`.
        and: [cell],
        /// `a or b`.
        or: [cell],
        /// `a xor b`.
        xor: [cell],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "bitwise_table";

pub(crate) fn eval(builder: &mut Builder, counts: &BitwiseCounts<Expr>, pair: &BitwisePair<Expr>) {
    let results = [
        ("and", AND, &counts.and, &pair.and),
        ("or", OR, &counts.or, &pair.or),
        ("xor", XOR, &counts.xor, &pair.xor),
    ];
    for (name, operation, count, result) in results {
        let message = vec![
            Expr::from(operation),
            pair.a.clone(),
            pair.b.clone(),
            result.clone(),
        ];
        builder.receive(name, Bus::Bitwise, count, message);
    }
    let message = vec![pair.a.clone(), pair.b.clone()];
    builder.receive("bytes", Bus::Bytes, &counts.bytes, message);
}

/// The preprocessed rows, for bytes `a` and `b` at index `256·a + b`.
pub(crate) fn pairs() -> impl Iterator<Item = BitwisePair<F>> {
    (0..1_u32 << 16).map(|index| {
        let (a, b) = (index >> 8, index & 0xff);
        BitwisePair {
            a: F::new(a),
            b: F::new(b),
            and: F::new(a & b),
            or: F::new(a | b),
            xor: F::new(a ^ b),
        }
    })
}

/// Whether `message` is in the table.
#[cfg(test)]
pub(crate) fn contains(message: &[F]) -> bool {
    let [operation, a, b, result] = [0, 1, 2, 3].map(|index| message[index].as_canonical_u32());
    let expected = match operation {
        AND => a & b,
        OR => a | b,
        XOR => a ^ b,
        _ => return false,
    };
    a < 256 && b < 256 && result == expected
}
