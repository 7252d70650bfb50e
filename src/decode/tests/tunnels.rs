//! Tunnels: what distinguishes them, what is told of those that are not opened, and what no
//! bytes behind them can do.

use etherparse::{TcpHeader, TcpOptionElement};
use proptest::prelude::*;

use super::*;
use crate::packet::PacketNumber;

fn udp(port: u16, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + payload.len()).unwrap();
    let header = [[0xc3, 0x50], port.to_be_bytes(), length.to_be_bytes(), [0, 0]].concat();
    ipv4(17, &[&header, payload].concat())
}

fn vxlan(network: u8, frame: &[u8]) -> Vec<u8> {
    udp(4789, &[&[8, 0, 0, 0, 0, 0, network, 0], frame].concat())
}

/// What one packet gives, with its paths.
fn decoded(link: u16, point: u16, data: &[u8]) -> (Vec<Path>, Counts) {
    let mut decoder = Decoder::new();
    let packet = Packet {
        number: PacketNumber(1),
        at: Timestamp::from_nanos(0),
        link: LinkType(link),
        point: crate::packet::PointId(point),
        data,
        original_len: u32::try_from(data.len()).unwrap(),
    };
    let mut paths = Vec::new();
    decoder.segments(&packet, &mut |segment| paths.push(segment.path));
    (paths, decoder.counts().clone())
}

fn unopened(link: u16, data: &[u8]) -> Vec<String> {
    let (_, counts) = decoded(link, 0, data);
    assert_eq!(counts.segments + counts.malformed, 0);
    assert_eq!(counts.not_tcp, 1);
    counts.unopened().map(|(kind, _)| kind.to_string()).collect()
}

#[test]
fn what_may_hide_tcp_is_named() {
    let raw = |protocol, payload: &[u8]| (101, ipv4(protocol, payload));
    let frame = |ether_type, payload: &[u8]| (1, ethernet(ether_type, payload));
    let cases = [
        ("vxlan", (101, udp(4789, &[0; 40]))),
        ("vxlan", (101, udp(4790, &[0x0c, 0, 0, 9, 0, 0, 1, 0, 1, 2]))),
        ("geneve", (101, udp(6081, &[0, 0, 0x12, 0x34, 0, 0, 1, 0]))),
        ("esp", raw(50, &[0; 20])),
        ("esp", (101, udp(4500, &[1, 2, 3, 4, 5]))),
        ("l2tp", (101, udp(1701, &[0x02, 0x02, 0, 1]))),
        ("gtp", (101, udp(2152, &[0x30, 0xff, 0, 1]))),
        ("wireguard", (101, udp(51820, &[4, 0, 0, 0, 9, 9]))),
        ("gre-0x2001", raw(47, &[0, 0, 0x20, 0x01])),
        ("mpls", frame(0x8847, &[0, 1, 1, 64, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8])),
        ("macsec", frame(0x88e5, &[0; 30])),
        ("ether-type-0x88b5", frame(0x88b5, &[0; 30])),
        ("ppp-0x00fd", frame(0x8864, &[0x11, 0, 0, 9, 0, 6, 0, 0xfd, 1, 2])),
        ("ip-protocol-99", raw(99, &[0; 8])),
    ];
    for (name, (link, packet)) in cases {
        assert_eq!(unopened(link, &packet), [name]);
    }
    // Nothing hides in these.
    let cases = [
        frame(0x0806, &[0; 28]),
        frame(0x88cc, &[0; 28]),
        frame(0x8864, &[0x11, 0, 0, 9, 0, 6, 0xc0, 0x21, 1, 2]), // link control
        raw(1, &[8, 0, 0, 0, 0, 0, 0, 0]),
        raw(89, &[0; 20]),
        (101, udp(53, &[0; 20])),
        (101, udp(8472, &[0; 20])),
        (101, udp(4500, &[0; 20])), // a key exchange
        (101, vxlan(1, &ethernet(0x0806, &[0; 28]))),
    ];
    for (link, packet) in cases {
        assert_eq!(unopened(link, &packet), [] as [&str; 0]);
    }
}

#[test]
fn kinds_are_bounded() {
    let mut capture = Capture::default();
    for ether_type in 0x1000..0x2000 {
        capture.push(1, &ethernet(ether_type, &[0; 10]), 0);
    }
    let counts = capture.counts();
    assert_eq!((counts.others.len(), counts.not_tcp), (OTHER_KINDS + 1, 0x1000));
    assert_eq!(counts.others.values().sum::<u64>(), 0x1000);
}

