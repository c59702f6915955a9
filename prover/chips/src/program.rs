//! The program table: what each address holds, as the other chips look it up.
//!
//! One row per instruction of the program, all preprocessed, so that a verifier who knows the
//! program knows the table. `imm` and `target` hold what the instruction's chip needs:
//!
//! | format | `imm` | `target` |
//! |---|---|---|
//! | I, S, shifts | the immediate, sign-extended to 64 bits | 0 |
//! | `jalr` | limb 0 of the immediate, its sign limb (0 or 2^16 - 1), the two limbs of the link address | 0 |
//! | U | the result: `lui`'s constant, `auipc`'s sum with the pc | 0 |
//! | B | 0 | half of the address it branches to |
//! | J | 0, 0, the two limbs of the link address | half of the address it jumps to |
//! | R, atomics, system | 0 | 0 |
//!
//! An address at which no instruction can lie is -1: no row of the table has it, so no execution
//! goes on from there.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::{Format, Instruction, Opcode, layout};

use crate::common::{MIN_HEIGHT, limbs_u16};
use crate::range_table::Count;

/// One row of the program table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ProgramRow {
    /// The instruction's address divided by 2.
    pub half_pc: u32,
    /// The operation.
    pub opcode: Opcode,
    /// Destination register, 0 if there is none.
    pub rd: u8,
    /// Whether the instruction writes a register: it has a destination and that is not `x0`.
    pub writes: bool,
    /// First source register, 0 if there is none.
    pub rs1: u8,
    /// Second source register, 0 if there is none.
    pub rs2: u8,
    /// See the module's table.
    pub imm: [u16; 4],
    /// The next instruction's address divided by 2.
    pub next_half_pc: u32,
    /// See the module's table.
    pub target: F,
}

impl ProgramRow {
    /// The row of `instruction` at address `pc`; `None` if it can only fault.
    #[must_use]
    pub fn new(pc: u32, instruction: Instruction) -> Option<Self> {
        let opcode = instruction.opcode();
        opcode.chip()?;
        let format = opcode.format();
        let length = instruction.length().bytes();
        let link = limbs_u16(u64::from(pc) + u64::from(length));
        let value = i64::from(instruction.imm()).cast_unsigned();
        let relative = u64::from(pc).wrapping_add(value);
        let (imm, target) = match format {
            Format::I if opcode == Opcode::Jalr => {
                let [low, sign, ..] = limbs_u16(value);
                ([low, sign, link[0], link[1]], F::ZERO)
            }
            Format::I | Format::S | Format::Shift64 | Format::Shift32 => {
                (limbs_u16(value), F::ZERO)
            }
            Format::U if opcode == Opcode::Auipc => (limbs_u16(relative), F::ZERO),
            Format::U => (limbs_u16(value), F::ZERO),
            Format::B => ([0; 4], half_pc_of(relative)),
            Format::J => ([0, 0, link[0], link[1]], half_pc_of(relative)),
            Format::R | Format::Amo | Format::LoadReserved | Format::System => ([0; 4], F::ZERO),
        };
        Some(ProgramRow {
            half_pc: pc / 2,
            opcode,
            rd: instruction.rd(),
            writes: format.writes_rd() && instruction.rd() != 0,
            rs1: instruction.rs1(),
            rs2: instruction.rs2(),
            imm,
            next_half_pc: (pc + length) / 2,
            target,
        })
    }

    /// The row as a message on [`zkvm_air::Bus::Program`].
    pub fn message(&self) -> [F; 12] {
        let [imm0, imm1, imm2, imm3] = self.imm.map(F::from_u16);
        [
            F::new(self.half_pc),
            F::from_u8(self.opcode as u8),
            F::from_u8(self.rd),
            F::from_bool(self.writes),
            F::from_u8(self.rs1),
            F::from_u8(self.rs2),
            imm0,
            imm1,
            imm2,
            imm3,
            F::new(self.next_half_pc),
            self.target,
        ]
    }
}

/// Half of an address as a field element; -1 if no instruction can lie there.
fn half_pc_of(address: u64) -> F {
    match u32::try_from(address) {
        Ok(address) if address < layout::HEAP_END => F::new(address / 2),
        _ => F::NEG_ONE,
    }
}

columns! {
    /// An instruction as it is looked up; the fields are those of [`ProgramRow`].
    pub(crate) struct ProgramMessage {
        /// The message's elements, in order.
        element: [cells 12],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "program_table";

pub(crate) fn eval(builder: &mut Builder, row: &Count<Expr>, message: &ProgramMessage<Expr>) {
    builder.receive(
        "instruction",
        Bus::Program,
        &row.count,
        message.element.to_vec(),
    );
}

/// The preprocessed rows. Rows beyond the program's repeat its first, so that padding says nothing
/// new.
pub(crate) fn rows(rows: &[ProgramRow]) -> Vec<ProgramMessage<F>> {
    let height = rows.len().next_power_of_two().max(MIN_HEIGHT);
    (0..height)
        .map(|index| rows.get(index).unwrap_or(&rows[0]))
        .map(|row| ProgramMessage {
            element: row.message(),
        })
        .collect()
}
