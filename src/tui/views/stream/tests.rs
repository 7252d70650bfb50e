use insta::assert_snapshot;
use jiff::tz::TimeZone;
use proptest::prelude::*;

use super::*;
use crate::endpoint::ConnectionNumber;
use crate::exchange::ExchangeNumber;
use crate::packet::{LinkType, PacketNumber};
use crate::time::Timestamp;
use crate::tui::tests::harness::{Harness, Raw, fixture};
use crate::tui::theme::Theme;

fn view(connection: u32) -> Box<Stream> {
    Box::new(Stream::new(ConnectionNumber(connection), TimeZone::UTC))
}

fn stage(name: &str, size: (u16, u16)) -> Harness {
    Harness::over(view(0), name, size)
}

#[test]
fn a_stream_is_shown_frame_by_frame_as_text_and_as_hex() {
    let mut narrow = stage("walkthrough.pcap", (80, 24));
    assert_snapshot!("frames_80x24", narrow.keys("jj").screen());
    assert_snapshot!("text_80x24", narrow.keys("x").screen());
    assert_snapshot!("hex_80x24", narrow.keys("x").screen());
    assert_snapshot!("frames_120x40", stage("ipv6.pcap", (120, 40)).keys("T").screen());
    assert_snapshot!("unfolded_120x40", stage("megabyte.pcap.gz", (120, 40)).keys("E").screen());
    assert_snapshot!("frames_200x60", stage("concurrent-v11.pcap", (200, 60)).screen());
}

#[test]
fn of_a_huge_frame_the_beginning_is_unfolded_and_the_rest_named() {
    let mut stage = stage("megabyte.pcap.gz", (120, 40));
    assert!(stage.keys("Egj").selected().starts_with('>'), "a row of the same frame");
    let rest = "[1,048,641 bytes in all: Enter opens the call]";
    let is_there = (0..40).any(|_| stage.keys("<PgDn>").screen().contains(rest));
    assert!(is_there, "{}", stage.screen());
}

#[test]
fn ascii_tells_the_same() {
    let mut stage = Harness::empty(view(0), (80, 16), Theme::new(false, true));
    stage.take(&fixture("killed-v11.pcap"));
    let screen = stage.screen();
    assert!(screen.is_ascii(), "{screen}");
    assert_snapshot!("ascii", screen);
}

#[test]
fn tab_chooses_the_side() {
    let mut stage = stage("walkthrough.pcap", (80, 24));
    let marks = |stage: &mut Harness| -> String {
        let lines = stage.lines();
        let rows = lines.iter().skip(4).take_while(|line| line.len() > 22);
        rows.map(|line| line.chars().nth(21).unwrap()).collect()
    };
    assert_eq!(marks(&mut stage), ">><><");
    assert_eq!(marks(stage.keys("<Tab>")), ">>>");
    assert_eq!(marks(stage.keys("<Tab>")), "<<");
    assert_eq!(marks(stage.keys("<Tab>")), ">><><");
}

#[test]
fn enter_opens_the_call_and_a_frame_is_copied() {
    let mut stage = stage("walkthrough.pcap", (80, 24));
    for (row, call) in [1, 2, 2, 3, 3].into_iter().enumerate() {
        stage.keys(&format!("g{}<Enter>", "j".repeat(row)));
        assert_eq!(stage.opened().last(), Some(&call));
        stage.keys("<Esc>");
    }
    stage.keys("xg<Enter>");
    assert_eq!(stage.opened().last(), Some(&1), "as text");
    stage.keys("<Esc>xx");
    stage.keys("gjyy");
    let Some(Effect::Copy(text)) = stage.effects.last() else { panic!() };
    assert!(text.starts_with("61#{\"pattern\":\"sum\"") && text.ends_with('}'), "{text}");
}

#[test]
fn a_search_finds_forwards_and_backwards() {
    let mut stage = stage("walkthrough.pcap", (120, 24));
    stage.keys("<^S>disposed<Enter>");
    assert!(stage.selected().contains("#2"), "{}", stage.selected());
    stage.keys("n");
    assert!(stage.selected().contains("#3"), "{}", stage.selected());
    stage.keys("n");
    assert!(stage.screen().contains("disposed is not found behind this place"));
    stage.keys("N");
    assert!(stage.selected().contains("#2"), "{}", stage.selected());
}

