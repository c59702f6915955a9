//! The oracle of the loader.

use zkvm_isa::{Length, Opcode, layout};
use zkvm_machine::{
    ELF_BYTES_MAX, Image, Input, Limits, LoadError, PROGRAM_HEADERS_MAX, Permissions, Program,
    SYMBOL_NAME_BYTES_MAX, SYMBOLS_MAX, TEXT_SPAN_BYTES_MAX, load,
};

use crate::allocation::measure;
use crate::run::{Run, check_run};
use crate::segments::CutPlan;
use crate::{Violation, claim};

/// Widest text that the mutating tests and the fuzz target load: decoding is linear in it, and a
/// wide text of zeros takes a few bytes of file, so that a fuzzer finds it soon and learns nothing.
pub const TEXT_SPAN_FUZZED_BYTES_MAX: u64 = 1 << 18;

const CYCLES_MAX: u64 = 20_000;
/// Guest memory above that of the image.
const MEMORY_ABOVE_IMAGE_BYTES: u64 = 1 << 20;
const JOURNAL_BYTES_MAX: u64 = 1 << 18;

/// Most host memory that loading `bytes` may take at its peak.
///
/// Per byte of file 16: a copy of the segments; a symbol of 40 bytes for each 24 bytes of symbol
/// table, in a list that doubles when it grows. Per byte of text span 5: the decoded table, and
/// which of it was seen. Fixed 64 KiB: what is hashed, errors. The names of symbols come on top:
/// they may share bytes of the file, and have a limit of their own.
#[must_use]
pub fn load_bytes_max(bytes: &[u8]) -> u64 {
    (1 << 16) + 16 * bytes.len() as u64 + 5 * text_span_bytes(bytes)
}

/// Bytes of the symbols' names; the most there may be where an error hides them.
fn name_bytes(loaded: &Result<Program, LoadError>) -> u64 {
    match loaded {
        Ok(program) => {
            let names = program
                .symbols()
                .iter()
                .map(|symbol| symbol.name.len() as u64);
            names.sum()
        }
        Err(LoadError::UnsupportedInstruction { .. }) => SYMBOL_NAME_BYTES_MAX as u64,
        Err(_) => 0,
    }
}

/// Checks that `bytes` load to a sound program or to an error, and that the program executes
/// within small limits.
///
/// # Errors
/// [`Violation`] names the claim that fails. A file that is no program is no violation.
pub fn check_load(bytes: &[u8]) -> Result<Result<Run, LoadError>, Violation> {
    let (loaded, peak_bytes) = measure(|| load(bytes));
    let most_bytes = load_bytes_max(bytes) + name_bytes(&loaded);
    claim!(
        peak_bytes <= most_bytes,
        "loading {} bytes took {peak_bytes} bytes of host memory, the limit is {most_bytes}",
        bytes.len()
    );
    let again = load(bytes);
    let program = match (loaded, again) {
        (Ok(program), Ok(again)) => {
            claim!(program.id() == again.id(), "loading twice gives two ids");
            program
        }
        (Err(error), Err(again)) => {
            claim!(error == again, "loading twice gives two errors");
            claim!(!error.to_string().is_empty(), "the error prints as nothing");
            return Ok(Err(error));
        }
        (Ok(_), Err(error)) | (Err(error), Ok(_)) => {
            return Err(Violation(format!("loading twice fails once: {error}")));
        }
    };
    claim!(bytes.len() <= ELF_BYTES_MAX, "an overlong file loads");
    check_program(&program)?;
    let input = Input {
        bytes: b"input".to_vec(),
        hints: (0..100).collect(),
    };
    let limits = Limits {
        cycles_max: CYCLES_MAX,
        memory_bytes_max: image_bytes(&program, &input) + MEMORY_ABOVE_IMAGE_BYTES,
        journal_bytes_max: JOURNAL_BYTES_MAX,
    };
    let plan = CutPlan {
        parts: 3,
        words: 64,
    };
    check_run(&program, &input, &limits, plan).map(Ok)
}

/// Guest memory that image and input take at most, in bytes: the pages that hold their data.
pub(crate) fn image_bytes(program: &Program, input: &Input) -> u64 {
    let page = u64::from(layout::PAGE_BYTES);
    let pages_of = |size_bytes: usize| size_bytes as u64 / page + 2;
    let images: u64 = program
        .images()
        .iter()
        .map(|i| pages_of(i.data.len()))
        .sum();
    (images + pages_of(input.bytes.len() + 16)) * page
}

/// The invariants of [`Program`] that the rest of the machine relies on.
fn check_program(program: &Program) -> Result<(), Violation> {
    let images = program.images();
    claim!(
        images.len() <= PROGRAM_HEADERS_MAX,
        "{} images",
        images.len()
    );
    for image in images {
        check_image(image)?;
    }
    for pair in images.windows(2) {
        let [first, second] = pair else { continue };
        let (end, next) = (
            u64::from(first.address) + u64::from(first.size_bytes),
            second.address,
        );
        claim!(
            end <= u64::from(next),
            "images overlap or are not sorted at {next:#x}"
        );
        let is_writable = |image: &Image| image.permissions == Permissions::ReadWrite;
        claim!(
            is_writable(first) == is_writable(second) || end.div_ceil(8) <= u64::from(next) / 8,
            "the word at {next:#x} is half writable"
        );
    }
    let heap_start = u64::from(program.heap_start());
    let image_end = images.last().map_or(0, |image| u64::from(image.end()));
    claim!(
        heap_start >= image_end && heap_start.is_multiple_of(4096) && heap_start <= 0xC000_0000,
        "the heap starts at {heap_start:#x}, the image ends at {image_end:#x}"
    );
    check_text(program)?;
    check_symbols(program)
}

