//! Fault injection end to end: more than a thousand seeded mutations of executions of one to five
//! segments. Each is filled and checked; of one in three the proof is really made, and refused:
//! [`Often`] says of which. With the environment variable `ZKVM_INJECT_ALL` set, to whatever, it is
//! made of every one, which takes fifteen CPU minutes instead of four (`docs/bench/prover.md`):
//!
//! ```text
//! ZKVM_INJECT_ALL=1 cargo test -p zkvm-proofs-tests --test injection -- --nocapture more_than
//! ```
//! Besides, finished proofs are mutated, which are verified only.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "what is looked for is two of many reasons"
)]

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use p3_field::PrimeCharacteristicRing;
use zkvm_air::F;
use zkvm_isa::Precompile;
use zkvm_machine::{Input, SegmentLimits};
use zkvm_proofs_tests::inject::{Fault, Injected, inject, same_boundary};
use zkvm_proofs_tests::keys::TraceKeys;
use zkvm_proofs_tests::programs::{
    CALLER_MEMORY, PrecompileCall, caller, caller_input, metronome, precompiles, program, small,
    tour, walker, walker_input,
};
use zkvm_proofs_tests::whole::{Run, SHORT, Whole, hints, rejection_of};
use zkvm_statement::{Proof, VerifyError};
use zkvm_testkit::rng::Rng;
use zkvm_verifier::{Blake3Config, Config, Poseidon2Config, TablesProof};

/// The executions that faults are put into.
fn runs() -> Vec<Run> {
    let run = |program, input: &Input, limits: &SegmentLimits| {
        Run::new(program, input, limits).expect("it has chips")
    };
    let metronome_input = Input {
        bytes: vec![7; 8],
        hints: Vec::new(),
    };
    let runs = vec![
        run(tour(), &hints(), &SHORT),
        run(walker(10), &walker_input(10), &SHORT),
        run(walker(30), &walker_input(30), &SHORT),
        run(metronome(2), &metronome_input, &SHORT),
        run(walker(110), &walker_input(110), &SHORT),
        run(program(&small(2).elf), &Input::default(), &SHORT),
    ];
    let counts: Vec<usize> = runs.iter().map(|run| run.segments.len()).collect();
    assert_eq!(counts, [1, 1, 2, 3, 4, 5]);
    runs
}

/// The rejection of a mutation, from the proof that changed if only one did.
fn rejection(honest: &Whole, injected: &Injected) -> Option<VerifyError> {
    let Injected { whole, only } = injected;
    let Some(index) = *only else {
        return whole.rejection();
    };
    if let Some(error) = rejection_of(&whole.report_of(index)) {
        return Some(match index.checked_sub(whole.segments.len()) {
            None => VerifyError::Segment {
                number: index,
                error,
            },
            Some(number) => VerifyError::Words { number, error },
        });
    }
    if same_boundary(honest, whole) {
        return None;
    }
    let between = whole.report_between();
    (!between.failures.is_empty()).then_some(VerifyError::Between)
}

/// An honest execution with its keys and its proof.
struct Target<C: Config> {
    keys: TraceKeys<C>,
    proof: Proof<C>,
}

impl<C: Config> Target<C> {
    fn new(whole: &Whole) -> Self {
        let keys = TraceKeys::new(&whole.program);
        let proof = keys.prove(whole);
        assert!(keys.verify(whole.exit_code, &proof).is_ok(), "honest");
        Target { keys, proof }
    }

    /// Proves a mutation as `to_make` says, and has it refused as `expected`.
    fn refuses(&self, whole: &Whole, to_make: ToMake, expected: &VerifyError, context: &str) {
        let segments = self.proof.segments.iter().map(|segment| &segment.tables);
        let known: Vec<&TablesProof<C>> = segments.take(to_make.known).collect();
        let verified = self
            .keys
            .prove_after(whole, &known, to_make.first_bad, &self.proof);
        assert_eq!(verified.err().as_ref(), Some(expected), "{context}");
    }
}

/// The proofs about tables that the proof of a mutation is made of.
#[derive(Clone, Copy)]
struct ToMake {
    /// How many are the honest ones.
    known: usize,
    /// The first that does not hold; the verifier looks at none after it.
    first_bad: usize,
    /// How many there are.
    proofs: usize,
}

impl ToMake {
    fn new(honest: &Whole, whole: &Whole, expected: &VerifyError) -> Self {
        let segments = whole.segments.len();
        let first_bad = match expected {
            VerifyError::Segment { number, .. } => *number,
            VerifyError::Words { number, .. } => segments + number,
            _ => whole.proofs(),
        };
        // If the same is shared, the proofs before are the honest ones.
        let is_shared = same_boundary(honest, whole);
        ToMake {
            known: if is_shared {
                first_bad.min(segments)
            } else {
                0
            },
            first_bad,
            proofs: whole.proofs(),
        }
    }

