//! Rows by the number of their exchange, in blocks that clones share until one is written.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;

use super::Row;
use super::frames::Address;
use crate::endpoint::ConnectionNumber;
use crate::exchange::{
    CompactHeld, EndedBy, Exchange, ExchangeKind, ExchangeNumber, PatternId, Status,
};
use crate::time::{Nanos, Timestamp};

/// A row as it is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compact {
    pub(super) time: Timestamp,
    /// The latency of what was answered, the time that the caller of all else waited: nothing has
    /// both. `u64::MAX` where there is none.
    took: u64,
    pub(super) reply_bytes: u64,
    /// Its last frame.
    pub(super) frames: Address,
    pub(super) connection: ConnectionNumber,
    /// Of an attempt to connect, which has no replies, how many attempts it stands for.
    replies: u32,
    request_bytes: u32,
    request_held: CompactHeld,
    reply_held: CompactHeld,
    /// Of an attempt to connect, which has no pattern, the name of what a router said of it.
    pattern: u16,
    /// `None` where no exchange has this number.
    pub(super) kind: Option<ExchangeKind>,
    end: End,
}

const _: () = assert!(size_of::<Compact>() == 56);

/// How an exchange ended, who ended it and whether it is sure that it was one, in one byte: four
/// bits, three bits and one.
#[derive(Clone, Copy, Debug)]
struct End(u8);

const STATUSES: [Status; 10] = [
    Status::Ok,
    Status::Error,
    Status::Open,
    Status::Closed,
    Status::Unknown,
    Status::Sent,
    Status::Orphan,
    Status::Refused,
    Status::NoAnswer,
    Status::Reset,
];

/// Behind nobody, who has 0.
const ENDED_BY: [EndedBy; 6] = [
    EndedBy::Client,
    EndedBy::Server,
    EndedBy::ResetByClient,
    EndedBy::ResetByServer,
    EndedBy::Network,
    EndedBy::Capture,
];

impl End {
    const UNSURE: u8 = 1 << 7;

    fn new(status: Status, ended_by: Option<EndedBy>, sure: bool) -> Self {
        let status = STATUSES.iter().zip(0..).find(|(known, _)| **known == status);
        let ended_by = ENDED_BY.iter().zip(1..).find(|(known, _)| Some(**known) == ended_by);
        let numbers = [status.map_or(0, |(_, at)| at), ended_by.map_or(0, |(_, at)| at)];
        let [status, ended_by]: [u8; 2] = numbers;
        Self(status | ended_by << 4 | if sure { 0 } else { Self::UNSURE })
    }

    fn status(self) -> Status {
        STATUSES.get(usize::from(self.0 & 15)).copied().unwrap_or(Status::Unknown)
    }

    fn ended_by(self) -> Option<EndedBy> {
        ENDED_BY.get(usize::from(self.0 >> 4 & 7).checked_sub(1)?).copied()
    }

    const fn is_sure(self) -> bool {
        self.0 & Self::UNSURE == 0
    }
}

impl Compact {
    const HOLE: Self = Self {
        time: Timestamp::from_nanos(0),
        took: u64::MAX,
        reply_bytes: 0,
        frames: Address::NONE,
        connection: ConnectionNumber(0),
        replies: 0,
        request_bytes: 0,
        request_held: CompactHeld::NONE,
        reply_held: CompactHeld::NONE,
        pattern: 0,
        kind: None,
        end: End(0),
    };

    /// A row of which no frame is there yet.
    pub(super) fn new(exchange: &Exchange<'_>) -> Self {
        let mut row = Self {
            time: exchange.time(),
            reply_bytes: exchange.reply.map_or(0, |span| span.bytes),
            connection: exchange.connection.number,
            replies: exchange.replies,
            // A frame is far smaller than 4 GiB (`limits::FRAME_BYTES`), and patterns are few.
            request_bytes: exchange
                .request
                .map_or(0, |span| u32::try_from(span.bytes).unwrap_or(u32::MAX)),
            pattern: u16::try_from(exchange.pattern_id.0).unwrap_or(1),
            kind: Some(exchange.kind),
            ..Self::HOLE
        };
        row.end(exchange);
        row
    }

