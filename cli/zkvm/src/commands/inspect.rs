//! `zkvm inspect`: what a program or a proof file consists of.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::{Value, json};
use zkvm_sdk::isa::layout;
use zkvm_sdk::{Permissions, Program, Proof, Report};

use crate::args::{InspectArgs, ProgramArgs};
use crate::escape;
use crate::failure::{ExitCode, Failure};
use crate::number::{bytes, grouped, hex};
use crate::output::Output;
use crate::{guest, proof_file};

/// Longest journal that is shown.
const JOURNAL_BYTES_SHOWN: usize = 256;

pub(crate) fn run(args: &InspectArgs, output: &mut Output) -> Result<ExitCode, Failure> {
    let program = |path: &Path| ProgramArgs {
        program: path.to_owned(),
        build: args.build.clone(),
    };
    if proof_file::is_proof(&args.file) {
        let program = match &args.program {
            Some(path) => Some(guest::load(&program(path), output)?.1),
            None => None,
        };
        return inspect_proof(&args.file, program.as_ref(), output);
    }
    inspect_program(&program(&args.file), output)
}

/// Shows what a proof file says of itself: nothing of it is verified.
fn inspect_proof(
    path: &Path,
    program: Option<&Program>,
    output: &Output,
) -> Result<ExitCode, Failure> {
    let (proof, length_bytes) = proof_file::read(path)?;
    let report = program
        .map(|program| program.security(&proof))
        .transpose()?;
    let is_of_program = program.map(|program| program.id() == proof.program_id());
    let header = proof.header();
    let of = &header.parameters;
    let level = proof.level().map(|level| level.to_string());
    let journal = proof.journal_claimed();
    let shown = (journal.len() <= JOURNAL_BYTES_SHOWN).then(|| hex(journal));

    let mut human = String::new();
    let _ = writeln!(
        human,
        "file         {}, {}",
        path.display(),
        bytes(length_bytes)
    );
    let _ = writeln!(human, "format       {}", Proof::FORMAT);
    let _ = writeln!(human, "hash         {}", header.hash.name());
    let _ = writeln!(
        human,
        "level        {}: {} queries, blow-up 2^{}, grinding {}/{}/{} bits",
        level.as_deref().unwrap_or("none"),
        of.queries,
        of.blowup_log2,
        of.logup_grinding_bits,
        of.batch_grinding_bits,
        of.query_grinding_bits
    );
    let _ = writeln!(human, "machine      {}", hex(&header.machine));
    let note = match is_of_program {
        None => "",
        Some(true) => " (the program given)",
        Some(false) => " (not the program given)",
    };
    let _ = writeln!(human, "program id   {}{note}", proof.program_id());
    let _ = writeln!(human, "exit code    {}", proof.exit_code());
    let text = shown.as_deref().unwrap_or("too long to show");
    let _ = writeln!(
        human,
        "journal      {} bytes  {text}",
        grouped(journal.len() as u64)
    );
    let _ = writeln!(human, "segments     {}", proof.segments());
    let _ = writeln!(human, "memory parts {}", proof.words_parts());
    if let Some(report) = &report {
        let _ = writeln!(human, "\n{report}");
    }
    let _ = writeln!(human, "\nnothing of this was verified; `zkvm verify` does");
    let json = json!({
        "path": path.display().to_string(),
        "bytes": length_bytes,
        "format": Proof::FORMAT,
        "hash": header.hash.name(),
        "level": level,
        "parameters": {
            "blowup_log2": of.blowup_log2,
            "queries": of.queries,
            "logup_grinding_bits": of.logup_grinding_bits,
            "batch_grinding_bits": of.batch_grinding_bits,
            "query_grinding_bits": of.query_grinding_bits,
        },
        "machine": hex(&header.machine),
        "program_id": proof.program_id().to_string(),
        "is_of_program": is_of_program,
        "exit_code": proof.exit_code(),
        "journal_bytes": journal.len(),
        "journal": shown,
        "segments": proof.segments(),
        "words_parts": proof.words_parts(),
        "security": report.as_ref().map(report_json),
        "verified": false,
    });
    output.answer(&human, &json)?;
    Ok(ExitCode::Ok)
}

/// A report with its terms. Bits are as its table shows them.
fn report_json(report: &Report) -> Value {
    let bits = |bits: String| bits.parse::<f64>().ok();
    let terms = report.terms().iter().map(|term| {
        json!({
            "term": term.source.name(),
            "bits_before_grinding": bits(term.bits_before.to_string()),
            "grinding_bits": term.grinding_bits,
            "bits": bits(term.bits().to_string()),
        })
    });
    json!({
        "bits": bits(report.bits().to_string()),
        "binding": report.binding().source.name(),
        "regime": report.regime().to_string(),
        "terms": terms.collect::<Vec<_>>(),
    })
}

fn inspect_program(args: &ProgramArgs, output: &Output) -> Result<ExitCode, Failure> {
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
