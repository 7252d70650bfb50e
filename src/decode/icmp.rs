//! ICMP messages that say that a TCP segment was not handed on (RFC 792; RFC 4443, section 3.1).

use std::net::SocketAddr;

use etherparse::{IpNumber, ip_number};

use super::ip::{self, Ip};
use super::{Seq, Unreachable, UnreachableCode};
use crate::packet::PacketRef;

/// Reads such a message. `None` where it says something else, or quotes no TCP ports.
pub(super) fn unreachable(packet: PacketRef, message: &Ip<'_>) -> Option<Unreachable> {
    // Type, code, checksum, and four bytes that are unused.
    let ([kind, code, ..], quoted) = message.payload.split_first_chunk::<8>()?;
    let code = reason(message.protocol, *kind, *code)?;
    // The quotation is cut where the message ends; its own length tells nothing.
    let quoted = ip::parse(quoted, 0).ok()?;
    if quoted.protocol != ip_number::TCP || quoted.fragment.is_some_and(|part| part.offset > 0) {
        return None;
    }
    // At least this much of the segment is quoted: ports and sequence number.
    let (header, _) = quoted.payload.split_first_chunk::<8>()?;
    let [a, b, c, d, seq @ ..] = *header;
    Some(Unreachable {
        packet,
        by: message.from,
        from: SocketAddr::new(quoted.from, u16::from_be_bytes([a, b])),
        to: SocketAddr::new(quoted.to, u16::from_be_bytes([c, d])),
        seq: Seq(u32::from_be_bytes(seq)),
        code,
    })
}

/// What type and code say; `None` where the segment did not fail, or only took too long.
fn reason(protocol: IpNumber, kind: u8, code: u8) -> Option<UnreachableCode> {
    use UnreachableCode::{Host, Network, Other, Port, Prohibited, Protocol};
    let reason = match (protocol, kind, code) {
        // The sender is to send smaller ones: how the largest size is found (RFC 1191).
        (ip_number::ICMP, 3, 4) => return None,
        // RFC 1122, section 3.2.2.1, and RFC 1812, section 5.2.7.1: 6 and 11 are of networks, 7 and
        // 12 of hosts.
        (ip_number::ICMP, 3, 0 | 6 | 11) => Network,
        (ip_number::ICMP, 3, 1 | 7 | 12) => Host,
        (ip_number::ICMP, 3, 2) => Protocol,
        (ip_number::ICMP, 3, 3) => Port,
        (ip_number::ICMP, 3, 9 | 10 | 13) => Prohibited,
        (ip_number::IPV6_ICMP, 1, 0) => Network,
        // By a filter, by the policy for the sender's address, by a route that rejects.
        (ip_number::IPV6_ICMP, 1, 1 | 5 | 6) => Prohibited,
        (ip_number::IPV6_ICMP, 1, 3) => Host,
        (ip_number::IPV6_ICMP, 1, 4) => Port,
        (ip_number::ICMP, 3, other) | (ip_number::IPV6_ICMP, 1, other) => Other(other),
        _ => return None,
    };
    Some(reason)
}
