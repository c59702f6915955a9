//! Branches on edge values, and branches and jumps over every distance their fields can hold.

use super::EDGE_VALUES;
use super::recorder::{EdgeProgram, Recorder};
use super::reference::is_taken;
use crate::asm::base::{BRANCHES, add, addi, jal, jalr};
use crate::asm::compressed::{
    ZERO_BRANCHES, c_beqz, c_bnez, c_ebreak, c_j, c_jalr, c_jr, c_li, c_nop,
};
use crate::asm::{Encoded, Label, Reg};

const RD: Reg = Reg::x(5);
const RS1: Reg = Reg::x(6);
const RS2: Reg = Reg::x(7);
const SHORT: Reg = Reg::x(8);
/// What a jump backward lands on: `c.li`, `jal`.
const LANDING_BYTES: i32 = 6;
/// Longest jump tested; the field of `jal` holds more, which the encoders' tests cover.
const JAL_BYTES_MAX: i32 = 1 << 16;

pub(super) fn programs() -> Vec<EdgeProgram> {
    let mut programs: Vec<_> = (0..BRANCHES.len()).map(branches).collect();
    programs.push(zero_branches());
    programs.push(distances("branch distances", 4096, |offset| {
        BRANCHES[1](RS1, Reg::ZERO, offset)
    }));
    programs.push(distances("c.bnez distances", 256, |offset| {
        c_bnez(SHORT, offset)
    }));
    programs.push(distances("c.beqz distances", 256, |offset| {
        c_beqz(Reg::x(9), offset)
    }));
    programs.push(distances("c.j distances", 2048, c_j));
    programs.push(distances("jal distances", JAL_BYTES_MAX, |offset| {
        jal(Reg::ZERO, offset)
    }));
    programs.push(indirect_jumps());
    programs
}

/// Records 1 if a branch over one instruction was taken, else 0.
fn record_taken(recorder: &mut Recorder, branch: impl FnOnce(&mut Recorder, Label), taken: bool) {
    let end = recorder.asm.label();
    recorder.emit(addi(RD, Reg::ZERO, 1));
    branch(recorder, end);
    recorder.emit(addi(RD, Reg::ZERO, 0));
    recorder.asm.bind(end);
    recorder.record(RD, u64::from(taken));
}

fn branches(index: usize) -> EdgeProgram {
    let op = BRANCHES[index];
    let name = op(RS1, RS2, 0).name;
    let mut recorder = Recorder::new();
    for &a in EDGE_VALUES {
        recorder.asm.li(RS1, a);
        for &b in EDGE_VALUES {
            recorder.asm.li(RS2, b);
            let branch = |r: &mut Recorder, end| r.asm.branch(op, RS1, RS2, end);
            record_taken(&mut recorder, branch, is_taken(name, a, b));
        }
        let branch = |r: &mut Recorder, end| r.asm.branch(op, RS1, RS1, end);
        record_taken(&mut recorder, branch, is_taken(name, a, a));
        let branch = |r: &mut Recorder, end| r.asm.branch(op, RS1, Reg::ZERO, end);
        record_taken(&mut recorder, branch, is_taken(name, a, 0));
    }
    recorder.finish(name)
}

fn zero_branches() -> EdgeProgram {
    let mut recorder = Recorder::new();
    for &value in EDGE_VALUES {
        recorder.asm.li(SHORT, value);
        for (&op, taken) in ZERO_BRANCHES.iter().zip([value == 0, value != 0]) {
            let branch = |r: &mut Recorder, end| r.asm.zero_branch(op, SHORT, end);
            record_taken(&mut recorder, branch, taken);
        }
    }
    recorder.finish("c.beqz c.bnez")
}

/// Fills code that must not run with traps, up to an address.
fn trap_until(recorder: &mut Recorder, address: u64) {
    while recorder.asm.here() < address {
        recorder.asm.halfword(c_ebreak().halfword());
    }
    assert_eq!(
        recorder.asm.here(),
        address,
        "the code before is too long for the distance"
    );
}

/// Powers of two from 4 to `limit`; below 4096 also their neighbours and halfway points.
fn lengths(limit: i32) -> impl Iterator<Item = i32> {
    let powers = (2..31)
        .map(|bit| 1 << bit)
        .take_while(move |&power| power < limit);
    let around = |power: i32| match power {
        4..4096 => [power, power + 2, power + power / 2, 2 * power - 2],
        _ => [power; 4],
    };
    let mut lengths: Vec<i32> = powers.flat_map(around).chain([limit - 2, limit]).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths.into_iter()
}

/// Takes a branch or jump that always jumps by powers of two and their neighbours, both ways;
/// `limit` is the first distance forward that its field cannot hold.
fn distances(name: &str, limit: i32, encode: impl Fn(i32) -> Encoded) -> EdgeProgram {
    let mut recorder = Recorder::new();
    recorder.asm.li(RS1, 1);
    recorder.asm.li(SHORT, 1);
    recorder.asm.li(Reg::x(9), 0);
    for distance in lengths(limit).filter(|&length| length < limit) {
        let start = recorder.asm.here();
        recorder.emit(encode(distance));
        trap_until(&mut recorder, start + distance as u64);
        recorder.emit(addi(RD, Reg::ZERO, 77));
        recorder.record(RD, 77);
    }
    for distance in lengths(limit).filter(|&length| length >= LANDING_BYTES) {
        let (source, end) = (recorder.asm.label(), recorder.asm.label());
        recorder.asm.jump(Reg::ZERO, source);
        let target = recorder.asm.here();
        recorder.emit(c_li(RD, -9));
        recorder.asm.jump(Reg::ZERO, end);
        trap_until(&mut recorder, target + distance as u64);
        recorder.asm.bind(source);
        recorder.emit(encode(-distance));
        recorder.emit(c_ebreak());
        recorder.asm.bind(end);
        recorder.record(RD, 9_u64.wrapping_neg());
    }
    recorder.finish(name)
}

/// `jalr`, `c.jr` and `c.jalr`: targets with bit 0 set, offsets of both signs, links, and a link
/// register that is also the base.
fn indirect_jumps() -> EdgeProgram {
    let mut recorder = Recorder::new();
    for (offset, stray) in [
        (0, 0),
        (0, 1),
        (1, 0),
        (2047, 0),
        (2047, 1),
        (-2048, 0),
        (-1, 1),
    ] {
        for link in [RD, RS1, Reg::ZERO] {
            let after = recorder.asm.label();
            recorder.asm.la(RS1, after);
            // The sum of base and offset is the target plus `stray`, which the jump clears.
            recorder.asm.li(RS2, i64::from(stray - offset) as u64);
            recorder.emit(add(RS1, RS1, RS2));
            recorder.emit(jalr(link, RS1, offset));
            let next = recorder.asm.here();
            recorder.emit(c_ebreak());
            recorder.asm.bind(after);
            recorder.record(link, if link == Reg::ZERO { 0 } else { next });
        }
    }
    for stray in [0, 1] {
        for (via, links) in [(RS1, false), (RS1, true), (Reg::RA, true)] {
            let after = recorder.asm.label();
            recorder.emit(c_nop());
            recorder.asm.li(Reg::RA, 5);
            recorder.asm.la(via, after);
            recorder.emit(addi(via, via, stray));
            recorder.emit(if links { c_jalr(via) } else { c_jr(via) });
            let next = recorder.asm.here();
            recorder.emit(c_ebreak());
            recorder.asm.bind(after);
            recorder.record(Reg::RA, if links { next } else { 5 });
        }
    }
    recorder.finish("indirect jumps")
}
