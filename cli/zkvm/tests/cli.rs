//! The `zkvm` command as a person or a script meets it: streams, exit codes, formats, files.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;
use zkvm_build::{BuildOptions, build};
use zkvm_sdk::isa::Chip;
use zkvm_testkit::asm::base::{addi, ebreak, ecall, ld};
use zkvm_testkit::asm::{Assembler, Reg};
use zkvm_testkit::elf::{EF_RISCV_RVC, ElfBuilder};

/// What the command left behind.
#[derive(Debug)]
struct Ran {
    code: i32,
    stdout: Vec<u8>,
    stderr: String,
}

impl Ran {
    #[track_caller]
    fn text(&self) -> &str {
        std::str::from_utf8(&self.stdout).expect("standard output is text")
    }

    /// The answer as JSON: one document, and nothing else.
    #[track_caller]
    fn json(&self) -> Value {
        serde_json::from_slice(&self.stdout).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// Checks the exit code and that an error of this number is reported with a next step.
    #[track_caller]
    fn assert_error(&self, code: i32, number: u16) {
        assert_eq!(self.code, code, "{}", self.stderr);
        let heading = format!("error[ZK{number:04}]: ");
        assert!(
            self.stderr.contains(&heading),
            "no {heading} in {}",
            self.stderr
        );
        assert!(self.stderr.contains("next: "), "{}", self.stderr);
    }
}

fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zkvm"));
    command
        .current_dir(folder)
        .env_remove("CLICOLOR_FORCE")
        .env_remove("RUST_BACKTRACE")
        .stdin(Stdio::null());
    command
}

/// Runs the command in `folder` with this standard input.
#[track_caller]
fn zkvm_with(folder: &Path, arguments: &[&str], stdin: &[u8]) -> Ran {
    let mut child = command(folder)
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let mut pipe = child.stdin.take().expect("it was asked for");
    // A command that does not read its input may be gone already.
    let _ = pipe.write_all(stdin);
    drop(pipe);
    let output = child.wait_with_output().expect("the command ends");
    Ran {
        code: output.status.code().expect("no signal ends the command"),
        stdout: output.stdout,
        stderr: String::from_utf8(output.stderr).expect("standard error is text"),
    }
}

