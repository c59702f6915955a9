//! Parameters for each level, found by search; and what happens when something is taken away.

mod common;

use common::{ALONE, BARE, CHARACTERISTIC, DEGREE, HIGH, LARGEST, STANDARD};
use p3_field::extension::QuinticTrinomialExtensionField;
use p3_field::{BasedVectorSpace, PrimeField32};
use p3_koala_bear::KoalaBear;
use zkvm_soundness::{
    Level, Parameters, Report, Shape, Source, Unsupported, field_collision_bits, meets,
};

/// The most grinding before queries, and at other places, that a prover is asked for.
const GRINDING_MAX: (u8, u8) = (20, 16);

type Reporter = fn(&Parameters, &Shape) -> Option<Report>;

fn unique(parameters: &Parameters, shape: &Shape) -> Option<Report> {
    Report::unique_decoding(parameters, shape).ok()
}

fn list(parameters: &Parameters, shape: &Shape) -> Option<Report> {
    Report::list_decoding(parameters, shape).ok()?
}

fn reaches(reporter: Reporter, parameters: &Parameters, shape: &Shape, level: Level) -> bool {
    reporter(parameters, shape).is_some_and(|report| meets(&report, level).is_ok())
}

/// The fewest queries with which grinding reaches `level`, then the least grinding with these.
fn search(
    reporter: Reporter,
    shape: &Shape,
    level: Level,
    start: Parameters,
) -> Option<Parameters> {
    let (query, other) = GRINDING_MAX;
    let mut found = Parameters {
        query_grinding_bits: query,
        batch_grinding_bits: other,
        commit_grinding_bits: other,
        logup_grinding_bits: other,
        global_grinding_bits: other,
        ..start
    };
    let (mut too_few, mut enough) = (0, 500);
    while enough - too_few > 1 {
        found.queries = (too_few + enough) / 2;
        if reaches(reporter, &found, shape, level) {
            enough = found.queries;
        } else {
            too_few = found.queries;
        }
    }
    found.queries = enough;
    // Folding grinds once for each round, so it is spared first.
    let places: [fn(&mut Parameters) -> &mut u8; 5] = [
        |parameters| &mut parameters.commit_grinding_bits,
        |parameters| &mut parameters.batch_grinding_bits,
        |parameters| &mut parameters.logup_grinding_bits,
        |parameters| &mut parameters.global_grinding_bits,
        |parameters| &mut parameters.query_grinding_bits,
    ];
    for place in places {
        let most = *place(&mut found);
        let least = (0..=most).find(|bits| {
            *place(&mut found) = *bits;
            reaches(reporter, &found, shape, level)
        });
        *place(&mut found) = least?;
    }
    Some(found)
}

#[test]
fn the_field_is_the_system_s() {
    type Challenge = QuinticTrinomialExtensionField<KoalaBear>;
    assert_eq!(CHARACTERISTIC, KoalaBear::ORDER_U32);
    let dimension = <Challenge as BasedVectorSpace<KoalaBear>>::DIMENSION;
    assert_eq!(usize::from(DEGREE), dimension);
}

#[test]
fn the_fewest_queries_of_unique_decoding() {
    let standard = search(unique, &LARGEST, Level::Standard, BARE).unwrap();
    assert_eq!(standard, STANDARD);
    let high = search(unique, &LARGEST, Level::High, BARE).unwrap();
    assert_eq!(high, HIGH);
    // Fewer columns need less grinding: 450, as in one narrow segment.
    let narrow = Shape {
        openings: 450,
        ..LARGEST
    };
    let high = search(unique, &narrow, Level::High, BARE).unwrap();
    assert_eq!((high.queries, high.batch_grinding_bits), (261, 5));
}

#[test]
fn the_fewest_queries_of_list_decoding() {
    // One segment, no table shorter than 2^10 rows.
    let standard = search(list, &ALONE, Level::Standard, BARE).unwrap();
    let expected = Parameters {
        queries: 161,
        batch_grinding_bits: 6,
        ..STANDARD
    };
    assert_eq!(standard, expected);
    // Three queries more, and no grinding but theirs.
    let plain = Parameters {
        queries: 164,
        ..STANDARD
    };
    assert!(reaches(list, &plain, &ALONE, Level::Standard));
    // The high level: far more queries than by unique decoding.
    let high = search(list, &ALONE, Level::High, BARE).unwrap();
    assert_eq!(high.queries, 390);
}

