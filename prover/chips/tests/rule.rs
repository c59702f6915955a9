//! Every chip with constraints has the test that forges all of its checks.

use std::collections::BTreeSet;
use std::path::Path;

use zkvm_chips::Machine;
use zkvm_isa::record::Part;
use zkvm_machine::load;
use zkvm_testkit::asm::{Assembler, base};
use zkvm_testkit::elf::ElfBuilder;

/// The names of the chips that have constraints, over all parts of an execution.
fn chips_with_constraints() -> BTreeSet<String> {
    let mut code = Assembler::new(0x1000);
    code.emit(base::ecall());
    let elf = ElfBuilder::new(0x1000)
        .text(0x1000, code.finish().bytes)
        .build();
    let program = load(&elf).expect("the program loads");
    let parts = [Part::Segment, Part::Last, Part::Words];
    let chips = parts.into_iter().flat_map(|part| {
        let machine = Machine::new(&program, part).expect("it has an instruction");
        machine.chips
    });
    let descriptions = chips.map(|chip| chip.description);
    let constrained = descriptions.filter(|description| !description.constraints.is_empty());
    constrained.map(|description| description.name).collect()
}

#[test]
fn every_chip_with_constraints_forges_them_all() {
    let names = chips_with_constraints();
    for name in &names {
        let file = format!("src/{name}.rs");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
        let code = std::fs::read_to_string(path).expect("a chip's file has the chip's name");
        let has_test = code.contains("chip.assert_every_name_was_forged(");
        assert!(has_test, "{file} has no test that forges every check");
    }
    assert_eq!(names.len(), 26, "chips with constraints: {names:?}");
}
