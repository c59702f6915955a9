//! The generated pages of chips are the code's. `ZKVM_BLESS=1 cargo test -p zkvm-chips` rewrites
//! them.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use zkvm_air::{Description, Round, Scope};
use zkvm_chips::{Machine, MachineChip};
use zkvm_isa::record::Part;
use zkvm_isa::{Chip, Opcode, Precompile};
use zkvm_machine::load;
use zkvm_testkit::asm::{Assembler, base};
use zkvm_testkit::elf::ElfBuilder;

/// A chip, and the parts it is in.
struct Listed {
    chip: MachineChip,
    parts: Vec<Part>,
}

/// The chips of all parts of the smallest program, in the order of the last segment's; only heights
/// of tables depend on the program.
fn chips() -> Vec<Listed> {
    let mut code = Assembler::new(0x1000);
    code.emit(base::ecall());
    let elf = ElfBuilder::new(0x1000)
        .text(0x1000, code.finish().bytes)
        .build();
    let program = load(&elf).expect("the program loads");
    let mut listed: Vec<Listed> = Vec::new();
    for part in [Part::Last, Part::Segment, Part::Words] {
        let machine = Machine::new(&program, part).expect("it has an instruction");
        for chip in machine.chips {
            let name = &chip.description.name;
            let known = listed
                .iter_mut()
                .find(|listed| listed.chip.description.name == *name);
            match known {
                Some(known) => known.parts.push(part),
                None => listed.push(Listed {
                    chip,
                    parts: vec![part],
                }),
            }
        }
    }
    listed
}

/// A field of a struct of columns: its name, kind and doc comment.
struct Field {
    name: String,
    kind: String,
    doc: String,
}

/// The structs that `columns!` declares in the chips' sources.
fn declared() -> BTreeMap<String, Vec<Field>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut structs = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("the sources are there") {
        let path = entry.expect("an entry can be read").path();
        let source = fs::read_to_string(path).expect("a source is text");
        let blocks = source.split("\ncolumns! {\n").skip(1);
        for block in blocks {
            let block = block.split("\n}\n").next().unwrap_or_default();
            let (mut name, mut doc, mut fields) = (String::new(), Vec::new(), Vec::new());
            for line in block.lines().map(str::trim) {
                if let Some(text) = line.strip_prefix("///") {
                    doc.push(text.trim());
                } else if let Some((_, rest)) = line.split_once("struct ") {
                    name = rest.trim_end_matches(" {").to_owned();
                    doc.clear();
                } else if let Some((field, kind)) = line.split_once(": [") {
                    fields.push(Field {
                        name: field.to_owned(),
                        kind: kind.trim_end_matches("],").to_owned(),
                        doc: doc.join(" "),
                    });
                    doc.clear();
                }
            }
            structs.insert(name, fields);
        }
    }
    structs
}

/// Names of columns, one entry per field, with what the code says of them.
fn documented(
    structs: &BTreeMap<String, Vec<Field>>,
    name: &str,
    prefix: &str,
) -> Vec<[String; 3]> {
    let mut lines = Vec::new();
    for Field {
        name: field,
        kind,
        doc,
    } in structs.get(name).into_iter().flatten()
    {
        if let Some(group) = kind.strip_prefix("group ") {
            lines.extend(documented(structs, group, &format!("{prefix}{field}.")));
        } else if let Some((group, count)) = kind
            .strip_prefix("groups ")
            .and_then(|kind| kind.split_once(' '))
        {
            for index in 0..count.parse().unwrap_or(0) {
                let prefix = format!("{prefix}{field}[{index}].");
                lines.extend(documented(structs, group, &prefix));
            }
        } else {
            let count = kind.strip_prefix("cells ").unwrap_or("1");
            lines.push([format!("{prefix}{field}"), count.to_owned(), doc.clone()]);
        }
    }
    lines
}

/// The names that a struct's columns have.
fn names(lines: &[[String; 3]]) -> Vec<String> {
    let names = lines.iter().flat_map(|[name, count, _]| {
        let count: usize = count.parse().unwrap_or(0);
        if count == 1 {
            return vec![name.clone()];
        }
        (0..count).map(|index| format!("{name}[{index}]")).collect()
    });
    names.collect()
}

/// A table of columns, with the doc comments of the struct that declares exactly these.
fn columns(structs: &BTreeMap<String, Vec<Field>>, columns: &[String]) -> String {
    let mut all = structs.keys().map(|name| documented(structs, name, ""));
    let lines = all.find(|lines| names(lines) == *columns);
    let lines = lines.unwrap_or_else(|| {
        let undocumented = columns.iter();
        undocumented
            .map(|name| [name.clone(), "1".to_owned(), String::new()])
            .collect()
    });
    let mut table = "| column | cells | meaning |\n|---|---|---|\n".to_owned();
    for [name, count, doc] in lines {
        let doc = doc.replace('|', "\\|");
        let _ = writeln!(table, "| `{name}` | {count} | {doc} |");
    }
    table
}

