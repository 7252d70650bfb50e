//! The reader of capture files, against files of every kind: written by hand here, by real tools,
//! cut at every byte, and random.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "clippy takes the helpers of a test for a program"
)]

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nestscope::packet::LinkType;
use nestscope::source::file::CaptureFile;
use nestscope::source::merge::Merged;
use nestscope::source::{Next, SourceError, Stop};
use proptest::prelude::*;
use tempfile::TempDir;

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
                packet.number,
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

/// Writes numbers in one of the two byte orders.
#[derive(Clone, Copy, Debug)]
struct Order {
    big: bool,
}

const ORDERS: [Order; 2] = [Order { big: false }, Order { big: true }];

impl Order {
    fn u16(self, value: u16) -> [u8; 2] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u32(self, value: u32) -> [u8; 4] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn u64(self, value: u64) -> [u8; 8] {
        if self.big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn pcap_header(self, magic: u32, link: u32) -> Vec<u8> {
        let mut bytes = self.u32(magic).to_vec();
        bytes.extend(self.u16(2));
        bytes.extend(self.u16(4));
        bytes.extend([0; 8]);
        bytes.extend(self.u32(65_535));
        bytes.extend(self.u32(link));
        bytes
    }

    fn pcap_record(
        self,
        seconds: u32,
        ticks: u32,
        extra: usize,
        data: &[u8],
        original: u32,
    ) -> Vec<u8> {
        let mut bytes = self.u32(seconds).to_vec();
        bytes.extend(self.u32(ticks));
        bytes.extend(self.u32(data.len() as u32));
        bytes.extend(self.u32(original));
        bytes.extend(vec![0xEE; extra]);
        bytes.extend(data);
        bytes
    }

    fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let len = self.u32((padded + 12) as u32);
        let mut bytes = self.u32(kind).to_vec();
        bytes.extend(len);
        bytes.extend(body);
        bytes.resize(8 + padded, 0);
        bytes.extend(len);
        bytes
    }

