//! `amoswap`, `amoadd`, `amoxor`, `amoand`, `amoor`, `amomin`, `amomax`, `amominu`, `amomaxu`, on
//! words (`.w`) and double words (`.d`). Load-reserved and store-conditional are in
//! [`crate::reservation`].
//!
//! # Relation
//!
//! ```text
//! a       = the word or double word at rs1, sign-extended
//! b       = rs2; in word forms its low 32 bits, sign-extended
//! rd      = a
//! at rs1:   b, a + b mod 2^64, a ^ b, a & b, a | b, or the lesser or greater of a and b, signed or
//!           unsigned; in word forms the low 32 bits of it
//! ```
//! where `rs1` is a multiple of the width; in word forms the other half of the 8-byte word stays.
//! Source: RISC-V unprivileged specification 20240411, chapter 14; one hart makes an atomic a plain
//! read-modify-write.
//!
//! Word forms need no arithmetic of their own. The low 32 bits of a sum and of bitwise operations
//! depend only on those of the operands, and sign extension keeps both orders: signed values stay
//! what they are, and of unsigned ones those from 2^31 up move above all others together.
//!
//! How the address becomes a word is said in [`crate::load`]; the immediate is zero here. Only
//! words that may be stored to are looked for, so the address is one of those, below 2^32.
//!
//! The highest limb in which the operands differ decides which is less, by the range of the
//! difference there; if none above does, the lowest. The operands' signs are known, since word forms
//! extend them, so that no look-up is needed for them as in [`crate::comparison`].
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | flags | one of them 1 in a real row | `*_is_boolean`, `at_most_one_operation`, program table | run another operation |
//! | `is_double` | boolean | `is_double_is_boolean`, program table | reach another opcode by a fraction of the distance |
//! | `rd_number`, `writes`, `rs1_number`, `rs2_number` | the instruction's | program table | name other operands |
//! | `writes` in padding | 0 | `padding_writes_nothing` | write a register without an instruction |
//! | `base`, `rs2`, `word`, `rd` accesses | | memory bus, see [`crate::common`] | invent operands |
//! | `word_index` | the address divided by 8 | `address`, `word_index` look-up | go elsewhere; an index with a fraction |
//! | `upper` | bit 2 of the address in word forms, else 0 | `upper`, `address` | take the other half, misalign |
//! | `loaded` | `a` | `loaded[*]` | return any value, combine with any |
//! | `operand_upper` | the upper limbs of `b` | `operand[*]` | combine with another value |
//! | `loaded_top`, `operand_top` | the limb with the sign | `loaded_top`, `operand_top` | take the sign from elsewhere |
//! | `loaded_sign`, `operand_sign` | the signs | `*_sign_is_boolean`, `*_sign` look-ups | extend with the wrong sign, order by it |
//! | `sign_gap` | the signs' difference in `amomin` and `amomax`, else 0 | `sign_gap` | order by the wrong kind of order |
//! | `decides` | at most one 1, at the highest limb that differs | `decides[*]_is_boolean`, `at_most_one_limb_decides`, `equal_unless_decided[*]` | compare at a lower limb |
//! | `difference` | 16 bits | `difference_is_the_limbs`, `difference` look-up | claim the wrong order |
//! | `is_less` | whether `a < b` | `is_less_is_boolean`, `difference` look-up | mix `a` and `b` |
//! | `new` | 16-bit limbs | `new_limb[*]` look-ups | hide a carry in an oversized limb |
//! | `new` against operands | | `chosen[*]`, `sum[*]`, `low[*]` and `high[*]` look-ups | store any value |
//! | `*_low` in bitwise operations | low bytes of the limbs | bitwise table, as are the high ones | split a limb in other ways |
//! | `after` | the word's limbs, and `new`'s: 16 bits each | `after[*]` | change the other half |

use p3_field::{Field, PrimeCharacteristicRing};
use zkvm_air::{Builder, Bus, Expr, F, columns};
use zkvm_isa::Opcode;
use zkvm_isa::record::{AtomicRecord, SUBSTEP_MEMORY, SUBSTEP_RD, SUBSTEP_RS1, SUBSTEP_RS2};

use crate::ProgramRow;
use crate::bitwise_table::{AND, OR, XOR};
use crate::common::{
    Access, Fetch, Place, ProgramFields, SPACE_WRITABLE, eval_bytes, eval_fetch, eval_flags,
    eval_limbs, eval_read, eval_write, fill_access, fill_fetch, fill_registers, limbs, limbs_u16,
};
use crate::load::{Base, eval_address, eval_base, fill_base};

