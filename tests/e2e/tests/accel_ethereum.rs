//! `alloy` and `revm` through their hooks, and the Ethereum zkVM standards' C interface: that their
//! results are right, and that they reach the precompiles' chips.

use std::path::Path;

use num_bigint::BigUint;
use zkvm_e2e::reference::field_prime;
use zkvm_e2e::{guests, hex, oracle, program, run};
use zkvm_machine::isa::Chip;
use zkvm_machine::{Cost, Input};
use zkvm_testkit::qemu::End;

const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");

/// The ELF file of a guest of these tests.
fn elf(name: &str) -> Vec<u8> {
    let folder = guests::root().join("tests/guests").join(name);
    let built = guests::build_all(&folder, &guests::target_dir(TEMPORARY, &folder));
    let [(_, path)] = &built[..] else {
        panic!("the package has one binary: {built:?}");
    };
    read(path)
}

fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The input's bytes of values that serde can encode.
macro_rules! encoded {
    ($($value:expr),*) => {
        zkvm_sdk::Input::new()$(.write($value).expect("it has an encoding"))*
            .machine().bytes.clone()
    };
}

/// What a guest committed, and what it cost.
fn outcome(elf: &[u8], input: Vec<u8>) -> (Vec<u8>, Cost) {
    let run = run(&program(elf), &Input::from_bytes(input));
    assert_eq!(run.code(), 0, "{}", run.execution.exit);
    (run.execution.journal, run.execution.cost)
}

/// Rows of the chips at which precompiles begin: keccak, SHA-256, products, points.
fn rows(cost: &Cost) -> [u64; 4] {
    [
        Chip::Keccak,
        Chip::Sha256,
        Chip::MultiplyMod,
        Chip::Secp256k1,
    ]
    .map(|chip| cost.rows.of(chip))
}

/// Transactions of Ethereum's block 20 612 842, `0x4e4759b0…` of the first kind and `0xab3ec09c…`
/// of EIP-1559: the bytes, the signer's public key and address.
const TRANSACTIONS: [[&str; 3]; 2] = [
    [
        "f8aa81e38501a13b860082f6e994dac17f958d2ee523a2206206994597c13d831ec780b844a9059cbb00000000\
         0000000000000000b5f7f34074224f48a08d28b6c43266cb4843c8de000000000000000000000000000000000000\
         00000000000000000001a13b860025a07d094d2bc25ed1d5f9f4999db423da0254952b8d8d0a245b0413711302fe\
         5fb8a02433b7d3c862ead5cb51b6ab1a24267fd97f293eaa301406f7d6d6fec4842443",
        "04db7ebfdfc5a7d13542c0793e7404b6d9b862a3854626dc34678461448ca98a594a9050e55e607237e80bfb95\
         e8dc33d68f51a70a1848ab9a64fa9f095361820b",
        "d01bdeddda5f56ec0575e84fd70f8d0acc9cf7a9",
    ],
    [
        "02f8b20182283d84b2d05e00850168a7424182df5694ba94009dd1b2ee462b1da2bf83c6982a6f4d6edb80b844\
         095ea7b300000000000000000000000080a64c6d7f12c47b7c66c5b4e20e72bc1fcd5d9effffffffffffffffffff\
         ffffffffffffffffffffffffffffffffffffffffffffc001a027c621c768a021d59f374156390a27034607cf5872\
         83f0b328a4b489ac1c6cd2a01874acab7200638af48382e50b9f53f3171856dc4a26f199ffc9734ca3b6b7c1",
        "047384c84ef87e51a9ec46904adb61455d33a61cd7f10b68912d00c2ca28321dfb15673c466da2db8072f07db1\
         086b1bfce7f48a9d1aaa80f6c0fe8c9b309643f3",
        "21fd08a5dd27ae6c1f4550f7c1114ace78a837bf",
    ],
];

/// Of the first transaction: the hash that was signed, and the signature.
const HASH: &str = "676a9a4f457eaaa5817a94a480b3ae69926d50efd4e4ac138df5a2b8102fdbfe";
const SIGNATURE: &str = "7d094d2bc25ed1d5f9f4999db423da0254952b8d8d0a245b0413711302fe5fb8\
                         2433b7d3c862ead5cb51b6ab1a24267fd97f293eaa301406f7d6d6fec4842443";

