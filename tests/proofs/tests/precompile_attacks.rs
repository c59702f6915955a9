//! Attacks on precompiles: executions in which a call has another result, or is none, forged in
//! everything that follows from it. Each is noticed by exactly what is said, and its proof refused.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is looked for is two of many buses"
)]

use std::collections::BTreeSet;
use std::sync::OnceLock;

use num_bigint::{BigInt, Sign};
use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use zkvm_air::mutate::catches;
use zkvm_air::{Bus, F, Failure, Row};
use zkvm_chips::MachineChip;
use zkvm_isa::Precompile;
use zkvm_isa::record::{PrecompileCalls, SUBSTEP_MEMORY, TransferRecord, WordAccess};
use zkvm_isa::syscall::SPAN_END;
use zkvm_machine::{BoundaryWord, Permissions, SegmentLimits};
use zkvm_proofs_tests::keys::TraceKeys;
use zkvm_proofs_tests::programs::{CALLER_MEMORY, PrecompileCall, caller, caller_input};
use zkvm_proofs_tests::whole::{Run, Whole};
use zkvm_statement::Proof;
use zkvm_testkit::rng::Rng;
use zkvm_verifier::Blake3Config;

/// A system call that does nothing, whatever its arguments.
const NOTE: [u64; 4] = [SPAN_END, 0, 0, 0];

/// The keys of the one program that all executions here are of.
fn keys() -> &'static TraceKeys<Blake3Config> {
    static KEYS: OnceLock<TraceKeys<Blake3Config>> = OnceLock::new();
    KEYS.get_or_init(|| TraceKeys::new(&caller(2)))
}

/// The executor's run of two calls.
fn run(calls: [[u64; 4]; 2], memory: &[u64]) -> Run {
    let input = caller_input(&calls, memory);
    let run = Run::new(caller(2), &input, &SegmentLimits::STANDARD).expect("it has chips");
    assert_eq!(run.segments.len(), 1);
    run
}

/// The executor's run of one call.
fn run_one(call: [u64; 4], memory: &[u64]) -> Run {
    run([call, NOTE], memory)
}

fn fill(run: &Run) -> Whole {
    run.fill().unwrap_or_else(|error| panic!("{}", error.what))
}

/// The address of a word of the memory.
fn at(word: usize) -> u64 {
    CALLER_MEMORY + 8 * word as u64
}

/// A call whose operands lie at these words.
fn call<const N: usize>(precompile: Precompile, words: [usize; N]) -> [u64; 4] {
    let mut arguments = [precompile.number(), 0, 0, 0];
    for (argument, word) in arguments[1..].iter_mut().zip(words) {
        *argument = at(word);
    }
    arguments
}

fn random(seed: u64, count: usize) -> Vec<u64> {
    let mut rng = Rng::new(seed);
    (0..count).map(|_| rng.next_u64()).collect()
}

fn result(precompile: Precompile, words: &[u64]) -> Vec<u64> {
    let words = words.to_vec();
    let result = PrecompileCall { precompile, words }.result();
    result.expect("it has a result")
}

// Runs that are no executions.

/// The calls of a precompile in the run.
fn calls(run: &mut Run, precompile: Precompile) -> &mut PrecompileCalls {
    &mut run.segments[0].1.precompiles[precompile.index()]
}

/// The record of a word of the memory.
fn record_of(records: &mut [TransferRecord], word: usize) -> &mut TransferRecord {
    let mut records = records.iter_mut();
    let index = (at(word) / 8) as u32;
    let record = records.find(|record| record.word.word_index == index);
    record.expect("the word is transferred")
}

/// Puts these values into the memory, from `word` on, when it is journaled.
fn leave(run: &mut Run, word: usize, values: &[u64]) {
    let (segment, records) = &mut run.segments[0];
    for (word, value) in (word..).zip(values) {
        let record = record_of(&mut records.journal, word);
        (record.value, record.word.previous) = (*value, *value);
        let index = record.word.word_index;
        let mut boundary = segment.boundary.iter_mut();
        let boundary = boundary.find(|boundary| boundary.word_index == index);
        boundary.expect("the word is accessed").value_out = *value;
        run.execution.journal[8 * word..8 * word + 8].copy_from_slice(&value.to_le_bytes());
    }
}

/// Puts these values into the memory when it is read from hints.
fn bring(run: &mut Run, word: usize, values: &[u64]) {
    let records = &mut run.segments[0].1;
    for (word, value) in (word..).zip(values) {
        record_of(&mut records.hints, word).value = *value;
    }
}

/// Puts a value for another, wherever it is in a register and wherever it comes from.
fn substitute(run: &mut Run, from: u64, to: u64) {
    let mut count = 0;
    let mut change = |value: &mut u64| {
        if *value == from {
            *value = to;
            count += 1;
        }
    };
    let (segment, records) = &mut run.segments[0];
    for record in records.registers.iter_mut().flatten() {
        change(&mut record.rs1_value);
        change(&mut record.rs2_value);
        change(&mut record.rd_previous);
    }
    for load in &mut records.loads {
        change(&mut load.registers.rd_previous);
        change(&mut load.word.previous);
    }
    for call in &mut records.system {
        call.arguments.iter_mut().for_each(&mut change);
    }
    for word in &mut records.hints {
        change(&mut word.value);
    }
    for word in &mut segment.boundary {
        change(&mut word.value_out);
    }
    for register in &mut segment.boundary_registers {
        change(&mut register.value_out);
    }
    assert!(count >= 4, "hints, a word, a load, a register");
}

// What notices.

/// What notices the forgery: constraints and look-ups by their names, other buses by theirs.
fn noticing(whole: &mut Whole) -> BTreeSet<String> {
    whole.count_look_ups(0);
    let report = whole.report();
    let names = report.failures.iter().flat_map(|failure| match failure {
        Failure::Constraint { chip, name, .. } => vec![format!("{chip}.{name}")],
        Failure::Bus(balance) => match balance.bus {
            Bus::Range16 | Bus::Bytes => balance.interactions.clone(),
            bus => vec![format!("{bus:?}")],
        },
    });
    names.collect()
}

