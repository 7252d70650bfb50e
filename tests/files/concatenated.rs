//! Capture files put one behind the other, as `cat` does; against the files read one by one.

use nestscope::source::{Point, Source};
use proptest::prelude::*;
use tempfile::TempDir;

use crate::by_hand::*;
use crate::*;

/// The rows of files that are read one behind the other.
fn joined<'a>(files: impl IntoIterator<Item = &'a Vec<Row>>) -> Vec<Row> {
    let rows = files.into_iter().flatten().cloned();
    (1..).zip(rows).map(|(number, row)| (number, row.1, row.2, row.3, row.4)).collect()
}

/// Every file of two, in both byte orders, with every clock and link type.
#[test]
fn any_two_files_are_read_as_one() {
    let kinds = every_kind();
    for (first, bytes, rows) in &kinds {
        for (second, more, more_rows) in &kinds {
            let (read, error) = read_bytes(&[&bytes[..], more].concat());
            assert!(error.is_none(), "{first}, {second}: {error:?}");
            assert_eq!(read, joined([rows, more_rows]), "{first}, {second}");
        }
    }
}

#[test]
fn cut_anywhere_they_give_their_whole_packets() {
    for (first, second) in [(1, 5), (1, 0), (0, 2), (3, 4), (4, 5)] {
        let kinds = every_kind();
        let (bytes, more) = (&kinds[first].1, &kinds[second].1);
        let rows = joined([&kinds[first].2, &kinds[second].2]);
        let both = [&bytes[..], more].concat();
        for end in bytes.len()..both.len() {
            let (read, error) = read_bytes(&both[..end]);
            assert!(error.is_none(), "{first} {second} cut at {end}: {error:?}");
            assert!(read.len() >= kinds[first].2.len());
            assert_eq!(read, rows[..read.len()], "{first} {second} cut at {end}");
        }
    }
}

#[test]
fn a_header_within_a_packet_is_of_the_packet() {
    let order = Order { big: false };
    let other = order.classic(0xA1B2_C3D4, 0).0;
    let section = order.everything().0;
    for inside in [&other, &section] {
        let len = inside.len() as u32;
        let mut bytes = order.pcap_header(0xA1B2_C3D4, 1);
        bytes.extend(order.pcap_record(1, 2, 0, inside, len));
        bytes.extend(order.pcap_record(3, 4, 0, b"next", 4));
        let rows = read_bytes(&bytes).0;
        assert_eq!(
            rows,
            [
                (1, 1_000_002_000, 1, inside.clone(), len),
                (2, 3_000_004_000, 1, b"next".to_vec(), 4)
            ]
        );
    }
}

/// What only looks like another file: packets of the year 2055 and such without a byte.
#[test]
fn a_packet_that_looks_like_a_header_is_a_packet() {
    let order = Order { big: false };
    let mut bytes = order.pcap_header(0xA1B2_C3D4, 1);
    // The magic number as seconds, but a length that is not 0; then a version that there is not.
    bytes.extend(order.pcap_record(0xA1B2_C3D4, 0x0004_0002, 0, b"", 60));
    bytes.extend(order.pcap_record(0xA1B2_C3D4, 0x0009_0002, 0, b"", 0));
    bytes.extend(order.pcap_record(0xA1B2_C3D4, 7, 0, b"", 0));
    bytes.extend(order.pcap_record(9, 9, 0, b"last", 4));
    let (rows, error) = read_bytes(&bytes);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(rows.len(), 4);
    // A block for private use whose type is that number, and whose length is the version.
    let big = Order { big: true };
    let mut body = vec![0; 0x0002_0004 - 12];
    body[4..8].copy_from_slice(&[0, 0, 0, 0]);
    body[8..12].copy_from_slice(&big.u32(65_535));
    let block = big.block(0xA1B2_C3D4, &body);
    let (bytes, rows) = big.everything();
    let more = big.everything().0;
    let (read, error) = read_bytes(&[&more[..], &big.section(), &block, &bytes].concat());
    assert!(error.is_none(), "{error:?}");
    assert_eq!(read, joined([&rows, &rows]));
}

