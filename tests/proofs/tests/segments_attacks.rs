//! Attacks on what holds segments together. Each forgery is proved with the honest prover's own
//! steps, and refused for the reason that the checker gives of its traces.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is looked for is two of many reasons"
)]

use std::sync::OnceLock;

use p3_field::{BasedVectorSpace, Field, PrimeCharacteristicRing};
use zkvm_air::{Bus, F, Failure, Scope};
use zkvm_isa::layout::{HEAP_END, WORDS_MAX};
use zkvm_isa::record::Part;
use zkvm_machine::Input;
use zkvm_proofs_tests::keys::TraceKeys;
use zkvm_proofs_tests::programs::{metronome, toucher, walker, walker_input};
use zkvm_proofs_tests::weak;
use zkvm_proofs_tests::whole::{Run, SHORT, Whole};
use zkvm_prover::{Blake3Config, Header, Keys, Parameters, Proof, Security, verify};
use zkvm_statement::{VerifyError, between_messages};
use zkvm_verifier::{Challenge, Hash, Shared, Statement, VerifyError as TablesError, messages_sum};

/// An honest execution, its keys and its proof.
struct Honest {
    run: Run,
    whole: Whole,
    keys: TraceKeys<Blake3Config>,
    proof: Proof<Blake3Config>,
}

impl Honest {
    fn new(run: Run) -> Self {
        let whole = run.fill().expect("it has chips");
        let keys = TraceKeys::new(&whole.program);
        let proof = keys.prove(&whole);
        assert!(keys.verify(whole.exit_code, &proof).is_ok(), "honest");
        Honest {
            run,
            whole,
            keys,
            proof,
        }
    }

    /// Proves a forgery and has it refused as its traces say. Gives the refusal.
    #[track_caller]
    fn refused(&self, forged: &Whole) -> VerifyError {
        let expected = forged.rejection().expect("the checker notices it");
        let first_bad = match &expected {
            VerifyError::Segment { number, .. } => *number,
            VerifyError::Words { number, .. } => forged.segments.len() + number,
            _ => forged.proofs(),
        };
        let verified = self.keys.prove_up_to(forged, first_bad, &self.proof);
        assert_eq!(verified.err().as_ref(), Some(&expected));
        expected
    }

    /// The same for a run that is not the execution.
    #[track_caller]
    fn refused_run(&self, run: &Run) -> VerifyError {
        self.refused(&run.fill().expect("it has chips"))
    }

    /// The refusal of a changed proof.
    #[track_caller]
    fn refused_proof(&self, change: impl FnOnce(&mut Proof<Blake3Config>)) -> VerifyError {
        let mut proof = self.proof.clone();
        change(&mut proof);
        let refused = self.keys.verify(proof.exit_code, &proof);
        refused.expect_err("it is not the honest proof")
    }
}

fn input(bytes: &[u8; 8]) -> Input {
    Input {
        bytes: bytes.to_vec(),
        hints: Vec::new(),
    }
}

/// Four segments, the first three of which begin at the same address with the same clocks.
fn ticking() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let run = Run::new(metronome(3), &input(b"\x01\0\0\0\0\0\0\0"), &SHORT);
        let run = run.expect("it has chips");
        assert_eq!(run.segments.len(), 4);
        let pcs = run.segments.iter().map(|(segment, _)| segment.end.pc);
        let pcs: Vec<u64> = pcs.take(2).collect();
        assert_eq!(pcs[0], pcs[1], "all segments end at one place");
        Honest::new(run)
    })
}

/// Two segments with everything in them.
fn walking() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let run = Run::new(walker(30), &walker_input(30), &SHORT).expect("it has chips");
        assert_eq!(run.segments.len(), 2);
        Honest::new(run)
    })
}

/// Numbers the segments of a run by their places, and has each place taken over from the last
/// segment before that leaves it: what a liar does with segments that are not the execution's.
fn renumber(run: &mut Run) {
    let mut registers = std::collections::BTreeMap::new();
    let mut words = std::collections::BTreeMap::new();
    for (number, (segment, _)) in (0..).zip(&mut run.segments) {
        segment.number = number;
        for register in &mut segment.boundary_registers {
            let before = registers.insert(register.number, number + 1);
            register.segment_in = before.unwrap_or(0);
        }
        for word in &mut segment.boundary {
            let before = words.insert(word.word_index, number + 1);
            word.segment_in = before.unwrap_or(0);
        }
    }
}

