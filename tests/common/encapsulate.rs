//! The packets of a capture inside tunnels and on links that a network puts around them. Written
//! apart from `decode/`, by the documents that each names.

use nestscope::packet::LinkType;

use super::Raw;
use super::wire::{ip_of, ip_packet, is_v6, with_link};

/// Puts an IP packet into another.
type Tunnel = fn(&[u8]) -> Vec<u8>;

const HERE: [u8; 4] = [192, 168, 0, 1];
const THERE: [u8; 4] = [192, 168, 0, 2];
const HERE_V6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
const THERE_V6: [u8; 16] = [0xfd, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2];

fn ether_type(ip: &[u8]) -> [u8; 2] {
    if is_v6(ip) { [0x86, 0xdd] } else { [0x08, 0x00] }
}

fn frame(ip: &[u8]) -> Vec<u8> {
    [&[2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1][..], &ether_type(ip), ip].concat()
}

fn over_ip(protocol: u8, header: &[&[u8]], rest: &[u8]) -> Vec<u8> {
    ip_packet(&HERE, &THERE, protocol, &[&header.concat(), rest].concat())
}

fn over_udp(port: u16, header: &[u8], rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(8 + header.len() + rest.len()).unwrap_or(0);
    let udp = [[0xc3, 0x50], port.to_be_bytes(), length.to_be_bytes(), [0, 0]].concat();
    over_ip(17, &[&udp, header], rest)
}

const VXLAN: [u8; 8] = [8, 0, 0, 0, 0, 0, 100, 0];

/// Tunnels of IP over IP, which may lie in one another.
pub const TUNNELS: &[(&str, Tunnel)] = &[
    ("VXLAN", |ip| over_udp(4789, &VXLAN, &frame(ip))),
    ("VXLAN of Linux", |ip| over_udp(8472, &VXLAN, &frame(ip))),
    ("VXLAN on another port", |ip| over_udp(5555, &VXLAN, &frame(ip))),
    ("VXLAN with a group", |ip| over_udp(4789, &[0x88, 0, 0, 9, 0, 0, 100, 0], &frame(ip))),
    ("VXLAN-GPE of IP", |ip| {
        over_udp(4790, &[0x0c, 0, 0, if is_v6(ip) { 2 } else { 1 }, 0, 0, 100, 0], ip)
    }),
    ("Geneve of Ethernet, with options", |ip| {
        let header = [2, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 0x80, 1, 0, 0, 0, 0];
        over_udp(6081, &header, &frame(ip))
    }),
    ("Geneve of IP", |ip| {
        let [high, low] = ether_type(ip);
        over_udp(6081, &[0, 0, high, low, 0, 0, 7, 0], ip)
    }),
    ("IP in IP", |ip| over_ip(if is_v6(ip) { 41 } else { 4 }, &[], ip)),
    ("IP in IPv6", |ip| ip_packet(&HERE_V6, &THERE_V6, if is_v6(ip) { 41 } else { 4 }, ip)),
    ("GRE", |ip| over_ip(47, &[&[0, 0], &ether_type(ip)], ip)),
    ("GRE with a key", |ip| over_ip(47, &[&[0x20, 0], &ether_type(ip), &[0, 0, 0, 9]], ip)),
    ("GRE with checksum, key and number", |ip| {
        let fields = [0xab, 0xcd, 0, 0, 0, 0, 0, 9, 0, 0, 0, 1];
        over_ip(47, &[&[0xb0, 0], &ether_type(ip), &fields], ip)
    }),
    ("GRE of Ethernet", |ip| over_ip(47, &[&[0, 0, 0x65, 0x58]], &frame(ip))),
    ("NVGRE", |ip| over_ip(47, &[&[0x20, 0, 0x65, 0x58, 0, 0x20, 1, 5]], &frame(ip))),
    ("ERSPAN I", |ip| over_ip(47, &[&[0, 0, 0x88, 0xbe]], &frame(ip))),
    ("ERSPAN II", |ip| {
        let header = [0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x10, 0, 0, 5, 0, 0, 0, 0];
        over_ip(47, &[&header], &frame(ip))
    }),
    ("ERSPAN III", |ip| {
        let header = [0x10, 0, 0x22, 0xeb, 0, 0, 0, 1];
        over_ip(47, &[&header, &[0x20, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 0]], &frame(ip))
    }),
    ("PPTP", |ip| {
        let length = u16::try_from(ip.len() + 4).unwrap_or(0).to_be_bytes();
        let number = [0, if is_v6(ip) { 0x57 } else { 0x21 }];
        let header = [0x30, 0x01, 0x88, 0x0b];
        over_ip(47, &[&header, &length, &[0, 1, 0, 0, 0, 1, 0xff, 3], &number], ip)
    }),
    ("Ethernet in IP", |ip| over_ip(97, &[&[0x30, 0]], &frame(ip))),
    ("MPLS in IP", |ip| over_ip(137, &[&[0, 1, 0x01, 64]], ip)),
];

