//! The precompiles and `zkvm-accel` against other implementations, on the machine and under the
//! emulator, where the same programs compute in software; every fault of the precompiles; the rows
//! that calls are.

use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{ProjectivePoint, Scalar};
use num_bigint::BigUint;
use sha2::Digest;
use zkvm_e2e::code::{DATA, RODATA, call, elf, halt, program};
use zkvm_e2e::reference::{self, Point, add, bytes, field_prime, number};
use zkvm_e2e::{guests, hex, oracle, run};
use zkvm_machine::isa::syscall::PRECOMPILE_BASE;
use zkvm_machine::isa::{Chip, Precompile, layout};
use zkvm_machine::precompile::OperandError;
use zkvm_machine::{Access, Exit, FaultKind, Input};
use zkvm_testkit::asm::Reg;
use zkvm_testkit::asm::base::sd;
use zkvm_testkit::qemu::End;
use zkvm_testkit::rng::Rng;

const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");

/// Random inputs of each precompile.
const RANDOM: usize = 1000;

/// Where the seeds of the tests begin.
const SEED: u64 = 0x7a6b_766d;

/// Tasks for a guest, what it must commit, and the rows that it must take.
#[derive(Default)]
struct Batch {
    input: Vec<u8>,
    journal: Vec<u8>,
    rows: Rows,
}

/// Rows of the chips that precompiles begin at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Rows {
    keccak: u64,
    sha256: u64,
    multiply_mod: u64,
    secp256k1: u64,
}

impl Batch {
    /// Adds a task with its operands and its result.
    fn push(&mut self, task: u8, operands: &[&[u8]], result: &[u8]) {
        self.input.push(task);
        self.input.extend(operands.concat());
        self.journal.extend(result);
    }

    /// Runs the guest on the machine and, if there is one, under the emulator. Gives the rows that
    /// it took.
    fn check(self, guest: &str) -> Rows {
        let program = zkvm_e2e::program(&guests::elf(guest, TEMPORARY));
        let input = Input::from_bytes(self.input);
        let run = run(&program, &input);
        assert_eq!(run.code(), 0, "{}", run.execution.exit);
        assert_same(&run.execution.journal, &self.journal, "the machine");
        if let Some(oracle) = oracle::find() {
            let outcome = oracle::run(&oracle, &program, &input).expect("the emulator starts");
            let said = String::from_utf8_lossy(&outcome.stderr);
            assert_eq!(outcome.end, End::Exit(0), "{said}");
            assert_same(&outcome.journal, &self.journal, "the emulator");
        }
        let rows = |chip| run.execution.cost.rows.of(chip);
        assert_eq!(rows(Chip::KeccakRound), 24 * rows(Chip::Keccak));
        assert_eq!(rows(Chip::Sha256Round), 64 * rows(Chip::Sha256));
        Rows {
            keccak: rows(Chip::Keccak),
            sha256: rows(Chip::Sha256),
            multiply_mod: rows(Chip::MultiplyMod),
            secp256k1: rows(Chip::Secp256k1),
        }
    }
}

#[track_caller]
fn assert_same(got: &[u8], expected: &[u8], who: &str) {
    let length = got.len().min(expected.len());
    let first = (0..length).find(|at| got[*at] != expected[*at]);
    assert_eq!(first, None, "the first byte that {who} has wrong");
    assert_eq!(got.len(), expected.len(), "bytes that {who} commits");
}

/// A byte string as the guests read it: its length and its bytes.
fn string(bytes: &[u8]) -> Vec<u8> {
    let input = zkvm_sdk::Input::new().write(bytes);
    input.expect("it has an encoding").machine().bytes.clone()
}

fn random_bytes<const N: usize>(rng: &mut Rng) -> [u8; N] {
    std::array::from_fn(|_| rng.next_u64() as u8)
}

/// A number of 256 bits; every other one has long runs of zeros or ones.
fn random_number(rng: &mut Rng) -> BigUint {
    let random = number(&random_bytes::<32>(rng));
    let shift = rng.below(256);
    let ones = (BigUint::from(1_u8) << 256_u16) - 1_u8;
    match rng.below(4) {
        0 => random >> shift,
        1 => ones - (random >> shift),
        _ => random,
    }
}