fn balance(number: usize) -> VerifyError {
    VerifyError::Segment {
        number,
        error: TablesError::Balance,
    }
}

/// The rows of a segment's boundary table that are about a place.
fn place(whole: &Whole, segment: usize, space: u32, address: u32) -> usize {
    let columns = ["is_real", "space", "address"];
    let rows = whole.rows(segment, "boundary", &columns, |cells| {
        cells == [F::ONE, F::new(space), F::new(address)]
    });
    assert_eq!(rows.len(), 1, "space {space} address {address}");
    rows[0]
}

// Segments as a whole.

#[test]
fn segments_in_another_order() {
    let honest = ticking();
    // The pc runs on; the memory does not.
    let mut run = honest.run.clone();
    run.segments.swap(1, 2);
    renumber(&mut run);
    assert_eq!(honest.refused_run(&run), VerifyError::Between);
    // The finished proofs, too.
    let refused = honest.refused_proof(|proof| proof.segments.swap(1, 2));
    assert_eq!(refused, balance(0), "other challenges are shared");
    // Where the pc does not run on, that is noticed.
    let honest = walking();
    let mut run = honest.run.clone();
    run.segments.swap(0, 1);
    renumber(&mut run);
    assert_eq!(honest.refused_run(&run), balance(0));
}

#[test]
fn a_dropped_segment() {
    let honest = ticking();
    let mut run = honest.run.clone();
    let _ = run.segments.remove(1);
    renumber(&mut run);
    assert_eq!(honest.refused_run(&run), VerifyError::Between);
    let refused = honest.refused_proof(|proof| drop(proof.segments.remove(1)));
    assert_eq!(refused, balance(0));
}

#[test]
fn a_duplicated_segment() {
    let honest = ticking();
    let mut run = honest.run.clone();
    let again = run.segments[1].clone();
    run.segments.insert(1, again);
    renumber(&mut run);
    assert_eq!(honest.refused_run(&run), VerifyError::Between);
    let refused = honest.refused_proof(|proof| {
        let again = proof.segments[1].clone();
        proof.segments.insert(1, again);
    });
    assert_eq!(refused, balance(0));
}

/// The same program with another input: every segment of it is honest.
fn other_ticking() -> Run {
    let run = Run::new(metronome(3), &input(b"\x02\0\0\0\0\0\0\0"), &SHORT);
    run.expect("it has chips")
}

#[test]
fn a_segment_of_another_execution() {
    let honest = ticking();
    for number in 0..3 {
        let mut run = honest.run.clone();
        run.segments[number] = other_ticking().segments[number].clone();
        assert_eq!(honest.refused_run(&run), VerifyError::Between, "{number}");
    }
    // Its finished proof is bound to the other execution's challenges.
    let other = other_ticking().fill().expect("it has chips");
    let other = honest.keys.prove(&other);
    let refused = honest.refused_proof(|proof| proof.segments[1] = other.segments[1].clone());
    assert_eq!(refused, balance(0));
}

#[test]
fn no_last_segment() {
    let honest = ticking();
    let mut run = honest.run.clone();
    let _ = run.segments.pop();
    let forged = run.fill().expect("it has chips");
    assert_eq!(honest.refused(&forged), balance(2));
    let report = forged.report_of(2);
    let on_bus = |bus: Bus| {
        let mut failures = report.failures.iter();
        failures.any(|failure| matches!(failure, Failure::Bus(balance) if balance.bus == bus))
    };
    assert!(on_bus(Bus::Halt), "nothing halts:\n{report}");
    assert!(on_bus(Bus::State), "the state goes on:\n{report}");
    let refused = honest.refused_proof(|proof| drop(proof.segments.pop()));
    assert_eq!(refused, VerifyError::Continuity { number: 2 });
    let refused = honest.refused_proof(|proof| proof.segments.clear());
    let parts = VerifyError::Parts {
        segments: 0,
        words: 0,
    };
    assert_eq!(refused, parts);
}

#[test]
fn a_segment_that_halts_before_the_last() {
    let honest = ticking();
    let mut run = honest.run.clone();
    let halting = run.segments[3].clone();
    run.segments.push(halting);
    renumber(&mut run);
    let forged = run.fill().expect("it has chips");
    assert_eq!(honest.refused(&forged), balance(3));
    let report = forged.report_of(3);
    let halts = report.failures.iter();
    let halts = halts.filter(|f| matches!(f, Failure::Bus(balance) if balance.bus == Bus::Halt));
    assert_eq!(halts.count(), 1, "{report}");
}

