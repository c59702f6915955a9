//! `zkvm bench`: how fast programs execute, or are proved, on this machine.

use std::env;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use cpu_time::ProcessTime;
use serde_json::{Value, json};
use zkvm_sdk::{
    Client, Code, Discard, Input, Limits, Program, ProvingCost, Recording, SegmentLimits,
};

use crate::args::{BenchArgs, BuildFlags, ProgramArgs};
use crate::commands::cost::{cost_json, phases, phases_json};
use crate::embedded;
use crate::escape;
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped};
use crate::output::Output;
use crate::phases::Phases;
use crate::{guest, input, process, proving};

/// The built-in guests with inputs that make them run about a second.
const SUITE: [(&str, u64); 3] = [
    ("fibonacci", 50_000_000),
    ("sha256-chain", 40_000),
    ("keccak-chain", 15_000),
];

/// The built-in guests with inputs that make them run for about a million cycles, and four.
const SUITE_PROVE: [(&str, u64); 6] = [
    ("fibonacci", 200_000),
    ("sha256-chain", 270),
    ("keccak-chain", 64),
    ("fibonacci", 800_000),
    ("sha256-chain", 1_070),
    ("keccak-chain", 256),
];

/// Times a proof is verified; the fastest counts.
const VERIFICATIONS: usize = 3;

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
    max_memory: Option<u64>,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    if args.prove {
        return prove_all(args, max_memory, output);
    }
    let standard = Limits::STANDARD;
    let limits = Limits {
        memory_bytes_max: max_memory.unwrap_or(standard.memory_bytes_max),
        ..standard
    };
    let client = Client::builder().limits(limits).build()?;
    let mut human = String::new();
    let mut json = Vec::new();
    for (name, program, input) in programs(args, &SUITE, output)? {
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
fn programs(
    args: &BenchArgs,
    suite: &[(&str, u64)],
    output: &Output,
) -> Result<Vec<(String, Program, Input)>, Failure> {
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
        return suite
            .iter()
            .map(|&(name, n)| {
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

/// What proving took.
struct ProofSample {
    name: String,
    cost: ProvingCost,
    cpu_seconds: f64,
    phases: Vec<(&'static str, f64)>,
    memory_bytes: Option<u64>,
    proof_bytes: u64,
    segments: usize,
    verify_seconds: f64,
}

/// Proves every program and compares what it takes with what was foretold.
fn prove_all(
    args: &BenchArgs,
    max_memory: Option<u64>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let client = proving::client(&args.proving, max_memory)?;
    let mut human = String::new();
    let mut json = Vec::new();
    for (name, program, input) in programs(args, &SUITE_PROVE, output)? {
        output.say(format_args!("proving {name}"));
        let sample = measure_proof(name, &client, &program, &input)?;
        write_proof(&mut human, &sample);
        json.push(proof_json(&sample));
    }
    let answer = json!({
        "level": client.level().to_string(),
        "hash": client.hash().name(),
        "memory_bytes_max": client.memory_bytes(),
        "proofs": json,
    });
    output.answer(&human, &answer)?;
    Ok(ExitCode::Ok)
}

fn measure_proof(
    name: String,
    client: &Client,
    program: &Program,
    input: &Input,
) -> Result<ProofSample, Failure> {
    warm_up(client, program, input)?;
    let (cost, _) = client.cost(program, input, &mut Discard)?;
    process::forget_peak();
    let spans = Phases::default();
    let started = ProcessTime::now();
    let proof = tracing::subscriber::with_default(spans.clone(), || client.prove(program, input))?;
    let cpu_seconds = started.elapsed().as_secs_f64();
    let memory_bytes = process::peak_bytes();
    let phases = grouped_phases(&spans);
    let proof_bytes = proof.to_bytes()?.len() as u64;
    let mut verify_seconds = f64::INFINITY;
    for _ in 0..VERIFICATIONS {
        let started = ProcessTime::now();
        program.verify(&proof)?;
        verify_seconds = verify_seconds.min(started.elapsed().as_secs_f64());
    }
    Ok(ProofSample {
        name,
        cost,
        cpu_seconds,
        phases,
        memory_bytes,
        proof_bytes,
        segments: proof.segments(),
        verify_seconds,
    })
}

/// Seconds by the phases of [`phases`], and the rest.
fn grouped_phases(spans: &Phases) -> Vec<(&'static str, f64)> {
    let mut groups = vec![
        ("execute", 0.0),
        ("fill", 0.0),
        ("commit", 0.0),
        ("logup", 0.0),
        ("quotient", 0.0),
        ("open", 0.0),
        ("other", 0.0),
    ];
    for (span, seconds) in spans.seconds() {
        let group = match span {
            "execute_again" => "execute",
            "boundaries" | "commit_main" | "commit_logup" | "commit_quotient" => "commit",
            own => own,
        };
        let known = groups.iter().position(|(name, _)| *name == group);
        let index = known.unwrap_or(groups.len() - 1);
        groups[index].1 += seconds;
    }
    groups
}

fn write_proof(human: &mut String, sample: &ProofSample) {
    let cost = &sample.cost;
    let per_cycle = |count: u64| count as f64 / cost.cycles as f64;
    let _ = writeln!(
        human,
        "{}  {} cycles, {} segments",
        sample.name,
        grouped(cost.cycles),
        sample.segments
    );
    let _ = writeln!(
        human,
        "  {:.0} cycles per CPU s  {:.1} main and {:.1} LogUp cells, {:.1} interactions per cycle",
        cost.cycles as f64 / sample.cpu_seconds,
        per_cycle(cost.total.main_cells),
        per_cycle(cost.total.logup_cells),
        per_cycle(cost.total.interactions)
    );
    let _ = writeln!(human, "  {:<16} {:>11} {:>11}", "", "measured", "foretold");
    let mut line = |name: &str, measured: String, foretold: String| {
        let _ = writeln!(human, "  {name:<16} {measured:>11} {foretold:>11}");
    };
    let seconds = |seconds: f64| format!("{seconds:.2} s");
    let foretold = cost.seconds.total();
    line("CPU", seconds(sample.cpu_seconds), seconds(foretold));
    let measured = sample.memory_bytes.map_or("-".to_owned(), bytes);
    line("peak memory", measured, bytes(cost.memory_bytes));
    line("proof", bytes(sample.proof_bytes), bytes(cost.proof_bytes));
    let verify = format!("{:.1} ms", 1000.0 * sample.verify_seconds);
    line("verify", verify, "-".to_owned());
    for (name, measured) in &sample.phases {
        let mut foretold = phases(&cost.seconds).into_iter();
        let foretold = foretold.find(|(of, _)| of == name);
        let foretold = foretold.map_or("-".to_owned(), |(_, foretold)| seconds(foretold));
        line(&format!("  {name}"), seconds(*measured), foretold);
    }
}

fn proof_json(sample: &ProofSample) -> Value {
    json!({
        "program": sample.name,
        "cycles": sample.cost.cycles,
        "segments": sample.segments,
        "cpu_seconds": sample.cpu_seconds,
        "cycles_per_cpu_second": sample.cost.cycles as f64 / sample.cpu_seconds,
        "phases": phases_json(sample.phases.iter().copied()),
        "memory_bytes": sample.memory_bytes,
        "proof_bytes": sample.proof_bytes,
        "verify_seconds": sample.verify_seconds,
        "foretold": cost_json(&sample.cost),
    })
}
