//! Ways to break a rule.

use zkvm_rollup_stf::rollup::Verdict;

/// What is wrong with a batch: one thing only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the table below has a sentence for each")]
pub enum Violation {
    NoBytes,
    Noise,
    Truncated,
    Trailing,
    Version,
    UnknownMode,
    NoBlocks,
    LongExtra,
    ManyBlocks,
    ManyBytes,
    ChainId,
    Index,
    Parent,
    Anchor,
    OtherSequencer,
    NoSequencer,
    TwoLeaders,
    OtherEpoch,
    Resealed,
    OtherSeal,
    Reposted,
    SealParity,
    HighS,
    Parity,
    ZeroR,
    LargeR,
    Early,
    Late,
    SlotTwice,
    OldSlot,
    Stale,
    ForcedMore,
    ForcedLess,
    TipOrder,
    TieOrder,
    SenderOrder,
    NoTransaction,
    Nonce,
    Balance,
    TransactionChain,
    IntrinsicGas,
    Fee,
    Blob,
    LaterType,
    GasLimitUp,
    GasLimitDown,
    GasLimitMax,
    TransactionGas,
    Burn,
    OptIn,
    Withdrawal,
    AtRisk,
    Probation,
}

impl Violation {
    /// All of them with the verdict that each has and a description, the cheapest of each verdict
    /// first.
    pub const ALL: [(Violation, Verdict, &'static str); 53] = [
        (Self::NoBytes, Verdict::Decode, "nothing is posted"),
        (Self::Noise, Verdict::Decode, "what is posted is noise"),
        (
            Self::Truncated,
            Verdict::Decode,
            "the last bytes are missing",
        ),
        (Self::Trailing, Verdict::Decode, "a byte is left over"),
        (
            Self::Version,
            Verdict::Decode,
            "the format is of another version",
        ),
        (Self::UnknownMode, Verdict::Decode, "the mode is unknown"),
        (Self::NoBlocks, Verdict::Decode, "there is no block"),
        (
            Self::LongExtra,
            Verdict::Decode,
            "a block's extra bytes are too many",
        ),
        (
            Self::ManyBlocks,
            Verdict::Decode,
            "there are too many blocks",
        ),
        (Self::ManyBytes, Verdict::Decode, "there are too many bytes"),
        (Self::ChainId, Verdict::Link, "it is of another chain"),
        (Self::Index, Verdict::Link, "it is not the next batch"),
        (Self::Parent, Verdict::Link, "it names another parent"),
        (Self::Anchor, Verdict::Link, "it names another L1 block"),
        (
            Self::OtherSequencer,
            Verdict::Leader,
            "another sequencer signs",
        ),
        (Self::NoSequencer, Verdict::Leader, "who signs has no stake"),
        (
            Self::TwoLeaders,
            Verdict::Leader,
            "a second leader adds a block",
        ),
        (
            Self::OtherEpoch,
            Verdict::Leader,
            "a block is in the next epoch",
        ),
        (
            Self::Resealed,
            Verdict::Leader,
            "a block is changed after it is signed",
        ),
        (
            Self::OtherSeal,
            Verdict::Leader,
            "another sequencer signs the whole",
        ),
        (
            Self::Reposted,
            Verdict::Leader,
            "the mode is changed after the whole is signed",
        ),
        (
            Self::SealParity,
            Verdict::Signature,
            "the whole's signature has parity 2",
        ),
        (
            Self::Parity,
            Verdict::Signature,
            "a signature's parity is 2",
        ),
        (Self::ZeroR, Verdict::Signature, "a signature's r is zero"),
        (
            Self::LargeR,
            Verdict::Signature,
            "a signature's r is out of range",
        ),
        (
            Self::HighS,
            Verdict::Signature,
            "a signature's s is in the upper half",
        ),
        (Self::Early, Verdict::Time, "a block is before its slot"),
        (
            Self::Late,
            Verdict::Time,
            "a block is after its batch's L1 block",
        ),
        (Self::SlotTwice, Verdict::Time, "two blocks are in one slot"),
        (
            Self::OldSlot,
            Verdict::Time,
            "a block is in its parent's slot",
        ),
        (
            Self::Stale,
            Verdict::Time,
            "the L1 block is much newer than the blocks",
        ),
        (
            Self::ForcedMore,
            Verdict::Forced,
            "it forces items that L1 does not ask for",
        ),
        (
            Self::ForcedLess,
            Verdict::Forced,
            "it leaves out a forced item",
        ),
        (Self::TipOrder, Verdict::Order, "a lower tip comes first"),
        (
            Self::TieOrder,
            Verdict::Order,
            "two equal tips are in the wrong order",
        ),
        (
            Self::SenderOrder,
            Verdict::Order,
            "a sender's second tip lifts its first",
        ),
        (
            Self::NoTransaction,
            Verdict::Transaction,
            "a transaction does not decode",
        ),
        (Self::Nonce, Verdict::Transaction, "a nonce is too high"),
        (Self::Balance, Verdict::Transaction, "a sender has nothing"),
        (
            Self::TransactionChain,
            Verdict::Transaction,
            "a transaction is of another chain",
        ),
        (
            Self::IntrinsicGas,
            Verdict::Transaction,
            "a transaction's gas is too little to begin",
        ),
        (
            Self::Fee,
            Verdict::Transaction,
            "a transaction pays less than the base fee",
        ),
        (Self::Blob, Verdict::Transaction, "a transaction has blobs"),
        (
            Self::LaterType,
            Verdict::Transaction,
            "a transaction is of a later fork",
        ),
        (
            Self::GasLimitUp,
            Verdict::Gas,
            "the gas limit rises too fast",
        ),
        (
            Self::GasLimitDown,
            Verdict::Gas,
            "the gas limit falls too fast",
        ),
        (
            Self::GasLimitMax,
            Verdict::Gas,
            "the gas limit is above the chain's",
        ),
        (
            Self::TransactionGas,
            Verdict::Gas,
            "a transaction asks for more gas than the block has",
        ),
        (Self::Burn, Verdict::ZkGas, "it takes too much to prove"),
        (Self::OptIn, Verdict::Mode, "a transaction asks for a proof"),
        (
            Self::Withdrawal,
            Verdict::Mode,
            "the withdrawals ask for a proof",
        ),
        (
            Self::AtRisk,
            Verdict::Mode,
            "the value at risk asks for a proof",
        ),
        (
            Self::Probation,
            Verdict::Mode,
            "the leader's last fault asks for a proof",
        ),
    ];

    /// Whether F finds who leads a batch with it, in so many slots: then it is that leader's fault.
    pub(super) fn is_led(self, slots: usize) -> bool {
        let is_of_first = self == Self::OtherEpoch && slots == 1;
        let is_of_whole = matches!(self, Self::OtherSeal | Self::Reposted | Self::SealParity);
        let found = Self::ALL.iter().find(|(it, ..)| *it == self);
        let is_read = found
            .is_some_and(|(_, verdict, _)| !matches!(verdict, Verdict::Decode | Verdict::Link));
        is_read && !is_of_first && !is_of_whole
    }

    /// Its sentence.
    #[must_use]
    pub fn description(self) -> &'static str {
        let found = Self::ALL.iter().find(|(it, ..)| *it == self);
        found.map_or("", |(.., description)| description)
    }

    /// Those that have a verdict, the cheapest first.
    pub fn with(verdict: Verdict) -> impl Iterator<Item = Violation> {
        Self::ALL
            .into_iter()
            .filter(move |(_, its, _)| *its == verdict)
            .map(|(violation, ..)| violation)
    }
}
