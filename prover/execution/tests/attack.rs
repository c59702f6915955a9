//! Attacks on the verifier of executions: proofs of several segments and parts, mutated in every
//! field, and what an attacker would like to prove.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing, TwoAdicField};
use p3_matrix::Matrix;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::{Description, F, Round, Row, Scope};
use zkvm_chips::{MachineChip, MemoryEnds, Traces, count_look_ups};
use zkvm_isa::record::{Part, Records};
use zkvm_machine::{
    Discard, Input, Limits, Program, Recording, Segment, SegmentLimits, execute_segments, load,
    replay,
};
use zkvm_prover::{
    Blake3Config, Config, Cpu, Hash, Header, Keys, Options, Parameters, Poseidon2Config, Proof,
    Security, SegmentProof, VerifyError, prove, report, verify,
};
use zkvm_stark::{Trace, commit_boundary};
use zkvm_statement::{ExecutionKeys, SegmentEnd, between_messages, context, segment_messages};
use zkvm_testkit::asm::{Assembler, Reg, base};
use zkvm_testkit::elf::ElfBuilder;
use zkvm_testkit::rng::Rng;
use zkvm_verifier::logup::{
    Challenges, SCOPES, for_each_pair, fractions, pairs_in, speaks_between,
};
use zkvm_verifier::{
    Challenge, Commitment, ExecutionTranscript, Statement, TableOpening, TablesProof, Transcript,
    VerifyingKey, messages_sum,
};

const TEXT: u64 = 0x2000;
const DATA: u64 = 0x10_0000;
/// Words that the guest stores to: more than one table of words has rows.
const WORDS: u64 = 8300;

/// Stores to many words, writes its journal in two calls far apart, and halts with 42.
fn program() -> Program {
    let mut code = Assembler::new(TEXT);
    let (a0, a1, a2, a7) = (Reg::x(10), Reg::x(11), Reg::x(12), Reg::x(17));
    let journal = |code: &mut Assembler, bytes: u64| {
        code.li(a0, 3);
        code.li(a1, TEXT & !0xfff);
        code.li(a2, bytes);
        code.li(a7, 64);
        code.emit(base::ecall());
    };
    journal(&mut code, 16);
    let (at, count) = (Reg::x(5), Reg::x(6));
    code.li(at, DATA);
    code.li(count, WORDS);
    let again = code.label();
    code.bind(again);
    code.emit(base::sd(count, at, 0));
    code.emit(base::addi(at, at, 8));
    code.emit(base::addi(count, count, -1));
    code.branch(base::bne, count, Reg::ZERO, again);
    journal(&mut code, 11);
    code.li(a0, 42);
    code.li(a7, 93);
    code.emit(base::ecall());
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, code.finish().bytes)
        .build();
    load(&elf).expect("it loads")
}

/// Few queries: these tests are about what is proved, not about its strength.
fn weak() -> Security {
    let parameters = Parameters {
        queries: 3,
        query_grinding_bits: 0,
        ..Parameters::STANDARD
    };
    Security {
        parameters,
        bits: 0,
    }
}

/// Keys, and an honest proof of several segments and a part of words.
fn honest() -> &'static (Keys, Proof) {
    static HONEST: OnceLock<(Keys, Proof)> = OnceLock::new();
    HONEST.get_or_init(|| {
        let keys = Keys::new(&program(), weak()).expect("the program is small");
        let segment_limits = SegmentLimits {
            rows_max: 8195,
            cycles_max: 15_000,
            ..SegmentLimits::STANDARD
        };
        let options = Options {
            limits: Limits::STANDARD,
            segment_limits,
            exit_code: 42,
        };
        let input = Input::default();
        let proved = prove(&keys, &Cpu, &input, &options, &mut Discard, &mut |_| {
            std::ops::ControlFlow::Continue(())
        });
        let (proof, _) = proved.expect("it is provable");
        assert!(
            proof.segments.len() >= 3 && !proof.words.is_empty(),
            "{proof:?}"
        );
        let verified = verify(&keys, 42, &proof).expect("it holds");
        assert_eq!(verified.journal.len(), 27);
        (keys, proof)
    })
}

fn index(rng: &mut Rng, length: usize) -> Option<usize> {
    (length > 0).then(|| rng.below(length as u64) as usize)
}

/// Changes the length or order of a list.
fn poke<T: Clone>(list: &mut Vec<T>, rng: &mut Rng) {
    match rng.below(8) {
        0 => drop(list.pop()),
        1 => list.extend(list.first().cloned()),
        2 => list.clear(),
        3 => list.extend(list.clone()),
        4 => {
            if let (Some(a), Some(b)) = (index(rng, list.len()), index(rng, list.len())) {
                list.swap(a, b);
            }
        }
        5 => list.truncate(list.len() / 2),
        6 => {
            if let Some(at) = index(rng, list.len()) {
                list.remove(at);
            }
        }
        _ => {
            if let (Some(from), Some(at)) = (index(rng, list.len()), index(rng, list.len())) {
                list.insert(at, list[from].clone());
            }
        }
    }
}

fn some<'a, T>(list: &'a mut [T], rng: &mut Rng) -> Option<&'a mut T> {
    let at = index(rng, list.len())?;
    list.get_mut(at)
}

fn field(rng: &mut Rng) -> F {
    match rng.below(4) {
        0 => F::ZERO,
        1 => F::ONE,
        2 => F::NEG_ONE,
        _ => F::from_u64(rng.next_u64() & 0x7fff_ffff),
    }
}

