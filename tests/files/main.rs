//! The reader of capture files, against files of every kind: written by hand here, by real tools,
//! cut at every byte, and random.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "clippy takes the helpers of a test for a program"
)]

mod again;
mod by_hand;
mod concatenated;
mod damage;
mod kinds;
mod pipes;
mod saving;
mod tools;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;

use by_hand::Order;
use nestscope::source::file::CaptureFile;
use nestscope::source::{Next, SourceError, Stop};
use nestscope::time::Timestamp;

/// What is compared: number, time in ns, link type, bytes, length on the link.
type Row = (u64, i64, u16, Vec<u8>, u32);

/// Reads a file to its end: its packets, and the error it ended with, if any.
fn read(path: &Path) -> (Vec<Row>, Option<SourceError>) {
    let mut rows = Vec::new();
    let mut file = match CaptureFile::open(path.to_str().unwrap(), Stop::default()) {
        Ok(file) => file,
        Err(error) => return (rows, Some(error)),
    };
    let error = loop {
        match file.next() {
            Ok(Next::Packet(packet)) => rows.push((
                packet.number.0,
                packet.at.as_nanos(),
                packet.link.0,
                packet.data.to_vec(),
                packet.original_len,
            )),
            Ok(Next::Idle(_)) => panic!("a regular file is never idle"),
            Ok(Next::End) => break None,
            Err(error) => break Some(error),
        }
    };
    assert!(matches!(file.next(), Ok(Next::End)), "the end stays the end");
    (rows, error)
}

fn read_bytes(bytes: &[u8]) -> (Vec<Row>, Option<SourceError>) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    read(file.path())
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

fn tool(name: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(name).args(arguments).output().unwrap();
    assert!(
        output.status.success(),
        "{name} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    output.stdout
}

fn has(name: &str) -> bool {
    let found = Command::new(name).arg("--version").output().is_ok();
    if !found {
        eprintln!("skipped: {name} is not installed");
    }
    found
}

/// Number, time as text, length and captured length of every packet, as tshark tells.
fn tshark(path: &Path) -> Vec<String> {
    let fields = ["frame.number", "frame.time_epoch", "frame.len", "frame.cap_len"];
    let mut arguments = vec!["-r", path.to_str().unwrap(), "-T", "fields"];
    arguments.extend(fields.iter().flat_map(|field| ["-e", field]));
    let text = String::from_utf8(tool("tshark", &arguments)).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn as_tshark(rows: &[Row]) -> Vec<String> {
    rows.iter()
        .map(|(number, at, _, data, original)| {
            // tshark leaves the time of simple packets empty.
            let time = match Timestamp::from_nanos(*at).is_known() {
                true => format!("{}.{:09}", at / 1_000_000_000, at % 1_000_000_000),
                false => String::new(),
            };
            format!("{number}\t{time}\t{original}\t{}", data.len())
        })
        .collect()
}

/// A pcap of 200 Ethernet frames of odd sizes, some cut.
fn sample(folder: &Path, name: &str, shift: u32) -> PathBuf {
    let order = Order { big: false };
    let mut bytes = order.pcap_header(0xA1B2_3C4D, 1);
    for number in 0..200_u32 {
        let mut data = vec![0; 14 + (number as usize * 7) % 900];
        data[12..14].copy_from_slice(&[0x08, 0x00]);
        let original = data.len() as u32 + if number % 5 == 0 { 1_000 } else { 0 };
        let nanos = (number * 5_000_000 + shift) % 1_000_000_000;
        let seconds = 1_700_000_000 + (number * 5_000_000 + shift) / 1_000_000_000;
        bytes.extend(order.pcap_record(seconds, nanos, 0, &data, original));
    }
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    path
}
