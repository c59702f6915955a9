//! Cycles of the guest per gas, at the worst: what bounds the rollup's limits (docs/bench/rollup.md).

mod common;

use alloy_primitives::{Address, B256, U256, hex, keccak256};
use common::calls::*;
use common::world::{World, key, sign};
use zkvm_rollup_node::store::Account;

/// Cycles per gas at the margin: of a run with little work and one with more.
fn cycles_per_gas(runs: [(&World, Vec<u8>); 2]) -> f64 {
    let [few, many] = runs.map(|(world, input)| both(world, 15_000_000, input));
    (many.1 - few.1) as f64 / (many.0 - few.0) as f64
}

/// A world of a fork whose limits are none.
fn unlimited(fork: u8, code: &[u8]) -> World {
    let mut world = world_with(fork, &[(CONTRACT, code)]);
    world.config.zk_gas_limit = u64::MAX;
    world.config.max_batch_bytes = 1 << 20;
    world
}

/// A call of modexp.
fn modexp(base: &[u8], exponent: &[u8], modulus: &[u8]) -> Vec<u8> {
    let lengths = [base, exponent, modulus].map(|it| U256::from(it.len()).to_be_bytes::<32>());
    [&lengths.concat(), base, exponent, modulus].concat()
}

fn signature() -> Vec<u8> {
    let hash = keccak256("message");
    let signature = sign(&key(11), hash);
    let words = [
        U256::from(27 + u8::from(signature.v())),
        signature.r(),
        signature.s(),
    ];
    let words = words.map(|word| word.to_be_bytes::<32>()).concat();
    [hash.as_slice(), &words].concat()
}

/// A true signature over P-256: message, r, s, key (of daimo-eth's p256-verifier).
const P256: [u8; 160] = hex!(
    "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d"
    "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac"
    "36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60"
    "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3"
    "7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e"
);

/// Numbers of 48 bytes as the contracts of EIP-2537 take them: after 16 zeros.
fn padded(numbers: &[&str]) -> Vec<u8> {
    let numbers = numbers.iter().map(|it| hex::decode(it).unwrap());
    numbers
        .flat_map(|number| [vec![0; 16], number].concat())
        .collect()
}

/// The generators of BLS12-381's groups.
fn bls12_generators() -> [Vec<u8>; 2] {
    [
        padded(&[
            "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
            "08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3edd03cc744a2888ae40caa232946c5e7e1",
        ]),
        padded(&[
            "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d1770bac0326a805bbefd48056c8c121bdb8",
            "13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049334cf11213945d57e5ac7d055d042b7e",
            "0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c923ac9cc3baca289e193548608b82801",
            "0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab3f370d275cec1da1aaa9075ff05f79be",
        ]),
    ]
}