#[test]
fn a_large_stream_opens_at_once_and_reads_on_as_it_is_looked_at() {
    let mut stage = Harness::empty(view(0), (80, 24), Theme::new(false, false));
    let frames = 12_000_u32;
    let mut packets = vec![segment(0, Side::Client, 0, SYN, b"")];
    packets.push(segment(1, Side::Server, 0, SYN, b""));
    let frame = br#"27#{"pattern":"log","data":12}"#;
    for number in 0..frames {
        let seq = 1 + number * u32::try_from(frame.len()).unwrap();
        packets.push(segment(2 + i64::from(number), Side::Client, seq, 0, frame));
    }
    stage.take(&packets);
    stage.finish();
    let mut large = Stream::new(ConnectionNumber(0), TimeZone::UTC);
    let known = |stream: &Stream| stream.items().map_or(0, |items| items.numbers().end);
    let theme = Theme::new(false, false);
    let area = Rect::new(0, 3, 80, 20);
    let scene = Scene {
        capture: &stage.capture,
        status: &stage.status,
        now: stage.now,
        theme: &theme,
        area,
    };
    large.refresh(&[], &scene);
    assert!(known(&large) <= 1_000, "{}", known(&large));
    for _ in 0..200 {
        large.refresh(&[], &scene);
    }
    assert!(known(&large) <= 1_000, "nobody looked farther");
    large.act(Action::Bottom, &scene);
    large.refresh(&[], &scene);
    assert!((8_000..10_000).contains(&known(&large)), "{}", known(&large));
    large.refresh(&[], &scene);
    assert_eq!(known(&large), u64::from(frames));
    assert_eq!(large.viewport.cursor.item, u64::from(frames) - 1);
    assert!(!large.is_more && !large.to_end);
    large.act(Action::Top, &scene);
    assert_eq!(large.viewport.cursor, Place::default());
}

#[test]
fn hostile_bytes_are_shown_and_never_sent() {
    let hostile = "\x1b]0;x\x07\u{202e}abc\u{200b}\u{9b}31m\r\x00\u{301}\u{301}".as_bytes();
    let packets = [
        segment(0, Side::Client, 0, SYN, b""),
        segment(1, Side::Server, 0, SYN, b""),
        segment(2, Side::Client, 1, 0, hostile),
        segment(3, Side::Server, 1, 0, &[0xff, 0xfe, 0x80, 0xe6, 0xb1]),
    ];
    for theme in [Theme::new(true, false), Theme::new(false, true)] {
        let mut stage = Harness::empty(view(0), (80, 24), theme);
        stage.take(&packets);
        stage.finish();
        for _ in 0..3 {
            let screen = stage.keys("x").screen();
            for acting in ['\x1b', '\x07', '\u{202e}', '\u{200b}', '\u{9b}', '\r', '\0'] {
                assert!(!screen.contains(acting), "{acting:?}");
            }
        }
    }
}

#[test]
fn what_the_capture_lacks_is_named() {
    let mut packets = fixture("walkthrough.pcap");
    // The first answer, and what acknowledges it stays.
    packets.remove(7);
    let mut stage = Harness::empty(view(0), (80, 24), Theme::new(false, false));
    stage.take(&packets);
    stage.finish();
    assert!(stage.screen().contains("[64 bytes missing in capture]"), "{}", stage.screen());
    assert!(stage.keys("x").screen().contains("[64 bytes missing in capture]"));
}

#[test]
fn a_live_stream_is_followed() {
    let mut stage = Harness::empty(view(0), (80, 24), Theme::new(false, false));
    stage.status.activity = Activity::Live;
    let packets = fixture("walkthrough.pcap");
    stage.take(&packets[..4]);
    stage.keys("F");
    assert!(stage.selected().contains("#1"), "{}", stage.selected());
    stage.take(&packets[4..8]);
    assert!(stage.selected().contains("<") && stage.selected().contains("#2"));
    stage.keys("k");
    stage.take(&packets[8..11]);
    assert!(stage.selected().contains("#2"), "{}", stage.selected());
    stage.keys("G");
    assert!(stage.selected().contains("#3"), "{}", stage.selected());
}

/// Everything of a connection, and its bytes as the index reads them.
fn followed(capture: &CaptureStore, connection: ConnectionNumber) -> (Follower, [Vec<u8>; 2]) {
    let mut follower = Follower::new(connection, PacketNumber(0), REORDER_AT_MOST_FILE);
    while follower.step(capture.archive(), 7) {}
    follower.finish();
    let mut source = Source::new(capture.archive());
    let bytes = Side::BOTH.map(|side| {
        let mut bytes = Vec::new();
        let len = follower.index().len(side);
        while (bytes.len() as u64) < len {
            // In parts that end anywhere.
            let offset = bytes.len() as u64;
            let part = follower.index().read(&mut source, side, offset, 1_000).unwrap();
            assert!(!part.is_empty());
            bytes.extend(part);
        }
        bytes
    });
    (follower, bytes)
}

/// Both lists hold every byte of a side once.
fn check_lists(index: &Index) {
    for items in [&index.frames, &index.blocks] {
        for side in Side::BOTH {
            let of_side = items.numbers().filter_map(|number| items.get(number));
            let mut parts: Vec<_> = of_side
                .filter(|item| item.from == side)
                .map(|item| (item.offset, item.len))
                .collect();
            assert!(parts.is_sorted());
            parts.dedup_by(|next, before| {
                let goes_on = before.0 + before.1 == next.0;
                before.1 += if goes_on { next.1 } else { 0 };
                goes_on
            });
            assert!(parts.len() <= 1, "{parts:?}");
            assert_eq!(parts.first().map_or(0, |part| part.1), index.len(side));
        }
    }
}

