//! Fault injection.
use std::collections::{BTreeMap, BTreeSet};
use p3_field::PrimeCharacteristicRing;
use zkvm_air::F;
use zkvm_proofs_tests::forge::{is_padding, is_unnoticed, row, sample, values};
use zkvm_proofs_tests::programs::{program, small, tour, edges, has_atomics};
use zkvm_proofs_tests::whole::Whole;
use zkvm_testkit::rng::Rng;

#[test]
fn explore() {
    let mut wholes = vec![Whole::new(tour()).expect("ok")];
    println!("{}", wholes[0].report());
    for seed in 0..6 { wholes.push(Whole::new(program(&small(seed).elf)).expect("ok")); }
    for edge in edges() { let p = program(&edge.elf); if !has_atomics(&p) && edge.expected.len() < 100 { wholes.push(Whole::new(p).expect("ok")); } }
    let mut rng = Rng::new(1);
    let mut real: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut padding: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (n, whole) in wholes.iter().enumerate() {
        let start = std::time::Instant::now();
        let _ = whole.report();
        let t = start.elapsed();
        for (index, chip) in whole.chips.iter().enumerate() {
            let Some(cells) = &whole.traces[index] else { if n == 0 {println!("absent {}", chip.description.name);} continue };
            if n == 0 { println!("{} {}x{}", chip.description.name, cells.len() / chip.description.columns.len(), chip.description.columns.len()); }
            for r in sample(whole, index, 200, &mut rng) {
                let pad = is_padding(chip, cells, r);
                let main = row(chip, cells, r).0;
                for (c, name) in chip.description.columns.iter().enumerate() {
                    for v in values(main[c], &mut rng) {
                        if v == main[c] { continue; }
                        let mut forged = main.to_vec(); forged[c] = v;
                        let free = is_unnoticed(chip, cells, r, &forged);
                        let set = if pad { padding.entry(chip.description.name.clone()).or_default() } else { real.entry(chip.description.name.clone()).or_default() };
                        if free && set.insert(name.clone()) && !pad { println!("prog {n} {} row {r} {name}: {} -> {v} ", chip.description.name, main[c]); }
                    }
                }
            }
        }
        println!("program {n}: report {t:?} total {:?}", start.elapsed());
    }
    println!("REAL {real:#?}");
    for (chip, free) in &padding {
        let d = wholes[0].chips.iter().find(|c| c.description.name == *chip).unwrap();
        let pinned: Vec<_> = d.description.columns.iter().filter(|c| !free.contains(*c)).collect();
        println!("PAD {chip}: {pinned:?}");
    }
    let _ = F::ONE;
}