fn challenges(list: &mut Vec<Challenge>, rng: &mut Rng) {
    if rng.one_in(2) {
        poke(list, rng);
    } else {
        let value = field(rng);
        if let Some(element) = some(list, rng) {
            *element += value;
        }
    }
}

fn commitment(cap: &mut Commitment<Blake3Config>, rng: &mut Rng) {
    let mut roots = cap.roots().to_vec();
    match rng.below(3) {
        0 => roots = [roots.clone(), roots].concat(),
        1 => roots[0][rng.below(32) as usize] ^= 1 << rng.below(8),
        _ => roots = vec![[0; 32]; 1 << rng.below(6)],
    }
    *cap = roots.into();
}

fn opening(opening: &mut TableOpening, rng: &mut Rng) {
    let lists = [
        &mut opening.main,
        &mut opening.preprocessed,
        &mut opening.fractions,
        &mut opening.running,
        &mut opening.running_next,
        &mut opening.quotient,
    ];
    let at = rng.below(6) as usize;
    if let Some(list) = lists.into_iter().nth(at) {
        challenges(list, rng);
    }
}

/// Mutates the proof of the commitment scheme.
fn mutate_fri(proof: &mut TablesProof<Blake3Config>, rng: &mut Rng) {
    let fri = &mut proof.pcs;
    match rng.below(14) {
        0 => poke(&mut fri.commit_phase_commits, rng),
        1 => {
            if let Some(cap) = some(&mut fri.commit_phase_commits, rng) {
                commitment(cap, rng);
            }
        }
        2 => poke(&mut fri.commit_pow_witnesses, rng),
        3 => {
            if let Some(witness) = some(&mut fri.commit_pow_witnesses, rng) {
                *witness += field(rng);
            }
        }
        4 => poke(&mut fri.input_openings, rng),
        5 => {
            if let Some(batch) = some(&mut fri.input_openings, rng) {
                match rng.below(4) {
                    0 => poke(&mut batch.opened_values, rng),
                    1 => {
                        if let Some(query) = some(&mut batch.opened_values, rng) {
                            poke(query, rng);
                        }
                    }
                    2 => {
                        if let Some(query) = some(&mut batch.opened_values, rng)
                            && let Some(row) = some(query, rng)
                        {
                            poke(row, rng);
                        }
                    }
                    _ => {
                        for query in &mut batch.opened_values {
                            poke(query, rng);
                        }
                    }
                }
            }
        }
        6 => {
            if let Some(batch) = some(&mut fri.input_openings, rng) {
                poke(&mut batch.opening_proof.sibling_hashes, rng);
            }
        }
        7 => poke(&mut fri.commit_phase_openings, rng),
        8 => {
            if let Some(step) = some(&mut fri.commit_phase_openings, rng) {
                poke(&mut step.sibling_values, rng);
            }
        }
        9 => {
            if let Some(step) = some(&mut fri.commit_phase_openings, rng)
                && let Some(values) = some(&mut step.sibling_values, rng)
            {
                challenges(values, rng);
            }
        }
        10 => {
            if let Some(step) = some(&mut fri.commit_phase_openings, rng) {
                poke(&mut step.opening_proof.sibling_hashes, rng);
            }
        }
        11 => challenges(&mut fri.final_poly, rng),
        12 => fri.query_pow_witness += field(rng),
        _ => fri.batch_pow_witness += field(rng),
    }
}

fn mutate_tables(proof: &mut TablesProof<Blake3Config>, rng: &mut Rng) {
    match rng.below(16) {
        0 => poke(&mut proof.heights_log2, rng),
        1 | 2 => {
            let height = match rng.below(6) {
                0 => None,
                1 => Some(0),
                2 => Some(255),
                3 => Some(22),
                _ => Some(rng.below(66) as u8),
            };
            if let Some(slot) = some(&mut proof.heights_log2, rng) {
                *slot = height;
            }
        }
        3 => {
            let height = match rng.below(4) {
                0 => None,
                1 => Some(2),
                2 => Some(22),
                _ => Some(255),
            };
            proof.heights_log2.fill(height);
        }
        4 => match &mut proof.boundary {
            Some(_) if rng.one_in(2) => proof.boundary = None,
            Some(cap) => commitment(cap, rng),
            None => proof.boundary = Some(proof.main.clone()),
        },
        5 => commitment(&mut proof.main, rng),
        6 => commitment(&mut proof.logup, rng),
        7 => commitment(&mut proof.quotient, rng),
        8 => proof.logup_grinding += field(rng),
        9 => challenges(&mut proof.sums, rng),
        10 => challenges(&mut proof.sums_between, rng),
        11 => poke(&mut proof.openings, rng),
        12 => {
            if let Some(at) = index(rng, proof.openings.len()) {
                opening(&mut proof.openings[at], rng);
            }
        }
        13 => {
            // A table is dropped with all that belongs to it.
            if let Some(at) = index(rng, proof.heights_log2.len())
                && proof.heights_log2[at].is_some()
            {
                let place = proof.heights_log2[..at].iter().flatten().count();
                proof.heights_log2[at] = None;
                proof.openings.remove(place);
                let _ = proof.sums.remove(place);
            }
        }
        _ => mutate_fri(proof, rng),
    }
}

