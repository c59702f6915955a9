//! What the instructions compute, written from the manual in wide integers.
//!
//! A 64-bit register is read as the signed or the unsigned number it stands for, in 128 bits, the
//! operation is carried out there without a thought for overflow, and the result is cut to the
//! register's width. Source: The RISC-V Instruction Set Manual, Volume I, version 20240411,
//! chapters 2, 4, 13 (M), 14 (A).

/// The signed number that the low `bits` bits of `value` stand for.
fn signed(value: u64, bits: u32) -> i128 {
    let value = unsigned(value, bits) as i128;
    if value >> (bits - 1) == 1 {
        value - (1 << bits)
    } else {
        value
    }
}

/// The unsigned number that the low `bits` bits of `value` stand for.
fn unsigned(value: u64, bits: u32) -> u128 {
    u128::from(value) % (1 << bits)
}

/// A word result in a 64-bit register: the low 32 bits, sign-extended.
fn word(value: i128) -> u64 {
    signed(value as u64, 32) as u64
}

/// Quotient toward zero; all ones for a divisor of zero.
fn quotient(dividend: i128, divisor: i128) -> i128 {
    if divisor == 0 { -1 } else { dividend / divisor }
}

/// Remainder with the dividend's sign; the dividend for a divisor of zero.
fn remainder(dividend: i128, divisor: i128) -> i128 {
    if divisor == 0 {
        dividend
    } else {
        dividend % divisor
    }
}

/// The result of the two-operand instruction `name`; an immediate operand is given sign-extended.
///
/// Panics if the name is not that of an instruction on two registers.
pub fn register_result(name: &str, rs1: u64, rs2: u64) -> u64 {
    let (a, b) = (signed(rs1, 64), signed(rs2, 64));
    let (ua, ub) = (unsigned(rs1, 64), unsigned(rs2, 64));
    let (wa, wb) = (signed(rs1, 32), signed(rs2, 32));
    let (uwa, uwb) = (unsigned(rs1, 32) as i128, unsigned(rs2, 32) as i128);
    match name {
        "add" => (a + b) as u64,
        "sub" => (a - b) as u64,
        "sll" => (ua << (ub % 64)) as u64,
        "slt" => u64::from(a < b),
        "sltu" => u64::from(ua < ub),
        "xor" => rs1 ^ rs2,
        "srl" => (ua >> (ub % 64)) as u64,
        "sra" => (a >> (ub % 64)) as u64,
        "or" => rs1 | rs2,
        "and" => rs1 & rs2,
        "addw" => word(wa + wb),
        "subw" => word(wa - wb),
        "sllw" => word(uwa << (ub % 32)),
        "srlw" => word(uwa >> (ub % 32)),
        "sraw" => word(wa >> (ub % 32)),
        "mul" => (a * b) as u64,
        "mulh" => ((a * b) >> 64) as u64,
        "mulhsu" => ((a * ub as i128) >> 64) as u64,
        "mulhu" => ((ua * ub) >> 64) as u64,
        "div" => quotient(a, b) as u64,
        "divu" => quotient(ua as i128, ub as i128) as u64,
        "rem" => remainder(a, b) as u64,
        "remu" => remainder(ua as i128, ub as i128) as u64,
        "mulw" => word(wa * wb),
        "divw" => word(quotient(wa, wb)),
        "divuw" => word(quotient(uwa, uwb)),
        "remw" => word(remainder(wa, wb)),
        "remuw" => word(remainder(uwa, uwb)),
        _ => panic!("{name} is not an instruction on two registers"),
    }
}

/// The register form of an instruction with an immediate: `addi` computes what `add` does.
pub fn register_form(name: &str) -> &'static str {
    match name {
        "addi" => "add",
        "slti" => "slt",
        "sltiu" => "sltu",
        "xori" => "xor",
        "ori" => "or",
        "andi" => "and",
        "addiw" => "addw",
        "slli" => "sll",
        "srli" => "srl",
        "srai" => "sra",
        "slliw" => "sllw",
        "srliw" => "srlw",
        "sraiw" => "sraw",
        _ => panic!("{name} has no register form"),
    }
}

