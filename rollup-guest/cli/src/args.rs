//! The command line.

use std::path::PathBuf;

use alloy_primitives::{Address, B256};
use clap::{Parser, Subcommand};
use zkvm_rollup_node::rules;
use zkvm_terminal::failure::EXIT_CODES_HELP;
use zkvm_terminal::flags::{Color, Format, LevelName, ProvingFlags, ShowProgress, Verbosity};
use zkvm_terminal::number::parse_size;

/// Imports, executes and proves Ethereum's blocks and a rollup's batches.
#[derive(Debug, Parser)]
#[command(
    name = "zkvm rollup",
    bin_name = "zkvm rollup",
    version,
    after_help = EXIT_CODES_HELP,
    max_term_width = 100
)]
pub(crate) struct Args {
    /// How answers are written.
    #[arg(long, global = true, value_enum, default_value_t = Format::Human)]
    pub(crate) format: Format,
    /// When to colour messages.
    #[arg(long, global = true, value_enum, default_value_t = Color::Auto)]
    pub(crate) color: Color,
    /// Say more.
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    verbose: bool,
    /// Say only what went wrong.
    #[arg(short, long, global = true)]
    quiet: bool,
    /// When to show how far proving is; `auto` is on a terminal.
    #[arg(long, global = true, value_enum, default_value_t = ShowProgress::Auto, value_name = "WHEN")]
    pub(crate) progress: ShowProgress,
    /// Most memory that proving may take in all, for example `4G` (1G at least).
    #[arg(long, global = true, value_name = "SIZE", value_parser = parse_size)]
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
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Fetch a block with its witness from a node or a fixture, and write a work file.
    Import(ImportArgs),
    /// Validate natively, without the machine, and print the claim.
    Exec(WorkArgs),
    /// Execute the guest and say what each transaction, phase and function costs.
    Simulate(SimulateArgs),
    /// Prove, and print the claim.
    Prove(ProveArgs),
    /// Check a proof and print what it proves.
    Verify(VerifyArgs),
    /// Cut a batch into its blocks: a work file for each, to prove it alone.
    Split(SplitArgs),
    /// Write the work file that composes consecutive batches to a range.
    Compose(ComposeArgs),
    /// Write work files of batches, good ones and bad ones, of a chain made up by a seed.
    MakeChain(MakeChainArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    #[command(flatten)]
    pub(crate) source: SourceArgs,
    /// Of a fixture: the case, by its name or a part that only its name has.
    #[arg(long, value_name = "NAME", conflicts_with = "rpc")]
    pub(crate) case: Option<String>,
    /// From a node: the block's number, or `latest`. Of a fixture: its position in its case, from 1.
    #[arg(long, value_name = "N")]
    pub(crate) block: Option<String>,
    /// The chain's rules: `mainnet`, `sepolia`, `hoodi`, or a fork that is in force from the first
    /// block on, for example `prague`. Those of the node's chain id if absent.
    #[arg(long, value_name = "RULES", conflicts_with = "fixture")]
    pub(crate) chain: Option<String>,
    /// Seconds to wait for an answer of the node.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,
    /// Where the work file goes; `block-NUMBER.work` if absent.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[group(required = true, multiple = false)]
pub(crate) struct SourceArgs {
    /// A fixture: execution-spec-tests, ethereum/tests, or a block that raiko has written.
    #[arg(long, value_name = "FILE")]
    pub(crate) fixture: Option<PathBuf>,
    /// A node with `debug_executionWitness`, for example http://127.0.0.1:8545.
    #[arg(long, value_name = "URL")]
    pub(crate) rpc: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct WorkArgs {
    /// The work file.
    pub(crate) file: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) proving: ProvingFlags,
    /// How many functions are listed, those with the most cycles.
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(crate) functions: usize,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ProveArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    #[command(flatten)]
    pub(crate) proving: ProvingFlags,
    /// Where the proof goes.
    #[arg(short, long, value_name = "PROOF")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct VerifyArgs {
    /// The proof.
    pub(crate) proof: PathBuf,
    /// The least level of security that is accepted.
    #[arg(long, value_enum, default_value_t = LevelName::Standard)]
    pub(crate) level: LevelName,
    /// The rules that a block must keep: `mainnet`, `sepolia`, `hoodi`, or a hash of rules.
    #[arg(long, value_name = "RULES", value_parser = parse_rules)]
    pub(crate) chain: Option<B256>,
    /// The root that the state before must have.
    #[arg(long, value_name = "HASH")]
    pub(crate) pre_state_root: Option<B256>,
    /// The hash that the block, or the batch's last block, must have.
    #[arg(long, value_name = "HASH")]
    pub(crate) block_hash: Option<B256>,
    /// The root of the state after it.
    #[arg(long, value_name = "HASH")]
    pub(crate) post_state_root: Option<B256>,
    /// Of a batch or a composition: its public output, as `exec` and `prove` print it with `--format json`.
    #[arg(long, value_name = "JSON", conflicts_with = "input")]
    pub(crate) out: Option<PathBuf>,
    /// The work file, whose claim must be the proved one.
    #[arg(long, value_name = "FILE")]
    pub(crate) input: Option<PathBuf>,
    /// Of a composition, which proves nothing without them: the proofs of its parts, in their order.
    /// A part that is a composition itself comes after its own parts.
    #[arg(long, value_name = "PROOF", num_args = 1..)]
    pub(crate) parts: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SplitArgs {
    #[command(flatten)]
    pub(crate) work: WorkArgs,
    /// Where the work files go: `block-0.work` and so on, and `whole.work`, which composes them.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ComposeArgs {
    /// The batches' work files, in their order.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<PathBuf>,
    /// Where the work file goes.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Who is paid for the proof of the composition.
    #[arg(long, value_name = "ADDRESS", default_value_t = Address::ZERO)]
    pub(crate) prover: Address,
}

#[derive(Debug, clap::Args)]
pub(crate) struct MakeChainArgs {
    /// The seed: the same one makes the same chain.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// How many batches, half of which break rules. If absent, one of each verdict in their order,
    /// small ones of a single block.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) batches: Option<u16>,
    /// Where the work files go: `batch-0.work` and so on.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: PathBuf,
}

/// The hash of rules that a public chain's name, or the hash itself, stands for.
fn parse_rules(text: &str) -> Result<B256, String> {
    if let Some(chain) = rules::public_named(text) {
        return Ok(chain.hash());
    }
    let error = |_| format!("`{text}` is neither a public chain nor a hash");
    text.parse().map_err(error)
}
