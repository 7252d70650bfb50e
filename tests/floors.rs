//! The rules of the house, checked against the text of `src/`: what a floor may import, who may
//! name which outside package, who may read a clock, and who may print. And how wide a comment is.
//!
//! Reads words, not Rust, without comments and texts; unit tests count like the rest.

#![allow(clippy::unwrap_used, clippy::panic)]

use std::fs;
use std::path::{Path, PathBuf};

/// Columns of a line: rustfmt keeps code to as many, and leaves comments as they are.
const COLUMNS: usize = 100;

/// The floors, from the ground. A floor may name itself and those before it; the names that share
/// a row may not name each other.
const FLOORS: &[&[&str]] = &[
    &["time"],
    &["packet"],
    &["endpoint"],
    &["limits"],
    &["names"],
    &["json"],
    &["source", "decode"],
    &["stream"],
    &["protocol"],
    &["exchange"],
    &["engine"],
    &["query"],
    &["store"],
    &["report"],
    &["export"],
    &["tui"],
    &["cli"],
];

/// Words that only some places may hold, by the beginning of their path in `src/`.
const RESERVED: &[(&str, &[&str])] = &[
    ("pcap::", &["source/"]),
    ("etherparse", &["decode/"]),
    ("clap::", &["cli/"]),
    ("clap_complete", &["cli/"]),
    ("clap_mangen", &["cli/"]),
    ("indicatif", &["cli/"]),
    ("ctrlc", &["cli/"]),
    ("terminal_size", &["cli/"]),
    ("ratatui", &["tui/"]),
    ("crossterm", &["tui/"]),
    ("tui_input", &["tui/"]),
    ("regex", &["query/"]),
    // Time comes with the packet. A live source needs to know how long it has gathered, and dates
    // by the system clock how far an idle interface has come: its own comments say why.
    ("Instant", &["cli/", "source/live.rs"]),
    ("SystemTime", &["cli/", "source/live.rs"]),
    // Output goes to a `Write` that was given.
    ("print!", &[]),
    ("println!", &[]),
    ("eprint!", &[]),
    ("eprintln!", &[]),
    ("dbg!", &[]),
    // A source can save what it captures to standard output: `-w -`. A panic must find the terminal
    // on its own to restore it.
    ("stdout", &["cli/", "source/any.rs", "tui/terminal.rs"]),
    ("stderr", &["cli/"]),
    ("unsafe", &[]),
    ("thread::", &["cli/", "source/"]),
];

#[test]
fn floors_name_only_floors_below() {
    let mut named = 0;
    let mut broken = Vec::new();
    for file in sources() {
        let Some(own) = file.floor() else { continue };
        for (line, other) in file.names_from_the_root() {
            named += 1;
            if own != other && height(&own) <= height(&other) {
                broken.push(format!("{}:{line}: {own} names {other}", file.name));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
    assert!(named > 100, "only {named} paths were found: does this test still read them?");
}

#[test]
fn words_stay_where_they_belong() {
    let mut broken = Vec::new();
    for file in sources() {
        for (word, places) in RESERVED {
            if places.iter().any(|place| file.name.starts_with(place)) {
                continue;
            }
            let lines = file.lines().filter(|(_, line)| holds(line, word));
            broken.extend(lines.map(|(number, _)| format!("{}:{number}: {word}", file.name)));
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn no_comment_is_wider_than_the_code() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("build.rs")];
    for folder in ["src", "tests", "examples"] {
        files.extend(files_below(&root.join(folder)));
    }
    let mut wide = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let comments = (1..).zip(text.lines()).filter(|(_, line)| line.trim().starts_with("//"));
        let too_wide = comments.filter(|(_, line)| line.chars().count() > COLUMNS);
        let path = path.strip_prefix(root).unwrap().display();
        wide.extend(too_wide.map(|(number, _)| format!("{path}:{number}")));
    }
    assert!(wide.is_empty(), "wider than {COLUMNS} columns:\n{}", wide.join("\n"));
}

#[test]
fn every_module_has_its_floor() {
    let map = sources().into_iter().find(|file| file.name == "lib.rs").unwrap();
    let mut modules: Vec<_> = map
        .lines()
        .filter_map(|(_, line)| Some(line.split("mod ").nth(1)?.trim_end_matches(';').to_owned()))
        .collect();
    let mut floors: Vec<_> = FLOORS.concat();
    modules.sort_unstable();
    floors.sort_unstable();
    assert_eq!(modules, floors);
}

#[test]
fn the_reader_of_paths_reads_them() {
    let file = Source::new("store/x.rs", SAMPLE);
    let names: Vec<_> = file.names_from_the_root().collect();
    let expected =
        [(1, "time"), (2, "engine"), (2, "report"), (5, "cli"), (7, "json"), (8, "limits")];
    assert_eq!(names, expected.map(|(line, name)| (line, name.to_owned())));
    assert!(holds("use pcap::Capture;", "pcap::"));
    assert!(!holds("found_in_pcap::x()", "pcap::"));
    assert!(!holds("writeln!(out)", "println!"));
    assert!(!holds("eprintln!()", "println!"));
}

const SAMPLE: &str = r#"use crate::time::Timestamp;
use crate::{engine::{Counts, Config}, report};
// crate::cli is only mentioned here
let text = "and crate::source here";
fn f(x: &crate::cli::Args) { let c = '"'; }
/* crate::decode
   */ use crate::json;
use super::super::limits;
use super::own;
"#;

/// A file of `src/`, its comments and texts blanked out.
struct Source {
    /// Its path below `src/`.
    name: String,
    code: String,
}

impl Source {
    fn new(name: &str, text: &str) -> Self {
        Self { name: name.to_owned(), code: blanked(text) }
    }

    /// The floor it belongs to; `lib.rs` and `main.rs` stand outside the house.
    fn floor(&self) -> Option<String> {
        let floor = self.name.split(['/', '.']).next().unwrap();
        (!matches!(floor, "lib" | "main")).then(|| floor.to_owned())
    }

    fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        (1..).zip(self.code.lines())
    }

    /// The modules of the crate's root that are named, each with its line.
    fn names_from_the_root(&self) -> impl Iterator<Item = (usize, String)> {
        let up = "super::".repeat(self.depth());
        let mut found = Vec::new();
        for root in ["crate::", &up] {
            for (at, _) in self.code.match_indices(root) {
                let before = self.code.get(..at).unwrap();
                // The `crate` of `pub(in crate::…)` is wanted too; a longer word is not.
                if before.ends_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | ':')) {
                    continue;
                }
                let line = before.matches('\n').count() + 1;
                let after = self.code.get(at + root.len()..).unwrap();
                found.extend(first_names(after).into_iter().map(|name| (line, name)));
            }
        }
        found.sort();
        found.into_iter()
    }

    /// How often `super` leads from here to the root.
    fn depth(&self) -> usize {
        let folders = self.name.matches('/').count();
        if self.name.ends_with("mod.rs") { folders } else { folders + 1 }
    }
}