#[test]
fn hooks_compute_what_the_libraries_do_and_reach_the_chips() {
    let elf = elf("hooks");
    let message: Vec<u8> = (0..1000_u32).map(|at| (at ^ at >> 8) as u8).collect();
    let number = |number: &BigUint| {
        let bytes = number.to_bytes_be();
        [vec![0; 32 - bytes.len()], bytes].concat()
    };
    let prime = field_prime();
    let length = number(&BigUint::from(32_u8));
    let base = BigUint::from(3_u8);
    let exponent = (&prime + 1_u8) >> 2_u8;
    let power = base.modpow(&exponent, &prime);
    let modexp = [
        &length,
        &length,
        &length,
        &number(&base),
        &number(&exponent),
        &number(&prime),
    ];
    let modexp = modexp.map(Vec::as_slice).concat();
    let v = number(&BigUint::from(27_u8));
    let ecrecover = [hex(HASH), v, hex(SIGNATURE)].concat();
    let [transaction, key, signer] = TRANSACTIONS[0].map(hex);
    let [transaction_1559, _, signer_1559] = TRANSACTIONS[1].map(hex);
    let recovery = 235;
    // The task, what it must commit, the permutations and compressions, and about how many rows of
    // the curve's chip. A transaction's signer takes a hash of what was signed and one of the key,
    // one permutation each.
    let cases = [
        (encoded!(&0u8, &message), sha3_keccak(&message), [8, 0], 0),
        (
            encoded!(&1u8, &transaction),
            signer.clone(),
            [2, 0],
            recovery,
        ),
        (
            encoded!(&1u8, &transaction_1559),
            signer_1559,
            [2, 0],
            recovery,
        ),
        (
            [encoded!(&2u8, &transaction), key].concat(),
            signer.clone(),
            [2, 0],
            recovery,
        ),
        (
            encoded!(&3u8, &ecrecover),
            [vec![0; 12], signer].concat(),
            [1, 0],
            recovery,
        ),
        (encoded!(&4u8, &message), sha2_sha256(&message), [0, 16], 0),
        (encoded!(&5u8, &modexp), number(&power), [0, 0], 0),
    ];
    let (nothing, cost) = outcome(&elf, Vec::new());
    assert_eq!((nothing, rows(&cost)), (Vec::new(), [0; 4]));
    for (index, (input, journal, hashes, points)) in cases.iter().enumerate() {
        let (got, cost) = outcome(&elf, input.clone());
        assert_eq!(got, *journal, "task {index}");
        let [keccak, sha256, products, sums] = rows(&cost);
        assert_eq!([keccak, sha256], *hashes, "task {index}");
        assert!(sums.abs_diff(*points) < 20, "task {index}: {sums}");
        assert_eq!(
            products > 0,
            *points > 0 || index == 6,
            "task {index}: {products}"
        );
    }
    let Some(oracle) = oracle::find() else {
        return;
    };
    let (input, journal) = (
        cases.iter().map(|case| &case.0[..]),
        cases.iter().map(|case| &case.1[..]),
    );
    let (input, journal): (Vec<_>, Vec<_>) = (input.collect(), journal.collect());
    let input = Input::from_bytes(input.concat());
    let outcome = oracle::run(&oracle, &program(&elf), &input).expect("the emulator starts");
    assert_eq!(
        (outcome.end, outcome.journal),
        (End::Exit(0), journal.concat())
    );
}

fn sha3_keccak(message: &[u8]) -> Vec<u8> {
    use sha3::Digest;
    sha3::Keccak256::digest(message).to_vec()
}

fn sha2_sha256(message: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    sha2::Sha256::digest(message).to_vec()
}

/// Calls of the functions of `zkvm_accelerators.h`, and what they must say and write.
#[derive(Default)]
struct Calls {
    input: Vec<u8>,
    journal: Vec<u8>,
}

/// Numbers of the functions, as the guest has them.
#[derive(Clone, Copy)]
#[repr(u8)]
enum Function {
    Keccak256,
    Sha256,
    Ripemd160,
    Secp256k1Verify,
    Secp256k1Ecrecover,
    Secp256r1Verify,
    Modexp,
    Blake2f,
    Bn254G1Add,
    Bn254G1Mul,
    Bn254Pairing,
    KzgPointEval,
    Bls12G1Add,
    Bls12G1Msm,
    Bls12G2Add,
    Bls12G2Msm,
    Bls12Pairing,
    Bls12MapFpToG1,
    Bls12MapFp2ToG2,
}

