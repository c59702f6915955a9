//! Verifies proofs about tables that meet on buses.
//!
//! What is proved: there are tables of the key's chips, of the heights the proof names, whose rows
//! satisfy every constraint, and whose messages, together with the public ones, balance on every
//! bus. The argument: trace, LogUp and quotient commitments opened by FRI at a random point
//! (ethSTARK, eprint 2021/582; LogUp, eprint 2022/1530).
//!
//! The verifier takes nothing on the prover's word: which chips there are, their widths and
//! degrees come from the key; heights are bounded and absorbed; public messages are the caller's.
//! This crate knows nothing of RISC-V.

#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;

mod config;
mod key;
pub mod logup;
mod proof;
mod transcript;
mod verify;

pub use config::{
    Blake3Config, Challenge, Commitment, Config, Domain, FOLD_ARITY_LOG2_MAX, Hash, Parameters,
    PcsProof, Poseidon2Config,
};
pub use key::{HEIGHT_LOG2_MAX, HEIGHT_LOG2_MIN, KeyError, TableKey, VerifyingKey, chips_digest};
pub use proof::{TableOpening, TablesProof};
pub use transcript::{ExecutionTranscript, PublicMessage, Shared, Statement, Transcript};
pub use verify::{VerifyError, messages_sum, verify};
