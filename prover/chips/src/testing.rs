//! What the chips' tests share: rows from records, forgeries, sweeps.
//!
//! The rule: whatever a row checks of itself is the only one to catch some forgery, or is listed
//! with the reason why it never can be. [`ChipTest::assert_every_name_was_forged`] enforces it.

use std::cell::RefCell;
use std::collections::BTreeSet;

use p3_field::{Field, PrimeCharacteristicRing, PrimeField32};
use zkvm_air::mutate::{catches, messages, sweep};
use zkvm_air::{Builder, Bus, Columns, Description, Expr, F, Round};
use zkvm_isa::record::RegisterRecord;
use zkvm_isa::{Length, Opcode, decode};
use zkvm_testkit::edge::alu_vectors;

use crate::ProgramRow;
use crate::chain::Link;
use crate::common::limbs;

/// Where the instructions of these tests lie.
pub(crate) const PC: u32 = 0x0001_2344;
/// Their clock; the previous accesses lie before it at various distances.
pub(crate) const CLOCK: u32 = 0x0015_0000;

/// A chip under test, whose records are `R` and whose rows are `C`.
pub(crate) struct ChipTest<R, C> {
    pub(crate) description: Description,
    pub(crate) fill: fn(&R, &ProgramRow) -> C,
    /// The preprocessed cells of the row.
    fixed: Vec<F>,
    /// The messages of the region table.
    pub(crate) regions: Vec<Vec<F>>,
    /// What was the only one to catch a forgery so far.
    alone: RefCell<BTreeSet<String>>,
    /// What caught one beside others.
    together: RefCell<BTreeSet<String>>,
}

impl<R, C: Columns<F>> ChipTest<R, C> {
    /// Describes the chip.
    pub(crate) fn new<S: Columns<Expr>>(
        name: &str,
        eval: fn(&mut Builder, &S, &()),
        fill: fn(&R, &ProgramRow) -> C,
    ) -> Self {
        Self::described(name, Round::Main, eval, fill, ())
    }

    /// Describes the chip, whose columns are committed to in `round`.
    pub(crate) fn in_round<S: Columns<Expr>>(
        name: &str,
        round: Round,
        eval: fn(&mut Builder, &S, &()),
        fill: fn(&R, &ProgramRow) -> C,
    ) -> Self {
        Self::described(name, round, eval, fill, ())
    }

    /// Describes the chip, whose columns are committed to in `round` and whose rows have the
    /// preprocessed cells `fixed`.
    pub(crate) fn described<S: Columns<Expr>, P: Columns<Expr>>(
        name: &str,
        round: Round,
        eval: fn(&mut Builder, &S, &P),
        fill: fn(&R, &ProgramRow) -> C,
        fixed: impl Columns<F>,
    ) -> Self {
        let description =
            Description::new::<S, P>(name, round, eval).expect("the chip is well formed");
        ChipTest {
            description,
            fill,
            fixed: cells(fixed),
            regions: Vec::new(),
            alone: RefCell::default(),
            together: RefCell::default(),
        }
    }

    /// The row of a record.
    pub(crate) fn row(&self, record: &R, program: &ProgramRow) -> C {
        (self.fill)(record, program)
    }

    /// The names of what catches a row. Of a look-up of two bytes each has its own.
    pub(crate) fn catches(&self, row: C, program: &ProgramRow) -> BTreeSet<String> {
        let tables = |bus: Bus, message: &[F]| self.is_in_table(bus, message, program);
        let cells = cells(row);
        let mut names: BTreeSet<String> = catches(&self.description, &cells, &self.fixed, &tables)
            .into_iter()
            .collect();
        for (pair, bus, _, message) in messages(&self.description, &cells, &self.fixed) {
            if bus == Bus::Bytes && names.remove(&pair) {
                let bytes = bytes_of(&pair).zip(message);
                let wrong = bytes.filter(|(_, byte)| byte.as_canonical_u32() >= 1 << 8);
                names.extend(wrong.map(|(name, _)| name.to_owned()));
            }
        }
        names
    }

