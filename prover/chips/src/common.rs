//! What the chips of instructions share: fetching, reading and writing registers and words.
//!
//! # Why the shared cells are pinned
//!
//! - `clock`, `half_pc`: received from the state bus; the chain of states starts at the verifier's.
//! - `next_half_pc`, register numbers, immediates: looked up in the program table at `half_pc`.
//! - [`Access::previous`]: a memory message that an earlier access or the initial memory sent.
//! - [`Access::previous_clock`]: the same; `clock - previous_clock - 1` is range-checked to 24 bits,
//!   so it lies before the access, and the message can only be an earlier one.
//! - [`Access::gap_high`]: the upper 8 of these bits. The lower 16 are no cell: what is left of the
//!   difference is looked up as it is.

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::record::{CLOCKS_PER_CYCLE, RegisterRecord, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;

/// Fewest rows of a table; the verifier refuses less.
pub(crate) const MIN_HEIGHT: usize = 4;

/// The space of registers in memory messages; the address is the register's number.
pub(crate) const SPACE_REGISTER: u32 = 0;
/// The space of words that may be stored to; the address is the word's index.
pub(crate) const SPACE_WRITABLE: u32 = 1;
/// The space of words that refuse stores: code, constants, the input.
pub(crate) const SPACE_READ_ONLY: u32 = 2;

/// In [`SPACE_REGISTER`], the address of the reservation of `lr` and `sc`.
pub(crate) const REGISTER_RESERVATION: u32 = zkvm_machine::REGISTER_RESERVATION as u32;
/// In [`SPACE_REGISTER`], the address of the number of journal bytes written.
pub(crate) const REGISTER_JOURNAL: u32 = zkvm_machine::REGISTER_JOURNAL as u32;
/// In [`SPACE_REGISTER`], the address of the number of hint bytes read.
pub(crate) const REGISTER_HINT: u32 = zkvm_machine::REGISTER_HINTS as u32;

columns! {
    /// Where and when an instruction executes.
    pub(crate) struct Fetch {
        /// Clock of the instruction; from the state bus.
        clock: [cell],
        /// Its address divided by 2; from the state bus.
        half_pc: [cell],
        /// Address of the instruction after it divided by 2; from the program table.
        next_half_pc: [cell],
    }
}

columns! {
    /// One access to a register or memory word, and what was there before.
    pub(crate) struct Access {
        /// The value before, as 16-bit limbs; checked when it was written.
        previous: [cells 4],
        /// Clock of the previous access.
        previous_clock: [cell],
        /// `clock - previous_clock - 1` without its low 16 bits; a byte, range-checked, as is what
        /// it leaves of the difference. 0 where there is no access.
        gap_high: [cell],
    }
}

/// What an instruction's chip looks up in the program table, besides the address and the next one.
pub(crate) struct ProgramFields {
    pub(crate) operation: Expr,
    pub(crate) rd: Expr,
    pub(crate) writes: Expr,
    pub(crate) rs1: Expr,
    pub(crate) rs2: Expr,
    pub(crate) imm: [Expr; 4],
    pub(crate) target: Expr,
}

/// The state and program interactions of an instruction that continues at `next` (half a pc).
pub(crate) fn eval_fetch(
    builder: &mut Builder,
    is_real: &Expr,
    fetch: &Fetch<Expr>,
    fields: ProgramFields,
    next: Expr,
) {
    let (clock, half_pc) = (fetch.clock.clone(), fetch.half_pc.clone());
    let later = &clock + CLOCKS_PER_CYCLE;
    builder.receive("state", Bus::State, is_real, vec![half_pc.clone(), clock]);
    builder.send("next_state", Bus::State, is_real, vec![next, later]);
    let ProgramFields {
        operation,
        rd,
        writes,
        rs1,
        rs2,
        imm,
        target,
    } = fields;
    let mut message = vec![half_pc, operation, rd, writes, rs1, rs2];
    message.extend(imm);
    message.extend([fetch.next_half_pc.clone(), target]);
    builder.send("program", Bus::Program, is_real, message);
}

/// A place in memory: a register or a word.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) space: Expr,
    pub(crate) address: Expr,
}

impl Place {
    pub(crate) fn register(number: &Expr) -> Self {
        Place {
            space: Expr::from(SPACE_REGISTER),
            address: number.clone(),
        }
    }
}

/// Something that must be a byte, and is not looked up yet: [`eval_bytes`] does.
#[must_use = "a byte that is not looked up may be anything"]
pub(crate) struct Byte {
    name: String,
    value: Expr,
}

impl Byte {
    pub(crate) fn new(name: &str, value: impl Into<Expr>) -> Self {
        Byte {
            name: name.to_owned(),
            value: value.into(),
        }
    }
}

/// Looks up that all of `bytes` are bytes, two at a time, in rows where `is_real` is 1.
///
/// `is_real` must be 1 in every row that uses one of them: a row that accesses some of its places
/// only still has bytes for the others, zeros as a rule. A look-up's name is that of its bytes.
pub(crate) fn eval_bytes(
    builder: &mut Builder,
    is_real: &Expr,
    bytes: impl IntoIterator<Item = Byte>,
) {
    let mut bytes = bytes.into_iter();
    while let Some(first) = bytes.next() {
        let (name, second) = match bytes.next() {
            Some(second) => (format!("{} & {}", first.name, second.name), second.value),
            None => (first.name, Expr::from(0)),
        };
        builder.send(&name, Bus::Bytes, is_real, vec![first.value, second]);
    }
}

