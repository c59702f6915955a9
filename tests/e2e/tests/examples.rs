//! The example guests and the test guest `io`, built from source, executed by the SDK, and run
//! under the emulator: journals, exit codes, spans, printed text, hints, identity.

use std::fs;
use std::path::Path;

use zkvm_e2e::records::{check, parts};
use zkvm_e2e::{guests, hex, oracle};
use zkvm_machine::isa::syscall::EXIT_CODE_PANIC;
use zkvm_sdk::{
    Client, Execution, Exit, Fault, FaultKind, Frame, Input, Limits, Program, SegmentLimits, Span,
    Stream,
};
use zkvm_testkit::qemu::End;

const TEMPORARY: &str = env!("CARGO_TARGET_TMPDIR");

fn program(name: &str) -> Program {
    let elf = guests::elf(name, TEMPORARY);
    Program::from_elf(&elf).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn execute(name: &str, input: &Input) -> Execution {
    let client = Client::auto().expect("a client needs nothing");
    let execution = client.execute(&program(name), input);
    execution.unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// An input of values that serde can encode.
macro_rules! input {
    ($($value:expr),*) => {
        Input::new()$(.write(&$value).expect("the value has an encoding"))*
    };
}

const DOCUMENT: &str =
    r#"{"users":[{"name":"Ada","age":36,"score":1.5},{"name":"Grace \u00e9"}],"ok":true}"#;

fn ecdsa_input(flip: u8) -> Input {
    let key = hex("03f1b167828c8033fa8400bbfb6f6551e1f0aee4fbcd1d7da45b68bb50cf271459");
    let mut signature = hex(
        "7711848c1f1a3a9836e1465d33d3c92a4445ce6aa18422c1cdaa22173444ff89\
                             3224ce6d225219d235654ef1fbe0f252a7657717c3106e84779520e30d56540d",
    );
    signature[5] ^= flip;
    // A byte string is encoded as its length and its bytes, a `Vec<u8>` likewise.
    input!(b"hello from the zkVM".to_vec(), key, signature)
}

/// Every example that succeeds: its name, an input, the journal in hexadecimal digits.
fn answers() -> Vec<(&'static str, Input, &'static str)> {
    let sha_1 = "66687aadf862bd776c8fc18b8e9f8e20089714856ee233b3902a591d0d5f2925";
    let sha_100 = "2d7695a887c45cb61a80757127afd676bd16341a5e1cf0f8cb6962e5fca42517";
    let keccak_1 = "290decd9548b62a8d60345a988386fc84ba6bc95484008f6362f93160ef3e563";
    let keccak_100 = "71a56feffb6f10ea9d76e1a9464eb0abd86e4349ae98fb794923a65b650282a3";
    let types_0 = "020028f0e10304018780c098d6c5d7e3eb0a05c6ffbf98d6c5d7e36b1f7b303a20302c20313a2031\
                   2c20323a20342c20333a20392c20343a2031367d851a000000000000000000000000000000000000\
                   0000000000000000000000000001011b4d03dd8c01f1049143cf9c4c817e4b167f1d1b83e5c6f0f1\
                   0d89ba1e7bce";
    vec![
        ("fibonacci", input!(0u64), "00"),
        ("fibonacci", input!(21u64), "c255"),
        ("fibonacci", input!(1000u64), "cbc081e6f5b8d3ac0b"),
        ("sha256-chain", input!(1u64), sha_1),
        ("sha256-chain", input!(100u64), sha_100),
        ("keccak-chain", input!(1u64), keccak_1),
        ("keccak-chain", input!(100u64), keccak_100),
        ("json-query", input!(DOCUMENT, "users.0.name"), "03416461"),
        (
            "json-query",
            input!(DOCUMENT, "users.1.name"),
            "08477261636520c3a9",
        ),
        ("json-query", input!(DOCUMENT, "ok"), "0474727565"),
        ("ecdsa", ecdsa_input(0), "01"),
        ("ecdsa", ecdsa_input(1), "00"),
        ("types", input!(0u64), types_0),
    ]
}

#[test]
fn examples_commit_what_other_implementations_compute() {
    for (name, input, journal) in answers() {
        let execution = execute(name, &input);
        assert!(execution.exit.is_success(), "{name}: {}", execution.exit);
        assert_eq!(execution.journal.bytes(), hex(journal), "{name}");
    }
}

#[test]
fn a_journal_decodes_as_what_the_guest_committed() {
    let execution = execute("fibonacci", &input!(21u64));
    assert_eq!(execution.journal.decode::<u64>(), Ok(10946));
    assert!(execution.journal.decode::<u8>().is_err());
    assert!(execution.journal.decode::<(u64, u8)>().is_err());
}

#[test]
fn examples_do_the_same_under_the_emulator() {
    let Some(oracle) = oracle::find() else {
        return;
    };
    for (name, input, journal) in answers() {
        let outcome = oracle::run(&oracle, program(name).machine(), input.machine());
        let outcome = outcome.expect("the emulator starts");
        let said = String::from_utf8_lossy(&outcome.stderr);
        assert_eq!(outcome.end, End::Exit(0), "{name}: {said}");
        assert_eq!(outcome.journal, hex(journal), "{name}");
    }
}

#[test]
fn a_path_that_is_not_in_the_document_is_a_panic_that_says_so() {
    let execution = execute("json-query", &input!(DOCUMENT, "users.2.name"));
    let Exit::Halted {
        code: EXIT_CODE_PANIC,
        panic: Some(panic),
    } = &execution.exit
    else {
        panic!("the guest ended with {}", execution.exit);
    };
    let expected = "no value at `2` of the path `users.2.name`: found an array of 2 items";
    assert_eq!(panic.message, expected);
    assert_eq!(panic.file, "json-query/src/main.rs");
    assert!(panic.cycle < execution.cycles);
    assert!(execution.journal.bytes().is_empty());
}

/// How a kind of the panic example ends on the machine and under Linux.
#[derive(Debug)]
enum Ending {
    /// A panic whose message contains this.
    Panic(&'static str),
    /// A halt with this code, without panic.
    Code(i32),
    /// A fault; the signal it is under Linux.
    Fault(fn(&Fault) -> bool, i32),
}

const ENDINGS: [(u64, Ending); 13] = [
    (0, Ending::Panic("on purpose, kind 0")),
    (1, Ending::Panic("index out of bounds")),
    (2, Ending::Panic("divide by zero")),
    (3, Ending::Panic("`None`")),
    (4, Ending::Fault(Fault::is_stack_overflow, 11)),
    (5, Ending::Panic("memory")),
    (6, Ending::Fault(is_illegal, 4)),
    (8, Ending::Fault(is_null_load, 11)),
    (9, Ending::Fault(is_store_to_code, 11)),
    (10, Ending::Code(7)),
    (11, Ending::Panic("main returns an error on purpose")),
    (12, Ending::Panic("panicked while it was formatted")),
    (13, Ending::Code(0)),
];

fn is_illegal(fault: &Fault) -> bool {
    // `unimp` with compressed instructions is the halfword zero.
    let FaultKind::IllegalInstruction { word, unsupported } = fault.kind else {
        return false;
    };
    (word, unsupported) == (0, None)
}

fn is_null_load(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::Unmapped { address: 0, .. })
}

fn is_store_to_code(fault: &Fault) -> bool {
    matches!(fault.kind, FaultKind::ReadOnly { .. })
}

#[test]
fn every_kind_of_failure_ends_as_the_panic_example_documents() {
    for (kind, ending) in &ENDINGS {
        let execution = execute("panic", &input!(kind));
        let context = format!("kind {kind}: {}", execution.exit);
        let committed: &[u8] = &[*kind as u8];
        match (ending, &execution.exit) {
            (Ending::Panic(text), Exit::Halted { code, panic }) => {
                let panic = panic.as_ref().expect("a panic was reported");
                assert!(panic.message.contains(text), "{context}");
                let is_error = *kind == 11;
                assert_eq!(
                    *code,
                    if is_error { 1 } else { EXIT_CODE_PANIC },
                    "{context}"
                );
                // A panic loses what was buffered, an error does not.
                let journal = if is_error { committed } else { &[] };
                assert_eq!(execution.journal.bytes(), journal, "{context}");
            }
            (Ending::Code(expected), Exit::Halted { code, panic: None }) => {
                assert_eq!(*code as i32, *expected, "{context}");
                assert_eq!(execution.journal.bytes(), committed, "{context}");
            }
            (Ending::Fault(is_expected, _), Exit::Faulted(fault)) => {
                assert!(is_expected(fault), "{context}");
                assert!(execution.journal.bytes().is_empty(), "{context}");
            }
            (Ending::Panic(_) | Ending::Code(_) | Ending::Fault(..), _) => panic!("{context}"),
        }
    }
}

#[test]
fn every_kind_of_failure_is_a_failure_under_the_emulator() {
    let Some(oracle) = oracle::find() else {
        return;
    };
    let program = program("panic");
    for (kind, ending) in &ENDINGS {
        let outcome = oracle::run(&oracle, program.machine(), input!(kind).machine());
        let outcome = outcome.expect("the emulator starts");
        let expected = match ending {
            Ending::Panic(_) if *kind == 11 => End::Exit(1),
            Ending::Panic(_) => End::Exit(EXIT_CODE_PANIC as i32),
            Ending::Code(code) => End::Exit(*code),
            Ending::Fault(_, signal) => End::Signal(*signal),
        };
        assert_eq!(outcome.end, expected, "kind {kind}");
    }
}

#[test]
fn an_endless_loop_ends_at_the_cycle_limit() {
    let limits = Limits {
        cycles_max: 100_000,
        ..Limits::STANDARD
    };
    let client = Client::builder().limits(limits).build();
    let client = client.expect("a client needs nothing");
    let execution = client.execute(&program("panic"), input!(7u64));
    let execution = execution.expect("the execution begins");
    assert_eq!(
        (execution.exit, execution.cycles),
        (Exit::CycleLimit, 100_000)
    );
}

#[test]
fn a_backtrace_names_the_functions_and_lines_of_the_guest() {
    let (program, input) = (program("panic"), input!(4u64));
    let client = Client::auto().expect("a client needs nothing");
    let execution = client.execute(&program, &input).expect("it begins");
    let frames = client
        .backtrace(&program, &input, &execution, 50)
        .expect("it begins again");
    assert_eq!(
        frames.len(),
        50,
        "the recursion is deeper than what is shown"
    );
    let is_library = |file: &str| file.starts_with("/rustc/");
    let is_own = |frame: &&Frame| !frame.file.as_deref().is_some_and(is_library);
    let own: Vec<&Frame> = frames.iter().filter(is_own).collect();
    assert!(own.len() > 20, "{frames:?}");
    for frame in own {
        let function = frame.function.as_deref().unwrap_or("?");
        assert!(function.ends_with("descend"), "{frame:?}");
        let file = frame.file.as_deref().unwrap_or("?");
        assert!(file.ends_with("panic/src/main.rs"), "{frame:?}");
        assert!(frame.line.is_some(), "{frame:?}");
    }
}

/// The input of `io`'s kind 0.
fn all_inputs() -> Input {
    let pair: (i32, Option<u8>) = (-7, Some(200));
    input!(0u8, 1u64 << 40, "grüße", pair).write_bytes(b"abcrest of it")
}

/// What kind 0 commits: `(number, text, pair)`, three raw bytes, and so on, in its order.
fn all_inputs_journal() -> Vec<u8> {
    let pair: (i32, Option<u8>) = (-7, Some(200));
    let input = all_inputs();
    let total = input.machine().bytes.len() as u64;
    let expected = input!((1u64 << 40, "grüße", pair)).write_bytes(b"abc");
    let expected = expected.write(&(10u64, true)).expect("it has an encoding");
    let expected = expected.write_bytes(b"rest of it");
    let expected = expected.write(&(0u64, total)).expect("it has an encoding");
    expected.machine().bytes.clone()
}

#[test]
fn every_way_to_read_the_input_gives_the_bytes_the_host_wrote() {
    let execution = execute("io", &all_inputs());
    assert!(execution.exit.is_success(), "{}", execution.exit);
    assert_eq!(execution.journal.bytes(), all_inputs_journal());
}

#[test]
fn spans_are_nested_counted_and_disjoint() {
    let execution = execute("io", &all_inputs());
    let paths: Vec<String> = execution.spans.iter().map(|s| s.path.join("/")).collect();
    assert_eq!(paths, ["typed", "typed/text", "raw"]);
    assert!(execution.spans.iter().all(|span| span.entered == 1));
    let cycles: Vec<u64> = execution.spans.iter().map(|span| span.cycles).collect();
    assert!(0 < cycles[1] && cycles[1] < cycles[0], "{cycles:?}");
    assert!(cycles[0] + cycles[2] < execution.cycles, "{cycles:?}");

    let execution = execute("json-query", &input!(DOCUMENT, "ok"));
    let [Span { path, cycles, .. }] = &execution.spans[..] else {
        panic!("one span is expected: {:?}", execution.spans);
    };
    assert_eq!(path, &["parse"]);
    assert!(2 * cycles > execution.cycles, "parsing is most of the work");
}

/// Hints of kind 1: a value and a number of bytes that needs several transfers.
fn long_hints() -> (Input, Vec<u8>) {
    let bytes: Vec<u8> = (0..150_001_u32).map(|at| (at ^ at >> 8) as u8).collect();
    let value = (9u64, "a hint");
    let input = input!(1u8, bytes.len() as u64);
    let input = input.hint(&value).expect("it has an encoding");
    let journal = input!(value).write_bytes(&bytes);
    (input.hint_bytes(&bytes), journal.machine().bytes.clone())
}

#[test]
fn hints_longer_than_a_transfer_arrive_whole_and_go_out_whole() {
    let (input, journal) = long_hints();
    let execution = execute("io", &input);
    assert!(execution.exit.is_success(), "{}", execution.exit);
    assert!(execution.journal.bytes() == journal);
}

#[test]
fn hints_that_end_early_are_a_panic() {
    let (input, _) = long_hints();
    let mut machine = input.machine().clone();
    let _ = machine.hints.pop();
    let short = Input::new()
        .write_bytes(&machine.bytes)
        .hint_bytes(&machine.hints);
    let execution = execute("io", &short);
    let Exit::Halted {
        code: EXIT_CODE_PANIC,
        panic: Some(panic),
    } = &execution.exit
    else {
        panic!("the guest ended with {}", execution.exit);
    };
    let expected = "the hint stream ended before the 150001 bytes asked for";
    assert_eq!(panic.message, expected);
}

#[test]
fn the_c_functions_see_the_whole_input_and_append_to_the_journal() {
    let input = input!(2u8).write_bytes(b"for C");
    let execution = execute("io", &input);
    assert!(execution.exit.is_success(), "{}", execution.exit);
    assert_eq!(execution.journal.bytes(), b"\x02for C\x02for C");
}

#[test]
fn a_journal_longer_than_a_transfer_keeps_every_byte_in_order() {
    for length in [0u64, 1, 4095, 4096, 4097, 65_536, 65_537, 300_001] {
        let execution = execute("io", &input!(3u8, length));
        assert!(execution.exit.is_success(), "{}", execution.exit);
        let expected: Vec<u8> = (0..length).map(|at| (at ^ (at >> 8)) as u8).collect();
        assert!(execution.journal.bytes() == expected, "{length} bytes");
    }
}

#[test]
fn copies_are_right_for_every_length_and_alignment() {
    let execution = execute("io", &input!(5u8));
    assert!(execution.exit.is_success(), "{}", execution.exit);
    let count: u64 = execution.journal.decode().unwrap();
    assert_eq!(count, 90 * 64);
}

#[test]
fn printed_text_is_captured_by_stream_and_is_no_part_of_the_journal() {
    struct Streams(Vec<(Stream, Vec<u8>)>);
    impl zkvm_sdk::Console for Streams {
        fn write(&mut self, stream: Stream, bytes: &[u8]) {
            self.0.push((stream, bytes.to_vec()));
        }
    }
    let all = format!("out 1 err \"two\" é\n{:>300}\n", "far");
    let execution = execute("io", &input!(4u8));
    assert_eq!(String::from_utf8_lossy(&execution.printed), all);
    assert!(execution.journal.bytes().is_empty());

    let mut streams = Streams(Vec::new());
    let client = Client::auto().expect("a client needs nothing");
    let execution = client.execute_with(&program("io"), input!(4u8), &mut streams);
    assert!(execution.is_ok_and(|execution| execution.printed.is_empty()));
    let of = |wanted| -> Vec<u8> {
        let written = streams.0.iter().filter(|(stream, _)| *stream == wanted);
        written.flat_map(|(_, bytes)| bytes.clone()).collect()
    };
    assert_eq!(of(Stream::Output), "out 1 é\n".as_bytes());
    let errors = format!(" err \"two\"{:>300}\n", "far");
    assert_eq!(of(Stream::Error), errors.as_bytes());
}

#[test]
fn every_kind_of_the_io_guest_does_the_same_under_the_emulator() {
    let Some(oracle) = oracle::find() else {
        return;
    };
    let program = program("io");
    for input in [
        all_inputs(),
        long_hints().0,
        input!(2u8).write_bytes(b"for C"),
        input!(3u8, 300_001u64),
        input!(4u8),
        input!(5u8),
    ] {
        let ours = execute("io", &input);
        let Exit::Halted { code, .. } = ours.exit else {
            panic!("the guest ended with {}", ours.exit);
        };
        let theirs = oracle::run(&oracle, program.machine(), input.machine());
        let theirs = theirs.expect("the emulator starts");
        assert_eq!(theirs.end, End::Exit(code as i32));
        assert!(theirs.journal == ours.journal.bytes());
        let printed = theirs.stdout.len() + theirs.stderr.len();
        assert!(code != 0 || printed == ours.printed.len());
    }
}

#[test]
fn segments_of_real_guests_pass_the_offline_memory_check() {
    let limits = SegmentLimits {
        rows_max: 1 << 15,
        cycles_max: 100_000,
        boundary_words_max: 10_000,
        ..SegmentLimits::STANDARD
    };
    for (name, input) in [
        ("sha256-chain", input!(20u64)),
        ("json-query", input!(DOCUMENT, "users.1.name")),
        ("types", input!(3u64)),
        ("io", all_inputs()),
        ("io", long_hints().0),
        ("io", input!(3u8, 100_001u64)),
        ("panic", input!(0u64)),
    ] {
        let program = program(name);
        let plain = execute(name, &input);
        let machine = program.machine();
        let (execution, parts) = parts(machine, input.machine(), &Limits::STANDARD, &limits);
        assert_eq!(execution.journal, plain.journal.bytes(), "{name}");
        assert_eq!(
            (execution.exit, execution.cycles),
            (plain.exit, plain.cycles),
            "{name}"
        );
        for part in &parts {
            check(machine, part);
            let again = zkvm_machine::replay(machine, &part.segment);
            assert!(again.as_ref() == Ok(&part.records), "{name}");
        }
    }
}

fn copy_sources(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder can be made");
    for entry in fs::read_dir(from).expect("a folder can be read") {
        let path = entry.expect("an entry can be read").path();
        let name = path.file_name().expect("an entry has a name");
        if name == "target" {
            continue;
        }
        if path.is_dir() {
            copy_sources(&path, &to.join(name));
        } else {
            fs::copy(&path, to.join(name)).expect("a file can be copied");
        }
    }
}

/// Copies the guest `io` with its runtime below it, as `zkvm new` lays guests out, and builds it.
fn build_copy(folder: &Path, target_dir: &Path) -> Program {
    copy_sources(&guests::root().join("tests/guests/io"), folder);
    for part in ["guest/rt", "vm/isa"] {
        copy_sources(&guests::root().join(part), &folder.join("zkvm").join(part));
    }
    let manifest = folder.join("Cargo.toml");
    let text = fs::read_to_string(&manifest).expect("the manifest is text");
    let text = text.replace("../../../guest/rt", "zkvm/guest/rt");
    fs::write(&manifest, text).expect("the manifest can be written");
    let built = guests::build_all(folder, target_dir);
    let [(name, path)] = &built[..] else {
        panic!("one binary is expected: {built:?}");
    };
    assert_eq!(name, "io");
    Program::from_file(path).expect("the copy loads")
}

/// The source's folder and the build's folder both differ, in length too.
#[test]
fn the_same_source_in_another_folder_builds_to_the_same_program() {
    let here = Path::new(TEMPORARY).join("identity");
    let here = build_copy(&here.join("io"), &here.join("target"));
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let folder = elsewhere.path().join("some/where/quite/else");
    let elsewhere = build_copy(&folder, &folder.join("built"));
    assert_eq!(here.id(), elsewhere.id());
    assert_eq!(here.machine().images(), elsewhere.machine().images());
}
