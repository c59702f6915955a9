//! Every term against the formula written out by hand, and against `p3-security`'s floating-point
//! model: neither our integers nor a new version of theirs can drift unseen.

mod common;

use common::{ALONE, BARE, CHARACTERISTIC, DEGREE, HIGH, LARGEST, STANDARD};
use p3_security::logup::{LogUpAir, fingerprint_error};
use p3_security::proximity::{alpha_ldr_m, alpha_udr, compute_upper_m, list_size_ldr_m};
use p3_security::{GrindingSites, InstanceShape, SecurityAssumption, StarkAirParams};
use p3_security::{air, deep, fri, stark};
use zkvm_soundness::{Parameters, Regime, Report, Shape, Source};

/// Integers round down, by less than this.
const ROUNDING: f64 = 0.02;

fn close(what: &str, got: f64, expected: f64) {
    assert!(
        got <= expected + 1e-6 && got >= expected - ROUNDING,
        "{what}: got {got}, expected {expected}"
    );
}

fn before(report: &Report, source: Source) -> f64 {
    report.term(source).unwrap().bits_before.raw() as f64 / 65536.0
}

fn field() -> f64 {
    f64::from(DEGREE) * f64::from(CHARACTERISTIC).log2()
}

#[test]
fn terms_of_unique_decoding_are_those_computed_by_hand() {
    let report = Report::unique_decoding(&HIGH, &LARGEST).unwrap();
    let term = |source| before(&report, source);
    let rows = f64::from(1 << 22);
    // A query passes with probability 1 - (1 - rho)/2, rho = (2^22 + 2) / 2^23.
    let rho = (rows + 2.0) / (2.0 * rows);
    let query = -(1.0 - (1.0 - rho) / 2.0).log2();
    close("queries", term(Source::Queries), 261.0 * query);
    close(
        "queries",
        term(Source::Queries),
        261.0 * (4.0_f64 / 3.0).log2(),
    );
    close(
        "batching",
        term(Source::Batching),
        field() - 23.0 - 8999_f64.log2(),
    );
    close("folding", term(Source::Folding), field() - 23.0 - 3.0);
    close(
        "LogUp",
        term(Source::LogUp),
        field() - 30.0 - 104_f64.log2(),
    );
    close(
        "global",
        term(Source::GlobalLogUp),
        field() - 30.0 - 14_f64.log2(),
    );
    close(
        "constraints",
        term(Source::Constraints),
        field() - 3000_f64.log2(),
    );
    close(
        "point",
        term(Source::OutOfDomain),
        field() - (4.0 * rows + 2.0).log2(),
    );
    assert!((term(Source::Collisions) - 128.0).abs() < 1e-9);
}

#[test]
fn terms_of_list_decoding_are_those_computed_by_hand() {
    let report = Report::list_decoding(&STANDARD, &ALONE).unwrap().unwrap();
    let Regime::ListDecoding { multiplicity } = report.regime() else {
        panic!("{}", report.regime());
    };
    let m = f64::from(multiplicity);
    let term = |source| before(&report, source);
    let list = (0.5 + m).log2() + 0.5;
    let rows = f64::from(1 << 22);
    let points = 2.0 * rows;
    let exceptional = (8.0 * points * (m + 0.5).powi(3) / (3.0 * (rows - 1.0) / points)).log2();
    let query = 0.5 - (1.0 + 1.0 / (2.0 * m)).log2();
    close("queries", term(Source::Queries), 193.0 * query);
    close(
        "batching",
        term(Source::Batching),
        field() - exceptional - 2499_f64.log2(),
    );
    close(
        "folding",
        term(Source::Folding),
        field() - exceptional - 3.0,
    );
    close(
        "LogUp",
        term(Source::LogUp),
        field() - 30.0 - 14_f64.log2() - list,
    );
    close(
        "constraints",
        term(Source::Constraints),
        field() - 1000_f64.log2() - list,
    );
    close(
        "point",
        term(Source::OutOfDomain),
        field() - (4.0 * rows + 2.0).log2() - list,
    );
}

