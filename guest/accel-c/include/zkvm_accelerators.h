/*
 * zkvm_accelerators.h - hashes, curves and modular arithmetic for zkVM guests written in C.
 *
 * The functions are those of the Ethereum zkVM standards (c-interface-accelerators). They are
 * defined by the crate `zkvm-accel-c`, whose documentation says which are precompiles of the
 * machine and which are software.
 *
 * Numbers and coordinates are bytes, the most significant first, except where it says otherwise. A
 * point is its coordinates one after the other; the point at infinity is all zeros. Arrays are as
 * long as their types say. No pointer may be NULL, but that of data of length 0: anything else is a
 * panic. Results are written only on success.
 */
#ifndef ZKVM_ACCELERATORS_H
#define ZKVM_ACCELERATORS_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
    ZKVM_ERROR = -1,         /* there is no result */
    ZKVM_SUCCESS = 0,        /* there is a result, or what was to be verified is right */
    ZKVM_VERIFY_FAILURE = 1  /* what was to be verified is wrong */
} zkvm_status;

/* Lengths in bytes. */
#define ZKVM_HASH_KECCAK256_LEN 32
#define ZKVM_HASH_SHA256_LEN 32
#define ZKVM_HASH_RIPEMD160_LEN 20

#define ZKVM_SECP256K1_HASH_LEN 32
#define ZKVM_SECP256K1_SIG_LEN 64
#define ZKVM_SECP256K1_PUBKEY_LEN 64

#define ZKVM_SECP256R1_HASH_LEN 32
#define ZKVM_SECP256R1_SIG_LEN 64
#define ZKVM_SECP256R1_PUBKEY_LEN 64

#define ZKVM_BN254_G1_POINT_LEN 64
#define ZKVM_BN254_G2_POINT_LEN 128
#define ZKVM_BN254_SCALAR_LEN 32

#define ZKVM_BLS12_381_G1_POINT_LEN 96
#define ZKVM_BLS12_381_G2_POINT_LEN 192
#define ZKVM_BLS12_381_SCALAR_LEN 32
#define ZKVM_BLS12_381_FP_LEN 48
#define ZKVM_BLS12_381_FP2_LEN 96

#define ZKVM_BLAKE2F_STATE_LEN 64
#define ZKVM_BLAKE2F_MSG_LEN 128
#define ZKVM_BLAKE2F_OFFSET_LEN 16

#define ZKVM_KZG_COMMITMENT_LEN 48
#define ZKVM_KZG_PROOF_LEN 48
#define ZKVM_KZG_FIELD_ELEMENT_LEN 32

/* Hashes of `len` bytes: Keccak-256 as in Ethereum, SHA-256, RIPEMD-160. */
void zkvm_keccak256(const uint8_t* data, const size_t len,
                    uint8_t output[ZKVM_HASH_KECCAK256_LEN]);
void zkvm_sha256(const uint8_t* data, const size_t len, uint8_t output[ZKVM_HASH_SHA256_LEN]);
void zkvm_ripemd160(const uint8_t* data, const size_t len,
                    uint8_t output[ZKVM_HASH_RIPEMD160_LEN]);

/*
 * ECDSA over secp256k1. `msg` is the message's hash, `sig` is r and then s, which may be high. A
 * malformed signature or key is one that does not verify.
 */
zkvm_status zkvm_secp256k1_verify(const uint8_t msg[ZKVM_SECP256K1_HASH_LEN],
                                  const uint8_t sig[ZKVM_SECP256K1_SIG_LEN],
                                  const uint8_t pubkey[ZKVM_SECP256K1_PUBKEY_LEN]);

/*
 * The public key that signed. `recid` is 0 to 3: its lowest bit says whether the y of the
 * signature's point is odd, the next whether its x is r plus the group's order.
 */
zkvm_status zkvm_secp256k1_ecrecover(const uint8_t msg[ZKVM_SECP256K1_HASH_LEN],
                                     const uint8_t sig[ZKVM_SECP256K1_SIG_LEN], uint8_t recid,
                                     uint8_t output[ZKVM_SECP256K1_PUBKEY_LEN]);

/* ECDSA over secp256r1 (P-256); the rest as over secp256k1. */
zkvm_status zkvm_secp256r1_verify(const uint8_t msg[ZKVM_SECP256R1_HASH_LEN],
                                  const uint8_t sig[ZKVM_SECP256R1_SIG_LEN],
                                  const uint8_t pubkey[ZKVM_SECP256R1_PUBKEY_LEN]);

