//! What the two memory tables share: every word at most once, and its line through the segments.
//!
//! # Relation
//!
//! The rows of all memory tables of an execution form one chain on the bus [`Bus::Chain`]: each
//! receives the word before it and sends its own, which is greater. The verifier sends the start and
//! receives the last word, which the proof names. Since indices only grow along the chain there are
//! no cycles, and since one unit enters at the start, exactly one row crosses every index: no word
//! has two rows.
//!
//! On the bus between segments a row sends the word's initial value and receives what the last
//! segment that accesses it leaves, or its own message if none does.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::layout::WORDS_MAX;

use crate::common::Place;

// Two distances must not add up to the characteristic.
const _: () = assert!(2 * WORDS_MAX < F::ORDER_U32);

columns! {
    /// A word's place in the chain, and how it leaves the segment.
    pub(crate) struct Link {
        /// Index of the word before it in the chain.
        before: [cell],
        /// Low 16 bits of the distance to it, less 1; range-checked.
        distance_low: [cell],
        /// The rest of the distance, below 2^13 so that no two distances differ by the
        /// characteristic; range-checked as it is and times 8.
        distance_high: [cell],
        /// The word's last value, as 16-bit limbs; checked when it was written.
        last_value: [cells 4],
        /// 1 + the number of the last segment that accesses it, 0 if none does.
        last_segment: [cell],
    }
}

/// Links the word at `place` into the chain.
pub(crate) fn eval_link(builder: &mut Builder, is_linked: &Expr, place: &Place, link: &Link<Expr>) {
    builder.receive("chain", Bus::Chain, is_linked, vec![link.before.clone()]);
    builder.send(
        "next_chain",
        Bus::Chain,
        is_linked,
        vec![place.address.clone()],
    );
    let distance = &link.distance_low + &link.distance_high * (1_u32 << 16);
    let order = &place.address - &link.before - 1 - distance;
    builder.assert_zero_when("ascending", is_linked, order);
    let high = link.distance_high.clone();
    builder.send(
        "distance_low",
        Bus::Range16,
        is_linked,
        vec![link.distance_low.clone()],
    );
    builder.send("distance_high", Bus::Range16, is_linked, vec![high.clone()]);
    builder.send(
        "distance_high_times_8",
        Bus::Range16,
        is_linked,
        vec![high * 8],
    );
}

/// Sends the `initial` value of the register or word at `place` to the segments, and receives its
/// last one.
pub(crate) fn eval_line(
    builder: &mut Builder,
    is_real: &Expr,
    place: &Place,
    link: &Link<Expr>,
    initial: &[Expr; 4],
) {
    let message = |value: &[Expr; 4], segment: Expr| {
        let mut message = vec![place.space.clone(), place.address.clone()];
        message.extend(value.iter().cloned());
        message.push(segment);
        message
    };
    let first = message(initial, Expr::from(0));
    builder.send("initial", Bus::Boundary, is_real, first);
    let last = message(&link.last_value, link.last_segment.clone());
    builder.receive("last", Bus::Boundary, is_real, last);
}

/// Fills the link of `word`, after `before` in the chain.
pub(crate) fn fill_link(before: u32, word: u32, last_value: u64, last_segment: u32) -> Link<F> {
    let distance = word - before - 1;
    Link {
        before: F::from_u32(before),
        distance_low: F::from_u16(distance as u16),
        distance_high: F::from_u32(distance >> 16),
        last_value: crate::common::limbs(last_value),
        last_segment: F::from_u32(last_segment),
    }
}

/// Fills the link of a register, which is in no chain.
pub(crate) fn fill_unlinked(last_value: u64, last_segment: u32) -> Link<F> {
    Link {
        before: F::ZERO,
        distance_low: F::ZERO,
        distance_high: F::ZERO,
        last_value: crate::common::limbs(last_value),
        last_segment: F::from_u32(last_segment),
    }
}
