//! The entry point.
//!
//! The machine starts with `sp` set and everything else zero, and so does a Linux emulator as far
//! as it matters here: the stack pointer is used as it is found.

use core::arch::global_asm;

unsafe extern "C" {
    /// Defined by [`entry!`](crate::entry), or by a guest written in C.
    safe fn main() -> i32;
}

// `gp` must be loaded without relaxation: relaxed, the load would read `gp` itself. The frame
// pointer and the return address are cleared so that a backtrace ends here.
global_asm!(
    ".pushsection .text._start, \"ax\", @progbits",
    ".globl _start",
    ".type _start, @function",
    "_start:",
    ".cfi_startproc",
    ".cfi_undefined ra",
    ".option push",
    ".option norelax",
    "la gp, __global_pointer$",
    ".option pop",
    "mv s0, zero",
    "mv ra, zero",
    "tail {start}",
    ".cfi_endproc",
    ".size _start, . - _start",
    ".popsection",
    start = sym start,
);

extern "C" fn start() -> ! {
    super::global::open_heap();
    crate::exit(main().cast_unsigned())
}
