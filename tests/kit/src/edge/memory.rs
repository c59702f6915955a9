//! Loads and stores at every alignment, across words and pages, with offsets of both signs.

use super::EDGE_VALUES;
use super::recorder::{DATA, EdgeProgram, Recorder};
use super::reference::loaded;
use crate::asm::Reg;
use crate::asm::base::{LOADS, STORES};
use crate::asm::compressed::{c_ld, c_ldsp, c_lw, c_lwsp, c_sd, c_sdsp, c_sw, c_swsp};

/// Eight bytes before the boundary of the data segment's two pages.
const NEAR: u64 = DATA + 0x1000 - 8;
const OFFSETS: [i32; 5] = [0, 1, -1, 2047, -2048];
const BASE: Reg = Reg::x(9);
const VALUE: Reg = Reg::x(10);

pub(super) fn programs() -> Vec<EdgeProgram> {
    let mut programs: Vec<_> = (0..LOADS.len()).map(loads).collect();
    programs.extend((0..STORES.len()).map(stores));
    programs.extend([compressed_loads(), compressed_stores(), overlapping()]);
    programs
}

fn bytes_at(recorder: &Recorder, address: u64) -> &[u8] {
    &recorder.memory[(address - DATA) as usize..]
}

fn loads(index: usize) -> EdgeProgram {
    let (op, _) = LOADS[index];
    let name = op(VALUE, BASE, 0).name;
    let mut recorder = Recorder::new();
    for shift in 0..16 {
        let address = NEAR + shift;
        for offset in OFFSETS {
            let expected = loaded(name, bytes_at(&recorder, address));
            let base = address.wrapping_add_signed(-i64::from(offset));
            recorder.asm.li(BASE, base);
            recorder.emit(op(VALUE, BASE, offset));
            recorder.record(VALUE, expected);
        }
        recorder.asm.li(BASE, address);
        recorder.emit(op(BASE, BASE, 0));
        let expected = loaded(name, bytes_at(&recorder, address));
        recorder.record(BASE, expected);
    }
    recorder.finish(name)
}

fn stores(index: usize) -> EdgeProgram {
    let (op, width) = STORES[index];
    let mut recorder = Recorder::new();
    for shift in 0..16 {
        for (value, offset) in EDGE_VALUES.iter().copied().rev().zip(OFFSETS) {
            let address = NEAR + shift;
            recorder
                .asm
                .li(BASE, address.wrapping_add_signed(-i64::from(offset)));
            recorder.asm.li(VALUE, value ^ 0x0102_0304_0506_0708);
            recorder.emit(op(VALUE, BASE, offset));
            recorder.follow_store(address, width, value ^ 0x0102_0304_0506_0708);
            recorder.record_memory(NEAR - 8, 5);
        }
        let address = NEAR + shift;
        recorder.asm.li(BASE, address);
        recorder.emit(op(BASE, BASE, 0));
        recorder.follow_store(address, width, address);
        recorder.record_memory(NEAR - 8, 5);
        recorder.asm.li(BASE, address);
        recorder.emit(op(Reg::ZERO, BASE, 0));
        recorder.follow_store(address, width, 0);
        recorder.record_memory(NEAR - 8, 5);
    }
    recorder.finish(op(VALUE, BASE, 0).name)
}

fn compressed_loads() -> EdgeProgram {
    let mut recorder = Recorder::new();
    for stray in [0, 1, 6] {
        let base = DATA + 0xf80 + stray;
        for slot in [0, 1, 2, 4, 8, 15, 16, 31] {
            recorder.asm.li(BASE, base);
            recorder.asm.li(Reg::SP, base);
            recorder.emit(c_lw(VALUE, BASE, 4 * slot));
            let word = loaded("lw", bytes_at(&recorder, base + 4 * u64::from(slot)));
            recorder.record(VALUE, word);
            recorder.emit(c_ld(VALUE, BASE, 8 * slot));
            let double = recorder.doubleword_at(base + 8 * u64::from(slot));
            recorder.record(VALUE, double);
            recorder.emit(c_lwsp(Reg::RA, 8 * slot));
            let word = loaded("lw", bytes_at(&recorder, base + 8 * u64::from(slot)));
            recorder.record(Reg::RA, word);
            recorder.emit(c_ldsp(Reg::SP, 16 * slot));
            let double = recorder.doubleword_at(base + 16 * u64::from(slot));
            recorder.record(Reg::SP, double);
        }
    }
    recorder.finish("compressed loads")
}

fn compressed_stores() -> EdgeProgram {
    let mut recorder = Recorder::new();
    for stray in [0, 1, 6] {
        let base = DATA + 0xf80 + stray;
        recorder.asm.li(BASE, base);
        recorder.asm.li(Reg::SP, base);
        recorder.asm.li(VALUE, 0xf1e2_d3c4_b5a6_9788);
        for slot in [0, 1, 2, 4, 8, 15, 16, 31] {
            let stores = [
                (c_sw(VALUE, BASE, 4 * slot), 4, 4 * slot),
                (c_sd(VALUE, BASE, 8 * slot), 8, 8 * slot),
                (c_swsp(VALUE, 8 * slot), 4, 8 * slot),
                (c_sdsp(VALUE, 16 * slot), 8, 16 * slot),
            ];
            for (code, width, offset) in stores {
                recorder.emit(code);
                recorder.follow_store(base + u64::from(offset), width, 0xf1e2_d3c4_b5a6_9788);
            }
            recorder.emit(c_sdsp(Reg::ZERO, 8 * slot));
            recorder.follow_store(base + 8 * u64::from(slot), 8, 0);
        }
        recorder.record_memory(DATA + 0xf80, 70);
    }
    recorder.finish("compressed stores")
}

/// A load of what two stores of other widths left, at every pair of alignments.
fn overlapping() -> EdgeProgram {
    let mut recorder = Recorder::new();
    let (ld, _) = LOADS[3];
    for first in 0..8 {
        for &(op, width) in STORES {
            for second in [first ^ 1, first ^ 3, first ^ 7] {
                let address = NEAR + second;
                recorder.asm.li(BASE, address);
                recorder.asm.li(VALUE, 0x8877_6655_4433_2211 << first);
                recorder.emit(op(VALUE, BASE, 0));
                recorder.follow_store(address, width, 0x8877_6655_4433_2211 << first);
                recorder.asm.li(BASE, NEAR + first);
                recorder.emit(ld(VALUE, BASE, 0));
                let expected = recorder.doubleword_at(NEAR + first);
                recorder.record(VALUE, expected);
            }
        }
    }
    recorder.finish("overlapping stores")
}