fn big_endian(number: &BigUint) -> [u8; 32] {
    let mut bytes = bytes(number);
    bytes.reverse();
    bytes
}

/// The group's order.
fn order() -> BigUint {
    let order = hex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
    BigUint::from_bytes_be(&order)
}

fn scalar(number: &BigUint) -> Scalar {
    <Scalar as Reduce<k256::FieldBytes>>::reduce(&big_endian(number).into())
}

/// `x` and `y` of a point of `k256`, big-endian; zeros for the identity.
fn bytes_of(point: &ProjectivePoint) -> [u8; 64] {
    let bytes = point.to_affine().to_sec1_point(false);
    let coordinates = &bytes.as_bytes()[1..];
    coordinates.try_into().unwrap_or([0; 64])
}

fn point_of(bytes: &[u8; 64]) -> Point {
    let [x, y] = [&bytes[..32], &bytes[32..]].map(BigUint::from_bytes_be);
    (*bytes != [0; 64]).then_some([x, y])
}

fn bytes_of_point(point: &Point) -> [u8; 64] {
    let Some([x, y]) = point else {
        return [0; 64];
    };
    let mut bytes = [0; 64];
    bytes[..32].copy_from_slice(&big_endian(x));
    bytes[32..].copy_from_slice(&big_endian(y));
    bytes
}

#[test]
fn permutations_and_compressions_are_those_of_the_standards() {
    let mut rng = Rng::new(SEED);
    let mut batch = Batch::default();
    for index in 0..RANDOM + 2 {
        let state = match index {
            0 => [0; 25],
            1 => [u64::MAX; 25],
            _ => std::array::from_fn(|_| rng.next_u64()),
        };
        let flat = |state: [u64; 25]| state.map(u64::to_le_bytes).concat();
        batch.push(0, &[&flat(state)], &flat(reference::keccak_f(state)));
        let (state, block) = match index {
            0 => ([0; 8], [0; 64]),
            1 => ([u32::MAX; 8], [255; 64]),
            _ => (
                std::array::from_fn(|_| rng.next_u64() as u32),
                random_bytes(&mut rng),
            ),
        };
        let flat = |state: [u32; 8]| state.map(u32::to_le_bytes).concat();
        let after = reference::sha256_compress(state, &block);
        batch.push(1, &[&flat(state), &block], &flat(after));
    }
    let calls = RANDOM as u64 + 2;
    let expected = Rows {
        keccak: calls,
        sha256: calls,
        ..Rows::default()
    };
    assert_eq!(batch.check("accel"), expected);
}

#[test]
fn products_powers_and_inverses_are_those_of_numbers_of_any_size() {
    let mut rng = Rng::new(SEED + 1);
    let mut batch = Batch::default();
    let largest = (BigUint::from(1_u8) << 256_u16) - 1_u8;
    let [zero, one] = [0_u8, 1].map(BigUint::from);
    let edges = [
        zero.clone(),
        one.clone(),
        2_u8.into(),
        field_prime(),
        order(),
        largest,
    ];
    let mut cases: Vec<[BigUint; 3]> = Vec::new();
    for x in &edges {
        for y in &edges {
            cases.extend(
                edges
                    .iter()
                    .map(|modulus| [x, y, modulus].map(Clone::clone)),
            );
        }
    }
    let random = (0..RANDOM).map(|_| [(); 3].map(|()| random_number(&mut rng)));
    cases.extend(random);
    let mut products = 0;
    for [x, y, modulus] in &cases {
        let operands = [x, y, modulus].map(bytes);
        let operands = operands.each_ref().map(<[u8; 32]>::as_slice);
        if *modulus == zero {
            batch.push(2, &operands, &[255; 32]);
            batch.push(3, &operands, &[255; 32]);
            continue;
        }
        products += 1;
        batch.push(2, &operands, &bytes(&(x * y % modulus)));
    }
    for [x, y, modulus] in cases
        .iter()
        .step_by(9)
        .filter(|[.., modulus]| *modulus != zero)
    {
        let operands = [x, y, modulus].map(bytes);
        let operands = operands.each_ref().map(<[u8; 32]>::as_slice);
        batch.push(3, &operands, &bytes(&x.modpow(y, modulus)));
    }
    for prime in [field_prime(), order(), 3_u8.into(), 65537_u32.into()] {
        for [x, ..] in cases.iter().step_by(31) {
            let inverse = (x % &prime).modinv(&prime);
            let expected = inverse.map_or([255; 32], |inverse| bytes(&inverse));
            batch.push(4, &[&bytes(x), &bytes(&prime)], &expected);
        }
    }
    let rows = batch.check("accel");
    assert!(rows.multiply_mod > products, "{rows:?}");
}

