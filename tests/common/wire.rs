//! A TCP segment taken out of an Ethernet packet, and put into one again. Written apart from
//! `decode/`, for the captures of the lab only: Ethernet or Linux cooked, no options of IP.

use nestscope::packet::LinkType;

use super::Raw;

pub const FIN: u8 = 1;
pub const SYN: u8 = 2;
pub const RST: u8 = 4;

/// A TCP segment over IPv4 or IPv6.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tcp {
    pub at: i64,
    /// 4 or 16 bytes each.
    pub from: Vec<u8>,
    pub to: Vec<u8>,
    pub from_port: u16,
    pub to_port: u16,
    pub seq: u32,
    pub ack: u32,
    pub flags: u8,
    pub window: u16,
    pub payload: Vec<u8>,
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_be_bytes([bytes[at], bytes[at + 1]])
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// The IP packet inside.
pub fn ip_of(raw: &Raw) -> &[u8] {
    match raw.link {
        LinkType::ETHERNET => &raw.data[14..],
        LinkType::LINUX_SLL => &raw.data[16..],
        LinkType::LINUX_SLL2 => &raw.data[20..],
        other => panic!("{other:?}"),
    }
}

pub fn is_v6(ip: &[u8]) -> bool {
    ip[0] >> 4 == 6
}

pub fn parse(raw: &Raw) -> Tcp {
    let ip = ip_of(raw);
    let (from, to, tcp, end) = if is_v6(ip) {
        (&ip[8..24], &ip[24..40], 40, 40 + usize::from(u16_at(ip, 4)))
    } else {
        assert_eq!(ip[0], 0x45);
        (&ip[12..16], &ip[16..20], 20, usize::from(u16_at(ip, 2)))
    };
    let end = if end == tcp { ip.len() } else { end };
    let tcp = &ip[tcp..end];
    let header = usize::from(tcp[12] >> 4) * 4;
    Tcp {
        at: raw.at,
        from: from.to_vec(),
        to: to.to_vec(),
        from_port: u16_at(tcp, 0),
        to_port: u16_at(tcp, 2),
        seq: u32_at(tcp, 4),
        ack: u32_at(tcp, 8),
        flags: tcp[13],
        window: u16_at(tcp, 14),
        payload: tcp[header..].to_vec(),
    }
}

impl Tcp {
    /// The sequence space that the segment takes.
    pub fn len(&self) -> u32 {
        let controls = u32::from(self.flags & SYN != 0) + u32::from(self.flags & FIN != 0);
        u32::try_from(self.payload.len()).unwrap() + controls
    }

    /// The position of the first payload byte.
    pub fn payload_seq(&self) -> u32 {
        self.seq.wrapping_add(u32::from(self.flags & SYN != 0))
    }

    /// Its ends: the sender's first.
    pub fn ends(&self) -> ((Vec<u8>, u16), (Vec<u8>, u16)) {
        ((self.from.clone(), self.from_port), (self.to.clone(), self.to_port))
    }

    fn header(&self) -> Vec<u8> {
        let mut tcp = Vec::new();
        tcp.extend(self.from_port.to_be_bytes());
        tcp.extend(self.to_port.to_be_bytes());
        tcp.extend(self.seq.to_be_bytes());
        tcp.extend(self.ack.to_be_bytes());
        tcp.extend([0x50, self.flags]);
        tcp.extend(self.window.to_be_bytes());
        tcp.extend([0; 4]);
        tcp
    }

    /// As an IP packet. A payload too long for its length field is written as offload does it:
    /// with length 0.
    pub fn ip(&self) -> Vec<u8> {
        let tcp = [self.header(), self.payload.clone()].concat();
        ip_packet(&self.from, &self.to, 6, &tcp)
    }

    pub fn ethernet(&self) -> Raw {
        ethernet(self.at, &self.ip())
    }
}

/// An IP packet of protocol `next` without fragmentation.
pub fn ip_packet(from: &[u8], to: &[u8], next: u8, payload: &[u8]) -> Vec<u8> {
    let mut ip = Vec::new();
    if from.len() == 16 {
        let len = u16::try_from(payload.len()).unwrap_or(0);
        ip.extend([0x60, 0, 0, 0]);
        ip.extend(len.to_be_bytes());
        ip.extend([next, 64]);
    } else {
        let len = u16::try_from(payload.len() + 20).unwrap_or(0);
        ip.extend([0x45, 0]);
        ip.extend(len.to_be_bytes());
        ip.extend([0, 0, 0x40, 0, 64, next, 0, 0]);
    }
    ip.extend(from);
    ip.extend(to);
    ip.extend(payload);
    checksummed(ip)
}

/// With the checksum of its header, in version 4: the complement of the sum of its words.
pub fn checksummed(mut ip: Vec<u8>) -> Vec<u8> {
    if !is_v6(&ip) {
        ip[10..12].fill(0);
        let sum = ip[..20].chunks(2).map(|word| u32::from(u16_at(word, 0))).sum::<u32>();
        let folded = (sum & 0xffff) + (sum >> 16);
        let folded = (folded & 0xffff) + (folded >> 16);
        ip[10..12].copy_from_slice(&((!folded & 0xffff) as u16).to_be_bytes());
    }
    ip
}

pub fn ethernet(at: i64, ip: &[u8]) -> Raw {
    let kind: [u8; 2] = if is_v6(ip) { [0x86, 0xdd] } else { [8, 0] };
    with_link(at, LinkType::ETHERNET, &[&[0; 12], &kind[..]].concat(), ip)
}

pub fn with_link(at: i64, link: LinkType, header: &[u8], ip: &[u8]) -> Raw {
    let data = [header, ip].concat();
    Raw { at, link, original_len: u32::try_from(data.len()).unwrap(), data }
}