    fn option(self, code: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = self.u16(code).to_vec();
        bytes.extend(self.u16(value.len() as u16));
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn section(self) -> Vec<u8> {
        let mut body = self.u32(0x1A2B_3C4D).to_vec();
        body.extend(self.u16(1));
        body.extend(self.u16(0));
        body.extend([0xFF; 8]);
        // A comment of odd length.
        body.extend(self.option(1, b"hello"));
        body.extend(self.option(0, b""));
        self.block(0x0A0D_0D0A, &body)
    }

    fn interface(self, link: u16, snap_len: u32, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut body = self.u16(link).to_vec();
        body.extend([0; 2]);
        body.extend(self.u32(snap_len));
        for (code, value) in options {
            body.extend(self.option(*code, value));
        }
        body.extend(self.option(0, b""));
        self.block(1, &body)
    }

    fn enhanced(self, interface: u32, ticks: u64, data: &[u8], original: u32) -> Vec<u8> {
        let mut body = self.u32(interface).to_vec();
        body.extend(self.u32((ticks >> 32) as u32));
        body.extend(self.u32(ticks as u32));
        body.extend(self.u32(data.len() as u32));
        body.extend(self.u32(original));
        body.extend(data);
        body.resize(body.len().next_multiple_of(4), 0);
        body.extend(self.option(2, &[1, 2, 3, 4]));
        body.extend(self.option(1, b"odd"));
        body.extend(self.option(0, b""));
        self.block(6, &body)
    }

    fn simple(self, data: &[u8], original: u32) -> Vec<u8> {
        let mut body = self.u32(original).to_vec();
        body.extend(data);
        self.block(3, &body)
    }

    fn obsolete(self, interface: u16, ticks: u64, data: &[u8], original: u32) -> Vec<u8> {
        let mut body = self.u16(interface).to_vec();
        body.extend(self.u16(0));
        body.extend(self.u32((ticks >> 32) as u32));
        body.extend(self.u32(ticks as u32));
        body.extend(self.u32(data.len() as u32));
        body.extend(self.u32(original));
        body.extend(data);
        self.block(2, &body)
    }

    fn statistics(self, interface: u32, code: u16, dropped: u64) -> Vec<u8> {
        let mut body = self.u32(interface).to_vec();
        body.extend([0; 8]);
        body.extend(self.option(code, &self.u64(dropped)));
        self.block(5, &body)
    }

    /// A file with everything in it.
    fn everything(self) -> (Vec<u8>, Vec<Row>) {
        let mut bytes = self.section();
        bytes.extend(self.interface(1, 0, &[(2, b"eth0".to_vec()), (9, vec![9])]));
        bytes.extend(self.interface(276, 96, &[(9, vec![0x80 | 10]), (2, b"any".to_vec())]));
        bytes.extend(self.interface(101, 0, &[(14, self.u64(1_000).to_vec())]));
        bytes.extend(self.block(0x8000_0001, &[7; 33])); // for local use
        bytes.extend(self.enhanced(0, 1_700_000_000_123_456_789, b"ethernet", 8));
        bytes.extend(self.enhanced(1, (1_700_000_001 << 10) + 512, b"cooked", 60));
        bytes.extend(self.block(4, &[0; 4])); // names
        bytes.extend(self.enhanced(2, 1_700_000_002_000_001, b"r", 1));
        bytes.extend(self.simple(b"simple", 6));
        bytes.extend(self.obsolete(2, 1_700_000_003_000_000, b"obsolete!", 900));
        bytes.extend(self.statistics(0, 5, 3));
        bytes.extend(self.statistics(0, 5, 7)); // counts on: 7, not 10
        bytes.extend(self.statistics(1, 7, 1));
        // Another section, in the other byte order, with its own interfaces.
        let other = Order { big: !self.big };
        bytes.extend(other.section());
        bytes.extend(other.interface(113, 4, &[]));
        bytes.extend(other.enhanced(0, 1_700_000_004_000_000, b"", 0));
        bytes.extend(other.simple(b"snap", 5_000));
        bytes.extend(other.statistics(0, 7, 100));
        let rows = vec![
            (1, 1_700_000_000_123_456_789, 1, b"ethernet".to_vec(), 8),
            (2, 1_700_000_001_500_000_000, 276, b"cooked".to_vec(), 60),
            (3, 1_700_001_002_000_001_000, 101, b"r".to_vec(), 1),
            // Without time of its own: that of the packet before; the first interface.
            (4, 1_700_001_002_000_001_000, 1, b"simple".to_vec(), 6),
            (5, 1_700_001_003_000_000_000, 101, b"obsolete!".to_vec(), 900),
            (6, 1_700_000_004_000_000_000, 113, b"".to_vec(), 0),
            (7, 1_700_000_004_000_000_000, 113, b"snap".to_vec(), 5_000),
        ];
        (bytes, rows)
    }

    fn classic(self, magic: u32, extra: usize) -> (Vec<u8>, Vec<Row>) {
        let nanos = if magic == 0xA1B2_3C4D { 1 } else { 1_000 };
        let mut bytes = self.pcap_header(magic, 1);
        bytes.extend(self.pcap_record(1_700_000_000, 123_456, extra, b"first", 5));
        bytes.extend(self.pcap_record(1_700_000_000, 123_457, extra, b"", 0));
        bytes.extend(self.pcap_record(u32::MAX, 999_999, extra, b"the last", 1_500));
        let rows = vec![
            (1, 1_700_000_000_000_000_000 + 123_456 * nanos, 1, b"first".to_vec(), 5),
            (2, 1_700_000_000_000_000_000 + 123_457 * nanos, 1, b"".to_vec(), 0),
            (3, 4_294_967_295_000_000_000 + 999_999 * nanos, 1, b"the last".to_vec(), 1_500),
        ];
        (bytes, rows)
    }
}

/// Every kind of file: its bytes and its packets.
fn every_kind() -> Vec<(String, Vec<u8>, Vec<Row>)> {
    let mut kinds = Vec::new();
    for order in ORDERS {
        let (bytes, rows) = order.everything();
        kinds.push((format!("pcapng {order:?}"), bytes, rows));
        for (magic, extra) in [(0xA1B2_C3D4, 0), (0xA1B2_3C4D, 0), (0xA1B2_CD34, 8)] {
            let (bytes, rows) = order.classic(magic, extra);
            kinds.push((format!("pcap {magic:x} {order:?}"), bytes, rows));
        }
    }
    kinds
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn every_kind_of_file_is_read() {
    for (kind, bytes, rows) in every_kind() {
        let (read, error) = read_bytes(&bytes);
        assert!(error.is_none(), "{kind}: {error:?}");
        assert_eq!(read, rows, "{kind}");
    }
}

#[test]
fn every_kind_is_unpacked_whatever_its_name() {
    for (kind, bytes, rows) in every_kind() {
        let (first, second) = bytes.split_at(bytes.len() / 2);
        let mut skippable = vec![0x50, 0x2A, 0x4D, 0x18, 5, 0, 0, 0, 1, 2, 3, 4, 5];
        skippable.extend(zstd(&bytes));
        let packed = [
            gzip(&bytes),
            [gzip(first), gzip(second)].concat(),
            zstd(&bytes),
            [zstd(first), zstd(second)].concat(),
            skippable,
        ];
        for packed in packed {
            let (read, error) = read_bytes(&packed);
            assert!(error.is_none(), "{kind}: {error:?}");
            assert_eq!(read, rows, "{kind}");
        }
    }
}

#[test]
fn drops_told_by_the_file_are_known() {
    let (bytes, _) = Order { big: true }.everything();
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), &bytes).unwrap();
    let mut file = CaptureFile::open(file.path().to_str().unwrap(), Stop::default()).unwrap();
    assert_eq!(file.kernel_drops(), None);
    while !matches!(file.next().unwrap(), Next::End) {}
    assert_eq!(file.kernel_drops(), Some(7 + 1 + 100));
    assert_eq!(file.progress().read, bytes.len() as u64);
    assert_eq!(file.progress().total, Some(bytes.len() as u64));
}