#[track_caller]
fn noticed(whole: &mut Whole, expected: &[&str]) {
    let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(noticing(whole), expected);
}

/// Asserts that exactly `expected` notice the forgery, and has its proof refused.
#[track_caller]
fn refused(mut whole: Whole, expected: &[&str]) {
    noticed(&mut whole, expected);
    let rejection = whole.rejection();
    assert!(rejection.is_some());
    assert_eq!(keys().prove_and_verify(&whole).err(), rejection);
}

// Rows.

/// A row of a chip, to be forged.
struct Forged<'a> {
    whole: &'a mut Whole,
    chip: &'static str,
    row: usize,
}

impl Forged<'_> {
    fn cell(&mut self, column: &str) -> &mut F {
        self.whole.cell(0, self.chip, self.row, column)
    }

    fn cells(&mut self, name: &str, values: impl IntoIterator<Item = i64>) {
        for (index, value) in values.into_iter().enumerate() {
            *self.cell(&format!("{name}[{index}]")) = F::from_i64(value);
        }
    }

    fn description(&self) -> &MachineChip {
        let mut chips = self.whole.chips(0).iter();
        let chip = chips.find(|chip| chip.description.name == self.chip);
        chip.expect("there is the chip")
    }

    /// What a constraint is in this row.
    fn residual(&self, constraint: &str) -> F {
        let cells = self.whole.row(0, self.chip, self.row);
        let chip = &self.description().description;
        let mut values = Vec::new();
        let row = Row {
            main: cells.as_slice(),
            preprocessed: &[],
            public: &[],
        };
        let tape = &chip.constraint_tape;
        tape.run(row, &mut Vec::new(), |value: F| values.push(value));
        let mut constraints = chip.constraints.iter();
        let index = constraints.position(|c| c.name == constraint);
        values[index.expect("there is the constraint")]
    }

    /// What the row itself notices.
    fn catches(&self) -> Vec<String> {
        let cells = self.whole.row(0, self.chip, self.row);
        let is_in_table = |bus: Bus, message: &[F]| {
            let value = |index: usize| message[index].as_canonical_u32();
            match bus {
                Bus::Range16 => Some(value(0) < 1 << 16),
                Bus::Bytes => Some(value(0) < 1 << 8 && value(1) < 1 << 8),
                _ => None,
            }
        };
        catches(&self.description().description, &cells, &[], &is_in_table)
    }

    /// Fills in the carries of an identity so that its equations hold modulo the order of the field.
    fn carry(&mut self, identity: &str, carries: &str, bits: u32) {
        let base = F::from_u32(1 << bits).inverse();
        let mut index = 0;
        while self
            .whole
            .has_column(0, self.chip, &format!("{carries}[{index}]"))
        {
            *self.cell(&format!("{carries}[{index}]")) = F::ZERO;
            let sum = self.residual(&format!("{identity}[{index}]"));
            *self.cell(&format!("{carries}[{index}]")) = sum * base;
            index += 1;
        }
    }
}

fn number(words: &[u64]) -> BigInt {
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
    BigInt::from_bytes_le(Sign::Plus, &bytes)
}

/// The lowest digits of a number that is not negative.
fn digits(number: &BigInt, bytes: usize, count: usize) -> Vec<i64> {
    let (sign, all) = number.to_bytes_le();
    assert_ne!(sign, Sign::Minus);
    let digit = |index: usize| {
        let own = all.iter().skip(index * bytes).take(bytes).zip(0..);
        own.map(|(byte, at)| i64::from(*byte) << (8 * at)).sum()
    };
    (0..count).map(digit).collect()
}

fn words(number: &BigInt) -> Vec<u64> {
    let mut digits: Vec<u64> = number.iter_u64_digits().collect();
    assert!(digits.len() <= 4);
    digits.resize(4, 0);
    digits
}

/// The characteristic of the field of the traces.
fn order() -> BigInt {
    BigInt::from(F::ORDER_U32)
}

// Keccak.

fn keccak_rows(whole: &Whole) -> usize {
    whole
        .rows(0, "keccak_round", &["clock"], |cells| cells[0] != F::ZERO)
        .len()
}

#[test]
fn a_bit_of_a_hash() {
    let state = random(1, 25);
    let mut run = run_one(call(Precompile::KeccakF, [0]), &state);
    let wrong = result(Precompile::KeccakF, &state)[0] ^ 1;
    leave(&mut run, 0, &[wrong]);
    let mut whole = fill(&run);
    let limb = F::from_u64(wrong & 0xffff);
    *whole.cell(0, "keccak", 0, "after[0]") = limb;
    *whole.cell(0, "keccak_round", 23, "after[0]") = limb;
    refused(whole, &["keccak_round.after[0]"]);

    let operands = random(2, 12);
    let mut run = run_one(call(Precompile::Sha256Compress, [0, 4]), &operands);
    let mut wrong = result(Precompile::Sha256Compress, &operands)[0];
    assert!(wrong >> 16 & 0xffff < 0xffff);
    wrong += 1 << 16;
    leave(&mut run, 0, &[wrong]);
    let mut whole = fill(&run);
    *whole.cell(0, "sha256", 0, "last[1]") += F::ONE;
    *whole.cell(0, "sha256_round", 63, "new_a[1]") += F::ONE;
    refused(whole, &["sha256_round.new_a[1]"]);
}