    /// Whether more than one must be made anew.
    fn are_several(self) -> bool {
        (self.first_bad + 1).min(self.proofs) > self.known + 1
    }
}

/// Of which mutations proofs are really made: of one in so many of each kind. A proof about tables
/// takes 0.4 CPU seconds with BLAKE3 and 1.7 with Poseidon2, checking alone 0.04.
struct Often {
    /// With BLAKE3, where one proof about tables is made anew.
    one: u32,
    /// With BLAKE3, where several are.
    several: u32,
    /// With Poseidon2.
    poseidon2: u32,
}

impl Often {
    /// All if the environment says so, else what can be waited for.
    fn from_environment() -> Self {
        let [one, several, poseidon2] = match std::env::var_os("ZKVM_INJECT_ALL") {
            Some(_) => [1, 1, 1],
            None => [2, 8, 15],
        };
        Often {
            one,
            several,
            poseidon2,
        }
    }
}

#[test]
fn more_than_a_thousand_mutations_and_not_one_accepted_proof() {
    let seed = 11;
    eprintln!("seed {seed}");
    let started = Instant::now();
    // Filling what is no execution may panic, which is as good as no proof.
    std::panic::set_hook(Box::new(|info| {
        if !info
            .location()
            .is_some_and(|at| at.file().contains("chips"))
        {
            eprintln!("{info}");
        }
    }));
    let often = Often::from_environment();
    let mut rng = Rng::new(seed);
    let (mut checked, mut proved, mut harmless, mut unfillable) = (0, 0, 0, 0);
    let mut in_proofs = Duration::ZERO;
    let mut by_fault: BTreeMap<Fault, [u32; 2]> = BTreeMap::new();
    for (number, run) in runs().iter().enumerate() {
        let honest = run.fill().expect("it has chips");
        let report = honest.report();
        assert!(report.failures.is_empty(), "{report}");
        // Poseidon2 is three times as dear.
        let blake3 = (number != 1).then(|| Target::<Blake3Config>::new(&honest));
        let poseidon2 = (number == 1).then(|| Target::<Poseidon2Config>::new(&honest));
        // By what decides how often: one is to be made anew, or several.
        let mut kinds = [0, 0];
        let mut step = 0;
        while step < 175 {
            let fault = rng.pick(&Fault::ALL);
            let Some(injected) = inject(run, &honest, fault, &mut rng) else {
                unfillable += 1;
                continue;
            };
            let context = format!("seed {seed}, program {number}, step {step}: {fault:?}");
            let Some(expected) = rejection(&honest, &injected) else {
                // What is said is what is true: there must be nothing else to it.
                let Whole {
                    exit_code, journal, ..
                } = &injected.whole;
                assert_eq!(*exit_code, honest.exit_code, "{context}");
                assert_eq!(*journal, honest.journal, "{context}");
                assert_eq!(injected.whole.proofs(), honest.proofs(), "{context}");
                harmless += 1;
                continue;
            };
            step += 1;
            checked += 1;
            let counts = by_fault.entry(fault).or_default();
            counts[0] += 1;
            let whole = &injected.whole;
            let to_make = ToMake::new(&honest, whole, &expected);
            let one_in = match (&poseidon2, to_make.are_several()) {
                (Some(_), _) => often.poseidon2,
                (None, false) => often.one,
                (None, true) => often.several,
            };
            let seen = &mut kinds[usize::from(to_make.are_several())];
            *seen += 1;
            if *seen % one_in != 0 {
                continue;
            }
            let proving = Instant::now();
            proved += 1;
            counts[1] += 1;
            if let Some(target) = &blake3 {
                target.refuses(whole, to_make, &expected, &context);
            }
            if let Some(target) = &poseidon2 {
                target.refuses(whole, to_make, &expected, &context);
            }
            in_proofs += proving.elapsed();
        }
    }
    let _ = std::panic::take_hook();
    eprintln!(
        "{checked} mutations noticed, {proved} of them proved and refused, none accepted; \
         {harmless} changed nothing, {unfillable} gave no traces; {:?}, \
         {in_proofs:?} of it for the proofs",
        started.elapsed()
    );
    for (fault, [checked, proved]) in &by_fault {
        eprintln!("  {fault:?}: {checked}, proved {proved}");
    }
    assert!(checked >= 1000 && proved >= 330);
    assert_eq!(by_fault.len(), Fault::ALL.len(), "{by_fault:?}");
}