/// Whether a conditional branch is taken.
pub fn is_taken(name: &str, rs1: u64, rs2: u64) -> bool {
    let (a, b) = (signed(rs1, 64), signed(rs2, 64));
    match name {
        "beq" => rs1 == rs2,
        "bne" => rs1 != rs2,
        "blt" => a < b,
        "bge" => a >= b,
        "bltu" => rs1 < rs2,
        "bgeu" => rs1 >= rs2,
        _ => panic!("{name} is not a branch"),
    }
}

/// What a load puts into its register, from the bytes at its address.
pub fn loaded(name: &str, bytes: &[u8]) -> u64 {
    let value = bytes
        .iter()
        .take(8)
        .rev()
        .fold(0, |value, &byte| value << 8 | u64::from(byte));
    match name {
        "lb" => signed(value, 8) as u64,
        "lh" => signed(value, 16) as u64,
        "lw" => signed(value, 32) as u64,
        "lbu" => unsigned(value, 8) as u64,
        "lhu" => unsigned(value, 16) as u64,
        "lwu" => unsigned(value, 32) as u64,
        "ld" => value,
        _ => panic!("{name} is not a load"),
    }
}

/// What an atomic instruction leaves in memory, cut to its width by the caller.
pub fn atomic_result(name: &str, memory: u64, rs2: u64) -> u64 {
    let (operation, bits) = match name.split_once('.') {
        Some((operation, "w")) => (operation, 32),
        Some((operation, "d")) => (operation, 64),
        _ => panic!("{name} has no width"),
    };
    let (a, b) = (signed(memory, bits), signed(rs2, bits));
    let (ua, ub) = (unsigned(memory, bits), unsigned(rs2, bits));
    match operation {
        "amoswap" => rs2,
        "amoadd" => (a + b) as u64,
        "amoxor" => memory ^ rs2,
        "amoand" => memory & rs2,
        "amoor" => memory | rs2,
        "amomin" => a.min(b) as u64,
        "amomax" => a.max(b) as u64,
        "amominu" => ua.min(ub) as u64,
        "amomaxu" => ua.max(ub) as u64,
        _ => panic!("{name} is not an atomic operation"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The table "Semantics for division by zero and division overflow" of the manual.
    #[test]
    fn division_by_zero_and_overflow_follow_the_manuals_table() {
        let (min, all) = (1 << 63, u64::MAX);
        assert_eq!(register_result("divu", 7, 0), all);
        assert_eq!(register_result("remu", 7, 0), 7);
        assert_eq!(register_result("div", 7, 0), all);
        assert_eq!(register_result("rem", 7, 0), 7);
        assert_eq!(register_result("div", min, all), min);
        assert_eq!(register_result("rem", min, all), 0);
        let word_min = 0xffff_ffff_8000_0000;
        assert_eq!(register_result("divw", 1 << 31, all), word_min);
        assert_eq!(register_result("remw", 1 << 31, all), 0);
        assert_eq!(register_result("divuw", 1 << 31, 1 << 32), all);
        assert_eq!(register_result("remuw", 1 << 31, 1 << 32), word_min);
    }

    #[test]
    fn signs_of_quotient_and_remainder() {
        let minus = |value: u64| value.wrapping_neg();
        assert_eq!(register_result("div", minus(7), 2), minus(3));
        assert_eq!(register_result("rem", minus(7), 2), minus(1));
        assert_eq!(register_result("rem", 7, minus(2)), 1);
        assert_eq!(register_result("mulhsu", minus(1), u64::MAX), minus(1));
        assert_eq!(register_result("mulhu", minus(1), u64::MAX), minus(2));
    }
}
