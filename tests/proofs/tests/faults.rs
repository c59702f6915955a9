//! Fault injection: whole executions whose traces or claims were changed are refused.
//!
//! A change counts as noticed if a constraint fails or a bus does not balance. What is not noticed
//! must be on [`FREE`], a list of cells that mean nothing in some rows, or lie in padding.

use std::collections::BTreeSet;

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::F;
use zkvm_air::mutate::messages;
use zkvm_isa::Chip;
use zkvm_isa::record::Part;
use zkvm_proofs_tests::forge::{
    Forgery, draw, forged, goes_unnoticed, is_padding, is_unnoticed, row, sample, values, widths,
};
use zkvm_proofs_tests::keys::TraceKeys;
use zkvm_proofs_tests::programs::{edges, program, small, tour};
use zkvm_proofs_tests::whole::Whole;
use zkvm_statement::VerifyError;
use zkvm_testkit::rng::Rng;
use zkvm_verifier::{Blake3Config, Config, Poseidon2Config};

/// The access to `rd`, where `rd` is `x0` and nothing is written.
const RD: &[&str] = &[
    "rd.previous[0]",
    "rd.previous[1]",
    "rd.previous[2]",
    "rd.previous[3]",
    "rd.previous_clock",
];

/// When `rs2` was accessed, in immediate forms: its limbs hold the immediate.
const RS2: &[&str] = &["rs2.previous_clock"];

/// The cells that are free in some row of an honest trace, by chip. A cell that is looked up is not:
/// the tables' counts are honest.
const FREE: &[(&str, &[&[&str]])] = &[
    // Registers are in no chain.
    (
        "image",
        &[&["link.before", "link.distance_low", "link.distance_high"]],
    ),
    ("add_sub", &[RD, RS2]),
    ("bitwise", &[RD, RS2]),
    ("upper_immediate", &[RD]),
    ("less_than", &[RD, RS2]),
    // Of an immediate only the lowest limb counts.
    (
        "shift",
        &[
            RD,
            RS2,
            &["rs2.previous[1]", "rs2.previous[2]", "rs2.previous[3]"],
        ],
    ),
    ("mul", &[RD]),
    ("div_rem", &[RD]),
    // `jal` reads and adds nothing.
    (
        "jump",
        &[
            RD,
            &[
                "base.limbs[0]",
                "base.limbs[1]",
                "base.previous_clock",
                "bit",
            ],
        ],
    ),
    ("load", &[RD]),
    // `register` is what is loaded into or stored from. Without an upper word nothing of it is
    // accessed.
    (
        "misaligned",
        &[
            &[
                "register.previous[0]",
                "register.previous[1]",
                "register.previous[2]",
                "register.previous[3]",
                "register.previous_clock",
            ],
            &["high.previous_clock", "is_read_only[1]"],
        ],
    ),
    // Only bitwise operations take bytes apart.
    (
        "atomic",
        &[
            RD,
            &[
                "loaded_low[0]",
                "loaded_low[1]",
                "loaded_low[2]",
                "loaded_low[3]",
                "operand_low[0]",
                "operand_low[1]",
                "operand_low[2]",
                "operand_low[3]",
                "new_low[0]",
                "new_low[1]",
                "new_low[2]",
                "new_low[3]",
            ],
        ],
    ),
    // `lr` reads nothing through `rs2`; an `sc` that fails accesses no word. What is multiplied by
    // a difference that is none, or inverts nothing, can be anything.
    (
        "reservation",
        &[
            RD,
            RS2,
            &[
                "rs2.previous[0]",
                "rs2.previous[1]",
                "rs2.previous[2]",
                "rs2.previous[3]",
                "word.previous_clock",
                "word_index",
                "upper",
                "reservation_inverse",
                "differs[0]",
                "differs[1]",
                "differs[2]",
                "differs[3]",
            ],
        ],
    ),
    // Only a transfer accesses a position, only it and a precompile have words; only one that moves
    // bytes has a length with an inverse, and only in the journal a whole position.
    (
        "system",
        &[&[
            "length_inverse",
            "word_low",
            "operand_low[0]",
            "operand_low[1]",
            "position.previous[0]",
            "position.previous[1]",
            "position.previous[2]",
            "position.previous[3]",
            "position.previous_clock",
            "position_after[0]",
            "position_after[1]",
            "position_eighth",
        ]],
    ),
];

