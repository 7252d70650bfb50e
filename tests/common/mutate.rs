//! What wire, tap and format can do to a capture.

use std::collections::HashMap;

use nestscope::packet::LinkType;

use super::Raw;
use super::wire::{self, RST, SYN, Tcp, ip_of, is_v6, with_link};

/// A small generator of numbers that look random: xorshift64*, so that a failure comes again.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33).unwrap() % limit
    }
}

fn relink(packets: &[Raw], link: LinkType, header: impl Fn(&[u8]) -> Vec<u8>) -> Vec<Raw> {
    let relink = |raw: &Raw| with_link(raw.at, link, &header(ip_of(raw)), ip_of(raw));
    packets.iter().map(relink).collect()
}

fn ether_type(ip: &[u8]) -> [u8; 2] {
    if is_v6(ip) { [0x86, 0xdd] } else { [0x08, 0x00] }
}

/// The same packets on another link, by its name.
pub fn links(packets: &[Raw]) -> Vec<(&'static str, Vec<Raw>)> {
    let family = |ip: &[u8]| if is_v6(ip) { 10_u32 } else { 2 };
    let ethernet =
        |tags: &[&[u8]], ip: &[u8]| [&[0; 12], &tags.concat()[..], &ether_type(ip)].concat();
    let mut links = vec![
        ("802.1Q", relink(packets, LinkType::ETHERNET, |ip| ethernet(&[&[0x81, 0, 0x20, 7]], ip))),
        (
            "802.1ad",
            relink(packets, LinkType::ETHERNET, |ip| {
                ethernet(&[&[0x88, 0xa8, 0, 9], &[0x81, 0, 0x20, 7]], ip)
            }),
        ),
        (
            "cooked v1",
            relink(packets, LinkType::LINUX_SLL, |ip| {
                [&[0, 0, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0], &ether_type(ip)[..]].concat()
            }),
        ),
        (
            "cooked v2",
            relink(packets, LinkType::LINUX_SLL2, |ip| {
                let rest = [0, 0, 0, 0, 0, 1, 3, 4, 0, 6, 0, 0, 0, 0, 0, 0, 0, 0];
                [&ether_type(ip)[..], &rest].concat()
            }),
        ),
        (
            "NULL, little-endian",
            relink(packets, LinkType::NULL, |ip| family(ip).to_le_bytes().to_vec()),
        ),
        (
            "NULL, big-endian",
            relink(packets, LinkType::NULL, |ip| family(ip).to_be_bytes().to_vec()),
        ),
        ("LOOP", relink(packets, LinkType::LOOP, |ip| family(ip).to_be_bytes().to_vec())),
        ("raw 101", relink(packets, LinkType::RAW, |_| Vec::new())),
        ("raw 12", relink(packets, LinkType::RAW_DLT, |_| Vec::new())),
    ];
    let v6 = is_v6(ip_of(&packets[0]));
    let raw = if v6 { LinkType::IPV6 } else { LinkType::IPV4 };
    links.push(("raw IP of one version", relink(packets, raw, |_| Vec::new())));
    links
}

/// Every IP packet in fragments of at most `size` bytes, a multiple of 8, each in its own packet.
pub fn fragments(packets: &[Raw], size: usize, reversed: bool) -> Vec<Raw> {
    let mut out = Vec::new();
    for (raw, number) in packets.iter().zip(1_u32..) {
        let ip = ip_of(raw);
        let header = if is_v6(ip) { 40 } else { 20 };
        let payload = &ip[header..];
        let count = payload.len().div_ceil(size);
        let mut parts: Vec<_> = payload
            .chunks(size)
            .enumerate()
            .map(|(index, part)| {
                let more = u16::from(index + 1 < count);
                let units = u16::try_from(index * size / 8).unwrap();
                let mut packet = ip[..header].to_vec();
                if is_v6(ip) {
                    packet[6] = 44;
                    let len = u16::try_from(part.len() + 8).unwrap();
                    packet[4..6].copy_from_slice(&len.to_be_bytes());
                    packet.extend([ip[6], 0]);
                    packet.extend((units << 3 | more).to_be_bytes());
                    packet.extend(number.to_be_bytes());
                } else {
                    let len = u16::try_from(part.len() + 20).unwrap();
                    packet[2..4].copy_from_slice(&len.to_be_bytes());
                    let id = (number & 0xffff) as u16;
                    packet[4..6].copy_from_slice(&id.to_be_bytes());
                    packet[6..8].copy_from_slice(&(more << 13 | units).to_be_bytes());
                }
                packet.extend(part);
                wire::ethernet(raw.at, &wire::checksummed(packet))
            })
            .collect();
        if reversed {
            parts.reverse();
        }
        out.extend(parts);
    }
    out
}

