//! Expressions compiled to a flat list of operations on registers.

use alloc::collections::BTreeMap;
use alloc::sync::Arc;
use alloc::vec::Vec;

use p3_field::PrimeCharacteristicRing;

use crate::F;
use crate::expr::{Expr, Kind, Node};

/// Where an operation takes a value from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operand {
    /// A main cell.
    Main(u16),
    /// A preprocessed cell.
    Preprocessed(u16),
    /// A public value.
    Public(u16),
    /// An entry of [`Tape::constants`].
    Constant(u16),
    /// The result of an earlier operation.
    Register(u16),
}

/// One step of a tape.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `register = a + b`.
    Add(u16, Operand, Operand),
    /// `register = a - b`.
    Sub(u16, Operand, Operand),
    /// `register = a · b`.
    Mul(u16, Operand, Operand),
    /// The value is the next output.
    Output(Operand),
}

/// What a tape reads: one row (or one vector of rows, or one point), and the public values.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a, V> {
    /// Main cells.
    pub main: &'a [V],
    /// Preprocessed cells.
    pub preprocessed: &'a [V],
    /// Public values.
    pub public: &'a [F],
}

/// Computes a list of expressions; equal subexpressions are computed once.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Tape {
    /// The steps, in order.
    pub operations: Vec<Operation>,
    /// The constants.
    pub constants: Vec<F>,
    /// Number of registers.
    pub registers: u16,
    /// Number of outputs.
    pub outputs: usize,
}

impl Tape {
    /// Compiles `outputs`, in order.
    pub(crate) fn new<'a>(outputs: impl Iterator<Item = &'a Expr>) -> Tape {
        let mut compiler = Compiler::default();
        for expr in outputs {
            let operand = compiler.compile(expr);
            compiler.steps.push(Operation::Output(operand));
        }
        compiler.finish()
    }

    /// One more than the greatest index of a public value it reads.
    #[must_use]
    pub fn public(&self) -> usize {
        let operands = self.operations.iter().flat_map(operands);
        let index = |operand: Operand| match operand {
            Operand::Public(index) => usize::from(index) + 1,
            Operand::Main(_)
            | Operand::Preprocessed(_)
            | Operand::Constant(_)
            | Operand::Register(_) => 0,
        };
        operands.map(index).max().unwrap_or(0)
    }

    /// Runs the tape on `row` and hands each output to `sink`, in order. `registers` is scratch
    /// space, kept between calls to save allocation.
    pub fn run<V>(&self, row: Row<'_, V>, registers: &mut Vec<V>, mut sink: impl FnMut(V))
    where
        V: Copy + From<F> + PrimeCharacteristicRing,
    {
        registers.resize(usize::from(self.registers), V::ZERO);
        for operation in &self.operations {
            let value = |operand: Operand| match operand {
                Operand::Main(index) => row.main[usize::from(index)],
                Operand::Preprocessed(index) => row.preprocessed[usize::from(index)],
                Operand::Public(index) => V::from(row.public[usize::from(index)]),
                Operand::Constant(index) => V::from(self.constants[usize::from(index)]),
                Operand::Register(index) => registers[usize::from(index)],
            };
            match *operation {
                Operation::Add(to, a, b) => registers[usize::from(to)] = value(a) + value(b),
                Operation::Sub(to, a, b) => registers[usize::from(to)] = value(a) - value(b),
                Operation::Mul(to, a, b) => registers[usize::from(to)] = value(a) * value(b),
                Operation::Output(operand) => sink(value(operand)),
            }
        }
    }
}

/// Single-assignment code first; registers are shared out at the end.
#[derive(Default)]
struct Compiler {
    steps: Vec<Operation>,
    constants: Vec<F>,
    /// Nodes compiled already, by address; the expressions are alive as long as the compiler.
    by_node: BTreeMap<*const Node, Operand>,
    /// Steps compiled already, with register 0 as a stand-in for the result.
    by_step: BTreeMap<Operation, Operand>,
    values: u16,
}

impl Compiler {
    fn compile(&mut self, expr: &Expr) -> Operand {
        let key = Arc::as_ptr(&expr.0);
        if let Some(operand) = self.by_node.get(&key) {
            return *operand;
        }
        let operand = match &expr.0.kind {
            Kind::Constant(value) => self.constant(*value),
            Kind::Main(index) => Operand::Main(*index),
            Kind::Preprocessed(index) => Operand::Preprocessed(*index),
            Kind::Public(index) => Operand::Public(*index),
            Kind::Add(a, b) => self.step(a, b, Operation::Add),
            Kind::Sub(a, b) => self.step(a, b, Operation::Sub),
            Kind::Mul(a, b) => self.step(a, b, Operation::Mul),
        };
        self.by_node.insert(key, operand);
        operand
    }

