//! From flags to a client that proves, and what comes before proving.

use zkvm_sdk::{
    Client, Code, Discard, Execution, Exit, Hash, Input, Level, Limits, MEMORY_BYTES_LEAST,
    Program, ProvingCost,
};

use crate::failure::{ExitCode, Failure};
use crate::flags::{HashName, LevelName, ProvingFlags};
use crate::number::bytes;
use crate::outcome::failure_of;
use crate::output::Output;

impl From<LevelName> for Level {
    fn from(name: LevelName) -> Self {
        match name {
            LevelName::Standard => Level::Standard,
            LevelName::High => Level::High,
        }
    }
}

impl From<HashName> for Hash {
    fn from(name: HashName) -> Self {
        match name {
            HashName::Blake3 => Hash::Blake3,
            HashName::Poseidon2 => Hash::Poseidon2,
        }
    }
}

/// A client that proves as the flags say, in `max_memory` bytes in all if that is given. The guest
/// may then use no more either.
///
/// # Errors
/// [`Failure`] if the flags contradict each other, or the memory is too little.
pub fn client(flags: &ProvingFlags, max_memory: Option<u64>) -> Result<Client, Failure> {
    let (hash, level) = (Hash::from(flags.hash), Level::from(flags.level));
    if (hash, level) == (Hash::Poseidon2, Level::High) {
        let cause = format!(
            "level {level} asks for {} bits, and digests of {} resist collisions for {}",
            level.bits(),
            hash.name(),
            hash.digest_bits() / 2
        );
        return Err(Failure::new(ExitCode::Usage, Code(411), cause));
    }
    let mut limits = Limits::STANDARD;
    let mut builder = Client::builder().hash(hash).level(level);
    if let Some(max_memory) = max_memory {
        if max_memory < MEMORY_BYTES_LEAST {
            let cause = format!(
                "proving takes {} of memory at least, --max-memory is {}",
                bytes(MEMORY_BYTES_LEAST),
                bytes(max_memory)
            );
            return Err(Failure::new(ExitCode::Usage, Code(207), cause));
        }
        limits.memory_bytes_max = limits.memory_bytes_max.min(max_memory);
        builder = builder.memory_bytes(max_memory);
    }
    Ok(builder.limits(limits).build()?)
}

/// Executes `program` and foretells what proving takes: cheap next to proving. A guest that fails is
/// reported as `run` reports it.
///
/// # Errors
/// [`Failure`] if it does not halt with `expected`.
pub fn foretell(
    client: &Client,
    program: &Program,
    input: &Input,
    expected: u32,
    output: &Output,
) -> Result<(ProvingCost, Execution), Failure> {
    let (cost, execution) = client.cost(program, input, &mut Discard)?;
    let is_expected = matches!(execution.exit, Exit::Halted { code, .. } if code == expected);
    if is_expected {
        return Ok((cost, execution));
    }
    if let Some(failure) = failure_of(&execution, client, program, input, output)? {
        return Err(failure);
    }
    let cause = format!("the guest halted with exit code 0, not {expected}");
    Err(Failure::new(ExitCode::GuestExit, Code(403), cause))
}
