//! The capture files that were read last, for the first page. Kept where the XDG specification puts
//! what a program remembers between runs.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::time::Timestamp;
use crate::tui::views::start::CaptureFile;

/// Files that are remembered.
const FILES: usize = 20;

/// Bytes of the list: no path is longer than 4096.
const LIST_BYTES: u64 = FILES as u64 * 4_097;

/// Files of the current folder that are offered beside them.
const HERE: usize = 50;

/// The capture files to offer: those read last, the newest first, then those of this folder.
pub fn files() -> Vec<CaptureFile> {
    paths().into_iter().filter_map(|path| described(&path)).collect()
}

fn described(path: &Path) -> Option<CaptureFile> {
    let metadata = fs::metadata(path).ok()?;
    let written = metadata.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let nanos = written.and_then(|since| i64::try_from(since.as_nanos()).ok());
    Some(CaptureFile {
        path: path.to_str()?.to_owned(),
        size: metadata.len(),
        modified: nanos.map(Timestamp::from_nanos),
    })
}

fn paths() -> Vec<PathBuf> {
    let mut files = remembered();
    files.retain(|file| file.is_file());
    let here = fs::read_dir(".").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut here: Vec<_> = here.filter(|path| is_capture(path) && path.is_file()).collect();
    here.sort();
    for path in here.into_iter().take(HERE) {
        let path = path.canonicalize().unwrap_or(path);
        if !files.contains(&path) {
            files.push(path);
        }
    }
    files
}

/// Remembers that `file` was read. Where that cannot be written, nothing is lost but comfort.
pub fn remember(file: &str) {
    let (Ok(path), Some(list)) = (Path::new(file).canonicalize(), list()) else { return };
    let mut files = remembered();
    files.retain(|known| *known != path);
    files.insert(0, path);
    files.truncate(FILES);
    let lines: Vec<_> = files.iter().filter_map(|path| path.to_str()).collect();
    if let Some(folder) = list.parent() {
        let _ = fs::create_dir_all(folder);
    }
    let _ = fs::write(list, lines.join("\n") + "\n");
}

fn remembered() -> Vec<PathBuf> {
    let text = list().and_then(|list| read(&list).ok()).unwrap_or_default();
    text.lines().filter(|line| !line.is_empty()).map(PathBuf::from).take(FILES).collect()
}

/// The text of the list. What is no file might have no end, or never begin.
fn read(list: &Path) -> io::Result<String> {
    let mut text = String::new();
    if list.is_file() {
        fs::File::open(list)?.take(LIST_BYTES).read_to_string(&mut text)?;
    }
    Ok(text)
}

fn list() -> Option<PathBuf> {
    let absolute = |path: PathBuf| path.is_absolute().then_some(path);
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).and_then(absolute);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    Some(state.or_else(home)?.join("nestscope/recent"))
}

/// Whether a path looks like a capture file.
pub fn is_capture(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let plain = name.strip_suffix(".gz").or_else(|| name.strip_suffix(".zst")).unwrap_or(name);
    [".pcap", ".pcapng", ".cap"].iter().any(|ending| plain.ends_with(ending))
}
