//! The calls that led to where an execution ended.
//!
//! Execution is deterministic, so nothing is kept while a guest runs: when a backtrace is wanted
//! the same run is repeated up to the same cycle with a recorder that follows calls and returns.
//! A call is a jump that links into `ra` or `t0`; a return is a `jalr x0` through `ra` or `t0`, as
//! the calling convention has it, to the link address of one of the innermost open calls. (Jump
//! tables use other registers, and so are not mistaken for returns.) This needs no frame pointers
//! and no unwind tables.

use zkvm_isa::Opcode;

use crate::execute::{Discard, ExecuteError, Execution};
use crate::hart::Hart;
use crate::input::Input;
use crate::limits::Limits;
use crate::memory::Memory;
use crate::program::Program;
use crate::recorder::{Operands, Recorder, Touch};

/// Most open calls kept; of deeper stacks the innermost are kept.
pub const FRAMES_MAX: usize = 1 << 16;

/// Most open calls that a return may leave at once, as `longjmp` and unwinding do; a jump to the
/// link address of one further out is no return. It bounds the work of each jump.
const FRAMES_LEFT_MAX: usize = 64;

/// The link registers of the calling convention: `ra` and `t0`.
const LINK_REGISTERS: [u8; 2] = [1, 5];

/// Follows calls: the open ones, outermost first, by link address.
#[derive(Debug, Default)]
struct CallStack {
    links: std::collections::VecDeque<u64>,
}

impl Recorder for CallStack {
    #[inline(always)]
    fn instruction(&mut self, _: &Operands) {}

    fn misaligned(&mut self, _: &Memory, _: &Operands, _: Touch, _: Option<Touch>) {}

    fn jump(&mut self, operands: &Operands, link_address: u64, target: u64) {
        let instruction = operands.instruction;
        if LINK_REGISTERS.contains(&instruction.rd()) {
            if self.links.len() == FRAMES_MAX {
                self.links.pop_front();
            }
            self.links.push_back(link_address);
            return;
        }
        let is_return = instruction.opcode() == Opcode::Jalr
            && instruction.rd() == 0
            && LINK_REGISTERS.contains(&instruction.rs1());
        if !is_return {
            return;
        }
        let mut innermost = self.links.iter().rev().take(FRAMES_LEFT_MAX);
        if let Some(left) = innermost.position(|link| *link == target) {
            self.links.truncate(self.links.len() - 1 - left);
        }
    }
}

/// Repeats `execution` of `program` on `input` and returns addresses inside its open calls,
/// innermost first: the pc it ended at, then the call instruction of each open call (an address
/// inside it, which is what line tables want).
///
/// Cost: one more plain execution.
///
/// # Errors
/// As [`crate::execute`].
pub fn backtrace(
    program: &Program,
    input: &Input,
    limits: &Limits,
    execution: &Execution,
) -> Result<Vec<u64>, ExecuteError> {
    let mut console = Discard;
    let mut hart = Hart::new(program, input, limits, &mut console)?;
    let mut calls = CallStack::default();
    hart.run(&mut calls, execution.cycles);
    let callers = calls.links.iter().rev().map(|link| link.wrapping_sub(1));
    Ok(std::iter::once(execution.pc).chain(callers).collect())
}

#[cfg(test)]
mod tests {
    use zkvm_testkit::asm::Reg;
    use zkvm_testkit::asm::base::{addi, beq, ebreak, jalr};

    use super::*;
    use crate::testing::{TEXT, program, run};

    fn trace(program: &Program) -> Vec<u64> {
        let execution = run(program, &[]);
        let (input, limits) = (Input::default(), Limits::STANDARD);
        backtrace(program, &input, &limits, &execution).expect("it runs again")
    }

    #[test]
    fn a_return_is_a_jump_through_a_link_register() {
        // A call whose link is then jumped to, through `ra` or through another register.
        for (via, open) in [(Reg::RA, 0), (Reg::T0, 0), (Reg::T1, 1)] {
            let program = program(|asm| {
                let after = asm.label();
                let function = asm.label();
                asm.jump(Reg::RA, function);
                asm.bind(after);
                asm.emit(ebreak());
                asm.bind(function);
                asm.emit(addi(via, Reg::RA, 0));
                asm.emit(jalr(Reg::ZERO, via, 0));
            });
            assert_eq!(trace(&program).len(), 1 + open, "x{}", via.number());
            assert_eq!(trace(&program)[0], TEXT + 4);
        }
    }

    #[test]
    fn jump_tables_do_not_search_the_open_calls() {
        // Recursion fills the list of open calls; then a million jumps through a table, and a
        // million through `ra` to where no open call returns.
        let program = program(|asm| {
            let [down, deep] = [asm.label(), asm.label()];
            asm.li(Reg::T1, FRAMES_MAX as u64 + 10);
            asm.bind(down);
            asm.emit(addi(Reg::T1, Reg::T1, -1));
            asm.branch(beq, Reg::T1, Reg::ZERO, deep);
            asm.jump(Reg::RA, down);
            asm.bind(deep);
            for via in [Reg::T2, Reg::RA] {
                let [again, done] = [asm.label(), asm.label()];
                asm.li(Reg::T1, 1_000_000);
                asm.la(via, again);
                asm.bind(again);
                asm.emit(addi(Reg::T1, Reg::T1, -1));
                asm.branch(beq, Reg::T1, Reg::ZERO, done);
                asm.emit(jalr(Reg::ZERO, via, 0));
                asm.bind(done);
            }
            asm.emit(ebreak());
        });
        let started = std::time::Instant::now();
        assert_eq!(trace(&program).len(), 1 + FRAMES_MAX);
        // Sixty thousand million comparisons if each jump searched every open call.
        assert!(started.elapsed().as_secs() < 10);
    }
}