const ERROR: u8 = 255;
const SUCCESS: u8 = 0;
const VERIFY_FAILURE: u8 = 1;

impl Calls {
    fn push(&mut self, function: Function, arguments: &[&[u8]], status: u8, output: &[u8]) {
        self.input.push(function as u8);
        for index in 0..4 {
            let argument = arguments.get(index).copied().unwrap_or(&[]);
            self.input.extend(encoded!(argument));
        }
        self.input.extend(encoded!(&(output.len() as u16)));
        self.journal.push(status);
        self.journal.extend(output);
    }

    /// What the guest committed must be what was expected.
    fn check(self) -> Cost {
        let (journal, cost) = outcome(&elf("accel-c"), self.input);
        let places = journal.iter().zip(&self.journal);
        let first = places
            .into_iter()
            .position(|(got, expected)| got != expected);
        assert_eq!(first, None, "the first byte that differs");
        assert_eq!(journal.len(), self.journal.len());
        cost
    }
}

#[test]
fn c_functions_hash_verify_and_recover() {
    use Function::*;
    let mut calls = Calls::default();
    let message = b"abc";
    calls.push(Keccak256, &[message], SUCCESS, &sha3_keccak(message));
    calls.push(Sha256, &[message], SUCCESS, &sha2_sha256(message));
    calls.push(Keccak256, &[], SUCCESS, &sha3_keccak(b""));
    let ripemd = hex("8eb208f7e05d987a9b044a8e98c6b087f15a0bfc");
    calls.push(Ripemd160, &[message], SUCCESS, &ripemd);
    let (hash, signature) = (hex(HASH), hex(SIGNATURE));
    let key = &hex(TRANSACTIONS[0][1])[1..];
    calls.push(Secp256k1Verify, &[&hash, &signature, key], SUCCESS, &[]);
    calls.push(
        Secp256k1Verify,
        &[&[7; 32], &signature, key],
        VERIFY_FAILURE,
        &[],
    );
    calls.push(
        Secp256k1Verify,
        &[&hash, &signature, &[0; 64]],
        VERIFY_FAILURE,
        &[],
    );
    calls.push(Secp256k1Ecrecover, &[&hash, &signature, &[0]], SUCCESS, key);
    calls.push(
        Secp256k1Ecrecover,
        &[&hash, &signature, &[4]],
        ERROR,
        &[0; 64],
    );
    calls.push(
        Secp256k1Ecrecover,
        &[&hash, &[0; 64], &[0]],
        ERROR,
        &[0; 64],
    );
    // A vector of EIP-7951.
    let hash = hex("4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d");
    let signature = hex(
        "a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac\
                         36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60",
    );
    let key = hex(
        "4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3\
                   7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e",
    );
    calls.push(Secp256r1Verify, &[&hash, &signature, &key], SUCCESS, &[]);
    calls.push(
        Secp256r1Verify,
        &[&[7; 32], &signature, &key],
        VERIFY_FAILURE,
        &[],
    );
    // A vector of EIP-152: twelve rounds, the last block.
    let state = hex(
        "48c9bdf267e6096a3ba7ca8485ae67bb2bf894fe72f36e3cf1361d5f3af54fa5\
                     d182e6ad7f520e511f6c3e2b8c68059b6bbd41fbabd9831f79217e1319cde05b",
    );
    let mut block = [0; 128];
    block[..3].copy_from_slice(message);
    let mut offset = [0; 16];
    offset[0] = 3;
    let after = hex(
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1\
                     7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923",
    );
    calls.push(
        Blake2f,
        &[&state, &block, &offset, &[0x8C]],
        SUCCESS,
        &after,
    );
    let cost = calls.check();
    let [keccak, sha256, products, points] = rows(&cost);
    assert_eq!([keccak, sha256], [2, 1]);
    assert!(products > 0 && points > 3 * 200, "{products} {points}");
}