/// Points that sums are taken of: the identity, small multiples of the generator and their
/// opposites.
fn points(rng: &mut Rng) -> Vec<[u8; 64]> {
    let mut points = vec![ProjectivePoint::IDENTITY];
    for factor in 1..4_u64 {
        let point = ProjectivePoint::GENERATOR * Scalar::from(factor);
        points.extend([point, -point]);
    }
    points.push(ProjectivePoint::GENERATOR * scalar(&random_number(rng)));
    points.iter().map(bytes_of).collect()
}

#[test]
fn sums_and_doubles_of_points_are_those_of_the_formulas() {
    let mut rng = Rng::new(SEED + 2);
    let mut batch = Batch::default();
    let mut pairs: Vec<[[u8; 64]; 2]> = Vec::new();
    let points = points(&mut rng);
    for p in &points {
        pairs.extend(points.iter().map(|q| [*p, *q]));
    }
    let (mut p, q) = (point_of(&points[7]), point_of(&points[6]));
    for _ in 0..RANDOM {
        let next = add(&add(&p, &p), &q);
        pairs.push([bytes_of_point(&p), bytes_of_point(&next)]);
        p = next;
    }
    let mut calls = 0;
    for [p, q] in &pairs {
        let [first, second] = [p, q].map(point_of);
        let (sum, double) = (add(&first, &second), add(&first, &first));
        // A sum with the identity or of opposite points needs no call.
        calls += u64::from(first.is_some() && second.is_some() && sum.is_some());
        calls += u64::from(first.is_some());
        batch.push(5, &[p, q], &bytes_of_point(&sum));
        batch.push(6, &[p], &bytes_of_point(&double));
    }
    assert_eq!(batch.check("accel").secp256k1, calls);
}

#[test]
fn multiples_of_points_are_those_of_another_implementation() {
    let mut rng = Rng::new(SEED + 3);
    let mut batch = Batch::default();
    let points = points(&mut rng);
    let one = BigUint::from(1_u8);
    let edges = [
        BigUint::ZERO,
        one.clone(),
        order() - 1_u8,
        order(),
        order() + 1_u8,
        order() >> 1_u8,
        &one << 128_u8,
        (&one << 128_u8) - 1_u8,
        (&one << 256_u16) - 1_u8,
    ];
    let mut cases: Vec<[BigUint; 2]> = Vec::new();
    for a in &edges {
        cases.extend(edges.iter().map(|b| [a.clone(), b.clone()]));
    }
    cases.extend((0..20).map(|_| [(); 2].map(|()| random_number(&mut rng))));
    for (index, [a, b]) in cases.iter().enumerate() {
        let factor = match index % 4 {
            0 => one.clone(),
            1 => order() - 1_u8,
            2 => BigUint::from(3_u8),
            _ => random_number(&mut rng),
        };
        let point = ProjectivePoint::GENERATOR * scalar(&factor);
        let sum = ProjectivePoint::GENERATOR * scalar(a) + point * scalar(b);
        batch.push(
            7,
            &[&bytes(a), &bytes(b), &bytes_of(&point)],
            &bytes_of(&sum),
        );
    }
    for point in &points {
        batch.push(8, &[point], &[u8::from(*point != [0; 64])]);
        let mut near = *point;
        near[63] ^= 1;
        batch.push(8, &[&near], &[0]);
        // The same coordinates, but not below the prime.
        if let Some([x, y]) = point_of(point) {
            for above in [[&x + field_prime(), y.clone()], [x, y + field_prime()]] {
                if above.iter().all(|coordinate| coordinate.bits() <= 256) {
                    batch.push(8, &[&bytes_of_point(&Some(above))], &[0]);
                }
            }
        }
    }
    assert!(batch.check("accel").secp256k1 > 0);
}

