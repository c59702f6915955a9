//! The four-byte instructions of RV64I, M, A and Zifencei.
//!
//! ```text
//!      31      25 24  20 19  15 14  12 11         7 6     0
//! R    funct7     rs2    rs1    funct3 rd           opcode
//! I    imm[11:0]         rs1    funct3 rd           opcode
//! S    imm[11:5]  rs2    rs1    funct3 imm[4:0]     opcode
//! B    imm[12|10:5] rs2  rs1    funct3 imm[4:1|11]  opcode
//! U    imm[31:12]                      rd           opcode
//! J    imm[20|10:1|11|19:12]           rd           opcode
//! ```
//!
//! Operands come in the assembler's order. The tables at the end of each family (such as
//! [`REGISTER_OPS`]) let tests walk over it.

use super::{Encoded, Order, Reg, assert_signed, place};

/// Encoder of an instruction on two registers.
pub type RegisterOp = fn(Reg, Reg, Reg) -> Encoded;
/// Encoder of an instruction on a register and a signed 12-bit immediate.
pub type ImmediateOp = fn(Reg, Reg, i32) -> Encoded;
/// Encoder of a shift by an immediate amount.
pub type ShiftOp = fn(Reg, Reg, u32) -> Encoded;
/// Encoder of a load or a store: register, base, offset.
pub type MemoryOp = fn(Reg, Reg, i32) -> Encoded;
/// Encoder of a conditional branch: two registers and an offset.
pub type BranchOp = fn(Reg, Reg, i32) -> Encoded;
/// Encoder of an atomic read-modify-write: destination, operand, address, ordering.
pub type AtomicOp = fn(Reg, Reg, Reg, Order) -> Encoded;

const LUI: u32 = 0x37;
const AUIPC: u32 = 0x17;
const JAL: u32 = 0x6f;
const JALR: u32 = 0x67;
const BRANCH: u32 = 0x63;
const LOAD: u32 = 0x03;
const STORE: u32 = 0x23;
const OP_IMM: u32 = 0x13;
const OP: u32 = 0x33;
const OP_IMM_32: u32 = 0x1b;
const OP_32: u32 = 0x3b;
const MISC_MEM: u32 = 0x0f;
const SYSTEM: u32 = 0x73;
const AMO: u32 = 0x2f;

/// What compilers emit where execution must not arrive: `csrrw x0, cycle, x0`, a write to a
/// read-only register.
pub const UNIMP_WORD: u32 = 0xc000_1073;

fn r_type(opcode: u32, funct3: u32, funct7: u32, [rd, rs1, rs2]: [Reg; 3]) -> u32 {
    funct7 << 25 | rs2.field() << 20 | rs1.field() << 15 | funct3 << 12 | rd.field() << 7 | opcode
}

fn i_type(
    name: &'static str,
    [opcode, funct3]: [u32; 2],
    [rd, rs1]: [Reg; 2],
    imm: i32,
) -> Encoded {
    assert_signed(name, imm, 12);
    let registers = rs1.field() << 15 | rd.field() << 7;
    Encoded::long(
        name,
        place(imm as u32, 11, 0, 20) | registers | funct3 << 12 | opcode,
    )
}

macro_rules! register_ops {
    ($($name:ident $opcode:ident $funct3:literal $funct7:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), " rd, rs1, rs2`")]
            pub fn $name(rd: Reg, rs1: Reg, rs2: Reg) -> Encoded {
                let bits = r_type($opcode, $funct3, $funct7, [rd, rs1, rs2]);
                Encoded::long(stringify!($name), bits)
            }
        )*
        /// Every instruction on two registers, `add` to `remuw`.
        pub const REGISTER_OPS: &[RegisterOp] = &[$($name),*];
    };
}

register_ops! {
    add    OP    0 0x00;
    sub    OP    0 0x20;
    sll    OP    1 0x00;
    slt    OP    2 0x00;
    sltu   OP    3 0x00;
    xor    OP    4 0x00;
    srl    OP    5 0x00;
    sra    OP    5 0x20;
    or     OP    6 0x00;
    and    OP    7 0x00;
    addw   OP_32 0 0x00;
    subw   OP_32 0 0x20;
    sllw   OP_32 1 0x00;
    srlw   OP_32 5 0x00;
    sraw   OP_32 5 0x20;
    mul    OP    0 0x01;
    mulh   OP    1 0x01;
    mulhsu OP    2 0x01;
    mulhu  OP    3 0x01;
    div    OP    4 0x01;
    divu   OP    5 0x01;
    rem    OP    6 0x01;
    remu   OP    7 0x01;
    mulw   OP_32 0 0x01;
    divw   OP_32 4 0x01;
    divuw  OP_32 5 0x01;
    remw   OP_32 6 0x01;
    remuw  OP_32 7 0x01;
}

