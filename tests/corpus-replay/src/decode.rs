//! The oracle of the decoder.

use zkvm_isa::{Format, Instruction, Length, Opcode, classify_unsupported, decode, encode, expand};

use crate::{Violation, claim};

/// Bits of an atomic's word that decoding drops: acquire and release.
const ORDER_BITS: u32 = 0x0600_0000;

/// Checks that decoding `word`, encoding the result and expanding its low half agree.
///
/// # Errors
/// [`Violation`] names the word and the claim.
pub fn check_decode(word: u32) -> Result<Instruction, Violation> {
    let decoded = decode(word);
    let instruction = decoded.instruction;
    let opcode = instruction.opcode();
    let length = if word & 3 == 3 {
        Length::Four
    } else {
        Length::Two
    };
    claim!(
        instruction.length() == length,
        "{word:#x} decodes to {instruction:?}, not {length:?}"
    );
    if length == Length::Two {
        claim!(
            decoded == expand(word as u16),
            "{word:#x} decodes and expands to different instructions"
        );
    } else {
        claim!(
            decoded.unsupported.is_none() || decoded.unsupported == classify_unsupported(word),
            "{word:#x} is unsupported for two reasons"
        );
    }
    claim!(
        decoded.unsupported.is_none() || opcode == Opcode::Illegal,
        "{word:#x} is {instruction} and yet unsupported"
    );
    claim!(
        !instruction.to_string().is_empty(),
        "{word:#x} prints as nothing"
    );
    check_operands(word, instruction)?;
    check_encoding(word, instruction)?;
    Ok(instruction)
}

/// Registers are in range, operands that the format lacks are zero.
fn check_operands(word: u32, instruction: Instruction) -> Result<(), Violation> {
    let format = instruction.opcode().format();
    for (name, register, is_used) in [
        ("rd", instruction.rd(), format.writes_rd()),
        ("rs1", instruction.rs1(), format.reads_rs1()),
        ("rs2", instruction.rs2(), format.reads_rs2()),
    ] {
        claim!(register < 32, "{word:#x}: {name} is {register}");
        claim!(
            is_used || register == 0,
            "{word:#x}: {name} is {register}, the format has none"
        );
    }
    let imm = instruction.imm();
    let fits = match format {
        Format::R | Format::Amo | Format::LoadReserved => imm == 0,
        Format::System => imm == 0 || instruction.opcode() == Opcode::Illegal,
        Format::I | Format::S => (-2048..2048).contains(&imm),
        Format::Shift64 => (0..64).contains(&imm),
        Format::Shift32 => (0..32).contains(&imm),
        Format::B => (-4096..4096).contains(&imm) && imm % 2 == 0,
        Format::J => (-(1 << 20)..1 << 20).contains(&imm) && imm % 2 == 0,
        Format::U => imm % 4096 == 0,
    };
    claim!(
        fits,
        "{word:#x}: the immediate {imm} does not fit {format:?}"
    );
    Ok(())
}

/// A legal instruction encodes to a word that means the same; an illegal one keeps its bits.
fn check_encoding(word: u32, instruction: Instruction) -> Result<(), Violation> {
    let opcode = instruction.opcode();
    let Some(encoded) = encode(instruction) else {
        claim!(
            opcode == Opcode::Illegal,
            "{word:#x}: {opcode:?} does not encode"
        );
        let mask = match instruction.length() {
            Length::Two => 0xffff,
            Length::Four => u32::MAX,
        };
        claim!(
            instruction.imm().cast_unsigned() == word & mask,
            "{word:#x} is illegal and keeps {:#x}",
            instruction.imm()
        );
        return Ok(());
    };
    claim!(
        opcode != Opcode::Illegal,
        "{word:#x} is illegal and encodes"
    );
    let full = Instruction::new(
        opcode,
        instruction.rd(),
        instruction.rs1(),
        instruction.rs2(),
        instruction.imm(),
        Length::Four,
    );
    let again = decode(encoded).instruction;
    claim!(
        again == full,
        "{word:#x} is {full}, which encodes to {encoded:#x}, which is {again}"
    );
    if instruction.length() == Length::Two {
        return Ok(());
    }
    let dropped = match opcode.format() {
        Format::Amo | Format::LoadReserved => ORDER_BITS,
        Format::R
        | Format::I
        | Format::Shift64
        | Format::Shift32
        | Format::S
        | Format::B
        | Format::U
        | Format::J
        | Format::System => 0,
    };
    let is_fence = word & 0x7f == 0x0f;
    claim!(
        is_fence || encoded == word & !dropped,
        "{word:#x} is {instruction}, which encodes to {encoded:#x}"
    );
    Ok(())
}
