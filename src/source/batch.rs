//! Packets copied out of a source, to be handed to another thread.

use crate::packet::{LinkType, Packet, PacketNumber, PointId};
use crate::time::Timestamp;

/// A place in the files that are read: the index of the file, and the offset of the captured bytes
/// in it.
pub type FileOffset = (u16, u64);

/// Packets, one behind the other.
#[derive(Debug, Default)]
pub struct Batch {
    bytes: Vec<u8>,
    headers: Vec<Header>,
}

#[derive(Clone, Copy, Debug)]
struct Header {
    number: PacketNumber,
    at: Timestamp,
    link: LinkType,
    point: PointId,
    start: usize,
    original_len: u32,
    place: Option<FileOffset>,
}

impl Batch {
    /// Copies a packet, and remembers where its bytes can be read again, if anywhere.
    pub fn push(&mut self, packet: &Packet<'_>, place: Option<FileOffset>) {
        self.headers.push(Header {
            number: packet.number,
            at: packet.at,
            link: packet.link,
            point: packet.point,
            start: self.bytes.len(),
            original_len: packet.original_len,
            place,
        });
        self.bytes.extend_from_slice(packet.data);
    }

    /// Whether it holds none.
    pub const fn is_empty(&self) -> bool {
        self.headers.is_empty()
    }

    /// How many it holds.
    pub const fn len(&self) -> usize {
        self.headers.len()
    }

    /// Bytes of memory that they take.
    pub const fn weight(&self) -> usize {
        self.bytes.len() + self.headers.len() * size_of::<Header>()
    }

    /// The packets, and where their bytes can be read again.
    pub fn packets(&self) -> impl Iterator<Item = (Packet<'_>, Option<FileOffset>)> {
        let ends = self.headers.iter().skip(1).map(|next| next.start).chain([self.bytes.len()]);
        self.headers.iter().zip(ends).map(|(header, end)| {
            let packet = Packet {
                number: header.number,
                at: header.at,
                link: header.link,
                point: header.point,
                data: self.bytes.get(header.start..end).unwrap_or_default(),
                original_len: header.original_len,
            };
            (packet, header.place)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_come_out_as_they_went_in() {
        let mut batch = Batch::default();
        let packet = |number, data| Packet {
            number: PacketNumber(number),
            at: Timestamp::from_nanos(7),
            link: LinkType::RAW,
            point: PointId(4),
            data,
            original_len: 9,
        };
        for (number, data) in [(1, &b"abc"[..]), (2, b""), (3, b"de")] {
            batch.push(&packet(number, data), (number == 3).then_some((1, 24)));
        }
        assert!(batch.packets().all(|(packet, _)| packet.point == PointId(4)));
        let out: Vec<_> =
            batch.packets().map(|(packet, place)| (packet.number.0, packet.data, place)).collect();
        assert_eq!(out, [(1, &b"abc"[..], None), (2, b"", None), (3, b"de", Some((1, 24)))]);
        assert_eq!(batch.len(), 3);
    }
}
