//! The table of error codes, with causes and next steps.

use zkvm_sdk::Code;

/// One error code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its number.
    pub number: u16,
    /// What it is about.
    pub title: &'static str,
    /// Why it happens.
    pub why: &'static str,
    /// What to do.
    pub next: &'static str,
}

const fn entry(number: u16, title: &'static str, why: &'static str, next: &'static str) -> Entry {
    Entry {
        number,
        title,
        why,
        next,
    }
}

/// Every error code, in order. 01xx: loading; 02xx: input and files; 03xx: execution; 04xx:
/// proofs; 05xx: building; 06xx: the rollup's tools; 09xx: the command itself.
pub const ENTRIES: &[Entry] = &[
    entry(
        101,
        "not an ELF file",
        "The file does not begin with an ELF header that can be read, or its program header table \
         is damaged.",
        "name the file that `zkvm build` prints, or a guest's folder",
    ),
    entry(
        102,
        "program too large",
        "Files above 512 MiB and code spanning more than 32 MiB are refused.",
        "link code into one range of addresses, or make the program smaller",
    ),
    entry(
        103,
        "wrong processor or calling convention",
        "The machine runs little-endian 64-bit RISC-V with the lp64 calling convention.",
        "build for riscv64imac-unknown-none-elf; `zkvm build` does",
    ),
    entry(
        104,
        "not a static executable",
        "Shared objects, position-independent and dynamically linked files need a loader that the \
         machine does not have.",
        "link statically without PIE (`-static -no-pie`, relocation-model=static)",
    ),
    entry(
        105,
        "no code at the entry",
        "The file has no executable segment, or its entry is not an aligned address in one.",
        "check that the linker script sets ENTRY(_start) and keeps the start section",
    ),
    entry(
        106,
        "segments in the wrong place",
        "Segments must lie between 0x1000 and 0xC0000000, must not overlap, must be whole in the \
         file without sharing its bytes, and read-only and writable bytes must not share an 8-byte \
         word.",
        "use the runtime's link.ld, or align segments to pages in your own script",
    ),
    entry(
        107,
        "segment permissions",
        "Segments may be readable, readable and writable, or readable and executable. Code that \
         can be written could change while it is proved.",
        "give code and data segments of their own (`-z separate-code`, no `-N`)",
    ),
    entry(
        108,
        "unsupported instruction",
        "A function contains an instruction of an extension that the machine lacks.",
        "build for RV64IMAC without F, D, V and CSR access (-march=rv64imac -mabi=lp64)",
    ),
    entry(
        201,
        "file",
        "A file or folder cannot be read or written.",
        "check the path and its permissions",
    ),
    entry(
        202,
        "value cannot be encoded",
        "The value's type has no postcard encoding, for example a sequence of unknown length.",
        "use a type with a known length",
    ),
    entry(
        203,
        "journal cannot be decoded",
        "The journal is not the postcard encoding of the type that was asked for.",
        "decode the tuple of everything the guest commits, in order",
    ),
    entry(
        204,
        "input too long",
        "The input region holds 512 MiB less 16 bytes; a source of hints may be as long.",
        "split the work into several executions",
    ),
    entry(
        205,
        "segment limits",
        "A segment must have room for the largest single instruction.",
        "use the standard segment limits",
    ),
    entry(
        206,
        "input is neither a value nor a file",
        "`--input` takes a JSON value, `0x` and hexadecimal digits, a file or `-`.",
        "put text in quotes inside quotes, for example --input '\"text\"'; see `zkvm run --help`",
    ),
    entry(
        207,
        "too little memory to prove",
        "Tables of fixed height and the smallest segments take 1 GiB, whatever the execution.",
        "give --max-memory 1G or more, or leave it out: segments are cut to fit what is free",
    ),
    entry(
        301,
        "cycle limit",
        "The guest executed as many instructions as it was allowed.",
        "look for an endless loop in the backtrace, or raise --max-cycles",
    ),
    entry(
        302,
        "memory limit",
        "The guest touched more memory than it was allowed.",
        "raise --max-memory, or let the guest free what it no longer needs",
    ),
    entry(
        303,
        "journal limit",
        "The guest committed more than 16 MiB.",
        "commit a hash of the data instead",
    ),
    entry(
        310,
        "guest exit code",
        "The guest halted with a code other than 0, or its `main` returned an error; its journal was \
         written all the same.",
        "see the guest's source for the meaning of its exit codes and errors",
    ),
    entry(
        311,
        "guest panic",
        "The guest's code panicked: a failed assertion, an index out of bounds, arithmetic \
         overflow or division by zero, or no memory left on the heap.",
        "see the location above; `-v` shows every frame",
    ),
    entry(
        312,
        "stack overflow",
        "The guest's stack holds 8 MiB; an access below it faults.",
        "look for unbounded recursion in the backtrace, or move large values to the heap",
    ),
    entry(
        313,
        "illegal instruction",
        "The guest executed a word that is no instruction of the machine, often the trap that a \
         compiler puts after code that never returns.",
        "see the location above; look for undefined behaviour or an unreachable!() that was reached",
    ),
    entry(
        314,
        "memory fault",
        "The guest accessed memory where nothing is mapped, or stored to code, constants or the \
         input.",
        "see the location above; look for null or dangling pointers",
    ),
    entry(
        315,
        "jump outside the code",
        "The guest jumped to an address that holds no instruction.",
        "see the last call above; look for a damaged function pointer or return address",
    ),
    entry(
        316,
        "breakpoint",
        "The guest executed `ebreak`.",
        "remove it; there is no debugger to take it",
    ),
    entry(
        317,
        "wrong system call",
        "The guest made a call the machine does not have, or gave one a wrong descriptor, buffer, \
         length or operand.",
        "use the functions of zkvm-guest and zkvm-accel; the tables of calls are in \
         vm/isa/src/{syscall,precompile}.rs",
    ),
    entry(
        318,
        "software hash or curve",
        "A warning: at least a tenth of the cycles compute a hash or a curve by instructions, though \
         the machine has a precompile that does the same in one call.",
        "use zkvm-accel (keccak, sha256, modular, secp256k1) or the library's hook for it: \
         the book's section on precompiles",
    ),
    entry(
        401,
        "program too large to prove",
        "A table of the program, for example its instructions, exceeds the greatest height.",
        "make the program smaller",
    ),
    entry(
        402,
        "cannot be proved",
        "The execution is beyond what a proof can be of: more than 2^16 segments, or more memory, \
         journal or hints than the tables hold. It runs all the same.",
        "split the work into several executions, or raise --max-memory for longer segments",
    ),
    entry(
        403,
        "other exit code",
        "A proof says with which exit code the guest halted; the guest halted otherwise.",
        "run it with `zkvm run`, or prove the code it gives with --expect-exit",
    ),
    entry(
        404,
        "proof does not hold",
        "The proof is damaged, of another statement, or forged.",
        "get the proof again from whoever made it",
    ),
    entry(
        405,
        "proof of another program",
        "The proof names another program id than that of the program given.",
        "compare `zkvm id` of both programs; a rebuilt guest may differ",
    ),
    entry(
        406,
        "proof of another exit code",
        "The proof names another exit code than the one asked for.",
        "ask for the code it names with --expect-exit, if that is what you want to accept",
    ),
    entry(
        407,
        "not a proof file",
        "The file does not begin as proof files do, is damaged, or is not encoded as they are.",
        "name the file that `zkvm prove` wrote; transfer it as binary",
    ),
    entry(
        408,
        "proof of another version or of other parameters",
        "The file was written by a version of zkvm with another format, machine or hash, or with \
         parameters of no level. It may hold; this version cannot tell.",
        "verify it with the version that wrote it, or prove again with this one",
    ),
    entry(
        409,
        "too little security",
        "The proof's own shape and parameters give fewer bits of proven security than the level \
         that is demanded, or none that are known.",
        "see `zkvm inspect PROOF --program PROGRAM`; prove again with --level high, or demand less",
    ),
    entry(
        410,
        "cancelled",
        "Whoever asked for the proof cancelled it.",
        "ask again",
    ),
    entry(
        411,
        "level that the hash does not have",
        "Digests of Poseidon2 are too short for the high level: no proof with them has 128 bits.",
        "use --hash blake3, or --level standard",
    ),
    entry(
        501,
        "no guest here",
        "The folder holds no Cargo.toml.",
        "name a guest's folder or an ELF file, or make a guest with `zkvm new NAME`",
    ),
    entry(
        502,
        "Rust is missing",
        "`cargo` or `rustc` could not be started.",
        "install Rust from https://rustup.rs",
    ),
    entry(
        503,
        "Rust target missing",
        "Guests are built for riscv64imac-unknown-none-elf; rustup could not install it.",
        "run `rustup target add riscv64imac-unknown-none-elf` where there is a network",
    ),
    entry(
        504,
        "guest does not compile",
        "The compiler or linker refused the guest.",
        "see the compiler's messages above",
    ),
    entry(
        505,
        "no such binary",
        "The package builds no binary, or not the one that was asked for.",
        "name one of the binaries with --bin, or add src/main.rs",
    ),
    entry(
        506,
        "several binaries",
        "The package builds several binaries and none was chosen.",
        "choose one with --bin NAME",
    ),
    entry(
        507,
        "not a name for a guest",
        "Names begin with a letter and consist of letters, digits, `-` and `_`. Words of the \
         language, names of crates that every guest uses and of folders that cargo makes are taken.",
        "choose another name, for example `zkvm new my-guest`",
    ),
    entry(
        508,
        "folder exists",
        "`zkvm new` does not write into a folder that has something in it.",
        "choose another name, or move the folder away",
    ),
    entry(
        601,
        "zkvm-rollup is missing",
        "`zkvm rollup` starts the command zkvm-rollup, which is neither beside zkvm nor in PATH.",
        "run `cargo install --path rollup-guest/cli` in the repository of zkvm",
    ),
    entry(
        602,
        "not a work file",
        "The file was not written by `zkvm rollup`, is damaged, or is of another version.",
        "write it again with `zkvm rollup import`, `make-chain`, `split` or `compose`",
    ),
    entry(
        603,
        "block not valid",
        "The block breaks a rule of its chain, so there is no claim about it to prove.",
        "see which rule above; check that the chain's rules are those of the block (--chain)",
    ),
    entry(
        604,
        "witness does not serve",
        "Trie nodes, codes or headers that the validation reads are not in the witness, or are not \
         what their hash says. That says nothing about the block.",
        "import the block again, from a node whose witnesses are complete; write a batch's work file \
         again",
    ),
    entry(
        605,
        "EVM failed",
        "The EVM gave up for a reason that is neither the block's nor the witness's.",
        "report the message above with the work file",
    ),
    entry(
        606,
        "fixture not understood",
        "The file has none of the known forms, or is about rules that are not implemented: those \
         before the Merge, or after the second blob parameter fork.",
        "name a blockchain test of execution-spec-tests or ethereum/tests, or a block of raiko",
    ),
    entry(
        607,
        "which block",
        "The fixture or the node has several blocks, and none or no existing one was chosen.",
        "choose one with --block, of a fixture with --case besides",
    ),
    entry(
        608,
        "node cannot be reached",
        "There was no connection, or no whole answer in time.",
        "check the address and that the node's HTTP interface is on; --timeout waits longer",
    ),
    entry(
        609,
        "node answers with an error",
        "The node, or what is in front of it, refused the request.",
        "see its message above; witnesses of old blocks need an archive node",
    ),
    entry(
        610,
        "node lacks a method",
        "The node does not have the method, or does not offer it over HTTP.",
        "use reth, Nethermind, Erigon or a recent geth, and offer the namespace: `--http.api eth,debug`",
    ),
    entry(
        611,
        "block not found",
        "The node has no such block.",
        "check the number, and that the node is synchronized",
    ),
    entry(
        612,
        "node's answer does not fit",
        "The answer is of another form, or a hash is not that of what it stands for, or the chain \
         was reorganized between two calls.",
        "import it again; if it happens again, use another node",
    ),
    entry(
        613,
        "not a public output",
        "The file is not the JSON of a public output of the proof's kind.",
        "name what `zkvm rollup exec FILE --format json` prints",
    ),
    entry(
        614,
        "proof of something else",
        "The proof holds, but what it proves is not what was demanded.",
        "see both values above; get the proof of the right block or batch",
    ),
    entry(
        615,
        "not told by the proof",
        "The proof of a batch or a composition has the digest of its public output only.",
        "give the output with --out, or the work file with --input; an output without the field \
         can be demanded as a whole only",
    ),
    entry(
        616,
        "rules of another chain",
        "The chain is unknown, or the node is of another one than was named.",
        "name the rules with --chain: mainnet, sepolia, hoodi, or a fork such as prague",
    ),
    entry(
        617,
        "outputs do not compose",
        "Blocks compose to their batch if they are all of it, in their order; batches compose if each \
         follows the one before it.",
        "see which one above; name all of them in their order",
    ),
    entry(
        618,
        "batch is not executed",
        "The batch is refused before its blocks are executed: one block of forced items comes in \
         their place, and nothing is known about theirs.",
        "prove the batch itself, which proves the refusal",
    ),
    entry(
        619,
        "work of another kind",
        "Whole batches can be cut into blocks and composed to ranges; nothing else can.",
        "name a work file of a whole batch",
    ),
    entry(
        620,
        "not the parts of the composition",
        "A composition verifies no proof: it says what follows if its parts hold, so it takes theirs \
         all, in their order. Other proofs have no parts.",
        "give --parts the proofs of all parts in their order; a part that is a composition itself \
         after its own parts",
    ),
    entry(
        621,
        "files of something else",
        "The folder has work files of such names that would stay beside those to be written, and \
         nobody could tell which belong together. Nothing was written.",
        "name another folder, or move these files away",
    ),
    entry(
        900,
        "a bug in zkvm",
        "The command met a state that its authors held to be impossible.",
        "report the message above with the program and the input that led to it",
    ),
    entry(
        901,
        "unknown error code",
        "There is no such code.",
        "`zkvm explain` without a code lists them all",
    ),
    entry(
        902,
        "something is missing",
        "`zkvm doctor` found that a guest cannot be built on this machine.",
        "follow the line that says `missing`",
    ),
];

/// The next step of `code`; empty for a code that is not in the table.
#[must_use]
pub fn next_step(code: Code) -> &'static str {
    ENTRIES
        .iter()
        .find(|entry| entry.number == code.0)
        .map_or("", |entry| entry.next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_sorted_unique_and_complete() {
        assert!(
            ENTRIES
                .windows(2)
                .all(|pair| pair[0].number < pair[1].number)
        );
        for entry in ENTRIES {
            assert!(!entry.title.is_empty() && entry.why.ends_with('.') && !entry.next.is_empty());
        }
    }
}
