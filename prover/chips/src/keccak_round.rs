//! The rounds of keccak-f\[1600\]: one row each.
//!
//! # Relation
//!
//! The row takes the state after `round` rounds of the permutation of the call at `clock` off the
//! bus and puts the state after one more on it. Lane `x + 5y` is four limbs, low first. With `z` the
//! index of a bit in its lane, and coordinates modulo 5 and 64, a round is (FIPS 202, section 3.2)
//!
//! - theta: `a'[x, y, z] = a[x, y, z] ^ c[x - 1, z] ^ c[x + 1, z - 1]`, where `c[x, z]` is the
//!   parity of the column `a[x, *, z]`;
//! - rho and pi: `b[x, y] = rotate_left(a'[x + 3y, x], rotation of [x + 3y, x])`;
//! - chi: `b[x, y, z] ^ (!b[x + 1, y, z] & b[x + 2, y, z])`;
//! - iota: lane 0 `^` the round's constant.
//!
//! The *sign* of a bit is `1 - 2 · bit`: 1 for 0, and -1 for 1. The sign of an xor is the product of
//! the signs. Limbs are constrained by the signs of their bits: `Σ 2^i · sign[i]` is
//! `2^16 - 1 - 2 · limb`.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `clock`, `before` | | keccak bus, from the round before or [`crate::keccak`] | change states between rounds |
//! | `is_round` | boolean, at most one is 1 | `*_is_boolean`, `at_most_one_round` | skip rounds, mix constants |
//! | `is_round` against the bus | | keccak bus: the message holds the round | the same |
//! | `c` | boolean | `*_is_boolean` | make any state of any other |
//! | `c_prime` | a function of `c` | `c_prime[*].bits[*]` | apply another theta |
//! | `a_prime` | boolean | `*_is_boolean` | the same |
//! | `c`, `a_prime` against `before` | | `before[*]`, `parity[*][*]` | the same |
//! | `before_iota` | a function of `a_prime` | `before_iota[*]` | flip bits of lane 0 |
//! | `after` | a function of the above | `after[*]` | leave any state |
//!
//! Nothing says that `c` holds the parities of the state before, and yet it does. `c_prime` is
//! boolean as a product of signs is one. The bits of `before` are `a_prime ^ c ^ c_prime`: they are
//! bits, and limbs have only one way to be sums of 16. `parity` says that the parity of a column of
//! `a_prime` is `c_prime`. So the parity of a column of five bits before is
//! `c_prime ^ c ^ c_prime = c`: xored five times, `c` and `c_prime` count once. Hence `c_prime` is
//! `c[x, z] ^ c[x - 1, z] ^ c[x + 1, z - 1]` of true parities, and `a_prime`, which is
//! `a ^ c ^ c_prime`, is what theta leaves.
//!
//! A row of zeros satisfies all of this: the state of zeros without a constant. It is no round, and
//! says nothing.
//!
//! No states go round in circles: a round is sent by the one before, up to the 24th, and the state
//! before the first only by [`crate::keccak`].
//!
//! `after` needs no look-ups, it is sums of 16 bits; nor does `before`, for the same reason.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::WordAccess;

use crate::common::limbs;

/// Lanes of a state; lane `x + 5y` lies at the coordinates `[x, y]`.
pub(crate) const LANES: usize = 25;

/// Rounds of a permutation.
pub(crate) const ROUNDS: u32 = 24;

/// A state, lane after lane.
pub(crate) type State = [u64; LANES];

/// What iota xors to lane 0, by round (FIPS 202, section 3.2.5).
const ROUND_CONSTANTS: [u64; ROUNDS as usize] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808a,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808b,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008a,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000a,
    0x0000_0000_8000_808b,
    0x8000_0000_0000_008b,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800a,
    0x8000_0000_8000_000a,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// The bits that a round's constant may set.
const IOTA_BITS: [usize; 7] = [0, 1, 3, 7, 15, 31, 63];

const _: () = {
    let (mut round, mut known) = (0, 0);
    let mut index = 0;
    while index < IOTA_BITS.len() {
        known |= 1 << IOTA_BITS[index];
        index += 1;
    }
    while round < ROUND_CONSTANTS.len() {
        let others = ROUND_CONSTANTS[round] & !known;
        assert!(others == 0, "a constant would set a bit that has no cell");
        round += 1;
    }
};