    /// Takes in how the exchange ended.
    pub(super) fn end(&mut self, exchange: &Exchange<'_>) {
        let took = match exchange.status {
            Status::Ok | Status::Error => exchange.latency.latency,
            _ => exchange.waited,
        };
        self.took = took.map_or(u64::MAX, Nanos::get);
        self.request_held = CompactHeld::new(exchange.request_held);
        self.reply_held = CompactHeld::new(exchange.reply_held);
        self.end = End::new(exchange.status, exchange.ended_by, exchange.sure);
        if exchange.kind == ExchangeKind::Connect {
            self.replies = exchange.attempts;
        }
    }

    /// One more reply came.
    pub(super) fn add_reply(&mut self, bytes: u64) {
        self.replies = self.replies.saturating_add(1);
        self.reply_bytes = self.reply_bytes.saturating_add(bytes);
    }

    /// Names what a router said of an attempt to connect.
    pub(super) fn set_said(&mut self, name: u16) {
        self.pattern = name;
    }

    /// The name of what a router said of an attempt to connect.
    pub(super) fn said(&self) -> Option<u16> {
        (self.kind == Some(ExchangeKind::Connect) && self.pattern > 0).then_some(self.pattern)
    }

    /// What a list shows of it; `None` where it is a hole.
    pub(super) fn row(&self, number: ExchangeNumber) -> Option<Row> {
        let kind = self.kind?;
        let (is_attempt, status) = (kind == ExchangeKind::Connect, self.end.status());
        let took = (self.took != u64::MAX).then_some(Nanos::new(self.took));
        let is_answered = matches!(status, Status::Ok | Status::Error);
        Some(Row {
            number,
            time: self.time,
            kind,
            status,
            pattern: PatternId(if is_attempt { 0 } else { self.pattern.into() }),
            connection: self.connection,
            latency: took.filter(|_| is_answered),
            waited: took.filter(|_| !is_answered),
            ended_by: self.end.ended_by(),
            request_held: self.request_held.held(),
            reply_held: self.reply_held.held(),
            sure: self.end.is_sure(),
            attempts: if is_attempt { self.replies } else { 1 },
            request_bytes: self.request_bytes.into(),
            reply_bytes: self.reply_bytes,
            replies: if is_attempt { 0 } else { self.replies },
        })
    }
}

/// The rows that are remembered.
#[derive(Clone, Debug)]
pub(super) struct Rows {
    blocks: VecDeque<Arc<Block>>,
    /// Which block of all the first one is.
    first: u64,
    /// No row before this number is taken in: it was dropped or cleared.
    floor: ExchangeNumber,
    /// Behind the last row.
    end: ExchangeNumber,
}

#[derive(Clone, Debug)]
struct Block {
    rows: Vec<Compact>,
    /// No frame of these rows lies before it.
    frames: Address,
}

/// Rows of a block: few enough to copy one while a picture of the moment is looked at, many enough
/// to make a picture of millions by some thousand pointers.
const BLOCK: u64 = 1 << 10;
const BLOCK_WEIGHT: usize = size_of::<Block>() + size_of::<Compact>() * (1 << 10);

/// Numbers that may be left out: as many frames may have begun at once as there are connections,
/// on both sides. Beyond that something is wrong with the numbers.
const LARGEST_HOLE: u64 = 4 * crate::limits::CONNECTIONS as u64;

impl Default for Rows {
    fn default() -> Self {
        Self { blocks: VecDeque::new(), first: 0, floor: ExchangeNumber(1), end: ExchangeNumber(1) }
    }
}

impl Rows {
    pub(super) fn numbers(&self) -> Range<ExchangeNumber> {
        self.floor.max(ExchangeNumber(self.first * BLOCK)).min(self.end)..self.end
    }

    pub(super) fn get(&self, number: ExchangeNumber) -> Option<&Compact> {
        let index = usize::try_from((number.0 / BLOCK).checked_sub(self.first)?).ok()?;
        let within = usize::try_from(number.0 % BLOCK).ok()?;
        self.blocks.get(index)?.rows.get(within).filter(|row| row.kind.is_some())
    }

    pub(super) fn get_mut(&mut self, number: ExchangeNumber) -> Option<&mut Compact> {
        // Looked at first: nothing is to be copied for a row that is gone.
        self.get(number)?;
        let index = usize::try_from((number.0 / BLOCK).checked_sub(self.first)?).ok()?;
        let within = usize::try_from(number.0 % BLOCK).ok()?;
        Arc::make_mut(self.blocks.get_mut(index)?).rows.get_mut(within)
    }

