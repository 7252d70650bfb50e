//! One packet alone: what its headers say, and where in its bytes the payload lies. For whoever
//! shows packets; what is followed goes through [`Decoder`].

use std::net::SocketAddr;
use std::ops::Range;

use super::{Decoder, Flags, Segment, Seq};
use crate::packet::Packet;

/// The headers of a TCP segment that one packet carried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// The sender.
    pub from: SocketAddr,
    /// The receiver.
    pub to: SocketAddr,
    /// The position of the first payload byte (of the SYN itself, where that is set).
    pub seq: Seq,
    /// The next position that the sender expects, where the ACK bit is set.
    pub ack: Option<Seq>,
    /// The control bits.
    pub flags: Flags,
    /// The receive window as written, not scaled.
    pub window: u16,
    /// Where in the captured bytes the payload lies.
    pub payload: Range<usize>,
    /// Bytes that the payload had on the link.
    pub payload_len: u32,
}

impl Headers {
    /// Reads them. `None` where the packet is no TCP segment, one of several IP fragments, or cut
    /// within its headers.
    pub fn of(packet: &Packet<'_>) -> Option<Self> {
        let mut read = None;
        Decoder::new().segments(packet, &mut |segment: Segment<'_>| {
            // The payload is lent from the packet: its place is how far it lies behind its start.
            let start = segment.payload.as_ptr().addr().checked_sub(packet.data.as_ptr().addr());
            let Some(start) = start.filter(|start| *start <= packet.data.len()) else { return };
            let captured = u32::try_from(segment.payload.len()).unwrap_or(u32::MAX);
            read = Some(Self {
                from: segment.from,
                to: segment.to,
                seq: segment.seq,
                ack: segment.ack,
                flags: segment.flags,
                window: segment.window,
                payload: start..start + segment.payload.len(),
                payload_len: captured.saturating_add(segment.missing),
            });
        });
        read
    }
}
