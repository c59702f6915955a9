//! The guest's own precompiled contracts against those of revm.

mod common;

use alloy_primitives::{B256, Bytes, U256, keccak256};
use common::calls::{CALLER, CONTRACT, call, calls, guest_input, world_with};
use common::guests::run_bytes;
use common::world::{SLOT, key, raw};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use revm::precompile::{Crypto, DefaultCrypto};
use zkvm_accel_ethereum::Precompiles;
use zkvm_machine::load;
use zkvm_rollup_stf::rollup::Verdict;

/// A generator of bytes by repeated hashing.
struct Random(B256);

impl Random {
    fn next(&mut self) -> B256 {
        self.0 = keccak256(self.0);
        self.0
    }

    fn below(&mut self, bound: u64) -> u64 {
        (U256::from_be_bytes(self.next().0) % U256::from(bound)).to::<u64>()
    }

    /// A number of some length: often short, often with zeros before it, sometimes zero, one, even,
    /// or a run of ones.
    fn number(&mut self, bytes_max: u64) -> Vec<u8> {
        let length = match self.below(3) {
            0 => self.below(3),
            1 => self.below(bytes_max.min(34) + 1),
            _ => self.below(bytes_max + 1),
        };
        let length = usize::try_from(length).unwrap();
        let mut bytes: Vec<u8> = (0..length).map(|_| self.next()[31]).collect();
        match self.below(8) {
            0 => bytes.fill(0),
            1 => bytes.fill(0xff),
            2 => {
                bytes.fill(0);
                if let Some(last) = bytes.last_mut() {
                    *last = 1;
                }
            }
            3 => {
                let zeros = usize::try_from(self.below(length as u64 + 1)).unwrap();
                bytes[..zeros].fill(0);
            }
            4 => {
                let zeros = usize::try_from(self.below(length as u64 + 1)).unwrap();
                bytes[length - zeros..].fill(0);
            }
            _ => {}
        }
        bytes
    }
}

/// Base, exponent, modulus.
fn powers(count: usize) -> Vec<[Vec<u8>; 3]> {
    let mut random = Random(B256::repeat_byte(1));
    (0..count)
        .map(|_| {
            let base = random.number(130);
            let exponent = random.number(200);
            // Mostly such that the machine's precompile is of use.
            let bytes_max = if random.below(8) == 0 { 100 } else { 33 };
            [base, exponent, random.number(bytes_max)]
        })
        .collect()
}

/// The same with longer moduli, each an odd number times a power of two.
fn even_moduli(count: usize) -> Vec<[Vec<u8>; 3]> {
    let mut random = Random(B256::repeat_byte(3));
    (0..count)
        .map(|_| {
            let (base, exponent) = (random.number(200), random.number(40));
            let twos = random.below(1_200);
            let bytes = usize::try_from(twos / 8).unwrap();
            let mut modulus = random.number(100);
            // Its last byte is odd, and then a power of two.
            modulus.push((random.next()[0] | 1) << (twos % 8));
            modulus.extend(vec![0; bytes]);
            [base, exponent, modulus]
        })
        .collect()
}

/// As the contract gives it: as long as the modulus.
fn padded(power: Vec<u8>, length: usize) -> Vec<u8> {
    let mut padded = vec![0; length - power.len()];
    padded.extend(power);
    padded
}

#[test]
fn powers_are_those_of_revm() {
    for [base, exponent, modulus] in powers(3_000).into_iter().chain(even_moduli(600)) {
        let [own, revms] = [&Precompiles as &dyn Crypto, &DefaultCrypto].map(|it| {
            padded(
                it.modexp(&base, &exponent, &modulus).unwrap(),
                modulus.len(),
            )
        });
        assert_eq!(own, revms, "{base:x?} {exponent:x?} {modulus:x?}");
    }
}