/// Faults of every kind in an execution that calls every precompile; of one in eight the proof is
/// made.
#[test]
fn faults_in_calls_of_precompiles() {
    let seed = 12;
    eprintln!("seed {seed}");
    let mut rng = Rng::new(seed);
    let twice = Precompile::ALL.into_iter().chain(Precompile::ALL);
    let calls: Vec<PrecompileCall> = twice
        .map(|precompile| PrecompileCall {
            precompile,
            words: (0..precompile.words()).map(|_| rng.next_u64()).collect(),
        })
        .collect();
    let run = Run::new(precompiles(&calls), &hints(), &SHORT).expect("it has chips");
    assert_eq!(run.segments.len(), 1);
    let honest = run.fill().expect("it has chips");
    let report = honest.report();
    assert!(report.failures.is_empty(), "{report}");
    let target = Target::<Blake3Config>::new(&honest);
    let mut by_fault: BTreeMap<Fault, [u32; 3]> = BTreeMap::new();
    let mut step = 0;
    while step < 120 {
        let fault = if rng.one_in(3) {
            rng.pick(&Fault::ALL)
        } else {
            rng.pick(&Fault::OF_PRECOMPILES)
        };
        let Some(injected) = inject(&run, &honest, fault, &mut rng) else {
            continue;
        };
        let context = format!("seed {seed}, step {step}: {fault:?}");
        let counts = by_fault.entry(fault).or_default();
        let Some(expected) = rejection(&honest, &injected) else {
            assert_eq!(injected.whole.exit_code, honest.exit_code, "{context}");
            assert_eq!(injected.whole.journal, honest.journal, "{context}");
            // Rows do not have the indices of words after the first.
            let is_same = injected.whole.segments[0].traces == honest.segments[0].traces;
            let is_of_call = Fault::OF_PRECOMPILES.contains(&fault);
            assert!(is_same || !is_of_call, "{context}: nothing notices it");
            counts[2] += 1;
            continue;
        };
        step += 1;
        counts[0] += 1;
        if !counts[0].is_multiple_of(8) {
            continue;
        }
        counts[1] += 1;
        let to_make = ToMake::new(&honest, &injected.whole, &expected);
        target.refuses(&injected.whole, to_make, &expected, &context);
    }
    for (fault, [noticed, proved, harmless]) in &by_fault {
        eprintln!("  {fault:?}: {noticed} noticed, {proved} proved, {harmless} changed nothing");
    }
    for fault in Fault::OF_PRECOMPILES {
        let [noticed, proved, _] = by_fault[&fault];
        assert!(noticed >= 30 && proved >= 3, "{fault:?}");
    }
}

#[test]
fn the_program_of_other_keys() {
    let run = |rounds| Run::new(walker(rounds), &walker_input(rounds), &SHORT);
    let [ours, theirs] = [8, 9].map(|rounds| {
        let run = run(rounds).expect("it has chips");
        run.fill().expect("it has chips")
    });
    let keys = TraceKeys::<Poseidon2Config>::new(&ours.program);
    // The traces of another program, and the same with our program's look-ups counted anew.
    for count in [false, true] {
        let mut forged = theirs.clone();
        forged.program = ours.program.clone();
        forged.machines = ours.machines.clone();
        if count {
            forged.count_look_ups(0);
        }
        let expected = forged.rejection();
        assert!(expected.is_some());
        assert_eq!(keys.prove_and_verify(&forged).err(), expected);
    }
}

/// Puts a part of one proof about tables into another's place.
fn exchange<C: Config>(into: &mut TablesProof<C>, from: &TablesProof<C>, part: u64) {
    let table = part as usize % into.openings.len().min(from.openings.len());
    match part % 16 {
        0 => into.boundary = from.boundary.clone(),
        1 => into.main = from.main.clone(),
        2 => into.logup = from.logup.clone(),
        3 => into.quotient = from.quotient.clone(),
        4 => into.sums = from.sums.clone(),
        5 => into.sums_between = from.sums_between.clone(),
        6 => into.openings = from.openings.clone(),
        7 => into.pcs = from.pcs.clone(),
        8 => into.heights_log2 = from.heights_log2.clone(),
        9 => into.openings[table] = from.openings[table].clone(),
        10 => into.openings[table].main = from.openings[table].main.clone(),
        11 => into.openings[table].fractions = from.openings[table].fractions.clone(),
        12 => into.openings[table].running = from.openings[table].running.clone(),
        13 => into.openings[table].running_next = from.openings[table].running_next.clone(),
        14 => into.openings[table].quotient = from.openings[table].quotient.clone(),
        _ => into.openings[table].quotient.swap(0, 5),
    }
}