columns! {
    /// One atomic memory operation.
    pub(crate) struct Atomic {
        /// 1 for `amoswap`.
        is_swap: [cell],
        /// 1 for `amoadd`.
        is_add: [cell],
        /// 1 for `amoxor`.
        is_xor: [cell],
        /// 1 for `amoand`.
        is_and: [cell],
        /// 1 for `amoor`.
        is_or: [cell],
        /// 1 for `amomin`.
        is_min: [cell],
        /// 1 for `amomax`.
        is_max: [cell],
        /// 1 for `amominu`.
        is_minu: [cell],
        /// 1 for `amomaxu`.
        is_maxu: [cell],
        /// 1 for double words, 0 for words.
        is_double: [cell],
        /// Where and when.
        fetch: [group Fetch],
        /// Number of the destination register; from the program table.
        rd_number: [cell],
        /// Whether it is written; from the program table.
        writes: [cell],
        /// Number of the register that holds the address; from the program table.
        rs1_number: [cell],
        /// Number of the operand's register; from the program table.
        rs2_number: [cell],
        /// Read of the address.
        base: [group Base],
        /// Read of `rs2`.
        rs2: [group Access],
        /// Write of the 8-byte word.
        word: [group Access],
        /// Write of `rd`.
        rd: [group Access],
        /// The address divided by 8; bound to it by a constraint and a range check.
        word_index: [cell],
        /// 1 for the upper half of the 8-byte word, else 0; boolean, 0 in double forms.
        upper: [cell],
        /// The value before, sign-extended, which `rd` gets: limbs of the word, or of the sign.
        loaded: [cells 4],
        /// The upper limbs of the operand: those of `rs2`, or made of the sign.
        operand_upper: [cells 2],
        /// The limb of `loaded` that holds its sign: limb 1 of words, limb 3 of double words.
        loaded_top: [cell],
        /// The operand's likewise.
        operand_top: [cell],
        /// Sign of `loaded`; boolean, bound by a range check.
        loaded_sign: [cell],
        /// Sign of the operand; likewise.
        operand_sign: [cell],
        /// In `amomin` and `amomax` the operand's sign less that of `loaded`, else 0.
        sign_gap: [cell],
        /// Whether `loaded` is less than the operand, as signed values in `amomin` and `amomax`.
        is_less: [cell],
        /// Whether limb 1, 2, 3 decides; boolean, at most one of them. If none does, limb 0 does.
        decides: [cells 3],
        /// By how much the deciding limbs are in the claimed order; range-checked.
        difference: [cell],
        /// The value to store, in word forms with upper limbs that are not; range-checked.
        new: [cells 4],
        /// Low byte of each limb of `loaded`; in bitwise operations by the table, as the high one.
        loaded_low: [cells 4],
        /// Low byte of each limb of the operand; likewise.
        operand_low: [cells 4],
        /// Low byte of each limb of `new`; likewise.
        new_low: [cells 4],
        /// The 8-byte word after: limbs that stay, limbs of `new`.
        after: [cells 4],
    }
}

/// The chip's name.
pub(crate) const NAME: &str = "atomic";

/// The word forms of the flags' operations.
const OPERATIONS: [Opcode; 9] = [
    Opcode::AmoswapW,
    Opcode::AmoaddW,
    Opcode::AmoxorW,
    Opcode::AmoandW,
    Opcode::AmoorW,
    Opcode::AmominW,
    Opcode::AmomaxW,
    Opcode::AmominuW,
    Opcode::AmomaxuW,
];

/// What the opcode of a double form is above that of its word form, for reservations too.
pub(crate) const DOUBLE: u32 = Opcode::LrD as u32 - Opcode::LrW as u32;

const _: () = assert!(
    Opcode::ScD as u32 == Opcode::ScW as u32 + DOUBLE
        && Opcode::AmoswapD as u32 == Opcode::AmoswapW as u32 + DOUBLE
        && Opcode::AmoaddD as u32 == Opcode::AmoaddW as u32 + DOUBLE
        && Opcode::AmoxorD as u32 == Opcode::AmoxorW as u32 + DOUBLE
        && Opcode::AmoandD as u32 == Opcode::AmoandW as u32 + DOUBLE
        && Opcode::AmoorD as u32 == Opcode::AmoorW as u32 + DOUBLE
        && Opcode::AmominD as u32 == Opcode::AmominW as u32 + DOUBLE
        && Opcode::AmomaxD as u32 == Opcode::AmomaxW as u32 + DOUBLE
        && Opcode::AmominuD as u32 == Opcode::AmominuW as u32 + DOUBLE
        && Opcode::AmomaxuD as u32 == Opcode::AmomaxuW as u32 + DOUBLE,
    "the opcodes are linear in the flags"
);

