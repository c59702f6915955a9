//! Modular arithmetic and secp256k1 against other implementations.

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, SigningKey, VerifyingKey};
use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::ops::Reduce;
use k256::elliptic_curve::sec1::ToSec1Point;
use k256::{ProjectivePoint, Scalar};
use ruint::Uint;
use zkvm_accel::modular::{inverse_mod, multiply_mod, pow_mod};
use zkvm_accel::secp256k1::{
    FIELD_PRIME, ORDER, Point, multiply_add, multiply_generator, recover, verify,
};

type Number = Uint<256, 4>;

/// A generator of numbers by repeated hashing; some have long runs of zeros or ones.
struct Random([u8; 32]);

impl Random {
    fn next(&mut self) -> [u64; 4] {
        self.0 = zkvm_accel::keccak::keccak256(&self.0);
        let number = Number::from_le_bytes(self.0);
        let shape = self.0[31] % 8;
        let shift = usize::from(self.0[30]);
        let shaped = match shape {
            0 => number >> shift,
            1 => Number::from_limbs(ORDER) - (number >> shift.max(1)),
            2 => !(number >> shift),
            _ => number,
        };
        shaped.into_limbs()
    }
}

fn be(number: &[u64; 4]) -> [u8; 32] {
    Number::from_limbs(*number).to_be_bytes()
}

fn scalar(number: &[u64; 4]) -> Scalar {
    <Scalar as Reduce<k256::FieldBytes>>::reduce(&be(number).into())
}

fn bytes_of(point: &ProjectivePoint) -> Option<[u8; 64]> {
    let bytes = point.to_affine().to_sec1_point(false);
    (bytes.as_bytes().len() == 65).then(|| bytes.as_bytes()[1..].try_into().expect("64 bytes"))
}

fn edges() -> Vec<[u64; 4]> {
    let order = Number::from_limbs(ORDER);
    let lambda = Number::from_limbs([
        0xdf02_967c_1b23_bd72,
        0x122e_22ea_2081_6678,
        0xa526_1c02_8812_645a,
        0x5363_ad4c_c05c_30e0,
    ]);
    let one = Number::from(1);
    let half = order >> 1;
    let all = [
        Number::ZERO,
        one,
        Number::from(2),
        half,
        half + one,
        order - one,
        order,
        order + one,
        lambda,
        order - lambda,
        lambda + one,
        one << 128,
        (one << 128) - one,
        Number::MAX,
    ];
    all.map(Number::into_limbs).to_vec()
}

#[test]
fn powers_and_inverses_are_those_of_another_implementation() {
    let mut random = Random([1; 32]);
    for round in 0..60u64 {
        let [x, y, mut modulus] = [random.next(), random.next(), random.next()];
        if round % 3 == 0 {
            modulus = [round / 3 + 1, 0, 0, 0];
        }
        let [a, b, m] = [x, y, modulus].map(Number::from_limbs);
        assert_eq!(
            multiply_mod(&x, &y, &modulus),
            Some(a.mul_mod(b, m).into_limbs())
        );
        assert_eq!(
            pow_mod(&x, &y, &modulus),
            Some(a.pow_mod(b, m).into_limbs())
        );
        for exponent in [0u64, 1, 2, 3, 65537, 0xFF_FFFF, 0x100_0000] {
            let expected = a.pow_mod(Number::from(exponent), m).into_limbs();
            assert_eq!(pow_mod(&x, &[exponent, 0, 0, 0], &modulus), Some(expected));
        }
        for prime in [FIELD_PRIME, ORDER, [3, 0, 0, 0], [65537, 0, 0, 0]] {
            let expected = a.inv_mod(Number::from_limbs(prime));
            assert_eq!(inverse_mod(&x, &prime), expected.map(Number::into_limbs));
        }
    }
    let [zero, one] = [[0; 4], [1, 0, 0, 0]];
    assert_eq!(multiply_mod(&one, &one, &zero), None);
    assert_eq!(pow_mod(&one, &one, &zero), None);
    assert_eq!(pow_mod(&one, &zero, &one), Some(zero));
    assert_eq!(inverse_mod(&[8, 0, 0, 0], &[15, 0, 0, 0]), None);
    for modulus in [zero, one, [2, 0, 0, 0]] {
        assert_eq!(inverse_mod(&one, &modulus), None);
    }
}