#[test]
fn c_modexp_takes_numbers_of_any_length() {
    let mut calls = Calls::default();
    let long = BigUint::from_bytes_be(&hex("0123456789abcdef").repeat(9));
    let numbers = [
        BigUint::ZERO,
        BigUint::from(1_u8),
        BigUint::from(0x1_0001_u32),
        field_prime(),
    ];
    let numbers = [&numbers[..], &[long]].concat();
    for base in &numbers {
        for exponent in &numbers {
            for modulus in &numbers {
                for padding in [0, 5] {
                    let [base_bytes, exponent_bytes] = [base, exponent].map(BigUint::to_bytes_be);
                    let modulus_bytes = [vec![0; padding], modulus.to_bytes_be()].concat();
                    let mut expected = vec![0; modulus_bytes.len()];
                    if *modulus != BigUint::ZERO {
                        let power = base.modpow(exponent, modulus).to_bytes_be();
                        let start = expected.len() - power.len();
                        expected[start..].copy_from_slice(&power);
                    }
                    let arguments = [&base_bytes[..], &exponent_bytes, &modulus_bytes];
                    calls.push(Function::Modexp, &arguments, SUCCESS, &expected);
                }
            }
        }
    }
    calls.push(Function::Modexp, &[&[2], &[3], &[]], SUCCESS, &[]);
    calls.push(Function::Modexp, &[&[], &[], &[7]], SUCCESS, &[1]);
    let [.., products, _] = rows(&calls.check());
    assert!(products > 0, "short numbers are the precompile's");
}

/// BN254's generators, and the opposite of the first (EIP-197).
fn bn254() -> [Vec<u8>; 3] {
    let one = "0000000000000000000000000000000000000000000000000000000000000001";
    let two = "0000000000000000000000000000000000000000000000000000000000000002";
    let minus_two = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45";
    let g2 = "198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2\
              1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed\
              090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b\
              12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa";
    [
        [one, two].concat(),
        g2.to_owned(),
        [one, minus_two].concat(),
    ]
    .map(|digits| hex(&digits))
}

/// BLS12-381's generators.
fn bls12() -> [Vec<u8>; 2] {
    [
        hex(
            "17f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905a14e3a3f171bac58\
             6c55e83ff97a1aeffb3af00adb22c6bb\
             08b3f481e3aaa0f1a09e30ed741d8ae4fcf5e095d5d00af600db18cb2c04b3ed\
             d03cc744a2888ae40caa232946c5e7e1",
        ),
        hex(
            "024aa2b2f08f0a91260805272dc51051c6e47ad4fa403b02b4510b647ae3d177\
             0bac0326a805bbefd48056c8c121bdb8\
             13e02b6052719f607dacd3a088274f65596bd0d09920b61ab5da61bbdc7f5049\
             334cf11213945d57e5ac7d055d042b7e\
             0ce5d527727d6e118cc9cdc6da2e351aadfd9baa8cbdd3a76d429a695160d12c\
             923ac9cc3baca289e193548608b82801\
             0606c4a02ea734cc32acd2b02bc28b99cb3e287e85a763af267492ab572e99ab\
             3f370d275cec1da1aaa9075ff05f79be",
        ),
    ]
}

/// What a call writes that must succeed.
fn written(elf: &[u8], function: Function, arguments: &[&[u8]], len: usize) -> Vec<u8> {
    let mut calls = Calls::default();
    calls.push(function, arguments, SUCCESS, &vec![0; len]);
    let (journal, _) = outcome(elf, calls.input);
    assert_eq!(journal[0], SUCCESS);
    journal[1..].to_vec()
}

fn scalar(value: u8) -> [u8; 32] {
    let mut scalar = [0; 32];
    scalar[31] = value;
    scalar
}

#[test]
fn c_functions_of_bn254_are_a_group_and_a_pairing() {
    use Function::*;
    let elf = elf("accel-c");
    let [g1, g2, minus_g1] = bn254();
    let double = written(&elf, Bn254G1Add, &[&g1, &g1], 64);
    let mut calls = Calls::default();
    calls.push(Bn254G1Mul, &[&g1, &scalar(2)], SUCCESS, &double);
    calls.push(Bn254G1Add, &[&g1, &minus_g1], SUCCESS, &[0; 64]);
    calls.push(Bn254G1Add, &[&double, &minus_g1], SUCCESS, &g1);
    calls.push(Bn254G1Add, &[&g1, &[1; 64]], ERROR, &[0; 64]);
    let opposite = [&g1[..], &g2, &minus_g1, &g2].concat();
    calls.push(Bn254Pairing, &[&opposite], SUCCESS, &[]);
    calls.push(Bn254Pairing, &[&opposite[..192]], VERIFY_FAILURE, &[]);
    calls.push(Bn254Pairing, &[&opposite[..191]], ERROR, &[]);
    calls.push(Bn254Pairing, &[], SUCCESS, &[]);
    let _ = calls.check();
}

