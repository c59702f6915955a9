//! What the two memory tables share: every word at most once.
//!
//! # Relation
//!
//! The rows of both tables form one chain on the bus [`Bus::Chain`]: each receives the word before
//! it and sends its own, which is greater. The verifier sends the start and receives the last word,
//! which the proof names. Since indices only grow along the chain there are no cycles, and since one unit enters at the start,
//! exactly one row crosses every index: no word has two rows.

use p3_field::{PrimeCharacteristicRing, PrimeField32};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::layout::WORD_BYTES;

use crate::common::Place;

/// Where the chain starts, as the word before the first.
pub(crate) const START: u32 = 0;

/// Every word's index and every distance is below this. Two of them add up to less than the
/// characteristic; with twice the bound they did not, and a chain could go round through it.
pub(crate) const WORDS_MAX: u32 = 1 << 29;

const _: () = assert!(zkvm_isa::layout::INPUT_END_MAX / WORD_BYTES < WORDS_MAX);
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
        /// The clock of its last access, 0 if there was none.
        last_clock: [cell],
    }
}

/// Links the word at `place` into the chain, sends its `initial` value and receives its last one.
pub(crate) fn eval_link(
    builder: &mut Builder,
    is_real: &Expr,
    place: &Place,
    link: &Link<Expr>,
    initial: &[Expr; 4],
) {
    builder.receive("chain", Bus::Chain, is_real, vec![link.before.clone()]);
    builder.send(
        "next_chain",
        Bus::Chain,
        is_real,
        vec![place.address.clone()],
    );
    let distance = &link.distance_low + &link.distance_high * (1_u32 << 16);
    let order = &place.address - &link.before - 1 - distance;
    builder.assert_zero_when("ascending", is_real, order);
    let high = link.distance_high.clone();
    builder.send(
        "distance_low",
        Bus::Range16,
        is_real,
        vec![link.distance_low.clone()],
    );
    builder.send("distance_high", Bus::Range16, is_real, vec![high.clone()]);
    builder.send(
        "distance_high_times_8",
        Bus::Range16,
        is_real,
        vec![high * 8],
    );
    let message = |value: &[Expr; 4], clock: Expr| {
        let mut message = vec![place.space.clone(), place.address.clone()];
        message.extend(value.iter().cloned());
        message.push(clock);
        message
    };
    builder.send(
        "initial",
        Bus::Memory,
        is_real,
        message(initial, Expr::from(0)),
    );
    let last = message(&link.last_value, link.last_clock.clone());
    builder.receive("last", Bus::Memory, is_real, last);
}

/// Fills the link of `word`, after `before` in the chain.
pub(crate) fn fill_link(before: u32, word: u32, last_value: u64, last_clock: u32) -> Link<F> {
    let distance = word - before - 1;
    Link {
        before: F::from_u32(before),
        distance_low: F::from_u16(distance as u16),
        distance_high: F::from_u32(distance >> 16),
        last_value: crate::common::limbs(last_value),
        last_clock: F::from_u32(last_clock),
    }
}