/// Lengths at and about the ends of words and blocks.
fn lengths() -> impl Iterator<Item = usize> {
    let about = |middle: usize| middle.saturating_sub(9)..middle + 10;
    let ends = [0, 64, 128, 136, 272, 1088].into_iter().flat_map(about);
    ends.chain([4096, 10_007, 65_536])
}

fn keccak_rows(len: usize) -> u64 {
    len as u64 / 136 + 1
}

fn sha256_rows(len: usize) -> u64 {
    (len as u64 + 8) / 64 + 1
}

#[test]
fn digests_are_those_of_other_implementations_for_every_length_and_place() {
    let mut rng = Rng::new(SEED + 4);
    let mut batch = Batch::default();
    for len in lengths() {
        let message: Vec<u8> = (0..len).map(|_| rng.next_u64() as u8).collect();
        batch.push(0, &[&string(&message)], &sha3::Keccak256::digest(&message));
        batch.push(1, &[&string(&message)], &sha2::Sha256::digest(&message));
        batch.rows.keccak += keccak_rows(len);
        batch.rows.sha256 += sha256_rows(len);
    }
    let expected = batch.rows;
    let (input, journal) = (batch.input.clone(), batch.journal.clone());
    assert_eq!(batch.check("precompiles"), expected);
    let batch = Batch {
        input,
        journal,
        ..Batch::default()
    };
    assert_eq!(batch.check("software"), Rows::default());
}

#[test]
fn digests_of_parts_are_those_of_the_whole() {
    let mut rng = Rng::new(SEED + 5);
    let mut batch = Batch::default();
    for _ in 0..60 {
        let parts: Vec<u8> = (0..rng.below(12)).map(|_| rng.next_u64() as u8).collect();
        let len = parts.iter().copied().map(usize::from).sum();
        let message: Vec<u8> = (0..len).map(|_| rng.next_u64() as u8).collect();
        let keccak: [u8; 32] = sha3::Keccak256::digest(&message).into();
        let sha256: [u8; 32] = sha2::Sha256::digest(&message).into();
        let operands = [string(&parts), string(&message)].concat();
        batch.push(9, &[&operands], &[keccak, sha256, keccak, sha256].concat());
        batch.rows.keccak += 2 * keccak_rows(len);
        batch.rows.sha256 += 2 * sha256_rows(len);
    }
    let expected = batch.rows;
    assert_eq!(batch.check("accel"), expected);
}

/// A signature and what may be recovered from it.
struct Signed {
    hash: [u8; 32],
    r: [u8; 32],
    s: [u8; 32],
    id: u8,
    key: [u8; 64],
}

/// Two transactions of Ethereum's block 20 612 842: the hash that was signed, the signature, and the
/// signer's key. The first is `0x4e4759b0…`, the second `0xab3ec09c…`.
fn transactions() -> [Signed; 2] {
    let signed = |hash, r, s, id, key| Signed {
        hash: array(hash),
        r: array(r),
        s: array(s),
        id,
        key: array(key),
    };
    [
        signed(
            "676a9a4f457eaaa5817a94a480b3ae69926d50efd4e4ac138df5a2b8102fdbfe",
            "7d094d2bc25ed1d5f9f4999db423da0254952b8d8d0a245b0413711302fe5fb8",
            "2433b7d3c862ead5cb51b6ab1a24267fd97f293eaa301406f7d6d6fec4842443",
            0,
            "db7ebfdfc5a7d13542c0793e7404b6d9b862a3854626dc34678461448ca98a59\
             4a9050e55e607237e80bfb95e8dc33d68f51a70a1848ab9a64fa9f095361820b",
        ),
        signed(
            "526c8df36bc1e2cdd269f9d76ad269a645e41018488a47ae7095ffe55c2bc33e",
            "27c621c768a021d59f374156390a27034607cf587283f0b328a4b489ac1c6cd2",
            "1874acab7200638af48382e50b9f53f3171856dc4a26f199ffc9734ca3b6b7c1",
            1,
            "7384c84ef87e51a9ec46904adb61455d33a61cd7f10b68912d00c2ca28321dfb\
             15673c466da2db8072f07db1086b1bfce7f48a9d1aaa80f6c0fe8c9b309643f3",
        ),
    ]
}