impl<T> Atomic<T> {
    fn flags(&self) -> [(&'static str, &T); 9] {
        [
            ("is_swap", &self.is_swap),
            ("is_add", &self.is_add),
            ("is_xor", &self.is_xor),
            ("is_and", &self.is_and),
            ("is_or", &self.is_or),
            ("is_min", &self.is_min),
            ("is_max", &self.is_max),
            ("is_minu", &self.is_minu),
            ("is_maxu", &self.is_maxu),
        ]
    }
}

/// What is combined: the value in memory and the other operand, sign-extended.
struct Operands {
    loaded: [Expr; 4],
    operand: [Expr; 4],
}

pub(crate) fn eval(builder: &mut Builder, row: &Atomic<Expr>, _: &()) {
    let flags = row.flags();
    let is_real = eval_flags(builder, &flags);
    builder.assert_bool("is_double_is_boolean", &row.is_double);
    let operation: Expr = flags
        .iter()
        .zip(OPERATIONS)
        .map(|((_, flag), opcode)| *flag * (opcode as u32))
        .sum();
    let zero = || Expr::from(0);
    let fields = ProgramFields {
        operation: operation + &row.is_double * DOUBLE,
        rd: row.rd_number.clone(),
        writes: row.writes.clone(),
        rs1: row.rs1_number.clone(),
        rs2: row.rs2_number.clone(),
        imm: [zero(), zero(), zero(), zero()],
        target: zero(),
    };
    let next = row.fetch.next_half_pc.clone();
    eval_fetch(builder, &is_real, &row.fetch, fields, next);
    // In padding the program table says nothing.
    builder.assert_zero_when("padding_writes_nothing", &is_real.not(), row.writes.clone());

    eval_accesses(builder, row, &is_real);
    let operands = eval_operands(builder, row, &is_real);
    eval_order(builder, row, &operands, &is_real);
    eval_new(builder, row, &operands, &is_real);
    eval_after(builder, row);
}

/// The registers, the word and its address.
fn eval_accesses(builder: &mut Builder, row: &Atomic<Expr>, is_real: &Expr) {
    let clock = &row.fetch.clock;
    let (rs1, base) = (&row.rs1_number, &row.base);
    let base_gap = eval_base(builder, is_real, rs1, base, &(clock + SUBSTEP_RS1));
    let rs2 = Place::register(&row.rs2_number);
    let rs2_gap = eval_read(
        builder,
        "rs2",
        is_real,
        &rs2,
        &row.rs2,
        &(clock + SUBSTEP_RS2),
    );
    let zero = Expr::from(0);
    let offset = &row.upper * 4;
    let index = &row.word_index;
    eval_address(builder, is_real, base, [&zero, &zero], index, &offset);
    // Boolean in word forms, 0 in double forms.
    let is_word = is_real - &row.is_double;
    builder.assert_zero("upper", &row.upper * (is_word - &row.upper));
    let word = Place {
        space: Expr::from(SPACE_WRITABLE),
        address: row.word_index.clone(),
    };
    let word_gap = eval_write(
        builder,
        "word",
        is_real,
        &word,
        &row.word,
        &row.after,
        &(clock + SUBSTEP_MEMORY),
    );
    let rd_gap = eval_write(
        builder,
        "rd",
        &row.writes,
        &Place::register(&row.rd_number),
        &row.rd,
        &row.loaded,
        &(clock + SUBSTEP_RD),
    );
    eval_bytes(builder, is_real, [base_gap, rs2_gap, word_gap, rd_gap]);
}

/// The value in memory and the operand, sign-extended in word forms, and their signs.
fn eval_operands(builder: &mut Builder, row: &Atomic<Expr>, is_real: &Expr) -> Operands {
    let is_double = &row.is_double;
    // In double forms the limb itself, in word forms the extension.
    let extended =
        |limb: &Expr, sign: &Expr| is_double * limb + is_double.not() * (sign * 0xffff_u32);
    let word = &row.word.previous;
    for (index, loaded) in row.loaded.iter().enumerate() {
        let value = if index < 2 {
            &word[index] + &row.upper * (&word[index + 2] - &word[index])
        } else {
            extended(&word[index], &row.loaded_sign)
        };
        builder.assert_eq(&format!("loaded[{index}]"), loaded, value);
    }
    let [rs2_0, rs2_1, rs2_2, rs2_3] = &row.rs2.previous;
    let [operand_2, operand_3] = &row.operand_upper;
    for (index, operand, limb) in [(2, operand_2, rs2_2), (3, operand_3, rs2_3)] {
        let value = extended(limb, &row.operand_sign);
        builder.assert_eq(&format!("operand[{index}]"), operand, value);
    }
    let operands = Operands {
        loaded: row.loaded.clone(),
        operand: [rs2_0, rs2_1, operand_2, operand_3].map(Expr::clone),
    };
    let signs = [
        ("loaded", &row.loaded_top, &row.loaded_sign),
        ("operand", &row.operand_top, &row.operand_sign),
    ];
    for ((name, top, sign), limbs) in signs.into_iter().zip([&operands.loaded, &operands.operand]) {
        let value = &limbs[1] + is_double * (&limbs[3] - &limbs[1]);
        builder.assert_eq(&format!("{name}_top"), top, value);
        builder.assert_bool(&format!("{name}_sign_is_boolean"), sign);
        // With the limb in range, twice the rest is below 2^16 only if `sign` is bit 15.
        let rest = (top - sign * (1_u32 << 15)) * 2;
        builder.send(&format!("{name}_sign"), Bus::Range16, is_real, vec![rest]);
    }
    operands
}

/// The limb that decides which is less, and the order there.
fn eval_order(builder: &mut Builder, row: &Atomic<Expr>, operands: &Operands, is_real: &Expr) {
    let is_signed = &row.is_min + &row.is_max;
    let sign_gap = is_signed * (&row.operand_sign - &row.loaded_sign);
    builder.assert_eq("sign_gap", &row.sign_gap, sign_gap);
    // The operand less the value in memory, limb by limb.
    let mut gaps: [Expr; 4] =
        std::array::from_fn(|index| &operands.operand[index] - &operands.loaded[index]);
    gaps[3] = &gaps[3] - &row.sign_gap * (1_u32 << 16);

    let mut undecided = Expr::from(1);
    for index in [3, 2, 1] {
        let decides = &row.decides[index - 1];
        builder.assert_bool(&format!("decides[{index}]_is_boolean"), decides);
        undecided = undecided - decides;
        let name = format!("equal_unless_decided[{index}]");
        builder.assert_zero_when(&name, &undecided, gaps[index].clone());
    }
    builder.assert_bool("at_most_one_limb_decides", &undecided);

    builder.assert_bool("is_less_is_boolean", &row.is_less);
    let upper: Expr = row
        .decides
        .iter()
        .zip(&gaps[1..])
        .map(|(decides, gap)| decides * gap)
        .sum();
    let gap = &undecided * &gaps[0] + upper;
    // Less: the gap is at least 1. Not less: it is at most 0, or -1 at an upper limb.
    let direction = &row.is_less * 2 - 1;
    let difference = direction * gap - &undecided * &row.is_less - undecided.not();
    builder.assert_eq("difference_is_the_limbs", &row.difference, difference);
    let difference = vec![row.difference.clone()];
    builder.send("difference", Bus::Range16, is_real, difference);
}

/// The value to store.
fn eval_new(builder: &mut Builder, row: &Atomic<Expr>, operands: &Operands, is_real: &Expr) {
    let is_least = &row.is_min + &row.is_minu;
    let is_greatest = &row.is_max + &row.is_maxu;
    let is_bitwise = &row.is_and + &row.is_or + &row.is_xor;
    let operation = &row.is_and * AND + &row.is_or * OR + &row.is_xor * XOR;
    let half_limb = Expr::constant(F::new(1 << 8).inverse());
    let limb = Expr::constant(F::new(1 << 16).inverse());
    let high = |value: &Expr, low: &Expr| (value - low) * &half_limb;
    let mut carry = Expr::from(0);
    for index in 0..4 {
        let (a, b) = (&operands.loaded[index], &operands.operand[index]);
        let new = &row.new[index];
        let least = b + &row.is_less * (a - b);
        let greatest = a + &row.is_less * (b - a);
        let chosen =
            &row.is_swap * (new - b) + &is_least * (new - least) + &is_greatest * (new - greatest);
        builder.assert_zero(&format!("chosen[{index}]"), chosen);
        // Limbs are in range, so a carry of 0 or 1 makes the sum one of integers.
        carry = (a + b + carry - new) * &limb;
        let name = format!("sum[{index}]");
        builder.assert_zero_when(&name, &row.is_add, &carry * carry.not());
        // If `low` and `(limb - low) / 2^8` are bytes, they are the limb's: limbs are in range.
        let [a_low, b_low, new_low] = [
            &row.loaded_low[index],
            &row.operand_low[index],
            &row.new_low[index],
        ];
        let mut look_up = |name: &str, [a, b, new]: [Expr; 3]| {
            let message = vec![operation.clone(), a, b, new];
            builder.send(
                &format!("{name}[{index}]"),
                Bus::Bitwise,
                &is_bitwise,
                message,
            );
        };
        look_up("low", [a_low.clone(), b_low.clone(), new_low.clone()]);
        let highs = [high(a, a_low), high(b, b_low), high(new, new_low)];
        look_up("high", highs);
    }
    eval_limbs(builder, "new_limb", is_real, &row.new);
}

/// The 8-byte word after: `new` in its place.
fn eval_after(builder: &mut Builder, row: &Atomic<Expr>) {
    let is_lower = row.upper.not();
    for (index, after) in row.after.iter().enumerate() {
        let (before, new) = (&row.word.previous[index], &row.new);
        // In double forms `upper` is 0.
        let change = if index < 2 {
            &is_lower * (&new[index] - before)
        } else {
            &row.upper * (&new[index - 2] - before) + &row.is_double * (&new[index] - before)
        };
        builder.assert_eq(&format!("after[{index}]"), after, before + change);
    }
}

/// The bits of a word or double word in its 8-byte word: how far up, and how the value read there
/// is extended to 64 bits.
pub(crate) struct Width {
    /// Bits below it.
    pub(crate) shift: u32,
    /// Whether it is the whole.
    pub(crate) is_double: bool,
}

impl Width {
    /// That of `opcode` at `address`.
    pub(crate) fn new(opcode: Opcode, address: u64) -> Self {
        let is_double = opcode as u32 >= Opcode::LrD as u32;
        let shift = if is_double {
            0
        } else {
            8 * (address & 4) as u32
        };
        Width { shift, is_double }
    }

