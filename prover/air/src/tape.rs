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
    /// What each output is: equal ones are equal values. A register here is the number of the
    /// operation that computes the value, not the place where it lies.
    pub sources: Vec<Operand>,
    /// The operations on one list of values; see [`Places`].
    code: Vec<Step>,
    places: Places,
}

/// An operation whose operands are indices of one list: nothing is left to tell apart but what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Step {
    action: Action,
    to: u16,
    a: u16,
    b: u16,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    Add,
    Sub,
    Mul,
    Output,
}

/// How many values of each kind a tape reads; in its list they follow one another in this order, and
/// then come the registers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
struct Places {
    main: usize,
    preprocessed: usize,
    public: usize,
    constants: usize,
}

impl Places {
    /// Counts what `operations` read.
    fn of(operations: &[Operation], constants: usize) -> Self {
        let mut places = Places {
            constants,
            ..Places::default()
        };
        for operand in operations.iter().flat_map(operands) {
            let (count, index) = match operand {
                Operand::Main(index) => (&mut places.main, index),
                Operand::Preprocessed(index) => (&mut places.preprocessed, index),
                Operand::Public(index) => (&mut places.public, index),
                Operand::Constant(_) | Operand::Register(_) => continue,
            };
            *count = (*count).max(usize::from(index) + 1);
        }
        places
    }

    fn place(&self, operand: Operand) -> u16 {
        let preprocessed = self.main;
        let public = preprocessed + self.preprocessed;
        let constants = public + self.public;
        let registers = constants + self.constants;
        let place = match operand {
            Operand::Main(index) => usize::from(index),
            Operand::Preprocessed(index) => preprocessed + usize::from(index),
            Operand::Public(index) => public + usize::from(index),
            Operand::Constant(index) => constants + usize::from(index),
            Operand::Register(index) => registers + usize::from(index),
        };
        u16::try_from(place).expect("a chip has fewer than 65536 columns and operations")
    }

    fn registers(&self) -> usize {
        self.main + self.preprocessed + self.public + self.constants
    }

    fn step(&self, operation: &Operation) -> Step {
        let [a, b] = operands(operation).map(|operand| self.place(operand));
        let (action, to) = match *operation {
            Operation::Add(to, ..) => (Action::Add, to),
            Operation::Sub(to, ..) => (Action::Sub, to),
            Operation::Mul(to, ..) => (Action::Mul, to),
            Operation::Output(_) => (Action::Output, 0),
        };
        let to = self.place(Operand::Register(to));
        Step { action, to, a, b }
    }
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

    /// Runs the tape on `row` and hands each output to `sink`, in order. `values` is scratch space,
    /// kept between calls to save allocation.
    pub fn run<V>(&self, row: Row<'_, V>, values: &mut Vec<V>, mut sink: impl FnMut(V))
    where
        V: Copy + From<F> + PrimeCharacteristicRing,
    {
        let places = &self.places;
        values.clear();
        values.extend_from_slice(&row.main[..places.main]);
        values.extend_from_slice(&row.preprocessed[..places.preprocessed]);
        let public = row.public[..places.public].iter();
        values.extend(public.chain(&self.constants).map(|value| V::from(*value)));
        values.resize(places.registers() + usize::from(self.registers), V::ZERO);
        let values = values.as_mut_slice();
        for step in &self.code {
            let (a, b) = (values[usize::from(step.a)], values[usize::from(step.b)]);
            match step.action {
                Action::Add => values[usize::from(step.to)] = a + b,
                Action::Sub => values[usize::from(step.to)] = a - b,
                Action::Mul => values[usize::from(step.to)] = a * b,
                Action::Output => sink(a),
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
        let sources = self.steps.iter().filter_map(|step| match step {
            Operation::Output(operand) => Some(*operand),
            Operation::Add(..) | Operation::Sub(..) | Operation::Mul(..) => None,
        });
        let sources = sources.collect();
        let outputs = operations
            .iter()
            .filter(|step| matches!(step, Operation::Output(_)))
            .count();
        let places = Places::of(&operations, self.constants.len());
        let code = operations.iter().map(|operation| places.step(operation));
        Tape {
            code: code.collect(),
            places,
            operations,
            constants: self.constants,
            registers,
            outputs,
            sources,
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
        assert_ne!(tape.sources[0], tape.sources[2]);
        assert_eq!(tape.sources[3], Operand::Preprocessed(0));
        assert!(tape.registers <= 2, "{tape:?}");
    }
}