    /// Whether a look-up message is in its table, given the one program row there is.
    fn is_in_table(&self, bus: Bus, message: &[F], program: &ProgramRow) -> Option<bool> {
        let value = |index: usize| message[index].as_canonical_u32();
        match bus {
            Bus::Program => Some(message == program.message()),
            Bus::Range16 => Some(value(0) < 1 << 16),
            Bus::Bytes => Some(value(0) < 1 << 8 && value(1) < 1 << 8),
            Bus::Bitwise => Some(crate::bitwise_table::contains(message)),
            Bus::Region => Some(self.regions.iter().any(|region| region == message)),
            Bus::State
            | Bus::Memory
            | Bus::Chain
            | Bus::Transfer
            | Bus::Journal
            | Bus::Halt
            | Bus::Boundary
            | Bus::Precompile
            | Bus::Keccak
            | Bus::Sha256 => None,
        }
    }

    /// All that a row checks of itself: constraints and look-ups.
    fn names(&self) -> BTreeSet<String> {
        let constraints = self.description.constraints.iter();
        let constraints = constraints.map(|constraint| constraint.name.as_str());
        let interactions = self.description.interactions.iter();
        let look_ups = interactions.flat_map(|interaction| match interaction.bus {
            Bus::Bytes => bytes_of(&interaction.name).collect(),
            Bus::Range16 | Bus::Bitwise | Bus::Program | Bus::Region => {
                vec![interaction.name.as_str()]
            }
            Bus::State
            | Bus::Memory
            | Bus::Chain
            | Bus::Transfer
            | Bus::Journal
            | Bus::Halt
            | Bus::Boundary
            | Bus::Precompile
            | Bus::Keccak
            | Bus::Sha256 => vec![],
        });
        constraints.chain(look_ups).map(str::to_owned).collect()
    }

    /// Asserts that each name of the chip was the only one to catch some forgery, but for exactly
    /// those of `never_alone`, each of which comes with the reason and was caught with others.
    pub(crate) fn assert_every_name_was_forged(&self, never_alone: &[(&str, &str)]) {
        let names = self.names();
        for column in &self.description.columns {
            let is_of_access = column.ends_with("gap_high");
            assert!(
                !is_of_access || names.contains(column),
                "{column} is not looked up"
            );
        }
        let alone = self.alone.borrow();
        let missing: BTreeSet<String> = names.difference(&alone).cloned().collect();
        let listed = never_alone.iter().map(|(name, _)| (*name).to_owned());
        let listed: BTreeSet<String> = listed.collect();
        assert_eq!(missing, listed, "what was never alone to catch a forgery");
        let together = self.together.borrow();
        let unforged: Vec<_> = listed.difference(&together).collect();
        assert!(unforged.is_empty(), "listed and never forged: {unforged:?}");
    }

    /// The message that `row` sends under `name`, if it does.
    pub(crate) fn message(&self, row: C, name: &str) -> Option<Vec<F>> {
        messages(&self.description, &cells(row), &self.fixed)
            .into_iter()
            .find(|(n, _, multiplicity, _)| n == name && multiplicity.as_canonical_u32() != 0)
            .map(|(_, _, _, message)| message)
    }

    /// Asserts that an honest row passes and that exactly `expected` catch it once forged.
    pub(crate) fn assert_lie(
        &self,
        honest: &(R, ProgramRow),
        expected: &[&str],
        forge: impl FnOnce(&mut C),
    ) {
        self.assert_lie_about(&honest.1, honest, expected, forge);
    }

    /// As [`Self::assert_lie`]; but the forged row passes for `truth`, another instruction.
    pub(crate) fn assert_lie_about(
        &self,
        truth: &ProgramRow,
        (record, program): &(R, ProgramRow),
        expected: &[&str],
        forge: impl FnOnce(&mut C),
    ) {
        let honest = self.catches(self.row(record, program), program);
        assert!(honest.is_empty(), "the honest row is caught by {honest:?}");
        let mut forged = self.row(record, program);
        forge(&mut forged);
        let caught = self.catches(forged, truth);
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(caught, expected, "what catches the forgery");
        let caught_before = if caught.len() == 1 {
            &self.alone
        } else {
            &self.together
        };
        caught_before.borrow_mut().extend(caught);
    }