/// When the chip has a row.
fn rows(Listed { chip, .. }: &Listed) -> String {
    let name = chip.description.name.as_str();
    if chip.fixed_height().is_some() {
        return "As many as the table has entries, a power of two; in every proof of these parts."
            .to_owned();
    }
    let is_reserving = |opcode: &Opcode| {
        let mnemonic = opcode.mnemonic();
        mnemonic.starts_with("lr.") || mnemonic.starts_with("sc.")
    };
    let of = |chip: Chip, wanted: &dyn Fn(&Opcode) -> bool| {
        let opcodes = Opcode::ALL
            .iter()
            .filter(|opcode| opcode.chip() == Some(chip));
        let names: Vec<_> = opcodes
            .filter(|opcode| wanted(opcode))
            .map(|opcode| format!("`{}`", opcode.mnemonic()))
            .collect();
        format!("One for each executed {}", names.join(", "))
    };
    match name {
        "boundary" => "One for each register or word that the segment accesses.".to_owned(),
        "memory" => "One for each word that the execution touches and the image does not have, \
                     over all proofs together."
            .to_owned(),
        "journal" => "One for each 8-byte word that a call appends to the journal.".to_owned(),
        "hint" => "One for each 8-byte word of hints that a call writes to memory.".to_owned(),
        "misaligned" => "One for each executed load or store whose address is not a multiple of \
                         its width; it has none in `load` or `store` then."
            .to_owned(),
        "reservation" => of(Chip::Atomic, &is_reserving) + ".",
        "atomic" => of(Chip::Atomic, &|opcode| !is_reserving(opcode)) + ".",
        "load" | "store" => {
            let chip = if name == "load" {
                Chip::Load
            } else {
                Chip::Store
            };
            of(chip, &|_| true) + " whose address is a multiple of its width."
        }
        _ => {
            let chip = Chip::ALL.into_iter().find(|chip| chip.name() == name);
            let chip = chip.filter(|chip| !chip.is_of_precompile());
            chip.map_or_else(|| of_precompile(name), |chip| of(chip, &|_| true) + ".")
        }
    }
}

/// The rows of a precompile's chip.
fn of_precompile(name: &str) -> String {
    let calls = Precompile::ALL.into_iter().filter_map(|call| {
        let mut rows = call.rows().iter();
        let (_, rows) = rows.find(|(chip, _)| chip.name() == name)?;
        let word = call.name();
        Some(format!("{rows} for each call of `{word}`"))
    });
    let calls: Vec<_> = calls.collect();
    if calls.is_empty() {
        String::new()
    } else {
        calls.join(", ") + "."
    }
}

/// LogUp's challenge-field columns: one for each pair of interactions, and a running sum, by scope.
fn logup(description: &Description) -> usize {
    let of = |scope: Scope| {
        let interactions = description.interactions.iter();
        interactions.filter(|i| i.bus.scope() == scope).count()
    };
    // The last pair has no column of its own, the running sum has one.
    let columns = |count: usize| count.div_ceil(2);
    columns(of(Scope::Segment)) + columns(of(Scope::Execution))
}

fn degree(description: &Description) -> Option<u32> {
    let constraints = description.constraints.iter();
    constraints.map(|c| c.expr.degree()).max()
}

fn part_names(parts: &[Part]) -> String {
    let name = |part: &Part| match part {
        Part::Segment => "segments but the last",
        Part::Last => "the last segment",
        Part::Words => "further words",
    };
    let mut parts = parts.to_vec();
    parts.sort_unstable();
    parts.iter().map(name).collect::<Vec<_>>().join(", ")
}

fn page(listed: &Listed, structs: &BTreeMap<String, Vec<Field>>) -> String {
    let description = &listed.chip.description;
    let mut page = format!(
        "# {}\n\nGenerated from the code; a test compares.\n\n",
        description.name
    );
    let round = match description.round {
        Round::Boundary => "before the challenges that the proofs of an execution share",
        Round::Main => "with the proof's other chips",
    };
    let _ = writeln!(
        page,
        "- in the proofs of: {}\n- committed to: {round}\n- rows: {}\n",
        part_names(&listed.parts),
        rows(listed)
    );
    let _ = writeln!(
        page,
        "## Columns\n\n{}",
        columns(structs, &description.columns)
    );
    if !description.preprocessed.is_empty() {
        let fixed = columns(structs, &description.preprocessed);
        let _ = writeln!(page, "## Fixed columns\n\n{fixed}");
    }
    if !description.constraints.is_empty() {
        let _ = writeln!(page, "## Constraints\n\n| constraint | degree |\n|---|---|");
        let lines = description.constraints.iter();
        let lines = lines.map(|c| (c.name.clone(), c.expr.degree().to_string()));
        page.push_str(&listed_by_name(lines.collect()));
        page.push('\n');
    }
    let _ = writeln!(
        page,
        "## Interactions\n\n| interaction | bus | scope |\n|---|---|---|"
    );
    let lines = description.interactions.iter().map(|interaction| {
        let scope = match interaction.bus.scope() {
            Scope::Segment => "proof",
            Scope::Execution => "execution",
        };
        let rest = format!("{:?} | {scope}", interaction.bus);
        (interaction.name.clone(), rest)
    });
    page.push_str(&listed_by_name(lines.collect()));
    page
}

