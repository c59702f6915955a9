//! The interpreter: one RV64IMAC hart.
//!
//! Sources: RISC-V unprivileged specification 20240411, chapters 2, 4 (I), 13 (M), 14 (A). Loads
//! and stores may be misaligned (Zicclsm); atomics may not. One hart makes an atomic a plain
//! read-modify-write; a store-conditional succeeds exactly when the last load-reserved, with no
//! store-conditional since, reserved the same address. One that fails does nothing but return 1,
//! whatever its address: alignment, mapping and permission are asked only when it stores.

use zkvm_isa::record::AtomicRecord;
use zkvm_isa::syscall::REG_SP;
use zkvm_isa::{Opcode, layout};

use crate::fault::{FaultKind, illegal};
use crate::memory::{AccessError, Memory};
use crate::program::Program;
use crate::recorder::{Operands, Recorder, Touch};
use crate::system::{System, SystemOutcome};

/// The hart's own state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct HartState {
    /// `x0` to `x31`; `x0` is zero.
    pub registers: [u64; 32],
    /// Address of the next instruction.
    pub pc: u64,
    /// 0, or the address reserved by the last load-reserved, plus one.
    pub reservation: u64,
}

impl HartState {
    /// The state at the entry of `program`: all zero but `pc` and the stack pointer.
    pub(crate) fn at_entry(program: &Program) -> Self {
        let mut registers = [0; 32];
        registers[usize::from(REG_SP)] = u64::from(layout::STACK_POINTER_AT_ENTRY);
        HartState {
            registers,
            pc: u64::from(program.entry()),
            reservation: 0,
        }
    }
}

/// Why the interpreter returned. `pc` is the address of the instruction that stopped it, or of
/// the next one for the limits and [`Stop::Full`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Halt { code: u32 },
    Fault(FaultKind),
    MemoryLimit,
    JournalLimit,
    CycleLimit,
    Full,
}

impl From<AccessError> for Stop {
    #[cold]
    fn from(error: AccessError) -> Stop {
        match error {
            AccessError::Unmapped { access, address } => {
                Stop::Fault(FaultKind::Unmapped { access, address })
            }
            AccessError::ReadOnly { address } => Stop::Fault(FaultKind::ReadOnly { address }),
            AccessError::Limit => Stop::MemoryLimit,
        }
    }
}

/// Everything that changes while a guest runs.
#[derive(Debug)]
pub(crate) struct Hart<'a> {
    pub(crate) program: &'a Program,
    pub(crate) state: HartState,
    pub(crate) memory: Memory,
    pub(crate) system: System<'a>,
    /// Instructions executed.
    pub(crate) cycles: u64,
}

