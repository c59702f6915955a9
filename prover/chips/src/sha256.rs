//! SHA-256's compression: one row for each call.
//!
//! # Relation
//!
//! A call at `clock` gets the words at `word0` (four: eight 32-bit words, the state) and at `word1`
//! (eight: 64 bytes, the block). The row sends the state and the block's sixteen 32-bit words,
//! big-endian, to the first of 64 rows of [`crate::sha256_round`], gets `a` to `h` from the last one,
//! and replaces the state: each 32-bit word by its sum with the last one of its letter, modulo 2^32.
//! `word2` is not used. Source: FIPS 180-4, section 6.2.2.
//!
//! ```text
//! state[i] + last[i] + carry in  =  output[i] + 2^16 · carry      by 16-bit limbs, low first
//! ```
//!
//! # Why the last words need no range check
//!
//! The output's limbs have no cells: they are what the equation leaves, and are looked up to be below
//! 2^16. `b`, `c`, `d`, `f`, `g` and `h` of the last round are sums of bits there. Of `e` the round
//! shows, with its terms and carries in range (see [`crate::sha256_round`]), that its limbs are
//! integers, smaller than 2^20 in absolute value, with `low + 2^16 · high` right modulo 2^32; of `a`
//! the same. A liar may choose the carries, and so the split. But here no equation wraps modulo p
//! either: `output` too is the right number modulo 2^32, and with limbs below 2^16 only one is.
//!
//! The window after the last round is nobody's concern: its cells take what there is.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `is_real` | boolean | `is_real_is_boolean` | take a call back |
//! | `clock`, `word0`, `word1`, `word2` | | precompile bus, from [`crate::system`] | work on other words, at other times |
//! | `state` | 16-bit limbs | memory bus | compress another state |
//! | `state_access`, `block_access` | | memory bus, see [`crate::operand`] | read what is no longer there |
//! | `block` | bytes | table of bytes; memory bus | split a limb otherwise, into another block |
//! | `last` | as above | SHA-256 bus, from [`crate::sha256_round`] | write any state |
//! | `last_window` | | SHA-256 bus; it is of no use | |
//! | `carry` | boolean | `carry[*]_is_boolean` | write any state |
//! | output, no cells | 16-bit limbs | range table | put limbs above 16 bits into memory |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Precompile;
use zkvm_isa::precompile::Operand;
use zkvm_isa::record::WordAccess;

use crate::common::{Byte, eval_bytes, eval_limbs};
use crate::operand::{Operands, ReadStamp, Stamp, fill_read_stamp, fill_stamp};
use crate::sha256_round::{self, ROUNDS, limbs};

