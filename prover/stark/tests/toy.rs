//! A toy machine of three chips, proved and verified; and forged in every way that the argument
//! itself must catch.

use p3_field::PrimeCharacteristicRing;
use p3_matrix::dense::RowMajorMatrix;
use zkvm_air::{Bus, Description, Expr, F, columns};
use zkvm_stark::{ProvingKey, Setup, Trace, prove, setup};
use zkvm_verifier::{Blake3Config, Parameters, PublicMessage, TablesProof, VerifyError, verify};

columns! {
    /// Sends the square of `a` to a byte look-up.
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

const ROWS: usize = 64;

fn config() -> Blake3Config {
    // Few queries: these tests are about the argument, not about its strength.
    Blake3Config::new(Parameters {
        queries: 10,
        query_grinding_bits: 2,
        logup_grinding_bits: 3,
        ..Parameters::STANDARD
    })
}

fn key(config: &Blake3Config) -> ProvingKey<Blake3Config> {
    let square = Description::new::<Square<Expr>, ()>("square", |builder, row, _| {
        builder.assert_bool("is_real_is_boolean", &row.is_real);
        builder.assert_eq("square", &row.a * &row.a, row.square.clone());
        builder.send("byte", Bus::Range16, &row.is_real, vec![row.square.clone()]);
        builder.receive("chain", Bus::Chain, &row.is_real, vec![row.a.clone()]);
        builder.send("next", Bus::Chain, &row.is_real, vec![&row.a + 1]);
    });
    let bytes = Description::new::<Count<Expr>, Byte<Expr>>("bytes", |builder, row, byte| {
        builder.receive("byte", Bus::Range16, &row.count, vec![byte.byte.clone()]);
    });
    let absent = Description::new::<Count<Expr>, ()>("absent", |builder, row, _| {
        builder.send("chain", Bus::Chain, &row.count, vec![row.count.clone()]);
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
    ];
    setup(config, tables).expect("the toy has a key")
}

/// Rows for `a` = 0 to 9, the rest padding.
fn traces() -> Vec<Option<Trace>> {
    let mut square = F::zero_vec(3 * ROWS);
    let mut counts = F::zero_vec(256);
    for a in 0..10 {
        square[3 * a] = F::ONE;
        square[3 * a + 1] = F::from_usize(a);
        square[3 * a + 2] = F::from_usize(a * a);
        counts[a * a] += F::ONE;
    }
    vec![
        Some(RowMajorMatrix::new(square, 3)),
        Some(RowMajorMatrix::new(counts, 1)),
        None,
    ]
}

fn chain(value: u32, multiplicity: F) -> PublicMessage {
    PublicMessage {
        bus: Bus::Chain,
        values: vec![F::from_u32(value)],
        multiplicity,
    }
}

fn public() -> Vec<PublicMessage> {
    vec![chain(0, F::ONE), chain(10, F::NEG_ONE)]
}

fn proof_of(
    public: &[PublicMessage],
    traces: Vec<Option<Trace>>,
) -> (
    Blake3Config,
    ProvingKey<Blake3Config>,
    TablesProof<Blake3Config>,
) {
    let config = config();
    let key = key(&config);
    let proof = prove(&config, &key, &[F::TWO], public, traces).expect("the shapes fit");
    (config, key, proof)
}

#[test]
fn an_honest_proof_verifies_and_travels() {
    let (config, key, proof) = proof_of(&public(), traces());
    verify(&config, &key.verifying, &[F::TWO], &public(), &proof).expect("it is honest");
    let bytes = postcard::to_allocvec(&proof).expect("proofs serialize");
    let again = postcard::from_bytes(&bytes).expect("and deserialize");
    verify(&config, &key.verifying, &[F::TWO], &public(), &again).expect("it is the same");
}

#[test]
fn a_false_cell_is_refused() {
    for (row, column) in [(3, 0), (3, 1), (3, 2), (40, 0), (40, 1)] {
        let mut traces = traces();
        if let Some(trace) = &mut traces[0] {
            trace.values[3 * row + column] += F::ONE;
        }
        let (config, key, proof) = proof_of(&public(), traces);
        let result = verify(&config, &key.verifying, &[F::TWO], &public(), &proof);
        assert!(result.is_err(), "row {row} column {column}");
    }
}

#[test]
fn a_false_look_up_or_public_message_is_refused() {
    let (config, key, proof) = proof_of(&[chain(0, F::ONE), chain(11, F::NEG_ONE)], traces());
    let public_11 = [chain(0, F::ONE), chain(11, F::NEG_ONE)];
    let result = verify(&config, &key.verifying, &[F::TWO], &public_11, &proof);
    assert_eq!(result, Err(VerifyError::Balance));

    let mut forged = traces();
    if let Some(counts) = &mut forged[1] {
        counts.values[5] += F::ONE;
    }
    let (config, key, proof) = proof_of(&public(), forged);
    let result = verify(&config, &key.verifying, &[F::TWO], &public(), &proof);
    assert_eq!(result, Err(VerifyError::Balance));
}

#[test]
fn context_and_public_messages_are_bound() {
    let (config, key, proof) = proof_of(&public(), traces());
    let verify = |context: &[F], public: &[PublicMessage]| {
        verify(&config, &key.verifying, context, public, &proof)
    };
    assert!(verify(&[F::ONE], &public()).is_err());
    assert!(verify(&[], &public()).is_err());
    assert!(verify(&[F::TWO, F::ZERO], &public()).is_err());
    let mut more = public();
    more.extend([chain(5, F::ONE), chain(5, F::NEG_ONE)]);
    assert!(
        verify(&[F::TWO], &more).is_err(),
        "messages that cancel are bound too"
    );
}

#[test]
fn every_part_of_a_proof_is_bound() {
    let (config, key, proof) = proof_of(&public(), traces());
    type Forge = fn(&mut TablesProof<Blake3Config>);
    let forgeries: [(&str, Forge); 14] = [
        ("height", |p| p.heights_log2[0] = Some(7)),
        ("absent chip", |p| p.heights_log2[0] = None),
        ("present chip", |p| p.heights_log2[2] = Some(3)),
        ("fixed height", |p| p.heights_log2[1] = Some(7)),
        ("fewer heights", |p| p.heights_log2.truncate(2)),
        ("sums that cancel", |p| {
            p.sums[0] += F::ONE;
            p.sums[1] -= F::ONE;
        }),
        ("fewer sums", |p| p.sums.truncate(1)),
        ("main commitment", |p| p.main = p.quotient.clone()),
        ("LogUp commitment", |p| p.logup = p.quotient.clone()),
        ("grinding", |p| p.logup_grinding += F::ONE),
        ("main opening", |p| p.openings[0].main[1] += F::ONE),
        ("narrow opening", |p| p.openings[0].main.truncate(2)),
        ("running opening", |p| {
            p.openings[1].running_next[4] += F::ONE
        }),
        ("quotient opening", |p| {
            p.openings[1].quotient[1][0] += F::ONE
        }),
    ];
    for (name, forge) in forgeries {
        let mut forged = proof.clone();
        forge(&mut forged);
        let result = verify(&config, &key.verifying, &[F::TWO], &public(), &forged);
        assert!(result.is_err(), "{name}");
    }
    let other = Blake3Config::new(Parameters {
        queries: 11,
        ..*zkvm_verifier::Config::parameters(&config)
    });
    assert!(
        verify(&other, &key.verifying, &[F::TWO], &public(), &proof).is_err(),
        "parameters"
    );
}
