//! One packet → its TCP segment. Reads link and IP headers, opens tunnels and puts IP fragments
//! together; knows nothing of connections. Pure: no clock, no I/O. The only user of etherparse.
//!
//! The descent is a recursion over IP packets, at most `TUNNEL_DEPTH` deep: `link` finds the first
//! in a packet of the link, `tunnel` the next in an IP packet, until one carries TCP or something
//! that is not opened.
//!
//! Checksums decide nothing here: where the network card computes them, a capture on the sending
//! host shows them wrong in every packet.

mod descent;
mod ether;
mod fragments;
mod headers;
mod icmp;
mod ip;
mod link;
mod other;
mod segment;
mod tcp;
mod tunnel;

pub use headers::Headers;
pub use other::Other;
pub use segment::{Flags, Network, Path, Segment, Seq, Unreachable, UnreachableCode};

use std::collections::BTreeMap;

use etherparse::ip_number;

use self::descent::{Descent, Stop};
use self::fragments::{Claim, Fragments};
use self::ip::{Fragment, Ip};
use crate::limits::OTHER_KINDS;
use crate::packet::{LinkType, Packet, PacketNumber, PacketRef};

/// The headers of a packet make no sense, or the snap length cut them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Malformed;

/// What was counted while packets were decoded.
///
/// Each packet counts once in `segments`, `unreachable`, `malformed`, `not_tcp`, `fragments` or
/// `unknown_links`. What is put together from fragments adds to what it carries, and a fragment
/// that contradicts the others to `malformed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Packets.
    pub packets: u64,
    /// Bytes that these packets had on the link.
    pub bytes: u64,
    /// TCP segments that came out.
    pub segments: u64,
    /// ICMP messages that a TCP segment was not handed on.
    pub unreachable: u64,
    /// Packets that the snap length cut.
    pub truncated: u64,
    /// Packets whose link, IP or TCP header makes no sense or is not whole.
    pub malformed: u64,
    /// Packets that carry something else than TCP over IP.
    pub not_tcp: u64,
    /// The same by what they carry.
    pub others: BTreeMap<Other, u64>,
    /// IP fragments of packets that may carry TCP.
    pub fragments: u64,
    /// Those of them whose packet never became whole. UDP fragments whose first one is lacking are
    /// not counted here, unless they are malformed: nobody knows whether they may carry TCP.
    pub fragments_lost: u64,
    /// Packets of a link type that is not read here.
    pub unknown_links: u64,
    /// The first such link type.
    pub unknown_link: Option<LinkType>,
}

impl Counts {
    /// Packets in which TCP may lie that was not seen, by what they carry.
    pub fn unopened(&self) -> impl Iterator<Item = (Other, u64)> + '_ {
        self.others
            .iter()
            .map(|(kind, count)| (*kind, *count))
            .filter(|(kind, _)| kind.may_hide_tcp())
    }

    fn stopped(&mut self, stop: Stop, link: LinkType) {
        match stop {
            Stop::Malformed => self.malformed += 1,
            Stop::UnknownLink => {
                self.unknown_links += 1;
                self.unknown_link.get_or_insert(link);
            }
            Stop::Other(kind) => self.other(kind),
        }
    }

    fn other(&mut self, mut kind: Other) {
        self.not_tcp += 1;
        if self.others.len() >= OTHER_KINDS && !self.others.contains_key(&kind) {
            kind = Other::Various;
        }
        *self.others.entry(kind).or_default() += 1;
    }
}

/// The packet that is decoded.
#[derive(Clone, Copy, Debug)]
struct At {
    packet: PacketRef,
    link: LinkType,
}

