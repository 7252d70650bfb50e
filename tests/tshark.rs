//! The streams of the captures in `fixtures/`, byte for byte as tshark puts them together;
//! checksums and the segments in encapsulations as it reads them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod common;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{Raw, encapsulate, read};
use nestscope::decode::Decoder;
use nestscope::endpoint::{ConnectionId, Endpoints, PerSide, Side};
use nestscope::packet::{LinkType, Packet, PacketNumber};
use nestscope::stream::{Config, StreamEvent, Streams};
use nestscope::time::Timestamp;

#[test]
fn every_stream_is_what_tshark_follows() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    let mut captures: Vec<PathBuf> = fs::read_dir(&fixtures)
        .map(|entries| entries.map(|entry| entry.unwrap().path()).collect())
        .unwrap_or_default();
    captures.retain(|path| path.extension().is_some_and(|ext| ext == "pcap"));
    captures.sort();
    assert!(!captures.is_empty() || !fixtures.exists(), "no captures in {}", fixtures.display());
    for capture in captures {
        let ours = streams(&fs::read(&capture).unwrap());
        let theirs = followed(&capture, &ours);
        assert_eq!(ours.len(), theirs.len(), "{}: connections", capture.display());
        for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let place = format!("{}: connection {number}, {:?}", capture.display(), ours.ends);
            assert_eq!(ours.gaps, 0, "{place}: gaps");
            for side in Side::BOTH {
                let (ours, theirs) = (ours.bytes.of(side), theirs.of(side));
                assert!(ours == theirs, "{place}: {} and {} bytes", ours.len(), theirs.len());
            }
        }
    }
}

/// What tshark prints of each TCP segment: the fields of a line.
fn fields(capture: &Path, options: &[&str], fields: &[&str]) -> Vec<Vec<String>> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(capture).args(["-T", "fields", "-Y", "tcp"]).args(options);
    for field in fields {
        tshark.args(["-e", field]);
    }
    let output = tshark.output().expect("this test compares with tshark, which cannot be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').map(str::to_owned).collect()).collect()
}

#[test]
fn a_checksum_is_valid_where_tshark_says_so() {
    let mut compared = [0; 2];
    for name in ["walkthrough", "reset", "ipv6", "twoclients"] {
        let path = common::fixtures().join(format!("{name}.pcap"));
        let mut ours = Vec::new();
        let mut decoder = Decoder::new();
        packets(&fs::read(&path).unwrap(), |packet| {
            decoder
                .segments(&packet, &mut |segment| ours.push(segment.checksum_is_valid().unwrap()));
        });
        // 1: good, 0: bad. Where a checksum was left to the network card it says 1 of the partial
        // one.
        let check = ["-o", "tcp.check_checksum:TRUE"];
        let wanted = ["tcp.checksum.status", "tcp.checksum", "tcp.checksum_calculated"];
        let theirs = fields(&path, &check, &wanted);
        assert_eq!(ours.len(), theirs.len(), "{name}");
        for (number, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
            let is_valid = theirs[1] == theirs[2] || (theirs[2].is_empty() && theirs[0] == "1");
            assert_eq!(*ours, is_valid, "{name}, segment {number}: {theirs:?}");
            compared[usize::from(is_valid)] += 1;
        }
    }
    assert!(compared.iter().sum::<u64>() > 100, "{compared:?}");
}

#[test]
fn the_segments_in_encapsulations_are_those_that_tshark_finds() {
    let packets = read(&common::fixtures().join("walkthrough.pcap"));
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("packets.pcap");
    let mut all = encapsulate::each(&packets);
    all.extend(encapsulate::nested(&packets, 3).into_iter().step_by(4));
    for (what, packets) in all {
        let link = packets[0].link;
        // Numbers that tshark does not know, and a log from a host of the other byte order.
        let unknown = [LinkType::USER2, LinkType::PPP_PPPD, LinkType::MPLS].contains(&link);
        if unknown || what == "NFLOG, big-endian" {
            continue;
        }
        fs::write(&path, pcap(link, &packets)).unwrap();
        let mut told = vec!["-d", "udp.port==8472,vxlan", "-d", "udp.port==5555,vxlan"];
        // Nor does it guess what is below a label.
        match what.as_str() {
            "a pseudowire with its control word" => told.extend(["-d", "mpls.label==16,pwethcw"]),
            "a pseudowire without" => told.extend(["-d", "mpls.label==16,pwethnocw"]),
            _ => {}
        }
        let theirs = fields(&path, &told, &["frame.number", "tcp.len"]);
        let mut ours = Vec::new();
        let mut decoder = Decoder::new();
        self::packets(&fs::read(&path).unwrap(), |packet| {
            decoder.segments(&packet, &mut |segment| {
                let length = segment.payload.len();
                ours.push(vec![segment.packet.number.to_string(), length.to_string()]);
            });
        });
        assert_eq!(ours.len(), packets.len(), "{what}");
        assert_eq!(ours, theirs, "{what}");
    }
}

