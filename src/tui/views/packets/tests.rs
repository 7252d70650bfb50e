use insta::assert_snapshot;
use jiff::tz::TimeZone;

use super::*;
use crate::packet::{LinkType, PacketNumber};
use crate::query::RowFilter;
use crate::time::Timestamp;
use crate::tui::tests::harness::{Harness, Raw, fixture};
use crate::tui::theme::Theme;

fn view() -> Box<Packets> {
    Box::new(Packets::new(TimeZone::UTC))
}

fn stage(name: &str, size: (u16, u16)) -> Harness {
    Harness::over(view(), name, size)
}

#[test]
fn packets_read_as_in_wireshark() {
    let mut narrow = stage("walkthrough.pcap", (80, 24));
    assert_snapshot!("80x24", narrow.keys("jjjjj").screen());
    assert_snapshot!("120x40", stage("ipv6.pcap", (120, 40)).keys("jjjjjjj").screen());
    assert_snapshot!("200x60", stage("killed-v11.pcap", (200, 60)).keys("T").screen());
}

#[test]
fn ascii_shows_no_other_character() {
    let mut stage = Harness::empty(view(), (100, 20), Theme::new(false, true));
    stage.take(&fixture("reset.pcap"));
    let screen = stage.keys("jjjjj").screen();
    assert!(screen.is_ascii(), "{screen}");
    assert_snapshot!("ascii", screen);
}

#[test]
fn what_is_no_segment_is_named() {
    let mut stage = Harness::empty(view(), (80, 20), Theme::new(false, false));
    let at = Timestamp::from_nanos(1_795_319_521_000_000_000);
    let arp = [&[0xff; 12][..], &[8, 6, 0, 1]].concat();
    let packets: [Raw; 4] = [
        (at, LinkType::ETHERNET, arp),
        (at, LinkType::ETHERNET, vec![1, 2, 3]),
        (at, LinkType(147), b"\x1b[2J\x07 hostile".to_vec()),
        (at, LinkType::ETHERNET, Vec::new()),
    ];
    stage.take(&packets);
    let screen = stage.keys("jj").screen();
    assert!(!screen.contains('\x1b') && !screen.contains('\x07'));
    assert_snapshot!("not_tcp", screen);
    stage.keys("<Enter>");
    assert_eq!(stage.footer(), "This packet is of no connection that is followed");
}

#[test]
fn hostile_payloads_are_shown_and_never_sent() {
    // The payload of the request is overwritten.
    let mut packets = fixture("walkthrough.pcap");
    let hostile = "\x1b]0;x\x07\u{202e}abc\u{200b}\u{9b}31m\r\n".as_bytes();
    let data = &mut packets[5].2;
    let end = data.len();
    data[end - hostile.len()..].copy_from_slice(hostile);
    for theme in [Theme::new(true, false), Theme::new(false, true)] {
        let mut stage = Harness::empty(view(), (140, 24), theme);
        stage.take(&packets);
        let screen = stage.keys("jjjjj").screen();
        for acting in ['\x1b', '\x07', '\u{202e}', '\u{200b}', '\u{9b}', '\r'] {
            assert!(!screen.contains(acting), "{acting:?}");
        }
    }
}

#[test]
fn enter_opens_the_call_that_a_packet_carried() {
    let mut stage = stage("walkthrough.pcap", (80, 24));
    // The event, the two calls, the two answers, as the packets of the file are.
    for (packet, call) in [(4, 1), (6, 2), (8, 2), (10, 3), (11, 3)] {
        stage.keys(&format!(":{packet}<Enter><Enter>"));
        assert_eq!(stage.opened().last(), Some(&call), "packet {packet}");
        stage.keys("<Esc>");
    }
    let before = stage.opened().len();
    stage.keys(":1<Enter><Enter>");
    assert_eq!(stage.footer(), "This packet carries no bytes of a call");
    assert_eq!(stage.opened().len(), before);
}

#[test]
fn every_packet_with_bytes_leads_to_its_call() {
    // A frame of a megabyte: most of its packets hold neither its beginning nor its end.
    let mut stage = stage("megabyte.pcap.gz", (80, 24));
    let packets = stage.capture.archive().packets();
    let mut carried = 0;
    for number in PacketNumber::each(packets) {
        let reading = Reading::new(number, &stage.capture).unwrap();
        if reading.headers.unwrap().payload_len > 0 {
            stage.keys(&format!(":{number}<Enter><Enter>"));
            carried += 1;
            assert_eq!(stage.opened().len(), carried, "packet {number}: {}", stage.footer());
            stage.keys("<Esc>");
        }
    }
    assert!(carried > 10, "{carried}");
}

#[test]
fn a_search_goes_through_payloads_and_round() {
    let mut stage = stage("walkthrough.pcap", (80, 24));
    stage.keys("<^S>response<Enter>");
    assert!(stage.selected().starts_with("8 "), "{}", stage.selected());
    stage.keys("n");
    assert!(stage.selected().starts_with("11 "), "{}", stage.selected());
    stage.keys("n");
    assert!(stage.selected().starts_with("8 "), "{}", stage.selected());
    stage.keys("N");
    assert!(stage.selected().starts_with("11 "), "{}", stage.selected());
    stage.keys("<^S>not there<Enter>");
    assert!(stage.screen().contains("No packet holds not there"), "{}", stage.screen());
    assert!(stage.selected().starts_with("11 "));
}