/// Two bytes of a block that make the same limb of memory, but another word of the message.
#[test]
fn a_block_of_other_bytes() {
    let mut memory = random(40, 12);
    memory[4] |= 1 << 8;
    let mut other = memory.clone();
    other[4] -= 1 << 8;
    let arguments = call(Precompile::Sha256Compress, [0, 4]);
    let mut run = run_one(arguments, &memory);
    leave(&mut run, 0, &result(Precompile::Sha256Compress, &other));
    let mut whole = fill(&run);
    let others = fill(&run_one(arguments, &other));
    for chip in ["sha256", "sha256_round"] {
        let mut chips = whole.chips(0).iter();
        let place = chips.position(|c| c.description.name == chip);
        let place = place.expect("there is the chip");
        whole.traces_mut(0)[place].clone_from(&others.traces(0)[place]);
    }
    // The lower byte takes 256 from the upper one, which is 1 less.
    let more = F::from_u32(1 << 8);
    *whole.cell(0, "sha256", 0, "block[0]") += more;
    // In the word, as in its limb, that is 2^16 more than there are bits for: carried away.
    let mut row = Forged {
        whole: &mut whole,
        chip: "sha256_round",
        row: 0,
    };
    *row.cell("w_0[1]") += F::from_u32(1 << 16);
    for (column, bits) in [("carry_e", [3, 4, 5].as_slice()), ("carry_w", &[2, 3])] {
        let mut carry = 1;
        for bit in bits {
            let cell = row.cell(&format!("{column}[{bit}]"));
            carry += cell.as_canonical_u32();
            *cell = F::from_u32(carry & 1);
            carry >>= 1;
        }
        assert_eq!(carry, 0, "{column} has room");
    }
    refused(whole, &["sha256.block[0] & block[1]"]);
}

/// Two calls whose rounds change places from one on: each gets the other's result.
#[test]
fn the_rounds_of_another_call() {
    let memory = random(3, 50);
    let mut run = run(
        [
            call(Precompile::KeccakF, [0]),
            call(Precompile::KeccakF, [25]),
        ],
        &memory,
    );
    let results = [&memory[..25], &memory[25..]].map(|state| result(Precompile::KeccakF, state));
    leave(&mut run, 0, &results[1]);
    leave(&mut run, 25, &results[0]);
    let mut whole = fill(&run);
    assert_eq!(keccak_rows(&whole), 48);
    for limb in 0..100 {
        let column = format!("after[{limb}]");
        let [a, b] = [0, 1].map(|row| *whole.cell(0, "keccak", row, &column));
        *whole.cell(0, "keccak", 0, &column) = b;
        *whole.cell(0, "keccak", 1, &column) = a;
    }
    for round in 12..24 {
        let [a, b] = [0, 24].map(|row| *whole.cell(0, "keccak_round", row + round, "clock"));
        *whole.cell(0, "keccak_round", round, "clock") = b;
        *whole.cell(0, "keccak_round", 24 + round, "clock") = a;
    }
    refused(whole, &["Keccak"]);
}

#[test]
fn a_round_dropped_or_repeated() {
    let cases = [
        (Precompile::KeccakF, "keccak_round", "Keccak", 25),
        (Precompile::Sha256Compress, "sha256_round", "Sha256", 12),
    ];
    for (precompile, chip, bus, count) in cases {
        let arguments = match precompile {
            Precompile::KeccakF => call(precompile, [0]),
            _ => call(precompile, [0, 4]),
        };
        let whole = fill(&run_one(arguments, &random(4, count)));
        let mut dropped = whole.clone();
        dropped.drop_row(0, chip, 7);
        noticed(&mut dropped, &[bus]);
        let mut repeated = whole.clone();
        let again = whole.row(0, chip, 7);
        repeated.add_row(0, chip, &again);
        noticed(&mut repeated, &[bus]);
        // All of it once more: the call's own row is missing.
        let mut repeated = whole.clone();
        for row in 0..whole
            .rows(0, chip, &["clock"], |cells| cells[0] != F::ZERO)
            .len()
        {
            let again = whole.row(0, chip, row);
            repeated.add_row(0, chip, &again);
        }
        noticed(&mut repeated, &[bus]);
    }
}

// Calls that are none, and none that are calls.

#[test]
fn a_call_that_does_not_happen() {
    let state = random(5, 25);
    let mut run = run_one(call(Precompile::KeccakF, [0]), &state);
    leave(&mut run, 0, &state);
    let made = std::mem::take(calls(&mut run, Precompile::KeccakF));
    for (word, access) in made.words.iter().enumerate() {
        record_of(&mut run.segments[0].1.journal, word).word.clock = access.clock;
    }
    refused(fill(&run), &["Precompile"]);
}

#[test]
fn a_call_that_is_not_made() {
    let mut run = run_one(call(Precompile::KeccakF, [0]), &random(6, 25));
    // Another system call that returns 0 stands in its place.
    substitute(&mut run, Precompile::KeccakF.number(), SPAN_END);
    refused(fill(&run), &["Precompile"]);
}

#[test]
fn the_number_of_another_call() {
    let memory = random(7, 25);
    for (precompile, arguments) in [
        (Precompile::KeccakF, call(Precompile::KeccakF, [0])),
        (
            Precompile::Secp256k1Double,
            call(Precompile::Secp256k1Double, [0]),
        ),
        (
            Precompile::Sha256Compress,
            call(Precompile::Sha256Compress, [0, 4]),
        ),
    ] {
        let honest = run_one(arguments, &memory);
        for other in Precompile::ALL {
            if other != precompile {
                let mut run = honest.clone();
                substitute(&mut run, precompile.number(), other.number());
                noticed(&mut fill(&run), &["Precompile"]);
            }
        }
    }
}

/// The permutation of the permutation, by one call.
#[test]
fn a_call_that_happens_twice() {
    let state = random(8, 25);
    let once = result(Precompile::KeccakF, &state);
    let twice = result(Precompile::KeccakF, &once);
    let mut run = run_one(call(Precompile::KeccakF, [0]), &state);
    let second = fill(&run_one(call(Precompile::KeccakF, [0]), &once));
    leave(&mut run, 0, &twice);
    let mut whole = fill(&run);
    let clock = *whole.cell(0, "keccak", 0, "clock");
    for round in 0..24 {
        let row = second.row(0, "keccak_round", round);
        whole.add_row(0, "keccak_round", &row);
    }
    let row = whole.add_row(0, "keccak", &second.row(0, "keccak", 0));
    for lane in 0..25 {
        let stamp = format!("lanes[{lane}]");
        let previous = format!("{stamp}.previous_clock");
        *whole.cell(0, "keccak", row, &previous) = clock + F::from_u32(SUBSTEP_MEMORY);
        // The gap is -1, which is this much times 2^16.
        *whole.cell(0, "keccak", row, &format!("{stamp}.gap_high")) = F::from_u32(0x7f00);
    }
    let noticing = noticing(&mut whole);
    let (gaps, others): (Vec<&String>, Vec<&String>) =
        noticing.iter().partition(|name| name.contains("gap_high"));
    assert_eq!(gaps.len(), 13, "{noticing:?}");
    assert_eq!(others, ["Precompile"]);
}

