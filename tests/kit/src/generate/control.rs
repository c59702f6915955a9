//! Items with control flow: branches, loops, calls, computed jumps, excursions to stubs.
//!
//! Items nest through a depth: at 0 everything is allowed, at [`DEPTH_MAX`] only straight-line
//! code. That bounds an item's length, and so keeps every branch within its reach.

use super::items::SIMPLE_BYTES_MAX;
use super::{COUNTERS, Generator, Leaf, Stub};
use crate::asm::Reg;
use crate::asm::base::{BRANCHES, REGISTER_OPS, add, addi, andi, blt, bltu, bne, jalr, ori, slli};
use crate::asm::compressed::{ZERO_BRANCHES, c_addi, c_bnez, c_jalr, c_jr, c_li};

const DEPTH_MAX: u32 = 2;
const BLOCK_ITEMS_MAX: u64 = 3;
const LOOP_TURNS_MAX: u64 = 5;
/// Straight-line items behind a two-byte branch, which reaches 254 bytes.
const SHORT_BLOCK_ITEMS_MAX: u64 = 3;
const SHORT_BRANCH_BYTES_MAX: u64 = 250;
const SHORT_JUMP_BYTES_MAX: u64 = 2040;
const BRANCH_BYTES_MAX: u64 = 4000;
const STUB_ITEMS_MAX: u64 = 2;
const STUB_BYTES_MAX: u64 = STUB_ITEMS_MAX * SIMPLE_BYTES_MAX + 4;
/// Stubs that may wait before they are emitted.
const STUBS_AHEAD_MAX: usize = 4;
/// How far the first waiting branch may be behind before its stub is emitted.
const WAITING_BYTES_MAX: u64 = 400;
/// `addi x0, x0, 0`, to fill room that nothing executes.
const NOP_WORD: u32 = 0x13;

/// Longest item at depth 1 and at depth 0: a choice with two full blocks.
const INNER_BYTES_MAX: u64 = 16 + 2 * BLOCK_ITEMS_MAX * SIMPLE_BYTES_MAX;
const ITEM_BYTES_MAX: u64 = 16 + 2 * BLOCK_ITEMS_MAX * INNER_BYTES_MAX;

const _: () = assert!(
    WAITING_BYTES_MAX + ITEM_BYTES_MAX + STUBS_AHEAD_MAX as u64 * STUB_BYTES_MAX + 8
        <= BRANCH_BYTES_MAX,
    "a branch at depth 0 reaches the stub that waits for it"
);
const _: () = assert!(SHORT_BLOCK_ITEMS_MAX * SIMPLE_BYTES_MAX + 4 <= SHORT_BRANCH_BYTES_MAX);

impl Generator {
    /// One item of the body, then the waiting stubs if it is time.
    pub(super) fn top_item(&mut self) {
        let before = self.asm.here();
        if self.rng.one_in(60) {
            self.print();
        } else {
            self.item(0);
        }
        assert!(
            self.asm.here() - before <= ITEM_BYTES_MAX,
            "an item outgrew its bound"
        );
        let waiting = self.first_waiting.map_or(0, |at| self.asm.here() - at);
        let is_full = self.stubs_ahead.len() >= STUBS_AHEAD_MAX;
        if waiting > WAITING_BYTES_MAX || is_full || self.rng.one_in(40) {
            self.emit_stubs_ahead();
        }
    }

    fn item(&mut self, depth: u32) {
        if depth >= DEPTH_MAX {
            return self.simple();
        }
        match self.rng.below(32) {
            0..=3 => self.choice(depth),
            4..=5 => self.call(),
            6 => self.skip(),
            7 => self.ladder(),
            8..=9 => self.excursion(depth),
            10 => self.repeat(depth),
            11..=12 if self.options.compressed => self.short_choice(),
            _ => self.simple(),
        }
    }

    fn block(&mut self, depth: u32) {
        for _ in 0..1 + self.rng.below(BLOCK_ITEMS_MAX) {
            self.item(depth);
        }
    }

    fn straight(&mut self, items_max: u64) {
        for _ in 0..self.rng.below(items_max + 1) {
            self.simple();
        }
    }

    fn has_short_form(&mut self) -> bool {
        self.options.compressed && self.rng.one_in(2)
    }

    /// Two registers for a branch: sometimes the same one, sometimes equal values.
    fn compared(&mut self) -> [Reg; 2] {
        let (first, second) = (self.source(), self.source());
        match self.rng.below(6) {
            0 => [first, first],
            1 => {
                let copy = self.target();
                self.emit(add(copy, first, Reg::ZERO));
                [first, copy]
            }
            _ => [first, second],
        }
    }

