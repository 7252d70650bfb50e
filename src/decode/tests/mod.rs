//! Packets of every link type and IP case, built by etherparse or by hand.

use etherparse::{
    IpFragOffset, IpHeaders, IpNumber, Ipv4Header, Ipv6Header, TcpHeader, TcpOptionElement,
};

use super::*;
use crate::limits::{FRAGMENT_BYTES, FRAGMENT_WAIT};
use crate::packet::PacketNumber;
use crate::time::Timestamp;

mod tunnels;

const CLIENT: [u8; 4] = [10, 0, 0, 1];
const SERVER: [u8; 4] = [10, 0, 0, 2];
const PAYLOAD: &[u8] = b"61#{\"pattern\":\"sum\"}";

/// A segment whose payload outlives its packet.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Owned {
    packet: u64,
    ends: String,
    seq: u32,
    flags: u8,
    payload: Vec<u8>,
    missing: u32,
}

fn owned(segment: &Segment<'_>) -> Owned {
    Owned {
        packet: segment.packet.number.0,
        ends: format!("{} > {}", segment.from, segment.to),
        seq: segment.seq.0,
        flags: segment.flags.0,
        payload: segment.payload.to_vec(),
        missing: segment.missing,
    }
}

/// A decoder that numbers its packets.
#[derive(Default)]
struct Capture {
    decoder: Decoder,
    number: u64,
    at: i64,
}

impl Capture {
    fn push(&mut self, link: u16, data: &[u8], cut: usize) -> Vec<Owned> {
        self.number += 1;
        self.at += 1;
        let packet = Packet {
            number: PacketNumber(self.number),
            at: Timestamp::from_nanos(self.at),
            link: LinkType(link),
            point: Default::default(),
            data,
            original_len: u32::try_from(data.len() + cut).unwrap(),
        };
        let mut segments = Vec::new();
        self.decoder.segments(&packet, &mut |segment| segments.push(owned(&segment)));
        segments
    }

    fn counts(&self) -> Counts {
        self.decoder.counts().clone()
    }
}

fn tcp(payload: &[u8]) -> Vec<u8> {
    let mut header = TcpHeader::new(40_000, 8888, 1000, 512);
    header.ack = true;
    header.psh = true;
    header.acknowledgment_number = 77;
    let mut bytes = header.to_bytes().to_vec();
    bytes.extend(payload);
    bytes
}

fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap();
    let header = Ipv4Header::new(length, 64, IpNumber(protocol), CLIENT, SERVER).unwrap();
    [&header.to_bytes(), payload].concat()
}

fn ipv6(next: u8, payload: &[u8]) -> Vec<u8> {
    let header = Ipv6Header {
        payload_length: u16::try_from(payload.len()).unwrap(),
        next_header: IpNumber(next),
        hop_limit: 64,
        source: [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1],
        destination: [0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2],
        ..Ipv6Header::default()
    };
    [&header.to_bytes(), payload].concat()
}

fn ethernet(ether_type: u16, payload: &[u8]) -> Vec<u8> {
    // Destination and source address, then what follows.
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &ether_type.to_be_bytes(), payload].concat()
}

fn v4() -> Vec<u8> {
    ipv4(6, &tcp(PAYLOAD))
}

fn v6() -> Vec<u8> {
    ipv6(6, &tcp(PAYLOAD))
}

fn expected(ends: &str) -> Owned {
    Owned {
        packet: 1,
        ends: ends.to_owned(),
        seq: 1000,
        flags: 0x18,
        payload: PAYLOAD.to_vec(),
        missing: 0,
    }
}

const V4: &str = "10.0.0.1:40000 > 10.0.0.2:8888";
const V6: &str = "[fe80::1]:40000 > [fe80::2]:8888";