#[test]
fn a_segment_under_another_number() {
    let honest = ticking();
    // The traces of another number: what the segment leaves says another segment.
    let mut run = honest.run.clone();
    run.segments[1].0.number = 2;
    let forged = run.fill().expect("it has chips");
    // As the boundary rows do not have the segment's own number, they are the honest ones; only
    // what the memory tables receive, and what is looked up, is of the other number.
    assert!(forged.rejection().is_some());
    let _ = honest.refused(&forged);
    // The prover absorbs another number than the verifier counts.
    let mut forged = honest.whole.clone();
    forged.segments[1].number = 2;
    let verified = honest.keys.prove_and_verify(&forged);
    assert_eq!(verified, Err(balance(0)), "other challenges are shared");
    // The same behind the shared challenges of the right number.
    let (shared, grinding) = honest.keys.shared(&honest.whole);
    let proof = proof_under(honest, &forged, &shared, grinding);
    assert_eq!(honest.keys.verify(0, &proof), Err(balance(1)));
}

/// Proves all of `whole` under these shared challenges, wherever they come from.
fn proof_under(
    honest: &Honest,
    whole: &Whole,
    shared: &Shared,
    grinding: F,
) -> Proof<Blake3Config> {
    let tables = (0..whole.proofs()).map(|index| honest.keys.tables(whole, index, shared));
    honest.keys.put_together(whole, grinding, tables.collect())
}

// Ends.

#[test]
fn a_pc_that_does_not_run_on() {
    let honest = walking();
    for change in [1, 2, u32::MAX] {
        let mut forged = honest.whole.clone();
        let end = &mut forged.segments[0].end_half_pc;
        *end = end.wrapping_add(change);
        assert_eq!(honest.refused(&forged), balance(0), "{change}");
    }
    // In the middle, so that a segment begins elsewhere than the one before ends.
    let honest = ticking();
    let mut forged = honest.whole.clone();
    forged.segments[1].end_half_pc += 2;
    assert_eq!(honest.refused(&forged), balance(1));
    let refused = honest.refused_proof(|proof| proof.segments[1].end_half_pc += 2);
    assert_eq!(refused, balance(1));
}

#[test]
fn another_end_clock() {
    let honest = walking();
    for change in [4, 1, 0_u32.wrapping_sub(4)] {
        let mut forged = honest.whole.clone();
        let end = &mut forged.segments[0].end_clock;
        *end = end.wrapping_add(change);
        assert_eq!(honest.refused(&forged), balance(0), "{change}");
    }
    let refused = honest.refused_proof(|proof| proof.segments[0].end_clock += 4);
    assert_eq!(refused, balance(0));
}

#[test]
fn ends_that_are_not_encoded_as_proofs_encode_them() {
    let honest = walking();
    let characteristic = 0x7f00_0001_u32;
    type Change = fn(&mut Proof<Blake3Config>);
    let changes: [(&str, usize, Change); 7] = [
        ("pc at the heap's end", 0, |p| {
            p.segments[0].end_half_pc = HEAP_END / 2
        }),
        ("clock of 2^28", 0, |p| p.segments[0].end_clock = 1 << 28),
        ("clock plus the characteristic", 0, |p| {
            p.segments[0].end_clock += 0x7f00_0001;
        }),
        ("pc plus the characteristic", 0, |p| {
            p.segments[0].end_half_pc += 0x7f00_0001;
        }),
        ("pc of the last", 1, |p| p.segments[1].end_half_pc = 1),
        ("clock of the last", 1, |p| p.segments[1].end_clock = 4),
        ("clock of the last, zero again", 1, |p| {
            p.segments[1].end_clock = 0x7f00_0001;
        }),
    ];
    for (name, number, change) in changes {
        let refused = honest.refused_proof(change);
        assert_eq!(refused, VerifyError::Continuity { number }, "{name}");
    }
    let refused = honest.refused_proof(|proof| proof.last_word = WORDS_MAX);
    assert_eq!(refused, VerifyError::NotCanonical);
    let refused = honest.refused_proof(|proof| proof.last_word += characteristic);
    assert_eq!(refused, VerifyError::NotCanonical);
    // Without grinding the witness is not absorbed: it must be zero.
    let refused = honest.refused_proof(|proof| proof.grinding = F::ONE);
    assert_eq!(refused, VerifyError::Grinding);
    let refused = honest.refused_proof(|proof| proof.segments[1].tables.logup_grinding = F::ONE);
    let number = 1;
    let error = TablesError::Grinding;
    assert_eq!(refused, VerifyError::Segment { number, error });
}