    /// A forward branch over a block, with or without an alternative.
    fn choice(&mut self, depth: u32) {
        let (otherwise, end) = (self.asm.label(), self.asm.label());
        let op = self.rng.pick(BRANCHES);
        let [rs1, rs2] = self.compared();
        self.asm.branch(op, rs1, rs2, otherwise);
        self.block(depth + 1);
        if self.rng.one_in(2) {
            self.asm.jump(Reg::ZERO, end);
            self.asm.bind(otherwise);
            self.block(depth + 1);
        } else {
            self.asm.bind(otherwise);
        }
        self.asm.bind(end);
    }

    /// The same with the two-byte branches and jump, over a few straight-line items.
    fn short_choice(&mut self) {
        let (otherwise, end) = (self.asm.label(), self.asm.label());
        let (op, rs1) = (self.rng.pick(ZERO_BRANCHES), self.compressed_source());
        if self.rng.one_in(3) && self.locked >> rs1.number() & 1 == 0 {
            self.emit(c_li(rs1, 0));
        }
        self.asm.zero_branch(op, rs1, otherwise);
        self.straight(SHORT_BLOCK_ITEMS_MAX);
        self.asm.short_jump(end);
        self.asm.bind(otherwise);
        self.straight(SHORT_BLOCK_ITEMS_MAX);
        self.asm.bind(end);
    }

    /// A loop that counts a register down to zero; its body cannot write the register.
    fn repeat(&mut self, depth: u32) {
        let free = |register: &Reg| self.locked >> register.number() & 1 == 0;
        let free: Vec<Reg> = COUNTERS.into_iter().filter(free).collect();
        if free.is_empty() {
            return self.simple();
        }
        let counter = self.rng.pick(&free);
        let turns = 1 + self.rng.below(LOOP_TURNS_MAX) as i32;
        self.emit(addi(counter, Reg::ZERO, turns));
        let top = self.asm.label();
        let start = self.asm.here();
        self.asm.bind(top);
        self.holding(counter, |this| this.block(depth + 1));
        let is_short = self.options.compressed && counter.is_compressed();
        if is_short && self.asm.here() - start + 2 <= SHORT_BRANCH_BYTES_MAX {
            self.emit(c_addi(counter, -1));
            self.asm.zero_branch(c_bnez, counter, top);
            return;
        }
        self.emit(addi(counter, counter, -1));
        match self.rng.below(4) {
            0 => self.asm.branch(bne, counter, Reg::ZERO, top),
            1 => self.asm.branch(bne, Reg::ZERO, counter, top),
            2 => self.asm.branch(blt, Reg::ZERO, counter, top),
            _ => self.asm.branch(bltu, Reg::ZERO, counter, top),
        }
    }

    /// Names a leaf function and the register it returns through.
    pub(super) fn new_leaf(&mut self) -> Leaf {
        let link = loop {
            let link = if self.rng.one_in(2) {
                Reg::RA
            } else {
                self.target()
            };
            if !COUNTERS.contains(&link) {
                break link;
            }
        };
        Leaf {
            entry: self.asm.label(),
            link,
        }
    }

    /// Emits a leaf function: straight-line code and the return.
    pub(super) fn emit_leaf(&mut self, index: usize) {
        let Leaf { entry, link } = self.leaves[index];
        self.asm.bind(entry);
        self.out_of_line(|this| {
            this.holding(link, |this| this.straight(5));
            if this.has_short_form() {
                this.emit(c_jr(link));
            } else {
                let stray = this.rng.below(2) as i32;
                this.emit(jalr(Reg::ZERO, link, stray));
            }
        });
    }

    /// Runs `emit` for code that may be reached from inside any loop.
    fn out_of_line(&mut self, emit: impl FnOnce(&mut Self)) {
        let before = self.locked;
        self.locked |= COUNTERS
            .iter()
            .fold(0, |mask, counter| mask | 1 << counter.number());
        emit(self);
        self.locked = before;
    }

    /// A call of a leaf function, in one of the ways there are.
    fn call(&mut self) {
        let Leaf { entry, link } = self.rng.pick(&self.leaves);
        match self.rng.below(4) {
            0 => self.asm.jump(link, entry),
            1 => {
                let stray = self.rng.below(2) as i32;
                self.asm.far_jump(link, link, entry, stray);
            }
            2 if self.options.compressed && link == Reg::RA => {
                let via = self.address(entry);
                self.emit(c_jalr(via));
            }
            _ => {
                let via = self.address(entry);
                let offset = self.rng.between(-2047, 2047) as i32;
                self.emit(addi(via, via, -offset));
                self.emit(jalr(link, via, offset));
            }
        }
    }

    /// Puts an address into a register, sometimes with bit 0 set, which jumps clear.
    fn address(&mut self, label: crate::asm::Label) -> Reg {
        let via = self.target();
        self.asm.la(via, label);
        if self.rng.one_in(3) {
            self.emit(ori(via, via, 1));
        }
        via
    }

