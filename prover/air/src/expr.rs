//! Polynomials in the cells of one row.

use alloc::sync::Arc;
use core::iter::Sum;
use core::ops::{Add, Mul, Neg, Sub};

use crate::F;

/// A polynomial in the cells of one row; cheap to clone.
#[derive(Clone, Debug)]
pub struct Expr(pub(crate) Arc<Node>);

#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    /// Total degree in the cells.
    pub(crate) degree: u32,
}

#[derive(Debug)]
pub(crate) enum Kind {
    Constant(F),
    Main(u16),
    Preprocessed(u16),
    Public(u16),
    Add(Expr, Expr),
    Sub(Expr, Expr),
    Mul(Expr, Expr),
}

impl Expr {
    fn new(kind: Kind) -> Self {
        let degree = match &kind {
            Kind::Constant(_) | Kind::Public(_) => 0,
            Kind::Main(_) | Kind::Preprocessed(_) => 1,
            Kind::Add(a, b) | Kind::Sub(a, b) => a.degree().max(b.degree()),
            Kind::Mul(a, b) => a.degree() + b.degree(),
        };
        Expr(Arc::new(Node { kind, degree }))
    }

    /// The cell in main column `index`.
    #[must_use]
    pub fn main(index: u16) -> Self {
        Expr::new(Kind::Main(index))
    }

    /// The cell in preprocessed column `index`.
    #[must_use]
    pub fn preprocessed(index: u16) -> Self {
        Expr::new(Kind::Preprocessed(index))
    }

    /// Public value `index`: the same in every row, and known to the verifier.
    #[must_use]
    pub fn public(index: u16) -> Self {
        Expr::new(Kind::Public(index))
    }

    /// A constant.
    #[must_use]
    pub fn constant(value: F) -> Self {
        Expr::new(Kind::Constant(value))
    }

    /// The total degree in the cells; an upper bound where terms cancel.
    #[must_use]
    pub fn degree(&self) -> u32 {
        self.0.degree
    }

    /// Its value if it is a constant as written.
    #[must_use]
    pub fn as_constant(&self) -> Option<F> {
        match self.0.kind {
            Kind::Constant(value) => Some(value),
            Kind::Main(_)
            | Kind::Preprocessed(_)
            | Kind::Public(_)
            | Kind::Add(..)
            | Kind::Sub(..)
            | Kind::Mul(..) => None,
        }
    }

    /// `1 - self`.
    #[must_use]
    pub fn not(&self) -> Expr {
        Expr::from(1) - self
    }

    /// `Σ values[i] · 2^(bits · i)`.
    #[must_use]
    pub fn join(values: &[Expr], bits: u32) -> Expr {
        values
            .iter()
            .enumerate()
            .map(|(index, value)| value * (1_u32 << (bits * index as u32)))
            .sum()
    }
}

impl From<u32> for Expr {
    fn from(value: u32) -> Self {
        Expr::constant(F::new(value))
    }
}

impl From<&Expr> for Expr {
    fn from(expr: &Expr) -> Self {
        expr.clone()
    }
}

macro_rules! operator {
    ($trait:ident $method:ident $build:expr) => {
        impl<R: Into<Expr>> $trait<R> for Expr {
            type Output = Expr;
            fn $method(self, other: R) -> Expr {
                let build: fn(Expr, Expr) -> Expr = $build;
                build(self, other.into())
            }
        }
        impl<R: Into<Expr>> $trait<R> for &Expr {
            type Output = Expr;
            fn $method(self, other: R) -> Expr {
                self.clone().$method(other)
            }
        }
    };
}

/// Whether the expression is the constant `value`.
fn is(expr: &Expr, value: u32) -> bool {
    expr.as_constant() == Some(F::new(value))
}

operator!(Add add |a, b| {
    if is(&a, 0) {
        b
    } else if is(&b, 0) {
        a
    } else {
        Expr::new(Kind::Add(a, b))
    }
});
operator!(Sub sub |a, b| if is(&b, 0) { a } else { Expr::new(Kind::Sub(a, b)) });
operator!(Mul mul |a, b| {
    if is(&a, 1) {
        b
    } else if is(&b, 1) {
        a
    } else if is(&a, 0) || is(&b, 0) {
        Expr::from(0)
    } else {
        Expr::new(Kind::Mul(a, b))
    }
});

impl Neg for Expr {
    type Output = Expr;
    fn neg(self) -> Expr {
        Expr::from(0) - self
    }
}

impl Sum for Expr {
    fn sum<I: Iterator<Item = Expr>>(terms: I) -> Expr {
        terms.fold(Expr::from(0), |sum, term| sum + term)
    }
}
