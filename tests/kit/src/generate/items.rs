//! Straight-line items: arithmetic, loads and stores, atomics, fences.
//!
//! An item leaves `gp`, `sp` and the locked registers as they were.

use super::{Generator, SLACK_BYTES};
use crate::asm::base::{
    ATOMICS, IMMEDIATE_OPS, LOADS, REGISTER_OPS, SHIFT_OPS, STORES, add, addi, andi, auipc, fence,
    fence_i, fence_tso, lr_d, lr_w, lui, sc_d, sc_w, slli, srli,
};
use crate::asm::compressed::{
    MEMORY_OPS, PAIR_OPS, STACK_LOADS, STACK_STORES, c_add, c_addi, c_addi4spn, c_addi16sp,
    c_addiw, c_andi, c_li, c_lui, c_mv, c_nop, c_slli, c_srai, c_srli,
};
use crate::asm::{Order, Reg};

type Item = fn(&mut Generator);

const BASE: &[(Item, u64)] = &[
    (Generator::register_op, 20),
    (Generator::register_edge, 10),
    (Generator::immediate_op, 12),
    (Generator::shift_op, 8),
    (Generator::upper_op, 4),
    (Generator::memory_op, 16),
    (Generator::indexed_op, 8),
    (Generator::fence_op, 1),
];

const COMPRESSED: &[(Item, u64)] = &[
    (Generator::compressed_op, 28),
    (Generator::compressed_stack_op, 8),
    (Generator::compressed_memory_op, 8),
    (Generator::compressed_stack_move, 2),
];

const ATOMIC: &[(Item, u64)] = &[(Generator::atomic_op, 10), (Generator::reservation, 4)];

/// Longest straight-line item in bytes: two constants of eight instructions and one more.
pub(super) const SIMPLE_BYTES_MAX: u64 = 2 * 32 + 4;

impl Generator {
    /// Emits one straight-line item.
    pub(super) fn simple(&mut self) {
        let before = self.asm.here();
        let mut families = vec![BASE];
        families.extend(self.options.compressed.then_some(COMPRESSED));
        families.extend(self.options.atomics.then_some(ATOMIC));
        let total = families
            .iter()
            .flat_map(|family| family.iter())
            .map(|item| item.1)
            .sum();
        let mut draw = self.rng.below(total);
        for &(item, weight) in families.into_iter().flatten() {
            if draw < weight {
                item(self);
                break;
            }
            draw -= weight;
        }
        assert!(
            self.asm.here() - before <= SIMPLE_BYTES_MAX,
            "an item outgrew its bound"
        );
    }

    /// Runs `emit` while the register may not be written.
    pub(super) fn holding<T>(&mut self, register: Reg, emit: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.locked;
        self.locked |= 1 << register.number();
        let result = emit(self);
        self.locked = before;
        result
    }

    fn is_writable(&self, register: Reg) -> bool {
        let pointers = [Reg::SP, Reg::GP].contains(&register);
        !pointers && self.locked >> register.number() & 1 == 0
    }

    /// Any register.
    pub(super) fn source(&mut self) -> Reg {
        Reg::x(self.rng.below(32) as u8)
    }

    /// One of `x8..=x15`.
    pub(super) fn compressed_source(&mut self) -> Reg {
        Reg::x(8 + self.rng.below(8) as u8)
    }

    /// A register to write, `x0` included.
    pub(super) fn destination(&mut self) -> Reg {
        if self.rng.one_in(24) {
            Reg::ZERO
        } else {
            self.target()
        }
    }

    /// A register to write and to use after.
    pub(super) fn target(&mut self) -> Reg {
        loop {
            let register = Reg::x(1 + self.rng.below(31) as u8);
            if self.is_writable(register) {
                return register;
            }
        }
    }

    /// A register of `x8..=x15` to write; at most four registers are locked at a time.
    pub(super) fn compressed_target(&mut self) -> Reg {
        loop {
            let register = self.compressed_source();
            if self.is_writable(register) {
                return register;
            }
        }
    }

    fn immediate(&mut self) -> i32 {
        match self.rng.below(4) {
            0 => self
                .rng
                .pick(&[0, 1, -1, 2, -2, 31, 32, 63, 64, 255, 2047, -2048]),
            _ => self.rng.between(-2048, 2047) as i32,
        }
    }