#[test]
fn short_tables_and_many_segments_take_list_decoding_away() {
    let queries = |height_log2_min, segments| {
        let shape = Shape {
            height_log2_min,
            segments,
            global_interactions: 1 << 30,
            ..ALONE
        };
        search(list, &shape, Level::Standard, BARE).map(|parameters| parameters.queries)
    };
    let by_height = [2, 3, 4, 6, 8, 9].map(|height_log2_min| queries(height_log2_min, 1));
    let expected = [None, Some(243), Some(194), Some(168), Some(162), Some(161)];
    assert_eq!(by_height, expected);
    let by_segments = [1, 4, 8, 10, 32].map(|segments| queries(10, segments));
    let expected = [Some(161), Some(161), Some(175), Some(194), None];
    assert_eq!(by_segments, expected);
}

#[test]
fn folding_by_more_costs_a_bit_each_time_and_sixteen_too_many() {
    let folding = |fold_arity_log2_max| {
        let parameters = Parameters {
            fold_arity_log2_max,
            ..HIGH
        };
        let report = Report::new(&parameters, &LARGEST).unwrap();
        let bits = report.term(Source::Folding).unwrap().bits().floor();
        (bits, meets(&report, Level::High).is_ok())
    };
    let all = [1, 2, 3, 4].map(folding);
    assert_eq!(all, [(130, true), (129, true), (128, true), (127, false)]);
}

/// Takes `change` from parameters that reach the high level; `source` must be what binds then.
fn weakened(source: Source, change: fn(&mut Parameters)) {
    let mut parameters = HIGH;
    change(&mut parameters);
    let strong = Report::unique_decoding(&HIGH, &LARGEST).unwrap();
    let weak = Report::unique_decoding(&parameters, &LARGEST).unwrap();
    assert_eq!(meets(&strong, Level::High), Ok(()));
    let shortfall = meets(&weak, Level::High).unwrap_err();
    assert_eq!(shortfall.term.source, source);
    assert_eq!(shortfall.term, weak.binding());
    for (strong, weak) in strong.terms().iter().zip(weak.terms()) {
        assert_eq!(strong.source, weak.source);
        if strong.source == source {
            assert!(weak.bits() < strong.bits(), "{source}");
        } else {
            assert_eq!(weak, strong, "{source}");
        }
    }
}

#[test]
fn whatever_is_taken_away_lowers_its_own_term_only() {
    weakened(Source::Queries, |parameters| parameters.queries = 260);
    weakened(Source::Queries, |parameters| {
        parameters.query_grinding_bits = 19
    });
    weakened(Source::Batching, |parameters| {
        parameters.batch_grinding_bits = 9
    });
    weakened(Source::LogUp, |parameters| {
        parameters.logup_grinding_bits = 9
    });
    weakened(Source::GlobalLogUp, |parameters| {
        parameters.global_grinding_bits = 6
    });
    weakened(Source::Folding, |parameters| {
        parameters.fold_arity_log2_max = 4
    });
    weakened(Source::Collisions, |parameters| {
        parameters.collision_bits = field_collision_bits(CHARACTERISTIC, 8);
    });
}

#[test]
fn grinding_before_folding_adds_to_folding() {
    let parameters = Parameters {
        fold_arity_log2_max: 4,
        commit_grinding_bits: 1,
        ..HIGH
    };
    let report = Report::unique_decoding(&parameters, &LARGEST).unwrap();
    assert_eq!(meets(&report, Level::High), Ok(()));
}

/// Every number of a shape, made larger, never adds security.
#[test]
fn no_shape_is_safer_for_being_larger() {
    let changes: [fn(&mut Shape); 10] = [
        |shape| shape.height_log2_max += 1,
        |shape| shape.height_log2_min -= 1,
        |shape| shape.openings *= 2,
        |shape| shape.constraints *= 2,
        |shape| shape.constraint_degree_max += 1,
        |shape| shape.interactions *= 2,
        |shape| shape.message_elements_max += 1,
        |shape| shape.global_interactions *= 2,
        |shape| shape.global_message_elements_max += 1,
        |shape| shape.segments += 1,
    ];
    let base = Shape {
        global_interactions: 1 << 20,
        ..ALONE
    };
    for change in changes {
        let mut larger = base;
        change(&mut larger);
        for reporter in [unique as Reporter, list] {
            let before = reporter(&STANDARD, &base).unwrap();
            let after = reporter(&STANDARD, &larger).unwrap();
            assert!(after.bits() <= before.bits(), "{larger:?}");
            if after.regime() == before.regime() {
                for (before, after) in before.terms().iter().zip(after.terms()) {
                    assert!(after.bits() <= before.bits(), "{larger:?}");
                }
            }
        }
    }
}

