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
//! The comparison is that of [`crate::less_than`]: the highest limb in which the operands differ
//! decides, by the range of the difference there.
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
    Access, Fetch, Place, ProgramFields, SPACE_WRITABLE, eval_fetch, eval_flags, eval_limbs,
    eval_read, eval_write, fill_access, fill_fetch, fill_registers, limbs, limbs_u16,
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
    eval_base(builder, is_real, rs1, base, &(clock + SUBSTEP_RS1));
    let rs2 = Place::register(&row.rs2_number);
    eval_read(
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
    eval_write(
        builder,
        "word",
        is_real,
        &word,
        &row.word,
        &row.after,
        &(clock + SUBSTEP_MEMORY),
    );
    eval_write(
        builder,
        "rd",
        &row.writes,
        &Place::register(&row.rd_number),
        &row.rd,
        &row.loaded,
        &(clock + SUBSTEP_RD),
    );
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

/// The limb that decides which is less, and the order there; see [`crate::less_than`].
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