/*
 * base to the power exp, modulo modulus; `output` has `mod_len` bytes. Modulo 0 the power is 0.
 */
zkvm_status zkvm_modexp(const uint8_t* base, const size_t base_len, const uint8_t* exp,
                        const size_t exp_len, const uint8_t* modulus, const size_t mod_len,
                        uint8_t* output);

/*
 * The compression function of BLAKE2b (EIP-152): `rounds` rounds on the state `h`, the block `m`
 * and the offsets `t`, whose words are little-endian; `f` is 1 for the last block, else 0.
 */
zkvm_status zkvm_blake2f(const uint32_t rounds, const uint8_t h[ZKVM_BLAKE2F_STATE_LEN],
                         const uint8_t m[ZKVM_BLAKE2F_MSG_LEN],
                         const uint8_t t[ZKVM_BLAKE2F_OFFSET_LEN], const uint8_t f,
                         uint8_t output[ZKVM_BLAKE2F_STATE_LEN]);

/* BN254 (EIP-196): the sum of two points, and the multiple of one. */
zkvm_status zkvm_bn254_g1_add(const uint8_t p1[ZKVM_BN254_G1_POINT_LEN],
                              const uint8_t p2[ZKVM_BN254_G1_POINT_LEN],
                              uint8_t result[ZKVM_BN254_G1_POINT_LEN]);
zkvm_status zkvm_bn254_g1_mul(const uint8_t point[ZKVM_BN254_G1_POINT_LEN],
                              const uint8_t scalar[ZKVM_BN254_SCALAR_LEN],
                              uint8_t result[ZKVM_BN254_G1_POINT_LEN]);

/*
 * BN254 (EIP-197): whether the product of the pairings is 1, of any number of pairs of a point of
 * G1 and one of G2. `input_len` is in bytes.
 */
zkvm_status zkvm_bn254_pairing(const uint8_t* input, const size_t input_len);

/*
 * EIP-4844: whether the polynomial with this commitment has the value `y` at `z`. A malformed
 * operand is one that does not verify.
 */
zkvm_status zkvm_kzg_point_eval(const uint8_t commitment[ZKVM_KZG_COMMITMENT_LEN],
                                const uint8_t z[ZKVM_KZG_FIELD_ELEMENT_LEN],
                                const uint8_t y[ZKVM_KZG_FIELD_ELEMENT_LEN],
                                const uint8_t proof[ZKVM_KZG_PROOF_LEN]);

/*
 * BLS12-381 (EIP-2537, without its padding): sums of two points, and sums of multiples of points,
 * given as pairs of a point and a scalar. Points of the latter must be in the subgroup.
 */
zkvm_status zkvm_bls12_g1_add(const uint8_t p1[ZKVM_BLS12_381_G1_POINT_LEN],
                              const uint8_t p2[ZKVM_BLS12_381_G1_POINT_LEN],
                              uint8_t result[ZKVM_BLS12_381_G1_POINT_LEN]);
zkvm_status zkvm_bls12_g1_msm(const uint8_t* pairs, const size_t num_pairs,
                              uint8_t result[ZKVM_BLS12_381_G1_POINT_LEN]);
zkvm_status zkvm_bls12_g2_add(const uint8_t p1[ZKVM_BLS12_381_G2_POINT_LEN],
                              const uint8_t p2[ZKVM_BLS12_381_G2_POINT_LEN],
                              uint8_t result[ZKVM_BLS12_381_G2_POINT_LEN]);
zkvm_status zkvm_bls12_g2_msm(const uint8_t* pairs, const size_t num_pairs,
                              uint8_t result[ZKVM_BLS12_381_G2_POINT_LEN]);

/*
 * BLS12-381 (EIP-2537): whether the product of the pairings is 1, of pairs of a point of G1 and one
 * of G2.
 */
zkvm_status zkvm_bls12_pairing(const uint8_t* pairs, const size_t num_pairs);

/* BLS12-381 (EIP-2537): the points that field elements map to. */
zkvm_status zkvm_bls12_map_fp_to_g1(const uint8_t field_element[ZKVM_BLS12_381_FP_LEN],
                                    uint8_t result[ZKVM_BLS12_381_G1_POINT_LEN]);
zkvm_status zkvm_bls12_map_fp2_to_g2(const uint8_t field_element[ZKVM_BLS12_381_FP2_LEN],
                                     uint8_t result[ZKVM_BLS12_381_G2_POINT_LEN]);

#ifdef __cplusplus
}
#endif

#endif
