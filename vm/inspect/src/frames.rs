//! From addresses to functions, files and lines, inlined calls included.

use std::borrow::Cow;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use gimli::{EndianRcSlice, RunTimeEndian};
use object::{Object, ObjectSection};
use zkvm_machine::Program;

/// One frame of a backtrace. Several frames share an address where calls were inlined.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// The address looked up.
    pub address: u64,
    /// The function, demangled; `None` if neither debug information nor symbols name it.
    pub function: Option<String>,
    /// The source file.
    pub file: Option<String>,
    /// The line in it, from 1.
    pub line: Option<u32>,
    /// The column in it, from 1.
    pub column: Option<u32>,
    /// Whether the frame's function was inlined into the next one.
    pub is_inlined: bool,
}

type Reader = EndianRcSlice<RunTimeEndian>;

/// Looks addresses up in an ELF file's debug information and symbol table.
pub struct Symbolizer<'a> {
    program: &'a Program,
    context: Option<addr2line::Context<Reader>>,
}

impl std::fmt::Debug for Symbolizer<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Symbolizer")
            .field("has_lines", &self.has_lines())
            .finish_non_exhaustive()
    }
}

impl<'a> Symbolizer<'a> {
    /// Reads the debug information of `elf`, the file that `program` was loaded from.
    #[must_use]
    pub fn new(elf: &[u8], program: &'a Program) -> Self {
        // The DWARF reader is for well-formed files; a damaged one must not take a report down.
        let context = catch_unwind(AssertUnwindSafe(|| read_context(elf)))
            .ok()
            .flatten();
        Symbolizer { program, context }
    }

    /// Whether the file has line tables.
    #[must_use]
    pub fn has_lines(&self) -> bool {
        self.context.is_some()
    }

    /// The frames at `address`, innermost first; never empty.
    #[must_use]
    pub fn frames(&self, address: u64) -> Vec<Frame> {
        let lookup = AssertUnwindSafe(|| self.debug_frames(address));
        let mut frames = catch_unwind(lookup).ok().flatten().unwrap_or_default();
        if frames.is_empty() {
            frames.push(Frame {
                address,
                function: None,
                file: None,
                line: None,
                column: None,
                is_inlined: false,
            });
        }
        if let Some(outermost) = frames.last_mut()
            && outermost.function.is_none()
        {
            outermost.function = self
                .program
                .symbol_at(address)
                .map(|symbol| demangle(&symbol.name));
        }
        frames
    }

    fn debug_frames(&self, address: u64) -> Option<Vec<Frame>> {
        let context = self.context.as_ref()?;
        let mut found = context.find_frames(address).skip_all_loads().ok()?;
        let mut frames = Vec::new();
        while let Ok(Some(frame)) = found.next() {
            let name = frame
                .function
                .as_ref()
                .and_then(|function| function.raw_name().ok());
            let location = frame.location.as_ref();
            frames.push(Frame {
                address,
                function: name.map(|name| demangle(&name)),
                file: location
                    .and_then(|location| location.file)
                    .map(str::to_owned),
                line: location.and_then(|location| location.line),
                column: location.and_then(|location| location.column),
                is_inlined: true,
            });
        }
        if let Some(outermost) = frames.last_mut() {
            outermost.is_inlined = false;
        }
        Some(frames)
    }
}

fn read_context(elf: &[u8]) -> Option<addr2line::Context<Reader>> {
    let file = object::File::parse(elf).ok()?;
    let load = |section: gimli::SectionId| -> Result<Reader, gimli::Error> {
        let bytes = file
            .section_by_name(section.name())
            .and_then(|section| section.uncompressed_data().ok())
            .unwrap_or(Cow::Borrowed(&[]));
        Ok(Reader::new(Rc::from(&*bytes), RunTimeEndian::Little))
    };
    file.section_by_name(".debug_line")?;
    addr2line::Context::from_dwarf(gimli::Dwarf::load(load).ok()?).ok()
}

/// The name as written in the source, without the hash that compilers add.
fn demangle(name: &str) -> String {
    format!("{:#}", rustc_demangle::demangle(name))
}