#[test]
fn c_functions_of_bls12_381_are_groups_a_pairing_and_maps() {
    use Function::*;
    let elf = elf("accel-c");
    let [g1, g2] = bls12();
    let double_1 = written(&elf, Bls12G1Add, &[&g1, &g1], 96);
    let double_2 = written(&elf, Bls12G2Add, &[&g2, &g2], 192);
    // The order less 1: its multiple is the opposite.
    let minus_one = hex("73eda753299d7d483339d80809a1d80553bda402fffe5bfeffffffff00000000");
    let minus_g1 = written(&elf, Bls12G1Msm, &[&[&g1[..], &minus_one].concat()], 96);
    let mut calls = Calls::default();
    let pairs = [&g1[..], &scalar(3), &minus_g1, &scalar(1)].concat();
    calls.push(Bls12G1Msm, &[&pairs], SUCCESS, &double_1);
    let pairs = [&g2[..], &scalar(2)].concat();
    calls.push(Bls12G2Msm, &[&pairs], SUCCESS, &double_2);
    calls.push(Bls12G1Add, &[&g1, &minus_g1], SUCCESS, &[0; 96]);
    calls.push(Bls12G1Add, &[&g1, &[1; 96]], ERROR, &[0; 96]);
    calls.push(Bls12G2Add, &[&g2, &[1; 192]], ERROR, &[0; 192]);
    // e(2 G1, G2) · e(-G1, 2 G2) = 1.
    let pairs = [&double_1[..], &g2, &minus_g1, &double_2].concat();
    calls.push(Bls12Pairing, &[&pairs], SUCCESS, &[]);
    calls.push(Bls12Pairing, &[&pairs[..288]], VERIFY_FAILURE, &[]);
    // Vectors of EIP-2537.
    let element = hex(
        "156c8a6a2c184569d69a76be144b5cdc5141d2d2ca4fe341f011e25e3969c55a\
                       d9e9b9ce2eb833c81a908e5fa4ac5f03",
    );
    let point = hex(
        "184bb665c37ff561a89ec2122dd343f20e0f4cbcaec84e3c3052ea81d1834e19\
                     2c426074b02ed3dca4e7676ce4ce48ba\
                     04407b8d35af4dacc809927071fc0405218f1401a6d15af775810e4e460064bc\
                     c9468beeba82fdc751be70476c888bf3",
    );
    calls.push(Bls12MapFpToG1, &[&element], SUCCESS, &point);
    let element = hex(
        "07355d25caf6e7f2f0cb2812ca0e513bd026ed09dda65b177500fa31714e09ea\
                       0ded3a078b526bed3307f804d4b93b04\
                       02829ce3c021339ccb5caf3e187f6370e1e2a311dec9b75363117063ab201560\
                       3ff52c3d3b98f19c2f65575e99e8b78c",
    );
    let point = hex(
        "00e7f4568a82b4b7dc1f14c6aaa055edf51502319c723c4dc2688c7fe5944c21\
                     3f510328082396515734b6612c4e7bb7\
                     126b855e9e69b1f691f816e48ac6977664d24d99f8724868a184186469ddfd46\
                     17367e94527d4b74fc86413483afb35b\
                     0caead0fd7b6176c01436833c79d305c78be307da5f6af6c133c47311def6ff1\
                     e0babf57a0fb5539fce7ee12407b0a42\
                     1498aadcf7ae2b345243e281ae076df6de84455d766ab6fcdaad71fab60abb2e\
                     8b980a440043cd305db09d283c895e3d",
    );
    calls.push(Bls12MapFp2ToG2, &[&element], SUCCESS, &point);
    calls.push(Bls12MapFpToG1, &[&[255; 48]], ERROR, &[0; 96]);
    // The zero polynomial is zero everywhere; its commitment and proof are the identity.
    let mut identity = [0; 48];
    identity[0] = 0xC0;
    calls.push(
        KzgPointEval,
        &[&identity, &scalar(5), &scalar(0), &identity],
        SUCCESS,
        &[],
    );
    calls.push(
        KzgPointEval,
        &[&identity, &scalar(5), &scalar(1), &identity],
        VERIFY_FAILURE,
        &[],
    );
    calls.push(
        KzgPointEval,
        &[&[0; 48], &scalar(5), &scalar(0), &identity],
        VERIFY_FAILURE,
        &[],
    );
    let _ = calls.check();
}
