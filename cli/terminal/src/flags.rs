//! Flags that the commands have in common.

use clap::ValueEnum;

/// How answers are written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Human,
    /// One JSON document.
    Json,
    /// One JSON document on one line.
    Ndjson,
}

/// When to colour messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Color {
    /// On a terminal, unless NO_COLOR is set.
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// When to show how far proving is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ShowProgress {
    /// On a terminal.
    Auto,
    /// Always; lines where there is no terminal.
    Always,
    /// Never.
    Never,
}

impl Color {
    /// Makes it so, for the whole process.
    pub fn apply(self) {
        match self {
            Color::Auto => {}
            Color::Always => anstream::ColorChoice::Always.write_global(),
            Color::Never => anstream::ColorChoice::Never.write_global(),
        }
    }
}

/// How much is said on standard error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verbosity {
    /// What went wrong.
    Quiet,
    /// And what happens.
    Normal,
    /// And more.
    Verbose,
}

/// How proofs are made.
#[derive(Clone, Copy, Debug, clap::Args)]
pub struct ProvingFlags {
    /// The level of security.
    #[arg(long, value_enum, default_value_t = LevelName::Standard)]
    pub level: LevelName,
    /// The hash of Merkle trees and transcript.
    #[arg(long, value_enum, default_value_t = HashName::Blake3)]
    pub hash: HashName,
}

/// Levels of security.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LevelName {
    /// 100 bits, proven.
    Standard,
    /// 128 bits, proven.
    High,
}

/// Hashes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum HashName {
    /// BLAKE3: the fastest on a processor.
    Blake3,
    /// Poseidon2: slower here, cheap inside another proof; has no high level.
    Poseidon2,
}
