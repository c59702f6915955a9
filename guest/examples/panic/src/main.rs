//! Reads a kind, commits it, and fails in that way.
//!
//! | kind | failure | ends in |
//! |---|---|---|
//! | 0 | explicit panic with a message | exit code 101 |
//! | 1 | index out of bounds | exit code 101 |
//! | 2 | division by zero | exit code 101 |
//! | 3 | `unwrap` on `None` | exit code 101 |
//! | 4 | stack overflow by recursion | fault |
//! | 5 | heap exhaustion | exit code 101 |
//! | 6 | illegal instruction | fault |
//! | 7 | endless loop | the cycle limit |
//! | 8 | read at address 0 | fault |
//! | 9 | write to the code | fault |
//! | 10 | exit with code 7, after a commit | exit code 7 |
//! | 11 | `main` returns an error | exit code 1 |
//! | 12 | panic while a panic message is formatted | exit code 101 |
//! | other | none | exit code 0 |

#![no_std]
#![no_main]

extern crate alloc;

use alloc::vec::Vec;
use core::arch::asm;
use core::fmt;
use core::hint::black_box;

zkvm_guest::entry!(main);

fn main() -> Result<(), &'static str> {
    let kind: u64 = zkvm_guest::read();
    zkvm_guest::commit(&kind);
    match kind {
        0 => panic!("the guest panics on purpose, kind {kind}"),
        1 => index_out_of_bounds(),
        2 => divide_by_zero(),
        3 => unwrap_none(),
        4 => overflow_the_stack(),
        5 => exhaust_the_heap(),
        6 => execute_an_illegal_instruction(),
        7 => loop_for_ever(),
        8 => read_null(),
        9 => write_to_code(),
        10 => zkvm_guest::exit(7),
        11 => return Err("main returns an error on purpose"),
        12 => panic!("{}", PanicsWhenDisplayed),
        _ => {}
    }
    Ok(())
}

fn index_out_of_bounds() {
    let items = [1u64, 2, 3];
    black_box(items[black_box(3)]);
}

fn divide_by_zero() {
    black_box(1 / black_box(0u64));
}

fn unwrap_none() {
    black_box(black_box(None::<u64>).unwrap());
}

fn overflow_the_stack() {
    black_box(descend(0));
}

#[inline(never)]
fn descend(depth: u64) -> u64 {
    // The array is touched and used after the call, so every level keeps its frame.
    let frame = black_box([depth; 32]);
    if depth == u64::MAX {
        depth
    } else {
        descend(depth + 1) + black_box(frame)[0]
    }
}

fn exhaust_the_heap() {
    let mut bytes = Vec::<u8>::new();
    loop {
        bytes.reserve_exact(bytes.capacity().max(1) * 2);
        black_box(&mut bytes);
    }
}

fn execute_an_illegal_instruction() {
    // SAFETY: the machine stops here.
    unsafe { asm!("unimp", options(nomem, nostack)) };
}

fn loop_for_ever() {
    loop {
        black_box(());
    }
}

fn read_null() {
    // SAFETY: address 0 is never mapped, so the machine stops here.
    unsafe { asm!("ld {0}, 0(zero)", out(reg) _, options(nostack)) };
}

fn write_to_code() {
    // SAFETY: code refuses stores, so the machine stops here.
    unsafe { asm!("sd zero, 0({0})", in(reg) write_to_code as fn() as usize, options(nostack)) };
}

struct PanicsWhenDisplayed;

impl fmt::Display for PanicsWhenDisplayed {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        panic!("the message panics on purpose")
    }
}
