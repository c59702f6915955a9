//! Reads `n` and commits the `n`-th Fibonacci number modulo 2^64.

#![no_std]
#![no_main]

zkvm_guest::entry!(main);

fn main() {
    let n: u64 = zkvm_guest::read();
    let (mut a, mut b) = (0u64, 1u64);
    for _ in 0..n {
        (a, b) = (b, a.wrapping_add(b));
    }
    zkvm_guest::commit(&a);
}