    /// The value's low bits, sign-extended.
    pub(crate) fn extend(&self, value: u64) -> u64 {
        if self.is_double {
            value
        } else {
            value as i32 as u64
        }
    }

    /// What `word` is with `value` in its place.
    pub(crate) fn replace(&self, word: u64, value: u64) -> u64 {
        let mask = if self.is_double {
            u64::MAX
        } else {
            0xffff_ffff
        };
        word & !(mask << self.shift) | (value & mask) << self.shift
    }
}

/// Fills the row of `record`, whose instruction is `program`.
pub(crate) fn fill(record: &AtomicRecord, program: &ProgramRow) -> Atomic<F> {
    let AtomicRecord {
        registers, word, ..
    } = record;
    let width = Width::new(program.opcode, registers.rs1_value);
    let above = if width.is_double { DOUBLE } else { 0 };
    let opcode = program.opcode as u32 - above;
    let flag = |which: Opcode| opcode == which as u32;
    let loaded = width.extend(word.previous >> width.shift);
    let operand = width.extend(registers.rs2_value);
    let is_signed = flag(Opcode::AmominW) || flag(Opcode::AmomaxW);
    // Signed order is the unsigned one with bit 63 flipped.
    let bias = u64::from(is_signed) << 63;
    let (a, b) = (loaded ^ bias, operand ^ bias);
    let is_less = a < b;
    let (x, y) = (limbs_u16(a), limbs_u16(b));
    let decisive = (1..4)
        .rev()
        .find(|index| x[*index] != y[*index])
        .unwrap_or(0);
    let difference = if is_less {
        y[decisive] - x[decisive] - 1
    } else {
        x[decisive] - y[decisive] - u16::from(decisive > 0)
    };
    let (least, greatest) = if is_less {
        (loaded, operand)
    } else {
        (operand, loaded)
    };
    let results = [
        operand,
        loaded.wrapping_add(operand),
        loaded ^ operand,
        loaded & operand,
        loaded | operand,
        least,
        greatest,
        least,
        greatest,
    ];
    let new = OPERATIONS
        .iter()
        .zip(results)
        .find(|(which, _)| flag(**which))
        .map(|(_, new)| new)
        .expect("only instructions with these opcodes have a row in this chip");
    let top = |value: u64| F::from_u16(limbs_u16(value)[if width.is_double { 3 } else { 1 }]);
    let [_, _, operand_2, operand_3] = limbs(operand);
    let low = |value: u64| limbs_u16(value).map(|limb| F::from_u16(limb & 0xff));
    let [base, rs2, rd] = fill_registers(registers, program);
    let [loaded_sign, operand_sign] = [loaded, operand].map(|value| F::from_bool(value >> 63 == 1));
    Atomic {
        is_swap: F::from_bool(flag(Opcode::AmoswapW)),
        is_add: F::from_bool(flag(Opcode::AmoaddW)),
        is_xor: F::from_bool(flag(Opcode::AmoxorW)),
        is_and: F::from_bool(flag(Opcode::AmoandW)),
        is_or: F::from_bool(flag(Opcode::AmoorW)),
        is_min: F::from_bool(flag(Opcode::AmominW)),
        is_max: F::from_bool(flag(Opcode::AmomaxW)),
        is_minu: F::from_bool(flag(Opcode::AmominuW)),
        is_maxu: F::from_bool(flag(Opcode::AmomaxuW)),
        is_double: F::from_bool(width.is_double),
        fetch: fill_fetch(registers.clock, program),
        rd_number: F::from_u8(program.rd),
        writes: F::from_bool(program.writes),
        rs1_number: F::from_u8(program.rs1),
        rs2_number: F::from_u8(program.rs2),
        base: fill_base(base),
        rs2,
        word: fill_access(word.previous, word.clock, registers.clock + SUBSTEP_MEMORY),
        rd,
        word_index: F::new(word.word_index),
        upper: F::from_bool(width.shift > 0),
        loaded: limbs(loaded),
        operand_upper: [operand_2, operand_3],
        loaded_top: top(loaded),
        operand_top: top(operand),
        loaded_sign,
        operand_sign,
        sign_gap: if is_signed {
            operand_sign - loaded_sign
        } else {
            F::ZERO
        },
        is_less: F::from_bool(is_less),
        decides: [1, 2, 3].map(|index| F::from_bool(index == decisive)),
        difference: F::from_u16(difference),
        new: limbs(new),
        loaded_low: low(loaded),
        operand_low: low(operand),
        new_low: low(new),
        after: limbs(width.replace(word.previous, new)),
    }
}

#[cfg(test)]
mod tests {
    use zkvm_air::Columns as _;
    use zkvm_isa::layout;
    use zkvm_isa::record::WordAccess;
    use zkvm_testkit::asm::base::{ATOMICS, AtomicOp};
    use zkvm_testkit::asm::{Order, Reg, base};
    use zkvm_testkit::edge::EDGE_VALUES;
    use zkvm_testkit::edge::reference::{atomic_result, loaded};