#[track_caller]
fn zkvm(folder: &Path, arguments: &[&str]) -> Ran {
    zkvm_with(folder, arguments, b"")
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The ELF file of an example or of the test guest `io`, built once.
#[track_caller]
fn guest(name: &str) -> &'static str {
    static BUILT: OnceLock<Vec<(String, String)>> = OnceLock::new();
    let built = BUILT.get_or_init(|| {
        ["guest/examples", "tests/guests/io"]
            .iter()
            .flat_map(|folder| {
                let built = build(&BuildOptions {
                    target_dir: Some(Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests")),
                    is_locked: true,
                    is_quiet: true,
                    ..BuildOptions::new(root().join(folder))
                });
                built
                    .unwrap_or_else(|error| panic!("{folder}: {error}"))
                    .guests
            })
            .map(|guest| (guest.name, guest.path.display().to_string()))
            .collect()
    });
    let found = built.iter().find(|(known, _)| known == name);
    &found
        .unwrap_or_else(|| panic!("no guest is called {name}"))
        .1
}

/// A file in `folder` with the program that `emit` writes.
fn hand_written(folder: &Path, emit: impl FnOnce(&mut Assembler)) -> String {
    let mut asm = Assembler::new(0x1_0000);
    emit(&mut asm);
    let text = asm.finish().bytes;
    let elf = ElfBuilder::new(0x1_0000)
        .flags(EF_RISCV_RVC)
        .text(0x1_0000, text);
    let path = folder.join("program.elf");
    fs::write(&path, elf.build()).expect("a file can be written");
    path.display().to_string()
}

fn names_in(folder: &Path) -> BTreeSet<String> {
    let entries = fs::read_dir(folder).expect("a folder can be read");
    let name = |entry: std::io::Result<fs::DirEntry>| {
        let entry = entry.expect("an entry can be read");
        entry.file_name().to_string_lossy().into_owned()
    };
    entries.map(name).collect()
}

#[test]
fn a_new_guest_runs_and_standard_output_is_its_journal() {
    let folder = folder();
    let made = zkvm(folder.path(), &["new", "my-guest"]);
    assert_eq!(
        (made.code, made.text()),
        (0, "my-guest\n"),
        "{}",
        made.stderr
    );
    assert_eq!(
        names_in(folder.path()),
        BTreeSet::from(["my-guest".to_owned()])
    );
    let guest = folder.path().join("my-guest");
    let ran = zkvm(&guest, &["run", "--input", "21"]);
    assert_eq!((ran.code, ran.text()), (0, "c255\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("as an integer 10946"), "{}", ran.stderr);

    let built = zkvm(&guest, &["build"]);
    assert_eq!(built.code, 0, "{}", built.stderr);
    let elf = built.text().trim_end();
    assert!(Path::new(elf).is_file(), "{elf}");
    let ran = zkvm(folder.path(), &["run", "-q", elf, "-i", "21"]);
    assert_eq!(
        (ran.code, ran.text(), ran.stderr.as_str()),
        (0, "c255\n", "")
    );
    let json = zkvm(&guest, &["build", "--format", "json", "-q"]).json();
    assert_eq!(json["guests"][0]["name"], "my-guest");
    assert_eq!(json["guests"][0]["path"], elf);
    let id = zkvm(&guest, &["id", "-q"]);
    assert_eq!(id.text().trim_end(), json["guests"][0]["program_id"]);

    zkvm(folder.path(), &["new", "my-guest"]).assert_error(6, 508);
    assert_eq!(
        zkvm(&guest, &["run", "-q", "-i", "21"]).text(),
        "c255\n",
        "it is still there"
    );
}

#[test]
fn new_refuses_names_that_cargo_would_refuse() {
    let folder = folder();
    for name in ["1st", "a b", "std", "é", "..", "core"] {
        zkvm(folder.path(), &["new", name]).assert_error(2, 507);
    }
    assert_eq!(names_in(folder.path()), BTreeSet::new());
}

/// Kinds of the panic example that end in a panic or a fault: number of the error, text of the
/// cause, and whether the frame that is shown is in the example's own source.
const FAILURES: [(u32, u16, &str); 10] = [
    (0, 311, "the guest panics on purpose, kind 0"),
    (1, 311, "index out of bounds"),
    (2, 311, "attempt to divide by zero"),
    (3, 311, "`None`"),
    (4, 312, "stack"),
    (5, 311, "memory"),
    (6, 313, "illegal instruction"),
    (8, 314, "null page"),
    (9, 314, "read-only"),
    (12, 311, "panicked while it was formatted"),
];

/// The line of the example's source that contains `text`, from 1.
#[track_caller]
fn line_of(text: &str) -> usize {
    let source = fs::read_to_string(root().join("guest/examples/panic/src/main.rs"));
    let source = source.expect("the source can be read");
    let line = source.lines().position(|line| line.contains(text));
    1 + line.unwrap_or_else(|| panic!("no line has {text}"))
}

#[test]
fn every_failure_of_a_guest_exits_with_4_and_shows_where() {
    let folder = folder();
    for (kind, number, cause) in FAILURES {
        let ran = zkvm(
            folder.path(),
            &["run", guest("panic"), "--input", &kind.to_string()],
        );
        ran.assert_error(4, number);
        assert!(ran.stderr.contains(cause), "kind {kind}: {}", ran.stderr);
        assert_eq!(ran.text(), "", "kind {kind}");
        let line = match kind {
            0 => line_of("0 => panic!"),
            1 => line_of("black_box(items[black_box(3)])"),
            2 => line_of("black_box(1 / black_box(0u64))"),
            3 => line_of(".unwrap());"),
            4 => line_of("descend(depth + 1)"),
            6 => line_of("asm!(\"unimp\""),
            8 => line_of("asm!(\"ld {0}, 0(zero)\""),
            9 => line_of("asm!(\"sd zero, 0({0})\""),
            // Out of memory and a panic inside a panic are reported by the runtime.
            _ => continue,
        };
        let place = format!("panic/src/main.rs:{line}");
        assert!(
            ran.stderr.contains(&place),
            "kind {kind}: no {place} in {}",
            ran.stderr
        );
    }
}

#[test]
fn a_verbose_failure_shows_every_frame() {
    let folder = folder();
    let lines = |arguments: &[&str]| {
        let ran = zkvm(folder.path(), arguments);
        ran.assert_error(4, 311);
        let is_frame = |line: &&str| line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        ran.stderr.lines().filter(is_frame).count()
    };
    let short = lines(&["run", guest("panic"), "--input", "1"]);
    let long = lines(&["run", "-v", guest("panic"), "--input", "1"]);
    assert!(0 < short && short < long, "{short} and {long} frames");
}

#[test]
fn an_exit_code_of_the_guest_exits_with_3_and_keeps_the_journal() {
    let folder = folder();
    let ran = zkvm(folder.path(), &["run", guest("panic"), "--input", "10"]);
    ran.assert_error(3, 310);
    assert_eq!(ran.text(), "0a\n");
    assert!(ran.stderr.contains("exit code 7"), "{}", ran.stderr);
    let ran = zkvm(folder.path(), &["run", guest("panic"), "--input", "13"]);
    assert_eq!((ran.code, ran.text()), (0, "0d\n"));
}

/// An error that `main` returns is an exit code of the guest, and no panic.
#[test]
fn an_error_that_main_returns_exits_with_3_and_keeps_the_journal() {
    let folder = folder();
    let arguments = ["run", guest("panic"), "--input", "11"];
    let ran = zkvm(folder.path(), &arguments);
    ran.assert_error(3, 310);
    assert_eq!(ran.text(), "0b\n");
    for part in ["main returns an error on purpose", "exit code 1"] {
        assert!(ran.stderr.contains(part), "no {part} in {}", ran.stderr);
    }
    assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    let ran = zkvm(
        folder.path(),
        &[&arguments[..], &["--format", "json"]].concat(),
    );
    let answer = ran.json();
    assert_eq!((ran.code, &answer["journal"]), (3, &Value::from("0b")));
    assert_eq!(answer["exit"]["kind"], "halted");
    assert_eq!(answer["exit"]["code"], 1);
    assert_eq!(answer["exit"]["panic"], Value::Null);
    assert_eq!(answer["error"]["code"], "ZK0310");
}

/// What did not halt proves nothing, so what it had written by then is no answer.
#[test]
fn a_guest_that_faults_or_reaches_a_limit_has_no_journal() {
    fn commit(asm: &mut Assembler) {
        for (register, value) in [(10, 3), (11, 0x1_0000), (12, 8), (17, 64)] {
            asm.li(Reg::x(register), value);
        }
        asm.emit(ecall());
    }
    type Emit = fn(&mut Assembler);
    let faults: Emit = |asm| {
        commit(asm);
        asm.emit(ebreak());
    };
    let loops: Emit = |asm| {
        commit(asm);
        asm.emit(zkvm_testkit::asm::base::jal(Reg::ZERO, 0));
    };
    let halts: Emit = |asm| {
        commit(asm);
        asm.emit(addi(Reg::A0, Reg::ZERO, 0));
        asm.emit(addi(Reg::A7, Reg::ZERO, 93));
        asm.emit(ecall());
    };
    for (emit, code, number) in [(faults, 4, 316), (loops, 7, 301), (halts, 0, 0)] {
        let folder = folder();
        let elf = hand_written(folder.path(), emit);
        let run = |flags: &[&str]| {
            let arguments = [&["run", &elf, "--max-cycles", "1000"], flags].concat();
            let ran = zkvm(folder.path(), &arguments);
            assert_eq!(ran.code, code, "{}", ran.stderr);
            if number != 0 {
                let said = format!("{}{}", ran.stderr, String::from_utf8_lossy(&ran.stdout));
                assert!(said.contains(&format!("ZK{number:04}")), "{said}");
            }
            ran
        };
        let is_halted = code == 0;
        for flags in [&[][..], &["--journal", "hex"], &["--journal", "raw"]] {
            assert_eq!(!run(flags).stdout.is_empty(), is_halted, "{flags:?}");
        }
        let answer = run(&["--format", "json"]).json();
        assert_eq!(answer["journal"].is_string(), is_halted, "{answer}");
        assert_eq!(answer["journal"].is_null(), !is_halted, "{answer}");
        assert!(run(&["-o", "journal"]).stdout.is_empty());
        let is_written = folder.path().join("journal").exists();
        assert_eq!(is_written, is_halted, "no file for {number}");
    }
}

#[test]
fn limits_exit_with_7() {
    let folder = folder();
    let run = |flags: &[&str], input: &str| {
        let arguments = [&["run", guest("panic"), "--input", input], flags].concat();
        zkvm(folder.path(), &arguments)
    };
    let ran = run(&["--max-cycles", "1_000_000"], "7");
    ran.assert_error(7, 301);
    assert_eq!(ran.text(), "");
    assert!(ran.stderr.contains("1_000_000 cycles"), "{}", ran.stderr);
    assert!(ran.stderr.contains("panic/src/main.rs"), "{}", ran.stderr);
    run(&["--max-memory", "4K"], "13").assert_error(7, 302);
    // Recursion touches page after page of the stack.
    run(&["--max-memory", "1M"], "4").assert_error(7, 302);
    let journal = ["run", guest("io"), "--input", "3", "--input", "20000000"];
    let ran = zkvm(folder.path(), &journal);
    ran.assert_error(7, 303);
    assert_eq!(ran.text(), "");
}

#[test]
fn wrong_input_and_files_exit_with_6() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name).display().to_string();
    fs::write(path("text"), "not a program").expect("a file can be written");
    fs::create_dir(path("empty")).expect("a folder can be made");
    let run = |arguments: &[&str]| zkvm(folder.path(), &[&["run"], arguments].concat());
    run(&["missing.elf"]).assert_error(6, 201);
    run(&["text"]).assert_error(6, 101);
    run(&["empty"]).assert_error(6, 501);
    run(&[]).assert_error(6, 501);
    let fibonacci = guest("fibonacci");
    for value in ["no-such-file", "0xabc", "0xzz"] {
        run(&[fibonacci, "--input", value]).assert_error(6, 206);
    }
    run(&[fibonacci, "--input", "@no-such-file"]).assert_error(6, 201);
    run(&[fibonacci, "--input", "1", "--hints", "no-such-file"]).assert_error(6, 201);
    let ran = run(&[fibonacci, "--input", "1", "-o", "no/such/folder/journal"]);
    ran.assert_error(6, 201);
    assert!(ran.text().is_empty());
    for verb in ["id", "inspect"] {
        zkvm(folder.path(), &[verb, "missing.elf"]).assert_error(6, 201);
        zkvm(folder.path(), &[verb, "text"]).assert_error(6, 101);
    }
}

#[test]
fn a_file_for_another_machine_is_refused_with_its_reason() {
    let folder = folder();
    let own = env!("CARGO_BIN_EXE_zkvm");
    let ran = zkvm(folder.path(), &["run", own]);
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[ZK010"), "{}", ran.stderr);
    assert!(ran.text().is_empty());
}

#[test]
fn wrong_usage_exits_with_2() {
    let folder = folder();
    for arguments in [
        &["run", "--no-such-flag"][..],
        &["no-such-verb"],
        &[],
        &["run", "--max-cycles", "many"],
        &["run", "--max-memory", "1.5G"],
        &["run", "--journal", "octal"],
        &["run", "--progress", "sometimes"],
        &["prove", "-o", "proof", "--level", "low"],
        &["prove", "-o", "proof", "--hash", "md5"],
        &["run", "-q", "-v"],
        &["completions", "no-such-shell"],
        &["new"],
    ] {
        let ran = zkvm(folder.path(), arguments);
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stdout.is_empty(), "{arguments:?}");
        assert!(!ran.stderr.is_empty(), "{arguments:?}");
    }
    zkvm(folder.path(), &["explain", "ZK9999"]).assert_error(2, 901);
}

/// A package without dependencies, whose files are given.
fn package(folder: &Path, files: &[(&str, &str)]) {
    let manifest =
        "[package]\nname = \"p\"\nversion = \"0.1.0\"\nedition = \"2024\"\n[workspace]\n";
    fs::create_dir_all(folder.join("src/bin")).expect("a folder can be made");
    fs::write(folder.join("Cargo.toml"), manifest).expect("a file can be written");
    for (name, text) in files {
        fs::write(folder.join(name), text).expect("a file can be written");
    }
}

#[test]
fn hashes_in_software_are_named_where_a_precompile_would_do() {
    let folder = folder();
    let run = |name: &str, input: &str| {
        let ran = zkvm(folder.path(), &["run", guest(name), "--input", input]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr
    };
    let keccak = run("keccak-chain", "100");
    assert!(keccak.contains("warning[ZK0318]"), "{keccak}");
    assert!(keccak.contains("keccak_f"), "{keccak}");
    assert!(keccak.contains("zkvm_accel::keccak"), "{keccak}");
    let sha256 = run("sha256-chain", "300");
    assert!(sha256.contains("sha256_compress"), "{sha256}");
    let fibonacci = run("fibonacci", "200000");
    assert!(!fibonacci.contains("precompile"), "{fibonacci}");
    // Of a short run nothing is said.
    let short = run("sha256-chain", "1");
    assert!(!short.contains("precompile"), "{short}");

    let arguments = [
        "cost",
        guest("sha256-chain"),
        "--input",
        "300",
        "--format",
        "json",
    ];
    let cost = zkvm(folder.path(), &arguments);
    let cost: Value = serde_json::from_slice(&cost.stdout).expect("it is JSON");
    let found = &cost["software"][0];
    assert_eq!(found["precompile"], "sha256_compress");
    assert!(found["share"].as_f64().is_some_and(|share| share > 0.5));
}

#[test]
fn guests_that_do_not_build_exit_with_10() {
    let folder = folder();
    package(
        folder.path(),
        &[("src/main.rs", "#![no_std]\nfn main( {}\n")],
    );
    for verb in ["run", "build", "id", "inspect"] {
        let ran = zkvm(folder.path(), &[verb]);
        ran.assert_error(10, 504);
        assert!(ran.text().is_empty());
        assert!(
            ran.stderr.contains("src/main.rs:2"),
            "the compiler speaks: {}",
            ran.stderr
        );
    }
}

#[test]
fn missing_and_several_binaries_are_told_apart() {
    let empty = folder();
    package(empty.path(), &[("src/lib.rs", "#![no_std]\n")]);
    zkvm(empty.path(), &["run"]).assert_error(10, 505);
    zkvm(empty.path(), &["run", "--bin", "other"]).assert_error(10, 505);

    let several = folder();
    let source = "#![no_std]\n#![no_main]\n\
                  #[panic_handler]\nfn panic(_: &core::panic::PanicInfo<'_>) -> ! { loop {} }\n\
                  #[unsafe(no_mangle)]\nextern \"C\" fn _start() -> ! { loop {} }\n";
    package(
        several.path(),
        &[("src/bin/a.rs", source), ("src/bin/b.rs", source)],
    );
    let ran = zkvm(several.path(), &["run", "--max-cycles", "10"]);
    ran.assert_error(2, 506);
    assert!(ran.stderr.contains("a, b"), "{}", ran.stderr);
    let ran = zkvm(several.path(), &["run", "--max-cycles", "10", "--bin", "b"]);
    ran.assert_error(7, 301);
    let ran = zkvm(several.path(), &["run", "--bin", "c"]);
    ran.assert_error(10, 505);
    assert!(ran.stderr.contains("a, b"), "{}", ran.stderr);
}

#[test]
fn json_answers_hold_journal_exit_cost_and_error() {
    let folder = folder();
    for format in ["json", "ndjson"] {
        let run = |name, input| {
            let ran = zkvm(
                folder.path(),
                &["run", guest(name), "--format", format, "--input", input],
            );
            let lines = ran.text().lines().count();
            assert_eq!(lines == 1, format == "ndjson", "{}", ran.text());
            (ran.code, ran.json())
        };
        let (code, answer) = run("fibonacci", "21");
        assert_eq!(code, 0);
        assert_eq!(answer["journal"], "c255");
        assert_eq!(answer["exit"]["kind"], "halted");
        assert_eq!(answer["exit"]["code"], 0);
        assert_eq!(answer["error"], Value::Null);
        assert_eq!(answer["program_id"].as_str().map(str::len), Some(64));
        let cycles = answer["cycles"].as_u64().expect("a number");
        let rows = answer["cost"]["rows"].as_object().expect("an object");
        let total: u64 = rows.values().filter_map(Value::as_u64).sum();
        assert_eq!(total, cycles + 1, "every cycle and one word of journal");
        assert_eq!(rows.len(), Chip::COUNT);
        assert!(answer["cost"]["memory_bytes"].as_u64() > Some(0));

        let (code, answer) = run("panic", "1");
        assert_eq!(code, 4);
        assert_eq!(answer["exit"]["kind"], "panicked");
        assert_eq!(answer["exit"]["code"], 101);
        assert_eq!(answer["exit"]["panic"]["file"], "panic/src/main.rs");
        assert_eq!(answer["error"]["code"], "ZK0311");
        assert_eq!(answer["error"]["exit_code"], 4);
        let frames = answer["error"]["facts"]["frames"].as_array();
        assert!(frames.is_some_and(|frames| !frames.is_empty()));
        assert!(!answer.to_string().contains('\u{1b}'), "no colours in JSON");

        let (code, answer) = run("panic", "8");
        assert_eq!(code, 4);
        assert_eq!(answer["exit"]["kind"], "faulted");
        assert!(answer["exit"]["pc"].is_u64());
        assert_eq!(answer["journal"], Value::Null);
        let (code, answer) = run("panic", "10");
        assert_eq!((code, &answer["journal"]), (3, &Value::from("0a")));
        let (code, answer) = run("json-query", "[]");
        assert_eq!(
            (code, &answer["error"]["code"]),
            (4, &Value::from("ZK0311"))
        );
    }
    let limited = [
        "run",
        guest("panic"),
        "-i",
        "7",
        "--max-cycles",
        "9",
        "--format",
        "json",
    ];
    let ran = zkvm(folder.path(), &limited);
    let answer = ran.json();
    assert_eq!(
        (ran.code, &answer["exit"]["kind"]),
        (7, &Value::from("cycle_limit"))
    );
    assert_eq!(answer["journal"], Value::Null);
}

#[test]
fn a_failure_without_an_answer_is_json_on_standard_error() {
    let folder = folder();
    let ran = zkvm(folder.path(), &["run", "missing.elf", "--format", "ndjson"]);
    assert_eq!((ran.code, ran.text()), (6, ""));
    let error: Value = serde_json::from_str(&ran.stderr).expect("one document");
    assert_eq!(error["error"]["code"], "ZK0201");
    assert_eq!(error["error"]["exit_code"], 6);
}

#[test]
fn journals_are_written_in_hex_raw_or_not_at_all() {
    let folder = folder();
    let run = |flags: &[&str]| {
        let arguments = [&["run", guest("fibonacci"), "-i", "21"], flags].concat();
        let ran = zkvm(folder.path(), &arguments);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    assert_eq!(run(&["--journal", "hex"]), b"c255\n");
    assert_eq!(run(&["--journal", "raw"]), [0xc2, 0x55]);
    assert_eq!(run(&["--journal", "none"]), b"");
    assert_eq!(run(&["-o", "journal"]), b"");
    let written = folder.path().join("journal");
    assert_eq!(fs::read(&written).ok(), Some(vec![0xc2, 0x55]));
    assert_eq!(
        names_in(folder.path()),
        BTreeSet::from(["journal".to_owned()])
    );
    fs::write(&written, "something longer than the journal").expect("it can be written");
    assert_eq!(run(&["-o", "journal", "-q"]), b"");
    assert_eq!(fs::read(&written).ok(), Some(vec![0xc2, 0x55]));
    // A file that cannot be replaced stays, and nothing is left beside it.
    fs::create_dir(folder.path().join("taken")).expect("a folder can be made");
    let arguments = ["run", guest("fibonacci"), "-i", "21", "-o", "taken"];
    zkvm(folder.path(), &arguments).assert_error(6, 201);
    let expected = ["journal", "taken"].map(str::to_owned);
    assert_eq!(names_in(folder.path()), BTreeSet::from(expected));
}

#[test]
fn input_comes_from_values_files_and_standard_input() {
    let folder = folder();
    fs::write(folder.path().join("21"), [3]).expect("a file can be written");
    fs::write(folder.path().join("n.bin"), [0xe8, 0x07]).expect("a file can be written");
    let fibonacci = guest("fibonacci");
    for (value, stdin, journal) in [
        ("21", &[][..], "c255\n"),
        ("0x15", &[], "c255\n"),
        ("@21", &[], "02\n"),
        ("./21", &[], "02\n"),
        ("n.bin", &[], "cbc081e6f5b8d3ac0b\n"),
        ("-", &[0x15], "c255\n"),
    ] {
        let ran = zkvm_with(folder.path(), &["run", fibonacci, "--input", value], stdin);
        assert_eq!(
            (ran.code, ran.text()),
            (0, journal),
            "{value}: {}",
            ran.stderr
        );
    }
    let document = r#""{\"a\":[true]}""#;
    let several = ["run", guest("json-query"), "-i", document, "-i", "\"a.0\""];
    let ran = zkvm(folder.path(), &several);
    assert_eq!(
        (ran.code, ran.text()),
        (0, "0474727565\n"),
        "{}",
        ran.stderr
    );
}

#[test]
fn hints_come_from_a_file_or_standard_input() {
    let folder = folder();
    let hints = b"\x05\0\0\0\0\0\0\0\x2a\x03abchint!";
    fs::write(folder.path().join("hints"), hints).expect("a file can be written");
    for source in ["hints", "-"] {
        let arguments = ["run", guest("io"), "-i", "1", "-i", "5", "--hints", source];
        let ran = zkvm_with(folder.path(), &arguments, hints);
        let journal = "2a0361626368696e7421\n";
        assert_eq!((ran.code, ran.text()), (0, journal), "{}", ran.stderr);
    }
}

#[test]
fn printed_text_goes_to_standard_error_unless_quiet() {
    let folder = folder();
    let ran = zkvm(folder.path(), &["run", guest("io"), "-i", "4"]);
    assert_eq!((ran.code, ran.text()), (0, ""));
    assert!(
        ran.stderr.contains("out 1 err \"two\" é\n"),
        "{}",
        ran.stderr
    );
    let ran = zkvm(folder.path(), &["run", "-q", guest("io"), "-i", "4"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
}

/// The reader is gone before the command has its input, so it writes into a broken pipe.
#[test]
fn a_reader_that_went_away_is_success() {
    let folder = folder();
    for flags in [&["--journal", "raw"][..], &["--format", "json"], &[]] {
        let mut child = command(folder.path())
            .args(["run", guest("fibonacci"), "--input", "-"])
            .args(flags)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        drop(child.stdout.take());
        let mut pipe = child.stdin.take().expect("it was asked for");
        pipe.write_all(&[21])
            .expect("the command waits for its input");
        drop(pipe);
        let output = child.wait_with_output().expect("the command ends");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(!said.contains("error") && !said.contains("panic"), "{said}");
    }
}

/// Bytes of a proof file before its body: the magic, then the format.
const MAGIC_BYTES: usize = 9;
const BODY_START: usize = MAGIC_BYTES + 2;
/// Bytes of the checksum at the end.
const CHECKSUM_BYTES: usize = 8;
/// Where the body's number of queries is (after hash and blow-up), and what follows the header: hash,
/// five parameters in six bytes, the machine's digest.
const QUERIES_AT: usize = BODY_START + 2;
const PROGRAM_ID_AT: usize = BODY_START + 1 + 6 + 32;
/// Where the body's exit code is (after the program id), and its journal's first byte (after the
/// journal's length).
const EXIT_CODE_AT: usize = PROGRAM_ID_AT + 32;
const JOURNAL_AT: usize = EXIT_CODE_AT + 2;

/// The proof file of the fibonacci example for 21, made once.
#[track_caller]
fn fibonacci_proof() -> &'static [u8] {
    static PROOF: OnceLock<Vec<u8>> = OnceLock::new();
    PROOF.get_or_init(|| {
        let folder = folder();
        let ran = prove(folder.path(), "fibonacci", "21", &[]);
        assert_eq!((ran.code, ran.text()), (0, "proof\n"), "{}", ran.stderr);
        assert_eq!(
            names_in(folder.path()),
            BTreeSet::from(["proof".to_owned()])
        );
        fs::read(folder.path().join("proof")).expect("a file can be read")
    })
}

/// Proves a guest with this input; the proof goes to the file `proof` of `folder`.
#[track_caller]
fn prove(folder: &Path, name: &str, input: &str, flags: &[&str]) -> Ran {
    let arguments = ["prove", guest(name), "-i", input, "-o", "proof"];
    zkvm(folder, &[&arguments[..], flags].concat())
}

/// Verifies these bytes as a proof of a guest.
#[track_caller]
fn verify(proof: &[u8], name: &str, flags: &[&str]) -> Ran {
    let folder = folder();
    fs::write(folder.path().join("proof"), proof).expect("a file can be written");
    let arguments = ["verify", "proof", "--program", guest(name)];
    zkvm(folder.path(), &[&arguments[..], flags].concat())
}

/// A changed copy of the fibonacci example's proof.
fn damaged(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    let mut bytes = fibonacci_proof().to_vec();
    change(&mut bytes);
    bytes
}

/// The same with the checksum of what it then holds.
fn forged(change: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
    damaged(|bytes| {
        bytes.truncate(bytes.len() - CHECKSUM_BYTES);
        change(bytes);
        let sum = blake3::hash(bytes);
        bytes.extend_from_slice(&sum.as_bytes()[..CHECKSUM_BYTES]);
    })
}

#[test]
fn a_proof_is_verified_and_standard_output_is_its_journal() {
    let proof = fibonacci_proof();
    let ran = verify(proof, "fibonacci", &[]);
    assert_eq!((ran.code, ran.text()), (0, "c255\n"), "{}", ran.stderr);
    let ran = verify(proof, "fibonacci", &["-q", "--expect-exit", "0"]);
    assert_eq!(
        (ran.code, ran.text(), ran.stderr.as_str()),
        (0, "c255\n", "")
    );
    let answer = verify(proof, "fibonacci", &["--format", "json"]).json();
    let folder = folder();
    let id = zkvm(folder.path(), &["id", guest("fibonacci")]);
    assert_eq!(answer["program_id"], id.text().trim_end());
    assert_eq!(answer["journal"], "c255");
    assert_eq!(answer["exit_code"], 0);

    let flags = ["--format", "json"];
    let ran = prove(folder.path(), "fibonacci", "21", &flags);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let answer = ran.json();
    assert_eq!(answer["path"], "proof");
    assert_eq!(answer["program_id"], id.text().trim_end());
    assert_eq!(answer["journal"], "c255");
    assert_eq!(answer["exit_code"], 0);
    assert!(answer["cycles"].as_u64() > Some(0));
    let written = fs::read(folder.path().join("proof")).expect("a file can be read");
    assert_eq!(answer["proof_bytes"], written.len());
    assert_eq!(verify(&written, "fibonacci", &[]).text(), "c255\n");
}

#[test]
fn a_proof_of_another_statement_exits_with_5() {
    let proof = fibonacci_proof();
    let ran = verify(proof, "panic", &[]);
    ran.assert_error(5, 405);
    assert_eq!(ran.text(), "");
    for code in ["1", "7", "101", "4294967295"] {
        let ran = verify(proof, "fibonacci", &["--expect-exit", code]);
        ran.assert_error(5, 406);
        assert_eq!(ran.text(), "");
    }
    let ran = verify(proof, "panic", &["--format", "ndjson"]);
    assert_eq!((ran.code, ran.text()), (5, ""));
    let error: Value = serde_json::from_str(&ran.stderr).expect("one document");
    assert_eq!(error["error"]["code"], "ZK0405");
    assert_eq!(error["error"]["exit_code"], 5);
    // The file claims something else than what it proves.
    let flip = |at: usize| forged(|bytes| bytes[at] ^= 1);
    assert_eq!(proof[JOURNAL_AT..JOURNAL_AT + 2], [0xc2, 0x55]);
    verify(&flip(PROGRAM_ID_AT), "fibonacci", &[]).assert_error(5, 405);
    verify(&flip(EXIT_CODE_AT), "fibonacci", &[]).assert_error(5, 406);
    for (changed, flags) in [
        (flip(EXIT_CODE_AT), &["--expect-exit", "1"][..]),
        (flip(JOURNAL_AT), &[]),
        (flip(JOURNAL_AT + 1), &[]),
    ] {
        let ran = verify(&changed, "fibonacci", flags);
        ran.assert_error(5, 404);
        assert_eq!(ran.text(), "");
    }
}

#[test]
fn a_damaged_proof_file_exits_with_5_or_6() {
    let proof = fibonacci_proof();
    let length = proof.len();
    let no_proof_files = [
        Vec::new(),
        b"not a proof".to_vec(),
        fs::read(guest("fibonacci")).expect("a file can be read"),
        proof[..MAGIC_BYTES].to_vec(),
        proof[..BODY_START - 1].to_vec(),
        proof[..BODY_START].to_vec(),
        proof[..length / 2].to_vec(),
        proof[..length - 1].to_vec(),
        damaged(|bytes| bytes.push(0)),
        // What a transfer as text does to line ends.
        damaged(|bytes| bytes.retain(|byte| *byte != b'\r')),
        damaged(|bytes| bytes[0] &= 0x7f),
        damaged(|bytes| bytes[length / 2] ^= 1),
        damaged(|bytes| bytes[length - 1] ^= 1),
    ];
    for file in no_proof_files {
        let ran = verify(&file, "fibonacci", &[]);
        ran.assert_error(6, 407);
        assert_eq!(ran.text(), "", "{} bytes", file.len());
    }
    // A changed body with the right checksum is no encoding of a proof any more, or one that does not
    // hold.
    let mut seen = BTreeSet::new();
    for step in 1..=24 {
        let at = JOURNAL_AT + (length - CHECKSUM_BYTES - JOURNAL_AT - 1) * step / 24;
        let ran = verify(&forged(|bytes| bytes[at] ^= 0x11), "fibonacci", &[]);
        seen.insert(ran.code);
        let number = if ran.code == 5 { 404 } else { 407 };
        assert!(ran.code == 5 || ran.code == 6, "byte {at}: {}", ran.stderr);
        ran.assert_error(ran.code, number);
        assert_eq!(ran.text(), "", "byte {at}");
    }
    assert!(seen.contains(&5), "{seen:?}");
    let folder = folder();
    let arguments = ["verify", "missing", "--program", guest("fibonacci")];
    zkvm(folder.path(), &arguments).assert_error(6, 201);
}

#[test]
fn a_proof_file_of_another_version_exits_with_9() {
    for (at, value) in [(0, 0), (0, 1), (0, 0xff), (1, 1)] {
        let other = damaged(|bytes| bytes[MAGIC_BYTES + at] = value);
        let ran = verify(&other, "fibonacci", &[]);
        ran.assert_error(9, 408);
        assert_eq!(ran.text(), "");
        assert!(ran.stderr.contains("reads format 2"), "{}", ran.stderr);
        // The version is looked at before anything that it may have changed.
        verify(&other[..BODY_START], "fibonacci", &[]).assert_error(9, 408);
    }
}

#[test]
fn a_proof_of_other_parameters_exits_with_9_and_names_both() {
    assert_eq!(fibonacci_proof()[QUERIES_AT..QUERIES_AT + 2], [0xcb, 1]);
    let other = forged(|bytes| bytes[QUERIES_AT] = 0xca);
    let ran = verify(&other, "fibonacci", &[]);
    ran.assert_error(9, 408);
    for part in ["202 queries", "203 queries"] {
        assert!(ran.stderr.contains(part), "no {part} in {}", ran.stderr);
    }
    let inspected = inspect(&other, &[]).json();
    assert_eq!(inspected["level"], Value::Null);
    assert_eq!(inspected["parameters"]["queries"], 202);
}

/// Shows these bytes as a proof, in JSON.
#[track_caller]
fn inspect(proof: &[u8], flags: &[&str]) -> Ran {
    let folder = folder();
    fs::write(folder.path().join("proof"), proof).expect("a file can be written");
    let arguments = ["inspect", "proof", "--format", "json"];
    let ran = zkvm(folder.path(), &[&arguments[..], flags].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    ran
}

#[test]
fn a_proof_file_is_inspected_and_its_security_told_term_by_term() {
    let proof = fibonacci_proof();
    let json = inspect(proof, &[]).json();
    for (field, expected) in [
        ("bytes", Value::from(proof.len())),
        ("format", Value::from(2)),
        ("hash", Value::from("blake3")),
        ("level", Value::from("standard")),
        ("journal", Value::from("c255")),
        ("journal_bytes", Value::from(2)),
        ("exit_code", Value::from(0)),
        ("segments", Value::from(1)),
        ("words_parts", Value::from(0)),
        ("is_of_program", Value::Null),
        ("security", Value::Null),
    ] {
        assert_eq!(json[field], expected, "{field}");
    }
    let folder = folder();
    let id = zkvm(folder.path(), &["id", guest("fibonacci")]);
    assert_eq!(json["program_id"], id.text().trim_end());

    let json = inspect(proof, &["--program", guest("fibonacci")]).json();
    assert_eq!(json["is_of_program"], true);
    let terms = json["security"]["terms"].as_array().expect("a list");
    assert!(terms.len() >= 7, "{json}");
    let bits = |term: &Value| term["bits"].as_f64().expect("a number");
    let least = terms.iter().map(bits).fold(f64::INFINITY, f64::min);
    assert_eq!(json["security"]["bits"].as_f64(), Some(least));
    assert!(least >= 100.0, "{json}");
    let json = inspect(proof, &["--program", guest("io")]).json();
    assert_eq!(json["is_of_program"], false);

    fs::write(folder.path().join("proof"), proof).expect("a file can be written");
    let arguments = ["inspect", "proof", "--program", guest("fibonacci")];
    let ran = zkvm(folder.path(), &arguments);
    for part in [
        "hash         blake3",
        "203 queries",
        "FRI queries",
        "c255",
        "nothing",
    ] {
        assert!(ran.text().contains(part), "no {part} in {}", ran.text());
    }
    fs::write(folder.path().join("cut"), &proof[..proof.len() / 2]).expect("it can be written");
    zkvm(folder.path(), &["inspect", "cut"]).assert_error(6, 407);
}

#[test]
fn a_level_below_the_one_demanded_is_refused_with_its_bits() {
    let ran = verify(fibonacci_proof(), "fibonacci", &["--level", "high"]);
    ran.assert_error(5, 409);
    for part in ["has 100 bits", "128 are demanded", "FRI queries"] {
        assert!(ran.stderr.contains(part), "no {part} in {}", ran.stderr);
    }
    assert_eq!(ran.text(), "");
}

#[test]
fn levels_and_hashes_are_proved_and_verified() {
    let folder = folder();
    for (flags, hash, level) in [
        (&["--level", "high"][..], "blake3", "high"),
        (&["--hash", "poseidon2"], "poseidon2", "standard"),
    ] {
        let ran = prove(folder.path(), "fibonacci", "21", flags);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let proof = fs::read(folder.path().join("proof")).expect("a file can be read");
        let flags = ["--level", level, "--format", "json"];
        let answer = verify(&proof, "fibonacci", &flags).json();
        assert_eq!(answer["journal"], "c255");
        assert_eq!(
            (&answer["hash"], &answer["level"]),
            (&hash.into(), &level.into())
        );
        // A verifier who asks for less takes it too.
        assert_eq!(verify(&proof, "fibonacci", &[]).text(), "c255\n");
    }
    fs::remove_file(folder.path().join("proof")).expect("it is there");
    let flags = ["--hash", "poseidon2", "--level", "high"];
    prove(folder.path(), "fibonacci", "21", &flags).assert_error(2, 411);
    assert_eq!(names_in(folder.path()), BTreeSet::new());
}

#[test]
fn cost_foretells_the_size_of_the_proof_within_a_tenth() {
    let folder = folder();
    let flags = ["-i", "21", "--format", "json"];
    let arguments = [&["cost", guest("fibonacci")], &flags[..]].concat();
    let ran = zkvm(folder.path(), &arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let cost = ran.json();
    let (foretold, actual) = (cost["proof_bytes"].as_f64(), fibonacci_proof().len() as f64);
    let ratio = foretold.expect("a number") / actual;
    assert!((0.9..1.1).contains(&ratio), "{ratio} of {actual}");
    assert_eq!(cost["segments"], 1);
    for field in ["cycles", "memory_bytes"] {
        assert!(cost[field].as_u64() > Some(0), "{field}: {cost}");
    }
    for field in [
        "main_cells",
        "logup_cells",
        "interactions",
        "rows",
        "rows_padded",
    ] {
        let chips = cost["chips"].as_object().expect("an object");
        let sum: u64 = chips.values().filter_map(|chip| chip[field].as_u64()).sum();
        assert_eq!(cost["total"][field], sum, "{field}");
        assert!(
            cost["chips"]["add_sub"][field].as_u64() > Some(0),
            "{field}"
        );
    }
    assert!(cost["cpu_seconds"].as_f64() > Some(0.0));
    let human = zkvm(folder.path(), &["cost", guest("fibonacci"), "-i", "21"]);
    for part in ["segments      1", "estimate for", "bitwise_table"] {
        assert!(human.text().contains(part), "no {part} in {}", human.text());
    }
    let arguments = ["cost", guest("panic"), "-i", "10"];
    zkvm(folder.path(), &arguments).assert_error(3, 310);
    let arguments = ["cost", guest("panic"), "-i", "10", "--expect-exit", "7"];
    assert_eq!(zkvm(folder.path(), &arguments).code, 0);
    zkvm(folder.path(), &["cost", guest("panic"), "-i", "0"]).assert_error(4, 311);
}

#[test]
fn progress_is_lines_when_it_is_asked_for_and_nothing_otherwise() {
    let folder = folder();
    let ran = prove(folder.path(), "fibonacci", "21", &[]);
    assert!(!ran.stderr.contains('%'), "{}", ran.stderr);
    let ran = prove(folder.path(), "fibonacci", "21", &["--progress", "always"]);
    assert_eq!((ran.code, ran.text()), (0, "proof\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains('%'), "{}", ran.stderr);
}

#[test]
fn bench_compares_what_proving_takes_with_what_was_foretold() {
    let folder = folder();
    let flags = ["-i", "21", "--prove", "--format", "json"];
    let arguments = [&["bench", guest("fibonacci")], &flags[..]].concat();
    let ran = zkvm(folder.path(), &arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let proof = &ran.json()["proofs"][0];
    for field in ["cpu_seconds", "cycles_per_cpu_second", "verify_seconds"] {
        assert!(proof[field].as_f64() > Some(0.0), "{field}: {proof}");
    }
    for phase in ["execute", "fill", "commit", "logup", "quotient", "open"] {
        assert!(
            proof["phases"][phase].as_f64() > Some(0.0),
            "{phase}: {proof}"
        );
        assert!(proof["foretold"]["phases"][phase].is_number(), "{phase}");
    }
    assert_eq!(proof["segments"], proof["foretold"]["segments"]);
    // Grinding takes any witness, so two proofs query other places, and paths that meet are shorter.
    let bytes = proof["proof_bytes"].as_u64().expect("a number");
    let other = fibonacci_proof().len() as u64;
    assert!(bytes.abs_diff(other) < other / 50, "{bytes} and {other}");
}

/// In the least memory a segment holds about 330 000 cycles of this guest.
#[test]
fn an_execution_of_several_segments_is_cut_to_fit_memory_and_proved() {
    let folder = folder();
    let flags = ["--max-memory", "1G", "--format", "json"];
    let answer = prove(folder.path(), "fibonacci", "70000", &flags).json();
    assert_eq!(answer["segments"], 2, "{answer}");
    let proof = fs::read(folder.path().join("proof")).expect("a file can be read");
    let ran = verify(&proof, "fibonacci", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.text().trim_end(), answer["journal"]);
    let json = inspect(&proof, &["--program", guest("fibonacci")]).json();
    assert_eq!(json["segments"], 2);
    assert!(json["security"]["bits"].as_f64() >= Some(100.0), "{json}");
    verify(&proof, "io", &[]).assert_error(5, 405);
    let arguments = ["cost", guest("fibonacci"), "-i", "70000"];
    let cost = zkvm(folder.path(), &[&arguments[..], &flags].concat()).json();
    assert_eq!(cost["segments"], 2);
    let foretold = cost["proof_bytes"].as_f64().expect("a number");
    let ratio = foretold / proof.len() as f64;
    assert!((0.9..1.1).contains(&ratio), "{ratio}");
}

/// It is interrupted while it proves: long before the end, and after the guest was executed.
#[cfg(unix)]
#[test]
fn an_interrupt_exits_with_130_and_leaves_no_file() {
    use std::io::{BufRead, BufReader};
    let folder = folder();
    let arguments = ["prove", guest("fibonacci"), "-i", "2000000", "-o", "proof"];
    let mut child = command(folder.path())
        .args(arguments)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    let stderr = BufReader::new(child.stderr.take().expect("it was asked for"));
    let said = stderr
        .lines()
        .map(|line| line.expect("it is text"))
        .find(|line| line.starts_with("proving"));
    assert!(said.is_some());
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &id]).status();
    assert!(sent.expect("there is `kill`").success());
    let status = child.wait().expect("the command ends");
    assert_eq!(status.code(), Some(130));
    assert_eq!(names_in(folder.path()), BTreeSet::new());
}

#[test]
fn an_exit_code_is_proved_when_it_is_expected() {
    let folder = folder();
    let ran = prove(folder.path(), "panic", "10", &[]);
    ran.assert_error(3, 310);
    assert!(ran.stderr.contains("exit code 7"), "{}", ran.stderr);
    assert_eq!(ran.text(), "");
    prove(folder.path(), "panic", "10", &["--expect-exit", "8"]).assert_error(3, 310);
    prove(folder.path(), "fibonacci", "21", &["--expect-exit", "7"]).assert_error(3, 403);
    assert_eq!(names_in(folder.path()), BTreeSet::new());

    let ran = prove(folder.path(), "panic", "10", &["--expect-exit", "7"]);
    assert_eq!((ran.code, ran.text()), (0, "proof\n"), "{}", ran.stderr);
    let proof = fs::read(folder.path().join("proof")).expect("a file can be read");
    let ran = verify(&proof, "panic", &["--expect-exit", "7"]);
    assert_eq!((ran.code, ran.text()), (0, "0a\n"), "{}", ran.stderr);
    for flags in [&[][..], &["--expect-exit", "0"], &["--expect-exit", "8"]] {
        let ran = verify(&proof, "panic", flags);
        ran.assert_error(5, 406);
        assert_eq!(ran.text(), "");
    }
}

#[test]
fn a_failure_to_prove_leaves_no_file_and_keeps_the_old_one() {
    let folder = folder();
    let assert_failures = || {
        for (kind, flags, code, number) in [
            ("0", &[][..], 4, 311),
            ("4", &[], 4, 312),
            ("8", &["--expect-exit", "7"], 4, 314),
            ("10", &[], 3, 310),
            ("11", &[], 3, 310),
            ("13", &["--max-memory", "512M"], 2, 207),
        ] {
            let ran = prove(folder.path(), "panic", kind, flags);
            ran.assert_error(code, number);
            assert_eq!(ran.text(), "", "kind {kind}");
        }
    };
    assert_failures();
    assert_eq!(names_in(folder.path()), BTreeSet::new());
    fs::write(folder.path().join("proof"), "an older proof").expect("it can be written");
    assert_failures();
    let kept = fs::read_to_string(folder.path().join("proof")).ok();
    assert_eq!(kept.as_deref(), Some("an older proof"));
    assert_eq!(
        names_in(folder.path()),
        BTreeSet::from(["proof".to_owned()])
    );
    // A file that cannot be written.
    let arguments = ["prove", guest("fibonacci"), "-i", "21", "-o", "no/proof"];
    let ran = zkvm(folder.path(), &arguments);
    ran.assert_error(6, 201);
    assert_eq!(ran.text(), "");
    assert!(!folder.path().join("no").exists());
}

#[test]
fn id_and_inspect_agree_about_a_program() {
    let folder = folder();
    let elf = hand_written(folder.path(), |asm| {
        asm.emit(ld(Reg::A0, Reg::SP, 0));
        asm.emit(addi(Reg::A7, Reg::ZERO, 93));
        asm.emit(ecall());
    });
    let id = zkvm(folder.path(), &["id", &elf]);
    assert_eq!(id.code, 0);
    let id = id.text().strip_suffix('\n').expect("one line");
    assert!(
        id.len() == 64 && id.bytes().all(|byte| byte.is_ascii_hexdigit()),
        "{id}"
    );
    let json = zkvm(folder.path(), &["id", &elf, "--format", "json"]).json();
    assert_eq!(json["program_id"], id);

    let human = zkvm(folder.path(), &["inspect", &elf]);
    assert_eq!(human.code, 0);
    for part in [
        id,
        "entry        0x10000",
        "(RV64IMAC)",
        "r-x",
        "heap         0x00011000",
    ] {
        assert!(human.text().contains(part), "{part} in {}", human.text());
    }
    let json = zkvm(folder.path(), &["inspect", &elf, "--format", "ndjson"]).json();
    assert_eq!(json["program_id"], id);
    assert_eq!(json["entry"], 0x1_0000);
    assert_eq!(json["segments"][0]["permissions"], "r-x");
    assert_eq!(json["segments"][0]["size_bytes"], 12);
    assert_eq!(json["heap_start"], 0x1_1000);
    assert_eq!(json["has_line_tables"], false);

    let json = zkvm(
        folder.path(),
        &["inspect", guest("ecdsa"), "--format", "json"],
    )
    .json();
    assert_eq!(json["has_line_tables"], true);
    assert!(json["functions"].as_u64() > Some(10));
    assert!(json["chips"]["mul"].as_u64() > Some(0));
    assert_eq!(json["segments"].as_array().map(Vec::len), Some(3));
}

#[test]
fn faults_of_hand_written_programs_have_their_own_codes() {
    type Emit = fn(&mut Assembler);
    let call = |asm: &mut Assembler| {
        asm.li(Reg::A7, 1234);
        asm.emit(ecall());
    };
    let jump = |asm: &mut Assembler| asm.emit(zkvm_testkit::asm::base::jal(Reg::ZERO, -4096));
    let programs: [(u16, Emit); 3] = [(315, jump), (316, |asm| asm.emit(ebreak())), (317, call)];
    for (number, emit) in programs {
        let folder = folder();
        let elf = hand_written(folder.path(), emit);
        let ran = zkvm(folder.path(), &["run", &elf]);
        ran.assert_error(4, number);
        assert!(ran.text().is_empty());
    }
}

#[test]
fn doctor_finds_what_these_tests_need() {
    let folder = folder();
    let ran = zkvm(folder.path(), &["doctor"]);
    assert_eq!(ran.code, 0, "{}{}", ran.text(), ran.stderr);
    let json = zkvm(folder.path(), &["doctor", "--format", "json"]).json();
    assert_eq!(json["ok"], true);
    let checks = json["checks"].as_array().expect("a list");
    for name in ["zkvm", "rustc", "cargo", "target riscv64imac"] {
        let check = checks.iter().find(|check| check["name"] == name);
        let is_found = check.is_some_and(|check| check["ok"] == true && check["needed"] == true);
        assert!(is_found, "{name}: {json}");
        assert!(ran.text().contains(name), "{}", ran.text());
    }
}

#[test]
fn doctor_without_tools_says_what_is_missing_and_exits_with_10() {
    let folder = folder();
    let output = command(folder.path())
        .args(["doctor", "--format", "json"])
        .env("PATH", folder.path())
        .env_remove("RUSTC")
        .env_remove("CARGO")
        .output()
        .expect("the command starts");
    assert_eq!(output.status.code(), Some(10));
    let json: Value = serde_json::from_slice(&output.stdout).expect("one document");
    assert_eq!(json["ok"], false);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains("ZK0902"), "{said}");
}

#[test]
fn completions_are_scripts_that_know_the_verbs() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish"] {
        let ran = zkvm(folder.path(), &["completions", shell]);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{shell}");
        for word in ["zkvm", "run", "inspect", "max-cycles"] {
            assert!(ran.text().contains(word), "{shell} has {word}");
        }
        let check = Command::new(shell)
            .args(["-n", "/dev/stdin"])
            .stdin(Stdio::piped())
            .spawn();
        // Where the shell is there, it says whether the script is one.
        if let Ok(mut child) = check {
            let mut pipe = child.stdin.take().expect("it was asked for");
            pipe.write_all(&ran.stdout).expect("the shell reads it");
            drop(pipe);
            assert!(child.wait().expect("the shell ends").success(), "{shell}");
        }
    }
}

/// The numbers of error codes in a source: `Code(n)`, `=> n`, `ExitCode::Name, n`.
fn codes_in(source: &str) -> BTreeSet<u16> {
    let code = source.split("#[cfg(test)]").next().unwrap_or(source);
    let packed: String = code.chars().filter(|c| !c.is_whitespace()).collect();
    let mut codes = BTreeSet::new();
    for (at, _) in packed.match_indices(|c: char| c.is_ascii_digit()) {
        let (before, rest) = packed.split_at(at);
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(rest.len());
        let name = before
            .strip_suffix(',')
            .map(|before| before.trim_end_matches(|c: char| c.is_ascii_alphanumeric()));
        let is_code = before.ends_with("Code(")
            || before.ends_with("=>")
            || name.is_some_and(|before| before.ends_with("ExitCode::"));
        if is_code && digits == 3 && !rest[digits..].starts_with("..") {
            codes.insert(rest[..digits].parse().expect("three digits"));
        }
    }
    codes
}

/// Reads all Rust sources below a folder.
fn for_each_source(folder: &Path, body: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            for_each_source(&path, body);
        } else {
            body(&fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn every_error_code_in_the_sources_is_explained() {
    let folder = folder();
    let folders = [
        "src",
        "../terminal/src",
        "../../rollup-guest/cli/src",
        "../../sdk/sdk/src",
    ];
    let mut used = BTreeSet::new();
    for sources in folders {
        let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join(sources);
        for_each_source(&sources, &mut |source| used.extend(codes_in(source)));
    }
    assert!(used.len() > 30, "{used:?}");
    let listed = zkvm(folder.path(), &["explain", "--format", "json"]).json();
    let listed: BTreeSet<u16> = listed["codes"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|entry| entry["code"].as_str()?.strip_prefix("ZK")?.parse().ok())
        .collect();
    assert_eq!(used, listed, "what is used and what is explained");
    for code in used {
        let ran = zkvm(folder.path(), &["explain", &format!("ZK{code:04}")]);
        assert_eq!(ran.code, 0);
        assert!(ran.text().contains("\nnext: "), "{}", ran.text());
    }
    let short = zkvm(folder.path(), &["explain", "301"]);
    assert_eq!(
        short.text(),
        zkvm(folder.path(), &["explain", "zk0301"]).text()
    );
}

#[test]
fn help_lists_the_exit_codes() {
    let table = "\
Exit codes:
  0    ok
  1    a bug in zkvm
  2    wrong usage
  3    the guest halted with a code other than 0
  4    the guest panicked or faulted
  5    the proof was rejected
  6    something is wrong with the input or a file
  7    a limit was reached (cycles, memory, journal, what can be proved)
  9    the proof is of another version, or of other parameters
  10   the guest does not build
  130  interrupted
";
    let folder = folder();
    let ran = zkvm(folder.path(), &["--help"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.text().ends_with(table), "{}", ran.text());
    let version = zkvm(folder.path(), &["--version"]);
    assert_eq!(
        version.text(),
        concat!("zkvm ", env!("CARGO_PKG_VERSION"), "\n")
    );
}

#[test]
fn colours_appear_only_when_they_are_asked_for() {
    let folder = folder();
    let said = |flags: &[&str]| {
        let arguments = [&["run", "missing.elf"], flags].concat();
        zkvm(folder.path(), &arguments).stderr
    };
    assert!(!said(&[]).contains('\u{1b}'));
    assert!(!said(&["--color", "never"]).contains('\u{1b}'));
    assert!(said(&["--color", "always"]).contains('\u{1b}'));
}

/// A command that says what it is given, and ends with exit code 7.
#[cfg(unix)]
fn rollup_stand_in(folder: &Path) {
    use std::os::unix::fs::PermissionsExt;
    let path = folder.join("zkvm-rollup");
    fs::write(&path, "#!/bin/sh\nprintf '%s|' \"$@\"\nexit 7\n").expect("it can be written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("it is ours");
}

#[cfg(unix)]
#[test]
fn rollup_starts_the_command_in_path_and_passes_its_exit_code_on() {
    let folder = folder();
    rollup_stand_in(folder.path());
    let path = std::env::join_paths([folder.path(), Path::new("/bin"), Path::new("/usr/bin")])
        .expect("paths without colons");
    let ran = |arguments: &[&str]| {
        let output = command(folder.path())
            .env("PATH", &path)
            .args(arguments)
            .output()
            .expect("it starts");
        let said = String::from_utf8(output.stdout).expect("it is text");
        assert_eq!(output.status.code(), Some(7), "{said}");
        said
    };
    assert_eq!(
        ran(&["rollup", "exec", "a file", "--post-state-root=0"]),
        "exec|a file|--post-state-root=0|"
    );
    assert_eq!(ran(&["rollup", "--help"]), "--help|");
    assert_eq!(
        ran(&[
            "-q",
            "--format",
            "json",
            "rollup",
            "--max-memory",
            "2G",
            "prove",
            "-v"
        ]),
        "--format|json|--max-memory|2147483648|--quiet|prove|-v|"
    );
}

#[cfg(unix)]
#[test]
fn rollup_prefers_the_command_beside_its_own() {
    let folder = folder();
    let zkvm = folder.path().join("zkvm");
    fs::copy(env!("CARGO_BIN_EXE_zkvm"), &zkvm).expect("it can be copied");
    rollup_stand_in(folder.path());
    let output = Command::new(&zkvm)
        .args(["rollup", "verify"])
        .env("PATH", "/bin:/usr/bin")
        .output()
        .expect("it starts");
    assert_eq!(output.status.code(), Some(7));
    assert_eq!(output.stdout, b"verify|");
}

#[test]
fn rollup_without_its_command_says_how_to_get_it() {
    let folder = folder();
    let output = command(folder.path())
        .env("PATH", folder.path())
        .args(["rollup", "exec", "file"])
        .output()
        .expect("it starts");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(6), "{said}");
    assert!(said.contains("error[ZK0601]: "), "{said}");
    assert!(
        said.contains("next: run `cargo install --path rollup-guest/cli`"),
        "{said}"
    );
    assert!(
        zkvm(folder.path(), &["--help"])
            .text()
            .contains("  rollup ")
    );
}