#[test]
fn a_path_is_the_same_for_both_directions_and_differs_by_what_is_passed() {
    let turned = |mut packet: Vec<u8>| {
        let (from, to) = (packet[12..16].to_vec(), packet[16..20].to_vec());
        packet[12..16].copy_from_slice(&to);
        packet[16..20].copy_from_slice(&from);
        packet
    };
    let path = |point, link, packet: &[u8]| {
        let (paths, _) = decoded(link, point, packet);
        assert_eq!(paths.len(), 1);
        paths[0]
    };
    let tag = |id: u8| [&[0x20, id, 0x08, 0x00][..], &v4()].concat();
    let inside = ethernet(0x0800, &v4());
    let gre = |key: u8| ipv4(47, &[&[0x20, 0, 8, 0, 0, 0, 0, key][..], &v4()].concat());
    let mut paths = vec![
        path(0, 101, &v4()),
        path(1, 101, &v4()),
        path(0, 1, &ethernet(0x8100, &tag(7))),
        path(0, 1, &ethernet(0x8100, &tag(8))),
        path(0, 101, &vxlan(7, &inside)),
        path(0, 101, &vxlan(8, &inside)),
        path(0, 101, &gre(7)),
        path(0, 101, &gre(8)),
        path(0, 101, &ipv4(4, &v4())),
    ];
    assert_eq!(path(0, 101, &turned(vxlan(7, &inside))), paths[4]);
    assert_eq!(path(0, 101, &turned(ipv4(4, &v4()))), paths[8]);
    // A priority is no VLAN, and labels differ by direction.
    assert_eq!(path(0, 1, &ethernet(0x8100, &tag(0))), paths[0]);
    let labelled = [&[0, 1, 1, 64][..], &v4()].concat();
    assert_eq!(path(0, 1, &ethernet(0x8847, &labelled)), paths[0]);
    paths.sort_by_key(|path| path.0);
    paths.dedup();
    assert_eq!(paths.len(), 9);
}

#[test]
fn identification_time_to_live_and_options() {
    let mut header = TcpHeader::new(40_000, 8888, 1000, 512);
    header.syn = true;
    header.checksum = 0xbeef;
    header
        .set_options(&[TcpOptionElement::Noop, TcpOptionElement::MaximumSegmentSize(1460)])
        .unwrap();
    let mut packet = ipv4(6, &header.to_bytes());
    packet[4..6].copy_from_slice(&0x1234_u16.to_be_bytes());
    packet[8] = 63;
    let mut told = Vec::new();
    let mut read = |packet: &[u8]| {
        let packet = Packet {
            number: PacketNumber(1),
            at: Timestamp::from_nanos(0),
            link: LinkType::RAW,
            point: Default::default(),
            data: packet,
            original_len: u32::try_from(packet.len()).unwrap(),
        };
        Decoder::new().segments(&packet, &mut |s| told.push((s.ip_id, s.ttl, s.mss, s.checksum)));
    };
    read(&packet);
    // Without SYN the option says nothing.
    packet[20 + 13] = 0x10;
    read(&packet);
    read(&v6());
    assert_eq!(
        told,
        [(0x1234, 63, Some(1460), 0xbeef), (0x1234, 63, None, 0xbeef), (0, 64, None, 0)]
    );
}

#[test]
fn a_checksum_is_valid_for_its_bytes_only() {
    for length in [0, 1, 2, 3, 4, 5, 7, 8, 9, 15, 63, 1460, 40_001] {
        let payload: Vec<u8> = (0..=250_u8).cycle().step_by(7).take(length).collect();
        let mut header = TcpHeader::new(40_000, 8888, 0xffff_fff0, 512);
        header.ack = true;
        let v6_ends: [[u8; 16]; 2] = [1_u8, 2].map(|last| {
            let mut address = [0; 16];
            (address[0], address[1], address[15]) = (0xfe, 0x80, last);
            address
        });
        for version in [4, 6] {
            let [from, to] = v6_ends;
            header.checksum = match version {
                4 => header.calc_checksum_ipv4_raw(CLIENT, SERVER, &payload).unwrap(),
                _ => header.calc_checksum_ipv6_raw(from, to, &payload).unwrap(),
            };
            let tcp = [&header.to_bytes()[..], &payload].concat();
            let mut packet = if version == 4 { ipv4(6, &tcp) } else { ipv6(6, &tcp) };
            assert_eq!(validity(&packet, 0), Some(true), "{version}, {length}");
            let last = packet.len() - 1;
            packet[last] ^= 0x40;
            assert_eq!(validity(&packet, 0), Some(false), "{version}, {length}");
            packet[last] ^= 0x40;
            if length > 0 {
                assert_eq!(validity(&packet[..last], 1), None, "cut: {version}, {length}");
            }
        }
    }
}