impl Hart<'_> {
    /// Runs until something stops it or `cycles` reaches `cycles_max`.
    ///
    /// An instruction that faults is not executed: `state.pc` is its address, and neither
    /// `cycles` nor registers count it. A halt is executed, and `state.pc` is its address too.
    pub(crate) fn run<R: Recorder>(&mut self, recorder: &mut R, cycles_max: u64) -> Stop {
        let text = self.program.text();
        let text_start = u64::from(self.program.text_start());
        let memory = &mut self.memory;
        let mut registers = self.state.registers;
        let mut reservation = self.state.reservation;
        let mut index = (self.state.pc.wrapping_sub(text_start) / 2) as usize;
        let mut cycles = self.cycles;

        let stop = loop {
            if cycles >= cycles_max {
                break Stop::CycleLimit;
            }
            if recorder.is_full() {
                break Stop::Full;
            }
            let Some(&instruction) = text.get(index) else {
                break Stop::Fault(FaultKind::FetchOutsideText);
            };
            let operands = Operands {
                text_index: index,
                instruction,
                rs1_value: registers[usize::from(instruction.rs1())],
                rs2_value: registers[usize::from(instruction.rs2())],
                rd_previous: registers[usize::from(instruction.rd())],
            };
            recorder.instruction(&operands);
            let (a, b) = (operands.rs1_value, operands.rs2_value);
            let imm = i64::from(instruction.imm()).cast_unsigned();
            let mut next = index + instruction.halfwords();

            /// The value of a fallible step, or the stop it causes.
            macro_rules! attempt {
                ($result:expr) => {
                    match $result {
                        Ok(value) => value,
                        Err(error) => break Stop::from(error),
                    }
                };
            }
            macro_rules! load {
                ($bytes:literal, $extend:expr) => {{
                    let extend: fn(u64) -> u64 = $extend;
                    let address = a.wrapping_add(imm);
                    extend(attempt!(load::<R, $bytes>(
                        memory, recorder, &operands, address
                    )))
                }};
            }
            macro_rules! store {
                ($bytes:literal) => {{
                    let address = a.wrapping_add(imm);
                    attempt!(store::<R, $bytes>(memory, recorder, &operands, address, b));
                    0
                }};
            }
            macro_rules! branch {
                ($condition:expr) => {{
                    if $condition {
                        next = index.wrapping_add((instruction.imm() >> 1) as usize);
                    }
                    0
                }};
            }
            macro_rules! atomic {
                ($bytes:literal, $result:expr) => {{
                    let result: fn(u64, u64) -> u64 = $result;
                    attempt!(swap::<R, $bytes>(memory, recorder, &operands, result))
                }};
            }

            // The value for rd. Opcodes without one name x0, which is reset below.
            let value = match instruction.opcode() {
                Opcode::Lui => imm,
                Opcode::Auipc => address_of(text_start, index).wrapping_add(imm),
                Opcode::Jal => {
                    let link = address_of(text_start, next);
                    next = index.wrapping_add((instruction.imm() >> 1) as usize);
                    recorder.jump(&operands, link, address_of(text_start, next));
                    link
                }
                Opcode::Jalr => {
                    let link = address_of(text_start, next);
                    let target = a.wrapping_add(imm) & !1;
                    next = (target.wrapping_sub(text_start) / 2) as usize;
                    recorder.jump(&operands, link, target);
                    link
                }
                Opcode::Beq => branch!(a == b),
                Opcode::Bne => branch!(a != b),
                Opcode::Blt => branch!(a.cast_signed() < b.cast_signed()),
                Opcode::Bge => branch!(a.cast_signed() >= b.cast_signed()),
                Opcode::Bltu => branch!(a < b),
                Opcode::Bgeu => branch!(a >= b),
                Opcode::Lb => load!(1, |v| v as i8 as u64),
                Opcode::Lh => load!(2, |v| v as i16 as u64),
                Opcode::Lw => load!(4, |v| sign_extend_32(v)),
                Opcode::Ld => load!(8, |v| v),
                Opcode::Lbu => load!(1, |v| v),
                Opcode::Lhu => load!(2, |v| v),
                Opcode::Lwu => load!(4, |v| v),
                Opcode::Sb => store!(1),
                Opcode::Sh => store!(2),
                Opcode::Sw => store!(4),
                Opcode::Sd => store!(8),
                Opcode::Addi => a.wrapping_add(imm),
                Opcode::Slti => u64::from(a.cast_signed() < imm.cast_signed()),
                Opcode::Sltiu => u64::from(a < imm),
                Opcode::Xori => a ^ imm,
                Opcode::Ori => a | imm,
                Opcode::Andi => a & imm,
                Opcode::Slli => a << (imm & 63),
                Opcode::Srli => a >> (imm & 63),
                Opcode::Srai => (a.cast_signed() >> (imm & 63)).cast_unsigned(),
                Opcode::Add => a.wrapping_add(b),
                Opcode::Sub => a.wrapping_sub(b),
                Opcode::Sll => a << (b & 63),
                Opcode::Slt => u64::from(a.cast_signed() < b.cast_signed()),
                Opcode::Sltu => u64::from(a < b),
                Opcode::Xor => a ^ b,
                Opcode::Srl => a >> (b & 63),
                Opcode::Sra => (a.cast_signed() >> (b & 63)).cast_unsigned(),
                Opcode::Or => a | b,
                Opcode::And => a & b,
                Opcode::Addiw => sign_extend_32(a.wrapping_add(imm)),
                Opcode::Slliw => sign_extend_32(a << (imm & 31)),
                Opcode::Srliw => sign_extend_32(u64::from(a as u32 >> (imm & 31))),
                Opcode::Sraiw => (a as i32 >> (imm & 31)) as u64,
                Opcode::Addw => sign_extend_32(a.wrapping_add(b)),
                Opcode::Subw => sign_extend_32(a.wrapping_sub(b)),
                Opcode::Sllw => sign_extend_32(a << (b & 31)),
                Opcode::Srlw => sign_extend_32(u64::from(a as u32 >> (b & 31))),
                Opcode::Sraw => (a as i32 >> (b & 31)) as u64,
                Opcode::Ecall => {
                    let outcome = self
                        .system
                        .call(&mut registers, memory, recorder, index, cycles);
                    match outcome {
                        SystemOutcome::Continue => {}
                        SystemOutcome::Stop(Stop::Halt { code }) => {
                            cycles += 1;
                            break Stop::Halt { code };
                        }
                        SystemOutcome::Stop(stop) => break stop,
                    }
                    0
                }
                Opcode::Ebreak => break Stop::Fault(FaultKind::Breakpoint),
                Opcode::Mul => a.wrapping_mul(b),
                Opcode::Mulh => {
                    let product = i128::from(a.cast_signed()) * i128::from(b.cast_signed());
                    (product >> 64) as u64
                }
                Opcode::Mulhsu => {
                    let product = i128::from(a.cast_signed()) * i128::from(b);
                    (product >> 64) as u64
                }
                Opcode::Mulhu => ((u128::from(a) * u128::from(b)) >> 64) as u64,
                Opcode::Div => divide(a.cast_signed(), b.cast_signed()).cast_unsigned(),
                Opcode::Divu => a.checked_div(b).unwrap_or(u64::MAX),
                Opcode::Rem => remainder(a.cast_signed(), b.cast_signed()).cast_unsigned(),
                Opcode::Remu => a.checked_rem(b).unwrap_or(a),
                Opcode::Mulw => sign_extend_32(a.wrapping_mul(b)),
                Opcode::Divw => divide(i64::from(a as i32), i64::from(b as i32)) as i32 as u64,
                Opcode::Divuw => sign_extend_32(u64::from(
                    (a as u32).checked_div(b as u32).unwrap_or(u32::MAX),
                )),
                Opcode::Remw => remainder(i64::from(a as i32), i64::from(b as i32)) as i32 as u64,
                Opcode::Remuw => sign_extend_32(u64::from(
                    (a as u32).checked_rem(b as u32).unwrap_or(a as u32),
                )),
                Opcode::LrW => {
                    let loaded = reserve::<R, 4>(memory, recorder, &operands, reservation);
                    let value = attempt!(loaded);
                    reservation = a.wrapping_add(1);
                    sign_extend_32(value)
                }
                Opcode::LrD => {
                    let loaded = reserve::<R, 8>(memory, recorder, &operands, reservation);
                    let value = attempt!(loaded);
                    reservation = a.wrapping_add(1);
                    value
                }
                Opcode::ScW => {
                    let stored = conditional::<R, 4>(memory, recorder, &operands, reservation);
                    let failed = attempt!(stored);
                    reservation = 0;
                    failed
                }
                Opcode::ScD => {
                    let stored = conditional::<R, 8>(memory, recorder, &operands, reservation);
                    let failed = attempt!(stored);
                    reservation = 0;
                    failed
                }
                Opcode::AmoswapW => atomic!(4, |_, b| b),
                Opcode::AmoaddW => atomic!(4, u64::wrapping_add),
                Opcode::AmoxorW => atomic!(4, |m, b| m ^ b),
                Opcode::AmoandW => atomic!(4, |m, b| m & b),
                Opcode::AmoorW => atomic!(4, |m, b| m | b),
                Opcode::AmominW => atomic!(4, |m, b| (m as i32).min(b as i32) as u64),
                Opcode::AmomaxW => atomic!(4, |m, b| (m as i32).max(b as i32) as u64),
                Opcode::AmominuW => atomic!(4, |m, b| u64::from((m as u32).min(b as u32))),
                Opcode::AmomaxuW => atomic!(4, |m, b| u64::from((m as u32).max(b as u32))),
                Opcode::AmoswapD => atomic!(8, |_, b| b),
                Opcode::AmoaddD => atomic!(8, u64::wrapping_add),
                Opcode::AmoxorD => atomic!(8, |m, b| m ^ b),
                Opcode::AmoandD => atomic!(8, |m, b| m & b),
                Opcode::AmoorD => atomic!(8, |m, b| m | b),
                Opcode::AmominD => atomic!(8, |m, b| (m as i64).min(b as i64) as u64),
                Opcode::AmomaxD => atomic!(8, |m, b| (m as i64).max(b as i64) as u64),
                Opcode::AmominuD => atomic!(8, u64::min),
                Opcode::AmomaxuD => atomic!(8, u64::max),
                Opcode::Illegal => {
                    let pc = address_of(text_start, index);
                    let compressed = self.program.compressed();
                    break Stop::Fault(illegal(pc, instruction.imm(), compressed));
                }
            };
            if instruction.opcode() != Opcode::Ecall {
                registers[usize::from(instruction.rd())] = value;
            }
            registers[0] = 0;
            index = next;
            cycles += 1;
        };
        self.state.registers = registers;
        self.state.reservation = reservation;
        self.state.pc = address_of(text_start, index);
        self.cycles = cycles;
        stop
    }
}

