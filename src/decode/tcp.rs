//! TCP headers (RFC 9293, section 3.1).

use std::net::{IpAddr, SocketAddr};

use etherparse::TcpHeaderSlice;

use super::{Flags, Malformed, Segment, Seq};
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
    })
}

/// The byte of the header that holds the control bits.
const FLAGS: usize = 13;