/// The name that a path goes on with, or the names where braces open.
fn first_names(path: &str) -> Vec<String> {
    let word = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let names = match path.strip_prefix('{') {
        None => vec![word(path)],
        Some(list) => {
            let mut names = vec![word(list)];
            let mut depth = 1;
            for (at, c) in list.char_indices() {
                match c {
                    '{' => depth += 1,
                    '}' => depth -= 1,
                    ',' if depth == 1 => names.push(word(list.get(at + 1..).unwrap())),
                    _ => {}
                }
                if depth == 0 {
                    break;
                }
            }
            names
        }
    };
    // `super::*` and the like name nothing; a type in `lib.rs` there is none.
    names.into_iter().filter(|name| FLOORS.concat().contains(&name.as_str())).collect()
}

fn height(floor: &str) -> usize {
    FLOORS
        .iter()
        .position(|row| row.contains(&floor))
        .unwrap_or_else(|| panic!("{floor} has no floor: add it to FLOORS"))
}

/// Whether `line` holds `word`, and not as the end of a longer one.
fn holds(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        !line.get(..at).unwrap().ends_with(|c: char| c.is_alphanumeric() || c == '_')
    })
}

/// The files of `src/`.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let source = |path: PathBuf| {
        let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
        Source::new(&name, &fs::read_to_string(&path).unwrap())
    };
    let files: Vec<_> = files_below(&root).into_iter().map(source).collect();
    assert!(files.len() > 50, "only {} files", files.len());
    files
}

/// The files of Rust in a folder and below it, in the order of their paths.
fn files_below(root: &Path) -> Vec<PathBuf> {
    let mut folders = vec![root.to_owned()];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort_unstable();
    files
}

/// The text with spaces in place of comments and of what is quoted; lines stay where they are.
fn blanked(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            rest.find("*/").map_or(rest.len(), |end| end + 2)
        } else if rest.starts_with("r#\"") {
            rest.find("\"#").map_or(rest.len(), |end| end + 2)
        } else if c == '"' {
            quoted(rest)
        } else if rest.starts_with("'\"'") {
            3
        } else if rest.starts_with("'\\\"'") {
            4
        } else {
            out.push(c);
            rest = rest.get(c.len_utf8()..).unwrap();
            continue;
        };
        let (taken, left) = rest.split_at(length);
        out.extend(taken.chars().map(|c| if c == '\n' { c } else { ' ' }));
        rest = left;
    }
    out
}

/// The length of the quoted text that `text` begins with.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}