/// Links whose packets hold an IP packet, by their name.
const LINKS: &[(&str, LinkType, Tunnel)] = &[
    ("LLC/SNAP", LinkType::ETHERNET, |ip| {
        let length = u16::try_from(8 + ip.len()).unwrap_or(0).min(1_500).to_be_bytes();
        [&[0; 12], &length[..], &[0xaa, 0xaa, 3, 0, 0, 0], &ether_type(ip), ip].concat()
    }),
    ("two labels of MPLS", LinkType::ETHERNET, |ip| {
        [&[0; 12], &[0x88, 0x47, 0, 1, 0, 64, 0, 2, 1, 64][..], ip].concat()
    }),
    ("a pseudowire with its control word", LinkType::ETHERNET, |ip| {
        [&[0; 12], &[0x88, 0x47, 0, 1, 1, 64, 0, 0, 0, 0][..], &frame(ip)].concat()
    }),
    ("a pseudowire without", LinkType::ETHERNET, |ip| {
        [&[0; 12], &[0x88, 0x47, 0, 1, 1, 64][..], &frame(ip)].concat()
    }),
    ("PPPoE", LinkType::ETHERNET, |ip| {
        let length = u16::try_from(ip.len() + 2).unwrap_or(0).to_be_bytes();
        let header = [0x88, 0x64, 0x11, 0, 0, 9];
        [&[0; 12], &header[..], &length, &[0, if is_v6(ip) { 0x57 } else { 0x21 }], ip].concat()
    }),
    ("PPPoE in a VLAN", LinkType::ETHERNET, |ip| {
        let length = u16::try_from(ip.len() + 2).unwrap_or(0).to_be_bytes();
        let header = [0x81, 0, 0, 7, 0x88, 0x64, 0x11, 0, 0, 9];
        [&[0; 12], &header[..], &length, &[0, if is_v6(ip) { 0x57 } else { 0x21 }], ip].concat()
    }),
    ("PPP", LinkType::PPP, |ip| [&[0, if is_v6(ip) { 0x57 } else { 0x21 }], ip].concat()),
    ("PPP with HDLC", LinkType::PPP, |ip| {
        [&[0xff, 3, 0, if is_v6(ip) { 0x57 } else { 0x21 }], ip].concat()
    }),
    ("PPP of 50", LinkType::PPP_HDLC, |ip| {
        [&[0xff, 3, 0, if is_v6(ip) { 0x57 } else { 0x21 }], ip].concat()
    }),
    ("PPP of pppd", LinkType::PPP_PPPD, |ip| {
        [&[1, 3, 0, if is_v6(ip) { 0x57 } else { 0x21 }], ip].concat()
    }),
    ("PPP with direction", LinkType::PPP_WITH_DIR, |ip| {
        [&[1, 0xff, 3, 0, if is_v6(ip) { 0x57 } else { 0x21 }], ip].concat()
    }),
    ("PPPoE as a link", LinkType::PPP_ETHER, |ip| {
        let length = u16::try_from(ip.len() + 2).unwrap_or(0).to_be_bytes();
        let protocol = [0, if is_v6(ip) { 0x57 } else { 0x21 }];
        [&[0x11, 0, 0, 9][..], &length, &protocol, ip].concat()
    }),
    ("Cisco HDLC", LinkType::C_HDLC, |ip| [&[0x0f, 0], &ether_type(ip), ip].concat()),
    ("a stack of labels", LinkType::MPLS, |ip| [&[0, 1, 1, 64], ip].concat()),
    ("NFLOG", LinkType::NFLOG, |ip| nflog(ip, u16::to_le_bytes)),
    ("NFLOG, big-endian", LinkType::NFLOG, |ip| nflog(ip, u16::to_be_bytes)),
    ("PKTAP of Ethernet", LinkType::PKTAP, |ip| pktap(1, &frame(ip))),
    ("PKTAP of raw IP, 149", LinkType::USER2, |ip| pktap(12, ip)),
];

fn nflog(ip: &[u8], bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    let family = if is_v6(ip) { 10 } else { 2 };
    let prefix = [&bytes(7)[..], &bytes(10), b"px\0\0"].concat();
    let length = u16::try_from(ip.len() + 4).unwrap_or(u16::MAX);
    [&[family, 0, 0, 5][..], &prefix, &bytes(length), &bytes(9), ip].concat()
}

fn pktap(link: u32, packet: &[u8]) -> Vec<u8> {
    let mut header: Vec<u8> = [108, 1, link].into_iter().flat_map(u32::to_le_bytes).collect();
    header.resize(108, 0);
    [&header, packet].concat()
}

/// Each IP packet of a capture, told how it lies in what the link carries.
fn on(packets: &[Raw], link: LinkType, header: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Raw> {
    packets.iter().map(|raw| with_link(raw.at, link, &header(ip_of(raw)), &[])).collect()
}

/// The same packets in each encapsulation, by its name.
pub fn each(packets: &[Raw]) -> Vec<(String, Vec<Raw>)> {
    let tunnels = TUNNELS.iter().map(|(name, tunnel)| {
        ((*name).to_owned(), on(packets, LinkType::ETHERNET, |ip| frame(&tunnel(ip))))
    });
    let links =
        LINKS.iter().map(|(name, link, packet)| ((*name).to_owned(), on(packets, *link, packet)));
    tunnels.chain(links).collect()
}

/// The same packets in `depth` tunnels in one another, beginning at each of them in turn.
pub fn nested(packets: &[Raw], depth: usize) -> Vec<(String, Vec<Raw>)> {
    let nest = |start: usize| {
        let chain = || TUNNELS.iter().cycle().skip(start).step_by(3).take(depth);
        let name = chain().map(|(name, _)| *name).collect::<Vec<_>>().join(" in ");
        let wrap = |ip: &[u8]| frame(&chain().fold(ip.to_vec(), |ip, (_, tunnel)| tunnel(&ip)));
        (name, on(packets, LinkType::ETHERNET, wrap))
    };
    (0..TUNNELS.len()).map(nest).collect()
}

/// The same packets in a tunnel, as Ethernet packets of it.
pub fn tunnelled(packets: &[Raw], tunnel: Tunnel) -> Vec<Raw> {
    on(packets, LinkType::ETHERNET, |ip| frame(&tunnel(ip)))
}
