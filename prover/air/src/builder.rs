//! Collects a chip's constraints and interactions, each with its name.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use crate::{Bus, Constraint, Expr, Interaction};

/// Collects what a chip asserts. There is no way to assert without a name.
#[derive(Debug, Default)]
pub struct Builder {
    scopes: Vec<String>,
    pub(crate) constraints: Vec<Constraint>,
    pub(crate) interactions: Vec<Interaction>,
}

impl Builder {
    /// Asserts that `expr` is zero in every row.
    pub fn assert_zero(&mut self, name: &str, expr: Expr) {
        let name = self.qualified(name);
        self.constraints.push(Constraint { name, expr });
    }

    /// Asserts that `a` and `b` are equal in every row.
    pub fn assert_eq(&mut self, name: &str, a: impl Into<Expr>, b: impl Into<Expr>) {
        self.assert_zero(name, a.into() - b.into());
    }

    /// Asserts that `expr` is 0 or 1 in every row.
    pub fn assert_bool(&mut self, name: &str, expr: &Expr) {
        self.assert_zero(name, expr * expr.not());
    }

    /// Asserts that `expr` is zero in the rows where `condition` is not.
    pub fn assert_zero_when(&mut self, name: &str, condition: &Expr, expr: Expr) {
        self.assert_zero(name, condition * expr);
    }

    /// Sends a message `multiplicity` times.
    pub fn send(&mut self, name: &str, bus: Bus, multiplicity: &Expr, values: Vec<Expr>) {
        let (name, multiplicity) = (self.qualified(name), multiplicity.clone());
        assert_eq!(
            values.len(),
            bus.width(),
            "{name}: messages on {bus:?} have a fixed width"
        );
        self.interactions.push(Interaction {
            name,
            bus,
            multiplicity,
            values,
        });
    }

    /// Receives a message `multiplicity` times.
    pub fn receive(&mut self, name: &str, bus: Bus, multiplicity: &Expr, values: Vec<Expr>) {
        self.send(name, bus, &-multiplicity.clone(), values);
    }

    /// Runs `body` with `scope` before the names it asserts under.
    pub fn scope(&mut self, scope: &str, body: impl FnOnce(&mut Builder)) {
        self.scopes.push(scope.to_string());
        body(self);
        self.scopes.pop();
    }

    fn qualified(&self, name: &str) -> String {
        let mut parts = self.scopes.clone();
        parts.push(name.to_string());
        parts.join(".")
    }
}