#[test]
fn the_levels_parameters_miss_nothing_and_ask_for_little_more() {
    let standard = Report::new(&STANDARD, &LARGEST).unwrap();
    assert_eq!(meets(&standard, Level::Standard), Ok(()));
    let shortfall = meets(&standard, Level::High).unwrap_err();
    assert_eq!(
        shortfall.to_string(),
        "FRI queries has 100.09 bits of proven security, level high asks for 128"
    );
    // The estimate up to capacity would call this 128 bits.
    let refuted = Parameters {
        queries: 108,
        ..STANDARD
    };
    let report = Report::new(&refuted, &ALONE).unwrap();
    assert_eq!(report.bits().floor(), 73);
}

#[test]
fn digests_of_field_elements_have_half_their_length() {
    let bits = |elements| field_collision_bits(CHARACTERISTIC, elements);
    assert_eq!([bits(8), bits(9), bits(0)], [123, 139, 0]);
    assert_eq!(field_collision_bits(u32::MAX, u8::MAX), 4079);
}

#[test]
fn numbers_out_of_bounds_are_refused_by_name() {
    let wrong = Parameters {
        blowup_log2: 0,
        ..STANDARD
    };
    let expected = Unsupported {
        what: "the blow-up's logarithm",
        got: 0,
        least: 1,
        most: 8,
    };
    assert_eq!(Report::new(&wrong, &LARGEST), Err(expected));
    let wrong = Shape {
        height_log2_min: 23,
        ..LARGEST
    };
    let error = Report::new(&STANDARD, &wrong).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the least height's logarithm is 23; security is computed for 1 to 22"
    );
}

/// At all bounds at once there is a report, and nothing overflows.
#[test]
fn the_bounds_themselves_are_computed() {
    let parameters = Parameters {
        characteristic: u32::MAX,
        challenge_degree: 64,
        blowup_log2: 8,
        queries: u16::MAX,
        fold_arity_log2_max: 8,
        query_grinding_bits: 30,
        batch_grinding_bits: 30,
        commit_grinding_bits: 30,
        logup_grinding_bits: 30,
        global_grinding_bits: 30,
        collision_bits: u16::MAX,
    };
    let shape = Shape {
        height_log2_max: 32,
        height_log2_min: 32,
        openings: 1 << 32,
        points_max: 2,
        constraints: 1 << 32,
        constraint_degree_max: 64,
        interactions: 1 << 48,
        message_elements_max: 1 << 15,
        global_interactions: 1 << 48,
        global_message_elements_max: 1 << 15,
        segments: u32::MAX,
    };
    let report = Report::new(&parameters, &shape).unwrap();
    assert!(report.bits().floor() > 1900, "{report}");
    let parameters = Parameters {
        characteristic: 3,
        challenge_degree: 1,
        queries: 1,
        query_grinding_bits: 0,
        ..BARE
    };
    let shape = Shape {
        height_log2_max: 1,
        height_log2_min: 1,
        ..LARGEST
    };
    let report = Report::new(&parameters, &shape).unwrap();
    assert_eq!(report.bits().floor(), 0, "{report}");
}

/// The decision record shows what the code computes.
#[test]
fn the_tables_in_the_decision_record_are_these() {
    let text = include_str!("../../../docs/decisions/0011-security-levels.md");
    let alone = Parameters {
        queries: 164,
        ..STANDARD
    };
    let reports = [
        Report::new(&STANDARD, &LARGEST),
        Report::new(&HIGH, &LARGEST),
        Report::new(&alone, &ALONE),
    ];
    for report in reports {
        let table = report.unwrap().to_string();
        assert!(text.contains(&table), "the record lacks\n{table}");
    }
}
