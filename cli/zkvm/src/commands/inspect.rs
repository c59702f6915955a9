//! `zkvm inspect`: what a program consists of.

use std::borrow::Cow;
use std::fmt::Write as _;

use serde_json::{Value, json};
use zkvm_sdk::Permissions;
use zkvm_sdk::isa::layout;

use crate::args::ProgramArgs;
use crate::escape;
use crate::failure::{ExitCode, Failure};
use crate::guest;
use crate::number::{bytes, grouped};
use crate::output::Output;

pub(crate) fn run(args: &ProgramArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let (path, program) = guest::load(args, output)?;
    let machine = program.machine();
    let report = program.report();
    let id = program.id().to_string();
    let has_lines = program.symbolizer().has_lines();
    let entry = machine.entry();
    let entry_name = machine
        .symbol_at(u64::from(entry))
        .map_or(Cow::Borrowed(""), |symbol| escape::line(&symbol.name));

    let mut human = String::new();
    let _ = writeln!(human, "file         {}", path.display());
    let _ = writeln!(human, "program id   {id}");
    let extensions = if machine.compressed() {
        "RV64IMAC"
    } else {
        "RV64IMA"
    };
    let _ = writeln!(human, "entry        {entry:#x} {entry_name} ({extensions})");
    for image in machine.images() {
        let end = image.end();
        let letters = letters(image.permissions);
        let size = bytes(u64::from(image.size_bytes));
        let _ = writeln!(
            human,
            "segment      {:#010x}..{end:#010x}  {letters}  {size}",
            image.address
        );
    }
    let heap = machine.heap_start();
    let _ = writeln!(
        human,
        "heap         {heap:#010x}..{:#010x}",
        layout::HEAP_END
    );
    let (stack_start, stack_end) = (layout::STACK_START, layout::STACK_END);
    let _ = writeln!(human, "stack        {stack_start:#010x}..{stack_end:#010x}");
    let _ = writeln!(
        human,
        "debug info   {}",
        if has_lines { "line tables" } else { "none" }
    );
    let _ = writeln!(
        human,
        "code         {} functions, {} instructions ({} compressed), {} traps or data",
        grouped(report.functions as u64),
        grouped(report.instructions),
        grouped(report.compressed),
        grouped(report.illegal)
    );
    for (chip, count) in &report.per_chip {
        let _ = writeln!(human, "  {:<16} {:>10}", chip.name(), grouped(*count));
    }
    let chips: serde_json::Map<String, Value> = report
        .per_chip
        .iter()
        .map(|(chip, count)| (chip.name().to_owned(), json!(count)))
        .collect();
    let segments: Vec<Value> = machine
        .images()
        .iter()
        .map(|image| {
            json!({
                "address": image.address,
                "size_bytes": image.size_bytes,
                "data_bytes": image.data.len(),
                "permissions": letters(image.permissions),
            })
        })
        .collect();
    let json = json!({
        "path": path.display().to_string(),
        "program_id": id,
        "entry": entry,
        "compressed": machine.compressed(),
        "segments": segments,
        "heap_start": heap,
        "has_line_tables": has_lines,
        "functions": report.functions,
        "instructions": report.instructions,
        "compressed_instructions": report.compressed,
        "illegal": report.illegal,
        "chips": chips,
    });
    output.answer(&human, &json)?;
    Ok(ExitCode::Ok)
}

fn letters(permissions: Permissions) -> &'static str {
    match permissions {
        Permissions::ReadOnly => "r--",
        Permissions::ReadWrite => "rw-",
        Permissions::ReadExecute => "r-x",
    }
}