fn mutate(proof: &mut Proof, rng: &mut Rng) {
    match rng.below(24) {
        0 => poke(&mut proof.segments, rng),
        1 => poke(&mut proof.words, rng),
        2 => poke(&mut proof.journal, rng),
        3 => proof.last_word = rng.next_u64() as u32,
        4 => proof.grinding += field(rng),
        5 => {
            if let Some(segment) = some(&mut proof.segments, rng) {
                segment.end_half_pc = rng.next_u64() as u32 >> rng.below(32);
            }
        }
        6 => {
            if let Some(segment) = some(&mut proof.segments, rng) {
                segment.end_clock = rng.next_u64() as u32 >> rng.below(32);
            }
        }
        7 => {
            if let Some(segment) = some(&mut proof.segments, rng) {
                segment.journal_end = rng.next_u64() as u32 >> rng.below(32);
            }
        }
        8 => {
            // A part of words stands in for a segment, or the reverse.
            if let (Some(segment), Some(words)) = (
                index(rng, proof.segments.len()),
                index(rng, proof.words.len()),
            ) {
                std::mem::swap(&mut proof.segments[segment].tables, &mut proof.words[words]);
            }
        }
        9 => {
            if let (Some(a), Some(b)) = (
                index(rng, proof.segments.len()),
                index(rng, proof.segments.len()),
            ) {
                let tables = proof.segments[a].tables.clone();
                proof.segments[b].tables = tables;
            }
        }
        10 | 11 => {
            if let Some(words) = some(&mut proof.words, rng) {
                mutate_tables(words, rng);
            }
        }
        // The first segment is verified first.
        12..16 => {
            if let Some(segment) = proof.segments.first_mut() {
                mutate_tables(&mut segment.tables, rng);
            }
        }
        _ => {
            if let Some(segment) = some(&mut proof.segments, rng) {
                mutate_tables(&mut segment.tables, rng);
            }
        }
    }
}

/// Seeds to try; an environment variable for long runs.
fn rounds(standard: u64) -> u64 {
    let rounds = std::env::var("ATTACK_ROUNDS").ok();
    rounds
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(standard)
}

/// Verifies whatever it is: it must not panic, take long, or hold.
fn refuse(keys: &Keys, proof: &Proof, what: &str) {
    let begin = Instant::now();
    let result = catch_unwind(AssertUnwindSafe(|| {
        drop(report(keys, proof));
        verify(keys, 42, proof)
    }));
    match result {
        Err(_) => panic!("{what}: the verifier panicked"),
        Ok(Ok(_)) => panic!("{what}: it still holds"),
        Ok(Err(_)) => {}
    }
    let took = begin.elapsed();
    assert!(took < Duration::from_secs(60), "{what}: it took {took:?}");
}

#[test]
fn every_mutated_proof_is_refused_without_panic() {
    let (keys, proof) = honest();
    let honest_bytes = proof.to_bytes().expect("it has an encoding");
    for seed in 0..rounds(300) {
        let mut rng = Rng::new(seed);
        let mut mutated = proof.clone();
        for _ in 0..=rng.below(2) {
            mutate(&mut mutated, &mut rng);
        }
        if mutated.to_bytes().expect("it has an encoding") == honest_bytes {
            continue;
        }
        refuse(keys, &mutated, &format!("seed {seed}"));
    }
}

/// Adds a checksum.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let sum = blake3::hash(&bytes);
    bytes.extend_from_slice(&sum.as_bytes()[..8]);
    bytes
}

/// Mutates the bytes of a proof, and hands over what is refused by nobody before the verifier.
fn mutate_files<C: Config>(proof: &Proof<C>, refuse: impl Fn(&Proof<C>, &str)) {
    let mut bytes = proof.to_bytes().expect("it has an encoding");
    bytes.truncate(bytes.len() - 8);
    for seed in 0..rounds(300) {
        let mut rng = Rng::new(seed ^ 0x5555_0000);
        let mut mutated = bytes.clone();
        // Most of the interesting lengths come early, or right at the beginning of a segment.
        for _ in 0..=rng.below(3) {
            let all = mutated.len() as u64 - 11;
            let range = if rng.one_in(2) { all.min(3000) } else { all };
            let at = 11 + rng.below(range) as usize;
            match rng.below(6) {
                0 => mutated[at] = 0xff,
                1 => mutated[at] = 0,
                2 => mutated[at] = mutated[at].wrapping_add(1),
                3 => {
                    let huge = [0xff, 0xff, 0xff, 0xff, 0x0f];
                    mutated.splice(at..=at, huge);
                }
                4 => drop(mutated.remove(at)),
                _ => mutated[at] ^= 1 << rng.below(8),
            }
        }
        if mutated == bytes {
            continue;
        }
        let file = sealed(mutated);
        let decoded = catch_unwind(|| Proof::<C>::from_bytes(&file));
        match decoded {
            Err(_) => panic!("seed {seed}: the decoder panicked"),
            Ok(Ok(proof)) => refuse(&proof, &format!("bytes, seed {seed}")),
            Ok(Err(_)) => {}
        }
    }
}

#[test]
fn every_mutated_file_is_refused_without_panic() {
    let (keys, proof) = honest();
    mutate_files(proof, |proof, what| refuse(keys, proof, what));
}

#[test]
fn every_mutated_file_of_poseidon2_is_refused_without_panic() {
    let keys = Keys::<Poseidon2Config>::new(&keeper(), weak()).expect("the program is small");
    let options = Options {
        limits: Limits::STANDARD,
        segment_limits: SegmentLimits {
            cycles_max: 1 << 10,
            ..SegmentLimits::STANDARD
        },
        exit_code: 5,
    };
    let proved = prove(
        &keys,
        &Cpu,
        &Input::default(),
        &options,
        &mut Discard,
        &mut |_| std::ops::ControlFlow::Continue(()),
    );
    let (proof, _) = proved.expect("it is provable");
    verify(&keys, 5, &proof).expect("it holds");
    mutate_files(&proof, |proof, what| {
        let verified = catch_unwind(AssertUnwindSafe(|| verify(&keys, 5, proof)));
        let verified = verified.unwrap_or_else(|_| panic!("{what}: the verifier panicked"));
        assert!(verified.is_err(), "{what}: it still holds");
    });
}