#[test]
fn a_long_search_goes_on_from_refresh_to_refresh() {
    let mut stage = Harness::empty(view(), (80, 24), Theme::new(false, false));
    let packets = fixture("walkthrough.pcap");
    let many: Vec<_> = std::iter::repeat_n(packets[4].clone(), 9_000).collect();
    stage.take(&many);
    stage.take(&packets[5..6]);
    stage.keys("g<^S>pattern<Enter>");
    assert!(stage.screen().contains("Searching: "), "{}", stage.screen());
    stage.refresh();
    stage.refresh();
    assert!(stage.selected().starts_with("9001 "), "{}", stage.selected());
    stage.keys("g<^S>nowhere<Enter><Esc>");
    assert!(!stage.screen().contains("Searching"), "{}", stage.screen());
}

#[test]
fn live_it_follows_the_newest_until_somebody_moves() {
    let mut stage = Harness::empty(view(), (80, 24), Theme::new(false, false));
    stage.status.activity = Activity::Live;
    let packets = fixture("walkthrough.pcap");
    // The start page showed no source; now there is one.
    let mut live = Packets::new(TimeZone::UTC);
    live.begun = false;
    stage.with(|app, _| app.show(vec![Box::new(live)]));
    stage.refresh();
    stage.take(&packets[..6]);
    assert!(stage.selected().starts_with("6 "), "{}", stage.selected());
    stage.take(&packets[6..8]);
    assert!(stage.selected().starts_with("8 "), "{}", stage.selected());
    stage.keys("k");
    stage.take(&packets[8..10]);
    assert!(stage.selected().starts_with("7 "), "{}", stage.selected());
    stage.keys("F");
    assert!(stage.selected().starts_with("10 "), "{}", stage.selected());
}

#[test]
fn the_bytes_take_the_room_and_the_keys_and_give_them_back() {
    let mut stage = stage("walkthrough.pcap", (80, 24));
    stage.keys("jjjjj");
    let hex =
        |stage: &mut Harness| stage.lines().iter().filter(|line| line.starts_with("000")).count();
    assert_eq!(hex(&mut stage), 8);
    assert_eq!(hex(stage.keys("x")), 0);
    assert_eq!(hex(stage.keys("z")), 9);
    assert_eq!(hex(stage.keys("<Esc>")), 8);
    stage.keys("<Tab>j");
    assert!(stage.screen().contains("\n00010"), "{}", stage.screen());
    assert!(!stage.screen().contains("\n00000"), "{}", stage.screen());
    stage.keys("<Tab>j");
    assert!(stage.selected().starts_with("7 "), "{}", stage.selected());
}

#[test]
fn the_payload_is_copied_and_the_stream_followed() {
    let mut stage = stage("walkthrough.pcap", (80, 24));
    stage.keys(":4<Enter>yy");
    let [Effect::Copy(text)] = &stage.effects[..] else { panic!() };
    assert!(text.starts_with("29#{\"pattern\""), "{text}");
    stage.keys("f");
    assert!(stage.lines()[2].contains("Packets → Stream 0"), "{}", stage.screen());
}

#[test]
fn every_field_of_a_filter_has_values_and_a_valid_example() {
    let stage = stage("basic-v11.pcap", (120, 40));
    let mut told = std::collections::BTreeSet::new();
    for number in 1..20 {
        let reading = Reading::new(PacketNumber(number), &stage.capture).unwrap();
        for field in FILTERED {
            let beginnings = std::cell::RefCell::default();
            fields::tell(&reading, &beginnings, &stage.capture, field.name, &mut |_| {
                told.insert(field.name);
            });
        }
    }
    for field in FILTERED {
        let filter = RowFilter::parse(FILTERED, field.example);
        assert!(filter.is_ok(), "{}: {filter:?}", field.example);
        assert!(told.contains(field.name), "{}", field.name);
    }
}

#[test]
fn a_filter_lists_the_packets_that_it_lets_through() {
    let mut stage = stage("basic-v11.pcap", (120, 40));
    let with_payload = |number: &u64| {
        let reading = Reading::new(PacketNumber(*number), &stage.capture).unwrap();
        reading.headers.is_some_and(|headers| headers.payload_len > 0)
    };
    let expected: Vec<u64> = (1..=147).filter(with_payload).collect();
    stage.keys("/payload > 0<Enter>");
    let told = format!("{} of 147 shown filter payload > 0", expected.len());
    assert!(stage.screen().contains(&told), "{told}\n{}", stage.screen());
    for number in &expected[..5] {
        assert!(stage.selected().starts_with(&number.to_string()), "{}", stage.selected());
        stage.keys("j");
    }
    // A search looks among them alone, and what is hidden is said to be.
    stage.keys("1G");
    stage.keys(":1<Enter>");
    assert!(stage.footer().contains("Packet 1 is hidden by the filter"), "{}", stage.footer());
    stage.keys("<Esc>:1<Enter>");
    assert!(stage.selected().starts_with('1'), "{}", stage.selected());
}
