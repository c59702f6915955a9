//! What the chips' tests share: rows from records, forgeries, sweeps.

use std::collections::BTreeSet;

use p3_field::PrimeField32;
use zkvm_air::mutate::{catches, messages, sweep};
use zkvm_air::{Builder, Bus, Columns, Description, Expr, F, Round};
use zkvm_isa::record::RegisterRecord;
use zkvm_isa::{Length, Opcode, decode};
use zkvm_testkit::edge::alu_vectors;

use crate::ProgramRow;
use crate::common::limbs;

/// Where the instructions of these tests lie.
pub(crate) const PC: u32 = 0x0001_2344;
/// Their clock; the previous accesses lie before it at various distances.
pub(crate) const CLOCK: u32 = 0x0015_0000;

/// A chip under test, whose records are `R` and whose rows are `C`.
pub(crate) struct ChipTest<R, C> {
    pub(crate) description: Description,
    pub(crate) fill: fn(&R, &ProgramRow) -> C,
}

impl<R, C: Columns<F>> ChipTest<R, C> {
    /// Describes the chip.
    pub(crate) fn new<S: Columns<Expr>>(
        name: &str,
        eval: fn(&mut Builder, &S, &()),
        fill: fn(&R, &ProgramRow) -> C,
    ) -> Self {
        ChipTest::in_round(name, Round::Main, eval, fill)
    }

    /// Describes the chip, whose columns are committed to in `round`.
    pub(crate) fn in_round<S: Columns<Expr>>(
        name: &str,
        round: Round,
        eval: fn(&mut Builder, &S, &()),
        fill: fn(&R, &ProgramRow) -> C,
    ) -> Self {
        let description =
            Description::new::<S, ()>(name, round, eval).expect("the chip is well formed");
        ChipTest { description, fill }
    }

    /// The row of a record.
    pub(crate) fn row(&self, record: &R, program: &ProgramRow) -> C {
        (self.fill)(record, program)
    }

    /// The names of what catches a row.
    pub(crate) fn catches(&self, row: C, program: &ProgramRow) -> BTreeSet<String> {
        let tables = |bus: Bus, message: &[F]| is_in_table(bus, message, program);
        catches(&self.description, &cells(row), &[], &tables)
            .into_iter()
            .collect()
    }

    /// The message that `row` sends under `name`, if it does.
    pub(crate) fn message(&self, row: C, name: &str) -> Option<Vec<F>> {
        messages(&self.description, &cells(row), &[])
            .into_iter()
            .find(|(n, _, multiplicity, _)| n == name && multiplicity.as_canonical_u32() != 0)
            .map(|(_, _, _, message)| message)
    }

    /// Asserts that an honest row passes and that exactly `expected` catch it once forged.
    pub(crate) fn assert_lie(
        &self,
        (record, program): &(R, ProgramRow),
        expected: &[&str],
        forge: impl FnOnce(&mut C),
    ) {
        let honest = self.catches(self.row(record, program), program);
        assert!(honest.is_empty(), "the honest row is caught by {honest:?}");
        let mut forged = self.row(record, program);
        forge(&mut forged);
        let caught = self.catches(forged, program);
        let expected: BTreeSet<String> = expected.iter().map(|name| (*name).to_owned()).collect();
        assert_eq!(caught, expected, "what catches the forgery");
    }

    /// The columns in which some change of an honest row goes unnoticed; see
    /// [`zkvm_air::mutate::sweep`]. A row of padding (all zero) is always swept too.
    pub(crate) fn sweep(&self, honest: &[(R, ProgramRow)]) -> BTreeSet<String> {
        let speaking = self.speaking_padding();
        assert_eq!(speaking, BTreeSet::new(), "padding may speak through these");
        self.sweep_real(honest)
    }

    /// The same for the honest rows alone.
    pub(crate) fn sweep_real(&self, honest: &[(R, ProgramRow)]) -> BTreeSet<String> {
        let mut unnoticed = BTreeSet::new();
        for (record, program) in honest {
            let tables = |bus: Bus, message: &[F]| is_in_table(bus, message, program);
            let rows = [(cells(self.row(record, program)), vec![])];
            unnoticed.extend(sweep(&self.description, &rows, &tables));
        }
        unnoticed
    }

    /// The columns through which a row of padding says something and nothing in it catches that.
    pub(crate) fn speaking_padding(&self) -> BTreeSet<String> {
        let padding = vec![F::default(); self.description.columns.len()];
        let mut speaking = BTreeSet::new();
        let tables = |bus: Bus, _: &[F]| (bus == Bus::Program).then_some(false);
        // In padding a changed cell is harmless as long as the row still says nothing.
        for (index, name) in self.description.columns.iter().enumerate() {
            let mut row = padding.clone();
            row[index] = F::new(1);
            let says_something = messages(&self.description, &row, &[])
                .iter()
                .any(|(_, _, multiplicity, _)| multiplicity.as_canonical_u32() != 0);
            let is_caught = !catches(&self.description, &row, &[], &tables).is_empty();
            if says_something && !is_caught {
                let _ = speaking.insert(name.clone());
            }
        }
        speaking
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

/// Whether a look-up message is in its table, given the one program row there is.
pub(crate) fn is_in_table(bus: Bus, message: &[F], program: &ProgramRow) -> Option<bool> {
    let value = |index: usize| message[index].as_canonical_u32();
    match bus {
        Bus::Program => Some(message == program.message()),
        Bus::Range16 => Some(value(0) < 1 << 16),
        Bus::Range8 => Some(value(0) < 1 << 8),
        Bus::Bitwise => Some(crate::bitwise_table::contains(message)),
        Bus::State
        | Bus::Memory
        | Bus::Chain
        | Bus::Region
        | Bus::Transfer
        | Bus::Journal
        | Bus::Halt
        | Bus::Boundary => None,
    }
}

/// `lie!(chip, "name", honest, |row| forge)`: exactly `name` catches the forged row; with
/// `also [..]` at the end, exactly those together.
macro_rules! lie {
    ($chip:expr, $name:literal, $honest:expr, |$row:ident| $forge:expr $(, also [$($also:literal),*])?) => {
        $chip.assert_lie(&$honest, &[$name $(, $($also),*)?], |$row| { $forge; })
    };
}
pub(crate) use lie;