fn check_image(image: &Image) -> Result<(), Violation> {
    let (address, size) = (u64::from(image.address), u64::from(image.size_bytes));
    claim!(size > 0, "an empty image at {address:#x}");
    claim!(
        address >= u64::from(layout::IMAGE_START) && address + size <= u64::from(layout::HEAP_END),
        "image {address:#x} with {size} bytes is out of range"
    );
    claim!(
        image.data.len() as u64 <= size && image.data.last() != Some(&0),
        "image {address:#x} holds too much"
    );
    Ok(())
}

/// The decoded table covers the executable images, exactly, and the entry is in it.
fn check_text(program: &Program) -> Result<(), Violation> {
    let text: Vec<&Image> = program
        .images()
        .iter()
        .filter(|image| image.permissions == Permissions::ReadExecute)
        .collect();
    let (Some(first), Some(last)) = (text.first(), text.last()) else {
        return Err(Violation("a program without code loads".to_owned()));
    };
    let span = last.end() - first.address;
    claim!(span <= TEXT_SPAN_BYTES_MAX, "the text spans {span} bytes");
    claim!(
        program.text_start() == first.address,
        "the table starts elsewhere"
    );
    let (got, expected) = (program.text().len(), span.div_ceil(2) as usize);
    claim!(
        got == expected,
        "the table has {got} entries, not {expected}"
    );
    let entry = program.entry();
    let alignment = if program.compressed() { 2 } else { 4 };
    claim!(
        entry.is_multiple_of(alignment)
            && text.iter().any(|i| (i.address..i.end()).contains(&entry)),
        "the entry {entry:#x} is not in the text"
    );
    for (index, instruction) in program.text().iter().enumerate() {
        let pc = u64::from(program.text_start()) + 2 * index as u64;
        claim!(
            program.instruction_at(pc) == Some(*instruction),
            "the table and its accessor differ at {pc:#x}"
        );
        let is_inside = || {
            let end = pc + u64::from(instruction.length().bytes());
            text.iter()
                .any(|i| u64::from(i.address) <= pc && end <= u64::from(i.end()))
        };
        let is_aligned =
            program.compressed() || pc.is_multiple_of(4) && instruction.length() == Length::Four;
        claim!(
            instruction.opcode() == Opcode::Illegal || is_aligned && is_inside(),
            "{instruction} at {pc:#x} is legal outside the text or misaligned"
        );
    }
    Ok(())
}

fn check_symbols(program: &Program) -> Result<(), Violation> {
    let symbols = program.symbols();
    claim!(symbols.len() <= SYMBOLS_MAX, "{} symbols", symbols.len());
    let name_bytes: usize = symbols.iter().map(|symbol| symbol.name.len()).sum();
    claim!(
        name_bytes <= SYMBOL_NAME_BYTES_MAX,
        "{name_bytes} bytes of names"
    );
    claim!(
        symbols.is_sorted_by_key(|symbol| symbol.address),
        "symbols are not sorted"
    );
    for address in [0, u64::from(program.entry()), u64::from(u32::MAX), u64::MAX] {
        let Some(symbol) = program.symbol_at(address) else {
            continue;
        };
        let end = u64::from(symbol.address) + u64::from(symbol.size_bytes);
        claim!(
            symbol.is_function
                && u64::from(symbol.address) <= address
                && (address < end || symbol.size_bytes == 0),
            "{} does not cover {address:#x}",
            symbol.name
        );
    }
    Ok(())
}

/// How far apart the executable segments of an ELF file reach, read without the loader: an upper
/// bound for the text of the program, at most [`TEXT_SPAN_BYTES_MAX`]; 0 if there is none.
#[must_use]
pub fn text_span_bytes(file: &[u8]) -> u64 {
    let field = |offset: u64| -> Option<u64> {
        let start = usize::try_from(offset).ok()?;
        let bytes = file.get(start..start.checked_add(8)?)?;
        Some(u64::from_le_bytes(bytes.try_into().ok()?))
    };
    let (Some(table), Some(counts)) = (field(32), field(56)) else {
        return 0;
    };
    let count = counts & 0xffff;
    let (mut first, mut last) = (u64::MAX, 0);
    for index in 0..count.min(PROGRAM_HEADERS_MAX as u64) {
        let at = |offset: u64| field(table.checked_add(56 * index + offset)?);
        let (Some(kind_and_flags), Some(address), Some(size)) = (at(0), at(16), at(40)) else {
            break;
        };
        let (is_loaded, is_executable) =
            (kind_and_flags as u32 == 1, kind_and_flags >> 32 & 1 == 1);
        let Some(end) = address.checked_add(size) else {
            continue;
        };
        if is_loaded && is_executable && size > 0 {
            first = first.min(address);
            last = last.max(end);
        }
    }
    last.saturating_sub(first)
        .min(u64::from(TEXT_SPAN_BYTES_MAX))
}