#[test]
fn a_file_cut_anywhere_gives_its_whole_packets() {
    for (kind, bytes, rows) in every_kind() {
        let mut before = 0;
        for end in 0..bytes.len() {
            let path = tempfile::NamedTempFile::new().unwrap();
            fs::write(path.path(), &bytes[..end]).unwrap();
            let (read, error) = read(path.path());
            assert_eq!(read, rows[..read.len()], "{kind} cut at {end}");
            assert!(read.len() >= before, "{kind} cut at {end}: lost a packet");
            before = read.len();
            match error {
                None => {}
                Some(SourceError::NotACapture { .. }) => assert!(end < 24, "{kind} cut at {end}"),
                Some(error) => panic!("{kind} cut at {end}: {error}"),
            }
        }
    }
}

#[test]
fn the_cut_bytes_are_counted() {
    let (bytes, _) = Order { big: false }.classic(0xA1B2_C3D4, 0);
    let path = tempfile::NamedTempFile::new().unwrap();
    for (left, cut) in [(0, 0), (1, 23), (8, 16), (20, 4), (23, 1), (24, 0), (25, 15)] {
        fs::write(path.path(), &bytes[..bytes.len() - left]).unwrap();
        let mut file = CaptureFile::open(path.path().to_str().unwrap(), Stop::default()).unwrap();
        while !matches!(file.next().unwrap(), Next::End) {}
        assert_eq!(file.cut().map_or(0, |cut| cut.bytes), cut, "{left} bytes less");
    }
    // Inside a block that is passed over, larger than the buffer.
    let order = Order { big: false };
    let whole = [order.section(), order.block(0x0B00, &vec![1; 600_000])].concat();
    fs::write(path.path(), &whole[..whole.len() - 1]).unwrap();
    let mut file = CaptureFile::open(path.path().to_str().unwrap(), Stop::default()).unwrap();
    assert!(matches!(file.next().unwrap(), Next::End));
    assert_eq!(file.cut().unwrap().bytes, 600_011);
    assert!(file.cut().unwrap().to_string().contains("its last 600011 bytes"));
}