/// The executor's run of a note with these arguments, made a call with the accesses of an honest
/// one.
fn with_arguments(honest: &Run, arguments: [u64; 4], memory: &[u64]) -> Run {
    let mut run = run_one([SPAN_END, arguments[1], arguments[2], arguments[3]], memory);
    let (honest_segment, honest_records) = &honest.segments[0];
    let (segment, records) = &mut run.segments[0];
    records.precompiles = honest_records.precompiles.clone();
    for (record, honest) in records.journal.iter_mut().zip(&honest_records.journal) {
        *record = *honest;
    }
    for (word, honest) in segment.boundary.iter_mut().zip(&honest_segment.boundary) {
        assert_eq!(word.word_index, honest.word_index);
        if u64::from(word.word_index) * 8 >= CALLER_MEMORY {
            *word = *honest;
        }
    }
    run.execution.journal.clone_from(&honest.execution.journal);
    run
}

#[test]
fn arguments_that_the_executor_faults_on() {
    let memory = random(9, 25);
    let keccak = call(Precompile::KeccakF, [0]);
    let double = call(Precompile::Secp256k1Double, [0]);
    let add = call(Precompile::Secp256k1Add, [0, 8]);
    let multiply = call(Precompile::MultiplyMod, [0, 4, 8]);
    let cases: [([u64; 4], usize, u64, &str); 13] = [
        (keccak, 1, at(0) + 1, "system.operand_a0.aligned"),
        (keccak, 1, at(0) + 4, "system.operand_a0.aligned"),
        (keccak, 1, at(0) + (1 << 32), "system.operand_a0.address[2]"),
        (keccak, 1, at(0) + (1 << 63), "system.operand_a0.address[3]"),
        (keccak, 2, 8, "Precompile"),
        (keccak, 2, 4, "system.aligned"),
        (keccak, 2, 1 << 32, "system.address[2]"),
        (keccak, 3, 0x1_0000, "Precompile"),
        (double, 2, at(8), "Precompile"),
        (add, 3, at(8), "Precompile"),
        (add, 2, at(8) + 7, "system.aligned"),
        (multiply, 3, at(8) + 2, "system.operand_a2.aligned"),
        (
            multiply,
            3,
            at(8) + (1 << 47),
            "system.operand_a2.address[2]",
        ),
    ];
    for (arguments, index, value, expected) in cases {
        let honest = run_one(arguments, &memory);
        let mut wrong = arguments;
        wrong[index] = value;
        let mut run = with_arguments(&honest, wrong, &memory);
        number_of_first(&mut run, arguments[0]);
        let mut whole = fill(&run);
        noticed(&mut whole, &[expected]);
        if arguments == double {
            // The row says that it has another point.
            *whole.cell(0, "secp256k1", 0, "words[1]") = F::from_u64(value / 8);
            noticed(&mut whole, &["secp256k1.no_second_in_doubling"]);
        }
    }
}

/// Makes the first call's number this one; both are notes.
fn number_of_first(run: &mut Run, number: u64) {
    let (segment, records) = &mut run.segments[0];
    let first_header = (CALLER_MEMORY - 0x100) / 8;
    let is_header = |word: u32| u64::from(word) == first_header;
    let mut hints = records.hints.iter_mut();
    let hint = hints.find(|record| is_header(record.word.word_index));
    hint.expect("it is read").value = number;
    let mut loads = records.loads.iter_mut();
    let load = loads.find(|load| is_header(load.word.word_index));
    load.expect("it is loaded").word.previous = number;
    // The second call's number replaces it.
    let mut loads = records.loads.iter_mut();
    let load = loads.find(|load| load.registers.rd_previous == SPAN_END);
    load.expect("it is replaced").registers.rd_previous = number;
    let call = records.system.iter_mut();
    let mut call = call.filter(|call| call.arguments[0] == SPAN_END);
    call.next().expect("it is made").arguments[0] = number;
    let mut words = segment.boundary.iter_mut();
    let word = words.find(|word| is_header(word.word_index));
    word.expect("it is accessed").value_out = number;
}

#[test]
fn a_result_in_read_only_memory() {
    let program = caller(2);
    let mut images = program.images().iter();
    let text = images.find(|image| image.permissions != Permissions::ReadWrite);
    let text = text.expect("there is text");
    let words = text.data.as_chunks::<8>().0.iter().take(8);
    let words: Vec<u64> = words.map(|bytes| u64::from_le_bytes(*bytes)).collect();
    let results = result(DOUBLE, &words);
    let mut run = run_one([SPAN_END, u64::from(text.address), 0, 0], &[]);
    number_of_first(&mut run, DOUBLE.number());
    let (segment, records) = &mut run.segments[0];
    let mut made = records.system.iter();
    let made = made.find(|call| call.arguments[0] == DOUBLE.number());
    let clock = made.expect("it is made").clock;
    let double = &mut records.precompiles[DOUBLE.index()];
    double.clocks.push(clock);
    let first = text.address / 8;
    for (index, (value_in, value_out)) in words.iter().zip(results).enumerate() {
        let word_index = first + index as u32;
        double.words.push(WordAccess {
            previous: *value_in,
            word_index,
            clock: 0,
        });
        let word = BoundaryWord {
            word_index,
            segment_in: 0,
            value_in: *value_in,
            value_out,
            clock_out: clock + SUBSTEP_MEMORY,
        };
        segment.boundary.insert(index, word);
    }
    let whole = fill(&run);
    refused(whole.clone(), &["Memory"]);
    // The segment takes the words over as writable ones.
    let mut whole = whole;
    let two = F::from_u32(2);
    let rows = whole.rows(0, "boundary", &["space"], |cells| cells == [two]);
    assert_eq!(rows.len(), 8);
    for row in rows {
        *whole.cell(0, "boundary", row, "space") = F::ONE;
    }
    refused(whole, &["Boundary"]);
}

