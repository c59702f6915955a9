//! The raw calls: one function per precompile, the table of them is [`zkvm_isa::precompile`].
//!
//! Linux answers a call that it does not know with an error and does nothing. That is how a guest
//! notices that the machine has no such precompile.

use core::ptr;

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
use machine::{has_done, has_repeated};
use zkvm_isa::Precompile;

use crate::sha256::State;

#[cfg(any(
    feature = "software",
    not(all(target_arch = "riscv64", target_os = "none"))
))]
use crate::software;

/// Where there are no precompiles, software it is.
#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
unsafe fn has_done(_call: Precompile, _addresses: [*const u64; 3]) -> bool {
    false
}

#[cfg(not(all(target_arch = "riscv64", target_os = "none")))]
unsafe fn has_repeated(_call: Precompile, _addresses: [*const u64; 3], _count: usize) -> bool {
    false
}

#[cfg(all(target_arch = "riscv64", target_os = "none"))]
mod machine {
    use core::arch::asm;

    use zkvm_isa::Precompile;

    /// Makes the call; says whether the machine knows it. If not, nothing has changed.
    ///
    /// # Safety
    /// The addresses must be those of the call's operands, aligned to 8 bytes; the first operand
    /// must be valid for reads and writes, the others for reads. Operands must be such that the
    /// call has a result.
    #[inline(always)]
    pub(super) unsafe fn has_done(call: Precompile, addresses: [*const u64; 3]) -> bool {
        let [a0, a1, a2] = addresses.map(|address| address.expose_provenance());
        let result: usize;
        // SAFETY: the call touches `a0` and its operands, for which the caller vouches.
        unsafe {
            asm!(
                "ecall",
                in("a7") call.number(),
                inlateout("a0") a0 => result,
                in("a1") a1,
                in("a2") a2,
                options(nostack),
            );
        }
        result == 0
    }

    /// Calls a row at a time; less would not be worth the jumps.
    const ROW: usize = 4;

    /// Makes the call `count` times with the same addresses; says whether the machine knows it. If not, nothing has changed: if it knows none of the calls, then not the
    /// last one.
    ///
    /// # Safety
    /// As for one call; `count` must not be 0.
    #[inline(always)]
    pub(super) unsafe fn has_repeated(
        call: Precompile,
        addresses: [*const u64; 3],
        count: usize,
    ) -> bool {
        let [a0, a1, a2] = addresses.map(|address| address.expose_provenance());
        let mut result: usize = 0;
        if count >= ROW {
            // SAFETY: the calls touch `a0` and their operands, for which the caller vouches.
            unsafe {
                asm!(
                    "2:",
                    ".rept {row}",
                    "mv a0, {a0}",
                    "ecall",
                    ".endr",
                    "addi {rows}, {rows}, -1",
                    "bnez {rows}, 2b",
                    row = const ROW,
                    rows = inout(reg) count / ROW => _,
                    a0 = in(reg) a0,
                    in("a7") call.number(),
                    // Not late: it must not be where the address is.
                    out("a0") result,
                    in("a1") a1,
                    in("a2") a2,
                    options(nostack),
                );
            }
        }
        for _ in 0..count % ROW {
            // SAFETY: the call touches `a0` and its operands, for which the caller vouches.
            unsafe {
                asm!(
                    "mv a0, {a0}",
                    "ecall",
                    a0 = in(reg) a0,
                    in("a7") call.number(),
                    lateout("a0") result,
                    in("a1") a1,
                    in("a2") a2,
                    options(nostack),
                );
            }
        }
        result == 0
    }
}

/// Software stands in where the machine has no such precompile, or else the guest ends.
macro_rules! fall_back {
    ($call:ident, $software:expr) => {{
        #[cfg(any(
            feature = "software",
            not(all(target_arch = "riscv64", target_os = "none"))
        ))]
        $software;
        #[cfg(not(any(
            feature = "software",
            not(all(target_arch = "riscv64", target_os = "none"))
        )))]
        refuse(Precompile::$call);
    }};
}

