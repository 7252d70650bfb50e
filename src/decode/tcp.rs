//! TCP headers (RFC 9293, section 3.1).

use std::net::{IpAddr, SocketAddr};

use etherparse::{TcpHeaderSlice, TcpOptionElement, ip_number};

use super::{Flags, Malformed, Path, Segment, Seq};
use crate::packet::PacketRef;

/// Reads the TCP header at the front of an IP payload of which `missing` bytes were cut.
///
/// # Errors
///
/// `Malformed` where the header is not whole or says that it is shorter than it must be.
pub(super) fn parse(
    packet: PacketRef,
    from: IpAddr,
    to: IpAddr,
    bytes: &[u8],
    missing: u32,
) -> Result<Segment<'_>, Malformed> {
    let header = TcpHeaderSlice::from_slice(bytes).map_err(|_| Malformed)?;
    let flags = Flags(*header.slice().get(FLAGS).ok_or(Malformed)?);
    Ok(Segment {
        packet,
        from: SocketAddr::new(from, header.source_port()),
        to: SocketAddr::new(to, header.destination_port()),
        seq: Seq(header.sequence_number()),
        ack: flags.has(Flags::ACK).then(|| Seq(header.acknowledgment_number())),
        flags,
        window: header.window_size(),
        payload: bytes.get(header.slice().len()..).ok_or(Malformed)?,
        missing,
        path: Path::default(),
        ip_id: 0,
        ttl: 0,
        mss: flags.has(Flags::SYN).then(|| mss(&header)).flatten(),
        raw: bytes,
    })
}

/// The option of a SYN that names the largest payload.
fn mss(header: &TcpHeaderSlice<'_>) -> Option<u16> {
    header.options_iterator().find_map(|option| match option {
        Ok(TcpOptionElement::MaximumSegmentSize(mss)) => Some(mss),
        _ => None,
    })
}

/// See [`Segment::checksum_holds`].
pub(super) fn checksum_holds(segment: &Segment<'_>) -> Option<bool> {
    if segment.raw.is_empty() || segment.missing > 0 {
        return None;
    }
    let length = u32::try_from(segment.raw.len()).ok()?;
    let addresses = match (segment.from.ip(), segment.to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => sum(&from.octets()) + sum(&to.octets()),
        (IpAddr::V6(from), IpAddr::V6(to)) => sum(&from.octets()) + sum(&to.octets()),
        _ => return None,
    };
    let pseudo = addresses + u64::from(ip_number::TCP.0) + u64::from(length);
    let mut total = pseudo + sum(segment.raw);
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    Some(total == 0xffff)
}

/// The sum of the 16-bit words; an odd byte at the end is the high half of one.
fn sum(bytes: &[u8]) -> u64 {
    let (words, odd) = bytes.as_chunks::<2>();
    let words: u64 = words.iter().map(|word| u64::from(u16::from_be_bytes(*word))).sum();
    words + odd.first().map_or(0, |byte| u64::from(*byte) << 8)
}

/// The byte of the header that holds the control bits.
const FLAGS: usize = 13;