    use super::*;
    use crate::testing::{CLOCK, ChipTest, lie, register_record};

    type Honest = (AtomicRecord, ProgramRow);

    /// The word's bytes all differ, and the upper digit of each tells its place.
    const WORD: u64 = 0x91_22_b3_44_d5_66_f7_08;
    /// A word whose bytes are all the same.
    const EQUAL: u64 = 0x5555_5555_5555_5555;
    /// Another operand.
    const VALUE: u64 = 0x0123_4567_89ab_cdef;
    const ADDRESS: u64 = 0x8123_4560;

    type Chip = ChipTest<AtomicRecord, Atomic<F>>;

    fn chip() -> Chip {
        ChipTest::new(NAME, eval, fill)
    }

    fn honest(code: u32, address: u64, word: u64, operand: u64) -> Honest {
        let (registers, program) = register_record(code, address, operand);
        let word = WordAccess {
            previous: word,
            word_index: (address / 8) as u32,
            clock: CLOCK - 77,
        };
        let record = AtomicRecord {
            registers,
            word,
            ..AtomicRecord::default()
        };
        (record, program)
    }

    /// An operation on `word` at an offset, with `operand`.
    fn atomic(op: AtomicOp, offset: u64, word: u64, operand: u64) -> Honest {
        let code = op(Reg::x(5), Reg::x(7), Reg::x(6), Order::Relaxed).word();
        honest(code, ADDRESS + offset, word, operand)
    }

    /// An operation on a double word.
    fn double(op: AtomicOp, word: u64, operand: u64) -> Honest {
        atomic(op, 0, word, operand)
    }

    fn zero() -> Atomic<F> {
        Atomic::take(&mut std::iter::repeat(F::ZERO))
    }

    /// Claims `is_less` by the limbs that `decides` marks, with the difference that follows.
    fn claim(row: &mut Atomic<F>, is_less: F, decides: [i32; 3]) {
        row.is_less = is_less;
        row.decides = decides.map(F::from_i32);
        let [b_0, b_1, ..] = row.rs2.previous;
        let b = [b_0, b_1, row.operand_upper[0], row.operand_upper[1]];
        let mut gap: [F; 4] = std::array::from_fn(|index| b[index] - row.loaded[index]);
        gap[3] -= row.sign_gap * F::new(1 << 16);
        let upper = row.decides[0] + row.decides[1] + row.decides[2];
        let lowest = F::ONE - upper;
        let at = lowest * gap[0]
            + row.decides[0] * gap[1]
            + row.decides[1] * gap[2]
            + row.decides[2] * gap[3];
        row.difference = (is_less.double() - F::ONE) * at - lowest * is_less - upper;
    }

    /// In a double form, stores another value.
    fn store(row: &mut Atomic<F>, new: [F; 4]) {
        (row.new, row.after) = (new, new);
    }

    /// In a double form, adds to a limb of the value stored.
    fn add(row: &mut Atomic<F>, limb: usize, more: F) {
        row.new[limb] += more;
        row.after[limb] += more;
    }

    #[test]
    fn every_operation_on_every_half_leaves_and_returns_the_reference_values() {
        let chip = chip();
        for &(op, bytes) in ATOMICS {
            let width = bytes as usize;
            let name = op(Reg::x(5), Reg::x(7), Reg::x(6), Order::Relaxed).name;
            for offset in (0..8).step_by(width) {
                for &word in EDGE_VALUES.iter().chain(&[WORD, !WORD]) {
                    for &operand in EDGE_VALUES.iter().chain(&[word, word << 32, word >> 32]) {
                        let (record, program) = atomic(op, offset as u64, word, operand);
                        let row = || chip.row(&record, &program);
                        let caught = chip.catches(row(), &program);
                        let what = format!("{name} {offset} {word:x} {operand:x}");
                        assert!(caught.is_empty(), "{what}: {caught:?}");
                        let mut bytes = word.to_le_bytes();
                        let load = if width == 4 { "lw" } else { "ld" };
                        let before = loaded(load, &bytes[offset..]);
                        let written = chip.message(row(), "rd.after").expect("it writes x5");
                        assert_eq!(written[2..6], limbs(before), "{what}");
                        let new = atomic_result(name, before, operand).to_le_bytes();
                        bytes[offset..offset + width].copy_from_slice(&new[..width]);
                        let written = chip.message(row(), "word.after").expect("it stores");
                        let expected = limbs(u64::from_le_bytes(bytes));
                        assert_eq!(written[2..6], expected, "{what}");
                        let place = [SPACE_WRITABLE, (ADDRESS / 8) as u32];
                        assert_eq!(written[..2], place.map(F::new), "{what}");
                    }
                }
            }
        }
    }