    /// A computed jump over instructions that never run.
    fn skip(&mut self) {
        let end = self.asm.label();
        let (link, via) = (self.destination(), self.target());
        if self.has_short_form() {
            let via = self.address(end);
            self.emit(c_jr(via));
        } else {
            let stray = self.rng.below(2) as i32;
            self.asm.far_jump(link, via, end, stray);
        }
        self.straight(3);
        self.asm.bind(end);
    }

    /// A jump to one of four places, chosen by a register's value.
    fn ladder(&mut self) {
        let (steps, end) = (self.asm.label(), self.asm.label());
        let (index, from) = (self.target(), self.source());
        self.emit(andi(index, from, 3));
        self.emit(slli(index, index, 3));
        self.holding(index, |this| {
            let via = this.address(steps);
            this.emit(add(via, via, index));
            if this.has_short_form() {
                this.emit(c_jr(via));
            } else {
                let link = this.destination();
                this.emit(jalr(link, via, 0));
            }
        });
        self.asm.bind(steps);
        for _ in 0..4 {
            let op = self.rng.pick(REGISTER_OPS);
            let (rd, rs1, rs2) = (self.destination(), self.source(), self.source());
            self.emit(op(rd, rs1, rs2));
            self.asm.jump(Reg::ZERO, end);
        }
        self.asm.bind(end);
    }

    /// A branch or jump to a stub far before or after this place, which comes back.
    fn excursion(&mut self, depth: u32) {
        if self.rng.one_in(2) {
            let back = self.asm.label();
            let stub = Stub {
                entry: self.asm.label(),
                back,
            };
            self.stubs_ahead.push(stub);
            if depth == 0 {
                let at = self.asm.here();
                self.first_waiting.get_or_insert(at);
            }
            self.leave(stub, depth == 0);
        } else if let Some(stub) = self.stubs_behind.pop() {
            let entry = self
                .asm
                .address_of(stub.entry)
                .expect("stubs behind are bound");
            let distance = self.asm.here() - entry;
            if distance < SHORT_JUMP_BYTES_MAX && self.has_short_form() {
                self.asm.short_jump(stub.entry);
                self.asm.bind(stub.back);
            } else {
                self.leave(stub, distance < BRANCH_BYTES_MAX);
            }
        }
    }

    /// Leaves for a stub by a branch, if its reach suffices, or by a jump.
    fn leave(&mut self, stub: Stub, reached_by_branch: bool) {
        if reached_by_branch && !self.rng.one_in(4) {
            let op = self.rng.pick(BRANCHES);
            let [rs1, rs2] = [self.source(), self.source()];
            let rs2 = if self.rng.one_in(4) { rs1 } else { rs2 };
            self.asm.branch(op, rs1, rs2, stub.entry);
        } else {
            let link = self.destination();
            self.asm.jump(link, stub.entry);
        }
        self.asm.bind(stub.back);
    }

    /// Emits stubs before the entry; their way back is a jump whose end is bound later.
    pub(super) fn emit_stubs_behind(&mut self) {
        for _ in 0..8 {
            let stub = Stub {
                entry: self.asm.label(),
                back: self.asm.label(),
            };
            self.asm.bind(stub.entry);
            self.out_of_line(|this| this.straight(STUB_ITEMS_MAX));
            self.asm.jump(Reg::ZERO, stub.back);
            self.stubs_behind.push(stub);
        }
    }

    /// Emits the stubs that branches wait for, behind a jump and unused room that lengthens the
    /// branches.
    pub(super) fn emit_stubs_ahead(&mut self) {
        let stubs = std::mem::take(&mut self.stubs_ahead);
        let waiting = self
            .first_waiting
            .take()
            .map_or(0, |at| self.asm.here() - at);
        let needed = stubs.len() as u64 * STUB_BYTES_MAX + 8;
        let room = BRANCH_BYTES_MAX.saturating_sub(waiting + needed);
        let filled = self.rng.below(room / 4 + 1) / (1 + self.rng.below(4));
        if stubs.is_empty() {
            return;
        }
        let over = self.asm.label();
        if filled * 4 + needed < SHORT_JUMP_BYTES_MAX && self.has_short_form() {
            self.asm.short_jump(over);
        } else {
            self.asm.jump(Reg::ZERO, over);
        }
        for _ in 0..filled {
            self.asm.word(NOP_WORD);
        }
        for stub in stubs {
            self.asm.bind(stub.entry);
            self.out_of_line(|this| this.straight(STUB_ITEMS_MAX));
            let back = self
                .asm
                .address_of(stub.back)
                .expect("the way back was bound on leaving");
            let is_near = self.asm.here() - back < SHORT_JUMP_BYTES_MAX;
            if is_near && self.has_short_form() {
                self.asm.short_jump(stub.back);
            } else {
                self.asm.jump(Reg::ZERO, stub.back);
            }
        }
        self.asm.bind(over);
    }
}
