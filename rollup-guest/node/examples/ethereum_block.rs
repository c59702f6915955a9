//! Executes the guest `ethereum-block` with a block that raiko has written, and says what it costs.
//!
//! ```text
//! cargo run --example ethereum_block -- GUEST.elf BLOCK.json [INPUT]
//! ```
//!
//! The guest's input is written to `INPUT`, for `zkvm prove GUEST.elf --input INPUT`.

use std::error::Error;
use std::path::Path;

use zkvm_machine::{Capture, Input, Limits, execute, load};
use zkvm_rollup_node::fixture::raiko;
use zkvm_rollup_stf::claim::{BlockClaim, BlockInput};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (elf, block, path) = match arguments.as_slice() {
        [elf, block] => (elf, block, None),
        [elf, block, path] => (elf, block, Some(path)),
        _ => return Err("usage: ethereum_block GUEST.elf BLOCK.json [INPUT]".into()),
    };
    let program = load(&std::fs::read(elf)?)?;
    let imported = raiko::read(Path::new(block))?;
    let input = postcard::to_allocvec(&BlockInput {
        chain: imported.chain.clone(),
        block: &imported.block,
        witness: imported.store.witness(&imported.headers),
    })?;
    eprintln!("input: {} bytes", input.len());
    if let Some(path) = path {
        std::fs::write(path, &input)?;
    }
    let mut console = Capture::default();
    let input = Input::from_bytes(input);
    let execution = execute(&program, &input, &Limits::STANDARD, &mut console)?;
    eprintln!("{}, {} cycles", execution.exit, execution.cycles);
    eprintln!("memory: {} bytes", execution.cost.memory_bytes);
    match BlockClaim::from_bytes(&execution.journal) {
        Some(claim) => eprintln!("state root after the block: {}", claim.post_state_root),
        None => return Err("there is no claim".into()),
    }
    Ok(())
}