/// Segments that somebody executed, or says so.
type Executed = Vec<(Segment, Records)>;

/// The traces of one proof of an execution.
struct PartTraces {
    part: Part,
    traces: Traces,
}

const COUNTER: u64 = 600;

/// Stores 5 to a word, counts down for longer than a segment, and halts with what the word holds.
fn keeper() -> Program {
    let mut code = Assembler::new(TEXT);
    let (a0, a7, at, count) = (Reg::x(10), Reg::x(17), Reg::x(5), Reg::x(6));
    code.li(at, DATA);
    code.emit(base::addi(a0, Reg::ZERO, 5));
    code.emit(base::sd(a0, at, 0));
    code.li(count, COUNTER);
    let again = code.label();
    code.bind(again);
    code.emit(base::addi(count, count, -1));
    code.branch(base::bne, count, Reg::ZERO, again);
    code.emit(base::ld(a0, at, 0));
    code.emit(base::addi(a7, Reg::ZERO, 93));
    code.emit(base::ecall());
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, code.finish().bytes)
        .build();
    load(&elf).expect("it loads")
}

fn keeper_keys() -> &'static Keys {
    static KEYS: OnceLock<Keys> = OnceLock::new();
    KEYS.get_or_init(|| Keys::new(&keeper(), weak()).expect("the program is small"))
}

fn executed(program: &Program) -> Executed {
    let limits = SegmentLimits {
        cycles_max: 1 << 10,
        ..SegmentLimits::STANDARD
    };
    let mut segments = Vec::new();
    execute_segments(
        program,
        &Input::default(),
        &Limits::STANDARD,
        &limits,
        Recording::Records,
        &mut Discard,
        &mut |segment, records| segments.push((segment, records.clone())),
    )
    .expect("it runs");
    segments
}

/// The traces that an honest prover makes of what was, or was not, executed.
fn traces(keys: &Keys, executed: &Executed) -> (Vec<PartTraces>, u32) {
    let mut ends = MemoryEnds::new();
    executed.iter().for_each(|(segment, _)| ends.note(segment));
    let last = keys.chips(Part::Last);
    let memory = ends.finish(last, 1 << 20).expect("all words are mapped");
    let parts = executed.iter().map(|(segment, records)| {
        let (part, memory) = if segment.halts {
            (Part::Last, Some(memory.in_last().expect("it has tables")))
        } else {
            (Part::Segment, None)
        };
        let traces = keys.chips(part).segment_traces(segment, records, memory);
        let traces = traces.expect("it is provable");
        PartTraces { part, traces }
    });
    (parts.collect(), memory.last_word)
}

fn public(part: Part, index: usize) -> Vec<F> {
    match part {
        Part::Segment | Part::Last => vec![F::from_usize(index)],
        Part::Words => Vec::new(),
    }
}

/// Proves traces, whatever they say, as the execution of `executed` with `exit_code`.
fn prove_traces(
    keys: &Keys,
    executed: &Executed,
    (mut parts, last_word): (Vec<PartTraces>, u32),
    exit_code: u32,
) -> Proof {
    let config = keys.config();
    for (index, PartTraces { part, traces }) in parts.iter_mut().enumerate() {
        count_look_ups(keys.chips(*part), traces, &public(*part, index));
    }
    let matrices: Vec<(Part, Vec<Option<Trace>>)> = parts
        .into_iter()
        .map(|PartTraces { part, traces }| {
            let chips = traces.into_iter().zip(&keys.chips(part).chips);
            let width = |chip: &MachineChip| chip.description.columns.len();
            let chips = chips.map(|(trace, chip)| Some(RowMajorMatrix::new(trace?, width(chip))));
            (part, chips.collect())
        })
        .collect();
    let context = context(&keys.program_id().0, exit_code, &[], executed.len());
    let messages = between_messages(last_word);
    let mut transcript = ExecutionTranscript::begin(config, &context, &messages, matrices.len());
    for (index, (part, traces)) in matrices.iter().enumerate() {
        let proving = keys.proving(*part).expect("it has keys");
        let heights: Vec<Option<u8>> = traces
            .iter()
            .map(|trace| trace.as_ref().map(|trace| trace.height().ilog2() as u8))
            .collect();
        let boundary = commit_boundary(config, proving, traces.clone()).expect("it fits");
        let public = public(*part, index);
        transcript.proof(&proving.verifying, &public, &heights, boundary.as_ref());
    }
    let grinding = transcript.grind(config.parameters().logup_grinding_bits);
    let shared = transcript.draw();
    let mut half_pc = keys.program().entry() / 2;
    let (mut segments, mut words) = (Vec::new(), Vec::new());
    for (index, (part, traces)) in matrices.into_iter().enumerate() {
        let segment = executed.get(index).map(|(segment, _)| segment);
        let (end_half_pc, end_clock) = match segment {
            Some(segment) if !segment.halts => (segment.end.pc as u32 / 2, segment.end_clock()),
            _ => (0, 0),
        };
        let end = match part {
            Part::Last => SegmentEnd::Halt { exit_code },
            Part::Segment | Part::Words => SegmentEnd::Continues {
                half_pc: end_half_pc,
                clock: end_clock,
            },
        };
        let messages = match part {
            Part::Words => Vec::new(),
            Part::Segment | Part::Last => segment_messages(half_pc, end, 0, &[]),
        };
        let statement = Statement {
            context: &[F::from_usize(index)],
            public: &public(part, index),
            messages: &messages,
            shared: &shared,
        };
        let proving = keys.proving(part).expect("it has keys");
        let tables = zkvm_stark::prove(config, &Cpu, proving, &statement, traces);
        let tables = tables.expect("any traces are proved");
        if part == Part::Words {
            words.push(tables);
        } else {
            segments.push(SegmentProof {
                end_half_pc,
                end_clock,
                journal_end: 0,
                tables,
            });
        }
        half_pc = end_half_pc;
    }
    Proof {
        header: Header {
            hash: Hash::Blake3,
            parameters: *config.parameters(),
            machine: keys.machine(),
        },
        program_id: keys.program_id().0,
        exit_code,
        journal: Vec::new(),
        last_word,
        grinding,
        segments,
        words,
    }
}