#[cfg(not(any(
    feature = "software",
    not(all(target_arch = "riscv64", target_os = "none"))
)))]
#[cold]
#[inline(never)]
fn refuse(call: Precompile) -> ! {
    panic!(
        "this machine has no precompile {}; build the guest with the feature `software` of \
         `zkvm-accel`, which computes without it",
        call.name()
    )
}

/// The address that a call has no use for.
const UNUSED: *const u64 = ptr::null();

/// keccak-f\[1600\].
#[inline(always)]
pub(crate) fn keccak_f(state: &mut [u64; 25]) {
    let at = ptr::from_mut(state).cast::<u64>();
    // SAFETY: the operand is `state`.
    if !unsafe { has_done(Precompile::KeccakF, [at, UNUSED, UNUSED]) } {
        fall_back!(KeccakF, software::keccak_f(state));
    }
}

/// SHA-256's compression of `block`, its bytes in the order of memory.
#[inline(always)]
pub(crate) fn sha256_compress(state: &mut State, block: &[u64; 8]) {
    let at = ptr::from_mut(state).cast::<u64>();
    let block_at = ptr::from_ref(block).cast::<u64>();
    // SAFETY: the operands are `state`, which is aligned to 8 bytes, and `block`.
    if !unsafe { has_done(Precompile::Sha256Compress, [at, block_at, UNUSED]) } {
        fall_back!(Sha256Compress, software::sha256_compress(state, block));
    }
}

/// `x = x · y mod modulus`. The modulus must not be 0.
#[inline(always)]
pub(crate) fn multiply_mod(x: &mut [u64; 4], y: &[u64; 4], modulus: &[u64; 4]) {
    let at = ptr::from_mut(x).cast::<u64>();
    let (y_at, modulus_at) = (ptr::from_ref(y).cast(), ptr::from_ref(modulus).cast());
    // SAFETY: the operands are `x`, `y` and `modulus`.
    if !unsafe { has_done(Precompile::MultiplyMod, [at, y_at, modulus_at]) } {
        fall_back!(MultiplyMod, software::multiply_mod(x, y, modulus));
    }
}

/// Squares `x` modulo `modulus` `count` times. Neither must be 0.
#[inline(always)]
pub(crate) fn square_mod(x: &mut [u64; 4], modulus: &[u64; 4], count: usize) {
    let at = ptr::from_mut(x).cast::<u64>();
    let modulus_at = ptr::from_ref(modulus).cast();
    // SAFETY: the operands are `x`, twice, and `modulus`.
    if !unsafe { has_repeated(Precompile::MultiplyMod, [at, at, modulus_at], count) } {
        fall_back!(MultiplyMod, {
            for _ in 0..count {
                let y = *x;
                software::multiply_mod(x, &y, modulus);
            }
        });
    }
}

/// `p = p + q` on secp256k1. Coordinates must be below the field's prime, and their `x` must differ.
#[inline(always)]
pub(crate) fn secp256k1_add(p: &mut [u64; 8], q: &[u64; 8]) {
    let at = ptr::from_mut(p).cast::<u64>();
    let q_at = ptr::from_ref(q).cast();
    // SAFETY: the operands are `p` and `q`.
    if !unsafe { has_done(Precompile::Secp256k1Add, [at, q_at, UNUSED]) } {
        fall_back!(Secp256k1Add, software::secp256k1_add(p, q));
    }
}

/// Doubles `p` on secp256k1 `count` times, which must not be 0. Coordinates must be below the field's
/// prime, and no `y` 0.
#[inline(always)]
pub(crate) fn secp256k1_double(p: &mut [u64; 8], count: usize) {
    let at = ptr::from_mut(p).cast::<u64>();
    // SAFETY: the operand is `p`.
    if !unsafe { has_repeated(Precompile::Secp256k1Double, [at, UNUSED, UNUSED], count) } {
        fall_back!(Secp256k1Double, {
            for _ in 0..count {
                software::secp256k1_double(p);
            }
        });
    }
}
