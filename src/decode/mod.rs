//! One packet → its TCP segment. Reads link and IP headers and puts IP fragments together; knows
//! nothing of connections. Pure: no clock, no I/O. The only user of etherparse.
//!
//! Checksums are not looked at: where the network card computes them, a capture on the sending
//! host shows them wrong in every packet.

mod fragments;
mod headers;
mod ip;
mod link;
mod segment;
mod tcp;

pub use headers::Headers;
pub use segment::{Flags, Network, Path, Segment, Seq, Unreachable, UnreachableCode};

use etherparse::ip_number;

use self::fragments::Fragments;
use self::ip::Ip;
use self::link::LinkPayload;
use crate::packet::{LinkType, Packet};

/// The headers of a packet make no sense, or the snap length cut them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Malformed;

/// What was counted while packets were decoded.
///
/// Each packet counts once in `segments`, `malformed`, `not_tcp`, `fragments` or `unknown_links`.
/// What is put together from fragments adds to `segments`, and a fragment that contradicts the
/// others to `malformed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets.
    pub packets: u64,
    /// Bytes that these packets had on the link.
    pub bytes: u64,
    /// TCP segments that came out.
    pub segments: u64,
    /// Packets that the snap length cut.
    pub truncated: u64,
    /// Packets whose link, IP or TCP header makes no sense or is not whole.
    pub malformed: u64,
    /// Packets that carry something else than TCP over IP.
    pub not_tcp: u64,
    /// IP fragments of packets that may carry TCP.
    pub fragments: u64,
    /// Those of them whose packet never became whole.
    pub fragments_lost: u64,
    /// Packets of a link type that is not read here.
    pub unknown_links: u64,
    /// The first such link type.
    pub unknown_link: Option<LinkType>,
}

/// Takes packets, gives TCP segments.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    counts: Counts,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one packet. Gives nothing, or one segment; more where this packet was the last missing
    /// fragment of a larger one: then one for each fragment, in the order of their bytes.
    pub fn push(&mut self, packet: &Packet<'_>, emit: &mut impl FnMut(Network<'_>)) {
        self.counts.packets += 1;
        self.counts.bytes += u64::from(packet.original_len);
        let captured = u32::try_from(packet.data.len()).unwrap_or(u32::MAX);
        let cut = packet.original_len.saturating_sub(captured);
        self.counts.truncated += u64::from(cut > 0);
        self.counts.fragments_lost += self.fragments.expire(packet.at);

        let bytes = match link::network(packet.link, packet.data) {
            Ok(LinkPayload::Ip(bytes)) => bytes,
            Ok(LinkPayload::Other) => return self.counts.not_tcp += 1,
            Ok(LinkPayload::UnknownLink) => {
                self.counts.unknown_links += 1;
                self.counts.unknown_link.get_or_insert(packet.link);
                return;
            }
            Err(Malformed) => return self.counts.malformed += 1,
        };
        match ip::parse(bytes, cut) {
            Ok(ip) => self.push_ip(packet, &ip, emit),
            Err(Malformed) => self.counts.malformed += 1,
        }
    }

    /// The same for those who want the segments only.
    pub fn segments(&mut self, packet: &Packet<'_>, emit: &mut impl FnMut(Segment<'_>)) {
        self.push(packet, &mut |network| {
            if let Network::Segment(segment) = network {
                emit(segment);
            }
        });
    }

    fn push_ip(&mut self, packet: &Packet<'_>, ip: &Ip<'_>, emit: &mut impl FnMut(Network<'_>)) {
        let counts = &mut self.counts;
        if let Some(fragment) = ip.fragment {
            // What follows the fragment header may be another header, and only then TCP.
            if ip.protocol != ip_number::TCP && !ip::is_extension(ip.protocol) {
                return counts.not_tcp += 1;
            }
            counts.fragments += 1;
            let pushed = self.fragments.push(packet.place(), ip, fragment);
            counts.fragments_lost += pushed.lost;
            counts.malformed += u64::from(pushed.malformed);
            if let Some(whole) = pushed.whole {
                match whole.segments(&mut |segment| emit(Network::Segment(segment))) {
                    Ok(segments) => counts.segments += segments,
                    Err(Malformed) => counts.malformed += 1,
                }
            }
            return;
        }
        if ip.protocol != ip_number::TCP {
            return counts.not_tcp += 1;
        }
        match tcp::parse(packet.place(), ip.from, ip.to, ip.payload, ip.missing) {
            Ok(segment) => {
                counts.segments += 1;
                emit(Network::Segment(segment));
            }
            Err(Malformed) => counts.malformed += 1,
        }
    }

    /// No more packets: fragments that still wait are lost.
    pub fn finish(&mut self) {
        self.counts.fragments_lost += self.fragments.clear();
    }

    /// What was counted so far.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }
}

#[cfg(test)]
mod tests;
