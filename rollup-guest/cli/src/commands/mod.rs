//! The verbs, one file each.

pub(crate) mod compose;
pub(crate) mod exec;
pub(crate) mod import;
pub(crate) mod make_chain;
pub(crate) mod prove;
pub(crate) mod simulate;
pub(crate) mod split;
pub(crate) mod verify;
