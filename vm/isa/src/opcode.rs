//! The instruction table: every opcode with its mnemonic, format, encoding and chip.
//!
//! Encodings are the `match` and `mask` of the RISC-V unprivileged specification (20240411,
//! chapter 35 "RV32/64G Instruction Set Listings"): a word `w` is the instruction when
//! `w & mask == match`.

/// How an instruction's operands are laid out in its word, and so which it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `rd, rs1, rs2`.
    R,
    /// `rd, rs1, imm[11:0]`.
    I,
    /// `rd, rs1, shamt[5:0]`.
    Shift64,
    /// `rd, rs1, shamt[4:0]`.
    Shift32,
    /// `rs2, imm[11:0](rs1)`.
    S,
    /// `rs1, rs2, imm[12:1]`.
    B,
    /// `rd, imm[31:12]`.
    U,
    /// `rd, imm[20:1]`.
    J,
    /// `rd, rs2, (rs1)`; the acquire and release bits are ignored, there is one hart.
    Amo,
    /// `rd, (rs1)`.
    LoadReserved,
    /// No operands.
    System,
}

impl Format {
    /// Whether the instruction reads the register named by `rs1`.
    #[must_use]
    pub const fn reads_rs1(self) -> bool {
        !matches!(self, Format::U | Format::J | Format::System)
    }

    /// Whether the instruction reads the register named by `rs2`.
    #[must_use]
    pub const fn reads_rs2(self) -> bool {
        matches!(self, Format::R | Format::S | Format::B | Format::Amo)
    }

    /// Whether the instruction writes the register named by `rd`.
    #[must_use]
    pub const fn writes_rd(self) -> bool {
        !matches!(self, Format::S | Format::B | Format::System)
    }
}

/// The family an executed instruction belongs to; each executed instruction is one row of its
/// family's chip. The words that a system call moves, and precompiles, have chips besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Chip {
    /// Addition and subtraction, word forms included.
    AddSub,
    /// And, or, exclusive or.
    Bitwise,
    /// Set-less-than, signed and unsigned.
    LessThan,
    /// Shifts, word forms included.
    Shift,
    /// Multiplication: low and high halves, word form.
    Mul,
    /// Division and remainder, word forms included.
    DivRem,
    /// Conditional branches.
    Branch,
    /// `jal` and `jalr`.
    Jump,
    /// `lui` and `auipc`.
    UpperImmediate,
    /// Naturally aligned loads.
    Load,
    /// Naturally aligned stores.
    Store,
    /// Loads and stores that are not naturally aligned.
    Misaligned,
    /// Atomic memory operations, load-reserved and store-conditional.
    Atomic,
    /// `ecall`.
    System,
    /// One row for each 8-byte word a guest appends to the journal.
    Journal,
    /// One row for each 8-byte word of hint written to memory.
    Hint,
    /// Keccak permutations: one row for each call.
    Keccak,
    /// Their rounds.
    KeccakRound,
    /// SHA-256 compressions: one row for each call.
    Sha256,
    /// Their rounds.
    Sha256Round,
    /// Modular multiplications.
    MultiplyMod,
    /// Additions and doublings of points of secp256k1.
    Secp256k1,
}

impl Chip {
    /// Number of chips.
    pub const COUNT: usize = 22;

    /// Every chip, in the order of their numbers.
    pub const ALL: [Chip; Chip::COUNT] = [
        Chip::AddSub,
        Chip::Bitwise,
        Chip::LessThan,
        Chip::Shift,
        Chip::Mul,
        Chip::DivRem,
        Chip::Branch,
        Chip::Jump,
        Chip::UpperImmediate,
        Chip::Load,
        Chip::Store,
        Chip::Misaligned,
        Chip::Atomic,
        Chip::System,
        Chip::Journal,
        Chip::Hint,
        Chip::Keccak,
        Chip::KeccakRound,
        Chip::Sha256,
        Chip::Sha256Round,
        Chip::MultiplyMod,
        Chip::Secp256k1,
    ];

