//! The command line: one table of verbs and flags, from which help and completions come.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use zkvm_sdk::Limits;
pub(crate) use zkvm_terminal::flags::{
    Color, Format, LevelName, ProvingFlags, ShowProgress, Verbosity,
};

use crate::failure::EXIT_CODES_HELP;

/// Builds, runs and proves zkVM guests: any static RV64IM or RV64IMAC program.
#[derive(Debug, Parser)]
#[command(name = "zkvm", version, after_help = EXIT_CODES_HELP, max_term_width = 100)]
pub(crate) struct Args {
    /// How answers are written.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// When to colour messages.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Say more, for example whole backtraces.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
    /// Say only what went wrong.
    #[arg(short, long, global = true)]
    pub(crate) quiet: bool,
    /// When to show how far proving is; `auto` is on a terminal.
    #[arg(long, global = true, value_enum, default_value_t = ShowProgress::Auto, value_name = "WHEN")]
    pub(crate) progress: ShowProgress,
    /// Most memory, for example `256M` or `4G`: that the guest may use for `run`, that proving may
    /// take in all for `prove`, `cost` and `bench` (1G at least).
    #[arg(long, global = true, value_name = "SIZE", value_parser = crate::number::parse_size)]
    pub(crate) max_memory: Option<u64>,
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
}

impl Args {
    pub(crate) fn verbosity(&self) -> Verbosity {
        match (self.quiet, self.verbose) {
            (true, _) => Verbosity::Quiet,
            (false, false) => Verbosity::Normal,
            (false, true) => Verbosity::Verbose,
        }
    }

