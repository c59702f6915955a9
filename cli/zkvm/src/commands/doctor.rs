//! `zkvm doctor`: is everything there?

use std::fmt::Write as _;
use std::process::Command;

use serde_json::{Value, json};
use zkvm_sdk::Code;

use crate::failure::{ExitCode, Failure};
use crate::output::{DIM, ERROR, GOOD, Output};

/// One thing that was looked for.
struct Check {
    name: &'static str,
    /// What was found, or why it is needed.
    found: Result<String, String>,
    /// Whether guests cannot be built or run without it.
    is_needed: bool,
}

pub(crate) fn run(output: &mut Output) -> Result<ExitCode, Failure> {
    let checks = checks();
    let mut human = String::new();
    for check in &checks {
        let (mark, text) = match &check.found {
            Ok(text) => (format!("{GOOD}ok{GOOD:#}       "), text),
            Err(text) if check.is_needed => (format!("{ERROR}missing{ERROR:#}  "), text),
            Err(text) => (format!("{DIM}absent{DIM:#}   "), text),
        };
        let _ = writeln!(human, "{mark}{:<22} {text}", check.name);
    }
    let json: Vec<Value> = checks
        .iter()
        .map(|check| {
            let (Ok(text) | Err(text)) = &check.found;
            json!({
                "name": check.name,
                "ok": check.found.is_ok(),
                "needed": check.is_needed,
                "text": text,
            })
        })
        .collect();
    let is_whole = checks
        .iter()
        .all(|check| check.found.is_ok() || !check.is_needed);
    let human = output.styled(&human);
    output.answer(&human, &json!({ "ok": is_whole, "checks": json }))?;
    if is_whole {
        return Ok(ExitCode::Ok);
    }
    Err(Failure::new(
        ExitCode::Build,
        Code(902),
        "guests cannot be built on this machine",
    ))
}

fn checks() -> Vec<Check> {
    let needed = |name, found| Check {
        name,
        found,
        is_needed: true,
    };
    let optional = |name, found| Check {
        name,
        found,
        is_needed: false,
    };
    let install = "install Rust from https://rustup.rs";
    let target_add = format!(
        "run `rustup target add {}`; `zkvm build` does",
        zkvm_build::TARGET
    );
    vec![
        needed("zkvm", Ok(env!("CARGO_PKG_VERSION").to_owned())),
        needed("rustc", version("rustc", install)),
        needed("cargo", version("cargo", install)),
        optional(
            "rustup",
            version("rustup", "only needed to install the target by itself"),
        ),
        needed("target riscv64imac", target().ok_or(target_add)),
        optional(
            "qemu-riscv64",
            version("qemu-riscv64", "only needed by this project's tests"),
        ),
        needed("processor", processor()),
        optional(
            "memory",
            memory().ok_or("cannot be read on this system".to_owned()),
        ),
    ]
}

/// The first line that `tool --version` prints, or `otherwise`.
fn version(tool: &str, otherwise: &str) -> Result<String, String> {
    let output = Command::new(tool).arg("--version").output();
    match output {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            Ok(text.lines().next().unwrap_or("").to_owned())
        }
        Ok(output) => Err(format!(
            "`{tool} --version` ended with {}; {otherwise}",
            output.status
        )),
        Err(_) => Err(format!("not found; {otherwise}")),
    }
}

fn target() -> Option<String> {
    zkvm_build::target_libraries(std::path::Path::new("."))
        .ok()
        .flatten()
        .map(|path| path.display().to_string())
}

fn processor() -> Result<String, String> {
    let count = std::thread::available_parallelism().map_or(1, usize::from);
    let vectors = vector_extensions();
    Ok(format!(
        "{} with {count} threads{vectors}",
        std::env::consts::ARCH
    ))
}

#[cfg(target_arch = "x86_64")]
fn vector_extensions() -> &'static str {
    if std::arch::is_x86_feature_detected!("avx512f") {
        ", AVX-512"
    } else if std::arch::is_x86_feature_detected!("avx2") {
        ", AVX2"
    } else {
        ""
    }
}

#[cfg(not(target_arch = "x86_64"))]
fn vector_extensions() -> &'static str {
    ""
}

/// Available memory as Linux reports it.
fn memory() -> Option<String> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text
        .lines()
        .find(|line| line.starts_with("MemAvailable:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(format!(
        "{} available",
        crate::number::bytes(kibibytes * 1024)
    ))
}