#[test]
fn every_link_type() {
    // Packet type, ARPHRD of Ethernet, address length and address: then the protocol.
    let sll = |protocol: [u8; 2], rest: Vec<u8>| {
        [&[0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0][..], &protocol, &rest].concat()
    };
    // Protocol, reserved, interface 3, ARPHRD, packet type, address length, address.
    let sll2 = |protocol: [u8; 2], rest: Vec<u8>| {
        let header = [0, 0, 0, 0, 0, 3, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0];
        [&protocol[..], &header, &rest].concat()
    };
    let family = |bytes: [u8; 4], rest: Vec<u8>| [&bytes[..], &rest].concat();
    let tag = |next: u16, rest: Vec<u8>| [&[0, 5][..], &next.to_be_bytes(), &rest].concat();
    let cases: Vec<(&str, u16, Vec<u8>, &str)> = vec![
        ("Ethernet", 1, ethernet(0x0800, &v4()), V4),
        ("Ethernet, version 6", 1, ethernet(0x86dd, &v6()), V6),
        ("802.1Q", 1, ethernet(0x8100, &tag(0x0800, v4())), V4),
        ("802.1ad", 1, ethernet(0x88a8, &tag(0x8100, tag(0x86dd, v6()))), V6),
        ("three tags", 1, ethernet(0x9100, &tag(0x8100, tag(0x8100, tag(0x0800, v4())))), V4),
        ("cooked 1", 113, sll([0x08, 0x00], v4()), V4),
        ("cooked 1, tagged", 113, sll([0x81, 0x00], tag(0x86dd, v6())), V6),
        ("cooked 2", 276, sll2([0x86, 0xdd], v6()), V6),
        ("cooked 2, tagged", 276, sll2([0x81, 0x00], tag(0x0800, v4())), V4),
        ("NULL, little-endian", 0, family([2, 0, 0, 0], v4()), V4),
        ("NULL, big-endian", 0, family([0, 0, 0, 2], v4()), V4),
        ("NULL, FreeBSD", 0, family([28, 0, 0, 0], v6()), V6),
        ("NULL, macOS", 0, family([30, 0, 0, 0], v6()), V6),
        ("LOOP, OpenBSD", 108, family([0, 0, 0, 24], v6()), V6),
        ("raw, 12", 12, v4(), V4),
        ("raw, 14", 14, v6(), V6),
        ("raw, 101", 101, v4(), V4),
        ("raw, 101, version 6", 101, v6(), V6),
        ("raw IPv4", 228, v4(), V4),
        ("raw IPv6", 229, v6(), V6),
    ];
    for (name, link, packet, ends) in cases {
        let mut capture = Capture::default();
        assert_eq!(capture.push(link, &packet, 0), [expected(ends)], "{name}");
        assert_eq!(capture.counts().segments, 1, "{name}");
        assert_eq!(capture.counts().bytes, packet.len() as u64, "{name}");

        // Wherever the packet is cut: no panic, each cut counted, the payload as far as it goes.
        let headers = packet.len() - PAYLOAD.len();
        for length in 0..packet.len() {
            let mut capture = Capture::default();
            let segments = capture.push(link, &packet[..length], packet.len() - length);
            let counts = capture.counts();
            assert_eq!(counts.truncated, 1, "{name}, {length}");
            if let Some(captured) = length.checked_sub(headers) {
                let segment = Owned {
                    payload: PAYLOAD[..captured].to_vec(),
                    missing: u32::try_from(packet.len() - length).unwrap(),
                    ..expected(ends)
                };
                assert_eq!(segments, [segment], "{name}, {length}");
            } else {
                assert_eq!((segments, counts.malformed), (vec![], 1), "{name}, {length}");
            }
        }
    }
}

#[test]
fn what_is_not_tcp_is_counted() {
    let mut capture = Capture::default();
    let cases = [
        ethernet(0x0806, &[0; 28]),           // ARP
        ethernet(38, &[0x42, 0x42, 3]),       // 802.3: a length, then LLC (spanning tree)
        ethernet(0x0800, &ipv4(17, &[0; 8])), // UDP
        ethernet(0x86dd, &ipv6(58, &[0; 8])), // ICMPv6
    ];
    for packet in &cases {
        assert_eq!(capture.push(1, packet, 0), []);
    }
    assert_eq!(capture.push(0, &[7, 0, 0, 0, 1, 2, 3], 0), []); // an address family of others
    let counts = capture.counts();
    assert_eq!((counts.not_tcp, counts.malformed, counts.packets), (5, 0, 5));
}

#[test]
fn the_first_unknown_link_type_is_named() {
    let mut capture = Capture::default();
    capture.push(195, &[0; 40], 0);
    capture.push(147, &[0; 40], 0);
    let counts = capture.counts();
    assert_eq!(counts.unknown_links, 2);
    assert_eq!(counts.unknown_link, Some(LinkType(195)));
}