// The journal.

#[test]
fn the_journal_split_elsewhere() {
    let honest = walking();
    for change in [8, 0_u32.wrapping_sub(8)] {
        let mut forged = honest.whole.clone();
        let end = &mut forged.segments[0].journal_end;
        *end = end.wrapping_add(change);
        assert_eq!(honest.refused(&forged), balance(0), "{change}");
    }
    for change in [1, 0_u32.wrapping_sub(1), 1 << 30] {
        let refused = honest.refused_proof(|proof| {
            let end = &mut proof.segments[0].journal_end;
            *end = end.wrapping_add(change);
        });
        assert_eq!(refused, VerifyError::Continuity { number: 0 }, "{change}");
    }
    let refused = honest.refused_proof(|proof| proof.segments[1].journal_end -= 8);
    assert_eq!(refused, VerifyError::Continuity { number: 1 });
    // A split that goes back.
    let refused = honest.refused_proof(|proof| {
        let end = proof.segments[1].journal_end;
        proof.segments[0].journal_end = end + 8;
    });
    assert_eq!(refused, VerifyError::Continuity { number: 0 });
}

#[test]
fn journal_bytes_moved_between_segments() {
    let honest = walking();
    let border = honest.whole.segments[0].journal_end as usize;
    let mut forged = honest.whole.clone();
    for byte in 0..8 {
        forged.journal.swap(border - 8 + byte, border + byte);
    }
    assert_ne!(forged.journal, honest.whole.journal);
    assert_eq!(honest.refused(&forged), balance(0));
    let mut forged = honest.whole.clone();
    *forged.journal.last_mut().expect("it has bytes") ^= 1;
    assert_eq!(honest.refused(&forged), balance(1));
    // Zeros after the ragged end belong to no word.
    let mut forged = honest.whole.clone();
    forged.journal.push(0);
    forged.segments[1].journal_end += 1;
    assert_eq!(honest.refused(&forged), balance(1));
}

// The memory between segments.

#[test]
fn another_last_word() {
    let honest = walking();
    for change in [1, 0_u32.wrapping_sub(1)] {
        let mut forged = honest.whole.clone();
        forged.last_word = forged.last_word.wrapping_add(change);
        assert_eq!(honest.refused(&forged), VerifyError::Between);
    }
    // In the finished proof the challenges change with it.
    let refused = honest.refused_proof(|proof| proof.last_word -= 1);
    assert_eq!(refused, balance(0));
}

/// The register that [`metronome`] writes before it reads it in every segment.
const FRESH: u32 = 28;

/// Makes segment 1 of `whole` take over `value` of the register that it only writes, from segment
/// `from`: inside the segment nothing is wrong with it.
fn take_over(whole: &mut Whole, value: u32, from: u32) {
    let row = place(whole, 1, 0, FRESH);
    *whole.cell(1, "boundary", row, "value_in[0]") = F::new(value);
    *whole.cell(1, "boundary", row, "segment_in") = F::new(from);
    let columns = ["rd_number", "writes", "rd.previous_clock"];
    let first = whole.rows(1, "add_sub", &columns, |cells| {
        cells == [F::new(FRESH), F::ONE, F::ZERO]
    });
    let [first] = first[..] else {
        panic!("one write is the first: {first:?}")
    };
    *whole.cell(1, "add_sub", first, "rd.previous[0]") = F::new(value);
    whole.count_look_ups(1);
    let report = whole.report_of(1);
    assert!(report.failures.is_empty(), "{report}");
}

#[test]
fn an_older_value_taken_over() {
    // What the register was before the first segment wrote it: a stale read.
    let honest = ticking();
    let mut forged = honest.whole.clone();
    take_over(&mut forged, 0, 0);
    assert_eq!(honest.refused(&forged), VerifyError::Between);
    let report = forged.report_between();
    assert!(report.names("boundary", "taken_over"), "{report}");
}

