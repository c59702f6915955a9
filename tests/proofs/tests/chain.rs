//! The thinnest execution, and the chain of memory words.

use p3_field::PrimeField32;
use zkvm_air::{Bus, F, Failure};
use zkvm_machine::{Program, load};
use zkvm_proofs_tests::whole::Whole;
use zkvm_testkit::asm::{Assembler, Reg, base};
use zkvm_testkit::elf::ElfBuilder;

const TEXT: u64 = 0x2000;
const DATA: u64 = 0x1000;

/// Adds 30 and 12, writes 11 bytes of constants to the journal, and halts with the sum.
fn adder() -> Program {
    let mut code = Assembler::new(TEXT);
    let (a0, a1, a2, a7) = (Reg::x(10), Reg::x(11), Reg::x(12), Reg::x(17));
    code.emit(base::addi(Reg::x(5), Reg::ZERO, 30));
    code.emit(base::addi(Reg::x(6), Reg::ZERO, 12));
    code.emit(base::add(Reg::x(7), Reg::x(5), Reg::x(6)));
    code.emit(base::addi(a0, Reg::ZERO, 3));
    code.emit(base::addi(a1, Reg::ZERO, 2047));
    code.emit(base::add(a1, a1, a1));
    code.emit(base::addi(a1, a1, 2));
    code.emit(base::addi(a2, Reg::ZERO, 11));
    code.emit(base::addi(a7, Reg::ZERO, 64));
    code.emit(base::ecall());
    code.emit(base::subw(a0, Reg::x(7), Reg::ZERO));
    code.emit(base::addi(a7, Reg::ZERO, 93));
    code.emit(base::ecall());
    let elf = ElfBuilder::new(TEXT)
        .rodata(DATA, b"hello, zkvm!".to_vec())
        .text(TEXT, code.finish().bytes)
        .build();
    load(&elf).expect("the adder loads")
}

fn honest(program: Program) -> Whole {
    let whole = Whole::new(program).unwrap_or_else(|error| panic!("{}", error.what));
    let report = whole.report();
    assert!(report.failures.is_empty(), "{report}");
    whole
}

#[test]
fn an_execution_satisfies_every_constraint_and_balances_every_bus() {
    let whole = honest(adder());
    assert_eq!(whole.journal, b"hello, zkvm");
    assert_eq!(whole.exit_code, 42);
}

#[test]
fn false_claims_do_not_balance() {
    let whole = honest(adder());
    let is_refused = |forge: &dyn Fn(&mut Whole)| {
        let mut forged = whole.clone();
        forge(&mut forged);
        forged.segments[0].journal_end = forged.journal.len() as u32;
        !forged.report().failures.is_empty()
    };
    assert!(!is_refused(&|_| {}));
    assert!(is_refused(&|whole| whole.exit_code = 43));
    for journal in [&b"hello, zkvn"[..], b"hello, zkv", b"hello, zkvm\0", b""] {
        assert!(is_refused(&|whole| whole.journal = journal.to_vec()));
    }
    assert!(is_refused(&|whole| whole.last_word += 1));
    assert!(is_refused(&|whole| {
        *whole.cell(0, "image", 7, "link.last_value[0]") += F::new(1);
    }));
}