columns! {
    /// One call.
    pub(crate) struct Sha256 {
        /// 1 in a row of a call.
        is_real: [cell],
        /// Clock of the call; from the precompile bus.
        clock: [cell],
        /// Index of the state's first word; from the precompile bus.
        word0: [cell],
        /// Index of the block's first word; from the precompile bus.
        word1: [cell],
        /// Index that the call does not use; from the precompile bus.
        word2: [cell],
        /// Limbs of the state before, two for each 32-bit word; from memory.
        state: [cells 16],
        /// When the state was accessed before.
        state_access: [groups Stamp 4],
        /// The block; range-checked.
        block: [cells 64],
        /// When the block was accessed before, and where it lives.
        block_access: [groups ReadStamp 8],
        /// Limbs of `a` to `h` after the last round; from the bus of rounds.
        last: [cells 16],
        /// Limbs of the schedule's words after the last round, of no use; from the bus of rounds.
        last_window: [cells 32],
        /// Carry of each limb of the sum.
        carry: [cells 16],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "sha256";

/// The state and the block.
const OPERANDS: [Operand; 2] = match Precompile::Sha256Compress.operands() {
    [state, block] => [*state, *block],
    _ => panic!("the call has two operands"),
};

pub(crate) fn eval(builder: &mut Builder, row: &Sha256<Expr>, _: &()) {
    let is_real = &row.is_real;
    builder.assert_bool("is_real_is_boolean", is_real);
    let call = vec![
        row.clock.clone(),
        Expr::from(Precompile::Sha256Compress as u32),
        row.word0.clone(),
        row.word1.clone(),
        row.word2.clone(),
    ];
    builder.receive("call", Bus::Precompile, is_real, call);

    let block = row.block.as_chunks().0;
    // The bytes of a 32-bit word, the first one uppermost.
    let window = block.iter().flat_map(|[b3, b2, b1, b0]: &[Expr; 4]| {
        [[b0, b1], [b2, b3]].map(|[low, high]| low + high * (1_u32 << 8))
    });
    let start = row.state.iter().cloned().chain(window);
    let end = row.last.iter().chain(&row.last_window).cloned();
    let message = |rounds: u32, words: Vec<Expr>| {
        [vec![row.clock.clone(), Expr::from(rounds)], words].concat()
    };
    let first = message(0, start.collect());
    builder.send("first_round", Bus::Sha256, is_real, first);
    let last = message(ROUNDS, end.collect());
    builder.receive("last_round", Bus::Sha256, is_real, last);

    let output = eval_output(builder, row);
    eval_limbs(builder, "output", is_real, &output);
    let gaps = eval_operands(builder, row, &output);
    let bytes = row.block.iter().enumerate();
    let bytes = bytes.map(|(index, byte)| Byte::new(&format!("block[{index}]"), byte));
    eval_bytes(builder, is_real, bytes.chain(gaps));
}

/// The limbs of the state after, which must be looked up.
fn eval_output(builder: &mut Builder, row: &Sha256<Expr>) -> [Expr; 16] {
    for (index, carry) in row.carry.iter().enumerate() {
        builder.assert_bool(&format!("carry[{index}]_is_boolean"), carry);
    }
    std::array::from_fn(|index| {
        let sum = &row.state[index] + &row.last[index] - &row.carry[index] * (1_u32 << 16);
        if index % 2 == 0 {
            sum
        } else {
            sum + &row.carry[index - 1]
        }
    })
}

/// The accesses to the state and to the block.
fn eval_operands(builder: &mut Builder, row: &Sha256<Expr>, output: &[Expr; 16]) -> Vec<Byte> {
    let [at_state, at_block] = OPERANDS;
    let operand = |first, operand| Operands {
        is_real: &row.is_real,
        clock: &row.clock,
        first,
        operand,
    };
    let (before, after) = (row.state.as_chunks().0, output.as_chunks().0);
    let mut gaps = operand(&row.word0, at_state).replace(
        builder,
        "state_access",
        &row.state_access,
        before,
        after,
    );
    let block: [[Expr; 4]; 8] = std::array::from_fn(|word| {
        std::array::from_fn(|limb| {
            let first = 8 * word + 2 * limb;
            Expr::join(&row.block[first..first + 2], 8)
        })
    });
    let block =
        operand(&row.word1, at_block).read(builder, "block_access", &row.block_access, &block);
    gaps.extend(block);
    gaps
}

/// Fills the row of a call at `clock` on `words`: four of the state, eight of the block, each of the
/// latter writable or not.
pub(crate) fn fill(clock: u32, words: &[WordAccess], is_read_only: &[bool]) -> Sha256<F> {
    let [at_state, at_block] = OPERANDS;
    let (state_words, block_words) = words.split_at(at_state.words as usize);
    assert_eq!(block_words.len(), at_block.words as usize);
    assert_eq!(block_words.len(), is_read_only.len());
    let (state, block) = sha256_round::start(words);
    let (mut last, mut last_window) = (state, block);
    for t in 0..ROUNDS {
        sha256_round::round(t, &mut last, &mut last_window);
    }
    let limb = |word: &[u32], index: usize| limbs(word[index / 2])[index % 2];
    // A limb's carry, the lower limb's being 0 or what was carried there.
    let carry = |index: usize, carry: u32| (limb(&state, index) + limb(&last, index) + carry) >> 16;
    let carries = (0..8).flat_map(|word| {
        let low = carry(2 * word, 0);
        [low, carry(2 * word + 1, low)]
    });
    let mut carries = carries.map(F::from_u32);
    let bytes = |index: usize| block_words[index / 8].previous.to_le_bytes()[index % 8];
    Sha256 {
        is_real: F::ONE,
        clock: F::new(clock),
        word0: F::new(state_words[0].word_index),
        word1: F::new(block_words[0].word_index),
        word2: F::ZERO,
        state: std::array::from_fn(|index| F::from_u32(limb(&state, index))),
        state_access: std::array::from_fn(|index| fill_stamp(&state_words[index], clock, at_state)),
        block: std::array::from_fn(|index| F::from_u8(bytes(index))),
        block_access: std::array::from_fn(|index| {
            fill_read_stamp(&block_words[index], clock, at_block, is_read_only[index])
        }),
        last: std::array::from_fn(|index| F::from_u32(limb(&last, index))),
        last_window: std::array::from_fn(|index| F::from_u32(limb(&last_window, index))),
        carry: std::array::from_fn(|_| carries.next().expect("a limb has its carry")),
    }
}
