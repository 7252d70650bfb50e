//! What is saved, read back.

use nestscope::packet::{LinkType, Packet};
use nestscope::source::Source;
use nestscope::source::writer::CaptureWriter;
use nestscope::time::Timestamp;
use tempfile::TempDir;

use crate::*;

#[test]
fn what_is_saved_is_read_back() {
    if !has("tshark") || !has("capinfos") {
        return;
    }
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::write(path("in"), Order { big: true }.everything().0).unwrap();
    let text = |name: &str| path(name).to_str().unwrap().to_owned();
    let mut source = Source::files(&[text("in")], &Stop::default()).unwrap();
    source.save_to(&text("out")).unwrap();
    let mut rows: Vec<Row> = Vec::new();
    while let Next::Packet(packet) = source.next().unwrap() {
        rows.push((
            packet.number,
            packet.at.as_nanos(),
            packet.link.0,
            packet.data.to_vec(),
            packet.original_len,
        ));
    }
    source.finish().unwrap();
    assert_eq!(rows.len(), 7);
    let (again, error) = read(&path("out"));
    assert!(error.is_none(), "{error:?}");
    assert_eq!(again, rows);
    assert_eq!(tshark(&path("out")), as_tshark(&rows));
    let told = String::from_utf8(tool("capinfos", &[&text("out")])).unwrap();
    for line in ["Number of interfaces in file: 4", "nestscope 0.1.0", "nanoseconds (9)"] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

#[test]
fn interfaces_and_drops_are_saved() {
    let packet = |link| Packet {
        number: 1,
        at: Timestamp::from_nanos(1_700_000_000_123_456_789),
        link,
        point: Default::default(),
        data: b"odd",
        original_len: 1_003,
    };
    let mut bytes = Vec::new();
    let mut writer = CaptureWriter::new(&mut bytes, 262_144).unwrap();
    writer.write(&packet(LinkType::ETHERNET), "lo").unwrap();
    writer.write(&packet(LinkType::LINUX_SLL2), "any").unwrap();
    writer.write(&packet(LinkType::ETHERNET), "eth0").unwrap();
    writer.write(&packet(LinkType::ETHERNET), "lo").unwrap();
    writer.finish([("lo", 5), ("eth0", 0), ("gone", 9)]).unwrap();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("saved");
    fs::write(&path, &bytes).unwrap();
    let mut file = CaptureFile::open(path.to_str().unwrap(), Stop::default()).unwrap();
    let mut links = Vec::new();
    while let Next::Packet(packet) = file.next().unwrap() {
        assert_eq!((packet.data, packet.original_len), (b"odd".as_slice(), 1_003));
        links.push(packet.link.0);
    }
    assert_eq!(links, [1, 276, 1, 1]);
    assert_eq!(file.kernel_drops(), Some(5));
    if has("tshark") {
        let fields = ["-T", "fields", "-e", "frame.interface_name"];
        let text = tool("tshark", &[&["-r", path.to_str().unwrap()], &fields[..]].concat());
        assert_eq!(String::from_utf8(text).unwrap(), "lo\nany\neth0\nlo\n");
    }
}

#[test]
fn a_full_disk_is_told_and_reading_goes_on() {
    let folder = TempDir::new().unwrap();
    let sample = sample(folder.path(), "sample", 0).to_str().unwrap().to_owned();
    if !Path::new("/dev/full").exists() {
        eprintln!("skipped: there is no /dev/full");
        return;
    }
    let mut source = Source::files(&vec![sample; 9], &Stop::default()).unwrap();
    source.save_to("/dev/full").unwrap();
    let (mut packets, mut errors) = (0, Vec::new());
    loop {
        match source.next() {
            Ok(Next::Packet(_)) => packets += 1,
            Ok(Next::Idle(_)) => {}
            Ok(Next::End) => break,
            Err(error) => errors.push(error.to_string()),
        }
    }
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].starts_with("cannot write /dev/full: No space left"), "{errors:?}");
    assert_eq!(packets, 9 * 200);
    source.finish().unwrap();
}