fn array<const N: usize>(digits: &str) -> [u8; N] {
    hex(digits).try_into().expect("as many digits as bytes")
}

/// The key by another implementation, which wants a low `s`; zeros if there is none.
fn recovered(hash: &[u8; 32], r: &BigUint, s: &BigUint, id: u8) -> [u8; 64] {
    let is_high = *s > order() >> 1_u8 && *s < order();
    let low = if is_high { order() - s } else { s.clone() };
    let signature = Signature::from_scalars(big_endian(r), big_endian(&low));
    let key = signature.ok().and_then(|signature| {
        let id = RecoveryId::from_byte(id ^ u8::from(is_high))?;
        VerifyingKey::recover_from_prehash(hash, &signature, id).ok()
    });
    key.map_or([0; 64], |key| {
        bytes_of(&ProjectivePoint::from(*key.as_affine()))
    })
}

/// Adds a recovery for every id and, where there is a key, verifications with it.
fn push_signature(batch: &mut Batch, hash: &[u8; 32], r: &BigUint, s: &BigUint) {
    let [r_bytes, s_bytes] = [r, s].map(big_endian);
    for id in 0..5 {
        let key = recovered(hash, r, s, id);
        batch.push(2, &[hash, &r_bytes, &s_bytes, &[id]], &key);
        if id < 4 {
            let is_valid = u8::from(key != [0; 64]);
            batch.push(3, &[hash, &r_bytes, &s_bytes, &key], &[is_valid]);
            let mut other = *hash;
            other[7] ^= 0x10;
            batch.push(3, &[&other, &r_bytes, &s_bytes, &key], &[0]);
        }
    }
}

#[test]
fn signatures_are_recovered_and_verified_as_by_another_implementation() {
    let mut batch = Batch::default();
    for signed in transactions() {
        let Signed {
            hash,
            r,
            s,
            id,
            key,
        } = &signed;
        batch.push(2, &[hash, r, s, &[*id]], key);
        batch.push(3, &[hash, r, s, key], &[1]);
    }
    let mut rng = Rng::new(SEED + 6);
    for _ in 0..8 {
        let key = SigningKey::from_slice(&random_bytes::<32>(&mut rng)).expect("a key");
        let hash = random_bytes(&mut rng);
        let (signature, _) = key.sign_prehash_recoverable(&hash);
        let [r, s] = [signature.r(), signature.s()];
        let [r, s] = [r, s].map(|half| BigUint::from_bytes_be(&half.to_repr()));
        push_signature(&mut batch, &hash, &r, &s);
        push_signature(&mut batch, &hash, &r, &(order() - s));
    }
    let rows = batch.check("precompiles");
    assert!(rows.secp256k1 > 0 && rows.multiply_mod > 0, "{rows:?}");
}