    /// Asserts of each first flag that -1 in it and 1 in the second do not pass for padding.
    pub(crate) fn assert_flags_are_boolean(
        &self,
        honest: &(R, ProgramRow),
        flags: &[(&str, &str)],
    ) {
        let columns = &self.description.columns;
        for (flag, other) in flags {
            let cells = columns.iter().map(|column| match column {
                _ if column == flag => F::NEG_ONE,
                _ if column == other => F::ONE,
                _ => F::ZERO,
            });
            let mut cells = cells.collect::<Vec<F>>().into_iter();
            self.assert_lie(honest, &[&format!("{flag}_is_boolean")], |row| {
                *row = C::take(&mut cells);
            });
        }
    }

    /// Asserts that the link of the word `word` leads to it from one below it, not too far.
    pub(crate) fn assert_chain_ascends(
        &self,
        honest: &(R, ProgramRow),
        word: u32,
        link: impl Fn(&mut C) -> &mut Link<F>,
    ) {
        let word = F::new(word);
        let lie = |name: &str, before: F, [low, high]: [F; 2]| {
            self.assert_lie(honest, &[name], |row| {
                let link = link(row);
                link.before = before;
                (link.distance_low, link.distance_high) = (low, high);
            });
        };
        lie("ascending", word + F::ONE, [F::ZERO; 2]);
        // From itself: the distance is -1, which is 0x7f00 · 2^16.
        let minus_1 = F::new(0x7f00);
        lie("distance_high_times_8", word, [F::ZERO, minus_1]);
        lie("distance_low", word, [F::NEG_ONE, F::ZERO]);
        // An eighth is in range, taken eightfold: of 2^16 it is 2^13.
        let (eighth, far) = (F::new(8).inverse(), F::new(1 << 13));
        lie("distance_high", word - F::ONE - far, [F::ZERO, eighth]);
    }

    /// Asserts that the access `name` at `substep` cannot lie ahead, by one clock or by more than
    /// 16 bits hold. `cells` are its `previous_clock` and `gap_high`.
    pub(crate) fn assert_lies_in_the_past(
        &self,
        honest: &(R, ProgramRow),
        (name, substep): (&str, u32),
        cells: impl Fn(&mut C) -> [&mut F; 2],
    ) {
        let now = F::new(CLOCK + substep);
        self.assert_lie(honest, &[&format!("{name}.gap_low")], |row| {
            let [previous_clock, gap_high] = cells(row);
            // -2 is left.
            (*previous_clock, *gap_high) = (now + F::ONE, F::ZERO);
        });
        self.assert_lie(honest, &[&format!("{name}.gap_high")], |row| {
            let [previous_clock, gap_high] = cells(row);
            // 2^16 - 1 is left.
            (*previous_clock, *gap_high) = (now + F::new(1 << 16), -F::TWO);
        });
    }

    /// The columns in which some change of an honest row goes unnoticed, as of
    /// [`Self::unnoticed`]; asserts that no cell alone makes padding speak.
    pub(crate) fn sweep(&self, honest: &[(R, ProgramRow)]) -> BTreeSet<String> {
        let (_, program) = honest.first().expect("there is an honest row");
        let speaking = self.speaking(program);
        assert!(
            speaking.is_empty(),
            "padding may speak through {speaking:?}"
        );
        self.unnoticed(honest)
    }

    /// The columns in which some change of an honest row goes unnoticed; see
    /// [`zkvm_air::mutate::sweep`].
    pub(crate) fn unnoticed(&self, honest: &[(R, ProgramRow)]) -> BTreeSet<String> {
        let mut unnoticed = BTreeSet::new();
        for (record, program) in honest {
            let tables = |bus: Bus, message: &[F]| self.is_in_table(bus, message, program);
            let rows = [(cells(self.row(record, program)), vec![])];
            unnoticed.extend(sweep(&self.description, &rows, &tables));
        }
        unnoticed
    }