    /// Whether its rows are a precompile's.
    #[must_use]
    pub const fn is_of_precompile(self) -> bool {
        self as usize >= Chip::Keccak as usize
    }

    /// The chip's name in tables and JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Chip::AddSub => "add_sub",
            Chip::Bitwise => "bitwise",
            Chip::LessThan => "less_than",
            Chip::Shift => "shift",
            Chip::Mul => "mul",
            Chip::DivRem => "div_rem",
            Chip::Branch => "branch",
            Chip::Jump => "jump",
            Chip::UpperImmediate => "upper_immediate",
            Chip::Load => "load",
            Chip::Store => "store",
            Chip::Misaligned => "misaligned",
            Chip::Atomic => "atomic",
            Chip::System => "system",
            Chip::Journal => "journal",
            Chip::Hint => "hint",
            Chip::Keccak => "keccak",
            Chip::KeccakRound => "keccak_round",
            Chip::Sha256 => "sha256",
            Chip::Sha256Round => "sha256_round",
            Chip::MultiplyMod => "multiply_mod",
            Chip::Secp256k1 => "secp256k1",
        }
    }
}

/// The table's last column: a chip, or `Faults` for an instruction that never becomes a row.
macro_rules! chip {
    (Faults) => {
        None
    };
    ($chip:ident) => {
        Some(Chip::$chip)
    };
}

macro_rules! opcodes {
    ($($variant:ident $mnemonic:literal $format:ident $match:literal $mask:literal $chip:ident;)*) => {
        /// An operation the machine executes. The discriminants are part of the program id.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum Opcode {
            $(
                #[doc = concat!("`", $mnemonic, "`")]
                $variant,
            )*
            /// Not an instruction of this machine; executing it is a fault.
            Illegal,
        }

        impl Opcode {
            /// Number of opcodes, [`Opcode::Illegal`] included.
            pub const COUNT: usize = Opcode::Illegal as usize + 1;

            /// Every opcode that can execute, in the order of their numbers.
            pub const ALL: [Opcode; Opcode::COUNT - 1] = [$(Opcode::$variant),*];

            /// The assembler mnemonic.
            #[must_use]
            pub const fn mnemonic(self) -> &'static str {
                match self {
                    $(Opcode::$variant => $mnemonic,)*
                    Opcode::Illegal => "illegal",
                }
            }

            /// How the operands are laid out.
            #[must_use]
            pub const fn format(self) -> Format {
                match self {
                    $(Opcode::$variant => Format::$format,)*
                    Opcode::Illegal => Format::System,
                }
            }

            /// The word's fixed bits and which bits those are; `None` for [`Opcode::Illegal`].
            #[must_use]
            pub const fn encoding(self) -> Option<(u32, u32)> {
                match self {
                    $(Opcode::$variant => Some(($match, $mask)),)*
                    Opcode::Illegal => None,
                }
            }

            /// The chip whose row the executed instruction is; `None` for opcodes that only
            /// fault. Loads and stores that turn out misaligned go to [`Chip::Misaligned`].
            #[must_use]
            pub const fn chip(self) -> Option<Chip> {
                match self {
                    $(Opcode::$variant => chip!($chip),)*
                    Opcode::Illegal => None,
                }
            }
        }
    };
}

