//! The chips as one machine: which tables each proof of an execution has.

use zkvm_air::{Columns, Description, Expr, F, Round};
use zkvm_isa::layout::WORD_BYTES;
use zkvm_isa::record::Part;
use zkvm_machine::{Permissions, Program};

use crate::common::{SPACE_READ_ONLY, SPACE_WRITABLE};
use crate::program::ProgramRow;
use crate::region::MappedRegion;
use crate::{
    add_sub, atomic, bitwise, bitwise_table, boundary, branch, div_rem, hint, image, journal, jump,
    keccak, keccak_round, less_than, load, memory, misaligned, mul, multiply_mod, program,
    range_table, region, reservation, secp256k1, sha256, sha256_round, shift, store, system,
    upper_immediate,
};

/// Most instructions of a program, as many as a table has rows.
const INSTRUCTIONS_MAX: usize = 1 << 22;

/// A chip of the machine, with its preprocessed rows if it has any.
#[derive(Clone, Debug)]
pub struct MachineChip {
    /// The chip.
    pub description: Description,
    /// Its preprocessed cells, row after row, a power of two rows; empty if it has none.
    pub preprocessed: Vec<F>,
}

impl MachineChip {
    /// Rows of a chip with preprocessed columns.
    #[must_use]
    pub fn fixed_height(&self) -> Option<usize> {
        self.preprocessed
            .len()
            .checked_div(self.description.preprocessed.len())
    }
}

/// Why there is no machine for a program, or no witness of a segment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unprovable {
    /// What cannot be proved.
    pub what: String,
}

/// The chips of one part, for one program.
#[derive(Clone, Debug)]
pub struct Machine {
    /// Which part.
    pub part: Part,
    /// The chips, in the order of the registry.
    pub chips: Vec<MachineChip>,
    pub(crate) facts: Facts,
}

impl Machine {
    /// The chips of `part` for `program`.
    ///
    /// # Errors
    /// [`Unprovable`] if the program has no instruction at all, or more than a table holds.
    pub fn new(program: &Program, part: Part) -> Result<Self, Unprovable> {
        let facts = Facts::new(program)?;
        let count = facts.rows.iter().flatten().count();
        if count == 0 || count > INSTRUCTIONS_MAX {
            let what = format!("a program of {count} instructions");
            return Err(Unprovable { what });
        }
        Ok(Machine {
            part,
            chips: registry(program, part, &facts),
            facts,
        })
    }

    /// The place of chip `name` in the registry.
    pub(crate) fn index(&self, name: &str) -> Option<usize> {
        let mut chips = self.chips.iter();
        chips.position(|chip| chip.description.name == name)
    }
}

/// What filling asks of the program, prepared.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// Half of the first text address.
    pub(crate) first_half_pc: u32,
    /// Per half-word of text its instruction, if one can execute there.
    pub(crate) rows: Vec<Option<ProgramRow>>,
    /// The image's words that are not zero: index, value, space.
    pub(crate) words: Vec<(u32, u64, u32)>,
    pub(crate) regions: Vec<MappedRegion>,
    /// First and last index of the words that are writable, by ascending index.
    writable: Vec<(u32, u32)>,
}

impl Facts {
    fn new(program: &Program) -> Result<Self, Unprovable> {
        let rows = (program.text_start()..).step_by(2).zip(program.text());
        let rows = rows.map(|(pc, instruction)| ProgramRow::new(pc, *instruction));
        let regions = region::regions(program);
        let is_writable = |region: &&MappedRegion| region.space == SPACE_WRITABLE;
        let mut writable: Vec<(u32, u32)> = regions
            .iter()
            .filter(is_writable)
            .map(|region| (region.first, region.last))
            .collect();
        writable.sort_unstable();
        // The loader keeps writable words and others apart; the region table rests on it.
        let word_bytes = u64::from(WORD_BYTES);
        for image in program.images() {
            let touches = |(first, last): &(u32, u32)| {
                u64::from(*first) * word_bytes < u64::from(image.end())
                    && (u64::from(*last) + 1) * word_bytes > u64::from(image.address)
            };
            if image.permissions != Permissions::ReadWrite && writable.iter().any(touches) {
                let what = format!("the image at {:#x}, in writable memory,", image.address);
                return Err(Unprovable { what });
            }
        }
        Ok(Facts {
            first_half_pc: program.text_start() / 2,
            rows: rows.collect(),
            words: image::words(program),
            regions,
            writable,
        })
    }

