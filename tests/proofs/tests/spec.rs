//! Generated pages of the specification: what the transcripts absorb and draw, and the bits of
//! security of a real proof. `ZKVM_BLESS=1 cargo test -p zkvm-proofs-tests --test spec` rewrites them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};

use p3_challenger::{CanObserve, CanSample, CanSampleBits, FieldChallenger, GrindingChallenger};
use p3_symmetric::MerkleCap;
use zkvm_air::F;
use zkvm_proofs_tests::keys::TraceKeys;
use zkvm_proofs_tests::programs::{walker, walker_input};
use zkvm_proofs_tests::whole::{Run, SHORT, Whole};
use zkvm_prover::{Keys, Security, report};
use zkvm_statement::ExecutionKeys;
use zkvm_verifier::{Blake3Config, Config, Hash, Parameters, Poseidon2Config};

/// What happens to a sponge; runs of the same are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    AbsorbElements(usize),
    AbsorbCommitment,
    DrawElements(usize),
    DrawBits { bits: usize, times: usize },
    Grind { bits: usize },
}

type Log = Arc<Mutex<Vec<Vec<Event>>>>;

/// BLAKE3 with sponges that write down what happens to them.
#[derive(Clone, Debug)]
struct Recording {
    inner: Blake3Config,
    log: Log,
}

/// What a commitment of the configuration is.
type Cap = MerkleCap<F, [u8; 32]>;

type Inner = <Blake3Config as Config>::Challenger;

#[derive(Clone)]
struct Recorder {
    inner: Inner,
    log: Log,
    number: usize,
}

impl Recorder {
    fn note(&self, event: Event) {
        let mut log = self.log.lock().expect("no test panics in here");
        let events = &mut log[self.number];
        match (events.last_mut(), event) {
            (Some(Event::AbsorbElements(count)), Event::AbsorbElements(more))
            | (Some(Event::DrawElements(count)), Event::DrawElements(more)) => *count += more,
            (
                Some(Event::DrawBits { bits, times }),
                Event::DrawBits {
                    bits: same,
                    times: more,
                },
            ) if *bits == same => *times += more,
            _ => events.push(event),
        }
    }
}

impl CanObserve<F> for Recorder {
    fn observe(&mut self, value: F) {
        self.note(Event::AbsorbElements(1));
        self.inner.observe(value);
    }
}

impl CanObserve<Cap> for Recorder {
    fn observe(&mut self, value: Cap) {
        self.note(Event::AbsorbCommitment);
        self.inner.observe(value);
    }
}

impl CanSample<F> for Recorder {
    fn sample(&mut self) -> F {
        self.note(Event::DrawElements(1));
        self.inner.sample()
    }
}

impl CanSampleBits<usize> for Recorder {
    fn sample_bits(&mut self, bits: usize) -> usize {
        self.note(Event::DrawBits { bits, times: 1 });
        self.inner.sample_bits(bits)
    }
}

impl FieldChallenger<F> for Recorder {}

impl GrindingChallenger for Recorder {
    type Witness = F;

    fn grind(&mut self, bits: usize) -> F {
        self.note(Event::Grind { bits });
        self.inner.grind(bits)
    }

    fn check_witness(&mut self, bits: usize, witness: F) -> bool {
        self.note(Event::Grind { bits });
        self.inner.check_witness(bits, witness)
    }
}

impl Config for Recording {
    type Challenger = Recorder;
    type Mmcs = <Blake3Config as Config>::Mmcs;
    type Pcs = <Blake3Config as Config>::Pcs;

    fn new(parameters: Parameters) -> Self {
        Recording {
            inner: Blake3Config::new(parameters),
            log: Log::default(),
        }
    }

    fn pcs(&self) -> &Self::Pcs {
        self.inner.pcs()
    }

    fn mmcs(&self) -> &Self::Mmcs {
        self.inner.mmcs()
    }

    fn challenger(&self) -> Recorder {
        let mut log = self.log.lock().expect("no test panics in here");
        log.push(Vec::new());
        Recorder {
            inner: self.inner.challenger(),
            log: Arc::clone(&self.log),
            number: log.len() - 1,
        }
    }

    fn parameters(&self) -> &Parameters {
        self.inner.parameters()
    }

    const HASH: Hash = Hash::Blake3;
}

