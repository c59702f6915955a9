//! Reads a number and commits what atomics, wide integers, maps and Ethereum's types make of it.
//!
//! The journal is the tuple of the functions below, in their order. Its purpose is to meet the
//! compiler's less common paths: atomics that the build may lower to plain loads and stores,
//! 128-bit arithmetic in software, and crates that expect an operating system by default.

#![no_std]
#![no_main]

extern crate alloc;

use alloc::collections::BTreeMap;
use alloc::format;
use alloc::string::String;
use alloc::sync::Arc;
use core::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};

use alloy_primitives::map::HashMap;
use alloy_primitives::{U256, keccak256};

zkvm_guest::entry!(main);

fn main() {
    let n: u64 = zkvm_guest::read();
    zkvm_guest::commit(&(
        shared_count(n),
        atomics(n),
        wide(n),
        ordered(n),
        unordered(n),
        power(n).to_be_bytes::<32>(),
        keccak256(n.to_le_bytes()).0,
    ));
}

/// References to a shared value while two are alive, plus the value.
fn shared_count(n: u64) -> (u64, u64) {
    let first = Arc::new(n);
    let second = Arc::clone(&first);
    (Arc::strong_count(&first) as u64, *second)
}

/// Every kind of atomic operation, in several widths.
fn atomics(n: u64) -> (u64, u32, u8, bool) {
    static COUNTER: AtomicU64 = AtomicU64::new(40);
    COUNTER.fetch_add(n, Ordering::SeqCst);
    COUNTER.fetch_max(7, Ordering::AcqRel);
    let narrow = AtomicU32::new(0xF0F0);
    narrow.fetch_xor(n as u32, Ordering::Relaxed);
    narrow.fetch_and(0xFFFF, Ordering::Relaxed);
    let byte = AtomicU8::new(250);
    byte.fetch_add(10, Ordering::SeqCst);
    let flag = AtomicBool::new(false);
    let swapped = flag
        .compare_exchange(false, true, Ordering::SeqCst, Ordering::SeqCst)
        .is_ok();
    (
        COUNTER.load(Ordering::SeqCst),
        narrow.load(Ordering::SeqCst),
        byte.load(Ordering::SeqCst),
        swapped && flag.load(Ordering::SeqCst),
    )
}

/// `(n + 1)^3 * 10^20 + 7` modulo 2^128, and its quotient and remainder by `2^64 + 13`.
fn wide(n: u64) -> (u128, u128, u128) {
    let base = u128::from(n) + 1;
    let product = base
        .wrapping_mul(base)
        .wrapping_mul(base)
        .wrapping_mul(10u128.pow(20));
    let value = product.wrapping_add(7);
    let divisor = (1u128 << 64) + 13;
    (value, value / divisor, value % divisor)
}

/// The entries of an ordered map, built in reverse, as text.
fn ordered(n: u64) -> String {
    let map: BTreeMap<u64, u64> = (0..5).rev().map(|i| (n + i, i * i)).collect();
    format!("{map:?}")
}

/// The sum over a hash map with 100 entries, of which a third was removed.
fn unordered(n: u64) -> u64 {
    let mut map: HashMap<u64, u64> = (0..100).map(|i| (i, i ^ n)).collect();
    map.retain(|key, _| key % 3 != 0);
    map.values()
        .fold(map.len() as u64, |sum, value| sum.wrapping_add(*value))
}

/// `3^(n mod 1000)` modulo 2^256.
fn power(n: u64) -> U256 {
    U256::from(3).wrapping_pow(U256::from(n % 1000))
}