    fn constant(&mut self, value: F) -> Operand {
        let known = self
            .constants
            .iter()
            .position(|constant| *constant == value);
        let index = known.unwrap_or_else(|| {
            self.constants.push(value);
            self.constants.len() - 1
        });
        Operand::Constant(index as u16)
    }

    fn step(
        &mut self,
        a: &Expr,
        b: &Expr,
        operation: fn(u16, Operand, Operand) -> Operation,
    ) -> Operand {
        let (a, b) = (self.compile(a), self.compile(b));
        let key = operation(0, a, b);
        if let Some(operand) = self.by_step.get(&key) {
            return *operand;
        }
        let register = self.values;
        self.values = register
            .checked_add(1)
            .expect("a chip has fewer than 65536 operations");
        self.steps.push(operation(register, a, b));
        self.by_step.insert(key, Operand::Register(register));
        Operand::Register(register)
    }

    /// Renames values to registers, each free again after its last use.
    fn finish(self) -> Tape {
        let mut last_use = alloc::vec![0_usize; usize::from(self.values)];
        for (index, step) in self.steps.iter().enumerate() {
            for operand in operands(step) {
                if let Operand::Register(value) = operand {
                    last_use[usize::from(value)] = index;
                }
            }
        }
        let mut free: Vec<u16> = Vec::new();
        let mut names = alloc::vec![0_u16; usize::from(self.values)];
        let mut registers = 0;
        let mut operations = Vec::with_capacity(self.steps.len());
        for (index, step) in self.steps.iter().enumerate() {
            let rename = |operand: Operand, names: &[u16]| match operand {
                Operand::Register(value) => Operand::Register(names[usize::from(value)]),
                Operand::Main(_)
                | Operand::Preprocessed(_)
                | Operand::Public(_)
                | Operand::Constant(_) => operand,
            };
            let [a, b] = operands(step).map(|operand| rename(operand, &names));
            let mut freed: Vec<u16> = operands(step)
                .into_iter()
                .filter_map(|operand| {
                    let Operand::Register(value) = operand else {
                        return None;
                    };
                    let is_last = last_use[usize::from(value)] == index;
                    is_last.then_some(names[usize::from(value)])
                })
                .collect();
            freed.sort_unstable();
            freed.dedup();
            free.extend(freed);
            let mut assign = |value: u16, names: &mut [u16]| {
                let register = free.pop().unwrap_or_else(|| {
                    registers += 1;
                    registers - 1
                });
                names[usize::from(value)] = register;
                register
            };
            operations.push(match *step {
                Operation::Add(value, ..) => Operation::Add(assign(value, &mut names), a, b),
                Operation::Sub(value, ..) => Operation::Sub(assign(value, &mut names), a, b),
                Operation::Mul(value, ..) => Operation::Mul(assign(value, &mut names), a, b),
                Operation::Output(_) => Operation::Output(a),
            });
        }
        let outputs = operations
            .iter()
            .filter(|step| matches!(step, Operation::Output(_)))
            .count();
        Tape {
            operations,
            constants: self.constants,
            registers,
            outputs,
        }
    }
}

/// What a step reads; an output reads its one operand twice.
fn operands(step: &Operation) -> [Operand; 2] {
    match *step {
        Operation::Add(_, a, b) | Operation::Sub(_, a, b) | Operation::Mul(_, a, b) => [a, b],
        Operation::Output(operand) => [operand, operand],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_computes_its_expressions_and_shares_registers() {
        let [a, b, c] = [Expr::main(0), Expr::main(1), Expr::preprocessed(0)];
        let sum = &a + &b;
        let outputs = [
            &sum * &c - 5,
            &sum * &sum,
            &a + &b,
            c.clone(),
            Expr::from(7),
            &a + Expr::public(0),
        ];
        let tape = Tape::new(outputs.iter());
        let mut got = Vec::new();
        let row = Row {
            main: &[F::new(3), F::new(10)],
            preprocessed: &[F::new(100)],
            public: &[F::new(11)],
        };
        tape.run(row, &mut Vec::new(), |value: F| got.push(value));
        assert_eq!(got, [1295, 169, 13, 100, 7, 14].map(F::new));
        // The sum is computed once, and its register serves again.
        assert_eq!(tape.operations.len(), 5 + 6);
        assert_eq!(tape.public(), 1);
        assert!(tape.registers <= 2, "{tape:?}");
    }
}