opcodes! {
    Lui    "lui"    U 0x0000_0037 0x0000_007f UpperImmediate;
    Auipc  "auipc"  U 0x0000_0017 0x0000_007f UpperImmediate;
    Jal    "jal"    J 0x0000_006f 0x0000_007f Jump;
    Jalr   "jalr"   I 0x0000_0067 0x0000_707f Jump;
    Beq    "beq"    B 0x0000_0063 0x0000_707f Branch;
    Bne    "bne"    B 0x0000_1063 0x0000_707f Branch;
    Blt    "blt"    B 0x0000_4063 0x0000_707f Branch;
    Bge    "bge"    B 0x0000_5063 0x0000_707f Branch;
    Bltu   "bltu"   B 0x0000_6063 0x0000_707f Branch;
    Bgeu   "bgeu"   B 0x0000_7063 0x0000_707f Branch;
    Lb     "lb"     I 0x0000_0003 0x0000_707f Load;
    Lh     "lh"     I 0x0000_1003 0x0000_707f Load;
    Lw     "lw"     I 0x0000_2003 0x0000_707f Load;
    Ld     "ld"     I 0x0000_3003 0x0000_707f Load;
    Lbu    "lbu"    I 0x0000_4003 0x0000_707f Load;
    Lhu    "lhu"    I 0x0000_5003 0x0000_707f Load;
    Lwu    "lwu"    I 0x0000_6003 0x0000_707f Load;
    Sb     "sb"     S 0x0000_0023 0x0000_707f Store;
    Sh     "sh"     S 0x0000_1023 0x0000_707f Store;
    Sw     "sw"     S 0x0000_2023 0x0000_707f Store;
    Sd     "sd"     S 0x0000_3023 0x0000_707f Store;
    Addi   "addi"   I 0x0000_0013 0x0000_707f AddSub;
    Slti   "slti"   I 0x0000_2013 0x0000_707f LessThan;
    Sltiu  "sltiu"  I 0x0000_3013 0x0000_707f LessThan;
    Xori   "xori"   I 0x0000_4013 0x0000_707f Bitwise;
    Ori    "ori"    I 0x0000_6013 0x0000_707f Bitwise;
    Andi   "andi"   I 0x0000_7013 0x0000_707f Bitwise;
    Slli   "slli"   Shift64 0x0000_1013 0xfc00_707f Shift;
    Srli   "srli"   Shift64 0x0000_5013 0xfc00_707f Shift;
    Srai   "srai"   Shift64 0x4000_5013 0xfc00_707f Shift;
    Add    "add"    R 0x0000_0033 0xfe00_707f AddSub;
    Sub    "sub"    R 0x4000_0033 0xfe00_707f AddSub;
    Sll    "sll"    R 0x0000_1033 0xfe00_707f Shift;
    Slt    "slt"    R 0x0000_2033 0xfe00_707f LessThan;
    Sltu   "sltu"   R 0x0000_3033 0xfe00_707f LessThan;
    Xor    "xor"    R 0x0000_4033 0xfe00_707f Bitwise;
    Srl    "srl"    R 0x0000_5033 0xfe00_707f Shift;
    Sra    "sra"    R 0x4000_5033 0xfe00_707f Shift;
    Or     "or"     R 0x0000_6033 0xfe00_707f Bitwise;
    And    "and"    R 0x0000_7033 0xfe00_707f Bitwise;
    Addiw  "addiw"  I 0x0000_001b 0x0000_707f AddSub;
    Slliw  "slliw"  Shift32 0x0000_101b 0xfe00_707f Shift;
    Srliw  "srliw"  Shift32 0x0000_501b 0xfe00_707f Shift;
    Sraiw  "sraiw"  Shift32 0x4000_501b 0xfe00_707f Shift;
    Addw   "addw"   R 0x0000_003b 0xfe00_707f AddSub;
    Subw   "subw"   R 0x4000_003b 0xfe00_707f AddSub;
    Sllw   "sllw"   R 0x0000_103b 0xfe00_707f Shift;
    Srlw   "srlw"   R 0x0000_503b 0xfe00_707f Shift;
    Sraw   "sraw"   R 0x4000_503b 0xfe00_707f Shift;
    Ecall  "ecall"  System 0x0000_0073 0xffff_ffff System;
    Ebreak "ebreak" System 0x0010_0073 0xffff_ffff Faults;
    Mul    "mul"    R 0x0200_0033 0xfe00_707f Mul;
    Mulh   "mulh"   R 0x0200_1033 0xfe00_707f Mul;
    Mulhsu "mulhsu" R 0x0200_2033 0xfe00_707f Mul;
    Mulhu  "mulhu"  R 0x0200_3033 0xfe00_707f Mul;
    Div    "div"    R 0x0200_4033 0xfe00_707f DivRem;
    Divu   "divu"   R 0x0200_5033 0xfe00_707f DivRem;
    Rem    "rem"    R 0x0200_6033 0xfe00_707f DivRem;
    Remu   "remu"   R 0x0200_7033 0xfe00_707f DivRem;
    Mulw   "mulw"   R 0x0200_003b 0xfe00_707f Mul;
    Divw   "divw"   R 0x0200_403b 0xfe00_707f DivRem;
    Divuw  "divuw"  R 0x0200_503b 0xfe00_707f DivRem;
    Remw   "remw"   R 0x0200_603b 0xfe00_707f DivRem;
    Remuw  "remuw"  R 0x0200_703b 0xfe00_707f DivRem;
    LrW      "lr.w"      LoadReserved 0x1000_202f 0xf9f0_707f Atomic;
    ScW      "sc.w"      Amo 0x1800_202f 0xf800_707f Atomic;
    AmoswapW "amoswap.w" Amo 0x0800_202f 0xf800_707f Atomic;
    AmoaddW  "amoadd.w"  Amo 0x0000_202f 0xf800_707f Atomic;
    AmoxorW  "amoxor.w"  Amo 0x2000_202f 0xf800_707f Atomic;
    AmoandW  "amoand.w"  Amo 0x6000_202f 0xf800_707f Atomic;
    AmoorW   "amoor.w"   Amo 0x4000_202f 0xf800_707f Atomic;
    AmominW  "amomin.w"  Amo 0x8000_202f 0xf800_707f Atomic;
    AmomaxW  "amomax.w"  Amo 0xa000_202f 0xf800_707f Atomic;
    AmominuW "amominu.w" Amo 0xc000_202f 0xf800_707f Atomic;
    AmomaxuW "amomaxu.w" Amo 0xe000_202f 0xf800_707f Atomic;
    LrD      "lr.d"      LoadReserved 0x1000_302f 0xf9f0_707f Atomic;
    ScD      "sc.d"      Amo 0x1800_302f 0xf800_707f Atomic;
    AmoswapD "amoswap.d" Amo 0x0800_302f 0xf800_707f Atomic;
    AmoaddD  "amoadd.d"  Amo 0x0000_302f 0xf800_707f Atomic;
    AmoxorD  "amoxor.d"  Amo 0x2000_302f 0xf800_707f Atomic;
    AmoandD  "amoand.d"  Amo 0x6000_302f 0xf800_707f Atomic;
    AmoorD   "amoor.d"   Amo 0x4000_302f 0xf800_707f Atomic;
    AmominD  "amomin.d"  Amo 0x8000_302f 0xf800_707f Atomic;
    AmomaxD  "amomax.d"  Amo 0xa000_302f 0xf800_707f Atomic;
    AmominuD "amominu.d" Amo 0xc000_302f 0xf800_707f Atomic;
    AmomaxuD "amomaxu.d" Amo 0xe000_302f 0xf800_707f Atomic;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_disjoint_and_within_their_masks() {
        for a in Opcode::ALL {
            let (bits_a, mask_a) = a.encoding().expect("listed opcodes have encodings");
            assert_eq!(bits_a & !mask_a, 0, "{a:?} fixes bits outside its mask");
            for b in Opcode::ALL {
                let (bits_b, mask_b) = b.encoding().expect("listed opcodes have encodings");
                let common = mask_a & mask_b;
                assert!(
                    a == b || bits_a & common != bits_b & common,
                    "{a:?} overlaps {b:?}"
                );
            }
        }
    }

    #[test]
    fn chips_are_listed_in_the_order_of_their_numbers() {
        for (number, chip) in Chip::ALL.into_iter().enumerate() {
            assert_eq!(chip as usize, number);
        }
        for (number, opcode) in Opcode::ALL.into_iter().enumerate() {
            assert_eq!(opcode as usize, number);
        }
    }
}