/// Replaces the value at `place` by `value` at `clock`, in rows where `multiplicity` is 1.
/// `value` must be range-checked by the caller, or come from limbs that are. The byte that is
/// returned must be one wherever `multiplicity` is 1.
pub(crate) fn eval_write(
    builder: &mut Builder,
    name: &str,
    multiplicity: &Expr,
    place: &Place,
    access: &Access<Expr>,
    value: &[Expr; 4],
    clock: &Expr,
) -> Byte {
    builder.scope(name, |builder| {
        let message = |value: &[Expr; 4], clock: &Expr| {
            let mut message = vec![place.space.clone(), place.address.clone()];
            message.extend(value.iter().cloned());
            message.push(clock.clone());
            message
        };
        let before = message(&access.previous, &access.previous_clock);
        builder.receive("before", Bus::Memory, multiplicity, before);
        builder.send("after", Bus::Memory, multiplicity, message(value, clock));
        // With a byte as upper part it is below 2^24: a clock that lies ahead is a gap of nearly p.
        let gap = clock - &access.previous_clock - 1;
        let gap_low = gap - &access.gap_high * (1_u32 << 16);
        builder.send("gap_low", Bus::Range16, multiplicity, vec![gap_low]);
    });
    Byte::new(&format!("{name}.gap_high"), &access.gap_high)
}

/// Reads the value at `place`, which is `access.previous`, at `clock`; as [`eval_write`].
pub(crate) fn eval_read(
    builder: &mut Builder,
    name: &str,
    multiplicity: &Expr,
    place: &Place,
    access: &Access<Expr>,
    clock: &Expr,
) -> Byte {
    eval_write(
        builder,
        name,
        multiplicity,
        place,
        access,
        &access.previous,
        clock,
    )
}

/// Asserts that each of `flags` is 0 or 1 and that at most one is 1; returns their sum, which is 1
/// in real rows and 0 in padding.
pub(crate) fn eval_flags(builder: &mut Builder, flags: &[(&str, &Expr)]) -> Expr {
    for (name, flag) in flags {
        builder.assert_bool(&format!("{name}_is_boolean"), flag);
    }
    let sum: Expr = flags.iter().map(|(_, flag)| (*flag).clone()).sum();
    builder.assert_bool("at_most_one_operation", &sum);
    sum
}

/// Looks each limb up in the table of 16-bit values.
pub(crate) fn eval_limbs(builder: &mut Builder, name: &str, multiplicity: &Expr, limbs: &[Expr]) {
    for (index, limb) in limbs.iter().enumerate() {
        builder.send(
            &format!("{name}[{index}]"),
            Bus::Range16,
            multiplicity,
            vec![limb.clone()],
        );
    }
}

/// A 64-bit value as 16-bit limbs, low first.
pub(crate) fn limbs_u16(value: u64) -> [u16; 4] {
    std::array::from_fn(|index| (value >> (16 * index)) as u16)
}

/// A 64-bit value as 16-bit limbs, low first, in the field.
pub(crate) fn limbs(value: u64) -> [F; 4] {
    limbs_u16(value).map(F::from_u16)
}

/// The cells of an access at `clock` to something last accessed at `previous_clock`.
pub(crate) fn fill_access(previous: u64, previous_clock: u32, clock: u32) -> Access<F> {
    let gap = clock.wrapping_sub(previous_clock).wrapping_sub(1);
    Access {
        previous: limbs(previous),
        previous_clock: F::new(previous_clock),
        gap_high: F::new(gap >> 16),
    }
}

/// An access that does not take place: all zero.
pub(crate) fn no_access() -> Access<F> {
    Access {
        previous: [F::ZERO; 4],
        previous_clock: F::ZERO,
        gap_high: F::ZERO,
    }
}

pub(crate) fn fill_fetch(clock: u32, row: &ProgramRow) -> Fetch<F> {
    Fetch {
        clock: F::new(clock),
        half_pc: F::new(row.half_pc),
        next_half_pc: F::new(row.next_half_pc),
    }
}

/// The accesses to `rs1`, `rs2` and `rd` that a record tells of; all zero where there is none.
pub(crate) fn fill_registers(record: &RegisterRecord, row: &ProgramRow) -> [Access<F>; 3] {
    let format = row.opcode.format();
    let access = |takes_place: bool, value: u64, previous_clock: u32, substep: u32| {
        if takes_place {
            fill_access(value, previous_clock, record.clock + substep)
        } else {
            no_access()
        }
    };
    [
        access(
            format.reads_rs1(),
            record.rs1_value,
            record.rs1_clock,
            SUBSTEP_RS1,
        ),
        access(
            format.reads_rs2(),
            record.rs2_value,
            record.rs2_clock,
            SUBSTEP_RS2,
        ),
        access(row.writes, record.rd_previous, record.rd_clock, SUBSTEP_RD),
    ]
}
