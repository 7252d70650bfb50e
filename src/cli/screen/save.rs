//! Saves exchanges from the screen into a file.

use std::fs::File;
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use crate::export::{Form, Saved, save};
use crate::store::Archive;

/// Saves the exchanges `numbers`, ascending, in the form that the ending of `path` tells. Returns the
/// sentence for the user, whatever came of it.
///
/// A file that is there already is left alone: it may be the capture that is being read.
pub fn save_to(archive: &Archive, path: &str, numbers: &[u64]) -> String {
    let Some(form) = Form::of_path(path) else {
        return format!("{path}: the name must end in .pcapng, .jsonl or .csv");
    };
    let path = expanded(path);
    match write(archive, &path, numbers, form) {
        Ok(saved) => told(&path, saved, form),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            format!("{} is there already, and was left alone: choose another name", path.display())
        }
        Err(error) => format!("cannot save to {}: {error}", path.display()),
    }
}

fn write(archive: &Archive, path: &Path, numbers: &[u64], form: Form) -> io::Result<Saved> {
    save(archive, numbers, form, BufWriter::new(File::create_new(path)?))
}

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