    /// The space that a word lives in.
    pub(crate) fn space_of(&self, word: u32) -> u32 {
        let after = self.writable.partition_point(|(first, _)| *first <= word);
        let is_writable = after > 0 && word <= self.writable[after - 1].1;
        if is_writable {
            SPACE_WRITABLE
        } else {
            SPACE_READ_ONLY
        }
    }

    pub(crate) fn is_read_only(&self, word: u32) -> bool {
        self.space_of(word) == SPACE_READ_ONLY
    }

    pub(crate) fn row(&self, text_index: u32) -> Result<&ProgramRow, Unprovable> {
        let row = self.rows.get(text_index as usize);
        row.and_then(Option::as_ref).ok_or_else(|| Unprovable {
            what: format!("a record of an instruction at {text_index}, where there is none"),
        })
    }
}

fn registry(program: &Program, part: Part, facts: &Facts) -> Vec<MachineChip> {
    let rows: Vec<ProgramRow> = facts.rows.iter().flatten().copied().collect();
    let mut chips = vec![fixed(
        range_table::NAME,
        Round::Main,
        range_table::eval,
        range_table::values(),
    )];
    if part != Part::Segment {
        let regions = region::rows(program);
        chips.push(fixed(region::NAME, Round::Main, region::eval, regions));
        chips.push(plain(memory::NAME, Round::Boundary, memory::eval));
    }
    if part == Part::Last {
        let rows = image::rows(&facts.words);
        chips.push(fixed(image::NAME, Round::Boundary, image::eval, rows));
    }
    if part != Part::Words {
        let main = Round::Main;
        let program = program::rows(&rows);
        chips.extend([
            fixed(program::NAME, main, program::eval, program),
            fixed(
                bitwise_table::NAME,
                main,
                bitwise_table::eval,
                bitwise_table::pairs(),
            ),
            plain(boundary::NAME, Round::Boundary, boundary::eval),
            plain(system::NAME, main, system::eval),
            plain(journal::NAME, main, journal::eval),
            plain(hint::NAME, main, hint::eval),
            plain(add_sub::NAME, main, add_sub::eval),
            plain(bitwise::NAME, main, bitwise::eval),
            plain(upper_immediate::NAME, main, upper_immediate::eval),
            plain(less_than::NAME, main, less_than::eval),
            plain(shift::NAME, main, shift::eval),
            plain(mul::NAME, main, mul::eval),
            plain(div_rem::NAME, main, div_rem::eval),
            plain(branch::NAME, main, branch::eval),
            plain(jump::NAME, main, jump::eval),
            plain(load::NAME, main, load::eval),
            plain(store::NAME, main, store::eval),
            plain(misaligned::NAME, main, misaligned::eval),
            plain(atomic::NAME, main, atomic::eval),
            plain(reservation::NAME, main, reservation::eval),
            plain(keccak::NAME, main, keccak::eval),
            plain(keccak_round::NAME, main, keccak_round::eval),
            plain(sha256::NAME, main, sha256::eval),
            plain(sha256_round::NAME, main, sha256_round::eval),
            plain(multiply_mod::NAME, main, multiply_mod::eval),
            plain(secp256k1::NAME, main, secp256k1::eval),
        ]);
    }
    chips
}

type Eval<M, P> = fn(&mut zkvm_air::Builder, &M, &P);

/// A chip without preprocessed columns.
fn plain<M: Columns<Expr>>(name: &str, round: Round, eval: Eval<M, ()>) -> MachineChip {
    MachineChip {
        description: describe(name, round, eval),
        preprocessed: Vec::new(),
    }
}

/// A chip with preprocessed rows.
fn fixed<M: Columns<Expr>, S: Columns<Expr>, P: Columns<F>>(
    name: &str,
    round: Round,
    eval: Eval<M, S>,
    rows: impl IntoIterator<Item = P>,
) -> MachineChip {
    let mut preprocessed = Vec::new();
    rows.into_iter()
        .for_each(|row| row.give(&mut |cell| preprocessed.push(cell)));
    MachineChip {
        description: describe(name, round, eval),
        preprocessed,
    }
}

fn describe<M: Columns<Expr>, P: Columns<Expr>>(
    name: &str,
    round: Round,
    eval: Eval<M, P>,
) -> Description {
    // The registry's chips are fixed; a test describes them all.
    Description::new(name, round, eval).unwrap_or_else(|error| panic!("chip {name}: {error}"))
}