fn free() -> BTreeSet<(&'static str, &'static str)> {
    let chips = FREE.iter().flat_map(|(chip, lists)| {
        let columns = lists.iter().flat_map(|list| list.iter());
        columns.map(|column| (*chip, *column))
    });
    chips.collect()
}

/// The executions that are tampered with.
fn wholes() -> Vec<Whole> {
    let names = ["repeated registers", "system calls", "overlapping stores"];
    let edges = edges();
    let edges = edges.iter();
    let edges = edges.filter(|edge| names.contains(&edge.name.as_str()));
    let mut programs = vec![tour()];
    programs.extend(edges.map(|edge| program(&edge.elf)));
    programs.extend([0, 1].map(|seed| program(&small(seed).elf)));
    assert_eq!(programs.len(), 6);
    programs.into_iter().map(honest).collect()
}

/// An execution whose honest traces have nothing wrong.
fn honest(program: zkvm_machine::Program) -> Whole {
    let whole = Whole::new(program).unwrap_or_else(|error| panic!("{}", error.what));
    let report = whole.report();
    assert!(report.failures.is_empty(), "{report}");
    whole
}

/// Forges every cell of up to 100 rows per chip, and gives each to `see`, with whether the row is
/// padding and whether the forgery goes unnoticed.
fn sweep(seed: u64, mut see: impl FnMut(&Whole, usize, usize, &[F], [bool; 2])) {
    eprintln!("seed {seed}");
    let mut rng = Rng::new(seed);
    for whole in wholes() {
        for (index, chip) in whole.chips(0).iter().enumerate() {
            let Some(cells) = &whole.traces(0)[index] else {
                continue;
            };
            for at in sample(&whole, [0, index], 100, &mut rng) {
                let (main, _) = row(chip, cells, at);
                let is_padding = is_padding(chip, cells, at);
                for column in 0..main.len() {
                    for value in values(main[column], &mut rng) {
                        if value == main[column] {
                            continue;
                        }
                        let mut forged = main.to_vec();
                        forged[column] = value;
                        let is_free = is_unnoticed(chip, cells, at, &forged);
                        see(&whole, index, column, &forged, [is_padding, is_free]);
                    }
                }
            }
        }
    }
}

#[test]
fn in_real_rows_exactly_the_listed_cells_are_free() {
    let mut found = BTreeSet::new();
    let mut chips = BTreeSet::new();
    sweep(1, |whole, index, column, _, [is_padding, is_free]| {
        let description = &whole.chips(0)[index].description;
        if !is_padding {
            let _ = chips.insert(description.name.clone());
        }
        if is_free && !is_padding {
            let _ = found.insert((
                description.name.clone(),
                description.columns[column].clone(),
            ));
        }
    });
    let listed = free();
    let listed = listed.iter();
    let listed: BTreeSet<_> = listed
        .map(|(chip, column)| ((*chip).to_owned(), (*column).to_owned()))
        .collect();
    let missing: Vec<_> = listed.difference(&found).collect();
    let new: Vec<_> = found.difference(&listed).collect();
    assert!(
        missing.is_empty() && new.is_empty(),
        "listed but pinned: {missing:?}\nfree but not listed: {new:?}"
    );
    let whole = honest(tour());
    // The tour calls no precompile; their chips' own tests sweep their rows.
    let is_of_precompile = |name: &str| {
        let mut chips = Chip::ALL.into_iter();
        chips.any(|chip| chip.is_of_precompile() && chip.name() == name)
    };
    let all = whole.chips(0).iter();
    let all = all.map(|chip| chip.description.name.clone());
    let all = all.filter(|name| !is_of_precompile(name)).collect();
    assert_eq!(chips, all, "every chip has a real row");
    assert_eq!(whole.part(0), Part::Last);
}