/// Changes one number in a proof about tables.
fn nudge<C: Config>(proof: &mut TablesProof<C>, rng: &mut Rng) {
    let table = rng.below(proof.openings.len() as u64) as usize;
    let opening = &mut proof.openings[table];
    let list = match rng.below(8) {
        0 => &mut proof.sums,
        1 => &mut proof.sums_between,
        2 => &mut opening.main,
        3 => &mut opening.fractions,
        4 => &mut opening.running,
        5 => &mut opening.running_next,
        _ => &mut opening.quotient,
    };
    // Tables of few interactions have no columns of fractions.
    let list = if list.is_empty() {
        &mut proof.sums
    } else {
        list
    };
    let at = rng.below(list.len() as u64) as usize;
    match rng.below(4) {
        0 => drop(list.remove(at)),
        1 => list.push(list[at]),
        _ => list[at] += F::from_u32(1 + rng.below(1 << 20) as u32),
    }
}

/// Two executions of one program, with hints that differ.
fn walks() -> [Run; 2] {
    [40, 41].map(|rounds| {
        let run = Run::new(walker(40), &walker_input(rounds), &SHORT);
        run.expect("it has chips")
    })
}

/// The same of one that calls precompiles.
fn calls() -> [Run; 2] {
    let calls = [
        [Precompile::KeccakF.number(), CALLER_MEMORY, 0, 0],
        [
            Precompile::Secp256k1Add.number(),
            CALLER_MEMORY,
            CALLER_MEMORY + 64,
            0,
        ],
        [
            Precompile::Sha256Compress.number(),
            CALLER_MEMORY,
            CALLER_MEMORY + 64,
            0,
        ],
    ];
    [50, 51].map(|seed| {
        let mut rng = Rng::new(seed);
        let memory: Vec<u64> = (0..25).map(|_| rng.next_u64()).collect();
        let run = Run::new(caller(3), &caller_input(&calls, &memory), &SHORT);
        run.expect("it has chips")
    })
}

fn finished_proofs_are_refused<C: Config>(seed: u64, count: u64, runs: [Run; 2]) {
    let started = Instant::now();
    let mut rng = Rng::new(seed);
    let proved = runs.map(|run| {
        let whole = run.fill().expect("it has chips");
        let keys = TraceKeys::<C>::new(&whole.program);
        let proof = keys.prove(&whole);
        (keys, whole.exit_code, proof)
    });
    let [(keys, exit_code, ours), (_, other_code, theirs)] = proved;
    assert!(keys.verify(exit_code, &ours).is_ok());
    assert!(keys.verify(other_code, &theirs).is_ok());
    let honest = ours.to_bytes().expect("it has an encoding");
    let (mut refused, mut same) = (0, 0);
    while refused < count {
        let mut proof = ours.clone();
        let segments = proof.segments.len() as u64;
        let (a, b) = (rng.below(segments) as usize, rng.below(segments) as usize);
        let kind = rng.below(10);
        match kind {
            0..3 => {
                let from = &theirs.segments[b].tables;
                exchange(&mut proof.segments[a].tables, from, rng.below(64));
            }
            3..5 => {
                let from = ours.segments[b].tables.clone();
                exchange(&mut proof.segments[a].tables, &from, rng.below(64));
            }
            5..8 => nudge(&mut proof.segments[a].tables, &mut rng),
            8 => match rng.below(5) {
                0 => proof.segments.swap(a, b),
                1 => drop(proof.segments.remove(a)),
                2 => {
                    let again = theirs.segments[a].clone();
                    proof.segments.insert(b, again);
                }
                3 => proof.segments[a] = theirs.segments[a].clone(),
                _ => proof.words.push(ours.segments[a].tables.clone()),
            },
            _ => match rng.below(6) {
                0 => proof.journal.clone_from(&theirs.journal),
                1 => proof.last_word ^= 1 << rng.below(29),
                2 => proof.grinding += F::ONE,
                3 => proof.segments[a].end_clock ^= 1 << rng.below(32),
                4 => proof.segments[a].end_half_pc ^= 1 << rng.below(32),
                _ => proof.segments[a].journal_end ^= 1 << rng.below(12),
            },
        }
        if proof.to_bytes().expect("it has an encoding") == honest {
            same += 1;
            continue;
        }
        let verified = keys.verify(exit_code, &proof);
        assert!(verified.is_err(), "seed {seed}, mutation {refused}, {kind}");
        refused += 1;
    }
    eprintln!(
        "{}: {refused} mutations of finished proofs refused, {same} changed nothing; {:?}",
        C::HASH.name(),
        started.elapsed()
    );
}

#[test]
fn mutated_finished_proofs_are_refused() {
    finished_proofs_are_refused::<Blake3Config>(21, 700, walks());
    finished_proofs_are_refused::<Poseidon2Config>(22, 300, walks());
}

#[test]
fn mutated_finished_proofs_of_precompiles_are_refused() {
    finished_proofs_are_refused::<Blake3Config>(23, 200, calls());
}