/// Signatures over P-256: hash, r and s, key.
fn signatures() -> Vec<[Vec<u8>; 3]> {
    let mut random = Random(B256::repeat_byte(2));
    let order = U256::from_str_radix(
        "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
        16,
    );
    let order = order.unwrap();
    let word = |number: U256| number.to_be_bytes::<32>().to_vec();
    let mut all = Vec::new();
    // Small keys make the sums of points with themselves and their opposites.
    let mut keys: Vec<U256> = (1..=20u64).map(U256::from).collect();
    keys.extend((1..=5u64).map(|it| order - U256::from(it)));
    keys.extend((0..25).map(|_| U256::from_be_bytes(random.next().0) % order));
    for secret in keys {
        let key = SigningKey::from_slice(&word(secret)).unwrap();
        let point = key.verifying_key().to_encoded_point(false);
        let public = point.as_bytes()[1..].to_vec();
        for hash in [random.next(), B256::ZERO, B256::repeat_byte(0xff)] {
            let signature: Signature = key.sign_prehash(hash.as_slice()).unwrap();
            let hash = hash.to_vec();
            let [r, s] =
                [signature.r(), signature.s()].map(|it| U256::from_be_slice(&it.to_bytes()));
            let both = |r: U256, s: U256| [word(r), word(s)].concat();
            all.push([hash.clone(), both(r, s), public.clone()]);
            all.push([hash.clone(), both(r, order - s), public.clone()]);
            all.push([hash.clone(), both(s, r), public.clone()]);
            let beyond = [U256::ZERO, order, order - U256::from(1), U256::MAX];
            for other in beyond {
                all.push([hash.clone(), both(other, s), public.clone()]);
                all.push([hash.clone(), both(r, other), public.clone()]);
            }
            let mut changed = public.clone();
            changed[usize::from(hash[0] % 64)] ^= 1;
            all.push([hash.clone(), both(r, s), changed]);
            all.push([hash, both(r, s), vec![0; 64]]);
        }
        // The point of the signature is the identity: the hash is -r times the key; r = 5, s = 1.
        let hash = order - U256::from(5).mul_mod(secret, order);
        all.push([
            word(hash),
            [word(U256::from(5)), word(U256::from(1))].concat(),
            public.clone(),
        ]);
        // Scalars that make the same point twice: s = 1, so that these are the hash and r.
        for (hash, r) in [(secret, U256::from(1)), (U256::from(0), U256::from(1))] {
            let numbers = [word(r), word(U256::from(1))].concat();
            all.push([word(hash), numbers, public.clone()]);
        }
    }
    all
}

#[test]
fn signatures_over_p256_are_valid_as_revm_has_them() {
    let (mut valid, mut count) = (0, 0);
    for [hash, signature, public] in signatures() {
        let hash = &hash.try_into().unwrap();
        let signature = &signature.try_into().unwrap();
        let public = &public.try_into().unwrap();
        let [own, revms] = [&Precompiles as &dyn Crypto, &DefaultCrypto]
            .map(|it| it.secp256r1_verify_signature(hash, signature, public));
        assert_eq!(own, revms, "{hash:x?} {signature:x?} {public:x?}");
        valid += usize::from(own);
        count += 1;
    }
    assert!(valid > 200 && count - valid > 200, "{valid} of {count}");
}

#[test]
fn the_guests_contracts_answer_as_revms_do() {
    // Natively these are software of revm, in the guest the machine's precompiles. The caller stores
    // the hash of each answer.
    let mut world = world_with(4, &[(CONTRACT, &CALLER)]);
    world.config.zk_gas_limit = u64::MAX;
    world.config.max_batch_bytes = 1 << 20;
    let powers = powers(300).into_iter().chain(even_moduli(60));
    let powers = powers.map(|numbers| {
        let lengths = numbers
            .each_ref()
            .map(|it| U256::from(it.len()).to_be_bytes::<32>());
        calls(5, 1, &[lengths.concat(), numbers.concat()].concat())
    });
    let signatures = signatures().into_iter();
    let signatures = signatures.step_by(23).map(|it| calls(256, 1, &it.concat()));
    let transactions: Vec<Bytes> = (0..)
        .zip(powers.chain(signatures))
        .map(|(nonce, input)| raw(call(nonce, 500_000, CONTRACT, input), &key(11)))
        .collect();
    let slots = std::iter::successors(Some(SLOT), |slot| Some(world.next_slot(*slot)));
    let blocks = slots.zip(transactions.chunks(60));
    let blocks: Vec<_> = blocks
        .map(|(slot, transactions)| world.block(slot, transactions.to_vec()))
        .collect();
    world.view.l1_time += 1_000;
    let bytes = world.post(world.batch(blocks));
    let expected = world.run(&bytes).out;
    assert_eq!(expected.verdict, Verdict::Ok);
    let program = load(zkvm_rollup_programs::ROLLUP_BATCH).unwrap();
    let execution = run_bytes(&program, guest_input(&world, &bytes));
    assert!(execution.exit.is_success(), "{}", execution.exit);
    assert_eq!(execution.journal, expected.digest().as_slice());
    eprintln!("{} calls: {} cycles", transactions.len(), execution.cycles);
}