#[test]
fn signatures_at_the_edges_are_refused_or_taken_as_the_standard_says() {
    let mut batch = Batch::default();
    let one = BigUint::from(1_u8);
    let gap = field_prime() - order();
    let largest = (&one << 256_u16) - 1_u8;
    let generator_x = BigUint::from_bytes_be(&bytes_of(&ProjectivePoint::GENERATOR)[..32]);
    let halves = [
        BigUint::ZERO,
        one.clone(),
        order() - 1_u8,
        order(),
        order() + 1_u8,
        field_prime(),
        largest,
        generator_x.clone(),
        &gap - 1_u8,
        gap.clone(),
        order() >> 1_u8,
        (order() >> 1_u8) + 1_u8,
    ];
    let hashes = [[0; 32], big_endian(&one), big_endian(&order()), [255; 32]];
    let is_signature = |half: &BigUint| *half != BigUint::ZERO && *half < order();
    for r in &halves {
        for s in &halves {
            if is_signature(r) && is_signature(s) {
                let hash = hashes[(r.bits() + s.bits()) as usize % 4];
                push_signature(&mut batch, &hash, r, s);
                continue;
            }
            let key = bytes_of(&ProjectivePoint::GENERATOR);
            let [r, s] = [r, s].map(big_endian);
            batch.push(2, &[&hashes[1], &r, &s, &[0]], &[0; 64]);
            batch.push(3, &[&hashes[1], &r, &s, &key], &[0]);
        }
    }
    // The key would be the identity: hash · G is s times the point at r.
    let r = big_endian(&generator_x);
    batch.push(2, &[&hashes[1], &r, &hashes[1], &[0]], &[0; 64]);
    // The sum is the identity: the hash is -r, under the key G.
    let key = bytes_of(&ProjectivePoint::GENERATOR);
    let hash = big_endian(&(order() - &generator_x));
    batch.push(3, &[&hash, &r, &hashes[1], &key], &[0]);
    // Not a point: the identity, and a key off the curve.
    batch.push(3, &[&hashes[1], &r, &hashes[1], &[0; 64]], &[0]);
    batch.push(3, &[&hashes[1], &r, &hashes[1], &[1; 64]], &[0]);
    assert!(batch.check("precompiles").secp256k1 > 0);
}

/// A call of a precompile with these addresses, after `words` were stored from [`DATA`] on; where
/// and how it faults. A fault has no effect.
#[track_caller]
fn fault_of(precompile: Precompile, addresses: [u64; 3], words: &[u64]) -> FaultKind {
    let program = program(|asm| {
        asm.li(Reg::T0, DATA);
        for (index, word) in words.iter().enumerate() {
            asm.li(Reg::T1, *word);
            asm.emit(sd(Reg::T1, Reg::T0, 8 * index as i32));
        }
        call(asm, precompile.number(), &addresses);
        halt(asm, 0);
    });
    let run = run(&program, &Input::default());
    let Exit::Faulted(fault) = run.execution.exit else {
        panic!("{precompile:?} must fault, not: {}", run.execution.exit);
    };
    let arguments = [10, 11, 12].map(|register| run.execution.registers[register]);
    assert_eq!(arguments, addresses, "{precompile:?}");
    for (chip, _) in precompile.rows() {
        assert_eq!(run.execution.cost.rows.of(*chip), 0, "{precompile:?}");
    }
    fault.kind
}

/// The addresses that the call uses; 0 instead of the others.
fn used(precompile: Precompile, addresses: [u64; 3]) -> [u64; 3] {
    let operands = precompile.operands().len();
    std::array::from_fn(|index| {
        if index < operands {
            addresses[index]
        } else {
            0
        }
    })
}

#[test]
fn addresses_that_a_precompile_refuses() {
    let heap_end = u64::from(layout::HEAP_END);
    let far = 1 << 32;
    for precompile in Precompile::ALL {
        let whole = [DATA, DATA + 256, DATA + 512];
        for argument in 0..3 {
            for offset in 1..8 {
                let mut addresses = whole;
                addresses[argument] += offset;
                let address = addresses[argument];
                let kind = fault_of(precompile, addresses, &[]);
                assert_eq!(kind, FaultKind::TransferMisaligned { address });
            }
            for address in [far, far | DATA, u64::MAX - 7] {
                let mut addresses = whole;
                addresses[argument] = address;
                let kind = fault_of(precompile, addresses, &[]);
                let access = Access::Load;
                assert_eq!(kind, FaultKind::Unmapped { access, address });
            }
        }
        let whole = used(precompile, whole);
        for unused in precompile.operands().len()..3 {
            let mut addresses = whole;
            addresses[unused] = DATA;
            let kind = fault_of(precompile, addresses, &[]);
            let error = OperandError::UnusedArgument;
            assert_eq!(kind, FaultKind::Operand { precompile, error });
        }
        for (argument, operand) in precompile.operands().iter().enumerate() {
            // The last word is the first that is not mapped; then all are.
            let bytes = 8 * u64::from(operand.words);
            for (start, address) in [(heap_end + 8 - bytes, heap_end), (0, 0)] {
                let mut addresses = whole;
                addresses[argument] = start;
                let access = if argument == 0 {
                    Access::Store
                } else {
                    Access::Load
                };
                let kind = fault_of(precompile, addresses, &[]);
                assert_eq!(kind, FaultKind::Unmapped { access, address });
            }
        }
        let addresses = [RODATA, whole[1], whole[2]];
        let address = RODATA;
        let kind = fault_of(precompile, addresses, &[]);
        assert_eq!(kind, FaultKind::ReadOnly { address });
    }
    for number in [
        PRECOMPILE_BASE,
        PRECOMPILE_BASE + Precompile::COUNT as u64 + 1,
    ] {
        let program = program(|asm| call(asm, number, &[DATA; 3]));
        let Exit::Faulted(fault) = run(&program, &Input::default()).execution.exit else {
            panic!("there is no such call");
        };
        assert_eq!(fault.kind, FaultKind::UnknownSystemCall { number });
    }
}

