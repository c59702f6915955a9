//! The order of two 64-bit values, signed or not: what branches and `slt` rest on.
//!
//! # Relation
//!
//! `less` is 1 if `a < b`, else 0.
//!
//! If the signs of a signed comparison differ, the negative value is the lesser one. Otherwise, and
//! among unsigned values, `decides` marks at most one limb; limbs above the marked one are equal,
//! and all are if none is marked. In the marked limb the values differ by at least 1, and their
//! order there is their order: the difference with the sign that `less` claims, less 1, is `gap`, a
//! 16-bit value.
//!
//! That the signs are the operands' takes two look-ups, as does their order by limbs. Call a sign's
//! *rest* twice the highest limb without the sign, which is below 2^16 only if the sign is bit 15.
//! If the signs differ, `gap` is the rest of `a`, as no limb decides, and `sign_rest` that of
//! `b`. If they are both 0, `sign_rest` is that of the greater value, and if they are both 1, that
//! of the lesser one: the other value's highest limb lies on the same side of it as it should, or
//! is equal to it.
//!
//! # Why each cell is pinned
//!
//! | cells | range | who enforces it | what a liar could do without |
//! |---|---|---|---|
//! | `signs` | bits 63 in signed comparisons, else 0 | `signs[*]_is_boolean`, `gap` and `sign_rest` look-ups | turn the order round |
//! | `sign_rest` | 16 bits in signed comparisons | `sign_rest_is_an_operands`, `sign_rest` look-up | turn the order round |
//! | `decides` | boolean, at most one 1 | `decides[*]_is_boolean`, `at_most_one_decides` | add differences up |
//! | `decides` against the values | | `equal_above[*]` | decide by a lower limb, call different values equal |
//! | `gap` | the difference less 1 or the rest of `a`, 16 bits | `gap_is_difference`, `gap` look-up | call equal values different, turn the order round |
//! | `less` | boolean, 0 if all limbs are equal | `less_is_boolean`, `less_is_the_sign`, `gap_is_difference` | claim the wrong order |

use p3_field::PrimeCharacteristicRing;
use zkvm_air::{Builder, Bus, Expr, F, columns};

use crate::common::limbs_u16;

columns! {
    /// The comparison of `a` and `b`.
    pub(crate) struct Comparison {
        /// Bits 63 of the values in signed comparisons, else 0; boolean, bound by range checks.
        signs: [cells 2],
        /// 1 for the highest limb that differs, if any does and the signs do not; boolean.
        decides: [cells 4],
        /// 1 if `a` is less than `b`; boolean, bound by `gap` or the signs.
        less: [cell],
        /// How much more than 1 the values differ by in the deciding limb; if the signs differ,
        /// twice the highest limb of `a` without its sign. Range-checked.
        gap: [cell],
        /// Twice the highest limb of `a` or `b` without its sign; range-checked in signed
        /// comparisons.
        sign_rest: [cell],
    }
}

