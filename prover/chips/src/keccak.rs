//! Calls of keccak-f\[1600\]: one row each.
//!
//! # Relation
//!
//! A call at `clock` with `word` as the index of `a0`'s word replaces the 25 words from there on: it
//! hands their values to the first of 24 rounds ([`crate::keccak_round`]) and writes what the last
//! one leaves. Lane `x + 5y` of the state is word `x + 5y`.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `is_real` | boolean | `is_real_is_boolean` | write the words without a call |
//! | `clock`, `word` | | precompile bus, from [`crate::system`] | write other words, at other times |
//! | `before` | 16-bit limbs | memory bus | permute another state |
//! | `lanes` | | memory bus, see [`crate::operand`] | the same |
//! | `after` | 16-bit limbs | keccak bus, from the last round | leave any state |
//!
//! `after` needs no look-ups: a message with 24 rounds done is sent by rows of
//! [`crate::keccak_round`] only, and theirs are sums of 16 bits. No two calls have one clock, so
//! that a state handed to the rounds comes back to the same call.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Precompile;
use zkvm_isa::precompile::Operand;
use zkvm_isa::record::WordAccess;

use crate::common::eval_bytes;
use crate::keccak_round::{LANES, ROUNDS, round, state_limbs, state_of};
use crate::operand::{Call, Operands, Stamp, fill_stamp};

/// The words of the state.
const OPERAND: Operand = Precompile::KeccakF.operands()[0];

const _: () = assert!(OPERAND.words as usize == LANES);

