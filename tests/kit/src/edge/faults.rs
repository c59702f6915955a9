//! Guests that must stop at a fault, on the machine as under the oracle.

use crate::asm::base::{LOADS, STORES, UNIMP_WORD, ebreak, ecall, jalr};
use crate::asm::compressed::c_ebreak;
use crate::asm::{Assembler, Reg};
use crate::elf::{EF_RISCV_RVC, ElfBuilder};

const TEXT: u64 = 0x1_0000;
const RODATA: u64 = 0x2_0000;
const UNMAPPED: u64 = 0xc123_4560;
const SIGILL: i32 = 4;
const SIGTRAP: i32 = 5;
const SIGSEGV: i32 = 11;

/// A guest that faults before it can exit (with code 0).
#[derive(Clone, Debug)]
pub struct FaultProgram {
    /// What it does.
    pub name: String,
    /// The ELF file.
    pub elf: Vec<u8>,
    /// Address of the instruction that faults, or that is fetched from where nothing is.
    pub fault_pc: u64,
    /// The signal that ends it under Linux.
    pub signal: i32,
}

/// Builds one: `emit` puts the faulting instruction last.
fn program(name: &str, signal: i32, emit: impl FnOnce(&mut Assembler) -> u64) -> FaultProgram {
    let mut asm = Assembler::new(TEXT);
    let fault_pc = emit(&mut asm);
    asm.li(Reg::A0, 0);
    asm.li(Reg::A7, 93);
    asm.emit(ecall());
    let elf = ElfBuilder::new(TEXT)
        .flags(EF_RISCV_RVC)
        .text(TEXT, asm.finish().bytes)
        .rodata(RODATA, vec![1; 64])
        .build();
    FaultProgram {
        name: name.to_owned(),
        elf,
        fault_pc,
        signal,
    }
}

/// A program whose one faulting instruction is given as bits.
fn illegal(name: &str, signal: i32, word: u32) -> FaultProgram {
    program(name, signal, |asm| {
        let pc = asm.here();
        if word & 3 == 3 {
            asm.word(word)
        } else {
            asm.halfword(word as u16)
        }
        pc
    })
}

/// Every fault program: traps, illegal instructions, accesses where nothing may be accessed.
pub fn fault_programs() -> Vec<FaultProgram> {
    let mut programs = vec![
        illegal("ebreak", SIGTRAP, ebreak().word()),
        illegal("c.ebreak", SIGTRAP, u32::from(c_ebreak().halfword())),
        illegal("halfword zero", SIGILL, 0),
        illegal("word of ones", SIGILL, u32::MAX),
        illegal("unimp", SIGILL, UNIMP_WORD),
        illegal("c.lwsp to x0", SIGILL, 0x4002),
        illegal("c.jr of x0", SIGILL, 0x8002),
        illegal("reserved funct7 of add", SIGILL, 0xfe00_0033),
        illegal("mret", SIGILL, 0x3020_0073),
    ];
    for &(op, _) in LOADS {
        for address in [0, 0xff8, UNMAPPED, 1 << 32, u64::MAX - 15] {
            let name = format!("{} at {address:#x}", op(Reg::T0, Reg::T1, 0).name);
            programs.push(program(&name, SIGSEGV, |asm| {
                asm.li(Reg::T1, address);
                let pc = asm.here();
                asm.emit(op(Reg::T0, Reg::T1, 0));
                pc
            }));
        }
    }
    for &(op, _) in STORES {
        for address in [0, 0xff8, TEXT, RODATA + 8, UNMAPPED, 1 << 32, u64::MAX - 15] {
            let name = format!("{} at {address:#x}", op(Reg::T0, Reg::T1, 0).name);
            programs.push(program(&name, SIGSEGV, |asm| {
                asm.li(Reg::T1, address);
                let pc = asm.here();
                asm.emit(op(Reg::T0, Reg::T1, 0));
                pc
            }));
        }
    }
    for address in [0, RODATA, UNMAPPED, 1 << 32] {
        let name = format!("jump to {address:#x}");
        programs.push(program(&name, SIGSEGV, |asm| {
            asm.li(Reg::T1, address);
            asm.emit(jalr(Reg::RA, Reg::T1, 0));
            address
        }));
    }
    programs
}