    pub(crate) fn limits(&self) -> Limits {
        let standard = Limits::STANDARD;
        let memory_bytes_max = self.max_memory.unwrap_or(standard.memory_bytes_max);
        Limits {
            memory_bytes_max,
            ..standard
        }
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Make a new guest from the built-in template; works offline.
    New(NewArgs),
    /// Build a guest with the stock stable toolchain and print where its ELF file is.
    Build(BuildArgs),
    /// Execute a guest; the journal goes to standard output.
    Run(RunArgs),
    /// Execute a guest and write a proof of it to a file.
    Prove(ProveArgs),
    /// Check a proof against a program; the journal goes to standard output.
    Verify(VerifyArgs),
    /// Print a program's identity.
    Id(ProgramArgs),
    /// Show what a program or a proof file consists of.
    Inspect(InspectArgs),
    /// Execute a guest and foretell what proving it takes.
    Cost(CostArgs),
    /// Measure how fast programs execute, or are proved, on this machine.
    Bench(BenchArgs),
    /// Import, prove and verify Ethereum's blocks and a rollup's batches: starts `zkvm-rollup`.
    #[command(disable_help_flag = true)]
    Rollup(RollupArgs),
    /// Check that everything needed is there, and say what is missing.
    Doctor,
    /// Tell more about an error code, for example `ZK0301`.
    Explain(ExplainArgs),
    /// Print a completion script for a shell.
    Completions(CompletionsArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct NewArgs {
    /// The folder to make; its last part is the guest's name.
    pub(crate) path: PathBuf,
}

/// Which program, and how to build it if it is a guest's folder.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct ProgramArgs {
    /// An ELF file or a guest's folder.
    #[arg(default_value = ".")]
    pub(crate) program: PathBuf,
    #[command(flatten)]
    pub(crate) build: BuildFlags,
}

/// Flags of building; they do nothing for an ELF file.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct BuildFlags {
    /// Which binary, if the guest has several.
    #[arg(long)]
    pub(crate) bin: Option<String>,
    /// Cargo features to enable, separated by commas.
    #[arg(long, value_delimiter = ',')]
    pub(crate) features: Vec<String>,
    /// Fail rather than change Cargo.lock.
    #[arg(long)]
    pub(crate) locked: bool,
    /// Do not install the Rust target if it is missing.
    #[arg(long)]
    pub(crate) no_install: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BuildArgs {
    /// The guest's folder.
    #[arg(default_value = ".")]
    pub(crate) guest: PathBuf,
    #[command(flatten)]
    pub(crate) build: BuildFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    #[command(flatten)]
    pub(crate) input: InputFlags,
    /// How to write the journal.
    #[arg(long, value_enum, default_value_t = JournalFormat::Hex)]
    pub(crate) journal: JournalFormat,
    /// Write the journal's bytes to this file instead of standard output.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Most instructions to execute.
    #[arg(long, value_name = "N", value_parser = crate::number::parse_count)]
    pub(crate) max_cycles: Option<u64>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProveArgs {
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    #[command(flatten)]
    pub(crate) input: InputFlags,
    #[command(flatten)]
    pub(crate) proving: ProvingFlags,
    /// Where the proof goes.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Prove that the guest halts with this exit code, which becomes part of the statement.
    #[arg(long, value_name = "CODE")]
    pub(crate) expect_exit: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// An ELF file, a guest's folder or a proof file.
    #[arg(default_value = ".")]
    pub(crate) file: PathBuf,
    /// For a proof: the program it is of, which tells its security term by term.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) program: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) build: BuildFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CostArgs {
    #[command(flatten)]
    pub(crate) program: ProgramArgs,
    #[command(flatten)]
    pub(crate) input: InputFlags,
    #[command(flatten)]
    pub(crate) proving: ProvingFlags,
    /// The exit code that would be proved, 0 if absent.
    #[arg(long, value_name = "CODE")]
    pub(crate) expect_exit: Option<u32>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The proof.
    pub(crate) proof: PathBuf,
    /// The program that must have been executed: an ELF file or a guest's folder.
    #[arg(long, value_name = "PROGRAM")]
    pub(crate) program: PathBuf,
    #[command(flatten)]
    pub(crate) build: BuildFlags,
    /// The exit code that must be proved, 0 if absent.
    #[arg(long, value_name = "CODE")]
    pub(crate) expect_exit: Option<u32>,
    /// The least level of security that is accepted.
    #[arg(long, value_enum, default_value_t = LevelName::Standard)]
    pub(crate) level: LevelName,
}

/// What the guest reads.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct InputFlags {
    /// A value, a file or `-` for standard input; repeat for several, in the order read.
    ///
    /// `21`, `-5`, `true`, `"text"`, `[1,2]` and `{"a":1}` are JSON values, encoded with postcard
    /// as the guest's `read` expects (an unsigned number as u16 to u64, a negative one as i16 to
    /// i64, an array as a Vec, an object as a struct's fields in order). `0x…` is bytes. Anything
    /// else is the path of a file whose bytes are taken as they are; `@` before it makes sure.
    #[arg(short, long, value_name = "VALUE|FILE|-", allow_hyphen_values = true)]
    pub(crate) input: Vec<String>,
    /// A file of hint bytes, or `-`.
    #[arg(long, value_name = "FILE|-")]
    pub(crate) hints: Option<String>,
}

/// How the journal is written to standard output.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum JournalFormat {
    /// Hexadecimal digits and a newline.
    Hex,
    /// The bytes as they are.
    Raw,
    /// Not at all.
    None,
}

#[derive(Debug, clap::Args)]
pub(crate) struct BenchArgs {
    /// ELF files or guest folders; the built-in fibonacci, sha256 and keccak guests if none.
    pub(crate) programs: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) input: InputFlags,
    /// Prove, and compare with what `zkvm cost` foretells, rather than execute only.
    #[arg(long)]
    pub(crate) prove: bool,
    #[command(flatten)]
    pub(crate) proving: ProvingFlags,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RollupArgs {
    /// What `zkvm-rollup` is given; `zkvm rollup --help` lists it.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) arguments: Vec<OsString>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The code; all of them if absent.
    pub(crate) code: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// Which shell.
    #[arg(value_enum)]
    pub(crate) shell: clap_complete::Shell,
}