const WORD: u32 = (DATA / 8) as u32;

/// The execution whose last segment finds `value` in the word, as `segment_in` left it.
fn with_word(value: u64, segment_in: u32) -> Executed {
    let program = keeper_keys().program();
    let mut executed = executed(program);
    let (last, records) = executed.last_mut().expect("there are segments");
    assert!(last.halts && last.number == 1);
    let word = last
        .boundary
        .iter_mut()
        .find(|word| word.word_index == WORD);
    let word = word.expect("the last segment loads it");
    (word.value_in, word.value_out, word.segment_in) = (value, value, segment_in);
    let a0 = last
        .boundary_registers
        .iter_mut()
        .find(|a0| a0.number == 10);
    a0.expect("and writes a0").value_out = value;
    last.end.registers[10] = value;
    *records = replay(program, last).expect("inside the segment nothing is wrong");
    executed
}

/// The cell `column` of the row of `chip` in which `column_of_word` is the word.
fn row_of<'a>(
    keys: &Keys,
    parts: &'a mut [PartTraces],
    index: usize,
    (chip, column_of_word): (&str, &str),
) -> (&'a mut [F], Vec<String>) {
    let PartTraces { part, traces } = &mut parts[index];
    let chips = keys.chips(*part).chips.iter().zip(traces);
    let mut found = chips.filter(|(candidate, _)| candidate.description.name == chip);
    let (chip, trace) = found.next().expect("there is such a chip");
    let columns = chip.description.columns.clone();
    let at = columns.iter().position(|column| column == column_of_word);
    let at = at.expect("there is such a column");
    let cells = trace.as_mut().expect("it is there");
    let mut rows = cells.chunks_mut(columns.len());
    let row = rows.find(|row| row[at] == F::from_u32(WORD));
    (row.expect("the word has a row"), columns)
}

#[test]
fn the_forgers_prover_makes_valid_proofs_of_what_is_true() {
    let keys = keeper_keys();
    let executed = with_word(5, 1);
    let proof = prove_traces(keys, &executed, traces(keys, &executed), 5);
    assert_eq!(verify(keys, 5, &proof).expect("it holds").exit_code, 5);
}

#[test]
fn a_segment_cannot_take_over_what_an_earlier_one_already_replaced() {
    let keys = keeper_keys();
    // The word's initial value, once more; and the last value, with another number on it.
    for (value, segment_in) in [(0, 0), (6, 1), (6, 0)] {
        let executed = with_word(value, segment_in);
        let exit_code = value as u32;
        let proof = prove_traces(keys, &executed, traces(keys, &executed), exit_code);
        assert_eq!(verify(keys, exit_code, &proof), Err(VerifyError::Between));
    }
}

#[test]
fn a_segment_cannot_take_over_what_it_leaves_itself() {
    let keys = keeper_keys();
    // Row and message cancel: nothing between segments would notice. The word ends as the first
    // segment left it.
    let executed = with_word(6, 2);
    let (mut parts, last_word) = traces(keys, &executed);
    let (row, columns) = row_of(keys, &mut parts, 1, ("memory", "word"));
    for (name, value) in [("link.last_value[0]", 5), ("link.last_segment", 1)] {
        let at = columns.iter().position(|column| column == name);
        row[at.expect("there is such a column")] = F::from_u32(value);
    }
    let proof = prove_traces(keys, &executed, (parts, last_word), 6);
    let refused = verify(keys, 6, &proof);
    assert!(
        matches!(
            refused,
            Err(VerifyError::Segment {
                number: 1,
                error: zkvm_verifier::VerifyError::Balance
            })
        ),
        "{refused:?}"
    );
}

#[test]
fn a_word_cannot_begin_again_in_a_part_of_words() {
    let keys = keeper_keys();
    let executed = with_word(0, 0);
    // The first line ends as the first segment left it, the second as the last one.
    for chained in [false, true] {
        let (mut parts, last_word) = traces(keys, &executed);
        let (row, columns) = row_of(keys, &mut parts, 1, ("memory", "word"));
        let at = |name: &str| {
            columns
                .iter()
                .position(|column| column == name)
                .expect(name)
        };
        let mut again = row.to_vec();
        row[at("link.last_value[0]")] = F::from_u32(5);
        row[at("link.last_segment")] = F::ONE;
        if chained {
            // After itself: a distance of 0, which is -1 as the chain counts.
            again[at("link.before")] = F::from_u32(WORD);
            again[at("link.distance_low")] = F::NEG_ONE;
            again[at("link.distance_high")] = F::ZERO;
        }
        again.resize(4 * columns.len(), F::ZERO);
        let traces = keys.chips(Part::Words).words_traces(again);
        parts.push(PartTraces {
            part: Part::Words,
            traces,
        });
        let proof = prove_traces(keys, &executed, (parts, last_word), 0);
        let refused = verify(keys, 0, &proof);
        match (chained, &refused) {
            (false, Err(VerifyError::Between))
            | (
                true,
                Err(VerifyError::Words {
                    number: 0,
                    error: zkvm_verifier::VerifyError::Balance,
                }),
            ) => {}
            _ => panic!("{chained}: {refused:?}"),
        }
    }
}