/// Most lines of a page for names that differ in their indices only.
const LINES_MAX: usize = 32;

/// A line for each name and what is said of it; names that differ in indices only share one if they
/// are many.
fn listed_by_name(lines: Vec<(String, String)>) -> String {
    let pattern = |name: &str| {
        let mut parts = name.split('[');
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |pattern, part| {
            pattern + "[*]" + part.split_once(']').map_or("", |(_, rest)| rest)
        })
    };
    let mut counts: BTreeMap<(String, &str), usize> = BTreeMap::new();
    for (name, rest) in &lines {
        *counts.entry((pattern(name), rest.as_str())).or_default() += 1;
    }
    let mut page = String::new();
    for (name, rest) in &lines {
        let pattern = pattern(name);
        match counts.get_mut(&(pattern.clone(), rest.as_str())) {
            Some(0) => {}
            Some(count) if *count > LINES_MAX => {
                let _ = writeln!(page, "| `{pattern}`, {count} of them | {rest} |");
                *count = 0;
            }
            _ => {
                let _ = writeln!(page, "| `{name}` | {rest} |");
            }
        }
    }
    page
}

fn index(chips: &[Listed]) -> String {
    let mut page = String::from(
        "# Chips\n\nGenerated from the code; a test compares. Columns are base-field columns of the \
         main trace,\nfixed ones are preprocessed. LogUp columns are challenge-field columns: one \
         for every two\ninteractions, the running sum counted in, for the proof's buses and for \
         the execution's. No\nconstraint has a degree above 3.\n\n\
         | chip | columns | fixed | LogUp | constraints | degree | interactions |\n\
         |---|---|---|---|---|---|---|\n",
    );
    let mut totals = [0; 5];
    for Listed { chip, .. } in chips {
        let description = &chip.description;
        let counts = [
            description.columns.len(),
            description.preprocessed.len(),
            logup(description),
            description.constraints.len(),
            description.interactions.len(),
        ];
        totals
            .iter_mut()
            .zip(counts)
            .for_each(|(total, count)| *total += count);
        let degree = degree(description).map_or("–".to_owned(), |degree| degree.to_string());
        let [columns, fixed, logup, constraints, interactions] = counts;
        let name = &description.name;
        let _ = writeln!(
            page,
            "| [`{name}`](chips/{name}.md) | {columns} | {fixed} | {logup} | {constraints} | \
             {degree} | {interactions} |",
        );
    }
    let [columns, fixed, logup, constraints, interactions] = totals;
    let highest = chips
        .iter()
        .filter_map(|l| degree(&l.chip.description))
        .max();
    let _ = writeln!(
        page,
        "| **all** | {columns} | {fixed} | {logup} | {constraints} | {} | {interactions} |",
        highest.unwrap_or(0)
    );
    page
}

/// The folder of generated pages.
fn spec() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/spec")
}

/// Every page, by its path below the folder.
fn pages() -> BTreeMap<String, String> {
    let (chips, structs) = (chips(), declared());
    let mut pages: BTreeMap<String, String> = chips
        .iter()
        .map(|listed| {
            let name = &listed.chip.description.name;
            (format!("chips/{name}.md"), page(listed, &structs))
        })
        .collect();
    pages.insert("chips.md".to_owned(), index(&chips));
    pages
}

#[test]
fn the_pages_of_chips_are_the_codes() {
    let (spec, pages) = (spec(), pages());
    if std::env::var_os("ZKVM_BLESS").is_some() {
        let _ = fs::remove_dir_all(spec.join("chips"));
        fs::create_dir_all(spec.join("chips")).expect("the folder can be made");
        for (path, page) in &pages {
            fs::write(spec.join(path), page).expect("a page can be written");
        }
    }
    for (path, page) in &pages {
        let written = fs::read_to_string(spec.join(path)).unwrap_or_default();
        assert!(
            written == *page,
            "docs/spec/{path} is old; run with ZKVM_BLESS=1 to rewrite it"
        );
    }
    let stale: Vec<_> = fs::read_dir(spec.join("chips"))
        .expect("the folder is there")
        .map(|entry| entry.expect("an entry can be read").file_name())
        .filter(|name| !pages.contains_key(&format!("chips/{}", name.to_string_lossy())))
        .collect();
    assert!(stale.is_empty(), "there is no chip for {stale:?}");
}

#[test]
fn every_column_is_documented_and_every_chip_has_its_rows_explained() {
    let structs = declared();
    for listed in chips() {
        let description = &listed.chip.description;
        for names in [&description.columns, &description.preprocessed] {
            if names.is_empty() {
                continue;
            }
            let table = columns(&structs, names);
            assert!(!table.contains("|  |"), "{}:\n{table}", description.name);
        }
        assert!(!rows(&listed).is_empty(), "{}", description.name);
    }
}