/// Work of the precompiled contracts: the fork, the address, a name, the input.
fn contract_calls() -> Vec<(u8, u64, &'static str, Vec<u8>)> {
    let ones = |count: usize| vec![0xff; count];
    let odd = |count: usize| [vec![0xfe; count - 1], vec![0xfd]].concat();
    let even = |count: usize| [vec![0xfe; count - 1], vec![0x02]].concat();
    let two = |count: usize| [vec![0x80], vec![0; count - 1]].concat();
    let bn_one = [1u8, 2].map(|it| B256::with_last_byte(it).0).concat();
    let [g1, g2] = bls12_generators();
    let scalar = ones(32);
    vec![
        (2, 1, "ecrecover", signature()),
        (2, 2, "SHA-256, 0 bytes", Vec::new()),
        (2, 2, "SHA-256, 4096 bytes", ones(4096)),
        (2, 3, "RIPEMD-160, 0 bytes", Vec::new()),
        (2, 3, "RIPEMD-160, 4096 bytes", ones(4096)),
        (2, 4, "identity, 0 bytes", Vec::new()),
        (2, 4, "identity, 4096 bytes", ones(4096)),
        (
            2,
            5,
            "modexp, 1-byte modulus, exponent of 32",
            modexp(&ones(1), &ones(32), &odd(1)),
        ),
        (
            2,
            5,
            "modexp, 1-byte modulus, exponent of 1000",
            modexp(&ones(1), &ones(1000), &odd(1)),
        ),
        (
            2,
            5,
            "modexp, 1-byte base and modulus, exponent of 10,000",
            modexp(&ones(1), &ones(10_000), &odd(1)),
        ),
        (
            2,
            5,
            "modexp, 8-byte modulus, exponent of 1000",
            modexp(&ones(8), &ones(1000), &odd(8)),
        ),
        (
            2,
            5,
            "modexp, 32-byte modulus, exponent of 32",
            modexp(&ones(32), &ones(32), &odd(32)),
        ),
        (
            2,
            5,
            "modexp, 32-byte modulus, exponent of 1000",
            modexp(&ones(32), &ones(1000), &odd(32)),
        ),
        (
            2,
            5,
            "modexp, 196-byte base, 1-byte modulus, exponent 1",
            modexp(&ones(196), &[1], &odd(1)),
        ),
        (
            2,
            5,
            "modexp, 196-byte base, 32-byte modulus, exponent 3",
            modexp(&ones(196), &[3], &odd(32)),
        ),
        (
            2,
            5,
            "modexp, 33-byte modulus, exponent 3",
            modexp(&ones(33), &[3], &odd(33)),
        ),
        (
            2,
            5,
            "modexp, 33-byte modulus, exponent of 32",
            modexp(&ones(33), &ones(32), &odd(33)),
        ),
        (
            2,
            5,
            "modexp, 33-byte modulus, exponent of 1000",
            modexp(&ones(33), &ones(1000), &odd(33)),
        ),
        (
            2,
            5,
            "modexp, 33-byte even modulus, exponent of 1000",
            modexp(&ones(33), &ones(1000), &even(33)),
        ),
        (
            2,
            5,
            "modexp, 33-byte power of two, exponent of 1000",
            modexp(&ones(33), &ones(1000), &two(33)),
        ),
        (
            2,
            5,
            "modexp, 40-byte modulus, exponent of 1000",
            modexp(&ones(40), &ones(1000), &odd(40)),
        ),
        (
            2,
            5,
            "modexp, 64-byte modulus, exponent of 1000",
            modexp(&ones(64), &ones(1000), &odd(64)),
        ),
        (
            2,
            5,
            "modexp, 64-byte even modulus, exponent of 1000",
            modexp(&ones(64), &ones(1000), &even(64)),
        ),
        (
            2,
            5,
            "modexp, 64-byte modulus, exponent 2",
            modexp(&ones(64), &[2], &odd(64)),
        ),
        (
            2,
            5,
            "modexp, 196-byte modulus, exponent 2",
            modexp(&ones(196), &[2], &odd(196)),
        ),
        (
            2,
            5,
            "modexp, 196-byte even modulus, exponent 3",
            modexp(&ones(196), &[3], &even(196)),
        ),
        (
            2,
            5,
            "modexp, 196-byte modulus, half of it a power of two, exponent 3",
            modexp(&ones(196), &[3], &[odd(98), vec![0; 98]].concat()),
        ),
        (
            2,
            5,
            "modexp, 196-byte modulus 3 · 2^k, exponent 3",
            modexp(&ones(196), &[3], &[vec![3], vec![0; 195]].concat()),
        ),
        (
            2,
            5,
            "modexp, 1024-byte modulus 3 · 2^k, exponent 3",
            modexp(&ones(1024), &[3], &[vec![3], vec![0; 1023]].concat()),
        ),
        (
            2,
            5,
            "modexp, 1024-byte modulus, half of it a power of two, exponent 3",
            modexp(&ones(1024), &[3], &[odd(512), vec![0; 512]].concat()),
        ),
        (
            2,
            5,
            "modexp, 1024-byte modulus, exponent 3",
            modexp(&ones(1024), &[3], &odd(1024)),
        ),
        (
            2,
            5,
            "modexp, 1024-byte even modulus, exponent 3",
            modexp(&ones(1024), &[3], &even(1024)),
        ),
        (
            2,
            5,
            "modexp, 1024-byte power of two, exponent 3",
            modexp(&ones(1024), &[3], &two(1024)),
        ),
        (
            2,
            5,
            "modexp, 1024-byte base, 512-byte modulus, exponent 2",
            modexp(&ones(1024), &[2], &odd(512)),
        ),
        (
            4,
            5,
            "modexp of Osaka, 1024-byte modulus 3 · 2^k, exponent 3",
            modexp(&ones(1024), &[3], &[vec![3], vec![0; 1023]].concat()),
        ),
        (
            4,
            5,
            "modexp of Osaka, 1024-byte modulus, exponent 2",
            modexp(&ones(1024), &[2], &odd(1024)),
        ),
        (
            2,
            5,
            "modexp, 64-byte even modulus, exponent 511",
            modexp(&ones(64), &[1, 0xff], &even(64)),
        ),
        (
            2,
            5,
            "modexp, 100-byte even modulus, exponent 15",
            modexp(&ones(100), &[15], &even(100)),
        ),
        (
            2,
            5,
            "modexp, 256-byte modulus, exponent of 32",
            modexp(&ones(256), &ones(32), &odd(256)),
        ),
        (
            2,
            5,
            "modexp, 1024-byte base, 33-byte modulus, exponent 2",
            modexp(&ones(1024), &[2], &odd(33)),
        ),
        (
            4,
            5,
            "modexp of Osaka, 1-byte modulus, exponent of 1000",
            modexp(&ones(1), &ones(1000), &odd(1)),
        ),
        (
            4,
            5,
            "modexp of Osaka, 33-byte modulus, exponent of 1000",
            modexp(&ones(33), &ones(1000), &odd(33)),
        ),
        (
            4,
            5,
            "modexp of Osaka, 33-byte even modulus, exponent of 1000",
            modexp(&ones(33), &ones(1000), &even(33)),
        ),
        (
            2,
            6,
            "alt_bn128, sum",
            [bn_one.clone(), bn_one.clone()].concat(),
        ),
        (
            2,
            7,
            "alt_bn128, product",
            [bn_one, scalar.clone()].concat(),
        ),
        (2, 8, "alt_bn128, no pairings", Vec::new()),
        (2, 8, "alt_bn128, 1 pairing", PAIRING[..192].to_vec()),
        (2, 8, "alt_bn128, 2 pairings", PAIRING.to_vec()),
        (2, 9, "BLAKE2b, 1 round", blake(1)),
        (2, 9, "BLAKE2b, 20,000 rounds", blake(20_000)),
        (2, 10, "KZG point evaluation", KZG.to_vec()),
        (
            4,
            11,
            "BLS12-381 G1, sum",
            [g1.clone(), g1.clone()].concat(),
        ),
        (
            4,
            12,
            "BLS12-381 G1, 1 product",
            [g1.clone(), scalar.clone()].concat(),
        ),
        (
            4,
            12,
            "BLS12-381 G1, 8 products",
            [g1.clone(), scalar.clone()].concat().repeat(8),
        ),
        (
            4,
            13,
            "BLS12-381 G2, sum",
            [g2.clone(), g2.clone()].concat(),
        ),
        (
            4,
            14,
            "BLS12-381 G2, 1 product",
            [g2.clone(), scalar.clone()].concat(),
        ),
        (
            4,
            14,
            "BLS12-381 G2, 8 products",
            [g2.clone(), scalar].concat().repeat(8),
        ),
        (
            4,
            15,
            "BLS12-381, 1 pairing",
            [g1.clone(), g2.clone()].concat(),
        ),
        (4, 15, "BLS12-381, 4 pairings", [g1, g2].concat().repeat(4)),
        (4, 16, "BLS12-381, map to G1", padded(&[FIELD_ELEMENT])),
        (4, 17, "BLS12-381, map to G2", padded(&[FIELD_ELEMENT; 2])),
        (4, 256, "P-256 verification", P256.to_vec()),
    ]
}

