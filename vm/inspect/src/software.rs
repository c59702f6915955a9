//! Hashes and curves that a program computes by instructions though a precompile does the same.
//!
//! Where the pc was, now and then, is looked up in the debug information. What is found by name is
//! as good as the names are: a library that this table does not know is not found.

use std::collections::BTreeMap;

use zkvm_machine::isa::Precompile;

use crate::frames::{Frame, Symbolizer};

/// Crates, and the precompile that does what they do.
const CRATES: &[(&str, Precompile)] = &[
    ("keccak", Precompile::KeccakF),
    ("keccak-asm", Precompile::KeccakF),
    ("tiny-keccak", Precompile::KeccakF),
    ("sha3", Precompile::KeccakF),
    ("sha2", Precompile::Sha256Compress),
    ("k256", Precompile::Secp256k1Add),
    ("secp256k1", Precompile::Secp256k1Add),
    ("secp256k1-sys", Precompile::Secp256k1Add),
    ("p256", Precompile::MultiplyMod),
    ("primeorder", Precompile::MultiplyMod),
    ("substrate-bn", Precompile::MultiplyMod),
    ("ark-bn254", Precompile::MultiplyMod),
];

/// Parts of functions' names, for what comes from elsewhere: C, or a copy in another crate.
const FUNCTIONS: &[(&str, Precompile)] = &[
    ("keccakf", Precompile::KeccakF),
    ("keccak_f", Precompile::KeccakF),
    ("sha256", Precompile::Sha256Compress),
    ("secp256k1", Precompile::Secp256k1Add),
    ("mul_redc", Precompile::MultiplyMod),
    ("mul_mod", Precompile::MultiplyMod),
];

/// What calls the precompiles, and SHA-256's 64-bit sister, which has none.
const EXCEPT: &[&str] = &["zkvm_accel", "accel/src/", "sha512", "sha384"];

/// Where the pc was: how many samples at each address.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Samples {
    counts: BTreeMap<u64, u64>,
    total: u64,
}

/// A function and how often the pc was in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionSamples {
    /// Its name, demangled, without what is in angle brackets.
    pub function: String,
    /// Samples in it, what is inlined into it included.
    pub samples: u64,
    /// Samples in all.
    pub total: u64,
}

impl FunctionSamples {
    /// Its part of all cycles, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.samples as f64 / self.total.max(1) as f64
    }
}

/// A part of an execution that a precompile could do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Software {
    /// The function in which most of its cycles are spent, demangled.
    pub function: String,
    /// The precompile.
    pub precompile: Precompile,
    /// Samples in it.
    pub samples: u64,
    /// Samples in all.
    pub total: u64,
}

impl Software {
    /// Its part of all cycles, from 0 to 1.
    #[must_use]
    pub fn share(&self) -> f64 {
        self.samples as f64 / self.total.max(1) as f64
    }
}

impl Samples {
    /// Adds a sample.
    pub fn add(&mut self, pc: u64) {
        *self.counts.entry(pc).or_default() += 1;
        self.total += 1;
    }

    /// The functions in which most of the cycles are spent, at most `count_max`.
    #[must_use]
    pub fn functions(&self, symbolizer: &Symbolizer<'_>, count_max: usize) -> Vec<FunctionSamples> {
        let mut by_name: BTreeMap<String, u64> = BTreeMap::new();
        for (address, count) in &self.counts {
            let frames = symbolizer.frames(*address);
            // The last is the one that the others are inlined into.
            let function = frames.last().map_or_else(|| "?".to_owned(), name_of);
            *by_name.entry(function).or_default() += count;
        }
        let mut functions: Vec<FunctionSamples> = by_name
            .into_iter()
            .map(|(function, samples)| FunctionSamples {
                function,
                samples,
                total: self.total,
            })
            .collect();
        functions.sort_by_key(|it| std::cmp::Reverse(it.samples));
        functions.truncate(count_max);
        functions
    }

