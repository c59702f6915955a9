//! Decoding that asks for no more memory than the length of the bytes allows.
//!
//! The encoding is postcard's. Postcard reads the numbers; lists are read here, and paid for: before
//! a list's first element is read, the memory of all its elements is taken from a budget, which is
//! [`MEMORY_PER_BYTE`] times the length of the bytes. An empty list is one byte of the encoding and
//! 24 of memory, so that bytes made to harm would take many times what an honest proof takes.
//!
//! For bytes of length `n` the decoder has asked at any time for at most `3 · MEMORY_PER_BYTE · n`
//! bytes and 1 MiB. Serde reserves a list's memory at once, up to 1 MiB of it; a longer list then
//! doubles what it has whenever that is full, and holds the old and the new while it moves. The 1 MiB
//! is the one reservation that is not paid for yet.

use alloc::string::{String, ToString};
use core::fmt;

use serde::Deserialize;
use serde::de::value::U32Deserializer;
use serde::de::{DeserializeSeed, EnumAccess, IntoDeserializer, SeqAccess, VariantAccess, Visitor};
use serde::{Deserializer, forward_to_deserialize_any};
use thiserror::Error;

/// Memory of lists' elements per byte of the encoding, in bytes.
///
/// No proof needs more: a number is four bytes in both; a row of one number, the shortest there is, is
/// five bytes and 28 in memory. Honest proofs take less than twice their length.
pub(crate) const MEMORY_PER_BYTE: usize = 6;

/// Reads a value. Bytes after it are ignored.
pub(crate) fn from_bytes<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, Fault> {
    let mut decoder = Decoder {
        rest: bytes,
        budget_bytes: bytes.len().saturating_mul(MEMORY_PER_BYTE),
    };
    T::deserialize(&mut decoder)
}

/// Why bytes cannot be read.
#[derive(Debug, Error)]
pub(crate) enum Fault {
    /// A number cannot be read.
    #[error(transparent)]
    Number(#[from] postcard::Error),
    /// A list is longer than the bytes that are left.
    #[error("a list of {count} elements does not end")]
    Length {
        /// Its length.
        count: u64,
    },
    /// The lists take more memory than any proof's of this length.
    #[error("its lists are made to take memory, {MEMORY_PER_BYTE} times its length")]
    Memory,
    /// A kind of value that is in no proof: a bug.
    #[error("a value of a kind that proofs do not have")]
    Kind,
    /// A value is out of its range.
    #[error("{0}")]
    Value(String),
}

impl serde::de::Error for Fault {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Fault::Value(message.to_string())
    }
}

/// Where the decoder is.
struct Decoder<'de> {
    rest: &'de [u8],
    budget_bytes: usize,
}

impl<'de> Decoder<'de> {
    fn number<T: Deserialize<'de>>(&mut self) -> Result<T, Fault> {
        let (number, rest) = postcard::take_from_bytes(self.rest)?;
        self.rest = rest;
        Ok(number)
    }

    /// Pays for `count` elements of `size` bytes.
    fn pay(&mut self, count: usize, size: usize) -> Result<(), Fault> {
        let left = self.budget_bytes.checked_sub(count.saturating_mul(size));
        self.budget_bytes = left.ok_or(Fault::Memory)?;
        Ok(())
    }
}

/// The elements of a list, or the fields of something of fixed length.
struct Elements<'a, 'de> {
    decoder: &'a mut Decoder<'de>,
    left: usize,
    is_paid: bool,
}

impl<'de> SeqAccess<'de> for Elements<'_, 'de> {
    type Error = Fault;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Fault> {
        let Some(left) = self.left.checked_sub(1) else {
            return Ok(None);
        };
        if !self.is_paid {
            self.decoder.pay(self.left, size_of::<T::Value>())?;
            self.is_paid = true;
        }
        self.left = left;
        seed.deserialize(&mut *self.decoder).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.left)
    }
}

/// An enumeration without contents.
struct Variant(u32);

impl<'de> EnumAccess<'de> for Variant {
    type Error = Fault;
    type Variant = Self;

    fn variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<(T::Value, Self), Fault> {
        let index: U32Deserializer<Fault> = self.0.into_deserializer();
        Ok((seed.deserialize(index)?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant {
    type Error = Fault;

    fn unit_variant(self) -> Result<(), Fault> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, _: T) -> Result<T::Value, Fault> {
        Err(Fault::Kind)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, Fault> {
        Err(Fault::Kind)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        _: V,
    ) -> Result<V::Value, Fault> {
        Err(Fault::Kind)
    }
}

/// Methods that read one number.
macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
            visitor.$visit(self.number()?)
        })*
    };
}

