//! The C interface of the Ethereum zkVM standards, declared in `include/zkvm_io.h`.
//!
//! It shares the input and the journal with the Rust functions: [`read_input`] always shows the
//! whole input, whatever [`crate::read`] has consumed, and [`write_output`] appends to the journal
//! in the order of all commits.

use core::ffi::c_int;
use core::slice;

/// Stores the address and the length of the whole input; may be called any number of times.
///
/// # Safety
/// Both pointers must be valid for a write of their type.
#[unsafe(no_mangle)]
unsafe extern "C" fn read_input(buf_ptr: *mut *const u8, buf_size: *mut usize) {
    let input = crate::input();
    // SAFETY: the caller passes a pointer that is valid for this write.
    unsafe { buf_ptr.write(input.as_ptr()) };
    // SAFETY: the caller passes a pointer that is valid for this write.
    unsafe { buf_size.write(input.len()) };
}

/// Appends `size` bytes to the journal; may be called any number of times.
///
/// # Safety
/// `output` must be valid for reads of `size` bytes; with `size` 0 it may be anything.
#[unsafe(no_mangle)]
unsafe extern "C" fn write_output(output: *const u8, size: usize) {
    if size > 0 {
        // SAFETY: the caller passes a range that is valid for reads.
        crate::commit_bytes(unsafe { slice::from_raw_parts(output, size) });
    }
}

/// Writes out the journal and halts with `code`, as returning `code` from `main` does.
///
/// It may unwind because that is how the host stands in for a halt.
#[unsafe(no_mangle)]
extern "C-unwind" fn zkvm_halt(code: c_int) -> ! {
    crate::exit(code.cast_unsigned())
}

#[cfg(test)]
mod tests {
    use core::ptr;

    use super::{read_input, write_output, zkvm_halt};
    use crate::host;

    #[test]
    fn c_guest_sees_the_whole_input_and_appends_to_the_journal() {
        let run = host::run(b"\x07rest", b"", || -> () {
            assert_eq!(crate::read::<u8>(), 7);
            for _ in 0..2 {
                let (mut start, mut len) = (ptr::null(), 0);
                // SAFETY: both pointers are to live locals.
                unsafe { read_input(&raw mut start, &raw mut len) };
                // SAFETY: `read_input` gave the range of the input.
                let input = unsafe { core::slice::from_raw_parts(start, len) };
                assert_eq!(input, b"\x07rest");
                // SAFETY: `read_input` gave the range of the input.
                unsafe { write_output(start, len) };
            }
            // SAFETY: with size 0 the pointer is not read.
            unsafe { write_output(ptr::null(), 0) };
            zkvm_halt(-1);
        });
        assert_eq!(run.exit_code, u32::MAX);
        assert_eq!(run.journal, b"\x07rest\x07rest");
    }
}
