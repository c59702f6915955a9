//! Lays out instructions and data at addresses and resolves labels.

use std::collections::BTreeMap;
use std::fmt;

use super::base::{addi, addiw, auipc, jalr, lui, slli};
use super::{Encoded, Reg, base, compressed};

/// A place in the code, named before or after it is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Label(usize);

/// An instruction that waits for a label: it is encoded again once the distance is known.
struct Fixup {
    at: u64,
    anchor: u64,
    label: Label,
    encode: Box<dyn Fn(i32) -> Encoded>,
}

/// Code under construction, from a start address upwards.
///
/// ```
/// use zkvm_testkit::asm::{Assembler, Reg, base::*};
/// let mut asm = Assembler::new(0x1_0000);
/// let top = asm.label();
/// asm.li(Reg::T0, 5);
/// asm.bind(top);
/// asm.emit(addi(Reg::T0, Reg::T0, -1));
/// asm.branch(bne, Reg::T0, Reg::ZERO, top);
/// assert_eq!(asm.finish().bytes.len(), 12);
/// ```
pub struct Assembler {
    start: u64,
    bytes: Vec<u8>,
    labels: Vec<Option<u64>>,
    fixups: Vec<Fixup>,
    used: BTreeMap<&'static str, u32>,
    straddling: u32,
}

/// Finished code.
#[derive(Clone, Debug)]
pub struct Assembled {
    /// Address of the first byte.
    pub start: u64,
    /// The code and data.
    pub bytes: Vec<u8>,
    /// How often each mnemonic was emitted (not executed).
    pub used: BTreeMap<&'static str, u32>,
    /// How many four-byte instructions were emitted at addresses that are 2 modulo 4.
    pub straddling: u32,
    labels: Vec<Option<u64>>,
}

impl Assembled {
    /// The address a label was bound to.
    pub fn address_of(&self, label: Label) -> u64 {
        self.labels[label.0].expect("finish checked that every used label is bound")
    }
}

impl fmt::Debug for Assembler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Assembler")
            .field("start", &self.start)
            .field("len_bytes", &self.bytes.len())
            .field("fixups", &self.fixups.len())
            .finish_non_exhaustive()
    }
}

impl Assembler {
    /// Starts at an even address.
    pub fn new(start: u64) -> Self {
        assert_eq!(start & 1, 0, "instructions lie at even addresses");
        Self {
            start,
            bytes: Vec::new(),
            labels: Vec::new(),
            fixups: Vec::new(),
            used: BTreeMap::new(),
            straddling: 0,
        }
    }

