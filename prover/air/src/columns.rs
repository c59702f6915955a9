//! Columns as structs: one field per cell or group of cells, in the order they lie in the row.

use alloc::string::String;
use alloc::vec::Vec;

/// A row seen as a struct. Made by [`crate::columns!`].
pub trait Columns<T>: Sized {
    /// Number of cells.
    const WIDTH: usize;
    /// Takes the cells in order from `cells`, which must yield at least [`Self::WIDTH`].
    fn take(cells: &mut impl Iterator<Item = T>) -> Self;
    /// Hands the cells in order to `sink`.
    fn give(self, sink: &mut impl FnMut(T));
    /// Appends the cells' names, each after `prefix`.
    fn names(prefix: &str, names: &mut Vec<String>);
}

/// No columns at all.
impl<T> Columns<T> for () {
    const WIDTH: usize = 0;

    fn take(_: &mut impl Iterator<Item = T>) -> Self {}

    fn give(self, _: &mut impl FnMut(T)) {}

    fn names(_: &str, _: &mut Vec<String>) {}
}

/// Declares a struct of columns, generic over what a cell holds.
///
/// `name: [cell]` is one cell, `name: [cells N]` an array of them, `name: [group G]` the columns
/// `G`, `name: [groups G N]` an array of those. `N` is a literal or one identifier.
/// Every field needs a doc comment: meaning, range, who enforces it.
#[macro_export]
macro_rules! columns {
    (
        $(#[$meta:meta])*
        $vis:vis struct $name:ident {
            $( $(#[$field_meta:meta])+ $field:ident : [$($kind:tt)+], )*
        }
    ) => {
        $(#[$meta])*
        $vis struct $name<T> {
            $( $(#[$field_meta])+ $vis $field: $crate::column_type!(T $($kind)+), )*
        }

        impl<T> ::core::fmt::Debug for $name<T> {
            fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                f.write_str(stringify!($name))
            }
        }

        impl<T> $crate::Columns<T> for $name<T> {
            const WIDTH: usize = 0 $( + $crate::column_width!(T $($kind)+) )*;

            fn take(cells: &mut impl Iterator<Item = T>) -> Self {
                $name { $( $field: $crate::column_take!(cells $($kind)+), )* }
            }

            fn give(self, sink: &mut impl FnMut(T)) {
                $( $crate::column_give!(sink self.$field; $($kind)+); )*
            }

            fn names(prefix: &str, names: &mut $crate::macro_support::Vec<$crate::macro_support::String>) {
                $(
                    $crate::column_names!(prefix names stringify!($field); T $($kind)+);
                )*
            }
        }
    };
}

/// What the macros of this module expand to names of.
pub mod macro_support {
    pub use alloc::format;
    pub use alloc::string::String;
    pub use alloc::vec::Vec;
}

/// The type of a field; part of [`columns!`].
#[macro_export]
#[doc(hidden)]
macro_rules! column_type {
    ($t:ident cell) => { $t };
    ($t:ident cells $count:tt) => { [$t; $count] };
    ($t:ident group $group:ident) => { $group<$t> };
    ($t:ident groups $group:ident $count:tt) => { [$group<$t>; $count] };
}

/// The width of a field; part of [`columns!`].
#[macro_export]
#[doc(hidden)]
macro_rules! column_width {
    ($t:ident cell) => {
        1
    };
    ($t:ident cells $count:tt) => {
        $count
    };
    ($t:ident group $group:ident) => {
        <$group<$t> as $crate::Columns<$t>>::WIDTH
    };
    ($t:ident groups $group:ident $count:tt) => {
        $count * <$group<$t> as $crate::Columns<$t>>::WIDTH
    };
}

/// Reads a field; part of [`columns!`].
#[macro_export]
#[doc(hidden)]
macro_rules! column_take {
    ($cells:ident cell) => {
        $cells.next().expect("a row has WIDTH cells")
    };
    ($cells:ident cells $count:tt) => {
        ::core::array::from_fn(|_| $cells.next().expect("a row has WIDTH cells"))
    };
    ($cells:ident group $group:ident) => {
        $group::take($cells)
    };
    ($cells:ident groups $group:ident $count:tt) => {
        ::core::array::from_fn(|_| $group::take($cells))
    };
}

/// Writes a field; part of [`columns!`].
#[macro_export]
#[doc(hidden)]
macro_rules! column_give {
    ($sink:ident $value:expr; cell) => {
        $sink($value)
    };
    ($sink:ident $value:expr; cells $count:tt) => {
        $value.into_iter().for_each(&mut *$sink)
    };
    ($sink:ident $value:expr; group $group:ident) => {
        $value.give($sink)
    };
    ($sink:ident $value:expr; groups $group:ident $count:tt) => {
        $value.into_iter().for_each(|group| group.give($sink))
    };
}

/// Names a field; part of [`columns!`].
#[macro_export]
#[doc(hidden)]
macro_rules! column_names {
    ($prefix:ident $names:ident $field:expr; $t:ident cell) => {
        $names.push($crate::macro_support::format!("{}{}", $prefix, $field))
    };
    ($prefix:ident $names:ident $field:expr; $t:ident cells $count:tt) => {
        (0..$count).for_each(|index| {
            $names.push($crate::macro_support::format!(
                "{}{}[{}]", $prefix, $field, index
            ))
        })
    };
    ($prefix:ident $names:ident $field:expr; $t:ident group $group:ident) => {
        <$group<$t> as $crate::Columns<$t>>::names(
            &$crate::macro_support::format!("{}{}.", $prefix, $field),
            $names,
        )
    };
    ($prefix:ident $names:ident $field:expr; $t:ident groups $group:ident $count:tt) => {
        (0..$count).for_each(|index| {
            <$group<$t> as $crate::Columns<$t>>::names(
                &$crate::macro_support::format!("{}{}[{}].", $prefix, $field, index),
                $names,
            )
        })
    };
}