columns! {
    /// A call.
    pub(crate) struct Keccak {
        /// 1 in real rows.
        is_real: [cell],
        /// Clock of the call; from the precompile bus.
        clock: [cell],
        /// Index of the state's first word; from the precompile bus.
        word: [cell],
        /// When the words were accessed before.
        lanes: [groups Stamp 25],
        /// The words' values before, 16-bit limbs; from memory.
        before: [cells 100],
        /// The words' values after; from the keccak bus.
        after: [cells 100],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "keccak";

pub(crate) fn eval(builder: &mut Builder, row: &Keccak<Expr>, _: &()) {
    let (is_real, clock) = (&row.is_real, &row.clock);
    builder.assert_bool("is_real_is_boolean", is_real);
    let call = Call {
        precompile: &Expr::from(Precompile::KeccakF as u32),
        clock,
        words: [&row.word, &Expr::from(0), &Expr::from(0)],
    };
    call.receive(builder, is_real);

    let state = |rounds: u32, limbs: &[Expr]| {
        let mut message = vec![clock.clone(), Expr::from(rounds)];
        message.extend_from_slice(limbs);
        message
    };
    let (first, last) = (state(0, &row.before), state(ROUNDS, &row.after));
    builder.send("first_state", Bus::Keccak, is_real, first);
    builder.receive("last_state", Bus::Keccak, is_real, last);

    let operands = Operands {
        is_real,
        clock,
        first: &row.word,
        operand: OPERAND,
    };
    let [before, after] = [&row.before, &row.after].map(|state| state.as_chunks().0);
    let gaps = operands.replace(builder, "lanes", &row.lanes, before, after);
    eval_bytes(builder, is_real, gaps);
}

/// Fills the row of the call at `clock` with these words.
pub(crate) fn fill(clock: u32, words: &[WordAccess]) -> Keccak<F> {
    let before = state_of(words);
    let mut after = before;
    (0..ROUNDS).for_each(|number| round(&mut after, number));
    Keccak {
        is_real: F::ONE,
        clock: F::new(clock),
        word: F::new(words[0].word_index),
        lanes: std::array::from_fn(|lane| fill_stamp(&words[lane], clock, OPERAND)),
        before: state_limbs(&before),
        after: state_limbs(&after),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use zkvm_air::Columns as _;
    use zkvm_isa::record::SUBSTEP_MEMORY;
    use zkvm_testkit::rng::Rng;

    use super::*;
    use crate::ProgramRow;
    use crate::common::{SPACE_WRITABLE, limbs};
    use crate::keccak_round::{self, rounds};
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    /// The words of a call.
    type Words = Vec<WordAccess>;

    type Chip = ChipTest<Words, Keccak<F>>;

    const WORD: u32 = 0x0123_4567;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |words, _| fill(CLOCK, words))
    }

    /// A call on `state`. The chip looks nothing up in the program table; the row of some
    /// instruction stands in.
    fn call(state: &[u64; LANES]) -> (Words, ProgramRow) {
        let words = (0_u32..).zip(state).map(|(lane, previous)| WordAccess {
            previous: *previous,
            word_index: WORD + lane,
            clock: (CLOCK - 9) >> (lane % 4),
        });
        let (_, program) = register_record(0x0073_02b3, 0, 0);
        (words.collect(), program)
    }

    fn random_call() -> (Words, ProgramRow) {
        let mut rng = Rng::new(0x6c61_6e65);
        call(&std::array::from_fn(|_| rng.next_u64()))
    }

    fn permuted(state: &[u64; LANES]) -> [u64; LANES] {
        let mut state = *state;
        keccak::Keccak::new().with_f1600(|permute| permute(&mut state));
        state
    }

    #[test]
    fn words_are_replaced_by_their_permutation() {
        let chip = chip();
        let (random, _) = random_call();
        for state in [[0; LANES], [u64::MAX; LANES], state_of(&random)] {
            let (words, program) = call(&state);
            let row = || chip.row(&words, &program);
            let caught = chip.catches(row(), &program);
            assert!(caught.is_empty(), "{state:x?}: {caught:?}");
            let received = chip.message(row(), "call");

            let expected = [CLOCK, Precompile::KeccakF as u32, WORD, 0, 0];
            assert_eq!(received, Some(expected.map(F::new).to_vec()));
            let states = [
                ("first_state", 0, state),
                ("last_state", ROUNDS, permuted(&state)),
            ];
            for (name, rounds, state) in states {
                let mut expected = vec![F::new(CLOCK), F::new(rounds)];
                expected.extend(state_limbs(&state));
                assert_eq!(chip.message(row(), name), Some(expected), "{name}");
            }
            for (lane, word) in words.iter().enumerate() {
                let accesses = [
                    ("before", state[lane], word.clock),
                    ("after", permuted(&state)[lane], CLOCK + SUBSTEP_MEMORY),
                ];
                for (side, value, clock) in accesses {
                    let name = format!("lanes[{lane}].{side}");
                    let mut expected = vec![F::new(SPACE_WRITABLE), F::new(word.word_index)];
                    expected.extend(limbs(value));
                    expected.push(F::new(clock));
                    assert_eq!(chip.message(row(), &name), Some(expected), "{name}");
                }
            }
        }
    }

    #[test]
    fn the_rounds_of_a_call_lead_from_its_first_state_to_its_last() {
        let (words, program) = random_call();
        let (chip, rounds) = (chip(), rounds(&words));
        let mut on_the_bus = chip.message(chip.row(&words, &program), "first_state");
        let round_chip: ChipTest<(u32, [u64; LANES]), _> = ChipTest::new(
            keccak_round::NAME,
            keccak_round::eval,
            |(number, state), _| keccak_round::fill(CLOCK, *number, state),
        );
        for record in rounds {
            let row = || round_chip.row(&record, &program);
            assert_eq!(round_chip.message(row(), "state"), on_the_bus);
            on_the_bus = round_chip.message(row(), "next_state");
        }
        let last = chip.message(chip.row(&words, &program), "last_state");
        assert!(last.is_some() && on_the_bus == last);
    }

    #[test]
    fn padding_is_silent() {
        let (chip, (_, program)) = (chip(), random_call());
        let padding = || Keccak::take(&mut std::iter::repeat(F::ZERO));
        assert_eq!(chip.catches(padding(), &program), BTreeSet::new());
        for interaction in &chip.description.interactions {
            assert_eq!(chip.message(padding(), &interaction.name), None);
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let (chip, honest) = (chip(), random_call());
        lie!(chip, "is_real_is_boolean", honest, |row| row.is_real =
            F::TWO);
        lie!(chip, "is_real_is_boolean", honest, |row| row.is_real =
            F::NEG_ONE);
        for lane in 0..LANES {
            let access = (&*format!("lanes[{lane}]"), SUBSTEP_MEMORY);
            chip.assert_lies_in_the_past(&honest, access, |row| {
                let Stamp {
                    previous_clock,
                    gap_high,
                } = &mut row.lanes[lane];
                [previous_clock, gap_high]
            });
        }
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        let (chip, honest) = (chip(), random_call());
        let (_, program) = &honest;
        // With `is_real` a row of zeros is a call at clock 0, which no system call hands over.
        let speaking = chip.speaking(program);
        assert_eq!(speaking, ["is_real".to_owned()].into());
        // The unused words show in the call.
        assert_eq!(chip.unnoticed(&[honest]), BTreeSet::new());
    }
}
