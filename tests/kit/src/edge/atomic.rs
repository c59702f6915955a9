//! Atomic operations on edge values, and reservations that hold or do not.

use super::recorder::{DATA, EdgeProgram, Recorder};
use super::reference::{atomic_result, loaded};
use crate::asm::base::{ATOMICS, addi, lr_d, lr_w, sc_d, sc_w};
use crate::asm::{Order, Reg};

const VALUES: [u64; 10] = [
    0,
    1,
    0x7fff_ffff,
    0x8000_0000,
    0xffff_ffff,
    0x7fff_ffff_ffff_ffff,
    0x8000_0000_0000_0000,
    0xffff_ffff_8000_0000,
    0xffff_ffff_ffff_ffff,
    0x0123_4567_89ab_cdef,
];
const SLOT: u64 = DATA + 0x800;
const RD: Reg = Reg::x(5);
const ADDRESS: Reg = Reg::x(6);
const OPERAND: Reg = Reg::x(7);

pub(super) fn programs() -> Vec<EdgeProgram> {
    let mut programs: Vec<_> = (0..ATOMICS.len()).map(operations).collect();
    programs.push(reservations());
    programs
}

/// The value that an atomic instruction of this width reads at an address.
fn read(recorder: &Recorder, address: u64, width: u32) -> u64 {
    let name = if width == 4 { "lw" } else { "ld" };
    loaded(name, &recorder.memory[(address - DATA) as usize..])
}

fn operations(index: usize) -> EdgeProgram {
    let (op, width) = ATOMICS[index];
    let name = op(RD, OPERAND, ADDRESS, Order::Relaxed).name;
    let mut recorder = Recorder::new();
    let shapes = [
        (RD, OPERAND),
        (OPERAND, OPERAND),
        (ADDRESS, OPERAND),
        (Reg::ZERO, OPERAND),
    ];
    let orders = Order::ALL.iter().cycle();
    let mut shapes = shapes.into_iter().cycle().zip(orders);
    for memory in VALUES {
        for operand in VALUES {
            let ((rd, rs2), &order) = shapes.next().expect("a cycle does not end");
            let address = SLOT + if width == 4 { 4 * (operand & 1) } else { 0 };
            put(&mut recorder, SLOT, memory);
            recorder.asm.li(ADDRESS, address);
            recorder.asm.li(OPERAND, operand);
            recorder.emit(op(rd, rs2, ADDRESS, order));
            let before = read(&recorder, address, width);
            recorder.record(rd, if rd == Reg::ZERO { 0 } else { before });
            recorder.follow_store(address, width, atomic_result(name, before, operand));
            recorder.record_memory(SLOT, 1);
        }
    }
    recorder.asm.li(ADDRESS, SLOT);
    recorder.emit(op(RD, ADDRESS, ADDRESS, Order::Relaxed));
    let before = read(&recorder, SLOT, width);
    recorder.record(RD, before);
    recorder.follow_store(SLOT, width, atomic_result(name, before, SLOT));
    recorder.record_memory(SLOT, 1);
    recorder.finish(name)
}

/// Stores a doubleword from both its halves, so that a word at either has edge values.
fn put(recorder: &mut Recorder, address: u64, value: u64) {
    let value = value ^ value << 32;
    recorder.asm.li(ADDRESS, address);
    recorder.asm.li(OPERAND, value);
    recorder.emit(crate::asm::base::sd(OPERAND, ADDRESS, 0));
    recorder.follow_store(address, 8, value);
}

/// A store-conditional writes and gives 0 if its address is reserved; otherwise it gives 1, leaves
/// memory alone, and either way the reservation is gone.
fn reservations() -> EdgeProgram {
    let mut recorder = Recorder::new();
    for (width, order) in [4_u32, 8]
        .into_iter()
        .flat_map(|w| Order::ALL.map(|order| (w, order)))
    {
        let load = |recorder: &mut Recorder, address: u64| {
            recorder.asm.li(ADDRESS, address);
            let code = if width == 4 { lr_w } else { lr_d };
            recorder.emit(code(RD, ADDRESS, order));
            let expected = read(recorder, address, width);
            recorder.record(RD, expected);
        };
        let store = |recorder: &mut Recorder, address: u64, succeeds: bool| {
            recorder.asm.li(ADDRESS, address);
            recorder.asm.li(OPERAND, 0xf00d_beef_8bad_cafe);
            let code = if width == 4 { sc_w } else { sc_d };
            recorder.emit(code(RD, OPERAND, ADDRESS, order));
            recorder.record(RD, u64::from(!succeeds));
            if succeeds {
                recorder.follow_store(address, width, 0xf00d_beef_8bad_cafe);
            }
            recorder.record_memory(address & !7, 1);
        };
        put(&mut recorder, SLOT, 0x8765_4321_8000_0001);
        store(&mut recorder, SLOT, false);
        load(&mut recorder, SLOT);
        store(&mut recorder, SLOT, true);
        store(&mut recorder, SLOT, false);
        load(&mut recorder, SLOT + 512);
        store(&mut recorder, SLOT, false);
        store(&mut recorder, SLOT + 512, false);
        load(&mut recorder, SLOT);
        load(&mut recorder, SLOT + 512);
        store(&mut recorder, SLOT + 512, true);
        if width == 4 {
            load(&mut recorder, SLOT + 4);
            store(&mut recorder, SLOT + 4, true);
        }
        recorder.emit(addi(RD, Reg::ZERO, 0));
    }
    recorder.finish("reservations")
}