/// Binds the comparison to the values, whose limbs the caller knows to be below 2^16. `is_real` is 1
/// in real rows, `is_signed` in those of them that compare signed values. Returns whether a limb
/// decides, which among unsigned values is whether they differ.
pub(crate) fn eval_comparison(
    builder: &mut Builder,
    [is_real, is_signed]: [&Expr; 2],
    [a, b]: [&[Expr; 4]; 2],
    row: &Comparison<Expr>,
) -> Expr {
    let [sign_1, sign_2] = &row.signs;
    for (index, sign) in row.signs.iter().enumerate() {
        let name = format!("signs[{index}]_is_boolean");
        builder.assert_zero(&name, sign * (is_signed - sign));
    }
    let less = &row.less;
    let signs_differ = sign_1 + sign_2 - sign_1 * sign_2 * 2;
    builder.assert_zero_when("less_is_the_sign", &(sign_1 - sign_2), less - sign_1);

    let mut decided = Expr::from(0);
    let mut difference = Expr::from(0);
    for index in (0..4).rev() {
        let decides = &row.decides[index];
        builder.assert_bool(&format!("decides[{index}]_is_boolean"), decides);
        decided = decided + decides;
        let apart = &b[index] - &a[index];
        let name = format!("equal_above[{index}]");
        builder.assert_zero_when(&name, &(decided.not() - &signs_differ), apart.clone());
        difference = difference + decides * apart;
    }
    builder.assert_bool("at_most_one_decides", &decided);
    builder.assert_zero("less_is_boolean", less * (&decided + &signs_differ - less));

    // Twice a highest limb without its sign. It is even and less than 2^17 in amount: between 0 and
    // 2^16 only if the sign is bit 15.
    let rest = |limb: &Expr, sign: &Expr| limb * 2 - sign * (1_u32 << 16);
    let rest_1 = rest(&a[3], sign_1);
    // The difference is less than 2^16 in amount, so that it and the gap are equal as integers. If
    // the signs differed and a limb decided, it would be equal, and twice its rest would be -1.
    let direction = less * 2 - 1;
    builder.assert_zero(
        "gap_is_difference",
        direction * difference - &decided * (&row.gap + 1) + signs_differ * (&row.gap - &rest_1),
    );
    builder.send("gap", Bus::Range16, is_real, vec![row.gap.clone()]);
    // That of `b` where exactly one of `less` and its sign is 1: always if the signs differ, of
    // the greater value if both are 0, of the lesser one if both are 1.
    let is_2 = less + sign_2 - less * sign_2 * 2;
    builder.assert_eq(
        "sign_rest_is_an_operands",
        &row.sign_rest,
        &rest_1 + is_2 * (rest(&b[3], sign_2) - &rest_1),
    );
    let sign_rest = vec![row.sign_rest.clone()];
    builder.send("sign_rest", Bus::Range16, is_signed, sign_rest);
    decided
}

/// Fills the comparison of two values.
pub(crate) fn fill_comparison(is_signed: bool, a: u64, b: u64) -> Comparison<F> {
    let signs = [a, b].map(|value| is_signed && value >> 63 == 1);
    let signs_differ = signs[0] != signs[1];
    let decides = (0..4)
        .rev()
        .find(|&index| !signs_differ && limbs_u16(a)[index] != limbs_u16(b)[index]);
    let [rest_1, rest_2] = [(a, signs[0]), (b, signs[1])].map(|(value, sign)| {
        let limb = limbs_u16(value)[3];
        2 * u32::from(limb) - (u32::from(sign) << 16)
    });
    let (less, gap) = match decides {
        _ if signs_differ => (signs[0], rest_1),
        None => (false, 0),
        Some(index) => {
            let (a, b) = (limbs_u16(a)[index], limbs_u16(b)[index]);
            (a < b, u32::from(a.abs_diff(b)) - 1)
        }
    };
    Comparison {
        signs: signs.map(F::from_bool),
        decides: std::array::from_fn(|index| F::from_bool(decides == Some(index))),
        less: F::from_bool(less),
        gap: F::new(gap),
        sign_rest: F::new(if less == signs[1] { rest_1 } else { rest_2 }),
    }
}

/// What the tests of chips that compare share.
#[cfg(test)]
pub(crate) mod forgeries {
    use zkvm_air::Columns;
    use zkvm_isa::record::RegisterRecord;

    use super::*;
    use crate::ProgramRow;
    use crate::testing::ChipTest;