fn validity(data: &[u8], cut: usize) -> Option<bool> {
    let packet = Packet {
        number: PacketNumber(1),
        at: Timestamp::from_nanos(0),
        link: LinkType::RAW,
        point: Default::default(),
        data,
        original_len: u32::try_from(data.len() + cut).unwrap(),
    };
    let mut validity = None;
    Decoder::new().segments(&packet, &mut |segment| validity = segment.checksum_is_valid());
    validity
}

/// What a packet says of a segment that was not handed on.
fn messages(packet: &[u8]) -> (Vec<(String, u32, UnreachableCode)>, Counts) {
    let packet = Packet {
        number: PacketNumber(1),
        at: Timestamp::from_nanos(0),
        link: LinkType::RAW,
        point: Default::default(),
        data: packet,
        original_len: u32::try_from(packet.len()).unwrap(),
    };
    let mut decoder = Decoder::new();
    let mut told = Vec::new();
    decoder.push(&packet, &mut |network| {
        if let Network::Unreachable(message) = network {
            let ends = format!("{} > {}, by {}", message.from, message.to, message.by);
            told.push((ends, message.seq.0, message.code));
        }
    });
    (told, decoder.counts().clone())
}

#[test]
fn messages_that_a_segment_was_not_handed_on() {
    use UnreachableCode::{Host, Network, Other, Port, Prohibited, Protocol};
    let icmp = |kind, code, quoted: &[u8]| {
        let header = [kind, code, 0, 0, 0, 0, 0, 0];
        [&header[..], quoted].concat()
    };
    // The header of IP and eight bytes, which is all that must be quoted.
    let (v4, v6) = (v4()[..28].to_vec(), v6()[..48].to_vec());
    let (ends, ends_v6) = (format!("{V4}, by 10.0.0.1"), format!("{V6}, by fe80::1"));
    let codes = [
        (0, Network),
        (1, Host),
        (2, Protocol),
        (3, Port),
        (5, Other(5)),
        (9, Prohibited),
        (10, Prohibited),
        (13, Prohibited),
    ];
    for (code, reason) in codes {
        let (told, counts) = messages(&ipv4(1, &icmp(3, code, &v4)));
        assert_eq!(told, [(ends.clone(), 1000, reason)]);
        assert_eq!((counts.unreachable, counts.not_tcp), (1, 0));
    }
    for (code, reason) in [(0, Network), (1, Prohibited), (2, Other(2)), (3, Host), (4, Port)] {
        let (told, _) = messages(&ipv6(58, &icmp(1, code, &v6)));
        assert_eq!(told, [(ends_v6.clone(), 1000, reason)]);
    }
    // Within a tunnel too.
    let (told, _) = messages(&ipv4(4, &ipv4(1, &icmp(3, 3, &v4))));
    assert_eq!(told, [(ends, 1000, Port)]);

    let later = v4_part(7, &[0; 64], 32, 64);
    let other = ipv4(17, &[0; 8]);
    let silent = [
        ipv4(1, &icmp(11, 0, &v4)),      // time exceeded
        ipv4(1, &icmp(3, 4, &v4)),       // too large
        ipv4(1, &icmp(3, 3, &v4[..27])), // quotes too little
        ipv4(1, &icmp(3, 3, &other)),    // quotes UDP
        ipv4(1, &icmp(3, 3, &later)),    // quotes a later fragment
        ipv4(1, &[3, 3]),
        ipv6(58, &icmp(2, 0, &v6)), // too large
    ];
    for packet in silent {
        let (told, counts) = messages(&packet);
        assert_eq!((told.len(), counts.unreachable, counts.not_tcp), (0, 0, 1));
    }
}

/// A part of a tunnel's UDP packet.
fn udp_part(whole: &[u8], from: usize, to: usize) -> Vec<u8> {
    let mut part = v4_part(7, whole, from, to);
    part[9] = 17;
    part
}

#[test]
fn a_segment_in_a_fragmented_tunnel_keeps_the_packet_of_each_byte() {
    let outer = vxlan(7, &[&ethernet(0x0800, &v4())[..], &[0xee; 9]].concat());
    let whole = &outer[20..];
    // UDP, VXLAN, Ethernet, IP and TCP are 70 bytes; the text 19, and 9 that pad the frame.
    let mut capture = Capture::default();
    assert_eq!(capture.push(101, &udp_part(whole, 80, whole.len()), 0), []);
    assert_eq!(capture.push(101, &udp_part(whole, 0, 72), 0), []);
    let segments = capture.push(101, &udp_part(whole, 72, 80), 0);
    let told: Vec<_> = segments.iter().map(|s| (s.packet, s.seq, s.payload.len())).collect();
    assert_eq!(told, [(2, 1000, 2), (3, 1002, 8), (1, 1010, PAYLOAD.len() - 10)]);
    assert_eq!(joined(&segments), PAYLOAD);
    let counts = capture.counts();
    assert_eq!((counts.fragments, counts.segments, counts.not_tcp), (3, 3, 0));
}

