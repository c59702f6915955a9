//! The calls that led to where an execution ended.
//!
//! Execution is deterministic, so nothing is kept while a guest runs: when a backtrace is wanted
//! the same run is repeated up to the same cycle with a recorder that follows calls and returns.
//! A call is a jump that links into `ra` or `t0`; a return is a jump to the link address of an
//! open call. This needs no frame pointers and no unwind tables.

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
        } else if instruction.opcode() == Opcode::Jalr
            && let Some(open) = self.links.iter().rposition(|link| *link == target)
        {
            self.links.truncate(open);
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
