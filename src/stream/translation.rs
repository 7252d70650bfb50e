//! A connection that the capture saw twice, before and after its addresses were translated (a
//! Kubernetes service, a NAT gateway): two pairs of ends, with the same numbers at the same time.

use std::net::SocketAddr;

use crate::decode::Segment;
use crate::limits::{COPY_WITHIN, TRANSLATION_SEGMENTS};
use crate::time::Timestamp;

/// The last segments with bytes, whatever connection they are of.
#[derive(Debug)]
pub(super) struct Translations {
    /// By their numbers, so that one look finds a segment again.
    seen: [Option<Seen>; TRANSLATION_SEGMENTS],
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    numbers: (u32, u32, usize),
    at: Timestamp,
    from: SocketAddr,
    to: SocketAddr,
}

impl Default for Translations {
    fn default() -> Self {
        Self { seen: [None; TRANSLATION_SEGMENTS] }
    }
}

impl Translations {
    /// Remembers a segment. Gives the sender and the receiver of the same one under other
    /// addresses, if it was just seen: 64 bits of numbers, which both ends chose at random, do not
    /// agree by chance.
    #[inline]
    pub fn other_ends(&mut self, segment: &Segment<'_>) -> Option<(SocketAddr, SocketAddr)> {
        let ack = segment.ack.filter(|_| !segment.payload.is_empty())?;
        let mixed = (segment.seq.0 ^ ack.0).wrapping_mul(0x9e37_79b9) >> 24;
        let place = self.seen.get_mut(mixed as usize % TRANSLATION_SEGMENTS)?;
        let seen = Seen {
            numbers: (segment.seq.0, ack.0, segment.payload.len()),
            at: segment.packet.at,
            from: segment.from,
            to: segment.to,
        };
        let other = place.replace(seen).filter(|other| other.numbers == seen.numbers)?;
        let apart = seen.at.since(other.at).or_else(|| other.at.since(seen.at))?;
        let is_other = (other.from, other.to) != (seen.from, seen.to);
        (is_other && apart <= COPY_WITHIN).then_some((other.from, other.to))
    }
}