    /// The columns in which a 1 makes a row of padding (all zero) say something that it does not
    /// catch itself. In the others it is harmless.
    pub(crate) fn speaking(&self, program: &ProgramRow) -> BTreeSet<String> {
        let padding = vec![F::default(); self.description.columns.len()];
        let tables = |bus: Bus, message: &[F]| {
            let is_in_table = self.is_in_table(bus, message, program)?;
            Some(is_in_table && bus != Bus::Program)
        };
        let columns = self.description.columns.iter().enumerate();
        let speaking = columns.filter(|(index, _)| {
            let mut row = padding.clone();
            row[*index] = F::new(1);
            let says_something = messages(&self.description, &row, &[])
                .iter()
                .any(|(_, _, multiplicity, _)| multiplicity.as_canonical_u32() != 0);
            says_something && catches(&self.description, &row, &[], &tables).is_empty()
        });
        speaking.map(|(_, name)| name.clone()).collect()
    }
}

impl<C: Columns<F>> ChipTest<RegisterRecord, C> {
    /// Runs the reference vectors of `names` through the chip: nothing catches the row, and it
    /// writes the expected result.
    pub(crate) fn check_alu_vectors(&self, names: &[&str]) {
        for name in names {
            let mut count = 0;
            for vector in alu_vectors().iter().filter(|vector| vector.name == *name) {
                let honest = register_record(vector.word, vector.rs1_value, vector.rs2_value);
                let row = || self.row(&honest.0, &honest.1);
                let caught = self.catches(row(), &honest.1);
                assert!(caught.is_empty(), "{vector:x?}: {caught:?}");
                let written = self
                    .message(row(), "rd.after")
                    .expect("the vectors write x5");
                assert_eq!(written[2..6], limbs(vector.expected), "{vector:x?}");
                count += 1;
            }
            assert!(count >= 30, "{name}: {count} vectors");
        }
    }
}

/// The cells of a row.
pub(crate) fn cells<C: Columns<F>>(row: C) -> Vec<F> {
    let mut cells = Vec::with_capacity(C::WIDTH);
    row.give(&mut |cell| cells.push(cell));
    cells
}

/// An executed instruction: its encoding and the values of its operands.
pub(crate) fn register_record(word: u32, rs1: u64, rs2: u64) -> (RegisterRecord, ProgramRow) {
    let instruction = decode(word).instruction;
    assert!(instruction.opcode() != Opcode::Illegal && instruction.length() == Length::Four);
    let program = ProgramRow::new(PC, instruction).expect("it executes");
    let format = instruction.opcode().format();
    let record = RegisterRecord {
        rs1_value: if format.reads_rs1() { rs1 } else { 0 },
        rs2_value: if format.reads_rs2() { rs2 } else { 0 },
        rd_previous: if program.writes {
            0x0123_4567_89ab_cdef
        } else {
            0
        },
        clock: CLOCK,
        text_index: 17,
        rs1_clock: if format.reads_rs1() { CLOCK - 1 } else { 0 },
        rs2_clock: if format.reads_rs2() { 8 } else { 0 },
        rd_clock: if program.writes { CLOCK - 0x1_0000 } else { 0 },
        reserved: 0,
    };
    (record, program)
}

/// The names in the name of a look-up of bytes; see [`crate::common::eval_bytes`].
fn bytes_of(pair: &str) -> impl Iterator<Item = &str> {
    pair.split(" & ")
}

/// `lie!(chip, "name", honest, |row| forge)`: exactly `name` catches the forged row; with
/// `also [..]` at the end, exactly those together.
macro_rules! lie {
    ($chip:expr, $name:literal, $honest:expr, |$row:ident| $forge:expr $(, also [$($also:literal),*])?) => {
        $chip.assert_lie(&$honest, &[$name $(, $($also),*)?], |$row| { $forge; })
    };
}
pub(crate) use lie;