// Products.

/// Fills in the result of a product and all that follows, honest or not.
fn fill_product(row: &mut Forged<'_>, [x, y, modulus]: [&BigInt; 3], result: &BigInt) {
    let quotient = if *modulus == BigInt::ZERO {
        BigInt::ZERO
    } else {
        (x * y - result) / modulus
    };
    for (name, value, count) in [
        ("x", x, 32),
        ("y", y, 32),
        ("modulus", modulus, 32),
        ("quotient", &quotient, 64),
    ] {
        row.cells(name, digits(value, 1, count));
    }
    row.cells("result", digits(result, 2, 16));
    row.carry("product", "carry", 16);
    let [above, below] = [modulus, result].map(|number| digits(number, 2, 16));
    let differs = (0..16).rev().find(|limb| above[*limb] != below[*limb]);
    let differs = differs.expect("they differ");
    row.cells("differs", (0..16).map(|limb| i64::from(limb == differs)));
    *row.cell("difference") = F::from_i64(above[differs] - below[differs] - 1);
}

fn product(whole: &mut Whole) -> Forged<'_> {
    Forged {
        whole,
        chip: "multiply_mod",
        row: 0,
    }
}

/// `x`, `y` and a modulus with a small top word.
fn factors(seed: u64) -> (Vec<u64>, [BigInt; 3], BigInt) {
    let mut memory = random(seed, 12);
    memory[11] >>= 8;
    let [x, y, modulus] = [0, 4, 8].map(|first| number(&memory[first..first + 4]));
    let rest = &x * &y % &modulus;
    (memory, [x, y, modulus], rest)
}

#[test]
fn a_product_that_is_not_reduced() {
    let (memory, [x, y, modulus], rest) = factors(10);
    let mut run = run_one(call(Precompile::MultiplyMod, [0, 4, 8]), &memory);
    let wrong = rest + &modulus;
    leave(&mut run, 0, &words(&wrong));
    let mut whole = fill(&run);
    fill_product(&mut product(&mut whole), [&x, &y, &modulus], &wrong);
    refused(whole, &["multiply_mod.below_modulus"]);
}

#[test]
fn a_product_modulo_0() {
    let (mut memory, _, _) = factors(11);
    for word in [2, 3, 6, 7] {
        memory[word] = 0;
    }
    let mut run = run_one(call(Precompile::MultiplyMod, [0, 4, 8]), &memory);
    let [x, y] = [0, 4].map(|first| number(&memory[first..first + 4]));
    bring(&mut run, 8, &[0; 4]);
    leave(&mut run, 8, &[0; 4]);
    leave(&mut run, 0, &words(&(&x * &y)));
    let mut whole = fill(&run);
    let zero = BigInt::ZERO;
    fill_product(&mut product(&mut whole), [&x, &y, &zero], &(&x * &y));
    refused(whole.clone(), &["multiply_mod.below_modulus"]);
    // No limb is said to differ: then there is no call.
    product(&mut whole).cells("differs", [0; 16]);
    *product(&mut whole).cell("difference") = F::ZERO;
    noticed(&mut whole, &["Memory", "Precompile"]);
}

/// What reads the operands after the result is written reads 0, with which the result is 0.
#[test]
fn operands_read_after_the_result_is_written() {
    let (memory, [x, _, modulus], _) = factors(12);
    let mut run = run_one(call(Precompile::MultiplyMod, [0, 0, 8]), &memory);
    leave(&mut run, 0, &[0; 4]);
    let records = &mut run.segments[0].1;
    for word in 0..4 {
        record_of(&mut records.journal, word).word.clock -= SUBSTEP_MEMORY;
    }
    let mut whole = fill(&run);
    let mut row = product(&mut whole);
    fill_product(&mut row, [&x, &BigInt::ZERO, &modulus], &BigInt::ZERO);
    let clock = *row.cell("clock");
    for word in 0..4 {
        let column = |operand: &str, name: &str| match operand {
            "y" => format!("y_stamps[{word}].stamp.{name}"),
            _ => format!("x_stamps[{word}].{name}"),
        };
        let before = *row.cell(&column("y", "previous_clock"));
        *row.cell(&column("x", "previous_clock")) = before;
        *row.cell(&column("x", "gap_high")) = F::ZERO;
        *row.cell(&column("y", "previous_clock")) = clock + F::from_u32(SUBSTEP_MEMORY);
        // The gap is -3.
        *row.cell(&column("y", "gap_high")) = F::from_u32(0x7eff);
    }
    refused(
        whole,
        &[
            "multiply_mod.y_stamps[0].stamp.gap_high & y_stamps[1].stamp.gap_high",
            "multiply_mod.y_stamps[2].stamp.gap_high & y_stamps[3].stamp.gap_high",
        ],
    );
}

/// A number off by the order of the field times 2 to the 16 times `limb`, if it has 256 bits.
fn off(number: &BigInt, limb: usize, adds: bool) -> Option<BigInt> {
    let step = order() << (16 * limb);
    let wrong = if adds { number + step } else { number - step };
    (wrong.sign() != Sign::Minus && wrong.bits() <= 256).then_some(wrong)
}

