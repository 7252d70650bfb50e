//! Saves exchanges from the screen into a file.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::exchange::ExchangeNumber;
use crate::export::{Form, Saved, save};
use crate::report::Moments;
use crate::store::Archive;

/// A file that was opened to be written.
pub struct Target {
    path: PathBuf,
    file: File,
    form: Form,
}

/// Why a file is not written.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    /// A sentence for the user.
    pub reason: String,
    /// Whether it is written all the same if the user says so.
    pub may_insist: bool,
}

impl Target {
    /// Opens a file in the form that the ending of `path` tells. One that is there already is left
    /// alone unless it is to be overwritten, and in any case where it is one of those `in_use`:
    /// payloads are read from the capture as long as the screen is open.
    ///
    /// # Errors
    ///
    /// Where it is not to be written, or cannot be.
    pub fn open(path: &str, overwrite: bool, in_use: &[String]) -> Result<Self, Refused> {
        let refused = |reason| Refused { reason, may_insist: false };
        let form = Form::of_path(path).ok_or_else(|| {
            refused(format!("{path}: the name must end in .pcapng, .jsonl or .csv"))
        })?;
        let path = expanded(path);
        let shown = path.display();
        if in_use.iter().any(|used| is_same(Path::new(used), &path)) {
            let reason = format!("{shown} is there already, and is in use: choose another name");
            return Err(refused(reason));
        }
        let file = if overwrite { File::create(&path) } else { File::create_new(&path) };
        match file {
            Ok(file) => Ok(Self { path, file, form }),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(Refused {
                reason: format!(
                    "{shown} is there already: Enter overwrites it, or change the name"
                ),
                may_insist: true,
            }),
            Err(error) => Err(refused(format!("cannot save to {shown}: {error}"))),
        }
    }

    /// Writes the exchanges `numbers`, ascending, their times as `moments` tells them in CSV, and
    /// returns the sentence for the user.
    ///
    /// # Errors
    ///
    /// Where they cannot be written: the sentence.
    pub fn write(
        self,
        archive: &Archive,
        numbers: &[ExchangeNumber],
        moments: Option<Moments>,
    ) -> Result<String, String> {
        let Self { path, file, form } = self;
        match save(archive, numbers, form, moments, BufWriter::new(file)) {
            Ok(saved) => Ok(told(&path, saved, form)),
            Err(error) => Err(format!("cannot save to {}: {error}", path.display())),
        }
    }
}

/// Whether both lead to one file that is there.
fn is_same(one: &Path, other: &Path) -> bool {
    let place = |path: &Path| fs::canonicalize(path).ok();
    place(one).is_some_and(|one| place(other) == Some(one))
}

/// A name for a file that is not there yet: `wanted`, or the same with a number before its ending.
pub fn free_name(wanted: &str) -> String {
    let (stem, ending) = wanted.rfind('.').map_or((wanted, ""), |dot| wanted.split_at(dot));
    let numbered = (2..=NAMES).map(|number| format!("{stem}-{number}{ending}"));
    let mut names = std::iter::once(wanted.to_owned()).chain(numbered);
    let is_free = |name: &String| fs::symlink_metadata(expanded(name)).is_err();
    names.find(is_free).unwrap_or_else(|| wanted.to_owned())
}

/// Names that are tried: who has as many files chooses one without help.
const NAMES: u32 = 1_000;

/// `~/x` as a shell would read it: what is typed here no shell sees.
pub fn expanded(path: &str) -> PathBuf {
    match (path.strip_prefix("~/"), std::env::var_os("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(path),
    }
}

fn told(path: &Path, saved: Saved, form: Form) -> String {
    let Saved { exchanges, packets, missing } = saved;
    let packets = match form {
        Form::Pcapng => format!(" ({packets} packets)"),
        Form::JsonLines | Form::Csv => String::new(),
    };
    let missing = match missing {
        0 => String::new(),
        missing => format!("; {missing} could not be read whole any more"),
    };
    format!("saved {exchanges} exchanges{packets} to {}{missing}", path.display())
}

#[cfg(test)]
mod tests {
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_file_is_written_over_only_by_who_insists_and_never_while_it_is_in_use() {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("calls.jsonl").to_string_lossy().into_owned();
        assert_eq!(free_name(&path), path);
        fs::write(&path, "precious").unwrap();
        let second = folder.path().join("calls-2.jsonl").to_string_lossy().into_owned();
        assert_eq!(free_name(&path), second);

        let refused = Target::open(&path, false, &[]).err().unwrap();
        assert!(refused.may_insist && refused.reason.contains("is there already"), "{refused:?}");
        let used = format!("{}/./calls.jsonl", folder.path().display());
        let refused = Target::open(&path, true, &[used]).err().unwrap();
        assert!(!refused.may_insist && refused.reason.contains("in use"), "{refused:?}");
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        assert!(Target::open(&path, true, &[second]).is_ok());
        assert!(!Target::open("calls.txt", true, &[]).err().unwrap().may_insist);
        assert!(!Target::open("/nosuch/calls.csv", true, &[]).err().unwrap().may_insist);
    }
}