#[test]
fn compressed_data_cut_anywhere_gives_its_whole_packets() {
    let order = Order { big: false };
    let mut bytes = order.pcap_header(0xA1B2_C3D4, 1);
    let mut noise = 1_u32;
    for number in 0..40 {
        let data: Vec<u8> = (0..50)
            .map(|_| {
                noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (noise >> 24) as u8
            })
            .collect();
        bytes.extend(order.pcap_record(number, 0, 0, &data, 50));
    }
    let (rows, _) = read_bytes(&bytes);
    let path = tempfile::NamedTempFile::new().unwrap();
    for packed in
        [gzip(&bytes), zstd(&bytes), [zstd(&bytes[..1_000]), zstd(&bytes[1_000..])].concat()]
    {
        for end in (4..packed.len()).step_by(3) {
            fs::write(path.path(), &packed[..end]).unwrap();
            let (read, error) = read(path.path());
            assert_eq!(read, rows[..read.len()]);
            if let Some(error) = error {
                assert!(read.is_empty(), "{end}: {error}");
            }
        }
        fs::write(path.path(), &packed[..packed.len() - 1]).unwrap();
        let mut file = CaptureFile::open(path.path().to_str().unwrap(), Stop::default()).unwrap();
        while !matches!(file.next().unwrap(), Next::End) {}
        assert!(file.cut().unwrap().compression.is_some());
    }
}

#[test]
fn a_cut_zstd_file_gives_what_its_window_held() {
    // 3 MiB in blocks of 128 KiB: an unpacker that keeps back its window would lose nearly all.
    let order = Order { big: false };
    let mut bytes = order.pcap_header(0xA1B2_C3D4, 1);
    for number in 0..3_000_u32 {
        let data: Vec<u8> = (0..1_000_u32).map(|at| (at ^ number).wrapping_mul(37) as u8).collect();
        bytes.extend(order.pcap_record(number, 0, 0, &data, 1_000));
    }
    let folder = TempDir::new().unwrap();
    let plain = folder.path().join("plain");
    fs::write(&plain, &bytes).unwrap();
    let packed = tool("zstd", &["-19", "-q", "-c", plain.to_str().unwrap()]);
    let path = folder.path().join("cut");
    fs::write(&path, &packed[..packed.len() - 5]).unwrap();
    let (read, error) = read(&path);
    assert!(error.is_none(), "{error:?}");
    assert!(read.len() > 2_500, "{} packets of 3000", read.len());
}

#[test]
fn damage_ends_a_file_with_its_place() {
    let order = Order { big: false };
    let (mut bytes, rows) = order.classic(0xA1B2_C3D4, 0);
    let place = bytes.len();
    bytes.extend(order.u32(0));
    bytes.extend(order.u32(0));
    bytes.extend(order.u32(0x4000_0000));
    bytes.extend(order.u32(0x4000_0000));
    let (read, error) = read_bytes(&bytes);
    assert_eq!(read, rows);
    let said = error.unwrap().to_string();
    assert!(
        said.contains(&format!("damaged at byte {place}: a packet of 1073741824 bytes")),
        "{said}"
    );

    let good = [order.section(), order.interface(1, 0, &[])].concat();
    let cases = [
        (order.enhanced(3, 0, b"x", 1), "a packet of interface 3, where 1 are described"),
        (order.block(6, &[0; 8]), "too short for its type"),
        ([6, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0].to_vec(), "a block of 0 bytes"),
        ([6, 0, 0, 0, 0xFC, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0].to_vec(), "more than any capture"),
        ([1, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0].to_vec(), "does not repeat its length"),
        ([10, 13, 13, 10, 28, 0, 0, 0, 1, 2, 3, 4].to_vec(), "byte-order magic"),
    ];
    for (block, what) in cases {
        let (_, error) = read_bytes(&[good.clone(), block].concat());
        let said = error.unwrap().to_string();
        assert!(said.contains(what), "{said}");
        assert!(said.contains(&format!("damaged at byte {}", good.len())), "{said}");
    }
}