#[test]
fn an_execution_cannot_end_before_it_halts_or_halt_twice() {
    let keys = keeper_keys();
    let executed = with_word(5, 1);
    // The last segment stands alone, or comes twice; the first stands alone, or comes twice.
    for order in [vec![1], vec![0, 1, 1], vec![0], vec![0, 0, 1], vec![1, 0]] {
        let forged: Executed = order.iter().map(|index| executed[*index].clone()).collect();
        let (parts, last_word) = traces(keys, &forged);
        let proof = prove_traces(keys, &forged, (parts, last_word), 5);
        assert!(verify(keys, 5, &proof).is_err(), "{order:?}");
    }
}

/// Sums, openings and a shape of the commitment scheme's proof that pass every check before the
/// commitment scheme's own, for commitments that commit to nothing.
fn made_up(keys: &Keys, honest: &Proof, rng: &mut Rng) -> Proof {
    let config = keys.config();
    let key = keys.key(Part::Last).expect("it has keys");
    let mut proof = honest.clone();
    proof.words.clear();
    proof.segments.drain(..honest.segments.len() - 1);
    proof.journal.clear();
    proof.segments[0].journal_end = 0;
    let tables = &mut proof.segments[0].tables;
    let heights = key.tables().iter().map(|table| {
        let height = if rng.one_in(4) {
            22
        } else {
            2 + rng.below(14) as u8
        };
        table
            .preprocessed_height_log2
            .or_else(|| (!rng.one_in(3)).then_some(height))
    });
    tables.heights_log2 = heights.collect();
    let mut root = || -> Commitment<Blake3Config> {
        vec![std::array::from_fn(|_| rng.next_u64() as u8)].into()
    };
    // The image is always there, and it is committed to before the others.
    tables.boundary = Some(root());
    (tables.main, tables.logup, tables.quotient) = (root(), root(), root());

    let context = context(&proof.program_id, 42, &[], 1);
    let messages = between_messages(proof.last_word);
    let mut transcript = ExecutionTranscript::begin(config, &context, &messages, 1);
    let public = [F::ZERO];
    let heights = &tables.heights_log2;
    transcript.proof(key, &public, heights, tables.boundary.as_ref());
    let shared = transcript.draw();
    let end = SegmentEnd::Halt { exit_code: 42 };
    let statement = Statement {
        context: &[F::ZERO],
        public: &public,
        messages: &segment_messages(keys.program().entry() / 2, end, 0, &[]),
        shared: &shared,
    };
    let boundary = tables.boundary.as_ref();
    let mut transcript = Transcript::begin(config, key, &statement, heights, boundary);
    assert!(transcript.check_logup(&tables.main, 0, F::ZERO));
    let challenges = [transcript.logup_challenges(), shared.challenges];
    let present: Vec<_> = key
        .tables()
        .iter()
        .zip(heights)
        .filter_map(|(table, height)| Some((&table.description, (*height)?)))
        .collect();
    tables.sums = vec![Challenge::ZERO; present.len()];
    let sum = messages_sum(Scope::Segment, statement.messages, &challenges[0]);
    tables.sums[0] = -sum.expect("they are on its buses");
    let between = present.iter().filter(|(chip, _)| speaks_between(chip));
    tables.sums_between = vec![Challenge::ZERO; between.count()];
    let alpha = transcript.constraint_challenge(
        &tables.logup,
        [tables.sums.as_slice(), &tables.sums_between],
    );
    let zeta = transcript.out_of_domain_point(&tables.quotient);
    tables.openings = present
        .iter()
        .zip(&tables.sums)
        .map(|((chip, height), sum)| {
            let mut opening = made_up_opening(chip, rng);
            let n = 1_u64 << height;
            // The quotient's first chunk alone has a value; its weight is the other's vanishing
            // polynomial.
            let w = F::two_adic_generator(usize::from(*height) + 1);
            let other = (F::GENERATOR * w).inverse();
            let vanishing = |x: Challenge| (x * other).exp_u64(n) - Challenge::ONE;
            let weight = vanishing(zeta) / vanishing(Challenge::from(F::GENERATOR));
            let combined = combined(chip, &opening, &public, &challenges, [*sum, alpha], n);
            let trace_vanishing = zeta.exp_u64(n) - Challenge::ONE;
            opening.quotient[0] = combined / (weight * trace_vanishing);
            opening
        })
        .collect();
    shape_fri(tables, &present, key, rng);
    proof
}

fn made_up_opening(chip: &Description, rng: &mut Rng) -> TableOpening {
    let running = 5 * (1 + usize::from(speaks_between(chip)));
    let mut values = |count: usize| -> Vec<Challenge> {
        let value = |_| Challenge::from(F::from_u64(rng.next_u64() >> 33));
        (0..count).map(value).collect()
    };
    TableOpening {
        main: values(chip.columns.len()),
        preprocessed: values(chip.preprocessed.len()),
        fractions: values(5 * fractions(chip)),
        running: values(running),
        running_next: values(running),
        quotient: vec![Challenge::ZERO; 10],
    }
}