    /// What takes at least `1 / least` of all cycles and has a precompile, by the most first.
    #[must_use]
    pub fn software(&self, symbolizer: &Symbolizer<'_>, least: u64) -> Vec<Software> {
        let mut by_precompile: BTreeMap<Precompile, BTreeMap<String, u64>> = BTreeMap::new();
        for (address, count) in &self.counts {
            let frames = symbolizer.frames(*address);
            if frames.iter().any(is_excepted) {
                continue;
            }
            let known = frames.iter().find_map(|frame| {
                let precompile = precompile_of(frame)?;
                Some((name_of(frame), precompile))
            });
            if let Some((function, precompile)) = known {
                let functions = by_precompile.entry(precompile).or_default();
                *functions.entry(function).or_default() += count;
            }
        }
        let mut found: Vec<Software> = by_precompile
            .into_iter()
            .filter_map(|(precompile, functions)| {
                let samples = functions.values().sum();
                let (function, _) = functions.into_iter().max_by_key(|(_, count)| *count)?;
                Some(Software {
                    function,
                    precompile,
                    samples,
                    total: self.total,
                })
            })
            .filter(|software| software.samples.saturating_mul(least) >= self.total)
            .collect();
        found.sort_by_key(|software| std::cmp::Reverse(software.samples));
        found
    }
}

/// Whether `frame` is of what calls the precompiles, or of what only looks like one of them.
fn is_excepted(frame: &Frame) -> bool {
    let function = frame.function.as_deref().unwrap_or_default();
    let file = frame.file.as_deref().unwrap_or_default();
    let has = |part: &&str| function.contains(*part) || file.contains(*part);
    EXCEPT.iter().any(has)
}

/// The precompile that does what the function of `frame` does.
fn precompile_of(frame: &Frame) -> Option<Precompile> {
    let of_crate = frame.file.as_deref().and_then(crate_of).and_then(|name| {
        let known = CRATES.iter().find(|(known, _)| *known == name);
        known.map(|(_, precompile)| *precompile)
    });
    let of_function = || {
        let function = without_generics(frame.function.as_deref()?);
        let known = FUNCTIONS.iter().find(|(part, _)| function.contains(part));
        known.map(|(_, precompile)| *precompile)
    };
    of_crate.or_else(of_function)
}

/// What to call the function of `frame`: its crate, if it comes from a registry, and its name.
fn name_of(frame: &Frame) -> String {
    let function = without_generics(frame.function.as_deref().unwrap_or("?"));
    match frame.file.as_deref().and_then(crate_of) {
        Some(name) if !function.contains("::") => format!("{name}::{function}"),
        _ => function,
    }
}

/// The crate that a source file of a registry belongs to: `.../registry/src/<registry>/<crate>-<version>/`.
fn crate_of(file: &str) -> Option<&str> {
    let (_, rest) = file.split_once("/registry/src/")?;
    let folder = rest.split('/').nth(1)?;
    let is_version = |part: &str| part.starts_with(|c: char| c.is_ascii_digit());
    let dash = folder
        .match_indices('-')
        .find(|(at, _)| is_version(&folder[at + 1..]))?;
    Some(&folder[..dash.0])
}

/// The name less what is in angle brackets.
fn without_generics(name: &str) -> String {
    let mut depth = 0_u32;
    let mut kept = String::with_capacity(name.len());
    for character in name.chars() {
        match character {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            _ if depth == 0 => kept.push(character),
            _ => {}
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(function: &str, file: &str) -> Frame {
        Frame {
            address: 0,
            function: Some(function.to_owned()),
            file: Some(file.to_owned()),
            line: None,
            column: None,
            is_inlined: false,
        }
    }

    #[test]
    fn functions_are_known_by_their_crate_or_their_name() {
        let file = "/home/x/.cargo/registry/src/index-1/tiny-keccak-2.0.2/src/lib.rs";
        let known = frame("call_once<24, a::b<c>>", file);
        assert_eq!(precompile_of(&known), Some(Precompile::KeccakF));
        assert_eq!(name_of(&known), "tiny-keccak::call_once");
        let by_name = frame("sha256_block", "lib/hash.c");
        assert_eq!(precompile_of(&by_name), Some(Precompile::Sha256Compress));
        assert_eq!(name_of(&by_name), "sha256_block");
        let other = frame(
            "sum<sha256>",
            "/cargo/registry/src/index-1/serde-1.0.0/src/lib.rs",
        );
        assert_eq!(precompile_of(&other), None);
    }

    #[test]
    fn what_calls_the_precompiles_is_no_software() {
        // Debug information may name an inlined function without its path.
        assert!(is_excepted(&frame("sha256", "guest/accel/src/sha256.rs")));
        assert!(is_excepted(&frame("zkvm_accel::sha256::sha256", "lib.rs")));
        assert!(!is_excepted(&frame("sha256_block", "lib/hash.c")));
    }
}
