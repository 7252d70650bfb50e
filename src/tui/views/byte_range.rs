//! Which exchange some bytes of a connection belong to.

use crate::decode::Seq;
use crate::endpoint::{ConnectionNumber, Side};
use crate::exchange::ExchangeNumber;
use crate::store::{Archive, FrameRecord};
use crate::time::Timestamp;

/// Bytes of one side of a connection, in one piece.
#[derive(Clone, Copy, Debug)]
pub struct ByteRange {
    /// The number of the connection.
    pub connection: ConnectionNumber,
    /// Who sent them, in the roles that the messages showed.
    pub from: Side,
    /// The sequence number of the first of them.
    pub seq: Seq,
    /// How many they are.
    pub len: u64,
    /// When the last of them came.
    pub at: Timestamp,
}

/// Rows behind the time of the bytes that are looked at too: where the capture's clock stepped, or
/// packets came out of order, numbers do not quite follow time.
const AROUND: u64 = 64;

/// The exchange with a frame in the bytes. Looks at no more than `reach` exchanges: those that
/// began last before the bytes came.
pub fn exchange_of(archive: &Archive, bytes: &ByteRange, reach: u64) -> Option<ExchangeNumber> {
    let numbers = archive.numbers();
    let behind = began_after(archive, bytes.at).saturating_add(AROUND).min(numbers.end);
    let least = behind.saturating_sub(reach).max(numbers.start);
    ExchangeNumber::each(least..behind).rev().find(|&number| {
        archive.row(number).is_some_and(|row| row.connection == bytes.connection)
            && archive
                .detail(number)
                .is_some_and(|detail| detail.frames.iter().any(|frame| overlaps(frame, bytes)))
    })
}

fn overlaps(frame: &FrameRecord, bytes: &ByteRange) -> bool {
    let ahead = i64::from(bytes.seq.distance(frame.seq));
    let length = |len: u64| i64::try_from(len).unwrap_or(i64::MAX);
    frame.from == bytes.from
        && ahead < length(frame.span.bytes)
        && ahead.saturating_add(length(bytes.len)) > 0
}

/// The number of the first exchange that began after `at`.
fn began_after(archive: &Archive, at: Timestamp) -> ExchangeNumber {
    let numbers = archive.numbers();
    let (mut low, mut high) = (numbers.start, numbers.end);
    while low < high {
        let middle = low.saturating_add((high.0 - low.0) / 2);
        // A number may be of no exchange: the next one that is tells as well.
        let row = ExchangeNumber::each(middle..high).find_map(|number| archive.row(number));
        match row {
            Some(row) if row.time <= at => low = row.number.next(),
            _ => high = middle,
        }
    }
    low
}