#[test]
fn damaged_compression_ends_a_file_after_its_packets() {
    let (bytes, rows) = Order { big: false }.classic(0xA1B2_C3D4, 0);
    let mut packed = gzip(&bytes);
    let crc = packed.len() - 8;
    packed[crc] ^= 1;
    let (read, error) = read_bytes(&packed);
    assert_eq!(read, rows);
    assert!(matches!(error, Some(SourceError::Unpack { .. })), "{error:?}");

    let mut packed = zstd(&bytes);
    let checksum = packed.len() - 1;
    packed[checksum] ^= 1;
    let (read, error) = read_bytes(&packed);
    assert_eq!(read, rows);
    let said = error.unwrap().to_string();
    assert!(said.contains("the checksum does not match"), "{said}");
}

#[test]
fn what_is_no_capture_is_named() {
    let cases: [(&[u8], &str); 6] = [
        (b"", "it is empty"),
        (b"PK\x03\x04........", "a ZIP archive"),
        (b"0 packets captured\n", "text"),
        (b"<html><body>404</body></html>", "an HTML page"),
        (&[0xD4, 0xC3, 0xB2, 0xA1, 2, 0], "it ends inside its pcap header, after 6 bytes"),
        (&gzip(&gzip(b"x")), "gzip data inside of compressed data"),
    ];
    for (bytes, what) in cases {
        let (_, error) = read_bytes(bytes);
        let said = error.unwrap().to_string();
        assert!(said.contains(what), "{said}");
        assert!(said.contains("nestscope reads pcap and pcapng"), "{said}");
    }
    let said = read(Path::new("/")).1.unwrap().to_string();
    assert!(said.contains("it is a directory"), "{said}");
    let said = read(Path::new("no/such.pcap")).1.unwrap().to_string();
    assert!(said.starts_with("cannot open no/such.pcap: No such file"), "{said}");
}

proptest! {
    #[test]
    fn random_bytes_end(bytes in prop::collection::vec(any::<u8>(), 0..600), kind in 0..8_usize, at in 0..400_usize) {
        // As they are, and in the midst of a good file.
        read_bytes(&bytes);
        let (_, mut file, _) = every_kind().swap_remove(kind);
        let at = at.min(file.len());
        file.splice(at..(at + bytes.len() / 8).min(file.len()), bytes);
        read_bytes(&file);
    }

    #[test]
    fn damaged_compression_ends(kind in 0..8_usize, at in 0..2_000_usize, with: u8) {
        let (_, file, _) = every_kind().swap_remove(kind);
        for mut packed in [gzip(&file), zstd(&file)] {
            let at = at % packed.len();
            packed[at] ^= with;
            read_bytes(&packed);
        }
    }
}

// ---- files that real tools wrote, read by tshark as well ----

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
            let (seconds, nanos) = (at / 1_000_000_000, at % 1_000_000_000);
            format!("{number}\t{seconds}.{nanos:09}\t{original}\t{}", data.len())
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