#[test]
fn sums_are_complete() {
    let mut points = vec![Point::IDENTITY, Point::GENERATOR, Point::GENERATOR.negate()];
    let mut random = Random([2; 32]);
    points.extend((0..4).map(|_| multiply_generator(&random.next())));
    for p in &points {
        assert_eq!(p.add(&Point::IDENTITY), *p);
        assert_eq!(Point::IDENTITY.add(p), *p);
        assert_eq!(p.add(p), p.double());
        assert_eq!(p.add(&p.negate()), Point::IDENTITY);
        assert_eq!(p.negate().negate(), *p);
        for q in &points {
            assert_eq!(p.add(q), q.add(p));
            assert_eq!(p.add(q).add(&q.negate()), *p);
        }
        if let Some(bytes) = p.to_bytes() {
            assert_eq!(Point::from_bytes(&bytes), Some(*p));
        }
    }
}

#[test]
fn points_off_the_curve_or_not_reduced_are_refused() {
    let coordinates = *Point::GENERATOR.coordinates().expect("not the identity");
    let (halves, _) = coordinates.as_chunks::<4>();
    let [x, y] = [halves[0], halves[1]];
    assert_eq!(Point::from_affine(&x, &y), Some(Point::GENERATOR));
    let mut near = y;
    near[0] ^= 1;
    assert_eq!(Point::from_affine(&x, &near), None);
    assert_eq!(Point::from_affine(&[0; 4], &[0; 4]), None);
    assert_eq!(Point::from_bytes(&[0; 64]), None);
    // x = 1 has a point; so would p + 1, which is below 2^256.
    let one = Point::from_x(&[1, 0, 0, 0], true).expect("there is a point at 1");
    let (halves, _) = one
        .coordinates()
        .expect("not the identity")
        .as_chunks::<4>();
    let mut above = FIELD_PRIME;
    above[0] += 1;
    assert_eq!(Point::from_affine(&above, &halves[1]), None);
    assert_eq!(Point::from_x(&above, true), None);
    assert_eq!(Point::from_x(&[5, 0, 0, 0], true), None);
}

#[test]
fn multiples_are_those_of_another_implementation() {
    let mut random = Random([3; 32]);
    let edges = edges();
    let mut cases: Vec<([u64; 4], [u64; 4])> = Vec::new();
    for a in &edges {
        cases.extend(edges.iter().map(|b| (*a, *b)));
    }
    cases.extend((0..200).map(|_| (random.next(), random.next())));
    for (round, (a, b)) in cases.iter().enumerate() {
        // The generator itself and its opposite make partial sums meet.
        let factor = match round % 3 {
            0 => [1, 0, 0, 0],
            1 => edges[5],
            _ => random.next(),
        };
        let point = multiply_generator(&factor);
        let theirs = ProjectivePoint::GENERATOR * scalar(&factor);
        assert_eq!(point.to_bytes(), bytes_of(&theirs));
        let expected = ProjectivePoint::GENERATOR * scalar(a) + theirs * scalar(b);
        assert_eq!(multiply_add(a, b, &point).to_bytes(), bytes_of(&expected));
        assert_eq!(
            point.multiply(b).to_bytes(),
            bytes_of(&(theirs * scalar(b)))
        );
    }
}