/// A classic capture file, little-endian, in nanoseconds.
fn pcap(link: LinkType, packets: &[Raw]) -> Vec<u8> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_le_bytes()).collect();
    let mut file: Vec<u8> = words(&[0xa1b2_3c4d, 4 << 16 | 2, 0, 0, 1 << 18, u32::from(link.0)]);
    for raw in packets {
        let (second, nanos) = (raw.at / 1_000_000_000, raw.at % 1_000_000_000);
        let length = u32::try_from(raw.data.len()).unwrap();
        let times = [second.try_into().unwrap(), nanos.try_into().unwrap()];
        let header: Vec<u8> = words(&[times[0], times[1], length, raw.original_len]);
        file.extend(header);
        file.extend(&raw.data);
    }
    file
}

struct Stream {
    ends: Endpoints,
    bytes: PerSide<Vec<u8>>,
    gaps: u64,
}

/// Our streams, in the order in which the connections were first seen.
fn streams(capture: &[u8]) -> Vec<Stream> {
    let mut found = BTreeMap::<ConnectionId, (u64, Stream)>::new();
    let mut take = |event: StreamEvent<'_>| match event {
        StreamEvent::Opened(opened) => {
            let bytes = PerSide::default();
            let stream = Stream { ends: opened.ends, bytes, gaps: 0 };
            found.insert(opened.connection, (opened.at.number.0, stream));
        }
        StreamEvent::Data(chunk) => {
            let (_, stream) = found.get_mut(&chunk.connection).unwrap();
            let bytes = stream.bytes.of_mut(chunk.from);
            assert_eq!(chunk.offset, bytes.len() as u64);
            bytes.extend_from_slice(chunk.data);
        }
        StreamEvent::Gap(gap) => found.get_mut(&gap.connection).unwrap().1.gaps += 1,
        StreamEvent::Late { .. }
        | StreamEvent::Notice(_)
        | StreamEvent::Segment(_)
        | StreamEvent::Closed(_) => {}
    };
    let mut decoder = Decoder::new();
    let mut streams = Streams::new(Config::default());
    packets(capture, |packet| {
        decoder.segments(&packet, &mut |segment| streams.push(&segment, &mut take));
    });
    streams.finish(&mut take);
    let mut found: Vec<(u64, Stream)> = found.into_values().collect();
    found.sort_by_key(|(first, _)| *first);
    found.into_iter().map(|(_, stream)| stream).collect()
}

/// The packets of a classic pcap file, little-endian.
fn packets(capture: &[u8], mut take: impl FnMut(Packet<'_>)) {
    let word = |at: usize| u32::from_le_bytes(capture[at..at + 4].try_into().unwrap());
    let nanos_per_unit = match word(0) {
        0xa1b2_c3d4 => 1_000,
        0xa1b2_3c4d => 1,
        magic => panic!("not a little-endian pcap file: {magic:08x}"),
    };
    let link = LinkType(u16::try_from(word(20) & 0xffff).unwrap());
    let (mut at, mut number) = (24, 0);
    while at + 16 <= capture.len() {
        let nanos = i64::from(word(at)) * 1_000_000_000 + i64::from(word(at + 4)) * nanos_per_unit;
        let end = at + 16 + word(at + 8) as usize;
        number += 1;
        take(Packet {
            number: PacketNumber(number),
            at: Timestamp::from_nanos(nanos),
            link,
            point: Default::default(),
            data: &capture[at + 16..end],
            original_len: word(at + 12),
        });
        at = end;
    }
}

/// What `tshark -z follow,tcp,raw,N` prints for each stream: a line for each of its two nodes, then
/// the bytes in hex, those of node 1 behind a tab.
fn followed(capture: &Path, streams: &[Stream]) -> Vec<PerSide<Vec<u8>>> {
    let mut tshark = Command::new("tshark");
    tshark.arg("-r").arg(capture).arg("-q");
    // One more than we know of: there must be none.
    for number in 0..=streams.len() {
        tshark.arg("-z").arg(format!("follow,tcp,raw,{number}"));
    }
    let output = tshark.output().expect("this test compares with tshark, which cannot be run");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let mut found = BTreeMap::new();
    for report in text.split("Filter: tcp.stream eq ").skip(1) {
        let mut lines = report.lines();
        let number: usize = lines.next().unwrap().parse().unwrap();
        let node = lines.next().unwrap().strip_prefix("Node 0: ").unwrap();
        lines.next();
        // So it reports a stream that does not exist.
        if node == ":0" {
            continue;
        }
        let client = streams.get(number).map(|stream| stream.ends.client.to_string());
        let mut bytes = PerSide::<Vec<u8>>::default();
        for line in lines.take_while(|line| !line.starts_with('=')) {
            let of_node_0 = !line.starts_with('\t');
            let side = match of_node_0 == (client.as_deref() == Some(node)) {
                true => Side::Client,
                false => Side::Server,
            };
            bytes.of_mut(side).extend(from_hex(line.trim()));
        }
        found.insert(number, bytes);
    }
    found.into_values().collect()
}

fn from_hex(text: &str) -> impl Iterator<Item = u8> + '_ {
    text.as_bytes()
        .chunks(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
}