/// A forgery that was accepted once: when distances were only below 2^30, two of them could add up
/// to the characteristic. A phantom word far above the stack passed for one of it, from there the
/// chain stepped over the characteristic, went round again, and began the stack's word anew: a load
/// after a store read the zero that was there before.
#[test]
fn the_memory_chain_cannot_go_round() {
    let mut code = Assembler::new(TEXT);
    let (sp, a0, a7) = (Reg::x(2), Reg::x(10), Reg::x(17));
    code.emit(base::addi(Reg::x(5), Reg::ZERO, 1));
    code.emit(base::sd(Reg::x(5), sp, 0));
    code.emit(base::ld(a0, sp, 0));
    code.emit(base::addi(a7, Reg::ZERO, 93));
    code.emit(base::ecall());
    let elf = ElfBuilder::new(TEXT)
        .text(TEXT, code.finish().bytes)
        .build();
    let program = load(&elf).expect("it loads");
    let mut whole = honest(program);
    assert_eq!(whole.exit_code, 1, "it halts with what it stored");

    let mut set = |chip: &str, row: usize, column: &str, value: u32| {
        *whole.cell(0, chip, row, column) = F::new(value);
    };
    set("load", 0, "word.previous[0]", 0);
    set("load", 0, "word.previous_clock", 0);
    set("load", 0, "result[0]", 0);
    set("system", 0, "a0.previous[0]", 0);
    set("system", 0, "result[0]", 0);
    // `a0` ends with it.
    set("image", 10, "link.last_value[0]", 0);
    let clock = whole.cell(0, "load", 0, "fetch.clock").as_canonical_u32();
    let store = whole.cell(0, "store", 0, "fetch.clock").as_canonical_u32();
    if whole.has_column(0, "load", "word.gap_low") {
        *whole.cell(0, "load", 0, "word.gap_low") = F::new(clock + 1);
    }
    whole.exit_code = 0;
    let place = |whole: &Whole, space: u32, address: u32| -> usize {
        let rows = whole.rows(0, "boundary", &["is_real", "space", "address"], |cells| {
            cells == [F::new(1), F::new(space), F::new(address)]
        });
        assert_eq!(rows.len(), 1, "space {space} address {address}");
        rows[0]
    };
    let a0 = place(&whole, 0, 10);
    *whole.cell(0, "boundary", a0, "value_out[0]") = F::new(0);

    // The segment takes the word over twice: what the store leaves, and the new beginning.
    let word = whole.cell(0, "memory", 0, "word").as_canonical_u32();
    let stored = place(&whole, 1, word);
    *whole.cell(0, "boundary", stored, "last_clock") = F::new(store + 2);
    let cells = whole.row(0, "boundary", stored);
    let again = whole.add_row(0, "boundary", &cells);
    *whole.cell(0, "boundary", again, "value_out[0]") = F::new(0);
    *whole.cell(0, "boundary", again, "last_clock") = F::new(clock + 2);

    let [first, last] = ["region.first", "region.last"]
        .map(|column| whole.cell(0, "memory", 0, column).as_canonical_u32());
    let cells = whole.row(0, "memory", 0);
    let difference = |a: u32, b: u32| (F::new(a) - F::new(b)).as_canonical_u32();
    let phantom = first + (1 << 30) - 1;
    for (index, before, last_segment) in [(phantom, word, 0), (word, phantom, 1)] {
        let row = whole.add_row(0, "memory", &cells);
        let mut set = |column: &str, value: u32| {
            *whole.cell(0, "memory", row, column) = F::new(value);
        };
        set("word", index);
        let distance = difference(index, before + 1);
        for (low, high, value) in [
            ("above_low", "above_high", difference(index, first)),
            ("below_low", "below_high", difference(last, index)),
            ("link.distance_low", "link.distance_high", distance),
        ] {
            set(low, value & 0xffff);
            set(high, value >> 16);
        }
        set("link.before", before);
        set("link.last_value[0]", 0);
        set("link.last_segment", last_segment);
    }
    whole.count_look_ups(0);
    let report = whole.report();
    for name in [
        "above.high_times_8",
        "below.high_times_8",
        "distance_high_times_8",
    ] {
        assert!(
            report.names("memory", name),
            "{name} must catch it:\n{report}"
        );
    }
    let others = report
        .failures
        .iter()
        .filter(|failure| !is_of_range_16(failure))
        .count();
    assert_eq!(others, 0, "nothing else catches it:\n{report}");
}

fn is_of_range_16(failure: &Failure) -> bool {
    matches!(failure, Failure::Bus(balance) if balance.bus == Bus::Range16)
}