#[test]
fn a_changed_cell_of_padding_is_noticed_or_the_row_still_says_nothing() {
    let (mut noticed, mut silent) = (0, 0);
    sweep(2, |whole, index, _, forged, [is_padding, is_free]| {
        if !is_padding {
            return;
        }
        if !is_free {
            noticed += 1;
            return;
        }
        silent += 1;
        let chip = &whole.chips(0)[index];
        let (_, width) = widths(chip);
        // Padding of the image is zero in its fixed columns too.
        let preprocessed = vec![F::ZERO; width];
        for (name, _, multiplicity, _) in messages(&chip.description, forged, &preprocessed) {
            let chip = &chip.description.name;
            assert!(multiplicity.is_zero(), "padding of {chip} speaks: {name}");
        }
    });
    assert!(
        noticed > 1000 && silent > 1000,
        "{noticed} noticed, {silent} silent"
    );
}

/// Whether a forgery changes nothing that means anything: for a cell, whether it may be free.
fn is_harmless(whole: &Whole, index: usize, forgery: Forgery) -> bool {
    let chip = &whole.chips(0)[index];
    let cells = whole.traces(0)[index].as_deref().unwrap_or_default();
    let name = chip.description.name.as_str();
    match forgery {
        Forgery::Cell {
            row: at,
            column,
            value,
        } => {
            let mut forged = row(chip, cells, at).0.to_vec();
            forged[column] = value;
            let may_be_free = is_padding(chip, cells, at)
                || free().contains(&(name, chip.description.columns[column].as_str()));
            may_be_free && is_unnoticed(chip, cells, at, &forged)
        }
        // The order of rows means nothing but beside fixed columns; there it means nothing if
        // neither row says anything else for it.
        Forgery::Swap { a, b } => {
            let (fixed_a, fixed_b) = (row(chip, cells, a).1, row(chip, cells, b).1);
            fixed_a == fixed_b || {
                let (main_a, main_b) = (row(chip, cells, a).0, row(chip, cells, b).0);
                is_unnoticed(chip, cells, a, main_b) && is_unnoticed(chip, cells, b, main_a)
            }
        }
        // The image's padding is void whatever it holds.
        Forgery::Copy { from, to } => {
            name == "image"
                && (is_padding(chip, cells, to) || {
                    let main = row(chip, cells, from).0;
                    is_unnoticed(chip, cells, to, main)
                })
        }
        Forgery::Drop { row: at } => {
            let zeros = vec![F::ZERO; widths(chip).0];
            name == "image" && is_unnoticed(chip, cells, at, &zeros)
        }
        Forgery::Absent => false,
    }
}

#[test]
fn more_than_a_thousand_random_forgeries_are_noticed_and_only_harmless_ones_are_not() {
    let seed = 3;
    eprintln!("seed {seed}");
    let mut rng = Rng::new(seed);
    let (mut noticed, mut harmless) = (0, 0);
    for (number, whole) in wholes().iter().enumerate() {
        for step in 0..220 {
            let (index, forgery) = draw(whole, 0, &mut rng);
            let expected = is_harmless(whole, index, forgery);
            let (chip, cells) = (&whole.chips(0)[index], &whole.traces(0)[index]);
            let name = &chip.description.name;
            let context = format!("seed {seed}, program {number}, step {step}: {name} {forgery:?}");
            let is_unnoticed = goes_unnoticed(chip, cells.as_deref().unwrap_or_default(), forgery);
            assert_eq!(is_unnoticed, expected, "{context}");
            // To look at what changes alone is to look at everything.
            if step % 10 == 0 {
                let report = forged(whole, 0, index, forgery).report();
                assert_eq!(report.failures.is_empty(), expected, "{context}\n{report}");
            }
            *(if expected {
                &mut harmless
            } else {
                &mut noticed
            }) += 1;
        }
    }
    eprintln!("{noticed} noticed, {harmless} harmless");
    assert!(noticed > 1000, "{noticed} noticed, {harmless} harmless");
}