#[test]
fn frames_of_recordings_are_those_of_their_calls() {
    for name in ["concurrent-v11.pcap", "basic-v7.pcap", "megabyte.pcap.gz", "ipv6.pcap"] {
        let mut stage = Harness::over(view(0), name, (80, 24));
        let capture = &stage.capture;
        let mut compared = 0;
        for record in capture.connections() {
            let (follower, bytes) = followed(capture, record.facts.connection.number);
            let index = follower.index();
            check_lists(index);
            for row in capture
                .archive()
                .rows(ExchangeNumber(0))
                .filter(|row| row.connection == record.facts.connection.number)
            {
                let detail = capture.archive().detail(row.number).unwrap();
                for frame in &detail.frames {
                    let body = capture.archive().body(&detail, frame).unwrap();
                    let items = index.frames.numbers().filter_map(|at| index.frames.get(at));
                    let mut items = items.filter(|item| {
                        item.from == frame.from
                            && index.seq(item.from, item.offset) == Some(frame.seq)
                    });
                    let item = items.next().unwrap();
                    let side = &bytes[usize::from(item.from == Side::Server)];
                    let end = usize::try_from(item.offset + item.len).unwrap();
                    assert!(side[..end].ends_with(&body), "{name}: {}", row.number);
                    compared += 1;
                }
            }
        }
        assert!(compared > 2, "{name}: {compared}");
        stage.refresh();
    }
}

const SYN: u8 = 2;

/// A raw IPv4 packet.
fn segment(at: i64, from: Side, seq: u32, flags: u8, payload: &[u8]) -> Raw {
    let (source, target) = if from == Side::Client { (1, 2) } else { (2, 1) };
    let ports = if from == Side::Client { [40_000_u16, 3_000] } else { [3_000, 40_000] };
    let len = u16::try_from(40 + payload.len()).unwrap();
    let mut data = vec![0x45, 0];
    data.extend(len.to_be_bytes());
    data.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, source, 10, 0, 0, target]);
    data.extend(ports.iter().flat_map(|port| port.to_be_bytes()));
    data.extend(seq.to_be_bytes());
    // The SYN of the server answers that of the client.
    let acks = from == Side::Server && flags & SYN != 0;
    data.extend(u32::from(acks).to_be_bytes());
    data.extend([0x50, flags | if acks { 0x10 } else { 0 }, 1, 0, 0, 0, 0, 0]);
    data.extend(payload);
    (Timestamp::from_nanos(1_795_319_521_000_000_000 + at * 1_000), LinkType::RAW, data)
}

proptest! {
    /// However the bytes were cut, repeated and mixed up on the way, the view has what was sent.
    #[test]
    fn the_stream_is_what_was_sent(
        sent in proptest::collection::vec(any::<u8>(), 1..3_000),
        answered in proptest::collection::vec(any::<u8>(), 0..500),
        cuts in proptest::collection::vec(1_usize..400, 1..40),
        swaps in proptest::collection::vec((0_usize..60, 0_usize..60), 0..8),
        again in proptest::collection::vec(0_usize..60, 0..5),
    ) {
        let mut packets = Vec::new();
        for (side, bytes) in [(Side::Client, &sent), (Side::Server, &answered)] {
            let mut cuts = cuts.iter().cycle();
            let mut offset = 0;
            while offset < bytes.len() {
                let end = (offset + cuts.next().unwrap()).min(bytes.len());
                packets.push((side, 1 + u32::try_from(offset).unwrap(), &bytes[offset..end]));
                offset = end;
            }
        }
        for at in again {
            packets.push(packets[at % packets.len()]);
        }
        for (a, b) in swaps {
            let len = packets.len();
            packets.swap(a % len, b % len);
        }
        let mut raw = vec![segment(0, Side::Client, 0, SYN, b"")];
        raw.push(segment(1, Side::Server, 0, SYN, b""));
        let data = packets.iter().zip(2..);
        raw.extend(data.map(|((side, seq, bytes), at)| segment(at, *side, *seq, 0, bytes)));
        let mut stage = Harness::empty(view(0), (80, 24), Theme::new(false, false));
        stage.take(&raw);
        stage.finish();
        let (follower, bytes) = followed(&stage.capture, ConnectionNumber(0));
        prop_assert_eq!(&bytes[0], &sent);
        prop_assert_eq!(&bytes[1], &answered);
        check_lists(follower.index());
        // Every form can be drawn from end to end.
        for keys in ["G", "xGg", "xG", "E"] {
            stage.keys(keys).screen();
        }
    }
}

#[test]
fn where_no_byte_was_sent_the_packets_are_shown() {
    assert_snapshot!("refused_80x12", stage("refused.pcap", (80, 12)).screen());
}
