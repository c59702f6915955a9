//! Executions of one to many segments, proved and verified with both hashes: journals are the
//! executor's and the emulator's, whatever crosses the borders.

use std::ops::ControlFlow;

use std::time::Instant;

use zkvm_e2e::oracle;
use zkvm_machine::{Discard, Input, Limits, Program, SegmentLimits, execute};
use zkvm_proofs_tests::keys::TraceKeys;
use zkvm_proofs_tests::programs::{metronome, program, small, toucher, walker, walker_input};
use zkvm_proofs_tests::whole::{ROWS_LEAST, Run, SHORT};
use zkvm_prover::{
    Blake3Config, Config, Cpu, Options, Phase, Poseidon2Config, Progress, Proof, prove, report,
    verify,
};
use zkvm_testkit::qemu::End;

/// What a proof was made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Parts {
    segments: usize,
    words: usize,
}

/// Executes, proves, verifies what the proof's bytes hold; the journal must be the executor's.
#[track_caller]
fn proves<C: Config>(program: &Program, input: &Input, segment_limits: SegmentLimits) -> Parts {
    let started = Instant::now();
    let plain = execute(program, input, &Limits::STANDARD, &mut Discard).expect("it executes");
    let zkvm_machine::Exit::Halted {
        code: exit_code, ..
    } = plain.exit
    else {
        panic!("it halts: {}", plain.exit)
    };
    let keys = TraceKeys::<C>::new(program);
    let options = Options {
        limits: Limits::STANDARD,
        segment_limits,
        exit_code,
    };
    let mut phases: Vec<Progress> = Vec::new();
    let mut progress = |progress| {
        phases.push(progress);
        ControlFlow::Continue(())
    };
    let proved = prove(
        keys.keys(),
        &Cpu,
        input,
        &options,
        &mut Discard,
        &mut progress,
    );
    let (proof, execution) = proved.unwrap_or_else(|error| panic!("it is provable: {error}"));
    assert_eq!(execution.journal, plain.journal);
    let bytes = proof.to_bytes().expect("it has an encoding");
    let proof = Proof::<C>::from_bytes(&bytes).expect("it is a proof");
    let verified = verify(keys.keys(), exit_code, &proof);
    let verified = verified.unwrap_or_else(|error| panic!("it holds: {error}"));
    assert_eq!(verified.journal, plain.journal);
    assert_eq!(verified.exit_code, exit_code);
    assert!(verify(keys.keys(), exit_code ^ 1, &proof).is_err());
    let bits = report(keys.keys(), &proof)
        .expect("its security is known")
        .bits();
    let parts = Parts {
        segments: proof.segments.len(),
        words: proof.words.len(),
    };
    let done = |phase: Phase| {
        phases
            .iter()
            .rev()
            .find(|p| p.phase == phase)
            .map(|p| p.done)
    };
    assert_eq!(done(Phase::Execute), Some(parts.segments as u32));
    assert_eq!(done(Phase::Prove), Some(parts.segments as u32));
    assert_eq!(done(Phase::Words).unwrap_or(0), parts.words as u32);
    eprintln!(
        "{}: {parts:?}, {} cycles, {} bytes, {bits} bits, {:?}",
        C::HASH.name(),
        plain.cycles,
        bytes.len(),
        started.elapsed()
    );
    parts
}

/// The same with both hashes.
#[track_caller]
fn proves_with_both(program: &Program, input: &Input, limits: SegmentLimits) -> Parts {
    let parts = proves::<Blake3Config>(program, input, limits);
    assert_eq!(parts, proves::<Poseidon2Config>(program, input, limits));
    parts
}

/// The emulator gives the journal and the exit code that the executor gives.
#[track_caller]
fn is_emulated(program: &Program, input: &Input) {
    let Some(oracle) = oracle::find() else { return };
    let ours = execute(program, input, &Limits::STANDARD, &mut Discard).expect("it executes");
    let zkvm_machine::Exit::Halted { code, .. } = ours.exit else {
        panic!("it halts: {}", ours.exit)
    };
    let theirs = oracle::run(&oracle, program, input).expect("the emulator starts");
    assert_eq!(theirs.end, End::Exit(code as i32));
    assert_eq!(theirs.journal, ours.journal);
}