/// The address of entry `index` of the decoded table; wraps, so that any index round-trips.
#[inline(always)]
fn address_of(text_start: u64, index: usize) -> u64 {
    text_start.wrapping_add((index as u64).wrapping_mul(2))
}

#[inline(always)]
fn sign_extend_32(value: u64) -> u64 {
    value as i32 as u64
}

/// RISC-V division: by zero gives -1, overflow gives the dividend.
#[inline(always)]
fn divide(a: i64, b: i64) -> i64 {
    if b == 0 { -1 } else { a.wrapping_div(b) }
}

/// RISC-V remainder: by zero gives the dividend, overflow gives 0.
#[inline(always)]
fn remainder(a: i64, b: i64) -> i64 {
    if b == 0 { a } else { a.wrapping_rem(b) }
}

/// The low `BYTES` bytes set.
#[inline(always)]
const fn mask<const BYTES: u64>() -> u64 {
    u64::MAX >> (64 - 8 * BYTES)
}

#[inline(always)]
fn load<R: Recorder, const BYTES: u64>(
    memory: &mut Memory,
    recorder: &mut R,
    operands: &Operands,
    address: u64,
) -> Result<u64, AccessError> {
    if !address.is_multiple_of(BYTES) {
        return load_misaligned::<R, BYTES>(memory, recorder, operands, address);
    }
    let slot = memory.load_slot(address)?;
    recorder.aligned(memory, operands, Touch { slot, address });
    Ok(memory.word(slot) >> (8 * (address % 8)) & mask::<BYTES>())
}

