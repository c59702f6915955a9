//! The generated programs run under the oracle, end as they say and cover every instruction.

use super::*;
use crate::qemu::{self, End};

const SEEDS: std::ops::Range<u64> = 0..300;

const BASE: &str = "lui auipc jal jalr beq bne blt bge bltu bgeu lb lh lw ld lbu lhu lwu \
    sb sh sw sd addi slti sltiu xori ori andi slli srli srai add sub sll slt sltu xor srl sra or \
    and fence fence.i ecall addiw slliw srliw sraiw addw subw sllw srlw sraw mul mulh mulhsu \
    mulhu div divu rem remu mulw divw divuw remw remuw";
const ATOMIC: &str = "lr.w lr.d sc.w sc.d amoswap.w amoswap.d amoadd.w amoadd.d amoxor.w \
    amoxor.d amoand.w amoand.d amoor.w amoor.d amomin.w amomin.d amomax.w amomax.d amominu.w \
    amominu.d amomaxu.w amomaxu.d";
const COMPRESSED: &str = "c.addi4spn c.lw c.ld c.sw c.sd c.nop c.addi c.addiw c.li c.addi16sp \
    c.lui c.srli c.srai c.andi c.sub c.xor c.or c.and c.subw c.addw c.j c.beqz c.bnez c.slli \
    c.lwsp c.ldsp c.jr c.mv c.jalr c.add c.swsp c.sdsp";

fn plain() -> Options {
    Options {
        compressed: false,
        atomics: false,
        ..Options::default()
    }
}

fn used_by(options: &Options) -> BTreeMap<&'static str, u32> {
    let mut used = BTreeMap::new();
    for seed in SEEDS {
        for (name, count) in generate(seed, options).instructions_used {
            *used.entry(name).or_default() += count;
        }
    }
    used
}

#[test]
fn every_instruction_is_used_and_no_other() {
    let used = used_by(&Options::default());
    let mut want: Vec<&str> = [BASE, ATOMIC, COMPRESSED].concat_words();
    want.sort_unstable();
    assert_eq!(used.keys().copied().collect::<Vec<_>>(), want);
}

#[test]
fn without_options_only_the_base_is_used() {
    let used = used_by(&plain());
    let mut want: Vec<&str> = [BASE].concat_words();
    want.sort_unstable();
    assert_eq!(used.keys().copied().collect::<Vec<_>>(), want);
    assert!(
        SEEDS
            .into_iter()
            .all(|seed| generate(seed, &plain()).straddling == 0)
    );
}

trait ConcatWords {
    fn concat_words(&self) -> Vec<&'static str>;
}

impl<const N: usize> ConcatWords for [&'static str; N] {
    fn concat_words(&self) -> Vec<&'static str> {
        self.iter()
            .flat_map(|list| list.split_whitespace())
            .collect()
    }
}

#[test]
fn the_same_seed_gives_the_same_file_and_another_seed_another() {
    let options = Options::default();
    let first = generate(11, &options);
    assert_eq!(first.elf, generate(11, &options).elf);
    assert_ne!(first.elf, generate(12, &options).elf);
    assert!(
        first.straddling > 50,
        "four-byte instructions lie at 2 modulo 4"
    );
}

/// Runs a program under the oracle and checks its code, its dump and its journal.
fn check(oracle: &qemu::Qemu, program: &Generated) {
    let seed = program.seed;
    let outcome = oracle
        .run(&program.elf)
        .expect("temporary files and a shell are available");
    assert_eq!(
        outcome.end,
        End::Exit(program.exit_code as i32),
        "seed {seed}"
    );
    assert_eq!(
        outcome.stdout.len() as u64,
        program.stdout_bytes,
        "seed {seed}"
    );
    let dump = &outcome.stdout[(program.stdout_bytes - program.dump_bytes) as usize..];
    assert_eq!(
        outcome.journal,
        crate::digest(dump).to_le_bytes(),
        "seed {seed}"
    );
    let registers = &dump[dump.len() - 256..];
    assert_eq!(registers[..8], [0; 8], "seed {seed}: x0 is zero");
}

#[test]
fn every_program_runs_to_its_end_under_the_oracle() {
    let Some(oracle) = qemu::find() else {
        return eprintln!("{}", qemu::notice());
    };
    for seed in SEEDS {
        check(&oracle, &generate(seed, &Options::default()));
    }
}

#[test]
fn other_options_run_under_the_oracle_too() {
    let Some(oracle) = qemu::find() else {
        return eprintln!("{}", qemu::notice());
    };
    let wide = Options {
        scratch_bytes_log2: 18,
        items: 50..=50,
        ..Options::default()
    };
    let long = Options {
        items: 5000..=5000,
        ..Options::default()
    };
    for seed in 0..20 {
        check(&oracle, &generate(seed, &plain()));
        check(
            &oracle,
            &generate(
                seed,
                &Options {
                    compressed: false,
                    ..Options::default()
                },
            ),
        );
    }
    for seed in 0..3 {
        check(&oracle, &generate(seed, &wide));
        check(&oracle, &generate(seed, &long));
    }
}
