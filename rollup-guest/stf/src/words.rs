//! Public outputs: structures of 32-byte words, as `abi.encode` has them, so that a contract hashes
//! and compares them as they are.

use alloy_primitives::{Address, B256, U256};

/// What a word of a public output is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WordKind {
    /// 32 bytes.
    Hash,
    /// Of 64 bits.
    Number,
    /// Of 256 bits.
    Amount,
    /// The last 20 bytes.
    Address,
    /// 0 or 1.
    Flag,
    /// [`crate::rollup::Verdict`].
    Verdict,
    /// [`crate::rollup::Mode`].
    Mode,
}

/// What fits a word, in one form.
pub(crate) trait Word: Sized {
    const KIND: WordKind;

    fn to_word(&self) -> B256;

    /// `None` if the word is none of the type's.
    fn from_word(word: B256) -> Option<Self>;
}

impl Word for B256 {
    const KIND: WordKind = WordKind::Hash;

    fn to_word(&self) -> B256 {
        *self
    }

    fn from_word(word: B256) -> Option<Self> {
        Some(word)
    }
}

impl Word for U256 {
    const KIND: WordKind = WordKind::Amount;

    fn to_word(&self) -> B256 {
        B256::from(*self)
    }

    fn from_word(word: B256) -> Option<Self> {
        Some(word.into())
    }
}

impl Word for u64 {
    const KIND: WordKind = WordKind::Number;

    fn to_word(&self) -> B256 {
        U256::from(*self).to_word()
    }

    fn from_word(word: B256) -> Option<Self> {
        U256::from_word(word)?.try_into().ok()
    }
}

impl Word for bool {
    const KIND: WordKind = WordKind::Flag;

    fn to_word(&self) -> B256 {
        u64::from(*self).to_word()
    }

    fn from_word(word: B256) -> Option<Self> {
        match u64::from_word(word)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }
}

impl Word for Address {
    const KIND: WordKind = WordKind::Address;

    fn to_word(&self) -> B256 {
        self.into_word()
    }

    fn from_word(word: B256) -> Option<Self> {
        let address = Address::from_word(word);
        (address.into_word() == word).then_some(address)
    }
}

/// Declares a structure whose fields are words, with its encoding.
macro_rules! words {
    (
        $(#[$attribute:meta])*
        pub struct $name:ident {
            $($(#[$field_attribute:meta])* pub $field:ident: $kind:ty,)*
        }
    ) => {
        $(#[$attribute])*
        pub struct $name {
            $($(#[$field_attribute])* pub $field: $kind,)*
        }

        impl $name {
            /// Number of words.
            pub const WORDS: usize = [$(stringify!($field)),*].len();

            /// Names of the fields, and what they are.
            pub const FIELDS: [(&'static str, $crate::words::WordKind); Self::WORDS] =
                [$((stringify!($field), <$kind as $crate::words::Word>::KIND)),*];

            /// The fields in their order, as `abi.encode` has them: 32 bytes each.
            #[must_use]
            pub fn to_bytes(&self) -> alloc::vec::Vec<u8> {
                [$($crate::words::Word::to_word(&self.$field)),*].concat()
            }

            /// Reads [`Self::to_bytes`]; `None` if they are of another length or form.
            #[must_use]
            pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
                let (words, []) = bytes.as_chunks::<32>() else {
                    return None;
                };
                let [$($field),*] = *<&[[u8; 32]; Self::WORDS]>::try_from(words).ok()?;
                Some($name {
                    $($field: $crate::words::Word::from_word($field.into())?,)*
                })
            }

            /// The hash of the words.
            #[must_use]
            pub fn digest(&self) -> alloy_primitives::B256 {
                alloy_primitives::keccak256(self.to_bytes())
            }
        }
    };
}

pub(crate) use words;
