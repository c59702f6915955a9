//! A guest that uses every function of the runtime that reads, commits, prints or opens spans.
//!
//! | first value of the input | what it does |
//! |---|---|
//! | 0 | reads the input in every way, commits what it read, in spans |
//! | 1 | commits every hint: a value, its bytes, then more than one transfer holds |
//! | 2 | the C functions: commits the whole input twice |
//! | 3 | commits `length` bytes in pieces whose sizes have no common divisor |
//! | 4 | prints to both streams |
//! | 5 | copies bytes of every short length and some long ones from and to every alignment |

#![no_std]
#![no_main]

extern crate alloc;

use alloc::string::String;
use alloc::vec::Vec;

zkvm_guest::entry!(main);

unsafe extern "C" {
    fn read_input(buf_ptr: *mut *const u8, buf_size: *mut usize);
    fn write_output(output: *const u8, size: usize);
}

fn main() -> Result<(), &'static str> {
    let kind: u8 = zkvm_guest::read();
    match kind {
        0 => inputs(),
        1 => hints(),
        2 => c_functions(),
        3 => long_journal(),
        4 => prints(),
        5 => copies(),
        _ => return Err("there is no such kind"),
    }
    Ok(())
}

fn inputs() {
    zkvm_guest::span("typed", || {
        let number: u64 = zkvm_guest::read();
        let text: &'static str = zkvm_guest::span("text", zkvm_guest::read);
        let pair: (i32, Option<u8>) = zkvm_guest::read();
        zkvm_guest::commit(&(number, text, pair));
    });
    zkvm_guest::span("raw", || {
        zkvm_guest::commit_bytes(zkvm_guest::read_bytes(3));
        zkvm_guest::commit(&(zkvm_guest::remaining_bytes() as u64));
        // Ten bytes are no eleven numbers; a failed attempt takes nothing.
        zkvm_guest::commit(&zkvm_guest::try_read::<[u64; 11]>().is_err());
        zkvm_guest::commit_bytes(zkvm_guest::read_remaining());
        zkvm_guest::commit(&(zkvm_guest::remaining_bytes() as u64));
    });
    zkvm_guest::commit(&(zkvm_guest::input().len() as u64));
}

fn hints() {
    let (root, text): (u64, String) = zkvm_guest::read_hint();
    zkvm_guest::commit(&(root, text));
    let len: u64 = zkvm_guest::read();
    let bytes: Vec<u8> = zkvm_guest::hint_bytes(len as usize);
    zkvm_guest::commit_bytes(&bytes);
}

fn c_functions() {
    for _ in 0..2 {
        let (mut start, mut len) = (core::ptr::null(), 0);
        // SAFETY: both pointers are to live locals.
        unsafe { read_input(&raw mut start, &raw mut len) };
        // SAFETY: `read_input` gave the range of the input.
        unsafe { write_output(start, len) };
    }
    // SAFETY: with size 0 the pointer is not read.
    unsafe { write_output(core::ptr::null(), 0) };
}

fn long_journal() {
    let length: u64 = zkvm_guest::read();
    let bytes: Vec<u8> = (0..length).map(|at| (at ^ (at >> 8)) as u8).collect();
    let mut rest = bytes.as_slice();
    for size in [1, 4099, 7, 65_537, 3].into_iter().cycle() {
        let (piece, after) = rest.split_at(rest.len().min(size));
        zkvm_guest::commit_bytes(piece);
        rest = after;
        if rest.is_empty() {
            break;
        }
    }
}

/// Commits how many copies there were, all of them right.
fn copies() {
    const LONG: [usize; 9] = [127, 128, 129, 191, 192, 193, 255, 1_000, 4_099];
    const MARGIN: usize = 16;
    let source: Vec<u8> = (0..5_000usize)
        .map(|index| (index * 7 + index / 256) as u8)
        .collect();
    let mut count = 0u64;
    for length in (0..=80).chain(LONG) {
        for from in 0..8 {
            for to in 0..8 {
                let mut target = alloc::vec![0xaa; length + 2 * MARGIN];
                let (start, end) = (MARGIN + to - 8, MARGIN + to - 8 + length);
                let piece = &source[from..from + length];
                // A length that the compiler does not know makes it a call of `memcpy`.
                target[start..end].copy_from_slice(core::hint::black_box(piece));
                assert!(
                    target[start..end].iter().eq(piece),
                    "{length} from {from} to {to}"
                );
                let around = target[..start].iter().chain(&target[end..]);
                assert!(around.clone().all(|byte| *byte == 0xaa), "around {length}");
                count += 1;
            }
        }
    }
    zkvm_guest::commit(&count);
}

fn prints() {
    zkvm_guest::print!("out {}", 1);
    zkvm_guest::eprint!(" err {:?}", "two");
    zkvm_guest::println!(" é");
    zkvm_guest::eprintln!("{:>300}", "far");
}
