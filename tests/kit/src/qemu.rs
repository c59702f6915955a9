//! Runs an ELF file under `qemu-riscv64`, the independent oracle.
//!
//! The emulator's descriptors 3 and 4 are files, as the system calls of the machine have them:
//! the journal is written to 3, hints are read from 4. A shell opens them, so that no unsafe code
//! is needed here, and forbids core files.

use std::env;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long a guest may run unless a test says otherwise.
pub const TIMEOUT: Duration = Duration::from_secs(60);

const SCRIPT: &str = r#"ulimit -c 0; exec "$0" "$1" 3>"$2" 4<"$3""#;

/// The emulator found on this machine.
#[derive(Clone, Debug)]
pub struct Qemu {
    path: PathBuf,
}

/// What to run.
#[derive(Clone, Copy, Debug)]
pub struct Guest<'a> {
    /// The ELF file.
    pub elf: &'a [u8],
    /// What descriptor 4 yields.
    pub hints: &'a [u8],
    /// When to kill it.
    pub timeout: Duration,
}

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The guest exited with this code.
    Exit(i32),
    /// A signal ended it: 4 illegal instruction, 5 trap, 7 and 11 memory faults.
    Signal(i32),
    /// It ran past the timeout and was killed.
    TimedOut,
}

/// What a run left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub end: End,
    /// What it wrote to descriptor 1.
    pub stdout: Vec<u8>,
    /// What it, or the emulator itself, wrote to descriptor 2.
    pub stderr: Vec<u8>,
    /// What it wrote to descriptor 3.
    pub journal: Vec<u8>,
}

/// The emulator, or `None` where it is not on `PATH`.
pub fn find() -> Option<Qemu> {
    let path = env::var_os("PATH")?;
    let mut candidates = env::split_paths(&path).map(|dir| dir.join("qemu-riscv64"));
    candidates
        .find(|file| file.is_file())
        .map(|path| Qemu { path })
}

/// What a test says when [`find`] has nothing.
pub fn notice() -> &'static str {
    "skipped: qemu-riscv64 is not on PATH; it is the oracle of this test. \
     Install it with: apt-get install qemu-user"
}

impl Qemu {
    /// Runs a file without hints for at most [`TIMEOUT`].
    pub fn run(&self, elf: &[u8]) -> io::Result<Outcome> {
        self.run_guest(Guest {
            elf,
            hints: &[],
            timeout: TIMEOUT,
        })
    }

    /// Runs a guest to its end or to its timeout.
    ///
    /// Errors: those of making the temporary files and of starting the shell.
    pub fn run_guest(&self, guest: Guest<'_>) -> io::Result<Outcome> {
        let dir = tempfile::tempdir()?;
        let file = |name: &str| dir.path().join(name);
        fs::write(file("guest"), guest.elf)?;
        fs::write(file("hints"), guest.hints)?;
        make_executable(&file("guest"))?;
        let mut child = Command::new("sh")
            .current_dir(dir.path())
            .args([OsStr::new("-c"), OsStr::new(SCRIPT), self.path.as_os_str()])
            .args(["./guest", "journal", "hints"])
            .stdin(Stdio::null())
            .stdout(File::create(file("stdout"))?)
            .stderr(File::create(file("stderr"))?)
            .spawn()?;
        let end = match wait(&mut child, guest.timeout)? {
            None => End::TimedOut,
            Some(status) => end_of(status),
        };
        Ok(Outcome {
            end,
            stdout: fs::read(file("stdout"))?,
            stderr: fs::read(file("stderr"))?,
            journal: fs::read(file("journal"))?,
        })
    }
}

fn make_executable(file: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(file, fs::Permissions::from_mode(0o700))
}

fn end_of(status: ExitStatus) -> End {
    match (status.code(), status.signal()) {
        (Some(code), _) => End::Exit(code),
        (None, signal) => End::Signal(signal.unwrap_or(0)),
    }
}

/// Waits for a child; kills it at the timeout and gives `None`.
fn wait(child: &mut Child, timeout: Duration) -> io::Result<Option<ExitStatus>> {
    let started = Instant::now();
    let mut pause = Duration::from_micros(500);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if started.elapsed() >= timeout {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(20));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::asm::base::{addi, ebreak, ecall, jal, ld};
    use crate::asm::{Assembler, Reg};
    use crate::elf::ElfBuilder;

    const TEXT: u64 = 0x1_0000;
    const HEAP: u64 = 0x10_0000;

    fn system_call(asm: &mut Assembler, number: u64, arguments: [u64; 3]) {
        for (register, value) in [Reg::A0, Reg::A1, Reg::A2].into_iter().zip(arguments) {
            asm.li(register, value);
        }
        asm.li(Reg::A7, number);
        asm.emit(ecall());
    }

    fn run(asm: Assembler, hints: &[u8], timeout: Duration) -> Option<Outcome> {
        let Some(qemu) = find() else {
            eprintln!("{}", notice());
            return None;
        };
        let text = asm.finish().bytes;
        let elf = ElfBuilder::new(TEXT)
            .text(TEXT, text)
            .with_input(b"public!!", HEAP, 0x2000);
        let guest = Guest {
            elf: &elf.build(),
            hints,
            timeout,
        };
        Some(
            qemu.run_guest(guest)
                .expect("temporary files and a shell must be available"),
        )
    }

    #[test]
    fn input_hints_journal_and_exit_code_pass_through() {
        let mut asm = Assembler::new(TEXT);
        system_call(&mut asm, 63, [4, HEAP, 4096]);
        asm.emit(addi(Reg::A2, Reg::A0, 0));
        asm.li(Reg::A0, 3);
        asm.li(Reg::A1, HEAP);
        asm.li(Reg::A7, 64);
        asm.emit(ecall());
        system_call(&mut asm, 64, [1, 0xd000_0010, 8]);
        asm.li(Reg::T0, 0xd000_0000);
        asm.emit(ld(Reg::A0, Reg::T0, 0));
        asm.li(Reg::A7, 93);
        asm.emit(ecall());
        let Some(outcome) = run(asm, b"hinted", TIMEOUT) else {
            return;
        };
        assert_eq!(outcome.end, End::Exit(8));
        assert_eq!(outcome.stdout, b"public!!");
        assert_eq!(outcome.journal, b"hinted");
    }

    #[test]
    fn a_trap_is_a_signal() {
        let mut asm = Assembler::new(TEXT);
        asm.emit(ebreak());
        let Some(outcome) = run(asm, &[], TIMEOUT) else {
            return;
        };
        assert_eq!(outcome.end, End::Signal(5));
    }

    #[test]
    fn an_endless_guest_is_killed() {
        let mut asm = Assembler::new(TEXT);
        asm.emit(jal(Reg::ZERO, 0));
        let Some(outcome) = run(asm, &[], Duration::from_millis(200)) else {
            return;
        };
        assert_eq!(outcome.end, End::TimedOut);
    }
}
