//! A toy machine of four chips, proved and verified in two proofs that balance only together; and
//! forged in every way that the argument itself must catch.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::{Bus, Description, DescriptionError, Expr, F, Round, Scope, columns};
use zkvm_stark::{
    Backend, Cpu, ProveError, ProvingKey, Reference, Setup, Trace, commit_boundary, prove, setup,
};
use zkvm_verifier::logup::Challenges;
use zkvm_verifier::{
    Blake3Config, Challenge, Config, ExecutionTranscript, KeyError, Parameters, Poseidon2Config,
    PublicMessage, Shared, Statement, TableKey, TableOpening, TablesProof, VerifyError,
    VerifyingKey, messages_sum, verify,
};

columns! {
    /// Sends the square of `a` to a byte look-up, and goes from `a` to `a + 1`.
    struct Square {
        /// 1 in real rows.
        is_real: [cell],
        /// Any value.
        a: [cell],
        /// Its square, a byte.
        square: [cell],
    }
}

columns! {
    /// How often each byte is looked up.
    struct Count {
        /// The count.
        count: [cell],
    }
}

columns! {
    /// A byte.
    struct Byte {
        /// The byte.
        byte: [cell],
    }
}

columns! {
    /// Takes a state over from another proof and hands one on.
    struct Border {
        /// 1 in real rows.
        is_real: [cell],
        /// What is taken over; the proof's own state begins with it.
        from: [cell],
        /// What is left; the proof's own state ends with it.
        to: [cell],
    }
}

const ROWS: usize = 64;

/// Few queries: these tests are about the argument, not about its strength.
const PARAMETERS: Parameters = Parameters {
    queries: 10,
    query_grinding_bits: 2,
    logup_grinding_bits: 3,
    ..Parameters::STANDARD
};

/// Without grinding, whose witness is any of many: what is proved twice is the same then.
const UNGROUND: Parameters = Parameters {
    query_grinding_bits: 0,
    logup_grinding_bits: 0,
    ..PARAMETERS
};

fn state(value: Expr) -> Vec<Expr> {
    vec![value, Expr::from(0)]
}

fn key<C: Config>(config: &C) -> ProvingKey<C> {
    let main = Round::Main;
    let square = Description::new::<Square<Expr>, ()>("square", main, |builder, row, _| {
        builder.assert_bool("is_real_is_boolean", &row.is_real);
        builder.assert_eq("square", &row.a * &row.a, row.square.clone());
        builder.send("byte", Bus::Range16, &row.is_real, vec![row.square.clone()]);
        builder.receive("state", Bus::State, &row.is_real, state(row.a.clone()));
        builder.send("next", Bus::State, &row.is_real, state(&row.a + 1));
    });
    let bytes = Description::new::<Count<Expr>, Byte<Expr>>("bytes", main, |builder, row, byte| {
        builder.receive("byte", Bus::Range16, &row.count, vec![byte.byte.clone()]);
    });
    let absent = Description::new::<Count<Expr>, ()>("absent", main, |builder, row, _| {
        builder.send("state", Bus::State, &row.count, state(row.count.clone()));
    });
    let round = Round::Boundary;
    let border = Description::new::<Border<Expr>, ()>("border", round, |builder, row, _| {
        builder.assert_bool("is_real_is_boolean", &row.is_real);
        let number = Expr::public(0);
        builder.assert_zero_when("first_is_zero", &number.not(), row.from.clone());
        builder.receive("taken", Bus::Chain, &row.is_real, vec![row.from.clone()]);
        builder.send("left", Bus::Chain, &row.is_real, vec![row.to.clone()]);
        builder.send("begin", Bus::State, &row.is_real, state(row.from.clone()));
        builder.receive("end", Bus::State, &row.is_real, state(row.to.clone()));
    });
    let byte_rows = RowMajorMatrix::new((0..256).map(F::from_u32).collect(), 1);
    let chip = |description: Result<Description, _>, preprocessed| Setup {
        description: description.expect("the toy is well formed"),
        preprocessed,
    };
    let tables = vec![
        chip(square, None),
        chip(bytes, Some(byte_rows)),
        chip(absent, None),
        chip(border, None),
    ];
    setup(config, tables).expect("the toy has a key")
}