#[test]
fn a_value_that_nobody_left() {
    let honest = ticking();
    let mut forged = honest.whole.clone();
    take_over(&mut forged, 8, 1);
    assert_eq!(honest.refused(&forged), VerifyError::Between);
    // In the first segment: an initial register of another value.
    let mut forged = honest.whole.clone();
    let row = place(&forged, 0, 0, FRESH);
    *forged.cell(0, "boundary", row, "value_in[0]") = F::new(9);
    let columns = ["rd_number", "writes", "rd.previous_clock"];
    let first = forged.rows(0, "add_sub", &columns, |cells| {
        cells == [F::new(FRESH), F::ONE, F::ZERO]
    });
    *forged.cell(0, "add_sub", first[0], "rd.previous[0]") = F::new(9);
    assert_eq!(honest.refused(&forged), VerifyError::Between);
}

#[test]
fn a_later_value_taken_over() {
    // What the next segment leaves, and what it leaves itself: both were not there yet.
    let honest = ticking();
    for from in [3, 2] {
        let mut forged = honest.whole.clone();
        let row = place(&forged, 1, 0, FRESH);
        *forged.cell(1, "boundary", row, "segment_in") = F::new(from);
        forged.count_look_ups(1);
        assert_eq!(honest.refused(&forged), balance(1), "{from}");
        assert!(forged.report_of(1).names("boundary", "earlier"), "{from}");
    }
    // Two segments that take over from each other would be a circle that balances.
    let mut forged = honest.whole.clone();
    let (a, b) = (place(&forged, 1, 0, FRESH), place(&forged, 2, 0, FRESH));
    *forged.cell(1, "boundary", a, "segment_in") = F::new(3);
    *forged.cell(2, "boundary", b, "segment_in") = F::new(2);
    // The last one takes over from the first, past the circle.
    let last = place(&forged, 3, 0, FRESH);
    *forged.cell(3, "boundary", last, "segment_in") = F::new(1);
    (1..4).for_each(|index| forged.count_look_ups(index));
    let between = forged.report_between();
    assert!(
        between.failures.is_empty(),
        "only the order is wrong:\n{between}"
    );
    assert_eq!(honest.refused(&forged), balance(1));
}

#[test]
fn another_value_in_or_out() {
    let honest = ticking();
    for column in ["value_in[0]", "value_out[3]", "last_clock"] {
        let mut forged = honest.whole.clone();
        let row = place(&forged, 1, 0, FRESH);
        *forged.cell(1, "boundary", row, column) += F::ONE;
        assert_eq!(honest.refused(&forged), balance(1), "{column}");
    }
}

#[test]
fn a_boundary_row_twice_or_never() {
    let honest = ticking();
    let row = place(&honest.whole, 1, 0, FRESH);
    let cells = honest.whole.row(1, "boundary", row);
    let mut forged = honest.whole.clone();
    let _ = forged.add_row(1, "boundary", &cells);
    forged.count_look_ups(1);
    assert_eq!(honest.refused(&forged), balance(1));
    let mut forged = honest.whole.clone();
    forged.drop_row(1, "boundary", row);
    forged.count_look_ups(1);
    assert_eq!(honest.refused(&forged), balance(1));
}

/// A row that takes a value over and leaves it without any access.
fn passing(
    whole: &Whole,
    segment: usize,
    space: u32,
    address: u32,
    value: u32,
    from: u32,
) -> Vec<F> {
    let columns = &whole.chips(segment);
    let boundary = columns.iter().find(|c| c.description.name == "boundary");
    let columns = &boundary.expect("it is a segment").description.columns;
    let cell = |name: &str| match name {
        "is_real" => F::ONE,
        "space" => F::new(space),
        "address" => F::new(address),
        "value_in[0]" | "value_out[0]" => F::new(value),
        "segment_in" => F::new(from),
        _ => F::ZERO,
    };
    columns.iter().map(|name| cell(name)).collect()
}

#[test]
fn a_value_passed_on_by_a_segment_that_does_not_access_it() {
    let honest = ticking();
    // It holds if the value is the one that was left: then nothing is changed by it.
    let untouched = 20;
    let mut passed = honest.whole.clone();
    let row = passing(&passed, 1, 0, untouched, 0, 0);
    let _ = passed.add_row(1, "boundary", &row);
    passed.count_look_ups(1);
    *passed.cell(3, "image", untouched as usize, "link.last_segment") = F::TWO;
    assert_eq!(passed.rejection(), None);
    assert!(honest.keys.prove_and_verify(&passed).is_ok());
    // Any other value came from nowhere.
    let mut forged = honest.whole.clone();
    let row = passing(&forged, 1, 0, untouched, 1, 0);
    let _ = forged.add_row(1, "boundary", &row);
    forged.count_look_ups(1);
    *forged.cell(3, "image", untouched as usize, "link.last_value[0]") = F::ONE;
    *forged.cell(3, "image", untouched as usize, "link.last_segment") = F::TWO;
    assert_eq!(honest.refused(&forged), VerifyError::Between);
}