#[test]
fn recovery_and_verification_are_those_of_another_implementation() {
    let mut random = Random([4; 32]);
    for round in 0..40u8 {
        let key = be(&random.next());
        let Ok(key) = SigningKey::from_slice(&key) else {
            continue;
        };
        let hash = be(&random.next());
        let (signature, id) = key.sign_prehash_recoverable(&hash);
        let (r, s): ([u8; 32], [u8; 32]) = (
            signature.r().to_repr().into(),
            signature.s().to_repr().into(),
        );
        let expected = bytes_of(&ProjectivePoint::from(*key.verifying_key().as_affine()));
        assert_eq!(recover(&hash, &r, &s, id.to_byte()), expected);
        let public_key = expected.expect("a key is not the identity");
        assert!(verify(&hash, &r, &s, &public_key));
        // The signature with the other sign is as good.
        let high = be(&(Number::from_limbs(ORDER) - Number::from_be_bytes(s)).into_limbs());
        assert_eq!(recover(&hash, &r, &high, id.to_byte() ^ 1), expected);
        assert!(verify(&hash, &r, &high, &public_key));
        // Any other is not.
        let mut other = hash;
        other[usize::from(round) % 32] ^= 1;
        assert!(!verify(&other, &r, &s, &public_key));
        assert!(!verify(&hash, &s, &r, &public_key));
        for id in 0..=4u8 {
            let theirs = RecoveryId::from_byte(id)
                .and_then(|id| VerifyingKey::recover_from_prehash(&other, &signature, id).ok());
            let theirs = theirs.and_then(|key| bytes_of(&ProjectivePoint::from(*key.as_affine())));
            assert_eq!(recover(&other, &r, &s, id), theirs, "id {id}");
        }
        let theirs = key.verifying_key().verify_prehash(&other, &signature);
        assert!(theirs.is_err());
    }
}

#[test]
fn scalars_out_of_range_are_no_signature() {
    let [hash, one] = [[7; 32], be(&[1, 0, 0, 0])];
    let key = Point::GENERATOR.to_bytes().expect("not the identity");
    let below = |number: [u64; 4]| be(&(Number::from_limbs(number) - Number::from(1)).into_limbs());
    for bad in [[0; 32], be(&ORDER), be(&FIELD_PRIME), [0xFF; 32]] {
        for id in 0..4 {
            assert_eq!(recover(&hash, &bad, &one, id), None);
            assert_eq!(recover(&hash, &one, &bad, id), None);
        }
        assert!(!verify(&hash, &bad, &one, &key));
        assert!(!verify(&hash, &one, &bad, &key));
    }
    // s = n - 1 is high, and allowed.
    let signature = Signature::from_scalars(one, one).expect("both are in range");
    let id = RecoveryId::from_byte(0).expect("0 is one");
    let low = VerifyingKey::recover_from_prehash(&hash, &signature, id).expect("there is a key");
    let low = bytes_of(&ProjectivePoint::from(*low.as_affine()));
    assert_eq!(recover(&hash, &one, &one, 0), low);
    assert_eq!(recover(&hash, &one, &below(ORDER), 1), low);
    // The key is the identity if hash · G is s times the signature's point.
    let x: [u8; 32] = key[..32].try_into().expect("32 bytes");
    assert_eq!(key[63] & 1, 0, "the generator's y is even");
    assert_eq!(recover(&one, &x, &one, 0), None);
    assert_eq!(
        recover(&be(&ORDER), &x, &one, 0),
        recover(&[0; 32], &x, &one, 0)
    );
    assert!(!verify(&hash, &one, &one, &[0; 64]));
}

#[test]
fn a_point_beyond_the_order_is_recovered_only_below_the_prime() {
    // r = p - n - 1 is the largest whose x = r + n is below the prime.
    let gap = Number::from_limbs(FIELD_PRIME) - Number::from_limbs(ORDER);
    let hash = [9; 32];
    let one = be(&[1, 0, 0, 0]);
    let mut found = 0;
    for below in 0..20u64 {
        let r = gap - Number::from(below);
        let bytes = r.to_be_bytes::<32>();
        for id in [2, 3] {
            let signature = Signature::from_scalars(bytes, one).expect("both are in range");
            let theirs = RecoveryId::from_byte(id)
                .and_then(|id| VerifyingKey::recover_from_prehash(&hash, &signature, id).ok());
            let theirs = theirs.and_then(|key| bytes_of(&ProjectivePoint::from(*key.as_affine())));
            assert_eq!(recover(&hash, &bytes, &one, id), theirs);
            found += usize::from(theirs.is_some());
            assert!(below > 0 || theirs.is_none());
        }
    }
    assert!(found > 0);
}