    #[test]
    fn the_other_choice_between_operands_has_no_witness() {
        let chip = chip();
        let ops: [AtomicOp; 8] = [
            base::amomin_w,
            base::amomax_w,
            base::amominu_w,
            base::amomaxu_w,
            base::amomin_d,
            base::amomax_d,
            base::amominu_d,
            base::amomaxu_d,
        ];
        for op in ops {
            for &word in EDGE_VALUES {
                for &operand in EDGE_VALUES {
                    let (record, program) = atomic(op, 0, word, operand);
                    let row = chip.row(&record, &program);
                    let other = F::ONE - row.is_less;
                    for decides in [[0, 0, 0], [1, 0, 0], [0, 1, 0], [0, 0, 1]] {
                        let mut row = chip.row(&record, &program);
                        claim(&mut row, other, decides);
                        let caught = chip.catches(row, &program);
                        // The value stored may be the same; the order is what is claimed.
                        let of_order = |name: &String| !name.starts_with("chosen");
                        assert!(caught.iter().any(of_order), "{word:x} {operand:x}");
                    }
                }
            }
        }
    }

    #[test]
    fn addresses_lead_to_their_words() {
        let chip = chip();
        for address in [
            0x1000,
            0xfffc,
            0x1_0000,
            0x7fff_fffc,
            0x8000_0000,
            u64::from(layout::STACK_END) - 4,
        ] {
            let code = base::amoadd_w(Reg::x(5), Reg::x(7), Reg::x(6), Order::Relaxed).word();
            let (record, program) = honest(code, address, WORD, VALUE);
            let row = || chip.row(&record, &program);
            let caught = chip.catches(row(), &program);
            assert!(caught.is_empty(), "{address:x}: {caught:?}");
            let read = chip.message(row(), "word.before").expect("it reads");
            assert_eq!(read[1], F::new((address / 8) as u32), "{address:x}");
        }
    }

    fn nothing_is_written_to_x0(chip: &Chip) {
        let code = base::amoadd_d(Reg::x(0), Reg::x(7), Reg::x(6), Order::Relaxed).word();
        let (record, program) = honest(code, ADDRESS, WORD, VALUE);
        let row = || chip.row(&record, &program);
        assert!(chip.catches(row(), &program).is_empty());
        assert_eq!(chip.message(row(), "rd.after"), None);
        lie!(chip, "program", (record, program), |row| {
            row.writes = F::ONE;
            row.rd.gap_high = F::new(21);
        });
    }

    fn the_address_cannot_be_forged(chip: &Chip) {
        let same = |op: AtomicOp, offset: u64| atomic(op, offset, EQUAL, EQUAL);
        lie!(chip, "address", same(base::amoswap_d, 0), |row| row
            .word_index +=
            F::ONE);
        lie!(chip, "address", same(base::amoswap_w, 0), |row| row.upper =
            F::ONE);
        lie!(chip, "address", same(base::amoswap_w, 4), |row| row.upper =
            F::ZERO);
        // 2^13 · 8 is the unit of the base's upper limb: as many words higher.
        lie!(chip, "address", same(base::amoswap_d, 0), |row| row
            .word_index +=
            F::new(1 << 13));
        // Half a word further.
        lie!(chip, "word_index", same(base::amoswap_w, 0), |row| {
            row.upper = F::ONE;
            row.word_index -= F::TWO.inverse();
        });
        // The upper half of the word before.
        lie!(chip, "upper", same(base::amoswap_w, 0), |row| {
            row.upper = F::TWO;
            row.word_index -= F::ONE;
        });
        // A base that is not the register's: a double word across two words.
        lie!(chip, "upper", same(base::amoswap_d, 0), |row| {
            row.upper = F::ONE;
            row.base.limbs[0] += F::new(4);
        });
        // A base that is no multiple of 4.
        lie!(chip, "address", same(base::amoswap_w, 0), |row| row
            .base
            .limbs[0] +=
            F::TWO);
        lie!(chip, "word_index", same(base::amoswap_w, 0), |row| {
            row.base.limbs[0] += F::TWO;
            row.word_index += F::new(4).inverse();
        });
    }

    fn operands_are_what_is_there(chip: &Chip) {
        // The top limbs decide, so the lower ones do not matter to the order.
        let swap = || double(base::amoswap_d, WORD, VALUE);
        for limb in 0..3 {
            chip.assert_lie(&swap(), &[&format!("loaded[{limb}]")], |row| {
                row.loaded[limb] += F::ONE;
            });
        }
        lie!(chip, "loaded[3]", swap(), |row| {
            row.loaded[3] += F::ONE;
            row.loaded_top += F::ONE;
            claim(row, F::ZERO, [0, 0, 1]);
        });
        lie!(chip, "operand[2]", swap(), |row| {
            row.operand_upper[0] += F::ONE;
            add(row, 2, F::ONE);
        });
        lie!(chip, "operand[3]", swap(), |row| {
            row.operand_upper[1] += F::ONE;
            row.operand_top += F::ONE;
            add(row, 3, F::ONE);
            claim(row, F::ZERO, [0, 0, 1]);
        });
        lie!(chip, "loaded_top", swap(), |row| row.loaded_top += F::ONE);
        lie!(chip, "operand_top", swap(), |row| row.operand_top += F::ONE);
        // The sign of a word is not that of the double word it lies in.
        let half = atomic(base::amoswap_w, 0, 0x8000_0000_0000_0001, 1);
        lie!(chip, "loaded_top", half, |row| {
            (row.loaded_top, row.loaded_sign) = (F::new(0x8000), F::ONE);
            (row.loaded[2], row.loaded[3]) = (F::new(0xffff), F::new(0xffff));
            claim(row, F::ZERO, [0, 0, 1]);
        });
    }