    fn register_op(&mut self) {
        let op = self.rng.pick(REGISTER_OPS);
        let [mut rd, mut rs1, mut rs2] = [self.destination(), self.source(), self.source()];
        match self.rng.below(12) {
            0 => (rs1, rs2) = (rd, rd),
            1 => rs1 = rd,
            2 => rs2 = rd,
            3 => rs2 = rs1,
            4 => rd = Reg::ZERO,
            _ => {}
        }
        self.emit(op(rd, rs1, rs2));
    }

    /// An operation on two constants that are likely to be its edge cases.
    fn register_edge(&mut self) {
        let op = self.rng.pick(REGISTER_OPS);
        let rs1 = self.target();
        let value = self.value();
        self.asm.li(rs1, value);
        let rs2 = self.holding(rs1, Self::target);
        let value = match self.rng.below(4) {
            0 => 0,
            1 => u64::MAX,
            _ => self.value(),
        };
        self.asm.li(rs2, value);
        let rd = self.destination();
        self.emit(op(rd, rs1, rs2));
    }

    fn immediate_op(&mut self) {
        let op = self.rng.pick(IMMEDIATE_OPS);
        let (rd, rs1, imm) = (self.destination(), self.source(), self.immediate());
        let rs1 = if self.rng.one_in(8) { rd } else { rs1 };
        self.emit(op(rd, rs1, imm));
    }

    fn shift_op(&mut self) {
        let index = self.rng.below(SHIFT_OPS.len() as u64) as usize;
        let limit = if index < 3 { 64 } else { 32 };
        let shamt = match self.rng.below(6) {
            0 => 0,
            1 => limit - 1,
            _ => self.rng.below(limit),
        };
        let (rd, rs1) = (self.destination(), self.source());
        self.emit(SHIFT_OPS[index](rd, rs1, shamt as u32));
    }

    fn upper_op(&mut self) {
        let imm20 = match self.rng.below(4) {
            0 => self.rng.pick(&[0, 1, 0x7ffff, 0x80000, 0xfffff]),
            _ => self.rng.below(1 << 20) as u32,
        };
        let rd = self.destination();
        let code = if self.rng.one_in(2) {
            lui(rd, imm20)
        } else {
            auipc(rd, imm20)
        };
        self.emit(code);
    }

    /// A load or a store of any width, half of the time aligned, through a base of which every
    /// offset from -2048 to `high` is inside the scratch area and its slack.
    fn access(&mut self, base: Reg, low: i64, high: i64) {
        let is_load = self.rng.one_in(2);
        let (op, width) = if is_load {
            self.rng.pick(LOADS)
        } else {
            self.rng.pick(STORES)
        };
        let width = i64::from(width);
        let offset = self.rng.between(low, high);
        let offset = if self.rng.one_in(2) {
            offset.div_euclid(width) * width
        } else {
            offset
        };
        let register = if is_load {
            self.destination()
        } else {
            self.source()
        };
        self.emit(op(register, base, offset.max(low) as i32));
    }

    fn memory_op(&mut self) {
        self.access(Reg::GP, -2048, 2047);
    }

    /// A load or store at an address computed from a register's value.
    fn indexed_op(&mut self) {
        let (index, from) = (self.target(), self.source());
        let unused = 64 - self.options.scratch_bytes_log2;
        if self.rng.one_in(2) {
            self.emit(slli(index, from, unused));
            self.emit(srli(index, index, unused));
        } else {
            let mask = self.rng.pick(&[0x7ff, 0x7f8, 0x7fc, 7]);
            self.emit(andi(index, from, mask));
        }
        self.emit(add(index, index, Reg::GP));
        let reach = SLACK_BYTES as i64 - 8;
        self.access(index, -2048, -2048 + reach);
    }

    fn fence_op(&mut self) {
        let instruction = match self.rng.below(4) {
            0 => fence_i(),
            1 => fence_tso(),
            _ => fence(1 + self.rng.below(15) as u32, 1 + self.rng.below(15) as u32),
        };
        self.emit(instruction);
    }

