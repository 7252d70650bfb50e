//! However a capture is read, and whoever reads what is printed: the same is told.

use std::fs;
use std::io::Read;
use std::process::{Command, Stdio};

use super::common::{Raw, fixtures, framed, read, wire};
use super::{calls_of, lines, pcap, report_of, run, value};

#[test]
fn every_way_to_read_a_capture_tells_the_same() {
    let path = fixtures().join("concurrent-v11.pcap");
    let whole = calls_of(&path);
    let bytes = fs::read(&path).unwrap();
    let args = ["calls", "-q", "-T", "json", "-r", "-"];
    assert_eq!(lines(&args, &bytes), whole, "standard input");
    let mut gzip = flate2::read::GzEncoder::new(&bytes[..], flate2::Compression::fast());
    let mut packed = Vec::new();
    gzip.read_to_end(&mut packed).unwrap();
    assert_eq!(lines(&args, &packed), whole, "gzip");
    let packed =
        ruzstd::encoding::compress_to_vec(&bytes[..], ruzstd::encoding::CompressionLevel::Fastest);
    assert_eq!(lines(&args, &packed), whole, "zstd");

    // Every other packet in another file.
    let folder = tempfile::tempdir().unwrap();
    let packets = read(&path);
    let parts = [0, 1].map(|odd| {
        let part = folder.path().join(format!("{odd}.pcap"));
        let each = packets.iter().enumerate().filter(|(index, _)| index % 2 == odd);
        let each: Vec<_> = each.map(|(_, raw)| raw.clone()).collect();
        fs::write(&part, pcap(&each)).unwrap();
        part.to_str().unwrap().to_owned()
    });
    let merged = lines(&["calls", "-q", "-T", "json", "-r", &parts[0], "-r", &parts[1]], b"");
    assert_eq!(merged, whole, "merged by time");

    let port = value(&whole[0])["server"].as_str().unwrap().rsplit_once(':').unwrap().1.to_owned();
    let path = path.to_str().unwrap();
    let of_port = |port: &str| lines(&["calls", "-q", "-T", "json", "-p", port, "-r", path], b"");
    assert_eq!(of_port(&port), whole);
    assert_eq!(of_port(&format!("1-2,{port}")), whole);
    assert_eq!(of_port("1"), Vec::<String>::new());
}

/// More patterns than have a row, in a file large enough for several threads: which patterns share
/// the last row depends on who came first, and must not depend on the threads.
#[test]
fn a_bound_bites_alike_in_several_threads() {
    let mut packets = Vec::new();
    for port in 40_000..40_004_u16 {
        let mut seq = 1;
        let mut say = |flags, payload: Vec<u8>| {
            let tcp = wire::Tcp {
                at: 1_795_000_000_000_000_000 + i64::try_from(packets.len()).unwrap() * 1_000,
                from: vec![10, 0, 0, 1],
                to: vec![10, 0, 0, 2],
                from_port: port,
                to_port: 3_000,
                seq,
                ack: 0,
                flags,
                window: 1_000,
                payload,
            };
            seq += tcp.len();
            packets.push(tcp.ethernet());
        };
        say(wire::SYN, Vec::new());
        let padding = "x".repeat(4_000);
        for number in 0..1_200 {
            let body = format!(r#"{{"pattern":"p{number}","data":"{padding}"}}"#);
            say(0x10, framed(&body).into_bytes());
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let large = folder.path().join("large.pcap");
    fs::write(&large, pcap(&packets)).unwrap();
    assert!(fs::metadata(&large).unwrap().len() > 16 << 20);
    let told = value(&report_of(&large));
    let rows = told["patterns"].as_array().unwrap();
    let calls = |pattern: &str| rows.iter().find(|row| row["pattern"] == pattern).unwrap();
    assert_eq!(rows.len(), 1_001);
    assert_eq!(calls("p0")["calls"], 4);
    assert_eq!(calls("(other patterns)")["calls"], 4 * 200);
    assert_eq!(told["capture"]["packets"], packets.len());
}

#[test]
fn a_file_cut_inside_a_packet_is_read_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cut.pcap");
    let bytes = fs::read(fixtures().join("walkthrough.pcap")).unwrap();
    for cut in [1, 20, 60] {
        fs::write(&path, &bytes[..bytes.len() - cut]).unwrap();
        let output = run(&["calls", "-T", "json", "-r", path.to_str().unwrap()], b"");
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(0), "{said}");
        assert!(said.contains(&format!("{} ends inside a packet", path.display())), "{said}");
        assert_eq!(String::from_utf8(output.stdout).unwrap().lines().count(), 3);
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    // More than any pipe holds.
    let packets = read(&fixtures().join("concurrent-v11.pcap"));
    let later = |round: i64| {
        packets.iter().map(move |raw| Raw { at: raw.at + round * 10_000_000_000, ..raw.clone() })
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.pcap");
    fs::write(&path, pcap(&(0..20).flat_map(later).collect::<Vec<_>>())).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_nestscope"))
        .args(["calls", "-T", "json", "-r", path.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut [0; 100]).unwrap();
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("error:") && !said.contains("panicked"), "{said}");
}