    fn signs_are_the_true_ones(chip: &Chip) {
        let negative = atomic(base::amoswap_w, 0, 0x8000_0000, 5);
        lie!(chip, "loaded_sign", negative, |row| {
            row.loaded_sign = F::ZERO;
            (row.loaded[2], row.loaded[3]) = (F::ZERO, F::ZERO);
            claim(row, F::ZERO, [1, 0, 0]);
        });
        lie!(chip, "loaded_sign", double(base::amoswap_d, 5, 7), |row| {
            row.loaded_sign = F::ONE
        });
        let negative = atomic(base::amoswap_w, 0, 5, 0x8000_0000);
        lie!(chip, "operand_sign", negative, |row| {
            row.operand_sign = F::ZERO;
            row.operand_upper = [F::ZERO; 2];
            (row.new[2], row.new[3]) = (F::ZERO, F::ZERO);
            claim(row, F::ONE, [1, 0, 0]);
        });
        lie!(chip, "operand_sign", double(base::amoswap_d, 5, 7), |row| {
            row.operand_sign = F::ONE
        });
        // Half a sign: the doubled rest stays in range.
        let equal = || double(base::amoswap_d, EQUAL, EQUAL);
        let half = F::TWO.inverse();
        lie!(chip, "loaded_sign_is_boolean", equal(), |row| row
            .loaded_sign =
            half);
        lie!(chip, "operand_sign_is_boolean", equal(), |row| row
            .operand_sign =
            half);
        // Signed values by unsigned order, and the other way round.
        let minus_one = u64::MAX;
        let signed = double(base::amomin_d, minus_one, 1);
        lie!(chip, "sign_gap", signed, |row| {
            row.sign_gap = F::ZERO;
            claim(row, F::ZERO, [0, 0, 1]);
            store(row, limbs(1));
        });
        let unsigned = double(base::amominu_d, minus_one, 1);
        lie!(chip, "sign_gap", unsigned, |row| {
            row.sign_gap = F::NEG_ONE;
            claim(row, F::ONE, [0, 0, 1]);
            store(row, [F::new(0xffff); 4]);
        });
    }

    fn the_order_cannot_be_forged(chip: &Chip) {
        lie!(chip, "difference", double(base::amomin_d, 5, 7), |row| {
            claim(row, F::ZERO, [0, 0, 0]);
            store(row, limbs(7));
        });
        lie!(
            chip,
            "difference_is_the_limbs",
            double(base::amomin_d, 5, 7),
            |row| row.difference += F::ONE
        );
        let equal = || double(base::amoswap_d, EQUAL, EQUAL);
        lie!(chip, "is_less_is_boolean", equal(), |row| claim(
            row,
            F::NEG_ONE,
            [0, 0, 0]
        ));
        // By the lowest limb, though an upper one differs.
        for limb in [1, 2, 3] {
            let less = double(base::amoswap_d, 7, 5 | 1 << (16 * limb));
            let name = format!("equal_unless_decided[{limb}]");
            chip.assert_lie(&less, &[&name], |row| claim(row, F::ZERO, [0, 0, 0]));
        }
        // Limbs that cancel.
        let lowest = || double(base::amoswap_d, EQUAL, EQUAL + 1);
        lie!(chip, "decides[1]_is_boolean", lowest(), |row| claim(
            row,
            F::ONE,
            [-1, 1, 0]
        ));
        lie!(chip, "decides[2]_is_boolean", lowest(), |row| claim(
            row,
            F::ONE,
            [0, -1, 1]
        ));
        lie!(chip, "decides[3]_is_boolean", lowest(), |row| claim(
            row,
            F::ONE,
            [0, 1, -1]
        ));
        let top = double(base::amoswap_d, 0, 5 << 48);
        lie!(chip, "at_most_one_limb_decides", top, |row| claim(
            row,
            F::ONE,
            [0, 1, 1]
        ));
    }

