//! Bits of security without floating point.

use core::fmt;

use p3_security::fixed;

/// An amount of bits in steps of `2^-16` bit: minus the logarithm of an error probability.
///
/// Operations saturate: below nothing there is no security, and above 2^48 bits none is asked for.
/// What is computed from these is rounded towards less security: logarithms that are added are
/// rounded down, those that are subtracted up. (`p3-security`'s logarithm truncates on the way, so
/// that a value within `2^-30` bit below a step may be rounded up to that step only.)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bits(u64);

impl Bits {
    /// No security.
    pub const ZERO: Bits = Bits(0);

    /// A whole number of bits.
    #[must_use]
    pub const fn whole(bits: u32) -> Self {
        Bits(fixed::from_bits(bits))
    }

    /// The whole bits, rounded down.
    #[must_use]
    pub const fn floor(self) -> u32 {
        fixed::to_bits(self.0)
    }

    /// In steps of `2^-16` bit.
    #[must_use]
    pub const fn raw(self) -> u64 {
        self.0
    }

    /// Half of a whole number of bits.
    pub(crate) const fn halves(count: u32) -> Self {
        Bits(fixed::from_bits(count) / 2)
    }

    /// `log2(value)` rounded down; zero has none, and is taken for one.
    pub(crate) const fn log2_floor(value: u64) -> Self {
        Bits(fixed::floor_log2(if value == 0 { 1 } else { value }))
    }

    /// `log2(value)` rounded up; zero has none, and is taken for one.
    pub(crate) const fn log2_ceil(value: u64) -> Self {
        Bits(fixed::ceil_log2(if value == 0 { 1 } else { value }))
    }

    pub(crate) const fn plus(self, other: Bits) -> Self {
        Bits(self.0.saturating_add(other.0))
    }

    pub(crate) const fn minus(self, other: Bits) -> Self {
        Bits(self.0.saturating_sub(other.0))
    }

    pub(crate) const fn times(self, count: u64) -> Self {
        Bits(self.0.saturating_mul(count))
    }
}

/// Two decimals, rounded down.
impl fmt::Display for Bits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = self.0 >> fixed::FRACTIONAL_BITS;
        let rest = self.0 & fixed::ONE.saturating_sub(1);
        let hundredths = rest.saturating_mul(100) >> fixed::FRACTIONAL_BITS;
        f.pad(&alloc::format!("{whole}.{hundredths:02}"))
    }
}

#[cfg(test)]
mod tests {
    use super::Bits;

    #[test]
    fn bits_are_shown_rounded_down() {
        assert_eq!(alloc::format!("{}", Bits::halves(3)), "1.50");
        assert_eq!(alloc::format!("{:>7}", Bits::log2_floor(3)), "   1.58");
        // 127.9999…, which must not read as 128.
        let almost = Bits(Bits::whole(128).0 - 1);
        assert_eq!(alloc::format!("{almost}"), "127.99");
        assert_eq!(almost.floor(), 127);
    }

    #[test]
    fn subtraction_stops_at_nothing() {
        assert_eq!(Bits::whole(3).minus(Bits::whole(4)), Bits::ZERO);
        assert_eq!(Bits::log2_floor(0), Bits::ZERO);
    }
}