/// Every equation holds modulo the order of the field: one carry is off by 2^16 less one over 2^16.
#[test]
fn products_off_by_the_order_of_the_field() {
    let (memory, [x, y, modulus], rest) = factors(13);
    let honest = run_one(call(Precompile::MultiplyMod, [0, 4, 8]), &memory);
    let mut whole = fill(&honest);
    let numbers = [&x, &y, &modulus];
    let mut tried = 0;
    let mut attempt = |wrong: Option<BigInt>, context: &str| {
        let Some(wrong) = wrong.filter(|wrong| *wrong < modulus) else {
            return;
        };
        let mut row = product(&mut whole);
        fill_product(&mut row, numbers, &rest);
        assert!(row.catches().is_empty());
        row.cells("result", digits(&wrong, 2, 16));
        let [above, below] = [&modulus, &wrong].map(|number| digits(number, 2, 16));
        let differs = (0..16).rev().find(|limb| above[*limb] != below[*limb]);
        let differs = differs.expect("they differ");
        row.cells("differs", (0..16).map(|limb| i64::from(limb == differs)));
        *row.cell("difference") = F::from_i64(above[differs] - below[differs] - 1);
        row.carry("product", "carry", 16);
        let catches = row.catches();
        let by_carries = |name: &String| name.starts_with("product.carry");
        assert!(!catches.is_empty(), "{context}: accepted");
        assert!(catches.iter().all(by_carries), "{context}: {catches:?}");
        tried += 1;
    };
    for limb in 0..15 {
        for adds in [false, true] {
            attempt(off(&rest, limb, adds), &format!("{limb} {adds}"));
            for other in (0..15).filter(|other| *other != limb) {
                let wrong = off(&rest, limb, adds).and_then(|wrong| off(&wrong, other, !adds));
                attempt(wrong, &format!("{limb} {other} {adds}"));
            }
        }
    }
    assert!(tried > 300, "{tried}");

    let wrong = off(&rest, 2, true).expect("it has 256 bits");
    let mut run = honest;
    leave(&mut run, 0, &words(&wrong));
    let mut whole = fill(&run);
    let mut row = product(&mut whole);
    row.cells("result", digits(&wrong, 2, 16));
    row.carry("product", "carry", 16);
    let catches = row.catches();
    assert_eq!(catches.len(), 1, "{catches:?}");
    refused(whole, &[&format!("multiply_mod.{}", catches[0])]);
}

// Points.

fn prime() -> BigInt {
    (BigInt::from(1) << 256) - (BigInt::from(1_u64 << 32) + 977)
}

fn reduce(number: BigInt) -> BigInt {
    ((number % prime()) + prime()) % prime()
}

fn inverse(number: &BigInt) -> BigInt {
    number.modpow(&(prime() - 2), &prime())
}

/// What a row of secp256k1 claims.
#[derive(Clone)]
struct Line {
    is_double: bool,
    first: [BigInt; 2],
    second: [BigInt; 2],
    slope: BigInt,
    third: [BigInt; 2],
}

impl Line {
    /// The third point for a slope, of these operands.
    fn with_slope(is_double: bool, memory: &[u64], slope: BigInt) -> Self {
        let coordinate = |index: usize| {
            let words = memory.get(4 * index..4 * index + 4);
            words.map_or(BigInt::ZERO, number)
        };
        let [x1, y1, x2, y2] = [0, 1, 2, 3].map(coordinate);
        let other = if is_double { &x1 } else { &x2 };
        let x3 = reduce(&slope * &slope - &x1 - other);
        let y3 = reduce(&slope * (&x1 - &x3) - &y1);
        Line {
            is_double,
            first: [x1, y1],
            second: [x2, y2],
            slope,
            third: [x3, y3],
        }
    }

    /// The addition of these operands.
    fn addition(memory: &[u64]) -> Self {
        let [x1, y1, x2, y2] = [0, 1, 2, 3].map(|index| number(&memory[4 * index..4 * index + 4]));
        let slope = reduce((y2 - y1) * inverse(&reduce(x2 - x1)));
        Line::with_slope(false, memory, slope)
    }

    fn words(&self) -> Vec<u64> {
        self.third.iter().flat_map(words).collect()
    }

    /// Fills the row. Quotients are those that its equations have over the integers, rounded down.
    fn fill(&self, row: &mut Forged<'_>) {
        let Line {
            is_double,
            first: [x1, y1],
            second: [x2, y2],
            slope,
            third: [x3, y3],
        } = self;
        let middle = BigInt::from_bytes_le(Sign::Plus, &[128; 32]);
        let mut shifted = slope + &middle;
        if shifted.bits() > 256 {
            shifted -= prime();
        }
        let s = &shifted - &middle;
        for (name, value) in [("x1", x1), ("y1", y1), ("x2", x2), ("x3", x3)] {
            row.cells(name, digits(value, 1, 32));
        }
        row.cells("y2", digits(y2, 2, 16));
        row.cells("y3", digits(y3, 2, 16));
        let slope = digits(&shifted, 1, 32).into_iter();
        row.cells("slope", slope.map(|digit| digit - 128));
        let floor = |number: BigInt| {
            let shift = BigInt::from(1) << 300;
            (number + &shift * prime()) / prime() - shift
        };
        let of_slope = floor(if *is_double {
            &s * y1 * 2 - x1 * x1 * 3
        } else {
            &s * (x2 - x1) - (y2 - y1)
        });
        let mut quotient = digits(&(of_slope + (BigInt::from(5) << 256)), 1, 33);
        quotient[32] -= 5;
        row.cells("slope_quotient", quotient);
        let other = if *is_double { x1 } else { x2 };
        for (name, value) in [
            ("x3_quotient", floor(&s * &s - x1 - other - x3)),
            ("y3_quotient", floor(&s * (x1 - x3) - y1 - y3)),
        ] {
            let lifted = digits(&(value + (BigInt::from(1) << 256)), 2, 17);
            let mut quotient = lifted[..16].to_vec();
            quotient[15] += (lifted[16] - 1) << 16;
            row.cells(name, quotient);
        }
        for (name, bits) in [("slope", 8), ("x3", 16), ("y3", 16)] {
            row.carry(name, &format!("{name}_carry"), bits);
        }
        let is_add = F::from_bool(!is_double);
        let uses = [F::ONE, F::ONE, is_add, is_add, F::ONE, F::ONE];
        let names = ["x1", "y1", "x2", "y2", "x3", "y3"];
        for (index, (name, is_used)) in names.into_iter().zip(uses).enumerate() {
            let [near, inverse] =
                ["is_near", "inverse"].map(|cell| format!("reduced[{index}].{cell}"));
            (*row.cell(&near), *row.cell(&inverse)) = (F::ZERO, F::ONE);
            let far = row.residual(&format!("{name}.is_far")) + is_used;
            *row.cell(&inverse) = is_used * far.try_inverse().unwrap_or(F::ZERO);
        }
        *row.cell("apart") = F::ZERO;
        let apart = -row.residual("apart");
        *row.cell("apart") = apart;
        *row.cell("apart_inverse") = apart.try_inverse().unwrap_or(F::ZERO);
    }
}