    fn the_value_stored_cannot_be_forged(chip: &Chip) {
        let chosen: [Honest; 6] = [
            double(base::amoswap_d, WORD, VALUE),
            double(base::amomin_d, WORD, VALUE),
            double(base::amomin_d, VALUE, WORD),
            double(base::amomaxu_d, WORD, VALUE),
            double(base::amomaxu_d, VALUE, WORD),
            double(base::amomax_d, EQUAL, EQUAL),
        ];
        for limb in 0..4 {
            for honest in &chosen {
                chip.assert_lie(honest, &[&format!("chosen[{limb}]")], |row| {
                    add(row, limb, F::ONE);
                });
            }
            // One more takes a fraction from the carry, -1 / 2^16, and the next limb holds that.
            let name = format!("sum[{limb}]");
            chip.assert_lie(&double(base::amoadd_d, 5, 7), &[&name], |row| {
                add(row, limb, F::ONE);
                if limb < 3 {
                    add(row, limb + 1, -F::new(1 << 16).inverse());
                }
            });
            // The carry takes a fraction, and so do those above it.
            let names: Vec<String> = (limb..4).map(|limb| format!("sum[{limb}]")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            chip.assert_lie(&double(base::amoadd_d, WORD, VALUE), &names, |row| {
                add(row, limb, F::ONE);
            });
            // A carry of 1 from nothing.
            let name = format!("new_limb[{limb}]");
            chip.assert_lie(&double(base::amoadd_d, 5, 7), &[&name], |row| {
                add(row, limb, -F::new(1 << 16));
                if limb < 3 {
                    add(row, limb + 1, F::ONE);
                }
            });
            let ops: [AtomicOp; 3] = [base::amoand_d, base::amoor_d, base::amoxor_d];
            for op in ops {
                let honest = double(op, WORD, VALUE);
                chip.assert_lie(&honest, &[&format!("low[{limb}]")], |row| {
                    let more = if row.new_low[limb] == F::new(255) {
                        F::NEG_ONE
                    } else {
                        F::ONE
                    };
                    row.new_low[limb] += more;
                    add(row, limb, more);
                });
                chip.assert_lie(&honest, &[&format!("high[{limb}]")], |row| {
                    let more = F::new(256);
                    let down = limbs_u16(WORD & VALUE | WORD | VALUE)[limb] >> 8 == 255;
                    add(row, limb, if down { -more } else { more });
                });
            }
            // Another border between the bytes of an operand's limb.
            let both = [format!("high[{limb}]"), format!("low[{limb}]")];
            let both = [both[0].as_str(), both[1].as_str()];
            let honest = double(base::amoxor_d, WORD, VALUE);
            chip.assert_lie(&honest, &both, |row| row.loaded_low[limb] += F::new(256));
            chip.assert_lie(&honest, &both, |row| row.operand_low[limb] += F::new(256));
            let name = format!("after[{limb}]");
            let [swap_d, swap_w]: [AtomicOp; 2] = [base::amoswap_d, base::amoswap_w];
            for (op, offset) in [(swap_d, 0), (swap_w, 0), (swap_w, 4)] {
                chip.assert_lie(&atomic(op, offset, WORD, VALUE), &[&name], |row| {
                    row.after[limb] += F::ONE;
                });
            }
        }
        // The halves change places.
        lie!(
            chip,
            "after[0]",
            atomic(base::amoswap_w, 0, 0, VALUE),
            |row| row.after.rotate_left(2),
            also["after[1]", "after[2]", "after[3]"]
        );
    }

    fn operation_and_operands_are_the_programs(chip: &Chip) {
        let swap = || double(base::amoswap_d, 0, 5);
        lie!(chip, "program", swap(), |row| {
            (row.is_swap, row.is_add) = (F::ZERO, F::ONE);
        });
        lie!(chip, "program", atomic(base::amoswap_w, 0, 0, 0), |row| {
            row.is_double = F::ONE
        });
        lie!(chip, "program", swap(), |row| row.rd_number += F::ONE);
        lie!(chip, "program", swap(), |row| row.rs1_number += F::ONE);
        lie!(chip, "program", swap(), |row| row.rs2_number += F::ONE);
        lie!(chip, "program", swap(), |row| row.fetch.next_half_pc +=
            F::ONE);
        // Another operation's number, by a fraction of what a double form is above.
        lie!(
            chip,
            "is_double_is_boolean",
            atomic(base::amoswap_w, 0, 0, 0),
            |row| {
                (row.is_swap, row.is_add) = (F::ZERO, F::ONE);
                row.is_double = -F::new(DOUBLE).inverse();
            }
        );
        let code = base::amoswap_d(Reg::x(0), Reg::x(7), Reg::x(6), Order::Relaxed).word();
        let to_x0 = honest(code, ADDRESS, 0, 5);
        lie!(
            chip,
            "at_most_one_operation",
            to_x0,
            |row| row.is_add = F::ONE,
            also["program"]
        );
        // Rows that look like padding to the buses: each flag is -1 beside one of 1.
        type Flag = fn(&mut Atomic<F>) -> &mut F;
        let pairs: [(&str, Flag, Flag); 9] = [
            ("is_swap", |row| &mut row.is_swap, |row| &mut row.is_add),
            ("is_add", |row| &mut row.is_add, |row| &mut row.is_swap),
            ("is_xor", |row| &mut row.is_xor, |row| &mut row.is_or),
            ("is_and", |row| &mut row.is_and, |row| &mut row.is_or),
            ("is_or", |row| &mut row.is_or, |row| &mut row.is_xor),
            ("is_min", |row| &mut row.is_min, |row| &mut row.is_swap),
            ("is_max", |row| &mut row.is_max, |row| &mut row.is_swap),
            ("is_minu", |row| &mut row.is_minu, |row| &mut row.is_swap),
            ("is_maxu", |row| &mut row.is_maxu, |row| &mut row.is_swap),
        ];
        for (name, flag, other) in pairs {
            chip.assert_lie(&swap(), &[&format!("{name}_is_boolean")], |row| {
                *row = zero();
                *flag(row) = F::NEG_ONE;
                *other(row) = F::ONE;
            });
        }
    }

    fn accesses_lie_in_the_past(chip: &Chip) {
        let swap = double(base::amoswap_d, WORD, VALUE);
        chip.assert_lies_in_the_past(&swap, ("base", SUBSTEP_RS1), |row| {
            [&mut row.base.previous_clock, &mut row.base.gap_high]
        });
        type Cells = fn(&mut Atomic<F>) -> &mut Access<F>;
        let accesses: [(&str, Cells, u32); 3] = [
            ("rs2", |row| &mut row.rs2, SUBSTEP_RS2),
            ("word", |row| &mut row.word, SUBSTEP_MEMORY),
            ("rd", |row| &mut row.rd, SUBSTEP_RD),
        ];
        for (name, access, substep) in accesses {
            chip.assert_lies_in_the_past(&swap, (name, substep), |row| {
                let access = access(row);
                [&mut access.previous_clock, &mut access.gap_high]
            });
        }
    }

    fn padding_writes_nothing(chip: &Chip) {
        let honest = double(base::amoswap_d, WORD, VALUE);
        lie!(chip, "padding_writes_nothing", honest, |row| {
            // The order of clocks holds: from 0 to 3.
            *row = zero();
            row.writes = F::ONE;
        });
    }

    #[test]
    fn every_check_is_alone_to_catch_some_forgery() {
        let chip = chip();
        nothing_is_written_to_x0(&chip);
        the_address_cannot_be_forged(&chip);
        operands_are_what_is_there(&chip);
        signs_are_the_true_ones(&chip);
        the_order_cannot_be_forged(&chip);
        the_value_stored_cannot_be_forged(&chip);
        operation_and_operands_are_the_programs(&chip);
        accesses_lie_in_the_past(&chip);
        padding_writes_nothing(&chip);
        let never_alone = [(
            "at_most_one_operation",
            "the numbers of two operations add up to that of no opcode, so `program` catches it too",
        )];
        chip.assert_every_name_was_forged(&never_alone);
    }

    #[test]
    fn every_other_cell_is_noticed() {
        let rows: Vec<Honest> = ATOMICS
            .iter()
            .flat_map(|(op, bytes)| {
                let last = u64::from(8 - bytes);
                [
                    atomic(*op, 0, WORD, VALUE),
                    atomic(*op, last, VALUE, WORD),
                    atomic(*op, last, EQUAL, EQUAL),
                ]
            })
            .collect();
        // Only bitwise operations take bytes apart.
        let free = ["loaded_low", "operand_low", "new_low"];
        let free = free
            .iter()
            .flat_map(|name| (0..4).map(move |limb| format!("{name}[{limb}]")));
        assert_eq!(chip().sweep(&rows), free.collect());
    }
}