impl<'de> Deserializer<'de> for &mut Decoder<'de> {
    type Error = Fault;

    numbers! {
        deserialize_u8 visit_u8
        deserialize_u16 visit_u16
        deserialize_u32 visit_u32
        deserialize_u64 visit_u64
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        let count: u64 = self.number()?;
        // An element is a byte at least: a longer list could only reserve memory.
        let left = usize::try_from(count).ok();
        let left = left.filter(|left| *left <= self.rest.len());
        visitor.visit_seq(Elements {
            left: left.ok_or(Fault::Length { count })?,
            decoder: self,
            is_paid: false,
        })
    }

    /// What has a fixed length is part of what it is in, which is paid for.
    fn deserialize_tuple<V: Visitor<'de>>(self, len: usize, visitor: V) -> Result<V::Value, Fault> {
        visitor.visit_seq(Elements {
            decoder: self,
            left: len,
            is_paid: true,
        })
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        len: usize,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_tuple(len, visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        self.deserialize_tuple(fields.len(), visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_unit()
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Fault> {
        match self.number::<u8>()? {
            0 => visitor.visit_none(),
            1 => visitor.visit_some(self),
            _ => Err(postcard::Error::DeserializeBadOption.into()),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Fault> {
        visitor.visit_enum(Variant(self.number()?))
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Fault> {
        Err(Fault::Kind)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u128 f32 f64 char str string bytes byte_buf unit map identifier
        ignored_any
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;
    use core::fmt::Debug;

    use serde::Serialize;

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    enum Kind {
        One,
        Two,
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Pair(u16, u64);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct All {
        numbers: (u8, u32),
        options: [Option<u64>; 2],
        kinds: [Kind; 2],
        list: Vec<Pair>,
        nothing: core::marker::PhantomData<u8>,
    }

    fn encoded(value: &impl Serialize) -> Vec<u8> {
        postcard::to_allocvec(value).expect("it has an encoding")
    }

    /// What the decoder says of bytes that are no `T`.
    fn refusal<T: Debug + for<'de> Deserialize<'de>>(bytes: &[u8]) -> String {
        from_bytes::<T>(bytes)
            .expect_err("it is refused")
            .to_string()
    }

    #[test]
    fn what_postcard_encodes_is_read() {
        let all = All {
            numbers: (255, u32::MAX),
            options: [None, Some(u64::MAX)],
            kinds: [Kind::One, Kind::Two],
            list: vec![Pair(0, 1 << 40), Pair(u16::MAX, 300)],
            nothing: core::marker::PhantomData,
        };
        let bytes = encoded(&all);
        assert_eq!(from_bytes::<All>(&bytes).expect("it is read"), all);
        for length in 0..bytes.len() {
            let _ = refusal::<All>(&bytes[..length]);
        }
    }

    #[test]
    fn bytes_that_are_nothing_are_refused_by_name() {
        assert!(refusal::<Kind>(&[2]).contains("variant"));
        assert_eq!(
            refusal::<Option<u8>>(&[2, 0]),
            postcard::Error::DeserializeBadOption.to_string()
        );
        assert_eq!(
            refusal::<String>(&encoded(&"text")),
            Fault::Kind.to_string()
        );
        let count = u64::MAX;
        let endless = [&encoded(&count)[..], &[0; 100]].concat();
        let expected = Fault::Length { count }.to_string();
        assert_eq!(refusal::<Vec<u8>>(&endless), expected);
    }

    #[test]
    fn lists_are_read_up_to_the_budget() {
        // A list of one number below 128 is two bytes, and 28 in memory; a number more is one and four.
        let numbers = |lists: usize, others: usize| {
            let mut rows: Vec<Vec<u32>> = vec![vec![1]; lists];
            rows.push(vec![1; others]);
            rows
        };
        let bytes = encoded(&numbers(4, 8));
        let memory = 5 * size_of::<Vec<u32>>() + 12 * 4;
        assert_eq!((bytes.len(), memory), (18, 168));
        assert_eq!(refusal::<Vec<Vec<u32>>>(&bytes), Fault::Memory.to_string());
        let fits = numbers(4, 64);
        let bytes = encoded(&fits);
        assert_eq!(
            from_bytes::<Vec<Vec<u32>>>(&bytes).expect("it is read"),
            fits
        );
    }
}