#[inline(always)]
fn store<R: Recorder, const BYTES: u64>(
    memory: &mut Memory,
    recorder: &mut R,
    operands: &Operands,
    address: u64,
    value: u64,
) -> Result<(), AccessError> {
    if !address.is_multiple_of(BYTES) {
        return store_misaligned::<R, BYTES>(memory, recorder, operands, address);
    }
    let slot = memory.store_slot(address)?;
    recorder.aligned(memory, operands, Touch { slot, address });
    let shift = 8 * (address % 8);
    let kept = memory.word(slot) & !(mask::<BYTES>() << shift);
    memory.set_word(slot, kept | (value & mask::<BYTES>()) << shift);
    Ok(())
}

/// Whether an access of `BYTES` bytes at `address` reaches into the next word.
fn crosses<const BYTES: u64>(address: u64) -> bool {
    address % 8 + BYTES > 8
}

#[cold]
#[inline(never)]
fn load_misaligned<R: Recorder, const BYTES: u64>(
    memory: &mut Memory,
    recorder: &mut R,
    operands: &Operands,
    address: u64,
) -> Result<u64, AccessError> {
    let low = Touch {
        slot: memory.load_slot(address)?,
        address,
    };
    let high = if crosses::<BYTES>(address) {
        let address = (address | 7).wrapping_add(1);
        Some(Touch {
            slot: memory.load_slot(address)?,
            address,
        })
    } else {
        None
    };
    recorder.misaligned(memory, operands, low, high);
    let high_word = high.map_or(0, |touch| memory.word(touch.slot));
    let both = u128::from(memory.word(low.slot)) | u128::from(high_word) << 64;
    Ok((both >> (8 * (address % 8))) as u64 & mask::<BYTES>())
}