#[test]
fn every_segment_multiplies_the_lists_that_the_global_challenge_meets() {
    let report = |segments| {
        let shape = Shape {
            global_interactions: 1 << 30,
            segments,
            ..ALONE
        };
        Report::list_decoding(&STANDARD, &shape).unwrap().unwrap()
    };
    let few = report(3);
    let Regime::ListDecoding { multiplicity } = few.regime() else {
        panic!("{}", few.regime());
    };
    let list = (0.5 + f64::from(multiplicity)).log2() + 0.5;
    let expected = field() - 30.0 - 14_f64.log2() - 3.0 * list;
    close("global", before(&few, Source::GlobalLogUp), expected);
    // With many there is nothing left, and unique decoding is chosen, which loses nothing.
    assert_eq!(report(256).bits().floor(), 0);
    let best = Report::new(&STANDARD, &LARGEST).unwrap();
    assert_eq!(best.regime(), Regime::UniqueDecoding);
    let one = Shape {
        segments: 1,
        ..LARGEST
    };
    assert_eq!(
        best.bits(),
        Report::unique_decoding(&STANDARD, &one).unwrap().bits()
    );
}

/// The mirror of a shape in `p3-security`, which knows whole bits of a field only.
fn mirror(
    parameters: &Parameters,
    shape: &Shape,
) -> (fri::FriRegime, StarkAirParams, InstanceShape) {
    let degree = usize::from(shape.constraint_degree_max);
    (
        fri::FriRegime {
            log_blowup: parameters.blowup_log2.into(),
            num_queries: parameters.queries.into(),
            log_final_poly_len: 0,
            max_log_arity: parameters.fold_arity_log2_max.into(),
            commit_pow_bits: 0,
            query_pow_bits: 0,
        },
        StarkAirParams {
            num_constraints: shape.constraints as usize,
            max_constraint_degree: degree,
            num_quotient_chunks: (degree - 1).next_power_of_two(),
            max_combo: shape.points_max.into(),
        },
        InstanceShape {
            log_trace_length: shape.height_log2_max.into(),
            modulus_bits: 155,
            collision_resistance: parameters.collision_bits.into(),
            num_batched_functions: shape.openings as usize,
        },
    )
}

/// What the mirror counts too much: the field, rounded up to whole bits.
fn field_excess() -> f64 {
    155.0 - field()
}

/// What the mirror counts too much in a fold: a curve of one degree less.
fn fold_excess(parameters: &Parameters) -> f64 {
    let arity = f64::from(1_u32 << parameters.fold_arity_log2_max);
    (arity / (arity - 1.0)).log2()
}

fn shapes() -> impl Iterator<Item = (Parameters, Shape)> {
    let heights = [4_u8, 10, 16, 20, 22];
    heights.into_iter().flat_map(|height_log2_max| {
        [(1_u8, 1_u8), (1, 3), (2, 2), (4, 3)].into_iter().map(
            move |(blowup_log2, fold_arity_log2_max)| {
                let parameters = Parameters {
                    blowup_log2,
                    fold_arity_log2_max,
                    ..BARE
                };
                let shape = Shape {
                    height_log2_max,
                    height_log2_min: height_log2_max,
                    openings: 200 + 100 * u64::from(height_log2_max),
                    points_max: 1 + height_log2_max % 2,
                    interactions: 1 << (height_log2_max + 5),
                    ..ALONE
                };
                (parameters, shape)
            },
        )
    })
}

fn p3_logup(shape: &Shape, instance: &InstanceShape) -> f64 {
    let lookups = LogUpAir {
        num_interactions: (shape.interactions >> shape.height_log2_max) as usize,
        max_message_width: shape.message_elements_max.into(),
    };
    fingerprint_error(&lookups, instance).bits()
}