/// The combined constraints at the opened values, as the verifier computes them.
fn combined(
    chip: &Description,
    opening: &TableOpening,
    public: &[F],
    challenges: &[Challenges; 2],
    [sum, alpha]: [Challenge; 2],
    height: u64,
) -> Challenge {
    let mut combined = Challenge::ZERO;
    let mut add = |constraint: Challenge| combined = combined * alpha + constraint;
    let row = Row {
        main: opening.main.as_slice(),
        preprocessed: &opening.preprocessed,
        public,
    };
    chip.constraint_tape.run(row, &mut Vec::new(), &mut add);
    let mut values = Vec::new();
    let push = |value: Challenge| values.push(value);
    chip.interaction_tape.run(row, &mut Vec::new(), push);
    let join = |columns: &[Challenge]| -> Challenge {
        let basis = |index| <Challenge as BasedVectorSpace<F>>::ith_basis_element(index);
        let terms = columns.iter().enumerate();
        terms
            .filter_map(|(index, value)| Some(basis(index)? * *value))
            .sum()
    };
    let mut fractions = opening.fractions.chunks(5).map(join);
    let mut running = opening.running.chunks(5).map(join);
    let mut running_next = opening.running_next.chunks(5).map(join);
    for (index, scope) in SCOPES.into_iter().enumerate() {
        if pairs_in(chip, scope) == 0 {
            continue;
        }
        let next = running_next.next().expect("one for every scope");
        let sum = if index == 0 { sum } else { Challenge::ZERO };
        let step = next - running.next().expect("one for every scope");
        let mut rest = step + sum * F::from_u64(height).inverse();
        let mut left = pairs_in(chip, scope);
        for_each_pair(
            chip,
            scope,
            &challenges[index],
            &values,
            |(m_a, a), second| {
                left -= 1;
                // The last pair has no column of its own.
                let fraction = if left == 0 {
                    rest
                } else {
                    fractions.next().expect("there is one for every other pair")
                };
                rest -= fraction;
                add(match second {
                    Some((m_b, b)) => fraction * a * b - m_a * b - m_b * a,
                    None => fraction * a - m_a,
                });
            },
        );
    }
    combined
}

/// Gives the commitment scheme's proof the counts and widths that the openings ask for.
fn shape_fri(
    tables: &mut TablesProof<Blake3Config>,
    present: &[(&Description, u8)],
    key: &VerifyingKey<Blake3Config>,
    rng: &mut Rng,
) {
    let rounds = key.tables().iter().zip(&tables.heights_log2);
    let rounds: Vec<_> = rounds
        .filter(|(_, height)| height.is_some())
        .map(|(table, _)| table.description.round)
        .collect();
    let of = |round: Round| {
        let of = rounds.iter().zip(&tables.openings);
        of.filter(move |(own, _)| **own == round)
            .map(|(_, opening)| opening.main.len())
            .collect::<Vec<_>>()
    };
    let openings = tables.openings.iter();
    let preprocessed = openings.clone().map(|opening| opening.preprocessed.len());
    let widths: [Vec<usize>; 5] = [
        preprocessed.filter(|width| *width > 0).collect(),
        of(Round::Boundary),
        of(Round::Main),
        openings
            .clone()
            .flat_map(|opening| [opening.fractions.len(), opening.running.len()])
            .filter(|width| *width > 0)
            .collect(),
        openings.map(|_| 10).collect(),
    ];
    let fri = &mut tables.pcs;
    for (batch, widths) in fri.input_openings.iter_mut().zip(&widths) {
        let rows: Vec<Vec<F>> = widths
            .iter()
            .map(|width| vec![field(rng); *width])
            .collect();
        batch.opened_values = vec![rows; 3];
        batch.opening_proof.sibling_hashes = vec![[7; 32]; rng.below(70) as usize];
    }
    let mut inputs: Vec<usize> = present
        .iter()
        .map(|(_, height)| usize::from(*height))
        .collect();
    inputs.sort_unstable();
    inputs.dedup();
    let mut arities = Vec::new();
    let mut height = inputs.pop().unwrap_or(0);
    while height > 0 {
        let below = inputs.last().copied().unwrap_or(0);
        let arity = (height - below).min(3);
        arities.push(arity);
        height -= arity;
        if inputs.last() == Some(&height) {
            inputs.pop();
        }
    }
    let (step, cap) = (
        fri.commit_phase_openings[0].clone(),
        fri.commit_phase_commits[0].clone(),
    );
    fri.commit_phase_commits = vec![cap; arities.len()];
    fri.commit_pow_witnesses = vec![F::ZERO; arities.len()];
    let steps = arities.iter().map(|arity| {
        let mut step = step.clone();
        step.sibling_values = vec![vec![Challenge::ONE; (1 << arity) - 1]; 3];
        step
    });
    fri.commit_phase_openings = steps.collect();
}