macro_rules! immediate_ops {
    ($($name:ident $opcode:ident $funct3:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), " rd, rs1, imm`")]
            pub fn $name(rd: Reg, rs1: Reg, imm: i32) -> Encoded {
                i_type(stringify!($name), [$opcode, $funct3], [rd, rs1], imm)
            }
        )*
        /// Every instruction on a register and a signed 12-bit immediate.
        pub const IMMEDIATE_OPS: &[ImmediateOp] = &[$($name),*];
    };
}

immediate_ops! {
    addi  OP_IMM    0;
    slti  OP_IMM    2;
    sltiu OP_IMM    3;
    xori  OP_IMM    4;
    ori   OP_IMM    6;
    andi  OP_IMM    7;
    addiw OP_IMM_32 0;
}

macro_rules! shift_ops {
    ($($name:ident $opcode:ident $funct3:literal $funct7:literal $width:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), " rd, rs1, shamt`, amounts below ", $width)]
            pub fn $name(rd: Reg, rs1: Reg, shamt: u32) -> Encoded {
                assert!(shamt < $width, "{}: shift by {shamt}", stringify!($name));
                let registers = r_type($opcode, $funct3, $funct7, [rd, rs1, Reg::ZERO]);
                Encoded::long(stringify!($name), shamt << 20 | registers)
            }
        )*
        /// The shifts of 64 bits by an immediate, then those of 32 bits.
        pub const SHIFT_OPS: &[ShiftOp] = &[$($name),*];
    };
}

shift_ops! {
    slli  OP_IMM    1 0x00 64;
    srli  OP_IMM    5 0x00 64;
    srai  OP_IMM    5 0x20 64;
    slliw OP_IMM_32 1 0x00 32;
    srliw OP_IMM_32 5 0x00 32;
    sraiw OP_IMM_32 5 0x20 32;
}

macro_rules! loads {
    ($($name:ident $funct3:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), " rd, offset(rs1)`")]
            pub fn $name(rd: Reg, rs1: Reg, offset: i32) -> Encoded {
                i_type(stringify!($name), [LOAD, $funct3], [rd, rs1], offset)
            }
        )*
        /// Every load with its width in bytes.
        pub const LOADS: &[(MemoryOp, u32)] = &[$(($name, 1 << ($funct3 & 3))),*];
    };
}

loads! { lb 0; lh 1; lw 2; ld 3; lbu 4; lhu 5; lwu 6; }

macro_rules! stores {
    ($($name:ident $funct3:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), " rs2, offset(rs1)`")]
            pub fn $name(rs2: Reg, rs1: Reg, offset: i32) -> Encoded {
                assert_signed(stringify!($name), offset, 12);
                let offset = place(offset as u32, 11, 5, 25) | place(offset as u32, 4, 0, 7);
                let registers = r_type(STORE, $funct3, 0, [Reg::ZERO, rs1, rs2]);
                Encoded::long(stringify!($name), offset | registers)
            }
        )*
        /// Every store with its width in bytes.
        pub const STORES: &[(MemoryOp, u32)] = &[$(($name, 1 << $funct3)),*];
    };
}

stores! { sb 0; sh 1; sw 2; sd 3; }

macro_rules! branches {
    ($($name:ident $funct3:literal;)*) => {
        $(
            #[doc = concat!("`", stringify!($name), " rs1, rs2, pc + offset`")]
            pub fn $name(rs1: Reg, rs2: Reg, offset: i32) -> Encoded {
                assert_even(stringify!($name), offset, 13);
                let imm = offset as u32;
                let high = place(imm, 12, 12, 31) | place(imm, 10, 5, 25);
                let low = place(imm, 4, 1, 8) | place(imm, 11, 11, 7);
                let registers = r_type(BRANCH, $funct3, 0, [Reg::ZERO, rs1, rs2]);
                Encoded::long(stringify!($name), high | low | registers)
            }
        )*
        /// Every conditional branch.
        pub const BRANCHES: &[BranchOp] = &[$($name),*];
    };
}

branches! { beq 0; bne 1; blt 4; bge 5; bltu 6; bgeu 7; }

fn assert_even(name: &str, offset: i32, bits: u32) {
    assert_signed(name, offset, bits);
    assert_eq!(offset & 1, 0, "{name}: the offset {offset} is odd");
}

fn u_type(name: &'static str, opcode: u32, rd: Reg, imm20: u32) -> Encoded {
    assert!(imm20 < 1 << 20, "{name}: {imm20} does not fit in 20 bits");
    Encoded::long(name, imm20 << 12 | rd.field() << 7 | opcode)
}

/// `lui rd, imm20`; `imm20` is the field itself, bits 31 to 12 of the constant
pub fn lui(rd: Reg, imm20: u32) -> Encoded {
    u_type("lui", LUI, rd, imm20)
}