fn points(whole: &mut Whole) -> Forged<'_> {
    Forged {
        whole,
        chip: "secp256k1",
        row: 0,
    }
}

const ADD: Precompile = Precompile::Secp256k1Add;
const DOUBLE: Precompile = Precompile::Secp256k1Double;

/// The run of an addition, with another second point.
fn addition_with(memory: &[u64], other: &[u64]) -> Run {
    let mut run = run_one(call(ADD, [0, 8]), memory);
    bring(&mut run, 8, other);
    leave(&mut run, 8, other);
    run
}

#[test]
fn the_helper_fills_honest_rows() {
    let memory = random(20, 16);
    let mut whole = fill(&run_one(call(ADD, [0, 8]), &memory));
    let before = whole.row(0, "secp256k1", 0);
    Line::addition(&memory).fill(&mut points(&mut whole));
    assert_eq!(whole.row(0, "secp256k1", 0), before);
    noticed(&mut whole, &[]);
}

#[test]
fn a_slope_of_equal_points() {
    let memory = random(21, 16);
    let mut run = addition_with(&memory, &memory[..8]);
    let equal = memory[..8].repeat(2);
    // Any slope will do, so that any point is their sum.
    let line = Line::with_slope(false, &equal, reduce(number(&random(22, 4))));
    leave(&mut run, 0, &line.words());
    let mut whole = fill(&run);
    line.fill(&mut points(&mut whole));
    refused(whole, &["secp256k1.apart_is_not_0"]);
}

#[test]
fn a_slope_where_y_is_0() {
    let mut run = run_one(call(DOUBLE, [0]), &random(23, 8));
    bring(&mut run, 0, &[0; 8]);
    let line = Line::with_slope(true, &[0; 8], reduce(number(&random(24, 4))));
    leave(&mut run, 0, &line.words());
    let mut whole = fill(&run);
    line.fill(&mut points(&mut whole));
    noticed(&mut whole, &["secp256k1.apart_is_not_0"]);
}

#[test]
fn coordinates_that_are_not_reduced() {
    // A third point with x = 5, or with y = 5.
    let [x1, y1, slope] = [0, 4, 8].map(|first| reduce(number(&random(25, 12)[first..first + 4])));
    let five = BigInt::from(5);
    for (column, free) in [("x3", 0), ("y3", 1)] {
        let (x1, y1, x2) = if free == 0 {
            let x2 = reduce(&slope * &slope - &x1 - &five);
            (x1.clone(), y1.clone(), x2)
        } else {
            let x2 = reduce(number(&random(26, 4)));
            let x3 = reduce(&slope * &slope - &x1 - &x2);
            let y1 = reduce(&slope * (&x1 - x3) - &five);
            (x1.clone(), y1, x2)
        };
        let y2 = reduce(&y1 + &slope * (&x2 - &x1));
        let memory: Vec<u64> = [x1, y1, x2, y2].iter().flat_map(words).collect();
        let mut line = Line::addition(&memory);
        assert_eq!(line.third[free], five);
        line.third[free] += prime();
        let mut run = run_one(call(ADD, [0, 8]), &memory);
        leave(&mut run, 0, &line.words());
        let mut whole = fill(&run);
        line.fill(&mut points(&mut whole));
        let expected = format!("secp256k1.{column}.is_far");
        if free == 0 {
            refused(whole, &[&expected]);
        } else {
            noticed(&mut whole, &[&expected]);
        }
    }
    // An operand that is 5 more than the prime.
    for (name, coordinate) in [("x1", 0), ("y1", 1), ("x2", 2), ("y2", 3)] {
        let mut memory = random(27, 16);
        memory[4 * coordinate..4 * coordinate + 4].copy_from_slice(&words(&five));
        let mut line = Line::addition(&memory);
        let mut run = run_one(call(ADD, [0, 8]), &memory);
        let wrong = words(&(&five + prime()));
        bring(&mut run, 4 * coordinate, &wrong);
        if coordinate >= 2 {
            leave(&mut run, 4 * coordinate, &wrong);
            line.second[coordinate - 2] += prime();
        } else {
            line.first[coordinate] += prime();
        }
        let mut whole = fill(&run);
        line.fill(&mut points(&mut whole));
        noticed(&mut whole, &[&format!("secp256k1.{name}.is_far")]);
    }
}

