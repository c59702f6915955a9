//! SHA-256's compression: one row for each call.
//!
//! # Relation
//!
//! A call at `clock` gets the words at `word0` (four: eight 32-bit words, the state) and at `word1`
//! (eight: 64 bytes, the block). The row sends the state and the block's sixteen 32-bit words,
//! big-endian, to the first of 64 rows of [`crate::sha256_round`], gets `a` to `h` from the last
//! one, and replaces the state: each 32-bit word by its sum with the last one of its letter, modulo
//! 2^32. Source: FIPS 180-4, section 6.2.2.
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
//! | `clock`, `word0`, `word1` | | precompile bus, from [`crate::system`] | work on other words, at other times |
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
use crate::operand::{Call, Operands, ReadStamp, Stamp, fill_read_stamp, fill_stamp};
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
    let call = Call {
        precompile: &Expr::from(Precompile::Sha256Compress as u32),
        clock: &row.clock,
        words: [&row.word0, &row.word1, &Expr::from(0)],
    };
    call.receive(builder, is_real);

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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use p3_field::{Field, PrimeField32};

    use zkvm_air::mutate::messages;
    use zkvm_air::{Columns as _, Description, Failure, Round, Table, check};
    use zkvm_isa::record::{SUBSTEP_MEMORY, SUBSTEP_RS1};
    use zkvm_testkit::rng::Rng;

    use super::*;
    use crate::ProgramRow;
    use crate::common::{SPACE_READ_ONLY, SPACE_WRITABLE};
    use crate::testing::{CLOCK, ChipTest, cells, lie, register_record};

    /// A call: its words, and which of the block's are not writable.
    type Call = (Vec<WordAccess>, [bool; 8]);

    type Chip = ChipTest<Call, Sha256<F>>;

    /// Where the state and the block lie.
    const STATE: u32 = 0x0200_0000;
    const BLOCK: u32 = 0x1234;

    /// FIPS 180-4, section 5.3.3.
    const INITIAL: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, |(words, is_read_only), _| {
            fill(CLOCK, words, is_read_only)
        })
    }

    /// The call on `state` and `block`. The chip looks nothing up in the program table; the row of
    /// some instruction stands in.
    fn call(state: &[u32; 8], block: &[u8; 64]) -> (Call, ProgramRow) {
        let state = state.chunks_exact(2).map(|halves| {
            let [low, high] = [halves[0], halves[1]].map(u64::from);
            low | high << 32
        });
        let block = block.as_chunks().0.iter().copied().map(u64::from_le_bytes);
        let indices = (STATE..STATE + 4).chain(BLOCK..BLOCK + 8);
        let words = indices.zip(state.chain(block)).enumerate();
        let words = words.map(|(order, (word_index, previous))| WordAccess {
            previous,
            word_index,
            clock: CLOCK - 1 - 0x7_0001 * order as u32 % 0x10_0000,
        });
        let is_read_only = std::array::from_fn(|index| index % 3 == 1);
        (
            (words.collect(), is_read_only),
            register_record(0x0073_02b3, 0, 0).1,
        )
    }

    fn random() -> (Call, ProgramRow) {
        let mut rng = Rng::new(0x5a25_6002);
        let state = std::array::from_fn(|_| rng.next_u64() as u32);
        let block = std::array::from_fn(|_| rng.next_u64() as u8);
        call(&state, &block)
    }

    /// The 32-bit words in limbs, two each.
    fn words_of(limbs: &[F]) -> Vec<u32> {
        let limbs = limbs.chunks_exact(2);
        let words = limbs.map(|limbs| {
            let [low, high] = [limbs[0], limbs[1]].map(|limb| limb.as_canonical_u32());
            assert!(low < 1 << 16 && high < 1 << 16);
            low | high << 16
        });
        words.collect()
    }

    /// Asserts that the call passes and writes to the state's words only; returns the state after.
    fn compress(chip: &Chip, state: &[u32; 8], block: &[u8; 64]) -> [u32; 8] {
        let (record, program) = call(state, block);
        let row = || chip.row(&record, &program);
        let message = |name: &str| chip.message(row(), name).expect("it sends");
        let caught = chip.catches(row(), &program);
        assert!(caught.is_empty(), "{state:x?}, {block:x?}: {caught:?}");
        let expected = [CLOCK, 2, STATE, BLOCK, 0].map(F::from_u32);
        assert_eq!(message("call"), expected);

        let (words, is_read_only) = &record;
        let access = |name: &str, space: u32, word: &WordAccess, substep: u32| {
            let [before, after] =
                ["before", "after"].map(|which| message(&format!("{name}.{which}")));
            assert_eq!(before[..2], [space, word.word_index].map(F::from_u32));
            assert_eq!(before[2..6], crate::common::limbs(word.previous));
            assert_eq!(before[6], F::from_u32(word.clock));
            assert_eq!(after[..2], before[..2]);
            assert_eq!(after[6], F::from_u32(CLOCK + substep));
            after[2..6].to_vec()
        };
        for (index, word) in words[4..].iter().enumerate() {
            let name = format!("block_access[{index}].stamp");
            let space = if is_read_only[index] {
                SPACE_READ_ONLY
            } else {
                SPACE_WRITABLE
            };
            let after = access(&name, space, word, SUBSTEP_RS1);
            assert_eq!(after, crate::common::limbs(word.previous));
        }
        let after = words[..4].iter().enumerate().flat_map(|(index, word)| {
            let name = format!("state_access[{index}]");
            words_of(&access(&name, SPACE_WRITABLE, word, SUBSTEP_MEMORY))
        });
        after
            .collect::<Vec<u32>>()
            .try_into()
            .expect("there are eight")
    }

    #[test]
    fn calls_compress() {
        let chip = chip();
        let mut rng = Rng::new(0x5a25_6003);
        let mut calls = vec![
            ([0; 8], [0; 64]),
            ([u32::MAX; 8], [u8::MAX; 64]),
            ([0; 8], [u8::MAX; 64]),
            ([u32::MAX; 8], [0; 64]),
            (INITIAL, std::array::from_fn(|index| index as u8)),
        ];
        calls.extend((0..100).map(|_| {
            (
                std::array::from_fn(|_| rng.next_u64() as u32),
                std::array::from_fn(|_| rng.next_u64() as u8),
            )
        }));
        for (state, block) in calls {
            let mut expected = state;
            sha2::block_api::compress256(&mut expected, &[block]);
            assert_eq!(compress(&chip, &state, &block), expected);
        }
    }

    /// FIPS 180-2, appendix B, and the digest of nothing as in NIST's vectors for SHA-256.
    #[test]
    fn published_digests_are_reached() {
        let digests: [(&[u8], &str); 3] = [
            (
                b"",
                "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            ),
            (
                b"abc",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            (
                b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
                "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
            ),
        ];
        let chip = chip();
        for (text, digest) in digests {
            let mut padded = text.to_vec();
            padded.push(0x80);
            while padded.len() % 64 != 56 {
                padded.push(0);
            }
            padded.extend((8 * text.len() as u64).to_be_bytes());
            let blocks = padded.as_chunks().0.iter();
            let state = blocks.fold(INITIAL, |state, block| compress(&chip, &state, block));
            let hex: String = state.iter().map(|word| format!("{word:08x}")).collect();
            assert_eq!(hex, digest);
        }
    }

    fn padding() -> Sha256<F> {
        Sha256::take(&mut std::iter::repeat(F::ZERO))
    }

    #[test]
    fn padding_is_silent() {
        let (chip, (_, program)) = (chip(), random());
        assert_eq!(chip.catches(padding(), &program), BTreeSet::new());
        for (name, _, multiplicity, _) in messages(&chip.description, &cells(padding()), &[]) {
            assert_eq!(multiplicity, F::ZERO, "{name}");
        }
    }

    /// The messages on the bus of rounds that do not cancel, in a table of the calls and one of the
    /// rounds, padded.
    fn unbalanced(calls: Vec<Sha256<F>>, rounds: Vec<F>) -> usize {
        let describe = Description::new::<sha256_round::Sha256Round<Expr>, ()>;
        let of_rounds = describe(sha256_round::NAME, Round::Main, sha256_round::eval);
        let of_rounds = of_rounds.expect("the chip is well formed");
        let calls: Vec<F> = calls.into_iter().flat_map(cells).collect();
        let chip = chip();
        let tables = [(&chip.description, &calls), (&of_rounds, &rounds)];
        let tables = tables.map(|(description, main)| Table {
            description,
            main,
            preprocessed: &[],
            public: &[],
        });
        let report = check(&tables, &[]);
        let of_bus = report.failures.iter().filter(|failure| match failure {
            Failure::Constraint { .. } => panic!("{report}"),
            Failure::Bus(balance) => balance.bus == Bus::Sha256,
        });
        of_bus.count()
    }

    #[test]
    fn calls_and_rounds_meet() {
        let [(first, _), (second, _)] = [random(), call(&INITIAL, &[7; 64])];
        let later = CLOCK + 4;
        let rows = || {
            let [first, second] = [(CLOCK, &first), (later, &second)]
                .map(|(clock, (words, is_read_only))| fill(clock, words, is_read_only));
            vec![first, second, padding()]
        };
        let rounds = |clock: u32, (words, _): &Call| {
            let rounds = sha256_round::rounds(words);
            let rows = rounds
                .map(|(t, state, window)| cells(sha256_round::fill(clock, t, &state, &window)));
            rows.collect::<Vec<Vec<F>>>()
        };
        let all = [rounds(CLOCK, &first), rounds(later, &second)].concat();
        let width = all[0].len();
        let padded = |rounds: &[Vec<F>]| [rounds.concat(), vec![F::ZERO; 3 * width]].concat();
        assert_eq!(unbalanced(rows(), padded(&all)), 0);
        // A round less, a round twice, a call's rounds under the other's clock.
        assert_eq!(unbalanced(rows(), padded(&all[1..])), 2);
        assert_eq!(
            unbalanced(rows(), padded(&[&all[..], &all[9..10]].concat())),
            2
        );
        let swapped = [rounds(later, &first), rounds(CLOCK, &second)].concat();
        assert_eq!(unbalanced(rows(), padded(&swapped)), 8);
    }

    fn sums_are_sums_modulo_2_to_the_32(chip: &Chip) {
        let two_to_16 = F::from_u32(1 << 16);
        for index in 0..16 {
            let name = format!("output[{index}]");
            for lie in [two_to_16, -two_to_16] {
                chip.assert_lie(&random(), &[&name], |row| {
                    row.last[index] += lie;
                });
            }
            let name = format!("carry[{index}]_is_boolean");
            for lie in [F::TWO, F::NEG_ONE, F::TWO.inverse()] {
                chip.assert_lie(&random(), &[&name], |row| {
                    let more = lie - row.carry[index];
                    row.carry[index] = lie;
                    row.last[index] += more * two_to_16;
                    if index % 2 == 0 {
                        row.last[index + 1] -= more;
                    }
                });
            }
        }
    }

    fn blocks_are_bytes(chip: &Chip) {
        for index in 0..64 {
            for lie in [F::from_u32(256), F::NEG_ONE, F::TWO.inverse()] {
                chip.assert_lie(&random(), &[&format!("block[{index}]")], |row| {
                    row.block[index] = lie;
                });
            }
        }
    }

    fn accesses_lie_in_the_past_in_one_of_two_spaces(chip: &Chip) {
        for index in 0..4 {
            let name = format!("state_access[{index}]");
            chip.assert_lies_in_the_past(&random(), (&name, SUBSTEP_MEMORY), |row| {
                let stamp = &mut row.state_access[index];
                [&mut stamp.previous_clock, &mut stamp.gap_high]
            });
        }
        for index in 0..8 {
            let name = format!("block_access[{index}]");
            let boolean = format!("{name}.is_read_only_is_boolean");
            chip.assert_lie(&random(), &[&boolean], |row| {
                row.block_access[index].is_read_only = F::TWO;
            });
            let name = format!("{name}.stamp");
            chip.assert_lies_in_the_past(&random(), (&name, SUBSTEP_RS1), |row| {
                let stamp = &mut row.block_access[index].stamp;
                [&mut stamp.previous_clock, &mut stamp.gap_high]
            });
        }
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        lie!(chip, "is_real_is_boolean", random(), |row| row.is_real =
            F::NEG_ONE);
        sums_are_sums_modulo_2_to_the_32(&chip);
        blocks_are_bytes(&chip);
        accesses_lie_in_the_past_in_one_of_two_spaces(&chip);
        chip.assert_every_name_was_forged(&[]);
    }

    /// What the module's documentation says of the last words: split otherwise they add up to the
    /// same, or are caught.
    #[test]
    fn another_split_of_the_last_words_writes_the_same() {
        let (chip, (record, program)) = (chip(), random());
        for word in 0..8 {
            let forged = || {
                let mut row = chip.row(&record, &program);
                let (low, high) = (2 * word, 2 * word + 1);
                // 2^16 more below, 1 less above, or the reverse.
                let carried = row.carry[low];
                let more = F::ONE - carried.double();
                row.carry[low] += more;
                row.last[low] += more * F::from_u32(1 << 16);
                row.last[high] -= more;
                row
            };
            assert_eq!(chip.catches(forged(), &program), BTreeSet::new());
            let name = format!("state_access[{}].after", word / 2);
            let honest = chip.message(chip.row(&record, &program), &name);
            assert_eq!(chip.message(forged(), &name), honest);
            let ends = |row| chip.message(row, "last_round");
            assert_ne!(ends(forged()), ends(chip.row(&record, &program)));
        }
    }

    #[test]
    fn every_cell_is_noticed() {
        let rows = [random(), call(&[0; 8], &[0; 64])];
        assert_eq!(chip().sweep(&rows), BTreeSet::new());
    }
}
