/*
 * zkvm_io.h - input, output and termination of a zkVM guest written in C.
 *
 * The functions are those of the Ethereum zkVM standards. They are defined by the crate
 * `zkvm-guest`; the guest defines
 *
 *     int main(void);
 *
 * and is entered there. Returning from main writes out the output and halts; the value returned is
 * the guest's exit code (0 means success). The input is private: a proof shows that it exists, not
 * what it is. The output and the exit code are public.
 */
#ifndef ZKVM_IO_H
#define ZKVM_IO_H

#include <stddef.h>
#include <stdint.h>

#if defined(__cplusplus)
#define ZKVM_NORETURN [[noreturn]]
extern "C" {
#else
#define ZKVM_NORETURN _Noreturn
#endif

/*
 * Stores the address and the length of the whole input. The bytes are read-only and stay where
 * they are. Every call stores the same values. If the length is 0, the address means nothing.
 */
void read_input(const uint8_t **buf_ptr, size_t *buf_size);

/*
 * Appends `size` bytes to the output, which is the concatenation of all calls. The bytes are
 * copied before the call returns. If `size` is 0, `output` may be NULL.
 */
void write_output(const uint8_t *output, size_t size);

/* Halts at once with the given exit code, as returning `code` from main would. */
ZKVM_NORETURN void zkvm_halt(int code);

#if defined(__cplusplus)
}
#endif

#endif