/// Rows for `a` = `from` to `to - 1`, the rest padding; handed over if `from` and `to` are.
fn traces([from, to]: [usize; 2]) -> Vec<Option<Trace>> {
    let mut square = F::zero_vec(3 * ROWS);
    let mut counts = F::zero_vec(256);
    for (row, a) in (from..to).enumerate() {
        square[3 * row] = F::ONE;
        square[3 * row + 1] = F::from_usize(a);
        square[3 * row + 2] = F::from_usize(a * a);
        counts[a * a] += F::ONE;
    }
    let mut border = F::zero_vec(3 * 4);
    border[..3].copy_from_slice(&[F::ONE, F::from_usize(from), F::from_usize(to)]);
    vec![
        Some(RowMajorMatrix::new(square, 3)),
        Some(RowMajorMatrix::new(counts, 1)),
        None,
        Some(RowMajorMatrix::new(border, 3)),
    ]
}

fn chain(value: u32, multiplicity: F) -> PublicMessage {
    PublicMessage {
        bus: Bus::Chain,
        values: vec![F::from_u32(value)],
        multiplicity,
    }
}

/// From 0 to 10 over both proofs.
fn between() -> Vec<PublicMessage> {
    vec![chain(0, F::ONE), chain(10, F::NEG_ONE)]
}

/// A message to itself that cancels: it is bound all the same.
fn own(value: u32) -> Vec<PublicMessage> {
    [F::ONE, F::NEG_ONE]
        .map(|multiplicity| PublicMessage {
            bus: Bus::Halt,
            values: vec![F::from_u32(value), F::ZERO],
            multiplicity,
        })
        .into()
}

/// Two proofs with what they share.
struct Pair<C: Config> {
    config: C,
    key: ProvingKey<C>,
    shared: Shared,
    proofs: Vec<TablesProof<C>>,
}

/// Draws what the proofs of these boundaries share.
fn share<C: Config>(config: &C, key: &ProvingKey<C>, traces: &[Vec<Option<Trace>>]) -> Shared {
    let mut transcript = ExecutionTranscript::begin(config, &[F::TWO], &between(), traces.len());
    for (number, traces) in (0..).zip(traces) {
        let only_border = traces.iter().enumerate();
        let only_border = only_border.map(|(index, t)| t.clone().filter(|_| index == 3));
        let commitment = commit_boundary(config, key, only_border.collect());
        let commitment = commitment.expect("the shapes fit");
        let heights = [None, None, None, traces[3].as_ref().map(|_| 2)];
        transcript.proof(
            &key.verifying,
            &[F::new(number)],
            &heights,
            commitment.as_ref(),
        );
    }
    let _ = transcript.grind(config.parameters().logup_grinding_bits);
    transcript.draw()
}

impl<C: Config> Pair<C> {
    fn new(backend: &impl Backend, traces: Vec<Vec<Option<Trace>>>) -> Self {
        Self::with(PARAMETERS, backend, traces)
    }

    fn with(
        parameters: Parameters,
        backend: &impl Backend,
        traces: Vec<Vec<Option<Trace>>>,
    ) -> Self {
        let config = C::new(parameters);
        let key = key(&config);
        let shared = share(&config, &key, &traces);
        let mut pair = Pair {
            config,
            key,
            shared,
            proofs: Vec::new(),
        };
        for (number, traces) in (0..).zip(traces) {
            let public = [F::new(number)];
            let messages = own(number);
            let proof = prove(
                &pair.config,
                backend,
                &pair.key,
                &pair.statement(&public, &messages),
                traces,
            );
            pair.proofs.push(proof.expect("the shapes fit"));
        }
        pair
    }

    fn honest() -> Self {
        Pair::new(&Cpu, vec![traces([0, 4]), traces([4, 10])])
    }

    fn statement<'a>(&'a self, public: &'a [F], messages: &'a [PublicMessage]) -> Statement<'a> {
        Statement {
            context: &[F::TWO],
            public,
            messages,
            shared: &self.shared,
        }
    }

    /// Verifies the proofs and adds up what they say to each other.
    fn sum(&self) -> Result<Challenge, VerifyError> {
        let mut sum = messages_sum(Scope::Execution, &between(), &self.shared.challenges)?;
        for (number, proof) in (0..).zip(&self.proofs) {
            let (public, messages) = ([F::new(number)], own(number));
            let statement = self.statement(&public, &messages);
            sum += verify(&self.config, &self.key.verifying, &statement, proof)?;
        }
        Ok(sum)
    }

    /// The refusal of the first proof, changed.
    fn refusal(&self, forge: impl FnOnce(&mut TablesProof<C>)) -> Option<VerifyError> {
        let mut forged = self.proofs[1].clone();
        forge(&mut forged);
        let (public, messages) = ([F::ONE], own(1));
        let statement = self.statement(&public, &messages);
        verify(&self.config, &self.key.verifying, &statement, &forged).err()
    }
}