    /// Takes in a row, and says whether there is a place for it. Its frames come after `frames`.
    pub(super) fn insert(&mut self, number: ExchangeNumber, row: Compact, frames: Address) -> bool {
        if number < self.floor {
            return false;
        }
        if number > self.end.saturating_add(LARGEST_HOLE) {
            // What lies before such a hole is given up, for else nothing would ever come after it.
            self.blocks.clear();
            self.floor = number;
        }
        let block = number.0 / BLOCK;
        if self.blocks.is_empty() {
            self.first = block;
        }
        let empty = || Arc::new(Block { rows: Vec::new(), frames });
        while block < self.first {
            self.blocks.push_front(empty());
            self.first -= 1;
        }
        let Ok(index) = usize::try_from(block - self.first) else { return false };
        while self.blocks.len() <= index {
            self.blocks.push_back(empty());
        }
        let Some(block) = self.blocks.get_mut(index).map(Arc::make_mut) else { return false };
        let Ok(within) = usize::try_from(number.0 % BLOCK) else { return false };
        if block.rows.is_empty() {
            block.rows.reserve_exact(1 << 10);
        }
        if block.rows.len() <= within {
            block.rows.resize(within + 1, Compact::HOLE);
        }
        let Some(place) = block.rows.get_mut(within) else { return false };
        *place = row;
        self.end = self.end.max(number.next());
        true
    }

    /// Makes a hole of a row that turned out to be none.
    pub(super) fn remove(&mut self, number: ExchangeNumber) {
        if let Some(row) = self.get_mut(number) {
            *row = Compact::HOLE;
        }
    }

    /// Drops the oldest block, and lends its rows once more; `None` where there is none.
    pub(super) fn drop_oldest(&mut self, mut each: impl FnMut(&Compact)) -> Option<()> {
        let block = self.blocks.pop_front()?;
        self.first += 1;
        self.floor = self.floor.max(ExchangeNumber(self.first * BLOCK).min(self.end));
        block.rows.iter().filter(|row| row.kind.is_some()).for_each(&mut each);
        Some(())
    }

    /// Drops everything, and takes in nothing with a number up to the last one.
    pub(super) fn clear(&mut self) {
        self.blocks.clear();
        self.floor = self.end;
    }

    /// The number of the first row that is there.
    pub(super) fn oldest(&self) -> Option<&Compact> {
        self.blocks.iter().flat_map(|block| &block.rows).find(|row| row.kind.is_some())
    }

    /// No frame of any row lies before this.
    pub(super) fn oldest_frame(&self) -> Option<Address> {
        self.blocks.iter().map(|block| block.frames).min()
    }

    /// Bytes of memory.
    pub(super) fn weight(&self) -> usize {
        self.blocks.len() * BLOCK_WEIGHT
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;
    use crate::endpoint::{ConnectionId, Endpoints};
    use crate::exchange::{Held, Latency, Span};
    use crate::packet::{PacketNumber, PacketRef};

    fn compact(number: u64) -> Compact {
        let packet = PacketRef {
            number: PacketNumber(number),
            at: Timestamp::from_nanos(number.cast_signed()),
        };
        let request = Some(Span::in_order(packet, packet, 60));
        let number = ExchangeNumber(number);
        Compact::new(&Exchange { number, request, status: Status::Open, ..exchange() })
    }

    fn exchange() -> Exchange<'static> {
        let end = SocketAddr::from(([127, 0, 0, 1], 1));
        let connection = ConnectionId { number: ConnectionNumber(3), slot: 3 };
        let ends = Endpoints { client: end, server: end };
        let (kind, status) = (ExchangeKind::Request, Status::Ok);
        Exchange {
            pattern_id: PatternId(7),
            ..Exchange::empty(ExchangeNumber(1), connection, ends, kind, status)
        }
    }