#[test]
fn made_up_openings_reach_the_commitment_scheme_and_are_refused_without_panic() {
    let (keys, honest) = honest();
    let mut reached = 0;
    for seed in 0..rounds(60) {
        let mut rng = Rng::new(seed ^ 0xfeed_0000);
        let mut proof = made_up(keys, honest, &mut rng);
        if rng.one_in(2) {
            mutate_fri(&mut proof.segments[0].tables, &mut rng);
        }
        let verified = catch_unwind(AssertUnwindSafe(|| verify(keys, 42, &proof)));
        let refused = verified.unwrap_or_else(|_| panic!("seed {seed}: the verifier panicked"));
        match refused {
            Ok(_) => panic!("seed {seed}: it holds"),
            Err(VerifyError::Segment {
                error: zkvm_verifier::VerifyError::Opening { reason },
                ..
            }) => {
                reached += u64::from(reason.contains("SiblingCountMismatch"));
            }
            Err(VerifyError::Segment {
                error: zkvm_verifier::VerifyError::TooManyInteractions { .. },
                ..
            }) => {}
            Err(error) => panic!("seed {seed}: {error}"),
        }
    }
    assert!(reached > rounds(60) / 10, "{reached} came to Merkle paths");
}

/// As little as a proof about tables can hold.
fn hollow(tables: &TablesProof<Blake3Config>) -> TablesProof<Blake3Config> {
    let mut hollow = tables.clone();
    hollow.heights_log2.clear();
    hollow.sums.clear();
    hollow.sums_between.clear();
    hollow.openings.clear();
    hollow.pcs.commit_phase_commits.clear();
    hollow.pcs.commit_pow_witnesses.clear();
    hollow.pcs.input_openings.clear();
    hollow.pcs.commit_phase_openings.clear();
    hollow
}

#[test]
fn more_parts_than_the_bounds_are_refused_before_any_work() {
    let (keys, honest) = honest();
    let segment = SegmentProof {
        tables: hollow(&honest.segments[0].tables),
        ..honest.segments[0].clone()
    };
    let refusal = |segments: usize, words: usize| {
        let mut proof = honest.clone();
        proof.segments = vec![segment.clone(); segments];
        proof.words = vec![segment.tables.clone(); words];
        verify(keys, 42, &proof)
    };
    let (most, words_most) = (1 << 16, 1 << 12);
    for (segments, words) in [(0, 0), (0, 1), (most + 1, 0), (1, words_most + 1)] {
        let parts = VerifyError::Parts { segments, words };
        assert_eq!(refusal(segments, words), Err(parts));
    }
    // At the bounds something else is wrong.
    for (segments, words) in [(most, 0), (1, words_most)] {
        let refused = refusal(segments, words);
        assert!(matches!(refused, Err(VerifyError::Continuity { .. })));
    }
}

/// Makes all tables that can be of any height as high as they may be.
fn raise(tables: &mut TablesProof<Blake3Config>, key: &VerifyingKey<Blake3Config>) {
    for (table, height) in key.tables().iter().zip(&mut tables.heights_log2) {
        if height.is_some() && table.preprocessed_height_log2.is_none() {
            *height = Some(22);
        }
    }
}

/// Has every chip present and as high as it may be, with openings of the right widths.
fn fill_up(tables: &mut TablesProof<Blake3Config>, key: &VerifyingKey<Blake3Config>) {
    tables.heights_log2.fill(Some(0));
    for (table, height) in key.tables().iter().zip(&mut tables.heights_log2) {
        *height = table.preprocessed_height_log2.or(*height);
    }
    raise(tables, key);
    let zeros = |width| vec![Challenge::ZERO; width];
    let chips = key.tables().iter().map(|table| &table.description);
    tables.sums = zeros(chips.len());
    tables.sums_between = zeros(chips.clone().filter(|chip| speaks_between(chip)).count());
    let openings = chips.map(|chip| {
        let running = if speaks_between(chip) { 10 } else { 5 };
        TableOpening {
            main: zeros(chip.columns.len()),
            preprocessed: zeros(chip.preprocessed.len()),
            fractions: zeros(5 * fractions(chip)),
            running: zeros(running),
            running_next: zeros(running),
            quotient: zeros(10),
        }
    });
    tables.openings = openings.collect();
}

#[test]
fn more_messages_than_the_field_counts_are_refused() {
    let (keys, honest) = honest();
    let mut proof = honest.clone();
    let key = keys.key(Part::Segment).expect("it has keys");
    fill_up(&mut proof.segments[0].tables, key);
    let refused = verify(keys, 42, &proof);
    let number_of = |rows: u64| (1_u64 << 30..1 << 40).contains(&rows);
    assert!(
        matches!(
            refused,
            Err(VerifyError::Segment {
                number: 0,
                error: zkvm_verifier::VerifyError::TooManyInteractions { rows },
            }) if number_of(rows)
        ),
        "{refused:?}"
    );
    // Each proof is within its own bound, all together are not.
    let mut proof = honest.clone();
    let mut words = hollow(&proof.words[0]);
    words.heights_log2.clone_from(&proof.words[0].heights_log2);
    raise(&mut words, keys.key(Part::Words).expect("it has keys"));
    proof.words = vec![words; 128];
    let refused = verify(keys, 42, &proof);
    assert!(
        matches!(refused, Err(VerifyError::TooManyMessages { messages }) if number_of(messages)),
        "{refused:?}"
    );
}

#[test]
fn shapes_beyond_the_model_of_security_are_refused() {
    let (keys, honest) = honest();
    for height in [0, 33, 255] {
        let mut proof = honest.clone();
        let tables = &mut proof.segments[0].tables;
        let at = tables.heights_log2.iter().position(Option::is_some);
        tables.heights_log2[at.expect("a table is there")] = Some(height);
        let refused = verify(keys, 42, &proof);
        let is_named = matches!(refused, Err(VerifyError::Unsupported(_)));
        assert!(is_named, "{height}: {refused:?}");
    }
}