#[test]
fn tshark_reads_the_same() {
    if !has("tshark") || !has("editcap") || !has("mergecap") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let first = sample(folder.path(), "first", 0);
    sample(folder.path(), "second", 1_234_567);
    for (format, name) in [("pcap", "us"), ("nsecpcap", "ns"), ("pcapng", "ng"), ("modpcap", "mod")]
    {
        tool("editcap", &["-F", format, first.to_str().unwrap(), &text(name)]);
    }
    // A second interface of another link type: a pcapng that libpcap refuses.
    tool("editcap", &["-T", "rawip", "-F", "pcap", &text("second"), &text("raw")]);
    tool("mergecap", &["-F", "pcapng", "-w", &text("mixed"), &text("first"), &text("raw")]);
    for name in ["us", "ns", "ng", "mod"] {
        tool("gzip", &["-k", &text(name)]);
        tool("zstd", &["-q", "-k", &text(name)]);
    }
    fs::write(path("hand"), Order { big: true }.everything().0).unwrap();
    let names =
        ["first", "us", "ns", "ng", "mod", "mixed", "us.gz", "ns.gz", "ng.gz", "us.zst", "ng.zst"];
    for name in names {
        let (rows, error) = read(&path(name));
        assert!(error.is_none(), "{name}: {error:?}");
        assert_eq!(as_tshark(&rows), tshark(&path(name)), "{name}");
    }
    let links: Vec<u16> = read(&path("mixed")).0.iter().map(|row| row.2).collect();
    assert!(links.contains(&1) && links.contains(&101));

    // The hand-written file: tshark leaves the time of simple packets empty.
    let (rows, _) = read(&path("hand"));
    let ours = as_tshark(&rows);
    let theirs = tshark(&path("hand"));
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(&theirs) {
        if theirs.split('\t').nth(1) != Some("") {
            assert_eq!(ours, theirs);
        }
    }
}

#[test]
fn files_are_merged_as_mergecap_does() {
    if !has("mergecap") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let paths: Vec<String> = [("a", 0), ("b", 2_500_000), ("c", 0), ("d", 999_000_000)]
        .iter()
        .map(|(name, shift)| sample(folder.path(), name, *shift).to_str().unwrap().to_owned())
        .collect();
    let merged = folder.path().join("merged");
    let mut arguments = vec!["-w", merged.to_str().unwrap()];
    arguments.extend(paths.iter().map(String::as_str));
    tool("mergecap", &arguments);
    let mut files = Merged::open(&paths, &Stop::default()).unwrap();
    let mut rows: Vec<Row> = Vec::new();
    while let Next::Packet(packet) = files.next().unwrap() {
        assert_eq!(packet.link, LinkType::ETHERNET);
        rows.push((
            packet.number,
            packet.at.as_nanos(),
            packet.link.0,
            packet.data.to_vec(),
            packet.original_len,
        ));
    }
    assert_eq!(rows.len(), 800);
    assert_eq!(rows, read(&merged).0);
}

#[test]
fn a_damaged_file_leaves_the_others_whole() {
    let folder = TempDir::new().unwrap();
    let good = sample(folder.path(), "good", 0);
    let bad = folder.path().join("bad");
    let order = Order { big: false };
    let mut bytes = order.classic(0xA1B2_C3D4, 0).0;
    bytes.extend([0xFF; 16]);
    fs::write(&bad, bytes).unwrap();
    let paths = [bad, good].map(|path| path.to_str().unwrap().to_owned());
    let mut files = Merged::open(&paths, &Stop::default()).unwrap();
    let (mut packets, mut errors) = (0, 0);
    loop {
        match files.next() {
            Ok(Next::Packet(packet)) => {
                packets += 1;
                assert_eq!(packet.number, packets);
            }
            Ok(Next::Idle(_)) => panic!("files are never idle"),
            Ok(Next::End) => break,
            Err(_) => errors += 1,
        }
    }
    assert_eq!((packets, errors), (203, 1));
}

// ---- pipes ----

fn fifo(folder: &TempDir) -> PathBuf {
    let path = folder.path().join("fifo");
    tool("mkfifo", &[path.to_str().unwrap()]);
    path
}

