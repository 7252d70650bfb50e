//! Segments whose checksum is wrong: damaged on their way, so that the receiver threw them away and
//! the sender sent them again; or written before the network card filled the checksum in.

use crate::decode::Segment;
use crate::limits::{BUFFERED_OVERHEAD, TRUST_IN_CHECKSUMS};
use crate::packet::PacketRef;

/// The largest payload of one Ethernet frame: larger ones were put together by the card or the
/// kernel, which leaves their checksum wrong.
const LARGEST_ON_THE_WIRE: usize = 1_460;

/// Whether the checksums of one side can be believed.
///
/// ```text
///  Unknown ──valid──► ValidOnce ──valid──► Trusted
///     │                 │   ▲               │   ▲
///     └──────wrong──────┤   │ valid   wrong │   │ valid
///                       ▼   │               ▼   │
///            Doubted, not trusted     Doubted, trusted
///                       └──several wrong in a row─┴──► Unusable
/// ```
///
/// One may be valid by chance: of a million connections whose checksums are never filled in,
/// fifteen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Checksums {
    #[default]
    Unknown,
    /// The last one looked at was valid; the one before was not, or there was none.
    ValidOnce,
    /// How many in a row were wrong, and whether the side was `Trusted` before.
    Doubted { wrong: u8, trusted: bool },
    /// The last one looked at was valid, and an earlier one too.
    Trusted,
    /// The network card computes them.
    Unusable,
}

impl Checksums {
    /// Whether segments without bytes are looked at too: until it is known what checksums are
    /// worth.
    pub fn wants_to_know(&self) -> bool {
        matches!(self, Self::Unknown | Self::ValidOnce | Self::Doubted { trusted: false, .. })
    }

    /// Takes in a segment. Says whether it was damaged: its checksum is wrong, and can be believed.
    pub fn damaged(&mut self, segment: &Segment<'_>) -> bool {
        if *self == Self::Unusable {
            return false;
        }
        let largest = segment.mss.map_or(LARGEST_ON_THE_WIRE, usize::from);
        if segment.payload.len() > largest {
            return false;
        }
        match segment.checksum_is_valid() {
            None => false,
            Some(true) => {
                *self = match *self {
                    Self::Unknown | Self::Doubted { trusted: false, .. } => Self::ValidOnce,
                    _ => Self::Trusted,
                };
                false
            }
            Some(false) => {
                let (wrong, trusted) = match *self {
                    Self::Doubted { wrong, trusted } => (wrong + 1, trusted),
                    before => (1, before == Self::Trusted),
                };
                *self = if wrong >= TRUST_IN_CHECKSUMS {
                    Self::Unusable
                } else {
                    Self::Doubted { wrong, trusted }
                };
                trusted && *self != Self::Unusable
            }
        }
    }
}

/// A damaged segment, kept for the case that no better copy comes.
#[derive(Debug)]
pub(super) struct Damaged {
    pub start: u64,
    pub packet: PacketRef,
    /// See [`Piece::after`](super::assembler::Piece::after).
    pub after: u64,
    pub data: Box<[u8]>,
    /// Whether it is the last.
    pub fin: bool,
}

impl Damaged {
    pub fn end(&self) -> u64 {
        self.start + self.data.len() as u64
    }

    fn weight(&self) -> usize {
        self.data.len() + BUFFERED_OVERHEAD
    }
}

/// The damaged segments of one side, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct DamagedSegments {
    segments: Vec<Damaged>,
    weight: usize,
}

impl DamagedSegments {
    pub fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// What they weigh.
    pub fn buffered(&self) -> usize {
        self.weight
    }

    /// Keeps one.
    pub fn add(&mut self, damaged: Damaged) {
        self.weight += damaged.weight();
        self.segments.push(damaged);
    }

    /// Forgets those of which a copy came that lies from `start` to `end`. Says how many that were.
    pub fn replaced_by(&mut self, start: u64, end: u64) -> u64 {
        let before = self.segments.len();
        self.segments.retain(|damaged| damaged.end() <= start || damaged.start >= end);
        self.weight = self.segments.iter().map(Damaged::weight).sum();
        (before - self.segments.len()) as u64
    }

    /// Takes out the first that ends at or before `position`: it was acknowledged, so the receiver
    /// found nothing wrong with it.
    pub fn take_before(&mut self, position: u64) -> Option<Damaged> {
        let index = self.segments.iter().position(|damaged| damaged.end() <= position)?;
        let damaged = self.segments.remove(index);
        self.weight -= damaged.weight();
        Some(damaged)
    }

    /// Forgets all of them, for want of room.
    pub fn clear(&mut self) {
        *self = Self::default();
    }
}