#[test]
fn headers_that_make_no_sense_are_counted() {
    let mut short_ihl = v4();
    short_ihl[0] = 0x44;
    let mut version = v4();
    version[0] = 0x75;
    let mut total = v4();
    total[2..4].copy_from_slice(&19_u16.to_be_bytes());
    let mut data_offset = v4();
    data_offset[20 + 12] = 0x40;
    for packet in [short_ihl, version, total, data_offset] {
        let mut capture = Capture::default();
        assert_eq!(capture.push(101, &packet, 0), []);
        assert_eq!(capture.counts().malformed, 1);
    }
}

#[test]
fn padding_of_a_short_frame_is_no_payload() {
    // An empty ACK has 54 bytes; Ethernet sends 60 at least.
    let mut frame = ethernet(0x0800, &ipv4(6, &tcp(b"")));
    frame.resize(60, 0xee);
    let segments = Capture::default().push(1, &frame, 0);
    assert_eq!((segments[0].payload.len(), segments[0].missing), (0, 0));
}

#[test]
fn a_length_that_the_network_card_fills_in_later() {
    for (mut packet, length) in [(v4(), 2..4), (v6(), 4..6)] {
        packet[length].fill(0);
        let segments = Capture::default().push(101, &packet, 0);
        assert_eq!((&*segments[0].payload, segments[0].missing), (PAYLOAD, 0));
        let cut = &packet[..packet.len() - 5];
        let segments = Capture::default().push(101, cut, 5);
        assert_eq!(segments[0].payload, PAYLOAD[..PAYLOAD.len() - 5]);
        assert_eq!(segments[0].missing, 5);
    }
}

#[test]
fn options_of_ip_and_tcp_are_skipped() {
    let mut header = TcpHeader::new(40_000, 8888, 1000, 512);
    (header.ack, header.psh) = (true, true);
    header.set_options(&[TcpOptionElement::Noop, TcpOptionElement::Timestamp(1, 2)]).unwrap();
    let tcp = [&header.to_bytes()[..], PAYLOAD].concat();
    let mut ip =
        Ipv4Header::new(u16::try_from(tcp.len()).unwrap(), 64, IpNumber(6), CLIENT, SERVER)
            .unwrap();
    ip.options = [0x94, 4, 0, 0].into(); // router alert
    ip.set_payload_len(tcp.len()).unwrap();
    let packet = [&ip.to_bytes()[..], &tcp].concat();
    assert_eq!(Capture::default().push(101, &packet, 0), [expected(V4)]);
}