fn two_proofs_verify_and_travel<C: Config>() {
    let mut pair = Pair::<C>::honest();
    assert_eq!(pair.sum(), Ok(Challenge::ZERO));
    let again = |proof: &TablesProof<C>| {
        let bytes = postcard::to_allocvec(proof).expect("proofs serialize");
        postcard::from_bytes(&bytes).expect("and deserialize")
    };
    pair.proofs = pair.proofs.iter().map(again).collect();
    assert_eq!(pair.sum(), Ok(Challenge::ZERO));
    // Neither balances alone, nor does either twice.
    let (first, second) = (pair.proofs[0].clone(), pair.proofs[1].clone());
    pair.proofs = vec![first.clone()];
    assert_ne!(pair.sum(), Ok(Challenge::ZERO));
    pair.proofs = vec![first, second.clone(), second];
    assert_ne!(pair.sum(), Ok(Challenge::ZERO));
}

#[test]
fn two_proofs_verify_and_travel_and_balance_only_together() {
    two_proofs_verify_and_travel::<Blake3Config>();
    two_proofs_verify_and_travel::<Poseidon2Config>();
}

fn backends_agree<C: Config>() {
    let all = || vec![traces([0, 4]), traces([4, 10])];
    let [fast, reference] = [
        Pair::<C>::with(UNGROUND, &Cpu, all()).proofs,
        Pair::<C>::with(UNGROUND, &Reference, all()).proofs,
    ]
    .map(|proofs| postcard::to_allocvec(&proofs).expect("proofs serialize"));
    assert!(fast == reference);
}

#[test]
fn both_backends_give_the_same_bytes() {
    backends_agree::<Blake3Config>();
    backends_agree::<Poseidon2Config>();
}

#[test]
fn proofs_that_do_not_hand_over_the_same_do_not_balance() {
    let pair = Pair::<Blake3Config>::new(&Cpu, vec![traces([0, 4]), traces([5, 10])]);
    let sum = pair.sum().expect("each holds by itself");
    assert_ne!(sum, Challenge::ZERO);
    // The first one must begin with nothing, by its number; the second need not.
    let pair = Pair::<Blake3Config>::new(&Cpu, vec![traces([4, 10]), traces([0, 4])]);
    let chip = "border".to_owned();
    assert_eq!(pair.sum(), Err(VerifyError::Constraints { chip }));
}

fn false_cells_are_refused<C: Config>() {
    for (chip, row, column, width) in [
        (0, 3, 0, 3),
        (0, 3, 1, 3),
        (0, 3, 2, 3),
        (0, 40, 0, 3),
        (0, 40, 1, 3),
        (3, 0, 0, 3),
        (3, 0, 1, 3),
        (3, 0, 2, 3),
    ] {
        let mut forged = traces([4, 10]);
        if let Some(trace) = &mut forged[chip] {
            trace.values[width * row + column] += F::ONE;
        }
        let pair = Pair::<C>::new(&Cpu, vec![traces([0, 4]), forged]);
        assert_ne!(
            pair.sum(),
            Ok(Challenge::ZERO),
            "chip {chip} row {row} column {column}"
        );
    }
}

#[test]
fn a_false_cell_is_refused() {
    false_cells_are_refused::<Blake3Config>();
    false_cells_are_refused::<Poseidon2Config>();
}

#[test]
fn a_false_look_up_or_an_absent_border_is_refused() {
    let mut forged = traces([4, 10]);
    if let Some(counts) = &mut forged[1] {
        counts.values[5] += F::ONE;
    }
    let pair = Pair::<Blake3Config>::new(&Cpu, vec![traces([0, 4]), forged]);
    assert_eq!(pair.sum(), Err(VerifyError::Balance));
    let mut forged = traces([4, 10]);
    forged[3] = None;
    let pair = Pair::<Blake3Config>::new(&Cpu, vec![traces([0, 4]), forged]);
    assert_eq!(pair.sum(), Err(VerifyError::Balance));
}

