//! The verbs, one file each.

pub(crate) mod bench;
pub(crate) mod build;
pub(crate) mod completions;
pub(crate) mod cost;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod id;
pub(crate) mod inspect;
pub(crate) mod new;
pub(crate) mod prove;
pub(crate) mod rollup;
pub(crate) mod run;
pub(crate) mod verify;
