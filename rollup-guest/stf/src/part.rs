//! The parts of a validation, so that a guest can say what each of them costs.

use core::fmt;

/// A part of a validation, for [`Source::within`].
///
/// [`Source::within`]: crate::witness::Source::within
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The block or its transactions are decoded; of a batch, their signatures are checked.
    Decoding,
    /// A block is executed, system calls included. Its number.
    Block(u64),
    /// A transaction is executed. Its position in the block.
    Transaction(usize),
    /// Receipts, gas and the like are compared with the header or put into it.
    Header,
    /// The state's root is computed.
    StateRoot,
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Decoding => f.write_str("decoding"),
            Part::Block(number) => write!(f, "block {number}"),
            Part::Transaction(index) => write!(f, "transaction {index}"),
            Part::Header => f.write_str("header"),
            Part::StateRoot => f.write_str("state root"),
        }
    }
}