    /// Address of the next byte.
    pub fn here(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// A label to be bound later.
    pub fn label(&mut self) -> Label {
        self.labels.push(None);
        Label(self.labels.len() - 1)
    }

    /// Binds a label to the current address. Panics if it is bound already.
    pub fn bind(&mut self, label: Label) {
        let here = self.here();
        let before = self.labels[label.0].replace(here);
        assert_eq!(before, None, "a label is bound once");
    }

    /// The address of a label, if it is bound already.
    pub fn address_of(&self, label: Label) -> Option<u64> {
        self.labels[label.0]
    }

    /// Emits an instruction.
    pub fn emit(&mut self, instruction: Encoded) {
        *self.used.entry(instruction.name).or_default() += 1;
        self.straddling += u32::from(instruction.len_bytes == 4 && self.here() % 4 == 2);
        let len = usize::from(instruction.len_bytes);
        self.bytes
            .extend_from_slice(&instruction.bits.to_le_bytes()[..len]);
    }

    /// Emits four bytes that are not counted as an instruction.
    pub fn word(&mut self, word: u32) {
        self.bytes.extend_from_slice(&word.to_le_bytes());
    }

    /// Emits two bytes that are not counted as an instruction.
    pub fn halfword(&mut self, halfword: u16) {
        self.bytes.extend_from_slice(&halfword.to_le_bytes());
    }

    /// Emits eight bytes of data.
    pub fn doubleword(&mut self, value: u64) {
        self.bytes.extend_from_slice(&value.to_le_bytes());
    }

    /// Emits zero bytes up to a multiple of `alignment`.
    pub fn align(&mut self, alignment: u64) {
        let padding = self.here().next_multiple_of(alignment) - self.here();
        self.bytes.resize(self.bytes.len() + padding as usize, 0);
    }

    /// Emits an instruction whose operand is the distance from itself to a label.
    pub fn relative(&mut self, label: Label, encode: impl Fn(i32) -> Encoded + 'static) {
        self.relative_to(self.here(), label, encode);
    }

    /// Emits an instruction whose operand is the distance from `anchor` to a label. `encode` is
    /// called with 0 first and must give the same mnemonic and length for every distance.
    pub fn relative_to(
        &mut self,
        anchor: u64,
        label: Label,
        encode: impl Fn(i32) -> Encoded + 'static,
    ) {
        let at = self.here();
        self.emit(encode(0));
        self.fixups.push(Fixup {
            at,
            anchor,
            label,
            encode: Box::new(encode),
        });
    }

    /// Emits a conditional branch to a label.
    pub fn branch(&mut self, op: base::BranchOp, rs1: Reg, rs2: Reg, label: Label) {
        self.relative(label, move |offset| op(rs1, rs2, offset));
    }

    /// Emits a compressed branch against zero to a label.
    pub fn zero_branch(&mut self, op: compressed::ZeroBranchOp, rs1: Reg, label: Label) {
        self.relative(label, move |offset| op(rs1, offset));
    }

    /// Emits `jal rd, label`.
    pub fn jump(&mut self, rd: Reg, label: Label) {
        self.relative(label, move |offset| base::jal(rd, offset));
    }

    /// Emits `c.j label`.
    pub fn short_jump(&mut self, label: Label) {
        self.relative(label, compressed::c_j);
    }

    /// Puts the address of a label into a register: `auipc`, `addi`.
    pub fn la(&mut self, rd: Reg, label: Label) {
        let anchor = self.here();
        self.relative(label, move |offset| auipc(rd, upper(offset)));
        self.relative_to(anchor, label, move |offset| addi(rd, rd, lower(offset)));
    }

    /// Jumps to a label through a register: `auipc via`, `jalr link, via`. `stray_bit` is 0 or 1
    /// and is added to the target, where `jalr` must clear it.
    pub fn far_jump(&mut self, link: Reg, via: Reg, label: Label, stray_bit: i32) {
        assert!(stray_bit == 0 || stray_bit == 1, "only bit 0 is cleared");
        let anchor = self.here();
        self.relative(label, move |offset| auipc(via, upper(offset)));
        self.relative_to(anchor, label, move |offset| {
            jalr(link, via, lower(offset) + stray_bit)
        });
    }

    /// Puts any constant into a register, in at most eight four-byte instructions.
    ///
    /// 32 bits take `lui` and `addiw`; wider constants shift a shorter one left and add the low
    /// 12 bits, which are signed, so the upper part makes up for a borrow.
    pub fn li(&mut self, rd: Reg, value: u64) {
        let value = value as i64;
        if (-2048..2048).contains(&value) {
            self.emit(addi(rd, Reg::ZERO, value as i32));
            return;
        }
        if let Ok(word) = i32::try_from(value) {
            self.emit(lui(rd, upper(word)));
            if lower(word) != 0 {
                self.emit(addiw(rd, rd, lower(word)));
            }
            return;
        }
        let low = lower(value as i32);
        let high = value.wrapping_sub(i64::from(low)) >> 12;
        let zeros = high.trailing_zeros();
        self.li(rd, (high >> zeros) as u64);
        self.emit(slli(rd, rd, 12 + zeros));
        if low != 0 {
            self.emit(addi(rd, rd, low));
        }
    }

    /// Resolves every label. Panics if a used label is unbound or out of an instruction's reach.
    pub fn finish(mut self) -> Assembled {
        for fixup in &self.fixups {
            let target = self.labels[fixup.label.0].expect("a used label must be bound");
            let distance = target.wrapping_sub(fixup.anchor) as i64;
            let distance = i32::try_from(distance).expect("code spans less than 2 GiB");
            let encoded = (fixup.encode)(distance);
            let at = (fixup.at - self.start) as usize;
            let len = usize::from(encoded.len_bytes);
            self.bytes[at..at + len].copy_from_slice(&encoded.bits.to_le_bytes()[..len]);
        }
        let Self {
            start,
            bytes,
            labels,
            used,
            straddling,
            ..
        } = self;
        Assembled {
            start,
            bytes,
            used,
            straddling,
            labels,
        }
    }
}

/// The upper 20 bits that, with [`lower`] added as a signed number, give `value`.
fn upper(value: i32) -> u32 {
    (value as u32).wrapping_add(0x800) >> 12
}

/// The low 12 bits as a signed number.
fn lower(value: i32) -> i32 {
    value << 20 >> 20
}
