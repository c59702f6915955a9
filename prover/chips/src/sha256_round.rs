//! One round of SHA-256's compression.
//!
//! # Relation
//!
//! A row gets `(clock, t, a .. h, W_t .. W_{t+15})` and hands on `(clock, t + 1, a' .. h',
//! W_{t+1} .. W_{t+16})`, `t` from 0 to 63. Modulo 2^32:
//!
//! ```text
//! T1       =  h + Σ1(e) + Ch(e, f, g) + K_t + W_t
//! e'       =  d + T1
//! a'       =  T1 + Σ0(a) + Maj(a, b, c)  =  e' - d + Σ0(a) + Maj(a, b, c)
//! W_{t+16} =  σ1(W_{t+14}) + W_{t+9} + σ0(W_{t+1}) + W_t
//! ```
//! and `b' = a`, `c' = b`, `d' = c`, `f' = e`, `g' = f`, `h' = g`. Source: FIPS 180-4, sections 4.1.2,
//! 4.2.2 and 6.2.2; its message schedule goes on to `W_79` here, and nothing uses what follows `W_63`.
//!
//! Words are added by 16-bit limbs, low first, and each limb's equation has its carry:
//!
//! ```text
//! d + h + Σ1 + Ch + K + W + carry in  =  e' + 2^16 · carry         carry 0 to 5
//! e' - d + Σ0 + Maj + carry in        =  a' + 2^16 · carry         carry -1 to 2
//! σ1 + W_{t+9} + σ0 + W_t + carry in  =  W_{t+16} + 2^16 · carry   carry 0 to 3
//! ```
//!
//! # Why rows of a call are one chain
//!
//! Every row receives one message and sends one whose `t` is 1 greater; `t` is at most 63 as
//! received, so no messages go round in a circle. Each chain begins at `t = 0`, where only the calling
//! chip sends, and ends at 64, where only it receives. No two calls have one clock.
//!
//! # Why words are words
//!
//! `e'`, `a'` and `W_{t+16}` have no range check in the row that makes them; later rows split them
//! into bits. Let all terms but `e'` have limbs from 0 to 2^16 - 1. Carries are integers from -1 to 7,
//! so a limb that is made is, modulo p, an integer smaller than 2^20 in absolute value, and with it
//! no equation wraps. So the word is right modulo 2^32, as `low + 2^16 · high`, however the carries
//! split it. The next table says where its limbs get below 2^16, before they are a term:
//!
//! | word | made in row | split in row | first a term in row |
//! |---|---|---|---|
//! | `a` to `h` of round 0 | the calling chip answers for them | | 0 |
//! | `W_0` to `W_15` | the same | | 0 |
//! | `a'`, `e'` of round `t < 63` | `t` | `t + 1` | `t + 1` |
//! | `W_s`, `s` from 16 to 77 | `s - 16` | `s - 14`, as `W_{t+14}` | `s - 14` |
//! | `W_78`, `W_79` | 62, 63 | | none |
//! | `a'`, `e'` of round 63 | 63 | the calling chip's to check, see [`crate::sha256`] | none |
//!
//! `b` to `d` and `f` to `h` after round 0 are sums of bits of the row before; `d` and `h` have no
//! bits themselves. `e'` is a term of `a'` in its own row: out of range, it is still right modulo
//! 2^32, and so is `a'`.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `clock`, words received | | SHA-256 bus | run rounds on other words |
//! | `round_high`, `round_low` | one of each 1 in a real row | `*_is_boolean`, `at_most_one_round`, `low_where_high` | mix constants, pass for padding |
//! | `round_high`, `round_low` against `t` | | SHA-256 bus | add another round's constant |
//! | bits | boolean | `*_is_boolean` | choose what the functions are |
//! | bits against words received | | SHA-256 bus | the same |
//! | `d`, `h`, words of the schedule | words, as above | SHA-256 bus | hide a carry in an oversized limb |
//! | carries | 3 bits, 2 bits less 1, 2 bits | `carry_*_is_boolean` | add any number to a word |
//! | `new_e`, `new_a`, `new_w` | words, as above | `new_e[*]`, `new_a[*]`, `new_w[*]` | claim any word |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::WordAccess;

