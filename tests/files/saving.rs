//! What is saved, read back.

use nestscope::packet::{LinkType, Packet, PacketNumber, PointId};
use nestscope::source::options::Options;
use nestscope::source::writer::CaptureWriter;
use nestscope::source::{CapturePoints, Source};
use tempfile::TempDir;

use crate::by_hand::ORDERS;
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
            packet.number.0,
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
    // A simple packet is of the first interface. This one is of another and takes the time of the
    // packet before it, since no block can say what it lacks.
    rows[6].1 = rows[5].1;
    assert_eq!(again, rows);
    assert_eq!(tshark(&path("out")), as_tshark(&rows));
    let told = String::from_utf8(tool("capinfos", &[&text("out")])).unwrap();
    for line in ["Number of interfaces in file: 4", "nestscope 0.1.0", "nanoseconds (9)"] {
        assert!(told.contains(line), "{line}\n{told}");
    }
}

/// A packet of a point that is not known: its link type is kept all the same.
#[test]
fn packets_of_unknown_points_keep_their_link_types() {
    let packet = |link| Packet {
        number: PacketNumber(1),
        at: Timestamp::from_nanos(1_700_000_000_123_456_789),
        link,
        point: PointId(0),
        data: b"odd",
        original_len: 1_003,
    };
    let mut bytes = Vec::new();
    let points = CapturePoints::default();
    let mut writer = CaptureWriter::new(&mut bytes);
    for link in [LinkType::ETHERNET, LinkType::LINUX_SLL2, LinkType::ETHERNET] {
        writer.write(&packet(link), Options::NONE, &points).unwrap();
    }
    writer.finish(&points, [(PointId(0), 5), (PointId(7), 9)]).unwrap();
    let (rows, error) = read_bytes(&bytes);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(rows.iter().map(|row| row.2).collect::<Vec<_>>(), [1, 276, 1]);
    assert!(rows.iter().all(|row| row.3 == b"odd" && row.4 == 1_003));
}

/// A pcapng that says all that it can beside its packets.
fn talkative(order: Order) -> Vec<u8> {
    let mut section = order.u32(0x1A2B_3C4D).to_vec();
    section.extend(order.u16(1));
    section.extend(order.u16(0));
    section.extend([0xFF; 8]);
    for (code, value) in
        [(1, &b"from the bug report"[..]), (2, b"a laptop"), (3, b"Linux 6"), (1, b"second")]
    {
        section.extend(order.option(code, value));
    }
    section.extend(order.option(0, b""));
    let mut bytes = order.block(0x0A0D_0D0A, &section);
    let speed = order.u64(1_000_000_000).to_vec();
    let options = [(2, b"eth0".to_vec()), (3, b"the uplink".to_vec()), (8, speed), (9, vec![9])];
    bytes.extend(order.interface(1, 96, &options));
    bytes.extend(order.interface(1, 0, &[(2, b"eth1".to_vec())]));
    bytes.extend(order.interface(1, 0, &[(2, b"silent".to_vec())]));
    let mut secrets = order.u32(0x544C_534B).to_vec();
    let key = b"CLIENT_RANDOM 00 11\n";
    secrets.extend(order.u32(key.len() as u32));
    secrets.extend(key);
    bytes.extend(order.block(10, &secrets));
    let mut names = order.option(1, b"\x0A\0\0\x01math.local\0");
    names.extend(order.option(0, b""));
    bytes.extend(order.block(4, &names));
    let frame = [&[2; 12][..], &[8, 0], &[0; 40]].concat();
    for number in 0..6_u64 {
        let ticks = 1_700_000_000_000_000 + number;
        let mut packet = order.u32((number % 2) as u32).to_vec();
        let ticks = if number % 2 == 0 { ticks * 1_000 } else { ticks };
        packet.extend(order.u32((ticks >> 32) as u32));
        packet.extend(order.u32(ticks as u32));
        packet.extend(order.u32(frame.len() as u32));
        packet.extend(order.u32(frame.len() as u32));
        packet.extend(&frame);
        packet.resize(packet.len().next_multiple_of(4), 0);
        packet.extend(order.option(2, &order.u32(1 + number as u32 % 2)));
        packet.extend(order.option(1, format!("packet {number}").as_bytes()));
        if number == 4 {
            packet.extend(order.option(4, &order.u64(7)));
        }
        packet.extend(order.option(0, b""));
        bytes.extend(order.block(6, &packet));
    }
    bytes.extend(order.simple(&frame, frame.len() as u32));
    bytes.extend(order.statistics(1, 7, 3));
    bytes
}

#[test]
fn what_is_said_beside_packets_is_kept() {
    if !has("tshark") || !has("capinfos") {
        return;
    }
    for order in ORDERS {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        fs::write(path("in"), talkative(order)).unwrap();
        let copy = |from: &str, to: &str| {
            let mut source = Source::files(&[text(from)], &Stop::default()).unwrap();
            source.save_to(&text(to)).unwrap();
            while !matches!(source.next().unwrap(), Next::End) {}
            source.finish().unwrap();
            source.kernel_drops()
        };
        // Seven before a packet of eth0, three counted by the statistics of eth1.
        assert_eq!(copy("in", "out"), Some(10));
        assert_eq!(copy("out", "again"), Some(10));
        assert_eq!(fs::read(path("out")).unwrap(), fs::read(path("again")).unwrap());
        // tshark's own account of the file before and after.
        let account = |name: &str| {
            let fields = [
                "frame.time_epoch",
                "frame.len",
                "frame.interface_name",
                "frame.interface_description",
                "frame.packet_flags",
                "frame.comment",
                "frame.section_number",
            ];
            let mut arguments = vec!["-r".to_owned(), text(name), "-Tfields".to_owned()];
            arguments
                .extend(fields.iter().flat_map(|field| ["-e".to_owned(), (*field).to_owned()]));
            let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
            String::from_utf8(tool("tshark", &arguments)).unwrap()
        };
        assert_eq!(account("out"), account("in"));
        assert!(account("out").contains("eth0\tthe uplink\t0x00000001\tpacket 4"));
        let told = String::from_utf8(tool("capinfos", &[&text("out")])).unwrap();
        for line in [
            "from the bug report",
            "second",
            "a laptop",
            "Linux 6",
            "nestscope 0.1.0",
            "Number of interfaces in file: 3",
            "Name = silent",
            "Description = the uplink",
            "Capture length = 96",
            "Number of decryption secrets in file: 1",
            "Number of resolved IPv4 addresses in file: 1",
        ] {
            assert!(told.contains(line), "{line}\n{told}");
        }
        let saved = fs::read(path("out")).unwrap();
        assert!(saved.windows(20).any(|bytes| bytes == b"CLIENT_RANDOM 00 11\n"));
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