    #[test]
    fn a_row_keeps_how_its_exchange_ended() {
        let held = |nanos, certain| Held { at_most: Nanos::new(nanos), certain };
        let nobody = [None];
        for status in STATUSES {
            for ended_by in ENDED_BY.map(Some).into_iter().chain(nobody) {
                let is_answered = matches!(status, Status::Ok | Status::Error);
                let took = Some(Nanos::from_secs(90));
                let exchange = Exchange {
                    status,
                    ended_by,
                    sure: ended_by.is_some(),
                    latency: Latency {
                        latency: took.filter(|_| is_answered),
                        ..Latency::default()
                    },
                    waited: took.filter(|_| !is_answered),
                    request_held: held(41_300_001, true),
                    reply_held: held(9_000_000_000, false),
                    ..exchange()
                };
                let row = Compact::new(&exchange).row(ExchangeNumber(1)).unwrap();
                assert_eq!((row.status, row.ended_by), (status, ended_by));
                assert_eq!(row.latency, exchange.latency.latency);
                assert_eq!((row.waited, row.sure), (exchange.waited, exchange.sure));
                assert_eq!(row.request_held, exchange.request_held);
                assert_eq!(row.reply_held, exchange.reply_held);
            }
        }
        let attempt = Exchange {
            kind: ExchangeKind::Connect,
            pattern_id: PatternId::NONE,
            status: Status::NoAnswer,
            attempts: 40,
            ..exchange()
        };
        let mut kept = Compact::new(&attempt);
        assert_eq!(kept.said(), None);
        kept.set_said(3);
        let row = kept.row(ExchangeNumber(1)).unwrap();
        assert_eq!((row.attempts, row.replies, row.pattern), (40, 0, PatternId::NONE));
        assert_eq!(kept.said(), Some(3));
    }

    fn numbers(rows: &Rows) -> Vec<u64> {
        let numbers = ExchangeNumber::each(rows.numbers());
        numbers.filter(|number| rows.get(*number).is_some()).map(|number| number.0).collect()
    }

    fn range(numbers: Range<u64>) -> Range<ExchangeNumber> {
        ExchangeNumber(numbers.start)..ExchangeNumber(numbers.end)
    }

    fn row(rows: &Rows, number: u64) -> Option<Row> {
        let number = ExchangeNumber(number);
        rows.get(number)?.row(number)
    }

    #[test]
    fn numbers_may_come_late_and_be_left_out() {
        let mut rows = Rows::default();
        assert_eq!(rows.numbers(), range(1..1));
        // The first that comes is of the second block.
        for number in [1_030, 1_029, 3, 5_000, 1] {
            assert!(rows.insert(ExchangeNumber(number), compact(number), Address::NONE));
        }
        assert_eq!(numbers(&rows), [1, 3, 1_029, 1_030, 5_000]);
        assert_eq!(row(&rows, 3).unwrap().time, Timestamp::from_nanos(3));
        assert!(row(&rows, 4).is_none() && rows.get_mut(ExchangeNumber(4)).is_none());
        // A hole that would cost much memory costs what lies before it instead.
        assert!(rows.insert(ExchangeNumber(u64::MAX - 1), compact(9), Address::NONE));
        assert_eq!(rows.numbers(), range(u64::MAX - 1..u64::MAX));
        assert!(row(&rows, 5_000).is_none() && row(&rows, u64::MAX - 1).is_some());
    }

    #[test]
    fn what_was_dropped_or_cleared_does_not_come_back() {
        let mut rows = Rows::default();
        for number in 1..3_000 {
            assert!(rows.insert(ExchangeNumber(number), compact(number), Address::NONE));
        }
        let picture = rows.clone();
        let mut dropped = 0;
        assert!(rows.drop_oldest(|_| dropped += 1).is_some());
        assert_eq!((dropped, rows.numbers()), (1_023, range(1_024..3_000)));
        assert!(!rows.insert(ExchangeNumber(1_000), compact(1_000), Address::NONE));
        let latency = Latency { latency: Some(Nanos::new(5)), ..Latency::default() };
        rows.get_mut(ExchangeNumber(2_000)).unwrap().end(&Exchange { latency, ..exchange() });
        assert_eq!(row(&rows, 2_000).unwrap().latency, Some(Nanos::new(5)));
        assert_eq!(row(&picture, 2_000).unwrap().latency, None);
        rows.clear();
        assert_eq!((rows.numbers(), rows.weight()), (range(3_000..3_000), 0));
        assert!(!rows.insert(ExchangeNumber(2_999), compact(2_999), Address::NONE));
        assert!(rows.insert(ExchangeNumber(3_000), compact(3_000), Address::NONE));
        assert_eq!(numbers(&rows), [3_000]);
        assert_eq!(picture.numbers(), range(1..3_000));
    }
}