    /// A chip that compares.
    pub(crate) struct Comparing<'a, C> {
        pub(crate) chip: &'a ChipTest<RegisterRecord, C>,
        /// An instruction that compares two values, signed or not.
        pub(crate) honest: fn(bool, u64, u64) -> (RegisterRecord, ProgramRow),
        pub(crate) comparison: fn(&mut C) -> &mut Comparison<F>,
        /// Fills what follows from `less`.
        pub(crate) finish: fn(&mut C),
    }

    const YES: F = F::ONE;
    const NO: F = F::ZERO;

    impl<C: Columns<F>> Comparing<'_, C> {
        /// Claims signs, deciding limb and order of two values: what follows, follows.
        fn claim(&self, row: &mut C, [a, b]: [u64; 2], signs: [F; 2], order: (F, Option<usize>)) {
            let (less, decides) = order;
            let limb = |value: u64, index: usize| F::from_u16(limbs_u16(value)[index]);
            let rest = |value: u64, sign: F| limb(value, 3).double() - sign * F::new(1 << 16);
            let [rest_1, rest_2] = [rest(a, signs[0]), rest(b, signs[1])];
            let is_2 = less + signs[1] - (less * signs[1]).double();
            *(self.comparison)(row) = Comparison {
                signs,
                decides: [0, 1, 2, 3].map(|index| F::from_bool(decides == Some(index))),
                less,
                gap: decides.map_or(rest_1, |index| {
                    (less.double() - YES) * (limb(b, index) - limb(a, index)) - YES
                }),
                sign_rest: rest_1 + is_2 * (rest_2 - rest_1),
            };
            (self.finish)(row);
        }

        /// Asserts that `names` catch a claim.
        fn lie(
            &self,
            names: &[&str],
            (is_signed, values): (bool, [u64; 2]),
            signs: [F; 2],
            order: (F, Option<usize>),
        ) {
            let honest = (self.honest)(is_signed, values[0], values[1]);
            let forge = |row: &mut C| self.claim(row, values, signs, order);
            self.chip.assert_lie(&honest, names, forge);
        }

        /// Asserts that `names` catch a change of the comparison of two unsigned values.
        fn lie_unsigned(
            &self,
            names: &[&str],
            [a, b]: [u64; 2],
            forge: impl FnOnce(&mut Comparison<F>),
        ) {
            self.chip
                .assert_lie(&(self.honest)(false, a, b), names, |row| {
                    forge((self.comparison)(row));
                    (self.finish)(row);
                });
        }

        /// Asserts that no forged comparison passes; each of its checks is alone to catch one.
        pub(crate) fn assert_no_forgery_passes(&self) {
            self.unsigned_orders_are_true();
            self.one_limb_decides();
            self.signs_are_the_values();
            self.no_claim_passes();
        }

        fn unsigned_orders_are_true(&self) {
            // A difference of 0 is a gap of -1.
            let (false_order, lowest) = (["gap"], Some(0));
            self.lie(&false_order, (false, [5, 5]), [NO; 2], (YES, lowest));
            self.lie(&false_order, (false, [7, 5]), [NO; 2], (YES, lowest));
            self.lie(&false_order, (false, [5, 7]), [NO; 2], (NO, lowest));
            self.lie_unsigned(&["gap_is_difference"], [7, 5], |row| row.less = YES);
            // Equal and yet less; twice less: thrice the difference.
            self.lie_unsigned(&["less_is_boolean"], [5, 5], |row| row.less = YES);
            self.lie_unsigned(&["less_is_boolean"], [5, 7], |row| {
                (row.less, row.gap, row.sign_rest) = (F::TWO, F::new(5), F::ZERO);
            });
            // Different values are not equal, and lower limbs do not decide.
            for index in 0..4 {
                let name = format!("equal_above[{index}]");
                self.lie_unsigned(&[&name], [1 << (16 * index), 0], |row| {
                    row.decides = [NO; 4]
                });
            }
            for index in 0..3 {
                let values = [1 << (16 * (index + 1)), 1 << (16 * index)];
                let name = format!("equal_above[{}]", index + 1);
                self.lie(&[&name], (false, values), [NO; 2], (YES, Some(index)));
            }
        }

        fn one_limb_decides(&self) {
            // The second limbs differ by 2, which two limbs share.
            let values = [0x3_0000, 0x1_0000];
            self.lie_unsigned(&["at_most_one_decides"], values, |row| {
                (row.decides[0], row.gap) = (YES, NO);
            });
            // Marks that cancel.
            for index in 0..4 {
                let name = format!("decides[{index}]_is_boolean");
                self.lie_unsigned(&[&name], [5, 5], |row| {
                    row.decides[index] = F::NEG_ONE;
                    row.decides[(index + 1) % 4] = YES;
                });
            }
        }

        fn signs_are_the_values(&self) {
            let lie = |name: &str, [a, b]: [u64; 2], signs: [F; 2], less: F, decides| {
                let values = [a << 48, b << 48];
                self.lie(&[name], (true, values), signs, (less, decides));
            };
            let (negative, positive) = (0xffff, 1);
            // Neither has a sign, or both: the negative one is the greater one.
            for signs in [[NO; 2], [YES; 2]] {
                lie("sign_rest", [negative, positive], signs, NO, Some(3));
                lie("sign_rest", [positive, negative], signs, YES, Some(3));
            }
            // One has a sign where none has, or both have.
            lie("gap", [2, 1], [YES, NO], YES, None);
            lie("sign_rest", [1, 2], [NO, YES], NO, None);
            lie("sign_rest", [0x8002, 0x8001], [YES, NO], YES, None);
            lie("gap", [0x8001, 0x8002], [NO, YES], NO, None);
            // Signs that differ and an order that is not theirs.
            lie(
                "less_is_the_sign",
                [negative, positive],
                [YES, NO],
                NO,
                None,
            );
            // The rest of something else.
            let values = [u64::MAX, 1 << 63];
            let honest = (self.honest)(true, values[0], values[1]);
            self.chip
                .assert_lie(&honest, &["sign_rest_is_an_operands"], |row| {
                    self.claim(row, values, [NO; 2], (NO, Some(3)));
                    (self.comparison)(row).sign_rest = NO;
                });
            // A limb that decides although the signs do.
            let honest = (self.honest)(true, 0xffff, u64::MAX);
            self.chip
                .assert_lie(&honest, &["gap_is_difference"], |row| {
                    (self.comparison)(row).decides[0] = YES;
                });
            // A sign among unsigned values.
            let values = [u64::MAX, 1];
            self.lie(
                &["signs[0]_is_boolean"],
                (false, values),
                [YES, NO],
                (YES, None),
            );
            let values = [1, u64::MAX];
            self.lie(
                &["signs[1]_is_boolean"],
                (false, values),
                [NO, YES],
                (NO, None),
            );
        }

        /// Edge values with all signs and orders that can be claimed of them.
        fn no_claim_passes(&self) {
            let top = [0, 1, 0x7ffe, 0x7fff, 0x8000, 0x8001, 0xffff_u64];
            let values = top
                .iter()
                .flat_map(|top| [0, 1, 0xffff].map(|low| top << 48 | low));
            let values: Vec<u64> = values.collect();
            let pairs = values.iter().flat_map(|a| values.iter().map(|b| [*a, *b]));
            let claims: Vec<([F; 2], F, Option<usize>)> = (0..4)
                .flat_map(|signs| [NO, YES].map(|less| ([signs & 1, signs >> 1].map(F::new), less)))
                .flat_map(|(signs, less)| {
                    [None, Some(0), Some(1), Some(2), Some(3)].map(|limb| (signs, less, limb))
                })
                .collect();
            for [a, b] in pairs {
                for is_signed in [false, true] {
                    let (record, program) = (self.honest)(is_signed, a, b);
                    let bias = u64::from(is_signed) << 63;
                    let is_less = F::from_bool(a ^ bias < b ^ bias);
                    for (signs, less, limb) in claims.iter().filter(|claim| claim.1 != is_less) {
                        let mut row = self.chip.row(&record, &program);
                        self.claim(&mut row, [a, b], *signs, (*less, *limb));
                        let caught = self.chip.catches(row, &program);
                        assert!(
                            !caught.is_empty(),
                            "{a:x} {b:x} {is_signed} {signs:?} {limb:?}"
                        );
                    }
                }
            }
        }
    }
}