/// Of the vectors of EIP-2537.
const FIELD_ELEMENT: &str = "156c8a6a2c184569d69a76be144b5cdc5141d2d2ca4fe341f011e25e3969c55ad9e9b9ce2eb833c81a908e5fa4ac5f03";

/// Repeats a piece of code: as often as the input's first word says, it runs it 100 times.
fn repeated(piece: &[u8]) -> Vec<u8> {
    // CALLDATALOAD at 0; in a loop: the pieces, then one less.
    let mut code = vec![0x5f, 0x35, 0x5b];
    for _ in 0..100 {
        code.extend_from_slice(piece);
    }
    code.extend_from_slice(&[0x60, 1, 0x90, 0x03, 0x80, 0x60, 2, 0x57, 0]);
    code
}

/// Instructions: a name, code that leaves the stack as it is, and its input's second word on.
fn instructions() -> Vec<(&'static str, Vec<u8>)> {
    let with_all = |count: usize, instruction: u8| {
        // PUSH0, NOT: all ones.
        [[0x5f, 0x19].repeat(count), vec![instruction, 0x50]].concat()
    };
    let mut all = vec![
        ("JUMPDEST", vec![0x5b]),
        ("PUSH0, POP", vec![0x5f, 0x50]),
        (
            "MULMOD",
            [&[0x60, 3, 0x19], &with_all(2, 0x09)[..]].concat(),
        ),
        (
            "ADDMOD",
            [&[0x60, 3, 0x19], &with_all(2, 0x08)[..]].concat(),
        ),
        (
            "DIV",
            [&[0x7c], &[0xfd; 29][..], &with_all(1, 0x04)].concat(),
        ),
        (
            "SDIV",
            [&[0x7c], &[0x7d; 29][..], &with_all(1, 0x05)].concat(),
        ),
        ("EXP", with_all(2, 0x0a)),
        ("KECCAK256 of nothing", vec![0x5f, 0x5f, 0x20, 0x50]),
        ("KECCAK256 of 136 bytes", vec![0x60, 136, 0x5f, 0x20, 0x50]),
        ("SLOAD, warm", vec![0x5f, 0x54, 0x50]),
        // Of the slot or the account that the gas that is left numbers.
        ("SLOAD, cold", vec![0x5a, 0x54, 0x50]),
        ("BALANCE, cold", vec![0x5a, 0x31, 0x50]),
        ("SSTORE, cold", vec![0x5a, 0x5a, 0x55]),
        ("TSTORE", vec![0x5a, 0x5a, 0x5d]),
        ("LOG0", vec![0x5f, 0x5f, 0xa0]),
        (
            "CALL of nobody",
            vec![0x5f, 0x5f, 0x5f, 0x5f, 0x5f, 0x60, 0xee, 0x5a, 0xf1, 0x50],
        ),
        ("CREATE of nothing", vec![0x5f, 0x5f, 0x5f, 0xf0, 0x50]),
    ];
    all.push(("MCOPY of 1 KiB", vec![0x61, 4, 0, 0x5f, 0x5f, 0x5e]));
    all
}