columns! {
    /// One round.
    pub(crate) struct Sha256Round {
        /// Clock of the call; from the bus.
        clock: [cell],
        /// 1 at index `i` in rounds `8·i` to `8·i + 7`.
        round_high: [cells 8],
        /// 1 at index `j` in rounds that are `j` modulo 8.
        round_low: [cells 8],
        /// Bits of `a`, low first.
        a: [cells 32],
        /// Bits of `b`.
        b: [cells 32],
        /// Bits of `c`.
        c: [cells 32],
        /// Limbs of `d`; sums of bits in the row before.
        d: [cells 2],
        /// Bits of `e`.
        e: [cells 32],
        /// Bits of `f`.
        f: [cells 32],
        /// Bits of `g`.
        g: [cells 32],
        /// Limbs of `h`; sums of bits in the row before.
        h: [cells 2],
        /// Limbs of `W_t`; sums of bits in an earlier row.
        w_0: [cells 2],
        /// Bits of `W_{t+1}`.
        w_1: [cells 32],
        /// Limbs of `W_{t+2}` to `W_{t+13}`; sums of bits in earlier rows.
        w_2_to_13: [cells 24],
        /// Bits of `W_{t+14}`.
        w_14: [cells 32],
        /// Limbs of `W_{t+15}`; the next row has the bits.
        w_15: [cells 2],
        /// Limbs of `a` after the round; the next row has the bits.
        new_a: [cells 2],
        /// Limbs of `e` after the round; the next row has the bits.
        new_e: [cells 2],
        /// Limbs of `W_{t+16}`; the row after the next has the bits.
        new_w: [cells 2],
        /// Carries of `e`'s limbs, three bits each.
        carry_e: [cells 6],
        /// Carries of `a`'s limbs plus 1, two bits each.
        carry_a: [cells 4],
        /// Carries of the limbs of `W_{t+16}`, two bits each.
        carry_w: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "sha256_round";

/// Number of rounds.
pub(crate) const ROUNDS: u32 = 64;

/// The constants `K_t`: the first 32 bits of the fractional parts of the cube roots of the first 64
/// primes. Source: FIPS 180-4, section 4.2.2.
const K: [u32; ROUNDS as usize] = [
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
];

/// A function that is the exclusive or of a word rotated right twice, and a third time or shifted.
#[derive(Clone, Copy)]
struct Sigma {
    rotations: [usize; 2],
    last: Last,
}

#[derive(Clone, Copy)]
enum Last {
    Rotation(usize),
    Shift(usize),
}

const SIGMA_0: Sigma = Sigma {
    rotations: [2, 13],
    last: Last::Rotation(22),
};
const SIGMA_1: Sigma = Sigma {
    rotations: [6, 11],
    last: Last::Rotation(25),
};
const SCHEDULE_0: Sigma = Sigma {
    rotations: [7, 18],
    last: Last::Shift(3),
};
const SCHEDULE_1: Sigma = Sigma {
    rotations: [17, 19],
    last: Last::Shift(10),
};

impl Sigma {
    fn of(self, word: u32) -> u32 {
        let [x, y] = self.rotations.map(|by| word.rotate_right(by as u32));
        x ^ y
            ^ match self.last {
                Last::Rotation(by) => word.rotate_right(by as u32),
                Last::Shift(by) => word >> by,
            }
    }

    /// Bit `index` of the result.
    fn bit(self, word: &[Expr; 32], index: usize) -> Expr {
        let rotated = |by: usize| &word[(index + by) % 32];
        let [x, y] = self.rotations.map(rotated);
        let last = match self.last {
            Last::Rotation(by) => rotated(by).clone(),
            Last::Shift(by) => word.get(index + by).cloned().unwrap_or(Expr::from(0)),
        };
        xor(&xor(x, y), &last)
    }
}

fn xor(x: &Expr, y: &Expr) -> Expr {
    x + y - x * y * 2
}

/// `Ch(e, f, g)`, a bit.
fn choice([e, f, g]: [&Expr; 3]) -> Expr {
    e * (f - g) + g
}

/// `Maj(a, b, c)`, a bit.
fn majority([a, b, c]: [&Expr; 3]) -> Expr {
    let both = a * b;
    c * (a + b - &both * 2) + both
}

/// Sums of bits, bit by bit, as sums of limbs.
fn join(bit: impl Fn(usize) -> Expr) -> [Expr; 2] {
    [0, 16].map(|first| {
        let bits: [Expr; 16] = std::array::from_fn(|index| bit(first + index));
        Expr::join(&bits, 1)
    })
}

/// A word's limbs, of its bits.
fn joined(word: &[Expr; 32]) -> [Expr; 2] {
    join(|index| word[index].clone())
}

pub(crate) fn eval(builder: &mut Builder, row: &Sha256Round<Expr>, _: &()) {
    let is_real = eval_flags(builder, row);
    for (name, bits) in bits(row) {
        for (index, bit) in bits.iter().enumerate() {
            builder.assert_bool(&format!("{name}[{index}]_is_boolean"), bit);
        }
    }
    eval_state(builder, row, &is_real);
    eval_schedule(builder, row);

    let [a, b, c, e, f, g] = [&row.a, &row.b, &row.c, &row.e, &row.f, &row.g].map(joined);
    let (d, h) = (row.d.clone(), row.h.clone());
    let limbs = |words: [&[Expr; 2]; 8]| words.into_iter().flatten().cloned().collect();
    let before: Vec<Expr> = limbs([&a, &b, &c, &d, &e, &f, &g, &h]);
    let after: Vec<Expr> = limbs([&row.new_a, &a, &b, &c, &row.new_e, &e, &f, &g]);
    let schedule = [
        row.w_0.to_vec(),
        joined(&row.w_1).to_vec(),
        row.w_2_to_13.to_vec(),
        joined(&row.w_14).to_vec(),
        row.w_15.to_vec(),
        row.new_w.to_vec(),
    ]
    .concat();
    let rounds = Expr::join(&[number(&row.round_low), number(&row.round_high)], 3);
    let message = |rounds: &Expr, state: Vec<Expr>, window: &[Expr]| {
        let mut message = vec![row.clock.clone(), rounds.clone()];
        message.extend(state);
        message.extend_from_slice(window);
        message
    };
    let this = message(&rounds, before, &schedule[..32]);
    builder.receive("round", Bus::Sha256, &is_real, this);
    let next = message(&(&rounds + 1), after, &schedule[2..]);
    builder.send("next_round", Bus::Sha256, &is_real, next);
}

/// The cells that are bits, by column.
fn bits<T>(row: &Sha256Round<T>) -> [(&'static str, &[T]); 11] {
    [
        ("a", &row.a),
        ("b", &row.b),
        ("c", &row.c),
        ("e", &row.e),
        ("f", &row.f),
        ("g", &row.g),
        ("w_1", &row.w_1),
        ("w_14", &row.w_14),
        ("carry_e", &row.carry_e),
        ("carry_a", &row.carry_a),
        ("carry_w", &row.carry_w),
    ]
}

/// Asserts that the row is of one round or of none; returns whether it is of one.
fn eval_flags(builder: &mut Builder, row: &Sha256Round<Expr>) -> Expr {
    let flags = [
        ("round_high", &row.round_high),
        ("round_low", &row.round_low),
    ];
    let [high, low] = flags.map(|(name, flags)| {
        for (index, flag) in flags.iter().enumerate() {
            builder.assert_bool(&format!("{name}[{index}]_is_boolean"), flag);
        }
        flags.iter().cloned().sum::<Expr>()
    });
    builder.assert_bool("at_most_one_round", &high);
    builder.assert_eq("low_where_high", low, high.clone());
    high
}

/// The number that the flags tell.
fn number(flags: &[Expr; 8]) -> Expr {
    let flags = (0_u32..).zip(flags);
    flags.map(|(number, flag)| flag * number).sum()
}

/// A limb of `K_t`.
fn constant(row: &Sha256Round<Expr>, limb: usize) -> Expr {
    let rounds = row.round_high.iter().zip(K.chunks_exact(8));
    let of_eight = |constants: &[u32]| -> Expr {
        let rounds = row.round_low.iter().zip(constants);
        rounds.map(|(flag, k)| flag * limbs(*k)[limb]).sum()
    };
    rounds
        .map(|(flag, constants)| flag * of_eight(constants))
        .sum()
}

/// Asserts that `new`, plus 2^16 times the carry, is the sum of a limb.
fn eval_limb(builder: &mut Builder, name: &str, sum: Expr, new: &Expr, carry: &Expr) {
    builder.assert_zero(name, sum - new - carry * (1_u32 << 16));
}

/// The words `e` and `a` after the round.
fn eval_state(builder: &mut Builder, row: &Sha256Round<Expr>, is_real: &Expr) {
    let of_e = join(|index| {
        let choice = choice([&row.e, &row.f, &row.g].map(|word| &word[index]));
        SIGMA_1.bit(&row.e, index) + choice
    });
    let of_a = join(|index| {
        let majority = majority([&row.a, &row.b, &row.c].map(|word| &word[index]));
        SIGMA_0.bit(&row.a, index) + majority
    });
    let [mut carry_e, mut carry_a] = [Expr::from(0), Expr::from(0)];
    for (limb, (of_e, of_a)) in of_e.into_iter().zip(of_a).enumerate() {
        let (d, new_e) = (&row.d[limb], &row.new_e[limb]);
        let sum = of_e + &row.h[limb] + constant(row, limb) + &row.w_0[limb] + d + carry_e;
        carry_e = Expr::join(&row.carry_e[3 * limb..3 * limb + 3], 1);
        eval_limb(builder, &format!("new_e[{limb}]"), sum, new_e, &carry_e);
        let sum = of_a + new_e - d + carry_a;
        carry_a = Expr::join(&row.carry_a[2 * limb..2 * limb + 2], 1) - is_real;
        let name = format!("new_a[{limb}]");
        eval_limb(builder, &name, sum, &row.new_a[limb], &carry_a);
    }
}

/// The schedule's new word.
fn eval_schedule(builder: &mut Builder, row: &Sha256Round<Expr>) {
    let of_w = join(|index| SCHEDULE_0.bit(&row.w_1, index) + SCHEDULE_1.bit(&row.w_14, index));
    let w_9 = &row.w_2_to_13[2 * (9 - 2)..];
    let mut carry = Expr::from(0);
    for (limb, of_w) in of_w.into_iter().enumerate() {
        let sum = of_w + &row.w_0[limb] + &w_9[limb] + carry;
        carry = Expr::join(&row.carry_w[2 * limb..2 * limb + 2], 1);
        let name = format!("new_w[{limb}]");
        eval_limb(builder, &name, sum, &row.new_w[limb], &carry);
    }
}

/// A word's limbs, low first.
pub(crate) fn limbs(word: u32) -> [u32; 2] {
    [word & 0xffff, word >> 16]
}

/// What a round adds up: for `e` and for `a` without `e`, `d` aside, and for the schedule's word.
fn terms(t: u32, state: &[u32; 8], window: &[u32; 16]) -> ([u32; 5], [u32; 2], [u32; 4]) {
    let [a, b, c, _, e, f, g, h] = *state;
    let choice = (e & f) ^ (!e & g);
    let majority = (a & b) ^ (a & c) ^ (b & c);
    (
        [h, SIGMA_1.of(e), choice, K[t as usize], window[0]],
        [SIGMA_0.of(a), majority],
        [
            SCHEDULE_1.of(window[14]),
            window[9],
            SCHEDULE_0.of(window[1]),
            window[0],
        ],
    )
}

/// Does round `t`: the state after it, and the window of the message schedule after it.
pub(crate) fn round(t: u32, state: &mut [u32; 8], window: &mut [u32; 16]) {
    let sum = |terms: &[u32]| terms.iter().copied().fold(0, u32::wrapping_add);
    let (of_e, of_a, of_w) = terms(t, state, window);
    let [a, b, c, d, e, f, g, _] = *state;
    let first = sum(&of_e);
    *state = [
        first.wrapping_add(sum(&of_a)),
        a,
        b,
        c,
        d.wrapping_add(first),
        e,
        f,
        g,
    ];
    window.rotate_left(1);
    window[15] = sum(&of_w);
}

/// State and window before the first round of a call on `words`: four of the state, eight of the
/// block.
pub(crate) fn start(words: &[WordAccess]) -> ([u32; 8], [u32; 16]) {
    let half = |index: usize| (words[index / 2].previous >> (32 * (index % 2))) as u32;
    (
        std::array::from_fn(half),
        std::array::from_fn(|index| half(8 + index).swap_bytes()),
    )
}

/// The rounds of a call on `words`: each one's number, and state and window before it.
pub(crate) fn rounds(words: &[WordAccess]) -> impl Iterator<Item = (u32, [u32; 8], [u32; 16])> {
    let (mut state, mut window) = start(words);
    (0..ROUNDS).map(move |t| {
        let before = (t, state, window);
        round(t, &mut state, &mut window);
        before
    })
}

/// Adds up words less one by limbs: the sum's limbs and their carries.
fn add(words: &[u32], less: u32) -> ([F; 2], [i32; 2]) {
    let limb = |word: u32, limb: usize| limbs(word)[limb] as i32;
    let sum = |index: usize| words.iter().map(|word| limb(*word, index)).sum::<i32>();
    let low = sum(0) - limb(less, 0);
    let high = sum(1) - limb(less, 1) + (low >> 16);
    let new = [low, high].map(|sum| F::from_u32(sum as u32 & 0xffff));
    (new, [low >> 16, high >> 16])
}

fn bit(word: u32, index: usize) -> F {
    F::from_bool(word >> index & 1 == 1)
}

/// Fills the row of round `t` on `state` and `window`.
pub(crate) fn fill(clock: u32, t: u32, state: &[u32; 8], window: &[u32; 16]) -> Sha256Round<F> {
    let (of_e, of_a, of_w) = terms(t, state, window);
    let [a, b, c, d, e, f, g, h] = *state;
    let e_after = of_e.into_iter().fold(d, u32::wrapping_add);
    let (new_e, carry_e) = add(&[&of_e[..], &[d]].concat(), 0);
    let (new_a, carry_a) = add(&[e_after, of_a[0], of_a[1]], d);
    let (new_w, carry_w) = add(&of_w, 0);
    let word = |word: u32| std::array::from_fn(|index| bit(word, index));
    let pair = |word: u32| limbs(word).map(F::from_u32);
    let flag = |number: u32| move |index: usize| F::from_bool(index as u32 == number);
    Sha256Round {
        clock: F::new(clock),
        round_high: std::array::from_fn(flag(t / 8)),
        round_low: std::array::from_fn(flag(t % 8)),
        a: word(a),
        b: word(b),
        c: word(c),
        d: pair(d),
        e: word(e),
        f: word(f),
        g: word(g),
        h: pair(h),
        w_0: pair(window[0]),
        w_1: word(window[1]),
        w_2_to_13: std::array::from_fn(|index| pair(window[2 + index / 2])[index % 2]),
        w_14: word(window[14]),
        w_15: pair(window[15]),
        new_a,
        new_e,
        new_w,
        carry_e: std::array::from_fn(|index| bit(carry_e[index / 3] as u32, index % 3)),
        carry_a: std::array::from_fn(|index| bit((carry_a[index / 2] + 1) as u32, index % 2)),
        carry_w: std::array::from_fn(|index| bit(carry_w[index / 2] as u32, index % 2)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::PrimeField32;
    use zkvm_air::mutate::messages;
    use zkvm_air::{Columns as _, Row};
    use zkvm_testkit::rng::Rng;

    use super::*;
    use crate::ProgramRow;
    use crate::testing::{CLOCK, ChipTest, cells, register_record};

    /// A round: its number, and state and window before it.
    type Round = (u32, [u32; 8], [u32; 16]);

    type Chip = ChipTest<Round, Sha256Round<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |(t, state, window), _| {
            fill(CLOCK, *t, state, window)
        })
    }

    /// The chip looks nothing up in the program table; the row of some instruction stands in.
    fn program() -> ProgramRow {
        register_record(0x0073_02b3, 0, 0).1
    }

    /// States and blocks: of equal bits, of one bit, random.
    fn calls() -> Vec<([u32; 8], [u32; 16])> {
        let mut calls = vec![
            ([0; 8], [0; 16]),
            ([u32::MAX; 8], [u32::MAX; 16]),
            ([0; 8], [u32::MAX; 16]),
            ([u32::MAX; 8], [0; 16]),
            ([0x8000_0000; 8], [1; 16]),
            ([0xffff; 8], [0xffff_0000; 16]),
        ];
        let mut rng = Rng::new(0x5a25_6001);
        calls.extend((0..10).map(|_| {
            (
                std::array::from_fn(|_| rng.next_u64() as u32),
                std::array::from_fn(|_| rng.next_u64() as u32),
            )
        }));
        calls
    }

    /// The words of a call.
    fn words(state: &[u32; 8], block: &[u32; 16]) -> Vec<WordAccess> {
        let block = block.map(u32::swap_bytes);
        let halves = [&state[..], &block].concat();
        let words = halves.chunks_exact(2).map(|halves| WordAccess {
            previous: u64::from(halves[0]) | u64::from(halves[1]) << 32,
            ..WordAccess::default()
        });
        words.collect()
    }

    /// Round 19 of a random call.
    fn honest() -> (Round, ProgramRow) {
        let (state, block) = calls().pop().expect("there are calls");
        let round = rounds(&words(&state, &block)).nth(19);
        (round.expect("there are 64 rounds"), program())
    }

    fn message((t, state, window): &Round) -> Vec<F> {
        let words = state.iter().chain(window);
        let words = words.flat_map(|word| limbs(*word));
        let message = [CLOCK, *t].into_iter().chain(words);
        message.map(F::from_u32).collect()
    }

    #[test]
    fn rounds_are_those_of_sha_256() {
        let (chip, program) = (chip(), program());
        for (state, block) in calls() {
            let mut expected = state;
            let bytes: Vec<u8> = block.iter().flat_map(|word| word.to_be_bytes()).collect();
            let bytes = bytes.try_into().expect("a block has 64 bytes");
            sha2::block_api::compress256(&mut expected, &[bytes]);

            let mut handed_on = message(&(0, state, block));
            let mut count = 0;
            for each in rounds(&words(&state, &block)) {
                let row = || chip.row(&each, &program);
                let caught = chip.catches(row(), &program);
                assert!(caught.is_empty(), "{each:x?}: {caught:?}");
                assert_eq!(chip.message(row(), "round").as_ref(), Some(&handed_on));
                assert_eq!(message(&each), handed_on);
                handed_on = chip.message(row(), "next_round").expect("it hands on");
                count += 1;
            }
            assert_eq!(count, ROUNDS);
            assert_eq!(handed_on[..2], [CLOCK, ROUNDS].map(F::from_u32));
            let last = handed_on[2..18]
                .chunks_exact(2)
                .map(|limbs| limbs[0].as_canonical_u32() | limbs[1].as_canonical_u32() << 16);
            let sums = last.zip(state).map(|(last, word)| word.wrapping_add(last));
            assert_eq!(sums.collect::<Vec<u32>>(), expected);
        }
    }

    #[test]
    fn carries_take_every_value_and_no_other() {
        let mut seen: [BTreeSet<u32>; 3] = Default::default();
        let value = |bits: &[F]| {
            let bits = bits.iter().rev();
            bits.fold(0, |value, bit| 2 * value + bit.as_canonical_u32())
        };
        let mut see = |row: Sha256Round<F>| {
            seen[0].extend(row.carry_e.chunks(3).map(value));
            seen[1].extend(row.carry_a.chunks(2).map(value));
            seen[2].extend(row.carry_w.chunks(2).map(value));
        };
        for (state, block) in calls() {
            for (t, state, window) in rounds(&words(&state, &block)) {
                see(fill(CLOCK, t, &state, &window));
            }
        }
        let expected = [0..6, 0..4, 0..4].map(BTreeSet::from_iter);
        assert_eq!(seen, expected);
    }

    #[test]
    fn padding_is_silent() {
        let chip = chip();
        let padding = || Sha256Round::take(&mut std::iter::repeat(F::ZERO));
        assert_eq!(chip.catches(padding(), &program()), BTreeSet::new());
        for (name, _, multiplicity, _) in messages(&chip.description, &cells(padding()), &[]) {
            assert_eq!(multiplicity, F::ZERO, "{name}");
        }
    }

    /// Chooses the words that the round makes so that their equations hold in the field.
    fn settle(chip: &Chip, row: &mut Sha256Round<F>) {
        let description = &chip.description;
        let mut main = Vec::new();
        let padding = Sha256Round::take(&mut std::iter::repeat(F::ZERO));
        std::mem::replace(row, padding).give(&mut |cell| main.push(cell));
        for word in ["new_e", "new_a", "new_w"] {
            for name in [format!("{word}[0]"), format!("{word}[1]")] {
                let mut values = Vec::new();
                let row = Row {
                    main: &main,
                    preprocessed: &[],
                    public: &[],
                };
                let tape = &description.constraint_tape;
                tape.run(row, &mut Vec::new(), |value: F| values.push(value));
                let mut constraints = description.constraints.iter();
                let constraint = constraints.position(|constraint| constraint.name == name);
                let column = description
                    .columns
                    .iter()
                    .position(|column| *column == name);
                let (constraint, column) = constraint.zip(column).expect("they share their name");
                main[column] += values[constraint];
            }
        }
        *row = Sha256Round::take(&mut main.into_iter());
    }

    fn rows_are_of_one_round(chip: &Chip) {
        // Rows that look like padding to the bus.
        for index in 0..8 {
            type Flags = fn(&mut Sha256Round<F>) -> &mut [F; 8];
            let flags: [(&str, Flags); 2] = [
                ("round_high", |row| &mut row.round_high),
                ("round_low", |row| &mut row.round_low),
            ];
            for (name, flags) in flags {
                let name = format!("{name}[{index}]_is_boolean");
                chip.assert_lie(&honest(), &[&name], |row| {
                    *row = Sha256Round::take(&mut std::iter::repeat(F::ZERO));
                    flags(row)[index] = F::NEG_ONE;
                    flags(row)[(index + 1) % 8] = F::ONE;
                });
            }
        }
        // Two rounds at once, with the constants of four.
        chip.assert_lie(&honest(), &["at_most_one_round"], |row| {
            (row.round_high[5], row.round_low[5]) = (F::ONE, F::ONE);
            settle(chip, row);
        });
        // A round without its constant, and a constant without a round.
        chip.assert_lie(&honest(), &["low_where_high"], |row| {
            row.round_low = [F::ZERO; 8];
            settle(chip, row);
        });
        chip.assert_lie(&honest(), &["low_where_high"], |row| {
            row.round_high = [F::ZERO; 8];
            settle(chip, row);
        });
    }

    fn bits_are_bits(chip: &Chip) {
        type Bits = fn(&mut Sha256Round<F>) -> &mut [F];
        let all: [Bits; 11] = [
            |row| &mut row.a,
            |row| &mut row.b,
            |row| &mut row.c,
            |row| &mut row.e,
            |row| &mut row.f,
            |row| &mut row.g,
            |row| &mut row.w_1,
            |row| &mut row.w_14,
            |row| &mut row.carry_e,
            |row| &mut row.carry_a,
            |row| &mut row.carry_w,
        ];
        let (record, program) = honest();
        let row = chip.row(&record, &program);
        for ((name, bits), cells) in bits(&row).into_iter().zip(all) {
            for index in 0..bits.len() {
                let name = format!("{name}[{index}]_is_boolean");
                for lie in [F::TWO, F::NEG_ONE] {
                    chip.assert_lie(&honest(), &[&name], |row| {
                        cells(row)[index] = lie;
                        settle(chip, row);
                    });
                }
            }
        }
    }

    fn words_are_the_sums_of_their_terms(chip: &Chip) {
        for limb in 0..2 {
            chip.assert_lie(&honest(), &[&format!("new_e[{limb}]")], |row| {
                row.new_e[limb] += F::ONE;
                row.new_a[limb] += F::ONE;
            });
            chip.assert_lie(&honest(), &[&format!("new_a[{limb}]")], |row| {
                row.new_a[limb] -= F::ONE;
            });
            chip.assert_lie(&honest(), &[&format!("new_w[{limb}]")], |row| {
                row.new_w[limb] += F::ONE;
            });
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        rows_are_of_one_round(&chip);
        bits_are_bits(&chip);
        words_are_the_sums_of_their_terms(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    #[test]
    fn every_cell_is_noticed() {
        let rows = [honest(), ((0, [0; 8], [0; 16]), program())];
        assert_eq!(chip().sweep(&rows), BTreeSet::new());
    }

    /// What the module's documentation says of limbs out of range: another carry splits the same
    /// word, and the next row has no bits for it.
    #[test]
    fn another_split_of_a_word_has_no_bits() {
        let (chip, ((t, state, window), program)) = (chip(), honest());
        let mut next = (t + 1, state, window);
        round(t, &mut next.1, &mut next.2);
        let mut row = fill(CLOCK, t, &state, &window);
        // One less is carried out of the low limb of `e`, or one more.
        let carried = row.carry_e[0];
        row.carry_e[0] = F::ONE - carried;
        settle(&chip, &mut row);
        let split = chip.message(row, "next_round").expect("it hands on");
        let row = chip.row(&next, &program);
        let honest = chip.message(row, "round").expect("it receives");
        let e = 2 + 2 * 4;
        let differs = split.iter().zip(&honest).map(|(x, y)| x != y);
        let differs: Vec<usize> = (0..).zip(differs).filter(|x| x.1).map(|x| x.0).collect();
        assert_eq!(differs, [2, 3, e, e + 1]);
        let value = |message: &[F]| message[e] + message[e + 1] * F::from_u32(1 << 16);
        assert_eq!(value(&split), value(&honest));
        assert!(split[e].as_canonical_u32() >= 1 << 16);
    }
}