#[cold]
#[inline(never)]
fn store_misaligned<R: Recorder, const BYTES: u64>(
    memory: &mut Memory,
    recorder: &mut R,
    operands: &Operands,
    address: u64,
) -> Result<(), AccessError> {
    let low = Touch {
        slot: memory.store_slot(address)?,
        address,
    };
    let high = if crosses::<BYTES>(address) {
        let address = (address | 7).wrapping_add(1);
        Some(Touch {
            slot: memory.store_slot(address)?,
            address,
        })
    } else {
        None
    };
    recorder.misaligned(memory, operands, low, high);
    let shift = 8 * (address % 8);
    let bits = u128::from(mask::<BYTES>()) << shift;
    let value = u128::from(operands.rs2_value & mask::<BYTES>()) << shift;
    let kept = memory.word(low.slot) & !(bits as u64);
    memory.set_word(low.slot, kept | value as u64);
    if let Some(high) = high {
        let kept = memory.word(high.slot) & !((bits >> 64) as u64);
        memory.set_word(high.slot, kept | (value >> 64) as u64);
    }
    Ok(())
}

/// The slot of an atomic's word, after checking alignment.
fn atomic_touch<const BYTES: u64>(memory: &mut Memory, address: u64) -> Result<Touch, Stop> {
    if !address.is_multiple_of(BYTES) {
        return Err(Stop::Fault(FaultKind::MisalignedAtomic { address }));
    }
    Ok(Touch {
        slot: memory.store_slot(address)?,
        address,
    })
}

/// An atomic memory operation: stores `result(memory, rs2)`, returns the old value sign-extended.
#[inline(never)]
fn swap<R: Recorder, const BYTES: u64>(
    memory: &mut Memory,
    recorder: &mut R,
    operands: &Operands,
    result: fn(u64, u64) -> u64,
) -> Result<u64, Stop> {
    let address = operands.rs1_value;
    let touch = atomic_touch::<BYTES>(memory, address)?;
    recorder.atomic(memory, operands, Some(touch), AtomicRecord::default());
    let word = memory.word(touch.slot);
    let shift = 8 * (address % 8);
    let old = word >> shift & mask::<BYTES>();
    let new = result(old, operands.rs2_value) & mask::<BYTES>();
    memory.set_word(
        touch.slot,
        word & !(mask::<BYTES>() << shift) | new << shift,
    );
    Ok(if BYTES == 4 { sign_extend_32(old) } else { old })
}