/// False claims near the true one, each with a name: exit code, journal, last word; and how
/// registers end.
fn false_claims(honest: &Whole, rng: &mut Rng) -> Vec<(String, Whole)> {
    let mut claims = Vec::new();
    let mut add = |name: String, change: &mut dyn FnMut(&mut Whole)| {
        let mut forged = honest.clone();
        change(&mut forged);
        forged.segments[0].journal_end = forged.journal.len() as u32;
        claims.push((name, forged));
    };
    for bit in 0..32 {
        add(format!("exit code bit {bit}"), &mut |c| {
            c.exit_code ^= 1 << bit
        });
    }
    for at in 0..honest.journal.len() {
        let mask = 1 << rng.below(8);
        add(format!("journal byte {at}"), &mut |c| c.journal[at] ^= mask);
    }
    add("longer journal".to_owned(), &mut |c| c.journal.push(0));
    add("shorter journal".to_owned(), &mut |c| {
        let _ = c.journal.pop();
    });
    add("no journal".to_owned(), &mut |c| c.journal.clear());
    for number in 0..zkvm_machine::REGISTERS {
        let mask = F::from_u32(1 << rng.below(16));
        let limb = format!("link.last_value[{}]", rng.below(4));
        add(format!("register {number}"), &mut |c| {
            *c.cell(0, "image", number, &limb) += mask;
        });
        add(format!("segment of register {number}"), &mut |c| {
            *c.cell(0, "image", number, "link.last_segment") += F::ONE;
        });
        let mask = F::from_u32(1 << rng.below(30));
        add(
            format!("segment of register {number} by {mask}"),
            &mut |c| {
                *c.cell(0, "image", number, "link.last_segment") += mask;
            },
        );
    }
    add("later last word".to_owned(), &mut |c| c.last_word += 1);
    add("earlier last word".to_owned(), &mut |c| c.last_word -= 1);
    add("no last word".to_owned(), &mut |c| c.last_word = 0);
    claims
}

#[test]
fn hundreds_of_false_claims_are_noticed() {
    let seed = 4;
    eprintln!("seed {seed}");
    let mut rng = Rng::new(seed);
    let mut noticed = 0;
    for (number, whole) in wholes().iter().take(4).enumerate() {
        for (name, claim) in false_claims(whole, &mut rng) {
            let is_noticed = claim.rejection().is_some();
            assert!(is_noticed, "seed {seed}, program {number}: {name}");
            noticed += 1;
        }
    }
    assert!(noticed > 500, "{noticed} claims");
}

/// Proves forged traces and false claims of the execution, and has each proof rejected for the
/// reason that the checker gives.
fn forgeries_are_rejected<C: Config>(
    program: zkvm_machine::Program,
    seed: u64,
    [most_unbalanced, most_broken]: [u32; 2],
) {
    eprintln!("seed {seed}");
    let mut rng = Rng::new(seed);
    let whole = honest(program);
    let keys = TraceKeys::<C>::new(&whole.program);
    let verdict = |whole: &Whole| {
        let verified = keys.prove_and_verify(whole);
        assert_eq!(
            verified.clone().err(),
            whole.rejection(),
            "seed {seed}\n{}",
            whole.report()
        );
        verified
    };
    assert!(verdict(&whole).is_ok(), "honest");
    // Most forgeries disturb a bus; some only break a constraint.
    let (mut unbalanced, mut broken) = (0, 0);
    while unbalanced < most_unbalanced || broken < most_broken {
        let (index, forgery) = draw(&whole, 0, &mut rng);
        if is_harmless(&whole, index, forgery) {
            continue;
        }
        let forged = forged(&whole, 0, index, forgery);
        let (count, wanted) = match forged.rejection() {
            Some(VerifyError::Segment {
                error: zkvm_verifier::VerifyError::Constraints { .. },
                ..
            }) => (&mut broken, most_broken),
            _ => (&mut unbalanced, most_unbalanced),
        };
        if *count < wanted {
            *count += 1;
            assert!(verdict(&forged).is_err(), "seed {seed}");
        }
    }
    let claims = false_claims(&whole, &mut rng);
    for _ in 0..4 {
        let (name, claim) = &claims[rng.below(claims.len() as u64) as usize];
        assert!(verdict(claim).is_err(), "{name}");
    }
}

#[test]
fn proofs_of_forgeries_of_a_short_program_are_rejected() {
    forgeries_are_rejected::<Blake3Config>(tour(), 5, [20, 5]);
}

#[test]
fn proofs_of_forgeries_of_a_generated_program_are_rejected() {
    forgeries_are_rejected::<Poseidon2Config>(program(&small(1).elf), 6, [6, 2]);
}
