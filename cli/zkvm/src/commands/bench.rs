//! `zkvm bench`: how fast programs execute on this machine.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cpu_time::ProcessTime;
use serde_json::{Value, json};
use zkvm_sdk::{Client, Code, Input, Limits, Program, Recording, SegmentLimits};

use crate::args::{BenchArgs, BuildFlags, ProgramArgs};
use crate::embedded;
use crate::escape;
use crate::failure::{ExitCode, Failure};
use crate::number::grouped;
use crate::output::Output;
use crate::{guest, input};

/// The built-in guests with inputs that make them run about a second.
const SUITE: [(&str, u64); 3] = [
    ("fibonacci", 50_000_000),
    ("sha256-chain", 40_000),
    ("keccak-chain", 15_000),
];

/// How an execution is measured.
const MODES: [(&str, Option<Recording>); 3] = [
    ("plain", None),
    ("boundaries", Some(Recording::Boundaries)),
    ("records", Some(Recording::Records)),
];

/// One measurement.
struct Sample {
    mode: &'static str,
    cpu_seconds: f64,
    megahertz: f64,
    segments: u32,
}

pub(crate) fn run(
    args: &BenchArgs,
    limits: Limits,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let client = Client::builder().limits(limits).build()?;
    let mut human = String::new();
    let mut json = Vec::new();
    for (name, program, input) in programs(args, output)? {
        output.say(format_args!("measuring {name}"));
        let cycles = warm_up(&client, &program, &input)?;
        let _ = writeln!(human, "{name}  {} cycles", grouped(cycles));
        for (mode, recording) in MODES {
            let sample = measure(&client, &program, &input, mode, recording)?;
            let _ = writeln!(
                human,
                "  {:<11} {:>7.1} MHz  {:>7.3} CPU s  {} segments",
                sample.mode, sample.megahertz, sample.cpu_seconds, sample.segments
            );
            json.push(sample_json(&name, cycles, &sample));
        }
    }
    output.answer(&human, &json!({ "samples": json }))?;
    Ok(ExitCode::Ok)
}

fn sample_json(name: &str, cycles: u64, sample: &Sample) -> Value {
    json!({
        "program": name,
        "mode": sample.mode,
        "cycles": cycles,
        "cpu_seconds": sample.cpu_seconds,
        "megahertz": sample.megahertz,
        "segments": sample.segments,
    })
}

/// The programs to measure, each with its input.
fn programs(args: &BenchArgs, output: &Output) -> Result<Vec<(String, Program, Input)>, Failure> {
    let flags = BuildFlags {
        bin: None,
        features: Vec::new(),
        locked: false,
        no_install: false,
    };
    let load = |path: PathBuf| {
        let program = ProgramArgs {
            program: path,
            build: flags.clone(),
        };
        guest::load(&program, output).map(|(_, program)| program)
    };
    if args.programs.is_empty() {
        let folder = suite_folder()?;
        embedded::write_out(&folder, &["guest/", "vm/isa/"])?;
        return SUITE
            .into_iter()
            .map(|(name, n)| {
                let program = load(folder.join("guest/examples").join(name))?;
                Ok((
                    format!("{name} n={}", grouped(n)),
                    program,
                    Input::new().write(&n)?,
                ))
            })
            .collect();
    }
    let given = input::read(&args.input)?;
    args.programs
        .iter()
        .map(|path| {
            Ok((
                path.display().to_string(),
                load(path.clone())?,
                given.clone(),
            ))
        })
        .collect()
}

/// Where the built-in guests are written and built: the user's cache.
fn suite_folder() -> Result<PathBuf, Failure> {
    let cache = env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(env::home_dir()?.join(".cache")));
    let cache = cache.unwrap_or_else(env::temp_dir);
    let folder = cache
        .join("zkvm")
        .join(concat!("bench-", env!("CARGO_PKG_VERSION")));
    std::fs::create_dir_all(&folder).map_err(|error| Failure::file(Path::new(&folder), &error))?;
    Ok(folder)
}

fn warm_up(client: &Client, program: &Program, input: &Input) -> Result<u64, Failure> {
    let execution = client.execute(program, input)?;
    if !execution.exit.is_success() {
        let exit = execution.exit.to_string();
        let cause = format!("the guest did not succeed: {}", escape::line(&exit));
        return Err(Failure::new(ExitCode::GuestFault, Code(310), cause));
    }
    Ok(execution.cycles)
}

fn measure(
    client: &Client,
    program: &Program,
    input: &Input,
    mode: &'static str,
    recording: Option<Recording>,
) -> Result<Sample, Failure> {
    let mut segments = 0;
    let started = ProcessTime::now();
    let execution = match recording {
        None => client.execute(program, input)?,
        Some(recording) => {
            let limits = SegmentLimits::STANDARD;
            client.execute_segments(program, input, &limits, recording, &mut |_, _| {
                segments += 1
            })?
        }
    };
    let cpu_seconds = started.elapsed().as_secs_f64();
    let megahertz = execution.cycles as f64 / cpu_seconds / 1e6;
    Ok(Sample {
        mode,
        cpu_seconds,
        megahertz,
        segments,
    })
}
