//! Capture points: the interfaces that packets came from, and what is known of them.

use std::sync::{Arc, PoisonError, RwLock};

use super::options::{self, Kind, Options, bytes, number};
use crate::packet::{LinkType, PointId};

/// What is known of a capture point.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// The capture file; empty where packets are captured now.
    pub file: String,
    /// The name of the interface; empty where nobody knows. As it came: it may hold anything.
    pub interface: String,
    /// What its packets begin with.
    pub link: LinkType,
    /// The most bytes that were captured of a packet; 0: unknown or without bound.
    pub snap_len: u32,
    /// Its place among the interfaces of the file's section.
    index: u32,
    /// What else a pcapng says of it, as options to be saved.
    pub(super) options: Vec<u8>,
}

impl Point {
    /// The interface `interface` of this host.
    pub fn live(interface: &str, link: LinkType, snap_len: u32) -> Self {
        let mut options = Vec::new();
        if !interface.is_empty() {
            options::push(&mut options, IF_NAME, interface.as_bytes());
        }
        Self { interface: interface.to_owned(), link, snap_len, options, ..Self::default() }
    }

    /// The only interface of a classic pcap.
    pub(super) fn classic(link: LinkType, snap_len: u32) -> Self {
        Self { link, snap_len, ..Self::default() }
    }

    /// The interface `index` of a section of a pcapng.
    pub(super) fn pcapng(index: u32, link: LinkType, snap_len: u32, told: Options<'_>) -> Self {
        let mut options = Vec::new();
        told.copy(KEPT, &mut options, POINT_BYTES);
        let text = |wanted| {
            told.into_iter()
                .find(|(code, value)| *code == wanted && !value.is_empty())
                .map(|(_, value)| String::from_utf8_lossy(value.get(..NAME).unwrap_or(value)))
        };
        // Windows names interfaces by a number and says in the description what they are.
        let interface = text(IF_NAME).or_else(|| text(IF_DESCRIPTION)).unwrap_or_default();
        Self {
            file: String::new(),
            interface: interface.into_owned(),
            link,
            snap_len,
            index,
            options,
        }
    }

    /// Whether `other`, in a later section of the same file, is this one.
    fn is(&self, other: &Self) -> bool {
        self.index == other.index && self.link == other.link && self.interface == other.interface
    }
}

/// The points of one file, by their numbers within it.
#[derive(Debug, Default)]
pub(super) struct FilePoints(Vec<FilePoint>);

#[derive(Debug)]
struct FilePoint {
    point: Point,
    /// Packets that were lost there.
    dropped: Option<u64>,
}

impl FilePoints {
    /// The number of `point`: a new one, or the one that it had in a section before. Those that
    /// are too many share the last.
    pub(super) fn add(&mut self, point: Point) -> PointId {
        let last = self.0.len().saturating_sub(1);
        let index = match self.0.iter().position(|known| known.point.is(&point)) {
            Some(index) => index,
            None if self.0.len() >= POINTS => last,
            None => {
                self.0.push(FilePoint { point, dropped: None });
                self.0.len() - 1
            }
        };
        PointId(u16::try_from(index).unwrap_or(u16::MAX))
    }

    pub(super) fn get(&self, id: PointId) -> Option<&Point> {
        self.0.get(usize::from(id.0)).map(|known| &known.point)
    }

    /// The number of the last.
    pub(super) fn last(&self) -> Option<PointId> {
        self.0.len().checked_sub(1).and_then(|last| u16::try_from(last).ok()).map(PointId)
    }

    /// Packets were lost at `id`.
    pub(super) fn add_dropped(&mut self, id: PointId, more: Option<u64>) {
        if let Some(known) = self.0.get_mut(usize::from(id.0)) {
            known.dropped = sum(known.dropped, more);
        }
    }

    /// The packets that were lost at each point that tells of it.
    pub(super) fn dropped(&self) -> impl Iterator<Item = (PointId, u64)> {
        let all = (0..).map(PointId).zip(&self.0);
        all.filter_map(|(id, known)| Some((id, known.dropped?)))
    }
}

/// The points of a whole capture, by their numbers. Clones share them, so that a view can ask for
/// what was found after it was made.
#[derive(Clone, Debug, Default)]
pub struct CapturePoints(Arc<RwLock<Vec<Point>>>);

impl CapturePoints {
    /// What is known of `id`.
    pub fn get(&self, id: PointId) -> Option<Point> {
        let points = self.0.read().unwrap_or_else(PoisonError::into_inner);
        points.get(usize::from(id.0)).cloned()
    }

    /// Adds a point and gives its number. Those that are too many share the last.
    pub(super) fn add(&self, point: Point) -> PointId {
        let mut points = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if points.len() < CAPTURE_POINTS {
            points.push(point);
        }
        PointId(u16::try_from(points.len().saturating_sub(1)).unwrap_or(u16::MAX))
    }
}

/// The sum of two counts of which either may be unknown.
pub(super) fn sum(one: Option<u64>, more: Option<u64>) -> Option<u64> {
    match (one, more) {
        (Some(one), Some(more)) => Some(one.saturating_add(more)),
        (one, more) => one.or(more),
    }
}

const IF_NAME: u16 = 2;
const IF_DESCRIPTION: u16 = 3;

/// What is kept of an interface: all that the format names, but the clock, which is written anew.
const KEPT: &[Kind] = &[
    bytes(options::COMMENT),
    bytes(IF_NAME),
    bytes(IF_DESCRIPTION),
    // Addresses: IPv4, IPv6, MAC, EUI; they are bytes on the wire.
    bytes(4),
    bytes(5),
    bytes(6),
    bytes(7),
    number(8),
    number(10),
    // Filter, system, length of the checksum behind each packet.
    bytes(11),
    bytes(12),
    bytes(13),
    bytes(15),
    number(16),
    number(17),
];

/// The most points of one file. A host has a few hundred interfaces at most.
const POINTS: usize = 1_024;

/// The most points of a capture: as many numbers as there are.
const CAPTURE_POINTS: usize = 1 << 16;

/// The most bytes that are kept of the options of one point. Names and filters have a few hundred.
const POINT_BYTES: usize = 16 << 10;

/// The most bytes of a name that are shown. Linux has 15, Windows some 50.
const NAME: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_numbered_once_and_not_without_end() {
        let mut points = FilePoints::default();
        let point = |index, link| Point { index, link, ..Point::default() };
        assert_eq!(points.add(point(0, LinkType::RAW)), PointId(0));
        assert_eq!(points.add(point(1, LinkType::RAW)), PointId(1));
        assert_eq!(points.add(point(0, LinkType::RAW)), PointId(0));
        assert_eq!(points.add(point(0, LinkType::NULL)), PointId(2));
        for index in 2..70_000 {
            points.add(point(index, LinkType::RAW));
        }
        assert_eq!(points.0.len(), POINTS);
        assert_eq!(points.add(point(80_000, LinkType::RAW)), PointId(1_023));
        points.add_dropped(PointId(1_023), Some(2));
        points.add_dropped(PointId(1_023), Some(3));
        assert_eq!(points.dropped().collect::<Vec<_>>(), [(PointId(1_023), 5)]);
    }

    #[test]
    fn a_capture_has_as_many_points_as_numbers() {
        let points = CapturePoints::default();
        for number in 0..=u16::MAX {
            assert_eq!(points.add(Point::default()), PointId(number));
        }
        assert_eq!(points.add(Point::default()), PointId(u16::MAX));
        assert!(points.get(PointId(u16::MAX)).is_some());
    }
}
