//! The generated page of chips is the code's. `ZKVM_BLESS=1 cargo test -p zkvm-chips` rewrites it.

use std::fmt::Write as _;
use std::path::Path;

use zkvm_chips::{MachineChip, machine};
use zkvm_machine::load;
use zkvm_testkit::asm::{Assembler, base};
use zkvm_testkit::elf::ElfBuilder;

/// The chips of the smallest program; only heights of its tables depend on it.
fn chips() -> Vec<MachineChip> {
    let mut code = Assembler::new(0x1000);
    code.emit(base::ecall());
    let elf = ElfBuilder::new(0x1000)
        .text(0x1000, code.finish().bytes)
        .build();
    machine(&load(&elf).expect("the program loads")).expect("it has an instruction")
}

fn page() -> String {
    let mut page = String::from(
        "# Chips\n\nGenerated from the code; a test compares. Columns are base-field columns of the \
         main trace,\nfixed ones are preprocessed. LogUp adds a challenge-field column for every two \
         interactions and one\nrunning sum. No constraint has a degree above 3.\n\n\
         | chip | columns | fixed | constraints | degree | interactions |\n|---|---|---|---|---|---|\n",
    );
    for MachineChip { description, .. } in chips() {
        let degree = description
            .constraints
            .iter()
            .map(|c| c.expr.degree())
            .max();
        let _ = writeln!(
            page,
            "| `{}` | {} | {} | {} | {} | {} |",
            description.name,
            description.columns.len(),
            description.preprocessed.len(),
            description.constraints.len(),
            degree.map_or("–".to_owned(), |degree| degree.to_string()),
            description.interactions.len(),
        );
    }
    for MachineChip { description, .. } in chips() {
        let _ = write!(page, "\n## {}\n\n", description.name);
        let constraints: Vec<_> = description
            .constraints
            .iter()
            .map(|c| format!("`{}`", c.name))
            .collect();
        let interactions: Vec<_> = description
            .interactions
            .iter()
            .map(|i| format!("`{}` ({:?})", i.name, i.bus))
            .collect();
        let _ = writeln!(page, "Columns: {}\n", ticked(&description.columns));
        if !description.preprocessed.is_empty() {
            let _ = writeln!(page, "Fixed: {}\n", ticked(&description.preprocessed));
        }
        if !constraints.is_empty() {
            let _ = writeln!(page, "Constraints: {}\n", constraints.join(", "));
        }
        let _ = writeln!(page, "Interactions: {}", interactions.join(", "));
    }
    page
}

fn ticked(names: &[String]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}

#[test]
fn the_page_of_chips_is_the_codes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec/chips.md");
    let page = page();
    if std::env::var_os("ZKVM_BLESS").is_some() {
        std::fs::write(&path, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == page,
        "docs/spec/chips.md is old; run with ZKVM_BLESS=1 to rewrite it"
    );
}