/// What crosses the borders of `run`'s segments.
fn crossings(run: &Run) -> [bool; 3] {
    let segments = run.segments.iter().map(|(segment, _)| segment);
    let later: Vec<_> = segments.skip(1).collect();
    [
        later.iter().any(|segment| segment.start.reservation != 0),
        later.iter().any(|segment| segment.start.hint_bytes != 0),
        later.iter().any(|segment| segment.start.journal_bytes != 0),
    ]
}

#[test]
fn one_segment() {
    let (program, input) = (walker(10), walker_input(10));
    is_emulated(&program, &input);
    let parts = proves_with_both(&program, &input, SHORT);
    assert_eq!(parts.segments, 1);
}

#[test]
fn two_segments() {
    let (program, input) = (walker(30), walker_input(30));
    is_emulated(&program, &input);
    let parts = proves_with_both(&program, &input, SHORT);
    assert_eq!(parts.segments, 2);
}

#[test]
fn five_segments_with_a_reservation_hints_and_journal_across_borders() {
    let (program, input) = (walker(130), walker_input(130));
    is_emulated(&program, &input);
    let run = Run::new(program.clone(), &input, &SHORT).expect("it has chips");
    assert_eq!(crossings(&run), [true; 3]);
    // The last write is no whole word.
    assert_eq!(run.execution.journal.len() % 8, 5);
    let parts = proves_with_both(&program, &input, SHORT);
    assert_eq!(parts.segments, 5);
}

#[test]
fn twelve_segments_and_more() {
    let (program, input) = (walker(320), walker_input(320));
    is_emulated(&program, &input);
    let parts = proves::<Blake3Config>(&program, &input, SHORT);
    assert!(parts.segments >= 12, "{parts:?}");
    let program = metronome(12);
    let input = Input {
        bytes: b"12345678".to_vec(),
        hints: Vec::new(),
    };
    is_emulated(&program, &input);
    let parts = proves::<Poseidon2Config>(&program, &input, SHORT);
    assert_eq!(parts.segments, 13);
}

#[test]
fn generated_programs_in_segments() {
    for seed in [200, 201] {
        let generated = small(seed);
        let program = program(&generated.elf);
        is_emulated(&program, &Input::default());
        let parts = if seed % 2 == 0 {
            proves::<Blake3Config>(&program, &Input::default(), SHORT)
        } else {
            proves::<Poseidon2Config>(&program, &Input::default(), SHORT)
        };
        assert!(parts.segments >= 4, "seed {seed}: {parts:?}");
    }
}

#[test]
fn words_that_fill_several_tables() {
    let limits = SegmentLimits {
        rows_max: ROWS_LEAST,
        ..SegmentLimits::STANDARD
    };
    let program = toucher(16_500);
    is_emulated(&program, &Input::default());
    let parts = proves_with_both(&program, &Input::default(), limits);
    // In the last segment's proof the first 8195 words are, in others the rest.
    assert_eq!(parts.words, 2, "{parts:?}");
    assert!(parts.segments >= 3, "{parts:?}");
}

/// The tests that forge traces put proofs together by themselves: as the prover does.
#[test]
fn what_the_forging_tests_put_together_is_what_the_prover_makes() {
    fn same<C: Config>() {
        let (program, input) = (walker(30), walker_input(30));
        let run = Run::new(program.clone(), &input, &SHORT).expect("it has chips");
        let whole = run.fill().expect("it has chips");
        let keys = TraceKeys::<C>::new(&program);
        let ours = keys.prove(&whole);
        let options = Options {
            limits: Limits::STANDARD,
            segment_limits: SHORT,
            exit_code: whole.exit_code,
        };
        let proved = prove(
            keys.keys(),
            &Cpu,
            &input,
            &options,
            &mut Discard,
            &mut |_| std::ops::ControlFlow::Continue(()),
        );
        let (theirs, _) = proved.expect("it is provable");
        assert!(ours.to_bytes() == theirs.to_bytes());
    }
    same::<Blake3Config>();
    same::<Poseidon2Config>();
}