/// Compares a page with the one that is checked in, or writes it.
#[track_caller]
fn compare(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec");
    let path = path.join(name);
    if std::env::var_os("ZKVM_BLESS").is_some() {
        fs::write(&path, page).expect("the page can be written");
    }
    let written = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/spec/{name} is old; run with ZKVM_BLESS=1 to rewrite it"
    );
}

/// Two segments.
fn whole() -> Whole {
    let run = Run::new(walker(30), &walker_input(30), &SHORT).expect("it has chips");
    assert_eq!(run.segments.len(), 2);
    run.fill().expect("it has chips")
}

/// The table of steps in the documentation of the module `transcript.rs`.
fn schedule() -> String {
    let source = include_str!("../../../prover/verifier/src/transcript.rs");
    let lines = source.lines().map_while(|line| line.strip_prefix("//!"));
    let lines = lines.map(|line| line.strip_prefix(' ').unwrap_or(line));
    lines.skip(2).collect::<Vec<_>>().join("\n")
}

fn listed(events: &[Event]) -> String {
    let mut list = String::from("| | |\n|---|---|\n");
    for event in events {
        let (what, amount) = match event {
            Event::AbsorbElements(count) => ("absorb", format!("{count} elements")),
            Event::AbsorbCommitment => ("absorb", "a commitment".to_owned()),
            Event::DrawElements(count) => ("draw", format!("{count} elements")),
            Event::DrawBits { bits, times } => ("draw", format!("{bits} bits, {times} times")),
            Event::Grind { bits } => ("check", format!("grinding of {bits} bits")),
        };
        let _ = writeln!(list, "| {what} | {amount} |");
    }
    list
}

#[test]
fn the_page_of_transcripts_is_the_codes() {
    let whole = whole();
    let keys = TraceKeys::<Recording>::new(&whole.program);
    let take = || {
        let config = ExecutionKeys::config(keys.keys());
        std::mem::take(&mut *config.log.lock().expect("no test panics in here"))
    };
    let proof = keys.prove(&whole);
    let prover = take();
    assert!(keys.verify(whole.exit_code, &proof).is_ok());
    let verifier = take();
    // One sponge for the execution, then one for each proof, on both sides alike.
    assert_eq!(prover, verifier);
    let [execution, segment, last] = &verifier[..] else {
        panic!("{} sponges", verifier.len())
    };
    // The same for another proof of the same shape under another hash of everything.
    let page = format!(
        "# Transcripts\n\nGenerated from the code; a test compares. First the schedule as the code \
         documents it, then what\nhappens to the verifier's sponges for one real proof of two \
         segments, with few queries: a change of\neither is a change of the protocol.\n\n{}\n\n\
         ## The execution\n\n{}\n## The first segment\n\n{}\n## The last segment\n\n{}",
        schedule(),
        listed(execution),
        listed(segment),
        listed(last)
    );
    compare("transcript.md", &page);
}

#[test]
fn the_page_of_security_is_the_codes() {
    fn reports<C: Config>(whole: &Whole, levels: &[(&str, Security)], page: &mut String) {
        let keys = TraceKeys::<C>::new(&whole.program);
        let proof = keys.prove(whole);
        for (name, security) in levels {
            let keys = Keys::<C>::new(&whole.program, *security).expect("it is small");
            let report = report(&keys, &proof).expect("its security is known");
            let reaches = report.bits().floor() >= security.bits;
            let verdict = if reaches { "reaches" } else { "does not reach" };
            let _ = writeln!(
                page,
                "## {}, {name}\n\n```text\n{report}\n```\n\nIt {verdict} {} bits.\n",
                C::HASH.name(),
                security.bits
            );
        }
    }
    let whole = whole();
    let mut page = String::from(
        "# Security\n\nGenerated from the code; a test compares. Bits of proven security, term by \
         term, of a proof of two\nsegments. The verifier computes this for every proof from its own \
         shape, and refuses it if the least\nis below what the caller demands.\n\n",
    );
    let levels = [("standard", Security::STANDARD), ("high", Security::HIGH)];
    reports::<Blake3Config>(&whole, &levels, &mut page);
    reports::<Poseidon2Config>(&whole, &levels, &mut page);
    compare("security.md", &page);
}