/// A contract that calls as many others as its input says, each once, and these: each of the greatest
/// length, without an instruction but the first, which stops.
fn large_contracts(count: u8) -> World {
    const BYTES_MAX: usize = 24_576;
    // In a loop: five zeros, the address, the gas, CALL.
    let caller = hex!("5f35 5b 5f5f5f5f5f 85 62010000 01 5a f1 50 60019003 80 6002 57 00");
    let mut world = unlimited(2, &caller);
    for index in 1..=count {
        let mut code = vec![0x5b; BYTES_MAX];
        code[..2].copy_from_slice(&[0, index]);
        let account = Account {
            code: code.into(),
            ..Account::default()
        };
        let address = Address::left_padding_from(&[1, 0, index]);
        world.accounts.insert(address, account);
    }
    renew(&mut world);
    world
}

#[test]
fn no_gas_takes_many_cycles() {
    let mut rows = Vec::new();
    for (fork, address, name, input) in contract_calls() {
        let world = unlimited(fork, &CALLER);
        let runs = [1, 3].map(|count| (&world, calls(address, count, &input)));
        rows.push((cycles_per_gas(runs), name));
    }
    for (name, piece) in instructions() {
        let world = unlimited(2, &repeated(&piece));
        let runs = [1, 3].map(|count| (&world, B256::with_last_byte(count).to_vec()));
        rows.push((cycles_per_gas(runs), name));
    }
    let counts = [2u8, 12];
    let worlds = counts.map(large_contracts);
    let runs = [0, 1].map(|index| {
        let count = B256::with_last_byte(counts[index]);
        (&worlds[index], count.to_vec())
    });
    rows.push((
        cycles_per_gas(runs),
        "CALL of a new contract of 24,576 bytes",
    ));
    rows.sort_by(|a, b| b.0.total_cmp(&a.0));
    for (ratio, name) in &rows {
        eprintln!("| {name} | {ratio:.1} |");
    }
    // What docs/bench/rollup.md says.
    assert!(rows[0].1 == "KZG point evaluation" && rows[0].0 < 800.0);
    assert!(rows[1].0 < 500.0);
}
