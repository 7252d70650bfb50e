//! What `calls -T json` and `report -T json` promise to scripts, to the letter: read from what the
//! program prints, and compared with the packets themselves and with a naive count.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "clippy takes the helpers of a test for a program"
)]

#[path = "../common/mod.rs"]
mod common;

mod calls;
mod groups;
mod percentiles;
mod reading;
mod report;
mod statuses;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use common::sent::{member, members};
use common::{Raw, fixtures, recordings};
use serde_json::Value;
use serde_json::value::RawValue;

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_nestscope"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    output
}

/// The lines of a run that must go well.
fn lines(arguments: &[&str], input: &[u8]) -> Vec<String> {
    let output = run(arguments, input);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn calls_of(path: &Path) -> Vec<String> {
    lines(&["calls", "-q", "-T", "json", "-r", path.to_str().unwrap()], b"")
}

fn report_of(path: &Path) -> String {
    lines(&["report", "-q", "-T", "json", "-r", path.to_str().unwrap()], b"").join("\n")
}

/// A classic capture file with nanoseconds.
fn pcap(packets: &[Raw]) -> Vec<u8> {
    let mut file = Vec::new();
    for word in [0xa1b2_3c4d, 0x0004_0002, 0, 0, 262_144, u32::from(packets[0].link.0)] {
        file.extend(u32::to_le_bytes(word));
    }
    for raw in packets {
        let (seconds, nanos) = (raw.at / 1_000_000_000, raw.at % 1_000_000_000);
        let len = raw.data.len() as u32;
        for word in [seconds as u32, nanos as u32, len, raw.original_len] {
            file.extend(word.to_le_bytes());
        }
        file.extend(&raw.data);
    }
    file
}

fn of_packets(packets: &[Raw]) -> Vec<String> {
    lines(&["calls", "-q", "-T", "json", "-r", "-"], &pcap(packets))
}

fn keys(json: &str) -> Vec<String> {
    members(json).into_iter().map(|(key, _)| key).collect()
}

/// The rows of a table of a report, each as it was printed.
fn rows_of(report: &str, table: &str) -> Vec<String> {
    let rows: Vec<Box<RawValue>> = serde_json::from_str(&member(report, table).unwrap()).unwrap();
    rows.iter().map(|row| row.get().to_owned()).collect()
}

fn value(line: &str) -> Value {
    // A lone surrogate is no Rust text: read the rest.
    serde_json::from_str(line).unwrap_or_else(|_| {
        let some: Vec<_> = members(line)
            .into_iter()
            .filter(|(key, _)| !["data", "response"].contains(&key.as_str()))
            .map(|(key, value)| format!("{key:?}:{value}"))
            .collect();
        serde_json::from_str(&format!("{{{}}}", some.join(","))).unwrap()
    })
}

fn captures() -> Vec<(String, PathBuf)> {
    recordings(&fixtures()).into_iter().filter(|(name, _)| name != "megabyte").collect()
}