/// By how much rho rotates each lane (FIPS 202, section 3.2.2).
const ROTATIONS: [u32; LANES] = {
    let mut rotations = [0; LANES];
    let (mut x, mut y, mut step) = (1, 0, 0);
    while step < 24 {
        rotations[x + 5 * y] = (step + 1) * (step + 2) / 2 % 64;
        (x, y) = (y, (2 * x + 3 * y) % 5);
        step += 1;
    }
    rotations
};

columns! {
    /// 64 bits, the lowest first.
    pub(crate) struct Lane {
        /// The bits.
        bits: [cells 64],
    }
}

columns! {
    /// A round.
    pub(crate) struct KeccakRound {
        /// Clock of the call; from the keccak bus.
        clock: [cell],
        /// 1 at the index of the round, from 0; all 0 in padding.
        is_round: [cells 24],
        /// The state before, lane after lane, 16-bit limbs; from the keccak bus.
        before: [cells 100],
        /// Parities of the columns before, by `x`; boolean.
        c: [groups Lane 5],
        /// Parities of the columns after theta, by `x`; boolean, as a function of `c`.
        c_prime: [groups Lane 5],
        /// The state after theta, by `x + 5y`; boolean.
        a_prime: [groups Lane 25],
        /// After chi, the bits of lane 0 that the constant may flip.
        before_iota: [cells 7],
        /// The state after, as the state before.
        after: [cells 100],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "keccak_round";

pub(crate) fn eval(builder: &mut Builder, row: &KeccakRound<Expr>, _: &()) {
    for (round, flag) in row.is_round.iter().enumerate() {
        builder.assert_bool(&format!("is_round[{round}]_is_boolean"), flag);
    }
    let is_real: Expr = row.is_round.iter().cloned().sum();
    builder.assert_bool("at_most_one_round", &is_real);
    let flags = (0_u32..).zip(&row.is_round);
    let round: Expr = flags.map(|(round, flag)| flag * round).sum();

    let message = |rounds: &Expr, state: &[Expr]| {
        let mut message = vec![row.clock.clone(), rounds.clone()];
        message.extend_from_slice(state);
        message
    };
    let (this, next) = (
        message(&round, &row.before),
        message(&(&round + 1), &row.after),
    );
    builder.receive("state", Bus::Keccak, &is_real, this);
    builder.send("next_state", Bus::Keccak, &is_real, next);

    eval_theta(builder, row);
    eval_chi_and_iota(builder, row);
}

/// Asserts that `a_prime` is what theta makes of `before`; see the module on how.
fn eval_theta(builder: &mut Builder, row: &KeccakRound<Expr>) {
    let c = |x: usize, z: usize| sign(&row.c[x % 5].bits[z % 64]);
    for x in 0..5 {
        for z in 0..64 {
            let name = format!("c[{x}].bits[{z}]_is_boolean");
            builder.assert_bool(&name, &row.c[x].bits[z]);
            let c_prime = &row.c_prime[x].bits[z];
            let xor = c(x, z) * c(x + 4, z) * c(x + 1, z + 63);
            builder.assert_eq(&format!("c_prime[{x}].bits[{z}]"), sign(c_prime), xor);
            // At most 5, at least -1: even only if it is one of these.
            let column: Expr = (0..5).map(|y| row.a_prime[x + 5 * y].bits[z].clone()).sum();
            let even = column - c_prime;
            let is_even = &even * (&even - 2) * (&even - 4);
            builder.assert_zero(&format!("parity[{x}][{z}]"), is_even);
        }
    }
    for (lane, a_prime) in row.a_prime.iter().enumerate() {
        let (c, c_prime) = (&row.c[lane % 5], &row.c_prime[lane % 5]);
        let before = a_prime.bits.iter().enumerate().map(|(z, bit)| {
            builder.assert_bool(&format!("a_prime[{lane}].bits[{z}]_is_boolean"), bit);
            // The five lanes with this `x` share all but the last factor.
            sign(&c.bits[z]) * sign(&c_prime.bits[z]) * weight(z) * sign(bit)
        });
        let before: Vec<Expr> = before.collect();
        eval_limbs(builder, ("before", lane), &row.before, &before);
    }
}

/// Asserts that `after` is what the steps after theta make of `a_prime`.
fn eval_chi_and_iota(builder: &mut Builder, row: &KeccakRound<Expr>) {
    for lane in 0..LANES {
        let mut after: Vec<Expr> = (0..64)
            .map(|z| sign_of_chi(&row.a_prime, lane, z))
            .collect();
        if lane == 0 {
            for (index, (z, bit)) in IOTA_BITS.into_iter().zip(&row.before_iota).enumerate() {
                builder.assert_eq(
                    &format!("before_iota[{index}]"),
                    sign(bit),
                    after[z].clone(),
                );
                let flags = row.is_round.iter().zip(ROUND_CONSTANTS);
                let flips = flags.filter(|(_, constant)| constant >> z & 1 == 1);
                let flip: Expr = flips.map(|(flag, _)| flag.clone()).sum();
                after[z] = sign(bit) * sign(&flip);
            }
        }
        let after = (0..).zip(&after).map(|(z, sign)| sign * weight(z));
        let after: Vec<Expr> = after.collect();
        eval_limbs(builder, ("after", lane), &row.after, &after);
    }
}

/// The sign of bit `z` of `lane` after chi.
fn sign_of_chi(a_prime: &[Lane<Expr>; LANES], lane: usize, z: usize) -> Expr {
    let (x, y) = (lane % 5, lane / 5);
    let b = |x: usize| {
        let from = before_pi(x % 5, y);
        let z = z + 64 - ROTATIONS[from] as usize;
        &a_prime[from].bits[z % 64]
    };
    let sign_of_and = Expr::from(1) - b(x + 1).not() * (b(x + 2) * 2);
    sign(b(x)) * sign_of_and
}

/// Asserts that limbs `4 · lane` and the three next of `state` have bits with these signs, each
/// times its weight.
fn eval_limbs(
    builder: &mut Builder,
    (name, lane): (&str, usize),
    state: &[Expr; 4 * LANES],
    signs: &[Expr],
) {
    for (index, signs) in (4 * lane..).zip(signs.chunks_exact(16)) {
        let signs: Expr = signs.iter().cloned().sum();
        let limb = Expr::from(0xffff) - &state[index] * 2;
        builder.assert_eq(&format!("{name}[{index}]"), signs, limb);
    }
}

/// The weight of bit `z` of a lane in its limb.
fn weight(z: usize) -> u32 {
    1 << (z % 16)
}

fn sign(bit: &Expr) -> Expr {
    Expr::from(1) - bit * 2
}

/// The lane that pi moves to `[x, y]`.
const fn before_pi(x: usize, y: usize) -> usize {
    (x + 3 * y) % 5 + 5 * x
}

/// The columns' parities before and after theta, and the state after it.
fn theta(state: &State) -> ([u64; 5], [u64; 5], State) {
    let c: [u64; 5] = std::array::from_fn(|x| (0..5).fold(0, |c, y| c ^ state[x + 5 * y]));
    let c_prime = std::array::from_fn(|x| c[x] ^ c[(x + 4) % 5] ^ c[(x + 1) % 5].rotate_left(1));
    let a_prime = std::array::from_fn(|lane| state[lane] ^ c[lane % 5] ^ c_prime[lane % 5]);
    (c, c_prime, a_prime)
}

/// The state after chi, from the state after theta.
fn chi(a_prime: &State) -> State {
    let b: State = std::array::from_fn(|lane| {
        let from = before_pi(lane % 5, lane / 5);
        a_prime[from].rotate_left(ROTATIONS[from])
    });
    std::array::from_fn(|lane| {
        let (x, row) = (lane % 5, lane / 5 * 5);
        b[lane] ^ (!b[row + (x + 1) % 5] & b[row + (x + 2) % 5])
    })
}

/// Runs one round of the permutation, `round` from 0.
pub(crate) fn round(state: &mut State, round: u32) {
    let (_, _, a_prime) = theta(state);
    *state = chi(&a_prime);
    state[0] ^= ROUND_CONSTANTS[round as usize];
}

/// The state that the words of a call hold before it.
pub(crate) fn state_of(words: &[WordAccess]) -> State {
    assert_eq!(words.len(), LANES, "a call has one word for each lane");
    std::array::from_fn(|lane| words[lane].previous)
}

/// The rounds of the call with these words: each one's number and the state before it.
pub(crate) fn rounds(words: &[WordAccess]) -> impl Iterator<Item = (u32, State)> {
    (0..ROUNDS).scan(state_of(words), |state, number| {
        let before = *state;
        round(state, number);
        Some((number, before))
    })
}

/// A state's limbs in the field.
pub(crate) fn state_limbs(state: &State) -> [F; 4 * LANES] {
    let lanes = state.map(limbs);
    std::array::from_fn(|index| lanes[index / 4][index % 4])
}

fn lane(value: u64) -> Lane<F> {
    Lane {
        bits: std::array::from_fn(|z| F::from_bool(value >> z & 1 == 1)),
    }
}

/// Fills the row of a round, `round` from 0, in the call at `clock`, with the `state` before it.
pub(crate) fn fill(clock: u32, round: u32, state: &State) -> KeccakRound<F> {
    let (c, c_prime, a_prime) = theta(state);
    let mut after = chi(&a_prime);
    let before_iota = IOTA_BITS.map(|z| F::from_bool(after[0] >> z & 1 == 1));
    after[0] ^= ROUND_CONSTANTS[round as usize];
    KeccakRound {
        clock: F::new(clock),
        is_round: std::array::from_fn(|index| F::from_bool(index == round as usize)),
        before: state_limbs(state),
        c: c.map(lane),
        c_prime: c_prime.map(lane),
        a_prime: a_prime.map(lane),
        before_iota,
        after: state_limbs(&after),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use keccak::Keccak;
    use p3_field::Field;
    use zkvm_air::Columns as _;
    use zkvm_testkit::rng::Rng;

    use super::*;
    use crate::ProgramRow;
    use crate::testing::{CLOCK, ChipTest, register_record};

    /// A round and the state before it.
    type Record = (u32, State);

    type Row = KeccakRound<F>;

    type Chip = ChipTest<Record, Row>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |(round, state), _| fill(CLOCK, *round, state))
    }

    /// The chip looks nothing up in the program table; the row of some instruction stands in.
    fn program() -> ProgramRow {
        register_record(0x0073_02b3, 0, 0).1
    }

    const SEED: u64 = 0x6b65_6363_616b;

    fn random_states(count: usize) -> Vec<State> {
        let mut rng = Rng::new(SEED);
        let states = (0..count).map(|_| std::array::from_fn(|_| rng.next_u64()));
        states.collect()
    }

    /// Round 11 of a random state.
    fn honest() -> (Record, ProgramRow) {
        ((11, random_states(1)[0]), program())
    }

    fn words(state: &State) -> Vec<WordAccess> {
        let word = |previous: &u64| WordAccess {
            previous: *previous,
            ..WordAccess::default()
        };
        state.iter().map(word).collect()
    }

    fn message(rounds: u32, state: &State) -> Vec<F> {
        let mut message = vec![F::new(CLOCK), F::new(rounds)];
        message.extend(state_limbs(state));
        message
    }

    #[test]
    fn rounds_lead_from_a_state_to_its_permutation() {
        let (chip, program) = (chip(), program());
        let mut states = random_states(8);
        states.extend([[0; LANES], [u64::MAX; LANES]]);
        for index in 0..LANES {
            let mut state = [0; LANES];
            state[index] = 1 << (7 * index % 64);
            states.push(state);
        }
        for state in states {
            let mut next = state;
            for (number, before) in rounds(&words(&state)) {
                assert_eq!(before, next);
                round(&mut next, number);
                let row = || chip.row(&(number, before), &program);
                let caught = chip.catches(row(), &program);
                assert!(caught.is_empty(), "{number} {before:x?}: {caught:?}");
                let [this, sent] = ["state", "next_state"].map(|name| chip.message(row(), name));
                assert_eq!(this, Some(message(number, &before)));
                assert_eq!(sent, Some(message(number + 1, &next)));
            }
            let mut expected = state;
            Keccak::new().with_f1600(|permute| permute(&mut expected));
            assert_eq!(next, expected, "{state:x?}, seed {SEED:#x}");
        }
    }

    fn padding() -> Row {
        Row::take(&mut std::iter::repeat(F::ZERO))
    }

    #[test]
    fn padding_is_silent() {
        let (chip, program) = (chip(), program());
        assert_eq!(chip.catches(padding(), &program), BTreeSet::new());
        for name in ["state", "next_state"] {
            assert_eq!(chip.message(padding(), name), None);
        }
    }

    // A forger's tools: cells as their equations have them, for bits that may be none.

    fn sign(bit: F) -> F {
        F::ONE - bit.double()
    }

    fn bit_of_sign(sign: F) -> F {
        (F::ONE - sign).halve()
    }

    fn limbs_of(signs: &[F]) -> [F; 4] {
        std::array::from_fn(|limb| {
            let bits = signs[16 * limb..16 * (limb + 1)].iter().rev();
            bits.fold(F::ZERO, |sum, sign| sum.double() + bit_of_sign(*sign))
        })
    }

    fn set_c_prime(row: &mut Row) {
        for x in 0..5 {
            for z in 0..64 {
                let bits = [(x, z), ((x + 4) % 5, z), ((x + 1) % 5, (z + 63) % 64)];
                let signs = bits.map(|(x, z)| sign(row.c[x].bits[z]));
                row.c_prime[x].bits[z] = bit_of_sign(signs.into_iter().product());
            }
        }
    }

    fn set_a_prime(row: &mut Row, before: &State) {
        for (index, before) in before.iter().enumerate() {
            let (before, x) = (lane(*before), index % 5);
            for z in 0..64 {
                let bits = [before.bits[z], row.c[x].bits[z], row.c_prime[x].bits[z]];
                row.a_prime[index].bits[z] = bit_of_sign(bits.map(sign).into_iter().product());
            }
        }
    }

    fn set_before(row: &mut Row) {
        for lane in 0..LANES {
            let (c, c_prime, a_prime) = (&row.c[lane % 5], &row.c_prime[lane % 5], &row.a_prime);
            let signs: [F; 64] = std::array::from_fn(|z| {
                sign(c.bits[z]) * sign(c_prime.bits[z]) * sign(a_prime[lane].bits[z])
            });
            row.before[4 * lane..4 * lane + 4].copy_from_slice(&limbs_of(&signs));
        }
    }

    fn signs_after_chi(row: &Row, lane: usize) -> [F; 64] {
        std::array::from_fn(|z| {
            let (x, y) = (lane % 5, lane / 5);
            let b = |x: usize| {
                let from = before_pi(x % 5, y);
                let a_prime = &row.a_prime[from].bits;
                a_prime[(z + 64 - ROTATIONS[from] as usize) % 64]
            };
            let and = (F::ONE - b(x + 1)) * b(x + 2);
            sign(b(x)) * sign(and)
        })
    }

    fn set_before_iota(row: &mut Row) {
        let signs = signs_after_chi(row, 0);
        row.before_iota = IOTA_BITS.map(|z| bit_of_sign(signs[z]));
    }

    fn set_after(row: &mut Row) {
        for lane in 0..LANES {
            let mut signs = signs_after_chi(row, lane);
            if lane == 0 {
                for (z, bit) in IOTA_BITS.into_iter().zip(row.before_iota) {
                    let flags = row.is_round.into_iter().zip(ROUND_CONSTANTS);
                    let flips = flags.filter(|(_, constant)| constant >> z & 1 == 1);
                    signs[z] = sign(bit) * sign(flips.map(|(flag, _)| flag).sum());
                }
            }
            row.after[4 * lane..4 * lane + 4].copy_from_slice(&limbs_of(&signs));
        }
    }

    /// Both states as the bits between them have them.
    fn set_states(row: &mut Row) {
        set_before(row);
        set_before_iota(row);
        set_after(row);
    }

    /// The sum of a column of `a_prime` less its parity.
    fn even(row: &Row, x: usize, z: usize) -> F {
        let column = (0..5).map(|y| row.a_prime[x + 5 * y].bits[z]);
        column.sum::<F>() - row.c_prime[x].bits[z]
    }

    #[test]
    fn a_forger_without_lies_fills_the_row() {
        let honest = honest();
        chip().assert_lie(&honest, &[], |row| {
            let cells = [row.before, row.after];
            (row.before, row.after) = ([F::ZERO; 100], [F::ZERO; 100]);
            (row.c_prime, row.a_prime) = ([0; 5].map(lane), [0; LANES].map(lane));
            row.before_iota = [F::ZERO; 7];
            set_c_prime(row);
            set_a_prime(row, &honest.0.1);
            set_states(row);
            assert_eq!([row.before, row.after], cells);
        });
    }

    fn rounds_are_one_at_a_time(chip: &Chip) {
        let honest = honest();
        for round in 0..ROUNDS as usize {
            // Padding to the buses, with a constant less another.
            let name = format!("is_round[{round}]_is_boolean");
            chip.assert_lie(&honest, &[&name], |row| {
                *row = padding();
                row.is_round[round] = F::NEG_ONE;
                row.is_round[(round + 1) % 24] = F::ONE;
                set_after(row);
            });
            // Two rounds at once.
            if round != 11 {
                chip.assert_lie(&honest, &["at_most_one_round"], |row| {
                    row.is_round[round] = F::ONE;
                    set_after(row);
                });
            }
        }
    }

    fn theta_is_theta(chip: &Chip) {
        let (honest, zeros) = (honest(), ((11, [0; LANES]), program()));
        for x in 0..5 {
            for z in 0..64 {
                // A parity of 2, in a state of zeros: so are three of those after theta.
                let name = format!("c[{x}].bits[{z}]_is_boolean");
                chip.assert_lie(&zeros, &[&name], |row| {
                    row.c[x].bits[z] = F::TWO;
                    set_c_prime(row);
                    for (x, z) in [(x, z), ((x + 1) % 5, z), ((x + 4) % 5, (z + 1) % 64)] {
                        assert_eq!(row.c_prime[x].bits[z], F::TWO);
                        row.a_prime[x].bits[z] = F::ONE;
                        row.a_prime[x + 5].bits[z] = F::ONE;
                    }
                    set_states(row);
                });
                // Another theta: it flips the other half of this column.
                let (lane, name) = (x + 5 * (z % 5), format!("c_prime[{x}].bits[{z}]"));
                chip.assert_lie(&honest, &[&name], |row| {
                    for bit in [&mut row.c_prime[x].bits[z], &mut row.a_prime[lane].bits[z]] {
                        *bit = F::ONE - *bit;
                    }
                    set_states(row);
                });
                // A state after theta that is not of these parities.
                let name = format!("parity[{x}][{z}]");
                chip.assert_lie(&honest, &[&name], |row| {
                    let bit = &mut row.a_prime[lane].bits[z];
                    *bit = F::ONE - *bit;
                    set_states(row);
                });
                // Other parities than those of the state, and theta by these.
                chip.assert_lie(&honest, &[&name], |row| {
                    let before = row.before;
                    row.c[x].bits[z] = F::ONE - row.c[x].bits[z];
                    set_c_prime(row);
                    set_a_prime(row, &honest.0.1);
                    set_states(row);
                    assert_eq!(row.before, before);
                });
            }
        }
        for lane in 0..LANES {
            for z in 0..64 {
                let name = format!("a_prime[{lane}].bits[{z}]_is_boolean");
                chip.assert_lie(&honest, &[&name], |row| {
                    let is_most = even(row, lane % 5, z) == F::new(4);
                    row.a_prime[lane].bits[z] += if is_most { -F::TWO } else { F::TWO };
                    set_states(row);
                });
            }
        }
    }

    fn states_are_of_their_bits(chip: &Chip) {
        let honest = honest();
        for index in 0..4 * LANES {
            for wrong in [F::ONE, F::NEG_ONE, F::new(1 << 16), F::TWO.inverse()] {
                chip.assert_lie(&honest, &[&format!("before[{index}]")], |row| {
                    row.before[index] += wrong;
                });
                chip.assert_lie(&honest, &[&format!("after[{index}]")], |row| {
                    row.after[index] += wrong;
                });
            }
        }
        for index in 0..IOTA_BITS.len() {
            let name = format!("before_iota[{index}]");
            for forge in [|bit| F::ONE - bit, |bit| bit + F::ONE, |bit| bit - F::TWO] {
                chip.assert_lie(&honest, &[&name], |row| {
                    row.before_iota[index] = forge(row.before_iota[index]);
                    set_after(row);
                });
            }
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        rounds_are_one_at_a_time(&chip);
        theta_is_theta(&chip);
        states_are_of_their_bits(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        let zeros = ((23, [0; LANES]), program());
        assert_eq!(chip().sweep(&[honest(), zeros]), BTreeSet::new());
    }
}