#[test]
fn context_public_values_messages_and_challenges_are_bound() {
    let pair = Pair::<Blake3Config>::honest();
    let other = Pair::<Blake3Config>::new(&Cpu, vec![traces([0, 5]), traces([5, 10])]);
    let (public, messages) = ([F::ONE], own(1));
    let honest = pair.statement(&public, &messages);
    let verify = |statement: &Statement<'_>| {
        verify(
            &pair.config,
            &pair.key.verifying,
            statement,
            &pair.proofs[1],
        )
    };
    assert!(verify(&honest).is_ok());
    for context in [&[F::ONE][..], &[], &[F::TWO, F::ZERO]] {
        assert!(verify(&Statement { context, ..honest }).is_err());
    }
    for public in [&[F::TWO][..], &[], &[F::ONE, F::ONE]] {
        assert!(verify(&Statement { public, ..honest }).is_err());
    }
    for messages in [own(2), Vec::new(), [own(1), own(1)].concat()] {
        let messages = &messages;
        assert!(
            verify(&Statement { messages, ..honest }).is_err(),
            "messages that cancel are bound too"
        );
    }
    let shared = &other.shared;
    assert!(
        verify(&Statement { shared, ..honest }).is_err(),
        "challenges"
    );
    let mut seed = pair.shared;
    seed.seed[7] += F::ONE;
    let shared = &seed;
    assert!(verify(&Statement { shared, ..honest }).is_err(), "seed");
    let foreign = [chain(1, F::ONE)];
    let messages = &foreign;
    assert!(
        verify(&Statement { messages, ..honest }).is_err(),
        "the segment's messages are on the segment's buses"
    );
    let challenges = &pair.shared.challenges;
    assert_eq!(
        messages_sum(Scope::Execution, &own(1), challenges),
        Err(VerifyError::Scope)
    );
}

/// What is drawn from the transcript of the execution changes with everything it absorbs.
#[test]
fn shared_challenges_depend_on_every_boundary() {
    let config = Blake3Config::new(UNGROUND);
    let key = key(&config);
    let seed = |traces: &[Vec<Option<Trace>>]| share(&config, &key, traces).seed;
    let honest = seed(&[traces([0, 4]), traces([4, 10])]);
    assert_eq!(honest, seed(&[traces([0, 4]), traces([4, 10])]));
    let others = [
        seed(&[traces([0, 4])]),
        seed(&[traces([4, 10]), traces([0, 4])]),
        seed(&[traces([0, 4]), traces([4, 11])]),
        seed(&[traces([0, 3]), traces([4, 10])]),
        seed(&[traces([0, 4]), traces([4, 10]), traces([4, 10])]),
        seed(&[traces([0, 4]), vec![None, None, None, None]]),
    ];
    for (index, other) in others.iter().enumerate() {
        assert_ne!(*other, honest, "{index}");
    }
    // What is committed to later is not there yet.
    let mut later = traces([4, 10]);
    later[0] = None;
    assert_eq!(seed(&[traces([0, 4]), later]), honest);
}

type Forge<C> = fn(&mut TablesProof<C>);
/// Puts a part of another proof into a proof.
type Swap<'a, C> = &'a dyn Fn(&mut TablesProof<C>);

fn forgeries<C: Config>() -> Vec<(&'static str, Forge<C>)> {
    vec![
        ("height", |p| p.heights_log2[0] = Some(7)),
        ("height of a boundary table", |p| {
            p.heights_log2[3] = Some(3)
        }),
        ("absent chip", |p| p.heights_log2[0] = None),
        ("absent boundary table", |p| p.heights_log2[3] = None),
        ("present chip", |p| p.heights_log2[2] = Some(3)),
        ("fixed height", |p| p.heights_log2[1] = Some(7)),
        ("fewer heights", |p| p.heights_log2.truncate(3)),
        ("sums that cancel", |p| {
            p.sums[0] += F::ONE;
            p.sums[1] -= F::ONE;
        }),
        ("fewer sums", |p| p.sums.truncate(1)),
        ("sum between", |p| p.sums_between[0] += F::ONE),
        ("no sum between", |p| p.sums_between.clear()),
        ("one sum between more", |p| {
            p.sums_between.push(Challenge::ZERO)
        }),
        ("sums of two scopes exchanged", |p| {
            std::mem::swap(&mut p.sums[2], &mut p.sums_between[0]);
        }),
        ("boundary commitment", |p| {
            p.boundary = Some(p.main.clone());
        }),
        ("no boundary commitment", |p| p.boundary = None),
        ("main commitment", |p| p.main = p.quotient.clone()),
        ("LogUp commitment", |p| p.logup = p.quotient.clone()),
        ("quotient commitment", |p| p.quotient = p.logup.clone()),
        ("grinding", |p| p.logup_grinding += F::ONE),
        ("main opening", |p| p.openings[0].main[1] += F::ONE),
        ("boundary opening", |p| p.openings[2].main[1] += F::ONE),
        ("preprocessed opening", |p| {
            p.openings[1].preprocessed[0] += F::ONE;
        }),
        ("narrow opening", |p| p.openings[0].main.truncate(2)),
        ("fewer openings", |p| p.openings.truncate(2)),
        ("fraction opening", |p| p.openings[0].fractions[4] += F::ONE),
        ("running opening", |p| {
            p.openings[1].running_next[4] += F::ONE;
        }),
        ("running opening between", |p| {
            p.openings[2].running[7] += F::ONE;
        }),
        ("running opening without the second sum", |p| {
            p.openings[2].running.truncate(5);
        }),
        ("quotient opening", |p| {
            p.openings[1].quotient[5] += F::ONE;
        }),
    ]
}