#[test]
fn a_zero_register_that_is_not_zero() {
    let honest = ticking();
    // Between segments: left with another value.
    let segment = 1;
    let row = place(&honest.whole, segment, 0, 0);
    let mut forged = honest.whole.clone();
    *forged.cell(segment, "boundary", row, "value_out[0]") = F::ONE;
    assert_eq!(honest.refused(&forged), balance(segment));
    // Taken over with another value: nobody left it, and nobody in the segment reads it.
    let mut forged = honest.whole.clone();
    let (value_in, value_out) = ("value_in[0]", "value_out[0]");
    *forged.cell(segment, "boundary", row, value_in) = F::ONE;
    *forged.cell(segment, "boundary", row, value_out) = F::ONE;
    let between = forged.report_between();
    assert!(between.names("boundary", "taken_over"), "{between}");
    assert!(honest.refused(&forged) == balance(segment));
    // A segment that does not access it passes on another value.
    let mut forged = honest.whole.clone();
    forged.drop_row(segment, "boundary", row);
    let row = passing(&forged, segment, 0, 0, 1, 1);
    let _ = forged.add_row(segment, "boundary", &row);
    forged.count_look_ups(segment);
    assert!(forged.report_between().names("boundary", "taken_over"));
    let _ = honest.refused(&forged);
}

#[test]
fn an_initial_register_or_image_word_of_another_value() {
    // Both are columns of the key: another program's key has other ones.
    let honest = ticking();
    let mut forged = honest.whole.clone();
    let mut machines = (*forged.machines).clone();
    let last = &mut machines[Part::Last as usize];
    let image = last.chips.iter_mut();
    let image = image.filter(|chip| chip.description.name == "image");
    for chip in image {
        let width = chip.description.preprocessed.len();
        let names = &chip.description.preprocessed;
        let value = names.iter().position(|name| name == "value[0]");
        let value = value.expect("the image has values");
        chip.preprocessed[FRESH as usize * width + value] = F::new(5);
    }
    forged.machines = machines.into();
    let between = forged.report_between();
    assert!(between.names("image", "initial"), "{between}");
    // Under the verifier's own key the same traces are the honest ones; what changes is what the
    // segment takes over.
    let mut forged = honest.whole.clone();
    let row = place(&forged, 0, 0, FRESH);
    *forged.cell(0, "boundary", row, "value_in[0]") = F::new(5);
    assert_eq!(honest.refused(&forged), balance(0));
    // The proof of a program with another image, under the name of this one.
    let other = Run::new(metronome(4), &input(b"\x01\0\0\0\0\0\0\0"), &SHORT);
    let other = other.expect("it has chips").fill().expect("it has chips");
    let other_keys = TraceKeys::<Blake3Config>::new(&other.program);
    let mut proof = other_keys.prove(&other);
    assert!(other_keys.verify(0, &proof).is_ok());
    assert!(matches!(
        honest.keys.verify(0, &proof),
        Err(VerifyError::Program { .. })
    ));
    proof.program_id = honest.proof.program_id;
    assert_eq!(honest.keys.verify(0, &proof), Err(balance(0)));
}

// Commitments and challenges.

#[test]
fn a_boundary_commitment_exchanged_after_the_challenge() {
    let honest = ticking();
    let mut forged = honest.whole.clone();
    take_over(&mut forged, 8, 1);
    let boundary = honest.keys.boundary(&forged, 1).commitment;
    assert!(boundary != honest.proof.segments[1].tables.boundary);
    let refused = honest.refused_proof(|proof| proof.segments[1].tables.boundary = boundary);
    assert_eq!(refused, balance(0), "other challenges are shared");
    // The forged traces proved under the challenges of the honest ones.
    let (shared, grinding) = honest.keys.shared(&honest.whole);
    let proof = proof_under(honest, &forged, &shared, grinding);
    assert_eq!(honest.keys.verify(0, &proof), Err(balance(0)));
    // With the honest commitment in the proof of forged traces, its openings do not fit.
    let mut proof = proof;
    proof.segments[1].tables.boundary = honest.proof.segments[1].tables.boundary.clone();
    let refused = honest.keys.verify(0, &proof);
    assert!(matches!(
        refused,
        Err(VerifyError::Segment { number: 1, .. })
    ));
}