/// A load-reserved, given the reservation it replaces.
#[inline(never)]
fn reserve<R: Recorder, const BYTES: u64>(
    memory: &mut Memory,
    recorder: &mut R,
    operands: &Operands,
    before: u64,
) -> Result<u64, Stop> {
    let address = operands.rs1_value;
    if !address.is_multiple_of(BYTES) {
        return Err(Stop::Fault(FaultKind::MisalignedAtomic { address }));
    }
    let touch = Touch {
        slot: memory.load_slot(address)?,
        address,
    };
    let record = AtomicRecord {
        reservation: before,
        ..AtomicRecord::default()
    };
    recorder.atomic(memory, operands, Some(touch), record);
    Ok(memory.word(touch.slot) >> (8 * (address % 8)) & mask::<BYTES>())
}

/// A store-conditional: returns 0 if it stored, 1 if the address was not reserved.
///
/// A failing one does not look at its address, so its row needs no address either. Address
/// 2^64 - 1, whose successor is the mark of no reservation, counts as reserved when nothing is,
/// and is then refused as misaligned. The emulator we compare with does both too.
#[inline(never)]
fn conditional<R: Recorder, const BYTES: u64>(
    memory: &mut Memory,
    recorder: &mut R,
    operands: &Operands,
    reservation: u64,
) -> Result<u64, Stop> {
    let address = operands.rs1_value;
    let record = AtomicRecord {
        reservation,
        ..AtomicRecord::default()
    };
    if reservation != address.wrapping_add(1) {
        recorder.atomic(memory, operands, None, record);
        return Ok(1);
    }
    let touch = atomic_touch::<BYTES>(memory, address)?;
    recorder.atomic(memory, operands, Some(touch), record);
    let shift = 8 * (address % 8);
    let kept = memory.word(touch.slot) & !(mask::<BYTES>() << shift);
    memory.set_word(
        touch.slot,
        kept | (operands.rs2_value & mask::<BYTES>()) << shift,
    );
    Ok(0)
}

#[cfg(test)]
mod tests {
    use zkvm_testkit::asm::base::{add, lr_w, sc_d, sc_w};
    use zkvm_testkit::asm::{Order, Reg};

    use crate::testing::{DATA, TEXT, halt, program, run};
    use crate::{Exit, FaultKind};

    /// As under `qemu-riscv64`: each of these is where a store would fault.
    #[test]
    fn a_store_conditional_that_fails_does_not_look_at_its_address() {
        for address in [0, 3, DATA + 4, TEXT, 1 << 32, u64::MAX - 7] {
            let program = program(|asm| {
                asm.li(Reg::T0, address);
                asm.emit(sc_d(Reg::T1, Reg::ZERO, Reg::T0, Order::Relaxed));
                asm.emit(sc_w(Reg::T2, Reg::ZERO, Reg::T0, Order::Relaxed));
                asm.emit(add(Reg::x(13), Reg::T1, Reg::T2));
                halt(asm, 0);
            });
            let execution = run(&program, &[]);
            assert!(
                execution.exit.is_success(),
                "{address:#x}: {}",
                execution.exit
            );
            assert_eq!(execution.registers[13], 2, "{address:#x}");
        }
    }

    #[test]
    fn a_store_conditional_that_stores_checks_its_address() {
        let address = DATA + 4;
        let program = program(|asm| {
            asm.li(Reg::T0, address);
            asm.emit(lr_w(Reg::T1, Reg::T0, Order::Relaxed));
            asm.emit(sc_d(Reg::T1, Reg::ZERO, Reg::T0, Order::Relaxed));
        });
        let Exit::Faulted(fault) = run(&program, &[]).exit else {
            panic!("a misaligned store-conditional must fault");
        };
        assert_eq!(fault.kind, FaultKind::MisalignedAtomic { address });
    }
}