    /// One of the two-byte operations on registers and immediates.
    fn compressed_op(&mut self) {
        let (rd, short) = (self.target(), self.compressed_target());
        let source = Reg::x(1 + self.rng.below(31) as u8);
        let imm = self.rng.between(-32, 31) as i32;
        let nonzero = if imm == 0 { -32 } else { imm };
        let shamt = 1 + self.rng.below(63) as u32;
        let instruction = match self.rng.below(20) {
            0 => c_addi(rd, nonzero),
            1 => c_addiw(rd, imm),
            2 => c_li(rd, imm),
            3 => c_lui(rd, nonzero),
            4 => c_srli(short, shamt),
            5 => c_srai(short, shamt),
            6 => c_andi(short, imm),
            7 => c_slli(rd, shamt),
            8 => c_addi4spn(short, 4 * (1 + self.rng.below(255) as u32)),
            9 => c_nop(),
            10 | 11 => c_mv(rd, source),
            12 | 13 => c_add(rd, source),
            _ => {
                let op = self.rng.pick(PAIR_OPS);
                let rs2 = if self.rng.one_in(6) {
                    short
                } else {
                    self.compressed_source()
                };
                op(short, rs2)
            }
        };
        self.emit(instruction);
    }

    fn compressed_stack_op(&mut self) {
        if self.rng.one_in(2) {
            let (op, width) = self.rng.pick(STACK_LOADS);
            let (rd, offset) = (self.target(), width * self.rng.below(64) as u32);
            self.emit(op(rd, offset));
        } else {
            let (op, width) = self.rng.pick(STACK_STORES);
            let (rs2, offset) = (self.source(), width * self.rng.below(64) as u32);
            self.emit(op(rs2, offset));
        }
    }

    /// A two-byte load or store through a register, sometimes misaligned.
    fn compressed_memory_op(&mut self) {
        let base = self.compressed_target();
        let distance = 4 * (8 + self.rng.below(240) as u32);
        self.emit(c_addi4spn(base, distance));
        if self.rng.one_in(3) {
            let stray = self.rng.between(1, 31) as i32;
            self.emit(c_addi(base, -stray));
        }
        let index = self.rng.below(MEMORY_OPS.len() as u64) as usize;
        let (op, width) = MEMORY_OPS[index];
        let is_load = index < 2;
        let register = if is_load {
            self.compressed_target()
        } else {
            self.compressed_source()
        };
        let offset = width * self.rng.below(32) as u32;
        self.emit(op(register, base, offset));
    }

    /// Moves the stack pointer, uses it and moves it back.
    fn compressed_stack_move(&mut self) {
        let distance = loop {
            let distance = 16 * self.rng.between(-31, 31) as i32;
            if distance != 0 {
                break distance;
            }
        };
        self.emit(c_addi16sp(distance));
        self.compressed_stack_op();
        self.emit(c_addi16sp(-distance));
    }

    /// Puts an address inside the scratch area, aligned to `width`, into a register.
    fn aligned_address(&mut self, width: u32) -> Reg {
        let (address, from) = (self.target(), self.source());
        self.emit(andi(address, from, if width == 8 { 0x7f8 } else { 0x7fc }));
        self.emit(add(address, address, Reg::GP));
        address
    }

    fn order(&mut self) -> Order {
        self.rng.pick(&Order::ALL)
    }

    fn atomic_op(&mut self) {
        let (op, width) = self.rng.pick(ATOMICS);
        let address = self.aligned_address(width);
        let (rd, mut rs2) = (self.destination(), self.source());
        if self.rng.one_in(3) {
            rs2 = self.holding(address, Self::target);
            let value = self
                .rng
                .pick(&[0, 1, u64::MAX, 1 << 31, i64::MAX as u64, 1 << 63]);
            self.asm.li(rs2, value);
        }
        let order = self.order();
        self.emit(op(rd, rs2, address, order));
    }

    /// A load-reserved with its store-conditional, or a store-conditional that must fail: there is
    /// no reservation, because every load-reserved has its own, or it is for another address.
    fn reservation(&mut self) {
        let is_word = self.rng.one_in(2);
        let width = if is_word { 4 } else { 8 };
        let address = self.aligned_address(width);
        self.holding(address, |this| {
            let kind = this.rng.below(6);
            if kind != 0 {
                let (rd, order) = (this.destination(), this.order());
                let load = if is_word { lr_w } else { lr_d };
                this.emit(load(rd, address, order));
            }
            if this.rng.one_in(2) {
                this.register_op();
            }
            let (rd, rs2, order) = (this.destination(), this.source(), this.order());
            let store = if is_word { sc_w } else { sc_d };
            if kind == 1 {
                let other = this.holding(rs2, Self::target);
                this.emit(addi(other, address, -1024));
                this.emit(store(rd, rs2, other, order));
            } else {
                this.emit(store(rd, rs2, address, order));
            }
        });
    }
}