#[test]
fn points_and_drops_go_on_over_the_seam() {
    let (bytes, _) = Order { big: false }.everything();
    let (classic, _) = Order { big: true }.classic(0xA1B2_C3D4, 0);
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("joined");
    fs::write(&path, [&bytes[..], &classic, &bytes].concat()).unwrap();
    let text = path.to_str().unwrap().to_owned();
    let mut source = Source::files(std::slice::from_ref(&text), &Stop::default()).unwrap();
    let mut seen = Vec::new();
    while let Next::Packet(packet) = source.next().unwrap() {
        seen.push(packet.point.0);
    }
    let once = [0, 1, 2, 0, 2, 3, 3];
    assert_eq!(seen, [&once[..], &[4, 4, 4], &once].concat());
    let points = source.points();
    let names: Vec<_> = (0..6).map(|id| points.get(nestscope::packet::PointId(id))).collect();
    let name = |point: &Option<Point>| point.as_ref().map(|point| point.interface.clone());
    assert_eq!(
        names.iter().map(name).collect::<Vec<_>>(),
        [Some("eth0"), Some("any"), Some(""), Some(""), Some(""), None]
            .map(|name| name.map(str::to_owned))
    );
    assert!(names.iter().flatten().all(|point| point.file == text));
    assert_eq!(source.kernel_drops(), Some(2 * 108));
}

#[test]
fn points_of_several_files_are_their_own() {
    let (bytes, rows) = Order { big: false }.everything();
    let folder = TempDir::new().unwrap();
    let paths = ["a", "b"].map(|name| {
        let path = folder.path().join(name);
        fs::write(&path, &bytes).unwrap();
        path.to_str().unwrap().to_owned()
    });
    let mut source = Source::files(&paths, &Stop::default()).unwrap();
    let points = source.points();
    let mut seen = std::collections::BTreeMap::new();
    while let Next::Packet(packet) = source.next().unwrap() {
        let point = points.get(packet.point).unwrap();
        assert_eq!(point.link, packet.link);
        seen.entry((packet.point.0, point.file, point.interface)).or_insert(0);
    }
    assert_eq!(seen.len(), 8, "{seen:?}");
    assert_eq!(rows.len(), 7);
}

proptest! {
    /// Any number of members, split anywhere over compressed ones.
    #[test]
    fn any_number_is_read_as_one(
        members in prop::collection::vec(0..8_usize, 1..7),
        packed in 0..3_u8,
    ) {
        let kinds = every_kind();
        let parts: Vec<_> = members.iter().map(|&member| &kinds[member]).collect();
        let bytes: Vec<u8> = parts.iter().flat_map(|(_, bytes, _)| match packed {
            0 => bytes.clone(),
            1 => gzip(bytes),
            _ => zstd(bytes),
        }).collect();
        let (read, error) = read_bytes(&bytes);
        prop_assert!(error.is_none(), "{error:?}");
        prop_assert_eq!(read, joined(parts.iter().map(|(_, _, rows)| rows)));
    }
}

#[test]
fn mergecap_makes_the_same_of_them() {
    if !has("mergecap") || !has("editcap") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    sample(folder.path(), "us", 0);
    for (format, name) in [("nsecpcap", "ns"), ("pcapng", "ng"), ("modpcap", "mod")] {
        tool("editcap", &["-F", format, &text("us"), &text(name)]);
    }
    for members in [&["us", "ns", "ng"][..], &["ng", "us"], &["mod", "ng", "us", "ns"]] {
        let mut bytes = Vec::new();
        members.iter().for_each(|name| bytes.extend(fs::read(path(name)).unwrap()));
        fs::write(path("cat"), bytes).unwrap();
        let mut arguments = vec!["-a", "-w"].into_iter().map(str::to_owned).collect::<Vec<_>>();
        arguments.push(text("merged"));
        arguments.extend(members.iter().map(|name| text(name)));
        tool("mergecap", &arguments.iter().map(String::as_str).collect::<Vec<_>>());
        let (rows, error) = read(&path("cat"));
        assert!(error.is_none(), "{error:?}");
        assert_eq!(as_tshark(&rows), tshark(&path("merged")), "{members:?}");
    }
}