#[test]
fn operands_that_have_no_result() {
    let refused = |precompile, addresses, words: &[BigUint]| {
        let words: Vec<u64> = words
            .iter()
            .flat_map(|number| bytes(number).as_chunks::<8>().0.to_vec())
            .map(u64::from_le_bytes)
            .collect();
        let FaultKind::Operand {
            precompile: named,
            error,
        } = fault_of(precompile, used(precompile, addresses), &words)
        else {
            panic!("the operand must be refused");
        };
        assert_eq!(named, precompile);
        error
    };
    let [first, second, third] = [DATA, DATA + 64, DATA + 128];
    let [zero, one] = [0_u8, 1].map(BigUint::from);
    let prime = field_prime();
    let largest = (&one << 256_u16) - 1_u8;
    let words = [
        one.clone(),
        one.clone(),
        one.clone(),
        one.clone(),
        zero.clone(),
    ];
    let error = refused(Precompile::MultiplyMod, [first, second, third], &words);
    assert_eq!(error, OperandError::ModulusZero);
    for bad in [&prime, &(&prime + 1_u8), &largest] {
        for at in 0..4 {
            let mut words = [1_u8, 2, 3, 4].map(BigUint::from);
            words[at] = bad.clone();
            let error = refused(Precompile::Secp256k1Add, [first, second, first], &words);
            assert_eq!(error, OperandError::CoordinateNotReduced);
            if at < 2 {
                let error = refused(Precompile::Secp256k1Double, [first; 3], &words);
                assert_eq!(error, OperandError::CoordinateNotReduced);
            }
        }
    }
    let words = [1_u8, 2, 1, 4].map(BigUint::from);
    let error = refused(Precompile::Secp256k1Add, [first, second, first], &words);
    assert_eq!(error, OperandError::EqualX);
    let error = refused(Precompile::Secp256k1Add, [first; 3], &words);
    assert_eq!(error, OperandError::EqualX);
    let words = [one, zero];
    let error = refused(Precompile::Secp256k1Double, [first; 3], &words);
    assert_eq!(error, OperandError::ZeroY);
}

/// Loading what the test programs are made of must stay possible.
#[test]
fn operands_may_overlap_and_lie_in_read_only_memory() {
    let program = zkvm_e2e::program(
        &elf(|asm| {
            // The state's first words are the block, too; then the block is constants.
            call(asm, Precompile::Sha256Compress.number(), &[DATA, DATA, 0]);
            call(asm, Precompile::Sha256Compress.number(), &[DATA, RODATA, 0]);
            zkvm_e2e::code::commit(asm, DATA, 64);
            halt(asm, 0);
        })
        .build(),
    );
    let run = run(&program, &Input::default());
    assert_eq!(run.code(), 0);
    let data = zkvm_e2e::code::data();
    let words = |bytes: &[u8]| -> [u32; 8] {
        std::array::from_fn(|at| {
            u32::from_le_bytes(bytes[4 * at..4 * at + 4].try_into().expect("four bytes"))
        })
    };
    let block = data[..64].try_into().expect("64 bytes");
    let state = reference::sha256_compress(words(&data), &block);
    let constants = std::array::from_fn(|at| at as u8);
    let state = reference::sha256_compress(state, &constants);
    let expected = [&state.map(u32::to_le_bytes).concat()[..], &data[32..64]].concat();
    assert_eq!(run.execution.journal, expected);
}
