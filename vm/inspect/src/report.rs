//! Statistics and disassembly of a program's code.

use std::collections::BTreeMap;

use zkvm_machine::Program;
use zkvm_machine::isa::{Chip, Length, Opcode};

/// What a program's code consists of, counted by walking its functions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Functions with a known size.
    pub functions: usize,
    /// Instructions in them.
    pub instructions: u64,
    /// Of those, compressed ones.
    pub compressed: u64,
    /// Instructions per chip that would prove them, by the chip's number.
    pub per_chip: BTreeMap<Chip, u64>,
    /// Words that are no instruction: traps of unreachable code, or data among code.
    pub illegal: u64,
}

impl Report {
    /// Counts the instructions of every function that the symbol table names.
    #[must_use]
    pub fn new(program: &Program) -> Self {
        let mut report = Report {
            functions: 0,
            instructions: 0,
            compressed: 0,
            per_chip: BTreeMap::new(),
            illegal: 0,
        };
        let mut last_end = 0;
        for symbol in program.symbols() {
            // Several names for one function count once.
            if !symbol.is_function || symbol.size_bytes == 0 || symbol.address < last_end {
                continue;
            }
            report.functions += 1;
            last_end = symbol.address.saturating_add(symbol.size_bytes);
            let mut pc = symbol.address;
            while pc < last_end
                && let Some(instruction) = program.instruction_at(u64::from(pc))
            {
                report.instructions += 1;
                report.compressed += u64::from(instruction.length() == Length::Two);
                report.illegal += u64::from(instruction.opcode() == Opcode::Illegal);
                if let Some(chip) = instruction.opcode().chip() {
                    *report.per_chip.entry(chip).or_default() += 1;
                }
                pc += instruction.length().bytes();
            }
        }
        report
    }
}

/// The instructions around `pc`, up to `before` bytes before it, as lines of address and text.
///
/// Instructions before `pc` are found by walking from the start of its function, so that they are
/// the ones the program runs; without a symbol the lines begin at `pc`.
#[must_use]
pub fn disassemble(program: &Program, pc: u64, before: u64, lines_max: usize) -> Vec<String> {
    let first = program
        .symbol_at(pc)
        .map_or(pc, |symbol| u64::from(symbol.address));
    let mut lines = Vec::new();
    let mut address = first;
    while lines.len() < lines_max
        && let Some(instruction) = program.instruction_at(address)
    {
        if address + before >= pc {
            let mark = if address == pc { ">" } else { " " };
            lines.push(format!("{mark} {address:#010x}  {instruction}"));
        }
        address += u64::from(instruction.length().bytes());
    }
    lines
}
