//! The verbs, one file each.

pub(crate) mod exec;
pub(crate) mod import;
pub(crate) mod prove;
pub(crate) mod simulate;
pub(crate) mod verify;