/// Takes packets, gives TCP segments.
#[derive(Debug, Default)]
pub struct Decoder {
    fragments: Fragments,
    /// See [`Decoder::joined`].
    joined: Vec<PacketNumber>,
    counts: Counts,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Decodes one packet. Gives nothing, or one segment; more where this packet was the last
    /// missing fragment of a larger one: then one for each fragment, in the order of their bytes.
    pub fn push(&mut self, packet: &Packet<'_>, emit: &mut impl FnMut(Network<'_>)) {
        self.joined.clear();
        self.counts.packets += 1;
        self.counts.bytes += u64::from(packet.original_len);
        let captured = u32::try_from(packet.data.len()).unwrap_or(u32::MAX);
        let cut = packet.original_len.saturating_sub(captured);
        self.counts.truncated += u64::from(cut > 0);
        self.counts.fragments_lost += self.fragments.expire(packet.at);

        let at = At { packet: packet.place(), link: packet.link };
        let mut descent = Descent::new(packet.point, cut);
        match link::network(packet.link, packet.data, &mut descent) {
            Ok(bytes) => self.ip(at, bytes, descent, emit),
            Err(stop) => self.counts.stopped(stop, packet.link),
        }
    }

    /// The packets whose fragments were put together by the packet pushed last, and that one
    /// itself; none where it completed nothing.
    pub fn joined(&self) -> &[PacketNumber] {
        &self.joined
    }

    /// As `push`, for callers that want segments only.
    pub fn segments(&mut self, packet: &Packet<'_>, emit: &mut impl FnMut(Segment<'_>)) {
        self.push(packet, &mut |network| {
            if let Network::Segment(segment) = network {
                emit(segment);
            }
        });
    }

    fn ip(&mut self, at: At, bytes: &[u8], descent: Descent, emit: &mut impl FnMut(Network<'_>)) {
        match ip::parse(bytes, descent.cut) {
            Ok(ip) if ip.protocol == ip_number::TCP && ip.fragment.is_none() => {
                self.tcp(at, &ip, descent, emit);
            }
            Ok(ip) => self.beside(at, &ip, descent, emit),
            Err(Malformed) => self.counts.malformed += 1,
        }
    }

    #[inline]
    fn tcp(&mut self, at: At, ip: &Ip<'_>, descent: Descent, emit: &mut impl FnMut(Network<'_>)) {
        match tcp::parse(at.packet, ip, descent.path) {
            Ok(segment) => {
                self.counts.segments += 1;
                emit(Network::Segment(segment));
            }
            Err(Malformed) => self.counts.malformed += 1,
        }
    }

    /// What is no plain TCP: out of the way of what is.
    #[cold]
    #[inline(never)]
    fn beside(&mut self, at: At, ip: &Ip<'_>, descent: Descent, emit: &mut dyn FnMut(Network<'_>)) {
        match ip.fragment {
            Some(fragment) => self.fragment(at, ip, fragment, descent, emit),
            None => self.not_tcp(at, ip, descent, emit),
        }
    }

    fn not_tcp(
        &mut self,
        at: At,
        ip: &Ip<'_>,
        mut descent: Descent,
        mut emit: &mut dyn FnMut(Network<'_>),
    ) {
        if let Some(message) = icmp::unreachable(at.packet, ip) {
            self.counts.unreachable += 1;
            return emit(Network::Unreachable(message));
        }
        match tunnel::inner(ip, &mut descent) {
            Ok(bytes) => self.ip(at, bytes, descent, &mut emit),
            Err(stop) => self.counts.stopped(stop, at.link),
        }
    }

    fn fragment(
        &mut self,
        at: At,
        ip: &Ip<'_>,
        fragment: Fragment,
        descent: Descent,
        emit: &mut dyn FnMut(Network<'_>),
    ) {
        // What follows the fragment header may be another header, and only then TCP. Of UDP only
        // the first fragment shows whether it is a tunnel; what its other fragments hold counts as
        // cut.
        let mut further = descent;
        let first = Ip { missing: u32::from(u16::MAX), fragment: None, ..*ip };
        let (claim, stop) = match ip.protocol {
            ip_number::UDP if fragment.offset > 0 => (Claim::Unknown, Other::Udp),
            ip_number::UDP => match tunnel::inner(&first, &mut further) {
                Err(Stop::Other(kind)) => (Claim::Unwanted, kind),
                _ => (Claim::Wanted, Other::Udp),
            },
            protocol if tunnel::may_be_opened(protocol) => (Claim::Wanted, Other::Udp),
            _ => {
                let stop = tunnel::inner(ip, &mut further).err().unwrap_or(Stop::Malformed);
                return self.counts.stopped(stop, at.link);
            }
        };
        let pushed = self.fragments.push(at.packet, ip, fragment, descent.path, claim);
        self.counts.fragments_lost += pushed.lost;
        self.counts.malformed += u64::from(pushed.malformed);
        match pushed.unwanted {
            true => self.counts.other(stop),
            false => self.counts.fragments += 1,
        }
        let Some(reassembly) = pushed.whole else { return };
        self.joined.extend_from_slice(reassembly.packets());
        let head = reassembly.head();
        let Ok((first, ip)) = reassembly.ip(&head) else { return self.counts.malformed += 1 };
        // A segment within becomes one for each fragment that carried some of it.
        let mut parts = 0;
        let mut segments = 0;
        let mut split = |network: Network<'_>| match network {
            Network::Segment(segment) => {
                segments += 1;
                parts +=
                    reassembly.split(&segment, &head, &mut |part| emit(Network::Segment(part)));
            }
            unreachable @ Network::Unreachable(_) => emit(unreachable),
        };
        let at = At { packet: first, ..at };
        if ip.protocol == ip_number::TCP {
            self.tcp(at, &ip, descent, &mut split);
        } else {
            self.not_tcp(at, &ip, descent, &mut split);
        }
        self.counts.segments += parts - segments;
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