/// What the proofs say to each other, if the verifier's shared challenges were these.
fn frozen_sum(honest: &Honest, whole: &Whole, shared: &Shared) -> Result<Challenge, TablesError> {
    let between = between_messages(whole.last_word);
    let mut sum = messages_sum(Scope::Execution, &between, &shared.challenges)?;
    for index in 0..whole.proofs() {
        let proof = honest.keys.tables(whole, index, shared);
        let statement = Statement {
            context: &[F::new(index as u32)],
            public: &whole.public(index),
            messages: &whole.messages(index),
            shared,
        };
        let config = zkvm_statement::ExecutionKeys::config(honest.keys.keys());
        let key = honest.keys.verifying(whole.part(index));
        sum += zkvm_verifier::verify(config, key, &statement, &proof)?;
    }
    Ok(sum)
}

/// Solves `Σ rows[i] · x[i] = target` over the base field, five equations with five unknowns.
fn solve(columns: [Challenge; 5], target: Challenge) -> [F; 5] {
    let coefficients = |value: &Challenge| -> Vec<F> {
        BasedVectorSpace::<F>::as_basis_coefficients_slice(value).to_vec()
    };
    let columns: Vec<Vec<F>> = columns.iter().map(coefficients).collect();
    let target = coefficients(&target);
    let mut matrix: Vec<Vec<F>> = (0..5)
        .map(|row| {
            let cells = columns.iter().map(|column| column[row]);
            cells.chain([target[row]]).collect()
        })
        .collect();
    for at in 0..5 {
        let pivot = (at..5).find(|row| !matrix[*row][at].is_zero());
        matrix.swap(at, pivot.expect("powers of beta are independent"));
        let inverse = matrix[at][at].inverse();
        matrix[at].iter_mut().for_each(|cell| *cell *= inverse);
        let pivot = matrix[at].clone();
        for (row, cells) in matrix.iter_mut().enumerate() {
            let factor = cells[at];
            if row != at {
                let pairs = cells.iter_mut().zip(&pivot);
                pairs.for_each(|(cell, pivot)| *cell -= factor * *pivot);
            }
        }
    }
    core::array::from_fn(|row| matrix[row][5])
}

/// A segment of another execution is swapped in. What is out of balance then is made up for by the
/// end of one register, whose five free cells are solved for so that the sum over all proofs is
/// zero under the honest run's challenges. A verifier that shared those would accept; ours draws
/// the challenges from the forged boundary.
#[test]
fn a_forgery_that_balances_under_frozen_challenges() {
    let honest = ticking();
    let (frozen, _) = honest.keys.shared(&honest.whole);
    assert_eq!(
        frozen_sum(honest, &honest.whole, &frozen),
        Ok(Challenge::ZERO)
    );
    let mut run = honest.run.clone();
    run.segments[1] = other_ticking().segments[1].clone();
    let mut forged = run.fill().expect("it has chips");
    let excess = frozen_sum(honest, &forged, &frozen).expect("each proof holds");
    assert_ne!(excess, Challenge::ZERO);

    let register = 20;
    let cells = forged.row(3, "image", register);
    let columns: Vec<&str> = vec![
        "link.last_value[0]",
        "link.last_value[1]",
        "link.last_value[2]",
        "link.last_value[3]",
        "link.last_segment",
    ];
    assert!(!cells.is_empty());
    let challenges = &frozen.challenges;
    let end = |values: [F; 5]| -> Vec<F> {
        [F::ZERO, F::from_usize(register)]
            .into_iter()
            .chain(values)
            .collect()
    };
    let honest_end = challenges.fingerprint(Bus::Boundary, &end([F::ZERO; 5]));
    // The end is received: -1/wanted + 1/honest = -excess.
    let wanted = (honest_end.inverse() + excess).inverse();
    let powers = core::array::from_fn(|index| challenges.power(2 + index));
    let values = solve(powers, wanted - honest_end);
    assert_eq!(challenges.fingerprint(Bus::Boundary, &end(values)), wanted);
    for (column, value) in columns.iter().zip(values) {
        *forged.cell(3, "image", register, column) = value;
    }
    assert_eq!(
        frozen_sum(honest, &forged, &frozen),
        Ok(Challenge::ZERO),
        "under frozen challenges it would be accepted"
    );
    assert_eq!(honest.refused(&forged), VerifyError::Between);
    let (_, grinding) = honest.keys.shared(&forged);
    let proof = proof_under(honest, &forged, &frozen, grinding);
    assert_eq!(honest.keys.verify(0, &proof), Err(balance(0)));
}