#[test]
fn unique_decoding_agrees_with_p3_security() {
    for (parameters, shape) in shapes() {
        let (regime, air, instance) = mirror(&parameters, &shape);
        let report = Report::unique_decoding(&parameters, &shape).unwrap();
        let check = |source: Source, expected: f64| {
            close(source.name(), before(&report, source), expected);
        };
        let alpha = alpha_udr(instance.log_trace_length, regime.log_blowup, air.max_combo);
        check(
            Source::Queries,
            fri::query_phase_error(alpha, regime.num_queries, 0).bits(),
        );
        let folding = fri::commit_phase_error_udr(&regime, &instance)
            .unwrap()
            .bits();
        // (arity - 1)(n + 1) against arity · n.
        let points = f64::from(1_u32 << (shape.height_log2_max + parameters.blowup_log2));
        let folding = folding + (1.0 + 1.0 / points).log2();
        check(
            Source::Folding,
            folding - field_excess() - fold_excess(&parameters),
        );
        let batching = SecurityAssumption::UniqueDecoding.prox_gaps_error(
            instance.log_trace_length,
            regime.log_blowup,
            instance.modulus_bits,
            instance.num_batched_functions,
        );
        check(Source::Batching, batching - field_excess());
        let composition = air::composition_error(air.num_constraints, 1.0, 155).bits();
        check(Source::Constraints, composition - field_excess());
        let point = deep::deep_ali_error(&air, &instance, 1.0).bits();
        check(Source::OutOfDomain, point - field_excess());
        check(Source::LogUp, p3_logup(&shape, &instance) - field_excess());
    }
}

#[test]
fn list_decoding_agrees_with_p3_security() {
    let mut seen = 0;
    for (parameters, shape) in shapes() {
        let (regime, air, instance) = mirror(&parameters, &shape);
        let upper = compute_upper_m(1 << instance.log_trace_length, air.max_combo).min(1000);
        let Some(report) = Report::list_decoding(&parameters, &shape).unwrap() else {
            assert!(upper < 3, "{shape:?}");
            continue;
        };
        let Regime::ListDecoding { multiplicity } = report.regime() else {
            panic!("{}", report.regime());
        };
        seen += 1;
        let m = usize::from(multiplicity);
        assert!((3..=upper).contains(&m), "{m} of {upper}");
        let check = |source: Source, expected: f64| {
            close(source.name(), before(&report, source), expected);
        };
        let alpha = alpha_ldr_m(regime.log_blowup, m);
        check(
            Source::Queries,
            fri::query_phase_error(alpha, regime.num_queries, 0).bits(),
        );
        let folding = fri::commit_phase_error_ldr_m(&regime, &instance, m)
            .unwrap()
            .bits();
        check(
            Source::Folding,
            folding - field_excess() - fold_excess(&parameters),
        );
        let batching = SecurityAssumption::prox_gaps_error_jb_at_m(
            instance.log_trace_length,
            regime.log_blowup,
            instance.modulus_bits,
            instance.num_batched_functions,
            m,
        );
        check(Source::Batching, batching - field_excess());
        let list = list_size_ldr_m(regime.log_blowup, m);
        let composition = air::composition_error(air.num_constraints, list, 155).bits();
        check(Source::Constraints, composition - field_excess());
        let point = deep::deep_ali_error(&air, &instance, list).bits();
        check(Source::OutOfDomain, point - field_excess());
        // The list is ours.
        let logup = p3_logup(&shape, &instance) - list.log2();
        check(Source::LogUp, logup - field_excess());
    }
    assert!(seen > 10, "{seen}");
}

#[test]
fn the_whole_is_what_p3_security_reports_less_what_we_charge_more() {
    for (parameters, shape) in shapes() {
        let parameters = Parameters {
            queries: 400,
            ..parameters
        };
        for queries in [60, 120, 193, 261, 400] {
            let parameters = Parameters {
                queries,
                ..parameters
            };
            let (regime, air, instance) = mirror(&parameters, &shape);
            let sites = GrindingSites::NONE;
            let theirs = stark::proven_security_report(&regime, &air, &instance, &[], &sites);
            // Theirs knows no lookups; ours has so few that the term does not bind.
            let shape = Shape {
                interactions: 1,
                message_elements_max: 1,
                ..shape
            };
            let ours = Report::new(&parameters, &shape).unwrap();
            let ours = ours.bits().raw() as f64 / 65536.0;
            let theirs = theirs.security_bits();
            assert!(
                ours <= theirs,
                "{ours} > {theirs}: {parameters:?} {shape:?}"
            );
            let excess = field_excess() + fold_excess(&parameters);
            assert!(
                ours >= theirs - excess - ROUNDING,
                "{ours} < {theirs}: {parameters:?} {shape:?}"
            );
        }
    }
}