fn every_part_is_bound<C: Config>() {
    let pair = Pair::<C>::honest();
    assert_eq!(pair.refusal(|_| {}), None);
    for (name, forge) in forgeries::<C>() {
        assert!(pair.refusal(forge).is_some(), "{name}");
    }
    // The other proof's parts, each in place of this one's own.
    let first = &pair.proofs[0];
    let swaps: [(&str, Swap<'_, C>); 8] = [
        ("boundary", &|p| p.boundary = first.boundary.clone()),
        ("main", &|p| p.main = first.main.clone()),
        ("logup", &|p| p.logup = first.logup.clone()),
        ("quotient", &|p| p.quotient = first.quotient.clone()),
        ("sums", &|p| p.sums = first.sums.clone()),
        ("sums between", &|p| {
            p.sums_between = first.sums_between.clone()
        }),
        ("openings", &|p| p.openings = first.openings.clone()),
        ("pcs", &|p| p.pcs = first.pcs.clone()),
    ];
    for (name, swap) in swaps {
        assert!(pair.refusal(swap).is_some(), "{name} of another proof");
    }
    let other = C::new(Parameters {
        queries: 11,
        ..PARAMETERS
    });
    let (public, messages) = ([F::ONE], own(1));
    let statement = pair.statement(&public, &messages);
    let result = verify(&other, &pair.key.verifying, &statement, &pair.proofs[1]);
    assert!(result.is_err(), "parameters");
}

#[test]
fn every_part_of_a_proof_is_bound() {
    every_part_is_bound::<Blake3Config>();
    every_part_is_bound::<Poseidon2Config>();
}

#[test]
fn what_is_wrong_with_the_boundary_is_said() {
    let pair = Pair::<Blake3Config>::honest();
    let boundary = Some(VerifyError::Boundary);
    assert_eq!(pair.refusal(|p| p.boundary = None), boundary);
    assert_eq!(pair.refusal(|p| p.sums_between.clear()), boundary);
    let more: Forge<Blake3Config> = |p| p.sums_between.push(Challenge::ZERO);
    assert_eq!(pair.refusal(more), boundary);
    // A sum that is not the tables' own breaks the running sum of the chip that speaks there.
    let chip = "border".to_owned();
    assert_eq!(
        pair.refusal(|p| p.sums_between[0] += F::ONE),
        Some(VerifyError::Constraints {
            chip: "square".to_owned()
        }),
        "all constraints have another challenge: {chip} is not the first"
    );
}

#[test]
fn a_chip_committed_to_after_the_challenge_cannot_speak_between_proofs() {
    let late = Description::new::<Count<Expr>, ()>("late", Round::Main, |builder, row, _| {
        builder.send("chain", Bus::Chain, &row.count, vec![row.count.clone()]);
    });
    let name = "chain".to_owned();
    assert_eq!(late.err(), Some(DescriptionError::Round { name }));
}

#[test]
fn traces_of_a_wrong_shape_are_refused_by_the_prover() {
    let config = Blake3Config::new(PARAMETERS);
    let key = key(&config);
    let error = commit_boundary(&config, &key, vec![None; 3]);
    let expected = 4;
    assert_eq!(error.err(), Some(ProveError::Count { expected, got: 3 }));
    let wide = Some(RowMajorMatrix::new(F::zero_vec(16), 4));
    let error = commit_boundary(&config, &key, vec![None, None, None, wide]);
    assert!(matches!(error.err(), Some(ProveError::Shape { .. })));
    let none = commit_boundary(&config, &key, vec![None; 4]);
    assert!(none.is_ok_and(|commitment| commitment.is_none()));
}

#[test]
fn heights_out_of_bounds_are_refused_by_name() {
    let pair = Pair::<Blake3Config>::honest();
    for (index, chip, height) in [
        (0, "square", 0),
        (0, "square", 1),
        (0, "square", 23),
        (0, "square", 64),
        (0, "square", 255),
        (1, "bytes", 7),
        (1, "bytes", 9),
        (3, "border", 1),
    ] {
        let got = Some(height);
        let refused = pair.refusal(|p| p.heights_log2[index] = got);
        let chip = chip.to_owned();
        assert_eq!(refused, Some(VerifyError::Height { chip, got }));
    }
    // A table with fixed columns is in every proof.
    let refused = pair.refusal(|p| {
        p.heights_log2[1] = None;
        let _ = (p.sums.remove(1), p.openings.remove(1));
    });
    let (chip, got) = ("bytes".to_owned(), None);
    assert_eq!(refused, Some(VerifyError::Height { chip, got }));
}

#[test]
fn every_opened_width_is_the_keys() {
    let pair = Pair::<Blake3Config>::honest();
    type List = fn(&mut TableOpening) -> &mut Vec<Challenge>;
    let lists: [(&str, List); 6] = [
        ("main", |o| &mut o.main),
        ("preprocessed", |o| &mut o.preprocessed),
        ("fractions", |o| &mut o.fractions),
        ("running", |o| &mut o.running),
        ("running_next", |o| &mut o.running_next),
        ("quotient", |o| &mut o.quotient),
    ];
    for (part, list) in lists {
        for table in 0..3 {
            let width = list(&mut pair.proofs[1].openings[table].clone()).len();
            for wrong in [0, width.saturating_sub(1), width + 1, 2 * width + 5] {
                if wrong == width {
                    continue;
                }
                let refused = pair.refusal(|p| {
                    list(&mut p.openings[table]).resize(wrong, Challenge::ZERO);
                });
                let Some(VerifyError::Width {
                    what,
                    expected,
                    got,
                    ..
                }) = refused
                else {
                    panic!("{part} of table {table}, {wrong} values: {refused:?}")
                };
                assert_eq!((what, expected, got), (part, width, wrong));
            }
        }
    }
}

/// The same tables and the same commitment, and another digest: that of other parameters.
#[test]
fn the_digest_of_the_key_is_absorbed() {
    let pair = Pair::<Blake3Config>::honest();
    let parameters = Parameters {
        logup_grinding_bits: 4,
        ..PARAMETERS
    };
    let other = key(&Blake3Config::new(parameters)).verifying;
    assert_ne!(other.digest(), pair.key.verifying.digest());
    let (public, messages) = ([F::ONE], own(1));
    let statement = pair.statement(&public, &messages);
    let by = |key| verify(&pair.config, key, &statement, &pair.proofs[1]);
    assert!(by(&pair.key.verifying).is_ok());
    assert!(by(&other).is_err());
    // Every parameter is in the digest.
    let changes: [fn(&mut Parameters); 5] = [
        |p| p.blowup_log2 += 1,
        |p| p.queries += 1,
        |p| p.query_grinding_bits += 1,
        |p| p.batch_grinding_bits += 1,
        |p| p.logup_grinding_bits += 1,
    ];
    let tables = || pair.key.verifying.tables().to_vec();
    let root = pair.proofs[0].main.clone();
    let digest = |parameters: &Parameters, rows: &[u8]| {
        let key = VerifyingKey::<Blake3Config>::new(parameters, tables(), root.clone(), rows);
        key.expect("the toy has a key").digest()
    };
    let mut digests = vec![digest(&PARAMETERS, b""), digest(&PARAMETERS, b"other rows")];
    for change in changes {
        let mut parameters = PARAMETERS;
        change(&mut parameters);
        digests.push(digest(&parameters, b""));
    }
    // So are the tables and their order.
    let mut reversed = tables();
    reversed.reverse();
    for tables in [reversed, tables()[1..].to_vec()] {
        let key = VerifyingKey::<Blake3Config>::new(&PARAMETERS, tables, root.clone(), b"");
        digests.push(key.expect("it is a key").digest());
    }
    digests.sort_unstable();
    digests.dedup();
    assert_eq!(digests.len(), 9);
}

/// What the proofs of an execution share depends on everything that is public before it is drawn.
#[test]
fn shared_challenges_depend_on_all_that_is_public() {
    struct Said {
        context: Vec<F>,
        messages: Vec<PublicMessage>,
        proofs: usize,
        parameters: Parameters,
        public: Vec<F>,
        heights: [Option<u8>; 4],
        grinding: u32,
    }
    let drawn = |change: fn(&mut Said)| {
        let mut said = Said {
            context: vec![F::TWO],
            messages: between(),
            proofs: 1,
            parameters: PARAMETERS,
            public: vec![F::ONE],
            heights: [None, None, None, Some(2)],
            grinding: 0,
        };
        change(&mut said);
        let config = Blake3Config::new(PARAMETERS);
        let key = key(&Blake3Config::new(said.parameters)).verifying;
        let Said {
            context, messages, ..
        } = &said;
        let mut transcript = ExecutionTranscript::begin(&config, context, messages, said.proofs);
        transcript.proof(&key, &said.public, &said.heights, None);
        let _ = transcript.check(1, F::new(said.grinding));
        transcript.draw().seed
    };
    let changes: [fn(&mut Said); 12] = [
        |_| {},
        |s| s.context[0] = F::ONE,
        |s| s.context.push(F::ZERO),
        |s| s.messages[0].values[0] = F::ONE,
        |s| s.messages[0].multiplicity = F::TWO,
        |s| s.messages[0].bus = Bus::Boundary,
        |s| drop(s.messages.pop()),
        |s| s.proofs = 2,
        |s| s.parameters.queries += 1,
        |s| s.public[0] = F::TWO,
        |s| s.heights[3] = Some(3),
        |s| s.grinding = 1,
    ];
    let mut seeds: Vec<String> = changes.map(|change| format!("{:?}", drawn(change))).into();
    seeds.sort_unstable();
    seeds.dedup();
    assert_eq!(seeds.len(), changes.len());
}

#[test]
fn a_public_message_has_its_buses_width_and_a_fingerprint() {
    let beta = Challenge::TWO;
    let sum = |values: Vec<F>, alpha: Challenge| {
        let message = PublicMessage {
            values,
            ..chain(0, F::ONE)
        };
        messages_sum(Scope::Execution, &[message], &Challenges::new(alpha, beta))
    };
    for values in [vec![], vec![F::ONE, F::ZERO]] {
        let refused = sum(values.clone(), Challenge::ONE);
        let (expected, got) = (1, values.len());
        let what = "values of a public message";
        let count = VerifyError::Count {
            what,
            expected,
            got,
        };
        assert_eq!(refused, Err(count));
    }
    let bus = Challenge::from_u8(Bus::Chain as u8);
    assert_eq!(
        sum(vec![F::ONE], -bus - beta),
        Err(VerifyError::Fingerprint)
    );
    // The bus is part of it: the same values on two buses are not the same message.
    let challenges = Challenges::new(Challenge::ONE, beta);
    let fingerprints = Bus::ALL.map(|bus| challenges.fingerprint(bus, &[F::ZERO; 3]));
    for (index, one) in fingerprints.iter().enumerate() {
        assert!(!fingerprints[..index].contains(one), "{index}");
    }
}

/// Changes lists in the commitment scheme's proof, which the decoder lets have any length.
macro_rules! lengths_are_fixed {
    ($config:ty) => {
        let pair = Pair::<$config>::honest();
        let changes: Vec<(&str, fn(&mut TablesProof<$config>))> = vec![
            ("final polynomial of degree 1", |p| {
                p.pcs.final_poly.push(Challenge::ZERO)
            }),
            ("no final polynomial", |p| p.pcs.final_poly.clear()),
            ("a round more", |p| {
                let again = p.pcs.commit_phase_commits[0].clone();
                p.pcs.commit_phase_commits.push(again);
            }),
            ("a round less", |p| drop(p.pcs.commit_phase_commits.pop())),
            ("no round", |p| p.pcs.commit_phase_commits.clear()),
            ("a witness more", |p| {
                p.pcs.commit_pow_witnesses.push(F::ZERO)
            }),
            ("a witness less", |p| {
                let _ = p.pcs.commit_pow_witnesses.pop();
            }),
            ("a witness of grinding that is none", |p| {
                p.pcs.commit_pow_witnesses[0] = F::ONE
            }),
            ("another witness of batching, which is not ground", |p| {
                p.pcs.batch_pow_witness += F::ONE
            }),
            ("a commitment less", |p| drop(p.pcs.input_openings.pop())),
            ("no openings", |p| p.pcs.input_openings.clear()),
            ("a query less", |p| {
                drop(p.pcs.input_openings[2].opened_values.pop())
            }),
            ("no query", |p| {
                p.pcs
                    .input_openings
                    .iter_mut()
                    .for_each(|o| o.opened_values.clear());
                let openings = p.pcs.commit_phase_openings.iter_mut();
                openings.for_each(|o| o.sibling_values.clear());
            }),
            ("a matrix less", |p| {
                let values = &mut p.pcs.input_openings[2].opened_values;
                values.iter_mut().for_each(|rows| drop(rows.pop()));
            }),
            ("a row with a zero more", |p| {
                let values = &mut p.pcs.input_openings[2].opened_values;
                values.iter_mut().for_each(|rows| rows[0].push(F::ZERO));
            }),
            ("a row shorter", |p| {
                let values = &mut p.pcs.input_openings[2].opened_values;
                values.iter_mut().for_each(|rows| {
                    let _ = rows[0].pop();
                });
            }),
            ("an element moved to the next row of the same height", |p| {
                let values = &mut p.pcs.input_openings[3].opened_values;
                for rows in values {
                    let last = rows[0].pop().expect("it has fractions");
                    rows[1].insert(0, last);
                }
            }),
            ("a sibling more", |p| {
                let values = &mut p.pcs.commit_phase_openings[0].sibling_values;
                values.iter_mut().for_each(|of| of.push(Challenge::ZERO));
            }),
            ("a sibling less", |p| {
                let values = &mut p.pcs.commit_phase_openings[0].sibling_values;
                values.iter_mut().for_each(|of| {
                    let _ = of.pop();
                });
            }),
            ("a step less", |p| drop(p.pcs.commit_phase_openings.pop())),
            ("a digest more", |p| {
                let digests = &mut p.pcs.input_openings[2].opening_proof.sibling_hashes;
                let again = digests[0];
                digests.push(again);
            }),
            ("a digest less", |p| {
                let _ = p.pcs.input_openings[2].opening_proof.sibling_hashes.pop();
            }),
        ];
        assert_eq!(pair.refusal(|_| {}), None);
        for (name, change) in changes {
            let refused = pair.refusal(change);
            let is_the_schemes = matches!(refused, Some(VerifyError::Opening { .. }));
            assert!(is_the_schemes, "{name}: {refused:?}");
        }
    };
}

#[test]
fn lengths_in_the_opening_proof_are_fixed_by_the_key() {
    lengths_are_fixed!(Blake3Config);
    lengths_are_fixed!(Poseidon2Config);
}

/// A key whose fixed columns are all of boundary tables, and a proof without any other.
#[test]
fn a_proof_without_a_table_of_the_main_round_is_refused() {
    let pair = Pair::<Blake3Config>::honest();
    let border = Description::new::<Count<Expr>, Byte<Expr>>(
        "border",
        Round::Boundary,
        |builder, row, byte| {
            builder.send("byte", Bus::Range16, &row.count, vec![byte.byte.clone()]);
        },
    );
    let table = TableKey {
        description: border.expect("it is well formed"),
        preprocessed_height_log2: Some(2),
    };
    let root = pair.proofs[1].main.clone();
    let key = VerifyingKey::new(&PARAMETERS, vec![table], root.clone(), b"");
    let mut proof = pair.proofs[1].clone();
    proof.heights_log2 = vec![Some(2)];
    proof.boundary = Some(root);
    proof.sums = vec![Challenge::ZERO];
    proof.sums_between.clear();
    proof.openings = vec![TableOpening {
        main: vec![Challenge::ZERO],
        preprocessed: vec![Challenge::ZERO],
        fractions: Vec::new(),
        running: vec![Challenge::ZERO; 5],
        running_next: vec![Challenge::ZERO; 5],
        quotient: vec![Challenge::ZERO; 10],
    }];
    let key = key.expect("it is a key");
    let refused = verify(&pair.config, &key, &pair.statement(&[], &[]), &proof);
    assert_eq!(refused, Err(VerifyError::NoMain));
}

#[test]
fn keys_that_no_proof_could_be_checked_against_are_refused() {
    let pair = Pair::<Blake3Config>::honest();
    let root = &pair.proofs[1].main;
    let made = |change: fn(&mut Vec<TableKey>)| {
        let mut tables = pair.key.verifying.tables().to_vec();
        change(&mut tables);
        VerifyingKey::<Blake3Config>::new(&PARAMETERS, tables, root.clone(), b"").err()
    };
    assert_eq!(made(|_| {}), None);
    let chip = || "bytes".to_owned();
    assert_eq!(
        made(|tables| tables[1].preprocessed_height_log2 = None),
        Some(KeyError::Preprocessed { chip: chip() })
    );
    let (chip, height_log2) = (chip(), 23);
    assert_eq!(
        made(|tables| tables[1].preprocessed_height_log2 = Some(23)),
        Some(KeyError::Height { chip, height_log2 })
    );
    let chip = "absent".to_owned();
    assert_eq!(
        made(|tables| tables[2].description.columns.clear()),
        Some(KeyError::Empty { chip })
    );
    assert_eq!(
        made(|tables| drop(tables.remove(1))),
        Some(KeyError::NoPreprocessed)
    );
}
