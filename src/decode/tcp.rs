//! TCP headers (RFC 9293, section 3.1).

use std::net::{IpAddr, SocketAddr};

use etherparse::{TcpHeaderSlice, TcpOptionElement, ip_number};

use super::ip::Ip;
use super::{Flags, Malformed, Path, Segment, Seq};
use crate::packet::PacketRef;

/// Reads the TCP header at the front of an IP payload that came on `path`.
///
/// # Errors
///
/// `Malformed` where the header is not whole or says that it is shorter than it must be.
#[inline]
pub(super) fn parse<'a>(
    packet: PacketRef,
    ip: &Ip<'a>,
    path: Path,
) -> Result<Segment<'a>, Malformed> {
    let header = TcpHeaderSlice::from_slice(ip.payload).map_err(|_| Malformed)?;
    let flags = Flags(*header.slice().get(FLAGS).ok_or(Malformed)?);
    Ok(Segment {
        packet,
        from: SocketAddr::new(ip.from, header.source_port()),
        to: SocketAddr::new(ip.to, header.destination_port()),
        seq: Seq(header.sequence_number()),
        ack: flags.has(Flags::ACK).then(|| Seq(header.acknowledgment_number())),
        flags,
        window: header.window_size(),
        payload: ip.payload.get(header.slice().len()..).ok_or(Malformed)?,
        missing: ip.missing,
        path,
        ip_id: ip.id,
        ttl: ip.ttl,
        mss: if flags.has(Flags::SYN) { mss(&header) } else { None },
        checksum: header.checksum(),
        raw: ip.payload,
    })
}

/// The option of a SYN that says how large a payload its sender accepts.
#[cold]
fn mss(header: &TcpHeaderSlice<'_>) -> Option<u16> {
    header.options_iterator().map_while(Result::ok).find_map(|option| match option {
        TcpOptionElement::MaximumSegmentSize(size) => Some(size),
        _ => None,
    })
}

/// See [`Segment::checksum_is_valid`].
pub(super) fn checksum_is_valid(segment: &Segment<'_>) -> Option<bool> {
    if segment.raw.is_empty() || segment.missing > 0 {
        return None;
    }
    let length = u16::try_from(segment.raw.len()).ok()?;
    let addresses = match (segment.from.ip(), segment.to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => sum(&from.octets()) + sum(&to.octets()),
        (IpAddr::V6(from), IpAddr::V6(to)) => sum(&from.octets()) + sum(&to.octets()),
        _ => return None,
    };
    let protocol_and_length =
        sum(&[0, ip_number::TCP.0]) + u64::from(u16::from_ne_bytes(length.to_be_bytes()));
    let mut total = addresses + protocol_and_length + sum(segment.raw);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    Some(total == 0xffff)
}

/// A sum that folds to that of the 16-bit words, in the byte order of this machine: an ones'
/// complement sum of longer words folds to the same, and of swapped bytes to the swapped (RFC 1071,
/// section 2). What is missing of the last word counts as 0.
fn sum(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<4>();
    let mut last = [0; 4];
    for (byte, of_rest) in last.iter_mut().zip(rest) {
        *byte = *of_rest;
    }
    words.iter().fold(u64::from(u32::from_ne_bytes(last)), |sum, word| {
        sum + u64::from(u32::from_ne_bytes(*word))
    })
}

/// The byte of the header that holds the control bits.
const FLAGS: usize = 13;