pub fn twice(packets: &[Raw]) -> Vec<Raw> {
    packets.iter().flat_map(|raw| [raw.clone(), raw.clone()]).collect()
}

/// Each packet moves up to `window` places; it keeps its time.
pub fn shuffled(packets: &[Raw], window: usize, seed: u64) -> Vec<Raw> {
    let mut dice = Dice(seed);
    let mut keyed: Vec<_> =
        packets.iter().enumerate().map(|(index, raw)| (index + dice.below(window), raw)).collect();
    keyed.sort_by_key(|(key, _)| *key);
    keyed.into_iter().map(|(_, raw)| raw.clone()).collect()
}

/// Sequence numbers moved so that each side wraps after its first `after` bytes.
pub fn wrapped(packets: &[Raw], after: u32) -> Vec<Raw> {
    let mut shift = HashMap::new();
    let segments: Vec<_> = packets.iter().map(wire::parse).collect();
    for tcp in &segments {
        let first = tcp.payload_seq();
        shift.entry(tcp.ends()).or_insert(0_u32.wrapping_sub(after).wrapping_sub(first));
    }
    let moved = segments.into_iter().map(|mut tcp| {
        let (from, to) = tcp.ends();
        tcp.seq = tcp.seq.wrapping_add(shift[&(from.clone(), to.clone())]);
        tcp.ack = tcp.ack.wrapping_add(shift.get(&(to, from)).copied().unwrap_or(0));
        tcp.ethernet()
    });
    moved.collect()
}

/// Payloads cut anew into segments of `size` bytes, each at the time of the packet it was in.
pub fn recut(packets: &[Raw], size: usize) -> Vec<Raw> {
    let cut = |tcp: Tcp| -> Vec<Raw> {
        if tcp.payload.len() <= size {
            return vec![tcp.ethernet()];
        }
        let count = tcp.payload.len().div_ceil(size);
        let part = |(index, part): (usize, &[u8])| {
            let offset = u32::try_from(index * size).unwrap();
            let last = index + 1 == count;
            Tcp {
                seq: tcp.seq.wrapping_add(offset),
                flags: if last { tcp.flags } else { tcp.flags & !wire::FIN },
                payload: part.to_vec(),
                ..tcp.clone()
            }
            .ethernet()
        };
        tcp.payload.chunks(size).enumerate().map(part).collect()
    };
    packets.iter().flat_map(|raw| cut(wire::parse(raw))).collect()
}

/// `percent` of the packets that carry payload are gone.
pub fn lost(packets: &[Raw], percent: usize, seed: u64) -> Vec<Raw> {
    let mut dice = Dice(seed);
    let keeps = |raw: &&Raw| wire::parse(raw).payload.is_empty() || dice.below(100) >= percent;
    packets.iter().filter(keeps).cloned().collect()
}

/// Only what comes from the servers' ports, or only what goes to them.
pub fn one_direction(packets: &[Raw], from_server: bool) -> Vec<Raw> {
    let servers: Vec<_> = packets
        .iter()
        .map(wire::parse)
        .filter(|tcp| tcp.flags & (SYN | 0x10) == SYN)
        .map(|tcp| tcp.ends().1)
        .collect();
    let keeps = |raw: &&Raw| {
        let tcp = wire::parse(raw);
        servers.contains(&tcp.ends().0) == from_server && tcp.flags & RST == 0
    };
    packets.iter().filter(keeps).cloned().collect()
}

/// Every packet cut to `size` bytes.
pub fn snapped(packets: &[Raw], size: usize) -> Vec<Raw> {
    let cut = |raw: &Raw| {
        let mut raw = raw.clone();
        raw.data.truncate(size);
        raw
    };
    packets.iter().map(cut).collect()
}

/// With the offload's IP length of 0.
pub fn offloaded(packets: &[Raw]) -> Vec<Raw> {
    let without_length = |raw: &Raw| {
        let mut raw = raw.clone();
        let at = if is_v6(ip_of(&raw)) { 14 + 4 } else { 14 + 2 };
        raw.data[at..at + 2].fill(0);
        raw
    };
    packets.iter().map(without_length).collect()
}