#[test]
fn fragments_of_plain_udp_are_neither_kept_nor_lost() {
    let mut capture = Capture::default();
    let whole = [&[0, 53, 0xc3, 0x50, 0x10, 0, 0, 0][..], &[7; 2000]].concat();
    capture.push(101, &udp_part(&whole, 0, 800), 0);
    capture.push(101, &udp_part(&whole, 800, 1600), 0);
    capture.decoder.finish();
    let counts = capture.counts();
    assert_eq!((counts.not_tcp, counts.fragments, counts.fragments_lost), (2, 0, 0));
    // One that comes before the first may be of a tunnel. It is not lost: nothing says so.
    capture.push(101, &udp_part(&whole, 800, 1600), 0);
    capture.push(101, &udp_part(&whole, 0, 800), 0);
    capture.push(101, &udp_part(&whole, 1600, whole.len()), 0);
    let counts = capture.counts();
    assert_eq!((counts.not_tcp, counts.fragments, counts.fragments_lost), (4, 1, 0));
    assert_eq!(counts.packets, 5);
}

/// The packet as offload leaves it: it reaches to the end of what was captured.
fn without_length(mut packet: Vec<u8>) -> Vec<u8> {
    packet[2..4].fill(0);
    packet
}

/// Beginnings of packets up to where an IP packet belongs.
fn beginnings() -> Vec<(u16, Vec<u8>)> {
    let ipv4 = |protocol, payload: &[u8]| without_length(ipv4(protocol, payload));
    let udp = |port, payload: &[u8]| without_length(udp(port, payload));
    let link = |header: &[u8]| [&[0; 12], header].concat();
    let mut pktap = [&[108, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0][..], &[0; 96]].concat();
    pktap.extend(link(&[8, 0]));
    let over = |protocol, header: &[u8]| (101, ipv4(protocol, header));
    vec![
        (101, udp(4789, &[&[8, 0, 0, 0, 0, 0, 7, 0][..], &link(&[8, 0])].concat())),
        (101, udp(4790, &[0x0c, 0, 0, 1, 0, 0, 7, 0])),
        (101, udp(5555, &[8, 0, 0, 0, 0, 0, 7, 0])),
        (101, udp(6081, &[0, 0, 0x65, 0x58, 0, 0, 7, 0])),
        over(4, &[]),
        over(47, &[0xb0, 0, 8, 0]),
        over(47, &[0x30, 1, 0x88, 0x0b]),
        over(47, &[0x10, 0, 0x22, 0xeb, 0, 0, 0, 1]),
        over(97, &[0x30, 0]),
        over(137, &[0, 1, 0, 64, 0, 1, 1, 64]),
        over(1, &[3, 3, 0, 0, 0, 0, 0, 0]),
        (1, link(&[0, 40, 0xaa, 0xaa, 3, 0, 0, 0])),
        (1, link(&[0x88, 0x47, 0, 1, 1, 64])),
        (1, link(&[0x88, 0x64, 0x11, 0, 0, 9])),
        (9, vec![0xff, 3]),
        (166, vec![0, 3]),
        (239, vec![2, 0, 0, 5, 8, 0, 10, 0]),
        (258, pktap),
    ]
}

proptest! {
    #[test]
    fn nothing_behind_an_encapsulation_panics(
        start in 0..18_usize,
        next in proptest::collection::vec(0..18_usize, 0..12),
        noise in proptest::collection::vec(any::<u8>(), 0..120),
        plain in any::<bool>(),
    ) {
        let beginnings = beginnings();
        // One in the other, whether or not that makes sense, around noise or a packet.
        let mut packet = if plain { v4() } else { noise };
        for index in next {
            packet = [&beginnings[index].1[..], &packet].concat();
        }
        let (link, beginning) = &beginnings[start];
        let packet = [&beginning[..], &packet].concat();
        for length in 0..=packet.len() {
            let mut capture = Capture::default();
            let segments = capture.push(*link, &packet[..length], packet.len() - length);
            let counts = capture.counts();
            prop_assert!(segments.len() <= 1);
            let told = counts.segments + counts.malformed + counts.not_tcp + counts.fragments
                + counts.unknown_links + counts.unreachable;
            prop_assert_eq!(told, 1);
        }
    }
}