/// As for products, in the equations of `x3` and `y3`.
#[test]
fn points_off_by_the_order_of_the_field() {
    let memory = random(28, 16);
    let honest = run_one(call(ADD, [0, 8]), &memory);
    let mut whole = fill(&honest);
    let line = Line::addition(&memory);
    let (mut tried, mut chosen) = (0, None);
    let mut attempt = |wrong: Option<BigInt>, coordinate: usize, context: &str| {
        let Some(wrong) = wrong.filter(|wrong| *wrong < prime()) else {
            return;
        };
        let mut row = points(&mut whole);
        let mut forged = line.clone();
        if coordinate == 0 {
            // The equation of y3 holds, for the wrong x3.
            let y3 = &line.slope * (&line.first[0] - &wrong) - &line.first[1];
            forged.third[1] = reduce(y3);
        }
        forged.third[coordinate] = wrong;
        forged.fill(&mut row);
        // The quotient of the honest one.
        let name = ["x3", "y3"][coordinate];
        let quotient: Vec<i64> = {
            line.fill(&mut row);
            (0..16)
                .map(|index| {
                    let cell = *row.cell(&format!("{name}_quotient[{index}]"));
                    i64::from(cell.as_canonical_u32())
                })
                .collect()
        };
        forged.fill(&mut row);
        row.cells(&format!("{name}_quotient"), quotient);
        row.carry(name, &format!("{name}_carry"), 16);
        let catches = row.catches();
        assert!(!catches.is_empty(), "{context}: accepted");
        let by_carries = |caught: &String| caught.starts_with(&format!("{name}.carry"));
        assert!(catches.iter().all(by_carries), "{context}: {catches:?}");
        if catches.len() == 1 && coordinate == 0 {
            chosen = Some((forged, whole.row(0, "secp256k1", 0), catches[0].clone()));
        }
        tried += 1;
    };
    for coordinate in [0, 1] {
        let honest = &line.third[coordinate];
        for limb in 0..15 {
            for adds in [false, true] {
                let wrong = off(honest, limb, adds);
                attempt(wrong, coordinate, &format!("{coordinate} {limb} {adds}"));
                let other = (limb + 7) % 15;
                let wrong = off(honest, limb, adds).and_then(|wrong| off(&wrong, other, !adds));
                let context = format!("{coordinate} {limb} {other} {adds}");
                attempt(wrong, coordinate, &context);
            }
        }
    }
    assert!(tried > 100, "{tried}");
    let (forged, cells, catches) = chosen.expect("one look-up alone catches some");
    let mut run = honest;
    leave(&mut run, 0, &forged.words());
    let mut whole = fill(&run);
    whole.drop_row(0, "secp256k1", 0);
    assert_eq!(whole.add_row(0, "secp256k1", &cells), 0);
    refused(whole, &[&format!("secp256k1.{catches}")]);
}

// Honest, and yet odd.

#[test]
fn operands_may_overlap() {
    let memory = random(30, 24);
    let cases: [[u64; 4]; 12] = [
        call(Precompile::MultiplyMod, [0, 0, 0]),
        call(Precompile::MultiplyMod, [0, 0, 4]),
        call(Precompile::MultiplyMod, [0, 4, 0]),
        call(Precompile::MultiplyMod, [0, 4, 4]),
        call(Precompile::MultiplyMod, [2, 0, 3]),
        call(Precompile::MultiplyMod, [1, 3, 0]),
        call(Precompile::Sha256Compress, [0, 0]),
        call(Precompile::Sha256Compress, [3, 0]),
        call(Precompile::Sha256Compress, [0, 2]),
        call(ADD, [0, 4]),
        call(ADD, [4, 0]),
        call(ADD, [0, 1]),
    ];
    for arguments in cases {
        let precompile = Precompile::of_number(arguments[0]).expect("it is one");
        let operands = precompile.operands().iter().zip(&arguments[1..]);
        let operands: Vec<u64> = operands
            .flat_map(|(operand, address)| {
                let first = ((address - CALLER_MEMORY) / 8) as usize;
                memory[first..first + operand.words as usize].to_vec()
            })
            .collect();
        let mut whole = fill(&run_one(arguments, &memory));
        noticed(&mut whole, &[]);
        let result = result(precompile, &operands);
        let first = (arguments[1] - CALLER_MEMORY) as usize;
        let bytes: Vec<u8> = result.into_iter().flat_map(u64::to_le_bytes).collect();
        assert_eq!(whole.journal[first..first + bytes.len()], bytes);
    }
}

// The verifier.

#[test]
fn tables_of_precompiles_of_impossible_heights() {
    let memory = random(31, 50);
    let calls = [
        call(Precompile::KeccakF, [0]),
        call(Precompile::Sha256Compress, [25, 30]),
    ];
    let whole = fill(&run(calls, &memory));
    let proof = keys().prove(&whole);
    assert!(keys().verify(whole.exit_code, &proof).is_ok());
    let bytes = proof.to_bytes().expect("it has an encoding");
    let again = Proof::<Blake3Config>::from_bytes(&bytes).expect("it is one");
    assert!(keys().verify(whole.exit_code, &again).is_ok());
    let chips = whole.chips(0).iter().enumerate();
    let precompiles = chips.filter(|(_, chip)| {
        let name = chip.description.name.as_str();
        let is_of = |precompile: Precompile| {
            let mut rows = precompile.rows().iter();
            rows.any(|(chip, _)| chip.name() == name)
        };
        Precompile::ALL.into_iter().any(is_of)
    });
    let precompiles: Vec<usize> = precompiles.map(|(index, _)| index).collect();
    assert_eq!(precompiles.len(), 6);
    for index in precompiles {
        let honest = proof.segments[0].tables.heights_log2[index];
        for height in [
            None,
            Some(0),
            Some(1),
            Some(2),
            Some(3),
            Some(22),
            Some(23),
            Some(64),
            Some(255),
        ] {
            if height == honest {
                continue;
            }
            let mut forged = proof.clone();
            let tables = &mut forged.segments[0].tables;
            tables.heights_log2[index] = height;
            assert!(keys().verify(whole.exit_code, &forged).is_err());
            // With openings and sums as many as tables.
            let place = whole.traces(0)[..index].iter().flatten().count();
            let tables = &mut forged.segments[0].tables;
            match (honest.is_some(), height.is_some()) {
                (true, false) => {
                    tables.openings.remove(place);
                    let _ = tables.sums.remove(place);
                }
                (false, true) => {
                    let again = tables.openings[0].clone();
                    tables.openings.insert(place, again);
                    let again = tables.sums[0];
                    tables.sums.insert(place, again);
                    assert!(keys().verify(whole.exit_code, &forged).is_err());
                    // And with rows of the right width.
                    let description = &whole.chips(0)[index].description;
                    let opening = &mut forged.segments[0].tables.openings[place];
                    let some = opening.main[0];
                    opening.main.resize(description.columns.len(), some);
                    opening.preprocessed.clear();
                    let fractions = zkvm_verifier::logup::fractions(description);
                    let dimension = zkvm_verifier::logup::DIMENSION;
                    opening.fractions.resize(dimension * fractions, some);
                    opening.running.resize(dimension, some);
                    opening.running_next.resize(dimension, some);
                }
                _ => {}
            }
            assert!(keys().verify(whole.exit_code, &forged).is_err());
        }
    }
}
