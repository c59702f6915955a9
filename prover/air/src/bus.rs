//! The buses on which rows meet.

use alloc::string::String;
use alloc::vec::Vec;

use crate::Expr;

/// A bus: a multiset of messages that must balance over all chips of its [`Scope`].
///
/// The discriminants separate the buses inside one LogUp argument: a message's first element is
/// its bus, so that no message of one bus can stand in for one of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Bus {
    /// `(half pc, clock)`: each executed instruction receives its state and sends the next. The
    /// half pc is the address divided by 2, unique below the field's characteristic.
    State = 1,
    /// `(half pc, operation, rd, writes, rs1, rs2, four immediate limbs, next half pc, target half
    /// pc)`: look-up into the program table.
    Program = 2,
    /// `(space, address, four 16-bit limbs, clock)`: registers and memory.
    Memory = 3,
    /// `(value)`: the value is below 2^16.
    Range16 = 4,
    /// `(a, b)`: both are below 2^8.
    Bytes = 5,
    /// `(operation, a, b, a op b)` on bytes.
    Bitwise = 6,
    /// `(word index)`: links the rows of the memory tables into one ascending chain. Global.
    Chain = 7,
    /// `(first word, last word, space, is input)`: look-up into the program's mapped regions.
    Region = 8,
    /// `(clock, word index, offset, bytes left, direction)`: a system call's words still to move.
    Transfer = 9,
    /// `(offset, bytes, four limbs)`: what the guest writes to its journal.
    Journal = 10,
    /// `(low limb, high limb)`: the exit code of the halt.
    Halt = 11,
    /// `(space, address, four 16-bit limbs, segment)`: registers and memory between segments; the
    /// segment is 1 + the number of the one that left the value, 0 for the initial memory. Global.
    Boundary = 12,
    /// `(clock, call, word index of a0, of a1, of a2)`: a system call hands itself to the chip of
    /// its precompile. The call is a `Precompile`'s discriminant.
    Precompile = 13,
    /// `(clock, rounds done, 100 limbs)`: the state of a keccak permutation between two rounds, lane
    /// after lane, four 16-bit limbs each.
    Keccak = 14,
    /// `(clock, rounds done, 16 limbs, 32 limbs)`: a SHA-256 compression between two rounds: `a` to
    /// `h`, then the next 16 words of the message schedule, two 16-bit limbs each.
    Sha256 = 15,
}

impl Bus {
    /// Every bus.
    pub const ALL: [Bus; 15] = [
        Bus::State,
        Bus::Program,
        Bus::Memory,
        Bus::Range16,
        Bus::Bytes,
        Bus::Bitwise,
        Bus::Chain,
        Bus::Region,
        Bus::Transfer,
        Bus::Journal,
        Bus::Halt,
        Bus::Boundary,
        Bus::Precompile,
        Bus::Keccak,
        Bus::Sha256,
    ];

    /// Over which tables the bus balances.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Bus::Chain | Bus::Boundary => Scope::Execution,
            Bus::State
            | Bus::Program
            | Bus::Memory
            | Bus::Range16
            | Bus::Bytes
            | Bus::Bitwise
            | Bus::Region
            | Bus::Transfer
            | Bus::Journal
            | Bus::Halt
            | Bus::Precompile
            | Bus::Keccak
            | Bus::Sha256 => Scope::Segment,
        }
    }

    /// Number of elements of a message, without the bus.
    #[must_use]
    pub const fn width(self) -> usize {
        match self {
            Bus::State | Bus::Bytes | Bus::Halt => 2,
            Bus::Program => 12,
            Bus::Memory | Bus::Boundary => 7,
            Bus::Range16 | Bus::Chain => 1,
            Bus::Bitwise | Bus::Region => 4,
            Bus::Transfer | Bus::Precompile => 5,
            Bus::Journal => 6,
            Bus::Keccak => 102,
            Bus::Sha256 => 50,
        }
    }
}

/// Over which tables a bus balances.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Scope {
    /// Over the tables of one proof, under challenges drawn after they were committed to.
    Segment,
    /// Over the tables of all proofs of an execution, under one challenge drawn after all of the
    /// tables that speak on such buses were committed to.
    Execution,
}

/// A message that every row sends with some multiplicity.
#[derive(Clone, Debug)]
pub struct Interaction {
    /// What it is about, for reports.
    pub name: String,
    /// The bus.
    pub bus: Bus,
    /// How often it is sent; negative if it is received.
    pub multiplicity: Expr,
    /// The message, without the bus.
    pub values: Vec<Expr>,
}
