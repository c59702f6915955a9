//! `zkvm cost`: what proving takes, before proving.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use zkvm_sdk::{ChipCost, Discard, ProvingCost, Rates, Seconds};

use crate::args::CostArgs;
use crate::commands::run::{say_software, software_json};
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped};
use crate::output::Output;
use crate::proving::foretell;
use crate::{guest, input, proving};

pub(crate) fn run(
    args: &CostArgs,
    max_memory: Option<u64>,
    output: &mut Output,
) -> Result<ExitCode, Failure> {
    let client = proving::client(&args.proving, max_memory)?;
    let (_, program) = guest::load(&args.program, output)?;
    let input = input::read(&args.input)?;
    let expected = args.expect_exit.unwrap_or(0);
    let (cost, _) = foretell(&client, &program, &input, expected, output)?;
    let (_, software) = client.execute_sampled(&program, &input, &mut Discard)?;
    let rates = Rates::of(client.hash());
    let mut json = cost_json(&cost);
    json["level"] = client.level().to_string().into();
    json["hash"] = client.hash().name().into();
    json["estimated_for"] = rates.processor.into();
    json["software"] = software_json(&software);
    output.answer(&human(&cost, &rates), &json)?;
    say_software(&software, output);
    Ok(ExitCode::Ok)
}

fn human(cost: &ProvingCost, rates: &Rates) -> String {
    let mut human = String::new();
    let per_cycle = |count: u64| count as f64 / cost.cycles.max(1) as f64;
    let total = &cost.total;
    let _ = writeln!(human, "cycles        {}", grouped(cost.cycles));
    let parts = match cost.words_parts {
        0 => String::new(),
        parts => format!(" and {parts} further parts of memory"),
    };
    let _ = writeln!(human, "segments      {}{parts}", cost.segments);
    for (name, count) in [
        ("main cells", total.main_cells),
        ("LogUp cells", total.logup_cells),
        ("interactions", total.interactions),
    ] {
        let per_cycle = per_cycle(count);
        let _ = writeln!(
            human,
            "{name:<13} {}  {per_cycle:.1} per cycle",
            grouped(count)
        );
    }
    let _ = writeln!(human, "proof         {}", bytes(cost.proof_bytes));
    let _ = writeln!(
        human,
        "memory        {}  (estimate)",
        bytes(cost.memory_bytes)
    );
    let _ = writeln!(
        human,
        "time          {:.1} CPU s  (estimate for {})",
        cost.seconds.total(),
        rates.processor
    );
    for (name, seconds) in phases(&cost.seconds) {
        let _ = writeln!(human, "  {name:<11} {seconds:>8.2}");
    }
    let _ = writeln!(
        human,
        "{:<16} {:>13} {:>13} {:>15} {:>15}",
        "chip", "rows", "padded", "main cells", "LogUp cells"
    );
    for (name, chip) in &cost.chips {
        let _ = writeln!(
            human,
            "{name:<16} {:>13} {:>13} {:>15} {:>15}",
            grouped(chip.rows),
            grouped(chip.rows_padded),
            grouped(chip.main_cells),
            grouped(chip.logup_cells)
        );
    }
    human
}

/// Seconds by phase, with names.
pub(crate) fn phases(seconds: &Seconds) -> [(&'static str, f64); 6] {
    let Seconds {
        execute,
        fill,
        commit,
        logup,
        quotient,
        open,
    } = *seconds;
    [
        ("execute", execute),
        ("fill", fill),
        ("commit", commit),
        ("logup", logup),
        ("quotient", quotient),
        ("open", open),
    ]
}

/// Seconds by phase as a JSON object.
pub(crate) fn phases_json(phases: impl IntoIterator<Item = (&'static str, f64)>) -> Value {
    let fields = phases
        .into_iter()
        .map(|(name, seconds)| (name.to_owned(), json!(seconds)));
    Value::Object(fields.collect())
}

pub(crate) fn cost_json(cost: &ProvingCost) -> Value {
    let chips: Map<String, Value> = cost
        .chips
        .iter()
        .map(|(name, chip)| (name.clone(), chip_json(chip)))
        .collect();
    json!({
        "cycles": cost.cycles,
        "segments": cost.segments,
        "words_parts": cost.words_parts,
        "total": chip_json(&cost.total),
        "chips": chips,
        "proof_bytes": cost.proof_bytes,
        "memory_bytes": cost.memory_bytes,
        "cpu_seconds": cost.seconds.total(),
        "phases": phases_json(phases(&cost.seconds)),
    })
}

fn chip_json(chip: &ChipCost) -> Value {
    json!({
        "rows": chip.rows,
        "rows_padded": chip.rows_padded,
        "main_cells": chip.main_cells,
        "logup_cells": chip.logup_cells,
        "interactions": chip.interactions,
    })
}
