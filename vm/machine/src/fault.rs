//! What stops a guest that does something the machine does not do.

use std::fmt;

use zkvm_isa::{Opcode, Precompile, Unsupported, decode, layout};

use crate::precompile::OperandError;

/// How a guest touched memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Access {
    /// Read.
    Load,
    /// Write.
    Store,
}

/// What went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// The pc left the executable segments.
    FetchOutsideText,
    /// The pc is not aligned as instructions must be.
    FetchMisaligned,
    /// The word at the pc is no instruction of the machine.
    IllegalInstruction {
        /// Its encoding.
        word: u32,
        /// The known extension it belongs to, if any.
        unsupported: Option<Unsupported>,
    },
    /// `ebreak`.
    Breakpoint,
    /// An access to an address where nothing is mapped.
    Unmapped {
        /// Load or store.
        access: Access,
        /// The address.
        address: u64,
    },
    /// A store to code, constants or the input.
    ReadOnly {
        /// The address.
        address: u64,
    },
    /// An atomic access that is not naturally aligned.
    MisalignedAtomic {
        /// The address.
        address: u64,
    },
    /// An `ecall` with a number the machine does not know.
    UnknownSystemCall {
        /// The value of `a7`.
        number: u64,
    },
    /// A read or write of a descriptor the machine does not have.
    UnknownDescriptor {
        /// The value of `a0`.
        descriptor: u64,
    },
    /// A transfer above the limit of one call.
    TransferTooLong {
        /// The value of `a2`.
        length: u64,
    },
    /// A journal, hint or operand pointer that is not 8-byte aligned.
    TransferMisaligned {
        /// The pointer.
        address: u64,
    },
    /// A precompile's operand that has no result.
    Operand {
        /// The precompile.
        precompile: Precompile,
        /// What is wrong with it.
        error: OperandError,
    },
    /// A journal write after one that ended inside a word.
    JournalRagged {
        /// Bytes in the journal.
        length: u64,
    },
}

/// A fault: what, where and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What went wrong.
    pub kind: FaultKind,
    /// Address of the instruction.
    pub pc: u64,
    /// Instructions executed before it.
    pub cycle: u64,
    /// The stack pointer.
    pub stack_pointer: u64,
}

impl Fault {
    /// Whether this is a push below the stack: an unmapped access in the stack guard.
    #[must_use]
    pub fn is_stack_overflow(&self) -> bool {
        let guard = u64::from(layout::HEAP_END)..u64::from(layout::STACK_START);
        matches!(self.kind, FaultKind::Unmapped { address, .. } if guard.contains(&address))
    }
}

/// The fault of executing what the decoder called illegal.
pub(crate) fn illegal(pc: u64, bits: i32, compressed: bool) -> FaultKind {
    let alignment = if compressed { 2 } else { 4 };
    if !pc.is_multiple_of(alignment) {
        return FaultKind::FetchMisaligned;
    }
    let word = bits.cast_unsigned();
    let decoded = decode(word);
    // A legal word is here only where its extension is off: compressed in a program without it.
    let is_illegal = decoded.instruction.opcode() == Opcode::Illegal;
    let unsupported = decoded.unsupported.filter(|_| is_illegal);
    FaultKind::IllegalInstruction { word, unsupported }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FaultKind::FetchOutsideText => f.write_str("jump outside the program's code"),
            FaultKind::FetchMisaligned => f.write_str("jump to a misaligned address"),
            FaultKind::IllegalInstruction {
                word,
                unsupported: Some(extension),
            } => {
                write!(f, "unsupported instruction {word:#010x}: {extension}")
            }
            FaultKind::IllegalInstruction {
                word,
                unsupported: None,
            } => {
                write!(f, "illegal instruction {word:#010x}")
            }
            FaultKind::Breakpoint => f.write_str("breakpoint (ebreak)"),
            FaultKind::Unmapped { access, address } => {
                let verb = match access {
                    Access::Load => "load from",
                    Access::Store => "store to",
                };
                let place = match u32::try_from(*address) {
                    Ok(address) if address < layout::IMAGE_START => " (null page)",
                    Ok(address) if (layout::HEAP_END..layout::STACK_START).contains(&address) => {
                        " (stack guard)"
                    }
                    Ok(_) => "",
                    Err(_) => " (beyond the 32-bit address space)",
                };
                write!(f, "{verb} unmapped address {address:#x}{place}")
            }
            FaultKind::ReadOnly { address } => {
                write!(f, "store to read-only address {address:#x}")
            }
            FaultKind::MisalignedAtomic { address } => {
                write!(f, "atomic access to misaligned address {address:#x}")
            }
            FaultKind::UnknownSystemCall { number } => {
                write!(f, "unknown system call {number:#x}")
            }
            FaultKind::UnknownDescriptor { descriptor } => {
                write!(f, "unknown descriptor {descriptor}")
            }
            FaultKind::TransferTooLong { length } => {
                write!(
                    f,
                    "system call transfer of {length} bytes, the limit is 65536"
                )
            }
            FaultKind::TransferMisaligned { address } => {
                write!(f, "system call buffer {address:#x} is not 8-byte aligned")
            }
            FaultKind::Operand { precompile, error } => {
                write!(f, "{} of what has no result: {error}", precompile.name())
            }
            FaultKind::JournalRagged { length } => {
                write!(
                    f,
                    "journal write after one that left it at {length} bytes, inside a word"
                )
            }
        }
    }
}