#[test]
fn extension_headers_are_walked_over() {
    // Next header, length in units of 8 bytes beyond the first 8, then options that only pad.
    let pad = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let routing = [60, 0, 4, 0, 0, 0, 0, 0];
    // A fragment header of a packet that is whole: offset 0, no more.
    let atomic = [6, 0, 0, 0, 0, 0, 0, 9];
    let chain = [&pad(43)[..], &routing, &pad(44), &atomic, &tcp(PAYLOAD)].concat();
    assert_eq!(Capture::default().push(101, &ipv6(0, &chain), 0), [expected(V6)]);
    // The authentication header counts its length in units of 4 bytes, less 2.
    let authentication = [6, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
    let chain = [&authentication[..], &tcp(PAYLOAD)].concat();
    assert_eq!(Capture::default().push(101, &ipv4(51, &chain), 0), [expected(V4)]);
    assert_eq!(Capture::default().push(101, &ipv6(51, &chain), 0), [expected(V6)]);
}

/// A part of a payload as an IPv4 packet of its own.
fn v4_part(id: u16, whole: &[u8], from: usize, to: usize) -> Vec<u8> {
    let payload = &whole[from..to];
    let length = u16::try_from(payload.len()).unwrap();
    let mut header = Ipv4Header::new(length, 64, IpNumber(6), CLIENT, SERVER).unwrap();
    header.identification = id;
    header.fragment_offset = IpFragOffset::try_new(u16::try_from(from / 8).unwrap()).unwrap();
    header.more_fragments = to < whole.len();
    let mut bytes = Vec::new();
    IpHeaders::Ipv4(header, Default::default()).write(&mut bytes).unwrap();
    bytes.extend(payload);
    bytes
}

fn v6_part(id: u32, next: u8, whole: &[u8], from: usize, to: usize) -> Vec<u8> {
    let place = u16::try_from(from).unwrap() | u16::from(to < whole.len());
    let [a, b] = place.to_be_bytes();
    let [c, d, e, f] = id.to_be_bytes();
    ipv6(44, &[&[next, 0, a, b, c, d, e, f][..], &whole[from..to]].concat())
}

/// 20 bytes of header and 80 of payload, cut at 24, 56 and 80.
fn parts() -> (Vec<u8>, Vec<u8>, [(usize, usize); 4]) {
    let payload: Vec<u8> = (0..80).collect();
    let mut whole = tcp(&payload);
    whole[13] |= 0x03; // SYN and FIN, to see where they go
    (whole, payload, [(0, 24), (24, 56), (56, 80), (80, 100)])
}

fn joined(segments: &[Owned]) -> Vec<u8> {
    segments.iter().flat_map(|s| s.payload.clone()).collect()
}

#[test]
fn fragments_in_any_order_are_put_together_each_with_its_packet() {
    let (whole, payload, parts) = parts();
    for order in [[0, 1, 2, 3], [3, 2, 1, 0], [2, 0, 3, 1], [1, 3, 0, 2]] {
        for version in [4, 6] {
            let mut capture = Capture::default();
            let mut segments = Vec::new();
            for part in order {
                assert_eq!(segments, []);
                let (from, to) = parts[part];
                let packet = match version {
                    4 => v4_part(7, &whole, from, to),
                    _ => v6_part(7, 6, &whole, from, to),
                };
                segments = capture.push(101, &packet, 0);
            }
            let number = |part| order.iter().position(|&p| p == part).unwrap() as u64 + 1;
            let told: Vec<_> = segments.iter().map(|s| (s.packet, s.seq, s.flags)).collect();
            // The SYN takes a sequence number; ACK is 0x10, PSH and FIN 0x09, SYN 0x02.
            let expected = [
                (number(0), 1000, 0x12),
                (number(1), 1005, 0x10),
                (number(2), 1037, 0x10),
                (number(3), 1061, 0x19),
            ];
            assert_eq!(told, expected, "{order:?}");
            assert_eq!(joined(&segments), payload);
            let counts = capture.counts();
            assert_eq!((counts.fragments, counts.segments, counts.fragments_lost), (4, 4, 0));
        }
    }
}

#[test]
fn headers_may_be_cut_into_fragments_too() {
    let (whole, payload, _) = parts();
    let mut capture = Capture::default();
    assert_eq!(capture.push(101, &v4_part(7, &whole, 8, 16), 0), []);
    assert_eq!(capture.push(101, &v4_part(7, &whole, 16, 100), 0), []);
    let segments = capture.push(101, &v4_part(7, &whole, 0, 8), 0);
    assert_eq!((segments.len(), segments[0].packet), (1, 2));
    assert_eq!(joined(&segments), payload);
    // And there may be more of them before TCP.
    let whole = [&[6, 0, 1, 4, 0, 0, 0, 0][..], &whole].concat();
    assert_eq!(capture.push(101, &v6_part(7, 60, &whole, 0, 40), 0), []);
    let segments = capture.push(101, &v6_part(7, 60, &whole, 40, 108), 0);
    assert_eq!(joined(&segments), payload);
}

#[test]
fn of_overlapping_fragments_the_first_bytes_win() {
    let (whole, payload, _) = parts();
    let other = vec![0xee; whole.len()];
    let mut capture = Capture::default();
    capture.push(101, &v4_part(7, &whole, 24, 48), 0);
    capture.push(101, &v4_part(7, &whole, 24, 48), 0);
    capture.push(101, &v4_part(7, &other, 32, 40), 0);
    capture.push(101, &v4_part(7, &whole, 0, 32), 0);
    let segments = capture.push(101, &v4_part(7, &whole, 40, 100), 0);
    assert_eq!(joined(&segments), payload);
    let packets: Vec<u64> = segments.iter().map(|s| s.packet).collect();
    assert_eq!(packets, [4, 1, 5]);
}

#[test]
fn packets_are_not_mixed() {
    let (whole, _, _) = parts();
    let mut capture = Capture::default();
    assert_eq!(capture.push(101, &v4_part(7, &whole, 0, 48), 0), []);
    assert_eq!(capture.push(101, &v4_part(8, &whole, 48, 100), 0), []);
    assert_eq!(capture.push(101, &v6_part(7, 6, &whole, 48, 100), 0), []);
    capture.decoder.finish();
    assert_eq!(capture.counts().fragments_lost, 3);
}

#[test]
fn a_fragment_cut_by_the_snap_length_lacks_its_tail() {
    let (whole, _, _) = parts();
    let mut capture = Capture::default();
    let first = v4_part(7, &whole, 0, 48);
    capture.push(101, &first[..first.len() - 8], 8);
    let segments = capture.push(101, &v4_part(7, &whole, 48, 100), 0);
    let told: Vec<_> = segments.iter().map(|s| (s.seq, s.payload.len(), s.missing)).collect();
    assert_eq!(told, [(1000, 20, 8), (1029, 52, 0)]);
}

#[test]
fn fragments_that_contradict_each_other_complete_nothing() {
    let (whole, _, _) = parts();
    let mut capture = Capture::default();
    capture.push(101, &v4_part(7, &whole[..48], 24, 48), 0);
    // Behind the end, and as many bytes as are missing before it.
    assert_eq!(capture.push(101, &v4_part(7, &whole, 56, 80), 0), []);
    // Not a multiple of eight, though others follow.
    assert_eq!(capture.push(101, &v4_part(7, &whole, 0, 23), 0), []);
    assert_eq!(capture.counts().malformed, 2);
}

#[test]
fn copies_of_fragments_are_no_loss() {
    let (whole, payload, parts) = parts();
    let mut capture = Capture::default();
    let mut segments = Vec::new();
    for (from, to) in parts {
        for _copy in 0..2 {
            capture.at += 10_000;
            segments.extend(capture.push(101, &v4_part(7, &whole, from, to), 0));
        }
    }
    let brought: usize = segments.iter().map(|segment| segment.payload.len()).sum();
    assert_eq!(brought, payload.len());
    // The number is used again for another packet.
    capture.at += 1_000_000_000;
    for (from, to) in parts {
        segments.extend(capture.push(101, &v4_part(7, &whole, from, to), 0));
    }
    let brought: usize = segments.iter().map(|segment| segment.payload.len()).sum();
    assert_eq!(brought, 2 * payload.len());
    capture.decoder.finish();
    let counts = capture.counts();
    assert_eq!((counts.fragments, counts.fragments_lost), (12, 0));
}

#[test]
fn fragments_do_not_wait_for_ever() {
    let (whole, _, _) = parts();
    let mut capture = Capture::default();
    capture.push(101, &v4_part(7, &whole, 0, 48), 0);
    capture.at += i64::try_from(FRAGMENT_WAIT.get()).unwrap() + 1;
    assert_eq!(capture.push(101, &v4_part(7, &whole, 48, 100), 0), []);
    assert_eq!(capture.counts().fragments_lost, 1);
}

#[test]
fn fragments_are_bounded() {
    let whole = vec![0; 2000];
    let mut capture = Capture::default();
    let count = FRAGMENT_BYTES / 1000;
    for id in 0..count {
        capture.push(101, &v6_part(u32::try_from(id).unwrap(), 6, &whole, 0, 1000), 0);
    }
    let counts = capture.counts();
    assert!(counts.fragments_lost > 0);
    capture.decoder.finish();
    assert_eq!(capture.counts().fragments_lost, count as u64);
}

#[test]
fn fragments_of_other_protocols_are_not_kept() {
    let mut capture = Capture::default();
    capture.push(101, &v6_part(1, 17, &[0; 100], 0, 48), 0);
    let counts = capture.counts();
    assert_eq!((counts.not_tcp, counts.fragments), (1, 0));
}

proptest::proptest! {
    #[test]
    fn no_packet_panics(
        link in 0..300_u16,
        noise in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..200),
        at in 0..120_usize,
        start in 0..6_usize,
    ) {
        let (whole, _, _) = parts();
        let chain = [&[44, 0, 1, 4, 0, 0, 0, 0, 6, 0, 0, 0, 0, 0, 0, 9][..], &whole].concat();
        let models = [
            v4(), v6(), v4_part(7, &whole, 24, 56), v6_part(7, 60, &chain, 0, 40),
            ipv6(0, &chain), noise.clone(),
        ];
        let mut packet = models[start].clone();
        for (byte, other) in packet.iter_mut().skip(at).zip(noise.iter().take(4)) {
            *byte ^= other;
        }
        let mut capture = Capture::default();
        for link in [link, 1, 113, 276, 0, 101] {
            capture.push(link, &packet, 0);
            capture.push(link, &packet, 10);
        }
        capture.decoder.finish();
    }
}