/// `auipc rd, imm20`; `imm20` is the field itself, bits 31 to 12 of the constant
pub fn auipc(rd: Reg, imm20: u32) -> Encoded {
    u_type("auipc", AUIPC, rd, imm20)
}

/// `jal rd, pc + offset`
pub fn jal(rd: Reg, offset: i32) -> Encoded {
    assert_even("jal", offset, 21);
    let imm = offset as u32;
    let high = place(imm, 20, 20, 31) | place(imm, 10, 1, 21);
    let low = place(imm, 11, 11, 20) | place(imm, 19, 12, 12);
    Encoded::long("jal", high | low | rd.field() << 7 | JAL)
}

/// `jalr rd, offset(rs1)`
pub fn jalr(rd: Reg, rs1: Reg, offset: i32) -> Encoded {
    i_type("jalr", [JALR, 0], [rd, rs1], offset)
}

/// `fence predecessor, successor`; each set is four bits, `iorw`
pub fn fence(predecessor: u32, successor: u32) -> Encoded {
    assert!(
        predecessor < 16 && successor < 16,
        "fence: a set has four bits"
    );
    Encoded::long("fence", predecessor << 24 | successor << 20 | MISC_MEM)
}

/// `fence.tso`, a fence with mode 8 and both sets `rw`
pub fn fence_tso() -> Encoded {
    Encoded::long("fence", 8 << 28 | 3 << 24 | 3 << 20 | MISC_MEM)
}

/// `fence.i`
pub fn fence_i() -> Encoded {
    Encoded::long("fence.i", 1 << 12 | MISC_MEM)
}

/// `ecall`
pub fn ecall() -> Encoded {
    Encoded::long("ecall", SYSTEM)
}

/// `ebreak`
pub fn ebreak() -> Encoded {
    Encoded::long("ebreak", 1 << 20 | SYSTEM)
}

macro_rules! atomics {
    ($($name:ident $mnemonic:literal $funct5:literal $funct3:literal;)*) => {
        $(
            #[doc = concat!("`", $mnemonic, " rd, rs2, (rs1)`")]
            pub fn $name(rd: Reg, rs2: Reg, rs1: Reg, order: Order) -> Encoded {
                let funct7 = $funct5 << 2 | order.field();
                Encoded::long($mnemonic, r_type(AMO, $funct3, funct7, [rd, rs1, rs2]))
            }
        )*
        /// Every read-modify-write instruction with its width in bytes.
        pub const ATOMICS: &[(AtomicOp, u32)] = &[$(($name, 1 << $funct3)),*];
    };
}

atomics! {
    amoadd_w  "amoadd.w"  0x00 2;
    amoswap_w "amoswap.w" 0x01 2;
    amoxor_w  "amoxor.w"  0x04 2;
    amoor_w   "amoor.w"   0x08 2;
    amoand_w  "amoand.w"  0x0c 2;
    amomin_w  "amomin.w"  0x10 2;
    amomax_w  "amomax.w"  0x14 2;
    amominu_w "amominu.w" 0x18 2;
    amomaxu_w "amomaxu.w" 0x1c 2;
    amoadd_d  "amoadd.d"  0x00 3;
    amoswap_d "amoswap.d" 0x01 3;
    amoxor_d  "amoxor.d"  0x04 3;
    amoor_d   "amoor.d"   0x08 3;
    amoand_d  "amoand.d"  0x0c 3;
    amomin_d  "amomin.d"  0x10 3;
    amomax_d  "amomax.d"  0x14 3;
    amominu_d "amominu.d" 0x18 3;
    amomaxu_d "amomaxu.d" 0x1c 3;
}

fn reservation(name: &'static str, widths: [u32; 2], registers: [Reg; 3], order: Order) -> Encoded {
    let [funct5, funct3] = widths;
    Encoded::long(
        name,
        r_type(AMO, funct3, funct5 << 2 | order.field(), registers),
    )
}

/// `lr.w rd, (rs1)`
pub fn lr_w(rd: Reg, rs1: Reg, order: Order) -> Encoded {
    reservation("lr.w", [2, 2], [rd, rs1, Reg::ZERO], order)
}

/// `lr.d rd, (rs1)`
pub fn lr_d(rd: Reg, rs1: Reg, order: Order) -> Encoded {
    reservation("lr.d", [2, 3], [rd, rs1, Reg::ZERO], order)
}

/// `sc.w rd, rs2, (rs1)`
pub fn sc_w(rd: Reg, rs2: Reg, rs1: Reg, order: Order) -> Encoded {
    reservation("sc.w", [3, 2], [rd, rs1, rs2], order)
}

/// `sc.d rd, rs2, (rs1)`
pub fn sc_d(rd: Reg, rs2: Reg, rs1: Reg, order: Order) -> Encoded {
    reservation("sc.d", [3, 3], [rd, rs1, rs2], order)
}
