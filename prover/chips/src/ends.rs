//! How registers and memory end over all segments, and the tables that say so.

use std::collections::BTreeMap;

use zkvm_air::F;
use zkvm_isa::layout::WORDS_START;
use zkvm_machine::{REGISTERS, Segment};

use crate::fill::{cells_of, fill};
use crate::machine::{Machine, Unprovable};
use crate::{chain, image, memory};

/// The traces of the memory tables that are in the last segment's proof.
#[derive(Clone, Debug)]
pub struct MemoryTraces {
    /// Registers and the image's words.
    pub image: Option<Vec<F>>,
    /// The other words, or the first of them.
    pub words: Option<Vec<F>>,
}

/// A place's first and last value, and 1 + the last segment that accesses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Line {
    initial: u64,
    last_value: u64,
    last_segment: u32,
}

/// Follows registers and words through the segments of an execution.
#[derive(Clone, Debug)]
pub struct MemoryEnds {
    registers: [Line; REGISTERS],
    words: BTreeMap<u32, Line>,
}

impl Default for MemoryEnds {
    fn default() -> Self {
        MemoryEnds::new()
    }
}

impl MemoryEnds {
    /// Before the first segment.
    #[must_use]
    pub fn new() -> Self {
        let line = |number: usize| Line {
            initial: image::initial_register(number),
            last_value: image::initial_register(number),
            last_segment: 0,
        };
        MemoryEnds {
            registers: std::array::from_fn(line),
            words: BTreeMap::new(),
        }
    }

    /// Notes what a segment leaves; segments come in order.
    pub fn note(&mut self, segment: &Segment) {
        let last_segment = segment.number + 1;
        for register in &segment.boundary_registers {
            if let Some(line) = self.registers.get_mut(usize::from(register.number)) {
                (line.last_value, line.last_segment) = (register.value_out, last_segment);
            }
        }
        for word in &segment.boundary {
            let line = self.words.entry(word.word_index).or_insert(Line {
                initial: word.value_in,
                last_value: word.value_in,
                last_segment: 0,
            });
            (line.last_value, line.last_segment) = (word.value_out, last_segment);
        }
    }

    /// The memory of the whole execution, for tables of at most `rows_max` words.
    ///
    /// # Errors
    /// [`Unprovable`] if a word lies in no region.
    pub fn finish(
        self,
        machine: &Machine,
        rows_max: usize,
    ) -> Result<MemoryTables<'_>, Unprovable> {
        let image: BTreeMap<u32, u64> = machine
            .facts
            .words
            .iter()
            .map(|(word, value, _)| (*word, *value))
            .collect();
        let mut lines: Vec<(u32, Line)> = self.words.into_iter().collect();
        lines.extend(image.iter().map(|(word, value)| {
            let line = Line {
                initial: *value,
                last_value: *value,
                last_segment: 0,
            };
            (*word, line)
        }));
        // Stable: of an image's word that is touched, the touched line comes first.
        lines.sort_by_key(|(word, _)| *word);
        lines.dedup_by_key(|(word, _)| *word);
        let (mut image_lines, mut words) = (Vec::new(), Vec::new());
        let mut before = WORDS_START;
        for (word, line) in lines {
            let linked = LinkedWord { word, before, line };
            before = word;
            if image.contains_key(&word) {
                image_lines.push(linked);
            } else {
                words.push(linked);
            }
        }
        Ok(MemoryTables {
            machine,
            registers: self.registers,
            image: image_lines,
            words,
            rows_max: rows_max.max(1),
            last_word: before,
        })
    }
}

/// A word with its place in the chain.
#[derive(Clone, Copy, Debug)]
struct LinkedWord {
    word: u32,
    before: u32,
    line: Line,
}

/// The initial memory of an execution and its end, ready to be filled table by table.
#[derive(Clone, Debug)]
pub struct MemoryTables<'a> {
    machine: &'a Machine,
    registers: [Line; REGISTERS],
    image: Vec<LinkedWord>,
    words: Vec<LinkedWord>,
    rows_max: usize,
    /// Index of the last word of the chain.
    pub last_word: u32,
}

impl MemoryTables<'_> {
    /// Number of proofs of [`zkvm_isa::record::Part::Words`], besides the last segment's.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.words.len().div_ceil(self.rows_max).saturating_sub(1)
    }

    /// The tables in the last segment's proof.
    ///
    /// # Errors
    /// [`Unprovable`] if a word lies in no region.
    pub fn in_last(&self) -> Result<MemoryTraces, Unprovable> {
        let registers = self.registers.iter().map(|line| image::ImageUse {
            link: chain::fill_unlinked(line.last_value, line.last_segment),
        });
        let words = self.image.iter().map(|linked| image::ImageUse {
            link: linked.link(),
        });
        let rows: Vec<_> = registers.chain(words).collect();
        Ok(MemoryTraces {
            image: Some(cells_of(rows)),
            words: self.words_of(0)?,
        })
    }

    /// The words of proof `part` of [`zkvm_isa::record::Part::Words`], from 0.
    ///
    /// # Errors
    /// [`Unprovable`] if a word lies in no region.
    pub fn in_part(&self, part: usize) -> Result<Option<Vec<F>>, Unprovable> {
        self.words_of(part + 1)
    }

    fn words_of(&self, index: usize) -> Result<Option<Vec<F>>, Unprovable> {
        let Some(words) = self.words.chunks(self.rows_max).nth(index) else {
            return Ok(None);
        };
        let regions = &self.machine.facts.regions;
        fill(words, |linked| {
            let word = linked.word;
            let region = regions
                .iter()
                .find(|region| (region.first..=region.last).contains(&word))
                .ok_or_else(|| Unprovable {
                    what: format!("word {word:#x}, which is not mapped"),
                })?;
            Ok(memory::fill(
                word,
                region,
                linked.line.initial,
                linked.link(),
            ))
        })
    }
}

impl LinkedWord {
    fn link(&self) -> chain::Link<F> {
        let Line {
            last_value,
            last_segment,
            ..
        } = self.line;
        chain::fill_link(self.before, self.word, last_value, last_segment)
    }
}