#[test]
fn packets_of_a_pipe_are_handed_on_as_they_arrive() {
    for (kind, bytes, rows) in every_kind() {
        let folder = TempDir::new().unwrap();
        let path = fifo(&folder);
        let (said, asked) = std::sync::mpsc::channel();
        let writer = std::thread::spawn({
            let path = path.clone();
            move || {
                let mut pipe = File::options().write(true).open(path).unwrap();
                let mut rest = bytes.as_slice();
                // The writer goes on only when what it wrote was read, and closes last.
                while !rest.is_empty() {
                    let (now, later) = rest.split_at(rest.len().min(24));
                    pipe.write_all(now).unwrap();
                    rest = later;
                    if asked.recv().is_err() {
                        break;
                    }
                }
                asked.recv().ok();
            }
        });
        said.send(()).unwrap();
        let mut file = CaptureFile::open(path.to_str().unwrap(), Stop::default()).unwrap();
        let mut seen = 0;
        while seen < rows.len() {
            match file.next().unwrap() {
                Next::Packet(packet) => {
                    assert_eq!(packet.data, rows[seen].3, "{kind}");
                    seen += 1;
                }
                Next::Idle(_) => said.send(()).unwrap(),
                Next::End => panic!("{kind}: ended after {seen} packets"),
            }
        }
        drop(said);
        writer.join().unwrap();
        loop {
            if let Next::End = file.next().unwrap() {
                break;
            }
        }
    }
}

#[test]
fn a_flushed_gzip_pipe_is_live_too() {
    let (bytes, rows) = Order { big: false }.classic(0xA1B2_C3D4, 0);
    let folder = TempDir::new().unwrap();
    let path = fifo(&folder);
    let (done, wait) = std::sync::mpsc::channel::<()>();
    let writer = std::thread::spawn({
        let path = path.clone();
        move || {
            let pipe = File::options().write(true).open(path).unwrap();
            let mut gzip = flate2::write::GzEncoder::new(pipe, flate2::Compression::fast());
            gzip.write_all(&bytes[..bytes.len() - 3]).unwrap();
            gzip.flush().unwrap();
            wait.recv().ok();
            gzip.write_all(&bytes[bytes.len() - 3..]).unwrap();
            gzip.finish().unwrap();
        }
    });
    let mut file = CaptureFile::open(path.to_str().unwrap(), Stop::default()).unwrap();
    for row in &rows[..2] {
        match file.next().unwrap() {
            Next::Packet(packet) => assert_eq!(packet.data, row.3),
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(file.next().unwrap(), Next::Idle(None)));
    done.send(()).unwrap();
    loop {
        match file.next().unwrap() {
            Next::Packet(packet) => break assert_eq!(packet.data, rows[2].3),
            Next::Idle(_) => {}
            Next::End => panic!("ended early"),
        }
    }
    writer.join().unwrap();
}

#[test]
fn a_silent_pipe_can_be_stopped() {
    let folder = TempDir::new().unwrap();
    let path = fifo(&folder);
    let stop = Stop::default();
    let ender = std::thread::spawn({
        let stop = stop.clone();
        move || {
            std::thread::sleep(Duration::from_millis(120));
            stop.set();
        }
    });
    // Nobody ever opens the other end.
    let begun = Instant::now();
    let mut file = CaptureFile::open(path.to_str().unwrap(), stop).unwrap();
    assert!(matches!(file.next().unwrap(), Next::End));
    assert!(file.cut().is_none());
    assert!(begun.elapsed() < Duration::from_secs(1));
    ender.join().unwrap();
}

#[test]
fn tcpdump_writes_into_a_pipe() {
    if !has("tcpdump") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let sample = sample(folder.path(), "sample", 0);
    let path = fifo(&folder);
    let mut tcpdump = Command::new("tcpdump")
        .args(["-r", sample.to_str().unwrap(), "--nano", "-U", "-w"])
        .arg(&path)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut file = CaptureFile::open(path.to_str().unwrap(), Stop::default()).unwrap();
    let mut count = 0;
    loop {
        match file.next().unwrap() {
            Next::Packet(_) => count += 1,
            Next::Idle(_) => {}
            Next::End => break,
        }
    }
    assert_eq!(count, 200);
    assert!(file.cut().is_none());
    assert!(tcpdump.wait().unwrap().success());
}