// Parts of words.

/// A segment or more, and two parts of further words.
fn touching() -> &'static Honest {
    static HONEST: OnceLock<Honest> = OnceLock::new();
    HONEST.get_or_init(|| {
        let run = Run::new(toucher(250), &Input::default(), &SHORT);
        let mut run = run.expect("it has chips");
        // Tables of so few rows are the prover's affair; the executor would not cut so.
        run.rows_max = 100;
        let honest = Honest::new(run);
        assert_eq!(honest.whole.words.len(), 2);
        honest
    })
}

#[test]
fn a_part_of_words_dropped_duplicated_or_in_another_order() {
    let honest = touching();
    let mut forged = honest.whole.clone();
    let _ = forged.words.pop();
    assert_eq!(honest.refused(&forged), VerifyError::Between);
    let mut forged = honest.whole.clone();
    let again = forged.words[0].clone();
    forged.words.push(again);
    assert_eq!(honest.refused(&forged), VerifyError::Between);
    let refused = honest.refused_proof(|proof| drop(proof.words.pop()));
    assert_eq!(refused, balance(0));
    let refused = honest.refused_proof(|proof| proof.words.swap(0, 1));
    assert_eq!(refused, balance(0));
    // The order of the parts means nothing.
    let mut forged = honest.whole.clone();
    forged.words.swap(0, 1);
    assert_eq!(forged.rejection(), None);
}

#[test]
fn a_word_that_begins_in_two_parts() {
    let honest = touching();
    let parts = honest.whole.segments.len();
    // The first word of the first part again in the second, where there is padding.
    let mut forged = honest.whole.clone();
    let cells = forged.row(parts, "memory", 0);
    let _ = forged.add_row(parts + 1, "memory", &cells);
    forged.count_look_ups(parts + 1);
    assert_eq!(honest.refused(&forged), VerifyError::Between);
    assert!(forged.report_between().names("memory", "next_chain"));
    // Linked behind the last word of all: then it does not ascend.
    let mut forged = honest.whole.clone();
    let row = forged.add_row(parts + 1, "memory", &cells);
    *forged.cell(parts + 1, "memory", row, "link.before") = F::new(forged.last_word);
    forged.last_word = zkvm_proofs_tests::keys::number(cells[2]);
    forged.count_look_ups(parts + 1);
    let chip = "memory".to_owned();
    let refused = honest.refused(&forged);
    let expected = VerifyError::Words {
        number: 1,
        error: TablesError::Constraints { chip },
    };
    assert_eq!(refused, expected);
    assert!(forged.report_of(parts + 1).names("memory", "ascending"));
}

// What the verifier demands.

#[test]
fn security_that_the_parameters_do_not_give() {
    let honest = walking();
    let demanding = Security {
        bits: 100,
        ..weak()
    };
    let keys = Keys::<Blake3Config>::new(&honest.whole.program, demanding).expect("it is small");
    let exit_code = honest.whole.exit_code;
    assert!(matches!(
        verify(&keys, exit_code, &honest.proof),
        Err(VerifyError::Security {
            demanded: 100,
            got: 3,
            ..
        })
    ));
    let modest = Security { bits: 3, ..weak() };
    let keys = Keys::<Blake3Config>::new(&honest.whole.program, modest).expect("it is small");
    assert!(verify(&keys, exit_code, &honest.proof).is_ok());
}

#[test]
fn another_header() {
    let honest = walking();
    let changes: [fn(&mut Header); 4] = [
        |header| header.hash = Hash::Poseidon2,
        |header| header.parameters.queries += 1,
        |header| header.parameters = Parameters::STANDARD,
        |header| header.machine[31] ^= 1,
    ];
    for change in changes {
        let refused = honest.refused_proof(|proof| change(&mut proof.header));
        assert!(matches!(refused, VerifyError::Header { .. }), "{refused}");
    }
    let exit_code = honest.whole.exit_code;
    let refused = honest.keys.verify(exit_code ^ 1, &honest.proof);
    assert!(matches!(refused, Err(VerifyError::ExitCode { .. })));
}
