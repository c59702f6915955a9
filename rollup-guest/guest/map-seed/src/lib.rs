//! The seed of the hash maps, chosen by the prover after the data is posted.
//!
//! alloy's and revm's maps hash with foldhash, whose seeds are made of addresses alone where there is
//! no standard library: constants of the program. Who knows them finds storage slots that all
//! collide, and a batch of them that nobody can afford to prove. foldhash 0.2 takes no seed for its
//! `RandomState`, but one of the addresses is that of the stack; so [`draw`] makes the seeds on a stack
//! that begins lower, by a number of frames that the prover gives as a hint.
//!
//! Nothing is claimed about the hint: no output depends on the order of a map.

#![no_std]

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
use core::arch::asm;
use core::hint::black_box;

use alloy_primitives::map::foldhash::fast::RandomState;

/// Alignment of the stack pointer in RISC-V's calling convention, in bytes.
const FRAME_BYTES: usize = 16;

/// Places of the stack to choose from: as many seeds. They take up half of the machine's 8 MiB.
const PLACES: usize = 1 << 18;

/// Makes the maps' seeds, by a hint of eight bytes; without one, as if it were 0.
///
/// To be called before the first map is made, as the first thing in `main`: what is made once stays.
/// Other than its last 18 bits nothing of the hint counts.
pub fn draw() {
    let hint = zkvm_guest::hint_word().unwrap_or(0);
    let place = hint % PLACES as u64;
    run_lower(FRAME_BYTES * place as usize);
}

/// Makes a `RandomState`: the first that is made decides the seed that all share, and is where the
/// seeds of each map begin.
extern "C" fn make_seeds() {
    let _ = black_box(RandomState::default());
}

/// Calls [`make_seeds`] on a stack that begins `offset` bytes lower, a multiple of [`FRAME_BYTES`].
#[cfg(all(target_arch = "riscv64", target_os = "none"))]
fn run_lower(offset: usize) {
    // SAFETY: the stack is 8 MiB, of which `main` has used little, and `offset` is below 4 MiB: what
    // lies below is mapped and nobody's. The stack pointer stays aligned; `s2` survives the call.
    unsafe {
        asm!(
            "sub sp, sp, s2",
            "call {make_seeds}",
            "add sp, sp, s2",
            make_seeds = sym make_seeds,
            in("s2") offset,
            clobber_abi("C"),
        );
    }
}

/// Elsewhere addresses differ by run, or nobody attacks.
#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
fn run_lower(_offset: usize) {
    make_seeds();
}
