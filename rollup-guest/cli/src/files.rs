//! Reading and writing work files.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::path::Path;

use zkvm_rollup_node::work::{BYTES_MAX, Work};
use zkvm_sdk::Code;
use zkvm_terminal::failure::Failure;
use zkvm_terminal::interrupt;
use zkvm_terminal::output::write_file;

use crate::failures;

/// Reads a file, no further than work files are long.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let failed = |error: &std::io::Error| Failure::file(path, error);
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| failed(&error))?;
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    Ok(bytes)
}

/// Reads a work file.
pub(crate) fn work(path: &Path) -> Result<Work, Failure> {
    Work::from_bytes(&read(path)?).map_err(|error| failures::work(path, &error))
}

/// Writes a work file.
pub(crate) fn write_work(path: &Path, work: &Work) -> Result<(), Failure> {
    write_file(path, &work.to_bytes())
}

/// Work files that belong together: `NAME-0.work`, `NAME-1.work` and so on, and perhaps another one.
#[derive(Debug)]
pub(crate) struct Series<'a> {
    pub(crate) name: &'static str,
    pub(crate) works: Vec<&'a Work>,
    /// Where the other one may be: its name, and it if there is one.
    pub(crate) whole: Option<(&'static str, Option<&'a Work>)>,
}

impl Series<'_> {
    /// Writes all files into a folder, or none. It is created if it is not there.
    pub(crate) fn write(&self, folder: &Path) -> Result<(), Failure> {
        let is_new = !folder.exists();
        if !is_new && !folder.is_dir() {
            let cause = format!("{} is not a folder", folder.display());
            return Err(failures::input(Code(201), cause));
        }
        fs::create_dir_all(folder).map_err(|error| Failure::file(folder, &error))?;
        let _writing = interrupt::hold();
        let written = self.try_write(folder);
        if written.is_err() && is_new {
            let _ = fs::remove_dir(folder);
        }
        written
    }

    /// The name of the work file at a position.
    pub(crate) fn name_of(name: &str, index: usize) -> String {
        format!("{name}-{index}.work")
    }

    fn try_write(&self, folder: &Path) -> Result<(), Failure> {
        let failed = |error: &std::io::Error| Failure::file(folder, error);
        let works = self.works.iter().enumerate();
        let mut files: Vec<(String, &Work)> = works
            .map(|(index, work)| (Series::name_of(self.name, index), *work))
            .collect();
        if let Some((name, Some(work))) = self.whole {
            files.push((name.to_owned(), work));
        }
        for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
            let name = entry.map_err(|error| failed(&error))?.file_name();
            let name = name.to_string_lossy();
            if self.is_member(&name) && !files.iter().any(|(other, _)| *other == name) {
                let cause = format!("{} has {name} of something else", folder.display());
                return Err(failures::input(Code(621), cause));
            }
        }
        for (name, _) in &files {
            check_replaceable(&folder.join(name))?;
        }
        // What may fail is done beside the files, which are then moved to their places.
        let beside = tempfile::tempdir_in(folder).map_err(|error| failed(&error))?;
        for (name, work) in &files {
            let written = fs::write(beside.path().join(name), work.to_bytes());
            written.map_err(|error| Failure::file(&folder.join(name), &error))?;
        }
        for (name, _) in &files {
            let moved = fs::rename(beside.path().join(name), folder.join(name));
            moved.map_err(|error| Failure::file(&folder.join(name), &error))?;
        }
        Ok(())
    }

    /// Whether a file's name is that of one of such a series, however long.
    fn is_member(&self, name: &str) -> bool {
        let number = name.strip_prefix(self.name).and_then(|it| {
            let number = it.strip_prefix('-')?.strip_suffix(".work")?;
            number.parse::<usize>().ok()
        });
        number.is_some() || self.whole.is_some_and(|(whole, _)| name == whole)
    }
}

/// Refuses a place with something that may not be replaced by a file.
fn check_replaceable(path: &Path) -> Result<(), Failure> {
    let found = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => Err(std::io::Error::other("it is not a file")),
        Ok(_) => OpenOptions::new().write(true).open(path).map(drop),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    };
    found.map_err(|error| Failure::file(path, &error))
}
